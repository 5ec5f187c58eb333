// SPDX-License-Identifier: BSD-3-Clause
// The source guard of a port: the addresses that its frames may come from. Open vSwitch and OVN
// call it port security.
//
// The source MAC must be the port's own; so must those that ARP and neighbour discovery tell, and
// the IP addresses that a frame says it is from must be among those listed. Without a list only
// MAC addresses count. Beyond the list pass: the link-local address that is made from the MAC (RFC
// 4291, appendix A; another one has to be listed), ARP probes, DHCP clients from 0.0.0.0, and what
// a host without an address may send from :: (multicast listener reports, router solicitations, and
// the detection of duplicates of an address that is allowed). Protocols that are neither IP nor ARP
// pass with the right MAC. Immutable once a snapshot has it.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/mac.h"
#include "config/conf.h"

struct dp_guard_ip4 {
	uint32_t net, mask; // in wire order
};

struct dp_guard_ip6 {
	uint64_t net[2], mask[2]; // in wire order
};

struct dp_guard {
	uint64_t mac; // as in struct dp_batch
	bool any_ip;  // nothing is listed
	uint16_t nb_ip4, nb_ip6;
	struct dp_guard_ip4 ip4[CONF_GUARD_IPS_MAX];
	struct dp_guard_ip6 ip6[CONF_GUARD_IPS_MAX + 1]; // with the link-local one of the MAC
};

// A guard that lists nothing.
void dp_guard_init(struct dp_guard *guard, const struct mac *mac);

// Adds the addresses that share the first `prefix` bits of `ip` to the list. May be called
// CONF_GUARD_IPS_MAX times.
void dp_guard_allow(struct dp_guard *guard, const struct ip_addr *ip, unsigned prefix);
