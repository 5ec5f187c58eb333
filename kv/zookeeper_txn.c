// SPDX-License-Identifier: BSD-3-Clause
// Changes. ZooKeeper has no "create or set", and guards by a version of its own: so a transaction
// looks at all its nodes first, and then asks for what that makes of it. If another was faster, or
// a folder is missing, it starts anew.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kv/ops.h"
#include "kv/zookeeper_priv.h"

struct node {
	char path[ZK_PATH_MAX_BYTES];
	bool exists;
	struct Stat stat;
};

// What the library has to find until it has answered.
struct multi {
	unsigned count;
	zoo_op_t ops[2 * KV_TXN_OPS_MAX];
	zoo_op_result_t results[2 * KV_TXN_OPS_MAX];
	struct Stat stats[2 * KV_TXN_OPS_MAX];
	char paths[2 * KV_TXN_OPS_MAX][ZK_PATH_MAX_BYTES];
};

struct txn {
	struct zk_op base;
	kv_write_fn *fn;
	void *arg;
	struct kv_op *ops;
	unsigned count;
	uint64_t session; // number of the one that the lease had
	bool lost;	  // of the calls under way
	int failed;
	uint64_t revision;
	struct node nodes[KV_TXN_OPS_MAX];
};

static struct zk_session *session_of(const struct txn *txn)
{
	return txn->base.lease ? txn->base.lease->session : txn->base.self->session;
}

// It goes through the session that watches hang on. What another one sees, they may not know yet.
static bool is_of_watches(const struct txn *txn)
{
	return !txn->base.lease && !txn->base.is_stale;
}

// There is a session to go on with; if not, the caller is told or it waits for one.
static bool can_go_on(struct txn *txn)
{
	struct zk_lease *lease = txn->base.lease;

	if (txn->base.is_stale ||
		(lease && (!lease->held || zk_session_number(lease->session) != txn->session)))
		zk_op_answer(&txn->base, -ESTALE);
	else if (txn->lost || !(lease ? lease->connected : txn->base.self->connected))
		zk_op_wait(&txn->base);
	else
		return true;
	return false;
}

static void send_multi(struct txn *txn);

// ---- looking ----

static int check(const struct kv_op *op, const struct node *node)
{
	if (op->guard == KV_ABSENT)
		return node->exists ? -ESTALE : 0;
	if (op->guard == KV_REVISION)
		return node->exists && (uint64_t)node->stat.mzxid == op->revision ? 0 : -ESTALE;
	return 0;
}

static void looked_at_all(struct txn *txn)
{
	int rc = txn->failed;

	if (!can_go_on(txn))
		return;
	for (unsigned i = 0; i < txn->count && rc == 0; i++)
		rc = check(&txn->ops[i], &txn->nodes[i]);
	if (rc < 0)
		zk_op_answer(&txn->base, rc);
	else
		send_multi(txn);
}

static void on_looked(struct zk_call *call)
{
	struct txn *txn = call->arg;

	if (!zk_op_returned(&txn->base))
		return;
	for (unsigned i = 0; i < txn->count; i++) {
		if (strcmp(txn->nodes[i].path, call->path) != 0)
			continue;
		txn->nodes[i].exists = call->rc == ZOK;
		txn->nodes[i].stat = call->stat;
		if (is_of_watches(txn))
			zk_note_revision(txn->base.self, &call->stat);
	}
	if (zk_is_lost(call->rc))
		txn->lost = true;
	else if (call->rc != ZOK && call->rc != ZNONODE && !txn->failed)
		txn->failed = zk_rc(call->rc);
	if (txn->base.pending == 0)
		looked_at_all(txn);
}

static struct zk_call *call_of(struct txn *txn, void (*done)(struct zk_call *), const char *path)
{
	txn->base.pending++;
	return zk_call_new(done, txn, path);
}

