// SPDX-License-Identifier: BSD-3-Clause
// What the data plane knows of a port: two functions and what they can do. ports/ implements it,
// once per port type.
//
// A port is made and destroyed by the main thread; between the publication of the first snapshot
// that names it and the grace period after the last one that does, workers call rx() and tx().
// One receive queue is polled by one worker at a time; tx() is called by any number of workers,
// each with its own queue number when the port has as many transmit queues as there are workers,
// else with queue numbers shared under the port's own lock.
//
// Checksum and segmentation state of a packet is in the mbuf's transmit flags, whatever the port:
// a packet whose L4 checksum is still to be filled (it holds the pseudo-header sum, as the
// kernel's CHECKSUM_PARTIAL leaves it) has RTE_MBUF_F_TX_{TCP,UDP}_CKSUM, RTE_MBUF_F_TX_IPV4 or
// _IPV6, l2_len (VLAN tags included) and l3_len; one that stands for several has
// RTE_MBUF_F_TX_TCP_SEG or RTE_MBUF_F_TX_UDP_SEG as well, with l4_len and tso_segsz. Packets
// without these flags are complete. Nothing between rx() and the egress changes checksums.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>
#include <rte_spinlock.h>

#include "dp/site.h"

#define DP_BURST      64 // packets a batch, at most
#define DP_QUEUES_MAX 16 // receive queues of a port
#define DP_TX_SEGS    64 // buffers of a packet that a port with _MULTI_SEGS takes, at least

#define DP_READABLE_BYTES 16 // that a packet's buffer has from its data on, however short it is

struct dp_port;

// Receives at most `n` packets from `queue` into `pkts` and returns how many. Counts only drops
// of its own (rx_header, rx_no_buffer) at the site; the caller counts packets and bytes.
// Returning fewer than `n` means the queue was empty a moment ago.
typedef uint16_t dp_rx_fn(struct dp_port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n,
	struct dp_site *at);

// Takes all `n` packets: transmits them, in order, and dp_drop()s what cannot be (tx_full,
// tx_down, tx_error). Counts tx_packets and tx_bytes of those transmitted. Packets with a
// reference count above one are shared with other ports and must not be written to.
typedef void dp_tx_fn(struct dp_port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n,
	struct dp_site *at);

// Is offered a packet of the port to a group address that no bridge forwards (01:80:c2:00:00:0x).
// Takes it and returns true, or leaves it to be dropped.
typedef bool dp_local_fn(struct dp_port *port, struct rte_mbuf *m, struct dp_site *at);

struct dp_port {
	dp_rx_fn *rx;
	dp_tx_fn *tx;
	uint16_t id; // index in counters and snapshots; given by dp_port_attach()
	uint16_t nb_rxq, nb_txq;
	uint16_t mtu; // largest L3 size that may leave (a VLAN tag is not counted)

	// What tx() takes without help: RTE_ETH_TX_OFFLOAD_{TCP,UDP}_CKSUM, _TCP_TSO (both IP
	// versions), _UDP_TSO (the kernel's UDP_L4 segmentation), _MULTI_SEGS. The rest is
	// finished in software before tx() sees the packet (offload.h).
	uint64_t tx_offloads;

	// Other switches are behind this port (a VNI). Its packets name one with
	// dp_remote(): those that it receives, where they came from; those that it is given, where
	// they go, or DP_REMOTE_ALL. What came from such a port never leaves by another.
	bool tunnel;
	atomic_uint nb_remotes; // that DP_REMOTE_ALL is
	// rx() yields packets of other ports: dp_input() of each says which. It is on no bridge.
	bool demux;

	dp_local_fn *take_local; // may be NULL

	// Readable when the queue has packets; -1 when it can only be polled. Workers wait on
	// these with epoll, level-triggered.
	int rx_fd[DP_QUEUES_MAX];
	// Ports whose rx_fd fires only when armed (NIC interrupts, vhost) set this; called by the
	// polling worker before it sleeps (true) and after (false). NULL otherwise.
	void (*rx_arm)(struct dp_port *port, uint16_t queue, bool on);

	// Set by rx() or tx() to a positive errno when the device has gone; read by main, which
	// takes the port out of the snapshot. See dp_port_fail().
	atomic_int failed;

	// Of a `demux` port: set because the main thread is to look at it soon. The worker calls
	// main at the end of its round.
	atomic_bool calls_main;

	rte_spinlock_t tx_lock; // held around tx() when nb_txq is less than the number of workers
};

// ---- what packets carry between a tunnel's port and the pipeline ----

#define DP_REMOTE_ALL 0 // every switch behind the port: broadcast, or not known where

// The remote switch that a packet came from or goes to, by a number of the port's own, 1..65535.
static inline uint16_t dp_remote(const struct rte_mbuf *m)
{
	return m->hash.usr;
}

static inline void dp_set_remote(struct rte_mbuf *m, uint16_t remote)
{
	m->hash.usr = remote;
}

// The port that a packet of a `demux` port is received by.
static inline uint16_t dp_input(const struct rte_mbuf *m)
{
	return m->port;
}

static inline void dp_set_input(struct rte_mbuf *m, uint16_t port_id)
{
	m->port = port_id;
}

// Called by rx() and tx() when the device is gone for good: remembers the first errno. The worker
// wakes the main thread at the end of its round. Cheap enough to be called for every packet.
static inline void dp_port_fail(struct dp_port *port, int positive_errno)
{
	int none = 0;

	atomic_compare_exchange_strong_explicit(
		&port->failed, &none, positive_errno, memory_order_relaxed, memory_order_relaxed);
}
