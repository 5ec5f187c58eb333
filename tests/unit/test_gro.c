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
#include "tests/unit/packets.h"

#define FRAMES_MAX 128
#define ACK	   0x10
#define PSH	   0x08

// The frames as they were sent, and the packets made of them.
static struct {
	uint8_t bytes[FRAMES_MAX][2048];
	unsigned len[FRAMES_MAX];
	unsigned count;
	struct rte_mbuf *pkt[FRAMES_MAX];
	unsigned nb_pkts;
} s;

static const struct spec tcp4 = {
	.tcp = true, .l4_opts = 12, .payload_bytes = 300, .mss = 100, .flags = ACK, .seq = 7};
static const struct spec tcp6 = {.v6 = true,
	.tcp = true,
	.tags = 1,
	.l4_opts = 12,
	.payload_bytes = 300,
	.mss = 100,
	.flags = ACK};

static void begin(void)
{
	s.count = 0;
}

static uint8_t *add(const struct spec *spec, unsigned from, unsigned n, unsigned index, int flags)
{
	uint8_t *pkt = s.bytes[s.count];

	s.len[s.count++] = build(pkt, spec, from, n, index, flags, false);
	return pkt;
}

static void add_all(const struct spec *spec)
{
	for (unsigned i = 0; i < nb_segments(spec); i++) {
		s.len[s.count] = build_segment(s.bytes[s.count], spec, i, false);
		s.count++;
	}
}

// Makes the frame's checksums right again.
static void refresh(uint8_t *pkt, const struct spec *spec, unsigned len)
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

static void receive(unsigned chunk)
{
	for (unsigned i = 0; i < s.count; i++) {
		s.pkt[i] = chain_of(s.bytes[i], s.len[i], chunk);
		dp_set_input(s.pkt[i], 5);
		dp_set_remote(s.pkt[i], 9);
	}
}

static void merge(void)
{
	s.nb_pkts = dp_gro(s.pkt, s.count);
}

// What ports/vnet_hdr.c makes of the header that a tap would get with the packet.
static void check_header(const struct rte_mbuf *m)
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

// Cuts the packets again and compares with the frames, of which some may have been reordered.
static void compare(const unsigned *order)
{
	unsigned k = 0;

	for (unsigned i = 0; i < s.nb_pkts; i++) {
		unsigned n;

		rte_mbuf_sanity_check(s.pkt[i], 1);
		if (s.pkt[i]->ol_flags)
			assert_true(s.pkt[i]->nb_segs <= DP_TX_SEGS);
		check_header(s.pkt[i]);
		n = dp_offload_finish(s.pkt[i], NO_OFFLOADS, pool, out, DP_GSO_MAX, &cnt);
		assert_true(n);
		for (unsigned j = 0; j < n; j++, k++) {
			unsigned want = order ? order[k] : k;

			assert_true(k < s.count);
			assert_bytes(out[j], s.bytes[want], s.len[want]);
			assert_int_equal(dp_input(out[j]), 5);
			assert_int_equal(dp_remote(out[j]), 9);
		}
		rte_pktmbuf_free_bulk(out, n);
	}
	assert_int_equal(k, s.count);
}

static void expect(unsigned nb_pkts)
{
	receive(1900);
	merge();
	assert_int_equal(s.nb_pkts, nb_pkts);
	compare(NULL);
}

// ---- what is merged ----

static void one_train(struct spec *spec)
{
	unsigned want;

	spec->flags = ACK | PSH;
	spec->mss = 1000;
	spec->payload_bytes = 4567;
	begin();
	add_all(spec);
	want = spec->tcp && !spec->l3_opts && spec->tags < 2 ? 1 : s.count;
	expect(want);
	receive(700); // each in two buffers
	merge();
	assert_int_equal(s.nb_pkts, want);
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
	assert_int_equal(s.nb_pkts, 1);
	m = s.pkt[0];
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
		refresh(pkt, &tcp4, s.len[i]);
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
	assert_int_equal(s.nb_pkts, 1);
	finish_and_compare(s.pkt[0], &tcp4);
	begin();
	for (unsigned i = 0; i < 3; i++)
		add(&tcp4, i * 100, 100, i / 2, ACK);
	receive(1900);
	merge();
	assert_int_equal(s.nb_pkts, 2);
	rte_pktmbuf_free_bulk(s.pkt, s.nb_pkts);
}

// ---- what is refused ----

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
	s.bytes[1][at[c->layer] + c->at] ^= c->flip;
	if (!c->keep_sums)
		refresh(s.bytes[1], spec, s.len[1]);
	receive(1900);
	merge();
	if (s.nb_pkts != 3)
		print_error("layer %u, byte %u, bits %02x\n", c->layer + 2, c->at, c->flip);
	assert_int_equal(s.nb_pkts, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(s.pkt[i]->ol_flags, 0);
		assert_bytes(s.pkt[i], s.bytes[i], s.len[i]);
		rte_pktmbuf_free(s.pkt[i]);
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
			refresh(pkt, spec, s.len[k]);
		}
		expect(3);
	}
}

