// SPDX-License-Identifier: BSD-3-Clause
#include "dp/offload.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_ethdev.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include "dp/checksum.h"
#include "dp/gso.h"

#define GSO_FLAGS  (RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_UDP_SEG)
#define DONE_FLAGS (DP_OFFLOAD_FLAGS | RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IPV6)

bool dp_offload_fits(const struct rte_mbuf *m, uint64_t tx_offloads)
{
	uint64_t need = m->nb_segs > 1 ? RTE_ETH_TX_OFFLOAD_MULTI_SEGS : 0;
	uint64_t l4 = m->ol_flags & RTE_MBUF_F_TX_L4_MASK;

	if (m->ol_flags & RTE_MBUF_F_TX_TCP_SEG)
		need |= RTE_ETH_TX_OFFLOAD_TCP_TSO;
	if (m->ol_flags & RTE_MBUF_F_TX_UDP_SEG)
		need |= RTE_ETH_TX_OFFLOAD_UDP_TSO;
	// Segmentation includes the checksums of the segments.
	if (!(m->ol_flags & GSO_FLAGS)) {
		if (l4 == RTE_MBUF_F_TX_TCP_CKSUM)
			need |= RTE_ETH_TX_OFFLOAD_TCP_CKSUM;
		else if (l4 == RTE_MBUF_F_TX_UDP_CKSUM)
			need |= RTE_ETH_TX_OFFLOAD_UDP_CKSUM;
		else if (l4 == RTE_MBUF_F_TX_SCTP_CKSUM)
			need |= RTE_ETH_TX_OFFLOAD_SCTP_CKSUM;
	}
	return (tx_offloads & need) == need;
}

// ---- headers ----

// Learns from the flags which protocols to expect. Returns false if the flags contradict each other
// or name something that is not supported.
static bool flags_check(const struct rte_mbuf *m, struct dp_headers *hdr)
{
	uint64_t ip = m->ol_flags & (RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IPV6);
	uint64_t l4 = m->ol_flags & RTE_MBUF_F_TX_L4_MASK;
	bool tcp = l4 == RTE_MBUF_F_TX_TCP_CKSUM || m->ol_flags & RTE_MBUF_F_TX_TCP_SEG;
	bool udp = l4 == RTE_MBUF_F_TX_UDP_CKSUM || m->ol_flags & RTE_MBUF_F_TX_UDP_SEG;

	if (ip != RTE_MBUF_F_TX_IPV4 && ip != RTE_MBUF_F_TX_IPV6)
		return false;
	if (tcp == udp || l4 == RTE_MBUF_F_TX_SCTP_CKSUM)
		return false;
	hdr->is_ipv6 = ip == RTE_MBUF_F_TX_IPV6;
	hdr->is_tcp = tcp;
	return true;
}

static bool ipv4_check(const uint8_t *bytes, uint16_t l3_len, struct dp_headers *hdr)
{
	struct rte_ipv4_hdr ip;
	uint32_t len_bytes;

	if (l3_len < sizeof(ip))
		return false;
	memcpy(&ip, bytes, sizeof(ip));
	len_bytes = rte_be_to_cpu_16(ip.total_length);
	if (ip.version_ihl >> 4 != 4 || rte_ipv4_hdr_len(&ip) != l3_len || len_bytes < l3_len)
		return false;
	if (ip.fragment_offset & rte_cpu_to_be_16(RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK))
		return false;
	hdr->via = l3_len > sizeof(ip);
	hdr->end = hdr->l3_off + len_bytes;
	return ip.next_proto_id == (hdr->is_tcp ? IPPROTO_TCP : IPPROTO_UDP);
}

// Walks the extension headers up to `l3_len`; `next` is the type of the first. Refuses headers that
// segments cannot copy (fragment, authentication).
static bool extensions_check(const uint8_t *bytes, uint16_t l3_len, uint8_t next, uint8_t proto)
{
	uint32_t off = sizeof(struct rte_ipv6_hdr);

	while (off < l3_len) {
		if (next != IPPROTO_HOPOPTS && next != IPPROTO_ROUTING && next != IPPROTO_DSTOPTS)
			return false;
		if (off + 8 > l3_len)
			return false;
		next = bytes[off];
		off += (bytes[off + 1] + 1u) * 8;
	}
	return off == l3_len && next == proto;
}

