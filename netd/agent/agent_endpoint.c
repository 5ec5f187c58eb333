// SPDX-License-Identifier: BSD-3-Clause
// This host's endpoints: their records are kept in the store, their ports in the switch, their
// interfaces in the containers. This host alone writes its endpoints; what the store has of it
// beyond these is deleted.
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ctrl/message.h"
#include "netd/agent/agent_priv.h"

#define LOCAL_OWN     "own/"
#define CHECKED_A_RUN 8		      // containers that are looked at
#define ACK_MAX_US    (5 * SECOND_US) // until the watch shows what the store has taken

struct local_endpoint *agent_endpoint_by_id(const struct agent *a, const char *id)
{
	struct local_endpoint *own;

	HASH_FIND_STR(a->own, id, own);
	return own;
}

struct local_endpoint *agent_endpoint_find(
	struct agent *a, struct replica_net *net, const char *name)
{
	struct local_endpoint *own;
	size_t len = strlen(name);

	LIST_FOREACH (own, &net->own, of_net) {
		if (!strcmp(own->rec.name, name))
			return own;
	}
	LIST_FOREACH (own, &net->own, of_net) {
		if (len >= 4 && !strncmp(own->rec.id, name, len))
			return own;
	}
	return NULL;
}

static const char *key_of(const struct local_endpoint *own, char *buf)
{
	return record_key_endpoint(buf, own->net->id, &own->rec.ips[0].ip);
}

struct replica_endpoint *agent_endpoint_record(struct agent *a, const struct local_endpoint *own)
{
	char key[RECORD_KEY_BYTES];

	return own->rec.nb_ips ? replica_endpoint(&a->replica, key_of(own, key)) : NULL;
}

// Its state is another one: names follow at once.
static void own_changed(struct agent *a, struct local_endpoint *own)
{
	agent_names_own(a, own);
	agent_dns_own(a, own);
}

static json_t *own_event(const struct local_endpoint *own, const char *reason)
{
	return json_pack("{s:s, s:s, s:s, s:s*}", "network", own->net->rec.name, "endpoint",
		own->rec.name, "id", own->rec.id, "reason", reason);
}

// ---- on disk ----

static const char *local_key(
	const struct local_endpoint *own, char buf[ID_BYTES + sizeof(LOCAL_OWN)])
{
	snprintf(buf, ID_BYTES + sizeof(LOCAL_OWN), LOCAL_OWN "%s", own->rec.id);
	return buf;
}

// A value is the record's key, device and inode of the namespace, and the record.
int agent_endpoint_save(struct agent *a, struct local_endpoint *own)
{
	char key[ID_BYTES + sizeof(LOCAL_OWN)], stored[RECORD_KEY_BYTES];
	char *record = endpoint_record_print(&own->rec), *value;
	int rc, len;

	if (!record)
		return -ENOMEM;
	len = asprintf(&value, "%s %" PRIu64 " %" PRIu64 " %s", key_of(own, stored),
		(uint64_t)own->netns.dev, (uint64_t)own->netns.ino, record);
	free(record);
	if (len < 0)
		return -ENOMEM;
	rc = agent_state_put(a, local_key(own, key), value, len);
	free(value);
	return rc;
}

static void forget(struct agent *a, const struct local_endpoint *own)
{
	char key[ID_BYTES + sizeof(LOCAL_OWN)];

	agent_state_del(a, local_key(own, key));
}

