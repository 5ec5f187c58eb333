// SPDX-License-Identifier: BSD-3-Clause
// Generic receive offload: makes one large segment of a train of TCP frames that came one by one,
// so that a container's stack is entered once for all of them. What gso.c cuts out of the segment
// is the same bytes again. Pure functions over mbufs; any worker.
//
// TCP only. Linux hands large UDP segments only to sockets that ask for them (UDP_GRO) and cuts
// them again for all others; kernels before 6.2 take none from a tap.
#pragma once

#include <stdint.h>

#include <rte_mbuf.h>

// Merges what can be merged of `n` frames, in order and in place, and returns how many packets are
// left. The frames were just received and are the caller's alone; they are complete, their
// checksums not yet looked at, or have theirs still to be filled (dp/dp_port.h). One that
// takes part in a train has the same dp_input(), dp_remote(), Ethernet header and VLAN tag,
// addresses, ports and all other header fields as the one before it, save:
// - the sequence number goes on where that one's payload ended;
// - the IPv4 identification is one more, or with "don't fragment" the same throughout;
// - the last one may have PSH set and may be shorter; the others have DP_GSO_SEGSZ_MIN bytes of
//   payload at least.
// IPv4 options, IPv6 extension headers, fragments, a second tag, flags but ACK and PSH, padding and
// wrong checksums make a frame pass unchanged. The frames of a flow are never reordered.
//
// A segment is a chain of at most DP_TX_SEGS buffers with the flags of dp/dp_port.h.
uint16_t dp_gro(struct rte_mbuf **pkts, uint16_t n);
