// SPDX-License-Identifier: BSD-3-Clause
// What clients of the control channel do with ZeroMQ sockets: receiving answers and events, and
// watching connections. A socket is its thread's.
#pragma once

#include <stdint.h>

#include <jansson.h>

#include "base/err.h"

// Receives one message without waiting: the last frame as JSON (a new object; NULL when it is none)
// and the first as text, cut to size. -EAGAIN when there is none.
int ctrl_frames_receive(void *socket, char *first, size_t first_bytes, json_t **ret_object);

// What an answer says: 0 with `ret_result` (borrowed), or the errno of its error, which goes to
// `err` and, borrowed, to `ret_error`. -EPROTO when it is neither.
int ctrl_frames_answer(const json_t *answer, const char *method, json_t **ret_result,
	json_t **ret_error, struct err *err);

// Watches a socket for ZMQ_EVENT_*: a new socket that becomes readable. `name` is "inproc://...",
// unique in the context. -errno.
int ctrl_watch_open(void *zmq, void *socket, const char *name, uint16_t events, void **ret_watch);

// The next event without waiting, 0 when there is none. `address` gets whom it is about.
uint16_t ctrl_watch_event(void *watch, char *address, size_t address_bytes);
