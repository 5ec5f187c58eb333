// SPDX-License-Identifier: BSD-3-Clause
// Where this host's endpoints are kept: on disk and in the store. This host alone writes its
// endpoints; what the store has of it beyond these is deleted.
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/member.h"
#include "netd/agent/agent_priv.h"

#define LOCAL_ENDPOINT	  "own/"
#define COOKIE_TEXT_BYTES 34
#define ACK_MAX_US	  (5 * SECOND_US) // until the watch shows what the store has taken

static const char *key_of(const struct local_endpoint *le, char *buf)
{
	return record_key_endpoint(buf, le->net->id, &le->rec.ips[0].ip);
}

struct replica_endpoint *agent_endpoint_record(struct agent *a, const struct local_endpoint *le)
{
	char key[RECORD_KEY_BYTES];

	return le->rec.nb_ips ? replica_endpoint(&a->replica, key_of(le, key)) : NULL;
}

// ---- on disk ----

static const char *local_key(
	const struct local_endpoint *le, char buf[ID_BYTES + sizeof(LOCAL_ENDPOINT)])
{
	snprintf(buf, ID_BYTES + sizeof(LOCAL_ENDPOINT), LOCAL_ENDPOINT "%s", le->rec.id);
	return buf;
}

// What is kept of it. One that leaves has no namespace any more after a restart, and for others.
static char *print_record(const struct local_endpoint *le)
{
	struct endpoint_record rec = le->rec;

	if (!endpoint_is_inside(le))
		rec.sandbox[0] = rec.ifname[0] = '\0';
	return endpoint_record_print(&rec);
}

// What its callers asked for, on one line; and boot and cookie of its namespace, which versions of
// before do not know.
static char *print_callers(const struct local_endpoint *le)
{
	char cookie[COOKIE_TEXT_BYTES] = "";
	json_t *obj;
	char *text;

	if (le->netns.cookie && le->netns.boot)
		snprintf(cookie, sizeof(cookie), "%016" PRIx64 "-%016" PRIx64, le->netns.boot,
			le->netns.cookie);
	obj = json_pack("{s:s*, s:s*, s:O*, s:s*}", "id", le->agent->caller_id, "address_id",
		le->agent->address_id, "asked", le->agent->asked, "netns",
		cookie[0] ? cookie : NULL);
	text = obj ? json_dumps(obj, JSON_COMPACT) : NULL;

	json_decref(obj);
	return text;
}

// Another record than before: the store does not have it.
static void note_hash(struct local_endpoint *le, uint64_t hash)
{
	if (le->agent->hash != hash)
		le->agent->acked = le->stored = false;
	le->agent->hash = hash;
}

// A value is the record's key, device and inode of the namespace, what its callers asked for, and
// on a line of its own the record.
int agent_endpoint_save(struct agent *a, struct local_endpoint *le)
{
	char key[ID_BYTES + sizeof(LOCAL_ENDPOINT)], stored[RECORD_KEY_BYTES];
	char *record = print_record(le), *callers = print_callers(le), *value = NULL;
	int rc = -ENOMEM, len = -1;

	if (record)
		note_hash(le, hash_add(HASH_INIT, record, strlen(record)));
	if (record && callers)
		len = asprintf(&value, "%s %" PRIu64 " %" PRIu64 " %s\n%s", key_of(le, stored),
			(uint64_t)le->netns.dev, (uint64_t)le->netns.ino, callers, record);
	if (len >= 0)
		rc = agent_state_put(a, local_key(le, key), value, len);
	if (len >= 0)
		free(value);
	free(record);
	free(callers);
	return rc;
}

void agent_endpoint_forget(struct agent *a, const struct local_endpoint *le)
{
	char key[ID_BYTES + sizeof(LOCAL_ENDPOINT)];

	// First: what is not there and has no number could be of after the folder was saved.
	agent_generation_set(a, agent_next_seq(a));
	agent_state_del(a, local_key(le, key));
}

struct kept {
	struct endpoint_record rec;
	struct replica_net *net;
	struct netns_id netns;
	json_t *callers;
	uint64_t hash;
};

static int parse_one(
	struct agent *a, const char *value, size_t len_bytes, struct kept *ret, struct err *err)
{
	const char *record = memchr(value, '\n', len_bytes);
	char text[RECORD_KEY_BYTES];
	struct record_key key;
	uint64_t dev, ino;
	int at = 0, rc;

