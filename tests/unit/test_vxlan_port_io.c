// SPDX-License-Identifier: BSD-3-Clause
// A VTEP that has a port to itself: outer headers on and off, compared with packets made
// from scratch; what is refused, and why.
#include "tests/unit/port_end.h"

// ---- encapsulation ----

static void test_sizes(void **state)
{
	const unsigned max = 1500 - outer_bytes() + 14;

	add_known(2, false);
	for (unsigned len = 14; len <= max; len += len < 200 || len > max - 10 ? 1 : 97) {
		send_to(2, len, len);
		sent_to(2, 2, len, len);
		nothing_more();
	}
	send_to(2, 1, max + 1);
	dropped(&tx_cnt, DP_DROP_TX_TOO_BIG, 1);
	assert_int_equal(vtep_mtu(vtep), 1500 - outer_bytes());
}

static void test_checksum(void **state)
{
	conf.no_checksum = false;
	reopen();
	add_known(2, false);
	for (unsigned len = 60; len < 200; len++) {
		send_to(2, len, len);
		sent_to(2, 2, len, len);
	}
	nothing_more();
}

// A sum of zero is sent as its other form: zero says that there is none (RFC 768).
static void test_checksum_of_zero(void **state)
{
	uint8_t frame[60] = {0}, want[256], *field = want + 14 + ip_bytes() + 6;
	struct outer o = {.to = mac_of(2),
		.from = own_mac,
		.dst = 2,
		.src = 1,
		.dst_port = 4789,
		.number = VNI,
		.checksum = true};
	struct rte_mbuf *m;
	unsigned len, i = 0;

	conf.no_checksum = false;
	reopen();
	add_known(2, false);
	o.src_port = vxlan_src_port(vxlan_flow_hash(frame, sizeof(frame)));
	do {
		put16(frame + 40, i++);
		len = wrap(want, &o, frame, sizeof(frame));
	} while (field[0] != 0xff || field[1] != 0xff);
	m = chain_of(frame, sizeof(frame), sizeof(frame));
	dp_set_remote(m, number_of(2));
	transmit(&m, 1);
	sent_bytes(want, len);
	nothing_more();
}

// The lower port fills checksums: it gets the sum of the pseudo header.
static void test_checksum_is_left(void **state)
{
	uint8_t want[PACKET_BYTES], *ip = want + 14;
	unsigned len;
	struct rte_mbuf *m;

	conf.no_checksum = false;
	lower.tx_offloads |= RTE_ETH_TX_OFFLOAD_UDP_CKSUM;
	reopen();
	add_known(2, false);
	send_to(2, 1, 100);
	m = next();
	assert_int_equal(m->ol_flags & (DP_OFFLOAD_FLAGS | RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IPV6),
		RTE_MBUF_F_TX_UDP_CKSUM | (v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4));
	assert_int_equal(m->l2_len, 14);
	assert_int_equal(m->l3_len, ip_bytes());
	len = expected(want, 2, 2, 1, 100);
	put16(ip + ip_bytes() + 6,
		slow_sum(v6 ? ip + 8 : ip + 12, v6 ? 32 : 8, len - 14 - ip_bytes() + 17));
	assert_bytes(m, want, len);
	rte_pktmbuf_free(m);
	nothing_more();
}

static void flood_of(unsigned refs)
{
	uint8_t frame[PACKET_BYTES];
	unsigned len = inner_of(frame, 5, 100);
	struct rte_mbuf *m = frame_to(0, 5, 100);

	rte_mbuf_refcnt_update(m, refs - 1);
	transmit(&m, 1);
	if (refs > 1) { // others have it as it was
		assert_bytes(m, frame, len);
		for (unsigned i = 1; i < refs; i++)
			rte_pktmbuf_free(m);
	}
}

static void test_flood(void **state)
{
	for (unsigned chains = 0; chains < 2; chains++) {
		lower.tx_offloads = chains ? RTE_ETH_TX_OFFLOAD_MULTI_SEGS : 0;
		reopen();
		flood_of(1);
		dropped(&tx_cnt, DP_DROP_TUNNEL_NO_REMOTE, 1);
		add_known(2, true);
		for (unsigned refs = 1; refs < 3; refs++) {
			flood_of(refs);
			sent_to(2, 2, 5, 100);
			nothing_more();
		}
		add_known(3, true);
		add_known(4, false);
		for (unsigned refs = 1; refs < 3; refs++) {
			flood_of(refs);
			sent_to(2, 2, 5, 100);
			sent_to(3, 3, 5, 100);
			nothing_more();
		}
		del_remote(2, true);
		del_remote(3, true);
		del_remote(4, false);
	}
}

