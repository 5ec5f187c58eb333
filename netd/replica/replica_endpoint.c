// SPDX-License-Identifier: BSD-3-Clause
// Endpoints.
#include <errno.h>
#include <stdlib.h>

#include "base/hash.h"
#include "netd/replica/replica_priv.h"

static void tell_endpoint(struct replica *r, struct replica_endpoint *ep,
	const struct endpoint_record *old, bool gone)
{
	if (r->observer.endpoint)
		r->observer.endpoint(r->observer.arg, ep, old, gone);
}

struct replica_endpoint *replica_endpoint(struct replica *r, const char *key)
{
	struct replica_endpoint *ep;

	HASH_FIND_STR(r->endpoints, key, ep);
	return ep;
}

static void endpoint_link(struct replica_endpoint *ep, struct replica_host *host)
{
	ep->host = host;
	LIST_INSERT_HEAD(&host->endpoints, ep, of_host);
	host->nb_endpoints++;
}

static void endpoint_unlink(struct replica_endpoint *ep)
{
	LIST_REMOVE(ep, of_host);
	ep->host->nb_endpoints--;
}

void replica_endpoint_remove(struct replica *r, struct replica_endpoint *ep)
{
	HASH_DEL(r->endpoints, ep);
	replica_index_del(r->index, ep->claims, ep->rec.nb_ips);
	LIST_REMOVE(ep, of_net);
	ep->net->nb_endpoints--;
	endpoint_unlink(ep);
	tell_endpoint(r, ep, &ep->rec, true);
	replica_net_tidy(r, ep->net);
	replica_host_tidy(r, ep->host);
	endpoint_record_fini(&ep->rec);
	free(ep);
}

// Takes `rec` over on success.
static int endpoint_add(struct replica *r, const char *key, struct replica_net *net,
	struct replica_host *host, const struct endpoint_record *rec,
	struct replica_endpoint **ret_ep)
{
	struct replica_endpoint *ep = calloc(1, sizeof(*ep) + strlen(key) + 1);

	if (!ep)
		return -ENOMEM;
	ep->rec = *rec;
	ep->net = net;
	strcpy(ep->key, key);
	if (replica_index_add(r->index, ep) < 0) {
		free(ep);
		return -ENOMEM;
	}
	LIST_INSERT_HEAD(&net->endpoints, ep, of_net);
	net->nb_endpoints++;
	endpoint_link(ep, host);
	HASH_ADD_STR(r->endpoints, key, ep);
	*ret_ep = ep;
	return 0;
}

// Takes `rec` over on success, and gives the one before.
static int endpoint_change(struct replica *r, struct replica_endpoint *ep,
	struct replica_host *host, const struct endpoint_record *rec,
	struct endpoint_record *ret_old)
{
	struct replica_claim *claims = ep->claims;
	struct endpoint_record old = ep->rec;

	ep->rec = *rec;
	if (replica_index_add(r->index, ep) < 0) {
		ep->rec = old;
		return -ENOMEM;
	}
	replica_index_del(r->index, claims, old.nb_ips);
	endpoint_unlink(ep);
	endpoint_link(ep, host);
	*ret_old = old;
	return 0;
}

// Takes `rec` over on success.
static int endpoint_set(struct replica *r, struct replica_endpoint *ep,
	const struct replica_change *c, const struct endpoint_record *rec, uint64_t hash)
{
	struct replica_net *net = replica_net_make(r, c->k.net);
	struct replica_host *host = replica_host_make(r, rec->host, c->now_us), *old_host = NULL;
	struct endpoint_record old = {0};
	bool is_new = !ep;
	int rc = -ENOMEM;

	if (net && host && is_new) {
		rc = endpoint_add(r, c->key, net, host, rec, &ep);
	} else if (net && host) {
		old_host = ep->host;
		rc = endpoint_change(r, ep, host, rec, &old);
	}
	if (rc == 0) {
		ep->revision = c->revision;
		ep->hash = hash;
		ep->seen = true;
		tell_endpoint(r, ep, is_new ? NULL : &old, false);
		endpoint_record_fini(&old);
		replica_host_tidy(r, old_host);
		return 0;
	}
	if (net)
		replica_net_tidy(r, net);
	replica_host_tidy(r, host);
	return rc;
}

int replica_endpoint_apply(struct replica *r, const struct replica_change *c)
{
	struct replica_endpoint *ep = replica_endpoint(r, c->key);
	struct endpoint_record rec;
	struct err err = {0};
	uint64_t hash;
	int rc;

	if (!c->value) {
		if (ep)
			replica_endpoint_remove(r, ep);
		return 0;
	}
	hash = hash_add(HASH_INIT, c->value, c->len_bytes);
	if (ep) {
		ep->seen = true;
		// After an interruption the store tells all of them again.
		if (ep->revision == c->revision && ep->hash == hash)
			return 0;
	}
	rc = endpoint_record_parse(c->key, c->value, c->len_bytes, &rec, &err);
	if (rc < 0)
		return rc == -ENOMEM ? rc : replica_skip(r, c->key, &err);
	rc = endpoint_set(r, ep, c, &rec, hash);
	if (rc < 0)
		endpoint_record_fini(&rec);
	return rc;
}

struct replica_endpoint *replica_by_ip(
	struct replica *r, const char *net_id, const struct ip_addr *ip)
{
	struct replica_net *net = replica_net_by_id(r, net_id);

	return net ? replica_index_ip(r->index, net, ip) : NULL;
}

struct replica_endpoint *replica_by_name(struct replica_net *net, const char *name_or_id)
{
	struct replica_endpoint *ep, *found;
	size_t len = strlen(name_or_id);

	found = replica_index_name(net->replica->index, net, name_or_id);
	if (found || len == 0 || strspn(name_or_id, "0123456789abcdef") != len)
		return found;
	LIST_FOREACH (ep, &net->endpoints, of_net) {
		if (strncmp(ep->rec.id, name_or_id, len) != 0)
			continue;
		if (found)
			return NULL;
		found = ep;
	}
	return found;
}
