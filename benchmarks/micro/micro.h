// SPDX-License-Identifier: BSD-3-Clause
// Micro-benchmarks of the data plane: what one operation costs, without devices and on one CPU. A
// subject is a file of functions here, a benchmark a row of the array in main.c. The data is the
// same in every run.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "dp/fdb.h"

struct micro_ops {
	void (*setup)(uint64_t size);
	void (*prepare)(void); // before each repetition, not timed; NULL: nothing to do
	uint64_t (*run)(void); // one repetition, timed; returns how many operations it was
	// Checks that what was measured did what it should, and gives everything back.
	void (*teardown)(void);
};

struct micro {
	const char *name, *operation;
	const struct micro_ops *ops;
	uint64_t size;	// for setup(): what it means is the subject's own
	uint32_t bytes; // that an operation handles, for MB/s; 0: that says nothing here
};

// fdb.c; size: entries of the table
extern const struct micro_ops micro_fdb_hit, micro_fdb_miss, micro_fdb_learn_hit, micro_fdb_age,
	micro_fdb_learn_new;
// pipeline.c; size: ports that the frames leave by
extern const struct micro_ops micro_parse, micro_parse_tagged, micro_learn, micro_lookup,
	micro_egress, micro_poll, micro_poll_tagged;
// The same; size: version of IP
extern const struct micro_ops micro_guard, micro_poll_own, micro_poll_guarded;
// vlan.c
extern const struct micro_ops micro_vlan_push, micro_vlan_pop;
// offload.c; size: bytes, or of segmentation and merging the version of IP
extern const struct micro_ops micro_checksum, micro_finish, micro_segment, micro_merge,
	micro_merge_none, micro_fits;

// vxlan.c; size: remote VTEPs
extern const struct micro_ops micro_encap, micro_decap;

// Ends the program with an error when a benchmark did not do what it measures.
void micro_check(bool ok, const char *what);

// Buffers of 2 KiB and of 64 KiB, as the switch has them.
extern struct rte_mempool *micro_pool, *micro_big_pool;

// An Ethernet frame of `len_bytes` with these addresses (48-bit numbers, first byte lowest) and,
// unless `vlan` is 0, a tag.
struct rte_mbuf *micro_frame(uint64_t dst, uint64_t src, uint16_t vlan, uint16_t len_bytes);

// The next of a fixed row of numbers without a pattern. `state` starts as anything.
uint64_t micro_random(uint64_t *state);
// The same for addresses that a host may have.
uint64_t micro_mac(uint64_t *state);
// Gives an empty table a hash that is not secret, so that each run fills the same buckets.
void micro_fix_hash(struct fdb *fdb);
