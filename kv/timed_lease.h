// SPDX-License-Identifier: BSD-3-Clause
// A lease that lives as long as its holder asks for it in time: what etcd and Consul have in
// common. Knows when to ask and when it has expired; the driver says how to ask. From the loop
// only.
#pragma once

#include <sys/queue.h>

#include "kv/kv_driver.h"

struct timed_lease;

struct timed_lease_ops {
	// Asks the store for a lease, or for more time when it is held; timed_lease_answer()
	// follows. False: out of memory.
	bool (*ask)(struct timed_lease *lease);
	// Forgets what it asked for, and tells the store that nobody needs the lease any more: it
	// may know it for longer than we have counted.
	void (*drop)(struct timed_lease *lease);
};

// First member of a driver's leases.
struct timed_lease {
	struct kv_lease lease;
	TAILQ_ENTRY(timed_lease) entry;
	const struct timed_lease_ops *ops;
	struct loop *loop;
	struct loop_handle *timer;
	bool held, asking;
	uint64_t ttl_us;
	uint64_t sent_us, expires_us;
	kv_lease_fn *fn;
	void *arg;
};

TAILQ_HEAD(timed_leases, timed_lease);

// Fills in what is zero. Asks at once if the store is up. -ENOMEM.
int timed_lease_init(struct timed_lease *l, struct kv *kv, struct loop *loop,
	struct timed_leases *list, kv_lease_fn *fn, void *arg);
void timed_lease_fini(struct timed_lease *l, struct timed_leases *list); // calls no ops

// The store's answer: 0, with `ttl_us` as the store has it; -ESTALE, it does not know the lease; or
// it did not answer. The last thing to be done: `fn` may free the lease.
void timed_lease_answer(struct timed_lease *l, int rc);

void timed_leases_ask(struct timed_leases *list);  // the store is there
void timed_leases_lose(struct timed_leases *list); // it has lost what it knew
