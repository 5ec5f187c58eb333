// SPDX-License-Identifier: BSD-3-Clause
// What the checks of parameters and of results share.
#pragma once

#include "ctrl/method.h"

// Whether the value has the JSON type that the row's type is written as.
bool ctrl_has_type(enum ctrl_type type, const json_t *value);

// "a string"
const char *ctrl_type_name(enum ctrl_type type);
