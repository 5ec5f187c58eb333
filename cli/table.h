// SPDX-License-Identifier: BSD-3-Clause
// Tables for people: aligned columns. Rows are kept until table_print().
#pragma once

#include <stdbool.h>

#include <jansson.h>

#define TABLE_COLUMNS_MAX 16

struct table {
	char text[256]; // of the headings
	const char *heading[TABLE_COLUMNS_MAX];
	bool right[TABLE_COLUMNS_MAX]; // aligned
	int width[TABLE_COLUMNS_MAX];
	unsigned nb_columns;
	char **cell;
	unsigned nb_cells, capacity;
	bool has_heading; // printed already
};

// Headings separated by spaces; one that begins with '>' is a column of numbers.
void table_init(struct table *table, const char *headings);

// Adds one cell; the next after the last column begins a row.
void table_add(struct table *table, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

// Adds a cell of whole seconds; "-" when negative.
void table_add_age(struct table *table, double age_s);

// Adds a cell with the member of an object, a number; "-" when it has none.
void table_add_known(struct table *table, const json_t *obj, const char *name);

// Prints what was added, with the heading the first time, and forgets the rows: the widths stay,
// so a long table may be printed in pieces.
void table_print(struct table *table);
