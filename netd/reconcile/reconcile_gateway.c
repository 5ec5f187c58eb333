// SPDX-License-Identifier: BSD-3-Clause
// The gateway of a network: a port in the host's own namespace with the network's gateway
// addresses. It has the same MAC on each host, so a container reaches it on any host; it and the
// tunnel's port are isolated from each other, so a container always reaches that of its own host.
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "netd/drivers/network.h"
#include "netd/reconcile/reconcile_priv.h"

// The guard of its port lists them all.
static_assert(RECORD_SUBNETS_MAX <= CONF_GUARD_IPS_MAX);

static struct plan_gateway gateway_of(const struct sw_net *net)
{
	struct network_plan plan = {};

	if (net->net)
		network_plan(&net->net->rec, &plan);
	return plan.gateway;
}

static void mark(struct sw_net *net)
{
	const struct plan_gateway *gw = &net->gateway;

	if (gw->nb_ips)
		sw_keys_add(net, &(struct sw_key){.kind = KEY_FDB, .mac = gw->mac});
	for (unsigned i = 0; i < gw->nb_ips; i++)
		sw_keys_add(net, &(struct sw_key){.kind = KEY_NEIGH, .ip = gw->ips[i]});
}

struct sw_net *sw_gateway_find(struct reconcile *rec, const char *port)
{
	struct sw_net *net;

	LIST_FOREACH (net, &rec->nets, entry) {
		if (net->gw_name[0] && !strcmp(net->gw_name, port))
			return net;
	}
	return NULL;
}

uint32_t reconcile_gateway_mtu(const struct replica_net *net)
{
	const struct sw_net *sw = net->reconcile;

	return sw ? sw->gw_mtu : 0;
}

// ---- what is wanted ----

bool sw_gateway_wanted(const struct sw_net *net)
{
	return net->nb_ports && net->gateway.nb_ips;
}

static bool is_same(const struct plan_gateway *a, const struct plan_gateway *b)
{
	bool same = a->nb_ips == b->nb_ips && a->nb_peers == b->nb_peers; // the MAC comes from them

	for (unsigned i = 0; same && i < a->nb_ips; i++)
		same = ip_equal(&a->ips[i], &b->ips[i]);
	for (unsigned i = 0; same && i < a->nb_peers; i++)
		same = cidr_equal(&a->peers[i], &b->peers[i]);
	return same;
}

void sw_gateway_look(struct sw_net *net)
{
	struct plan_gateway gw = gateway_of(net);
	json_t *fixed, *live;

	if (!is_same(&gw, &net->gateway)) {
		mark(net);
		net->gateway = gw;
		mark(net);
	}
	if (!sw_gateway_wanted(net))
		return;
	if (!net->gw_name[0]) {
		snprintf(net->gw_name, sizeof(net->gw_name), RECONCILE_GW_PREFIX "%.12s",
			net->net->id);
		snprintf(net->gw_ifname, sizeof(net->gw_ifname), "cw-%.12s", net->net->id);
	}
	sw_gateway_options(net, &fixed, &live);
	net->gw.want = sw_digest(fixed, live);
}

void sw_gateway_options(const struct sw_net *net, json_t **ret_fixed, json_t **ret_live)
{
	const struct plan_gateway *gw = &net->gateway;
	json_t *ips = json_array(), *peers = json_array(), *options;
	char text[CIDR_TEXT_BYTES];

	for (unsigned i = 0; i < gw->nb_ips; i++)
		json_array_append_new(ips, json_string(ip_format(&gw->ips[i], text)));
	for (unsigned i = 0; i < gw->nb_peers; i++)
		json_array_append_new(peers, json_string(cidr_format(&gw->peers[i], text)));
	options = json_pack("{s:s, s:s, s:s, s:o, s:b, s:b, s:o, s:s, s:o, s:s}", "type", "tap",
		"ifname", net->gw_ifname, "mac", mac_format(&gw->mac, text), "mtu", sw_net_mtu(net),
		"isolated", 1, "guard", 1, "guard_ips", ips, "filter", "gateway", "filter_from",
		peers, "managed_by", RECONCILE_MANAGER);
	sw_options_split(&schema_port, options, ret_fixed, ret_live);
}

