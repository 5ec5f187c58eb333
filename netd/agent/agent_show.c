// SPDX-License-Identifier: BSD-3-Clause
// What people and programs are shown, and the audit of store, agent and switch.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utc.h"
#include "ctrl/message.h"
#include "netd/agent/agent_priv.h"

static const char *state_of(const struct replica_host *host)
{
	return host->present ? "present" : host->known ? "suspended" : "unknown";
}

// ---- networks ----

static json_t *network_row(struct agent *a, const struct replica_net *net)
{
	json_t *row = json_pack("{s:s, s:s, s:s, s:s, s:b, s:b, s:b, s:s, s:o, s:O*}", "id",
		net->id, "name", net->rec.name, "driver", net->rec.driver, "scope",
		net->local ? "local" : "global", "builtin", network_is_predefined(&net->rec),
		"ipv6", net->rec.ipv6, "internal", net->rec.internal, "created", net->rec.created,
		"subnets", json_array(), "labels", net->rec.labels);
	unsigned here = 0, elsewhere = 0;
	const struct local_endpoint *le;
	struct replica_endpoint *ep;
	char text[CIDR_TEXT_BYTES];

	LIST_FOREACH (le, &net->local_endpoints, of_net)
		here += le->rec.name[0] != '\0';
	LIST_FOREACH (ep, &net->endpoints, of_net)
		elsewhere += ep->rec.name[0] && strcmp(ep->rec.host, a->conf->host) != 0;
	for (unsigned i = 0; row && i < net->rec.nb_subnets; i++)
		json_array_append_new(json_object_get(row, "subnets"),
			json_string(cidr_format(&net->rec.subnets[i].cidr, text)));
	if (row)
		network_show(&net->rec, row);
	if (row)
		json_object_set_new(row, "endpoints", json_integer(here + elsewhere));
	if (row)
		json_object_set_new(row, "endpoints_here", json_integer(here));
	return row;
}

json_t *agent_networks(struct agent *a)
{
	json_t *list = json_array();

	for (struct replica_net *net = a->replica.local_by_name; net; net = net->hh_name.next)
		json_array_append_new(list, network_row(a, net));
	for (struct replica_net *net = a->replica.nets_by_name; net; net = net->hh_name.next)
		json_array_append_new(list, network_row(a, net));
	return json_pack("{s:o}", "networks", list);
}

static void list_endpoints(struct agent *a, const struct replica_net *net, json_t *list)
{
	struct replica_endpoint *ep;
	struct local_endpoint *le;

	LIST_FOREACH (le, &net->local_endpoints, of_net) {
		if (le->rec.name[0])
			json_array_append_new(list, agent_endpoint_json(le));
	}
	LIST_FOREACH (ep, &net->endpoints, of_net) {
		bool is_here = agent_endpoint_by_id(a, ep->rec.id);
		json_t *obj = is_here || !ep->rec.name[0] ? NULL : endpoint_record_json(&ep->rec);

		if (!obj)
			continue;
		json_object_set_new(obj, "state",
			json_string(!ep->host->present	 ? state_of(ep->host)
				    : ep->rec.sandbox[0] ? "up"
							 : "created"));
		json_array_append_new(list, obj);
	}
}

static json_t *held_elsewhere(const struct endpoint_record *rec)
{
	char text[CIDR_TEXT_BYTES];

	return json_pack(
		"{s:s, s:s}", "address", cidr_format(&rec->ips[0], text), "host", rec->host);
}

// Those that are held without an endpoint.
static void list_addresses(struct agent *a, const struct replica_net *net, json_t *list)
{
	struct replica_endpoint *ep;
	struct local_endpoint *le;

	LIST_FOREACH (le, &net->local_endpoints, of_net) {
		if (!le->rec.name[0])
			json_array_append_new(list, agent_address_json(le));
	}
	LIST_FOREACH (ep, &net->endpoints, of_net) {
		if (!ep->rec.name[0] && !agent_endpoint_by_id(a, ep->rec.id))
			json_array_append_new(list, held_elsewhere(&ep->rec));
	}
}

static void list_blocks(const struct replica_net *net, json_t *list)
{
	struct replica_block *block;
	char text[CIDR_TEXT_BYTES];

	LIST_FOREACH (block, &net->blocks, of_net) {
		if (block->rec.owner[0])
			json_array_append_new(list, json_pack("{s:s, s:s}", "block",
							    cidr_format(&block->rec.cidr, text),
							    "host", block->rec.owner));
	}
}

json_t *agent_network(struct agent *a, const char *name, struct err *err)
{
	struct replica_net *net = replica_net(&a->replica, name);
	json_t *obj;

	if (!net) {
		net_error(err, -ENOENT, name, "there is no such network; see `vsctl network ls`");
		return NULL;
	}
	obj = network_record_json(&net->rec);
	if (!obj) {
		net_error(err, -ENOMEM, name, "out of memory");
		return NULL;
	}
	network_show(&net->rec, obj);
	json_object_set_new(obj, "scope", json_string(net->local ? "local" : "global"));
	json_object_set_new(obj, "builtin", json_boolean(network_is_predefined(&net->rec)));
	json_object_set_new(obj, "endpoints", json_array());
	list_endpoints(a, net, json_object_get(obj, "endpoints"));
	json_object_set_new(obj, "addresses", json_array());
	list_addresses(a, net, json_object_get(obj, "addresses"));
	json_object_set_new(obj, "blocks", json_array());
	list_blocks(net, json_object_get(obj, "blocks"));
	return obj;
}

