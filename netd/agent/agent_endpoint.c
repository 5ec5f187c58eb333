// SPDX-License-Identifier: BSD-3-Clause
// This host's endpoints: their ports in the switch, their interfaces in the containers, and what is
// due of them. What happens to one is an event of its life (agent_endpoint_life.h).
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ctrl/message.h"
#include "netd/agent/agent_priv.h"

#define CHECKED_A_RUN 16 // containers that are looked at

// ---- finding them ----

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
		if (record_name_same(le->rec.name, name))
			return le;
	}
	LIST_FOREACH (le, &net->local_endpoints, of_net) {
		if (len >= 4 && le->rec.name[0] && !strncmp(le->rec.id, name, len))
			return le;
	}
	return NULL;
}

void agent_endpoint_changed(struct agent *a, struct local_endpoint *le)
{
	agent_names_local(a, le);
	agent_dns_local(a, le);
}

// ---- coming and going ----

// Takes the record over.
int agent_endpoint_add(struct agent *a, struct replica_net *net, struct endpoint_record *rec,
	const struct netns_id *netns, enum local_endpoint_state state,
	struct local_endpoint **ret_le)
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
	endpoint_begin(a, le, state);
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
	if (!le->agent->let_go)
		agent_release_ips(a, net, &le->rec);
	endpoint_record_fini(&le->rec);
	json_decref(le->agent->asked);
	free(le->agent->why);
	free(le->agent->caller_id);
	free(le->agent->address_id);
	free(le->agent);
	free(le);
}

void agent_endpoint_free_all(struct agent *a)
{
	struct local_endpoint *le = a->endpoints, *next;

	for (; le; le = next) {
		next = le->hh.next;
		endpoint_free(a, le);
	}
}

// From now on a restart does not know it any more.
void agent_endpoint_stop(struct agent *a, struct local_endpoint *le)
{
	agent_endpoint_forget(a, le);
	endpoint_happens(a, le, EVENT_STOP);
}

// What is on disk has no namespace from now on.
static void save_left(struct agent *a, struct local_endpoint *le)
{
	if (agent_endpoint_save(a, le) < 0)
		log_error("endpoint %s of network %s: cannot be kept in the state folder",
			le->rec.name, le->net->rec.name);
}

// It keeps its addresses.
void agent_endpoint_leave(struct agent *a, struct local_endpoint *le)
{
	endpoint_happens(a, le, EVENT_LEAVE);
	save_left(a, le);
}

int agent_endpoint_attach(struct agent *a, struct local_endpoint *le, const struct netns_id *netns,
	const char *sandbox, const char *ifname)
{
	int rc = agent_dns_local_move(a, le, netns);

	if (rc < 0)
		return rc;
	snprintf(le->rec.sandbox, sizeof(le->rec.sandbox), "%s", sandbox);
	snprintf(le->rec.ifname, sizeof(le->rec.ifname), "%s", ifname);
	le->reason[0] = '\0';
	free(le->agent->why);
	le->agent->why = NULL;
	return 0;
}

void agent_endpoint_detach(struct agent *a, struct local_endpoint *le)
{
	if (agent_dns_local_move(a, le, &(struct netns_id){0}) < 0)
		log_error("endpoint %s of network %s: out of memory", le->rec.name,
			le->net->rec.name);
	le->rec.sandbox[0] = le->rec.ifname[0] = '\0';
}

// The endpoint goes, its first address stays: it is held for itself.
void agent_endpoint_to_address(struct agent *a, struct local_endpoint *le)
{
	struct endpoint_record before = le->rec;

	if (endpoint_is_inside(le))
		agent_endpoint_leave(a, le);
	le->rec.nb_ips = 1;
	if (!le->agent->let_go) {
		agent_use_ips(le->net, &le->rec);
		agent_release_ips(a, le->net, &before);
	}
	le->rec.name[0] = '\0';
	le->rec.mac = ipam_mac(&le->rec.ips[0].ip);
	endpoint_record_fini(&le->rec);
	free(le->agent->caller_id);
	le->agent->caller_id = NULL;
	json_object_del(le->agent->asked, "endpoint");
	save_left(a, le);
}

