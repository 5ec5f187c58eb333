// SPDX-License-Identifier: BSD-3-Clause
// The server side of the control channel, for any daemon: sockets, dispatch from a method list,
// changes one at a time, answers at once or later, events. It knows nothing of switches.
//
// Everything runs on the thread of the event loop, which must be the one that calls these
// functions; nothing here blocks.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/err.h"
#include "base/loop.h"
#include "ctrl/method.h"

struct ctrl_server;
struct ctrl_call;

// Does what the method says. `params` has been checked against the method's table. Returns 0 with
// `ret_result` (a new object, or left NULL for an empty one), or a negative errno with `err`
// filled and nothing changed. Or CTRL_LATER, having kept ctrl_server_current(): then the answer is
// what ctrl_server_reply() is given, and other changes do not wait for it.
typedef int ctrl_handler_fn(void *arg, const json_t *params, json_t **ret_result, struct err *err);

#define CTRL_LATER 1

// Listening on TCP as well ("tcp://ADDRESS:PORT"), for requests and events; either may be NULL. It
// needs both files: the server's secret key, and the public keys of the clients that may connect
// (ctrl/keys.h).
struct ctrl_tcp {
	const char *listen, *listen_events;
	const char *secret_key_file, *client_keys_file;
};

struct ctrl_server_opts {
	struct loop *loop;
	const char *run_dir; // this process's alone (dir_lock()); gets ctl.sock and events.sock
	const char *program; // "vswitchd": for messages

	const struct ctrl_method *methods;
	ctrl_handler_fn *const *handlers; // one for each method
	unsigned nb_methods;
	void *arg; // of handlers, commit() and settled()

	// commit() puts a change into effect after its handler; the reply is held until settled()
	// is true. Not for answers that come later. What the client should know about a change
	// that worked goes into `warning`, which the result carries. Both may be NULL.
	void (*commit)(void *arg, struct err *warning);
	bool (*settled)(void *arg);
	unsigned settle_timeout_ms; // then the reply is a time-out; 0: 10 s
	unsigned queue_max;	    // changes that may wait, for their turn or for an answer that
				    // comes later; 0: 1024
	size_t unread_max_bytes;    // of answers to clients that do not read; 0: 64 MiB

	// Holds each result against its description and answers `failed` where they differ. The
	// environment variable CAUSEWAY_CHECK_RESULTS, which all tests set, asks for it as well.
	bool check_results;

	struct ctrl_tcp tcp;
};

#define CTRL_CHECK_RESULTS "CAUSEWAY_CHECK_RESULTS"

// Whether a server can be made with these; makes nothing, so that a daemon can ask before it starts
// anything.
int ctrl_server_check(const char *run_dir, const struct ctrl_tcp *tcp, struct err *err);

int ctrl_server_new(
	const struct ctrl_server_opts *opts, struct ctrl_server **ret_server, struct err *err);

// Answers waiting requests with `stopping`; calls that a handler has kept become invalid. NULL is
// fine.
void ctrl_server_free(struct ctrl_server *server);

// The call whose handler runs.
struct ctrl_call *ctrl_server_current(struct ctrl_server *server);

// Who asks, and for what; for logs. "uid 0, vsctl[123]" where the local socket tells it.
const char *ctrl_call_who(const struct ctrl_call *call);
const char *ctrl_call_method(const struct ctrl_call *call);

// How long the client goes on waiting for the answer, in ms; 0: it did not say.
unsigned ctrl_call_left_ms(const struct ctrl_call *call);

// Answers a call whose handler returns, or has returned, CTRL_LATER: 0 with `result` (borrowed, may
// be NULL), or a negative errno with `err`. Once for each call; its client may have gone.
void ctrl_server_reply(struct ctrl_call *call, int rc, const json_t *result, const struct err *err);

// Publishes an event; `data` is borrowed. Clients that are not connected miss it.
void ctrl_server_event(struct ctrl_server *server, const char *name, const json_t *data);
