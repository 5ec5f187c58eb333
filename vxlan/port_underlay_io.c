// SPDX-License-Identifier: BSD-3-Clause
// What workers do on the underlay `port`. Both directions have a straight path for the packets that
// are as expected, which reads and writes headers by words, and a slow one that says why not.
#include <netinet/in.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_prefetch.h>
#include <rte_udp.h>

#include "dp/checksum.h"
#include "dp/icmp.h"
#include "dp/offload.h"
#include "dp/resolve.h"
#include "vxlan/codec.h"
#include "vxlan/port_underlay.h"
#include "vxlan/train.h"

#define PREFETCH_AHEAD	       4
#define RX_TRIES	       4 // batches of which nothing is left, in one rx()
#define L3_OFF		       RTE_ETHER_HDR_LEN
#define IP4_BYTES	       20
#define IP6_BYTES	       40
#define UDP_BYTES	       8
#define IP4_PLAIN	       0x45 // version 4, no options
#define UDP_MIN		       (UDP_BYTES + VXLAN_HDR_BYTES + VXLAN_FRAME_MIN)
#define HEADER_BYTES(ip_bytes) (L3_OFF + (ip_bytes) + UDP_BYTES + VXLAN_HDR_BYTES)

static inline uint16_t load16(const uint8_t *p)
{
	uint16_t value;

	memcpy(&value, p, sizeof(value));
	return value;
}

static inline uint32_t load32(const uint8_t *p)
{
	uint32_t value;

	memcpy(&value, p, sizeof(value));
	return value;
}

static inline uint64_t load64(const uint8_t *p)
{
	uint64_t value;

	memcpy(&value, p, sizeof(value));
	return value;
}

static inline void store16(uint8_t *p, uint16_t value)
{
	memcpy(p, &value, sizeof(value));
}

static inline uint16_t be16(uint16_t value)
{
	return rte_cpu_to_be_16(value);
}

static inline unsigned ip_header_bytes(bool ip6)
{
	return ip6 ? IP6_BYTES : IP4_BYTES;
}

void port_underlay_send(
	struct port_underlay *u, struct rte_mbuf **pkts, uint16_t n, struct dp_counters *cnt)
{
	rte_spinlock_lock(&u->lower->tx_lock);
	u->lower->tx(u->lower, u->shared_queue, pkts, n, cnt);
	rte_spinlock_unlock(&u->lower->tx_lock);
}

// ---- next hops ----

// What waits for `hop` goes to the address in `word`.
static void hop_release(
	struct port_underlay *u, struct port_hop *hop, uint64_t word, struct dp_counters *cnt)
{
	struct rte_mbuf *ready[PORT_HOP_WAITING];
	uint16_t n = 0;

	for (unsigned i = 0; i < PORT_HOP_WAITING; i++) {
		struct rte_mbuf *m = atomic_exchange(&hop->waiting[i], NULL);

		if (!m)
			continue;
		memcpy(rte_pktmbuf_mtod(m, void *), &word, RTE_ETHER_ADDR_LEN);
		ready[n++] = m;
	}
	if (n)
		port_underlay_send(u, ready, n, cnt);
}

// Puts a packet aside until the next hop is known, or drops it.
static void hop_wait(
	struct port_underlay *u, struct port_hop *hop, struct rte_mbuf *m, struct dp_counters *cnt)
{
	uint64_t word = atomic_load(&hop->word);
	bool waits = false;

	for (unsigned i = 0; i < PORT_HOP_WAITING && !(word & PORT_HOP_FAILED) && !waits; i++) {
		struct rte_mbuf *none = NULL;

		waits = atomic_compare_exchange_strong(&hop->waiting[i], &none, m);
	}
	if (!waits) {
		dp_drop(cnt, hop == &u->nowhere ? DP_DROP_TUNNEL_NO_REMOTE : DP_DROP_TUNNEL_DOWN,
			m);
		return;
	}
	// It may have become known in between.
	word = atomic_load(&hop->word);
	if (word & PORT_HOP_VALID)
		hop_release(u, hop, word, cnt);
}

