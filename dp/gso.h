// SPDX-License-Identifier: BSD-3-Clause
// Software segmentation, and the checked view of a packet's headers that it and the checksum code
// share. Used by offload.c only. Pure functions; any worker.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>
#include <rte_mempool.h>

// Longest Ethernet, IP and L4 headers that the length fields of an mbuf can name.
#define DP_HEADERS_MAX 1024

// The headers that the offload flags describe. All offsets are in bytes from the start of the
// packet and lie inside it.
struct dp_headers {
	bool is_ipv6, is_tcp;
	bool via; // the final destination may be in an option or routing header
	uint16_t l3_off, l4_off;
	uint16_t l4_len;   // TCP: with options
	uint16_t csum_off; // of the L4 checksum
	uint32_t end;	   // of the IP packet; bytes after it are padding
};

// Checks that the packet's headers agree with its transmit flags, l2_len, l3_len and (if it needs
// segmentation) l4_len. Reads nothing outside the packet. Returns false if they differ.
bool dp_headers_check(const struct rte_mbuf *m, struct dp_headers *ret_hdr);

// Writes the L4 checksum of a packet whose checksum field holds the pseudo-header sum. The field's
// bytes must be writable and in the packet's first segment.
void dp_headers_fill_checksum(struct rte_mbuf *m, const struct dp_headers *hdr);

// Cuts `m`, which stays unchanged, into packets with buffers of `pool`. Their checksums are filled
// or, with `leave_csum`, left partial with the flags that say so. Returns their
// number, or a negative errno: -ENOMEM (no buffer), -EMSGSIZE (more than `room`; a segment larger
// than a buffer without `chain`), -EINVAL (tso_segsz too small).
int dp_gso(const struct rte_mbuf *m, const struct dp_headers *hdr, struct rte_mempool *pool,
	bool chain, bool leave_csum, struct rte_mbuf **out, uint16_t room);
