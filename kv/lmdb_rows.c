// SPDX-License-Identifier: BSD-3-Clause
#include "kv/lmdb_rows.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// A watch that was away for more changes than this reads everything.
#ifndef LMDB_LOG_MAX
#define LMDB_LOG_MAX 20000
#endif
#define LMDB_LOG_CUT (LMDB_LOG_MAX / 10 + 1) // cut in pieces, not at each change

struct row_head {
	uint64_t revision, lease;
};

struct row_key {
	size_t len_bytes;
	char bytes[1 + 8 + KV_KEY_MAX_BYTES + 1];
};

int lmdb_rc(int rc)
{
	if (rc > 0) // an errno
		return -rc;
	switch (rc) {
	case 0:
		return 0;
	case MDB_NOTFOUND:
		return -ENOENT;
	case MDB_MAP_FULL:
		return -ENOSPC;
	case MDB_BAD_VALSIZE:
	case MDB_TXN_FULL:
		return -E2BIG;
	default:
		return -EIO;
	}
}

static void add_u64(struct row_key *k, uint64_t number)
{
	uint64_t big = htobe64(number);

	memcpy(k->bytes + k->len_bytes, &big, sizeof(big));
	k->len_bytes += sizeof(big);
}

static void add_text(struct row_key *k, const char *text, size_t len_bytes)
{
	if (len_bytes > sizeof(k->bytes) - k->len_bytes) // LMDB will not have a key of that length
		len_bytes = sizeof(k->bytes) - k->len_bytes;
	memcpy(k->bytes + k->len_bytes, text, len_bytes);
	k->len_bytes += len_bytes;
}

static struct row_key kind_key(char kind)
{
	return (struct row_key){1, {kind}};
}

static struct row_key number_key(char kind, uint64_t number)
{
	struct row_key k = kind_key(kind);

	add_u64(&k, number);
	return k;
}

static struct row_key text_key(char kind, const char *text)
{
	struct row_key k = kind_key(kind);

	add_text(&k, text, strlen(text) + 1);
	return k;
}

static struct row_key index_key(uint64_t lease, const char *key)
{
	struct row_key k = number_key('i', lease);

	add_text(&k, key, strlen(key) + 1);
	return k;
}

static uint64_t number_at(const MDB_val *key)
{
	uint64_t big;

	memcpy(&big, (char *)key->mv_data + 1, sizeof(big));
	return be64toh(big);
}

static int get(const struct lmdb_txn *t, const struct row_key *k, MDB_val *ret_value)
{
	MDB_val key = {k->len_bytes, (void *)k->bytes};

	return lmdb_rc(mdb_get(t->txn, t->dbi, &key, ret_value));
}

static int put(const struct lmdb_txn *t, const struct row_key *k, const void *data, size_t len)
{
	MDB_val key = {k->len_bytes, (void *)k->bytes}, value = {len, (void *)data};

	return lmdb_rc(mdb_put(t->txn, t->dbi, &key, &value, 0));
}

static int del(const struct lmdb_txn *t, const struct row_key *k)
{
	MDB_val key = {k->len_bytes, (void *)k->bytes};
	int rc = mdb_del(t->txn, t->dbi, &key, NULL);

	return rc == MDB_NOTFOUND ? 0 : lmdb_rc(rc);
}

// The rows from `from` on whose keys begin with the first `nb_same` bytes of it.
typedef int row_fn(void *arg, const MDB_val *key, const MDB_val *value);

static int walk(
	const struct lmdb_txn *t, const struct row_key *from, size_t nb_same, row_fn *fn, void *arg)
{
	MDB_val key = {from->len_bytes, (void *)from->bytes}, value;
	MDB_cursor *cursor;
	int rc;

	rc = mdb_cursor_open(t->txn, t->dbi, &cursor);
	if (rc)
		return lmdb_rc(rc);
	rc = lmdb_rc(mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE));
	while (rc == 0 && key.mv_size >= nb_same &&
		memcmp(key.mv_data, from->bytes, nb_same) == 0) {
		rc = fn(arg, &key, &value);
		if (rc == 0)
			rc = lmdb_rc(mdb_cursor_get(cursor, &key, &value, MDB_NEXT));
	}
	mdb_cursor_close(cursor);
	return rc == -ENOENT ? 0 : rc;
}

