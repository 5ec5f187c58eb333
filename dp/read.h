// SPDX-License-Identifier: BSD-3-Clause
// Headers of one packet at a time, for what does not look at whole batches.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <rte_mbuf.h>

#define DP_IP4_PLAIN 0x45 // first byte of an IPv4 header: version 4, no options

// Copies `len_bytes` of the packet from `off_bytes` on, whatever buffers they lie in. False: the
// packet has fewer.
static inline bool dp_read(
	const struct rte_mbuf *m, uint32_t off_bytes, uint32_t len_bytes, void *to)
{
	const void *at = rte_pktmbuf_read(m, off_bytes, len_bytes, to);

	if (!at)
		return false;
	if (at != to)
		memcpy(to, at, len_bytes);
	return true;
}
