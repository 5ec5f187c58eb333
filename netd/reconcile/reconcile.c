// SPDX-License-Identifier: BSD-3-Clause
#include "netd/reconcile/reconcile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/member.h"
#include "base/util.h"
#include "ctrl/message.h"
#include "netd/reconcile/reconcile_priv.h"

#define STEPS_MAX 8 // of a network in one run

// ---- what has changed ----

void sw_net_queue(struct sw_net *net)
{
	if (net->queued)
		return;
	net->queued = true;
	net->rec->nb_todo++;
	TAILQ_INSERT_TAIL(&net->rec->todo, net, todo);
}

void sw_nets_queue(struct reconcile *rec)
{
	struct sw_net *net;

	LIST_FOREACH (net, &rec->nets, entry)
		sw_net_queue(net);
}

void sw_relist(struct reconcile *rec, bool entries)
{
	rec->relist = true;
	rec->relist_entries |= entries;
	rec->list_report = false;
}

void reconcile_set_tunnel(struct reconcile *rec, const struct reconcile_tunnel *tunnel)
{
	bool moved = !rec->has_tunnel || !ip_equal(&rec->tunnel.address, &tunnel->address);
	json_t *fixed, *live;
	struct sw_net *net;

	rec->has_tunnel = true;
	rec->tunnel = *tunnel;
	sw_tunnel_options(rec, &fixed, &live);
	rec->tunnel_obj.want = sw_digest(fixed, live);
	rec->tunnel_obj.next_us = 0;
	LIST_FOREACH (net, &rec->nets, entry) {
		if (moved) // other hosts may be out of reach, or no longer
			sw_entries_mark_all(net, true, true);
		sw_net_queue(net);
	}
}

void reconcile_ready(struct reconcile *rec)
{
	rec->ready = true;
}

static struct sw_port *port_of(struct reconcile *rec, const struct local_endpoint *le)
{
	char name[LOCAL_ENDPOINT_PORT_BYTES];
	struct sw_port *port;

	HASH_FIND_STR(rec->ports, local_endpoint_port(le, name), port);
	return port && port->le == le ? port : NULL;
}

static void claim_anew(struct sw_port *port)
{
	sw_claim_del(port->net, &port->le->rec, &port->le->rec, &port->keys);
	port->keys = claim_keys(&port->le->rec);
	if (sw_port_claims(port))
		sw_claim_add(port->net, &port->le->rec, &port->keys, NULL);
}

void reconcile_endpoint_add(struct reconcile *rec, struct local_endpoint *le)
{
	static const struct err no_memory = {.code = -ENOMEM, .reason = "out of memory"};
	struct sw_port *port = port_of(rec, le);
	struct sw_net *net = le->net->reconcile;

	if (!net)
		net = sw_net_new(rec, le->net);
	if (net && !port)
		port = sw_port_new(net, le);
	if (!net || !port) {
		rec->opts.on_port(rec->opts.arg, le, -ENOMEM, &no_memory);
		return;
	}
	port->deleting = port->deleting && !local_endpoint_wants_port(le);
	port->changed = true;
	port->obj.next_us = port->obj.wait_us = 0;
	claim_anew(port);
	// What the switch has of it from before was nobody's until now.
	if (!LIST_EMPTY(&rec->strays))
		sw_relist(rec, false);
	sw_net_queue(net);
}

void reconcile_endpoint_del(struct reconcile *rec, struct local_endpoint *le)
{
	struct sw_port *port = port_of(rec, le);

	if (!port) { // never heard of
		rec->opts.on_port_gone(rec->opts.arg, le);
		return;
	}
	port->deleting = true;
	port->changed = true;
	port->obj.next_us = port->obj.wait_us = 0;
	claim_anew(port);
	sw_net_queue(port->net);
}

void reconcile_net(struct reconcile *rec, struct replica_net *replica_net)
{
	struct sw_net *net = replica_net->reconcile;
	struct sw_port *port;

	if (!net)
		return;
	LIST_FOREACH (port, &net->ports, of_net)
		port->changed = true;
	if (net->gw_told) // its prefix may be another one
		sw_gateway_tell(net, true);
	sw_net_queue(net);
}

void reconcile_net_gone(struct reconcile *rec, struct replica_net *replica_net)
{
	struct sw_net *net = replica_net->reconcile;
	struct sw_port *port;

	if (!net)
		return;
	sw_gateway_tell(net, false);
	sw_claims_drop(net);
	net->net = NULL;
	replica_net->reconcile = NULL;
	LIST_FOREACH (port, &net->ports, of_net)
		port->changed = true;
	sw_net_queue(net);
}

