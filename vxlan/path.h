// SPDX-License-Identifier: BSD-3-Clause
// What the path to a remote VTEP carries, found out by asking with requests of several sizes, which
// a remote answers with their size (heartbeat.h), in the manner of RFC 8899. Nobody else has a say:
// an ICMP message can be anybody's. Pure functions; a `struct path` is its owner's.
//
// Heartbeats are as large as what is sent. When they are not answered, small ones are sent as well.
// When these are answered, and several large ones in a row were not, a ladder of sizes is asked
// with, and a finer one between the last that was answered and the first that was not, until one
// size is left. It is in force until a larger one is answered, which is tried now and then, and
// each time it was in vain, later.
//
// Sizes are those of IP packets inside, in bytes.
#pragma once

#include "vxlan/heartbeat.h"

#define PATH_SIZE_MIN (HEARTBEAT_FRAME_BYTES - 14) // of the smallest heartbeat
#define PATH_RUNGS    8
#define PATH_ASKS     (PATH_RUNGS + 1) // requests in one step
#define PATH_WINDOW   32	       // requests that may still be answered
#define PATH_REST_MIN 30	       // steps until more is tried
#define PATH_REST_MAX 960
#define PATH_ROUND_US 500000 // that answers are waited for, at least
#define PATH_UNKNOWN  8	     // a small one goes with one of so many, to who never answered

// All zero at first but the secret, which is random and not the heartbeat's.
struct path {
	uint64_t secret;
	uint16_t size; // the largest that gets through; 0: no limit is known

	uint32_t asked, answered;    // requests; bits of the last ones, by number
	uint16_t bytes[PATH_WINDOW]; // sizes of these
	unsigned alive;		     // small ones answered since the last large one

	// A search, while `high` is not 0.
	uint16_t low, high; // known to get through; known not to
	uint16_t rung[PATH_RUNGS];
	bool down;	 // because large ones are lost
	unsigned tries;	 // with these rungs
	uint64_t due_us; // when they are looked at

	unsigned wait, rest; // steps until the next search for more; after the next one
	unsigned calm;	     // steps without a limit
};

struct path_request {
	struct heartbeat_msg msg;
	uint16_t size;
};

// What heartbeats, and packets, may have where all that this host can send is `limit`.
uint16_t path_size(const struct path *path, uint16_t limit);

// Called after each heartbeat_ask(). Writes the requests to be sent now, and returns how many.
unsigned path_step(struct path *path, uint64_t now_us, uint16_t limit, const struct heartbeat *h,
	struct path_request ret_request[PATH_ASKS]);

// A reply of a frame with `size` has come. False when it is to none of the last requests.
bool path_answered(struct path *path, const struct heartbeat_msg *reply, uint16_t size);
