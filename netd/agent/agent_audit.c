// SPDX-License-Identifier: BSD-3-Clause
// The audit of store, agent, switch and interfaces. Whoever asks wants to know now: a part that
// does not answer in time is a difference, and the others are looked at all the same.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netd/agent/agent_priv.h"
#include "netd/drivers/network.h"

#define STORE_US	UINT64_C(1500000) // that the store has to answer
#define ENDPOINTS_A_RUN 64		  // whose interfaces are looked at

enum stage { READING, READ, SWITCH, INSIDE };

struct audit {
	struct request req; // first
	struct agent *a;
	bool repair;
	enum stage stage;
	uint64_t store_deadline_us;
	json_t *differences;
	struct replica in_store; // as it is now, without observers
	bool switch_done;
	int rc; // of the switch's part
	struct err err;
	char looked_at[ID_BYTES]; // endpoint; empty: none yet
};

static void add_difference(struct audit *audit, const char *where, const char *object,
	const char *text, bool is_repaired)
{
	json_array_append_new(
		audit->differences, json_pack("{s:s, s:s, s:s, s:b}", "where", where, "object",
					    object, "difference", text, "repaired", is_repaired));
}

static void difference(struct audit *audit, const char *where, const char *object, const char *text)
{
	add_difference(audit, where, object, text, audit->repair);
}

static void audit_free(struct request *req)
{
	struct audit *audit = (struct audit *)req;

	json_decref(audit->differences);
	replica_fini(&audit->in_store);
}

// ---- the store ----

// Both ways: what the store has and this host does not, and the other way round.
static void compare_replicas(struct agent *a, struct audit *audit)
{
	struct replica *now = &audit->in_store;

	for (struct replica_endpoint *ep = now->endpoints; ep; ep = ep->hh.next) {
		struct replica_endpoint *have = replica_endpoint(&a->replica, ep->key);

		if (!have || have->revision < ep->revision)
			difference(audit, "agent", ep->key,
				have ? "the store has a newer record"
				     : "the store has it, but this host does not");
		if (!strcmp(ep->rec.host, a->conf->host) && !agent_endpoint_by_id(a, ep->rec.id))
			difference(audit, "store", ep->key,
				"the store says that it is on this host, but it is not");
	}
	for (struct replica_endpoint *ep = a->replica.endpoints; ep; ep = ep->hh.next) {
		if (!replica_endpoint(now, ep->key))
			difference(audit, "agent", ep->key,
				"this host has it, but the store does not");
	}
	for (struct local_endpoint *le = a->endpoints; le; le = le->hh.next) {
		char key[RECORD_KEY_BYTES];

		// One that is off has lost an address, not always that of its key: a problem, which
		// is told as such. One that goes is no longer to be there.
		if (le->net->local || !endpoint_is_kept(le) || le->state == ENDPOINT_LOSING ||
			le->state == ENDPOINT_CONFLICT || le->state == ENDPOINT_TAKEN)
			continue;
		record_key_endpoint(key, le->net->id, &le->rec.ips[0].ip);
		if (!replica_endpoint(now, key))
			difference(audit, "store", key,
				"this host uses it, but the store does not have it");
	}
	for (struct replica_skipped *s = now->skipped; s; s = s->hh.next)
		difference(audit, "store", s->key, s->reason);
}

struct reading {
	struct pending pending;
	uint64_t number; // of the request
};

static void on_read(void *arg, int rc, const struct kv_pair *pairs, size_t count, uint64_t revision)
{
	struct reading *reading = arg;
	struct agent *a = reading->pending.a;
	struct audit *audit = (struct audit *)request_find(a, reading->number);

	pending_free(&reading->pending);
	if (!audit || audit->stage != READING) // it was too late
		return;
	audit->stage = READ;
	if (rc < 0) {
		add_difference(audit, "store", "store", agent_store_reason(a), false);
	} else {
		for (size_t i = 0; i < count; i++)
			replica_apply(&audit->in_store, pairs[i].key, pairs[i].value,
				pairs[i].len_bytes, pairs[i].revision, 0);
		compare_replicas(a, audit);
		if (agent_store_refusal(a))
			add_difference(
				audit, "store", "store", agent_store_refusal(a)->reason, false);
		// The watch is made anew: it brings what is missing, and takes what is too much.
		if (audit->repair && json_array_size(audit->differences))
			agent_store_again(a);
	}
	a->dirty = true;
	agent_kick(a);
}

