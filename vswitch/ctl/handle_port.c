// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vswitch/ctl/handle.h"

#define SHOW_FDB_MAX 1000 // static entries of a bridge; fdb.show has all

// Binds what the request says of a port onto `conf`.
static int bind_port(const json_t *obj, struct conf_port *conf, struct err *err)
{
	char path[OBJECT_PATH_BYTES];
	json_t *options;
	int rc = handle_split_name(obj, "port", conf->name, &options, path, err);

	if (rc < 0)
		return rc;
	rc = conf_port_bind(options, path, conf, err);
	json_decref(options);
	return rc;
}

// Whether the port can be passed over because it is on that bridge already.
static bool is_there(struct switch_ctl *ctl, const json_t *params, const char *name)
{
	struct vport *port = vswitch_find_port(ctl->vs, name);

	return port && handle_param_flag(params, "may_exist") &&
	       !strcmp(port->bridge->opts.name, handle_param_text(params, "bridge"));
}

static int bind_ports(struct switch_ctl *ctl, const json_t *params, const json_t *list,
	struct conf_port *ports, json_t *result, unsigned *ret_count, struct err *err)
{
	unsigned count = 0;

	for (size_t i = 0; i < json_array_size(list); i++) {
		struct conf_port *conf = &ports[count];
		bool skip;
		int rc;

		conf_port_init(conf);
		rc = bind_port(json_array_get(list, i), conf, err);
		if (rc < 0)
			return rc;
		skip = is_there(ctl, params, conf->name);
		json_array_append_new(json_object_get(result, skip ? "existing" : "added"),
			json_string(conf->name));
		count += !skip;
	}
	*ret_count = count;
	return 0;
}

int switch_handle_port_add(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	struct switch_ctl *ctl = arg;
	json_t *one = json_object_get(params, "port");
	json_t *list = one ? json_pack("[O]", one) : json_incref(json_object_get(params, "ports"));
	json_t *result = json_pack("{s:[], s:[]}", "added", "existing");
	struct conf_port *ports = NULL;
	struct bridge *bridge;
	unsigned count = 0;
	int rc;

	rc = handle_param_bridge(ctl->vs, params, "bridge", &bridge, err);
	if (rc < 0)
		goto out;
	ports = calloc(json_array_size(list), sizeof(*ports));
	rc = ports && result ? 0 : handle_no_memory(err);
	if (rc == 0)
		rc = bind_ports(ctl, params, list, ports, result, &count, err);
	if (rc == 0 && count)
		rc = handle_may_add_ports(ctl, params, bridge, ports, count, err);
	if (rc == 0 && count)
		rc = vswitch_ports_add(ctl->vs, bridge, ports, count, err);
	if (rc == 0)
		*ret_result = json_incref(result);
out:
	free(ports);
	json_decref(list);
	json_decref(result);
	return rc;
}

static int check_bridge(const struct vport *port, const char *bridge, struct err *err)
{
	char path[CONF_NAME_BYTES + 16];

	if (!bridge || !strcmp(port->bridge->opts.name, bridge))
		return 0;
	snprintf(path, sizeof(path), "port %s", port->conf.name);
	return err_set(
		err, -ENOENT, path, "is on bridge %s, not %s", port->bridge->opts.name, bridge);
}

static int pick_ports(struct switch_ctl *ctl, const json_t *params, const json_t *list,
	const char **names, unsigned *ret_count, json_t *result, struct err *err)
{
	bool if_exists = handle_param_flag(params, "if_exists");
	unsigned count = 0;

	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *name = json_string_value(json_array_get(list, i));
		struct vport *port;
		int rc = vswitch_get_port(ctl->vs, name, &port, if_exists ? NULL : err);

		if (rc == 0)
			rc = check_bridge(port, handle_param_text(params, "bridge"), err);
		else if (if_exists)
			rc = 0;
		if (rc == 0 && port)
			rc = handle_may_change_port(ctl, params, port, err);
		if (rc < 0)
			return rc;
		json_array_append_new(
			json_object_get(result, port ? "deleted" : "missing"), json_string(name));
		if (port)
			names[count++] = name;
	}
	*ret_count = count;
	return 0;
}

