// SPDX-License-Identifier: BSD-3-Clause
// Making endpoints: connect (with its namespace, in one step), create (without one), and holding an
// address before there is an endpoint.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/conf.h"
#include "netd/agent/agent_priv.h"
#include "netd/drivers/endpoint_options.h"

enum make { MAKE_CONNECT, MAKE_ENDPOINT, MAKE_ADDRESS };

struct create {
	struct request req;
	enum make make;
	char *id; // the caller's; NULL: MAKE_CONNECT
	char network[NAME_BYTES + ID_BYTES];
	struct endpoint_record rec; // as far as it was asked for; `ips` are filled in at the end
	struct endpoint_choice choice;
	bool has_mac, has_ifname;
	json_t *wanted; // what a repeat must ask for, too
	struct netns_id netns;
	bool asked, exists;  // the store was asked about a network that is not known here
	char made[ID_BYTES]; // the endpoint; empty: it is not made yet
};

struct ask {
	struct pending pending;
	uint64_t request;
};

static void create_free(struct request *req)
{
	struct create *c = (struct create *)req;

	endpoint_record_fini(&c->rec);
	json_decref(c->wanted);
	free(c->id);
}

static const char *path_of(const struct create *c, char path[NAME_BYTES + 16])
{
	return agent_endpoint_path(&c->rec, path);
}

// ---- whether it may be ----

static const char *other_case(const char *has, const char *wants)
{
	return strcmp(has, wants) ? ", the same name in DNS" : "";
}

// Endpoints of one name in one network are one too many, except that this host's container of that
// name may be gone already.
static int check_name(struct agent *a, struct replica_net *net, struct create *c, struct err *err)
{
	struct local_endpoint *le;
	struct replica_endpoint *ep;
	char path[NAME_BYTES + 16];

	LIST_FOREACH (le, &net->local_endpoints, of_net) {
		bool same_netns = c->netns.ino && netns_same(&le->netns, &c->netns);

		if (endpoint_is_ending(le) ||
			(!record_name_same(le->rec.name, c->rec.name) && !same_netns))
			continue;
		if (endpoint_is_inside(le) && !agent_endpoint_is_alive(a, le)) {
			agent_endpoint_container_gone(a, le);
			if (endpoint_is_ending(le))
				continue;
		}
		return err_set(err, -EEXIST, path_of(c, path),
			"%s is already connected to network %s (%s%s); to change its aliases or "
			"options, disconnect it first: vsctl network disconnect %s %s",
			same_netns ? "this namespace" : "a container of this name", net->rec.name,
			le->rec.name, same_netns ? "" : other_case(le->rec.name, c->rec.name),
			net->rec.name, le->rec.name);
	}
	ep = replica_by_name(net, c->rec.name);
	if (!ep || !record_name_same(ep->rec.name, c->rec.name) ||
		!strcmp(ep->rec.host, a->conf->host) || !ep->host->present)
		return 0;
	return err_set(err, -EEXIST, path_of(c, path),
		"network %s has a container of this name on host %s (%s%s); choose another name",
		net->rec.name, ep->rec.host, ep->rec.name, other_case(ep->rec.name, c->rec.name));
}

static int check_mac(struct replica_net *net, struct create *c, struct err *err)
{
	struct replica_endpoint *ep;
	struct local_endpoint *le;
	char path[NAME_BYTES + 16], text[MAC_TEXT_BYTES];
	const char *other = NULL;
	struct mac gateway;

	if (network_gateway_mac(&net->rec, &gateway) &&
		!memcmp(&gateway, &c->rec.mac, sizeof(gateway)))
		other = "the gateway";
	LIST_FOREACH (ep, &net->endpoints, of_net) {
		if (ep->rec.name[0] && !memcmp(&ep->rec.mac, &c->rec.mac, sizeof(struct mac)))
			other = ep->rec.name;
	}
	LIST_FOREACH (le, &net->local_endpoints, of_net) {
		if (le->rec.name[0] && !memcmp(&le->rec.mac, &c->rec.mac, sizeof(struct mac)))
			other = le->rec.name;
	}
	return other ? err_set(err, -EADDRINUSE, path_of(c, path),
			       "%s of network %s has the MAC address %s; choose another", other,
			       net->rec.name, mac_format(&c->rec.mac, text))
		     : 0;
}

