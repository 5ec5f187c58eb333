// SPDX-License-Identifier: BSD-3-Clause
// Questions to one server over UDP. Each has a source port of its own, which the kernel chooses at
// random, so that a forger must guess it (RFC 5452). When there are very many at once, several
// share a port. What does not answer a question that is under way is ignored.
#pragma once

#include <sys/queue.h>

#include "netd/dns/forward_message.h"

struct loop;
struct udp_port;

struct udp_ports {
	struct loop *loop;
	struct dns_server server;
	TAILQ_HEAD(, udp_port) shared; // take more questions
	unsigned nb_shared;
};

enum udp_match {
	UDP_SAME,	 // the answer has the question as it was sent, byte by byte
	UDP_OTHER_CASE,	 // with other upper and lower case
	UDP_NO_QUESTION, // FORMERR or NOTIMP, the header alone
};

// A question. The caller sets `fn` and `wire`.
struct udp_ask {
	LIST_ENTRY(udp_ask) entry;
	struct udp_port *port; // NULL: not under way
	// An answer came, whose TC is set when it is longer than DNS_UDP_BYTES; or (`rc` below
	// zero) none will. Then the question has ended; after an answer udp_end() ends it.
	void (*fn)(struct udp_ask *ask, int rc, uint8_t *wire, size_t wire_bytes,
		enum udp_match match);
	size_t wire_bytes;
	uint8_t wire[MESSAGE_QUESTION_BYTES];
};

void udp_ports_init(struct udp_ports *ports, struct loop *loop, const struct dns_server *server);
// Sends it; `fn` is not called from inside. Returns 0 or -errno: then it is not under way.
int udp_send(struct udp_ports *ports, struct udp_ask *ask);
void udp_resend(struct udp_ask *ask); // the same from the same port
void udp_end(struct udp_ask *ask);    // no more answers; also of one that is not under way
