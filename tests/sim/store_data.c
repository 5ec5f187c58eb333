// SPDX-License-Identifier: BSD-3-Clause
#include "tests/sim/store_data.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct store_value *store_value_new(const char *data, size_t len_bytes)
{
	struct store_value *value = malloc(sizeof(*value) + len_bytes + 1);

	if (!value)
		abort();
	value->refs = 1;
	value->len_bytes = len_bytes;
	memcpy(value->data, len_bytes ? data : "", len_bytes);
	value->data[len_bytes] = '\0';
	return value;
}

struct store_value *store_value_ref(struct store_value *value)
{
	if (value)
		value->refs++;
	return value;
}

void store_value_unref(struct store_value *value)
{
	if (value && !--value->refs)
		free(value);
}

// ---- changes ----

static struct store_key *key_make(struct store_data *d, const char *text)
{
	struct store_key *key;
	size_t len = strlen(text);

	HASH_FIND(hh, d->keys, text, len, key);
	if (key)
		return key;
	key = calloc(1, sizeof(*key) + len + 1);
	if (!key)
		abort();
	memcpy(key->key, text, len);
	HASH_ADD(hh, d->keys, key[0], len, key);
	return key;
}

static void record(struct store_data *d, struct store_key *key, struct store_value *value)
{
	if (d->nb_history == d->room_history) {
		d->room_history = d->room_history ? d->room_history * 2 : 256;
		d->history = realloc(d->history, d->room_history * sizeof(*d->history));
		if (!d->history)
			abort();
	}
	d->history[d->nb_history++] =
		(struct store_change){d->revision, key, store_value_ref(value)};
	store_value_unref(key->value);
	key->value = store_value_ref(value);
	key->revision = d->revision;
}

static bool holds(struct store_data *d, const struct store_op *op)
{
	const struct store_key *key = store_data_get(d, op->key);

	if (op->bad_lease || (op->lease && !store_data_lease(d, op->lease)))
		return false;
	switch (op->guard) {
	case KV_ABSENT:
		return !key;
	case KV_REVISION:
		return key && key->revision == op->revision;
	case KV_ANY:
		break;
	}
	return true;
}

int store_data_txn(
	struct store_data *d, const struct store_op *ops, unsigned count, uint64_t *ret_revision)
{
	bool changes = false;

	for (unsigned i = 0; i < count; i++) {
		if (!holds(d, &ops[i]))
			return -ESTALE;
		changes |= ops[i].action == KV_PUT ||
			   (ops[i].action == KV_DELETE && store_data_get(d, ops[i].key));
	}
	d->revision += changes;
	for (unsigned i = 0; i < count; i++) {
		struct store_key *key;

		if (ops[i].action == KV_CHECK ||
			(ops[i].action == KV_DELETE && !store_data_get(d, ops[i].key)))
			continue;
		key = key_make(d, ops[i].key);
		record(d, key, ops[i].action == KV_PUT ? ops[i].value : NULL);
		key->lease = ops[i].action == KV_PUT ? ops[i].lease : 0;
	}
	*ret_revision = d->revision;
	return 0;
}

void store_data_compact(struct store_data *d, uint64_t revision)
{
	size_t gone = 0;

	while (gone < d->nb_history && d->history[gone].revision <= revision)
		store_value_unref(d->history[gone++].value);
	d->nb_history -= gone;
	if (gone)
		memmove(d->history, d->history + gone, d->nb_history * sizeof(*d->history));
	if (d->compacted < revision)
		d->compacted = revision;
}

void store_data_copy(const struct store_data *from, struct store_data *ret)
{
	*ret = (struct store_data){.incarnation = from->incarnation,
		.revision = from->revision,
		.compacted = from->revision};
	for (const struct store_key *key = from->keys; key; key = key->hh.next) {
		struct store_key *copy;

		if (!key->value)
			continue;
		copy = key_make(ret, key->key);
		copy->value = store_value_ref(key->value);
		copy->revision = key->revision;
		copy->lease = key->lease;
	}
	for (const struct store_lease *l = from->leases; l; l = l->hh.next)
		store_data_grant(ret, l->id, l->ttl_us, l->expires_us);
}

void store_data_fini(struct store_data *d)
{
	struct store_key *key, *next_key;
	struct store_lease *lease, *next_lease;

	store_data_compact(d, d->revision);
	free(d->history);
	HASH_ITER(hh, d->keys, key, next_key)
	{
		HASH_DEL(d->keys, key);
		store_value_unref(key->value);
		free(key);
	}
	HASH_ITER(hh, d->leases, lease, next_lease)
	{
		HASH_DEL(d->leases, lease);
		free(lease);
	}
}

// ---- reading ----

const struct store_key *store_data_get(const struct store_data *d, const char *text)
{
	struct store_key *key;

	HASH_FIND_STR(d->keys, text, key);
	return key && key->value ? key : NULL;
}

static int compare_pairs(const void *a, const void *b)
{
	return strcmp(((const struct store_pair *)a)->key, ((const struct store_pair *)b)->key);
}

size_t store_data_list(
	const struct store_data *d, const char *prefix, bool is_prefix, struct store_pair **ret)
{
	const struct store_key *only = is_prefix ? NULL : store_data_get(d, prefix);
	size_t count = 0, len = strlen(prefix);
	struct store_pair *pairs =
		calloc((is_prefix ? HASH_COUNT(d->keys) : 0) + 1, sizeof(*pairs));

	if (!pairs)
		abort();
	for (const struct store_key *key = is_prefix ? d->keys : only; key;
		key = is_prefix ? key->hh.next : NULL) {
		if (!key->value || strncmp(key->key, prefix, len) != 0)
			continue;
		pairs[count++] = (struct store_pair){
			strdup(key->key), store_value_ref(key->value), key->revision};
	}
	qsort(pairs, count, sizeof(*pairs), compare_pairs);
	*ret = pairs;
	return count;
}

void store_pairs_free(struct store_pair *pairs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		store_value_unref(pairs[i].value);
		free((char *)pairs[i].key);
	}
	free(pairs);
}

// ---- leases ----

void store_data_grant(struct store_data *d, uint64_t id, uint64_t ttl_us, uint64_t expires_us)
{
	struct store_lease *lease = calloc(1, sizeof(*lease));

	if (!lease)
		abort();
	lease->id = id;
	lease->ttl_us = ttl_us;
	lease->expires_us = expires_us;
	HASH_ADD(hh, d->leases, id, sizeof(lease->id), lease);
}

struct store_lease *store_data_lease(struct store_data *d, uint64_t id)
{
	struct store_lease *lease;

	HASH_FIND(hh, d->leases, &id, sizeof(id), lease);
	return lease;
}

void store_data_revoke(struct store_data *d, struct store_lease *lease)
{
	bool first = true;

	for (struct store_key *key = d->keys; key; key = key->hh.next) {
		if (!key->value || key->lease != lease->id)
			continue;
		d->revision += first;
		first = false;
		record(d, key, NULL);
		key->lease = 0;
	}
	HASH_DEL(d->leases, lease);
	free(lease);
}
