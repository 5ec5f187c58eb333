// SPDX-License-Identifier: BSD-3-Clause
// Something that was removed from the object model but may still be in a snapshot that a worker
// uses. The grave is allocated together with its object, so that removal cannot fail.
#pragma once

#include <sys/queue.h>

struct grave {
	STAILQ_ENTRY(grave) entry;
	void (*end)(struct grave *grave); // closes what is in it, and frees it; no worker uses it
};

STAILQ_HEAD(grave_list, grave);
