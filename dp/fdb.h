// SPDX-License-Identifier: BSD-3-Clause
// The forwarding table: which port a MAC address is behind, per bridge and VLAN.
//
// Layout. A (bridge, VLAN) pair that is in use has a filtering identifier (FID, IEEE 802.1Q 8.9.3);
// FID and MAC make a 64-bit key, port, age, generation and kind a 64-bit value. A bucket is one
// cache line of four pairs. A key lives in its primary bucket or, when that is full, in its
// alternate one. The hash multiplies by a secret factor, so that a container cannot choose its
// bucket.
//
// Concurrency. Any number of workers look up and learn; the main thread adds, ages, flushes and
// grows. Readers take no lock: they read the key, the value and the key again, and a writer removes
// the key before it stores a value for another key. (A slot that changes to another key and back
// between the two reads deceives a reader. The frame then leaves by a wrong port of its own bridge
// and VLAN, as a flooded frame may; egress checks both.) Writers hold the locks of both buckets of
// a key for a few stores. A worker that does not get the locks after some tries gives up: it will
// see the address again. Only a newer age over an unchanged value is stored without a lock, by
// compare-and-swap.
//
// A hit that changes nothing stores nothing: the value that learning would write (port,
// generation, coarse age) is compared as a whole. A flush of a port increments its generation.
//
// Fairness. A port over its own limit, or over its share of a full bridge, learns nothing new. A
// port below its share may always learn, and the main thread removes entries of ports above their
// share (fdb_service()).
//
// Growth. The main thread stops learning in the table. When the last worker has noticed, it copies
// the table into a larger one and publishes that.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>
#include <rte_pause.h>
#ifdef __SSE4_1__
#include <smmintrin.h>
#endif

#include "dp/dp.h"

#if defined(__SANITIZE_THREAD__)
#define FDB_NO_VECTORS
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define FDB_NO_VECTORS
#endif
#endif

#define FDB_SLOTS     4 // pairs per bucket
#define FDB_SPINS     64
#define FDB_LOCKS     1024 // shared by all buckets
#define FDB_FIDS      65536
#define FDB_VLANS     4096
#define FDB_MOVES_MAX 256 // per second and port

struct fdb_bucket {
	atomic_ullong key[FDB_SLOTS];
	atomic_ullong value[FDB_SLOTS];
} __rte_cache_aligned;

_Static_assert(sizeof(struct fdb_bucket) == 64, "a bucket is one cache line");

// Where a key's buckets are. Passed by value, so that loops keep it in registers.
struct fdb_index {
	uint64_t hash_factor;
	uint64_t mask_bytes; // (buckets - 1) * size of a bucket
	struct fdb_bucket *bucket;
};

struct fdb_table {
	struct fdb_index index;
	uint32_t mask;	    // buckets - 1
	atomic_bool frozen; // about to be replaced: learns nothing more
	size_t map_bytes;
	atomic_bool lock[FDB_LOCKS]; // for writers
};

// ---- keys and values ----

// Value: port (12 bits), FDB_STATIC, age (16 bits from 16 on), generation (16 bits from 32 on),
// remote (16 bits from 48 on; for a tunnel's port, see dp_remote(); otherwise 0).
#define FDB_MAC_MASK   0xffffffffffffull
#define FDB_STATIC     4096ull
#define FDB_ORIGIN     8191ull // port and FDB_STATIC: index of the entry's generation
#define FDB_GENERATION 1u      // the first one; static entries keep it

_Static_assert(DP_PORTS_MAX <= FDB_STATIC, "a port fits its bits of a value");

static inline uint64_t fdb_key(uint16_t fid, uint64_t mac48)
{
	return (uint64_t)fid << 48 | mac48;
}

static inline uint16_t fdb_key_fid(uint64_t key)
{
	return key >> 48;
}

static inline uint64_t fdb_value(uint16_t port, uint16_t age_s, uint16_t generation, uint64_t flags)
{
	return port | (uint64_t)age_s << 16 | (uint64_t)generation << 32 | flags;
}

static inline uint16_t fdb_value_port(uint64_t value)
{
	return value & (FDB_STATIC - 1);
}

static inline uint16_t fdb_value_age(uint64_t value)
{
	return value >> 16;
}

static inline uint16_t fdb_value_generation(uint64_t value)
{
	return value >> 32;
}

static inline uint64_t fdb_remote(uint16_t remote)
{
	return (uint64_t)remote << 48;
}

static inline uint16_t fdb_value_remote(uint64_t value)
{
	return value >> 48;
}

#define FDB_AGE_MASK (0xffffull << 16)

// ---- the table as workers use it ----

struct fdb_port {
	atomic_ullong members; // generation << 32 | learned entries of that generation
	atomic_ullong moves;   // second << 32 | moves to this port in it
};

struct fdb_bridge {
	atomic_uint learned;
	_Atomic uint16_t fid[FDB_VLANS]; // 0: VLAN not in use yet
};

// Statistics of one worker or of the main thread; single writer.
struct fdb_counters {
	uint64_t learned, moves, moves_limited, refused, static_hits;
};

