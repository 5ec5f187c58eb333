// SPDX-License-Identifier: BSD-3-Clause
#include "netd/dns/forward_priv.h"

static json_t *servers_json(struct forward *forward)
{
	json_t *list = json_array();
	char text[IP_TEXT_BYTES + 8];
	struct server *server;

	LIST_FOREACH (server, &forward->servers, entry)
		json_array_append_new(
			list, json_pack("{s:s, s:s, s:I, s:I, s:I, s:I}", "address",
				      server_text(server, text, sizeof(text)), "state",
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
