// SPDX-License-Identifier: BSD-3-Clause
// Checksums and large segments on their way from port to port: passed on as they are to ports that
// take them, finished in software for those that do not. Sums are taken here the slow way.
#include <string.h>

#include "tests/dp/harness.h"

#define PACKET_MAX 66000

// A TCP or UDP packet.
struct packet {
	bool v6, udp;
	unsigned tag, inner_tag; // TAG(); 0: none
	unsigned payload_bytes;
	unsigned mss;	      // 0: not a large segment
	bool partial;	      // the checksum is left to be filled
	unsigned first;	      // number of the first payload byte
	unsigned index;	      // of the segment
	uint8_t flags;	      // of TCP
	uint64_t dst, src;    // 0: broadcast, HOST(1)
	unsigned chunk_bytes; // as in struct frame
};

#define TCP_FIN 0x01
#define TCP_PSH 0x08
#define TCP_ACK 0x10
#define TCP_CWR 0x80

static unsigned l2_bytes(const struct packet *p)
{
	return 14 + (p->tag ? 4 : 0) + (p->inner_tag ? 4 : 0);
}

static unsigned l3_bytes(const struct packet *p)
{
	return p->v6 ? 40 : 20;
}

static unsigned l4_bytes(const struct packet *p)
{
	return p->udp ? 8 : 20;
}

static void put16(uint8_t *p, unsigned value)
{
	p[0] = value >> 8;
	p[1] = value;
}

static void put32(uint8_t *p, uint32_t value)
{
	put16(p, value >> 16);
	put16(p + 2, value & 0xffff);
}

