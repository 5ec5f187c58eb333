// SPDX-License-Identifier: BSD-3-Clause
#include "config/conf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/bind.h"
#include "config/check.h"
#include "config/check_conf.h"
#include "config/field.h"
#include "config/schema.h"
#include "config/yaml_out.h"

void conf_init(struct conf *conf)
{
	bind_defaults(&schema_conf, conf);
}

void conf_fini(struct conf *conf)
{
	for (unsigned i = 0; i < conf->nb_bridges; i++) {
		free(conf->bridges[i].ports);
		free(conf->bridges[i].fdb);
		free(conf->bridges[i].neigh);
	}
	free(conf->bridges);
	conf->bridges = NULL;
	conf->nb_bridges = 0;
	free(conf->vteps);
	conf->vteps = NULL;
	conf->nb_vteps = 0;
}

void conf_port_init(struct conf_port *port)
{
	bind_defaults(&schema_port, port);
}

void conf_bridge_opts_init(struct conf_bridge_opts *opts)
{
	bind_defaults(&schema_bridge, opts);
}

void conf_vtep_init(struct conf_vtep *vtep)
{
	bind_defaults(&schema_vtep, vtep);
}

int conf_name_check(const char *name, const char *what, struct err *err)
{
	char shown[72];

	if (!check_name(name))
		return 0;
	return err_set(err, -EINVAL, "",
		"'%s' is not a valid %s name: use 1 to 63 letters, digits, '.', '_', '-' or '@', "
		"not beginning with '-' or '.'",
		report_shown(shown, name), what);
}

void conf_mistakes_fini(struct conf_mistakes *mistakes)
{
	free(mistakes->list);
	*mistakes = (struct conf_mistakes){0};
}

// ---- single objects ----

int conf_port_bind(const json_t *obj, const char *path, struct conf_port *port, struct err *err)
{
	struct report report = {.err = err};
	struct bind bind = {.report = &report};
	struct conf_port bound = *port;

	bind_object(&bind, &schema_port, obj, path, NULL, &bound);
	if (report.code == 0)
		check_port(&report, &bound, obj, path, NULL);
	if (report.code == 0)
		*port = bound;
	return report.code;
}

int conf_bridge_bind(
	const json_t *obj, const char *path, struct conf_bridge_opts *opts, struct err *err)
{
	struct report report = {.err = err};
	struct bind bind = {.report = &report};
	struct conf_bridge_opts bound = *opts;

	bind_object(&bind, &schema_bridge, obj, path, NULL, &bound);
	if (report.code == 0)
		*opts = bound;
	return report.code;
}

int conf_vtep_bind(const json_t *obj, const char *path, struct conf_vtep *vtep, struct err *err)
{
	struct report report = {.err = err};
	struct bind bind = {.report = &report};
	struct conf_vtep bound = *vtep;

	bind_object(&bind, &schema_vtep, obj, path, NULL, &bound);
	if (report.code == 0)
		check_vtep(&report, &bound, obj, path, NULL);
	if (report.code == 0)
		*vtep = bound;
	return report.code;
}

int conf_port_check_change(
	const struct conf_port *old, const struct conf_port *now, struct err *err)
{
	char path[CONF_NAME_BYTES + 8];

	snprintf(path, sizeof(path), "port %s", old->name);
	return schema_check_change(&schema_port, old, now, path, err);
}

int conf_bridge_check_change(
	const struct conf_bridge_opts *old, const struct conf_bridge_opts *now, struct err *err)
{
	char path[CONF_NAME_BYTES + 8];

	snprintf(path, sizeof(path), "bridge %s", old->name);
	return schema_check_change(&schema_bridge, old, now, path, err);
}

int conf_vtep_check_change(
	const struct conf_vtep *old, const struct conf_vtep *now, struct err *err)
{
	char path[CONF_NAME_BYTES + 8];

	snprintf(path, sizeof(path), "VTEP %s", old->name);
	return schema_check_change(&schema_vtep, old, now, path, err);
}

static json_t *to_json(const struct schema_table *table, const void *from, enum bind_to how)
{
	json_t *obj = json_object();

	if (obj && bind_to_json(table, from, how, obj) < 0) {
		json_decref(obj);
		return NULL;
	}
	return obj;
}

json_t *conf_port_to_json(const struct conf_port *port, bool all)
{
	return to_json(&schema_port, port, all ? BIND_TO_JSON_ALL : BIND_TO_JSON);
}

json_t *conf_bridge_opts_to_json(const struct conf_bridge_opts *opts, bool all)
{
	return to_json(&schema_bridge, opts, all ? BIND_TO_JSON_ALL : BIND_TO_JSON);
}

json_t *conf_vtep_to_json(const struct conf_vtep *vtep, bool all)
{
	return to_json(&schema_vtep, vtep, all ? BIND_TO_JSON_ALL : BIND_TO_JSON);
}

json_t *conf_fdb_to_json(const struct conf_fdb *entry)
{
	return to_json(&schema_fdb, entry, BIND_TO_JSON);
}

// ---- options of a command line ----

