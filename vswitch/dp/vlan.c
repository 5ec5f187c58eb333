// SPDX-License-Identifier: BSD-3-Clause
// Stage vlan_in: which VLAN a tagged frame belongs to, and whether its port may send there. Runs
// for batches with tagged frames only. And the operations on tags that egress uses.
#include <errno.h>
#include <string.h>

#include <rte_byteorder.h>

#include "vswitch/dp/pipeline.h"

#define ADDRESSES_BYTES (2 * RTE_ETHER_ADDR_LEN)
#define VID_MASK	0x0fff

int dp_vlan_push(struct rte_mbuf *m, uint16_t vlan)
{
	uint8_t *data = (uint8_t *)rte_pktmbuf_prepend(m, DP_VLAN_TAG_BYTES);
	uint16_t tag[2] = {rte_cpu_to_be_16(RTE_ETHER_TYPE_VLAN), rte_cpu_to_be_16(vlan)};

	if (unlikely(!data))
		return -ENOBUFS;
	memmove(data, data + DP_VLAN_TAG_BYTES, ADDRESSES_BYTES);
	memcpy(data + ADDRESSES_BYTES, tag, sizeof(tag));
	if (m->l2_len)
		m->l2_len += DP_VLAN_TAG_BYTES;
	return 0;
}

void dp_vlan_pop(struct rte_mbuf *m)
{
	uint8_t *data = rte_pktmbuf_mtod(m, uint8_t *);

	memmove(data + DP_VLAN_TAG_BYTES, data, ADDRESSES_BYTES);
	rte_pktmbuf_adj(m, DP_VLAN_TAG_BYTES);
	if (m->l2_len)
		m->l2_len -= DP_VLAN_TAG_BYTES;
}

static inline uint16_t read16(const struct rte_mbuf *m, uint16_t off_bytes)
{
	return rte_be_to_cpu_16(*rte_pktmbuf_mtod_offset(m, unaligned_uint16_t *, off_bytes));
}

// Takes priority tags off, which say nothing of a VLAN: the frame is what they hold, and that may
// be a tagged one. Returns whether it is, with its VLAN; -1 when it ends in a tag.
static int skip_priority_tags(struct rte_mbuf *m, uint16_t *ret_vid)
{
	uint16_t vid;

	do {
		if (unlikely(m->data_len < RTE_ETHER_HDR_LEN + DP_VLAN_TAG_BYTES))
			return -1;
		vid = read16(m, RTE_ETHER_HDR_LEN) & VID_MASK;
		if (vid)
			break;
		dp_vlan_pop(m); // the priority is not kept
	} while (read16(m, ADDRESSES_BYTES) == RTE_ETHER_TYPE_VLAN);
	*ret_vid = vid;
	return vid != 0;
}

// Returns a drop reason or -1, with the VLAN and whether the tag stays in the frame.
static int classify(const struct dp_batch *b, struct rte_mbuf *m, uint16_t *ret_vlan, bool *ret_tag)
{
	const struct dp_snap_port *in = b->in;
	uint16_t vid = 0;
	int tagged = skip_priority_tags(m, &vid);

	if (unlikely(tagged < 0))
		return DP_DROP_RX_SHORT;
	if (!tagged) {
		if (in->pvid == UINT16_MAX)
			return DP_DROP_VLAN_NOT_MEMBER;
		*ret_vlan = in->pvid;
		*ret_tag = false;
		return -1;
	}
	if (in->vlan_mode == CONF_VLAN_ACCESS)
		return DP_DROP_VLAN_TAGGED;
	// 4095 is reserved and must not be forwarded (IEEE 802.1Q, table 9-2).
	if (vid == VID_MASK || !dp_snap_carries(in, vid))
		return DP_DROP_VLAN_NOT_MEMBER;
	*ret_vlan = vid;
	*ret_tag = true;
	return -1;
}

void dp_stage_vlan_in(struct dp_context *ctx, struct dp_batch *b)
{
	uint64_t gone = 0, left = b->tagged;

	for (uint16_t i = 0; i < b->n; i++)
		b->vlan[i] = b->in->pvid;
	while (left) {
		unsigned i = __builtin_ctzll(left);
		bool tag = false;
		uint16_t vlan;
		uint64_t fid;
		int reason;

		left &= left - 1;
		reason = classify(b, b->pkt[i], &vlan, &tag);
		if (unlikely(reason >= 0)) {
			dp_drop(b->in_cnt, reason, b->pkt[i]);
			gone |= 1ull << i;
			continue;
		}
		if (!tag)
			b->tagged &= ~(1ull << i);
		b->vlan[i] = vlan;
		fid = (uint64_t)fdb_fid(ctx->fdb, b->in->bridge->id, vlan) << 48;
		dp_batch_keys(b, i, ctx->table->index, (b->src[i] & FDB_MAC_MASK) | fid,
			(b->dst[i] & FDB_MAC_MASK) | fid);
	}
	if (unlikely(gone))
		dp_batch_remove(b, gone);
}
