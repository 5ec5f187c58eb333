// SPDX-License-Identifier: BSD-3-Clause
// Inside the switch in memory.
#pragma once

#include <sys/queue.h>

#include "tests/sim/fake_model.h"
#include "tests/sim/fake_switch.h"
#include "tests/sim/random.h"

struct call {
	char method[32];
	json_t *params;
	switch_reply_fn *fn;
	void *arg;
	uint64_t run_us, reply_us;
	bool done;
	int rc;
	json_t *result;
	struct err err;
	STAILQ_ENTRY(call) entry;
};

// An event, or (`name` empty) that the connection is up or down.
struct news {
	char name[32];
	json_t *data;
	bool up;
	uint64_t at_us;
	STAILQ_ENTRY(news) entry;
};

struct change { // that is not saved yet
	const struct fake_method *method;
	json_t *params;
	uint64_t at_us;
	STAILQ_ENTRY(change) entry;
};

struct named {
	char name[256];
	unsigned count;
	int code;
	UT_hash_handle hh;
};

struct far { // a remote VTEP that does not answer
	struct ip_addr ip;
	bool heard; // it has answered this process
	UT_hash_handle hh;
};

struct fake_switch {
	struct switch_conn conn; // first: switch_ops get it
	struct fake_switch_opts opts;
	struct sim_random random;
	struct fake_model model, saved;
	STAILQ_HEAD(, change) unsaved;
	STAILQ_HEAD(, call) calls;
	STAILQ_HEAD(, news) news;
	uint64_t now_us, last_run_us, last_reply_us;
	bool up, pumping, hangs;
	struct named *gone; // namespaces
	struct named *fails, *counts;
	char lacks[32], refuses[64];
	struct far *silent;
};

// A member that is a string; "" if there is none.
const char *fake_text(const json_t *obj, const char *key);

// The row of that name, NULL if there is none and it is not to be made.
struct named *fake_named(struct named **list, const char *name, bool make);

bool fake_has_tunnel(const struct fake_switch *sw, const struct ip_addr *ip);

// Tells everybody who listens; takes `data`.
void fake_event(struct fake_switch *sw, const char *name, json_t *data);
