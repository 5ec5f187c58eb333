// SPDX-License-Identifier: BSD-3-Clause
#include "ctrl/server_priv.h"

#include <errno.h>

#define EAGER_TRIES 4 // a worker round takes microseconds: most changes settle at once
#define RETRY_US    1000

static bool is_settled(struct ctrl_server *server)
{
	return !server->opts.settled || server->opts.settled(server->opts.arg);
}

static void refuse_timeout(struct ctrl_server *server, struct ctrl_call *call)
{
	struct err err = {0};

	err_set(&err, -ETIMEDOUT, server->opts.program,
		"the change was made, but did not reach all workers within %u ms",
		server->opts.settle_timeout_ms);
	ctrl_call_error(call, -ETIMEDOUT, &err);
}

// Answers the current change if it is through. False: it still is on its way.
static bool finish(struct ctrl_server *server, unsigned tries)
{
	struct writes *w = &server->writes;
	struct ctrl_call *call = w->current;

	while (tries-- > 0) {
		if (!is_settled(server))
			continue;
		w->current = NULL;
		ctrl_call_result(call, call->result);
		return true;
	}
	if (monotonic_us() < w->deadline_us)
		return false;
	w->current = NULL;
	refuse_timeout(server, call);
	return true;
}

// The result gets a member `warning`.
static void add_warning(struct ctrl_call *call, const struct err *warning)
{
	char text[sizeof(warning->path) + sizeof(warning->reason) + 4];

	if (!call->result)
		call->result = json_object();
	json_object_set_new(
		call->result, "warning", ctrl_json_text(err_text(warning, text, sizeof(text))));
}

static void start(struct ctrl_server *server, struct ctrl_call *call)
{
	const struct ctrl_server_opts *opts = &server->opts;
	struct err err = {0}, warning = {0};
	int rc;

	rc = ctrl_server_run(server, call, &err);
	if (rc < 0)
		ctrl_call_error(call, rc, &err);
	if (rc != 0)
		return;
	if (opts->commit)
		opts->commit(opts->arg, &warning);
	if (warning.code < 0)
		add_warning(call, &warning);
	server->writes.current = call;
	server->writes.deadline_us = monotonic_us() + opts->settle_timeout_ms * UINT64_C(1000);
}

static struct ctrl_call *take(struct writes *w)
{
	struct ctrl_call *call = TAILQ_FIRST(&w->queue);

	if (!call)
		return NULL;
	TAILQ_REMOVE(&w->queue, call, entry);
	w->count--;
	w->size_bytes -= call->size_bytes;
	return call;
}

static void pump(struct ctrl_server *server)
{
	struct writes *w = &server->writes;

	for (;;) {
		if (w->current && !finish(server, EAGER_TRIES)) {
			loop_timer_set(w->timer, RETRY_US);
			return;
		}
		while (!w->current) {
			struct ctrl_call *call = take(w);

			if (!call) {
				loop_timer_set(w->timer, 0);
				return;
			}
			start(server, call);
		}
	}
}

static void on_timer(void *arg)
{
	pump(arg);
}

void ctrl_writes_add(struct ctrl_server *server, struct ctrl_call *call)
{
	struct writes *w = &server->writes;

	if (w->count + server->nb_later >= server->opts.queue_max ||
		w->size_bytes + call->size_bytes > CTRL_QUEUE_MAX_BYTES) {
		struct err err = {0};

		err_set(&err, -EAGAIN, server->opts.program,
			"%u changes are waiting already; try again in a moment",
			w->count + server->nb_later);
		ctrl_call_error(call, -EAGAIN, &err);
		return;
	}
	TAILQ_INSERT_TAIL(&w->queue, call, entry);
	w->count++;
	w->size_bytes += call->size_bytes;
	if (!w->current)
		pump(server);
}

int ctrl_writes_init(struct ctrl_server *server, struct err *err)
{
	TAILQ_INIT(&server->writes.queue);
	server->writes.timer = loop_add_timer(server->opts.loop, 0, on_timer, server);
	return server->writes.timer ? 0 : err_set(err, -ENOMEM, NULL, "out of memory");
}

void ctrl_writes_fini(struct ctrl_server *server)
{
	struct writes *w = &server->writes;
	struct ctrl_call *call = w->current;
	struct err err = {0};

	if (!w->timer)
		return;
	err_set(&err, -ESHUTDOWN, server->opts.program, "is stopping");
	w->current = NULL;
	for (; call || (call = take(w)); call = NULL)
		ctrl_call_error(call, -ESHUTDOWN, &err);
	loop_del(server->opts.loop, w->timer);
	w->timer = NULL;
}
