// SPDX-License-Identifier: BSD-3-Clause
// Log lines on standard error, one line a call. Under systemd each line carries its priority
// (sd-daemon(3)), otherwise its level in words. Any thread may log, but data-plane code never does.
#pragma once

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

// Lines above `level` are dropped. Default: info.
void log_set_level(enum log_level level);
enum log_level log_get_level(void);

// "error", "warn", "info" or "debug" to a level; -EINVAL for anything else.
int log_level_parse(const char *text, enum log_level *ret_level);

// Sets the level that the option --log-level of a program gives. Otherwise says on standard error
// what is allowed, and returns -EINVAL.
int log_take_option(const char *program, const char *text);

void log_write(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)  log_write(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)  log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)
