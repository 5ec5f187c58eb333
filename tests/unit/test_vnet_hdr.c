// SPDX-License-Identifier: BSD-3-Clause
// The virtio-net header: what a kernel says of a frame becomes the flags that offload.h finishes
// by, and back; what a container makes up is refused.
#include "ports/vnet_hdr.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "tests/unit/packets.h"

#define NEEDS_CSUM VIRTIO_NET_HDR_F_NEEDS_CSUM
#define DATA_VALID VIRTIO_NET_HDR_F_DATA_VALID
#define ECN	   VIRTIO_NET_HDR_GSO_ECN

static uint8_t frame[PACKET_BYTES];

// The header that a kernel gives for the packet, its checksum not filled.
static struct virtio_net_hdr hdr_of(const struct spec *s)
{
	struct virtio_net_hdr hdr = {
		.flags = NEEDS_CSUM,
		.csum_start = l2_len(s) + l3_len(s),
		.csum_offset = s->tcp ? 16 : 6,
	};

	if (!s->mss)
		return hdr;
	hdr.gso_size = s->mss;
	hdr.hdr_len = headers_len(s);
	hdr.gso_type = !s->tcp ? VIRTIO_NET_HDR_GSO_UDP_L4
		       : s->v6 ? VIRTIO_NET_HDR_GSO_TCPV6
			       : VIRTIO_NET_HDR_GSO_TCPV4;
	if (s->tcp && s->flags & 0x80)
		hdr.gso_type |= ECN;
	return hdr;
}

// The packet in buffers of at most `chunk` bytes, its flags not set.
static struct rte_mbuf *frame_of(const struct spec *s, unsigned chunk)
{
	return chain_of(frame, build(frame, s, 0, s->payload_bytes, 0, s->flags, true), chunk);
}

static void assert_same_flags(const struct rte_mbuf *m, const struct spec *s)
{
	struct rte_mbuf *want = large_of(s, PACKET_BYTES);

	assert_int_equal(m->ol_flags, want->ol_flags);
	assert_int_equal(m->l2_len, want->l2_len);
	assert_int_equal(m->l3_len, want->l3_len);
	if (s->mss) {
		assert_int_equal(m->l4_len, want->l4_len);
		assert_int_equal(m->tso_segsz, want->tso_segsz);
	}
	rte_pktmbuf_free(want);
}

static void assert_hdr(const struct rte_mbuf *m, const struct virtio_net_hdr *want)
{
	struct virtio_net_hdr hdr;

	vnet_hdr_from_mbuf(m, &hdr);
	assert_memory_equal(&hdr, want, sizeof(hdr));
}

static int try(const struct virtio_net_hdr *hdr, struct rte_mbuf *m)
{
	int ret = vnet_hdr_to_mbuf(hdr, m);

	rte_pktmbuf_free(m);
	return ret;
}

// ---- what kernels say ----

static void test_plain(void **state)
{
	const struct spec s = {.tcp = true, .payload_bytes = 10};
	const struct virtio_net_hdr none = {0};
	struct rte_mbuf *m = frame_of(&s, PACKET_BYTES);

	assert_int_equal(vnet_hdr_to_mbuf(&none, m), 0);
	assert_int_equal(m->ol_flags, 0);
	assert_hdr(m, &none);
	rte_pktmbuf_free(m);
}

// The receiver of the kernel's word "I have verified it" may rely on it.
static void test_verified(void **state)
{
	const struct spec s = {.tcp = true, .payload_bytes = 10};
	const struct virtio_net_hdr hdr = {.flags = DATA_VALID};
	struct rte_mbuf *m = frame_of(&s, PACKET_BYTES);

	assert_int_equal(vnet_hdr_to_mbuf(&hdr, m), 0);
	assert_int_equal(m->ol_flags, RTE_MBUF_F_RX_L4_CKSUM_GOOD);
	assert_hdr(m, &hdr);
	rte_pktmbuf_free(m);
}

static void round_trip(const struct spec *s, unsigned chunk)
{
	const struct virtio_net_hdr hdr = hdr_of(s);
	struct rte_mbuf *m = frame_of(s, chunk);

	assert_int_equal(vnet_hdr_to_mbuf(&hdr, m), 0);
	assert_same_flags(m, s);
	assert_hdr(m, &hdr);
	if (s->mss || m->nb_segs == 1)
		finish_and_compare(m, s);
	else
		rte_pktmbuf_free(m);
}