static int check_may(struct agent *a, struct replica_net *net, struct create *c, struct err *err)
{
	int rc = network_attach(&net->rec, &c->rec, err);

	if (rc == 0 && agent_network_is_going(a, net))
		return -EAGAIN;
	if (rc == 0 && c->make == MAKE_CONNECT)
		rc = agent_check_switch(a, err);
	if (rc == 0 && c->make != MAKE_ADDRESS)
		rc = check_name(a, net, c, err);
	if (rc == 0 && c->has_mac)
		rc = check_mac(net, c, err);
	return rc;
}

// ---- making it ----

static const char *kind_of(const struct create *c)
{
	return c->make == MAKE_ADDRESS ? "address" : "endpoint";
}

static int tag(struct create *c, struct local_endpoint *le)
{
	char **id = c->make == MAKE_ADDRESS ? &le->agent->address_id : &le->agent->caller_id;

	if (!c->id)
		return 0;
	*id = strdup(c->id);
	if (!le->agent->asked)
		le->agent->asked = json_object();
	if (json_object_set(le->agent->asked, kind_of(c), c->wanted) < 0)
		return -ENOMEM;
	return *id ? 0 : -ENOMEM;
}

static void fill_rest(struct agent *a, struct create *c)
{
	if (!c->has_mac)
		c->rec.mac = ipam_mac(&c->rec.ips[0].ip);
	agent_created(c->rec.created);
	snprintf(c->rec.host, sizeof(c->rec.host), "%s", a->conf->host);
	c->rec.seq = agent_next_seq(a);
	// Another one would not be what its caller holds.
	if (c->make == MAKE_ADDRESS)
		c->rec.is_static = true;
}

// What was held becomes the endpoint: the address is not free for a moment.
static int use_held(struct agent *a, struct replica_net *net, struct create *c)
{
	struct local_endpoint *le = c->choice.held;
	struct endpoint_record before = le->rec;

	fill_rest(a, c);
	snprintf(c->rec.id, ID_BYTES, "%s", before.id);
	agent_use_ips(net, &c->rec);
	agent_release_ips(a, net, &before);
	le->rec = c->rec;
	c->rec.aliases = NULL;
	c->rec.options = NULL;
	endpoint_record_fini(&before);
	le->agent->acked = false;
	snprintf(c->made, ID_BYTES, "%s", le->rec.id);
	return tag(c, le);
}

static int make_new(struct agent *a, struct replica_net *net, struct create *c)
{
	enum local_endpoint_state state =
		c->make == MAKE_CONNECT ? ENDPOINT_CONNECTING : ENDPOINT_CREATING;
	struct local_endpoint *le;
	struct endpoint_record rec;
	int rc;

	fill_rest(a, c);
	agent_make_id(a, c->rec.id);
	// The request keeps what was asked for: it may have to begin again.
	rc = endpoint_record_copy(&c->rec, &rec);
	if (rc < 0)
		return rc;
	rc = agent_endpoint_add(a, net, &rec, &c->netns, state, &le);
	if (rc < 0) {
		endpoint_record_fini(&rec);
		return rc;
	}
	snprintf(c->made, ID_BYTES, "%s", le->rec.id);
	le->agent->takes_over = c->choice.takes_over;
	return tag(c, le);
}

static int make_it(struct agent *a, struct replica_net *net, struct create *c, struct err *err)
{
	struct local_endpoint *le;
	char path[NAME_BYTES + 16];
	int rc = c->choice.held ? use_held(a, net, c) : make_new(a, net, c);

	le = agent_endpoint_by_id(a, c->made);
	if (rc == 0)
		rc = agent_endpoint_save(a, le);
	if (rc < 0) {
		err_set_errno(err, rc, path_of(c, path), "cannot be kept in the state folder");
		if (le)
			agent_endpoint_stop(a, le);
		return rc;
	}
	le->agent->deadline_us = agent_now(a) + STORE_WAIT_US;
	a->dirty = true;
	return -EAGAIN;
}

