// SPDX-License-Identifier: BSD-3-Clause
#include "tests/sim/steps.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/promise.h"

#define HELD_MAX 12 // addresses that are asked for are the first of their subnet

enum step { CREATE, JOIN, LEAVE, DELETE };

// A request; the answer may come when the endpoint was asked for something else.
struct step_call {
	struct step_ep *e;
	enum step step;
};

static struct local_endpoint *endpoint_of(const struct step_ep *e)
{
	if (!e->host->agent)
		return NULL;
	return e->name[0] ? agent_endpoint_by_caller(e->host->agent, e->id)
			  : agent_address_by_caller(e->host->agent, e->id);
}

static bool has_port(const struct step_ep *e, const struct local_endpoint *le)
{
	char name[32];

	snprintf(name, sizeof(name), RECONCILE_PREFIX "%.12s", le->rec.id);
	return fake_switch_port(e->host->sw, name);
}

static bool in_store(const struct step_ep *e, const struct local_endpoint *le)
{
	char key[RECORD_KEY_BYTES];
	const struct store_key *found;

	record_key_endpoint(key, e->net_id, &le->rec.ips[0].ip);
	found = store_data_get(sim_store_data(e->w->store), key);
	return found && strstr(found->value->data, le->rec.id);
}

// ---- answers ----

// What was chosen may be another host's who claimed it while the store was away, or lost it.
static bool may_move(const struct step_ep *e)
{
	return !e->was_stored || e->w->lost_us || e->host->fenced_us >= e->told_us;
}

// What it was told, or what it got since instead.
static bool has_ip(const struct step_ep *e, const struct ip_addr *ip)
{
	const struct local_endpoint *le = endpoint_of(e);

	return ip_equal(&e->ip, ip) || (le && ip_equal(&le->rec.ips[0].ip, ip));
}

// A host that is cut off gives out addresses of its blocks, which another host may have asked the
// store for: whose (epoch, sequence) is greater has it in the end.
static bool another_may_win(const struct step_ep *e)
{
	const struct step_ep *f;

	LIST_FOREACH (f, &e->w->steps, entry) {
		if (f != e && f->host != e->host && !strcmp(f->net_id, e->net_id) &&
			has_ip(f, &e->ip) && may_move(f))
			return true;
	}
	return promises_may_win(e->w, e->net_id, &e->ip);
}

static void created(struct step_ep *e, json_t *result)
{
	struct local_endpoint *le = endpoint_of(e);
	bool again = e->created == STEP_DONE;
	bool same_net = le && !strcmp(e->net_id, le->net->id); // else its network was made anew

	if (!le) {
		world_fail(e->w, "%s: %s is created, it says, but is not known", e->host->conf.host,
			e->id);
		return;
	}
	snprintf(e->net_id, ID_BYTES, "%s", le->net->id);
	if (again && same_net && !ip_equal(&e->ip, &le->rec.ips[0].ip) && !may_move(e) &&
		!another_may_win(e))
		world_fail(e->w, "%s: %s has another address when it is asked for again",
			e->host->conf.host, e->id);
	if (e->asked.family && !ip_equal(&e->asked, &le->rec.ips[0].ip))
		world_fail(e->w, "%s: %s has not the address that was asked for",
			e->host->conf.host, e->id);
	e->created = STEP_DONE;
	e->ip = le->rec.ips[0].ip;
	if (!again)
		e->told_us = e->w->tl.now_us;
	e->was_stored = in_store(e, le);
}

static void joined(struct step_ep *e)
{
	struct local_endpoint *le = endpoint_of(e);

	e->joined = STEP_DONE;
	e->left = STEP_NEVER;
	if (!le || (le->state != ENDPOINT_UP && e->container->alive))
		world_fail(e->w, "%s: %s has joined, it says, but is not up", e->host->conf.host,
			e->id);
	// After a switch was away, its ports come back by and by.
	else if (fake_switch_is_up(e->host->sw) && e->container->alive &&
		 reconcile_is_settled(e->host->agent->rec) && !has_port(e, le))
		world_fail(e->w, "%s: %s has joined, it says, but has no port", e->host->conf.host,
			e->id);
}

