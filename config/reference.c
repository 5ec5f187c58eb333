// SPDX-License-Identifier: BSD-3-Clause
#include <inttypes.h>

#include "config/field.h"
#include "config/schema.h"

static void print_kinds(
	FILE *file, const struct schema_table *table, const struct schema_field *field)
{
	const char *joint = "";

	if (!table->kind_names)
		return;
	if (!field->kinds) {
		fprintf(file, " all |");
		return;
	}
	for (unsigned kind = 0; table->kind_names[kind]; kind++) {
		if (!schema_applies(field, kind))
			continue;
		fprintf(file, "%s %s", joint, table->kind_names[kind]);
		joint = ",";
	}
	fprintf(file, " |");
}

static void print_default(FILE *file, const struct schema_field *field)
{
	if (field->required && field->fallback)
		fprintf(file, "required; %s", field->fallback);
	else if (field->required)
		fprintf(file, "required");
	else if (field->fallback)
		fprintf(file, "%s", field->fallback);
	else if (field->type == SCHEMA_ENUM)
		fprintf(file, "%s", field->names[field->initial]);
	else if (field->type == SCHEMA_UINT && field->initial >= field->min &&
		 field->initial <= field->max)
		fprintf(file, "%" PRIu64, field->initial);
	else
		fprintf(file, "none");
}

static void print_values(FILE *file, const struct schema_field *field)
{
	if (field->type == SCHEMA_UINT) {
		fprintf(file, "%" PRIu64 " to %" PRIu64, field->min, field->max);
		if (field->word)
			fprintf(file, ", `%s`", field->word);
	} else if (field->type == SCHEMA_ENUM) {
		for (unsigned i = 0; field->names[i]; i++)
			fprintf(file, "%s`%s`", i ? ", " : "", field->names[i]);
	} else if (field->syntax) {
		// A bar would end the cell of the table.
		fputc('`', file);
		for (const char *c = field->syntax; *c; c++)
			fprintf(file, *c == '|' ? "\\%c" : "%c", *c);
		fputc('`', file);
	} else {
		fprintf(file, field->type == SCHEMA_MAP ? "objects by name" : "list of objects");
	}
}

// "live", "recreate", or with a difference between kinds "live; vxlan: recreate".
static void print_changes(
	FILE *file, const struct schema_table *table, const struct schema_field *field)
{
	const char *fixed = table->fixed ? table->fixed : "restart", *joint = "live; ";
	unsigned all = 0;

	for (unsigned kind = 0; table->kind_names && table->kind_names[kind]; kind++)
		all |= schema_applies(field, kind) ? 1u << kind : 0;
	if (!field->live || (field->live & all) == all) {
		fprintf(file, " %s |", field->live ? "live" : fixed);
		return;
	}
	fprintf(file, " ");
	for (unsigned kind = 0; table->kind_names[kind]; kind++) {
		if (!schema_applies(field, kind) || schema_is_live(field, kind))
			continue;
		fprintf(file, "%s%s", joint, table->kind_names[kind]);
		joint = ", ";
	}
	fprintf(file, ": %s |", fixed);
}

void schema_print_table(FILE *file, const char *title, const struct schema_table *table)
{
	fprintf(file, "\n## %s\n\n| key |%s value | default | changes | meaning |\n", title,
		table->kind_names ? " for |" : "");
	fprintf(file, "|---|%s---|---|---|---|\n", table->kind_names ? "---|" : "");
	for (unsigned i = 0; i < table->count; i++) {
		const struct schema_field *field = &table->fields[i];

		fprintf(file, "| `%s` |", field->key);
		print_kinds(file, table, field);
		fprintf(file, " ");
		print_values(file, field);
		fprintf(file, " | ");
		print_default(file, field);
		fprintf(file, " |");
		print_changes(file, table, field);
		fprintf(file, " %s |\n", field->help);
	}
}

void schema_print_reference(FILE *file)
{
	fprintf(file,
		"# Configuration reference\n\n"
		"The file is one YAML document. Every key may be left out unless its default says "
		"otherwise. Keys marked *live* can be changed while the switch runs. *recreate*: "
		"delete the port and add it again; *restart*: restart the switch. Lists may "
		"be written as one text with commas, as on a command line: `trunks: 10,20-30`. "
		"Instead of on and off, true and false may be written. On the control channel "
		"keys are in snake_case (`fdb_limit`), and on and off are true and false. "
		"Anchors, aliases, tags and duplicate keys are refused.\n");
	schema_print_table(file, "The switch", &schema_conf);
	schema_print_table(file, "A VTEP (`vteps.NAME`)", &schema_vtep);
	schema_print_table(file, "A bridge (`bridges.NAME`)", &schema_bridge);
	schema_print_table(file, "A port (`bridges.NAME.ports.NAME`)", &schema_port);
	schema_print_table(file, "A static forwarding entry (`bridges.NAME.fdb`)", &schema_fdb);
	schema_print_table(file, "A neighbour (`bridges.NAME.neigh`)", &schema_neigh);
}
