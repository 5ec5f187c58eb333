// SPDX-License-Identifier: BSD-3-Clause
// A worker: one pinned thread that polls its receive queues, runs the pipeline and sleeps when
// there is nothing to do.
//
// Which queues are read. Queues without a file descriptor (most DPDK devices) are read in every
// round. Queues with one are read while they yield packets and for a while after ("hot"). Quiet
// queues cost nothing until epoll finds them again, so a thousand idle containers do not slow down
// a busy one. (A read that finds nothing is cheaper than epoll, and the answer to a packet often
// comes soon. So the fewer queues are hot, the longer they stay hot.)
//
// Sleeping (`polling: adaptive`). After DP_SPIN_US without a packet the worker goes offline for RCU
// and sleeps in epoll until the kernel wakes it. A worker that has a queue without a file
// descriptor sleeps at most DP_NAP_US at a time.
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include <rte_rcu_qsbr.h>

#include "dp/pipeline.h"

#define DP_SPIN_US 50
#define DP_NAP_US  60
#define DP_TURN_US 500 // for one queue with a descriptor, while others wait

struct dp_hot_queue {
	uint16_t port, queue;
	uint16_t empty; // reads in a row that found nothing
	uint16_t burst; // packets to begin with
};

struct dp_worker {
	struct dp *dp;
	unsigned index, cpu;
	pthread_t thread;
	bool started;
	struct dp_context ctx;
	int epoll_fd, wake_fd;
	struct dp_hot_queue *hot;
	unsigned nb_hot, max_hot;
	uint64_t turn_cycles;
	uint16_t *is_hot; // by port id: bit per queue
	unsigned rounds_to_epoll;
	struct dp_batch batch; // too large for the stack

	// Written by the worker, read by main.
	uint64_t rounds, empty_rounds, sleeps, packets;
	uint64_t busy_cycles, idle_cycles;
} __rte_cache_aligned;

struct dp_retired; // dp.c

struct dp {
	struct dp_worker *worker; // nb_workers, or the one that tests drive
	unsigned nb_workers;
	bool threads;
	enum conf_polling polling;
	struct rte_mempool *pool;
	void (*wake_main)(void *arg);
	void *wake_arg;
	struct fdb *fdb;
	_Atomic(struct dp_snap *) snap;
	neigh_cell neigh[DP_BRIDGES_MAX];
	struct rte_rcu_qsbr *rcu;
	atomic_uint now_s; // coarse clock of the workers
	atomic_bool stop;
	atomic_bool main_called; // a worker has called the main thread, which has not reacted yet

	// Main thread only.
	struct dp_retired *retired;
	uint64_t port_used[DP_PORTS_MAX / 64], bridge_used[DP_BRIDGES_MAX / 64];
	int8_t rxq_owner[DP_PORTS_MAX][DP_QUEUES_MAX];
	enum { DP_GROW_IDLE, DP_GROW_FROZEN, DP_GROW_COPIED } grow;
	uint64_t grow_token;
	uint64_t looked_us; // when main_called was last cleared
};

int dp_worker_init(struct dp_worker *w, struct dp *dp, unsigned index, unsigned cpu);
void dp_worker_fini(struct dp_worker *w);
int dp_worker_start(struct dp_worker *w);
void dp_worker_stop(struct dp_worker *w); // dp->stop is set
void dp_worker_wake(struct dp_worker *w);

// One round over all queues. Returns the packets received.
unsigned dp_worker_round(struct dp_worker *w);
