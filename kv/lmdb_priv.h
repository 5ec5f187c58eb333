// SPDX-License-Identifier: BSD-3-Clause
// A handle of the LMDB store, for its own files: lmdb.c has requests and time, lmdb_watch.c and
// lmdb_lease.c what their names say.
#pragma once

#include <sys/queue.h>

#include "kv/kv_driver.h"
#include "kv/lmdb_env.h"

#define LMDB_BOOT_ID_BYTES 64

struct lmdb_watch {
	struct kv_watch base;
	TAILQ_ENTRY(lmdb_watch) entry;
	char *prefix;
	uint64_t revision; // told up to
	kv_watch_fn *fn;
	void *arg;
	bool synced, dead;
};

struct lmdb_lease {
	struct kv_lease base;
	TAILQ_ENTRY(lmdb_lease) entry;
	kv_lease_fn *fn;
	void *arg;
	uint64_t ttl_us;
	uint64_t id; // 0: not held
	uint64_t until_us;
	struct lmdb_request *job; // that grants or keeps it
};

enum job_kind { JOB_BOOT, JOB_READ, JOB_TXN, JOB_GRANT, JOB_KEEP, JOB_REVOKE, JOB_EXPIRE };

// What a caller, or the handle itself, waits for.
struct lmdb_request {
	struct lmdb_job base;
	TAILQ_ENTRY(lmdb_request) entry;
	enum job_kind kind;
	uint64_t due_us;
	kv_read_fn *read_fn;
	kv_write_fn *write_fn;
	void *arg;
	bool arrived; // JOB_READ: it only waits for the store to be ready

	char *key; // JOB_READ
	bool is_prefix;
	struct kv_op *ops; // JOB_TXN
	uint64_t leases[KV_TXN_OPS_MAX];
	unsigned count;
	int refused;
	uint64_t revision;
	struct lmdb_lease *lease; // JOB_GRANT, JOB_KEEP: NULL when it was freed
	uint64_t id, ttl_us, until_us;
	char boot_id[LMDB_BOOT_ID_BYTES];
};

struct lmdb_kv {
	struct kv kv;
	char *dir;
	struct lmdb_env *env; // NULL: it could not be opened again
	struct lmdb_txn reader;
	bool ready; // what is there is of this boot
	struct inbox *inbox;
	int inotify_fd;
	struct loop_handle *notified, *tick, *timeout;
	uint64_t readers_checked_us;
	bool expiring, has_new_watch;
	TAILQ_HEAD(, lmdb_request) jobs; // by `due_us`
	TAILQ_HEAD(, lmdb_watch) watches;
	TAILQ_HEAD(, lmdb_lease) leases;
};

struct lmdb_request *lmdb_new_request(struct lmdb_kv *self, enum job_kind kind);
void lmdb_submit(struct lmdb_kv *self, struct lmdb_request *job);
// Its keys go, whether or not anybody learns of it. 0 is fine.
void lmdb_submit_revoke(struct lmdb_kv *self, uint64_t id);

int lmdb_begin_read(struct lmdb_kv *self); // `reader` is valid until the end
void lmdb_end_read(struct lmdb_kv *self);

struct kv_watch *lmdb_watch(
	struct kv *kv, const char *prefix, uint64_t from_revision, kv_watch_fn *fn, void *arg);
void lmdb_unwatch(struct kv_watch *base);
void lmdb_tell_watches(struct lmdb_kv *self); // from the loop only
void lmdb_free_watches(struct lmdb_kv *self);

struct kv_lease *lmdb_lease_new(struct kv *kv, unsigned ttl_ms, kv_lease_fn *fn, void *arg);
bool lmdb_lease_is_held(const struct kv_lease *base);
void lmdb_lease_free(struct kv_lease *base, bool revoke);
void lmdb_answer_lease(struct lmdb_kv *self, struct lmdb_request *job);
void lmdb_keep_leases(struct lmdb_kv *self);
uint64_t lmdb_next_lease_us(const struct lmdb_kv *self); // when to call that; UINT64_MAX: never
void lmdb_free_leases(struct lmdb_kv *self);
