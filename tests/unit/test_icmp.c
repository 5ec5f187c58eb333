// SPDX-License-Identifier: BSD-3-Clause
// ICMP and ICMPv6: echo replies and "too big", byte by byte.
#include "dp/icmp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/packets.h"

#define MTU 1400

// ---- packets, and what is wrong with them ----

static struct what {
	bool v6, tagged;
	uint8_t proto, type;
	uint16_t data_bytes;
	uint16_t frag;	    // IPv4
	uint8_t header[48]; // IPv6 extension headers, IPv4 options
	unsigned header_bytes;
	unsigned chunk_bytes;
} echo4 = {.proto = 1, .type = 8, .data_bytes = 56, .frag = 0x4000},
  echo6 = {.v6 = true, .proto = 58, .type = 128, .data_bytes = 56};

static unsigned l3_off(const struct what *w)
{
	return w->tagged ? 18 : 14;
}

static unsigned ip_bytes(const struct what *w)
{
	return w->v6 ? 40 : 20;
}

static uint8_t *put_macs(uint8_t *p, const struct what *w, unsigned to, unsigned from)
{
	const uint8_t macs[] = {2, 0, 0, 0, 0, to, 2, 0, 0, 0, 0, from};

	memcpy(p, macs, sizeof(macs));
	p += sizeof(macs);
	if (w->tagged)
		p = put16(put16(p, 0x8100), 0xa00a);
	return put16(p, w->v6 ? 0x86dd : 0x0800);
}

// An IP header of host `from` to host `to`, with everything up to the message.
static uint8_t *put_ip(uint8_t *p, const struct what *w, unsigned l4_bytes, unsigned to,
	unsigned from, uint16_t id, uint8_t ttl)
{
	uint8_t *ip = p;

	if (w->v6) {
		p = put16(put32(p, 0x60000000), w->header_bytes + l4_bytes);
		*p++ = w->header_bytes ? w->frag : w->proto; // type of the first extension header
		*p++ = ttl;
		memset(p, 0, 32);
		p[0] = p[16] = 0xfd;
		p[15] = from;
		p[31] = to;
		p += 32;
		memcpy(p, w->header, w->header_bytes);
		return p + w->header_bytes;
	}
	*p++ = 0x45 + w->header_bytes / 4;
	*p++ = 0;
	p = put16(put16(put16(p, 20 + w->header_bytes + l4_bytes), id), w->frag);
	*p++ = ttl;
	*p++ = w->proto;
	p = put32(put32(put16(p, 0), 0x0a000000 | from), 0x0a000000 | to);
	memcpy(p, w->header, w->header_bytes);
	put16(ip + 10, ~slow_sum(ip, 20 + w->header_bytes, 0));
	return p + w->header_bytes;
}

static void put_checksum(const struct what *w, const uint8_t *ip, uint8_t *l4, unsigned l4_bytes)
{
	put16(l4 + 2, 0);
	put16(l4 + 2, ~slow_sum(l4, l4_bytes, w->v6 ? slow_sum(ip + 8, 32, l4_bytes + 58) : 0));
}

static unsigned packet(
	uint8_t *bytes, const struct what *w, unsigned to, unsigned from, uint8_t ttl)
{
	uint8_t *ip = put_macs(bytes, w, to, from);
	uint8_t *l4 = put_ip(ip, w, 8 + w->data_bytes, to, from, 0x1234, ttl);

	put32(put16(put16(l4, w->type << 8), 0), 0xabcd0001);
	memcpy(l4 + 8, payload, w->data_bytes);
	if (w->proto == 1 || w->proto == 58)
		put_checksum(w, ip, l4, 8 + w->data_bytes);
	return l4 + 8 + w->data_bytes - bytes;
}

static struct rte_mbuf *mbuf_of(const struct what *w)
{
	static uint8_t bytes[PACKET_BYTES];
	unsigned len = packet(bytes, w, 2, 1, 61);

	return chain_of(bytes, len, w->chunk_bytes ? w->chunk_bytes : len);
}

// ---- echo ----

static void replies(struct what w)
{
	static uint8_t want[PACKET_BYTES];
	struct rte_mbuf *m = mbuf_of(&w);

	assert_true(dp_icmp_echo(m, l3_off(&w)));
	w.type = w.v6 ? 129 : 0;
	assert_bytes(m, want, packet(want, &w, 1, 2, 64));
	rte_pktmbuf_free(m);
}

static void is_silent_of(struct rte_mbuf *m, const struct what *w)
{
	static uint8_t before[PACKET_BYTES], copy[PACKET_BYTES];
	unsigned len = m->pkt_len;

	memcpy(before, rte_pktmbuf_read(m, 0, len, copy), len);
	assert_false(dp_icmp_echo(m, l3_off(w)));
	assert_bytes(m, before, len);
	rte_pktmbuf_free(m);
}

