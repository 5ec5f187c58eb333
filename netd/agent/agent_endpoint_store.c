// SPDX-License-Identifier: BSD-3-Clause
// Where this host's endpoints are kept: on disk and in the store. This host alone writes its
// endpoints; what the store has of it beyond these is deleted.
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "netd/agent/agent_priv.h"

#define LOCAL_ENDPOINT "own/"
#define ACK_MAX_US     (5 * SECOND_US) // until the watch shows what the store has taken

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

// A value is the record's key, device and inode of the namespace, and the record.
int agent_endpoint_save(struct agent *a, struct local_endpoint *le)
{
	char key[ID_BYTES + sizeof(LOCAL_ENDPOINT)], stored[RECORD_KEY_BYTES];
	char *record = endpoint_record_print(&le->rec), *value;
	int rc, len;

	if (!record)
		return -ENOMEM;
	len = asprintf(&value, "%s %" PRIu64 " %" PRIu64 " %s", key_of(le, stored),
		(uint64_t)le->netns.dev, (uint64_t)le->netns.ino, record);
	free(record);
	if (len < 0)
		return -ENOMEM;
	rc = agent_state_put(a, local_key(le, key), value, len);
	free(value);
	return rc;
}

void agent_endpoint_forget(struct agent *a, const struct local_endpoint *le)
{
	char key[ID_BYTES + sizeof(LOCAL_ENDPOINT)];

	agent_state_del(a, local_key(le, key));
}

static int parse_one(struct agent *a, const char *value, size_t len_bytes,
	struct endpoint_record *rec, struct replica_net **ret_net, struct netns_id *netns,
	struct err *err)
{
	char text[RECORD_KEY_BYTES];
	struct record_key key;
	uint64_t dev, ino;
	int at = 0;

	static_assert(RECORD_KEY_BYTES == 256, "the width below");
	if (sscanf(value, "%255s %" SCNu64 " %" SCNu64 " %n", text, &dev, &ino, &at) < 3 || !at)
		return err_set(err, -EBADMSG, "state", "an endpoint of this host cannot be read");
	record_key_parse(text, &key);
	if (key.kind != RECORD_ENDPOINT)
		return err_set(err, -EBADMSG, "state", "%s is no endpoint", text);
	*netns = (struct netns_id){.dev = dev, .ino = ino};
	*ret_net = replica_net_make(&a->replica, key.net);
	return *ret_net ? endpoint_record_parse(text, value + at, len_bytes - at, rec, err)
			: -ENOMEM;
}

static void load_one(void *arg, const char *key, const char *value, size_t len_bytes)
{
	struct agent *a = arg;
	struct endpoint_record rec;
	struct replica_net *net = NULL;
	struct netns_id netns;
	struct local_endpoint *le;
	struct err err = {0};
	char text[sizeof(err.path) + sizeof(err.reason) + 4];

	if (parse_one(a, value, len_bytes, &rec, &net, &netns, &err) < 0) {
		log_error("%s", err_text(&err, text, sizeof(text)));
		return;
	}
	a->seq = MAX_OF(a->seq, rec.seq);
	if (agent_endpoint_add(a, net, &rec, &netns, &le) < 0)
		endpoint_record_fini(&rec);
	else
		agent_endpoint_changed(a, le);
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
	if (!host || (host->known && !ip_equal(&host->rec.vtep, &a->vtep)))
		return;
	LIST_FOREACH (ep, &host->endpoints, of_host) {
		struct endpoint_record rec;
		struct local_endpoint *le;
		struct netns_id netns;

		a->seq = MAX_OF(a->seq, ep->rec.seq);
		if (agent_endpoint_by_id(a, ep->rec.id) || is_superseded(host, ep) ||
			a->opts.sandbox->ops->find(a->opts.sandbox, ep->rec.sandbox, &netns, NULL) <
				0 ||
			endpoint_record_copy(&ep->rec, &rec) < 0)
			continue;
		log_info("endpoint %s of network %s is taken over", rec.name, ep->net->rec.name);
		if (agent_endpoint_add(a, ep->net, &rec, &netns, &le) < 0) {
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
		if (!agent_endpoint_is_alive(a, le))
			agent_endpoint_container_gone(a, le);
	}
	return rc < 0 ? err_set_errno(err, rc, "state", "endpoints cannot be read") : 0;
}

// ---- the record in the store ----

struct record_write {
	struct pending pending;
	char id[ID_BYTES];
};

static void on_written(void *arg, int rc, uint64_t revision)
{
	struct record_write *w = arg;
	struct agent *a = w->pending.a;
	struct local_endpoint *le = agent_endpoint_by_id(a, w->id);

	if (le) {
		retry_done(&le->agent->write, rc, agent_now(a));
		le->agent->acked = rc == 0;
		le->agent->acked_us = agent_now(a);
	}
	pending_free(&w->pending);
	a->dirty = true;
	agent_kick(a);
}

static void write_record(
	struct agent *a, struct local_endpoint *le, const struct replica_endpoint *ep)
{
	struct record_write *w = pending_new(a, sizeof(*w));
	char key[RECORD_KEY_BYTES], *text = endpoint_record_print(&le->rec);

	if (!w || !text) {
		free(text);
		if (w)
			pending_free(&w->pending);
		return;
	}
	snprintf(w->id, ID_BYTES, "%s", le->rec.id);
	retry_start(&le->agent->write);
	if (ep)
		kv_swap(a->opts.kv, key_of(le, key), ep->revision, text, strlen(text), on_written,
			w);
	else
		kv_create(a->opts.kv, key_of(le, key), text, strlen(text), NULL, on_written, w);
	free(text);
}

void agent_endpoint_publish(struct agent *a, struct local_endpoint *le)
{
	struct replica_endpoint *ep = agent_endpoint_record(a, le), *won;
	struct ip_addr ip;

	le->stored =
		ep && ep->seen && !strcmp(ep->rec.id, le->rec.id) && ep->rec.seq == le->rec.seq;
	// Somebody may have deleted it before the watch could tell that it was there at all.
	if (le->agent->acked && !le->stored && agent_now(a) - le->agent->acked_us >= ACK_MAX_US)
		le->agent->acked = false;
	won = agent_endpoint_winner(a, le, &ip);
	if (le->state == ENDPOINT_CONFLICT && !won && le->agent->port_gone) {
		le->state = ENDPOINT_STARTING;
		le->agent->port_gone = false;
		agent_endpoint_changed(a, le);
		reconcile_endpoint_add(a->rec, le);
	}
	if (won && le->state != ENDPOINT_CONFLICT)
		agent_endpoint_lost_address(a, le, &ip, won);
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

	return le && le->state != ENDPOINT_STOPPING && !strcmp(key_of(le, key), ep->key);
}

void agent_endpoint_drop_unknown(struct agent *a, uint64_t now_us)
{
	struct replica_host *host = replica_host(&a->replica, a->conf->host);
	struct kv_op op[KV_TXN_OPS_MAX];
	struct replica_endpoint *ep;
	unsigned count = 0;
	// A transaction that fails for one is repeated for the first alone.
	unsigned max = a->drop.wait_us ? 1 : KV_TXN_OPS_MAX;

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
	retry_start(&a->drop);
	kv_txn(a->opts.kv, op, count, on_dropped, a);
}
