// SPDX-License-Identifier: BSD-3-Clause
// YAML into JSON, with the line of every node.
//
// Scalars stay text, whatever they look like: the schema says what they are, so that `on` or
// 02:00:00:00:00:01 mean what is written. A plain scalar that is empty, `~` or `null` is null.
// An alias becomes true, which is nothing else's value: "has been reported".
// Refused: anchors and aliases (nothing in a configuration needs them, and they make a few lines
// grow without bound), tags, duplicate keys, more than one document, deep nesting.
#pragma once

#include <stddef.h>

#include <jansson.h>

#include "config/lines.h"
#include "config/report.h"

// Reads `text`. Returns the tree (null for an empty text), which is of use only when nothing was
// reported, or NULL after malformed YAML (reported). The caller owns it; `lines` takes the lines.
json_t *yaml_load(const char *text, size_t len_bytes, struct lines *lines, struct report *report);
