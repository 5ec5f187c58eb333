// SPDX-License-Identifier: BSD-3-Clause
#include "config/report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text_clean.h"

// A fresh mistake at the end of the list, or NULL: the list is full or memory is out.
static struct conf_mistake *append(struct report *report)
{
	struct conf_mistakes *mistakes = report->mistakes;
	struct conf_mistake *list;

	if (mistakes->count > REPORT_MISTAKES_MAX)
		return NULL;
	if ((mistakes->count & (mistakes->count - 1)) == 0) {
		size_t room = mistakes->count ? 2 * mistakes->count : 1;

		list = realloc(mistakes->list, room * sizeof(*list));
		if (!list) {
			report->code = -ENOMEM;
			return NULL;
		}
		mistakes->list = list;
	}
	list = &mistakes->list[mistakes->count++];
	memset(list, 0, sizeof(*list));
	return list;
}

static int add(struct report *report, unsigned line, const char *path, const char *fmt, va_list ap)
{
	char text[sizeof(((struct err *)0)->reason)];
	struct conf_mistake *mistake;

	if (report->code == 0)
		report->code = -EINVAL;
	vsnprintf(text, sizeof(text), fmt, ap);
	if (!report->mistakes)
		return err_set(report->err, -EINVAL, path, "%s", text);
	mistake = append(report);
	if (!mistake)
		return report->code;
	mistake->line = line;
	if (report->mistakes->count > REPORT_MISTAKES_MAX)
		return err_set(&mistake->err, -EINVAL, "",
			"there are more mistakes than the %u that are listed", REPORT_MISTAKES_MAX);
	return err_set(&mistake->err, -EINVAL, path, "%s", text);
}

int report_add(struct report *report, const void *at, const char *path, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(report, report->lines ? lines_get(report->lines, at) : 0, path, fmt, ap);
	va_end(ap);
	return report->code;
}

int report_add_line(struct report *report, unsigned line, const char *path, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(report, line, path, fmt, ap);
	va_end(ap);
	return report->code;
}

int report_no_memory(struct report *report)
{
	report->code = -ENOMEM;
	return err_set(report->err, -ENOMEM, "", "out of memory");
}

void report_sort(struct conf_mistakes *mistakes)
{
	for (unsigned i = 1; i < mistakes->count; i++) {
		struct conf_mistake moved = mistakes->list[i];
		unsigned j = i;

		for (; j > 0 && mistakes->list[j - 1].line > moved.line; j--)
			mistakes->list[j] = mistakes->list[j - 1];
		mistakes->list[j] = moved;
	}
}

const char *report_path(char buf[REPORT_PATH_BYTES], const char *path, const char *key)
{
	const char *joint = "";
	char shown[72];

	if (path[0])
		joint = strchr(path, ' ') ? ": " : ".";
	snprintf(buf, REPORT_PATH_BYTES, "%s%s%s", path, joint, report_shown(shown, key));
	return buf;
}

const char *report_path_item(char buf[REPORT_PATH_BYTES], const char *path, size_t index)
{
	snprintf(buf, REPORT_PATH_BYTES, "%s[%zu]", path, index);
	return buf;
}

const char *report_shown(char buf[72], const char *text)
{
	size_t len = 0;

	for (; *text && len < 64; text++)
		buf[len++] = *text;
	if (*text) {
		// Not in the middle of a UTF-8 sequence.
		while (len > 0 && ((unsigned char)*text & 0xc0) == 0x80) {
			text--;
			len--;
		}
		memcpy(buf + len, "...", 3);
		len += 3;
	}
	buf[len] = '\0';
	text_clean(buf);
	return buf;
}
