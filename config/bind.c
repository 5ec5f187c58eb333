// SPDX-License-Identifier: BSD-3-Clause
#include "config/bind.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "config/field.h"

const char *bind_type_name(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "a list";
	case JSON_STRING:
		return "a string";
	case JSON_INTEGER:
		return "an integer";
	case JSON_REAL:
		return "a number with a fraction";
	case JSON_TRUE:
	case JSON_FALSE:
		return "true or false";
	default:
		return "null";
	}
}

// What is being bound, for the functions that go down to one value.
struct member {
	const struct bind *bind;
	const struct schema_field *field;
	const char *path; // of the value
	const void *at;
	void *obj;
};

// A boolean of JSON is one, not a word for it.
static const char *allowed_of(
	const struct bind *bind, const struct schema_field *field, char buf[FIELD_WHY_BYTES])
{
	struct text text = text_over(buf, FIELD_WHY_BYTES);

	if (bind->yaml || !schema_is_bool(field))
		return field_allowed(field, buf);
	text_addf(&text, "%s is true or false", field->key);
	return buf;
}

static void refuse_type(const struct member *m, const json_t *value)
{
	char buf[FIELD_WHY_BYTES];

	if (m->bind->yaml && json_is_true(value)) // yaml_load() has reported it
		return;
	if (m->bind->yaml && json_is_null(value))
		report_add(m->bind->report, m->at, m->path, "the value is missing; %s",
			allowed_of(m->bind, m->field, buf));
	else
		report_add(m->bind->report, m->at, m->path, "%s is not allowed; %s",
			bind_type_name(value), allowed_of(m->bind, m->field, buf));
}

// Whether the JSON type `value` has may carry (an item of) the field.
static bool type_fits(const struct member *m, const json_t *value, bool item)
{
	const struct schema_field *field = m->field;

	if (!m->bind->yaml && schema_is_bool(field))
		return json_is_boolean(value);
	if (json_is_string(value))
		return m->bind->yaml ||
		       (field->word && !strcmp(json_string_value(value), field->word)) ||
		       (field->type != SCHEMA_UINT && (!item || field->type != SCHEMA_CPUS));
	if (!json_is_integer(value))
		return false;
	return field->type == SCHEMA_UINT || field->integer_ok ||
	       (item && (field->type == SCHEMA_VLANS || field->type == SCHEMA_CPUS));
}

