// SPDX-License-Identifier: BSD-3-Clause
// What people were told, and when they may find something else. An excuse names its cause, and the
// cause must have happened:
//
// An endpoint may get another address (one that was asked for: may be off while somebody else has
// it), if it or another one that had the same address
//	- was reported before the store had its record (the store was away: the answer says so), or
//	  never reported: its agent died, but may have kept it; or
//	- is of a host that was silent for so long that others gave its addresses away, or
//	- lived when the store was lost or set back;
// or if a container of its name asked for its address elsewhere while its host was silent.
// An endpoint may be lost, if its host lost its state folder and
//	- the store did not have the record then, or was lost before the host had read it again, or
//	- the host was silent for so long that others deleted the record, or
//	- a container of its name asked for its address elsewhere, and the store had that record
//	  when the host read it again, or
//	- the host has another address than its record says;
// or if its network's name or VNI was another network's since the store was lost or set back.
// An endpoint that was refused or disconnected may come back, if its host lost its state folder
// while the store still had the record (it was away), or before the host had read a store that was
// set back. Whatever was asked to go may be there or not until the answer comes; and when the agent
// died before it answered, for good.
#include "tests/sim/promise.h"
#include "tests/sim/steps.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LATE_US	     (10 * S_US) // a write may arrive so long after it was given up
#define TAKE_OVER_US (5 * S_US)	 // a record that was refused may be in the store so much longer
#define LOOK_US	     S_US	 // hosts are looked at more often

// ---- connections ----

struct local_endpoint *promise_endpoint(const struct promise *p)
{
	struct local_endpoint *le = p->host->agent ? p->host->agent->endpoints : NULL;

	for (; le; le = le->hh.next) {
		if (!strcmp(le->rec.sandbox, p->container->sandbox) &&
			!strcmp(le->net->id, p->net_id) && !endpoint_is_ending(le))
			return le;
	}
	return NULL;
}

void promise_update(struct promise *p, const struct local_endpoint *le)
{
	p->rec = le->rec;
	p->rec.aliases = NULL;
	p->rec.nb_aliases = 0;
	p->rec.options = NULL;
}

bool promise_in_store(const struct promise *p)
{
	char key[RECORD_KEY_BYTES];
	const struct store_key *found;

	record_key_endpoint(key, p->net_id, &p->rec.ips[0].ip);
	found = store_data_get(sim_store_data(p->w->store), key);
	return found && strstr(found->value->data, p->rec.id);
}

// Somebody who had the address before the store knew of it has come back.
static bool is_anothers(const struct promise *p)
{
	char key[RECORD_KEY_BYTES];

	record_key_endpoint(key, p->net_id, &p->rec.ips[0].ip);
	return store_data_get(sim_store_data(p->w->store), key) && !promise_in_store(p);
}

// Whoever has a number later wins over whoever had it before: none is given twice, unless the host
// forgot which it gave.
static void check_seq(const struct promise *p)
{
	const struct promise *q;

	LIST_FOREACH (q, &p->w->promises, entry) {
		if (q != p && q->host == p->host && q->rec.seq == p->rec.seq &&
			q->kept_us > p->host->forgot_us)
			world_fail(p->w, "%s: %s and %s have one number, %llu", p->host->conf.host,
				q->container->sandbox, p->container->sandbox,
				(unsigned long long)p->rec.seq);
	}
}

