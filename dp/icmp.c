// SPDX-License-Identifier: BSD-3-Clause
#include "dp/icmp.h"

#include <string.h>

#include <rte_ether.h>
#include <rte_icmp.h>

#include "base/limits.h"
#include "dp/read.h"

#define HOP_LIMIT	     64
#define IP4_ERROR_MAX_BYTES  576 // RFC 1812, 4.3.2.3
#define EXTENSIONS_MAX	     8
#define IP4_ICMP_UNREACHABLE 3
#define IP4_FRAGMENT_NEEDED  4 // code of "destination unreachable"

// An ICMP or ICMPv6 "too big" message, which the quoted packet follows.
struct too_big {
	uint8_t type, code;
	rte_be16_t checksum;
	rte_be32_t mtu; // ICMP: its upper half is unused
} __rte_packed;

// Neither group nor broadcast, nor "this network".
static bool is_host_ip4(rte_be32_t address)
{
	uint8_t first = rte_be_to_cpu_32(address) >> 24;

	return first && first < 0xe0;
}

static bool is_host_ip6(const uint8_t *address)
{
	static const uint8_t any[16];

	return address[0] != 0xff && memcmp(address, any, sizeof(any));
}

static void swap_macs(struct rte_ether_hdr *eth)
{
	struct rte_ether_addr mac = eth->dst_addr;

	eth->dst_addr = eth->src_addr;
	eth->src_addr = mac;
}

// ---- echo ----

// RFC 1624, equation 3.
static rte_be16_t checksum_after(rte_be16_t checksum, rte_be16_t before, rte_be16_t after)
{
	return ~dp_sum_fold(
		(uint64_t)(uint16_t)~checksum + (uint16_t)~before + (uint64_t)(uint16_t)after);
}

// Whether both headers are in the packet's first buffer.
static bool has_headers(const struct rte_mbuf *m, uint16_t l3_off, uint16_t ip_bytes)
{
	return m->data_len >= l3_off + ip_bytes + sizeof(struct rte_icmp_hdr);
}

static bool is_echo4(const struct rte_mbuf *m, uint16_t l3_off, const struct rte_ipv4_hdr *ip)
{
	const struct rte_icmp_hdr *icmp = (const struct rte_icmp_hdr *)(ip + 1);
	uint16_t l3_bytes;

	if (!has_headers(m, l3_off, sizeof(*ip)))
		return false;
	l3_bytes = rte_be_to_cpu_16(ip->total_length);
	return ip->version_ihl == DP_IP4_PLAIN && ip->next_proto_id == IPPROTO_ICMP &&
	       icmp->icmp_type == RTE_IP_ICMP_ECHO_REQUEST && !icmp->icmp_code &&
	       is_host_ip4(ip->src_addr) && is_host_ip4(ip->dst_addr) &&
	       !(ip->fragment_offset &
		       rte_cpu_to_be_16(RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK)) &&
	       l3_bytes >= sizeof(*ip) + sizeof(*icmp) && l3_bytes <= m->pkt_len - l3_off &&
	       dp_sum(ip, sizeof(*ip)) == 0xffff &&
	       dp_sum_mbuf(m, l3_off + sizeof(*ip), l3_bytes - sizeof(*ip)) == 0xffff;
}

static bool echo4(struct rte_mbuf *m, uint16_t l3_off)
{
	struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, l3_off);
	struct rte_icmp_hdr *icmp = (struct rte_icmp_hdr *)(ip + 1);
	rte_be32_t src;

	if (!is_echo4(m, l3_off, ip))
		return false;
	src = ip->src_addr;
	ip->src_addr = ip->dst_addr;
	ip->dst_addr = src;
	ip->time_to_live = HOP_LIMIT;
	ip->hdr_checksum = 0;
	ip->hdr_checksum = ~dp_sum(ip, sizeof(*ip));
	icmp->icmp_type = RTE_IP_ICMP_ECHO_REPLY;
	icmp->icmp_cksum =
		checksum_after(icmp->icmp_cksum, rte_cpu_to_be_16(RTE_IP_ICMP_ECHO_REQUEST << 8),
			rte_cpu_to_be_16(RTE_IP_ICMP_ECHO_REPLY << 8));
	return true;
}

