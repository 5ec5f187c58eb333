// SPDX-License-Identifier: BSD-3-Clause
#include "tests/unit/addresses.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct cidr cidr(const char *text)
{
	struct cidr c;

	assert_int_equal(cidr_parse(text, &c), 0);
	return c;
}

struct ip_addr ip(const char *text)
{
	struct ip_addr a = {0};

	if (text)
		assert_int_equal(ip_parse(text, &a), 0);
	return a;
}
