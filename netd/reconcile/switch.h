// SPDX-License-Identifier: BSD-3-Clause
// The control channel of the local switch, as the agent needs it: requests and events; no call
// waits. One implementation speaks ZeroMQ (switch.c), another one is a switch in memory for
// simulations. Main thread only.
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "base/err.h"
#include "base/loop.h"

// `result` and `err` are borrowed. rc as ctrl_client_call() has it.
typedef void switch_reply_fn(void *arg, int rc, const json_t *result, const struct err *err);

struct switch_conn;

struct switch_ops {
	// Sends a request and takes `params` over. The reply comes later, exactly once, and never
	// from inside the call.
	void (*call)(struct switch_conn *conn, const char *method, json_t *params,
		switch_reply_fn *fn, void *arg);
};

struct switch_conn {
	const struct switch_ops *ops;
	// Set by the user. `up`: the switch has just started or is another process now, and nothing
	// that was known of it holds.
	void (*on_state)(void *arg, bool up);
	void (*on_event)(void *arg, const char *name, const json_t *data);
	void *arg;
};

static inline void switch_call(struct switch_conn *conn, const char *method, json_t *params,
	switch_reply_fn *fn, void *arg)
{
	conn->ops->call(conn, method, params, fn, arg);
}

// The switch whose sockets are in `run_dir`. Connects, and reconnects after it was away.
int switch_conn_new(
	struct loop *loop, const char *run_dir, struct switch_conn **ret_conn, struct err *err);
void switch_conn_free(struct switch_conn *conn);
