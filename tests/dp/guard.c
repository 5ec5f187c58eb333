// SPDX-License-Identifier: BSD-3-Clause
// What a port with a guard may send: its own MAC and IP addresses, in IP, ARP and neighbour
// discovery, and what may be sent by a host that has no address yet.
#include <stdlib.h>
#include <string.h>

#include "tests/dp/bytes.h"
#include "tests/dp/harness.h"

#define ASKS   1
#define SAYS   2
#define NOBODY 0, 0

// ---- frames ----

static struct bytes ip4(uint64_t src, unsigned tag, uint32_t from)
{
	return ip4_to(src, tag, from, IP(9), UDP, 0x10002000);
}

static struct bytes arp(unsigned op, uint64_t src, uint64_t sha, uint32_t spa)
{
	struct bytes b = ethernet(src, 0, 0x0806);

	put(&b, 0x0001080006040000 | op, 8);
	put(&b, sha, 6);
	put(&b, spa, 4);
	put(&b, HOST(9), 6);
	put(&b, IP(9), 4);
	return b;
}

// A message of neighbour discovery with one option; `head_bytes` stand before it.
static void put_nd(
	struct bytes *b, uint8_t type, uint64_t high, uint64_t low, uint8_t option, uint64_t mac)
{
	put(b, (uint64_t)type << 56, 8);
	put(b, high, 8);
	put(b, low, 8);
	if (!option)
		return;
	put(b, option << 8 | 1, 2);
	put(b, mac, 6);
}

static struct bytes nd_from(uint64_t from_high, uint64_t from_low, uint8_t type, uint64_t high,
	uint64_t low, uint8_t option, uint64_t mac)
{
	struct bytes b = ip6(from_high, from_low, ICMP6, option ? 32 : 24);

	put_nd(&b, type, high, low, option, mac);
	return b;
}

#define SOLICITS(from, ...)   nd_from(from, 135, __VA_ARGS__)
#define ADVERTISES(from, ...) nd_from(from, 136, __VA_ARGS__)
#define SOURCE_MAC(mac)	      1, (mac)
#define TARGET_MAC(mac)	      2, (mac)
#define NO_OPTION	      0, 0

// ---- the guard ----

static struct dp_guard guard;

static void allow(const char *text)
{
	struct ip_addr ip;
	unsigned prefix;

	assert_int_equal(ip_parse_range(text, &ip, &prefix), 0);
	dp_guard_allow(&guard, &ip, prefix);
}

static void guard_new(void)
{
	dp_guard_init(&guard, &(struct mac){{2, 0, 0, 0, 0, 1}});
}

// Ports A, guarded, and B, for HOST(1) with one address of each family.
static void setup(void)
{
	guard_new();
	allow("10.0.0.1");
	allow("fd00::1");
	PORTS({.guard = &guard}, {});
}

#define refused(b, reason) dropped_at(A, b, DP_DROP_SPOOFED_##reason)

// ---- tests ----

static void test_mac(void **state)
{
	guard_new();
	PORTS({.guard = &guard}, {});
	passes(A, FRAME(.dst = HOST(9), .src = HOST(1)), ON(B));
	dropped(A, FRAME(.dst = HOST(9), .src = HOST(2)), A, DP_DROP_SPOOFED_MAC);
	// Nothing is learned of it.
	passes(B, FRAME(.dst = HOST(2), .src = HOST(9)), ON(A));
	// Without a list, any IP.
	goes(ip4(HOST(1), 0, IP(77)));
	refused(ip4(HOST(2), 0, IP(77)), MAC);
	goes(arp(SAYS, HOST(1), HOST(1), IP(77)));
	refused(arp(SAYS, HOST(1), HOST(2), IP(77)), ARP);
	goes(ip6(FD(77), TCP, 0));
	goes(SOLICITS(FD(77), FD(9), SOURCE_MAC(HOST(1))));
	refused(SOLICITS(FD(77), FD(9), SOURCE_MAC(HOST(2))), ND);
	goes(ADVERTISES(FD(77), FD(77), TARGET_MAC(HOST(1))));
	refused(ADVERTISES(FD(77), FD(77), TARGET_MAC(HOST(2))), ND);
}

