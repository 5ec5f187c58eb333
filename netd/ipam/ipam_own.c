// SPDX-License-Identifier: BSD-3-Clause
// Own blocks: which of their addresses were never given out.
#include <stdlib.h>

#include "base/util.h"
#include "netd/ipam/ipam_priv.h"

static bool fresh_has(const struct ipam_block *block, unsigned offset)
{
	return block->fresh[offset / 64] >> offset % 64 & 1;
}

static void own_remove(struct ipam *ipam, struct ipam_block *block)
{
	TAILQ_REMOVE(&ipam->own, block, entry);
}

// In order among those that have fresh addresses; the others come after them.
static void own_insert(struct ipam *ipam, struct ipam_block *block)
{
	struct ipam_block *other;

	TAILQ_FOREACH (other, &ipam->own, entry) {
		if (!block->nb_fresh)
			break;
		if (!other->nb_fresh || ip_compare(&other->ip, &block->ip) > 0) {
			TAILQ_INSERT_BEFORE(other, block, entry);
			return;
		}
	}
	TAILQ_INSERT_TAIL(&ipam->own, block, entry);
}

static void fresh_clear(struct ipam *ipam, struct ipam_block *block, unsigned offset)
{
	if (!fresh_has(block, offset))
		return;
	block->fresh[offset / 64] &= ~(UINT64_C(1) << offset % 64);
	block->nb_fresh--;
	ipam->nb_fresh--;
}

void ipam_fresh_take(struct ipam *ipam, struct ipam_block *block, unsigned offset)
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

unsigned ipam_fresh_next(const struct ipam *ipam, const struct ipam_block *block)
{
	unsigned nb_words = MAX_OF(ipam_block_size(ipam) / 64, 1);
	unsigned first = block->cursor / 64 % nb_words;
	uint64_t mask = block->cursor >= ipam_block_size(ipam) ? ~UINT64_C(0)
							       : ~UINT64_C(0) << block->cursor % 64;

	for (unsigned i = 0;; i++) {
		unsigned word = (first + i) % nb_words;
		uint64_t set = block->fresh[word] & mask;

		if (set)
			return 64 * word + __builtin_ctzll(set);
		mask = ~UINT64_C(0);
	}
}

static void reserve(struct ipam *ipam, struct ipam_block *block, const struct ip_addr *ip)
{
	if (ip->family != ipam->range.ip.family || !cidr_has(&ipam->range, ip))
		return;
	if (ipam_block_index(ipam, ip) == ipam_block_index(ipam, &block->ip))
		fresh_clear(ipam, block, ipam_block_offset(ipam, ip));
}

static void reserve_all(struct ipam *ipam, struct ipam_block *block)
{
	struct ip_addr ip;

	for (unsigned n = 0; ipam_reserved_at(ipam, n, &ip); n++)
		reserve(ipam, block, &ip);
}

uint64_t *ipam_fresh_new(const struct ipam *ipam)
{
	unsigned size = ipam_block_size(ipam);
	uint64_t *fresh = calloc(MAX_OF(size / 64, 1), sizeof(*fresh));

	for (unsigned i = 0; fresh && i < size; i++)
		fresh[i / 64] |= UINT64_C(1) << i % 64;
	return fresh;
}

void ipam_own_begin(struct ipam *ipam, struct ipam_block *block)
{
	struct ipam_taken *taken;

	block->nb_fresh = ipam_block_size(ipam);
	ipam->nb_fresh += block->nb_fresh;
	block->cursor = 0;
	block->started = false;
	reserve_all(ipam, block);
	own_insert(ipam, block);
	LIST_FOREACH (taken, &block->taken, of_block) {
		ipam_fresh_take(ipam, block, ipam_block_offset(ipam, &taken->ip));
		if (taken->place != PLACE_NONE) {
			ipam_place_out(ipam, taken);
			ipam_place_in(ipam, taken, PLACE_WAITING);
		}
	}
}

void ipam_own_end(struct ipam *ipam, struct ipam_block *block)
{
	struct ipam_taken *taken, *next;

	own_remove(ipam, block);
	ipam->nb_fresh -= block->nb_fresh;
	block->nb_fresh = 0;
	free(block->fresh);
	block->fresh = NULL;
	for (taken = LIST_FIRST(&block->taken); taken; taken = next) {
		next = LIST_NEXT(taken, of_block);
		if (taken->place == PLACE_RIPE) {
			ipam_forget(ipam, taken);
		} else if (taken->place == PLACE_WAITING) {
			ipam_place_out(ipam, taken);
			ipam_place_in(ipam, taken, PLACE_FOREIGN);
		}
	}
}
