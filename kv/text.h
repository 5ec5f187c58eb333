// SPDX-License-Identifier: BSD-3-Clause
// Text that grows, and what stores write into it. Out of memory is kept in `failed`.
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct text {
	char *data; // ends with a zero; NULL while there is nothing
	size_t len_bytes, size_bytes;
	bool failed;
};

void text_add(struct text *t, const void *data, size_t len_bytes);
void text_addf(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void text_add_base64(struct text *t, const void *data, size_t len_bytes);
void text_add_json(struct text *t, const char *text); // a string, with its quotes
void text_add_url(struct text *t, const char *text);  // %41 for what is not of RFC 3986, '/' stays
void text_drop(struct text *t, size_t len_bytes);     // from its beginning
void text_free(struct text *t);

// Returns the number of bytes written to `to` (room for strlen(from) / 4 * 3), or -EINVAL. A zero
// is written after them.
long base64_decode(const char *from, size_t len_bytes, char *to);
