// SPDX-License-Identifier: BSD-3-Clause
#include "ctrl/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/utc.h"
#include "base/util.h"
#include "config/nearest.h"
#include "ctrl/server_priv.h"

#define REQUESTS_A_ROUND 64 // then the other parts of the loop have their turn

static int check_frames(const struct ctrl_call *call, struct ctrl_fault *fault)
{
	if (!call->bad_frames)
		return 0;
	memset(fault, 0, sizeof(*fault));
	fault->error = CTRL_ERROR_BAD_REQUEST;
	return err_set(&fault->err, -EPROTO, NULL, "a request must be a single frame");
}

// What destroys is only suggested to who has begun to write that.
static bool may_suggest(const char *typed, const char *name)
{
	static const char *const destroys[] = {
		"del", "delete", "disconnect", "flush", "leave", "prune", "release", "rm"};
	const char *dot = strrchr(name, '.'), *typed_dot = strrchr(typed, '.');

	for (unsigned i = 0; dot && i < ARRAY_SIZE(destroys); i++) {
		if (!strcmp(dot + 1, destroys[i]))
			return typed_dot && !strncmp(typed_dot + 1, dot + 1, 2);
	}
	return true;
}

// The method that was meant by a name that is none; NULL when nothing is near.
static const char *nearest_method(const struct ctrl_server *server, const char *name)
{
	const char *renamed = nearest_renamed(name), *found = NULL;
	unsigned best = NEAREST_FAR;

	for (unsigned i = 0; i < server->opts.nb_methods; i++) {
		const char *other = server->opts.methods[i].name;
		unsigned distance = nearest_distance(renamed ? renamed : name, other);

		if (distance < best && may_suggest(renamed ? renamed : name, other)) {
			best = distance;
			found = other;
		}
	}
	return found;
}

static int find_method(struct ctrl_server *server, struct ctrl_call *call, struct ctrl_fault *fault)
{
	const struct ctrl_method *method =
		ctrl_method_find(server->opts.methods, server->opts.nb_methods, call->req.method);

	if (!method) {
		const char *nearest = nearest_method(server, call->req.method);

		fault->error = CTRL_ERROR_UNKNOWN_METHOD;
		return err_set(&fault->err, -ENOSYS, NULL,
			"%s has no method '%.64s'; %s%s%s`%s --reference control` lists the "
			"methods",
			server->opts.program, call->req.method, nearest ? "did you mean " : "",
			nearest ? nearest : "", nearest ? "? " : "", server->opts.program);
	}
	call->method = method - server->opts.methods;
	return ctrl_check_params(method, call->req.params, fault);
}

int ctrl_server_run(struct ctrl_server *server, struct ctrl_call *call, struct err *err)
{
	int rc;

	server->current = call;
	rc = server->opts.handlers[call->method](
		server->opts.arg, call->req.params, &call->result, err);
	// Unless it has answered from inside the handler.
	if (rc == CTRL_LATER && server->current) {
		TAILQ_INSERT_TAIL(&server->later, call, entry);
		server->nb_later++;
		call->is_later = true;
	}
	server->current = NULL;
	return rc;
}

struct ctrl_call *ctrl_server_current(struct ctrl_server *server)
{
	return server->current;
}

void ctrl_server_reply(struct ctrl_call *call, int rc, const json_t *result, const struct err *err)
{
	struct ctrl_server *server = call->listener->server;

	if (call->is_later) {
		TAILQ_REMOVE(&server->later, call, entry);
		server->nb_later--;
	}
	if (server->current == call)
		server->current = NULL;
	if (rc < 0)
		ctrl_call_error(call, rc, err);
	else
		ctrl_call_result(call, result);
}

static void refuse_later(struct ctrl_server *server)
{
	struct ctrl_call *call;
	struct err err = {0};

	err_set(&err, -ESHUTDOWN, server->opts.program,
		"is stopping; the change may still take effect");
	while ((call = TAILQ_FIRST(&server->later)))
		ctrl_server_reply(call, -ESHUTDOWN, NULL, &err);
}

static void run_read(struct ctrl_server *server, struct ctrl_call *call)
{
	struct err err = {0};
	int rc = ctrl_server_run(server, call, &err);

	if (rc < 0)
		ctrl_call_error(call, rc, &err);
	else if (rc == 0)
		ctrl_call_result(call, call->result);
}

static void handle(struct ctrl_server *server, struct ctrl_call *call, zmq_msg_t *body)
{
	struct ctrl_fault fault = {0};
	int rc;

	rc = check_frames(call, &fault);
	if (rc == 0)
		rc = ctrl_request_parse(zmq_msg_data(body), zmq_msg_size(body), &call->req, &fault);
	zmq_msg_close(body);
	if (rc == 0)
		rc = find_method(server, call, &fault);
	if (rc < 0)
		ctrl_call_refuse(call, &fault);
	else if (server->opts.methods[call->method].is_write)
		ctrl_writes_add(server, call);
	else
		run_read(server, call);
}

static void on_request(void *arg)
{
	struct listener *ep = arg;
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
		handle(ep->server, call, &body);
	}
	loop_timer_set(ep->more, 1);
}

static void set_defaults(struct ctrl_server *server)
{
	if (!server->opts.queue_max)
		server->opts.queue_max = CTRL_QUEUE_MAX_DEFAULT;
	if (!server->opts.unread_max_bytes)
		server->opts.unread_max_bytes = CTRL_UNREAD_MAX_BYTES;
	if (!server->opts.settle_timeout_ms)
		server->opts.settle_timeout_ms = CTRL_SETTLE_TIMEOUT_MS;
	if (getenv(CTRL_CHECK_RESULTS))
		server->opts.check_results = true;
}

int ctrl_server_new(
	const struct ctrl_server_opts *opts, struct ctrl_server **ret_server, struct err *err)
{
	struct ctrl_server *server = calloc(1, sizeof(*server));
	int rc;

	if (!server)
		return err_set(err, -ENOMEM, NULL, "out of memory");
	server->opts = *opts;
	TAILQ_INIT(&server->later);
	set_defaults(server);
	rc = ctrl_writes_init(server, err);
	if (rc == 0)
		rc = ctrl_sockets_open(server, on_request, err);
	if (rc < 0) {
		ctrl_server_free(server);
		return rc;
	}
	// Borrowed for the time of this call only. The run directory is needed to the end.
	server->opts.tcp = (struct ctrl_tcp){0};
	*ret_server = server;
	return 0;
}

void ctrl_server_free(struct ctrl_server *server)
{
	if (!server)
		return;
	ctrl_writes_fini(server);
	refuse_later(server);
	ctrl_sockets_close(server);
	free(server);
}

void ctrl_server_event(struct ctrl_server *server, const char *name, const json_t *data)
{
	char time[UTC_TEXT_BYTES];
	json_t *event = json_pack("{s:s, s:I, s:O*}", "time", utc_now(time), "seq",
		(json_int_t)++server->event_seq, "data", data);
	char *text = event ? json_dumps(event, JSON_COMPACT) : NULL;

	for (unsigned i = 0; text && i < NB_LISTENERS; i++) {
		if (!server->events[i])
			continue;
		if (zmq_send(server->events[i], name, strlen(name), ZMQ_DONTWAIT | ZMQ_SNDMORE) >=
			0)
			zmq_send(server->events[i], text, strlen(text), ZMQ_DONTWAIT);
	}
	free(text);
	json_decref(event);
}
