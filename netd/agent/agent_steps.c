// SPDX-License-Identifier: BSD-3-Clause
// What becomes of an endpoint that is there: its caller joins it to a namespace, leaves that,
// deletes it. Each is a request that looks again and again how far it is; a caller that has lost
// the answer asks once more and gets the same one.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netd/agent/agent_priv.h"
#include "netd/drivers/endpoint_options.h"

struct step {
	struct request req;
	char *id;	   // the caller's; NULL: network.disconnect
	char le[ID_BYTES]; // the endpoint; empty: it is looked up by `id`
	bool if_exists;	   // what does not exist is no error
	bool begun;	   // the event was sent: this request waits for what follows from it
	char sandbox[128], ifname[16];
	struct netns_id netns;
	json_t *result;
};

static void step_free(struct request *req)
{
	struct step *s = (struct step *)req;

	json_decref(s->result);
	free(s->id);
}

static void step_start(struct agent *a, struct step *s,
	bool (*run)(struct agent *a, struct request *req, uint64_t now_us), agent_done_fn *fn,
	void *arg)
{
	s->req.run = run;
	s->req.free = step_free;
	request_add(a, &s->req, fn, arg);
	a->dirty = true;
	agent_kick(a);
}

static struct step *step_new(const char *id, agent_done_fn *fn, void *arg)
{
	struct step *s = calloc(1, sizeof(*s));
	struct err err = {0};

	if (s && (!id || (s->id = strdup(id))))
		return s;
	free(s);
	fn(arg, err_set(&err, -ENOMEM, NULL, "out of memory"), NULL, &err);
	return NULL;
}

// ---- finding it ----

struct local_endpoint *agent_endpoint_by_caller(const struct agent *a, const char *id)
{
	struct local_endpoint *le;

	for (le = a->endpoints; le; le = le->hh.next) {
		if (le->agent->caller_id && !strcmp(le->agent->caller_id, id))
			return le;
	}
	return NULL;
}

struct local_endpoint *agent_address_by_caller(const struct agent *a, const char *id)
{
	struct local_endpoint *le;

	for (le = a->endpoints; le; le = le->hh.next) {
		if (le->agent->address_id && !strcmp(le->agent->address_id, id))
			return le;
	}
	return NULL;
}

static int caller_error(struct err *err, int code, const char *id, const char *reason)
{
	char path[CALLER_ID_MAX + 16];

	snprintf(path, sizeof(path), "endpoint %s", id);
	return err_set(err, code, path, "%s", reason);
}

int agent_check_repeat(const struct local_endpoint *le, const struct replica_net *net,
	const char *kind, const json_t *wanted, const char *id, struct err *err)
{
	const json_t *asked = json_object_get(le->agent->asked, kind);
	char path[CALLER_ID_MAX + 16], before[128] = "", now[128] = "";
	json_t *value;
	const char *key;

	snprintf(path, sizeof(path), "id %s", id);
	if (net != le->net)
		return err_set(err, -EEXIST, path,
			"it already exists in network %s; use another id", le->net->rec.name);
	json_object_foreach ((json_t *)wanted, key, value) {
		const json_t *old = json_object_get(asked, key);

		if (!old || json_equal(old, value))
			continue;
		json_dumpb(old, before, sizeof(before) - 1, JSON_ENCODE_ANY | JSON_COMPACT);
		json_dumpb(value, now, sizeof(now) - 1, JSON_ENCODE_ANY | JSON_COMPACT);
		return err_set(err, -EEXIST, path,
			"it already exists with another %s (%s, not %s); use another id", key,
			before, now);
	}
	return 0;
}

// ---- join ----

int agent_check_switch(const struct agent *a, struct err *err)
{
	return a->switch_up ? 0
			    : err_set(err, -ECONNREFUSED, "switch",
				      "vswitchd does not answer; start it, and try again");
}

int agent_check_resolv(
	const struct agent *a, const json_t *options, const char *sandbox, struct err *err)
{
	return endpoint_option_is(options, ENDPOINT_RESOLV_CONF, "true", false)
		       ? agent_dns_check_resolv(a, sandbox, err)
		       : 0;
}

int agent_choose_ifname(
	struct agent *a, const struct netns_id *netns, struct endpoint_record *rec, struct err *err)
{
	char(*taken)[16] = calloc(HASH_COUNT(a->endpoints) + 1, sizeof(*taken));
	char path[NAME_BYTES + 16];
	unsigned count = 0;
	int rc;

