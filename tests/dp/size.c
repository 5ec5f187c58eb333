// SPDX-License-Identifier: BSD-3-Clause
// What is too large for the port it has to leave by. The MTU limits what is behind the Ethernet
// header and its tag.
#include "dp/offload.h"
#include "tests/dp/harness.h"

#define ETHERNET_BYTES 14

static void test_mtu(void **state)
{
	PORTS({.mtu = 9000}, {}, {.mtu = 1400}, {.mtu = 9000});
	passes(A, FRAME(.dst = BROADCAST, .src = HOST(1), .bytes = ETHERNET_BYTES + 1400),
		ON(B) | ON(C) | ON(D));
	send_frame(A, FRAME(.dst = BROADCAST, .src = HOST(1), .bytes = ETHERNET_BYTES + 1401));
	run();
	expect(B, FRAME(.dst = BROADCAST, .src = HOST(1), .bytes = ETHERNET_BYTES + 1401));
	expect(D, FRAME(.dst = BROADCAST, .src = HOST(1), .bytes = ETHERNET_BYTES + 1401));
	drops(C, DP_DROP_TX_TOO_BIG, 1);
	send_frame(A, FRAME(.dst = BROADCAST, .src = HOST(1), .bytes = ETHERNET_BYTES + 1501));
	run();
	expect(D, FRAME(.dst = BROADCAST, .src = HOST(1), .bytes = ETHERNET_BYTES + 1501));
	drops(B, DP_DROP_TX_TOO_BIG, 1);
	drops(C, DP_DROP_TX_TOO_BIG, 1);
}

static void test_mtu_of_a_known_destination(void **state)
{
	PORTS({.mtu = 9000}, {}, {});
	passes(B, FRAME(.dst = BROADCAST, .src = HOST(2)), ON(A) | ON(C));
	passes(A, FRAME(.dst = HOST(2), .src = HOST(1), .bytes = ETHERNET_BYTES + 1500), ON(B));
	dropped(A, FRAME(.dst = HOST(2), .src = HOST(1), .bytes = ETHERNET_BYTES + 1501), B,
		DP_DROP_TX_TOO_BIG);
	// Received is what comes: the MTU limits what leaves.
	passes(B, FRAME(.dst = HOST(1), .src = HOST(2), .bytes = ETHERNET_BYTES + 9000), ON(A));
}

// The tag is not counted, whether it was there, is taken off or added.
static void test_tags_are_not_counted(void **state)
{
	struct frame largest = FRAME(.dst = BROADCAST, .src = HOST(1),
		.bytes = ETHERNET_BYTES + 1500, .tag = TAG(10));
	struct frame larger = largest;

	PORTS({}, {}, {ACCESS(10)}, {ACCESS(10)});
	larger.bytes++;
	send_frame(A, largest);
	run();
	expect(B, largest);
	largest.tag = 0;
	expect(C, largest);
	expect(D, largest);
	send_frame(A, larger);
	run();
	for (unsigned port = B; port <= D; port++)
		drops(port, DP_DROP_TX_TOO_BIG, 1);

	send_frame(C, largest);
	run();
	expect(D, largest);
	largest.tag = TAG(10);
	expect(A, largest);
	expect(B, largest);
	larger.tag = 0;
	send_frame(C, larger);
	run();
	drops(A, DP_DROP_TX_TOO_BIG, 1);
	drops(B, DP_DROP_TX_TOO_BIG, 1);
	drops(D, DP_DROP_TX_TOO_BIG, 1);
}

// A second tag is payload.
static void test_inner_tag_is_counted(void **state)
{
	struct frame f = FRAME(.dst = BROADCAST, .src = HOST(1), .tag = TAG(10),
		.inner_tag = TAG(20), .bytes = ETHERNET_BYTES + 1496);

	PORTS({}, {});
	passes(A, f, ON(B));
	f.bytes++;
	dropped(A, f, B, DP_DROP_TX_TOO_BIG);
	// Not so a priority tag, which is gone by then.
	f.tag = TAG(0);
	f.inner_tag = 0;
	f.bytes = ETHERNET_BYTES + 1500;
	send_frame(A, f);
	run();
	f.tag = 0;
	expect(B, f);
	// Nor one with a priority. Through a tunnel, where the tag is payload, it stays if there is
	// room.
	f.tag = TAG(5 << 13);
	passes(A, f, ON(B));
	port_spec(B)->tunnel = true;
	publish();
	send_frame(A, f);
	run();
	f.tag = 0;
	expect(B, f);
	f.tag = TAG(5 << 13);
	f.bytes -= 4;
	passes(A, f, ON(B));
}

static void test_jumbo_frames(void **state)
{
	struct frame f = FRAME(.dst = BROADCAST, .src = HOST(1), .bytes = ETHERNET_BYTES + 9000);

	PORTS({.mtu = 9000}, {.mtu = 9000},
		{.mtu = 9000, .tx_offloads = RTE_ETH_TX_OFFLOAD_MULTI_SEGS});
	passes(A, f, ON(B) | ON(C));
	// In a chain it fits no buffer of 2 KiB: a port that takes one buffer cannot have it.
	f.chunk_bytes = 1000;
	send_frame(A, f);
	run();
	expect(C, f);
	drops(B, DP_DROP_TX_GSO, 1);
}

static void send_large(uint64_t ol_flags)
{
	struct rte_mbuf *m = frame_new(
		FRAME(.dst = BROADCAST, .src = HOST(1), .bytes = ETHERNET_BYTES + 40 + 4000));

	m->ol_flags |=
		RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_IPV4 | ol_flags;
	m->l2_len = ETHERNET_BYTES;
	m->l3_len = 20;
	m->l4_len = 20;
	m->tso_segsz = 1460;
	send_mbuf(A, m);
	run();
}

// Who sent a large segment knows the size of its parts; what a tunnel received whole, nobody does.
static void test_segments_of_unknown_size_are_made_to_fit(void **state)
{
	struct rte_mbuf *m;

	PORTS({}, {.mtu = 1400, .tx_offloads = ALL_OFFLOADS});
	send_large(0);
	drops(B, DP_DROP_TX_TOO_BIG, 1);
	send_large(DP_ANY_SEGSZ);
	m = next(B);
	assert_int_equal(m->tso_segsz, 1360);
	rte_pktmbuf_free(m);
	silence();
}

int group_size(void)
{
	const struct CMUnitTest tests[] = {
		DP_TEST(test_mtu),
		DP_TEST(test_mtu_of_a_known_destination),
		DP_TEST(test_tags_are_not_counted),
		DP_TEST(test_inner_tag_is_counted),
		DP_TEST(test_jumbo_frames),
		DP_TEST(test_segments_of_unknown_size_are_made_to_fit),
	};

	return cmocka_run_group_tests_name("size", tests, NULL, NULL);
}
