// SPDX-License-Identifier: BSD-3-Clause
// What is learned, for how long, and what moves, flushes and static entries do to it.
#include <errno.h>
#include <string.h>

#include "dp/fdb.h"
#include "tests/dp/harness.h"

// The host says something, to an address that nobody has.
static void says(unsigned port, uint64_t host, uint64_t others)
{
	passes(port, FRAME(.dst = HOST(0xffffff), .src = host), others);
}

static struct mac mac_of(uint64_t address)
{
	struct mac mac;

	for (unsigned i = 0; i < 6; i++)
		mac.byte[i] = address >> (40 - 8 * i);
	return mac;
}

static struct dp_fdb_stats stats(void)
{
	struct dp_fdb_stats s;

	dp_fdb_stats(the_dp(), &s);
	return s;
}

// ---- ageing ----

static void test_ageing_default(void **state)
{
	PORTS({}, {}, {});
	at_s(1000);
	says(A, HOST(1), ON(B) | ON(C));
	at_s(1299);
	passes(B, FRAME(.dst = HOST(1), .src = HOST(2)), ON(A));
	at_s(1340);
	passes(B, FRAME(.dst = HOST(1), .src = HOST(2)), ON(A) | ON(C));
	assert_int_equal(stats().aged, 1);
}

// The main thread looks at a part of the table in each step, at all of it in 30 s.
static void test_ageing_in_small_steps(void **state)
{
	const unsigned hosts = 500;
	uint64_t now_us = 1000000;

	PORTS({.sink = true}, {.sink = true});
	for (unsigned i = 0; i < hosts; i++)
		send_frame(A, FRAME(.dst = BROADCAST, .src = HOST(i + 1)));
	run();
	assert_int_equal(stats().entries, hosts);
	for (; now_us < 301000000; now_us += 100000)
		dp_service(the_dp(), now_us);
	assert_int_equal(stats().aged, 0);
	for (; now_us <= 331000000; now_us += 100000)
		dp_service(the_dp(), now_us);
	assert_int_equal(stats().aged, hosts);
	assert_int_equal(stats().entries, 0);
}

static void test_ageing_starts_anew_with_each_frame(void **state)
{
	PORTS({}, {}, {});
	says(A, HOST(1), ON(B) | ON(C));
	for (unsigned s = 200; s <= 2000; s += 200) {
		at_s(s);
		says(A, HOST(1), ON(B) | ON(C));
	}
	at_s(2290);
	passes(B, FRAME(.dst = HOST(1), .src = HOST(2)), ON(A));
	// To be talked to does not keep an address alive.
	at_s(2298);
	passes(B, FRAME(.dst = HOST(1), .src = HOST(2)), ON(A));
	at_s(2340);
	passes(B, FRAME(.dst = HOST(1), .src = HOST(2)), ON(A) | ON(C));
}

static void test_ageing_configured(void **state)
{
	bridge_spec(0)->ageing_s = 10;
	bridge_spec(1)->ageing_s = 0; // never
	PORTS({}, {}, {}, {.bridge = 1}, {.bridge = 1}, {.bridge = 1});
	says(A, HOST(1), ON(B) | ON(C));
	says(D, HOST(1), ON(E) | ON(F));
	at_s(10);
	passes(B, FRAME(.dst = HOST(1), .src = HOST(2)), ON(A));
	at_s(13);
	passes(B, FRAME(.dst = HOST(1), .src = HOST(2)), ON(A) | ON(C));
	at_s(3000000);
	passes(E, FRAME(.dst = HOST(1), .src = HOST(2)), ON(D));
}

// ---- VLANs and bridges are apart ----

static void test_same_address_in_two_vlans(void **state)
{
	const struct frame to_1 = FRAME(.dst = HOST(1), .src = HOST(3), .tag = TAG(10));
	struct frame f = to_1;

	PORTS({}, {}, {}, {});
	passes(A, FRAME(.dst = BROADCAST, .src = HOST(1), .tag = TAG(10)), ON(B) | ON(C) | ON(D));
	passes(B, FRAME(.dst = BROADCAST, .src = HOST(1), .tag = TAG(20)), ON(A) | ON(C) | ON(D));
	passes(C, FRAME(.dst = BROADCAST, .src = HOST(1)), ON(A) | ON(B) | ON(D));
	passes(D, f, ON(A));
	f.tag = TAG(20);
	passes(D, f, ON(B));
	f.tag = 0;
	passes(D, f, ON(C));
	f.tag = TAG(30);
	passes(D, f, ON(A) | ON(B) | ON(C));
	// The priority in a tag is not the VLAN.
	f.tag = TAG(5 << 13 | 20);
	passes(D, f, ON(B));
}

static void test_same_address_on_two_bridges(void **state)
{
	PORTS({}, {}, {}, {.bridge = 1}, {.bridge = 1}, {.bridge = 1});
	says(A, HOST(1), ON(B) | ON(C));
	passes(D, FRAME(.dst = HOST(1), .src = HOST(2)), ON(E) | ON(F));
	says(E, HOST(1), ON(D) | ON(F));
	passes(D, FRAME(.dst = HOST(1), .src = HOST(2)), ON(E));
	passes(B, FRAME(.dst = HOST(1), .src = HOST(2)), ON(A));
	assert_int_equal(stats().moves, 0);
}

