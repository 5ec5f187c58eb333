// SPDX-License-Identifier: BSD-3-Clause
// The neighbours of a bridge: which MAC address each IP address has, so that the switch can answer
// who asks for them (suppress.c). An immutable hash table, which the main thread replaces as a
// whole (dp_neigh_set()); workers look up without a lock.
#pragma once

#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include "vswitch/dp/dp.h"

struct neigh_entry {
	uint64_t ip[2]; // in wire order
	uint16_t where; // VLAN and, from bit 12 on, the family of the address; 0: no entry
	struct mac mac;
};

struct neigh_table {
	uint64_t secret[2]; // odd factors of the hash: nobody outside can choose who collides
	uint32_t mask;	    // slots - 1; at most half of them are used
	bool drop_unknown;
	struct neigh_entry entry[];
};

// Where a bridge's table is: NULL when it has none.
typedef _Atomic(const struct neigh_table *) neigh_cell;

static inline struct neigh_entry neigh_key(uint16_t vlan, const struct ip_addr *ip)
{
	struct neigh_entry key = {.where = vlan | ip->family << 12};

	memcpy(key.ip, ip->byte, sizeof(key.ip));
	return key;
}

// The slot that has the key, or the empty one where it belongs.
static inline uint32_t neigh_slot(const struct neigh_table *table, const struct neigh_entry *key)
{
	unsigned __int128 product = (unsigned __int128)(key->ip[0] ^ table->secret[0]) *
				    (key->ip[1] ^ table->secret[1]);
	uint64_t hash =
		(uint64_t)product ^ (uint64_t)(product >> 64) ^ key->where * table->secret[0];
	uint32_t i = (hash * table->secret[1]) >> 32;

	for (;; i++) {
		const struct neigh_entry *e = &table->entry[i & table->mask];

		if (!e->where || (e->where == key->where && e->ip[0] == key->ip[0] &&
					 e->ip[1] == key->ip[1]))
			return i & table->mask;
	}
}

// NULL when the address is not known in that VLAN.
static inline const struct mac *neigh_find(
	const struct neigh_table *table, uint16_t vlan, const struct ip_addr *ip)
{
	const struct neigh_entry key = neigh_key(vlan, ip);
	const struct neigh_entry *e = &table->entry[neigh_slot(table, &key)];

	return e->where ? &e->mac : NULL;
}
