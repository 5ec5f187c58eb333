// SPDX-License-Identifier: BSD-3-Clause
#include "tests/sim/fake_model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "config/conf.h"

static const char *text_of(const json_t *obj, const char *key)
{
	const char *text = json_string_value(json_object_get(obj, key));

	return text ? text : "";
}

static bool flag_of(const json_t *obj, const char *key)
{
	return json_is_true(json_object_get(obj, key));
}

static json_t *without_name(const json_t *obj)
{
	json_t *options = json_copy((json_t *)obj);

	json_object_del(options, "name");
	return options;
}

// ---- finding and deleting ----

struct fake_bridge *fake_model_bridge(const struct fake_model *model, const char *name)
{
	struct fake_bridge *bridge;

	HASH_FIND_STR(model->bridges, name, bridge);
	return bridge;
}

struct fake_port *fake_model_port(
	const struct fake_model *model, const char *name, struct fake_bridge **ret_bridge)
{
	struct fake_bridge *bridge;
	struct fake_port *port;

	for (bridge = model->bridges; bridge; bridge = bridge->hh.next) {
		HASH_FIND_STR(bridge->ports, name, port);
		if (port && ret_bridge)
			*ret_bridge = bridge;
		if (port)
			return port;
	}
	return NULL;
}

static void drop_port(struct fake_bridge *bridge, struct fake_port *port)
{
	if (!strcmp(port->type, "vxlan"))
		fake_bridge_drop_tunnels(bridge);
	fake_bridge_drop_fdb(bridge, port->name);
	HASH_DEL(bridge->ports, port);
	json_decref(port->options);
	free(port);
}

static void drop_bridge(struct fake_model *model, struct fake_bridge *bridge)
{
	struct fake_port *port, *next;

	HASH_ITER(hh, bridge->ports, port, next)
	drop_port(bridge, port);
	fake_bridge_drop_tunnels(bridge);
	fake_bridge_drop_neighs(bridge);
	HASH_DEL(model->bridges, bridge);
	json_decref(bridge->options);
	free(bridge);
}

static void drop_vtep(struct fake_model *model, struct fake_vtep *vtep)
{
	HASH_DEL(model->vteps, vtep);
	json_decref(vtep->options);
	free(vtep);
}

void fake_model_fini(struct fake_model *model)
{
	struct fake_vtep *vtep, *next_vtep;
	struct fake_bridge *bridge, *next;

	HASH_ITER(hh, model->bridges, bridge, next)
	drop_bridge(model, bridge);
	HASH_ITER(hh, model->vteps, vtep, next_vtep)
	drop_vtep(model, vtep);
}

static void copy_bridge(const struct fake_bridge *from, struct fake_model *to)
{
	struct fake_bridge *bridge = calloc(1, sizeof(*bridge));
	const struct fake_port *port;

	memcpy(bridge->name, from->name, sizeof(bridge->name));
	bridge->options = json_incref(from->options); // is replaced, never changed
	for (port = from->ports; port; port = port->hh.next) {
		struct fake_port *copy = calloc(1, sizeof(*copy));

		memcpy(copy->name, port->name, sizeof(copy->name));
		memcpy(copy->type, port->type, sizeof(copy->type));
		copy->options = json_incref(port->options);
		copy->up = port->up;
		HASH_ADD_STR(bridge->ports, name, copy);
	}
	fake_bridge_copy_entries(from, bridge);
	HASH_ADD_STR(to->bridges, name, bridge);
}

void fake_model_copy(const struct fake_model *from, struct fake_model *ret_to)
{
	const struct fake_vtep *vtep;
	const struct fake_bridge *bridge;

	*ret_to = (struct fake_model){0};
	for (bridge = from->bridges; bridge; bridge = bridge->hh.next)
		copy_bridge(bridge, ret_to);
	for (vtep = from->vteps; vtep; vtep = vtep->hh.next) {
		struct fake_vtep *copy = calloc(1, sizeof(*copy));

		memcpy(copy->name, vtep->name, sizeof(copy->name));
		copy->options = json_incref(vtep->options);
		HASH_ADD_STR(ret_to->vteps, name, copy);
	}
}

// ---- bridges ----

static int bridge_add(
	struct fake_model *model, const json_t *params, json_t **ret_result, struct err *err)
{
	const json_t *obj = json_object_get(params, "bridge");
	const char *name = text_of(obj, "name");
	json_t *options = without_name(obj);
	struct conf_bridge_opts conf;
	struct fake_bridge *bridge;
	int rc = conf_name_check(name, "bridge", err);

