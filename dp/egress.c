// SPDX-License-Identifier: BSD-3-Clause
// Stage egress: hands each packet to the port it leaves by, in the form that the port takes: VLAN
// tag, size, checksums and segments. Packets wait in the port's transmit buffer until the end of
// the round, unless the whole batch leaves by one port.
#include "dp/pipeline.h"

#include "dp/gate.h"
#include "dp/icmp.h"
#include "dp/offload.h"

static inline uint32_t l2_bytes(bool tagged)
{
	return RTE_ETHER_HDR_LEN + (tagged ? DP_VLAN_TAG_BYTES : 0);
}

// The size that the MTU limits, after segmentation: without the Ethernet header and its tag.
static inline uint32_t l3_bytes(const struct rte_mbuf *m, bool tagged)
{
	if (unlikely(m->ol_flags & (RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_UDP_SEG)))
		return m->l2_len + m->l3_len + m->l4_len + m->tso_segsz - l2_bytes(tagged);
	return m->pkt_len - l2_bytes(tagged);
}

// Makes the segments of a large packet fit the MTU, if the sender did not choose their size.
static bool refit(struct rte_mbuf *m, uint16_t mtu)
{
	uint32_t hdr_bytes = m->l3_len + m->l4_len;

	if (!(m->ol_flags & DP_ANY_SEGSZ) || !(m->ol_flags & RTE_MBUF_F_TX_TCP_SEG) ||
		mtu < hdr_bytes + DP_GSO_SEGSZ_MIN)
		return false;
	m->tso_segsz = mtu - hdr_bytes;
	return true;
}

// Copies a frame whose tag must change but which is shared or has no headroom.
static struct rte_mbuf *own(struct dp_context *ctx, struct rte_mbuf *m, struct dp_site *at)
{
	struct rte_mbuf *copy;

	if (likely(rte_mbuf_refcnt_read(m) == 1 && RTE_MBUF_DIRECT(m) &&
		    rte_pktmbuf_headroom(m) >= DP_VLAN_TAG_BYTES))
		return m;
	copy = rte_pktmbuf_copy(m, ctx->pool, 0, UINT32_MAX);
	if (unlikely(!copy)) {
		dp_drop(at, DP_DROP_TX_NO_BUFFER, m);
		return NULL;
	}
	rte_pktmbuf_free(m);
	return copy;
}

// Drops a frame that is too big. If it had to go through a tunnel, its sender is told what would
// fit, as a router does, since nobody in the network knows of the tunnel's overhead.
static void too_big(struct dp_context *ctx, const struct dp_snap_port *out, struct dp_site *at,
	struct rte_mbuf *m, uint16_t vlan, bool tagged)
{
	struct rte_mbuf *answer = NULL;

	if (out->tunnel)
		answer = dp_icmp_too_big(m, l2_bytes(tagged), out->mtu, ctx->pool);
	dp_drop(at, DP_DROP_TX_TOO_BIG, m);
	if (answer)
		dp_egress_one(ctx, ctx->in_id, answer, vlan, tagged);
}

// Whether a tagged frame leaves as it is where `want_tag` says whether its VLAN has one: a tag with
// a priority alone stays on a frame of no tag, unless it is what does not fit a tunnel.
static inline bool tag_stays(
	const struct dp_snap_port *out, const struct rte_mbuf *m, bool want_tag)
{
	bool priority = dp_vlan_is_priority(m);

	if (want_tag)
		return !priority;
	return priority && (!out->tunnel || l3_bytes(m, true) + DP_VLAN_TAG_BYTES <= out->mtu);
}

// The frame as it leaves by `out`; NULL: it was dropped.
static inline struct rte_mbuf *shape(struct dp_context *ctx, const struct dp_snap_port *out,
	struct dp_site *at, struct rte_mbuf *m, uint16_t vlan, bool tagged)
{
	bool want_tag = dp_snap_tags(out, vlan);

