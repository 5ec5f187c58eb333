// SPDX-License-Identifier: BSD-3-Clause
// Checksums and segmentation in software. What they read is in the cache, as after receive.
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_ethdev.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_tcp.h>

#include "benchmarks/micro/micro.h"
#include "dp/checksum.h"
#include "dp/dp_port.h"
#include "dp/gro.h"
#include "dp/offload.h"

#define SUMMED_BYTES	 (256u << 10) // in a repetition
#define SUMS_MAX	 1024
#define BUFFER_BYTES	 65536
#define TCP_BYTES	 32 // with the time stamps that Linux sends
#define SEGMENT_BYTES	 1448
#define SEGMENTS	 45 // as many as Linux makes of 64 KiB
#define FINISHED_PACKETS 64
#define TRAIN_SEGMENTS	 44
#define FITS_TIMES	 16
#define MERGE_TIMES	 16

static struct {
	uint8_t *bytes;
	uint32_t size;
	uint64_t sum, sums;
	struct rte_mbuf *packet, *out[DP_GSO_MAX];
	unsigned nb_out;
	bool is_ipv6;
	struct rte_mbuf *batch[DP_BURST];
	uint64_t asked, fitted;
	struct dp_site at;
} s;

static void fill_random(uint8_t *bytes, uint32_t len_bytes)
{
	uint64_t state = 4;

	for (uint32_t i = 0; i < len_bytes; i++)
		bytes[i] = (uint8_t)micro_random(&state);
}

// ---- the sum alone ----

static void checksum_setup(uint64_t size)
{
	s = (typeof(s)){.size = (uint32_t)size};
	s.bytes = aligned_alloc(RTE_CACHE_LINE_SIZE, BUFFER_BYTES);
	micro_check(s.bytes && size <= BUFFER_BYTES, "there is memory to be summed");
	fill_random(s.bytes, BUFFER_BYTES);
}

static uint64_t checksum_run(void)
{
	uint64_t count = RTE_MIN(SUMMED_BYTES / s.size, (uint32_t)SUMS_MAX);

	for (uint64_t i = 0; i < count; i++)
		s.sum += dp_sum(s.bytes, s.size);
	s.sums += count;
	return count;
}

static void checksum_teardown(void)
{
	micro_check(s.sum == s.sums * rte_raw_cksum(s.bytes, s.size), "the sum is right");
	free(s.bytes);
}

const struct micro_ops micro_checksum = {checksum_setup, NULL, checksum_run, checksum_teardown};

// ---- packets ----

static void put_ip(uint8_t *at, bool is_ipv6, uint16_t l4_bytes)
{
	if (is_ipv6) {
		struct rte_ipv6_hdr ip = {
			.vtc_flow = rte_cpu_to_be_32(6u << 28),
			.payload_len = rte_cpu_to_be_16(l4_bytes),
			.proto = IPPROTO_TCP,
			.hop_limits = 64,
			.src_addr = {0xfd, [15] = 1},
			.dst_addr = {0xfd, [15] = 2},
		};

		memcpy(at, &ip, sizeof(ip));
	} else {
		struct rte_ipv4_hdr ip = {
			.version_ihl = RTE_IPV4_VHL_DEF,
			.total_length = rte_cpu_to_be_16((uint16_t)(sizeof(ip) + l4_bytes)),
			.time_to_live = 64,
			.next_proto_id = IPPROTO_TCP,
			.src_addr = rte_cpu_to_be_32(RTE_IPV4(10, 0, 0, 1)),
			.dst_addr = rte_cpu_to_be_32(RTE_IPV4(10, 0, 0, 2)),
		};

		ip.hdr_checksum = rte_ipv4_cksum(&ip);
		memcpy(at, &ip, sizeof(ip));
	}
}

// A TCP packet as a container sends it, its checksum unfinished. Without `segment`, a whole one.
static struct rte_mbuf *tcp_packet(
	struct rte_mempool *pool, bool is_ipv6, uint16_t payload_bytes, bool segment)
{
	struct rte_tcp_hdr tcp = {
		.data_off = TCP_BYTES / 4 << 4, .tcp_flags = RTE_TCP_ACK_FLAG | RTE_TCP_PSH_FLAG};
	uint16_t l3_len = is_ipv6 ? sizeof(struct rte_ipv6_hdr) : sizeof(struct rte_ipv4_hdr);
	uint16_t type = rte_cpu_to_be_16(is_ipv6 ? RTE_ETHER_TYPE_IPV6 : RTE_ETHER_TYPE_IPV4);
	uint16_t l4_off = RTE_ETHER_HDR_LEN + l3_len;
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
	uint8_t *bytes =
		m ? (uint8_t *)rte_pktmbuf_append(m, l4_off + TCP_BYTES + payload_bytes) : NULL;

