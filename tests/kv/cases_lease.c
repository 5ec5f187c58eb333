// SPDX-License-Identifier: BSD-3-Clause
// Leases.
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/kv/suite.h"

#define TTL_MS 3000

struct holder {
	struct kv_lease *lease;
	unsigned held, lost;
	bool done;
};

static void on_lease(void *arg, enum kv_lease_state state)
{
	struct holder *h = arg;

	if (state == KV_LEASE_HELD)
		h->held++;
	else
		h->lost++;
	demand(kv_lease_is_held(h->lease) == (state == KV_LEASE_HELD));
	h->done = true;
	loop_stop(loop);
}

static void take(struct holder *h)
{
	*h = (struct holder){0};
	h->lease = kv_lease_new(kv, TTL_MS, on_lease, h);
	demand(h->lease && !h->held);
	demand(run_until(&h->done, 20000));
	demand(h->held == 1 && h->lost == 0);
}

static int put_leased(const char *key, struct kv_lease *lease)
{
	struct result r = {0};

	kv_put(kv, key, "mine", 4, lease, on_write, &r);
	return await(&r).rc;
}

static void test_revoke(void)
{
	struct holder h;
	struct seen s;

	watch_start(&s, in(""), 0);
	take(&h);
	demand(put_leased(in("a"), h.lease) == 0);
	demand(put_leased(in("b"), h.lease) == 0);
	put_ok(in("c"), "stays");
	demand(watch_holds_soon(&s, in("b"), "mine"));
	kv_lease_free(h.lease, true);
	demand(watch_holds_soon(&s, in("a"), NULL));
	demand(watch_holds_soon(&s, in("b"), NULL));
	demand(holds(in("a"), NULL) && holds(in("c"), "stays"));
	watch_stop(&s);
	kv_lease_free(NULL, true);
}

// It is kept alive, for longer than it would last by itself.
static void test_kept(void)
{
	struct holder h;

	take(&h);
	demand(put_leased(in("a"), h.lease) == 0);
	run_for(store_is("consul") ? 12000 : 2 * TTL_MS);
	demand(h.lost == 0 && kv_lease_is_held(h.lease));
	demand(holds(in("a"), "mine"));
	kv_lease_free(h.lease, true);
	demand(holds_soon(in("a"), NULL, 20000));
}

static void test_not_held(void)
{
	struct holder h = {0};

	h.lease = kv_lease_new(kv, TTL_MS, on_lease, &h);
	demand(!kv_lease_is_held(h.lease));
	demand(put_leased(in("a"), h.lease) == -ESTALE);
	demand(holds(in("a"), NULL));
	kv_lease_free(h.lease, false);
	// One that has not begun.
	kv_lease_free(kv_lease_new(kv, TTL_MS, on_lease, &h), true);
}

// A leased key that another puts stays, and the lease does not take it along. (Consul keeps a lock
// until somebody opens it.)
static void test_taken_over(void)
{
	struct holder h;

	if (store_is("consul"))
		return;
	take(&h);
	demand(put_leased(in("a"), h.lease) == 0);
	put_ok(in("a"), "other");
	kv_lease_free(h.lease, true);
	run_for(200);
	demand(holds(in("a"), "other"));
}

static void hold_for_ever(int fd)
{
	struct holder h;
	bool never = false;

	loop = loop_new();
	kv_options.loop = loop;
	demand(kv_open(&kv_options, &kv, NULL) == 0);
	take(&h);
	demand(put_leased(in("a"), h.lease) == 0);
	demand(write(fd, "x", 1) == 1);
	run_until(&never, 60000);
	_exit(1);
}

// The keys of a process that is killed go within its lease.
static void test_killed(void)
{
	int fds[2], status;
	struct seen s;
	char x;
	pid_t pid;

	kv_free(kv); // threads of a store may hold locks that no child gets
	demand(pipe(fds) == 0);
	pid = fork();
	demand(pid >= 0);
	if (pid == 0)
		hold_for_ever(fds[1]);
	demand(kv_open(&kv_options, &kv, NULL) == 0);
	close(fds[1]);
	demand(read(fds[0], &x, 1) == 1);
	close(fds[0]);
	watch_start(&s, in(""), 0);
	demand(watch_holds_soon(&s, in("a"), "mine"));
	demand(kill(pid, SIGKILL) == 0 && waitpid(pid, &status, 0) == pid);
	demand(watch_holds_soon(&s, in("a"), NULL) ||
		(store_is("consul") && watch_holds_soon(&s, in("a"), NULL)));
	watch_stop(&s);
}

// LOST comes by this process's own clock, HELD when the store is there again.
static void test_lost(void)
{
	struct holder h;
	uint64_t start_us;

	take(&h);
	demand(put_leased(in("a"), h.lease) == 0);
	h.done = false;
	control("stop");
	start_us = monotonic_us();
	demand(run_until(&h.done, 30000));
	demand(h.lost == 1 && h.held == 1);
	demand(store_is("consul") || monotonic_us() - start_us < (TTL_MS + 1000) * 1000);
	h.done = false;
	control("start");
	demand(run_until(&h.done, 30000));
	demand(h.held == 2);
	demand(holds_soon(in("a"), NULL, 20000));
	demand(put_leased(in("a"), h.lease) == 0);
	kv_lease_free(h.lease, true);
}

const struct suite_case cases_lease[] = {
	{"lease-revoke", test_revoke},
	{"lease-kept", test_kept},
	{"lease-not-held", test_not_held},
	{"lease-taken-over", test_taken_over},
	{"lease-killed", test_killed},
	{"lease-lost", test_lost, true},
	{NULL},
};
