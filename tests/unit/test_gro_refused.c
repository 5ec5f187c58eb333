// SPDX-License-Identifier: BSD-3-Clause
// What GRO must leave alone: packets that differ in what their headers say, damaged ones, odd ones.
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

enum layer { L2, L3, L4 };

// A byte that differs in the second frame of three.
struct change {
	enum layer layer;
	unsigned at;
	uint8_t flip;
	bool keep_sums;
};

static const struct change changes_l4[] = {
	{L2, 5, 1},
	{L2, 11, 1},
	{L4, 1, 1}, // ports
	{L4, 3, 1},
	{L4, 7, 1}, // sequence
	{L4, 4, 0x80},
	{L4, 11, 1}, // acknowledgement
	{L4, 12, 1}, // reserved bits
	{L4, 12, 0x10},
	{L4, 13, 0x01}, // FIN
	{L4, 13, 0x02}, // SYN
	{L4, 13, 0x04}, // RST
	{L4, 13, 0x10}, // no ACK
	{L4, 13, 0x20}, // URG
	{L4, 13, 0x40}, // ECE
	{L4, 13, 0x80}, // CWR
	{L4, 15, 1},	// window
	{L4, 19, 1},	// urgent pointer
	{L4, 20, 1},	// options
	{L4, 31, 1},
	{L4, 16, 1, true}, // checksum
	{L4, 17, 0xff, true},
	{L4, 32, 1, true}, // payload
	{L4, 131, 0x80, true},
};

static const struct change changes_ip4[] = {
	{L3, 1, 4},    // type of service
	{L3, 1, 1},    // and what says "congestion"
	{L3, 5, 2},    // identification
	{L3, 6, 0x80}, // reserved
	{L3, 6, 0x40}, // DF
	{L3, 6, 0x20}, // MF
	{L3, 7, 1},    // fragment offset
	{L3, 8, 1},    // time to live
	{L3, 9, 1},    // protocol
	{L3, 12, 1},   // addresses
	{L3, 15, 1},
	{L3, 16, 1},
	{L3, 19, 1},
	{L3, 10, 1, true}, // checksum
	{L3, 0, 0x10, true},
	{L3, 0, 1, true},
	{L3, 3, 1, true}, // length
	{L2, 12, 1},
};

static const struct change changes_ip6[] = {
	{L3, 0, 0x10},						 // version
	{L3, 0, 1},						 // class
	{L3, 1, 0x10}, {L3, 1, 1},				 // label
	{L3, 3, 1}, {L3, 6, 1},					 // next header
	{L3, 7, 1},						 // hop limit
	{L3, 8, 1},						 // addresses
	{L3, 23, 1}, {L3, 24, 1}, {L3, 39, 1}, {L3, 5, 1, true}, // length
	{L2, 12, 1}, {L2, 15, 1},				 // VLAN
	{L2, 14, 0x20}, {L2, 17, 1},				 // ethertype behind it
};

static void change(const struct spec *spec, const struct change *c)
{
	const unsigned at[] = {[L2] = 0, l2_len(spec), l2_len(spec) + l3_len(spec)};

	begin();
	add_all(spec);
	gro_bed.bytes[1][at[c->layer] + c->at] ^= c->flip;
	if (!c->keep_sums)
		refresh(gro_bed.bytes[1], spec, gro_bed.len[1]);
	receive(1900);
	merge();
	if (gro_bed.nb_pkts != 3)
		print_error("layer %u, byte %u, bits %02x\n", c->layer + 2, c->at, c->flip);
	assert_int_equal(gro_bed.nb_pkts, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(gro_bed.pkt[i]->ol_flags, 0);
		assert_bytes(gro_bed.pkt[i], gro_bed.bytes[i], gro_bed.len[i]);
		rte_pktmbuf_free(gro_bed.pkt[i]);
	}
}

static void test_changes(void **state)
{
	for (unsigned i = 0; i < RTE_DIM(changes_l4); i++) {
		change(&tcp4, &changes_l4[i]);
		change(&tcp6, &changes_l4[i]);
	}
	for (unsigned i = 0; i < RTE_DIM(changes_ip4); i++)
		change(&tcp4, &changes_ip4[i]);
	for (unsigned i = 0; i < RTE_DIM(changes_ip6); i++)
		change(&tcp6, &changes_ip6[i]);
}

