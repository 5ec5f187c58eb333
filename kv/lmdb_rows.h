// SPDX-License-Identifier: BSD-3-Clause
// What is in the database of the LMDB store, and the changes that can be made to it: all inside of
// a transaction of the caller's, in any thread. Functions return 0 or a negative errno.
//
// Rows, in one tree; the first byte of a key says what it is, numbers in keys are big-endian:
//   'k' key               a key of the store: revision, lease, value, a zero
//   'l' revision number   the log: which key changed; bounded, so that watches can go on
//   'L' lease             until when it is held
//   'i' lease key         which keys hang on it
//   'm' name              the store's revision; up to which one the log was cut; the boot
#pragma once

#include <lmdb.h>
#include <stdbool.h>

#include "kv/kv.h"

struct lmdb_txn {
	MDB_txn *txn;
	MDB_dbi dbi;
};

int lmdb_rc(int rc); // of a function of LMDB's to a negative errno

// ---- reading; 0 also when there is nothing of it ----

uint64_t lmdb_revision(const struct lmdb_txn *t);
uint64_t lmdb_log_start(const struct lmdb_txn *t); // the log has all that came after
bool lmdb_is_of_boot(const struct lmdb_txn *t, const char *boot_id);

// Points into the database: valid until the transaction ends. -ENOENT.
int lmdb_get(const struct lmdb_txn *t, const char *key, struct kv_pair *ret_pair);

typedef int lmdb_each_fn(void *arg, const struct kv_pair *pair); // other than 0 ends the walk
int lmdb_each(const struct lmdb_txn *t, const char *prefix, lmdb_each_fn *fn, void *arg);

// The keys that changed after `revision`, each as it is now: of one that is gone `value` is NULL.
int lmdb_each_change(const struct lmdb_txn *t, uint64_t revision, lmdb_each_fn *fn, void *arg);

// When the first lease expires, CLOCK_MONOTONIC; UINT64_MAX: never.
uint64_t lmdb_first_deadline_us(const struct lmdb_txn *t);

// ---- changing ----

// After a boot all leases are void, since their times are of another clock. Gives a new store its
// first revision.
int lmdb_begin_boot(const struct lmdb_txn *t, const char *boot_id);

// -ESTALE is found before anything is changed. `leases` are those of the ops; 0: none.
int lmdb_apply(const struct lmdb_txn *t, const struct kv_op *ops, const uint64_t *leases,
	unsigned count, uint64_t now_us, uint64_t *ret_revision);

int lmdb_lease_grant(const struct lmdb_txn *t, uint64_t until_us, uint64_t *ret_lease);
// -ESTALE: it has expired.
int lmdb_lease_keep(const struct lmdb_txn *t, uint64_t lease, uint64_t now_us, uint64_t until_us);
int lmdb_lease_revoke(const struct lmdb_txn *t, uint64_t lease);
int lmdb_expire(const struct lmdb_txn *t, uint64_t now_us);