static void test_ip4(void **state)
{
	struct bytes cut = ip4(HOST(1), 0, IP(1));

	setup();
	goes(ip4(HOST(1), 0, IP(1)));
	goes(ip4(HOST(1), TAG(7), IP(1)));
	refused(ip4(HOST(1), 0, IP(2)), IP);
	refused(ip4(HOST(1), TAG(7), IP(2)), IP);
	refused(ip4(HOST(2), 0, IP(1)), MAC);
	cut.len = 14 + 19;
	refused(cut, IP);
}

static void test_prefix(void **state)
{
	guard_new();
	allow("10.0.0.0/23");
	allow("192.0.2.128/25");
	allow("fd00::/63");
	PORTS({.guard = &guard}, {});
	goes(ip4(HOST(1), 0, IP(0x1ff)));
	refused(ip4(HOST(1), 0, IP(0x200)), IP);
	goes(ip4(HOST(1), 0, 0xc0000280));
	refused(ip4(HOST(1), 0, 0xc000027f), IP);
	goes(ip6(0xfd00000000000001, 77, TCP, 0));
	refused(ip6(0xfd00000000000002, 1, TCP, 0), IP);
}

static void test_all_of_a_family(void **state)
{
	guard_new();
	allow("0.0.0.0/0");
	PORTS({.guard = &guard}, {});
	goes(ip4(HOST(1), 0, IP(77)));
	refused(ip6(FD(1), TCP, 0), IP);
	goes(ip6(OWN_EUI, TCP, 0));
}

static void test_dhcp(void **state)
{
	struct bytes fragment = ip4_to(HOST(1), 0, 0, 0xffffffff, UDP, 68 << 16 | 67);

	setup();
	goes(ip4_to(HOST(1), 0, 0, 0xffffffff, UDP, 68 << 16 | 67));
	refused(ip4_to(HOST(1), 0, 0, 0xffffffff, UDP, 67 << 16 | 68), IP);
	refused(ip4_to(HOST(1), 0, 0, 0xffffffff, TCP, 68 << 16 | 67), IP);
	refused(ip4_to(HOST(1), 0, 0, IP(9), UDP, 68 << 16 | 67), IP);
	refused(ip4(HOST(1), 0, 0), IP);
	fragment.at[14 + 7] = 1;
	refused(fragment, IP);
}

static void test_arp(void **state)
{
	struct bytes odd = arp(ASKS, HOST(1), HOST(1), IP(1));

	setup();
	goes(arp(ASKS, HOST(1), HOST(1), IP(1)));
	goes(arp(SAYS, HOST(1), HOST(1), IP(1)));
	goes(arp(ASKS, HOST(1), HOST(1), 0)); // a probe
	refused(arp(SAYS, HOST(1), HOST(1), 0), ARP);
	refused(arp(ASKS, HOST(1), HOST(1), IP(2)), ARP);
	refused(arp(SAYS, HOST(1), HOST(1), IP(2)), ARP);
	refused(arp(SAYS, HOST(1), HOST(2), IP(1)), ARP);
	refused(arp(ASKS, HOST(1), HOST(2), 0), ARP);
	refused(arp(SAYS, HOST(2), HOST(1), IP(1)), MAC);
	odd.at[14 + 4] = 8; // length of an address
	refused(odd, ARP);
	odd = arp(ASKS, HOST(1), HOST(1), IP(1));
	odd.len--;
	refused(odd, ARP);
}

static void test_ip6(void **state)
{
	struct bytes cut = ip6(FD(1), TCP, 0);

	setup();
	goes(ip6(FD(1), TCP, 0));
	goes(ip6(OWN_EUI, UDP, 0));
	refused(ip6(FD(2), TCP, 0), IP);
	refused(ip6(0xfe80000000000000ull, 2, UDP, 0), IP);
	refused(ip6(NOBODY, UDP, 0), IP);
	refused(ip6(NOBODY, 59, 0), IP);
	cut.len--;
	refused(cut, IP);
	allow("fe80::/64");
	publish();
	goes(ip6(0xfe80000000000000ull, 2, UDP, 0));
}

