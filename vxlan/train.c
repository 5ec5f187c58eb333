// SPDX-License-Identifier: BSD-3-Clause
#include "vxlan/train.h"

#include <string.h>

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include "dp/checksum.h"
#include "dp/dp_port.h"
#include "dp/offload.h"

// Of a train with its Ethernet header. The IP header's length ends there, and the kernel cuts in
// software what is larger than its devices take (GSO_LEGACY_MAX_SIZE).
#define TRAIN_BYTES UINT16_MAX

struct train {
	struct rte_mbuf *head, *tail; // the first and the last buffer
	uint32_t size, last_size;     // bytes of UDP payload: of each datagram, of the last
};

static inline uint32_t udp_off(const struct rte_mbuf *m)
{
	return m->l2_len + m->l3_len;
}

static inline uint32_t payload_bytes(const struct rte_mbuf *m)
{
	return m->pkt_len - udp_off(m) - sizeof(struct rte_udp_hdr);
}

// Whether next hop, traffic class, TTL, destination address and source port are the same: all else
// is in the headers of one VTEP. The latter two are side by side.
static bool same_way(const struct rte_mbuf *a, const struct rte_mbuf *b)
{
	const uint8_t *p = rte_pktmbuf_mtod(a, const uint8_t *);
	const uint8_t *q = rte_pktmbuf_mtod(b, const uint8_t *);
	bool ip6 = a->ol_flags & RTE_MBUF_F_TX_IPV6;
	uint32_t class_off = a->l2_len, ttl_off = class_off + (ip6 ? 7 : 8);
	uint32_t addr_bytes = ip6 ? 16 : 4;
	uint32_t off = udp_off(a) - addr_bytes;

	return !memcmp(p, q, RTE_ETHER_ADDR_LEN) &&
	       !memcmp(p + class_off, q + class_off, sizeof(uint16_t)) &&
	       p[ttl_off] == q[ttl_off] &&
	       !memcmp(p + off, q + off, addr_bytes + sizeof(rte_be16_t));
}

// All datagrams but the last are of one size, which software segmentation must take too. A last
// buffer that others hold cannot have another behind it.
static bool may_follow(const struct train *train, const struct rte_mbuf *m)
{
	const struct rte_mbuf *head = train->head;
	uint32_t bytes = payload_bytes(m);

	return train->last_size == train->size && bytes <= train->size &&
	       train->size >= DP_GSO_SEGSZ_MIN && head->nb_segs + m->nb_segs <= DP_TX_SEGS &&
	       head->pkt_len + bytes <= TRAIN_BYTES && rte_mbuf_refcnt_read(train->tail) == 1 &&
	       same_way(head, m);
}

static void append(struct train *train, struct rte_mbuf *m)
{
	struct rte_mbuf *head = train->head;

	rte_pktmbuf_adj(m, udp_off(m) + sizeof(struct rte_udp_hdr));
	train->last_size = m->pkt_len;
	head->pkt_len += m->pkt_len;
	head->nb_segs += m->nb_segs;
	train->tail->next = m;
	train->tail = rte_pktmbuf_lastseg(m);
}

// The headers of a single packet become those of the whole. The kernel wants it so for
// VIRTIO_NET_HDR_GSO_UDP_L4: length and pseudo-header sum agree, and the checksum is to be filled;
// datagrams without one cannot be cut out (__udp_gso_segment()).
static void finish(const struct train *train)
{
	struct rte_mbuf *m = train->head;
	uint8_t *ip = rte_pktmbuf_mtod_offset(m, uint8_t *, m->l2_len);
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(ip + m->l3_len);
	rte_be16_t len = rte_cpu_to_be_16(m->pkt_len - udp_off(m));

	if (m->pkt_len - udp_off(m) - sizeof(*udp) == train->size)
		return; // nothing has joined it
	udp->dgram_cksum = dp_sum_with(udp->dgram_cksum, udp->dgram_len, len);
	udp->dgram_len = len;
	if (m->ol_flags & RTE_MBUF_F_TX_IPV6) {
		((struct rte_ipv6_hdr *)ip)->payload_len = len;
	} else {
		struct rte_ipv4_hdr *ip4 = (struct rte_ipv4_hdr *)ip;

		len = rte_cpu_to_be_16(m->pkt_len - m->l2_len);
		ip4->hdr_checksum = ~dp_sum_with(~ip4->hdr_checksum, ip4->total_length, len);
		ip4->total_length = len;
	}
	m->ol_flags |= RTE_MBUF_F_TX_UDP_SEG;
	m->l4_len = sizeof(*udp);
	m->tso_segsz = train->size;
}

uint16_t train_join(struct rte_mbuf **pkts, uint16_t n)
{
	struct train train;
	uint16_t count = 0;

	for (uint16_t i = 0; i < n; i++) {
		struct rte_mbuf *m = pkts[i];

		if (count && may_follow(&train, m)) {
			append(&train, m);
			continue;
		}
		if (count)
			finish(&train);
		train = (struct train){
			m, rte_pktmbuf_lastseg(m), payload_bytes(m), payload_bytes(m)};
		pkts[count++] = m;
	}
	if (count)
		finish(&train);
	return count;
}
