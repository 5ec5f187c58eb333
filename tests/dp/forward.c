// SPDX-License-Identifier: BSD-3-Clause
// Where frames go: known and unknown destinations, broadcast, what no bridge forwards, batches.
#include "tests/dp/harness.h"

static void test_unknown_is_flooded_known_is_not(void **state)
{
	PORTS({}, {}, {});
	passes(A, FRAME(.dst = HOST(2), .src = HOST(1)), ON(B) | ON(C));
	passes(B, FRAME(.dst = HOST(1), .src = HOST(2)), ON(A));
	passes(A, FRAME(.dst = HOST(2), .src = HOST(1)), ON(B));
	passes(C, FRAME(.dst = HOST(2), .src = HOST(3)), ON(B));
}

static void test_group_addresses_are_flooded(void **state)
{
	PORTS({}, {}, {});
	passes(A, FRAME(.dst = BROADCAST, .src = HOST(1)), ON(B) | ON(C));
	passes(B, FRAME(.dst = GROUP(5), .src = HOST(2)), ON(A) | ON(C));
	// IPv6's, and the neighbours of those that are reserved.
	passes(C, FRAME(.dst = 0x333300000001, .src = HOST(3)), ON(A) | ON(B));
	passes(C, FRAME(.dst = 0x0180c2000010, .src = HOST(3)), ON(A) | ON(B));
	passes(C, FRAME(.dst = 0x0180c2000100, .src = HOST(3)), ON(A) | ON(B));
}

static void test_no_frame_leaves_where_it_came_in(void **state)
{
	PORTS({}, {});
	passes(A, FRAME(.dst = BROADCAST, .src = HOST(1)), ON(B));
	dropped(A, FRAME(.dst = HOST(1), .src = HOST(9)), A, DP_DROP_HAIRPIN);
	dropped(A, FRAME(.dst = HOST(1), .src = HOST(1)), A, DP_DROP_HAIRPIN);
}

static void test_alone_on_the_bridge(void **state)
{
	PORTS({}, {.bridge = 1});
	dropped(A, FRAME(.dst = BROADCAST, .src = HOST(1)), A, DP_DROP_FLOOD_NOWHERE);
	dropped(B, FRAME(.dst = HOST(1), .src = HOST(2)), B, DP_DROP_FLOOD_NOWHERE);
}

static void test_reserved_addresses(void **state)
{
	PORTS({}, {});
	for (unsigned i = 0; i < 16; i++)
		dropped(A, FRAME(.dst = LINK_LOCAL(i), .src = HOST(1)), A, DP_DROP_LINK_LOCAL);
	dropped(A, FRAME(.dst = LINK_LOCAL(3), .src = HOST(1), .tag = TAG(7)), A,
		DP_DROP_LINK_LOCAL);
	// Nothing was learned from them either.
	passes(B, FRAME(.dst = HOST(1), .src = HOST(2)), ON(A));
}

static void test_source_addresses_that_cannot_be(void **state)
{
	PORTS({}, {});
	dropped(A, FRAME(.dst = HOST(2), .src = 0), A, DP_DROP_SRC_INVALID);
	dropped(A, FRAME(.dst = HOST(2), .src = BROADCAST), A, DP_DROP_SRC_INVALID);
	dropped(A, FRAME(.dst = HOST(2), .src = GROUP(1)), A, DP_DROP_SRC_INVALID);
	dropped(A, FRAME(.dst = BROADCAST, .src = GROUP(1), .tag = TAG(5)), A, DP_DROP_SRC_INVALID);
}

static void test_short_frames(void **state)
{
	PORTS({}, {});
	passes(A, FRAME(.dst = BROADCAST, .src = HOST(1), .bytes = 14), ON(B));
	for (unsigned bytes = 1; bytes < 14; bytes++)
		dropped(A, FRAME(.dst = BROADCAST, .src = HOST(1), .bytes = bytes), A,
			DP_DROP_RX_SHORT);
	send_mbuf(A, mbuf_new("", 0, 0));
	run();
	drops(A, DP_DROP_RX_SHORT, 1);
	// With a tag, the length of which is not in `bytes`.
	passes(A, FRAME(.dst = BROADCAST, .src = HOST(1), .tag = TAG(5), .bytes = 14), ON(B));
	for (unsigned bytes = 1; bytes < 14; bytes++)
		dropped(A, FRAME(.dst = BROADCAST, .src = HOST(1), .tag = TAG(5), .bytes = bytes),
			A, DP_DROP_RX_SHORT);
}

static void test_chains_are_forwarded_whole(void **state)
{
	PORTS({}, {.tx_offloads = RTE_ETH_TX_OFFLOAD_MULTI_SEGS}, {});
	for (unsigned chunk_bytes = 18; chunk_bytes < 1514; chunk_bytes += 149)
		passes(A,
			FRAME(.dst = BROADCAST, .src = HOST(1), .bytes = 1514,
				.chunk_bytes = chunk_bytes),
			ON(B) | ON(C));
}

