// SPDX-License-Identifier: BSD-3-Clause
// Stage gro, and what it does to a batch (gro.h).
//
// Works like Linux's tcp_gro_receive() and inet_gro_receive(), with one difference: it merges only
// what segmentation restores exactly.
#include "dp/gro.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_tcp.h>

#include "base/bytes.h"
#include "dp/checksum.h"
#include "dp/dp_port.h"
#include "dp/offload.h"
#include "dp/pipeline.h"

#define FLOWS	     8 // followed at a time
#define L3_BYTES_MAX 65535
#define FRAGMENT     (RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK)

// A frame of TCP over IP without options.
struct frame {
	struct rte_mbuf *m;
	uint8_t *l3, *l4;
	uint64_t key; // ports and addresses, the latter folded
	uint32_t hdr_bytes, payload_bytes;
	uint8_t l2_bytes, l3_bytes, l4_bytes;
	bool is_ip6;
	bool partial; // its TCP checksum is not filled yet
	bool plain; // may be part of a train: payload, no padding, no flags other than ACK and PSH
};

// A flow and its growing train. The flow is kept for its next train after a train has ended.
struct train {
	struct frame first;
	struct rte_mbuf *last; // buffer
	uint32_t next_seq, payload_bytes;
	uint16_t last_id, id_step; // IPv4
	uint16_t count;		   // of frames
	uint8_t flags;		   // of TCP, of the last frame
	bool open;
};

struct flows {
	unsigned count, recent, oldest;
	struct train train[FLOWS];
};

static inline uint8_t tcp_flags(const struct frame *f)
{
	return f->l4[offsetof(struct rte_tcp_hdr, tcp_flags)];
}

// ---- what a frame is ----

// Finds the IP header behind at most one VLAN tag. Returns its ethertype, 0 when there is none.
static inline rte_be16_t find_l3(struct rte_mbuf *m, struct frame *f)
{
	uint8_t *bytes = rte_pktmbuf_mtod(m, uint8_t *);
	rte_be16_t type;

	f->l2_bytes = RTE_ETHER_HDR_LEN;
	if (m->data_len < f->l2_bytes + RTE_VLAN_HLEN)
		return 0;
	type = load16(bytes + 2 * RTE_ETHER_ADDR_LEN);
	if (type == rte_cpu_to_be_16(RTE_ETHER_TYPE_VLAN)) {
		f->l2_bytes += RTE_VLAN_HLEN;
		type = load16(bytes + f->l2_bytes - sizeof(type));
	}
	f->m = m;
	f->l3 = bytes + f->l2_bytes;
	return type;
}

// Returns the length of the IP packet by its header; 0: it is not TCP over IP without options.
static inline uint32_t parse_ip4(struct frame *f)
{
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)f->l3;

	f->l3_bytes = sizeof(*ip);
	if (f->m->data_len < f->l2_bytes + sizeof(*ip) || ip->next_proto_id != IPPROTO_TCP ||
		ip->version_ihl != RTE_IPV4_VHL_DEF ||
		ip->fragment_offset & rte_cpu_to_be_16(FRAGMENT))
		return 0;
	f->is_ip6 = false;
	f->key = (uint64_t)(ip->src_addr + ip->dst_addr) << 32;
	return rte_be_to_cpu_16(ip->total_length);
}

static inline uint32_t parse_ip6(struct frame *f)
{
	const struct rte_ipv6_hdr *ip = (const struct rte_ipv6_hdr *)f->l3;

	f->l3_bytes = sizeof(*ip);
	if (f->m->data_len < f->l2_bytes + sizeof(*ip) || ip->proto != IPPROTO_TCP ||
		f->l3[0] >> 4 != 6)
		return 0;
	f->is_ip6 = true;
	f->key = (uint64_t)(load32(ip->src_addr + 12) + load32(ip->dst_addr + 12)) << 32;
	return sizeof(*ip) + rte_be_to_cpu_16(ip->payload_len);
}

// Returns whether the frame belongs to a flow, with its description.
static inline bool parse(struct rte_mbuf *m, struct frame *f)
{
	rte_be16_t type = find_l3(m, f);
	uint64_t todo = m->ol_flags & DP_OFFLOAD_FLAGS;
	uint32_t ip_bytes = 0;

	if (type == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4))
		ip_bytes = parse_ip4(f);
	else if (type == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV6))
		ip_bytes = parse_ip6(f);
	if (!ip_bytes || m->data_len < f->l2_bytes + f->l3_bytes + sizeof(struct rte_tcp_hdr))
		return false;
	f->l4 = f->l3 + f->l3_bytes;
	f->l4_bytes = (f->l4[offsetof(struct rte_tcp_hdr, data_off)] >> 4) * 4;
	f->hdr_bytes = f->l2_bytes + f->l3_bytes + f->l4_bytes;
	f->payload_bytes = m->pkt_len - f->hdr_bytes;
	f->key |= load32(f->l4);
	f->partial = todo == RTE_MBUF_F_TX_TCP_CKSUM;
	// Its first buffer has payload, so no buffer of a train is empty.
	f->plain = (!todo || f->partial) && f->l4_bytes >= sizeof(struct rte_tcp_hdr) &&
		   m->data_len > f->hdr_bytes && f->l2_bytes + ip_bytes == m->pkt_len &&
		   (tcp_flags(f) & ~RTE_TCP_PSH_FLAG) == RTE_TCP_ACK_FLAG;
	return true;
}