void reconcile_remote(struct reconcile *rec, struct replica_endpoint *ep,
	const struct endpoint_record *old, bool gone)
{
	struct sw_net *net = ep->net->reconcile;
	struct claim_keys keys;

	if (!net)
		return;
	if (old) {
		keys = claim_keys(old);
		sw_claim_del(net, &ep->rec, old, &keys);
	}
	keys = claim_keys(&ep->rec);
	sw_claim_del(net, &ep->rec, &ep->rec, &keys);
	if (!gone)
		sw_claim_add(net, &ep->rec, &keys, ep->host);
	sw_net_queue(net);
}

static void mark_flood(struct sw_net *net, const struct ip_addr *tunnel)
{
	if (tunnel && tunnel->family)
		sw_keys_add(net, &(struct sw_key){.kind = KEY_FLOOD, .ip = *tunnel});
}

void reconcile_host(struct reconcile *rec, struct replica_host *host, const struct ip_addr *old)
{
	struct replica_endpoint *ep;
	struct sw_host *sh;
	struct sw_net *net;

	LIST_FOREACH (net, &rec->nets, entry) {
		HASH_FIND_PTR(net->hosts, &host, sh);
		if (!sh)
			continue;
		mark_flood(net, old);
		mark_flood(net, &host->rec.vtep);
	}
	LIST_FOREACH (ep, &host->endpoints, of_host) {
		if (ep->net->reconcile)
			sw_entries_mark(ep->net->reconcile, &ep->rec);
	}
}

// ---- what the switch tells ----

static void on_state(void *arg, bool up)
{
	struct reconcile *rec = arg;
	struct sw_net *net;

	rec->generation++;
	rec->up = up;
	rec->listed = false;
	rec->nb_busy = 0;
	sw_peers_gone(rec);
	sw_list_drop(rec);
	sw_object_reset(&rec->list);
	sw_object_reset(&rec->tunnel_obj);
	sw_strays_drop(rec);
	LIST_FOREACH (net, &rec->nets, entry)
		sw_net_reset(net);
	sw_relist(rec, true);
	sw_audit_fail(rec, -ECONNRESET, "the connection to the switch was lost");
	rec->opts.on_state(rec->opts.arg, up);
	reconcile_run(rec, rec->now_us);
}

// Somebody else has deleted what is ours.
static bool is_loss(struct reconcile *rec, const char *event, const json_t *data)
{
	const char *bridge = member_text_or(data, "bridge", NULL);
	const char *port = member_text_or(data, "port", NULL);
	struct sw_port *le = NULL;
	struct sw_net *net;

	if (!strcmp(event, "vtep.del"))
		return rec->tunnel_obj.there && !rec->tunnel_obj.busy;
	if (port)
		HASH_FIND_STR(rec->ports, port, le);
	if (le)
		return le->obj.there && !le->obj.busy;
	LIST_FOREACH (net, &rec->nets, entry) {
		if (!strcmp(event, "port.del") && port && !strcmp(net->vx_name, port))
			return net->vx.there && !net->vx.busy && !net->bridge.busy;
		if (!strcmp(event, "port.del") && port && !strcmp(net->gw_name, port))
			return net->gw.there && !net->gw.busy && !net->bridge.busy;
		if (!strcmp(event, "bridge.del") && bridge && !strcmp(net->bridge_name, bridge))
			return net->bridge.there && !net->bridge.busy;
	}
	return false;
}

static void on_event(void *arg, const char *name, const json_t *data)
{
	const char *text = member_text_or(data, "port", NULL);
	const char *reason = member_text_or(data, "reason", NULL);
	struct reconcile *rec = arg;
	struct sw_net *gateway = text ? sw_gateway_find(rec, text) : NULL;
	struct sw_port *port = NULL;

	if (text)
		HASH_FIND_STR(rec->ports, text, port);
	if (!strcmp(name, "port.down") && port)
		sw_port_down(port, reason ? reason : "the device or its namespace is gone");
	else if (!strcmp(name, "port.up") && port)
		sw_port_up(port);
	else if (gateway && (!strcmp(name, "port.up") || !strcmp(name, "port.down")))
		sw_gateway_tell(gateway, !strcmp(name, "port.up"));
	else if (strstr(name, ".del") && is_loss(rec, name, data))
		sw_relist(rec, true);
	else
		return;
	reconcile_run(rec, rec->now_us);
}

// ---- what is due ----

static void run_once(struct reconcile *rec)
{
	struct sw_net *net;

	if (rec->now_us >= rec->retry_us) {
		rec->retry_us = UINT64_MAX;
		sw_nets_queue(rec);
	}
	sw_list_step(rec);
	sw_tunnel_step(rec);
	// A step may ask for the next one; what it cannot do now, it asks for in vain.
	for (unsigned i = rec->nb_todo * STEPS_MAX; i && (net = TAILQ_FIRST(&rec->todo)); i--) {
		TAILQ_REMOVE(&rec->todo, net, todo);
		net->queued = false;
		rec->nb_todo--;
		sw_net_step(net);
	}
	sw_strays_step(rec);
	sw_audit_step(rec);
	sw_peers_step(rec);
}