	static_assert(RECORD_KEY_BYTES == 256, "the width below");
	if (!record ||
		sscanf(value, "%255s %" SCNu64 " %" SCNu64 " %n", text, &dev, &ino, &at) < 3 || !at)
		return err_set(err, -EBADMSG, "state", "an endpoint of this host cannot be read");
	record_key_parse(text, &key);
	if (key.kind != RECORD_ENDPOINT)
		return err_set(err, -EBADMSG, "state", "%s is no endpoint", text);
	ret->netns = (struct netns_id){.dev = dev, .ino = ino};
	ret->net = replica_net_make(&a->replica, key.net);
	if (!ret->net)
		return -ENOMEM;
	record++;
	rc = endpoint_record_parse(text, record, len_bytes - (record - value), &ret->rec, err);
	ret->hash = hash_add(HASH_INIT, record, len_bytes - (record - value));
	if (rc == 0)
		ret->callers = json_loadb(value + at, record - 1 - (value + at), 0, NULL);
	return rc;
}

static char *copy_text(const json_t *obj, const char *key)
{
	const char *text = member_text_or(obj, key, NULL);

	return text ? strdup(text) : NULL;
}

// An earlier version kept no cookie, and the inode number may be another namespace's by now: the
// interface that the switch made there tells. Where nobody can look it stays without one, and
// nothing is done in the namespace.
static void know_again(struct agent *a, struct kept *kept)
{
	const char *text = member_text_or(kept->callers, "netns", "");
	const struct local_endpoint le = {.rec = kept->rec};
	char port[LOCAL_ENDPOINT_PORT_BYTES];
	struct netns_id now;
	int holds;

	if (sscanf(text, "%16" SCNx64 "-%16" SCNx64, &kept->netns.boot, &kept->netns.cookie) == 2 ||
		a->opts.sandbox->ops->find(a->opts.sandbox, kept->rec.sandbox, &now, NULL) < 0 ||
		netns_differs(&now, &kept->netns))
		return;
	holds = a->opts.sandbox->ops->holds(
		a->opts.sandbox, kept->rec.sandbox, local_endpoint_port(&le, port));
	if (holds > 0)
		kept->netns = now;
	else if (holds == 0)
		kept->netns.ino = 0; // no namespace has this: it has gone
}

static void load_one(void *arg, const char *key, const char *value, size_t len_bytes)
{
	struct agent *a = arg;
	struct kept kept = {0};
	struct local_endpoint *le;
	struct err err = {0};
	char text[sizeof(err.path) + sizeof(err.reason) + 4];

	if (parse_one(a, value, len_bytes, &kept, &err) < 0) {
		log_error("%s", err_text(&err, text, sizeof(text)));
		return;
	}
	a->seq = MAX_OF(a->seq, kept.rec.seq);
	a->kept_generation = MAX_OF(a->kept_generation, kept.rec.seq);
	if (!kept.rec.sandbox[0])
		kept.netns = (struct netns_id){0};
	else
		know_again(a, &kept);
	if (agent_endpoint_add(a, kept.net, &kept.rec, &kept.netns,
		    kept.rec.sandbox[0] ? ENDPOINT_STARTING : ENDPOINT_CREATED, &le) < 0) {
		endpoint_record_fini(&kept.rec);
	} else {
		le->agent->is_loaded = true;
		le->agent->hash = kept.hash;
		le->agent->caller_id = copy_text(kept.callers, "id");
		le->agent->address_id = copy_text(kept.callers, "address_id");
		le->agent->asked = json_incref(json_object_get(kept.callers, "asked"));
		agent_endpoint_changed(a, le);
	}
	json_decref(kept.callers);
}

// A container has an interface once: an earlier record of it is what the store was to forget.
static bool is_superseded(const struct replica_host *host, const struct replica_endpoint *ep)
{
	const struct replica_endpoint *other;

	LIST_FOREACH (other, &host->endpoints, of_host) {
		if (other->rec.seq > ep->rec.seq && !strcmp(other->rec.ifname, ep->rec.ifname) &&
			!strcmp(other->rec.sandbox, ep->rec.sandbox))
			return true;
	}
	return false;
}

