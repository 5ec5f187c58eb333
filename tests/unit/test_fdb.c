// SPDX-License-Identifier: BSD-3-Clause
// The forwarding table by itself: learning, moves, limits, ageing, growth, and all of it at once
// from several threads (this program is also built with ThreadSanitizer).
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dp/fdb.h"

#define BRIDGE	 3
#define PORT_A	 10
#define PORT_B	 11
#define NB_PORTS 8

static struct fdb_counters cnt;

static struct fdb *fresh(void)
{
	struct fdb *fdb = fdb_new();

	assert_non_null(fdb);
	// The same hash in every run: with a random one, rarely an address finds no slot at first.
	atomic_load(&fdb->table)->index.hash_factor = 0x9e3779b97f4a7c15ull;
	assert_int_equal(fdb_bridge_open(fdb, BRIDGE), 0);
	for (unsigned i = 0; i < DP_PORTS_MAX; i++)
		fdb->port_bridge[i] = UINT16_MAX;
	for (unsigned i = 0; i < NB_PORTS; i++)
		fdb->port_bridge[PORT_A + i] = BRIDGE;
	fdb->nb_ports[BRIDGE] = NB_PORTS;
	fdb->ageing_s[BRIDGE] = 300;
	fdb_service(fdb, 0);
	cnt = (struct fdb_counters){0};
	return fdb;
}

static struct fdb_source source_of(struct fdb *fdb, uint16_t port, uint32_t now_s)
{
	return (struct fdb_source){
		.port = port,
		.bridge = BRIDGE,
		.bridge_limit = fdb->limit[BRIDGE],
		.bridge_ports = NB_PORTS,
		.now_s = now_s,
		.value = fdb_value(port, now_s, atomic_load(&fdb->generation[port]), 0),
	};
}

static void learn(struct fdb *fdb, uint16_t port, uint64_t key, uint32_t now_s)
{
	struct fdb_table *table = atomic_load(&fdb->table);
	struct fdb_source source = source_of(fdb, port, now_s);

	fdb_learn(fdb, table, key, &source, &cnt);
}

// The port that `key` is behind, or -1.
static int where(struct fdb *fdb, uint64_t key)
{
	struct fdb_table *table = atomic_load(&fdb->table);
	uint64_t value = fdb_get(table, key);

	return value && fdb_fresh(fdb, value) ? fdb_value_port(value) : -1;
}

static uint32_t on_port(struct fdb *fdb, uint16_t port)
{
	return (uint32_t)atomic_load(&fdb->port[port].members);
}

static uint32_t on_bridge(struct fdb *fdb)
{
	return atomic_load(&fdb->bridge[BRIDGE]->learned);
}

// A unicast address that is different for each `i`.
static uint64_t key_of(struct fdb *fdb, uint16_t vlan, uint64_t i)
{
	return fdb_key(fdb_fid(fdb, BRIDGE, vlan), i << 8 | 0x02);
}

static void test_learn_and_move(void **state)
{
	struct fdb *fdb = fresh();
	uint64_t key = key_of(fdb, 0, 1);

	assert_int_equal(where(fdb, key), -1);
	learn(fdb, PORT_A, key, 1);
	assert_int_equal(where(fdb, key), PORT_A);
	learn(fdb, PORT_B, key, 1);
	assert_int_equal(where(fdb, key), PORT_B);
	assert_int_equal(on_port(fdb, PORT_A), 0);
	assert_int_equal(on_port(fdb, PORT_B), 1);
	assert_int_equal(on_bridge(fdb), 1);
	assert_int_equal(cnt.learned, 1);
	assert_int_equal(cnt.moves, 1);
	fdb_free(fdb);
}

static void test_vlans_are_apart(void **state)
{
	struct fdb *fdb = fresh();

	learn(fdb, PORT_A, key_of(fdb, 10, 1), 1);
	learn(fdb, PORT_B, key_of(fdb, 20, 1), 1);
	assert_int_equal(where(fdb, key_of(fdb, 10, 1)), PORT_A);
	assert_int_equal(where(fdb, key_of(fdb, 20, 1)), PORT_B);
	assert_int_equal(where(fdb, key_of(fdb, 30, 1)), -1);
	fdb_free(fdb);
}

