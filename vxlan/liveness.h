// SPDX-License-Identifier: BSD-3-Clause
// Heartbeats of a VTEP. The pipeline offers VNIs what no bridge forwards; what is a
// heartbeat of these is handed to the main thread, which sends and answers them. So they cost other
// frames nothing.
#pragma once

#include <rte_mbuf.h>
#include <rte_ring_elem.h>

#include "vxlan/vtep.h"

#define LIVENESS_RING 1024 // heartbeats that main has not looked at yet

// A heartbeat that was received.
struct liveness_heard {
	struct heartbeat_msg msg;
	uint32_t vni, bytes; // VNI and size of the frame
	uint16_t remote;
};

_Static_assert(sizeof(struct liveness_heard) % 4 == 0, "rte_ring has elements of such sizes");

int liveness_init(struct liveness *liveness);
void liveness_fini(struct liveness *liveness);

// Adds what heartbeats tell of the remote to `obj`.
void liveness_describe(const struct vtep *vtep, const struct vtep_remote *remote, json_t *obj);

// ---- workers ----

// Takes a frame that came from dp_remote(), when it is a heartbeat: dp_port.take_local of VNIs.
dp_local_fn liveness_take;