	if (!taken)
		return err_set(err, -ENOMEM, NULL, "out of memory");
	for (struct local_endpoint *le = a->endpoints; le; le = le->hh.next) {
		if (!netns_same(&le->netns, netns))
			continue;
		if (rec->ifname[0] && endpoint_is_inside(le) &&
			!strcmp(le->rec.ifname, rec->ifname)) {
			rc = err_set(err, -EEXIST, rec->name,
				"its interface %s belongs to network %s; choose another",
				rec->ifname, le->net->rec.name);
			goto out;
		}
		memcpy(taken[count++], le->rec.ifname, sizeof(*taken));
	}
	rc = a->opts.sandbox->ops->ifname(
		a->opts.sandbox, rec->sandbox, taken, count, rec->ifname, err);
	if (rc == -EEXIST)
		err_set(err, rc, agent_endpoint_path(rec, path),
			"it already has an interface %s, which is not from Causeway; give another "
			"name (--ifname), or leave it out for the next that is free",
			rec->ifname);
out:
	free(taken);
	return rc;
}

static int check_place(
	struct agent *a, const struct local_endpoint *le, const struct step *s, struct err *err)
{
	struct local_endpoint *other;

	LIST_FOREACH (other, &le->net->local_endpoints, of_net) {
		if (other != le && endpoint_is_inside(other) &&
			netns_same(&other->netns, &s->netns))
			return err_set(err, -EEXIST, le->rec.name,
				"this namespace is already connected to network %s (%s); to change "
				"its aliases or options, disconnect it first: vsctl network "
				"disconnect %s %s",
				le->net->rec.name, other->rec.name, le->net->rec.name,
				other->rec.name);
	}
	return agent_check_resolv(a, le->rec.options, s->sandbox, err);
}

// Its place is on disk before the switch is asked: the reconciler does that later.
static int join_now(struct agent *a, struct local_endpoint *le, struct step *s, struct err *err)
{
	struct endpoint_record rec = le->rec;
	int rc = agent_check_switch(a, err);

	if (rc == 0)
		rc = check_place(a, le, s, err);
	snprintf(rec.sandbox, sizeof(rec.sandbox), "%s", s->sandbox);
	snprintf(rec.ifname, sizeof(rec.ifname), "%s", s->ifname);
	if (rc == 0)
		rc = agent_choose_ifname(a, &s->netns, &rec, err);
	if (rc == 0)
		rc = agent_endpoint_attach(a, le, &s->netns, rec.sandbox, rec.ifname);
	if (rc < 0)
		return err_set_errno(err, rc, le->rec.name, "cannot be joined");
	s->begun = true;
	endpoint_happens(a, le, EVENT_JOIN);
	rc = agent_endpoint_save(a, le);
	if (rc < 0) {
		err_set_errno(err, rc, le->rec.name, "cannot be kept in the state folder");
		agent_endpoint_fails(a, le, EVENT_PORT_FAILED, err);
	}
	return rc < 0 ? rc : -EAGAIN;
}

static int check_same_place(const struct local_endpoint *le, const struct step *s, struct err *err)
{
	if (netns_same(&le->netns, &s->netns) &&
		(!s->ifname[0] || !strcmp(s->ifname, le->rec.ifname)))
		return 0;
	return err_set(err, -EEXIST, le->rec.name,
		"it is already joined to the namespace %s as %s; leave that first", le->rec.sandbox,
		le->rec.ifname);
}

static int join_failed(const struct local_endpoint *le, struct err *err)
{
	if (le->agent->why)
		*err = *le->agent->why;
	else
		err_set(err, -ECANCELED, le->rec.name, "it left its namespace meanwhile");
	return err->code;
}

// -EAGAIN: it is on its way.
static int join_look(struct agent *a, struct local_endpoint *le, struct step *s, struct err *err)
{
	if (le->state == ENDPOINT_TAKEN)
		return err_set(err, -EADDRINUSE, le->rec.name, "%s", le->reason);
	if (s->begun && !endpoint_is_inside(le))
		return join_failed(le, err);
	if (le->state == ENDPOINT_CREATED)
		return join_now(a, le, s, err);
	if (!endpoint_is_inside(le))
		return -EAGAIN;
	if (check_same_place(le, s, err) < 0)
		return err->code;
	return le->state == ENDPOINT_UP ? 0 : -EAGAIN;
}

