// SPDX-License-Identifier: BSD-3-Clause
#include "dp/resolve.h"

#include <errno.h>
#include <string.h>

#include <rte_arp.h>
#include <rte_ether.h>

#include "dp/icmp.h"
#include "dp/offload.h"

#define FRAME_MIN     60 // excluding the frame check sequence
#define ND_HOP_LIMIT  255
#define ND_UNIT_BYTES 8 // unit of an option's length

// Flags of an advertisement.
#define ND_SOLICITED 0x40
#define ND_OVERRIDE  0x20

enum { ND_SOURCE_MAC = 1, ND_TARGET_MAC = 2 }; // options

// A neighbour solicitation or advertisement (RFC 4861, 4.3 and 4.4) without options.
struct nd_msg {
	uint8_t type, code;
	uint16_t checksum;
	uint8_t flags, reserved[3];
	uint8_t target[16];
} __rte_packed;

struct nd_mac_option {
	uint8_t type, units;
	struct mac mac;
};

static const uint8_t all_nodes[16] = {0xff, 0x02, [15] = 0x01};
static const uint8_t solicited_node[13] = {0xff, 0x02, [11] = 0x01, 0xff};

static struct ip_addr ip4(rte_be32_t address)
{
	struct ip_addr ip = {.family = 4};

	memcpy(ip.byte, &address, sizeof(address));
	return ip;
}

static struct ip_addr ip6(const uint8_t *address)
{
	struct ip_addr ip = {.family = 6};

	memcpy(ip.byte, address, sizeof(ip.byte));
	return ip;
}

static bool is_host_mac(const struct mac *mac)
{
	return !(mac->byte[0] & 1) && !mac_is_zero(mac);
}

// Neither group nor broadcast, nor "this network".
static bool is_host_ip4(const struct ip_addr *ip)
{
	return ip->byte[0] && ip->byte[0] < 0xe0;
}

// ---- reading ----

static enum dp_resolve_kind parse_arp(const uint8_t *l3, uint32_t len_bytes, struct dp_resolve *r)
{
	struct rte_arp_hdr arp;
	bool request, same;

	if (len_bytes < sizeof(arp))
		return DP_RESOLVE_NONE;
	memcpy(&arp, l3, sizeof(arp));
	if (arp.arp_hardware != rte_cpu_to_be_16(RTE_ARP_HRD_ETHER) ||
		arp.arp_protocol != rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4) ||
		arp.arp_hlen != RTE_ETHER_ADDR_LEN || arp.arp_plen != sizeof(arp.arp_data.arp_sip))
		return DP_RESOLVE_NONE;
	request = arp.arp_opcode == rte_cpu_to_be_16(RTE_ARP_OP_REQUEST);
	if (!request && arp.arp_opcode != rte_cpu_to_be_16(RTE_ARP_OP_REPLY))
		return DP_RESOLVE_NONE;
	memcpy(&r->mac, &arp.arp_data.arp_sha, sizeof(r->mac));
	r->sender = ip4(arp.arp_data.arp_sip);
	r->target = request ? ip4(arp.arp_data.arp_tip) : r->sender;
	same = arp.arp_data.arp_sip == arp.arp_data.arp_tip;
	if (!is_host_mac(&r->mac) || !is_host_ip4(&r->target))
		return DP_RESOLVE_NONE;
	if (same)
		return DP_RESOLVE_ANNOUNCE;
	if (request && !arp.arp_data.arp_sip)
		return DP_RESOLVE_PROBE;
	if (!is_host_ip4(&r->sender))
		return DP_RESOLVE_NONE;
	return request ? DP_RESOLVE_REQUEST : DP_RESOLVE_REPLY;
}

// Looks for the link-layer address among the options. False: an option's length is wrong.
static bool parse_options(
	const uint8_t *p, uint32_t len_bytes, uint8_t type, struct mac *ret_mac, bool *ret_found)
{
	*ret_found = false;
	while (len_bytes) {
		uint32_t option_bytes;

		if (len_bytes < ND_UNIT_BYTES)
			return false;
		option_bytes = p[1] * ND_UNIT_BYTES;
		if (!option_bytes || option_bytes > len_bytes)
			return false;
		if (p[0] == type && option_bytes == sizeof(struct nd_mac_option)) {
			memcpy(ret_mac, p + offsetof(struct nd_mac_option, mac), sizeof(*ret_mac));
			*ret_found = true;
		}
		p += option_bytes;
		len_bytes -= option_bytes;
	}
	return true;
}

