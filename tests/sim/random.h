// SPDX-License-Identifier: BSD-3-Clause
// Random numbers that a seed decides, all of them.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct sim_random {
	uint64_t state;
};

// splitmix64 (Steele, Lea, Flood 2014).
static inline uint64_t sim_random(struct sim_random *r)
{
	uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

// 0 to `count` - 1; 0 when `count` is 0.
static inline uint64_t sim_below(struct sim_random *r, uint64_t count)
{
	return count ? sim_random(r) % count : 0;
}

static inline uint64_t sim_between(struct sim_random *r, uint64_t min, uint64_t max)
{
	return min + sim_below(r, max - min + 1);
}

static inline bool sim_chance(struct sim_random *r, unsigned percent)
{
	return sim_below(r, 100) < percent;
}