struct fdb {
	_Atomic(struct fdb_table *) table;
	atomic_bool pressure; // a worker met a full bridge: make room
	atomic_bool crowded;  // a worker found no slot for a key: grow
	_Atomic uint16_t
		generation[FDB_ORIGIN + 1]; // by port, for learned entries; then for static ones
	struct fdb_port port[DP_PORTS_MAX];
	struct fdb_bridge *bridge[DP_BRIDGES_MAX];
	atomic_ullong fid_free[FDB_FIDS / 64]; // bitmap; FID 0 is never given out
	_Atomic uint32_t fid_owner[FDB_FIDS];  // bridge << 16 | VLAN

	// Main thread only.
	struct fdb_table *old; // during growth: workers are leaving it
	uint32_t now_s;
	uint32_t sweep_next;	      // bucket
	uint64_t service_us, room_us; // last sweep for age, and for room, by fdb_service()
	uint32_t ageing_s[DP_BRIDGES_MAX], limit[DP_BRIDGES_MAX];
	uint16_t nb_ports[DP_BRIDGES_MAX];
	uint16_t port_bridge[DP_PORTS_MAX];
	uint64_t evicted, aged, flushed;
	struct fdb_counters main_counters;
	uint32_t nb_static;
	uint32_t flushes; // since the last whole sweep
};

static inline struct fdb_bucket *fdb_bucket_at(struct fdb_index index, uint64_t hash)
{
	return (struct fdb_bucket *)((uintptr_t)index.bucket + (hash & index.mask_bytes));
}

// Multiplicative hashing: the middle bits of the product choose the primary bucket.
static inline struct fdb_bucket *fdb_primary(struct fdb_index index, uint64_t key)
{
	return fdb_bucket_at(index, (uint64_t)((__uint128_t)key * index.hash_factor >> 64));
}

// Never the primary bucket: the distance is odd.
static inline struct fdb_bucket *fdb_alternate(struct fdb_index index, uint64_t key)
{
	__uint128_t product = (__uint128_t)key * index.hash_factor;
	uint64_t distance = (uint64_t)(product >> 32) ^ (uint64_t)(product >> 96);

	distance |= sizeof(struct fdb_bucket);
	return fdb_bucket_at(index, (uint64_t)(product >> 64) ^ distance);
}

// Which slots hold `key`, one bit per slot (at most one is set). There is no branch, because the
// slot cannot be predicted. x86 guarantees that each aligned element of a vector is read
// atomically; ThreadSanitizer needs explicit atomics.
static inline unsigned fdb_bucket_match(const struct fdb_bucket *b, uint64_t key)
{
#if defined(__SSE4_1__) && !defined(FDB_NO_VECTORS)
	const __m128i *keys = (const __m128i *)b->key;
	__m128i want = _mm_set1_epi64x((long long)key);
	__m128i low = _mm_cmpeq_epi64(_mm_load_si128(keys), want);
	__m128i high = _mm_cmpeq_epi64(_mm_load_si128(keys + 1), want);

	return (unsigned)_mm_movemask_ps(_mm_castsi128_ps(_mm_packs_epi32(low, high)));
#else
	unsigned match = 0;

	for (unsigned i = 0; i < FDB_SLOTS; i++)
		match |= (unsigned)(atomic_load_explicit(&b->key[i], memory_order_acquire) == key)
			 << i;
	return match;
#endif
}

// The value of `key` in one bucket; 0 when it is not there. (No valid value is 0: generations start
// at 1.)
static inline uint64_t fdb_bucket_get(const struct fdb_bucket *b, uint64_t key)
{
	unsigned slot = (unsigned)__builtin_ctz(fdb_bucket_match(b, key) | 1 << (FDB_SLOTS - 1));
	uint64_t value = atomic_load_explicit(&b->value[slot], memory_order_acquire);

	return atomic_load_explicit(&b->key[slot], memory_order_relaxed) == key ? value : 0;
}

// How many of the pairs are in the table unchanged. It counts without a branch and does not tell
// which pairs differ. A pair that changes meanwhile may or may not be counted.
#if defined(__SSE4_1__) && !defined(FDB_NO_VECTORS)
typedef __m128i fdb_tally;

static inline fdb_tally fdb_tally_none(void)
{
	return _mm_setzero_si128();
}

static inline fdb_tally fdb_tally_add(
	fdb_tally tally, const struct fdb_bucket *b, uint64_t key, uint64_t value)
{
	const __m128i *keys = (const __m128i *)b->key, *values = (const __m128i *)b->value;
	__m128i want_key = _mm_set1_epi64x((long long)key);
	__m128i want_value = _mm_set1_epi64x((long long)value);
	__m128i low = _mm_and_si128(_mm_cmpeq_epi64(_mm_load_si128(keys), want_key),
		_mm_cmpeq_epi64(_mm_load_si128(values), want_value));
	__m128i high = _mm_and_si128(_mm_cmpeq_epi64(_mm_load_si128(keys + 1), want_key),
		_mm_cmpeq_epi64(_mm_load_si128(values + 1), want_value));

	return _mm_sub_epi64(_mm_sub_epi64(tally, low), high); // true is -1
}

