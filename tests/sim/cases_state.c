// SPDX-License-Identifier: BSD-3-Clause
// A host's state folder: one that is older than the store, or of another host. Each in a cluster
// without accidents but for those that are told here.
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

// ---- a state folder that was put back ----

static struct promise *connect_to(struct world *w, struct host *h, const char *name)
{
	struct container *c = container_new(h, name);
	struct promise *p;

	promise_connect(h, c, "n0", NULL, NULL);
	p = LIST_FIRST(&w->promises);
	world_run(w, START_US);
	assert_int_equal(p->state, PROMISE_KEPT);
	return p;
}

static void put_back(struct world *w, struct host *h, struct local *backup, uint64_t after_us)
{
	host_crash_agent(h);
	local_memory_free(h->local);
	h->local = backup;
	world_run(w, after_us);
	host_start_agent(h);
	world_run(w, START_US);
}

static bool is_told(struct host *h, const char *object)
{
	json_t *status = agent_status(h->agent), *problem;
	bool found = false;
	size_t i;

	json_array_foreach (json_object_get(status, "problems"), i, problem)
		found |= !strcmp(json_string_value(json_object_get(problem, "object")), object);
	json_decref(status);
	return found;
}

static void check_all(struct world *w)
{
	char text[1024] = "";

	if (!check_end(w, text, sizeof(text)))
		print_error("%s\n", text);
	assert_string_equal(text, "");
}

// The copy is made while the agent runs, or was stopped; its record in the store is there still, or
// has gone.
static void folder_put_back(uint64_t seed, bool stopped, uint64_t after_us)
{
	static struct world w;
	struct promise *stays, *ends, *comes;
	struct host *h = w.hosts;
	struct local *backup;

	start(&w, seed);
	world_run(&w, START_US);
	promise_create(h, "n0", NULL, false);
	world_run(&w, START_US);
	stays = connect_to(&w, h, "c0");
	ends = connect_to(&w, h, "c1");
	if (stopped)
		host_crash_agent(h);
	backup = local_memory_copy(h->local);
	host_start_agent(h);
	world_run(&w, START_US);
	comes = connect_to(&w, h, "c2");
	promise_disconnect(ends);
	world_run(&w, START_US);
	assert_int_equal(ends->stop, STOP_DONE);
	put_back(&w, h, backup, after_us);
	assert_non_null(promise_endpoint(stays));
	assert_non_null(promise_endpoint(comes));
	assert_null(promise_endpoint(ends));
	assert_true(promise_in_store(comes));
	assert_true(is_told(h, "state folder"));
	check_all(&w);
	// It is not told again, and numbers go on: promise.c checks them.
	restart(&w, h, 1);
	assert_false(is_told(h, "state folder"));
	connect_to(&w, h, "c3");
	check_all(&w);
	end(&w);
}

static void test_folder_put_back(void **state)
{
	for (uint64_t seed = 1; seed <= 10; seed++) {
		folder_put_back(seed, seed % 2, 0);
		folder_put_back(seed, seed % 2, 2 * (WORLD_TTL_S + WORLD_GRACE_S) * S_US);
	}
}

// Only an end is newer than the folder.
static void test_folder_put_back_after_end(void **state)
{
	static struct world w;
	struct host *h = w.hosts;
	struct promise *stays, *ends;
	struct local *backup;

	start(&w, 1);
	world_run(&w, START_US);
	promise_create(h, "n0", NULL, false);
	world_run(&w, START_US);
	ends = connect_to(&w, h, "c0");
	stays = connect_to(&w, h, "c1");
	backup = local_memory_copy(h->local);
	promise_disconnect(ends);
	world_run(&w, START_US);
	put_back(&w, h, backup, 0);
	assert_null(promise_endpoint(ends));
	assert_non_null(promise_endpoint(stays));
	assert_true(is_told(h, "state folder"));
	check_all(&w);
	end(&w);
}

// What is connected before the store can be read is newer than both.
static void test_folder_put_back_while_cut_off(void **state)
{
	static struct world w;
	struct promise *ends, *comes;
	struct host *h = w.hosts;
	struct local *backup;

	start(&w, 1);
	world_run(&w, START_US);
	promise_create(h, "n0", NULL, false);
	world_run(&w, START_US);
	ends = connect_to(&w, h, "c0");
	backup = local_memory_copy(h->local);
	promise_disconnect(ends);
	world_run(&w, START_US);
	host_cut(h, true);
	put_back(&w, h, backup, 0);
	comes = connect_to(&w, h, "c1");
	host_cut(h, false);
	world_run(&w, 3 * START_US);
	assert_null(promise_endpoint(ends));
	assert_true(is_told(h, "state folder"));
	assert_non_null(promise_endpoint(comes));
	assert_true(promise_in_store(comes));
	check_all(&w);
	end(&w);
}

// The other way round the folder counts: the store is the one that was put back.
static void test_store_put_back(void **state)
{
	static struct world w;
	struct host *h = w.hosts;
	struct promise *ends, *comes;

	start(&w, 1);
	world_run(&w, START_US);
	promise_create(h, "n0", NULL, false);
	world_run(&w, START_US);
	ends = connect_to(&w, h, "c0");
	world_run(&w, START_US);
	sim_store_backup(w.store);
	comes = connect_to(&w, h, "c1");
	promise_disconnect(ends);
	world_run(&w, START_US);
	host_crash_agent(h);
	sim_store_restore(w.store);
	w.lost_us = w.tl.now_us;
	host_start_agent(h);
	world_run(&w, 3 * START_US);
	assert_non_null(promise_endpoint(comes));
	assert_true(promise_in_store(comes));
	assert_null(promise_endpoint(ends));
	assert_false(is_told(h, "state folder"));
	end(&w);
}

