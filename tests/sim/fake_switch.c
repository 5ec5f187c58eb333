// SPDX-License-Identifier: BSD-3-Clause
#include "tests/sim/fake_switch.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/util.h"
#include "ctrl/message.h"
#include "tests/sim/fake_switch_priv.h"

const char *fake_text(const json_t *obj, const char *key)
{
	const char *text = json_string_value(json_object_get(obj, key));

	return text ? text : "";
}

struct named *fake_named(struct named **list, const char *name, bool make)
{
	struct named *n;

	HASH_FIND_STR(*list, name, n);
	if (n || !make)
		return n;
	n = calloc(1, sizeof(*n));
	snprintf(n->name, sizeof(n->name), "%s", name);
	HASH_ADD_STR(*list, name, n);
	return n;
}

static void named_free(struct named **list)
{
	struct named *n, *next;

	HASH_ITER(hh, *list, n, next)
	{
		HASH_DEL(*list, n);
		free(n);
	}
}

// ---- carrying out ----

static uint64_t delay(struct fake_switch *sw)
{
	return sim_between(&sw->random, sw->opts.delay_min_us, sw->opts.delay_max_us);
}

static void tell(struct fake_switch *sw, const char *name, json_t *data, bool up, uint64_t at_us)
{
	struct news *news = calloc(1, sizeof(*news));

	snprintf(news->name, sizeof(news->name), "%s", name);
	news->data = data;
	news->up = up;
	news->at_us = at_us;
	STAILQ_INSERT_TAIL(&sw->news, news, entry);
}

void fake_event(struct fake_switch *sw, const char *name, json_t *data)
{
	if (sw->up)
		tell(sw, name, data, true, sw->now_us + delay(sw));
	else
		json_decref(data);
}

// Deleting a bridge is told as such, a port by itself too.
static void tell_deleted(struct fake_switch *sw, const char *method, const json_t *params)
{
	json_t *names = json_object_get(params, "names"), *name;
	size_t i;

	if (!strcmp(method, "bridge.del"))
		fake_event(sw, method, json_pack("{s:s}", "bridge", fake_text(params, "name")));
	else if (!strcmp(method, "vtep.del"))
		fake_event(sw, method, json_pack("{s:s}", "vtep", fake_text(params, "name")));
	else if (!strcmp(method, "port.del") && !names)
		fake_event(sw, method, json_pack("{s:s}", "port", fake_text(params, "name")));
	else if (!strcmp(method, "port.del"))
		json_array_foreach (names, i, name)
			fake_event(sw, method, json_pack("{s:O}", "port", name));
}

static void save_until(struct fake_switch *sw, uint64_t until_us)
{
	struct change *change;

	while ((change = STAILQ_FIRST(&sw->unsaved)) && change->at_us <= until_us) {
		json_t *result = NULL;

		change->method->run(&sw->saved, change->params, &result, NULL);
		json_decref(result);
		json_decref(change->params);
		STAILQ_REMOVE_HEAD(&sw->unsaved, entry);
		free(change);
	}
}

static void note_change(struct fake_switch *sw, const struct fake_method *method, json_t *params)
{
	struct change *change;

	if (!sw->opts.unsaved_us)
		return;
	change = calloc(1, sizeof(*change));
	change->method = method;
	change->params = json_incref(params);
	change->at_us = sw->now_us;
	STAILQ_INSERT_TAIL(&sw->unsaved, change, entry);
	save_until(sw, sw->now_us > sw->opts.unsaved_us ? sw->now_us - sw->opts.unsaved_us : 0);
}

static int check_port(struct fake_switch *sw, const json_t *port, struct err *err)
{
	const char *netns = fake_text(port, "netns");

	if (sw->lacks[0] && json_object_get(port, sw->lacks))
		return err_set(err, -EINVAL, fake_text(port, "name"), "%s: there is no such option",
			sw->lacks);
	if (fake_named(&sw->gone, netns, false))
		return err_set(err, -ENOENT, fake_text(port, "name"),
			"there is no network namespace %s", netns);
	return 0;
}

