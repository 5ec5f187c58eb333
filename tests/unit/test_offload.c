// SPDX-License-Identifier: BSD-3-Clause
// Software offloads: every packet that comes out is compared byte by byte with one that this file
// builds from scratch, with sums taken the slow way, and with packets made by scapy.
#include "vswitch/dp/offload.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#define NB_MBUFS      4095
#define PACKET_BYTES  66000
#define PAYLOAD_BYTES 65536

static struct rte_mempool *pool, *big_pool;
static struct dp_counters cnt;
static struct rte_mbuf *out[DP_GSO_MAX];
static uint8_t payload[PAYLOAD_BYTES];
static unsigned seed;

// scapy 2.5.0: Ether()[/Dot1Q(vlan=100)]/IP(id=0xffff, flags="DF")/TCP(seq=0xfffffff0, timestamps)
// and Ether()/Dot1Q(vlan=100)/IPv6()/UDP(), payload byte i is 7 * i + 3: the first 100 bytes of 151
// in one packet, the rest in the next.
// clang-format off
static const uint8_t scapy_tcp4_0[] = {
	0x02, 0x00, 0x00, 0x00, 0x00, 0x02, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01,
	0x08, 0x00, 0x45, 0x00, 0x00, 0x98, 0xff, 0xff, 0x40, 0x00, 0x40, 0x06,
	0x1f, 0x53, 0x0a, 0x01, 0x02, 0x03, 0x0a, 0x04, 0x05, 0x06, 0x9c, 0x40,
	0x14, 0x51, 0xff, 0xff, 0xff, 0xf0, 0x01, 0x02, 0x03, 0x04, 0x80, 0x90,
	0x01, 0xf5, 0xe7, 0xef, 0x00, 0x00, 0x01, 0x01, 0x08, 0x0a, 0x11, 0x22,
	0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x03, 0x0a, 0x11, 0x18, 0x1f, 0x26,
	0x2d, 0x34, 0x3b, 0x42, 0x49, 0x50, 0x57, 0x5e, 0x65, 0x6c, 0x73, 0x7a,
	0x81, 0x88, 0x8f, 0x96, 0x9d, 0xa4, 0xab, 0xb2, 0xb9, 0xc0, 0xc7, 0xce,
	0xd5, 0xdc, 0xe3, 0xea, 0xf1, 0xf8, 0xff, 0x06, 0x0d, 0x14, 0x1b, 0x22,
	0x29, 0x30, 0x37, 0x3e, 0x45, 0x4c, 0x53, 0x5a, 0x61, 0x68, 0x6f, 0x76,
	0x7d, 0x84, 0x8b, 0x92, 0x99, 0xa0, 0xa7, 0xae, 0xb5, 0xbc, 0xc3, 0xca,
	0xd1, 0xd8, 0xdf, 0xe6, 0xed, 0xf4, 0xfb, 0x02, 0x09, 0x10, 0x17, 0x1e,
	0x25, 0x2c, 0x33, 0x3a, 0x41, 0x48, 0x4f, 0x56, 0x5d, 0x64, 0x6b, 0x72,
	0x79, 0x80, 0x87, 0x8e, 0x95, 0x9c, 0xa3, 0xaa, 0xb1, 0xb8,
};

static const uint8_t scapy_tcp4_1[] = {
	0x02, 0x00, 0x00, 0x00, 0x00, 0x02, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01,
	0x08, 0x00, 0x45, 0x00, 0x00, 0x67, 0x00, 0x00, 0x40, 0x00, 0x40, 0x06,
	0x1f, 0x84, 0x0a, 0x01, 0x02, 0x03, 0x0a, 0x04, 0x05, 0x06, 0x9c, 0x40,
	0x14, 0x51, 0x00, 0x00, 0x00, 0x54, 0x01, 0x02, 0x03, 0x04, 0x80, 0x19,
	0x01, 0xf5, 0x59, 0x73, 0x00, 0x00, 0x01, 0x01, 0x08, 0x0a, 0x11, 0x22,
	0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0xbf, 0xc6, 0xcd, 0xd4, 0xdb, 0xe2,
	0xe9, 0xf0, 0xf7, 0xfe, 0x05, 0x0c, 0x13, 0x1a, 0x21, 0x28, 0x2f, 0x36,
	0x3d, 0x44, 0x4b, 0x52, 0x59, 0x60, 0x67, 0x6e, 0x75, 0x7c, 0x83, 0x8a,
	0x91, 0x98, 0x9f, 0xa6, 0xad, 0xb4, 0xbb, 0xc2, 0xc9, 0xd0, 0xd7, 0xde,
	0xe5, 0xec, 0xf3, 0xfa, 0x01, 0x08, 0x0f, 0x16, 0x1d,
};

