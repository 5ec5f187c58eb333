// SPDX-License-Identifier: BSD-3-Clause
// Extended DNS errors (RFC 8914): why a server fails or refuses, beside the rcode. They are passed
// on as they came. Pure functions.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define EDE_BYTES_MAX 200 // so that they fit into the smallest reply, beside the longest question

struct ede {
	size_t len_bytes;	      // 0: none
	uint8_t bytes[EDE_BYTES_MAX]; // whole EDNS options
};

// Takes the extended errors out of the options of an OPT record; those that do not fit are left
// out.
void ede_take(const uint8_t *options, size_t len_bytes, struct ede *ret_ede);

#define EDE_TEXT_BYTES (EDE_BYTES_MAX + 8)

// Writes the error that begins at `at`, such as "6: no signature", for people: bytes that are not
// printable ASCII become '?'. Returns how many bytes the error has.
size_t ede_text(const struct ede *ede, size_t at, char text[EDE_TEXT_BYTES]);
