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
#include "dp/dp_counters.h"
#include "dp/dp_port.h"

#define DP_PORTS_MAX   4096
#define DP_BRIDGES_MAX 1024

struct dp;
struct dp_guard;
struct dp_ips;

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

// Reserves an index for a port and its counters. -ENOSPC: all of 0..DP_PORTS_MAX-1 are in use.
int dp_port_id_alloc(struct dp *dp, uint16_t *ret_id);
// Gives the index back, once no snapshot has the port any more. Clears its counters and forgets
// what was learned on it.
void dp_port_id_free(struct dp *dp, uint16_t id);
int dp_bridge_id_alloc(struct dp *dp, uint16_t *ret_id);
void dp_bridge_id_free(struct dp *dp, uint16_t id);

// One port of a view.
struct dp_view_port {
	struct dp_port *port;	      // its id is set
	uint16_t bridge_id;	      // UINT16_MAX: none, a `demux` port
	const struct conf_port *conf; // its VLANs, limits and other options
	const struct dp_guard *guard; // what it may send (guard.h), or NULL; copied
	const struct dp_ips *peers;   // whom a gateway hears (gate.h), or NULL: anybody; copied
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

// Makes a snapshot of `view` the current one and assigns receive queues to workers: a queue that
// has a worker keeps it. On failure (-ENOMEM) the old snapshot stays.
int dp_publish(struct dp *dp, const struct dp_view *view, struct err *err);

// Calls `fn(arg)` once no worker uses anything that it has seen until now. When memory is short,
// it waits for that inside.
void dp_retire(struct dp *dp, void (*fn)(void *arg), void *arg);

// Whether every worker has left all snapshots but the current one. Never blocks.
bool dp_settled(struct dp *dp);

// Does the periodic work: coarse clock, ageing, growth of the forwarding table. Call it again
// after the returned number of microseconds, and whenever wake_main() asks. `now_us` is monotonic
// time (virtual in tests).
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

// Adds a static entry. `remote`: see dp_remote(); 0 for ports that are not tunnels. -ENOSPC: the
// table has no room.
int dp_fdb_add_static(struct dp *dp, uint16_t bridge_id, uint16_t vlan, const struct mac *mac,
	uint16_t port_id, uint16_t remote);
// Deletes the entry, learned or static. -ENOENT.
int dp_fdb_del(struct dp *dp, uint16_t bridge_id, uint16_t vlan, const struct mac *mac);

// Forget what was learned on a bridge or port. Static entries stay. Constant time.
void dp_fdb_flush_bridge(struct dp *dp, uint16_t bridge_id);
void dp_fdb_flush_port(struct dp *dp, uint16_t port_id);

void dp_fdb_stats(struct dp *dp, struct dp_fdb_stats *ret_stats);

// ---- neighbours ----

// An address that a bridge answers for in a VLAN (0: untagged).
struct dp_neigh {
	struct ip_addr ip;
	struct mac mac;
	uint16_t vlan;
};

// Replaces all neighbours of the bridge at once. The switch answers requests (ARP, neighbour
// solicitation) for these addresses; other requests are flooded or, with `drop_unknown`, dropped.
// If an address has several entries, the last one counts. Workers continue meanwhile. -ENOMEM: the
// old neighbours stay.
int dp_neigh_set(struct dp *dp, uint16_t bridge_id, const struct dp_neigh *entries, unsigned count,
	bool drop_unknown);

// Adds entries, or replaces those that already exist, one after the other. -ENOSPC, with nothing
// changed: the table has no room for so many more; pass all neighbours to dp_neigh_set() instead.
int dp_neigh_put(struct dp *dp, uint16_t bridge_id, const struct dp_neigh *entries, unsigned count);
// Deletes the entry of an address, whatever its MAC address. Succeeds if there is none.
void dp_neigh_del(struct dp *dp, uint16_t bridge_id, const struct dp_neigh *entry);

// ---- counters ----

// Sums over all workers since the port was created.
void dp_port_stats(struct dp *dp, uint16_t port_id, struct dp_port_stats *ret_stats);

unsigned dp_nb_workers(const struct dp *dp);
void dp_worker_stats(struct dp *dp, unsigned worker, struct dp_worker_stats *ret_stats);

// ---- tracing ----

#define DP_ALL_PORTS UINT16_MAX

// Tells `trace` (site.h) of all packets of a port, or of DP_ALL_PORTS, from now on; NULL stops
// that. The trace belongs to the index, whatever port has it. Workers may still use the trace that
// was set before: free it with dp_retire().
void dp_trace_set(struct dp *dp, uint16_t port_id, struct dp_trace *trace);

// ---- for tests: one round of worker 0 on the calling thread; returns the packets received ----
unsigned dp_poll(struct dp *dp);
