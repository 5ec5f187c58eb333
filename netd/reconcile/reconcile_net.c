// SPDX-License-Identifier: BSD-3-Clause
// The tunnel endpoint, and what a network is in the switch: a bridge and a port of type vxlan.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netd/drivers/network.h"
#include "netd/reconcile/reconcile_priv.h"

bool sw_may_change(struct reconcile *rec)
{
	// What is listed must not change meanwhile.
	return rec->up && rec->listed && !rec->nb_listing &&
	       !(rec->relist && sw_object_due(rec, &rec->list));
}

// ---- options ----

void sw_tunnel_options(const struct reconcile *rec, json_t **ret_fixed, json_t **ret_live)
{
	const struct reconcile_tunnel *t = &rec->tunnel;
	char text[IP_TEXT_BYTES];
	json_t *options = json_object();

	json_object_set_new(options, "managed_by", json_string(RECONCILE_MANAGER));
	if (t->address.family)
		json_object_set_new(options, "address", json_string(ip_format(&t->address, text)));
	if (t->udp_port)
		json_object_set_new(options, "udp_port", json_integer(t->udp_port));
	if (t->mtu)
		json_object_set_new(options, "mtu", json_integer(t->mtu));
	if (t->heartbeat_ms)
		json_object_set_new(options, "heartbeat", json_integer(t->heartbeat_ms));
	sw_options_split(&schema_vtep, options, ret_fixed, ret_live);
}

void sw_bridge_options(json_t **ret_fixed, json_t **ret_live)
{
	sw_options_split(&schema_bridge, json_pack("{s:s}", "managed_by", RECONCILE_MANAGER),
		ret_fixed, ret_live);
}

static void add_mark(json_t *options, const char *key, uint16_t value)
{
	if (value)
		json_object_set_new(options, key,
			value == PLAN_INHERIT ? json_string("inherit") : json_integer(value));
}

void sw_vx_options(const struct sw_net *net, json_t **ret_fixed, json_t **ret_live)
{
	struct network_plan plan;
	json_t *options = json_pack("{s:s, s:i, s:s, s:b, s:b, s:s}", "type", "vxlan", "key",
		(int)net->vni, "vtep", RECONCILE_TUNNEL, "learning", 0, "isolated", 1, "managed_by",
		RECONCILE_MANAGER);

	network_plan(&net->net->rec, &plan);
	add_mark(options, "dscp", plan.dscp);
	add_mark(options, "ttl", plan.ttl);
	sw_options_split(&schema_port, options, ret_fixed, ret_live);
}

bool sw_net_answered(struct sw_net *net, struct sw_object *obj, int rc, const struct err *err)
{
	sw_net_queue(net);
	if (rc == 0) {
		sw_object_ok(obj);
		return true;
	}
	sw_object_failed(net->rec, obj, err);
	if (rc == -EEXIST) // somebody has made it meanwhile
		sw_relist(net->rec, false);
	return false;
}

json_t *sw_net_mtu(const struct sw_net *net)
{
	struct network_plan plan;

	network_plan(&net->net->rec, &plan);
	return plan.mtu ? json_integer(plan.mtu) : json_string("auto");
}

// ---- the tunnel endpoint ----

static void on_tunnel(struct reconcile *rec, struct sw_call *call, int rc, const json_t *result,
	const struct err *err)
{
	struct sw_object *obj = call->obj;

	if (rc < 0) {
		sw_object_failed(rec, obj, err);
		if (rc == -EEXIST || rc == -ENOENT)
			sw_relist(rec, false);
		return;
	}
	sw_object_ok(obj);
	obj->there = true;
	obj->has = obj->sent;
	sw_nets_queue(rec); // their ports may have waited for it
}

void sw_tunnel_step(struct reconcile *rec)
{
	struct sw_object *obj = &rec->tunnel_obj;
	json_t *fixed, *live;

	if (!rec->has_tunnel || sw_is_as_wanted(obj) || !sw_may_change(rec) ||
		!sw_object_due(rec, obj))
		return;
	obj->sent = obj->want;
	sw_tunnel_options(rec, &fixed, &live);
	if (!obj->there) {
		sw_object_call(rec, obj, NULL, "vtep.add",
			json_pack("{s:o}", "vtep", sw_options_named(RECONCILE_TUNNEL, fixed, live)),
			on_tunnel);
		return;
	}
	json_decref(fixed);
	sw_object_call(rec, obj, NULL, "vtep.set",
		json_pack("{s:s, s:o}", "name", RECONCILE_TUNNEL, "vtep", live), on_tunnel);
}

// ---- networks ----

struct sw_net *sw_net_new(struct reconcile *rec, struct replica_net *replica_net)
{
	struct sw_net *net = calloc(1, sizeof(*net));

