// SPDX-License-Identifier: BSD-3-Clause
// VLANs: every kind of port against every other with every kind of frame, tags added and taken
// off, and that what is shared by several ports is not written to.
#include <string.h>

#include "tests/dp/harness.h"

#define NATIVE_TAGGED(vid)   .vlan_mode = CONF_VLAN_NATIVE_TAGGED, .tag = (vid)
#define NATIVE_UNTAGGED(vid) .vlan_mode = CONF_VLAN_NATIVE_UNTAGGED, .tag = (vid)
#define NOT_MEMBER	     (-1)
#define TAGGED		     (-2)

static const unsigned frame_tags[] = {0, TAG(0), TAG(3 << 13), TAG(10), TAG(5 << 13 | 20), TAG(30)};
static const uint16_t vlans[] = {0, 10, 20, 30};

// The kinds of ports. `in`: where a frame with each of `frame_tags` belongs, or why it is dropped.
// `out`: whether a frame of each of `vlans` leaves untagged ('u'), with a tag ('t'), not at all.
static const struct kind {
	const char *name;
	struct port_spec spec;
	int in[RTE_DIM(frame_tags)];
	char out[RTE_DIM(vlans) + 1];
} kinds[] = {
	{"every VLAN", {}, {0, 0, 0, 10, 20, 30}, "uttt"},
	{"access 10", {ACCESS(10)}, {10, 10, 10, TAGGED, TAGGED, TAGGED}, "-u--"},
	{"access 20", {ACCESS(20)}, {20, 20, 20, TAGGED, TAGGED, TAGGED}, "--u-"},
	{"trunk 10 20", {TRUNKS(10, 20)}, {NOT_MEMBER, NOT_MEMBER, NOT_MEMBER, 10, 20, NOT_MEMBER},
		"-tt-"},
	{"trunk 0 10", {TRUNKS(0, 10)}, {0, 0, 0, 10, NOT_MEMBER, NOT_MEMBER}, "ut--"},
	{"native tagged 10, 20", {NATIVE_TAGGED(10), TRUNKS(20)}, {10, 10, 10, 10, 20, NOT_MEMBER},
		"-tt-"},
	{"native untagged 10, 20", {NATIVE_UNTAGGED(10), TRUNKS(20)},
		{10, 10, 10, 10, 20, NOT_MEMBER}, "-ut-"},
	{"native untagged 10, every VLAN", {NATIVE_UNTAGGED(10)}, {10, 10, 10, 10, 20, 30}, "uutt"},
	{"native tagged 20, every VLAN", {NATIVE_TAGGED(20)}, {20, 20, 20, 10, 20, 30}, "uttt"},
};
#define NB_KINDS RTE_DIM(kinds)

static char out_of(const struct kind *kind, int vlan)
{
	for (unsigned i = 0; i < RTE_DIM(vlans); i++) {
		if (vlans[i] == vlan)
			return kind->out[i];
	}
	return '-';
}

// Which tag a frame of `vlan` leaves with, given the one it came with. A priority without a VLAN is
// kept, in a tag of the VLAN or alone.
static unsigned tag_out(char form, int vlan, unsigned tag_in)
{
	unsigned priority = tag_in & 0xf000;

	if (tag_in & 0xfff)
		return form == 'u' ? 0 : tag_in;
	if (form == 'u')
		return priority ? TAG(priority) : 0;
	return TAG(priority | vlan);
}