// RFC 1071, byte by byte.
static unsigned sum_of(const uint8_t *p, unsigned len_bytes, unsigned sum)
{
	for (unsigned i = 0; i < len_bytes; i++) {
		sum += i & 1 ? p[i] : p[i] << 8;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return sum;
}

static unsigned pseudo_sum(const struct packet *p, const uint8_t *ip, unsigned bytes)
{
	uint8_t tail[4] = {bytes >> 8, bytes, 0, p->udp ? 17 : 6};

	return sum_of(tail, 4, sum_of(ip + (p->v6 ? 8 : 12), p->v6 ? 32 : 8, 0));
}

static void put_ip(const struct packet *p, uint8_t *ip, unsigned bytes)
{
	if (p->v6) {
		put32(ip, 0x60000000);
		put16(ip + 4, bytes);
		ip[6] = p->udp ? 17 : 6;
		ip[7] = 64;
		for (unsigned i = 8; i < 40; i++)
			ip[i] = i * 3;
		return;
	}
	put16(ip, 0x4500);
	put16(ip + 2, 20 + bytes);
	put16(ip + 4, 0xfffe + p->index); // wraps
	put16(ip + 6, 0x4000);
	ip[8] = 64;
	ip[9] = p->udp ? 17 : 6;
	put16(ip + 10, 0);
	put32(ip + 12, 0x0a000001);
	put32(ip + 16, 0x0a000002);
	put16(ip + 10, ~sum_of(ip, 20, 0));
}

static void put_l4(const struct packet *p, uint8_t *ip, uint8_t *l4, unsigned bytes)
{
	unsigned at = p->udp ? 6 : 16, sum;

	memset(l4, 0, l4_bytes(p));
	put16(l4, 40000);
	put16(l4 + 2, 5201);
	if (p->udp) {
		put16(l4 + 4, bytes);
	} else {
		put32(l4 + 4, 0xfffffff0 + p->first); // wraps
		put32(l4 + 8, 77);
		put16(l4 + 12, 0x5000 | p->flags);
		put16(l4 + 14, 500);
	}
	for (unsigned i = l4_bytes(p); i < bytes; i++)
		l4[i] = (p->first + i - l4_bytes(p)) * 11 >> 2;
	sum = pseudo_sum(p, ip, bytes);
	if (!p->partial) {
		sum = ~sum_of(l4, bytes, sum) & 0xffff;
		if (p->udp && !sum)
			sum = 0xffff;
	}
	put16(l4 + at, sum);
}

static unsigned build(const struct packet *p, uint8_t *bytes)
{
	uint64_t dst = p->dst ? p->dst : BROADCAST, src = p->src ? p->src : HOST(1);
	unsigned l4_len = l4_bytes(p) + p->payload_bytes;
	uint8_t *ip = bytes + l2_bytes(p);

	for (unsigned i = 0; i < 6; i++) {
		bytes[i] = dst >> (40 - 8 * i);
		bytes[6 + i] = src >> (40 - 8 * i);
	}
	if (p->tag) {
		put16(bytes + 12, 0x8100);
		put16(bytes + 14, p->tag & 0xffff);
	}
	if (p->inner_tag) {
		put16(ip - 6, 0x8100);
		put16(ip - 4, p->inner_tag & 0xffff);
	}
	put16(ip - 2, p->v6 ? 0x86dd : 0x0800);
	put_ip(p, ip, l4_len);
	put_l4(p, ip, ip + l3_bytes(p), l4_len);
	return l2_bytes(p) + l3_bytes(p) + l4_len;
}

// ---- in ----

static uint64_t flags_of(const struct packet *p)
{
	uint64_t flags = p->v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4;

	flags |= p->udp ? RTE_MBUF_F_TX_UDP_CKSUM : RTE_MBUF_F_TX_TCP_CKSUM;
	if (p->mss)
		flags |= p->udp ? RTE_MBUF_F_TX_UDP_SEG : RTE_MBUF_F_TX_TCP_SEG;
	return flags;
}

// Queues the packet as a port's rx() would: the contract is in dp/dp_port.h.
static void send_packet(unsigned port, const struct packet *p)
{
	static uint8_t bytes[PACKET_MAX];
	unsigned len_bytes = build(p, bytes);
	struct rte_mbuf *m = mbuf_new(bytes, len_bytes, p->chunk_bytes);

	if (p->partial) {
		m->ol_flags |= flags_of(p);
		m->l2_len = l2_bytes(p);
		m->l3_len = l3_bytes(p);
		if (p->mss) {
			m->l4_len = l4_bytes(p);
			m->tso_segsz = p->mss;
		}
	}
	send_mbuf(port, m);
}

// ---- out ----

static void expect_as_it_is(unsigned port, const struct packet *p)
{
	static uint8_t want[PACKET_MAX], copy[PACKET_MAX];
	unsigned len_bytes = build(p, want);
	struct rte_mbuf *m = next(port);

	assert_int_equal(m->pkt_len, len_bytes);
	assert_memory_equal(rte_pktmbuf_read(m, 0, len_bytes, copy), want, len_bytes);
	assert_int_equal(m->ol_flags & ~RTE_MBUF_F_EXTERNAL, p->partial ? flags_of(p) : 0);
	if (p->partial) {
		assert_int_equal(m->l2_len, l2_bytes(p));
		assert_int_equal(m->l3_len, l3_bytes(p));
	}
	if (p->mss) {
		assert_int_equal(m->l4_len, l4_bytes(p));
		assert_int_equal(m->tso_segsz, p->mss);
	}
	rte_pktmbuf_free(m);
}

static void expect_finished(unsigned port, const struct packet *p)
{
	struct packet whole = *p;

	whole.partial = false;
	whole.mss = 0;
	expect_as_it_is(port, &whole);
}

// The packets that the large one stands for, as a sender without offloads would have made them.
static void expect_segments(unsigned port, const struct packet *p)
{
	unsigned left_bytes = p->payload_bytes;
	struct packet seg = *p;

	for (seg.index = 0; left_bytes; seg.index++) {
		seg.payload_bytes = RTE_MIN(left_bytes, p->mss);
		left_bytes -= seg.payload_bytes;
		seg.flags = p->flags;
		if (seg.index)
			seg.flags &= ~TCP_CWR;
		if (left_bytes)
			seg.flags &= ~(TCP_FIN | TCP_PSH);
		expect_finished(port, &seg);
		seg.first += seg.payload_bytes;
	}
}

// ---- tests ----

// TCP and UDP over IPv4 and IPv6, untagged and in a VLAN.
#define NB_KINDS 8

static struct packet kind(unsigned i)
{
	return (struct packet){.v6 = i & 1,
		.udp = i & 2,
		.tag = i & 4 ? TAG(10) : 0,
		.payload_bytes = 1001,
		.partial = true,
		.flags = TCP_ACK | TCP_PSH};
}

static void test_checksums(void **state)
{
	PORTS({.tx_offloads = ALL_OFFLOADS}, {.tx_offloads = ALL_OFFLOADS}, {}, {});
	for (unsigned i = 0; i < NB_KINDS; i++) {
		struct packet p = kind(i);

		send_packet(A, &p);
		run();
		expect_as_it_is(B, &p);
		expect_finished(C, &p);
		expect_finished(D, &p);
		// Complete ones are not touched, whether right or wrong: see the next test.
		p.partial = false;
		send_packet(A, &p);
		run();
		for (unsigned port = B; port <= D; port++)
			expect_as_it_is(port, &p);
	}
}

static void test_wrong_checksums_stay_wrong(void **state)
{
	struct packet p = kind(0);
	uint8_t bytes[2000];
	unsigned len_bytes;

	PORTS({}, {.tx_offloads = ALL_OFFLOADS}, {});
	p.partial = false;
	len_bytes = build(&p, bytes);
	bytes[14 + 20 + 16] ^= 0x55;
	send_mbuf(A, mbuf_new(bytes, len_bytes, 0));
	run();
	expect_bytes(B, bytes, len_bytes);
	expect_bytes(C, bytes, len_bytes);
}

// Ports that can do one of them only get the other finished.
static void test_checksum_offloads_one_by_one(void **state)
{
	struct packet tcp = kind(0), udp = kind(2);

	PORTS({}, {.tx_offloads = RTE_ETH_TX_OFFLOAD_TCP_CKSUM},
		{.tx_offloads = RTE_ETH_TX_OFFLOAD_UDP_CKSUM});
	send_packet(A, &tcp);
	send_packet(A, &udp);
	run();
	expect_as_it_is(B, &tcp);
	expect_finished(B, &udp);
	expect_finished(C, &tcp);
	expect_as_it_is(C, &udp);
}

static void test_zero_udp_checksum(void **state)
{
	struct packet p = {.udp = true, .partial = true, .payload_bytes = 2};
	uint8_t bytes[100], want[100];
	struct rte_mbuf *m;
	unsigned sum;

	PORTS({}, {});
	build(&p, bytes);
	// The payload that makes the checksum zero, which is sent as 0xffff.
	bytes[42] = bytes[43] = 0;
	sum = sum_of(bytes + 34, 10, 0);
	put16(bytes + 42, 0xffff - sum);
	memcpy(want, bytes, sizeof(want));
	put16(want + 40, 0xffff);
	m = mbuf_new(bytes, 44, 0);
	m->ol_flags = flags_of(&p);
	m->l2_len = 14;
	m->l3_len = 20;
	send_mbuf(A, m);
	run();
	expect_bytes(B, want, 44);
}

static void test_segments(void **state)
{
	PORTS({.tx_offloads = ALL_OFFLOADS}, {.tx_offloads = ALL_OFFLOADS}, {});
	for (unsigned i = 0; i < NB_KINDS; i++) {
		static const unsigned sizes[] = {1401, 2800, 2801, 14000, 64000};

		for (unsigned s = 0; s < RTE_DIM(sizes); s++) {
			struct packet p = kind(i);

			p.payload_bytes = sizes[s];
			p.mss = 1400;
			p.flags = TCP_ACK | TCP_PSH | TCP_FIN | TCP_CWR;
			send_packet(A, &p);
			run();
			expect_as_it_is(B, &p);
			expect_segments(C, &p);
			// In a chain, as a tap reads it.
			p.chunk_bytes = 1900;
			send_packet(A, &p);
			run();
			expect_as_it_is(B, &p);
			expect_segments(C, &p);
		}
	}
}

// To one destination, more than a burst of segments from a batch of large ones.
static void test_segments_in_order(void **state)
{
	struct packet p = {.dst = HOST(2),
		.partial = true,
		.payload_bytes = 60000,
		.mss = 1000,
		.flags = TCP_ACK};

	PORTS({.tx_offloads = ALL_OFFLOADS}, {}, {});
	passes(B, FRAME(.dst = BROADCAST, .src = HOST(2)), ON(A) | ON(C));
	for (unsigned i = 0; i < 20; i++) {
		p.first = i * 1000000;
		send_packet(A, &p);
	}
	run();
	for (unsigned i = 0; i < 20; i++) {
		p.first = i * 1000000;
		expect_segments(B, &p);
	}
}

// The tag changes on the way of a large one: its lengths must follow.
static void test_segments_between_vlan_forms(void **state)
{
	PORTS({}, {}, {.tx_offloads = ALL_OFFLOADS}, {ACCESS(10)},
		{ACCESS(10), .tx_offloads = ALL_OFFLOADS});
	for (unsigned i = 0; i < NB_KINDS / 2; i++) {
		struct packet plain = kind(i), tagged;

		plain.payload_bytes = 10000;
		plain.mss = 1400;
		tagged = plain;
		tagged.tag = TAG(10);
		send_packet(A, &tagged);
		run();
		expect_segments(B, &tagged);
		expect_as_it_is(C, &tagged);
		expect_segments(D, &plain);
		expect_as_it_is(E, &plain);
		send_packet(D, &plain);
		run();
		expect_segments(A, &tagged);
		expect_segments(B, &tagged);
		expect_as_it_is(C, &tagged);
		expect_as_it_is(E, &plain);
	}
}

// With one destination the tag is changed in place.
static void test_segments_between_vlan_forms_known(void **state)
{
	PORTS({.tx_offloads = ALL_OFFLOADS}, {ACCESS(10), .tx_offloads = ALL_OFFLOADS}, {});
	for (unsigned i = 0; i < NB_KINDS / 2; i++) {
		struct packet there = kind(i), back, f;

		there.payload_bytes = 10000;
		there.mss = 1400;
		there.dst = HOST(2);
		there.src = HOST(1);
		there.tag = TAG(10);
		back = there;
		back.dst = HOST(1);
		back.src = HOST(2);
		back.tag = 0;
		for (unsigned round = 0; round < 2; round++) {
			send_packet(A, &there);
			run();
			f = there;
			f.tag = 0;
			expect_as_it_is(B, &f);
			if (!i && !round)
				expect_segments(C, &there);
			send_packet(B, &back);
			run();
			f = back;
			f.tag = TAG(10);
			expect_as_it_is(A, &f);
		}
	}
}

// Segments are measured as they will be on the wire.
static void test_mtu_of_segments(void **state)
{
	struct packet p = {.partial = true, .payload_bytes = 30000, .flags = TCP_ACK};

	PORTS({}, {.tx_offloads = ALL_OFFLOADS}, {}, {.tx_offloads = ALL_OFFLOADS, .mtu = 9000});
	p.mss = 1460; // 1500 with IPv4 and TCP headers
	send_packet(A, &p);
	run();
	expect_as_it_is(B, &p);
	expect_segments(C, &p);
	expect_as_it_is(D, &p);
	p.mss = 1461;
	send_packet(A, &p);
	run();
	drops(B, DP_DROP_TX_TOO_BIG, 1);
	drops(C, DP_DROP_TX_TOO_BIG, 1);
	expect_as_it_is(D, &p);
	// Not counted: the tag.
	p.mss = 1460;
	p.tag = TAG(10);
	send_packet(A, &p);
	run();
	expect_as_it_is(B, &p);
	expect_segments(C, &p);
	expect_as_it_is(D, &p);
	// Counted, as in packets that are whole: a tag inside.
	p.inner_tag = TAG(20);
	send_packet(A, &p);
	run();
	drops(B, DP_DROP_TX_TOO_BIG, 1);
	drops(C, DP_DROP_TX_TOO_BIG, 1);
	expect_as_it_is(D, &p);
	p.mss = 1456;
	send_packet(A, &p);
	run();
	expect_as_it_is(B, &p);
	expect_segments(C, &p);
	expect_as_it_is(D, &p);
	p.inner_tag = 0;
	// A checksum to be filled makes no segment of a packet.
	p.mss = 0;
	p.payload_bytes = 1461;
	p.tag = 0;
	send_packet(A, &p);
	run();
	drops(B, DP_DROP_TX_TOO_BIG, 1);
	drops(C, DP_DROP_TX_TOO_BIG, 1);
	expect_as_it_is(D, &p);
}

static void test_no_buffers_for_segments(void **state)
{
	struct packet p = {.partial = true, .payload_bytes = 14000, .mss = 1400};

	PORTS({}, {}, {.tx_offloads = ALL_OFFLOADS});
	dp_pool_hog(9);
	send_packet(A, &p);
	run();
	drops(B, DP_DROP_TX_NO_BUFFER, 1);
	expect_as_it_is(C, &p);
	dp_pool_release();
	dp_pool_hog(10);
	send_packet(A, &p);
	run();
	expect_segments(B, &p);
	expect_as_it_is(C, &p);
}

static void test_what_cannot_be_segmented(void **state)
{
	struct packet p = {.partial = true, .payload_bytes = 2000, .mss = 63};

	PORTS({}, {}, {.tx_offloads = ALL_OFFLOADS});
	send_packet(A, &p);
	run();
	drops(B, DP_DROP_TX_GSO, 1);
	expect_as_it_is(C, &p);
	// More than a buffer of 2 KiB holds, to a port that takes one buffer.
	p.mss = 3000;
	p.payload_bytes = 20000;
	port_spec(B)->mtu = port_spec(C)->mtu = 9000;
	publish();
	send_packet(A, &p);
	run();
	drops(B, DP_DROP_TX_GSO, 1);
	expect_as_it_is(C, &p);
	// In a chain it can.
	port_spec(B)->tx_offloads = RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	publish();
	send_packet(A, &p);
	run();
	expect_segments(B, &p);
	expect_as_it_is(C, &p);
}

int group_offload(void)
{
	const struct CMUnitTest tests[] = {
		DP_TEST(test_checksums),
		DP_TEST(test_wrong_checksums_stay_wrong),
		DP_TEST(test_checksum_offloads_one_by_one),
		DP_TEST(test_zero_udp_checksum),
		DP_TEST(test_segments),
		DP_TEST(test_segments_in_order),
		DP_TEST(test_segments_between_vlan_forms),
		DP_TEST(test_segments_between_vlan_forms_known),
		DP_TEST(test_mtu_of_segments),
		DP_TEST(test_no_buffers_for_segments),
		DP_TEST(test_what_cannot_be_segmented),
	};

	return cmocka_run_group_tests_name("offload", tests, NULL, NULL);
}