static bool is_echo6(const struct rte_mbuf *m, uint16_t l3_off, const struct rte_ipv6_hdr *ip)
{
	const struct rte_icmp_hdr *icmp = (const struct rte_icmp_hdr *)(ip + 1);
	uint16_t l4_bytes;

	if (!has_headers(m, l3_off, sizeof(*ip)))
		return false;
	l4_bytes = rte_be_to_cpu_16(ip->payload_len);
	return *(const uint8_t *)ip >> 4 == 6 && ip->proto == IPPROTO_ICMPV6 &&
	       icmp->icmp_type == DP_ICMP6_ECHO_REQUEST && !icmp->icmp_code &&
	       is_host_ip6(ip->src_addr) && is_host_ip6(ip->dst_addr) &&
	       l4_bytes >= sizeof(*icmp) && l4_bytes + sizeof(*ip) <= m->pkt_len - l3_off &&
	       dp_sum_fold(dp_icmp6_pseudo_sum(ip, l4_bytes) +
			   dp_sum_mbuf(m, l3_off + sizeof(*ip), l4_bytes)) == 0xffff;
}

static bool echo6(struct rte_mbuf *m, uint16_t l3_off)
{
	struct rte_ipv6_hdr *ip = rte_pktmbuf_mtod_offset(m, struct rte_ipv6_hdr *, l3_off);
	struct rte_icmp_hdr *icmp = (struct rte_icmp_hdr *)(ip + 1);
	uint8_t src[16];

	if (!is_echo6(m, l3_off, ip))
		return false;
	memcpy(src, ip->src_addr, sizeof(src));
	memcpy(ip->src_addr, ip->dst_addr, sizeof(src));
	memcpy(ip->dst_addr, src, sizeof(src));
	ip->hop_limits = HOP_LIMIT;
	icmp->icmp_type = DP_ICMP6_ECHO_REPLY;
	icmp->icmp_cksum =
		checksum_after(icmp->icmp_cksum, rte_cpu_to_be_16(DP_ICMP6_ECHO_REQUEST << 8),
			rte_cpu_to_be_16(DP_ICMP6_ECHO_REPLY << 8));
	return true;
}

static rte_be16_t ether_type(const struct rte_mbuf *m, uint16_t l3_off)
{
	rte_be16_t type;

	memcpy(&type, rte_pktmbuf_mtod_offset(m, const char *, l3_off - sizeof(type)),
		sizeof(type));
	return type;
}

bool dp_icmp_echo(struct rte_mbuf *m, uint16_t l3_off)
{
	struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, struct rte_ether_hdr *);
	bool done = false;

	if (m->data_len < l3_off || rte_is_multicast_ether_addr(&eth->src_addr))
		return false;
	if (ether_type(m, l3_off) == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4))
		done = echo4(m, l3_off);
	else if (ether_type(m, l3_off) == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV6))
		done = echo6(m, l3_off);
	if (done)
		swap_macs(eth);
	return done;
}

// ---- too big ----

// ICMP errors, about which no error may be sent (RFC 1812, 4.3.2.7).
static bool is_icmp_error(uint8_t type)
{
	switch (type) {
	case IP4_ICMP_UNREACHABLE:
	case 4:	 // source quench
	case 5:	 // redirect
	case 11: // time exceeded
	case 12: // parameter problem
		return true;
	default:
		return false;
	}
}

