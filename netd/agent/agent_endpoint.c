// SPDX-License-Identifier: BSD-3-Clause
// The life of this host's endpoints: their ports in the switch, their interfaces in the containers,
// and their end.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ctrl/message.h"
#include "netd/agent/agent_priv.h"

#define CHECKED_A_RUN 8 // containers that are looked at

struct local_endpoint *agent_endpoint_by_id(const struct agent *a, const char *id)
{
	struct local_endpoint *le;

	HASH_FIND_STR(a->endpoints, id, le);
	return le;
}

struct local_endpoint *agent_endpoint_find(
	struct agent *a, struct replica_net *net, const char *name)
{
	struct local_endpoint *le;
	size_t len = strlen(name);

	LIST_FOREACH (le, &net->local_endpoints, of_net) {
		if (!strcmp(le->rec.name, name))
			return le;
	}
	LIST_FOREACH (le, &net->local_endpoints, of_net) {
		if (len >= 4 && !strncmp(le->rec.id, name, len))
			return le;
	}
	return NULL;
}

void agent_endpoint_changed(struct agent *a, struct local_endpoint *le)
{
	agent_names_local(a, le);
	agent_dns_local(a, le);
}

json_t *agent_endpoint_event(const struct local_endpoint *le, const char *reason)
{
	return json_pack("{s:s, s:s, s:s, s:s*}", "network", le->net->rec.name, "endpoint",
		le->rec.name, "id", le->rec.id, "reason", reason);
}
// ---- coming and going ----

// Takes the record over; the port is asked for at once.
int agent_endpoint_add(struct agent *a, struct replica_net *net, struct endpoint_record *rec,
	const struct netns_id *netns, struct local_endpoint **ret_le)
{
	struct local_endpoint *le = calloc(1, sizeof(*le));

	if (!le)
		return -ENOMEM;
	le->agent = calloc(1, sizeof(*le->agent));
	le->netns = *netns;
	if (!le->agent || agent_dns_local_add(a, le) < 0) {
		free(le->agent);
		free(le);
		return -ENOMEM;
	}
	le->rec = *rec;
	le->net = net;
	LIST_INSERT_HEAD(&net->local_endpoints, le, of_net);
	net->nb_local++;
	HASH_ADD_STR(a->endpoints, rec.id, le);
	agent_use_ips(net, &le->rec);
	if (net->known)
		reconcile_endpoint_add(a->rec, le);
	*ret_le = le;
	return 0;
}

static void endpoint_free(struct agent *a, struct local_endpoint *le)
{
	struct replica_net *net = le->net;

	agent_names_local_gone(a, le);
	agent_dns_local_gone(a, le);
	LIST_REMOVE(le, of_net);
	net->nb_local--;
	HASH_DEL(a->endpoints, le);
	agent_release_ips(a, net, &le->rec);
	endpoint_record_fini(&le->rec);
	free(le->agent);
	free(le);
}

static void endpoint_answer(
	struct agent *a, struct local_endpoint *le, int rc, json_t *result, const struct err *err)
{
	agent_done_fn *done = le->agent->done;

	le->agent->done = NULL;
	if (done)
		done(le->agent->done_arg, rc, result, err);
	json_decref(result);
}

void agent_endpoint_free_all(struct agent *a)
{
	struct local_endpoint *le = a->endpoints, *next;
	struct err err = {0};

	err_set(&err, -ESHUTDOWN, "vsnetd", "is stopping");
	for (; le; le = next) {
		next = le->hh.next;
		endpoint_answer(a, le, -ESHUTDOWN, NULL, &err);
		endpoint_free(a, le);
	}
}

void agent_endpoint_stop(struct agent *a, struct local_endpoint *le)
{
	bool is_off;

	le->agent->readdress = false;
	agent_endpoint_forget(a, le);
	a->dirty = true;
	if (le->state == ENDPOINT_STOPPING)
		return;
	// The port of one that has lost its address is off, or is about to be.
	is_off = le->state == ENDPOINT_CONFLICT;
	le->agent->port_gone &= is_off;
	le->state = ENDPOINT_STOPPING;
	agent_endpoint_changed(a, le);
	agent_event(a, "endpoint.down", agent_endpoint_event(le, NULL));
	if (!is_off)
		reconcile_endpoint_del(a->rec, le);
}