// A broadcast from each kind of port to all kinds at once: one frame in several forms.
static void test_flood_between_all_kinds(void **state)
{
	struct port_spec specs[2 * NB_KINDS];

	// Two of each, so that those of the same kind see each other too.
	for (unsigned i = 0; i < 2 * NB_KINDS; i++)
		specs[i] = kinds[i / 2].spec;
	ports_new(specs, 2 * NB_KINDS);
	for (unsigned in = 0; in < 2 * NB_KINDS; in++) {
		for (unsigned t = 0; t < RTE_DIM(frame_tags); t++) {
			struct frame f = {.dst = BROADCAST,
				.src = HOST(in + 1),
				.id = in * 16 + t,
				.tag = frame_tags[t]};
			int vlan = kinds[in / 2].in[t];

			send_frame(in, f);
			run();
			if (vlan < 0)
				drops(in,
					vlan == TAGGED ? DP_DROP_VLAN_TAGGED
						       : DP_DROP_VLAN_NOT_MEMBER,
					1);
			for (unsigned out = 0; out < 2 * NB_KINDS; out++) {
				char form = out_of(&kinds[out / 2], vlan);

				f.tag = tag_out(form, vlan, frame_tags[t]);
				if (out != in && form != '-')
					expect(out, f);
			}
		}
	}
}

static void known_between(const struct kind *in, const struct kind *out, unsigned t)
{
	struct frame f = FRAME(.dst = HOST(2), .src = HOST(1), .tag = frame_tags[t]);
	const struct mac mac = {{2, 0, 0, 0, 0, 2}};
	int vlan = in->in[t];
	char form = out_of(out, vlan);

	if (vlan < 0) {
		dropped(A, f, A, vlan == TAGGED ? DP_DROP_VLAN_TAGGED : DP_DROP_VLAN_NOT_MEMBER);
		return;
	}
	// As if it had been learned before the port was changed.
	assert_int_equal(dp_fdb_add_static(the_dp(), bridge_id(0), vlan, &mac, port_id(B), 0), 0);
	if (form == '-') {
		dropped(A, f, B, DP_DROP_TX_VLAN);
		return;
	}
	send_frame(A, f);
	run();
	f.tag = tag_out(form, vlan, frame_tags[t]);
	expect(B, f);
	silence();
}

static void test_known_between_all_kinds(void **state)
{
	PORTS({}, {}, {});
	for (unsigned in = 0; in < NB_KINDS; in++) {
		for (unsigned out = 0; out < NB_KINDS; out++) {
			*port_spec(A) = kinds[in].spec;
			*port_spec(B) = kinds[out].spec;
			publish();
			for (unsigned t = 0; t < RTE_DIM(frame_tags); t++)
				known_between(&kinds[in], &kinds[out], t);
		}
	}
}

// 64 frames at once, of which every `every`th has the tag `other` and the rest `most`.
static void batch_between(const struct kind *in, const struct kind *out, unsigned most,
	unsigned other, unsigned every)
{
	uint64_t refused[DP_NB_DROPS] = {0}, lost = 0;
	struct frame f = FRAME(.dst = HOST(2), .src = HOST(1));

	for (unsigned i = 0; i < DP_BURST; i++) {
		f.tag = frame_tags[i % every ? most : other];
		f.id = i;
		send_frame(A, f);
	}
	run();
	for (unsigned i = 0; i < DP_BURST; i++) {
		unsigned t = i % every ? most : other;
		int vlan = in->in[t];
		char form = out_of(out, vlan);

		f.tag = tag_out(form, vlan, frame_tags[t]);
		f.id = i;
		if (vlan < 0)
			refused[vlan == TAGGED ? DP_DROP_VLAN_TAGGED : DP_DROP_VLAN_NOT_MEMBER]++;
		else if (form == '-')
			lost++;
		else
			expect(B, f);
	}
	drops(A, DP_DROP_VLAN_TAGGED, refused[DP_DROP_VLAN_TAGGED]);
	drops(A, DP_DROP_VLAN_NOT_MEMBER, refused[DP_DROP_VLAN_NOT_MEMBER]);
	drops(B, DP_DROP_TX_VLAN, lost);
	silence();
}

