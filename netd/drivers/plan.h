// SPDX-License-Identifier: BSD-3-Clause
// What a network is to be in the switch of a host that has containers in it: a driver says so, the
// reconciler makes it so. Neither knows the other. A plan is made anew whenever it is looked at; it
// holds no references.
#pragma once

#include "netd/record/record.h"

// An interface in the host's own namespace, with the same addresses and MAC on each host.
struct plan_gateway {
	struct ip_addr ips[RECORD_SUBNETS_MAX];
	unsigned nb_ips; // 0: there is none
	struct mac mac;
	struct cidr peers[RECORD_SUBNETS_MAX]; // the network's subnets: it hears nobody else
	unsigned nb_peers;
};

#define PLAN_INHERIT UINT16_MAX

struct network_plan {
	// A port of type vxlan that leads to the other hosts of the network, with entries for their
	// endpoints. 0: none. Chosen once: it stays while the network does.
	uint32_t vni;
	uint16_t dscp, ttl; // of that port, as its options; PLAN_INHERIT; 0: none is given
	uint32_t mtu; // of the ports of containers and of the gateway; 0: what the tunnels allow
	struct plan_gateway gateway;
};
