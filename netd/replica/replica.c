// SPDX-License-Identifier: BSD-3-Clause
#include "netd/replica/replica.h"

#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "netd/replica/replica_priv.h"

#define SKIPPED_LOGGED_MAX 32

int replica_init(struct replica *r, const struct replica_observer *observer)
{
	*r = (struct replica){0};
	if (observer)
		r->observer = *observer;
	return replica_index_new(&r->index);
}

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

int replica_skip(struct replica *r, const char *key, const struct err *err)
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

static int apply_cluster(struct replica *r, const struct replica_change *c)
{
	struct err err = {0};

	if (!c->value) {
		r->cluster = (struct cluster_record){0};
		return 0;
	}
	r->cluster_seen = true;
	if (cluster_record_parse(c->key, c->value, c->len_bytes, &r->cluster, &err) < 0)
		return replica_skip(r, c->key, &err);
	return 0;
}

// Only its revision says something.
static int apply_allocation(struct replica *r, const struct replica_change *c)
{
	r->allocation_seen = c->value != NULL;
	r->allocation_revision = c->value ? c->revision : 0;
	return 0;
}

static int apply(struct replica *r, const struct replica_change *c)
{
	switch (c->k.kind) {
	case RECORD_CLUSTER:
		return apply_cluster(r, c);
	case RECORD_ALLOCATION:
		return apply_allocation(r, c);
	case RECORD_HOST:
		return replica_host_apply(r, c);
	case RECORD_NETWORK:
		return replica_net_apply(r, c);
	case RECORD_BLOCK:
		return replica_block_apply(r, c);
	case RECORD_ENDPOINT:
		return replica_endpoint_apply(r, c);
	case RECORD_GENERATION: // agent_older.c
	case RECORD_UNKNOWN:
		break;
	}
	return 0;
}

int replica_apply(struct replica *r, const char *key, const char *value, size_t len_bytes,
	uint64_t revision, uint64_t now_us)
{
	struct replica_change c = {.key = key,
		.value = value,
		.len_bytes = len_bytes,
		.revision = revision,
		.now_us = now_us};
	int rc;

	record_key_parse(key, &c.k);
	// First: the key may be that of what is deleted.
	if (!value)
		unskip(r, key);
	rc = apply(r, &c);
	if (value && rc == 0)
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
		return replica_net_named(r, false, k.name);
	case RECORD_BLOCK:
		return replica_block(r, key);
	case RECORD_ENDPOINT:
		return replica_endpoint(r, key);
	default:
		return false;
	}
}

bool replica_lost_key(struct replica *r, const char *key)
{
	const struct replica_endpoint *ep = replica_endpoint(r, key);
	const struct replica_block *block = replica_block(r, key);
	const struct replica_net *net;
	struct record_key k;

	if (ep || block)
		return (ep ? ep->revision : block->revision) == 0;
	record_key_parse(key, &k);
	net = k.kind == RECORD_NETWORK ? replica_net_named(r, false, k.name) : NULL;
	return net && net->revision == 0;
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

static bool is_kept(enum replica_keep keep, uint64_t *revision)
{
	if (keep == REPLICA_KEEP_ALL)
		*revision = 0;
	return keep == REPLICA_KEEP_LOADED || (keep != REPLICA_KEEP_NONE && *revision == 0);
}

// Endpoints and blocks first: who is told of a network that goes finds it empty.
static void end_unseen(struct replica *r, enum replica_keep keep)
{
	struct replica_endpoint *ep, *next_ep;
	struct replica_block *block, *next_block;
	struct replica_net *net, *next_net;

	HASH_ITER(hh, r->endpoints, ep, next_ep)
	{
		if (!ep->seen && !is_kept(keep, &ep->revision))
			replica_endpoint_remove(r, ep);
	}
	HASH_ITER(hh, r->blocks, block, next_block)
	{
		if (!block->seen && !is_kept(keep, &block->revision))
			replica_block_remove(r, block);
	}
	HASH_ITER(hh_name, r->nets_by_name, net, next_net)
	{
		if (!net->seen && !is_kept(keep, &net->revision))
			replica_net_remove(r, net);
	}
}

void replica_end(struct replica *r, enum replica_keep keep, uint64_t now_us)
{
	struct replica_skipped *skipped, *next_skipped;
	struct replica_host *host, *next_host;

	end_unseen(r, keep);
	HASH_ITER(hh, r->hosts, host, next_host)
	{
		if (!host->seen)
			replica_host_absent(r, host, now_us);
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
	replica_end(r, REPLICA_KEEP_NONE, 0);
	HASH_ITER(hh, r->nets, net, next_net)
	replica_net_free(r, net);
	replica_index_free(r->index);
	*r = (struct replica){0};
}
