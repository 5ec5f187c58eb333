// SPDX-License-Identifier: BSD-3-Clause
// Blocks and who owns them.
#include <errno.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/util.h"
#include "netd/ipam/ipam_priv.h"

#define BLOCK_BITS_V4 6
#define BLOCK_BITS_V6 16
#define BLOCKS_LOG2   6 // a 64th

// Of networks of the first version.
#define FIRST_BITS_V4	  8
#define FIRST_BITS_MIN	  2
#define FIRST_BLOCKS_LOG2 4 // a 16th

#define SPREAD_MAX (1u << 12) // blocks among which one is chosen after lost races

ipam_wide ipam_to_wide(const struct ip_addr *ip)
{
	unsigned bytes = ip->family == 6 ? 16 : 4;
	ipam_wide value = 0;

	for (unsigned i = 0; i < bytes; i++)
		value = value << 8 | ip->byte[i];
	return value;
}

struct ip_addr ipam_from_wide(unsigned family, ipam_wide value)
{
	struct ip_addr ip = {.family = family};

	for (int i = (family == 6 ? 16 : 4) - 1; i >= 0; i--) {
		ip.byte[i] = value;
		value >>= 8;
	}
	return ip;
}

static struct ip_addr block_at(const struct ipam *ipam, ipam_wide index)
{
	return ipam_from_wide(
		ipam->range.ip.family, ipam_to_wide(&ipam->range.ip) + (index << ipam->block_bits));
}

ipam_wide ipam_block_index(const struct ipam *ipam, const struct ip_addr *ip)
{
	return (ipam_to_wide(ip) - ipam_to_wide(&ipam->range.ip)) >> ipam->block_bits;
}

unsigned ipam_block_offset(const struct ipam *ipam, const struct ip_addr *ip)
{
	return ipam_to_wide(ip) & (ipam_block_size(ipam) - 1);
}

unsigned ipam_block_size(const struct ipam *ipam)
{
	return 1u << ipam->block_bits;
}

unsigned ipam_block_prefix(const struct cidr *range)
{
	unsigned bits = range->ip.family == 6 ? 128 : 32;
	unsigned shortest = bits - (bits == 128 ? BLOCK_BITS_V6 : BLOCK_BITS_V4);

	return MIN_OF(MAX_OF(range->prefix + BLOCKS_LOG2, shortest), bits);
}

unsigned ipam_block_prefix_first(const struct cidr *range)
{
	unsigned bits = range->ip.family == 6 ? 128 : 32;
	unsigned shortest = bits - (bits == 128 ? BLOCK_BITS_V6 : FIRST_BITS_V4);
	unsigned prefix = MAX_OF(range->prefix + FIRST_BLOCKS_LOG2, shortest);

	return MAX_OF(MIN_OF(prefix, bits - FIRST_BITS_MIN), range->prefix);
}

static struct ipam_block *block_find(const struct ipam *ipam, const struct ip_addr *ip)
{
	struct ipam_block *block;

	HASH_FIND(hh, ipam->blocks, ip, sizeof(*ip), block);
	return block;
}

struct ipam_block *ipam_block_of(const struct ipam *ipam, const struct ip_addr *ip)
{
	struct ip_addr start = block_at(ipam, ipam_block_index(ipam, ip));

	return block_find(ipam, &start);
}

static bool in_block(
	const struct ipam *ipam, const struct ip_addr *ip, const struct ipam_block *block)
{
	return cidr_has(&ipam->range, ip) &&
	       ipam_block_index(ipam, ip) == ipam_block_index(ipam, &block->ip);
}

static unsigned count_reserved(const struct ipam *ipam, const struct ipam_block *block)
{
	struct ip_addr ip, before;
	unsigned count = 0;

	for (unsigned n = 0; ipam_reserved_at(ipam, n, &ip); n++) {
		bool again = !in_block(ipam, &ip, block);

		for (unsigned k = 0; k < n && !again; k++)
			again = ipam_reserved_at(ipam, k, &before) && ip_equal(&before, &ip);
		count += !again;
	}
	return count;
}

struct ipam_block *ipam_block_make(struct ipam *ipam, const struct ip_addr *ip)
{
	struct ip_addr start = block_at(ipam, ipam_block_index(ipam, ip));
	struct ipam_block *block = block_find(ipam, &start);

