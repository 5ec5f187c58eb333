// SPDX-License-Identifier: BSD-3-Clause
// What must be so when all is healed and quiet. The truth comes from the keys that the store has,
// from the containers that are alive, and from what people were told; not from any agent.
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netd/ipam/ipam.h"
#include "tests/sim/promise.h"
#include "tests/sim/steps.h"
#include "tests/sim/truth.h"

void wrong(struct truth *t, const char *fmt, ...)
{
	va_list args;

	if (t->failed)
		return;
	t->failed = true;
	va_start(args, fmt);
	vsnprintf(t->text, t->len_bytes, fmt, args);
	va_end(args);
}

// ---- what the store has ----

static void read_key(struct truth *t, const struct store_key *key)
{
	const char *value = key->value->data;
	size_t len = key->value->len_bytes;
	struct record_key parts;
	struct err err = {0};
	int rc = 0;

	record_key_parse(key->key, &parts);
	switch (parts.kind) {
	case RECORD_HOST:
		rc = host_record_parse(key->key, value, len, &t->hosts[t->nb_hosts], &err);
		t->nb_hosts += rc == 0;
		break;
	case RECORD_NETWORK:
		rc = network_record_parse(key->key, value, len, &t->nets[t->nb_nets], &err);
		t->nb_nets += rc == 0;
		break;
	case RECORD_BLOCK:
		rc = block_record_parse(key->key, value, len, &t->blocks[t->nb_blocks], &err);
		t->nb_blocks += rc == 0;
		break;
	case RECORD_ENDPOINT:
		rc = endpoint_record_parse(key->key, value, len, &t->eps[t->nb_eps].rec, &err);
		snprintf(t->eps[t->nb_eps].net_id, ID_BYTES, "%s", parts.net);
		t->nb_eps += rc == 0;
		break;
	case RECORD_GENERATION:
		if (!truth_host(t, parts.name))
			wrong(t, "a generation of no host: %s", key->key);
		break;
	case RECORD_CLUSTER:
	case RECORD_ALLOCATION:
		break;
	case RECORD_UNKNOWN:
		wrong(t, "the store has a key that nobody knows: %s", key->key);
		break;
	}
	if (rc < 0)
		wrong(t, "the store has a record that cannot be read: %s: %s", key->key,
			err.reason);
}

static void read_store(struct truth *t)
{
	const struct store_data *d = sim_store_data(t->w->store);

	for (const struct store_key *key = d->keys; key; key = key->hh.next) {
		if (key->value && t->nb_eps < TRUTH_MAX && t->nb_nets < TRUTH_MAX &&
			t->nb_blocks < TRUTH_MAX && t->nb_hosts < ARRAY_SIZE(t->hosts))
			read_key(t, key);
	}
}

static void truth_fini(struct truth *t)
{
	for (unsigned i = 0; i < t->nb_nets; i++)
		network_record_fini(&t->nets[i]);
	for (unsigned i = 0; i < t->nb_eps; i++)
		endpoint_record_fini(&t->eps[i].rec);
}

struct host *truth_host(struct truth *t, const char *name)
{
	for (unsigned i = 0; i < t->w->nb_hosts; i++) {
		if (!strcmp(t->w->hosts[i].conf.host, name))
			return &t->w->hosts[i];
	}
	return NULL;
}

static const struct network_record *net_by_id(struct truth *t, const char *id)
{
	for (unsigned i = 0; i < t->nb_nets; i++) {
		if (!strcmp(t->nets[i].id, id))
			return &t->nets[i];
	}
	return NULL;
}

// ---- addresses ----

