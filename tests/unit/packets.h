// SPDX-License-Identifier: BSD-3-Clause
// What tests of offloads share: packets built from scratch, with sums taken the slow way, and the
// mbufs that hold them.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "dp/drop.h"
#include "dp/offload.h"

// More than the longest chain that a test makes of pieces of a few bytes.
#define NB_MBUFS       8191
#define BIG_ROOM_BYTES 65535
#define PACKET_BYTES   66000
#define PAYLOAD_BYTES  65536

#define NO_OFFLOADS 0
#define CHAINS	    RTE_ETH_TX_OFFLOAD_MULTI_SEGS

extern struct rte_mempool *pool, *big_pool;
extern struct dp_site cnt;
extern struct rte_mbuf *out[DP_GSO_MAX];
extern uint8_t payload[PAYLOAD_BYTES]; // random
extern unsigned seed;

// A packet, or the large one that stands for several.
struct spec {
	bool v6, tcp;
	unsigned tags;	  // VLAN tags
	unsigned l3_opts; // bytes of IPv4 options or IPv6 extension headers, multiple of 8
	unsigned l4_opts; // bytes of TCP options, multiple of 4
	unsigned payload_bytes;
	uint16_t mss; // 0: not to be segmented
	uint8_t flags;
	uint32_t seq;
	uint16_t id;
};

// Starts DPDK without hugepages, makes the pools, fills `payload`. An argument of the program is
// the seed of an earlier run. Returns 0 or -1.
int packets_init(int argc, char **argv);

// For the teardown of a test: all buffers are back.
int no_leak(void **state);
#define LEAKTEST(fn) cmocka_unit_test_teardown(fn, no_leak)

// ---- bytes ----

unsigned l2_len(const struct spec *s);
unsigned l3_len(const struct spec *s);
unsigned l4_len(const struct spec *s);
unsigned headers_len(const struct spec *s);
unsigned csum_field(const struct spec *s); // where the L4 checksum is

uint8_t *put16(uint8_t *p, unsigned v); // big-endian; return what follows
uint8_t *put32(uint8_t *p, uint32_t v);

// RFC 1071, byte by byte, in the byte order of the network.
uint32_t slow_sum(const uint8_t *p, unsigned len, uint32_t sum);
uint32_t pseudo_sum(const struct spec *s, const uint8_t *ip, unsigned l4_bytes);

// Builds the packet with payload bytes [from, from + n). `partial`: its L4 checksum is left to do.
// Returns its length.
unsigned build(uint8_t *pkt, const struct spec *s, unsigned from, unsigned n, unsigned index,
	uint8_t flags, bool partial);
unsigned nb_segments(const struct spec *s);
unsigned build_segment(uint8_t *pkt, const struct spec *s, unsigned index, bool partial);

// Calls `fn` for TCP and UDP, both IP versions, options, and none to two VLAN tags.
void each_protocol(void (*fn)(struct spec *s));

// ---- mbufs ----

// The bytes in a chain of buffers of at most `chunk` bytes each.
struct rte_mbuf *chain_of(const uint8_t *bytes, unsigned len, unsigned chunk);
void set_offload(struct rte_mbuf *m, const struct spec *s);
struct rte_mbuf *large_of(const struct spec *s, unsigned chunk);
void assert_bytes(const struct rte_mbuf *m, const uint8_t *want, unsigned len);

// Finishes a packet as `s` says for a port with `offloads` and checks all that comes out.
void check(const struct spec *s, unsigned chunk, uint64_t offloads);
void finish_and_compare(struct rte_mbuf *m, const struct spec *s); // for a port without any

// dp_offload_finish() drops `m` for this reason and no other.
void refused(struct rte_mbuf *m, uint64_t offloads, uint16_t room, enum dp_drop_reason reason);

// Writes the bytes that `text` has as pairs of hexadecimal digits, blanks between them or not.
// Returns their number.
unsigned hex(uint8_t *bytes, const char *text);
