// SPDX-License-Identifier: BSD-3-Clause
// Finishes a packet whose transmit flags leave something to do (dp/dp_port.h) without copying
// or touching it: each frame that it stands for is new headers, checksums filled, and slices of its
// payload, as sendmsg(2) takes them. As dp/gso.c, for whoever can gather.
// Pure functions; any worker.
#pragma once

#include <sys/uio.h>

#include <rte_mbuf.h>

#include "dp/gso.h"

struct cut {
	struct dp_headers hdr;
	uint32_t hdr_bytes;	  // of the headers of each frame
	uint32_t mss, todo_bytes; // of payload
	uint32_t tail_bytes;	  // behind the IP packet
	uint64_t pseudo_sum;	  // of the pseudo header without its length
	bool segments;
	uint16_t index;		    // of the frame that comes next
	const uint8_t *headers;	    // of the packet
	const struct rte_mbuf *seg; // where its payload goes on
	uint32_t off_bytes;
	uint8_t copy[DP_HEADERS_MAX]; // of headers that lie in several buffers
};

// Returns false when the headers are not what the flags say. `m` must stay while it is cut.
bool cut_begin(struct cut *cut, const struct rte_mbuf *m);

// Writes `cut->hdr_bytes` bytes of headers of the next frame to `headers`, and its payload to `iov`
// (room for as many as the packet has buffers). Returns the number of slices and the frame's size.
// To be called until cut_done().
unsigned cut_next(struct cut *cut, uint8_t *headers, struct iovec *iov, uint32_t *ret_bytes);

static inline bool cut_done(const struct cut *cut)
{
	return !cut->todo_bytes && cut->index;
}