// ---- the store's own numbers ----

static uint64_t get_number(const struct lmdb_txn *t, const char *name)
{
	struct row_key k = text_key('m', name);
	uint64_t number = 0;
	MDB_val value;

	if (get(t, &k, &value) == 0 && value.mv_size == sizeof(number))
		memcpy(&number, value.mv_data, sizeof(number));
	return number;
}

static int put_number(const struct lmdb_txn *t, const char *name, uint64_t number)
{
	struct row_key k = text_key('m', name);

	return put(t, &k, &number, sizeof(number));
}

uint64_t lmdb_revision(const struct lmdb_txn *t)
{
	return get_number(t, "revision");
}

uint64_t lmdb_log_start(const struct lmdb_txn *t)
{
	return get_number(t, "log-start");
}

bool lmdb_is_of_boot(const struct lmdb_txn *t, const char *boot_id)
{
	struct row_key k = text_key('m', "boot");
	MDB_val value;

	return get(t, &k, &value) == 0 && value.mv_size == strlen(boot_id) &&
	       memcmp(value.mv_data, boot_id, value.mv_size) == 0;
}

// ---- keys ----

static struct row_head head_of(const MDB_val *value)
{
	struct row_head head;

	memcpy(&head, value->mv_data, sizeof(head));
	return head;
}

static struct kv_pair pair_of(const char *key, const MDB_val *value)
{
	return (struct kv_pair){.key = key,
		.value = (char *)value->mv_data + sizeof(struct row_head),
		.len_bytes = value->mv_size - sizeof(struct row_head) - 1,
		.revision = head_of(value).revision};
}

int lmdb_get(const struct lmdb_txn *t, const char *key, struct kv_pair *ret_pair)
{
	struct row_key k = text_key('k', key);
	MDB_val value;
	int rc = get(t, &k, &value);

	if (rc == 0)
		*ret_pair = pair_of(key, &value);
	return rc;
}

struct each {
	const struct lmdb_txn *t;
	lmdb_each_fn *fn;
	void *arg;
};

static int each_key(void *arg, const MDB_val *key, const MDB_val *value)
{
	struct each *each = arg;
	struct kv_pair pair = pair_of((char *)key->mv_data + 1, value);

	return each->fn(each->arg, &pair);
}

int lmdb_each(const struct lmdb_txn *t, const char *prefix, lmdb_each_fn *fn, void *arg)
{
	struct row_key k = kind_key('k');
	struct each each = {t, fn, arg};

	add_text(&k, prefix, strlen(prefix));
	return walk(t, &k, k.len_bytes, each_key, &each);
}

static int each_change(void *arg, const MDB_val *key, const MDB_val *value)
{
	struct each *each = arg;
	struct kv_pair pair;
	int rc = lmdb_get(each->t, value->mv_data, &pair);

	if (rc == -ENOENT)
		pair = (struct kv_pair){.key = value->mv_data, .revision = number_at(key)};
	else if (rc < 0)
		return rc;
	else if (pair.revision != number_at(key)) // it comes again
		return 0;
	return each->fn(each->arg, &pair);
}

int lmdb_each_change(const struct lmdb_txn *t, uint64_t revision, lmdb_each_fn *fn, void *arg)
{
	struct row_key k = number_key('l', revision + 1);
	struct each each = {t, fn, arg};

	return walk(t, &k, 1, each_change, &each);
}

// ---- changes ----

// One change of the store, of several keys.
struct change {
	const struct lmdb_txn *t;
	uint64_t revision;
	uint64_t nb_logged;
};

static struct change begin_change(const struct lmdb_txn *t)
{
	return (struct change){.t = t, .revision = lmdb_revision(t) + 1};
}

static int log_key(struct change *c, const char *key)
{
	struct row_key k = number_key('l', c->revision);

	add_u64(&k, c->nb_logged++);
	return put(c->t, &k, key, strlen(key) + 1);
}

static int first_log(void *arg, const MDB_val *key, const MDB_val *value)
{
	struct row_key *k = arg;

	k->len_bytes = 0;
	add_text(k, key->mv_data, key->mv_size);
	return 1;
}

