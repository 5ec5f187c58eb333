// SPDX-License-Identifier: BSD-3-Clause
// Which VTEPs, bridges and ports the switch has, compared with what is wanted: after a new
// connection, when an answer was not as expected, and for an audit.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/member.h"
#include "netd/reconcile/reconcile_priv.h"

#define WORDS_BYTES 160

static bool is_ours(const char *name)
{
	return !strncmp(name, RECONCILE_PREFIX, strlen(RECONCILE_PREFIX));
}

// Whether the option is as wanted; null stands for its default, which is not listed.
static bool is_option(const json_t *actual, const char *key, const json_t *want)
{
	const json_t *value = json_object_get(actual, key);
	char number[32];

	if (json_is_null(want))
		return !value;
	if (json_is_string(want) && json_is_integer(value)) { // a process as namespace
		snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(value));
		return !strcmp(number, json_string_value(want));
	}
	return json_equal(value, (json_t *)want);
}

static const char *first_difference(const json_t *actual, json_t *want)
{
	const json_t *value;
	const char *key;

	json_object_foreach (want, key, value) {
		if (!is_option(actual, key, value))
			return key;
	}
	return NULL;
}

// An option of a newer switch.
static const char *unknown_option(const json_t *actual, json_t *fixed, json_t *live)
{
	const json_t *value;
	const char *key;

	json_object_foreach ((json_t *)actual, key, value) {
		if (!json_object_get(fixed, key) && !json_object_get(live, key))
			return key;
	}
	return NULL;
}

static void option_words(const char *key, const json_t *options, char buf[WORDS_BYTES])
{
	const json_t *value = json_object_get(options, key);
	char *text = value ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;

	snprintf(buf, WORDS_BYTES, "%s %s", key, text ? text : "null");
	free(text);
}

// Notes in the object what the switch has of it. Takes `fixed` and `live` over.
static void see(struct reconcile *rec, struct sw_object *obj, const char *what,
	const json_t *actual, json_t *fixed, json_t *live)
{
	const char *a = first_difference(actual, fixed), *b = first_difference(actual, live);
	const char *c = a || b ? NULL : unknown_option(actual, fixed, live);
	const char *key = a ? a : b ? b : c;
	char wanted[WORDS_BYTES], found[WORDS_BYTES];

	if (!b)
		b = c; // not worth an interface: the other options are set again, no more
	if (key) {
		option_words(key, json_object_get(fixed, key) ? fixed : live, wanted);
		option_words(key, actual, found);
		sw_audit_difference(rec, what, "other options", wanted, found);
	}
	obj->seen = true;
	obj->want = sw_digest(fixed, live);
	if (rec->list_report)
		return;
	obj->there = true;
	obj->has = obj->want;
	if (a)
		obj->has.fixed = 0;
	if (b)
		obj->has.live = 0;
}

static void unexpected(
	struct reconcile *rec, const char *what, const char *name, const char *actual)
{
	char object[CONF_NAME_BYTES + 24];

	snprintf(object, sizeof(object), "%s %s", what, name);
	sw_audit_difference(rec, object, "unexpected", "", actual);
}

static void take_stray(struct reconcile *rec, int kind, const char *name)
{
	struct sw_stray *stray;

	stray = calloc(1, sizeof(*stray));
	if (!stray) {
		sw_relist(rec, false);
		return;
	}
	stray->kind = kind;
	snprintf(stray->name, sizeof(stray->name), "%s", name);
	LIST_INSERT_HEAD(&rec->strays, stray, entry);
}

static void add_stray(struct reconcile *rec, int kind, const char *what, const char *name)
{
	unexpected(rec, what, name, "there");
	if (!rec->list_report)
		take_stray(rec, kind, name);
}

static void see_down(struct reconcile *rec, const char *what, const json_t *json)
{
	if (!strcmp(member_text(json, "state"), "down"))
		sw_audit_difference(rec, what, "down", "up", member_text(json, "reason"));
}

