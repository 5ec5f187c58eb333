// SPDX-License-Identifier: BSD-3-Clause
// Addresses for all hosts: whatever one of them had, each can connect containers while the store is
// away.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
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

#define ALL_HOSTS 5
#define MOST	  24 // containers of one host, of 29 that the network has addresses for

static void start_all(struct world *w)
{
	uint64_t seed = 1;

	start(w, seed);
	while (w->nb_hosts < ALL_HOSTS) {
		world_fini(w);
		start(w, seed += 2);
	}
	world_run(w, START_US);
	promise_create(&w->hosts[0], "n0", "172.16.0.0/27", false);
	world_run(w, START_US);
}

static struct promise *connect_one(struct world *w, struct host *h)
{
	char name[NAME_BYTES];

	snprintf(name, sizeof(name), "x%u", ++w->last_step);
	promise_connect(h, container_new(h, name), "n0", NULL, NULL);
	return LIST_FIRST(&w->promises);
}

// Each host can connect a container while the store is away.
static void expect_all_connect(struct world *w)
{
	struct promise *p[ALL_HOSTS];

	sim_store_down(w->store);
	world_run(w, START_US);
	for (unsigned i = 0; i < ALL_HOSTS; i++)
		p[i] = connect_one(w, &w->hosts[i]);
	world_run(w, START_US);
	for (unsigned i = 0; i < ALL_HOSTS; i++) {
		if (p[i]->state != PROMISE_KEPT)
			fail_msg("h%u cannot connect", i);
	}
	sim_store_up(w->store);
	world_run(w, START_US);
	for (unsigned i = 0; i < ALL_HOSTS; i++)
		assert_true(promise_in_store(p[i])); // nobody had to move
}

static void test_all_have_addresses(void **state)
{
	static struct world w;

	start_all(&w);
	for (unsigned i = 0; i < ALL_HOSTS; i++)
		connect_one(&w, &w.hosts[i]);
	world_run(&w, START_US);
	expect_all_connect(&w);
	end(&w);
}

// One host had nearly all of them, and gives back what it does not use.
static void test_addresses_are_given_back(void **state)
{
	static struct world w;
	struct promise *p[MOST];

	start_all(&w);
	for (unsigned i = 0; i < MOST; i++) {
		p[i] = connect_one(&w, &w.hosts[0]);
		world_run(&w, S_US);
		assert_int_equal(p[i]->state, PROMISE_KEPT);
	}
	for (unsigned i = 1; i < ALL_HOSTS; i++)
		connect_one(&w, &w.hosts[i]);
	world_run(&w, START_US);
	for (unsigned i = 0; i < MOST - 4; i++)
		promise_disconnect(p[i]);
	world_run(&w, 4 * START_US);
	expect_all_connect(&w);
	end(&w);
}

static int parse_subnet(const char *subnet)
{
	static const char id[] = "0123456789abcdef0123456789abcdef";
	struct network_record rec;
	char text[512];
	int rc;

	snprintf(text, sizeof(text),
		"{\"v\":1,\"name\":\"n\",\"id\":\"%s\",\"driver\":\"overlay\",\"subnets\":[%s]}",
		id, subnet);
	rc = network_record_parse("v1/networks/n", text, strlen(text), &rec, NULL);
	if (rc == 0)
		network_record_fini(&rec);
	return rc;
}

// What the records say of blocks.
static void test_records(void **state)
{
	static const char key[] = "v1/nets/0123456789abcdef0123456789abcdef/blocks/10.1.0.16_28";
	struct block_record rec = {.owner = "h1", .epoch = 7}, back;

	cidr_parse("10.1.0.16/28", &rec.cidr);
	for (unsigned i = 0; i < 2; i++) {
		char *text = block_record_print(&rec);

		assert_int_equal(block_record_parse(key, text, strlen(text), &back, NULL), 0);
		assert_int_equal(back.giving, i);
		free(text);
		rec.giving = true;
	}
	assert_int_equal(parse_subnet("{\"subnet\":\"10.1.0.0/16\",\"block_prefix\":16}"), 0);
	assert_int_equal(parse_subnet("{\"subnet\":\"10.1.0.0/16\",\"block_prefix\":32}"), 0);
	assert_int_equal(
		parse_subnet("{\"subnet\":\"10.1.0.0/16\",\"block_prefix\":15}"), -EBADMSG);
	assert_int_equal(
		parse_subnet("{\"subnet\":\"10.1.0.0/16\",\"block_prefix\":33}"), -EBADMSG);
	assert_int_equal(parse_subnet("{\"subnet\":\"fd00::/64\",\"block_prefix\":100}"), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_all_have_addresses),
		cmocka_unit_test(test_addresses_are_given_back),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