static inline uint64_t fdb_tally_sum(fdb_tally tally)
{
	return (uint64_t)(_mm_extract_epi64(tally, 0) + _mm_extract_epi64(tally, 1));
}
#else
typedef uint64_t fdb_tally;

static inline fdb_tally fdb_tally_none(void)
{
	return 0;
}

static inline fdb_tally fdb_tally_add(
	fdb_tally tally, const struct fdb_bucket *b, uint64_t key, uint64_t value)
{
	return tally + (fdb_bucket_get(b, key) == value);
}

static inline uint64_t fdb_tally_sum(fdb_tally tally)
{
	return tally;
}
#endif

// The value of `key`, or 0.
static inline uint64_t fdb_get(const struct fdb_table *table, uint64_t key)
{
	uint64_t value = fdb_bucket_get(fdb_primary(table->index, key), key);

	return likely(value) ? value : fdb_bucket_get(fdb_alternate(table->index, key), key);
}

// Whether `value` is an entry (0 is none) that has not been flushed.
static inline bool fdb_fresh(const struct fdb *fdb, uint64_t value)
{
	return fdb_value_generation(value) ==
	       atomic_load_explicit(&fdb->generation[value & FDB_ORIGIN], memory_order_relaxed);
}

// What learning needs to know about the port that a frame came from.
struct fdb_source {
	uint16_t port, bridge;
	uint32_t port_limit;   // 0: none
	uint32_t bridge_limit; // 0: none
	uint16_t bridge_ports; // ports of the bridge, for its fair share
	uint32_t now_s;
	uint64_t value; // fdb_value() of this port, now
};

// Learns `key` when its primary bucket does not have source->value for it: a new address, a newer
// age, a move, or an entry in the alternate bucket. Any worker.
void fdb_learn(struct fdb *fdb, struct fdb_table *table, uint64_t key,
	const struct fdb_source *source, struct fdb_counters *cnt);

// The FID of a VLAN of a bridge, assigned at first use. 0: all FIDs are in use, so nothing is
// learned and everything is flooded. Any worker.
uint16_t fdb_fid_make(struct fdb *fdb, uint16_t bridge, uint16_t vlan);

static inline uint16_t fdb_fid(struct fdb *fdb, uint16_t bridge, uint16_t vlan)
{
	uint16_t fid = atomic_load_explicit(&fdb->bridge[bridge]->fid[vlan], memory_order_relaxed);

	return likely(fid) ? fid : fdb_fid_make(fdb, bridge, vlan);
}

// Bridge << 16 | VLAN of a FID in use.
static inline uint32_t fdb_fid_owner(const struct fdb *fdb, uint16_t fid)
{
	return atomic_load_explicit(&fdb->fid_owner[fid], memory_order_relaxed);
}

// ---- writers; used by fdb_learn.c and fdb.c ----

// Locks the two buckets (they may share a lock), in the order that all writers use. False: another
// writer held one of them for `spins` tries.
bool fdb_lock(struct fdb_table *table, const struct fdb_bucket *a, const struct fdb_bucket *b,
	unsigned spins);
void fdb_unlock(struct fdb_table *table, const struct fdb_bucket *a, const struct fdb_bucket *b);
// Removes an entry from a locked bucket and from its port's count.
void fdb_slot_clear(struct fdb *fdb, struct fdb_bucket *b, unsigned slot);
// Subtracts a learned entry from the counts of its port and bridge, unless it was flushed.
void fdb_uncount(struct fdb *fdb, uint16_t bridge, uint64_t value);
// Stores a pair that is in neither of its two buckets, which are locked. It goes into the primary
// bucket or, if that is full, into the alternate one. If both are full, one of their pairs moves to
// its own other bucket. False: none can move.
bool fdb_pair_store(struct fdb_table *table, uint64_t key, uint64_t value);

// ---- main thread ----

struct fdb *fdb_new(void);
void fdb_free(struct fdb *fdb);
int fdb_bridge_open(struct fdb *fdb, uint16_t bridge);
void fdb_bridge_close(struct fdb *fdb, uint16_t bridge); // after its ports were flushed and closed
void fdb_flush_port(struct fdb *fdb, uint16_t port);
void fdb_flush_bridge(struct fdb *fdb, uint16_t bridge);

// Ageing, eviction. `now_us` is monotonic.
void fdb_service(struct fdb *fdb, uint64_t now_us);

// Growth has three steps, with a grace period between them: fdb_grow_begin() returns whether the
// table is half full, and if so stops learning in it; fdb_grow_copy() creates, fills and publishes
// a larger table (false: out of memory); fdb_grow_finish() frees the old one.
bool fdb_grow_begin(struct fdb *fdb);
bool fdb_grow_copy(struct fdb *fdb);
void fdb_grow_finish(struct fdb *fdb);

// Sets or replaces a static entry (fdb_key(), fdb_value() with FDB_STATIC). -ENOSPC when both its
// buckets are full of static entries.
int fdb_put_static(struct fdb *fdb, uint64_t key, uint64_t value);
int fdb_remove(struct fdb *fdb, uint64_t key); // -ENOENT
