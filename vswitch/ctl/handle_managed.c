// SPDX-License-Identifier: BSD-3-Clause
// Objects that belong to a program (option managed-by): a change comes from that program, which
// says so (parameter `manager`), or is forced, which is logged. This keeps people from mistakes;
// who may open the socket may do anything.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "vswitch/ctl/handle.h"

static void tell_forced(
	struct switch_ctl *ctl, const char *what, const char *name, const char *manager)
{
	const struct ctrl_call *call = ctrl_server_current(ctl->server);

	log_warn("%s of %s %s, which %s manages, is forced by %s", ctrl_call_method(call), what,
		name, manager, ctrl_call_who(call));
}

// `what` is "port", "bridge" or "VTEP".
static int check(struct switch_ctl *ctl, const json_t *params, const char *what, const char *name,
	const char *managed_by, struct err *err)
{
	const char *manager = handle_param_text(params, "manager");
	char path[OBJECT_PATH_BYTES];

	if (!managed_by[0] || (manager && !strcmp(manager, managed_by)))
		return 0;
	if (handle_param_flag(params, "force")) {
		tell_forced(ctl, what, name, managed_by);
		return 0;
	}
	snprintf(path, sizeof(path), "%s %s", what, name);
	return err_set(err, -EPERM, path,
		"%s manages it: have that program change it (vsnetd: `vsctl network`), or force "
		"the change (--force)",
		managed_by);
}

int handle_may_change_bridge(
	struct switch_ctl *ctl, const json_t *params, const struct bridge *bridge, struct err *err)
{
	return check(ctl, params, "bridge", bridge->opts.name, bridge->opts.managed_by, err);
}

int handle_may_change_port(
	struct switch_ctl *ctl, const json_t *params, const struct vport *port, struct err *err)
{
	return check(ctl, params, "port", port->conf.name, port->conf.managed_by, err);
}

int handle_may_change_vtep(
	struct switch_ctl *ctl, const json_t *params, const struct vtep_object *vo, struct err *err)
{
	return check(ctl, params, "VTEP", vo->conf.name, vo->conf.managed_by, err);
}

int handle_may_delete_bridge(
	struct switch_ctl *ctl, const json_t *params, const struct bridge *bridge, struct err *err)
{
	const struct vport *port;
	int rc = handle_may_change_bridge(ctl, params, bridge, err);

	if (bridge->opts.managed_by[0])
		return rc; // and its ports with it
	TAILQ_FOREACH (port, &bridge->ports, entry) {
		if (rc == 0)
			rc = handle_may_change_port(ctl, params, port, err);
	}
	return rc;
}

// The VTEP that a port of type vxlan will be on, as its options say now. NULL: none that is there.
static const struct vtep_object *vtep_of(struct switch_ctl *ctl, const struct conf_port *conf)
{
	const struct conf_vtep *list[CONF_VTEPS_MAX];
	const struct vtep_object *each;
	struct conf_port settled = *conf;
	unsigned count = 0, index;

	TAILQ_FOREACH (each, &vswitch_vteps(ctl->vs)->list, entry) {
		if (count < CONF_VTEPS_MAX)
			list[count++] = &each->conf;
	}
	if (conf_port_settle(&settled, list, count, &index, NULL) < 0)
		return NULL; // it will be refused
	return vtep_object_find(vswitch_vteps(ctl->vs), settled.vtep);
}

int handle_may_add_ports(struct switch_ctl *ctl, const json_t *params, const struct bridge *bridge,
	const struct conf_port *ports, unsigned count, struct err *err)
{
	int rc = handle_may_change_bridge(ctl, params, bridge, err);

	for (unsigned i = 0; i < count && rc == 0; i++) {
		const struct vtep_object *vo =
			ports[i].type == CONF_PORT_VXLAN ? vtep_of(ctl, &ports[i]) : NULL;

		if (vo)
			rc = handle_may_change_vtep(ctl, params, vo, err);
	}
	return rc;
}
