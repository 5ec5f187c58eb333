// SPDX-License-Identifier: BSD-3-Clause
// Requests to resolve an address, as a bridge with neighbours treats them: which are answered, byte
// by byte, and which go on.
#include <errno.h>
#include <string.h>
#include <time.h>

#include "tests/dp/harness.h"

#define ASKS	  1
#define SAYS	  2
#define IP(n)	  (0x0a000000u | (n))
#define MAC_OF(n) ((struct mac){{2, 0, 0, 0, (n) >> 8, (n)&0xff}})

// ---- frames ----

struct bytes {
	unsigned len;
	uint8_t at[128];
};

static void put(struct bytes *b, uint64_t value, unsigned len)
{
	while (len--)
		b->at[b->len++] = len < sizeof(value) ? value >> 8 * len : 0;
}

static void put_ethernet(struct bytes *b, uint64_t dst, uint64_t src, unsigned tag, uint16_t type)
{
	put(b, dst, 6);
	put(b, src, 6);
	if (tag)
		put(b, 0x81000000 | (tag & 0xffff), 4);
	put(b, type, 2);
}

static struct bytes arp(unsigned op, uint64_t dst, unsigned tag, uint64_t from_mac, uint32_t spa,
	uint64_t to_mac, uint32_t tpa)
{
	struct bytes b = {0};

	put_ethernet(&b, dst, from_mac, tag, 0x0806);
	put(&b, 0x0001080006040000 | op, 8);
	put(&b, from_mac, 6);
	put(&b, spa, 4);
	put(&b, to_mac, 6);
	put(&b, tpa, 4);
	put(&b, 0, 18);
	return b;
}

// Host `from` asks for host `target`.
static struct bytes arp_asks(unsigned from, unsigned tag, unsigned target)
{
	return arp(ASKS, BROADCAST, tag, HOST(from), IP(from), 0, IP(target));
}

static struct bytes arp_says(unsigned to, unsigned tag, unsigned target, unsigned mac)
{
	return arp(SAYS, HOST(to), tag, HOST(mac), IP(target), HOST(to), IP(to));
}

static void put_ip6(struct bytes *b, uint8_t number)
{
	put(b, 0xfdull << 56, 8);
	put(b, number, 8);
}

