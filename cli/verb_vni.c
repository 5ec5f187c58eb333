// SPDX-License-Identifier: BSD-3-Clause
// VNIs, which are ports of type vxlan, by their number.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/table.h"
#include "cli/vni.h"
#include "config/conf.h"

// The options of a port, with the VLAN by the name that forwarding entries have for it.
static int vni_option(json_t *obj, const char *key, const char *value, struct err *err)
{
	return conf_port_option(obj, strcmp(key, "vlan") ? key : "tag", value, err);
}

static int add(struct cli *cli, int argc, char **argv)
{
	json_t *port, *key = json_object();
	char name[CONF_NAME_BYTES];
	struct err err = {0};
	int rc;

	if (conf_port_option(key, "key", argv[1], &err) < 0) {
		json_decref(key);
		return cli_fail(cli, &err);
	}
	snprintf(name, sizeof(name), "vni%lld", member_int(key, "key"));
	rc = cli_object(cli, name, vni_option, argc - 2, argv + 2, &port);
	if (rc != EXIT_DONE) {
		json_decref(key);
		return rc;
	}
	json_object_update(port, key);
	json_object_set_new(port, "type", json_string("vxlan"));
	json_decref(key);
	return cli_change(cli, "port.add",
		json_pack("{s:s, s:o, s:b}", "bridge", argv[0], "port", port, "may_exist",
			cli_flag(cli, &cli_may_exist)));
}

static bool is_vni(const json_t *port, const char *key)
{
	const json_t *options = json_object_get(port, "options");
	char text[24];

	snprintf(text, sizeof(text), "%lld", member_int(options, "key"));
	return !strcmp(member_text(port, "type"), "vxlan") && (!key || !strcmp(text, key));
}

int cli_find_vni(struct cli *cli, const char *key, json_t **ret_port)
{
	json_t *result, *port, *found = NULL;
	struct err err = {0};
	size_t i;
	int rc = cli_call(cli, "port.list", NULL, &result);

	if (rc != EXIT_DONE)
		return rc;
	json_array_foreach (json_object_get(result, "ports"), i, port) {
		if (!is_vni(port, key))
			continue;
		if (found)
			err_set(&err, -EINVAL, key,
				"the ports %s and %s have this VNI, on different "
				"VTEPs; use the verbs for ports",
				member_text(found, "name"), member_text(port, "name"));
		found = port;
	}
	if (!found)
		err_set(&err, -ENOENT, key, "there is no such VNI (`vsctl vni ls` lists them)");
	*ret_port = err.code ? NULL : json_incref(found);
	json_decref(result);
	return err.code ? cli_fail(cli, &err) : EXIT_DONE;
}

static int rm(struct cli *cli, int argc, char **argv)
{
	json_t *port;
	int rc = cli_find_vni(cli, argv[0], &port);

	if (rc != EXIT_DONE)
		return rc;
	rc = cli_change(cli, "port.del", json_pack("{s:s}", "name", member_text(port, "name")));
	json_decref(port);
	return rc;
}

static void print_vnis(const struct cli *cli, const json_t *result)
{
	struct table table;
	json_t *port;
	size_t i;

	table_init(&table, ">VNI PORT BRIDGE >VLAN VTEP STATE >MTU REMOTES");
	json_array_foreach (json_object_get(result, "ports"), i, port) {
		const json_t *options = json_object_get(port, "options");
		char *remotes;

		if (!is_vni(port, NULL))
			continue;
		remotes = cli_value_text(json_object_get(port, "remotes"));
		table_add(&table, "%lld", member_int(options, "key"));
		table_add(&table, "%s", member_text(port, "name"));
		table_add(&table, "%s", member_text(port, "bridge"));
		table_add(&table, "%lld", member_int(options, "tag"));
		table_add(&table, "%s", member_text(options, "vtep"));
		table_add(&table, "%s", member_text(port, "state"));
		table_add(&table, "%lld", member_int(port, "mtu"));
		table_add(&table, "%s", remotes);
		free(remotes);
	}
	table_print(&table);
}

static int ls(struct cli *cli, int argc, char **argv)
{
	return cli_show(
		cli, "port.list", json_pack("{s:s*}", "bridge", argc ? argv[0] : NULL), print_vnis);
}

static const struct verb verbs[] = {
	{"vni ls", "[BRIDGE]", "list the VNIs of a bridge, or all", .max_args = 1, .run = ls},
	{"vni add", "BRIDGE VNI [vlan=ID] [KEY=VALUE...]", "add a VNI to a bridge",
		.detail = "`vni add br0 42 remote=10.0.0.2` is `add-port br0 vni42 type=vxlan "
			  "key=42 remote=10.0.0.2`. The options, such as remote= and vtep=, are "
			  "those of ports.",
		.min_args = 2, .max_args = -1, .options = CLI_OPTIONS(&cli_may_exist, &cli_force),
		.run = add},
	{"vni rm", "VNI", "delete a VNI", .min_args = 1, .max_args = 1,
		.options = CLI_OPTIONS(&cli_force), .run = rm},
	{},
};
const struct verb_group verb_group_vni = {"VNIs", "vsctl vni add br0 42 remote=10.0.0.2", verbs};
