// SPDX-License-Identifier: BSD-3-Clause
// What a kind of network is: a table of operations. A new one is a file in this folder that defines
// it, its line in meson.build, and a row in driver_rows.c. Only this folder and tests include this
// header; everybody else asks about a network (network.h) and never learns which driver it has.
//
// Operations keep no state and are not told when something begins or ends: they say what is to be
// (plan, port_options), and the reconciler makes it so and takes it away again. That is why a
// driver has nothing to undo after a crash. Main thread only.
#pragma once

#include "netd/drivers/driver_option.h"
#include "netd/drivers/network.h"

struct network_check;

enum network_scope {
	NETWORK_OF_CLUSTER, // its record is in the store; all hosts see it
	NETWORK_OF_HOST,    // its record is on this host alone
};

struct network_driver {
	const char *name;
	const char *help; // a phrase for the reference
	enum network_scope scope;
	// Its only networks, which each host has from its first start and which nobody makes or
	// deletes; NULL ends. NULL: people make its networks.
	const char *const *predefined;
	const struct driver_option *options; // of its networks; others are refused. NULL: none
	// Of connections to its networks, besides those of all (endpoint_options.h). NULL: none.
	const struct driver_option *endpoint_options;

	// Checks what the tables above do not say, and reads from the options into the record. Is
	// also called when other mistakes were found. NULL: nothing.
	void (*check)(struct network_check *check, struct network_record *rec);
	// Fills in what a new network needs. NULL: nothing.
	int (*choose)(
		struct network_record *rec, const struct network_chooser *chooser, struct err *err);
	// Whether the container may be connected, and what it gets besides what it asked for. NULL:
	// it may. With the reason and the remedy otherwise.
	int (*attach)(
		const struct network_record *rec, struct endpoint_record *ep, struct err *err);
	// What the network is in the switch; `plan` is zero. NULL: a bridge that leads nowhere.
	void (*plan)(const struct network_record *rec, struct network_plan *plan);
	// Adds options of a container's port to `options`, in the switch's words. NULL: none.
	void (*port_options)(const struct network_record *rec, const struct endpoint_record *ep,
		json_t *options);
	// Adds what it alone has to what is shown of the network. NULL: nothing.
	void (*show)(const struct network_record *rec, json_t *obj);
	// Tells what is wrong with the record. NULL: nothing can be.
	void (*audit)(const struct network_record *rec, network_audit_fn *fn, void *arg);
};

// All of them, NULL ends (driver_rows.c). A test may link an array of its own instead.
extern const struct network_driver *const network_drivers[];
extern const struct network_driver driver_overlay, driver_bridge, driver_none, driver_host;

const struct network_driver *network_driver_find(const char *name);    // NULL
const struct network_driver *network_driver_nearest(const char *name); // "did you mean"; NULL

// ---- for check() ----

// Reports a mistake; `key` as network_mistake_fn() has it.
void network_mistake(struct network_check *check, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
// For networks that have nothing in the switch: refuses subnets and `internal`.
void driver_check_bare(struct network_check *check, struct network_record *rec);

// ---- for choose() ----

// A subnet of IPv4 and, when the record wants it, one of IPv6, unless there are some; and for each
// subnet without a gateway its first address that is not reserved.
int driver_choose_subnets(
	struct network_record *rec, const struct network_chooser *chooser, struct err *err);

// ---- for attach() ----

// Refuses: `reason` says what the container should do instead.
int driver_refuse(const struct network_record *rec, const char *reason, struct err *err);

// ---- for plan() and port_options() ----

// MTU, and a gateway with the gateway addresses of all subnets.
void driver_plan_bridge(const struct network_record *rec, struct network_plan *plan);
// The container may send from its own MAC and addresses only, is no router and no DHCP server, and
// has a limited number of frames flooded, unless options of the connection, or else those of the
// network (DRIVER_OPTIONS_GUARD), say otherwise.
void driver_port_guard(
	const struct network_record *rec, const struct endpoint_record *ep, json_t *options);

// ---- options ----

// The value of an option of the network; NULL: not given.
const char *network_option(const struct network_record *rec, const char *name);

#define DRIVER_OPTION_MTU                                                                          \
	{                                                                                          \
		.name = "mtu", .alias = "com.docker.network.driver.mtu",                           \
		.allowed = "an MTU is 68 to 65535 bytes",                                          \
		.help = "the MTU of the containers' interfaces; default: what the tunnels allow",  \
		.check = driver_check_mtu                                                          \
	}
// What driver_port_guard() reads. A connection has options of the same names, which count first.
#define DRIVER_OPTION_ALLOW(name_, help_)                                                          \
	{                                                                                          \
		.name = name_, .allowed = name_ " is allow or deny",                               \
		.help = help_ "; default: deny", .check = driver_check_allow                       \
	}
#define DRIVER_OPTION_SPOOF                                                                        \
	DRIVER_OPTION_ALLOW("spoof", "whether containers may use addresses that are not their "    \
				     "own")
#define DRIVER_OPTION_ROUTER                                                                       \
	DRIVER_OPTION_ALLOW(                                                                       \
		"router", "whether containers may send router advertisements and redirects")
#define DRIVER_OPTION_DHCP_SERVER                                                                  \
	DRIVER_OPTION_ALLOW(                                                                       \
		"dhcp-server", "whether containers may answer as DHCP or DHCPv6 servers")
#define DRIVER_OPTION_FLOOD_LIMIT                                                                  \
	{                                                                                          \
		.name = "flood-limit", .allowed = "flood-limit is a number from 0 to 16777216",    \
		.help = "most broadcast, multicast and unknown unicast frames that each "          \
			"container may send in a second; 0: any number; default: 500",             \
		.check = driver_check_flood_limit                                                  \
	}
#define DRIVER_OPTIONS_GUARD                                                                       \
	DRIVER_OPTION_SPOOF, DRIVER_OPTION_ROUTER, DRIVER_OPTION_DHCP_SERVER,                      \
		DRIVER_OPTION_FLOOD_LIMIT
