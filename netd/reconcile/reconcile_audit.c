// SPDX-License-Identifier: BSD-3-Clause
// Audits: everything is listed anew and compared; with repair, mended and listed once more to see
// what is right now. What cannot be looked at, because a change is stuck, is told as such: whoever
// asks wants to know now.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/member.h"
#include "netd/reconcile/reconcile_priv.h"

#define MEND_US (RECONCILE_AUDIT_US / 2) // waits for what it mends

enum stage { WAIT, OBJECTS, ENTRIES, MEND };

struct audit {
	reconcile_audit_fn *fn;
	void *arg;
	bool repair;
	enum stage stage;
	bool second; // the look at what was mended
	bool blind;  // this look has not seen all
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
		bool repaired = audit->second && !audit->blind &&
				!json_object_get(audit->remaining, object);

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

bool sw_audit_repairs(const struct reconcile *rec)
{
	return rec->audit && rec->audit->repair;
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

static void not_looked_at(struct reconcile *rec, const struct sw_net *net, const char *why)
{
	char object[CONF_NAME_BYTES + 24];

	rec->audit->blind = true;
	snprintf(object, sizeof(object), "entries of bridge %s", net->bridge_name);
	sw_audit_difference(rec, object, "not looked at", "", why);
}

// Its entries wait for the tunnels, and no listing will come before.
static bool is_stuck(const struct sw_net *net)
{
	return net->entries == ENTRIES_KNOWN && net->dirty.count && !net->nb_calls &&
	       net->vx_name[0] && !net->vx.there;
}

static bool is_waiting(struct reconcile *rec)
{
	struct sw_net *net;
	bool waiting = false;

	LIST_FOREACH (net, &rec->nets, entry) {
		if (!net->to_audit || !net->bridge.there)
			continue;
		if (is_stuck(net)) {
			not_looked_at(rec, net, "changes wait for the port of the tunnels");
			net->to_audit = false;
		}
		waiting |= net->to_audit;
	}
	return waiting;
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
	rec->audit->blind = false;
	rec->audit->stage = WAIT;
}

// Answers with what is known. What was not looked at again may be as wrong as before.
static void end_late(struct reconcile *rec)
{
	struct audit *audit = rec->audit;
	struct sw_net *net;

	audit->blind = true;
	audit->second = false; // or it would not be told
	if (audit->stage == WAIT || audit->stage == OBJECTS) {
		audit->stage = OBJECTS;
		sw_audit_difference(rec, "switch", "not looked at", "",
			rec->nb_busy ? "a change of it is stuck" : "it does not list what it has");
	}
	LIST_FOREACH (net, &rec->nets, entry) {
		if (audit->stage == ENTRIES && net->to_audit)
			not_looked_at(rec, net,
				net->batch.reason ? net->batch.reason
						  : "the switch does not list them");
		net->to_audit = false;
	}
	finish(rec, 0, NULL);
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
		end_late(rec);
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
	audit->deadline_us = rec->now_us + RECONCILE_AUDIT_US * (repair ? 2 : 1);
	audit->found = json_array();
	audit->remaining = json_object();
	rec->audit = audit;
}
