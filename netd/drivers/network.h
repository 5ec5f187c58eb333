// SPDX-License-Identifier: BSD-3-Clause
// What the agent and the reconciler ask of a network's driver. Each question is about a record, so
// nobody outside drivers/ needs to know which driver a network has; scripts/lint holds that.
// Main thread only.
#pragma once

#include <stdio.h>

#include "netd/drivers/plan.h"
#include "netd/record/record.h"

#define NETWORK_DRIVER_DEFAULT "bridge" // as with Docker

bool network_driver_is_known(const char *name);
const char *network_driver_names(void); // "overlay, bridge, none, host", for errors
// The drivers and their options, as a chapter of the configuration reference.
void network_drivers_print_reference(FILE *file);

// ---- making and deleting ----

// Whether the network is known to this host alone: it is kept in the state folder and not in the
// store. False for an unknown driver.
bool network_is_local(const struct network_record *rec);

// What a driver may ask the agent for when a network is made. Each writes into the record, or fails
// with the reason.
struct network_chooser {
	// A VNI that no other network has; a VNI that the record has already is checked.
	int (*vni)(void *arg, struct network_record *rec, struct err *err);
	// One more subnet of the family (4 or 6), from default-address-pools.
	int (*subnet)(void *arg, struct network_record *rec, unsigned family, struct err *err);
	void *arg;
};

// Fills in what the driver needs and the record does not have: VNI, subnets, gateways. The record
// was checked (network_check()).
int network_choose(
	struct network_record *rec, const struct network_chooser *chooser, struct err *err);

// The names of networks that each host has from its first start, one after the other from 0, and
// (`ret_driver`) their driver's; NULL ends.
const char *network_predefined(unsigned index, const char **ret_driver);
bool network_is_predefined(const struct network_record *rec); // nobody makes or deletes it

// ---- on this host ----

// Whether a container may be connected; called before anything is chosen for it. `ep` is what was
// asked for: name, MAC, options. -EOPNOTSUPP: the network has no interfaces to give, or its driver
// is not known here. -EINVAL: an option of the connection is not known or has a wrong value.
int network_attach(const struct network_record *rec, struct endpoint_record *ep, struct err *err);

// What the network is to be in the switch of this host. A network whose driver is not known here
// gets what its record says, so that what flows goes on flowing.
void network_plan(const struct network_record *rec, struct network_plan *ret_plan);

// Options of a container's port, in the switch's words, over those that each port has (type,
// netns, ifname, mac, mtu): a new object; NULL: out of memory.
json_t *network_port_options(const struct network_record *rec, const struct endpoint_record *ep);

// The MAC address of the network's gateway, which is the same on all hosts. False: it has none.
bool network_gateway_mac(const struct network_record *rec, struct mac *ret_mac);

// ---- for people ----

// Adds to `obj` what `network ls` and `network inspect` show of this driver's networks.
void network_show(const struct network_record *rec, json_t *obj);

// Calls `fn` with everything that is wrong with the record itself, in words.
typedef void network_audit_fn(void *arg, const char *difference);
void network_audit(const struct network_record *rec, network_audit_fn *fn, void *arg);