// What is the same in all frames and yet refused.
static void test_not_plain(void **state)
{
	static const struct {
		const struct spec *spec;
		struct change c;
		unsigned step_bytes; // between sequence numbers, as such headers have it
	} cases[] = {
		{&tcp4, {L3, 0, 0x10}, 100},
		{&tcp4, {L3, 0, 1}, 100},
		{&tcp4, {L3, 6, 0x20}, 100},
		{&tcp4, {L3, 7, 1}, 100},
		{&tcp4, {L3, 9, 1}, 100},
		{&tcp4, {L4, 12, 0xc0}, 116}, // a header of 16 bytes
		{&tcp4, {L4, 13, 1}, 100},
		{&tcp4, {L2, 13, 1}, 100},
		{&tcp6, {L3, 0, 0x10}, 100},
		{&tcp6, {L3, 6, 1}, 100},
		{&tcp6, {L2, 12, 0x40}, 100},
	};

	for (unsigned i = 0; i < RTE_DIM(cases); i++) {
		const struct spec *spec = cases[i].spec;
		const unsigned at[] = {[L2] = 0, l2_len(spec), l2_len(spec) + l3_len(spec)};

		begin();
		for (unsigned k = 0; k < 3; k++) {
			uint8_t *pkt = add(spec, k * cases[i].step_bytes, 100, k, ACK);

			pkt[at[cases[i].c.layer] + cases[i].c.at] ^= cases[i].c.flip;
			refresh(pkt, spec, gro_bed.len[k]);
		}
		expect(3);
	}
}

static void expect_damaged(unsigned which)
{
	begin();
	add_all(&tcp4);
	gro_bed.bytes[which][gro_bed.len[which] - 1] ^= 1;
	expect(2); // the other two go together
}

static void test_damaged(void **state)
{
	expect_damaged(0);
	expect_damaged(2);
}

// Right, but not what segmentation would write.
static void test_other_zero(void **state)
{
	uint8_t *pkt, *sum;

	begin();
	add_all(&tcp4);
	pkt = gro_bed.bytes[1];
	sum = pkt + csum_field(&tcp4);
	// The payload takes up what is missing to a sum of zero.
	memset(pkt + headers_len(&tcp4), 0, 2);
	refresh(pkt, &tcp4, gro_bed.len[1]);
	memcpy(pkt + headers_len(&tcp4), sum, 2);
	memset(sum, 0, 2);
	expect(1);
	memset(sum, 0xff, 2);
	expect(3);
}

static void test_padding(void **state)
{
	const struct spec bare = {.tcp = true, .flags = ACK};

	for (unsigned pad = 0; pad < 2; pad++) {
		begin();
		add(&bare, 0, 100, 0, ACK);
		add(&bare, 100, 2, 1, ACK);
		memset(gro_bed.bytes[1] + gro_bed.len[1], 0, 4);
		gro_bed.len[1] += 4 * pad;
		expect(1 + pad);
	}
}

// A frame of any length, between others of its flow.
static void test_truncated(void **state)
{
	const struct spec *specs[] = {&tcp4, &tcp6};

	for (unsigned i = 0; i < 2; i++) {
		for (unsigned len = 1; len < headers_len(specs[i]) + 100; len++) {
			begin();
			add_all(specs[i]);
			gro_bed.len[1] = len;
			receive(1900);
			merge();
			assert_int_equal(gro_bed.nb_pkts, 3);
			for (unsigned k = 0; k < 3; k++)
				assert_bytes(gro_bed.pkt[k], gro_bed.bytes[k], gro_bed.len[k]);
			rte_pktmbuf_free_bulk(gro_bed.pkt, 3);
		}
	}
}

// Headers that are not in one buffer are nobody's business here.
static void test_headers_split(void **state)
{
	begin();
	add_all(&tcp4);
	for (unsigned chunk = 1; chunk <= headers_len(&tcp4); chunk++) {
		receive(chunk);
		merge();
		assert_int_equal(gro_bed.nb_pkts, 3);
		compare(NULL);
	}
}

// A checksum that is still to be filled is as good as a right one, if what is there is what it
// starts from.
static void test_partial(void **state)
{
	const struct spec *specs[] = {&tcp4, &tcp6};

	for (unsigned i = 0; i < 4; i++) {
		struct spec one = *specs[i & 1];

		one.mss = 0; // set_offload() wants no segments
		begin();
		add_all(specs[i & 1]);
		receive(1900);
		for (unsigned k = 0; k < 3; k++) {
			uint8_t *pkt = rte_pktmbuf_mtod(gro_bed.pkt[k], uint8_t *);
			unsigned l4_bytes = gro_bed.len[k] - l2_len(&one) - l3_len(&one);

			if (i < 2 && k == 1)
				continue; // complete, between others
			put16(pkt + csum_field(&one),
				pseudo_sum(&one, pkt + l2_len(&one), l4_bytes) ^ (i > 1 && k == 1));
			set_offload(gro_bed.pkt[k], &one);
			gro_bed.pkt[k]->l4_len = 0;
		}
		merge();
		assert_int_equal(gro_bed.nb_pkts, i < 2 ? 1 : 3);
		if (i < 2)
			compare(NULL);
		else
			rte_pktmbuf_free_bulk(gro_bed.pkt, 3);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		LEAKTEST(test_changes),
		LEAKTEST(test_not_plain),
		LEAKTEST(test_damaged),
		LEAKTEST(test_other_zero),
		LEAKTEST(test_padding),
		LEAKTEST(test_truncated),
		LEAKTEST(test_headers_split),
		LEAKTEST(test_partial),
	};

	if (packets_init(argc, argv) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