// Others have the frame, which goes to one remote.
static void test_shared(void **state)
{
	uint8_t frame[256];
	unsigned len = inner_of(frame, 5, 100);
	struct rte_mbuf *m;

	add_known(2, false);
	m = frame_to(2, 5, 100);
	rte_mbuf_refcnt_update(m, 1);
	transmit(&m, 1);
	assert_bytes(m, frame, len);
	rte_pktmbuf_free(m);
	sent_to(2, 2, 5, 100);
	nothing_more();
}

static void test_no_room_in_front(void **state)
{
	struct rte_mbuf *m;

	add_known(2, false);
	for (unsigned room = 0; room < outer_bytes() + 2; room++) {
		m = frame_to(2, 3, 100);
		memmove((char *)m->buf_addr + room, rte_pktmbuf_mtod(m, void *), m->data_len);
		m->data_off = room;
		transmit(&m, 1);
		sent_to(2, 2, 3, 100);
	}
	nothing_more();
}

static void test_full_batches(void **state)
{
	struct rte_mbuf *m[DP_BURST];

	for (unsigned host = 2; host < 10; host++)
		add_known(host, true);
	for (unsigned i = 0; i < DP_BURST; i++)
		m[i] = frame_to(2 + i % 8, i, 60 + i);
	transmit(m, DP_BURST);
	for (unsigned i = 0; i < DP_BURST; i++)
		sent_to(2 + i % 8, 2 + i % 8, i, 60 + i);
	nothing_more();
	// Each to all of eight.
	for (unsigned i = 0; i < DP_BURST; i++)
		m[i] = frame_to(0, i, 60 + i);
	transmit(m, DP_BURST);
	for (unsigned i = 0; i < DP_BURST * 8; i++)
		rte_pktmbuf_free(next());
	nothing_more();
}

// ---- decapsulation ----

static void test_receives(void **state)
{
	uint8_t frame[PACKET_BYTES], pkt[PACKET_BYTES];

	add_known(2, false);
	for (unsigned checksum = 0; checksum < 2; checksum++) {
		for (unsigned len = 14; len < 1400; len += len < 100 ? 1 : 57) {
			struct outer o = from_host(2);
			unsigned n = inner_of(frame, len, len), total;

			o.checksum = checksum;
			total = wrap(pkt, &o, frame, n);
			for (unsigned pad = 0; pad < 3; pad++) {
				receive(pkt, total + pad);
				got_frame(0, 2, frame, n);
			}
			// In two buffers.
			put_in(chain_of(pkt, total, outer_bytes() + 14));
			poll_end();
			got_frame(0, 2, frame, n);
		}
	}
}

static void refuse(unsigned at, uint8_t xor, enum dp_drop_reason reason, int fix)
{
	uint8_t frame[256], pkt[256];
	struct outer o = from_host(2);
	unsigned len = inner_of(frame, 1, 100);

	len = wrap(pkt, &o, frame, len);
	pkt[at] ^= xor;
	if (fix)
		sums(pkt, len - 14 - ip_bytes(), v6);
	receive(pkt, len);
	got_nothing(reason);
}

