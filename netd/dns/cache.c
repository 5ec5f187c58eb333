// SPDX-License-Identifier: BSD-3-Clause
#include "netd/dns/cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/random.h>

#include "base/hash.h"
#include "base/util.h"

#define SECOND_US      1000000ull
#define HEADER_BYTES   12
#define QUESTION_BYTES 4  // type and class
#define RECORD_BYTES   10 // type, class, TTL, length of the data
#define TTL_AT	       4
#define LENGTH_AT      8
#define SHARE	       256 // one answer may have this part of all bytes
#define LOAD	       2   // entries a bucket, when full

struct entry {
	LIST_ENTRY(entry) chain;
	TAILQ_ENTRY(entry) use; // used last: at the end
	uint64_t hash;
	uint64_t born_us, expires_us, failed_until_us;
	struct ip_addr server;
	size_t key_bytes, wire_bytes, ede_bytes; // wire_bytes 0: only that it failed
	uint8_t bytes[];			 // the key, the message, the extended errors
};

struct cache {
	LIST_HEAD(bucket, entry) * buckets;
	TAILQ_HEAD(, entry) used;
	unsigned nb_buckets; // a power of two
	unsigned entries_max;
	size_t bytes_max;
	uint64_t stale_us;
	uint64_t seed; // so that names cannot be chosen to fall into one bucket
	struct cache_stats stats;
};

struct cache *cache_new(unsigned entries_max, size_t bytes_max, uint32_t stale_s)
{
	struct cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return NULL;
	cache->nb_buckets = 16;
	while (cache->nb_buckets < entries_max / LOAD && cache->nb_buckets < 1u << 20)
		cache->nb_buckets *= 2;
	cache->buckets = calloc(cache->nb_buckets, sizeof(cache->buckets[0]));
	if (!cache->buckets) {
		free(cache);
		return NULL;
	}
	TAILQ_INIT(&cache->used);
	cache->entries_max = entries_max;
	cache->bytes_max = bytes_max;
	cache->stale_us = stale_s * SECOND_US;
	if (getrandom(&cache->seed, sizeof(cache->seed), GRND_NONBLOCK) < 0)
		cache->seed = (uintptr_t)cache;
	return cache;
}

void cache_free(struct cache *cache)
{
	if (!cache)
		return;
	cache_flush(cache);
	free(cache->buckets);
	free(cache);
}

static size_t entry_bytes(size_t key_bytes, size_t wire_bytes, size_t ede_bytes)
{
	return sizeof(struct entry) + key_bytes + wire_bytes + ede_bytes;
}

static uint64_t hash_key(const struct cache *cache, const void *key, size_t key_bytes)
{
	return hash_add(HASH_INIT ^ cache->seed, key, key_bytes);
}

static struct bucket *bucket_of(struct cache *cache, uint64_t hash)
{
	return &cache->buckets[(hash ^ hash >> 32) & (cache->nb_buckets - 1)];
}

static struct entry *find(struct cache *cache, const void *key, size_t key_bytes)
{
	uint64_t hash = hash_key(cache, key, key_bytes);
	struct entry *entry;

	LIST_FOREACH (entry, bucket_of(cache, hash), chain)
		if (entry->hash == hash && entry->key_bytes == key_bytes &&
			!memcmp(entry->bytes, key, key_bytes))
			return entry;
	return NULL;
}

static void drop(struct cache *cache, struct entry *entry)
{
	LIST_REMOVE(entry, chain);
	TAILQ_REMOVE(&cache->used, entry, use);
	cache->stats.entries--;
	cache->stats.bytes -= entry_bytes(entry->key_bytes, entry->wire_bytes, entry->ede_bytes);
	free(entry);
}

static void make_room(struct cache *cache, size_t bytes)
{
	struct entry *oldest;

	while ((oldest = TAILQ_FIRST(&cache->used)) &&
		(cache->stats.entries + 1 > cache->entries_max ||
			cache->stats.bytes + bytes > cache->bytes_max)) {
		drop(cache, oldest);
		cache->stats.evicted++;
	}
}

// A new entry, used last, or NULL when it is too large or memory is out.
static struct entry *add(struct cache *cache, const void *key, size_t key_bytes,
	const uint8_t *wire, size_t wire_bytes, const struct ede *ede)
{
	size_t bytes = entry_bytes(key_bytes, wire_bytes, ede->len_bytes);
	struct entry *entry;

	if (cache->entries_max == 0 || bytes > cache->bytes_max / SHARE)
		return NULL;
	entry = calloc(1, bytes);
	if (!entry)
		return NULL;
	make_room(cache, bytes);
	entry->hash = hash_key(cache, key, key_bytes);
	entry->key_bytes = key_bytes;
	entry->wire_bytes = wire_bytes;
	entry->ede_bytes = ede->len_bytes;
	memcpy(entry->bytes, key, key_bytes);
	if (wire_bytes > 0)
		memcpy(entry->bytes + key_bytes, wire, wire_bytes);
	memcpy(entry->bytes + key_bytes + wire_bytes, ede->bytes, ede->len_bytes);
	LIST_INSERT_HEAD(bucket_of(cache, entry->hash), entry, chain);
	TAILQ_INSERT_TAIL(&cache->used, entry, use);
	cache->stats.entries++;
	cache->stats.bytes += bytes;
	return entry;
}

