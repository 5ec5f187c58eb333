// SPDX-License-Identifier: BSD-3-Clause
#include "cli/entries.h"

#include <stdio.h>

#define PAGE 10000

static void print_page(const struct cli *cli, const struct entry_kind *kind, struct table *table,
	const json_t *entries, bool *first)
{
	json_t *entry;
	size_t i;

	json_array_foreach (entries, i, entry) {
		if (cli->json) {
			fputs(*first ? "\n" : ",\n", stdout);
			json_dumpf(entry, stdout, JSON_COMPACT);
			*first = false;
		} else {
			kind->add_row(table, entry);
		}
	}
	if (!cli->json)
		table_print(table);
}

int cli_entries_ls(struct cli *cli, const struct entry_kind *kind, const char *bridge)
{
	char after[64] = "";
	struct table table;
	bool first = true;
	json_t *result;

	table_init(&table, kind->headings);
	do {
		json_t *params = json_pack("{s:i, s:s*, s:s*}", "limit", PAGE, "bridge", bridge,
			"after", after[0] ? after : NULL);
		int rc = cli_call(cli, kind->list, params, &result);

		if (rc != EXIT_DONE)
			return rc;
		if (cli->json && !after[0])
			fputs("{\"entries\": [", stdout);
		cli->error_begin = "\n], "; // of one that a later page is answered with
		print_page(cli, kind, &table, json_object_get(result, "entries"), &first);
		snprintf(after, sizeof(after), "%s", member_text(result, "next"));
		json_decref(result);
	} while (after[0]);
	if (cli->json)
		fputs(first ? "]}\n" : "\n]}\n", stdout);
	return EXIT_DONE;
}

int cli_entry(
	struct cli *cli, const struct entry_kind *kind, int argc, char **argv, json_t **ret_entry)
{
	return cli_object(cli, NULL, kind->option, argc, argv, ret_entry);
}

int cli_entry_add(struct cli *cli, const struct entry_kind *kind, const char *bridge, json_t *entry)
{
	return cli_change(
		cli, kind->add, json_pack("{s:s, s:[o]}", "bridge", bridge, "entries", entry));
}

int cli_entry_rm(struct cli *cli, const struct entry_kind *kind, const char *bridge, json_t *entry)
{
	return cli_change(cli, kind->del,
		json_pack("{s:s, s:[o], s:b}", "bridge", bridge, "entries", entry, "if_exists",
			cli_flag(cli, &cli_if_exists)));
}

int cli_entries_load(
	struct cli *cli, const struct entry_kind *kind, const char *bridge, const char *path)
{
	json_t *entries;
	int rc = cli_load(cli, path, kind->of_line, &entries);

	if (rc != EXIT_DONE)
		return rc;
	return cli_change(
		cli, kind->add, json_pack("{s:s, s:o}", "bridge", bridge, "entries", entries));
}
