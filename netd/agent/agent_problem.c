// SPDX-License-Identifier: BSD-3-Clause
// What is wrong, why, what to do, and since when. It is looked at every few seconds, so that it is
// known of each problem when it was seen first, whether anybody asks or not.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/utc.h"
#include "ctrl/message.h"
#include "netd/agent/agent_priv.h"

#define LOOK_US	   (2 * SECOND_US)
// A refusal counts for so long: what is wanted is tried again every RETRY_MAX_US.
#define REFUSED_US (12 * RETRY_MAX_US)

struct agent_problem {
	uint64_t since_us;
	bool seen;
	UT_hash_handle hh;
	char key[]; // object, a zero, reason
};

void agent_add_problem(
	json_t *list, const char *object, const char *reason, const char *remedy, uint64_t since_us)
{
	json_t *problem =
		json_pack("{s:s, s:o}", "object", object, "reason", ctrl_json_text(reason));
	char since[UTC_TEXT_BYTES];

	if (problem && remedy)
		json_object_set_new(problem, "remedy", ctrl_json_text(remedy));
	if (problem && since_us)
		json_object_set_new(
			problem, "since", json_string(utc_of_monotonic(since_us, since)));
	json_array_append_new(list, problem);
}

// ---- the store and the switch ----

const struct kv_refusal *agent_store_refusal(const struct agent *a)
{
	const struct kv_refusal *refusal = kv_refusal(a->opts.kv);

	return a->store_up && refusal->rc && monotonic_us() < refusal->last_us + REFUSED_US
		       ? refusal
		       : NULL;
}

static void add_store_down(struct agent *a, json_t *list, const char *object)
{
	char reason[480];

	snprintf(reason, sizeof(reason), "does not answer: %.300s; %s", kv_reason(a->opts.kv),
		kv_lease_is_held(a->lease)
			? "what is there goes on, and networks cannot be made"
			: "what is there goes on, but the other hosts see this one as suspended");
	agent_add_problem(list, object, reason,
		"start it, or mend the way to it; its address is cluster-store in the "
		"configuration",
		a->store_since_us);
}

static void add_refusal(
	struct agent *a, json_t *list, const char *object, const struct kv_refusal *refusal)
{
	char reason[400];

	snprintf(reason, sizeof(reason), "answers, but refuses changes: %s", refusal->reason);
	agent_add_problem(list, object, reason,
		refusal->rc == -EACCES
			? "give vsnetd's user or token there the right to write below its folder"
		: refusal->rc == -ENOSPC
			? "make room there; etcd is compacted and defragmented, and then "
			  "`etcdctl alarm disarm`"
			: "see its log",
		refusal->since_us);
}

static void store_problems(struct agent *a, json_t *list)
{
	const struct kv_refusal *refusal = agent_store_refusal(a);
	char object[32];

	snprintf(object, sizeof(object), "store %s", kv_scheme(a->opts.kv));
	if (!a->store_up)
		add_store_down(a, list, object);
	else if (refusal)
		add_refusal(a, list, object, refusal);
}

static void switch_problems(struct agent *a, json_t *list)
{
	uint64_t hangs_us = reconcile_switch_hangs(a->rec);

	if (!a->switch_up)
		agent_add_problem(
			list, "switch", "does not answer", "start vswitchd", a->switch_since_us);
	else if (hangs_us)
		agent_add_problem(list, "switch",
			"takes requests and answers none; containers may have no network",
			"see its log, and whether it has its CPU; if it stays so, restart vswitchd",
			hangs_us);
}

// ---- addresses of tunnels ----

bool agent_tunnel_is_odd(const struct agent *a, const struct replica_host *host)
{
	const struct ip_addr *own = &a->vtep, *vtep = &host->rec.vtep;

	return strcmp(host->rec.name, a->conf->host) && host->present && host->known &&
	       own->family && vtep->family && (own->family != vtep->family || ip_equal(own, vtep));
}

// No tunnel goes there, and heartbeats do not tell.
static void add_odd_tunnel(struct agent *a, json_t *list, const struct replica_host *host)
{
	char object[NAME_BYTES + 8], reason[2 * IP_TEXT_BYTES + 240];
	char own[IP_TEXT_BYTES], other[IP_TEXT_BYTES];
	bool same = ip_equal(&a->vtep, &host->rec.vtep);

	snprintf(object, sizeof(object), "host %s", host->rec.name);
	snprintf(reason, sizeof(reason),
		same ? "has the same address for tunnels as this host, %s: containers of the two "
		       "do not reach each other"
		     : "has the address %s for tunnels, and this host %s, which is of another "
		       "family: there is no tunnel, and containers of the two do not reach each "
		       "other",
		ip_format(&host->rec.vtep, other), ip_format(&a->vtep, own));
	agent_add_problem(list, object, reason,
		same ? "give each host an address of its own (cluster-advertise in vsnetd.yaml)"
		     : "give all hosts of the cluster addresses of one family, IPv4 or IPv6 "
		       "(cluster-advertise in vsnetd.yaml)",
		0);
}

