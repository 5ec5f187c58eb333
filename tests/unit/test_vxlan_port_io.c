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

// ---- encapsulation in trains ----

struct one {
	unsigned host, len;
	uint16_t flow;
};

static unsigned frame_of(uint8_t *frame, const struct one *one, unsigned id)
{
	unsigned len = inner_of(frame, id, one->len);

	if (one->flow)
		put16(frame + 34, one->flow);
	return len;
}

static struct rte_mbuf *packet_of(const struct one *one, unsigned id, unsigned chunk)
{
	uint8_t frame[PACKET_BYTES];
	struct rte_mbuf *m = chain_of(frame, frame_of(frame, one, id), chunk);

	dp_set_remote(m, number_of(one->host));
	return m;
}

// As it is alone on the wire.
static unsigned single(uint8_t *pkt, const struct one *one, unsigned id)
{
	uint8_t frame[PACKET_BYTES];
	unsigned len = frame_of(frame, one, id);
	struct outer o = {.to = mac_of(one->host),
		.from = own_mac,
		.dst = one->host,
		.src = 1,
		.src_port = vxlan_src_port(vxlan_flow_hash(frame, len)),
		.dst_port = 4789,
		.number = VNI,
		.checksum = v6 || !conf.no_checksum};

	return wrap(pkt, &o, frame, len);
}

#define TRAINS                                                                                     \
	(RTE_ETH_TX_OFFLOAD_UDP_TSO | RTE_ETH_TX_OFFLOAD_UDP_CKSUM | RTE_ETH_TX_OFFLOAD_MULTI_SEGS)

static void reopen_for(uint64_t offloads, bool no_checksum)
{
	conf.no_checksum = no_checksum;
	lower.tx_offloads = offloads;
	reopen();
	add_known(2, false);
	add_known(3, false);
}

static void burst(const struct one *ones, unsigned n)
{
	struct rte_mbuf *m[DP_BURST];
	uint64_t bytes = 0;

	for (unsigned i = 0; i < n; i++) {
		m[i] = packet_of(&ones[i], i, UINT16_MAX);
		bytes += ones[i].len;
	}
	tx_cnt = (struct dp_site){0};
	transmit(m, n);
	assert_int_equal(tx_cnt.tx_packets, n);
	assert_int_equal(tx_cnt.tx_bytes, bytes);
}

// The next that was sent stands for the frames [from, to) of a burst: cut, they are the same as if
// each had gone alone, but for the identification of IPv4.
static void sent_train(const struct one *ones, unsigned from, unsigned to)
{
	struct rte_mbuf *m = next(), *piece[DP_TX_SEGS];
	struct dp_site c = {0};
	uint8_t want[PACKET_BYTES];
	unsigned n, len;

	assert_int_equal(!!(m->ol_flags & RTE_MBUF_F_TX_UDP_SEG), to - from > 1);
	assert_true(m->nb_segs <= DP_TX_SEGS && m->pkt_len <= 65535);
	n = dp_offload_finish(m, NO_OFFLOADS, pool, piece, DP_TX_SEGS, &c);
	assert_int_equal(n, to - from);
	for (unsigned i = 0; i < n; i++) {
		len = single(want, &ones[from + i], from + i);
		if (!v6)
			put16(want + 18, i);
		sums(want, len - 14 - ip_bytes(), v6 || !conf.no_checksum);
		assert_bytes(piece[i], want, len);
		rte_pktmbuf_free(piece[i]);
	}
}

static void all_alone(const struct one *ones, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		sent_train(ones, i, i + 1);
	nothing_more();
}

