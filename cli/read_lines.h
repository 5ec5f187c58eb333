// SPDX-License-Identifier: BSD-3-Clause
// Lists of entries in files, a line each, for the verbs that load many at once.
#pragma once

#include "cli/cli.h"

// Makes an entry of the words of a line; `word` has those that are "KEY=VALUE" after the others. On
// failure says why in `err` (its path is the line's).
typedef json_t *cli_line_fn(char **word, unsigned count, struct err *err);

// Takes words "KEY=VALUE" into the entry. -EINVAL.
int cli_line_options(
	json_t *entry, cli_option_fn *fn, char **word, unsigned count, struct err *err);

// Reads a file ("-": standard input) of JSON objects, or lists of them, and lines for `fn`; empty
// lines and those that begin with '#' are passed over. Returns an exit status.
int cli_load(struct cli *cli, const char *path, cli_line_fn *fn, json_t **ret_list);