// No address of the IPv4 subnet can be given out, whoever asks and however long it waits.
static bool is_full(struct truth *t, const struct subnet *subnet, const char *net_id)
{
	struct ip_addr ip = subnet->range.ip;
	uint64_t nb = 1ULL << (32 - subnet->range.prefix);
	struct ipam *ipam;
	bool full = true;

	if (ipam_new(&(struct ipam_opts){.subnet = subnet}, &ipam) < 0)
		abort();
	for (unsigned i = 0; i < t->nb_eps; i++) {
		for (unsigned k = 0; k < t->eps[i].rec.nb_ips && !strcmp(t->eps[i].net_id, net_id);
			k++)
			ipam_use(ipam, &t->eps[i].rec.ips[k].ip); // -EINVAL: of another subnet
	}
	for (uint64_t i = 0; i < nb && full; i++) {
		enum ipam_owner owner;
		uint64_t epoch;
		struct err err;

		full = ipam_check(ipam, &ip, &owner, &epoch, &err) < 0;
		for (int byte = 3; byte >= 0 && ++ip.byte[byte] == 0; byte--)
			;
	}
	ipam_free(ipam);
	return full;
}

// The network has no address for who waits for one.
static bool is_full_net(struct truth *t, const char *net_id)
{
	const struct network_record *net = net_by_id(t, net_id);

	for (unsigned i = 0; net && i < net->nb_subnets; i++) {
		if (net->subnets[i].cidr.ip.family == 4 && is_full(t, &net->subnets[i], net->id))
			return true;
	}
	return false;
}

// ---- hosts ----

// What an endpoint of its had is another's, and there is nothing else for it until somebody leaves.
static bool waits_for_room(struct truth *t, const struct host *h)
{
	for (struct local_endpoint *le = h->agent->endpoints; le; le = le->hh.next) {
		bool waits = le->state == ENDPOINT_MOVED || le->state == ENDPOINT_UNADDRESSED;

		if (waits && is_full_net(t, le->net->rec.id))
			return true;
	}
	return false;
}

static void check_hosts(struct truth *t)
{
	unsigned alive = 0;
	char is[IP_TEXT_BYTES], should[IP_TEXT_BYTES];

	for (unsigned i = 0; i < t->w->nb_hosts; i++) {
		struct host *h = &t->w->hosts[i];

		alive += !h->dead;
		if (!h->dead && !agent_is_settled(h->agent) && !waits_for_room(t, h))
			wrong(t, "%s: the agent has not settled", h->conf.host);
	}
	for (unsigned i = 0; i < t->nb_hosts; i++) {
		struct host *h = truth_host(t, t->hosts[i].name);

		if (!h || h->dead)
			wrong(t, "the store has host %s, which is dead", t->hosts[i].name);
		else if (!ip_equal(&t->hosts[i].vtep, &h->vtep))
			wrong(t, "the store has %s for host %s, which is %s",
				ip_format(&t->hosts[i].vtep, is), h->conf.host,
				ip_format(&h->vtep, should));
	}
	if (t->nb_hosts != alive)
		wrong(t, "the store has %u hosts, alive are %u", t->nb_hosts, alive);
}

// ---- networks ----

// Its agent got no answer from the store, and tried once more when it was gone already: who asked
// for it was told of success after the removal was asked for, or of nothing.
static bool is_made_again(const struct net_promise *made, const struct net_promise *removed)
{
	if (made->stop != STOP_NONE)
		return false;
	if (made->state == PROMISE_KEPT)
		return made->kept_us >= removed->asked_us && !strcmp(made->id, removed->id);
	return made->state == PROMISE_UNSURE && !strcmp(made->name, removed->name);
}

// It was made again; or the store was lost, and whoever puts back what it knew may not know of the
// removal: it was made before, or while others filled the store again, or that host was silent
// then.
static bool net_came_back(struct truth *t, const struct net_promise *n)
{
	const struct world *w = t->w;
	const struct net_promise *made;

	LIST_FOREACH (made, &w->nets, entry) {
		if (is_made_again(made, n))
			return true;
	}
	if (!w->lost_us || w->shaky_until_us >= n->kept_us)
		return w->lost_us;
	for (unsigned i = 0; i < w->nb_hosts; i++) {
		if (w->hosts[i].fenced_us >= w->lost_us)
			return true;
	}
	return false;
}

