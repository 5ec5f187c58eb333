// SPDX-License-Identifier: BSD-3-Clause
// Connecting containers to networks, and taking them off.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "config/conf.h"
#include "netd/agent/agent_priv.h"
#include "netd/drivers/endpoint_options.h"

#define STORE_WAIT_US (2 * SECOND_US) // for the store's word, before it is done without

struct connect {
	struct request req;
	char network[NAME_BYTES + ID_BYTES];
	struct endpoint_record rec; // as far as it was asked for; `ips` are filled in at the end
	struct ip_addr ips[2];
	bool has_mac, takes_over;
	struct netns_id netns;
	bool asked, exists; // the store was asked about a network that is not known here
};

struct ask {
	struct pending pending;
	uint64_t request;
};

static void connect_free(struct request *req)
{
	endpoint_record_fini(&((struct connect *)req)->rec);
}

static const char *path_of(const struct connect *c, char path[CONF_NAME_BYTES + 16])
{
	snprintf(path, CONF_NAME_BYTES + 16, "container %.63s", c->rec.name);
	return path;
}

// ---- whether it may be ----

// Endpoints of one name in one network are one too many, except that this host's container of that
// name may be gone already.
static int check_name(struct agent *a, struct replica_net *net, struct connect *c, struct err *err)
{
	struct local_endpoint *le;
	struct replica_endpoint *ep;
	char path[CONF_NAME_BYTES + 16];

	LIST_FOREACH (le, &net->local_endpoints, of_net) {
		bool same_netns = netns_same(&le->netns, &c->netns);

		if (le->state == ENDPOINT_STOPPING ||
			(strcmp(le->rec.name, c->rec.name) && !same_netns))
			continue;
		if (!a->opts.sandbox->ops->alive(a->opts.sandbox, le->rec.sandbox, &le->netns)) {
			agent_endpoint_container_gone(a, le);
			continue;
		}
		return err_set(err, -EEXIST, path_of(c, path),
			"%s is connected to network %s already (%s)",
			same_netns ? "this namespace" : "one of this name", net->rec.name,
			le->rec.name);
	}
	ep = replica_by_name(net, c->rec.name);
	if (!ep || strcmp(ep->rec.name, c->rec.name) || !strcmp(ep->rec.host, a->conf->host) ||
		!ep->host->present)
		return 0;
	return err_set(err, -EEXIST, path_of(c, path),
		"network %s has one of this name on host %s; choose another name", net->rec.name,
		ep->rec.host);
}

static int check_mac(struct replica_net *net, struct connect *c, struct err *err)
{
	struct replica_endpoint *ep;
	struct local_endpoint *le;
	char path[CONF_NAME_BYTES + 16], text[MAC_TEXT_BYTES];
	const char *other = NULL;
	struct mac gateway;

	if (network_gateway_mac(&net->rec, &gateway) &&
		!memcmp(&gateway, &c->rec.mac, sizeof(gateway)))
		other = "the gateway";
	LIST_FOREACH (ep, &net->endpoints, of_net)
		other = memcmp(&ep->rec.mac, &c->rec.mac, sizeof(struct mac)) ? other
									      : ep->rec.name;
	LIST_FOREACH (le, &net->local_endpoints, of_net)
		other = memcmp(&le->rec.mac, &c->rec.mac, sizeof(struct mac)) ? other
									      : le->rec.name;
	return other ? err_set(err, -EADDRINUSE, path_of(c, path),
			       "%s of network %s has the MAC address %s; choose another", other,
			       net->rec.name, mac_format(&c->rec.mac, text))
		     : 0;
}

// ---- addresses ----

static int subnet_error(
	struct replica_net *net, const struct connect *c, const struct ip_addr *ip, struct err *err)
{
	char path[CONF_NAME_BYTES + 16], text[IP_TEXT_BYTES], one[CIDR_TEXT_BYTES];
	char subnets[RECORD_SUBNETS_MAX * (CIDR_TEXT_BYTES + 2)];
	struct text list = text_over(subnets, sizeof(subnets));

