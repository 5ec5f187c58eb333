// SPDX-License-Identifier: BSD-3-Clause
// What the benchmarks work on: numbers, addresses, frames.
#include <string.h>

#include <rte_byteorder.h>
#include <rte_ether.h>

#include "benchmarks/micro/micro.h"

// splitmix64
uint64_t micro_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

uint64_t micro_mac(uint64_t *state)
{
	// Individual, locally administered.
	return (micro_random(state) & FDB_MAC_MASK & ~1ull) | 2;
}

void micro_fix_hash(struct fdb *fdb)
{
	atomic_load(&fdb->table)->index.hash_factor = 0xd1342543de82ef95ull;
}

struct rte_mbuf *micro_frame(uint64_t dst, uint64_t src, uint16_t vlan, uint16_t len_bytes)
{
	const uint16_t tag[2] = {rte_cpu_to_be_16(RTE_ETHER_TYPE_VLAN), rte_cpu_to_be_16(vlan)};
	const uint16_t type = rte_cpu_to_be_16(0x88b5); // IEEE 802 local experimental
	struct rte_mbuf *m = rte_pktmbuf_alloc(micro_pool);
	char *p = m ? rte_pktmbuf_append(m, len_bytes) : NULL;

	micro_check(p, "there is a buffer for a frame");
	memset(p, 0, len_bytes);
	memcpy(p, &dst, RTE_ETHER_ADDR_LEN);
	memcpy(p += RTE_ETHER_ADDR_LEN, &src, RTE_ETHER_ADDR_LEN);
	p += RTE_ETHER_ADDR_LEN;
	if (vlan) {
		memcpy(p, tag, sizeof(tag));
		p += sizeof(tag);
	}
	memcpy(p, &type, sizeof(type));
	return m;
}
