// SPDX-License-Identifier: BSD-3-Clause
// Stage suppress: the switch answers requests for the MAC address of a known neighbour, and they go
// no further. Requests for others are flooded or dropped, as the bridge is configured. Gratuitous
// ARP, duplicate address detection and everything else to be flooded passes. Runs for batches with
// frames to flood on bridges that have neighbours (neigh.h).
//
// Requests from a tunnel pass as well: the switch at its other end has its own table, and otherwise
// every switch that it floods to would answer.
#include "dp/neigh.h"
#include "dp/pipeline.h"
#include "dp/resolve.h"

// Returns true if the packet must not be flooded: it was answered or dropped.
static bool suppress_one(
	struct dp_context *ctx, struct dp_batch *b, unsigned i, const struct neigh_table *table)
{
	struct rte_mbuf *m = b->pkt[i];
	uint16_t vlan = dp_batch_vlan(b, i);
	struct dp_resolve r;
	struct mac mac;

	if (dp_resolve_parse(m, &r) != DP_RESOLVE_REQUEST)
		return false;
	if (!neigh_find(table, vlan, &r.target, &mac)) {
		if (table->drop_unknown)
			dp_drop(b->in_at, DP_DROP_NEIGH_UNKNOWN, m);
		return table->drop_unknown;
	}
	if (unlikely(rte_mbuf_refcnt_read(m) > 1 || !RTE_MBUF_DIRECT(m)) ||
		unlikely(dp_resolve_answer(m, &r, &mac) < 0))
		return false;
	dp_egress_one(ctx, b->in_id, m, vlan, b->tagged >> i & 1);
	return true;
}

void dp_stage_suppress(struct dp_context *ctx, struct dp_batch *b)
{
	const struct neigh_table *table =
		atomic_load_explicit(b->in->bridge->neigh, memory_order_acquire);
	uint64_t gone = 0;

	if (unlikely(!table)) // main has just removed it
		return;
	for (uint64_t left = b->flood; left; left &= left - 1) {
		unsigned i = __builtin_ctzll(left);

		gone |= (uint64_t)suppress_one(ctx, b, i, table) << i;
	}
	if (gone)
		dp_batch_remove(b, gone);
}
