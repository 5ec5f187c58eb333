// SPDX-License-Identifier: BSD-3-Clause
// Starting DPDK's environment layer for a switch: in memory (no shared files, so any number of
// switches run on one machine), with hugepages when there are enough and without them otherwise.
#pragma once

#include <stdbool.h>

#include <rte_mempool.h>

#include "base/err.h"
#include "config/conf.h"

struct eal {
	bool hugepages;
	struct rte_mempool *pool, *big_pool;
};

// Whether there are the huge pages that `conf` insists on. -ENOMEM.
int eal_check(const struct conf *conf, struct err *err);

// Starts DPDK and makes the packet buffers that `conf` asks for. Once per process. The calling
// thread keeps its CPU affinity.
int eal_start(const struct conf *conf, struct eal *ret_eal, struct err *err);
void eal_stop(struct eal *eal);
