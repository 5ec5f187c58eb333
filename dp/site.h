// SPDX-License-Identifier: BSD-3-Clause
// A site is a port as one worker has it. Whatever is counted, traced or dropped happens at a site,
// which has the counters and tells the port and the worker.
//
// Nothing but the functions here counts drops, so a trace is told of every one of them.
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "dp/drop.h"

#define DP_NO_WORKER UINT16_MAX // the main thread

struct dp_trace;

// Counters are written by the site's worker only, and read by the main thread at any time.
struct dp_site {
	uint16_t port, worker;
	_Atomic(struct dp_trace *) trace; // NULL: nobody watches; see dp_trace_set()
	uint64_t rx_packets, rx_bytes;
	uint64_t tx_packets, tx_bytes;
	uint64_t drop[DP_NB_DROPS];
} __rte_cache_aligned;

// Told of packets while somebody watches their port. Workers call both functions on the hot path;
// the functions must not change packets, nor keep them without a copy or reference.
struct dp_trace {
	// The packets are about to enter a stage, or DP_POINT_TX to be given to the port `at`
	// (pipeline.h).
	void (*seen)(struct dp_trace *trace, const struct dp_site *at, unsigned point,
		struct rte_mbuf *const *pkts, uint16_t n);
	// `n` packets are dropped, of which `m` is one, or what they were made of. NULL: they are
	// in no buffer.
	void (*dropped)(struct dp_trace *trace, const struct dp_site *at,
		enum dp_drop_reason reason, const struct rte_mbuf *m, uint32_t n);
};

static inline struct dp_trace *dp_trace_of(const struct dp_site *at)
{
	return atomic_load_explicit(&at->trace, memory_order_acquire);
}

// A trace point: one load and a comparison while nobody watches.
static inline void dp_trace(
	const struct dp_site *at, unsigned point, struct rte_mbuf *const *pkts, uint16_t n)
{
	struct dp_trace *trace = dp_trace_of(at);

	if (unlikely(trace))
		trace->seen(trace, at, point, pkts, n);
}

// Counts `n` drops of packets that are not buffers of their own: parts or copies of `m`, which
// stays the caller's, or with NULL in no buffer.
static inline void dp_drop_count(
	struct dp_site *at, enum dp_drop_reason reason, const struct rte_mbuf *m, uint32_t n)
{
	struct dp_trace *trace = dp_trace_of(at);

	at->drop[reason] += n;
	if (unlikely(trace))
		trace->dropped(trace, at, reason, m, n);
}

// Counts and frees a packet.
static inline void dp_drop(struct dp_site *at, enum dp_drop_reason reason, struct rte_mbuf *m)
{
	dp_drop_count(at, reason, m, 1);
	rte_pktmbuf_free(m);
}

// The same with `n` packets.
static inline void dp_drop_burst(
	struct dp_site *at, enum dp_drop_reason reason, struct rte_mbuf **pkts, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++)
		dp_drop(at, reason, pkts[i]);
}
