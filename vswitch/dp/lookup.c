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

		alternate[i] = fdb_alternate(ctx->table->index, b->dst[i]);
		rte_prefetch0(alternate[i]);
	}
	for (; missed; missed &= missed - 1) {
		unsigned i = __builtin_ctzll(missed);
		uint64_t value = fdb_bucket_get(alternate[i], b->dst[i]);

		b->out[i] = fdb_value_port(value);
		unknown |= (uint64_t)!fdb_fresh(ctx->fdb, value) << i;
	}
	return unknown;
}

// Drops those of the packets `odd` that would go back where they came from.
static void drop_hairpin(struct dp_batch *b, uint64_t odd)
{
	uint64_t gone = 0;

	for (; odd; odd &= odd - 1) {
		unsigned i = __builtin_ctzll(odd);

		if (b->out[i] != b->in_id)
			continue;
		dp_drop(b->in_cnt, DP_DROP_HAIRPIN, b->pkt[i]);
		gone |= 1ull << i;
	}
	if (gone)
		dp_batch_remove(b, gone);
}

void dp_stage_lookup(struct dp_context *ctx, struct dp_batch *b)
{
	const struct fdb *fdb = ctx->fdb;
	uint64_t missed = 0, back = 0;
	uint16_t in = b->in_id;

	for (uint16_t i = b->n; i-- > 0;) {
		uint64_t value = fdb_bucket_get(b->dst_bucket[i], b->dst[i]);
		uint16_t out = fdb_value_port(value);

		b->out[i] = out;
		missed = missed << 1 | !fdb_fresh(fdb, value);
		back = back << 1 | (out == in);
	}
	// Group addresses are never learned.
	b->flood = missed & b->group;
	if (unlikely(missed & ~b->group))
		b->flood |= look_further(ctx, b, missed & ~b->group);
	// Also those that have been found only now.
	back = (back | missed) & ~b->flood;
	if (unlikely(back))
		drop_hairpin(b, back);
}
