// SPDX-License-Identifier: BSD-3-Clause
// `network ls`: its filters.
#pragma once

#include "cli/cli.h"

#define CLI_NETWORK_LS_DETAIL                                                                      \
	"Filters: driver=NAME, id=PART, label=NAME[=VALUE], name=PART, scope=global|local, "       \
	"type=builtin|custom, dangling=true|false (without containers). A network is listed if "   \
	"it matches one value of each key, and all labels."

extern const struct cli_option *const cli_network_ls_options[];

int cli_network_ls(struct cli *cli, int argc, char **argv);

// Whether a network, as network.ls has it, passes filters: a list of texts KEY=VALUE.
bool cli_network_passes(const json_t *filters, const json_t *network);

// -EINVAL if a text of the list is no filter.
int cli_network_filters_check(const json_t *filters, struct err *err);
