// SPDX-License-Identifier: BSD-3-Clause
// Stage flood: broadcast, multicast and unknown unicast go to every other port of the bridge that
// carries the VLAN. Ports that want the frame as it is share one buffer by reference; ports that
// want it with its tag added or taken off share one copy.
#include "base/limits.h"
#include "dp/pipeline.h"

static bool wants(
	const struct dp_context *ctx, const struct dp_batch *b, uint16_t id, uint16_t vlan)
{
	const struct dp_snap_port *out = &ctx->snap->port[id];

	return id != b->in_id && dp_snap_carries(out, vlan) && !(b->in->apart & out->apart);
}

// A private copy of the frame with its tag added, given its VLAN (`priority`), or taken off. NULL
// without buffers.
static struct rte_mbuf *retagged(
	struct dp_context *ctx, const struct rte_mbuf *m, uint16_t vlan, bool tagged, bool priority)
{
	struct rte_mbuf *copy = rte_pktmbuf_copy(m, ctx->pool, 0, UINT32_MAX);

	if (unlikely(!copy))
		return NULL;
	if (priority)
		dp_vlan_set(copy, vlan);
	else if (tagged)
		dp_vlan_pop(copy);
	else
		dp_vlan_push(copy, vlan); // a fresh buffer has headroom
	return copy;
}

static void flood_to(
	struct dp_context *ctx, uint16_t id, struct rte_mbuf *m, uint16_t vlan, bool tagged)
{
	if (ctx->snap->port[id].tunnel)
		dp_set_remote(m, DP_REMOTE_ALL);
	dp_egress_one(ctx, id, m, vlan, tagged);
}

static void flood_one(struct dp_context *ctx, struct dp_batch *b, unsigned i)
{
	const struct dp_snap_bridge *bridge = b->in->bridge;
	struct rte_mbuf *m = b->pkt[i], *copy = NULL;
	bool tagged = b->tagged >> i & 1, priority = tagged && dp_vlan_is_priority(m);
	bool is_of_vlan = tagged && !priority; // by its tag
	uint16_t vlan = dp_batch_vlan(b, i), same = 0, other = 0;

	for (unsigned k = 0; k < bridge->nb_members; k++) {
		uint16_t id = bridge->member[k];

		if (!wants(ctx, b, id, vlan))
			continue;
		if (dp_snap_tags(&ctx->snap->port[id], vlan) == is_of_vlan)
			same++;
		else
			other++;
	}
	if (other) {
		copy = retagged(ctx, m, vlan, tagged, priority);
		if (copy && other > 1)
			rte_pktmbuf_refcnt_update(copy, other - 1);
		if (!copy)
			dp_drop_count(b->in_at, DP_DROP_FLOOD_NO_BUFFER, m, 1);
	}
	if (same > 1)
		rte_pktmbuf_refcnt_update(m, same - 1);
	for (unsigned k = 0; k < bridge->nb_members; k++) {
		uint16_t id = bridge->member[k];

		if (!wants(ctx, b, id, vlan))
			continue;
		if (dp_snap_tags(&ctx->snap->port[id], vlan) == is_of_vlan)
			flood_to(ctx, id, m, vlan, tagged);
		else if (copy)
			flood_to(ctx, id, copy, vlan, priority || !tagged);
	}
	if (!same && !other)
		dp_drop(b->in_at, DP_DROP_FLOOD_NOWHERE, m);
	else if (!same)
		rte_pktmbuf_free(m); // only copies left
}

// How many frames a packet is: of a large segment, those that it will be cut into.
static uint32_t frames_of(const struct rte_mbuf *m)
{
	uint32_t hdr_bytes = m->l2_len + m->l3_len + m->l4_len;

	if (likely(!(m->ol_flags & (RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_UDP_SEG))) ||
		!m->tso_segsz || m->pkt_len <= hdr_bytes)
		return 1;
	return (m->pkt_len - hdr_bytes + m->tso_segsz - 1) / m->tso_segsz;
}

// To how many remotes the tunnels of the bridge send a frame.
static uint64_t nb_remotes(const struct dp_context *ctx, const struct dp_snap_bridge *bridge)
{
	uint64_t sum = 0;

	for (unsigned k = 0; k < bridge->nb_members; k++) {
		const struct dp_snap_port *out = &ctx->snap->port[bridge->member[k]];

		if (out->tunnel)
			sum += atomic_load_explicit(&out->port->nb_remotes, memory_order_relaxed);
	}
	return sum;
}

// What the port may have flooded in a second comes back with each second, and not more than that.
static void refill(struct dp_flooded *f, uint64_t room, uint32_t now_s)
{
	uint64_t back = (now_s - f->second) * room;

	f->spent -= RTE_MIN(f->spent, back);
	f->second = now_s;
}

// Drops what is more than the port may have flooded. Returns what is left. A frame becomes as many
// as there are remote hosts, so one container could load all of them: to more than
// FLOOD_LIMIT_HOSTS it counts for each. One to more hosts than the room of a second passes when
// nothing is spent, and the seconds that it has taken are waited for.
static uint64_t within_limit(struct dp_context *ctx, struct dp_batch *b)
{
	struct dp_flooded *f = &ctx->flooded[b->in_id];
	uint64_t room = (uint64_t)ctx->snap->flood_limit[b->in_id] * FLOOD_LIMIT_HOSTS,
		 left = b->flood;
	uint64_t cost;

	if (likely(!room))
		return left;
	refill(f, room, ctx->now_s);
	cost = RTE_MAX(nb_remotes(ctx, b->in->bridge), (uint64_t)FLOOD_LIMIT_HOSTS);
	for (uint64_t rest = left; rest; rest &= rest - 1) {
		unsigned i = __builtin_ctzll(rest);
		uint32_t frames = frames_of(b->pkt[i]);

		if (f->spent + frames * RTE_MIN(cost, room) <= room) {
			f->spent += frames * cost;
			continue;
		}
		left &= ~(1ull << i);
		dp_drop(b->in_at, DP_DROP_FLOOD_LIMIT, b->pkt[i]);
	}
	return left;
}

void dp_stage_flood(struct dp_context *ctx, struct dp_batch *b)
{
	uint64_t left = within_limit(ctx, b);

	while (left) {
		unsigned i = __builtin_ctzll(left);

		left &= left - 1;
		flood_one(ctx, b, i);
	}
	dp_batch_remove(b, b->flood);
}