static void test_ageing(void **state)
{
	struct fdb *fdb = fresh();

	learn(fdb, PORT_A, key_of(fdb, 0, 1), 0);
	learn(fdb, PORT_A, key_of(fdb, 0, 2), 0);
	fdb_service(fdb, 299000000);
	assert_int_equal(where(fdb, key_of(fdb, 0, 1)), PORT_A);
	learn(fdb, PORT_A, key_of(fdb, 0, 2), 299);
	fdb_service(fdb, 340000000);
	assert_int_equal(where(fdb, key_of(fdb, 0, 1)), -1);
	assert_int_equal(where(fdb, key_of(fdb, 0, 2)), PORT_A);
	assert_int_equal(on_bridge(fdb), 1);
	assert_int_equal(fdb->aged, 1);
	fdb->ageing_s[BRIDGE] = 0;
	fdb_service(fdb, 40000000000);
	assert_int_equal(where(fdb, key_of(fdb, 0, 2)), PORT_A);
	fdb_free(fdb);
}

static void test_flush_is_complete_and_cheap(void **state)
{
	struct fdb *fdb = fresh();

	for (uint64_t i = 0; i < 1000; i++)
		learn(fdb, PORT_A + i % 2, key_of(fdb, 0, i), 1);
	fdb_flush_port(fdb, PORT_A);
	for (uint64_t i = 0; i < 1000; i++)
		assert_int_equal(where(fdb, key_of(fdb, 0, i)), i % 2 ? PORT_B : -1);
	assert_int_equal(on_port(fdb, PORT_A), 0);
	assert_int_equal(on_bridge(fdb), 500);
	// A flushed address is learned again as new, wherever it shows up.
	learn(fdb, PORT_B, key_of(fdb, 0, 0), 1);
	assert_int_equal(where(fdb, key_of(fdb, 0, 0)), PORT_B);
	assert_int_equal(on_bridge(fdb), 501);
	fdb_flush_bridge(fdb, BRIDGE);
	assert_int_equal(on_bridge(fdb), 0);
	assert_int_equal(where(fdb, key_of(fdb, 0, 1)), -1);
	fdb_free(fdb);
}

static void test_generation_comes_round(void **state)
{
	struct fdb *fdb = fresh();

	learn(fdb, PORT_A, key_of(fdb, 0, 7), 1);
	for (unsigned i = 0; i < 65535 * 2; i++)
		fdb_flush_port(fdb, PORT_A);
	assert_int_equal(where(fdb, key_of(fdb, 0, 7)), -1);
	fdb_free(fdb);
}

static void test_one_port_cannot_fill_the_bridge(void **state)
{
	struct fdb *fdb = fresh();

	fdb->limit[BRIDGE] = 800;
	for (uint64_t i = 0; i < 10; i++)
		learn(fdb, PORT_B, key_of(fdb, 0, 100000 + i), 1);
	for (uint64_t i = 0; i < 5000; i++)
		learn(fdb, PORT_A, key_of(fdb, 0, i), 1);
	assert_int_equal(on_bridge(fdb), 800);
	for (uint64_t i = 0; i < 10; i++)
		assert_int_equal(where(fdb, key_of(fdb, 0, 100000 + i)), PORT_B);
	// Another port still gets its share, and the bridge comes back to its limit.
	for (uint64_t i = 0; i < 50; i++)
		learn(fdb, PORT_A + 2, key_of(fdb, 0, 200000 + i), 1);
	for (uint64_t i = 0; i < 50; i++)
		assert_int_equal(where(fdb, key_of(fdb, 0, 200000 + i)), PORT_A + 2);
	fdb_service(fdb, 2000000);
	assert_true(on_bridge(fdb) <= 800);
	for (uint64_t i = 0; i < 50; i++)
		assert_int_equal(where(fdb, key_of(fdb, 0, 200000 + i)), PORT_A + 2);
	fdb_free(fdb);
}

