// SPDX-License-Identifier: BSD-3-Clause
// Forwards questions to servers above, and asks the next server when one is slow. A bounded cache
// keeps answers for their TTL, also negative ones (RFC 2308), and serves them after that time if no
// server responds (RFC 8767). Clients that ask the same question share one exchange. For the
// server's thread only.
//
// A server that leads back to this one is found by a question with a name of our own that comes in
// again (forward_is_probe()); it is not asked any more until it is probed again.
#pragma once

#include "netd/dns/dns.h"
#include "netd/dns/ede.h"

struct forward;
struct upstreams; // a list of servers, shared by all views that have it

int forward_new(struct loop *loop, const struct dns_conf *conf, struct forward **ret_forward,
	struct err *err);
// Answers all waiters with SERVFAIL first, and frees all lists. Not from inside a forward_fn.
void forward_free(struct forward *forward);

// `count` 0: those of the configuration or of the host's resolv.conf, as they are at each question.
// NULL: out of memory.
struct upstreams *upstreams_get(
	struct forward *forward, const struct dns_server *servers, unsigned count);
void upstreams_put(struct upstreams *upstreams);

// Addresses that are our own, so never asked: all that listeners in the host's namespace are bound
// to. Addresses in containers (127.0.0.11) do not count: from here they lead to another program.
// Each addition needs its removal.
void forward_own_add(struct forward *forward, const struct ip_addr *ip);
void forward_own_del(struct forward *forward, const struct ip_addr *ip);

struct forward_question {
	const uint8_t *name; // in wire form, not compressed, any case; up to 255 bytes
	size_t name_bytes;
	uint16_t type, class;
	bool dnssec_ok;		// DO (RFC 3225)
	bool checking_disabled; // CD
	uint64_t client;	// the client, for `client_max`
};

struct forward_answer {
	int rcode; // REFUSED: too many wait; SERVFAIL: no server answered; `wire` is NULL then
	// A message with the question as it was asked first, TTLs as of now, no OPT record, id 0,
	// flags as the server gave them. Borrowed for the time of the call.
	const uint8_t *wire;
	size_t wire_bytes;
	enum { FORWARD_SERVER, FORWARD_CACHE, FORWARD_STALE } source;
	struct ip_addr server; // that gave it; family 0: none
	const struct ede *ede; // extended errors of the servers; NULL: none
};
typedef void forward_fn(void *arg, const struct forward_answer *answer);

// Calls `fn` once, maybe from inside. Returns what forward_cancel() takes, or NULL when `fn` was
// called already.
struct forward_waiter *forward_ask(struct forward *forward, struct upstreams *upstreams,
	const struct forward_question *question, forward_fn *fn, void *arg);
void forward_cancel(struct forward_waiter *waiter); // `fn` is not called

// The question is one of our probes: the server it was sent to leads back to us. To be dropped.
bool forward_is_probe(struct forward *forward, const uint8_t *name, size_t name_bytes);

unsigned forward_flush(struct forward *forward);
// {forward: {asked, answered (by servers), hedged, failed, refused, stale, coalesced, no_server,
// waiting}, cache: {entries, bytes, hits, misses, evicted, stale}, servers: [{address, state: "ok"
// | "slow" | "dead" | "loop" | "own", rtt_us, asked, answered, failed}]}
json_t *forward_stats(struct forward *forward);
// [{object, reason}]: lines of resolv.conf that are not used, servers that cannot be asked.
json_t *forward_problems(struct forward *forward);
unsigned forward_search(struct forward *forward, char ret_search[DNS_SEARCH_MAX][256]);
