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
			!!(cli->given & OPT_MAY_EXIST)));
}

static int del_br(struct cli *cli, int argc, char **argv)
{
	return cli_change(cli, "bridge.del",
		json_pack("{s:s, s:b}", "name", argv[0], "if_exists",
			!!(cli->given & OPT_IF_EXISTS)));
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
		char *options = cli_options_text(json_object_get(bridge, "options"));

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

const struct verb verbs_bridge[] = {
	{"add-br", "BRIDGE [KEY=VALUE...]", "make a bridge", NULL, 1, -1, OPT_MAY_EXIST, add_br},
	{"del-br", "BRIDGE", "delete a bridge and its ports", NULL, 1, 1, OPT_IF_EXISTS, del_br},
	{"list-br", "", "list the bridges", NULL, 0, 0, 0, list_br},
	{"set-br", "BRIDGE KEY=VALUE...", "change options of a bridge", NULL, 2, -1, 0, set_br},
	{NULL},
};
