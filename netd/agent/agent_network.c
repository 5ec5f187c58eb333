// SPDX-License-Identifier: BSD-3-Clause
// Making and deleting networks. Those of the cluster are made one at a time: each transaction swaps
// the key `allocation`, so two hosts cannot choose the same VNI, subnet or name.
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "netd/agent/agent_priv.h"

#define LOCAL_NET "net/"

const struct network_driver *agent_driver(const struct replica_net *net)
{
	return net->known ? network_driver_find(net->rec.driver) : NULL;
}

bool agent_net_is_gone(const struct agent *a, const struct replica_net *net)
{
	static const char prefix[] = RECORD_PREFIX "networks/";

	if (net->known || !a->synced)
		return false;
	for (const struct replica_skipped *s = a->replica.skipped; s; s = s->hh.next) {
		if (!strncmp(s->key, prefix, strlen(prefix)))
			return false;
	}
	return true;
}

int net_error(struct err *err, int code, const char *name, const char *fmt, ...)
{
	char path[NAME_BYTES + 16], reason[sizeof(err->reason)];
	va_list ap;

	snprintf(path, sizeof(path), "network %.63s", name);
	va_start(ap, fmt);
	vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	return err_set(err, code, path, "%s", reason);
}

// ---- networks of this host ----

static int save_local(struct agent *a, const struct network_record *rec)
{
	char key[NAME_BYTES + sizeof(LOCAL_NET)], *text = network_record_print(rec);
	int rc;

	if (!text)
		return -ENOMEM;
	snprintf(key, sizeof(key), LOCAL_NET "%s", rec->name);
	rc = agent_state_put(a, key, text, strlen(text));
	free(text);
	return rc;
}

static void load_local(void *arg, const char *key, const char *value, size_t len_bytes)
{
	struct agent *a = arg;
	char net_key[RECORD_KEY_BYTES];
	struct network_record rec;
	struct err err = {0};
	char text[sizeof(err.path) + sizeof(err.reason) + 4];

	record_key_network(net_key, key + strlen(LOCAL_NET));
	if (network_record_parse(net_key, value, len_bytes, &rec, &err) < 0)
		log_error("state: %s", err_text(&err, text, sizeof(text)));
	else if (replica_net_set(&a->replica, &rec, true, 0) < 0)
		network_record_fini(&rec);
}

static int make_predefined(struct agent *a, const char *driver)
{
	struct network_record rec = {.labels = json_object(), .options = json_object()};
	int rc;

	snprintf(rec.name, sizeof(rec.name), "%s", driver);
	snprintf(rec.driver, sizeof(rec.driver), "%s", driver);
	agent_make_id(a, rec.id);
	agent_created(rec.created);
	rc = save_local(a, &rec);
	if (rc == 0)
		rc = replica_net_set(&a->replica, &rec, true, 0);
	if (rc < 0)
		network_record_fini(&rec);
	return rc;
}

int agent_network_load(struct agent *a, struct err *err)
{
	static const char *const predefined[] = {"none", "host"};
	int rc = a->opts.local->ops->each(a->opts.local, LOCAL_NET, load_local, a);

	for (unsigned i = 0; rc == 0 && i < ARRAY_SIZE(predefined); i++) {
		if (!replica_net(&a->replica, predefined[i]))
			rc = make_predefined(a, predefined[i]);
	}
	return rc < 0 ? err_set_errno(err, rc, "state", "networks cannot be read") : 0;
}

// ---- what a new network gets ----

static bool vni_taken(struct agent *a, uint32_t vni, const char *but_id)
{
	for (struct replica_net *net = a->replica.nets; net; net = net->hh.next) {
		if (net->known && net->rec.vni == vni && strcmp(net->id, but_id) != 0)
			return true;
	}
	return false;
}

static int choose_vni(struct agent *a, struct network_record *rec, struct err *err)
{
	uint32_t count = a->conf->vni_last - a->conf->vni_first + 1;
	uint32_t start = agent_random(a) % count;

	if (rec->vni) {
		if (!vni_taken(a, rec->vni, rec->id))
			return 0;
		return net_error(err, -EEXIST, rec->name,
			"another network has its VNI; choose another, or leave the choice to "
			"vsnetd");
	}
	for (uint32_t i = 0; i < count; i++) {
		rec->vni = a->conf->vni_first + (start + i) % count;
		if (!vni_taken(a, rec->vni, rec->id))
			return 0;
	}
	return net_error(err, -ENOSPC, rec->name, "all VNIs of vni-range are taken; widen it");
}