static int parse_own(struct agent *a, const char *value, size_t len_bytes,
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

static void load_own(void *arg, const char *key, const char *value, size_t len_bytes)
{
	struct agent *a = arg;
	struct endpoint_record rec;
	struct replica_net *net = NULL;
	struct netns_id netns;
	struct local_endpoint *own;
	struct err err = {0};
	char text[sizeof(err.path) + sizeof(err.reason) + 4];

	if (parse_own(a, value, len_bytes, &rec, &net, &netns, &err) < 0) {
		log_error("%s", err_text(&err, text, sizeof(text)));
		return;
	}
	a->seq = MAX_OF(a->seq, rec.seq);
	if (agent_endpoint_add(a, net, &rec, &netns, &own) < 0)
		endpoint_record_fini(&rec);
	else
		own_changed(a, own);
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
		struct local_endpoint *own;
		struct netns_id netns;

		a->seq = MAX_OF(a->seq, ep->rec.seq);
		if (agent_endpoint_by_id(a, ep->rec.id) || is_superseded(host, ep) ||
			a->opts.sandbox->ops->find(a->opts.sandbox, ep->rec.sandbox, &netns, NULL) <
				0 ||
			endpoint_record_copy(&ep->rec, &rec) < 0)
			continue;
		log_info("endpoint %s of network %s is taken over", rec.name, ep->net->rec.name);
		if (agent_endpoint_add(a, ep->net, &rec, &netns, &own) < 0) {
			endpoint_record_fini(&rec);
			continue;
		}
		agent_endpoint_save(a, own);
		own_changed(a, own);
	}
}

// ---- coming and going ----

// Takes the record over; the port is asked for at once.
int agent_endpoint_add(struct agent *a, struct replica_net *net, struct endpoint_record *rec,
	const struct netns_id *netns, struct local_endpoint **ret_own)
{
	struct local_endpoint *own = calloc(1, sizeof(*own));

	if (!own)
		return -ENOMEM;
	own->agent = calloc(1, sizeof(*own->agent));
	own->netns = *netns;
	if (!own->agent || agent_dns_own_add(a, own) < 0) {
		free(own->agent);
		free(own);
		return -ENOMEM;
	}
	own->rec = *rec;
	own->net = net;
	LIST_INSERT_HEAD(&net->own, own, of_net);
	net->nb_own++;
	HASH_ADD_STR(a->own, rec.id, own);
	agent_use_ips(net, &own->rec);
	if (net->known)
		reconcile_endpoint_add(a->rec, own);
	*ret_own = own;
	return 0;
}

static void own_free(struct agent *a, struct local_endpoint *own)
{
	struct replica_net *net = own->net;

	agent_names_own_gone(a, own);
	agent_dns_own_gone(a, own);
	LIST_REMOVE(own, of_net);
	net->nb_own--;
	HASH_DEL(a->own, own);
	agent_release_ips(a, net, &own->rec);
	endpoint_record_fini(&own->rec);
	free(own->agent);
	free(own);
}

static void own_answer(
	struct agent *a, struct local_endpoint *own, int rc, json_t *result, const struct err *err)
{
	agent_done_fn *done = own->agent->done;

	own->agent->done = NULL;
	if (done)
		done(own->agent->done_arg, rc, result, err);
	json_decref(result);
}

void agent_endpoint_free_all(struct agent *a)
{
	struct local_endpoint *own = a->own, *next;
	struct err err = {0};

	err_set(&err, -ESHUTDOWN, "vsnetd", "is stopping");
	for (; own; own = next) {
		next = own->hh.next;
		own_answer(a, own, -ESHUTDOWN, NULL, &err);
		own_free(a, own);
	}
}

void agent_endpoint_stop(struct agent *a, struct local_endpoint *own)
{
	bool is_off;

	own->agent->readdress = false;
	forget(a, own);
	a->dirty = true;
	if (own->state == ENDPOINT_STOPPING)
		return;
	// The port of one that has lost its address is off, or is about to be.
	is_off = own->state == ENDPOINT_CONFLICT;
	own->agent->port_gone &= is_off;
	own->state = ENDPOINT_STOPPING;
	own_changed(a, own);
	agent_event(a, "endpoint.down", own_event(own, NULL));
	if (!is_off)
		reconcile_endpoint_del(a->rec, own);
}

// A network whose record came after the endpoints: they can have ports now.
void agent_endpoint_net_known(struct agent *a, struct replica_net *net)
{
	struct local_endpoint *own;

	LIST_FOREACH (own, &net->own, of_net) {
		if (own->state != ENDPOINT_STOPPING && own->state != ENDPOINT_CONFLICT)
			reconcile_endpoint_add(a->rec, own);
	}
}