	if (!net)
		return NULL;
	net->rec = rec;
	net->net = replica_net;
	net->batch_max = BATCH_MAX;
	LIST_INIT(&net->ports);
	LIST_INSERT_HEAD(&rec->nets, net, entry);
	replica_net->reconcile = net;
	return net;
}

void sw_net_free(struct sw_net *net)
{
	sw_claims_drop(net);
	sw_entries_reset(net);
	if (net->queued) {
		TAILQ_REMOVE(&net->rec->todo, net, todo);
		net->rec->nb_todo--;
	}
	if (net->net)
		net->net->reconcile = NULL;
	sw_object_fini(&net->bridge);
	sw_object_fini(&net->vx);
	sw_object_fini(&net->gw);
	sw_object_fini(&net->batch);
	sw_object_fini(&net->refusal);
	LIST_REMOVE(net, entry);
	free(net);
}

void sw_net_reset(struct sw_net *net)
{
	struct sw_port *port;

	sw_object_reset(&net->bridge);
	sw_object_reset(&net->vx);
	sw_object_reset(&net->gw);
	sw_object_reset(&net->batch);
	net->nb_calls = 0;
	net->batch_max = BATCH_MAX;
	sw_entries_reset(net);
	LIST_FOREACH (port, &net->ports, of_net)
		sw_object_reset(&port->obj);
	sw_net_queue(net);
}

static bool is_taken(const struct sw_net *net, const char *name)
{
	const struct sw_net *other;

	LIST_FOREACH (other, &net->rec->nets, entry) {
		if (other != net && !strcmp(other->bridge_name, name))
			return true;
	}
	return false;
}

bool sw_net_name(struct sw_net *net)
{
	const struct replica_net *rn = net->net;
	struct network_plan plan;
	json_t *fixed, *live;
	int len;

	if (net->named)
		return true;
	if (!rn || (!rn->known && !rn->local))
		return false;
	len = snprintf(
		net->bridge_name, sizeof(net->bridge_name), RECONCILE_PREFIX "%s", rn->rec.name);
	if (len >= (int)sizeof(net->bridge_name) ||
		conf_name_check(net->bridge_name, "bridge", NULL) < 0 ||
		is_taken(net, net->bridge_name))
		snprintf(net->bridge_name, sizeof(net->bridge_name), RECONCILE_PREFIX "%.12s",
			rn->id);
	network_plan(&rn->rec, &plan);
	net->vni = plan.vni;
	if (net->vni)
		snprintf(net->vx_name, sizeof(net->vx_name), RECONCILE_VX_PREFIX "%u", net->vni);
	net->named = true;
	sw_bridge_options(&fixed, &live);
	net->bridge.want = sw_digest(fixed, live);
	return true;
}

static void on_bridge_added(struct reconcile *rec, struct sw_call *call, int rc,
	const json_t *result, const struct err *err)
{
	struct sw_net *net = call->net;

	if (!sw_net_answered(net, &net->bridge, rc, err))
		return;
	net->bridge.there = true;
	net->bridge.has = net->bridge.sent;
	// It is empty. Forwarding entries come with the port that they need.
	sw_entries_reset(net);
	net->entries = ENTRIES_KNOWN;
	sw_entries_mark_all(net, false, true);
}

static void on_bridge_set(struct reconcile *rec, struct sw_call *call, int rc, const json_t *result,
	const struct err *err)
{
	struct sw_net *net = call->net;

	if (sw_net_answered(net, &net->bridge, rc, err))
		net->bridge.has = net->bridge.sent;
}

static void on_bridge_deleted(struct reconcile *rec, struct sw_call *call, int rc,
	const json_t *result, const struct err *err)
{
	struct sw_net *net = call->net;

	if (!sw_net_answered(net, &net->bridge, rc, err))
		return;
	net->bridge.there = net->vx.there = net->gw.there = false;
	sw_entries_reset(net);
}

static void on_vx_added(struct reconcile *rec, struct sw_call *call, int rc, const json_t *result,
	const struct err *err)
{
	struct sw_net *net = call->net;

	if (!sw_net_answered(net, &net->vx, rc, err))
		return;
	net->vx.there = true;
	net->vx.has = net->vx.sent;
	if (net->entries != ENTRIES_UNKNOWN)
		sw_entries_mark_all(net, true, false);
}

static void on_vx_set(struct reconcile *rec, struct sw_call *call, int rc, const json_t *result,
	const struct err *err)
{
	struct sw_net *net = call->net;

	if (!sw_net_answered(net, &net->vx, rc, err))
		return;
	net->vx.has = net->vx.sent;
}

static void on_vx_deleted(struct reconcile *rec, struct sw_call *call, int rc, const json_t *result,
	const struct err *err)
{
	struct sw_net *net = call->net;

	if (!sw_net_answered(net, &net->vx, rc, err))
		return;
	net->vx.there = false; // and its forwarding entries with it
}

