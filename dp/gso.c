// SPDX-License-Identifier: BSD-3-Clause
#include "dp/gso.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include "dp/checksum.h"
#include "dp/offload.h"

// What all segments of a packet share.
struct gso {
	const struct dp_headers *hdr;
	const uint8_t *bytes;  // the headers of the packet
	uint32_t hdr_len, mss; // bytes
	uint64_t pseudo_sum;   // of the pseudo header without the length
	uint64_t ol_flags;     // of the segments
	uint32_t room;	       // bytes of a buffer
	struct rte_mempool *pool;
};

// A position in a packet, to read from.
struct cursor {
	const struct rte_mbuf *seg;
	uint32_t off_bytes;
};

static struct cursor cursor_at(const struct rte_mbuf *m, uint32_t off_bytes)
{
	while (m && off_bytes >= m->data_len) {
		off_bytes -= m->data_len;
		m = m->next;
	}
	return (struct cursor){m, off_bytes};
}

static void cursor_read(struct cursor *c, void *to, uint32_t len_bytes)
{
	uint8_t *p = to;

	while (len_bytes) {
		uint32_t n = RTE_MIN(len_bytes, c->seg->data_len - c->off_bytes);

		memcpy(p, rte_pktmbuf_mtod_offset(c->seg, const void *, c->off_bytes), n);
		p += n;
		len_bytes -= n;
		c->off_bytes += n;
		if (c->off_bytes == c->seg->data_len)
			*c = cursor_at(c->seg->next, 0);
	}
}

// Appends `len_bytes` of payload to `m`, which already has the headers; adds buffers as needed.
// Returns 0 or -ENOMEM.
static int append(
	struct rte_mbuf *m, struct cursor *from, uint32_t len_bytes, const struct gso *gso)
{
	struct rte_mbuf *last = m;

	for (;;) {
		uint32_t n = RTE_MIN(len_bytes, gso->room - last->data_len);

		cursor_read(from, rte_pktmbuf_mtod_offset(last, void *, last->data_len), n);
		last->data_len += n;
		m->pkt_len += n;
		len_bytes -= n;
		if (!len_bytes)
			return 0;
		last->next = rte_pktmbuf_alloc(gso->pool);
		if (!last->next)
			return -ENOMEM;
		last = last->next;
		m->nb_segs++;
	}
}

static void patch_ipv4(struct rte_ipv4_hdr *ip, uint16_t l3_len, uint16_t len_bytes, uint16_t index)
{
	ip->total_length = rte_cpu_to_be_16(len_bytes);
	ip->packet_id = rte_cpu_to_be_16((uint16_t)(rte_be_to_cpu_16(ip->packet_id) + index));
	ip->hdr_checksum = 0;
	ip->hdr_checksum = (uint16_t)~dp_sum(ip, l3_len);
}

static void patch_tcp(struct rte_tcp_hdr *tcp, uint32_t done_bytes, bool first, bool last)
{
	tcp->sent_seq = rte_cpu_to_be_32(rte_be_to_cpu_32(tcp->sent_seq) + done_bytes);
	if (!first)
		tcp->tcp_flags &= (uint8_t)~RTE_TCP_CWR_FLAG;
	if (!last)
		tcp->tcp_flags &= (uint8_t) ~(RTE_TCP_FIN_FLAG | RTE_TCP_PSH_FLAG);
}

// Turns the headers of `m`, a copy of the large packet's, into those of segment `index`.
static void patch(struct rte_mbuf *m, const struct gso *gso, uint16_t index, bool last)
{
	const struct dp_headers *hdr = gso->hdr;
	uint8_t *bytes = rte_pktmbuf_mtod(m, uint8_t *);
	uint16_t l4_bytes = (uint16_t)(m->pkt_len - hdr->l4_off);
	uint16_t pseudo;

	if (hdr->is_ipv6) {
		struct rte_ipv6_hdr *ip = (struct rte_ipv6_hdr *)(bytes + hdr->l3_off);

		ip->payload_len =
			rte_cpu_to_be_16((uint16_t)(m->pkt_len - hdr->l3_off - sizeof(*ip)));
	} else {
		patch_ipv4((struct rte_ipv4_hdr *)(bytes + hdr->l3_off), hdr->l4_off - hdr->l3_off,
			(uint16_t)(m->pkt_len - hdr->l3_off), index);
	}
	if (hdr->is_tcp)
		patch_tcp((struct rte_tcp_hdr *)(bytes + hdr->l4_off), index * gso->mss, !index,
			last);
	else
		((struct rte_udp_hdr *)(bytes + hdr->l4_off))->dgram_len =
			rte_cpu_to_be_16(l4_bytes);
	pseudo = dp_sum_fold(gso->pseudo_sum + rte_cpu_to_be_16(l4_bytes));
	memcpy(bytes + hdr->csum_off, &pseudo, sizeof(pseudo));
}

