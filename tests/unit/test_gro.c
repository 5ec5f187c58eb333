// SPDX-License-Identifier: BSD-3-Clause
// Generic receive offload: trains of frames built from scratch become the segments expected, which
// segmentation cuts into the same bytes again; and all that must not be merged is not.
#include "dp/gro.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <rte_ip.h>

#include "dp/dp_port.h"
#include "ports/vnet_hdr.h"
#include "tests/unit/gro_bed.h"
#include "tests/unit/packets.h"

// ---- what is merged ----

static void one_train(struct spec *spec)
{
	unsigned want;

	spec->flags = ACK | PSH;
	spec->mss = 1000;
	spec->payload_bytes = 4567;
	begin();
	add_all(spec);
	want = spec->tcp && !spec->l3_opts && spec->tags < 2 ? 1 : gro_bed.count;
	expect(want);
	receive(700); // each in two buffers
	merge();
	assert_int_equal(gro_bed.nb_pkts, want);
	compare(NULL);
}

static void test_train(void **state)
{
	each_protocol(one_train);
}

static void test_segment(void **state)
{
	struct rte_mbuf *m;

	begin();
	add_all(&tcp6);
	receive(PACKET_BYTES);
	merge();
	assert_int_equal(gro_bed.nb_pkts, 1);
	m = gro_bed.pkt[0];
	assert_int_equal(
		m->ol_flags, RTE_MBUF_F_TX_IPV6 | RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_TCP_SEG);
	assert_int_equal(m->l2_len, 18);
	assert_int_equal(m->l3_len, 40);
	assert_int_equal(m->l4_len, 32);
	assert_int_equal(m->tso_segsz, 100);
	assert_int_equal(m->nb_segs, 3);
	finish_and_compare(m, &tcp6);
}

static void test_sizes(void **state)
{
	static const struct {
		unsigned size[4], nb_pkts;
	} cases[] = {
		{{100, 100, 1}, 1},
		{{100, 50, 100}, 2}, // a shorter one ends the train
		{{100, 101, 101}, 2},
		{{64, 64}, 1},
		{{63, 63}, 2}, // segmentation would refuse it
		{{1448}, 1},
	};

	for (unsigned i = 0; i < RTE_DIM(cases); i++) {
		unsigned from = 0;

		begin();
		for (unsigned k = 0; cases[i].size[k]; k++) {
			add(&tcp4, from, cases[i].size[k], k, ACK);
			from += cases[i].size[k];
		}
		expect(cases[i].nb_pkts);
	}
}

static void test_push(void **state)
{
	begin();
	for (unsigned i = 0; i < 6; i++)
		add(&tcp4, i * 100, 100, i, i == 0 || i == 3 ? ACK | PSH : ACK);
	expect(3); // alone; three with its end; two
}

// The pure acknowledgement stays where it is in the flow.
static void test_no_payload(void **state)
{
	begin();
	add(&tcp4, 0, 100, 0, ACK);
	add(&tcp4, 100, 0, 1, ACK);
	add(&tcp4, 100, 100, 2, ACK);
	add(&tcp4, 200, 100, 3, ACK);
	expect(3);
}

static void largest(struct spec *spec)
{
	if (!spec->tcp || spec->l3_opts || spec->tags > 1)
		return;
	spec->flags = ACK;
	spec->mss = 1448;
	spec->payload_bytes = 47 * 1448;
	begin();
	// All with the same payload: there is not as much.
	for (unsigned i = 0; i < 47; i++) {
		spec->seq += 1448;
		add(spec, 0, 1448, i, ACK);
	}
	expect(2); // 45 are just below 64 KiB
	begin();
	for (unsigned i = 0; i < DP_TX_SEGS + 1; i++)
		add(spec, i * 100, 100, i, ACK);
	expect(2);
}

static void test_largest(void **state)
{
	each_protocol(largest);
}

static void test_full_64_kib(void **state)
{
	// 20 bytes of IPv4, 32 of TCP: 65483 bytes are left. 43 times 1489 are 64027.
	begin();
	for (unsigned i = 0; i < 44; i++)
		add(&tcp4, i * 1489, i < 43 ? 1489 : 1456, i, ACK);
	expect(1);
	begin();
	for (unsigned i = 0; i < 44; i++)
		add(&tcp4, i * 1489, i < 43 ? 1489 : 1457, i, ACK);
	expect(2);
}

// ---- identification ----

static void ids(const unsigned *id, unsigned nb_pkts, bool df)
{
	begin();
	for (unsigned i = 0; i < 3; i++) {
		uint8_t *pkt = add(&tcp4, i * 100, 100, id[i], ACK);

		pkt[20] = df ? 0x40 : 0;
		refresh(pkt, &tcp4, gro_bed.len[i]);
	}
	expect(nb_pkts);
}

static void test_ids(void **state)
{
	for (unsigned df = 0; df < 2; df++) {
		ids((const unsigned[]){8, 9, 10}, 1, df);
		ids((const unsigned[]){65535, 65536, 65537}, 1, df);
		ids((const unsigned[]){8, 9, 9}, 2, df);
		ids((const unsigned[]){8, 10, 12}, 3, df);
		ids((const unsigned[]){8, 7, 6}, 3, df);
	}
	ids((const unsigned[]){8, 8, 8}, 3, false);
}

