// SPDX-License-Identifier: BSD-3-Clause
// Where names are asked: at 127.0.0.11 in each container of this host, and at the gateways of
// networks. A container sees its networks in the order in which it was connected to them; a
// gateway sees its own network.
//
// A listener holds the namespace that it is in, so it goes as soon as the last endpoint there does.
// Nothing else depends on it: what cannot be had is a problem, told and tried again.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/member.h"
#include "netd/agent/agent_priv.h"
#include "netd/dns/resolv.h"
#include "netd/drivers/endpoint_options.h"

#define CONTAINER_ADDRESS "127.0.0.11" // where Docker's containers have theirs
#define DNS_PORT	  53
#define SEARCH_EVERY_US	  1000000 // is looked whether the host's search domains changed

// ---- what is seen ----

static void add_servers(struct dns_view *view, const struct network_record *net)
{
	if (view->nb_servers || !net->nb_dns)
		return;
	memcpy(view->servers, net->dns, sizeof(view->servers));
	view->nb_servers = net->nb_dns;
}

// An internal network leads nowhere, unless another one does.
static void add_net(struct dns_view *view, const struct replica_net *net)
{
	struct names_scope *scope = &view->scope;

	if (scope->nb_nets == NAMES_SCOPE_MAX)
		return;
	memcpy(scope->nets[scope->nb_nets++], net->id, ID_BYTES);
	view->forwards |= net->known && !net->rec.internal;
	add_servers(view, &net->rec);
}

static struct local_endpoint *next_of(const struct agent_container *c, uint64_t after_seq)
{
	struct local_endpoint *le, *found = NULL;

	LIST_FOREACH (le, &c->endpoints, of_container) {
		if (le->agent->named && le->rec.seq > after_seq &&
			(!found || le->rec.seq < found->rec.seq))
			found = le;
	}
	return found;
}

bool agent_dns_view(const struct agent_container *c, struct dns_view *ret_view)
{
	struct local_endpoint *le = next_of(c, 0);

	memset(ret_view, 0, sizeof(*ret_view)); // also between members: views are compared
	if (!le)
		return false;
	snprintf(ret_view->name, sizeof(ret_view->name), "%s", le->rec.name);
	for (; le; le = next_of(c, le->rec.seq))
		add_net(ret_view, le->net);
	return true;
}

void agent_dns_view_of_net(const struct replica_net *net, struct dns_view *ret_view)
{
	memset(ret_view, 0, sizeof(*ret_view));
	snprintf(ret_view->name, sizeof(ret_view->name), "gateway of %.55s", net->rec.name);
	add_net(ret_view, net);
}

// ---- listeners ----

static void close_listener(struct dns_listener **listener)
{
	if (*listener)
		dns_unlisten(*listener);
	*listener = NULL;
}

static int open_listener(struct agent *a, const struct sandbox_where *where,
	const struct dns_view *view, struct dns_listener **ret_listener, struct err *err)
{
	struct dns_sockets sockets;
	int rc = a->opts.sandbox->ops->listen(a->opts.sandbox, where, &sockets, err);

	if (rc < 0)
		return rc;
	rc = dns_listen(a->opts.dns, &sockets, view, ret_listener);
	return rc < 0 ? err_set_errno(err, rc, view->name, "names cannot be answered") : 0;
}

// Notes what came of it; a problem is logged once.
static void note(struct agent *a, struct retry *retry, char problem[320], const char *who, int rc,
	const struct err *err)
{
	char text[sizeof(err->path) + sizeof(err->reason) + 4], now[320] = "";

	retry_done(retry, rc, agent_now(a));
	if (rc < 0)
		snprintf(now, sizeof(now), "%.319s", err_text(err, text, sizeof(text)));
	if (rc < 0 && strcmp(now, problem) != 0)
		log_warn("names for %s: %s", who, now);
	memcpy(problem, now, sizeof(now));
}

// ---- containers ----

