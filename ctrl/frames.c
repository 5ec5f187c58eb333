// SPDX-License-Identifier: BSD-3-Clause
#include "ctrl/frames.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

#include "base/member.h"
#include "base/util.h"
#include "ctrl/message.h"

int ctrl_frames_receive(void *socket, char *first, size_t first_bytes, json_t **ret_object)
{
	bool more = true;
	zmq_msg_t msg;

	for (unsigned i = 0; more; i++) {
		zmq_msg_init(&msg);
		if (zmq_msg_recv(&msg, socket, ZMQ_DONTWAIT) < 0) {
			int rc = -errno;

			zmq_msg_close(&msg);
			return rc;
		}
		more = zmq_msg_more(&msg);
		if (i == 0)
			snprintf(first, first_bytes, "%.*s", (int)zmq_msg_size(&msg),
				(char *)zmq_msg_data(&msg));
		if (!more)
			*ret_object = json_loadb(zmq_msg_data(&msg), zmq_msg_size(&msg), 0, NULL);
		zmq_msg_close(&msg);
	}
	return 0;
}

int ctrl_frames_answer(const json_t *answer, const char *method, json_t **ret_result,
	json_t **ret_error, struct err *err)
{
	json_t *error = json_object_get(answer, "error");
	json_t *result = json_object_get(answer, "result");
	const char *code = member_text_or(error, "code", NULL);
	const char *message = member_text_or(error, "message", NULL);

	if (error) {
		*ret_error = error;
		return err_set(err, ctrl_error_to_errno(code ? code : ""), NULL, "%s",
			message ? message : "the daemon refused, without a reason");
	}
	if (!result)
		return err_set(
			err, -EPROTO, method, "the answer has neither a result nor an error");
	*ret_result = result;
	return 0;
}

int ctrl_watch_open(void *zmq, void *socket, const char *name, uint16_t events, void **ret_watch)
{
	void *watch;

	if (zmq_socket_monitor(socket, name, events) < 0)
		return -errno;
	watch = zmq_socket(zmq, ZMQ_PAIR);
	if (!watch)
		return -errno;
	if (zmq_connect(watch, name) < 0) {
		int rc = -errno;

		zmq_close(watch);
		return rc;
	}
	*ret_watch = watch;
	return 0;
}

// The events of a ZeroMQ monitor are two frames: number and value, and the address.
uint16_t ctrl_watch_event(void *watch, char *address, size_t address_bytes)
{
	uint8_t head[6];
	uint16_t event;
	int len;

	if (zmq_recv(watch, head, sizeof(head), ZMQ_DONTWAIT) < 2)
		return 0;
	memcpy(&event, head, sizeof(event));
	len = zmq_recv(watch, address, address_bytes - 1, ZMQ_DONTWAIT);
	address[len < 0 ? 0 : MIN_OF((size_t)len, address_bytes - 1)] = '\0';
	return event;
}
