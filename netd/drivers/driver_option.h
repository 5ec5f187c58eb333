// SPDX-License-Identifier: BSD-3-Clause
// A row of a table of options (`-o NAME=VALUE`). A table ends with a row without a name.
#pragma once

#include <stdbool.h>

struct driver_option {
	const char *name;
	const char *alias;   // another spelling, or NULL
	const char *allowed; // a clause for errors: "spoof is allow or deny"
	const char *help;
	bool (*check)(const char *value);
};

// The row of that name, or other spelling; NULL: there is none. `rows` NULL is an empty table.
const struct driver_option *driver_option_find(const struct driver_option *rows, const char *name);
// The row that was meant, as far as one can tell; NULL: none.
const struct driver_option *driver_option_nearest(
	const struct driver_option *rows, const char *name);

// Whether the value is allowed.
bool driver_check_mtu(const char *value);	  // 68 to 65535
bool driver_check_vni(const char *value);	  // 1 to 16777215
bool driver_check_dscp(const char *value);	  // 0 to 63, inherit
bool driver_check_ttl(const char *value);	  // 1 to 255, inherit
bool driver_check_allow(const char *value);	  // allow, deny
bool driver_check_flood_limit(const char *value); // 0 to FLOOD_LIMIT_MAX
bool driver_check_bool(const char *value);	  // true, false
bool driver_check_port(const char *value);	  // tap, veth