static int create_now(struct agent *a, struct replica_net *net, struct create *c, struct err *err)
{
	int rc = check_may(a, net, c, err);

	if (rc == 0)
		rc = agent_choose_ips(a, net, &c->choice, &c->rec, err);
	if (rc == 0 && c->make == MAKE_CONNECT)
		rc = agent_choose_ifname(a, &c->netns, &c->rec, err);
	return rc == 0 ? make_it(a, net, c, err) : rc;
}

// ---- until it is there ----

static bool was_asked(const struct create *c)
{
	return c->choice.ips[0].family || c->choice.ips[1].family;
}

static void begin_again(struct create *c)
{
	c->made[0] = '\0';
	if (!c->has_ifname)
		c->rec.ifname[0] = '\0';
}

// The endpoint that was made. -EAGAIN: not there yet.
static int follow(struct agent *a, struct create *c, struct local_endpoint *le, uint64_t now_us,
	json_t **ret_result, struct err *err)
{
	const struct err *why = le->agent->why;
	enum endpoint_event event = c->make == MAKE_CONNECT ? EVENT_PORT_FAILED : EVENT_STOP;

	if (endpoint_is_ending(le)) {
		// Nobody was told of an address that this host chose: it chooses another.
		if (why && why->code == -EADDRINUSE && !was_asked(c) && now_us < c->req.deadline_us)
			return -EAGAIN;
		if (why)
			*err = *why;
		else
			err_set(err, -ENOENT, le->rec.name, "it was deleted meanwhile");
		return err->code;
	}
	if (!endpoint_is_untold(le)) {
		// What was held has another record now.
		if (!agent_endpoint_is_stored(le) && agent_can_write(a) &&
			now_us < le->agent->deadline_us)
			return -EAGAIN;
		*ret_result = agent_endpoint_answer(a, le);
		return *ret_result ? 0 : err_set(err, -ENOMEM, NULL, "out of memory");
	}
	if (now_us < c->req.deadline_us || le->state == ENDPOINT_CONFIRMING)
		return -EAGAIN;
	err_set(err, -ETIMEDOUT, le->rec.name, "the switch did not make its port in time");
	agent_endpoint_fails(a, le, event, err);
	return err->code;
}

static void on_asked(
	void *arg, int rc, const struct kv_pair *pairs, size_t count, uint64_t revision)
{
	struct ask *ask = arg;
	struct agent *a = ask->pending.a;
	struct request *req = request_find(a, ask->request);

	if (req) {
		((struct create *)req)->exists = rc == 0;
		retry_done(&req->retry, 0, agent_now(a));
	}
	pending_free(&ask->pending);
	a->dirty = true;
	agent_kick(a);
}

// A network that was just made on another host is in the store before it is here.
static bool ask_store(struct agent *a, struct create *c)
{
	char key[RECORD_KEY_BYTES];
	struct ask *ask;

	if (!agent_can_write(a) || c->asked || !record_name_is_valid(c->network))
		return c->req.retry.busy || c->exists;
	ask = pending_new(a, sizeof(*ask));
	if (!ask)
		return false;
	ask->request = c->req.number;
	c->asked = true;
	retry_start(&c->req.retry);
	kv_get(a->opts.kv, record_key_network(key, c->network), on_asked, ask);
	return true;
}

static struct local_endpoint *find_by_caller(struct agent *a, const struct create *c)
{
	if (!c->id)
		return NULL;
	return c->make == MAKE_ADDRESS ? agent_address_by_caller(a, c->id)
				       : agent_endpoint_by_caller(a, c->id);
}

// Whether the container's name is that of a network, and the network's is not.
static bool is_swapped(struct agent *a, const char *network, const char *container)
{
	return !replica_net(&a->replica, network) && replica_net(&a->replica, container);
}

