// SPDX-License-Identifier: BSD-3-Clause
// Network drivers: what kinds of network there are, and what a network of each may ask for. A new
// one is a file in drivers/ and a row in driver.c. Main thread only.
#pragma once

#include <stdbool.h>

#include "netd/record/record.h"

// The bridge of a network in the switch is RECONCILE_PREFIX and its name.
#define NETWORK_NAME_MAX 60 // bytes

struct network_driver {
	const char *name;
	const char *help;
	bool local;	 // its networks are of one host, not of the cluster
	bool bridged;	 // has a bridge in the switch and ports
	bool tunnelled;	 // and a VXLAN port to the other hosts
	bool predefined; // there is one network of this name, nobody makes or deletes it
	// Options of `-o`, NULL ends; others are refused by name. NULL: there are none.
	const struct driver_option {
		const char *name;
		const char *alias; // another spelling, or NULL
		const char *allowed, *help;
		bool (*check)(const char *value);
	} * options;
};

const struct network_driver *network_driver_find(const char *name); // NULL
const char *network_driver_names(void); // "overlay, bridge, none, host" for errors
// All of them, in that order; NULL ends.
extern const struct network_driver *const network_drivers[];

#define NETWORK_DRIVER_DEFAULT "bridge" // as Docker has it

// Checks a network that somebody wants: its name, driver, subnets among each other, ranges,
// gateways, reserved addresses, options. Normalizes: the driver when none is given, host bits of
// subnets, ranges that are not given, `ipv6` of a network with such a subnet, spellings of options,
// the VNI of option `vni`. `err.path` is "network NAME".
int network_check(struct network_record *rec, struct err *err);

// The same, for all mistakes. `key` is that of a configuration file: "subnets[0].gateway".
typedef void network_mistake_fn(void *arg, const char *key, const char *reason);
int network_check_all(struct network_record *rec, network_mistake_fn *fn, void *arg);

// The value of an option, NULL when it is not given.
const char *network_option(const struct network_record *rec, const char *name);
uint32_t network_mtu(const struct network_record *rec);	 // option `mtu`; 0: not given
bool network_spoof_ok(const struct network_record *rec); // option `spoof`

// The MAC address of its gateway, on all hosts the same: that of its first address of IPv4, else of
// the first one. False: it has no gateway.
bool network_gateway_mac(const struct network_record *rec, struct mac *ret_mac);

// ---- for drivers/ ----

bool driver_check_mtu(const char *value);
bool driver_check_spoof(const char *value);
bool driver_check_bool(const char *value);
bool driver_check_port(const char *value);
bool driver_check_vni(const char *value);

#define DRIVER_OPTION_MTU                                                                          \
	{                                                                                          \
		.name = "mtu", .alias = "com.docker.network.driver.mtu",                           \
		.allowed = "an MTU is 68 to 65535 bytes", .help = "of the containers' interfaces", \
		.check = driver_check_mtu                                                          \
	}
#define DRIVER_OPTION_SPOOF                                                                        \
	{                                                                                          \
		.name = "spoof", .allowed = "spoof is allow or deny",                              \
		.help = "whether containers may use addresses that are not theirs; deny is the "   \
			"default",                                                                 \
		.check = driver_check_spoof                                                        \
	}

extern const struct network_driver driver_overlay, driver_bridge, driver_none, driver_host;
