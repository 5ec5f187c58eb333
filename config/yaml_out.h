// SPDX-License-Identifier: BSD-3-Clause
// JSON as YAML for people: maps one member a line, lists and the objects in them on one line.
// Text that another YAML reader could take for something else (on, 1e3, 12:34) is quoted.
#pragma once

#include <jansson.h>

// NULL when out of memory; the caller frees.
char *yaml_print(const json_t *root);