static void start(struct zk_op *op)
{
	struct txn *txn = (struct txn *)op;
	struct zk_session *session;

	txn->lost = false;
	txn->failed = 0;
	if (!can_go_on(txn))
		return;
	session = session_of(txn);
	// The server asked may be behind: it catches up with the leader first.
	zk_sync(session, call_of(txn, on_looked, "/"));
	for (unsigned i = 0; i < txn->count; i++)
		zk_exists(session, call_of(txn, on_looked, txn->nodes[i].path));
}

// ---- folders that are missing ----

static void on_parent(struct zk_call *call)
{
	struct txn *txn = call->arg;

	if (!zk_op_returned(&txn->base))
		return;
	if (zk_is_lost(call->rc))
		txn->lost = true;
	else if (call->rc != ZOK && call->rc != ZNODEEXISTS && !txn->failed)
		txn->failed = zk_rc(call->rc);
	if (txn->base.pending > 0)
		return;
	if (txn->failed)
		zk_op_answer(&txn->base, txn->failed);
	else if (can_go_on(txn))
		start(&txn->base);
}

static bool needs_parents(const struct kv_op *op, const struct node *node)
{
	return !node->exists && op->action != KV_DELETE;
}

static void make_parents(struct txn *txn)
{
	if (!can_go_on(txn))
		return;
	for (unsigned i = 0; i < txn->count; i++) {
		if (needs_parents(&txn->ops[i], &txn->nodes[i]))
			txn->base.pending += zk_make_parents(
				session_of(txn), txn->nodes[i].path, on_parent, txn);
	}
	if (txn->base.pending == 0)
		start(&txn->base);
}

// ---- changing ----

static void add_create(struct txn *txn, struct multi *m, unsigned i, bool is_ephemeral)
{
	zoo_create_op_init(&m->ops[m->count], txn->nodes[i].path, txn->ops[i].value,
		txn->ops[i].len_bytes, zk_session_acl(session_of(txn)),
		is_ephemeral ? ZOO_EPHEMERAL : ZOO_PERSISTENT, m->paths[m->count],
		sizeof(m->paths[m->count]));
	m->count++;
}

static void add_delete(struct txn *txn, struct multi *m, unsigned i, int version)
{
	zoo_delete_op_init(&m->ops[m->count++], txn->nodes[i].path, version);
}

static void add_put(struct txn *txn, struct multi *m, unsigned i, int version)
{
	struct node *node = &txn->nodes[i];
	int64_t owner = txn->ops[i].lease ? zk_session_owner(session_of(txn)) : 0;

	if (!node->exists) {
		add_create(txn, m, i, owner != 0);
	} else if (node->stat.ephemeralOwner == owner) {
		zoo_set_op_init(&m->ops[m->count], node->path, txn->ops[i].value,
			txn->ops[i].len_bytes, version, &m->stats[m->count]);
		m->count++;
	} else { // whose a node is cannot be changed
		add_delete(txn, m, i, version);
		add_create(txn, m, i, owner != 0);
	}
}

static void add_op(struct txn *txn, struct multi *m, unsigned i)
{
	const struct kv_op *op = &txn->ops[i];
	struct node *node = &txn->nodes[i];
	int version = op->guard == KV_REVISION ? node->stat.version : -1;

	switch (op->action) {
	case KV_PUT:
		add_put(txn, m, i, version);
		break;
	case KV_DELETE:
		if (node->exists)
			add_delete(txn, m, i, version);
		break;
	case KV_CHECK:
		if (op->guard == KV_REVISION) {
			zoo_check_op_init(&m->ops[m->count++], node->path, version);
		} else { // that a node is not there is checked by making it
			add_create(txn, m, i, false);
			add_delete(txn, m, i, -1);
		}
		break;
	}
}

static void finish(struct txn *txn, uint64_t revision)
{
	struct zk_kv *self = txn->base.self;

	if (is_of_watches(txn) && revision > self->revision)
		self->revision = revision;
	txn->revision = revision;
	zk_op_answer(&txn->base, 0);
}