static void put_checksum(struct bytes *b, unsigned l3_off)
{
	uint32_t sum = b->len - l3_off - 40 + 58;

	for (unsigned i = l3_off + 8; i < b->len; i += 2)
		sum += b->at[i] << 8 | b->at[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~((sum & 0xffff) + (sum >> 16));
	b->at[l3_off + 42] = sum >> 8;
	b->at[l3_off + 43] = sum;
}

// Neighbour solicitation; of nobody (0) it is duplicate address detection.
static struct bytes nd_asks(unsigned from, unsigned tag, unsigned target)
{
	struct bytes b = {0};

	put_ethernet(&b, 0x3333ff000000 | target, HOST(from ? from : 1), tag, 0x86dd);
	put(&b, 0x60000000, 4);
	put(&b, (from ? 0x200000 : 0x180000) | 0x3aff, 4);
	if (from) {
		put_ip6(&b, from);
	} else {
		put(&b, 0, 8);
		put(&b, 0, 8);
	}
	put(&b, 0xff02000000000000, 8);
	put(&b, 0x1ff000000 | target, 8);
	put(&b, 0x8700000000000000, 8);
	put_ip6(&b, target);
	if (from) {
		put(&b, 0x0101, 2);
		put(&b, HOST(from), 6);
	}
	put_checksum(&b, tag ? 18 : 14);
	return b;
}

static struct bytes nd_says(unsigned to, unsigned tag, unsigned target, unsigned mac)
{
	struct bytes b = {0};

	put_ethernet(&b, HOST(to), HOST(mac), tag, 0x86dd);
	put(&b, 0x6000000000203aff, 8);
	put_ip6(&b, target);
	put_ip6(&b, to);
	put(&b, 0x8800000060000000, 8);
	put_ip6(&b, target);
	put(&b, 0x0201, 2);
	put(&b, HOST(mac), 6);
	put_checksum(&b, tag ? 18 : 14);
	return b;
}

// ---- neighbours ----

static struct dp_neigh neigh4(unsigned number, uint16_t vlan, unsigned mac)
{
	return (struct dp_neigh){
		.ip = {.family = 4, .byte = {10, 0, number >> 8, number & 0xff}},
		.mac = MAC_OF(mac),
		.vlan = vlan,
	};
}

static struct dp_neigh neigh6(unsigned number, uint16_t vlan, unsigned mac)
{
	return (struct dp_neigh){
		.ip = {.family = 6, .byte = {0xfd, [15] = number}},
		.mac = MAC_OF(mac),
		.vlan = vlan,
	};
}

#define NEIGHBOURS(bridge, drop, ...)                                                              \
	assert_int_equal(                                                                          \
		dp_neigh_set(the_dp(), bridge_id(bridge), (struct dp_neigh[]){__VA_ARGS__},        \
			sizeof((struct dp_neigh[]){__VA_ARGS__}) / sizeof(struct dp_neigh), drop), \
		0)

static void send_bytes(unsigned port, struct bytes b)
{
	send_mbuf(port, mbuf_new(b.at, b.len, 0));
	run();
}

// The frame comes in by `port`, and `answer` is all that leaves.
static void answers(unsigned port, struct bytes question, struct bytes answer)
{
	send_bytes(port, question);
	expect_bytes(port, answer.at, answer.len);
	silence();
}

// It leaves by the ports of the mask as it is.
static void goes_on(unsigned port, struct bytes frame, uint64_t to_ports)
{
	send_bytes(port, frame);
	for (unsigned i = 0; i < 8; i++) {
		if (to_ports >> i & 1)
			expect_bytes(i, frame.at, frame.len);
	}
	silence();
}

static void refused(unsigned port, struct bytes frame, enum dp_drop_reason reason)
{
	send_bytes(port, frame);
	drops(port, reason, 1);
	silence();
}

static void test_known_are_answered(void **state)
{
	PORTS({}, {}, {});
	NEIGHBOURS(
		0, false, neigh4(2, 0, 2), neigh6(2, 0, 2), neigh4(2, 10, 12), neigh6(2, 10, 12));
	answers(A, arp_asks(1, 0, 2), arp_says(1, 0, 2, 2));
	answers(B, arp_asks(7, TAG(10), 2), arp_says(7, TAG(10), 2, 12));
	answers(A, nd_asks(1, 0, 2), nd_says(1, 0, 2, 2));
	answers(B, nd_asks(7, TAG(10), 2), nd_says(7, TAG(10), 2, 12));
	// To the MAC of somebody that is not known either.
	answers(A, arp(ASKS, HOST(99), 0, HOST(1), IP(1), 0, IP(2)), arp_says(1, 0, 2, 2));
}

static void test_ports_of_a_vlan(void **state)
{
	PORTS({ACCESS(10)}, {TRUNKS(10, 20)}, {ACCESS(20)}, {});
	NEIGHBOURS(0, false, neigh4(2, 10, 12), neigh6(2, 10, 12));
	answers(A, arp_asks(1, 0, 2), arp_says(1, 0, 2, 12));
	answers(B, arp_asks(3, TAG(10), 2), arp_says(3, TAG(10), 2, 12));
	answers(A, nd_asks(1, 0, 2), nd_says(1, 0, 2, 12));
	answers(B, nd_asks(3, TAG(10), 2), nd_says(3, TAG(10), 2, 12));
	// It is a neighbour in VLAN 10 only.
	refused(B, arp_asks(3, TAG(30), 2), DP_DROP_VLAN_NOT_MEMBER);
	refused(D, arp_asks(4, 0, 2), DP_DROP_FLOOD_NOWHERE);
	send_bytes(D, arp_asks(4, TAG(20), 2));
	expect_bytes(B, arp_asks(4, TAG(20), 2).at, 64);
	expect_bytes(C, arp_asks(4, 0, 2).at, 60);
}

static void test_unknown(void **state)
{
	PORTS({}, {}, {.bridge = 1}, {.bridge = 1});
	NEIGHBOURS(0, false, neigh4(2, 0, 2));
	goes_on(A, arp_asks(1, 0, 3), ON(B));
	goes_on(A, nd_asks(1, 0, 2), ON(B));
	NEIGHBOURS(0, true, neigh4(2, 0, 2));
	refused(A, arp_asks(1, 0, 3), DP_DROP_NEIGH_UNKNOWN);
	refused(A, nd_asks(1, TAG(7), 2), DP_DROP_NEIGH_UNKNOWN);
	answers(A, arp_asks(1, 0, 2), arp_says(1, 0, 2, 2));
	// Without any, but with the policy.
	assert_int_equal(dp_neigh_set(the_dp(), bridge_id(0), NULL, 0, true), 0);
	refused(A, arp_asks(1, 0, 2), DP_DROP_NEIGH_UNKNOWN);
	goes_on(C, arp_asks(3, 0, 2), ON(D));
}

// Whatever is no request: also with the policy that drops requests.
static void test_others_go_on(void **state)
{
	struct bytes damaged = nd_asks(1, 0, 2);

	PORTS({}, {});
	NEIGHBOURS(0, true, neigh4(2, 0, 2), neigh6(2, 0, 2));
	goes_on(A, arp(ASKS, BROADCAST, 0, HOST(2), IP(2), 0, IP(2)), ON(B));
	goes_on(A, arp(SAYS, BROADCAST, TAG(5), HOST(2), IP(2), HOST(2), IP(2)), ON(B));
	goes_on(A, arp(ASKS, BROADCAST, 0, HOST(1), 0, 0, IP(2)), ON(B)); // a probe
	goes_on(A, arp(SAYS, BROADCAST, 0, HOST(1), IP(1), HOST(2), IP(2)), ON(B));
	goes_on(A, nd_asks(0, 0, 2), ON(B));
	goes_on(A, nd_says(9, 0, 2, 2), ON(B));
	passes(A, FRAME(.dst = BROADCAST, .src = HOST(1)), ON(B));
	damaged.at[60] ^= 1;
	goes_on(A, damaged, ON(B));
}

static void test_other_bridge(void **state)
{
	PORTS({}, {}, {.bridge = 1}, {.bridge = 1});
	NEIGHBOURS(0, false, neigh4(2, 0, 2));
	NEIGHBOURS(1, false, neigh4(3, 0, 3));
	answers(A, arp_asks(1, 0, 2), arp_says(1, 0, 2, 2));
	goes_on(C, arp_asks(4, 0, 2), ON(D));
	goes_on(A, arp_asks(1, 0, 3), ON(B));
	answers(C, arp_asks(4, 0, 3), arp_says(4, 0, 3, 3));
}

static void test_replaced(void **state)
{
	PORTS({}, {});
	NEIGHBOURS(0, false, neigh4(2, 0, 2), neigh4(3, 0, 3), neigh4(3, 0, 33));
	answers(A, arp_asks(1, 0, 2), arp_says(1, 0, 2, 2));
	answers(A, arp_asks(1, 0, 3), arp_says(1, 0, 3, 33)); // the last one counts
	NEIGHBOURS(0, false, neigh4(3, 0, 3), neigh4(4, 0, 4));
	goes_on(A, arp_asks(1, 0, 2), ON(B));
	answers(A, arp_asks(1, 0, 3), arp_says(1, 0, 3, 3));
	publish(); // another snapshot has them, too
	answers(A, arp_asks(1, 0, 4), arp_says(1, 0, 4, 4));
	assert_int_equal(dp_neigh_set(the_dp(), bridge_id(0), NULL, 0, false), 0);
	goes_on(A, arp_asks(1, 0, 3), ON(B));
}

// The switch that has flooded it has neighbours of its own.
// Single ones, while the table has room.
static void test_one_by_one(void **state)
{
	struct dp_neigh third = neigh4(3, 0, 3), moved = neigh4(2, 0, 12);
	unsigned added = 0;

	PORTS({}, {});
	assert_int_equal(dp_neigh_put(the_dp(), bridge_id(0), &third, 1), -ENOSPC); // no table
	dp_neigh_del(the_dp(), bridge_id(0), &third);
	NEIGHBOURS(0, false, neigh4(2, 0, 2), neigh6(2, 0, 2), neigh4(4, 0, 4), neigh4(5, 0, 5));
	dp_neigh_del(the_dp(), bridge_id(0), &third); // is not there
	assert_int_equal(dp_neigh_put(the_dp(), bridge_id(0), &third, 1), 0);
	assert_int_equal(dp_neigh_put(the_dp(), bridge_id(0), &moved, 1), 0);
	answers(A, arp_asks(1, 0, 3), arp_says(1, 0, 3, 3));
	answers(A, arp_asks(1, 0, 2), arp_says(1, 0, 2, 12));
	answers(A, nd_asks(1, 0, 2), nd_says(1, 0, 2, 2));
	dp_neigh_del(the_dp(), bridge_id(0), &moved);
	goes_on(A, arp_asks(1, 0, 2), ON(B));
	assert_int_equal(dp_neigh_put(the_dp(), bridge_id(0), &moved, 1), 0);
	answers(A, arp_asks(1, 0, 2), arp_says(1, 0, 2, 12));
	// Until it is full; then those that are there stay.
	for (struct dp_neigh e; added < 100; added++) {
		e = neigh4(100 + added, 0, 7);
		if (dp_neigh_put(the_dp(), bridge_id(0), &e, 1) < 0)
			break;
	}
	assert_in_range(added, 1, 20);
	answers(A, arp_asks(1, 0, 100), arp_says(1, 0, 100, 7));
	goes_on(A, arp_asks(1, 0, 100 + added), ON(B));
}

static void test_from_a_tunnel(void **state)
{
	PORTS({}, {.tunnel = true}, {});
	NEIGHBOURS(0, true, neigh4(2, 0, 2));
	goes_on(B, arp_asks(9, 0, 2), ON(A) | ON(C));
	goes_on(B, arp_asks(9, 0, 3), ON(A) | ON(C));
	answers(A, arp_asks(1, 0, 2), arp_says(1, 0, 2, 2));
}

// The number of a bridge that is gone serves the next one: as new.
static void test_bridge_number_again(void **state)
{
	PORTS({}, {});
	NEIGHBOURS(0, true, neigh4(2, 0, 2));
	port_spec(A)->absent = port_spec(B)->absent = true;
	publish();
	dp_bridge_id_free(the_dp(), bridge_id(0));
	assert_int_equal(dp_bridge_id_alloc(the_dp(), &bridge_spec(0)->id), 0);
	port_spec(A)->absent = port_spec(B)->absent = false;
	publish();
	goes_on(A, arp_asks(1, 0, 2), ON(B));
}

// Questions and other frames in one batch.
static void test_mixed_batch(void **state)
{
	const struct frame other = FRAME(.dst = BROADCAST, .src = HOST(1));

	PORTS({}, {});
	NEIGHBOURS(0, true, neigh4(2, 0, 2), neigh6(2, 20, 22));
	for (unsigned i = 0; i < 16; i++) {
		struct bytes b[] = {arp_asks(1, 0, 2), arp_asks(1, 0, 3), nd_asks(1, TAG(20), 2)};

		for (unsigned k = 0; k < RTE_DIM(b); k++)
			send_mbuf(A, mbuf_new(b[k].at, b[k].len, 0));
		send_frame(A, other);
	}
	run();
	drops(A, DP_DROP_NEIGH_UNKNOWN, 16);
	for (unsigned i = 0; i < 16; i++) {
		expect_bytes(A, arp_says(1, 0, 2, 2).at, 60);
		expect_bytes(A, nd_says(1, TAG(20), 2, 22).at, 90);
		expect(B, other);
	}
}

// Somebody else has the frame's bytes: it cannot become the answer.
static void test_shared(void **state)
{
	struct bytes b = arp_asks(1, 0, 2);
	struct rte_mbuf *m = mbuf_new(b.at, b.len, 0);

	PORTS({}, {});
	NEIGHBOURS(0, false, neigh4(2, 0, 2));
	rte_mbuf_refcnt_update(m, 1);
	send_mbuf(A, m);
	run();
	expect_bytes(B, b.at, b.len);
	assert_memory_equal(rte_pktmbuf_mtod(m, void *), b.at, b.len);
	rte_pktmbuf_free(m);
}

static void test_many(void **state)
{
	enum { MANY = 100000 };
	static struct dp_neigh many[MANY];
	struct timespec begin, end;

	for (unsigned i = 0; i < MANY; i++) {
		many[i] = i & 1 ? neigh6(0, i % 4095, i) : neigh4(i & 0xffff, i >> 16, i & 0xffff);
		memcpy(many[i].ip.byte + (i & 1 ? 8 : 4), &i, i & 1 ? 4 : 0);
	}
	PORTS({}, {});
	clock_gettime(CLOCK_MONOTONIC, &begin);
	assert_int_equal(dp_neigh_set(the_dp(), bridge_id(0), many, MANY, false), 0);
	clock_gettime(CLOCK_MONOTONIC, &end);
	assert_true((end.tv_sec - begin.tv_sec) * 1e9 + end.tv_nsec - begin.tv_nsec < 0.5e9);
	for (unsigned i = 0; i < 0x10000; i += 2)
		answers(A, arp_asks(1, 0, i + !i * 2), arp_says(1, 0, i + !i * 2, i + !i * 2));
	goes_on(A, arp_asks(1, 0, 3), ON(B));
}

int group_suppress(void)
{
	const struct CMUnitTest tests[] = {
		DP_TEST(test_known_are_answered),
		DP_TEST(test_ports_of_a_vlan),
		DP_TEST(test_unknown),
		DP_TEST(test_others_go_on),
		DP_TEST(test_other_bridge),
		DP_TEST(test_replaced),
		DP_TEST(test_one_by_one),
		DP_TEST(test_from_a_tunnel),
		DP_TEST(test_bridge_number_again),
		DP_TEST(test_mixed_batch),
		DP_TEST(test_shared),
		DP_TEST(test_many),
	};

	return cmocka_run_group_tests_name("suppress", tests, NULL, NULL);
}
