// SPDX-License-Identifier: BSD-3-Clause
#include "netd/dns/dns_server.h"

#include <ldns/ldns.h>
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <sys/socket.h>

static json_t *types_json(const struct totals *totals)
{
	json_t *types = json_object();

	for (unsigned type = 0; type < TOTALS_TYPES; type++) {
		char *text;

		if (!totals->types[type])
			continue;
		text = type ? ldns_rr_type2str(type) : NULL;
		json_object_set_new(
			types, text ? text : "other", json_integer(totals->types[type]));
		free(text);
	}
	return types;
}

static json_t *rcodes_json(const struct totals *totals)
{
	json_t *rcodes = json_object();

	for (unsigned rcode = 0; rcode < TOTALS_RCODES; rcode++) {
		const ldns_lookup_table *row = ldns_lookup_by_id(ldns_rcodes, rcode);

		if (totals->rcodes[rcode])
			json_object_set_new(rcodes, row ? row->name : "other",
				json_integer(totals->rcodes[rcode]));
	}
	return rcodes;
}

static json_t *origins_json(const struct totals *totals)
{
	return json_pack("{sI sI sI sI}", "names", (json_int_t)totals->origins[ORIGIN_NAMES],
		"cache", (json_int_t)totals->origins[ORIGIN_CACHE], "stale",
		(json_int_t)totals->origins[ORIGIN_STALE], "server",
		(json_int_t)totals->origins[ORIGIN_SERVER]);
}

// Datagrams that came when the queue was full.
static uint32_t overflow(int fd)
{
	uint32_t info[SK_MEMINFO_VARS] = {0};
	socklen_t info_bytes = sizeof(info);

	getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &info_bytes);
	return info[SK_MEMINFO_DROPS];
}

static json_t *listener_json(const struct dns_listener *listener)
{
	const struct counters *c = &listener->viewer.counters;
	json_int_t lost = 0;
	char text[IP_TEXT_BYTES];

	for (unsigned i = 0; i < listener->nb_udp; i++)
		lost += overflow(listener->udp[i].source.fd);

	return json_pack("{ss ss sI sI sI sI sI sI sI sI}", "name", listener->viewer.view.name,
		"address", ip_format(&listener->ip, text), "queries", (json_int_t)c->queries,
		"answered", (json_int_t)c->answered, "forwarded", (json_int_t)c->forwarded,
		"refused", (json_int_t)c->refused, "dropped", (json_int_t)c->dropped, "overflow",
		lost, "tcp", (json_int_t)c->tcp, "connections", (json_int_t)listener->nb_conns);
}

json_t *server_stats(struct server *server)
{
	json_t *stats = forward_stats(server->forward), *listeners = json_array();
	struct dns_listener *listener;

	if (!stats)
		stats = json_object();
	TAILQ_FOREACH (listener, &server->listeners, entry)
		json_array_append_new(listeners, listener_json(listener));
	json_object_set_new(stats, "queries", types_json(&server->totals));
	json_object_set_new(stats, "rcodes", rcodes_json(&server->totals));
	json_object_set_new(stats, "answers", origins_json(&server->totals));
	json_object_set_new(stats, "listeners", listeners);
	return stats;
}