static void see_tunnels(struct reconcile *rec)
{
	const json_t *tunnel;
	json_t *fixed, *live;
	size_t i;

	json_array_foreach (rec->tunnels, i, tunnel) {
		const char *name = member_text(tunnel, "name");

		if (!is_ours(name))
			continue;
		if (rec->has_tunnel && !strcmp(name, RECONCILE_TUNNEL)) {
			sw_tunnel_options(rec, &fixed, &live);
			see(rec, &rec->tunnel_obj, "VTEP " RECONCILE_TUNNEL,
				json_object_get(tunnel, "options"), fixed, live);
			see_down(rec, "VTEP " RECONCILE_TUNNEL, tunnel);
		} else if (strcmp(name, RECONCILE_TUNNEL) != 0)
			add_stray(rec, STRAY_TUNNEL, "VTEP", name);
	}
}

// Of a network whose name could not be had when its bridge was made.
static bool is_second_name(const struct sw_net *net, const char *name)
{
	char second[CONF_NAME_BYTES];

	snprintf(second, sizeof(second), RECONCILE_PREFIX "%.12s", net->net ? net->net->id : "");
	return net->net && !net->bridge.there && !net->bridge.seen && !strcmp(second, name);
}

static void see_own_bridge(struct reconcile *rec, struct sw_net *net, const json_t *options)
{
	json_t *plain = sw_options_plain(&schema_bridge, options), *fixed, *live;
	char what[CONF_NAME_BYTES + 24];

	snprintf(what, sizeof(what), "bridge %s", net->bridge_name);
	sw_bridge_options(&fixed, &live);
	see(rec, &net->bridge, what, plain, fixed, live);
	json_decref(plain);
}

static void see_bridge(struct reconcile *rec, const char *name, const json_t *options)
{
	struct sw_net *net;

	LIST_FOREACH (net, &rec->nets, entry) {
		if (!sw_net_name(net))
			continue;
		if (is_second_name(net, name))
			snprintf(net->bridge_name, sizeof(net->bridge_name), "%s", name);
		if (strcmp(net->bridge_name, name) != 0)
			continue;
		see_own_bridge(rec, net, options);
		return;
	}
	add_stray(rec, STRAY_BRIDGE, "bridge", name);
}

static void see_bridges(struct reconcile *rec)
{
	const json_t *bridge;
	size_t i;

	json_array_foreach (rec->bridges, i, bridge) {
		const char *name = member_text(bridge, "name");

		if (is_ours(name))
			see_bridge(rec, name, json_object_get(bridge, "options"));
	}
}

static struct sw_net *net_of_vx(struct reconcile *rec, const char *name)
{
	struct sw_net *net;

	LIST_FOREACH (net, &rec->nets, entry) {
		if (net->vx_name[0] && !strcmp(net->vx_name, name))
			return net;
	}
	return NULL;
}

static void see_place(struct reconcile *rec, struct sw_object *obj, const char *what,
	const char *wanted, const char *bridge)
{
	if (!strcmp(wanted, bridge))
		return;
	sw_audit_difference(rec, what, "on another bridge", wanted, bridge);
	if (!rec->list_report)
		obj->has.fixed = 0;
}

static void see_own_port(
	struct reconcile *rec, struct sw_port *port, const json_t *options, const json_t *json)
{
	char what[CONF_NAME_BYTES + 24];
	json_t *fixed = NULL, *live = NULL;
	bool down = !strcmp(member_text(json, "state"), "down");

	if (!sw_port_wanted(port)) { // it is to be deleted, or was to be already
		port->obj.seen = true;
		port->obj.there |= !rec->list_report;
		return;
	}
	snprintf(what, sizeof(what), "port %s", port->name);
	port->mtu = member_int(json, "mtu");
	sw_port_options(port, &fixed, &live);
	see(rec, &port->obj, what, options, fixed, live);
	see_place(rec, &port->obj, what, port->net->bridge_name, member_text(json, "bridge"));
	see_down(rec, what, json);
	if (rec->list_report)
		return;
	if (down)
		sw_port_down(port, member_text(json, "reason"));
	else if (sw_is_as_wanted(&port->obj))
		sw_port_up(port);
}

static void see_vx(
	struct reconcile *rec, struct sw_net *net, const json_t *options, const json_t *json)
{
	char what[CONF_NAME_BYTES + 24];
	json_t *fixed, *live;

