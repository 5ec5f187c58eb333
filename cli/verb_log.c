// SPDX-License-Identifier: BSD-3-Clause
// The level of the daemons' logs.
#include <stdio.h>

#include "cli/log.h"

static void print_level(const struct cli *cli, const json_t *result)
{
	printf("%s\n", member_text(result, "level"));
}

int cli_log(struct cli *cli, int argc, char **argv)
{
	if (argc == 0)
		return cli_show(cli, "log.show", NULL, print_level);
	return cli_change(cli, "log.set", json_pack("{s:s}", "level", argv[0]));
}

static const struct verb verbs[] = {
	{"log", "[error|warn|info|debug]", "show or set the level of the switch's log",
		.detail = CLI_LOG_DETAIL, .max_args = 1, .run = cli_log},
	{},
};
const struct verb_group verb_group_log = {"The log", "vsctl log debug", verbs};
