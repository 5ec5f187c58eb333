// SPDX-License-Identifier: BSD-3-Clause
#include "netd/ipam.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

#include <uthash.h>

#include "base/hash.h"
#include "base/util.h"

#define BLOCK_BITS_V4  8
#define BLOCK_BITS_V6  16
#define BLOCK_BITS_MIN 2
#define BLOCKS_LOG2    4	  // a 16th
#define SPREAD_MAX     (1u << 12) // blocks among which one is chosen after lost races

typedef unsigned __int128 wide; // an address, or a distance between addresses

// Where a released address waits.
enum place {
	PLACE_NONE,    // it is used
	PLACE_FOREIGN, // in no own block: for the time of the quarantine
	PLACE_WAITING, // in an own block, in quarantine
	PLACE_RIPE,    // in an own block, can be given out again
	NB_PLACES
};

// An address that is used, or was and is not forgotten.
struct taken {
	struct ip_addr ip;
	unsigned uses;
	enum place place;
	uint64_t released_us;
	struct block *block;	     // NULL: not in the range
	TAILQ_ENTRY(taken) of_place; // by released_us
	LIST_ENTRY(taken) of_block;
	UT_hash_handle hh; // by ip
};

TAILQ_HEAD(taken_list, taken);

// A block that has a record, or taken addresses.
struct block {
	struct ip_addr ip;
	enum ipam_owner owner;
	uint64_t epoch;
	uint64_t freed_us;
	LIST_HEAD(, taken) taken;
	unsigned nb_taken;
	unsigned borrowed;	  // the address that was proposed last
	TAILQ_ENTRY(block) entry; // of `own` or `freed`, by owner
	UT_hash_handle hh;	  // by ip
	// Of an own block: a bit for each address that was not given out since it is.
	uint64_t *fresh;
	unsigned nb_fresh;
	unsigned cursor;
	bool started; // one was given out
};

TAILQ_HEAD(block_list, block);

struct ipam {
	struct cidr cidr, range;
	struct ip_addr gateway;
	struct named_ip *aux;
	unsigned nb_aux;
	uint64_t quarantine_us, seed;
	unsigned bits; // of an address
	unsigned block_bits;
	wide nb_blocks;

	struct taken *taken;
	struct taken_list places[NB_PLACES];
	uint64_t nb_ripe;

	struct block *blocks;
	wide nb_recorded;	 // blocks with a record
	wide lowest;		 // all blocks before this one have a record
	struct block_list own;	 // those with fresh addresses first, in order
	struct block_list freed; // by freed_us
	uint64_t nb_fresh;
	struct block *borrow_from; // the last one

	// Hosts that start together want the same block; only one can have it. The others choose
	// among twice as many after each race that they lost.
	struct ip_addr proposed; // the block that was proposed last; family 0: none
	unsigned spread, attempt;
};

// ---- numbers ----

static wide to_wide(const struct ip_addr *ip)
{
	unsigned bytes = ip->family == 6 ? 16 : 4;
	wide value = 0;

	for (unsigned i = 0; i < bytes; i++)
		value = value << 8 | ip->byte[i];
	return value;
}

static struct ip_addr from_wide(unsigned family, wide value)
{
	struct ip_addr ip = {.family = family};

	for (int i = (family == 6 ? 16 : 4) - 1; i >= 0; i--) {
		ip.byte[i] = value;
		value >>= 8;
	}
	return ip;
}

static unsigned block_size(const struct ipam *ipam)
{
	return 1u << ipam->block_bits;
}

static struct ip_addr block_at(const struct ipam *ipam, wide index)
{
	return from_wide(
		ipam->range.ip.family, to_wide(&ipam->range.ip) + (index << ipam->block_bits));
}

static wide block_index(const struct ipam *ipam, const struct ip_addr *ip)
{
	return (to_wide(ip) - to_wide(&ipam->range.ip)) >> ipam->block_bits;
}

