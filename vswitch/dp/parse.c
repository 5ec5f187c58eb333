// SPDX-License-Identifier: BSD-3-Clause
// Stage parse: reads each Ethernet header once, drops what no bridge may forward, and makes the
// forwarding table keys of untagged frames. The buckets of the whole batch are on their way to the
// cache when it ends. The loop over all packets has no branch that depends on them; what is out of
// the ordinary is marked and looked at afterwards.
#include <string.h>

#include <rte_byteorder.h>

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

// Marks in the batch what is special about the packets `odd`, and drops those that no bridge may
// forward.
static void treat_odd(struct dp_batch *b, uint64_t odd)
{
	uint64_t gone = 0;

	for (; odd; odd &= odd - 1) {
		unsigned i = __builtin_ctzll(odd);
		uint64_t src = b->src[i] & FDB_MAC_MASK, dst = b->dst[i] & FDB_MAC_MASK;
		bool tagged = rte_pktmbuf_mtod(b->pkt[i], struct rte_ether_hdr *)->ether_type ==
			      rte_cpu_to_be_16(RTE_ETHER_TYPE_VLAN);
		enum dp_drop_reason reason;

		if (b->pkt[i]->data_len < RTE_ETHER_HDR_LEN) {
			reason = DP_DROP_RX_SHORT;
		} else if ((src & GROUP_BIT) || !src) {
			reason = DP_DROP_SRC_INVALID;
		} else if ((dst & LINK_LOCAL_MASK) == LINK_LOCAL) {
			reason = DP_DROP_LINK_LOCAL;
		} else if (!tagged && b->in->pvid == UINT16_MAX) {
			reason = DP_DROP_VLAN_NOT_MEMBER;
		} else {
			b->tagged |= (uint64_t)tagged << i;
			b->group |= (dst & GROUP_BIT) << i;
			continue;
		}
		dp_drop(b->in_cnt, reason, b->pkt[i]);
		gone |= 1ull << i;
	}
	if (gone)
		dp_batch_remove(b, gone);
}

// Makes the keys of packet `i`. Returns whether the packet is odd.
static inline bool parse_one(
	const struct fdb_table *table, struct dp_batch *b, unsigned i, uint64_t fid)
{
	const struct rte_mbuf *m = b->pkt[i];
	// A frame may be shorter than what is loaded here; its buffer is not.
	const uint8_t *data = rte_pktmbuf_mtod(m, uint8_t *);
	uint64_t dst = load64(data) & FDB_MAC_MASK;
	uint64_t src_type = load64(data + RTE_ETHER_ADDR_LEN), src = src_type & FDB_MAC_MASK;

	dp_batch_keys(b, i, table, src | fid, dst | fid);
	return ((src | dst) & GROUP_BIT) | !src |
	       (src_type >> 48 == rte_cpu_to_be_16(RTE_ETHER_TYPE_VLAN)) |
	       (m->data_len < RTE_ETHER_HDR_LEN);
}

void dp_stage_parse(struct dp_context *ctx, struct dp_batch *b)
{
	const struct fdb_table *table = ctx->table;
	uint64_t fid = (uint64_t)b->in->pvid_fid << 48;
	uint64_t odd = 0;
	uint16_t i = b->n;

	for (uint16_t ahead = i; ahead-- > 0 && ahead + PREFETCH_AHEAD >= b->n;)
		rte_prefetch0(rte_pktmbuf_mtod(b->pkt[ahead], void *));
	for (; i > PREFETCH_AHEAD; i--) {
		rte_prefetch0(rte_pktmbuf_mtod(b->pkt[i - 1 - PREFETCH_AHEAD], void *));
		odd = odd << 1 | parse_one(table, b, i - 1, fid);
	}
	for (; i > 0; i--)
		odd = odd << 1 | parse_one(table, b, i - 1, fid);
	b->tagged = 0;
	b->group = 0;
	b->flood = 0;
	if (unlikely(b->in->pvid == UINT16_MAX)) // untagged frames are odd here as well
		odd = ~0ull >> (DP_BURST - b->n);
	if (unlikely(odd))
		treat_odd(b, odd);
}
