// SPDX-License-Identifier: BSD-3-Clause
// One's-complement sums over packets (RFC 1071). Sums are of 16-bit words in memory order, folded
// and not complemented: what is stored in a packet is their complement. Pure functions; any worker.
#pragma once

#include <stdint.h>

#include <rte_mbuf.h>

// Folds a sum of 16-bit (or wider, in memory order) words down to 16 bits.
static inline uint16_t dp_sum_fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

// What becomes of a sum when a word in it does (RFC 1624).
static inline uint16_t dp_sum_with(uint16_t sum, uint16_t old, uint16_t new)
{
	return dp_sum_fold((uint64_t)sum + (uint16_t)~old + new);
}

// The sum over `len_bytes` bytes at `data`, of any alignment. An odd last byte counts as the
// first of a word whose second byte is zero.
uint16_t dp_sum(const void *data, uint32_t len_bytes);

// The sum over `len_bytes` bytes of the packet from `off_bytes` on. Both lie inside the packet.
uint16_t dp_sum_mbuf(const struct rte_mbuf *m, uint32_t off_bytes, uint32_t len_bytes);