void cache_put(struct cache *cache, const void *key, size_t key_bytes,
	const struct cache_answer *answer, uint64_t now_us)
{
	struct entry *entry = find(cache, key, key_bytes);

	if (entry)
		drop(cache, entry);
	if (answer->ttl_s == 0 || answer->wire_bytes < HEADER_BYTES ||
		answer->wire_bytes > CACHE_WIRE_BYTES)
		return;
	entry = add(cache, key, key_bytes, answer->wire, answer->wire_bytes, answer->ede);
	if (!entry)
		return;
	entry->born_us = now_us;
	entry->expires_us = now_us + MIN_OF(answer->ttl_s, CACHE_TTL_MAX_S) * SECOND_US;
	entry->server = answer->server;
}

void cache_fail(struct cache *cache, const void *key, size_t key_bytes, const struct ede *ede,
	uint64_t for_us, uint64_t now_us)
{
	struct entry *entry = find(cache, key, key_bytes);

	// The reasons of an earlier failure are not those of this one.
	if (entry && entry->wire_bytes == 0) {
		drop(cache, entry);
		entry = NULL;
	}
	if (!entry)
		entry = add(cache, key, key_bytes, NULL, 0, ede);
	if (entry)
		entry->failed_until_us = now_us + for_us;
}

static enum cache_kind kind_of(
	const struct cache *cache, const struct entry *entry, uint64_t now_us)
{
	if (!entry || entry->wire_bytes == 0)
		return CACHE_NONE;
	if (now_us < entry->expires_us)
		return CACHE_FRESH;
	return now_us < entry->expires_us + cache->stale_us ? CACHE_STALE : CACHE_NONE;
}

enum cache_kind cache_peek(struct cache *cache, const void *key, size_t key_bytes, uint64_t now_us)
{
	return kind_of(cache, find(cache, key, key_bytes), now_us);
}

void cache_get(struct cache *cache, const void *key, size_t key_bytes, uint64_t now_us,
	uint8_t *out, struct cache_hit *ret_hit)
{
	struct entry *entry = find(cache, key, key_bytes);
	struct cache_hit hit;

	hit.kind = kind_of(cache, entry, now_us);
	hit.server = (struct ip_addr){};
	hit.wire_bytes = 0;
	hit.failed = entry && now_us < entry->failed_until_us;
	hit.ede.len_bytes = 0;
	if (entry && (hit.kind != CACHE_NONE || entry->wire_bytes == 0)) {
		hit.ede.len_bytes = entry->ede_bytes;
		memcpy(hit.ede.bytes, entry->bytes + entry->key_bytes + entry->wire_bytes,
			entry->ede_bytes);
	}
	if (entry && hit.kind == CACHE_NONE && !hit.failed) {
		drop(cache, entry);
	} else if (hit.kind != CACHE_NONE) {
		hit.server = entry->server;
		hit.wire_bytes = entry->wire_bytes;
		memcpy(out, entry->bytes + entry->key_bytes, entry->wire_bytes);
		cache_age(out, hit.wire_bytes, (now_us - entry->born_us) / SECOND_US,
			hit.kind == CACHE_STALE ? CACHE_STALE_TTL_S : -1);
		TAILQ_REMOVE(&cache->used, entry, use);
		TAILQ_INSERT_TAIL(&cache->used, entry, use);
	}
	cache->stats.hits += hit.kind == CACHE_FRESH;
	cache->stats.stale += hit.kind == CACHE_STALE;
	cache->stats.misses += hit.kind == CACHE_NONE;
	*ret_hit = hit;
}

unsigned cache_flush(struct cache *cache)
{
	unsigned count = cache->stats.entries;
	struct entry *entry;

	while ((entry = TAILQ_FIRST(&cache->used)))
		drop(cache, entry);
	return count;
}

void cache_stats(const struct cache *cache, struct cache_stats *ret_stats)
{
	*ret_stats = cache->stats;
}

static unsigned get16(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

static void put32(uint8_t *at, uint32_t value)
{
	for (int i = 3; i >= 0; i--, value >>= 8)
		at[i] = value & 0xff;
}

static uint32_t get32(const uint8_t *at)
{
	return (uint32_t)get16(at) << 16 | get16(at + 2);
}

// Where a name ends that begins at `at`, or 0. It is not followed: a pointer ends it.
static size_t skip_name(const uint8_t *wire, size_t wire_bytes, size_t at)
{
	while (at < wire_bytes) {
		unsigned label = wire[at];

		if (label == 0)
			return at + 1;
		if (label >= 0xc0)
			return at + 2;
		if (label > 63)
			return 0;
		at += 1 + label;
	}
	return 0;
}

int cache_age(uint8_t *wire, size_t wire_bytes, uint32_t age_s, int64_t set_s)
{
	unsigned questions, records;
	size_t at = HEADER_BYTES;

	if (wire_bytes < HEADER_BYTES)
		return -EBADMSG;
	questions = get16(wire + 4);
	records = get16(wire + 6) + get16(wire + 8) + get16(wire + 10);
	while (questions-- > 0) {
		at = skip_name(wire, wire_bytes, at);
		if (at == 0 || at + QUESTION_BYTES > wire_bytes)
			return -EBADMSG;
		at += QUESTION_BYTES;
	}
	while (records-- > 0) {
		uint32_t ttl_s;

		at = skip_name(wire, wire_bytes, at);
		if (at == 0 || at + RECORD_BYTES > wire_bytes)
			return -EBADMSG;
		ttl_s = get32(wire + at + TTL_AT);
		put32(wire + at + TTL_AT, set_s >= 0 ? set_s : ttl_s > age_s ? ttl_s - age_s : 0);
		at += RECORD_BYTES + get16(wire + at + LENGTH_AT);
		if (at > wire_bytes)
			return -EBADMSG;
	}
	return 0;
}
