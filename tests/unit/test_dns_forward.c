// SPDX-License-Identifier: BSD-3-Clause
// The forwarder against servers that err, on one loop with them: nothing happens that the test
// does not do or wait for.
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
#include "base/loop.h"
#include "base/util.h"
#include "netd/dns/forward.h"
#include "tests/unit/fake_dns.h"

#define DEADLINE_US 20000000
#define SERVERS	    3
#define MANY	    1000
#define TYPE_A	    1
#define SERVFAIL    2
#define NXDOMAIN    3
#define REFUSED	    5

struct told {
	unsigned count, refused, failed;
	int rcode, source;
	uint8_t number; // last byte of the first address
	struct ip_addr server;
	uint8_t wire[65535];
	size_t len;
};

static struct {
	struct loop *loop;
	struct loop_handle *poll;
	struct forward *forward;
	struct upstreams *list;
	struct dns_conf conf;
	struct fake_dns fakes[SERVERS];
	struct told told;
	bool (*until)(void);
	uint64_t deadline_us;
	unsigned want, rounds;
} t;

// ---- the bed ----

static void on_poll(void *arg)
{
	t.rounds++;
	if (t.until() || monotonic_us() > t.deadline_us)
		loop_stop(t.loop);
}

static void wait_until(bool (*until)(void))
{
	t.until = until;
	t.deadline_us = monotonic_us() + DEADLINE_US;
	if (!until())
		assert_int_equal(loop_run(t.loop), 0);
	assert_true(until());
}

static bool all_told(void)
{
	return t.told.count >= t.want;
}

static bool first_asked(void)
{
	return t.fakes[0].asked > 0;
}

static bool both_asked(void)
{
	return first_asked() && t.fakes[1].nb_held > 0;
}

// What was sent before has been received by now.
static bool some_rounds(void)
{
	return t.rounds >= 3;
}

static void on_told(void *arg, const struct forward_answer *answer)
{
	struct told *told = &t.told;

	told->count++;
	told->refused += answer->rcode == REFUSED;
	told->failed += answer->rcode == SERVFAIL;
	told->rcode = answer->rcode;
	told->source = answer->source;
	told->server = answer->server;
	told->len = answer->wire_bytes;
	told->number = 0;
	if (!answer->wire)
		return;
	memcpy(told->wire, answer->wire, answer->wire_bytes);
	if (fake_dns_get16(told->wire + 6) > 0)
		told->number = told->wire[fake_dns_question_end(told->wire) + 15];
}

static struct forward_waiter *ask_as(uint64_t client, const char *name, bool dnssec_ok)
{
	uint8_t wire[255];
	struct forward_question question = {.name = wire,
		.name_bytes = fake_dns_name(name, wire),
		.type = TYPE_A,
		.class = 1,
		.client = client,
		.dnssec_ok = dnssec_ok,
		.checking_disabled = dnssec_ok};

	return forward_ask(t.forward, t.list, &question, on_told, NULL);
}

// Asks, and waits for the answer.
static const struct told *ask(const char *name)
{
	t.want = t.told.count + 1;
	ask_as(1, name, false);
	wait_until(all_told);
	return &t.told;
}

static void start(unsigned nb_servers)
{
	struct dns_server servers[SERVERS];

	assert_int_equal(forward_new(t.loop, &t.conf, &t.forward, NULL), 0);
	for (unsigned i = 0; i < nb_servers; i++)
		servers[i] = t.fakes[i].addr;
	t.list = upstreams_get(t.forward, servers, nb_servers);
	assert_non_null(t.list);
}

static int setup(void **state)
{
	memset(&t, 0, sizeof(t));
	t.loop = loop_new();
	t.poll = loop_add_timer(t.loop, 1000, on_poll, NULL);
	for (unsigned i = 0; i < SERVERS; i++)
		fake_dns_open(&t.fakes[i], t.loop, &t.forward, i + 1);
	t.conf = (struct dns_conf){.timeout_ms = 3000,
		.hedge_ms = 300,
		.cache_max = 1000,
		.stale_s = 3600,
		.client_max = 2 * MANY,
		.forward_max = 4 * MANY,
		.resolv_conf = "/nonexistent/resolv.conf"};
	return 0;
}

