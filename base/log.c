// SPDX-License-Identifier: BSD-3-Clause
#include "base/log.h"

#include <endian.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"
#include "base/text_clean.h"
#include "base/utc.h"
#include "base/util.h"

#define LINE_BYTES     1024
#define JOURNAL_SOCKET "/run/systemd/journal/socket"

static const struct {
	const char *name;
	int syslog_priority;
} levels[] = {
	[LOG_LEVEL_ERROR] = {"error", 3},
	[LOG_LEVEL_WARN] = {"warn", 4},
	[LOG_LEVEL_INFO] = {"info", 6},
	[LOG_LEVEL_DEBUG] = {"debug", 7},
};

static atomic_int threshold = LOG_LEVEL_INFO;
static pthread_once_t journal_once = PTHREAD_ONCE_INIT;
static bool is_journal; // standard error
static int journal_fd = -1;

void log_set_level(enum log_level level)
{
	atomic_store_explicit(&threshold, level, memory_order_relaxed);
}

enum log_level log_get_level(void)
{
	return atomic_load_explicit(&threshold, memory_order_relaxed);
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

const char *log_level_name(enum log_level level)
{
	return levels[level].name;
}

int log_take_option(const char *program, const char *text)
{
	enum log_level level;

	if (log_level_parse(text, &level) < 0) {
		fprintf(stderr, "%s: --log-level %s: use " LOG_LEVELS "\n", program, text);
		return -EINVAL;
	}
	log_set_level(level);
	return 0;
}

// ---- the journal ----

// The variable is inherited by what redirects its standard error elsewhere, so it names the stream.
static void find_journal(void)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX, .sun_path = JOURNAL_SOCKET};
	const char *text = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	if (!text || sscanf(text, "%llu:%llu", &dev, &ino) != 2 || fstat(STDERR_FILENO, &st) < 0 ||
		st.st_dev != dev || st.st_ino != ino)
		return;
	is_journal = true;
	journal_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (journal_fd >= 0 && connect(journal_fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		close(journal_fd);
		journal_fd = -1;
	}
}

// In the form that may have any bytes: name, length, value.
static void add_field(struct text *entry, const char *name, const char *value)
{
	uint64_t len = htole64(strlen(value));

	text_addf(entry, "%s\n", name);
	text_add(entry, &len, sizeof(len));
	text_add(entry, value, strlen(value));
	text_add(entry, "\n", 1);
}

// False: the journal does not take it in this way.
static bool send_entry(enum log_level level, const struct log_field *fields, const char *line)
{
	char buf[4 * LINE_BYTES], priority[] = {'0' + levels[level].syslog_priority, '\0'};
	struct text entry = text_over(buf, sizeof(buf));

	if (journal_fd < 0)
		return false;
	add_field(&entry, "MESSAGE", line);
	add_field(&entry, "PRIORITY", priority);
	add_field(&entry, "SYSLOG_IDENTIFIER", program_invocation_short_name);
	for (; fields && fields->name; fields++) {
		if (fields->value)
			add_field(&entry, fields->name, fields->value);
	}
	return !entry.cut && send(journal_fd, entry.data, entry.len_bytes, MSG_NOSIGNAL) >= 0;
}

// ---- lines ----

static void write_line(
	enum log_level level, const struct log_field *fields, const char *fmt, va_list ap)
{
	char line[LINE_BYTES], time[UTC_TEXT_BYTES];

	if (level > log_get_level())
		return;
	vsnprintf(line, sizeof(line), fmt, ap);
	// Lines have words of others in them: names of interfaces, answers of servers.
	text_clean(line);
	pthread_once(&journal_once, find_journal);
	if (is_journal && send_entry(level, fields, line))
		return;
	if (is_journal)
		fprintf(stderr, "<%d>%s\n", levels[level].syslog_priority, line);
	else
		fprintf(stderr, "%s %s: %s\n", utc_now(time), levels[level].name, line);
}

void log_write(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_line(level, NULL, fmt, ap);
	va_end(ap);
}

void log_write_fields(enum log_level level, const struct log_field *fields, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_line(level, fields, fmt, ap);
	va_end(ap);
}
