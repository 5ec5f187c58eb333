// SPDX-License-Identifier: BSD-3-Clause
// conf_parse(): the sections of a file, and the checks across them.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/bind.h"
#include "config/check.h"
#include "config/check_conf.h"
#include "config/conf.h"
#include "config/field.h"
#include "config/yaml_in.h"

struct parse {
	struct report report;
	struct bind bind;
	struct lines lines;
	json_t *port_bridge; // name of the bridge by port name
};

// The section `key` of `obj`: an object or list of `type` with something in it, or NULL.
static const json_t *section(struct parse *p, const json_t *obj, const char *key, json_type type,
	const struct schema_table *table, const char *path)
{
	const json_t *value = json_object_get(obj, key);
	char buf[FIELD_WHY_BYTES];
	void *iter;

	if (!value || json_is_null(value) || json_is_true(value))
		return NULL;
	if (json_typeof(value) == type)
		return value;
	iter = json_object_iter_at((json_t *)obj, key);
	report_add(&p->report, json_object_iter_key(iter), path, "%s is not allowed; %s",
		bind_type_name(value), field_allowed(schema_find(table, key), buf));
	return NULL;
}

// Takes a name of the file into `ret`, where it has room when it is allowed.
static void take_name(struct parse *p, const char *name, const char *path, const void *at,
	char ret[CONF_NAME_BYTES])
{
	const char *allowed = check_name(name);
	char shown[72];

	if (allowed)
		report_add(&p->report, at, path, "'%s' is not allowed; %s",
			report_shown(shown, name), allowed);
	snprintf(ret, CONF_NAME_BYTES, "%s", name);
}

// A null stands for an object without keys: `br0:`.
static const json_t *object_or_null(const json_t *value, json_t *empty)
{
	return json_is_null(value) ? empty : value;
}

static void parse_port(struct parse *p, const char *name, const json_t *value, const char *path,
	const char *bridge, struct conf_port *port)
{
	json_t *empty = json_object();
	const json_t *obj = object_or_null(value, empty), *other;

	conf_port_init(port);
	take_name(p, name, path, name, port->name);
	bind_object(&p->bind, &schema_port, obj, path, name, port);
	check_port(&p->report, port, obj, path, name);
	other = json_object_get(p->port_bridge, name);
	if (other)
		report_add(&p->report, name, path, "bridge '%s' has a port of this name already",
			json_string_value(other));
	else if (json_object_set_new(p->port_bridge, name, json_string(bridge)) < 0)
		report_no_memory(&p->report);
	json_decref(empty);
}

static void parse_ports(struct parse *p, const json_t *ports, const char *path,
	struct conf_bridge *bridge, const char *bridge_name)
{
	char port_path[REPORT_PATH_BYTES];
	const json_t *value;
	const char *name;

	bridge->ports = calloc(json_object_size(ports) + 1, sizeof(*bridge->ports));
	if (!bridge->ports) {
		report_no_memory(&p->report);
		return;
	}
	json_object_foreach ((json_t *)ports, name, value) {
		report_path(port_path, path, name);
		parse_port(
			p, name, value, port_path, bridge_name, &bridge->ports[bridge->nb_ports++]);
	}
}

static void check_fdb(struct parse *p, const struct conf_fdb *entry, const json_t *obj,
	const char *path, const void *at, const char *bridge, json_t *seen)
{
	const json_t *owner = json_object_get(p->port_bridge, entry->port);
	char key[REPORT_PATH_BYTES], mac[MAC_TEXT_BYTES], id[32];
	void *iter = json_object_iter_at((json_t *)obj, "port");

	if (entry->port[0] && (!owner || strcmp(json_string_value(owner), bridge) != 0))
		report_add(&p->report, iter ? json_object_iter_key(iter) : at,
			report_path(key, path, "port"), "bridge '%s' has no port '%s'", bridge,
			entry->port);
	snprintf(id, sizeof(id), "%s/%u", mac_format(&entry->mac, mac), entry->vlan);
	if (mac_is_zero(&entry->mac))
		return;
	if (json_object_get(seen, id))
		report_add(&p->report, at, path, "%s in VLAN %u has an entry already", mac,
			entry->vlan);
	else if (json_object_set_new(seen, id, json_true()) < 0)
		report_no_memory(&p->report);
}

static void parse_fdb(struct parse *p, const json_t *list, const char *path, const void *list_at,
	struct conf_bridge *bridge, const char *bridge_name)
{
	char item_path[REPORT_PATH_BYTES];
	json_t *seen = json_object();
	const json_t *value;
	size_t i;

