// SPDX-License-Identifier: BSD-3-Clause
// Stage demux: packets of a port that receives for others, as a VTEP does, go on as packets of
// these: a batch for each port, in which they keep their order.
#include <string.h>

#include "dp/pipeline.h"

// Moves the packets of `left` that are for the port of the first one to the end of the sorted
// ones. Returns how many are left.
static uint16_t sort_first(
	const struct dp_snap *snap, struct dp_batch *b, struct rte_mbuf **left, uint16_t n)
{
	struct dp_sorted *s = &b->sorted;
	uint16_t id = dp_input(left[0]), kept = 0,
		 end = s->nb_groups ? s->end[s->nb_groups - 1] : 0;
	bool there = id < snap->nb_ports && snap->port[id].bridge;

	for (uint16_t i = 0; i < n; i++) {
		if (dp_input(left[i]) != id)
			left[kept++] = left[i];
		else if (likely(there))
			s->pkt[end++] = left[i];
		else
			dp_drop(b->in_at, DP_DROP_NO_BRIDGE, left[i]);
	}
	if (likely(there)) {
		s->port[s->nb_groups] = id;
		s->end[s->nb_groups++] = end;
	}
	return kept;
}

void dp_stage_demux(struct dp_context *ctx, struct dp_batch *b)
{
	struct rte_mbuf *left[DP_BURST];
	uint16_t n = b->n;

	memcpy(left, b->pkt, n * sizeof(*left));
	b->sorted.nb_groups = b->sorted.next = 0;
	while (n)
		n = sort_first(ctx->snap, b, left, n);
	b->n = 0; // they go on in dp_demux_next()
}

bool dp_demux_next(struct dp_context *ctx, struct dp_batch *b)
{
	struct dp_sorted *s = &b->sorted;
	uint16_t from = s->next ? s->end[s->next - 1] : 0;

	if (s->next == s->nb_groups)
		return false;
	dp_batch_enter(ctx, b, s->port[s->next]);
	b->n = s->end[s->next++] - from;
	memcpy(b->pkt, s->pkt + from, b->n * sizeof(*b->pkt));
	return true;
}
