// SPDX-License-Identifier: BSD-3-Clause
// The data plane: workers that move packets between ports, and what the main thread does with
// them. Main publishes immutable snapshots (snapshot.h); workers run the pipeline (pipeline.h)
// over what the current one says.
//
// All functions here are for the main thread unless they say otherwise.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/ip.h"
#include "base/mac.h"
#include "config/conf.h"
#include "dp/dp_port.h"

#define DP_PORTS_MAX   4096
#define DP_BRIDGES_MAX 1024

struct dp;
struct dp_guard;

struct dp_opts {
	const unsigned *cpus; // of the workers
	unsigned nb_workers;  // 0 is for tests, which call dp_poll() themselves on worker 0
	enum conf_polling polling;
	struct rte_mempool *pool; // for copies and segments
	// Called from a worker when the main thread should call dp_service() soon. Must be
	// async-safe for any thread (an eventfd write).
	void (*wake_main)(void *arg);
	void *wake_arg;
};

int dp_new(const struct dp_opts *opts, struct dp **ret_dp, struct err *err);
void dp_free(struct dp *dp); // stops the workers first

// ---- ports and bridges as the next snapshot shall have them ----

// Reserves an index for a port's counters, or 0..DP_PORTS_MAX-1 is full: -ENOSPC.
int dp_port_id_alloc(struct dp *dp, uint16_t *ret_id);
// Gives it back; call only when the port is in no snapshot any more. Its counters are cleared and
// what was learned on it is forgotten.
void dp_port_id_free(struct dp *dp, uint16_t id);
int dp_bridge_id_alloc(struct dp *dp, uint16_t *ret_id);
void dp_bridge_id_free(struct dp *dp, uint16_t id);

// One port of a view.
struct dp_view_port {
	struct dp_port *port; // its id is set
	uint16_t bridge_id;   // UINT16_MAX: none, a `demux` port
	enum conf_vlan_mode vlan_mode;
	uint16_t tag;
	bool all_vlans;		       // trunk without a list
	const struct vlan_set *trunks; // otherwise; copied
	uint32_t fdb_limit;
	bool no_learning;	      // its sources are not remembered
	bool isolated;		      // no frame goes from it to another such port
	const struct dp_guard *guard; // whom its frames may be from (guard.h), or NULL; copied
};

struct dp_view_bridge {
	uint16_t id;
	uint32_t ageing_s, fdb_limit;
};

// What the main thread wants the workers to see. Borrowed during dp_publish().
struct dp_view {
	const struct dp_view_port *ports;
	unsigned nb_ports;
	const struct dp_view_bridge *bridges;
	unsigned nb_bridges;
};

// Makes a snapshot of `view` the current one. Receive queues are given to workers: those that a
// worker has already stay where they are. On failure (-ENOMEM) the old snapshot stays.
int dp_publish(struct dp *dp, const struct dp_view *view, struct err *err);

// Calls `fn(arg)` once every worker has left what it may have seen until now. Out of memory, it
// waits for them here.
void dp_retire(struct dp *dp, void (*fn)(void *arg), void *arg);

// Whether every worker has left all snapshots but the current one. Never blocks.
bool dp_settled(struct dp *dp);

// Periodic work: coarse clock, ageing, growth of the forwarding table. Call it again after as many
// microseconds as it returns, and when wake_main() asked; `now_us` is monotonic time (a test may
// make it up).
uint32_t dp_service(struct dp *dp, uint64_t now_us);

// ---- forwarding table ----

enum dp_fdb_kind { DP_FDB_LEARNED, DP_FDB_STATIC };

struct dp_fdb_info {
	struct mac mac;
	uint16_t bridge_id, vlan, port_id;
	uint16_t remote; // behind a tunnel's port
	enum dp_fdb_kind kind;
	uint32_t age_s;
};

// Calls `fn` for each valid entry of the bridge (all bridges: UINT16_MAX), in no order, until it
// returns false.
void dp_fdb_walk(struct dp *dp, uint16_t bridge_id,
	bool (*fn)(void *arg, const struct dp_fdb_info *), void *arg);