static void checksums(struct spec *s)
{
	for (s->payload_bytes = 0; s->payload_bytes < 3; s->payload_bytes++)
		round_trip(s, PACKET_BYTES);
	s->payload_bytes = 5000;
	round_trip(s, 2048);
}

static void test_checksum(void **state)
{
	each_protocol(checksums);
}

static void segments(struct spec *s)
{
	s->mss = 1000;
	s->payload_bytes = 1001;
	round_trip(s, PACKET_BYTES);
	s->payload_bytes = 60000;
	round_trip(s, PACKET_BYTES);
	round_trip(s, 2048); // as tap.c makes them
	s->flags &= 0x7f;    // without CWR there is no ECN
	round_trip(s, PACKET_BYTES);
}

static void test_gso(void **state)
{
	each_protocol(segments);
}

// A large packet that fits one segment is no large packet.
static void small_gso(struct spec *s)
{
	struct virtio_net_hdr hdr;
	struct rte_mbuf *m;

	s->mss = 1000;
	hdr = hdr_of(s);
	s->mss = 0;
	for (s->payload_bytes = 0; s->payload_bytes <= 1000; s->payload_bytes += 500) {
		m = frame_of(s, PACKET_BYTES);
		assert_int_equal(vnet_hdr_to_mbuf(&hdr, m), 0);
		assert_same_flags(m, s);
		finish_and_compare(m, s);
	}
}

static void test_gso_of_one(void **state)
{
	each_protocol(small_gso);
}

// Received by the container, found right and coalesced, forwarded: the field has any value.
static void verified_gso(struct spec *s)
{
	struct virtio_net_hdr hdr;
	struct rte_mbuf *m;

	s->mss = 1000;
	s->payload_bytes = 3500;
	hdr = hdr_of(s);
	hdr.flags = DATA_VALID;
	hdr.csum_start = hdr.csum_offset = 0;
	m = frame_of(s, PACKET_BYTES);
	put16(rte_pktmbuf_mtod_offset(m, uint8_t *, csum_field(s)), 0x1234);
	if (s->v6 && s->l3_opts) { // where it went to, its headers do not tell for sure
		assert_int_equal(vnet_hdr_to_mbuf(&hdr, m), -EINVAL);
		rte_pktmbuf_free(m);
		return;
	}
	assert_int_equal(vnet_hdr_to_mbuf(&hdr, m), 0);
	assert_same_flags(m, s);
	finish_and_compare(m, s);
}

static void test_verified_gso(void **state)
{
	each_protocol(verified_gso);
}

// ---- checksums that flags cannot describe are filled at once ----

// Compares with `want`, the frame with its checksum filled, and frees.
static void assert_filled(const struct virtio_net_hdr *hdr, struct rte_mbuf *m, const uint8_t *want)
{
	const struct virtio_net_hdr none = {0};

	assert_int_equal(vnet_hdr_to_mbuf(hdr, m), 0);
	assert_int_equal(m->ol_flags, 0);
	assert_bytes(m, want, m->pkt_len);
	assert_hdr(m, &none);
	rte_pktmbuf_free(m);
}

static void fill(const struct virtio_net_hdr *hdr, unsigned len, unsigned chunk)
{
	struct rte_mbuf *m = chain_of(frame, len, chunk);
	uint16_t sum = ~slow_sum(frame + hdr->csum_start, len - hdr->csum_start, 0);

	put16(frame + hdr->csum_start + hdr->csum_offset, sum ? sum : 0xffff);
	assert_filled(hdr, m, frame);
}

static void test_fragment(void **state)
{
	struct spec s = {.payload_bytes = 500};
	struct virtio_net_hdr hdr = hdr_of(&s);
	unsigned len = build(frame, &s, 0, 500, 0, 0, true);

	frame[20] = 0x20; // more fragments
	fill(&hdr, len, PACKET_BYTES);
	s.v6 = true;
	s.l3_opts = 8;
	hdr = hdr_of(&s);
	len = build(frame, &s, 0, 500, 0, 0, true);
	frame[20] = 44;
	fill(&hdr, len, PACKET_BYTES);
}

// More extension headers than an mbuf's l3_len can span, or than anybody looks at.
static void test_long_extensions(void **state)
{
	struct spec s = {.v6 = true, .l3_opts = 9 * 8, .payload_bytes = 50};
	struct virtio_net_hdr hdr = hdr_of(&s);

	fill(&hdr, build(frame, &s, 0, 50, 0, 0, true), PACKET_BYTES);
	s.l3_opts = 480;
	hdr = hdr_of(&s);
	build(frame, &s, 0, 50, 0, 0, true);
	frame[55] = 59; // one header of 480 bytes
	frame[54] = 17;
	fill(&hdr, headers_len(&s) + 50, PACKET_BYTES);
}

