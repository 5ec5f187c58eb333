// SPDX-License-Identifier: BSD-3-Clause
// Groups: what is decided from many keys that a watch tells of.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "tests/kv/suite.h"

#define TAKERS	   4
#define TAKES	   20 // of each
#define NUMBERS	   (TAKERS * TAKES)
#define AGAIN_US   1000
#define PATIENT_MS 60000

// A client that takes the least number that nobody has, again and again. Keys do not say which
// number is whose, so that only the group keeps it from being taken twice.
struct taker {
	struct kv *kv;
	struct kv_watch *watch;
	struct kv_group group;
	struct loop_handle *timer;
	char head[128];
	unsigned index, taken, nb_stale;
	unsigned nb_told[NUMBERS]; // keys with that number
	uint64_t newest;	   // revision of a key that was told
	bool busy;
};

static unsigned nb_working;

static unsigned least_free(const struct taker *t)
{
	unsigned number = 0;

	while (number < NUMBERS && t->nb_told[number])
		number++;
	return number;
}

static void on_taken(void *arg, int rc, uint64_t revision)
{
	struct taker *t = arg;

	demand(rc == 0 || rc == -ESTALE);
	t->busy = false;
	t->taken += rc == 0;
	t->nb_stale += rc == -ESTALE;
	if (rc == 0 && t->taken == TAKES) {
		nb_working--;
		loop_stop(loop);
	} else {
		loop_timer_once(t->timer, AGAIN_US);
	}
}

static void take(void *arg)
{
	struct taker *t = arg;
	char key[128], number[16];
	struct kv_op ops[2];

	if (t->busy || t->taken == TAKES || !kv_group_is_whole(&t->group))
		return;
	snprintf(key, sizeof(key), "%s%u-%u", in("g/taken/"), t->index, t->taken);
	snprintf(number, sizeof(number), "%u", least_free(t));
	ops[0] = kv_group_swap(&t->group, "", 0);
	ops[1] = (struct kv_op){.action = KV_PUT,
		.guard = KV_ABSENT,
		.key = key,
		.value = number,
		.len_bytes = strlen(number)};
	t->busy = true;
	kv_txn(t->kv, ops, 2, on_taken, t);
}

static void on_event(void *arg, const struct kv_event *event)
{
	struct taker *t = arg;
	unsigned number;

	kv_group_told(&t->group, event);
	if (event->kind == KV_EVENT_BEGIN)
		memset(t->nb_told, 0, sizeof(t->nb_told));
	if (event->kind == KV_EVENT_SET) {
		t->newest = MAX_OF(t->newest, event->pair.revision);
		// What was told before may be told again: then it counts twice, which does not
		// matter.
		if (sscanf(event->pair.value, "%u", &number) == 1)
			t->nb_told[MIN_OF(number, NUMBERS - 1)]++;
	}
	take(t); // also between events: a copy that is not whole must not do
}

static void taker_start(struct taker *t, unsigned index)
{
	*t = (struct taker){.index = index, .group.head = t->head};
	snprintf(t->head, sizeof(t->head), "%s", in("g/head"));
	demand(kv_open(&kv_options, &t->kv, NULL) == 0);
	t->timer = loop_add_timer(loop, 0, take, t);
	t->watch = kv_watch(t->kv, in("g/"), 0, on_event, t);
	demand(t->timer && t->watch);
}

static void taker_stop(struct taker *t)
{
	kv_unwatch(t->watch);
	kv_free(t->kv);
	loop_del(loop, t->timer);
}

static void check_taken(void)
{
	struct result r = list(in("g/taken/"));
	bool taken[NUMBERS] = {false};

	demand(r.rc == 0 && r.count == NUMBERS);
	for (size_t i = 0; i < r.count; i++) {
		unsigned number = atoi(r.pairs[i].value);

		demand(number < NUMBERS && !taken[number]);
		taken[number] = true;
	}
	result_free(&r);
}

static bool all_whole(const struct taker *takers)
{
	for (unsigned i = 0; i < TAKERS; i++) {
		const struct taker *t = &takers[i];

		if (least_free(t) < NUMBERS || !kv_group_is_whole(&t->group) ||
			t->group.revision < t->newest)
			return false;
	}
	return true;
}