static void connected(struct promise *p, json_t *result)
{
	struct world *w = p->w;
	struct replica_net *net = replica_net_by_name(&p->host->agent->replica, p->network);
	struct local_endpoint *le;
	char text[IP_TEXT_BYTES];

	p->state = PROMISE_KEPT;
	p->kept_us = w->tl.now_us;
	if (net)
		snprintf(p->net_id, ID_BYTES, "%s", net->id);
	le = promise_endpoint(p);
	if (!le) {
		world_fail(w, "%s: %s is connected to %s, it says, but has no endpoint",
			p->host->conf.host, p->container->sandbox, p->network);
		return;
	}
	promise_update(p, le);
	check_seq(p);
	p->vni = le->net->rec.vni;
	p->was_stored = promise_in_store(p);
	world_trace(w, "%s: %s is connected to %s as %s%s", p->host->conf.host,
		p->container->sandbox, p->network, ip_format(&p->rec.ips[0].ip, text),
		json_object_get(result, "warning") ? " (not in the store)" : "");
	if (!p->was_stored && !is_anothers(p) && !json_object_get(result, "warning") &&
		w->tl.now_us > w->lost_us + 5 * S_US)
		world_fail(w, "%s: %s is connected to %s, it says, but is not in the store",
			p->host->conf.host, p->container->sandbox, p->network);
}

static void on_connected(void *arg, int rc, json_t *result, const struct err *err)
{
	struct promise *p = arg;

	if (rc == 0) {
		connected(p, result);
		return;
	}
	p->state = rc == -ESHUTDOWN ? PROMISE_UNSURE : PROMISE_REFUSED;
	p->ended_us = p->w->tl.now_us;
	world_trace(p->w, "%s: %s is not connected to %s: %s: %s", p->host->conf.host,
		p->container->sandbox, p->network, err->path, err->reason);
}

void promise_connect(struct host *h, struct container *c, const char *network,
	const struct ip_addr *ip, const char *alias)
{
	struct promise *p = calloc(1, sizeof(*p));
	struct connect_spec spec = {.network = network,
		.name = c->name,
		.sandbox = c->sandbox,
		.aliases = &alias,
		.nb_aliases = alias != NULL};
	char text[IP_TEXT_BYTES] = "";

	if (!p)
		abort();
	p->w = h->w;
	p->host = h;
	p->container = c;
	p->asked_us = h->w->tl.now_us;
	snprintf(p->network, sizeof(p->network), "%s", network);
	if (ip) {
		spec.ips[0] = *ip;
		p->rec.ips[p->rec.nb_ips++].ip = *ip;
	}
	// A MAC of its own now and then: then that of an address is not always the same.
	if (sim_chance(&h->w->random, 15)) {
		spec.has_mac = true;
		spec.mac = (struct mac){.byte = {0x0a, 0, 0, 0, c->cookie >> 8, c->cookie}};
		spec.mac.byte[3] = ++h->w->last_mac;
		spec.mac.byte[2] = h->w->last_mac >> 8;
	}
	LIST_INSERT_HEAD(&h->w->promises, p, entry);
	world_trace(h->w, "%s: connect %s to %s %s", h->conf.host, c->sandbox, network,
		ip ? ip_format(ip, text) : "");
	agent_connect(h->agent, &spec, on_connected, p);
}

static void on_disconnected(void *arg, int rc, json_t *result, const struct err *err)
{
	struct promise *p = arg;

	world_trace(p->w, "%s: %s is %sdisconnected from %s %s", p->host->conf.host,
		p->container->sandbox, rc < 0 ? "not " : "", p->network, rc < 0 ? err->reason : "");
	p->ended_us = p->w->tl.now_us;
	if (rc == 0)
		p->stop = STOP_DONE;
	else if (rc == -EBUSY)
		p->stop = STOP_NONE;
	else
		p->stop = STOP_UNSURE;
	if (rc == -ENOENT && promise_endpoint(p))
		world_fail(p->w, "%s: %s is not known in %s, it says, but is", p->host->conf.host,
			p->container->sandbox, p->network);
}

void promise_disconnect(struct promise *p)
{
	world_trace(p->w, "%s: disconnect %s from %s", p->host->conf.host, p->container->sandbox,
		p->network);
	p->stop = STOP_ASKED;
	agent_disconnect(p->host->agent, p->network, p->container->name, false, on_disconnected, p);
}

bool promise_is_over(const struct promise *p)
{
	return p->state == PROMISE_REFUSED || p->stop == STOP_DONE || !p->container->alive ||
	       p->host->dead;
}

