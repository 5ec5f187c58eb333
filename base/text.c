// SPDX-License-Identifier: BSD-3-Clause
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

struct text text_over(char *buf, size_t size_bytes)
{
	buf[0] = '\0';
	return (struct text){.data = buf, .size_bytes = size_bytes, .fixed = true};
}

struct text text_continue(char *buf, size_t size_bytes)
{
	return (struct text){
		.data = buf, .len_bytes = strlen(buf), .size_bytes = size_bytes, .fixed = true};
}

static void grow(struct text *t, size_t need_bytes)
{
	size_t size = t->size_bytes ? t->size_bytes : 256;
	char *data;

	while (size < need_bytes)
		size *= 2;
	data = realloc(t->data, size);
	if (!data) {
		t->failed = true;
		return;
	}
	t->data = data;
	t->size_bytes = size;
}

// How many of `more_bytes` have room, beside the zero. A growing text takes all or nothing.
static size_t reserve(struct text *t, size_t more_bytes)
{
	size_t need = t->len_bytes + more_bytes + 1;

	if (t->failed || t->cut)
		return 0;
	if (need > t->size_bytes && !t->fixed)
		grow(t, need);
	if (t->failed)
		return 0;
	if (need <= t->size_bytes)
		return more_bytes;
	t->cut = true;
	return t->size_bytes - t->len_bytes - 1;
}

void text_add(struct text *t, const void *data, size_t len_bytes)
{
	size_t room = reserve(t, len_bytes);

	if (!t->data)
		return;
	if (room > 0)
		memcpy(t->data + t->len_bytes, data, room);
	t->len_bytes += room;
	t->data[t->len_bytes] = '\0';
}

static void addv(struct text *t, const char *fmt, va_list args)
{
	va_list again;
	size_t room;

	va_copy(again, args);
	room = reserve(t, vsnprintf(NULL, 0, fmt, args));
	if (t->data)
		vsnprintf(t->data + t->len_bytes, room + 1, fmt, again);
	t->len_bytes += room;
	va_end(again);
}

void text_addf(struct text *t, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	addv(t, fmt, args);
	va_end(args);
}

void text_add_item(struct text *t, const char *joint, const char *fmt, ...)
{
	va_list args;

	if (t->len_bytes)
		text_add(t, joint, strlen(joint));
	va_start(args, fmt);
	addv(t, fmt, args);
	va_end(args);
}

void text_add_base64(struct text *t, const void *data, size_t len_bytes)
{
	const uint8_t *in = data;

	for (; len_bytes > 0; in += 3) {
		size_t n = len_bytes < 3 ? len_bytes : 3;
		uint32_t bits = in[0] << 16 | (n > 1 ? in[1] << 8 : 0) | (n > 2 ? in[2] : 0);
		char four[] = {digits[bits >> 18], digits[bits >> 12 & 63],
			n > 1 ? digits[bits >> 6 & 63] : '=', n > 2 ? digits[bits & 63] : '='};

		text_add(t, four, sizeof(four));
		len_bytes -= n;
	}
}

void text_add_url(struct text *t, const char *text)
{
	for (; *text; text++) {
		unsigned char c = *text;

		if (isalnum(c) || strchr("-._~/", c))
			text_add(t, text, 1);
		else
			text_addf(t, "%%%02X", c);
	}
}

void text_add_json(struct text *t, const char *text)
{
	text_add(t, "\"", 1);
	for (; *text; text++) {
		unsigned char c = *text;

		if (c < 0x20 || c == '"' || c == '\\')
			text_addf(t, "\\u%04x", c);
		else
			text_add(t, text, 1);
	}
	text_add(t, "\"", 1);
}

void text_drop(struct text *t, size_t len_bytes)
{
	if (len_bytes == 0)
		return;
	memmove(t->data, t->data + len_bytes, t->len_bytes - len_bytes + 1);
	t->len_bytes -= len_bytes;
}

void text_free(struct text *t)
{
	if (!t->fixed)
		free(t->data);
	*t = (struct text){0};
}

static int digit_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

long text_from_base64(const char *from, size_t len_bytes, char *to)
{
	char *out = to;
	size_t padding = 0;

	if (len_bytes % 4)
		return -EINVAL;
	while (padding < 2 && padding < len_bytes && from[len_bytes - 1 - padding] == '=')
		padding++;
	for (size_t i = 0; i < len_bytes; i += 4) {
		size_t last = i + 4 == len_bytes ? padding : 0;
		uint32_t bits = 0;

		for (size_t j = 0; j < 4; j++) {
			int value = j < 4 - last ? digit_value(from[i + j]) : 0;

			if (value < 0)
				return -EINVAL;
			bits = bits << 6 | value;
		}
		*out++ = bits >> 16;
		if (last < 2)
			*out++ = bits >> 8;
		if (last < 1)
			*out++ = bits;
	}
	*out = '\0';
	return out - to;
}
