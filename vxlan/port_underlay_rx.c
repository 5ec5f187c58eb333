// SPDX-License-Identifier: BSD-3-Clause
// Receiving on the underlay `port`. Packets that are as expected take a straight path, which reads
// headers by words; all others take a slow one that says why not.
#include <rte_ip.h>
#include <rte_prefetch.h>

#include "dp/checksum.h"
#include "dp/icmp.h"
#include "dp/offload.h"
#include "dp/resolve.h"
#include "vxlan/port_underlay_io.h"

#define PREFETCH_AHEAD 4
#define RX_TRIES       4    // batches of which nothing is left, in one rx()
#define IP4_PLAIN      0x45 // version 4, no options
#define UDP_MIN	       (UDP_BYTES + VXLAN_HDR_BYTES + VXLAN_FRAME_MIN)

static inline unsigned ip_header_bytes(bool ip6)
{
	return ip6 ? IP6_BYTES : IP4_BYTES;
}

// ---- the slow path ----

// Where a received packet belongs.
struct inner {
	struct vxlan_addr from;
	uint32_t vni;
	uint32_t bytes; // of the frame inside
	unsigned ecn;	// outside
};

static inline unsigned ecn_of(const uint8_t *ip, bool ip6)
{
	return ip6 ? ecn_of_ip6(ip) : ecn_of_ip4(ip);
}

static bool is_ours(const struct port_underlay *u, const struct rte_mbuf *m)
{
	return !memcmp(rte_pktmbuf_mtod(m, const void *), &u->mac, sizeof(u->mac));
}

static bool has_l3(const struct rte_mbuf *m, bool ip6)
{
	return m->data_len >= L3_OFF + ip_header_bytes(ip6);
}

// Whether the packet is of UDP and for the VTEP's address. `ip_bytes` of its header are there.
static bool is_our_udp(const struct port_underlay *u, const uint8_t *ip)
{
	if (u->ip6)
		return ip[0] >> 4 == 6 && ip[6] == IPPROTO_UDP && !memcmp(ip + 24, u->ip.byte, 16);
	return ip[0] >> 4 == 4 && ip[9] == IPPROTO_UDP && !memcmp(ip + 16, u->ip.byte, 4);
}

// No options, no fragment, lengths that agree. Sets the UDP datagram's size.
static bool has_plain_header(
	const struct rte_mbuf *m, const uint8_t *ip, bool ip6, uint32_t *ret_udp_bytes)
{
	uint32_t l3_bytes = load_be16(ip + (ip6 ? 4 : 2)) + (ip6 ? IP6_BYTES : 0);
	uint32_t header_bytes = ip_header_bytes(ip6);

	if (!ip6 &&
		(ip[0] != IP4_PLAIN ||
			load16(ip + 6) & be16(RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK) ||
			dp_sum(ip, IP4_BYTES) != 0xffff))
		return false;
	if (l3_bytes < header_bytes + UDP_BYTES || l3_bytes > m->pkt_len - L3_OFF ||
		m->data_len < L3_OFF + header_bytes + UDP_BYTES)
		return false;
	*ret_udp_bytes = l3_bytes - header_bytes;
	return load_be16(ip + header_bytes + 4) == *ret_udp_bytes;
}

