// SPDX-License-Identifier: BSD-3-Clause
// What the files of the underlay `port` that run on workers share: port_underlay_rx.c, _tx.c and
// _hop.c.
#pragma once

#include <netinet/in.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_ether.h>

#include "base/bytes.h"
#include "vxlan/codec.h"
#include "vxlan/port_underlay.h"

#define L3_OFF		       RTE_ETHER_HDR_LEN
#define IP4_BYTES	       20
#define IP6_BYTES	       40
#define UDP_BYTES	       8
#define HEADER_BYTES(ip_bytes) (L3_OFF + (ip_bytes) + UDP_BYTES + VXLAN_HDR_BYTES)

static inline uint16_t be16(uint16_t value)
{
	return rte_cpu_to_be_16(value);
}

static inline bool is_writable(const struct rte_mbuf *m)
{
	return rte_mbuf_refcnt_read(m) == 1 && RTE_MBUF_DIRECT(m);
}

// ---- next hops ----

// Puts a packet aside until the next hop is known, or drops it.
void port_hop_wait(
	struct port_underlay *u, struct port_hop *hop, struct rte_mbuf *m, struct dp_site *at);

// Somebody has said that `ip` is at `mac` (zero: where it was). `keep`: not if it was elsewhere.
void port_hop_learn(struct port_underlay *u, const struct ip_addr *ip, const struct mac *mac,
	bool keep, struct dp_site *at);