bool promise_holds(const struct promise *p)
{
	return p->state == PROMISE_KEPT && p->stop == STOP_NONE && p->container->alive &&
	       !p->host->dead && !net_asked_to_go(p->w, p->net_id);
}

static bool was_fenced(const struct promise *p)
{
	const struct host *h = p->host;

	return h->fenced_us >= p->kept_us && h->fenced_us;
}

static bool is_doubtful(const struct promise *p)
{
	return !p->was_stored || was_fenced(p) || p->w->lost_us;
}

// Its agent died before it said which address it got, but may have kept it.
static void follow_unsure(struct promise *p)
{
	struct local_endpoint *le = p->host->agent ? p->host->agent->endpoints : NULL;

	for (; le && p->state == PROMISE_UNSURE; le = le->hh.next) {
		if (!strcmp(le->rec.sandbox, p->container->sandbox) &&
			!strcmp(le->net->rec.name, p->network))
			promise_update(p, le);
	}
}

static bool shares_address(const struct promise *a, const struct promise *b)
{
	if (a->net_id[0] && b->net_id[0] ? strcmp(a->net_id, b->net_id) != 0
					 : strcmp(a->network, b->network) != 0)
		return false;
	for (unsigned i = 0; i < a->rec.nb_ips * b->rec.nb_ips; i++) {
		if (ip_equal(&a->rec.ips[i / b->rec.nb_ips].ip, &b->rec.ips[i % b->rec.nb_ips].ip))
			return true;
	}
	return false;
}

// A container of its name asked for its address on another host while its own was silent.
static bool takes_over(const struct promise *q, const struct promise *p)
{
	// One that is refused in the end may have had its record in the store until then.
	bool was_there =
		q->state != PROMISE_REFUSED || q->ended_us + TAKE_OVER_US >= p->w->tl.now_us;

	return q != p && was_there && shares_address(p, q) && q->host != p->host &&
	       !strcmp(q->container->name, p->container->name) && p->host->absent_us &&
	       p->host->absent_us + LOOK_US >= q->asked_us;
}

bool promise_is_taken_over(const struct promise *p)
{
	const struct promise *q;

	LIST_FOREACH (q, &p->w->promises, entry) {
		if (takes_over(q, p))
			return true;
	}
	return false;
}

bool promise_may_move(const struct promise *p)
{
	struct promise *q;

	if (is_doubtful(p) || promise_is_taken_over(p) ||
		steps_may_win(p->w, p->net_id, &p->rec.ips[0].ip))
		return true;
	LIST_FOREACH (q, &p->w->promises, entry) {
		follow_unsure(q);
		if (q != p && q->state != PROMISE_REFUSED && shares_address(p, q) && is_doubtful(q))
			return true;
	}
	return false;
}

bool promises_may_win(struct world *w, const char *net_id, const struct ip_addr *ip)
{
	const struct promise *q;

	LIST_FOREACH (q, &w->promises, entry) {
		if (q->state == PROMISE_REFUSED || strcmp(q->net_id, net_id) != 0 ||
			!is_doubtful(q))
			continue;
		for (unsigned i = 0; i < q->rec.nb_ips; i++) {
			if (ip_equal(&q->rec.ips[i].ip, ip))
				return true;
		}
	}
	return false;
}

bool net_is_anothers(struct world *w, const char *id, const char *name, uint32_t vni)
{
	const struct store_data *d = sim_store_data(w->store);
	struct network_record rec;
	struct record_key parts;
	bool found = false;

	for (const struct store_key *key = d->keys; key && w->lost_us && !found;
		key = key->hh.next) {
		if (!key->value)
			continue;
		record_key_parse(key->key, &parts);
		if (parts.kind != RECORD_NETWORK || network_record_parse(key->key, key->value->data,
							    key->value->len_bytes, &rec, NULL) < 0)
			continue;
		found = strcmp(rec.id, id) != 0 && (!strcmp(rec.name, name) || rec.vni == vni);
		network_record_fini(&rec);
	}
	return found;
}

