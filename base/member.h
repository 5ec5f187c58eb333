// SPDX-License-Identifier: BSD-3-Clause
// Members of JSON objects that may be missing or of another type, which reads as if they were
// missing. Texts belong to the object. Pure functions, any thread.
#pragma once

#include <stdbool.h>

#include <jansson.h>

const char *member_text(const json_t *obj, const char *name); // "" when missing
const char *member_text_or(const json_t *obj, const char *name, const char *missing);
long long member_int(const json_t *obj, const char *name); // 0 when missing
double member_real(const json_t *obj, const char *name);   // of an integer, too; 0 when missing
bool member_flag(const json_t *obj, const char *name);	   // false when missing
