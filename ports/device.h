// SPDX-License-Identifier: BSD-3-Clause
// What taps and veths have in common as kernel devices: the mark by which this switch finds its own
// devices again, names, addresses, and how they are shown. Main thread only.
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "base/netlink.h"
#include "dp/port.h"

// The alias of a device of ours: "causeway:<switch_id>:<port>".
void device_alias(const struct port *port, char *buf /* NL_ALIAS_BYTES */);

// The same of the container's end of a veth pair: "causeway:<switch_id>:<port>:inside".
void device_alias_inside(const struct port *port, char *buf /* NL_ALIAS_BYTES */);

// The name inside the namespace: `ifname`, else the port's name. -EINVAL when that is no device
// name.
int device_ifname(const struct port *port, const char **ret_ifname, struct err *err);

// The name of a veth's end at the host: as given, or the first letters of the port's name and a
// hash of all of it and of the switch, so that no two ports of a host have the same.
void device_host_ifname(const struct port *port, char *buf /* IFNAMSIZ */);

// Finds the device of the port in the namespace of `nl`: it has the port's alias, and most likely
// the name `ifname`; else all devices are looked at, as it may have been renamed. -ENODEV when
// there is none.
int device_find(
	struct nl *nl, const struct port *port, const char *ifname, struct nl_link *ret_link);

// -EEXIST when the namespace of `nl` has a device `ifname`; it is not ours.
int device_check_free(struct nl *nl, const struct port *port, const char *ifname, struct err *err);

// Sets mac, mtu, state up and the addresses of a device just made, as `conf` says.
int device_set_up(struct nl *nl, int ifindex, const struct port *port, struct err *err);

// Gives a device that was left behind the MTU that the port is to have by now, unless that is any.
void device_follow_mtu(struct nl *nl, const struct nl_link *link, const struct port *port);

// Applies the difference between `port->conf` and `conf`: all of it, or nothing when a part fails.
int device_change(struct nl *nl, int ifindex, const struct port *port, const struct conf_port *conf,
	struct err *err);

// ifindex, ifname, mac, mtu, link.
void device_describe(const struct nl_link *link, json_t *obj);

// The list "offloads" from RTE_ETH_TX_OFFLOAD_*.
void offloads_describe(uint64_t tx_offloads, json_t *obj);
