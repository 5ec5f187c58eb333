// SPDX-License-Identifier: BSD-3-Clause
// What is wanted of ports and VTEPs, apart by what can change while they exist:
// the rows of the switch's schema say it (config/schema.h), nobody else.
#include <assert.h>
#include <string.h>

#include "netd/reconcile/reconcile_priv.h"

// The options name the kind; without that it is the first one.
static unsigned kind_of(const struct schema_table *table, const json_t *options)
{
	for (unsigned i = 0; i < table->count; i++) {
		const struct schema_field *field = &table->fields[i];
		const char *name = json_string_value(json_object_get(options, field->key));

		for (unsigned k = 0; field->selects_kind && name && table->kind_names[k]; k++) {
			if (!strcmp(table->kind_names[k], name))
				return k;
		}
	}
	return 0;
}

// Lists leave out what is at its default.
static bool is_default(const struct schema_field *field, const json_t *value)
{
	if (field->derive)
		return false;
	if (schema_is_bool(field))
		return json_is_boolean(value) &&
		       json_is_true(value) == schema_bool(field, field->initial);
	if (field->type == SCHEMA_UINT)
		return json_is_integer(value) &&
		       (uint64_t)json_integer_value(value) == field->initial;
	return field->type == SCHEMA_ENUM && !field->selects_kind && json_is_string(value) &&
	       !strcmp(json_string_value(value), field->names[field->initial]);
}

void sw_options_split(
	const struct schema_table *table, json_t *options, json_t **ret_fixed, json_t **ret_live)
{
	unsigned kind = kind_of(table, options);
	size_t nb_known = 0;
	char buf[SCHEMA_KEY_BYTES];

	*ret_fixed = options ? json_object() : NULL;
	*ret_live = options ? json_object() : NULL;
	for (unsigned i = 0; i < table->count; i++) {
		const struct schema_field *field = &table->fields[i];
		const char *key = schema_json_key(field, buf);
		json_t *value = json_object_get(options, key);

		if (!schema_applies(field, kind) || field->sub)
			continue;
		nb_known += value != NULL;
		value = value && !is_default(field, value) ? json_incref(value) : json_null();
		json_object_set_new(
			schema_is_live(field, kind) ? *ret_live : *ret_fixed, key, value);
	}
	assert(nb_known ==
		json_object_size(options)); // else an option is misspelt, or of another kind
	json_decref(options);
}

json_t *sw_options_plain(const struct schema_table *table, const json_t *options)
{
	json_t *plain = json_object(), *value;
	const char *key;

	json_object_foreach ((json_t *)options, key, value) {
		const struct schema_field *field = schema_find_json(table, key);

		if (!json_is_null(value) && !(field && is_default(field, value)))
			json_object_set(plain, key, value);
	}
	return plain;
}

static void add_given(json_t *all, json_t *options)
{
	const char *key;
	json_t *value;

	json_object_foreach (options, key, value) {
		if (!json_is_null(value))
			json_object_set(all, key, value);
	}
	json_decref(options);
}

json_t *sw_options_named(const char *name, json_t *fixed, json_t *live)
{
	json_t *all = fixed && live ? json_pack("{s:s}", "name", name) : NULL;

	add_given(all, fixed);
	add_given(all, live);
	return all;
}
