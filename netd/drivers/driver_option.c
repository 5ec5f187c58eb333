// SPDX-License-Identifier: BSD-3-Clause
#include "netd/drivers/driver_option.h"

#include <stdlib.h>
#include <string.h>

// Decimal digits without a leading zero, from `min` to `max`.
static bool is_number(const char *value, unsigned long min, unsigned long max)
{
	size_t len = strlen(value);

	return len > 0 && len < 10 && strspn(value, "0123456789") == len && value[0] != '0' &&
	       strtoul(value, NULL, 10) >= min && strtoul(value, NULL, 10) <= max;
}

bool driver_check_mtu(const char *value)
{
	return is_number(value, 68, 65535);
}

bool driver_check_vni(const char *value)
{
	return is_number(value, 1, 0xffffff);
}

bool driver_check_spoof(const char *value)
{
	return !strcmp(value, "allow") || !strcmp(value, "deny");
}

bool driver_check_bool(const char *value)
{
	return !strcmp(value, "true") || !strcmp(value, "false");
}

bool driver_check_port(const char *value)
{
	return !strcmp(value, "tap") || !strcmp(value, "veth");
}
