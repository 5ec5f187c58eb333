// SPDX-License-Identifier: BSD-3-Clause
// What a container can put before and into a frame: virtio-net header, then bytes, in one buffer
// or two as ports make them. It is refused, or becomes flags that turn into a header again and
// that egress can finish: nothing is read outside the frame, no buffer is lost, no segment is
// larger than asked for, and checksums come out right where they can.
//
// Input: how to lay the frame out (3 bytes: kind, place of the cut), the header (10), the frame.
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ip.h>
#include <rte_mbuf.h>

#include "dp/offload.h"
#include "ports/headers.h"
#include "ports/inner_tunnel.h"
#include "ports/vnet_hdr.h"
#include "tests/fuzz/frames.h"

#define NB_MBUFS     4095
#define LAYOUT_BYTES 3
#define FRAME_MAX    65535

enum layout { OUTSIDE = 1, CUT = 2 }; // bits of the first byte

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct rte_mempool *pool;

static struct rte_mbuf *inside(const uint8_t *bytes, uint16_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

	demand(m && len <= rte_pktmbuf_tailroom(m));
	memcpy(rte_pktmbuf_append(m, len), bytes, len);
	return m;
}

static struct rte_mbuf *piece(unsigned layout, const uint8_t *bytes, uint16_t len)
{
	return layout & OUTSIDE || len > RTE_MBUF_DEFAULT_DATAROOM ? outside(pool, bytes, len)
								   : inside(bytes, len);
}

static struct rte_mbuf *frame(const uint8_t *data, uint16_t len)
{
	unsigned cut = data[1] << 8 | data[2];
	const uint8_t *bytes = data + LAYOUT_BYTES + VNET_HDR_BYTES;
	struct rte_mbuf *m;

	if (!(data[0] & CUT) || cut >= len)
		return piece(data[0], bytes, len);
	m = piece(data[0], bytes, cut);
	m->next = piece(data[0], bytes + cut, len - cut);
	m->nb_segs = 2;
	m->pkt_len = len;
	return m;
}

// ---- what must be true ----