// The same in all, with "don't fragment", says nothing (RFC 6864): they are counted when cut.
static void test_constant_id(void **state)
{
	begin();
	for (unsigned i = 0; i < 3; i++)
		add(&tcp4, i * 100, 100, 0, ACK);
	receive(1900);
	merge();
	assert_int_equal(gro_bed.nb_pkts, 1);
	finish_and_compare(gro_bed.pkt[0], &tcp4);
	begin();
	for (unsigned i = 0; i < 3; i++)
		add(&tcp4, i * 100, 100, i / 2, ACK);
	receive(1900);
	merge();
	assert_int_equal(gro_bed.nb_pkts, 2);
	rte_pktmbuf_free_bulk(gro_bed.pkt, gro_bed.nb_pkts);
}

// ---- what is refused ----

// A segment that came as one ends a train, and begins none.
static void test_large(void **state)
{
	struct spec more = tcp4;

	more.seq += 300;
	more.id = 3;
	begin();
	add_all(&tcp4);
	add(&tcp4, 0, 1, 0, ACK); // its place
	add(&tcp4, 600, 100, 6, ACK);
	receive(1900);
	rte_pktmbuf_free(gro_bed.pkt[3]);
	gro_bed.pkt[3] = large_of(&more, 1900);
	dp_set_input(gro_bed.pkt[3], 5);
	dp_set_remote(gro_bed.pkt[3], 9);
	merge();
	assert_int_equal(gro_bed.nb_pkts, 3);
	finish_and_compare(gro_bed.pkt[0], &tcp4);
	finish_and_compare(gro_bed.pkt[1], &more);
	assert_bytes(gro_bed.pkt[2], gro_bed.bytes[4], gro_bed.len[4]);
	rte_pktmbuf_free(gro_bed.pkt[2]);
}

// ---- flows ----

static void interleave(unsigned flows)
{
	begin();
	for (unsigned i = 0; i < 3; i++) {
		for (unsigned f = 0; f < flows; f++) {
			uint8_t *pkt = add(&tcp4, i * 100, 100, i, ACK);

			pkt[14 + 20 + 1] += f;
			refresh(pkt, &tcp4, gro_bed.len[i]);
		}
	}
}

static void test_flows(void **state)
{
	unsigned order[24];

	for (unsigned i = 0; i < 24; i++)
		order[i] = i / 3 + 8 * (i % 3);
	interleave(8);
	receive(1900);
	merge();
	assert_int_equal(gro_bed.nb_pkts, 8);
	compare(order);
	interleave(9); // more than are looked after
	expect(27);
}

static void test_tunnel(void **state)
{
	begin();
	add_all(&tcp4);
	receive(1900);
	dp_set_input(gro_bed.pkt[1], 6);
	merge();
	assert_int_equal(gro_bed.nb_pkts, 3);
	dp_set_input(gro_bed.pkt[1], 5);
	dp_set_remote(gro_bed.pkt[1], 10);
	merge();
	assert_int_equal(gro_bed.nb_pkts, 3);
	dp_set_remote(gro_bed.pkt[1], 9);
	merge();
	assert_int_equal(gro_bed.nb_pkts, 1);
	compare(NULL);
}

static void test_none(void **state)
{
	assert_int_equal(dp_gro(NULL, 0), 0);
}

struct sender {
	unsigned from, index;
	unsigned next; // frame of it that is to come out
};

// A frame of flow `f`, perhaps damaged, or not in order.
static void add_random(struct sender *senders, unsigned f)
{
	struct sender *sender = &senders[f];
	const struct spec *spec = f & 1 ? &tcp6 : &tcp4;
	unsigned n = random() % 8 ? 500 : random() % 600;
	unsigned at = l2_len(spec) + l3_len(spec) + 4; // behind the ports
	uint8_t *pkt = add(spec, sender->from, n, sender->index, random() % 8 ? ACK : ACK | PSH);

	pkt[5] = f;
	if (random() % 16 == 0)
		pkt[at + random() % (gro_bed.len[gro_bed.count - 1] - at)] ^= 1 << random() % 8;
	sender->from += n * (random() % 16 != 0);
	sender->index += 1 + (random() % 16 == 0);
}

// Each flow comes out as it went in.
static void random_frames(unsigned flows)
{
	struct sender sender[16] = {0};
	unsigned total = 0;

	begin();
	while (gro_bed.count < 64)
		add_random(sender, random() % flows);
	receive(random() % 2 ? 1900 : 300);
	merge();
	for (unsigned i = 0; i < gro_bed.nb_pkts; i++) {
		unsigned n =
			dp_offload_finish(gro_bed.pkt[i], NO_OFFLOADS, pool, out, DP_GSO_MAX, &cnt);

		for (unsigned k = 0; k < n; k++, total++) {
			uint8_t f = rte_pktmbuf_mtod(out[k], uint8_t *)[5];
			unsigned *next = &sender[f].next;

			while (gro_bed.bytes[*next][5] != f)
				++*next;
			assert_bytes(out[k], gro_bed.bytes[*next], gro_bed.len[*next]);
			++*next;
		}
		rte_pktmbuf_free_bulk(out, n);
	}
	assert_int_equal(total, gro_bed.count);
}

static void test_random(void **state)
{
	print_message("seed %u\n", seed);
	srandom(seed);
	for (unsigned i = 0; i < 3000; i++)
		random_frames(1 + i % 12);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		LEAKTEST(test_train),
		LEAKTEST(test_segment),
		LEAKTEST(test_sizes),
		LEAKTEST(test_push),
		LEAKTEST(test_no_payload),
		LEAKTEST(test_largest),
		LEAKTEST(test_full_64_kib),
		LEAKTEST(test_ids),
		LEAKTEST(test_constant_id),
		LEAKTEST(test_large),
		LEAKTEST(test_flows),
		LEAKTEST(test_tunnel),
		LEAKTEST(test_none),
		LEAKTEST(test_random),
	};

	if (packets_init(argc, argv) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
