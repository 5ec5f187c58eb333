// SPDX-License-Identifier: BSD-3-Clause
#include "ports/dpdk_io.h"

#include <rte_ethdev.h>

static inline uint16_t ethdev_of(const struct dp_port *dp)
{
	return ((const struct dpdk *)((const struct port *)dp)->priv)->ethdev;
}

uint16_t dpdk_rx(
	struct dp_port *dp, uint16_t queue, struct rte_mbuf **pkts, uint16_t n, struct dp_site *at)
{
	return rte_eth_rx_burst(ethdev_of(dp), queue, pkts, n);
}

// The bytes are summed before the burst: afterwards the packets are the driver's.
void dpdk_tx(
	struct dp_port *dp, uint16_t queue, struct rte_mbuf **pkts, uint16_t n, struct dp_site *at)
{
	uint16_t ethdev = ethdev_of(dp), sent;
	uint64_t bytes = 0;

	for (uint16_t i = 0; i < n; i++)
		bytes += pkts[i]->pkt_len;
	sent = rte_eth_tx_burst(ethdev, queue, pkts, n);
	for (uint16_t i = sent; i < n; i++) {
		bytes -= pkts[i]->pkt_len;
		dp_drop(at, DP_DROP_TX_FULL, pkts[i]);
	}
	at->tx_packets += sent;
	at->tx_bytes += bytes;
}

// A packet that the driver refuses is dropped and the rest goes on.
void dpdk_tx_prepare(
	struct dp_port *dp, uint16_t queue, struct rte_mbuf **pkts, uint16_t n, struct dp_site *at)
{
	uint16_t ethdev = ethdev_of(dp), done = 0, good;

	while (done < n) {
		good = rte_eth_tx_prepare(ethdev, queue, pkts + done, n - done);
		if (good)
			dpdk_tx(dp, queue, pkts + done, good, at);
		done += good;
		if (done < n)
			dp_drop(at, DP_DROP_TX_ERROR, pkts[done++]);
	}
}

void dpdk_rx_arm(struct dp_port *dp, uint16_t queue, bool on)
{
	if (on)
		rte_eth_dev_rx_intr_enable(ethdev_of(dp), queue);
	else
		rte_eth_dev_rx_intr_disable(ethdev_of(dp), queue);
}