	for (unsigned i = 0; i < net->rec.nb_subnets; i++)
		text_add_item(&list, ", ", "%s", cidr_format(&net->rec.subnets[i].cidr, one));
	return err_set(err, -EINVAL, path_of(c, path),
		"the address %s is in no subnet of network %s; it has %s", ip_format(ip, text),
		net->rec.name, subnets);
}

// Somebody has the address. A container that comes back under its name may have it from a host that
// is silent.
static int take_over(struct agent *a, struct replica_net *net, struct connect *c,
	const struct ip_addr *ip, uint64_t *ret_epoch, struct err *err)
{
	struct replica_endpoint *ep = replica_by_ip(&a->replica, net->id, ip);
	char path[CONF_NAME_BYTES + 16], text[IP_TEXT_BYTES];

	if (ep && !ep->host->present && !strcmp(ep->rec.name, c->rec.name) &&
		strcmp(ep->rec.host, a->conf->host) != 0) {
		*ret_epoch = ep->rec.epoch + 1;
		c->takes_over = true;
		return 0;
	}
	if (ep)
		return err_set(err, -EADDRINUSE, path_of(c, path),
			"the address %s of network %s is %s's on host %s%s; choose another",
			ip_format(ip, text), net->rec.name, ep->rec.name, ep->rec.host,
			ep->host->present ? "" : ", which is silent");
	return err_set(err, -EADDRINUSE, path_of(c, path),
		"the address %s of network %s is in use; choose another", ip_format(ip, text),
		net->rec.name);
}

static int take_asked(struct agent *a, struct replica_net *net, struct connect *c,
	const struct ip_addr *ip, uint64_t *ret_epoch, struct err *err)
{
	char path[CONF_NAME_BYTES + 16], text[IP_TEXT_BYTES];
	int subnet = agent_subnet_of(net, ip), rc;
	enum ipam_owner owner = IPAM_NOBODY;
	struct cidr *out = &c->rec.ips[c->rec.nb_ips];

	if (subnet < 0)
		return subnet_error(net, c, ip, err);
	rc = ipam_check(net->agent->pool[subnet], ip, &owner, ret_epoch, err);
	if (rc == -EADDRINUSE) {
		if (err)
			*err = (struct err){0};
		rc = take_over(a, net, c, ip, ret_epoch, err);
	}
	if (rc < 0)
		return rc;
	// What the block's last owner may still claim is void: so would the next owner have it.
	if (owner == IPAM_FREED)
		*ret_epoch += 1;
	if (!net->local && owner != IPAM_MINE && !agent_can_write(a))
		return err_set(err, -ECONNREFUSED, path_of(c, path),
			"the address %s is not among those that this host owns in network %s, and "
			"the store cannot be asked: %s; try again when it is back, or without an "
			"address",
			ip_format(ip, text), net->rec.name, agent_store_reason(a));
	*out = (struct cidr){.ip = *ip, .prefix = net->rec.subnets[subnet].cidr.prefix};
	c->rec.nb_ips++;
	c->rec.is_static = true;
	return 0;
}

// IPv4 first: the first address is the record's key. 0, -EAGAIN (a block is on its way), or a
// refusal.
static int take_ips(struct agent *a, struct replica_net *net, struct connect *c, struct err *err)
{
	static const unsigned families[] = {4, 6};
	int rc = 0;

	c->rec.nb_ips = 0;
	c->rec.epoch = 0;
	c->rec.is_static = c->takes_over = false;
	for (unsigned i = 0; i < 2 && rc == 0; i++) {
		const struct ip_addr *asked = NULL;
		uint64_t epoch = 0;

		for (unsigned k = 0; k < 2; k++)
			asked = c->ips[k].family == families[i] ? &c->ips[k] : asked;
		if (asked)
			rc = take_asked(a, net, c, asked, &epoch, err);
		else if (network_record_has_family(&net->rec, families[i]))
			rc = agent_take_ip(
				a, net, families[i], &c->rec.ips[c->rec.nb_ips], &epoch, err);
		else
			continue;
		if (rc == 0 && !asked)
			c->rec.nb_ips++;
		c->rec.epoch = MAX_OF(c->rec.epoch, epoch);
	}
	return rc;
}

