// SPDX-License-Identifier: BSD-3-Clause
// The running configuration on disk: what was changed at run time survives a restart.
//
// The state file is YAML in the schema of the boot file, with the digest of the boot file that it
// stands over in its first line. At start it is loaded instead of the boot file's bridges; when the
// boot file was edited since, bridges and ports that only the boot file has are added.
// Process options (workers, polling, memory) always come from the boot file when there is one.
//
// While it takes long to write, because of its many entries, a second file beside it has the
// bridges, ports and VTEPs alone. Its first line has the digest of the state file that it stands
// over; over another one it counts for nothing.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "config/conf.h"

// Loads boot file (NULL: none) and state file (NULL or not there: none) into one configuration.
// Mistakes are logged as FILE:LINE: KEY: REASON; the first is in `err`.
struct state_digests {
	uint64_t boot, state; // of the files; 0: there is none
};

int state_load(const char *boot_path, const char *state_path, struct conf *ret_conf,
	struct state_digests *ret_digests, struct err *err);

// Writes the file, deletes the second one, and sets `digests->state`.
int state_save(const char *state_path, struct state_digests *digests, const struct conf *conf,
	struct err *err);

// Writes the second file; `conf` has no entries.
int state_save_objects(const char *state_path, const struct state_digests *digests,
	const struct conf *conf, struct err *err);