static void test_refuses(void **state)
{
	const unsigned udp = 14 + ip_bytes(), hdr = udp + 8;
	uint8_t frame[256], pkt[256];
	struct outer o = from_host(3);
	unsigned len;

	add_known(2, false);
	refuse(0, 4, DP_DROP_TUNNEL_OTHER, 1);		  // another MAC
	refuse(12, 1, DP_DROP_TUNNEL_OTHER, 0);		  // no IP
	refuse(14, 0x20, DP_DROP_TUNNEL_OTHER, 0);	  // version
	refuse(udp - 1, 1, DP_DROP_TUNNEL_OTHER, 1);	  // another address
	refuse(udp + 3, 1, DP_DROP_TUNNEL_OTHER, 1);	  // another UDP port
	refuse(v6 ? 20 : 23, 1, DP_DROP_TUNNEL_OTHER, 1); // no UDP
	refuse(udp + 5, 1, DP_DROP_TUNNEL_OUTER, 1);	  // lengths that disagree
	refuse(udp + 4, 1, DP_DROP_TUNNEL_OUTER, 1);
	refuse(v6 ? 18 : 16, 1, DP_DROP_TUNNEL_OUTER, 1);
	refuse(v6 ? 19 : 17, 1, DP_DROP_TUNNEL_OUTER, 1);
	refuse(udp + 6, 1, DP_DROP_TUNNEL_OUTER, 0); // checksum
	refuse(udp + 7, 1, DP_DROP_TUNNEL_OUTER, 0);
	if (!v6) {
		refuse(14, 0x03, DP_DROP_TUNNEL_OUTER, 1); // options
		refuse(20, 0x20, DP_DROP_TUNNEL_OUTER, 1); // more fragments
		refuse(21, 0x01, DP_DROP_TUNNEL_OUTER, 1); // a fragment
		refuse(24, 0x01, DP_DROP_TUNNEL_OUTER, 0); // IP checksum
		refuse(22, 0x01, DP_DROP_TUNNEL_OUTER, 0);
	}
	refuse(hdr, 0x08, DP_DROP_TUNNEL_HEADER, 1);
	refuse(hdr + 4, 1, DP_DROP_TUNNEL_VNI, 1);
	refuse(hdr + 6, 1, DP_DROP_TUNNEL_VNI, 1);
	// Another host, which is no remote of the network.
	len = wrap(pkt, &o, frame, inner_of(frame, 1, 100));
	receive(pkt, len);
	got_nothing(DP_DROP_TUNNEL_SOURCE);
}

// Reserved bits are ignored, TTL and DF may be any.
static void test_is_lenient(void **state)
{
	const unsigned hdr = 14 + ip_bytes() + 8;
	const unsigned at[] = {hdr, hdr + 1, hdr + 3, hdr + 7, v6 ? 21 : 22, v6 ? 15 : 20};

	add_known(2, false);
	for (unsigned i = 0; i < RTE_DIM(at); i++) {
		uint8_t frame[256], pkt[256];
		struct outer o = from_host(2);
		unsigned len = wrap(pkt, &o, frame, inner_of(frame, 1, 100));

		pkt[at[i]] ^= at[i] == hdr ? 0xf7 : 0x40;
		sums(pkt, len - 14 - ip_bytes(), v6);
		receive(pkt, len);
		got_frame(0, 2, frame, 100);
	}
}

static void test_truncated(void **state)
{
	uint8_t frame[256], pkt[256];
	struct outer o = from_host(2);
	unsigned len = wrap(pkt, &o, frame, inner_of(frame, 1, 100));

	add_known(2, false);
	for (unsigned n = 0; n < len; n++) {
		receive(pkt, n);
		assert_int_equal(nb_got, 0);
		assert_int_equal(drops_of(&rx_cnt), 1);
		memset(rx_cnt.drop, 0, sizeof(rx_cnt.drop));
	}
	// Complete, but with less than a frame inside.
	for (unsigned n = 0; n < 14; n++) {
		receive(pkt, wrap(pkt, &o, frame, n));
		got_nothing(DP_DROP_TUNNEL_HEADER);
	}
}

// Those that are out of the ordinary do not disturb the order of the others.
static void test_mixed_batch(void **state)
{
	uint8_t frame[256], pkt[256];
	unsigned good = 0;

	add_known(2, false);
	add_known(3, false);
	for (unsigned i = 0; i < DP_BURST; i++) {
		struct outer o = from_host(i % 3 == 2 ? 9 : 2 + i % 2);
		unsigned len = wrap(pkt, &o, frame, inner_of(frame, i, 64 + i));

		put_in(chain_of(pkt, len, i % 5 ? len : 90));
	}
	poll_end();
	dropped(&rx_cnt, DP_DROP_TUNNEL_SOURCE, 21);
	for (unsigned i = 0; i < DP_BURST; i++) {
		if (i % 3 == 2)
			continue;
		got_frame(good++, 2 + i % 2, frame, inner_of(frame, i, 64 + i));
	}
	assert_int_equal(good, nb_got);
}

