// SPDX-License-Identifier: BSD-3-Clause
// The underlay `port`: what outer and inner headers tell each other of congestion, traffic class
// and TTL.
#include "tests/unit/marks.h"
#include "tests/unit/port_end.h"

#define OUTER_DSCP 0xb8 // stays outside, as does its TTL
#define INNER_DSCP 0x28

// ---- decapsulation ----

// As it comes from host 2, with an outer ECN field.
static unsigned marked(
	uint8_t *pkt, const uint8_t *frame, unsigned len, unsigned ecn, bool checksum)
{
	struct outer o = from_host(2);
	unsigned total;

	o.checksum |= checksum;
	total = wrap(pkt, &o, frame, len);
	set_class(pkt + 14, OUTER_DSCP | ecn, 3);
	return total;
}

static void decap_one(unsigned kind, int inner, int outer, int then)
{
	// All in one, and the inner IP header in two buffers.
	const unsigned chunks[] = {PACKET_BYTES, outer_bytes() + 14, outer_bytes() + 15};
	uint8_t frame[PACKET_BYTES], pkt[PACKET_BYTES];

	for (unsigned i = 0; i < 2 * RTE_DIM(chunks); i++) {
		unsigned len = frame_of_kind(frame, kind, i, INNER_DSCP | inner, 7);

		len = marked(pkt, frame, len, outer, i & 1);
		put_in(chain_of(pkt, len, chunks[i / 2]));
		poll_end();
		if (then == DROPPED) {
			got_nothing(DP_DROP_TUNNEL_ECN);
			continue;
		}
		len = frame_of_kind(frame, kind, i, INNER_DSCP | then, 7);
		got_frame(0, 2, frame, len);
	}
}

static void test_decap(void **state)
{
	add_known(2, false);
	for (unsigned kind = 0; kind < NB_KINDS; kind++) {
		for (unsigned i = 0; i < RTE_DIM(ecn_rules); i++) {
			int then = kind < NO_IP_KIND ? ecn_rules[i].then : ecn_rules[i].inner;

			decap_one(kind, ecn_rules[i].inner, ecn_rules[i].outer, then);
		}
	}
}

// Whatever is cut off or says another version than its EtherType: nothing to write to.
static void test_decap_cut(void **state)
{
	uint8_t frame[PACKET_BYTES], pkt[PACKET_BYTES];

	add_known(2, false);
	for (unsigned kind = 0; kind < NO_IP_KIND; kind++) {
		unsigned len = frame_of_kind(frame, kind, 1, ECT0, 64), l2 = len;

		while ((frame[l2 - 2] << 8 | frame[l2 - 1]) != (kind & 1 ? 0x86dd : 0x0800))
			l2--;
		for (unsigned n = 14; n < l2 + (kind & 1 ? 40 : 20); n++) {
			receive(pkt, marked(pkt, frame, n, CE, false));
			got_frame(0, 2, frame, n);
		}
		frame[l2] ^= 0x80;
		receive(pkt, marked(pkt, frame, len, CE, false));
		got_frame(0, 2, frame, len);
	}
}

// Order stays, and what is dropped is counted.
static void test_decap_mixed(void **state)
{
	uint8_t frame[PACKET_BYTES], pkt[PACKET_BYTES];
	unsigned good = 0, drops = 0;

	add_known(2, false);
	for (unsigned i = 0; i < DP_BURST; i++) {
		unsigned rule = i * 7 % 16, len;

		len = frame_of_kind(frame, i % NO_IP_KIND, i, ecn_rules[rule].inner, 64);
		len = marked(pkt, frame, len, ecn_rules[rule].outer, i % 3 == 0);
		put_in(chain_of(pkt, len, i % 5 ? len : 90));
		drops += ecn_rules[rule].then == DROPPED;
	}
	poll_end();
	assert_int_equal(drops, 4);
	dropped(&rx_cnt, DP_DROP_TUNNEL_ECN, drops);
	for (unsigned i = 0; i < DP_BURST; i++) {
		int then = ecn_rules[i * 7 % 16].then;

		if (then == DROPPED)
			continue;
		got_frame(good++, 2, frame, frame_of_kind(frame, i % NO_IP_KIND, i, then, 64));
	}
	assert_int_equal(good, nb_got);
}

