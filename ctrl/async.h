// SPDX-License-Identifier: BSD-3-Clause
// A client of the control channel on an event loop: any number of requests under way, events,
// connects again by itself. Main thread only.
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "base/err.h"
#include "base/loop.h"

struct ctrl_async;

// rc as ctrl_client_call() has it; `result` and `err` are borrowed.
typedef void ctrl_async_fn(void *arg, int rc, const json_t *result, const struct err *err);

struct ctrl_async_opts {
	struct loop *loop;
	const char *run_dir;
	const char *events;  // those whose name begins so; NULL: none
	unsigned timeout_ms; // of a call; 0: 10 s
	// The daemon answers, or has stopped. A restart is told as down and up. Events of the first
	// moment after `up` may be missed: list afterwards.
	void (*on_state)(void *arg, bool up);
	void (*on_event)(void *arg, const char *name, const json_t *data);
	void *arg;
};

int ctrl_async_new(
	const struct ctrl_async_opts *opts, struct ctrl_async **ret_async, struct err *err);
void ctrl_async_free(struct ctrl_async *async); // forgets what is under way; not from a callback

// `params` is taken over; NULL: none. The reply comes later, once, never from inside this call;
// with -ECONNRESET when the daemon stops before that, with -ECONNREFUSED at once when no daemon
// answers.
void ctrl_async_call(
	struct ctrl_async *async, const char *method, json_t *params, ctrl_async_fn *fn, void *arg);
