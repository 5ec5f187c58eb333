// SPDX-License-Identifier: BSD-3-Clause
// Subnets and MAC addresses for those who do not ask for one.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "netd/ipam/ipam.h"
#include "tests/unit/addresses.h"

static void assert_cidr(const struct cidr *c, const char *text)
{
	char buf[CIDR_TEXT_BYTES];

	assert_string_equal(cidr_format(c, buf), text);
}

static unsigned lcg(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
	return *seed >> 33;
}

static void test_pools(void **state)
{
	struct pool pools[] = {
		{cidr("10.9.0.0/30"), 29}, // too small: passed over
		{cidr("10.32.0.0/14"), 16},
		{cidr("192.168.7.0/24"), 26},
		{cidr("fd00::/62"), 64},
	};
	struct cidr taken[16], got;
	static const char *const want[] = {"10.32.0.0/16", "10.33.0.0/16", "10.34.0.0/16",
		"10.35.0.0/16", "192.168.7.0/26", "192.168.7.64/26", "192.168.7.128/26",
		"192.168.7.192/26"};
	unsigned nb = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(want); i++) {
		assert_int_equal(pool_next(pools, ARRAY_SIZE(pools), 4, taken, nb, &got), 0);
		assert_cidr(&got, want[i]);
		taken[nb++] = got;
	}
	assert_int_equal(pool_next(pools, ARRAY_SIZE(pools), 4, taken, nb, &got), -ENOSPC);
	taken[2] = taken[--nb]; // any order
	assert_int_equal(pool_next(pools, ARRAY_SIZE(pools), 4, taken, nb, &got), 0);
	assert_cidr(&got, "10.34.0.0/16");
	assert_int_equal(pool_next(pools, ARRAY_SIZE(pools), 6, taken, nb, &got), 0);
	assert_cidr(&got, "fd00::/64");
}

static void test_pool_overlaps(void **state)
{
	struct pool pool = {cidr("10.0.0.0/8"), 24}, last = {cidr("255.255.255.0/24"), 25};
	struct cidr got;
	struct cidr wide[] = {cidr("10.128.0.0/9"), cidr("10.0.0.0/9")};
	struct cidr mixed[] = {cidr("10.0.1.7/32"), cidr("10.0.0.0/25"), cidr("10.0.2.0/23"),
		cidr("fd00::/64"), cidr("9.0.0.0/8"), cidr("10.0.2.0/24")};
	struct cidr ends[] = {cidr("255.255.255.0/25"), cidr("255.255.255.200/32")};

	assert_int_equal(pool_next(&pool, 1, 4, wide, 2, &got), -ENOSPC);
	assert_int_equal(pool_next(&pool, 1, 4, wide + 1, 1, &got), 0);
	assert_cidr(&got, "10.128.0.0/24");
	assert_int_equal(pool_next(&pool, 1, 4, mixed, ARRAY_SIZE(mixed), &got), 0);
	assert_cidr(&got, "10.0.4.0/24");
	assert_int_equal(pool_next(&last, 1, 4, ends, 2, &got), -ENOSPC);
	assert_int_equal(pool_next(&last, 1, 4, ends, 1, &got), 0);
	assert_cidr(&got, "255.255.255.128/25");
}

static void test_pool_model(void **state)
{
	struct pool pool = {cidr("10.0.0.0/20"), 26};
	uint64_t seed = 3;

	for (int round = 0; round < 2000; round++) {
		struct cidr taken[24], got, want = {.ip = pool.cidr.ip, .prefix = 26};
		unsigned nb = lcg(&seed) % ARRAY_SIZE(taken), i, j;
		int rc;

		for (i = 0; i < nb; i++) {
			taken[i].ip = ip_add(&pool.cidr.ip, lcg(&seed) % 6144);
			taken[i].prefix = 22 + lcg(&seed) % 11;
		}
		rc = pool_next(&pool, 1, 4, taken, nb, &got);
		for (i = 0; i < 64; i++, want.ip = ip_add(&want.ip, 64)) {
			for (j = 0; j < nb && !cidr_overlap(&taken[j], &want); j++)
				continue;
			if (j == nb)
				break;
		}
		assert_int_equal(rc, i < 64 ? 0 : -ENOSPC);
		if (rc == 0)
			assert_true(cidr_equal(&got, &want));
	}
}

static void test_mac(void **state)
{
	struct ip_addr v4 = ip("10.1.2.3"), v6 = ip("fd00::1");
	struct mac first = ipam_mac(&v6);
	char text[MAC_TEXT_BYTES];
	struct mac mac = ipam_mac(&v4);

	assert_string_equal(mac_format(&mac, text), "02:42:0a:01:02:03");
	mac = ipam_mac(&v6);
	assert_memory_equal(&mac, &first, sizeof(mac));
	for (int i = 0; i < 1000; i++) {
		v6 = ip_add(&v6, 1);
		mac = ipam_mac(&v6);
		assert_int_equal(mac.byte[0] & 3, 2);
		assert_int_not_equal(mac.byte[0], 2);
		assert_memory_not_equal(&mac, &first, sizeof(mac));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pools),
		cmocka_unit_test(test_pool_overlaps),
		cmocka_unit_test(test_pool_model),
		cmocka_unit_test(test_mac),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