static void expect_damaged(unsigned which)
{
	begin();
	add_all(&tcp4);
	s.bytes[which][s.len[which] - 1] ^= 1;
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
	pkt = s.bytes[1];
	sum = pkt + csum_field(&tcp4);
	// The payload takes up what is missing to a sum of zero.
	memset(pkt + headers_len(&tcp4), 0, 2);
	refresh(pkt, &tcp4, s.len[1]);
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
		memset(s.bytes[1] + s.len[1], 0, 4);
		s.len[1] += 4 * pad;
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
			s.len[1] = len;
			receive(1900);
			merge();
			assert_int_equal(s.nb_pkts, 3);
			for (unsigned k = 0; k < 3; k++)
				assert_bytes(s.pkt[k], s.bytes[k], s.len[k]);
			rte_pktmbuf_free_bulk(s.pkt, 3);
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
		assert_int_equal(s.nb_pkts, 3);
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
			uint8_t *pkt = rte_pktmbuf_mtod(s.pkt[k], uint8_t *);
			unsigned l4_bytes = s.len[k] - l2_len(&one) - l3_len(&one);

			if (i < 2 && k == 1)
				continue; // complete, between others
			put16(pkt + csum_field(&one),
				pseudo_sum(&one, pkt + l2_len(&one), l4_bytes) ^ (i > 1 && k == 1));
			set_offload(s.pkt[k], &one);
			s.pkt[k]->l4_len = 0;
		}
		merge();
		assert_int_equal(s.nb_pkts, i < 2 ? 1 : 3);
		if (i < 2)
			compare(NULL);
		else
			rte_pktmbuf_free_bulk(s.pkt, 3);
	}
}

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
	rte_pktmbuf_free(s.pkt[3]);
	s.pkt[3] = large_of(&more, 1900);
	dp_set_input(s.pkt[3], 5);
	dp_set_remote(s.pkt[3], 9);
	merge();
	assert_int_equal(s.nb_pkts, 3);
	finish_and_compare(s.pkt[0], &tcp4);
	finish_and_compare(s.pkt[1], &more);
	assert_bytes(s.pkt[2], s.bytes[4], s.len[4]);
	rte_pktmbuf_free(s.pkt[2]);
}

// ---- flows ----

static void interleave(unsigned flows)
{
	begin();
	for (unsigned i = 0; i < 3; i++) {
		for (unsigned f = 0; f < flows; f++) {
			uint8_t *pkt = add(&tcp4, i * 100, 100, i, ACK);

			pkt[14 + 20 + 1] += f;
			refresh(pkt, &tcp4, s.len[i]);
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
	assert_int_equal(s.nb_pkts, 8);
	compare(order);
	interleave(9); // more than are looked after
	expect(27);
}

static void test_tunnel(void **state)
{
	begin();
	add_all(&tcp4);
	receive(1900);
	dp_set_input(s.pkt[1], 6);
	merge();
	assert_int_equal(s.nb_pkts, 3);
	dp_set_input(s.pkt[1], 5);
	dp_set_remote(s.pkt[1], 10);
	merge();
	assert_int_equal(s.nb_pkts, 3);
	dp_set_remote(s.pkt[1], 9);
	merge();
	assert_int_equal(s.nb_pkts, 1);
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
		pkt[at + random() % (s.len[s.count - 1] - at)] ^= 1 << random() % 8;
	sender->from += n * (random() % 16 != 0);
	sender->index += 1 + (random() % 16 == 0);
}

// Each flow comes out as it went in.
static void random_frames(unsigned flows)
{
	struct sender sender[16] = {0};
	unsigned total = 0;

	begin();
	while (s.count < 64)
		add_random(sender, random() % flows);
	receive(random() % 2 ? 1900 : 300);
	merge();
	for (unsigned i = 0; i < s.nb_pkts; i++) {
		unsigned n = dp_offload_finish(s.pkt[i], NO_OFFLOADS, pool, out, DP_GSO_MAX, &cnt);

		for (unsigned k = 0; k < n; k++, total++) {
			uint8_t f = rte_pktmbuf_mtod(out[k], uint8_t *)[5];
			unsigned *next = &sender[f].next;

			while (s.bytes[*next][5] != f)
				++*next;
			assert_bytes(out[k], s.bytes[*next], s.len[*next]);
			++*next;
		}
		rte_pktmbuf_free_bulk(out, n);
	}
	assert_int_equal(total, s.count);
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
		LEAKTEST(test_changes),
		LEAKTEST(test_not_plain),
		LEAKTEST(test_damaged),
		LEAKTEST(test_other_zero),
		LEAKTEST(test_padding),
		LEAKTEST(test_truncated),
		LEAKTEST(test_headers_split),
		LEAKTEST(test_partial),
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
