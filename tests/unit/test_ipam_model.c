// SPDX-License-Identifier: BSD-3-Clause
// Addresses that are given out, against a simple model of it.
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
#include "tests/unit/ipam_bed.h"

#define MODEL_SIZE 64 // addresses of the range: 16 blocks of 4

struct model {
	unsigned uses[MODEL_SIZE];
	uint64_t released_us[MODEL_SIZE]; // 0: never
	enum ipam_owner owner[MODEL_SIZE / 4];
	bool reserved[MODEL_SIZE];
};

static bool is_free(const struct model *m, unsigned i, uint64_t now_us)
{
	return !m->uses[i] && !m->reserved[i] &&
	       (!m->released_us[i] || now_us - m->released_us[i] >= QUARANTINE_US);
}

static unsigned count_free(const struct model *m, uint64_t now_us)
{
	unsigned count = 0;

	for (unsigned i = 0; i < MODEL_SIZE; i++)
		count += m->owner[i / 4] == IPAM_MINE && is_free(m, i, now_us);
	return count;
}

static void check_next(struct ipam *ipam, const struct model *m, uint64_t now_us)
{
	unsigned count = count_free(m, now_us);
	struct ip_addr a;
	uint64_t epoch;

	assert_int_equal(ipam_nb_free(ipam, now_us), count);
	if (ipam_next(ipam, now_us, &a, &epoch) < 0) {
		assert_int_equal(count, 0);
		return;
	}
	assert_true(is_free(m, a.byte[3] - 128, now_us));
	assert_int_equal(m->owner[(a.byte[3] - 128) / 4], IPAM_MINE);
	assert_int_equal(epoch, 1 + (a.byte[3] - 128) / 4);
}

static void check_others(struct ipam *ipam, const struct model *m, uint64_t now_us)
{
	unsigned borrowable = 0, unrecorded = 0;
	struct cidr block;
	struct ip_addr a;
	uint64_t epoch;
	bool is_new;

	for (unsigned i = 0; i < MODEL_SIZE; i++) {
		borrowable += m->owner[i / 4] == IPAM_OTHER && is_free(m, i, now_us);
		unrecorded += m->owner[i / 4] == IPAM_NOBODY;
	}
	if (borrowable) {
		assert_int_equal(ipam_borrow(ipam, now_us, &a, &epoch), 0);
		assert_true(is_free(m, a.byte[3] - 128, now_us));
		assert_int_not_equal(m->owner[(a.byte[3] - 128) / 4], IPAM_MINE);
	}
	if (unrecorded) {
		assert_int_equal(ipam_next_block(ipam, now_us, &block, &epoch, &is_new), 0);
		assert_true(is_new);
		assert_int_equal(m->owner[(block.ip.byte[3] - 128) / 4], IPAM_NOBODY);
	}
}

static void set_owner(
	struct ipam *ipam, struct model *m, unsigned block, unsigned what, uint64_t now_us)
{
	static const enum ipam_owner owners[] = {
		IPAM_NOBODY, IPAM_MINE, IPAM_MINE, IPAM_OTHER, IPAM_OTHER, IPAM_FREED};
	struct cidr c = cidr("10.1.0.128/30");

	c.ip = ip_add(&c.ip, 4 * block);
	m->owner[block] = owners[what % ARRAY_SIZE(owners)];
	assert_int_equal(ipam_set_block(ipam, &c, m->owner[block], 1 + block, now_us), 0);
}

static void run_model(uint64_t seed)
{
	struct ipam *ipam = make("10.1.0.0/24", "10.1.0.128/26", "10.1.0.129");
	struct ip_addr first = ip("10.1.0.128");
	struct model m = {0};
	uint64_t now_us = 1;

	m.reserved[1] = true;
	for (int step = 0; step < 5000; step++) {
		unsigned i = lcg(&seed) % MODEL_SIZE;
		struct ip_addr a = ip_add(&first, i);

		now_us += lcg(&seed) % (QUARANTINE_US / 20);
		switch (lcg(&seed) % 8) {
		case 0:
			set_owner(ipam, &m, i / 4, lcg(&seed), now_us);
			break;
		case 1:
		case 2:
		case 3:
			ipam_use(ipam, &a);
			m.uses[i]++;
			m.released_us[i] = 0;
			break;
		default:
			ipam_release(ipam, &a, now_us);
			if (m.uses[i] && --m.uses[i] == 0)
				m.released_us[i] = now_us;
		}
		assert_int_equal(ipam_is_used(ipam, &a), m.uses[i] > 0);
		check_next(ipam, &m, now_us);
		check_others(ipam, &m, now_us);
	}
	ipam_free(ipam);
}

static void test_model(void **state)
{
	for (uint64_t seed = 1; seed <= 20; seed++)
		run_model(seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
