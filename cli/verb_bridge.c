// SPDX-License-Identifier: BSD-3-Clause
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/table.h"
#include "config/conf.h"

static int add_br(struct cli *cli, int argc, char **argv)
{
	json_t *bridge;
	int rc = cli_object(cli, argv[0], conf_bridge_option, argc - 1, argv + 1, &bridge);

	if (rc != EXIT_DONE)
		return rc;
	return cli_change(cli, "bridge.add",
		json_pack("{s:o, s:b}", "bridge", bridge, "may_exist",
			cli_flag(cli, &cli_may_exist)));
}

static int del_br(struct cli *cli, int argc, char **argv)
{
	return cli_change(cli, "bridge.del",
		json_pack(
			"{s:s, s:b}", "name", argv[0], "if_exists", cli_flag(cli, &cli_if_exists)));
}

static int set_br(struct cli *cli, int argc, char **argv)
{
	json_t *bridge;
	int rc = cli_object(cli, NULL, conf_bridge_option, argc - 1, argv + 1, &bridge);

	if (rc != EXIT_DONE)
		return rc;
	return cli_change(
		cli, "bridge.set", json_pack("{s:s, s:o}", "name", argv[0], "bridge", bridge));
}

static void print_bridges(const struct cli *cli, const json_t *result)
{
	struct table table;
	json_t *bridge;
	size_t i;

	table_init(&table, "BRIDGE >PORTS OPTIONS");
	json_array_foreach (json_object_get(result, "bridges"), i, bridge) {
		char *options = cli_conf_text(json_object_get(bridge, "options"));

		table_add(&table, "%s", member_text(bridge, "name"));
		table_add(&table, "%lld", member_int(bridge, "ports"));
		table_add(&table, "%s", options);
		free(options);
	}
	table_print(&table);
}

static int list_br(struct cli *cli, int argc, char **argv)
{
	return cli_show(cli, "bridge.list", NULL, print_bridges);
}

static const struct verb verbs[] = {
	{"add-br", "BRIDGE [KEY=VALUE...]", "create a bridge", .min_args = 1, .max_args = -1,
		.options = CLI_OPTIONS(&cli_may_exist), .run = add_br},
	{"del-br", "BRIDGE", "delete a bridge and its ports", .min_args = 1, .max_args = 1,
		.options = CLI_OPTIONS(&cli_if_exists, &cli_force), .run = del_br},
	{"list-br", "", "list the bridges", .run = list_br},
	{"set-br", "BRIDGE KEY=VALUE...", "change options of a bridge", .min_args = 2,
		.max_args = -1, .options = CLI_OPTIONS(&cli_force), .run = set_br},
	{},
};
const struct verb_group verb_group_bridge = {"Bridges", "vsctl add-br br0 ageing=60", verbs};
