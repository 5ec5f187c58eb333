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

#include <cmocka.h>

#include "base/loop.h"
#include "base/util.h"
#include "netd/dns/forward.h"
#include "tests/unit/fake_dns.h"
#include "tests/unit/forward_bed.h"

// ---- answers ----

static void test_answer(void **state)
{
	start(1);
	ask("WWW.Example");
	assert_int_equal(forward_bed.told.rcode, 0);
	assert_int_equal(forward_bed.told.source, FORWARD_SERVER);
	assert_int_equal(forward_bed.told.number, 1);
	assert_true(ip_equal(&forward_bed.told.server, &forward_bed.fakes[0].addr.ip));
	assert_int_equal(fake_dns_get16(forward_bed.told.wire), 0);
	assert_int_equal(fake_dns_get16(forward_bed.told.wire + 10), 0); // no OPT record
	assert_memory_equal(forward_bed.told.wire + 12, "\3WWW\7Example\0", 13);
	assert_true(forward_bed.fakes[0].last_edns && !forward_bed.fakes[0].last_do);
	assert_int_equal(forward_bed.fakes[0].last_flags, 0x0120);
	assert_null(ask_as(1, "www.example", false));
	assert_int_equal(forward_bed.told.count, 2);
	assert_int_equal(forward_bed.told.source, FORWARD_CACHE);
	assert_int_equal(forward_bed.told.number, 1);
	assert_int_equal(forward_bed.fakes[0].asked, 1);
	assert_int_equal(stat_of("cache", "hits"), 1);
	assert_int_equal(stat_of("forward", "answered"), 1);
	assert_int_equal(forward_flush(forward_bed.forward), 1);
	ask("www.example");
	assert_int_equal(forward_bed.told.source, FORWARD_SERVER);
}

static void test_dnssec_bits(void **state)
{
	start(1);
	ask("www.example");
	forward_bed.want = 2;
	ask_as(1, "www.example", true); // another question
	wait_until(all_told);
	assert_int_equal(forward_bed.told.source, FORWARD_SERVER);
	assert_true(forward_bed.fakes[0].last_do);
	assert_int_equal(forward_bed.fakes[0].last_flags, 0x0130);
}

static void expect_ede(bool there)
{
	assert_int_equal(forward_bed.told.ede.len_bytes, there ? 9 : 0);
	assert_memory_equal(forward_bed.told.ede.bytes + 6, "bog", there ? 3 : 0);
}

// Why a server failed is told, now and while the failure is remembered, and so is what it says
// beside an answer.
static void test_ede(void **state)
{
	start(2);
	forward_bed.fakes[0].mode = EDE;
	forward_bed.fakes[1].mode = ERROR;
	ask("www.example");
	assert_int_equal(forward_bed.told.rcode, SERVFAIL);
	expect_ede(true);
	assert_null(ask_as(1, "www.example", false));
	assert_int_equal(forward_bed.told.rcode, SERVFAIL);
	expect_ede(true);
	forward_bed.fakes[0].mode = forward_bed.fakes[1].mode = EDE_ANSWER;
	ask("two.example");
	assert_int_equal(forward_bed.told.rcode, 0);
	expect_ede(true);
	assert_null(ask_as(1, "two.example", false));
	assert_int_equal(forward_bed.told.source, FORWARD_CACHE);
	expect_ede(true);
	forward_bed.fakes[0].mode = forward_bed.fakes[1].mode = NORMAL;
	ask("three.example");
	expect_ede(false);
}

static void test_nothing(void **state)
{
	start(1);
	forward_bed.fakes[0].mode = NOTHING;
	ask("none.example");
	assert_int_equal(forward_bed.told.rcode, NXDOMAIN);
	ask("none.example");
	assert_int_equal(forward_bed.told.rcode, NXDOMAIN);
	assert_int_equal(forward_bed.told.source, FORWARD_CACHE);
	// Without a SOA nobody knows for how long.
	forward_bed.fakes[0].mode = NOTHING_BARE;
	ask("bare.example");
	ask("bare.example");
	assert_int_equal(forward_bed.told.rcode, NXDOMAIN);
	assert_int_equal(forward_bed.told.source, FORWARD_SERVER);
}

static void test_no_time(void **state)
{
	start(1);
	forward_bed.fakes[0].ttl_s = 0;
	ask("www.example");
	ask("www.example");
	assert_int_equal(forward_bed.told.source, FORWARD_SERVER);
	assert_int_equal(forward_bed.fakes[0].asked, 2);
}

