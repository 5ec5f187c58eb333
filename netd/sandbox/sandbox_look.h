// SPDX-License-Identifier: BSD-3-Clause
// What an interface is to have, and how it differs from that. Main thread only.
#pragma once

#include "base/netlink.h"
#include "netd/sandbox/sandbox.h"

#define SANDBOX_ROUTES_MAX (RECORD_SUBNETS_MAX + RECORD_IPS_MAX + 2)

struct sandbox_route {
	struct cidr to;
	struct ip_addr via; // family 0: on the link, and another interface's will do as well
	bool found;	    // by sandbox_look_routes()
};

struct sandbox_want {
	const char *ifname;
	char port[LOCAL_ENDPOINT_PORT_BYTES]; // in the switch; empty: `ifname` says which
	bool has_mac;
	struct mac mac;
	uint32_t mtu;				   // 0: any
	struct cidr addresses[RECORD_SUBNETS_MAX]; // other ones are no difference
	unsigned nb_addresses;
	struct sandbox_route routes[SANDBOX_ROUTES_MAX];
	unsigned nb_routes;
};

// Of the interface of an endpoint, and of a network's gateway.
void sandbox_want_endpoint(
	const struct local_endpoint *le, uint32_t mtu, struct sandbox_want *ret_want);
void sandbox_want_gateway(const char *ifname, const struct network_record *net, uint32_t mtu,
	struct sandbox_want *ret_want);

// An address or destination of the kernel's, with its prefix.
struct cidr sandbox_cidr(const struct nl_addr *addr);

// Finds the interface of the switch's `port` by the mark that the switch gave it, most likely
// called `ifname`: the container may have renamed it, and given its name to another. -ENODEV: it is
// not there.
int sandbox_find(struct nl *nl, const char *port, const char *ifname, struct nl_link *ret_link);
// The same by the mark alone.
int sandbox_find_marked(struct nl *nl, const char *port, struct nl_link *ret_link);

// Tells of all differences, in the namespace of `nl`. -ENODEV: the interface is not there. What is
// more than nl_limit() allows is not looked at.
int sandbox_look(struct nl *nl, const struct sandbox_want *want, sandbox_look_fn *fn, void *arg);

// Marks the routes that are there.
int sandbox_look_routes(struct nl *nl, int ifindex, struct sandbox_want *want);