// A port of before a restart goes when the switch is listed; another request may have joined it
// again.
static void left(struct step_ep *e, json_t *result)
{
	struct local_endpoint *le = endpoint_of(e);
	bool is_sure = json_is_true(json_object_get(result, "left")) && !e->busy;

	e->left = STEP_DONE;
	e->joined = STEP_NEVER;
	if (is_sure && le && (endpoint_is_inside(le) || has_port(e, le)))
		world_fail(e->w, "%s: %s has left, it says, but is still there", e->host->conf.host,
			e->id);
}

static void deleted(struct step_ep *e)
{
	struct local_endpoint *le;

	e->deleted = STEP_DONE;
	if (endpoint_of(e))
		world_fail(e->w, "%s: %s is deleted, it says, but is still known",
			e->host->conf.host, e->id);
	// One whose folder was lost knows it as connected, and not by the id.
	for (le = e->host->agent->endpoints; le && e->name[0] && !e->forgotten; le = le->hh.next) {
		if (!strcmp(le->rec.name, e->name))
			world_fail(e->w, "%s: %s is deleted, it says, but something is left",
				e->host->conf.host, e->id);
	}
}

static enum step_state failed_state(enum step_state before, int rc)
{
	if (rc == -ESHUTDOWN || rc == -ETIMEDOUT || before == STEP_UNSURE)
		return STEP_UNSURE;
	return before == STEP_DONE ? STEP_DONE : STEP_REFUSED;
}

static void on_done(void *arg, int rc, json_t *result, const struct err *err)
{
	static const char *const names[] = {"create", "join", "leave", "delete"};
	struct step_call *call = arg;
	struct step_ep *e = call->e;
	enum step_state *states[] = {&e->created, &e->joined, &e->left, &e->deleted};

	e->busy--;
	world_trace(e->w, "%s: %s %s: %s", e->host->conf.host, names[call->step], e->id,
		rc == 0 ? "done" : err->reason);
	if (rc < 0)
		*states[call->step] = failed_state(*states[call->step], rc);
	else if (call->step == CREATE)
		created(e, result);
	else if (call->step == JOIN)
		joined(e);
	else if (call->step == LEAVE)
		left(e, result);
	else
		deleted(e);
	free(call);
}

// ---- requests ----

static struct step_call *call_new(struct step_ep *e, enum step step)
{
	struct step_call *call = calloc(1, sizeof(*call));

	if (!call)
		abort();
	*call = (struct step_call){e, step};
	e->busy++;
	return call;
}

static void ask_create(struct step_ep *e)
{
	struct connect_spec spec = {.network = e->network, .name = e->name};
	const struct address_spec address = {.network = e->network, .ip = e->asked};

	if (e->created == STEP_NEVER)
		e->created = STEP_ASKED;
	if (!e->name[0]) {
		agent_address_request(
			e->host->agent, e->id, &address, on_done, call_new(e, CREATE));
		return;
	}
	spec.ips[0] = e->asked;
	agent_endpoint_create(e->host->agent, e->id, &spec, on_done, call_new(e, CREATE));
}

static void ask_join(struct step_ep *e)
{
	const struct join_spec spec = {.sandbox = e->container->sandbox};

	if (e->joined == STEP_NEVER || e->joined == STEP_REFUSED)
		e->joined = STEP_ASKED;
	agent_endpoint_join(e->host->agent, e->id, &spec, on_done, call_new(e, JOIN));
}

static void ask_leave(struct step_ep *e)
{
	e->left = STEP_ASKED;
	agent_endpoint_leave_by_id(e->host->agent, e->id, true, on_done, call_new(e, LEAVE));
}

static void ask_delete(struct step_ep *e)
{
	if (e->deleted == STEP_NEVER)
		e->deleted = STEP_ASKED;
	if (e->name[0])
		agent_endpoint_delete(e->host->agent, e->id, true, on_done, call_new(e, DELETE));
	else
		agent_address_release(e->host->agent, e->id, true, on_done, call_new(e, DELETE));
}

// ---- what people do ----

// Mostly one that the host knows.
static void choose_network(struct host *h, char network[NAME_BYTES])
{
	for (unsigned i = 0; i < 4; i++) {
		snprintf(network, NAME_BYTES, "n%u",
			(unsigned)sim_below(&h->w->random, WORLD_NETWORKS));
		if (replica_net_by_name(&h->agent->replica, network))
			return;
	}
}

static struct step_ep *step_new(struct host *h, const char *kind)
{
	struct step_ep *e = calloc(1, sizeof(*e));
	struct world *w = h->w;