// Batches of one kind take other ways than mixed ones, and those that only look like one kind yet
// others: a batch is judged by its first and last frame.
static void test_batches_between_all_kinds(void **state)
{
	static const unsigned every[] = {DP_BURST, DP_BURST - 1, 2, 5};
	const struct mac mac = {{2, 0, 0, 0, 0, 2}};

	PORTS({}, {}, {});
	for (unsigned v = 0; v < RTE_DIM(vlans); v++)
		assert_int_equal(
			dp_fdb_add_static(the_dp(), bridge_id(0), vlans[v], &mac, port_id(B), 0),
			0);
	for (unsigned in = 0; in < NB_KINDS; in++) {
		for (unsigned out = 0; out < NB_KINDS; out++) {
			*port_spec(A) = kinds[in].spec;
			*port_spec(B) = kinds[out].spec;
			publish();
			for (unsigned k = 0; k < RTE_DIM(frame_tags) * RTE_DIM(frame_tags); k++)
				batch_between(&kinds[in], &kinds[out], k % RTE_DIM(frame_tags),
					k / RTE_DIM(frame_tags), every[k % RTE_DIM(every)]);
		}
	}
}

static void test_batch_with_one_that_has_no_room_for_a_tag(void **state)
{
	struct frame f = FRAME(.dst = HOST(2), .src = HOST(1));

	PORTS({ACCESS(10)}, {});
	send_frame(B, FRAME(.dst = BROADCAST, .src = HOST(2), .tag = TAG(10)));
	run();
	expect(A, FRAME(.dst = BROADCAST, .src = HOST(2)));
	for (unsigned i = 0; i < DP_BURST; i++) {
		f.id = i;
		f.no_headroom = i == 40;
		send_frame(A, f);
	}
	run();
	f.tag = TAG(10);
	for (unsigned i = 0; i < DP_BURST; i++) {
		f.id = i;
		expect(B, f);
	}
	silence();
}

// The sender keeps a reference to one of them: that one must not change under its hands.
static void test_batch_with_one_that_is_shared(void **state)
{
	struct rte_mbuf *kept = NULL;
	struct frame f = FRAME(.dst = HOST(2), .src = HOST(1), .tag = TAG(10));

	PORTS({}, {ACCESS(10)});
	send_frame(B, FRAME(.dst = BROADCAST, .src = HOST(2)));
	run();
	expect(A, FRAME(.dst = BROADCAST, .src = HOST(2), .tag = TAG(10)));
	for (unsigned i = 0; i < DP_BURST; i++) {
		struct rte_mbuf *m;

		f.id = i;
		m = frame_new(f);
		if (i == 40) {
			rte_mbuf_refcnt_update(m, 1);
			kept = m;
		}
		send_mbuf(A, m);
	}
	run();
	f.tag = 0;
	for (unsigned i = 0; i < DP_BURST; i++) {
		f.id = i;
		expect(B, f);
	}
	assert_int_equal(kept->pkt_len, 64);
	assert_int_equal(rte_pktmbuf_mtod(kept, uint8_t *)[12], 0x81);
	rte_pktmbuf_free(kept);
	silence();
}

// Each of the 4094 VLANs is one of its own.
static void test_all_vlan_numbers(void **state)
{
	PORTS({}, {ACCESS(1)}, {TRUNKS(4094, 2)}, {ACCESS(4094)});
	for (unsigned vid = 1; vid <= 4094; vid++) {
		send_frame(A, FRAME(.dst = BROADCAST, .src = HOST(1), .tag = TAG(vid)));
		run();
		if (vid == 1)
			expect(B, FRAME(.dst = BROADCAST, .src = HOST(1)));
		else if (vid == 2 || vid == 4094)
			expect(C, FRAME(.dst = BROADCAST, .src = HOST(1), .tag = TAG(vid)));
		else
			drops(A, DP_DROP_FLOOD_NOWHERE, 1);
		if (vid == 4094)
			expect(D, FRAME(.dst = BROADCAST, .src = HOST(1)));
	}
}

// 4095 is reserved and must not be in a frame (IEEE 802.1Q, table 9-2).
static void test_vlan_4095(void **state)
{
	PORTS({}, {}, {NATIVE_UNTAGGED(7)});
	dropped(A, FRAME(.dst = BROADCAST, .src = HOST(1), .tag = TAG(4095)), A,
		DP_DROP_VLAN_NOT_MEMBER);
	dropped(C, FRAME(.dst = BROADCAST, .src = HOST(1), .tag = TAG(4095)), C,
		DP_DROP_VLAN_NOT_MEMBER);
}

