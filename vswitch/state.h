// SPDX-License-Identifier: BSD-3-Clause
// The running configuration on disk: what was changed at run time survives a restart.
//
// The state file is YAML in the schema of the boot file, with the digest of the boot file that it
// stands over in its first line. At start it is loaded instead of the boot file's bridges; when the
// boot file was edited since, bridges and ports that only the boot file has are added.
// Process options (workers, polling, memory) always come from the boot file when there is one.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "config/conf.h"

// Loads boot file (NULL: none) and state file (NULL or not there: none) into one configuration.
// Mistakes are logged as FILE:LINE: KEY: REASON; the first is in `err`.
int state_load(const char *boot_path, const char *state_path, struct conf *ret_conf,
	uint64_t *ret_boot_digest, struct err *err);

int state_save(
	const char *state_path, uint64_t boot_digest, const struct conf *conf, struct err *err);
