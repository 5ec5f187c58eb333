// SPDX-License-Identifier: BSD-3-Clause
// The underlay `port`: packets that it encapsulates in trains, which the device segments.
#include "tests/unit/port_end.h"

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

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		BOTH(test_train_bytes),
		BOTH(test_train_ends),
		BOTH(test_train_bounds),
		BOTH(test_train_of_odd_ones),
		BOTH(test_no_trains),
		BOTH(test_train_of_a_segment),
	};

	if (packets_init(argc, argv) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