// Sets the field, or adds to the list, from a string, an integer or a boolean.
static void bind_scalar(const struct member *m, const json_t *value, bool item)
{
	char digits[24], why[FIELD_WHY_BYTES];
	const char *text = digits;
	int rc;

	if (!type_fits(m, value, item)) {
		refuse_type(m, value);
		return;
	}
	if (json_is_boolean(value)) {
		text = json_is_true(value) ? "true" : "false";
	} else if (json_is_string(value)) {
		text = json_string_value(value);
		if (strlen(text) != json_string_length(value)) {
			report_add(m->bind->report, m->at, m->path,
				"zero bytes are not allowed in text");
			return;
		}
	} else {
		snprintf(
			digits, sizeof(digits), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	}
	rc = item ? field_add(m->field, text, m->obj, why) : field_set(m->field, text, m->obj, why);
	if (rc < 0)
		report_add(m->bind->report, m->at, m->path, "%s", why);
}

static void bind_list(const struct member *m, const json_t *list)
{
	char path[REPORT_PATH_BYTES];
	struct member item = *m;
	const json_t *value;
	size_t i;

	field_reset(m->field, m->obj);
	json_array_foreach (list, i, value) {
		item.path = report_path_item(path, m->path, i);
		item.at = json_is_null(value) ? m->at : value;
		bind_scalar(&item, value, true);
	}
}

static void bind_member(const struct member *m, const json_t *value)
{
	if (json_is_null(value) && !m->bind->yaml)
		field_reset(m->field, m->obj);
	else if (json_is_array(value) && field_is_list(m->field))
		bind_list(m, value);
	else
		bind_scalar(m, value, false);
}

static unsigned kinds_of(const struct schema_table *table, const void *obj)
{
	return table->kind ? 1u << table->kind(obj) : ~0u;
}

// In JSON words of a key are joined by '_'.
static void to_json_keys(char *text)
{
	for (; *text; text++)
		*text = *text == '-' ? '_' : *text;
}

// The keys of the kinds of object that are in the mask.
static const char *keys_text(
	const struct schema_table *table, unsigned kinds, bool sections, char buf[FIELD_WHY_BYTES])
{
	struct text text = text_over(buf, FIELD_WHY_BYTES);
	const char *last = NULL;

	for (unsigned i = 0; i < table->count; i++) {
		const struct schema_field *field = &table->fields[i];

		if ((field->kinds && !(field->kinds & kinds)) ||
			(field_is_section(field) && !sections))
			continue;
		if (last)
			text_add_item(&text, ", ", "%s", last);
		last = field->key;
	}
	if (last)
		text_add_item(&text, " and ", "%s", last);
	return buf;
}

const char *bind_keys_text(const struct schema_table *table, char buf[FIELD_WHY_BYTES])
{
	return keys_text(table, ~0u, false, buf);
}

static void refuse_key(const struct bind *bind, const struct schema_table *table, const char *key,
	const char *path, const void *at, const void *obj)
{
	const char *nearest = schema_nearest(table, key);
	char shown[72], keys[FIELD_WHY_BYTES];
	bool is_near = nearest && (bind->yaml || !field_is_section(schema_find(table, nearest)));

	report_shown(shown, key);
	if (is_near)
		snprintf(keys, sizeof(keys), "%s", nearest);
	else
		keys_text(table, kinds_of(table, obj), bind->yaml, keys);
	if (!bind->yaml)
		to_json_keys(keys);
	if (is_near)
		report_add(bind->report, at, path, "unknown key '%s'; did you mean '%s'?", shown,
			keys);
	else
		report_add(bind->report, at, path, "unknown key '%s'; a %s has the keys %s", shown,
			table->what, keys);
}

// The first of the spellings of the key that is in the object, or NULL.
static void *member_iter(
	const struct bind *bind, const json_t *obj, const struct schema_field *field)
{
	char buf[SCHEMA_KEY_BYTES];
	void *iter;

	if (!bind->yaml)
		return json_object_iter_at((json_t *)obj, schema_json_key(field, buf));
	iter = json_object_iter_at((json_t *)obj, field->key);
	for (unsigned i = 0; !iter && i < ARRAY_SIZE(field->alias) && field->alias[i]; i++)
		iter = json_object_iter_at((json_t *)obj, field->alias[i]);
	return iter;
}

// Two spellings of one key.
static bool is_twice(const struct bind *bind, const struct schema_field *field, const json_t *obj,
	const char *key)
{
	return member_iter(bind, obj, field) != json_object_iter_at((json_t *)obj, key);
}

static void bind_members(const struct bind *bind, const struct schema_table *table,
	const json_t *obj, const char *path, void *ret)
{
	char member_path[REPORT_PATH_BYTES];
	const json_t *value;
	const char *key;

	json_object_foreach ((json_t *)obj, key, value) {
		const struct schema_field *field =
			bind->yaml ? schema_find(table, key) : schema_find_json(table, key);
		struct member m = {bind, field, member_path, key, ret};

		report_path(member_path, path, key);
		if (!field || (field_is_section(field) && !bind->yaml))
			refuse_key(bind, table, key, member_path, key, ret);
		else if (is_twice(bind, field, obj, key))
			report_add(bind->report, key, member_path,
				"'%s' is also given; use one of the two",
				json_object_iter_key(member_iter(bind, obj, field)));
		else if (!field_is_section(field))
			bind_member(&m, value);
	}
}

// Defaults that hang on other fields follow them, unless the field was set apart from its default
// before, or now.
static void settle_derived(const struct bind *bind, const struct schema_table *table,
	const json_t *obj, const bool *was_default, void *ret)
{
	for (unsigned i = 0; i < table->count; i++) {
		const struct schema_field *field = &table->fields[i];
		void *iter;

		if (!field->derive)
			continue;
		iter = member_iter(bind, obj, field);
		if (iter ? json_is_null(json_object_iter_value(iter)) : was_default[i])
			field_reset(field, ret);
	}
}

// Keys that another kind of object has, and keys that are missing.
static void check_kind(const struct bind *bind, const struct schema_table *table, const json_t *obj,
	const char *path, const void *at, const void *ret)
{
	unsigned kind = table->kind ? table->kind(ret) : 0;
	char key_path[REPORT_PATH_BYTES], allowed[FIELD_WHY_BYTES];

	for (unsigned i = 0; i < table->count; i++) {
		const struct schema_field *field = &table->fields[i];
		void *iter = member_iter(bind, obj, field);
		bool is_default = field_is_default(field, ret);

		report_path(key_path, path, field->key);
		if (!schema_applies(field, kind) && (iter || !is_default))
			report_add(bind->report, iter ? json_object_iter_key(iter) : at, key_path,
				"a %s %s %s has no %s", table->what, table->kind_word,
				table->kind_names[kind], field->key);
		// A value that was refused has been reported; a null of JSON has not.
		else if (schema_is_required(field, kind) && is_default &&
			 (!iter || (json_is_null(json_object_iter_value(iter)) && !bind->yaml)))
			report_add(bind->report, at, key_path, "the key is missing; %s",
				allowed_of(bind, field, allowed));
	}
}

static bool is_one_of(const char *const *names, const json_t *value)
{
	if (!value || json_is_null(value))
		return true;
	for (unsigned i = 0; json_is_string(value) && names[i]; i++) {
		if (!strcmp(json_string_value(value), names[i]))
			return true;
	}
	return false;
}

// Whether a key that tells the kind was refused: what depends on it is then not looked at.
static bool kind_is_known(const struct schema_table *table, const json_t *obj)
{
	for (unsigned i = 0; i < table->count; i++) {
		const struct schema_field *field = &table->fields[i];

		if (field->selects_kind &&
			!is_one_of(field->names, json_object_get(obj, field->key)))
			return false;
	}
	return true;
}

void bind_object(const struct bind *bind, const struct schema_table *table, const json_t *obj,
	const char *path, const void *at, void *ret)
{
	bool was_default[32];

	if (bind->yaml && json_is_true(obj)) // yaml_load() has reported it
		return;
	if (!json_is_object(obj)) {
		char keys[FIELD_WHY_BYTES];

		keys_text(table, kinds_of(table, ret), bind->yaml, keys);
		if (!bind->yaml)
			to_json_keys(keys);
		report_add(bind->report, at, path, "%s is not allowed; a %s has the keys %s",
			bind_type_name(obj), table->what, keys);
		return;
	}
	for (unsigned i = 0; i < table->count; i++)
		was_default[i] = field_is_default(&table->fields[i], ret);
	bind_members(bind, table, obj, path, ret);
	settle_derived(bind, table, obj, was_default, ret);
	if (kind_is_known(table, obj))
		check_kind(bind, table, obj, path, at, ret);
}

void bind_defaults(const struct schema_table *table, void *ret)
{
	memset(ret, 0, table->size_bytes);
	for (unsigned i = 0; i < table->count; i++)
		field_reset(&table->fields[i], ret);
}

static int add_member(const struct schema_field *field, const void *from, bool yaml, json_t *obj)
{
	char buf[SCHEMA_KEY_BYTES];
	const char *key = yaml ? field->key : schema_json_key(field, buf);
	json_t *value = yaml && schema_is_bool(field)
				? json_string(field->names[field_uint(field, from)])
				: field_to_json(field, from);

	return json_object_set_new(obj, key, value) < 0 ? -ENOMEM : 0;
}

int bind_to_json(const struct schema_table *table, const void *from, enum bind_to how, json_t *obj)
{
	unsigned kind = table->kind ? table->kind(from) : 0;

	for (unsigned i = 0; i < table->count; i++) {
		const struct schema_field *field = &table->fields[i];
		bool required = schema_is_required(field, kind);

		if (field_is_section(field) || !schema_applies(field, kind))
			continue;
		if (how != BIND_TO_JSON_ALL && !required && field_is_default(field, from))
			continue;
		if (add_member(field, from, how == BIND_TO_YAML, obj) < 0)
			return -ENOMEM;
	}
	return 0;
}