static unsigned offset_in(const struct ipam *ipam, const struct ip_addr *ip)
{
	return to_wide(ip) & (block_size(ipam) - 1);
}

// ---- making ----

unsigned ipam_block_prefix(const struct cidr *range)
{
	unsigned bits = range->ip.family == 6 ? 128 : 32;
	unsigned smallest = bits - (bits == 128 ? BLOCK_BITS_V6 : BLOCK_BITS_V4);
	unsigned prefix = MAX_OF(range->prefix + BLOCKS_LOG2, smallest);

	return MAX_OF(MIN_OF(prefix, bits - BLOCK_BITS_MIN), range->prefix);
}

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
	if (rc < 0) {
		free(ipam);
		return rc;
	}
	ipam->quarantine_us = opts->quarantine_us;
	ipam->seed = opts->seed;
	ipam->spread = 1;
	ipam->bits = ipam->cidr.ip.family == 6 ? 128 : 32;
	prefix = ipam_block_prefix(&ipam->range);
	ipam->block_bits = ipam->bits - prefix;
	ipam->nb_blocks = (wide)1 << (prefix - ipam->range.prefix);
	for (int i = 0; i < NB_PLACES; i++)
		TAILQ_INIT(&ipam->places[i]);
	TAILQ_INIT(&ipam->own);
	TAILQ_INIT(&ipam->freed);
	*ret_ipam = ipam;
	return 0;
}

