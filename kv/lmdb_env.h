// SPDX-License-Identifier: BSD-3-Clause
// The database of the LMDB store as this process has it: opened once, however many handles use it,
// with one thread that makes all changes. A change waits for the lock that all processes share, and
// who has it may be stopped; so the event loop never asks for it. Changes that wait together are
// made in one transaction. What was opened before fork() is the parent's alone; the
// child can open it itself.
#pragma once

#include <lmdb.h>
#include <sys/queue.h>

#include "base/err.h"
#include "kv/inbox.h"
#include "kv/lmdb_rows.h"

struct lmdb_env;

struct lmdb_job {
	struct inbox_item item; // first; comes to the inbox when `rc` is there
	TAILQ_ENTRY(lmdb_job) entry;
	enum { LMDB_JOB_NEW, LMDB_JOB_QUEUED, LMDB_JOB_RUNNING, LMDB_JOB_DONE } state;
	struct inbox *inbox; // NULL: nobody waits for it
	// In the thread, and again when others of its transaction failed. -ESTALE has changed
	// nothing.
	int (*run)(struct lmdb_job *job, const struct lmdb_txn *t);
	void (*free)(struct lmdb_job *job); // any thread
	int rc;
};

int lmdb_env_get(const char *dir, struct lmdb_env **ret_env, struct err *err);
void lmdb_env_put(struct lmdb_env *env); // NULL is fine; jobs that nobody waits for are still done

// False when the files were removed, or others are in their place.
bool lmdb_env_is_there(const struct lmdb_env *env);
// Changes whenever a process has changed something; for inotify(7).
const char *lmdb_env_notify_path(const struct lmdb_env *env);

// A transaction to read in, begun with mdb_txn_renew() and ended with mdb_txn_reset().
int lmdb_env_reader(struct lmdb_env *env, struct lmdb_txn *ret_txn);
void lmdb_env_check_readers(struct lmdb_env *env); // processes that died reading

void lmdb_env_add(struct lmdb_env *env, struct lmdb_job *job);
// Nobody waits for it any more, and it is not done if it has not begun. False: it is done and in
// the inbox.
bool lmdb_env_abandon(struct lmdb_env *env, struct lmdb_job *job);
