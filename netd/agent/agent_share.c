// SPDX-License-Identifier: BSD-3-Clause
// How many free addresses each host may own, so that all hosts of the cluster can connect
// containers while the store is away.
//
// Of the addresses that nobody uses, half are shared equally among the hosts that are known; the
// rest is for those who really connect, and for hosts to come. A host with more than twice its
// share gives blocks back. When a host that has endpoints in a network has less than half of its
// share and no block is free, the richest host gives one back: all hosts compute who that is from
// what they know, and if it does not give, the next one does a little later. Blocks that are free
// are left to those hosts then.
#include <string.h>

#include "netd/agent/agent_priv.h"

#define LOOK_US (500 * UINT64_C(1000))
#define STEP_US (2 * SECOND_US) // so much later for each host that is richer

void agent_share_count(struct agent *a)
{
	a->nb_hosts = 0;
	for (struct replica_host *host = a->replica.hosts; host; host = host->hh.next)
		a->nb_hosts += host->known;
}

static uint64_t share_of(const struct agent *a, struct ipam *pool)
{
	uint64_t unused = ipam_nb_unused(pool, agent_now(a)) / 2 / MAX_OF(a->nb_hosts, 1u);

	return MIN_OF(a->conf->address_reserve, MAX_OF(unused, 1));
}

static uint64_t least_of(uint64_t share)
{
	return (share + 1) / 2;
}

// ---- what the others have ----

static bool in_subnet(const struct replica_net *net, unsigned subnet, const struct cidr *block)
{
	return cidr_has(&net->rec.subnets[subnet].cidr, &block->ip);
}

// Blocks that are on their way back count as free.
static uint64_t count_all(struct agent *a, struct replica_net *net, unsigned subnet)
{
	struct ipam *pool = net->agent->pool[subnet];
	uint64_t nb_blocks = ipam_nb_blocks(pool);
	struct replica_endpoint *ep;
	struct replica_block *block;

	for (struct replica_host *host = a->replica.hosts; host; host = host->hh.next)
		memset(&host->share, 0, sizeof(host->share));
	LIST_FOREACH (ep, &net->endpoints, of_net)
		ep->host->share.takes_part = true;
	LIST_FOREACH (block, &net->blocks, of_net) {
		struct ipam_use use;

		if (!block->host || !in_subnet(net, subnet, &block->rec.cidr))
			continue;
		ipam_block_use(pool, &block->rec.cidr.ip, agent_now(a), &use);
		nb_blocks += block->rec.giving && use.nb_free;
		if (block->rec.giving)
			continue;
		block->host->share.nb_free += use.nb_free;
		block->host->share.nb_idle += use.idle && use.nb_free;
	}
	return nb_blocks;
}

static bool can_give(const struct replica_host *host, unsigned block_size, uint64_t least)
{
	return host->present && host->share.nb_idle &&
	       (!host->share.takes_part || host->share.nb_free >= block_size + least);
}

// Before this host in the order in which they give.
static bool is_richer(const struct replica_host *host, const struct replica_host *self)
{
	if (host->share.nb_free != self->share.nb_free)
		return host->share.nb_free > self->share.nb_free;
	return strcmp(host->rec.name, self->rec.name) < 0;
}

// How many blocks this host is to give so that others have some.
static unsigned give_to_poor(struct agent *a, const struct replica_host *self,
	struct agent_share *share, uint64_t lack, unsigned block_size, uint64_t least)
{
	uint64_t before_us = 0, spare;

	if (!can_give(self, block_size, least))
		return 0;
	for (struct replica_host *host = a->replica.hosts; host; host = host->hh.next) {
		if (host != self && can_give(host, block_size, least) && is_richer(host, self))
			before_us += STEP_US;
	}
	if (agent_now(a) - share->scarce_us < before_us)
		return 0;
	spare = (self->share.nb_free - (self->share.takes_part ? least : 0)) / block_size;
	return MIN_OF(MIN_OF(lack, spare), self->share.nb_idle);
}

// `ret_others`: hosts that need what is free more than this one does.
static unsigned look_at_all(struct agent *a, struct replica_net *net, unsigned subnet,
	uint64_t least, uint64_t *ret_spare)
{
	struct replica_host *self = replica_host(&a->replica, a->conf->host);
	struct agent_share *share = &net->agent->share[subnet];
	uint64_t nb_blocks = count_all(a, net, subnet), nb_poor = 0;

	if (!self)
		return 0;
	// Of itself it knows more than its records say.
	self->share.takes_part = net->nb_local;
	for (struct replica_host *host = a->replica.hosts; host; host = host->hh.next)
		nb_poor += host != self && host->present && host->share.takes_part &&
			   host->share.nb_free < least;
	*ret_spare = nb_blocks > nb_poor ? nb_blocks - nb_poor : 0;
	if (nb_blocks >= nb_poor) {
		share->scarce_us = 0;
		return 0;
	}
	if (!share->scarce_us)
		share->scarce_us = agent_now(a);
	return give_to_poor(a, self, share, nb_poor - nb_blocks,
		ipam_block_size(net->agent->pool[subnet]), least);
}

// ---- what this host does ----

static unsigned give_surplus(struct agent *a, struct agent_share *share, uint64_t nb_free,
	uint64_t most, unsigned block_size)
{
	uint64_t now_us = agent_now(a);

	if (nb_free < most + block_size) {
		share->surplus_us = 0;
		return 0;
	}
	// Not each time that a few containers go and come.
	if (!share->surplus_us)
		share->surplus_us = now_us;
	if (now_us - share->surplus_us < a->conf->quarantine_s * SECOND_US)
		return 0;
	return MIN_OF((nb_free - most) / block_size, KV_TXN_OPS_MAX);
}

void agent_share_look(struct agent *a, struct replica_net *net, unsigned subnet)
{
	struct agent_share *share = &net->agent->share[subnet];
	struct ipam *pool = net->agent->pool[subnet];
	uint64_t now_us = agent_now(a), nb_free = ipam_nb_free(pool, now_us);
	uint64_t mine = share_of(a, pool), spare = UINT64_MAX;
	bool is_plenty = ipam_nb_blocks(pool) > a->nb_hosts;

	if (!is_plenty && share->look_us && now_us - share->look_us < LOOK_US) {
		share->may_claim &= nb_free < mine;
		return;
	}
	share->look_us = now_us;
	share->nb_give = give_surplus(a, share, nb_free, 2 * mine, ipam_block_size(pool));
	if (is_plenty)
		share->scarce_us = 0;
	else
		share->nb_give =
			MAX_OF(share->nb_give, look_at_all(a, net, subnet, least_of(mine), &spare));
	share->may_claim = nb_free < least_of(mine) || (nb_free < mine && spare);
}

bool agent_share_takes(struct agent *a, struct replica_net *net, const struct cidr *cidr)
{
	int subnet = agent_subnet_of(net, &cidr->ip);
	struct ipam_use use;

	if (subnet < 0 || !net->agent->share[subnet].nb_give)
		return false;
	ipam_block_use(net->agent->pool[subnet], &cidr->ip, agent_now(a), &use);
	if (use.owner != IPAM_MINE || !use.idle || !use.nb_free)
		return false;
	net->agent->share[subnet].nb_give--;
	return true;
}
