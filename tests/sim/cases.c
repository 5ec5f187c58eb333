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

static void on_refused(void *arg, int rc, json_t *result, const struct err *err)
{
	struct err *ret = arg;

	*ret = *err;
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

// ---- what one key says of others ----

// Many networks at once: who hears of one by the key that all of them swap may not know it yet.
static void create_at_once(uint64_t seed)
{
	static struct world w;
	char text[1024] = "", name[NAME_BYTES];

	start(&w, seed);
	sim_store_scatter(w.store, 100);
	world_run(&w, START_US);
	promise_create(&w.hosts[0], "n0", NULL, false);
	world_run(&w, START_US);
	for (unsigned i = 0; i < w.nb_hosts; i++) {
		snprintf(name, sizeof(name), "n%u", i + 1);
		promise_create(&w.hosts[i], name, NULL, false);
	}
	world_run(&w, START_US);
	if (!check_end(&w, text, sizeof(text)))
		world_fail(&w, "%s", text);
	end(&w);
}

static void test_create_at_once(void **state)
{
	for (uint64_t seed = 1; seed <= 100; seed++)
		create_at_once(seed);
}

static const struct store_key *host_in_store(struct world *w, const char *name)
{
	char key[RECORD_KEY_BYTES];

	return store_data_get(sim_store_data(w->store), record_key_host(key, name));
}

// A host with a container was silent and is back, and another host does not know that yet. The
// container's connection; NULL: they heard of it at the same time.
static struct promise *come_back_unheard(struct world *w, uint64_t seed)
{
	struct host *h = &w->hosts[0], *other = &w->hosts[1];
	struct replica_host *seen;

	start(w, seed);
	sim_store_scatter(w->store, 100);
	world_run(w, START_US);
	promise_create(other, "n0", NULL, false);
	world_run(w, START_US);
	promise_connect(other, container_new(other, "web"), "n0", NULL, NULL);
	world_run(w, START_US);
	host_cut(other, true);
	seen = replica_host(&h->agent->replica, "h1");
	for (unsigned i = 0; i < 10000 && seen->present; i++)
		world_run(w, STEP_US);
	assert_false(seen->present);
	host_cut(other, false);
	for (unsigned i = 0; i < 10000 && !host_in_store(w, "h1"); i++)
		world_run(w, STEP_US);
	assert_non_null(host_in_store(w, "h1"));
	return seen->present ? NULL : LIST_FIRST(&w->promises);
}

// It keeps its container's address, although another host would have taken it from one that is
// silent.
static bool take_over_late(uint64_t seed)
{
	static struct world w;
	struct promise *p = come_back_unheard(&w, seed), *second;

	if (p) {
		promise_connect(&w.hosts[0], container_new(&w.hosts[0], "web"), "n0",
			&p->rec.ips[0].ip, NULL);
		world_run(&w, START_US);
		second = LIST_FIRST(&w.promises);
		assert_ptr_not_equal(second, p);
		assert_int_equal(second->state, PROMISE_REFUSED);
		assert_int_equal(promise_endpoint(p)->state, ENDPOINT_UP);
		assert_true(promise_in_store(p));
	}
	end(&w);
	return p;
}

// Nor is its record removed.
static bool disconnect_late(uint64_t seed)
{
	static struct world w;
	struct promise *p = come_back_unheard(&w, seed);
	struct err err = {0};

	if (p) {
		agent_disconnect(w.hosts[0].agent, "n0", "web", true, on_refused, &err);
		for (unsigned i = 0; i < 10000 && !err.code; i++) {
			world_run(&w, STEP_US);
			assert_true(promise_in_store(p));
		}
		assert_int_equal(err.code, -ESTALE);
	}
	end(&w);
	return p;
}

static void test_host_is_back(void **state)
{
	unsigned met = 0;

	for (uint64_t seed = 1; seed <= 60; seed++) {
		met += take_over_late(seed);
		met += disconnect_late(seed);
	}
	assert_true(met >= 20);
}

// Two machines of one name that start at once: the first one has it.
static void start_same_name(uint64_t seed)
{
	static struct world w;
	const struct store_key *found = NULL;
	char first[1024] = "";

	start(&w, seed);
	world_run(&w, START_US);
	for (unsigned i = 0; i < 2; i++)
		host_crash_agent(&w.hosts[i]);
	world_run(&w, START_US);
	snprintf(w.hosts[1].conf.host, NAME_BYTES, "h0");
	for (unsigned i = 0; i < 2; i++)
		host_start_agent(&w.hosts[i]);
	for (unsigned i = 0; i < 10000; i++) {
		world_run(&w, STEP_US);
		found = host_in_store(&w, "h0");
		if (found && !first[0])
			snprintf(first, sizeof(first), "%s", found->value->data);
		assert_true(!first[0] || found);
		if (found)
			assert_string_equal(found->value->data, first);
	}
	assert_non_null(found);
	assert_true(!w.hosts[0].agent->host_problem[0] != !w.hosts[1].agent->host_problem[0]);
	end(&w);
}

static void test_same_name(void **state)
{
	for (uint64_t seed = 1; seed <= 60; seed++)
		start_same_name(seed);
}

// ---- names as long as can be ----

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

// ---- hosts that are silent in the store ----

#define GRACE_OVER_US ((WORLD_TTL_S + 2 * WORLD_GRACE_S + 8) * S_US)

static void start_three_empty(struct world *w)
{
	uint64_t seed = 1;

	start(w, seed);
	while (w->nb_hosts != 3) {
		world_fini(w);
		start(w, ++seed);
	}
	world_run(w, START_US);
}

// Three hosts, each with a container in one network.
static void start_three(struct world *w)
{
	start_three_empty(w);
	promise_create(&w->hosts[0], "n0", NULL, false);
	world_run(w, START_US);
	for (unsigned i = 0; i < 3; i++) {
		char name[] = {'c', '0' + i, '\0'};

		promise_connect(&w->hosts[i], container_new(&w->hosts[i], name), "n0", NULL, NULL);
	}
	world_run(w, START_US);
}

// How many endpoints of `of` the host knows.
static unsigned knows(const struct host *h, const struct host *of)
{
	struct replica_host *rh = replica_host(&h->agent->replica, of->conf.host);

	return rh ? rh->nb_endpoints : 0;
}

// What is told of the other host has the text, and a remedy; NULL: nothing is told.
static void expect_told(struct host *h, const struct host *of, const char *text)
{
	json_t *status = agent_status(h->agent), *problem;
	char object[NAME_BYTES + 8];
	const char *told = NULL;
	size_t i;

	snprintf(object, sizeof(object), "host %s", of->conf.host);
	json_array_foreach (json_object_get(status, "problems"), i, problem) {
		if (strcmp(json_string_value(json_object_get(problem, "object")), object) != 0)
			continue;
		told = json_string_value(json_object_get(problem, "reason"));
		assert_non_null(json_object_get(problem, "remedy"));
		assert_non_null(json_object_get(problem, "since"));
	}
	if (text ? !told || !strstr(told, text) : told != NULL)
		fail_msg("%s tells of %s: %s", h->conf.host, object, told ? told : "nothing");
	json_decref(status);
}

static void on_removed(void *arg, int rc, json_t *result, const struct err *err)
{
	*(int *)arg = rc;
}

static int remove_host(struct world *w, struct host *h, const struct host *of, bool force)
{
	int rc = 1;

	agent_host_rm(h->agent, of->conf.host, force, on_removed, &rc);
	world_run(w, START_US);
	return rc;
}

// Its agent is dead, its switch is not.
static void test_silent_host_is_kept(void **state)
{
	static struct world w;
	struct host *h = w.hosts, *silent = &w.hosts[1];

	start_three(&w);
	assert_int_equal(remove_host(&w, h, silent, true), -EBUSY); // it is there
	assert_int_equal(remove_host(&w, h, h, true), -EBUSY);
	host_crash_agent(silent);
	world_run(&w, (WORLD_TTL_S + WORLD_GRACE_S / 2) * S_US);
	expect_told(h, silent, NULL); // it has time
	restart(&w, &w.hosts[2], 1);  // and begins anew with waiting
	world_run(&w, 2 * GRACE_OVER_US);
	for (unsigned i = 0; i < 3; i += 2) {
		assert_int_equal(knows(&h[i], silent), 1);
		expect_told(&h[i], silent, "its tunnel answers");
	}
	assert_int_equal(remove_host(&w, h, silent, false), -EBUSY);
	assert_int_equal(knows(h, silent), 1);
	host_start_agent(silent);
	world_run(&w, START_US);
	expect_told(h, silent, NULL);
	end(&w);
}

// The same host dead, for comparison; then only one is left, which is cut off or not.
static void test_dead_host_is_removed(void **state)
{
	static struct world w;
	struct host *h = w.hosts;

	start_three(&w);
	host_die(&h[1]);
	world_run(&w, GRACE_OVER_US);
	assert_int_equal(knows(h, &h[1]), 0);
	assert_int_equal(knows(&h[2], &h[1]), 0);
	host_die(&h[2]);
	world_run(&w, GRACE_OVER_US);
	assert_int_equal(knows(h, &h[2]), 0);
	end(&w);
}

// No network has containers on both hosts, so nobody hears it.
static void test_host_without_tunnel_is_kept(void **state)
{
	static struct world w;
	struct host *h = w.hosts;

	start_three(&w);
	promise_create(h, "n1", NULL, false);
	world_run(&w, START_US);
	promise_disconnect(LIST_FIRST(&w.promises)); // of the last host
	promise_connect(&h[2], container_new(&h[2], "d"), "n1", NULL, NULL);
	world_run(&w, START_US);
	host_die(&h[2]);
	world_run(&w, 2 * GRACE_OVER_US);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(knows(&h[i], &h[2]), 1);
		expect_told(&h[i], &h[2], "no network has containers on both hosts");
	}
	assert_int_equal(remove_host(&w, &h[1], &h[2], false), 0);
	assert_int_equal(knows(h, &h[2]), 0);
	assert_int_equal(remove_host(&w, h, &h[2], false), -ENOENT);
	end(&w);
}