// ---- moves ----

static void test_an_address_moves(void **state)
{
	PORTS({}, {}, {});
	says(A, HOST(1), ON(B) | ON(C));
	passes(C, FRAME(.dst = HOST(1), .src = HOST(3)), ON(A));
	says(B, HOST(1), ON(A) | ON(C));
	passes(C, FRAME(.dst = HOST(1), .src = HOST(3)), ON(B));
	assert_int_equal(stats().moves, 1);
	assert_int_equal(stats().entries, 2);
}

// A port that claims the addresses of others gets so many a second; moves to others go on.
static void test_moves_are_limited(void **state)
{
	const unsigned hosts = FDB_MOVES_MAX + 100;

	PORTS({.sink = true}, {.sink = true}, {.sink = true});
	for (unsigned i = 0; i < hosts; i++)
		send_frame(A, FRAME(.dst = BROADCAST, .src = HOST(i + 1)));
	run();
	for (unsigned i = 0; i < hosts; i++)
		send_frame(B, FRAME(.dst = BROADCAST, .src = HOST(i + 1)));
	run();
	assert_int_equal(stats().moves, FDB_MOVES_MAX);
	assert_int_equal(stats().moves_limited, 100);
	for (unsigned i = 0; i < 50; i++)
		send_frame(C, FRAME(.dst = BROADCAST, .src = HOST(i + 1)));
	run();
	assert_int_equal(stats().moves, FDB_MOVES_MAX + 50);
	at_s(2);
	send_frame(B, FRAME(.dst = BROADCAST, .src = HOST(hosts)));
	run();
	assert_int_equal(stats().moves, FDB_MOVES_MAX + 51);
}

// ---- static entries ----

static void test_static_entries(void **state)
{
	const struct mac mac = mac_of(HOST(1));

	PORTS({}, {}, {});
	assert_int_equal(dp_fdb_add_static(the_dp(), bridge_id(0), 0, &mac, port_id(B), 0), 0);
	passes(A, FRAME(.dst = HOST(1), .src = HOST(2)), ON(B));
	// Who claims it is forwarded and not believed.
	says(C, HOST(1), ON(A) | ON(B));
	passes(A, FRAME(.dst = HOST(1), .src = HOST(2)), ON(B));
	assert_int_equal(stats().static_hits, 1);
	assert_int_equal(stats().moves, 0);
	// Neither flushed nor aged.
	dp_fdb_flush_bridge(the_dp(), bridge_id(0));
	dp_fdb_flush_port(the_dp(), port_id(B));
	at_s(100000);
	passes(A, FRAME(.dst = HOST(1), .src = HOST(2)), ON(B));
	assert_int_equal(dp_fdb_del(the_dp(), bridge_id(0), 0, &mac), 0);
	assert_int_equal(dp_fdb_del(the_dp(), bridge_id(0), 0, &mac), -ENOENT);
	passes(A, FRAME(.dst = HOST(1), .src = HOST(2)), ON(B) | ON(C));
	says(C, HOST(1), ON(A) | ON(B));
	passes(A, FRAME(.dst = HOST(1), .src = HOST(2)), ON(C));
}

static void test_static_entry_belongs_to_its_vlan(void **state)
{
	const struct mac mac = mac_of(HOST(1));

	PORTS({}, {}, {});
	assert_int_equal(dp_fdb_add_static(the_dp(), bridge_id(0), 10, &mac, port_id(B), 0), 0);
	passes(A, FRAME(.dst = HOST(1), .src = HOST(2), .tag = TAG(10)), ON(B));
	passes(A, FRAME(.dst = HOST(1), .src = HOST(2), .tag = TAG(11)), ON(B) | ON(C));
	passes(A, FRAME(.dst = HOST(1), .src = HOST(2)), ON(B) | ON(C));
	assert_int_equal(dp_fdb_del(the_dp(), bridge_id(0), 11, &mac), -ENOENT);
}

static void test_static_entry_takes_over_a_learned_one(void **state)
{
	const struct mac mac = mac_of(HOST(1));

	PORTS({}, {}, {});
	says(A, HOST(1), ON(B) | ON(C));
	assert_int_equal(stats().entries, 1);
	assert_int_equal(dp_fdb_add_static(the_dp(), bridge_id(0), 0, &mac, port_id(B), 0), 0);
	assert_int_equal(stats().entries, 1);
	passes(C, FRAME(.dst = HOST(1), .src = HOST(3)), ON(B));
	assert_int_equal(dp_fdb_add_static(the_dp(), bridge_id(0), 0, &mac, port_id(A), 0), 0);
	passes(C, FRAME(.dst = HOST(1), .src = HOST(3)), ON(A));
}

// ---- flushing ----

