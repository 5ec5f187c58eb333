// SPDX-License-Identifier: BSD-3-Clause
#include "netd/replica.h"

#include <errno.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/log.h"
#include "netd/replica_index.h"

#define SKIPPED_LOGGED_MAX 32

int replica_init(struct replica *r, const struct replica_observer *observer)
{
	*r = (struct replica){0};
	if (observer)
		r->observer = *observer;
	return replica_index_new(&r->index);
}

// ---- telling ----

static void tell_host(struct replica *r, struct replica_host *host, const struct host_record *old)
{
	if (r->observer.host)
		r->observer.host(r->observer.arg, host, old);
}

static void tell_net(struct replica *r, struct replica_net *net, bool gone)
{
	if (r->observer.net)
		r->observer.net(r->observer.arg, net, gone);
}

static void tell_block(struct replica *r, struct replica_block *block, bool gone)
{
	if (r->observer.block)
		r->observer.block(r->observer.arg, block, gone);
}

static void tell_endpoint(struct replica *r, struct replica_endpoint *ep,
	const struct endpoint_record *old, bool gone)
{
	if (r->observer.endpoint)
		r->observer.endpoint(r->observer.arg, ep, old, gone);
}

// ---- records that cannot be read ----

static void unskip(struct replica *r, const char *key)
{
	struct replica_skipped *skipped;

	HASH_FIND_STR(r->skipped, key, skipped);
	if (!skipped)
		return;
	HASH_DEL(r->skipped, skipped);
	free(skipped->reason);
	free(skipped);
}

static int skip(struct replica *r, const char *key, const struct err *err)
{
	struct replica_skipped *skipped;
	char *reason;

	if (err->code == -ENOMEM || !(reason = strdup(err->reason)))
		return -ENOMEM;
	HASH_FIND_STR(r->skipped, key, skipped);
	if (!skipped) {
		skipped = calloc(1, sizeof(*skipped) + strlen(key) + 1);
		if (!skipped) {
			free(reason);
			return -ENOMEM;
		}
		strcpy(skipped->key, key);
		HASH_ADD_STR(r->skipped, key, skipped);
		// A store full of them must not fill the log.
		if (HASH_COUNT(r->skipped) <= SKIPPED_LOGGED_MAX)
			log_warn("store: %s: %s; the record is skipped", key, reason);
	}
	free(skipped->reason);
	skipped->reason = reason;
	skipped->seen = true;
	return -EBADMSG;
}

// ---- hosts ----

struct replica_host *replica_host(struct replica *r, const char *name)
{
	struct replica_host *host;

	HASH_FIND_STR(r->hosts, name, host);
	return host;
}

static struct replica_host *host_make(struct replica *r, const char *name, uint64_t now_us)
{
	struct replica_host *host = replica_host(r, name);

	if (host)
		return host;
	host = calloc(1, sizeof(*host));
	if (!host)
		return NULL;
	strcpy(host->rec.name, name);
	host->absent_since_us = now_us;
	HASH_ADD_STR(r->hosts, rec.name, host);
	return host;
}

// Frees a host that is not present and that nothing hangs on.
static void host_tidy(struct replica *r, struct replica_host *host)
{
	if (!host || host->present || !LIST_EMPTY(&host->endpoints) || !LIST_EMPTY(&host->blocks))
		return;
	HASH_DEL(r->hosts, host);
	free(host);
}

static void host_absent(struct replica *r, struct replica_host *host, uint64_t now_us)
{
	if (host->present) {
		host->present = false;
		host->absent_since_us = now_us;
		host->revision = 0;
		tell_host(r, host, &host->rec);
	}
	host_tidy(r, host);
}

// Its lease is held, which is what the key says, whatever its value is.
static void host_present(struct replica_host *host, uint64_t revision)
{
	host->revision = revision;
	host->present = host->seen = true;
	host->absent_since_us = 0;
}

