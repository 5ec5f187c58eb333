// SPDX-License-Identifier: BSD-3-Clause
#include "ports/dpdk_log.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

#include <rte_log.h>

#include "base/log.h"
#include "base/text.h"
#include "base/util.h"

static char said[DPDK_SAID_BYTES];
static _Thread_local bool keep;

// Lines that only say that something failed, as the error itself does.
static bool says_nothing(const char *line, size_t len_bytes)
{
	static const char *const words[] = {
		"Driver cannot attach the device",
		"Failed to attach device on primary process",
		"failed to parse device",
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (memmem(line, len_bytes, words[i], strlen(words[i])))
			return true;
	return false;
}

static void keep_line(const char *line, size_t len_bytes)
{
	struct text text = text_continue(said, sizeof(said));

	if (!says_nothing(line, len_bytes) && !memmem(said, text.len_bytes, line, len_bytes))
		text_add_item(&text, "; ", "%.*s", (int)len_bytes, line);
}

static void take_line(const char *line, size_t len_bytes)
{
	bool error = rte_log_cur_msg_loglevel() <= (int)RTE_LOG_ERR;

	if (error && keep)
		keep_line(line, len_bytes);
	else if (error)
		log_warn("DPDK: %.*s", (int)len_bytes, line);
	else
		log_debug("DPDK: %.*s", (int)len_bytes, line);
}

// A whole message: the stream is flushed after each.
static ssize_t on_write(void *cookie, const char *text, size_t len_bytes)
{
	const char *end = text + len_bytes;

	for (const char *line = text; line < end;) {
		const char *next = memchr(line, '\n', end - line);
		size_t n = (next ? next : end) - line;

		if (n)
			take_line(line, n);
		line += n + 1;
	}
	return len_bytes;
}

// The stream stays for good: another thread may be about to write to it at any time.
static void open_stream(void)
{
	static FILE *stream;

	if (stream)
		return;
	stream = fopencookie(NULL, "w", (cookie_io_functions_t){.write = on_write});
	if (stream)
		rte_openlog_stream(stream);
}

void dpdk_log_begin(void)
{
	open_stream();
	said[0] = '\0';
	keep = true;
}

void dpdk_log_end(void)
{
	keep = false;
}

const char *dpdk_log_said(void)
{
	return said;
}