// The state folder was lost, but the store knows what this host had, and the containers are there.
void agent_endpoint_adopt(struct agent *a)
{
	struct replica_host *host = replica_host(&a->replica, a->conf->host);
	struct replica_endpoint *ep;

	// Another machine may have this name by mistake: then it has another address, too.
	if (!host || (host->known && strcmp(host->rec.id, a->host_id) != 0 &&
			     !ip_equal(&host->rec.vtep, &a->vtep)))
		return;
	LIST_FOREACH (ep, &host->endpoints, of_host) {
		struct endpoint_record rec;
		struct local_endpoint *le;
		struct netns_id netns;

		a->seq = MAX_OF(a->seq, ep->rec.seq);
		if (!ep->rec.sandbox[0] || agent_endpoint_by_id(a, ep->rec.id) ||
			is_superseded(host, ep) ||
			a->opts.sandbox->ops->find(a->opts.sandbox, ep->rec.sandbox, &netns, NULL) <
				0 ||
			endpoint_record_copy(&ep->rec, &rec) < 0)
			continue;
		log_info("endpoint %s of network %s is taken over", rec.name, ep->net->rec.name);
		if (agent_endpoint_add(a, ep->net, &rec, &netns, ENDPOINT_STARTING, &le) < 0) {
			endpoint_record_fini(&rec);
			continue;
		}
		agent_endpoint_save(a, le);
		agent_endpoint_changed(a, le);
	}
}
// Containers that went while nobody looked are not to claim anything any more.
int agent_endpoint_load(struct agent *a, struct err *err)
{
	int rc = a->opts.local->ops->each(a->opts.local, LOCAL_ENDPOINT, load_one, a);
	struct local_endpoint *le, *next;

	HASH_ITER(hh, a->endpoints, le, next)
	{
		char port[LOCAL_ENDPOINT_PORT_BYTES];

		if (!endpoint_is_inside(le))
			continue;
		le->agent->was_inside = a->opts.sandbox->ops->holds(a->opts.sandbox,
						le->rec.sandbox, local_endpoint_port(le, port)) > 0;
		if (!agent_endpoint_is_alive(a, le))
			agent_endpoint_container_gone(a, le);
	}
	return rc < 0 ? err_set_errno(err, rc, "state", "endpoints cannot be read") : 0;
}

// ---- the record in the store ----

struct record_write {
	struct pending pending;
	char id[ID_BYTES];
	uint64_t hash;
};

static void on_written(void *arg, int rc, uint64_t revision)
{
	struct record_write *w = arg;
	struct agent *a = w->pending.a;
	struct local_endpoint *le = agent_endpoint_by_id(a, w->id);

	if (le) {
		retry_done(&le->agent->write, rc, agent_now(a));
		// It may be another one by now, which is still to be written.
		le->agent->acked = rc == 0 && w->hash == le->agent->hash;
		le->agent->acked_us = agent_now(a);
	}
	pending_free(&w->pending);
	a->dirty = true;
	agent_kick(a);
}

static bool has_key(const struct kv_op *ops, unsigned count, const char *key)
{
	for (unsigned i = 0; i < count; i++) {
		if (!strcmp(ops[i].key, key))
			return true;
	}
	return false;
}

// One that takes over addresses of a host that is silent does so on condition that this host is not
// back: of that the replica may not know yet. Returns how many hosts that are.
static unsigned check_silent(struct agent *a, const struct local_endpoint *le,
	char keys[RECORD_IPS_MAX][RECORD_KEY_BYTES], struct kv_op *ret_ops)
{
	unsigned count = 0;

	if (!le->agent->takes_over || !endpoint_is_untold(le))
		return 0;
	for (unsigned i = 0; i < le->rec.nb_ips; i++) {
		struct replica_endpoint *ep =
			replica_by_ip(&a->replica, le->net->id, &le->rec.ips[i].ip);

		if (!ep || !strcmp(ep->rec.host, a->conf->host))
			continue;
		record_key_host(keys[count], ep->rec.host);
		if (has_key(ret_ops, count, keys[count]))
			continue;
		ret_ops[count] =
			(struct kv_op){.action = KV_CHECK, .guard = KV_ABSENT, .key = keys[count]};
		count++;
	}
	return count;
}

static void write_record(
	struct agent *a, struct local_endpoint *le, const struct replica_endpoint *ep)
{
	struct record_write *w = pending_new(a, sizeof(*w));
	char key[RECORD_KEY_BYTES], hosts[RECORD_IPS_MAX][RECORD_KEY_BYTES];
	struct kv_op ops[1 + RECORD_IPS_MAX];
	char *text = print_record(le);

