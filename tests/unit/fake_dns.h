// SPDX-License-Identifier: BSD-3-Clause
// A DNS server on the loop of a test, at a port of its own on the loopback, over UDP and TCP. It
// errs in the way it is told, and counts.
#pragma once

#include <netinet/in.h>

#include "base/loop.h"
#include "netd/dns/forward.h"

#define FAKE_DNS_HELD  16
#define FAKE_DNS_PORTS 64

enum mode {
	NORMAL,	      // 192.0.2.NUMBER of the server
	DEAD,	      // nothing
	HOLD,	      // nothing before release()
	LOSE_FIRST,   // nothing to the first question
	ERROR,	      // the rcode `error`
	NOTHING,      // no such name, with a SOA
	NOTHING_BARE, // the same without
	NO_EDNS,      // FORMERR to a question with EDNS
	NO_EDNS_BARE, // the same, the header alone
	DROP_EDNS,    // nothing to a question with EDNS
	BIG_UDP,      // more than was asked for over UDP, the truth over TCP
	CUT,	      // TC over UDP, much over TCP
	CUT_HOLD,     // TC over UDP, nothing over TCP before release()
	LOWER,	      // the question in lower case, as some servers have it
	LIE_IN_LOWER, // that to a question in mixed case, and a lie; the truth to another one
	WRONG_ID,
	WRONG_QUESTION,
	WRONG_PORT,
	WRONG_NAME,
	NO_RESPONSE, // the question as it came
	GARBAGE,
	EDE,	    // SERVFAIL, with an extended error
	EDE_ANSWER, // an answer with one
	LOOP,	    // what it is asked comes in here again
};

struct fake_dns_held {
	uint8_t wire[512];
	size_t len;
	bool tcp;
	struct sockaddr_in from; // over UDP
};

struct fake_dns {
	struct loop *loop;
	struct forward **forward; // LOOP: where it comes in
	int udp, tcp, conn;	  // conn -1: none
	struct loop_handle *udp_handle, *tcp_handle, *conn_handle;
	struct dns_server addr;
	uint8_t number;
	enum mode mode;
	int error;
	uint32_t ttl_s;
	unsigned asked, asked_tcp, probes; // `asked` without probes
	uint16_t last_flags;
	bool last_edns, last_do;
	unsigned mixed;			// questions over UDP in upper and lower case
	uint16_t ports[FAKE_DNS_PORTS]; // that the first questions over UDP came from
	unsigned nb_ports;
	struct fake_dns_held held[FAKE_DNS_HELD];
	unsigned nb_held;
	unsigned came; // probes that came in again, and were known
};

// Opens `fake`, whose answers are 192.0.2.NUMBER.
void fake_dns_open(
	struct fake_dns *fake, struct loop *loop, struct forward **forward, uint8_t number);
void fake_dns_close(struct fake_dns *fake);
void fake_dns_release(struct fake_dns *fake); // answers what is held

// Parts of messages.
unsigned fake_dns_get16(const uint8_t *at);
size_t fake_dns_name(const char *text, uint8_t *out); // in wire form
size_t fake_dns_question_end(const uint8_t *wire);
