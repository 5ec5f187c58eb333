// SPDX-License-Identifier: BSD-3-Clause
// Software segmentation: every packet that comes out is compared byte by byte with one that is
// built from scratch, with sums taken the slow way, and with packets made by scapy.
#include "dp/offload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "tests/unit/packets.h"

// scapy 2.5.0: Ether()/IP(id=0xffff, flags="DF")/TCP(seq=0xfffffff0, timestamps) and
// Ether()/Dot1Q(vlan=100)/IPv6()/UDP(). Payload byte i is 7 * i + 3: the first 100 bytes of 151 in
// one packet, the rest in the next. These are the headers of the first,
#define SCAPY_HEADERS 66
#define SCAPY_FIRST   100
#define SCAPY_PAYLOAD 151

static const uint8_t scapy_tcp4[SCAPY_HEADERS] = {0x02, 0x00, 0x00, 0x00, 0x00, 0x02, 0x02, 0x00,
	0x00, 0x00, 0x00, 0x01, 0x08, 0x00, 0x45, 0x00, 0x00, 0x98, 0xff, 0xff, 0x40, 0x00, 0x40,
	0x06, 0x1f, 0x53, 0x0a, 0x01, 0x02, 0x03, 0x0a, 0x04, 0x05, 0x06, 0x9c, 0x40, 0x14, 0x51,
	0xff, 0xff, 0xff, 0xf0, 0x01, 0x02, 0x03, 0x04, 0x80, 0x90, 0x01, 0xf5, 0xe7, 0xef, 0x00,
	0x00, 0x01, 0x01, 0x08, 0x0a, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88};

static const uint8_t scapy_udp6[SCAPY_HEADERS] = {0x02, 0x00, 0x00, 0x00, 0x00, 0x02, 0x02, 0x00,
	0x00, 0x00, 0x00, 0x01, 0x81, 0x00, 0x00, 0x64, 0x86, 0xdd, 0x60, 0x00, 0x00, 0x00, 0x00,
	0x6c, 0x11, 0x40, 0xfd, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x01, 0xfd, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x02, 0x04, 0xd2, 0x11, 0x51, 0x00, 0x6c, 0x43, 0xe5};

// and what those of the second have instead.
struct patch {
	unsigned at, value16;
};

static const struct patch scapy_tcp4_next[] = {{16, 0x0067}, {18, 0x0000}, {24, 0x1f84},
	{38, 0x0000}, {40, 0x0054}, {46, 0x8019}, {50, 0x5973}};

static const struct patch scapy_udp6_next[] = {{22, 0x003b}, {62, 0x003b}, {64, 0xb585}};

static void scapy_pair(
	const struct spec *s, const uint8_t *headers, const struct patch *next, unsigned nb_patches)
{
	static uint8_t first[200], second[200], large[300];
	uint8_t *l4 = large + l2_len(s) + l3_len(s);
	struct rte_mbuf *m;

	assert_int_equal(headers_len(s), SCAPY_HEADERS);
	memcpy(first, headers, SCAPY_HEADERS);
	memcpy(second, headers, SCAPY_HEADERS);
	memcpy(large, headers, SCAPY_HEADERS);
	for (unsigned i = 0; i < nb_patches; i++)
		put16(second + next[i].at, next[i].value16);
	for (unsigned i = 0; i < SCAPY_PAYLOAD; i++) {
		uint8_t *piece = i < SCAPY_FIRST ? first + i : second + i - SCAPY_FIRST;

		piece[SCAPY_HEADERS] = large[SCAPY_HEADERS + i] = 7 * i + 3;
	}
	// The large packet: the first one's headers, with its length, flags and sum of the whole.
	if (s->v6)
		put16(large + l2_len(s) + 4, l4_len(s) + SCAPY_PAYLOAD);
	else
		put16(large + l2_len(s) + 2, l3_len(s) + l4_len(s) + SCAPY_PAYLOAD);
	if (s->tcp)
		l4[13] = s->flags;
	else
		put16(l4 + 4, l4_len(s) + SCAPY_PAYLOAD);
	put16(large + csum_field(s), pseudo_sum(s, large + l2_len(s), l4_len(s) + SCAPY_PAYLOAD));
	m = chain_of(large, SCAPY_HEADERS + SCAPY_PAYLOAD, PACKET_BYTES);
	set_offload(m, s);
	assert_int_equal(dp_offload_finish(m, NO_OFFLOADS, pool, out, DP_GSO_MAX, &cnt), 2);
	assert_bytes(out[0], first, SCAPY_HEADERS + SCAPY_FIRST);
	assert_bytes(out[1], second, SCAPY_HEADERS + SCAPY_PAYLOAD - SCAPY_FIRST);
	rte_pktmbuf_free_bulk(out, 2);
}

static void test_scapy(void **state)
{
	const struct spec tcp4 = {.tcp = true, .l4_opts = 12, .mss = SCAPY_FIRST, .flags = 0x99};
	const struct spec udp6 = {.v6 = true, .tags = 1, .mss = SCAPY_FIRST};

	scapy_pair(&tcp4, scapy_tcp4, scapy_tcp4_next, RTE_DIM(scapy_tcp4_next));
	scapy_pair(&udp6, scapy_udp6, scapy_udp6_next, RTE_DIM(scapy_udp6_next));
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
	put16(pkt + csum_field(&s), pseudo_sum(&s, final_ip, 150));
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
	for (unsigned i = 0; i < 9; i++)
		hold[n++] = rte_pktmbuf_alloc(pool);
	m[2]->tso_segsz = 9000; // ten are left: three heads, and nine more they would take
	refused(m[2], CHAINS, DP_GSO_MAX, DP_DROP_TX_NO_BUFFER);
	while (n < NB_MBUFS && (hold[n] = rte_pktmbuf_alloc(pool)))
		n++;
	refused(m[3], NO_OFFLOADS, DP_GSO_MAX, DP_DROP_TX_NO_BUFFER);
	rte_pktmbuf_free(m[3]);
	rte_pktmbuf_free_bulk(hold, n);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		LEAKTEST(test_scapy),
		LEAKTEST(test_sizes),
		LEAKTEST(test_largest),
		LEAKTEST(test_checksum_left_to_port),
		LEAKTEST(test_random),
		LEAKTEST(test_zero_checksum),
		LEAKTEST(test_routing_header),
		LEAKTEST(test_too_large_for_a_buffer),
		LEAKTEST(test_room_and_size),
		LEAKTEST(test_no_buffer),
	};

	if (packets_init(argc, argv) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
