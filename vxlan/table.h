// SPDX-License-Identifier: BSD-3-Clause
// What workers know of a VTEP: immutable tables that the main thread builds and replaces
// as a whole (vxlan.c). Reading takes no lock; a worker takes the pointer once for each batch.
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/ip.h"
#include "vxlan/mix.h"

// An address in one form for both families: IPv4 as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2), which is
// also what a socket for both is given. :: is no source of anything.
struct vxlan_addr {
	uint64_t word[2]; // in wire order
};

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "addresses are put together so");

// `wire`: the address as it is in a header.
static inline struct vxlan_addr vxlan_addr_of_ip4(uint32_t wire)
{
	return (struct vxlan_addr){{0, (uint64_t)wire << 32 | 0xffff0000}};
}

static inline struct vxlan_addr vxlan_addr_of_ip6(const void *wire)
{
	struct vxlan_addr addr;

	memcpy(&addr, wire, sizeof(addr));
	return addr;
}

struct vxlan_addr vxlan_addr_of(const struct ip_addr *ip);

// A remote VTEP. Index: its number.
struct vxlan_remote {
	struct ip_addr ip; // family 0: there is none of this number
	union {
		struct sockaddr sa; // what the sockets of the underlay `kernel` send to
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	};
	socklen_t sa_bytes;
};

// Where the frames of a source in a VNI go in; 32 bytes, so that a cache line has two.
struct vxlan_source {
	struct vxlan_addr addr;
	uint32_t vni;	 // with VXLAN_SOURCE_USED
	uint16_t port;	 // id of the VNI's port
	uint16_t remote; // its number; 0: this entry says that the VNI is here
} __attribute__((aligned(32)));

#define VXLAN_SOURCE_USED (1u << 31)

// Whom frames to all of a VNI go to.
struct vxlan_flood {
	uint32_t vni;
	uint32_t first, count; // in `flooded`
};

struct vxlan_table {
	struct vxlan_remote *remote;
	uint32_t nb_remotes; // numbers below it are valid indices
	struct vxlan_source *source;
	uint32_t source_mask;	   // of the hash
	struct vxlan_flood *flood; // by index of the VNI
	uint32_t nb_floods;
	uint16_t *flooded; // numbers of remotes
	uint32_t nb_flooded;
};

static inline uint32_t vxlan_source_hash(struct vxlan_addr addr, uint32_t vni)
{
	return vxlan_mix(addr.word[1], addr.word[0] + vni * VXLAN_KEY_A);
}

// The entry of `addr` in the VNI, NULL when there is none.
static inline const struct vxlan_source *vxlan_table_find(
	const struct vxlan_table *table, struct vxlan_addr addr, uint32_t vni)
{
	uint32_t i = vxlan_source_hash(addr, vni), want = vni | VXLAN_SOURCE_USED;

	for (;; i++) {
		const struct vxlan_source *s = &table->source[i & table->source_mask];

		if (s->vni == want && s->addr.word[0] == addr.word[0] &&
			s->addr.word[1] == addr.word[1])
			return s;
		if (!s->vni)
			return NULL;
	}
}

static inline bool vxlan_table_has_vni(const struct vxlan_table *table, uint32_t vni)
{
	return vxlan_table_find(table, (struct vxlan_addr){}, vni) != NULL;
}

// The flood list of the VNI that has this index; NULL when it is not in the table yet.
static inline const struct vxlan_flood *vxlan_table_flood(
	const struct vxlan_table *table, uint32_t index, uint32_t vni)
{
	return index < table->nb_floods && table->flood[index].vni == vni ? &table->flood[index]
									  : NULL;
}

// NULL when there is none of this number.
static inline const struct vxlan_remote *vxlan_table_remote(
	const struct vxlan_table *table, uint16_t remote)
{
	return remote < table->nb_remotes && table->remote[remote].ip.family
		       ? &table->remote[remote]
		       : NULL;
}

// ---- building, main thread ----

// An empty table with room for remotes of numbers below `nb_remotes`, VNIs of indices below
// `nb_vnis`, and the sources and flood list entries that these have together. NULL when out of
// memory.
struct vxlan_table *vxlan_table_new(
	uint32_t nb_remotes, uint32_t nb_vnis, uint32_t nb_sources, uint32_t nb_flooded);
void vxlan_table_free(void *table);

// `mapped`: the sockets are of IPv6 and take IPv4 addresses in it.
void vxlan_remote_set(
	struct vxlan_remote *remote, const struct ip_addr *ip, uint16_t udp_port, bool mapped);
void vxlan_table_add_remote(struct vxlan_table *table, uint16_t remote, const struct ip_addr *ip,
	uint16_t udp_port, bool mapped);
// A VNI. Its flood list is what is added before the next VNI.
void vxlan_table_add_vni(struct vxlan_table *table, uint32_t index, uint32_t vni);
void vxlan_table_add_source(
	struct vxlan_table *table, uint16_t remote, uint32_t vni, uint16_t port_id);
void vxlan_table_add_flood(struct vxlan_table *table, uint32_t index, uint16_t remote);