static void test_full_transmit_queue(void **state)
{
	PORTS({}, {.tx_room = 10}, {});
	for (unsigned i = 0; i < 100; i++)
		send_frame(A, FRAME(.dst = BROADCAST, .src = HOST(1), .id = i));
	run();
	for (unsigned i = 0; i < 10; i++)
		expect(B, FRAME(.dst = BROADCAST, .src = HOST(1), .id = i));
	drops(B, DP_DROP_TX_FULL, 90);
	// The others are not concerned.
	for (unsigned i = 0; i < 100; i++)
		expect(C, FRAME(.dst = BROADCAST, .src = HOST(1), .id = i));
}

// ---- batches ----

static const unsigned batch_sizes[] = {1, 2, 63, 64, 65, 127, 128, 129, 300};

static void test_batch_boundaries_known(void **state)
{
	PORTS({}, {}, {});
	passes(B, FRAME(.dst = BROADCAST, .src = HOST(2)), ON(A) | ON(C));
	for (unsigned b = 0; b < RTE_DIM(batch_sizes); b++) {
		for (unsigned i = 0; i < batch_sizes[b]; i++)
			send_frame(A, FRAME(.dst = HOST(2), .src = HOST(1), .id = i));
		run();
		for (unsigned i = 0; i < batch_sizes[b]; i++)
			expect(B, FRAME(.dst = HOST(2), .src = HOST(1), .id = i));
	}
}

static void test_batch_boundaries_flood(void **state)
{
	PORTS({}, {}, {ACCESS(7)}, {});
	for (unsigned b = 0; b < RTE_DIM(batch_sizes); b++) {
		for (unsigned i = 0; i < batch_sizes[b]; i++)
			send_frame(A, FRAME(.dst = BROADCAST, .src = HOST(1), .id = i,
					      .tag = i % 2 ? TAG(7) : 0));
		run();
		for (unsigned i = 0; i < batch_sizes[b]; i++) {
			struct frame f = FRAME(.dst = BROADCAST, .src = HOST(1), .id = i,
				.tag = i % 2 ? TAG(7) : 0);

			expect(B, f);
			expect(D, f);
			f.tag = 0;
			if (i % 2)
				expect(C, f);
		}
	}
}

static void test_both_directions_in_one_round(void **state)
{
	PORTS({}, {});
	passes(A, FRAME(.dst = BROADCAST, .src = HOST(1)), ON(B));
	passes(B, FRAME(.dst = BROADCAST, .src = HOST(2)), ON(A));
	for (unsigned i = 0; i < 100; i++) {
		send_frame(A, FRAME(.dst = HOST(2), .src = HOST(1), .id = i));
		send_frame(B, FRAME(.dst = HOST(1), .src = HOST(2), .id = i));
	}
	run();
	for (unsigned i = 0; i < 100; i++) {
		expect(B, FRAME(.dst = HOST(2), .src = HOST(1), .id = i));
		expect(A, FRAME(.dst = HOST(1), .src = HOST(2), .id = i));
	}
}

// Takes `count` packets that left by `port`; those of one flow (number modulo `nb_flows`) are to be
// in order.
static void expect_flows(unsigned port, unsigned count, unsigned nb_flows)
{
	unsigned last[8] = {0}, seen[8] = {0};

	for (unsigned i = 0; i < count; i++) {
		struct rte_mbuf *m = next(port);
		const uint8_t *bytes = rte_pktmbuf_mtod(m, uint8_t *);
		unsigned id = (uint8_t)(bytes[16] - 7 * 16), flow = id % nb_flows;

		assert_true(!seen[flow] || id > last[flow]);
		last[flow] = id;
		seen[flow]++;
		rte_pktmbuf_free(m);
	}
}

// Known, unknown, broadcast, dropped, another port: in each flow the order stays.
static void test_mixed_batches_keep_the_order_of_flows(void **state)
{
	PORTS({}, {}, {});
	passes(B, FRAME(.dst = BROADCAST, .src = HOST(2)), ON(A) | ON(C));
	passes(C, FRAME(.dst = BROADCAST, .src = HOST(3)), ON(A) | ON(B));
	for (unsigned i = 0; i < 250; i++) {
		const uint64_t dst[] = {HOST(2), HOST(3), HOST(99), BROADCAST, LINK_LOCAL(0)};

		send_frame(A, FRAME(.dst = dst[i % 5], .src = HOST(1), .id = i));
	}
	run();
	expect_flows(B, 150, 5);
	expect_flows(C, 150, 5);
	drops(A, DP_DROP_LINK_LOCAL, 50);
}

