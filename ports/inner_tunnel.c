// SPDX-License-Identifier: BSD-3-Clause
#include "ports/inner_tunnel.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include "dp/checksum.h"
#include "dp/gso.h"
#include "ports/headers.h"
#include "ports/vnet_hdr.h"

#define GRE_CSUM     0x80 // flags in the first byte (RFC 2784, RFC 2890)
#define GRE_SEQUENCE 0x10

#define OUTSIDE_MAX 512 // bytes before the transport header inside

// ---- the packet inside ----

// Whether an IP packet begins at `off_bytes`, without options and with the frame's end as its own.
// Returns the protocol in it, or 0.
static uint8_t ip_at(const struct rte_mbuf *m, uint32_t off_bytes, bool is_ip6)
{
	const struct rte_ipv4_hdr *ip4 = headers_at(m, off_bytes, sizeof(*ip4));
	const struct rte_ipv6_hdr *ip6 = headers_at(m, off_bytes, sizeof(*ip6));
	uint32_t len_bytes = m->pkt_len - off_bytes;

	if (is_ip6)
		return ip6 && rte_be_to_cpu_32(ip6->vtc_flow) >> 28 == 6 &&
				       rte_be_to_cpu_16(ip6->payload_len) + sizeof(*ip6) ==
					       len_bytes
			       ? ip6->proto
			       : 0;
	if (!ip4 || ip4->version_ihl != 0x45 || rte_be_to_cpu_16(ip4->total_length) != len_bytes ||
		ip4->fragment_offset &
			rte_cpu_to_be_16(RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK))
		return 0;
	return ip4->next_proto_id;
}

static uint32_t ip_header_bytes(bool is_ip6)
{
	return is_ip6 ? sizeof(struct rte_ipv6_hdr) : sizeof(struct rte_ipv4_hdr);
}

// Fills what dp_gso() wants to know of the packet inside, whose transport is at csum_start.
static int look_inside(
	const struct virtio_net_hdr *hdr, const struct rte_mbuf *m, struct dp_headers *ret_in)
{
	uint8_t type = hdr->gso_type & ~VIRTIO_NET_HDR_GSO_ECN;
	struct dp_headers in = {
		.is_tcp = type != VIRTIO_NET_HDR_GSO_UDP_L4,
		.is_ipv6 = type == VIRTIO_NET_HDR_GSO_TCPV6,
		.l4_off = hdr->csum_start,
		.csum_off = hdr->csum_start + hdr->csum_offset,
		.end = m->pkt_len,
	};
	uint16_t field = in.is_tcp ? offsetof(struct rte_tcp_hdr, cksum)
				   : offsetof(struct rte_udp_hdr, dgram_cksum);
	uint8_t proto = in.is_tcp ? IPPROTO_TCP : IPPROTO_UDP;
	uint32_t least_bytes = in.is_tcp ? sizeof(struct rte_tcp_hdr) : sizeof(struct rte_udp_hdr);
	const struct rte_tcp_hdr *tcp = headers_at(m, in.l4_off, least_bytes);

	if (!(hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) || hdr->csum_offset != field || !tcp)
		return -EINVAL;
	// A tunnel takes more than one header, and less than what is_nested() should walk over.
	if (in.l4_off < sizeof(struct rte_ipv6_hdr) || in.l4_off > OUTSIDE_MAX)
		return -EINVAL;
	if (!in.is_tcp) // of either version
		in.is_ipv6 = ip_at(m, in.l4_off - ip_header_bytes(true), true) == proto;
	in.l3_off = in.l4_off - ip_header_bytes(in.is_ipv6);
	in.l4_len = in.is_tcp ? (tcp->data_off >> 4) * 4 : least_bytes;
	if (ip_at(m, in.l3_off, in.is_ipv6) != proto || !headers_at(m, in.l4_off, in.l4_len))
		return -EINVAL;
	if (in.l4_len < least_bytes)
		return -EINVAL;
	*ret_in = in;
	return 0;
}

// ---- the headers outside ----

// Between the two there must be no third IP packet: its lengths would stay as they are.
static bool is_nested(const struct rte_mbuf *m, uint32_t from_bytes, uint32_t to_bytes)
{
	for (uint32_t off = from_bytes; off < to_bytes; off++)
		if (ip_at(m, off, false) || ip_at(m, off, true))
			return true;
	return false;
}

