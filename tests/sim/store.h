// SPDX-License-Identifier: BSD-3-Clause
// A key-value store in memory behind kv/kv.h, for the simulation: many clients, virtual time,
// and everything that stores and networks do to their clients. It keeps to kv.h and to nothing
// else: what kv.h does not promise (that requests arrive in the order in which they were made, that
// changes of different keys are told in order, that a request without an answer was not carried
// out) is not so. One thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kv/kv.h"
#include "tests/sim/store_data.h"
#include "tests/sim/timeline.h"

struct sim_store;

struct sim_store_opts {
	struct timeline *timeline; // stays
	uint64_t seed;
	uint32_t delay_min_us, delay_max_us; // each way
	unsigned loss_percent;		     // of requests, and of answers to what was carried out
	unsigned slow_percent;		     // of requests: they come after many seconds
	unsigned break_percent;		     // of what a watch is told: the connection ends there
	unsigned scatter_percent;     // of groups of changes: they are told key by key, over time
	unsigned duplicate_percent;   // of interruptions: what was told last is told again after it
	void (*on_change)(void *arg); // after each change of what it has; NULL: nobody cares
	void *arg;
};

struct sim_store *sim_store_new(const struct sim_store_opts *opts);
void sim_store_free(struct sim_store *st); // after all its clients

// As kv_open(); the URL is ignored. The loop may be NULL.
struct kv *sim_store_open(struct sim_store *st, const struct kv_opts *opts);

// ---- what happens to it ----

// Whoever is cut reaches nothing, and finds out only by waiting. For good as well as for a while.
void sim_store_cut(struct kv *kv, bool cut);
void sim_store_down(struct sim_store *st);
void sim_store_up(struct sim_store *st);
// Everything in it is lost; it is another store from now on.
void sim_store_wipe(struct sim_store *st);
// A copy, and back to the last one (nothing when there is none): revisions go back.
void sim_store_backup(struct sim_store *st);
bool sim_store_restore(struct sim_store *st);
void sim_store_compact(struct sim_store *st);
// As the option.
void sim_store_scatter(struct sim_store *st, unsigned percent);
// No more lost or slow messages: time to settle.
void sim_store_calm(struct sim_store *st);

// ---- what it has ----

const struct store_data *sim_store_data(const struct sim_store *st);
bool sim_store_is_up(const struct sim_store *st);
