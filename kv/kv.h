// SPDX-License-Identifier: BSD-3-Clause
// A key-value store that several processes or hosts share: one interface, one file per store.
//
// Everything is asynchronous. A function returns at once; its callback comes later from the event
// loop, on its thread, exactly once, and never from inside the call that asked. A request that is
// not answered within `timeout_ms` ends with -ETIMEDOUT; of a change it is then not known whether
// it was made. kv_free() forgets what is under way without calling anybody.
//
// Results of all stores: 0; -ENOENT no such key; -ESTALE a guard did not hold, nothing was changed;
// -ETIMEDOUT, -ECONNREFUSED, -ECONNRESET the store cannot be reached; -EACCES it refuses this user,
// or this of the user; -ENOSPC it has no room left; -E2BIG more than it takes; -EINVAL a key or a
// transaction that is none; -EIO anything else. kv_reason() has the words of the last failure.
//
// Keys are text, folders separated by '/', relative to the prefix in the URL, without a leading
// '/': "hosts/h1". A key is not also a folder of others. Values are any bytes, at most
// KV_VALUE_MAX_BYTES. Revisions: every change has one, greater than that of all changes before it,
// also after deletion. They are comparable within one store only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/loop.h"

#define KV_KEY_MAX_BYTES   480 // LMDB takes 511, with what stores and copies add to a key
#define KV_VALUE_MAX_BYTES (512u << 10)
#define KV_TXN_OPS_MAX	   60

struct kv;
struct kv_lease;
struct kv_watch;

struct kv_opts {
	struct loop *loop;
	const char *url; // "etcd://h1:2379,h2:2379/prefix", "lmdb:/path", ...
	const char *ca_file, *cert_file, *key_file; // TLS, when any is given
	const char *user, *password, *token;
	unsigned timeout_ms; // of a request; 0: 3000

	// The store answers, or does not any more and why; called when it changes. May be NULL.
	void (*on_state)(void *arg, bool up, const char *reason);
	void *arg;
};

// Checks the URL, the options and the files that they name; makes nothing, and asks nobody. `loop`
// is not used. -EINVAL names what is wrong and what is allowed, -ENOENT and the like the file.
int kv_check(const struct kv_opts *opts, struct err *err);

// The same, and begins to connect; a store that is away is no error.
int kv_open(const struct kv_opts *opts, struct kv **ret_kv, struct err *err);
void kv_free(struct kv *kv); // its leases are left to expire, its watches end and with both their
			     // handles; not from inside a callback of it; NULL is fine

const char *kv_scheme(const struct kv *kv); // "etcd"
bool kv_is_up(const struct kv *kv);
const char *kv_reason(const struct kv *kv); // why it is not up, or why a request failed last

// A store may answer and refuse to change anything: it is full, or the user may only read.
struct kv_refusal {
	int rc; // -EACCES, -ENOSPC, -EIO; 0: it took the last one, as far as is known
	uint64_t since_us, last_us; // monotonic: the first one in a row, and the last
	char reason[320];
};

const struct kv_refusal *kv_refusal(const struct kv *kv);

// ---- reading ----

// Borrowed for the time of the callback. `value` ends with a zero that is not counted.
struct kv_pair {
	const char *key, *value;
	size_t len_bytes;
	uint64_t revision; // of the last change of this key
};

// `revision` is that of the store when it was read (Consul: of the keys that were read).
typedef void kv_read_fn(
	void *arg, int rc, const struct kv_pair *pairs, size_t count, uint64_t revision);

void kv_get(struct kv *kv, const char *key, kv_read_fn *fn, void *arg);

// All keys that begin with `prefix` ("" or a folder with its '/'), of one moment where the store
// can (etcd, lmdb, consul); sorted by key.
void kv_list(struct kv *kv, const char *prefix, kv_read_fn *fn, void *arg);

// ---- changing ----

enum kv_action { KV_PUT, KV_DELETE, KV_CHECK }; // KV_CHECK only guards
enum kv_guard {
	KV_ANY,	     // no condition; deleting what is not there is no error
	KV_ABSENT,   // the key must not exist
	KV_REVISION, // the key must exist at `revision`
};

struct kv_op {
	enum kv_action action;
	enum kv_guard guard;
	const char *key, *value;
	size_t len_bytes;
	uint64_t revision;
	struct kv_lease *lease; // KV_PUT: the key goes when the lease does; NULL: it stays
};