void reconcile_run(struct reconcile *rec, uint64_t now_us)
{
	rec->now_us = MAX_OF(rec->now_us, now_us);
	rec->again = true;
	if (rec->running)
		return;
	rec->running = true;
	while (rec->again) {
		rec->again = false;
		run_once(rec);
	}
	rec->running = false;
}

// ---- how it is ----

static bool is_net_settled(const struct sw_net *net)
{
	const struct sw_port *port;

	if (!net->nb_ports || !sw_is_as_wanted(&net->bridge) ||
		(net->vx_name[0] && !sw_is_as_wanted(&net->vx)))
		return false;
	if (sw_gateway_wanted(net) ? !sw_is_as_wanted(&net->gw) : net->gw.there)
		return false;
	if (net->entries != ENTRIES_KNOWN || net->dirty.count || net->refused.count ||
		net->nb_calls)
		return false;
	LIST_FOREACH (port, &net->ports, of_net) {
		if (port->changed || port->deleting || port->obj.busy)
			return false;
		if (sw_port_wanted(port) ? !sw_is_as_wanted(&port->obj) : port->obj.there)
			return false;
	}
	return true;
}

bool reconcile_is_settled(const struct reconcile *rec)
{
	const struct sw_net *net;

	if (!rec->up || !rec->listed || rec->relist || rec->nb_listing || rec->nb_busy)
		return false;
	if (rec->has_tunnel && !sw_is_as_wanted(&rec->tunnel_obj))
		return false;
	LIST_FOREACH (net, &rec->nets, entry) {
		if (!is_net_settled(net))
			return false;
	}
	return !rec->ready || LIST_EMPTY(&rec->strays);
}

static void add_problem(
	json_t *list, const char *kind, const char *name, const struct sw_object *obj)
{
	char object[CONF_NAME_BYTES + 24];

	if (!obj->reason)
		return;
	snprintf(object, sizeof(object), "%s%s%s", kind, name[0] ? " " : "", name);
	json_array_append_new(list,
		json_pack("{s:s, s:o}", "object", object, "reason", ctrl_json_text(obj->reason)));
}

json_t *reconcile_problems(const struct reconcile *rec)
{
	json_t *list = json_array();
	const struct sw_stray *stray;
	const struct sw_port *port;
	const struct sw_net *net;

	if (!list)
		return NULL;
	add_problem(list, "switch", "", &rec->list);
	add_problem(list, "VTEP", RECONCILE_TUNNEL, &rec->tunnel_obj);
	LIST_FOREACH (net, &rec->nets, entry) {
		add_problem(list, "bridge", net->bridge_name, &net->bridge);
		add_problem(list, "port", net->vx_name, &net->vx);
		add_problem(list, "port", net->gw_name, &net->gw);
		add_problem(list, "entries of bridge", net->bridge_name, &net->batch);
		add_problem(list, "entries of bridge", net->bridge_name, &net->refusal);
		LIST_FOREACH (port, &net->ports, of_net)
			add_problem(list, "port", port->name, &port->obj);
	}
	LIST_FOREACH (stray, &rec->strays, entry)
		add_problem(list, "unexpected", stray->name, &stray->obj);
	return list;
}

// ---- life ----

int reconcile_new(const struct reconcile_opts *opts, struct reconcile **ret_rec, struct err *err)
{
	struct reconcile *rec = calloc(1, sizeof(*rec));

	if (!rec)
		return err_set(err, -ENOMEM, "", "out of memory");
	rec->opts = *opts;
	rec->retry_us = UINT64_MAX;
	LIST_INIT(&rec->calls);
	LIST_INIT(&rec->nets);
	LIST_INIT(&rec->strays);
	TAILQ_INIT(&rec->todo);
	opts->sw->on_state = on_state;
	opts->sw->on_event = on_event;
	opts->sw->arg = rec;
	*ret_rec = rec;
	return 0;
}

void reconcile_free(struct reconcile *rec)
{
	struct sw_port *port, *next_port;
	struct sw_call *call;
	struct sw_net *net;

	if (!rec)
		return;
	LIST_FOREACH (call, &rec->calls, entry)
		call->rec = NULL; // their answers may still come
	rec->opts.sw->on_state = NULL;
	rec->opts.sw->on_event = NULL;
	HASH_ITER(hh, rec->ports, port, next_port)
	sw_port_free(port);
	while ((net = LIST_FIRST(&rec->nets)))
		sw_net_free(net);
	sw_strays_drop(rec);
	sw_list_drop(rec);
	sw_audit_fini(rec);
	sw_peers_fini(rec);
	sw_object_fini(&rec->list);
	sw_object_fini(&rec->tunnel_obj);
	free(rec);
}
