// SPDX-License-Identifier: BSD-3-Clause
// The addresses of networks on this host: pools of what is used, and blocks that this host owns, so
// that it can give out addresses without asking anybody.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "netd/agent/agent_priv.h"

// ---- pools ----

int agent_subnet_of(const struct replica_net *net, const struct ip_addr *ip)
{
	for (unsigned i = 0; i < net->rec.nb_subnets; i++) {
		if (cidr_has(&net->rec.subnets[i].cidr, ip))
			return i;
	}
	return -1;
}

static struct ipam *pool_of(const struct replica_net *net, const struct ip_addr *ip)
{
	int i = net->agent ? agent_subnet_of(net, ip) : -1;

	return i < 0 ? NULL : net->agent->pool[i];
}

bool agent_block_is_own(const struct replica_net *net, const struct cidr *cidr)
{
	struct ipam *pool = pool_of(net, &cidr->ip);

	return pool && ipam_block_owner(pool, &cidr->ip) == IPAM_MINE;
}

void agent_use_ips(struct replica_net *net, const struct endpoint_record *rec)
{
	for (unsigned i = 0; i < rec->nb_ips; i++) {
		struct ipam *pool = pool_of(net, &rec->ips[i].ip);

		if (pool)
			ipam_use(pool, &rec->ips[i].ip);
	}
}

void agent_release_ips(struct agent *a, struct replica_net *net, const struct endpoint_record *rec)
{
	for (unsigned i = 0; i < rec->nb_ips; i++) {
		struct ipam *pool = pool_of(net, &rec->ips[i].ip);

		if (pool)
			ipam_release(pool, &rec->ips[i].ip, agent_now(a));
	}
}

static bool is_own(const struct agent *a, const struct block_record *rec)
{
	return !strcmp(rec->owner, a->conf->host);
}

static enum ipam_owner owner_of(const struct agent *a, const struct block_record *rec)
{
	if (!rec->owner[0])
		return IPAM_FREED;
	// What it gives back is as good as another's.
	return rec->giving || !is_own(a, rec) ? IPAM_OTHER : IPAM_MINE;
}

static void set_block(struct agent *a, struct replica_block *block, bool gone)
{
	struct ipam *pool = pool_of(block->net, &block->rec.cidr.ip);

	if (pool)
		ipam_set_block(pool, &block->rec.cidr,
			gone ? IPAM_NOBODY : owner_of(a, &block->rec), block->rec.epoch,
			agent_now(a));
}

static void set_blocks(struct agent *a, struct replica_net *net)
{
	struct replica_block *block;

	LIST_FOREACH (block, &net->blocks, of_net)
		set_block(a, block, false);
}

void agent_block_changed(struct agent *a, struct replica_block *block, bool gone)
{
	set_block(a, block, gone);
	if (is_own(a, &block->rec))
		a->dirty = true;
}

static int make_pools(struct agent *a, struct replica_net *net)
{
	const struct network_record *rec = &net->rec;

	net->agent = calloc(1, sizeof(*net->agent));
	if (!net->agent)
		return -ENOMEM;
	for (unsigned i = 0; i < rec->nb_subnets; i++) {
		const struct ipam_opts opts = {.subnet = &rec->subnets[i],
			.quarantine_us = a->conf->quarantine_s * SECOND_US,
			.seed = agent_random(a)};
		int rc = ipam_new(&opts, &net->agent->pool[i]);

		if (rc < 0)
			return rc;
	}
	return 0;
}

void agent_net_known(struct agent *a, struct replica_net *net)
{
	struct replica_endpoint *ep;
	struct local_endpoint *le;

	if (!net->known || net->agent)
		return;
	if (make_pools(a, net) < 0) {
		agent_net_drop(a, net);
		return;
	}
	set_blocks(a, net);
	LIST_FOREACH (ep, &net->endpoints, of_net)
		agent_use_ips(net, &ep->rec);
	LIST_FOREACH (le, &net->local_endpoints, of_net) {
		if (!le->agent->let_go)
			agent_use_ips(net, &le->rec);
	}
}