// The network is gone as well, and this was what held it.
static void release_net(struct agent *a, struct replica_net *net)
{
	if (net->nb_own)
		return;
	reconcile_net(a->rec, net);
	if (net->known)
		return;
	reconcile_net_gone(a->rec, net);
	agent_dns_gateway_down(a, net);
	agent_net_drop(a, net);
	replica_net_tidy(&a->replica, net);
}

// A stopped endpoint ends when the switch has let go and the store, if it is there, as well.
static bool finish_stop(struct agent *a, struct local_endpoint *own)
{
	struct replica_endpoint *ep = agent_endpoint_record(a, own);
	struct replica_net *net = own->net;
	// What was acknowledged is there, although the watch has not told of it yet.
	bool is_stored = own->agent->acked || (a->beginning && !net->local) ||
			 (ep && ep->seen && !ep->dropping && !strcmp(ep->rec.id, own->rec.id));

	if (!own->agent->port_gone || own->agent->write.busy ||
		(is_stored && agent_can_write(a) && agent_now(a) < own->agent->deadline_us))
		return false;
	own_answer(a, own, 0, agent_endpoint_json(own), NULL);
	own_free(a, own);
	release_net(a, net);
	return true;
}

// ---- the port and the container ----

static void own_failed(struct agent *a, struct local_endpoint *own, int rc, const struct err *err)
{
	char text[sizeof(err->path) + sizeof(err->reason) + 4];

	err_text(err, text, sizeof(text));
	if (own->agent->done) {
		own_answer(a, own, rc, NULL, err);
		agent_endpoint_stop(a, own);
		return;
	}
	if (own->state != ENDPOINT_FAILED || strcmp(own->reason, text))
		log_warn("endpoint %s of network %s: %s", own->rec.name, own->net->rec.name, text);
	own->state = ENDPOINT_FAILED;
	snprintf(own->reason, sizeof(own->reason), "%.255s", text);
	own_changed(a, own);
}

static bool is_alive(struct agent *a, const struct local_endpoint *own)
{
	return a->opts.sandbox->ops->alive(a->opts.sandbox, own->rec.sandbox, &own->netns);
}

// Whoever waits for it to come is told why it goes.
static void own_lost(struct agent *a, struct local_endpoint *own, const char *why)
{
	struct err err = {0};

	log_info("endpoint %s of network %s (%s): %s", own->rec.name, own->net->rec.name,
		own->rec.sandbox, why);
	err_set(&err, -ENOENT, own->rec.name, "%s", why);
	own_answer(a, own, -ENOENT, NULL, &err);
	agent_endpoint_stop(a, own);
}

void agent_endpoint_container_gone(struct agent *a, struct local_endpoint *own)
{
	own_lost(a, own, "its container has gone");
}

// Containers that went while nobody looked are not to claim anything any more.
int agent_endpoint_load(struct agent *a, struct err *err)
{
	int rc = a->opts.local->ops->each(a->opts.local, LOCAL_OWN, load_own, a);
	struct local_endpoint *own, *next;

	HASH_ITER(hh, a->own, own, next)
	{
		if (!is_alive(a, own))
			agent_endpoint_container_gone(a, own);
	}
	return rc < 0 ? err_set_errno(err, rc, "state", "endpoints cannot be read") : 0;
}

static void configure(struct agent *a, struct local_endpoint *own)
{
	struct err err = {0};
	int rc = a->opts.sandbox->ops->configure(a->opts.sandbox, own, &err);

	retry_done(&own->agent->configure, rc, agent_now(a));
	if (rc < 0) {
		own_failed(a, own, rc, &err);
		return;
	}
	if (own->state != ENDPOINT_UP)
		agent_event(a, "endpoint.up", own_event(own, NULL));
	own->state = ENDPOINT_UP;
	own->reason[0] = '\0';
	own_changed(a, own);
	a->dirty = true;
}

