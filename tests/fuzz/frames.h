// SPDX-License-Identifier: BSD-3-Clause
// What fuzz targets that work on frames share.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>
#include <rte_mempool.h>

// Ends the program, as an input found, unless it is so.
void demand(bool condition);

// Starts DPDK without hugepages and makes a pool of buffers of 2 KiB.
struct rte_mempool *pool_of(unsigned nb_mbufs);

// A packet of `len` bytes in memory of just their size, so that a sanitizer sees what is read
// beyond it.
struct rte_mbuf *outside(struct rte_mempool *pool, const uint8_t *bytes, uint16_t len);
