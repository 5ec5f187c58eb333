// SPDX-License-Identifier: BSD-3-Clause
// Stage parse: reads each packet's metadata and Ethernet header once, and makes the forwarding
// table keys of untagged frames. The buckets of the whole batch are on their way to the cache when
// it ends. The loop over all packets has no branch that depends on them; what is out of the
// ordinary is marked and looked at afterwards. (Source addresses that no frame may have are in no
// table: stage learn finds them.)
#include <string.h>

#include <rte_byteorder.h>

#include "vswitch/dp/offload.h"
#include "vswitch/dp/pipeline.h"

// Addresses are handled as 48-bit numbers, first byte lowest, as a little-endian load gives them.
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "addresses are loaded little-endian");

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
		uint64_t dst = b->dst[i] & FDB_MAC_MASK;
		bool tagged = rte_pktmbuf_mtod(b->pkt[i], struct rte_ether_hdr *)->ether_type ==
			      rte_cpu_to_be_16(RTE_ETHER_TYPE_VLAN);
		enum dp_drop_reason reason;

		if (b->pkt[i]->data_len < RTE_ETHER_HDR_LEN) {
			reason = DP_DROP_RX_SHORT;
		} else if ((dst & LINK_LOCAL_MASK) == LINK_LOCAL) {
			reason = DP_DROP_LINK_LOCAL;
		} else if (!tagged && b->in->pvid == UINT16_MAX) {
			reason = DP_DROP_VLAN_NOT_MEMBER;
		} else {
			b->tagged |= (uint64_t)tagged << i;
			b->group |= (dst & DP_GROUP_BIT) << i;
			continue;
		}
		dp_drop(b->in_cnt, reason, b->pkt[i]);
		gone |= 1ull << i;
	}
	if (gone)
		dp_batch_remove(b, gone);
}

// What the loop over a batch adds up. Local to it, so that it stays in registers.
struct sums {
	uint64_t odd, flags, bytes;
	uint32_t longest_bytes;
	uint16_t segs, shortest_bytes;
};

static inline void parse_one(
	struct dp_batch *b, unsigned i, struct fdb_index index, uint64_t fid, struct sums *sums)
{
	const struct rte_mbuf *m = b->pkt[i];
	// A frame may be shorter than what is loaded here; its buffer is not.
	const uint8_t *data = rte_pktmbuf_mtod(m, uint8_t *);
	uint64_t dst = load64(data), src_type = load64(data + RTE_ETHER_ADDR_LEN);
	bool tagged = src_type >> 48 == rte_cpu_to_be_16(RTE_ETHER_TYPE_VLAN);

	sums->odd = sums->odd << 1 | (dst & DP_GROUP_BIT) | tagged;
	sums->flags |= m->ol_flags;
	sums->segs |= m->nb_segs ^ 1;
	sums->bytes += m->pkt_len;
	sums->longest_bytes = RTE_MAX(sums->longest_bytes, m->pkt_len);
	sums->shortest_bytes = RTE_MIN(sums->shortest_bytes, m->data_len);
	dp_batch_keys(b, i, index, (src_type & FDB_MAC_MASK) | fid, (dst & FDB_MAC_MASK) | fid);
}

void dp_stage_parse(struct dp_context *ctx, struct dp_batch *b)
{
	const struct fdb_index index = ctx->table->index;
	uint64_t fid = (uint64_t)b->in->pvid_fid << 48;
	struct sums sums = {.shortest_bytes = UINT16_MAX};
	unsigned i = b->n;

	for (unsigned ahead = i; ahead-- > 0 && ahead + PREFETCH_AHEAD >= b->n;)
		rte_prefetch0(rte_pktmbuf_mtod(b->pkt[ahead], void *));
	for (; i > PREFETCH_AHEAD; i--) {
		rte_prefetch0(rte_pktmbuf_mtod(b->pkt[i - 1 - PREFETCH_AHEAD], void *));
		parse_one(b, i - 1, index, fid, &sums);
	}
	for (; i > 0; i--)
		parse_one(b, i - 1, index, fid, &sums);
	b->tagged = 0;
	b->group = 0;
	b->flood = 0;
	b->longest_bytes = sums.longest_bytes;
	b->whole = !(sums.flags & DP_OFFLOAD_FLAGS) && !sums.segs;
	b->in_cnt->rx_packets += b->n;
	b->in_cnt->rx_bytes += sums.bytes;
	// Where untagged frames are refused, or some frame is too short, all are looked at.
	if (unlikely(b->in->pvid == UINT16_MAX || sums.shortest_bytes < RTE_ETHER_HDR_LEN))
		sums.odd = ~0ull >> (DP_BURST - b->n);
	if (unlikely(sums.odd))
		treat_odd(b, sums.odd);
}