	if (block)
		return block;
	block = calloc(1, sizeof(*block));
	if (!block)
		return NULL;
	block->ip = start;
	block->nb_reserved = count_reserved(ipam, block);
	HASH_ADD(hh, ipam->blocks, ip, sizeof(block->ip), block);
	return block;
}

void ipam_block_tidy(struct ipam *ipam, struct ipam_block *block)
{
	if (block->owner != IPAM_NOBODY || block->nb_taken)
		return;
	if (ipam->borrow_from == block)
		ipam->borrow_from = NULL;
	HASH_DEL(ipam->blocks, block);
	free(block);
}

// A block that has reserved addresses only counts as somebody's.
int ipam_block_find_void(struct ipam *ipam)
{
	struct ip_addr ip;

	for (unsigned n = 0; ipam_reserved_at(ipam, n, &ip); n++) {
		struct ipam_block *block =
			cidr_has(&ipam->range, &ip) ? ipam_block_make(ipam, &ip) : NULL;

		if (!block && cidr_has(&ipam->range, &ip))
			return -ENOMEM;
		if (block && block->owner == IPAM_NOBODY &&
			block->nb_reserved == ipam_block_size(ipam)) {
			block->owner = IPAM_VOID;
			ipam->nb_recorded++;
		}
		if (block)
			ipam_block_tidy(ipam, block);
	}
	return 0;
}

static void count_recorded(struct ipam *ipam, const struct ipam_block *block, enum ipam_owner owner)
{
	ipam_wide index = ipam_block_index(ipam, &block->ip);

	if (block->owner == IPAM_NOBODY && owner != IPAM_NOBODY)
		ipam->nb_recorded++;
	if (block->owner != IPAM_NOBODY && owner == IPAM_NOBODY) {
		ipam->nb_recorded--;
		ipam->lowest = MIN_OF(ipam->lowest, index);
	}
}

static void note_race(struct ipam *ipam, const struct ipam_block *block, enum ipam_owner owner)
{
	if (!ip_equal(&ipam->proposed, &block->ip) || owner == IPAM_NOBODY)
		return;
	ipam->attempt++;
	ipam->spread = owner == IPAM_OTHER ? MIN_OF(2 * ipam->spread, SPREAD_MAX) : 1;
	ipam->proposed = (struct ip_addr){0};
}

static bool is_block(const struct ipam *ipam, const struct cidr *cidr)
{
	struct cidr masked = *cidr;

	cidr_mask(&masked);
	return cidr_equal(&masked, cidr) && cidr->prefix == ipam->bits - ipam->block_bits &&
	       cidr_has(&ipam->range, &cidr->ip);
}

static void set_owner(
	struct ipam *ipam, struct ipam_block *block, enum ipam_owner owner, uint64_t now_us)
{
	if (block->owner == IPAM_MINE)
		ipam_own_end(ipam, block);
	if (block->owner == IPAM_FREED) {
		TAILQ_REMOVE(&ipam->freed, block, entry);
		ipam->nb_freed--;
	}
	if (owner == IPAM_MINE)
		ipam_own_begin(ipam, block);
	if (owner == IPAM_FREED) {
		block->freed_us = now_us;
		TAILQ_INSERT_TAIL(&ipam->freed, block, entry);
		ipam->nb_freed++;
	}
	note_race(ipam, block, owner);
	count_recorded(ipam, block, owner);
	block->owner = owner;
}

int ipam_set_block(struct ipam *ipam, const struct cidr *cidr, enum ipam_owner owner,
	uint64_t epoch, uint64_t now_us)
{
	struct ipam_block *block;

	if (!is_block(ipam, cidr))
		return -EINVAL;
	ipam_settle(ipam, now_us);
	block = ipam_block_make(ipam, &cidr->ip);
	if (!block)
		return -ENOMEM;
	if (block->owner == IPAM_VOID)
		return 0;
	if (owner == IPAM_MINE && !block->fresh && !(block->fresh = ipam_fresh_new(ipam))) {
		ipam_block_tidy(ipam, block);
		return -ENOMEM;
	}
	if (owner != block->owner)
		set_owner(ipam, block, owner, now_us);
	block->epoch = epoch;
	ipam_block_tidy(ipam, block);
	return 0;
}