static void test_tcp(void **state)
{
	start(1);
	forward_bed.fakes[0].mode = BIG_UDP;
	ask("big.example");
	assert_int_equal(forward_bed.told.number, 1);
	assert_int_equal(forward_bed.fakes[0].asked_tcp, 1);
	forward_bed.fakes[0].mode = CUT;
	ask("cut.example");
	assert_int_equal(forward_bed.told.rcode, 0);
	assert_true(forward_bed.told.len >= 20000);
	assert_int_equal(forward_bed.fakes[0].asked_tcp, 2);
	assert_false(forward_bed.told.wire[2] & 2);
}

static bool first_asked_tcp(void)
{
	return forward_bed.fakes[0].asked_tcp > 0;
}

static bool second_later(void)
{
	return monotonic_us() > forward_bed.later_us;
}

// Far longer than a try over UDP may take.
static void test_tcp_slow(void **state)
{
	forward_bed.conf.timeout_ms = 5000;
	start(1);
	forward_bed.fakes[0].mode = CUT_HOLD;
	forward_bed.want = 1;
	ask_as(1, "slow.example", false);
	wait_until(first_asked_tcp);
	forward_bed.later_us = monotonic_us() + 1000000;
	wait_until(second_later);
	fake_dns_release(&forward_bed.fakes[0]);
	wait_until(all_told);
	assert_int_equal(forward_bed.told.rcode, 0);
	assert_int_equal(forward_bed.told.number, 1);
	assert_int_equal(forward_bed.fakes[0].asked_tcp, 1);
}

static void test_no_edns(void **state)
{
	start(1);
	forward_bed.fakes[0].mode = NO_EDNS;
	for (int i = 0; i < 3; i++) {
		char name[32];

		snprintf(name, sizeof(name), "n%d.example", i);
		ask(name);
		assert_int_equal(forward_bed.told.number, 1);
	}
}

// What is answered without EDNS only is asked so at once after a while.
static void check_no_edns(enum mode mode)
{
	start(1);
	forward_bed.fakes[0].mode = mode;
	for (int i = 0; i < 4; i++) {
		char name[32];

		snprintf(name, sizeof(name), "n%d.example", i);
		ask(name);
		assert_int_equal(forward_bed.told.rcode, 0);
		assert_int_equal(forward_bed.told.number, 1);
	}
	assert_false(forward_bed.fakes[0].last_edns);
	forward_bed.fakes[0].asked = 0;
	ask("last.example");
	assert_int_equal(forward_bed.told.number, 1);
	assert_int_equal(forward_bed.fakes[0].asked, 1);
}

static void test_no_edns_bare(void **state)
{
	check_no_edns(NO_EDNS_BARE);
}

static void test_drop_edns(void **state)
{
	check_no_edns(DROP_EDNS);
}

// A question that is refused with the header alone is asked without EDNS at once, not after a
// while.
static void test_no_edns_at_once(void **state)
{
	// Otherwise it would be long after the end of this test.
	forward_bed.conf.timeout_ms = forward_bed.conf.hedge_ms = 600000;
	start(1);
	forward_bed.fakes[0].mode = NO_EDNS_BARE;
	ask("www.example");
	assert_int_equal(forward_bed.told.number, 1);
}

static void test_loss(void **state)
{
	start(1);
	forward_bed.fakes[0].mode = LOSE_FIRST;
	ask("www.example");
	assert_int_equal(forward_bed.told.number, 1);
	assert_int_equal(forward_bed.fakes[0].asked, 2);
}

// ---- servers that err ----

static void test_dead_first(void **state)
{
	start(2);
	forward_bed.fakes[0].mode = DEAD;
	for (int i = 0; i < 20; i++) {
		char name[32];

		snprintf(name, sizeof(name), "n%d.example", i);
		ask(name);
		assert_int_equal(forward_bed.told.number, 2);
	}
	// It was first once.
	assert_int_equal(stat_of("forward", "hedged"), 1);
	assert_true(forward_bed.fakes[0].asked <= 2); // it may have been sent twice
	assert_int_equal(forward_bed.fakes[1].asked, 20);
	assert_string_not_equal(fake_state(0), "ok");
	assert_string_equal(fake_state(1), "ok");
}

static void test_errors(void **state)
{
	start(3);
	forward_bed.fakes[0].mode = forward_bed.fakes[1].mode = ERROR;
	forward_bed.fakes[1].error = REFUSED;
	ask("www.example");
	assert_int_equal(forward_bed.told.number, 3);
	// The one of use is asked first from now on.
	forward_bed.fakes[0].asked = 0;
	ask("two.example");
	assert_int_equal(forward_bed.told.number, 3);
	assert_int_equal(forward_bed.fakes[0].asked, 0);
}

