// SPDX-License-Identifier: BSD-3-Clause
#include "dp/gate.h"

#include <string.h>

#include <rte_arp.h>
#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_ip.h>

#include "base/bytes.h"
#include "dp/icmp.h"
#include "dp/read.h"

#define TYPE_OFF (2 * RTE_ETHER_ADDR_LEN)
#define DNS_PORT 53
#define ND_HOPS	 255 // RFC 4861, 7.1

enum { ICMP_ECHO_REPLY = 0, ICMP_ECHO_REQUEST = 8 };

static bool is_dns(const struct rte_mbuf *m, uint32_t off, uint8_t proto)
{
	rte_be16_t ports[2];

	return (proto == IPPROTO_UDP || proto == IPPROTO_TCP) &&
	       dp_read(m, off, sizeof(ports), ports) && ports[1] == rte_cpu_to_be_16(DNS_PORT);
}

static bool passes_arp(const struct dp_guard *own, const struct rte_mbuf *m)
{
	struct rte_arp_hdr arp;

	return dp_read(m, RTE_ETHER_HDR_LEN, sizeof(arp), &arp) &&
	       arp.arp_protocol == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4) &&
	       dp_guard_has_ip4(own, arp.arp_data.arp_tip);
}

// A fragment is none of what passes: it may hide the rest.
static bool passes_ip4(const struct dp_guard *own, const struct rte_mbuf *m)
{
	const uint32_t off = RTE_ETHER_HDR_LEN + sizeof(struct rte_ipv4_hdr);
	struct rte_ipv4_hdr ip;
	uint8_t type;

	if (!dp_read(m, RTE_ETHER_HDR_LEN, sizeof(ip), &ip) || ip.version_ihl != DP_IP4_PLAIN ||
		ip.fragment_offset & ~rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG) ||
		!dp_guard_has_ip4(own, ip.dst_addr))
		return false;
	if (ip.next_proto_id == IPPROTO_ICMP)
		return dp_read(m, off, 1, &type) &&
		       (type == ICMP_ECHO_REQUEST || type == ICMP_ECHO_REPLY);
	return is_dns(m, off, ip.next_proto_id);
}

// Of those that ask for `target` (RFC 4291, 2.7.1).
static bool is_group_of(const uint8_t *group, const uint8_t *target)
{
	static const uint8_t start[] = {0xff, 2, [11] = 1, 0xff};

	return !memcmp(group, start, sizeof(start)) &&
	       !memcmp(group + sizeof(start), target + sizeof(start), 16 - sizeof(start));
}

// To the gateway itself: what only asks for it could be to another host, and be routed there.
static bool passes_nd(const struct dp_guard *own, const struct rte_mbuf *m, uint32_t off,
	const struct rte_ipv6_hdr *ip, uint8_t type)
{
	uint8_t target[16];
	bool is_to_own = dp_guard_has_ip6(own, ip->dst_addr);

	if (ip->hop_limits != ND_HOPS)
		return false;
	if (type == DP_ICMP6_ADVERTISE)
		return is_to_own;
	return type == DP_ICMP6_SOLICIT && dp_read(m, off + 8, sizeof(target), target) &&
	       dp_guard_has_ip6(own, target) && (is_to_own || is_group_of(ip->dst_addr, target));
}

static bool passes_ip6(const struct dp_guard *own, const struct rte_mbuf *m)
{
	const uint32_t off = RTE_ETHER_HDR_LEN + sizeof(struct rte_ipv6_hdr);
	struct rte_ipv6_hdr ip;
	uint8_t type;

	if (!dp_read(m, RTE_ETHER_HDR_LEN, sizeof(ip), &ip))
		return false;
	if (ip.proto != IPPROTO_ICMPV6)
		return dp_guard_has_ip6(own, ip.dst_addr) && is_dns(m, off, ip.proto);
	if (!dp_read(m, off, 1, &type))
		return false;
	if (type == DP_ICMP6_ECHO_REQUEST || type == DP_ICMP6_ECHO_REPLY)
		return dp_guard_has_ip6(own, ip.dst_addr);
	return passes_nd(own, m, off, &ip, type);
}

// To its MAC, or to a group as questions for addresses are. Tagged frames are for no gateway.
static bool passes(const struct dp_guard *own, const struct rte_mbuf *m)
{
	uint8_t eth[RTE_ETHER_HDR_LEN];

	if (!dp_read(m, 0, sizeof(eth), eth))
		return false;
	if (!(eth[0] & 1) && memcmp(eth, &own->mac, RTE_ETHER_ADDR_LEN) != 0)
		return false;
	switch (rte_be_to_cpu_16(load16(eth + TYPE_OFF))) {
	case RTE_ETHER_TYPE_ARP:
		return passes_arp(own, m);
	case RTE_ETHER_TYPE_IPV4:
		return !(eth[0] & 1) && passes_ip4(own, m);
	case RTE_ETHER_TYPE_IPV6:
		return passes_ip6(own, m);
	default:
		return false;
	}
}

static bool is_ip6_from(const struct dp_ips *peers, const struct rte_mbuf *m)
{
	static const uint8_t unspecified[16];
	struct rte_ipv6_hdr ip;
	uint8_t type;

	if (!dp_read(m, RTE_ETHER_HDR_LEN, sizeof(ip), &ip))
		return false;
	if (!memcmp(ip.src_addr, unspecified, sizeof(unspecified)))
		return ip.proto == IPPROTO_ICMPV6 &&
		       dp_read(m, RTE_ETHER_HDR_LEN + sizeof(ip), 1, &type) &&
		       type == DP_ICMP6_SOLICIT;
	return (ip.src_addr[0] == 0xfe && (ip.src_addr[1] & 0xc0) == 0x80) ||
	       dp_ips_has_ip6(peers, ip.src_addr);
}

// Of what passes.
static bool is_from(const struct dp_ips *peers, const struct rte_mbuf *m)
{
	struct rte_arp_hdr arp;
	struct rte_ipv4_hdr ip;
	rte_be16_t type;

	if (!peers)
		return true;
	if (!dp_read(m, TYPE_OFF, sizeof(type), &type))
		return false;
	switch (rte_be_to_cpu_16(type)) {
	case RTE_ETHER_TYPE_ARP:
		return dp_read(m, RTE_ETHER_HDR_LEN, sizeof(arp), &arp) &&
		       (!arp.arp_data.arp_sip || dp_ips_has_ip4(peers, arp.arp_data.arp_sip));
	case RTE_ETHER_TYPE_IPV4:
		return dp_read(m, RTE_ETHER_HDR_LEN, sizeof(ip), &ip) &&
		       dp_ips_has_ip4(peers, ip.src_addr);
	default:
		return is_ip6_from(peers, m);
	}
}

uint16_t dp_gate(const struct dp_guard *own, const struct dp_ips *peers, struct rte_mbuf **pkts,
	uint16_t n, struct dp_site *at)
{
	uint16_t left = 0;

	for (uint16_t i = 0; i < n; i++) {
		if (!passes(own, pkts[i]))
			dp_drop(at, DP_DROP_GATEWAY, pkts[i]);
		else if (!is_from(peers, pkts[i]))
			dp_drop(at, DP_DROP_GATEWAY_SOURCE, pkts[i]);
		else
			pkts[left++] = pkts[i];
	}
	return left;
}
