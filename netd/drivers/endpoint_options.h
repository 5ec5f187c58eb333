// SPDX-License-Identifier: BSD-3-Clause
// Options of a connection (`vsctl network connect -o NAME=VALUE`): one row each. From the rows come
// the check, its error texts, the reference pages and the readers; the lists in vsctl's help and
// in vsctl(1) are held against them by tests/smoke/cli_test.sh. Pure functions, any thread.
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "base/err.h"
#include "netd/drivers/driver_option.h"

// X(symbol, name, the values as a usage text, what is allowed, check, help)
#define ENDPOINT_OPTIONS(X)                                                                        \
	X(SPOOF, "spoof", "allow|deny", "spoof is allow or deny", driver_check_allow,              \
		"whether the container may use addresses that are not its own; default: as the "   \
		"network says")                                                                    \
	X(ROUTER, "router", "allow|deny", "router is allow or deny", driver_check_allow,           \
		"whether the container may send router advertisements and redirects; default: as " \
		"the network says")                                                                \
	X(DHCP_SERVER, "dhcp-server", "allow|deny", "dhcp-server is allow or deny",                \
		driver_check_allow,                                                                \
		"whether the container may answer as a DHCP or DHCPv6 server; default: as the "    \
		"network says")                                                                    \
	X(FLOOD_LIMIT, "flood-limit", "COUNT", "flood-limit is a number from 0 to 16777216",       \
		driver_check_flood_limit,                                                          \
		"most broadcast, multicast and unknown unicast frames that the container may "     \
		"send in a second; one to more than 8 other hosts counts as an eighth for each; "  \
		"0: any number; default: as the network says")                                     \
	X(DEFAULT_ROUTE, "default-route", "true|false", "default-route is true or false",          \
		driver_check_bool,                                                                 \
		"whether the container's default route leads to the gateway of this network; "     \
		"default: false")                                                                  \
	X(PORT, "port", "tap|veth", "port is tap or veth", driver_check_port,                      \
		"type of the container's port in the switch; default: tap")                        \
	X(RESOLV_CONF, "resolv-conf", "true|false", "resolv-conf is true or false",                \
		driver_check_bool,                                                                 \
		"whether to write the container's resolv.conf; default: write-resolv-conf of the " \
		"configuration")

enum endpoint_option {
#define X(symbol, ...) ENDPOINT_##symbol,
	ENDPOINT_OPTIONS(X)
#undef X
		NB_ENDPOINT_OPTIONS,
};

// " spoof=allow|deny default-route=true|false ...": for usage texts that are put together when
// compiled.
#define ENDPOINT_OPTION_USAGE(symbol, name, values, ...) " " name "=" values
#define ENDPOINT_OPTIONS_USAGE				 ENDPOINT_OPTIONS(ENDPOINT_OPTION_USAGE)

// By enum endpoint_option; one without a name ends the list.
extern const struct driver_option endpoint_options[];

// Checks the options of a connection (an object, or NULL). On failure returns -EINVAL; the error
// has the path `path`, names the option, and says what is allowed.
// `more` are options that the network's driver takes besides (NULL: none).
int endpoint_options_check(
	const json_t *options, const struct driver_option *more, const char *path, struct err *err);

// The value of the option in the options of an endpoint's record (may be NULL); NULL: not given.
const char *endpoint_option(const json_t *options, enum endpoint_option which);

// Whether the option is given as `value`, or is not given and `fallback` is true.
bool endpoint_option_is(
	const json_t *options, enum endpoint_option which, const char *value, bool fallback);
