// SPDX-License-Identifier: BSD-3-Clause
// Text that is put together from pieces: the only way to append to a buffer. A text either grows,
// or fills a buffer of fixed size and is cut there; it never writes beyond its end, and always ends
// with a zero. Pure functions, any thread.
//
//	struct text t = {0};                             // grows; text_free() it
//	struct text t = text_over(buf, sizeof(buf));     // fixed; nothing to free
//
//	for (...)
//		text_add_item(&t, ", ", "%s", name);     // "a, b, c"
//
// Callers need not look at each step: what went wrong is kept in `failed` and `cut`.
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct text {
	char *data; // ends with a zero; NULL while a growing text is empty
	size_t len_bytes, size_bytes;
	bool fixed;  // `data` is the caller's buffer
	bool failed; // a growing text ran out of memory: `data` lacks what was added since
	bool cut;    // a fixed buffer was too small: `data` has the beginning
};

// An empty text in `buf`, whose size with its zero is above 0.
struct text text_over(char *buf, size_t size_bytes);

// The text that `buf` holds already, to add to it.
struct text text_continue(char *buf, size_t size_bytes);

void text_add(struct text *t, const void *data, size_t len_bytes);
void text_addf(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

// Adds an item of a list: `joint` stands before all but the first of the text.
void text_add_item(struct text *t, const char *joint, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

void text_add_base64(struct text *t, const void *data, size_t len_bytes);
void text_add_json(struct text *t, const char *text); // as a JSON string with its quotes
void text_add_url(struct text *t, const char *text);  // percent-encoded (RFC 3986), '/' is kept

// Removes the first `len_bytes`.
void text_drop(struct text *t, size_t len_bytes);

// Frees a growing text. It is empty afterwards and can be used again.
void text_free(struct text *t);

// Writes the bytes that base64 stands for to `to`, which has room for len_bytes / 4 * 3 + 1: a zero
// follows them. Returns their number, or -EINVAL when `from` is not base64.
long text_from_base64(const char *from, size_t len_bytes, char *to);
