// SPDX-License-Identifier: BSD-3-Clause
// What the data-plane tests share: test ports around the real data plane. Frames are queued on
// ports, dp_poll() runs on the calling thread, and what came out is compared byte by byte. Time is
// made up.
//
// A test makes ports with PORTS() and then speaks of them as A, B, C... Nothing may be left over:
// each frame that comes out must be expected and each drop must be counted by the test, before the
// next frames go in and at the end, when all buffers must be back in their pools.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <rte_common.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "dp/dp.h"
#include "dp/guard.h"

enum { A, B, C, D, E, F, G, H };

#define PORTS_MAX   64
#define BRIDGES_MAX 2
#define QUEUE_MAX   2048 // frames that wait on a port, in or out
#define ON(port)    (1ull << (port))

// What the kernel's TAP devices take.
#define ALL_OFFLOADS                                                                               \
	(RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM |                             \
		RTE_ETH_TX_OFFLOAD_TCP_TSO | RTE_ETH_TX_OFFLOAD_UDP_TSO |                          \
		RTE_ETH_TX_OFFLOAD_MULTI_SEGS)

// ---- ports and bridges ----

// A port that is zero throughout is one without options: bridge 0, every VLAN, MTU 1500, takes
// nothing but whole packets in one buffer.
struct port_spec {
	unsigned bridge;
	enum conf_vlan_mode vlan_mode;
	uint16_t tag;
	bool has_trunks;    // `trunks` are all it carries, else it carries every VLAN
	uint16_t trunks[6]; // unused ones repeat the first
	uint16_t mtu;	    // 0: 1500
	uint64_t tx_offloads;
	uint32_t fdb_limit, flood_limit;
	unsigned tx_room; // frames that tx() takes of a round; 0: any number
	bool sink;	  // frames out are counted and forgotten
	bool absent;	  // in no snapshot
	bool tunnel, no_learning, isolated;
	unsigned nb_remotes; // of a tunnel
	enum conf_filter filter;
	bool demux; // on no bridge; frames name the port that they are received by
	bool takes; // frames to LINK_LOCAL(1)
	const struct dp_guard *guard;
	const struct dp_ips *peers;
};

#define ACCESS(vid) .vlan_mode = CONF_VLAN_ACCESS, .tag = (vid)
#define TRUNKS(...) .has_trunks = true, .trunks = {__VA_ARGS__}

// Makes ports A, B, ... and publishes them.
#define PORTS(...)                                                                                 \
	ports_new((struct port_spec[]){__VA_ARGS__},                                               \
		sizeof((struct port_spec[]){__VA_ARGS__}) / sizeof(struct port_spec))
void ports_new(const struct port_spec *specs, unsigned count);

// What publish() shows the workers; tests change it in between.
struct port_spec *port_spec(unsigned port);
struct dp_view_bridge *bridge_spec(unsigned bridge); // at first: 300 s, no limit
void publish(void);

struct dp *the_dp(void);
uint16_t port_id(unsigned port);
uint16_t bridge_id(unsigned bridge);

// The clock goes to `s` seconds, and the main thread does its periodic work.
void at_s(uint32_t s);

struct rte_mempool *dp_pool(void); // that the data plane copies from
// Takes all but `left` buffers from it until the end of the test, or gives them back.
void dp_pool_hog(unsigned left);
void dp_pool_release(void);

// ---- frames ----

#define HOST(n)	      (0x020000000000ull | (n))
#define BROADCAST     0xffffffffffffull
#define GROUP(n)      (0x01005e000000ull | (n))
#define LINK_LOCAL(n) (0x0180c2000000ull | (n))
#define TAG(vid)      (0x10000u | (vid)) // with a priority: TAG(5 << 13 | 10)

struct frame {
	uint64_t dst, src;
	unsigned tag, inner_tag; // TAG(); 0: none
	unsigned bytes;		 // of the frame without its tags; 0: 60
	unsigned id;		 // payloads with different ones differ
	unsigned chunk_bytes;	 // a chain of buffers with so many bytes each; 0: one buffer
	bool no_headroom;
};

#define FRAME(...) ((struct frame){__VA_ARGS__})

// A packet made of bytes, in chunks of `chunk_bytes` (0: one buffer).
struct rte_mbuf *mbuf_new(const void *bytes, unsigned len_bytes, unsigned chunk_bytes);
void send_mbuf(unsigned port, struct rte_mbuf *m);
struct rte_mbuf *frame_new(struct frame frame);
void send_frame(unsigned port, struct frame frame);

// Polls until nothing is left to receive, after a look whether all before was expected.
void h_run(void);
void run_quietly(void); // without that look

// The next packet that left by the port; the caller frees it.
struct rte_mbuf *h_next(unsigned port);
void h_expect(unsigned port, struct frame frame);
void h_expect_bytes(unsigned port, const void *bytes, unsigned len_bytes);
// Frames that left by a sink port so far.
unsigned sunk(unsigned port);

// `count` more packets were dropped for this reason at this port.
void h_drops(unsigned port, enum dp_drop_reason reason, uint64_t count);
// Nothing has come out and nothing was dropped but what the test has said.
void h_silence(void);

// Sends one frame, which leaves as it is by all ports of the mask and by no others.
void h_passes(unsigned port, struct frame frame, uint64_t to_ports);
// Sends one frame, which is dropped and counted at `at_port`, where it came in or had to leave.
void h_dropped(unsigned port, struct frame frame, unsigned at_port, enum dp_drop_reason reason);

// Failures name the line of the test.
#define HERE		  h_here(__FILE__, __LINE__)
#define run()		  (HERE, h_run())
#define next(port)	  (HERE, h_next(port))
#define expect(...)	  (HERE, h_expect(__VA_ARGS__))
#define expect_bytes(...) (HERE, h_expect_bytes(__VA_ARGS__))
#define drops(...)	  (HERE, h_drops(__VA_ARGS__))
#define silence()	  (HERE, h_silence())
#define passes(...)	  (HERE, h_passes(__VA_ARGS__))
#define dropped(...)	  (HERE, h_dropped(__VA_ARGS__))
void h_here(const char *file, int line);

// ---- the program ----

int h_setup(void **state);
int h_teardown(void **state);
#define DP_TEST(fn) cmocka_unit_test_setup_teardown(fn, h_setup, h_teardown)

int harness_start(void); // DPDK and the pools, once

// Whether some test has counted a drop for this reason.
bool reason_was_seen(enum dp_drop_reason reason);

// One group for each subject.
#define GROUPS(X)                                                                                  \
	X(forward)                                                                                 \
	X(guard)                                                                                   \
	X(roles)                                                                                   \
	X(gate)                                                                                    \
	X(learning) X(limits) X(vlan) X(size) X(offload) X(snapshot) X(suppress) X(trace) X(tunnel)
#define X(name) int group_##name(void);
GROUPS(X)
#undef X
