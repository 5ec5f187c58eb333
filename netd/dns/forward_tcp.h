// SPDX-License-Identifier: BSD-3-Clause
// Questions to one server over TCP: a channel of c-ares, on the loop, which opens a connection when
// there is something to ask. It takes an answer only with the id and the question that it asked.
#pragma once

#include "netd/dns/dns.h"

struct loop;
struct tcp;

// A question. The caller sets `fn`, which is called once, maybe from inside tcp_send(): with an
// answer, or the reason why there is none; -ECANCELED from tcp_free().
struct tcp_ask {
	void (*fn)(struct tcp_ask *ask, int rc, uint8_t *wire, size_t wire_bytes);
};

// A question is given up after `timeout_ms`. NULL: out of memory.
struct tcp *tcp_new(struct loop *loop, const struct dns_server *server, uint32_t timeout_ms);
void tcp_free(struct tcp *tcp);
void tcp_send(struct tcp *tcp, const uint8_t *wire, size_t wire_bytes, struct tcp_ask *ask);
void tcp_tick(struct tcp *tcp); // to be called often while something is under way
