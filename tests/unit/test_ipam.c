// SPDX-License-Identifier: BSD-3-Clause
// Addresses of a subnet: what is never given out, in which order the others are, blocks.
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

static void assert_cidr(const struct cidr *c, const char *text)
{
	char buf[CIDR_TEXT_BYTES];

	assert_string_equal(cidr_format(c, buf), text);
}

// The next address is that one; it gets used. NULL: there is none.
static void take(struct ipam *ipam, uint64_t now_us, const char *text)
{
	char buf[IP_TEXT_BYTES];
	struct ip_addr a;
	uint64_t epoch;
	int rc = ipam_next(ipam, now_us, &a, &epoch);

	if (!text) {
		assert_int_equal(rc, -ENOSPC);
		return;
	}
	assert_int_equal(rc, 0);
	assert_string_equal(ip_format(&a, buf), text);
	assert_int_equal(ipam_use(ipam, &a), 0);
}

static void release(struct ipam *ipam, uint64_t now_us, const char *text)
{
	struct ip_addr a = ip(text);

	ipam_release(ipam, &a, now_us);
}

static void test_block_prefix(void **state)
{
	static const struct {
		const char *range;
		unsigned prefix, now; // in a network of the first version, in a new one
	} rows[] = {
		{"10.0.0.0/8", 24, 26},
		{"10.0.0.0/16", 24, 26},
		{"10.0.0.0/20", 24, 26},
		{"10.0.0.0/21", 25, 27},
		{"10.0.0.0/24", 28, 30},
		{"10.0.0.0/26", 30, 32},
		{"10.0.0.0/28", 30, 32},
		{"10.0.0.0/30", 30, 32},
		{"10.0.0.0/31", 31, 32},
		{"10.0.0.0/32", 32, 32},
		{"fd00::/8", 112, 112},
		{"fd00::/64", 112, 112},
		{"fd00::/108", 112, 114},
		{"fd00::/112", 116, 118},
		{"fd00::/124", 126, 128},
		{"fd00::/127", 127, 128},
		{"fd00::/128", 128, 128},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cidr range = cidr(rows[i].range);

		if (ipam_block_prefix_first(&range) != rows[i].prefix)
			fail_msg("%s: %u", rows[i].range, ipam_block_prefix_first(&range));
		if (ipam_block_prefix(&range) != rows[i].now)
			fail_msg("%s: now %u", rows[i].range, ipam_block_prefix(&range));
	}
}

// What the agents of all hosts compute from a block: how much is left in it.
static void test_block_use(void **state)
{
	struct subnet s = {
		.cidr = cidr("10.1.0.0/24"), .gateway = ip("10.1.0.1"), .block_prefix = 30};
	struct ipam_opts opts = {.subnet = &s, .quarantine_us = 1000};
	struct cidr block = {ip("10.1.0.0"), 30};
	struct ip_addr last = ip("10.1.0.3");
	struct ipam_use use;
	struct ipam *ipam;

	assert_int_equal(ipam_new(&opts, &ipam), 0);
	assert_int_equal(ipam_nb_blocks(ipam), 64);
	ipam_block_use(ipam, &block.ip, 0, &use);
	assert_int_equal(use.owner, IPAM_NOBODY);
	assert_int_equal(use.nb_free, 0);
	ipam_set_block(ipam, &block, IPAM_OTHER, 1, 0);
	assert_int_equal(ipam_nb_blocks(ipam), 63);
	ipam_block_use(ipam, &block.ip, 0, &use);
	assert_int_equal(use.owner, IPAM_OTHER);
	assert_int_equal(use.nb_free, 2); // .2, .3
	assert_true(use.idle);
	ipam_use(ipam, &last);
	ipam_block_use(ipam, &block.ip, 0, &use);
	assert_int_equal(use.nb_free, 1);
	assert_false(use.idle);
	ipam_release(ipam, &last, 0);
	ipam_block_use(ipam, &block.ip, 999, &use);
	assert_int_equal(use.nb_free, 1);
	assert_true(use.idle);
	ipam_block_use(ipam, &block.ip, 1000, &use);
	assert_int_equal(use.nb_free, 2);
	ipam_set_block(ipam, &block, IPAM_FREED, 1, 1000);
	assert_int_equal(ipam_nb_blocks(ipam), 64);
	ipam_free(ipam);
}

