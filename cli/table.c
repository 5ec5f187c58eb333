// SPDX-License-Identifier: BSD-3-Clause
#include "cli/table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text_clean.h"
#include "base/util.h"

void table_init(struct table *table, const char *headings)
{
	char *save = NULL;

	memset(table, 0, sizeof(*table));
	snprintf(table->text, sizeof(table->text), "%s", headings);
	for (char *word = strtok_r(table->text, " ", &save); word;
		word = strtok_r(NULL, " ", &save)) {
		unsigned i = table->nb_columns++;

		table->right[i] = *word == '>';
		table->heading[i] = word + table->right[i];
		table->width[i] = strlen(table->heading[i]);
	}
}

void table_add(struct table *table, const char *fmt, ...)
{
	int *width = &table->width[table->nb_cells % table->nb_columns];
	char *text;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	text_clean(text); // newlines as well
	if (table->nb_cells == table->capacity) {
		table->capacity = table->capacity ? table->capacity * 2 : 64;
		table->cell = realloc(table->cell, table->capacity * sizeof(*table->cell));
		if (!table->cell)
			abort();
	}
	table->cell[table->nb_cells++] = text;
	*width = MAX_OF(*width, (int)strlen(text));
}

void table_add_age(struct table *table, double age_s)
{
	if (age_s < 0)
		table_add(table, "-");
	else
		table_add(table, "%.0f", age_s);
}

void table_add_known(struct table *table, const json_t *obj, const char *name)
{
	if (json_object_get(obj, name))
		table_add(table, "%lld", json_integer_value(json_object_get(obj, name)));
	else
		table_add(table, "-");
}

static void print_cell(const struct table *table, unsigned column, const char *text)
{
	bool last = column == table->nb_columns - 1;
	int width = table->width[column];

	if (table->right[column])
		printf("%*s%s", width, text, last ? "\n" : "  ");
	else if (last)
		printf("%s\n", text);
	else
		printf("%-*s  ", width, text);
}

void table_print(struct table *table)
{
	for (unsigned i = 0; !table->has_heading && i < table->nb_columns; i++)
		print_cell(table, i, table->heading[i]);
	table->has_heading = true;
	for (unsigned i = 0; i < table->nb_cells; i++) {
		print_cell(table, i % table->nb_columns, table->cell[i]);
		free(table->cell[i]);
	}
	free(table->cell);
	table->cell = NULL;
	table->nb_cells = table->capacity = 0;
}
