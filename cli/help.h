// SPDX-License-Identifier: BSD-3-Clause
// Help, which is made of the rows of verbs and options.
#pragma once

#include "cli/cli.h"

// Prints the help of the verb or noun that the words name, or of all. Returns an exit status.
int cli_help_of(struct cli *cli, int argc, char **argv);

int cli_completion(struct cli *cli, int argc, char **argv); // completion.c