	snprintf(what, sizeof(what), "port %s", net->vx_name);
	sw_vx_options(net, &fixed, &live);
	see(rec, &net->vx, what, options, fixed, live);
	see_place(rec, &net->vx, what, net->bridge_name, member_text(json, "bridge"));
	see_down(rec, what, json);
}

static void see_gateway(
	struct reconcile *rec, struct sw_net *net, const json_t *options, const json_t *json)
{
	char what[CONF_NAME_BYTES + 24];
	json_t *fixed, *live;

	snprintf(what, sizeof(what), "port %s", net->gw_name);
	if (!sw_gateway_wanted(net)) { // it is to be deleted
		sw_audit_difference(rec, what, "unexpected", "", "there");
		net->gw.seen = true;
		net->gw.there |= !rec->list_report;
		return;
	}
	net->gw_mtu = member_int(json, "mtu");
	sw_gateway_options(net, &fixed, &live);
	see(rec, &net->gw, what, options, fixed, live);
	see_place(rec, &net->gw, what, net->bridge_name, member_text(json, "bridge"));
	see_down(rec, what, json);
	if (rec->list_report)
		return;
	if (!strcmp(member_text(json, "state"), "down"))
		sw_gateway_tell(net, false);
	else if (sw_is_as_wanted(&net->gw))
		sw_gateway_tell(net, true);
}

static void see_port(struct reconcile *rec, const json_t *json)
{
	const char *name = member_text(json, "name");
	struct sw_net *net = net_of_vx(rec, name), *gateway = sw_gateway_find(rec, name);
	struct sw_port *port;
	json_t *options;

	HASH_FIND_STR(rec->ports, name, port);
	if (!net && !gateway && !port) {
		add_stray(rec, STRAY_PORT, "port", name);
		return;
	}
	options = json_copy(json_object_get(json, "options"));
	json_object_set(options, "type", json_object_get(json, "type"));
	if (port)
		see_own_port(rec, port, options, json);
	else if (gateway)
		see_gateway(rec, gateway, options, json);
	else
		see_vx(rec, net, options, json);
	json_decref(options);
}

static bool is_on_ours(const struct reconcile *rec, const json_t *json)
{
	const char *bridge = member_text(json, "bridge");
	const struct sw_net *net;

	LIST_FOREACH (net, &rec->nets, entry) {
		if (net->named && !strcmp(net->bridge_name, bridge))
			return true;
	}
	return !strcmp(member_text(json_object_get(json, "options"), "vtep"), RECONCILE_TUNNEL);
}

// Somebody has forced it in. An operator may want it for a while: only a repair takes it out.
static void see_foreign_port(struct reconcile *rec, const json_t *json)
{
	const char *name = member_text(json, "name");
	char actual[CONF_NAME_BYTES + 24];

	if (!is_on_ours(rec, json))
		return;
	snprintf(actual, sizeof(actual), "on bridge %s", member_text(json, "bridge"));
	unexpected(rec, "port", name, actual);
	if (sw_audit_repairs(rec))
		take_stray(rec, STRAY_PORT, name);
}

static void see_ports(struct reconcile *rec)
{
	const json_t *port;
	size_t i;

	json_array_foreach (rec->port_list, i, port) {
		if (is_ours(member_text(port, "name")))
			see_port(rec, port);
		else
			see_foreign_port(rec, port);
	}
}

static void begin_object(struct reconcile *rec, struct sw_object *obj)
{
	obj->seen = false;
	obj->was_there = obj->there;
	if (!rec->list_report) {
		obj->there = false;
		obj->has = (struct sw_digest){0};
	}
}

static void begin_all(struct reconcile *rec)
{
	struct sw_port *port;
	struct sw_net *net;

	begin_object(rec, &rec->tunnel_obj);
	LIST_FOREACH (net, &rec->nets, entry) {
		begin_object(rec, &net->bridge);
		begin_object(rec, &net->vx);
		begin_object(rec, &net->gw);
		if (sw_net_name(net))
			sw_gateway_look(net);
		LIST_FOREACH (port, &net->ports, of_net)
			begin_object(rec, &port->obj);
	}
	if (!rec->list_report)
		sw_strays_drop(rec);
}