// ---- connect ----

static int choose_ifname(struct agent *a, struct connect *c, struct err *err)
{
	char(*taken)[16] = calloc(HASH_COUNT(a->endpoints) + 1, sizeof(*taken));
	unsigned count = 0;
	int rc;

	if (!taken)
		return err_set(err, -ENOMEM, NULL, "out of memory");
	for (struct local_endpoint *le = a->endpoints; le; le = le->hh.next) {
		if (!netns_same(&le->netns, &c->netns))
			continue;
		if (c->rec.ifname[0] && le->state != ENDPOINT_STOPPING &&
			!strcmp(le->rec.ifname, c->rec.ifname)) {
			rc = err_set(err, -EEXIST, c->rec.name,
				"its interface %s belongs to network %s; choose another",
				c->rec.ifname, le->net->rec.name);
			goto out;
		}
		memcpy(taken[count++], le->rec.ifname, sizeof(*taken));
	}
	rc = c->rec.ifname[0] ? 0
			      : a->opts.sandbox->ops->ifname(a->opts.sandbox, c->rec.sandbox, taken,
					count, c->rec.ifname, err);
out:
	free(taken);
	return rc;
}

static int make_endpoint(
	struct agent *a, struct replica_net *net, struct connect *c, struct err *err)
{
	struct local_endpoint *le;
	int rc;

	if (!c->has_mac)
		c->rec.mac = ipam_mac(&c->rec.ips[0].ip);
	agent_make_id(a, c->rec.id);
	agent_created(c->rec.created);
	snprintf(c->rec.host, sizeof(c->rec.host), "%s", a->conf->host);
	c->rec.seq = agent_next_seq(a);
	rc = agent_endpoint_add(a, net, &c->rec, &c->netns, &le);
	if (rc < 0)
		return err_set_errno(err, rc, c->rec.name, "cannot be connected");
	c->rec = (struct endpoint_record){0};
	le->agent->done = c->req.done;
	le->agent->done_arg = c->req.done_arg;
	le->agent->takes_over = c->takes_over;
	le->agent->deadline_us = agent_now(a) + STORE_WAIT_US;
	le->agent->port_deadline_us = agent_now(a) + REQUEST_MAX_US;
	c->req.done = NULL;
	rc = agent_endpoint_save(a, le);
	if (rc < 0) {
		err_set_errno(err, rc, le->rec.name, "cannot be kept in the state folder");
		le->agent->done(le->agent->done_arg, rc, NULL, err);
		le->agent->done = NULL;
		agent_endpoint_stop(a, le);
	}
	return 0;
}

static int connect_now(struct agent *a, struct replica_net *net, struct connect *c, struct err *err)
{
	int rc = network_attach(&net->rec, &c->rec, err);

	if (rc == 0 && agent_network_is_going(a, net))
		return -EAGAIN;
	if (rc == 0 && !a->switch_up)
		rc = err_set(err, -ECONNREFUSED, "switch",
			"vswitchd does not answer; start it, and try again");
	if (rc == 0)
		rc = check_name(a, net, c, err);
	if (rc == 0 && c->has_mac)
		rc = check_mac(net, c, err);
	if (rc == 0)
		rc = take_ips(a, net, c, err);
	if (rc == 0)
		rc = choose_ifname(a, c, err);
	return rc == 0 ? make_endpoint(a, net, c, err) : rc;
}

static void on_asked(
	void *arg, int rc, const struct kv_pair *pairs, size_t count, uint64_t revision)
{
	struct ask *ask = arg;
	struct agent *a = ask->pending.a;
	struct request *req = request_find(a, ask->request);

	if (req) {
		((struct connect *)req)->exists = rc == 0;
		retry_done(&req->retry, 0, agent_now(a));
	}
	pending_free(&ask->pending);
	a->dirty = true;
	agent_kick(a);
}

