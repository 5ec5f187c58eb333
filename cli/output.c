// SPDX-License-Identifier: BSD-3-Clause
#include "cli/output.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "base/text_clean.h"

#define CHAR_BYTES 4

struct output {
	int fd;
	bool json;
	// The beginning of a character whose rest is still to come.
	char rest[CHAR_BYTES];
	size_t rest_bytes;
};

static struct output out = {.fd = STDOUT_FILENO}, errors = {.fd = STDERR_FILENO};

static void add_char(
	const struct output *o, struct text *to, const char *from, size_t bytes, long code)
{
	if (text_char_is_plain(code) || code == '\n' || code == '\t')
		text_add(to, from, bytes);
	else if (o->json && code >= 0) // all of these have four digits
		text_addf(to, "\\u%04lx", code);
	else
		text_add(to, "?", 1);
}

static void add_clean(struct output *o, struct text *to, const char *from, size_t len_bytes)
{
	long code;

	while (len_bytes) {
		size_t bytes = text_char(from, len_bytes, &code);

		if (!bytes) {
			memcpy(o->rest, from, len_bytes);
			o->rest_bytes = len_bytes;
			return;
		}
		add_char(o, to, from, bytes, code);
		from += bytes;
		len_bytes -= bytes;
	}
}

static int write_all(int fd, const char *data, size_t len_bytes)
{
	while (len_bytes) {
		ssize_t n = write(fd, data, len_bytes);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		data += n;
		len_bytes -= n;
	}
	return 0;
}

static ssize_t on_write(void *cookie, const char *data, size_t len_bytes)
{
	struct output *o = cookie;
	struct text all = {0}, clean = {0};
	int rc = -1;

	text_add(&all, o->rest, o->rest_bytes);
	text_add(&all, data, len_bytes);
	o->rest_bytes = 0;
	if (!all.failed && all.data)
		add_clean(o, &clean, all.data, all.len_bytes);
	if (all.failed || clean.failed)
		errno = ENOMEM;
	else
		rc = write_all(o->fd, clean.data, clean.len_bytes);
	text_free(&all);
	text_free(&clean);
	return rc < 0 ? 0 : (ssize_t)len_bytes; // 0: an error, for fopencookie()
}

static FILE *open_stream(struct output *o, int mode)
{
	FILE *f = fopencookie(o, "w", (cookie_io_functions_t){.write = on_write});

	if (f)
		setvbuf(f, NULL, mode, BUFSIZ);
	return f;
}

void cli_output_clear(void)
{
	static const char clear[] = "\033[H\033[J";

	fflush(stdout); // what is to be seen before
	if (isatty(out.fd))
		write_all(out.fd, clear, sizeof(clear) - 1);
}

int cli_output_begin(void)
{
	FILE *to = open_stream(&out, isatty(STDOUT_FILENO) ? _IOLBF : _IOFBF);
	FILE *errors_to = open_stream(&errors, _IONBF);

	if (!to || !errors_to) {
		if (to)
			fclose(to);
		return -ENOMEM;
	}
	stdout = to;
	stderr = errors_to;
	return 0;
}

void cli_output_json(void)
{
	out.json = true;
}
