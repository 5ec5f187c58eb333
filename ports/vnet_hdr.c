// SPDX-License-Identifier: BSD-3-Clause
#include "ports/vnet_hdr.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_hash_crc.h>
#include <rte_ip.h>
#include <rte_sctp.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include "dp/offload.h"
#include "ports/headers.h"

static_assert(sizeof(struct virtio_net_hdr) == VNET_HDR_BYTES);

#define TCP_CSUM_OFFSET	 offsetof(struct rte_tcp_hdr, cksum)
#define UDP_CSUM_OFFSET	 offsetof(struct rte_udp_hdr, dgram_cksum)
#define SCTP_CSUM_OFFSET offsetof(struct rte_sctp_hdr, cksum)
// The flags for a checksum to be filled, 0 when flags cannot describe it.
static uint64_t csum_flags(const struct headers *h)
{
	uint64_t ip = h->is_ip6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4;

	if (h->l3_bytes > HEADERS_L3_MAX)
		return 0;
	if (h->proto == IPPROTO_TCP)
		return ip | RTE_MBUF_F_TX_TCP_CKSUM;
	if (h->proto == IPPROTO_UDP)
		return ip | RTE_MBUF_F_TX_UDP_CKSUM;
	return 0;
}

static bool csum_is_at_l4(const struct virtio_net_hdr *hdr, const struct headers *h)
{
	uint16_t offset = h->proto == IPPROTO_TCP ? TCP_CSUM_OFFSET : UDP_CSUM_OFFSET;

	return hdr->csum_start == h->l2_bytes + h->l3_bytes && hdr->csum_offset == offset;
}

static void set_lengths(struct rte_mbuf *m, const struct headers *h)
{
	m->l2_len = h->l2_bytes;
	m->l3_len = h->l3_bytes;
}

static bool csum_is_sctp(const struct virtio_net_hdr *hdr, const struct headers *h)
{
	return h->proto == IPPROTO_SCTP && hdr->csum_start == h->l2_bytes + h->l3_bytes &&
	       hdr->csum_offset == SCTP_CSUM_OFFSET;
}

static uint32_t crc32c(const uint8_t *p, uint32_t len_bytes, uint32_t crc)
{
	uint64_t word;

	// rte_hash_crc() takes whole words too, but wants them aligned.
	for (; len_bytes >= sizeof(word); p += sizeof(word), len_bytes -= sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		crc = rte_hash_crc_8byte(word, crc);
	}
	while (len_bytes--)
		crc = rte_hash_crc_1byte(*p++, crc);
	return crc;
}

// SCTP's checksum is CRC32c (RFC 9260, appendix A). The header does not say so, but a container's
// kernel leaves it to a veth, which says that it can.
static int fill_sctp(struct rte_mbuf *m, uint32_t start_bytes)
{
	uint32_t crc = UINT32_MAX, off_bytes = start_bytes;
	struct rte_sctp_hdr *sctp;

	if (!headers_at(m, start_bytes, sizeof(*sctp)))
		return -EINVAL;
	sctp = rte_pktmbuf_mtod_offset(m, struct rte_sctp_hdr *, start_bytes);
	memset(&sctp->cksum, 0, sizeof(sctp->cksum));
	for (const struct rte_mbuf *seg = m; seg; seg = seg->next) {
		crc = crc32c(rte_pktmbuf_mtod_offset(seg, const uint8_t *, off_bytes),
			seg->data_len - off_bytes, crc);
		off_bytes = 0;
	}
	crc = rte_cpu_to_le_32(~crc);
	memcpy(&sctp->cksum, &crc, sizeof(crc));
	return 0;
}

static int apply_csum(const struct virtio_net_hdr *hdr, struct rte_mbuf *m)
{
	struct headers h = {};
	uint64_t flags = 0;

	if (!headers_parse(m, &h))
		flags = csum_flags(&h);
	if (csum_is_sctp(hdr, &h))
		return fill_sctp(m, hdr->csum_start);
	if (!flags || !csum_is_at_l4(hdr, &h) ||
		!headers_at(m, hdr->csum_start + hdr->csum_offset, 2))
		return dp_checksum_fill(m, hdr->csum_start, hdr->csum_offset);
	set_lengths(m, &h);
	m->ol_flags |= flags;
	return 0;
}

// The transport header of a segment: its length, or 0 when it is not what the type says.
static uint32_t gso_l4_bytes(uint8_t gso_type, const struct rte_mbuf *m, const struct headers *h)
{
	uint32_t off = h->l2_bytes + h->l3_bytes, len;
	const struct rte_tcp_hdr *tcp;

	if (gso_type == VIRTIO_NET_HDR_GSO_UDP_L4)
		return h->proto == IPPROTO_UDP && headers_at(m, off, sizeof(struct rte_udp_hdr))
			       ? sizeof(struct rte_udp_hdr)
			       : 0;
	if (h->proto != IPPROTO_TCP || h->is_ip6 != (gso_type == VIRTIO_NET_HDR_GSO_TCPV6))
		return 0;
	tcp = headers_at(m, off, sizeof(*tcp));
	if (!tcp)
		return 0;
	len = (tcp->data_off >> 4) * 4u;
	return len >= sizeof(*tcp) && headers_at(m, off, len) ? len : 0;
}

