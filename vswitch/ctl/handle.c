// SPDX-License-Identifier: BSD-3-Clause
#include "vswitch/ctl/handle.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/member.h"
#include "base/utc.h"

int handle_no_memory(struct err *err)
{
	return err_set(err, -ENOMEM, NULL, "out of memory");
}

const char *handle_param_text(const json_t *params, const char *name)
{
	return member_text_or(params, name, NULL);
}

bool handle_param_flag(const json_t *params, const char *name)
{
	return member_flag(params, name);
}

int handle_param_bridge(struct vswitch *vs, const json_t *params, const char *name,
	struct bridge **ret_bridge, struct err *err)
{
	const char *text = handle_param_text(params, name);

	*ret_bridge = NULL;
	return text ? vswitch_get_bridge(vs, text, ret_bridge, err) : 0;
}

int handle_param_port(struct vswitch *vs, const json_t *params, const char *name,
	struct vport **ret_port, struct err *err)
{
	const char *text = handle_param_text(params, name);

	*ret_port = NULL;
	return text ? vswitch_get_port(vs, text, ret_port, err) : 0;
}

int handle_split_name(const json_t *obj, const char *what, char name[CONF_NAME_BYTES],
	json_t **ret_options, char ret_path[OBJECT_PATH_BYTES], struct err *err)
{
	const char *given = member_text_or(obj, "name", NULL);
	int rc = 0;

	if (!given && !name[0])
		return err_set(err, -EINVAL, what, "the object has no name; `name` is a string");
	if (given && name[0] && strcmp(given, name))
		return err_set(err, -EOPNOTSUPP, name, "a %s cannot be renamed", what);
	if (given)
		rc = conf_name_check(given, what, err);
	if (rc < 0)
		return rc;
	*ret_options = json_copy((json_t *)obj);
	if (!*ret_options)
		return handle_no_memory(err);
	if (given) {
		json_object_del(*ret_options, "name");
		snprintf(name, CONF_NAME_BYTES, "%s", given);
	}
	snprintf(ret_path, OBJECT_PATH_BYTES, "%s %s", what, name);
	return 0;
}

static void add_reason(const struct err *down, json_t *obj)
{
	char text[sizeof(down->path) + sizeof(down->reason) + 4];

	json_object_set_new(obj, "reason", ctrl_json_text(err_text(down, text, sizeof(text))));
}

static json_t *device_json(const struct port *port)
{
	json_t *device = json_object();

	if (device)
		port_describe(port, device);
	return device;
}

// Those that get frames to all, whether options or forwarding entries say so.
static json_t *remotes_json(const struct vport *port)
{
	struct static_entry *const *flood;
	unsigned count = vport_floods(port, &flood);
	json_t *list = json_array();
	char ip[IP_TEXT_BYTES];

	for (unsigned i = 0; i < port->conf.nb_remotes; i++)
		json_array_append_new(list, json_string(ip_format(&port->conf.remote[i], ip)));
	for (unsigned i = 0; i < count; i++)
		json_array_append_new(list, json_string(ip_format(&flood[i]->conf.tunnel, ip)));
	return list;
}

json_t *handle_port_json(const struct vport *port, bool detail)
{
	const struct port_type *type = port->row->type;
	char since[UTC_TEXT_BYTES];
	json_t *obj = json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "name", port->conf.name, "bridge",
		port->bridge->opts.name, "type", conf_port_type_name(port->conf.type), "state",
		port->state == VPORT_UP ? "up" : "down", "since",
		utc_of_monotonic(port->since_us, since), "options",
		conf_port_to_json(&port->conf, false));

	if (!obj)
		return NULL;
	if (port->state == VPORT_DOWN)
		add_reason(&port->down, obj);
	if (port_type_has_remotes(type))
		json_object_set_new(obj, "remotes", remotes_json(port));
	if (port->port && type->offer_mtu)
		json_object_set_new(obj, "mtu", json_integer(type->offer_mtu(port->port)));
	else if (port->port && port->port->conf.mtu)
		json_object_set_new(obj, "mtu", json_integer(port->port->conf.mtu));
	if (!detail || !port->port)
		return obj;
	json_object_set_new(obj, "device", device_json(port->port));
	return obj;
}

json_t *handle_bridge_json(const struct bridge *bridge)
{
	return json_pack("{s:s, s:o, s:i}", "name", bridge->opts.name, "options",
		conf_bridge_opts_to_json(&bridge->opts, true), "ports", (int)bridge->nb_ports);
}

json_t *handle_vtep_json(const struct vtep_object *vo, bool detail)
{
	char since[UTC_TEXT_BYTES];
	json_t *obj = json_pack("{s:s, s:s, s:s, s:o, s:i}", "name", vo->conf.name, "state",
		vo->vtep ? "up" : "down", "since", utc_of_monotonic(vo->since_us, since), "options",
		conf_vtep_to_json(&vo->conf, false), "vnis", (int)vo->nb_ports);
	struct vtep_count count;
	json_t *tunnel;

	if (!obj)
		return NULL;
	if (!vo->vtep) {
		add_reason(&vo->down, obj);
		return obj;
	}
	vtep_count(vo->vtep, &count);
	json_object_set_new(obj, "mtu", json_integer(vo->mtu));
	json_object_set_new(obj, "remotes", json_integer(count.remotes));
	if (vo->conf.heartbeat_ms) {
		json_object_set_new(obj, "remotes_up", json_integer(count.up));
		json_object_set_new(obj, "remotes_down", json_integer(count.down));
	}
	if (!detail)
		return obj;
	tunnel = json_object();
	if (tunnel)
		vtep_describe(vo->vtep, tunnel);
	json_object_set_new(obj, "tunnel", tunnel);
	if (vo->lower)
		json_object_set_new(obj, "device", device_json(vo->lower));
	return obj;
}