static struct local_endpoint *find_up(const struct agent_container *c)
{
	struct local_endpoint *le;

	LIST_FOREACH (le, &c->endpoints, of_container) {
		if (le->state == ENDPOINT_UP || le->state == ENDPOINT_CONFIRMING)
			return le;
	}
	return NULL;
}

static int listen_in(struct agent *a, struct agent_container *c, const struct local_endpoint *up,
	const struct dns_view *view, struct err *err)
{
	struct sandbox_where where = {
		.sandbox = up->rec.sandbox, .netns = &c->netns, .port = DNS_PORT};

	ip_parse(CONTAINER_ADDRESS, &where.ip);
	memcpy(&c->view, view, sizeof(*view));
	return open_listener(a, &where, view, &c->listener, err);
}

static void follow_view(struct agent_container *c, const struct dns_view *view)
{
	if (!memcmp(&c->view, view, sizeof(*view)))
		return;
	memcpy(&c->view, view, sizeof(*view));
	dns_listener_set(c->listener, view);
}

// ---- a container's resolv.conf ----

int agent_dns_check_resolv(const struct agent *a, const char *sandbox, struct err *err)
{
	if (!a->opts.dns)
		return err_set(err, -EINVAL, sandbox,
			"a resolv.conf would be of no use: this host answers no names; enable them "
			"in the configuration (dns: {enabled: true})");
	if (!netns_name(sandbox))
		return err_set(err, -EINVAL, sandbox,
			"its namespace has no name under /run/netns, so there is no place for its "
			"resolv.conf; give it one ('ip netns attach NAME PID') and connect it "
			"under that, or write 'nameserver " CONTAINER_ADDRESS
			"' into the container's file");
	return 0;
}

static bool asks_for_resolv(const struct agent *a, const struct local_endpoint *le)
{
	return endpoint_option_is(
		le->rec.options, ENDPOINT_RESOLV_CONF, "true", a->conf->dns.write_resolv_conf);
}

static int write_resolv(struct agent *a, const struct local_endpoint *le, struct err *err)
{
	struct resolv resolv = {.nb_servers = 1, .ndots = a->conf->dns.ndots};

	ip_parse(CONTAINER_ADDRESS, &resolv.servers[0].ip);
	resolv.nb_search = dns_search(a->opts.dns, resolv.search);
	return a->opts.sandbox->ops->resolv(
		a->opts.sandbox, netns_name(le->rec.sandbox), &resolv, err);
}

// The host's search domains, where the configuration has none, may be others than they were.
static bool search_changed(struct agent *a, uint64_t now_us)
{
	char search[DNS_SEARCH_MAX][256] = {};

	if (!a->opts.dns || a->conf->dns.nb_search > 0 || now_us < a->search_due_us)
		return false;
	a->search_due_us = now_us + SEARCH_EVERY_US;
	dns_search(a->opts.dns, search);
	if (!memcmp(search, a->search, sizeof(search)))
		return false;
	memcpy(a->search, search, sizeof(search));
	return true;
}

// The file is there while an endpoint asks for it, also over a restart. What is left of a time when
// it was asked for goes. `up`: one has its interface.
static int follow_resolv(struct agent *a, struct agent_container *c,
	const struct local_endpoint *up, struct err *err)
{
	const struct local_endpoint *le, *asks = NULL, *any = NULL;
	int rc;

	LIST_FOREACH (le, &c->endpoints, of_container) {
		if (!netns_name(le->rec.sandbox))
			continue;
		any = le;
		if (a->opts.dns && le->agent->named && asks_for_resolv(a, le))
			asks = le;
	}
	if (asks ? !up || c->resolv == RESOLV_WRITTEN : !any || c->resolv == RESOLV_REMOVED)
		return 0;
	rc = asks ? write_resolv(a, asks, err)
		  : a->opts.sandbox->ops->resolv(
			    a->opts.sandbox, netns_name(any->rec.sandbox), NULL, err);
	if (rc == 0)
		c->resolv = asks ? RESOLV_WRITTEN : RESOLV_REMOVED;
	return rc;
}