	micro_check(bytes, "there is a buffer for a packet");
	fill_random(bytes, m->data_len);
	memcpy(bytes + 2 * RTE_ETHER_ADDR_LEN, &type, sizeof(type));
	put_ip(bytes + RTE_ETHER_HDR_LEN, is_ipv6, TCP_BYTES + payload_bytes);
	m->ol_flags = (is_ipv6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4) |
		      RTE_MBUF_F_TX_TCP_CKSUM | (segment ? RTE_MBUF_F_TX_TCP_SEG : 0);
	tcp.cksum =
		is_ipv6 ? rte_ipv6_phdr_cksum((struct rte_ipv6_hdr *)(bytes + RTE_ETHER_HDR_LEN), 0)
			: rte_ipv4_phdr_cksum(
				  (struct rte_ipv4_hdr *)(bytes + RTE_ETHER_HDR_LEN), 0);
	memcpy(bytes + l4_off, &tcp, sizeof(tcp));
	m->l2_len = RTE_ETHER_HDR_LEN;
	m->l3_len = l3_len;
	m->l4_len = segment ? TCP_BYTES : 0;
	m->tso_segsz = segment ? SEGMENT_BYTES : 0;
	return m;
}

static bool tcp_is_right(const struct rte_mbuf *m, bool is_ipv6)
{
	const uint8_t *ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, RTE_ETHER_HDR_LEN);

	if (m->ol_flags & DP_OFFLOAD_FLAGS)
		return false;
	return (is_ipv6 ? rte_ipv6_udptcp_cksum_verify(
				  (const void *)ip, ip + sizeof(struct rte_ipv6_hdr))
			: rte_ipv4_udptcp_cksum_verify(
				  (const void *)ip, ip + sizeof(struct rte_ipv4_hdr))) == 0;
}

// ---- a checksum filled in at egress ----

static void finish_setup(uint64_t size)
{
	const uint16_t header_bytes = RTE_ETHER_HDR_LEN + sizeof(struct rte_ipv4_hdr) + TCP_BYTES;

	s = (typeof(s)){.size = (uint32_t)size};
	for (unsigned i = 0; i < FINISHED_PACKETS; i++)
		s.batch[i] = tcp_packet(micro_pool, false, (uint16_t)(size - header_bytes), false);
	s.packet = tcp_packet(micro_pool, false, (uint16_t)(size - header_bytes), false);
}

// As they came. What the switch has written is the checksum's two bytes.
static void finish_prepare(void)
{
	const uint16_t off = RTE_ETHER_HDR_LEN + sizeof(struct rte_ipv4_hdr) +
			     offsetof(struct rte_tcp_hdr, cksum);

	for (unsigned i = 0; i < FINISHED_PACKETS; i++) {
		s.batch[i]->ol_flags = s.packet->ol_flags;
		memcpy(rte_pktmbuf_mtod_offset(s.batch[i], void *, off),
			rte_pktmbuf_mtod_offset(s.packet, void *, off), sizeof(uint16_t));
	}
}

static uint64_t finish_run(void)
{
	uint64_t finished = 0;

	for (unsigned i = 0; i < FINISHED_PACKETS; i++)
		finished += dp_offload_finish(s.batch[i], 0, micro_pool, &s.batch[i], 1, &s.at);
	return finished;
}

static void finish_teardown(void)
{
	for (unsigned i = 0; i < FINISHED_PACKETS; i++)
		micro_check(tcp_is_right(s.batch[i], false), "the checksum is right");
	rte_pktmbuf_free_bulk(s.batch, FINISHED_PACKETS);
	rte_pktmbuf_free(s.packet);
}

const struct micro_ops micro_finish = {finish_setup, finish_prepare, finish_run, finish_teardown};

// ---- segmentation ----

static void segment_setup(uint64_t version)
{
	s = (typeof(s)){.is_ipv6 = version == 6};
	s.packet = tcp_packet(micro_big_pool, s.is_ipv6, SEGMENTS * SEGMENT_BYTES, true);
}

