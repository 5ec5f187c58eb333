// SPDX-License-Identifier: BSD-3-Clause
#include "dp/pipeline.h"

#include <rte_cycles.h>

#define SAMPLE_EVERY 32 // batches; reading the clock around each stage would cost more than some

struct dp_stage {
	const char *name;
	void (*run)(struct dp_context *ctx, struct dp_batch *b);
	bool (*needed)(const struct dp_batch *b); // NULL: always
};

static bool has_guard(const struct dp_batch *b)
{
	return b->in->guarded;
}

static bool has_flood(const struct dp_batch *b)
{
	return b->flood;
}

static bool has_questions(const struct dp_batch *b)
{
	return b->flood && !b->in->tunnel &&
	       atomic_load_explicit(b->in->bridge->neigh, memory_order_relaxed);
}

static const struct dp_stage stages[DP_NB_STAGES] = {
	[DP_STAGE_PARSE] = {"parse", dp_stage_parse},
	[DP_STAGE_GUARD] = {"guard", dp_stage_guard, has_guard},
	[DP_STAGE_LEARN] = {"learn", dp_stage_learn},
	[DP_STAGE_LOOKUP] = {"lookup", dp_stage_lookup},
	[DP_STAGE_SUPPRESS] = {"suppress", dp_stage_suppress, has_questions},
	[DP_STAGE_FLOOD] = {"flood", dp_stage_flood, has_flood},
	[DP_STAGE_EGRESS] = {"egress", dp_stage_egress},
};

const char *dp_point_name(unsigned point)
{
	return point < DP_NB_STAGES ? stages[point].name : "tx";
}

void dp_batch_remove(struct dp_batch *b, uint64_t gone)
{
	uint64_t tagged = 0, group = 0, flood = 0;
	uint16_t n = 0;

	for (uint16_t i = 0; i < b->n; i++) {
		if (gone >> i & 1)
			continue;
		b->pkt[n] = b->pkt[i];
		b->src[n] = b->src[i];
		b->dst[n] = b->dst[i];
		b->src_bucket[n] = b->src_bucket[i];
		b->dst_bucket[n] = b->dst_bucket[i];
		b->vlan[n] = b->vlan[i];
		b->entry[n] = b->entry[i];
		tagged |= (b->tagged >> i & 1) << n;
		group |= (b->group >> i & 1) << n;
		flood |= (b->flood >> i & 1) << n;
		n++;
	}
	b->tagged = tagged;
	b->group = group;
	b->flood = flood;
	b->n = n;
}

void dp_batch_spread(struct dp_batch *b)
{
	for (uint16_t i = 1; b->one_pair && i < b->n; i++) {
		b->src[i] = b->src[0];
		b->dst[i] = b->dst[0];
		b->src_bucket[i] = b->src_bucket[0];
		b->dst_bucket[i] = b->dst_bucket[0];
	}
	b->one_pair = false;
}

void dp_pipeline_run(struct dp_context *ctx, struct dp_batch *b)
{
	bool watched = ctx->batches++ % SAMPLE_EVERY == 0 || dp_trace_of(b->in_at);

	ctx->in_id = b->in_id;
	ctx->batch_sizes[31 - __builtin_clz(b->n)]++;
	for (unsigned s = 0; s < DP_NB_STAGES && b->n; s++) {
		uint16_t n = b->n;
		uint64_t begin;

		if (stages[s].needed && !stages[s].needed(b))
			continue;
		ctx->stage[s].calls++;
		ctx->stage[s].packets += n;
		if (likely(!watched)) {
			stages[s].run(ctx, b);
			continue;
		}
		dp_trace(b->in_at, s, b->pkt, n);
		begin = rte_rdtsc();
		stages[s].run(ctx, b);
		ctx->stage[s].cycles += rte_rdtsc() - begin;
		ctx->stage[s].cycles_packets += n;
	}
}