// ---- tags inside tags ----

// The outer tag alone decides; what is inside is payload.
static void test_two_tags(void **state)
{
	struct frame f =
		FRAME(.dst = BROADCAST, .src = HOST(1), .tag = TAG(10), .inner_tag = TAG(20));

	PORTS({}, {ACCESS(10)}, {ACCESS(20)}, {TRUNKS(10)}, {TRUNKS(20)});
	send_frame(A, f);
	run();
	expect(D, f);
	f.tag = 0;
	expect(B, f);
	silence();
	dropped(B, f, B, DP_DROP_VLAN_TAGGED);
}

// A priority tag is not a VLAN: what is inside is the frame, and must not be smuggled past the
// port's VLANs in it.
static void test_tag_inside_a_priority_tag(void **state)
{
	struct frame f =
		FRAME(.dst = BROADCAST, .src = HOST(1), .tag = TAG(5 << 13), .inner_tag = TAG(20));

	PORTS({ACCESS(10)}, {ACCESS(10)}, {NATIVE_UNTAGGED(10)}, {}, {TRUNKS(0, 10)}, {ACCESS(20)});
	dropped(A, f, A, DP_DROP_VLAN_TAGGED);
	dropped(E, f, E, DP_DROP_VLAN_NOT_MEMBER);
	// Where the VLAN is allowed, the frame is one of that VLAN.
	send_frame(D, f);
	run();
	f.tag = f.inner_tag;
	f.inner_tag = 0;
	expect(C, f);
	f.tag = 0;
	expect(F, f);
	silence();
}

static void test_priority_tags_without_end(void **state)
{
	const uint8_t tag[4] = {0x81, 0x00, 0x20, 0x00};
	uint8_t bytes[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1};

	PORTS({ACCESS(10)}, {});
	for (unsigned i = 12; i < sizeof(bytes); i += 4)
		memcpy(bytes + i, tag, 4);
	send_mbuf(A, mbuf_new(bytes, sizeof(bytes), 0));
	run();
	drops(A, DP_DROP_RX_SHORT, 1);
}

// IEEE 802.1ad service tags are payload to this bridge.
static void test_service_tags(void **state)
{
	uint8_t bytes[64] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 0x88, 0xa8, 0,
		20, 0x81, 0x00, 0, 30};

	PORTS({ACCESS(10)}, {ACCESS(10)}, {ACCESS(20)}, {ACCESS(30)});
	send_mbuf(A, mbuf_new(bytes, sizeof(bytes), 0));
	run();
	expect_bytes(B, bytes, sizeof(bytes));
}

// ---- buffers ----

static void test_tags_on_chains_and_without_headroom(void **state)
{
	static const struct {
		unsigned bytes, chunk_bytes;
		bool no_headroom;
	} rows[] = {{60, 0, true}, {1514, 0, true}, {1514, 100, false}, {1514, 100, true},
		{1514, 18, false}, {1514, 18, true}};

	PORTS({.tx_offloads = RTE_ETH_TX_OFFLOAD_MULTI_SEGS},
		{ACCESS(10), .tx_offloads = RTE_ETH_TX_OFFLOAD_MULTI_SEGS}, {ACCESS(10)});
	for (unsigned i = 0; i < RTE_DIM(rows); i++) {
		struct frame f = {.dst = BROADCAST,
			.src = HOST(1),
			.bytes = rows[i].bytes,
			.id = i,
			.chunk_bytes = rows[i].chunk_bytes,
			.no_headroom = rows[i].no_headroom};

		for (unsigned known = 0; known < 2; known++) {
			// A tag is taken off...
			f.dst = known ? HOST(2) : BROADCAST;
			f.src = HOST(1);
			f.tag = TAG(10);
			send_frame(A, f);
			run();
			f.tag = 0;
			expect(B, f);
			if (!known)
				expect(C, f);
			// ... and added.
			f.dst = known ? HOST(1) : BROADCAST;
			f.src = HOST(2);
			send_frame(B, f);
			run();
			if (!known)
				expect(C, f);
			f.tag = TAG(10);
			expect(A, f);
		}
		dp_fdb_flush_bridge(the_dp(), bridge_id(0));
	}
}