static int teardown(void **state)
{
	if (t.forward) {
		upstreams_put(t.list);
		forward_free(t.forward);
	}
	for (unsigned i = 0; i < SERVERS; i++)
		fake_dns_close(&t.fakes[i]);
	loop_del(t.loop, t.poll);
	loop_free(t.loop);
	return 0;
}

static json_int_t stat_of(const char *part, const char *key)
{
	json_t *stats = forward_stats(t.forward);
	json_int_t value;

	assert_non_null(stats);
	value = json_integer_value(json_object_get(json_object_get(stats, part), key));
	json_decref(stats);
	return value;
}

// The state of the server as forward_stats() has it; "" when it is not there.
static const char *state_of(const char *address)
{
	static char state[16];
	json_t *stats = forward_stats(t.forward), *server;
	size_t i;

	state[0] = '\0';
	json_array_foreach (json_object_get(stats, "servers"), i, server)
		if (!strcmp(json_string_value(json_object_get(server, "address")), address))
			snprintf(state, sizeof(state), "%s",
				json_string_value(json_object_get(server, "state")));
	json_decref(stats);
	return state;
}

static const char *fake_state(unsigned i)
{
	char address[64];

	snprintf(address, sizeof(address), "127.0.0.1:%u", t.fakes[i].addr.port);
	return state_of(address);
}

// ---- answers ----

static void test_answer(void **state)
{
	start(1);
	ask("WWW.Example");
	assert_int_equal(t.told.rcode, 0);
	assert_int_equal(t.told.source, FORWARD_SERVER);
	assert_int_equal(t.told.number, 1);
	assert_true(ip_equal(&t.told.server, &t.fakes[0].addr.ip));
	assert_int_equal(fake_dns_get16(t.told.wire), 0);
	assert_int_equal(fake_dns_get16(t.told.wire + 10), 0); // no OPT record
	assert_memory_equal(t.told.wire + 12, "\3WWW\7Example\0", 13);
	assert_true(t.fakes[0].last_edns && !t.fakes[0].last_do);
	assert_int_equal(t.fakes[0].last_flags, 0x0100);
	assert_null(ask_as(1, "www.example", false));
	assert_int_equal(t.told.count, 2);
	assert_int_equal(t.told.source, FORWARD_CACHE);
	assert_int_equal(t.told.number, 1);
	assert_int_equal(t.fakes[0].asked, 1);
	assert_int_equal(stat_of("cache", "hits"), 1);
	assert_int_equal(stat_of("forward", "answered"), 1);
	assert_int_equal(forward_flush(t.forward), 1);
	ask("www.example");
	assert_int_equal(t.told.source, FORWARD_SERVER);
}

static void test_dnssec_bits(void **state)
{
	start(1);
	ask("www.example");
	t.want = 2;
	ask_as(1, "www.example", true); // another question
	wait_until(all_told);
	assert_int_equal(t.told.source, FORWARD_SERVER);
	assert_true(t.fakes[0].last_do);
	assert_int_equal(t.fakes[0].last_flags, 0x0110);
}

static void test_nothing(void **state)
{
	start(1);
	t.fakes[0].mode = NOTHING;
	ask("none.example");
	assert_int_equal(t.told.rcode, NXDOMAIN);
	ask("none.example");
	assert_int_equal(t.told.rcode, NXDOMAIN);
	assert_int_equal(t.told.source, FORWARD_CACHE);
	// Without a SOA nobody knows for how long.
	t.fakes[0].mode = NOTHING_BARE;
	ask("bare.example");
	ask("bare.example");
	assert_int_equal(t.told.rcode, NXDOMAIN);
	assert_int_equal(t.told.source, FORWARD_SERVER);
}

