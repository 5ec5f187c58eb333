// SPDX-License-Identifier: BSD-3-Clause
#include "ctrl/server_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"

#define SMALL_BYTES 4096

static void call_free(struct ctrl_call *call)
{
	for (unsigned i = 0; i < call->nb_frames; i++)
		zmq_msg_close(&call->frame[i]);
	ctrl_request_fini(&call->req);
	json_decref(call->result);
	free(call);
}

// Keeps the frames of the address; of a message with too many of them only the last one and the
// first few are kept, to be refused.
static int receive_frames(struct ctrl_call *call, zmq_msg_t *body)
{
	void *socket = call->listener->socket;

	for (;;) {
		if (zmq_msg_recv(body, socket, ZMQ_DONTWAIT) < 0)
			return -errno;
		if (!zmq_msg_more(body))
			return 0;
		if (call->nb_frames == CALL_FRAMES_MAX) {
			call->bad_frames = true;
			continue;
		}
		zmq_msg_init(&call->frame[call->nb_frames]);
		zmq_msg_move(&call->frame[call->nb_frames++], body);
	}
}

int ctrl_call_receive(struct listener *listener, struct ctrl_call **ret_call, zmq_msg_t *ret_body)
{
	struct ctrl_call *call = calloc(1, sizeof(*call));
	int rc;

	if (!call)
		return -ENOMEM;
	call->listener = listener;
	call->received_us = monotonic_us();
	zmq_msg_init(ret_body);
	do {
		rc = receive_frames(call, ret_body);
	} while (rc == -EINTR);
	if (rc < 0) {
		zmq_msg_close(ret_body);
		call_free(call);
		return rc;
	}
	call->size_bytes = zmq_msg_size(ret_body);
	ctrl_log_peer(call, ret_body);
	*ret_call = call;
	return 0;
}

// Runs on a thread of ZeroMQ.
static void free_text(void *text, void *hint)
{
	atomic_size_t *unread_bytes = hint;

	atomic_fetch_sub(unread_bytes, strlen(text));
	free(text);
}

// What clients do not read is held here. Small answers always are, since ZeroMQ keeps a thousand
// for each client and no more; large ones only up to a limit, and then say so.
static char *limit_unread(struct ctrl_call *call, char *text)
{
	const struct ctrl_server *server = call->listener->server;
	size_t unread_bytes = atomic_load(&server->unread_bytes);
	struct ctrl_fault fault = {.error = CTRL_ERROR_BUSY};

	if (!text || strlen(text) <= SMALL_BYTES ||
		unread_bytes + strlen(text) <= server->opts.unread_max_bytes)
		return text;
	free(text);
	err_set(&fault.err, -EAGAIN, server->opts.program,
		"answers of %zu bytes wait for clients that do not read them; read, or try again",
		unread_bytes);
	return ctrl_fault_text(call->req.id, &fault);
}

// A peer that has gone, or does not read, loses its answer: nothing here waits.
static void answer(struct ctrl_call *call, char *text)
{
	static const char no_memory[] = "{\"id\":null,\"error\":{\"code\":\"no_memory\","
					"\"message\":\"out of memory\",\"data\":{}}}";
	atomic_size_t *unread_bytes = &call->listener->server->unread_bytes;
	void *socket = call->listener->socket;
	zmq_msg_t body;

	text = limit_unread(call, text);
	if (!text)
		text = strdup(no_memory);
	if (!text || zmq_msg_init_data(&body, text, strlen(text), free_text, unread_bytes) < 0) {
		free(text);
		goto out;
	}
	atomic_fetch_add(unread_bytes, strlen(text));
	for (unsigned i = 0; i < call->nb_frames; i++) {
		if (zmq_msg_send(&call->frame[i], socket, ZMQ_DONTWAIT | ZMQ_SNDMORE) < 0)
			goto lost;
	}
	if (zmq_msg_send(&body, socket, ZMQ_DONTWAIT) >= 0)
		goto out;
lost:
	log_debug("control channel: an answer was lost: %s", zmq_strerror(errno));
	zmq_msg_close(&body);
out:
	call_free(call);
}

const char *ctrl_call_who(const struct ctrl_call *call)
{
	return call->who;
}

const char *ctrl_call_method(const struct ctrl_call *call)
{
	return call->req.method;
}

unsigned ctrl_call_left_ms(const struct ctrl_call *call)
{
	uint64_t waited_ms = (monotonic_us() - call->received_us) / 1000;

	if (!call->req.timeout_ms)
		return 0;
	return waited_ms < call->req.timeout_ms ? call->req.timeout_ms - waited_ms : 1;
}

void ctrl_call_result(struct ctrl_call *call, const json_t *result)
{
	const struct ctrl_server_opts *opts = &call->listener->server->opts;
	const struct ctrl_method *method = &opts->methods[call->method];
	char text[sizeof(struct err)];
	struct err err = {0};

	if (opts->check_results && ctrl_check_result(method, result, &err) < 0) {
		log_error("%s", err_text(&err, text, sizeof(text)));
		ctrl_call_error(call, -EIO, &err);
		return;
	}
	ctrl_log_change(call, NULL);
	answer(call, ctrl_result_text(call->req.id, result));
}

void ctrl_call_refuse(struct ctrl_call *call, const struct ctrl_fault *fault)
{
	answer(call, ctrl_fault_text(call->req.id, fault));
}

void ctrl_call_error(struct ctrl_call *call, int code, const struct err *err)
{
	struct ctrl_fault fault = {.error = ctrl_error_of_errno(code), .err = *err};

	if (!err->reason[0])
		snprintf(fault.err.reason, sizeof(fault.err.reason), "%s", strerror(-code));
	ctrl_log_change(call, &fault.err);
	ctrl_call_refuse(call, &fault);
}
