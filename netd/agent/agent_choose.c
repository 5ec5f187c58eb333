// SPDX-License-Identifier: BSD-3-Clause
// The addresses of a new endpoint: those that were asked for, and others of this host's blocks.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "netd/agent/agent_priv.h"

const char *agent_endpoint_path(const struct endpoint_record *rec, char path[NAME_BYTES + 16])
{
	if (rec->name[0])
		snprintf(path, NAME_BYTES + 16, "container %.63s", rec->name);
	else
		snprintf(path, NAME_BYTES + 16, "address");
	return path;
}

static int subnet_error(const struct replica_net *net, const struct endpoint_record *rec,
	const struct ip_addr *ip, struct err *err)
{
	char path[NAME_BYTES + 16], text[IP_TEXT_BYTES], one[CIDR_TEXT_BYTES];
	char subnets[RECORD_SUBNETS_MAX * (CIDR_TEXT_BYTES + 2)] = "";
	struct text list = text_over(subnets, sizeof(subnets));

	for (unsigned i = 0; i < net->rec.nb_subnets; i++)
		text_add_item(&list, ", ", "%s", cidr_format(&net->rec.subnets[i].cidr, one));
	return err_set(err, -EINVAL, agent_endpoint_path(rec, path),
		"the address %s is in no subnet of network %s; it has %s", ip_format(ip, text),
		net->rec.name, subnets);
}

static bool has_ip(const struct endpoint_record *rec, const struct ip_addr *ip)
{
	for (unsigned i = 0; i < rec->nb_ips; i++) {
		if (ip_equal(&rec->ips[i].ip, ip))
			return true;
	}
	return false;
}

// An address that is held on this host and that no endpoint uses. NULL: none.
static struct local_endpoint *find_held(struct replica_net *net, const struct ip_addr *ip)
{
	struct local_endpoint *le, *held = NULL;

	LIST_FOREACH (le, &net->local_endpoints, of_net) {
		if (!has_ip(&le->rec, ip))
			continue;
		if (le->rec.name[0])
			return NULL;
		held = le->state == ENDPOINT_CREATED ? le : held;
	}
	return held;
}

// Somebody has the address. A container that comes back under its name may have it from a host that
// is silent.
static int take_over(struct agent *a, struct replica_net *net, struct endpoint_choice *c,
	const struct endpoint_record *rec, const struct ip_addr *ip, uint64_t *ret_epoch,
	struct err *err)
{
	struct replica_endpoint *ep = replica_by_ip(&a->replica, net->id, ip);
	char path[NAME_BYTES + 16], text[IP_TEXT_BYTES];

	if (ep && rec->name[0] && !ep->host->present && record_name_same(ep->rec.name, rec->name) &&
		strcmp(ep->rec.host, a->conf->host) != 0) {
		*ret_epoch = ep->rec.epoch + 1;
		c->takes_over = true;
		return 0;
	}
	if (ep && ep->rec.name[0])
		return err_set(err, -EADDRINUSE, agent_endpoint_path(rec, path),
			"the address %s of network %s is %s's on host %s%s; choose another",
			ip_format(ip, text), net->rec.name, ep->rec.name, ep->rec.host,
			ep->host->present ? "" : ", which is silent");
	return err_set(err, -EADDRINUSE, agent_endpoint_path(rec, path),
		"the address %s of network %s is in use; choose another", ip_format(ip, text),
		net->rec.name);
}

// 0: `ret_epoch` and `ret_owner` are of its block.
static int check_asked(struct agent *a, struct replica_net *net, struct endpoint_choice *c,
	const struct endpoint_record *rec, const struct ip_addr *ip, enum ipam_owner *ret_owner,
	uint64_t *ret_epoch, struct err *err)
{
	int subnet = agent_subnet_of(net, ip), rc;
	struct local_endpoint *held;

	if (subnet < 0)
		return subnet_error(net, rec, ip, err);
	rc = ipam_check(net->agent->pool[subnet], ip, ret_owner, ret_epoch, err);
	if (rc != -EADDRINUSE)
		return rc;
	if (err)
		*err = (struct err){0};
	held = c->may_use_held ? find_held(net, ip) : NULL;
	if (!held)
		return take_over(a, net, c, rec, ip, ret_epoch, err);
	// The first address is the record's key: what holds it becomes the endpoint.
	if (!rec->nb_ips)
		c->held = held;
	*ret_epoch = held->rec.epoch;
	*ret_owner = IPAM_MINE;
	return 0;
}

static int take_asked(struct agent *a, struct replica_net *net, struct endpoint_choice *c,
	struct endpoint_record *rec, const struct ip_addr *ip, uint64_t *ret_epoch, struct err *err)
{
	char path[NAME_BYTES + 16], text[IP_TEXT_BYTES];
	enum ipam_owner owner = IPAM_NOBODY;
	int rc = check_asked(a, net, c, rec, ip, &owner, ret_epoch, err);

	if (rc < 0)
		return rc;
	// What the block's last owner may still claim is void: so would the next owner have it.
	if (owner == IPAM_FREED)
		*ret_epoch += 1;
	if (!net->local && owner != IPAM_MINE && !agent_can_write(a))
		return err_set(err, -ECONNREFUSED, agent_endpoint_path(rec, path),
			"this host does not own the address %s of network %s, and the store cannot "
			"be asked: %s; try again when it is back, or without an address",
			ip_format(ip, text), net->rec.name, agent_store_reason(a));
	rec->ips[rec->nb_ips++] = (struct cidr){
		.ip = *ip, .prefix = net->rec.subnets[agent_subnet_of(net, ip)].cidr.prefix};
	rec->is_static = true;
	return 0;
}

int agent_choose_ips(struct agent *a, struct replica_net *net, struct endpoint_choice *c,
	struct endpoint_record *rec, struct err *err)
{
	static const unsigned families[] = {4, 6};
	int rc = 0;

	rec->nb_ips = 0;
	rec->epoch = 0;
	rec->is_static = c->takes_over = false;
	c->held = NULL;
	for (unsigned i = 0; i < 2 && rc == 0; i++) {
		const struct ip_addr *asked = NULL;
		uint64_t epoch = 0;

		for (unsigned k = 0; k < 2; k++)
			asked = c->ips[k].family == families[i] ? &c->ips[k] : asked;
		if (c->family && c->family != families[i])
			continue;
		if (asked)
			rc = take_asked(a, net, c, rec, asked, &epoch, err);
		else if (c->family || network_record_has_family(&net->rec, families[i]))
			rc = agent_take_ip(
				a, net, families[i], &rec->ips[rec->nb_ips], &epoch, err);
		else
			continue;
		if (rc == 0 && !asked)
			rec->nb_ips++;
		rec->epoch = MAX_OF(rec->epoch, epoch);
	}
	return rc;
}
