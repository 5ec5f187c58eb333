// SPDX-License-Identifier: BSD-3-Clause
// Frames with real headers, byte by byte: to HOST(9), and as a container at HOST(1) sends them.
#pragma once

#include <stdint.h>

#include "tests/dp/harness.h"

#define IP(n)	(0x0a000000u | (n)) // 10.0.0.0/8
#define FD(n)	0xfd00000000000000ull, (n)
#define OWN_EUI 0xfe80000000000000ull, 0x000000fffe000001ull // of HOST(1)
#define UDP	17
#define TCP	6
#define ICMP6	58

struct bytes {
	unsigned len;
	uint8_t at[256];
};

// Appends the last `len` bytes of a number, in network order.
void put(struct bytes *b, uint64_t value, unsigned len);

struct bytes ethernet(uint64_t src, unsigned tag, uint16_t type);

// `ports` are the first four bytes of what the packet carries.
struct bytes ip4_to(
	uint64_t src, unsigned tag, uint32_t from, uint32_t to, uint8_t proto, uint32_t ports);

// To ff02::1, with hop limit 255; the payload is the caller's.
struct bytes ip6(uint64_t high, uint64_t low, uint8_t proto, unsigned payload_bytes);

// A header of IPv6 that holds nothing, before one of the kind `next`.
void put_header(struct bytes *b, uint8_t next);

// Sends it by A twice: whole, and in buffers that end within headers. It leaves by B as it is; or
// it is dropped, and counted at `port`.
#define goes(b)			    (HERE, bytes_go(b))
#define dropped_at(port, b, reason) (HERE, bytes_dropped(b, port, reason))
void bytes_go(struct bytes b);
void bytes_dropped(struct bytes b, unsigned port, enum dp_drop_reason reason);
