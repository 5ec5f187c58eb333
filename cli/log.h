// SPDX-License-Identifier: BSD-3-Clause
// `log`, of both daemons.
#pragma once

#include "cli/cli.h"

#define CLI_LOG_DETAIL                                                                             \
	"A new level lasts until the daemon ends; --log-level of the daemon is the one that it "   \
	"starts with. Each change that somebody makes with vsctl or a program is a line of level " \
	"info, and one that is refused a line of level debug."

int cli_log(struct cli *cli, int argc, char **argv);