// RFC 4861, 7.1.1.
static enum dp_resolve_kind parse_solicitation(
	const struct rte_ipv6_hdr *ip, struct dp_resolve *r, bool has_mac)
{
	if (!ip_is_any(&r->sender))
		return DP_RESOLVE_REQUEST;
	if (has_mac || memcmp(ip->dst_addr, solicited_node, sizeof(solicited_node)))
		return DP_RESOLVE_NONE;
	return DP_RESOLVE_PROBE;
}

// RFC 4861, 7.1.2.
static enum dp_resolve_kind parse_advertisement(
	const struct rte_ipv6_hdr *ip, struct dp_resolve *r, uint8_t flags)
{
	if (flags & ND_SOLICITED && ip->dst_addr[0] == 0xff)
		return DP_RESOLVE_NONE;
	r->keep = !(flags & ND_OVERRIDE);
	return flags & ND_SOLICITED ? DP_RESOLVE_REPLY : DP_RESOLVE_ANNOUNCE;
}

static enum dp_resolve_kind parse_nd(const uint8_t *l3, uint32_t len_bytes, struct dp_resolve *r)
{
	const uint8_t *l4 = l3 + sizeof(struct rte_ipv6_hdr);
	struct rte_ipv6_hdr ip;
	struct nd_msg nd;
	uint16_t l4_bytes;
	bool solicits, has_mac;

	if (len_bytes < sizeof(ip) + sizeof(nd))
		return DP_RESOLVE_NONE;
	memcpy(&ip, l3, sizeof(ip));
	memcpy(&nd, l4, sizeof(nd));
	l4_bytes = rte_be_to_cpu_16(ip.payload_len);
	solicits = nd.type == DP_ICMP6_SOLICIT;
	if (l3[0] >> 4 != 6 || ip.proto != IPPROTO_ICMPV6 || ip.hop_limits != ND_HOP_LIMIT ||
		(!solicits && nd.type != DP_ICMP6_ADVERTISE) || nd.code || l4_bytes < sizeof(nd) ||
		l4_bytes > len_bytes - sizeof(ip))
		return DP_RESOLVE_NONE;
	r->target = ip6(nd.target);
	r->sender = ip6(ip.src_addr);
	if (ip_is_multicast(&r->target) || ip_is_any(&r->target) || ip_is_multicast(&r->sender) ||
		!parse_options(l4 + sizeof(nd), l4_bytes - sizeof(nd),
			solicits ? ND_SOURCE_MAC : ND_TARGET_MAC, &r->mac, &has_mac) ||
		(has_mac && !is_host_mac(&r->mac)) ||
		dp_sum_fold(dp_icmp6_pseudo_sum(&ip, l4_bytes) + dp_sum(l4, l4_bytes)) != 0xffff)
		return DP_RESOLVE_NONE;
	return solicits ? parse_solicitation(&ip, r, has_mac)
			: parse_advertisement(&ip, r, nd.flags);
}

enum dp_resolve_kind dp_resolve_parse(const struct rte_mbuf *m, struct dp_resolve *ret_resolve)
{
	const uint8_t *data = rte_pktmbuf_mtod(m, const uint8_t *);
	struct dp_resolve r = {.l3_off = RTE_ETHER_HDR_LEN};
	rte_be16_t type;
	struct mac from;