// Of a newer version, maybe: the host must not be taken for one that is gone.
static int host_unreadable(struct replica *r, struct replica_host *host, uint64_t revision)
{
	bool was_present = host->present;

	host_present(host, revision);
	if (!was_present)
		tell_host(r, host, host->known ? &host->rec : NULL);
	return -EBADMSG;
}

static int apply_host(struct replica *r, const char *key, const struct record_key *k,
	const char *value, size_t len_bytes, uint64_t revision, uint64_t now_us)
{
	struct replica_host *host = replica_host(r, k->name);
	struct host_record rec, old;
	struct err err = {0};
	bool was_known;
	int rc;

	if (!value) {
		if (host)
			host_absent(r, host, now_us);
		return 0;
	}
	rc = host_record_parse(key, value, len_bytes, &rec, &err);
	if (rc < 0 && skip(r, key, &err) == -ENOMEM)
		return -ENOMEM;
	if (!host && !(host = host_make(r, k->name, now_us)))
		return -ENOMEM;
	if (rc < 0)
		return host_unreadable(r, host, revision);
	old = host->rec;
	was_known = host->known;
	host->rec = rec;
	host->known = true;
	host_present(host, revision);
	tell_host(r, host, was_known ? &old : NULL);
	return 0;
}

// ---- networks ----

struct replica_net *replica_net_by_id(struct replica *r, const char *id)
{
	struct replica_net *net;

	HASH_FIND_STR(r->nets, id, net);
	return net;
}

struct replica_net *replica_net_make(struct replica *r, const char *id)
{
	struct replica_net *net = replica_net_by_id(r, id);

	if (net || strlen(id) >= sizeof(net->id))
		return net;
	net = calloc(1, sizeof(*net));
	if (!net)
		return NULL;
	net->replica = r;
	strcpy(net->id, id);
	HASH_ADD_STR(r->nets, id, net);
	return net;
}

void replica_net_tidy(struct replica *r, struct replica_net *net)
{
	if (net->known || !LIST_EMPTY(&net->endpoints) || !LIST_EMPTY(&net->blocks) ||
		!LIST_EMPTY(&net->own) || net->agent || net->reconcile)
		return;
	HASH_DEL(r->nets, net);
	free(net);
}

static struct replica_net **names_of(struct replica *r, bool local)
{
	return local ? &r->local_by_name : &r->nets_by_name;
}

static struct replica_net *net_named(struct replica *r, bool local, const char *name)
{
	struct replica_net *net;

	HASH_FIND(hh_name, *names_of(r, local), name, strlen(name), net);
	return net;
}

static struct replica_net *net_by_start(struct replica *r, const char *start)
{
	struct replica_net *net, *next, *found = NULL;
	size_t len = strlen(start);

	if (len == 0)
		return NULL;
	HASH_ITER(hh, r->nets, net, next)
	{
		if (!net->known || strncmp(net->id, start, len) != 0)
			continue;
		if (found)
			return NULL;
		found = net;
	}
	return found;
}

struct replica_net *replica_net_by_name(struct replica *r, const char *name)
{
	struct replica_net *net = net_named(r, true, name);

	return net ? net : net_named(r, false, name);
}

struct replica_net *replica_net(struct replica *r, const char *name_or_id)
{
	struct replica_net *net = replica_net_by_name(r, name_or_id);

	return net ? net : net_by_start(r, name_or_id);
}

int replica_net_set(
	struct replica *r, const struct network_record *rec, bool local, uint64_t revision)
{
	struct replica_net *named = net_named(r, local, rec->name);
	struct replica_net *net = replica_net_by_id(r, rec->id);
	struct replica_net **names = names_of(r, local);
	struct network_record old = {0};

	if (named && named != net)
		return -EEXIST;
	if (net && net->known && (net->local != local || named != net))
		return -EEXIST;
	if (!net && !(net = replica_net_make(r, rec->id)))
		return -ENOMEM;
	if (net->known) {
		HASH_DELETE(hh_name, *names, net);
		old = net->rec;
	}
	net->rec = *rec;
	net->known = net->seen = true;
	net->local = local;
	net->revision = revision;
	HASH_ADD_KEYPTR(hh_name, *names, net->rec.name, strlen(net->rec.name), net);
	tell_net(r, net, false);
	network_record_fini(&old);
	return 0;
}