// Ports of one form share one buffer, each form has one: the counts say so.
static void test_flood_shares_buffers(void **state)
{
	struct port_spec specs[20] = {{}};

	for (unsigned i = 1; i < 20; i++)
		specs[i] = i % 2 ? (struct port_spec){ACCESS(10)} : (struct port_spec){};
	ports_new(specs, 20);
	for (unsigned round = 0; round < 3; round++) {
		struct frame f = FRAME(.dst = BROADCAST, .src = HOST(1), .tag = TAG(10));
		unsigned before = rte_mempool_in_use_count(dp_pool());

		send_frame(A, f);
		run();
		assert_int_equal(rte_mempool_in_use_count(dp_pool()) - before, 1);
		for (unsigned i = 1; i < 20; i++) {
			f.tag = i % 2 ? 0 : TAG(10);
			expect(i, f);
		}
		assert_int_equal(rte_mempool_in_use_count(dp_pool()), before);
	}
}

static void test_no_buffer_for_another_form(void **state)
{
	const struct frame tagged = FRAME(.dst = BROADCAST, .src = HOST(1), .tag = TAG(10));

	PORTS({}, {ACCESS(10)}, {ACCESS(10)}, {});
	dp_pool_hog(0);
	send_frame(A, tagged);
	run();
	expect(D, tagged);
	drops(A, DP_DROP_FLOOD_NO_BUFFER, 1);
	// Also when no other port would have got it.
	port_spec(D)->absent = true;
	publish();
	dropped(A, tagged, A, DP_DROP_FLOOD_NO_BUFFER);
	dp_pool_release();
	send_frame(A, tagged);
	run();
	expect(B, FRAME(.dst = BROADCAST, .src = HOST(1)));
	expect(C, FRAME(.dst = BROADCAST, .src = HOST(1)));
}

static void test_no_buffer_to_make_room_for_a_tag(void **state)
{
	struct frame f = FRAME(.dst = HOST(2), .src = HOST(1), .no_headroom = true);

	PORTS({ACCESS(10)}, {});
	send_frame(B, FRAME(.dst = BROADCAST, .src = HOST(2), .tag = TAG(10)));
	run();
	expect(A, FRAME(.dst = BROADCAST, .src = HOST(2)));
	dp_pool_hog(0);
	dropped(A, f, B, DP_DROP_TX_NO_BUFFER);
	dp_pool_release();
	send_frame(A, f);
	run();
	f.tag = TAG(10);
	expect(B, f);
}

int group_vlan(void)
{
	const struct CMUnitTest tests[] = {
		DP_TEST(test_batches_between_all_kinds),
		DP_TEST(test_batch_with_one_that_has_no_room_for_a_tag),
		DP_TEST(test_batch_with_one_that_is_shared),
		DP_TEST(test_flood_between_all_kinds),
		DP_TEST(test_known_between_all_kinds),
		DP_TEST(test_all_vlan_numbers),
		DP_TEST(test_vlan_4095),
		DP_TEST(test_two_tags),
		DP_TEST(test_tag_inside_a_priority_tag),
		DP_TEST(test_priority_tags_without_end),
		DP_TEST(test_service_tags),
		DP_TEST(test_tags_on_chains_and_without_headroom),
		DP_TEST(test_flood_shares_buffers),
		DP_TEST(test_no_buffer_for_another_form),
		DP_TEST(test_no_buffer_to_make_room_for_a_tag),
	};

	return cmocka_run_group_tests_name("vlan", tests, NULL, NULL);
}
