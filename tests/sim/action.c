// SPDX-License-Identifier: BSD-3-Clause
// What people and accidents do. Each seed has some kinds of accidents only, so that there are also
// runs in which one kind is all there is.
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "tests/sim/promise.h"
#include "tests/sim/steps.h"
#include "tests/sim/world.h"

#define OUTAGE_MAX_US  (20 * S_US)
#define LONG_OUTAGE_US (60 * S_US)
#define SHAKY_US       (2 * WORLD_GRACE_S * S_US)
#define FIRST_VERSION  "old " // with the blocks of networks of the first version
#define ASKED_MAX      12     // addresses that are asked for are the first of their subnet

static struct host *any_host(struct world *w)
{
	for (unsigned i = 0; i < 8; i++) {
		struct host *h = &w->hosts[sim_below(&w->random, w->nb_hosts)];

		if (!h->dead && h->agent)
			return h;
	}
	return NULL;
}

static struct host *any_living(struct world *w)
{
	for (unsigned i = 0; i < 8; i++) {
		struct host *h = &w->hosts[sim_below(&w->random, w->nb_hosts)];

		if (!h->dead)
			return h;
	}
	return NULL;
}

static uint64_t outage_us(struct world *w)
{
	return sim_chance(&w->random, 20)   ? sim_below(&w->random, LONG_OUTAGE_US)
	       : sim_chance(&w->random, 50) ? sim_below(&w->random, OUTAGE_MAX_US)
					    : sim_below(&w->random, S_US);
}

static const char *net_name(struct world *w, char name[NAME_BYTES])
{
	snprintf(name, NAME_BYTES, "n%u", (unsigned)sim_below(&w->random, WORLD_NETWORKS));
	return name;
}

// ---- what people do ----

static void create(struct world *w)
{
	static const char *const subnets[] = {NULL, NULL, NULL, "172.16.0.0/27", "172.16.0.0/24",
		"172.16.1.0/28", "fd11::/64",
		// Of the first two there are fewer addresses, and of the last one fewer blocks,
		// than hosts.
		"172.16.2.0/29", "172.16.2.8/30", FIRST_VERSION "172.16.3.0/28"};
	const char *subnet = subnets[sim_below(&w->random, ARRAY_SIZE(subnets))];
	bool ipv6 = sim_chance(&w->random, 20);
	unsigned times = sim_chance(&w->random, 25) ? sim_between(&w->random, 2, 4) : 1;
	bool same_name = sim_chance(&w->random, 50);
	char name[NAME_BYTES];

	net_name(w, name);
	for (unsigned i = 0; i < times; i++) {
		struct host *h = any_host(w);

		if (!same_name)
			net_name(w, name);
		if (h)
			promise_create(h, name, subnet, ipv6 || (subnet && strchr(subnet, ':')));
	}
}

static void remove_net(struct world *w)
{
	struct host *h = any_host(w);
	char name[NAME_BYTES];

	if (h)
		promise_remove(h, net_name(w, name));
}

static bool is_open(struct world *w, const struct container *c, const char *network)
{
	struct promise *p;

	LIST_FOREACH (p, &w->promises, entry) {
		if (p->container == c && !strcmp(p->network, network) && !promise_is_over(p))
			return true;
	}
	return false;
}

// An address of the network that somebody may well have.
static bool choose_ip(struct world *w, struct host *h, const char *network, struct ip_addr *ret)
{
	struct replica_net *net = replica_net_by_name(&h->agent->replica, network);

	if (!net || !net->rec.nb_subnets)
		return false;
	*ret = ip_add(&net->rec.subnets[0].cidr.ip, sim_between(&w->random, 1, ASKED_MAX));
	return true;
}

static void connect_on(struct world *w, struct host *h, struct container *c)
{
	struct ip_addr ip;
	char network[NAME_BYTES];
	bool fixed;

	net_name(w, network);
	if (is_open(w, c, network))
		return;
	fixed = sim_chance(&w->random, 25) && choose_ip(w, h, network, &ip);
	promise_connect(
		h, c, network, fixed ? &ip : NULL, sim_chance(&w->random, 20) ? "web" : NULL);
}

