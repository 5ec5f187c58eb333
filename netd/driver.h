// SPDX-License-Identifier: BSD-3-Clause
// Network drivers: what kinds of network there are. A new one is a file in drivers/ and a row in
// driver.c. Main thread only.
#pragma once

#include <stdbool.h>

#include "netd/record.h"

struct network_driver {
	const char *name;
	const char *help;
	bool local;	 // its networks are of one host, not of the cluster
	bool bridged;	 // has a bridge in the switch and ports
	bool tunnelled;	 // and a VXLAN port to the other hosts
	bool predefined; // there is one network of this name, nobody makes or deletes it
	// Options of `-o`, NULL ends; others are refused by name.
	const struct driver_option {
		const char *name, *allowed, *help;
		bool (*check)(const char *value);
	} * options;
	// What else the driver asks of a network; NULL: nothing.
	int (*check)(const struct network_record *rec, struct err *err);
};

const struct network_driver *network_driver_find(const char *name); // NULL
const char *network_driver_names(void); // "overlay, bridge, none, host" for errors

// Checks a network that somebody wants: its name, driver, subnets among each other, ranges,
// gateways, reserved addresses, options. Normalizes subnets (host bits) and fills in ranges.
int network_check(struct network_record *rec, struct err *err);