	if (m->nb_segs != 1 || m->ol_flags & DP_OFFLOAD_FLAGS ||
		m->data_len < RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN)
		return DP_RESOLVE_NONE;
	memcpy(&from, data + RTE_ETHER_ADDR_LEN, sizeof(from));
	if (!is_host_mac(&from))
		return DP_RESOLVE_NONE;
	memcpy(&type, data + RTE_ETHER_HDR_LEN - sizeof(type), sizeof(type));
	if (type == rte_cpu_to_be_16(RTE_ETHER_TYPE_VLAN)) {
		r.l3_off += RTE_VLAN_HLEN;
		memcpy(&type, data + r.l3_off - sizeof(type), sizeof(type));
	}
	if (type == rte_cpu_to_be_16(RTE_ETHER_TYPE_ARP))
		r.kind = parse_arp(data + r.l3_off, m->data_len - r.l3_off, &r);
	else if (type == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV6))
		r.kind = parse_nd(data + r.l3_off, m->data_len - r.l3_off, &r);
	if (r.kind != DP_RESOLVE_NONE)
		*ret_resolve = r;
	return r.kind;
}

// ---- writing ----

// Writes IPv6 header and message with the option `type`. Addresses of `ip` are set.
static void put_nd(struct rte_ipv6_hdr *ip, uint8_t type, uint8_t flags,
	const struct ip_addr *target, const struct mac *mac)
{
	struct nd_msg *nd = (struct nd_msg *)(ip + 1);
	struct nd_mac_option *option = (struct nd_mac_option *)(nd + 1);
	uint16_t l4_bytes = sizeof(*nd) + sizeof(*option);

	ip->vtc_flow = rte_cpu_to_be_32(6u << 28);
	ip->payload_len = rte_cpu_to_be_16(l4_bytes);
	ip->proto = IPPROTO_ICMPV6;
	ip->hop_limits = ND_HOP_LIMIT;
	*nd = (struct nd_msg){.type = type, .flags = flags};
	memcpy(nd->target, target->byte, sizeof(nd->target));
	option->type = type == DP_ICMP6_SOLICIT ? ND_SOURCE_MAC : ND_TARGET_MAC;
	option->units = 1;
	option->mac = *mac;
	nd->checksum = ~dp_sum_fold(dp_icmp6_pseudo_sum(ip, l4_bytes) + dp_sum(nd, l4_bytes));
}

#define ND_BYTES                                                                                   \
	(sizeof(struct rte_ipv6_hdr) + sizeof(struct nd_msg) + sizeof(struct nd_mac_option))

static void answer_arp(struct rte_mbuf *m, const struct dp_resolve *r, const struct mac *mac)
{
	struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, struct rte_ether_hdr *);
	struct rte_arp_hdr *arp = rte_pktmbuf_mtod_offset(m, struct rte_arp_hdr *, r->l3_off);
	struct rte_arp_ipv4 *data = &arp->arp_data;

	eth->dst_addr = eth->src_addr;
	memcpy(&eth->src_addr, mac, sizeof(*mac));
	arp->arp_opcode = rte_cpu_to_be_16(RTE_ARP_OP_REPLY);
	data->arp_tha = data->arp_sha;
	data->arp_tip = data->arp_sip;
	memcpy(&data->arp_sha, mac, sizeof(*mac));
	memcpy(&data->arp_sip, r->target.byte, sizeof(data->arp_sip));
}

static int answer_nd(struct rte_mbuf *m, const struct dp_resolve *r, const struct mac *mac)
{
	static const struct rte_ether_addr to_all = {{0x33, 0x33, 0, 0, 0, 1}};
	uint16_t len_bytes = r->l3_off + ND_BYTES;
	bool probe = r->kind == DP_RESOLVE_PROBE;
	struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, struct rte_ether_hdr *);
	struct rte_ipv6_hdr *ip = rte_pktmbuf_mtod_offset(m, struct rte_ipv6_hdr *, r->l3_off);

	if (unlikely(len_bytes > m->data_len + rte_pktmbuf_tailroom(m)))
		return -ENOBUFS;
	m->data_len = m->pkt_len = len_bytes;
	eth->dst_addr = probe ? to_all : eth->src_addr;
	memcpy(&eth->src_addr, mac, sizeof(*mac));
	memcpy(ip->dst_addr, probe ? all_nodes : r->sender.byte, sizeof(ip->dst_addr));
	memcpy(ip->src_addr, r->target.byte, sizeof(ip->src_addr));
	put_nd(ip, DP_ICMP6_ADVERTISE, ND_OVERRIDE | (probe ? 0 : ND_SOLICITED), &r->target, mac);
	return 0;
}