static void connect_any(struct world *w)
{
	struct host *h = any_host(w);
	char name[NAME_BYTES];
	struct container *c;

	if (!h)
		return;
	snprintf(name, sizeof(name), "c%u", (unsigned)sim_below(&w->random, WORLD_CONTAINERS));
	c = container_by_name(w, name);
	if (c && (c->host->dead || !c->host->agent))
		return;
	if (!c)
		c = container_new(h, name);
	connect_on(w, c->host, c);
}

static struct promise *any_promise(struct world *w)
{
	struct promise *p, *found = NULL;
	unsigned count = 0;

	LIST_FOREACH (p, &w->promises, entry) {
		if (p->state == PROMISE_KEPT && p->stop == STOP_NONE && p->container->alive &&
			p->host->agent && !sim_below(&w->random, ++count))
			found = p;
	}
	return found;
}

static void disconnect(struct world *w)
{
	struct promise *p = any_promise(w);

	if (p)
		promise_disconnect(p);
}

// The container goes on on another host, with the same address; the old host may hear of it later
// than the new one.
static void move(struct world *w)
{
	struct promise *p = any_promise(w);
	struct host *h = any_host(w);
	struct container *c;
	bool first = sim_chance(&w->random, 50), dies = sim_chance(&w->random, 50);
	struct ip_addr ip;

	if (!p || !h || h == p->host)
		return;
	ip = p->rec.ips[0].ip;
	for (unsigned i = 0; i < 2; i++) {
		if ((i == 0) == first && dies) {
			container_kill(w, p->container);
		} else if ((i == 0) == first) {
			promise_disconnect(p);
		} else {
			c = container_new(h, p->container->name);
			promise_connect(h, c, p->network, &ip, NULL);
		}
		world_run(w, sim_chance(&w->random, 50) ? 0 : sim_below(&w->random, 2 * S_US));
		if (world_failed(w) || !h->agent || !p->host->agent || !p->container->alive ||
			p->stop != (first ? STOP_ASKED : STOP_NONE))
			break;
	}
}

static void kill_container(struct world *w)
{
	struct promise *p = any_promise(w);

	if (p)
		container_kill(w, p->container);
}

// ---- accidents ----

static void agent_dies(struct world *w)
{
	struct host *h = any_host(w);

	if (!h)
		return;
	host_crash_agent(h);
	timeline_after(&w->tl, &h->start_agent, outage_us(w));
}

static void agent_forgets(struct world *w)
{
	struct host *h = any_host(w);

	if (!h)
		return;
	host_crash_agent(h);
	host_forget(h);
	timeline_after(&w->tl, &h->start_agent, outage_us(w));
}

static void switch_dies(struct world *w)
{
	struct host *h = any_living(w);

	if (!h)
		return;
	host_crash_switch(h);
	if (sim_chance(&w->random, 20))
		fake_switch_wipe(h->sw);
	timeline_after(&w->tl, &h->start_switch, outage_us(w));
}

// Somebody flushes an interface, of a container or a gateway.
static void flush(struct world *w)
{
	struct host *h = any_living(w);
	struct fake_bridge *bridge;
	struct fake_port *port;

	for (bridge = h ? fake_switch_bridges(h->sw) : NULL; bridge; bridge = bridge->hh.next) {
		for (port = bridge->ports; port; port = port->hh.next)
			port->has_addresses &= !sim_chance(&w->random, 30);
	}
}

static void both_die(struct world *w)
{
	struct host *h = any_living(w);

	if (!h)
		return;
	host_crash_agent(h);
	host_crash_switch(h);
	timeline_after(&w->tl, &h->start_agent, outage_us(w));
	timeline_after(&w->tl, &h->start_switch, outage_us(w));
}

// One that no other host has.
static void next_address(struct world *w, struct host *h, char text[IP_TEXT_BYTES])
{
	unsigned n = ++w->last_address;
	struct ip_addr vtep;

	snprintf(text, IP_TEXT_BYTES, "198.51.%u.%u", n / 250, n % 250 + 1);
	ip_parse(text, &vtep);
	host_move(h, &vtep);
}

static void reboot(struct world *w)
{
	struct host *h = any_living(w);
	struct container *c;
	char text[IP_TEXT_BYTES];

	if (!h)
		return;
	LIST_FOREACH (c, &w->containers, entry) {
		if (c->host == h)
			container_kill(w, c);
	}
	host_crash_agent(h);
	host_crash_switch(h);
	if (sim_chance(&w->random, 30))
		host_forget(h);
	if (sim_chance(&w->random, 60)) {
		next_address(w, h, text);
		world_trace(w, "%s: has another address: %s", h->conf.host, text);
	}
	timeline_after(&w->tl, &h->start_agent, outage_us(w));
	timeline_after(&w->tl, &h->start_switch, outage_us(w));
}