void ipam_free(struct ipam *ipam)
{
	struct taken *taken, *next_taken;
	struct block *block, *next_block;

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

// ---- reserved addresses ----

// What the address is kept for; NULL: for nothing. A point-to-point subnet (RFC 3021, RFC 6164)
// and one of a single address have no network and broadcast address.
static const char *reserved_for(const struct ipam *ipam, const struct ip_addr *ip)
{
	unsigned host_bits = ipam->bits - ipam->cidr.prefix;
	wide host = to_wide(ip) & (((wide)1 << host_bits) - 1);

	if (host_bits > 1 && host == 0)
		return ipam->bits == 32 ? "its network address" : "its routers' anycast address";
	if (host_bits > 1 && ipam->bits == 32 && host == ((wide)1 << host_bits) - 1)
		return "its broadcast address";
	if (ip_equal(ip, &ipam->gateway))
		return "its gateway";
	for (unsigned i = 0; i < ipam->nb_aux; i++) {
		if (ip_equal(ip, &ipam->aux[i].ip))
			return ipam->aux[i].name;
	}
	return NULL;
}

// ---- taken addresses ----

static struct taken *taken_find(const struct ipam *ipam, const struct ip_addr *ip)
{
	struct taken *taken;

	HASH_FIND(hh, ipam->taken, ip, sizeof(*ip), taken);
	return taken;
}

static struct block *block_find(const struct ipam *ipam, const struct ip_addr *ip)
{
	struct block *block;

	HASH_FIND(hh, ipam->blocks, ip, sizeof(*ip), block);
	return block;
}

// The block of an address of the range, if it has a record or taken addresses.
static struct block *block_of(const struct ipam *ipam, const struct ip_addr *ip)
{
	struct ip_addr start = block_at(ipam, block_index(ipam, ip));

	return block_find(ipam, &start);
}

static struct block *block_make(struct ipam *ipam, const struct ip_addr *ip)
{
	struct ip_addr start = block_at(ipam, block_index(ipam, ip));
	struct block *block = block_find(ipam, &start);

	if (block)
		return block;
	block = calloc(1, sizeof(*block));
	if (!block)
		return NULL;
	block->ip = start;
	HASH_ADD(hh, ipam->blocks, ip, sizeof(block->ip), block);
	return block;
}

static void block_tidy(struct ipam *ipam, struct block *block)
{
	if (block->owner != IPAM_NOBODY || block->nb_taken)
		return;
	if (ipam->borrow_from == block)
		ipam->borrow_from = NULL;
	HASH_DEL(ipam->blocks, block);
	free(block);
}

// An address leaves the place where it waits.
static void unplace(struct ipam *ipam, struct taken *taken)
{
	if (taken->place == PLACE_NONE)
		return;
	TAILQ_REMOVE(&ipam->places[taken->place], taken, of_place);
	if (taken->place == PLACE_RIPE)
		ipam->nb_ripe--;
	taken->place = PLACE_NONE;
}

// Nearly always the last one.
static void place(struct ipam *ipam, struct taken *taken, enum place where)
{
	struct taken_list *list = &ipam->places[where];
	struct taken *before = TAILQ_LAST(list, taken_list);

	while (before && before->released_us > taken->released_us)
		before = TAILQ_PREV(before, taken_list, of_place);
	if (before)
		TAILQ_INSERT_AFTER(list, before, taken, of_place);
	else
		TAILQ_INSERT_HEAD(list, taken, of_place);
	taken->place = where;
	if (where == PLACE_RIPE)
		ipam->nb_ripe++;
}

// The block stays, also when it was the last one of it: block_tidy().
static void forget(struct ipam *ipam, struct taken *taken)
{
	unplace(ipam, taken);
	if (taken->block) {
		LIST_REMOVE(taken, of_block);
		taken->block->nb_taken--;
	}
	HASH_DEL(ipam->taken, taken);
	free(taken);
}

static bool is_over(const struct ipam *ipam, uint64_t since_us, uint64_t now_us)
{
	return now_us >= since_us && now_us - since_us >= ipam->quarantine_us;
}

// Ends the quarantine of those whose time is over.
static void settle(struct ipam *ipam, uint64_t now_us)
{
	struct taken *taken;

	while ((taken = TAILQ_FIRST(&ipam->places[PLACE_WAITING])) &&
		is_over(ipam, taken->released_us, now_us)) {
		unplace(ipam, taken);
		place(ipam, taken, PLACE_RIPE);
	}
	while ((taken = TAILQ_FIRST(&ipam->places[PLACE_FOREIGN])) &&
		is_over(ipam, taken->released_us, now_us)) {
		struct block *block = taken->block;

		forget(ipam, taken);
		block_tidy(ipam, block);
	}
}

// ---- fresh addresses of own blocks ----

static bool fresh_has(const struct block *block, unsigned offset)
{
	return block->fresh[offset / 64] >> offset % 64 & 1;
}

static void own_remove(struct ipam *ipam, struct block *block)
{
	TAILQ_REMOVE(&ipam->own, block, entry);
}

// In order among those that have fresh addresses.
static void own_insert(struct ipam *ipam, struct block *block)
{
	struct block *other;

	TAILQ_FOREACH (other, &ipam->own, entry) {
		if (!other->nb_fresh || ip_compare(&other->ip, &block->ip) > 0) {
			TAILQ_INSERT_BEFORE(other, block, entry);
			return;
		}
	}
	TAILQ_INSERT_TAIL(&ipam->own, block, entry);
}

static void fresh_clear(struct ipam *ipam, struct block *block, unsigned offset)
{
	if (!fresh_has(block, offset))
		return;
	block->fresh[offset / 64] &= ~(UINT64_C(1) << offset % 64);
	block->nb_fresh--;
	ipam->nb_fresh--;
}

// An address of an own block gets used.
static void fresh_take(struct ipam *ipam, struct block *block, unsigned offset)
{
	bool had_some = block->nb_fresh > 0;

	// What was read before the first one is given out is of an earlier run, which may have
	// released some in between: they come last.
	if (!block->started && offset >= block->cursor)
		block->cursor = offset + 1;
	fresh_clear(ipam, block, offset);
	if (had_some && block->nb_fresh == 0) {
		own_remove(ipam, block);
		TAILQ_INSERT_TAIL(&ipam->own, block, entry);
	}
}

// The first fresh one at or after the cursor, else the first one at all. There is one.
static unsigned fresh_next(const struct ipam *ipam, const struct block *block)
{
	unsigned nb_words = MAX_OF(block_size(ipam) / 64, 1);
	unsigned first = block->cursor / 64 % nb_words;
	uint64_t mask = block->cursor >= block_size(ipam) ? ~UINT64_C(0)
							  : ~UINT64_C(0) << block->cursor % 64;

	for (unsigned i = 0;; i++) {
		unsigned word = (first + i) % nb_words;
		uint64_t set = block->fresh[word] & mask;

		if (set)
			return 64 * word + __builtin_ctzll(set);
		mask = ~UINT64_C(0);
	}
}

// ---- blocks ----

static void reserve(struct ipam *ipam, struct block *block, const struct ip_addr *ip)
{
	if (ip->family != ipam->range.ip.family || !cidr_has(&ipam->range, ip))
		return;
	if (block_index(ipam, ip) == block_index(ipam, &block->ip))
		fresh_clear(ipam, block, offset_in(ipam, ip));
}

static void reserve_all(struct ipam *ipam, struct block *block)
{
	wide network = to_wide(&ipam->cidr.ip);
	wide last = network + (((wide)1 << (ipam->bits - ipam->cidr.prefix)) - 1);
	struct ip_addr broadcast = from_wide(ipam->cidr.ip.family, last);

	if (reserved_for(ipam, &ipam->cidr.ip))
		reserve(ipam, block, &ipam->cidr.ip);
	if (reserved_for(ipam, &broadcast))
		reserve(ipam, block, &broadcast);
	reserve(ipam, block, &ipam->gateway);
	for (unsigned i = 0; i < ipam->nb_aux; i++)
		reserve(ipam, block, &ipam->aux[i].ip);
}

static uint64_t *fresh_new(const struct ipam *ipam)
{
	unsigned size = block_size(ipam);
	uint64_t *fresh = calloc(MAX_OF(size / 64, 1), sizeof(*fresh));

	for (unsigned i = 0; fresh && i < size; i++)
		fresh[i / 64] |= UINT64_C(1) << i % 64;
	return fresh;
}

static void own_begin(struct ipam *ipam, struct block *block)
{
	struct taken *taken;

	block->nb_fresh = block_size(ipam);
	ipam->nb_fresh += block->nb_fresh;
	block->cursor = 0;
	block->started = false;
	reserve_all(ipam, block);
	own_insert(ipam, block);
	LIST_FOREACH (taken, &block->taken, of_block) {
		fresh_take(ipam, block, offset_in(ipam, &taken->ip));
		if (taken->place != PLACE_NONE) {
			unplace(ipam, taken);
			place(ipam, taken, PLACE_WAITING);
		}
	}
}

static void own_end(struct ipam *ipam, struct block *block)
{
	struct taken *taken, *next;

	own_remove(ipam, block);
	ipam->nb_fresh -= block->nb_fresh;
	block->nb_fresh = 0;
	free(block->fresh);
	block->fresh = NULL;
	for (taken = LIST_FIRST(&block->taken); taken; taken = next) {
		next = LIST_NEXT(taken, of_block);
		if (taken->place == PLACE_RIPE) {
			forget(ipam, taken);
		} else if (taken->place == PLACE_WAITING) {
			unplace(ipam, taken);
			place(ipam, taken, PLACE_FOREIGN);
		}
	}
}

static void count_recorded(struct ipam *ipam, const struct block *block, enum ipam_owner owner)
{
	wide index = block_index(ipam, &block->ip);

	if (block->owner == IPAM_NOBODY && owner != IPAM_NOBODY)
		ipam->nb_recorded++;
	if (block->owner != IPAM_NOBODY && owner == IPAM_NOBODY) {
		ipam->nb_recorded--;
		ipam->lowest = MIN_OF(ipam->lowest, index);
	}
}

static void note_race(struct ipam *ipam, const struct block *block, enum ipam_owner owner)
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
	struct ipam *ipam, struct block *block, enum ipam_owner owner, uint64_t now_us)
{
	if (block->owner == IPAM_MINE)
		own_end(ipam, block);
	if (block->owner == IPAM_FREED)
		TAILQ_REMOVE(&ipam->freed, block, entry);
	if (owner == IPAM_MINE)
		own_begin(ipam, block);
	if (owner == IPAM_FREED) {
		block->freed_us = now_us;
		TAILQ_INSERT_TAIL(&ipam->freed, block, entry);
	}
	note_race(ipam, block, owner);
	count_recorded(ipam, block, owner);
	block->owner = owner;
}

