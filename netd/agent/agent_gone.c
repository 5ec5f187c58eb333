// SPDX-License-Identifier: BSD-3-Clause
// What becomes of hosts whose record is gone: they are suspended at once, and after the grace
// period somebody takes their endpoints and blocks out of the store.
//
// A host may be silent in the store and alive all the same: its agent is dead, or only the store is
// out of its reach. So heartbeats through its tunnel are asked from the first moment on, and only a
// host that has answered some once, and none for the grace period, is taken apart. Of one that
// nobody can tell of, all stays, until somebody who knows says so (`vsctl host rm`).
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "netd/agent/agent_priv.h"

#define GC_STEP_US   (2 * SECOND_US) // so much later for each host that comes first
#define GC_STEPS_MAX 15
#define GC_OPS	     (KV_TXN_OPS_MAX - 1)

// Hosts do this one after the other, in the order of their names, so that as a rule one does it.
static unsigned rank(const struct agent *a)
{
	unsigned before = 0;

	for (struct replica_host *host = a->replica.hosts; host; host = host->hh.next)
		before += host->present && strcmp(host->rec.name, a->conf->host) < 0;
	return MIN_OF(before, GC_STEPS_MAX);
}

bool agent_is_first(const struct agent *a)
{
	return rank(a) == 0;
}

static bool is_self(const struct agent *a, const struct replica_host *host)
{
	return !strcmp(host->rec.name, a->conf->host);
}

// ---- dead or alive ----

enum life { UNKNOWN, ALIVE, DEAD };

struct verdict {
	enum life life;
	char why[256]; // of UNKNOWN
};

static struct verdict unknown(const char *why)
{
	struct verdict v = {.life = UNKNOWN};

	snprintf(v.why, sizeof(v.why), "%s", why);
	return v;
}

// Hosts are there, by the store, and none of them answers: it is this host that is cut off.
static bool is_cut_off(struct agent *a)
{
	unsigned silent = 0;

	for (struct replica_host *host = a->replica.hosts; host; host = host->hh.next) {
		struct reconcile_peer peer;

		if (!host->present || !host->known || is_self(a, host))
			continue;
		reconcile_peer_look(a->rec, &host->rec.vtep, &peer);
		if (peer.answer == RECONCILE_PEER_ANSWERS)
			return false;
		silent += peer.answer == RECONCILE_PEER_SILENT;
	}
	return silent > 0;
}

// Who has the host's address by now: then what answers there is not that host.
static const struct replica_host *successor(struct agent *a, const struct replica_host *of)
{
	for (struct replica_host *host = a->replica.hosts; host; host = host->hh.next) {
		if (host != of && host->present && host->known &&
			ip_equal(&host->rec.vtep, &of->rec.vtep))
			return host;
	}
	return NULL;
}

// The silence that was seen ends with the last answer of the switch.
static struct verdict judge_silent(struct agent *a, const struct reconcile_peer *peer)
{
	struct verdict v;

	if (peer->told_us < peer->silent_us + a->conf->grace_s * SECOND_US)
		v = unknown("its tunnel has not been silent for the grace period yet");
	else if (is_cut_off(a))
		v = unknown("of the hosts that are there, none answers through its tunnel either: "
			    "it may be "
			    "this host that is cut off");
	else
		v = (struct verdict){.life = DEAD};
	return v;
}

static struct verdict judge(struct agent *a, const struct replica_host *host)
{
	const struct replica_host *other;
	struct reconcile_peer peer;
	struct verdict v;

	if (!host->known)
		return unknown("its address was never known to this host");
	reconcile_peer(a->rec, &host->rec.vtep, &peer);
	other = successor(a, host);
	if (other) {
		v = unknown("");
		snprintf(v.why, sizeof(v.why), "its address is that of host %s now",
			other->rec.name);
		return v;
	}
	if (peer.answer == RECONCILE_PEER_ANSWERS)
		return (struct verdict){.life = ALIVE};
	return peer.answer == RECONCILE_PEER_SILENT ? judge_silent(a, &peer) : unknown(peer.why);
}

static bool has_records(const struct replica_host *host)
{
	return !LIST_EMPTY(&host->endpoints) || !LIST_EMPTY(&host->blocks);
}

// Silence counts only while this host could hear.
static uint64_t absent_us(const struct agent *a, const struct replica_host *host, uint64_t now_us)
{
	uint64_t since_us = MAX_OF(host->absent_since_us, a->healthy_since_us);

	return a->healthy_since_us && now_us > since_us ? now_us - since_us : 0;
}

static bool is_due(const struct agent *a, const struct replica_host *host, uint64_t now_us)
{
	return !host->present && !is_self(a, host) && a->healthy_since_us &&
	       absent_us(a, host, now_us) >= a->conf->grace_s * SECOND_US + rank(a) * GC_STEP_US;
}

