// SPDX-License-Identifier: BSD-3-Clause
// The pipeline: stages that run one after the other over a batch of packets from one receive queue.
//
//     (gro -> demux ->) parse -> guard -> learn -> lookup -> suppress -> flood -> egress
//
// Each stage is a function in a file of its own and a row in stages.h. Stages leave in the batch
// what later ones need; a packet that a stage drops is taken out of the batch. `gro` and `demux`
// run only for ports that receive for others, `guard` only for ports that have one, `suppress` and
// `flood` only when the batch has frames to flood. Runs on workers.
//
// Most batches are uniform: no tags or the same one, nothing to segment, one port to leave by. The
// stages find that out with sums over the batch, not by looking at each packet in turn, and then
// decide once for the whole batch.
#pragma once

#include <stdint.h>

#include <rte_ether.h>
#include <rte_mbuf.h>
#include <rte_prefetch.h>

#include "dp/dp_counters.h"
#include "dp/snapshot.h"
#include "dp/stages.h"

#define DP_GROUP_BIT 1ull // of an address as in struct dp_batch: individual or group

// The result of stage demux: groups of packets, one for each port.
struct dp_sorted {
	uint16_t nb_groups, next; // group
	uint16_t port[DP_BURST], end[DP_BURST];
	struct rte_mbuf *pkt[DP_BURST];
};

struct dp_batch {
	const struct dp_snap_port *in;
	struct dp_site *in_at;
	uint16_t in_id;
	uint16_t n;
	// Bit i is of packet i. The loops that make such masks run backwards, so that each round
	// shifts by one.
	uint64_t tagged; // it has a VLAN tag in its data
	uint64_t group;	 // its destination is a group address
	uint64_t flood;	 // it is to be flooded
	bool whole;	 // all packets are as they are on the wire, each in one buffer
	bool unshared;	 // nobody else has their buffers: they may be written to
	bool alike;	 // no packet has a tag, or all have one, of the VLAN `common`
	uint16_t common;
	bool together;		 // all leave by one port, and none is to be flooded
	bool one_pair;		 // src, dst, entry of the first packet are those of all
	uint32_t longest_bytes;	 // of a packet
	uint16_t shortest_bytes; // of a packet's first buffer, if all are alike
	struct rte_mbuf *pkt[DP_BURST];
	uint64_t src[DP_BURST], dst[DP_BURST]; // forwarding table keys
	const struct fdb_bucket *src_bucket[DP_BURST], *dst_bucket[DP_BURST]; // primary ones
	uint64_t entry[DP_BURST]; // forwarding table value of dst; not for those to be flooded
	uint16_t vlan[DP_BURST];  // where the frame belongs, unless all are alike
	struct dp_sorted sorted;
};

// Packets that are transmitted at the end of the round, or when there are enough of them.
struct dp_txbuf {
	uint16_t n;
	bool listed; // in the worker's list of ports to flush
	struct rte_mbuf *pkt[DP_BURST];
};

// What a port has had flooded by a worker, as far as the seconds since have not paid for it.
struct dp_flooded {
	uint32_t second;
	uint64_t spent; // FLOOD_LIMIT_HOSTS for a frame, or one for each remote if these are more
};

// What a worker's stages work with; private to the worker.
struct dp_context {
	const struct dp_snap *snap;
	struct fdb *fdb;
	struct fdb_table *table;
	uint32_t now_s;
	uint16_t worker, nb_workers;
	uint16_t in_id; // port of the batch
	struct rte_mempool *pool;
	struct dp_site *site; // by port id
	struct fdb_counters fdb_cnt;
	struct dp_flooded *flooded; // by port id
	struct dp_txbuf *txbuf;	    // by port id
	uint16_t *dirty;	    // ids of ports whose txbuf is not empty
	unsigned nb_dirty;
	bool calls_main; // a port has failed (dp_port_fail()), or asks for it
	struct dp_stage_stats stage[DP_NB_STAGES];
	uint64_t batches, batch_sizes[DP_BATCH_SIZES];
};

// Runs the batch through all stages. The packets then belong to ports or are gone.
void dp_pipeline_run(struct dp_context *ctx, struct dp_batch *b);

// ---- the stages ----

#define X(symbol, name, fn, needed_by, help) void fn(struct dp_context *ctx, struct dp_batch *b);
DP_STAGES(X)
#undef X

// ---- helpers of stages ----

// The batch is one of packets that the port has received.
static inline void dp_batch_enter(struct dp_context *ctx, struct dp_batch *b, uint16_t port_id)
{
	b->in = &ctx->snap->port[port_id];
	b->in_id = port_id;
	b->in_at = &ctx->site[port_id];
}

// Makes the next group from stage demux the batch. False: there is none.
bool dp_demux_next(struct dp_context *ctx, struct dp_batch *b);

// Takes the packets whose bits are set in `gone` out of the batch (they are dropped already).
void dp_batch_remove(struct dp_batch *b, uint64_t gone);

// For packets that must be looked at one by one: gives each the keys that all share.
void dp_batch_spread(struct dp_batch *b);

// Sets the keys of packet `i`, and fetches their buckets into the cache.
static inline void dp_batch_keys(
	struct dp_batch *b, unsigned i, struct fdb_index index, uint64_t src, uint64_t dst)
{
	b->src[i] = src;
	b->dst[i] = dst;
	b->src_bucket[i] = fdb_primary(index, src);
	b->dst_bucket[i] = fdb_primary(index, dst);
	rte_prefetch0(b->src_bucket[i]);
	rte_prefetch0(b->dst_bucket[i]);
}

// The VLAN that packet `i` belongs to.
static inline uint16_t dp_batch_vlan(const struct dp_batch *b, unsigned i)
{
	return b->alike ? b->common : b->vlan[i];
}

// Brings the frame into the form in which `vlan` leaves `port` and queues it there, or drops it
// with a reason of that port. `tagged`: it has a tag now.
void dp_egress_one(
	struct dp_context *ctx, uint16_t port, struct rte_mbuf *m, uint16_t vlan, bool tagged);

// Transmits what waits for one port, or for all.
void dp_tx_flush(struct dp_context *ctx, uint16_t port);
void dp_tx_flush_all(struct dp_context *ctx);

// ---- VLAN tags in the packet's data (vlan.c); IEEE 802.1Q 9.6 ----

// Adds the tag after the addresses. `m` must not be shared. -ENOBUFS without headroom.
int dp_vlan_push(struct rte_mbuf *m, uint16_t vlan);
void dp_vlan_pop(struct rte_mbuf *m);

// The same with `n` packets that need no offload work. False, with nothing done, when one of them
// has no headroom.
bool dp_vlan_push_all(struct rte_mbuf **pkts, uint16_t n, uint16_t vlan);
void dp_vlan_pop_all(struct rte_mbuf **pkts, uint16_t n);

// Gives the tag of a frame the VLAN; its priority stays. `m` must not be shared.
void dp_vlan_set(struct rte_mbuf *m, uint16_t vlan);

// Whether the tag of a tagged frame says no VLAN, but a priority.
bool dp_vlan_is_priority(const struct rte_mbuf *m);

// Which VLAN a tagged frame from `in` belongs to. A priority tag says nothing of one: it stays, for
// the priority in it, or is taken off where there is none, or another tag behind it. Returns a drop
// reason, or -1 with the VLAN and whether the frame has a tag now.
int dp_vlan_classify(
	const struct dp_snap_port *in, struct rte_mbuf *m, uint16_t *ret_vlan, bool *ret_tagged);

#define DP_VLAN_TAG_BYTES 4