// Somebody has said that `ip` is at `mac` (zero: where it was). `keep`: not if it was elsewhere.
static void hop_learn(struct port_underlay *u, const struct ip_addr *ip, const struct mac *mac,
	bool keep, struct dp_counters *cnt)
{
	const struct port_routes *routes = atomic_load_explicit(&u->routes, memory_order_acquire);
	struct port_hop *hop = port_hop_find(routes, ip);
	uint64_t word = PORT_HOP_VALID | PORT_HOP_CONFIRMED, old;
	uint64_t address = 0;

	if (!hop)
		return;
	memcpy(&address, mac, sizeof(*mac));
	old = atomic_load(&hop->word);
	if (old & PORT_HOP_STATIC)
		return;
	if (!address || (keep && old & PORT_HOP_VALID && (old & PORT_HOP_MAC) != address)) {
		if (!address && old & PORT_HOP_VALID)
			atomic_fetch_or(&hop->word, PORT_HOP_CONFIRMED);
		return;
	}
	word |= address;
	old = atomic_exchange(&hop->word, word);
	if (!(old & PORT_HOP_VALID))
		hop_release(u, hop, word, cnt);
}

// ---- receiving: the slow path ----

// Where a received packet belongs.
struct inner {
	struct vxlan_addr from;
	uint32_t vni;
	uint32_t bytes; // of the frame inside
};

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
	uint32_t l3_bytes = rte_be_to_cpu_16(load16(ip + (ip6 ? 4 : 2))) + (ip6 ? IP6_BYTES : 0);
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
	return rte_be_to_cpu_16(load16(ip + header_bytes + 4)) == *ret_udp_bytes;
}

// Whether the UDP checksum is right, or may be missing.
static bool has_udp_checksum(
	const struct rte_mbuf *m, const uint8_t *ip, bool ip6, uint32_t udp_bytes)
{
	uint32_t l4_off = L3_OFF + ip_header_bytes(ip6);
	uint32_t addr_off = ip6 ? L3_OFF + 8 : L3_OFF + 12, addr_bytes = ip6 ? 32 : 8;

	if (!load16(ip + ip_header_bytes(ip6) + 6))
		return !ip6; // RFC 8200, 8.1
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
	return -1;
}

// What waits to be sent by rx() itself.
struct answers {
	struct rte_mbuf *pkt[DP_BURST];
	uint16_t n;
};

static void consume(struct rte_mbuf *m, struct dp_counters *cnt)
{
	cnt->rx_packets++;
	cnt->rx_bytes += m->pkt_len;
}

// ARP and neighbour discovery. Returns true when that is what it was.
static bool resolve(struct port_underlay *u, struct rte_mbuf *m, struct answers *answers,
	struct dp_counters *cnt)
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
	consume(m, cnt);
	if (!asks)
		hop_learn(u, &r.target, &r.mac, r.keep, cnt);
	else if (kind == DP_RESOLVE_REQUEST && !mac_is_zero(&r.mac))
		hop_learn(u, &r.sender, &r.mac, false, cnt);
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

static bool is_writable(const struct rte_mbuf *m)
{
	return rte_mbuf_refcnt_read(m) == 1 && RTE_MBUF_DIRECT(m);
}

// Whatever is not for a VNI: answered, learned from, or dropped.
static void treat_other(struct port_underlay *u, struct rte_mbuf *m, enum dp_drop_reason reason,
	struct answers *answers, struct dp_counters *cnt)
{
	if (reason != DP_DROP_TUNNEL_OTHER || !is_writable(m) || m->data_len < RTE_ETHER_HDR_LEN) {
		dp_drop(cnt, m->data_len < RTE_ETHER_HDR_LEN ? DP_DROP_RX_SHORT : reason, m);
	} else if (is_our_echo(u, m) && dp_icmp_echo(m, L3_OFF)) {
		consume(m, cnt);
		answers->pkt[answers->n++] = m;
	} else if (!resolve(u, m, answers, cnt)) {
		dp_drop(cnt, reason, m);
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
	struct answers *answers, struct dp_counters *cnt)
{
	const struct vxlan_source *source;
	struct inner inner;
	int reason = m->data_len < RTE_ETHER_HDR_LEN || !is_ours(u, m) ? DP_DROP_TUNNEL_OTHER
								       : read_outer(u, m, &inner);