static const uint8_t scapy_udp6_0[] = {
	0x02, 0x00, 0x00, 0x00, 0x00, 0x02, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01,
	0x81, 0x00, 0x00, 0x64, 0x86, 0xdd, 0x60, 0x00, 0x00, 0x00, 0x00, 0x6c,
	0x11, 0x40, 0xfd, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0xfd, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x04, 0xd2,
	0x11, 0x51, 0x00, 0x6c, 0x43, 0xe5, 0x03, 0x0a, 0x11, 0x18, 0x1f, 0x26,
	0x2d, 0x34, 0x3b, 0x42, 0x49, 0x50, 0x57, 0x5e, 0x65, 0x6c, 0x73, 0x7a,
	0x81, 0x88, 0x8f, 0x96, 0x9d, 0xa4, 0xab, 0xb2, 0xb9, 0xc0, 0xc7, 0xce,
	0xd5, 0xdc, 0xe3, 0xea, 0xf1, 0xf8, 0xff, 0x06, 0x0d, 0x14, 0x1b, 0x22,
	0x29, 0x30, 0x37, 0x3e, 0x45, 0x4c, 0x53, 0x5a, 0x61, 0x68, 0x6f, 0x76,
	0x7d, 0x84, 0x8b, 0x92, 0x99, 0xa0, 0xa7, 0xae, 0xb5, 0xbc, 0xc3, 0xca,
	0xd1, 0xd8, 0xdf, 0xe6, 0xed, 0xf4, 0xfb, 0x02, 0x09, 0x10, 0x17, 0x1e,
	0x25, 0x2c, 0x33, 0x3a, 0x41, 0x48, 0x4f, 0x56, 0x5d, 0x64, 0x6b, 0x72,
	0x79, 0x80, 0x87, 0x8e, 0x95, 0x9c, 0xa3, 0xaa, 0xb1, 0xb8,
};

static const uint8_t scapy_udp6_1[] = {
	0x02, 0x00, 0x00, 0x00, 0x00, 0x02, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01,
	0x81, 0x00, 0x00, 0x64, 0x86, 0xdd, 0x60, 0x00, 0x00, 0x00, 0x00, 0x3b,
	0x11, 0x40, 0xfd, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0xfd, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x04, 0xd2,
	0x11, 0x51, 0x00, 0x3b, 0xb5, 0x85, 0xbf, 0xc6, 0xcd, 0xd4, 0xdb, 0xe2,
	0xe9, 0xf0, 0xf7, 0xfe, 0x05, 0x0c, 0x13, 0x1a, 0x21, 0x28, 0x2f, 0x36,
	0x3d, 0x44, 0x4b, 0x52, 0x59, 0x60, 0x67, 0x6e, 0x75, 0x7c, 0x83, 0x8a,
	0x91, 0x98, 0x9f, 0xa6, 0xad, 0xb4, 0xbb, 0xc2, 0xc9, 0xd0, 0xd7, 0xde,
	0xe5, 0xec, 0xf3, 0xfa, 0x01, 0x08, 0x0f, 0x16, 0x1d,
};

// clang-format on

// ---- packets from scratch ----

// A packet, or the large one that stands for several.
struct spec {
	bool v6, tcp;
	unsigned tags;	  // VLAN tags
	unsigned l3_opts; // bytes of IPv4 options or IPv6 extension headers, multiple of 8
	unsigned l4_opts; // bytes of TCP options, multiple of 4
	unsigned payload_bytes;
	uint16_t mss; // 0: not to be segmented
	uint8_t flags;
	uint32_t seq;
	uint16_t id;
};

static unsigned l2_len(const struct spec *s)
{
	return 14 + 4 * s->tags;
}

static unsigned l3_len(const struct spec *s)
{
	return (s->v6 ? 40 : 20) + s->l3_opts;
}

static unsigned l4_len(const struct spec *s)
{
	return s->tcp ? 20 + s->l4_opts : 8;
}

static unsigned headers_len(const struct spec *s)
{
	return l2_len(s) + l3_len(s) + l4_len(s);
}

static uint8_t *put16(uint8_t *p, unsigned v)
{
	p[0] = v >> 8;
	p[1] = v;
	return p + 2;
}

static uint8_t *put32(uint8_t *p, uint32_t v)
{
	return put16(put16(p, v >> 16), v & 0xffff);
}

// RFC 1071, byte by byte.
static uint32_t slow_sum(const uint8_t *p, unsigned len, uint32_t sum)
{
	for (unsigned i = 0; i < len; i++) {
		sum += i & 1 ? p[i] : p[i] << 8;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return sum;
}

static uint8_t *put_l2(uint8_t *p, const struct spec *s)
{
	static const uint8_t macs[] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1};

	memcpy(p, macs, sizeof(macs));
	p += sizeof(macs);
	for (unsigned i = 0; i < s->tags; i++)
		p = put16(put16(p, i + 1 < s->tags ? 0x88a8 : 0x8100), 0x6000 | (100 + i));
	return put16(p, s->v6 ? 0x86dd : 0x0800);
}

static uint8_t *put_ipv4(uint8_t *p, const struct spec *s, unsigned len, unsigned index)
{
	uint8_t *ip = p;

	*p++ = 0x40 | (l3_len(s) / 4);
	*p++ = 0;
	p = put16(put16(p, len), (s->id + index) & 0xffff);
	p = put16(p, 0x4000);
	*p++ = 64;
	*p++ = s->tcp ? 6 : 17;
	p = put16(p, 0);
	p = put32(put32(p, 0x0a010203), 0x0a040506);
	memset(p, 1, s->l3_opts); // no operation
	put16(ip + 10, ~slow_sum(ip, l3_len(s), 0) & 0xffff);
	return p + s->l3_opts;
}

