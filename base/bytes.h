// SPDX-License-Identifier: BSD-3-Clause
// Numbers in packets and messages, at any alignment. Plain loads and stores take the bytes in the
// order of this machine, which is enough to compare and to copy; those with `be` in their names
// take them in network order.
#pragma once

#include <endian.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t load16(const void *from)
{
	uint16_t value;

	memcpy(&value, from, sizeof(value));
	return value;
}

static inline uint32_t load32(const void *from)
{
	uint32_t value;

	memcpy(&value, from, sizeof(value));
	return value;
}

static inline uint64_t load64(const void *from)
{
	uint64_t value;

	memcpy(&value, from, sizeof(value));
	return value;
}

static inline void store16(void *to, uint16_t value)
{
	memcpy(to, &value, sizeof(value));
}

static inline void store32(void *to, uint32_t value)
{
	memcpy(to, &value, sizeof(value));
}

static inline uint16_t load_be16(const void *from)
{
	return be16toh(load16(from));
}

static inline uint32_t load_be32(const void *from)
{
	return be32toh(load32(from));
}

static inline void store_be16(void *to, uint16_t value)
{
	store16(to, htobe16(value));
}

static inline void store_be32(void *to, uint32_t value)
{
	store32(to, htobe32(value));
}
