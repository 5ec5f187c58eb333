// SPDX-License-Identifier: BSD-3-Clause
// What the tests of GRO share: frames of a sender, what comes out of it, and what that stands for.
#pragma once

#include "dp/gro.h"
#include "tests/unit/packets.h"

#define FRAMES_MAX 128
#define ACK	   0x10
#define PSH	   0x08

// The frames as they were sent, and the packets made of them.
extern struct gro_bed {
	uint8_t bytes[FRAMES_MAX][2048];
	unsigned len[FRAMES_MAX];
	unsigned count;
	struct rte_mbuf *pkt[FRAMES_MAX];
	unsigned nb_pkts;
} gro_bed;

extern const struct spec tcp4, tcp6;

void begin(void);

uint8_t *add(const struct spec *spec, unsigned from, unsigned n, unsigned index, int flags);

void add_all(const struct spec *spec);

// Makes the frame's checksums right again.
void refresh(uint8_t *pkt, const struct spec *spec, unsigned len);

void receive(unsigned chunk);

void merge(void);

// What ports/vnet_hdr.c makes of the header that a tap would get with the packet.
void check_header(const struct rte_mbuf *m);

// Cuts the packets again and compares with the frames, of which some may have been reordered.
void compare(const unsigned *order);

void expect(unsigned nb_pkts);