static int check_ports(struct fake_switch *sw, const json_t *params, struct err *err)
{
	const json_t *port;
	int rc = check_port(sw, json_object_get(params, "port"), err);
	size_t i;

	json_array_foreach (json_object_get(params, "ports"), i, port) {
		if (rc == 0)
			rc = check_port(sw, port, err);
	}
	return rc;
}

static int check_entries(struct fake_switch *sw, const json_t *params, struct err *err)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (json_object_get(params, "entries"), i, entry) {
		if (sw->refuses[0] && (!strcmp(fake_text(entry, "mac"), sw->refuses) ||
					      !strcmp(fake_text(entry, "ip"), sw->refuses)))
			return err_set(err, -EINVAL, sw->refuses, "is made to be refused");
	}
	return 0;
}

static void add_remote(const struct fake_switch *sw, json_t *remotes, const struct ip_addr *ip)
{
	char text[IP_TEXT_BYTES];
	struct far *far;

	HASH_FIND(hh, sw->silent, ip, sizeof(*ip), far);
	json_array_append_new(
		remotes, json_pack("{s:s, s:s, s:i}", "ip", ip_format(ip, text), "state",
				 !far	      ? "up"
				 : far->heard ? "down"
					      : "unknown",
				 "sent", 1000));
}

bool fake_has_tunnel(const struct fake_switch *sw, const struct ip_addr *ip)
{
	const struct fake_bridge *bridge;

	for (bridge = sw->model.bridges; bridge; bridge = bridge->hh.next) {
		if (fake_bridge_floods(bridge, ip))
			return true;
	}
	return false;
}

// What it knew of remote VTEPs is lost with the tunnel to them.
static void forget_heard(struct fake_switch *sw)
{
	struct far *far;

	for (far = sw->silent; far; far = far->hh.next)
		far->heard &= sw->up && fake_has_tunnel(sw, &far->ip);
}

static json_t *tunnel_status(const struct fake_switch *sw)
{
	const struct fake_bridge *bridge;
	const struct fake_flood *flood;
	json_t *remotes = json_array();

	for (bridge = sw->model.bridges; bridge; bridge = bridge->hh.next) {
		for (flood = bridge->floods; flood; flood = flood->hh.next)
			add_remote(sw, remotes, &flood->tunnel);
	}
	return json_pack("{s:o}", "remotes", remotes);
}

// As the control channel has it: some reasons have no code of their own.
static int code_of(int rc)
{
	return rc < 0 ? ctrl_error_info[ctrl_error_of_errno(rc)].code : 0;
}

static int carry_out(struct fake_switch *sw, const char *method, json_t *params,
	json_t **ret_result, struct err *err)
{
	const struct fake_method *row = fake_method(method);
	int rc = 0;

	if (!strcmp(method, "tunnel.status")) {
		forget_heard(sw);
		*ret_result = tunnel_status(sw);
		return 0;
	}
	if (!row)
		return err_set(err, -ENOSYS, method, "there is no such method");
	if (!strcmp(method, "port.add") || !strcmp(method, "port.set"))
		rc = check_ports(sw, params, err);
	if (rc == 0)
		rc = check_entries(sw, params, err);
	if (rc == 0)
		rc = row->run(&sw->model, params, ret_result, err);
	if (rc == 0 && row->changes) {
		note_change(sw, row, params);
		tell_deleted(sw, method, params);
	}
	return code_of(rc);
}

static int run(struct fake_switch *sw, const char *method, json_t *params, json_t **ret_result,
	struct err *err)
{
	struct named *fail = fake_named(&sw->fails, method, false);

	if (!fail || !fail->count)
		return carry_out(sw, method, params, ret_result, err);
	fail->count -= fail->count != UINT_MAX;
	if (fail->code == -ETIMEDOUT) {
		carry_out(sw, method, params, ret_result, NULL);
		json_decref(*ret_result);
		*ret_result = NULL;
	}
	return err_set(err, fail->code, method, "is made to fail");
}

int fake_switch_do(struct fake_switch *sw, const char *method, json_t *params, json_t **ret_result,
	struct err *err)
{
	json_t *result = NULL;
	int rc = run(sw, method, params, &result, err);

	json_decref(params);
	if (ret_result)
		*ret_result = json_incref(result);
	json_decref(result);
	return rc;
}

// ---- calls ----

