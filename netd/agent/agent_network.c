// SPDX-License-Identifier: BSD-3-Clause
// Making and deleting networks. Those of the cluster are a group (kv/kv.h): each transaction swaps
// its head, the key `allocation`, so two hosts cannot choose the same VNI, subnet or name.
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "netd/agent/agent_priv.h"

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

	a->network_writing = false;
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

bool agent_networks_are_current(const struct agent *a)
{
	return agent_is_current(a) && kv_group_is_whole(&a->networks);
}

void agent_network_write(struct agent *a, struct retry *retry, kv_write_fn *fn, void *arg,
	const struct network_record *rec, const struct replica_net *gone)
{
	char key[RECORD_KEY_BYTES], *text = gone ? NULL : network_record_print(rec);
	char *allocation = allocation_record_print(agent_random(a) >> 12);
	struct kv_op op[2];

	if (!allocation || (!gone && !text))
		goto out;
	record_key_network(key, rec->name);
	op[0] = kv_group_swap(&a->networks, allocation, strlen(allocation));
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
	req->head_revision = a->networks.head_revision;
	agent_network_write(a, &req->retry, on_net_written, w, rec, gone);
	a->network_writing = req->retry.busy;
	if (!req->retry.busy)
		pending_free(&w->pending);
}

// Who came second needs not wait any longer than until it knows what came first.
static bool may_write(const struct agent *a, const struct request *req, uint64_t now_us)
{
	if (req->retry.busy || a->network_writing || !agent_networks_are_current(a))
		return false;
	return retry_due(&req->retry, now_us) || req->head_revision != a->networks.head_revision;
}

// ---- create ----

struct create {
	struct request req;
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

static int tell_exists(const struct replica_net *net, const char *name, struct err *err)
{
	if (!strcmp(net->rec.name, name))
		return net_error(err, -EEXIST, name,
			"a network of this name already exists; choose another name");
	return net_error(err, -EEXIST, name,
		"network %s already exists, the same name in DNS; choose another name",
		net->rec.name);
}

static bool unreachable(struct agent *a, struct request *req, const char *name)
{
	const struct kv_refusal *refusal = agent_store_refusal(a);
	struct err err = {0};

	if (refusal)
		net_error(&err, refusal->rc, name,
			"the store refuses changes: %s; `vsctl agent show` says what to do",
			refusal->reason);
	else if (a->store_up && a->synced)
		net_error(&err, -ETIMEDOUT, name,
			"the store did not take it in time: other hosts change networks as well, "
			"or it answers slowly; try again");
	else
		net_error(&err, -ECONNREFUSED, name,
			"the store cannot be reached: %s; networks of the cluster are kept there, "
			"so try again when it is back",
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
		return request_answer(a, req, tell_exists(net, c->want.name, &err), NULL, &err);
	// It was made. If it is not here although all up to then is, somebody has deleted it since.
	if (req->written && a->replica.revision >= req->written_revision)
		return request_answer(a, req, 0, created(&c->rec), NULL);
	if (now_us >= req->deadline_us || (!a->store_up && !req->retry.busy))
		return unreachable(a, req, c->want.name);
	if (req->written || !may_write(a, req, now_us))
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
	rc = agent_network_choose(a, &c->rec, &err);
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
	int rc = agent_network_choose(a, &c->rec, err);

	if (rc < 0)
		return rc;
	rc = network_record_copy(&c->rec, &kept);
	if (rc == 0)
		rc = agent_network_save(a, &kept);
	if (rc == 0)
		rc = replica_net_set(&a->replica, &kept, true, 0);
	if (rc < 0)
		return err_set_errno(err, rc, c->rec.name, "the network cannot be saved");
	net = replica_net_by_name(&a->replica, c->rec.name);
	*ret_result = net ? created(&net->rec) : NULL;
	return 0;
}

static int create_check(struct agent *a, struct create *c, struct err *err)
{
	int rc = network_check(&c->want, err);
	struct replica_net *net;

	if (rc < 0)
		return rc;
	net = replica_net_by_name(&a->replica, c->want.name);
	if (net)
		return tell_exists(net, c->want.name, err);
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
	if (rc == 0 && !network_is_local(&c->want)) {
		c->req.run = create_run;
		c->req.free = create_free;
		request_add(a, &c->req, fn, arg);
		agent_kick(a);
		return;
	}
	if (rc == 0)
		rc = create_local(a, c, &result, &err);
	if (rc < 0 && !err.code)
		err_set_errno(&err, rc, want->name, "the network cannot be created");
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

static const char *shown(const struct endpoint_record *rec)
{
	return rec->name[0] ? rec->name : "an address that is held";
}

static int refuse_busy(struct agent *a, const struct replica_net *net, struct err *err)
{
	char text[BUSY_NAMED * sizeof(", NAME (host HOST)") + 2 * BUSY_NAMED * NAME_BYTES + 80];
	struct text list = text_over(text, sizeof(text));
	unsigned count = 0;
	struct replica_endpoint *ep;
	struct local_endpoint *le;

	LIST_FOREACH (le, &net->local_endpoints, of_net) {
		if (count++ < BUSY_NAMED)
			text_add_item(&list, ", ", "%s (here)", shown(&le->rec));
	}
	LIST_FOREACH (ep, &net->endpoints, of_net) {
		if (agent_endpoint_by_id(a, ep->rec.id))
			continue;
		if (count++ < BUSY_NAMED)
			text_add_item(&list, ", ", "%s (host %s)", shown(&ep->rec), ep->rec.host);
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
			"the store did not answer, so the network may or may not be deleted; try "
			"again");
	if (rc < 0)
		return request_answer(a, req, rc, NULL, req->maybe_written ? &unknown : &err);
	if (now_us >= req->deadline_us || (!a->store_up && !req->retry.busy))
		return unreachable(a, req, rm->name);
	if (!may_write(a, req, now_us))
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
	int rc = refuse_busy(a, net, err);

	if (rc < 0)
		return rc;
	rc = agent_network_forget(a, &net->rec);
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
		rc = net_error(
			&err, -ENOENT, name, "there is no such network; see `vsctl network ls`");
	else if (net && network_is_predefined(&net->rec))
		rc = net_error(&err, -EPERM, name, "it always exists and cannot be deleted");
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
	return net->known && network_driver_is_known(net->rec.driver) &&
	       !network_is_predefined(&net->rec) && !net->nb_local && !net->nb_endpoints &&
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