	if (!e)
		abort();
	e->w = w;
	e->host = h;
	snprintf(e->id, sizeof(e->id), "%s%u", kind, ++w->last_step);
	choose_network(h, e->network);
	LIST_INSERT_HEAD(&w->steps, e, entry);
	return e;
}

static struct host *any_agent(struct world *w)
{
	struct host *h = &w->hosts[sim_below(&w->random, w->nb_hosts)];

	return h->dead || !h->agent ? NULL : h;
}

// One that is there, as far as its caller knows, and whose agent answers.
static struct step_ep *any_step(struct world *w, bool named)
{
	struct step_ep *e, *found = NULL;
	unsigned count = 0;

	LIST_FOREACH (e, &w->steps, entry) {
		if (e->host->agent && !e->busy && e->created == STEP_DONE &&
			e->deleted == STEP_NEVER && (!named || e->name[0]) &&
			!sim_below(&w->random, ++count))
			found = e;
	}
	return found;
}

void steps_address(struct world *w)
{
	struct host *h = any_agent(w);
	struct replica_net *net;
	struct step_ep *e;

	if (!h)
		return;
	e = step_new(h, "a");
	net = replica_net_by_name(&h->agent->replica, e->network);
	if (net && net->rec.nb_subnets && net->rec.subnets[0].cidr.ip.family == 4 &&
		sim_chance(&w->random, 40))
		e->asked =
			ip_add(&net->rec.subnets[0].cidr.ip, sim_between(&w->random, 1, HELD_MAX));
	ask_create(e);
}

static bool is_used(struct world *w, const struct step_ep *held)
{
	struct step_ep *e;

	LIST_FOREACH (e, &w->steps, entry) {
		if (e->of == held)
			return true;
	}
	return false;
}

void steps_create(struct world *w)
{
	struct step_ep *held = any_step(w, false), *e;
	struct host *h = any_agent(w);

	if (held && (held->name[0] || held->ip.family != 4 || is_used(w, held) ||
			    sim_chance(&w->random, 30)))
		held = NULL;
	h = held ? held->host : h;
	if (!h)
		return;
	e = step_new(h, "s");
	snprintf(e->name, sizeof(e->name), "%s", e->id);
	if (held) {
		e->of = held;
		e->asked = held->ip;
		memcpy(e->network, held->network, sizeof(e->network));
	}
	ask_create(e);
}

void steps_join(struct world *w)
{
	struct step_ep *e = any_step(w, true);

	if (!e || e->joined == STEP_DONE || e->joined == STEP_UNSURE)
		return;
	e->container = container_new(e->host, e->name);
	ask_join(e);
}

void steps_leave(struct world *w)
{
	struct step_ep *e = any_step(w, true);

	if (e && e->container)
		ask_leave(e);
}

void steps_delete(struct world *w)
{
	struct step_ep *e = any_step(w, false);

	if (e)
		ask_delete(e);
}

void steps_again(struct world *w)
{
	struct step_ep *e, *found = NULL;
	unsigned count = 0;

	LIST_FOREACH (e, &w->steps, entry) {
		if (e->host->agent && !e->forgotten && !sim_below(&w->random, ++count))
			found = e;
	}
	if (!found)
		return;
	if (found->deleted != STEP_NEVER)
		ask_delete(found);
	else if (found->left == STEP_ASKED || found->left == STEP_UNSURE)
		ask_leave(found);
	else if (found->container && found->joined != STEP_REFUSED && found->left == STEP_NEVER)
		ask_join(found);
	else
		ask_create(found);
}

void steps_kill(struct world *w)
{
	struct step_ep *e = any_step(w, true);

	if (e && e->container)
		container_kill(w, e->container);
}

bool steps_may_win(const struct world *w, const char *net_id, const struct ip_addr *ip)
{
	const struct step_ep *e;

	LIST_FOREACH (e, &w->steps, entry) {
		if (e->created == STEP_UNSURE ||
			(ip_equal(&e->ip, ip) && may_move(e) && !strcmp(e->net_id, net_id)))
			return true;
	}
	return false;
}

void steps_forget(struct host *h)
{
	struct step_ep *e;

	LIST_FOREACH (e, &h->w->steps, entry)
		e->forgotten |= e->host == h;
}

void steps_free(struct world *w)
{
	struct step_ep *e;

	while ((e = LIST_FIRST(&w->steps))) {
		LIST_REMOVE(e, entry);
		free(e);
	}
}

// ---- checks ----

