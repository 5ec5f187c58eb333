// SPDX-License-Identifier: BSD-3-Clause
// Ports behind which other switches are: which of them an address is behind, and that frames from
// one never go to another.
#include <string.h>

#include "tests/dp/harness.h"

#define TUNNEL .tunnel = true

static struct rte_mbuf *from_remote(uint16_t remote, struct frame frame)
{
	struct rte_mbuf *m = frame_new(frame);

	dp_set_remote(m, remote);
	return m;
}

static void receive(unsigned port, uint16_t remote, struct frame frame)
{
	send_mbuf(port, from_remote(remote, frame));
	run();
}

// The next frame out goes to that remote.
static void expect_to(unsigned port, uint16_t remote, struct frame frame)
{
	struct rte_mbuf *m = next(port);

	assert_int_equal(dp_remote(m), remote);
	assert_int_equal(m->pkt_len, frame.tag ? 64 : 60);
	rte_pktmbuf_free(m);
}

static void test_addresses_are_learned_behind_remotes(void **state)
{
	struct frame to_7 = FRAME(.dst = HOST(7), .src = HOST(1));
	struct frame to_8 = FRAME(.dst = HOST(8), .src = HOST(1));

	PORTS({}, {TUNNEL});
	receive(B, 300, FRAME(.dst = BROADCAST, .src = HOST(7)));
	expect(A, FRAME(.dst = BROADCAST, .src = HOST(7)));
	receive(B, 65535, FRAME(.dst = BROADCAST, .src = HOST(8)));
	expect(A, FRAME(.dst = BROADCAST, .src = HOST(8)));
	// Both in one batch, and the batches of one each.
	send_frame(A, to_7);
	send_frame(A, to_8);
	run();
	expect_to(B, 300, to_7);
	expect_to(B, 65535, to_8);
	for (unsigned i = 0; i < 3; i++)
		send_frame(A, to_7);
	run();
	for (unsigned i = 0; i < 3; i++)
		expect_to(B, 300, to_7);
	silence();
}

static void test_an_address_moves_to_another_remote(void **state)
{
	struct frame back = FRAME(.dst = HOST(7), .src = HOST(1));

	PORTS({}, {TUNNEL});
	receive(B, 1, FRAME(.dst = BROADCAST, .src = HOST(7)));
	expect(A, FRAME(.dst = BROADCAST, .src = HOST(7)));
	receive(B, 2, FRAME(.dst = BROADCAST, .src = HOST(7)));
	expect(A, FRAME(.dst = BROADCAST, .src = HOST(7)));
	send_frame(A, back);
	run();
	expect_to(B, 2, back);
	silence();
}

static void test_what_goes_to_all_goes_to_all_remotes(void **state)
{
	struct frame flood = FRAME(.dst = BROADCAST, .src = HOST(1));
	struct frame unknown = FRAME(.dst = HOST(9), .src = HOST(1));

	PORTS({}, {TUNNEL});
	send_mbuf(A, from_remote(77, flood)); // whatever the field held before
	send_mbuf(A, from_remote(77, unknown));
	run();
	expect_to(B, DP_REMOTE_ALL, flood);
	expect_to(B, DP_REMOTE_ALL, unknown);
	silence();
}

static void test_nothing_goes_from_tunnel_to_tunnel(void **state)
{
	PORTS({}, {TUNNEL}, {TUNNEL});
	receive(B, 1, FRAME(.dst = BROADCAST, .src = HOST(7)));
	expect(A, FRAME(.dst = BROADCAST, .src = HOST(7)));
	receive(C, 1, FRAME(.dst = HOST(7), .src = HOST(8)));
	drops(C, DP_DROP_TUNNEL_TO_TUNNEL, 1);
	receive(C, 1, FRAME(.dst = HOST(9), .src = HOST(8)));
	expect(A, FRAME(.dst = HOST(9), .src = HOST(8)));
	// Nor back, to the same remote or another.
	receive(B, 2, FRAME(.dst = HOST(7), .src = HOST(6)));
	drops(B, DP_DROP_HAIRPIN, 1);
	silence();
}

