// SPDX-License-Identifier: BSD-3-Clause
// --format, for verbs that list objects.
#pragma once

#include "cli/cli.h"
#include "cli/template.h"

// The option's row; its help is the same everywhere.
#define CLI_FORMAT_HELP                                                                            \
	"print each by a template, such as '{{.Name}} {{json .Subnets}}'; json: print all of it; " \
	"'table {{.Name}}\\t{{.Driver}}': print a table"

// Reads the value of --format (NULL: none given). An unknown field, which is none of `fields`, is
// refused as well. Returns an exit status.
int cli_format_parse(
	const struct cli *cli, const char *text, const char *const *fields, struct template *ret);

// Prints each object of a list on a line, or all as a table. Returns an exit status.
int cli_format_print(const struct cli *cli, const struct template *t, const json_t *list,
	const char *const *fields);