// The store was lost, and another network has or had its name or VNI while it was filled again.
static bool net_was_anothers(struct truth *t, const struct net_promise *n)
{
	const struct net_promise *other;

	LIST_FOREACH (other, &t->w->nets, entry) {
		if (t->w->lost_us >= n->kept_us && strcmp(other->id, n->id) != 0 &&
			(!strcmp(other->name, n->name) || (other->vni && other->vni == n->vni)))
			return true;
	}
	return net_is_anothers(t->w, n->id, n->name, n->vni);
}

// The store was lost or set back after it was made, and of those who knew of it nobody could see
// that: the others had filled the store by then beyond what they knew.
static bool went_unnoticed(const struct world *w, const struct net_promise *n)
{
	for (unsigned i = 0; i < w->nb_hosts; i++) {
		const struct host *h = &w->hosts[i];
		bool forgot = h->forgot_us >= n->kept_us && (h->blank || h->read_us >= w->lost_us);

		if (!h->dead && !forgot && h->passed_us < w->lost_us)
			return false;
	}
	return w->lost_us >= n->kept_us;
}

static void check_net_promise(struct truth *t, const struct net_promise *n)
{
	bool there = net_by_id(t, n->id) != NULL;

	if (n->stop == STOP_DONE && there && !net_came_back(t, n))
		wrong(t, "network %s was removed, and is there", n->name);
	// Only those who know it put it back into a store that was lost.
	if (n->state == PROMISE_KEPT && !net_asked_to_go(t->w, n->id) && !there &&
		!(t->w->lost_us && (n->host->dead || n->host->forgot_us >= n->kept_us)) &&
		t->w->lost_twice_us < n->kept_us && !went_unnoticed(t->w, n) &&
		!net_was_anothers(t, n))
		wrong(t, "network %s (%s) was made by %s, and is not there", n->name, n->id,
			n->host->conf.host);
}

static bool nets_overlap(const struct network_record *a, const struct network_record *b)
{
	for (unsigned i = 0; i < a->nb_subnets * b->nb_subnets; i++) {
		if (cidr_overlap(&a->subnets[i / b->nb_subnets].cidr,
			    &b->subnets[i % b->nb_subnets].cidr))
			return true;
	}
	return false;
}

static void check_nets(struct truth *t)
{
	struct net_promise *n;

	for (unsigned i = 0; i < t->nb_nets; i++) {
		for (unsigned k = 0; k < i; k++) {
			const struct network_record *a = &t->nets[i], *b = &t->nets[k];

			if (a->vni == b->vni || !strcmp(a->id, b->id))
				wrong(t, "networks %s and %s have one VNI or id", a->name, b->name);
			// Both may have come from hosts that put back what they knew.
			if (!t->w->lost_us && nets_overlap(a, b))
				wrong(t, "networks %s and %s overlap", a->name, b->name);
		}
	}
	LIST_FOREACH (n, &t->w->nets, entry)
		check_net_promise(t, n);
}

// ---- blocks ----

static void check_blocks(struct truth *t)
{
	char text[CIDR_TEXT_BYTES];

	for (unsigned i = 0; i < t->nb_blocks; i++) {
		const struct block_record *b = &t->blocks[i];
		struct host *h = truth_host(t, b->owner);

		if (b->owner[0] && (!h || h->dead))
			wrong(t, "block %s is %s's, which is dead", cidr_format(&b->cidr, text),
				b->owner);
	}
}