static uint8_t *put_ipv6(uint8_t *p, const struct spec *s, unsigned len)
{
	uint8_t l4 = s->tcp ? 6 : 17;

	p = put16(put32(p, 0x60000000), len - 40);
	*p++ = s->l3_opts ? 60 : l4;
	*p++ = 64;
	for (unsigned i = 1; i <= 2; i++) {
		memset(p, 0, 16);
		p[0] = 0xfd;
		p[15] = i;
		p += 16;
	}
	for (unsigned left = s->l3_opts; left; left -= 8) {
		const uint8_t options[8] = {left > 8 ? 60 : l4, 0, 1, 4};

		memcpy(p, options, 8);
		p += 8;
	}
	return p;
}

static uint32_t pseudo_sum(const struct spec *s, const uint8_t *ip, unsigned l4_bytes)
{
	uint32_t sum = (s->tcp ? 6 : 17) + l4_bytes;

	sum = (sum & 0xffff) + (sum >> 16);
	return s->v6 ? slow_sum(ip + 8, 32, sum) : slow_sum(ip + 12, 8, sum);
}

static uint8_t *put_l4(uint8_t *p, const struct spec *s, unsigned from, unsigned n, uint8_t flags)
{
	p = put16(put16(p, s->tcp ? 40000 : 1234), s->tcp ? 5201 : 4433);
	if (!s->tcp)
		return put16(put16(p, 8 + n), 0);
	p = put32(put32(p, s->seq + from), 0x01020304);
	*p++ = (20 + s->l4_opts) / 4 << 4;
	*p++ = flags;
	p = put16(put16(put16(p, 501), 0), 0);
	memset(p, 1, s->l4_opts);
	return p + s->l4_opts;
}

// Builds the packet with payload bytes [from, from + n). `partial`: its L4 checksum is left to do.
static unsigned build(uint8_t *pkt, const struct spec *s, unsigned from, unsigned n, unsigned index,
	uint8_t flags, bool partial)
{
	uint8_t *ip = put_l2(pkt, s), *l4, *p;
	unsigned l4_bytes = l4_len(s) + n, sum;

	l4 = s->v6 ? put_ipv6(ip, s, l3_len(s) + l4_bytes)
		   : put_ipv4(ip, s, l3_len(s) + l4_bytes, index);
	p = put_l4(l4, s, from, n, flags);
	memcpy(p, payload + from, n);
	sum = pseudo_sum(s, ip, l4_bytes);
	if (!partial) {
		sum = ~slow_sum(l4, l4_bytes, sum) & 0xffff;
		if (!sum && !s->tcp)
			sum = 0xffff;
	}
	put16(l4 + (s->tcp ? 16 : 6), sum);
	return p + n - pkt;
}

static unsigned nb_segments(const struct spec *s)
{
	return s->mss && s->payload_bytes ? (s->payload_bytes + s->mss - 1) / s->mss : 1;
}

static unsigned build_segment(uint8_t *pkt, const struct spec *s, unsigned index, bool partial)
{
	unsigned from = index * s->mss;
	unsigned n = s->mss ? RTE_MIN(s->payload_bytes - from, s->mss) : s->payload_bytes;
	uint8_t flags = s->flags;

	if (index)
		flags &= ~0x80; // CWR
	if (index + 1 < nb_segments(s))
		flags &= ~0x09; // FIN, PSH
	return build(pkt, s, from, n, index, flags, partial);
}

// ---- mbufs ----

// The bytes in a chain of buffers of at most `chunk` bytes each.
static struct rte_mbuf *chain_of(const uint8_t *bytes, unsigned len, unsigned chunk)
{
	struct rte_mbuf *head = NULL;

	do {
		unsigned n = RTE_MIN(len, chunk);
		struct rte_mbuf *m = rte_pktmbuf_alloc(n > 1900 ? big_pool : pool);

		assert_non_null(m);
		memcpy(rte_pktmbuf_append(m, n), bytes, n);
		if (!head)
			head = m;
		else
			assert_int_equal(rte_pktmbuf_chain(head, m), 0);
		bytes += n;
		len -= n;
	} while (len);
	return head;
}

static void set_offload(struct rte_mbuf *m, const struct spec *s)
{
	m->ol_flags |= s->v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4;
	m->ol_flags |= s->tcp ? RTE_MBUF_F_TX_TCP_CKSUM : RTE_MBUF_F_TX_UDP_CKSUM;
	if (s->mss)
		m->ol_flags |= s->tcp ? RTE_MBUF_F_TX_TCP_SEG : RTE_MBUF_F_TX_UDP_SEG;
	m->l2_len = l2_len(s);
	m->l3_len = l3_len(s);
	m->l4_len = l4_len(s);
	m->tso_segsz = s->mss;
}

static struct rte_mbuf *large_of(const struct spec *s, unsigned chunk)
{
	static uint8_t pkt[PACKET_BYTES];
	unsigned len = build(pkt, s, 0, s->payload_bytes, 0, s->flags, true);
	struct rte_mbuf *m = chain_of(pkt, len, chunk);

	set_offload(m, s);
	return m;
}

static void assert_bytes(const struct rte_mbuf *m, const uint8_t *want, unsigned len)
{
	static uint8_t copy[PACKET_BYTES];

	rte_mbuf_sanity_check(m, 1);
	assert_int_equal(m->pkt_len, len);
	assert_memory_equal(rte_pktmbuf_read(m, 0, len, copy), want, len);
}

