// SPDX-License-Identifier: BSD-3-Clause
#include "base/counter.h"

#include <string.h>

const char *counter_kind_name(enum counter_kind kind)
{
	return kind == COUNTER_GAUGE ? "gauge" : "counter";
}

uint64_t counter_value(const struct counter *counter, const void *values)
{
	uint64_t value;

	memcpy(&value, (const char *)values + counter->offset, sizeof(value));
	return value;
}

void counters_add(json_t *obj, const struct counter *counters, const void *values)
{
	for (; counters->name; counters++)
		json_object_set_new(obj, counters->name,
			json_integer((json_int_t)counter_value(counters, values)));
}