// Whether the UDP checksum is right, or missing, as a tunnel's may be over IPv6 as well (RFC 6935,
// section 5): a header that came to the wrong host or was changed names no remote of the VNI.
static bool has_udp_checksum(
	const struct rte_mbuf *m, const uint8_t *ip, bool ip6, uint32_t udp_bytes)
{
	uint32_t l4_off = L3_OFF + ip_header_bytes(ip6);
	uint32_t addr_off = ip6 ? L3_OFF + 8 : L3_OFF + 12, addr_bytes = ip6 ? 32 : 8;

	if (!load16(ip + ip_header_bytes(ip6) + 6))
		return true;
	if ((m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_GOOD)
		return true;
	// Of a port whose packets are not finished: it holds the sum of the pseudo header.
	if ((m->ol_flags & RTE_MBUF_F_TX_L4_MASK) == RTE_MBUF_F_TX_UDP_CKSUM)
		return m->l2_len + m->l3_len == l4_off;
	return dp_sum_fold((uint64_t)dp_sum_mbuf(m, addr_off, addr_bytes) + be16(udp_bytes) +
			   be16(IPPROTO_UDP) + dp_sum_mbuf(m, l4_off, udp_bytes)) == 0xffff;
}

// Returns -1 when the packet is VXLAN for this VTEP, else why it is to be dropped.
static int read_outer(
	const struct port_underlay *u, const struct rte_mbuf *m, struct inner *ret_inner)
{
	const uint8_t *data = rte_pktmbuf_mtod(m, const uint8_t *), *ip = data + L3_OFF;
	unsigned header_bytes = ip_header_bytes(u->ip6);
	uint16_t type = u->ip6 ? RTE_ETHER_TYPE_IPV6 : RTE_ETHER_TYPE_IPV4;
	uint32_t udp_bytes;

	if (!has_l3(m, u->ip6) || load16(data + L3_OFF - 2) != be16(type) || !is_our_udp(u, ip))
		return DP_DROP_TUNNEL_OTHER;
	if (!has_plain_header(m, ip, u->ip6, &udp_bytes))
		return DP_DROP_TUNNEL_OUTER;
	if (load16(ip + header_bytes + 2) != be16(u->udp_port))
		return DP_DROP_TUNNEL_OTHER;
	if (!has_udp_checksum(m, ip, u->ip6, udp_bytes))
		return DP_DROP_TUNNEL_OUTER;
	if (udp_bytes < UDP_MIN || m->data_len < u->header_bytes + VXLAN_FRAME_MIN ||
		!vxlan_read(ip + header_bytes + UDP_BYTES, udp_bytes - UDP_BYTES, &ret_inner->vni))
		return DP_DROP_TUNNEL_HEADER;
	ret_inner->from = u->ip6 ? vxlan_addr_of_ip6(ip + 8) : vxlan_addr_of_ip4(load32(ip + 12));
	ret_inner->bytes = udp_bytes - UDP_BYTES - VXLAN_HDR_BYTES;
	ret_inner->ecn = ecn_of(ip, u->ip6);
	return -1;
}

// What waits to be sent by rx() itself.
struct answers {
	struct rte_mbuf *pkt[DP_BURST];
	uint16_t n;
};

static void consume(struct rte_mbuf *m, struct dp_site *at)
{
	at->rx_packets++;
	at->rx_bytes += m->pkt_len;
}

// ARP and neighbour discovery. Returns true when that is what it was.
static bool resolve(
	struct port_underlay *u, struct rte_mbuf *m, struct answers *answers, struct dp_site *at)
{
	struct dp_resolve r;
	enum dp_resolve_kind kind = dp_resolve_parse(m, &r);
	bool asks = kind == DP_RESOLVE_REQUEST || kind == DP_RESOLVE_PROBE;

	if (kind == DP_RESOLVE_NONE || r.l3_off != L3_OFF || r.target.family != u->ip.family)
		return false;
	if (asks && !ip_equal(&r.target, &u->ip))
		return false;
	if (!is_ours(u, m) && !(*rte_pktmbuf_mtod(m, uint8_t *) & 1))
		return false;
	consume(m, at);
	if (!asks)
		port_hop_learn(u, &r.target, &r.mac, r.keep, at);
	else if (kind == DP_RESOLVE_REQUEST && !mac_is_zero(&r.mac))
		port_hop_learn(u, &r.sender, &r.mac, false, at);
	if (asks && dp_resolve_answer(m, &r, &u->mac) == 0)
		answers->pkt[answers->n++] = m;
	else
		rte_pktmbuf_free(m);
	return true;
}

static bool is_our_echo(const struct port_underlay *u, const struct rte_mbuf *m)
{
	const uint8_t *ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, L3_OFF);

	return has_l3(m, u->ip6) && is_ours(u, m) &&
	       !memcmp(ip + (u->ip6 ? 24 : 16), u->ip.byte, u->ip6 ? 16 : 4);
}

// Whatever is not for a VNI: answered, learned from, or dropped.
static void treat_other(struct port_underlay *u, struct rte_mbuf *m, enum dp_drop_reason reason,
	struct answers *answers, struct dp_site *at)
{
	if (reason != DP_DROP_TUNNEL_OTHER || !is_writable(m) || m->data_len < RTE_ETHER_HDR_LEN) {
		dp_drop(at, m->data_len < RTE_ETHER_HDR_LEN ? DP_DROP_RX_SHORT : reason, m);
	} else if (is_our_echo(u, m) && dp_icmp_echo(m, L3_OFF)) {
		consume(m, at);
		answers->pkt[answers->n++] = m;
	} else if (!resolve(u, m, answers, at)) {
		dp_drop(at, reason, m);
	}
}

// Takes the outer headers off, and what may be behind the outer packet.
static void strip(struct rte_mbuf *m, uint16_t header_bytes, uint32_t inner_bytes)
{
	rte_pktmbuf_adj(m, header_bytes);
	if (m->pkt_len > inner_bytes)
		rte_pktmbuf_trim(m, m->pkt_len - inner_bytes);
	m->ol_flags &= ~(DP_OFFLOAD_FLAGS | RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IPV6);
	m->tx_offload = 0;
}

