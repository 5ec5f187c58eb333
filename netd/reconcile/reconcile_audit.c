// SPDX-License-Identifier: BSD-3-Clause
// Audits: everything is listed anew and compared; with repair, mended and listed once more to see
// what is right now. And what the switch knows of peers.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/member.h"
#include "netd/reconcile/reconcile_priv.h"

#define AUDIT_US     UINT64_C(30000000) // at most
#define MEND_US	     UINT64_C(10000000) // waits for what it mends
#define PEERS_US     UINT64_C(1000000)	// between questions
#define PEERS_OLD_US (3 * PEERS_US)

enum stage { WAIT, OBJECTS, ENTRIES, MEND };

struct audit {
	reconcile_audit_fn *fn;
	void *arg;
	bool repair;
	enum stage stage;
	bool second; // the look at what was mended
	uint64_t deadline_us, mend_us;
	json_t *found;	   // list
	json_t *remaining; // object: those that the second look has found
};

static void finish(struct reconcile *rec, int rc, const struct err *err)
{
	struct audit *audit = rec->audit;
	json_t *difference;
	size_t i;

	rec->audit = NULL;
	json_array_foreach (audit->found, i, difference) {
		const char *object = member_text_or(difference, "object", NULL);
		bool repaired = audit->second && !json_object_get(audit->remaining, object);

		json_object_set_new(difference, "repaired", json_boolean(repaired));
	}
	audit->fn(audit->arg, rc, rc < 0 ? NULL : audit->found, err);
	json_decref(audit->found);
	json_decref(audit->remaining);
	free(audit);
}

void sw_audit_fail(struct reconcile *rec, int rc, const char *reason)
{
	struct err err = {};

	if (!rec->audit)
		return;
	err_set(&err, rc, "audit", "%s", reason);
	finish(rec, rc, &err);
}

void sw_audit_fini(struct reconcile *rec)
{
	if (!rec->audit)
		return;
	json_decref(rec->audit->found);
	json_decref(rec->audit->remaining);
	free(rec->audit);
	rec->audit = NULL;
}

bool sw_audit_mends(const struct reconcile *rec)
{
	return !rec->audit || rec->audit->repair;
}

void sw_audit_difference(struct reconcile *rec, const char *object, const char *difference,
	const char *wanted, const char *actual)
{
	struct audit *audit = rec->audit;

	if (!audit || (audit->stage != OBJECTS && audit->stage != ENTRIES))
		return;
	if (audit->second) {
		json_object_set_new(audit->remaining, object, json_true());
		return;
	}
	json_array_append_new(
		audit->found, json_pack("{s:s, s:s, s:s, s:s}", "object", object, "difference",
				      difference, "wanted", wanted, "actual", actual));
}

static void begin_objects(struct reconcile *rec)
{
	if (rec->relist || rec->nb_listing || !rec->listed)
		return;
	rec->audit->stage = OBJECTS;
	rec->relist = true;
	rec->list_report = !rec->audit->repair;
}

static void begin_entries(struct reconcile *rec)
{
	struct sw_net *net;

	if (rec->relist || rec->nb_listing)
		return;
	rec->audit->stage = ENTRIES;
	LIST_FOREACH (net, &rec->nets, entry) {
		net->to_audit = net->nb_ports && net->bridge.there;
		sw_net_queue(net);
	}
	sw_nets_queue(rec);
}

static bool is_waiting(const struct reconcile *rec)
{
	const struct sw_net *net;

	LIST_FOREACH (net, &rec->nets, entry) {
		if (net->to_audit && net->bridge.there)
			return true;
	}
	return false;
}

static void end_entries(struct reconcile *rec)
{
	struct audit *audit = rec->audit;

	if (is_waiting(rec))
		return;
	if (!audit->repair || audit->second || !json_array_size(audit->found)) {
		finish(rec, 0, NULL);
		return;
	}
	audit->stage = MEND;
	audit->mend_us = rec->now_us + MEND_US;
}

static void end_mend(struct reconcile *rec)
{
	if (!reconcile_is_settled(rec) && rec->now_us < rec->audit->mend_us)
		return;
	rec->audit->second = true;
	rec->audit->stage = WAIT;
}

