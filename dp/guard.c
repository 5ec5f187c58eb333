// SPDX-License-Identifier: BSD-3-Clause
// Stage guard: drops what a port may not send, by its source or by its role (guard.h). Runs for
// ports with a guard.
//
// Most batches come from one address and are of one protocol. The differences from the first frame
// tell; then one look into the list is enough for all. Otherwise each packet is looked at.
#include "dp/guard.h"

#include <string.h>

#include <rte_arp.h>

#include "base/bytes.h"
#include "dp/icmp.h"
#include "dp/pipeline.h"
#include "dp/read.h"

#define TAGS_MAX       4 // before the header, and more is a trick
#define HEADERS_MAX    8 // of IPv6 before that of ICMPv6; the same
#define ND_UNIT_BYTES  8 // of the length of an option or header
#define TYPE_OFF       (2 * RTE_ETHER_ADDR_LEN)
#define IP4_SOURCE_OFF offsetof(struct rte_ipv4_hdr, src_addr)
#define IP6_SOURCE_OFF offsetof(struct rte_ipv6_hdr, src_addr)

enum { ND_SOURCE_MAC = 1, ND_TARGET_MAC = 2 }; // options
enum { DHCP_SERVER = 67, DHCP_CLIENT = 68, DHCP6_CLIENT = 546 };
enum { ICMP_REDIRECT = 5, ICMP_ROUTER_ADVERTISE = 9 };

// ---- the list ----

static void make_mask(unsigned prefix, void *mask, unsigned len_bytes)
{
	uint8_t *byte = mask;

	for (unsigned i = 0; i < len_bytes; i++, prefix -= RTE_MIN(prefix, 8u))
		byte[i] = prefix < 8 ? 0xff00 >> prefix : 0xff;
}

static void add_ip4(struct dp_ips *ips, const uint8_t *byte, unsigned prefix)
{
	struct dp_guard_ip4 *e = &ips->ip4[ips->nb_ip4++];

	make_mask(prefix, &e->mask, sizeof(e->mask));
	memcpy(&e->net, byte, sizeof(e->net));
	e->net &= e->mask;
}

static void add_ip6(struct dp_ips *ips, const uint8_t *byte, unsigned prefix)
{
	struct dp_guard_ip6 *e = &ips->ip6[ips->nb_ip6++];

	make_mask(prefix, e->mask, sizeof(e->mask));
	memcpy(e->net, byte, sizeof(e->net));
	e->net[0] &= e->mask[0];
	e->net[1] &= e->mask[1];
}

void dp_guard_init(struct dp_guard *g, const struct mac *mac)
{
	const uint8_t *m = mac->byte;
	const uint8_t link_local[16] = {
		0xfe, 0x80, [8] = m[0] ^ 2, m[1], m[2], 0xff, 0xfe, m[3], m[4], m[5]};

	*g = (struct dp_guard){.any_ip = true, .router = true, .dhcp_server = true};
	memcpy(&g->mac, m, sizeof(*mac));
	add_ip6(&g->ips, link_local, 128);
}

void dp_ips_add(struct dp_ips *ips, const struct ip_addr *ip, unsigned prefix)
{
	if (ip->family == 6)
		add_ip6(ips, ip->byte, prefix);
	else
		add_ip4(ips, ip->byte, prefix);
}

void dp_guard_allow(struct dp_guard *g, const struct ip_addr *ip, unsigned prefix)
{
	g->any_ip = false;
	dp_ips_add(&g->ips, ip, prefix);
}

static bool is_own_mac(const struct dp_guard *g, const void *at)
{
	return !memcmp(at, &g->mac, RTE_ETHER_ADDR_LEN);
}

// ---- one packet: each returns a drop reason, or -1 when it may go on ----

