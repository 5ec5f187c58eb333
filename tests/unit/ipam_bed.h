// SPDX-License-Identifier: BSD-3-Clause
// What the tests of addresses that are given out share.
#pragma once

#include "netd/ipam/ipam.h"
#include "tests/unit/addresses.h"

#define QUARANTINE_US 1000

struct ipam *make(const char *subnet, const char *range, const char *gateway);

// Claims the block that is proposed.
struct cidr claim(struct ipam *ipam, uint64_t now_us);

// The next random number of the seed.
unsigned lcg(uint64_t *seed);
