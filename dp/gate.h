// SPDX-License-Identifier: BSD-3-Clause
// The filter before the port of a gateway. Behind that port is the host's own stack, which takes
// packets for any of its addresses, routes, and believes ICMP. So the port is given only what is
// for the gateway itself: ARP and neighbour discovery, echo requests and replies, and DNS. And what
// is from its network: else the host would answer to others, whose address somebody gave as his.
#pragma once

#include <stdint.h>

#include <rte_mbuf.h>

#include "dp/guard.h"
#include "dp/site.h"

// Drops what is not for the MAC and addresses that `own` lists (DP_DROP_GATEWAY at `at`), and what
// is not from `peers` (DP_DROP_GATEWAY_SOURCE; NULL: anybody may ask). Link-local sources, and none
// where there is none yet (ARP probes, RFC 4862, 5.4.2), always pass. Returns how many packets are
// left, in order. Any worker.
uint16_t dp_gate(const struct dp_guard *own, const struct dp_ips *peers, struct rte_mbuf **pkts,
	uint16_t n, struct dp_site *at);