static bool trim_fits(const struct rte_mbuf *m, uint16_t header_bytes, uint32_t inner_bytes)
{
	uint32_t extra = m->pkt_len - header_bytes - inner_bytes;

	return rte_pktmbuf_lastseg((struct rte_mbuf *)m)->data_len > extra;
}

// Returns true when the packet is one for a VNI after all.
static bool treat_odd(struct port_underlay *u, const struct vxlan_table *table, struct rte_mbuf *m,
	struct answers *answers, struct dp_site *at)
{
	const struct vxlan_source *source;
	struct inner inner;
	int reason = m->data_len < RTE_ETHER_HDR_LEN || !is_ours(u, m) ? DP_DROP_TUNNEL_OTHER
								       : read_outer(u, m, &inner);

	if (reason < 0 && !trim_fits(m, u->header_bytes, inner.bytes))
		reason = DP_DROP_TUNNEL_OUTER;
	if (reason >= 0) {
		treat_other(u, m, reason, answers, at);
		return false;
	}
	source = vxlan_table_find(table, inner.from, inner.vni);
	if (!source || !source->remote) {
		dp_drop(at,
			vxlan_table_has_vni(table, inner.vni) ? DP_DROP_TUNNEL_SOURCE
							      : DP_DROP_TUNNEL_VNI,
			m);
		return false;
	}
	strip(m, u->header_bytes, inner.bytes);
	if (ecn_matters(inner.ecn) && !ecn_decap_mbuf(m, inner.ecn)) {
		dp_drop(at, DP_DROP_TUNNEL_ECN, m);
		return false;
	}
	dp_set_input(m, source->port);
	dp_set_remote(m, source->remote);
	return true;
}

// Treats the packets `odd` of a batch one by one; returns how many there are now.
static uint16_t treat_all_odd(struct port_underlay *u, const struct vxlan_table *table,
	struct rte_mbuf **pkts, uint16_t n, uint64_t odd, struct dp_site *at)
{
	struct answers answers;
	uint16_t kept = 0;

	answers.n = 0;
	for (uint16_t i = 0; i < n; i++) {
		if (!(odd >> i & 1) || treat_odd(u, table, pkts[i], &answers, at))
			pkts[kept++] = pkts[i];
	}
	if (answers.n)
		port_underlay_send(u, answers.pkt, answers.n, at);
	return kept;
}

// ---- the straight path ----

// Zero when the packet is plain VXLAN for this VTEP, without a mark that matters inside. Loads may
// go beyond a short one's end, not beyond its buffer. With IPv6 the checksum is still to be looked
// at.
static __rte_always_inline uint64_t compare_outer(
	const struct port_underlay *u, const struct rte_mbuf *m, const uint8_t *p, const bool ip6)
{
	const uint8_t *ip = p + L3_OFF, *udp = ip + (ip6 ? IP6_BYTES : IP4_BYTES);
	uint32_t udp_bytes = load_be16(udp + 4), l3_bytes;
	uint64_t differs = 0;

	for (unsigned k = 0; k < (ip6 ? 8 : 6); k++)
		differs |= (load64(p + 8 * k) ^ u->want[k]) & u->mask[k];
	l3_bytes = load_be16(ip + (ip6 ? 4 : 2)) + (ip6 ? IP6_BYTES : 0);
	differs |= l3_bytes ^ (udp_bytes + (ip6 ? IP6_BYTES : IP4_BYTES));
	differs |= (udp_bytes < UDP_MIN) | (m->pkt_len < L3_OFF + l3_bytes) | (m->nb_segs ^ 1);
	differs |= m->ol_flags & DP_OFFLOAD_FLAGS;
	if (!ip6)
		differs |= dp_sum_fold((uint64_t)load32(ip) + load32(ip + 4) + load32(ip + 8) +
				       load32(ip + 12) + load32(ip + 16)) ^
			   0xffff;
	return differs;
}

static __rte_always_inline uint16_t decap(struct port_underlay *u, const struct vxlan_table *table,
	struct rte_mbuf **pkts, uint16_t n, struct dp_site *at, const bool ip6)
{
	const uint16_t header_bytes = HEADER_BYTES(ip6 ? IP6_BYTES : IP4_BYTES);
	struct vxlan_addr from[DP_BURST];
	uint32_t vni[DP_BURST];
	uint64_t odd = 0;

	for (uint16_t i = 0; i < n && i < PREFETCH_AHEAD; i++)
		rte_prefetch0(rte_pktmbuf_mtod(pkts[i], void *));
	for (uint16_t i = 0; i < n; i++) {
		const struct rte_mbuf *m = pkts[i];
		const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);

