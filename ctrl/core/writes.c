// SPDX-License-Identifier: BSD-3-Clause
#include "ctrl/core/core_priv.h"

#include <errno.h>

#define EAGER_TRIES 4 // a worker round takes microseconds: most changes settle at once
#define RETRY_US    1000

static bool is_settled(struct ctrl_core *core)
{
	return !core->opts.settled || core->opts.settled(core->opts.arg);
}

static void refuse_timeout(struct ctrl_core *core, struct ctrl_call *call)
{
	struct err err = {0};

	err_set(&err, -ETIMEDOUT, core->opts.methods[call->method].name,
		"the change was made, but did not reach all workers within %u ms",
		core->opts.settle_timeout_ms);
	ctrl_call_error(call, -ETIMEDOUT, &err);
}

// Answers the current change if it is through. False: it still is on its way.
static bool finish(struct ctrl_core *core, unsigned tries)
{
	struct writes *w = &core->writes;
	struct ctrl_call *call = w->current;

	while (tries-- > 0) {
		if (!is_settled(core))
			continue;
		w->current = NULL;
		ctrl_call_result(call, call->result);
		return true;
	}
	if (monotonic_us() < w->deadline_us)
		return false;
	w->current = NULL;
	refuse_timeout(core, call);
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

static void start(struct ctrl_core *core, struct ctrl_call *call)
{
	const struct ctrl_core_opts *opts = &core->opts;
	struct err err = {0}, warning = {0};
	int rc;

	rc = ctrl_core_run(core, call, &err);
	if (rc < 0)
		ctrl_call_error(call, rc, &err);
	if (rc != 0)
		return;
	if (opts->commit)
		opts->commit(opts->arg, &warning);
	if (warning.code < 0)
		add_warning(call, &warning);
	core->writes.current = call;
	core->writes.deadline_us = monotonic_us() + opts->settle_timeout_ms * UINT64_C(1000);
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

static void pump(struct ctrl_core *core)
{
	struct writes *w = &core->writes;

	for (;;) {
		if (w->current && !finish(core, EAGER_TRIES)) {
			loop_timer_set(w->timer, RETRY_US);
			return;
		}
		while (!w->current) {
			struct ctrl_call *call = take(w);

			if (!call) {
				loop_timer_set(w->timer, 0);
				return;
			}
			start(core, call);
		}
	}
}

static void on_timer(void *arg)
{
	pump(arg);
}

void ctrl_writes_add(struct ctrl_core *core, struct ctrl_call *call)
{
	struct writes *w = &core->writes;

	if (w->count + core->nb_later >= core->opts.queue_max ||
		w->size_bytes + call->size_bytes > CTRL_QUEUE_MAX_BYTES) {
		struct err err = {0};

		err_set(&err, -EAGAIN, call->req.method,
			"%u changes are waiting already; try again in a moment",
			w->count + core->nb_later);
		ctrl_call_error(call, -EAGAIN, &err);
		return;
	}
	TAILQ_INSERT_TAIL(&w->queue, call, entry);
	w->count++;
	w->size_bytes += call->size_bytes;
	if (!w->current)
		pump(core);
}

int ctrl_writes_init(struct ctrl_core *core, struct err *err)
{
	TAILQ_INIT(&core->writes.queue);
	core->writes.timer = loop_add_timer(core->opts.loop, 0, on_timer, core);
	return core->writes.timer ? 0 : err_set(err, -ENOMEM, NULL, "out of memory");
}

void ctrl_writes_fini(struct ctrl_core *core)
{
	struct writes *w = &core->writes;
	struct ctrl_call *call = w->current;
	struct err err = {0};

	if (!w->timer)
		return;
	err_set(&err, -ESHUTDOWN, core->opts.program, "is stopping");
	w->current = NULL;
	for (; call || (call = take(w)); call = NULL)
		ctrl_call_error(call, -ESHUTDOWN, &err);
	loop_del(core->opts.loop, w->timer);
	w->timer = NULL;
}
