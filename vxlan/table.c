// SPDX-License-Identifier: BSD-3-Clause
#include "vxlan/table.h"

#include <stdlib.h>

struct vxlan_addr vxlan_addr_of(const struct ip_addr *ip)
{
	uint32_t wire;

	if (ip->family == 6)
		return vxlan_addr_of_ip6(ip->byte);
	memcpy(&wire, ip->byte, sizeof(wire));
	return vxlan_addr_of_ip4(wire);
}

// At most half full, so that a look-up takes one probe but for a few.
static uint32_t slots_for(uint32_t entries)
{
	uint32_t slots = 4;

	while (slots < entries * 2)
		slots *= 2;
	return slots;
}

struct vxlan_table *vxlan_table_new(
	uint32_t nb_remotes, uint32_t nb_vnis, uint32_t nb_sources, uint32_t nb_flooded)
{
	struct vxlan_table *t = calloc(1, sizeof(*t));
	uint32_t slots = slots_for(nb_sources + nb_vnis);

	if (!t)
		return NULL;
	t->nb_remotes = nb_remotes;
	t->nb_floods = nb_vnis;
	t->source_mask = slots - 1;
	t->remote = calloc(nb_remotes ? nb_remotes : 1, sizeof(*t->remote));
	t->source = aligned_alloc(64, slots * sizeof(*t->source));
	t->flood = calloc(nb_vnis ? nb_vnis : 1, sizeof(*t->flood));
	t->flooded = calloc(nb_flooded ? nb_flooded : 1, sizeof(*t->flooded));
	if (!t->remote || !t->source || !t->flood || !t->flooded) {
		vxlan_table_free(t);
		return NULL;
	}
	memset(t->source, 0, slots * sizeof(*t->source));
	return t;
}

void vxlan_table_free(void *table)
{
	struct vxlan_table *t = table;

	if (!t)
		return;
	free(t->remote);
	free(t->source);
	free(t->flood);
	free(t->flooded);
	free(t);
}

void vxlan_remote_set(
	struct vxlan_remote *r, const struct ip_addr *ip, uint16_t udp_port, bool mapped)
{
	struct vxlan_addr addr = vxlan_addr_of(ip);

	r->ip = *ip;
	if (ip->family == 4 && !mapped) {
		r->in = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(udp_port)};
		memcpy(&r->in.sin_addr, ip->byte, sizeof(r->in.sin_addr));
		r->sa_bytes = sizeof(r->in);
		return;
	}
	r->in6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(udp_port)};
	memcpy(&r->in6.sin6_addr, &addr, sizeof(addr));
	r->sa_bytes = sizeof(r->in6);
}

void vxlan_table_add_remote(struct vxlan_table *t, uint16_t remote, const struct ip_addr *ip,
	uint16_t udp_port, bool mapped)
{
	vxlan_remote_set(&t->remote[remote], ip, udp_port, mapped);
}

static void add_entry(struct vxlan_table *t, const struct vxlan_source *entry, uint32_t vni)
{
	uint32_t i = vxlan_source_hash(entry->addr, vni);

	while (t->source[i & t->source_mask].vni)
		i++;
	t->source[i & t->source_mask] = *entry;
}

void vxlan_table_add_vni(struct vxlan_table *t, uint32_t index, uint32_t vni)
{
	struct vxlan_source here = {.vni = vni | VXLAN_SOURCE_USED};

	t->flood[index] = (struct vxlan_flood){.vni = vni, .first = t->nb_flooded};
	add_entry(t, &here, vni);
}

void vxlan_table_add_source(struct vxlan_table *t, uint16_t remote, uint32_t vni, uint16_t port_id)
{
	struct vxlan_source source = {
		.addr = vxlan_addr_of(&t->remote[remote].ip),
		.vni = vni | VXLAN_SOURCE_USED,
		.port = port_id,
		.remote = remote,
	};

	add_entry(t, &source, vni);
}

void vxlan_table_add_flood(struct vxlan_table *t, uint32_t index, uint16_t remote)
{
	t->flooded[t->nb_flooded++] = remote;
	t->flood[index].count++;
}
