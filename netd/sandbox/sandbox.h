// SPDX-License-Identifier: BSD-3-Clause
// The inside of network namespaces, of containers and the host's own, as the agent needs it. One
// implementation enters namespaces (sandbox.c), another is in memory for simulations. Main thread
// only.
#pragma once

#include "netd/replica/local_endpoint.h"

struct dns_sockets;
struct resolv;
struct sandbox;

// Where to listen.
struct sandbox_where {
	const char *sandbox;	      // NULL: in the host's own namespace
	const struct netns_id *netns; // of the sandbox: only if it is this one
	const char *ifname; // of this device only, which may have the address later; NULL: any
	struct ip_addr ip;
	uint16_t port;
};

// How an interface differs from what it is to be. What is lost, configure() and gateway() put back;
// the rest somebody has done: set_link().
struct sandbox_difference {
	bool is_lost;
	const char *what;	     // "address", "route", "MTU", ...
	const char *wanted, *actual; // `actual` is empty: there is none
};

typedef void sandbox_look_fn(void *arg, const struct sandbox_difference *difference);

struct sandbox_ops {
	// Finds the namespace that `text` names (netns_open()). -ENOENT and the like with the
	// reason.
	int (*find)(struct sandbox *sb, const char *text, struct netns_id *ret_id, struct err *err);
	// Whether it is still somebody's (netns_alive()).
	bool (*alive)(struct sandbox *sb, const char *text, const struct netns_id *id);
	// Whether a port's interface is in the namespace that `text` names: 1, 0, or a negative
	// errno: that cannot be told.
	int (*holds)(struct sandbox *sb, const char *text, const char *port);
	// The first of eth0, eth1, ... that is neither there nor in `taken`. With a name in
	// `ret_ifname`: whether that is free (0), or somebody else's there (-EEXIST, without
	// words).
	int (*ifname)(struct sandbox *sb, const char *text, char (*taken)[16], unsigned nb_taken,
		char ret_ifname[16], struct err *err);
	// Gives the interface rec.ifname its addresses and routes, sets it up; what is there
	// already stays, other addresses of the interface that vsnetd has set go. -ENODEV: it is
	// not there. Routes: on the link to all subnets of the network; by default over the gateway
	// only when the record's option `default-route` says so.
	int (*configure)(struct sandbox *sb, const struct local_endpoint *le, struct err *err);
	// The same of a gateway's interface, in the host's own namespace: gateway_configure().
	int (*gateway)(struct sandbox *sb, const char *ifname, const struct network_record *net,
		struct err *err);
	// Tells of what differs at the interface of an endpoint, or of a gateway, from what they
	// are to have; `mtu` 0: not looked at. -ENODEV: it is not there.
	int (*look)(struct sandbox *sb, const struct local_endpoint *le, uint32_t mtu,
		sandbox_look_fn *fn, void *arg, struct err *err);
	int (*look_gateway)(struct sandbox *sb, const char *ifname,
		const struct network_record *net, uint32_t mtu, sandbox_look_fn *fn, void *arg,
		struct err *err);
	// Sets the interface up, with this MAC address and (not 0) MTU. `le` NULL: one of the
	// host's own namespace.
	int (*set_link)(struct sandbox *sb, const struct local_endpoint *le, const char *ifname,
		const struct mac *mac, uint32_t mtu, struct err *err);
	// Sockets there; a container's `lo` is set up first. At a device, which many clients share,
	// several for UDP. They hold the namespace until they are closed.
	int (*listen)(struct sandbox *sb, const struct sandbox_where *where,
		struct dns_sockets *ret_sockets, struct err *err);
	// resolv_write() for the namespace of that name, or (NULL) resolv_remove().
	int (*resolv)(struct sandbox *sb, const char *netns, const struct resolv *resolv,
		struct err *err);
};

struct sandbox {
	const struct sandbox_ops *ops;
};

extern struct sandbox sandbox_kernel;
