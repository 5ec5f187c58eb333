// SPDX-License-Identifier: BSD-3-Clause
// Large segments inside a tunnel: what comes out is compared byte by byte with packets made from
// scratch.
#include "ports/inner_tunnel.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "ports/vnet_hdr.h"
#include "tests/unit/packets.h"

enum kind { VXLAN, VXLAN_CSUM, GRE, IPIP };

struct tunnel {
	enum kind kind;
	struct spec outer; // as UDP, whatever the kind
};

// The bytes between the IP header outside and the packet inside, but for those that change.
static unsigned put_tunnel(uint8_t *l4, const struct tunnel *t, bool inner_v6)
{
	switch (t->kind) {
	case GRE:
		put16(put16(l4, 0), inner_v6 ? 0x86dd : 0x0800);
		return 4;
	case IPIP:
		return 0;
	default:
		put32(put32(l4 + 8, 0x08000000), 0x00000700);
		return 16;
	}
}

static uint8_t proto_of(const struct tunnel *t, bool inner_v6)
{
	return t->kind == GRE ? 47 : t->kind != IPIP ? 17 : inner_v6 ? 41 : 4;
}

// Only a tunnel of Ethernet frames has the Ethernet header of `inner`.
static unsigned skip_of(const struct tunnel *t, const struct spec *inner)
{
	return t->kind >= GRE ? l2_len(inner) : 0;
}

// Where the packet inside begins.
static unsigned offset_of(const struct tunnel *t)
{
	uint8_t unused[16];

	return l2_len(&t->outer) + l3_len(&t->outer) + put_tunnel(unused, t, false);
}

// Puts `len` bytes of a packet inside into packet `index` of the tunnel.
static unsigned wrap(uint8_t *pkt, const struct tunnel *t, bool inner_v6, const uint8_t *inner,
	unsigned len, unsigned index, bool partial)
{
	const struct spec *o = &t->outer;
	uint8_t *ip = pkt + l2_len(o), *l4 = ip + l3_len(o);
	unsigned at = offset_of(t), l4_bytes = at - l2_len(o) - l3_len(o) + len, sum;

	build(pkt, o, 0, l4_bytes - 8, index, 0, true);
	ip[o->v6 ? 6 : 9] = proto_of(t, inner_v6);
	if (!o->v6) {
		put16(ip + 10, 0);
		put16(ip + 10, ~slow_sum(ip, 20, 0));
	}
	put_tunnel(l4, t, inner_v6);
	memcpy(pkt + at, inner, len);
	if (t->kind > VXLAN_CSUM)
		return at + len;
	sum = pseudo_sum(o, ip, l4_bytes);
	put16(l4 + 6, 0);
	if (t->kind == VXLAN_CSUM)
		put16(l4 + 6, partial ? sum : ~slow_sum(l4, l4_bytes, sum) & 0xffff);
	return at + len;
}

static struct virtio_net_hdr hdr_of(const struct tunnel *t, const struct spec *inner)
{
	return (struct virtio_net_hdr){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = !inner->tcp ? VIRTIO_NET_HDR_GSO_UDP_L4
			    : inner->v6 ? VIRTIO_NET_HDR_GSO_TCPV6
					: VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN,
		.gso_size = inner->mss,
		.csum_start = offset_of(t) - skip_of(t, inner) + l2_len(inner) + l3_len(inner),
		.csum_offset = inner->tcp ? 16 : 6,
	};
}

static struct rte_mbuf *large(const struct tunnel *t, const struct spec *s)
{
	static uint8_t inner[PACKET_BYTES], pkt[PACKET_BYTES];
	unsigned len = build(inner, s, 0, s->payload_bytes, 0, s->flags, true);
	unsigned skip = skip_of(t, s);

	len = wrap(pkt, t, s->v6, inner + skip, len - skip, 0, true);
	return chain_of(pkt, len, PACKET_BYTES);
}

static void cut(const struct tunnel *t, const struct spec *s)
{
	static uint8_t inner[PACKET_BYTES], want[PACKET_BYTES];
	const struct virtio_net_hdr hdr = hdr_of(t, s);
	struct rte_mbuf *m = large(t, s);
	unsigned skip = skip_of(t, s), len;

	assert_int_equal(vnet_hdr_to_mbuf(&hdr, m), -EINVAL);
	assert_int_equal(tunnel_cut(&hdr, m, pool, out, DP_GSO_MAX), nb_segments(s));
	rte_pktmbuf_free(m);
	for (unsigned i = 0; i < nb_segments(s); i++) {
		len = build_segment(inner, s, i, false);
		len = wrap(want, t, s->v6, inner + skip, len - skip, i, false);
		assert_bytes(out[i], want, len);
		assert_int_equal(out[i]->ol_flags, 0);
		rte_pktmbuf_free(out[i]);
	}
}