bool promise_may_be_lost(const struct promise *p)
{
	return p->lost_ok || net_is_anothers(p->w, p->net_id, p->network, p->vni) ||
	       (p->host->forgot_us >= p->kept_us && was_fenced(p));
}

static bool sandbox_in_store(const struct promise *p)
{
	const struct store_data *d = sim_store_data(p->w->store);
	char text[sizeof(p->container->sandbox) + 2];

	snprintf(text, sizeof(text), "\"%s\"", p->container->sandbox);
	for (const struct store_key *key = d->keys; key; key = key->hh.next) {
		if (key->value && strstr(key->value->data, text))
			return true;
	}
	return false;
}

// Its end, of which the store does not know, is forgotten: it may come back.
static void forget_end(struct promise *p)
{
	if (p->state == PROMISE_REFUSED)
		p->state = PROMISE_UNSURE;
	if (p->stop == STOP_DONE)
		p->stop = STOP_UNSURE;
}

// Its record says another address: it will not be taken for the same machine.
static bool is_elsewhere(const struct host *h)
{
	struct host_record rec;

	return host_recorded(h, &rec) && !ip_equal(&rec.vtep, &h->vtep);
}

void promises_forget(struct host *h)
{
	uint64_t now_us = h->w->tl.now_us;
	struct promise *p;

	LIST_FOREACH (p, &h->w->promises, entry) {
		if (p->host == h && (!promise_in_store(p) || is_elsewhere(h)))
			p->lost_ok = true;
		if (p->host == h && (sandbox_in_store(p) || p->ended_us + LATE_US >= now_us))
			forget_end(p);
	}
}

void promises_blank(struct host *h)
{
	struct promise *p;

	LIST_FOREACH (p, &h->w->promises, entry) {
		if (p->host == h && p->state == PROMISE_KEPT && p->kept_us <= h->forgot_us &&
			!promise_in_store(p) && promise_is_taken_over(p))
			p->lost_ok = true;
	}
}

void promises_moved(struct host *h)
{
	struct promise *p;

	LIST_FOREACH (p, &h->w->promises, entry)
		p->lost_ok |= p->host == h && h->blank;
}

void promises_store_lost(struct world *w)
{
	struct promise *p;

	LIST_FOREACH (p, &w->promises, entry) {
		if (!p->host->blank)
			continue;
		p->lost_ok = true;
		forget_end(p);
	}
}

// ---- networks ----

static void on_created(void *arg, int rc, json_t *result, const struct err *err)
{
	struct net_promise *n = arg;
	struct replica_net *net;

	world_trace(n->w, "%s: network %s is %smade %s", n->host->conf.host, n->name,
		rc < 0 ? "not " : "", rc < 0 ? err->reason : "");
	n->state = rc == 0 ? PROMISE_KEPT : rc == -EEXIST ? PROMISE_REFUSED : PROMISE_UNSURE;
	n->kept_us = n->w->tl.now_us;
	if (rc < 0)
		return;
	snprintf(n->id, ID_BYTES, "%s", json_string_value(json_object_get(result, "id")));
	net = replica_net_by_id(&n->host->agent->replica, n->id);
	n->vni = net ? net->rec.vni : 0;
	if (!net && !net_asked_to_go(n->w, n->id))
		world_fail(n->w, "%s: network %s is made, it says, but it does not know it",
			n->host->conf.host, n->name);
}

