// SPDX-License-Identifier: BSD-3-Clause
#include "netd/agent/local.h"

#include <errno.h>
#include <lmdb.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

// Before each batch this much of the map is free, so that no batch meets its end: growing is not
// possible in the middle of one. A map takes addresses, not memory, nor disk.
#ifndef LOCAL_ROOM_BYTES
#define LOCAL_ROOM_BYTES (1ull << 30)
#endif

struct lmdb_local {
	struct local base;
	MDB_env *env;
	MDB_dbi dbi;
	MDB_txn *batch; // between begin() and commit()
	int batch_rc;	// the first failure in it
};

static int rc_of(int rc)
{
	if (rc > 0) // an errno
		return -rc;
	return rc == MDB_MAP_FULL ? -ENOSPC : rc == MDB_BAD_VALSIZE ? -E2BIG : rc ? -EIO : 0;
}

static int make_room(MDB_env *env)
{
	MDB_envinfo info;
	MDB_stat stat;
	size_t used;

	mdb_env_info(env, &info);
	mdb_env_stat(env, &stat);
	used = (info.me_last_pgno + 1) * stat.ms_psize;
	if (info.me_mapsize >= used + LOCAL_ROOM_BYTES)
		return 0;
	return mdb_env_set_mapsize(env, used + 2 * LOCAL_ROOM_BYTES);
}

static int begin_txn(struct lmdb_local *self, MDB_txn **ret_txn)
{
	int rc = make_room(self->env);

	return rc_of(rc ? rc : mdb_txn_begin(self->env, NULL, 0, ret_txn));
}

// Ends what one change began by itself; in a batch, remembers its failure.
static int end_change(struct lmdb_local *self, MDB_txn *txn, int rc)
{
	if (self->batch) {
		if (rc < 0 && self->batch_rc == 0)
			self->batch_rc = rc;
		return rc;
	}
	if (rc == 0)
		return rc_of(mdb_txn_commit(txn));
	mdb_txn_abort(txn);
	return rc;
}

static int put(struct local *local, const char *key, const char *value, size_t len_bytes)
{
	struct lmdb_local *self = (struct lmdb_local *)local;
	MDB_val k = {strlen(key), (void *)key}, v = {len_bytes + 1, NULL};
	MDB_txn *txn = self->batch;
	int rc;

	if (!txn) {
		rc = begin_txn(self, &txn);
		if (rc < 0)
			return rc;
	}
	rc = rc_of(mdb_put(txn, self->dbi, &k, &v, MDB_RESERVE));
	if (rc == 0) {
		memcpy(v.mv_data, value, len_bytes);
		((char *)v.mv_data)[len_bytes] = '\0';
	}
	return end_change(self, txn, rc);
}

static int del(struct local *local, const char *key)
{
	struct lmdb_local *self = (struct lmdb_local *)local;
	MDB_val k = {strlen(key), (void *)key};
	MDB_txn *txn = self->batch;
	int rc;

	if (!txn) {
		rc = begin_txn(self, &txn);
		if (rc < 0)
			return rc;
	}
	rc = mdb_del(txn, self->dbi, &k, NULL);
	return end_change(self, txn, rc == MDB_NOTFOUND ? 0 : rc_of(rc));
}

static int walk(MDB_cursor *cursor, const char *prefix, local_each_fn *fn, void *arg)
{
	size_t len = strlen(prefix);
	MDB_val k = {len, (void *)prefix}, v;
	char key[LOCAL_KEY_MAX_BYTES + 1];
	int rc;

	rc = mdb_cursor_get(cursor, &k, &v, len ? MDB_SET_RANGE : MDB_FIRST);
	for (; rc == 0; rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) {
		if (k.mv_size < len || memcmp(k.mv_data, prefix, len) != 0)
			return 0;
		memcpy(key, k.mv_data, k.mv_size);
		key[k.mv_size] = '\0';
		fn(arg, key, v.mv_data, v.mv_size - 1);
	}
	return rc == MDB_NOTFOUND ? 0 : rc_of(rc);
}

static int each(struct local *local, const char *prefix, local_each_fn *fn, void *arg)
{
	struct lmdb_local *self = (struct lmdb_local *)local;
	MDB_txn *txn = self->batch;
	MDB_cursor *cursor;
	int rc;

	if (!txn) {
		rc = mdb_txn_begin(self->env, NULL, MDB_RDONLY, &txn);
		if (rc)
			return rc_of(rc);
	}
	rc = rc_of(mdb_cursor_open(txn, self->dbi, &cursor));
	if (rc == 0) {
		rc = walk(cursor, prefix, fn, arg);
		mdb_cursor_close(cursor);
	}
	if (!self->batch)
		mdb_txn_abort(txn);
	return rc;
}

static int begin(struct local *local)
{
	struct lmdb_local *self = (struct lmdb_local *)local;

	self->batch_rc = 0;
	return begin_txn(self, &self->batch);
}

static int commit(struct local *local)
{
	struct lmdb_local *self = (struct lmdb_local *)local;
	MDB_txn *txn = self->batch;

	self->batch = NULL;
	return end_change(self, txn, self->batch_rc);
}

static const struct local_ops lmdb_ops = {put, del, each, begin, commit};

static int open_map(MDB_env *env, MDB_dbi *ret_dbi)
{
	MDB_txn *txn;
	int rc;

	rc = make_room(env);
	if (rc)
		return rc;
	rc = mdb_txn_begin(env, NULL, 0, &txn);
	if (rc)
		return rc;
	rc = mdb_dbi_open(txn, NULL, 0, ret_dbi);
	if (rc) {
		mdb_txn_abort(txn);
		return rc;
	}
	return mdb_txn_commit(txn);
}

int local_open(const char *dir, struct local **ret_local, struct err *err)
{
	struct lmdb_local *self;
	int rc;

	rc = dir_make(dir, 0750, err);
	if (rc < 0)
		return rc;
	self = calloc(1, sizeof(*self));
	if (!self || mdb_env_create(&self->env)) {
		free(self);
		return err_set(err, -ENOMEM, dir, "out of memory");
	}
	// Data is flushed at each commit, the page that points to it with the next one: the file
	// is whole at any time.
	rc = mdb_env_open(self->env, dir, MDB_NOMETASYNC, 0640);
	file_give_inside(dir);
	if (!rc)
		rc = open_map(self->env, &self->dbi);
	if (rc) {
		mdb_env_close(self->env);
		free(self);
		return err_set(err, rc_of(rc), dir,
			"cannot open the database: %s; if it is damaged, move the folder away",
			mdb_strerror(rc));
	}
	self->base.ops = &lmdb_ops;
	*ret_local = &self->base;
	return 0;
}

void local_close(struct local *local)
{
	struct lmdb_local *self = (struct lmdb_local *)local;

	if (!self)
		return;
	if (self->batch)
		mdb_txn_abort(self->batch);
	mdb_env_close(self->env);
	free(self);
}