int dp_resolve_answer(struct rte_mbuf *m, const struct dp_resolve *r, const struct mac *mac)
{
	if (r->target.family == 6)
		return answer_nd(m, r, mac);
	answer_arp(m, r, mac);
	return 0;
}

static void ask_arp(struct rte_ether_hdr *eth, const struct mac *own_mac,
	const struct ip_addr *own_ip, const struct ip_addr *target)
{
	struct rte_arp_hdr *arp = (struct rte_arp_hdr *)(eth + 1);

	eth->ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_ARP);
	*arp = (struct rte_arp_hdr){
		.arp_hardware = rte_cpu_to_be_16(RTE_ARP_HRD_ETHER),
		.arp_protocol = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4),
		.arp_hlen = RTE_ETHER_ADDR_LEN,
		.arp_plen = sizeof(arp->arp_data.arp_sip),
		.arp_opcode = rte_cpu_to_be_16(RTE_ARP_OP_REQUEST),
	};
	memcpy(&arp->arp_data.arp_sha, own_mac, sizeof(*own_mac));
	memcpy(&arp->arp_data.arp_sip, own_ip->byte, sizeof(arp->arp_data.arp_sip));
	memcpy(&arp->arp_data.arp_tip, target->byte, sizeof(arp->arp_data.arp_tip));
}

// A multicast solicitation goes to the last three bytes' group (RFC 4291, 2.7.1; RFC 2464, 7).
static void ask_nd(struct rte_ether_hdr *eth, const struct mac *own_mac,
	const struct ip_addr *own_ip, const struct ip_addr *target, bool to_all)
{
	struct rte_ipv6_hdr *ip = (struct rte_ipv6_hdr *)(eth + 1);

	eth->ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV6);
	memcpy(ip->src_addr, own_ip->byte, sizeof(ip->src_addr));
	memcpy(ip->dst_addr, target->byte, sizeof(ip->dst_addr));
	if (to_all) {
		memcpy(ip->dst_addr, solicited_node, sizeof(solicited_node));
		eth->dst_addr = (struct rte_ether_addr){{0x33, 0x33, 0xff}};
		memcpy(eth->dst_addr.addr_bytes + 3, target->byte + sizeof(solicited_node), 3);
	}
	put_nd(ip, DP_ICMP6_SOLICIT, 0, target, own_mac);
}

int dp_resolve_ask(struct rte_mbuf *m, const struct mac *own_mac, const struct ip_addr *own_ip,
	const struct ip_addr *target, const struct mac *to)
{
	bool v6 = target->family == 6;
	uint16_t len_bytes = v6 ? RTE_ETHER_HDR_LEN + ND_BYTES : FRAME_MIN;
	struct rte_ether_hdr *eth = (struct rte_ether_hdr *)rte_pktmbuf_append(m, len_bytes);

	if (unlikely(!eth))
		return -ENOBUFS;
	memset(eth, 0, len_bytes);
	if (to)
		memcpy(&eth->dst_addr, to, sizeof(*to));
	else
		memset(&eth->dst_addr, 0xff, sizeof(eth->dst_addr));
	memcpy(&eth->src_addr, own_mac, sizeof(*own_mac));
	if (v6)
		ask_nd(eth, own_mac, own_ip, target, !to);
	else
		ask_arp(eth, own_mac, own_ip, target);
	return 0;
}

int dp_resolve_announce(struct rte_mbuf *m, const struct mac *mac, const struct ip_addr *ip)
{
	const struct dp_resolve probe = {
		.kind = DP_RESOLVE_PROBE, .l3_off = RTE_ETHER_HDR_LEN, .target = *ip};
	int ret = dp_resolve_ask(m, mac, ip, ip, NULL);

	// An ARP request for the sender's own address is an announcement; in neighbour discovery,
	// the answer to a probe is.
	return ret < 0 || ip->family == 4 ? ret : dp_resolve_answer(m, &probe, mac);
}
