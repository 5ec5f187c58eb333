// SPDX-License-Identifier: BSD-3-Clause
// JSON values as text for people.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/util.h"
#include "cli/cli.h"

static void print_value(FILE *out, const json_t *value)
{
	size_t i;
	json_t *item;

	if (json_is_string(value)) {
		fputs(json_string_value(value), out);
	} else if (json_is_array(value)) {
		json_array_foreach (value, i, item) {
			if (i)
				fputc(',', out);
			print_value(out, item);
		}
	} else {
		json_dumpf(value, out, JSON_ENCODE_ANY | JSON_COMPACT);
	}
}

char *cli_value_text(const json_t *value)
{
	size_t len;
	char *text = NULL;
	FILE *out = open_memstream(&text, &len);

	if (value)
		print_value(out, value);
	fclose(out);
	return text;
}

static char *pairs_text(const json_t *obj, bool dashes)
{
	size_t len;
	char *text = NULL;
	FILE *out = open_memstream(&text, &len);
	const char *key, *joint = "";
	json_t *value;

	json_object_foreach ((json_t *)obj, key, value) {
		if (json_is_null(value))
			continue;
		fputs(joint, out);
		for (const char *c = key; *c; c++)
			fputc(dashes && *c == '_' ? '-' : *c, out);
		fputc('=', out);
		if (dashes && json_is_boolean(value))
			fputs(json_is_true(value) ? "on" : "off", out);
		else
			print_value(out, value);
		joint = " ";
	}
	fclose(out);
	return text;
}

char *cli_options_text(const json_t *obj)
{
	return pairs_text(obj, false);
}

char *cli_conf_text(const json_t *options)
{
	return pairs_text(options, true);
}

// "2026-11-30T12:00:00.123456Z", or seconds since 1970.
static double time_of(const json_t *value)
{
	struct tm tm = {0};
	const char *end;

	if (json_is_number(value))
		return json_number_value(value);
	end = strptime(json_string_value(value), "%Y-%m-%dT%H:%M:%S", &tm);
	return end ? timegm(&tm) + (*end == '.' ? strtod(end, NULL) : 0) : -1;
}

double cli_age_s(const json_t *obj, const char *name)
{
	const json_t *value = json_object_get(obj, name);
	struct timespec now;
	double then;

	if (!json_is_string(value) && !json_is_number(value))
		return -1;
	then = time_of(value);
	clock_gettime(CLOCK_REALTIME, &now);
	return then < 0 ? -1 : MAX_OF(now.tv_sec + now.tv_nsec / 1e9 - then, 0);
}
