// SPDX-License-Identifier: BSD-3-Clause
// The forwarding table through the pipeline's own stages, in batches whose buckets are prefetched
// as stage parse does it. Addresses come in an order that has nothing to do with where they are.
#include <stdlib.h>

#include "benchmarks/micro/micro.h"
#include "dp/pipeline.h"

#define RUN_BATCHES 64
#define RUN_KEYS    (RUN_BATCHES * DP_BURST)
#define GROW_EVERY  256 // addresses between two looks at whether the table is half full
// The unknown addresses: what one repetition has brought into the cache is out of it again when
// its turn comes back.
#define OTHER_KEYS  (16 * RUN_KEYS)

enum { PORT_OF_ENTRIES = 1, PORT_ELSEWHERE = 2 };

static struct {
	struct fdb *fdb;
	struct dp_context ctx;
	struct dp_batch batch;
	struct dp_snap_port port;
	struct dp_snap_bridge bridge;
	struct dp_site at;
	struct fdb_source source;
	uint64_t *known, *other;
	uint64_t nb_known, next, next_other;
	uint64_t asked, flooded; // addresses
} s;

static void grow(void)
{
	if (!fdb_grow_begin(s.fdb))
		return;
	micro_check(fdb_grow_copy(s.fdb), "the table grows");
	fdb_grow_finish(s.fdb);
}

static uint64_t *make_keys(uint64_t count, uint16_t fid, uint64_t *state)
{
	uint64_t *key = malloc(count * sizeof(*key));

	micro_check(key, "there is memory for the addresses");
	for (uint64_t i = 0; i < count; i++)
		key[i] = fdb_key(fid, micro_mac(state));
	return key;
}

static void setup(uint64_t entries)
{
	uint64_t state = 1;
	uint16_t fid;

	s = (typeof(s)){.nb_known = entries};
	s.fdb = fdb_new();
	micro_check(s.fdb && fdb_bridge_open(s.fdb, 0) == 0, "there is memory for a table");
	micro_fix_hash(s.fdb);
	fid = fdb_fid(s.fdb, 0, 0);
	s.known = make_keys(entries, fid, &state);
	s.other = make_keys(OTHER_KEYS, fid, &state);
	s.source = (struct fdb_source){
		.port = PORT_OF_ENTRIES,
		.value = fdb_value(PORT_OF_ENTRIES, 0, FDB_GENERATION, 0),
	};
	for (uint64_t i = 0; i < entries; i++) {
		if (i % GROW_EVERY == 0)
			grow();
		fdb_learn(s.fdb, atomic_load(&s.fdb->table), s.known[i], &s.source, &s.ctx.fdb_cnt);
	}
	micro_check(s.ctx.fdb_cnt.learned == entries, "all addresses are learned");
	s.ctx.fdb_cnt = (struct fdb_counters){0};
	s.ctx.fdb = s.fdb;
	s.ctx.table = atomic_load(&s.fdb->table);
	s.port.bridge = &s.bridge;
	s.batch.in = &s.port;
	s.batch.in_at = &s.at;
}

static void teardown(void)
{
	micro_check(s.batch.n == DP_BURST && s.ctx.fdb_cnt.refused == 0, "no address is refused");
	free(s.known);
	free(s.other);
	fdb_free(s.fdb);
}

// ---- lookup ----

static inline void look_up(const uint64_t *key)
{
	struct dp_batch *b = &s.batch;

	for (unsigned i = 0; i < DP_BURST; i++) {
		b->dst[i] = key[i];
		b->dst_bucket[i] = fdb_primary(s.ctx.table->index, key[i]);
		rte_prefetch0(b->dst_bucket[i]);
	}
	b->n = DP_BURST;
	b->in_id = PORT_ELSEWHERE;
	dp_stage_lookup(&s.ctx, b);
	s.flooded += (unsigned)__builtin_popcountll(b->flood);
	s.asked += DP_BURST;
}

// The next batch of the table's own addresses.
static inline const uint64_t *next_known(void)
{
	const uint64_t *key = s.known + s.next;

	s.next += DP_BURST;
	if (s.next + DP_BURST > s.nb_known)
		s.next = 0;
	return key;
}

static uint64_t hit_run(void)
{
	for (unsigned i = 0; i < RUN_BATCHES; i++)
		look_up(next_known());
	return RUN_KEYS;
}

static void hit_teardown(void)
{
	micro_check(s.flooded == 0, "known addresses are found");
	teardown();
}

const struct micro_ops micro_fdb_hit = {setup, NULL, hit_run, hit_teardown};

static void next_others(void)
{
	s.next_other = (s.next_other + RUN_KEYS) % OTHER_KEYS;
}

static uint64_t miss_run(void)
{
	for (unsigned i = 0; i < RUN_BATCHES; i++)
		look_up(s.other + s.next_other + i * DP_BURST);
	return RUN_KEYS;
}

static void miss_teardown(void)
{
	micro_check(s.flooded == s.asked, "unknown addresses are not found");
	teardown();
}

const struct micro_ops micro_fdb_miss = {setup, next_others, miss_run, miss_teardown};

// ---- learning ----

static inline void learn(const uint64_t *key)
{
	struct dp_batch *b = &s.batch;

	for (unsigned i = 0; i < DP_BURST; i++) {
		b->src[i] = key[i];
		b->src_bucket[i] = fdb_primary(s.ctx.table->index, key[i]);
		rte_prefetch0(b->src_bucket[i]);
	}
	b->n = DP_BURST;
	b->in_id = PORT_OF_ENTRIES;
	dp_stage_learn(&s.ctx, b);
	s.asked += DP_BURST;
}

static uint64_t learn_hit_run(void)
{
	for (unsigned i = 0; i < RUN_BATCHES; i++)
		learn(next_known());
	return RUN_KEYS;
}

static void learn_hit_teardown(void)
{
	micro_check(s.ctx.fdb_cnt.learned == 0, "known addresses are not learned again");
	teardown();
}

const struct micro_ops micro_fdb_learn_hit = {setup, NULL, learn_hit_run, learn_hit_teardown};

// As in the first packets of a second: each entry's age is an older one.
static void second_passes(void)
{
	s.ctx.now_s++;
}

const struct micro_ops micro_fdb_age = {setup, second_passes, learn_hit_run, learn_hit_teardown};

// Takes the addresses of the repetition before out again.
static void forget_others(void)
{
	for (unsigned i = 0; s.asked && i < RUN_KEYS; i++)
		micro_check(fdb_remove(s.fdb, s.other[s.next_other + i]) == 0,
			"new addresses are learned");
	next_others();
}

static uint64_t learn_new_run(void)
{
	for (unsigned i = 0; i < RUN_BATCHES; i++)
		learn(s.other + s.next_other + i * DP_BURST);
	return RUN_KEYS;
}

static void learn_new_teardown(void)
{
	micro_check(s.ctx.fdb_cnt.learned == s.asked, "each new address is learned");
	teardown();
}

const struct micro_ops micro_fdb_learn_new = {
	setup, forget_others, learn_new_run, learn_new_teardown};
