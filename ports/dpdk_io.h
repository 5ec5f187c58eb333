// SPDX-License-Identifier: BSD-3-Clause
// What the two halves of the DPDK port type share: dpdk.c makes the device, on the main thread,
// dpdk_io.c receives and transmits, on workers.
#pragma once

#include "dp/port.h"

struct dpdk {
	uint16_t ethdev;
	bool has_intr, started;
	bool scatter;		  // a frame may take several receive buffers
	struct rte_mempool *pool; // of the receive queues
};

dp_rx_fn dpdk_rx;
dp_tx_fn dpdk_tx;
// For devices with checksum or segmentation offloads, whose drivers want a look at such packets
// first.
dp_tx_fn dpdk_tx_prepare;
void dpdk_rx_arm(struct dp_port *port, uint16_t queue, bool on);
