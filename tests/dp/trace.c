// SPDX-License-Identifier: BSD-3-Clause
// What somebody who watches is told: each stage that a packet enters, where it leaves, and who
// dropped it where and why.
#include "tests/dp/harness.h"

#include <stdio.h>
#include <string.h>

#include "dp/pipeline.h"

// Tells its story: "A parse, A learn, A lookup, A egress, B tx".
static struct {
	struct dp_trace trace;
	char text[1024];
	const struct rte_mbuf *last; // that something was told of
	unsigned packets;	     // of all that was told
} story;

static void tell(const struct dp_site *at, const char *what, const struct rte_mbuf *m, unsigned n)
{
	size_t len = strlen(story.text);
	char port = 'A';

	while (port_id(port - 'A') != at->port)
		port++;
	assert_int_equal(at->worker, 0);
	snprintf(
		story.text + len, sizeof(story.text) - len, "%s%c %s", len ? ", " : "", port, what);
	story.last = m;
	story.packets += n;
}

static void seen(struct dp_trace *trace, const struct dp_site *at, unsigned point,
	struct rte_mbuf *const *pkts, uint16_t n)
{
	assert_ptr_equal(trace, &story.trace);
	assert_true(n > 0);
	tell(at, dp_point_name(point), pkts[0], n);
}

static void dropped_one(struct dp_trace *trace, const struct dp_site *at,
	enum dp_drop_reason reason, const struct rte_mbuf *m, uint32_t n)
{
	assert_ptr_equal(trace, &story.trace);
	tell(at, dp_drop_info[reason].name, m, n);
}

static void watch(uint16_t port_id)
{
	memset(&story, 0, sizeof(story));
	story.trace = (struct dp_trace){.seen = seen, .dropped = dropped_one};
	dp_trace_set(the_dp(), port_id, &story.trace);
}

// What was told since the last time, of so many packets.
static void told(const char *text, unsigned packets)
{
	assert_string_equal(story.text, text);
	assert_int_equal(story.packets, packets);
	story.text[0] = '\0';
	story.packets = 0;
}

static const struct frame to_all = {.dst = BROADCAST, .src = HOST(2)},
			  to_b = {.dst = HOST(2), .src = HOST(1)};

static void test_every_stage_is_told(void **state)
{
	const struct mac mac = {{2, 0, 0, 0, 0, 1}};
	struct dp_guard guard;
	struct rte_mbuf *m;

	dp_guard_init(&guard, &mac);
	PORTS({.guard = &guard}, {});
	watch(DP_ALL_PORTS);
	passes(B, to_all, ON(A));
	told("B parse, B learn, B lookup, B flood, A tx", 5);
	m = frame_new(to_b);
	send_mbuf(A, m);
	run();
	told("A parse, A guard, A learn, A lookup, A egress, B tx", 6);
	assert_ptr_equal(story.last, m);
	expect(B, to_b);
	silence();
}

static void test_a_batch_is_told_once(void **state)
{
	PORTS({}, {});
	passes(B, to_all, ON(A));
	watch(DP_ALL_PORTS);
	for (unsigned i = 0; i < 3; i++)
		send_frame(A, to_b);
	run();
	told("A parse, A learn, A lookup, A egress, B tx", 15);
	for (unsigned i = 0; i < 3; i++)
		expect(B, to_b);
	silence();
}

