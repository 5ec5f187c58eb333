// SPDX-License-Identifier: BSD-3-Clause
#include "config/check_conf.h"

#include "config/check.h"

// The node of `key`, or that of the port when the key was not given.
static const void *node_of(const json_t *obj, const char *key, const void *at)
{
	void *iter = json_object_iter_at((json_t *)obj, key);

	return iter ? json_object_iter_key(iter) : at;
}

static void check_vlan(struct report *report, const struct conf_port *port, const json_t *obj,
	const char *path, const void *at)
{
	const void *mode = node_of(obj, "vlan-mode", node_of(obj, "vlan_mode", at));
	char key[REPORT_PATH_BYTES];

	switch (port->vlan_mode) {
	case CONF_VLAN_TRUNK:
		if (port->tag)
			report_add(report, mode, report_path(key, path, "vlan-mode"),
				"trunk does not go with a tag; native-tagged and native-untagged "
				"do");
		break;
	case CONF_VLAN_ACCESS:
		if (port->has_trunks)
			report_add(report, mode, report_path(key, path, "vlan-mode"),
				"access does not go with trunks; native-tagged and "
				"native-untagged do");
		// fall through
	case CONF_VLAN_NATIVE_TAGGED:
	case CONF_VLAN_NATIVE_UNTAGGED:
		if (!port->tag)
			report_add(report, mode, report_path(key, path, "vlan-mode"),
				"this mode needs a tag, the VLAN of untagged packets");
		break;
	}
}

// A device that is named after its port takes only some of the names that a port may have.
static void check_device_name(
	struct report *report, const struct conf_port *port, const char *path, const void *at)
{
	char key[REPORT_PATH_BYTES];
	bool named =
		port->type == CONF_PORT_TAP || (port->type == CONF_PORT_VETH && port->netns[0]);

	if (!named || port->ifname[0] || !port->name[0] || !check_ifname(port->name))
		return;
	report_add(report, at, report_path(key, path, "ifname"),
		"the key is missing, and the port's name '%s' is none for a network interface: "
		"that is 1 to 15 bytes",
		port->name);
}

void check_port(struct report *report, const struct conf_port *port, const json_t *obj,
	const char *path, const void *at)
{
	check_vlan(report, port, obj, path, at);
	check_device_name(report, port, path, at);
}