static void test_moves_are_limited(void **state)
{
	struct fdb *fdb = fresh();
	uint64_t key = key_of(fdb, 0, 1);

	for (unsigned i = 0; i < 4 * FDB_MOVES_MAX; i++)
		learn(fdb, i % 2 ? PORT_A : PORT_B, key, 1);
	assert_true(cnt.moves <= 2 * FDB_MOVES_MAX);
	assert_true(cnt.moves_limited > 0);
	// To another port, and in the next second, it may move.
	learn(fdb, PORT_A + 5, key, 1);
	assert_int_equal(where(fdb, key), PORT_A + 5);
	learn(fdb, PORT_A, key, 2);
	assert_int_equal(where(fdb, key), PORT_A);
	fdb_free(fdb);
}

static void test_static_entries_stay(void **state)
{
	struct fdb *fdb = fresh();
	uint64_t key = key_of(fdb, 0, 1);

	learn(fdb, PORT_B, key, 1);
	assert_int_equal(fdb_put_static(fdb, key, fdb_value(PORT_A, 0, 1, FDB_STATIC)), 0);
	assert_int_equal(on_bridge(fdb), 0);
	learn(fdb, PORT_B, key, 2);
	fdb_flush_port(fdb, PORT_A);
	fdb_service(fdb, 10000000000);
	assert_int_equal(where(fdb, key), PORT_A);
	assert_int_equal(cnt.static_hits, 1);
	assert_int_equal(fdb_remove(fdb, key), 0);
	assert_int_equal(fdb_remove(fdb, key), -ENOENT);
	assert_int_equal(where(fdb, key), -1);
	fdb_free(fdb);
}

static void grow(struct fdb *fdb)
{
	if (!fdb_grow_begin(fdb))
		return;
	assert_true(fdb_grow_copy(fdb));
	fdb_grow_finish(fdb);
}

static void test_growth_keeps_everything(void **state)
{
	struct fdb *fdb = fresh();

	for (uint64_t i = 0; i < 300000; i++) {
		learn(fdb, PORT_A + i % NB_PORTS, key_of(fdb, i % 7, i), 1);
		if (i % 500 == 0)
			grow(fdb);
	}
	// A handful found no slot; there is one since the table grew.
	assert_true(cnt.refused < 300);
	assert_int_equal(on_bridge(fdb) + cnt.refused, 300000);
	for (uint64_t i = 0; i < 300000; i++) {
		learn(fdb, PORT_A + i % NB_PORTS, key_of(fdb, i % 7, i), 1);
		grow(fdb);
	}
	assert_int_equal(on_bridge(fdb), 300000);
	for (uint64_t i = 0; i < 300000; i++)
		assert_int_equal(where(fdb, key_of(fdb, i % 7, i)), PORT_A + i % NB_PORTS);
	fdb_free(fdb);
}

static void test_fids_come_back(void **state)
{
	struct fdb *fdb = fresh();

	for (unsigned round = 0; round < 40; round++) {
		assert_int_equal(fdb_bridge_open(fdb, 5), 0);
		for (unsigned vlan = 0; vlan < 4095; vlan++)
			assert_int_not_equal(fdb_fid(fdb, 5, vlan), 0);
		fdb_bridge_close(fdb, 5);
	}
	fdb_free(fdb);
}

// ---- many threads ----

#define THREADS 4
#define KEYS	5000

struct hammer {
	struct fdb *fdb;
	unsigned index;
	atomic_bool *stop;
	atomic_uint *wrong;
	struct fdb_counters cnt;
	atomic_uint rounds;
};

