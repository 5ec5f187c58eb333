// SPDX-License-Identifier: BSD-3-Clause
// Finishes in software, at egress, what a port cannot do itself: L4 checksums and segmentation
// (TCP over IPv4 and IPv6, UDP_L4, VLAN tags before the IP header), and copying chained or shared
// packets into one writable buffer. Pure functions over mbufs; any worker.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "dp/site.h"

// The flags of packets that are not complete.
#define DP_OFFLOAD_FLAGS (RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_UDP_SEG)

// Marks a large TCP segment whose tso_segsz is a guess, because its original segments are unknown.
// It may be cut into smaller ones.
#define DP_ANY_SEGSZ RTE_MBUF_F_RX_LRO

// Whether a port with `tx_offloads` (struct dp_port) can take `m` as it is.
bool dp_offload_fits(const struct rte_mbuf *m, uint64_t tx_offloads);

// Turns `m` into packets that a port with `tx_offloads` can take: writes them in order to `out`
// (room for `room`) and returns their number; `m` then belongs to them. Fills checksums, cuts
// segments by tso_segsz (IPv4 identification counted up, TCP sequence and flags as RFC 9293 wants:
// PSH and FIN only on the last, CWR only on the first), shared packets copied before they are
// changed. On failure returns 0 and has dropped `m`: tx_no_buffer, or tx_gso when the headers are
// not what the flags say or `room` is too small.
uint16_t dp_offload_finish(struct rte_mbuf *m, uint64_t tx_offloads, struct rte_mempool *pool,
	struct rte_mbuf **out, uint16_t room, struct dp_site *at);

// Packets that a segment of 64 KiB can become at most, given a tso_segsz of at least
// DP_GSO_SEGSZ_MIN; smaller ones are refused (tx_gso).
#define DP_GSO_SEGSZ_MIN 64
#define DP_GSO_MAX	 1024

// Fills the L4 checksum of a packet at any offset, for checksums that the flags cannot describe:
// the one's-complement sum from `start` to the end of the packet, stored at `start + offset`
// (virtio-net csum_start, csum_offset; virtio 1.2, 5.1.6.2). `m` must not be shared. Returns 0 or
// -EINVAL when the offsets lie outside the packet.
int dp_checksum_fill(struct rte_mbuf *m, uint32_t start_bytes, uint32_t offset_bytes);