// UDP with VXLAN and in it a TCP packet whose checksum is to be filled; the outer one is zero.
static void test_inside_tunnel(void **state)
{
	const struct spec outer = {.payload_bytes = 8}, inner = {.tcp = true, .payload_bytes = 700};
	struct virtio_net_hdr hdr = hdr_of(&inner);
	unsigned before = headers_len(&outer) + 8, len;

	for (unsigned chunk = 7; chunk < 2000; chunk *= 3) {
		build(frame, &outer, 0, 8, 0, 0, false);
		len = before + build(frame + before, &inner, 0, 700, 0, 0x10, true);
		put16(frame + 16, len - 14);
		put16(frame + 38, len - 34);
		hdr.csum_start = before + l2_len(&inner) + l3_len(&inner);
		fill(&hdr, len, chunk);
	}
}

// Not IP at all: the kernel knows what it does.
static void test_other_protocol(void **state)
{
	const struct virtio_net_hdr hdr = {.flags = NEEDS_CSUM, .csum_start = 14, .csum_offset = 2};

	memcpy(frame, payload, 100);
	put16(frame + 12, 0x88b5);
	fill(&hdr, 100, PACKET_BYTES);
	fill(&hdr, 100, 9);
}

// RFC 9260, appendix A: CRC32c bit by bit, stored with its lowest byte first.
static void put_crc32c(uint8_t *field, const uint8_t *p, unsigned len)
{
	uint32_t crc = UINT32_MAX;

	while (len--) {
		crc ^= *p++;
		for (unsigned bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
	}
	for (unsigned i = 0; i < 4; i++)
		field[i] = ~crc >> 8 * i;
}

// The checksum of SCTP is another one: a kernel that asks for it (over veth) means CRC32c.
static void test_sctp(void **state)
{
	static uint8_t want[PACKET_BYTES];

	for (unsigned v6 = 0; v6 < 2; v6++) {
		const struct spec s = {.v6 = v6, .tags = 1, .l3_opts = 8};
		unsigned sctp = l2_len(&s) + l3_len(&s);
		const struct virtio_net_hdr hdr = {
			.flags = NEEDS_CSUM, .csum_start = sctp, .csum_offset = 8};

		for (unsigned n = 4; n < 1400; n += 31) {
			unsigned len = build(frame, &s, 0, n, 0, 0, false);

			frame[s.v6 ? sctp - 8 : 18 + 9] = 132;
			memset(frame + sctp + 8, 0, 4);
			memcpy(want, frame, len);
			put_crc32c(want + sctp + 8, want + sctp, len - sctp);
			memset(frame + sctp + 8, 0x77, 4); // whatever is there
			assert_filled(&hdr, chain_of(frame, len, PACKET_BYTES), want);
			assert_filled(&hdr, chain_of(frame, len, sctp + 12), want);
		}
	}
}

static void test_sctp_cut_off(void **state)
{
	const struct spec s = {.tcp = false};
	const struct virtio_net_hdr hdr = {.flags = NEEDS_CSUM, .csum_start = 34, .csum_offset = 8};

	build(frame, &s, 0, 4, 0, 0, false);
	frame[23] = 132;
	assert_int_equal(try(&hdr, chain_of(frame, 46, PACKET_BYTES)), 0);
	assert_int_equal(try(&hdr, chain_of(frame, 45, PACKET_BYTES)), -EINVAL);
	assert_int_equal(try(&hdr, chain_of(frame, 46, 45)), -EINVAL);
}

// ---- contradictions ----

// One thing changed in a good header and frame.
struct lie {
	bool v6, udp, no_gso;
	unsigned l3_opts;
	unsigned at; // byte of the frame, 0: none
	uint8_t value;
	int type, flags, size, start, offset; // added to the header's
	unsigned trim, pad;
};

static const struct lie lies[] = {
	{.type = 1},		   // no such type
	{.type = 2},		   // UFO
	{.type = 3},		   // IPv6
	{.type = 4},		   // UDP
	{.udp = true, .type = -4}, // TCP
	{.udp = true, .type = ECN},
	{.v6 = true, .type = -3},
	{.no_gso = true, .type = ECN},
	{.flags = -NEEDS_CSUM}, // not verified either
	{.size = -400},		// segments of no size
	{.start = 1},
	{.start = -34},
	{.offset = 2},
	{.udp = true, .offset = 10},
	{.at = 12, .value = 0x86}, // EtherType
	{.at = 14, .value = 0x65}, // version
	{.at = 14, .value = 0x44}, // header length
	{.at = 14, .value = 0x46},
	{.at = 16, .value = 0}, // total length
	{.at = 16, .value = 0xff},
	{.at = 20, .value = 0x20}, // a fragment
	{.at = 21, .value = 1},
	{.at = 23, .value = 17}, // protocol
	{.udp = true, .at = 23, .value = 6},
	{.at = 46, .value = 0x40}, // data offset
	{.at = 46, .value = 0xf0, .trim = 1},
	{.trim = 1},
	{.pad = 1},
	{.trim = 1001},
	{.v6 = true, .at = 14, .value = 0x40},
	{.v6 = true, .at = 18, .value = 0},
	{.v6 = true, .at = 20, .value = 17},
	{.v6 = true, .at = 20, .value = 44},
	{.v6 = true, .l3_opts = 16, .at = 54, .value = 6},
	{.v6 = true, .l3_opts = 16, .at = 55, .value = 1},
	{.v6 = true, .l3_opts = 16, .at = 55, .value = 255},
	{.no_gso = true, .start = 2000},
	{.no_gso = true, .offset = 2000},
	{.no_gso = true, .offset = 65519},
};

static void test_contradictions(void **state)
{
	for (unsigned i = 0; i < RTE_DIM(lies); i++) {
		const struct lie *l = &lies[i];
		struct spec s = {.v6 = l->v6,
			.tcp = !l->udp,
			.l3_opts = l->l3_opts,
			.payload_bytes = 1000,
			.mss = l->no_gso ? 0 : 400};
		struct virtio_net_hdr hdr = hdr_of(&s);
		struct rte_mbuf *m;

		assert_int_equal(try(&hdr, frame_of(&s, PACKET_BYTES)), 0);
		hdr.gso_type += l->type;
		hdr.flags += l->flags;
		hdr.gso_size += l->size;
		hdr.csum_start += l->start;
		hdr.csum_offset += l->offset;
		m = frame_of(&s, PACKET_BYTES);
		if (l->at)
			rte_pktmbuf_mtod(m, uint8_t *)[l->at] = l->value;
		assert_int_equal(rte_pktmbuf_trim(m, l->trim), 0);
		assert_non_null(rte_pktmbuf_append(m, l->pad));
		if (try(&hdr, m) != -EINVAL)
			fail_msg("row %u is believed", i);
	}
}

// A frame cut off anywhere; and one whose headers go on in another buffer, which nobody makes.
static void cut_off(struct spec *s)
{
	for (unsigned gso = 0; gso < 2; gso++) {
		struct virtio_net_hdr hdr;

		s->payload_bytes = 100;
		s->mss = gso ? 64 : 0;
		hdr = hdr_of(s);
		for (unsigned n = 1; n < headers_len(s); n++) {
			struct rte_mbuf *m = frame_of(s, PACKET_BYTES);
			int ret;

			rte_pktmbuf_trim(m, m->pkt_len - n);
			ret = try(&hdr, m);
			// A checksum needs no more than its field.
			assert_int_equal(ret, !gso && n >= csum_field(s) + 2 ? 0 : -EINVAL);
			ret = try(&hdr, frame_of(s, n));
			assert_int_equal(ret, gso ? -EINVAL : 0);
		}
	}
}

static void test_cut_off(void **state)
{
	each_protocol(cut_off);
}

static void test_no_frame(void **state)
{
	const struct spec s = {.tcp = true, .mss = 100};
	struct virtio_net_hdr hdr = hdr_of(&s);

	assert_int_equal(try(&hdr, rte_pktmbuf_alloc(pool)), -EINVAL);
	hdr.gso_type = VIRTIO_NET_HDR_GSO_NONE;
	assert_int_equal(try(&hdr, rte_pktmbuf_alloc(pool)), -EINVAL);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		LEAKTEST(test_plain),
		LEAKTEST(test_verified),
		LEAKTEST(test_checksum),
		LEAKTEST(test_gso),
		LEAKTEST(test_gso_of_one),
		LEAKTEST(test_verified_gso),
		LEAKTEST(test_fragment),
		LEAKTEST(test_long_extensions),
		LEAKTEST(test_inside_tunnel),
		LEAKTEST(test_other_protocol),
		LEAKTEST(test_sctp),
		LEAKTEST(test_sctp_cut_off),
		LEAKTEST(test_contradictions),
		LEAKTEST(test_cut_off),
		LEAKTEST(test_no_frame),
	};

	if (packets_init(argc, argv) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
