// SPDX-License-Identifier: BSD-3-Clause
#include "tests/unit/ipam_bed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct ipam *make(const char *subnet, const char *range, const char *gateway)
{
	struct named_ip aux = {.name = "router"};
	struct subnet s = {.cidr = cidr(subnet),
		.range = cidr(range ? range : subnet),
		.gateway = ip(gateway)};
	struct ipam_opts opts = {.subnet = &s, .quarantine_us = QUARANTINE_US, .seed = 1};
	struct ipam *ipam;

	if (s.cidr.ip.family == 4 && s.cidr.prefix <= 24) {
		aux.ip = ip_add(&s.cidr.ip, 5);
		s.aux = &aux;
		s.nb_aux = 1;
	}
	assert_int_equal(ipam_new(&opts, &ipam), 0);
	return ipam;
}

struct cidr claim(struct ipam *ipam, uint64_t now_us)
{
	struct cidr block;
	uint64_t epoch;
	bool is_new;

	assert_int_equal(ipam_next_block(ipam, now_us, &block, &epoch, &is_new), 0);
	assert_int_equal(ipam_set_block(ipam, &block, IPAM_MINE, epoch, now_us), 0);
	return block;
}

unsigned lcg(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
	return *seed >> 33;
}
