// SPDX-License-Identifier: BSD-3-Clause
// What was taken out of the object model but may still be in a snapshot that a worker uses. It is
// made together with what it is for, so that taking that out cannot fail.
#pragma once

#include <sys/queue.h>

struct grave {
	STAILQ_ENTRY(grave) entry;
	void (*end)(struct grave *grave); // closes what is in it, and frees it; no worker uses it
};

STAILQ_HEAD(grave_list, grave);