static int tell_swapped(const char *network, const char *container, struct err *err)
{
	return err_set(err, -ENOENT, NULL,
		"there is no network %.63s, but %.63s is one: NETWORK comes before CONTAINER",
		network, container);
}

static int make_or_refuse(struct agent *a, struct create *c, struct err *err)
{
	struct replica_net *net = replica_net(&a->replica, c->network);
	struct local_endpoint *le = find_by_caller(a, c);
	char path[NAME_BYTES + 16];

	if (le && endpoint_is_ending(le))
		return -EAGAIN; // and then another one
	if (le) {
		snprintf(c->made, ID_BYTES, "%s", le->rec.id);
		return agent_check_repeat(le, net, kind_of(c), c->wanted, c->id, err) < 0
			       ? err->code
			       : -EAGAIN;
	}
	if (net)
		return create_now(a, net, c, err);
	if (ask_store(a, c))
		return -EAGAIN;
	if (is_swapped(a, c->network, c->rec.name))
		return tell_swapped(c->network, c->rec.name, err);
	return err_set(err, -ENOENT, path_of(c, path),
		"there is no network %.63s%s; see `vsctl network ls`", c->network,
		agent_can_write(a) ? "" : " on this host, and the store cannot be asked");
}

static bool create_run(struct agent *a, struct request *req, uint64_t now_us)
{
	struct create *c = (struct create *)req;
	struct local_endpoint *le = c->made[0] ? agent_endpoint_by_id(a, c->made) : NULL;
	char path[NAME_BYTES + 16];
	json_t *result = NULL;
	struct err err = {0};
	int rc;

	if (c->made[0] && !le)
		begin_again(c);
	rc = le ? follow(a, c, le, now_us, &result, &err) : make_or_refuse(a, c, &err);
	// It may be there at once.
	le = rc == -EAGAIN && c->made[0] ? agent_endpoint_by_id(a, c->made) : NULL;
	if (le)
		rc = follow(a, c, le, now_us, &result, &err);
	if (rc == -EAGAIN && !c->made[0] && now_us >= req->deadline_us)
		rc = err_set(&err, -ETIMEDOUT, path_of(c, path),
			"the store gives no addresses of network %.63s (%s); try again", c->network,
			agent_store_reason(a));
	return rc == -EAGAIN ? false : request_answer(a, req, rc, result, &err);
}

// ---- what is asked for ----

static int fill_aliases(
	struct endpoint_record *rec, const struct connect_spec *spec, struct err *err)
{
	rec->aliases = calloc(spec->nb_aliases + 1, sizeof(*rec->aliases));
	if (!rec->aliases)
		return err_set(err, -ENOMEM, NULL, "out of memory");
	for (unsigned i = 0; i < spec->nb_aliases; i++) {
		if (record_name_check(spec->aliases[i], "alias", err) < 0)
			return -EINVAL;
		snprintf(rec->aliases[rec->nb_aliases++], NAME_BYTES, "%s", spec->aliases[i]);
	}
	return 0;
}

static int fill_record(struct create *c, const struct connect_spec *spec, struct err *err)
{
	struct endpoint_record *rec = &c->rec;

	snprintf(rec->name, sizeof(rec->name), "%s", spec->name ? spec->name : "");
	if (spec->sandbox && strlen(spec->sandbox) >= sizeof(rec->sandbox))
		return err_set(err, -EINVAL, spec->name, "the path of its namespace is too long");
	snprintf(rec->sandbox, sizeof(rec->sandbox), "%s", spec->sandbox ? spec->sandbox : "");
	snprintf(rec->ifname, sizeof(rec->ifname), "%s", spec->ifname ? spec->ifname : "");
	c->has_ifname = spec->ifname;
	if (spec->has_mac)
		rec->mac = spec->mac;
	c->has_mac = spec->has_mac;
	memcpy(c->choice.ips, spec->ips, sizeof(c->choice.ips));
	c->choice.family = spec->family;
	c->choice.may_use_held = c->make == MAKE_ENDPOINT;
	rec->options = spec->options ? json_deep_copy(spec->options) : NULL;
	return fill_aliases(rec, spec, err);
}

