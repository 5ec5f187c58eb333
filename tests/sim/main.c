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
	uint64_t events, virtual_us;
};

static void await_end(struct world *w, uint64_t max_us)
{
	uint64_t end_us = w->tl.now_us + max_us;
	char text[sizeof(w->failure)];

	while (!world_failed(w) && !check_end(w, text, sizeof(text))) {
		if (w->tl.now_us >= end_us)
			world_fail(w, "%s", text);
		world_run(w, SETTLE_STEP_US);
	}
}

static void settle(struct world *w)
{
	world_heal(w);
	world_run(w, SETTLE_US);
	world_bury(w);
	await_end(w, SETTLE_MAX_US);
	check_audits(w);
	await_end(w, SETTLE_MAX_US); // what was spoilt is mended
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
	totals->virtual_us += w.tl.now_us;
	world_fini(&w);
	return !failed;
}

// The same seed gives the same run: what depends on memory or on the clock is a mistake as well.
static bool run_twice(const struct world_opts *opts, struct totals *totals)
{
	struct totals first = {0}, second = {0};
	bool ok = run(opts, &first) && run(opts, &second);

	totals->events += first.events;
	totals->virtual_us += first.virtual_us;
	if (!ok || (first.events == second.events && first.virtual_us == second.virtual_us))
		return ok;
	printf("seed %llu: %llu events, and %llu when it was run again\n",
		(unsigned long long)opts->seed, (unsigned long long)first.events,
		(unsigned long long)second.events);
	return false;
}

static int usage(void)
{
	fprintf(stderr, "usage: netd_sim [--seeds FIRST-LAST] [--steps N] [--verbose] "
			"[--keep-going] [--twice]\n"
			"    --seeds FIRST-LAST  schedules, 1-100 (a night: 1-100000); or one\n"
			"    --steps N           of each, 60\n"
			"    --verbose           all that happens\n"
			"    --keep-going        also after a failure, which is then not told step "
			"by step\n"
			"    --twice             each must be the same twice\n");
	return 2;
}

struct todo {
	unsigned long long first, last;
	struct world_opts opts;
	bool keep_going, twice;
};

static bool parse(int argc, char **argv, struct todo *todo)
{
	static const struct option options[] = {{"seeds", required_argument, NULL, 's'},
		{"steps", required_argument, NULL, 'n'}, {"verbose", no_argument, NULL, 'v'},
		{"keep-going", no_argument, NULL, 'k'}, {"twice", no_argument, NULL, 't'}, {0}};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 's' && sscanf(optarg, "%llu-%llu", &todo->first, &todo->last) == 1)
			todo->last = todo->first;
		else if (c == 'n')
			todo->opts.steps = strtoul(optarg, NULL, 10);
		else if (c == 'v')
			todo->opts.verbose = true;
		else if (c == 'k')
			todo->keep_going = true;
		else if (c == 't')
			todo->twice = true;
		else if (c != 's')
			return false;
	}
	return optind == argc;
}

int main(int argc, char **argv)
{
	struct todo todo = {.first = 1, .last = 100, .opts = {.steps = STEPS}};
	struct world_opts *opts = &todo.opts;
	struct totals totals = {0};
	unsigned long long failed = 0;

	if (!parse(argc, argv, &todo))
		return usage();
	for (opts->seed = todo.first; opts->seed <= todo.last; opts->seed++) {
		if (todo.twice ? run_twice(opts, &totals) : run(opts, &totals))
			continue;
		failed++;
		if (todo.keep_going)
			continue;
		if (!opts->verbose) {
			opts->verbose = true;
			run(opts, &totals);
		}
		break;
	}
	printf("%llu schedules failed; %llu events, %.0f s of virtual time\n", failed,
		(unsigned long long)totals.events, totals.virtual_us / 1e6);
	return failed ? 1 : 0;
}