// A network that was just made on another host is in the store before it is here.
static bool ask_store(struct agent *a, struct connect *c)
{
	char key[RECORD_KEY_BYTES];
	struct ask *ask;

	if (!agent_can_write(a) || c->asked || conf_name_check(c->network, "network", NULL) < 0)
		return c->req.retry.busy || c->exists;
	ask = pending_new(a, sizeof(*ask));
	if (!ask)
		return false;
	ask->request = c->req.number;
	c->asked = true;
	retry_start(&c->req.retry);
	kv_get(a->opts.kv, record_key_network(key, c->network), on_asked, ask);
	return true;
}

static bool connect_run(struct agent *a, struct request *req, uint64_t now_us)
{
	struct connect *c = (struct connect *)req;
	struct replica_net *net = replica_net(&a->replica, c->network);
	char path[CONF_NAME_BYTES + 16];
	struct err err = {0};
	int rc = -EAGAIN;

	if (net)
		rc = connect_now(a, net, c, &err);
	else if (!ask_store(a, c))
		rc = err_set(&err, -ENOENT, path_of(c, path),
			"there is no network %.63s%s; see `vsctl network ls`", c->network,
			agent_can_write(a) ? "" : " on this host, and the store cannot be asked");
	if (rc == -EAGAIN && now_us >= req->deadline_us)
		rc = err_set(&err, -ETIMEDOUT, path_of(c, path),
			"the store gives no addresses of network %.63s (%s); try again", c->network,
			agent_store_reason(a));
	return rc == -EAGAIN ? false : request_answer(a, req, rc, NULL, &err);
}

static int fill_record(struct connect *c, const struct connect_spec *spec, struct err *err)
{
	struct endpoint_record *rec = &c->rec;

	snprintf(rec->name, sizeof(rec->name), "%s", spec->name);
	if (snprintf(rec->sandbox, sizeof(rec->sandbox), "%s", spec->sandbox) >=
		(int)sizeof(rec->sandbox))
		return err_set(err, -EINVAL, spec->name, "the path of its namespace is too long");
	snprintf(rec->ifname, sizeof(rec->ifname), "%s", spec->ifname ? spec->ifname : "");
	if (spec->has_mac)
		rec->mac = spec->mac;
	c->has_mac = spec->has_mac;
	memcpy(c->ips, spec->ips, sizeof(c->ips));
	rec->options = spec->options ? json_deep_copy(spec->options) : NULL;
	rec->aliases = calloc(spec->nb_aliases + 1, sizeof(*rec->aliases));
	if (!rec->aliases)
		return err_set(err, -ENOMEM, NULL, "out of memory");
	for (unsigned i = 0; i < spec->nb_aliases; i++) {
		if (conf_name_check(spec->aliases[i], "container (alias)", err) < 0)
			return -EINVAL;
		snprintf(rec->aliases[rec->nb_aliases++], NAME_BYTES, "%s", spec->aliases[i]);
	}
	return 0;
}

static int check_spec(
	struct agent *a, const struct connect_spec *spec, struct connect *c, struct err *err)
{
	int rc = conf_name_check(spec->name, "container", err);

	if (rc == 0 && spec->nb_aliases > RECORD_ALIASES_MAX)
		rc = err_set(err, -E2BIG, spec->name, "%u aliases are too many; %u at most",
			spec->nb_aliases, RECORD_ALIASES_MAX);
	if (rc == 0 && endpoint_option_is(spec->options, ENDPOINT_RESOLV_CONF, "true", false))
		rc = agent_dns_check_resolv(a, spec->sandbox, err);
	if (rc == 0)
		rc = fill_record(c, spec, err);
	if (rc == 0)
		rc = a->opts.sandbox->ops->find(a->opts.sandbox, spec->sandbox, &c->netns, err);
	return rc;
}

