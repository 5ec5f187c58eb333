// SPDX-License-Identifier: BSD-3-Clause
// Any frame as ARP, neighbour discovery and ICMP: nothing is read outside it, an answer is what it
// must be, and no error is sent about an error.
//
// Input: how to lay the frame out (3 bytes: kind, place of the cut), the MTU (2), the frame.
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <rte_mbuf.h>

#include "dp/icmp.h"
#include "dp/resolve.h"
#include "tests/fuzz/frames.h"

#define NB_MBUFS   255
#define HEAD_BYTES 5
#define FRAME_MAX  9000

enum layout { CUT = 1, TAGGED = 2 }; // bits of the first byte

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct rte_mempool *pool;

// ---- frames in memory of just their size, so that a sanitizer sees what is read beyond ----

struct outside {
	struct rte_mbuf_ext_shared_info info;
	uint16_t pad; // frames begin at even addresses
	uint8_t bytes[];
};

static void free_outside(void *addr, void *opaque)
{
	free(opaque);
}

static struct rte_mbuf *piece(const uint8_t *bytes, uint16_t len, uint16_t room)
{
	struct outside *o = malloc(sizeof(*o) + len + room);
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

	demand(o && m);
	o->info.free_cb = free_outside;
	o->info.fcb_opaque = o;
	rte_mbuf_ext_refcnt_set(&o->info, 1);
	memcpy(o->bytes, bytes, len);
	rte_pktmbuf_attach_extbuf(
		m, o->bytes, (rte_iova_t)(uintptr_t)o->bytes, len + room, &o->info);
	m->data_off = 0;
	m->data_len = m->pkt_len = len;
	return m;
}

static struct rte_mbuf *frame(
	const uint8_t *data, const uint8_t *bytes, uint16_t len, uint16_t room)
{
	unsigned cut = data[1] << 8 | data[2];
	struct rte_mbuf *m;

	if (!(data[0] & CUT) || cut >= len)
		return piece(bytes, len, room);
	m = piece(bytes, cut, 0);
	m->next = piece(bytes + cut, len - cut, room);
	m->nb_segs = 2;
	m->pkt_len = len;
	return m;
}

// ---- what must be true ----

static void check_resolve(const uint8_t *data, const uint8_t *bytes, uint16_t len, uint16_t room)
{
	static const struct mac mac = {{2, 0, 0, 0, 0, 9}};
	struct rte_mbuf *m = frame(data, bytes, len, room);
	struct dp_resolve r, answer;
	enum dp_resolve_kind kind = dp_resolve_parse(m, &r);

	if ((kind == DP_RESOLVE_REQUEST || kind == DP_RESOLVE_PROBE) &&
		dp_resolve_answer(m, &r, &mac) == 0) {
		rte_mbuf_sanity_check(m, 1);
		demand(dp_resolve_parse(m, &answer) ==
			(kind == DP_RESOLVE_PROBE && r.target.family == 6 ? DP_RESOLVE_ANNOUNCE
									  : DP_RESOLVE_REPLY));
		demand(ip_equal(&answer.target, &r.target) && answer.l3_off == r.l3_off);
		demand(!memcmp(&answer.mac, &mac, sizeof(mac)) && !answer.keep);
	}
	rte_pktmbuf_free(m);
}

static uint16_t sum_of_message(const struct rte_mbuf *m, uint16_t l3_off)
{
	const uint8_t *ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, l3_off);
	struct rte_ipv6_hdr ip6;
	uint16_t l4_bytes;

	if (*ip >> 4 == 4)
		return dp_sum_mbuf(m, l3_off + 20, (ip[2] << 8 | ip[3]) - 20);
	memcpy(&ip6, ip, sizeof(ip6));
	l4_bytes = rte_be_to_cpu_16(ip6.payload_len);
	return dp_sum_fold(dp_icmp6_pseudo_sum(&ip6, l4_bytes) +
			   dp_sum_mbuf(m, l3_off + sizeof(ip6), l4_bytes));
}

static void check_echo(const uint8_t *data, const uint8_t *bytes, uint16_t len)
{
	uint16_t l3_off = data[0] & TAGGED ? 18 : 14;
	struct rte_mbuf *m = frame(data, bytes, len, 0);

	if (dp_icmp_echo(m, l3_off)) {
		demand(sum_of_message(m, l3_off) == 0xffff);
		demand(!dp_icmp_echo(m, l3_off));
	}
	rte_pktmbuf_free(m);
}

static void check_too_big(const uint8_t *data, const uint8_t *bytes, uint16_t len)
{
	uint16_t l3_off = data[0] & TAGGED ? 18 : 14;
	struct rte_mbuf *m = frame(data, bytes, len, 0);
	struct rte_mbuf *answer = dp_icmp_too_big(m, l3_off, data[3] << 8 | data[4], pool);

	if (answer) {
		rte_mbuf_sanity_check(answer, 1);
		demand(answer->nb_segs == 1 && answer->pkt_len <= l3_off + 1280u);
		demand(sum_of_message(answer, l3_off) == 0xffff);
		demand(!dp_icmp_too_big(answer, l3_off, 1280, pool));
		rte_pktmbuf_free(answer);
	}
	rte_pktmbuf_free(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *bytes = data + HEAD_BYTES;
	uint16_t len;

	if (!pool)
		pool = pool_of(NB_MBUFS);
	if (size < HEAD_BYTES || size > HEAD_BYTES + FRAME_MAX)
		return 0;
	len = size - HEAD_BYTES;
	check_resolve(data, bytes, len, 0);
	check_resolve(data, bytes, len, 8);
	check_echo(data, bytes, len);
	check_too_big(data, bytes, len);
	demand(rte_mempool_in_use_count(pool) == 0);
	return 0;
}
