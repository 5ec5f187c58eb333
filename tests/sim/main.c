// SPDX-License-Identifier: BSD-3-Clause
// Runs schedules of what people and accidents do to a cluster, one for each seed. A schedule that
// fails is run again and told step by step; a seed is all that is needed to see it again.
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "tests/sim/world.h"

#define SETTLE_US      (40 * S_US) // leases, grace, quarantine, retries
#define SETTLE_MAX_US  (60 * S_US) // more
#define SETTLE_STEP_US (4 * S_US)
#define STEPS	       60

struct totals {
	uint64_t events, actions;
	double virtual_s;
};

static void settle(struct world *w)
{
	char text[sizeof(w->failure)];
	uint64_t end_us = w->tl.now_us + SETTLE_US + SETTLE_MAX_US;

	world_heal(w);
	world_run(w, SETTLE_US);
	while (!world_failed(w) && !check_end(w, text, sizeof(text))) {
		if (w->tl.now_us >= end_us)
			world_fail(w, "%s", text);
		world_run(w, SETTLE_STEP_US);
	}
}

static bool run(const struct world_opts *opts, struct totals *totals)
{
	struct world w;
	bool failed;

	log_set_level(opts->verbose ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR);
	world_init(&w, opts);
	for (unsigned i = 0; i < opts->steps && !world_failed(&w); i++)
		world_act(&w);
	if (!world_failed(&w))
		settle(&w);
	failed = world_failed(&w);
	if (failed && !opts->verbose)
		printf("seed %llu: %s\n", (unsigned long long)opts->seed, w.failure);
	totals->events += w.nb_events;
	totals->virtual_s += w.tl.now_us / 1e6;
	world_fini(&w);
	return !failed;
}

static int usage(void)
{
	fprintf(stderr,
		"usage: netd_sim [--seeds FIRST-LAST] [--steps N] [--verbose] [--keep-going]\n");
	return 2;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"seeds", required_argument, NULL, 's'},
		{"steps", required_argument, NULL, 'n'}, {"verbose", no_argument, NULL, 'v'},
		{"keep-going", no_argument, NULL, 'k'}, {0}};
	unsigned long long first = 1, last = 100, failed = 0;
	struct world_opts opts = {.steps = STEPS};
	struct totals totals = {0};
	bool keep_going = false;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 's' && sscanf(optarg, "%llu-%llu", &first, &last) == 1)
			last = first;
		else if (c == 'n')
			opts.steps = strtoul(optarg, NULL, 10);
		else if (c == 'v')
			opts.verbose = true;
		else if (c == 'k')
			keep_going = true;
		else if (c != 's')
			return usage();
	}
	for (unsigned long long seed = first; seed <= last; seed++) {
		opts.seed = seed;
		if (run(&opts, &totals))
			continue;
		failed++;
		if (keep_going || opts.verbose)
			continue;
		opts.verbose = true;
		run(&opts, &totals);
		break;
	}
	printf("%llu schedules failed; %llu events, %.0f s of virtual time\n", failed,
		(unsigned long long)totals.events, totals.virtual_s);
	return failed ? 1 : 0;
}