// What DPDK thinks of the checksums, of a complete packet in one buffer.
static void assert_verified(const struct rte_mbuf *m, const struct spec *s)
{
	const uint8_t *ip = rte_pktmbuf_mtod_offset(m, uint8_t *, l2_len(s));

	if (s->v6 && !s->l3_opts) {
		assert_int_equal(rte_ipv6_udptcp_cksum_verify((const void *)ip, ip + 40), 0);
	} else if (!s->v6) {
		assert_int_equal(rte_raw_cksum(ip, l3_len(s)), 0xffff);
		assert_int_equal(rte_ipv4_udptcp_cksum_verify((const void *)ip, ip + l3_len(s)), 0);
	}
}

// Finishes a packet as `s` says for a port with `offloads` and checks all that comes out.
static void check(const struct spec *s, unsigned chunk, uint64_t offloads)
{
	static uint8_t want[PACKET_BYTES];
	bool partial =
		s->mss &&
		(offloads & (s->tcp ? RTE_ETH_TX_OFFLOAD_TCP_CKSUM : RTE_ETH_TX_OFFLOAD_UDP_CKSUM));
	unsigned n = dp_offload_finish(large_of(s, chunk), offloads, pool, out, DP_GSO_MAX, &cnt);

	assert_int_equal(n, nb_segments(s));
	for (unsigned i = 0; i < n; i++) {
		unsigned len = build_segment(want, s, i, partial);

		assert_bytes(out[i], want, len);
		assert_true(dp_offload_fits(out[i], offloads));
		assert_int_equal(!!(out[i]->ol_flags & DP_OFFLOAD_FLAGS), partial);
		if (!partial && out[i]->nb_segs == 1)
			assert_verified(out[i], s);
		rte_pktmbuf_free(out[i]);
	}
}

#define NO_OFFLOADS 0
#define CHAINS	    RTE_ETH_TX_OFFLOAD_MULTI_SEGS

// ---- tests ----

static void scapy_pair(
	const struct spec *s, const uint8_t *a, unsigned a_len, const uint8_t *b, unsigned b_len)
{
	static uint8_t pkt[PACKET_BYTES];
	unsigned hdr = headers_len(s);
	struct rte_mbuf *m;

	// The large packet: the first one's headers, with its length, flags and sum of the whole.
	memcpy(pkt, a, a_len);
	memcpy(pkt + a_len, b + hdr, b_len - hdr);
	if (s->v6)
		put16(pkt + l2_len(s) + 4, l4_len(s) + s->payload_bytes);
	else
		put16(pkt + l2_len(s) + 2, l3_len(s) + l4_len(s) + s->payload_bytes);
	if (s->tcp)
		pkt[l2_len(s) + l3_len(s) + 13] = s->flags;
	else
		put16(pkt + l2_len(s) + l3_len(s) + 4, 8 + s->payload_bytes);
	put16(pkt + l2_len(s) + l3_len(s) + (s->tcp ? 16 : 6),
		pseudo_sum(s, pkt + l2_len(s), l4_len(s) + s->payload_bytes));
	m = chain_of(pkt, hdr + s->payload_bytes, PACKET_BYTES);
	set_offload(m, s);
	assert_int_equal(dp_offload_finish(m, NO_OFFLOADS, pool, out, DP_GSO_MAX, &cnt), 2);
	assert_bytes(out[0], a, a_len);
	assert_bytes(out[1], b, b_len);
	rte_pktmbuf_free_bulk(out, 2);
}

static void test_scapy(void **state)
{
	const struct spec tcp4 = {
		.tcp = true, .l4_opts = 12, .payload_bytes = 151, .mss = 100, .flags = 0x99};
	const struct spec udp6 = {.v6 = true, .tags = 1, .payload_bytes = 151, .mss = 100};

	scapy_pair(&tcp4, scapy_tcp4_0, sizeof(scapy_tcp4_0), scapy_tcp4_1, sizeof(scapy_tcp4_1));
	scapy_pair(&udp6, scapy_udp6_0, sizeof(scapy_udp6_0), scapy_udp6_1, sizeof(scapy_udp6_1));
}

static void each_protocol(void (*fn)(struct spec *s))
{
	for (unsigned i = 0; i < 24; i++) {
		struct spec s = {
			.v6 = i & 1,
			.tcp = i & 2,
			.tags = i / 8,
			.l3_opts = i & 4 ? 16 : 0,
			.l4_opts = i & 2 ? 12 : 0,
			.flags = 0x99, // CWR, ACK, PSH, FIN
			.seq = 0xfffffc00,
			.id = 0xfffe,
		};
		fn(&s);
	}
}

static void sizes(struct spec *s)
{
	static const unsigned mss[] = {64, 65, 536, 1400, 1448};

	for (unsigned i = 0; i < RTE_DIM(mss); i++) {
		const unsigned bytes[] = {0, 1, mss[i] - 1, mss[i], mss[i] + 1, 3 * mss[i],
			3 * mss[i] + 1, 20 * mss[i] - 1};

		s->mss = mss[i];
		for (unsigned k = 0; k < RTE_DIM(bytes); k++) {
			s->payload_bytes = bytes[k];
			check(s, PACKET_BYTES, NO_OFFLOADS);
			check(s, 1000, NO_OFFLOADS);
			check(s, 7, CHAINS);
		}
	}
}

static void test_sizes(void **state)
{
	each_protocol(sizes);
}

