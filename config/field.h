// SPDX-License-Identifier: BSD-3-Clause
// One field of a structure: from text, to JSON, back to its default. Everything that is read comes
// through the text form, so a value is checked in one place whether a file, a request or a
// command line brought it.
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "config/schema.h"

#define FIELD_WHY_BYTES 384

bool field_is_list(const struct schema_field *field);
bool field_is_section(const struct schema_field *field); // SCHEMA_MAP, SCHEMA_LIST

// Sets the field of `obj` to its default (an empty list; not given).
void field_reset(const struct schema_field *field, void *obj);
bool field_is_default(const struct schema_field *field, const void *obj);

// Whether two structures have the same value; of a section always.
bool field_equal(const struct schema_field *field, const void *a, const void *b);

uint64_t field_uint(const struct schema_field *field, const void *obj); // SCHEMA_ENUM, _UINT

// Sets the field from text; a list takes items with commas between them. -EINVAL with a sentence
// in `why`; the field has then any value.
int field_set(
	const struct schema_field *field, const char *text, void *obj, char why[FIELD_WHY_BYTES]);

// Adds one item to a list.
int field_add(
	const struct schema_field *field, const char *item, void *obj, char why[FIELD_WHY_BYTES]);

// A new JSON value; null for a default that cannot be written as a value. NULL: out of memory.
json_t *field_to_json(const struct schema_field *field, const void *obj);

// What the field takes, as a sentence.
const char *field_allowed(const struct schema_field *field, char buf[FIELD_WHY_BYTES]);
