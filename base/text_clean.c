// SPDX-License-Identifier: BSD-3-Clause
#include "base/text_clean.h"

#include <string.h>

#include "base/util.h"

// Bytes that a character with this first one has in UTF-8; 0: none has (RFC 3629).
static size_t char_bytes(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

// Written with more bytes than needed, half of a UTF-16 pair, or beyond Unicode.
static bool is_malformed(long code, size_t bytes)
{
	static const long least[] = {0, 0, 0x80, 0x800, 0x10000};

	return code < least[bytes] || (code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff;
}

size_t text_char(const char *text, size_t len_bytes, long *ret_code)
{
	const unsigned char *c = (const unsigned char *)text;
	size_t bytes = char_bytes(c[0]);
	long code = bytes > 1 ? c[0] & (0x7f >> bytes) : c[0];

	*ret_code = -1;
	if (!bytes)
		return 1;
	for (size_t i = 1; i < bytes; i++) {
		if (i == len_bytes)
			return 0;
		if ((c[i] & 0xc0) != 0x80)
			return 1;
		code = code << 6 | (c[i] & 0x3f);
	}
	if (is_malformed(code, bytes))
		return 1;
	*ret_code = code;
	return bytes;
}

bool text_char_is_plain(long code)
{
	static const struct {
		long first, last;
	} others[] = {
		{0x7f, 0x9f},	  // DEL, C1
		{0x61c, 0x61c},	  // marks of direction, from here on
		{0x200e, 0x200f}, //
		{0x2028, 0x202e}, // separators of lines; embeddings and overrides
		{0x2066, 0x2069}, // isolates
	};

	if (code < ' ')
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		if (code >= others[i].first && code <= others[i].last)
			return false;
	}
	return true;
}

// As text_char(), of a text that ends with a zero: what goes on beyond it is no UTF-8.
static size_t next(const char *text, size_t len_bytes, long *ret_code)
{
	size_t bytes = text_char(text, len_bytes, ret_code);

	return bytes ? bytes : 1;
}

bool text_is_plain(const char *text)
{
	size_t len = strlen(text);
	long code;

	while (len) {
		size_t bytes = next(text, len, &code);

		if (!text_char_is_plain(code))
			return false;
		text += bytes;
		len -= bytes;
	}
	return true;
}

void text_clean(char *text)
{
	size_t len = strlen(text);
	long code;

	while (len) {
		size_t bytes = next(text, len, &code);

		if (!text_char_is_plain(code))
			memset(text, '?', bytes);
		text += bytes;
		len -= bytes;
	}
}