// Whether an ICMP error may be sent about the IPv4 packet, and "too big" makes sense for it.
static bool may_tell4(const struct rte_mbuf *m, uint16_t l3_off, const struct rte_ipv4_hdr *ip)
{
	uint8_t header_bytes = rte_ipv4_hdr_len(ip), copy;
	const uint8_t *type;

	if (ip->version_ihl >> 4 != 4 || header_bytes < sizeof(*ip) ||
		rte_be_to_cpu_16(ip->total_length) < header_bytes ||
		!(ip->fragment_offset & rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG)) ||
		ip->fragment_offset & rte_cpu_to_be_16(RTE_IPV4_HDR_OFFSET_MASK) ||
		!is_host_ip4(ip->src_addr) || !is_host_ip4(ip->dst_addr))
		return false;
	type = rte_pktmbuf_read(m, l3_off + header_bytes, 1, &copy);
	return type && (ip->next_proto_id != IPPROTO_ICMP || !is_icmp_error(*type));
}

// Whether an ICMPv6 error may be sent about the packet (RFC 4443, 2.4 e).
static bool may_tell6(const struct rte_mbuf *m, uint16_t l3_off, const struct rte_ipv6_hdr *ip)
{
	uint32_t off = l3_off + sizeof(*ip);
	uint8_t next = ip->proto, copy[8];

	if (*(const uint8_t *)ip >> 4 != 6 || !is_host_ip6(ip->src_addr) ||
		!is_host_ip6(ip->dst_addr))
		return false;
	for (unsigned i = 0; i < EXTENSIONS_MAX; i++) {
		const uint8_t *p = rte_pktmbuf_read(m, off, sizeof(copy), copy);

		if (!p)
			return false;
		switch (next) {
		case IPPROTO_ICMPV6:
			return p[0] >= DP_ICMP6_INFORMATIONAL && p[0] != DP_ICMP6_REDIRECT;
		case IPPROTO_FRAGMENT:
			if ((p[2] << 8 | p[3]) & 0xfff8)
				return true; // it is unknown what it is a part of
			off += sizeof(copy);
			break;
		case IPPROTO_HOPOPTS:
		case IPPROTO_ROUTING:
		case IPPROTO_DSTOPTS:
			off += (p[1] + 1) * 8;
			break;
		default:
			return true;
		}
		next = p[0];
	}
	return false;
}

// A new packet with the Ethernet header of `m`, swapped, room for `header_bytes`, then the first
// `quoted_bytes` of the IP packet.
static struct rte_mbuf *quote(const struct rte_mbuf *m, uint16_t l3_off, uint16_t header_bytes,
	uint16_t quoted_bytes, struct rte_mempool *pool)
{
	struct rte_mbuf *out = rte_pktmbuf_alloc(pool);
	const void *from;
	char *to;

	if (unlikely(!out))
		return NULL;
	to = rte_pktmbuf_append(out, l3_off + header_bytes + quoted_bytes);
	if (unlikely(!to)) {
		rte_pktmbuf_free(out);
		return NULL;
	}
	memcpy(to, rte_pktmbuf_mtod(m, const void *), l3_off);
	swap_macs((struct rte_ether_hdr *)to);
	memset(to + l3_off, 0, header_bytes);
	to += l3_off + header_bytes;
	from = rte_pktmbuf_read(m, l3_off, quoted_bytes, to);
	if (from != to)
		memcpy(to, from, quoted_bytes);
	return out;
}

