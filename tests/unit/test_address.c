// SPDX-License-Identifier: BSD-3-Clause
// Addresses and subnets: what is in which, what comes next.
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
#include "netd/record/record.h"
#include "tests/unit/addresses.h"

static void test_cidr_has(void **state)
{
	static const struct {
		const char *cidr, *ip;
		bool has;
	} rows[] = {
		{"10.1.0.0/16", "10.1.255.255", true},
		{"10.1.0.0/16", "10.2.0.0", false},
		{"10.1.0.128/25", "10.1.0.127", false},
		{"10.1.0.128/25", "10.1.0.128", true},
		{"10.1.0.4/32", "10.1.0.4", true},
		{"10.1.0.4/32", "10.1.0.5", false},
		{"0.0.0.0/0", "255.255.255.255", true},
		{"fd00::/64", "fd00::ffff:ffff:ffff:ffff", true},
		{"fd00::/64", "fd00:0:0:1::", false},
		{"fd00::8/125", "fd00::f", true},
		{"fd00::8/125", "fd00::10", false},
		{"::/0", "10.0.0.1", false},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cidr c = cidr(rows[i].cidr);
		struct ip_addr a = ip(rows[i].ip);

		if (cidr_has(&c, &a) != rows[i].has)
			fail_msg("%s has %s: not %d", rows[i].cidr, rows[i].ip, rows[i].has);
	}
}

static void test_cidr_overlap(void **state)
{
	static const struct {
		const char *a, *b;
		bool overlap;
	} rows[] = {
		{"10.0.0.0/8", "10.200.0.0/16", true},
		{"10.0.0.0/16", "10.1.0.0/16", false},
		{"10.0.0.0/24", "10.0.0.0/24", true},
		{"10.0.0.0/25", "10.0.0.128/25", false},
		{"fd00::/48", "fd00:0:0:7::/64", true},
		{"::/0", "0.0.0.0/0", false},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cidr a = cidr(rows[i].a), b = cidr(rows[i].b);

		assert_int_equal(cidr_overlap(&a, &b), rows[i].overlap);
		assert_int_equal(cidr_overlap(&b, &a), rows[i].overlap);
	}
}

static void test_cidr_mask(void **state)
{
	static const char *const rows[][2] = {
		{"10.1.2.3/0", "0.0.0.0/0"},
		{"10.1.2.3/9", "10.0.0.0/9"},
		{"10.1.2.3/24", "10.1.2.0/24"},
		{"10.1.2.3/31", "10.1.2.2/31"},
		{"10.1.2.3/32", "10.1.2.3/32"},
		{"fd00:1:2:3:4:5:6:7/60", "fd00:1:2::/60"},
		{"fd00::ff/127", "fd00::fe/127"},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cidr c = cidr(rows[i][0]);
		char text[CIDR_TEXT_BYTES];

		cidr_mask(&c);
		assert_string_equal(cidr_format(&c, text), rows[i][1]);
	}
}

static void test_ip_add(void **state)
{
	static const struct {
		const char *from;
		uint64_t add;
		const char *to;
	} rows[] = {
		{"10.0.0.255", 1, "10.0.1.0"},
		{"255.255.255.255", 1, "0.0.0.0"},
		{"10.0.0.0", 0x010203, "10.1.2.3"},
		{"fd00::ffff", 1, "fd00::1:0"},
		{"fd00::", UINT64_MAX, "fd00::ffff:ffff:ffff:ffff"},
		{"fd00::1", UINT64_MAX, "fd00:0:0:1::"},
		{"fd00::ff", UINT64_MAX, "fd00:0:0:1::fe"},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ip_addr from = ip(rows[i].from), sum = ip_add(&from, rows[i].add);
		char text[IP_TEXT_BYTES];

		assert_string_equal(ip_format(&sum, text), rows[i].to);
	}
}

static void test_ip_compare(void **state)
{
	struct ip_addr a = ip("10.0.0.9"), b = ip("10.0.0.10"), c = ip("::1");

	assert_true(ip_compare(&a, &b) < 0);
	assert_true(ip_compare(&b, &a) > 0);
	assert_true(ip_compare(&b, &c) < 0);
	assert_int_equal(ip_compare(&a, &a), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cidr_has),
		cmocka_unit_test(test_cidr_overlap),
		cmocka_unit_test(test_cidr_mask),
		cmocka_unit_test(test_ip_add),
		cmocka_unit_test(test_ip_compare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
