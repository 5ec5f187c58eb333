// SPDX-License-Identifier: BSD-3-Clause
// Virtual time: what is to happen, in order. Events of one moment happen in the order in which
// they were set, so a run depends on nothing but its seed. One thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MS_US UINT64_C(1000)
#define S_US  UINT64_C(1000000)

struct timeline_event {
	void (*fn)(void *arg);
	void *arg;
	uint64_t at_us;
	// private
	uint64_t order;
	size_t slot; // in the heap, from 1; 0: not set
};

struct timeline {
	uint64_t now_us;
	// private
	struct timeline_event **heap;
	size_t count, room;
	uint64_t order;
};

void timeline_init(struct timeline *tl);
void timeline_fini(struct timeline *tl); // events belong to others

// It happens at `at_us`, or now when that is past; once. Set again, the earlier time is forgotten.
void timeline_set(struct timeline *tl, struct timeline_event *ev, uint64_t at_us);
static inline void timeline_after(struct timeline *tl, struct timeline_event *ev, uint64_t delay_us)
{
	timeline_set(tl, ev, tl->now_us + delay_us);
}
void timeline_cancel(struct timeline *tl, struct timeline_event *ev); // not set: nothing
static inline bool timeline_is_set(const struct timeline_event *ev)
{
	return ev->slot != 0;
}

// When the next one happens; UINT64_MAX: never.
uint64_t timeline_next_us(const struct timeline *tl);
// The next event that is due until then happens. False: there is none, and it is `until_us` now.
bool timeline_step(struct timeline *tl, uint64_t until_us);
