// SPDX-License-Identifier: BSD-3-Clause
#include "ports/headers.h"

#include <errno.h>
#include <netinet/in.h>

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_ip.h>

#define VLAN_TAGS_MAX 4 // more fit l2_len, but nobody sends them
#define IP6_EXT_MAX   8 // extension headers looked at

const void *headers_at(const struct rte_mbuf *m, uint32_t off_bytes, uint32_t len_bytes)
{
	if (off_bytes + len_bytes > m->data_len)
		return NULL;
	return rte_pktmbuf_mtod_offset(m, const void *, off_bytes);
}

static int parse_ether(const struct rte_mbuf *m, struct headers *h, uint16_t *ret_ethertype)
{
	const struct rte_ether_hdr *eth = headers_at(m, 0, sizeof(*eth));
	const struct rte_vlan_hdr *vlan;
	uint16_t type;

	if (!eth)
		return -EINVAL;
	type = rte_be_to_cpu_16(eth->ether_type);
	h->l2_bytes = sizeof(*eth);
	for (unsigned i = 0; i < VLAN_TAGS_MAX; i++) {
		if (type != RTE_ETHER_TYPE_VLAN && type != RTE_ETHER_TYPE_QINQ)
			break;
		vlan = headers_at(m, h->l2_bytes, sizeof(*vlan));
		if (!vlan)
			return -EINVAL;
		type = rte_be_to_cpu_16(vlan->eth_proto);
		h->l2_bytes += sizeof(*vlan);
	}
	*ret_ethertype = type;
	return 0;
}

static int parse_ip4(const struct rte_mbuf *m, struct headers *h)
{
	const struct rte_ipv4_hdr *ip = headers_at(m, h->l2_bytes, sizeof(*ip));

	if (!ip || ip->version != 4 || rte_ipv4_hdr_len(ip) < sizeof(*ip))
		return -EINVAL;
	h->l3_bytes = rte_ipv4_hdr_len(ip);
	h->ip_bytes = rte_be_to_cpu_16(ip->total_length);
	if (ip->fragment_offset & rte_cpu_to_be_16(RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK))
		return 0;
	h->proto = ip->next_proto_id;
	return 0;
}

static int parse_ip6(const struct rte_mbuf *m, struct headers *h)
{
	const struct rte_ipv6_hdr *ip = headers_at(m, h->l2_bytes, sizeof(*ip));
	const uint8_t *ext;
	uint8_t next;

	if (!ip || rte_be_to_cpu_32(ip->vtc_flow) >> 28 != 6)
		return -EINVAL;
	h->is_ip6 = true;
	h->l3_bytes = sizeof(*ip);
	h->ip_bytes = sizeof(*ip) + rte_be_to_cpu_16(ip->payload_len);
	next = ip->proto;
	for (unsigned i = 0; i < IP6_EXT_MAX; i++) {
		if (next != IPPROTO_HOPOPTS && next != IPPROTO_ROUTING && next != IPPROTO_DSTOPTS) {
			h->proto = next == IPPROTO_FRAGMENT ? 0 : next;
			return 0;
		}
		ext = headers_at(m, h->l2_bytes + h->l3_bytes, 8);
		if (!ext)
			return -EINVAL;
		h->has_ext = true;
		next = ext[0];
		h->l3_bytes += 8 * (ext[1] + 1u);
		if (h->l3_bytes > HEADERS_L3_MAX)
			return 0;
	}
	return 0;
}

int headers_parse(const struct rte_mbuf *m, struct headers *ret_h)
{
	struct headers h = {};
	uint16_t ethertype = 0;
	int rc = parse_ether(m, &h, &ethertype);

	if (!rc && ethertype == RTE_ETHER_TYPE_IPV4)
		rc = parse_ip4(m, &h);
	else if (!rc && ethertype == RTE_ETHER_TYPE_IPV6)
		rc = parse_ip6(m, &h);
	if (!rc)
		*ret_h = h;
	return rc;
}