static void test_group(void)
{
	static struct taker takers[TAKERS];
	uint64_t end_us = monotonic_us() + PATIENT_MS * 1000ull;
	unsigned stale = 0;

	nb_working = TAKERS;
	for (unsigned i = 0; i < TAKERS; i++)
		taker_start(&takers[i], i);
	while (nb_working && monotonic_us() < end_us)
		run_for(50);
	demand(nb_working == 0);
	check_taken();
	// All of it was told, in the end, and SYNCED says so.
	while (!all_whole(takers) && monotonic_us() < end_us)
		run_for(50);
	demand(all_whole(takers));
	for (unsigned i = 0; i < TAKERS; i++) {
		stale += takers[i].nb_stale;
		taker_stop(&takers[i]);
	}
	demand(stale > 0); // they were in each other's way
}

// What was told decides, event by event.
static void test_group_whole(void)
{
	struct kv_group g = {.head = "a/head"};
	struct kv_event e = {.kind = KV_EVENT_BEGIN};
	struct kv_op op;

	demand(!kv_group_is_whole(&g));
	kv_group_told(&g, &e);
	e = (struct kv_event){KV_EVENT_SYNCED, .revision = 5};
	kv_group_told(&g, &e);
	demand(kv_group_is_whole(&g));
	op = kv_group_swap(&g, "x", 1);
	demand(op.guard == KV_ABSENT && op.action == KV_PUT && !strcmp(op.key, g.head));
	e = (struct kv_event){KV_EVENT_SET, {"a/head", "", 0, 7}, 7};
	kv_group_told(&g, &e);
	demand(!kv_group_is_whole(&g)); // of the others nothing is known
	e = (struct kv_event){KV_EVENT_SET, {"a/b", "", 0, 7}, 7};
	kv_group_told(&g, &e);
	e = (struct kv_event){KV_EVENT_SYNCED, .revision = 6};
	kv_group_told(&g, &e);
	demand(!kv_group_is_whole(&g)); // nor all up to there
	e = (struct kv_event){KV_EVENT_SYNCED, .revision = 7};
	kv_group_told(&g, &e);
	op = kv_group_swap(&g, "x", 1);
	demand(kv_group_is_whole(&g) && op.guard == KV_REVISION && op.revision == 7);
	e = (struct kv_event){.kind = KV_EVENT_BEGIN};
	kv_group_told(&g, &e);
	demand(!kv_group_is_whole(&g));
}

// ---- while others write ----

#define BUSY_WRITES 2
#define BUSY_KEYS   64

// Somebody who always has writes under way.
struct busy {
	struct kv *kv;
	unsigned next, pending;
	bool stopped;
};

static void write_next(struct busy *b);

static void on_busy_written(void *arg, int rc, uint64_t revision)
{
	struct busy *b = arg;

	b->pending--;
	if (b->stopped)
		loop_stop(loop);
	else
		write_next(b);
}

static void write_next(struct busy *b)
{
	char key[128];

	snprintf(key, sizeof(key), "%s%u", in("w/"), b->next++ % BUSY_KEYS);
	b->pending++;
	kv_put(b->kv, key, "x", 1, NULL, on_busy_written, b);
}

// SYNCED comes all the same: who waits for it is not kept from working by those who do not.
static void test_synced_while_busy(void)
{
	struct busy b = {0};
	uint64_t before;
	struct seen s;

	demand(kv_open(&kv_options, &b.kv, NULL) == 0);
	for (unsigned i = 0; i < BUSY_WRITES; i++)
		write_next(&b);
	watch_start(&s, in("w/"), 0);
	for (unsigned i = 0; i < 10; i++) {
		before = put_ok(in("w/mine"), "x");
		while (s.revision < before)
			demand(watch_synced(&s, s.synced + 1));
	}
	b.stopped = true;
	while (b.pending)
		run_for(10);
	watch_stop(&s);
	kv_free(b.kv);
}

const struct suite_case cases_group[] = {
	{"group", test_group},
	{"group-whole", test_group_whole},
	{"synced-while-busy", test_synced_while_busy},
	{NULL},
};