// ---- a container, all in all ----

static void update(struct agent *a, struct agent_container *c)
{
	struct local_endpoint *up = find_up(c);
	struct dns_view view;
	struct err err = {0};
	bool is_seen = agent_dns_view(c, &view);
	int rc = 0;

	if (c->listener && is_seen)
		follow_view(c, &view);
	else if (c->listener)
		close_listener(&c->listener);
	else if (up && !retry_due(&c->retry, agent_now(a)))
		return;
	else if (up && a->opts.dns)
		rc = listen_in(a, c, up, &view, &err);
	if (rc == 0)
		rc = follow_resolv(a, c, up, &err);
	note(a, &c->retry, c->problem, c->view.name, rc, &err);
}

static struct agent_container *container_make(struct agent *a, const struct netns_id *netns)
{
	struct agent_container *c;

	HASH_FIND(hh, a->containers, netns, sizeof(*netns), c);
	if (c)
		return c;
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->netns = *netns;
	HASH_ADD(hh, a->containers, netns, sizeof(c->netns), c);
	return c;
}

int agent_dns_local_add(struct agent *a, struct local_endpoint *le)
{
	struct agent_container *c = container_make(a, &le->netns);

	if (!c)
		return -ENOMEM;
	le->agent->container = c;
	LIST_INSERT_HEAD(&c->endpoints, le, of_container);
	return 0;
}

int agent_dns_local_move(struct agent *a, struct local_endpoint *le, const struct netns_id *netns)
{
	struct agent_container *c = container_make(a, netns);

	if (!c)
		return -ENOMEM;
	if (c == le->agent->container)
		return 0;
	agent_dns_local_gone(a, le);
	le->netns = *netns;
	le->agent->container = c;
	LIST_INSERT_HEAD(&c->endpoints, le, of_container);
	return 0;
}

void agent_dns_local(struct agent *a, struct local_endpoint *le)
{
	update(a, le->agent->container);
}

void agent_dns_local_gone(struct agent *a, struct local_endpoint *le)
{
	struct agent_container *c = le->agent->container;

	LIST_REMOVE(le, of_container);
	if (!LIST_EMPTY(&c->endpoints))
		return;
	close_listener(&c->listener);
	HASH_DEL(a->containers, c);
	free(c);
}

// ---- gateways ----

static struct agent_dns_gateway *find_gateway(const struct agent *a, const struct replica_net *net)
{
	struct agent_dns_gateway *gateway;

	LIST_FOREACH (gateway, &a->dns_gateways, entry) {
		if (gateway->net == net)
			return gateway;
	}
	return NULL;
}

static void gateway_free(struct agent_dns_gateway *gateway)
{
	for (unsigned i = 0; i < RECORD_SUBNETS_MAX; i++)
		close_listener(&gateway->at[i].listener);
	LIST_REMOVE(gateway, entry);
	free(gateway);
}

static int listen_at(struct agent *a, struct agent_dns_gateway *gateway,
	struct agent_dns_gateway_listener *at, const struct dns_view *view, struct err *err)
{
	const struct sandbox_where where = {
		.ifname = gateway->ifname, .ip = at->ip, .port = DNS_PORT};

	if (at->listener) {
		dns_listener_set(at->listener, view);
		return 0;
	}
	return open_listener(a, &where, view, &at->listener, err);
}

static void gateway_update(struct agent *a, struct agent_dns_gateway *gateway)
{
	const struct network_record *rec = &gateway->net->rec;
	struct err err = {0};
	struct dns_view view;
	int rc = 0;

	agent_dns_view_of_net(gateway->net, &view);
	for (unsigned i = 0; i < rec->nb_subnets && rc == 0; i++) {
		struct agent_dns_gateway_listener *at = &gateway->at[i];

		if (!ip_equal(&at->ip, &rec->subnets[i].gateway))
			close_listener(&at->listener);
		at->ip = rec->subnets[i].gateway;
		if (at->ip.family)
			rc = listen_at(a, gateway, at, &view, &err);
	}
	note(a, &gateway->retry, gateway->problem, view.name, rc, &err);
}

