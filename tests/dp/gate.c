// SPDX-License-Identifier: BSD-3-Clause
// What is passed to the port of a gateway (dp/gate.h): B, whose guard lists its addresses.
#include <string.h>

#include "tests/dp/bytes.h"
#include "tests/dp/harness.h"

#define OWN_MAC	  HOST(2)
#define ICMP	  1
#define TO(port)  (0x10000000u | (port))
#define ASKS	  1
#define NOT_FIRST 1
#define MORE	  0x2000
#define DONT	  0x4000

static struct dp_guard guard;
static struct dp_ips peers; // 10.0.0.0/24, fd00::/64

static struct bytes frame_to(uint64_t dst, unsigned tag, uint16_t type)
{
	struct bytes b = {0};

	put(&b, dst, 6);
	put(&b, HOST(1), 6);
	if (tag)
		put(&b, 0x81000000 | (tag & 0xffff), 4);
	put(&b, type, 2);
	return b;
}

static struct bytes ip4_for(
	uint64_t dst, uint32_t to, uint8_t proto, uint16_t fragment, uint32_t first)
{
	struct bytes b = frame_to(dst, 0, 0x0800);

	put(&b, 0x4500001c, 4);
	put(&b, fragment, 4);
	put(&b, 0x40000000 | proto << 16, 4);
	put(&b, IP(1), 4);
	put(&b, to, 4);
	put(&b, first, 4);
	put(&b, 0, 4);
	return b;
}

static struct bytes ip6_for(
	uint64_t dst, uint64_t high, uint64_t low, uint8_t proto, uint32_t first)
{
	struct bytes b = frame_to(dst, 0, 0x86dd);

	put(&b, 0x6000000000200000 | proto << 8 | 255, 8);
	put(&b, 0xfd00000000000000, 8);
	put(&b, 1, 8);
	put(&b, high, 8);
	put(&b, low, 8);
	put(&b, first, 4);
	put(&b, 0, 4);
	return b;
}

static struct bytes nd(uint64_t dst, uint8_t type, uint64_t high, uint64_t low, uint64_t target)
{
	struct bytes b = ip6_for(dst, high, low, ICMP6, (uint32_t)type << 24);

	put(&b, 0xfd00000000000000, 8);
	put(&b, target, 8);
	return b;
}

static struct bytes arp(uint64_t dst, unsigned tag, uint32_t target)
{
	struct bytes b = frame_to(dst, tag, 0x0806);

	put(&b, 0x0001080006040000 | ASKS, 8);
	put(&b, HOST(1), 6);
	put(&b, IP(1), 4);
	put(&b, 0, 6);
	put(&b, target, 4);
	return b;
}

static int setup(void **state)
{
	int rc = h_setup(state);

	dp_guard_init(&guard, &(struct mac){{2, 0, 0, 0, 0, 2}});
	dp_guard_allow(&guard, &(struct ip_addr){4, {10, 0, 0, 2}}, 32);
	dp_guard_allow(&guard, &(struct ip_addr){6, {0xfd, [15] = 2}}, 128);
	peers = (struct dp_ips){};
	dp_ips_add(&peers, &(struct ip_addr){4, {10}}, 24);
	dp_ips_add(&peers, &(struct ip_addr){6, {0xfd}}, 64);
	return rc;
}

// A, a container; B, the gateway; C, which may get what is flooded.
static void ports(void)
{
	PORTS({}, {.guard = &guard, .filter = CONF_FILTER_GATEWAY, .tx_offloads = ALL_OFFLOADS});
	HERE;
}

#define stays_out(b) dropped_at(B, b, DP_DROP_GATEWAY)

static void test_arp(void **state)
{
	ports();
	goes(arp(BROADCAST, 0, IP(2)));
	goes(arp(OWN_MAC, 0, IP(2)));
	stays_out(arp(BROADCAST, 0, IP(3)));
	stays_out(arp(HOST(3), 0, IP(2)));
	stays_out(arp(BROADCAST, TAG(7), IP(2)));
}

