// SPDX-License-Identifier: BSD-3-Clause
// A store of several servers, of which some go. --control takes pause-first, resume-first,
// kill-leader and start-killed; --second is a URL with the servers in another order.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "tests/kv/suite.h"

struct holder {
	unsigned held, lost;
	bool done;
};

static void on_lease(void *arg, enum kv_lease_state state)
{
	struct holder *h = arg;

	h->held += state == KV_LEASE_HELD;
	h->lost += state == KV_LEASE_LOST;
	h->done = true;
	loop_stop(loop);
}

static unsigned times_told(const struct seen *s, const char *key)
{
	unsigned count = 0;

	for (size_t i = 0; i < s->count; i++) {
		if (s->events[i].pair.key && strcmp(s->events[i].pair.key, key) == 0)
			count++;
	}
	return count;
}

// Changes go on after a pause, what was confirmed is there, watches tell all of it, and a create
// that was refused was not made by the refused one.
static void test_leader_killed(void)
{
	struct kv_lease *lease;
	struct holder h = {0};
	unsigned confirmed = 0, unknown = 0;
	bool was_confirmed[60];
	struct seen s;
	char name[32];

	lease = kv_lease_new(kv, 8000, on_lease, &h);
	demand(run_until(&h.done, 20000));
	watch_start(&s, in("w/"), 0);
	demand(watch_synced(&s, 1));
	for (unsigned i = 0; i < ARRAY_SIZE(was_confirmed); i++) {
		struct result r;

		if (i == 20)
			control("kill-leader");
		snprintf(name, sizeof(name), "w/%02u", i);
		r = i % 2 ? create(in(name), name) : put(in(name), name);
		demand(r.rc == 0 || r.rc == -ETIMEDOUT);
		was_confirmed[i] = r.rc == 0;
		confirmed += r.rc == 0;
		unknown += r.rc != 0;
	}
	printf("# %u confirmed, %u unknown\n", confirmed, unknown);
	demand(confirmed >= 50);
	put_ok(in("w/end"), "1");
	demand(watch_holds_soon(&s, in("w/end"), "1"));
	for (unsigned i = 0; i < ARRAY_SIZE(was_confirmed); i++) {
		snprintf(name, sizeof(name), "w/%02u", i);
		if (!was_confirmed[i])
			continue;
		demand(holds(in(name), name));
		demand(times_told(&s, in(name)) >= 1);
	}
	demand(h.lost == 0 && kv_lease_is_held(lease));
	demand(s.begins == 1);
	control("start-killed");
	kv_lease_free(lease, true);
	watch_stop(&s);
}

// While the others choose a new leader a write may get no answer; this one may be done twice.
static bool put_soon(const char *key, const char *value)
{
	for (unsigned i = 0; i < 5; i++) {
		if (put(key, value).rc == 0)
			return true;
	}
	return false;
}

// The server that a watch hangs on, the leader, does not move, while nobody asks for anything.
static void test_first_paused(void)
{
	struct kv_opts second = kv_options;
	struct kv *first = kv, *other;
	struct seen s;

	watch_start(&s, in("w/"), 0);
	demand(watch_synced(&s, 1));
	control("pause-first");
	second.url = second_url;
	demand(kv_open(&second, &other, NULL) == 0);
	kv = other;
	demand(put_soon(in("w/a"), "1"));
	kv = first;
	demand(watch_holds_soon(&s, in("w/a"), "1"));
	demand(s.begins == 1);
	demand(holds(in("w/a"), "1"));
	control("resume-first");
	demand(kv_is_up(kv));
	watch_stop(&s);
	kv_free(other);
}

const struct suite_case cases_cluster[] = {
	{"cluster-leader-killed", test_leader_killed, .needs_second = true},
	{"cluster-first-paused", test_first_paused, .needs_second = true},
	{NULL},
};