static int join_late(struct agent *a, struct local_endpoint *le, struct step *s, struct err *err)
{
	if (le->reason[0])
		return err_set(err, -ETIMEDOUT, le->rec.name, "%s", le->reason);
	err_set(err, -ETIMEDOUT, le->rec.name, "the switch did not make its port in time");
	if (s->begun && le->state == ENDPOINT_JOINING)
		agent_endpoint_fails(a, le, EVENT_PORT_FAILED, err);
	return err->code;
}

static bool join_run(struct agent *a, struct request *req, uint64_t now_us)
{
	struct step *s = (struct step *)req;
	struct local_endpoint *le = agent_endpoint_by_caller(a, s->id);
	struct err err = {0};
	int rc;

	if (!le || endpoint_is_ending(le))
		rc = caller_error(&err, -ENOENT, s->id, "it does not exist; create it first");
	else
		rc = join_look(a, le, s, &err);
	if (rc == -EAGAIN && now_us >= req->deadline_us)
		rc = join_late(a, le, s, &err);
	if (rc == -EAGAIN)
		return false;
	return request_answer(a, req, rc, rc == 0 ? agent_endpoint_answer(a, le) : NULL, &err);
}

void agent_endpoint_join(
	struct agent *a, const char *id, const struct join_spec *spec, agent_done_fn *fn, void *arg)
{
	struct step *s = step_new(id, fn, arg);
	struct err err = {0};
	int rc = 0;

	if (!s)
		return;
	if (snprintf(s->sandbox, sizeof(s->sandbox), "%s", spec->sandbox) >=
		(int)sizeof(s->sandbox))
		rc = caller_error(&err, -EINVAL, id, "the path of its namespace is too long");
	snprintf(s->ifname, sizeof(s->ifname), "%s", spec->ifname ? spec->ifname : "");
	if (rc == 0)
		rc = a->opts.sandbox->ops->find(a->opts.sandbox, s->sandbox, &s->netns, &err);
	if (rc < 0) {
		fn(arg, rc, NULL, &err);
		step_free(&s->req);
		free(s);
		return;
	}
	step_start(a, s, join_run, fn, arg);
}

// ---- leave, delete, release ----

static bool answer_flag(struct agent *a, struct step *s, const char *flag, bool value)
{
	return request_answer(
		a, &s->req, 0, json_pack("{s:s, s:b}", "id", s->id, flag, value), NULL);
}

static bool answer_missing(struct agent *a, struct step *s, const char *flag, const char *reason)
{
	struct err err = {0};

	if (s->if_exists)
		return answer_flag(a, s, flag, false);
	caller_error(&err, -ENOENT, s->id, reason);
	return request_answer(a, &s->req, err.code, NULL, &err);
}

static bool answer_late(struct agent *a, struct step *s)
{
	struct err err = {0};

	caller_error(&err, -ETIMEDOUT, s->id,
		"the switch has not deleted its port yet; it will, ask again");
	return request_answer(a, &s->req, err.code, NULL, &err);
}

static bool leave_run(struct agent *a, struct request *req, uint64_t now_us)
{
	struct step *s = (struct step *)req;
	struct local_endpoint *le = agent_endpoint_by_caller(a, s->id);

	if (s->begun && (!le || le->state != ENDPOINT_LEAVING))
		return answer_flag(a, s, "left", true);
	if (!le || endpoint_is_ending(le))
		return answer_missing(a, s, "left", "it does not exist");
	if (!s->begun && le->state != ENDPOINT_LEAVING && !endpoint_is_inside(le))
		return answer_missing(a, s, "left", "it is in no namespace");
	if (!s->begun && endpoint_is_inside(le))
		agent_endpoint_leave(a, le);
	s->begun = true;
	if (le->state != ENDPOINT_LEAVING)
		return answer_flag(a, s, "left", true);
	return now_us >= req->deadline_us ? answer_late(a, s) : false;
}

// It ends; when its address is held for itself, that stays. True: it is on its way.
static void begin_delete(struct agent *a, struct step *s, struct local_endpoint *le)
{
	snprintf(s->le, ID_BYTES, "%s", le->rec.id);
	s->begun = true;
	le->agent->deadline_us = agent_now(a) + STORE_WAIT_US;
	if (endpoint_is_ending(le))
		return;
	if (le->agent->address_id)
		agent_endpoint_to_address(a, le);
	else
		agent_endpoint_stop(a, le);
}

