// SPDX-License-Identifier: BSD-3-Clause
// Capabilities that a daemon works without, but not wholly.
#pragma once

struct capability_use {
	unsigned cap;	  // CAP_SYS_ADMIN
	const char *name; // "CAP_SYS_ADMIN"; NULL ends a table
	const char *lost; // what will not work without it
};

// Warns of each that this process does not have. `program` names its systemd unit.
void capability_tell(const struct capability_use *uses, const char *program);
