// SPDX-License-Identifier: BSD-3-Clause
// Stage parse: reads each Ethernet header once, drops what no bridge may forward, and makes the
// forwarding table keys of untagged frames. The buckets of the whole batch are on their way to the
// cache when it ends.
#include <string.h>

#include <rte_byteorder.h>
#include <rte_prefetch.h>

#include "vswitch/dp/pipeline.h"

// Addresses are handled as 48-bit numbers, first byte lowest, as a little-endian load gives them.
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "addresses are loaded little-endian");

#define GROUP_BIT	1ull
#define LINK_LOCAL	0x0000c28001ull	  // 01:80:c2:00:00:00 ..
#define LINK_LOCAL_MASK 0xf0ffffffffffull // .. 0f, IEEE 802.1Q table 8-1
#define PREFETCH_AHEAD	4

static inline uint64_t load64(const void *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static inline int refuse(const struct dp_batch *b, uint64_t src, uint64_t dst, bool tagged)
{
	if (unlikely((src & GROUP_BIT) || !src))
		return DP_DROP_SRC_INVALID;
	if (unlikely((dst & LINK_LOCAL_MASK) == LINK_LOCAL))
		return DP_DROP_LINK_LOCAL;
	if (unlikely(!tagged && b->in->pvid == UINT16_MAX))
		return DP_DROP_VLAN_NOT_MEMBER;
	return -1;
}

void dp_stage_parse(struct dp_context *ctx, struct dp_batch *b)
{
	const struct fdb_table *table = ctx->table;
	uint16_t n = 0, total = b->n, pvid = b->in->pvid;
	uint64_t fid = (uint64_t)b->in->pvid_fid << 48;

	b->tagged = 0;
	b->flood = 0;
	for (uint16_t i = 0; i < total && i < PREFETCH_AHEAD; i++)
		rte_prefetch0(rte_pktmbuf_mtod(b->pkt[i], void *));
	for (uint16_t i = 0; i < total; i++) {
		struct rte_mbuf *m = b->pkt[i];
		const uint8_t *data = rte_pktmbuf_mtod(m, uint8_t *);
		uint64_t src, dst;
		bool tagged;
		int reason;

		if (i + PREFETCH_AHEAD < total)
			rte_prefetch0(rte_pktmbuf_mtod(b->pkt[i + PREFETCH_AHEAD], void *));
		if (unlikely(m->data_len < RTE_ETHER_HDR_LEN)) {
			dp_drop(b->in_cnt, DP_DROP_RX_SHORT, m);
			continue;
		}
		dst = load64(data) & FDB_MAC_MASK;
		src = load64(data + RTE_ETHER_ADDR_LEN);
		tagged = src >> 48 == rte_cpu_to_be_16(RTE_ETHER_TYPE_VLAN);
		src &= FDB_MAC_MASK;
		reason = refuse(b, src, dst, tagged);
		if (unlikely(reason >= 0)) {
			dp_drop(b->in_cnt, reason, m);
			continue;
		}
		b->pkt[n] = m;
		b->tagged |= (uint64_t)tagged << n;
		b->vlan[n] = pvid;
		b->src[n] = src | fid;
		b->dst[n] = dst | fid;
		b->src_hash[n] = fdb_hash(table, b->src[n]);
		b->dst_hash[n] = fdb_hash(table, b->dst[n]);
		rte_prefetch0(fdb_primary(table, b->src_hash[n]));
		rte_prefetch0(fdb_primary(table, b->dst_hash[n]));
		n++;
	}
	b->n = n;
}