static struct rte_mbuf *too_big4(const struct rte_mbuf *m, uint16_t l3_off,
	const struct rte_ipv4_hdr *old, uint16_t mtu, struct rte_mempool *pool)
{
	const uint16_t header_bytes = sizeof(struct rte_ipv4_hdr) + sizeof(struct too_big);
	uint32_t quoted_bytes = RTE_MIN(rte_be_to_cpu_16(old->total_length), m->pkt_len - l3_off);
	struct rte_mbuf *out;
	struct rte_ipv4_hdr *ip;
	struct too_big *msg;

	quoted_bytes = RTE_MIN(quoted_bytes, IP4_ERROR_MAX_BYTES - header_bytes);
	out = quote(m, l3_off, header_bytes, quoted_bytes, pool);
	if (unlikely(!out))
		return NULL;
	ip = rte_pktmbuf_mtod_offset(out, struct rte_ipv4_hdr *, l3_off);
	msg = (struct too_big *)(ip + 1);
	ip->version_ihl = DP_IP4_PLAIN;
	ip->total_length = rte_cpu_to_be_16(header_bytes + quoted_bytes);
	ip->fragment_offset = rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG);
	ip->time_to_live = HOP_LIMIT;
	ip->next_proto_id = IPPROTO_ICMP;
	ip->src_addr = old->dst_addr;
	ip->dst_addr = old->src_addr;
	ip->hdr_checksum = ~dp_sum(ip, sizeof(*ip));
	msg->type = IP4_ICMP_UNREACHABLE;
	msg->code = IP4_FRAGMENT_NEEDED;
	msg->mtu = rte_cpu_to_be_32(mtu);
	msg->checksum = ~dp_sum(msg, sizeof(*msg) + quoted_bytes);
	return out;
}

static struct rte_mbuf *too_big6(const struct rte_mbuf *m, uint16_t l3_off,
	const struct rte_ipv6_hdr *old, uint16_t mtu, struct rte_mempool *pool)
{
	const uint16_t header_bytes = sizeof(struct rte_ipv6_hdr) + sizeof(struct too_big);
	uint32_t quoted_bytes =
		RTE_MIN(sizeof(*old) + rte_be_to_cpu_16(old->payload_len), m->pkt_len - l3_off);
	uint16_t l4_bytes;
	struct rte_mbuf *out;
	struct rte_ipv6_hdr *ip;
	struct too_big *msg;

	quoted_bytes = RTE_MIN(quoted_bytes, MTU_MIN_IPV6 - header_bytes);
	out = quote(m, l3_off, header_bytes, quoted_bytes, pool);
	if (unlikely(!out))
		return NULL;
	l4_bytes = sizeof(*msg) + quoted_bytes;
	ip = rte_pktmbuf_mtod_offset(out, struct rte_ipv6_hdr *, l3_off);
	msg = (struct too_big *)(ip + 1);
	ip->vtc_flow = rte_cpu_to_be_32(6u << 28);
	ip->payload_len = rte_cpu_to_be_16(l4_bytes);
	ip->proto = IPPROTO_ICMPV6;
	ip->hop_limits = HOP_LIMIT;
	memcpy(ip->src_addr, old->dst_addr, sizeof(ip->src_addr));
	memcpy(ip->dst_addr, old->src_addr, sizeof(ip->dst_addr));
	msg->type = DP_ICMP6_TOO_BIG;
	msg->mtu = rte_cpu_to_be_32(mtu);
	msg->checksum = ~dp_sum_fold(dp_icmp6_pseudo_sum(ip, l4_bytes) + dp_sum(msg, l4_bytes));
	return out;
}

struct rte_mbuf *dp_icmp_too_big(
	const struct rte_mbuf *m, uint16_t l3_off, uint16_t mtu, struct rte_mempool *pool)
{
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
	struct rte_ipv6_hdr ip6;
	struct rte_ipv4_hdr ip4;
	const void *ip;

	if (m->data_len < l3_off || rte_is_multicast_ether_addr(&eth->dst_addr) ||
		rte_is_multicast_ether_addr(&eth->src_addr))
		return NULL;
	if (ether_type(m, l3_off) == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4)) {
		ip = rte_pktmbuf_read(m, l3_off, sizeof(ip4), &ip4);
		if (mtu >= MTU_MIN && ip && may_tell4(m, l3_off, ip))
			return too_big4(m, l3_off, ip, mtu, pool);
	} else if (ether_type(m, l3_off) == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV6)) {
		ip = rte_pktmbuf_read(m, l3_off, sizeof(ip6), &ip6);
		if (mtu >= MTU_MIN_IPV6 && ip && may_tell6(m, l3_off, ip))
			return too_big6(m, l3_off, ip, mtu, pool);
	}
	return NULL;
}
