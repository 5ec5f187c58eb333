// SPDX-License-Identifier: BSD-3-Clause
// Log lines on standard error, one line a call. Any thread may log, but data-plane code never does.
//
// A line has the time (UTC) and its level. Where standard error is the journal (systemd.exec(5),
// JOURNAL_STREAM), it goes there as an entry with its priority and fields
// (systemd.journal-fields(7)); the journal knows the time.
#pragma once

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

// A field of an entry of the journal, besides the line: in upper case, "CAUSEWAY_METHOD".
struct log_field {
	const char *name, *value; // a NULL name ends a list; a NULL value leaves the field out
};

// Lines above `level` are dropped. Default: info. May change at any time.
void log_set_level(enum log_level level);
enum log_level log_get_level(void);

// "error", "warn", "info" or "debug" to a level; -EINVAL for anything else. And back.
int log_level_parse(const char *text, enum log_level *ret_level);
const char *log_level_name(enum log_level level);
#define LOG_LEVELS "error, warn, info or debug"

// Sets the level that the option --log-level of a program gives. Otherwise says on standard error
// what is allowed, and returns -EINVAL.
int log_take_option(const char *program, const char *text);

void log_write(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_write_fields(enum log_level level, const struct log_field *fields, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)  log_write(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)  log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)
