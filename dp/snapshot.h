// SPDX-License-Identifier: BSD-3-Clause
// A snapshot: everything that workers know about ports and bridges. It is immutable from its
// publication until the grace period after its successor's publication has ended.
#pragma once

#include <stdint.h>

#include "dp/dp.h"
#include "dp/fdb.h"
#include "dp/guard.h"
#include "dp/neigh.h"

#define DP_VID_MASK 0x0fff // also the reserved VLAN id that no port carries

// What the pipeline needs of a bridge.
struct dp_snap_bridge {
	uint32_t fdb_limit;
	uint16_t id;
	uint16_t nb_members;
	const uint16_t *member; // port ids
	const neigh_cell *neigh;
};

// No frame goes from a port to another that has one of these in common with it.
#define DP_APART_TUNNEL	  1u // what came from another switch: the third has it from the first
#define DP_APART_ISOLATED 2u

// What must be minded when a port transmits.
#define DP_TX_LOCK 1u // fewer transmit queues than workers
#define DP_TX_GATE 2u // gate.h; the port's guard lists its own addresses

// What the pipeline needs of a port.
struct dp_snap_port {
	struct dp_port *port; // NULL: no such port in this snapshot
	const struct dp_snap_bridge *bridge;
	const struct vlan_set *carried; // VLANs, `pvid` among them
	uint64_t tx_offloads;
	uint32_t fdb_limit;
	uint16_t mtu;
	uint16_t pvid;	   // VLAN of untagged frames in
	uint16_t pvid_fid; // its FID
	uint8_t vlan_mode; // enum conf_vlan_mode
	bool tunnel;	   // see struct dp_port
	uint8_t apart;	   // DP_APART_*
	bool no_learning;
	bool guarded;	 // dp_snap.guard has one; a pointer would not fit the cache line
	uint8_t tx_care; // DP_TX_*
	uint8_t rxq_worker[DP_QUEUES_MAX];
} __rte_cache_aligned;

struct dp_snap_rxq {
	uint16_t port, queue;
	int fd; // -1: polled only
};

struct dp_snap_worker {
	unsigned nb_polled; // queues without an fd: polled in every round
	unsigned nb_armed;  // queues whose fd must be armed before sleeping
	unsigned nb_rxq;
	const struct dp_snap_rxq *polled, *armed;
};

struct dp_snap {
	unsigned nb_ports;	       // highest port id in use + 1
	struct dp_snap_port *port;     // by id
	const struct dp_guard **guard; // by id; of those that have one
	const struct dp_ips **peers;   // by id; whom a gateway hears; NULL: anybody
	uint32_t *flood_limit;	       // by id; frames a second, 0: none
	struct dp_snap_worker worker[CONF_WORKERS_MAX];
	// Backing of the lists above.
	struct dp_snap_bridge *bridges;
	uint16_t *members;
	struct dp_snap_rxq *rxqs;
	struct vlan_set *sets;
	struct dp_guard *guards;
	struct dp_ips *lists;
};

// Builds a snapshot of `view`. `owner` has the worker that polls each queue: where it is -1, the
// worker with the fewest queues is chosen and written there.
struct dp_snap *dp_snap_new(const struct dp_view *view, struct fdb *fdb, unsigned nb_workers,
	int8_t (*owner)[DP_QUEUES_MAX]);
void dp_snap_free(struct dp_snap *snap);

// Whether a port carries a VLAN. (VLAN 0: untagged without a tag=.)
static inline bool dp_snap_carries(const struct dp_snap_port *p, uint16_t vlan)
{
	if (p->vlan_mode == CONF_VLAN_ACCESS) // without touching the set
		return vlan == p->pvid;
	return vlan_set_has(p->carried, vlan & DP_VID_MASK);
}

// Whether a frame of `vlan` leaves the port with a tag.
static inline bool dp_snap_tags(const struct dp_snap_port *p, uint16_t vlan)
{
	switch (p->vlan_mode) {
	case CONF_VLAN_ACCESS:
		return false;
	case CONF_VLAN_NATIVE_UNTAGGED:
		return vlan != 0 && vlan != p->pvid;
	default:
		return vlan != 0;
	}
}
