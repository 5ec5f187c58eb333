// SPDX-License-Identifier: BSD-3-Clause
// A store that stops, hangs, comes back, or comes back as another one.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "tests/kv/suite.h"

static bool up, told;

static void on_state(void *arg, bool is_up, const char *reason)
{
	up = is_up;
	told = true;
	loop_stop(loop);
}

// A handle of its own that tells its state.
static struct kv *open_told(void)
{
	struct kv_opts opts = kv_options;
	struct kv *other;

	opts.on_state = on_state;
	up = told = false;
	demand(kv_open(&opts, &other, NULL) == 0);
	demand(!told);
	return other;
}

static bool state_soon(bool wanted)
{
	uint64_t end_us = monotonic_us() + 20000000;

	while (up != wanted && monotonic_us() < end_us)
		run_for(20);
	return up == wanted;
}

static bool is_away(int rc)
{
	return rc == -ETIMEDOUT || rc == -ECONNREFUSED || rc == -ECONNRESET;
}

// Opens while it is away, says so, finds it when it comes.
static void test_stopped(void)
{
	struct kv *other;
	struct seen s;

	put_ok(in("w/a"), "1");
	watch_start(&s, in("w/"), 0);
	demand(watch_synced(&s, 1));
	control("stop");
	other = open_told();
	demand(is_away(put(in("w/a"), "lost").rc));
	demand(is_away(get(in("w/a")).rc));
	demand(!kv_is_up(kv) && kv_reason(kv)[0]);
	control("start");
	demand(state_soon(true));
	demand(watch_holds_soon(&s, in("w/a"), "1"));
	demand(holds_soon(in("w/a"), "1", 20000));
	put_ok(in("w/a"), "2");
	put_ok(in("w/b"), "3");
	demand(watch_holds_soon(&s, in("w/a"), "2"));
	demand(watch_holds_soon(&s, in("w/b"), "3"));
	watch_stop(&s);
	kv_free(other);
}

// It hangs: requests end once, with a time-out, and all goes on afterwards.
static void test_paused(void)
{
	struct result r[20] = {0};
	struct seen s;

	watch_start(&s, in("w/"), 0);
	demand(watch_synced(&s, 1));
	control("pause");
	for (unsigned i = 0; i < ARRAY_SIZE(r); i++) {
		if (i % 2)
			kv_put(kv, in("w/p"), "x", 1, NULL, on_write, &r[i]);
		else
			kv_get(kv, in("w/p"), on_read, &r[i]);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(r); i++) {
		demand(run_until(&r[i].done, 20000));
		demand(r[i].rc == -ETIMEDOUT);
		free(r[i].pairs);
	}
	run_for(300);
	control("resume");
	demand(holds_soon(in("none"), NULL, 20000));
	for (unsigned i = 0; i < ARRAY_SIZE(r); i++)
		demand(r[i].calls == 1);
	put_ok(in("w/a"), "1");
	demand(watch_holds_soon(&s, in("w/a"), "1"));
	watch_stop(&s);
}

// All is gone and revisions begin anew.
static void test_wiped(void)
{
	struct seen s;

	for (unsigned i = 0; i < 30; i++)
		put_ok(in("w/a"), "1");
	put_ok(in("w/b"), "1");
	watch_start(&s, in("w/"), 0);
	demand(watch_synced(&s, 1));
	control("stop");
	control("wipe");
	control("start");
	demand(watch_holds_soon(&s, in("w/b"), NULL));
	demand(s.begins >= 2);
	put_ok(in("w/c"), "2");
	demand(watch_holds_soon(&s, in("w/c"), "2"));
	watch_stop(&s);
}

// The history that a watch asks for is not kept any more.
static void test_compacted(void)
{
	uint64_t first = put_ok(in("w/a"), "1");
	struct seen s;

	put_ok(in("w/b"), "2");
	demand(drop(in("w/a")).rc == 0);
	put_ok(in("w/b"), "3");
	control("compact");
	watch_start(&s, in("w/"), first);
	demand(watch_holds_soon(&s, in("w/b"), "3"));
	demand(s.begins == 1 && !watch_value(&s, in("w/a")));
	put_ok(in("w/b"), "4");
	demand(watch_holds_soon(&s, in("w/b"), "4"));
	watch_stop(&s);
}

// What is watched is more than a message may be, and the store was away.
static void test_many(void)
{
	char keys[50][160];
	struct kv_op ops[50];
	struct seen s;

	for (unsigned i = 0; i < 12000; i++) {
		unsigned k = i % ARRAY_SIZE(ops);

		snprintf(keys[k], sizeof(keys[k]), "%sw/%u/%0100u", in(""), i % 7, i);
		ops[k] = (struct kv_op){.action = KV_PUT, .key = keys[k], .value = ""};
		if (k == ARRAY_SIZE(ops) - 1)
			demand(txn(ops, ARRAY_SIZE(ops)).rc == 0);
	}
	watch_start(&s, in("w/"), 0);
	demand(watch_synced(&s, 1));
	control("stop");
	control("start");
	demand(holds_soon(in("none"), NULL, 20000));
	put_ok(in("w/new"), "1");
	demand(watch_holds_soon(&s, in("w/new"), "1"));
	demand(watch_value(&s, keys[0]));
	watch_stop(&s);
}

static bool lease_held, lease_lost;

static void on_lease(void *arg, enum kv_lease_state state)
{
	lease_held = state == KV_LEASE_HELD;
	lease_lost |= state == KV_LEASE_LOST;
	loop_stop(loop);
}

// This process does not run for longer than all that it holds in the store lasts.
static void test_slept(void)
{
	struct kv_lease *lease;
	struct seen s;
	char line[128];

	lease_held = lease_lost = false;
	put_ok(in("w/a"), "1");
	watch_start(&s, in("w/"), 0);
	demand(watch_synced(&s, 1));
	lease = kv_lease_new(kv, 3000, on_lease, NULL);
	demand(run_until(&lease_held, 20000));
	snprintf(line, sizeof(line), "(kill -STOP %d; sleep 9; kill -CONT %d) &", (int)getpid(),
		(int)getpid());
	demand(system(line) == 0);
	if (!store_is("consul")) // has more patience
		demand(run_until(&lease_lost, 30000));
	else
		run_for(12000);
	demand(run_until(&lease_held, 20000));
	demand(holds_soon(in("w/a"), "1", 20000));
	put_ok(in("w/a"), "2");
	demand(watch_holds_soon(&s, in("w/a"), "2"));
	watch_stop(&s);
	kv_lease_free(lease, true);
}

const struct suite_case cases_away[] = {
	{"away-stopped", test_stopped, true},
	{"away-paused", test_paused, true},
	{"away-wiped", test_wiped, true},
	{"away-compacted", test_compacted, true},
	{"away-many", test_many, true},
	{"away-slept", test_slept, false},
	{NULL},
};