static bool shares_address(const struct endpoint_record *a, const struct endpoint_record *b)
{
	for (unsigned i = 0; i < a->nb_ips * b->nb_ips; i++) {
		if (ip_equal(&a->ips[i / b->nb_ips].ip, &b->ips[i % b->nb_ips].ip))
			return true;
	}
	return false;
}

static void check_host(struct world *w, const struct host *h)
{
	struct local_endpoint *a, *b;

	for (a = h->agent->endpoints; a; a = a->hh.next) {
		for (b = a->hh.next; b; b = b->hh.next) {
			if (a->net == b->net && !endpoint_is_ending(a) && !endpoint_is_ending(b) &&
				shares_address(&a->rec, &b->rec))
				world_fail(w, "%s: %s (%s) and %s (%s) have one address",
					h->conf.host, a->rec.name, endpoint_state_name(a),
					b->rec.name, endpoint_state_name(b));
		}
	}
}

void check_steps_running(struct world *w)
{
	for (unsigned i = 0; i < w->nb_hosts; i++) {
		if (w->hosts[i].agent)
			check_host(w, &w->hosts[i]);
	}
}

static bool is_its(const struct step_ep *e, const struct truth_ep *ep)
{
	if (strcmp(e->host->conf.host, ep->rec.host) != 0)
		return false;
	if (e->name[0])
		return !strcmp(e->name, ep->rec.name);
	return !ep->rec.name[0] &&
	       (e->created != STEP_DONE || ip_equal(&e->ip, &ep->rec.ips[0].ip));
}

// `deleted`: nothing of it may be left.
static bool is_over(const struct step_ep *e)
{
	bool refused = e->created == STEP_REFUSED || e->created == STEP_NEVER;

	return !e->forgotten && (refused || e->deleted == STEP_DONE);
}

bool check_steps_record(struct truth *t, const struct truth_ep *ep)
{
	struct container *c = container_by_sandbox(t->w, ep->rec.sandbox);
	struct step_ep *e, *found = NULL;
	char text[IP_TEXT_BYTES];

	LIST_FOREACH (e, &t->w->steps, entry) {
		if (is_its(e, ep) && (!found || is_over(found)))
			found = e;
	}
	if (!found)
		return false;
	if (is_over(found))
		wrong(t, "%s on %s is over, and its record (%s) is there", found->id, ep->rec.host,
			ip_format(&ep->rec.ips[0].ip, text));
	else if (ep->rec.sandbox[0] && (!c || !c->alive))
		wrong(t, "%s on %s is in a container that is dead (%s)", found->id, ep->rec.host,
			ep->rec.sandbox);
	else if (ep->rec.sandbox[0] && found->joined == STEP_NEVER && !found->forgotten)
		wrong(t, "%s on %s has left, and its record says %s", found->id, ep->rec.host,
			ep->rec.sandbox);
	return true;
}

// It was told of and nobody asked for its end; nothing happened that may have taken it away.
static bool must_be(const struct step_ep *e)
{
	return e->created == STEP_DONE && e->deleted == STEP_NEVER && !e->host->dead &&
	       !e->forgotten && !may_move(e) && !another_may_win(e) &&
	       !net_asked_to_go(e->w, e->net_id);
}

static void check_one(struct truth *t, const struct step_ep *e)
{
	const struct truth_ep *found = NULL;
	char text[IP_TEXT_BYTES];

	for (unsigned i = 0; i < t->nb_eps; i++) {
		const struct truth_ep *ep = &t->eps[i];

		if (!strcmp(ep->net_id, e->net_id) && !strcmp(ep->rec.host, e->host->conf.host) &&
			ip_equal(&ep->rec.ips[0].ip, &e->ip) &&
			(!e->name[0] || !strcmp(ep->rec.name, e->name)))
			found = ep;
	}
	if (!found)
		wrong(t, "%s was told that it has %s in %s on %s, and it has not", e->id,
			ip_format(&e->ip, text), e->network, e->host->conf.host);
	else if (e->name[0] && e->joined == STEP_DONE && e->left == STEP_NEVER &&
		 e->container->alive && strcmp(found->rec.sandbox, e->container->sandbox) != 0)
		wrong(t, "%s has joined %s, and its record says '%s'", e->id, e->container->sandbox,
			found->rec.sandbox);
}

void check_steps(struct truth *t)
{
	struct step_ep *e;

	LIST_FOREACH (e, &t->w->steps, entry) {
		if (must_be(e))
			check_one(t, e);
	}
}