// Static entries. `remote`: see dp_remote(); 0 with ports that are no tunnels. -ENOSPC when no room
// can be made.
int dp_fdb_add_static(struct dp *dp, uint16_t bridge_id, uint16_t vlan, const struct mac *mac,
	uint16_t port_id, uint16_t remote);
// Deletes the entry, learned or static. -ENOENT.
int dp_fdb_del(struct dp *dp, uint16_t bridge_id, uint16_t vlan, const struct mac *mac);

// Forgets what was learned: on a bridge, on a port. Static entries stay. Constant time.
void dp_fdb_flush_bridge(struct dp *dp, uint16_t bridge_id);
void dp_fdb_flush_port(struct dp *dp, uint16_t port_id);

struct dp_fdb_stats {
	uint64_t entries, learned, moves, moves_limited, refused, evicted, aged, flushed,
		static_hits;
	uint64_t buckets, slots;
};

void dp_fdb_stats(struct dp *dp, struct dp_fdb_stats *ret_stats);

// ---- neighbours ----

// An address that a bridge answers for in a VLAN (0: untagged).
struct dp_neigh {
	struct ip_addr ip;
	struct mac mac;
	uint16_t vlan;
};

// Replaces all neighbours of the bridge at once: requests to resolve one of these addresses (ARP,
// neighbour solicitation) are answered by the switch, others are flooded or with `drop_unknown`
// dropped. Of entries for the same address the last one counts. Workers go on meanwhile. -ENOMEM:
// the old ones stay.
int dp_neigh_set(struct dp *dp, uint16_t bridge_id, const struct dp_neigh *entries, unsigned count,
	bool drop_unknown);

// Adds entries or replaces those that are there, one after the other. -ENOSPC, with nothing done:
// the table has no room for so many more, and all have to be given to dp_neigh_set().
int dp_neigh_put(struct dp *dp, uint16_t bridge_id, const struct dp_neigh *entries, unsigned count);
// The MAC address does not matter. An entry that is not there is no matter either.
void dp_neigh_del(struct dp *dp, uint16_t bridge_id, const struct dp_neigh *entry);

// ---- counters ----

struct dp_port_stats {
	uint64_t rx_packets, tx_packets;
	uint64_t rx_bytes, tx_bytes;
	uint64_t rx_dropped, tx_dropped; // sums of `drop`
	uint64_t drop[DP_NB_DROPS];
};

// The sums over all workers since the port was made.
void dp_port_stats(struct dp *dp, uint16_t port_id, struct dp_port_stats *ret_stats);

#define DP_STAGES_MAX  8
#define DP_BATCH_SIZES 7 // batches of 1, 2-3, 4-7, 8-15, 16-31, 32-63 and 64 packets

struct dp_worker_stats {
	unsigned cpu;
	unsigned nb_queues;
	uint64_t rounds, empty_rounds, sleeps, packets, batches;
	uint64_t batch_sizes[DP_BATCH_SIZES];
	uint64_t busy_cycles, idle_cycles; // TSC ticks; sleeping counts as neither
	unsigned nb_stages;
	struct {
		const char *name;
		uint64_t calls, packets;
		uint64_t cycles, cycles_packets; // sampled: cycles spent on cycles_packets packets
	} stage[DP_STAGES_MAX];
};

unsigned dp_nb_workers(const struct dp *dp);
void dp_worker_stats(struct dp *dp, unsigned worker, struct dp_worker_stats *ret_stats);

// ---- tracing ----

#define DP_ALL_PORTS UINT16_MAX

// From now on `trace` (site.h) is told of the packets of a port, or of DP_ALL_PORTS; NULL: nobody
// is. It goes with the number and not with the port that has it. Workers may be inside the one
// before until they have left what they see now: free it with dp_retire().
void dp_trace_set(struct dp *dp, uint16_t port_id, struct dp_trace *trace);

// ---- for tests: one round of worker 0 on the calling thread; returns the packets received ----
unsigned dp_poll(struct dp *dp);
