// SPDX-License-Identifier: BSD-3-Clause
// What people and programs are shown.
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

static void add_tunnel(struct agent *a, const struct replica_host *host, json_t *row)
{
	static const char *const states[] = {[RECONCILE_PEER_UNKNOWN] = "unknown",
		[RECONCILE_PEER_ANSWERS] = "up",
		[RECONCILE_PEER_SILENT] = "down"};
	struct reconcile_peer peer = {0};

	if (!strcmp(host->rec.name, a->conf->host))
		return;
	if (host->known)
		reconcile_peer_look(a->rec, &host->rec.vtep, &peer);
	json_object_set_new(row, "tunnel", json_string(states[peer.answer]));
}

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
		if (row)
			add_tunnel(a, host, row);
		json_array_append_new(list, row);
	}
	return json_pack("{s:o}", "hosts", list);
}

// ---- status ----

static json_t *store_json(struct agent *a)
{
	const struct kv_refusal *refusal = agent_store_refusal(a);
	char since[UTC_TEXT_BYTES];

	return json_pack("{s:s, s:b, s:s, s:b, s:s*, s:s*, s:I}", "type", kv_scheme(a->opts.kv),
		"up", a->store_up, "since", utc_of_monotonic(a->store_since_us, since), "synced",
		a->synced, "reason", a->store_up ? NULL : kv_reason(a->opts.kv), "refuses",
		refusal ? refusal->reason : NULL, "revision", (json_int_t)a->replica.revision);
}

static bool is_healthy(struct agent *a, const json_t *problems)
{
	return a->store_up && a->switch_up && agent_is_member(a) && !json_array_size(problems);
}

json_t *agent_status(struct agent *a)
{
	char text[IP_TEXT_BYTES], since[UTC_TEXT_BYTES];
	json_t *problems = agent_problems(a);

	return json_pack("{s:s, s:s, s:s, s:b, s:o, s:b, s:s, s:b, s:b, s:i, s:i, s:i, s:i, s:o}",
		"version", CAUSEWAY_VERSION, "host", a->conf->host, "address",
		ip_format(&a->vtep, text), "member", agent_is_member(a), "store", store_json(a),
		"switch", a->switch_up && !reconcile_switch_hangs(a->rec), "switch_since",
		utc_of_monotonic(a->switch_since_us, since), "healthy", is_healthy(a, problems),
		"settled", agent_is_settled(a), "hosts", (int)HASH_COUNT(a->replica.hosts),
		"networks",
		(int)(HASH_CNT(hh_name, a->replica.nets_by_name) +
			HASH_CNT(hh_name, a->replica.local_by_name)),
		"endpoints", (int)HASH_COUNT(a->replica.endpoints), "endpoints_here",
		(int)HASH_COUNT(a->endpoints), "problems", problems);
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
