// SPDX-License-Identifier: BSD-3-Clause
// What the tests of questions to servers above share: servers on the loop, and what is answered.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/loop.h"
#include "netd/dns/forward.h"
#include "tests/unit/fake_dns.h"

#define DEADLINE_US 20000000
#define SERVERS	    3
#define MANY	    1000
#define TYPE_A	    1
#define SERVFAIL    2
#define NXDOMAIN    3
#define REFUSED	    5

struct told {
	unsigned count, refused, failed;
	int rcode, source;
	uint8_t number; // last byte of the first address
	struct ip_addr server;
	uint8_t wire[65535];
	size_t len;
	struct ede ede;
};

extern struct forward_bed {
	struct loop *loop;
	struct loop_handle *poll;
	struct forward *forward;
	struct upstreams *list;
	struct dns_conf conf;
	struct fake_dns fakes[SERVERS];
	struct told told;
	bool (*until)(void);
	uint64_t deadline_us, later_us;
	unsigned want, rounds;
} forward_bed;

void wait_until(bool (*until)(void));

bool all_told(void);

bool first_asked(void);

bool both_asked(void);

// What was sent before has been received by now.
bool some_rounds(void);

struct forward_waiter *ask_as(uint64_t client, const char *name, bool dnssec_ok);

// Asks, and waits for the answer.
const struct told *ask(const char *name);

void start(unsigned nb_servers);

int setup(void **state);

int teardown(void **state);

json_int_t stat_of(const char *part, const char *key);

// The state of the server as forward_stats() has it; "" when it is not there.
const char *state_of(const char *address);

const char *fake_state(unsigned i);
