// SPDX-License-Identifier: BSD-3-Clause
#include "base/capability.h"

#include <stdbool.h>
#include <stdio.h>

#include "base/log.h"

// Without libcap, and without a system call that a filter might refuse.
static bool read_effective(unsigned long long *ret_mask)
{
	FILE *f = fopen("/proc/thread-self/status", "re");
	bool found = false;
	char line[256];

	while (f && !found && fgets(line, sizeof(line), f))
		found = sscanf(line, "CapEff: %llx", ret_mask) == 1;
	if (f)
		fclose(f);
	return found;
}

void capability_tell(const struct capability_use *uses, const char *program)
{
	unsigned long long mask;

	if (!read_effective(&mask))
		return;
	for (; uses->name; uses++) {
		if (!(mask >> uses->cap & 1))
			log_warn("%s is missing: %s; start %s as root, or with "
				 "AmbientCapabilities=%s in its unit",
				uses->name, uses->lost, program, uses->name);
	}
}