static void test_all_err(void **state)
{
	unsigned before;

	start(2);
	forward_bed.fakes[0].mode = forward_bed.fakes[1].mode = ERROR;
	forward_bed.fakes[1].error = REFUSED;
	ask("www.example");
	assert_int_equal(forward_bed.told.rcode, SERVFAIL);
	assert_int_equal(forward_bed.told.len, 0);
	before = forward_bed.fakes[0].asked + forward_bed.fakes[1].asked;
	assert_null(ask_as(1, "WWW.example", false)); // is remembered
	assert_int_equal(forward_bed.told.rcode, SERVFAIL);
	assert_int_equal(forward_bed.fakes[0].asked + forward_bed.fakes[1].asked, before);
	assert_int_equal(stat_of("forward", "failed"), 2);
}

static void test_liars(void **state)
{
	static const enum mode lies[] = {
		WRONG_ID, WRONG_QUESTION, WRONG_PORT, WRONG_NAME, NO_RESPONSE, GARBAGE};
	char name[32];

	start(2);
	forward_bed.fakes[1].mode = HOLD;
	for (unsigned i = 0; i < ARRAY_SIZE(lies); i++) {
		forward_bed.fakes[0].mode = lies[i];
		forward_bed.fakes[0].asked = 0;
		snprintf(name, sizeof(name), "n%u.example", i);
		forward_bed.want = forward_bed.told.count + 1;
		ask_as(1, name, false);
		wait_until(both_asked);
		forward_bed.rounds = 0;
		wait_until(some_rounds);
		assert_int_equal(forward_bed.told.count, i);
		fake_dns_release(&forward_bed.fakes[1]);
		wait_until(all_told);
		assert_int_equal(forward_bed.told.number, 2);
	}
}

static void test_only_liars(void **state)
{
	forward_bed.conf.timeout_ms = 300;
	start(1);
	forward_bed.fakes[0].mode = WRONG_QUESTION;
	ask("www.example");
	assert_int_equal(forward_bed.told.rcode, SERVFAIL);
	assert_int_equal(forward_bed.told.len, 0);
}

// ---- stale ----

static bool fresh_again(void)
{
	unsigned before = forward_bed.told.count;

	ask_as(1, "www.example", false);
	return forward_bed.told.count > before && forward_bed.told.source == FORWARD_CACHE;
}

static bool is_dead(void)
{
	return !strcmp(fake_state(0), "dead");
}

static void test_stale(void **state)
{
	forward_bed.conf.timeout_ms = 1000;
	start(1);
	forward_bed.fakes[0].ttl_s = 1;
	ask("www.example");
	assert_int_equal(forward_bed.told.source, FORWARD_SERVER);
	forward_bed.fakes[0].mode = DEAD;
	// Until the answer is not good any more, and the server was asked in vain.
	do
		ask("www.example");
	while (forward_bed.told.source == FORWARD_CACHE);
	assert_int_equal(forward_bed.told.source, FORWARD_STALE);
	assert_int_equal(forward_bed.told.number, 1);
	assert_int_equal(fake_dns_get16(forward_bed.told.wire +
					fake_dns_question_end(forward_bed.told.wire) + 8),
		30);
	// Known to be dead: nobody waits.
	ask("other.example");
	assert_int_equal(forward_bed.told.rcode, SERVFAIL);
	wait_until(is_dead);
	assert_null(ask_as(1, "www.example", false));
	assert_int_equal(forward_bed.told.source, FORWARD_STALE);
	assert_true(stat_of("forward", "stale") >= 2);
	// It comes back, and the answer is made fresh behind the scenes.
	forward_bed.fakes[0].mode = NORMAL;
	forward_bed.fakes[0].ttl_s = 60;
	wait_until(fresh_again);
	assert_string_equal(fake_state(0), "ok");
}

// Nobody answers in time, but somebody may still: the client has what there is.
static void test_patience(void **state)
{
	forward_bed.conf.timeout_ms = 15000;
	start(1);
	forward_bed.fakes[0].ttl_s = 1;
	ask("www.example");
	forward_bed.fakes[0].mode = HOLD;
	do
		ask("www.example");
	while (forward_bed.told.source == FORWARD_CACHE);
	assert_int_equal(forward_bed.told.source, FORWARD_STALE);
	assert_null(ask_as(1, "www.example", false)); // once is enough
	assert_int_equal(forward_bed.told.source, FORWARD_STALE);
	assert_string_equal(fake_state(0), "slow");
	forward_bed.fakes[0].ttl_s = 60;
	fake_dns_release(&forward_bed.fakes[0]);
	wait_until(fresh_again);
}

