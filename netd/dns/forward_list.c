// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/util.h"
#include "netd/dns/forward_priv.h"

#define LOOK_EVERY_US	 100000
#define RESOLV_MAX_BYTES 65536

// ---- our own addresses ----

static struct own_ip *own_find(struct forward *forward, const struct ip_addr *ip)
{
	struct own_ip *own;

	LIST_FOREACH (own, &forward->own, entry)
		if (ip_equal(&own->ip, ip))
			return own;
	return NULL;
}

bool lists_is_own(struct forward *forward, const struct ip_addr *ip)
{
	return own_find(forward, ip) != NULL;
}

static void mark_own(struct forward *forward, const struct ip_addr *ip, bool own)
{
	struct server *server;

	LIST_FOREACH (server, &forward->servers, entry)
		if (ip_equal(&server->addr.ip, ip))
			server->own = own;
}

void forward_own_add(struct forward *forward, const struct ip_addr *ip)
{
	struct own_ip *own = own_find(forward, ip);

	if (!own) {
		own = calloc(1, sizeof(*own));
		if (!own)
			return; // a probe finds out
		own->ip = *ip;
		LIST_INSERT_HEAD(&forward->own, own, entry);
		mark_own(forward, ip, true);
	}
	own->refs++;
}

void forward_own_del(struct forward *forward, const struct ip_addr *ip)
{
	struct own_ip *own = own_find(forward, ip);

	if (!own || --own->refs > 0)
		return;
	mark_own(forward, ip, false);
	LIST_REMOVE(own, entry);
	free(own);
}

// ---- lists ----

static void list_clear(struct upstreams *list)
{
	for (unsigned i = 0; i < list->nb_servers; i++)
		server_put(list->servers[i]);
	list->nb_servers = 0;
}

static bool list_has(const struct upstreams *list, const struct server *server)
{
	for (unsigned i = 0; i < list->nb_servers; i++)
		if (list->servers[i] == server)
			return true;
	return false;
}

static int list_fill(struct upstreams *list, const struct dns_server *servers, unsigned count)
{
	uint64_t id = HASH_INIT;

	for (unsigned i = 0; i < MIN_OF(count, DNS_SERVERS_MAX); i++) {
		struct server *server = server_get(list->forward, &servers[i]);

		if (!server)
			return -1;
		if (list_has(list, server)) {
			server_put(server);
			continue;
		}
		list->servers[list->nb_servers++] = server;
		id = hash_add(id, &server->addr.ip, sizeof(server->addr.ip));
		id = hash_add(id, &server->addr.port, sizeof(server->addr.port));
		id = hash_add(id, server->addr.zone, sizeof(server->addr.zone));
	}
	list->id = id;
	return 0;
}

static struct upstreams *list_new(struct forward *forward)
{
	struct upstreams *list = calloc(1, sizeof(*list));

	if (!list)
		return NULL;
	list->forward = forward;
	list->refs = 1;
	LIST_INSERT_HEAD(&forward->lists, list, entry);
	return list;
}

static void list_free(struct upstreams *list)
{
	list_clear(list);
	LIST_REMOVE(list, entry);
	free(list);
}

struct upstreams *upstreams_get(
	struct forward *forward, const struct dns_server *servers, unsigned count)
{
	struct upstreams *list, *other;

	if (count == 0) {
		servers = forward->conf.servers;
		count = forward->conf.nb_servers;
	}
	if (count == 0) {
		forward->host->refs++;
		return forward->host;
	}
	list = list_new(forward);
	if (!list)
		return NULL;
	if (list_fill(list, servers, count) < 0) {
		list_free(list);
		return NULL;
	}
	LIST_FOREACH (other, &forward->lists, entry) {
		if (other == list || other->is_host || other->id != list->id)
			continue;
		list_free(list);
		other->refs++;
		return other;
	}
	return list;
}

void upstreams_put(struct upstreams *upstreams)
{
	if (upstreams && --upstreams->refs == 0)
		list_free(upstreams);
}

// ---- resolv.conf ----

static void read_resolv(struct forward *forward)
{
	char *text;
	size_t len;

	forward->unread = file_read(forward->conf.resolv_conf, RESOLV_MAX_BYTES, &text, &len, NULL);
	if (forward->unread < 0)
		return;
	resolv_parse(text, len, &forward->resolv);
	free(text);
	list_clear(forward->host);
	if (forward->conf.nb_servers > 0)
		return; // these servers are never asked, so the statistics leave them out
	list_fill(forward->host, forward->resolv.servers, forward->resolv.nb_servers);
}

// As glibc does: the file is looked at when it is needed. It may be a link, be replaced, or come
// into being with its folder, and nothing of that has to be watched.
void lists_refresh(struct forward *forward, uint64_t now_us)
{
	struct resolv_seen seen = {};
	struct stat st;

	if (now_us < forward->look_due_us)
		return;
	forward->look_due_us = now_us + LOOK_EVERY_US;
	if (stat(forward->conf.resolv_conf, &st) < 0) {
		forward->unread = errno == ENOENT ? 0 : -errno;
		return; // keep the servers that it had
	}
	seen.dev = st.st_dev;
	seen.ino = st.st_ino;
	seen.size = st.st_size;
	seen.mtime = st.st_mtim;
	seen.ctime = st.st_ctim;
	if (!memcmp(&seen, &forward->seen, sizeof(seen)))
		return;
	forward->seen = seen;
	read_resolv(forward);
}

unsigned forward_search(struct forward *forward, char ret_search[DNS_SEARCH_MAX][256])
{
	if (forward->conf.nb_search > 0) {
		memcpy(ret_search, forward->conf.search, sizeof(forward->conf.search));
		return forward->conf.nb_search;
	}
	lists_refresh(forward, monotonic_us());
	memcpy(ret_search, forward->resolv.search, sizeof(forward->resolv.search));
	return forward->resolv.nb_search;
}

int lists_init(struct forward *forward)
{
	forward->host = list_new(forward);
	if (!forward->host)
		return -1;
	forward->host->is_host = true;
	lists_refresh(forward, monotonic_us());
	return 0;
}

void lists_fini(struct forward *forward)
{
	struct upstreams *list;
	struct own_ip *own;

	while ((list = LIST_FIRST(&forward->lists)))
		list_free(list);
	while ((own = LIST_FIRST(&forward->own))) {
		LIST_REMOVE(own, entry);
		free(own);
	}
}
