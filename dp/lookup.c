// SPDX-License-Identifier: BSD-3-Clause
// Stage lookup: finds the forwarding entry of each destination address, which names its port, or
// marks the packet to be flooded.
#include "dp/pipeline.h"

#define ONE_WAY (~FDB_AGE_MASK) // equal in entries that send packets the same way

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

		b->entry[i] = fdb_bucket_get(alternate[i], b->dst[i]);
		unknown |= (uint64_t)!fdb_fresh(ctx->fdb, b->entry[i]) << i;
	}
	return unknown;
}

// Drops those of the packets `odd` whose way out is the port they came in by.
static void drop_hairpin(struct dp_batch *b, uint64_t odd)
{
	uint64_t gone = 0;

	for (; odd; odd &= odd - 1) {
		unsigned i = __builtin_ctzll(odd);

		if (fdb_value_port(b->entry[i]) != b->in_id)
			continue;
		dp_drop(b->in_at, DP_DROP_HAIRPIN, b->pkt[i]);
		gone |= 1ull << i;
	}
	if (gone)
		dp_batch_remove(b, gone);
}

static void spread_entry(struct dp_batch *b)
{
	for (uint16_t i = 1; b->one_pair && i < b->n; i++)
		b->entry[i] = b->entry[0];
	dp_batch_spread(b);
}

// Batches with several ways out, or none.
static void judge_each(const struct dp_context *ctx, struct dp_batch *b)
{
	uint64_t missed = 0, back = 0;

	for (uint16_t i = b->n; i-- > 0;) {
		missed = missed << 1 | !fdb_fresh(ctx->fdb, b->entry[i]);
		back = back << 1 | (fdb_value_port(b->entry[i]) == b->in_id);
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

void dp_stage_lookup(struct dp_context *ctx, struct dp_batch *b)
{
	uint64_t first = fdb_bucket_get(b->dst_bucket[0], b->dst[0]), differ = 0;
	uint16_t n = b->one_pair ? 1 : b->n;

	for (uint16_t i = 0; i < n; i++) {
		uint64_t entry = fdb_bucket_get(b->dst_bucket[i], b->dst[i]);

		b->entry[i] = entry;
		differ |= entry ^ first;
	}
	b->together = !(differ & ONE_WAY) && fdb_fresh(ctx->fdb, first) &&
		      fdb_value_port(first) != b->in_id;
	if (unlikely(!b->together)) {
		spread_entry(b);
		judge_each(ctx, b);
	}
}