static bool is_recorded(const struct ipam *ipam, ipam_wide index)
{
	struct ip_addr ip = block_at(ipam, index);
	const struct ipam_block *block = block_find(ipam, &ip);

	return block && block->owner != IPAM_NOBODY;
}

static unsigned choose(const struct ipam *ipam, ipam_wide among)
{
	uint64_t hash = hash_add(HASH_INIT, &ipam->seed, sizeof(ipam->seed));

	hash = hash_add(hash, &ipam->attempt, sizeof(ipam->attempt));
	hash ^= hash >> 32;
	return hash % (uint32_t)MIN_OF((ipam_wide)ipam->spread, among);
}

static struct ip_addr new_block(struct ipam *ipam)
{
	unsigned skip = choose(ipam, ipam->nb_blocks - ipam->nb_recorded);
	ipam_wide index;

	while (is_recorded(ipam, ipam->lowest))
		ipam->lowest++;
	for (index = ipam->lowest; skip || is_recorded(ipam, index); index++) {
		if (!is_recorded(ipam, index))
			skip--;
	}
	return block_at(ipam, index);
}

static int freed_block(struct ipam *ipam, uint64_t now_us, struct ipam_block **ret_block)
{
	struct ipam_block *block = TAILQ_FIRST(&ipam->freed), *next;
	unsigned skip = choose(ipam, ipam->spread);

	if (!block)
		return -ENOSPC;
	if (!ipam_is_over(ipam, block->freed_us, now_us))
		return -EAGAIN;
	while (skip-- && (next = TAILQ_NEXT(block, entry)) &&
		ipam_is_over(ipam, next->freed_us, now_us))
		block = next;
	*ret_block = block;
	return 0;
}

int ipam_next_block(struct ipam *ipam, uint64_t now_us, struct cidr *ret_cidr, uint64_t *ret_epoch,
	bool *ret_is_new)
{
	bool is_new = ipam->nb_recorded < ipam->nb_blocks;
	struct ipam_block *block = NULL;
	int rc;

	if (is_new) {
		ipam->proposed = new_block(ipam);
	} else {
		rc = freed_block(ipam, now_us, &block);
		if (rc < 0)
			return rc;
		ipam->proposed = block->ip;
	}
	*ret_cidr = (struct cidr){.ip = ipam->proposed, .prefix = ipam->bits - ipam->block_bits};
	*ret_epoch = block ? block->epoch + 1 : 1;
	*ret_is_new = is_new;
	return 0;
}

enum ipam_owner ipam_block_owner(const struct ipam *ipam, const struct ip_addr *ip)
{
	const struct ipam_block *block =
		cidr_has(&ipam->range, ip) ? ipam_block_of(ipam, ip) : NULL;

	return block ? block->owner : IPAM_NOBODY;
}

// ---- how much there is for all hosts ----

static uint64_t clip(ipam_wide count)
{
	return MIN_OF(count, (ipam_wide)UINT64_MAX / 2);
}

uint64_t ipam_nb_unused(struct ipam *ipam, uint64_t now_us)
{
	ipam_wide size = (ipam_wide)1 << MIN_OF(ipam->bits - ipam->range.prefix, 64u);
	ipam_wide used;

	ipam_settle(ipam, now_us);
	used = HASH_COUNT(ipam->taken) - ipam->nb_ripe;
	return clip(size > used ? size - used : 0);
}

uint64_t ipam_nb_blocks(const struct ipam *ipam)
{
	return clip(ipam->nb_blocks - ipam->nb_recorded + ipam->nb_freed);
}

void ipam_block_use(
	struct ipam *ipam, const struct ip_addr *ip, uint64_t now_us, struct ipam_use *ret_use)
{
	const struct ipam_block *block;
	const struct ipam_taken *taken;
	unsigned held = 0;

	*ret_use = (struct ipam_use){0};
	ipam_settle(ipam, now_us);
	block = cidr_has(&ipam->range, ip) ? ipam_block_of(ipam, ip) : NULL;
	if (!block)
		return;
	ret_use->idle = true;
	LIST_FOREACH (taken, &block->taken, of_block) {
		if (taken->uses)
			ret_use->idle = false;
		if (taken->place != PLACE_RIPE && !ipam_reserved_for(ipam, &taken->ip))
			held++;
	}
	ret_use->owner = block->owner;
	ret_use->nb_free = ipam_block_size(ipam) - block->nb_reserved - held;
}
