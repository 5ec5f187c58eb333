// SPDX-License-Identifier: BSD-3-Clause
// The options of every verb that the command line itself reads (cli.h has the others).
#pragma once

#include "cli/cli.h"

extern const struct cli_option cli_run_dir, cli_json, cli_timeout, cli_connect_to,
	cli_connect_events, cli_key, cli_server_key, cli_version, cli_help;