static void segment_prepare(void)
{
	rte_pktmbuf_free_bulk(s.out, s.nb_out);
	// Keeps it for the next time.
	rte_mbuf_refcnt_update(s.packet, 1);
}

static uint64_t segment_run(void)
{
	s.nb_out = dp_offload_finish(s.packet, 0, micro_pool, s.out, DP_GSO_MAX, &s.at);
	return s.nb_out;
}

static void segment_teardown(void)
{
	micro_check(s.nb_out == SEGMENTS, "a packet becomes 45 segments");
	for (unsigned i = 0; i < s.nb_out; i++)
		micro_check(tcp_is_right(s.out[i], s.is_ipv6), "a segment's checksum is right");
	rte_pktmbuf_free_bulk(s.out, s.nb_out);
	rte_pktmbuf_free(s.packet);
}

const struct micro_ops micro_segment = {
	segment_setup, segment_prepare, segment_run, segment_teardown};

// ---- trains merged ----

static void merge_setup(uint64_t version)
{
	s = (typeof(s)){.is_ipv6 = version == 6};
	s.packet = tcp_packet(micro_big_pool, s.is_ipv6, TRAIN_SEGMENTS * SEGMENT_BYTES, true);
}

// The frames of the train.
static void merge_prepare(void)
{
	rte_pktmbuf_free_bulk(s.batch, s.nb_out);
	rte_mbuf_refcnt_update(s.packet, 1);
	micro_check(dp_offload_finish(s.packet, 0, micro_pool, s.out, DP_GSO_MAX, &s.at) ==
			    TRAIN_SEGMENTS,
		"a packet becomes a train");
	memcpy(s.batch, s.out, TRAIN_SEGMENTS * sizeof(*s.batch));
}

static uint64_t merge_run(void)
{
	s.nb_out = dp_gro(s.batch, TRAIN_SEGMENTS);
	return TRAIN_SEGMENTS;
}

static void merge_teardown(void)
{
	micro_check(s.nb_out == 1 && s.batch[0]->nb_segs == TRAIN_SEGMENTS &&
			    s.batch[0]->pkt_len == s.packet->pkt_len,
		"a train becomes a packet");
	rte_pktmbuf_free(s.batch[0]);
	rte_pktmbuf_free(s.packet);
}

const struct micro_ops micro_merge = {merge_setup, merge_prepare, merge_run, merge_teardown};

// Acknowledgements, of which none is merged.
static void merge_none_setup(uint64_t size)
{
	s = (typeof(s)){0};
	for (unsigned i = 0; i < DP_BURST; i++) {
		s.batch[i] = tcp_packet(micro_pool, false, 0, false);
		s.batch[i]->ol_flags = 0;
	}
}

static uint64_t merge_none_run(void)
{
	for (unsigned t = 0; t < MERGE_TIMES; t++)
		s.fitted += dp_gro(s.batch, DP_BURST);
	s.asked += MERGE_TIMES * DP_BURST;
	return MERGE_TIMES * DP_BURST;
}

static void merge_none_teardown(void)
{
	micro_check(s.fitted == s.asked, "nothing is merged");
	rte_pktmbuf_free_bulk(s.batch, DP_BURST);
}

const struct micro_ops micro_merge_none = {
	merge_none_setup, NULL, merge_none_run, merge_none_teardown};

// ---- whether a port takes a packet as it is ----

static void fits_setup(uint64_t size)
{
	s = (typeof(s)){0};
	for (unsigned i = 0; i < DP_BURST; i++)
		s.batch[i] = tcp_packet(micro_pool, i & 1, SEGMENT_BYTES, i & 2);
}

// To a port that fills checksums but does not segment: half of the packets fit.
static uint64_t fits_run(void)
{
	for (unsigned t = 0; t < FITS_TIMES; t++) {
		for (unsigned i = 0; i < DP_BURST; i++)
			s.fitted += dp_offload_fits(s.batch[i], RTE_ETH_TX_OFFLOAD_TCP_CKSUM);
	}
	s.asked += FITS_TIMES * DP_BURST;
	return FITS_TIMES * DP_BURST;
}

static void fits_teardown(void)
{
	micro_check(s.fitted * 2 == s.asked, "half of the packets fit the port");
	rte_pktmbuf_free_bulk(s.batch, DP_BURST);
}

const struct micro_ops micro_fits = {fits_setup, NULL, fits_run, fits_teardown};