void agent_net_drop(struct agent *a, struct replica_net *net)
{
	if (!net->agent)
		return;
	for (unsigned i = 0; i < RECORD_SUBNETS_MAX; i++)
		ipam_free(net->agent->pool[i]);
	free(net->agent);
	net->agent = NULL;
}

void agent_net_free_all(struct agent *a)
{
	for (struct replica_net *net = a->replica.nets; net; net = net->hh.next)
		agent_net_drop(a, net);
}

// ---- claiming blocks ----

struct claim {
	struct pending pending;
	char net_id[ID_BYTES];
	unsigned subnet;
	struct block_record rec;
	bool is_gc; // of a network that is gone; it may be known again when the answer comes
};

static void on_claimed(void *arg, int rc, uint64_t revision)
{
	struct claim *claim = arg;
	struct agent *a = claim->pending.a;
	struct replica_net *net = replica_net_by_id(&a->replica, claim->net_id);

	if (net && net->agent) {
		retry_done(&net->agent->block[claim->subnet], rc, agent_now(a));
		if (rc == 0)
			ipam_set_block(net->agent->pool[claim->subnet], &claim->rec.cidr, IPAM_MINE,
				claim->rec.epoch, agent_now(a));
	}
	pending_free(&claim->pending);
	a->dirty = true;
	agent_kick(a);
}

static void write_claim(struct agent *a, struct replica_net *net, struct claim *claim, bool is_new)
{
	char key[RECORD_KEY_BYTES], *text = block_record_print(&claim->rec);
	struct replica_block *block;

	record_key_block(key, net->id, &claim->rec.cidr);
	block = replica_block(&a->replica, key);
	if (!text || (!is_new && !block)) {
		free(text);
		pending_free(&claim->pending);
		return;
	}
	retry_start(&net->agent->block[claim->subnet]);
	if (is_new)
		kv_create(a->opts.kv, key, text, strlen(text), NULL, on_claimed, claim);
	else
		kv_swap(a->opts.kv, key, block->revision, text, strlen(text), on_claimed, claim);
	free(text);
}

// Claims one more block. 0: it has, or is on its way; -ENOSPC, -EAGAIN: ipam_next_block().
static int claim_block(struct agent *a, struct replica_net *net, unsigned subnet)
{
	struct claim *claim;
	struct cidr cidr;
	uint64_t epoch;
	bool is_new;
	int rc;

	if (net->agent->block[subnet].busy)
		return 0;
	rc = ipam_next_block(net->agent->pool[subnet], agent_now(a), &cidr, &epoch, &is_new);
	if (rc < 0)
		return rc;
	if (net->local) {
		ipam_set_block(net->agent->pool[subnet], &cidr, IPAM_MINE, epoch, agent_now(a));
		return 0;
	}
	// Without its name in the store this host would claim for somebody else.
	if (!agent_is_member(a) || !retry_due(&net->agent->block[subnet], agent_now(a)))
		return 0;
	claim = pending_new(a, sizeof(*claim));
	if (!claim)
		return -ENOMEM;
	claim->subnet = subnet;
	claim->rec = (struct block_record){.cidr = cidr, .epoch = epoch};
	snprintf(claim->net_id, ID_BYTES, "%s", net->id);
	snprintf(claim->rec.owner, NAME_BYTES, "%s", a->conf->host);
	write_claim(a, net, claim, is_new);
	return 0;
}

// ---- addresses ----

static int take_of(struct agent *a, struct replica_net *net, unsigned subnet,
	struct ip_addr *ret_ip, uint64_t *ret_epoch)
{
	struct ipam *pool = net->agent->pool[subnet];
	int rc = ipam_next(pool, agent_now(a), ret_ip, ret_epoch);

