// SPDX-License-Identifier: BSD-3-Clause
#include "cli/format.h"

#include <stdio.h>
#include <string.h>

#include "cli/table.h"

int cli_format_parse(
	const struct cli *cli, const char *text, const char *const *fields, struct template *ret)
{
	json_t *nothing = json_object();
	struct text out = {0};
	struct err err = {0};
	int rc = 0;

	if (text && cli->json)
		rc = cli_usage("--json and --format exclude each other");
	else if (text && (template_parse(text, ret, &err) < 0 ||
				 template_add(ret, nothing, fields, &out, &err) < 0))
		rc = cli_usage("--format: %s", err.reason);
	text_free(&out);
	json_decref(nothing);
	return rc;
}

static void add_row(struct table *table, char *line)
{
	for (unsigned i = 0; i < table->nb_columns; i++) {
		char *tab = strchr(line, '\t');

		if (tab)
			*tab = '\0';
		table_add(table, "%s", line);
		line = tab ? tab + 1 : line + strlen(line);
	}
}

// The table's headings are words.
static void init_table(struct table *table, const struct template *t)
{
	struct text headings = {0};

	template_headings(t, &headings);
	for (char *c = headings.data; c && *c; c++)
		*c = *c == '\t' ? ' ' : *c == ' ' ? '-' : *c;
	table_init(table, headings.data ? headings.data : "");
	text_free(&headings);
}

int cli_format_print(const struct cli *cli, const struct template *t, const json_t *list,
	const char *const *fields)
{
	struct table table;
	struct err err = {0};
	int rc = EXIT_DONE;
	json_t *obj;
	size_t i;

	init_table(&table, t);
	json_array_foreach (list, i, obj) {
		struct text line = {0};

		if (template_add(t, obj, fields, &line, &err) < 0)
			rc = cli_fail(cli, &err);
		else if (t->is_table)
			add_row(&table, line.data ? line.data : (char[]){""});
		else
			printf("%s\n", line.data ? line.data : "");
		text_free(&line);
		if (rc != EXIT_DONE)
			break;
	}
	if (t->is_table)
		table_print(&table);
	return rc;
}
