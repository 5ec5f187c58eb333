// SPDX-License-Identifier: BSD-3-Clause
// What makes answers hard to forge: the ports that questions leave from, upper and lower case.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "base/loop.h"
#include "base/util.h"
#include "netd/dns/forward.h"
#include "tests/unit/fake_dns.h"
#include "tests/unit/forward_bed.h"

#define LONG_NAME "some-name-with-many-letters.example"

static void ask_some(unsigned count)
{
	char name[64];

	for (unsigned i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "n%u." LONG_NAME, forward_bed.told.count);
		ask(name);
		assert_int_equal(forward_bed.told.number, 1);
		// Who asked sees nothing of upper case.
		assert_memory_equal(forward_bed.told.wire + 13, name, strcspn(name, "."));
		assert_non_null(memmem(forward_bed.told.wire, forward_bed.told.len,
			"\33some-name-with-many-letters\7example", 36));
	}
}

// Of ports that the kernel chooses at random, some may be the same.
static void test_ports(void **state)
{
	start(1);
	ask_some(50);
	assert_true(forward_bed.fakes[0].nb_ports >= 45);
}

// More at once than there are ports for: some share one, and each gets its own answer.
static void test_shared_ports(void **state)
{
	char name[32];

	forward_bed.conf.timeout_ms = 10000;
	start(1);
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "n%u.example", i);
		assert_non_null(ask_as(i, name, false));
	}
	forward_bed.want = MANY;
	wait_until(all_told);
	assert_int_equal(forward_bed.told.failed, 0);
	assert_int_equal(forward_bed.told.number, 1);
	ask("last.example");
	assert_int_equal(forward_bed.told.number, 1);
}

// So do they when the process may open no more.
static void test_few_files(void **state)
{
	struct rlimit before, few;
	char name[32];

	start(1);
	ask("first.example");
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = (struct rlimit){.rlim_cur = 40, .rlim_max = before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	for (unsigned i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "n%u.example", i);
		assert_non_null(ask_as(i, name, false));
	}
	forward_bed.want = forward_bed.told.count + 100;
	wait_until(all_told);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(forward_bed.told.failed, 0);
	assert_true(forward_bed.fakes[0].nb_ports < 40);
}

static void test_mixed_case(void **state)
{
	start(1);
	ask_some(10);
	assert_true(forward_bed.fakes[0].mixed >= 10); // probes, too
	assert_int_equal(forward_bed.fakes[0].asked, 10);
}

// A server that does not keep the case is asked in one case from then on.
static void test_lower_case(void **state)
{
	unsigned mixed;

	start(1);
	forward_bed.fakes[0].mode = LOWER;
	ask_some(4);
	mixed = forward_bed.fakes[0].mixed;
	forward_bed.fakes[0].asked = 0;
	ask_some(10);
	assert_int_equal(forward_bed.fakes[0].asked, 10);
	assert_int_equal(forward_bed.fakes[0].mixed, mixed);
}

static void test_lie_in_lower_case(void **state)
{
	start(1);
	forward_bed.fakes[0].mode = LIE_IN_LOWER;
	ask_some(4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ports, setup, teardown),
		cmocka_unit_test_setup_teardown(test_shared_ports, setup, teardown),
		cmocka_unit_test_setup_teardown(test_few_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mixed_case, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lower_case, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lie_in_lower_case, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