void agent_port(void *arg, struct local_endpoint *own, int rc, const struct err *err)
{
	struct agent *a = arg;

	if (own->state == ENDPOINT_STOPPING || own->state == ENDPOINT_CONFLICT)
		return;
	own->agent->port_up = rc == 0;
	if (rc == 0)
		configure(a, own);
	else if (!is_alive(a, own))
		agent_endpoint_container_gone(a, own);
	else
		own_failed(a, own, rc, err);
	a->dirty = true;
	agent_kick(a);
}

void agent_port_gone(void *arg, struct local_endpoint *own)
{
	struct agent *a = arg;

	own->agent->port_gone = true;
	own->agent->port_up = false;
	a->dirty = true;
	agent_kick(a);
}

void agent_port_down(void *arg, struct local_endpoint *own, const char *reason)
{
	struct agent *a = arg;

	if (own->state != ENDPOINT_STOPPING && !is_alive(a, own))
		agent_endpoint_container_gone(a, own);
	agent_kick(a);
}

// ---- addresses that somebody else has won ----

// The record that has one of the endpoint's addresses (`ret_ip`), with more right to it. NULL:
// none.
static struct replica_endpoint *winner(
	struct agent *a, const struct local_endpoint *own, struct ip_addr *ret_ip)
{
	for (unsigned i = 0; i < own->rec.nb_ips; i++) {
		struct replica_endpoint *ep =
			replica_by_ip(&a->replica, own->net->id, &own->rec.ips[i].ip);
		// Nobody was told yet that it has the address: who has it keeps it, unless it was
		// silent and is taken over.
		bool is_first =
			own->agent->done && ep && ep->host->present && !own->agent->takes_over;

		if (ep && ep->seen && strcmp(ep->rec.id, own->rec.id) != 0 &&
			strcmp(ep->rec.host, a->conf->host) != 0 &&
			(is_first || endpoint_record_compare(&ep->rec, &own->rec) > 0)) {
			*ret_ip = own->rec.ips[i].ip;
			return ep;
		}
	}
	return NULL;
}

static void lost_address(struct agent *a, struct local_endpoint *own, const struct ip_addr *ip,
	const struct replica_endpoint *ep)
{
	struct err err = {0};
	char text[IP_TEXT_BYTES];

	snprintf(own->reason, sizeof(own->reason), "%s is %s's on host %s", ip_format(ip, text),
		ep->rec.name, ep->rec.host);
	if (own->rec.is_static && own->agent->done) {
		err_set(&err, -EADDRINUSE, own->rec.name, "%s", own->reason);
		own_failed(a, own, -EADDRINUSE, &err);
		return;
	}
	log_warn("endpoint %s of network %s: %s; %s", own->rec.name, own->net->rec.name,
		own->reason,
		own->rec.is_static ? "it is off until that has gone" : "it gets another address");
	agent_event(a, "endpoint.conflict", own_event(own, own->reason));
	own->agent->readdress = !own->rec.is_static;
	own->agent->port_gone = false;
	own->agent->port_up = false;
	own->state = own->rec.is_static ? ENDPOINT_CONFLICT : ENDPOINT_STOPPING;
	own_changed(a, own);
	reconcile_endpoint_del(a->rec, own);
}

// The old address is gone from the switch: the endpoint comes back with another.
static void readdress(struct agent *a, struct local_endpoint *own)
{
	struct cidr ips[RECORD_IPS_MAX];
	uint64_t epoch = 0;
	struct err err = {0};

	for (unsigned i = 0; i < own->rec.nb_ips; i++) {
		uint64_t e;

		if (agent_take_ip(a, own->net, own->rec.ips[i].ip.family, &ips[i], &e, &err) < 0)
			return; // again at the next look
		epoch = MAX_OF(epoch, e);
	}
	forget(a, own);
	HASH_DEL(a->own, own);
	agent_release_ips(a, own->net, &own->rec);
	memcpy(own->rec.ips, ips, own->rec.nb_ips * sizeof(*ips));
	agent_make_id(a, own->rec.id);
	own->rec.mac = ipam_mac(&ips[0].ip);
	own->rec.epoch = epoch;
	own->rec.seq = agent_next_seq(a);
	agent_use_ips(own->net, &own->rec);
	HASH_ADD_STR(a->own, rec.id, own);
	agent_endpoint_save(a, own);
	own->agent->readdress = own->agent->port_gone = own->agent->acked = false;
	// A write of the old record that is under way finds nobody when it ends.
	own->agent->write = (struct retry){0};
	own->state = ENDPOINT_STARTING;
	own_changed(a, own);
	reconcile_endpoint_add(a->rec, own);
}

