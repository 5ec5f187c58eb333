// SPDX-License-Identifier: BSD-3-Clause
// The roles that a guarded port may not play: router and DHCP server (dp/guard.h).
#include <string.h>

#include "tests/dp/bytes.h"
#include "tests/dp/harness.h"

static struct dp_guard guard;

// Ports A, guarded, and B, for HOST(1) with one address of each family.
static void ports(void)
{
	dp_guard_init(&guard, &(struct mac){{2, 0, 0, 0, 0, 1}});
	dp_guard_allow(&guard, &(struct ip_addr){4, {10, 0, 0, 1}}, 32);
	dp_guard_allow(&guard, &(struct ip_addr){6, {0xfd, [15] = 1}}, 128);
	PORTS({.guard = &guard}, {});
}

#define rogue(b, reason) dropped_at(A, b, DP_DROP_ROGUE_##reason)

static struct bytes icmp4(uint8_t type)
{
	return ip4_to(HOST(1), 0, IP(1), IP(9), 1, (uint32_t)type << 24);
}

// An ICMPv6 message behind headers of the kinds listed, which end with 0; a fragment's begins.
static struct bytes icmp6_behind(uint8_t type, const uint8_t *headers)
{
	unsigned nb_headers = strlen((const char *)headers);
	struct bytes b = ip6(OWN_EUI, headers[0] ? headers[0] : ICMP6, 8 * nb_headers + 16);

	for (; *headers; headers++)
		put_header(&b, headers[1] ? headers[1] : ICMP6);
	put(&b, (uint64_t)type << 56, 8);
	put(&b, 0, 8);
	return b;
}

static struct bytes udp6(uint16_t to)
{
	struct bytes b = ip6(FD(1), UDP, 8);

	put(&b, 547 << 16 | to, 4);
	put(&b, 0, 4);
	return b;
}

// A neighbour advertisement that tells another MAC address.
static struct bytes advertises(uint64_t high, uint64_t low, uint64_t mac)
{
	struct bytes b = ip6(high, low, ICMP6, 32);

	put(&b, 136ull << 56, 8);
	put(&b, high, 8);
	put(&b, low, 8);
	put(&b, 0x0201, 2);
	put(&b, mac, 6);
	return b;
}

static void test_routers(void **state)
{
	static const uint8_t chains[][4] = {{0}, {60}, {44}, {60, 44}, {44, 60}, {43, 60, 44}};
	struct bytes b;

	ports();
	goes(icmp6_behind(134, chains[0])); // a router by default
	goes(icmp4(5));
	guard.router = false;
	publish();
	for (unsigned i = 0; i < RTE_DIM(chains); i++) {
		rogue(icmp6_behind(134, chains[i]), ROUTER);
		rogue(icmp6_behind(137, chains[i]), ROUTER);
		goes(icmp6_behind(129, chains[i]));
	}
	rogue(icmp4(5), ROUTER);
	rogue(icmp4(9), ROUTER);
	goes(icmp4(8));
	// The rest of a message is worth nothing without its beginning, which is checked.
	b = icmp4(5);
	b.at[14 + 7] = 1;
	goes(b);
}

// A frame may hold more than its packet: a first fragment whose headers are behind the packet's end
// has none of them, and the next one may hold others.
static void test_headers_behind_the_end(void **state)
{
	static const uint8_t fragment[] = {44, 0}, chain[] = {44, 60, 0};
	struct bytes bare = icmp6_behind(129, fragment), behind = icmp6_behind(129, chain);
	struct bytes udp = ip6(OWN_EUI, 44, 16);

	put_header(&udp, 60);
	put_header(&udp, UDP);
	ports();
	guard.router = guard.dhcp_server = false;
	publish();
	goes(bare);
	goes(behind);
	bare.at[14 + 5] = 8;
	dropped_at(A, bare, DP_DROP_SPOOFED_ND);
	behind.at[14 + 5] = 16;
	dropped_at(A, behind, DP_DROP_SPOOFED_ND);
	behind.at[14 + 5] = 8;
	dropped_at(A, behind, DP_DROP_SPOOFED_ND);
	dropped_at(A, udp, DP_DROP_SPOOFED_ND); // the ports are in the next one
}

static void test_dhcp_servers(void **state)
{
	ports();
	goes(ip4_to(HOST(1), 0, IP(1), IP(9), UDP, 67 << 16 | 68));
	goes(udp6(546));
	guard.dhcp_server = false;
	publish();
	rogue(ip4_to(HOST(1), 0, IP(1), IP(9), UDP, 67 << 16 | 68), DHCP);
	rogue(ip4_to(HOST(1), TAG(7), IP(1), IP(9), UDP, 9999 << 16 | 68), DHCP);
	rogue(udp6(546), DHCP);
	goes(udp6(547));
	goes(ip4_to(HOST(1), 0, IP(1), IP(9), UDP, 68 << 16 | 67));
	goes(ip4_to(HOST(1), 0, IP(1), IP(9), TCP, 67 << 16 | 68));
	goes(ip4_to(HOST(1), 0, 0, 0xffffffff, UDP, 68 << 16 | 67));
}

// Whoever may use any address may still not play any role.
static void test_roles_alone(void **state)
{
	static const uint8_t none[] = {0};

	ports();
	guard.any_source = true;
	guard.router = guard.dhcp_server = false;
	publish();
	goes(ip4_to(HOST(7), 0, IP(77), IP(9), UDP, 0x10002000));
	rogue(icmp6_behind(137, none), ROUTER);
	goes(ip6(FD(77), TCP, 0));
	goes(advertises(FD(77), HOST(7)));
	rogue(icmp6_behind(134, none), ROUTER);
	rogue(ip4_to(HOST(7), 0, IP(77), IP(9), UDP, 67 << 16 | 68), DHCP);
}

// One of a batch that is alike otherwise.
static void test_role_in_a_batch(void **state)
{
	struct bytes good4 = ip4_to(HOST(1), 0, IP(1), IP(9), UDP, 67 << 16 | 69),
		     bad4 = ip4_to(HOST(1), 0, IP(1), IP(9), UDP, 67 << 16 | 68), good6 = udp6(69),
		     bad6 = udp6(546);

	ports();
	guard.dhcp_server = false;
	publish();
	for (unsigned i = 0; i < 8; i++) {
		const struct bytes *b =
			i % 4 == 3 ? (i < 4 ? &bad4 : &bad6) : (i < 4 ? &good4 : &good6);

		send_mbuf(A, mbuf_new(b->at, b->len, 0));
		if (i % 4 < 3)
			continue;
		run();
		drops(A, DP_DROP_ROGUE_DHCP, 1);
		for (unsigned k = 0; k < 3; k++)
			expect_bytes(B, i < 4 ? good4.at : good6.at, i < 4 ? good4.len : good6.len);
		silence();
	}
}

int group_roles(void)
{
	const struct CMUnitTest tests[] = {
		DP_TEST(test_routers),
		DP_TEST(test_headers_behind_the_end),
		DP_TEST(test_dhcp_servers),
		DP_TEST(test_roles_alone),
		DP_TEST(test_role_in_a_batch),
	};

	return cmocka_run_group_tests_name("roles", tests, NULL, NULL);
}