static void test_reserved(void **state)
{
	struct ipam *ipam = make("10.1.0.0/28", NULL, "10.1.0.1");
	struct cidr block;

	assert_int_equal(ipam_nb_free(ipam, 0), 0);
	take(ipam, 0, NULL);
	block = claim(ipam, 0);
	assert_cidr(&block, "10.1.0.0/30");
	assert_int_equal(ipam_nb_free(ipam, 0), 2);
	take(ipam, 0, "10.1.0.2");
	take(ipam, 0, "10.1.0.3");
	take(ipam, 0, NULL);
	for (int i = 0; i < 3; i++)
		block = claim(ipam, 0);
	assert_cidr(&block, "10.1.0.12/30");
	assert_int_equal(ipam_nb_free(ipam, 0), 11); // without the broadcast address
	ipam_free(ipam);

	ipam = make("10.1.0.0/24", NULL, "10.1.0.3");
	claim(ipam, 0);
	take(ipam, 0, "10.1.0.1");
	take(ipam, 0, "10.1.0.2");
	take(ipam, 0, "10.1.0.4");
	take(ipam, 0, "10.1.0.6"); // 5: reserved by name
	ipam_free(ipam);
}

// A block of which nothing can be given out does not hide the others.
static void test_reserved_block(void **state)
{
	struct named_ip aux[] = {{"a", ip("10.1.0.2")}, {"b", ip("10.1.0.3")}};
	struct subnet s = {.cidr = cidr("10.1.0.0/28"), .gateway = ip("10.1.0.1"), .aux = aux};
	struct ipam_opts opts = {.subnet = &s};
	struct ipam *ipam;

	s.nb_aux = ARRAY_SIZE(aux);
	// Nobody claims a block that has no address to give out.
	assert_int_equal(ipam_new(&opts, &ipam), 0);
	assert_int_equal(ipam_nb_blocks(ipam), 3);
	claim(ipam, 0);
	take(ipam, 0, "10.1.0.4");
	ipam_free(ipam);

	// Also when another one is claimed before.
	assert_int_equal(ipam_new(&opts, &ipam), 0);
	assert_int_equal(
		ipam_set_block(ipam, &(struct cidr){ip("10.1.0.4"), 30}, IPAM_MINE, 1, 0), 0);
	claim(ipam, 0);
	take(ipam, 0, "10.1.0.4");
	ipam_free(ipam);
}

static void test_small(void **state)
{
	struct ipam *ipam = make("10.1.0.4/31", NULL, NULL);

	claim(ipam, 0);
	take(ipam, 0, "10.1.0.4");
	take(ipam, 0, "10.1.0.5");
	take(ipam, 0, NULL);
	ipam_free(ipam);

	ipam = make("10.1.0.4/32", NULL, NULL);
	claim(ipam, 0);
	take(ipam, 0, "10.1.0.4");
	take(ipam, 0, NULL);
	ipam_free(ipam);

	ipam = make("10.1.0.4/30", NULL, "10.1.0.6");
	claim(ipam, 0);
	take(ipam, 0, "10.1.0.5");
	take(ipam, 0, NULL);
	ipam_free(ipam);

	ipam = make("fd00::2/127", NULL, NULL);
	claim(ipam, 0);
	take(ipam, 0, "fd00::2");
	take(ipam, 0, "fd00::3");
	take(ipam, 0, NULL);
	ipam_free(ipam);
}

static void test_range(void **state)
{
	// The network's and broadcast address are those of the subnet, not of the range.
	struct ipam *ipam = make("10.1.0.0/16", "10.1.3.64/29", "10.1.3.65");
	struct ip_addr outside = ip("10.1.9.9");
	enum ipam_owner owner = IPAM_MINE;
	uint64_t epoch = 7;
	struct cidr block = claim(ipam, 0);

	assert_cidr(&block, "10.1.3.64/30");
	take(ipam, 0, "10.1.3.64");
	take(ipam, 0, "10.1.3.66");
	take(ipam, 0, "10.1.3.67");
	take(ipam, 0, NULL);
	claim(ipam, 0);
	take(ipam, 0, "10.1.3.68");
	assert_int_equal(ipam_next_block(ipam, 0, &block, &epoch, &(bool){0}), -ENOSPC);

	// Outside the range only who asks for it gets one.
	epoch = 7;
	assert_int_equal(ipam_check(ipam, &outside, &owner, &epoch, NULL), 0);
	assert_int_equal(owner, IPAM_NOBODY);
	assert_int_equal(epoch, 0);
	assert_int_equal(ipam_use(ipam, &outside), 0);
	assert_int_equal(ipam_check(ipam, &outside, &owner, &epoch, NULL), -EADDRINUSE);
	ipam_release(ipam, &outside, 0);
	assert_int_equal(ipam_check(ipam, &outside, &owner, &epoch, NULL), 0);
	ipam_free(ipam);
}

