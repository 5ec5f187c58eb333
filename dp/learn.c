// SPDX-License-Identifier: BSD-3-Clause
// Stage learn: remembers the port that each source address is behind, and for a tunnel's port the
// remote switch. A known, unchanged address costs one bucket read and no store. Usually all of the
// batch is known, so the first loop only counts such addresses.
#include "dp/pipeline.h"

// Behind a tunnel's port, the value to be learned is that of the remote as well.
static inline uint64_t value_of(
	const struct dp_batch *b, const struct fdb_source *source, unsigned i, bool tunnel)
{
	return tunnel ? source->value | fdb_remote(dp_remote(b->pkt[i])) : source->value;
}

static inline bool all_known(const struct dp_batch *b, const struct fdb_source *source, bool tunnel)
{
	fdb_tally known = fdb_tally_none();
	uint16_t n = b->one_pair ? 1 : b->n;

	for (uint16_t i = 0; i < n; i++)
		known = fdb_tally_add(
			known, b->src_bucket[i], b->src[i], value_of(b, source, i, tunnel));
	return fdb_tally_sum(known) == n;
}

static uint64_t not_known(const struct dp_batch *b, const struct fdb_source *source)
{
	uint64_t other = 0;

	for (uint16_t i = b->n; i-- > 0;)
		other = other << 1 | (fdb_bucket_get(b->src_bucket[i], b->src[i]) !=
					     value_of(b, source, i, b->in->tunnel));
	return other;
}

// Learns what may be learned of the packets `other`; drops those from addresses that nobody has.
static void learn_others(
	struct dp_context *ctx, struct dp_batch *b, const struct fdb_source *source, uint64_t other)
{
	struct fdb_source own = *source; // of a packet
	uint64_t gone = 0;

	for (uint64_t left = other; left; left &= left - 1)
		rte_prefetch0(fdb_alternate(ctx->table->index, b->src[__builtin_ctzll(left)]));
	for (; other; other &= other - 1) {
		unsigned i = __builtin_ctzll(other);

		if (unlikely((b->src[i] & DP_GROUP_BIT) || !(b->src[i] & FDB_MAC_MASK))) {
			dp_drop(b->in_at, DP_DROP_SRC_INVALID, b->pkt[i]);
			gone |= 1ull << i;
			continue;
		}
		own.value = value_of(b, source, i, b->in->tunnel);
		if (likely(!b->in->no_learning))
			fdb_learn(ctx->fdb, ctx->table, b->src[i], &own, &ctx->fdb_cnt);
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
	bool known;

	if (unlikely(in->tunnel)) // frames of one source may come from several remotes
		dp_batch_spread(b);
	known = in->tunnel ? all_known(b, &source, true) : all_known(b, &source, false);

	if (unlikely(!known)) {
		dp_batch_spread(b);
		learn_others(ctx, b, &source, not_known(b, &source));
	}
}