int switch_handle_port_del(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	struct switch_ctl *ctl = arg;
	json_t *one = json_object_get(params, "name");
	json_t *list = one ? json_pack("[O]", one) : json_incref(json_object_get(params, "names"));
	json_t *result = json_pack("{s:[], s:[]}", "deleted", "missing");
	const char **names = calloc(json_array_size(list), sizeof(*names));
	struct bridge *bridge;
	unsigned count = 0;
	int rc = names && result ? 0 : handle_no_memory(err);

	if (rc == 0)
		rc = handle_param_bridge(ctl->vs, params, "bridge", &bridge, err);
	if (rc == 0)
		rc = pick_ports(ctl, params, list, names, &count, result, err);
	if (rc == 0 && count)
		rc = vswitch_ports_del(ctl->vs, names, count, err);
	if (rc == 0)
		*ret_result = json_incref(result);
	free(names);
	json_decref(list);
	json_decref(result);
	return rc;
}

int switch_handle_port_set(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	struct switch_ctl *ctl = arg;
	struct conf_port conf;
	struct vport *port;
	int rc = handle_param_port(ctl->vs, params, "name", &port, err);

	if (rc == 0)
		rc = handle_may_change_port(ctl, params, port, err);
	if (rc < 0)
		return rc;
	conf = port->conf;
	rc = bind_port(json_object_get(params, "port"), &conf, err);
	if (rc == 0)
		rc = vswitch_port_set(ctl->vs, &conf, err);
	port = vswitch_find_port(ctl->vs, conf.name);
	if (rc == 0 && port)
		*ret_result = handle_port_json(port, false);
	return rc;
}

static void list_ports(const struct bridge *bridge, json_t *list, bool detail)
{
	struct vport *port;

	TAILQ_FOREACH (port, &bridge->ports, entry)
		json_array_append_new(list, handle_port_json(port, detail));
}

int switch_handle_port_list(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	struct switch_ctl *ctl = arg;
	struct bridge *only, *bridge;
	json_t *list;
	int rc = handle_param_bridge(ctl->vs, params, "bridge", &only, err);

	if (rc < 0)
		return rc;
	list = json_array();
	TAILQ_FOREACH (bridge, vswitch_bridges(ctl->vs), entry) {
		if (!only || only == bridge)
			list_ports(bridge, list, false);
	}
	*ret_result = json_pack("{s:o}", "ports", list);
	return *ret_result ? 0 : handle_no_memory(err);
}

int switch_handle_port_show(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	struct switch_ctl *ctl = arg;
	struct vport *port;
	int rc = handle_param_port(ctl->vs, params, "name", &port, err);

	if (rc < 0)
		return rc;
	*ret_result = handle_port_json(port, true);
	if (!*ret_result)
		return handle_no_memory(err);
	json_object_set_new(*ret_result, "options", conf_port_to_json(&port->conf, true));
	return 0;
}

static json_t *static_fdb(const struct bridge *bridge)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < bridge->nb_fdb && i < SHOW_FDB_MAX; i++)
		json_array_append_new(list, conf_fdb_to_json(&bridge->fdb[i]->conf));
	return list;
}

int switch_handle_show(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	struct switch_ctl *ctl = arg;
	json_t *bridges = json_array(), *vteps = json_array();
	struct vtep_object *vo;
	struct bridge *bridge;

	TAILQ_FOREACH (vo, &vswitch_vteps(ctl->vs)->list, entry)
		json_array_append_new(vteps, handle_vtep_json(vo, true));
	TAILQ_FOREACH (bridge, vswitch_bridges(ctl->vs), entry) {
		json_t *obj = handle_bridge_json(bridge), *ports = json_array();

		list_ports(bridge, ports, true);
		json_object_set_new(obj, "ports", ports);
		json_object_set_new(obj, "fdb", static_fdb(bridge));
		if (bridge->nb_fdb > SHOW_FDB_MAX)
			json_object_set_new(
				obj, "fdb_more", json_integer(bridge->nb_fdb - SHOW_FDB_MAX));
		json_object_set_new(obj, "neigh", json_integer(bridge->nb_neigh));
		json_array_append_new(bridges, obj);
	}
	*ret_result = json_pack("{s:o, s:o}", "bridges", bridges, "vteps", vteps);
	return *ret_result ? 0 : handle_no_memory(err);
}
