// SPDX-License-Identifier: BSD-3-Clause
// The control channel of the local switch, as the agent needs it: requests and events, nothing
// that waits. One implementation speaks ZeroMQ (switch.c), another is a switch in memory for
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
	// Sends a request; `params` is taken over. The reply comes later, exactly once, never from
	// inside.
	void (*call)(struct switch_conn *conn, const char *method, json_t *params,
		switch_reply_fn *fn, void *arg);
};

struct switch_conn {
	const struct switch_ops *ops;
	// Set by whoever uses it. `up` with a switch that has just started or is another process
	// now: all that is known of it is void.
	void (*on_state)(void *arg, bool up);
	void (*on_event)(void *arg, const char *name, const json_t *data);
	void *arg;
};

static inline void switch_call(struct switch_conn *conn, const char *method, json_t *params,
	switch_reply_fn *fn, void *arg)
{
	conn->ops->call(conn, method, params, fn, arg);
}

// The switch whose sockets are in `run_dir`. Connects, and again after it went away.
int switch_conn_new(
	struct loop *loop, const char *run_dir, struct switch_conn **ret_conn, struct err *err);
void switch_conn_free(struct switch_conn *conn);