static void host_dies(struct world *w)
{
	struct host *h = any_living(w);
	unsigned alive = 0;

	for (unsigned i = 0; i < w->nb_hosts; i++)
		alive += !w->hosts[i].dead;
	if (h && alive > 2)
		host_die(h);
}

static void cut(struct world *w)
{
	struct host *h = any_living(w);

	if (!h)
		return;
	host_cut(h, true);
	timeline_after(&w->tl, &h->heal, outage_us(w));
}

// Silent in the store for longer than the grace period, but not in its tunnels.
static void falls_silent(struct world *w)
{
	struct host *h = any_host(w);

	if (!h)
		return;
	if (sim_chance(&w->random, 50)) {
		host_cut(h, true);
		timeline_after(&w->tl, &h->heal, LONG_OUTAGE_US);
	} else {
		host_crash_agent(h);
		timeline_after(&w->tl, &h->start_agent, LONG_OUTAGE_US);
	}
	world_run(w, sim_between(&w->random, OUTAGE_MAX_US, LONG_OUTAGE_US));
}

static void readdress_host(struct world *w)
{
	struct host *h = any_host(w);
	char text[IP_TEXT_BYTES];

	if (!h)
		return;
	next_address(w, h, text);
	world_trace(w, "%s: gets another address: %s", h->conf.host, text);
	agent_set_vtep(h->agent, &h->vtep);
}

static void runs_late(struct world *w)
{
	struct host *h = any_living(w);

	if (h)
		h->slow = !h->slow;
}

static void store_goes_down(struct world *w)
{
	if (!sim_store_is_up(w->store))
		return;
	world_trace(w, "the store is down");
	sim_store_down(w->store);
	timeline_after(&w->tl, &w->store_up, outage_us(w));
}

static void store_lost(struct world *w)
{
	timeline_cancel(&w->tl, &w->store_up);
	// While it was being filled again: what was put back may be gone once more, unnoticed.
	if (w->tl.now_us < w->shaky_until_us) {
		w->lost_twice_us = w->tl.now_us;
		for (unsigned i = 0; i < w->nb_hosts; i++)
			w->hosts[i].fenced_us = w->tl.now_us;
	}
	w->lost_us = w->tl.now_us;
	w->shaky_until_us = w->tl.now_us + SHAKY_US;
	for (unsigned i = 0; i < w->nb_hosts; i++) {
		struct host *h = &w->hosts[i];

		if (h->agent)
			h->known_revision = h->agent->replica.revision;
		host_look(h);
	}
}

static void wipe(struct world *w)
{
	world_trace(w, "the store is lost");
	promises_store_lost(w);
	sim_store_wipe(w->store);
	store_lost(w);
}

static void backup(struct world *w)
{
	world_trace(w, "the store is backed up");
	sim_store_backup(w->store);
}

static void restore(struct world *w)
{
	promises_store_lost(w);
	if (!sim_store_restore(w->store))
		return;
	world_trace(w, "the store is set back to its backup");
	store_lost(w);
}

static void compact(struct world *w)
{
	world_trace(w, "the store is compacted");
	sim_store_compact(w->store);
}

// ---- which ----

static const struct action {
	const char *name;
	void (*fn)(struct world *w);
	unsigned weight;
	bool accident; // only some seeds have it
} actions[] = {
	{"create", create, 12, false},
	{"remove", remove_net, 4, false},
	{"connect", connect_any, 40, false},
	{"disconnect", disconnect, 12, false},
	{"move", move, 6, false},
	{"kill", kill_container, 8, false},
	{"steps_address", steps_address, 8, false},
	{"steps_create", steps_create, 16, false},
	{"steps_join", steps_join, 12, false},
	{"steps_leave", steps_leave, 6, false},
	{"steps_delete", steps_delete, 8, false},
	{"steps_again", steps_again, 12, false},
	{"steps_kill", steps_kill, 3, false},
	{"agent_dies", agent_dies, 6, true},
	{"agent_forgets", agent_forgets, 3, true},
	{"switch_dies", switch_dies, 5, true},
	{"flush", flush, 4, true},
	{"both_die", both_die, 4, true},
	{"reboot", reboot, 3, true},
	{"host_dies", host_dies, 2, true},
	{"cut", cut, 6, true},
	{"falls_silent", falls_silent, 2, true},
	{"readdress_host", readdress_host, 2, true},
	{"runs_late", runs_late, 4, true},
	{"store_down", store_goes_down, 6, true},
	{"wipe", wipe, 2, true},
	{"backup", backup, 3, true},
	{"restore", restore, 3, true},
	{"compact", compact, 5, true},
};

