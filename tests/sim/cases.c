// SPDX-License-Identifier: BSD-3-Clause
// What happened once, and what seeds meet too rarely. Each in a cluster without accidents but for
// those that are told here.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "tests/sim/promise.h"
#include "tests/sim/world.h"

#define START_US (10 * S_US)
#define STEP_US	 MS_US

static void start(struct world *w, uint64_t seed)
{
	world_init(w, &(struct world_opts){.seed = seed});
	sim_store_calm(w->store);
	w->chaos = false; // what goes wrong here, the case does
}

static void end(struct world *w)
{
	if (world_failed(w))
		print_error("%s\n", w->failure);
	assert_false(world_failed(w));
	world_fini(w);
}

// Its record gets another revision each time.
static void restart(struct world *w, struct host *h, unsigned times)
{
	for (unsigned i = 0; i < times; i++) {
		host_crash_agent(h);
		host_start_agent(h);
		world_run(w, START_US);
	}
}

static bool await_store(struct world *w, struct host *h, bool up)
{
	for (unsigned i = 0; i < 10000 && h->agent->store_up != up; i++)
		world_run(w, STEP_US);
	return h->agent->store_up == up;
}

static void await_answer(struct world *w, const struct net_promise *n)
{
	for (unsigned i = 0; i < 10000 && n->state == PROMISE_ASKED; i++)
		world_run(w, STEP_US);
	assert_int_not_equal(n->state, PROMISE_ASKED);
}

// The store was set back, and a host makes a network before the watch tells it so: the store takes
// it under a revision that the host believes to be long past. on_created() tells if it says that
// the network is made and does not know it.
static void create_too_early(uint64_t seed)
{
	static struct world w;
	struct host *h;

	start(&w, seed);
	h = &w.hosts[0];
	world_run(&w, START_US);
	sim_store_backup(w.store);
	restart(&w, &w.hosts[1], 4);
	sim_store_restore(w.store);
	w.lost_us = w.tl.now_us;
	assert_true(await_store(&w, h, false));
	assert_true(await_store(&w, h, true));
	promise_create(h, "n0", NULL, false);
	await_answer(&w, LIST_FIRST(&w.nets));
	end(&w);
}

static void test_create_in_store_set_back(void **state)
{
	for (uint64_t seed = 1; seed <= 100; seed++)
		create_too_early(seed);
}

// ---- names as long as can be ----

static void on_refused(void *arg, int rc, json_t *result, const struct err *err)
{
	struct err *ret = arg;

	*ret = *err;
}

static void test_long_names(void **state)
{
	static struct world w;
	struct err err = {0};
	char name[NAME_BYTES];

	start(&w, 1);
	for (unsigned i = 0; i < w.nb_hosts; i++)
		snprintf(w.hosts[i].conf.host, NAME_BYTES, "h%062u", i);
	world_run(&w, START_US);
	promise_create(&w.hosts[0], "n0", NULL, false);
	world_run(&w, START_US);
	for (unsigned i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "c%062u", i);
		promise_connect(&w.hosts[0], container_new(&w.hosts[0], name), "n0", NULL, NULL);
	}
	world_run(&w, START_US);
	agent_network_rm(w.hosts[1].agent, "n0", false, on_refused, &err);
	world_run(&w, START_US);
	assert_int_equal(err.code, -EBUSY);
	assert_non_null(strstr(err.reason, ") and 1 more are connected to it; disconnect first"));
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_create_in_store_set_back),
		cmocka_unit_test(test_long_names),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
