// SPDX-License-Identifier: BSD-3-Clause
// Heartbeats of a tunnel endpoint. Workers take them out of what they receive and hand them to the
// main thread, which sends and answers them.
#pragma once

#include <rte_mbuf.h>
#include <rte_ring_elem.h>

#include "vxlan/vtep.h"

#define LIVENESS_RING 1024 // heartbeats that main has not looked at yet

// A heartbeat that was received.
struct liveness_heard {
	struct heartbeat_msg msg;
	uint32_t vni, bytes; // network and size of the frame
	uint16_t remote;
};

_Static_assert(sizeof(struct liveness_heard) % 4 == 0, "rte_ring has elements of such sizes");

int liveness_init(struct liveness *liveness);
void liveness_fini(struct liveness *liveness);

// Adds what heartbeats tell of the remote to `obj`.
void liveness_describe(const struct vtep *vtep, const struct vtep_remote *remote, json_t *obj);

// ---- workers ----

// Whether the frame goes where heartbeats go. It has 14 bytes at least.
static inline bool liveness_is_dst(const uint8_t *frame)
{
	uint64_t word;

	memcpy(&word, frame, sizeof(word));
	return (word & HEARTBEAT_DST_MASK) == HEARTBEAT_DST;
}

// Takes a frame that goes there and came from dp_remote() in a network, when it is a heartbeat.
bool liveness_take(struct vtep *vtep, struct rte_mbuf *m, uint32_t vni, struct dp_counters *cnt);
