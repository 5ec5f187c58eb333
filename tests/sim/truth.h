// SPDX-License-Identifier: BSD-3-Clause
// What should be when all is healed and quiet: what the store has, read once more from its keys.
// The files of the last check share it. One thread.
#pragma once

#include "base/util.h"
#include "tests/sim/world.h"

#define TRUTH_MAX 512 // records of a kind

struct truth {
	struct world *w;
	char *text;
	size_t len_bytes;
	bool failed;
	struct network_record nets[TRUTH_MAX];
	unsigned nb_nets;
	struct truth_ep {
		struct endpoint_record rec;
		char net_id[ID_BYTES];
	} eps[TRUTH_MAX];
	unsigned nb_eps;
	struct block_record blocks[TRUTH_MAX];
	unsigned nb_blocks;
	struct host_record hosts[WORLD_HOSTS_MAX * 2];
	unsigned nb_hosts;
};

// The first thing that is not as it should be is kept.
void wrong(struct truth *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
struct host *truth_host(struct truth *t, const char *name); // NULL

// ---- check_tables.c ----

void check_replica(struct truth *t, struct host *h);
void check_switch(struct truth *t, const struct host *h);

// ---- check_names.c ----

void check_names(struct truth *t, const struct host *h);