static void test_flood_with_nobody_but_tunnels(void **state)
{
	PORTS({TUNNEL}, {TUNNEL});
	receive(A, 1, FRAME(.dst = BROADCAST, .src = HOST(7)));
	drops(A, DP_DROP_FLOOD_NOWHERE, 1);
	silence();
}

static void test_static_entries_name_remotes(void **state)
{
	const struct mac mac = {{2, 0, 0, 0, 0, 7}};
	struct frame to = FRAME(.dst = HOST(7), .src = HOST(1));

	PORTS({}, {TUNNEL, .no_learning = true});
	assert_int_equal(dp_fdb_add_static(the_dp(), bridge_id(0), 0, &mac, port_id(B), 1234), 0);
	// It stays, whoever claims the address.
	receive(B, 9, FRAME(.dst = BROADCAST, .src = HOST(7)));
	expect(A, FRAME(.dst = BROADCAST, .src = HOST(7)));
	send_frame(A, to);
	run();
	expect_to(B, 1234, to);
	silence();
}

static void test_without_learning(void **state)
{
	struct frame to = FRAME(.dst = HOST(7), .src = HOST(1));

	PORTS({}, {TUNNEL, .no_learning = true});
	receive(B, 3, FRAME(.dst = BROADCAST, .src = HOST(7)));
	expect(A, FRAME(.dst = BROADCAST, .src = HOST(7)));
	send_frame(A, to);
	run();
	expect_to(B, DP_REMOTE_ALL, to);
	receive(B, 3, FRAME(.dst = BROADCAST, .src = GROUP(7)));
	drops(B, DP_DROP_SRC_INVALID, 1);
	silence();
}

static void test_vlans_reach_remotes_with_and_without_tags(void **state)
{
	struct frame f = FRAME(.dst = HOST(7), .src = HOST(1));

	PORTS({ACCESS(10)}, {TUNNEL, ACCESS(10)}, {TUNNEL});
	receive(B, 3, FRAME(.dst = BROADCAST, .src = HOST(7)));
	expect(A, FRAME(.dst = BROADCAST, .src = HOST(7)));
	receive(C, 4, FRAME(.dst = BROADCAST, .src = HOST(8), .tag = TAG(10)));
	expect(A, FRAME(.dst = BROADCAST, .src = HOST(8)));
	send_frame(A, f);
	run();
	expect_to(B, 3, f);
	f.dst = HOST(8);
	send_frame(A, f);
	run();
	f.tag = TAG(10);
	expect_to(C, 4, f);
	silence();
}

static void input(unsigned demux, unsigned port, uint16_t remote, struct frame frame)
{
	struct rte_mbuf *m = from_remote(remote, frame);

	dp_set_input(m, port_id(port));
	send_mbuf(demux, m);
}

static void test_one_receives_for_others(void **state)
{
	struct frame f = FRAME(.dst = BROADCAST, .src = HOST(7));
	struct dp_port_stats cnt;

	PORTS({}, {TUNNEL}, {.bridge = 1}, {.bridge = 1, TUNNEL}, {.demux = true});
	for (unsigned i = 0; i < 6; i++) {
		f.id = i;
		input(E, i % 2 ? B : D, 1 + i, f);
	}
	run();
	for (unsigned i = 0; i < 6; i++) {
		f.id = i;
		expect(i % 2 ? A : C, f);
	}
	dp_port_stats(the_dp(), port_id(E), &cnt);
	assert_int_equal(cnt.rx_packets, 6);
	assert_int_equal(cnt.rx_bytes, 6 * 60);
	dp_port_stats(the_dp(), port_id(B), &cnt);
	assert_int_equal(cnt.rx_packets, 3);
	silence();
}

// The port that it was for has gone, or never had a bridge.
static void test_input_of_ports_that_are_not_there(void **state)
{
	struct frame f = FRAME(.dst = BROADCAST, .src = HOST(7));
	struct rte_mbuf *m;

	PORTS({}, {TUNNEL}, {.demux = true});
	port_spec(B)->absent = true;
	publish();
	input(C, B, 1, f);
	input(C, C, 1, f);
	m = from_remote(1, f);
	dp_set_input(m, UINT16_MAX);
	send_mbuf(C, m);
	run();
	drops(C, DP_DROP_NO_BRIDGE, 3);
	silence();
}

