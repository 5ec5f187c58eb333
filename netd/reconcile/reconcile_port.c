// SPDX-License-Identifier: BSD-3-Clause
// The ports of own endpoints.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "netd/drivers/endpoint_options.h"
#include "netd/drivers/network.h"
#include "netd/reconcile/reconcile_priv.h"

struct sw_port *sw_port_new(struct sw_net *net, struct local_endpoint *le)
{
	struct sw_port *port = calloc(1, sizeof(*port));

	if (!port)
		return NULL;
	local_endpoint_port(le, port->name);
	port->le = le;
	port->net = net;
	port->changed = true;
	HASH_ADD_STR(net->rec->ports, name, port);
	LIST_INSERT_HEAD(&net->ports, port, of_net);
	net->nb_ports++;
	return port;
}

void sw_port_free(struct sw_port *port)
{
	struct sw_net *net = port->net;

	HASH_DEL(net->rec->ports, port);
	LIST_REMOVE(port, of_net);
	net->nb_ports--;
	sw_object_fini(&port->obj);
	free(port);
}

bool sw_port_claims(const struct sw_port *port)
{
	return port->net->net && !port->deleting && local_endpoint_wants_port(port->le);
}

bool sw_port_wanted(const struct sw_port *port)
{
	return sw_port_claims(port) && port->le->rec.sandbox[0];
}

// ---- options ----

void sw_port_options(const struct sw_port *port, json_t **ret_fixed, json_t **ret_live)
{
	const struct endpoint_record *rec = &port->le->rec;
	const char *type = endpoint_option(rec->options, ENDPOINT_PORT);
	char mac[MAC_TEXT_BYTES];
	json_t *options = json_pack("{s:s, s:s, s:s, s:s, s:o, s:s}", "type", type ? type : "tap",
		"netns", rec->sandbox, "ifname", rec->ifname, "mac", mac_format(&rec->mac, mac),
		"mtu", sw_net_mtu(port->net), "managed_by", RECONCILE_MANAGER);

	// Without these the port would be made without its guard.
	if (json_object_update_new(options, network_port_options(&port->net->net->rec, rec)) < 0)
		abort();
	sw_options_split(&schema_port, options, ret_fixed, ret_live);
}

uint32_t reconcile_endpoint_mtu(const struct reconcile *rec, const struct local_endpoint *le)
{
	char name[LOCAL_ENDPOINT_PORT_BYTES];
	const struct sw_port *port;

	HASH_FIND_STR(rec->ports, local_endpoint_port(le, name), port);
	return port ? port->mtu : 0;
}

void sw_port_look(struct sw_port *port)
{
	json_t *fixed, *live;

	port->changed = false;
	if (!sw_port_wanted(port))
		return;
	sw_port_options(port, &fixed, &live);
	port->obj.want = sw_digest(fixed, live);
}

// ---- what the agent hears ----

static void tell(struct sw_port *port, int rc, const struct err *err)
{
	struct reconcile_opts *opts = &port->net->rec->opts;

	if (!port->deleting)
		opts->on_port(opts->arg, port->le, rc, err);
}

void sw_port_up(struct sw_port *port)
{
	port->down = false;
	tell(port, 0, NULL);
}

void sw_port_down(struct sw_port *port, const char *reason)
{
	struct reconcile_opts *opts = &port->net->rec->opts;

	port->down = true;
	if (!port->deleting)
		opts->on_port_down(opts->arg, port->le, reason);
}

static void gone(struct sw_port *port)
{
	struct reconcile_opts *opts = &port->net->rec->opts;
	struct local_endpoint *le = port->le;

	sw_net_queue(port->net);
	sw_port_free(port);
	opts->on_port_gone(opts->arg, le);
}

// ---- calls ----

static void on_added(struct reconcile *rec, struct sw_call *call, int rc, const json_t *result,
	const struct err *err)
{
	for (unsigned i = 0; i < call->nb_ports; i++) {
		struct sw_port *port = call->ports[i];

		port->alone = rc < 0;
		if (rc < 0 && call->nb_ports > 1 && !sw_is_lost(rc)) {
			port->obj.busy = false; // one of them is at fault: each by itself
			continue;
		}
		if (rc < 0) {
			sw_object_failed(rec, &port->obj, err);
			if (!sw_is_lost(rc))
				tell(port, rc, err);
			continue;
		}
		sw_object_ok(&port->obj);
		port->obj.there = true;
		port->obj.has = port->obj.sent;
		sw_port_up(port);
	}
	if (rc == -EEXIST)
		sw_relist(rec, false);
	sw_net_queue(call->net);
}

static void on_deleted(struct reconcile *rec, struct sw_call *call, int rc, const json_t *result,
	const struct err *err)
{
	for (unsigned i = 0; i < call->nb_ports; i++) {
		struct sw_port *port = call->ports[i];

		if (rc < 0) {
			sw_object_failed(rec, &port->obj, err);
			continue;
		}
		sw_object_ok(&port->obj);
		port->obj.there = false;
		if (port->deleting)
			gone(port);
	}
	sw_net_queue(call->net);
}