static void largest(struct spec *s)
{
	s->payload_bytes = 65535 - l3_len(s) - l4_len(s) + (s->v6 ? 40 : 0);
	s->mss = 1400;
	check(s, PACKET_BYTES, NO_OFFLOADS);
	check(s, 1900, NO_OFFLOADS);
	s->mss = 9000; // larger than a buffer
	check(s, PACKET_BYTES, CHAINS);
	s->mss = 64;
	s->payload_bytes = RTE_MIN(s->payload_bytes, 64u * DP_GSO_MAX);
	check(s, PACKET_BYTES, NO_OFFLOADS);
}

static void test_largest(void **state)
{
	each_protocol(largest);
}

static void checksum_only(struct spec *s)
{
	for (s->payload_bytes = 0; s->payload_bytes < 40; s->payload_bytes++) {
		check(s, PACKET_BYTES, NO_OFFLOADS);
		check(s, 13, CHAINS);
		check(s, 13, NO_OFFLOADS);
	}
	s->payload_bytes = 1460;
	check(s, PACKET_BYTES, NO_OFFLOADS);
	s->payload_bytes = 8000;
	check(s, PACKET_BYTES, NO_OFFLOADS);
	check(s, 1900, CHAINS);
}

static void test_checksum_only(void **state)
{
	each_protocol(checksum_only);
}

static void partial_segments(struct spec *s)
{
	s->mss = 500;
	s->payload_bytes = 1234;
	check(s, PACKET_BYTES, RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM);
}

static void test_checksum_left_to_port(void **state)
{
	each_protocol(partial_segments);
}

static void test_random(void **state)
{
	print_message("seed %u\n", seed);
	srandom(seed);
	for (unsigned i = 0; i < 3000; i++) {
		struct spec s = {
			.v6 = random() & 1,
			.tcp = random() & 1,
			.tags = random() % 3,
			.l3_opts = random() % 4 * 8,
			.l4_opts = random() % 11 * 4,
			.payload_bytes = random() % (random() & 1 ? 3000 : 40000),
			.mss = 64 + random() % 1500,
			.flags = random(),
			.seq = random() * 2u,
			.id = random(),
		};
		unsigned chunk = random() & 1 ? PACKET_BYTES : 1 + random() % 1900;

		if (!s.tcp)
			s.l4_opts = 0;
		if (s.payload_bytes / chunk > 1000) // buffers of a test, not of a switch
			chunk = PACKET_BYTES;
		check(&s, chunk, random() & 1 ? CHAINS : NO_OFFLOADS);
	}
}

// A sum of zero is sent as 0xffff by UDP, which has another use for zero, and by it only.
static void test_zero_checksum(void **state)
{
	static uint8_t pkt[PACKET_BYTES];

	for (unsigned v6 = 0; v6 < 2; v6++) {
		struct spec s = {.v6 = v6, .payload_bytes = 200};
		unsigned field = headers_len(&s) - 2, len;
		uint8_t was[2] = {payload[0], payload[1]};

		payload[0] = payload[1] = 0;
		len = build(pkt, &s, 0, 200, 0, 0, false);
		memcpy(payload, pkt + field, 2);
		len = build(pkt, &s, 0, 200, 0, 0, false);
		assert_true(len && pkt[field] == 0xff && pkt[field + 1] == 0xff);
		check(&s, PACKET_BYTES, NO_OFFLOADS);
		s.mss = 200;
		check(&s, PACKET_BYTES, NO_OFFLOADS);
		memcpy(payload, was, 2);
	}
}

// ---- others hold the packet too ----

static void free_nothing(void *addr, void *opaque)
{
}

static void finish_and_compare(struct rte_mbuf *m, const struct spec *s)
{
	static uint8_t want[PACKET_BYTES];
	unsigned n = dp_offload_finish(m, NO_OFFLOADS, pool, out, DP_GSO_MAX, &cnt);

	assert_int_equal(n, nb_segments(s));
	for (unsigned i = 0; i < n; i++)
		assert_bytes(out[i], want, build_segment(want, s, i, false));
	rte_pktmbuf_free_bulk(out, n);
}

static void shared(const struct spec *s)
{
	static uint8_t before[PACKET_BYTES];
	static struct rte_mbuf_ext_shared_info info = {.free_cb = free_nothing};
	unsigned len = build(before, s, 0, s->payload_bytes, 0, s->flags, true);
	struct rte_mbuf *m = large_of(s, PACKET_BYTES), *clone, *ext;
	uint64_t flags = m->ol_flags;

	rte_mbuf_refcnt_update(m, 1);
	finish_and_compare(m, s);
	assert_int_equal(rte_mbuf_refcnt_read(m), 1);
	assert_int_equal(m->ol_flags, flags);
	assert_bytes(m, before, len);

	clone = rte_pktmbuf_clone(m, pool);
	assert_non_null(clone);
	finish_and_compare(clone, s);
	assert_bytes(m, before, len);
	rte_pktmbuf_free(m);

	ext = rte_pktmbuf_alloc(pool);
	assert_non_null(ext);
	rte_mbuf_ext_refcnt_set(&info, 1);
	rte_pktmbuf_attach_extbuf(
		ext, before, 0, PACKET_BYTES > 65535 ? 65535 : PACKET_BYTES, &info);
	ext->data_off = 0;
	assert_non_null(rte_pktmbuf_append(ext, len));
	set_offload(ext, s);
	finish_and_compare(ext, s);
	m = chain_of(before, len, PACKET_BYTES);
	build(before, s, 0, s->payload_bytes, 0, s->flags, true);
	assert_bytes(m, before, len);
	rte_pktmbuf_free(m);
}