static void missing(
	struct reconcile *rec, const struct sw_object *obj, const char *kind, const char *name)
{
	char what[CONF_NAME_BYTES + 24];

	if (obj->seen)
		return;
	snprintf(what, sizeof(what), "%s %s", kind, name);
	sw_audit_difference(rec, what, "missing", "there", obj->reason ? obj->reason : "");
}

static void end_net(struct reconcile *rec, struct sw_net *net)
{
	struct sw_port *port;

	if (net->nb_ports && net->named) {
		missing(rec, &net->bridge, "bridge", net->bridge_name);
		if (net->vx_name[0])
			missing(rec, &net->vx, "port", net->vx_name);
		if (sw_gateway_wanted(net))
			missing(rec, &net->gw, "port", net->gw_name);
	}
	LIST_FOREACH (port, &net->ports, of_net) {
		if (sw_port_wanted(port))
			missing(rec, &port->obj, "port", port->name);
	}
	if (rec->list_report)
		return;
	// One that came without an answer has no entries yet.
	if (rec->relist_entries || net->vx.there != net->vx.was_there ||
		net->gw.there != net->gw.was_there)
		sw_entries_reset(net);
}

static void end_all(struct reconcile *rec)
{
	struct sw_net *net;

	if (rec->has_tunnel)
		missing(rec, &rec->tunnel_obj, "VTEP", RECONCILE_TUNNEL);
	LIST_FOREACH (net, &rec->nets, entry)
		end_net(rec, net);
	if (!rec->list_report)
		rec->relist_entries = false;
}

static void on_listed(struct reconcile *rec)
{
	begin_all(rec);
	see_tunnels(rec);
	see_bridges(rec);
	see_ports(rec);
	end_all(rec);
	rec->listed = true;
	sw_nets_queue(rec);
}

static void forget(struct reconcile *rec)
{
	json_decref(rec->tunnels);
	json_decref(rec->bridges);
	json_decref(rec->port_list);
	rec->tunnels = rec->bridges = rec->port_list = NULL;
}

// Of the three lists; when the last has come they are looked at together.
static void on_list(
	struct reconcile *rec, json_t **to, int rc, const json_t *list, const struct err *err)
{
	*to = json_incref((json_t *)list);
	if (rc < 0 && !rec->list_failed) {
		rec->list_failed = true;
		sw_object_failed(rec, &rec->list, err);
	}
	if (--rec->nb_listing)
		return;
	if (rec->list_failed) {
		rec->relist = true;
		sw_nets_queue(rec);
	} else {
		sw_object_ok(&rec->list);
		on_listed(rec);
	}
	forget(rec);
}

static void on_tunnels(struct reconcile *rec, struct sw_call *call, int rc, const json_t *result,
	const struct err *err)
{
	on_list(rec, &rec->tunnels, rc, json_object_get(result, "vteps"), err);
}

static void on_bridges(struct reconcile *rec, struct sw_call *call, int rc, const json_t *result,
	const struct err *err)
{
	on_list(rec, &rec->bridges, rc, json_object_get(result, "bridges"), err);
}

static void on_ports(struct reconcile *rec, struct sw_call *call, int rc, const json_t *result,
	const struct err *err)
{
	on_list(rec, &rec->port_list, rc, json_object_get(result, "ports"), err);
}

void sw_list_drop(struct reconcile *rec)
{
	forget(rec);
	rec->nb_listing = 0;
}

static void ask(struct reconcile *rec, const char *method, sw_call_fn *fn)
{
	struct sw_call *call = sw_call_new(rec, fn);

	if (call && sw_call_send(call, method, json_object()))
		rec->nb_listing++;
	else
		rec->list_failed = true;
}

void sw_list_step(struct reconcile *rec)
{
	if (!rec->relist || !rec->up || rec->nb_listing || rec->nb_busy ||
		!sw_object_due(rec, &rec->list))
		return;
	rec->relist = rec->list_failed = false;
	ask(rec, "vtep.list", on_tunnels);
	ask(rec, "bridge.list", on_bridges);
	ask(rec, "port.list", on_ports);
	if (!rec->nb_listing)
		rec->relist = true; // out of memory: later
}
