// SPDX-License-Identifier: BSD-3-Clause
// Shared by the files of the forwarder.
//
//	forward			clients' questions: the cache, the limits, the waiters
//	forward_exchange	a question under way: which servers have it, how long it may take
//	forward_server		a server: how fast it is, whether it responds
//	forward_list		lists of servers, the host's resolv.conf, addresses of our own
//	forward_link		a question to a server: its forms and tries
//	forward_udp		ports that questions leave from
//	forward_tcp		c-ares
//	forward_message		ldns
//	forward_stats		counters and problems as JSON
#pragma once

#include <sys/queue.h>

#include "base/loop.h"
#include "netd/dns/cache.h"
#include "netd/dns/forward.h"
#include "netd/dns/forward_link.h"
#include "netd/dns/forward_message.h"
#include "netd/dns/resolv.h"

#define FORWARD_BUCKETS	  1024
#define FORWARD_TICK_US	  10000ull
#define FORWARD_KEY_BYTES (8 + 2 + 2 + 1 + 255)
#define PROBE_LABEL_BYTES 16

// ---- servers ----

struct server {
	LIST_ENTRY(server) entry;
	struct forward *forward;
	struct dns_server addr; // with its port
	unsigned refs;		// of lists, of questions under way; 0: freed at the next tick
	struct link *link;	// NULL: nothing was asked so far
	uint32_t srtt_us;	// smoothed; 0: not known yet
	bool guessed;		// `srtt_us` is a guess: the server was late
	unsigned errors;	// answers of no use (SERVFAIL, REFUSED ..), one after another
	unsigned silent;	// questions without an answer, one after another
	struct link_known known;
	bool own, dead, loop, loop_told;
	bool probing, probe_came;
	char probe[PROBE_LABEL_BYTES + 1]; // of the last one
	uint64_t probe_sent_us, probe_due_us;
	uint32_t backoff_s; // between probes of a dead one
	uint64_t asked, answered, failed;
};

struct server *server_get(struct forward *forward, const struct dns_server *addr);
void server_ref(struct server *server);
void server_put(struct server *server);
void server_send(
	struct server *server, const uint8_t *wire, size_t wire_bytes, link_fn *fn, void *arg);
void server_answered(struct server *server, uint64_t rtt_us, bool useful);
void server_late(struct server *server);   // no answer after `hedge_ms`
void server_silent(struct server *server); // none at all
// When it is time, checks that the server responds and does not lead back to us.
void server_probe(struct server *server, uint64_t now_us);
const char *server_state(const struct server *server);
// Those of the list that may be asked, best first, each with a reference. `ret_dead`: all of them
// are silent as far as we know.
unsigned servers_order(const struct upstreams *upstreams, struct server *ret_order[DNS_SERVERS_MAX],
	bool *ret_dead);
bool servers_tick(struct forward *forward); // returns whether questions are still under way
void servers_fini(struct forward *forward);

// ---- lists ----

struct upstreams {
	LIST_ENTRY(upstreams) entry;
	struct forward *forward;
	unsigned refs;
	bool is_host;
	uint64_t id; // hash of its servers; part of the cache's keys
	struct server *servers[DNS_SERVERS_MAX];
	unsigned nb_servers;
};

struct own_ip {
	LIST_ENTRY(own_ip) entry;
	struct ip_addr ip;
	unsigned refs;
};

// The state of resolv.conf when it was read.
struct resolv_seen {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime, ctime;
};

int lists_init(struct forward *forward);
void lists_fini(struct forward *forward);
void lists_refresh(struct forward *forward, uint64_t now_us);
bool lists_is_own(struct forward *forward, const struct ip_addr *ip);

// ---- questions ----

struct forward_waiter {
	TAILQ_ENTRY(forward_waiter) entry;
	struct exchange *exchange;
	struct client *client;
	forward_fn *fn;
	void *arg;
};

struct client {
	LIST_ENTRY(client) entry;
	uint64_t id;
	unsigned waiting;
};

struct key {
	uint8_t bytes[FORWARD_KEY_BYTES];
	size_t len;
};

// Timers of an exchange. Each kind has a queue in the order of `due_us`, because it takes the same
// time for all exchanges.
enum exchange_timer { EXCHANGE_HEDGE, EXCHANGE_PATIENCE, EXCHANGE_DEADLINE, EXCHANGE_TIMERS };

struct exchange_due {
	TAILQ_ENTRY(exchange_due) entry;
	struct exchange *exchange;
	uint64_t due_us; // 0: not in the queue
};

struct exchange {
	LIST_ENTRY(exchange) chain;
	struct forward *forward;
	struct key key;
	uint8_t name[255];
	struct forward_question question;
	struct server *order[DNS_SERVERS_MAX];
	unsigned nb_order, nb_asked;
	LIST_HEAD(, attempt) attempts; // without an answer so far
	TAILQ_HEAD(, forward_waiter) waiters;
	struct exchange_due due[EXCHANGE_TIMERS];
	bool sending;	// in link_send(): its end is not that of the exchange
	bool impatient; // its time to wait before a stale answer is over
	struct ede ede; // of the last server that failed
};

struct exchange *exchange_find(struct forward *forward, const struct key *key);
// Asks the servers in that order; takes the references, also when it fails. NULL: out of memory.
struct exchange *exchange_new(struct forward *forward, const struct key *key,
	const struct forward_question *question, struct server *const *order, unsigned nb_order);
void exchanges_tick(struct forward *forward, uint64_t now_us);
void exchanges_fini(struct forward *forward); // answers all waiters

// ---- the whole ----

struct forward {
	struct loop *loop;
	struct dns_conf conf;
	struct cache *cache;
	struct loop_handle *timer;
	bool ticking, closing;
	LIST_HEAD(, server) servers;
	LIST_HEAD(, upstreams) lists;
	LIST_HEAD(, own_ip) own;
	struct upstreams *host; // of resolv.conf
	struct resolv resolv;
	struct resolv_seen seen;
	int unread; // -errno if the file cannot be read; 0: it was read, or does not exist
	uint64_t look_due_us; // at resolv.conf
	LIST_HEAD(, exchange) exchanges[FORWARD_BUCKETS];
	LIST_HEAD(, client) clients[FORWARD_BUCKETS];
	TAILQ_HEAD(, exchange_due) due[EXCHANGE_TIMERS];
	unsigned nb_exchanges, nb_waiting;
	struct {
		uint64_t asked, answered, hedged, failed, refused, stale, coalesced, no_server;
	} counts;
};

void forward_wake(struct forward *forward); // the tick is needed
// Gives the answer to all waiters of the exchange.
void forward_tell(struct exchange *exchange, const struct forward_answer *answer);
// The same with an expired answer of the cache; false: the cache has none.
bool forward_tell_stale(struct exchange *exchange);
