// SPDX-License-Identifier: BSD-3-Clause
#include "vswitch/dp/neigh.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "vswitch/dp/worker.h"

static struct neigh_table *table_new(
	const struct dp_neigh *entries, unsigned count, bool drop_unknown)
{
	struct neigh_table *table;
	uint32_t slots = 2;

	while (slots < 2ull * count)
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
	for (unsigned i = 0; i < count; i++) {
		struct neigh_entry entry = neigh_key(entries[i].vlan, &entries[i].ip);

		entry.mac = entries[i].mac;
		table->entry[neigh_slot(table, &entry)] = entry;
	}
	return table;
}

int dp_neigh_set(struct dp *dp, uint16_t bridge_id, const struct dp_neigh *entries, unsigned count,
	bool drop_unknown)
{
	const struct neigh_table *table = NULL, *old;

	if (count || drop_unknown) {
		table = table_new(entries, count, drop_unknown);
		if (!table)
			return -ENOMEM;
	}
	old = atomic_exchange_explicit(&dp->neigh[bridge_id], table, memory_order_acq_rel);
	if (old)
		dp_retire(dp, free, (void *)old);
	return 0;
}