	conf_bridge_opts_init(&conf);
	if (rc == 0)
		rc = conf_bridge_bind(options, name, &conf, err);
	json_decref(options);
	if (rc == 0 && fake_model_bridge(model, name))
		rc = err_set(err, -EEXIST, name, "a bridge of this name is there already");
	if (rc < 0)
		return rc;
	bridge = calloc(1, sizeof(*bridge));
	snprintf(bridge->name, sizeof(bridge->name), "%s", name);
	bridge->options = conf_bridge_opts_to_json(&conf, true);
	HASH_ADD_STR(model->bridges, name, bridge);
	*ret_result = json_pack("{s:s, s:b}", "name", name, "added", 1);
	return 0;
}

static int bridge_set(
	struct fake_model *model, const json_t *params, json_t **ret_result, struct err *err)
{
	const char *name = text_of(params, "name");
	struct fake_bridge *bridge = fake_model_bridge(model, name);
	struct conf_bridge_opts conf;
	int rc;

	if (!bridge)
		return err_set(err, -ENOENT, name, "there is no such bridge");
	conf_bridge_opts_init(&conf);
	rc = conf_bridge_bind(bridge->options, name, &conf, err);
	if (rc == 0)
		rc = conf_bridge_bind(json_object_get(params, "bridge"), name, &conf, err);
	if (rc < 0)
		return rc;
	json_decref(bridge->options);
	bridge->options = conf_bridge_opts_to_json(&conf, true);
	*ret_result = json_object();
	return 0;
}

static int bridge_del(
	struct fake_model *model, const json_t *params, json_t **ret_result, struct err *err)
{
	const char *name = text_of(params, "name");
	struct fake_bridge *bridge = fake_model_bridge(model, name);

	if (!bridge && !flag_of(params, "if_exists"))
		return err_set(err, -ENOENT, name, "there is no such bridge");
	*ret_result = json_pack("{s:s, s:b}", "name", name, "deleted", bridge != NULL);
	if (bridge)
		drop_bridge(model, bridge);
	return 0;
}

static int bridge_list(
	struct fake_model *model, const json_t *params, json_t **ret_result, struct err *err)
{
	const struct fake_bridge *bridge;
	json_t *list = json_array();

	for (bridge = model->bridges; bridge; bridge = bridge->hh.next)
		json_array_append_new(
			list, json_pack("{s:s, s:O, s:i}", "name", bridge->name, "options",
				      bridge->options, "ports", (int)HASH_COUNT(bridge->ports)));
	*ret_result = json_pack("{s:o}", "bridges", list);
	return 0;
}

// ---- ports ----

static json_t *port_options(const struct conf_port *conf)
{
	json_t *options = conf_port_to_json(conf, false);

	json_object_del(options, "type");
	return options;
}

static bool is_same(const json_t *a, const json_t *b, const char *key)
{
	const json_t *left = json_object_get(a, key), *right = json_object_get(b, key);

	return left == right || json_equal(left, right);
}

// What two ports cannot have in common.
static int check_others(struct fake_model *model, const struct conf_port *conf,
	const json_t *options, struct err *err)
{
	bool is_device = conf->type == CONF_PORT_TAP || conf->type == CONF_PORT_VETH;
	const struct fake_bridge *bridge;
	const struct fake_port *other;

	for (bridge = model->bridges; bridge; bridge = bridge->hh.next) {
		for (other = bridge->ports; other; other = other->hh.next) {
			if (!strcmp(other->name, conf->name))
				return err_set(
					err, -EEXIST, conf->name, "a port of this name is there");
			if (is_device && strcmp(other->type, "vxlan") != 0 &&
				is_same(options, other->options, "netns") &&
				is_same(options, other->options, "ifname"))
				return err_set(err, -EEXIST, conf->name, "has the interface");
			if (!is_device && !strcmp(other->type, "vxlan") &&
				is_same(options, other->options, "key"))
				return err_set(err, -EEXIST, conf->name, "has the number");
		}
	}
	return 0;
}

static int bind_port(
	struct fake_model *model, const json_t *obj, struct fake_port **ret_port, struct err *err)
{
	json_t *options = without_name(obj), *listed;
	const char *name = text_of(obj, "name");
	struct fake_vtep *vtep = NULL;
	struct fake_port *port;
	struct conf_port conf;
	int rc;