static bool ipv6_check(const uint8_t *bytes, uint16_t l3_len, struct dp_headers *hdr)
{
	struct rte_ipv6_hdr ip;

	if (l3_len < sizeof(ip))
		return false;
	memcpy(&ip, bytes, sizeof(ip));
	if (bytes[0] >> 4 != 6)
		return false;
	hdr->via = l3_len > sizeof(ip);
	hdr->end = hdr->l3_off + sizeof(ip) + rte_be_to_cpu_16(ip.payload_len);
	return extensions_check(bytes, l3_len, ip.proto, hdr->is_tcp ? IPPROTO_TCP : IPPROTO_UDP);
}

static bool l4_check(const struct rte_mbuf *m, const uint8_t *bytes, struct dp_headers *hdr)
{
	if (hdr->is_tcp)
		hdr->l4_len = (bytes[offsetof(struct rte_tcp_hdr, data_off)] >> 4) * 4;
	if (m->ol_flags & GSO_FLAGS && hdr->l4_len != m->l4_len)
		return false;
	// The IP header tells where it ends.
	return hdr->l4_len >= sizeof(struct rte_udp_hdr) && hdr->end <= m->pkt_len &&
	       hdr->l4_off + hdr->l4_len <= hdr->end &&
	       (!hdr->is_tcp || hdr->l4_len >= sizeof(struct rte_tcp_hdr));
}

bool dp_headers_check(const struct rte_mbuf *m, struct dp_headers *ret_hdr)
{
	struct dp_headers hdr = {.l3_off = m->l2_len, .l4_off = m->l2_len + m->l3_len};
	uint8_t copy[DP_HEADERS_MAX];
	const uint8_t *bytes;
	rte_be16_t ethertype;

	if (!flags_check(m, &hdr) || m->l2_len < RTE_ETHER_HDR_LEN)
		return false;
	hdr.l4_len = hdr.is_tcp ? sizeof(struct rte_tcp_hdr) : sizeof(struct rte_udp_hdr);
	hdr.csum_off = hdr.l4_off + (hdr.is_tcp ? offsetof(struct rte_tcp_hdr, cksum)
						: offsetof(struct rte_udp_hdr, dgram_cksum));
	bytes = rte_pktmbuf_read(m, 0, hdr.l4_off + hdr.l4_len, copy);
	if (!bytes)
		return false;
	memcpy(&ethertype, bytes + hdr.l3_off - sizeof(ethertype), sizeof(ethertype));
	if (ethertype != rte_cpu_to_be_16(hdr.is_ipv6 ? RTE_ETHER_TYPE_IPV6 : RTE_ETHER_TYPE_IPV4))
		return false;
	if (hdr.is_ipv6 ? !ipv6_check(bytes + hdr.l3_off, m->l3_len, &hdr)
			: !ipv4_check(bytes + hdr.l3_off, m->l3_len, &hdr))
		return false;
	if (!l4_check(m, bytes + hdr.l4_off, &hdr))
		return false;
	*ret_hdr = hdr;
	return true;
}

void dp_headers_fill_checksum(struct rte_mbuf *m, const struct dp_headers *hdr)
{
	uint16_t sum = (uint16_t)~dp_sum_mbuf(m, hdr->l4_off, hdr->end - hdr->l4_off);

	if (!sum && !hdr->is_tcp) // zero would mean "no checksum" (RFC 768)
		sum = 0xffff;
	memcpy(rte_pktmbuf_mtod_offset(m, uint8_t *, hdr->csum_off), &sum, sizeof(sum));
}

// ---- finishing ----

// Copies `m` into one buffer of `pool` or, with `chain`, into as many as it needs. Returns NULL
// with the reason.
static struct rte_mbuf *copy_packet(const struct rte_mbuf *m, struct rte_mempool *pool, bool chain,
	enum dp_drop_reason *ret_reason)
{
	uint32_t room = rte_pktmbuf_data_room_size(pool) - RTE_PKTMBUF_HEADROOM;
	struct rte_mbuf *copy;

