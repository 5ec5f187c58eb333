// SPDX-License-Identifier: BSD-3-Clause
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static void fill(struct err *err, int code, const char *path, const char *fmt, va_list ap)
{
	err->code = code;
	snprintf(err->path, sizeof(err->path), "%s", path ? path : "");
	vsnprintf(err->reason, sizeof(err->reason), fmt, ap);
}

int err_set(struct err *err, int code, const char *path, const char *fmt, ...)
{
	va_list ap;

	if (!err || err->code)
		return code;
	va_start(ap, fmt);
	fill(err, code, path, fmt, ap);
	va_end(ap);
	return code;
}

int err_set_errno(struct err *err, int code, const char *path, const char *fmt, ...)
{
	va_list ap;
	struct text reason;

	if (!err || err->code)
		return code;
	va_start(ap, fmt);
	fill(err, code, path, fmt, ap);
	va_end(ap);
	reason = text_continue(err->reason, sizeof(err->reason));
	text_addf(&reason, ": %s", strerror(-code));
	return code;
}

const char *err_text(const struct err *err, char *buf, size_t len_bytes)
{
	snprintf(buf, len_bytes, "%s%s%s", err->path, err->path[0] ? ": " : "", err->reason);
	return buf;
}