		if (i + PREFETCH_AHEAD < n)
			rte_prefetch0(rte_pktmbuf_mtod(pkts[i + PREFETCH_AHEAD], void *));
		odd |= (uint64_t)(compare_outer(u, m, p, ip6) != 0) << i;
		from[i] = ip6 ? vxlan_addr_of_ip6(p + L3_OFF + 8)
			      : vxlan_addr_of_ip4(load32(p + L3_OFF + 12));
		vni[i] = load_be32(p + header_bytes - 4) >> 8;
		rte_prefetch0(
			&table->source[vxlan_source_hash(from[i], vni[i]) & table->source_mask]);
	}
	for (uint16_t i = 0; i < n; i++) {
		struct rte_mbuf *m = pkts[i];
		const uint8_t *ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, L3_OFF);
		const struct vxlan_source *source;
		uint16_t udp_bytes;

		if (unlikely(odd >> i & 1))
			continue;
		udp_bytes = load_be16(ip + (ip6 ? IP6_BYTES : IP4_BYTES) + 4);
		source = vxlan_table_find(table, from[i], vni[i]);
		if (unlikely(!source || !source->remote) ||
			(ip6 && unlikely(!has_udp_checksum(m, ip, true, udp_bytes)))) {
			odd |= 1ull << i;
			continue;
		}
		m->data_off += header_bytes;
		m->data_len = udp_bytes - UDP_BYTES - VXLAN_HDR_BYTES;
		m->pkt_len = m->data_len;
		dp_set_input(m, source->port);
		dp_set_remote(m, source->remote);
	}
	return likely(!odd) ? n : treat_all_odd(u, table, pkts, n, odd, at);
}

// ---- trains ----

// Bytes of the largest packet that `m` becomes when it is cut.
static uint32_t piece_bytes(const struct rte_mbuf *m)
{
	return m->l2_len + m->l3_len + m->l4_len + m->tso_segsz;
}

// Puts a batch aside with the trains in it cut: some ports hand on several datagrams as one.
static void cut_trains(struct port_underlay *u, struct port_pieces *pieces, struct rte_mbuf **pkts,
	uint16_t n, struct dp_site *at)
{
	pieces->next = pieces->count = 0;
	for (uint16_t i = 0; i < n; i++) {
		struct rte_mbuf *m = pkts[i];
		bool big =
			piece_bytes(m) + RTE_PKTMBUF_HEADROOM > rte_pktmbuf_data_room_size(u->pool);

		if (!(m->ol_flags & RTE_MBUF_F_TX_UDP_SEG)) {
			pieces->pkt[pieces->count++] = m;
			continue;
		}
		pieces->count += dp_offload_finish(m, 0, big ? u->big_pool : u->pool,
			pieces->pkt + pieces->count, PORT_TRAIN_MAX, at);
	}
}

static uint16_t take_pieces(struct port_pieces *pieces, struct rte_mbuf **pkts, uint16_t n)
{
	n = RTE_MIN(n, pieces->count - pieces->next);
	memcpy(pkts, pieces->pkt + pieces->next, n * sizeof(*pkts));
	pieces->next += n;
	return n;
}

static uint16_t lower_rx(struct port_underlay *u, uint16_t queue, struct rte_mbuf **pkts,
	uint16_t n, struct dp_site *at)
{
	struct port_pieces *pieces = &u->pieces[queue];
	uint64_t flags = 0;
	uint16_t got;

	if (unlikely(pieces->next < pieces->count))
		return take_pieces(pieces, pkts, n);
	got = u->lower->rx(u->lower, queue, pkts, n, at);
	for (uint16_t i = 0; i < got; i++)
		flags |= pkts[i]->ol_flags;
	if (likely(!(flags & RTE_MBUF_F_TX_UDP_SEG)))
		return got;
	cut_trains(u, pieces, pkts, got, at);
	return take_pieces(pieces, pkts, n);
}

uint16_t port_underlay_rx(struct dp_port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n,
	struct dp_site *at)
{
	struct vtep *vtep = (struct vtep *)port;
	struct port_underlay *u = vtep->port;
	const struct vxlan_table *table = atomic_load_explicit(&vtep->table, memory_order_acquire);
	uint16_t got, count;
	unsigned tries = RX_TRIES;
	int failed;

	// A full batch of which nothing is left does not say that the queue is empty. But the
	// worker has other queues, whatever is sent to this one.
	do {
		got = lower_rx(u, queue, pkts, n, at);
		count = u->ip6 ? decap(u, table, pkts, got, at, true)
			       : decap(u, table, pkts, got, at, false);
	} while (unlikely(!count && got == n) && --tries);
	failed = atomic_load_explicit(&u->lower->failed, memory_order_relaxed);
	if (unlikely(failed))
		dp_port_fail(port, failed);
	return count;
}
