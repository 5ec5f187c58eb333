// SPDX-License-Identifier: BSD-3-Clause
// What must be so at any moment, whatever happens:
//
// Of a connection that was reported, its host's switch keeps the port, and the switches of other
// hosts with an endpoint in the network keep its entries (forwarding, neighbours) once they had
// them, whether the store is there or not. They may be gone only
//	- when the connection is over, was asked to end, or its network was;
//	- when that switch has died, or its agent while it was reading the store (world.c forgets
//	  then that it had been seen);
//	- when the host forgot, and nobody else knew of it (promise.c);
//	- of another host's switch: when that host has no endpoint in the network (any more);
//	- when the record of the connection's host was away for the grace period, or the host was
//	  silent while a store that was lost was filled again (then others may have let it go);
//	- of another host's switch: when the store has somebody else's record under the address, and
//	  the connection may move (promise.c): it was set back to when that one had it, or that one
//	  was not known to the store and has won it, of which the connection's host may hear late.
//	  Until the other host has heard that the connection has it, and told its switch;
//	- when the other host itself has lost its state folder: it knows nothing until it has read
//	  the store, and then not what is missing there;
//	- when it got another address, for a reason that promise.c knows.
//
// No block is in the hands of two hosts: what one of them gives out while the store is away would
// be the other's.
#include <string.h>

#include "tests/sim/promise.h"
#include "tests/sim/steps.h"
#include "tests/sim/world.h"

// Its host was not there in time to put it back into a store that was lost.
static bool waits_to_be_put_back(const struct promise *p)
{
	return p->w->lost_us && p->host->fenced_us >= p->w->lost_us && !promise_in_store(p);
}

static bool may_be_gone(const struct promise *p)
{
	return !promise_holds(p) || promise_may_be_lost(p) || waits_to_be_put_back(p) ||
	       host_is_fenced(p->host) || p->fenced_seen_us != p->host->fenced_us;
}

// ---- its own host ----

static bool has_port(const struct promise *p)
{
	char name[32];

	snprintf(name, sizeof(name), RECONCILE_PREFIX "%.12s", p->rec.id);
	return fake_switch_port(p->host->sw, name);
}

static void forget_seen(struct promise *p)
{
	memset(p->seen, 0, sizeof(p->seen));
}

// The agent may have given it another address: then all begins anew. False: it is off.
static bool follow(struct promise *p)
{
	struct local_endpoint *le = promise_endpoint(p);
	bool is_off = le && (le->state == ENDPOINT_LOSING || le->state == ENDPOINT_CONFLICT ||
				    le->state == ENDPOINT_MOVING || le->state == ENDPOINT_MOVED);

	if (promise_in_store(p))
		p->stored_us = p->w->tl.now_us;
	if (!le)
		return true;
	if (is_off || strcmp(le->rec.id, p->rec.id) != 0) {
		if (!promise_may_move(p))
			world_fail(p->w, "%s: %s in %s has lost its address without need (%s)",
				p->host->conf.host, p->container->sandbox, p->network, le->reason);
		forget_seen(p);
	}
	promise_update(p, le);
	return !is_off;
}

static void check_port(struct promise *p)
{
	struct host *h = p->host;
	bool *seen = &p->seen[h->index];
	bool there;

	if (!fake_switch_is_up(h->sw))
		return;
	there = has_port(p);
	if (*seen && !there)
		world_fail(p->w, "%s: the port of %s in %s (endpoint %s) has gone", h->conf.host,
			p->container->sandbox, p->network, p->rec.id);
	if (there && !*seen)
		p->port_us = h->w->tl.now_us;
	*seen = there;
}

// ---- other hosts ----

// Since it was looked at before: the last one may have gone, and another one may have come.
static bool has_endpoint(const struct host *h, const char *net_id)
{
	struct promise *p;

	LIST_FOREACH (p, &h->w->promises, entry) {
		if (p->host == h && promise_holds(p) && !strcmp(p->net_id, net_id) &&
			p->seen[h->index] && p->port_us < h->w->tl.now_us && has_port(p))
			return true;
	}
	return false;
}

static bool has_entries(const struct host *h, const struct promise *p)
{
	struct fake_bridge *bridge = fake_switch_bridge_of_vni(h->sw, p->vni);

	if (!bridge || !fake_bridge_fdb(bridge, &p->rec.mac))
		return false;
	for (unsigned i = 0; i < p->rec.nb_ips; i++) {
		if (!fake_bridge_neigh(bridge, &p->rec.ips[i].ip))
			return false;
	}
	return true;
}

// What has its address may still be an endpoint from before it.
static bool is_its_entry(const struct host *h, const struct promise *p)
{
	struct fake_bridge *bridge = fake_switch_bridge_of_vni(h->sw, p->vni);

	return ip_equal(fake_bridge_fdb(bridge, &p->rec.mac), &p->host->vtep);
}

