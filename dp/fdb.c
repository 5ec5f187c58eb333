// SPDX-License-Identifier: BSD-3-Clause
// The main thread's side of the forwarding table: create, age, flush, grow, list.
#include "dp/fdb.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>

#define BUCKETS_MIN  1024u
#define BUCKETS_MAX  (1u << 21) // 128 MiB
#define FACTOR_TRIES 256
#define SWEEP_MAX_S  30u   // longest time for one sweep of the whole table
#define ROOM_US	     50000 // between two whole sweeps for room, which an attacker can cause

// Counts the addresses of a range that share their bucket with more than one other, in a table with
// one bucket per address. Container engines and hypervisors assign addresses in sequence. Such
// addresses are hashed to buckets at equal distances, which for some factors are only a few.
static unsigned crowd(uint64_t factor, unsigned count)
{
	struct fdb_index index = {
		.hash_factor = factor, .mask_bytes = (count - 1) * sizeof(struct fdb_bucket)};
	uint8_t *taken = calloc(count, 1);
	unsigned crowded = 0;

	for (unsigned i = 0; taken && i < count; i++) {
		uint64_t mac = 0x4202ull | (uint64_t)(i & 0xff) << 40 | (uint64_t)(i >> 8) << 32;
		uintptr_t at = (uintptr_t)fdb_primary(index, fdb_key(1, mac));

		crowded += ++taken[at / sizeof(struct fdb_bucket)] > 2;
	}
	free(taken);
	return crowded;
}

// A secret factor that spreads ranges of addresses well: about one in 30 does.
static uint64_t choose_factor(void)
{
	unsigned best = UINT_MAX;
	uint64_t factor, chosen = 0x9e3779b97f4a7c15ull; // used if there are no random numbers

	for (unsigned i = 0; i < FACTOR_TRIES && best > 0; i++) {
		unsigned crowded;

		if (getrandom(&factor, sizeof(factor), 0) != sizeof(factor))
			break;
		factor |= 1;
		crowded = crowd(factor, 1024);
		if (crowded < best)
			crowded += crowd(factor, 4096);
		if (crowded < best)
			crowded += crowd(factor, 16384);
		if (crowded >= best)
			continue;
		best = crowded;
		chosen = factor;
	}
	return chosen;
}

static struct fdb_table *table_new(uint32_t buckets, uint64_t hash_factor)
{
	struct fdb_table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->index.hash_factor = hash_factor;
	table->mask = buckets - 1;
	table->index.mask_bytes = (uint64_t)table->mask * sizeof(struct fdb_bucket);
	table->map_bytes = (size_t)buckets * sizeof(struct fdb_bucket);
	table->index.bucket = mmap(
		NULL, table->map_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (table->index.bucket == MAP_FAILED) {
		free(table);
		return NULL;
	}
	// Fewer TLB misses; not having huge pages is fine.
	madvise(table->index.bucket, table->map_bytes, MADV_HUGEPAGE);
	return table;
}

static void table_free(struct fdb_table *table)
{
	if (!table)
		return;
	munmap(table->index.bucket, table->map_bytes);
	free(table);
}

struct fdb *fdb_new(void)
{
	struct fdb *fdb = calloc(1, sizeof(*fdb));