static void copy_metadata(struct rte_mbuf *to, const struct rte_mbuf *from, uint64_t ol_flags)
{
	to->port = from->port;
	to->packet_type = from->packet_type;
	to->hash = from->hash;
	to->ol_flags = ol_flags;
	to->l2_len = from->l2_len;
	to->l3_len = from->l3_len;
	to->l4_len = from->l4_len;
}

// The sum of the pseudo header without the length, taken from the packet.
static uint64_t pseudo_sum(const uint8_t *bytes, const struct dp_headers *hdr, uint32_t l4_bytes)
{
	uint8_t proto = hdr->is_tcp ? IPPROTO_TCP : IPPROTO_UDP;
	const uint8_t *ip = bytes + hdr->l3_off;
	uint16_t field;

	if (hdr->via) {
		// The sender has used the final destination: take the sum that it has left, and
		// its length out again.
		memcpy(&field, bytes + hdr->csum_off, sizeof(field));
		return (uint64_t)field + (uint16_t)~rte_cpu_to_be_16((uint16_t)l4_bytes);
	}
	if (hdr->is_ipv6)
		return (uint64_t)dp_sum(ip + offsetof(struct rte_ipv6_hdr, src_addr), 32) +
		       rte_cpu_to_be_16(proto);
	return (uint64_t)dp_sum(ip + offsetof(struct rte_ipv4_hdr, src_addr), 8) +
	       rte_cpu_to_be_16(proto);
}

static int make_segment(struct rte_mbuf *m, const struct gso *gso, struct cursor *from,
	uint32_t len_bytes, uint16_t index, bool last)
{
	int res;

	memcpy(rte_pktmbuf_mtod(m, void *), gso->bytes, gso->hdr_len);
	m->data_len = m->pkt_len = gso->hdr_len;
	res = append(m, from, len_bytes, gso);
	if (res)
		return res;
	patch(m, gso, index, last);
	if (!gso->ol_flags) {
		struct dp_headers hdr = *gso->hdr;

		hdr.end = m->pkt_len;
		dp_headers_fill_checksum(m, &hdr);
	}
	return 0;
}

static uint64_t segment_flags(const struct dp_headers *hdr)
{
	return (hdr->is_ipv6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4) |
	       (hdr->is_tcp ? RTE_MBUF_F_TX_TCP_CKSUM : RTE_MBUF_F_TX_UDP_CKSUM);
}

int dp_gso(const struct rte_mbuf *m, const struct dp_headers *hdr, struct rte_mempool *pool,
	bool chain, bool leave_csum, struct rte_mbuf **out, uint16_t room)
{
	uint8_t copy[DP_HEADERS_MAX];
	struct gso gso = {
		.hdr = hdr,
		.hdr_len = hdr->l4_off + hdr->l4_len,
		.mss = m->tso_segsz,
		.ol_flags = leave_csum ? segment_flags(hdr) : 0,
		.room = rte_pktmbuf_data_room_size(pool) - RTE_PKTMBUF_HEADROOM,
		.pool = pool,
	};
	struct cursor from = cursor_at(m, gso.hdr_len);
	uint32_t todo_bytes = hdr->end - gso.hdr_len;
	uint32_t count;

	if (m->tso_segsz < DP_GSO_SEGSZ_MIN)
		return -EINVAL;
	count = todo_bytes ? (todo_bytes + gso.mss - 1) / gso.mss : 1;
	if (count > room || gso.hdr_len > gso.room)
		return -EMSGSIZE;
	if (!chain && gso.hdr_len + RTE_MIN(todo_bytes, gso.mss) > gso.room)
		return -EMSGSIZE;
	gso.bytes = rte_pktmbuf_read(m, 0, gso.hdr_len, copy);
	gso.pseudo_sum = pseudo_sum(gso.bytes, hdr, hdr->end - hdr->l4_off);

	if (rte_pktmbuf_alloc_bulk(pool, out, count))
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t n = RTE_MIN(todo_bytes, gso.mss);

		copy_metadata(out[i], m, gso.ol_flags);
		if (make_segment(out[i], &gso, &from, n, (uint16_t)i, i + 1 == count)) {
			rte_pktmbuf_free_bulk(out, count);
			return -ENOMEM;
		}
		todo_bytes -= n;
	}
	return (int)count;
}
