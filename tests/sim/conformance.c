// SPDX-License-Identifier: BSD-3-Clause
// The simulated store for the conformance suite of the stores (tests/kv), in real time: it takes
// the place of LMDB in that program. Its URL is "sim:".
#include <stdlib.h>

#include "kv/kv_driver.h"
#include "tests/sim/store_priv.h"

#define PUMP_US MS_US

static struct timeline timeline;
static struct sim_store *store;

// A client and the timer that lets time pass.
struct timed {
	struct kv *kv;
	struct loop_handle *timer;
	LIST_ENTRY(timed) entry;
};

static LIST_HEAD(, timed) clients;

static void pump(void *arg)
{
	while (timeline_step(&timeline, monotonic_us()))
		;
}

static void make_store(void)
{
	// Delays as in a network nearby; what is told together and repeated is left to chance.
	const struct sim_store_opts opts = {.timeline = &timeline,
		.seed = 1,
		.delay_min_us = 100,
		.delay_max_us = 2000,
		.scatter_percent = 50,
		.duplicate_percent = 50};

	timeline_init(&timeline);
	timeline.now_us = monotonic_us();
	store = sim_store_new(&opts);
}

static int open_timed(
	const struct kv_opts *opts, const char *rest, struct kv **ret_kv, struct err *err)
{
	struct timed *timed = calloc(1, sizeof(*timed));

	if (!timed)
		abort();
	if (!store)
		make_store();
	timed->kv = sim_store_open(store, opts);
	timed->timer = loop_add_timer(opts->loop, PUMP_US, pump, NULL);
	LIST_INSERT_HEAD(&clients, timed, entry);
	*ret_kv = timed->kv;
	return 0;
}

static void free_timed(struct kv *kv)
{
	struct timed *timed;

	LIST_FOREACH (timed, &clients, entry) {
		if (timed->kv == kv)
			break;
	}
	loop_del(kv->opts.loop, timed->timer);
	LIST_REMOVE(timed, entry);
	free(timed);
	sim_driver.free(kv);
}

static void read_timed(struct kv *kv, const char *key, bool is_prefix, kv_read_fn *fn, void *arg)
{
	sim_driver.read(kv, key, is_prefix, fn, arg);
}

static void txn_timed(
	struct kv *kv, const struct kv_op *ops, unsigned count, kv_write_fn *fn, void *arg)
{
	sim_driver.txn(kv, ops, count, fn, arg);
}

static struct kv_watch *watch_timed(
	struct kv *kv, const char *prefix, uint64_t from_revision, kv_watch_fn *fn, void *arg)
{
	return sim_driver.watch(kv, prefix, from_revision, fn, arg);
}

static void unwatch_timed(struct kv_watch *watch)
{
	sim_driver.unwatch(watch);
}

static struct kv_lease *lease_timed(struct kv *kv, unsigned ttl_ms, kv_lease_fn *fn, void *arg)
{
	return sim_driver.lease_new(kv, ttl_ms, fn, arg);
}

static bool is_held_timed(const struct kv_lease *lease)
{
	return sim_driver.lease_is_held(lease);
}

static void lease_free_timed(struct kv_lease *lease, bool revoke)
{
	sim_driver.lease_free(lease, revoke);
}

static int check_nothing(const struct kv_opts *opts, const char *rest, struct err *err)
{
	return 0;
}

const struct kv_driver kv_lmdb = {.scheme = "sim",
	.example = "sim:",
	.check = check_nothing,
	.open = open_timed,
	.free = free_timed,
	.read = read_timed,
	.txn = txn_timed,
	.watch = watch_timed,
	.unwatch = unwatch_timed,
	.lease_new = lease_timed,
	.lease_is_held = is_held_timed,
	.lease_free = lease_free_timed};
