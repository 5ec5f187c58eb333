// SPDX-License-Identifier: BSD-3-Clause
#include "vxlan/codec.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/in.h>

#include "vxlan/mix.h"

#define MAC_BYTES  6
#define MAC_MASK   0xffffffffffffull
#define IP4_BYTES  20
#define IP6_BYTES  40
#define IP4_OFFSET 0x3fff // more fragments, fragment offset

// Both ports of protocols that begin with them, of which `left_bytes` are there; 0 for others.
static inline uint64_t ports(uint8_t proto, const uint8_t *l4, int64_t left_bytes)
{
	if (left_bytes < 4 ||
		(proto != IPPROTO_TCP && proto != IPPROTO_UDP && proto != IPPROTO_SCTP))
		return 0;
	return load32(l4);
}

static inline uint64_t hash_ip4(const uint8_t *ip, uint32_t left_bytes)
{
	uint32_t l3_bytes = (ip[0] & 0xf) * 4u;
	bool whole = !(load16(ip + 6) & htons(IP4_OFFSET));
	uint64_t l4 = ip[9];

	// A fragment has no ports but the first, and all are to go one way.
	if (whole && l3_bytes >= IP4_BYTES)
		l4 |= ports(ip[9], ip + l3_bytes, (int64_t)left_bytes - l3_bytes) << 8;
	return vxlan_mix(load64(ip + 12), l4);
}

static inline uint64_t hash_ip6(const uint8_t *ip, uint32_t left_bytes)
{
	uint64_t l4 = ports(ip[6], ip + IP6_BYTES, left_bytes - IP6_BYTES) << 8 | ip[6];

	return vxlan_mix(vxlan_mix(load64(ip + 8), load64(ip + 16)),
		vxlan_mix(load64(ip + 24), load64(ip + 32)) ^ l4);
}

static inline uint64_t hash_macs(const uint8_t *frame)
{
	return vxlan_mix(load64(frame) & MAC_MASK, load64(frame + MAC_BYTES) & MAC_MASK);
}

uint64_t vxlan_flow(const uint8_t *frame, uint32_t len_bytes)
{
	uint32_t off, left_bytes;
	uint64_t hash, tos = 0;
	uint16_t type;

	if (len_bytes < VXLAN_FRAME_MIN)
		return VXLAN_FLOW_ANY;
	off = vxlan_l3_off(frame, len_bytes);
	type = load16(frame + off - 2);
	left_bytes = len_bytes - off;
	if (type == htons(ETH_P_IP) && left_bytes >= IP4_BYTES) {
		hash = hash_ip4(frame + off, left_bytes);
		tos = frame[off + 1];
	} else if (type == htons(ETH_P_IPV6) && left_bytes >= IP6_BYTES) {
		hash = hash_ip6(frame + off, left_bytes);
		tos = (load_be16(frame + off) >> 4) & 0xff;
	} else {
		hash = hash_macs(frame);
	}
	return (uint32_t)(hash ^ hash >> 32) | tos << VXLAN_FLOW_TOS_SHIFT | VXLAN_FLOW_ANY;
}