	conf_port_init(&conf);
	snprintf(conf.name, sizeof(conf.name), "%s", name);
	rc = conf_name_check(name, "port", err);
	if (rc == 0)
		rc = conf_port_bind(options, name, &conf, err);
	json_decref(options);
	if (rc < 0)
		return rc;
	HASH_FIND_STR(model->vteps, conf.vtep, vtep);
	if (conf.type == CONF_PORT_VXLAN && !vtep)
		return err_set(err, -ENOENT, name, "there is no VTEP");
	listed = port_options(&conf);
	rc = check_others(model, &conf, listed, err);
	if (rc < 0) {
		json_decref(listed);
		return rc;
	}
	port = calloc(1, sizeof(*port));
	snprintf(port->name, sizeof(port->name), "%s", name);
	snprintf(port->type, sizeof(port->type), "%s", conf_port_type_name(conf.type));
	port->options = listed;
	port->up = true;
	*ret_port = port;
	return 0;
}

static json_t *list_of(const json_t *params, const char *one, const char *many)
{
	json_t *obj = json_object_get(params, one);

	return obj ? json_pack("[O]", obj) : json_incref(json_object_get(params, many));
}

static int port_add(
	struct fake_model *model, const json_t *params, json_t **ret_result, struct err *err)
{
	const char *name = text_of(params, "bridge");
	struct fake_bridge *bridge = fake_model_bridge(model, name);
	json_t *list = list_of(params, "port", "ports"), *added = json_array(), *obj;
	struct fake_port *port;
	int rc = bridge ? 0 : err_set(err, -ENOENT, name, "there is no such bridge");
	size_t i;

	json_array_foreach (list, i, obj) {
		if (rc == 0)
			rc = bind_port(model, obj, &port, err);
		if (rc < 0)
			break;
		HASH_ADD_STR(bridge->ports, name, port);
		json_array_append_new(added, json_string(port->name));
	}
	json_array_foreach (added, i, obj) {
		if (rc == 0)
			break;
		HASH_FIND_STR(bridge->ports, json_string_value(obj), port);
		drop_port(bridge, port);
	}
	json_decref(list);
	if (rc == 0)
		*ret_result = json_pack("{s:O, s:[]}", "added", added, "existing");
	json_decref(added);
	return rc;
}

static int port_del(
	struct fake_model *model, const json_t *params, json_t **ret_result, struct err *err)
{
	json_t *list = list_of(params, "name", "names"), *obj;
	struct fake_bridge *bridge;
	int rc = 0;
	size_t i;

	json_array_foreach (list, i, obj) {
		if (rc == 0 && !flag_of(params, "if_exists") &&
			!fake_model_port(model, json_string_value(obj), NULL))
			rc = err_set(err, -ENOENT, json_string_value(obj), "there is no such port");
	}
	json_array_foreach (list, i, obj) {
		struct fake_port *port = fake_model_port(model, json_string_value(obj), &bridge);

		if (rc == 0 && port)
			drop_port(bridge, port);
	}
	json_decref(list);
	if (rc == 0)
		*ret_result = json_object();
	return rc;
}

static int port_set(
	struct fake_model *model, const json_t *params, json_t **ret_result, struct err *err)
{
	const char *name = text_of(params, "name");
	struct fake_port *port = fake_model_port(model, name, NULL);
	json_t *options;
	struct conf_port conf, old;
	int rc;

	if (!port)
		return err_set(err, -ENOENT, name, "there is no such port");
	conf_port_init(&conf);
	snprintf(conf.name, sizeof(conf.name), "%s", name);
	options = json_copy(port->options);
	json_object_set_new(options, "type", json_string(port->type));
	rc = conf_port_bind(options, name, &conf, err);
	json_decref(options);
	old = conf;
	options = without_name(json_object_get(params, "port"));
	if (rc == 0)
		rc = conf_port_bind(options, name, &conf, err);
	if (rc == 0)
		rc = conf_port_check_change(&old, &conf, err);
	json_decref(options);
	if (rc < 0)
		return rc;
	json_decref(port->options);
	port->options = port_options(&conf);
	*ret_result = json_object();
	return 0;
}

static int port_list(
	struct fake_model *model, const json_t *params, json_t **ret_result, struct err *err)
{
	const struct fake_bridge *bridge;
	const struct fake_port *port;
	json_t *list = json_array();

	for (bridge = model->bridges; bridge; bridge = bridge->hh.next) {
		for (port = bridge->ports; port; port = port->hh.next)
			json_array_append_new(
				list, json_pack("{s:s, s:s, s:s, s:s, s:s*, s:O}", "name",
					      port->name, "bridge", bridge->name, "type",
					      port->type, "state", port->up ? "up" : "down",
					      "reason", port->up ? NULL : "the namespace is gone",
					      "options", port->options));
	}
	*ret_result = json_pack("{s:o}", "ports", list);
	return 0;
}