// A full batch of nothing for networks is no end of what there is.
static void test_noise_before_a_frame(void **state)
{
	uint8_t frame[256], pkt[256];
	struct outer noise = from_host(9), o = from_host(2);

	add_known(2, false);
	for (unsigned i = 0; i < DP_BURST; i++) {
		unsigned len = wrap(pkt, &noise, frame, inner_of(frame, i, 64));

		put_in(chain_of(pkt, len, len));
	}
	receive(pkt, wrap(pkt, &o, frame, inner_of(frame, 1, 64)));
	got_frame(0, 2, frame, 64);
	dropped(&rx_cnt, DP_DROP_TUNNEL_SOURCE, DP_BURST);
}

// A port of the kernel hands on several datagrams as one: 100 of them, and one before and after.
static void test_trains(void **state)
{
	enum { DATAGRAMS = 100, BYTES = 64 };
	static uint8_t pkt[PACKET_BYTES], frame[PACKET_BYTES];
	const unsigned udp_off = 14 + ip_bytes(), head = udp_off + 8;
	struct outer o = from_host(2);
	unsigned len = 0, seen = 0;
	struct rte_mbuf *m;

	add_known(2, false);
	o.checksum = true;
	for (unsigned i = 0; i < DATAGRAMS; i++) {
		uint8_t one[256];

		len = wrap(one, &o, frame, inner_of(frame, i, BYTES));
		memcpy(pkt + head + i * (8 + BYTES), one + head, 8 + BYTES);
		memcpy(pkt, one, head);
	}
	inner_of(frame, 1000, 80);
	len = wrap(frame + 1000, &o, frame, 80);
	put_in(chain_of(frame + 1000, len, len));
	len = 8 + DATAGRAMS * (8 + BYTES);
	put16(pkt + udp_off + 4, len);
	if (v6)
		put16(pkt + 18, len);
	else
		put16(pkt + 16, 20 + len);
	sums(pkt, len, false);
	put16(pkt + udp_off + 6, slow_sum(v6 ? pkt + 22 : pkt + 26, v6 ? 32 : 8, len + 17));
	m = chain_of(pkt, udp_off + len, 30000);
	m->ol_flags |= RTE_MBUF_F_TX_UDP_SEG | RTE_MBUF_F_TX_UDP_CKSUM |
		       (v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4);
	m->l2_len = 14;
	m->l3_len = ip_bytes();
	m->l4_len = 8;
	m->tso_segsz = 8 + BYTES;
	put_in(m);
	len = wrap(frame + 1000, &o, frame, inner_of(frame, 1001, 80));
	put_in(chain_of(frame + 1000, len, len));
	while ((nb_got = vtep_port(vtep)->rx(vtep_port(vtep), 0, got, 10, &rx_cnt))) {
		assert_true(nb_got <= 10);
		for (unsigned i = 0; i < nb_got; i++, seen++) {
			unsigned id = seen == 0 ? 1000 : seen == 101 ? 1001 : seen - 1;

			got_frame(i, 2, frame, inner_of(frame, id, id >= 1000 ? 80 : BYTES));
		}
	}
	assert_int_equal(seen, DATAGRAMS + 2);
}

// Of a port whose packets are not finished: the outer checksum is still to be filled.
static void test_half_checksum(void **state)
{
	uint8_t frame[256], pkt[256];
	struct outer o = from_host(2);
	unsigned len = wrap(pkt, &o, frame, inner_of(frame, 1, 100));
	struct rte_mbuf *m;

	add_known(2, false);
	put16(pkt + 14 + ip_bytes() + 6, 0x1234);
	m = chain_of(pkt, len, len);
	m->ol_flags |= RTE_MBUF_F_TX_UDP_CKSUM | (v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4);
	m->l2_len = 14;
	m->l3_len = ip_bytes();
	put_in(m);
	poll_end();
	assert_int_equal(got[0]->ol_flags & DP_OFFLOAD_FLAGS, 0);
	got_frame(0, 2, frame, 100);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		BOTH(test_sizes),
		BOTH(test_checksum),
		BOTH(test_checksum_of_zero),
		BOTH(test_checksum_is_left),
		BOTH(test_flood),
		BOTH(test_shared),
		BOTH(test_no_room_in_front),
		BOTH(test_full_batches),
		BOTH(test_receives),
		BOTH(test_refuses),
		BOTH(test_is_lenient),
		BOTH(test_truncated),
		BOTH(test_mixed_batch),
		BOTH(test_noise_before_a_frame),
		BOTH(test_trains),
		BOTH(test_half_checksum),
	};

	if (packets_init(argc, argv) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
