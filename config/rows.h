// SPDX-License-Identifier: BSD-3-Clause
// For the files that have rows of the schema (schema.h): where a field lies in its structure.
#pragma once

#include <stddef.h>

// For schema_field.live, of an option that can change whatever the kind of its object.
enum { LIVE = ~0u };

#define FIELD(s, f) .offset = offsetof(s, f), .size_bytes = sizeof(((s *)0)->f)
#define GIVEN(s, f) .given_offset = offsetof(s, f)

// Words of a bool: one that says `on`, and one that says `off`.
extern const char *const rows_off_on[], *const rows_on_off[];