// ---- VTEPs ----

static int set_vtep(struct fake_vtep *vtep, const json_t *obj, struct err *err)
{
	struct conf_vtep conf;
	json_t *options;
	int rc;

	conf_vtep_init(&conf);
	rc = vtep->options ? conf_vtep_bind(vtep->options, vtep->name, &conf, err) : 0;
	options = without_name(obj);
	if (rc == 0)
		rc = conf_vtep_bind(options, vtep->name, &conf, err);
	json_decref(options);
	if (rc < 0)
		return rc;
	json_decref(vtep->options);
	vtep->options = conf_vtep_to_json(&conf, false);
	return 0;
}

static int vtep_add(
	struct fake_model *model, const json_t *params, json_t **ret_result, struct err *err)
{
	const json_t *obj = json_object_get(params, "vtep");
	const char *name = text_of(obj, "name");
	struct fake_vtep *vtep;
	int rc;

	HASH_FIND_STR(model->vteps, name, vtep);
	if (vtep)
		return err_set(err, -EEXIST, name, "a VTEP of this name is there");
	vtep = calloc(1, sizeof(*vtep));
	snprintf(vtep->name, sizeof(vtep->name), "%s", name);
	rc = set_vtep(vtep, obj, err);
	if (rc < 0) {
		free(vtep);
		return rc;
	}
	HASH_ADD_STR(model->vteps, name, vtep);
	*ret_result = json_pack("{s:s, s:b}", "name", name, "added", 1);
	return 0;
}

static int vtep_set(
	struct fake_model *model, const json_t *params, json_t **ret_result, struct err *err)
{
	const char *name = text_of(params, "name");
	struct fake_vtep *vtep;
	int rc;

	HASH_FIND_STR(model->vteps, name, vtep);
	if (!vtep)
		return err_set(err, -ENOENT, name, "there is no such VTEP");
	rc = set_vtep(vtep, json_object_get(params, "vtep"), err);
	if (rc == 0)
		*ret_result = json_object();
	return rc;
}

static int vtep_del(
	struct fake_model *model, const json_t *params, json_t **ret_result, struct err *err)
{
	const char *name = text_of(params, "name");
	struct fake_vtep *vtep;
	struct fake_bridge *bridge;
	struct fake_port *port;

	HASH_FIND_STR(model->vteps, name, vtep);
	if (!vtep && !flag_of(params, "if_exists"))
		return err_set(err, -ENOENT, name, "there is no such VTEP");
	for (bridge = model->bridges; bridge; bridge = bridge->hh.next) {
		for (port = bridge->ports; port; port = port->hh.next) {
			if (!strcmp(text_of(port->options, "vtep"), name))
				return err_set(err, -EBUSY, name, "it has networks");
		}
	}
	if (vtep)
		drop_vtep(model, vtep);
	*ret_result = json_object();
	return 0;
}

static int vtep_list(
	struct fake_model *model, const json_t *params, json_t **ret_result, struct err *err)
{
	const struct fake_vtep *vtep;
	json_t *list = json_array();

	for (vtep = model->vteps; vtep; vtep = vtep->hh.next)
		json_array_append_new(list, json_pack("{s:s, s:s, s:O}", "name", vtep->name,
						    "state", "up", "options", vtep->options));
	*ret_result = json_pack("{s:o}", "vteps", list);
	return 0;
}

static const struct fake_method methods[] = {
	{"bridge.add", true, bridge_add},
	{"bridge.set", true, bridge_set},
	{"bridge.del", true, bridge_del},
	{"bridge.list", false, bridge_list},
	{"port.add", true, port_add},
	{"port.del", true, port_del},
	{"port.set", true, port_set},
	{"port.list", false, port_list},
	{"vtep.add", true, vtep_add},
	{"vtep.del", true, vtep_del},
	{"vtep.set", true, vtep_set},
	{"vtep.list", false, vtep_list},
	{"fdb.add", true, fake_fdb_add},
	{"fdb.del", true, fake_fdb_del},
	{"fdb.show", false, fake_fdb_show},
	{"neigh.add", true, fake_neigh_add},
	{"neigh.del", true, fake_neigh_del},
	{"neigh.list", false, fake_neigh_list},
};

const struct fake_method *fake_method(const char *name)
{
	for (unsigned i = 0; i < ARRAY_SIZE(methods); i++) {
		if (!strcmp(methods[i].name, name))
			return &methods[i];
	}
	return NULL;
}
