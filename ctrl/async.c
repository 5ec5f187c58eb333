// SPDX-License-Identifier: BSD-3-Clause
#include "ctrl/async.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <uthash.h>
#include <zmq.h>

#include "base/member.h"
#include "ctrl/frames.h"
#include "ctrl/message.h"

#define TIMEOUT_MS_DEFAULT 10000
#define TICK_US		   20000 // how exact time-outs are

struct call {
	TAILQ_ENTRY(call) entry;
	UT_hash_handle hh; // by id
	json_int_t id;
	uint64_t due_us;
	char *method;
	ctrl_async_fn *fn;
	void *arg;
};

TAILQ_HEAD(calls, call);

struct channel {
	struct ctrl_async *async;
	void *socket, *watch;
	struct loop_handle *on_readable, *on_watch;
	bool up;
};

enum { REQUESTS, EVENTS, NB_CHANNELS };

struct ctrl_async {
	struct ctrl_async_opts opts;
	char run_dir[PATH_MAX];
	void *zmq;
	struct channel channels[NB_CHANNELS];
	bool up;	   // as it was told
	struct calls sent; // all have the same time-out: the first is due first
	struct call *by_id;
	struct calls refused; // could not be sent; told from the loop
	json_int_t next_id;
	struct loop_handle *tick; // while there are calls
};

static void call_free(struct call *call)
{
	free(call->method);
	free(call);
}

static void forget(struct ctrl_async *async, struct call *call)
{
	TAILQ_REMOVE(&async->sent, call, entry);
	HASH_DEL(async->by_id, call);
}

// Tells how the call ended and frees it. It is in no list any more: `fn` may make others.
static void end(struct call *call, int rc, const json_t *result, const struct err *err)
{
	call->fn(call->arg, rc, result, err);
	call_free(call);
}

static void end_refused(struct ctrl_async *async)
{
	// What callbacks add meanwhile has its turn in the next round.
	struct calls calls = TAILQ_HEAD_INITIALIZER(calls);
	struct call *call;

	TAILQ_CONCAT(&calls, &async->refused, entry);
	while ((call = TAILQ_FIRST(&calls))) {
		struct err err = {0};

		TAILQ_REMOVE(&calls, call, entry);
		err_set(&err, -ECONNREFUSED, NULL, "%s: no daemon answers at %s", call->method,
			async->run_dir);
		end(call, -ECONNREFUSED, NULL, &err);
	}
}

static void end_late(struct ctrl_async *async)
{
	uint64_t now_us = monotonic_us();
	struct call *call;

	while ((call = TAILQ_FIRST(&async->sent)) && call->due_us <= now_us) {
		struct err err = {0};

		forget(async, call);
		err_set(&err, -ETIMEDOUT, NULL, "no answer from the daemon at %s within %g s",
			async->run_dir, async->opts.timeout_ms / 1000.0);
		end(call, -ETIMEDOUT, NULL, &err);
	}
}

static void end_lost(struct ctrl_async *async)
{
	struct call *call;

	while ((call = TAILQ_FIRST(&async->sent))) {
		struct err err = {0};

		forget(async, call);
		err_set(&err, -ECONNRESET, NULL,
			"%s: the daemon at %s went away before it answered", call->method,
			async->run_dir);
		end(call, -ECONNRESET, NULL, &err);
	}
}

static void on_tick(void *arg)
{
	struct ctrl_async *async = arg;

	end_refused(async);
	end_late(async);
	if (!TAILQ_EMPTY(&async->refused))
		loop_timer_set(async->tick, 1);
	else
		loop_timer_set(async->tick, TAILQ_EMPTY(&async->sent) ? 0 : TICK_US);
}