static void learn_five(void)
{
	PORTS({}, {}, {}, {.bridge = 1}, {.bridge = 1}, {.bridge = 1});
	says(A, HOST(1), ON(B) | ON(C));
	says(A, HOST(2), ON(B) | ON(C));
	says(B, HOST(3), ON(A) | ON(C));
	says(D, HOST(1), ON(E) | ON(F));
	says(E, HOST(2), ON(D) | ON(F));
	assert_int_equal(stats().entries, 5);
}

static void test_flush_of_a_port(void **state)
{
	learn_five();
	dp_fdb_flush_port(the_dp(), port_id(A));
	assert_int_equal(stats().entries, 3);
	assert_int_equal(stats().flushed, 2);
	passes(C, FRAME(.dst = HOST(1), .src = HOST(9)), ON(A) | ON(B));
	passes(C, FRAME(.dst = HOST(2), .src = HOST(9)), ON(A) | ON(B));
	passes(C, FRAME(.dst = HOST(3), .src = HOST(9)), ON(B));
	passes(F, FRAME(.dst = HOST(1), .src = HOST(9)), ON(D));
	// It is learned again, there or elsewhere, and that is no move.
	says(B, HOST(1), ON(A) | ON(C));
	says(A, HOST(2), ON(B) | ON(C));
	passes(C, FRAME(.dst = HOST(1), .src = HOST(9)), ON(B));
	passes(C, FRAME(.dst = HOST(2), .src = HOST(9)), ON(A));
	assert_int_equal(stats().moves, 0);
}

static void test_flush_of_a_bridge(void **state)
{
	learn_five();
	dp_fdb_flush_bridge(the_dp(), bridge_id(0));
	assert_int_equal(stats().entries, 2);
	for (unsigned host = 1; host <= 3; host++)
		passes(C, FRAME(.dst = HOST(host), .src = HOST(9)), ON(A) | ON(B));
	passes(F, FRAME(.dst = HOST(1), .src = HOST(9)), ON(D));
	passes(F, FRAME(.dst = HOST(2), .src = HOST(9)), ON(E));
}

// ---- what is told about it ----

struct listing {
	struct dp_fdb_info list[16];
	unsigned count;
};

static bool list_entry(void *arg, const struct dp_fdb_info *info)
{
	struct listing *l = arg;

	assert_true(l->count < RTE_DIM(l->list));
	l->list[l->count++] = *info;
	return true;
}

static const struct dp_fdb_info *find(const struct listing *l, uint64_t host, unsigned vlan)
{
	const struct mac mac = mac_of(host);

	for (unsigned i = 0; i < l->count; i++) {
		if (!memcmp(&l->list[i].mac, &mac, sizeof(mac)) && l->list[i].vlan == vlan)
			return &l->list[i];
	}
	return NULL;
}

static void test_walk(void **state)
{
	const struct mac mac = mac_of(HOST(7));
	struct listing l = {0};
	const struct dp_fdb_info *e;

	learn_five();
	at_s(11);
	passes(B, FRAME(.dst = BROADCAST, .src = HOST(8), .tag = TAG(30)), ON(A) | ON(C));
	assert_int_equal(dp_fdb_add_static(the_dp(), bridge_id(0), 20, &mac, port_id(C), 0), 0);
	dp_fdb_walk(the_dp(), bridge_id(0), list_entry, &l);
	assert_int_equal(l.count, 5);
	e = find(&l, HOST(1), 0);
	assert_non_null(e);
	assert_int_equal(e->bridge_id, bridge_id(0));
	assert_int_equal(e->port_id, port_id(A));
	assert_int_equal(e->kind, DP_FDB_LEARNED);
	assert_int_equal(e->age_s, 10);
	e = find(&l, HOST(8), 30);
	assert_non_null(e);
	assert_int_equal(e->age_s, 0);
	e = find(&l, HOST(7), 20);
	assert_non_null(e);
	assert_int_equal(e->kind, DP_FDB_STATIC);
	dp_fdb_walk(the_dp(), UINT16_MAX, list_entry, &l);
	assert_int_equal(l.count, 5 + 7);
}

int group_learning(void)
{
	const struct CMUnitTest tests[] = {
		DP_TEST(test_ageing_default),
		DP_TEST(test_ageing_in_small_steps),
		DP_TEST(test_ageing_starts_anew_with_each_frame),
		DP_TEST(test_ageing_configured),
		DP_TEST(test_same_address_in_two_vlans),
		DP_TEST(test_same_address_on_two_bridges),
		DP_TEST(test_an_address_moves),
		DP_TEST(test_moves_are_limited),
		DP_TEST(test_static_entries),
		DP_TEST(test_static_entry_belongs_to_its_vlan),
		DP_TEST(test_static_entry_takes_over_a_learned_one),
		DP_TEST(test_flush_of_a_port),
		DP_TEST(test_flush_of_a_bridge),
		DP_TEST(test_walk),
	};

	return cmocka_run_group_tests_name("learning", tests, NULL, NULL);
}