static void call(struct switch_conn *conn, const char *method, json_t *params, switch_reply_fn *fn,
	void *arg)
{
	struct fake_switch *sw = (struct fake_switch *)conn;
	struct call *c = calloc(1, sizeof(*c));
	uint64_t delay_us = delay(sw);

	snprintf(c->method, sizeof(c->method), "%s", method);
	c->params = params;
	c->fn = fn;
	c->arg = arg;
	c->run_us = MAX_OF(sw->last_run_us, sw->now_us + delay_us / 2);
	c->reply_us = MAX_OF(sw->last_reply_us, sw->now_us + delay_us);
	if (!sw->up) {
		c->done = true;
		c->rc = err_set(&c->err, -ECONNREFUSED, "switch", "does not answer");
	}
	sw->last_run_us = c->run_us;
	sw->last_reply_us = c->reply_us;
	fake_named(&sw->counts, method, true)->count++;
	STAILQ_INSERT_TAIL(&sw->calls, c, entry);
}

static void run_call(struct fake_switch *sw, struct call *c)
{
	c->done = true;
	c->rc = run(sw, c->method, c->params, &c->result, &c->err);
}

static void answer(struct fake_switch *sw)
{
	struct call *c = STAILQ_FIRST(&sw->calls);

	STAILQ_REMOVE_HEAD(&sw->calls, entry);
	c->fn(c->arg, c->rc, c->result, c->rc < 0 ? &c->err : NULL);
	json_decref(c->params);
	json_decref(c->result);
	free(c);
}

static void deliver(struct fake_switch *sw)
{
	struct news *news = STAILQ_FIRST(&sw->news);

	STAILQ_REMOVE_HEAD(&sw->news, entry);
	if (!news->name[0] && sw->conn.on_state)
		sw->conn.on_state(sw->conn.arg, news->up);
	else if (news->name[0] && sw->conn.on_event)
		sw->conn.on_event(sw->conn.arg, news->name, news->data);
	json_decref(news->data);
	free(news);
}

static struct call *next_run(const struct fake_switch *sw)
{
	struct call *c;

	STAILQ_FOREACH (c, &sw->calls, entry) {
		if (!c->done)
			return c;
	}
	return NULL;
}

// The first of what is due: carrying out, answering, news.
static bool step(struct fake_switch *sw)
{
	struct call *to_run = next_run(sw), *first = STAILQ_FIRST(&sw->calls);
	struct news *news = STAILQ_FIRST(&sw->news);
	uint64_t run_us = to_run ? to_run->run_us : UINT64_MAX;
	uint64_t reply_us = first && first->done ? first->reply_us : UINT64_MAX;
	uint64_t news_us = news ? news->at_us : UINT64_MAX;

	if (MIN_OF(MIN_OF(run_us, reply_us), news_us) > sw->now_us)
		return false;
	if (run_us <= reply_us && run_us <= news_us)
		run_call(sw, to_run);
	else if (reply_us <= news_us)
		answer(sw);
	else
		deliver(sw);
	return true;
}

void fake_switch_hang(struct fake_switch *sw, bool hangs)
{
	sw->hangs = hangs;
}

void fake_switch_pump(struct fake_switch *sw, uint64_t now_us)
{
	sw->now_us = MAX_OF(sw->now_us, now_us);
	if (sw->pumping || sw->hangs)
		return;
	sw->pumping = true;
	while (step(sw))
		;
	sw->pumping = false;
}

uint64_t fake_switch_next_us(const struct fake_switch *sw)
{
	const struct call *to_run = next_run(sw), *first = STAILQ_FIRST(&sw->calls);
	const struct news *news = STAILQ_FIRST(&sw->news);
	uint64_t us = to_run && !sw->hangs ? to_run->run_us : UINT64_MAX;

	if (sw->hangs)
		return us;

	if (first && first->done)
		us = MIN_OF(us, first->reply_us);
	return news ? MIN_OF(us, news->at_us) : us;
}

// ---- life ----

struct fake_switch *fake_switch_new(const struct fake_switch_opts *opts)
{
	static const struct switch_ops ops = {.call = call};
	struct fake_switch *sw = calloc(1, sizeof(*sw));