static void test_bad_subnets(void **state)
{
	static const char *const rows[][2] = {
		{"10.1.0.0/24", "10.1.0.0/16"},
		{"10.1.0.0/24", "10.2.0.0/25"},
		{"10.1.0.0/24", "fd00::/64"},
		{"::/0", "::/0"},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct subnet s = {.cidr = cidr(rows[i][0]), .range = cidr(rows[i][1])};
		struct ipam_opts opts = {.subnet = &s};
		struct ipam *ipam;

		assert_int_equal(ipam_new(&opts, &ipam), -EINVAL);
	}
}

static void test_check(void **state)
{
	static const char *const bad[][2] = {
		{"10.2.0.1", "10.1.0.0/24"},
		{"fd00::1", "10.1.0.0/24"},
		{"10.1.0.0", "network"},
		{"10.1.0.255", "broadcast"},
		{"10.1.0.1", "gateway"},
		{"10.1.0.5", "router"},
	};
	struct ipam *ipam = make("10.1.0.0/24", NULL, "10.1.0.1");
	struct ip_addr a = ip("10.1.0.2"), b = ip("10.1.0.20");
	struct cidr other = cidr("10.1.0.16/28");
	enum ipam_owner owner;
	uint64_t epoch;

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		struct ip_addr asked = ip(bad[i][0]);
		struct err err = {0};

		assert_int_equal(ipam_check(ipam, &asked, &owner, &epoch, &err), -EINVAL);
		assert_non_null(strstr(err.path, bad[i][0]));
		if (!strstr(err.reason, bad[i][1]))
			fail_msg("%s: %s", bad[i][0], err.reason);
	}
	claim(ipam, 0);
	assert_int_equal(ipam_set_block(ipam, &other, IPAM_OTHER, 4, 0), 0);
	assert_int_equal(ipam_check(ipam, &a, &owner, &epoch, NULL), 0);
	assert_int_equal(owner, IPAM_MINE);
	assert_int_equal(ipam_check(ipam, &b, &owner, &epoch, NULL), 0);
	assert_int_equal(owner, IPAM_OTHER);
	assert_int_equal(epoch, 4);
	ipam_use(ipam, &a);
	assert_int_equal(ipam_check(ipam, &a, &owner, &epoch, NULL), -EADDRINUSE);
	// In quarantine it may be asked for.
	ipam_release(ipam, &a, 0);
	assert_int_equal(ipam_check(ipam, &a, &owner, &epoch, NULL), 0);
	ipam_free(ipam);
}

static void test_quarantine(void **state)
{
	struct ipam *ipam = make("10.1.0.8/29", NULL, "10.1.0.9");

	claim(ipam, 0);
	take(ipam, 0, "10.1.0.10");
	release(ipam, 10, "10.1.0.10");
	take(ipam, 20, "10.1.0.11");
	take(ipam, 20, NULL);
	release(ipam, 30, "10.1.0.11");
	take(ipam, 9 + QUARANTINE_US, NULL);
	assert_int_equal(ipam_nb_free(ipam, 9 + QUARANTINE_US), 0);
	assert_int_equal(ipam_nb_free(ipam, 10 + QUARANTINE_US), 1);
	take(ipam, 10 + QUARANTINE_US, "10.1.0.10");
	take(ipam, 10 + QUARANTINE_US, NULL);
	take(ipam, 30 + QUARANTINE_US, "10.1.0.11");
	ipam_free(ipam);
}

