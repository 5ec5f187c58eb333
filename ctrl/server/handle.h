// SPDX-License-Identifier: BSD-3-Clause
// The handlers of the switch's methods, and what they share. Main thread only.
#pragma once

#include "ctrl/method.h"
#include "ctrl/server/core.h"
#include "ctrl/server/server.h"

struct ctrl_server {
	struct ctrl_server_opts opts;
	struct vswitch *vs;
	struct ctrl_core *core;
	uint64_t started_us;
};

#define X(symbol, fn, name, access, help, result) ctrl_handler_fn ctrl_handle_##fn;
CTRL_SWITCH_METHODS(X)
#undef X

// ---- parameters that were checked already ----

const char *param_text(const json_t *params, const char *name); // NULL when not given
bool param_flag(const json_t *params, const char *name);

// The bridge or port that the parameter names; a parameter that is not given is no error and
// leaves NULL. -ENOENT.
int param_bridge(struct vswitch *vs, const json_t *params, const char *name,
	struct bridge **ret_bridge, struct err *err);
int param_port(struct vswitch *vs, const json_t *params, const char *name, struct vport **ret_port,
	struct err *err);

// The options of an object with its name taken out, which is a key of the file's maps and no
// option. `ret_name` points into `obj`; NULL when it has none. A new reference, or NULL when out
// of memory.
json_t *split_name(const json_t *obj, const char **ret_name);

// As port.list, or with `detail` port.show have it; as bridge.list has it. NULL: out of memory.
json_t *port_json(const struct vport *port, bool detail);
json_t *bridge_json(const struct bridge *bridge);

int no_memory(struct err *err);
