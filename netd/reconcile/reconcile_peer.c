// SPDX-License-Identifier: BSD-3-Clause
// Which other hosts answer heartbeats, as tunnel.status tells. What is not known is never taken for
// silence: that a host is silent was seen without a gap, from answers of the switch.
#include <stdlib.h>
#include <string.h>

#include "base/member.h"
#include "base/util.h"
#include "netd/reconcile/reconcile_priv.h"

#define PEERS_US	UINT64_C(1000000)   // between questions while the agent asks
#define PEERS_QUICK_US	UINT64_C(180000000) // for so long; later, and else:
#define PEERS_SLOW_US	UINT64_C(10000000)
#define PEERS_PAUSE_US	(3 * PEERS_US) // after which the agent does not ask any more
#define PEERS_OLD_US	(3 * PEERS_SLOW_US)
#define HANGS_US	UINT64_C(5000000)
#define HEARTBEATS_SENT 3 // and one more: as many unanswered ones mean silence

void sw_peers_fini(struct reconcile *rec)
{
	struct sw_peer *peer, *next;

	HASH_ITER(hh, rec->peers, peer, next)
	{
		HASH_DEL(rec->peers, peer);
		free(peer);
	}
}

static bool is_asked_for(const struct reconcile *rec)
{
	return rec->peers_asked_us && rec->now_us < rec->peers_asked_us + PEERS_PAUSE_US;
}

static uint64_t period_us(const struct reconcile *rec)
{
	bool quick = is_asked_for(rec) && rec->now_us < rec->peers_begun_us + PEERS_QUICK_US;

	return quick ? PEERS_US : PEERS_SLOW_US;
}

static struct sw_peer *peer_make(struct reconcile *rec, const struct ip_addr *ip)
{
	struct sw_peer *peer;

	HASH_FIND(hh, rec->peers, ip, sizeof(*ip), peer);
	if (peer)
		return peer;
	peer = calloc(1, sizeof(*peer));
	if (!peer)
		return NULL;
	peer->ip = *ip;
	HASH_ADD(hh, rec->peers, ip, sizeof(peer->ip), peer);
	return peer;
}

// While the switch was away nobody listened: silence counts from its first answer on.
void sw_peers_gone(struct reconcile *rec)
{
	rec->peers_busy = false;
	rec->peers_us = 0;
	for (struct sw_peer *peer = rec->peers; peer; peer = peer->hh.next) {
		peer->listed = peer->up = false;
		peer->silent_us = 0;
		peer->since[0] = '\0';
	}
}

// A switch that was just started has not had the time to hear.
static bool is_silent(const struct sw_peer *peer, const char *state)
{
	if (!strcmp(state, "down"))
		return true;
	return peer->heard && peer->waited && !strcmp(state, "unknown");
}

// `gap`: there was no answer of the switch for some time. Then only the switch knows whether the
// peer was silent all the time.
static void note_peer(struct reconcile *rec, const json_t *remote, bool gap)
{
	const char *ip = member_text_or(remote, "ip", NULL);
	const char *state = member_text_or(remote, "state", "");
	const char *since = member_text_or(remote, "since", "");
	struct sw_peer *peer = NULL;
	struct ip_addr key;
	bool same;

	if (ip && ip_parse(ip, &key) == 0)
		peer = peer_make(rec, &key);
	if (!peer)
		return;
	same = !strcmp(peer->since, since) && (!gap || since[0]);
	peer->listed = true;
	peer->asked = state[0] != '\0';
	peer->waited = member_int(remote, "sent") > HEARTBEATS_SENT;
	peer->up = !strcmp(state, "up");
	peer->heard |= peer->up || !strcmp(state, "down");
	if (!is_silent(peer, state))
		peer->silent_us = 0;
	else if (!peer->silent_us || !same)
		peer->silent_us = rec->now_us;
	snprintf(peer->since, sizeof(peer->since), "%s", since);
}

static void on_peers(struct reconcile *rec, struct sw_call *call, int rc, const json_t *result,
	const struct err *err)
{
	bool gap = rec->now_us >= rec->peers_us + PEERS_OLD_US;
	const json_t *remote;
	struct sw_peer *peer;
	size_t i;

	rec->peers_busy = false;
	if (rc < 0)
		return;
	for (peer = rec->peers; peer; peer = peer->hh.next)
		peer->listed = false;
	rec->peers_us = rec->peers_sent_us; // what it says may be as old as the question
	json_array_foreach (json_object_get(result, "remotes"), i, remote)
		note_peer(rec, remote, gap);
	for (peer = rec->peers; peer; peer = peer->hh.next) {
		if (!peer->listed)
			peer->silent_us = 0;
	}
}

void sw_peers_step(struct reconcile *rec)
{
	struct sw_call *call;

	if (!rec->up || rec->peers_busy || !rec->tunnel_obj.there ||
		(rec->peers_sent_us && rec->now_us < rec->peers_sent_us + period_us(rec)))
		return;
	call = sw_call_new(rec, on_peers);
	rec->peers_sent_us = rec->now_us;
	rec->peers_busy = call && sw_call_send(call, "tunnel.status",
					  json_pack("{s:s}", "vtep", RECONCILE_TUNNEL));
}

uint64_t reconcile_switch_hangs(const struct reconcile *rec)
{
	bool hangs = rec->up && rec->peers_busy && rec->now_us >= rec->peers_sent_us + HANGS_US;

	return hangs ? rec->peers_sent_us : 0;
}

static bool is_old(const struct reconcile *rec)
{
	return !rec->peers_us || rec->now_us >= rec->peers_us + PEERS_OLD_US ||
	       reconcile_switch_hangs(rec);
}

static const char *why_unknown(const struct sw_peer *peer)
{
	if (!peer || !peer->listed)
		return "there is no tunnel to it, because no network has containers on both hosts";
	if (!peer->asked)
		return "no heartbeats are sent (heartbeat: 0)";
	return !peer->waited ? "heartbeats are sent through its tunnel only since a moment ago"
			     : "it has never answered a heartbeat through its tunnel";
}

void reconcile_peer_look(
	const struct reconcile *rec, const struct ip_addr *vtep, struct reconcile_peer *ret_peer)
{
	struct reconcile_peer answer = {.answer = RECONCILE_PEER_UNKNOWN};
	struct sw_peer *peer;

	HASH_FIND(hh, rec->peers, vtep, sizeof(*vtep), peer);
	if (!rec->up)
		answer.why = "the switch of this host does not answer";
	else if (is_old(rec))
		answer.why = "the switch of this host has not told yet";
	else if (!peer || !peer->listed || (!peer->up && !peer->silent_us))
		answer.why = why_unknown(peer);
	else
		answer.answer = peer->up ? RECONCILE_PEER_ANSWERS : RECONCILE_PEER_SILENT;
	answer.silent_us = peer ? peer->silent_us : 0;
	answer.told_us = rec->peers_us;
	answer.never =
		!answer.why ? false
			    : peer && peer->listed && peer->asked && peer->waited && !peer->heard;
	*ret_peer = answer;
}

void reconcile_peer(
	struct reconcile *rec, const struct ip_addr *vtep, struct reconcile_peer *ret_peer)
{
	if (!is_asked_for(rec))
		rec->peers_begun_us = rec->now_us;
	rec->peers_asked_us = MAX_OF(rec->now_us, 1);
	reconcile_peer_look(rec, vtep, ret_peer);
}
