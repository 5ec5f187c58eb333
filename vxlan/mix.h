// SPDX-License-Identifier: BSD-3-Clause
// A hash step for keys of some words. It spreads; it does not protect against those who choose
// keys.
#pragma once

#include <stdint.h>

// Odd constants with about as many ones as zeros.
#define VXLAN_KEY_A 0x9e3779b97f4a7c15ull
#define VXLAN_KEY_B 0xc2b2ae3d27d4eb4full

// Both halves of a 128-bit product: each bit of the result depends on all of `a` and `b`.
static inline uint64_t vxlan_mix(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)(a ^ VXLAN_KEY_A) * (b ^ VXLAN_KEY_B);

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}
