// SPDX-License-Identifier: BSD-3-Clause
// What a store is to kv.c. A new store is a file with one `struct kv_driver` and a row in kv.c.
#pragma once

#include "ctrl/kv/kv.h"

struct kv_driver {
	const char *scheme;  // of the URL
	const char *example; // of a URL, for errors

	// `rest` is the URL after "scheme:"; the driver's handle begins with a struct kv.
	int (*open)(
		const struct kv_opts *opts, const char *rest, struct kv **ret_kv, struct err *err);
	void (*free)(struct kv *kv);
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

struct kv {
	const struct kv_driver *driver;
	struct kv_opts opts; // texts are borrowed during open() only, and NULL later
	bool up;
	char reason[256];
};

// First member of a driver's watches and leases.
struct kv_watch {
	struct kv *kv;
};
struct kv_lease {
	struct kv *kv;
};

// Tells on_state() if it changes something; `reason` of a store that is not up, or of a failure.
void kv_set_state(struct kv *kv, bool up, const char *reason);

extern const struct kv_driver kv_lmdb, kv_etcd, kv_zookeeper, kv_consul;
