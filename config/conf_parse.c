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
#include "config/tree.h"

struct parse {
	struct report report;
	struct bind bind;
	struct lines lines;
	json_t *port_bridge; // name of the bridge by port name
	json_t *networks;    // name of the port by VTEP and VNI
	const struct conf_vtep *vtep[CONF_VTEPS_MAX];
	unsigned nb_vteps;
};

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

static void parse_vtep(
	struct parse *p, const char *name, const json_t *value, struct conf_vtep *vtep)
{
	json_t *empty = json_object();
	const json_t *obj = tree_object_or_null(value, empty);
	char path[REPORT_PATH_BYTES];

	report_path(path, "vteps", name);
	conf_vtep_init(vtep);
	take_name(p, name, path, name, vtep->name);
	bind_object(&p->bind, &schema_vtep, obj, path, name, vtep);
	check_vtep(&p->report, vtep, obj, path, name);
	json_decref(empty);
}

static void parse_vteps(struct parse *p, const json_t *vteps, const void *at, struct conf *conf)
{
	const json_t *value;
	const char *name;

	if (json_object_size(vteps) > CONF_VTEPS_MAX) {
		report_add(&p->report, at, "vteps",
			"there are too many; a switch has at most %d VTEPs", CONF_VTEPS_MAX);
		return;
	}
	conf->vteps = calloc(json_object_size(vteps) + 1, sizeof(*conf->vteps));
	if (!conf->vteps) {
		report_no_memory(&p->report);
		return;
	}
	json_object_foreach ((json_t *)vteps, name, value) {
		struct conf_vtep *vtep = &conf->vteps[conf->nb_vteps++];

		parse_vtep(p, name, value, vtep);
		p->vtep[p->nb_vteps++] = vtep;
	}
}

// The VTEP of a port, and that no other port has the same network there.
static void check_network(struct parse *p, struct conf_port *port, const json_t *obj,
	const char *path, const void *at)
{
	char key[REPORT_PATH_BYTES], id[CONF_NAME_BYTES + 16];
	const json_t *other;
	struct err err = {0};
	unsigned index;

	if (port->type != CONF_PORT_VXLAN || port->vni == CONF_VNI_NONE)
		return;
	if (conf_port_settle(port, p->vtep, p->nb_vteps, &index, &err) < 0) {
		report_add(&p->report, tree_key_at(obj, err.path, at),
			report_path(key, path, err.path), "%s", err.reason);
		return;
	}
	snprintf(id, sizeof(id), "%s/%u", port->vtep, port->vni);
	other = json_object_get(p->networks, id);
	if (other)
		report_add(&p->report, tree_key_at(obj, "key", at), report_path(key, path, "key"),
			"port '%s' already has VNI %u of VTEP '%s'", json_string_value(other),
			port->vni, port->vtep);
	else if (json_object_set_new(p->networks, id, json_string(port->name)) < 0)
		report_no_memory(&p->report);
}

static bool is_vtep(const struct parse *p, const char *name)
{
	for (unsigned i = 0; i < p->nb_vteps; i++) {
		if (!strcmp(p->vtep[i]->name, name))
			return true;
	}
	return false;
}