static unsigned list_subnets(struct agent *a, struct cidr **ret_taken)
{
	unsigned count = 0, room = 0;
	struct cidr *taken;

	for (struct replica_net *net = a->replica.nets; net; net = net->hh.next)
		room += net->known ? net->rec.nb_subnets : 0;
	taken = calloc(room + 1, sizeof(*taken));
	for (struct replica_net *net = a->replica.nets; taken && net; net = net->hh.next) {
		for (unsigned i = 0; net->known && i < net->rec.nb_subnets; i++)
			taken[count++] = net->rec.subnets[i].cidr;
	}
	*ret_taken = taken;
	return count;
}

static int choose_subnet(
	struct agent *a, struct network_record *rec, unsigned family, struct err *err)
{
	struct subnet *subnets = realloc(rec->subnets, (rec->nb_subnets + 1) * sizeof(*subnets));
	struct cidr *taken, cidr;
	unsigned nb_taken;
	int rc;

	if (!subnets)
		return net_error(err, -ENOMEM, rec->name, "out of memory");
	rec->subnets = subnets;
	nb_taken = list_subnets(a, &taken);
	rc = taken ? pool_next(a->conf->pools, a->conf->nb_pools, family, taken, nb_taken, &cidr)
		   : -ENOMEM;
	free(taken);
	if (rc < 0)
		return net_error(err, rc, rec->name,
			family == 4
				? "no IPv4 subnet is free in default-address-pools; give one with "
				  "--subnet"
				: "no IPv6 subnet is free in default-address-pools; give one with "
				  "--subnet");
	rec->subnets[rec->nb_subnets++] = (struct subnet){.cidr = cidr, .range = cidr};
	return 0;
}

static bool is_reserved(const struct subnet *subnet, const struct ip_addr *ip)
{
	for (unsigned i = 0; i < subnet->nb_aux; i++) {
		if (ip_equal(&subnet->aux[i].ip, ip))
			return true;
	}
	return false;
}

// The first address of each subnet that is not reserved, as with Docker.
static void choose_gateways(struct network_record *rec)
{
	for (unsigned i = 0; i < rec->nb_subnets; i++) {
		struct subnet *subnet = &rec->subnets[i];
		struct ip_addr ip = ip_add(&subnet->cidr.ip, 1), next;

		while (is_reserved(subnet, &ip))
			ip = ip_add(&ip, 1);
		next = ip_add(&ip, 1); // not the last one, which is for broadcasts
		if (!subnet->gateway.family && cidr_has(&subnet->cidr, &next))
			subnet->gateway = ip;
	}
}

static int check_overlap(struct agent *a, const struct network_record *rec, struct err *err)
{
	char mine[CIDR_TEXT_BYTES], other[CIDR_TEXT_BYTES];

	for (struct replica_net *net = a->replica.nets; net; net = net->hh.next) {
		if (!net->known || !strcmp(net->id, rec->id))
			continue;
		for (unsigned i = 0; i < rec->nb_subnets * net->rec.nb_subnets; i++) {
			const struct cidr *c = &rec->subnets[i / net->rec.nb_subnets].cidr;
			const struct cidr *o = &net->rec.subnets[i % net->rec.nb_subnets].cidr;

			if (!cidr_overlap(c, o))
				continue;
			return net_error(err, -EEXIST, rec->name,
				"its subnet %s overlaps %s of network %s; choose another",
				cidr_format(c, mine), cidr_format(o, other), net->rec.name);
		}
	}
	return 0;
}

// Fills in what was not asked for. `rec` may be filled by an earlier try.
static int complete(struct agent *a, const struct network_driver *driver,
	struct network_record *rec, struct err *err)
{
	int rc = 0;

	if (!rec->id[0])
		agent_make_id(a, rec->id);
	if (!rec->created[0])
		agent_created(rec->created);
	if (driver->tunnelled)
		rc = choose_vni(a, rec, err);
	if (rc == 0 && driver->bridged && !rec->nb_subnets)
		rc = choose_subnet(a, rec, 4, err);
	if (rc == 0 && driver->bridged && rec->ipv6 && !network_record_has_family(rec, 6))
		rc = choose_subnet(a, rec, 6, err);
	if (driver->bridged)
		choose_gateways(rec);
	return rc == 0 ? check_overlap(a, rec, err) : rc;
}

