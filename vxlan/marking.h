// SPDX-License-Identifier: BSD-3-Clause
// What outer and inner IP headers tell each other: congestion marks (ECN) in both directions as RFC
// 6040 has it, in normal mode, and what the options of a VNI say of the outer traffic class (TOS to
// IPv4) and TTL. Pure functions; any worker.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "vxlan/codec.h"

#define VXLAN_TTL 64 // of outer headers, unless the VNI says otherwise

// The ECN field, the lower bits of the traffic class (RFC 3168, section 5).
enum {
	ECN_NOT_ECT = 0,
	ECN_ECT1 = 1,
	ECN_ECT0 = 2,
	ECN_CE = 3,
	ECN_MASK = 3,
};

// How the packets of a VNI leave.
struct vxlan_marking {
	uint8_t copied; // bits of the traffic class that are those of the inner header
	uint8_t tos;	// the others
	uint8_t ttl;	// 0: that of the inner header
};

// An outer header's: TTL in the upper byte, traffic class in the lower one.
#define VXLAN_MARK_PLAIN (VXLAN_TTL << 8)

// `dscp` and `ttl` as in struct conf_port.
struct vxlan_marking marking_make(uint8_t dscp, uint8_t ttl);

static inline struct vxlan_marking marking_unpack(uint32_t word)
{
	return (struct vxlan_marking){(uint8_t)word, (uint8_t)(word >> 8), (uint8_t)(word >> 16)};
}

static inline uint32_t marking_pack(struct vxlan_marking marking)
{
	return marking.copied | (uint32_t)marking.tos << 8 | (uint32_t)marking.ttl << 16;
}

// Where vxlan_flow() of a frame has none of these bits, its mark is VXLAN_MARK_PLAIN.
static inline uint64_t marking_care(struct vxlan_marking marking)
{
	return marking.tos || marking.ttl != VXLAN_TTL
		       ? VXLAN_FLOW_ANY
		       : (uint64_t)marking.copied << VXLAN_FLOW_TOS_SHIFT;
}

// The mark of a frame that begins `off_bytes` into the packet, `flow` being what vxlan_flow() says
// of it. Frames without an IP header count as class 0, and TTL 64.
uint16_t marking_of(
	struct vxlan_marking marking, uint64_t flow, const struct rte_mbuf *m, uint32_t off_bytes);

// Writes a mark to an IP header, and its checksum to that of IPv4.
void marking_write(uint8_t *ip, bool ip6, uint16_t mark);

// ---- decapsulation ----

static inline unsigned ecn_of_ip4(const uint8_t *ip)
{
	return ip[1] & ECN_MASK;
}

static inline unsigned ecn_of_ip6(const uint8_t *ip)
{
	return ip[1] >> 4 & ECN_MASK;
}

// Whether an outer mark may change what is inside. It never does with Not-ECT and ECT(0).
static inline bool ecn_matters(unsigned outer)
{
	return outer & 1;
}

// Writes the ECN field of the outer header into the frame as RFC 6040, section 4.2 says. Frames
// without an IP header (behind two tags at most) stay as they are. Returns false when the packet is
// to be dropped: the outer header tells of congestion, and the inner one that nobody would listen.
bool ecn_decap(uint8_t *frame, uint32_t len_bytes, unsigned outer);

// The same with a packet in any number of buffers. Its bytes must be its own.
bool ecn_decap_mbuf(struct rte_mbuf *m, unsigned outer);