// A network whose record came after the endpoints: they can have ports now.
void agent_endpoint_net_known(struct agent *a, struct replica_net *net)
{
	struct local_endpoint *le;

	LIST_FOREACH (le, &net->local_endpoints, of_net) {
		if (le->state != ENDPOINT_STOPPING && le->state != ENDPOINT_CONFLICT)
			reconcile_endpoint_add(a->rec, le);
	}
}

// The network is gone as well, and this was what held it.
static void release_net(struct agent *a, struct replica_net *net)
{
	if (net->nb_local)
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
static bool finish_stop(struct agent *a, struct local_endpoint *le)
{
	struct replica_endpoint *ep = agent_endpoint_record(a, le);
	struct replica_net *net = le->net;
	// What was acknowledged is there, although the watch has not told of it yet.
	bool is_stored = le->agent->acked || (a->beginning && !net->local) ||
			 (ep && ep->seen && !ep->dropping && !strcmp(ep->rec.id, le->rec.id));

	if (!le->agent->port_gone || le->agent->write.busy ||
		(is_stored && agent_can_write(a) && agent_now(a) < le->agent->deadline_us))
		return false;
	endpoint_answer(a, le, 0, agent_endpoint_json(le), NULL);
	endpoint_free(a, le);
	release_net(a, net);
	return true;
}
// ---- the port and the container ----

void agent_endpoint_failed(
	struct agent *a, struct local_endpoint *le, int rc, const struct err *err)
{
	char text[sizeof(err->path) + sizeof(err->reason) + 4];

	err_text(err, text, sizeof(text));
	if (le->agent->done) {
		endpoint_answer(a, le, rc, NULL, err);
		agent_endpoint_stop(a, le);
		return;
	}
	if (le->state != ENDPOINT_FAILED || strcmp(le->reason, text))
		log_warn("endpoint %s of network %s: %s", le->rec.name, le->net->rec.name, text);
	le->state = ENDPOINT_FAILED;
	snprintf(le->reason, sizeof(le->reason), "%.255s", text);
	agent_endpoint_changed(a, le);
}

bool agent_endpoint_is_alive(struct agent *a, const struct local_endpoint *le)
{
	return a->opts.sandbox->ops->alive(a->opts.sandbox, le->rec.sandbox, &le->netns);
}

// Whoever waits for it to come is told why it goes.
static void endpoint_lost(struct agent *a, struct local_endpoint *le, const char *why)
{
	struct err err = {0};

	log_info("endpoint %s of network %s (%s): %s", le->rec.name, le->net->rec.name,
		le->rec.sandbox, why);
	err_set(&err, -ENOENT, le->rec.name, "%s", why);
	endpoint_answer(a, le, -ENOENT, NULL, &err);
	agent_endpoint_stop(a, le);
}

void agent_endpoint_container_gone(struct agent *a, struct local_endpoint *le)
{
	endpoint_lost(a, le, "its container has gone");
}

static void configure(struct agent *a, struct local_endpoint *le)
{
	struct err err = {0};
	int rc = a->opts.sandbox->ops->configure(a->opts.sandbox, le, &err);

	retry_done(&le->agent->configure, rc, agent_now(a));
	if (rc < 0) {
		agent_endpoint_failed(a, le, rc, &err);
		return;
	}
	if (le->state != ENDPOINT_UP)
		agent_event(a, "endpoint.up", agent_endpoint_event(le, NULL));
	le->state = ENDPOINT_UP;
	le->reason[0] = '\0';
	agent_endpoint_changed(a, le);
	a->dirty = true;
}

void agent_port(void *arg, struct local_endpoint *le, int rc, const struct err *err)
{
	struct agent *a = arg;

	if (le->state == ENDPOINT_STOPPING || le->state == ENDPOINT_CONFLICT)
		return;
	le->agent->port_up = rc == 0;
	if (rc == 0)
		configure(a, le);
	else if (!agent_endpoint_is_alive(a, le))
		agent_endpoint_container_gone(a, le);
	else
		agent_endpoint_failed(a, le, rc, err);
	a->dirty = true;
	agent_kick(a);
}

void agent_port_gone(void *arg, struct local_endpoint *le)
{
	struct agent *a = arg;

	le->agent->port_gone = true;
	le->agent->port_up = false;
	a->dirty = true;
	agent_kick(a);
}

void agent_port_down(void *arg, struct local_endpoint *le, const char *reason)
{
	struct agent *a = arg;

	if (le->state != ENDPOINT_STOPPING && !agent_endpoint_is_alive(a, le))
		agent_endpoint_container_gone(a, le);
	agent_kick(a);
}
// ---- what is due ----

static json_t *connected(struct agent *a, struct local_endpoint *le)
{
	json_t *result = agent_endpoint_json(le);
	char text[400];

	if (le->net->local || le->stored || le->agent->acked)
		return result;
	snprintf(text, sizeof(text),
		"the store cannot be reached: %s; other hosts learn of %s when it is back",
		agent_store_reason(a), le->rec.name);
	json_object_set_new(result, "warning", json_string(text));
	return result;
}

// Whoever waits for a port that does not come is told.
static void check_deadline(struct agent *a, struct local_endpoint *le, uint64_t now_us)
{
	struct err err = {0};

	if (!le->agent->done || le->state == ENDPOINT_UP || now_us < le->agent->port_deadline_us)
		return;
	err_set(&err, -ETIMEDOUT, le->rec.name, "the switch did not make its port in time");
	agent_endpoint_failed(a, le, -ETIMEDOUT, &err);
}

static void endpoint_run(struct agent *a, struct local_endpoint *le, uint64_t now_us)
{
	bool is_stored;

	if (agent_net_is_gone(a, le->net) && le->state != ENDPOINT_STOPPING)
		endpoint_lost(a, le, "its network was deleted");
	if (le->state == ENDPOINT_STOPPING && le->agent->readdress && le->agent->port_gone)
		agent_endpoint_readdress(a, le);
	if (le->state == ENDPOINT_STOPPING) {
		if (!le->agent->readdress)
			finish_stop(a, le);
		return;
	}
	if (le->agent->port_up && le->state == ENDPOINT_FAILED &&
		retry_due(&le->agent->configure, now_us))
		configure(a, le);
	if (!le->net->local && agent_is_current(a) && le->state != ENDPOINT_STOPPING)
		agent_endpoint_publish(a, le);
	check_deadline(a, le, now_us);
	is_stored = le->net->local || le->stored || le->agent->acked;
	if (le->agent->done && le->state == ENDPOINT_UP &&
		(is_stored || !agent_can_write(a) || now_us >= le->agent->deadline_us))
		endpoint_answer(a, le, 0, connected(a, le), NULL);
}

// A few containers a time, in turn: the switch tells when one goes, but it may have been away.
static void check_containers(struct agent *a)
{
	struct local_endpoint *le = agent_endpoint_by_id(a, a->checked), *next;

	le = le && le->hh.next ? le->hh.next : a->endpoints;
	for (unsigned i = 0; le && i < CHECKED_A_RUN; i++, le = next) {
		next = le->hh.next;
		snprintf(a->checked, ID_BYTES, "%s", le->rec.id);
		if (le->state != ENDPOINT_STOPPING && !agent_endpoint_is_alive(a, le))
			agent_endpoint_container_gone(a, le);
	}
}

void agent_endpoint_run(struct agent *a, uint64_t now_us)
{
	struct local_endpoint *le = a->endpoints, *next;

	if (now_us >= a->check_at_us) {
		a->check_at_us = now_us + SECOND_US / 2;
		check_containers(a);
	}
	for (; le; le = next) {
		next = le->hh.next;
		endpoint_run(a, le, now_us);
	}
	if (agent_is_member(a))
		agent_endpoint_drop_unknown(a, now_us);
}

json_t *agent_endpoint_json(const struct local_endpoint *le)
{
	static const char *const states[] = {[ENDPOINT_STARTING] = "starting",
		[ENDPOINT_UP] = "up",
		[ENDPOINT_FAILED] = "failed",
		[ENDPOINT_CONFLICT] = "conflict",
		[ENDPOINT_STOPPING] = "stopping"};
	json_t *obj = endpoint_record_json(&le->rec);

	if (!obj)
		return NULL;
	json_object_set_new(obj, "state", json_string(states[le->state]));
	if (le->reason[0])
		json_object_set_new(obj, "reason", ctrl_json_text(le->reason));
	if (le->agent->container->problem[0])
		json_object_set_new(
			obj, "dns_problem", ctrl_json_text(le->agent->container->problem));
	return obj;
}