	if (!fdb)
		return NULL;
	atomic_store(&fdb->table, table_new(BUCKETS_MIN, choose_factor()));
	if (!atomic_load(&fdb->table)) {
		free(fdb);
		return NULL;
	}
	for (unsigned i = 0; i < FDB_FIDS / 64; i++)
		atomic_store(&fdb->fid_free[i], ~0ull);
	atomic_fetch_and(&fdb->fid_free[0], ~1ull);
	for (unsigned i = 0; i < DP_PORTS_MAX; i++) {
		atomic_store(&fdb->generation[i], FDB_GENERATION);
		atomic_store(&fdb->generation[i | FDB_STATIC], FDB_GENERATION);
		atomic_store(&fdb->port[i].members, (uint64_t)FDB_GENERATION << 32);
	}
	return fdb;
}

void fdb_free(struct fdb *fdb)
{
	if (!fdb)
		return;
	for (unsigned i = 0; i < DP_BRIDGES_MAX; i++)
		free(fdb->bridge[i]);
	table_free(fdb->old);
	table_free(atomic_load(&fdb->table));
	free(fdb);
}

static void lock_always(
	struct fdb_table *table, const struct fdb_bucket *a, const struct fdb_bucket *b)
{
	while (!fdb_lock(table, a, b, 1000))
		sched_yield();
}

typedef bool fdb_keep_fn(struct fdb *fdb, uint64_t key, uint64_t value);

static bool aged_out(const struct fdb *fdb, uint64_t key, uint64_t value)
{
	uint32_t ageing_s = fdb->ageing_s[fdb_fid_owner(fdb, fdb_key_fid(key)) >> 16];
	uint16_t age_s = (uint16_t)fdb->now_s - fdb_value_age(value);

	return ageing_s && age_s >= ageing_s;
}

static void sweep_slot(struct fdb *fdb, struct fdb_table *table, struct fdb_bucket *b,
	unsigned slot, fdb_keep_fn *keep)
{
	uint64_t key, value;

	lock_always(table, b, b);
	// The entry may have changed before the bucket was locked.
	key = atomic_load_explicit(&b->key[slot], memory_order_relaxed);
	value = atomic_load_explicit(&b->value[slot], memory_order_relaxed);
	if (key && !keep(fdb, key, value)) {
		if (fdb_fresh(fdb, value)) {
			if (aged_out(fdb, key, value))
				fdb->aged++;
			else
				fdb->evicted++;
		}
		fdb_slot_clear(fdb, b, slot);
	}
	fdb_unlock(table, b, b);
}

// Calls `keep` for each entry of the buckets [from, to) and removes those for which it is false.
static void sweep(
	struct fdb *fdb, struct fdb_table *table, uint32_t from, uint32_t to, fdb_keep_fn *keep)
{
	for (uint32_t i = from; i < to; i++) {
		struct fdb_bucket *b = &table->index.bucket[i];

		for (unsigned slot = 0; slot < FDB_SLOTS; slot++) {
			uint64_t key = atomic_load_explicit(&b->key[slot], memory_order_acquire);
			uint64_t value =
				atomic_load_explicit(&b->value[slot], memory_order_acquire);

			if (key && !keep(fdb, key, value))
				sweep_slot(fdb, table, b, slot, keep);
		}
	}
}

static bool keep_fresh(struct fdb *fdb, uint64_t key, uint64_t value)
{
	return fdb_fresh(fdb, value);
}

static void sweep_stale(struct fdb *fdb)
{
	struct fdb_table *table = atomic_load(&fdb->table);

	sweep(fdb, table, 0, table->mask + 1, keep_fresh);
	fdb->flushes = 0;
}

static bool over_share(struct fdb *fdb, uint16_t bridge, uint16_t port)
{
	uint32_t limit = fdb->limit[bridge];
	uint32_t on_bridge =
		atomic_load_explicit(&fdb->bridge[bridge]->learned, memory_order_relaxed);
	uint32_t on_port = atomic_load_explicit(&fdb->port[port].members, memory_order_relaxed);

	return limit && on_bridge > limit && (uint64_t)on_port * fdb->nb_ports[bridge] > limit;
}

static bool keep_young(struct fdb *fdb, uint64_t key, uint64_t value)
{
	return (value & FDB_STATIC) || (fdb_fresh(fdb, value) && !aged_out(fdb, key, value));
}

static bool keep_young_and_fair(struct fdb *fdb, uint64_t key, uint64_t value)
{
	uint16_t bridge = fdb_fid_owner(fdb, fdb_key_fid(key)) >> 16;

	return keep_young(fdb, key, value) &&
	       ((value & FDB_STATIC) || !over_share(fdb, bridge, fdb_value_port(value)));
}

// A sweep of the whole table takes a tenth of the shortest ageing time, so that no entry lives much
// too long, but 1 s at least and SWEEP_MAX_S at most.
static uint32_t sweep_period_s(const struct fdb *fdb)
{
	uint32_t period = SWEEP_MAX_S;

	for (unsigned i = 0; i < DP_BRIDGES_MAX; i++) {
		if (fdb->bridge[i] && fdb->ageing_s[i])
			period = RTE_MIN(period, fdb->ageing_s[i] / 10);
	}
	return RTE_MAX(period, 1u);
}

void fdb_service(struct fdb *fdb, uint64_t now_us)
{
	struct fdb_table *table = atomic_load(&fdb->table);
	uint32_t buckets = table->mask + 1;
	uint64_t elapsed_us = now_us - fdb->service_us;
	uint64_t period_us = sweep_period_s(fdb) * 1000000ull;
	uint64_t share = elapsed_us >= period_us ? buckets : buckets * elapsed_us / period_us;

	fdb->now_s = now_us / 1000000;
	if (now_us - fdb->room_us >= ROOM_US && atomic_exchange(&fdb->pressure, false)) {
		fdb->room_us = now_us;
		sweep(fdb, table, 0, buckets, keep_young_and_fair);
		fdb->flushes = 0;
		fdb->service_us = now_us;
		return;
	}
	if (!share)
		return; // not time for a whole bucket yet
	// What is left of the time counts for the next call.
	fdb->service_us = share < buckets ? fdb->service_us + share * period_us / buckets : now_us;
	fdb->sweep_next &= table->mask;
	if (fdb->sweep_next + share > buckets) {
		sweep(fdb, table, 0, fdb->sweep_next + share - buckets, keep_young);
		share = buckets - fdb->sweep_next;
		fdb->flushes = 0;
	}
	sweep(fdb, table, fdb->sweep_next, fdb->sweep_next + share, keep_young);
	fdb->sweep_next += share;
}

void fdb_flush_port(struct fdb *fdb, uint16_t port)
{
	uint16_t generation = atomic_load(&fdb->generation[port]) + 1;
	uint64_t members;
	uint16_t bridge = fdb->port_bridge[port];

	if (++fdb->flushes > 60000)
		sweep_stale(fdb); // before a generation number wraps round
	if (!generation)
		generation = FDB_GENERATION; // a value is never 0
	members = atomic_exchange(&fdb->port[port].members, (uint64_t)generation << 32);
	atomic_store(&fdb->generation[port], generation);
	fdb->flushed += (uint32_t)members;
	// Not yet, or no longer, on a bridge: nothing was learned on it.
	if (bridge < DP_BRIDGES_MAX && fdb->bridge[bridge])
		atomic_fetch_sub(&fdb->bridge[bridge]->learned, (uint32_t)members);
}

void fdb_flush_bridge(struct fdb *fdb, uint16_t bridge)
{
	for (unsigned i = 0; i < DP_PORTS_MAX; i++) {
		if (fdb->port_bridge[i] == bridge &&
			(uint32_t)atomic_load_explicit(&fdb->port[i].members, memory_order_relaxed))
			fdb_flush_port(fdb, i);
	}
}

int fdb_bridge_open(struct fdb *fdb, uint16_t bridge)
{
	fdb->bridge[bridge] = calloc(1, sizeof(struct fdb_bridge));
	return fdb->bridge[bridge] ? 0 : -ENOMEM;
}

static bool keep_owned(struct fdb *fdb, uint64_t key, uint64_t value)
{
	return fdb->bridge[fdb_fid_owner(fdb, fdb_key_fid(key)) >> 16] != NULL;
}

void fdb_bridge_close(struct fdb *fdb, uint16_t bridge)
{
	struct fdb_table *table = atomic_load(&fdb->table);
	struct fdb_bridge *gone = fdb->bridge[bridge];

	// Its entries must leave the table before its FIDs serve another VLAN. No port counts them
	// any more: its ports were flushed.
	sweep_stale(fdb);
	fdb->bridge[bridge] = NULL;
	sweep(fdb, table, 0, table->mask + 1, keep_owned);
	for (unsigned vlan = 0; vlan < FDB_VLANS; vlan++) {
		uint16_t fid = atomic_load(&gone->fid[vlan]);

		if (fid)
			atomic_fetch_or(&fdb->fid_free[fid / 64], 1ull << fid % 64);
	}
	free(gone);
}

// ---- static entries ----

static bool evict_one(struct fdb *fdb, struct fdb_bucket *b)
{
	for (unsigned slot = 0; slot < FDB_SLOTS; slot++) {
		if (!(atomic_load(&b->value[slot]) & FDB_STATIC)) {
			fdb_slot_clear(fdb, b, slot);
			fdb->evicted++;
			return true;
		}
	}
	return false;
}

static void clear_key(struct fdb *fdb, struct fdb_bucket *b, uint64_t key, bool *ret_found)
{
	for (unsigned slot = 0; slot < FDB_SLOTS; slot++) {
		if (atomic_load(&b->key[slot]) != key)
			continue;
		if (atomic_load(&b->value[slot]) & FDB_STATIC)
			fdb->nb_static--;
		fdb_slot_clear(fdb, b, slot);
		*ret_found = true;
	}
}

int fdb_put_static(struct fdb *fdb, uint64_t key, uint64_t value)
{
	struct fdb_table *table = atomic_load(&fdb->table);
	struct fdb_bucket *a = fdb_primary(table->index, key),
			  *b = fdb_alternate(table->index, key);
	bool found = false, stored;

	lock_always(table, a, b);
	clear_key(fdb, a, key, &found);
	clear_key(fdb, b, key, &found);
	stored = fdb_pair_store(table, key, value);
	if (!stored && (evict_one(fdb, a) || evict_one(fdb, b)))
		stored = fdb_pair_store(table, key, value);
	fdb_unlock(table, a, b);
	fdb->nb_static += stored;
	if (!stored)
		atomic_store(&fdb->crowded, true);
	return stored ? 0 : -ENOSPC;
}

int fdb_remove(struct fdb *fdb, uint64_t key)
{
	struct fdb_table *table = atomic_load(&fdb->table);
	struct fdb_bucket *a = fdb_primary(table->index, key),
			  *b = fdb_alternate(table->index, key);
	bool found = false;

	lock_always(table, a, b);
	clear_key(fdb, a, key, &found);
	clear_key(fdb, b, key, &found);
	fdb_unlock(table, a, b);
	return found ? 0 : -ENOENT;
}

// ---- growth ----

static uint64_t entries(struct fdb *fdb)
{
	uint64_t total = fdb->nb_static;

	for (unsigned i = 0; i < DP_BRIDGES_MAX; i++) {
		if (fdb->bridge[i])
			total += atomic_load_explicit(
				&fdb->bridge[i]->learned, memory_order_relaxed);
	}
	return total;
}

static void copy_fresh(struct fdb *fdb, struct fdb_table *from, struct fdb_table *to)
{
	for (uint32_t i = 0; i <= from->mask; i++) {
		struct fdb_bucket *b = &from->index.bucket[i];

		for (unsigned slot = 0; slot < FDB_SLOTS; slot++) {
			uint64_t key = atomic_load(&b->key[slot]);
			uint64_t value = atomic_load(&b->value[slot]);

			if (!key || !fdb_fresh(fdb, value))
				continue;
			if (!fdb_pair_store(to, key, value))
				fdb_uncount(fdb, fdb_fid_owner(fdb, fdb_key_fid(key)) >> 16, value);
		}
	}
}

bool fdb_grow_begin(struct fdb *fdb)
{
	struct fdb_table *table = atomic_load(&fdb->table);
	uint64_t slots = (uint64_t)(table->mask + 1) * FDB_SLOTS, used = entries(fdb);
	bool crowded = atomic_exchange(&fdb->crowded, false) && used * 8 > slots;

	if (atomic_load(&table->frozen) || fdb->old || table->mask + 1 >= BUCKETS_MAX ||
		(used * 2 < slots && !crowded))
		return false;
	atomic_store(&table->frozen, true);
	return true;
}

bool fdb_grow_copy(struct fdb *fdb)
{
	struct fdb_table *table = atomic_load(&fdb->table), *larger;
	uint32_t buckets = table->mask + 1;
	uint64_t used = entries(fdb);
	// It filled up before this call: more addresses are coming.
	unsigned room = used * 4 > (uint64_t)buckets * FDB_SLOTS * 3 ? 6 : 3;

	do {
		buckets *= 2;
	} while (buckets < BUCKETS_MAX && used * room > (uint64_t)buckets * FDB_SLOTS);
	larger = table_new(buckets, table->index.hash_factor);
	if (!larger) {
		// The old table stays: more frames are flooded, none are lost.
		atomic_store(&table->frozen, false);
		return false;
	}
	copy_fresh(fdb, table, larger);
	fdb->old = table;
	atomic_store_explicit(&fdb->table, larger, memory_order_release);
	return true;
}

void fdb_grow_finish(struct fdb *fdb)
{
	table_free(fdb->old);
	fdb->old = NULL;
}
