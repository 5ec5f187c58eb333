// SPDX-License-Identifier: BSD-3-Clause
#include "tests/sim/timeline.h"

#include <stdlib.h>

#include "base/util.h"

void timeline_init(struct timeline *tl)
{
	// Zero means "never" to many.
	*tl = (struct timeline){.now_us = S_US};
}

void timeline_fini(struct timeline *tl)
{
	free(tl->heap);
}

static bool is_before(const struct timeline_event *a, const struct timeline_event *b)
{
	return a->at_us < b->at_us || (a->at_us == b->at_us && a->order < b->order);
}

static void place(struct timeline *tl, struct timeline_event *ev, size_t slot)
{
	tl->heap[slot - 1] = ev;
	ev->slot = slot;
}

static void sift_up(struct timeline *tl, struct timeline_event *ev, size_t slot)
{
	while (slot > 1 && is_before(ev, tl->heap[slot / 2 - 1])) {
		place(tl, tl->heap[slot / 2 - 1], slot);
		slot /= 2;
	}
	place(tl, ev, slot);
}

static void sift_down(struct timeline *tl, struct timeline_event *ev, size_t slot)
{
	for (;;) {
		size_t child = slot * 2;

		if (child < tl->count && is_before(tl->heap[child], tl->heap[child - 1]))
			child++;
		if (child > tl->count || is_before(ev, tl->heap[child - 1]))
			break;
		place(tl, tl->heap[child - 1], slot);
		slot = child;
	}
	place(tl, ev, slot);
}

void timeline_cancel(struct timeline *tl, struct timeline_event *ev)
{
	size_t slot = ev->slot;
	struct timeline_event *last;

	if (!slot)
		return;
	ev->slot = 0;
	last = tl->heap[--tl->count];
	if (last == ev)
		return;
	if (slot > 1 && is_before(last, tl->heap[slot / 2 - 1]))
		sift_up(tl, last, slot);
	else
		sift_down(tl, last, slot);
}

void timeline_set(struct timeline *tl, struct timeline_event *ev, uint64_t at_us)
{
	timeline_cancel(tl, ev);
	if (tl->count == tl->room) {
		size_t room = tl->room ? tl->room * 2 : 64;
		struct timeline_event **heap =
			realloc(tl->heap, room * sizeof(struct timeline_event *));

		if (!heap)
			abort();
		tl->heap = heap;
		tl->room = room;
	}
	ev->at_us = MAX_OF(at_us, tl->now_us);
	ev->order = tl->order++;
	sift_up(tl, ev, ++tl->count);
}

uint64_t timeline_next_us(const struct timeline *tl)
{
	return tl->count ? tl->heap[0]->at_us : UINT64_MAX;
}

bool timeline_step(struct timeline *tl, uint64_t until_us)
{
	struct timeline_event *ev = tl->count ? tl->heap[0] : NULL;

	if (!ev || ev->at_us > until_us) {
		tl->now_us = MAX_OF(tl->now_us, until_us);
		return false;
	}
	timeline_cancel(tl, ev);
	tl->now_us = ev->at_us;
	ev->fn(ev->arg);
	return true;
}
