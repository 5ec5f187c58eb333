// SPDX-License-Identifier: BSD-3-Clause
// VXLAN on the wire (RFC 7348, section 5): the header between the outer UDP header and the inner
// frame, and the outer source port. Pure functions over bytes, any thread.
#pragma once

#include <linux/if_ether.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"

#define VXLAN_HDR_BYTES	   8
#define VXLAN_FRAME_MIN	   14 // an Ethernet header
#define VXLAN_TAGS_MAX	   2  // behind which an inner IP header is looked for
#define VXLAN_FLAG_VNI	   0x08
#define VXLAN_SRC_PORT_MIN 49152 // what is left is the dynamic range of ports (RFC 6335)
#define VXLAN_NB_SRC_PORTS 16384

static inline void vxlan_write(uint8_t hdr[VXLAN_HDR_BYTES], uint32_t vni)
{
	const uint8_t bytes[VXLAN_HDR_BYTES] = {
		VXLAN_FLAG_VNI, 0, 0, 0, vni >> 16, vni >> 8, vni, 0};

	memcpy(hdr, bytes, sizeof(bytes));
}

// Reads the header of a datagram of `len_bytes`. Reserved bits are ignored, as receivers must.
// Returns false when the datagram names no VNI or has no room for a frame.
static inline bool vxlan_read(const uint8_t *datagram, uint32_t len_bytes, uint32_t *ret_vni)
{
	if (len_bytes < VXLAN_HDR_BYTES + VXLAN_FRAME_MIN || !(datagram[0] & VXLAN_FLAG_VNI))
		return false;
	*ret_vni = (uint32_t)datagram[4] << 16 | datagram[5] << 8 | datagram[6];
	return true;
}

static inline bool vxlan_is_tag(uint16_t type)
{
	return type == htobe16(ETH_P_8021Q) || type == htobe16(ETH_P_8021AD);
}

// Where what the frame carries begins, behind its tags (two at most); the EtherType of that is
// before it. There are VXLAN_FRAME_MIN bytes at least.
static inline uint32_t vxlan_l3_off(const uint8_t *frame, uint32_t len_bytes)
{
	uint32_t off = ETH_HLEN;

	for (unsigned tags = 0; tags < VXLAN_TAGS_MAX && off + 4 <= len_bytes; tags++) {
		if (__builtin_expect(!vxlan_is_tag(load16(frame + off - 2)), 1))
			break;
		off += 4;
	}
	return off;
}

// What an outer header wants to know of a frame. In the lower 32 bits a number that is the same for
// all frames of a flow: from addresses, and ports if it has any, of IPv4 and IPv6 inside up to two
// VLAN tags, of MAC addresses otherwise. Above it the traffic class of the IP header, 0 if it has
// none; and VXLAN_FLOW_ANY, always. `len_bytes` of the frame are there, which may be its beginning
// only.
#define VXLAN_FLOW_TOS_SHIFT 32
#define VXLAN_FLOW_ANY	     (1ull << 40)
uint64_t vxlan_flow(const uint8_t *frame, uint32_t len_bytes);

static inline uint32_t vxlan_flow_hash(const uint8_t *frame, uint32_t len_bytes)
{
	return (uint32_t)vxlan_flow(frame, len_bytes);
}

// The outer source port that a flow gets, so that routers spread flows over paths.
static inline uint16_t vxlan_src_port(uint32_t flow_hash)
{
	return VXLAN_SRC_PORT_MIN + flow_hash % VXLAN_NB_SRC_PORTS;
}
