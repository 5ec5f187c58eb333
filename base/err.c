// SPDX-License-Identifier: BSD-3-Clause
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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
	size_t len;

	if (!err || err->code)
		return code;
	va_start(ap, fmt);
	fill(err, code, path, fmt, ap);
	va_end(ap);
	len = strlen(err->reason);
	snprintf(err->reason + len, sizeof(err->reason) - len, ": %s", strerror(-code));
	return code;
}

const char *err_text(const struct err *err, char *buf, size_t len_bytes)
{
	snprintf(buf, len_bytes, "%s%s%s", err->path, err->path[0] ? ": " : "", err->reason);
	return buf;
}
