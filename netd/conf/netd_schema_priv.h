// SPDX-License-Identifier: BSD-3-Clause
// What the files of the schema share.
#pragma once

#include "netd/conf/netd_schema.h"

#define ALWAYS (~0u) // schema_field.required

extern const char *const netd_bool_names[];
const char *netd_check_path(const void *value); // schema_field.check: an absolute path
