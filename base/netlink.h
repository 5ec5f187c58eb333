// SPDX-License-Identifier: BSD-3-Clause
// Network devices of one namespace over rtnetlink: look up, make, change, delete. A struct nl is a
// socket that stays in the namespace it was opened in. It keeps that namespace alive: close it
// soon. Main thread only; calls block until the kernel answers (microseconds to milliseconds).
//
// Results are 0 or the kernel's negative errno.
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/mac.h"

struct nl;

#define NL_ALIAS_BYTES 256	   // with its zero
#define NL_ALIAS_OURS  "causeway:" // begins the aliases of devices that the switch made

struct nl_link {
	int ifindex;
	char ifname[IFNAMSIZ];
	char alias[NL_ALIAS_BYTES];
	char kind[16]; // "veth", "tun", ...; empty for a physical device
	struct mac mac;
	uint32_t mtu, mtu_max;
	unsigned flags; // IFF_UP, ...
	bool carrier;
	bool multi_queue; // of a TAP
	int peer_ifindex; // of a veth: index in the peer's namespace; 0: unknown
};

// Members at their zero value are left as they are.
struct nl_change {
	bool up, down;
	uint32_t mtu;
	const struct mac *mac;
	const char *alias;
	uint32_t gso_max_bytes; // of TCP over IPv6, and of IPv4 up to 65536
	const char *ifname;
	int netns_fd;	      // moves the device there when above 0
	bool no_ip6_autoconf; // no link-local address
};

// One end of a veth pair to be made.
struct nl_veth_end {
	const char *ifname;
	const struct mac *mac; // NULL: random
	uint32_t mtu;	       // 0: the kernel's default
	int netns_fd;	       // 0: the socket's namespace
};

int nl_open(int netns_fd, struct nl **ret_nl); // -1: the namespace of this thread
void nl_close(struct nl *nl);

// Answers of more bytes are given up with -EOVERFLOW; the socket can only be closed then. For
// namespaces of others, who may have a million routes.
void nl_limit(struct nl *nl, size_t max_bytes);

int nl_link_by_name(struct nl *nl, const char *ifname, struct nl_link *ret_link);
int nl_link_by_index(struct nl *nl, int ifindex, struct nl_link *ret_link);
int nl_link_by_alias(struct nl *nl, const char *alias, struct nl_link *ret_link);

// The last of those that `is_it` says yes to.
typedef bool nl_link_fn(const void *arg, const struct nl_link *link);
int nl_link_find(struct nl *nl, nl_link_fn *is_it, const void *arg, struct nl_link *ret_link);
// All answer -ENODEV when there is none.

int nl_link_change(struct nl *nl, int ifindex, const struct nl_change *change);
int nl_link_delete(struct nl *nl, int ifindex);
int nl_veth_add(struct nl *nl, const struct nl_veth_end *a, const struct nl_veth_end *b);

// Takes the host's own network stack off a device: what comes in is dropped after packet sockets
// have seen it, and what the stack sends is dropped; packet sockets with PACKET_QDISC_BYPASS pass.
// The device keeps this until nl_stack_on(), its end, or until another program deletes it. Returns
// 1, and 0 when it was so already. Not every kernel can (it takes sch_ingress and cls_bpf).
int nl_stack_off(struct nl *nl, int ifindex);
int nl_stack_on(struct nl *nl, int ifindex);

struct nl_addr {
	uint8_t family, prefix_bits, bytes;
	uint8_t byte[16];
};

// `text` is "10.0.0.1/24" or "fd00::1/64"; -EINVAL when it is no address with a prefix length.
int nl_addr_parse(const char *text, struct nl_addr *ret_addr);

// IPv6 addresses are usable at once (no duplicate address detection). -EINVAL as above; -EEXIST,
// -EADDRNOTAVAIL.
int nl_addr_add(struct nl *nl, int ifindex, const char *text);
int nl_addr_del(struct nl *nl, int ifindex, const char *text);

// Calls `fn` with each address of global scope that the device has. It may not use `nl`.
typedef void nl_addr_fn(void *arg, const struct nl_addr *addr);
int nl_addr_each(struct nl *nl, int ifindex, nl_addr_fn *fn, void *arg);

// A route by the device to the prefix `to`: over `gateway`, or NULL: what is on the link. -EEXIST
// when there is one to that prefix, whichever device it is by; nl_route_has() tells whether it is
// by this one.
int nl_route_add(
	struct nl *nl, int ifindex, const struct nl_addr *to, const struct nl_addr *gateway);
int nl_route_has(struct nl *nl, int ifindex, const struct nl_addr *to, bool *ret_has);

#define NL_WAY_DEVICES 16

// The way to an address, as routes are configured. What ICMP messages have made of them is not in
// it.
struct nl_way {
	uint32_t mtu;	     // of the route itself; 0: as its devices have it
	unsigned nb_devices; // of all its next hops, as many as there is room for
	int ifindex[NL_WAY_DEVICES];
};

// `from`: the source address; NULL: any. -ENETUNREACH and the like when there is no way.
int nl_way_to(struct nl *nl, const struct ip_addr *to, const struct ip_addr *from,
	struct nl_way *ret_way);

struct nl_route {
	struct nl_addr to;
	int ifindex;   // of its (first) device; 0: none
	bool on_link;  // without a next hop
	bool is_local; // `to` is an address of this host
};

// Calls `fn` with each route of the family to a unicast prefix or to an address of the host itself,
// of the tables main and local. It may not use `nl`.
typedef void nl_route_fn(void *arg, const struct nl_route *route);
int nl_route_each(struct nl *nl, unsigned family, nl_route_fn *fn, void *arg);
// The same with what packets are refused or dropped for, and of all tables. -EINTR: they were
// changed meanwhile, so some may be missing.
int nl_route_each_table(struct nl *nl, unsigned family, nl_route_fn *fn, void *arg);
