// SPDX-License-Identifier: BSD-3-Clause
#include "base/hash.h"

uint64_t hash_add(uint64_t hash, const void *data, size_t len_bytes)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < len_bytes; i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3ull;
	return hash;
}