static void is_silent(struct what w)
{
	is_silent_of(mbuf_of(&w), &w);
}

static void test_echo(void **state)
{
	for (unsigned i = 0; i < 4; i++) {
		struct what w = i & 1 ? echo6 : echo4;

		w.tagged = i & 2;
		replies(w);
		for (w.data_bytes = 0; w.data_bytes < 9; w.data_bytes++)
			replies(w);
		w.data_bytes = 9000;
		replies(w);
		w.chunk_bytes = 999;
		replies(w);
	}
}

static void test_echo_not(void **state)
{
	struct what w = echo4, w6 = echo6;

	for (unsigned type = 0; type < 256; type++) {
		w.type = w6.type = type;
		if (type != 8)
			is_silent(w);
		if (type != 128)
			is_silent(w6);
	}
	w = echo4;
	w.proto = 17;
	is_silent(w);
	w = echo4;
	w.frag = 0x2000;
	is_silent(w);
	w.frag = 0x0001;
	is_silent(w);
	w = echo4;
	w.header_bytes = 4; // "end of options"
	is_silent(w);
	w6 = echo6;
	w6.header_bytes = 8;
	w6.frag = 60;
	w6.header[0] = 58;
	is_silent(w6);
}

// Every bit that one of the checksums covers; and every length below the right one.
static void test_echo_damaged(void **state)
{
	for (unsigned v6 = 0; v6 < 2; v6++) {
		const struct what w = v6 ? echo6 : echo4;
		uint8_t bytes[256];
		unsigned len = packet(bytes, &w, 2, 1, 61);

		for (unsigned bit = 8 * (v6 ? 22 : 14); bit < 8 * len; bit++) {
			bytes[bit / 8] ^= 1u << bit % 8;
			is_silent_of(chain_of(bytes, len, len), &w);
			bytes[bit / 8] ^= 1u << bit % 8;
		}
		for (unsigned n = 0; n < len; n++)
			is_silent_of(chain_of(bytes, n, len), &w);
	}
}

// Nothing is sent from or to a group, or to nobody.
static void test_echo_addresses(void **state)
{
	static const uint8_t first[] = {0, 0xe0, 0xff};
	uint8_t frame[256];
	unsigned frame_bytes = packet(frame, &echo4, 2, 1, 61);

	frame[6] |= 1;
	is_silent_of(chain_of(frame, frame_bytes, frame_bytes), &echo4);

	for (unsigned i = 0; i < RTE_DIM(first); i++) {
		for (unsigned at = 26; at <= 30; at += 4) {
			uint8_t bytes[256];
			unsigned len = packet(bytes, &echo4, 2, 1, 61);

			bytes[at] = first[i];
			put16(bytes + 24, 0);
			put16(bytes + 24, ~slow_sum(bytes + 14, 20, 0));
			is_silent_of(chain_of(bytes, len, len), &echo4);
		}
	}
	for (unsigned at = 22; at <= 38; at += 16) {
		uint8_t bytes[256];
		unsigned len = packet(bytes, &echo6, 2, 1, 61);

		bytes[at] = 0xff;
		put_checksum(&echo6, bytes + 14, bytes + 54, len - 54);
		is_silent_of(chain_of(bytes, len, len), &echo6);
		memset(bytes + at, 0, 16);
		put_checksum(&echo6, bytes + 14, bytes + 54, len - 54);
		is_silent_of(chain_of(bytes, len, len), &echo6);
	}
}

// ---- too big ----

static struct rte_mbuf *too_big(const struct what *w, unsigned mtu)
{
	struct rte_mbuf *m = mbuf_of(w), *answer = dp_icmp_too_big(m, l3_off(w), mtu, pool);
	static uint8_t want[PACKET_BYTES];

	assert_bytes(m, want, packet(want, w, 2, 1, 61)); // as it was
	rte_pktmbuf_free(m);
	return answer;
}

static void told(struct what w)
{
	static uint8_t want[PACKET_BYTES], about[PACKET_BYTES];
	struct what error = {
		.v6 = w.v6, .tagged = w.tagged, .proto = w.v6 ? 58 : 1, .frag = 0x4000};
	unsigned quoted = packet(about, &w, 2, 1, 61) - l3_off(&w);
	uint8_t *ip = put_macs(want, &w, 1, 2), *l4;
	struct rte_mbuf *m = too_big(&w, MTU);

	quoted = RTE_MIN(quoted, w.v6 ? 1280 - 48 : 576 - 28);
	l4 = put_ip(ip, &error, 8 + quoted, 1, 2, 0, 64);
	put32(put32(l4, w.v6 ? 0x02000000 : 0x03040000), MTU);
	memcpy(l4 + 8, about + l3_off(&w), quoted);
	put_checksum(&w, ip, l4, 8 + quoted);
	assert_non_null(m);
	assert_int_equal(m->nb_segs, 1);
	assert_bytes(m, want, l4 + 8 + quoted - want);
	rte_pktmbuf_free(m);
}