// An IPv4 packet of 1500 bytes with DF from HOST(1) to HOST(7), in the frame of 1514 bytes.
static void send_ip4(unsigned port, unsigned tag)
{
	static const uint8_t ip[] = {0x45, 0, 1500 >> 8, 1500 & 0xff, 0, 1, 0x40, 0, 64, 17, 0, 0,
		10, 0, 0, 1, 10, 0, 0, 7};
	struct rte_mbuf *m =
		frame_new(FRAME(.dst = HOST(7), .src = HOST(1), .tag = tag, .bytes = 1514));
	uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *) + (tag ? 16 : 12);

	p[0] = 0x08;
	p[1] = 0x00;
	memcpy(p + 2, ip, sizeof(ip));
	send_mbuf(port, m);
	run();
}

// ICMP "fragmentation needed" to HOST(1), with the next hop's MTU (RFC 1191, section 4).
static void expect_too_big(unsigned port, unsigned tag, unsigned mtu)
{
	static const uint8_t macs[] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 7};
	struct rte_mbuf *m = next(port);
	const uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *), *ip = p + (tag ? 18 : 14);

	assert_memory_equal(p, macs, sizeof(macs));
	if (tag)
		assert_int_equal(p[14] << 8 | p[15], tag & 0xffff);
	assert_int_equal(ip[9], 1);
	assert_memory_equal(ip + 12, ((uint8_t[]){10, 0, 0, 7, 10, 0, 0, 1}), 8);
	assert_int_equal(ip[20], 3);
	assert_int_equal(ip[21], 4);
	assert_int_equal(ip[26] << 8 | ip[27], mtu);
	rte_pktmbuf_free(m);
}

static void test_who_sends_too_much_for_a_tunnel_is_told(void **state)
{
	PORTS({}, {TUNNEL, .mtu = 1450}, {.mtu = 1450});
	receive(B, 3, FRAME(.dst = HOST(1), .src = HOST(7)));
	expect(A, FRAME(.dst = HOST(1), .src = HOST(7)));
	expect(C, FRAME(.dst = HOST(1), .src = HOST(7)));
	send_ip4(A, 0);
	drops(B, DP_DROP_TX_TOO_BIG, 1);
	expect_too_big(A, 0, 1450);
	// In another VLAN the address is not known: the frame is flooded, and answered as well.
	send_ip4(A, TAG(10));
	drops(B, DP_DROP_TX_TOO_BIG, 1);
	drops(C, DP_DROP_TX_TOO_BIG, 1);
	expect_too_big(A, TAG(10), 1450);
	silence();
}

static void test_other_ports_drop_what_is_too_big(void **state)
{
	PORTS({}, {.mtu = 1450});
	send_ip4(A, 0);
	drops(B, DP_DROP_TX_TOO_BIG, 1);
	silence();
}

int group_tunnel(void)
{
	const struct CMUnitTest tests[] = {
		DP_TEST(test_addresses_are_learned_behind_remotes),
		DP_TEST(test_an_address_moves_to_another_remote),
		DP_TEST(test_what_goes_to_all_goes_to_all_remotes),
		DP_TEST(test_nothing_goes_from_tunnel_to_tunnel),
		DP_TEST(test_flood_with_nobody_but_tunnels),
		DP_TEST(test_static_entries_name_remotes),
		DP_TEST(test_without_learning),
		DP_TEST(test_vlans_reach_remotes_with_and_without_tags),
		DP_TEST(test_one_receives_for_others),
		DP_TEST(test_input_of_ports_that_are_not_there),
		DP_TEST(test_who_sends_too_much_for_a_tunnel_is_told),
		DP_TEST(test_other_ports_drop_what_is_too_big),
	};

	return cmocka_run_group_tests_name("tunnel", tests, NULL, NULL);
}