static void test_no_time(void **state)
{
	start(1);
	t.fakes[0].ttl_s = 0;
	ask("www.example");
	ask("www.example");
	assert_int_equal(t.told.source, FORWARD_SERVER);
	assert_int_equal(t.fakes[0].asked, 2);
}

static void test_tcp(void **state)
{
	start(1);
	t.fakes[0].mode = BIG_UDP;
	ask("big.example");
	assert_int_equal(t.told.number, 1);
	assert_int_equal(t.fakes[0].asked_tcp, 1);
	t.fakes[0].mode = CUT;
	ask("cut.example");
	assert_int_equal(t.told.rcode, 0);
	assert_true(t.told.len >= 20000);
	assert_int_equal(t.fakes[0].asked_tcp, 2);
	assert_false(t.told.wire[2] & 2);
}

static void test_no_edns(void **state)
{
	start(1);
	t.fakes[0].mode = NO_EDNS;
	for (int i = 0; i < 3; i++) {
		char name[32];

		snprintf(name, sizeof(name), "n%d.example", i);
		ask(name);
		assert_int_equal(t.told.number, 1);
	}
}

static void test_loss(void **state)
{
	start(1);
	t.fakes[0].mode = LOSE_FIRST;
	ask("www.example");
	assert_int_equal(t.told.number, 1);
	assert_int_equal(t.fakes[0].asked, 2);
}

// ---- servers that err ----

static void test_dead_first(void **state)
{
	start(2);
	t.fakes[0].mode = DEAD;
	for (int i = 0; i < 20; i++) {
		char name[32];

		snprintf(name, sizeof(name), "n%d.example", i);
		ask(name);
		assert_int_equal(t.told.number, 2);
	}
	// It was first once.
	assert_int_equal(stat_of("forward", "hedged"), 1);
	assert_true(t.fakes[0].asked <= 2); // c-ares may have sent it twice
	assert_int_equal(t.fakes[1].asked, 20);
	assert_string_not_equal(fake_state(0), "ok");
	assert_string_equal(fake_state(1), "ok");
}

static void test_errors(void **state)
{
	start(3);
	t.fakes[0].mode = t.fakes[1].mode = ERROR;
	t.fakes[1].error = REFUSED;
	ask("www.example");
	assert_int_equal(t.told.number, 3);
	// The one of use is asked first from now on.
	t.fakes[0].asked = 0;
	ask("two.example");
	assert_int_equal(t.told.number, 3);
	assert_int_equal(t.fakes[0].asked, 0);
}

static void test_all_err(void **state)
{
	unsigned before;

	start(2);
	t.fakes[0].mode = t.fakes[1].mode = ERROR;
	t.fakes[1].error = REFUSED;
	ask("www.example");
	assert_int_equal(t.told.rcode, SERVFAIL);
	assert_int_equal(t.told.len, 0);
	before = t.fakes[0].asked + t.fakes[1].asked;
	assert_null(ask_as(1, "WWW.example", false)); // is remembered
	assert_int_equal(t.told.rcode, SERVFAIL);
	assert_int_equal(t.fakes[0].asked + t.fakes[1].asked, before);
	assert_int_equal(stat_of("forward", "failed"), 2);
}

static void test_liars(void **state)
{
	static const enum mode lies[] = {
		WRONG_ID, WRONG_QUESTION, WRONG_PORT, WRONG_NAME, NO_RESPONSE, GARBAGE};
	char name[32];

	start(2);
	t.fakes[1].mode = HOLD;
	for (unsigned i = 0; i < ARRAY_SIZE(lies); i++) {
		t.fakes[0].mode = lies[i];
		t.fakes[0].asked = 0;
		snprintf(name, sizeof(name), "n%u.example", i);
		t.want = t.told.count + 1;
		ask_as(1, name, false);
		wait_until(both_asked);
		t.rounds = 0;
		wait_until(some_rounds);
		assert_int_equal(t.told.count, i);
		fake_dns_release(&t.fakes[1]);
		wait_until(all_told);
		assert_int_equal(t.told.number, 2);
	}
}