// ---- writing one ----

struct net_write {
	struct pending pending;
	uint64_t request;
	uint64_t replica_revision; // when it was sent
};

static void on_net_written(void *arg, int rc, uint64_t revision)
{
	struct net_write *w = arg;
	struct agent *a = w->pending.a;
	struct request *req = request_find(a, w->request);

	if (req) {
		retry_done(&req->retry, rc == 0 ? -EAGAIN : rc, agent_now(a));
		req->written = rc == 0;
		// Of a store that was set back, which the watch has not told yet, the replica's
		// revision says nothing.
		req->written_revision = revision > w->replica_revision ? revision : UINT64_MAX;
		req->maybe_written = rc != -ESTALE;
	}
	pending_free(&w->pending);
	a->dirty = true;
	agent_kick(a);
}

static struct kv_op swap_allocation(struct agent *a, const char *text)
{
	return (struct kv_op){.key = RECORD_PREFIX "allocation",
		.guard = a->replica.allocation_revision ? KV_REVISION : KV_ABSENT,
		.revision = a->replica.allocation_revision,
		.value = text,
		.len_bytes = strlen(text)};
}

// Puts the record into the store, or takes it out (`gone`, the replica has it).
static void write_net(struct agent *a, struct retry *retry, kv_write_fn *fn, void *arg,
	const struct network_record *rec, const struct replica_net *gone)
{
	char key[RECORD_KEY_BYTES], *text = gone ? NULL : network_record_print(rec);
	char *allocation = allocation_record_print(agent_random(a) >> 12);
	struct kv_op op[2];

	if (!allocation || (!gone && !text))
		goto out;
	record_key_network(key, rec->name);
	op[0] = swap_allocation(a, allocation);
	op[1] = (struct kv_op){.action = gone ? KV_DELETE : KV_PUT,
		.guard = gone ? KV_REVISION : KV_ABSENT,
		.key = key,
		.revision = gone ? gone->revision : 0,
		.value = text,
		.len_bytes = text ? strlen(text) : 0};
	retry_start(retry);
	kv_txn(a->opts.kv, op, 2, fn, arg);
out:
	free(text);
	free(allocation);
}

static void write_for_request(struct agent *a, struct request *req,
	const struct network_record *rec, const struct replica_net *gone)
{
	struct net_write *w = pending_new(a, sizeof(*w));

	if (!w)
		return;
	w->request = req->number;
	w->replica_revision = a->replica.revision;
	req->maybe_written = true;
	write_net(a, &req->retry, on_net_written, w, rec, gone);
	if (!req->retry.busy)
		pending_free(&w->pending);
}

// ---- create ----

struct create {
	struct request req;
	const struct network_driver *driver;
	struct network_record want, rec; // `rec`: as it was written last
	bool written;
};

static void create_free(struct request *req)
{
	struct create *c = (struct create *)req;

	network_record_fini(&c->want);
	network_record_fini(&c->rec);
}

static json_t *created(const struct network_record *rec)
{
	return json_pack("{s:s, s:s}", "id", rec->id, "name", rec->name);
}

static bool unreachable(struct agent *a, struct request *req, const char *name)
{
	struct err err = {0};

	net_error(&err, -ECONNREFUSED, name,
		"the store cannot be reached: %s; networks of the cluster live there, try again "
		"when it is back",
		agent_store_reason(a));
	return request_answer(a, req, err.code, NULL, &err);
}