// Nothing is left of it but an address that is held.
static bool is_deleted(struct agent *a, const struct step *s)
{
	const struct local_endpoint *le = agent_endpoint_by_id(a, s->le);

	return !le || (!endpoint_is_ending(le) && le->state != ENDPOINT_LEAVING);
}

static bool delete_run(struct agent *a, struct request *req, uint64_t now_us)
{
	struct step *s = (struct step *)req;
	struct local_endpoint *le = s->begun ? NULL : agent_endpoint_by_caller(a, s->id);

	if (!s->begun && !le)
		return answer_missing(a, s, "deleted", "it does not exist");
	if (!s->begun)
		begin_delete(a, s, le);
	if (is_deleted(a, s))
		return answer_flag(a, s, "deleted", true);
	return now_us >= req->deadline_us ? answer_late(a, s) : false;
}

// An endpoint that uses it goes on with it, and takes it along when it is deleted.
static int drop_hold(struct agent *a, struct local_endpoint *le)
{
	free(le->agent->address_id);
	le->agent->address_id = NULL;
	json_object_del(le->agent->asked, "address");
	return agent_endpoint_save(a, le);
}

static bool release_run(struct agent *a, struct request *req, uint64_t now_us)
{
	struct step *s = (struct step *)req;
	struct local_endpoint *le = s->begun ? NULL : agent_address_by_caller(a, s->id);
	struct err err = {0};
	int rc;

	if (!s->begun && !le)
		return answer_missing(a, s, "released", "no address is held under this id");
	if (!s->begun && le->rec.name[0] && !endpoint_is_ending(le)) {
		rc = drop_hold(a, le);
		if (rc == 0)
			return answer_flag(a, s, "released", true);
		err_set_errno(&err, rc, s->id, "cannot be kept in the state folder");
		return request_answer(a, req, rc, NULL, &err);
	}
	if (!s->begun) {
		snprintf(s->le, ID_BYTES, "%s", le->rec.id);
		s->begun = true;
		le->agent->deadline_us = agent_now(a) + STORE_WAIT_US;
		if (!endpoint_is_ending(le))
			agent_endpoint_stop(a, le);
	}
	if (!agent_endpoint_by_id(a, s->le))
		return answer_flag(a, s, "released", true);
	return now_us >= req->deadline_us ? answer_late(a, s) : false;
}

static void start_ending(struct agent *a, const char *id, bool if_exists,
	bool (*run)(struct agent *a, struct request *req, uint64_t now_us), agent_done_fn *fn,
	void *arg)
{
	struct step *s = step_new(id, fn, arg);

	if (!s)
		return;
	s->if_exists = if_exists;
	step_start(a, s, run, fn, arg);
}

void agent_endpoint_leave_by_id(
	struct agent *a, const char *id, bool if_exists, agent_done_fn *fn, void *arg)
{
	start_ending(a, id, if_exists, leave_run, fn, arg);
}

void agent_endpoint_delete(
	struct agent *a, const char *id, bool if_exists, agent_done_fn *fn, void *arg)
{
	start_ending(a, id, if_exists, delete_run, fn, arg);
}

void agent_address_release(
	struct agent *a, const char *id, bool if_exists, agent_done_fn *fn, void *arg)
{
	start_ending(a, id, if_exists, release_run, fn, arg);
}

// ---- disconnect ----

static bool disconnect_run(struct agent *a, struct request *req, uint64_t now_us)
{
	struct step *s = (struct step *)req;

	return is_deleted(a, s) ? request_answer(a, req, 0, json_incref(s->result), NULL) : false;
}

void agent_disconnect_local(
	struct agent *a, struct local_endpoint *le, agent_done_fn *fn, void *arg)
{
	struct step *s = step_new(NULL, fn, arg);

	if (!s)
		return;
	// Of an endpoint whose address stays held, nothing else is left afterwards.
	if (le->agent->address_id)
		s->result = agent_endpoint_json(le);
	begin_delete(a, s, le);
	if (!s->result)
		s->result = agent_endpoint_json(le);
	step_start(a, s, disconnect_run, fn, arg);
}
