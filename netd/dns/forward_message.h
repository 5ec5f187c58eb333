// SPDX-License-Identifier: BSD-3-Clause
// Messages between forward.h and servers above (ldns writes and reads them). Pure functions.
#pragma once

#include "netd/dns/forward.h"

#define MESSAGE_QUESTION_BYTES 300 // header, longest name, type and class, OPT

#define MESSAGE_NEGATIVE_TTL_MAX_S 300

// Writes the question as it is sent, OPT record last; returns its length, 0: out of memory or the
// name is none.
size_t message_question(const struct forward_question *question, uint16_t id, uint8_t *out);

struct message_reply {
	int rcode;
	uint32_t ttl_s; // to be kept for; 0: not at all
	uint8_t *wire;	// as in struct forward_answer; freed by the caller
	size_t wire_bytes;
	struct ede ede;
};

// Reads a server's reply to the question. -EBADMSG: it is not a message, or answers another
// question.
int message_reply(const uint8_t *wire, size_t wire_bytes, const struct forward_question *question,
	struct message_reply *ret_reply);