void sw_audit_step(struct reconcile *rec)
{
	static void (*const steps[])(struct reconcile * rec) = {
		[WAIT] = begin_objects,
		[OBJECTS] = begin_entries,
		[ENTRIES] = end_entries,
		[MEND] = end_mend,
	};

	if (!rec->audit)
		return;
	if (rec->now_us >= rec->audit->deadline_us)
		sw_audit_fail(rec, -ETIMEDOUT,
			"the switch did not list everything in time; a change of it may be stuck");
	else
		steps[rec->audit->stage](rec);
}

static void refuse(reconcile_audit_fn *fn, void *arg, int rc, const char *reason)
{
	struct err err = {};

	err_set(&err, rc, "audit", "%s", reason);
	fn(arg, rc, NULL, &err);
}

void reconcile_audit(struct reconcile *rec, bool repair, reconcile_audit_fn *fn, void *arg)
{
	struct audit *audit;

	if (!rec->up) {
		refuse(fn, arg, -ECONNREFUSED, "the switch does not answer");
		return;
	}
	if (rec->audit) {
		refuse(fn, arg, -EBUSY, "an audit is already running; wait for it to end");
		return;
	}
	audit = calloc(1, sizeof(*audit));
	if (!audit) {
		refuse(fn, arg, -ENOMEM, "out of memory");
		return;
	}
	audit->fn = fn;
	audit->arg = arg;
	audit->repair = repair;
	audit->deadline_us = rec->now_us + AUDIT_US;
	audit->found = json_array();
	audit->remaining = json_object();
	rec->audit = audit;
}

// ---- peers ----

void sw_peers_fini(struct reconcile *rec)
{
	struct sw_peer *peer, *next;

	HASH_ITER(hh, rec->peers, peer, next)
	{
		HASH_DEL(rec->peers, peer);
		free(peer);
	}
}

static void add_peer(struct reconcile *rec, const json_t *remote)
{
	const char *ip = member_text_or(remote, "ip", NULL);
	const char *state = member_text_or(remote, "state", NULL);
	struct sw_peer *peer;
	struct ip_addr key;

	if (!ip || ip_parse(ip, &key) < 0)
		return;
	HASH_FIND(hh, rec->peers, &key, sizeof(key), peer);
	if (!peer) {
		peer = calloc(1, sizeof(*peer));
		if (!peer)
			return;
		peer->ip = key;
		HASH_ADD(hh, rec->peers, ip, sizeof(peer->ip), peer);
	}
	peer->up = state && !strcmp(state, "up");
}

static void on_peers(struct reconcile *rec, struct sw_call *call, int rc, const json_t *result,
	const struct err *err)
{
	const json_t *remote;
	size_t i;

	rec->peers_busy = false;
	if (rc < 0)
		return;
	sw_peers_fini(rec);
	rec->peers_us = rec->now_us;
	json_array_foreach (json_object_get(result, "remotes"), i, remote)
		add_peer(rec, remote);
}

void sw_peers_step(struct reconcile *rec)
{
	struct sw_call *call;

	if (!rec->up || rec->peers_busy || !rec->peers_asked_us ||
		rec->now_us >= rec->peers_asked_us + PEERS_OLD_US ||
		rec->now_us < rec->peers_sent_us + PEERS_US)
		return;
	call = sw_call_new(rec, on_peers);
	rec->peers_sent_us = rec->now_us;
	rec->peers_busy = call && sw_call_send(call, "tunnel.status",
					  json_pack("{s:s}", "vtep", RECONCILE_TUNNEL));
}

bool reconcile_peer_alive(struct reconcile *rec, const struct ip_addr *vtep)
{
	struct sw_peer *peer;

	rec->peers_asked_us = rec->now_us ? rec->now_us : 1;
	if (!rec->up || !rec->peers_us || rec->now_us >= rec->peers_us + PEERS_OLD_US)
		return false;
	HASH_FIND(hh, rec->peers, vtep, sizeof(*vtep), peer);
	return peer && peer->up;
}
