// SPDX-License-Identifier: BSD-3-Clause
// Limits on what is learned, and that a port which invents addresses harms nobody else.
#include "tests/dp/harness.h"

#define SPRAYED 100000
#define NB_KEPT 50

static struct dp_fdb_stats stats(void)
{
	struct dp_fdb_stats s;

	dp_fdb_stats(the_dp(), &s);
	return s;
}

// `count` hosts from `first` on say something, to an address that nobody has.
static void say(unsigned port, unsigned first, unsigned count)
{
	for (unsigned done = 0; done < count;) {
		for (unsigned i = 0; i < 1024 && done < count; i++, done++)
			send_frame(port, FRAME(.dst = GROUP(1), .src = HOST(first + done)));
		run();
	}
}

// How many of these hosts are known: a frame to one is not flooded.
static unsigned known(unsigned from, unsigned witness, unsigned first, unsigned count)
{
	unsigned flooded = sunk(witness);

	for (unsigned i = 0; i < count; i++)
		send_frame(from, FRAME(.dst = HOST(first + i), .src = HOST(0xfffffe)));
	run();
	return count - (sunk(witness) - flooded);
}

// Broadcast, multicast and frames to unknown hosts count; what goes to a known host does not.
static void test_limit_of_floods(void **state)
{
	PORTS({.flood_limit = 20}, {.sink = true}, {.sink = true});
	at_s(1);
	send_frame(B, FRAME(.dst = HOST(1), .src = HOST(9)));
	run_quietly();
	expect(A, FRAME(.dst = HOST(1), .src = HOST(9)));
	for (unsigned second = 1; second < 4; second++) {
		unsigned before = sunk(C), known_before = sunk(B);

		at_s(second);
		for (unsigned i = 0; i < 80; i++) {
			static const uint64_t to[] = {HOST(9), BROADCAST, HOST(9), GROUP(1)};

			send_frame(A, FRAME(.dst = to[i % 4], .src = HOST(1)));
		}
		run();
		drops(A, DP_DROP_FLOOD_LIMIT, 20);
		assert_int_equal(sunk(C) - before, 20);
		assert_int_equal(sunk(B) - known_before, 20 + 40);
	}
}

// Others are not held back, nor is a port without a limit.
static void test_limit_of_floods_by_port(void **state)
{
	PORTS({.flood_limit = 1}, {.sink = true}, {});
	send_frame(A, FRAME(.dst = HOST(5), .src = HOST(1)));
	send_frame(A, FRAME(.dst = HOST(5), .src = HOST(1)));
	run();
	expect(C, FRAME(.dst = HOST(5), .src = HOST(1)));
	drops(A, DP_DROP_FLOOD_LIMIT, 1);
	port_spec(A)->sink = true;
	for (unsigned i = 0; i < 100; i++)
		send_frame(C, FRAME(.dst = BROADCAST, .src = HOST(2)));
	run();
	assert_int_equal(sunk(B), 101);
}

// `count` frames to all from A, of which so many are flooded.
static void flood(unsigned count, unsigned flooded)
{
	unsigned before = sunk(B);

	for (unsigned i = 0; i < count; i++)
		send_frame(A, FRAME(.dst = BROADCAST, .src = HOST(1)));
	run();
	drops(A, DP_DROP_FLOOD_LIMIT, count - flooded);
	assert_int_equal(sunk(B) - before, flooded);
}

// Through tunnels a frame becomes as many as there are remotes, so these count.
static void test_limit_of_floods_to_many(void **state)
{
	PORTS({.flood_limit = 20}, {.sink = true, .tunnel = true, .nb_remotes = 8}, {.sink = true});
	at_s(1);
	flood(30, 20);
	port_spec(B)->nb_remotes = 16;
	publish();
	at_s(2);
	flood(30, 10);
	flood(30, 0);
	port_spec(B)->nb_remotes = 100;
	publish();
	at_s(3);
	flood(30, 1);
	// What was not used is not kept.
	at_s(100);
	flood(30, 1);
	// Less than a frame a second is one in some seconds.
	port_spec(B)->nb_remotes = 480;
	publish();
	for (unsigned second = 101; second < 110; second++) {
		at_s(second);
		flood(30, second % 3 == 2);
	}
	// Others are not held back.
	send_frame(C, FRAME(.dst = BROADCAST, .src = HOST(2)));
	run();
	expect(A, FRAME(.dst = BROADCAST, .src = HOST(2)));
}

// A large segment counts as what it will be cut into.
static void test_limit_of_floods_of_segments(void **state)
{
	struct rte_mbuf *m;

	PORTS({.flood_limit = 20}, {.sink = true, .tx_offloads = ALL_OFFLOADS});
	at_s(1);
	for (unsigned i = 0; i < 3; i++) {
		m = frame_new(FRAME(.dst = BROADCAST, .src = HOST(1), .bytes = 42 + 1000));
		m->ol_flags |= RTE_MBUF_F_TX_UDP_SEG | RTE_MBUF_F_TX_UDP_CKSUM | RTE_MBUF_F_TX_IPV4;
		m->l2_len = 14;
		m->l3_len = 20;
		m->l4_len = 8;
		m->tso_segsz = 111; // 10 of them
		send_mbuf(A, m);
	}
	run();
	drops(A, DP_DROP_FLOOD_LIMIT, 1);
	assert_int_equal(sunk(B), 2);
}

