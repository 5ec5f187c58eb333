// SPDX-License-Identifier: BSD-3-Clause
// The neighbours of a bridge: the MAC address of each IP address, so that the switch can answer
// requests for them (suppress.c). This is a hash table. The main thread changes single entries
// while workers look up without a lock, or replaces the table as a whole. A slot keeps its key for
// ever: one store of the word with the MAC address publishes, changes or deletes an entry.
#pragma once

#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include "dp/dp.h"

struct neigh_entry {
	uint64_t ip[2]; // in wire order
	// VLAN; from bit 12 on, the address family; from bit 16 on, the MAC address, first byte
	// lowest, or 0: the entry was deleted. A word of 0: the slot is free.
	_Atomic uint64_t word;
};

struct neigh_table {
	uint64_t secret[2]; // odd factors of the hash: nobody outside can cause collisions
	uint32_t mask;	    // slots - 1; at most half of them are used
	uint32_t used;	    // deleted entries included; main thread only
	bool drop_unknown;
	struct neigh_entry entry[];
};

// A bridge's table; NULL: it has none.
typedef _Atomic(struct neigh_table *) neigh_cell;

struct neigh_key {
	uint64_t ip[2];
	uint16_t where; // as the lower part of a word
};

static inline struct neigh_key neigh_key(uint16_t vlan, const struct ip_addr *ip)
{
	struct neigh_key key = {.where = vlan | ip->family << 12};

	memcpy(key.ip, ip->byte, sizeof(key.ip));
	return key;
}

// The key's slot, or the free slot for it, and its word.
static inline uint32_t neigh_slot(
	const struct neigh_table *table, const struct neigh_key *key, uint64_t *ret_word)
{
	unsigned __int128 product = (unsigned __int128)(key->ip[0] ^ table->secret[0]) *
				    (key->ip[1] ^ table->secret[1]);
	uint64_t hash =
		(uint64_t)product ^ (uint64_t)(product >> 64) ^ key->where * table->secret[0];
	uint32_t i = (hash * table->secret[1]) >> 32;

	for (;; i++) {
		const struct neigh_entry *e = &table->entry[i & table->mask];
		uint64_t word = atomic_load_explicit(&e->word, memory_order_acquire);

		if (!word || ((uint16_t)word == key->where && e->ip[0] == key->ip[0] &&
				     e->ip[1] == key->ip[1])) {
			*ret_word = word;
			return i & table->mask;
		}
	}
}

// False: the address is not known in that VLAN.
static inline bool neigh_find(const struct neigh_table *table, uint16_t vlan,
	const struct ip_addr *ip, struct mac *ret_mac)
{
	const struct neigh_key key = neigh_key(vlan, ip);
	uint64_t word;

	neigh_slot(table, &key, &word);
	word >>= 16;
	memcpy(ret_mac, &word, sizeof(*ret_mac));
	return word;
}
