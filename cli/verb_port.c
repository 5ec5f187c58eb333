// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/table.h"
#include "config/conf.h"

static int add_port(struct cli *cli, int argc, char **argv)
{
	json_t *port;
	int rc = cli_object(cli, argv[1], conf_port_option, argc - 2, argv + 2, &port);

	if (rc != EXIT_DONE)
		return rc;
	return cli_change(cli, "port.add",
		json_pack("{s:s, s:o, s:b}", "bridge", argv[0], "port", port, "may_exist",
			cli_flag(cli, &cli_may_exist)));
}

static int del_port(struct cli *cli, int argc, char **argv)
{
	const char *bridge = argc > 1 ? argv[0] : NULL;
	json_t *names = json_array();

	for (int i = bridge ? 1 : 0; i < argc; i++)
		json_array_append_new(names, json_string(argv[i]));
	return cli_change(cli, "port.del",
		json_pack("{s:o, s:s*, s:b}", "names", names, "bridge", bridge, "if_exists",
			cli_flag(cli, &cli_if_exists)));
}

static int set_port(struct cli *cli, int argc, char **argv)
{
	json_t *port;
	int rc = cli_object(cli, NULL, conf_port_option, argc - 1, argv + 1, &port);

	if (rc != EXIT_DONE)
		return rc;
	return cli_change(cli, "port.set", json_pack("{s:s, s:o}", "name", argv[0], "port", port));
}

static void add_port_row(struct table *table, const json_t *port)
{
	json_t *options = json_copy(json_object_get(port, "options"));
	char *text;

	json_object_del(options, "type");
	text = cli_conf_text(options);
	table_add(table, "%s", member_text(port, "name"));
	table_add(table, "%s", member_text(port, "bridge"));
	table_add(table, "%s", member_text(port, "type"));
	table_add(table, "%s", member_text(port, "state"));
	table_add(table, "%s", text);
	free(text);
	json_decref(options);
}

static void print_ports(const struct cli *cli, const json_t *result)
{
	struct table table;
	json_t *port;
	size_t i;

	table_init(&table, "PORT BRIDGE TYPE STATE OPTIONS");
	json_array_foreach (json_object_get(result, "ports"), i, port)
		add_port_row(&table, port);
	table_print(&table);
}

static int list_ports(struct cli *cli, int argc, char **argv)
{
	return cli_show(cli, "port.list", json_pack("{s:s*}", "bridge", argc ? argv[0] : NULL),
		print_ports);
}

static const struct verb verbs[] = {
	{"add-port", "BRIDGE PORT [KEY=VALUE...]", "add a port to a bridge",
		.detail = "The options, such as type=tap netns=c1 tag=10, are those of the "
			  "configuration file; `vswitchd --reference config` lists them.",
		.min_args = 2, .max_args = -1, .options = CLI_OPTIONS(&cli_may_exist, &cli_force),
		.run = add_port},
	{"del-port", "[BRIDGE] PORT...", "delete ports, all or none",
		.detail = "If there are several arguments, the first is a bridge, and all ports "
			  "must be on it.",
		.min_args = 1, .max_args = -1, .options = CLI_OPTIONS(&cli_if_exists, &cli_force),
		.run = del_port},
	{"set-port", "PORT KEY=VALUE...", "change options of a port", .min_args = 2, .max_args = -1,
		.options = CLI_OPTIONS(&cli_force), .run = set_port},
	{"list-ports", "[BRIDGE]", "list the ports of a bridge, or all", .max_args = 1,
		.run = list_ports},
	{},
};
const struct verb_group verb_group_port = {
	"Ports", "vsctl add-port br0 c1 type=tap netns=c1 ip=10.0.0.1/24", verbs};
