// SPDX-License-Identifier: BSD-3-Clause
#include "dp/pipeline.h"

#include <rte_cycles.h>

#define SAMPLE_EVERY 32 // batches; reading the clock around each stage would cost more than some

static bool guarded(const struct dp_batch *b)
{
	return b->in->guarded;
}

static bool flooded(const struct dp_batch *b)
{
	return b->flood;
}

static bool questions(const struct dp_batch *b)
{
	return b->flood && !b->in->tunnel &&
	       atomic_load_explicit(b->in->bridge->neigh, memory_order_relaxed);
}

#define all NULL

static const struct {
	void (*run)(struct dp_context *ctx, struct dp_batch *b);
	bool (*needed)(const struct dp_batch *b); // NULL: always
} stages[DP_NB_STAGES] = {
#define X(symbol, name, fn, needed_by, help) [DP_STAGE_##symbol] = {fn, needed_by},
	DP_STAGES(X)
#undef X
};

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

// `watched`: somebody wants to know what the stages do, or what they cost.
static __rte_always_inline void run(struct dp_context *ctx, struct dp_batch *b, bool watched,
	enum dp_stage_id from, enum dp_stage_id end)
{
	for (unsigned s = from; s < end && b->n; s++) {
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

static bool is_watched(const struct dp_context *ctx, const struct dp_batch *b)
{
	return ctx->batches % SAMPLE_EVERY == 0 || dp_trace_of(b->in_at);
}

static void run_on_bridge(struct dp_context *ctx, struct dp_batch *b)
{
	bool watched = is_watched(ctx, b);

	ctx->batches++;
	ctx->in_id = b->in_id;
	ctx->batch_sizes[31 - __builtin_clz(b->n)]++;
	run(ctx, b, watched, DP_STAGE_FIRST, DP_NB_STAGES);
}

void dp_pipeline_run(struct dp_context *ctx, struct dp_batch *b)
{
	if (likely(b->in->bridge)) {
		run_on_bridge(ctx, b);
		return;
	}
	run(ctx, b, is_watched(ctx, b), 0, DP_STAGE_FIRST);
	while (dp_demux_next(ctx, b))
		run_on_bridge(ctx, b);
}