// The sum of `len` bytes in the byte order of the network.
static uint32_t sum_of(const uint8_t *p, uint32_t len, uint32_t sum)
{
	for (uint32_t i = 0; i < len; i++) {
		sum += i & 1 ? p[i] : p[i] << 8;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return sum;
}

static uint32_t pseudo_sum(const struct rte_mbuf *m, const uint8_t *bytes, uint32_t l4_bytes)
{
	bool tcp = m->ol_flags & RTE_MBUF_F_TX_TCP_SEG ||
		   (m->ol_flags & RTE_MBUF_F_TX_L4_MASK) == RTE_MBUF_F_TX_TCP_CKSUM;
	const uint8_t *ip = bytes + m->l2_len;
	uint32_t sum = l4_bytes + (tcp ? 6 : 17);

	sum = (sum & 0xffff) + (sum >> 16);
	return m->ol_flags & RTE_MBUF_F_TX_IPV6 ? sum_of(ip + 8, 32, sum) : sum_of(ip + 12, 8, sum);
}

// What is known of a packet before it is finished.
struct before {
	struct rte_mbuf flags; // a copy of the head: flags and lengths only
	bool sum_right;	       // the field held the sum of the pseudo header
	uint32_t csum_off;
};

// Where the IP packet ends, as its header says.
static uint32_t ip_end(const struct rte_mbuf *m, const uint8_t *bytes)
{
	const uint8_t *ip = bytes + m->l2_len;

	if (m->ol_flags & RTE_MBUF_F_TX_IPV6)
		return m->l2_len + 40 + (ip[4] << 8 | ip[5]);
	return m->l2_len + (ip[2] << 8 | ip[3]);
}

static struct before look(const struct rte_mbuf *m, const uint8_t *bytes)
{
	struct before b = {.flags = *m};
	uint32_t l4_off = m->l2_len + m->l3_len, end = ip_end(m, bytes);
	const uint8_t *field;
	bool tcp = m->ol_flags & RTE_MBUF_F_TX_TCP_SEG ||
		   (m->ol_flags & RTE_MBUF_F_TX_L4_MASK) == RTE_MBUF_F_TX_TCP_CKSUM;

	b.csum_off = l4_off + (tcp ? 16 : 6);
	demand(b.csum_off + 2 <= m->data_len);
	field = bytes + b.csum_off;
	b.sum_right =
		end <= m->pkt_len && end >= l4_off &&
		(field[0] << 8 | field[1]) % 0xffff == pseudo_sum(m, bytes, end - l4_off) % 0xffff;
	return b;
}

static void check_finished(const struct rte_mbuf *m, const struct before *b)
{
	const struct rte_mbuf *was = &b->flags;
	static uint8_t copy[FRAME_MAX];
	uint32_t l4_off = was->l2_len + was->l3_len, end;
	const uint8_t *bytes = rte_pktmbuf_read(m, 0, m->pkt_len, copy);

	rte_mbuf_sanity_check(m, 1);
	demand(!(m->ol_flags & DP_OFFLOAD_FLAGS) && m->nb_segs == 1);
	demand(bytes && m->pkt_len >= b->csum_off + 2);
	if (was->ol_flags & (RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_UDP_SEG))
		demand(m->pkt_len <= l4_off + was->l4_len + was->tso_segsz);
	end = ip_end(was, bytes);
	demand(end <= m->pkt_len && end >= l4_off);
	if (b->sum_right)
		demand(sum_of(bytes + l4_off, end - l4_off, pseudo_sum(was, bytes, end - l4_off)) ==
			0xffff);
}

// The header made of the flags gives the same flags again.
static void check_round_trip(const struct rte_mbuf *m, const uint8_t *data, uint16_t len)
{
	struct rte_mbuf *again = frame(data, len);
	struct virtio_net_hdr hdr;

	vnet_hdr_from_mbuf(m, &hdr);
	demand(vnet_hdr_to_mbuf(&hdr, again) == 0);
	demand(((again->ol_flags ^ m->ol_flags) & ~RTE_MBUF_F_EXTERNAL) == 0);
	if (m->ol_flags & DP_OFFLOAD_FLAGS)
		demand(again->l2_len == m->l2_len && again->l3_len == m->l3_len);
	if (m->ol_flags & (RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_UDP_SEG))
		demand(again->l4_len == m->l4_len && again->tso_segsz == m->tso_segsz);
	rte_pktmbuf_free(again);
}

static void finish(struct rte_mbuf *m)
{
	static uint8_t copy[FRAME_MAX];
	static struct dp_site at;
	struct rte_mbuf *out[DP_GSO_MAX];
	bool todo = m->ol_flags & DP_OFFLOAD_FLAGS;
	struct before before = {};
	uint16_t n;

	if (todo)
		before = look(m, rte_pktmbuf_read(m, 0, m->pkt_len, copy));
	n = dp_offload_finish(m, 0, pool, out, DP_GSO_MAX, &at);
	demand(n <= DP_GSO_MAX);
	for (uint16_t i = 0; todo && i < n; i++)
		check_finished(out[i], &before);
	rte_pktmbuf_free_bulk(out, n);
}

// What is no packet by itself may be a large one in a tunnel: its pieces end where they say.
static void cut_tunnel(const struct virtio_net_hdr *hdr, struct rte_mbuf *m)
{
	struct rte_mbuf *out[DP_GSO_MAX];
	int n = tunnel_cut(hdr, m, pool, out, DP_GSO_MAX);

	for (int i = 0; i < n; i++) {
		struct headers h;

		rte_mbuf_sanity_check(out[i], 1);
		demand(!(out[i]->ol_flags & DP_OFFLOAD_FLAGS));
		demand(headers_parse(out[i], &h) == 0);
		demand(h.l2_bytes + h.ip_bytes == out[i]->pkt_len);
	}
	if (n > 0)
		rte_pktmbuf_free_bulk(out, n);
	rte_pktmbuf_free(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct virtio_net_hdr hdr;
	struct rte_mbuf *m;
	uint16_t len;

	if (!pool)
		pool = pool_of(NB_MBUFS);
	if (size < LAYOUT_BYTES + VNET_HDR_BYTES ||
		size > LAYOUT_BYTES + VNET_HDR_BYTES + FRAME_MAX)
		return 0;
	len = size - LAYOUT_BYTES - VNET_HDR_BYTES;
	memcpy(&hdr, data + LAYOUT_BYTES, sizeof(hdr));
	m = frame(data, len);
	if (vnet_hdr_to_mbuf(&hdr, m) < 0) {
		cut_tunnel(&hdr, m);
	} else {
		check_round_trip(m, data, len);
		finish(m);
	}
	demand(rte_mempool_in_use_count(pool) == 0);
	return 0;
}
