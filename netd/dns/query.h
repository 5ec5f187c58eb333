// SPDX-License-Identifier: BSD-3-Clause
// DNS messages: a question in, an answer out (ldns reads and writes them). No sockets, no threads,
// no state; a hostile message costs what its length allows.
#pragma once

#include "netd/dns/forward.h"

#define QUERY_TCP_BYTES 65535

struct dns_query {
	uint16_t id, flags; // as they came
	uint16_t type, class;
	uint8_t name[255]; // wire form, in the case of the client
	size_t name_bytes;
	bool has_edns, dnssec_ok;
	size_t max_bytes; // of the reply
};

// Reads a question. 0; -EBADMSG: nothing that is answered (too short, a response); else an rcode
// that is the answer by itself: FORMERR, NOTIMP, BADVERS; then `id`, `flags`, and what of the
// question could be read, are set.
int query_parse(const uint8_t *wire, size_t len_bytes, bool is_tcp, struct dns_query *ret_query);

// Writes the answer of our own names into `out` (`query->max_bytes`): authoritative, TTL `ttl_s`,
// several addresses in an order that `turn` rotates. 0: not ours, to be forwarded. With `forwards`
// false everything is ours: what is not known does not exist (NXDOMAIN).
size_t query_answer(const struct dns_query *query, struct names *names,
	const struct names_scope *scope, bool forwards, uint32_t ttl_s, unsigned turn,
	uint8_t *out);

// An answer without records.
size_t query_error(const struct dns_query *query, int rcode, uint8_t *out);

// The reply that an answer from above makes: with the client's id, the case of its question, its
// EDNS or none, cut to what it takes (TC). With EDNS it has the extended errors of the answer.
size_t query_forwarded(
	const struct dns_query *query, const struct forward_answer *answer, uint8_t *out);
