// SPDX-License-Identifier: BSD-3-Clause
// A channel of c-ares to one server, on the loop. c-ares sends again what is lost, asks over TCP
// for what is cut, and takes an answer only from the address, with the id and the question that it
// asked. What to make of an answer, and of none, is the caller's.
#pragma once

#include "netd/dns/dns.h"

struct link;

// What is known of a server and EDNS; longer than one link to it. Begins with zeros.
struct link_edns {
	unsigned lost; // questions, one after another, that were only answered without EDNS
	uint64_t plain_until_us;
};

// `rc` 0: a message came, borrowed; -ETIMEDOUT, -ECONNREFUSED, -ECANCELED (the link is freed), or
// another reason why none did.
typedef void link_fn(void *arg, int rc, const uint8_t *wire, size_t wire_bytes);

// A question is given up after `timeout_ms`; over TCP it has that time anew. NULL: out of memory.
struct link *link_new(struct loop *loop, const struct dns_server *server, uint32_t timeout_ms,
	struct link_edns *edns);
void link_free(struct link *link); // not from inside a link_fn

// Sends a question whose last record is an OPT record. `fn` is called once, maybe from inside.
void link_send(struct link *link, const uint8_t *wire, size_t wire_bytes, link_fn *fn, void *arg);
void link_tick(struct link *link); // to be called often while something is under way
unsigned link_pending(const struct link *link);
// To be replaced by a new one, which has another port: an address to guess for who would forge
// answers. Also after an error, because c-ares then leaves EDNS out for good.
bool link_is_worn(const struct link *link);
