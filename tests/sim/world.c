// SPDX-License-Identifier: BSD-3-Clause
#include "tests/sim/world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/fake_sandbox.h"
#include "tests/sim/promise.h"
#include "tests/sim/steps.h"

#define TICK_US	 (250 * MS_US)
#define LATE_US	 (5 * S_US)
#define CHECK_US (500 * MS_US)

// ---- words ----

void world_trace(struct world *w, const char *fmt, ...)
{
	va_list args;

	if (!w->opts.verbose)
		return;
	printf("%10.4f  ", w->tl.now_us / 1e6);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
}

void world_fail(struct world *w, const char *fmt, ...)
{
	va_list args;

	if (world_failed(w))
		return;
	va_start(args, fmt);
	vsnprintf(w->failure, sizeof(w->failure), fmt, args);
	va_end(args);
	world_trace(w, "FAILED: %s", w->failure);
}

// ---- silence ----

static bool has_record(const struct host *h)
{
	char key[RECORD_KEY_BYTES];

	record_key_host(key, h->conf.host);
	return store_data_get(sim_store_data(h->w->store), key);
}

bool host_recorded(const struct host *h, struct host_record *ret_rec)
{
	char key[RECORD_KEY_BYTES];
	const struct store_key *found;

	record_key_host(key, h->conf.host);
	found = store_data_get(sim_store_data(h->w->store), key);
	return found && host_record_parse(key, found->value->data, found->value->len_bytes, ret_rec,
				NULL) == 0;
}

static bool is_long(const struct host *h, uint64_t since_us)
{
	// A moment less than the grace period: it is not looked at all the time.
	return since_us && h->w->tl.now_us - since_us + S_US >= h->conf.grace_s * S_US;
}

bool host_is_fenced(const struct host *h)
{
	// Others may not have heard yet that its tunnel answers again.
	bool was_long = h->heard_us && h->w->tl.now_us < h->heard_us + 3 * S_US;

	return is_long(h, h->absent_since_us) && (is_long(h, h->silent_since_us) || was_long);
}

static void look_at_tunnels(struct host *h)
{
	struct host_record rec;

	if (host_recorded(h, &rec))
		h->moved = !ip_equal(&rec.vtep, &h->vtep);
	if (fake_switch_is_up(h->sw) && !h->moved) {
		if (is_long(h, h->silent_since_us))
			h->heard_us = h->w->tl.now_us;
		h->silent_since_us = 0;
	} else if (!h->silent_since_us)
		h->silent_since_us = MAX_OF(h->w->tl.now_us, 1);
}

// Others may have filled a store that was set back before this host reads it: then nothing shows
// that it is an earlier one.
static void look_at_revision(struct host *h)
{
	struct world *w = h->w;

	if (h->agent && h->agent->healthy_since_us > w->lost_us)
		h->reread_us = w->tl.now_us;
	if (w->lost_us && h->reread_us <= w->lost_us &&
		sim_store_data(w->store)->revision >= h->known_revision)
		h->passed_us = w->tl.now_us;
}

void host_look(struct host *h)
{
	struct world *w = h->w;

	// While a store that was lost is filled again, who is not there may find its place taken.
	if ((!h->agent || h->cut) && w->tl.now_us < w->shaky_until_us)
		h->fenced_us = w->tl.now_us;
	if (h->blank)
		promises_blank(h);
	if (h->blank && h->agent && h->agent->synced) {
		h->blank = false;
		h->read_us = w->tl.now_us;
	}
	look_at_tunnels(h);
	look_at_revision(h);
	if (!sim_store_is_up(w->store))
		return;
	if (host_is_fenced(h))
		h->fenced_us = w->tl.now_us;
	if (has_record(h))
		h->absent_since_us = 0;
	else if (!h->absent_since_us)
		h->absent_since_us = w->tl.now_us;
	if (h->absent_since_us)
		h->absent_us = w->tl.now_us;
}

// ---- the agent ----

static uint64_t now_us(void *arg)
{
	return ((struct world *)arg)->tl.now_us;
}

static void on_tick(void *arg)
{
	struct host *h = arg;
	uint64_t period_us = sim_between(&h->w->random, TICK_US / 2, TICK_US);

	if (h->slow && sim_chance(&h->w->random, 20))
		period_us = sim_below(&h->w->random, LATE_US);
	timeline_after(&h->w->tl, &h->tick, period_us);
	agent_run(h->agent);
}