	if (!sw)
		return NULL;
	sw->conn.ops = &ops;
	sw->opts = *opts;
	sw->random.state = opts->seed;
	STAILQ_INIT(&sw->calls);
	STAILQ_INIT(&sw->news);
	STAILQ_INIT(&sw->unsaved);
	return sw;
}

static void drop_unsaved(struct fake_switch *sw)
{
	struct change *change;

	while ((change = STAILQ_FIRST(&sw->unsaved))) {
		STAILQ_REMOVE_HEAD(&sw->unsaved, entry);
		json_decref(change->params);
		free(change);
	}
}

void fake_switch_free(struct fake_switch *sw)
{
	struct far *far, *next;

	if (!sw)
		return;
	// Whoever called has to hear of it once.
	sw->conn.on_state = NULL;
	sw->conn.on_event = NULL;
	while (!STAILQ_EMPTY(&sw->news))
		deliver(sw);
	sw->up = false;
	for (struct call *c; (c = STAILQ_FIRST(&sw->calls));) {
		c->rc = c->done ? c->rc : err_set(&c->err, -ECONNRESET, "switch", "is no more");
		answer(sw);
	}
	HASH_ITER(hh, sw->silent, far, next)
	{
		HASH_DEL(sw->silent, far);
		free(far);
	}
	drop_unsaved(sw);
	fake_model_fini(&sw->model);
	fake_model_fini(&sw->saved);
	named_free(&sw->gone);
	named_free(&sw->fails);
	named_free(&sw->counts);
	free(sw);
}

struct switch_conn *fake_switch_conn(struct fake_switch *sw)
{
	return &sw->conn;
}

static bool is_gone(struct fake_switch *sw, const struct fake_port *port)
{
	return fake_named(&sw->gone, fake_text(port->options, "netns"), false);
}

void fake_switch_start(struct fake_switch *sw, uint64_t now_us)
{
	struct fake_bridge *bridge;
	struct fake_port *port;

	sw->now_us = MAX_OF(sw->now_us, now_us);
	sw->up = true;
	for (bridge = sw->model.bridges; bridge; bridge = bridge->hh.next) {
		for (port = bridge->ports; port; port = port->hh.next)
			port->up = !is_gone(sw, port);
	}
	tell(sw, "", NULL, true, sw->now_us + delay(sw));
}

// Events that are on their way are lost with the connection; that it was up is not.
static void drop_news(struct fake_switch *sw)
{
	struct news *news, *next;

	for (news = STAILQ_FIRST(&sw->news); news; news = next) {
		next = STAILQ_NEXT(news, entry);
		news->at_us = sw->now_us;
		if (!news->name[0])
			continue;
		STAILQ_REMOVE(&sw->news, news, news, entry);
		json_decref(news->data);
		free(news);
	}
}

void fake_switch_crash(struct fake_switch *sw, uint64_t now_us)
{
	uint64_t unsaved_us = sw->opts.unsaved_us;
	bool answers_first = sim_chance(&sw->random, 50); // these have no order
	struct call *c;

	sw->now_us = MAX_OF(sw->now_us, now_us);
	// They are carried out one after the other, until it dies.
	while ((c = next_run(sw)) && sim_chance(&sw->random, 50))
		run_call(sw, c);
	STAILQ_FOREACH (c, &sw->calls, entry) {
		c->done = true;
		c->reply_us = sw->now_us + !answers_first;
		json_decref(c->result);
		c->result = NULL;
		c->err = (struct err){0};
		c->rc = err_set(&c->err, -ECONNRESET, "switch", "went away");
	}
	sw->last_run_us = sw->last_reply_us = 0;
	sw->up = false;
	forget_heard(sw);
	drop_news(sw);
	tell(sw, "", NULL, false, sw->now_us + answers_first);
	if (!unsaved_us)
		return;
	save_until(sw, sw->now_us > unsaved_us ? sw->now_us - unsaved_us : 0);
	drop_unsaved(sw);
	fake_model_fini(&sw->model);
	fake_model_copy(&sw->saved, &sw->model);
}

void fake_switch_wipe(struct fake_switch *sw)
{
	drop_unsaved(sw);
	fake_model_fini(&sw->model);
	fake_model_fini(&sw->saved);
}

bool fake_switch_is_up(const struct fake_switch *sw)
{
	return sw->up;
}