bool sw_gateway_has_mac(const struct sw_net *net, const struct mac *mac)
{
	return net->gw.there && sw_gateway_wanted(net) &&
	       !memcmp(&net->gateway.mac, mac, sizeof(*mac));
}

bool sw_gateway_has_ip(const struct sw_net *net, const struct ip_addr *ip)
{
	for (unsigned i = 0; i < net->gateway.nb_ips; i++) {
		if (ip_equal(&net->gateway.ips[i], ip))
			return sw_gateway_wanted(net);
	}
	return false;
}

void sw_gateway_each(const struct sw_net *net, sw_key_fn *fn, void *arg)
{
	const struct plan_gateway *gw = &net->gateway;

	if (!sw_gateway_wanted(net))
		return;
	if (net->gw.there)
		fn(arg, &(struct sw_key){.kind = KEY_FDB, .mac = gw->mac});
	for (unsigned i = 0; i < gw->nb_ips; i++)
		fn(arg, &(struct sw_key){.kind = KEY_NEIGH, .ip = gw->ips[i]});
}

// ---- what the agent hears ----

void sw_gateway_tell(struct sw_net *net, bool up)
{
	struct reconcile_opts *opts = &net->rec->opts;

	if (!net->net || (!up && !net->gw_told))
		return;
	net->gw_told = up;
	if (opts->on_gateway)
		opts->on_gateway(opts->arg, net->net, net->gw_ifname, up);
}

// ---- calls ----

static void on_added(struct reconcile *rec, struct sw_call *call, int rc, const json_t *result,
	const struct err *err)
{
	struct sw_net *net = call->net;

	if (!sw_net_answered(net, &net->gw, rc, err))
		return;
	net->gw.there = true;
	net->gw.has = net->gw.sent;
	mark(net); // its forwarding entry comes with it
	sw_gateway_tell(net, true);
}

static void on_set(struct reconcile *rec, struct sw_call *call, int rc, const json_t *result,
	const struct err *err)
{
	struct sw_net *net = call->net;

	if (!sw_net_answered(net, &net->gw, rc, err))
		return;
	net->gw.has = net->gw.sent;
	sw_gateway_tell(net, true);
}

static void on_deleted(struct reconcile *rec, struct sw_call *call, int rc, const json_t *result,
	const struct err *err)
{
	struct sw_net *net = call->net;

	if (!sw_net_answered(net, &net->gw, rc, err))
		return;
	net->gw.there = false; // and its forwarding entry with it
}

static void delete (struct sw_net *net)
{
	sw_gateway_tell(net, false);
	sw_object_call(net->rec, &net->gw, net, "port.del",
		json_pack("{s:s, s:b}", "name", net->gw_name, "if_exists", 1), on_deleted);
}

static void add(struct sw_net *net)
{
	json_t *fixed, *live;

	sw_gateway_options(net, &fixed, &live);
	net->gw.sent = net->gw.want;
	sw_object_call(net->rec, &net->gw, net, "port.add",
		json_pack("{s:s, s:o}", "bridge", net->bridge_name, "port",
			sw_options_named(net->gw_name, fixed, live)),
		on_added);
}

static void set(struct sw_net *net)
{
	json_t *fixed, *live;

	sw_gateway_options(net, &fixed, &live);
	json_decref(fixed);
	net->gw.sent = net->gw.want;
	sw_object_call(net->rec, &net->gw, net, "port.set",
		json_pack("{s:s, s:o}", "name", net->gw_name, "port", live), on_set);
}

void sw_gateway_step(struct sw_net *net)
{
	struct sw_object *obj = &net->gw;
	bool wanted = sw_gateway_wanted(net);

	if (wanted ? sw_is_as_wanted(obj) : !obj->there)
		return;
	if (!net->bridge.there || !sw_object_due(net->rec, obj))
		return;
	if (!wanted || (obj->there && obj->has.fixed != obj->want.fixed))
		delete (net);
	else if (obj->there)
		set(net);
	else
		add(net);
}