static void test_cut(void **state)
{
	for (unsigned i = 0; i < 64; i++) {
		const struct tunnel t = {
			.kind = i & 3, .outer = {.v6 = i & 4, .tags = i >> 5 & 1, .id = 0xfffe}};
		struct spec s = {.v6 = i & 8, .tcp = i & 16, .flags = 0x98, .id = 0xffff};

		s.l4_opts = s.tcp ? 12 : 0;
		s.mss = 1200;
		for (s.payload_bytes = 1; s.payload_bytes < 60000; s.payload_bytes += 7777)
			cut(&t, &s);
		s.mss = 8000; // larger than a buffer
		cut(&t, &s);
	}
}

// One byte of a good one changed, at an offset from the start of the frame.
static void test_refused(void **state)
{
	static const struct {
		enum kind kind;
		unsigned at;
		uint8_t value;
	} rows[] = {
		{VXLAN, 12, 0x86},
		{VXLAN, 14, 0x65},
		{VXLAN, 16, 0},
		{VXLAN, 20, 0x20},
		{VXLAN, 23, 6},
		{VXLAN, 64, 0x46},
		{VXLAN, 66, 0},
		{VXLAN, 70, 0x20},
		{VXLAN, 73, 17},
		{VXLAN, 96, 0x40},
		{GRE, 34, 0x80},
		{GRE, 34, 0x10},
		{IPIP, 23, 17},
	};
	const struct spec s = {.tcp = true, .payload_bytes = 3000, .mss = 1000};

	for (unsigned i = 0; i < RTE_DIM(rows); i++) {
		const struct tunnel t = {.kind = rows[i].kind};
		const struct virtio_net_hdr hdr = hdr_of(&t, &s);
		struct rte_mbuf *m = large(&t, &s);

		rte_pktmbuf_mtod(m, uint8_t *)[rows[i].at] = rows[i].value;
		if (tunnel_cut(&hdr, m, pool, out, DP_GSO_MAX) != -EINVAL)
			fail_msg("row %u is cut", i);
		rte_pktmbuf_free(m);
	}
}

static void test_limits(void **state)
{
	const struct spec s = {.tcp = true, .payload_bytes = 3000, .mss = 1000};
	const struct tunnel t = {.kind = VXLAN};
	struct virtio_net_hdr hdr = hdr_of(&t, &s);
	struct rte_mbuf *m = large(&t, &s);

	assert_int_equal(tunnel_cut(&hdr, m, pool, out, 2), -EMSGSIZE);
	hdr.gso_size = 0;
	assert_int_equal(tunnel_cut(&hdr, m, pool, out, DP_GSO_MAX), -EINVAL);
	hdr = hdr_of(&t, &s);
	hdr.flags = VIRTIO_NET_HDR_F_DATA_VALID;
	assert_int_equal(tunnel_cut(&hdr, m, pool, out, DP_GSO_MAX), -EINVAL);
	hdr = hdr_of(&t, &s);
	for (unsigned start = 0; start < 65536; start += 7) {
		hdr.csum_start = start;
		if (start != hdr_of(&t, &s).csum_start)
			assert_int_equal(tunnel_cut(&hdr, m, pool, out, DP_GSO_MAX), -EINVAL);
	}
	rte_pktmbuf_free(m);
}

// The lengths of a tunnel between the two would stay wrong.
static void test_tunnel_in_tunnel(void **state)
{
	static uint8_t inner[PACKET_BYTES], middle[PACKET_BYTES], pkt[PACKET_BYTES];
	const struct spec s = {.tcp = true, .payload_bytes = 3000, .mss = 1000};
	const struct tunnel t = {.kind = VXLAN};
	struct virtio_net_hdr hdr = hdr_of(&t, &s);
	unsigned len = build(inner, &s, 0, 3000, 0, 0, true);
	struct rte_mbuf *m;

	len = wrap(middle, &t, false, inner, len, 0, false);
	len = wrap(pkt, &t, false, middle, len, 0, false);
	hdr.csum_start += offset_of(&t);
	m = chain_of(pkt, len, PACKET_BYTES);
	assert_int_equal(tunnel_cut(&hdr, m, pool, out, DP_GSO_MAX), -EINVAL);
	rte_pktmbuf_free(m);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		LEAKTEST(test_cut),
		LEAKTEST(test_refused),
		LEAKTEST(test_limits),
		LEAKTEST(test_tunnel_in_tunnel),
	};

	if (packets_init(argc, argv) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