static bool create_run(struct agent *a, struct request *req, uint64_t now_us)
{
	struct create *c = (struct create *)req;
	struct replica_net *net = replica_net_by_name(&a->replica, c->want.name);
	struct err err = {0};
	int rc;

	if (net && c->written && !strcmp(net->id, c->rec.id))
		return request_answer(a, req, 0, created(&net->rec), NULL);
	if (net)
		return request_answer(a, req,
			net_error(&err, -EEXIST, c->want.name,
				"there is a network of this name; choose another"),
			NULL, &err);
	// It was made. If it is not here although all up to then is, somebody has deleted it since.
	if (req->written && a->replica.revision >= req->written_revision)
		return request_answer(a, req, 0, created(&c->rec), NULL);
	if (now_us >= req->deadline_us || (!a->store_up && !req->retry.busy))
		return unreachable(a, req, c->want.name);
	if (req->written || !agent_is_current(a) || !retry_due(&req->retry, now_us))
		return false;
	// Once more from what was asked for: what was chosen may be somebody else's by now. The id
	// stays: a write whose answer was lost is recognised by it.
	if (c->written) {
		char id[ID_BYTES];

		snprintf(id, sizeof(id), "%s", c->rec.id);
		network_record_fini(&c->rec);
		if (network_record_copy(&c->want, &c->rec) < 0)
			return request_answer(a, req, -ENOMEM, NULL, &err);
		snprintf(c->rec.id, ID_BYTES, "%s", id);
	}
	rc = complete(a, c->driver, &c->rec, &err);
	if (rc < 0)
		return request_answer(a, req, rc, NULL, &err);
	c->written = true;
	write_for_request(a, req, &c->rec, NULL);
	return false;
}

// A network of this host alone needs nobody's consent.
static int create_local(struct agent *a, struct create *c, json_t **ret_result, struct err *err)
{
	struct network_record kept;
	struct replica_net *net;
	int rc = complete(a, c->driver, &c->rec, err);

	if (rc < 0)
		return rc;
	rc = network_record_copy(&c->rec, &kept);
	if (rc == 0)
		rc = save_local(a, &kept);
	if (rc == 0)
		rc = replica_net_set(&a->replica, &kept, true, 0);
	if (rc < 0)
		return err_set_errno(err, rc, c->rec.name, "the network cannot be kept");
	net = replica_net_by_name(&a->replica, c->rec.name);
	*ret_result = net ? created(&net->rec) : NULL;
	return 0;
}

static int create_check(struct agent *a, struct create *c, struct err *err)
{
	int rc = network_check(&c->want, err);

	if (rc < 0)
		return rc;
	c->driver = network_driver_find(c->want.driver);
	if (c->driver->predefined)
		return net_error(err, -EPERM, c->want.name,
			"its driver has one network only, which is there already");
	if (replica_net_by_name(&a->replica, c->want.name))
		return net_error(err, -EEXIST, c->want.name,
			"there is a network of this name; choose another");
	return network_record_copy(&c->want, &c->rec);
}

void agent_network_create(
	struct agent *a, const struct network_record *want, agent_done_fn *fn, void *arg)
{
	struct create *c = calloc(1, sizeof(*c));
	json_t *result = NULL;
	struct err err = {0};
	int rc;

	rc = c ? network_record_copy(want, &c->want) : -ENOMEM;
	if (rc == 0)
		rc = create_check(a, c, &err);
	if (rc == 0 && !c->driver->local) {
		c->req.run = create_run;
		c->req.free = create_free;
		request_add(a, &c->req, fn, arg);
		agent_kick(a);
		return;
	}
	if (rc == 0)
		rc = create_local(a, c, &result, &err);
	if (rc < 0 && !err.code)
		err_set_errno(&err, rc, want->name, "the network cannot be made");
	fn(arg, rc, result, &err);
	json_decref(result);
	if (c)
		create_free(&c->req);
	free(c);
	agent_kick(a);
}

// ---- rm ----

struct rm {
	struct request req;
	char name[NAME_BYTES], id[ID_BYTES];
};

#define BUSY_NAMED 3 // of what is connected; the rest is counted

static int refuse_busy(struct agent *a, const struct replica_net *net, struct err *err)
{
	char text[BUSY_NAMED * sizeof(", NAME (host HOST)") + 2 * BUSY_NAMED * NAME_BYTES + 80];
	struct text list = text_over(text, sizeof(text));
	unsigned count = 0;
	struct replica_endpoint *ep;
	struct local_endpoint *own;

	LIST_FOREACH (own, &net->own, of_net) {
		if (count++ < BUSY_NAMED)
			text_add_item(&list, ", ", "%s (here)", own->rec.name);
	}
	LIST_FOREACH (ep, &net->endpoints, of_net) {
		if (agent_endpoint_by_id(a, ep->rec.id))
			continue;
		if (count++ < BUSY_NAMED)
			text_add_item(&list, ", ", "%s (host %s)", ep->rec.name, ep->rec.host);
	}
	if (!count)
		return 0;
	if (count > BUSY_NAMED)
		text_addf(&list, " and %u more", count - BUSY_NAMED);
	return net_error(err, -EBUSY, net->rec.name, "%s %s connected to it; disconnect first",
		text, count == 1 ? "is" : "are");
}