// To all, from port 68 to 67, and whole.
static bool is_dhcp_client(const struct rte_mbuf *m, uint32_t off, const struct rte_ipv4_hdr *ip)
{
	const rte_be16_t want[2] = {rte_cpu_to_be_16(DHCP_CLIENT), rte_cpu_to_be_16(DHCP_SERVER)};
	rte_be16_t ports[2];

	return ip->dst_addr == UINT32_MAX && ip->next_proto_id == IPPROTO_UDP &&
	       !(ip->fragment_offset & ~rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG)) &&
	       dp_read(m, off + rte_ipv4_hdr_len(ip), sizeof(ports), ports) &&
	       !memcmp(ports, want, sizeof(want));
}

// Whether the UDP message that begins at `off` is to the port; one that is cut short is to none.
static bool is_to_port(const struct rte_mbuf *m, uint32_t off, uint16_t port)
{
	rte_be16_t ports[2];

	return dp_read(m, off, sizeof(ports), ports) && ports[1] == rte_cpu_to_be_16(port);
}

// A fragment but the first has no header of its own.
static int check_roles4(const struct dp_guard *g, const struct rte_mbuf *m, uint32_t off,
	const struct rte_ipv4_hdr *ip)
{
	uint8_t type;

	if (ip->fragment_offset & rte_cpu_to_be_16(RTE_IPV4_HDR_OFFSET_MASK))
		return -1;
	off += rte_ipv4_hdr_len(ip);
	if (ip->next_proto_id == IPPROTO_UDP && !g->dhcp_server)
		return is_to_port(m, off, DHCP_CLIENT) ? DP_DROP_ROGUE_DHCP : -1;
	if (ip->next_proto_id != IPPROTO_ICMP || g->router)
		return -1;
	return dp_read(m, off, 1, &type) && (type == ICMP_REDIRECT || type == ICMP_ROUTER_ADVERTISE)
		       ? DP_DROP_ROGUE_ROUTER
		       : -1;
}

static int check_ip4(const struct dp_guard *g, const struct rte_mbuf *m, uint32_t off)
{
	struct rte_ipv4_hdr ip;

	if (!dp_read(m, off, sizeof(ip), &ip))
		return DP_DROP_SPOOFED_IP;
	if (!g->any_source && !dp_guard_has_ip4(g, ip.src_addr) &&
		(ip.src_addr || !is_dhcp_client(m, off, &ip)))
		return DP_DROP_SPOOFED_IP;
	return check_roles4(g, m, off, &ip);
}

static int check_arp(const struct dp_guard *g, const struct rte_mbuf *m, uint32_t off)
{
	struct rte_arp_hdr arp;

	if (g->any_source)
		return -1;
	if (!dp_read(m, off, sizeof(arp), &arp) ||
		arp.arp_hardware != rte_cpu_to_be_16(RTE_ARP_HRD_ETHER) ||
		arp.arp_protocol != rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4) ||
		arp.arp_hlen != RTE_ETHER_ADDR_LEN ||
		arp.arp_plen != sizeof(arp.arp_data.arp_sip) ||
		!is_own_mac(g, &arp.arp_data.arp_sha))
		return DP_DROP_SPOOFED_ARP;
	if (!arp.arp_data.arp_sip && arp.arp_opcode == rte_cpu_to_be_16(RTE_ARP_OP_REQUEST))
		return -1;
	return dp_guard_has_ip4(g, arp.arp_data.arp_sip) ? -1 : DP_DROP_SPOOFED_ARP;
}

// What a message of neighbour discovery (RFC 4861, 4) says of MAC addresses.
static int check_options(const struct dp_guard *g, const struct rte_mbuf *m, uint32_t off,
	uint32_t end, uint8_t type)
{
	while (off < end) {
		uint8_t option[ND_UNIT_BYTES];

		if (!dp_read(m, off, sizeof(option), option) || !option[1] ||
			(option[0] == type && !is_own_mac(g, option + 2)))
			return DP_DROP_SPOOFED_ND;
		off += option[1] * ND_UNIT_BYTES;
	}
	return off == end ? -1 : DP_DROP_SPOOFED_ND;
}

