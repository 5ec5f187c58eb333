// SPDX-License-Identifier: BSD-3-Clause
// Stage lookup: the port that each destination address is behind, or flood.
#include "vswitch/dp/pipeline.h"

// Looks for the packets `missed` in their alternate buckets. Returns those that were not there.
static uint64_t look_further(const struct dp_context *ctx, struct dp_batch *b, uint64_t missed)
{
	const struct fdb_bucket *alternate[DP_BURST];
	uint64_t unknown = 0;

	for (uint64_t left = missed; left; left &= left - 1) {
		unsigned i = __builtin_ctzll(left);

		alternate[i] = fdb_alternate(ctx->table, fdb_hash(ctx->table, b->dst[i]));
		rte_prefetch0(alternate[i]);
	}
	for (; missed; missed &= missed - 1) {
		unsigned i = __builtin_ctzll(missed);
		uint64_t value = fdb_bucket_get(alternate[i], b->dst[i]);

		b->out[i] = fdb_value_port(value);
		if (!value || !fdb_fresh(ctx->fdb, value))
			unknown |= 1ull << i;
	}
	return unknown;
}

void dp_stage_lookup(struct dp_context *ctx, struct dp_batch *b)
{
	uint64_t missed = 0, back = 0, left;

	for (uint16_t i = 0; i < b->n; i++) {
		uint64_t value = fdb_bucket_get(b->dst_bucket[i], b->dst[i]);

		b->out[i] = fdb_value_port(value);
		missed |= (uint64_t)(!value | !fdb_fresh(ctx->fdb, value)) << i;
	}
	if (unlikely(missed)) {
		// Group addresses are never learned.
		b->flood = b->group;
		if (missed & ~b->group)
			b->flood |= look_further(ctx, b, missed & ~b->group);
	}
	for (uint16_t i = 0; i < b->n; i++)
		back |= (uint64_t)(b->out[i] == b->in_id) << i;
	back &= ~b->flood;
	for (left = back; unlikely(left); left &= left - 1)
		dp_drop(b->in_cnt, DP_DROP_HAIRPIN, b->pkt[__builtin_ctzll(left)]);
	if (unlikely(back))
		dp_batch_remove(b, back);
}