// Those of a tunnel have stages of their own before.
static void test_what_is_received_for_others(void **state)
{
	const struct port_spec tunnel = {.tunnel = true, .no_learning = true};
	struct dp_worker_stats stats;
	struct rte_mbuf *m;

	PORTS({}, tunnel, {.demux = true}, {.tunnel = true, .bridge = 1}, {.bridge = 1});
	watch(DP_ALL_PORTS);
	for (unsigned i = 0; i < 3; i++) {
		m = frame_new(to_all);
		dp_set_remote(m, 1);
		dp_set_input(m, port_id(i == 1 ? D : B));
		send_mbuf(C, m);
	}
	run();
	told("C gro, C demux, B parse, B learn, B lookup, B flood, D parse, D learn, D lookup, "
	     "D flood, A tx, E tx",
		3 + 3 + 4 * 2 + 4 + 2 + 1);
	expect(A, to_all);
	expect(A, to_all);
	expect(E, to_all);
	// The port that it was for has gone.
	m = frame_new(to_all);
	dp_set_input(m, 4000);
	send_mbuf(C, m);
	run();
	told("C gro, C demux, C no_bridge", 3);
	drops(C, DP_DROP_NO_BRIDGE, 1);
	silence();
	dp_worker_stats(the_dp(), 0, &stats);
	assert_int_equal(stats.stage[DP_STAGE_GRO].calls, 2);
	assert_int_equal(stats.stage[DP_STAGE_GRO].packets, 4);
	assert_int_equal(stats.stage[DP_STAGE_DEMUX].packets, 4);
	assert_int_equal(stats.stage[DP_STAGE_PARSE].packets, 3);
	assert_true(stats.stage[DP_STAGE_DEMUX].cycles > 0);
}

static void test_drops_are_told_with_their_place(void **state)
{
	struct frame back = FRAME(.dst = HOST(2), .src = HOST(3));
	struct frame large = FRAME(.dst = HOST(2), .src = HOST(1), .bytes = 1515);
	struct rte_mbuf *m;

	PORTS({}, {});
	passes(B, to_all, ON(A));
	watch(DP_ALL_PORTS);
	m = frame_new(back);
	send_mbuf(B, m);
	run();
	told("B parse, B learn, B lookup, B hairpin", 4);
	assert_ptr_equal(story.last, m);
	drops(B, DP_DROP_HAIRPIN, 1);
	// Where it had to leave.
	send_frame(A, large);
	run();
	told("A parse, A learn, A lookup, A egress, B tx_too_big", 5);
	drops(B, DP_DROP_TX_TOO_BIG, 1);
	silence();
}

static void test_a_port_that_refuses(void **state)
{
	PORTS({}, {.tx_room = 1});
	passes(B, to_all, ON(A));
	watch(DP_ALL_PORTS);
	send_frame(A, to_b);
	send_frame(A, to_b);
	run();
	told("A parse, A learn, A lookup, A egress, B tx, B tx_full", 11);
	expect(B, to_b);
	drops(B, DP_DROP_TX_FULL, 1);
	silence();
}

static void test_a_copy_that_there_is_no_buffer_for(void **state)
{
	struct frame tagged = FRAME(.dst = BROADCAST, .src = HOST(2), .tag = TAG(10));

	PORTS({}, {ACCESS(10)});
	watch(DP_ALL_PORTS);
	dp_pool_hog(0);
	send_frame(A, tagged);
	run();
	told("A parse, A learn, A lookup, A flood, A flood_no_buffer", 5);
	drops(A, DP_DROP_FLOOD_NO_BUFFER, 1);
	dp_pool_release();
	silence();
}

static void test_one_port_is_watched(void **state)
{
	PORTS({}, {}, {});
	watch(port_id(B));
	passes(A, FRAME(.dst = BROADCAST, .src = HOST(1)), ON(B) | ON(C));
	told("B tx", 1);
	passes(B, to_all, ON(A) | ON(C));
	told("B parse, B learn, B lookup, B flood", 4);
	dp_trace_set(the_dp(), port_id(B), NULL);
	passes(B, to_all, ON(A) | ON(C));
	told("", 0);
}

int group_trace(void)
{
	const struct CMUnitTest tests[] = {
		DP_TEST(test_every_stage_is_told),
		DP_TEST(test_a_batch_is_told_once),
		DP_TEST(test_what_is_received_for_others),
		DP_TEST(test_drops_are_told_with_their_place),
		DP_TEST(test_a_port_that_refuses),
		DP_TEST(test_a_copy_that_there_is_no_buffer_for),
		DP_TEST(test_one_port_is_watched),
	};

	return cmocka_run_group_tests_name("trace", tests, NULL, NULL);
}
