// SPDX-License-Identifier: BSD-3-Clause
// Audits, when all is healed and quiet: they find nothing, or what somebody has just spoilt in the
// switch, and mend it.
#include <string.h>

#include "tests/sim/world.h"

#define AUDIT_MAX_US (60 * S_US)
#define STEP_US	     (100 * MS_US)

struct answer {
	bool done;
	int rc;
	size_t differences;
	char first[512]; // in words
};

static void on_audited(void *arg, int rc, json_t *result, const struct err *err)
{
	struct answer *answer = arg;
	json_t *list = json_object_get(result, "differences");
	char *text = json_dumps(list, JSON_COMPACT | JSON_ENCODE_ANY);

	answer->done = true;
	answer->rc = rc;
	answer->differences = json_array_size(list);
	if (text)
		snprintf(answer->first, sizeof(answer->first), "%s", text);
	free(text);
}

// Deletes an entry behind the agent's back. False: there is none.
static bool spoil(struct host *h)
{
	char text[IP_TEXT_BYTES];
	struct err err = {0};

	for (struct fake_bridge *b = fake_switch_bridges(h->sw); b; b = b->hh.next) {
		if (b->fdb && sim_chance(&h->w->random, 50)) {
			fake_switch_do(h->sw, "fdb.del",
				json_pack("{s:s, s:[{s:s}]}", "bridge", b->name, "entries", "mac",
					mac_format(&b->fdb->mac, text)),
				NULL, &err);
			return err.code == 0;
		}
		if (b->neigh) {
			fake_switch_do(h->sw, "neigh.del",
				json_pack("{s:s, s:[{s:s}]}", "bridge", b->name, "entries", "ip",
					ip_format(&b->neigh->ip, text)),
				NULL, &err);
			return err.code == 0;
		}
	}
	return false;
}

static void check_host(struct host *h)
{
	struct world *w = h->w;
	bool spoilt = sim_chance(&w->random, 50) && spoil(h);
	uint64_t end_us = w->tl.now_us + AUDIT_MAX_US;
	struct answer answer = {0};

	host_forget_seen(h);
	world_trace(w, "%s: audit%s", h->conf.host, spoilt ? ", an entry was deleted" : "");
	agent_audit(h->agent, spoilt, on_audited, &answer);
	while (!answer.done && w->tl.now_us < end_us && !world_failed(w))
		world_run(w, STEP_US);
	if (!answer.done)
		world_fail(w, "%s: the audit does not end", h->conf.host);
	else if (answer.rc < 0 || answer.differences != spoilt)
		world_fail(w, "%s: the audit has found %u differences instead of %u (%d): %s",
			h->conf.host, (unsigned)answer.differences, spoilt, answer.rc,
			answer.first);
}

void check_audits(struct world *w)
{
	for (unsigned i = 0; i < w->nb_hosts && !world_failed(w); i++) {
		if (!w->hosts[i].dead)
			check_host(&w->hosts[i]);
	}
}