static json_t *ip_json(const struct ip_addr *ip)
{
	char text[IP_TEXT_BYTES];

	return ip->family ? json_string(ip_format(ip, text)) : json_null();
}

// All members are there, so that a difference has a name.
static json_t *wanted_of(const struct connect_spec *spec)
{
	char mac[MAC_TEXT_BYTES];
	json_t *aliases = json_array();

	for (unsigned i = 0; i < spec->nb_aliases; i++)
		json_array_append_new(aliases, json_string(spec->aliases[i]));
	return json_pack("{s:s?, s:o, s:o, s:b, s:s?, s:o, s:o}", "name", spec->name, "ip",
		ip_json(&spec->ips[0]), "ip6", ip_json(&spec->ips[1]), "ipv6", spec->family == 6,
		"mac", spec->has_mac ? mac_format(&spec->mac, mac) : NULL, "aliases", aliases,
		"options", spec->options ? json_deep_copy(spec->options) : json_object());
}

static int check_spec(
	struct agent *a, const struct connect_spec *spec, struct create *c, struct err *err)
{
	int rc = c->make == MAKE_ADDRESS ? 0 : record_name_check(spec->name, "container", err);
	struct err why = {0};

	if (rc == 0 && spec->nb_aliases > RECORD_ALIASES_MAX)
		rc = err_set(err, -E2BIG, spec->name, "%u aliases are too many; %u at most",
			spec->nb_aliases, RECORD_ALIASES_MAX);
	if (rc == 0 && c->make == MAKE_CONNECT)
		rc = agent_check_resolv(a, spec->options, spec->sandbox, err);
	if (rc == 0)
		rc = fill_record(c, spec, err);
	if (rc == 0 && c->make == MAKE_CONNECT)
		rc = a->opts.sandbox->ops->find(a->opts.sandbox, spec->sandbox, &c->netns, &why);
	if (why.code && is_swapped(a, spec->network, spec->name))
		return tell_swapped(spec->network, spec->name, err);
	return why.code ? err_set(err, rc, why.path, "%s", why.reason) : rc;
}

static void start(struct agent *a, enum make make, const char *id, const struct connect_spec *spec,
	agent_done_fn *fn, void *arg)
{
	struct create *c = calloc(1, sizeof(*c));
	struct err err = {0};
	int rc = c ? 0 : -ENOMEM;

	if (c) {
		c->make = make;
		c->id = id ? strdup(id) : NULL;
		c->wanted = wanted_of(spec);
		rc = !c->wanted || (id && !c->id) ? -ENOMEM : check_spec(a, spec, c, &err);
	}
	if (rc < 0) {
		err_set(&err, rc, NULL, "out of memory"); // unless it has a reason
		fn(arg, rc, NULL, &err);
		if (c)
			create_free(&c->req);
		free(c);
		return;
	}
	snprintf(c->network, sizeof(c->network), "%s", spec->network);
	c->req.run = create_run;
	c->req.free = create_free;
	request_add(a, &c->req, fn, arg);
	a->dirty = true;
	agent_kick(a);
}

void agent_connect(struct agent *a, const struct connect_spec *spec, agent_done_fn *fn, void *arg)
{
	start(a, MAKE_CONNECT, NULL, spec, fn, arg);
}

void agent_endpoint_create(struct agent *a, const char *id, const struct connect_spec *spec,
	agent_done_fn *fn, void *arg)
{
	start(a, MAKE_ENDPOINT, id, spec, fn, arg);
}

void agent_address_request(struct agent *a, const char *id, const struct address_spec *spec,
	agent_done_fn *fn, void *arg)
{
	struct connect_spec connect = {.network = spec->network,
		.family = spec->ip.family ? spec->ip.family
			  : spec->ipv6	  ? 6
					  : 4};

	connect.ips[connect.family == 6] = spec->ip;
	start(a, MAKE_ADDRESS, id, &connect, fn, arg);
}
