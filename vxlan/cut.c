// SPDX-License-Identifier: BSD-3-Clause
#include "vxlan/cut.h"

#include <netinet/in.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_ip.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include "dp/checksum.h"
#include "dp/offload.h"

#define GSO_FLAGS (RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_UDP_SEG)

// The sum of the pseudo header but for its length. Where options may name another destination
// (`via`), the sum that the sender has left is taken, and its length out again.
static uint64_t pseudo_sum(const uint8_t *bytes, const struct dp_headers *hdr)
{
	const uint8_t *ip = bytes + hdr->l3_off;
	uint16_t proto = rte_cpu_to_be_16(hdr->is_tcp ? IPPROTO_TCP : IPPROTO_UDP), field;

	if (hdr->via) {
		memcpy(&field, bytes + hdr->csum_off, sizeof(field));
		return (uint64_t)field +
		       (uint16_t)~rte_cpu_to_be_16((uint16_t)(hdr->end - hdr->l4_off));
	}
	if (hdr->is_ipv6)
		return (uint64_t)dp_sum(ip + offsetof(struct rte_ipv6_hdr, src_addr), 32) + proto;
	return (uint64_t)dp_sum(ip + offsetof(struct rte_ipv4_hdr, src_addr), 8) + proto;
}

static void seek(struct cut *cut, const struct rte_mbuf *seg, uint32_t off_bytes)
{
	for (; seg && off_bytes >= seg->data_len; seg = seg->next)
		off_bytes -= seg->data_len;
	cut->seg = seg;
	cut->off_bytes = off_bytes;
}

bool cut_begin(struct cut *cut, const struct rte_mbuf *m)
{
	struct dp_headers *hdr = &cut->hdr;

	if (!dp_headers_check(m, hdr))
		return false;
	cut->segments = m->ol_flags & GSO_FLAGS;
	if (cut->segments && m->tso_segsz < DP_GSO_SEGSZ_MIN)
		return false;
	cut->hdr_bytes = hdr->l4_off + hdr->l4_len;
	cut->headers = rte_pktmbuf_read(m, 0, cut->hdr_bytes, cut->copy);
	cut->todo_bytes = hdr->end - cut->hdr_bytes;
	cut->mss = cut->segments ? m->tso_segsz : cut->todo_bytes;
	cut->tail_bytes = cut->segments ? 0 : m->pkt_len - hdr->end;
	cut->pseudo_sum = cut->segments ? pseudo_sum(cut->headers, hdr) : 0;
	cut->index = 0;
	seek(cut, m, cut->hdr_bytes);
	return true;
}

// Appends slices of `len_bytes` bytes, and their sum to `sum`. Returns their number.
static unsigned slice(struct cut *cut, uint32_t len_bytes, struct iovec *iov, uint64_t *sum)
{
	uint32_t done_bytes = 0;
	unsigned count = 0;

	while (done_bytes < len_bytes) {
		uint32_t n = RTE_MIN(len_bytes - done_bytes, cut->seg->data_len - cut->off_bytes);
		uint8_t *p = rte_pktmbuf_mtod_offset(cut->seg, uint8_t *, cut->off_bytes);

		if (sum) {
			uint16_t part = dp_sum(p, n);

			// One that begins at an odd byte has its words the wrong way round.
			*sum += done_bytes & 1 ? rte_bswap16(part) : part;
		}
		iov[count++] = (struct iovec){p, n};
		done_bytes += n;
		seek(cut, cut->seg, cut->off_bytes + n);
	}
	return count;
}

static void patch_ip(const struct cut *cut, uint8_t *headers, uint32_t payload_bytes)
{
	const struct dp_headers *hdr = &cut->hdr;
	uint16_t ip_bytes = cut->hdr_bytes - hdr->l3_off + payload_bytes;

	if (hdr->is_ipv6) {
		struct rte_ipv6_hdr *ip = (struct rte_ipv6_hdr *)(headers + hdr->l3_off);

		ip->payload_len = rte_cpu_to_be_16(ip_bytes - sizeof(*ip));
	} else {
		struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(headers + hdr->l3_off);

		ip->total_length = rte_cpu_to_be_16(ip_bytes);
		ip->packet_id = rte_cpu_to_be_16(rte_be_to_cpu_16(ip->packet_id) + cut->index);
		ip->hdr_checksum = 0;
		ip->hdr_checksum = ~dp_sum(ip, hdr->l4_off - hdr->l3_off);
	}
}

// As RFC 9293 wants: PSH and FIN only on the last, CWR only on the first.
static void patch_l4(const struct cut *cut, uint8_t *headers, uint32_t payload_bytes)
{
	const struct dp_headers *hdr = &cut->hdr;
	uint16_t l4_bytes = rte_cpu_to_be_16(hdr->l4_len + payload_bytes);
	uint16_t pseudo = dp_sum_fold(cut->pseudo_sum + l4_bytes);

	if (hdr->is_tcp) {
		struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)(headers + hdr->l4_off);

		tcp->sent_seq =
			rte_cpu_to_be_32(rte_be_to_cpu_32(tcp->sent_seq) + cut->index * cut->mss);
		if (cut->index)
			tcp->tcp_flags &= ~RTE_TCP_CWR_FLAG;
		if (payload_bytes < cut->todo_bytes)
			tcp->tcp_flags &= ~(RTE_TCP_FIN_FLAG | RTE_TCP_PSH_FLAG);
	} else {
		((struct rte_udp_hdr *)(headers + hdr->l4_off))->dgram_len = l4_bytes;
	}
	memcpy(headers + hdr->csum_off, &pseudo, sizeof(pseudo));
}

unsigned cut_next(struct cut *cut, uint8_t *headers, struct iovec *iov, uint32_t *ret_bytes)
{
	const struct dp_headers *hdr = &cut->hdr;
	uint32_t n = RTE_MIN(cut->todo_bytes, cut->mss);
	unsigned count;
	uint16_t field;
	uint64_t sum;

	memcpy(headers, cut->headers, cut->hdr_bytes);
	if (cut->segments) {
		patch_ip(cut, headers, n);
		patch_l4(cut, headers, n);
	}
	sum = dp_sum(headers + hdr->l4_off, hdr->l4_len);
	count = slice(cut, n, iov, &sum);
	field = ~dp_sum_fold(sum);
	if (!field && !hdr->is_tcp) // zero would mean "no checksum" (RFC 768)
		field = 0xffff;
	memcpy(headers + hdr->csum_off, &field, sizeof(field));
	count += slice(cut, cut->tail_bytes, iov + count, NULL);
	*ret_bytes = cut->hdr_bytes + n + cut->tail_bytes;
	cut->todo_bytes -= n;
	cut->index++;
	return count;
}
