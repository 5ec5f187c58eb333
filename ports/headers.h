// SPDX-License-Identifier: BSD-3-Clause
// Where the headers of a frame are, for what a virtio-net header says of them. Used by the files
// that turn those into flags. Pure functions, any thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#define HEADERS_L3_MAX 511 // bytes: an mbuf's l3_len has 9 bits

// What is in the frame up to its transport header.
struct headers {
	uint32_t l2_bytes, l3_bytes;
	uint32_t ip_bytes; // of the whole IP packet, as its header says
	uint8_t proto; // of the transport; 0 when it cannot be told (a fragment, an unknown header)
	bool is_ip6, has_ext;
};

// `len_bytes` bytes at `off_bytes`, or NULL when the frame has not as many. They must lie in the
// first segment, where every receive function puts the headers.
const void *headers_at(const struct rte_mbuf *m, uint32_t off_bytes, uint32_t len_bytes);

// Returns -EINVAL when the frame ends inside its headers. Frames that are not IP have proto 0.
int headers_parse(const struct rte_mbuf *m, struct headers *ret_h);