	if (unlikely(!dp_snap_carries(out, vlan))) {
		dp_drop(at, DP_DROP_TX_VLAN, m);
		return NULL;
	}
	if (unlikely(l3_bytes(m, tagged) > out->mtu) && !refit(m, out->mtu)) {
		too_big(ctx, out, at, m, vlan, tagged);
		return NULL;
	}
	if (likely(tagged ? tag_stays(out, m, want_tag) : !want_tag))
		return m;
	m = own(ctx, m, at);
	if (unlikely(!m))
		return NULL;
	if (tagged && want_tag)
		dp_vlan_set(m, vlan);
	else if (tagged)
		dp_vlan_pop(m);
	else if (unlikely(dp_vlan_push(m, vlan) < 0)) {
		dp_drop(at, DP_DROP_TX_NO_BUFFER, m);
		return NULL;
	}
	return m;
}

static void enqueue(struct dp_context *ctx, uint16_t port, struct rte_mbuf *m)
{
	struct dp_txbuf *buf = &ctx->txbuf[port];

	if (unlikely(!buf->listed)) {
		buf->listed = true;
		ctx->dirty[ctx->nb_dirty++] = port;
	}
	buf->pkt[buf->n++] = m;
	if (unlikely(buf->n == DP_BURST))
		dp_tx_flush(ctx, port);
}

void dp_egress_one(
	struct dp_context *ctx, uint16_t port, struct rte_mbuf *m, uint16_t vlan, bool tagged)
{
	const struct dp_snap_port *out = &ctx->snap->port[port];

	m = shape(ctx, out, &ctx->site[port], m, vlan, tagged);
	if (likely(m))
		enqueue(ctx, port, m);
}

static __rte_noinline void tx_with_care(
	struct dp_context *ctx, const struct dp_snap_port *out, struct rte_mbuf **pkts, uint16_t n)
{
	struct dp_port *port = out->port;
	struct dp_site *at = &ctx->site[port->id];

	if (out->tx_care & DP_TX_GATE) {
		n = dp_gate(ctx->snap->guard[port->id], ctx->snap->peers[port->id], pkts, n, at);
		if (!n)
			return;
	}
	if (out->tx_care & DP_TX_LOCK)
		rte_spinlock_lock(&port->tx_lock);
	port->tx(port, ctx->worker % port->nb_txq, pkts, n, at);
	if (out->tx_care & DP_TX_LOCK)
		rte_spinlock_unlock(&port->tx_lock);
}

static void port_tx(
	struct dp_context *ctx, const struct dp_snap_port *out, struct rte_mbuf **pkts, uint16_t n)
{
	struct dp_port *port = out->port;
	struct dp_site *at = &ctx->site[port->id];

	dp_trace(at, DP_POINT_TX, pkts, n);
	if (likely(!out->tx_care))
		port->tx(port, ctx->worker, pkts, n, at);
	else
		tx_with_care(ctx, out, pkts, n);
	if (unlikely(atomic_load_explicit(&port->failed, memory_order_relaxed)))
		ctx->calls_main = true;
}

// Transmits packets, some of which must be finished first.
static void tx_finish(
	struct dp_context *ctx, const struct dp_snap_port *out, struct rte_mbuf **pkts, uint16_t n)
{
	struct dp_site *at = &ctx->site[out->port->id];
	struct rte_mbuf *piece[DP_GSO_MAX];

	for (uint16_t i = 0; i < n; i++) {
		uint16_t pieces, sent = 0;

		pieces = dp_offload_finish(
			pkts[i], out->tx_offloads, ctx->pool, piece, DP_GSO_MAX, at);
		for (; sent < pieces; sent += RTE_MIN(pieces - sent, DP_BURST))
			port_tx(ctx, out, piece + sent, RTE_MIN(pieces - sent, DP_BURST));
	}
}

static void transmit(
	struct dp_context *ctx, const struct dp_snap_port *out, struct rte_mbuf **pkts, uint16_t n)
{
	bool fits = true;

	for (uint16_t i = 0; i < n; i++) {
		const struct rte_mbuf *m = pkts[i];

		if (unlikely((m->ol_flags & DP_OFFLOAD_FLAGS) || m->nb_segs > 1))
			fits = fits && dp_offload_fits(m, out->tx_offloads);
	}
	if (likely(fits))
		port_tx(ctx, out, pkts, n);
	else
		tx_finish(ctx, out, pkts, n);
}