static int refuse_option(const struct schema_table *table, const char *key, struct err *err)
{
	const char *nearest = schema_nearest(table, key);
	char keys[FIELD_WHY_BYTES], shown[72];

	report_shown(shown, key);
	if (nearest && !field_is_section(schema_find(table, nearest)))
		return err_set(err, -EINVAL, "", "unknown option '%s'; did you mean '%s'?", shown,
			nearest);
	return err_set(err, -EINVAL, "", "unknown option '%s'; a %s has the options %s", shown,
		table->what, bind_keys_text(table, keys));
}

// The text goes through the field of a scratch structure, so it is checked as anything else is.
static int option(json_t *obj, const struct schema_table *table, const char *key, const char *value,
	void *scratch, struct err *err)
{
	const struct schema_field *field = schema_find(table, key);
	char why[FIELD_WHY_BYTES], json_key[SCHEMA_KEY_BYTES];
	json_t *json;

	if (!field || field_is_section(field))
		return refuse_option(table, key, err);
	schema_json_key(field, json_key);
	if (json_object_get(obj, json_key))
		return err_set(err, -EINVAL, field->key, "the option is given twice");
	if (value[0] == '\0') {
		json = json_null();
	} else {
		bind_defaults(table, scratch);
		if (field_set(field, value, scratch, why) < 0)
			return err_set(err, -EINVAL, field->key, "%s", why);
		json = field_to_json(field, scratch);
	}
	if (json_object_set_new(obj, json_key, json) < 0)
		return err_set(err, -ENOMEM, field->key, "out of memory");
	return 0;
}

int conf_port_option(json_t *obj, const char *key, const char *value, struct err *err)
{
	struct conf_port scratch;

	return option(obj, &schema_port, key, value, &scratch, err);
}

int conf_bridge_option(json_t *obj, const char *key, const char *value, struct err *err)
{
	struct conf_bridge_opts scratch;

	return option(obj, &schema_bridge, key, value, &scratch, err);
}

int conf_fdb_option(json_t *obj, const char *key, const char *value, struct err *err)
{
	struct conf_fdb scratch;

	return option(obj, &schema_fdb, key, value, &scratch, err);
}

int conf_neigh_option(json_t *obj, const char *key, const char *value, struct err *err)
{
	struct conf_neigh scratch;

	return option(obj, &schema_neigh, key, value, &scratch, err);
}

int conf_vtep_option(json_t *obj, const char *key, const char *value, struct err *err)
{
	struct conf_vtep scratch;

	return option(obj, &schema_vtep, key, value, &scratch, err);
}

// ---- printing ----

static int add_ports(const struct conf_bridge *bridge, json_t *obj)
{
	json_t *ports = json_object();

	if (json_object_set_new(obj, "ports", ports) < 0)
		return -ENOMEM;
	for (unsigned i = 0; i < bridge->nb_ports; i++) {
		const struct conf_port *port = &bridge->ports[i];

		if (json_object_set_new(
			    ports, port->name, to_json(&schema_port, port, BIND_TO_YAML)) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int add_fdb(const struct conf_bridge *bridge, json_t *obj)
{
	json_t *list = json_array();

	if (json_object_set_new(obj, "fdb", list) < 0)
		return -ENOMEM;
	for (unsigned i = 0; i < bridge->nb_fdb; i++) {
		if (json_array_append_new(
			    list, to_json(&schema_fdb, &bridge->fdb[i], BIND_TO_YAML)) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int add_neigh(const struct conf_bridge *bridge, json_t *obj)
{
	json_t *list = json_array();

	if (json_object_set_new(obj, "neigh", list) < 0)
		return -ENOMEM;
	for (unsigned i = 0; i < bridge->nb_neigh; i++) {
		if (json_array_append_new(
			    list, to_json(&schema_neigh, &bridge->neigh[i], BIND_TO_YAML)) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int add_vteps(const struct conf *conf, json_t *obj)
{
	json_t *vteps = json_object();

	if (json_object_set_new(obj, "vteps", vteps) < 0)
		return -ENOMEM;
	for (unsigned i = 0; i < conf->nb_vteps; i++) {
		const struct conf_vtep *vtep = &conf->vteps[i];

		if (json_object_set_new(
			    vteps, vtep->name, to_json(&schema_vtep, vtep, BIND_TO_YAML)) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int add_bridges(const struct conf *conf, json_t *obj)
{
	json_t *bridges = json_object();

	if (json_object_set_new(obj, "bridges", bridges) < 0)
		return -ENOMEM;
	for (unsigned i = 0; i < conf->nb_bridges; i++) {
		const struct conf_bridge *bridge = &conf->bridges[i];
		json_t *one = to_json(&schema_bridge, &bridge->opts, BIND_TO_YAML);

		if (json_object_set_new(bridges, bridge->opts.name, one) < 0)
			return -ENOMEM;
		if (bridge->nb_ports > 0 && add_ports(bridge, one) < 0)
			return -ENOMEM;
		if (bridge->nb_fdb > 0 && add_fdb(bridge, one) < 0)
			return -ENOMEM;
		if (bridge->nb_neigh > 0 && add_neigh(bridge, one) < 0)
			return -ENOMEM;
	}
	return 0;
}

char *conf_print(const struct conf *conf)
{
	json_t *root = to_json(&schema_conf, conf, BIND_TO_YAML);
	char *text = NULL;

	if (root && (conf->nb_vteps == 0 || add_vteps(conf, root) == 0) &&
		(conf->nb_bridges == 0 || add_bridges(conf, root) == 0))
		text = yaml_print(root);
	json_decref(root);
	return text;
}