static void test_only_liars(void **state)
{
	t.conf.timeout_ms = 300;
	start(1);
	t.fakes[0].mode = WRONG_QUESTION;
	ask("www.example");
	assert_int_equal(t.told.rcode, SERVFAIL);
	assert_int_equal(t.told.len, 0);
}

// ---- stale ----

static bool fresh_again(void)
{
	unsigned before = t.told.count;

	ask_as(1, "www.example", false);
	return t.told.count > before && t.told.source == FORWARD_CACHE;
}

static bool is_dead(void)
{
	return !strcmp(fake_state(0), "dead");
}

static void test_stale(void **state)
{
	t.conf.timeout_ms = 1000;
	start(1);
	t.fakes[0].ttl_s = 1;
	ask("www.example");
	assert_int_equal(t.told.source, FORWARD_SERVER);
	t.fakes[0].mode = DEAD;
	// Until the answer is not good any more, and the server was asked in vain.
	do
		ask("www.example");
	while (t.told.source == FORWARD_CACHE);
	assert_int_equal(t.told.source, FORWARD_STALE);
	assert_int_equal(t.told.number, 1);
	assert_int_equal(fake_dns_get16(t.told.wire + fake_dns_question_end(t.told.wire) + 8), 30);
	// Known to be dead: nobody waits.
	ask("other.example");
	assert_int_equal(t.told.rcode, SERVFAIL);
	wait_until(is_dead);
	assert_null(ask_as(1, "www.example", false));
	assert_int_equal(t.told.source, FORWARD_STALE);
	assert_true(stat_of("forward", "stale") >= 2);
	// It comes back, and the answer is made fresh behind the scenes.
	t.fakes[0].mode = NORMAL;
	t.fakes[0].ttl_s = 60;
	wait_until(fresh_again);
	assert_string_equal(fake_state(0), "ok");
}

// Nobody answers in time, but somebody may still: the client has what there is.
static void test_patience(void **state)
{
	t.conf.timeout_ms = 15000;
	start(1);
	t.fakes[0].ttl_s = 1;
	ask("www.example");
	t.fakes[0].mode = HOLD;
	do
		ask("www.example");
	while (t.told.source == FORWARD_CACHE);
	assert_int_equal(t.told.source, FORWARD_STALE);
	assert_null(ask_as(1, "www.example", false)); // once is enough
	assert_int_equal(t.told.source, FORWARD_STALE);
	assert_string_equal(fake_state(0), "slow");
	t.fakes[0].ttl_s = 60;
	fake_dns_release(&t.fakes[0]);
	wait_until(fresh_again);
}

static void test_too_stale(void **state)
{
	t.conf.timeout_ms = 1000;
	t.conf.stale_s = 0;
	start(1);
	t.fakes[0].ttl_s = 1;
	ask("www.example");
	t.fakes[0].mode = DEAD;
	do
		ask("www.example");
	while (t.told.source == FORWARD_CACHE && t.told.rcode == 0);
	assert_int_equal(t.told.rcode, SERVFAIL);
}

// ---- many at once ----

static void test_coalesced(void **state)
{
	start(1);
	t.fakes[0].mode = HOLD;
	for (unsigned i = 0; i < MANY; i++)
		assert_non_null(ask_as(i, i % 2 ? "www.example" : "WWW.EXAMPLE", false));
	wait_until(first_asked);
	assert_int_equal(stat_of("forward", "waiting"), MANY);
	t.want = MANY;
	fake_dns_release(&t.fakes[0]);
	wait_until(all_told);
	assert_int_equal(t.told.count, MANY);
	assert_int_equal(t.told.number, 1);
	assert_int_equal(t.fakes[0].asked, 1);
	assert_int_equal(stat_of("forward", "coalesced"), MANY - 1);
	assert_int_equal(stat_of("forward", "waiting"), 0);
}