// What the store knew of the numbers is lost, and then a folder has it from there alone.
static void test_numbers_after_both_were_lost(void **state)
{
	static struct world w;
	struct host *h = w.hosts;
	struct promise *p;
	uint64_t before;

	start(&w, 1);
	world_run(&w, START_US);
	promise_create(h, "n0", NULL, false);
	world_run(&w, START_US);
	sim_store_backup(w.store);
	for (unsigned i = 0; i < 3; i++) {
		p = connect_to(&w, h, "c0");
		promise_disconnect(p);
		world_run(&w, START_US);
	}
	put_back(&w, h, local_memory_new(), 0);
	before = h->agent->generation;
	assert_true(before > 0);
	host_crash_agent(h);
	sim_store_restore(w.store);
	w.lost_us = w.tl.now_us;
	host_start_agent(h);
	world_run(&w, 3 * START_US);
	promise_disconnect(connect_to(&w, h, "c1"));
	world_run(&w, START_US);
	assert_true(h->agent->generation > before);
	end(&w);
}

// ---- whose state it is ----

static uint64_t now_us(void *arg)
{
	return ((struct world *)arg)->tl.now_us;
}

static void refuse_name(struct world *w, struct host *h)
{
	struct agent_opts opts = {.conf = &h->conf,
		.vtep = h->vtep,
		.kv = sim_store_open(w->store, &(struct kv_opts){.timeout_ms = 1000}),
		.local = h->local,
		.sw = fake_switch_conn(h->sw),
		.sandbox = &h->sandbox.base,
		.names = names_new(),
		.now_us = now_us,
		.now_arg = w,
		.seed = 1};
	struct agent *agent = NULL;
	struct err err = {0};

	assert_int_equal(agent_new(&opts, &agent, &err), -EINVAL);
	assert_non_null(strstr(err.reason, "h0"));
	assert_non_null(strstr(err.reason, "other"));
	names_free(opts.names);
	kv_free(opts.kv);
}

static void test_host_renamed(void **state)
{
	static struct world w;
	struct host *h = w.hosts;
	struct promise *p;

	start(&w, 1);
	world_run(&w, START_US);
	promise_create(h, "n0", NULL, false);
	world_run(&w, START_US);
	p = connect_to(&w, h, "c0");
	host_crash_agent(h);
	snprintf(h->conf.host, sizeof(h->conf.host), "other");
	refuse_name(&w, h);
	// Nothing of it has changed: the old name goes on.
	snprintf(h->conf.host, sizeof(h->conf.host), "h0");
	host_start_agent(h);
	world_run(&w, START_US);
	assert_non_null(promise_endpoint(p));
	promise_disconnect(p);
	world_run(&w, START_US);
	host_crash_agent(h);
	// Without endpoints there is nothing to lose.
	snprintf(h->conf.host, sizeof(h->conf.host), "other");
	host_start_agent(h);
	world_run(&w, START_US);
	assert_true(agent_is_member(h->agent));
	end(&w);
}

// ---- namespaces ----

struct own {
	char key[128], value[4096];
} own[8];
static unsigned nb_own;

static void keep(void *arg, const char *key, const char *value, size_t len_bytes)
{
	snprintf(own[nb_own].key, sizeof(own[nb_own].key), "%s", key);
	snprintf(own[nb_own++].value, sizeof(own->value), "%s", value);
}

// As a version left it that kept no cookies.
static void forget_cookies(struct host *h)
{
	nb_own = 0;
	h->local->ops->each(h->local, "own/", keep, NULL);
	for (unsigned i = 0; i < nb_own; i++) {
		char *at = strstr(own[i].value, "\"netns\""), *end = at ? strchr(at, '}') : NULL;

		assert_non_null(end);
		if (at[-1] == ',')
			at--;
		memmove(at, end, strlen(end) + 1);
		h->local->ops->put(h->local, own[i].key, own[i].value, strlen(own[i].value));
	}
}

// A container dies while its agent does not look, and a namespace gets its name and its number (all
// have one number here).
static void number_again(uint64_t seed, bool has_cookies)
{
	static struct world w;
	struct host *h = w.hosts;
	struct promise *lives, *dies;
	struct container *again;

	start(&w, seed);
	world_run(&w, START_US);
	promise_create(h, "n0", NULL, false);
	world_run(&w, START_US);
	lives = connect_to(&w, h, "c0");
	dies = connect_to(&w, h, "c1");
	host_crash_agent(h);
	if (!has_cookies)
		forget_cookies(h);
	container_kill(&w, dies->container);
	again = container_new(h, "c2");
	snprintf(again->sandbox, sizeof(again->sandbox), "%s", dies->container->sandbox);
	host_start_agent(h);
	world_run(&w, START_US);
	assert_non_null(promise_endpoint(lives));
	assert_int_equal(promise_endpoint(lives)->state, ENDPOINT_UP);
	assert_null(promise_endpoint(dies));
	assert_false(promise_in_store(dies));
	check_all(&w);
	end(&w);
}

static void test_number_again(void **state)
{
	for (uint64_t seed = 1; seed <= 5; seed++) {
		number_again(seed, true);
		number_again(seed, false);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_folder_put_back),
		cmocka_unit_test(test_folder_put_back_after_end),
		cmocka_unit_test(test_folder_put_back_while_cut_off),
		cmocka_unit_test(test_store_put_back),
		cmocka_unit_test(test_numbers_after_both_were_lost),
		cmocka_unit_test(test_host_renamed),
		cmocka_unit_test(test_number_again),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
