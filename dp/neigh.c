// SPDX-License-Identifier: BSD-3-Clause
#include "dp/neigh.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "dp/worker.h"

static void put(struct neigh_table *table, const struct dp_neigh *entry)
{
	const struct neigh_key key = neigh_key(entry->vlan, &entry->ip);
	uint64_t word, mac = 0;
	struct neigh_entry *e = &table->entry[neigh_slot(table, &key, &word)];

	memcpy(&mac, &entry->mac, sizeof(entry->mac));
	if (!word) {
		memcpy(e->ip, key.ip, sizeof(e->ip));
		table->used++;
	}
	atomic_store_explicit(&e->word, mac << 16 | key.where, memory_order_release);
}

static struct neigh_table *table_new(
	const struct dp_neigh *entries, unsigned count, bool drop_unknown)
{
	struct neigh_table *table;
	uint32_t slots = 2;

	// Has room for at least a quarter more before it must be replaced.
	while (slots < 2ull * count + count / 2)
		slots *= 2;
	table = calloc(1, sizeof(*table) + slots * sizeof(struct neigh_entry));
	if (!table)
		return NULL;
	table->mask = slots - 1;
	table->drop_unknown = drop_unknown;
	if (getrandom(table->secret, sizeof(table->secret), 0) != sizeof(table->secret)) {
		free(table);
		return NULL;
	}
	table->secret[0] |= 1;
	table->secret[1] |= 1;
	for (unsigned i = 0; i < count; i++)
		put(table, &entries[i]);
	return table;
}

int dp_neigh_set(struct dp *dp, uint16_t bridge_id, const struct dp_neigh *entries, unsigned count,
	bool drop_unknown)
{
	struct neigh_table *table = NULL, *old;

	if (count || drop_unknown) {
		table = table_new(entries, count, drop_unknown);
		if (!table)
			return -ENOMEM;
	}
	old = atomic_exchange_explicit(&dp->neigh[bridge_id], table, memory_order_acq_rel);
	if (old)
		dp_retire(dp, free, old);
	return 0;
}

int dp_neigh_put(struct dp *dp, uint16_t bridge_id, const struct dp_neigh *entries, unsigned count)
{
	struct neigh_table *table = atomic_load(&dp->neigh[bridge_id]);

	if (!table || ((uint64_t)table->used + count) * 2 > (uint64_t)table->mask + 1)
		return -ENOSPC;
	for (unsigned i = 0; i < count; i++)
		put(table, &entries[i]);
	return 0;
}

void dp_neigh_del(struct dp *dp, uint16_t bridge_id, const struct dp_neigh *entry)
{
	struct neigh_table *table = atomic_load(&dp->neigh[bridge_id]);
	const struct neigh_key key = neigh_key(entry->vlan, &entry->ip);
	uint64_t word;
	uint32_t slot;

	if (!table)
		return;
	slot = neigh_slot(table, &key, &word);
	if (word)
		atomic_store_explicit(
			&table->entry[slot].word, (uint64_t)key.where, memory_order_release);
}
