// SPDX-License-Identifier: BSD-3-Clause
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "netd/dns/forward_priv.h"

static json_t *servers_json(struct forward *forward)
{
	json_t *list = json_array();
	char text[DNS_SERVER_TEXT_BYTES];
	struct server *server;

	LIST_FOREACH (server, &forward->servers, entry)
		json_array_append_new(
			list, json_pack("{s:s, s:s, s:I, s:I, s:I, s:I}", "address",
				      dns_server_format(&server->addr, text), "state",
				      server_state(server), "rtt_us", (json_int_t)server->srtt_us,
				      "asked", (json_int_t)server->asked, "answered",
				      (json_int_t)server->answered, "failed",
				      (json_int_t)server->failed));
	return list;
}

json_t *forward_stats(struct forward *forward)
{
	struct cache_stats cache;

	cache_stats(forward->cache, &cache);
	return json_pack("{s:{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}, "
			 "s:{s:I, s:I, s:I, s:I, s:I, s:I}, s:o}",
		"forward", "asked", (json_int_t)forward->counts.asked, "answered",
		(json_int_t)forward->counts.answered, "hedged", (json_int_t)forward->counts.hedged,
		"failed", (json_int_t)forward->counts.failed, "refused",
		(json_int_t)forward->counts.refused, "stale", (json_int_t)forward->counts.stale,
		"coalesced", (json_int_t)forward->counts.coalesced, "no_server",
		(json_int_t)forward->counts.no_server, "waiting", (json_int_t)forward->nb_waiting,
		"cache", "entries", (json_int_t)cache.entries, "bytes", (json_int_t)cache.bytes,
		"hits", (json_int_t)cache.hits, "misses", (json_int_t)cache.misses, "evicted",
		(json_int_t)cache.evicted, "stale", (json_int_t)cache.stale, "servers",
		servers_json(forward));
}

// ---- problems ----

static void add_problem(json_t *list, const char *object, const char *reason)
{
	json_array_append_new(list, json_pack("{s:s, s:s}", "object", object, "reason", reason));
}

// A line is no problem if the configuration replaces it.
static void add_lines(struct forward *forward, json_t *list)
{
	char object[sizeof(forward->conf.resolv_conf) + 32], reason[320];

	for (unsigned i = 0; i < forward->resolv.nb_problems; i++) {
		const struct resolv_problem *problem = &forward->resolv.problems[i];

		if (resolv_is_of_server(problem) ? forward->conf.nb_servers > 0
						 : forward->conf.nb_search > 0)
			continue;
		snprintf(object, sizeof(object), "%s line %u", forward->conf.resolv_conf,
			problem->line);
		add_problem(list, object, resolv_problem_text(problem, reason, sizeof(reason)));
	}
}

static void add_servers(struct forward *forward, json_t *list)
{
	char object[DNS_SERVER_TEXT_BYTES + 16], text[DNS_SERVER_TEXT_BYTES], reason[128];
	struct server *server;

	LIST_FOREACH (server, &forward->servers, entry) {
		if (!server->addr.zone[0] || dns_server_zone(&server->addr))
			continue;
		snprintf(object, sizeof(object), "DNS server %s",
			dns_server_format(&server->addr, text));
		snprintf(reason, sizeof(reason),
			"it cannot be asked: this host has no interface '%s'", server->addr.zone);
		add_problem(list, object, reason);
	}
}

json_t *forward_problems(struct forward *forward)
{
	json_t *list = json_array();
	char reason[128];

	lists_refresh(forward, monotonic_us());
	if (forward->unread < 0 && (!forward->conf.nb_servers || !forward->conf.nb_search)) {
		snprintf(reason, sizeof(reason), "cannot read the file: %s",
			strerror(-forward->unread));
		add_problem(list, forward->conf.resolv_conf, reason);
	}
	add_lines(forward, list);
	add_servers(forward, list);
	return list;
}
