// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mac.h"
#include "cli/cli.h"
#include "cli/read_lines.h"
#include "cli/table.h"
#include "config/conf.h"

#define PAGE 10000

// Only what follows the addresses.
static int option(json_t *obj, const char *key, const char *value, struct err *err)
{
	if (strcmp(key, "vlan") != 0)
		return err_set(err, -EINVAL, "", "unknown option '%.60s'; there is vlan", key);
	return conf_neigh_option(obj, key, value, err);
}

static int neigh_add(struct cli *cli, int argc, char **argv)
{
	json_t *entry;
	int rc = cli_object(cli, NULL, option, argc - 3, argv + 3, &entry);

	if (rc != EXIT_DONE)
		return rc;
	json_object_set_new(entry, "ip", json_string(argv[1]));
	json_object_set_new(entry, "mac", json_string(argv[2]));
	return cli_change(
		cli, "neigh.add", json_pack("{s:s, s:[o]}", "bridge", argv[0], "entries", entry));
}

static int neigh_del(struct cli *cli, int argc, char **argv)
{
	json_t *entry;
	int rc = cli_object(cli, NULL, option, argc - 2, argv + 2, &entry);

	if (rc != EXIT_DONE)
		return rc;
	json_object_set_new(entry, "ip", json_string(argv[1]));
	return cli_change(cli, "neigh.del",
		json_pack("{s:s, s:[o], s:b}", "bridge", argv[0], "entries", entry, "if_exists",
			!!(cli->given & OPT_IF_EXISTS)));
}

// "10.0.0.9 02:00:00:00:00:09 vlan=10"; the addresses in either order.
static json_t *entry_of_line(char **word, unsigned count, struct err *err)
{
	json_t *entry = json_object();
	struct mac mac;
	unsigned first;

	if (count < 2) {
		err_set(err, -EINVAL, "", "a line is ADDRESS MAC [vlan=ID], or a JSON object");
		goto err;
	}
	first = mac_parse(word[0], &mac) == 0;
	if (conf_neigh_option(entry, "ip", word[first], err) < 0 ||
		conf_neigh_option(entry, "mac", word[!first], err) < 0 ||
		cli_line_options(entry, option, word + 2, count - 2, err) < 0)
		goto err;
	return entry;

err:
	json_decref(entry);
	return NULL;
}

static int neigh_load(struct cli *cli, int argc, char **argv)
{
	json_t *entries;
	int rc = cli_load(cli, argv[1], entry_of_line, &entries);

	if (rc != EXIT_DONE)
		return rc;
	return cli_change(
		cli, "neigh.add", json_pack("{s:s, s:o}", "bridge", argv[0], "entries", entries));
}

static void print_entries(const json_t *entries, struct table *table)
{
	json_t *e;
	size_t i;

	json_array_foreach (entries, i, e) {
		table_add(table, "%lld", member_int(e, "vlan"));
		table_add(table, "%s", member_text(e, "ip"));
		table_add(table, "%s", member_text(e, "mac"));
	}
	table_print(table);
}

static int neigh_show(struct cli *cli, int argc, char **argv)
{
	json_t *result, *all = json_array();
	char after[64] = "";
	struct table table;

	table_init(&table, ">VLAN ADDRESS MAC");
	do {
		json_t *params = json_pack("{s:s, s:i, s:s*}", "bridge", argv[0], "limit", PAGE,
			"after", after[0] ? after : NULL);
		int rc = cli_call(cli, "neigh.list", params, &result);

		if (rc != EXIT_DONE) {
			json_decref(all);
			return rc;
		}
		if (cli->json)
			json_array_extend(all, json_object_get(result, "entries"));
		else
			print_entries(json_object_get(result, "entries"), &table);
		snprintf(after, sizeof(after), "%s", member_text(result, "next"));
		json_decref(result);
	} while (after[0]);
	all = json_pack("{s:o}", "entries", all);
	if (cli->json)
		cli_print_json(all);
	json_decref(all);
	return EXIT_DONE;
}

const struct verb verbs_neigh[] = {
	{"neigh show", "BRIDGE", "list the neighbours that a bridge answers for", NULL, 1, 1, 0,
		neigh_show},
	{"neigh add", "BRIDGE ADDRESS MAC [vlan=ID]", "add a neighbour", NULL, 3, 4, 0, neigh_add},
	{"neigh del", "BRIDGE ADDRESS [vlan=ID]", "delete a neighbour", NULL, 2, 3, OPT_IF_EXISTS,
		neigh_del},
	{"neigh load", "BRIDGE FILE", "add the neighbours of a file, all or none",
		"A line is ADDRESS MAC [vlan=ID], or a JSON object. -: standard input.", 2, 2, 0,
		neigh_load},
	{NULL},
};
