// SPDX-License-Identifier: BSD-3-Clause
// The control channel of the switch: the generic server (ctrl/server.h) with the switch's methods.
// Main thread only.
#pragma once

#include <jansson.h>

#include "base/err.h"
#include "base/loop.h"
#include "ctrl/server.h"
#include "vswitch/vswitch.h"

struct switch_ctl;

struct switch_ctl_opts {
	struct loop *loop;
	const char *run_dir; // as struct ctrl_server_opts has it
	struct vswitch *vswitch;
	struct ctrl_tcp tcp;
};

// Texts in `opts` are borrowed until switch_ctl_free().
int switch_ctl_new(
	const struct switch_ctl_opts *opts, struct switch_ctl **ret_ctl, struct err *err);
void switch_ctl_free(struct switch_ctl *ctl);

// Publishes an event; `data` is borrowed. NULL as `ctl` is fine: nobody listens yet.
void switch_ctl_event(struct switch_ctl *ctl, const char *name, const json_t *data);