// Who hears nobody at all may be the one that is not heard.
static void test_host_that_is_cut_off(void **state)
{
	static struct world w;
	struct host *h = w.hosts;

	start_three(&w);
	host_crash_agent(&h[1]);
	fake_switch_remote(h[0].sw, &h[1].vtep, false);
	fake_switch_remote(h[0].sw, &h[2].vtep, false);
	world_run(&w, 2 * GRACE_OVER_US);
	assert_int_equal(knows(h, &h[1]), 1);
	expect_told(h, &h[1], "it may be this host that is cut off");
	host_crash_switch(&h[1]);
	world_run(&w, GRACE_OVER_US); // the third host hears this one
	assert_int_equal(knows(h, &h[1]), 0);
	w.failure[0] = '\0';
	world_fini(&w);
}

// The store is lost while a host does not reach it: what it has is not there, and not gone.
static void test_silent_host_and_lost_store(void **state)
{
	static struct world w;
	struct host *h = w.hosts;

	start_three(&w);
	host_cut(&h[1], true);
	world_run(&w, START_US);
	sim_store_wipe(w.store);
	w.lost_us = w.tl.now_us;
	world_run(&w, 2 * GRACE_OVER_US);
	assert_int_equal(knows(h, &h[1]), 1);
	host_cut(&h[1], false);
	world_run(&w, 2 * GRACE_OVER_US);
	assert_int_equal(knows(h, &h[1]), 1);
	assert_true(agent_is_settled(h->agent));
	end(&w);
}