static bool rm_run(struct agent *a, struct request *req, uint64_t now_us)
{
	struct rm *rm = (struct rm *)req;
	struct replica_net *net = replica_net_by_id(&a->replica, rm->id);
	struct err err = {0}, unknown = {0};
	int rc;

	if (!net || !net->known || (req->written && now_us >= req->deadline_us))
		return request_answer(a, req, 0, json_pack("{s:s}", "name", rm->name), NULL);
	// What was sent decides, not what came to this host meanwhile.
	if (req->retry.busy || req->written)
		return false;
	rc = refuse_busy(a, net, &err);
	if (rc < 0 && req->maybe_written)
		rc = net_error(&unknown, -ETIMEDOUT, rm->name,
			"the store did not answer: it may be deleted or not; try again");
	if (rc < 0)
		return request_answer(a, req, rc, NULL, req->maybe_written ? &unknown : &err);
	if (now_us >= req->deadline_us || (!a->store_up && !req->retry.busy))
		return unreachable(a, req, rm->name);
	if (!agent_is_current(a) || !retry_due(&req->retry, now_us))
		return false;
	write_for_request(a, req, &net->rec, net);
	return false;
}

bool agent_network_is_going(const struct agent *a, const struct replica_net *net)
{
	const struct request *req;

	LIST_FOREACH (req, &a->requests, entry) {
		if (req->run == rm_run && req->maybe_written &&
			!strcmp(((const struct rm *)req)->id, net->id))
			return true;
	}
	return false;
}

static int rm_local(struct agent *a, struct replica_net *net, struct err *err)
{
	char key[NAME_BYTES + sizeof(LOCAL_NET)];
	int rc = refuse_busy(a, net, err);

	if (rc < 0)
		return rc;
	snprintf(key, sizeof(key), LOCAL_NET "%s", net->rec.name);
	rc = agent_state_del(a, key);
	if (rc < 0)
		return err_set_errno(err, rc, net->rec.name, "the network cannot be deleted");
	replica_net_remove(&a->replica, net);
	return 0;
}

void agent_network_rm(struct agent *a, const char *name, bool force, agent_done_fn *fn, void *arg)
{
	struct replica_net *net = replica_net(&a->replica, name);
	json_t *result = json_pack("{s:s}", "name", net ? net->rec.name : name);
	struct rm *rm = NULL;
	struct err err = {0};
	int rc = 0;

	if (!net && !force)
		rc = net_error(&err, -ENOENT, name, "there is no such network");
	else if (net && agent_driver(net) && agent_driver(net)->predefined)
		rc = net_error(&err, -EPERM, name, "it is always there and cannot be deleted");
	else if (net && net->local)
		rc = rm_local(a, net, &err);
	else if (net && !(rm = calloc(1, sizeof(*rm))))
		rc = net_error(&err, -ENOMEM, name, "out of memory");
	if (rm) {
		snprintf(rm->name, sizeof(rm->name), "%s", net->rec.name);
		snprintf(rm->id, sizeof(rm->id), "%s", net->id);
		rm->req.run = rm_run;
		request_add(a, &rm->req, fn, arg);
	} else {
		fn(arg, rc, rc < 0 ? NULL : result, &err);
	}
	json_decref(result);
	a->dirty = true;
	agent_kick(a);
}

// ---- prune ----

struct prune {
	agent_done_fn *done;
	void *done_arg;
	json_t *deleted;
	unsigned pending;
};

static void prune_one(void *arg, int rc, json_t *result, const struct err *err)
{
	struct prune *prune = arg;

	// One that is used by now stays; that is what pruning means.
	if (rc == 0 && result)
		json_array_append(prune->deleted, json_object_get(result, "name"));
	if (--prune->pending)
		return;
	result = json_pack("{s:o}", "deleted", prune->deleted);
	prune->done(prune->done_arg, 0, result, NULL);
	json_decref(result);
	free(prune);
}