// ---- taking it apart ----

struct gc {
	struct kv_op op[KV_TXN_OPS_MAX];
	unsigned count;
	char host_key[RECORD_KEY_BYTES];
	char *text[KV_TXN_OPS_MAX]; // of values, to be freed
};

static void on_gc(void *arg, int rc, uint64_t revision)
{
	struct agent *a = arg;

	retry_done(&a->gc, rc, agent_now(a));
	// What was removed is to be seen in the replica before the next step.
	if (rc == 0)
		a->gc.next_us = agent_now(a) + RETRY_MIN_US;
}

// Returns false when the transaction is full.
static bool gc_add(
	struct gc *gc, enum kv_action action, const char *key, uint64_t revision, char *text)
{
	if (gc->count > GC_OPS)
		return false;
	gc->op[gc->count] = (struct kv_op){.action = action,
		.guard = KV_REVISION,
		.key = key,
		.revision = revision,
		.value = text,
		.len_bytes = text ? strlen(text) : 0};
	gc->text[gc->count++] = text;
	return true;
}

static void gc_blocks(struct gc *gc, const struct replica_host *host)
{
	struct replica_block *block;

	LIST_FOREACH (block, &host->blocks, of_host) {
		struct block_record rec = block->rec;
		char *text;

		if (!block->seen || gc->count > GC_OPS)
			continue;
		rec.owner[0] = '\0';
		rec.giving = false;
		text = block_record_print(&rec);
		if (text)
			gc_add(gc, KV_PUT, block->key, block->revision, text);
	}
}

// Everything of the host in steps of one transaction, each on condition that the host did not come
// back. Returns how many records this step removes.
static unsigned remove_host(struct agent *a, struct replica_host *host, const char *why)
{
	struct gc gc = {.count = 1};
	struct replica_endpoint *ep;

	record_key_host(gc.host_key, host->rec.name);
	gc.op[0] = (struct kv_op){.action = KV_CHECK, .guard = KV_ABSENT, .key = gc.host_key};
	LIST_FOREACH (ep, &host->endpoints, of_host) {
		if (ep->seen && !gc_add(&gc, KV_DELETE, ep->key, ep->revision, NULL))
			break;
	}
	// Blocks last: their addresses are in nobody's hands then.
	if (gc.count <= GC_OPS)
		gc_blocks(&gc, host);
	if (gc.count == 1)
		return 0;
	log_info("host %s %s: %u of its records are removed", host->rec.name, why, gc.count - 1);
	retry_start(&a->gc);
	kv_txn(a->opts.kv, gc.op, gc.count, on_gc, a);
	for (unsigned i = 0; i < gc.count; i++)
		free(gc.text[i]);
	return gc.count - 1;
}

static const char *life_text(const struct verdict *v)
{
	return v->life == ALIVE ? "its tunnel answers" : v->why;
}

// Once, when it is time.
static void tell_kept(struct replica_host *host, const struct verdict *v)
{
	if (host->kept)
		return;
	host->kept = true;
	log_warn("host %s has been silent in the store for too long and is kept: %s",
		host->rec.name, life_text(v));
}

void agent_gone_run(struct agent *a, uint64_t now_us)
{
	for (struct replica_host *host = a->replica.hosts; host; host = host->hh.next) {
		struct verdict v;

		if (host->present || is_self(a, host) || !has_records(host))
			continue;
		// Asked from the first moment on: the answer is there when it is time.
		v = judge(a, host);
		if (!agent_is_current(a) || !is_due(a, host, now_us))
			continue;
		if (v.life != DEAD)
			tell_kept(host, &v);
		else if (retry_due(&a->gc, now_us))
			remove_host(a, host, "has been silent for too long, in its tunnel too");
	}
}

bool agent_gone_any_alive(struct agent *a)
{
	for (struct replica_host *host = a->replica.hosts; host; host = host->hh.next) {
		if (!host->present && !is_self(a, host) && has_records(host) &&
			judge(a, host).life == ALIVE)
			return true;
	}
	return false;
}

// ---- telling ----

static void add_kept(struct agent *a, json_t *list, struct replica_host *host)
{
	struct verdict v = judge(a, host);
	char object[NAME_BYTES + 8], reason[512], remedy[NAME_BYTES + 160];

	if (v.life == DEAD)
		return;
	snprintf(object, sizeof(object), "host %s", host->rec.name);
	snprintf(reason, sizeof(reason),
		"does not reach the store; %s, so what it has in the cluster (%u endpoints) is "
		"kept",
		life_text(&v), host->nb_endpoints);
	snprintf(remedy, sizeof(remedy),
		v.life == ALIVE
			? "start vsnetd there, or mend its way to the store; if it is to go, stop "
			  "vswitchd there and run `vsctl host rm %s`"
			: "start it again; if it is gone for good, run `vsctl host rm %s`",
		host->rec.name);
	agent_add_problem(list, object, reason, remedy, host->absent_since_us);
}