// A host with containers in a network can connect another one while the store is away, unless no
// other host could give it an address.
static void check_share(struct truth *t, struct host *h, struct replica_net *net)
{
	struct ipam *pool = net->agent->pool[0];
	unsigned most = 0, block_size = ipam_block_size(pool);
	uint64_t now_us = t->w->tl.now_us;

	if (ipam_nb_free(pool, now_us))
		return;
	for (unsigned i = 0; i < t->w->nb_hosts; i++) {
		struct host *other = &t->w->hosts[i];
		struct replica_net *same =
			other->dead ? NULL : replica_net_by_id(&other->agent->replica, net->id);
		unsigned nb_free = 0, nb_idle = 0;
		struct replica_block *block;

		if (!same || !same->agent)
			continue;
		LIST_FOREACH (block, &same->blocks, of_net) {
			struct ipam_use use;

			if (agent_subnet_of(same, &block->rec.cidr.ip) != 0)
				continue;
			ipam_block_use(same->agent->pool[0], &block->rec.cidr.ip, now_us, &use);
			if (use.owner != IPAM_MINE)
				continue;
			nb_free += use.nb_free;
			nb_idle += use.idle && use.nb_free;
		}
		if (nb_idle)
			most = MAX_OF(most, nb_free);
	}
	if (ipam_nb_blocks(pool) || most > block_size)
		wrong(t,
			"%s has no free address in network %s; %llu blocks are free, and a host "
			"has %u addresses",
			h->conf.host, net->rec.name, (unsigned long long)ipam_nb_blocks(pool),
			most);
}

static void check_shares(struct truth *t)
{
	for (unsigned i = 0; i < t->w->nb_hosts; i++) {
		struct host *h = &t->w->hosts[i];
		struct replica_net *net = h->dead ? NULL : h->agent->replica.nets;

		for (; net; net = net->hh.next) {
			if (net->known && net->agent && !net->local && net->nb_local)
				check_share(t, h, net);
		}
	}
}

static void check_block_keys(struct truth *t)
{
	const struct store_data *d = sim_store_data(t->w->store);

	for (const struct store_key *key = d->keys; key; key = key->hh.next) {
		struct record_key parts;

		if (!key->value)
			continue;
		record_key_parse(key->key, &parts);
		if (parts.kind == RECORD_BLOCK && !net_by_id(t, parts.net))
			wrong(t, "%s is of a network that is gone", key->key);
	}
}

// ---- endpoints ----

static struct promise *promise_of(struct truth *t, const struct truth_ep *ep)
{
	const struct network_record *net = net_by_id(t, ep->net_id);
	struct promise *p;

	LIST_FOREACH (p, &t->w->promises, entry) {
		if (strcmp(p->container->sandbox, ep->rec.sandbox) != 0)
			continue;
		if (p->net_id[0] ? !strcmp(p->net_id, ep->net_id)
				 : net && !strcmp(p->network, net->name))
			return p;
	}
	return NULL;
}

// Every record is of a container that is alive on a host that is, and that was not refused.
static void check_record(struct truth *t, const struct truth_ep *ep)
{
	struct container *c = container_by_sandbox(t->w, ep->rec.sandbox);
	struct host *h = truth_host(t, ep->rec.host);
	struct promise *p = promise_of(t, ep);
	char ip[IP_TEXT_BYTES];

	ip_format(&ep->rec.ips[0].ip, ip);
	if (!net_by_id(t, ep->net_id))
		wrong(t, "endpoint %s (%s) is in a network that is gone", ep->rec.name, ip);
	else if (!h || h->dead)
		wrong(t, "endpoint %s (%s) is on %s, which is dead", ep->rec.name, ip,
			ep->rec.host);
	else if (check_steps_record(t, ep))
		return;
	else if (!c || !c->alive || c->host != h)
		wrong(t, "endpoint %s (%s) on %s is of a container that is dead (%s)", ep->rec.name,
			ip, ep->rec.host, ep->rec.sandbox);
	else if (!p || promise_is_over(p))
		wrong(t, "endpoint %s (%s) on %s was %s", ep->rec.name, ip, ep->rec.host,
			p && p->state == PROMISE_REFUSED ? "refused" : "disconnected");
}

static bool same_address(const struct endpoint_record *a, const struct endpoint_record *b)
{
	for (unsigned i = 0; i < a->nb_ips * b->nb_ips; i++) {
		if (ip_equal(&a->ips[i / b->nb_ips].ip, &b->ips[i % b->nb_ips].ip))
			return true;
	}
	return false;
}