static void test_released_last_comes_last(void **state)
{
	struct ipam *ipam = make("10.1.0.0/28", NULL, "10.1.0.1");
	uint64_t later_us = 100 + QUARANTINE_US;

	for (int i = 0; i < 4; i++)
		claim(ipam, 0);
	take(ipam, 0, "10.1.0.2");
	take(ipam, 0, "10.1.0.3");
	release(ipam, 2, "10.1.0.3");
	release(ipam, 3, "10.1.0.2");
	// Those that were never used first, though the quarantine is over.
	for (int i = 4; i < 15; i++) {
		char text[16];

		snprintf(text, sizeof(text), "10.1.0.%d", i);
		take(ipam, later_us, text);
	}
	take(ipam, later_us, "10.1.0.3");
	take(ipam, later_us, "10.1.0.2");
	take(ipam, later_us, NULL);
	ipam_free(ipam);
}

// The record of an endpoint and the wish for it both count.
static void test_nested_use(void **state)
{
	struct ipam *ipam = make("10.1.0.0/29", NULL, "10.1.0.1");
	struct ip_addr a = ip("10.1.0.2");

	claim(ipam, 0);
	ipam_use(ipam, &a);
	ipam_use(ipam, &a);
	assert_true(ipam_is_used(ipam, &a));
	ipam_release(ipam, &a, 0);
	assert_true(ipam_is_used(ipam, &a));
	ipam_release(ipam, &a, 0);
	assert_false(ipam_is_used(ipam, &a));
	ipam_release(ipam, &a, 0); // once too often is nothing
	ipam_use(ipam, &a);
	assert_true(ipam_is_used(ipam, &a));
	ipam_free(ipam);
}

// After a restart nobody knows what was released just before: gaps come last.
static void test_restart(void **state)
{
	struct ipam *ipam = make("10.1.0.0/24", NULL, "10.1.0.1");
	struct ip_addr used[] = {ip("10.1.0.2"), ip("10.1.0.6")};
	struct cidr block = cidr("10.1.0.0/28");

	ipam_use(ipam, &used[0]);
	ipam_set_block(ipam, &block, IPAM_MINE, 1, 0);
	ipam_use(ipam, &used[1]);
	for (int i = 7; i < 16; i++) {
		char text[16];

		snprintf(text, sizeof(text), "10.1.0.%d", i);
		take(ipam, 0, text);
	}
	take(ipam, 0, "10.1.0.3");
	take(ipam, 0, "10.1.0.4");
	take(ipam, 0, NULL);
	ipam_free(ipam);
}

// What was asked for explicitly does not change the sequence.
static void test_static(void **state)
{
	struct ipam *ipam = make("10.1.0.0/24", NULL, "10.1.0.1");
	struct ip_addr a = ip("10.1.0.4");

	claim(ipam, 0);
	take(ipam, 0, "10.1.0.2");
	ipam_use(ipam, &a);
	take(ipam, 0, "10.1.0.3");
	take(ipam, 0, "10.1.0.6");
	ipam_free(ipam);
}

static void test_blocks(void **state)
{
	struct ipam *ipam = make("10.1.0.0/28", NULL, NULL);
	struct cidr b[4] = {cidr("10.1.0.0/30"), cidr("10.1.0.4/30"), cidr("10.1.0.8/30"),
		cidr("10.1.0.12/30")};
	struct cidr got, odd = cidr("10.1.0.0/29");
	uint64_t epoch;
	bool is_new;

	assert_int_equal(ipam_set_block(ipam, &odd, IPAM_MINE, 1, 0), -EINVAL);
	ipam_set_block(ipam, &b[0], IPAM_FREED, 5, 0);
	ipam_set_block(ipam, &b[1], IPAM_OTHER, 1, 0);
	// Never owned ones come before a freed one, even when its quarantine is over.
	assert_int_equal(ipam_next_block(ipam, 9 * QUARANTINE_US, &got, &epoch, &is_new), 0);
	assert_true(cidr_equal(&got, &b[2]));
	assert_int_equal(epoch, 1);
	assert_true(is_new);
	ipam_set_block(ipam, &b[2], IPAM_MINE, 1, 0);
	ipam_set_block(ipam, &b[3], IPAM_FREED, 2, 50);
	assert_int_equal(ipam_next_block(ipam, QUARANTINE_US - 1, &got, &epoch, &is_new), -EAGAIN);
	assert_int_equal(ipam_next_block(ipam, QUARANTINE_US, &got, &epoch, &is_new), 0);
	assert_true(cidr_equal(&got, &b[0]));
	assert_int_equal(epoch, 6);
	assert_false(is_new);
	ipam_set_block(ipam, &b[0], IPAM_MINE, 6, QUARANTINE_US);
	assert_int_equal(ipam_next_block(ipam, QUARANTINE_US, &got, &epoch, &is_new), -EAGAIN);
	ipam_set_block(ipam, &b[3], IPAM_OTHER, 3, QUARANTINE_US);
	assert_int_equal(ipam_next_block(ipam, QUARANTINE_US, &got, &epoch, &is_new), -ENOSPC);
	// A record that is deleted: as if it never was.
	ipam_set_block(ipam, &b[1], IPAM_NOBODY, 0, QUARANTINE_US);
	assert_int_equal(ipam_next_block(ipam, QUARANTINE_US, &got, &epoch, &is_new), 0);
	assert_true(cidr_equal(&got, &b[1]));
	assert_true(is_new);
	ipam_free(ipam);
}

