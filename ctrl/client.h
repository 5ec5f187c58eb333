// SPDX-License-Identifier: BSD-3-Clause
// A small client of the control channel that waits for its answers. One thread per client.
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "base/err.h"

#define CTRL_RUN_DIR_DEFAULT "/run/causeway"

struct ctrl_client_opts {
	const char *run_dir; // NULL: CTRL_RUN_DIR_DEFAULT

	// Instead of the run directory: "tcp://HOST:PORT" of requests and events, with the file of
	// this client's secret key and that of the server's public key.
	const char *connect, *connect_events;
	const char *secret_key_file, *server_key_file;

	unsigned timeout_ms; // of a call; 0: 10 s
	bool tells_timeout;  // the daemon gets to know it, and goes on for as long

	// What answers there and its program, for messages; NULL: "switch" and "vswitchd".
	const char *what, *program;
};

struct ctrl_client;

// -ECONNREFUSED when no daemon is there, -EACCES when this user may not talk to it.
int ctrl_client_new(
	const struct ctrl_client_opts *opts, struct ctrl_client **ret_client, struct err *err);
void ctrl_client_free(struct ctrl_client *client);

// Calls a method; `params` is borrowed and may be NULL. Returns 0 with a new `ret_result`, or a
// negative errno: -ETIMEDOUT, -ECONNRESET (the daemon went away), over TCP -ECONNREFUSED, -EACCES
// (it does not know this client's key) or -EPROTO (it has another key), or what the error of the
// answer stands for (ctrl_error_to_errno()); the answer's error object is ctrl_client_error() then.
int ctrl_client_call(struct ctrl_client *client, const char *method, const json_t *params,
	json_t **ret_result, struct err *err);

// The error of the last call (code, message, data), borrowed; NULL when the daemon sent none.
const json_t *ctrl_client_error(const struct ctrl_client *client);

// Asks for events whose name begins with `prefix` ("": all).
int ctrl_client_subscribe(struct ctrl_client *client, const char *prefix, struct err *err);

// Waits for an event: a new object of event (its name), time, seq and data. -EAGAIN after
// `timeout_ms` without one, -ECONNRESET when the daemon has stopped.
int ctrl_client_event(
	struct ctrl_client *client, unsigned timeout_ms, json_t **ret_event, struct err *err);
