// SPDX-License-Identifier: BSD-3-Clause
// Transmitting on the underlay `port`. Packets that are as expected take a straight path, which
// writes headers by words; all others take a slow one.
#include <rte_prefetch.h>

#include "dp/checksum.h"
#include "vxlan/port_underlay_io.h"
#include "vxlan/train.h"

void port_underlay_send(
	struct port_underlay *u, struct rte_mbuf **pkts, uint16_t n, struct dp_site *at)
{
	rte_spinlock_lock(&u->lower->tx_lock);
	u->lower->tx(u->lower, u->shared_queue, pkts, n, at);
	rte_spinlock_unlock(&u->lower->tx_lock);
}

struct outgoing {
	struct port_underlay *u;
	const struct port_routes *routes;
	struct dp_site *at;
	uint64_t vxlan; // the header
	uint64_t care;	// see marking_care()
	struct vxlan_marking marking;
	uint16_t queue, n;
	struct rte_mbuf *pkt[DP_BURST];
};

static void flush(struct outgoing *out)
{
	struct port_underlay *u = out->u;
	struct dp_port *lower = u->lower;
	uint64_t before = out->at->tx_packets, sent;
	uint16_t n = out->n, joined;

	if (unlikely(u->trains))
		n = train_join(out->pkt, n);
	if (u->own_queues)
		lower->tx(lower, out->queue, out->pkt, n, out->at);
	else
		port_underlay_send(u, out->pkt, n, out->at);
	// The VNI's packets and bytes are those inside. When the lower port has dropped some,
	// nobody knows of how many frames: a train counts as one then.
	sent = out->at->tx_packets - before;
	joined = sent == n ? out->n - n : 0;
	out->at->tx_packets += joined;
	out->at->tx_bytes -= sent * u->header_bytes + joined * VXLAN_HDR_BYTES;
	out->n = 0;
}

// Fills the outer UDP checksum, or leaves that to the lower port.
static void put_checksum(const struct port_underlay *u, const struct port_route *route,
	struct rte_mbuf *m, uint16_t l4_off, uint16_t udp_bytes)
{
	uint8_t *field = rte_pktmbuf_mtod_offset(m, uint8_t *, l4_off + 6);
	uint64_t pseudo = (uint64_t)route->addr_sum + be16(IPPROTO_UDP) + be16(udp_bytes);
	uint16_t sum;

	if (u->half_checksum) {
		store16(field, dp_sum_fold(pseudo));
		m->ol_flags |= RTE_MBUF_F_TX_UDP_CKSUM |
			       (u->ip6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4);
		m->tx_offload = 0;
		m->l2_len = L3_OFF;
		m->l3_len = l4_off - L3_OFF;
		return;
	}
	sum = ~dp_sum_fold(pseudo + dp_sum_mbuf(m, l4_off, udp_bytes));
	store16(field, sum ? sum : 0xffff);
}

// Puts the outer headers before a packet that has room for them; the next hop's address is in
// `word`.
static __rte_always_inline void put_header(const struct outgoing *out,
	const struct port_route *route, uint64_t word, struct rte_mbuf *m, uint32_t flow_hash,
	const bool ip6)
{
	const struct port_underlay *u = out->u;
	const uint16_t ip_bytes = ip6 ? IP6_BYTES : IP4_BYTES,
		       header_bytes = HEADER_BYTES(ip_bytes);
	uint16_t udp_bytes = m->pkt_len + UDP_BYTES + VXLAN_HDR_BYTES;
	uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *) - header_bytes, *ip = p + L3_OFF;
	uint8_t *udp = ip + ip_bytes;
	uint64_t first = (word & PORT_HOP_MAC) | u->mac_tail;

	memcpy(p, u->header, header_bytes);
	memcpy(p, &first, sizeof(first));
	if (ip6) {
		store16(ip + 4, be16(udp_bytes));
		memcpy(ip + 24, route->dst, 16);
	} else {
		uint16_t l3_bytes = be16(udp_bytes + IP4_BYTES);

		// The template has the sum of what is the same in all, in the checksum's place.
		store16(ip + 10, ~dp_sum_fold((uint64_t)load16(u->header + L3_OFF + 10) +
					      route->addr_sum + l3_bytes));
		store16(ip + 2, l3_bytes);
		memcpy(ip + 16, route->dst, 4);
	}
	store16(udp, be16(vxlan_src_port(flow_hash)));
	store16(udp + 4, be16(udp_bytes));
	memcpy(udp + UDP_BYTES, &out->vxlan, sizeof(out->vxlan));
	m->data_off -= header_bytes;
	m->data_len += header_bytes;
	m->pkt_len += header_bytes;
	if (u->checksum)
		put_checksum(u, route, m, L3_OFF + ip_bytes, udp_bytes);
}

// The outer header is not as most are.
static __rte_noinline void mark(const struct outgoing *out, struct rte_mbuf *m, uint64_t flow)
{
	const struct port_underlay *u = out->u;

	marking_write(rte_pktmbuf_mtod_offset(m, uint8_t *, L3_OFF), u->ip6,
		marking_of(out->marking, flow, m, u->header_bytes));
}

static __rte_always_inline void encap(
	struct outgoing *out, uint16_t remote, struct rte_mbuf *m, uint64_t flow, const bool ip6)
{
	const struct port_route *route =
		&out->routes->route[remote < out->routes->nb_routes ? remote : 0];
	uint64_t word = atomic_load_explicit(&route->hop->word, memory_order_relaxed);

