// SPDX-License-Identifier: BSD-3-Clause
// What the tests of DNS messages share: questions in few words, answers as text. Both are written
// and read by ldns.
#pragma once

#include "netd/dns/query.h"

struct question {
	const char *name;
	unsigned type;
	unsigned class;	   // 0: IN
	unsigned udp_size; // EDNS, when not 0
	bool dnssec_ok, is_tcp;
	unsigned flags; // besides RD
	bool no_forwarding;
	unsigned turn;
	const struct names_scope *scope; // NULL: both networks
};

// A message, with id 0x1234, that the caller frees; returns its size.
size_t dns_text_question(const struct question *q, uint8_t **ret_wire);
void dns_text_parse(const struct question *q, struct dns_query *ret_query);

// "RCODE FLAGS | answer.. ; authority.. + additional.. EDNS" of an answer to such a question; until
// the next call.
const char *dns_text(const uint8_t *wire, size_t len_bytes);
