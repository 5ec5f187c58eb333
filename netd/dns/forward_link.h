// SPDX-License-Identifier: BSD-3-Clause
// Questions to one server. What is lost is sent again; what is cut is asked for over TCP; a server
// that does not know EDNS is asked without. A question over UDP has a port of its own, an id and
// upper and lower case at random, and only an answer that repeats all of them is taken (RFC 5452),
// as long as the server keeps the case. What to make of an answer, and of none, is the caller's.
#pragma once

#include "netd/dns/dns.h"

struct link;

// Something that a server does not take, as far as we know.
struct link_habit {
	unsigned lost;	   // questions, one after another, that were only answered without it
	uint64_t until_us; // then it is tried again
};

// What is known of a server; longer than a link to it. Begins with zeros.
struct link_known {
	struct link_habit edns, mixed; // mixed: upper and lower case
	bool keeps_case;	       // it has repeated a question in mixed case
};

// `rc` 0: a message came, borrowed; -ETIMEDOUT, -ECONNREFUSED, -ECANCELED (the link is freed), or
// another reason why none did.
typedef void link_fn(void *arg, int rc, const uint8_t *wire, size_t wire_bytes);

// A question is given up after `timeout_ms`; over TCP it has that time anew. NULL: out of memory.
struct link *link_new(struct loop *loop, const struct dns_server *server, uint32_t timeout_ms,
	struct link_known *known);
void link_free(struct link *link); // not from inside a link_fn

// Sends a question whose last record is an OPT record; its id is not used. `fn` is called once,
// maybe from inside.
void link_send(struct link *link, const uint8_t *wire, size_t wire_bytes, link_fn *fn, void *arg);
void link_tick(struct link *link); // to be called often while something is under way
unsigned link_pending(const struct link *link);