	if (reason < 0 && !trim_fits(m, u->header_bytes, inner.bytes))
		reason = DP_DROP_TUNNEL_OUTER;
	if (reason >= 0) {
		treat_other(u, m, reason, answers, cnt);
		return false;
	}
	source = vxlan_table_find(table, inner.from, inner.vni);
	if (!source || !source->remote) {
		dp_drop(cnt,
			vxlan_table_has_vni(table, inner.vni) ? DP_DROP_TUNNEL_SOURCE
							      : DP_DROP_TUNNEL_VNI,
			m);
		return false;
	}
	strip(m, u->header_bytes, inner.bytes);
	dp_set_input(m, source->port);
	dp_set_remote(m, source->remote);
	return true;
}

// Treats the packets `odd` of a batch one by one; returns how many there are now.
static uint16_t treat_all_odd(struct port_underlay *u, const struct vxlan_table *table,
	struct rte_mbuf **pkts, uint16_t n, uint64_t odd, struct dp_counters *cnt)
{
	struct answers answers;
	uint16_t kept = 0;

	answers.n = 0;
	for (uint16_t i = 0; i < n; i++) {
		if (!(odd >> i & 1) || treat_odd(u, table, pkts[i], &answers, cnt))
			pkts[kept++] = pkts[i];
	}
	if (answers.n)
		port_underlay_send(u, answers.pkt, answers.n, cnt);
	return kept;
}

// ---- receiving: the straight path ----

// Zero when the packet is plain VXLAN for this VTEP. Loads may go beyond a short one's end, not
// beyond its buffer. With IPv6 the checksum is still to be looked at.
static __rte_always_inline uint64_t compare_outer(
	const struct port_underlay *u, const struct rte_mbuf *m, const uint8_t *p, const bool ip6)
{
	const uint8_t *ip = p + L3_OFF, *udp = ip + (ip6 ? IP6_BYTES : IP4_BYTES);
	uint32_t udp_bytes = rte_be_to_cpu_16(load16(udp + 4)), l3_bytes;
	uint64_t differs = 0;

	for (unsigned k = 0; k < (ip6 ? 8 : 6); k++)
		differs |= (load64(p + 8 * k) ^ u->want[k]) & u->mask[k];
	l3_bytes = rte_be_to_cpu_16(load16(ip + (ip6 ? 4 : 2))) + (ip6 ? IP6_BYTES : 0);
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
	struct rte_mbuf **pkts, uint16_t n, struct dp_counters *cnt, const bool ip6)
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
		vni[i] = rte_be_to_cpu_32(load32(p + header_bytes - 4)) >> 8;
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
		udp_bytes = rte_be_to_cpu_16(load16(ip + (ip6 ? IP6_BYTES : IP4_BYTES) + 4));
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
	return likely(!odd) ? n : treat_all_odd(u, table, pkts, n, odd, cnt);
}

// ---- receiving: trains ----

// Bytes of the largest packet that `m` becomes when it is cut.
static uint32_t piece_bytes(const struct rte_mbuf *m)
{
	return m->l2_len + m->l3_len + m->l4_len + m->tso_segsz;
}

// Puts a batch aside with the trains in it cut: some ports hand on several datagrams as one.
static void cut_trains(struct port_underlay *u, struct port_pieces *pieces, struct rte_mbuf **pkts,
	uint16_t n, struct dp_counters *cnt)
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
			pieces->pkt + pieces->count, PORT_TRAIN_MAX, cnt);
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
	uint16_t n, struct dp_counters *cnt)
{
	struct port_pieces *pieces = &u->pieces[queue];
	uint64_t flags = 0;
	uint16_t got;

	if (unlikely(pieces->next < pieces->count))
		return take_pieces(pieces, pkts, n);
	got = u->lower->rx(u->lower, queue, pkts, n, cnt);
	for (uint16_t i = 0; i < got; i++)
		flags |= pkts[i]->ol_flags;
	if (likely(!(flags & RTE_MBUF_F_TX_UDP_SEG)))
		return got;
	cut_trains(u, pieces, pkts, got, cnt);
	return take_pieces(pieces, pkts, n);
}

uint16_t port_underlay_rx(struct dp_port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n,
	struct dp_counters *cnt)
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
		got = lower_rx(u, queue, pkts, n, cnt);
		count = u->ip6 ? decap(u, table, pkts, got, cnt, true)
			       : decap(u, table, pkts, got, cnt, false);
	} while (unlikely(!count && got == n) && --tries);
	failed = atomic_load_explicit(&u->lower->failed, memory_order_relaxed);
	if (unlikely(failed))
		dp_port_fail(port, failed);
	return count;
}

