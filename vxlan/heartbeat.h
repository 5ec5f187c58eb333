// SPDX-License-Identifier: BSD-3-Clause
// Heartbeats between VTEPs: what they are on the wire, and what is known of a remote
// VTEP by them. Pure functions; reading is for any thread, a `struct heartbeat` for its owner.
//
// A heartbeat is a frame in a VNI that both VTEPs have, so that it takes the way that
// frames take. To be the VTEPs' own affair it goes to the group address of IEEE 802.3's MAC
// control, 01:80:c2:00:00:01, which no bridge forwards (IEEE 802.1Q, tables 8-1 to 8-3). Of the
// addresses of that kind this is the one that disturbs nobody: Linux's bridge throws it away at
// once, without learning or counting, and no option makes it forward it (group_fwd_mask does with
// most others); Open vSwitch drops it like the others; STP, LACP, 802.1X, E-LMI, LLDP, PTP and MVRP
// have others, and PAUSE has another EtherType. That is the one for experiments, 88-b5.
//
// Behind the Ethernet header, numbers in network byte order, then zeros up to the size:
//
//	0  magic 'C' 'W' 'h' 'b'    4  version, 1    5  kind: 1 request, 2 reply    6  zero
//	8  sequence number         12  zero         16  cookie of the asker
//
// A reply has the request's size, sequence number and cookie. The cookie is a number that only who
// has seen the request can know: others cannot answer in a remote's name.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/mac.h"

#define HEARTBEAT_FRAME_BYTES 38 // at least, with the Ethernet header
#define HEARTBEAT_WINDOW      100
#define HEARTBEAT_MISSES      3 // in a row: the remote is down

struct heartbeat_msg {
	bool is_reply;
	uint32_t seq;
	uint64_t cookie;
};

// The cookie of a request, of an asker with this secret.
uint64_t heartbeat_cookie(uint64_t secret, uint32_t seq);

// Writes the first HEARTBEAT_FRAME_BYTES of a frame.
void heartbeat_write(uint8_t *frame, const struct mac *src, const struct heartbeat_msg *msg);

// False when the frame is no heartbeat.
bool heartbeat_read(const uint8_t *frame, uint32_t len_bytes, struct heartbeat_msg *ret_msg);

// ---- a remote VTEP ----

enum heartbeat_state {
	HEARTBEAT_UNKNOWN, // has never answered: another make
	HEARTBEAT_UP,
	HEARTBEAT_DOWN, // was up, and has missed HEARTBEAT_MISSES in a row
};

// All zero at first but the secret, which is random.
struct heartbeat {
	uint64_t secret;
	enum heartbeat_state state;
	uint64_t since_us;	 // the state is this; 0: since ever
	uint64_t sent, received; // requests, answers
	uint32_t bytes;		 // of the last request
	uint32_t unanswered;	 // requests since the last answer
	uint32_t silent;	 // requests since the last sign of life
	struct {
		uint32_t sent_us, round_trip_us; // lower bits; 0: not answered
	} last[HEARTBEAT_WINDOW];		 // by number of the request
};

// A request of `bytes` is to be sent now. Called once an interval. True when the state is another.
bool heartbeat_ask(
	struct heartbeat *h, uint64_t now_us, uint32_t bytes, struct heartbeat_msg *ret_request);

// A reply of `bytes` has come. False when it is none to the last requests, the second one, or
// smaller than what was asked with: nothing changes then. Else heartbeat_alive() is to be called.
bool heartbeat_answered(
	struct heartbeat *h, uint64_t now_us, const struct heartbeat_msg *reply, uint32_t bytes);

// A sign of life of any size: a path may carry only small ones. True when the state is another.
bool heartbeat_alive(struct heartbeat *h, uint64_t now_us);

// Of the last requests. The newest few are not lost yet.
struct heartbeat_stats {
	uint32_t answered, lost;
	uint32_t min_us, avg_us, max_us; // round trip; 0: none
};

void heartbeat_stats(const struct heartbeat *h, struct heartbeat_stats *ret_stats);

// Limits answers to one remote: false when there were too many. `due_us` is 0 at first.
bool heartbeat_may_answer(uint64_t *due_us, uint64_t now_us);
