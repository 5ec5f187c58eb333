// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/cli/cli.h"
#include "ctrl/cli/table.h"

#define PAGE 10000

static int parse_vlan(const char *arg, int *ret_vlan)
{
	char *end;
	long vlan;

	if (strncmp(arg, "vlan=", 5))
		return cli_usage("'%s' is not vlan=ID", arg);
	vlan = strtol(arg + 5, &end, 10);
	if (end == arg + 5 || *end || vlan < 0 || vlan > 4094)
		return cli_usage("vlan= takes a number from 0 to 4094, not '%s'", arg + 5);
	*ret_vlan = vlan;
	return EXIT_DONE;
}

static void print_entries(struct cli *cli, struct table *table, const json_t *entries, bool *first)
{
	json_t *e;
	size_t i;

	json_array_foreach (entries, i, e) {
		if (cli->json) {
			fputs(*first ? "\n" : ",\n", stdout);
			json_dumpf(e, stdout, JSON_COMPACT);
			*first = false;
			continue;
		}
		table_add(table, "%s", member_text(e, "bridge"));
		table_add(table, "%lld", member_int(e, "vlan"));
		table_add(table, "%s", member_text(e, "mac"));
		table_add(table, "%s", member_text(e, "port"));
		table_add(table, "%s", member_text(e, "kind"));
		table_add(table, "%lld", member_int(e, "age_s"));
	}
	if (!cli->json)
		table_print(table);
}

// Prints page after page, so that a million entries need no more memory than one page.
static int fdb_show(struct cli *cli, int argc, char **argv)
{
	char after[64] = "";
	struct table table;
	bool first = true;
	json_t *result;

	table_init(&table, "BRIDGE >VLAN MAC PORT KIND >AGE");
	do {
		json_t *params = json_pack("{s:i, s:s*, s:s*}", "limit", PAGE, "bridge",
			argc ? argv[0] : NULL, "after", after[0] ? after : NULL);
		int rc = cli_call(cli, "fdb.show", params, &result);

		if (rc != EXIT_DONE)
			return rc;
		if (cli->json && !after[0])
			fputs("{\"entries\": [", stdout);
		print_entries(cli, &table, json_object_get(result, "entries"), &first);
		snprintf(after, sizeof(after), "%s", member_text(result, "next"));
		json_decref(result);
	} while (after[0]);
	if (cli->json)
		fputs(first ? "]}\n" : "\n]}\n", stdout);
	return EXIT_DONE;
}

static int fdb_add(struct cli *cli, int argc, char **argv)
{
	int vlan = 0, rc = argc > 3 ? parse_vlan(argv[3], &vlan) : EXIT_DONE;

	if (rc != EXIT_DONE)
		return rc;
	return cli_change(cli, "fdb.add",
		json_pack("{s:s, s:[{s:s, s:s, s:i}]}", "bridge", argv[0], "entries", "mac",
			argv[1], "port", argv[2], "vlan", vlan));
}

static int fdb_del(struct cli *cli, int argc, char **argv)
{
	int vlan = 0, rc = argc > 2 ? parse_vlan(argv[2], &vlan) : EXIT_DONE;

	if (rc != EXIT_DONE)
		return rc;
	return cli_change(cli, "fdb.del",
		json_pack("{s:s, s:[{s:s, s:i}], s:b}", "bridge", argv[0], "entries", "mac",
			argv[1], "vlan", vlan, "if_exists", !!(cli->given & OPT_IF_EXISTS)));
}

static int fdb_flush(struct cli *cli, int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[0], "port"))
		return cli_usage("'%s %s' is neither BRIDGE nor port PORT", argv[0], argv[1]);
	return cli_change(cli, "fdb.flush",
		json_pack("{s:s}", argc == 2 ? "port" : "bridge", argv[argc - 1]));
}

const struct verb verbs_fdb[] = {
	{"fdb show", "[BRIDGE]", "list forwarding entries", NULL, 0, 1, 0, fdb_show},
	{"fdb add", "BRIDGE MAC PORT [vlan=ID]", "add a static forwarding entry", NULL, 3, 4, 0,
		fdb_add},
	{"fdb del", "BRIDGE MAC [vlan=ID]", "delete a static forwarding entry", NULL, 2, 3,
		OPT_IF_EXISTS, fdb_del},
	{"fdb flush", "BRIDGE | port PORT", "forget what was learned on a bridge or port", NULL, 1,
		2, 0, fdb_flush},
	{NULL},
};