static void on_answer(void *arg)
{
	struct ctrl_async *async = arg;
	json_t *answer, *result, *error;
	char first[16];

	for (;;) {
		struct err err = {0};
		struct call *call;
		json_int_t id;
		int rc;

		answer = result = NULL;
		rc = ctrl_frames_receive(
			async->channels[REQUESTS].socket, first, sizeof(first), &answer);
		if (rc == -EINTR)
			continue;
		if (rc < 0)
			return;
		id = member_int(answer, "id");
		HASH_FIND(hh, async->by_id, &id, sizeof(id), call);
		if (call) { // others have timed out
			forget(async, call);
			rc = ctrl_frames_answer(answer, call->method, &result, &error, &err);
			end(call, rc, result, &err);
		}
		json_decref(answer);
	}
}

static void on_event(void *arg)
{
	struct ctrl_async *async = arg;
	char name[128];
	json_t *event;

	for (;;) {
		int rc;

		event = NULL;
		rc = ctrl_frames_receive(
			async->channels[EVENTS].socket, name, sizeof(name), &event);
		if (rc == -EINTR)
			continue;
		if (rc < 0)
			return;
		if (event)
			async->opts.on_event(async->opts.arg, name, json_object_get(event, "data"));
		json_decref(event);
	}
}

static bool all_up(const struct ctrl_async *async)
{
	for (unsigned i = 0; i < NB_CHANNELS; i++) {
		if (async->channels[i].socket && !async->channels[i].up)
			return false;
	}
	return true;
}

static void set_state(struct ctrl_async *async, bool up)
{
	if (async->up == up)
		return;
	async->up = up;
	if (async->opts.on_state)
		async->opts.on_state(async->opts.arg, up);
}

// One event at a time, so that a daemon which went away and is back already is told as both.
static void on_watch(void *arg)
{
	struct channel *ch = arg;
	char address[256];
	uint16_t event;

	while ((event = ctrl_watch_event(ch->watch, address, sizeof(address)))) {
		ch->up = event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED;
		set_state(ch->async, all_up(ch->async));
		if (!ch->up && ch == &ch->async->channels[REQUESTS])
			end_lost(ch->async);
	}
}

static int set_int(void *socket, int option, int value)
{
	return zmq_setsockopt(socket, option, &value, sizeof(value));
}

static int open_channel(struct ctrl_async *async, unsigned index, int type, const char *name,
	loop_fn *on_readable, struct err *err)
{
	struct channel *ch = &async->channels[index];
	char address[PATH_MAX + 32], watch[32];
	int rc;

	ch->async = async;
	ch->socket = zmq_socket(async->zmq, type);
	if (!ch->socket)
		return err_set_errno(err, -errno, NULL, "cannot make a socket");
	set_int(ch->socket, ZMQ_LINGER, 0);
	set_int(ch->socket, ZMQ_SNDHWM, 0);
	set_int(ch->socket, ZMQ_RCVHWM, 0);
	// What was sent to a daemon that went away is not for the next one.
	set_int(ch->socket, ZMQ_IMMEDIATE, 1);
	if (type == ZMQ_SUB)
		zmq_setsockopt(
			ch->socket, ZMQ_SUBSCRIBE, async->opts.events, strlen(async->opts.events));
	snprintf(watch, sizeof(watch), "inproc://%s", name);
	rc = ctrl_watch_open(async->zmq, ch->socket, watch,
		ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED, &ch->watch);
	if (rc < 0)
		return err_set(err, rc, NULL, "cannot watch a socket: %s", zmq_strerror(-rc));
	ch->on_watch = loop_add_socket(async->opts.loop, ch->watch, on_watch, ch);
	ch->on_readable = loop_add_socket(async->opts.loop, ch->socket, on_readable, async);
	if (!ch->on_watch || !ch->on_readable)
		return err_set(err, -ENOMEM, NULL, "out of memory");
	snprintf(address, sizeof(address), "ipc://%s/%s", async->run_dir, name);
	if (zmq_connect(ch->socket, address) < 0)
		return err_set(err, -errno, address + 6, "cannot connect: %s", zmq_strerror(errno));
	return 0;
}

