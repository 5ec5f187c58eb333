// SPDX-License-Identifier: BSD-3-Clause
// The messages of the control channel: JSON objects, one in each ZeroMQ message.
//
//	{"id": 1, "method": "port.add", "params": {...}, "timeout_ms": 10000}
//	{"id": 1, "result": {...}}
//	{"id": 1, "error": {"code": "exists", "message": "port c1: ...", "data": {"object": "port
// c1"}}}
//
// `id` is a string, an integer or null and comes back as it is. `timeout_ms` is how long the client
// waits for the answer; it may be left out. Pure functions, any thread.
#pragma once

#include <stddef.h>

#include <jansson.h>

#include "base/err.h"

#define CTRL_MESSAGE_MAX_BYTES	 (16u << 20) // of a request; larger ones are answered too_big
#define CTRL_TRANSPORT_MAX_BYTES (64u << 20) // beyond this ZeroMQ drops the connection
#define CTRL_DEPTH_MAX		 16	     // objects and lists inside each other
#define CTRL_TIMEOUT_MAX_MS	 86400000u   // a day

// X(symbol, name in messages, errno, help). What a handler fails with becomes the last row that
// has its errno.
#define CTRL_ERRORS(X)                                                                             \
	X(BAD_JSON, "bad_json", EBADMSG, "the message is not JSON, or is nested too deeply")       \
	X(TOO_BIG, "too_big", EMSGSIZE, "the message is larger than 16 MiB")                       \
	X(BAD_REQUEST, "bad_request", EPROTO, "the JSON is not a request")                         \
	X(UNKNOWN_METHOD, "unknown_method", ENOSYS, "the method does not exist")                   \
	X(UNKNOWN_PARAM, "unknown_param", EINVAL, "the method does not take the parameter")        \
	X(MISSING_PARAM, "missing_param", EINVAL, "a required parameter is not given")             \
	X(CONFLICTING_PARAMS, "conflicting_params", EINVAL, "parameters that exclude each other")  \
	X(BAD_TYPE, "bad_type", EINVAL, "a parameter has the wrong JSON type")                     \
	X(OUT_OF_BOUNDS, "out_of_bounds", ERANGE, "a parameter is out of bounds")                  \
	X(BUSY, "busy", EAGAIN, "too many changes or unread answers are waiting; try again")       \
	X(STOPPING, "stopping", ESHUTDOWN, "the daemon is stopping")                               \
	X(INVALID, "invalid", EINVAL, "a value is not allowed, or not in combination with others") \
	X(NOT_FOUND, "not_found", ENOENT, "no object of that name")                                \
	X(EXISTS, "exists", EEXIST, "an object of that name already exists")                       \
	X(NO_DEVICE, "no_device", ENODEV, "the device does not exist")                             \
	X(IN_USE, "in_use", EBUSY, "something else uses the device or object")                     \
	X(DENIED, "denied", EPERM, "the daemon or the caller lacks permission")                    \
	X(NO_SPACE, "no_space", ENOSPC, "a table or the disk is full")                             \
	X(NOT_SUPPORTED, "not_supported", EOPNOTSUPP, "the object cannot do this")                 \
	X(NO_MEMORY, "no_memory", ENOMEM, "out of memory")                                         \
	X(TIMEOUT, "timeout", ETIMEDOUT, "it took too long")                                       \
	X(UNREACHABLE, "unreachable", ECONNREFUSED, "no daemon answers; only clients report this") \
	X(FAILED, "failed", EIO, "anything else; the message says what")

enum ctrl_error {
#define X(symbol, name, errno_, help) CTRL_ERROR_##symbol,
	CTRL_ERRORS(X)
#undef X
		CTRL_NB_ERRORS
};

struct ctrl_error_info {
	const char *name, *help;
	int code; // negative errno
};

extern const struct ctrl_error_info ctrl_error_info[CTRL_NB_ERRORS];

enum ctrl_error ctrl_error_of_errno(int code); // negative errno
int ctrl_error_to_errno(const char *name);     // negative errno; -EIO for unknown names

// Why a request is refused.
struct ctrl_fault {
	enum ctrl_error error;
	struct err err;	 // path: the object, or the method
	char param[128]; // the parameter that is wrong ("entries[3].vlan"), or empty
};

struct ctrl_request {
	json_t *root; // holds all of the below
	json_t *id;
	const char *method;
	json_t *params;	     // an object, empty when the request had none
	unsigned timeout_ms; // 0: it does not say
};

// Parses one message. On failure returns a negative errno with `fault` filled; `ret_req` then has
// what is known of the request (its id, if any). ctrl_request_fini() it in both cases.
int ctrl_request_parse(
	const char *text, size_t len_bytes, struct ctrl_request *ret_req, struct ctrl_fault *fault);
void ctrl_request_fini(struct ctrl_request *req);

// Messages as text that the caller frees; NULL when out of memory. `result` is borrowed and may
// be NULL (an empty object), `id` too (null). `timeout_ms` 0: is left out.
char *ctrl_request_text(
	json_int_t id, const char *method, const json_t *params, unsigned timeout_ms);
char *ctrl_result_text(const json_t *id, const json_t *result);
char *ctrl_fault_text(const json_t *id, const struct ctrl_fault *fault);

// A JSON string of `text`, with '?' where it is not UTF-8 (texts are cut to size anywhere).
json_t *ctrl_json_text(const char *text);
