// SPDX-License-Identifier: BSD-3-Clause
// Runs one benchmark: some repetitions to warm up, many under the clock, and then some under the
// processor's counters, whose system calls would disturb the clock.
#pragma once

#include "benchmarks/micro/counters.h"
#include "benchmarks/micro/micro.h"

// Of one operation. NAN: not known.
struct measured {
	double cycles_min, cycles_median; // of the time stamp counter, over the repetitions
	double counted[NB_COUNTERS];
};

void measure(const struct micro *micro, unsigned repetitions, struct measured *ret);
