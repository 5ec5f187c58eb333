// SPDX-License-Identifier: BSD-3-Clause
#include "vxlan/mend.h"

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
#include "dp/offload.h"

#define TAGS_MAX 2

// Where things are in a TCP or UDP frame that is no fragment.
struct place {
	const uint8_t *l4;
	uint32_t l2_bytes, l3_bytes, l4_bytes; // l4_bytes: header and payload
	uint64_t ol_flags;		       // RTE_MBUF_F_TX_IPV4 or _IPV6
	uint8_t proto;
	uint64_t addr_sum;
};

static bool find_ip4(const uint8_t *p, uint32_t len_bytes, struct place *at)
{
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)p;
	uint32_t ip_bytes;

	if (len_bytes < sizeof(*ip))
		return false;
	at->l3_bytes = rte_ipv4_hdr_len(ip);
	ip_bytes = rte_be_to_cpu_16(ip->total_length);
	if (ip->version_ihl >> 4 != 4 || at->l3_bytes < sizeof(*ip) || ip_bytes < at->l3_bytes ||
		ip_bytes > len_bytes ||
		ip->fragment_offset &
			rte_cpu_to_be_16(RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK))
		return false;
	at->l4_bytes = ip_bytes - at->l3_bytes;
	at->proto = ip->next_proto_id;
	at->ol_flags = RTE_MBUF_F_TX_IPV4;
	at->addr_sum = (uint64_t)ip->src_addr + ip->dst_addr;
	return true;
}

static bool find_ip6(const uint8_t *p, uint32_t len_bytes, struct place *at)
{
	const struct rte_ipv6_hdr *ip = (const struct rte_ipv6_hdr *)p;

	if (len_bytes < sizeof(*ip))
		return false;
	at->l3_bytes = sizeof(*ip);
	at->l4_bytes = rte_be_to_cpu_16(ip->payload_len);
	if (p[0] >> 4 != 6 || at->l4_bytes > len_bytes - sizeof(*ip))
		return false;
	at->proto = ip->proto;
	at->ol_flags = RTE_MBUF_F_TX_IPV6;
	at->addr_sum = dp_sum(ip->src_addr, 2 * sizeof(ip->src_addr));
	return true;
}

static bool find(const struct rte_mbuf *m, struct place *at)
{
	const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *);
	rte_be16_t type;

	at->l2_bytes = RTE_ETHER_HDR_LEN;
	memcpy(&type, frame + at->l2_bytes - sizeof(type), sizeof(type));
	for (unsigned tags = 0;
		tags < TAGS_MAX && (type == rte_cpu_to_be_16(RTE_ETHER_TYPE_VLAN) ||
					   type == rte_cpu_to_be_16(RTE_ETHER_TYPE_QINQ));
		tags++) {
		at->l2_bytes += sizeof(struct rte_vlan_hdr);
		if (at->l2_bytes > m->data_len)
			return false;
		memcpy(&type, frame + at->l2_bytes - sizeof(type), sizeof(type));
	}
	if (type == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4)) {
		if (!find_ip4(frame + at->l2_bytes, m->data_len - at->l2_bytes, at))
			return false;
	} else if (type != rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV6) ||
		   !find_ip6(frame + at->l2_bytes, m->data_len - at->l2_bytes, at)) {
		return false;
	}
	at->l4 = frame + at->l2_bytes + at->l3_bytes;
	return true;
}

static void mark_large(struct rte_mbuf *m, const struct place *at, uint16_t mtu)
{
	uint32_t tcp_bytes = (at->l4[offsetof(struct rte_tcp_hdr, data_off)] >> 4) * 4;

	if (at->l3_bytes + at->l4_bytes <= mtu || mtu < at->l3_bytes + tcp_bytes + DP_GSO_SEGSZ_MIN)
		return;
	m->ol_flags |= RTE_MBUF_F_TX_TCP_SEG | DP_ANY_SEGSZ;
	m->l4_len = tcp_bytes;
	m->tso_segsz = mtu - at->l3_bytes - tcp_bytes;
}

void mend(struct rte_mbuf *m, uint16_t mtu)
{
	uint16_t pseudo, field;
	struct place at;
	uint32_t hdr_bytes, csum_off;
	bool tcp;

	if (!find(m, &at))
		return;
	tcp = at.proto == IPPROTO_TCP;
	if (!tcp && at.proto != IPPROTO_UDP)
		return;
	hdr_bytes = tcp ? sizeof(struct rte_tcp_hdr) : sizeof(struct rte_udp_hdr);
	csum_off = tcp ? offsetof(struct rte_tcp_hdr, cksum)
		       : offsetof(struct rte_udp_hdr, dgram_cksum);
	if (at.l4_bytes < hdr_bytes)
		return;
	memcpy(&field, at.l4 + csum_off, sizeof(field));
	pseudo = dp_sum_fold(
		at.addr_sum + rte_cpu_to_be_16((uint16_t)at.l4_bytes) + rte_cpu_to_be_16(at.proto));
	if (likely(field != pseudo))
		return;
	m->ol_flags |= at.ol_flags | (tcp ? RTE_MBUF_F_TX_TCP_CKSUM : RTE_MBUF_F_TX_UDP_CKSUM);
	m->l2_len = at.l2_bytes;
	m->l3_len = at.l3_bytes;
	if (tcp)
		mark_large(m, &at, mtu);
}