// The lowest block first; after lost races others, so that not all want the same.
static void test_races(void **state)
{
	struct ipam *ipam = make("10.0.0.0/8", NULL, NULL);
	struct cidr got;
	uint64_t epoch;
	bool is_new;
	int far = 0;

	for (int i = 0; i < 8; i++) {
		assert_int_equal(ipam_next_block(ipam, 0, &got, &epoch, &is_new), 0);
		if (i == 0)
			assert_cidr(&got, "10.0.0.0/24");
		far += got.ip.byte[2] > 2 * i;
		ipam_set_block(ipam, &got, IPAM_OTHER, 1, 0);
	}
	assert_true(far > 0);
	claim(ipam, 0);
	assert_int_equal(ipam_next_block(ipam, 0, &got, &epoch, &is_new), 0);
	assert_true(got.ip.byte[2] < 10); // the lowest again
	ipam_free(ipam);
}

// A block changes hands: what is in quarantine stays there.
static void test_owner_changes(void **state)
{
	struct ipam *ipam = make("10.1.0.8/29", NULL, NULL);
	struct cidr block = cidr("10.1.0.12/30");
	struct ip_addr a = ip("10.1.0.13");

	ipam_use(ipam, &a);
	ipam_release(ipam, &a, 100);
	ipam_set_block(ipam, &block, IPAM_MINE, 1, 200);
	assert_int_equal(ipam_nb_free(ipam, 200), 2); // 13 waits, 15 is broadcast
	take(ipam, 200, "10.1.0.14");
	take(ipam, 200, "10.1.0.12");
	take(ipam, 200, NULL);
	ipam_set_block(ipam, &block, IPAM_OTHER, 2, 300);
	assert_int_equal(ipam_nb_free(ipam, 10 * QUARANTINE_US), 0);
	ipam_set_block(ipam, &block, IPAM_MINE, 3, 10 * QUARANTINE_US);
	take(ipam, 10 * QUARANTINE_US, "10.1.0.13");
	take(ipam, 10 * QUARANTINE_US, NULL); // the others are still used
	ipam_free(ipam);
}