static void vx_step(struct sw_net *net)
{
	struct sw_object *obj = &net->vx;
	json_t *fixed, *live;

	if (!net->vx_name[0] || !net->rec->tunnel_obj.there)
		return;
	sw_vx_options(net, &fixed, &live);
	obj->want = sw_digest(json_incref(fixed), json_incref(live));
	if (sw_is_as_wanted(obj) || !sw_object_due(net->rec, obj)) {
		json_decref(fixed);
		json_decref(live);
		return;
	}
	obj->sent = obj->want;
	if (!obj->there) {
		sw_object_call(net->rec, obj, net, "port.add",
			json_pack("{s:s, s:o}", "bridge", net->bridge_name, "port",
				sw_options_named(net->vx_name, fixed, live)),
			on_vx_added);
		return;
	}
	json_decref(fixed);
	if (obj->has.fixed == obj->want.fixed) {
		sw_object_call(net->rec, obj, net, "port.set",
			json_pack("{s:s, s:o}", "name", net->vx_name, "port", live), on_vx_set);
		return;
	}
	json_decref(live);
	sw_object_call(net->rec, obj, net, "port.del",
		json_pack("{s:s, s:b}", "name", net->vx_name, "if_exists", 1), on_vx_deleted);
}

static void bridge_step(struct sw_net *net)
{
	struct sw_object *obj = &net->bridge;
	json_t *fixed, *live;

	if (sw_is_as_wanted(obj) || !sw_object_due(net->rec, obj))
		return;
	sw_bridge_options(&fixed, &live);
	obj->sent = obj->want;
	if (!obj->there) {
		sw_object_call(net->rec, obj, net, "bridge.add",
			json_pack(
				"{s:o}", "bridge", sw_options_named(net->bridge_name, fixed, live)),
			on_bridge_added);
		return;
	}
	json_decref(fixed);
	sw_object_call(net->rec, obj, net, "bridge.set",
		json_pack("{s:s, s:o}", "name", net->bridge_name, "bridge", live), on_bridge_set);
}

static void leave(struct sw_net *net)
{
	struct reconcile *rec = net->rec;

	sw_gateway_tell(net, false);
	if (net->bridge.busy || net->vx.busy || net->gw.busy || net->nb_calls)
		return;
	if (!net->bridge.there)
		sw_net_free(net);
	else if (sw_object_due(rec, &net->bridge))
		sw_object_call(rec, &net->bridge, net, "bridge.del",
			json_pack("{s:s, s:b}", "name", net->bridge_name, "if_exists", 1),
			on_bridge_deleted);
}

void sw_net_step(struct sw_net *net)
{
	struct reconcile *rec = net->rec;

	// While the bridge goes, nothing can be put on it: the answer has the network looked at
	// again.
	if (!sw_may_change(rec) || net->bridge.busy)
		return;
	if (!net->nb_ports) {
		leave(net);
		return;
	}
	if (!sw_net_name(net) || sw_claims_build(net) < 0) {
		sw_retry(rec);
		sw_ports_step(net);
		return;
	}
	sw_gateway_look(net);
	bridge_step(net);
	if (net->bridge.there) {
		vx_step(net);
		sw_gateway_step(net);
		sw_entries_step(net);
	}
	sw_ports_step(net);
}

// ---- what nobody wants ----

static void on_stray(struct reconcile *rec, struct sw_call *call, int rc, const json_t *result,
	const struct err *err)
{
	struct sw_stray *stray;

	LIST_FOREACH (stray, &rec->strays, entry) {
		if (&stray->obj == call->obj)
			break;
	}
	if (!stray) // a new listing came in between
		return;
	if (rc < 0) {
		sw_object_failed(rec, &stray->obj, err);
		return;
	}
	sw_object_fini(&stray->obj);
	LIST_REMOVE(stray, entry);
	free(stray);
	sw_nets_queue(rec); // what is wanted may have waited for its name
}

void sw_strays_step(struct reconcile *rec)
{
	static const char *const methods[] = {
		[STRAY_PORT] = "port.del",
		[STRAY_BRIDGE] = "bridge.del",
		[STRAY_TUNNEL] = "vtep.del",
	};
	struct sw_stray *stray;

	if (!rec->ready || !sw_may_change(rec))
		return;
	LIST_FOREACH (stray, &rec->strays, entry) {
		if (sw_object_due(rec, &stray->obj))
			sw_object_call(rec, &stray->obj, NULL, methods[stray->kind],
				json_pack("{s:s, s:b}", "name", stray->name, "if_exists", 1),
				on_stray);
	}
}

void sw_strays_drop(struct reconcile *rec)
{
	struct sw_stray *stray;

	while ((stray = LIST_FIRST(&rec->strays))) {
		LIST_REMOVE(stray, entry);
		sw_object_fini(&stray->obj);
		free(stray);
	}
}
