// SPDX-License-Identifier: BSD-3-Clause
#include "config/tree.h"

#include <errno.h>

#include "config/field.h"
#include "config/yaml_in.h"

const json_t *tree_section(struct report *report, const json_t *obj, const char *key,
	json_type type, const struct schema_table *table, const char *path)
{
	const json_t *value = json_object_get(obj, key);
	char buf[FIELD_WHY_BYTES];
	void *iter;

	if (!value || json_is_null(value) || json_is_true(value))
		return NULL;
	if (json_typeof(value) == type)
		return value;
	iter = json_object_iter_at((json_t *)obj, key);
	report_add(report, json_object_iter_key(iter), path, "%s is not allowed; %s",
		bind_type_name(value), field_allowed(schema_find(table, key), buf));
	return NULL;
}

const json_t *tree_object_or_null(const json_t *value, json_t *empty)
{
	return json_is_null(value) ? empty : value;
}

const void *tree_key_at(const json_t *obj, const char *key, const void *at)
{
	void *iter = json_object_iter_at((json_t *)obj, key);

	return iter ? json_object_iter_key(iter) : at;
}

bool tree_bind_item(const struct bind *bind, const struct schema_table *table, const json_t *value,
	const char *path, const void *at, void *ret)
{
	unsigned before = bind->report->mistakes->count;

	bind_defaults(table, ret);
	bind_object(bind, table, value, path, at, ret);
	return json_is_object(value) && bind->report->mistakes->count == before;
}

json_t *tree_load(const char *text, size_t len_bytes, struct lines *lines, struct report *report)
{
	if (len_bytes > CONF_FILE_MAX_BYTES) {
		report_add_line(report, 1, "", "the configuration is larger than %u bytes",
			CONF_FILE_MAX_BYTES);
		report->code = -EFBIG;
		return NULL;
	}
	return yaml_load(text, len_bytes, lines, report);
}