static void close_channel(struct ctrl_async *async, struct channel *ch)
{
	loop_del(async->opts.loop, ch->on_watch);
	loop_del(async->opts.loop, ch->on_readable);
	if (ch->watch)
		zmq_close(ch->watch);
	if (ch->socket)
		zmq_close(ch->socket);
}

int ctrl_async_new(
	const struct ctrl_async_opts *opts, struct ctrl_async **ret_async, struct err *err)
{
	struct ctrl_async *async = calloc(1, sizeof(*async));
	int rc;

	if (!async)
		return err_set(err, -ENOMEM, NULL, "out of memory");
	async->opts = *opts;
	if (!async->opts.timeout_ms)
		async->opts.timeout_ms = TIMEOUT_MS_DEFAULT;
	snprintf(async->run_dir, sizeof(async->run_dir), "%s", opts->run_dir);
	TAILQ_INIT(&async->sent);
	TAILQ_INIT(&async->refused);
	async->tick = loop_add_timer(opts->loop, 0, on_tick, async);
	async->zmq = zmq_ctx_new();
	if (!async->tick || !async->zmq) {
		rc = err_set(err, -ENOMEM, NULL, "out of memory");
		goto err;
	}
	rc = open_channel(async, REQUESTS, ZMQ_DEALER, "ctl.sock", on_answer, err);
	if (rc == 0 && opts->events)
		rc = open_channel(async, EVENTS, ZMQ_SUB, "events.sock", on_event, err);
	if (rc < 0)
		goto err;
	*ret_async = async;
	return 0;

err:
	ctrl_async_free(async);
	return rc;
}

void ctrl_async_free(struct ctrl_async *async)
{
	struct call *call;

	if (!async)
		return;
	HASH_CLEAR(hh, async->by_id);
	TAILQ_CONCAT(&async->sent, &async->refused, entry);
	while ((call = TAILQ_FIRST(&async->sent))) {
		TAILQ_REMOVE(&async->sent, call, entry);
		call_free(call);
	}
	for (unsigned i = 0; i < NB_CHANNELS; i++)
		close_channel(async, &async->channels[i]);
	loop_del(async->opts.loop, async->tick);
	while (async->zmq && zmq_ctx_term(async->zmq) < 0 && errno == EINTR)
		;
	free(async);
}

static int send_request(struct ctrl_async *async, struct call *call, const json_t *params)
{
	void *socket = async->channels[REQUESTS].socket;
	char *text = ctrl_request_text(call->id, call->method, params, 0);
	size_t size = sizeof(int);
	int events, rc = 0;

	if (!text)
		return -ENOMEM;
	// Else ZeroMQ may not have looked yet whether it is connected.
	zmq_getsockopt(socket, ZMQ_EVENTS, &events, &size);
	if (zmq_send(socket, text, strlen(text), ZMQ_DONTWAIT) < 0)
		rc = -errno;
	free(text);
	return rc;
}

void ctrl_async_call(
	struct ctrl_async *async, const char *method, json_t *params, ctrl_async_fn *fn, void *arg)
{
	struct call *call = calloc(1, sizeof(*call));

	if (call)
		call->method = strdup(method);
	if (!call || !call->method)
		abort(); // a call without a reply would wait for ever
	call->id = ++async->next_id;
	call->due_us = monotonic_us() + async->opts.timeout_ms * UINT64_C(1000);
	call->fn = fn;
	call->arg = arg;
	if (!async->up || send_request(async, call, params) < 0) {
		TAILQ_INSERT_TAIL(&async->refused, call, entry);
		loop_timer_set(async->tick, 1);
	} else {
		TAILQ_INSERT_TAIL(&async->sent, call, entry);
		HASH_ADD(hh, async->by_id, id, sizeof(call->id), call);
		if (TAILQ_FIRST(&async->sent) == call && TAILQ_EMPTY(&async->refused))
			loop_timer_set(async->tick, TICK_US);
	}
	json_decref(params);
}