int ipam_set_block(struct ipam *ipam, const struct cidr *cidr, enum ipam_owner owner,
	uint64_t epoch, uint64_t now_us)
{
	struct block *block;

	if (!is_block(ipam, cidr))
		return -EINVAL;
	settle(ipam, now_us);
	block = block_make(ipam, &cidr->ip);
	if (!block)
		return -ENOMEM;
	if (owner == IPAM_MINE && !block->fresh && !(block->fresh = fresh_new(ipam))) {
		block_tidy(ipam, block);
		return -ENOMEM;
	}
	if (owner != block->owner)
		set_owner(ipam, block, owner, now_us);
	block->epoch = epoch;
	block_tidy(ipam, block);
	return 0;
}

// ---- using addresses ----

static struct taken *taken_make(struct ipam *ipam, const struct ip_addr *ip)
{
	struct taken *taken = calloc(1, sizeof(*taken));

	if (!taken)
		return NULL;
	taken->ip = *ip;
	if (cidr_has(&ipam->range, ip)) {
		taken->block = block_make(ipam, ip);
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
	struct taken *taken;

	if (!cidr_has(&ipam->cidr, ip))
		return -EINVAL;
	taken = taken_find(ipam, ip);
	if (!taken && !(taken = taken_make(ipam, ip)))
		return -ENOMEM;
	taken->uses++;
	unplace(ipam, taken);
	if (taken->block && taken->block->owner == IPAM_MINE)
		fresh_take(ipam, taken->block, offset_in(ipam, ip));
	return 0;
}

void ipam_release(struct ipam *ipam, const struct ip_addr *ip, uint64_t now_us)
{
	struct taken *taken = taken_find(ipam, ip);
	struct block *block;

	settle(ipam, now_us);
	if (!taken || taken->uses == 0 || --taken->uses > 0)
		return;
	taken->released_us = now_us;
	block = taken->block;
	if (block && !reserved_for(ipam, ip)) {
		place(ipam, taken, block->owner == IPAM_MINE ? PLACE_WAITING : PLACE_FOREIGN);
		return;
	}
	// Nobody gives it out.
	forget(ipam, taken);
	if (block)
		block_tidy(ipam, block);
}

bool ipam_is_used(const struct ipam *ipam, const struct ip_addr *ip)
{
	const struct taken *taken = taken_find(ipam, ip);

	return taken && taken->uses > 0;
}

int ipam_check(struct ipam *ipam, const struct ip_addr *ip, enum ipam_owner *ret_owner,
	uint64_t *ret_epoch, struct err *err)
{
	char text[IP_TEXT_BYTES], subnet[CIDR_TEXT_BYTES], path[IP_TEXT_BYTES + 16];
	const struct block *block = NULL;
	const char *reserved;

	snprintf(path, sizeof(path), "address %s", ip_format(ip, text));
	cidr_format(&ipam->cidr, subnet);
	if (!cidr_has(&ipam->cidr, ip))
		return err_set(err, -EINVAL, path, "not in the subnet %s", subnet);
	reserved = reserved_for(ipam, ip);
	if (reserved)
		return err_set(
			err, -EINVAL, path, "reserved in the subnet %s: %s", subnet, reserved);
	if (ipam_is_used(ipam, ip))
		return err_set(err, -EADDRINUSE, path, "used by another endpoint");
	if (cidr_has(&ipam->range, ip))
		block = block_of(ipam, ip);
	*ret_owner = block ? block->owner : IPAM_NOBODY;
	*ret_epoch = block ? block->epoch : 0;
	return 0;
}

// ---- giving out ----

int ipam_next(struct ipam *ipam, uint64_t now_us, struct ip_addr *ret_ip, uint64_t *ret_epoch)
{
	struct block *block = TAILQ_FIRST(&ipam->own);
	struct taken *taken;

	settle(ipam, now_us);
	if (block && block->nb_fresh) {
		block->cursor = fresh_next(ipam, block);
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
	settle(ipam, now_us);
	return ipam->nb_fresh + ipam->nb_ripe;
}

// From its end downwards: its owner is at work at the other one.
static bool borrow_in(struct ipam *ipam, struct block *block, struct ip_addr *ret_ip)
{
	unsigned size = block_size(ipam);

	if (block->nb_taken >= size)
		return false;
	for (unsigned i = 0; i < size; i++) {
		unsigned offset = (block->borrowed - 1 - i) & (size - 1);
		struct ip_addr ip = ip_add(&block->ip, offset);

		if (taken_find(ipam, &ip) || reserved_for(ipam, &ip))
			continue;
		block->borrowed = offset;
		*ret_ip = ip;
		return true;
	}
	return false;
}

static bool can_lend(const struct ipam *ipam, const struct block *block, uint64_t now_us)
{
	return block->owner == IPAM_OTHER ||
	       (block->owner == IPAM_FREED && is_over(ipam, block->freed_us, now_us));
}

int ipam_borrow(struct ipam *ipam, uint64_t now_us, struct ip_addr *ret_ip, uint64_t *ret_epoch)
{
	struct block *block;

	settle(ipam, now_us);
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

static bool is_recorded(const struct ipam *ipam, wide index)
{
	struct ip_addr ip = block_at(ipam, index);
	const struct block *block = block_find(ipam, &ip);

	return block && block->owner != IPAM_NOBODY;
}

static unsigned choose(const struct ipam *ipam, wide among)
{
	uint64_t hash = hash_add(HASH_INIT, &ipam->seed, sizeof(ipam->seed));

	hash = hash_add(hash, &ipam->attempt, sizeof(ipam->attempt));
	hash ^= hash >> 32;
	return hash % (uint32_t)MIN_OF((wide)ipam->spread, among);
}

static struct ip_addr new_block(struct ipam *ipam)
{
	unsigned skip = choose(ipam, ipam->nb_blocks - ipam->nb_recorded);
	wide index;

	while (is_recorded(ipam, ipam->lowest))
		ipam->lowest++;
	for (index = ipam->lowest; skip || is_recorded(ipam, index); index++) {
		if (!is_recorded(ipam, index))
			skip--;
	}
	return block_at(ipam, index);
}

static int freed_block(struct ipam *ipam, uint64_t now_us, struct block **ret_block)
{
	struct block *block = TAILQ_FIRST(&ipam->freed), *next;
	unsigned skip = choose(ipam, ipam->spread);

	if (!block)
		return -ENOSPC;
	if (!is_over(ipam, block->freed_us, now_us))
		return -EAGAIN;
	while (skip-- && (next = TAILQ_NEXT(block, entry)) && is_over(ipam, next->freed_us, now_us))
		block = next;
	*ret_block = block;
	return 0;
}

int ipam_next_block(struct ipam *ipam, uint64_t now_us, struct cidr *ret_cidr, uint64_t *ret_epoch,
	bool *ret_is_new)
{
	bool is_new = ipam->nb_recorded < ipam->nb_blocks;
	struct block *block = NULL;
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