static int check_target(const struct dp_guard *g, const struct rte_mbuf *m, uint32_t off)
{
	uint8_t target[16];

	return dp_read(m, off, sizeof(target), target) && dp_guard_has_ip6(g, target)
		       ? -1
		       : DP_DROP_SPOOFED_ND;
}

// `nobody`: the source is ::.
static int check_icmp6(
	const struct dp_guard *g, const struct rte_mbuf *m, uint32_t off, uint32_t end, bool nobody)
{
	int reason = -1;
	uint8_t type;

	if (!dp_read(m, off, 1, &type))
		return DP_DROP_SPOOFED_IP;
	if (!g->router && (type == DP_ICMP6_ROUTER_ADVERTISE || type == DP_ICMP6_REDIRECT))
		return DP_DROP_ROGUE_ROUTER;
	if (g->any_source)
		return -1;
	switch (type) {
	case DP_ICMP6_ROUTER_SOLICIT:
		return check_options(g, m, off + 8, end, ND_SOURCE_MAC);
	case DP_ICMP6_ROUTER_ADVERTISE:
		return nobody ? DP_DROP_SPOOFED_IP
			      : check_options(g, m, off + 16, end, ND_SOURCE_MAC);
	case DP_ICMP6_SOLICIT:
		if (nobody) // wants the target to be its own
			reason = check_target(g, m, off + 8);
		return reason >= 0 ? reason : check_options(g, m, off + 24, end, ND_SOURCE_MAC);
	case DP_ICMP6_ADVERTISE:
		reason = nobody ? DP_DROP_SPOOFED_IP : check_target(g, m, off + 8);
		return reason >= 0 ? reason : check_options(g, m, off + 24, end, ND_TARGET_MAC);
	case DP_ICMP6_MLD_REPORT:
	case DP_ICMP6_MLD_DONE:
	case DP_ICMP6_MLD2_REPORT:
		return -1;
	default:
		return nobody ? DP_DROP_SPOOFED_IP : -1;
	}
}

// Looks for the upper layer behind the headers that may come before it. Returns its offset and its
// protocol; -1 when this is the rest of a packet that began in another; 0 when there are too many
// headers, or not all of them are here. The headers of a first fragment end before `end`: what is
// behind that is in the frame, but not in the packet that is put together.
static int64_t find_upper(const struct rte_mbuf *m, uint32_t off, uint32_t end, uint8_t *proto)
{
	bool fragment = false;

	for (unsigned i = 0; i < HEADERS_MAX; i++) {
		uint8_t header[ND_UNIT_BYTES];

		if (fragment && off + ND_UNIT_BYTES > end)
			return 0;
		if (*proto != IPPROTO_HOPOPTS && *proto != IPPROTO_ROUTING &&
			*proto != IPPROTO_DSTOPTS && *proto != IPPROTO_FRAGMENT)
			return off;
		if (!dp_read(m, off, sizeof(header), header))
			return 0;
		if (*proto == IPPROTO_FRAGMENT) {
			if (header[2] || header[3] & 0xf8)
				return -1;
			fragment = true;
			off += ND_UNIT_BYTES;
		} else {
			off += (header[1] + 1) * ND_UNIT_BYTES;
		}
		*proto = header[0];
	}
	return 0;
}