static void parse_port(struct parse *p, const char *name, const json_t *value, const char *path,
	const char *bridge, struct conf_port *port)
{
	json_t *empty = json_object();
	const json_t *obj = tree_object_or_null(value, empty), *other;

	conf_port_init(port);
	take_name(p, name, path, name, port->name);
	bind_object(&p->bind, &schema_port, obj, path, name, port);
	check_port(&p->report, port, obj, path, name);
	if (json_is_object(obj))
		check_network(p, port, obj, path, name);
	if (is_vtep(p, name))
		report_add(&p->report, name, path, "a VTEP already has this name");
	other = json_object_get(p->port_bridge, name);
	if (other)
		report_add(&p->report, name, path, "bridge '%s' already has a port of this name",
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

// What tells the entry from others; those of the zero address are as many as there are remotes.
static void entry_id(const struct conf_fdb *entry, char *buf, size_t len_bytes)
{
	char mac[MAC_TEXT_BYTES], ip[IP_TEXT_BYTES];
	bool all = mac_is_zero(&entry->mac);

	snprintf(buf, len_bytes, "%s/%u/%s/%s", mac_format(&entry->mac, mac), entry->vlan,
		all ? entry->port : "", all ? ip_format(&entry->tunnel, ip) : "");
}

static void check_fdb(struct parse *p, struct conf_fdb *entry, const json_t *obj, const char *path,
	const void *at, struct conf_fdb_ports *ports, json_t *seen)
{
	char key[REPORT_PATH_BYTES], mac[MAC_TEXT_BYTES], id[192];
	struct err err = {0};

	if (conf_fdb_settle(entry, ports, &err) < 0) {
		report_add(&p->report, tree_key_at(obj, err.path, at),
			report_path(key, path, err.path), "%s", err.reason);
		return;
	}
	entry_id(entry, id, sizeof(id));
	if (json_object_get(seen, id))
		report_add(&p->report, at, path, "%s in VLAN %u already has an entry",
			mac_format(&entry->mac, mac), entry->vlan);
	else if (json_object_set_new(seen, id, json_true()) < 0)
		report_no_memory(&p->report);
}

static void parse_fdb(struct parse *p, const json_t *list, const char *path, const void *list_at,
	struct conf_bridge *bridge, const char *bridge_name)
{
	struct conf_fdb_ports ports = {.bridge = bridge_name};
	char item_path[REPORT_PATH_BYTES];
	json_t *seen = json_object();
	const json_t *value;
	size_t i;

	bridge->fdb = calloc(json_array_size(list) + 1, sizeof(*bridge->fdb));
	ports.port = calloc(bridge->nb_ports + 1, sizeof(*ports.port));
	if (!bridge->fdb || !ports.port || !seen) {
		report_no_memory(&p->report);
		goto out;
	}
	for (; ports.count < bridge->nb_ports; ports.count++)
		ports.port[ports.count] = &bridge->ports[ports.count];
	json_array_foreach (list, i, value) {
		struct conf_fdb *entry = &bridge->fdb[bridge->nb_fdb++];
		const void *at = json_is_null(value) ? list_at : value;

		report_path_item(item_path, path, i);
		if (tree_bind_item(&p->bind, &schema_fdb, value, item_path, at, entry))
			check_fdb(p, entry, value, item_path, at, &ports, seen);
	}
out:
	free(ports.port);
	json_decref(seen);
}

static void parse_neigh(struct parse *p, const json_t *list, const char *path, const void *list_at,
	struct conf_bridge *bridge)
{
	char item_path[REPORT_PATH_BYTES], id[64], ip[IP_TEXT_BYTES];
	json_t *seen = json_object();
	const json_t *value;
	size_t i;

	bridge->neigh = calloc(json_array_size(list) + 1, sizeof(*bridge->neigh));
	if (!bridge->neigh || !seen) {
		report_no_memory(&p->report);
		goto out;
	}
	json_array_foreach (list, i, value) {
		struct conf_neigh *entry = &bridge->neigh[bridge->nb_neigh++];
		const void *at = json_is_null(value) ? list_at : value;

		report_path_item(item_path, path, i);
		if (!tree_bind_item(&p->bind, &schema_neigh, value, item_path, at, entry))
			continue;
		snprintf(id, sizeof(id), "%s/%u", ip_format(&entry->ip, ip), entry->vlan);
		if (json_object_get(seen, id))
			report_add(&p->report, at, item_path, "%s in VLAN %u already has an entry",
				ip, entry->vlan);
		else if (json_object_set_new(seen, id, json_true()) < 0)
			report_no_memory(&p->report);
	}
out:
	json_decref(seen);
}

// Names are told from the JSON keys, not from the structures: those cut what is too long.
static void parse_bridge(
	struct parse *p, const char *name, const json_t *value, struct conf_bridge *bridge)
{
	char path[REPORT_PATH_BYTES], key[REPORT_PATH_BYTES];
	json_t *empty = json_object();
	const json_t *obj = tree_object_or_null(value, empty), *part;

	report_path(path, "bridges", name);
	conf_bridge_opts_init(&bridge->opts);
	take_name(p, name, path, name, bridge->opts.name);
	bind_object(&p->bind, &schema_bridge, obj, path, name, &bridge->opts);
	report_path(key, path, "ports");
	part = tree_section(&p->report, obj, "ports", JSON_OBJECT, &schema_bridge, key);
	if (part)
		parse_ports(p, part, key, bridge, name);
	json_decref(empty);
}

// The lists of entries, which may name any port.
static void parse_bridge_lists(
	struct parse *p, const char *name, const json_t *obj, struct conf_bridge *bridge)
{
	char path[REPORT_PATH_BYTES], key[REPORT_PATH_BYTES];
	const json_t *part;

	report_path(path, "bridges", name);
	report_path(key, path, "fdb");
	part = tree_section(&p->report, obj, "fdb", JSON_ARRAY, &schema_bridge, key);
	if (part)
		parse_fdb(p, part, key, tree_key_at(obj, "fdb", NULL), bridge, name);
	report_path(key, path, "neigh");
	part = tree_section(&p->report, obj, "neigh", JSON_ARRAY, &schema_bridge, key);
	if (part)
		parse_neigh(p, part, key, tree_key_at(obj, "neigh", NULL), bridge);
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
		parse_bridge_lists(p, name, value, &conf->bridges[i++]);
}

static void parse_root(struct parse *p, const json_t *root, struct conf *conf)
{
	const json_t *bridges, *vteps;

	if (json_is_null(root)) // an empty file: everything at its default
		return;
	bind_object(&p->bind, &schema_conf, root, "", NULL, conf);
	vteps = tree_section(&p->report, root, "vteps", JSON_OBJECT, &schema_conf, "vteps");
	if (vteps)
		parse_vteps(p, vteps, tree_key_at(root, "vteps", NULL), conf);
	bridges = tree_section(&p->report, root, "bridges", JSON_OBJECT, &schema_conf, "bridges");
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
	conf_init(&conf);
	p.port_bridge = json_object();
	p.networks = json_object();
	root = tree_load(text, len_bytes, &p.lines, &p.report);
	if (!p.port_bridge || !p.networks)
		report_no_memory(&p.report);
	else if (root)
		parse_root(&p, root, &conf);
	json_decref(root);
	json_decref(p.port_bridge);
	json_decref(p.networks);
	lines_fini(&p.lines);
	report_sort(mistakes);
	if (p.report.code < 0)
		conf_fini(&conf);
	else
		*ret_conf = conf;
	return p.report.code;
}