// A network whose record came after the endpoints: they can have ports now.
void agent_endpoint_net_known(struct agent *a, struct replica_net *net)
{
	struct local_endpoint *le;

	LIST_FOREACH (le, &net->local_endpoints, of_net) {
		if (local_endpoint_wants_port(le))
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

// A stopped endpoint ends when the store, if it can be reached, has let go of its record.
static void finish_stop(struct agent *a, struct local_endpoint *le)
{
	struct replica_endpoint *ep = agent_endpoint_record(a, le);
	struct replica_net *net = le->net;
	// What was acknowledged is there, although the watch has not told of it yet.
	bool is_stored = le->agent->acked || (a->beginning && !net->local) ||
			 (ep && ep->seen && !ep->dropping && !strcmp(ep->rec.id, le->rec.id));

	if (le->agent->write.busy ||
		(is_stored && agent_can_write(a) && agent_now(a) < le->agent->deadline_us))
		return;
	endpoint_free(a, le);
	release_net(a, net);
	a->dirty = true; // somebody may wait for it
}

// ---- the port and the container ----

void agent_endpoint_fails(struct agent *a, struct local_endpoint *le, enum endpoint_event event,
	const struct err *err)
{
	char buf[sizeof(err->path) + sizeof(err->reason) + 4], path[NAME_BYTES + 16];
	bool is_waited_for = endpoint_is_untold(le) || le->state == ENDPOINT_JOINING;
	const char *text = reconcile_reason(err_text(err, buf, sizeof(buf)));
	enum local_endpoint_state next;

	if (is_waited_for && !le->agent->why)
		le->agent->why = malloc(sizeof(*le->agent->why));
	if (is_waited_for && le->agent->why) {
		*le->agent->why = (struct err){0};
		err_set(le->agent->why, err->code,
			text == buf ? NULL : agent_endpoint_path(&le->rec, path), "%s", text);
	}
	if (!is_waited_for && (!endpoint_is_wrong(le) || strcmp(le->reason, text)))
		log_warn("endpoint %s of network %s: %s", le->rec.name, le->net->rec.name, text);
	snprintf(le->reason, sizeof(le->reason), "%.255s", text);
	// A restart does not know of it any more, or not of its namespace, when it is told.
	next = endpoint_row(le->state, event)->next;
	if (next == ENDPOINT_STOPPING || next == ENDPOINT_STOPPED)
		agent_endpoint_forget(a, le);
	endpoint_happens(a, le, event);
	if (next == ENDPOINT_LEAVING || next == ENDPOINT_CREATED)
		save_left(a, le);
}

bool agent_endpoint_is_alive(struct agent *a, const struct local_endpoint *le)
{
	return a->opts.sandbox->ops->alive(a->opts.sandbox, le->rec.sandbox, &le->netns);
}

// Whoever waits for it to come is told why it goes.
static void endpoint_lost(
	struct agent *a, struct local_endpoint *le, enum endpoint_event event, const char *why)
{
	struct err err = {0};

	log_info("endpoint %s of network %s (%s): %s", le->rec.name, le->net->rec.name,
		le->rec.sandbox, why);
	err_set(&err, -ENOENT, le->rec.name, "%s", why);
	agent_endpoint_fails(a, le, event, &err);
}

// One that was created by itself stays until its caller deletes it.
void agent_endpoint_container_gone(struct agent *a, struct local_endpoint *le)
{
	endpoint_lost(
		a, le, le->agent->caller_id ? EVENT_LEAVE : EVENT_STOP, "its container has gone");
	le->reason[0] = '\0';
}

void agent_endpoint_configure(struct agent *a, struct local_endpoint *le)
{
	struct err err = {0};
	int rc = a->opts.sandbox->ops->configure(a->opts.sandbox, le, &err);

	retry_done(&le->agent->configure, rc, agent_now(a));
	if (rc < 0)
		agent_endpoint_fails(a, le, EVENT_CONFIGURE_FAILED, &err);
	else
		endpoint_happens(a, le, EVENT_CONFIGURED);
}

void agent_port(void *arg, struct local_endpoint *le, int rc, const struct err *err)
{
	struct agent *a = arg;

	if (!local_endpoint_wants_port(le))
		return;
	if (rc == 0)
		agent_endpoint_configure(a, le);
	else if (!agent_endpoint_is_alive(a, le))
		agent_endpoint_container_gone(a, le);
	else
		agent_endpoint_fails(a, le, EVENT_PORT_FAILED, err);
	agent_kick(a);
}

void agent_port_gone(void *arg, struct local_endpoint *le)
{
	struct agent *a = arg;

	endpoint_happens(a, le, EVENT_PORT_GONE);
	agent_kick(a);
}

void agent_port_down(void *arg, struct local_endpoint *le, const char *reason)
{
	struct agent *a = arg;

	if (endpoint_is_inside(le) && !agent_endpoint_is_alive(a, le))
		agent_endpoint_container_gone(a, le);
	agent_kick(a);
}

// ---- what is due ----

static void endpoint_run(struct agent *a, struct local_endpoint *le, uint64_t now_us)
{
	if (le->state == ENDPOINT_STOPPED) {
		finish_stop(a, le);
		return;
	}
	if (agent_net_is_gone(a, le->net) && !endpoint_is_ending(le))
		endpoint_lost(a, le, EVENT_STOP, "its network was deleted");
	agent_endpoint_hold_ips(a, le);
	if (le->agent->let_go)
		agent_endpoint_readdress(a, le);
	if (le->state == ENDPOINT_UNCONFIGURED && retry_due(&le->agent->configure, now_us))
		agent_endpoint_configure(a, le);
	if (!le->net->local && agent_is_current(a) && endpoint_is_kept(le))
		agent_endpoint_publish(a, le);
	if (endpoint_takes(le, EVENT_STORED) &&
		(agent_endpoint_is_stored(le) || !agent_can_write(a) ||
			now_us >= le->agent->deadline_us))
		endpoint_happens(a, le, EVENT_STORED);
}

// A few containers a time, in turn: the switch tells when one goes, but it may have been away; and
// nobody tells what their interfaces lose.
static void check_containers(struct agent *a)
{
	struct local_endpoint *le = agent_endpoint_by_id(a, a->checked), *next;

	le = le && le->hh.next ? le->hh.next : a->endpoints;
	for (unsigned i = 0; le && i < CHECKED_A_RUN; i++, le = next) {
		next = le->hh.next;
		snprintf(a->checked, ID_BYTES, "%s", le->rec.id);
		if (endpoint_is_inside(le) && !agent_endpoint_is_alive(a, le))
			agent_endpoint_container_gone(a, le);
		else
			agent_inside_look(a, le);
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

// ---- for people and programs ----

json_t *agent_endpoint_json(const struct local_endpoint *le)
{
	json_t *obj = endpoint_record_json(&le->rec);

	if (!obj)
		return NULL;
	json_object_set_new(obj, "state", json_string(endpoint_state_name(le)));
	if (le->agent->caller_id)
		json_object_set_new(obj, "caller_id", ctrl_json_text(le->agent->caller_id));
	if (le->agent->address_id)
		json_object_set_new(obj, "address_id", ctrl_json_text(le->agent->address_id));
	if (le->reason[0])
		json_object_set_new(obj, "reason", ctrl_json_text(le->reason));
	if (le->agent->container->problem[0])
		json_object_set_new(
			obj, "dns_problem", ctrl_json_text(le->agent->container->problem));
	return obj;
}

json_t *agent_address_json(const struct local_endpoint *le)
{
	char text[CIDR_TEXT_BYTES];

	return json_pack("{s:s, s:s, s:s*}", "address", cidr_format(&le->rec.ips[0], text), "host",
		le->rec.host, "address_id", le->agent->address_id);
}

// The answer to whoever asked for it.
json_t *agent_endpoint_answer(struct agent *a, struct local_endpoint *le)
{
	json_t *result = le->rec.name[0] ? agent_endpoint_json(le) : agent_address_json(le);
	char text[400];

	if (!result)
		return NULL;
	json_object_set_new(result, "network", json_string(le->net->rec.name));
	if (agent_endpoint_is_stored(le))
		return result;
	snprintf(text, sizeof(text),
		"the store cannot be reached: %s; other hosts learn of %s when it is back",
		agent_store_reason(a), le->rec.name[0] ? le->rec.name : "the address");
	json_object_set_new(result, "warning", json_string(text));
	return result;
}
