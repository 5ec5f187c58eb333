// SPDX-License-Identifier: BSD-3-Clause
// What workers do to the forwarding table when a source address is new, has moved, or is older than
// the coarse clock. No allocation, no system call; a busy bucket is left alone.
#include "dp/fdb.h"

static atomic_bool *lock_of(struct fdb_table *table, const struct fdb_bucket *b)
{
	return &table->lock[(b - table->index.bucket) % FDB_LOCKS];
}

static bool lock_one(atomic_bool *lock, unsigned spins)
{
	for (unsigned i = 0; i < spins; i++) {
		if (!atomic_load_explicit(lock, memory_order_relaxed) &&
			!atomic_exchange_explicit(lock, true, memory_order_acquire))
			return true;
		rte_pause();
	}
	return false;
}

bool fdb_lock(struct fdb_table *table, const struct fdb_bucket *a, const struct fdb_bucket *b,
	unsigned spins)
{
	atomic_bool *la = lock_of(table, a), *lb = lock_of(table, b);
	atomic_bool *first = RTE_MIN(la, lb), *second = RTE_MAX(la, lb);

	if (!lock_one(first, spins))
		return false;
	if (first == second || lock_one(second, spins))
		return true;
	atomic_store_explicit(first, false, memory_order_release);
	return false;
}

void fdb_unlock(struct fdb_table *table, const struct fdb_bucket *a, const struct fdb_bucket *b)
{
	atomic_store_explicit(lock_of(table, a), false, memory_order_release);
	// Two buckets may share a lock: it is released once only.
	if (lock_of(table, a) != lock_of(table, b))
		atomic_store_explicit(lock_of(table, b), false, memory_order_release);
}

// The key goes first and comes last: no reader takes the value for that of the key before it.
static void pair_set(struct fdb_bucket *b, unsigned slot, uint64_t key, uint64_t value)
{
	atomic_store_explicit(&b->key[slot], 0, memory_order_relaxed);
	atomic_store_explicit(&b->value[slot], value, memory_order_release);
	atomic_store_explicit(&b->key[slot], key, memory_order_release);
}

static int slot_find(const struct fdb_bucket *b, uint64_t key)
{
	for (int i = 0; i < FDB_SLOTS; i++) {
		if (atomic_load_explicit(&b->key[i], memory_order_relaxed) == key)
			return i;
	}
	return -1;
}

// Moves one pair of the full bucket `b` to that pair's other bucket, if that has room and is not
// busy; `b` and `held` are locked. For a moment the pair is in both, so that readers hardly ever
// miss it. Returns the free slot or -1.
static int displace(struct fdb_table *table, struct fdb_bucket *b, const struct fdb_bucket *held)
{
	for (int i = 0; i < FDB_SLOTS; i++) {
		uint64_t key = atomic_load_explicit(&b->key[i], memory_order_relaxed);
		struct fdb_bucket *other = fdb_primary(table->index, key);
		atomic_bool *lock;
		bool ours;
		int slot;

		if (other == b)
			other = fdb_alternate(table->index, key);
		lock = lock_of(table, other);
		ours = lock == lock_of(table, b) || lock == lock_of(table, held);
		// One try only: waiting for a third bucket could deadlock.
		if (!ours && !lock_one(lock, 1))
			continue;
		slot = slot_find(other, 0);
		if (slot >= 0)
			pair_set(other, slot, key,
				atomic_load_explicit(&b->value[i], memory_order_relaxed));
		if (!ours)
			atomic_store_explicit(lock, false, memory_order_release);
		if (slot >= 0)
			return i;
	}
	return -1;
}

bool fdb_pair_store(struct fdb_table *table, uint64_t key, uint64_t value)
{
	struct fdb_bucket *primary = fdb_primary(table->index, key), *b = primary;
	struct fdb_bucket *alternate = fdb_alternate(table->index, key);
	int slot = slot_find(b, 0);

	if (slot < 0)
		slot = slot_find(b = alternate, 0);
	if (slot < 0)
		slot = displace(table, b = primary, alternate);
	if (slot < 0)
		slot = displace(table, b = alternate, primary);
	if (slot < 0)
		return false;
	pair_set(b, slot, key, value);
	return true;
}

