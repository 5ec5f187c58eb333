// SPDX-License-Identifier: BSD-3-Clause
// A handle of the ZooKeeper store, for its own files: zookeeper.c has requests and time,
// zookeeper_lease.c leases, zookeeper_txn.c changes, zookeeper_tree.c lists and watches.
//
// The key "a/b/c" is the node PREFIX/a/b/=c: the sign tells keys from folders, so that a list of
// names is enough to know what to read. Folders are made when they are needed, and stay. The
// revision of a key is the mzxid of its node.
#pragma once

#include <sys/queue.h>

#include "kv/kv_driver.h"
#include "kv/zookeeper_session.h"

#define ZK_PREFIX_MAX_BYTES 200
#define ZK_PATH_MAX_BYTES   (ZK_PREFIX_MAX_BYTES + KV_KEY_MAX_BYTES + 4)

#define ZK_SESSION_TIMEOUT_MS 6000u
#define ZK_LOOK_PERIOD_US     1000000ull
#define ZK_SOON_US	      50000ull // what was asked for in vain is asked for again

struct zk_tree;

struct zk_lease {
	struct kv_lease base;
	TAILQ_ENTRY(zk_lease) entry;
	kv_lease_fn *fn;
	void *arg;
	uint64_t ttl_us;
	struct zk_session *session; // its own: its time-out is the lease's; NULL: to be started
	bool connected, held, probing;
	uint64_t started_us, probed_us;
	uint64_t contact_us; // when a request was sent that was answered
};

// A request of a caller's.
struct zk_op {
	TAILQ_ENTRY(zk_op) entry;
	struct zk_kv *self;
	uint64_t due_us;
	unsigned pending; // calls under way: it is freed after the last
	bool answered;
	bool waiting;		// for a connection, to be started (again)
	struct zk_lease *lease; // NULL: none, or with `is_stale` it is not any more
	bool is_stale;
	void (*start)(struct zk_op *op);
	void (*answer)(struct zk_op *op, int rc);
	void (*free)(struct zk_op *op);
};

struct zk_kv {
	struct kv kv;
	char *prefix; // "/causeway", or ""
	char *servers, *auth;
	struct inbox *inbox;
	struct zk_session *session; // NULL: to be started
	bool connected;
	uint64_t since_us; // `connected` is as it is
	uint64_t revision; // greatest that its `session` has seen: a lease's may be ahead
	struct loop_handle *tick;
	uint64_t tick_us;	 // when it is due
	TAILQ_HEAD(, zk_op) ops; // by `due_us`
	TAILQ_HEAD(, zk_lease) leases;
	LIST_HEAD(, zk_tree) trees;
};

bool zk_is_lost(int rc); // the connection or the session, not the request
int zk_rc(int rc);	 // of the library's to a negative errno
void zk_note_revision(struct zk_kv *self, const struct Stat *stat);
void zk_tick_within(struct zk_kv *self, uint64_t delay_us);

void zk_key_path(const struct zk_kv *self, const char *key, char path[ZK_PATH_MAX_BYTES]);
// Of "" or "a/b/".
void zk_folder_path(const struct zk_kv *self, const char *prefix, char path[ZK_PATH_MAX_BYTES]);
// Asks to make all folders above `path`; `done` is called for each. Returns how many.
unsigned zk_make_parents(struct zk_session *session, const char *path,
	void (*done)(struct zk_call *call), void *arg);

void zk_op_begin(struct zk_kv *self, struct zk_op *op);
// A call of it was answered: false when nobody wants that any more, and `op` may be freed.
bool zk_op_returned(struct zk_op *op);
void zk_op_answer(struct zk_op *op, int rc);
void zk_op_wait(struct zk_op *op); // starts it again when there is a connection

void zk_txn(struct kv *kv, const struct kv_op *ops, unsigned count, kv_write_fn *fn, void *arg);

void zk_read_folder(struct zk_kv *self, const char *prefix, kv_read_fn *fn, void *arg);
struct kv_watch *zk_watch(
	struct kv *kv, const char *prefix, uint64_t from_revision, kv_watch_fn *fn, void *arg);
void zk_unwatch(struct kv_watch *watch);
void zk_trees_changed(struct zk_kv *self, const char *path);
void zk_trees_connected(struct zk_kv *self); // begins them anew when the session is another one
size_t zk_trees_bytes(struct zk_kv *self);   // of the paths that are watched
void zk_trees_free(struct zk_kv *self);

struct zk_session *zk_start_session(struct zk_kv *self, unsigned timeout_ms);

// ---- zookeeper_lease.c ----

// The session, which may be a lease's, is in that state now.
void zk_lease_state(struct zk_kv *self, uint64_t session, int state);

// Asks for what is due. Returns when to look again.
uint64_t zk_keep_leases(struct zk_kv *self);

struct kv_lease *zk_lease_new(struct kv *kv, unsigned ttl_ms, kv_lease_fn *fn, void *arg);
bool zk_lease_is_held(const struct kv_lease *base);
void zk_lease_free(struct kv_lease *base, bool revoke);
