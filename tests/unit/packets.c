// SPDX-License-Identifier: BSD-3-Clause
#include "tests/unit/packets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_ip.h>

#include "dp/offload.h"

struct rte_mempool *pool, *big_pool;
struct dp_site cnt;
struct rte_mbuf *out[DP_GSO_MAX];
uint8_t payload[PAYLOAD_BYTES];
unsigned seed;

unsigned l2_len(const struct spec *s)
{
	return 14 + 4 * s->tags;
}

unsigned l3_len(const struct spec *s)
{
	return (s->v6 ? 40 : 20) + s->l3_opts;
}

unsigned l4_len(const struct spec *s)
{
	return s->tcp ? 20 + s->l4_opts : 8;
}

unsigned headers_len(const struct spec *s)
{
	return l2_len(s) + l3_len(s) + l4_len(s);
}

unsigned csum_field(const struct spec *s)
{
	return l2_len(s) + l3_len(s) + (s->tcp ? 16 : 6);
}

uint8_t *put16(uint8_t *p, unsigned v)
{
	p[0] = v >> 8;
	p[1] = v;
	return p + 2;
}

uint8_t *put32(uint8_t *p, uint32_t v)
{
	return put16(put16(p, v >> 16), v & 0xffff);
}

unsigned hex(uint8_t *bytes, const char *text)
{
	unsigned n = 0;

	for (; *text; text++) {
		char pair[3] = {text[0], text[1]};

		if (*text == ' ')
			continue;
		bytes[n++] = strtoul(pair, NULL, 16);
		text++;
	}
	return n;
}

uint32_t slow_sum(const uint8_t *p, unsigned len, uint32_t sum)
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

uint32_t pseudo_sum(const struct spec *s, const uint8_t *ip, unsigned l4_bytes)
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

unsigned build(uint8_t *pkt, const struct spec *s, unsigned from, unsigned n, unsigned index,
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
	put16(pkt + csum_field(s), sum);
	return p + n - pkt;
}

unsigned nb_segments(const struct spec *s)
{
	return s->mss && s->payload_bytes ? (s->payload_bytes + s->mss - 1) / s->mss : 1;
}

unsigned build_segment(uint8_t *pkt, const struct spec *s, unsigned index, bool partial)
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

struct rte_mbuf *chain_of(const uint8_t *bytes, unsigned len, unsigned chunk)
{
	struct rte_mbuf *head = NULL, *last = NULL;

	chunk = RTE_MIN(chunk, BIG_ROOM_BYTES - RTE_PKTMBUF_HEADROOM);
	do {
		unsigned n = RTE_MIN(len, chunk);
		struct rte_mbuf *m = rte_pktmbuf_alloc(n > 1900 ? big_pool : pool);

		assert_non_null(m);
		memcpy(rte_pktmbuf_append(m, n), bytes, n);
		if (!head) {
			head = m;
		} else { // rte_pktmbuf_chain() would walk the chain each time
			last->next = m;
			head->nb_segs++;
			head->pkt_len += n;
		}
		last = m;
		bytes += n;
		len -= n;
	} while (len);
	return head;
}

void set_offload(struct rte_mbuf *m, const struct spec *s)
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

struct rte_mbuf *large_of(const struct spec *s, unsigned chunk)
{
	static uint8_t pkt[PACKET_BYTES];
	unsigned len = build(pkt, s, 0, s->payload_bytes, 0, s->flags, true);
	struct rte_mbuf *m = chain_of(pkt, len, chunk);

	set_offload(m, s);
	return m;
}

void assert_bytes(const struct rte_mbuf *m, const uint8_t *want, unsigned len)
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

void check(const struct spec *s, unsigned chunk, uint64_t offloads)
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

void finish_and_compare(struct rte_mbuf *m, const struct spec *s)
{
	static uint8_t want[PACKET_BYTES];
	unsigned n = dp_offload_finish(m, NO_OFFLOADS, pool, out, DP_GSO_MAX, &cnt);

	assert_int_equal(n, nb_segments(s));
	for (unsigned i = 0; i < n; i++)
		assert_bytes(out[i], want, build_segment(want, s, i, false));
	rte_pktmbuf_free_bulk(out, n);
}

void refused(struct rte_mbuf *m, uint64_t offloads, uint16_t room, enum dp_drop_reason reason)
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

void each_protocol(void (*fn)(struct spec *s))
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

int no_leak(void **state)
{
	return rte_mempool_in_use_count(pool) != 0 || rte_mempool_in_use_count(big_pool) != 0;
}

int packets_init(int argc, char **argv)
{
	char *eal[] = {
		"test", "--no-huge", "--no-shconf", "-m", "128", "--no-pci", "--log-level=error"};

	seed = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 0) : (unsigned)time(NULL);
	if (rte_eal_init(RTE_DIM(eal), eal) < 0)
		return -1;
	pool = rte_pktmbuf_pool_create(
		"small", NB_MBUFS, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	big_pool = rte_pktmbuf_pool_create("big", 63, 0, 0, BIG_ROOM_BYTES, SOCKET_ID_ANY);
	srandom(seed);
	for (unsigned i = 0; i < PAYLOAD_BYTES; i++)
		payload[i] = random();
	return pool && big_pool ? 0 : -1;
}