// Counts one more learned entry on the source's port and bridge, if the limits allow.
static bool count(struct fdb *fdb, const struct fdb_source *s)
{
	struct fdb_port *port = &fdb->port[s->port];
	struct fdb_bridge *bridge = fdb->bridge[s->bridge];
	uint64_t generation = fdb_value_generation(s->value);
	unsigned long long old = atomic_load_explicit(&port->members, memory_order_relaxed);
	uint32_t on_bridge;

	do {
		if (old >> 32 != generation || (s->port_limit && (uint32_t)old >= s->port_limit))
			return false;
	} while (!atomic_compare_exchange_weak_explicit(
		&port->members, &old, old + 1, memory_order_relaxed, memory_order_relaxed));

	on_bridge = atomic_fetch_add_explicit(&bridge->learned, 1, memory_order_relaxed);
	if (!s->bridge_limit || on_bridge < s->bridge_limit)
		return true;
	// The bridge is full: only a port below its share may learn, and main makes room. The slack
	// bounds how many entries come in addition until it does.
	if ((uint64_t)(uint32_t)old * s->bridge_ports < s->bridge_limit &&
		on_bridge < s->bridge_limit + s->bridge_limit / 4 + 64) {
		atomic_store_explicit(&fdb->pressure, true, memory_order_relaxed);
		return true;
	}
	fdb_uncount(fdb, s->bridge, s->value);
	return false;
}

void fdb_uncount(struct fdb *fdb, uint16_t bridge, uint64_t value)
{
	struct fdb_port *port = &fdb->port[fdb_value_port(value)];
	unsigned long long old = atomic_load_explicit(&port->members, memory_order_relaxed);

	if (value & FDB_STATIC)
		return;
	do {
		// Flushed entries were subtracted when the generation changed.
		if (old >> 32 != fdb_value_generation(value))
			return;
	} while (!atomic_compare_exchange_weak_explicit(
		&port->members, &old, old - 1, memory_order_relaxed, memory_order_relaxed));
	atomic_fetch_sub_explicit(&fdb->bridge[bridge]->learned, 1, memory_order_relaxed);
}

void fdb_slot_clear(struct fdb *fdb, struct fdb_bucket *b, unsigned slot)
{
	uint64_t key = atomic_load_explicit(&b->key[slot], memory_order_relaxed);
	uint64_t value = atomic_load_explicit(&b->value[slot], memory_order_relaxed);

	atomic_store_explicit(&b->key[slot], 0, memory_order_release);
	fdb_uncount(fdb, fdb_fid_owner(fdb, fdb_key_fid(key)) >> 16, value);
}

// Allows FDB_MOVES_MAX moves per second to one port. This slows down a loop, or a port that claims
// the addresses of others, but not moves to other ports.
static bool move_allowed(struct fdb_port *port, uint32_t now_s)
{
	unsigned long long old = atomic_load_explicit(&port->moves, memory_order_relaxed), new;

	do {
		if (old >> 32 != now_s)
			new = (uint64_t)now_s << 32 | 1;
		else if ((uint32_t)old < FDB_MOVES_MAX)
			new = old + 1;
		else
			return false;
	} while (!atomic_compare_exchange_weak_explicit(
		&port->moves, &old, new, memory_order_relaxed, memory_order_relaxed));
	return true;
}

// `key` is in `b`, locked, with another port or an old generation.
static void move(struct fdb *fdb, struct fdb_bucket *b, int slot, const struct fdb_source *s,
	struct fdb_counters *cnt)
{
	uint64_t old = atomic_load_explicit(&b->value[slot], memory_order_relaxed);
	bool fresh = fdb_fresh(fdb, old);