// ---- the record in the store ----

struct own_write {
	struct pending pending;
	char id[ID_BYTES];
};

static void on_written(void *arg, int rc, uint64_t revision)
{
	struct own_write *w = arg;
	struct agent *a = w->pending.a;
	struct local_endpoint *own = agent_endpoint_by_id(a, w->id);

	if (own) {
		retry_done(&own->agent->write, rc, agent_now(a));
		own->agent->acked = rc == 0;
		own->agent->acked_us = agent_now(a);
	}
	pending_free(&w->pending);
	a->dirty = true;
	agent_kick(a);
}

static void write_record(
	struct agent *a, struct local_endpoint *own, const struct replica_endpoint *ep)
{
	struct own_write *w = pending_new(a, sizeof(*w));
	char key[RECORD_KEY_BYTES], *text = endpoint_record_print(&own->rec);

	if (!w || !text) {
		free(text);
		if (w)
			pending_free(&w->pending);
		return;
	}
	snprintf(w->id, ID_BYTES, "%s", own->rec.id);
	retry_start(&own->agent->write);
	if (ep)
		kv_swap(a->opts.kv, key_of(own, key), ep->revision, text, strlen(text), on_written,
			w);
	else
		kv_create(a->opts.kv, key_of(own, key), text, strlen(text), NULL, on_written, w);
	free(text);
}

static void publish(struct agent *a, struct local_endpoint *own)
{
	struct replica_endpoint *ep = agent_endpoint_record(a, own), *won;
	struct ip_addr ip;

	own->stored =
		ep && ep->seen && !strcmp(ep->rec.id, own->rec.id) && ep->rec.seq == own->rec.seq;
	// Somebody may have deleted it before the watch could tell that it was there at all.
	if (own->agent->acked && !own->stored && agent_now(a) - own->agent->acked_us >= ACK_MAX_US)
		own->agent->acked = false;
	won = winner(a, own, &ip);
	if (own->state == ENDPOINT_CONFLICT && !won && own->agent->port_gone) {
		own->state = ENDPOINT_STARTING;
		own->agent->port_gone = false;
		own_changed(a, own);
		reconcile_endpoint_add(a->rec, own);
	}
	if (won && own->state != ENDPOINT_CONFLICT)
		lost_address(a, own, &ip, won);
	else if (!won && !own->stored && !own->agent->acked && agent_is_member(a) &&
		 retry_due(&own->agent->write, agent_now(a)))
		write_record(a, own, ep && ep->seen ? ep : NULL);
}

// An endpoint in the replica changed: one of ours, or one that has an address of ours.
void agent_endpoint_remote_changed(struct agent *a, struct replica_endpoint *ep, bool gone)
{
	struct local_endpoint *own;

	ep->dropping = false;
	if (!strcmp(ep->rec.host, a->conf->host))
		a->dirty = true;
	LIST_FOREACH (own, &ep->net->own, of_net) {
		for (unsigned i = 0; i < own->rec.nb_ips * ep->rec.nb_ips; i++) {
			if (!ip_equal(&own->rec.ips[i / ep->rec.nb_ips].ip,
				    &ep->rec.ips[i % ep->rec.nb_ips].ip))
				continue;
			own->agent->acked = false;
			a->dirty = true;
		}
	}
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
	struct local_endpoint *own = agent_endpoint_by_id(a, ep->rec.id);
	char key[RECORD_KEY_BYTES];

	return own && own->state != ENDPOINT_STOPPING && !strcmp(key_of(own, key), ep->key);
}

