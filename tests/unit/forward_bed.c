// SPDX-License-Identifier: BSD-3-Clause
#include "tests/unit/forward_bed.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/util.h"

struct forward_bed forward_bed;

static void on_poll(void *arg)
{
	forward_bed.rounds++;
	if (forward_bed.until() || monotonic_us() > forward_bed.deadline_us)
		loop_stop(forward_bed.loop);
}

void wait_until(bool (*until)(void))
{
	forward_bed.until = until;
	forward_bed.deadline_us = monotonic_us() + DEADLINE_US;
	if (!until())
		assert_int_equal(loop_run(forward_bed.loop), 0);
	assert_true(until());
}

bool all_told(void)
{
	return forward_bed.told.count >= forward_bed.want;
}

bool first_asked(void)
{
	return forward_bed.fakes[0].asked > 0;
}

bool both_asked(void)
{
	return first_asked() && forward_bed.fakes[1].nb_held > 0;
}

bool some_rounds(void)
{
	return forward_bed.rounds >= 3;
}

static void on_told(void *arg, const struct forward_answer *answer)
{
	struct told *told = &forward_bed.told;

	told->count++;
	told->refused += answer->rcode == REFUSED;
	told->failed += answer->rcode == SERVFAIL;
	told->rcode = answer->rcode;
	told->source = answer->source;
	told->server = answer->server;
	told->len = answer->wire_bytes;
	told->number = 0;
	told->ede = answer->ede ? *answer->ede : (struct ede){0};
	if (!answer->wire)
		return;
	memcpy(told->wire, answer->wire, answer->wire_bytes);
	if (fake_dns_get16(told->wire + 6) > 0)
		told->number = told->wire[fake_dns_question_end(told->wire) + 15];
}

struct forward_waiter *ask_as(uint64_t client, const char *name, bool dnssec_ok)
{
	uint8_t wire[255];
	struct forward_question question = {.name = wire,
		.name_bytes = fake_dns_name(name, wire),
		.type = TYPE_A,
		.class = 1,
		.client = client,
		.dnssec_ok = dnssec_ok,
		.checking_disabled = dnssec_ok};

	return forward_ask(forward_bed.forward, forward_bed.list, &question, on_told, NULL);
}

const struct told *ask(const char *name)
{
	forward_bed.want = forward_bed.told.count + 1;
	ask_as(1, name, false);
	wait_until(all_told);
	return &forward_bed.told;
}

void start(unsigned nb_servers)
{
	struct dns_server servers[SERVERS];

	assert_int_equal(
		forward_new(forward_bed.loop, &forward_bed.conf, &forward_bed.forward, NULL), 0);
	for (unsigned i = 0; i < nb_servers; i++)
		servers[i] = forward_bed.fakes[i].addr;
	forward_bed.list = upstreams_get(forward_bed.forward, servers, nb_servers);
	assert_non_null(forward_bed.list);
}

int setup(void **state)
{
	memset(&forward_bed, 0, sizeof(forward_bed));
	forward_bed.loop = loop_new();
	forward_bed.poll = loop_add_timer(forward_bed.loop, 1000, on_poll, NULL);
	for (unsigned i = 0; i < SERVERS; i++)
		fake_dns_open(&forward_bed.fakes[i], forward_bed.loop, &forward_bed.forward, i + 1);
	forward_bed.conf = (struct dns_conf){.timeout_ms = 3000,
		.hedge_ms = 300,
		.cache_max = 1000,
		.stale_s = 3600,
		.client_max = 2 * MANY,
		.forward_max = 4 * MANY,
		.resolv_conf = "/nonexistent/resolv.conf"};
	return 0;
}

int teardown(void **state)
{
	if (forward_bed.forward) {
		upstreams_put(forward_bed.list);
		forward_free(forward_bed.forward);
	}
	for (unsigned i = 0; i < SERVERS; i++)
		fake_dns_close(&forward_bed.fakes[i]);
	loop_del(forward_bed.loop, forward_bed.poll);
	loop_free(forward_bed.loop);
	return 0;
}

json_int_t stat_of(const char *part, const char *key)
{
	json_t *stats = forward_stats(forward_bed.forward);
	json_int_t value;

	assert_non_null(stats);
	value = json_integer_value(json_object_get(json_object_get(stats, part), key));
	json_decref(stats);
	return value;
}

const char *state_of(const char *address)
{
	static char state[16];
	json_t *stats = forward_stats(forward_bed.forward), *server;
	size_t i;

	state[0] = '\0';
	json_array_foreach (json_object_get(stats, "servers"), i, server)
		if (!strcmp(json_string_value(json_object_get(server, "address")), address))
			snprintf(state, sizeof(state), "%s",
				json_string_value(json_object_get(server, "state")));
	json_decref(stats);
	return state;
}

const char *fake_state(unsigned i)
{
	char address[64];

	snprintf(address, sizeof(address), "127.0.0.1:%u", forward_bed.fakes[i].addr.port);
	return state_of(address);
}
