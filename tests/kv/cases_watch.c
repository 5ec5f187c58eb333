// SPDX-License-Identifier: BSD-3-Clause
// Watches.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "tests/kv/suite.h"

static void test_from_nothing(void)
{
	struct seen s;

	watch_start(&s, in("w/"), 0);
	demand(watch_synced(&s, 1));
	demand(s.count == 2 && s.events[0].kind == KV_EVENT_BEGIN);
	put_ok(in("w/a"), "1");
	demand(watch_holds_soon(&s, in("w/a"), "1"));
	put_ok(in("w/a"), "2");
	demand(watch_holds_soon(&s, in("w/a"), "2"));
	demand(drop(in("w/a")).rc == 0);
	demand(watch_holds_soon(&s, in("w/a"), NULL));
	put_ok(in("w/a"), "3");
	demand(watch_holds_soon(&s, in("w/a"), "3"));
	demand(s.begins == 1);
	watch_stop(&s);
}

static void test_from_full(void)
{
	uint64_t a = put_ok(in("w/a"), "1"), b = put_ok(in("w/b"), "2");
	struct seen s;

	put_ok(in("wa"), "other");
	watch_start(&s, in("w/"), 0);
	demand(watch_synced(&s, 1));
	demand(s.count == 4);
	demand(s.events[1].kind == KV_EVENT_SET && s.events[2].kind == KV_EVENT_SET);
	demand(s.events[1].pair.revision == a || s.events[1].pair.revision == b); // in any order
	demand(s.events[1].pair.revision + s.events[2].pair.revision == a + b);
	demand(s.revision >= b);
	watch_stop(&s);
}

// Nothing of a neighbour whose name only begins the same, or that is the folder itself.
static void test_exact(void)
{
	struct seen s;

	watch_start(&s, in("nets/a/"), 0);
	demand(watch_synced(&s, 1));
	put_ok(in("nets/ab"), "no");
	put_ok(in("nets/ab2/x"), "no");
	put_ok(in("nets/a/x"), "yes");
	demand(watch_holds_soon(&s, in("nets/a/x"), "yes"));
	for (size_t i = 0; i < s.count; i++)
		demand(!s.events[i].pair.key || strcmp(s.events[i].pair.key, in("nets/a/x")) == 0);
	watch_stop(&s);
}

static void test_from_revision(void)
{
	uint64_t first = put_ok(in("w/a"), "1");
	struct seen s;

	put_ok(in("w/b"), "2");
	put_ok(in("w/a"), "3");
	demand(drop(in("w/b")).rc == 0);
	put_ok(in("w/c"), "4");
	watch_start(&s, in("w/"), first);
	demand(watch_holds_soon(&s, in("w/c"), "4"));
	demand(watch_holds_soon(&s, in("w/a"), "3"));
	demand(watch_holds_soon(&s, in("w/b"), NULL));
	for (size_t i = 0; i < s.count; i++)
		demand(s.begins || s.events[i].kind == KV_EVENT_SYNCED ||
			s.events[i].pair.revision > first);
	watch_stop(&s);
	// From now on: SYNCED comes although there is nothing to tell.
	first = put_ok(in("w/d"), "5");
	watch_start(&s, in("w/"), first);
	demand(watch_synced(&s, 1));
	put_ok(in("w/d"), "6");
	demand(watch_holds_soon(&s, in("w/d"), "6"));
	watch_stop(&s);
	// Changes elsewhere only.
	first = put_ok(in("w/d"), "7");
	put_ok(in("x/d"), "8");
	watch_start(&s, in("w/"), first);
	demand(watch_synced(&s, 1));
	watch_stop(&s);
}

// A revision of another store, or of one that is gone.
static void test_from_future(void)
{
	uint64_t now = put_ok(in("w/a"), "1");
	struct seen s;

	watch_start(&s, in("w/"), now + 1000000);
	demand(watch_synced(&s, 1));
	demand(s.begins == 1 && watch_value(&s, in("w/a")));
	watch_stop(&s);
}