static void on_store_state(void *arg, bool up, const char *reason)
{
	struct host *h = arg;

	world_trace(h->w, "%s: store is %s %s", h->conf.host, up ? "up" : "down", up ? "" : reason);
	if (h->agent)
		agent_store_state(h->agent, up, reason);
}

static void on_event(void *arg, const char *name, const json_t *data)
{
	struct host *h = arg;
	char *text;

	if (!h->w->opts.verbose)
		return;
	text = json_dumps(data, JSON_COMPACT);
	world_trace(h->w, "%s: event %s %s", h->conf.host, name, text ? text : "");
	free(text);
}

static void tell_switch_up(void *arg)
{
	struct host *h = arg;
	struct switch_conn *conn = fake_switch_conn(h->sw);

	if (fake_switch_is_up(h->sw) && conn->on_state)
		conn->on_state(conn->arg, true);
}

void host_start_agent(struct host *h)
{
	struct world *w = h->w;
	struct err err = {0};
	struct kv_opts kv_opts = {
		.timeout_ms = h->conf.timeout_ms, .on_state = on_store_state, .arg = h};
	struct agent_opts opts = {.conf = &h->conf,
		.vtep = h->vtep,
		.local = h->local,
		.sw = fake_switch_conn(h->sw),
		.sandbox = &h->sandbox.base,
		.now_us = now_us,
		.now_arg = w,
		.seed = sim_random(&w->random) | 1,
		.event = on_event,
		.event_arg = h};

	if (h->agent || h->dead)
		return;
	world_trace(w, "%s: the agent starts", h->conf.host);
	timeline_cancel(&w->tl, &h->start_agent);
	h->kv = sim_store_open(w->store, &kv_opts);
	sim_store_cut(h->kv, h->cut);
	opts.kv = h->kv;
	opts.names = h->names = names_new();
	if (agent_new(&opts, &h->agent, &err) < 0) {
		world_fail(w, "%s: the agent does not start: %s: %s", h->conf.host, err.path,
			err.reason);
		return;
	}
	timeline_after(&w->tl, &h->tick, sim_below(&w->random, TICK_US));
	tell_switch_up(h);
	host_look(h);
}

void host_forget_seen(struct host *h)
{
	struct promise *p;

	LIST_FOREACH (p, &h->w->promises, entry)
		p->seen[h->index] = false;
}

// Nothing is said to anybody: what is on its way stays so, what was not committed is lost.
void host_crash_agent(struct host *h)
{
	struct switch_conn *conn = fake_switch_conn(h->sw);

	if (!h->agent)
		return;
	world_trace(h->w, "%s: the agent dies", h->conf.host);
	timeline_cancel(&h->w->tl, &h->tick);
	// What was read and was not committed was in the switch already.
	if (h->agent->in_batch)
		host_forget_seen(h);
	local_memory_crash(h->local);
	h->known_revision = h->agent->replica.revision;
	agent_free(h->agent);
	h->agent = NULL;
	names_free(h->names);
	h->names = NULL;
	conn->on_state = NULL;
	conn->on_event = NULL;
	kv_free(h->kv);
	h->kv = NULL;
	host_look(h);
}

void host_forget(struct host *h)
{
	world_trace(h->w, "%s: the state folder is lost", h->conf.host);
	promises_forget(h);
	steps_forget(h);
	local_memory_free(h->local);
	h->local = local_memory_new();
	h->forgot_us = h->w->tl.now_us;
	h->blank = true;
	host_forget_seen(h);
}

void host_cut(struct host *h, bool cut)
{
	world_trace(
		h->w, "%s: %s", h->conf.host, cut ? "is cut from the store" : "reaches the store");
	h->cut = cut;
	if (h->kv)
		sim_store_cut(h->kv, cut);
	host_look(h);
}

// ---- the switch ----

// What the heartbeats of the others say of it.
static void tell_heartbeats(struct host *h, bool up)
{
	struct world *w = h->w;

	for (unsigned i = 0; i < w->nb_hosts; i++) {
		if (&w->hosts[i] != h)
			fake_switch_remote(w->hosts[i].sw, &h->vtep, up);
	}
}

void host_move(struct host *h, const struct ip_addr *vtep)
{
	tell_heartbeats(h, false);
	h->vtep = *vtep;
	h->moved = true;
	tell_heartbeats(h, fake_switch_is_up(h->sw));
	host_look(h);
	promises_moved(h);
}