// Keys below KEYS stay behind one port for ever; those above are fought over.
static void *hammer_main(void *arg)
{
	struct hammer *h = arg;
	struct fdb *fdb = h->fdb;
	unsigned seed = h->index;

	while (!atomic_load(h->stop)) {
		struct fdb_table *table = atomic_load(&fdb->table);

		for (unsigned i = 0; i < 200; i++) {
			unsigned n = rand_r(&seed) % (2 * KEYS);
			uint16_t port = n < KEYS ? PORT_A + n % NB_PORTS
						 : PORT_A + rand_r(&seed) % NB_PORTS;
			uint64_t key = key_of(fdb, 0, n), value;
			struct fdb_source source = source_of(fdb, port, i / 50);

			fdb_learn(fdb, table, key, &source, &h->cnt);
			value = fdb_get(table, key);
			if (value && n < KEYS && fdb_value_port(value) != port)
				atomic_fetch_add(h->wrong, 1);
		}
		atomic_fetch_add(&h->rounds, 1);
	}
	return NULL;
}

static void wait_rounds(struct hammer *hammers)
{
	unsigned seen[THREADS];

	for (unsigned i = 0; i < THREADS; i++)
		seen[i] = atomic_load(&hammers[i].rounds);
	for (unsigned i = 0; i < THREADS; i++) {
		// Two rounds on: a table that was left before is not used any more.
		while (atomic_load(&hammers[i].rounds) < seen[i] + 2)
			sched_yield();
	}
}

static uint32_t tally(struct fdb *fdb, uint16_t port)
{
	struct fdb_table *table = atomic_load(&fdb->table);
	uint32_t total = 0;

	for (uint32_t i = 0; i <= table->mask; i++) {
		for (unsigned slot = 0; slot < FDB_SLOTS; slot++) {
			uint64_t value = atomic_load(&table->index.bucket[i].value[slot]);

			total += atomic_load(&table->index.bucket[i].key[slot]) &&
				 fdb_value_port(value) == port && fdb_fresh(fdb, value);
		}
	}
	return total;
}

static void test_threads(void **state)
{
	struct fdb *fdb = fresh();
	struct hammer hammers[THREADS];
	pthread_t threads[THREADS];
	atomic_bool stop = false;
	atomic_uint wrong = 0;

	for (unsigned i = 0; i < THREADS; i++) {
		hammers[i] = (struct hammer){fdb, i, &stop, &wrong};
		assert_int_equal(pthread_create(&threads[i], NULL, hammer_main, &hammers[i]), 0);
	}
	for (unsigned i = 0; i < 60; i++) {
		fdb_service(fdb, i * 1000000ull);
		fdb_flush_port(fdb, PORT_A + i % NB_PORTS);
		fdb_put_static(fdb, key_of(fdb, 1, i), fdb_value(PORT_A, 0, 1, FDB_STATIC));
		if (fdb_grow_begin(fdb)) {
			wait_rounds(hammers);
			assert_true(fdb_grow_copy(fdb));
			wait_rounds(hammers);
			fdb_grow_finish(fdb);
		}
		wait_rounds(hammers);
	}
	atomic_store(&stop, true);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);

	assert_int_equal(atomic_load(&wrong), 0);
	// The counts are exact, whatever happened: statics apart (they are behind PORT_A).
	for (unsigned i = 1; i < NB_PORTS; i++)
		assert_int_equal(on_port(fdb, PORT_A + i), tally(fdb, PORT_A + i));
	for (unsigned i = 0; i < 60; i++)
		assert_int_equal(where(fdb, key_of(fdb, 1, i)), PORT_A);
	fdb_free(fdb);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_learn_and_move),
		cmocka_unit_test(test_vlans_are_apart),
		cmocka_unit_test(test_ageing),
		cmocka_unit_test(test_flush_is_complete_and_cheap),
		cmocka_unit_test(test_generation_comes_round),
		cmocka_unit_test(test_one_port_cannot_fill_the_bridge),
		cmocka_unit_test(test_moves_are_limited),
		cmocka_unit_test(test_static_entries_stay),
		cmocka_unit_test(test_growth_keeps_everything),
		cmocka_unit_test(test_fids_come_back),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
