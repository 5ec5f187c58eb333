// SPDX-License-Identifier: BSD-3-Clause
// Walking the tree of a file (yaml_in.h): sections, nodes and items, with mistakes reported.
#pragma once

#include <jansson.h>

#include "config/bind.h"

// The section `key` of `obj`: an object or list of `type` with something in it, or NULL.
const json_t *tree_section(struct report *report, const json_t *obj, const char *key,
	json_type type, const struct schema_table *table, const char *path);

// A null stands for an object without keys: `br0:`.
const json_t *tree_object_or_null(const json_t *value, json_t *empty);

// The node of a key, or `at`, that of the object, when the key is not there.
const void *tree_key_at(const json_t *obj, const char *key, const void *at);

// Binds an item of a list, from defaults. False when there were mistakes.
bool tree_bind_item(const struct bind *bind, const struct schema_table *table, const json_t *value,
	const char *path, const void *at, void *ret);

// Reads a file: its tree, or NULL when there is nothing to walk (reported).
json_t *tree_load(const char *text, size_t len_bytes, struct lines *lines, struct report *report);