// One packet of a port of the kernel stands for several datagrams.
static void test_decap_train(void **state)
{
	static const int inner[] = {ECT0, NOT_ECT, ECT1, CE, ECT0};
	const unsigned udp_off = 14 + ip_bytes(), head = udp_off + 8;
	uint8_t pkt[PACKET_BYTES], one[PACKET_BYTES], frame[PACKET_BYTES];
	unsigned len = 0, n = 0, good = 0;
	struct rte_mbuf *m;

	add_known(2, false);
	for (unsigned i = 0; i < RTE_DIM(inner); i++) {
		n = marked(one, frame, frame_of_kind(frame, 0, i, inner[i], 64), CE, true) - head;
		memcpy(pkt, one, head);
		memcpy(pkt + head + len, one + head, n);
		len += n;
	}
	put16(v6 ? pkt + 18 : pkt + 16, len + 8 + (v6 ? 0 : 20));
	put16(pkt + udp_off + 4, len + 8);
	set_class(pkt + 14, CE, 64);
	put16(pkt + udp_off + 6, slow_sum(v6 ? pkt + 22 : pkt + 26, v6 ? 32 : 8, len + 8 + 17));
	m = chain_of(pkt, head + len, PACKET_BYTES);
	m->ol_flags |= RTE_MBUF_F_TX_UDP_SEG | RTE_MBUF_F_TX_UDP_CKSUM |
		       (v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4);
	m->l2_len = 14;
	m->l3_len = ip_bytes();
	m->l4_len = 8;
	m->tso_segsz = n;
	put_in(m);
	poll_end();
	dropped(&rx_cnt, DP_DROP_TUNNEL_ECN, 1);
	for (unsigned i = 0; i < RTE_DIM(inner); i++)
		if (inner[i] != NOT_ECT)
			got_frame(good++, 2, frame, frame_of_kind(frame, 0, i, CE, 64));
	assert_int_equal(good, nb_got);
}

// ---- encapsulation ----

// What a frame becomes on the way to `host`.
static unsigned wrapped(
	uint8_t *pkt, unsigned host, const uint8_t *frame, unsigned len, unsigned tos, unsigned ttl)
{
	const struct outer o = {.to = mac_of(host),
		.from = own_mac,
		.dst = host,
		.src = 1,
		.src_port = vxlan_src_port(vxlan_flow_hash(frame, len)),
		.dst_port = 4789,
		.number = VNI,
		.checksum = v6 || !conf.no_checksum};
	unsigned total = wrap(pkt, &o, frame, len);

	set_class(pkt + 14, tos, ttl);
	return total;
}

static const struct {
	unsigned dscp, ttl;
} options[] = {
	{0, 64},
	{46, 64},
	{0, 1},
	{63, 255},
	{CONF_DSCP_INHERIT, 64},
	{0, CONF_TTL_INHERIT},
	{CONF_DSCP_INHERIT, CONF_TTL_INHERIT},
};

// A frame of some kind with this traffic class and TTL, to host 2 or (0) to all, who are 2 and 3.
static void encap_one(unsigned option, unsigned kind, unsigned tos, unsigned host, bool room)
{
	unsigned dscp = options[option].dscp, ttl = options[option].ttl;
	bool has_ip = kind < NO_IP_KIND;
	unsigned class = has_ip ? tos : 0, want_tos, want_ttl, len;
	uint8_t frame[PACKET_BYTES], want[PACKET_BYTES];
	struct rte_mbuf *m;

	want_tos = dscp == CONF_DSCP_INHERIT ? class : dscp << 2 | (class & 3);
	want_ttl = ttl != CONF_TTL_INHERIT ? ttl : has_ip ? 9 : 64;
	len = frame_of_kind(frame, kind, tos, tos, 9);
	m = chain_of(frame, len, PACKET_BYTES);
	if (!room) {
		memmove(m->buf_addr, rte_pktmbuf_mtod(m, void *), m->data_len);
		m->data_off = 0;
	}
	dp_set_remote(m, host ? number_of(host) : DP_REMOTE_ALL);
	transmit(&m, 1);
	for (unsigned to = 2; to <= (host ? 2 : 3); to++)
		sent_bytes(want, wrapped(want, to, frame, len, want_tos, want_ttl));
	nothing_more();
}

