// SPDX-License-Identifier: BSD-3-Clause
// VNIs for the verbs of their remotes.
#pragma once

#include "cli/cli.h"

// The port of the VNI `key`, a number as text, in a new reference. Returns an exit status.
int cli_find_vni(struct cli *cli, const char *key, json_t **ret_port);