static void test_limits(void **state)
{
	t.conf.client_max = 3;
	t.conf.forward_max = 5;
	start(1);
	t.fakes[0].mode = HOLD;
	ask_as(1, "a.example", false);
	ask_as(1, "b.example", false);
	assert_non_null(ask_as(1, "a.example", false));
	assert_null(ask_as(1, "c.example", false));
	assert_int_equal(t.told.refused, 1);
	assert_null(ask_as(1, "a.example", false)); // the same one counts as well
	assert_int_equal(t.told.refused, 2);
	assert_non_null(ask_as(2, "a.example", false));
	assert_non_null(ask_as(2, "d.example", false));
	assert_null(ask_as(2, "e.example", false)); // all in all
	assert_int_equal(t.told.refused, 3);
	assert_int_equal(stat_of("forward", "refused"), 3);
	wait_until(first_asked);
	t.rounds = 0;
	wait_until(some_rounds);
	t.want = t.told.count + 5;
	fake_dns_release(&t.fakes[0]);
	wait_until(all_told);
	assert_int_equal(t.told.refused, 3);
	t.fakes[0].mode = NORMAL;
	ask("f.example");
	assert_int_equal(t.told.number, 1);
}

// Who goes away does not make room for more questions to servers.
static void test_cancel_limits(void **state)
{
	char name[32];

	t.conf.forward_max = 5;
	start(1);
	t.fakes[0].mode = HOLD;
	for (unsigned i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "n%u.example", i);
		forward_cancel(ask_as(1, name, false));
	}
	assert_int_equal(t.told.refused, 3);
	assert_int_equal(t.told.count, 3);
}

static void test_cancel(void **state)
{
	start(1);
	t.fakes[0].mode = HOLD;
	forward_cancel(ask_as(1, "www.example", false));
	wait_until(first_asked);
	fake_dns_release(&t.fakes[0]);
	wait_until(fresh_again); // the answer was not for nothing
	assert_int_equal(t.fakes[0].asked, 1);
	assert_int_equal(t.told.failed, 0);
}

static void test_free_waiting(void **state)
{
	start(2);
	t.fakes[0].mode = t.fakes[1].mode = HOLD;
	for (unsigned i = 0; i < 10; i++)
		ask_as(i, i < 5 ? "a.example" : "b.example", false);
	wait_until(first_asked);
	upstreams_put(t.list);
	forward_free(t.forward);
	t.forward = NULL;
	assert_int_equal(t.told.count, 10);
	assert_int_equal(t.told.failed, 10);
}

// ---- which servers ----

static void test_own(void **state)
{
	start(1);
	forward_own_add(t.forward, &t.fakes[0].addr.ip);
	forward_own_add(t.forward, &t.fakes[0].addr.ip);
	forward_own_del(t.forward, &t.fakes[0].addr.ip);
	assert_null(ask_as(1, "www.example", false));
	assert_int_equal(t.told.rcode, SERVFAIL);
	assert_string_equal(fake_state(0), "own");
	assert_int_equal(stat_of("forward", "no_server"), 1);
	forward_own_del(t.forward, &t.fakes[0].addr.ip);
	ask("www.example");
	assert_int_equal(t.told.number, 1);
	assert_int_equal(t.fakes[0].asked, 1);
}

static bool has_come(void)
{
	return t.fakes[0].came > 0;
}

