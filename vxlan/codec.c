// SPDX-License-Identifier: BSD-3-Clause
#include "vxlan/codec.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/in.h>

#include "vxlan/mix.h"

#define MAC_BYTES  6
#define TAGS_MAX   2
#define TAG_BYTES  4
#define IP4_BYTES  20
#define IP6_BYTES  40
#define IP4_OFFSET 0x3fff // more fragments, fragment offset

static inline uint64_t load(const uint8_t *from, unsigned len_bytes)
{
	uint64_t value = 0;

	memcpy(&value, from, len_bytes);
	return value;
}

// Both ports of protocols that begin with them; 0 for others.
static inline uint64_t ports(uint8_t proto, const uint8_t *l4, const uint8_t *end)
{
	if (proto != IPPROTO_TCP && proto != IPPROTO_UDP && proto != IPPROTO_SCTP)
		return 0;
	return end - l4 >= 4 ? load(l4, 4) : 0;
}

static uint64_t hash_ip4(const uint8_t *ip, const uint8_t *end)
{
	uint32_t l3_bytes = (ip[0] & 0xf) * 4u;
	bool whole = !(load(ip + 6, 2) & htons(IP4_OFFSET));
	uint64_t l4 = ip[9];

	// A fragment has no ports but the first, and all are to go one way.
	if (whole && l3_bytes >= IP4_BYTES && end - ip >= l3_bytes)
		l4 |= ports(ip[9], ip + l3_bytes, end) << 8;
	return vxlan_mix(load(ip + 12, 8), l4);
}

static uint64_t hash_ip6(const uint8_t *ip, const uint8_t *end)
{
	uint64_t l4 = ports(ip[6], ip + IP6_BYTES, end) << 8 | ip[6];

	return vxlan_mix(vxlan_mix(load(ip + 8, 8), load(ip + 16, 8)),
		vxlan_mix(load(ip + 24, 8), load(ip + 32, 8)) ^ l4);
}

uint32_t vxlan_flow_hash(const uint8_t *frame, uint32_t len_bytes)
{
	const uint8_t *end = frame + len_bytes, *p = frame + 2 * MAC_BYTES;
	uint64_t hash;

	if (len_bytes < VXLAN_FRAME_MIN)
		return 0;
	for (unsigned tags = 0; tags < TAGS_MAX && end - p >= TAG_BYTES + 2; tags++) {
		uint16_t type = load(p, 2);

		if (type != htons(ETH_P_8021Q) && type != htons(ETH_P_8021AD))
			break;
		p += TAG_BYTES;
	}
	if (load(p, 2) == htons(ETH_P_IP) && end - p >= 2 + IP4_BYTES)
		hash = hash_ip4(p + 2, end);
	else if (load(p, 2) == htons(ETH_P_IPV6) && end - p >= 2 + IP6_BYTES)
		hash = hash_ip6(p + 2, end);
	else
		hash = vxlan_mix(load(frame, MAC_BYTES), load(frame + MAC_BYTES, MAC_BYTES));
	return hash ^ hash >> 32;
}