static int check_ip6(const struct dp_guard *g, const struct rte_mbuf *m, uint32_t off)
{
	static const uint8_t unspecified[16];
	struct rte_ipv6_hdr ip;
	int64_t upper_off;
	uint32_t end;
	bool nobody;
	uint8_t proto;

	if (!dp_read(m, off, sizeof(ip), &ip))
		return DP_DROP_SPOOFED_IP;
	nobody = !memcmp(ip.src_addr, unspecified, sizeof(unspecified));
	if (!g->any_source && !nobody && !dp_guard_has_ip6(g, ip.src_addr))
		return DP_DROP_SPOOFED_IP;
	off += sizeof(ip);
	end = off + rte_be_to_cpu_16(ip.payload_len);
	proto = ip.proto;
	upper_off = find_upper(m, off, end, &proto);
	if (!upper_off)
		return DP_DROP_SPOOFED_ND;
	if (upper_off > 0 && proto == IPPROTO_ICMPV6)
		return check_icmp6(g, m, upper_off, end, nobody);
	if (upper_off > 0 && proto == IPPROTO_UDP && !g->dhcp_server &&
		is_to_port(m, upper_off, DHCP6_CLIENT))
		return DP_DROP_ROGUE_DHCP;
	return nobody && !g->any_source ? DP_DROP_SPOOFED_IP : -1;
}

static int check_one(const struct dp_guard *g, const struct rte_mbuf *m, uint64_t mac)
{
	uint32_t off = TYPE_OFF;

	if (!g->any_source && mac != g->mac)
		return DP_DROP_SPOOFED_MAC;
	for (unsigned tags = 0; tags <= TAGS_MAX; tags++) {
		rte_be16_t type;

		if (!dp_read(m, off, sizeof(type), &type)) // it ends in tags: nobody can read it
			return -1;
		off += sizeof(type);
		switch (rte_be_to_cpu_16(type)) {
		case RTE_ETHER_TYPE_VLAN:
		case RTE_ETHER_TYPE_QINQ:
			off += sizeof(uint16_t);
			continue;
		case RTE_ETHER_TYPE_IPV4:
			return check_ip4(g, m, off);
		case RTE_ETHER_TYPE_ARP:
			return check_arp(g, m, off);
		case RTE_ETHER_TYPE_IPV6:
			return check_ip6(g, m, off);
		default:
			return -1;
		}
	}
	return DP_DROP_SPOOFED_IP;
}

// ---- a batch ----

static bool all_from_mac(const struct dp_batch *b, uint64_t mac)
{
	uint64_t differ = 0;
	uint16_t n = b->one_pair ? 1 : b->n;

	for (uint16_t i = 0; i < n; i++)
		differ |= b->src[i] ^ mac;
	return !(differ & FDB_MAC_MASK);
}

// Whether no UDP message of the batch is to the port; `off` is where their UDP headers are.
static bool none_to_port(const struct dp_batch *b, uint32_t off, uint16_t port)
{
	const rte_be16_t to = rte_cpu_to_be_16(port);
	unsigned found = 0;

	if (b->shortest_bytes < off + 2 * sizeof(to))
		return false;
	for (uint16_t i = 0; i < b->n; i++)
		found |= load16(rte_pktmbuf_mtod_offset(b->pkt[i], uint8_t *, off + sizeof(to))) ==
			 to;
	return !found;
}

// Whether all are IPv4, of one protocol and from the address of the first; `off` is where their IP
// headers are.
static bool all_ip4(const struct dp_batch *b, uint32_t off, const uint8_t *first, bool any_source)
{
	const uint32_t want = load32(first - 2);  // type, version and length
	const uint64_t want2 = load64(first + 8); // time to live, protocol, checksum, source
	uint32_t differ = 0;
	uint64_t differ2 = 0;

	for (uint16_t i = 0; i < b->n; i++) {
		const uint8_t *l3 = rte_pktmbuf_mtod_offset(b->pkt[i], uint8_t *, off);

		differ |= load32(l3 - 2) ^ want;
		differ2 |= load64(l3 + 8) ^ want2;
	}
	return !(differ & 0xffffff) && !(differ2 & (any_source ? 0xff00 : 0xffffffff0000ff00));
}

