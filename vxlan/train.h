// SPDX-License-Identifier: BSD-3-Clause
// Trains: encapsulated packets that go the same way and are of one size become one packet with one
// set of outer headers, for a lower port that cuts it into datagrams again. Such a port takes
// RTE_ETH_TX_OFFLOAD_UDP_TSO, _UDP_CKSUM and _MULTI_SEGS. Pure functions over mbufs; any worker.
#pragma once

#include <stdint.h>

#include <rte_mbuf.h>

// Joins what it can of neighbours in `pkts`, whose order stays. Each has plain outer headers (no
// tag, no options) in a first buffer that is the caller's alone, and its outer UDP checksum left to
// do, with the flags and lengths that say so. Returns how many packets there are now.
uint16_t train_join(struct rte_mbuf **pkts, uint16_t n);
