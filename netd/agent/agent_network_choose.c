// SPDX-License-Identifier: BSD-3-Clause
// What a new network gets that nobody asked for: what its driver needs, out of what is free.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "netd/agent/agent_priv.h"

static bool vni_taken(struct agent *a, uint32_t vni, const char *but_id)
{
	for (struct replica_net *net = a->replica.nets; net; net = net->hh.next) {
		if (net->known && net->rec.vni == vni && strcmp(net->id, but_id) != 0)
			return true;
	}
	return false;
}

static int choose_vni(void *arg, struct network_record *rec, struct err *err)
{
	struct agent *a = arg;
	uint32_t count = a->conf->vni_last - a->conf->vni_first + 1;
	uint32_t start = agent_random(a) % count;

	if (rec->vni) {
		if (!vni_taken(a, rec->vni, rec->id))
			return 0;
		return net_error(err, -EEXIST, rec->name,
			"another network has its VNI; choose another, or leave the choice to "
			"vsnetd");
	}
	for (uint32_t i = 0; i < count; i++) {
		rec->vni = a->conf->vni_first + (start + i) % count;
		if (!vni_taken(a, rec->vni, rec->id))
			return 0;
	}
	return net_error(err, -ENOSPC, rec->name, "all VNIs of vni-range are taken; widen it");
}

// Those that cannot be read are done without: a host that uses the subnet has no gateway then.
static unsigned list_routes(struct agent *a, struct cidr **ret_routes)
{
	unsigned count = 0;
	int rc;

	*ret_routes = NULL;
	if (!a->opts.routes)
		return 0;
	rc = a->opts.routes(a->opts.routes_arg, ret_routes, &count);
	if (rc < 0)
		log_warn(
			"the routes of this host cannot be read (%s): a subnet that it uses may be "
			"given to a network",
			strerror(-rc));
	return count;
}

static unsigned list_subnets(struct agent *a, struct cidr **ret_taken)
{
	unsigned count = 0, room = 0, nb_routes;
	struct cidr *taken, *routes;

	for (struct replica_net *net = a->replica.nets; net; net = net->hh.next)
		room += net->known ? net->rec.nb_subnets : 0;
	room += agent_pool_list(a, NULL, 0);
	nb_routes = list_routes(a, &routes);
	taken = calloc(room + nb_routes + 1, sizeof(*taken));
	for (struct replica_net *net = a->replica.nets; taken && net; net = net->hh.next) {
		for (unsigned i = 0; net->known && i < net->rec.nb_subnets; i++)
			taken[count++] = net->rec.subnets[i].cidr;
	}
	if (taken)
		count += agent_pool_list(a, taken + count, room - count);
	if (taken && nb_routes)
		memcpy(taken + count, routes, nb_routes * sizeof(*routes));
	count += nb_routes;
	free(routes);
	*ret_taken = taken;
	return count;
}

int agent_next_subnet(struct agent *a, unsigned family, struct cidr *ret_cidr)
{
	struct cidr *taken;
	unsigned nb_taken = list_subnets(a, &taken);
	int rc = taken ? pool_next(a->conf->pools, a->conf->nb_pools, family, taken, nb_taken,
				 ret_cidr)
		       : -ENOMEM;

	free(taken);
	return rc;
}

static int choose_subnet(void *arg, struct network_record *rec, unsigned family, struct err *err)
{
	struct agent *a = arg;
	struct subnet *subnets = realloc(rec->subnets, (rec->nb_subnets + 1) * sizeof(*subnets));
	struct cidr cidr;
	int rc;

	if (!subnets)
		return net_error(err, -ENOMEM, rec->name, "out of memory");
	rec->subnets = subnets;
	rc = agent_next_subnet(a, family, &cidr);
	if (rc < 0)
		return net_error(err, rc, rec->name,
			family == 4
				? "no IPv4 subnet is free in default-address-pools: networks, or "
				  "routes of this host, have them; give one with --subnet"
				: "no IPv6 subnet is free in default-address-pools: networks, or "
				  "routes of this host, have them; give one with --subnet");
	rec->subnets[rec->nb_subnets++] = (struct subnet){.cidr = cidr, .range = cidr};
	return 0;
}

static int check_overlap(struct agent *a, const struct network_record *rec, struct err *err)
{
	char mine[CIDR_TEXT_BYTES], other[CIDR_TEXT_BYTES];

	for (struct replica_net *net = a->replica.nets; net; net = net->hh.next) {
		if (!net->known || !strcmp(net->id, rec->id))
			continue;
		for (unsigned i = 0; i < rec->nb_subnets * net->rec.nb_subnets; i++) {
			const struct cidr *c = &rec->subnets[i / net->rec.nb_subnets].cidr;
			const struct cidr *o = &net->rec.subnets[i % net->rec.nb_subnets].cidr;

			if (!cidr_overlap(c, o))
				continue;
			return net_error(err, -EEXIST, rec->name,
				"its subnet %s overlaps %s of network %s; choose another",
				cidr_format(c, mine), cidr_format(o, other), net->rec.name);
		}
	}
	return 0;
}

// Fills in what was not asked for. `rec` may be filled by an earlier try.
int agent_network_choose(struct agent *a, struct network_record *rec, struct err *err)
{
	const struct network_chooser chooser = {
		.vni = choose_vni, .subnet = choose_subnet, .arg = a};
	int rc;

	if (!rec->id[0])
		agent_make_id(a, rec->id);
	if (!rec->created[0])
		agent_created(rec->created);
	rc = network_choose(rec, &chooser, err);
	for (unsigned i = 0; rc == 0 && i < rec->nb_subnets; i++) {
		struct subnet *subnet = &rec->subnets[i];

		if (!subnet->block_prefix)
			subnet->block_prefix = ipam_block_prefix(
				subnet->range.ip.family ? &subnet->range : &subnet->cidr);
	}
	return rc == 0 ? check_overlap(a, rec, err) : rc;
}
