// SPDX-License-Identifier: BSD-3-Clause
// JSON objects onto structures and back, as the schema says.
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "config/report.h"
#include "config/schema.h"

struct bind {
	// The object came from YAML: scalars are strings, a missing value is a mistake, sections
	// (SCHEMA_MAP, SCHEMA_LIST) are passed over. Otherwise JSON: keys are in snake_case,
	// integers are integers, booleans booleans, null stands for the default, sections are
	// unknown keys.
	bool yaml;
	struct report *report;
};

// Sets the fields of `ret` that `obj` has keys for; others keep their values. Reports every
// mistake; `ret` is then of no use. `at` is the node that has the object (report_add()).
void bind_object(const struct bind *bind, const struct schema_table *table, const json_t *obj,
	const char *path, const void *at, void *ret);

// Sets every field of `ret` to its default.
void bind_defaults(const struct schema_table *table, void *ret);

enum bind_to {
	BIND_TO_JSON,	  // fields that are not at their default
	BIND_TO_JSON_ALL, // all that the kind has
	BIND_TO_YAML,	  // those that are not at their default, for yaml_print()
};

// Adds the fields of `from` to `obj`. 0 or -ENOMEM.
int bind_to_json(const struct schema_table *table, const void *from, enum bind_to how, json_t *obj);

// Writes the keys of all kinds of object, without sections, into `buf` and returns it: "tag, trunks
// and mtu".
const char *bind_keys_text(const struct schema_table *table, char buf[384]);

// "a string", "an object": what `value` is, for messages.
const char *bind_type_name(const json_t *value);