void replica_net_remove(struct replica *r, struct replica_net *net)
{
	if (net->known) {
		HASH_DELETE(hh_name, *names_of(r, net->local), net);
		net->known = false;
		tell_net(r, net, true);
		network_record_fini(&net->rec);
		net->rec = (struct network_record){0};
		net->revision = 0;
		net->local = false;
	}
	replica_net_tidy(r, net);
}

static int apply_net(struct replica *r, const char *key, const struct record_key *k,
	const char *value, size_t len_bytes, uint64_t revision)
{
	struct replica_net *net = net_named(r, false, k->name);
	struct network_record rec;
	struct err err = {0};
	int rc;

	if (!value) {
		if (net)
			replica_net_remove(r, net);
		return 0;
	}
	if (net)
		net->seen = true;
	rc = network_record_parse(key, value, len_bytes, &rec, &err);
	if (rc < 0)
		return rc == -ENOMEM ? rc : skip(r, key, &err);
	// It was deleted and made again, and only the last of it was told.
	if (net && strcmp(net->id, rec.id) != 0)
		replica_net_remove(r, net);
	rc = replica_net_set(r, &rec, false, revision);
	if (rc == 0)
		return 0;
	if (rc == -EEXIST) {
		err_set(&err, -EBADMSG, key, "another network has the id %s", rec.id);
		rc = skip(r, key, &err);
	}
	network_record_fini(&rec);
	return rc;
}

// ---- blocks ----

struct replica_block *replica_block(struct replica *r, const char *key)
{
	struct replica_block *block;

	HASH_FIND_STR(r->blocks, key, block);
	return block;
}

static void block_set_host(struct replica_block *block, struct replica_host *host)
{
	if (block->host)
		LIST_REMOVE(block, of_host);
	block->host = host;
	if (host)
		LIST_INSERT_HEAD(&host->blocks, block, of_host);
}

static void block_remove(struct replica *r, struct replica_block *block)
{
	struct replica_host *host = block->host;

	HASH_DEL(r->blocks, block);
	LIST_REMOVE(block, of_net);
	if (host)
		LIST_REMOVE(block, of_host);
	tell_block(r, block, true);
	replica_net_tidy(r, block->net);
	host_tidy(r, host);
	free(block);
}

static struct replica_block *block_make(struct replica *r, const char *key, const char *net_id)
{
	struct replica_block *block = calloc(1, sizeof(*block) + strlen(key) + 1);

	if (!block || !(block->net = replica_net_make(r, net_id))) {
		free(block);
		return NULL;
	}
	strcpy(block->key, key);
	LIST_INSERT_HEAD(&block->net->blocks, block, of_net);
	HASH_ADD_STR(r->blocks, key, block);
	return block;
}

static int apply_block(struct replica *r, const char *key, const struct record_key *k,
	const char *value, size_t len_bytes, uint64_t revision, uint64_t now_us)
{
	struct replica_block *block = replica_block(r, key);
	struct replica_host *host = NULL, *old_host;
	struct block_record rec;
	struct err err = {0};

	if (!value) {
		if (block)
			block_remove(r, block);
		return 0;
	}
	if (block)
		block->seen = true;
	if (block_record_parse(key, value, len_bytes, &rec, &err) < 0)
		return skip(r, key, &err);
	if (rec.owner[0] && !(host = host_make(r, rec.owner, now_us)))
		return -ENOMEM;
	if (!block && !(block = block_make(r, key, k->net))) {
		host_tidy(r, host);
		return -ENOMEM;
	}
	old_host = block->host;
	block_set_host(block, host);
	block->rec = rec;
	block->revision = revision;
	block->seen = true;
	tell_block(r, block, false);
	host_tidy(r, old_host);
	return 0;
}

// ---- endpoints ----

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

