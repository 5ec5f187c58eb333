// SPDX-License-Identifier: BSD-3-Clause
// The underlay `port`: the VTEP has an address on a port of the switch that the kernel never
// sees, finds next hops with ARP or neighbour discovery, and answers for itself. port_underlay.c
// opens it and asks for next hops, on the main thread. Workers receive (port_underlay_rx.c),
// transmit (port_underlay_tx.c) and learn next hops (port_underlay_hop.c).
//
// A next hop is one 64-bit word that whoever hears of it replaces: a new MAC address is in effect
// with the next packet. Frames for one that is not known yet wait there, complete but for that
// address, until a reply lets them go. Both sides put down first what they have and look at the
// other's afterwards, so that no frame is left behind.
#pragma once

#include <stdatomic.h>

#include <rte_mbuf.h>

#include "base/mac.h"
#include "vxlan/vtep.h"

#define PORT_HOP_WAITING  8
#define PORT_HEADER_BYTES 80  // the longest outer headers, in whole words
#define PORT_RX_WORDS	  8   // of outer headers that are compared at once
#define PORT_TRAIN_MAX	  128 // datagrams in one large receive; the kernel's UDP_MAX_SEGMENTS

// Of a next hop's word; its MAC address is in the lower 48 bits, first byte lowest.
#define PORT_HOP_MAC	   0xffffffffffffull
#define PORT_HOP_VALID	   (1ull << 48)
#define PORT_HOP_CONFIRMED (1ull << 49) // it has been heard of since main has looked
#define PORT_HOP_FAILED	   (1ull << 50) // it does not answer: nothing waits for it
#define PORT_HOP_STATIC	   (1ull << 51) // configured: never asked for, and stays

struct port_hop {
	atomic_ullong word;
	_Atomic(struct rte_mbuf *) waiting[PORT_HOP_WAITING];

	// Main thread.
	struct ip_addr ip;
	uint64_t due_us; // when it is looked after again
	unsigned tries;	 // questions without an answer
} __rte_cache_aligned;

// The way to a remote, by its number.
struct port_route {
	struct port_hop *hop;
	uint32_t addr_sum; // of both addresses, for checksums; not folded
	uint8_t dst[16];
};

_Static_assert(sizeof(struct port_route) <= 32, "two in a cache line");

// Immutable; replaced with the VTEP's table.
struct port_routes {
	uint32_t nb_routes;
	uint32_t hop_mask;     // of the hash
	struct port_hop **hop; // by address
	struct port_route route[];
};

// Received and cut, to be handed on.
struct port_pieces {
	unsigned next, count;
	struct rte_mbuf *pkt[DP_BURST * PORT_TRAIN_MAX];
};

struct port_underlay {
	struct dp_port *lower;
	_Atomic(struct port_routes *) routes;
	// Outer headers as they are received: what must be equal, and where.
	uint64_t want[PORT_RX_WORDS], mask[PORT_RX_WORDS];
	uint8_t header[PORT_HEADER_BYTES]; // as they are sent, but for what differs
	uint64_t mac_tail;		   // of the header's second word: what follows a MAC
	uint16_t header_bytes;
	uint16_t mtu;
	bool ip6;
	bool checksum;	    // outer UDP checksum
	bool half_checksum; // the lower port fills it
	bool chains;	    // the lower port takes packets in several buffers
	bool trains;	    // it cuts several datagrams out of one packet
	bool own_queues;    // of the lower port, for each worker; and one that all others share
	uint16_t shared_queue;
	uint32_t plain_bytes; // of inner frames: the longest that fits
	struct rte_mempool *pool, *big_pool;
	struct mac mac;
	struct ip_addr ip;
	uint16_t udp_port;
	struct port_hop nowhere;     // of numbers that no remote has
	struct port_hop unreachable; // of remotes that no prefix or gateway leads to
	struct port_pieces *pieces;  // by receive queue

	// Main thread.
	uint64_t now_us;	// of the last service
	struct dp_site main_at; // of what it sends and gives up
};

static inline uint32_t port_hop_hash(const struct ip_addr *ip)
{
	struct vxlan_addr addr = vxlan_addr_of_ip6(ip->byte);

	return vxlan_mix(addr.word[0], addr.word[1]);
}

// The next hop with this address; NULL when there is none.
static inline struct port_hop *port_hop_find(
	const struct port_routes *routes, const struct ip_addr *ip)
{
	for (uint32_t i = port_hop_hash(ip);; i++) {
		struct port_hop *hop = routes->hop[i & routes->hop_mask];

		if (!hop || ip_equal(&hop->ip, ip))
			return hop;
	}
}

// ---- workers ----

dp_rx_fn port_underlay_rx;
dp_tx_fn port_underlay_tx;

// Sends a whole frame with room in front of it; main thread.
void port_underlay_send_to(struct port_underlay *u, uint16_t remote, uint32_t vni,
	struct vxlan_marking marking, struct rte_mbuf *m, uint32_t flow);

// Transmits by the queue that no worker has to itself; any thread.
void port_underlay_send(
	struct port_underlay *u, struct rte_mbuf **pkts, uint16_t n, struct dp_site *at);