// ---- transmitting ----

struct outgoing {
	struct port_underlay *u;
	const struct port_routes *routes;
	struct dp_counters *cnt;
	uint64_t vxlan; // the header
	uint16_t queue, n;
	struct rte_mbuf *pkt[DP_BURST];
};

static void flush(struct outgoing *out)
{
	struct port_underlay *u = out->u;
	struct dp_port *lower = u->lower;
	uint64_t before = out->cnt->tx_packets, sent;
	uint16_t n = out->n, joined;

	if (unlikely(u->trains))
		n = train_join(out->pkt, n);
	if (u->own_queues)
		lower->tx(lower, out->queue, out->pkt, n, out->cnt);
	else
		port_underlay_send(u, out->pkt, n, out->cnt);
	// The VNI's packets and bytes are those inside. When the lower port has dropped some,
	// nobody knows of how many frames: a train counts as one then.
	sent = out->cnt->tx_packets - before;
	joined = sent == n ? out->n - n : 0;
	out->cnt->tx_packets += joined;
	out->cnt->tx_bytes -= sent * u->header_bytes + joined * VXLAN_HDR_BYTES;
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

static __rte_always_inline void encap(struct outgoing *out, uint16_t remote, struct rte_mbuf *m,
	uint32_t flow_hash, const bool ip6)
{
	const struct port_route *route =
		&out->routes->route[remote < out->routes->nb_routes ? remote : 0];
	uint64_t word = atomic_load_explicit(&route->hop->word, memory_order_relaxed);

	put_header(out, route, word, m, flow_hash, ip6);
	if (unlikely(!(word & PORT_HOP_VALID))) {
		hop_wait(out->u, route->hop, m, out->cnt);
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
	uint32_t count = 1, hash;

	if (m->pkt_len > u->plain_bytes) {
		dp_drop(out->cnt, DP_DROP_TX_TOO_BIG, m);
		return;
	}
	if (one == DP_REMOTE_ALL) {
		flood = vxlan_table_flood(table, vni->index, vni->number);
		count = flood ? flood->count : 0;
		remote = count ? table->flooded + flood->first : NULL;
	}
	if (!count) {
		dp_drop(out->cnt, DP_DROP_TUNNEL_NO_REMOTE, m);
		return;
	}
	hash = vxlan_flow_hash(rte_pktmbuf_mtod(m, const uint8_t *), m->data_len);
	if (count > 1)
		rte_pktmbuf_refcnt_update(m, count - 1);
	for (uint32_t i = 0; i < count; i++) {
		bool has_room = is_writable(m) && m->data_off >= u->header_bytes;
		struct rte_mbuf *copy = has_room ? m : with_room(u, m);

		if (unlikely(!copy))
			dp_drop(out->cnt, DP_DROP_TX_NO_BUFFER, m);
		else if (u->ip6)
			encap(out, remote[i], copy, hash, true);
		else
			encap(out, remote[i], copy, hash, false);
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
				vxlan_flow_hash(rte_pktmbuf_mtod(m, const uint8_t *), m->data_len),
				ip6);
		else
			encap_odd(out, table, vni, m);
	}
}

void port_underlay_tx(struct dp_port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n,
	struct dp_counters *cnt)
{
	struct vni *vni = (struct vni *)port;
	struct port_underlay *u = vni->vtep->port;
	const struct vxlan_table *table =
		atomic_load_explicit(&vni->vtep->table, memory_order_acquire);
	struct outgoing out;

	out.u = u;
	out.routes = atomic_load_explicit(&u->routes, memory_order_acquire);
	out.cnt = cnt;
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

void port_underlay_send_to(
	struct port_underlay *u, uint16_t remote, uint32_t vni, struct rte_mbuf *m, uint32_t flow)
{
	struct outgoing out;

	out.u = u;
	out.routes = atomic_load_explicit(&u->routes, memory_order_acquire);
	out.cnt = &u->main_cnt;
	out.n = 0;
	vxlan_write((uint8_t *)&out.vxlan, vni);
	encap(&out, remote, m, flow, u->ip6);
	if (out.n)
		port_underlay_send(u, out.pkt, out.n, out.cnt);
}