static void test_shared(void **state)
{
	struct spec s = {.tcp = true, .payload_bytes = 1000, .flags = 0x18};

	shared(&s);
	s.mss = 300;
	shared(&s);
	s.tcp = false;
	s.v6 = true;
	shared(&s);
}

// ---- refusals ----

static void refused(
	struct rte_mbuf *m, uint64_t offloads, uint16_t room, enum dp_drop_reason reason)
{
	uint64_t before = cnt.drop[reason], sum = 0;

	for (unsigned i = 0; i < DP_NB_DROPS; i++)
		sum += cnt.drop[i];
	assert_int_equal(dp_offload_finish(m, offloads, pool, out, room, &cnt), 0);
	assert_int_equal(cnt.drop[reason], before + 1);
	for (unsigned i = 0; i < DP_NB_DROPS; i++)
		sum -= cnt.drop[i];
	assert_int_equal(sum, -1);
}

static void test_too_large_for_a_buffer(void **state)
{
	struct spec s = {.tcp = true, .payload_bytes = 20000, .mss = 9000, .flags = 0x10};

	refused(large_of(&s, PACKET_BYTES), NO_OFFLOADS, DP_GSO_MAX, DP_DROP_TX_GSO);
	s.mss = 0;
	refused(large_of(&s, 1900), NO_OFFLOADS, DP_GSO_MAX, DP_DROP_TX_GSO);
}

static void test_room_and_size(void **state)
{
	struct spec s = {.tcp = true, .payload_bytes = 1001, .mss = 100, .flags = 0x10};

	refused(large_of(&s, PACKET_BYTES), NO_OFFLOADS, 10, DP_DROP_TX_GSO);
	refused(large_of(&s, PACKET_BYTES), NO_OFFLOADS, 0, DP_DROP_TX_GSO);
	s.mss = DP_GSO_SEGSZ_MIN - 1;
	refused(large_of(&s, PACKET_BYTES), NO_OFFLOADS, DP_GSO_MAX, DP_DROP_TX_GSO);
}

static void test_no_buffer(void **state)
{
	static struct rte_mbuf *hold[NB_MBUFS];
	struct spec s = {.tcp = true, .payload_bytes = 20000, .mss = 1000, .flags = 0x10};
	struct rte_mbuf *m[4] = {large_of(&s, PACKET_BYTES), large_of(&s, PACKET_BYTES)};
	unsigned n = 0;

	m[2] = large_of(&s, PACKET_BYTES);
	s.mss = 0;
	s.payload_bytes = 1000;
	m[3] = large_of(&s, PACKET_BYTES);
	rte_mbuf_refcnt_update(m[3], 1);
	while (n < NB_MBUFS && (hold[n] = rte_pktmbuf_alloc(pool)))
		n++;
	refused(m[0], NO_OFFLOADS, DP_GSO_MAX, DP_DROP_TX_NO_BUFFER);
	for (unsigned i = 0; i < 19; i++) // one too few
		rte_pktmbuf_free(hold[--n]);
	refused(m[1], NO_OFFLOADS, DP_GSO_MAX, DP_DROP_TX_NO_BUFFER);
	m[2]->tso_segsz = 9000; // heads for all, bodies not
	refused(m[2], CHAINS, DP_GSO_MAX, DP_DROP_TX_NO_BUFFER);
	while (n < NB_MBUFS && (hold[n] = rte_pktmbuf_alloc(pool)))
		n++;
	refused(m[3], NO_OFFLOADS, DP_GSO_MAX, DP_DROP_TX_NO_BUFFER);
	rte_pktmbuf_free(m[3]);
	rte_pktmbuf_free_bulk(hold, n);
}

// One change to a good packet that makes its headers not what the flags say.
struct damage {
	bool v6, udp;
	unsigned l3_opts;
	unsigned at; // byte of the packet, 0: none
	uint8_t value;
	int l2, l3, l4; // change of the length fields
	uint64_t flip;	// flags
	unsigned trim;	// bytes cut off the end
};