// ---- hosts ----

json_t *agent_hosts(struct agent *a)
{
	json_t *list = json_array();
	char text[IP_TEXT_BYTES], since[UTC_TEXT_BYTES];

	for (struct replica_host *host = a->replica.hosts; host; host = host->hh.next) {
		json_t *row = json_pack("{s:s, s:s, s:s, s:i, s:b}", "name", host->rec.name,
			"state", state_of(host), "address", ip_format(&host->rec.vtep, text),
			"endpoints", (int)host->nb_endpoints, "self",
			!strcmp(host->rec.name, a->conf->host));

		if (row && host->known && !host->present)
			json_object_set_new(row, "since",
				json_string(utc_of_monotonic(host->absent_since_us, since)));
		json_array_append_new(list, row);
	}
	return json_pack("{s:o}", "hosts", list);
}

// ---- status ----

void agent_add_problem(json_t *list, const char *object, const char *reason)
{
	json_array_append_new(
		list, json_pack("{s:s, s:o}", "object", object, "reason", ctrl_json_text(reason)));
}

static json_t *problems(struct agent *a)
{
	json_t *list = reconcile_problems(a->rec);
	char object[NAME_BYTES * 2 + 32];

	if (!list)
		list = json_array();
	if (a->host_problem[0])
		agent_add_problem(list, a->conf->host, a->host_problem);
	for (struct local_endpoint *le = a->endpoints; le; le = le->hh.next) {
		if (!endpoint_is_wrong(le))
			continue;
		snprintf(object, sizeof(object), "endpoint %s of network %s", le->rec.name,
			le->net->rec.name);
		agent_add_problem(list, object, le->reason);
	}
	for (struct replica_net *net = a->replica.nets; net; net = net->hh.next) {
		if (!net->agent || !net->agent->gateway.reason[0])
			continue;
		snprintf(object, sizeof(object), "gateway of network %s", net->rec.name);
		agent_add_problem(list, object, net->agent->gateway.reason);
	}
	for (struct replica_skipped *s = a->replica.skipped; s; s = s->hh.next)
		agent_add_problem(list, s->key, s->reason);
	agent_dns_problems(a, list);
	return list;
}

json_t *agent_status(struct agent *a)
{
	char text[IP_TEXT_BYTES];
	json_t *store = json_pack("{s:s, s:b, s:b, s:s*, s:I}", "type", kv_scheme(a->opts.kv), "up",
		a->store_up, "synced", a->synced, "reason",
		a->store_up ? NULL : kv_reason(a->opts.kv), "revision",
		(json_int_t)a->replica.revision);

	return json_pack("{s:s, s:s, s:s, s:b, s:o, s:b, s:b, s:i, s:i, s:i, s:i, s:o}", "version",
		CAUSEWAY_VERSION, "host", a->conf->host, "address", ip_format(&a->vtep, text),
		"member", agent_is_member(a), "store", store, "switch", a->switch_up, "settled",
		agent_is_settled(a), "hosts", (int)HASH_COUNT(a->replica.hosts), "networks",
		(int)(HASH_CNT(hh_name, a->replica.nets_by_name) +
			HASH_CNT(hh_name, a->replica.local_by_name)),
		"endpoints", (int)HASH_COUNT(a->replica.endpoints), "endpoints_here",
		(int)HASH_COUNT(a->endpoints), "problems", problems(a));
}

bool agent_is_settled(const struct agent *agent)
{
	struct agent *a = (struct agent *)agent;

	if (!LIST_EMPTY(&a->requests) || !agent_is_member(a) || a->purge_at_us ||
		!reconcile_is_settled(a->rec) || a->gc.busy || a->drop.busy)
		return false;
	for (struct local_endpoint *le = a->endpoints; le; le = le->hh.next) {
		bool is_stored = le->net->local || le->stored;
		bool is_quiet = le->state == ENDPOINT_UP || le->state == ENDPOINT_CREATED;

		if (le->state == ENDPOINT_LOSING || le->state == ENDPOINT_CONFLICT ||
			le->state == ENDPOINT_TAKEN)
			continue;
		if (!is_quiet || !is_stored)
			return false;
	}
	return true;
}

// ---- audit ----

struct audit {
	struct pending pending;
	bool repair;
	json_t *differences;
	struct replica in_store; // as it is now, without observers
	agent_done_fn *done;
	void *done_arg;
};

static void add_difference(struct audit *audit, const char *where, const char *object,
	const char *text, bool is_repaired)
{
	json_array_append_new(
		audit->differences, json_pack("{s:s, s:s, s:s, s:b}", "where", where, "object",
					    object, "difference", text, "repaired", is_repaired));
}

