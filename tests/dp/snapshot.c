// SPDX-License-Identifier: BSD-3-Clause
// What the workers do when the ports change between two rounds.
#include "tests/dp/harness.h"

static const struct frame to_2 = {.dst = HOST(2), .src = HOST(1)};
static const struct frame to_all = {.dst = BROADCAST, .src = HOST(1)};

static void learn_2_on_b(void)
{
	passes(B, FRAME(.dst = BROADCAST, .src = HOST(2)), ON(A) | ON(C));
	passes(A, to_2, ON(B));
}

// As vswitch/ does it: out of the snapshot first, flushed and freed when the workers have left.
static void test_port_removed(void **state)
{
	PORTS({}, {}, {});
	learn_2_on_b();
	port_spec(B)->absent = true;
	publish();
	dropped(A, to_2, A, DP_DROP_NO_BRIDGE);
	passes(A, to_all, ON(C));
	dp_fdb_flush_port(the_dp(), port_id(B));
	passes(A, to_2, ON(C));
}

static void test_last_port_removed(void **state)
{
	PORTS({}, {}, {});
	passes(C, FRAME(.dst = BROADCAST, .src = HOST(2)), ON(A) | ON(B));
	// Its number is now above the highest of the snapshot.
	port_spec(C)->absent = true;
	publish();
	dropped(A, to_2, A, DP_DROP_NO_BRIDGE);
}

static void test_port_comes_back(void **state)
{
	PORTS({}, {}, {});
	learn_2_on_b();
	port_spec(B)->absent = true;
	publish();
	// What waits meanwhile is received when the port is back.
	send_frame(B, FRAME(.dst = HOST(1), .src = HOST(2)));
	run();
	port_spec(B)->absent = false;
	publish();
	run();
	expect(A, FRAME(.dst = HOST(1), .src = HOST(2)));
	passes(A, to_2, ON(B));
}

static void test_port_added(void **state)
{
	PORTS({}, {}, {.absent = true});
	passes(A, to_all, ON(B));
	port_spec(C)->absent = false;
	publish();
	passes(A, to_all, ON(B) | ON(C));
}

// What was learned on one bridge must not lead to a port that is now on another.
static void test_port_moves_to_another_bridge(void **state)
{
	PORTS({}, {}, {}, {.bridge = 1});
	learn_2_on_b();
	port_spec(B)->bridge = 1;
	publish();
	dropped(A, to_2, A, DP_DROP_NO_BRIDGE);
	passes(A, to_all, ON(C));
	passes(D, FRAME(.dst = BROADCAST, .src = HOST(4)), ON(B));
	passes(B, FRAME(.dst = BROADCAST, .src = HOST(2)), ON(D));
	passes(D, FRAME(.dst = HOST(2), .src = HOST(4)), ON(B));
}

static void test_vlan_changes(void **state)
{
	PORTS({ACCESS(10)}, {ACCESS(10)}, {ACCESS(10)}, {ACCESS(20)});
	learn_2_on_b();
	port_spec(B)->tag = 20;
	publish();
	// Nothing leaks, whether the address is still remembered or not.
	dropped(A, to_2, B, DP_DROP_TX_VLAN);
	passes(A, to_all, ON(C));
	passes(D, to_all, ON(B));
	passes(B, FRAME(.dst = BROADCAST, .src = HOST(2)), ON(D));
	dp_fdb_flush_port(the_dp(), port_id(B));
	passes(A, to_2, ON(C));
}

static void test_mtu_and_offloads_change(void **state)
{
	struct frame f = FRAME(.dst = BROADCAST, .src = HOST(1), .bytes = 1514, .chunk_bytes = 500);

	PORTS({}, {});
	passes(A, f, ON(B));
	port_spec(B)->mtu = 1400;
	publish();
	dropped(A, f, B, DP_DROP_TX_TOO_BIG);
	port_spec(B)->mtu = 1500;
	port_spec(B)->tx_offloads = RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	publish();
	send_frame(A, f);
	run();
	assert_int_equal(port_spec(B)->tx_offloads, RTE_ETH_TX_OFFLOAD_MULTI_SEGS);
	expect(B, f);
}

// The number of a port that is gone serves the next one: as new.
static void test_port_number_again(void **state)
{
	struct dp_port_stats cnt;
	uint16_t again;

	PORTS({}, {}, {});
	learn_2_on_b();
	port_spec(B)->absent = true;
	publish();
	dp_port_id_free(the_dp(), port_id(B));
	assert_int_equal(dp_port_id_alloc(the_dp(), &again), 0);
	assert_int_equal(again, port_id(B));
	dp_port_stats(the_dp(), again, &cnt);
	assert_int_equal(cnt.rx_packets, 0);
	assert_int_equal(cnt.tx_packets, 0);
	passes(A, to_2, ON(C));
	// Given back without having been in a snapshot.
	dp_port_id_free(the_dp(), again);
	assert_int_equal(dp_port_id_alloc(the_dp(), &again), 0);
	dp_fdb_flush_port(the_dp(), again);
}

static void test_bridge_number_again(void **state)
{
	struct dp_fdb_stats s;

	PORTS({}, {}, {.bridge = 1}, {.bridge = 1});
	passes(C, to_all, ON(D));
	passes(C, FRAME(.dst = BROADCAST, .src = HOST(2), .tag = TAG(10)), ON(D));
	port_spec(C)->absent = port_spec(D)->absent = true;
	publish();
	dp_fdb_flush_port(the_dp(), port_id(C));
	dp_fdb_flush_port(the_dp(), port_id(D));
	dp_bridge_id_free(the_dp(), bridge_id(1));
	dp_fdb_stats(the_dp(), &s);
	assert_int_equal(s.entries, 0);
	assert_int_equal(dp_bridge_id_alloc(the_dp(), &bridge_spec(1)->id), 0);
	port_spec(C)->absent = port_spec(D)->absent = false;
	publish();
	passes(D, FRAME(.dst = HOST(2), .src = HOST(4), .tag = TAG(10)), ON(C));
	passes(A, to_all, ON(B));
}

int group_snapshot(void)
{
	const struct CMUnitTest tests[] = {
		DP_TEST(test_port_removed),
		DP_TEST(test_last_port_removed),
		DP_TEST(test_port_comes_back),
		DP_TEST(test_port_added),
		DP_TEST(test_port_moves_to_another_bridge),
		DP_TEST(test_vlan_changes),
		DP_TEST(test_mtu_and_offloads_change),
		DP_TEST(test_port_number_again),
		DP_TEST(test_bridge_number_again),
	};

	return cmocka_run_group_tests_name("snapshot", tests, NULL, NULL);
}