static const struct damage damages[] = {
	{.l2 = -4},
	{.l2 = 4},
	{.l2 = -14},
	{.l2 = 113},
	{.l3 = -4},
	{.l3 = 4},
	{.l3 = -20},
	{.l3 = 491},
	{.l4 = -4},
	{.l4 = 4},
	{.l4 = -20},
	{.l4 = 235},
	{.flip = RTE_MBUF_F_TX_IPV6},
	{.flip = RTE_MBUF_F_TX_IPV4},
	{.flip = RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IPV6},
	{.flip = RTE_MBUF_F_TX_UDP_SEG},
	{.udp = true, .flip = RTE_MBUF_F_TX_TCP_SEG},
	{.flip = RTE_MBUF_F_TX_TCP_CKSUM ^ RTE_MBUF_F_TX_UDP_CKSUM},
	{.at = 13, .value = 0xdd}, // EtherType
	{.at = 14, .value = 0x65}, // version
	{.at = 14, .value = 0x46}, // header length
	{.at = 14, .value = 0x40},
	{.at = 16, .value = 0xff}, // total length
	{.at = 20, .value = 0x20}, // more fragments
	{.at = 21, .value = 0x01}, // fragment offset
	{.at = 23, .value = 17},   // protocol
	{.udp = true, .at = 23, .value = 6},
	{.at = 46, .value = 0x40}, // data offset
	{.at = 46, .value = 0xf0},
	{.at = 46, .value = 0},
	{.trim = 1},
	{.trim = 999},
	{.v6 = true, .at = 14, .value = 0x40},
	{.v6 = true, .at = 18, .value = 0xff}, // payload length
	{.v6 = true, .at = 20, .value = 17},   // next header
	{.v6 = true, .at = 20, .value = 44},
	{.v6 = true, .l3_opts = 16, .at = 20, .value = 6},
	{.v6 = true, .l3_opts = 16, .at = 20, .value = 44},
	{.v6 = true, .l3_opts = 16, .at = 55, .value = 1}, // length of the first extension
	{.v6 = true, .l3_opts = 16, .at = 55, .value = 255},
	{.v6 = true, .l3_opts = 16, .at = 62, .value = 60}, // another one that is not there
	{.v6 = true, .l3 = 7},
	{.v6 = true, .trim = 1},
};

static void test_damaged(void **state)
{
	for (unsigned i = 0; i < RTE_DIM(damages); i++) {
		const struct damage *d = &damages[i];
		struct spec s = {
			.v6 = d->v6,
			.tcp = !d->udp,
			.l3_opts = d->l3_opts,
			.payload_bytes = 1000,
			.mss = 300,
			.flags = 0x10,
		};
		struct rte_mbuf *m;

		check(&s, PACKET_BYTES, NO_OFFLOADS); // without the damage
		m = large_of(&s, PACKET_BYTES);
		m->l2_len += d->l2;
		m->l3_len += d->l3;
		m->l4_len += d->l4;
		m->ol_flags ^= d->flip;
		if (d->at)
			rte_pktmbuf_mtod(m, uint8_t *)[d->at] = d->value;
		assert_int_equal(rte_pktmbuf_trim(m, d->trim), 0);
		refused(m, NO_OFFLOADS, DP_GSO_MAX, DP_DROP_TX_GSO);
	}
}

// A packet cut off anywhere in its headers.
static void test_truncated(void **state)
{
	for (unsigned i = 0; i < 8; i++) {
		struct spec s = {
			.v6 = i & 1, .tcp = i & 2, .payload_bytes = 100, .mss = i & 4 ? 64 : 0};
		unsigned full = headers_len(&s) + 100;

		for (unsigned len = 0; len < full; len++) {
			struct rte_mbuf *m = large_of(&s, PACKET_BYTES);

			rte_pktmbuf_trim(m, full - len);
			refused(m, NO_OFFLOADS, DP_GSO_MAX, DP_DROP_TX_GSO);
		}
	}
}

// Bytes after the end of the IP packet are padding: not summed, and not segmented.
static void test_padding(void **state)
{
	static uint8_t want[PACKET_BYTES];
	struct spec s = {.tcp = true, .payload_bytes = 3, .flags = 0x18};
	struct rte_mbuf *m = large_of(&s, PACKET_BYTES);
	unsigned len = build_segment(want, &s, 0, false);

	memset(rte_pktmbuf_append(m, 3), 0xaa, 3);
	memset(want + len, 0xaa, 3);
	assert_int_equal(dp_offload_finish(m, NO_OFFLOADS, pool, out, 1, &cnt), 1);
	assert_bytes(out[0], want, len + 3);
	rte_pktmbuf_free(out[0]);

	s.mss = 64;
	s.payload_bytes = 65;
	m = large_of(&s, PACKET_BYTES);
	memset(rte_pktmbuf_append(m, 100), 0xaa, 100);
	finish_and_compare(m, &s);
}

// With a routing header the sender sums the final destination, which the IPv6 header does not name.
static void test_routing_header(void **state)
{
	static uint8_t pkt[PACKET_BYTES];
	struct spec s = {
		.v6 = true, .tcp = true, .l3_opts = 24, .payload_bytes = 130, .flags = 0x10};
	unsigned len = build(pkt, &s, 0, 130, 0, s.flags, true), l4 = 14 + 64;
	uint8_t final_ip[40];
	struct rte_mbuf *m;

	pkt[14 + 6] = 43;
	memcpy(pkt + 54, (const uint8_t[8]){6, 2, 2, 1}, 8); // type 2, one segment left
	memset(pkt + 62, 0x5a, 16);
	memcpy(final_ip, pkt + 14, 40);
	memset(final_ip + 24, 0x5a, 16);
	put16(pkt + l4 + 16, pseudo_sum(&s, final_ip, 150));
	m = chain_of(pkt, len, PACKET_BYTES);
	s.mss = 100;
	set_offload(m, &s);
	assert_int_equal(dp_offload_finish(m, NO_OFFLOADS, pool, out, DP_GSO_MAX, &cnt), 2);
	for (unsigned i = 0; i < 2; i++) {
		const uint8_t *tcp = rte_pktmbuf_mtod_offset(out[i], uint8_t *, l4);
		unsigned l4_bytes = out[i]->pkt_len - l4;

		assert_int_equal(
			slow_sum(tcp, l4_bytes, pseudo_sum(&s, final_ip, l4_bytes)), 0xffff);
	}
	rte_pktmbuf_free_bulk(out, 2);
}