static int look_outside(
	const struct rte_mbuf *m, const struct dp_headers *in, struct headers *ret_out)
{
	const uint8_t *gre;
	uint32_t l4_off;

	if (headers_parse(m, ret_out) || ret_out->has_ext)
		return -EINVAL;
	l4_off = ret_out->l2_bytes + ret_out->l3_bytes;
	if (ret_out->l2_bytes + ret_out->ip_bytes != m->pkt_len || l4_off > in->l3_off)
		return -EINVAL;
	switch (ret_out->proto) {
	case IPPROTO_UDP:
		return l4_off + sizeof(struct rte_udp_hdr) > in->l3_off ||
				       is_nested(m, l4_off + sizeof(struct rte_udp_hdr), in->l3_off)
			       ? -EINVAL
			       : 0;
	case IPPROTO_GRE:
		gre = headers_at(m, l4_off, 4);
		return !gre || gre[0] & (GRE_CSUM | GRE_SEQUENCE) || l4_off + 4 > in->l3_off ||
				       is_nested(m, l4_off + 4, in->l3_off)
			       ? -EINVAL
			       : 0;
	case IPPROTO_IPIP:
	case IPPROTO_IPV6:
		return l4_off == in->l3_off ? 0 : -EINVAL;
	default:
		return -EINVAL;
	}
}

static void patch_udp(struct rte_mbuf *m, const struct headers *out, const void *ip)
{
	uint32_t l4_off = out->l2_bytes + out->l3_bytes, len_bytes = m->pkt_len - l4_off;
	struct rte_udp_hdr *udp = rte_pktmbuf_mtod_offset(m, struct rte_udp_hdr *, l4_off);
	uint64_t sum;

	udp->dgram_len = rte_cpu_to_be_16(len_bytes);
	if (!udp->dgram_cksum) // this tunnel does without
		return;
	udp->dgram_cksum = 0;
	// The pseudo header: addresses, protocol, length.
	sum = out->is_ip6
		      ? dp_sum((const uint8_t *)ip + offsetof(struct rte_ipv6_hdr, src_addr), 32)
		      : dp_sum((const uint8_t *)ip + offsetof(struct rte_ipv4_hdr, src_addr), 8);
	sum += rte_cpu_to_be_16(IPPROTO_UDP) + udp->dgram_len;
	sum = (uint16_t)~dp_sum_fold(sum + dp_sum_mbuf(m, l4_off, len_bytes));
	udp->dgram_cksum = sum ? sum : 0xffff;
}

// Makes the headers outside those of segment `index`.
static void patch(struct rte_mbuf *m, const struct headers *out, uint16_t index)
{
	uint8_t *bytes = rte_pktmbuf_mtod_offset(m, uint8_t *, out->l2_bytes);
	uint16_t len_bytes = (uint16_t)(m->pkt_len - out->l2_bytes);
	struct rte_ipv4_hdr *ip4 = (struct rte_ipv4_hdr *)bytes;
	struct rte_ipv6_hdr *ip6 = (struct rte_ipv6_hdr *)bytes;

	if (out->is_ip6) {
		ip6->payload_len = rte_cpu_to_be_16((uint16_t)(len_bytes - sizeof(*ip6)));
	} else {
		ip4->total_length = rte_cpu_to_be_16(len_bytes);
		ip4->packet_id =
			rte_cpu_to_be_16((uint16_t)(rte_be_to_cpu_16(ip4->packet_id) + index));
		ip4->hdr_checksum = 0;
		ip4->hdr_checksum = (uint16_t)~dp_sum(ip4, out->l3_bytes);
	}
	if (out->proto == IPPROTO_UDP)
		patch_udp(m, out, bytes);
}

int tunnel_cut(const struct virtio_net_hdr *hdr, struct rte_mbuf *m, struct rte_mempool *pool,
	struct rte_mbuf **out, uint16_t room)
{
	struct dp_headers in;
	struct headers outside;
	int n;

	switch (hdr->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_TCPV4:
	case VIRTIO_NET_HDR_GSO_TCPV6:
	case VIRTIO_NET_HDR_GSO_UDP_L4:
		break;
	default:
		return -EINVAL;
	}
	if (look_inside(hdr, m, &in) || look_outside(m, &in, &outside))
		return -EINVAL;
	m->tso_segsz = hdr->gso_size;
	n = dp_gso(m, &in, pool, true, false, out, room);
	for (int i = 0; i < n; i++)
		patch(out[i], &outside, (uint16_t)i);
	return n;
}