	if (old & FDB_STATIC) {
		cnt->static_hits += fdb_value_port(old) != s->port;
		return;
	}
	if (fresh && fdb_value_port(old) == s->port) {
		// Another worker was faster; or the port was flushed after `s` was made, and
		// storing it would make the entry stale without subtracting it from the counts.
		if (fdb_value_generation(old) == fdb_value_generation(s->value))
			atomic_store_explicit(&b->value[slot], s->value, memory_order_release);
		return;
	}
	if (fresh && !move_allowed(&fdb->port[s->port], s->now_s)) {
		cnt->moves_limited++;
		return;
	}
	if (!count(fdb, s)) {
		cnt->refused++;
		return;
	}
	// The age of `old` may just have been refreshed without the bucket; only the exact old
	// value is counted off, and exactly once, because its port and generation are the same.
	atomic_store_explicit(&b->value[slot], s->value, memory_order_release);
	fdb_uncount(fdb, s->bridge, old);
	if (fresh)
		cnt->moves++;
	else
		cnt->learned++;
}

static void insert(struct fdb *fdb, struct fdb_table *table, uint64_t key,
	const struct fdb_source *s, struct fdb_counters *cnt)
{
	if (!count(fdb, s)) {
		cnt->refused++;
		return;
	}
	if (fdb_pair_store(table, key, s->value)) {
		cnt->learned++;
		return;
	}
	// No slot, which is rare below half full: the table grows, and the address will come again.
	fdb_uncount(fdb, s->bridge, s->value);
	atomic_store_explicit(&fdb->crowded, true, memory_order_relaxed);
	cnt->refused++;
}

// The common case, a known address: nothing differs, or only the age.
static bool refresh(struct fdb_bucket *b, uint64_t key, uint64_t value)
{
	int slot = slot_find(b, key);
	unsigned long long old;

	if (slot < 0)
		return false;
	old = atomic_load_explicit(&b->value[slot], memory_order_acquire);
	if ((old ^ value) & ~FDB_AGE_MASK)
		return false;
	if (old == value)
		return true;
	atomic_compare_exchange_strong_explicit(
		&b->value[slot], &old, value, memory_order_relaxed, memory_order_relaxed);
	return true;
}

void fdb_learn(struct fdb *fdb, struct fdb_table *table, uint64_t key,
	const struct fdb_source *source, struct fdb_counters *cnt)
{
	struct fdb_bucket *primary = fdb_primary(table->index, key);
	struct fdb_bucket *alternate = fdb_alternate(table->index, key);
	int slot;

	if (unlikely(!fdb_key_fid(key)))
		return;
	if (refresh(primary, key, source->value) || refresh(alternate, key, source->value))
		return;
	if (unlikely(atomic_load_explicit(&table->frozen, memory_order_relaxed)))
		return;
	if (!fdb_lock(table, primary, alternate, FDB_SPINS))
		return;
	if ((slot = slot_find(primary, key)) >= 0)
		move(fdb, primary, slot, source, cnt);
	else if ((slot = slot_find(alternate, key)) >= 0)
		move(fdb, alternate, slot, source, cnt);
	else
		insert(fdb, table, key, source, cnt);
	fdb_unlock(table, primary, alternate);
}

uint16_t fdb_fid_make(struct fdb *fdb, uint16_t bridge, uint16_t vlan)
{
	_Atomic uint16_t *slot = &fdb->bridge[bridge]->fid[vlan];

	for (unsigned w = 0; w < FDB_FIDS / 64; w++) {
		unsigned long long bits =
			atomic_load_explicit(&fdb->fid_free[w], memory_order_relaxed);

		while (bits) {
			unsigned bit = __builtin_ctzll(bits);
			uint16_t fid = w * 64 + bit, none = 0;

			if (!atomic_compare_exchange_weak_explicit(&fdb->fid_free[w], &bits,
				    bits & ~(1ull << bit), memory_order_relaxed,
				    memory_order_relaxed))
				continue;
			atomic_store_explicit(&fdb->fid_owner[fid], (uint32_t)bridge << 16 | vlan,
				memory_order_relaxed);
			if (atomic_compare_exchange_strong_explicit(
				    slot, &none, fid, memory_order_release, memory_order_acquire))
				return fid;
			// Another worker has just assigned a FID to this VLAN.
			atomic_fetch_or_explicit(
				&fdb->fid_free[w], 1ull << bit, memory_order_relaxed);
			return none;
		}
	}
	return 0;
}
