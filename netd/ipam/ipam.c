// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "netd/ipam/ipam_priv.h"

static int copy_subnet(struct ipam *ipam, const struct subnet *subnet)
{
	ipam->cidr = subnet->cidr;
	ipam->range = subnet->range.ip.family ? subnet->range : subnet->cidr;
	ipam->gateway = subnet->gateway;
	cidr_mask(&ipam->cidr);
	cidr_mask(&ipam->range);
	if (!ipam->cidr.ip.family || !cidr_has(&ipam->cidr, &ipam->range.ip) ||
		ipam->range.prefix < ipam->cidr.prefix || ipam->cidr.prefix == 0)
		return -EINVAL;
	if (subnet->nb_aux == 0)
		return 0;
	ipam->aux = calloc(subnet->nb_aux, sizeof(*ipam->aux));
	if (!ipam->aux)
		return -ENOMEM;
	memcpy(ipam->aux, subnet->aux, subnet->nb_aux * sizeof(*ipam->aux));
	ipam->nb_aux = subnet->nb_aux;
	return 0;
}

int ipam_new(const struct ipam_opts *opts, struct ipam **ret_ipam)
{
	struct ipam *ipam = calloc(1, sizeof(*ipam));
	unsigned prefix;
	int rc;

	if (!ipam)
		return -ENOMEM;
	rc = copy_subnet(ipam, opts->subnet);
	prefix = opts->subnet->block_prefix ? opts->subnet->block_prefix
					    : ipam_block_prefix_first(&ipam->range);
	if (rc == 0 && prefix < ipam->range.prefix)
		rc = -EINVAL;
	if (rc < 0) {
		free(ipam->aux);
		free(ipam);
		return rc;
	}
	ipam->quarantine_us = opts->quarantine_us;
	ipam->seed = opts->seed;
	ipam->spread = 1;
	ipam->bits = ipam->cidr.ip.family == 6 ? 128 : 32;
	ipam->block_bits = ipam->bits - prefix;
	ipam->nb_blocks = (ipam_wide)1 << (prefix - ipam->range.prefix);
	for (int i = 0; i < NB_PLACES; i++)
		TAILQ_INIT(&ipam->places[i]);
	TAILQ_INIT(&ipam->own);
	TAILQ_INIT(&ipam->freed);
	rc = ipam_block_find_void(ipam);
	if (rc < 0)
		ipam_free(ipam);
	else
		*ret_ipam = ipam;
	return rc;
}

void ipam_free(struct ipam *ipam)
{
	struct ipam_taken *taken, *next_taken;
	struct ipam_block *block, *next_block;

	if (!ipam)
		return;
	HASH_ITER(hh, ipam->taken, taken, next_taken)
	{
		HASH_DEL(ipam->taken, taken);
		free(taken);
	}
	HASH_ITER(hh, ipam->blocks, block, next_block)
	{
		HASH_DEL(ipam->blocks, block);
		free(block->fresh);
		free(block);
	}
	free(ipam->aux);
	free(ipam);
}

// What the address is kept for; NULL: for nothing. A point-to-point subnet (RFC 3021, RFC 6164)
// and one of a single address have no network and broadcast address.
const char *ipam_reserved_for(const struct ipam *ipam, const struct ip_addr *ip)
{
	unsigned host_bits = ipam->bits - ipam->cidr.prefix;
	ipam_wide host = ipam_to_wide(ip) & (((ipam_wide)1 << host_bits) - 1);

	if (host_bits > 1 && host == 0)
		return ipam->bits == 32 ? "its network address" : "its routers' anycast address";
	if (host_bits > 1 && ipam->bits == 32 && host == ((ipam_wide)1 << host_bits) - 1)
		return "its broadcast address";
	if (ip_equal(ip, &ipam->gateway))
		return "its gateway";
	for (unsigned i = 0; i < ipam->nb_aux; i++) {
		if (ip_equal(ip, &ipam->aux[i].ip))
			return ipam->aux[i].name;
	}
	return NULL;
}

bool ipam_reserved_at(const struct ipam *ipam, unsigned n, struct ip_addr *ret_ip)
{
	ipam_wide network = ipam_to_wide(&ipam->cidr.ip);
	ipam_wide size = (ipam_wide)1 << (ipam->bits - ipam->cidr.prefix);

	*ret_ip = (struct ip_addr){0};
	if (n == 0)
		*ret_ip = ipam->cidr.ip;
	else if (n == 1)
		*ret_ip = ipam_from_wide(ipam->cidr.ip.family, network + size - 1);
	else if (n == 2)
		*ret_ip = ipam->gateway;
	else if (n - 3 < ipam->nb_aux)
		*ret_ip = ipam->aux[n - 3].ip;
	else
		return false;
	if (ret_ip->family && !ipam_reserved_for(ipam, ret_ip))
		ret_ip->family = 0; // as the last one of IPv6
	return true;
}

static struct ipam_taken *taken_make(struct ipam *ipam, const struct ip_addr *ip)
{
	struct ipam_taken *taken = calloc(1, sizeof(*taken));

	if (!taken)
		return NULL;
	taken->ip = *ip;
	if (cidr_has(&ipam->range, ip)) {
		taken->block = ipam_block_make(ipam, ip);
		if (!taken->block) {
			free(taken);
			return NULL;
		}
		LIST_INSERT_HEAD(&taken->block->taken, taken, of_block);
		taken->block->nb_taken++;
	}
	HASH_ADD(hh, ipam->taken, ip, sizeof(taken->ip), taken);
	return taken;
}

