// SPDX-License-Identifier: BSD-3-Clause
#include "vxlan/marking.h"

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_ip.h>

#include "base/bytes.h"
#include "config/conf.h"
#include "dp/checksum.h"

#define ECN_DROP     (-1)
#define IP4_BYTES    sizeof(struct rte_ipv4_hdr)
#define IP6_BYTES    sizeof(struct rte_ipv6_hdr)
#define TOS_OFF	     1
#define IP4_TTL_OFF  8
#define IP4_SUM_OFF  10
#define IP6_TTL_OFF  7
#define HEADER_BYTES (RTE_ETHER_HDR_LEN + VXLAN_TAGS_MAX * sizeof(struct rte_vlan_hdr) + IP6_BYTES)

// The IP header of a frame, if it has one that is whole but for options.
static uint8_t *find_ip(const uint8_t *frame, uint32_t len_bytes)
{
	uint32_t off;
	uint8_t *ip;
	uint16_t type;

	if (len_bytes < VXLAN_FRAME_MIN)
		return NULL;
	off = vxlan_l3_off(frame, len_bytes);
	type = load16(frame + off - sizeof(type));
	ip = (uint8_t *)frame + off;
	if (type == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4))
		return len_bytes - off >= IP4_BYTES && ip[0] >> 4 == 4 ? ip : NULL;
	if (type == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV6))
		return len_bytes - off >= IP6_BYTES && ip[0] >> 4 == 6 ? ip : NULL;
	return NULL;
}

// ---- encapsulation ----

struct vxlan_marking marking_make(uint8_t dscp, uint8_t ttl)
{
	bool inherits = dscp == CONF_DSCP_INHERIT;

	return (struct vxlan_marking){
		.copied = inherits ? 0xff : ECN_MASK,
		.tos = inherits ? 0 : dscp << 2,
		.ttl = ttl == CONF_TTL_INHERIT ? 0 : ttl,
	};
}

// 0: it has none.
static uint8_t inner_ttl(const struct rte_mbuf *m, uint32_t off_bytes)
{
	uint8_t copy[HEADER_BYTES];
	uint32_t n = RTE_MIN(m->pkt_len - off_bytes, HEADER_BYTES);
	const uint8_t *frame = rte_pktmbuf_read(m, off_bytes, n, copy);
	const uint8_t *ip = find_ip(frame, n);

	return ip ? ip[ip[0] >> 4 == 4 ? IP4_TTL_OFF : IP6_TTL_OFF] : 0;
}

uint16_t marking_of(
	struct vxlan_marking marking, uint64_t flow, const struct rte_mbuf *m, uint32_t off_bytes)
{
	uint8_t tos = marking.tos | (flow >> VXLAN_FLOW_TOS_SHIFT & marking.copied);
	uint8_t ttl = marking.ttl ? marking.ttl : inner_ttl(m, off_bytes);

	return (ttl ? ttl : VXLAN_TTL) << 8 | tos;
}

static void replace(uint8_t *ip, unsigned off, uint8_t value)
{
	uint16_t before = load16(ip + (off & ~1u));

	ip[off] = value;
	store16(ip + IP4_SUM_OFF,
		~dp_sum_with(~load16(ip + IP4_SUM_OFF), before, load16(ip + (off & ~1u))));
}

void marking_write(uint8_t *ip, bool ip6, uint16_t mark)
{
	uint8_t tos = mark, ttl = mark >> 8;

	if (ip6) {
		ip[0] = 6 << 4 | tos >> 4;
		ip[TOS_OFF] = (ip[TOS_OFF] & 0xf) | tos << 4;
		ip[IP6_TTL_OFF] = ttl;
	} else {
		replace(ip, TOS_OFF, tos);
		replace(ip, IP4_TTL_OFF, ttl);
	}
}

// ---- decapsulation ----

// RFC 6040, figure 4: inner and outer.
static const int8_t combined[4][4] = {
	[ECN_NOT_ECT] = {[ECN_NOT_ECT] = ECN_NOT_ECT,
		[ECN_ECT0] = ECN_NOT_ECT,
		[ECN_ECT1] = ECN_NOT_ECT,
		[ECN_CE] = ECN_DROP},
	[ECN_ECT0] = {[ECN_NOT_ECT] = ECN_ECT0,
		[ECN_ECT0] = ECN_ECT0,
		[ECN_ECT1] = ECN_ECT1,
		[ECN_CE] = ECN_CE},
	[ECN_ECT1] = {[ECN_NOT_ECT] = ECN_ECT1,
		[ECN_ECT0] = ECN_ECT1,
		[ECN_ECT1] = ECN_ECT1,
		[ECN_CE] = ECN_CE},
	[ECN_CE] = {[ECN_NOT_ECT] = ECN_CE,
		[ECN_ECT0] = ECN_CE,
		[ECN_ECT1] = ECN_CE,
		[ECN_CE] = ECN_CE},
};

bool ecn_decap(uint8_t *frame, uint32_t len_bytes, unsigned outer)
{
	uint8_t *ip = find_ip(frame, len_bytes);
	bool ip6 = ip && ip[0] >> 4 == 6;
	int now;

	if (!ip)
		return true;
	now = combined[ip6 ? ecn_of_ip6(ip) : ecn_of_ip4(ip)][outer];
	if (now == ECN_DROP)
		return false;
	if (ip6)
		ip[TOS_OFF] = (ip[TOS_OFF] & ~(ECN_MASK << 4)) | now << 4;
	else
		replace(ip, TOS_OFF, (ip[TOS_OFF] & ~ECN_MASK) | now);
	return true;
}

static void write_back(struct rte_mbuf *m, const uint8_t *bytes, uint32_t len_bytes)
{
	for (; len_bytes; m = m->next) {
		uint32_t n = RTE_MIN(len_bytes, m->data_len);

		memcpy(rte_pktmbuf_mtod(m, void *), bytes, n);
		bytes += n;
		len_bytes -= n;
	}
}

bool ecn_decap_mbuf(struct rte_mbuf *m, unsigned outer)
{
	uint8_t copy[HEADER_BYTES];
	uint32_t n = RTE_MIN(m->pkt_len, HEADER_BYTES);

	if (m->data_len >= n)
		return ecn_decap(rte_pktmbuf_mtod(m, uint8_t *), n, outer);
	rte_pktmbuf_read(m, 0, n, copy);
	if (!ecn_decap(copy, n, outer))
		return false;
	write_back(m, copy, n);
	return true;
}