static void difference(struct audit *audit, const char *where, const char *object, const char *text)
{
	add_difference(audit, where, object, text, audit->repair);
}

static void audit_end(struct audit *audit, int rc, const struct err *err)
{
	json_t *result = json_pack("{s:O}", "differences", audit->differences);

	audit->done(audit->done_arg, rc, result, err);
	json_decref(result);
	json_decref(audit->differences);
	replica_fini(&audit->in_store);
	pending_free(&audit->pending);
}

static void on_switch_audit(void *arg, int rc, const json_t *differences, const struct err *err)
{
	struct audit *audit = arg;
	json_t *d;
	size_t i;

	json_array_foreach ((json_t *)differences, i, d) {
		json_t *copy = json_deep_copy(d);

		json_object_set_new(copy, "where", json_string("switch"));
		json_array_append_new(audit->differences, copy);
	}
	audit_end(audit, rc, err);
}

// Both ways: what the store has and this host does not, and the other way round.
static void compare_replicas(struct agent *a, struct audit *audit)
{
	struct replica *now = &audit->in_store;

	for (struct replica_endpoint *ep = now->endpoints; ep; ep = ep->hh.next) {
		struct replica_endpoint *have = replica_endpoint(&a->replica, ep->key);

		if (!have || have->revision < ep->revision)
			difference(audit, "agent", ep->key,
				have ? "the store has a newer record"
				     : "the store has it, but this host does not");
		if (!strcmp(ep->rec.host, a->conf->host) && !agent_endpoint_by_id(a, ep->rec.id))
			difference(audit, "store", ep->key,
				"the store says that it is on this host, but it is not");
	}
	for (struct replica_endpoint *ep = a->replica.endpoints; ep; ep = ep->hh.next) {
		if (!replica_endpoint(now, ep->key))
			difference(audit, "agent", ep->key,
				"this host has it, but the store does not");
	}
	for (struct local_endpoint *le = a->endpoints; le; le = le->hh.next) {
		char key[RECORD_KEY_BYTES];

		// One that is off has lost an address, not always that of its key: a problem, which
		// is told as such. One that goes is no longer to be there.
		if (le->net->local || !endpoint_is_kept(le) || le->state == ENDPOINT_LOSING ||
			le->state == ENDPOINT_CONFLICT || le->state == ENDPOINT_TAKEN)
			continue;
		record_key_endpoint(key, le->net->id, &le->rec.ips[0].ip);
		if (!replica_endpoint(now, key))
			difference(audit, "store", key,
				"this host uses it, but the store does not have it");
	}
	for (struct replica_skipped *s = now->skipped; s; s = s->hh.next)
		difference(audit, "store", s->key, s->reason);
}

struct net_audit {
	struct audit *audit;
	const struct replica_net *net;
};

static void net_difference(void *arg, const char *text)
{
	struct net_audit *na = arg;
	char object[NAME_BYTES + 16];

	snprintf(object, sizeof(object), "network %s", na->net->rec.name);
	add_difference(na->audit, "agent", object, text, false);
}

static void audit_networks(struct agent *a, struct audit *audit)
{
	for (const struct replica_net *net = a->replica.nets; net; net = net->hh.next) {
		struct net_audit na = {.audit = audit, .net = net};

		if (net->known)
			network_audit(&net->rec, net_difference, &na);
	}
}

static void on_audit_read(
	void *arg, int rc, const struct kv_pair *pairs, size_t count, uint64_t revision)
{
	struct audit *audit = arg;
	struct agent *a = audit->pending.a;
	struct err err = {0};

	if (rc < 0) {
		difference(audit, "store", "store", agent_store_reason(a));
	} else {
		for (size_t i = 0; i < count; i++)
			replica_apply(&audit->in_store, pairs[i].key, pairs[i].value,
				pairs[i].len_bytes, pairs[i].revision, 0);
		compare_replicas(a, audit);
		// The watch is made anew: it brings what is missing, and takes what is too much.
		if (audit->repair && json_array_size(audit->differences))
			agent_store_again(a);
	}
	audit_networks(a, audit);
	if (a->switch_up) {
		reconcile_audit(a->rec, audit->repair, on_switch_audit, audit);
		return;
	}
	difference(audit, "switch", "switch", "the switch does not answer");
	audit_end(audit, 0, &err);
}

void agent_audit(struct agent *a, bool repair, agent_done_fn *fn, void *arg)
{
	struct audit *audit = pending_new(a, sizeof(*audit));
	struct err err = {0};

	if (!audit) {
		fn(arg, err_set(&err, -ENOMEM, NULL, "out of memory"), NULL, &err);
		return;
	}
	audit->repair = repair;
	audit->done = fn;
	audit->done_arg = arg;
	audit->differences = json_array();
	if (replica_init(&audit->in_store, NULL) < 0) {
		json_decref(audit->differences);
		pending_free(&audit->pending);
		fn(arg, err_set(&err, -ENOMEM, NULL, "out of memory"), NULL, &err);
		return;
	}
	kv_list(a->opts.kv, RECORD_PREFIX, on_audit_read, audit);
}