static void add_dead_tunnel(struct agent *a, json_t *list, const struct replica_host *host)
{
	char object[NAME_BYTES + IP_TEXT_BYTES + 24], ip[IP_TEXT_BYTES];
	struct reconcile_peer peer;

	reconcile_peer_look(a->rec, &host->rec.vtep, &peer);
	if (peer.answer != RECONCILE_PEER_SILENT && !peer.never)
		return;
	snprintf(object, sizeof(object), "tunnel to host %s (%s)", host->rec.name,
		ip_format(&host->rec.vtep, ip));
	agent_add_problem(list, object,
		peer.never ? "has never answered a heartbeat, although the host reaches the store"
			   : "does not answer heartbeats any more, although the host reaches the "
			     "store",
		"see whether vswitchd runs there, and whether firewalls let the VXLAN port (UDP) "
		"through, both ways",
		peer.silent_us);
}

void agent_gone_problems(struct agent *a, json_t *list)
{
	uint64_t now_us = agent_now(a);

	for (struct replica_host *host = a->replica.hosts; host; host = host->hh.next) {
		if (is_self(a, host))
			continue;
		if (host->present && host->known)
			add_dead_tunnel(a, list, host);
		else if (has_records(host) && is_due(a, host, now_us))
			add_kept(a, list, host);
	}
}

// ---- host rm: somebody knows that it is gone ----

struct host_rm {
	struct request req;
	char name[NAME_BYTES];
	unsigned removed;
	bool force;
};

static int host_error(struct err *err, int code, const char *name, const char *reason)
{
	char path[NAME_BYTES + 8];

	snprintf(path, sizeof(path), "host %.63s", name);
	return err_set(err, code, path, "%s", reason);
}

static int check_rm(struct agent *a, const struct replica_host *host, const char *name, bool force,
	struct err *err)
{
	if (!host)
		return host_error(err, -ENOENT, name, "there is no such host; see `vsctl host ls`");
	if (is_self(a, host))
		return host_error(err, -EBUSY, name,
			"it is this host; disconnect its containers, or ask another host when this "
			"one is gone");
	if (host->present)
		return host_error(err, -EBUSY, name,
			"it is there: it reaches the store; stop vsnetd on it first, and wait for "
			"its ttl");
	if (!force && judge(a, host).life == ALIVE)
		return host_error(err, -EBUSY, name,
			"it answers through its tunnel, so its containers may be alive; start "
			"vsnetd there, or stop vswitchd there, or give --force");
	return 0;
}

static bool rm_done(struct agent *a, struct host_rm *rm)
{
	return request_answer(a, &rm->req, 0,
		json_pack("{s:s, s:i}", "name", rm->name, "removed", (int)rm->removed), NULL);
}

static bool rm_run(struct agent *a, struct request *req, uint64_t now_us)
{
	struct host_rm *rm = (struct host_rm *)req;
	struct replica_host *host = replica_host(&a->replica, rm->name);
	struct err err = {0};
	unsigned removed;
	int rc;

	if (!host || !has_records(host))
		return rm_done(a, rm);
	rc = check_rm(a, host, rm->name, rm->force, &err);
	if (rc == 0 && now_us >= req->deadline_us)
		rc = host_error(&err, -ETIMEDOUT, rm->name,
			a->store_up ? "not all of it was removed yet; run it again"
				    : "the store cannot be reached; run it again when it is back");
	if (rc < 0)
		return request_answer(a, req, rc, NULL, &err);
	if (!agent_is_current(a) || !retry_due(&a->gc, now_us))
		return false;
	removed = remove_host(a, host, "is removed by hand");
	if (!removed)
		return rm_done(a, rm);
	rm->removed += removed;
	return false;
}

void agent_host_rm(struct agent *a, const char *name, bool force, agent_done_fn *fn, void *arg)
{
	const struct replica_host *host = replica_host(&a->replica, name);
	struct host_rm *rm = NULL;
	struct err err = {0};
	int rc = check_rm(a, host, name, force, &err);

	if (rc == 0 && !(rm = calloc(1, sizeof(*rm))))
		rc = host_error(&err, -ENOMEM, name, "out of memory");
	if (rc < 0) {
		fn(arg, rc, NULL, &err);
		return;
	}
	rm->req.run = rm_run;
	rm->force = force;
	snprintf(rm->name, sizeof(rm->name), "%s", name);
	request_add(a, &rm->req, fn, arg);
	a->dirty = true;
	agent_kick(a);
}
