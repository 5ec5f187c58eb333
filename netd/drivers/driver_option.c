// SPDX-License-Identifier: BSD-3-Clause
#include "netd/drivers/driver_option.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "config/nearest.h"

const struct driver_option *driver_option_find(const struct driver_option *rows, const char *name)
{
	for (const struct driver_option *o = rows; o && o->name; o++) {
		if (!strcmp(o->name, name) || (o->alias && !strcmp(o->alias, name)))
			return o;
	}
	return NULL;
}

const struct driver_option *driver_option_nearest(
	const struct driver_option *rows, const char *name)
{
	const struct driver_option *found = NULL;
	unsigned best = NEAREST_FAR;

	for (const struct driver_option *o = rows; o && o->name; o++) {
		unsigned distance = nearest_distance(name, o->name);

		if (distance < best) {
			best = distance;
			found = o;
		}
	}
	return found;
}

// Decimal digits without a leading zero, from `min` to `max`.
static bool is_number(const char *value, unsigned long min, unsigned long max)
{
	size_t len = strlen(value);

	return len > 0 && len < 10 && strspn(value, "0123456789") == len && value[0] != '0' &&
	       strtoul(value, NULL, 10) >= min && strtoul(value, NULL, 10) <= max;
}

bool driver_check_mtu(const char *value)
{
	return is_number(value, MTU_MIN, MTU_MAX);
}

bool driver_check_vni(const char *value)
{
	return is_number(value, 1, VNI_MAX);
}

bool driver_check_dscp(const char *value)
{
	return !strcmp(value, "inherit") || !strcmp(value, "0") || is_number(value, 1, 63);
}

bool driver_check_ttl(const char *value)
{
	return !strcmp(value, "inherit") || is_number(value, 1, 255);
}

bool driver_check_allow(const char *value)
{
	return !strcmp(value, "allow") || !strcmp(value, "deny");
}

bool driver_check_flood_limit(const char *value)
{
	return !strcmp(value, "0") || is_number(value, 1, FLOOD_LIMIT_MAX);
}

bool driver_check_bool(const char *value)
{
	return !strcmp(value, "true") || !strcmp(value, "false");
}

bool driver_check_port(const char *value)
{
	return !strcmp(value, "tap") || !strcmp(value, "veth");
}
