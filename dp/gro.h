// SPDX-License-Identifier: BSD-3-Clause
// Generic receive offload: merges a train of TCP frames into one large segment, so that a
// container's stack is entered once for all of them. gso.c cuts the segment into the same bytes
// again. Pure functions over mbufs; any worker.
//
// TCP only. Linux hands large UDP segments only to sockets that ask for them (UDP_GRO) and cuts
// them again for all others; kernels before 6.2 take none from a tap.
#pragma once

#include <stdint.h>

#include <rte_mbuf.h>

// Merges `n` frames where possible, in order and in place, and returns how many packets are left.
// The frames were just received and belong to the caller alone. Their checksums are complete but
// not verified, or not filled yet (dp/dp_port.h). A frame of a train has the same dp_input(),
// dp_remote(), Ethernet header, VLAN tag, addresses, ports and other header fields as the frame
// before it, except that:
// - the sequence number continues where that frame's payload ended;
// - the IPv4 identification is one more, or with "don't fragment" the same throughout;
// - the last frame may have PSH set and may be shorter; the others have at least DP_GSO_SEGSZ_MIN
//   bytes of payload.
// Frames with IPv4 options, IPv6 extension headers, a second tag, flags other than ACK and PSH,
// padding or a wrong checksum, and fragments, pass unchanged. The frames of a flow stay in order.
//
// A segment is a chain of at most DP_TX_SEGS buffers with the flags of dp/dp_port.h.
uint16_t dp_gro(struct rte_mbuf **pkts, uint16_t n);