	if (rc != -ENOSPC)
		return rc;
	if (!net->local && !agent_can_write(a))
		return -ECONNREFUSED;
	if (claim_block(a, net, subnet) == 0)
		return net->local ? ipam_next(pool, agent_now(a), ret_ip, ret_epoch) : -EAGAIN;
	// All blocks are somebody's, but not all of their addresses.
	return ipam_borrow(pool, agent_now(a), ret_ip, ret_epoch);
}

int agent_take_ip(struct agent *a, struct replica_net *net, unsigned family, struct cidr *ret_ip,
	uint64_t *ret_epoch, struct err *err)
{
	struct ip_addr ip;
	int rc = -ENOSPC;

	// Somebody comes: blocks are not given back now.
	if (net->agent)
		net->agent->empty_since_us = agent_now(a);
	for (unsigned i = 0; net->agent && i < net->rec.nb_subnets; i++) {
		const struct cidr *subnet = &net->rec.subnets[i].cidr;

		if (subnet->ip.family != family)
			continue;
		rc = take_of(a, net, i, &ip, ret_epoch);
		if (rc == 0)
			*ret_ip = (struct cidr){.ip = ip, .prefix = subnet->prefix};
		if (rc != -ENOSPC)
			break;
	}
	if (rc == 0 || rc == -EAGAIN)
		return rc;
	if (rc == -ECONNREFUSED)
		return net_error(err, rc, net->rec.name,
			"this host has no free IPv%u address of its own left, and the store cannot "
			"be asked for more: %s; try again when it is back",
			family, agent_store_reason(a));
	return net_error(err, rc, net->rec.name,
		"all IPv%u addresses are used or in quarantine (%u s after their release); "
		"disconnect what is not needed, or make a network with a larger subnet",
		family, a->conf->quarantine_s);
}

// ---- upkeep ----

// So many free addresses are owned that containers can come while the store is away.
static void keep_reserve(struct agent *a, struct replica_net *net)
{
	bool done[7] = {false}; // by family: the first subnet is the one that addresses come from

	for (unsigned i = 0; i < net->rec.nb_subnets; i++) {
		unsigned family = net->rec.subnets[i].cidr.ip.family;

		if (done[family])
			continue;
		done[family] = true;
		agent_share_look(a, net, i);
		if (net->nb_local && net->agent->share[i].may_claim)
			claim_block(a, net, i);
	}
}

// What was written is to be seen in the replica before the next step.
static void tidied(struct agent *a, struct retry *retry, int rc)
{
	retry_done(retry, rc, agent_now(a));
	if (rc == 0)
		retry->next_us = agent_now(a) + RETRY_MIN_US;
}

static void on_tidied(void *arg, int rc, uint64_t revision)
{
	struct claim *claim = arg;
	struct agent *a = claim->pending.a;
	struct replica_net *net = replica_net_by_id(&a->replica, claim->net_id);

	// What was to be given back is still ours then.
	if (net && rc < 0)
		set_blocks(a, net);
	// A change that was made shows in the replica soon; until then it is not to be made again.
	if (claim->is_gc)
		retry_done(&a->gc, rc, agent_now(a));
	else if (net && net->agent)
		tidied(a, &net->agent->cleanup, rc);
	pending_free(&claim->pending);
}

struct tidy {
	struct kv_op op[KV_TXN_OPS_MAX];
	char *text[KV_TXN_OPS_MAX];
	unsigned count;
};

// An address of it is used on this host, maybe without a record in the store yet.
static bool is_used_here(const struct replica_net *net, const struct cidr *cidr)
{
	struct local_endpoint *le;

	LIST_FOREACH (le, &net->local_endpoints, of_net) {
		for (unsigned i = 0; i < le->rec.nb_ips; i++) {
			if (cidr_has(cidr, &le->rec.ips[i].ip))
				return true;
		}
	}
	return false;
}

// This host has had no endpoint in the network for long.
static bool is_unused(struct agent *a, const struct replica_net *net)
{
	return net->agent && net->agent->empty_since_us &&
	       agent_now(a) - net->agent->empty_since_us >= a->conf->quarantine_s * SECOND_US;
}

