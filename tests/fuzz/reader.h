// SPDX-License-Identifier: BSD-3-Clause
// Values and bytes that a fuzz target takes from its input, one after the other.
#pragma once

#include <stdint.h>
#include <string.h>

#define READER_MAX 65535

struct reader {
	const uint8_t *p;
	size_t left_bytes;
};

static inline unsigned take8(struct reader *r)
{
	if (!r->left_bytes)
		return 0;
	r->left_bytes--;
	return *r->p++;
}

static inline unsigned take16(struct reader *r)
{
	unsigned low = take8(r);

	return low | take8(r) << 8;
}

// `len_bytes` bytes, READER_MAX at most: `given_bytes` of the input, then others that mean nothing.
static inline void read_bytes(
	struct reader *r, uint8_t *bytes, unsigned len_bytes, unsigned given_bytes)
{
	static uint8_t filler[READER_MAX];

	if (!filler[1]) {
		for (unsigned i = 0; i < sizeof(filler); i++)
			filler[i] = i * 7 + i / 256;
	}
	given_bytes = given_bytes < len_bytes ? given_bytes : len_bytes;
	given_bytes = given_bytes < r->left_bytes ? given_bytes : r->left_bytes;
	memcpy(bytes, r->p, given_bytes);
	memcpy(bytes + given_bytes, filler, len_bytes - given_bytes);
	r->p += given_bytes;
	r->left_bytes -= given_bytes;
}