// Which change it was that made the node, or that deleted one from the folder.
static void on_revision(struct zk_call *call)
{
	struct txn *txn = call->arg;
	uint64_t revision = txn->base.self->revision;

	if (!zk_op_returned(&txn->base))
		return;
	if (call->rc == ZOK) {
		const char *name = strrchr(call->path, '/') + 1;

		revision = name[0] == '=' ? call->stat.czxid : call->stat.pzxid;
	}
	finish(txn, revision);
}

static void ask_revision(struct txn *txn, const struct multi *m)
{
	char path[ZK_PATH_MAX_BYTES];

	for (unsigned i = 0; i < m->count; i++) {
		if (m->stats[i].mzxid) {
			finish(txn, m->stats[i].mzxid);
			return;
		}
	}
	if (txn->base.is_stale || !session_of(txn)) {
		finish(txn, txn->base.self->revision);
		return;
	}
	for (unsigned i = 0; i < txn->count; i++) {
		if (txn->ops[i].action == KV_PUT) {
			zk_exists(session_of(txn), call_of(txn, on_revision, txn->nodes[i].path));
			return;
		}
	}
	strcpy(path, txn->nodes[0].path);
	strrchr(path, '/')[path[1] == '=' ? 1 : 0] = '\0';
	zk_exists(session_of(txn), call_of(txn, on_revision, path));
}

static void on_multi(struct zk_call *call)
{
	struct txn *txn = call->arg;

	if (!zk_op_returned(&txn->base))
		return;
	switch (call->rc) {
	case ZOK:
		ask_revision(txn, call->memory);
		return;
	case ZNONODE:
		make_parents(txn);
		return;
	case ZNODEEXISTS:
	case ZBADVERSION:
		start(&txn->base);
		return;
	default:
		// Of a lost connection it is not known whether the change was made.
		zk_op_answer(&txn->base, zk_is_lost(call->rc) ? -ETIMEDOUT : zk_rc(call->rc));
	}
}

static void send_multi(struct txn *txn)
{
	struct zk_call *call;
	struct multi *m;

	m = calloc(1, sizeof(*m));
	if (!m)
		abort();
	for (unsigned i = 0; i < txn->count; i++)
		add_op(txn, m, i);
	if (m->count == 0) { // deletes of what is not there
		ask_revision(txn, m);
		free(m);
		return;
	}
	call = call_of(txn, on_multi, "");
	call->memory = m;
	zk_multi(session_of(txn), call, m->ops, m->results, m->count);
}

// ---- the driver's ----

static void answer(struct zk_op *op, int rc)
{
	struct txn *txn = (struct txn *)op;

	txn->fn(txn->arg, rc, rc < 0 ? 0 : txn->revision);
}

static void free_txn(struct zk_op *op)
{
	struct txn *txn = (struct txn *)op;

	free(txn->ops);
	free(txn);
}

void zk_txn(struct kv *kv, const struct kv_op *ops, unsigned count, kv_write_fn *fn, void *arg)
{
	struct zk_kv *self = (struct zk_kv *)kv;
	struct txn *txn = calloc(1, sizeof(*txn));

	if (!txn)
		abort();
	txn->base.self = self;
	txn->base.start = start;
	txn->base.answer = answer;
	txn->base.free = free_txn;
	txn->fn = fn;
	txn->arg = arg;
	txn->count = count;
	txn->ops = kv_ops_copy(ops, count);
	if (!txn->ops)
		abort();
	for (unsigned i = 0; i < count; i++) {
		struct zk_lease *lease = (struct zk_lease *)ops[i].lease;

		zk_key_path(self, ops[i].key, txn->nodes[i].path);
		if (!lease || ops[i].action != KV_PUT)
			continue;
		if (txn->base.lease && lease != txn->base.lease) {
			free_txn(&txn->base);
			kv_write_later(kv, fn, arg, -EINVAL); // keys of two sessions at once
			return;
		}
		txn->base.lease = lease;
		txn->session = zk_session_number(lease->session);
	}
	zk_op_begin(self, &txn->base);
}