static void not_told(struct what w)
{
	assert_null(too_big(&w, MTU));
}

static void test_too_big(void **state)
{
	for (unsigned i = 0; i < 8; i++) {
		struct what w = i & 1 ? echo6 : echo4;

		w.tagged = i & 2;
		w.proto = i & 4 ? 6 : w.proto;
		w.data_bytes = 1500;
		told(w);
		w.data_bytes = 1501; // an odd sum is of no moment: all of it is not quoted
		told(w);
		w.data_bytes = 101;
		told(w);
		w.data_bytes = 9000;
		w.chunk_bytes = 333;
		told(w);
		w.chunk_bytes = 50; // the headers are not in one piece
		told(w);
	}
}

static void test_too_big_not4(void **state)
{
	static const uint8_t errors[] = {3, 4, 5, 11, 12};
	struct what w = echo4;

	w.data_bytes = 1500;
	told(w);
	w.frag = 0; // may be fragmented by whoever can
	not_told(w);
	w.frag = 0x4001; // a later fragment
	not_told(w);
	w.frag = 0x6000; // the first one
	told(w);
	w.frag = 0x4000;
	for (unsigned i = 0; i < RTE_DIM(errors); i++) {
		w.type = errors[i];
		not_told(w);
	}
	w.header_bytes = 8; // options before it
	not_told(w);
	w.type = 8;
	told(w);
	assert_null(too_big(&w, 67));
}

static void test_too_big_not6(void **state)
{
	struct what w = echo6;

	w.data_bytes = 1500;
	told(w);
	for (w.type = 0; w.type < 128; w.type++)
		not_told(w);
	w.type = 137; // redirect
	not_told(w);
	w.frag = 0;
	w.header_bytes = 16; // hop-by-hop options, fragment header: the first
	w.header[0] = 44;
	w.header[8] = 58;
	not_told(w);
	w.type = 128;
	told(w);
	w.type = 1;
	w.header[11] = 8; // a later one: cannot be known
	told(w);
	assert_null(too_big(&echo6, 1279));
}

static void changed(unsigned at, uint8_t value, const struct what *w)
{
	uint8_t bytes[256];
	unsigned len = packet(bytes, w, 2, 1, 61);
	struct rte_mbuf *m;

	bytes[at] = value;
	m = chain_of(bytes, len, len);
	assert_null(dp_icmp_too_big(m, l3_off(w), MTU, pool));
	rte_pktmbuf_free(m);
}

static void test_too_big_addresses(void **state)
{
	changed(0, 3, &echo4); // Ethernet groups
	changed(6, 3, &echo4);
	changed(0, 3, &echo6);
	for (unsigned at = 26; at <= 30; at += 4) {
		changed(at, 0, &echo4);
		changed(at, 0xe1, &echo4);
		changed(at, 0xff, &echo4);
	}
	changed(22, 0xff, &echo6);
	changed(38, 0xff, &echo6);
	changed(12, 0x88, &echo4); // no IP
	changed(14, 0x55, &echo4);
	changed(14, 0x44, &echo4);
	changed(14, 0x50, &echo6);
	changed(17, 19, &echo4);
}

static void test_too_big_truncated(void **state)
{
	uint8_t bytes[256];

	for (unsigned v6 = 0; v6 < 2; v6++) {
		const struct what *w = v6 ? &echo6 : &echo4;

		packet(bytes, w, 2, 1, 61);
		for (unsigned n = 0; n < 14 + ip_bytes(w); n++) {
			struct rte_mbuf *m = chain_of(bytes, n, 256);

			assert_null(dp_icmp_too_big(m, 14, MTU, pool));
			rte_pktmbuf_free(m);
		}
	}
}

static void test_too_big_no_buffer(void **state)
{
	static struct rte_mbuf *taken[NB_MBUFS];
	struct rte_mbuf *m = mbuf_of(&echo4);
	unsigned n = rte_mempool_avail_count(pool);

	assert_int_equal(rte_pktmbuf_alloc_bulk(pool, taken, n), 0);
	assert_null(dp_icmp_too_big(m, 14, MTU, pool));
	rte_pktmbuf_free_bulk(taken, n);
	rte_pktmbuf_free(m);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		LEAKTEST(test_echo),
		LEAKTEST(test_echo_not),
		LEAKTEST(test_echo_damaged),
		LEAKTEST(test_echo_addresses),
		LEAKTEST(test_too_big),
		LEAKTEST(test_too_big_not4),
		LEAKTEST(test_too_big_not6),
		LEAKTEST(test_too_big_addresses),
		LEAKTEST(test_too_big_truncated),
		LEAKTEST(test_too_big_no_buffer),
	};

	if (packets_init(argc, argv) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