// `revision` is that of the change. rc -ESTALE when a guard does not hold, or the lease is not
// held. Functions of changes take NULL for it.
typedef void kv_write_fn(void *arg, int rc, uint64_t revision);

// All ops or none. At most KV_TXN_OPS_MAX, no key twice. What `ops` points to is copied.
void kv_txn(struct kv *kv, const struct kv_op *ops, unsigned count, kv_write_fn *fn, void *arg);

void kv_put(struct kv *kv, const char *key, const char *value, size_t len_bytes,
	struct kv_lease *lease, kv_write_fn *fn, void *arg);
void kv_create(struct kv *kv, const char *key, const char *value, size_t len_bytes,
	struct kv_lease *lease, kv_write_fn *fn, void *arg); // -ESTALE: it exists
void kv_swap(struct kv *kv, const char *key, uint64_t revision, const char *value, size_t len_bytes,
	kv_write_fn *fn, void *arg); // -ESTALE: it is not at `revision`
void kv_delete(struct kv *kv, const char *key, kv_write_fn *fn, void *arg);

// ---- watching ----

enum kv_event_kind {
	KV_EVENT_BEGIN,	 // everything follows anew: what is not SET until SYNCED is not there
	KV_EVENT_SET,	 // a key has this value
	KV_EVENT_DELETE, // a key is gone; `value` is empty
	KV_EVENT_SYNCED, // all up to `revision` has been told; of some keys, what is newer as well
};

struct kv_event {
	enum kv_event_kind kind;
	struct kv_pair pair;
	uint64_t revision;
};

typedef void kv_watch_fn(void *arg, const struct kv_event *event);

// Tells of every key that begins with `prefix` (as kv_list()). With `from_revision` 0 it starts
// with BEGIN, the keys there are, SYNCED. Otherwise it goes on after that revision (SYNCED comes
// when it has caught up), unless the store cannot (compacted, or no history): then as with 0. After
// an interruption it goes on by itself in the same way: SYNCED comes also when there was nothing to
// tell. Changes of one key come in order, several
// may be told as the last of them. Those of different keys come in any order, also of one
// transaction, and other things may happen between them; SYNCED follows. A store that was lost
// and is another one by now (revisions went back) begins anew.
// NULL: out of memory, or a prefix that is none.
struct kv_watch *kv_watch(
	struct kv *kv, const char *prefix, uint64_t from_revision, kv_watch_fn *fn, void *arg);
void kv_unwatch(struct kv_watch *watch); // NULL is fine; also from inside its callback

// ---- groups ----
//
// A guard speaks of its own key only: what was told of others may be older than what was told of
// that one. What is to be decided from many keys ("nobody has this number") takes a group: keys
// that change only in transactions that swap one of them, its head. Who watches all of them, and
// shows each event to this, can decide while the group is whole: then the swap of the head fails
// (-ESTALE) if any of it has changed since.

struct kv_group {
	const char *head; // its key
	// The rest is zero at first.
	uint64_t head_revision; // 0: it is not there
	uint64_t revision;	// up to which all has been told
	bool is_told;		// and it was, since the last BEGIN
};

void kv_group_told(struct kv_group *group, const struct kv_event *event);
// Everything that was changed together with its head, as that was told last, has been told.
bool kv_group_is_whole(const struct kv_group *group);
// The op for a transaction that changes the group, or only relies on it; it is whole. `value` is
// not copied.
struct kv_op kv_group_swap(const struct kv_group *group, const char *value, size_t len_bytes);

// ---- leases ----

enum kv_lease_state {
	KV_LEASE_HELD, // keys can hang on it now
	KV_LEASE_LOST, // it expired or its store is another one: its keys are gone. A new one is
		       // asked for by itself, and HELD comes again
};

typedef void kv_lease_fn(void *arg, enum kv_lease_state state);

// A lease of `ttl_ms` that is kept alive until it is freed. Its keys go when the process is gone,
// or has not reached the store, for `ttl_ms` (Consul: at least 10 s, and up to twice that). LOST is
// told at the latest when the store would have let it expire, also while the store is away. A store
// may have one lease for a handle only (zookeeper).
struct kv_lease *kv_lease_new(struct kv *kv, unsigned ttl_ms, kv_lease_fn *fn, void *arg);
bool kv_lease_is_held(const struct kv_lease *lease);

// Lets go of it: `revoke` deletes its keys now, otherwise they expire. NULL is fine.
void kv_lease_free(struct kv_lease *lease, bool revoke);