	if (!chain && m->pkt_len > room) {
		*ret_reason = DP_DROP_TX_GSO;
		return NULL;
	}
	copy = rte_pktmbuf_copy(m, pool, 0, UINT32_MAX);
	if (!copy)
		*ret_reason = DP_DROP_TX_NO_BUFFER;
	return copy;
}

// Whether the first `len_bytes` bytes of the packet and its metadata belong to the caller alone.
static bool is_writable(const struct rte_mbuf *m, uint32_t len_bytes)
{
	return rte_mbuf_refcnt_read(m) == 1 && RTE_MBUF_DIRECT(m) && m->data_len >= len_bytes;
}

// Frees `m` in favour of `by`, or drops it if there is none.
static uint16_t replace(struct rte_mbuf *m, struct rte_mbuf *by, struct rte_mbuf **out,
	struct dp_site *at, enum dp_drop_reason reason)
{
	if (!by) {
		dp_drop(at, reason, m);
		return 0;
	}
	if (by != m)
		rte_pktmbuf_free(m);
	*out = by;
	return 1;
}

static uint16_t finish_checksum(struct rte_mbuf *m, bool chain, struct rte_mempool *pool,
	struct rte_mbuf **out, struct dp_site *at)
{
	enum dp_drop_reason reason = DP_DROP_TX_GSO;
	struct rte_mbuf *by = NULL;
	struct dp_headers hdr;

	if (!dp_headers_check(m, &hdr))
		return replace(m, NULL, out, at, reason);
	if ((chain || m->nb_segs == 1) && is_writable(m, hdr.csum_off + sizeof(uint16_t)))
		by = m;
	else
		by = copy_packet(m, pool, chain, &reason);
	if (by) {
		dp_headers_fill_checksum(by, &hdr);
		by->ol_flags &= ~(uint64_t)DONE_FLAGS;
	}
	return replace(m, by, out, at, reason);
}

static uint16_t finish_segments(struct rte_mbuf *m, uint64_t tx_offloads, struct rte_mempool *pool,
	struct rte_mbuf **out, uint16_t room, struct dp_site *at)
{
	struct dp_headers hdr;
	uint64_t csum;
	int count;

	if (!dp_headers_check(m, &hdr)) {
		dp_drop(at, DP_DROP_TX_GSO, m);
		return 0;
	}
	csum = hdr.is_tcp ? RTE_ETH_TX_OFFLOAD_TCP_CKSUM : RTE_ETH_TX_OFFLOAD_UDP_CKSUM;
	count = dp_gso(m, &hdr, pool, tx_offloads & RTE_ETH_TX_OFFLOAD_MULTI_SEGS,
		tx_offloads & csum, out, room);
	if (count < 0) {
		dp_drop(at, count == -ENOMEM ? DP_DROP_TX_NO_BUFFER : DP_DROP_TX_GSO, m);
		return 0;
	}
	rte_pktmbuf_free(m);
	return (uint16_t)count;
}

uint16_t dp_offload_finish(struct rte_mbuf *m, uint64_t tx_offloads, struct rte_mempool *pool,
	struct rte_mbuf **out, uint16_t room, struct dp_site *at)
{
	bool chain = tx_offloads & RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	enum dp_drop_reason reason = DP_DROP_TX_GSO;
	struct rte_mbuf *copy;

	if (!room) {
		dp_drop(at, DP_DROP_TX_GSO, m);
		return 0;
	}
	if (dp_offload_fits(m, tx_offloads)) {
		*out = m;
		return 1;
	}
	// Perhaps the chain is the only obstacle.
	if (dp_offload_fits(m, tx_offloads | RTE_ETH_TX_OFFLOAD_MULTI_SEGS)) {
		copy = copy_packet(m, pool, false, &reason);
		if (copy || !(m->ol_flags & GSO_FLAGS) || reason != DP_DROP_TX_GSO)
			return replace(m, copy, out, at, reason);
	}
	if (m->ol_flags & GSO_FLAGS)
		return finish_segments(m, tx_offloads, pool, out, room, at);
	return finish_checksum(m, chain, pool, out, at);
}
