// SPDX-License-Identifier: BSD-3-Clause
#include "ctrl/core/core.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "ctrl/core/core_priv.h"

#define REQUESTS_A_ROUND 64 // then the other parts of the loop have their turn

static int check_frames(const struct ctrl_call *call, struct ctrl_fault *fault)
{
	if (!call->bad_frames)
		return 0;
	memset(fault, 0, sizeof(*fault));
	fault->error = CTRL_ERROR_BAD_REQUEST;
	return err_set(&fault->err, -EPROTO, NULL, "a request is one frame, not several");
}

static int find_method(struct ctrl_core *core, struct ctrl_call *call, struct ctrl_fault *fault)
{
	const struct ctrl_method *method =
		ctrl_method_find(core->opts.methods, core->opts.nb_methods, call->req.method);

	if (!method) {
		fault->error = CTRL_ERROR_UNKNOWN_METHOD;
		return err_set(&fault->err, -ENOSYS, NULL,
			"%s has no method '%.64s'; `vsctl reference` lists those there are",
			core->opts.program, call->req.method);
	}
	call->method = method - core->opts.methods;
	return ctrl_check_params(method, call->req.params, fault);
}

int ctrl_core_run(struct ctrl_core *core, struct ctrl_call *call, struct err *err)
{
	int rc;

	core->current = call;
	rc = core->opts.handlers[call->method](
		core->opts.arg, call->req.params, &call->result, err);
	// Unless it has answered from inside the handler.
	if (rc == CTRL_LATER && core->current) {
		TAILQ_INSERT_TAIL(&core->later, call, entry);
		core->nb_later++;
		call->is_later = true;
	}
	core->current = NULL;
	return rc;
}

struct ctrl_call *ctrl_core_current(struct ctrl_core *core)
{
	return core->current;
}

void ctrl_core_reply(struct ctrl_call *call, int rc, const json_t *result, const struct err *err)
{
	struct ctrl_core *core = call->endpoint->core;

	if (call->is_later) {
		TAILQ_REMOVE(&core->later, call, entry);
		core->nb_later--;
	}
	if (core->current == call)
		core->current = NULL;
	if (rc < 0)
		ctrl_call_error(call, rc, err);
	else
		ctrl_call_result(call, result);
}

static void refuse_later(struct ctrl_core *core)
{
	struct ctrl_call *call;
	struct err err = {0};

	err_set(&err, -ESHUTDOWN, core->opts.program, "is stopping; the change may yet be made");
	while ((call = TAILQ_FIRST(&core->later)))
		ctrl_core_reply(call, -ESHUTDOWN, NULL, &err);
}

static void run_read(struct ctrl_core *core, struct ctrl_call *call)
{
	struct err err = {0};
	int rc = ctrl_core_run(core, call, &err);

	if (rc < 0)
		ctrl_call_error(call, rc, &err);
	else if (rc == 0)
		ctrl_call_result(call, call->result);
}

static void handle(struct ctrl_core *core, struct ctrl_call *call, zmq_msg_t *body)
{
	struct ctrl_fault fault = {0};
	int rc;

	rc = check_frames(call, &fault);
	if (rc == 0)
		rc = ctrl_request_parse(zmq_msg_data(body), zmq_msg_size(body), &call->req, &fault);
	zmq_msg_close(body);
	if (rc == 0)
		rc = find_method(core, call, &fault);
	if (rc < 0)
		ctrl_call_refuse(call, &fault);
	else if (core->opts.methods[call->method].is_write)
		ctrl_writes_add(core, call);
	else
		run_read(core, call);
}

static void on_request(void *arg)
{
	struct endpoint *ep = arg;
	struct ctrl_call *call;
	zmq_msg_t body;

	loop_timer_set(ep->more, 0);
	for (unsigned i = 0; i < REQUESTS_A_ROUND; i++) {
		int rc = ctrl_call_receive(ep, &call, &body);

		if (rc < 0) {
			if (rc != -EAGAIN)
				log_warn("control channel: cannot receive: %s", zmq_strerror(-rc));
			return;
		}
		handle(ep->core, call, &body);
	}
	loop_timer_set(ep->more, 1);
}

static void set_defaults(struct ctrl_core *core)
{
	if (!core->opts.queue_max)
		core->opts.queue_max = CTRL_QUEUE_MAX_DEFAULT;
	if (!core->opts.unread_max_bytes)
		core->opts.unread_max_bytes = CTRL_UNREAD_MAX_BYTES;
	if (!core->opts.settle_timeout_ms)
		core->opts.settle_timeout_ms = CTRL_SETTLE_TIMEOUT_MS;
}

int ctrl_core_new(const struct ctrl_core_opts *opts, struct ctrl_core **ret_core, struct err *err)
{
	struct ctrl_core *core = calloc(1, sizeof(*core));
	int rc;

	if (!core)
		return err_set(err, -ENOMEM, NULL, "out of memory");
	core->opts = *opts;
	TAILQ_INIT(&core->later);
	set_defaults(core);
	rc = ctrl_writes_init(core, err);
	if (rc == 0)
		rc = ctrl_sockets_open(core, on_request, err);
	if (rc < 0) {
		ctrl_core_free(core);
		return rc;
	}
	// Borrowed for the time of this call only. The run directory is needed to the end.
	core->opts.tcp = (struct ctrl_tcp){0};
	*ret_core = core;
	return 0;
}

void ctrl_core_free(struct ctrl_core *core)
{
	if (!core)
		return;
	ctrl_writes_fini(core);
	refuse_later(core);
	ctrl_sockets_close(core);
	free(core);
}

static json_t *time_now(void)
{
	char date[32], text[64];
	struct timespec ts;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text, sizeof(text), "%s.%06ldZ", date, ts.tv_nsec / 1000);
	return json_string(text);
}

void ctrl_core_event(struct ctrl_core *core, const char *name, const json_t *data)
{
	json_t *event = json_pack("{s:o, s:I, s:O*}", "time", time_now(), "seq",
		(json_int_t)++core->event_seq, "data", data);
	char *text = event ? json_dumps(event, JSON_COMPACT) : NULL;

	for (unsigned i = 0; text && i < NB_ENDPOINTS; i++) {
		if (!core->events[i])
			continue;
		if (zmq_send(core->events[i], name, strlen(name), ZMQ_DONTWAIT | ZMQ_SNDMORE) >= 0)
			zmq_send(core->events[i], text, strlen(text), ZMQ_DONTWAIT);
	}
	free(text);
	json_decref(event);
}