void host_start_switch(struct host *h)
{
	if (h->dead || fake_switch_is_up(h->sw))
		return;
	world_trace(h->w, "%s: the switch starts", h->conf.host);
	timeline_cancel(&h->w->tl, &h->start_switch);
	fake_switch_start(h->sw, h->w->tl.now_us);
	tell_heartbeats(h, true);
	host_look(h);
}

void host_crash_switch(struct host *h)
{
	if (!fake_switch_is_up(h->sw))
		return;
	world_trace(h->w, "%s: the switch dies", h->conf.host);
	fake_switch_crash(h->sw, h->w->tl.now_us);
	tell_heartbeats(h, false);
	host_look(h);
	// What it had in its tables may not have been saved.
	host_forget_seen(h);
}

void host_die(struct host *h)
{
	struct container *c;

	world_trace(h->w, "%s: dies for good", h->conf.host);
	LIST_FOREACH (c, &h->w->containers, entry) {
		if (c->host == h)
			container_kill(h->w, c);
	}
	host_crash_agent(h);
	host_crash_switch(h);
	h->dead = true;
	timeline_cancel(&h->w->tl, &h->start_agent);
	timeline_cancel(&h->w->tl, &h->start_switch);
}

// ---- containers ----

struct container *container_new(struct host *h, const char *name)
{
	struct container *c = calloc(1, sizeof(*c));

	if (!c)
		abort();
	c->host = h;
	c->alive = true;
	c->cookie = ++h->w->last_cookie;
	snprintf(c->name, sizeof(c->name), "%s", name);
	snprintf(c->sandbox, sizeof(c->sandbox), "%.32s-%u", name, (unsigned)c->cookie);
	LIST_INSERT_HEAD(&h->w->containers, c, entry);
	return c;
}

void container_kill(struct world *w, struct container *c)
{
	if (!c->alive)
		return;
	world_trace(w, "%s: container %s (%s) dies", c->host->conf.host, c->name, c->sandbox);
	c->alive = false;
	fake_switch_netns(c->host->sw, c->sandbox, false);
}

struct container *container_by_sandbox(struct world *w, const char *sandbox)
{
	struct container *c;

	LIST_FOREACH (c, &w->containers, entry) {
		if (!strcmp(c->sandbox, sandbox))
			return c;
	}
	return NULL;
}

struct container *container_by_name(struct world *w, const char *name)
{
	struct container *c;

	LIST_FOREACH (c, &w->containers, entry) {
		if (c->alive && !strcmp(c->name, name))
			return c;
	}
	return NULL;
}

// ---- making it ----

static void on_start_agent(void *arg)
{
	host_start_agent(arg);
}

static void on_start_switch(void *arg)
{
	host_start_switch(arg);
}

static void on_heal(void *arg)
{
	host_cut(arg, false);
}

static void on_store_up(void *arg)
{
	struct world *w = arg;

	world_trace(w, "the store comes back");
	sim_store_up(w->store);
}

// A host's record may be away for less than the time between two checks.
static void on_store_change(void *arg)
{
	struct world *w = arg;

	for (unsigned i = 0; i < w->nb_hosts; i++)
		host_look(&w->hosts[i]);
	check_store(w);
}

static void conf_init(struct world *w, struct host *h)
{
	struct netd_conf *conf = &h->conf;
	unsigned size = sim_chance(&w->random, 30) ? 28 : 26;

	netd_conf_init(conf);
	snprintf(conf->host, sizeof(conf->host), "h%u", h->index);
	conf->ttl_s = WORLD_TTL_S;
	conf->grace_s = WORLD_GRACE_S;
	conf->quarantine_s = WORLD_QUARANTINE_S;
	conf->timeout_ms = 1000;
	conf->address_reserve = w->opts.seed % 2 ? 4 : 100; // of which some networks have enough
	conf->vni_first = 100;
	conf->vni_last = 106;
	conf->nb_pools = 2;
	cidr_parse("10.0.0.0/22", &conf->pools[0].cidr);
	conf->pools[0].size = size;
	cidr_parse("fd00::/60", &conf->pools[1].cidr);
	conf->pools[1].size = 64;
}

