// SPDX-License-Identifier: BSD-3-Clause
// What egress does to packets that a port does not take as they are: checksums, shared and chained
// packets, headers that are not what the flags say.
#include "dp/offload.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "tests/unit/packets.h"

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

static void free_nothing(void *addr, void *opaque)
{
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

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		LEAKTEST(test_checksum_only),
		LEAKTEST(test_shared),
		LEAKTEST(test_damaged),
		LEAKTEST(test_truncated),
		LEAKTEST(test_padding),
		LEAKTEST(test_fits),
		LEAKTEST(test_checksum_fill),
		LEAKTEST(test_checksum_fill_bounds),
	};

	if (packets_init(argc, argv) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