void agent_connect(struct agent *a, const struct connect_spec *spec, agent_done_fn *fn, void *arg)
{
	struct connect *c = calloc(1, sizeof(*c));
	struct err err = {0};
	int rc = c ? check_spec(a, spec, c, &err) : err_set(&err, -ENOMEM, NULL, "out of memory");

	if (rc < 0) {
		fn(arg, rc, NULL, &err);
		if (c)
			connect_free(&c->req);
		free(c);
		return;
	}
	snprintf(c->network, sizeof(c->network), "%s", spec->network);
	c->req.run = connect_run;
	c->req.free = connect_free;
	request_add(a, &c->req, fn, arg);
	a->dirty = true;
	agent_kick(a);
}

// ---- disconnect ----

struct remove {
	struct pending pending;
	agent_done_fn *done;
	void *done_arg;
	json_t *result;
};

static void on_removed(void *arg, int rc, uint64_t revision)
{
	struct remove *remove = arg;
	struct err err = {0};

	if (rc < 0)
		err_set_errno(&err, rc, "store", "the endpoint was not removed");
	remove->done(remove->done_arg, rc, rc < 0 ? NULL : remove->result, &err);
	json_decref(remove->result);
	pending_free(&remove->pending);
}

// Another host's endpoint: only that host disconnects it, unless it is not there.
static int disconnect_other(struct agent *a, struct replica_endpoint *ep, bool force,
	agent_done_fn *fn, void *arg, struct err *err)
{
	struct remove *remove;
	char path[NAME_BYTES + 16];

	snprintf(path, sizeof(path), "container %s", ep->rec.name);
	if (ep->host->present || !force)
		return err_set(err, -EPERM, path, "it is on host %s%s; disconnect it %s",
			ep->rec.host, ep->host->present ? "" : ", which is silent",
			ep->host->present ? "there" : "with --force");
	if (!agent_can_write(a))
		return err_set(err, -ECONNREFUSED, path, "the store cannot be reached: %s",
			agent_store_reason(a));
	remove = pending_new(a, sizeof(*remove));
	if (!remove)
		return err_set(err, -ENOMEM, NULL, "out of memory");
	remove->done = fn;
	remove->done_arg = arg;
	remove->result = endpoint_record_json(&ep->rec);
	kv_txn(a->opts.kv,
		&(struct kv_op){.action = KV_DELETE,
			.guard = KV_REVISION,
			.key = ep->key,
			.revision = ep->revision},
		1, on_removed, remove);
	return 0;
}

static int disconnect(struct agent *a, const char *network, const char *endpoint, bool force,
	agent_done_fn *fn, void *arg, struct err *err)
{
	struct replica_net *net = replica_net(&a->replica, network);
	struct local_endpoint *le = net ? agent_endpoint_find(a, net, endpoint) : NULL;
	struct replica_endpoint *ep = net && !le ? replica_by_name(net, endpoint) : NULL;

	if (!net)
		return net_error(err, -ENOENT, network, "there is no such network");
	if (ep && strcmp(ep->rec.host, a->conf->host) != 0)
		return disconnect_other(a, ep, force, fn, arg, err);
	if (!le)
		return net_error(
			err, -ENOENT, network, "no container %.63s is connected to it", endpoint);
	if (le->agent->done)
		return net_error(err, -EBUSY, network,
			"container %.63s is being %s just now; try again", endpoint,
			le->state == ENDPOINT_STOPPING ? "disconnected" : "connected");
	le->agent->done = fn;
	le->agent->done_arg = arg;
	le->agent->deadline_us = agent_now(a) + STORE_WAIT_US;
	agent_endpoint_stop(a, le);
	return 0;
}

void agent_disconnect(struct agent *a, const char *network, const char *endpoint, bool force,
	agent_done_fn *fn, void *arg)
{
	struct err err = {0};
	int rc = disconnect(a, network, endpoint, force, fn, arg, &err);

	if (rc < 0)
		fn(arg, rc, NULL, &err);
	a->dirty = true;
	agent_kick(a);
}
