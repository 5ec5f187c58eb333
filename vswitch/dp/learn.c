// SPDX-License-Identifier: BSD-3-Clause
// Stage learn: remembers behind which port each source address is. An address that is known as it
// is costs one bucket read and no store. As a rule that is all of the batch, so the first loop has
// no branch.
#include "vswitch/dp/pipeline.h"

// Learns what may be learned of the packets `other`; drops those from addresses that nobody has.
static void learn_others(
	struct dp_context *ctx, struct dp_batch *b, const struct fdb_source *source, uint64_t other)
{
	uint64_t gone = 0;

	for (uint64_t left = other; left; left &= left - 1)
		rte_prefetch0(fdb_alternate(ctx->table->index, b->src[__builtin_ctzll(left)]));
	for (; other; other &= other - 1) {
		unsigned i = __builtin_ctzll(other);

		if (likely(!(b->src[i] & DP_GROUP_BIT) && (b->src[i] & FDB_MAC_MASK))) {
			fdb_learn(ctx->fdb, ctx->table, b->src[i], source, &ctx->fdb_cnt);
			continue;
		}
		dp_drop(b->in_cnt, DP_DROP_SRC_INVALID, b->pkt[i]);
		gone |= 1ull << i;
	}
	if (unlikely(gone))
		dp_batch_remove(b, gone);
}

void dp_stage_learn(struct dp_context *ctx, struct dp_batch *b)
{
	const struct dp_snap_port *in = b->in;
	uint16_t generation =
		atomic_load_explicit(&ctx->fdb->generation[b->in_id], memory_order_relaxed);
	struct fdb_source source = {
		.port = b->in_id,
		.bridge = in->bridge->id,
		.port_limit = in->fdb_limit,
		.bridge_limit = in->bridge->fdb_limit,
		.bridge_ports = in->bridge->nb_members,
		.now_s = ctx->now_s,
		.value = fdb_value(b->in_id, ctx->now_s, generation, 0),
	};

	uint64_t other = 0;

	for (uint16_t i = b->n; i-- > 0;)
		other = other << 1 | (fdb_bucket_get(b->src_bucket[i], b->src[i]) != source.value);
	if (unlikely(other))
		learn_others(ctx, b, &source, other);
}