void promise_create(struct host *h, const char *network, const char *subnet, bool ipv6)
{
	struct net_promise *n = calloc(1, sizeof(*n));
	struct network_record want = {
		.ipv6 = ipv6, .labels = json_object(), .options = json_object()};
	struct subnet sub = {0};

	if (!n)
		abort();
	n->w = h->w;
	n->host = h;
	snprintf(n->name, NAME_BYTES, "%s", network);
	LIST_INSERT_HEAD(&h->w->nets, n, entry);
	snprintf(want.name, NAME_BYTES, "%s", network);
	snprintf(want.driver, sizeof(want.driver), "overlay");
	if (subnet) {
		bool is_old = !strncmp(subnet, "old ", 4);

		cidr_parse(subnet + (is_old ? 4 : 0), &sub.cidr);
		if (is_old)
			sub.block_prefix = ipam_block_prefix_first(&sub.cidr);
		want.subnets = &sub;
		want.nb_subnets = 1;
	}
	world_trace(h->w, "%s: create network %s %s", h->conf.host, network, subnet ? subnet : "");
	agent_network_create(h->agent, &want, on_created, n);
	json_decref(want.labels);
	json_decref(want.options);
}

static bool is_ended(const struct promise *p)
{
	return p->stop != STOP_NONE || !p->container->alive || p->host->dead ||
	       !promise_in_store(p);
}

// An endpoint of the network that the host knows: it has to refuse.
static const struct promise *find_use(struct host *h, const struct replica_net *net)
{
	const struct promise *p;
	char key[RECORD_KEY_BYTES];

	LIST_FOREACH (p, &h->w->promises, entry) {
		if (!promise_holds(p) || is_ended(p) || strcmp(p->net_id, net->id) != 0)
			continue;
		record_key_endpoint(key, p->net_id, &p->rec.ips[0].ip);
		if (p->host == h || replica_endpoint(&h->agent->replica, key))
			return p;
	}
	return NULL;
}

static void on_net_removed(void *arg, int rc, json_t *result, const struct err *err)
{
	struct net_promise *n = arg;

	world_trace(n->w, "%s: network %s is %sremoved %s", n->host->conf.host, n->name,
		rc < 0 ? "not " : "", rc < 0 ? err->reason : "");
	n->stop = rc == 0 ? STOP_DONE : rc == -EBUSY ? STOP_NONE : STOP_UNSURE;
	if (rc == -EBUSY)
		n->state = PROMISE_REFUSED;
	if (rc == 0 && n->used_by && !is_ended(n->used_by) && n->w->lost_us < n->used_by->kept_us)
		world_fail(n->w, "%s: network %s is removed, it says, but has %s on %s",
			n->host->conf.host, n->name, n->used_by->container->sandbox,
			n->used_by->host->conf.host);
	n->kept_us = n->w->tl.now_us;
}

// A promise of its own: whoever made it does not matter.
void promise_remove(struct host *h, const char *network)
{
	struct replica_net *net = replica_net_by_name(&h->agent->replica, network);
	struct net_promise *n;

	if (!net || net->local)
		return;
	n = calloc(1, sizeof(*n));
	if (!n)
		abort();
	n->w = h->w;
	n->host = h;
	n->state = PROMISE_UNSURE;
	n->used_by = find_use(h, net);
	n->stop = STOP_ASKED;
	n->asked_us = h->w->tl.now_us;
	snprintf(n->name, NAME_BYTES, "%s", network);
	snprintf(n->id, ID_BYTES, "%s", net->id);
	LIST_INSERT_HEAD(&h->w->nets, n, entry);
	world_trace(h->w, "%s: remove network %s", h->conf.host, network);
	agent_network_rm(h->agent, network, false, on_net_removed, n);
}

bool net_asked_to_go(struct world *w, const char *id)
{
	struct net_promise *n;

	LIST_FOREACH (n, &w->nets, entry) {
		if (n->stop != STOP_NONE && !strcmp(n->id, id))
			return true;
	}
	return false;
}

void promises_free(struct world *w)
{
	struct promise *p;
	struct net_promise *n;

	while ((p = LIST_FIRST(&w->promises))) {
		LIST_REMOVE(p, entry);
		free(p);
	}
	while ((n = LIST_FIRST(&w->nets))) {
		LIST_REMOVE(n, entry);
		free(n);
	}
}