// It forgot the endpoint or where its host is, and the store did not say it either since.
static bool never_heard(const struct host *h, const struct promise *p)
{
	const struct host *other = p->host;

	return h->read_us && ((other->absent_since_us && h->read_us >= other->absent_since_us) ||
				     (!promise_in_store(p) && h->read_us >= p->stored_us));
}

static const struct store_key *stored(const struct promise *p, char key[RECORD_KEY_BYTES])
{
	record_key_endpoint(key, p->net_id, &p->rec.ips[0].ip);
	return store_data_get(sim_store_data(p->w->store), key);
}

static bool is_anothers(const struct promise *p)
{
	char key[RECORD_KEY_BYTES];

	return stored(p, key) && !promise_in_store(p) && promise_may_move(p);
}

// It knows the record that the store has, and its switch has what follows from it.
static bool has_heard(const struct host *h, const struct promise *p)
{
	char key[RECORD_KEY_BYTES];
	const struct store_key *found = stored(p, key);
	struct replica_endpoint *ep = h->agent ? replica_endpoint(&h->agent->replica, key) : NULL;

	return ep && found && promise_in_store(p) && ep->revision == found->revision &&
	       reconcile_is_settled(h->agent->rec);
}

static void check_entries(struct promise *p, const struct host *h)
{
	bool *seen = &p->seen[h->index];
	bool there;

	if (!fake_switch_is_up(h->sw))
		return;
	if (p->displaced[h->index] && !is_anothers(p) && has_heard(h, p))
		p->displaced[h->index] = false;
	if (h->blank || never_heard(h, p) || promise_is_taken_over(p) || p->displaced[h->index] ||
		!has_endpoint(h, p->net_id)) {
		*seen = false;
		return;
	}
	there = has_entries(h, p);
	if (*seen && !there)
		world_fail(p->w, "%s: the entries of %s (%s) in %s have gone", h->conf.host,
			p->container->sandbox, p->host->conf.host, p->network);
	// What a switch has while nobody tells it anything may be from long ago.
	if (!*seen && (!h->agent || !h->agent->synced))
		return;
	*seen = there && (*seen || is_its_entry(h, p));
}

// Its host has let it go with its network, whose name or VNI was another one's. Whoever was away
// may still put that network back later, when the other one is gone in turn.
static bool is_lost_for_good(const struct promise *p)
{
	return p->host->agent && !promise_endpoint(p) &&
	       net_is_anothers(p->w, p->net_id, p->network, p->vni);
}

static void check_promise(struct world *w, struct promise *p)
{
	p->lost_ok |= is_lost_for_good(p);
	if (may_be_gone(p)) {
		forget_seen(p);
		p->fenced_seen_us = p->host->fenced_us;
		return;
	}
	if (!follow(p))
		return;
	check_port(p);
	for (unsigned i = 0; i < w->nb_hosts && !world_failed(w); i++) {
		if (&w->hosts[i] != p->host && !w->hosts[i].dead)
			check_entries(p, &w->hosts[i]);
	}
}

void check_store(struct world *w)
{
	struct promise *p;

	LIST_FOREACH (p, &w->promises, entry) {
		if (p->state == PROMISE_KEPT && is_anothers(p))
			memset(p->displaced, true, sizeof(p->displaced));
	}
}

// ---- blocks ----

// Others may have taken its blocks, and it has not heard of it yet.
static bool may_be_mistaken(const struct host *h)
{
	return !h->agent || h->dead || host_is_fenced(h) ||
	       (h->fenced_us && !agent_is_current(h->agent));
}

// Every address is in the hands of one host at most: each may give it out without asking. (A store
// that was lost knows less than the hosts for a while.)
static void check_owners(struct world *w, const struct host *h, const struct host *other)
{
	struct replica_block *block;
	char text[CIDR_TEXT_BYTES];

	for (block = h->agent->replica.blocks; block; block = block->hh.next) {
		struct replica_net *net = replica_net_by_id(&other->agent->replica, block->net->id);
		const struct cidr *cidr = &block->rec.cidr;

		if (net && agent_block_is_own(block->net, cidr) && agent_block_is_own(net, cidr))
			world_fail(w, "block %s of %s is in the hands of %s and of %s",
				cidr_format(cidr, text), block->net->id, h->conf.host,
				other->conf.host);
	}
}

static void check_blocks_running(struct world *w)
{
	for (unsigned i = 0; i < w->nb_hosts && !w->lost_us; i++) {
		for (unsigned k = 0; k < i && !may_be_mistaken(&w->hosts[i]); k++) {
			if (!may_be_mistaken(&w->hosts[k]))
				check_owners(w, &w->hosts[i], &w->hosts[k]);
		}
	}
}

void check_running(struct world *w)
{
	struct promise *p;

	check_store(w);
	check_steps_running(w);
	for (unsigned i = 0; i < w->nb_hosts; i++)
		host_look(&w->hosts[i]);
	LIST_FOREACH (p, &w->promises, entry) {
		if (p->state == PROMISE_KEPT && !world_failed(w))
			check_promise(w, p);
	}
	check_blocks_running(w);
}
