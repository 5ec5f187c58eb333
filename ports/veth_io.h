// SPDX-License-Identifier: BSD-3-Clause
// What the two halves of the veth port type share: veth.c makes the device and its ring, on the
// main thread, veth_io.c receives and transmits, on workers.
#pragma once

#include "dp/offload.h"
#include "dp/port.h"

#define FRAME_BYTES	 (68 * 1024) // a slot: the ring's header and 64 KiB
#define FRAMES_PER_BLOCK 15	     // nearly 1 MiB, which is how the kernel allocates it
#define BLOCKS		 8
#define FRAMES		 (FRAMES_PER_BLOCK * BLOCKS)
#define BLOCK_BYTES	 (FRAME_BYTES * FRAMES_PER_BLOCK)
#define RING_BYTES	 ((size_t)BLOCK_BYTES * BLOCKS)

struct veth {
	int fd, ifindex;
	bool made; // the pair is ours to delete
	uint8_t *ring;
	unsigned head;		// next slot to look at
	_Atomic bool oversized; // a frame came that no IP packet of 64 KiB fills (BIG TCP)
	// What was cut out of one segment in a tunnel and not received yet: [first, end).
	struct rte_mbuf *cut[DP_GSO_MAX];
	unsigned cut_first, cut_end;
};

dp_rx_fn veth_rx;
dp_tx_fn veth_tx;