static void tunnel_problems(struct agent *a, json_t *list)
{
	for (struct replica_host *host = a->replica.hosts; host; host = host->hh.next) {
		if (agent_tunnel_is_odd(a, host))
			add_odd_tunnel(a, list, host);
	}
}

// ---- all of it ----

static void endpoint_problems(struct agent *a, json_t *list)
{
	char object[NAME_BYTES * 2 + 32];

	for (struct local_endpoint *le = a->endpoints; le; le = le->hh.next) {
		if (!endpoint_is_wrong(le))
			continue;
		snprintf(object, sizeof(object), "endpoint %s of network %s", le->rec.name,
			le->net->rec.name);
		agent_add_problem(list, object, le->reason, NULL, 0);
	}
	for (struct replica_net *net = a->replica.nets; net; net = net->hh.next) {
		if (!net->agent || !net->agent->gateway.reason[0])
			continue;
		snprintf(object, sizeof(object), "gateway of network %s", net->rec.name);
		agent_add_problem(list, object, net->agent->gateway.reason, NULL, 0);
	}
}

static json_t *collect(struct agent *a)
{
	json_t *list = json_array(), *of_switch = reconcile_problems(a->rec);

	store_problems(a, list);
	switch_problems(a, list);
	if (of_switch)
		json_array_extend(list, of_switch);
	json_decref(of_switch);
	if (a->host_problem[0])
		agent_add_problem(list, a->conf->host, a->host_problem, NULL, 0);
	if (a->older[0])
		agent_add_problem(list, "state folder", a->older,
			"check this host's containers; this is told until vsnetd starts again", 0);
	endpoint_problems(a, list);
	for (struct replica_skipped *s = a->replica.skipped; s; s = s->hh.next)
		agent_add_problem(list, s->key, s->reason, NULL, 0);
	tunnel_problems(a, list);
	agent_gone_problems(a, list);
	agent_dns_problems(a, list);
	return list;
}

static struct agent_problem *problem_make(struct agent *a, const json_t *row, uint64_t now_us)
{
	const char *object = json_string_value(json_object_get(row, "object"));
	const char *reason = json_string_value(json_object_get(row, "reason"));
	size_t object_bytes = strlen(object) + 1, reason_bytes = strlen(reason) + 1;
	struct agent_problem *problem = malloc(sizeof(*problem) + object_bytes + reason_bytes),
			     *old;

	if (!problem)
		return NULL;
	*problem = (struct agent_problem){.since_us = now_us};
	memcpy(problem->key, object, object_bytes);
	memcpy(problem->key + object_bytes, reason, reason_bytes);
	HASH_FIND(hh, a->problems, problem->key, object_bytes + reason_bytes, old);
	if (old) {
		free(problem);
		return old;
	}
	HASH_ADD_KEYPTR(hh, a->problems, problem->key, object_bytes + reason_bytes, problem);
	return problem;
}

static void drop_unseen(struct agent *a)
{
	struct agent_problem *problem, *next;

	HASH_ITER(hh, a->problems, problem, next)
	{
		if (!problem->seen) {
			HASH_DEL(a->problems, problem);
			free(problem);
			continue;
		}
		problem->seen = false;
	}
}

json_t *agent_problems(struct agent *a)
{
	uint64_t now_us = agent_now(a);
	json_t *list = collect(a), *row;
	char since[UTC_TEXT_BYTES];
	size_t i;

	json_array_foreach (list, i, row) {
		struct agent_problem *problem = problem_make(a, row, now_us);

		if (!problem)
			continue;
		problem->seen = true;
		if (!json_object_get(row, "since"))
			json_object_set_new(row, "since",
				json_string(utc_of_monotonic(problem->since_us, since)));
	}
	drop_unseen(a);
	return list;
}

static void log_refusal(struct agent *a)
{
	const struct kv_refusal *refusal = agent_store_refusal(a);

	uint64_t since_us = refusal ? refusal->since_us : 0;

	if (since_us == a->refused_told_us || !a->store_up)
		return;
	a->refused_told_us = since_us;
	if (refusal)
		log_warn("store: it answers, but refuses changes: %s", refusal->reason);
	else
		log_info("store: it does not refuse changes any more");
}

void agent_problem_run(struct agent *a, uint64_t now_us)
{
	if (now_us < a->problems_at_us)
		return;
	a->problems_at_us = now_us + LOOK_US;
	json_decref(agent_problems(a));
	log_refusal(a);
}

void agent_problem_free_all(struct agent *a)
{
	drop_unseen(a); // what is there is marked as not seen by that
	drop_unseen(a);
}