static void check_unique(struct truth *t, unsigned i)
{
	const struct truth_ep *a = &t->eps[i];

	for (unsigned k = 0; k < i; k++) {
		const struct truth_ep *b = &t->eps[k];

		if (!strcmp(a->rec.id, b->rec.id))
			wrong(t, "endpoint %s is there twice", a->rec.name);
		if (strcmp(a->net_id, b->net_id) != 0)
			continue;
		if (same_address(&a->rec, &b->rec))
			wrong(t, "%s on %s and %s on %s have one address", a->rec.name, a->rec.host,
				b->rec.name, b->rec.host);
		if (!memcmp(&a->rec.mac, &b->rec.mac, sizeof(struct mac)))
			wrong(t, "%s on %s and %s on %s have one MAC address", a->rec.name,
				a->rec.host, b->rec.name, b->rec.host);
	}
}

static const struct truth_ep *record_of(struct truth *t, const struct promise *p)
{
	for (unsigned i = 0; i < t->nb_eps; i++) {
		if (!strcmp(t->eps[i].rec.sandbox, p->container->sandbox) &&
			!strcmp(t->eps[i].net_id, p->net_id))
			return &t->eps[i];
	}
	return NULL;
}

static bool somebody_has(struct truth *t, const struct promise *p)
{
	for (unsigned i = 0; i < t->nb_eps; i++) {
		if (!strcmp(t->eps[i].net_id, p->net_id) && same_address(&t->eps[i].rec, &p->rec) &&
			strcmp(t->eps[i].rec.sandbox, p->container->sandbox) != 0)
			return true;
	}
	return false;
}

// It is off for a reason: somebody else has the address that was asked for, or every one there is.
static bool is_off(struct truth *t, const struct promise *p)
{
	struct local_endpoint *le = promise_endpoint(p);

	if (!le || !promise_may_move(p))
		return false;
	return (le->state == ENDPOINT_CONFLICT && somebody_has(t, p)) ||
	       (le->state == ENDPOINT_MOVED && somebody_has(t, p) && is_full_net(t, p->net_id));
}

static void check_kept(struct truth *t, const struct promise *p)
{
	const struct truth_ep *ep = record_of(t, p);
	char was[IP_TEXT_BYTES], is[IP_TEXT_BYTES];

	if (!ep && !net_by_id(t, p->net_id) && t->w->lost_us)
		return; // told by check_net_promise() if it should be there
	if (!ep && !is_off(t, p) && !promise_may_be_lost(p))
		wrong(t, "%s was connected to %s as %s on %s, and is not there",
			p->container->sandbox, p->network, ip_format(&p->rec.ips[0].ip, was),
			p->host->conf.host);
	if (ep && !ip_equal(&ep->rec.ips[0].ip, &p->rec.ips[0].ip) && !promise_may_move(p))
		wrong(t, "%s was connected to %s as %s, and is %s without need",
			p->container->sandbox, p->network, ip_format(&p->rec.ips[0].ip, was),
			ip_format(&ep->rec.ips[0].ip, is));
}

static void check_endpoints(struct truth *t)
{
	struct promise *p;

	for (unsigned i = 0; i < t->nb_eps; i++) {
		check_record(t, &t->eps[i]);
		check_unique(t, i);
	}
	LIST_FOREACH (p, &t->w->promises, entry) {
		if (promise_holds(p))
			check_kept(t, p);
	}
}

bool check_end(struct world *w, char *text, size_t len_bytes)
{
	struct truth *t = calloc(1, sizeof(*t));
	bool ok;

	if (!t)
		abort();
	*t = (struct truth){.w = w, .text = text, .len_bytes = len_bytes};
	read_store(t);
	check_nets(t);
	check_endpoints(t);
	check_steps(t);
	check_hosts(t);
	check_blocks(t);
	check_shares(t);
	check_block_keys(t);
	for (unsigned i = 0; i < w->nb_hosts && !t->failed; i++) {
		if (w->hosts[i].dead)
			continue;
		check_replica(t, &w->hosts[i]);
		check_switch(t, &w->hosts[i]);
		check_names(t, &w->hosts[i]);
	}
	ok = !t->failed;
	truth_fini(t);
	free(t);
	return ok;
}