// One set of headers, with the lengths of the whole.
static void test_train_bytes(void **state)
{
	static const struct one ones[] = {{2, 101}, {2, 101}, {2, 60}};
	const unsigned udp = 14 + ip_bytes();
	uint8_t want[PACKET_BYTES], one[PACKET_BYTES], *ip = want + 14;
	unsigned len = single(want, &ones[0], 0);
	struct rte_mbuf *m;

	reopen_for(TRAINS, false);
	for (unsigned i = 1; i < RTE_DIM(ones); i++) {
		unsigned n = single(one, &ones[i], i) - udp - 8;

		memcpy(want + len, one + udp + 8, n);
		len += n;
	}
	put16(v6 ? ip + 4 : ip + 2, v6 ? len - udp : len - 14);
	put16(want + udp + 4, len - udp);
	sums(want, len - udp, false);
	put16(want + udp + 6, slow_sum(v6 ? ip + 8 : ip + 12, v6 ? 32 : 8, len - udp + 17));
	burst(ones, RTE_DIM(ones));
	m = next();
	assert_bytes(m, want, len);
	assert_int_equal(m->ol_flags & (DP_OFFLOAD_FLAGS | RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IPV6),
		RTE_MBUF_F_TX_UDP_SEG | RTE_MBUF_F_TX_UDP_CKSUM |
			(v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4));
	assert_int_equal(m->l2_len, 14);
	assert_int_equal(m->l3_len, ip_bytes());
	assert_int_equal(m->l4_len, 8);
	assert_int_equal(m->tso_segsz, 8 + 101);
	rte_pktmbuf_free(m);
	nothing_more();
}

// Sizes, remotes and flows where one train ends and the next begins.
static void test_train_ends(void **state)
{
	static const struct one shorter[] = {{2, 500}, {2, 500}, {2, 300}, {2, 300}, {2, 500}},
				longer[] = {{2, 300}, {2, 500}, {2, 500}},
				remotes[] = {{2, 500}, {2, 500}, {3, 500}, {2, 500}, {2, 500}},
				flows[] = {{2, 500}, {2, 500}, {2, 500, 77}, {2, 500, 77}},
				small[] = {{2, 56}, {2, 56}, {2, 55}, {2, 55}, {2, 55}};

	reopen_for(TRAINS, false);
	burst(shorter, RTE_DIM(shorter));
	sent_train(shorter, 0, 3);
	sent_train(shorter, 3, 4);
	sent_train(shorter, 4, 5);
	nothing_more();
	burst(longer, RTE_DIM(longer));
	sent_train(longer, 0, 1);
	sent_train(longer, 1, 3);
	nothing_more();
	burst(remotes, RTE_DIM(remotes));
	sent_train(remotes, 0, 2);
	sent_train(remotes, 2, 3);
	sent_train(remotes, 3, 5);
	nothing_more();
	burst(flows, RTE_DIM(flows));
	sent_train(flows, 0, 2);
	sent_train(flows, 2, 4);
	nothing_more();
	// What is too small for software segmentation.
	burst(small, RTE_DIM(small));
	sent_train(small, 0, 3);
	sent_train(small, 3, 4);
	sent_train(small, 4, 5);
	nothing_more();
}

static void test_train_bounds(void **state)
{
	const unsigned long_len = 1500 - outer_bytes() + 14;
	// What fits in 65535 bytes.
	const unsigned fit = (65535 - (outer_bytes() - 8)) / (8 + long_len);
	struct one ones[DP_BURST];
	struct rte_mbuf *m[DP_BURST];

	reopen_for(TRAINS, false);
	for (unsigned i = 0; i < DP_BURST; i++)
		ones[i] = (struct one){2, 100};
	burst(ones, DP_BURST);
	sent_train(ones, 0, DP_TX_SEGS);
	nothing_more();
	for (unsigned i = 0; i < DP_BURST; i++)
		m[i] = packet_of(&ones[i], i, 40); // in three buffers
	transmit(m, DP_BURST);
	for (unsigned i = 0; i < DP_BURST; i += DP_TX_SEGS / 3)
		sent_train(ones, i, RTE_MIN(i + DP_TX_SEGS / 3, (unsigned)DP_BURST));
	nothing_more();
	for (unsigned i = 0; i < DP_BURST; i++)
		ones[i].len = long_len;
	burst(ones, DP_BURST);
	sent_train(ones, 0, fit);
	sent_train(ones, fit, DP_BURST);
	nothing_more();
}