void dp_tx_flush(struct dp_context *ctx, uint16_t port)
{
	struct dp_txbuf *buf = &ctx->txbuf[port];

	if (buf->n)
		transmit(ctx, &ctx->snap->port[port], buf->pkt, buf->n);
	buf->n = 0;
}

void dp_tx_flush_all(struct dp_context *ctx)
{
	for (unsigned i = 0; i < ctx->nb_dirty; i++) {
		dp_tx_flush(ctx, ctx->dirty[i]);
		ctx->txbuf[ctx->dirty[i]].listed = false;
	}
	ctx->nb_dirty = 0;
}

// Whether a frame that came by `in` may leave by `out`, or a drop reason. An entry may outlive its
// port by a moment, and the port's number may have a new owner.
static inline int refusal(const struct dp_snap_port *in, const struct dp_snap_port *out)
{
	if (unlikely(out->bridge != in->bridge))
		return DP_DROP_NO_BRIDGE;
	if (likely(!(in->apart & out->apart)))
		return -1;
	return in->apart & out->apart & DP_APART_TUNNEL ? DP_DROP_TUNNEL_TO_TUNNEL
							: DP_DROP_ISOLATED;
}

// Gives all packets of a uniform batch the form in which they leave by `out`. False, with nothing
// done: each packet must be looked at.
static inline bool shape_all(struct dp_batch *b, const struct dp_snap_port *out)
{
	bool tagged = b->tagged, want_tag;
	uint16_t vlan = b->common;

	if (unlikely(!b->alike || !b->whole || !dp_snap_carries(out, vlan) ||
		     b->longest_bytes > l2_bytes(tagged) + out->mtu))
		return false;
	want_tag = dp_snap_tags(out, vlan);
	if (likely(want_tag == tagged))
		return true;
	if (unlikely(!b->unshared))
		return false;
	if (want_tag)
		return dp_vlan_push_all(b->pkt, b->n, vlan);
	dp_vlan_pop_all(b->pkt, b->n);
	return true;
}

// Packets [from, to) of the batch leave by the same port.
static void egress_run(struct dp_context *ctx, struct dp_batch *b, uint16_t from, uint16_t to)
{
	uint16_t port = fdb_value_port(b->entry[from]), n = 0;
	const struct dp_snap_port *out = &ctx->snap->port[port];
	struct rte_mbuf *ready[DP_BURST];
	bool alone = from == 0 && to == b->n && !ctx->txbuf[port].n;
	int reason = port < ctx->snap->nb_ports ? refusal(b->in, out) : DP_DROP_NO_BRIDGE;

	if (unlikely(reason >= 0)) {
		dp_drop_burst(b->in_at, reason, b->pkt + from, to - from);
		return;
	}
	for (uint16_t i = from; out->tunnel && i < to; i++)
		dp_set_remote(b->pkt[i], fdb_value_remote(b->entry[b->together ? 0 : i]));
	if (likely(alone && shape_all(b, out))) {
		port_tx(ctx, out, b->pkt, to);
		return;
	}
	for (uint16_t i = from; i < to; i++) {
		struct rte_mbuf *m = shape(ctx, out, &ctx->site[port], b->pkt[i],
			dp_batch_vlan(b, i), b->tagged >> i & 1);

		if (likely(m))
			ready[n++] = m;
	}
	if (alone && n) {
		transmit(ctx, out, ready, n);
		return;
	}
	for (uint16_t i = 0; i < n; i++)
		enqueue(ctx, port, ready[i]);
}

static inline bool same_port(uint64_t a, uint64_t b)
{
	return fdb_value_port(a) == fdb_value_port(b);
}

void dp_stage_egress(struct dp_context *ctx, struct dp_batch *b)
{
	uint16_t from = 0, to;

	if (likely(b->together)) {
		egress_run(ctx, b, 0, b->n);
		return;
	}
	for (; from < b->n; from = to) {
		for (to = from + 1; to < b->n && same_port(b->entry[to], b->entry[from]);)
			to++;
		egress_run(ctx, b, from, to);
	}
}