static int cut_log(const struct lmdb_txn *t, uint64_t nb_rows)
{
	uint64_t start = 0;

	for (; nb_rows > 0; nb_rows--) {
		struct row_key k, from = kind_key('l');
		MDB_val key;
		int rc;

		rc = walk(t, &from, 1, first_log, &k);
		if (rc <= 0)
			return rc;
		key = (MDB_val){k.len_bytes, k.bytes};
		start = number_at(&key);
		rc = del(t, &k);
		if (rc < 0)
			return rc;
	}
	return start ? put_number(t, "log-start", start) : 0;
}

static int end_change(struct change *c)
{
	uint64_t nb_rows = get_number(c->t, "log-rows") + c->nb_logged;
	int rc;

	if (c->nb_logged == 0)
		return 0;
	if (nb_rows > LMDB_LOG_MAX + LMDB_LOG_CUT) {
		rc = cut_log(c->t, nb_rows - LMDB_LOG_MAX);
		if (rc < 0)
			return rc;
		nb_rows = LMDB_LOG_MAX;
	}
	rc = put_number(c->t, "log-rows", nb_rows);
	return rc < 0 ? rc : put_number(c->t, "revision", c->revision);
}

static int leave_lease(const struct lmdb_txn *t, const char *key, uint64_t lease)
{
	struct row_key k = index_key(lease, key);

	return lease ? del(t, &k) : 0;
}

static int join_lease(const struct lmdb_txn *t, const char *key, uint64_t lease)
{
	struct row_key k = index_key(lease, key);

	return lease ? put(t, &k, "", 0) : 0;
}

static int put_key(struct change *c, const struct kv_op *op, uint64_t lease)
{
	struct row_head head = {c->revision, lease};
	struct row_key k = text_key('k', op->key);
	MDB_val key = {k.len_bytes, k.bytes}, value;
	int rc;

	if (get(c->t, &k, &value) == 0) {
		rc = leave_lease(c->t, op->key, head_of(&value).lease);
		if (rc < 0)
			return rc;
	}
	value.mv_size = sizeof(head) + op->len_bytes + 1;
	rc = lmdb_rc(mdb_put(c->t->txn, c->t->dbi, &key, &value, MDB_RESERVE));
	if (rc < 0)
		return rc;
	memcpy(value.mv_data, &head, sizeof(head));
	memcpy((char *)value.mv_data + sizeof(head), op->value, op->len_bytes);
	((char *)value.mv_data)[value.mv_size - 1] = '\0';
	rc = join_lease(c->t, op->key, lease);
	return rc < 0 ? rc : log_key(c, op->key);
}

static int delete_key(struct change *c, const char *key)
{
	struct row_key k = text_key('k', key);
	MDB_val value;
	int rc;

	rc = get(c->t, &k, &value);
	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	rc = leave_lease(c->t, key, head_of(&value).lease);
	if (rc == 0)
		rc = del(c->t, &k);
	return rc < 0 ? rc : log_key(c, key);
}

static bool is_held(const struct lmdb_txn *t, uint64_t lease, uint64_t now_us)
{
	struct row_key k = number_key('L', lease);
	uint64_t until_us;
	MDB_val value;

	if (get(t, &k, &value) < 0)
		return false;
	memcpy(&until_us, value.mv_data, sizeof(until_us));
	return until_us > now_us;
}

static int check_op(
	const struct lmdb_txn *t, const struct kv_op *op, uint64_t lease, uint64_t now_us)
{
	struct kv_pair pair;
	int rc;

	if (lease && !is_held(t, lease, now_us))
		return -ESTALE;
	if (op->guard == KV_ANY)
		return 0;
	rc = lmdb_get(t, op->key, &pair);
	if (rc < 0 && rc != -ENOENT)
		return rc;
	if (op->guard == KV_ABSENT)
		return rc == 0 ? -ESTALE : 0;
	return rc == 0 && pair.revision == op->revision ? 0 : -ESTALE;
}