static void endpoint_remove(struct replica *r, struct replica_endpoint *ep)
{
	HASH_DEL(r->endpoints, ep);
	replica_index_del(r->index, ep->claims, ep->rec.nb_ips);
	LIST_REMOVE(ep, of_net);
	ep->net->nb_endpoints--;
	endpoint_unlink(ep);
	tell_endpoint(r, ep, &ep->rec, true);
	replica_net_tidy(r, ep->net);
	host_tidy(r, ep->host);
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
static int endpoint_set(struct replica *r, struct replica_endpoint *ep, const char *key,
	const char *net_id, const struct endpoint_record *rec, uint64_t revision, uint64_t hash,
	uint64_t now_us)
{
	struct replica_net *net = replica_net_make(r, net_id);
	struct replica_host *host = host_make(r, rec->host, now_us), *old_host = NULL;
	struct endpoint_record old = {0};
	bool is_new = !ep;
	int rc = -ENOMEM;

	if (net && host && is_new) {
		rc = endpoint_add(r, key, net, host, rec, &ep);
	} else if (net && host) {
		old_host = ep->host;
		rc = endpoint_change(r, ep, host, rec, &old);
	}
	if (rc == 0) {
		ep->revision = revision;
		ep->hash = hash;
		ep->seen = true;
		tell_endpoint(r, ep, is_new ? NULL : &old, false);
		endpoint_record_fini(&old);
		host_tidy(r, old_host);
		return 0;
	}
	if (net)
		replica_net_tidy(r, net);
	host_tidy(r, host);
	return rc;
}

static int apply_endpoint(struct replica *r, const char *key, const struct record_key *k,
	const char *value, size_t len_bytes, uint64_t revision, uint64_t now_us)
{
	struct replica_endpoint *ep = replica_endpoint(r, key);
	struct endpoint_record rec;
	struct err err = {0};
	uint64_t hash;
	int rc;

	if (!value) {
		if (ep)
			endpoint_remove(r, ep);
		return 0;
	}
	hash = hash_add(HASH_INIT, value, len_bytes);
	if (ep) {
		ep->seen = true;
		// After an interruption the store tells all of them again.
		if (ep->revision == revision && ep->hash == hash)
			return 0;
	}
	rc = endpoint_record_parse(key, value, len_bytes, &rec, &err);
	if (rc < 0)
		return rc == -ENOMEM ? rc : skip(r, key, &err);
	rc = endpoint_set(r, ep, key, k->net, &rec, revision, hash, now_us);
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

// ---- the rest ----

static int apply_cluster(struct replica *r, const char *key, const char *value, size_t len_bytes)
{
	struct err err = {0};

	if (!value) {
		r->cluster = (struct cluster_record){0};
		return 0;
	}
	r->cluster_seen = true;
	if (cluster_record_parse(key, value, len_bytes, &r->cluster, &err) < 0)
		return skip(r, key, &err);
	return 0;
}

// Only its revision says something.
static void apply_allocation(struct replica *r, const char *value, uint64_t revision)
{
	r->allocation_seen = value != NULL;
	r->allocation_revision = value ? revision : 0;
}

int replica_apply(struct replica *r, const char *key, const char *value, size_t len_bytes,
	uint64_t revision, uint64_t now_us)
{
	struct record_key k;
	int rc = 0;

	record_key_parse(key, &k);
	switch (k.kind) {
	case RECORD_CLUSTER:
		rc = apply_cluster(r, key, value, len_bytes);
		break;
	case RECORD_ALLOCATION:
		apply_allocation(r, value, revision);
		break;
	case RECORD_HOST:
		rc = apply_host(r, key, &k, value, len_bytes, revision, now_us);
		break;
	case RECORD_NETWORK:
		rc = apply_net(r, key, &k, value, len_bytes, revision);
		break;
	case RECORD_BLOCK:
		rc = apply_block(r, key, &k, value, len_bytes, revision, now_us);
		break;
	case RECORD_ENDPOINT:
		rc = apply_endpoint(r, key, &k, value, len_bytes, revision, now_us);
		break;
	case RECORD_UNKNOWN:
		break;
	}
	if (rc == 0)
		unskip(r, key);
	return rc;
}

bool replica_has_key(struct replica *r, const char *key)
{
	const struct replica_host *host;
	struct record_key k;

	record_key_parse(key, &k);
	switch (k.kind) {
	case RECORD_HOST:
		host = replica_host(r, k.name);
		return host && host->known;
	case RECORD_NETWORK:
		return net_named(r, false, k.name);
	case RECORD_BLOCK:
		return replica_block(r, key);
	case RECORD_ENDPOINT:
		return replica_endpoint(r, key);
	default:
		return false;
	}
}

void replica_begin(struct replica *r)
{
	struct replica_endpoint *ep, *next_ep;
	struct replica_skipped *skipped, *next_skipped;
	struct replica_block *block, *next_block;
	struct replica_host *host, *next_host;
	struct replica_net *net, *next_net;

	HASH_ITER(hh, r->endpoints, ep, next_ep)
	ep->seen = false;
	HASH_ITER(hh, r->blocks, block, next_block)
	block->seen = false;
	HASH_ITER(hh, r->nets, net, next_net)
	net->seen = false;
	HASH_ITER(hh, r->hosts, host, next_host)
	host->seen = false;
	HASH_ITER(hh, r->skipped, skipped, next_skipped)
	skipped->seen = false;
	r->cluster_seen = r->allocation_seen = false;
}

// Endpoints and blocks first: who is told of a network that goes finds it empty.
static void drop_unseen(struct replica *r)
{
	struct replica_endpoint *ep, *next_ep;
	struct replica_block *block, *next_block;
	struct replica_net *net;
	struct replica_net *next_net;

	HASH_ITER(hh, r->endpoints, ep, next_ep)
	{
		if (!ep->seen)
			endpoint_remove(r, ep);
	}
	HASH_ITER(hh, r->blocks, block, next_block)
	{
		if (!block->seen)
			block_remove(r, block);
	}
	HASH_ITER(hh_name, r->nets_by_name, net, next_net)
	{
		if (!net->seen)
			replica_net_remove(r, net);
	}
}

static void keep_unseen(struct replica *r)
{
	struct replica_endpoint *ep, *next_ep;
	struct replica_block *block, *next_block;
	struct replica_net *net, *next_net;

	HASH_ITER(hh, r->endpoints, ep, next_ep)
	{
		if (!ep->seen)
			ep->revision = 0;
	}
	HASH_ITER(hh, r->blocks, block, next_block)
	{
		if (!block->seen)
			block->revision = 0;
	}
	HASH_ITER(hh_name, r->nets_by_name, net, next_net)
	{
		if (!net->seen)
			net->revision = 0;
	}
}

void replica_end(struct replica *r, bool keep, uint64_t now_us)
{
	struct replica_skipped *skipped, *next_skipped;
	struct replica_host *host, *next_host;

	if (keep)
		keep_unseen(r);
	else
		drop_unseen(r);
	HASH_ITER(hh, r->hosts, host, next_host)
	{
		if (!host->seen)
			host_absent(r, host, now_us);
	}
	HASH_ITER(hh, r->skipped, skipped, next_skipped)
	{
		if (!skipped->seen)
			unskip(r, skipped->key);
	}
	if (!r->cluster_seen)
		r->cluster = (struct cluster_record){0};
	if (!r->allocation_seen)
		r->allocation_revision = 0;
}

// Nobody is told. Networks that others still point to are freed as well.
void replica_fini(struct replica *r)
{
	struct replica_net *net, *next_net;

	if (!r->index)
		return;
	r->observer = (struct replica_observer){0};
	replica_begin(r);
	replica_end(r, false, 0);
	HASH_ITER(hh, r->nets, net, next_net)
	{
		if (net->known)
			HASH_DELETE(hh_name, *names_of(r, net->local), net);
		HASH_DEL(r->nets, net);
		network_record_fini(&net->rec);
		free(net);
	}
	replica_index_free(r->index);
	*r = (struct replica){0};
}
