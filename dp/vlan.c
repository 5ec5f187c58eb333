// SPDX-License-Identifier: BSD-3-Clause
// VLAN tags in the data of packets: what those of received frames say, adding and taking off.
#include <errno.h>
#include <string.h>

#include <rte_byteorder.h>

#include "base/bytes.h"
#include "dp/pipeline.h"

#define ADDRESSES_BYTES (2 * RTE_ETHER_ADDR_LEN)

// The addresses move by 8 and 4 bytes, each read before it is written over.
static inline void push(struct rte_mbuf *m, uint32_t tag)
{
	uint8_t *data;
	uint64_t dst_src;
	uint32_t src;

	m->data_off -= DP_VLAN_TAG_BYTES;
	m->data_len += DP_VLAN_TAG_BYTES;
	m->pkt_len += DP_VLAN_TAG_BYTES;
	data = rte_pktmbuf_mtod(m, uint8_t *);
	memcpy(&dst_src, data + 4, 8);
	memcpy(&src, data + 12, 4);
	memcpy(data, &dst_src, 8);
	memcpy(data + 8, &src, 4);
	memcpy(data + ADDRESSES_BYTES, &tag, DP_VLAN_TAG_BYTES);
}

static inline void pop(struct rte_mbuf *m)
{
	uint8_t *data = rte_pktmbuf_mtod(m, uint8_t *);
	uint64_t dst_src;
	uint32_t src;

	memcpy(&dst_src, data, 8);
	memcpy(&src, data + 8, 4);
	memcpy(data + 4, &dst_src, 8);
	memcpy(data + 12, &src, 4);
	m->data_off += DP_VLAN_TAG_BYTES;
	m->data_len -= DP_VLAN_TAG_BYTES;
	m->pkt_len -= DP_VLAN_TAG_BYTES;
}

static inline uint32_t tag_of(uint16_t vlan)
{
	return rte_cpu_to_be_32((uint32_t)RTE_ETHER_TYPE_VLAN << 16 | vlan);
}

int dp_vlan_push(struct rte_mbuf *m, uint16_t vlan)
{
	if (unlikely(rte_pktmbuf_headroom(m) < DP_VLAN_TAG_BYTES))
		return -ENOBUFS;
	push(m, tag_of(vlan));
	if (m->l2_len)
		m->l2_len += DP_VLAN_TAG_BYTES;
	return 0;
}

void dp_vlan_pop(struct rte_mbuf *m)
{
	pop(m);
	if (m->l2_len)
		m->l2_len -= DP_VLAN_TAG_BYTES;
}

bool dp_vlan_push_all(struct rte_mbuf **pkts, uint16_t n, uint16_t vlan)
{
	uint16_t least_headroom = UINT16_MAX;
	uint32_t tag = tag_of(vlan);

	for (uint16_t i = 0; i < n; i++)
		least_headroom = RTE_MIN(least_headroom, rte_pktmbuf_headroom(pkts[i]));
	if (unlikely(least_headroom < DP_VLAN_TAG_BYTES))
		return false;
	for (uint16_t i = 0; i < n; i++)
		push(pkts[i], tag);
	return true;
}

void dp_vlan_pop_all(struct rte_mbuf **pkts, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++)
		pop(pkts[i]);
}

static inline uint16_t read16(const struct rte_mbuf *m, uint16_t off_bytes)
{
	return load_be16(rte_pktmbuf_mtod_offset(m, uint8_t *, off_bytes));
}

void dp_vlan_set(struct rte_mbuf *m, uint16_t vlan)
{
	uint8_t *tci = rte_pktmbuf_mtod_offset(m, uint8_t *, RTE_ETHER_HDR_LEN);

	store_be16(tci, (load_be16(tci) & ~DP_VID_MASK) | vlan);
}

bool dp_vlan_is_priority(const struct rte_mbuf *m)
{
	return !(read16(m, RTE_ETHER_HDR_LEN) & DP_VID_MASK);
}

// Takes priority tags off that say nothing, or have another behind them: the frame is what they
// hold, and that may be a tagged one. Returns whether it has a tag; -1 when it ends in one.
static int skip_priority_tags(struct rte_mbuf *m, uint16_t *ret_vid)
{
	uint16_t tci;

	do {
		if (unlikely(m->data_len < RTE_ETHER_HDR_LEN + DP_VLAN_TAG_BYTES))
			return -1;
		tci = read16(m, RTE_ETHER_HDR_LEN);
		*ret_vid = tci & DP_VID_MASK;
		if (*ret_vid)
			return true;
		if (tci && read16(m, ADDRESSES_BYTES + DP_VLAN_TAG_BYTES) != RTE_ETHER_TYPE_VLAN)
			return true;
		dp_vlan_pop(m);
	} while (read16(m, ADDRESSES_BYTES) == RTE_ETHER_TYPE_VLAN);
	return false;
}

int dp_vlan_classify(
	const struct dp_snap_port *in, struct rte_mbuf *m, uint16_t *ret_vlan, bool *ret_tagged)
{
	uint16_t vid = 0;
	int tagged = skip_priority_tags(m, &vid);

	if (unlikely(tagged < 0))
		return DP_DROP_RX_SHORT;
	if (!vid) {
		if (in->pvid == UINT16_MAX)
			return DP_DROP_VLAN_NOT_MEMBER;
		*ret_vlan = in->pvid;
		*ret_tagged = tagged;
		return -1;
	}
	if (in->vlan_mode == CONF_VLAN_ACCESS)
		return DP_DROP_VLAN_TAGGED;
	if (!dp_snap_carries(in, vid))
		return DP_DROP_VLAN_NOT_MEMBER;
	*ret_vlan = vid;
	*ret_tagged = true;
	return -1;
}