static void read_store(struct agent *a, struct audit *audit)
{
	struct reading *reading = a->store_up ? pending_new(a, sizeof(*reading)) : NULL;

	if (reading) {
		reading->number = audit->req.number;
		kv_list(a->opts.kv, RECORD_PREFIX, on_read, reading);
		return;
	}
	add_difference(audit, "store", "store", agent_store_reason(a), false);
	audit->stage = READ;
	a->dirty = true;
	agent_kick(a);
}

static void read_run(struct agent *a, struct audit *audit, uint64_t now_us)
{
	if (now_us < audit->store_deadline_us)
		return;
	add_difference(audit, "store", "store", "it does not answer in time", false);
	audit->stage = READ;
}

// ---- networks and the switch ----

struct net_audit {
	struct audit *audit;
	const struct replica_net *net;
};

static void net_difference(void *arg, const char *text)
{
	struct net_audit *na = arg;
	char object[NAME_BYTES + 16];

	snprintf(object, sizeof(object), "network %s", na->net->rec.name);
	add_difference(na->audit, "agent", object, text, false);
}

static void audit_networks(struct agent *a, struct audit *audit)
{
	for (const struct replica_net *net = a->replica.nets; net; net = net->hh.next) {
		struct net_audit na = {.audit = audit, .net = net};

		if (net->known)
			network_audit(&net->rec, net_difference, &na);
	}
}

static void on_switch_audit(void *arg, int rc, const json_t *differences, const struct err *err)
{
	struct audit *audit = arg;
	json_t *d;
	size_t i;

	json_array_foreach ((json_t *)differences, i, d) {
		json_t *copy = json_deep_copy(d);

		json_object_set_new(copy, "where", json_string("switch"));
		json_array_append_new(audit->differences, copy);
	}
	audit->switch_done = true;
	if (rc == -EBUSY) { // with another audit
		audit->rc = rc;
		audit->err = *err;
	} else if (rc < 0) {
		add_difference(audit, "switch", "switch", err->reason, false);
	}
	audit->a->dirty = true;
	agent_kick(audit->a);
}

static void switch_begin(struct agent *a, struct audit *audit)
{
	audit_networks(a, audit);
	audit->stage = SWITCH;
	if (a->switch_up) {
		reconcile_audit(a->rec, audit->repair, on_switch_audit, audit);
		return;
	}
	add_difference(audit, "switch", "switch", "the switch does not answer", false);
	audit->switch_done = true;
}

// ---- interfaces ----

// False: there are more.
static bool inside_run(struct agent *a, struct audit *audit)
{
	struct agent_inside_audit inside = {.list = audit->differences, .repair = audit->repair};
	struct local_endpoint *le = agent_endpoint_by_id(a, audit->looked_at);

	if (!audit->looked_at[0]) {
		for (struct replica_net *net = a->replica.nets; net; net = net->hh.next)
			agent_inside_audit_gateway(a, net, &inside);
		le = a->endpoints;
	} else {
		le = le ? le->hh.next : NULL;
	}
	for (unsigned i = 0; le && i < ENDPOINTS_A_RUN; i++, le = le->hh.next) {
		snprintf(audit->looked_at, ID_BYTES, "%s", le->rec.id);
		agent_inside_audit_endpoint(a, le, &inside);
	}
	a->dirty |= le != NULL;
	return !le;
}

// ---- all of it ----

static bool audit_run(struct agent *a, struct request *req, uint64_t now_us)
{
	struct audit *audit = (struct audit *)req;

	if (audit->stage == READING)
		read_run(a, audit, now_us);
	if (audit->stage == READ)
		switch_begin(a, audit);
	if (audit->stage == SWITCH && audit->switch_done && audit->rc < 0)
		return request_answer(a, req, audit->rc, NULL, &audit->err);
	if (audit->stage == SWITCH && audit->switch_done)
		audit->stage = INSIDE;
	if (audit->stage != INSIDE || !inside_run(a, audit))
		return false;
	return request_answer(
		a, req, 0, json_pack("{s:O}", "differences", audit->differences), &audit->err);
}

void agent_audit(struct agent *a, bool repair, agent_done_fn *fn, void *arg)
{
	struct audit *audit = calloc(1, sizeof(*audit));
	struct err err = {0};

	if (audit)
		audit->differences = json_array();
	if (!audit || replica_init(&audit->in_store, NULL) < 0) {
		if (audit)
			json_decref(audit->differences);
		free(audit);
		fn(arg, err_set(&err, -ENOMEM, NULL, "out of memory"), NULL, &err);
		return;
	}
	audit->a = a;
	audit->req.run = audit_run;
	audit->req.free = audit_free;
	audit->repair = repair;
	audit->store_deadline_us = agent_now(a) + STORE_US;
	request_add(a, &audit->req, fn, arg);
	read_store(a, audit);
}