void world_choose_actions(struct world *w)
{
	unsigned percent = sim_below(&w->random, 90);

	for (unsigned i = 0; i < ARRAY_SIZE(actions); i++) {
		if (!actions[i].accident || sim_chance(&w->random, percent))
			w->actions |= 1u << i;
	}
}

static uint64_t pause_us(struct world *w)
{
	unsigned kind = sim_below(&w->random, 100);

	if (kind < 30)
		return 0;
	if (kind < 60)
		return sim_below(&w->random, 50 * MS_US);
	if (kind < 88)
		return sim_below(&w->random, 2 * S_US);
	return sim_below(&w->random, kind < 98 ? 10 * S_US : 30 * S_US);
}

void world_act(struct world *w)
{
	unsigned total = 0, at;

	for (unsigned i = 0; i < ARRAY_SIZE(actions); i++)
		total += w->actions & (1u << i) ? actions[i].weight : 0;
	at = sim_below(&w->random, total);
	for (unsigned i = 0; i < ARRAY_SIZE(actions); i++) {
		if (!(w->actions & (1u << i)))
			continue;
		if (at < actions[i].weight) {
			actions[i].fn(w);
			break;
		}
		at -= actions[i].weight;
	}
	world_run(w, pause_us(w));
}

// ---- the end ----

static const json_t *find_problem(const json_t *status, const char *object)
{
	json_t *problem;
	size_t i;

	json_array_foreach (json_object_get(status, "problems"), i, problem) {
		if (!strcmp(json_string_value(json_object_get(problem, "object")), object))
			return problem;
	}
	return NULL;
}

// An agent that keeps what a dead host has says so, and what to do.
static bool keeps(struct host *h, const struct host *dead)
{
	struct replica_host *rh = replica_host(&h->agent->replica, dead->conf.host);
	char object[NAME_BYTES + 8];
	const json_t *problem;
	json_t *status;

	if (!rh || rh->present || (LIST_EMPTY(&rh->endpoints) && LIST_EMPTY(&rh->blocks)))
		return false;
	snprintf(object, sizeof(object), "host %s", dead->conf.host);
	status = agent_status(h->agent);
	problem = find_problem(status, object);
	if (!problem || !json_object_get(problem, "remedy"))
		world_fail(h->w, "%s keeps what %s has, and does not tell", h->conf.host,
			dead->conf.host);
	json_decref(status);
	return true;
}

static void on_buried(void *arg, int rc, json_t *result, const struct err *err)
{
	struct host *dead = arg;

	if (rc < 0)
		world_fail(dead->w, "%s cannot be removed: %s", dead->conf.host, err->reason);
}

void world_bury(struct world *w)
{
	for (unsigned i = 0; i < w->nb_hosts; i++) {
		struct host *dead = &w->hosts[i], *keeper = NULL;

		for (unsigned k = 0; k < w->nb_hosts && dead->dead; k++) {
			struct host *h = &w->hosts[k];

			if (!h->dead && h->agent && keeps(h, dead))
				keeper = h;
		}
		if (keeper) {
			world_trace(w, "%s: removes host %s", keeper->conf.host, dead->conf.host);
			agent_host_rm(keeper->agent, dead->conf.host, false, on_buried, dead);
		}
	}
}

void world_heal(struct world *w)
{
	world_trace(w, "all is healed");
	w->chaos = false;
	sim_store_calm(w->store);
	timeline_cancel(&w->tl, &w->store_up);
	sim_store_up(w->store);
	for (unsigned i = 0; i < w->nb_hosts; i++) {
		struct host *h = &w->hosts[i];

		timeline_cancel(&w->tl, &h->heal);
		if (h->dead)
			continue;
		h->slow = false;
		host_cut(h, false);
		host_start_switch(h);
		host_start_agent(h);
	}
}