// The interface may be another one of that name than it was: then all begins anew.
void agent_dns_gateway_up(struct agent *a, struct replica_net *net, const char *ifname)
{
	struct agent_dns_gateway *gateway;

	agent_dns_gateway_down(a, net);
	if (!a->opts.dns)
		return;
	gateway = calloc(1, sizeof(*gateway));
	if (!gateway) {
		log_error("names for gateway of %s: out of memory", net->rec.name);
		return;
	}
	gateway->net = net;
	snprintf(gateway->ifname, sizeof(gateway->ifname), "%s", ifname);
	LIST_INSERT_HEAD(&a->dns_gateways, gateway, entry);
	gateway_update(a, gateway);
}

void agent_dns_gateway_down(struct agent *a, struct replica_net *net)
{
	struct agent_dns_gateway *gateway = find_gateway(a, net);

	if (gateway)
		gateway_free(gateway);
}

// ---- networks, time, the end ----

void agent_dns_net(struct agent *a, struct replica_net *net)
{
	struct agent_dns_gateway *gateway = find_gateway(a, net);
	struct local_endpoint *le;

	LIST_FOREACH (le, &net->local_endpoints, of_net)
		update(a, le->agent->container);
	if (gateway && net->known)
		gateway_update(a, gateway);
}

void agent_dns_run(struct agent *a, uint64_t now_us)
{
	struct agent_dns_gateway *gateway;
	bool rewrite = search_changed(a, now_us);

	for (struct agent_container *c = a->containers; c; c = c->hh.next) {
		bool outdated = rewrite && c->resolv == RESOLV_WRITTEN;

		if (outdated)
			c->resolv = RESOLV_UNKNOWN;
		if (outdated || (c->problem[0] && retry_due(&c->retry, now_us)))
			update(a, c);
	}
	LIST_FOREACH (gateway, &a->dns_gateways, entry) {
		if (gateway->problem[0] && retry_due(&gateway->retry, now_us))
			gateway_update(a, gateway);
	}
}

void agent_dns_free_all(struct agent *a)
{
	struct agent_dns_gateway *gateway, *next;

	for (struct agent_container *c = a->containers; c; c = c->hh.next)
		close_listener(&c->listener);
	for (gateway = LIST_FIRST(&a->dns_gateways); gateway; gateway = next) {
		next = LIST_NEXT(gateway, entry);
		gateway_free(gateway);
	}
}

static void add_problems_above(const struct agent *a, json_t *list)
{
	json_t *problems = a->opts.dns ? dns_problems(a->opts.dns) : NULL, *problem;
	size_t i;

	json_array_foreach (problems, i, problem)
		agent_add_problem(list, member_text(problem, "object"),
			member_text(problem, "reason"), NULL, 0);
	json_decref(problems);
}

void agent_dns_problems(const struct agent *a, json_t *list)
{
	const struct agent_dns_gateway *gateway;
	char object[NAME_BYTES + 32];

	add_problems_above(a, list);
	for (const struct agent_container *c = a->containers; c; c = c->hh.next) {
		if (!c->problem[0])
			continue;
		snprintf(object, sizeof(object), "names for %s", c->view.name);
		agent_add_problem(list, object, c->problem, NULL, 0);
	}
	LIST_FOREACH (gateway, &a->dns_gateways, entry) {
		if (!gateway->problem[0])
			continue;
		snprintf(object, sizeof(object), "names for gateway of %.55s",
			gateway->net->rec.name);
		agent_add_problem(list, object, gateway->problem, NULL, 0);
	}
}