// All changes of one transaction are in one group; a key's changes come in order.
static void test_groups(void)
{
	struct seen s;
	char text[16];
	int last = -1;

	watch_start(&s, in("w/"), 0);
	demand(watch_synced(&s, 1));
	for (int i = 0; i < 50; i++) {
		snprintf(text, sizeof(text), "%d", i);
		demand(txn(
			       (struct kv_op[]){
				       {.action = KV_PUT,
					       .key = in("w/a"),
					       .value = text,
					       .len_bytes = strlen(text)},
				       {.action = KV_PUT,
					       .key = in("w/b"),
					       .value = text,
					       .len_bytes = strlen(text)},
			       },
			       2)
				.rc == 0);
	}
	demand(watch_holds_soon(&s, in("w/b"), "49"));
	demand(watch_holds_soon(&s, in("w/a"), "49"));
	for (size_t i = 0; i < s.count; i++) {
		const struct kv_event *e = &s.events[i];
		int number;

		if (e->kind != KV_EVENT_SET || strcmp(e->pair.key, in("w/a")) != 0)
			continue;
		demand(sscanf(e->pair.value, "%d", &number) == 1 && number > last);
		last = number;
	}
	watch_stop(&s);
}

static unsigned nb_after;

static void stop_inside(void *arg, const struct kv_event *event)
{
	struct kv_watch **watch = arg;

	nb_after++;
	kv_unwatch(*watch);
	*watch = NULL;
	loop_stop(loop);
}

static void test_unwatch_inside(void)
{
	struct kv_watch *watch;
	struct seen s;

	put_ok(in("w/a"), "1");
	put_ok(in("w/b"), "1");
	watch = kv_watch(kv, in("w/"), 0, stop_inside, &watch);
	watch_start(&s, in("w/"), 0);
	demand(watch_synced(&s, 1));
	put_ok(in("w/a"), "2");
	demand(watch_holds_soon(&s, in("w/a"), "2"));
	// The two are told by connections of their own, in any order.
	for (unsigned i = 0; watch && i < 200; i++)
		run_for(50);
	demand(watch == NULL && nb_after == 1);
	watch_stop(&s);
	kv_unwatch(NULL);
	// One that has not begun.
	kv_unwatch(kv_watch(kv, in("w/"), 0, stop_inside, &watch));
	put_ok(in("w/a"), "3");
	demand(nb_after == 1);
}

static void test_many_watches(void)
{
	struct seen s[20];
	char name[32];

	for (unsigned i = 0; i < ARRAY_SIZE(s); i++) {
		snprintf(name, sizeof(name), "w%u/", i);
		watch_start(&s[i], in(name), 0);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(s); i++)
		demand(watch_synced(&s[i], 1));
	for (unsigned i = 0; i < ARRAY_SIZE(s); i++) {
		snprintf(name, sizeof(name), "w%u/x", i);
		put_ok(in(name), "1");
	}
	for (unsigned i = 0; i < ARRAY_SIZE(s); i++) {
		snprintf(name, sizeof(name), "w%u/x", i);
		demand(watch_holds_soon(&s[i], in(name), "1"));
		watch_stop(&s[i]);
	}
}

// Freed with requests, watches and a lease under way: nobody is called, nothing is leaked.
static void fail_read(void *arg, int rc, const struct kv_pair *pairs, size_t count, uint64_t rev)
{
	demand(!"called after kv_free()");
}

static void fail_write(void *arg, int rc, uint64_t revision)
{
	demand(!"called after kv_free()");
}

static void fail_event(void *arg, const struct kv_event *event)
{
	demand(!"called after kv_free()");
}

static void fail_lease(void *arg, enum kv_lease_state state)
{
	demand(!"called after kv_free()");
}

static void test_free_busy(void)
{
	struct kv *other;

	demand(kv_open(&kv_options, &other, NULL) == 0);
	kv_get(other, in("a"), fail_read, NULL);
	kv_get(other, "", fail_read, NULL);
	kv_list(other, in(""), fail_read, NULL);
	kv_put(other, in("a"), "1", 1, NULL, fail_write, NULL);
	demand(kv_watch(other, in(""), 0, fail_event, NULL) != NULL);
	demand(kv_lease_new(other, 10000, fail_lease, NULL) != NULL);
	kv_free(other);
	run_for(200);
	kv_free(NULL);
}

const struct suite_case cases_watch[] = {
	{"watch-nothing", test_from_nothing},
	{"watch-full", test_from_full},
	{"watch-exact", test_exact},
	{"watch-revision", test_from_revision},
	{"watch-future", test_from_future},
	{"watch-groups", test_groups},
	{"watch-unwatch", test_unwatch_inside},
	{"watch-many", test_many_watches},
	{"free-busy", test_free_busy},
	{NULL},
};
