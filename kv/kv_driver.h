// SPDX-License-Identifier: BSD-3-Clause
// What a store is to kv.c. A new store is a few files with one `struct kv_driver`, a row in
// kv.c, an option in meson_options.txt, and its files in meson.build.
#pragma once

#include <sys/queue.h>

#include "kv/kv.h"

struct kv_driver {
	const char *scheme;  // of the URL
	const char *example; // of a URL, for errors

	// What kv_check() is to find. `rest` is the URL after "scheme:".
	int (*check)(const struct kv_opts *opts, const char *rest, struct err *err);

	// They have been checked. The driver's handle begins with a struct kv. kv.c
	// fills `driver` and `opts` of it when this returns: nobody may be called before. In `opts`
	// timeout_ms is not 0.
	int (*open)(
		const struct kv_opts *opts, const char *rest, struct kv **ret_kv, struct err *err);
	void (*free)(struct kv *kv);

	// Arguments of all these were checked by kv.c, `fn` of txn() is there, leases of ops were
	// held. Who holds a watch or a lease when the store is freed has lost it.

	// `key` is a prefix of many with `is_prefix`.
	void (*read)(struct kv *kv, const char *key, bool is_prefix, kv_read_fn *fn, void *arg);
	void (*txn)(
		struct kv *kv, const struct kv_op *ops, unsigned count, kv_write_fn *fn, void *arg);
	struct kv_watch *(*watch)(struct kv *kv, const char *prefix, uint64_t from_revision,
		kv_watch_fn *fn, void *arg);
	void (*unwatch)(struct kv_watch *watch);
	struct kv_lease *(*lease_new)(struct kv *kv, unsigned ttl_ms, kv_lease_fn *fn, void *arg);
	bool (*lease_is_held)(const struct kv_lease *lease);
	void (*lease_free)(struct kv_lease *lease, bool revoke);
};

struct kv_change;
struct kv_later;

struct kv {
	const struct kv_driver *driver;
	struct kv_opts opts; // texts are borrowed during open() only, and NULL later
	bool up, told_down;
	char reason[320];

	// kv.c's
	struct kv_refusal refusal;
	LIST_HEAD(, kv_change) changes; // under way
	struct kv_later *later;
	struct loop_handle *later_timer;
};

// First member of a driver's watches and leases.
struct kv_watch {
	struct kv *kv;
};
struct kv_lease {
	struct kv *kv;
};

// Calls on_state() if this is a change; `reason` says why a store is down or what failed. From the
// loop only, not from inside calls of the interface.
void kv_set_state(struct kv *kv, bool up, const char *reason);

// What came of a change that needs room in the store and the right to write, with `reason` of the
// store set before. Of txn() kv.c does it.
void kv_note_change(struct kv *kv, int rc);

// Calls `fn` from the loop with `rc` only: for a request that fails before it is sent.
void kv_read_later(struct kv *kv, kv_read_fn *fn, void *arg, int rc);
void kv_write_later(struct kv *kv, kv_write_fn *fn, void *arg, int rc);

extern const struct kv_driver kv_lmdb, kv_etcd, kv_zookeeper, kv_consul;
