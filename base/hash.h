// SPDX-License-Identifier: BSD-3-Clause
// FNV-1a, 64 bits: tells an edited text from the same one and makes short names of long ones. No
// protection against anybody who wants two texts to be alike. Any thread.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define HASH_INIT 0xcbf29ce484222325ull

// `hash` is HASH_INIT, or the hash of what comes before.
uint64_t hash_add(uint64_t hash, const void *data, size_t len_bytes);
