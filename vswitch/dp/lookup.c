// SPDX-License-Identifier: BSD-3-Clause
// Stage lookup: the port that each destination address is behind, or flood.
#include "vswitch/dp/pipeline.h"

void dp_stage_lookup(struct dp_context *ctx, struct dp_batch *b)
{
	uint64_t gone = 0;

	for (uint16_t i = 0; i < b->n; i++) {
		uint64_t value;

		// Group addresses are never learned.
		if (b->dst[i] & 1) {
			b->out[i] = DP_OUT_FLOOD;
			b->flood |= 1ull << i;
			continue;
		}
		value = fdb_get(ctx->table, b->dst_hash[i], b->dst[i]);
		if (unlikely(!value || !fdb_fresh(ctx->fdb, value))) {
			b->out[i] = DP_OUT_FLOOD;
			b->flood |= 1ull << i;
			continue;
		}
		b->out[i] = fdb_value_port(value);
		if (unlikely(b->out[i] == b->in_id)) {
			dp_drop(b->in_cnt, DP_DROP_HAIRPIN, b->pkt[i]);
			gone |= 1ull << i;
		}
	}
	if (unlikely(gone))
		dp_batch_remove(b, gone);
}