	if (!w || !text) {
		free(text);
		if (w)
			pending_free(&w->pending);
		return;
	}
	snprintf(w->id, ID_BYTES, "%s", le->rec.id);
	w->hash = hash_add(HASH_INIT, text, strlen(text));
	retry_start(&le->agent->write);
	ops[0] = (struct kv_op){.action = KV_PUT,
		.guard = ep ? KV_REVISION : KV_ABSENT,
		.key = key_of(le, key),
		.revision = ep ? ep->revision : 0,
		.value = text,
		.len_bytes = strlen(text)};
	kv_txn(a->opts.kv, ops, 1 + check_silent(a, le, hosts, &ops[1]), on_written, w);
	free(text);
}

bool agent_endpoint_is_stored(const struct local_endpoint *le)
{
	return le->net->local || le->stored || le->agent->acked;
}

void agent_endpoint_publish(struct agent *a, struct local_endpoint *le)
{
	struct replica_endpoint *ep = agent_endpoint_record(a, le), *won;
	enum endpoint_event lost;
	struct ip_addr ip;

	le->stored = ep && ep->seen && ep->hash == le->agent->hash;
	// Somebody may have deleted it before the watch could tell that it was there at all.
	if (le->agent->acked && !le->stored && agent_now(a) - le->agent->acked_us >= ACK_MAX_US)
		le->agent->acked = false;
	won = agent_endpoint_winner(a, le, &ip);
	lost = le->rec.is_static ? EVENT_LOST_ASKED : EVENT_LOST_CHOSEN;
	if (!won && endpoint_takes(le, EVENT_REGAINED))
		endpoint_happens(a, le, EVENT_REGAINED);
	if (won && endpoint_takes(le, lost))
		agent_endpoint_lost_address(a, le, lost, &ip, won);
	else if (!won && !le->stored && !le->agent->acked && agent_is_member(a) &&
		 retry_due(&le->agent->write, agent_now(a)))
		write_record(a, le, ep && ep->seen ? ep : NULL);
}

// ---- records of this host that it does not know ----

static void on_dropped(void *arg, int rc, uint64_t revision)
{
	struct agent *a = arg;
	struct replica_host *host = replica_host(&a->replica, a->conf->host);
	struct replica_endpoint *ep;

	retry_done(&a->drop, rc, agent_now(a));
	if (rc < 0 && host) {
		LIST_FOREACH (ep, &host->endpoints, of_host)
			ep->dropping = false;
	}
	a->dirty = true;
	agent_kick(a);
}

static bool is_wanted(struct agent *a, const struct replica_endpoint *ep)
{
	struct local_endpoint *le = agent_endpoint_by_id(a, ep->rec.id);
	char key[RECORD_KEY_BYTES];

	return le && endpoint_is_kept(le) && !strcmp(key_of(le, key), ep->key);
}

void agent_endpoint_drop_unknown(struct agent *a, uint64_t now_us)
{
	struct replica_host *host = replica_host(&a->replica, a->conf->host);
	struct kv_op op[KV_TXN_OPS_MAX];
	struct replica_endpoint *ep;
	unsigned count = 0;
	// A transaction that fails for one is repeated for the first alone.
	unsigned max = a->drop.wait_us ? 1 : KV_TXN_OPS_MAX - 1;
	char key[RECORD_KEY_BYTES], *generation;

	if (!host || !retry_due(&a->drop, now_us))
		return;
	LIST_FOREACH (ep, &host->endpoints, of_host) {
		if (!ep->seen || ep->dropping || is_wanted(a, ep) || count == max)
			continue;
		ep->dropping = true;
		op[count++] = (struct kv_op){.action = KV_DELETE,
			.guard = KV_REVISION,
			.key = ep->key,
			.revision = ep->revision};
	}
	if (!count)
		return;
	generation = agent_generation_print(a);
	if (generation)
		op[count++] = (struct kv_op){.action = KV_PUT,
			.key = record_key_generation(key, a->conf->host),
			.value = generation,
			.len_bytes = strlen(generation)};
	retry_start(&a->drop);
	kv_txn(a->opts.kv, op, count, on_dropped, a);
	free(generation);
}
