// SPDX-License-Identifier: BSD-3-Clause
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

static const struct {
	const char *name;
	int syslog_priority;
} levels[] = {
	[LOG_LEVEL_ERROR] = {"error", 3},
	[LOG_LEVEL_WARN] = {"warn", 4},
	[LOG_LEVEL_INFO] = {"info", 6},
	[LOG_LEVEL_DEBUG] = {"debug", 7},
};

static enum log_level threshold = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
	threshold = level;
}

enum log_level log_get_level(void)
{
	return threshold;
}

int log_level_parse(const char *text, enum log_level *ret_level)
{
	for (unsigned i = 0; i < ARRAY_SIZE(levels); i++) {
		if (!strcmp(text, levels[i].name)) {
			*ret_level = i;
			return 0;
		}
	}
	return -EINVAL;
}

int log_take_option(const char *program, const char *text)
{
	enum log_level level;

	if (log_level_parse(text, &level) < 0) {
		fprintf(stderr, "%s: --log-level %s: use error, warn, info or debug\n", program,
			text);
		return -EINVAL;
	}
	log_set_level(level);
	return 0;
}

void log_write(enum log_level level, const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	if (level > threshold)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (getenv("JOURNAL_STREAM"))
		fprintf(stderr, "<%d>%s\n", levels[level].syslog_priority, line);
	else
		fprintf(stderr, "%s: %s\n", levels[level].name, line);
}