static void test_reserved_addresses_are_offered(void **state)
{
	struct dp_port_stats cnt;

	PORTS({.takes = true}, {});
	for (unsigned i = 0; i < 250; i++) {
		const uint64_t dst[] = {LINK_LOCAL(1), BROADCAST, LINK_LOCAL(2), GROUP(1)};

		send_frame(A, FRAME(.dst = dst[i % 4], .src = HOST(1), .id = i));
	}
	run();
	expect_flows(B, 125, 4);
	drops(A, DP_DROP_LINK_LOCAL, 62); // the rest is taken
	dp_port_stats(the_dp(), port_id(A), &cnt);
	assert_int_equal(cnt.rx_packets, 250);
	dropped(B, FRAME(.dst = LINK_LOCAL(1), .src = HOST(2)), B, DP_DROP_LINK_LOCAL);
}

static void test_counters(void **state)
{
	struct dp_port_stats cnt;

	PORTS({}, {ACCESS(9)}, {});
	for (unsigned i = 0; i < 10; i++)
		send_frame(A, FRAME(.dst = BROADCAST, .src = HOST(1), .bytes = 100, .tag = TAG(9)));
	run();
	for (unsigned i = 0; i < 10; i++) {
		expect(B, FRAME(.dst = BROADCAST, .src = HOST(1), .bytes = 100));
		expect(C, FRAME(.dst = BROADCAST, .src = HOST(1), .bytes = 100, .tag = TAG(9)));
	}
	dp_port_stats(the_dp(), port_id(A), &cnt);
	assert_int_equal(cnt.rx_packets, 10);
	assert_int_equal(cnt.rx_bytes, 1040);
	assert_int_equal(cnt.tx_packets, 0);
	dp_port_stats(the_dp(), port_id(B), &cnt);
	assert_int_equal(cnt.rx_packets, 0);
	assert_int_equal(cnt.tx_packets, 10);
	assert_int_equal(cnt.tx_bytes, 1000);
}

// Of two isolated ports neither gets what the other one sends, known or not; all others do.
static void test_isolated_ports(void **state)
{
	struct frame to_1 = FRAME(.dst = HOST(1), .src = HOST(2));

	PORTS({.isolated = true}, {.isolated = true}, {});
	passes(A, FRAME(.dst = BROADCAST, .src = HOST(1)), ON(C));
	passes(B, FRAME(.dst = HOST(9), .src = HOST(2)), ON(C));
	dropped(B, to_1, B, DP_DROP_ISOLATED);
	passes(C, FRAME(.dst = HOST(1), .src = HOST(3)), ON(A));
	passes(C, FRAME(.dst = BROADCAST, .src = HOST(3)), ON(A) | ON(B));
	passes(A, FRAME(.dst = HOST(3), .src = HOST(1)), ON(C));
	port_spec(C)->absent = true;
	publish();
	dropped(A, FRAME(.dst = BROADCAST, .src = HOST(1)), A, DP_DROP_FLOOD_NOWHERE);
	port_spec(A)->isolated = false;
	publish();
	passes(B, to_1, ON(A));
	silence();
}

// The gateway of a network, which is on each host with the same address: bound to its port, and
// apart from the port of the tunnel.
static void test_a_gateway_stays_on_its_host(void **state)
{
	const struct mac gateway = {{2, 0, 0, 0, 0, 1}};

	PORTS({.isolated = true}, {.isolated = true, .tunnel = true}, {});
	assert_int_equal(dp_fdb_add_static(the_dp(), bridge_id(0), 0, &gateway, port_id(A), 0), 0);
	passes(A, FRAME(.dst = BROADCAST, .src = HOST(1)), ON(C));
	// From another host whose gateway got out: it is not learned there.
	passes(B, FRAME(.dst = BROADCAST, .src = HOST(1)), ON(C));
	passes(C, FRAME(.dst = HOST(1), .src = HOST(3)), ON(A));
	dropped(B, FRAME(.dst = HOST(1), .src = HOST(7)), B, DP_DROP_ISOLATED);
	dropped(A, FRAME(.dst = HOST(7), .src = HOST(1)), A, DP_DROP_ISOLATED);
	silence();
}

int group_forward(void)
{
	const struct CMUnitTest tests[] = {
		DP_TEST(test_unknown_is_flooded_known_is_not),
		DP_TEST(test_group_addresses_are_flooded),
		DP_TEST(test_no_frame_leaves_where_it_came_in),
		DP_TEST(test_alone_on_the_bridge),
		DP_TEST(test_reserved_addresses),
		DP_TEST(test_reserved_addresses_are_offered),
		DP_TEST(test_source_addresses_that_cannot_be),
		DP_TEST(test_short_frames),
		DP_TEST(test_chains_are_forwarded_whole),
		DP_TEST(test_full_transmit_queue),
		DP_TEST(test_batch_boundaries_known),
		DP_TEST(test_batch_boundaries_flood),
		DP_TEST(test_both_directions_in_one_round),
		DP_TEST(test_mixed_batches_keep_the_order_of_flows),
		DP_TEST(test_counters),
		DP_TEST(test_isolated_ports),
		DP_TEST(test_a_gateway_stays_on_its_host),
	};

	return cmocka_run_group_tests_name("forward", tests, NULL, NULL);
}