	bridge->fdb = calloc(json_array_size(list) + 1, sizeof(*bridge->fdb));
	if (!bridge->fdb || !seen) {
		report_no_memory(&p->report);
		json_decref(seen);
		return;
	}
	json_array_foreach (list, i, value) {
		struct conf_fdb *entry = &bridge->fdb[bridge->nb_fdb++];
		const void *at = json_is_null(value) ? list_at : value;

		report_path_item(item_path, path, i);
		bind_defaults(&schema_fdb, entry);
		bind_object(&p->bind, &schema_fdb, value, item_path, at, entry);
		if (json_is_object(value))
			check_fdb(p, entry, value, item_path, at, bridge_name, seen);
	}
	json_decref(seen);
}

// Names are told from the JSON keys, not from the structures: those cut what is too long.
static void parse_bridge(
	struct parse *p, const char *name, const json_t *value, struct conf_bridge *bridge)
{
	char path[REPORT_PATH_BYTES], key[REPORT_PATH_BYTES];
	json_t *empty = json_object();
	const json_t *obj = object_or_null(value, empty), *part;

	report_path(path, "bridges", name);
	conf_bridge_opts_init(&bridge->opts);
	take_name(p, name, path, name, bridge->opts.name);
	bind_object(&p->bind, &schema_bridge, obj, path, name, &bridge->opts);
	report_path(key, path, "ports");
	part = section(p, obj, "ports", JSON_OBJECT, &schema_bridge, key);
	if (part)
		parse_ports(p, part, key, bridge, name);
	json_decref(empty);
}

static void parse_bridge_fdb(
	struct parse *p, const char *name, const json_t *obj, struct conf_bridge *bridge)
{
	char path[REPORT_PATH_BYTES], key[REPORT_PATH_BYTES];
	const json_t *part;

	report_path(path, "bridges", name);
	report_path(key, path, "fdb");
	part = section(p, obj, "fdb", JSON_ARRAY, &schema_bridge, key);
	if (!part)
		return;
	parse_fdb(p, part, key, json_object_iter_key(json_object_iter_at((json_t *)obj, "fdb")),
		bridge, name);
}

static void parse_bridges(struct parse *p, const json_t *bridges, struct conf *conf)
{
	const json_t *value;
	const char *name;
	unsigned i = 0;

	conf->bridges = calloc(json_object_size(bridges) + 1, sizeof(*conf->bridges));
	if (!conf->bridges) {
		report_no_memory(&p->report);
		return;
	}
	json_object_foreach ((json_t *)bridges, name, value)
		parse_bridge(p, name, value, &conf->bridges[conf->nb_bridges++]);
	// After all ports: an entry may name one that comes later, or one of another bridge.
	json_object_foreach ((json_t *)bridges, name, value)
		parse_bridge_fdb(p, name, value, &conf->bridges[i++]);
}

static void parse_root(struct parse *p, const json_t *root, struct conf *conf)
{
	const json_t *bridges;

	if (json_is_null(root)) // an empty file: everything at its default
		return;
	bind_object(&p->bind, &schema_conf, root, "", NULL, conf);
	bridges = section(p, root, "bridges", JSON_OBJECT, &schema_conf, "bridges");
	if (bridges)
		parse_bridges(p, bridges, conf);
}

int conf_parse(
	const char *text, size_t len_bytes, struct conf *ret_conf, struct conf_mistakes *mistakes)
{
	struct parse p = {.report.mistakes = mistakes};
	struct conf conf;
	json_t *root;

	*mistakes = (struct conf_mistakes){0};
	p.bind = (struct bind){.yaml = true, .report = &p.report};
	p.report.lines = &p.lines;
	if (len_bytes > CONF_FILE_MAX_BYTES) {
		report_add_line(&p.report, 1, "", "the configuration is larger than %u bytes",
			CONF_FILE_MAX_BYTES);
		return -EFBIG;
	}
	conf_init(&conf);
	p.port_bridge = json_object();
	root = yaml_load(text, len_bytes, &p.lines, &p.report);
	if (!p.port_bridge)
		report_no_memory(&p.report);
	else if (root)
		parse_root(&p, root, &conf);
	json_decref(root);
	json_decref(p.port_bridge);
	lines_fini(&p.lines);
	report_sort(mistakes);
	if (p.report.code < 0)
		conf_fini(&conf);
	else
		*ret_conf = conf;
	return p.report.code;
}