static void host_init(struct world *w, unsigned index)
{
	struct host *h = &w->hosts[index];
	const struct fake_switch_opts sw_opts = {.seed = sim_random(&w->random),
		.delay_min_us = 50,
		.delay_max_us = sim_chance(&w->random, 30) ? 200000 : 3000,
		.unsaved_us = sim_chance(&w->random, 50) ? 100000 : 0};
	char text[IP_TEXT_BYTES];

	h->w = w;
	h->index = index;
	conf_init(w, h);
	snprintf(text, sizeof(text), "192.0.2.%u", index + 1);
	ip_parse(text, &h->vtep);
	h->sw = fake_switch_new(&sw_opts);
	h->local = local_memory_new();
	fake_sandbox_init(&h->sandbox, h);
	h->tick = (struct timeline_event){.fn = on_tick, .arg = h};
	h->start_agent = (struct timeline_event){.fn = on_start_agent, .arg = h};
	h->start_switch = (struct timeline_event){.fn = on_start_switch, .arg = h};
	h->heal = (struct timeline_event){.fn = on_heal, .arg = h};
	timeline_after(&w->tl, &h->start_switch, sim_below(&w->random, S_US));
	timeline_after(&w->tl, &h->start_agent, sim_below(&w->random, S_US));
}

void world_init(struct world *w, const struct world_opts *opts)
{
	struct sim_store_opts store_opts = {
		.timeline = &w->tl, .on_change = on_store_change, .arg = w};

	*w = (struct world){.opts = *opts, .random = {opts->seed * UINT64_C(0x2545f4914f6cdd1d)}};
	timeline_init(&w->tl);
	w->chaos = true;
	w->store_up = (struct timeline_event){.fn = on_store_up, .arg = w};
	world_choose_actions(w);
	store_opts.seed = sim_random(&w->random);
	store_opts.delay_min_us = 100;
	store_opts.delay_max_us = sim_chance(&w->random, 30) ? 400000 : 5000;
	store_opts.loss_percent = sim_chance(&w->random, 40) ? sim_between(&w->random, 1, 15) : 0;
	store_opts.slow_percent = sim_chance(&w->random, 30) ? sim_between(&w->random, 1, 10) : 0;
	store_opts.break_percent = sim_chance(&w->random, 40) ? sim_between(&w->random, 1, 10) : 0;
	store_opts.scatter_percent =
		sim_chance(&w->random, 50) ? sim_between(&w->random, 1, 100) : 0;
	store_opts.duplicate_percent = 50;
	w->store = sim_store_new(&store_opts);
	w->nb_hosts = sim_between(&w->random, 2, 5);
	world_trace(w, "%u hosts", w->nb_hosts);
	for (unsigned i = 0; i < w->nb_hosts; i++)
		host_init(w, i);
}

void world_fini(struct world *w)
{
	struct container *c;

	for (unsigned i = 0; i < w->nb_hosts; i++) {
		struct host *h = &w->hosts[i];

		w->opts.verbose = false;
		host_crash_agent(h);
		fake_switch_free(h->sw);
		local_memory_free(h->local);
		netd_conf_fini(&h->conf);
	}
	promises_free(w);
	steps_free(w);
	while ((c = LIST_FIRST(&w->containers))) {
		LIST_REMOVE(c, entry);
		free(c);
	}
	sim_store_free(w->store);
	timeline_fini(&w->tl);
}

// ---- time ----

static struct host *next_switch(struct world *w, uint64_t *ret_us)
{
	struct host *next = NULL;

	*ret_us = UINT64_MAX;
	for (unsigned i = 0; i < w->nb_hosts; i++) {
		uint64_t us = fake_switch_next_us(w->hosts[i].sw);

		if (us >= *ret_us)
			continue;
		*ret_us = us;
		next = &w->hosts[i];
	}
	return next;
}

static bool world_step(struct world *w, uint64_t until_us)
{
	uint64_t switch_us;
	struct host *h = next_switch(w, &switch_us);

	if (h && switch_us <= until_us && switch_us <= timeline_next_us(&w->tl)) {
		w->tl.now_us = MAX_OF(w->tl.now_us, switch_us);
		fake_switch_pump(h->sw, w->tl.now_us);
		return true;
	}
	return timeline_step(&w->tl, until_us);
}

void world_run(struct world *w, uint64_t delay_us)
{
	uint64_t until_us = w->tl.now_us + delay_us;

	while (!world_failed(w) && world_step(w, until_us)) {
		w->nb_events++;
		if (w->tl.now_us < w->next_check_us)
			continue;
		w->next_check_us = w->tl.now_us + CHECK_US;
		check_running(w);
	}
}
