// SPDX-License-Identifier: BSD-3-Clause
// Where mistakes go: the one `struct err` of a request, or the list of a file, each with its line.
#pragma once

#include "config/conf.h"
#include "config/lines.h"

#define REPORT_MISTAKES_MAX 1000 // a file has no more listed; one more says so
#define REPORT_PATH_BYTES   320

struct report {
	struct err *err;		// of a request: takes the first mistake; may be NULL
	struct conf_mistakes *mistakes; // of a file: takes them all; NULL for a request
	const struct lines *lines;	// of a file
	int code;			// 0; -EINVAL after a mistake; -ENOMEM
};

// Adds a mistake at the node `at` (see lines.h). `path` is the full path of the key. Returns the
// negative errno that is now in `code`.
int report_add(struct report *report, const void *at, const char *path, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

// The same for a mistake whose line is known.
int report_add_line(struct report *report, unsigned line, const char *path, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

int report_no_memory(struct report *report);

// Sorts the mistakes by line; those of one line stay in order.
void report_sort(struct conf_mistakes *mistakes);

// Writes the path of `key` in the object `path` into `buf` and returns it: "a.b", or "port c1: b"
// when the object is named in words.
const char *report_path(char buf[REPORT_PATH_BYTES], const char *path, const char *key);

// The same for an item of a list: "a.b[2]".
const char *report_path_item(char buf[REPORT_PATH_BYTES], const char *path, size_t index);

// A copy of `text` that can be shown in a message: short, without control characters.
const char *report_shown(char buf[72], const char *text);
