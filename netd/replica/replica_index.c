// SPDX-License-Identifier: BSD-3-Clause
#include "netd/replica/replica_index.h"

#include <errno.h>
#include <stdlib.h>

#include "base/hash.h"

#define BUCKETS_MIN 1024
#define CLAIM_NAME  RECORD_IPS_MAX // after the addresses

// Chained by itself and not by uthash: its handles would double the size of an endpoint.
struct replica_claim {
	struct replica_claim *next, **link; // link: what points to this one
	struct replica_endpoint *ep;
	uint32_t hash;
	uint8_t what; // index of the address, or CLAIM_NAME
};

struct replica_index {
	struct replica_claim **buckets;
	size_t nb_buckets; // a power of two
	size_t nb_claims;
};

static uint32_t fold(uint64_t hash)
{
	return hash ^ hash >> 32;
}

static uint32_t hash_ip(const struct replica_net *net, const struct ip_addr *ip)
{
	return fold(hash_add(hash_add(HASH_INIT, &net, sizeof(net)), ip, sizeof(*ip)));
}

static uint32_t hash_name(const struct replica_net *net, const char *name)
{
	return fold(record_name_hash(hash_add(HASH_INIT, &net, sizeof(net)), name, strlen(name)));
}

int replica_index_new(struct replica_index **ret_index)
{
	struct replica_index *index = calloc(1, sizeof(*index));

	if (!index)
		return -ENOMEM;
	index->nb_buckets = BUCKETS_MIN;
	index->buckets = calloc(index->nb_buckets, sizeof(*index->buckets));
	if (!index->buckets) {
		free(index);
		return -ENOMEM;
	}
	*ret_index = index;
	return 0;
}

void replica_index_free(struct replica_index *index)
{
	if (!index)
		return;
	free(index->buckets);
	free(index);
}

static struct replica_claim **bucket_of(const struct replica_index *index, uint32_t hash)
{
	return &index->buckets[hash & (index->nb_buckets - 1)];
}

static void push(struct replica_index *index, struct replica_claim *claim)
{
	struct replica_claim **bucket = bucket_of(index, claim->hash);

	claim->next = *bucket;
	if (claim->next)
		claim->next->link = &claim->next;
	claim->link = bucket;
	*bucket = claim;
}

// Without memory the chains get longer, that is all.
static void grow(struct replica_index *index)
{
	struct replica_claim **old = index->buckets, *claim;
	size_t nb_old = index->nb_buckets;
	struct replica_claim **buckets = calloc(2 * nb_old, sizeof(*buckets));

	if (!buckets)
		return;
	index->buckets = buckets;
	index->nb_buckets = 2 * nb_old;
	for (size_t i = 0; i < nb_old; i++) {
		while ((claim = old[i])) {
			old[i] = claim->next;
			push(index, claim);
		}
	}
	free(old);
}

int replica_index_add(struct replica_index *index, struct replica_endpoint *ep)
{
	unsigned count = ep->rec.nb_ips + 1;
	struct replica_claim *claims = calloc(count, sizeof(*claims));

	if (!claims)
		return -ENOMEM;
	if (index->nb_claims + count > index->nb_buckets)
		grow(index);
	for (unsigned i = 0; i < count; i++) {
		bool is_name = i == ep->rec.nb_ips;

		claims[i].ep = ep;
		claims[i].what = is_name ? CLAIM_NAME : i;
		claims[i].hash = is_name ? hash_name(ep->net, ep->rec.name)
					 : hash_ip(ep->net, &ep->rec.ips[i].ip);
		push(index, &claims[i]);
	}
	index->nb_claims += count;
	ep->claims = claims;
	return 0;
}

void replica_index_del(struct replica_index *index, struct replica_claim *claims, unsigned nb_ips)
{
	unsigned count = nb_ips + 1;

	for (unsigned i = 0; i < count; i++) {
		*claims[i].link = claims[i].next;
		if (claims[i].next)
			claims[i].next->link = claims[i].link;
	}
	index->nb_claims -= count;
	free(claims);
}

static struct replica_endpoint *better(struct replica_endpoint *a, struct replica_endpoint *b)
{
	int rc;

	if (!a)
		return b;
	rc = endpoint_record_compare(&a->rec, &b->rec);
	// Two records of one endpoint, under two keys: any, but always the same.
	if (rc == 0)
		rc = strcmp(b->key, a->key);
	return rc >= 0 ? a : b;
}

struct replica_endpoint *replica_index_ip(
	const struct replica_index *index, const struct replica_net *net, const struct ip_addr *ip)
{
	uint32_t hash = hash_ip(net, ip);
	const struct replica_claim *claim;
	struct replica_endpoint *found = NULL;

	for (claim = *bucket_of(index, hash); claim; claim = claim->next) {
		if (claim->hash == hash && claim->what != CLAIM_NAME && claim->ep->net == net &&
			ip_equal(&claim->ep->rec.ips[claim->what].ip, ip))
			found = better(found, claim->ep);
	}
	return found;
}

struct replica_endpoint *replica_index_name(
	const struct replica_index *index, const struct replica_net *net, const char *name)
{
	uint32_t hash = hash_name(net, name);
	const struct replica_claim *claim;
	struct replica_endpoint *found = NULL;

	for (claim = *bucket_of(index, hash); claim; claim = claim->next) {
		if (claim->hash == hash && claim->what == CLAIM_NAME && claim->ep->net == net &&
			record_name_same(claim->ep->rec.name, name))
			found = better(found, claim->ep);
	}
	return found;
}