static bool all_ip4_pass(const struct dp_batch *b, const struct dp_guard *g, uint32_t off)
{
	const uint8_t *first = rte_pktmbuf_mtod_offset(b->pkt[0], uint8_t *, off);
	uint8_t proto = first[offsetof(struct rte_ipv4_hdr, next_proto_id)];

	if ((!g->any_source && !dp_guard_has_ip4(g, load32(first + IP4_SOURCE_OFF))) ||
		!all_ip4(b, off, first, g->any_source))
		return false;
	if (proto == IPPROTO_UDP && !g->dhcp_server)
		return first[0] == DP_IP4_PLAIN &&
		       none_to_port(b, off + sizeof(struct rte_ipv4_hdr), DHCP_CLIENT);
	return proto != IPPROTO_ICMP || g->router;
}

// The same of IPv6.
static bool all_ip6(const struct dp_batch *b, uint32_t off, const uint8_t *first, bool any_source)
{
	uint64_t ip[2] = {load64(first + IP6_SOURCE_OFF), load64(first + IP6_SOURCE_OFF + 8)};
	uint64_t differ = 0, from = 0;

	for (uint16_t i = 0; i < b->n; i++) {
		const uint8_t *l3 = rte_pktmbuf_mtod_offset(b->pkt[i], uint8_t *, off);

		from |= load64(l3 + IP6_SOURCE_OFF) ^ ip[0];
		from |= load64(l3 + IP6_SOURCE_OFF + 8) ^ ip[1];
		differ |= load16(l3 - 2) ^ rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV6);
		differ |= l3[offsetof(struct rte_ipv6_hdr, proto)] ^
			  first[offsetof(struct rte_ipv6_hdr, proto)];
	}
	return !differ && (any_source || !from);
}

static bool all_ip6_pass(const struct dp_batch *b, const struct dp_guard *g, uint32_t off)
{
	const uint8_t *first = rte_pktmbuf_mtod_offset(b->pkt[0], uint8_t *, off);
	uint8_t proto = first[offsetof(struct rte_ipv6_hdr, proto)];

	if ((!g->any_source && !dp_guard_has_ip6(g, first + IP6_SOURCE_OFF)) ||
		!all_ip6(b, off, first, g->any_source))
		return false;
	if (proto == IPPROTO_UDP && !g->dhcp_server)
		return none_to_port(b, off + sizeof(struct rte_ipv6_hdr), DHCP6_CLIENT);
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP;
}

// Whether all frames are of one address, which is allowed, and of one protocol that says no other
// and plays no role that the port may not play.
static bool all_pass(const struct dp_batch *b, const struct dp_guard *g)
{
	uint32_t off = RTE_ETHER_HDR_LEN + (b->tagged ? DP_VLAN_TAG_BYTES : 0);
	rte_be16_t type;

	if (!b->alike || (!g->any_source && !all_from_mac(b, g->mac)) ||
		b->shortest_bytes < off + sizeof(struct rte_ipv4_hdr))
		return false;
	type = load16(rte_pktmbuf_mtod_offset(b->pkt[0], uint8_t *, off) - 2);
	if (likely(type == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4)))
		return all_ip4_pass(b, g, off);
	return type == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV6) &&
	       b->shortest_bytes >= off + sizeof(struct rte_ipv6_hdr) && all_ip6_pass(b, g, off);
}

void dp_stage_guard(struct dp_context *ctx, struct dp_batch *b)
{
	const struct dp_guard *g = ctx->snap->guard[b->in_id];
	uint64_t gone = 0;

	if (likely(all_pass(b, g)))
		return;
	for (uint16_t i = 0; i < b->n; i++) {
		uint64_t key = b->src[b->one_pair ? 0 : i];
		int reason = check_one(g, b->pkt[i], key & FDB_MAC_MASK);

		if (likely(reason < 0))
			continue;
		dp_drop(b->in_at, reason, b->pkt[i]);
		gone |= 1ull << i;
	}
	if (gone) {
		dp_batch_spread(b);
		dp_batch_remove(b, gone);
	}
}