static void test_loop(void **state)
{
	static const uint8_t stranger[] = "\20"
					  "0123456789abcdef"
					  "\4loop\10causeway\7invalid";
	uint8_t name[255];
	unsigned before;

	start(2);
	t.fakes[0].mode = LOOP;
	ask("www.example");
	assert_int_equal(t.told.number, 2);
	wait_until(has_come);
	assert_string_equal(fake_state(0), "loop");
	before = t.fakes[0].asked;
	t.fakes[1].mode = ERROR;
	ask("two.example");
	assert_int_equal(t.told.rcode, SERVFAIL);
	assert_int_equal(t.fakes[0].asked, before);
	assert_int_equal(t.fakes[1].probes, 1);
	// A probe of another host goes on to where it was sent.
	assert_false(forward_is_probe(t.forward, stranger, sizeof(stranger)));
	assert_false(forward_is_probe(t.forward, name, fake_dns_name("www.example", name)));
}

static void write_resolv(const char *path, const char *text)
{
	assert_int_equal(file_write_atomic(path, text, strlen(text), NULL), 0);
}

static bool old_is_gone(void)
{
	ask_as(1, "nowhere.example", false);
	return state_of("127.0.0.241")[0] == '\0';
}

static bool new_is_there(void)
{
	ask_as(1, "nowhere.example", false);
	return state_of("127.0.0.241")[0] != '\0';
}

// Nobody is at port 53 of these addresses: what counts is who is asked.
static void test_resolv_conf(void **state)
{
	char dir[] = "/tmp/test_dns_forward.XXXXXX", path[64];
	char search[DNS_SEARCH_MAX][256];

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/resolv.conf", dir);
	snprintf(t.conf.resolv_conf, sizeof(t.conf.resolv_conf), "%s", path);
	start(0);
	assert_null(ask_as(1, "www.example", false));
	assert_int_equal(t.told.rcode, SERVFAIL);
	assert_int_equal(forward_search(t.forward, search), 0);
	write_resolv(path, "nameserver 127.0.0.241\nsearch one.example\n");
	wait_until(new_is_there);
	assert_int_equal(forward_search(t.forward, search), 1);
	assert_string_equal(search[0], "one.example");
	write_resolv(path, "nameserver 127.0.0.242\nsearch two.example\n");
	wait_until(old_is_gone);
	assert_string_not_equal(state_of("127.0.0.242"), "");
	assert_int_equal(forward_search(t.forward, search), 1);
	assert_string_equal(search[0], "two.example");
	unlink(path);
	rmdir(dir);
}

static void test_lists(void **state)
{
	struct upstreams *same, *other, *conf;

	start(2);
	same = upstreams_get(
		t.forward, (const struct dns_server[]){t.fakes[0].addr, t.fakes[1].addr}, 2);
	assert_ptr_equal(same, t.list);
	other = upstreams_get(t.forward, &t.fakes[2].addr, 1);
	assert_ptr_not_equal(other, t.list);
	conf = upstreams_get(t.forward, NULL, 0);
	ask("www.example");
	assert_int_equal(t.told.number, 1);
	upstreams_put(t.list);
	t.list = other;
	ask("www.example"); // other servers may say other things
	assert_int_equal(t.told.number, 3);
	upstreams_put(same);
	upstreams_put(conf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_answer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dnssec_bits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_time, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tcp, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_edns, setup, teardown),
		cmocka_unit_test_setup_teardown(test_loss, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dead_first, setup, teardown),
		cmocka_unit_test_setup_teardown(test_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_all_err, setup, teardown),
		cmocka_unit_test_setup_teardown(test_liars, setup, teardown),
		cmocka_unit_test_setup_teardown(test_only_liars, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stale, setup, teardown),
		cmocka_unit_test_setup_teardown(test_patience, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_stale, setup, teardown),
		cmocka_unit_test_setup_teardown(test_coalesced, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cancel_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cancel, setup, teardown),
		cmocka_unit_test_setup_teardown(test_free_waiting, setup, teardown),
		cmocka_unit_test_setup_teardown(test_own, setup, teardown),
		cmocka_unit_test_setup_teardown(test_loop, setup, teardown),
		cmocka_unit_test_setup_teardown(test_resolv_conf, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lists, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