// A segment whose checksum was verified and is no longer partial (it was received, coalesced and
// forwarded inside the container): puts the pseudo-header sum back, as the kernel's own
// segmentation does (tcp4_gso_segment()).
static int make_partial(struct rte_mbuf *m, const struct headers *h)
{
	const void *ip = rte_pktmbuf_mtod_offset(m, const void *, h->l2_bytes);
	uint16_t sum;
	uint16_t offset = h->proto == IPPROTO_TCP ? TCP_CSUM_OFFSET : UDP_CSUM_OFFSET;

	if (h->has_ext)
		return -EINVAL;
	sum = h->is_ip6 ? rte_ipv6_phdr_cksum(ip, 0) : rte_ipv4_phdr_cksum(ip, 0);
	memcpy(rte_pktmbuf_mtod_offset(m, void *, h->l2_bytes + h->l3_bytes + offset), &sum,
		sizeof(sum));
	return 0;
}

static int apply_gso(const struct virtio_net_hdr *hdr, uint8_t gso_type, struct rte_mbuf *m)
{
	struct headers h;
	uint32_t l4_bytes, payload_bytes;
	uint64_t flags;

	if (headers_parse(m, &h) || !hdr->gso_size)
		return -EINVAL;
	flags = csum_flags(&h);
	l4_bytes = gso_l4_bytes(gso_type, m, &h);
	if (!flags || !l4_bytes || h.l2_bytes + h.ip_bytes != m->pkt_len)
		return -EINVAL;
	if (h.ip_bytes < h.l3_bytes + l4_bytes)
		return -EINVAL;
	if (hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
		if (!csum_is_at_l4(hdr, &h))
			return -EINVAL;
	} else if (!(hdr->flags & VIRTIO_NET_HDR_F_DATA_VALID) || make_partial(m, &h)) {
		return -EINVAL;
	}
	set_lengths(m, &h);
	m->l4_len = l4_bytes;
	m->ol_flags |= flags;
	payload_bytes = h.ip_bytes - h.l3_bytes - l4_bytes;
	if (payload_bytes > hdr->gso_size) { // else it is one packet, whatever the header says
		m->tso_segsz = hdr->gso_size;
		m->ol_flags |=
			h.proto == IPPROTO_TCP ? RTE_MBUF_F_TX_TCP_SEG : RTE_MBUF_F_TX_UDP_SEG;
	}
	return 0;
}

int vnet_hdr_parse(const struct virtio_net_hdr *hdr, struct rte_mbuf *m)
{
	switch (hdr->gso_type) {
	case VIRTIO_NET_HDR_GSO_NONE:
		if (hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
			return apply_csum(hdr, m);
		if (hdr->flags & VIRTIO_NET_HDR_F_DATA_VALID)
			m->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_GOOD;
		return 0;
	case VIRTIO_NET_HDR_GSO_TCPV4:
	case VIRTIO_NET_HDR_GSO_TCPV6:
	case VIRTIO_NET_HDR_GSO_UDP_L4:
		return apply_gso(hdr, hdr->gso_type, m);
	case VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN:
	case VIRTIO_NET_HDR_GSO_TCPV6 | VIRTIO_NET_HDR_GSO_ECN:
		// The bit only repeats the CWR flag of the TCP header: see vnet_hdr_from_mbuf().
		return apply_gso(hdr, hdr->gso_type & ~VIRTIO_NET_HDR_GSO_ECN, m);
	default:
		return -EINVAL;
	}
}

static uint8_t tcp_gso_type(const struct rte_mbuf *m)
{
	const struct rte_tcp_hdr *tcp = headers_at(m, m->l2_len + m->l3_len, sizeof(*tcp));
	uint8_t type = m->ol_flags & RTE_MBUF_F_TX_IPV6 ? VIRTIO_NET_HDR_GSO_TCPV6
							: VIRTIO_NET_HDR_GSO_TCPV4;

	// The kernel's SKB_GSO_TCP_ECN: CWR belongs to the first segment only.
	return tcp && tcp->tcp_flags & RTE_TCP_CWR_FLAG ? type | VIRTIO_NET_HDR_GSO_ECN : type;
}

void vnet_hdr_from_mbuf(const struct rte_mbuf *m, struct virtio_net_hdr *ret_hdr)
{
	uint64_t l4 = m->ol_flags & RTE_MBUF_F_TX_L4_MASK;
	bool is_tcp = l4 == RTE_MBUF_F_TX_TCP_CKSUM;

	memset(ret_hdr, 0, sizeof(*ret_hdr));
	if (!(m->ol_flags & DP_OFFLOAD_FLAGS)) {
		if ((m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_GOOD)
			ret_hdr->flags = VIRTIO_NET_HDR_F_DATA_VALID;
		return;
	}
	ret_hdr->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	ret_hdr->csum_start = m->l2_len + m->l3_len;
	if (m->ol_flags & RTE_MBUF_F_TX_TCP_SEG) {
		is_tcp = true;
		ret_hdr->gso_type = tcp_gso_type(m);
	} else if (m->ol_flags & RTE_MBUF_F_TX_UDP_SEG) {
		ret_hdr->gso_type = VIRTIO_NET_HDR_GSO_UDP_L4;
	}
	ret_hdr->csum_offset = is_tcp ? TCP_CSUM_OFFSET : UDP_CSUM_OFFSET;
	if (ret_hdr->gso_type != VIRTIO_NET_HDR_GSO_NONE) {
		ret_hdr->gso_size = m->tso_segsz;
		ret_hdr->hdr_len = m->l2_len + m->l3_len + m->l4_len;
	}
}
