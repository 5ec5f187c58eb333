// SPDX-License-Identifier: BSD-3-Clause
// Printing events, of the switch or of the network agent: of the one that the verb asks.
#pragma once

#include "cli/cli.h"

extern const struct cli_option cli_monitor_list;

int cli_monitor(struct cli *cli, int argc, char **argv);
