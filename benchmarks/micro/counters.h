// SPDX-License-Identifier: BSD-3-Clause
// Counters of the processor, through perf_event_open(2): of this thread, outside the kernel.
#pragma once

#include <stdint.h>

enum { COUNTER_INSTRUCTIONS, COUNTER_CACHE_MISSES, NB_COUNTERS };

extern const char *const counter_name[NB_COUNTERS];

void counters_open(void);
void counters_close(void);
// Why there is no such counter here; NULL: there is.
const char *counter_missing(unsigned counter);

// Counting goes on between start and stop; reset begins at zero.
void counters_reset(void);
void counters_start(void);
void counters_stop(void);
// What was counted since the reset, stretched to the whole time when the processor had to share
// the counter. NAN where there is none.
double counter_read(unsigned counter);
