// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "netd/dns/cache.h"

#define SECOND 1000000ull
#define START  (1000 * SECOND)

static const struct ip_addr server = {.family = 4, .byte = {192, 0, 2, 1}};
static uint8_t out[CACHE_WIRE_BYTES];

// A message with one question and `count` records of that TTL, the first one `first_s`.
static size_t message(uint8_t *wire, uint32_t first_s, uint32_t ttl_s, unsigned count)
{
	static const uint8_t question[] = {1, 'x', 0, 0, 1, 0, 1};
	size_t len = 12;

	memset(wire, 0, len);
	wire[5] = 1;
	wire[7] = count;
	memcpy(wire + len, question, sizeof(question));
	len += sizeof(question);
	for (unsigned i = 0; i < count; i++) {
		uint32_t ttl = i == 0 ? first_s : ttl_s;
		const uint8_t record[] = {0xc0, 12, 0, 1, 0, 1, ttl >> 24, ttl >> 16, ttl >> 8, ttl,
			0, 4, 192, 0, 2, i};

		memcpy(wire + len, record, sizeof(record));
		len += sizeof(record);
	}
	return len;
}

static uint32_t ttl_of(const uint8_t *wire, unsigned record)
{
	const uint8_t *at = wire + 12 + 7 + 16 * record + 6;

	return (uint32_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
}

static const struct ede no_ede = {0}, ede = {7, {0, 15, 0, 3, 0, 6, 'x'}};

static void put(struct cache *cache, const char *key, uint32_t ttl_s, uint64_t now_us)
{
	uint8_t wire[512];
	size_t len = message(wire, ttl_s, ttl_s + 50, 2);

	cache_put(cache, key, strlen(key),
		&(struct cache_answer){wire, len, ttl_s, &no_ede, server}, now_us);
}

static struct cache_hit get(struct cache *cache, const char *key, uint64_t now_us)
{
	struct cache_hit hit;

	cache_get(cache, key, strlen(key), now_us, out, &hit);
	return hit;
}

static enum cache_kind kind(struct cache *cache, const char *key, uint64_t now_us)
{
	return get(cache, key, now_us).kind;
}

static void test_time(void **state)
{
	struct cache *cache = cache_new(100, 1 << 20, 3600);
	struct cache_hit hit;

	put(cache, "a", 10, START);
	hit = get(cache, "a", START);
	assert_int_equal(hit.kind, CACHE_FRESH);
	assert_true(ip_equal(&hit.server, &server));
	assert_int_equal(hit.wire_bytes, 12 + 7 + 32);
	assert_int_equal(ttl_of(out, 0), 10);
	assert_int_equal(ttl_of(out, 1), 60);
	assert_int_equal(kind(cache, "a", START + 3 * SECOND + 1), CACHE_FRESH);
	assert_int_equal(ttl_of(out, 0), 7);
	assert_int_equal(ttl_of(out, 1), 57);
	// Given out once does not make it older.
	assert_int_equal(kind(cache, "a", START + 10 * SECOND - 1), CACHE_FRESH);
	assert_int_equal(ttl_of(out, 0), 1);
	assert_int_equal(ttl_of(out, 1), 51);
	assert_int_equal(kind(cache, "a", START + 10 * SECOND), CACHE_STALE);
	assert_int_equal(ttl_of(out, 0), CACHE_STALE_TTL_S);
	assert_int_equal(ttl_of(out, 1), CACHE_STALE_TTL_S);
	assert_int_equal(kind(cache, "a", START + 3610 * SECOND - 1), CACHE_STALE);
	assert_int_equal(kind(cache, "a", START + 3610 * SECOND), CACHE_NONE);
	assert_int_equal(kind(cache, "b", START), CACHE_NONE);
	cache_free(cache);
}

static void test_no_time(void **state)
{
	struct cache *cache = cache_new(100, 1 << 20, 0);

	put(cache, "a", 0, START);
	assert_int_equal(kind(cache, "a", START), CACHE_NONE);
	put(cache, "a", 5, START);
	put(cache, "a", 0, START); // what is not kept takes the place of what was
	assert_int_equal(kind(cache, "a", START), CACHE_NONE);
	put(cache, "b", 10 * CACHE_TTL_MAX_S, START);
	assert_int_equal(kind(cache, "b", START + CACHE_TTL_MAX_S * SECOND - 1), CACHE_FRESH);
	assert_int_equal(kind(cache, "b", START + CACHE_TTL_MAX_S * SECOND), CACHE_NONE);
	cache_free(cache);
}

static void test_entries(void **state)
{
	struct cache *cache = cache_new(3, 1 << 20, 0);
	struct cache_stats stats;

	put(cache, "a", 10, START);
	put(cache, "b", 10, START);
	put(cache, "c", 10, START);
	put(cache, "c", 10, START); // once more is no other
	assert_int_equal(kind(cache, "a", START), CACHE_FRESH);
	put(cache, "d", 10, START); // b was not used for longest
	assert_int_equal(kind(cache, "b", START), CACHE_NONE);
	assert_int_equal(kind(cache, "a", START), CACHE_FRESH);
	assert_int_equal(cache_peek(cache, "c", 1, START), CACHE_FRESH);
	cache_stats(cache, &stats);
	assert_int_equal(stats.entries, 3);
	assert_int_equal(stats.evicted, 1);
	assert_int_equal(stats.hits, 2);
	assert_int_equal(stats.misses, 1);
	assert_int_equal(cache_flush(cache), 3);
	cache_stats(cache, &stats);
	assert_int_equal(stats.entries, 0);
	assert_int_equal(stats.bytes, 0);
	assert_int_equal(kind(cache, "a", START), CACHE_NONE);
	cache_free(cache);
	cache = cache_new(0, 1 << 20, 0);
	put(cache, "a", 10, START);
	assert_int_equal(kind(cache, "a", START), CACHE_NONE);
	cache_free(cache);
}

static void test_bytes(void **state)
{
	const size_t max = 512 * 1024;
	struct cache *cache = cache_new(100000, max, 0);
	struct cache_stats stats;
	uint8_t huge[4096];
	char key[16];

	for (int i = 0; i < 20000; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		put(cache, key, 10, START);
		cache_stats(cache, &stats);
		assert_true(stats.bytes <= max);
	}
	assert_true(stats.evicted > 0 && stats.entries > 1000);
	assert_int_equal(kind(cache, "k19999", START), CACHE_FRESH);
	assert_int_equal(kind(cache, "k0", START), CACHE_NONE);
	// One that would take more than its share takes nothing from others.
	message(huge, 10, 10, 1);
	memset(huge + 12 + 7 + 16, 0, sizeof(huge) - (12 + 7 + 16));
	cache_put(cache, "huge", 4, &(struct cache_answer){huge, sizeof(huge), 10, &no_ede, server},
		START);
	assert_int_equal(kind(cache, "huge", START), CACHE_NONE);
	cache_free(cache);
}

static void test_failed(void **state)
{
	struct cache *cache = cache_new(100, 1 << 20, 3600);
	struct cache_hit hit;

	cache_fail(cache, "a", 1, &no_ede, SECOND, START);
	hit = get(cache, "a", START + SECOND - 1);
	assert_int_equal(hit.kind, CACHE_NONE);
	assert_true(hit.failed);
	assert_false(get(cache, "a", START + SECOND).failed);
	// Beside an answer that is past its time.
	put(cache, "b", 10, START);
	cache_fail(cache, "b", 1, &no_ede, SECOND, START + 20 * SECOND);
	hit = get(cache, "b", START + 20 * SECOND + 1);
	assert_int_equal(hit.kind, CACHE_STALE);
	assert_true(hit.failed);
	hit = get(cache, "b", START + 21 * SECOND);
	assert_int_equal(hit.kind, CACHE_STALE);
	assert_false(hit.failed);
	// An answer ends it.
	cache_fail(cache, "b", 1, &no_ede, SECOND, START + 30 * SECOND);
	put(cache, "b", 10, START + 30 * SECOND);
	hit = get(cache, "b", START + 30 * SECOND);
	assert_int_equal(hit.kind, CACHE_FRESH);
	assert_false(hit.failed);
	cache_free(cache);
}

// Extended errors stay with what they are about: the answer, or the failure.
static void test_ede(void **state)
{
	struct cache *cache = cache_new(100, 1 << 20, 3600);
	struct cache_hit hit;
	uint8_t wire[512];
	size_t len = message(wire, 10, 10, 2);

	cache_put(cache, "a", 1, &(struct cache_answer){wire, len, 10, &ede, server}, START);
	hit = get(cache, "a", START);
	assert_int_equal(hit.ede.len_bytes, ede.len_bytes);
	assert_memory_equal(hit.ede.bytes, ede.bytes, ede.len_bytes);
	assert_int_equal(hit.wire_bytes, len);
	cache_fail(cache, "a", 1, &no_ede, SECOND, START + 20 * SECOND);
	hit = get(cache, "a", START + 20 * SECOND);
	assert_int_equal(hit.kind, CACHE_STALE);
	assert_int_equal(hit.ede.len_bytes, ede.len_bytes);
	cache_fail(cache, "b", 1, &ede, SECOND, START);
	assert_int_equal(get(cache, "b", START).ede.len_bytes, ede.len_bytes);
	cache_fail(cache, "b", 1, &no_ede, SECOND, START);
	assert_int_equal(get(cache, "b", START).ede.len_bytes, 0);
	assert_int_equal(get(cache, "c", START).ede.len_bytes, 0);
	assert_int_equal(cache_flush(cache), 2);
	cache_free(cache);
}

static void test_age(void **state)
{
	uint8_t wire[512], copy[512];
	size_t len = message(wire, 100, 5, 3);

	memcpy(copy, wire, len);
	assert_int_equal(cache_age(wire, len, 20, -1), 0);
	assert_int_equal(ttl_of(wire, 0), 80);
	assert_int_equal(ttl_of(wire, 1), 0);
	assert_int_equal(cache_age(wire, len, 20, 30), 0);
	assert_int_equal(ttl_of(wire, 2), 30);
	for (size_t cut = 0; cut < len; cut++) {
		uint8_t *exact = malloc(cut + 1); // so that a step too far is seen

		memcpy(exact, copy, cut);
		assert_int_equal(cache_age(exact, cut, 1, -1), -EBADMSG);
		free(exact);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_no_time),
		cmocka_unit_test(test_entries),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_failed),
		cmocka_unit_test(test_ede),
		cmocka_unit_test(test_age),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
