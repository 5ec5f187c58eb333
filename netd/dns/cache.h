// SPDX-License-Identifier: BSD-3-Clause
// Answers of servers above, for as long as their records are good, and a while longer for when
// nobody answers (RFC 8767). Bounded in entries and in bytes; what was not used for longest goes.
// Time is given, any clock that never goes back. One thread at a time.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "netd/dns/ede.h"

#define CACHE_TTL_MAX_S	  86400
#define CACHE_WIRE_BYTES  65535
#define CACHE_STALE_TTL_S 30 // of records that are given out after their time (RFC 8767, 4)

struct cache;

struct cache_stats {
	uint64_t hits, misses, evicted, stale; // `stale`: given out after their time
	unsigned entries;
	size_t bytes;
};

// `stale_s`: how long answers are kept after their time. NULL: out of memory.
struct cache *cache_new(unsigned entries_max, size_t bytes_max, uint32_t stale_s);
void cache_free(struct cache *cache);

struct cache_answer {
	const uint8_t *wire;
	size_t wire_bytes;
	uint32_t ttl_s;
	const struct ede *ede;
	struct ip_addr server; // that gave it
};

// Keeps a message that is good for `ttl_s`, at most CACHE_TTL_MAX_S. One without time (0), or too
// large for its share of the cache, is not kept, and neither is what was there under the key.
void cache_put(struct cache *cache, const void *key, size_t key_bytes,
	const struct cache_answer *answer, uint64_t now_us);
// Remembers for `for_us` that no server could answer, for the reasons in `ede`. An answer that is
// kept stays.
void cache_fail(struct cache *cache, const void *key, size_t key_bytes, const struct ede *ede,
	uint64_t for_us, uint64_t now_us);

enum cache_kind { CACHE_NONE, CACHE_FRESH, CACHE_STALE };

struct cache_hit {
	enum cache_kind kind;
	bool failed; // a moment ago: not worth asking again now
	struct ip_addr server;
	size_t wire_bytes;
	struct ede ede; // of the message, or of the failure when there is none
};

// Copies the message to `out` (CACHE_WIRE_BYTES) with TTLs as of now. `ret_hit` is always written.
void cache_get(struct cache *cache, const void *key, size_t key_bytes, uint64_t now_us,
	uint8_t *out, struct cache_hit *ret_hit);
// As cache_get() would find it, without the message; counts as no use.
enum cache_kind cache_peek(struct cache *cache, const void *key, size_t key_bytes, uint64_t now_us);

unsigned cache_flush(struct cache *cache); // returns how many answers went
void cache_stats(const struct cache *cache, struct cache_stats *ret_stats);

// Changes the TTLs of a message: subtracts `age_s`, down to zero, or sets all to `set_s` if that is
// not negative. Any bytes are fine; -EBADMSG: not a whole message, changed up
// to where it is wrong.
int cache_age(uint8_t *wire, size_t wire_bytes, uint32_t age_s, int64_t set_s);
