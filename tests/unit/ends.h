// SPDX-License-Identifier: BSD-3-Clause
// What the tests of VTEPs share: VTEPs over real sockets, without the rest of the
// switch, in network namespaces `a` and `b` with a veth pair between them. Frames go in by a
// network's tx() and come out by the other VTEP's rx().
//
// Needs root: ends_run() moves the program into mount and network namespaces of its own first.
// a: 10.9.0.1, fd09::1; b: 10.9.0.2 to .4, fd09::2.
#pragma once

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/packets.h"
#include "vxlan/vxlan.h"

#define VNI	   42
#define WAIT_US	   1000000
#define SETTLE_US  20000 // for frames that are not to come
#define FRAMES_MAX 256

// What the last send and receive have counted, and what was received.
extern struct dp_site rx_cnt, tx_cnt;
extern struct rte_mbuf *got[FRAMES_MAX];
extern unsigned nb_got;
extern char last_event[64]; // name and data

// A VTEP with one network.
struct end {
	struct vtep *vtep;
	struct vni *vni;
	uint16_t port_id;
};

// ---- VTEPs ----

struct vxlan_env the_env(void);
struct ip_addr ip_of(const char *text);
struct conf_vtep conf_of(const char *netns, const char *address);
struct end end_of(const struct conf_vtep *conf, uint32_t number);
struct end end_at(const char *netns, const char *address);
void close_end(struct end *end);

// Makes the remote known to the network. Returns its number.
uint16_t knows(struct end *end, const char *address, bool flood);

// ---- frames ----

void send_to(struct end *end, uint16_t remote, struct rte_mbuf **pkts, unsigned n);
// The last send_to() has sent this many and counted these drops, no others.
void expect_tx(uint64_t packets, enum dp_drop_reason reason, uint64_t drops);

// Receives until there are `want` frames (into got[]), at most `room` with one call; then nothing
// more may be there.
void receive_by(struct end *end, unsigned want, uint16_t room);
void receive(struct end *end, unsigned want);
void free_got(void);
// Frames were sent, and all that the VTEP at the other end does is to count `n` drops.
void expect_rx_drop(struct end *end, enum dp_drop_reason reason, unsigned n);

// A TCP frame with this much payload, that tells its index.
struct rte_mbuf *small_frame(unsigned payload_bytes, unsigned index);
void assert_small_frame(const struct rte_mbuf *m, unsigned payload_bytes, unsigned index);

// Frames `from` to its remote, which takes them for those of `back`.
void one_way(struct end *from, uint16_t remote, struct end *to, uint16_t back);

// ---- the machine ----

void run(const char *command); // by the shell
int socket_in_b(int family, int type);
struct sockaddr_in sockaddr_of(const char *ip, uint16_t port);

// For the teardown of a test: all buffers are back.
int all_back(void **state);
#define ENDTEST(fn) cmocka_unit_test_teardown(fn, all_back)

// Returns what main() returns.
int ends_run(const struct CMUnitTest *tests, unsigned count, int argc, char **argv);
