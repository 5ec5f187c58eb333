// SPDX-License-Identifier: BSD-3-Clause
// ICMP (RFC 792) and ICMPv6 (RFC 4443) as a switch needs them: it answers echo requests, and tells
// a sender that its packet is too big for the next hop. Pure functions over mbufs; any thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <rte_byteorder.h>
#include <rte_ip.h>
#include <rte_mbuf.h>

#include "dp/checksum.h"

// ICMPv6 types; those below 128 are errors.
enum {
	DP_ICMP6_TOO_BIG = 2,
	DP_ICMP6_INFORMATIONAL = 128,
	DP_ICMP6_ECHO_REQUEST = 128,
	DP_ICMP6_ECHO_REPLY = 129,
	DP_ICMP6_MLD_REPORT = 131,
	DP_ICMP6_MLD_DONE = 132,
	DP_ICMP6_ROUTER_SOLICIT = 133,
	DP_ICMP6_ROUTER_ADVERTISE = 134,
	DP_ICMP6_SOLICIT = 135,
	DP_ICMP6_ADVERTISE = 136,
	DP_ICMP6_REDIRECT = 137,
	DP_ICMP6_MLD2_REPORT = 143,
};

// The sum of the pseudo header of an ICMPv6 message (RFC 8200, 8.1), not folded.
static inline uint64_t dp_icmp6_pseudo_sum(const struct rte_ipv6_hdr *ip, uint16_t len_bytes)
{
	return (uint64_t)dp_sum(ip->src_addr, sizeof(ip->src_addr) + sizeof(ip->dst_addr)) +
	       rte_cpu_to_be_16(len_bytes) + rte_cpu_to_be_16(IPPROTO_ICMPV6);
}

// Turns an echo request into its reply, addressed to the frame's source. `l3_off` is the offset of
// the IP header. False, with nothing changed: the frame is not an echo request, is a fragment, has
// IP options, or has a wrong checksum. `m` must not be shared; it may be a chain of buffers.
bool dp_icmp_echo(struct rte_mbuf *m, uint16_t l3_off);

// Makes a packet that tells the sender of `m` that IP packets larger than `mtu` bytes cannot pass:
// ICMP fragmentation needed (RFC 1191), for packets with DF only, or ICMPv6 packet too big (RFC
// 4443, 3.2). A switch has no address, so the source is the destination of `m`, as with Linux's
// tunnels. The Ethernet addresses of `m` are swapped; its tag stays. NULL: no buffer, or `m` must
// not be answered in this way (not IP, DF not set, an ICMP error, a fragment other than the first,
// from or to a group, or `mtu` below the protocol's minimum).
struct rte_mbuf *dp_icmp_too_big(
	const struct rte_mbuf *m, uint16_t l3_off, uint16_t mtu, struct rte_mempool *pool);