static void test_limit_of_a_port(void **state)
{
	PORTS({.sink = true, .fdb_limit = 20}, {.sink = true}, {.sink = true});
	say(A, 1, 30);
	say(B, 101, 30);
	assert_int_equal(stats().refused, 10);
	assert_int_equal(known(B, C, 1, 30), 20);
	assert_int_equal(known(B, C, 1, 20), 20);
	assert_int_equal(known(A, C, 101, 30), 30);
	// What leaves makes room.
	dp_fdb_flush_port(the_dp(), port_id(A));
	say(A, 21, 10);
	assert_int_equal(known(B, C, 21, 10), 10);
}

static void test_limit_of_a_bridge(void **state)
{
	bridge_spec(0)->fdb_limit = 100;
	PORTS({.sink = true}, {.sink = true}, {.sink = true}, {.bridge = 1, .sink = true},
		{.bridge = 1, .sink = true}, {.bridge = 1, .sink = true});
	say(A, 1, 200);
	assert_int_equal(stats().entries, 100);
	say(D, 1, 200);
	assert_int_equal(stats().entries, 300);
	// Both more and fewer, while it runs.
	bridge_spec(0)->fdb_limit = 150;
	publish();
	say(A, 1, 200);
	assert_int_equal(stats().entries, 350);
	assert_int_equal(known(E, F, 1, 200), 200);
}

// A port has sprayed addresses until the bridge was full; the others were there before, come
// later, and go on.
static void spray(void)
{
	// What they said before...
	say(B, 500000, NB_KEPT);
	for (unsigned round = 0; round < 10; round++) {
		say(A, 1 + round * (SPRAYED / 10), SPRAYED / 10);
		dp_service(the_dp(), (20 + round) * 100000);
	}
	assert_int_equal(known(A, C, 500000, NB_KEPT), NB_KEPT);
	// ... and what they say now, or from where they are now.
	say(C, 600000, NB_KEPT);
	assert_int_equal(known(A, B, 600000, NB_KEPT), NB_KEPT);
	say(D, 500000, NB_KEPT);
	dp_service(the_dp(), 3100000);
	assert_int_equal(known(A, B, 500000, NB_KEPT), NB_KEPT);
	assert_int_equal(known(A, B, 600000, NB_KEPT), NB_KEPT);
	// The sprayer goes on, and still nobody is thrown out.
	say(A, 1, SPRAYED / 10);
	dp_service(the_dp(), 3200000);
	say(A, 1, SPRAYED / 10);
	assert_int_equal(known(A, B, 500000, NB_KEPT), NB_KEPT);
	assert_int_equal(known(A, B, 600000, NB_KEPT), NB_KEPT);
}

static void test_a_sprayer_on_a_limited_bridge(void **state)
{
	bridge_spec(0)->fdb_limit = 2000;
	PORTS({.sink = true}, {.sink = true}, {.sink = true}, {.sink = true});
	spray();
	assert_true(stats().entries <= 2000);
	assert_true(stats().evicted > 0);
}

static void test_a_sprayer_with_a_limit(void **state)
{
	PORTS({.sink = true, .fdb_limit = 100}, {.sink = true}, {.sink = true}, {.sink = true});
	spray();
	assert_in_range(stats().entries, 100, 100 + 2 * NB_KEPT + 2);
}

static void test_a_sprayer_without_limits(void **state)
{
	PORTS({.sink = true}, {.sink = true}, {.sink = true}, {.sink = true});
	spray();
	// The table has grown to take them all; a few wait for their next frame.
	assert_true(stats().entries > SPRAYED * 9 / 10);
	assert_true(stats().slots > stats().entries);
}

// The table is one for all: a full bridge must not take the room of another.
static void test_a_sprayer_on_another_bridge(void **state)
{
	bridge_spec(1)->fdb_limit = 3000;
	PORTS({.sink = true}, {.sink = true}, {.sink = true}, {.bridge = 1, .sink = true},
		{.bridge = 1, .sink = true});
	say(A, 1, NB_KEPT);
	for (unsigned round = 0; round < 10; round++) {
		say(D, 1 + round * (SPRAYED / 10), SPRAYED / 10);
		dp_service(the_dp(), (20 + round) * 100000);
	}
	say(B, 1000, NB_KEPT);
	assert_int_equal(known(B, C, 1, NB_KEPT), NB_KEPT);
	assert_int_equal(known(A, C, 1000, NB_KEPT), NB_KEPT);
}

int group_limits(void)
{
	const struct CMUnitTest tests[] = {
		DP_TEST(test_limit_of_floods),
		DP_TEST(test_limit_of_floods_by_port),
		DP_TEST(test_limit_of_floods_to_many),
		DP_TEST(test_limit_of_floods_of_segments),
		DP_TEST(test_limit_of_a_port),
		DP_TEST(test_limit_of_a_bridge),
		DP_TEST(test_a_sprayer_on_a_limited_bridge),
		DP_TEST(test_a_sprayer_with_a_limit),
		DP_TEST(test_a_sprayer_without_limits),
		DP_TEST(test_a_sprayer_on_another_bridge),
	};

	return cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}
