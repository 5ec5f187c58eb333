// SPDX-License-Identifier: BSD-3-Clause
// The tables that workers read.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "vxlan/table.h"

#define NB_REMOTES 4000
#define NB_VNIS	   50
#define PORT_ID(v) (1000 + (v))

// The n-th remote of the test; every third has an IPv6 address.
static struct ip_addr ip_of(unsigned n)
{
	struct ip_addr ip = {.family = n % 3 ? 4 : 6};

	if (ip.family == 6)
		memcpy(ip.byte, (uint8_t[]){0xfd, [14] = n >> 8, [15] = n}, 16);
	else
		memcpy(ip.byte, (uint8_t[]){10, 0, n >> 8, n}, 4);
	return ip;
}

// Network v has the remotes whose number is congruent to it, and floods to half of them.
static bool is_member(unsigned v, unsigned remote)
{
	return remote % NB_VNIS == v;
}

static struct vxlan_table *big_table(void)
{
	struct vxlan_table *t = vxlan_table_new(NB_REMOTES + 1, NB_VNIS, NB_REMOTES, NB_REMOTES);

	assert_non_null(t);
	for (unsigned r = 1; r <= NB_REMOTES; r++) {
		struct ip_addr ip = ip_of(r);

		vxlan_table_add_remote(t, r, &ip, 4789, false);
	}
	for (unsigned v = 0; v < NB_VNIS; v++) {
		vxlan_table_add_vni(t, v, v * 7);
		for (unsigned r = 1; r <= NB_REMOTES; r++) {
			if (!is_member(v, r))
				continue;
			vxlan_table_add_source(t, r, v * 7, PORT_ID(v));
			if (r & 1)
				vxlan_table_add_flood(t, v, r);
		}
	}
	return t;
}

static void test_sources(void **state)
{
	struct vxlan_table *t = big_table();

	for (unsigned v = 0; v < NB_VNIS; v++) {
		for (unsigned r = 1; r <= NB_REMOTES; r++) {
			struct ip_addr ip = ip_of(r);
			const struct vxlan_source *s =
				vxlan_table_find(t, vxlan_addr_of(&ip), v * 7);

			assert_int_equal(s != NULL, is_member(v, r));
			if (!s)
				continue;
			assert_int_equal(s->port, PORT_ID(v));
			assert_int_equal(s->remote, r);
		}
		assert_true(vxlan_table_has_vni(t, v * 7));
		assert_false(vxlan_table_has_vni(t, v * 7 + 1));
	}
	vxlan_table_free(t);
}

static void test_floods(void **state)
{
	struct vxlan_table *t = big_table();

	for (unsigned v = 0; v < NB_VNIS; v++) {
		const struct vxlan_flood *flood = vxlan_table_flood(t, v, v * 7);
		uint32_t at = flood->first;

		for (unsigned r = 1; r <= NB_REMOTES; r += 2)
			if (is_member(v, r))
				assert_int_equal(t->flooded[at++], r);
		assert_int_equal(at - flood->first, flood->count);
		// The index may have been another network's.
		assert_null(vxlan_table_flood(t, v, v * 7 + 1));
	}
	assert_null(vxlan_table_flood(t, NB_VNIS, NB_VNIS * 7));
	vxlan_table_free(t);
}

static void test_empty(void **state)
{
	struct vxlan_table *t = vxlan_table_new(0, 0, 0, 0);
	struct ip_addr ip = ip_of(1);

	assert_null(vxlan_table_find(t, vxlan_addr_of(&ip), 0));
	assert_false(vxlan_table_has_vni(t, 0));
	assert_null(vxlan_table_flood(t, 0, 0));
	assert_null(vxlan_table_remote(t, 0));
	assert_null(vxlan_table_remote(t, 1));
	vxlan_table_free(t);
}

static void test_remotes(void **state)
{
	struct vxlan_table *t = vxlan_table_new(5, 0, 0, 0);
	const struct vxlan_remote *r;
	struct ip_addr ip4 = ip_of(1), ip6 = ip_of(3);
	uint8_t mapped[16] = {[10] = 0xff, 0xff, 10, 0, 0, 1};

	vxlan_table_add_remote(t, 1, &ip4, 4789, false);
	vxlan_table_add_remote(t, 2, &ip6, 8472, true);
	vxlan_table_add_remote(t, 4, &ip4, 4789, true);
	assert_null(vxlan_table_remote(t, 0));
	assert_null(vxlan_table_remote(t, 3));
	assert_null(vxlan_table_remote(t, 5));
	r = vxlan_table_remote(t, 1);
	assert_int_equal(r->sa_bytes, sizeof(struct sockaddr_in));
	assert_int_equal(r->in.sin_family, AF_INET);
	assert_int_equal(r->in.sin_port, htons(4789));
	assert_memory_equal(&r->in.sin_addr, ip4.byte, 4);
	r = vxlan_table_remote(t, 2);
	assert_int_equal(r->in6.sin6_family, AF_INET6);
	assert_int_equal(r->in6.sin6_port, htons(8472));
	assert_memory_equal(&r->in6.sin6_addr, ip6.byte, 16);
	r = vxlan_table_remote(t, 4);
	assert_int_equal(r->sa_bytes, sizeof(struct sockaddr_in6));
	assert_memory_equal(&r->in6.sin6_addr, mapped, 16);
	vxlan_table_free(t);
}

// The two ways to write an address that was received.
static void test_addresses(void **state)
{
	struct ip_addr ip4 = ip_of(1), ip6 = ip_of(3);
	struct vxlan_addr a = vxlan_addr_of(&ip4), b;
	uint8_t mapped[16] = {[10] = 0xff, 0xff, 10, 0, 0, 1};
	uint32_t wire;

	memcpy(&wire, ip4.byte, sizeof(wire));
	b = vxlan_addr_of_ip4(wire);
	assert_memory_equal(&a, &b, sizeof(a));
	assert_memory_equal(&a, mapped, sizeof(a));
	a = vxlan_addr_of(&ip6);
	b = vxlan_addr_of_ip6(ip6.byte);
	assert_memory_equal(&a, &b, sizeof(a));
}

// One probe normally: as a cluster numbers its hosts and networks.
static void test_few_probes(void **state)
{
	struct vxlan_table *t = vxlan_table_new(1001, 100, 100000, 0);
	unsigned used = 0;
	uint64_t steps = 0;

	for (unsigned r = 1; r <= 1000; r++) {
		struct ip_addr ip = {.family = 4, .byte = {10, 1, r >> 8, r}};

		vxlan_table_add_remote(t, r, &ip, 4789, false);
	}
	for (unsigned v = 0; v < 100; v++) {
		vxlan_table_add_vni(t, v, 5000 + v);
		for (unsigned r = 1; r <= 1000; r++)
			vxlan_table_add_source(t, r, 5000 + v, v);
	}
	for (uint32_t i = 0; i <= t->source_mask; i++) {
		const struct vxlan_source *s = &t->source[i];

		if (!s->vni)
			continue;
		used++;
		steps += (i - vxlan_source_hash(s->addr, s->vni & ~VXLAN_SOURCE_USED)) &
			 t->source_mask;
	}
	assert_int_equal(used, 100100);
	assert_true(steps < used); // linear probing, half full: one half a step on average
	vxlan_table_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sources),
		cmocka_unit_test(test_floods),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_remotes),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_few_probes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