int lmdb_apply(const struct lmdb_txn *t, const struct kv_op *ops, const uint64_t *leases,
	unsigned count, uint64_t now_us, uint64_t *ret_revision)
{
	struct change c = begin_change(t);
	int rc = 0;

	for (unsigned i = 0; i < count && rc == 0; i++)
		rc = check_op(t, &ops[i], leases[i], now_us);
	for (unsigned i = 0; i < count && rc == 0; i++) {
		if (ops[i].action == KV_PUT)
			rc = put_key(&c, &ops[i], leases[i]);
		else if (ops[i].action == KV_DELETE)
			rc = delete_key(&c, ops[i].key);
	}
	if (rc == 0)
		rc = end_change(&c);
	if (rc == 0)
		*ret_revision = lmdb_revision(t);
	return rc;
}

// ---- leases ----

int lmdb_lease_grant(const struct lmdb_txn *t, uint64_t until_us, uint64_t *ret_lease)
{
	uint64_t lease = get_number(t, "last-lease") + 1;
	struct row_key k = number_key('L', lease);
	int rc;

	rc = put(t, &k, &until_us, sizeof(until_us));
	if (rc == 0)
		rc = put_number(t, "last-lease", lease);
	if (rc == 0)
		*ret_lease = lease;
	return rc;
}

int lmdb_lease_keep(const struct lmdb_txn *t, uint64_t lease, uint64_t now_us, uint64_t until_us)
{
	struct row_key k = number_key('L', lease);

	return is_held(t, lease, now_us) ? put(t, &k, &until_us, sizeof(until_us)) : -ESTALE;
}

static int first_key(void *arg, const MDB_val *key, const MDB_val *value)
{
	strcpy(arg, (char *)key->mv_data + 9);
	return 1;
}

static int revoke(struct change *c, uint64_t lease)
{
	struct row_key keys = number_key('i', lease), k = number_key('L', lease);
	char key[KV_KEY_MAX_BYTES + 1];
	int rc;

	while ((rc = walk(c->t, &keys, keys.len_bytes, first_key, key)) > 0) {
		rc = delete_key(c, key);
		if (rc < 0)
			break;
	}
	return rc < 0 ? rc : del(c->t, &k);
}

int lmdb_lease_revoke(const struct lmdb_txn *t, uint64_t lease)
{
	struct change c = begin_change(t);
	int rc = revoke(&c, lease);

	return rc < 0 ? rc : end_change(&c);
}

struct first_lease {
	uint64_t lease, until_us;
};

static int first_lease(void *arg, const MDB_val *key, const MDB_val *value)
{
	struct first_lease *first = arg;
	uint64_t until_us;

	memcpy(&until_us, value->mv_data, sizeof(until_us));
	if (until_us < first->until_us)
		*first = (struct first_lease){number_at(key), until_us};
	return 0;
}

static int find_first(const struct lmdb_txn *t, struct first_lease *ret_first)
{
	struct row_key k = kind_key('L');

	*ret_first = (struct first_lease){0, UINT64_MAX};
	return walk(t, &k, 1, first_lease, ret_first);
}

uint64_t lmdb_first_deadline_us(const struct lmdb_txn *t)
{
	struct first_lease first;

	return find_first(t, &first) < 0 ? UINT64_MAX : first.until_us;
}

int lmdb_expire(const struct lmdb_txn *t, uint64_t now_us)
{
	struct change c = begin_change(t);
	struct first_lease first;
	int rc;

	while ((rc = find_first(t, &first)) == 0 && first.lease && first.until_us <= now_us) {
		rc = revoke(&c, first.lease);
		if (rc < 0)
			return rc;
	}
	return rc < 0 ? rc : end_change(&c);
}

// A store's first revision is the time of day, so that one that takes the place of another has
// revisions of its own: who comes with one of the other's is told that there is no history of it.
static int begin_store(const struct lmdb_txn *t)
{
	struct timespec now;
	uint64_t revision;
	int rc;

	clock_gettime(CLOCK_REALTIME, &now);
	revision = (uint64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
	rc = put_number(t, "revision", revision);
	return rc < 0 ? rc : put_number(t, "log-start", revision);
}

int lmdb_begin_boot(const struct lmdb_txn *t, const char *boot_id)
{
	struct row_key k = text_key('m', "boot");
	int rc = 0;

	if (lmdb_is_of_boot(t, boot_id))
		return 0;
	if (lmdb_revision(t) == 0)
		rc = begin_store(t);
	if (rc == 0)
		rc = lmdb_expire(t, UINT64_MAX - 1);
	return rc < 0 ? rc : put(t, &k, boot_id, strlen(boot_id));
}
