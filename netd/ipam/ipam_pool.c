// SPDX-License-Identifier: BSD-3-Clause
// Subnets and MAC addresses for those who do not ask for one.
#include <errno.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/util.h"
#include "netd/ipam/ipam.h"

static int compare_cidrs(const void *a, const void *b)
{
	const struct cidr *x = a, *y = b;

	return ip_compare(&x->ip, &y->ip);
}

// The address after the last one of the network; false: there is none.
static bool next_after(const struct cidr *cidr, struct ip_addr *ret_ip)
{
	unsigned last = cidr->prefix - 1; // its last bit
	struct ip_addr ip = cidr->ip;
	int carry = 1 << (7 - last % 8);

	if (cidr->prefix == 0)
		return false;
	for (int i = last / 8; i >= 0 && carry; i--) {
		carry += ip.byte[i];
		ip.byte[i] = carry;
		carry >>= 8;
	}
	*ret_ip = ip;
	return carry == 0;
}

// `taken`: sorted, of the pool's family.
static bool first_free(
	const struct pool *pool, const struct cidr *taken, unsigned nb_taken, struct cidr *ret_cidr)
{
	struct cidr want = {.ip = pool->cidr.ip, .prefix = pool->size};

	for (unsigned i = 0; i < nb_taken; i++) {
		const struct cidr *larger = taken[i].prefix < want.prefix ? &taken[i] : &want;

		if (!cidr_overlap(&taken[i], &want))
			continue;
		// What comes before `want` is behind: the list is sorted.
		if (!next_after(larger, &want.ip) || !cidr_has(&pool->cidr, &want.ip))
			return false;
	}
	*ret_cidr = want;
	return true;
}

int pool_next(const struct pool *pools, unsigned nb_pools, unsigned family,
	const struct cidr *taken, unsigned nb_taken, struct cidr *ret_cidr)
{
	struct cidr *sorted = calloc(MAX_OF(nb_taken, 1), sizeof(*sorted));
	unsigned nb_sorted = 0;
	int rc = -ENOSPC;

	if (!sorted)
		return -ENOMEM;
	for (unsigned i = 0; i < nb_taken; i++) {
		if (taken[i].ip.family != family)
			continue;
		sorted[nb_sorted] = taken[i];
		cidr_mask(&sorted[nb_sorted++]);
	}
	qsort(sorted, nb_sorted, sizeof(*sorted), compare_cidrs);
	for (unsigned i = 0; i < nb_pools && rc < 0; i++) {
		struct pool pool = pools[i];

		if (pool.cidr.ip.family != family || pool.size < pool.cidr.prefix ||
			pool.size > (family == 6 ? 128 : 32))
			continue;
		cidr_mask(&pool.cidr);
		if (first_free(&pool, sorted, nb_sorted, ret_cidr))
			rc = 0;
	}
	free(sorted);
	return rc;
}

struct mac ipam_mac(const struct ip_addr *ip)
{
	struct mac mac = {{0x02, 0x42}};
	uint64_t hash;

	if (ip->family != 6) {
		memcpy(&mac.byte[2], ip->byte, 4);
		return mac;
	}
	// Neighbours differ in a few last bits only: those must reach all bits that are kept.
	hash = hash_add(HASH_INIT, ip->byte, sizeof(ip->byte));
	hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccdull;
	hash ^= hash >> 33;
	for (int i = 0; i < 6; i++)
		mac.byte[i] = hash >> 8 * i;
	// Never 02:...: those are of IPv4 addresses.
	mac.byte[0] = (mac.byte[0] & 0xf8) | 0x06;
	return mac;
}
