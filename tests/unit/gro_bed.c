// SPDX-License-Identifier: BSD-3-Clause
#include "tests/unit/gro_bed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <rte_ip.h>

#include "dp/dp_port.h"
#include "ports/vnet_hdr.h"

struct gro_bed gro_bed;

const struct spec tcp4 = {
	.tcp = true, .l4_opts = 12, .payload_bytes = 300, .mss = 100, .flags = ACK, .seq = 7};
const struct spec tcp6 = {.v6 = true,
	.tcp = true,
	.tags = 1,
	.l4_opts = 12,
	.payload_bytes = 300,
	.mss = 100,
	.flags = ACK};

void begin(void)
{
	gro_bed.count = 0;
}

uint8_t *add(const struct spec *spec, unsigned from, unsigned n, unsigned index, int flags)
{
	uint8_t *pkt = gro_bed.bytes[gro_bed.count];

	gro_bed.len[gro_bed.count++] = build(pkt, spec, from, n, index, flags, false);
	return pkt;
}

void add_all(const struct spec *spec)
{
	for (unsigned i = 0; i < nb_segments(spec); i++) {
		gro_bed.len[gro_bed.count] =
			build_segment(gro_bed.bytes[gro_bed.count], spec, i, false);
		gro_bed.count++;
	}
}

void refresh(uint8_t *pkt, const struct spec *spec, unsigned len)
{
	uint8_t *ip = pkt + l2_len(spec), *l4 = ip + l3_len(spec);
	unsigned l4_bytes = len - l2_len(spec) - l3_len(spec);

	if (!spec->v6) {
		put16(ip + 10, 0);
		put16(ip + 10, ~slow_sum(ip, l3_len(spec), 0) & 0xffff);
	}
	put16(l4 + 16, 0);
	put16(l4 + 16, ~slow_sum(l4, l4_bytes, pseudo_sum(spec, ip, l4_bytes)) & 0xffff);
}

void receive(unsigned chunk)
{
	for (unsigned i = 0; i < gro_bed.count; i++) {
		gro_bed.pkt[i] = chain_of(gro_bed.bytes[i], gro_bed.len[i], chunk);
		dp_set_input(gro_bed.pkt[i], 5);
		dp_set_remote(gro_bed.pkt[i], 9);
	}
}

void merge(void)
{
	gro_bed.nb_pkts = dp_gro(gro_bed.pkt, gro_bed.count);
}

void check_header(const struct rte_mbuf *m)
{
	static uint8_t copy[PACKET_BYTES];
	struct rte_mbuf *again =
		chain_of(rte_pktmbuf_read(m, 0, m->pkt_len, copy), m->pkt_len, PACKET_BYTES);
	struct virtio_net_hdr hdr;

	vnet_hdr_from_mbuf(m, &hdr);
	assert_int_equal(vnet_hdr_to_mbuf(&hdr, again), 0);
	assert_int_equal(again->ol_flags, m->ol_flags);
	assert_int_equal(again->tx_offload, m->tx_offload);
	rte_pktmbuf_free(again);
}

void compare(const unsigned *order)
{
	unsigned k = 0;

	for (unsigned i = 0; i < gro_bed.nb_pkts; i++) {
		unsigned n;

		rte_mbuf_sanity_check(gro_bed.pkt[i], 1);
		if (gro_bed.pkt[i]->ol_flags)
			assert_true(gro_bed.pkt[i]->nb_segs <= DP_TX_SEGS);
		check_header(gro_bed.pkt[i]);
		n = dp_offload_finish(gro_bed.pkt[i], NO_OFFLOADS, pool, out, DP_GSO_MAX, &cnt);
		assert_true(n);
		for (unsigned j = 0; j < n; j++, k++) {
			unsigned want = order ? order[k] : k;

			assert_true(k < gro_bed.count);
			assert_bytes(out[j], gro_bed.bytes[want], gro_bed.len[want]);
			assert_int_equal(dp_input(out[j]), 5);
			assert_int_equal(dp_remote(out[j]), 9);
		}
		rte_pktmbuf_free_bulk(out, n);
	}
	assert_int_equal(k, gro_bed.count);
}

void expect(unsigned nb_pkts)
{
	receive(1900);
	merge();
	assert_int_equal(gro_bed.nb_pkts, nb_pkts);
	compare(NULL);
}