static void on_set(struct reconcile *rec, struct sw_call *call, int rc, const json_t *result,
	const struct err *err)
{
	struct sw_port *port = call->ports[0];

	sw_net_queue(call->net);
	if (rc < 0) {
		sw_object_failed(rec, &port->obj, err);
		if (!sw_is_lost(rc))
			tell(port, rc, err);
		return;
	}
	sw_object_ok(&port->obj);
	port->obj.has = port->obj.sent;
	if (!port->down)
		tell(port, 0, NULL);
}

// Sends what was collected. Gives `params` and `ports` up.
static void send_ports(struct sw_net *net, struct sw_port **ports, unsigned count,
	const char *method, json_t *params, sw_call_fn *fn)
{
	struct sw_call *call = sw_call_new(net->rec, fn);

	if (!call) {
		sw_retry(net->rec);
		json_decref(params);
		return;
	}
	call->ports = calloc(count, sizeof(struct sw_port *));
	if (!call->ports) {
		sw_call_free(call);
		json_decref(params);
		return;
	}
	call->net = net;
	call->changes = true;
	call->nb_ports = count;
	for (unsigned i = 0; i < count; i++) {
		call->ports[i] = ports[i];
		ports[i]->obj.busy = true;
		ports[i]->obj.sent = ports[i]->obj.want;
	}
	if (!sw_call_send(call, method, params)) {
		for (unsigned i = 0; i < count; i++)
			ports[i]->obj.busy = false;
	}
}

static json_t *port_json(const struct sw_port *port)
{
	json_t *fixed, *live;

	sw_port_options(port, &fixed, &live);
	return sw_options_named(port->name, fixed, live);
}

static void send_add(struct sw_net *net, struct sw_port **ports, unsigned count)
{
	json_t *list = json_array();

	if (!count) {
		json_decref(list);
		return;
	}
	for (unsigned i = 0; i < count; i++)
		json_array_append_new(list, port_json(ports[i]));
	send_ports(net, ports, count, "port.add",
		json_pack("{s:s, s:o}", "bridge", net->bridge_name, "ports", list), on_added);
}

static void send_del(struct sw_net *net, struct sw_port **ports, unsigned count)
{
	json_t *list = json_array();

	if (!count) {
		json_decref(list);
		return;
	}
	for (unsigned i = 0; i < count; i++)
		json_array_append_new(list, json_string(ports[i]->name));
	send_ports(net, ports, count, "port.del",
		json_pack("{s:o, s:b}", "names", list, "if_exists", 1), on_deleted);
}

static void send_set(struct sw_port *port)
{
	json_t *fixed, *live;

	sw_port_options(port, &fixed, &live);
	json_decref(fixed);
	send_ports(port->net, &port, 1, "port.set",
		json_pack("{s:s, s:o}", "name", port->name, "port", live), on_set);
}

// ---- what is to be done ----

// Traffic of a new port is to find its way: first what the network needs, if the switch takes it.
static bool is_net_ready(const struct sw_net *net)
{
	return net->bridge.there &&
	       (!net->vx_name[0] || net->vx.there || (!net->vx.busy && !net->rec->tunnel_obj.busy));
}

enum step { STEP_NONE, STEP_ADD, STEP_SET, STEP_DEL, STEP_GONE };

static enum step step_of(struct sw_port *port)
{
	struct sw_object *obj = &port->obj;
	bool wanted = sw_port_wanted(port);

	if (obj->busy)
		return STEP_NONE;
	if (!wanted && !obj->there)
		return port->deleting ? STEP_GONE : STEP_NONE;
	if (wanted && sw_is_as_wanted(obj))
		return STEP_NONE;
	if (wanted && !obj->there && !is_net_ready(port->net))
		return STEP_NONE;
	if (!sw_object_due(port->net->rec, obj))
		return STEP_NONE;
	if (!wanted)
		return STEP_DEL;
	if (!obj->there)
		return STEP_ADD;
	return obj->has.fixed == obj->want.fixed ? STEP_SET : STEP_DEL;
}

void sw_ports_step(struct sw_net *net)
{
	struct sw_port *add[PORTS_MAX], *del[PORTS_MAX], *port, *next;
	unsigned nb_add = 0, nb_del = 0;

	for (port = LIST_FIRST(&net->ports); port; port = next) {
		enum step step;

		next = LIST_NEXT(port, of_net);
		if (port->changed)
			sw_port_look(port);
		step = step_of(port);
		if (step == STEP_SET)
			send_set(port);
		else if (step == STEP_GONE)
			gone(port);
		else if (step == STEP_ADD && port->alone)
			send_add(net, &port, 1);
		else if (step == STEP_ADD && nb_add < PORTS_MAX)
			add[nb_add++] = port;
		else if (step == STEP_DEL && nb_del < PORTS_MAX)
			del[nb_del++] = port;
	}
	send_del(net, del, nb_del); // the rest comes when these are answered
	send_add(net, add, nb_add);
}