// ---- addresses of tunnels ----

static void readdress(struct host *h, const char *text)
{
	struct ip_addr vtep;

	ip_parse(text, &vtep);
	host_move(h, &vtep);
	agent_set_vtep(h->agent, &h->vtep);
	world_run(h->w, START_US);
}

// There is no tunnel then, and both hosts say so.
static void test_odd_tunnels(void **state)
{
	static struct world w;
	struct host *h = w.hosts;

	start_three_empty(&w);
	expect_told(&h[0], &h[1], NULL);
	readdress(&h[1], "fd00::9");
	expect_told(&h[0], &h[1], "has the address fd00::9 for tunnels");
	expect_told(&h[1], &h[0], "of another family");
	expect_told(&h[0], &h[2], NULL);
	readdress(&h[1], "198.51.100.9");
	expect_told(&h[0], &h[1], NULL);
	expect_told(&h[1], &h[0], NULL);
	readdress(&h[2], "198.51.100.9");
	expect_told(&h[2], &h[1], "the same address for tunnels");
	expect_told(&h[1], &h[2], "the same address for tunnels");
	readdress(&h[2], "198.51.100.10");
	expect_told(&h[1], &h[2], NULL);
	end(&w);
}

// ---- how long a request is tried ----

static struct promise *ask_while_hanging(struct world *w, unsigned wait_ms)
{
	struct host *h;

	start(w, 1);
	h = &w->hosts[0];
	world_run(w, START_US);
	promise_create(h, "n0", NULL, false);
	world_run(w, START_US);
	fake_switch_hang(h->sw, true);
	agent_set_wait(h->agent, wait_ms);
	promise_connect(h, container_new(h, "c1"), "n0", NULL, NULL);
	return LIST_FIRST(&w->promises);
}

// As long as its caller waits, and no longer: then the caller gets the reason.
static void test_caller_waits(void **state)
{
	static struct world w;
	struct promise *p = ask_while_hanging(&w, 60000);

	world_run(&w, 40 * S_US);
	assert_int_equal(p->state, PROMISE_ASKED);
	fake_switch_hang(w.hosts[0].sw, false);
	world_run(&w, START_US);
	assert_int_equal(p->state, PROMISE_KEPT);
	end(&w);
	p = ask_while_hanging(&w, 2000);
	world_run(&w, S_US);
	assert_int_equal(p->state, PROMISE_ASKED);
	world_run(&w, S_US);
	assert_int_equal(p->state, PROMISE_REFUSED);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_create_in_store_set_back),
		cmocka_unit_test(test_create_at_once),
		cmocka_unit_test(test_host_is_back),
		cmocka_unit_test(test_same_name),
		cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_silent_host_is_kept),
		cmocka_unit_test(test_dead_host_is_removed),
		cmocka_unit_test(test_host_without_tunnel_is_kept),
		cmocka_unit_test(test_host_that_is_cut_off),
		cmocka_unit_test(test_silent_host_and_lost_store),
		cmocka_unit_test(test_odd_tunnels),
		cmocka_unit_test(test_caller_waits),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