// Nothing is put behind a frame that others have; one without room in front is like any other.
static void test_train_of_odd_ones(void **state)
{
	static const struct one ones[] = {{2, 200}, {2, 200}, {2, 200}, {2, 200}, {2, 200}};
	struct rte_mbuf *m[RTE_DIM(ones)], *shared;
	uint8_t frame[PACKET_BYTES];

	reopen_for(TRAINS, false);
	for (unsigned i = 0; i < RTE_DIM(ones); i++)
		m[i] = packet_of(&ones[i], i, UINT16_MAX);
	shared = m[1];
	rte_mbuf_refcnt_update(shared, 1);
	memmove(m[3]->buf_addr, rte_pktmbuf_mtod(m[3], void *), m[3]->data_len);
	m[3]->data_off = 0;
	transmit(m, RTE_DIM(ones));
	assert_bytes(shared, frame, frame_of(frame, &ones[1], 1));
	sent_train(ones, 0, 2);
	sent_train(ones, 2, 5);
	nothing_more();
	assert_bytes(shared, frame, frame_of(frame, &ones[1], 1));
	rte_pktmbuf_free(shared);
}

static void test_no_trains(void **state)
{
	static const struct one ones[] = {{2, 500}, {2, 500}, {2, 500}};
	static const uint64_t missing[] = {RTE_ETH_TX_OFFLOAD_UDP_TSO, RTE_ETH_TX_OFFLOAD_UDP_CKSUM,
		RTE_ETH_TX_OFFLOAD_MULTI_SEGS};

	for (unsigned i = 0; i < RTE_DIM(missing); i++) {
		reopen_for(TRAINS & ~missing[i], false);
		burst(ones, RTE_DIM(ones));
		all_alone(ones, RTE_DIM(ones));
	}
	// IPv6 has checksums anyway.
	reopen_for(TRAINS, true);
	burst(ones, RTE_DIM(ones));
	if (v6)
		sent_train(ones, 0, 3);
	all_alone(ones, v6 ? 0 : RTE_DIM(ones));
}

// A large segment of a container is cut once, by egress: what the network's port takes.
static void test_train_of_a_segment(void **state)
{
	const struct spec s = {.tcp = true, .payload_bytes = 30000, .mss = 1300};
	const uint64_t offloads = (reopen_for(TRAINS, false), vni_port(vni)->tx_offloads);
	struct rte_mbuf *m = large_of(&s, UINT16_MAX), *piece[DP_BURST], *train;
	struct dp_site c = {0};
	unsigned n = dp_offload_finish(m, offloads, pool, piece, DP_BURST, &c);

	assert_int_equal(n, nb_segments(&s));
	for (unsigned i = 0; i < n; i++) {
		assert_false(piece[i]->ol_flags & DP_OFFLOAD_FLAGS);
		dp_set_remote(piece[i], number_of(2));
	}
	transmit(piece, n);
	train = next();
	assert_int_equal(
		train->pkt_len, outer_bytes() - 8 + n * (8 + headers_len(&s)) + s.payload_bytes);
	rte_pktmbuf_free(train);
	nothing_more();
}

// ---- decapsulation ----

static void test_receives(void **state)
{
	uint8_t frame[PACKET_BYTES], pkt[PACKET_BYTES];

	add_known(2, false);
	for (unsigned checksum = v6; checksum < 2; checksum++) {
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
	// Without the checksum that IPv6 must have.
	o = from_host(2);
	o.checksum = false;
	len = wrap(pkt, &o, frame, inner_of(frame, 1, 100));
	receive(pkt, len);
	if (v6)
		got_nothing(DP_DROP_TUNNEL_OUTER);
	else
		got_frame(0, 2, frame, 100);
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
		BOTH(test_train_bytes),
		BOTH(test_train_ends),
		BOTH(test_train_bounds),
		BOTH(test_train_of_odd_ones),
		BOTH(test_no_trains),
		BOTH(test_train_of_a_segment),
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
