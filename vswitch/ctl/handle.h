// SPDX-License-Identifier: BSD-3-Clause
// The handlers of the switch's methods, and what they share. Main thread only.
#pragma once

#include "ctrl/server.h"
#include "vswitch/ctl/switch_ctl.h"
#include "vswitch/ctl/switch_method.h"
#include "vxlan/vtep_object.h"

struct switch_ctl {
	struct switch_ctl_opts opts;
	struct vswitch *vs;
	struct ctrl_server *server;
	uint64_t started_us;
};

#define X(symbol, fn, name, access, help, result) ctrl_handler_fn switch_handle_##fn;
SWITCH_METHODS(X)
#undef X

// ---- parameters that were checked already ----

const char *handle_param_text(const json_t *params, const char *name); // NULL when not given
bool handle_param_flag(const json_t *params, const char *name);

// The bridge or port that the parameter names; a parameter that is not given is no error and
// leaves NULL. -ENOENT.
int handle_param_bridge(struct vswitch *vs, const json_t *params, const char *name,
	struct bridge **ret_bridge, struct err *err);
int handle_param_port(struct vswitch *vs, const json_t *params, const char *name,
	struct vport **ret_port, struct err *err);

// What a request says of a `what` ("port", "bridge"): its name, which the file has as the key of a
// map, and its options. `name` is empty for a new object, which is to be given one; another name
// than it has is refused. `ret_options` is a new reference; `ret_path` names the object in errors.
#define OBJECT_PATH_BYTES (CONF_NAME_BYTES + 24)
int handle_split_name(const json_t *obj, const char *what, char name[CONF_NAME_BYTES],
	json_t **ret_options, char ret_path[OBJECT_PATH_BYTES], struct err *err);

// As port.list or vtep.list, or with `detail` port.show or vtep.show have it; as
// bridge.list has it. NULL: out of memory.
json_t *handle_port_json(const struct vport *port, bool detail);
json_t *handle_bridge_json(const struct bridge *bridge);
json_t *handle_vtep_json(const struct vtep_object *vo, bool detail);

int handle_no_memory(struct err *err);

// ---- handle_managed.c: what somebody manages (option managed-by), others may not change ----

// Each is 0 for its manager (parameter `manager`), for all when nobody manages it, and, logged,
// with `force`; else -EPERM. A bridge stands for its entries, too; deleting it, for its ports;
// adding ports, for the VTEPs that they use.
int handle_may_change_bridge(
	struct switch_ctl *ctl, const json_t *params, const struct bridge *bridge, struct err *err);
int handle_may_change_port(
	struct switch_ctl *ctl, const json_t *params, const struct vport *port, struct err *err);
int handle_may_change_vtep(struct switch_ctl *ctl, const json_t *params,
	const struct vtep_object *vo, struct err *err);
int handle_may_delete_bridge(
	struct switch_ctl *ctl, const json_t *params, const struct bridge *bridge, struct err *err);
int handle_may_add_ports(struct switch_ctl *ctl, const json_t *params, const struct bridge *bridge,
	const struct conf_port *ports, unsigned count, struct err *err);
