// SPDX-License-Identifier: BSD-3-Clause
// What the tests of ECN, traffic class and TTL share: frames with all three, and what RFC 6040
// makes of the first.
#pragma once

#include <string.h>

#include "base/util.h"
#include "tests/unit/packets.h"

#define DROPPED	   (-1)
#define NOT_ECT	   0
#define ECT1	   1
#define ECT0	   2
#define CE	   3
#define NB_KINDS   7
#define NO_IP_KIND 5 // this one and those behind it have no IP header that counts

// RFC 6040, figure 4, a row for each inner header.
static const struct {
	int inner, outer, then;
} ecn_rules[] = {
	{NOT_ECT, NOT_ECT, NOT_ECT},
	{NOT_ECT, ECT0, NOT_ECT},
	{NOT_ECT, ECT1, NOT_ECT},
	{NOT_ECT, CE, DROPPED},
	{ECT0, NOT_ECT, ECT0},
	{ECT0, ECT0, ECT0},
	{ECT0, ECT1, ECT1},
	{ECT0, CE, CE},
	{ECT1, NOT_ECT, ECT1},
	{ECT1, ECT0, ECT1},
	{ECT1, ECT1, ECT1},
	{ECT1, CE, CE},
	{CE, NOT_ECT, CE},
	{CE, ECT0, CE},
	{CE, ECT1, CE},
	{CE, CE, CE},
};

_Static_assert(ARRAY_SIZE(ecn_rules) == 16, "four times four");

// Sets traffic class and TTL of an IP header.
static inline void set_class(uint8_t *ip, unsigned tos, unsigned ttl)
{
	unsigned bytes = (ip[0] & 0xf) * 4;

	if (ip[0] >> 4 == 6) {
		put32(ip, 6u << 28 | tos << 20 | (ip[1] & 0xfu) << 16 | ip[2] << 8 | ip[3]);
		ip[7] = ttl;
		return;
	}
	ip[1] = tos;
	ip[8] = ttl;
	put16(ip + 10, 0);
	put16(ip + 10, (uint16_t)~slow_sum(ip, bytes, 0));
}

// A frame of one of several kinds; `id` is in it. Those without an IP header get neither.
static inline unsigned frame_of_kind(
	uint8_t *frame, unsigned kind, unsigned id, unsigned tos, unsigned ttl)
{
	static const struct spec kinds[NB_KINDS] = {
		{.tcp = true},
		{.v6 = true},
		{.tags = 1, .l3_opts = 8},
		{.v6 = true, .tcp = true, .tags = 2},
		{.tcp = true, .tags = 2},
		{.tags = 3},
		{},
	};
	struct spec s = kinds[kind];
	unsigned len;

	s.id = id;
	s.payload_bytes = 200;
	len = build_segment(frame, &s, 0, false);
	if (kind < NO_IP_KIND)
		set_class(frame + l2_len(&s), tos, ttl);
	else if (!s.tags)
		put16(frame + 12, 0x88b5);
	return len;
}
