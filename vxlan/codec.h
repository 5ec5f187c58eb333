// SPDX-License-Identifier: BSD-3-Clause
// VXLAN on the wire (RFC 7348, section 5): the header between the outer UDP header and the inner
// frame, and the outer source port. Pure functions over bytes, any thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/limits.h"

#define VXLAN_HDR_BYTES	   8
#define VXLAN_FRAME_MIN	   14 // an Ethernet header
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

// A number that is the same for all frames of a flow: from addresses, and ports if it has any,
// of IPv4 and IPv6 inside up to two VLAN tags, of MAC addresses otherwise. `len_bytes` of the frame
// are there, which may be its beginning only.
uint32_t vxlan_flow_hash(const uint8_t *frame, uint32_t len_bytes);

// The outer source port that a flow gets, so that routers spread flows over paths.
static inline uint16_t vxlan_src_port(uint32_t flow_hash)
{
	return VXLAN_SRC_PORT_MIN + flow_hash % VXLAN_NB_SRC_PORTS;
}