// ---- what goes together ----

static inline bool equal(const uint8_t *a, const uint8_t *b, uint32_t from, uint32_t to)
{
	return memcmp(a + from, b + from, to - from) == 0;
}

static bool same_flow(const struct frame *a, const struct frame *b)
{
	const uint8_t *l2_a = a->l3 - a->l2_bytes, *l2_b = b->l3 - b->l2_bytes;

	if (a->key != b->key || a->is_ip6 != b->is_ip6 || a->l2_bytes != b->l2_bytes)
		return false;
	return dp_input(a->m) == dp_input(b->m) && dp_remote(a->m) == dp_remote(b->m) &&
	       equal(l2_a, l2_b, 0, RTE_ETHER_HDR_LEN) &&
	       load32(a->l3 - RTE_VLAN_HLEN) == load32(b->l3 - RTE_VLAN_HLEN) &&
	       (a->is_ip6 ? equal(a->l3, b->l3, offsetof(struct rte_ipv6_hdr, src_addr), 40)
			  : equal(a->l3, b->l3, offsetof(struct rte_ipv4_hdr, src_addr), 20));
}

// Compares the fields of the IP header, other than addresses, that are equal in a whole train.
static inline bool same_ip(const struct frame *a, const struct frame *b)
{
	if (a->is_ip6) // version, class, label; next header, hop limit
		return equal(a->l3, b->l3, 0, 4) && equal(a->l3, b->l3, 6, 8);
	return equal(a->l3, b->l3, 0, 2) && // version, length, type of service
	       equal(a->l3, b->l3, 6, 10);  // fragmentation, time to live, protocol
}

static inline bool same_tcp(const struct frame *a, const struct frame *b)
{
	return equal(a->l4, b->l4, 8, 13) &&	     // acknowledgement, data offset
	       equal(a->l4, b->l4, 14, 16) &&	     // window
	       equal(a->l4, b->l4, 18, a->l4_bytes); // urgent pointer, options
}

static inline uint16_t ip4_id(const struct frame *f)
{
	return rte_be_to_cpu_16(((const struct rte_ipv4_hdr *)f->l3)->packet_id);
}

static inline bool id_follows(const struct train *t, const struct frame *f)
{
	uint16_t step;

	if (f->is_ip6)
		return true;
	step = ip4_id(f) - t->last_id;
	if (t->count > 1)
		return step == t->id_step;
	return step == 1 || (step == 0 && ((const struct rte_ipv4_hdr *)f->l3)->fragment_offset &
						  rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG));
}

static inline uint32_t tcp_seq(const struct frame *f)
{
	return rte_be_to_cpu_32(((const struct rte_tcp_hdr *)f->l4)->sent_seq);
}

// Whether the frame continues the train.
static bool follows(const struct train *t, const struct frame *f)
{
	return t->open && f->plain && tcp_seq(f) == t->next_seq &&
	       f->payload_bytes <= t->first.payload_bytes && same_ip(&t->first, f) &&
	       same_tcp(&t->first, f) && id_follows(t, f) &&
	       t->first.l3_bytes + t->first.l4_bytes + t->payload_bytes + f->payload_bytes <=
		       L3_BYTES_MAX &&
	       t->first.m->nb_segs + f->m->nb_segs <= DP_TX_SEGS;
}

// ---- checksums ----

// The sum over the pseudo header, with its length.
static inline uint16_t pseudo_sum(const struct frame *f)
{
	return f->is_ip6 ? rte_ipv6_phdr_cksum((const struct rte_ipv6_hdr *)f->l3, 0)
			 : rte_ipv4_phdr_cksum((const struct rte_ipv4_hdr *)f->l3, 0);
}

// Whether `field` is the checksum of data whose sum, including it, is `sum`. 0xffff is as correct
// as 0, but segmentation writes 0.
static inline bool is_right(uint16_t sum, uint16_t field)
{
	return sum == 0xffff && field != 0xffff;
}

static bool checksums_right(const struct frame *f)
{
	uint16_t pseudo = pseudo_sum(f),
		 field = load16(f->l4 + offsetof(struct rte_tcp_hdr, cksum));
	uint32_t l4_off = f->hdr_bytes - f->l4_bytes;
	uint16_t sum;

	if (!f->is_ip6 && !is_right(dp_sum(f->l3, f->l3_bytes),
				  load16(f->l3 + offsetof(struct rte_ipv4_hdr, hdr_checksum))))
		return false;
	if (f->partial)
		return field == pseudo;
	sum = dp_sum_mbuf(f->m, l4_off, f->l4_bytes + f->payload_bytes);
	return is_right(dp_sum_fold((uint64_t)sum + pseudo), field);
}

