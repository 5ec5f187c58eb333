// SPDX-License-Identifier: BSD-3-Clause
// What `network connect` and `endpoint create` have in common: the options that say what an
// endpoint is.
#pragma once

#include "cli/cli.h"

extern const struct cli_option cli_endpoint_ip, cli_endpoint_ip6, cli_endpoint_mac,
	cli_endpoint_alias, cli_endpoint_opt, cli_endpoint_ifname;

// Adds them to the parameters of a method. Returns an exit status.
int cli_endpoint_params(const struct cli *cli, json_t *params);