static void test_encap(void **state)
{
	static const unsigned classes[] = {0, 1, 2, 3, 0xfc, 0xb9, 0x28 | CE};

	for (unsigned chains = 0; chains < 2; chains++) {
		conf.no_checksum = !chains;
		lower.tx_offloads = chains ? RTE_ETH_TX_OFFLOAD_MULTI_SEGS : 0;
		reopen();
		add_known(2, true);
		add_known(3, true);
		for (unsigned i = 0; i < RTE_DIM(options); i++) {
			vni_mark(vni, options[i].dscp, options[i].ttl);
			for (unsigned n = 0; n < NB_KINDS * RTE_DIM(classes); n++) {
				unsigned tos = classes[n % RTE_DIM(classes)];

				encap_one(i, n / RTE_DIM(classes), tos, 2, true);
				encap_one(i, n / RTE_DIM(classes), tos, 2, false);
				encap_one(i, n / RTE_DIM(classes), tos, 0, true);
			}
		}
	}
}

// An inner header that says 0 is not sent on: nobody could.
static void test_encap_ttl_of_zero(void **state)
{
	uint8_t frame[PACKET_BYTES], want[PACKET_BYTES];
	struct rte_mbuf *m;
	unsigned len;

	add_known(2, false);
	vni_mark(vni, 0, CONF_TTL_INHERIT);
	len = frame_of_kind(frame, 0, 1, 0, 0);
	m = chain_of(frame, len, PACKET_BYTES);
	dp_set_remote(m, number_of(2));
	transmit(&m, 1);
	sent_bytes(want, wrapped(want, 2, frame, len, 0, 64));
	nothing_more();
}

// A train is of one mark, and its headers have it.
static void test_encap_trains(void **state)
{
	static const struct {
		unsigned tos, ttl;
	} frames[] = {
		{0, 9}, {0, 9}, {ECT0, 9}, {ECT0, 9}, {CE, 9}, {ECT0, 9}, {0, 9}, {0, 8}, {0, 8}};
	static const unsigned ends[] = {2, 4, 5, 6, 7, 9};
	struct rte_mbuf *m[RTE_DIM(frames)];
	uint8_t frame[PACKET_BYTES];

	conf.no_checksum = false;
	lower.tx_offloads = RTE_ETH_TX_OFFLOAD_UDP_TSO | RTE_ETH_TX_OFFLOAD_UDP_CKSUM |
			    RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	reopen();
	add_known(2, false);
	vni_mark(vni, 0, CONF_TTL_INHERIT);
	for (unsigned i = 0; i < RTE_DIM(frames); i++) {
		unsigned len = frame_of_kind(frame, 1, i, frames[i].tos, frames[i].ttl);

		m[i] = chain_of(frame, len, PACKET_BYTES);
		dp_set_remote(m[i], number_of(2));
	}
	transmit(m, RTE_DIM(frames));
	for (unsigned i = 0, from = 0; i < RTE_DIM(ends); from = ends[i++]) {
		struct rte_mbuf *train = next();
		const uint8_t *ip = rte_pktmbuf_mtod_offset(train, uint8_t *, 14);
		unsigned bytes = train->pkt_len - 14 - ip_bytes() - 8;

		assert_int_equal(bytes, (ends[i] - from) * (8 + frame_of_kind(frame, 1, 0, 0, 0)));
		assert_int_equal(v6 ? ip[1] >> 4 & 3 : ip[1], frames[from].tos);
		assert_int_equal(v6 ? ip[7] : ip[8], frames[from].ttl);
		if (!v6)
			assert_int_equal(slow_sum(ip, 20, 0), 0xffff);
		rte_pktmbuf_free(train);
	}
	nothing_more();
}

// They go where frames go, and so are treated alike on the way.
static void test_heartbeat(void **state)
{
	unsigned count = 0;

	conf.heartbeat_ms = 1000;
	reopen();
	add_known(2, false);
	vni_mark(vni, 46, 7);
	vtep_heartbeat(vtep, 1000000);
	for (; bytes_of_next(); count++) {
		struct rte_mbuf *m = next();
		const uint8_t *ip = rte_pktmbuf_mtod_offset(m, uint8_t *, 14);

		assert_int_equal(v6 ? (ip[0] & 0xf) << 4 | ip[1] >> 4 : ip[1], 46 << 2);
		assert_int_equal(v6 ? ip[7] : ip[8], 7);
		rte_pktmbuf_free(m);
	}
	assert_true(count);
	nothing_more();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		BOTH(test_decap),
		BOTH(test_decap_cut),
		BOTH(test_decap_mixed),
		BOTH(test_decap_train),
		BOTH(test_encap),
		BOTH(test_encap_ttl_of_zero),
		BOTH(test_encap_trains),
		BOTH(test_heartbeat),
	};

	if (packets_init(argc, argv) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