int ipam_use(struct ipam *ipam, const struct ip_addr *ip)
{
	struct ipam_taken *taken;

	if (!cidr_has(&ipam->cidr, ip))
		return -EINVAL;
	taken = ipam_taken_find(ipam, ip);
	if (!taken && !(taken = taken_make(ipam, ip)))
		return -ENOMEM;
	taken->uses++;
	ipam_place_out(ipam, taken);
	if (taken->block && taken->block->owner == IPAM_MINE)
		ipam_fresh_take(ipam, taken->block, ipam_block_offset(ipam, ip));
	return 0;
}

void ipam_release(struct ipam *ipam, const struct ip_addr *ip, uint64_t now_us)
{
	struct ipam_taken *taken;
	struct ipam_block *block;

	ipam_settle(ipam, now_us);
	taken = ipam_taken_find(ipam, ip);
	if (!taken || taken->uses == 0 || --taken->uses > 0)
		return;
	taken->released_us = now_us;
	block = taken->block;
	if (block && !ipam_reserved_for(ipam, ip)) {
		ipam_place_in(
			ipam, taken, block->owner == IPAM_MINE ? PLACE_WAITING : PLACE_FOREIGN);
		return;
	}
	// Nobody gives it out.
	ipam_forget(ipam, taken);
	if (block)
		ipam_block_tidy(ipam, block);
}

bool ipam_is_used(const struct ipam *ipam, const struct ip_addr *ip)
{
	const struct ipam_taken *taken = ipam_taken_find(ipam, ip);

	return taken && taken->uses > 0;
}

int ipam_check(struct ipam *ipam, const struct ip_addr *ip, enum ipam_owner *ret_owner,
	uint64_t *ret_epoch, struct err *err)
{
	char text[IP_TEXT_BYTES], subnet[CIDR_TEXT_BYTES], path[IP_TEXT_BYTES + 16];
	const struct ipam_block *block = NULL;
	const char *reserved;

	snprintf(path, sizeof(path), "address %s", ip_format(ip, text));
	cidr_format(&ipam->cidr, subnet);
	if (!cidr_has(&ipam->cidr, ip))
		return err_set(err, -EINVAL, path, "not in the subnet %s", subnet);
	reserved = ipam_reserved_for(ipam, ip);
	if (reserved)
		return err_set(
			err, -EINVAL, path, "reserved in the subnet %s: %s", subnet, reserved);
	if (ipam_is_used(ipam, ip))
		return err_set(err, -EADDRINUSE, path, "used by another endpoint");
	if (cidr_has(&ipam->range, ip))
		block = ipam_block_of(ipam, ip);
	*ret_owner = block ? block->owner : IPAM_NOBODY;
	*ret_epoch = block ? block->epoch : 0;
	return 0;
}

int ipam_next(struct ipam *ipam, uint64_t now_us, struct ip_addr *ret_ip, uint64_t *ret_epoch)
{
	struct ipam_block *block = TAILQ_FIRST(&ipam->own);
	struct ipam_taken *taken;

	ipam_settle(ipam, now_us);
	if (block && block->nb_fresh) {
		block->cursor = ipam_fresh_next(ipam, block);
		block->started = true;
		*ret_ip = ip_add(&block->ip, block->cursor);
		*ret_epoch = block->epoch;
		return 0;
	}
	taken = TAILQ_FIRST(&ipam->places[PLACE_RIPE]);
	if (!taken)
		return -ENOSPC;
	*ret_ip = taken->ip;
	*ret_epoch = taken->block->epoch;
	return 0;
}

uint64_t ipam_nb_free(struct ipam *ipam, uint64_t now_us)
{
	ipam_settle(ipam, now_us);
	return ipam->nb_fresh + ipam->nb_ripe;
}

// From its end downwards: its owner is at work at the other one.
static bool borrow_in(struct ipam *ipam, struct ipam_block *block, struct ip_addr *ret_ip)
{
	unsigned size = ipam_block_size(ipam);

	if (block->nb_taken >= size)
		return false;
	for (unsigned i = 0; i < size; i++) {
		unsigned offset = (block->borrowed - 1 - i) & (size - 1);
		struct ip_addr ip = ip_add(&block->ip, offset);

		if (ipam_taken_find(ipam, &ip) || ipam_reserved_for(ipam, &ip))
			continue;
		block->borrowed = offset;
		*ret_ip = ip;
		return true;
	}
	return false;
}

static bool can_lend(const struct ipam *ipam, const struct ipam_block *block, uint64_t now_us)
{
	return block->owner == IPAM_OTHER ||
	       (block->owner == IPAM_FREED && ipam_is_over(ipam, block->freed_us, now_us));
}

int ipam_borrow(struct ipam *ipam, uint64_t now_us, struct ip_addr *ret_ip, uint64_t *ret_epoch)
{
	struct ipam_block *block;

	ipam_settle(ipam, now_us);
	block = ipam->borrow_from;
	for (unsigned i = 0; i < HASH_COUNT(ipam->blocks); i++) {
		block = block && block->hh.next ? block->hh.next : ipam->blocks;
		if (!can_lend(ipam, block, now_us) || !borrow_in(ipam, block, ret_ip))
			continue;
		// Another one next time: this one may be taken before it can be claimed.
		ipam->borrow_from = block;
		*ret_epoch = block->epoch;
		return 0;
	}
	return -ENOSPC;
}
