// SPDX-License-Identifier: BSD-3-Clause
// What verbs for entries of a bridge (forwarding entries, neighbours) have in common.
#pragma once

#include "cli/read_lines.h"
#include "cli/table.h"

struct entry_kind {
	const char *list, *add, *del; // methods
	const char *headings;	      // of the table of entries
	cli_option_fn *option;	      // takes what follows the addresses
	cli_line_fn *of_line;	      // makes an entry of a line of a file
	void (*add_row)(struct table *table, const json_t *entry);
};

// Prints all entries of a bridge (NULL: of all bridges), page by page: a million need no more
// memory than one page.
int cli_entries_ls(struct cli *cli, const struct entry_kind *kind, const char *bridge);

// Makes an entry of options, such as vlan=10.
int cli_entry(
	struct cli *cli, const struct entry_kind *kind, int argc, char **argv, json_t **ret_entry);

// These take the entry over.
int cli_entry_add(
	struct cli *cli, const struct entry_kind *kind, const char *bridge, json_t *entry);
int cli_entry_rm(struct cli *cli, const struct entry_kind *kind, const char *bridge, json_t *entry);

// Adds the entries of a file, all or none.
int cli_entries_load(
	struct cli *cli, const struct entry_kind *kind, const char *bridge, const char *path);
