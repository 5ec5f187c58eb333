// SPDX-License-Identifier: BSD-3-Clause
// What a host keeps, in memory: it belongs to the simulation, so it is there when the agent that
// used it is not any more.
#pragma once

#include <stddef.h>

#include "netd/agent/local.h"

struct local *local_memory_new(void); // NULL when out of memory
void local_memory_free(struct local *local);

struct local *local_memory_copy(const struct local *local); // NULL when out of memory

// An agent died: changes of a batch that it had not committed are undone.
void local_memory_crash(struct local *local);

size_t local_memory_count(const struct local *local);
