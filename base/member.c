// SPDX-License-Identifier: BSD-3-Clause
#include "base/member.h"

const char *member_text_or(const json_t *obj, const char *name, const char *missing)
{
	const char *text = json_string_value(json_object_get(obj, name));

	return text ? text : missing;
}

const char *member_text(const json_t *obj, const char *name)
{
	return member_text_or(obj, name, "");
}

long long member_int(const json_t *obj, const char *name)
{
	return json_integer_value(json_object_get(obj, name));
}

double member_real(const json_t *obj, const char *name)
{
	return json_number_value(json_object_get(obj, name));
}

bool member_flag(const json_t *obj, const char *name)
{
	return json_is_true(json_object_get(obj, name));
}
