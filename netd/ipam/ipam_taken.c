// SPDX-License-Identifier: BSD-3-Clause
// Addresses that are used or in quarantine.
#include <stdlib.h>

#include "netd/ipam/ipam_priv.h"

struct ipam_taken *ipam_taken_find(const struct ipam *ipam, const struct ip_addr *ip)
{
	struct ipam_taken *taken;

	HASH_FIND(hh, ipam->taken, ip, sizeof(*ip), taken);
	return taken;
}

void ipam_place_out(struct ipam *ipam, struct ipam_taken *taken)
{
	if (taken->place == PLACE_NONE)
		return;
	TAILQ_REMOVE(&ipam->places[taken->place], taken, of_place);
	if (taken->place == PLACE_RIPE)
		ipam->nb_ripe--;
	taken->place = PLACE_NONE;
}

// Nearly always the last one.
void ipam_place_in(struct ipam *ipam, struct ipam_taken *taken, enum ipam_place where)
{
	struct ipam_taken_list *list = &ipam->places[where];
	struct ipam_taken *before = TAILQ_LAST(list, ipam_taken_list);

	while (before && before->released_us > taken->released_us)
		before = TAILQ_PREV(before, ipam_taken_list, of_place);
	if (before)
		TAILQ_INSERT_AFTER(list, before, taken, of_place);
	else
		TAILQ_INSERT_HEAD(list, taken, of_place);
	taken->place = where;
	if (where == PLACE_RIPE)
		ipam->nb_ripe++;
}

void ipam_forget(struct ipam *ipam, struct ipam_taken *taken)
{
	ipam_place_out(ipam, taken);
	if (taken->block) {
		LIST_REMOVE(taken, of_block);
		taken->block->nb_taken--;
	}
	HASH_DEL(ipam->taken, taken);
	free(taken);
}

bool ipam_is_over(const struct ipam *ipam, uint64_t since_us, uint64_t now_us)
{
	return now_us >= since_us && now_us - since_us >= ipam->quarantine_us;
}

void ipam_settle(struct ipam *ipam, uint64_t now_us)
{
	struct ipam_taken *taken;

	while ((taken = TAILQ_FIRST(&ipam->places[PLACE_WAITING])) &&
		ipam_is_over(ipam, taken->released_us, now_us)) {
		ipam_place_out(ipam, taken);
		ipam_place_in(ipam, taken, PLACE_RIPE);
	}
	while ((taken = TAILQ_FIRST(&ipam->places[PLACE_FOREIGN])) &&
		ipam_is_over(ipam, taken->released_us, now_us)) {
		struct ipam_block *block = taken->block;

		ipam_forget(ipam, taken);
		ipam_block_tidy(ipam, block);
	}
}
