// SPDX-License-Identifier: BSD-3-Clause
// The control channel of the switch: the generic server (core.h) with the switch's methods.
// Main thread only.
#pragma once

#include <jansson.h>

#include "base/err.h"
#include "base/loop.h"
#include "ctrl/core/core.h"
#include "vswitch/vswitch.h"

struct ctrl_server;

struct ctrl_server_opts {
	struct loop *loop;
	const char *run_dir; // as struct ctrl_core_opts has it
	struct vswitch *vswitch;
	struct ctrl_tcp tcp;
};

// Texts in `opts` are borrowed until ctrl_server_free().
int ctrl_server_new(
	const struct ctrl_server_opts *opts, struct ctrl_server **ret_server, struct err *err);
void ctrl_server_free(struct ctrl_server *server);

// Publishes an event; `data` is borrowed. NULL as `server` is fine: nobody listens yet.
void ctrl_server_event(struct ctrl_server *server, const char *name, const json_t *data);