static void test_ip4(void **state)
{
	ports();
	goes(ip4_for(OWN_MAC, IP(2), ICMP, DONT, 8u << 24)); // echo
	goes(ip4_for(OWN_MAC, IP(2), ICMP, 0, 0));
	stays_out(ip4_for(OWN_MAC, IP(2), ICMP, 0, 3u << 24 | 4 << 16)); // fragmentation needed
	stays_out(ip4_for(OWN_MAC, IP(2), ICMP, 0, 5u << 24));		 // redirect
	stays_out(ip4_for(OWN_MAC, IP(3), ICMP, 0, 8u << 24)); // another address of the host
	goes(ip4_for(OWN_MAC, IP(2), UDP, DONT, TO(53)));
	goes(ip4_for(OWN_MAC, IP(2), TCP, DONT, TO(53)));
	stays_out(ip4_for(OWN_MAC, IP(3), UDP, 0, TO(53)));
	stays_out(ip4_for(OWN_MAC, IP(2), UDP, 0, TO(4789)));
	stays_out(ip4_for(OWN_MAC, IP(2), TCP, 0, TO(22)));
	stays_out(ip4_for(OWN_MAC, IP(2), 47, 0, 0));
	stays_out(ip4_for(OWN_MAC, IP(2), UDP, MORE, TO(53)));
	stays_out(ip4_for(OWN_MAC, IP(2), UDP, NOT_FIRST, TO(53)));
	stays_out(ip4_for(HOST(3), IP(2), UDP, 0, TO(53)));
	stays_out(ip4_for(BROADCAST, IP(2), UDP, 0, TO(53)));
	stays_out(ip4_for(BROADCAST, 0xffffffff, UDP, 0, TO(53)));
}

static void test_options_of_ip4(void **state)
{
	struct bytes b = ip4_for(OWN_MAC, IP(2), UDP, 0, TO(53));

	ports();
	goes(b);
	b.at[14] = 0x46;
	stays_out(b);
}

#define EUI	 0xfe80000000000000ull, 0x000000fffe000002ull // of OWN_MAC
#define GROUP_OF 0xff02000000000000ull, 0x00000001ff000002ull

static void test_ip6(void **state)
{
	ports();
	goes(nd(0x3333ff000002, 135, GROUP_OF, 2));
	goes(nd(OWN_MAC, 135, FD(2), 2));
	goes(nd(OWN_MAC, 136, FD(2), 1));
	stays_out(nd(0x3333ff000002, 135, GROUP_OF, 0x000002000002)); // of the same group
	stays_out(nd(0x3333ff000003, 135, 0xff02000000000000, 0x00000001ff000003, 2));
	// To another host, through a host that routes, or to another address of this one.
	stays_out(nd(OWN_MAC, 135, 0x20010db800000000, 2, 2));
	stays_out(nd(OWN_MAC, 135, FD(3), 2));
	stays_out(nd(OWN_MAC, 136, FD(3), 1));
	stays_out(nd(OWN_MAC, 134, FD(2), 0));
	stays_out(nd(0x333300000001, 134, 0xff02000000000000, 1, 0));
	goes(ip6_for(OWN_MAC, FD(2), ICMP6, 128u << 24));
	goes(ip6_for(OWN_MAC, EUI, ICMP6, 129u << 24));
	stays_out(ip6_for(OWN_MAC, FD(2), ICMP6, 2u << 24)); // packet too big
	stays_out(ip6_for(OWN_MAC, FD(3), ICMP6, 128u << 24));
	goes(ip6_for(OWN_MAC, FD(2), UDP, TO(53)));
	goes(ip6_for(OWN_MAC, FD(2), TCP, TO(53)));
	stays_out(ip6_for(OWN_MAC, FD(3), UDP, TO(53)));
	stays_out(ip6_for(OWN_MAC, FD(2), UDP, TO(4789)));
	stays_out(ip6_for(OWN_MAC, FD(2), 44, UDP << 24)); // a fragment
	stays_out(ip6_for(OWN_MAC, FD(2), 60, UDP << 24));
}

static void test_hops_of_discovery(void **state)
{
	struct bytes b = nd(OWN_MAC, 135, FD(2), 2);

	ports();
	goes(b);
	b.at[14 + 7] = 254;
	stays_out(b);
}

// What is left of a batch keeps its order.
static void test_batch(void **state)
{
	struct bytes good = ip4_for(OWN_MAC, IP(2), UDP, 0, TO(53)),
		     bad = ip4_for(OWN_MAC, IP(2), UDP, 0, TO(54));

	ports();
	for (unsigned i = 0; i < 6; i++) {
		good.at[40] = i;
		send_mbuf(A, mbuf_new(i % 2 ? bad.at : good.at, good.len, 0));
	}
	run();
	drops(B, DP_DROP_GATEWAY, 3);
	for (unsigned i = 0; i < 6; i += 2) {
		good.at[40] = i;
		expect_bytes(B, good.at, good.len);
	}
	silence();
}

