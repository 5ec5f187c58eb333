// SPDX-License-Identifier: BSD-3-Clause
// The claims of a network by MAC and address: open addressing, some 50 bytes an endpoint. A record
// stands in several slots: for its MAC and for each address.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "netd/reconcile/reconcile_priv.h"

#define CAPACITY_MIN 64

struct claim_keys claim_keys(const struct endpoint_record *rec)
{
	struct claim_keys keys = {.mac = rec->mac, .nb_ips = rec->nb_ips};

	for (unsigned i = 0; i < rec->nb_ips; i++)
		keys.ips[i] = rec->ips[i].ip;
	return keys;
}

static uint32_t hash_mac(const struct mac *mac)
{
	uint64_t hash = hash_add(HASH_INIT, mac, sizeof(*mac));

	return hash ^ hash >> 32;
}

static uint32_t hash_ip(const struct ip_addr *ip)
{
	uint64_t hash = hash_add(HASH_INIT, ip, sizeof(*ip));

	return hash ^ hash >> 32;
}

static void put(struct claims *claims, const struct claim *claim)
{
	size_t mask = claims->capacity - 1, i = claim->hash & mask;

	while (claims->slot[i].rec)
		i = (i + 1) & mask;
	claims->slot[i] = *claim;
	claims->count++;
}

// Room for `more`: a third of the slots stays free.
static int reserve(struct claims *claims, size_t more)
{
	struct claims grown = {.capacity = claims->capacity ? claims->capacity : CAPACITY_MIN};

	while ((claims->count + more) * 3 > grown.capacity * 2)
		grown.capacity *= 2;
	if (grown.capacity == claims->capacity)
		return 0;
	grown.slot = calloc(grown.capacity, sizeof(*grown.slot));
	if (!grown.slot)
		return -ENOMEM;
	for (size_t i = 0; i < claims->capacity; i++) {
		if (claims->slot[i].rec)
			put(&grown, &claims->slot[i]);
	}
	free(claims->slot);
	*claims = grown;
	return 0;
}

int claims_add(struct claims *claims, const struct endpoint_record *rec,
	const struct claim_keys *keys, struct replica_host *host)
{
	struct claim claim = {.rec = rec, .host = host, .hash = hash_mac(&keys->mac)};
	int rc = reserve(claims, keys->nb_ips + 1);

	if (rc < 0)
		return rc;
	put(claims, &claim);
	for (unsigned i = 0; i < keys->nb_ips; i++) {
		claim.hash = hash_ip(&keys->ips[i]);
		put(claims, &claim);
	}
	return 0;
}

// Closes the gap: what comes after may only be where a search from its own place finds it.
static void take(struct claims *claims, size_t gap)
{
	size_t mask = claims->capacity - 1;

	for (size_t i = (gap + 1) & mask; claims->slot[i].rec; i = (i + 1) & mask) {
		size_t home = claims->slot[i].hash & mask;

		if (((i - home) & mask) < ((i - gap) & mask))
			continue;
		claims->slot[gap] = claims->slot[i];
		gap = i;
	}
	claims->slot[gap] = (struct claim){0};
	claims->count--;
}

static bool take_one(struct claims *claims, const struct endpoint_record *rec, uint32_t hash,
	struct replica_host **ret_host)
{
	size_t mask = claims->capacity - 1;

	if (!claims->capacity)
		return false;
	for (size_t i = hash & mask; claims->slot[i].rec; i = (i + 1) & mask) {
		if (claims->slot[i].rec != rec || claims->slot[i].hash != hash)
			continue;
		*ret_host = claims->slot[i].host;
		take(claims, i);
		return true;
	}
	return false;
}

bool claims_del(struct claims *claims, const struct endpoint_record *rec,
	const struct claim_keys *keys, struct replica_host **ret_host)
{
	bool found = take_one(claims, rec, hash_mac(&keys->mac), ret_host);

	for (unsigned i = 0; i < keys->nb_ips; i++)
		found |= take_one(claims, rec, hash_ip(&keys->ips[i]), ret_host);
	return found;
}

void claims_fini(struct claims *claims)
{
	free(claims->slot);
	memset(claims, 0, sizeof(*claims));
}

// The next slot of the hash; `pos` counts from its place.
static const struct claim *next(const struct claims *claims, uint32_t hash, size_t *pos)
{
	size_t mask = claims->capacity - 1;

	while (claims->capacity && *pos < claims->capacity) {
		const struct claim *claim = &claims->slot[(hash + (*pos)++) & mask];

		if (!claim->rec)
			break;
		if (claim->hash == hash)
			return claim;
	}
	return NULL;
}

static bool has_ip(const struct endpoint_record *rec, const struct ip_addr *ip)
{
	for (unsigned i = 0; i < rec->nb_ips; i++) {
		if (ip_equal(&rec->ips[i].ip, ip))
			return true;
	}
	return false;
}

const struct claim *claims_mac(const struct claims *claims, const struct mac *mac, size_t *pos)
{
	const struct claim *claim;

	while ((claim = next(claims, hash_mac(mac), pos))) {
		if (!memcmp(&claim->rec->mac, mac, sizeof(*mac)))
			return claim;
	}
	return NULL;
}

const struct claim *claims_ip(const struct claims *claims, const struct ip_addr *ip, size_t *pos)
{
	const struct claim *claim;

	while ((claim = next(claims, hash_ip(ip), pos))) {
		if (has_ip(claim->rec, ip))
			return claim;
	}
	return NULL;
}

static bool wins(const struct claims *claims, const struct endpoint_record *rec)
{
	for (unsigned i = 0; i < rec->nb_ips; i++) {
		const struct claim *other;
		size_t pos = 0;

		while ((other = claims_ip(claims, &rec->ips[i].ip, &pos))) {
			if (other->rec != rec && endpoint_record_compare(other->rec, rec) > 0)
				return false;
		}
	}
	return true;
}

// An own endpoint goes before its record in the store.
static bool is_better(const struct claim *claim, const struct claim *best)
{
	int order = best ? endpoint_record_compare(claim->rec, best->rec) : 1;

	return order > 0 || (order == 0 && !claim->host);
}

const struct claim *claims_mac_owner(const struct claims *claims, const struct mac *mac)
{
	const struct claim *claim, *best = NULL;
	size_t pos = 0;

	while ((claim = claims_mac(claims, mac, &pos))) {
		if (wins(claims, claim->rec) && is_better(claim, best))
			best = claim;
	}
	return best;
}

const struct claim *claims_ip_owner(const struct claims *claims, const struct ip_addr *ip)
{
	const struct claim *claim, *best = NULL;
	size_t pos = 0;

	while ((claim = claims_ip(claims, ip, &pos))) {
		if (wins(claims, claim->rec) && is_better(claim, best))
			best = claim;
	}
	return best;
}
