// SPDX-License-Identifier: BSD-3-Clause
// What the tests of VTEPs share that have a port to themselves: the test plays that
// port, hosts are numbers, and each test runs over IPv4 and over IPv6. Nothing may be left over:
// packets that were sent must be taken, drops must be counted.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <rte_ethdev.h>

#include "dp/resolve.h"
#include "tests/unit/packets.h"
#include "vxlan/codec.h"
#include "vxlan/vxlan.h"

#define VNI	0x123456
#define PORT_ID 77
#define WAITING 8 // packets for a next hop that is not known
#define GATEWAY 254
#define FAR	1000 // hosts from here on are beyond it

extern bool v6;
extern struct dp *dp;
extern struct vtep *vtep;
extern struct vni *vni;
extern struct dp_port lower;
extern struct dp_site rx_cnt, tx_cnt;
extern struct conf_vtep conf;
extern const struct mac own_mac; // of host 1, the VTEP

extern char last_event[128]; // name and data

// What poll_end() has got.
extern struct rte_mbuf *got[DP_BURST];
extern unsigned nb_got;

#define BOTH(fn)                                                                                   \
	{#fn " (IPv4)", fn, end_setup, end_teardown, NULL},                                        \
	{                                                                                          \
#fn " (IPv6)", fn, end_setup, end_teardown, "6"                                    \
	}

// ---- the lower port ----

struct rte_mbuf *next(void);  // that was sent; the caller frees it
unsigned bytes_of_next(void); // 0: nothing was sent
void sent_bytes(const uint8_t *want, unsigned len);
void nothing_more(void); // was sent

uint64_t drops_of(const struct dp_site *c);
// `count` packets were dropped for this reason, and none for another.
void dropped(struct dp_site *c, enum dp_drop_reason reason, unsigned count);

// ---- packets ----

struct ip_addr ip_of(unsigned host);
struct mac mac_of(unsigned host);

unsigned ip_bytes(void);    // of an outer IP header
unsigned outer_bytes(void); // of all outer headers

struct outer {
	struct mac to, from;
	unsigned dst, src; // hosts
	uint16_t src_port, dst_port;
	uint32_t number; // of the network
	bool checksum;	 // of UDP
};

// As it comes from a host to the VTEP.
struct outer from_host(unsigned host);
// Puts outer headers before a frame. Returns the packet's length.
unsigned wrap(uint8_t *pkt, const struct outer *o, const uint8_t *inner, unsigned len);
// Sets the outer checksums, after changes.
void sums(uint8_t *pkt, unsigned udp_bytes, bool checksum);
// An inner frame of UDP, or of nothing that is known. Frames with different ids differ.
unsigned inner_of(uint8_t *frame, unsigned id, unsigned len);
// What goes to `host` by way of the one with `via`'s MAC.
unsigned expected(uint8_t *pkt, unsigned host, unsigned via, unsigned id, unsigned len);

// ---- the VTEP ----

int end_setup(void **state);
int end_teardown(void **state);
// The VTEP again, with what the test has changed in `conf` and `lower`.
void reopen(void);

uint16_t number_of(unsigned host); // as a remote
void add_remote(unsigned host, bool flood);
void add_known(unsigned host, bool flood); // one whose MAC is known at once
void del_remote(unsigned host, bool flood);

uint32_t at_ms(uint64_t ms); // vtep_service()

void put_in(struct rte_mbuf *m); // to be received
void poll_end(void);
void receive(const uint8_t *bytes, unsigned len); // both
void got_frame(unsigned at, unsigned host, const uint8_t *frame, unsigned len);
void got_nothing(enum dp_drop_reason reason);

struct rte_mbuf *frame_to(unsigned host, unsigned id, unsigned len); // 0: to all
void transmit(struct rte_mbuf **pkts, unsigned n);
void send_to(unsigned host, unsigned id, unsigned len); // both
void sent_to(unsigned host, unsigned via, unsigned id, unsigned len);

// A question for the host: of all, or of the one that had the MAC.
void sent_question(unsigned host, bool to_all);
// `host` says to the VTEP that it is at `mac`.
void says(unsigned host, unsigned mac);