static void put_at(struct bytes *b, unsigned off, uint64_t value, unsigned len_bytes)
{
	for (unsigned i = 0; i < len_bytes; i++)
		b->at[off + i] = value >> 8 * (len_bytes - 1 - i);
}

#define wrong_source(b) dropped_at(B, b, DP_DROP_GATEWAY_SOURCE)

// The same from other addresses: those of the network pass, others would have the host answer to
// somebody who has not asked.
static void test_source4(void **state)
{
	struct bytes echo = ip4_for(OWN_MAC, IP(2), ICMP, DONT, 8u << 24);
	struct bytes dns = ip4_for(OWN_MAC, IP(2), UDP, DONT, TO(53));
	struct bytes ask = arp(BROADCAST, 0, IP(2));
	static const uint32_t within[] = {IP(1), IP(254)};
	static const uint32_t without[] = {0, 0x0a000101, 0xc0000201, 0x7f000001, 0xffffffff};

	ports();
	put_at(&echo, 26, 0xc0000201, 4);
	goes(echo); // without a list
	port_spec(B)->peers = &peers;
	publish();
	for (unsigned i = 0; i < RTE_DIM(within); i++) {
		put_at(&echo, 26, within[i], 4);
		put_at(&dns, 26, within[i], 4);
		put_at(&ask, 28, within[i], 4);
		goes(echo);
		goes(dns);
		goes(ask);
	}
	for (unsigned i = 0; i < RTE_DIM(without); i++) {
		put_at(&echo, 26, without[i], 4);
		put_at(&dns, 26, without[i], 4);
		put_at(&ask, 28, without[i], 4);
		wrong_source(echo);
		wrong_source(dns);
		if (without[i])
			wrong_source(ask);
		else
			goes(ask); // a probe
	}
}

static void test_source6(void **state)
{
	struct bytes echo = ip6_for(OWN_MAC, FD(2), ICMP6, 128u << 24);
	struct bytes dns = ip6_for(OWN_MAC, FD(2), UDP, TO(53));
	struct bytes ask = nd(OWN_MAC, 135, FD(2), 2), tell = nd(OWN_MAC, 136, FD(2), 1);
	struct bytes *all[] = {&echo, &dns, &ask, &tell};
	static const uint64_t within[] = {0xfd00000000000000, 0xfe80000000000000},
			      without[] = {0x20010db800000000, 0xfd00000000000001, 0};

	ports();
	port_spec(B)->peers = &peers;
	publish();
	for (unsigned k = 0; k < RTE_DIM(all); k++) {
		for (unsigned i = 0; i < RTE_DIM(within); i++) {
			put_at(all[k], 22, within[i], 8);
			goes(*all[k]);
		}
		for (unsigned i = 0; i < RTE_DIM(without); i++) {
			put_at(all[k], 22, without[i], 8);
			wrong_source(*all[k]);
		}
		put_at(all[k], 30, 0, 8); // nobody: only who looks for duplicates of his address
		if (all[k] == &ask)
			goes(*all[k]);
		else
			wrong_source(*all[k]);
	}
}

static void test_others_get_it(void **state)
{
	PORTS({}, {.guard = &guard, .filter = CONF_FILTER_GATEWAY}, {});
	send_frame(A, FRAME(BROADCAST, HOST(1)));
	run();
	drops(B, DP_DROP_GATEWAY, 1);
	expect(C, FRAME(BROADCAST, HOST(1)));
}

#define GATE_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, h_teardown)

int group_gate(void)
{
	const struct CMUnitTest tests[] = {
		GATE_TEST(test_arp),
		GATE_TEST(test_ip4),
		GATE_TEST(test_options_of_ip4),
		GATE_TEST(test_ip6),
		GATE_TEST(test_hops_of_discovery),
		GATE_TEST(test_batch),
		GATE_TEST(test_source4),
		GATE_TEST(test_source6),
		GATE_TEST(test_others_get_it),
	};

	return cmocka_run_group_tests_name("gate", tests, NULL, NULL);
}
