// SPDX-License-Identifier: BSD-3-Clause
// Engines that connect in steps: hold an address, create an endpoint, join, leave, delete, release.
// They ask again when an answer was lost, and now and then when it was not. What they were told is
// compared with what there is. One thread.
#pragma once

#include "tests/sim/truth.h"

enum step_state {
	STEP_NEVER,   // not asked for
	STEP_ASKED,   // no answer yet
	STEP_DONE,    // success was reported
	STEP_UNSURE,  // the agent died, or gave up, before it was done
	STEP_REFUSED, // failure was reported
};

// An endpoint, or (without a name) an address that is held, as its caller knows it.
struct step_ep {
	struct world *w;
	struct host *host;
	char id[32], name[NAME_BYTES]; // of all steps; a name is never used twice
	char network[NAME_BYTES], net_id[ID_BYTES];
	struct ip_addr asked; // family 0: chosen
	struct step_ep *of;   // the held address that it was created with; NULL
	enum step_state created, joined, left, deleted;
	struct container *container; // that it was asked to join last
	struct ip_addr ip;	     // that it was told
	uint64_t told_us;
	bool was_stored; // the store had its record then
	bool forgotten;	 // its host lost its state folder since
	unsigned busy;	 // requests without an answer
	LIST_ENTRY(step_ep) entry;
};

// What people do.
void steps_create(struct world *w);
void steps_address(struct world *w);
void steps_join(struct world *w);
void steps_leave(struct world *w);
void steps_delete(struct world *w);
void steps_again(struct world *w); // asks once more for what was asked for last
void steps_kill(struct world *w);  // a container that was joined

// One that the store did not have when it was told of, or that lived when its host was silent, may
// have the address.
bool steps_may_win(const struct world *w, const char *net_id, const struct ip_addr *ip);

void steps_free(struct world *w);
void steps_forget(struct host *h); // the host is about to lose its state folder

// No two endpoints of a host have one address.
void check_steps_running(struct world *w);
// A record of the store is one of these: true, and it was checked.
bool check_steps_record(struct truth *t, const struct truth_ep *ep);
void check_steps(struct truth *t);