static void test_nd(void **state)
{
	struct bytes b;

	setup();
	goes(SOLICITS(FD(1), FD(9), SOURCE_MAC(HOST(1))));
	goes(SOLICITS(OWN_EUI, FD(9), SOURCE_MAC(HOST(1))));
	refused(SOLICITS(FD(1), FD(9), SOURCE_MAC(HOST(2))), ND);
	refused(SOLICITS(FD(2), FD(9), SOURCE_MAC(HOST(1))), IP);
	goes(ADVERTISES(FD(1), FD(1), TARGET_MAC(HOST(1))));
	goes(ADVERTISES(FD(1), OWN_EUI, TARGET_MAC(HOST(1))));
	goes(ADVERTISES(FD(1), FD(1), NO_OPTION));
	refused(ADVERTISES(FD(1), FD(2), TARGET_MAC(HOST(1))), ND);
	refused(ADVERTISES(FD(1), FD(1), TARGET_MAC(HOST(2))), ND);
	refused(ADVERTISES(NOBODY, FD(1), TARGET_MAC(HOST(1))), IP);
	// The second of two options counts, too.
	b = ip6(FD(1), ICMP6, 40);
	put_nd(&b, 136, FD(1), TARGET_MAC(HOST(1)));
	put(&b, 0x0201, 2);
	put(&b, HOST(2), 6);
	refused(b, ND);
	// An option without length, one beyond the message.
	b = ADVERTISES(FD(1), FD(1), TARGET_MAC(HOST(1)));
	b.at[b.len - 7] = 0;
	refused(b, ND);
	b.at[b.len - 7] = 2;
	refused(b, ND);
	b.len = 14 + 40 + 20;
	refused(b, ND);
}

static void test_duplicates_are_detected(void **state)
{
	setup();
	goes(SOLICITS(NOBODY, FD(1), NO_OPTION));
	goes(SOLICITS(NOBODY, OWN_EUI, NO_OPTION));
	refused(SOLICITS(NOBODY, FD(2), NO_OPTION), ND);
}

static void test_nd_behind_headers(void **state)
{
	static const uint8_t headers[] = {0, 43, 44, 60};
	struct bytes b;

	setup();
	for (unsigned i = 0; i < sizeof(headers); i++) {
		b = ip6(FD(1), headers[i], 40);
		put_header(&b, ICMP6);
		put_nd(&b, 136, FD(1), TARGET_MAC(HOST(1)));
		goes(b);
		b = ip6(FD(1), headers[i], 40);
		put_header(&b, ICMP6);
		put_nd(&b, 136, FD(2), TARGET_MAC(HOST(1)));
		refused(b, ND);
	}
	// The rest of a packet is none of its own, and no receiver takes discovery in parts.
	b.at[14 + 6] = 44;
	b.at[14 + 40 + 3] = 8;
	goes(b);
	// More headers than anybody sends.
	b = ip6(FD(1), 60, 8 * 9);
	for (unsigned i = 0; i < 8; i++)
		put_header(&b, 60);
	put_header(&b, ICMP6);
	refused(b, ND);
	// The first fragment must have all of them (RFC 7112): the rest could hold discovery.
	b = ip6(FD(1), 60, 0);
	refused(b, ND);
}

static void test_multicast_listeners_and_routers(void **state)
{
	struct bytes b;

	setup();
	for (unsigned nobody = 0; nobody < 2; nobody++) {
		b = nobody ? ip6(NOBODY, 0, 16) : ip6(OWN_EUI, 0, 16);
		put(&b, 0x3a00050200000000, 8); // router alert
		put(&b, 0x8f00000000000000, 8);
		goes(b);
	}
	b = ip6(NOBODY, ICMP6, 8);
	put(&b, 133ull << 56, 8);
	goes(b);
	b = ip6(OWN_EUI, ICMP6, 16);
	put(&b, 133ull << 56, 8);
	put(&b, 0x0101, 2);
	put(&b, HOST(2), 6);
	refused(b, ND);
	b = ip6(OWN_EUI, ICMP6, 24);
	put(&b, 134ull << 56, 8);
	put(&b, 0, 8);
	put(&b, 0x0101, 2);
	put(&b, HOST(1), 6);
	goes(b);
	b.at[b.len - 1] = 2;
	refused(b, ND);
	b = ip6(NOBODY, ICMP6, 16);
	put(&b, 134ull << 56, 8);
	put(&b, 0, 8);
	refused(b, IP);
	b = ip6(NOBODY, ICMP6, 8);
	put(&b, 128ull << 56, 8); // echo
	refused(b, IP);
}

