// SPDX-License-Identifier: BSD-3-Clause
// What the data plane counts, by ports, workers, stages and in the forwarding table. One list for
// each: struct members, results of `stats`, `workers` and `status`, and their reference come from
// it. (Drops are counted by reason: drop.h.)
#pragma once

#include "base/counter.h"
#include "dp/drop.h"
#include "dp/stages.h"

// X(name, kind, unit, help)
#define DP_PORT_COUNTERS(X)                                                                        \
	X(rx_packets, TOTAL, "packets", "packets received")                                        \
	X(tx_packets, TOTAL, "packets", "packets sent")                                            \
	X(rx_bytes, TOTAL, "bytes", "bytes received")                                              \
	X(tx_bytes, TOTAL, "bytes", "bytes sent")                                                  \
	X(rx_dropped, TOTAL, "packets", "received packets that were dropped")                      \
	X(tx_dropped, TOTAL, "packets", "packets that were dropped instead of being sent")

#define DP_WORKER_COUNTERS(X)                                                                      \
	X(queues, GAUGE, "queues", "receive queues that the worker reads")                         \
	X(rounds, TOTAL, "rounds", "rounds over all queues")                                       \
	X(empty_rounds, TOTAL, "rounds", "rounds that found no packet")                            \
	X(sleeps, TOTAL, "sleeps", "times the worker went to sleep")                               \
	X(packets, TOTAL, "packets", "packets received")                                           \
	X(batches, TOTAL, "batches", "batches that went through the pipeline")                     \
	X(busy_cycles, TOTAL, "cycles", "time in rounds that moved packets")                       \
	X(idle_cycles, TOTAL, "cycles", "time awake in rounds that found no packet")

#define DP_STAGE_COUNTERS(X)                                                                       \
	X(calls, TOTAL, "batches", "batches that entered the stage")                               \
	X(packets, TOTAL, "packets", "packets that entered the stage")                             \
	X(cycles, TOTAL, "cycles", "time spent on `cycles_packets`, a sample of the packets")      \
	X(cycles_packets, TOTAL, "packets", "packets whose time was taken")

#define DP_FDB_COUNTERS(X)                                                                         \
	X(entries, GAUGE, "entries", "entries in use, learned and static")                         \
	X(learned, TOTAL, "entries", "addresses learned")                                          \
	X(moves, TOTAL, "entries", "addresses that moved to another port")                         \
	X(moves_limited, TOTAL, "entries", "moves refused because a port attracted too many")      \
	X(refused, TOTAL, "entries", "addresses not learned because a limit was reached")          \
	X(evicted, TOTAL, "entries", "entries that made room for ports below their share")         \
	X(aged, TOTAL, "entries", "entries that expired")                                          \
	X(flushed, TOTAL, "entries", "entries removed with their port, or on request")             \
	X(static_hits, TOTAL, "packets", "packets whose source is a static entry of another port") \
	X(buckets, GAUGE, "buckets", "buckets of the table, four slots each")                      \
	X(slots, GAUGE, "slots", "entries that the table has room for")

struct dp_port_stats {
	DP_PORT_COUNTERS(COUNTER_MEMBER)
	uint64_t drop[DP_NB_DROPS];
};

struct dp_stage_stats {
	DP_STAGE_COUNTERS(COUNTER_MEMBER)
};

struct dp_fdb_stats {
	DP_FDB_COUNTERS(COUNTER_MEMBER)
};

#define DP_BATCH_SIZES 7 // batches of 1, 2-3, 4-7, 8-15, 16-31, 32-63 and 64 packets

// Cycles are ticks of the time stamp counter; time asleep counts as neither busy nor idle.
struct dp_worker_stats {
	unsigned cpu;
	DP_WORKER_COUNTERS(COUNTER_MEMBER)
	uint64_t batch_sizes[DP_BATCH_SIZES];
	struct dp_stage_stats stage[DP_NB_STAGES];
};

extern const struct counter dp_port_counters[], dp_worker_counters[], dp_stage_counters[],
	dp_fdb_counters[];
extern const struct counter_group dp_counter_groups[];