static void drop_unknown(struct agent *a, uint64_t now_us)
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

// ---- what is due ----

static json_t *connected(struct agent *a, struct local_endpoint *own)
{
	json_t *result = agent_endpoint_json(own);
	char text[400];

	if (own->net->local || own->stored || own->agent->acked)
		return result;
	snprintf(text, sizeof(text),
		"the store cannot be reached: %s; other hosts learn of %s when it is back",
		agent_store_reason(a), own->rec.name);
	json_object_set_new(result, "warning", json_string(text));
	return result;
}

// Whoever waits for a port that does not come is told.
static void check_deadline(struct agent *a, struct local_endpoint *own, uint64_t now_us)
{
	struct err err = {0};

	if (!own->agent->done || own->state == ENDPOINT_UP || now_us < own->agent->port_deadline_us)
		return;
	err_set(&err, -ETIMEDOUT, own->rec.name, "the switch did not make its port in time");
	own_failed(a, own, -ETIMEDOUT, &err);
}

static void own_run(struct agent *a, struct local_endpoint *own, uint64_t now_us)
{
	bool is_stored;

	if (agent_net_is_gone(a, own->net) && own->state != ENDPOINT_STOPPING)
		own_lost(a, own, "its network was deleted");
	if (own->state == ENDPOINT_STOPPING && own->agent->readdress && own->agent->port_gone)
		readdress(a, own);
	if (own->state == ENDPOINT_STOPPING) {
		if (!own->agent->readdress)
			finish_stop(a, own);
		return;
	}
	if (own->agent->port_up && own->state == ENDPOINT_FAILED &&
		retry_due(&own->agent->configure, now_us))
		configure(a, own);
	if (!own->net->local && agent_is_current(a) && own->state != ENDPOINT_STOPPING)
		publish(a, own);
	check_deadline(a, own, now_us);
	is_stored = own->net->local || own->stored || own->agent->acked;
	if (own->agent->done && own->state == ENDPOINT_UP &&
		(is_stored || !agent_can_write(a) || now_us >= own->agent->deadline_us))
		own_answer(a, own, 0, connected(a, own), NULL);
}

// A few containers a time, in turn: the switch tells when one goes, but it may have been away.
static void check_containers(struct agent *a)
{
	struct local_endpoint *own = agent_endpoint_by_id(a, a->checked), *next;

	own = own && own->hh.next ? own->hh.next : a->own;
	for (unsigned i = 0; own && i < CHECKED_A_RUN; i++, own = next) {
		next = own->hh.next;
		snprintf(a->checked, ID_BYTES, "%s", own->rec.id);
		if (own->state != ENDPOINT_STOPPING && !is_alive(a, own))
			agent_endpoint_container_gone(a, own);
	}
}

void agent_endpoint_run(struct agent *a, uint64_t now_us)
{
	struct local_endpoint *own = a->own, *next;

	if (now_us >= a->check_at_us) {
		a->check_at_us = now_us + SECOND_US / 2;
		check_containers(a);
	}
	for (; own; own = next) {
		next = own->hh.next;
		own_run(a, own, now_us);
	}
	if (agent_is_member(a))
		drop_unknown(a, now_us);
}

json_t *agent_endpoint_json(const struct local_endpoint *own)
{
	static const char *const states[] = {[ENDPOINT_STARTING] = "starting",
		[ENDPOINT_UP] = "up",
		[ENDPOINT_FAILED] = "failed",
		[ENDPOINT_CONFLICT] = "conflict",
		[ENDPOINT_STOPPING] = "stopping"};
	json_t *obj = endpoint_record_json(&own->rec);

	if (!obj)
		return NULL;
	json_object_set_new(obj, "state", json_string(states[own->state]));
	if (own->reason[0])
		json_object_set_new(obj, "reason", ctrl_json_text(own->reason));
	if (own->agent->container->problem[0])
		json_object_set_new(
			obj, "dns_problem", ctrl_json_text(own->agent->container->problem));
	return obj;
}