static void test_tags(void **state)
{
	struct bytes b = ethernet(HOST(1), TAG(7), 0x88a8);

	setup();
	put(&b, 5, 2);
	put(&b, 0x0806, 2);
	put(&b, 0x0001080006040002, 8);
	put(&b, HOST(1), 6);
	put(&b, IP(2), 4);
	put(&b, 0, 10);
	refused(b, ARP);
	// More than there can be.
	b = ethernet(HOST(1), TAG(7), 0x8100);
	for (unsigned i = 0; i < 4; i++)
		put(&b, 0x00058100, 4);
	refused(b, IP);
	// It ends in one.
	b = ethernet(HOST(1), TAG(7), 0x8100);
	put(&b, 5, 2);
	goes(b);
}

static void test_priority_tag(void **state)
{
	struct bytes b = ip4(HOST(1), TAG(5 << 13), IP(2));

	setup();
	refused(b, IP);
	b = ip4(HOST(1), TAG(5 << 13), IP(1));
	send_mbuf(A, mbuf_new(b.at, b.len, 0));
	run();
	expect_bytes(B, b.at, b.len);
}

// Frames of one kind are looked at together: each of them counts.
static void test_batches(void **state)
{
	setup();
	for (unsigned version = 4; version <= 6; version += 2) {
		for (unsigned odd = 0; odd < 64; odd++) {
			struct bytes good =
				version == 4 ? ip4(HOST(1), 0, IP(1)) : ip6(FD(1), TCP, 0);
			struct bytes bad = version == 4 ? ip4(HOST(1), 0, IP(1 | odd << 8 | 256))
							: ip6(FD(odd + 2), TCP, 0);

			for (unsigned i = 0; i < 64; i++) {
				const struct bytes *b = i == odd ? &bad : &good;

				send_mbuf(A, mbuf_new(b->at, b->len, 0));
			}
			run();
			for (unsigned i = 0; i < 63; i++)
				expect_bytes(B, good.at, good.len);
			drops(A, DP_DROP_SPOOFED_IP, 1);
		}
	}
}

static void test_mixed_batch(void **state)
{
	struct bytes frames[] = {
		ip4(HOST(1), 0, IP(1)),
		arp(ASKS, HOST(1), HOST(1), IP(1)),
		ip4(HOST(2), 0, IP(1)),
		ip6(FD(1), TCP, 0),
		ip6(FD(2), TCP, 0),
		ADVERTISES(FD(1), FD(2), TARGET_MAC(HOST(1))),
		arp(ASKS, HOST(1), HOST(3), IP(1)),
		ip4(HOST(1), TAG(3), IP(1)),
	};
	static const bool passes[] = {1, 1, 0, 1, 0, 0, 0, 1};

	setup();
	for (unsigned i = 0; i < sizeof(passes); i++)
		send_mbuf(A, mbuf_new(frames[i].at, frames[i].len, 0));
	run();
	for (unsigned i = 0; i < sizeof(passes); i++) {
		if (passes[i])
			expect_bytes(B, frames[i].at, frames[i].len);
	}
	drops(A, DP_DROP_SPOOFED_MAC, 1);
	drops(A, DP_DROP_SPOOFED_IP, 1);
	drops(A, DP_DROP_SPOOFED_ND, 1);
	drops(A, DP_DROP_SPOOFED_ARP, 1);
}

static void test_live(void **state)
{
	guard_new();
	PORTS({}, {});
	passes(A, FRAME(.dst = HOST(9), .src = HOST(2)), ON(B));
	port_spec(A)->guard = &guard;
	publish();
	dropped(A, FRAME(.dst = HOST(9), .src = HOST(2)), A, DP_DROP_SPOOFED_MAC);
	passes(B, FRAME(.dst = HOST(1), .src = HOST(9)), ON(A)); // the guard is of one port
	port_spec(A)->guard = NULL;
	publish();
	passes(A, FRAME(.dst = HOST(9), .src = HOST(2)), ON(B));
}

int group_guard(void)
{
	const struct CMUnitTest tests[] = {
		DP_TEST(test_mac),
		DP_TEST(test_ip4),
		DP_TEST(test_prefix),
		DP_TEST(test_all_of_a_family),
		DP_TEST(test_dhcp),
		DP_TEST(test_arp),
		DP_TEST(test_ip6),
		DP_TEST(test_nd),
		DP_TEST(test_duplicates_are_detected),
		DP_TEST(test_nd_behind_headers),
		DP_TEST(test_multicast_listeners_and_routers),
		DP_TEST(test_tags),
		DP_TEST(test_priority_tag),
		DP_TEST(test_batches),
		DP_TEST(test_mixed_batch),
		DP_TEST(test_live),
	};

	return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