// A block is given back in two steps, so that it is never this host's and another's at once,
// whatever is lost on the way. First its record says that it will be, and from then on nothing of
// it is given out here, also after a restart without the store: the record is on disk. Then it is
// nobody's. Each step is guarded by the revision of the one before.
static bool give_block(struct agent *a, struct replica_block *block, struct block_record *rec)
{
	struct replica_net *net = block->net;

	if (!rec->giving) {
		if (!is_unused(a, net) && !agent_share_takes(a, net, &rec->cidr))
			return false;
		if (is_used_here(net, &rec->cidr))
			return false;
		rec->giving = true;
		ipam_set_block(pool_of(net, &rec->cidr.ip), &rec->cidr, IPAM_OTHER, rec->epoch,
			agent_now(a));
		return true;
	}
	// The copy on disk does not have it yet.
	if (a->in_batch || a->copy_is_old)
		return false;
	rec->giving = false;
	// An endpoint came before the record did.
	if (!is_used_here(net, &rec->cidr))
		rec->owner[0] = '\0';
	return true;
}

// What is to become of a block, if anything: put back into a store that was lost; given back when
// this host has no endpoint in the network any more, or others need it more; deleted with the
// network.
static void tidy_block(struct agent *a, struct replica_block *block, struct tidy *tidy)
{
	const struct replica_net *net = block->net;
	struct kv_op op = {.key = block->key, .revision = block->revision};
	struct block_record rec = block->rec;
	bool own = is_own(a, &rec);

	if (agent_net_is_gone(a, net) && block->seen && a->healthy_since_us && !net->nb_local &&
		(own || (!rec.owner[0] && agent_is_first(a)))) {
		op.action = KV_DELETE;
		op.guard = KV_REVISION;
	} else if (own && net->known && !block->seen && !rec.giving) {
		op.guard = KV_ABSENT;
	} else if (own && net->known && net->agent && block->seen && give_block(a, block, &rec)) {
		op.guard = KV_REVISION;
	} else {
		return;
	}
	if (op.action == KV_PUT) {
		op.value = tidy->text[tidy->count] = block_record_print(&rec);
		if (!op.value)
			return;
		op.len_bytes = strlen(op.value);
	}
	tidy->op[tidy->count++] = op;
}

static void tidy_net(struct agent *a, struct replica_net *net)
{
	struct retry *retry = net->agent ? &net->agent->cleanup : &a->gc;
	struct tidy tidy = {.count = 0};
	struct replica_block *block;
	struct claim *claim;

	if (!retry_due(retry, agent_now(a)))
		return;
	LIST_FOREACH (block, &net->blocks, of_net) {
		if (tidy.count < KV_TXN_OPS_MAX)
			tidy_block(a, block, &tidy);
	}
	claim = tidy.count ? pending_new(a, sizeof(*claim)) : NULL;
	if (claim) {
		snprintf(claim->net_id, ID_BYTES, "%s", net->id);
		claim->is_gc = retry == &a->gc;
		retry_start(retry);
		// One at a time when together they do not go: each has its own reasons.
		if (retry->wait_us > RETRY_MIN_US)
			tidy.count = 1;
		kv_txn(a->opts.kv, tidy.op, tidy.count, on_tidied, claim);
	}
	for (unsigned i = 0; i < KV_TXN_OPS_MAX; i++)
		free(tidy.text[i]);
}

void agent_block_run(struct agent *a, uint64_t now_us)
{
	bool is_member = agent_is_member(a);

	agent_share_count(a);
	for (struct replica_net *net = a->replica.nets; net; net = net->hh.next) {
		if (net->agent && net->nb_local)
			net->agent->empty_since_us = 0;
		else if (net->agent && !net->agent->empty_since_us)
			net->agent->empty_since_us = now_us;
		if (net->local || !is_member)
			continue;
		if (net->known && net->agent)
			keep_reserve(a, net);
		tidy_net(a, net);
	}
}