	put_header(out, route, word, m, (uint32_t)flow, ip6);
	if (unlikely(flow & out->care))
		mark(out, m, flow);
	if (unlikely(!(word & PORT_HOP_VALID))) {
		port_hop_wait(out->u, route->hop, m, out->at);
		return;
	}
	out->pkt[out->n++] = m;
	if (unlikely(out->n == DP_BURST))
		flush(out);
}

// A packet with the bytes of `m` that has room in front. Takes over one reference to `m`.
static struct rte_mbuf *with_room(struct port_underlay *u, struct rte_mbuf *m)
{
	uint32_t need = m->pkt_len + u->header_bytes + RTE_PKTMBUF_HEADROOM;
	bool big = !u->chains && need > rte_pktmbuf_data_room_size(u->pool);
	struct rte_mbuf *head = rte_pktmbuf_alloc(big ? u->big_pool : u->pool);

	if (unlikely(!head))
		return NULL;
	if (u->chains) {
		head->next = m;
		head->nb_segs = m->nb_segs + 1;
		head->pkt_len = m->pkt_len;
		return head;
	}
	if (unlikely(m->pkt_len > rte_pktmbuf_tailroom(head))) {
		rte_pktmbuf_free(head);
		return NULL;
	}
	for (const struct rte_mbuf *seg = m; seg; seg = seg->next)
		memcpy(rte_pktmbuf_append(head, seg->data_len), rte_pktmbuf_mtod(seg, void *),
			seg->data_len);
	rte_pktmbuf_free(m);
	return head;
}

// A packet that goes to several, is not ours alone, or has no room for headers.
static void encap_odd(
	struct outgoing *out, const struct vxlan_table *table, struct vni *vni, struct rte_mbuf *m)
{
	struct port_underlay *u = out->u;
	const struct vxlan_flood *flood;
	uint16_t one = dp_remote(m);
	const uint16_t *remote = &one;
	uint32_t count = 1;
	uint64_t flow;

	if (m->pkt_len > u->plain_bytes) {
		dp_drop(out->at, DP_DROP_TX_TOO_BIG, m);
		return;
	}
	if (one == DP_REMOTE_ALL) {
		flood = vxlan_table_flood(table, vni->index, vni->number);
		count = flood ? flood->count : 0;
		remote = count ? table->flooded + flood->first : NULL;
	}
	if (!count) {
		dp_drop(out->at, DP_DROP_TUNNEL_NO_REMOTE, m);
		return;
	}
	flow = vxlan_flow(rte_pktmbuf_mtod(m, const uint8_t *), m->data_len);
	if (count > 1)
		rte_pktmbuf_refcnt_update(m, count - 1);
	for (uint32_t i = 0; i < count; i++) {
		bool has_room = is_writable(m) && m->data_off >= u->header_bytes;
		struct rte_mbuf *copy = has_room ? m : with_room(u, m);

		if (unlikely(!copy))
			dp_drop(out->at, DP_DROP_TX_NO_BUFFER, m);
		else if (u->ip6)
			encap(out, remote[i], copy, flow, true);
		else
			encap(out, remote[i], copy, flow, false);
	}
}

static __rte_always_inline void encap_all(struct outgoing *out, const struct vxlan_table *table,
	struct vni *vni, struct rte_mbuf **pkts, uint16_t n, const bool ip6)
{
	const uint16_t header_bytes = HEADER_BYTES(ip6 ? IP6_BYTES : IP4_BYTES);

	for (uint16_t i = 0; i < n; i++) {
		struct rte_mbuf *m = pkts[i];
		uint16_t remote = dp_remote(m);
		bool plain = (remote != DP_REMOTE_ALL) & (rte_mbuf_refcnt_read(m) == 1) &
			     RTE_MBUF_DIRECT(m) & (m->data_off >= header_bytes) &
			     (m->pkt_len <= out->u->plain_bytes);

		if (likely(plain))
			encap(out, remote, m,
				vxlan_flow(rte_pktmbuf_mtod(m, const uint8_t *), m->data_len), ip6);
		else
			encap_odd(out, table, vni, m);
	}
}

void port_underlay_tx(struct dp_port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n,
	struct dp_site *at)
{
	struct vni *vni = (struct vni *)port;
	struct port_underlay *u = vni->vtep->port;
	const struct vxlan_table *table =
		atomic_load_explicit(&vni->vtep->table, memory_order_acquire);
	struct outgoing out;

	out.u = u;
	out.routes = atomic_load_explicit(&u->routes, memory_order_acquire);
	out.at = at;
	out.marking = vni_marking(vni);
	out.care = marking_care(out.marking);
	out.queue = queue;
	out.n = 0;
	vxlan_write((uint8_t *)&out.vxlan, vni->number);
	for (uint16_t i = 0; i < n; i++)
		rte_prefetch0(&out.routes->route[dp_remote(pkts[i])]);
	if (u->ip6)
		encap_all(&out, table, vni, pkts, n, true);
	else
		encap_all(&out, table, vni, pkts, n, false);
	if (out.n)
		flush(&out);
}

void port_underlay_send_to(struct port_underlay *u, uint16_t remote, uint32_t vni,
	struct vxlan_marking marking, struct rte_mbuf *m, uint32_t flow)
{
	struct outgoing out;

	out.u = u;
	out.routes = atomic_load_explicit(&u->routes, memory_order_acquire);
	out.at = &u->main_at;
	out.marking = marking;
	out.care = marking_care(marking);
	out.n = 0;
	vxlan_write((uint8_t *)&out.vxlan, vni);
	encap(&out, remote, m, flow | VXLAN_FLOW_ANY, u->ip6);
	if (out.n)
		port_underlay_send(u, out.pkt, out.n, out.at);
}