static void test_too_stale(void **state)
{
	forward_bed.conf.timeout_ms = 1000;
	forward_bed.conf.stale_s = 0;
	start(1);
	forward_bed.fakes[0].ttl_s = 1;
	ask("www.example");
	forward_bed.fakes[0].mode = DEAD;
	do
		ask("www.example");
	while (forward_bed.told.source == FORWARD_CACHE && forward_bed.told.rcode == 0);
	assert_int_equal(forward_bed.told.rcode, SERVFAIL);
}

// ---- many at once ----

static void test_coalesced(void **state)
{
	start(1);
	forward_bed.fakes[0].mode = HOLD;
	for (unsigned i = 0; i < MANY; i++)
		assert_non_null(ask_as(i, i % 2 ? "www.example" : "WWW.EXAMPLE", false));
	wait_until(first_asked);
	assert_int_equal(stat_of("forward", "waiting"), MANY);
	forward_bed.want = MANY;
	fake_dns_release(&forward_bed.fakes[0]);
	wait_until(all_told);
	assert_int_equal(forward_bed.told.count, MANY);
	assert_int_equal(forward_bed.told.number, 1);
	assert_int_equal(forward_bed.fakes[0].asked, 1);
	assert_int_equal(stat_of("forward", "coalesced"), MANY - 1);
	assert_int_equal(stat_of("forward", "waiting"), 0);
}

static void test_limits(void **state)
{
	forward_bed.conf.client_max = 3;
	forward_bed.conf.forward_max = 5;
	start(1);
	forward_bed.fakes[0].mode = HOLD;
	ask_as(1, "a.example", false);
	ask_as(1, "b.example", false);
	assert_non_null(ask_as(1, "a.example", false));
	assert_null(ask_as(1, "c.example", false));
	assert_int_equal(forward_bed.told.refused, 1);
	assert_null(ask_as(1, "a.example", false)); // the same one counts as well
	assert_int_equal(forward_bed.told.refused, 2);
	assert_non_null(ask_as(2, "a.example", false));
	assert_non_null(ask_as(2, "d.example", false));
	assert_null(ask_as(2, "e.example", false)); // all in all
	assert_int_equal(forward_bed.told.refused, 3);
	assert_int_equal(stat_of("forward", "refused"), 3);
	wait_until(first_asked);
	forward_bed.rounds = 0;
	wait_until(some_rounds);
	forward_bed.want = forward_bed.told.count + 5;
	fake_dns_release(&forward_bed.fakes[0]);
	wait_until(all_told);
	assert_int_equal(forward_bed.told.refused, 3);
	forward_bed.fakes[0].mode = NORMAL;
	ask("f.example");
	assert_int_equal(forward_bed.told.number, 1);
}

// Who goes away does not make room for more questions to servers.
static void test_cancel_limits(void **state)
{
	char name[32];

	forward_bed.conf.forward_max = 5;
	start(1);
	forward_bed.fakes[0].mode = HOLD;
	for (unsigned i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "n%u.example", i);
		forward_cancel(ask_as(1, name, false));
	}
	assert_int_equal(forward_bed.told.refused, 3);
	assert_int_equal(forward_bed.told.count, 3);
}

static void test_cancel(void **state)
{
	start(1);
	forward_bed.fakes[0].mode = HOLD;
	forward_cancel(ask_as(1, "www.example", false));
	wait_until(first_asked);
	fake_dns_release(&forward_bed.fakes[0]);
	wait_until(fresh_again); // the answer was not for nothing
	assert_int_equal(forward_bed.fakes[0].asked, 1);
	assert_int_equal(forward_bed.told.failed, 0);
}

static void test_free_waiting(void **state)
{
	start(2);
	forward_bed.fakes[0].mode = forward_bed.fakes[1].mode = HOLD;
	for (unsigned i = 0; i < 10; i++)
		ask_as(i, i < 5 ? "a.example" : "b.example", false);
	wait_until(first_asked);
	upstreams_put(forward_bed.list);
	forward_free(forward_bed.forward);
	forward_bed.forward = NULL;
	assert_int_equal(forward_bed.told.count, 10);
	assert_int_equal(forward_bed.told.failed, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_answer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dnssec_bits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ede, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_time, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tcp, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tcp_slow, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_edns, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_edns_bare, setup, teardown),
		cmocka_unit_test_setup_teardown(test_drop_edns, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_edns_at_once, setup, teardown),
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
