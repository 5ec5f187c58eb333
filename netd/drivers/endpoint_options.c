// SPDX-License-Identifier: BSD-3-Clause
#include "netd/drivers/endpoint_options.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

const struct driver_option endpoint_options[] = {
#define X(symbol, name_, values_, allowed_, check_, help_)                                         \
	[ENDPOINT_##symbol] = {.name = name_, .allowed = allowed_, .help = help_, .check = check_},
	ENDPOINT_OPTIONS(X)
#undef X
		[NB_ENDPOINT_OPTIONS] = {},
};

static int refuse_unknown(
	const char *name, const struct driver_option *more, const char *path, struct err *err)
{
	const struct driver_option *nearest = driver_option_nearest(more, name);
	char names[256] = "";
	struct text text = text_over(names, sizeof(names));

	if (!nearest)
		nearest = driver_option_nearest(endpoint_options, name);
	if (nearest)
		return err_set(err, -EINVAL, path, "unknown option '%.60s'; did you mean '%s'?",
			name, nearest->name);
	for (const struct driver_option *o = more; o && o->name; o++)
		text_addf(&text, " %s", o->name);
	return err_set(err, -EINVAL, path,
		"unknown option '%.60s'; a connection has the options%s%s", name,
		ENDPOINT_OPTIONS_USAGE, names);
}

int endpoint_options_check(
	const json_t *options, const struct driver_option *more, const char *path, struct err *err)
{
	const char *name, *text;
	json_t *value;

	json_object_foreach ((json_t *)options, name, value) {
		const struct driver_option *o = driver_option_find(endpoint_options, name);

		if (!o)
			o = driver_option_find(more, name);
		if (!o)
			return refuse_unknown(name, more, path, err);
		text = json_string_value(value);
		if (!text || !o->check(text))
			return err_set(err, -EINVAL, path, "option %s: '%.60s' is not allowed; %s",
				name, text ? text : "", o->allowed);
	}
	return 0;
}

const char *endpoint_option(const json_t *options, enum endpoint_option which)
{
	return json_string_value(json_object_get(options, endpoint_options[which].name));
}

bool endpoint_option_is(
	const json_t *options, enum endpoint_option which, const char *value, bool fallback)
{
	const char *text = endpoint_option(options, which);

	return text ? !strcmp(text, value) : fallback;
}
