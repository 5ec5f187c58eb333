// SPDX-License-Identifier: BSD-3-Clause
// What went wrong, in words for a user: the object, the reason, the remedy.
//
// Functions return 0 or a negative errno. Those whose failure a user will read also take a
// `struct err *`, filled once, at the lowest level that knows the reason; callers pass it up
// untouched, so the first err_set() wins. A NULL `struct err *` is allowed everywhere.
#pragma once

#include <stddef.h>

struct err {
	int code;	// negative errno; 0 while nothing is set
	char path[160]; // the object: "port c1", "bridges.br0.ports.c1.tag", "/run/x"; may be empty
	char reason[512]; // one sentence, no trailing newline
};

// Fills `err` unless something is in it already. Returns `code` (a negative errno) so that a
// failure reads `return err_set(err, -EINVAL, path, "...")`.
int err_set(struct err *err, int code, const char *path, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

// As err_set(), with ": " and the text of `code` appended to the reason.
int err_set_errno(struct err *err, int code, const char *path, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

// Writes "path: reason" into `buf` and returns it.
const char *err_text(const struct err *err, char *buf, size_t len_bytes);
