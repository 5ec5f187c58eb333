// SPDX-License-Identifier: BSD-3-Clause
// Command lines of ovs-vsctl that vsctl spells otherwise: the line that was meant.
#pragma once

#include "cli/cli.h"

// Says that `word`, an argument of the verb, is no KEY=VALUE, and the line as vsctl has it if the
// command line is known from ovs-vsctl. EXIT_USAGE.
int cli_no_option(const struct cli *cli, const char *word);

// Says how `name` ("--tag"), which is no option of the verb, is written, if the verb takes it as
// KEY=VALUE. `value` may be NULL. False: it does not, and nothing was said.
bool cli_is_key(const struct verb *verb, const char *name, const char *value);