// ---- trains ----

// Makes a segment of the train, if it is more than its first frame.
static void finish(struct train *t)
{
	struct frame *f = &t->first;
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)f->l4;
	struct rte_mbuf *m = f->m;

	t->open = false;
	if (t->count == 1)
		return;
	if (f->is_ip6) {
		((struct rte_ipv6_hdr *)f->l3)->payload_len =
			rte_cpu_to_be_16(f->l4_bytes + t->payload_bytes);
	} else {
		struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)f->l3;

		ip->total_length = rte_cpu_to_be_16(f->l3_bytes + f->l4_bytes + t->payload_bytes);
		ip->hdr_checksum = 0;
		ip->hdr_checksum = (uint16_t)~dp_sum(ip, sizeof(*ip));
	}
	tcp->tcp_flags = t->flags;
	tcp->cksum = pseudo_sum(f);
	m->l2_len = f->l2_bytes;
	m->l3_len = f->l3_bytes;
	m->l4_len = f->l4_bytes;
	m->tso_segsz = f->payload_bytes;
	m->ol_flags |= (f->is_ip6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4) |
		       RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_TCP_SEG;
}

static void start(struct train *t, const struct frame *f)
{
	t->first = *f;
	t->count = 1;
	t->open = f->plain && !(tcp_flags(f) & RTE_TCP_PSH_FLAG) &&
		  f->payload_bytes >= DP_GSO_SEGSZ_MIN;
	if (!t->open)
		return;
	t->last = rte_pktmbuf_lastseg(f->m);
	t->payload_bytes = f->payload_bytes;
	t->next_seq = tcp_seq(f) + f->payload_bytes;
	t->last_id = ip4_id(f);
}

static void append(struct train *t, const struct frame *f)
{
	struct rte_mbuf *head = t->first.m, *m = f->m;

	t->id_step = ip4_id(f) - t->last_id;
	t->last_id = ip4_id(f);
	t->next_seq += f->payload_bytes;
	t->payload_bytes += f->payload_bytes;
	t->flags = tcp_flags(f);
	t->count++;
	rte_pktmbuf_adj(m, (uint16_t)f->hdr_bytes);
	t->last->next = m;
	t->last = rte_pktmbuf_lastseg(m);
	head->nb_segs += m->nb_segs;
	head->pkt_len += m->pkt_len;
	if (t->flags & RTE_TCP_PSH_FLAG || f->payload_bytes < t->first.payload_bytes)
		finish(t);
}

// Returns false if the frame stays a packet of its own. Sums only what would be merged.
static bool merge(struct train *t, const struct frame *f)
{
	if (!follows(t, f) || (t->count == 1 && !checksums_right(&t->first)) || !checksums_right(f))
		return false;
	append(t, f);
	return true;
}

// ---- flows ----

// The frame's flow; NULL: it is new.
static struct train *find(struct flows *flows, const struct frame *f)
{
	if (flows->count && same_flow(&flows->train[flows->recent].first, f))
		return &flows->train[flows->recent];
	for (unsigned i = 0; i < flows->count; i++) {
		if (same_flow(&flows->train[i].first, f)) {
			flows->recent = i;
			return &flows->train[i];
		}
	}
	return NULL;
}

// A place for a new flow. If there is none, the oldest flow is forgotten.
static struct train *place(struct flows *flows)
{
	if (flows->count < FLOWS) {
		flows->recent = flows->count++;
		return &flows->train[flows->recent];
	}
	flows->recent = flows->oldest;
	flows->oldest = (flows->oldest + 1) % FLOWS;
	if (flows->train[flows->recent].open)
		finish(&flows->train[flows->recent]);
	return &flows->train[flows->recent];
}

// Returns whether the frame was merged into an earlier one.
static bool take(struct flows *flows, const struct frame *f)
{
	struct train *t = find(flows, f);

	if (!t) {
		start(place(flows), f);
		return false;
	}
	if (merge(t, f))
		return true;
	if (t->open)
		finish(t);
	start(t, f);
	return false;
}

uint16_t dp_gro(struct rte_mbuf **pkts, uint16_t n)
{
	struct flows flows;
	uint16_t left = 0;

	flows.count = flows.recent = flows.oldest = 0;
	for (uint16_t i = 0; i < n; i++) {
		struct frame f;

		if (!parse(pkts[i], &f) || !take(&flows, &f))
			pkts[left++] = pkts[i];
	}
	for (unsigned i = 0; i < flows.count; i++) {
		if (flows.train[i].open)
			finish(&flows.train[i]);
	}
	return left;
}

// Packets from a tunnel were cut at its other end; a container handles the whole with less work.
// They are counted before they are merged.
void dp_stage_gro(struct dp_context *ctx, struct dp_batch *b)
{
	uint64_t bytes = 0;

	for (uint16_t i = 0; i < b->n; i++)
		bytes += b->pkt[i]->pkt_len;
	b->in_at->rx_packets += b->n;
	b->in_at->rx_bytes += bytes;
	b->n = dp_gro(b->pkt, b->n);
}