static void test_borrow(void **state)
{
	struct ipam *ipam = make("10.1.0.0/28", NULL, "10.1.0.1");
	struct cidr b[3] = {cidr("10.1.0.0/30"), cidr("10.1.0.4/30"), cidr("10.1.0.8/30")};
	struct ip_addr got, before = {0};
	uint64_t epoch;

	assert_int_equal(ipam_borrow(ipam, 0, &got, &epoch), -ENOSPC);
	ipam_set_block(ipam, &b[0], IPAM_MINE, 1, 0);
	ipam_set_block(ipam, &b[1], IPAM_OTHER, 2, 0);
	// Not the same again when nothing came of it.
	assert_int_equal(ipam_borrow(ipam, 0, &before, &epoch), 0);
	assert_int_equal(ipam_borrow(ipam, 0, &got, &epoch), 0);
	assert_false(ip_equal(&got, &before));
	ipam_set_block(ipam, &b[2], IPAM_FREED, 3, 0);
	// All of the other's; the own and the freed one in quarantine are not touched.
	for (int i = 0; i < 4; i++) {
		assert_int_equal(ipam_borrow(ipam, 0, &got, &epoch), 0);
		assert_true(cidr_has(&b[1], &got));
		assert_int_equal(epoch, 2);
		assert_false(ip_equal(&got, &before));
		before = got;
		ipam_use(ipam, &got);
	}
	assert_int_equal(ipam_borrow(ipam, 0, &got, &epoch), -ENOSPC);
	assert_int_equal(ipam_borrow(ipam, QUARANTINE_US, &got, &epoch), 0);
	assert_true(cidr_has(&b[2], &got));
	assert_int_equal(epoch, 3);
	ipam_release(ipam, &before, 2 * QUARANTINE_US);
	ipam_set_block(ipam, &b[2], IPAM_MINE, 4, 2 * QUARANTINE_US);
	assert_int_equal(ipam_borrow(ipam, 2 * QUARANTINE_US, &got, &epoch), -ENOSPC);
	assert_int_equal(ipam_borrow(ipam, 3 * QUARANTINE_US, &got, &epoch), 0);
	assert_true(ip_equal(&got, &before));
	ipam_free(ipam);
}

static void test_ipv6(void **state)
{
	struct ipam *ipam = make("fd00::/64", NULL, "fd00::1");
	struct cidr block = claim(ipam, 0);
	struct ip_addr anycast = ip("fd00::");
	enum ipam_owner owner;
	uint64_t epoch;

	assert_cidr(&block, "fd00::/112");
	assert_int_equal(ipam_check(ipam, &anycast, &owner, &epoch, NULL), -EINVAL);
	assert_int_equal(ipam_nb_free(ipam, 0), 65534);
	for (unsigned i = 2; i < 65536; i++) {
		struct ip_addr a, want = ip_add(&block.ip, i);

		assert_int_equal(ipam_next(ipam, 0, &a, &epoch), 0);
		assert_true(ip_equal(&a, &want));
		ipam_use(ipam, &a);
	}
	take(ipam, 0, NULL);
	block = claim(ipam, 0);
	assert_cidr(&block, "fd00::1:0/112");
	take(ipam, 0, "fd00::1:0");
	ipam_free(ipam);
}

// ---- against a simple model ----

// Two addresses are never the same, and one that was released comes after all that were released
// before it.
static void test_order(void **state)
{
	struct ipam *ipam = make("10.1.0.0/16", NULL, NULL);
	uint64_t released_us[65536] = {0}, last_us = 0, now_us = 0, seed = 5, epoch;
	unsigned given[400], nb_given = 0;

	claim(ipam, 0);
	claim(ipam, 0);
	for (int step = 0; step < 20000; step++) {
		struct ip_addr a = ip("10.1.0.0");
		unsigned i;

		now_us += 10;
		if (nb_given < ARRAY_SIZE(given) && lcg(&seed) % 2 &&
			ipam_next(ipam, now_us, &a, &epoch) == 0) {
			i = a.byte[2] << 8 | a.byte[3];
			assert_true(released_us[i] >= last_us);
			assert_true(!released_us[i] || now_us - released_us[i] >= QUARANTINE_US);
			last_us = released_us[i];
			ipam_use(ipam, &a);
			given[nb_given++] = i;
		} else if (nb_given) {
			unsigned which = lcg(&seed) % nb_given;

			i = given[which];
			given[which] = given[--nb_given];
			a = ip_add(&a, i);
			ipam_release(ipam, &a, now_us);
			released_us[i] = now_us;
		}
	}
	assert_true(last_us > 0);
	ipam_free(ipam);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_block_prefix),
		cmocka_unit_test(test_block_use),
		cmocka_unit_test(test_reserved),
		cmocka_unit_test(test_reserved_block),
		cmocka_unit_test(test_small),
		cmocka_unit_test(test_range),
		cmocka_unit_test(test_bad_subnets),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_quarantine),
		cmocka_unit_test(test_released_last_comes_last),
		cmocka_unit_test(test_nested_use),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_static),
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_races),
		cmocka_unit_test(test_owner_changes),
		cmocka_unit_test(test_borrow),
		cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
