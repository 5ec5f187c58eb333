// SPDX-License-Identifier: BSD-3-Clause
#include "netd/dns/ede.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define EDE_OPTION   15
#define HEADER_BYTES 4 // code and length of an option
#define CODE_BYTES   2 // of the error

static unsigned get16(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

void ede_take(const uint8_t *options, size_t len_bytes, struct ede *ret_ede)
{
	size_t at = 0;

	ret_ede->len_bytes = 0;
	while (at + HEADER_BYTES <= len_bytes) {
		size_t bytes = HEADER_BYTES + get16(options + at + 2);

		if (bytes > len_bytes - at)
			return;
		if (get16(options + at) == EDE_OPTION && bytes >= HEADER_BYTES + CODE_BYTES &&
			bytes <= EDE_BYTES_MAX - ret_ede->len_bytes) {
			memcpy(ret_ede->bytes + ret_ede->len_bytes, options + at, bytes);
			ret_ede->len_bytes += bytes;
		}
		at += bytes;
	}
}

size_t ede_text(const struct ede *ede, size_t at, char text[EDE_TEXT_BYTES])
{
	const uint8_t *option = ede->bytes + at;
	size_t bytes = get16(option + 2), extra = bytes - CODE_BYTES;
	char *to = text;

	to += sprintf(to, "%u%s", get16(option + HEADER_BYTES), extra ? ": " : "");
	for (size_t i = 0; i < extra; i++) {
		uint8_t c = option[HEADER_BYTES + CODE_BYTES + i];

		*to++ = isascii(c) && isprint(c) ? c : '?';
	}
	*to = '\0';
	return HEADER_BYTES + bytes;
}