static bool labels_match(const struct network_record *rec, const json_t *labels)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)labels, key, value) {
		const json_t *have = json_object_get(rec->labels, key);

		if (!have || (json_string_length(value) && !json_equal(have, value)))
			return false;
	}
	return true;
}

static bool is_prunable(const struct replica_net *net, const json_t *labels)
{
	const struct network_driver *driver = agent_driver(net);

	return driver && !driver->predefined && !net->nb_own && !net->nb_endpoints &&
	       labels_match(&net->rec, labels);
}

void agent_network_prune(struct agent *a, const json_t *labels, agent_done_fn *fn, void *arg)
{
	struct prune *prune = calloc(1, sizeof(*prune));
	struct replica_net *net = a->replica.nets, *next;
	struct err err = {0};

	if (!prune) {
		fn(arg, err_set(&err, -ENOMEM, NULL, "out of memory"), NULL, &err);
		return;
	}
	*prune = (struct prune){fn, arg, json_array(), 1};
	for (; net; net = next) {
		next = net->hh.next;
		if (!is_prunable(net, labels))
			continue;
		prune->pending++;
		agent_network_rm(a, net->id, true, prune_one, prune);
	}
	prune_one(prune, 0, NULL, NULL);
}

// ---- networks that should be there ----

static void on_kept_written(void *arg, int rc, uint64_t revision)
{
	struct agent *a = arg;

	retry_done(&a->net_write, rc, agent_now(a));
	if (rc == 0) {
		// The watch tells of it soon, and then comes the next one. There is time for all.
		a->net_write.next_us = agent_now(a) + RETRY_MIN_US;
		a->purge_at_us = agent_now(a) + a->conf->grace_s * SECOND_US;
	}
	a->dirty = true;
	agent_kick(a);
}

// Another network that the store has got its VNI meanwhile.
static bool has_lost_vni(struct agent *a, const struct replica_net *net)
{
	for (struct replica_net *other = a->replica.nets; other; other = other->hh.next) {
		if (other->known && other->seen && other->rec.vni && other->rec.vni == net->rec.vni)
			return true;
	}
	return false;
}

// A store that was lost gets its networks back from whoever knows them; the first one is enough.
static void put_back(struct agent *a)
{
	struct err err = {0};
	char text[sizeof(err.path) + sizeof(err.reason) + 4];

	for (struct replica_net *net = a->replica.nets; net; net = net->hh.next) {
		if (!net->known || net->local || net->seen)
			continue;
		if (!has_lost_vni(a, net)) {
			write_net(a, &a->net_write, on_kept_written, a, &net->rec, NULL);
			return;
		}
		net_error(&err, -EEXIST, net->rec.name,
			"its VNI was given to another network while the store was lost; it stays "
			"on this host until the grace period ends");
	}
	if (!err.code)
		return;
	log_error("%s", err_text(&err, text, sizeof(text)));
	retry_done(&a->net_write, -EEXIST, agent_now(a));
}

static void on_configured(void *arg, int rc, json_t *result, const struct err *err)
{
	struct agent_conf_net *cn = arg;
	char text[sizeof(err->path) + sizeof(err->reason) + 4];

	// -EEXIST by name is another host's, which was first.
	if (rc < 0 && rc != -ECONNREFUSED && rc != -ESHUTDOWN)
		log_error("%s", err_text(err, text, sizeof(text)));
	cn->busy = false;
	cn->done = rc == 0 || rc != -ECONNREFUSED;
}

static void make_configured(struct agent *a)
{
	for (unsigned i = 0; i < a->conf->nb_networks; i++) {
		struct agent_conf_net *cn = &a->conf_nets[i];
		const struct network_record *want = &a->conf->networks[i];
		const struct network_driver *driver = network_driver_find(want->driver);

		if (cn->done || cn->busy || (driver && !driver->local && !agent_is_current(a)))
			continue;
		cn->busy = true;
		if (replica_net_by_name(&a->replica, want->name))
			cn->done = true;
		else
			agent_network_create(a, want, on_configured, cn);
	}
}

void agent_network_run(struct agent *a, uint64_t now_us)
{
	if (a->conf->nb_networks)
		make_configured(a);
	if (!agent_is_current(a) || !a->purge_at_us || !retry_due(&a->net_write, now_us))
		return;
	put_back(a);
}