static void test_fits(void **state)
{
	const uint64_t tso = RTE_ETH_TX_OFFLOAD_TCP_TSO, uso = RTE_ETH_TX_OFFLOAD_UDP_TSO;
	const uint64_t tcp = RTE_ETH_TX_OFFLOAD_TCP_CKSUM, udp = RTE_ETH_TX_OFFLOAD_UDP_CKSUM;
	const struct {
		struct spec s;
		uint64_t need;
	} rows[] = {
		{{.tcp = true, .payload_bytes = 99, .mss = 64}, tso},
		{{.tcp = false, .payload_bytes = 99, .mss = 64}, uso},
		{{.tcp = true, .payload_bytes = 99}, tcp},
		{{.tcp = false, .payload_bytes = 99}, udp},
	};
	const uint64_t all = tso | uso | tcp | udp;

	for (unsigned i = 0; i < RTE_DIM(rows); i++) {
		struct rte_mbuf *m = large_of(&rows[i].s, PACKET_BYTES);

		assert_true(dp_offload_fits(m, rows[i].need));
		assert_false(dp_offload_fits(m, all & ~rows[i].need));
		// As it is: nothing is done to it.
		assert_int_equal(dp_offload_finish(m, all, pool, out, 1, &cnt), 1);
		assert_ptr_equal(out[0], m);
		rte_pktmbuf_free(m);
		m = large_of(&rows[i].s, 50);
		assert_false(dp_offload_fits(m, all));
		assert_true(dp_offload_fits(m, rows[i].need | CHAINS));
		// Only the chain is in the way: one buffer, the rest is left to the port.
		assert_int_equal(dp_offload_finish(m, all, pool, out, 1, &cnt), 1);
		assert_int_equal(out[0]->nb_segs, 1);
		assert_true(out[0]->ol_flags & DP_OFFLOAD_FLAGS);
		assert_int_equal(out[0]->tso_segsz, rows[i].s.mss);
		rte_pktmbuf_free(out[0]);
	}
}

static void test_checksum_fill(void **state)
{
	static uint8_t want[PACKET_BYTES];

	for (unsigned start = 0; start < 40; start++) {
		for (unsigned chunk = 1; chunk < 100; chunk += 9) {
			unsigned offset = start % 5 * 2;
			struct rte_mbuf *m = chain_of(payload, 80, chunk);

			memcpy(want, payload, 80);
			put16(want + start + offset, ~slow_sum(want + start, 80 - start, 0));
			assert_int_equal(dp_checksum_fill(m, start, offset), 0);
			assert_bytes(m, want, 80);
			rte_pktmbuf_free(m);
		}
	}
}

static void test_checksum_fill_bounds(void **state)
{
	struct rte_mbuf *m = chain_of(payload, 80, 30);

	assert_int_equal(dp_checksum_fill(m, 79, 0), -EINVAL);
	assert_int_equal(dp_checksum_fill(m, 0, 79), -EINVAL);
	assert_int_equal(dp_checksum_fill(m, 80, 0), -EINVAL);
	assert_int_equal(dp_checksum_fill(m, UINT32_MAX, 2), -EINVAL);
	assert_int_equal(dp_checksum_fill(m, 2, UINT32_MAX), -EINVAL);
	assert_bytes(m, payload, 80);
	assert_int_equal(dp_checksum_fill(m, 78, 0), 0);
	rte_pktmbuf_free(m);
}

static int no_leak(void **state)
{
	return rte_mempool_avail_count(pool) != NB_MBUFS || rte_mempool_in_use_count(big_pool) != 0;
}

#define LEAKTEST(fn) cmocka_unit_test_teardown(fn, no_leak)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		LEAKTEST(test_scapy),
		LEAKTEST(test_sizes),
		LEAKTEST(test_largest),
		LEAKTEST(test_checksum_only),
		LEAKTEST(test_checksum_left_to_port),
		LEAKTEST(test_random),
		LEAKTEST(test_zero_checksum),
		LEAKTEST(test_shared),
		LEAKTEST(test_too_large_for_a_buffer),
		LEAKTEST(test_room_and_size),
		LEAKTEST(test_no_buffer),
		LEAKTEST(test_damaged),
		LEAKTEST(test_truncated),
		LEAKTEST(test_padding),
		LEAKTEST(test_routing_header),
		LEAKTEST(test_fits),
		LEAKTEST(test_checksum_fill),
		LEAKTEST(test_checksum_fill_bounds),
	};
	char *eal[] = {
		"test", "--no-huge", "--no-shconf", "-m", "128", "--no-pci", "--log-level=error"};

	// `test_offload SEED` repeats a run.
	seed = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 0) : (unsigned)time(NULL);
	if (rte_eal_init(RTE_DIM(eal), eal) < 0)
		return 1;
	pool = rte_pktmbuf_pool_create(
		"small", NB_MBUFS, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	big_pool = rte_pktmbuf_pool_create("big", 63, 0, 0, 65535, SOCKET_ID_ANY);
	if (!pool || !big_pool)
		return 1;
	srandom(seed);
	for (unsigned i = 0; i < PAYLOAD_BYTES; i++)
		payload[i] = random();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
