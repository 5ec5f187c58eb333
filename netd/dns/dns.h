// SPDX-License-Identifier: BSD-3-Clause
// The DNS server. It is a thread of its own, so that the agent's work never delays an answer. It
// answers the names in names.h with authority and passes all others to forward.h. All functions
// here are for the main thread.
//
//	names	the names and their addresses
//	query	a message in, a message out (ldns): no sockets, no threads
//	server	sockets, clients, the thread
//	forward	the servers above: which to ask, the cache
//	resolv	resolv.conf, read and written
//
// Sources: RFC 1034, 1035, 2181, 2308 (negative answers), 6891 (EDNS), 7766 (TCP), 8482 (ANY),
// 8767 (stale answers), 8914 (extended errors).
#pragma once

#include <jansson.h>

#include "base/err.h"
#include "netd/dns/names.h"
#include "netd/record/dns_address.h"

#define DNS_SEARCH_MAX 6
#define DNS_UDP_BYTES                                                                              \
	1232 // of a message over UDP, both ways: what no path has to cut (DNS flag day 2020)

struct loop;
struct dns;
struct dns_listener;

// The part `dns:` of vsnetd.yaml.
struct dns_conf {
	bool off;				    // no server at all
	uint32_t ttl_s;				    // of our own names; 1 to 5, default 2
	struct dns_server servers[DNS_SERVERS_MAX]; // none: those of `resolv_conf`, read again
	unsigned nb_servers;			    // when it changes
	char resolv_conf[256];			    // default /etc/resolv.conf
	char search[DNS_SEARCH_MAX][256];	    // none: that of `resolv_conf`
	unsigned nb_search;
	uint32_t ndots;	     // written into containers' resolv.conf; default 0
	uint32_t timeout_ms; // of a question to the servers above, all tries together; default 4000
	uint32_t hedge_ms;   // the next server is asked beside the first one after; default 200
	uint32_t cache_max;  // answers that are kept; default 10000
	uint32_t stale_s;    // an expired answer is used for so long if no server responds; default
			     // 3600
	uint32_t client_max; // questions of one client that wait; default 100
	uint32_t forward_max;	// of all; default 4096
	bool write_resolv_conf; // of each container that has a file name (default); else only when
				// asked
};

void dns_conf_init(struct dns_conf *conf); // defaults

struct dns_opts {
	struct loop *loop; // of the main thread
	struct names *names;
	const struct dns_conf *conf;
};

// Starts the thread.
int dns_new(const struct dns_opts *opts, struct dns **ret_dns, struct err *err);
void dns_free(struct dns *dns);

// The clients of a pair of sockets, and the networks that they see.
struct dns_view {
	char name[NAME_BYTES + 8]; // for people: the container, or "gateway of NETWORK"
	struct names_scope scope;
	bool forwards;				    // not when all of its networks are internal
	struct dns_server servers[DNS_SERVERS_MAX]; // of the networks; none: the host's
	unsigned nb_servers;
};

#define DNS_UDP_MAX 8

// Sockets at one address, not blocking, bound and (TCP) listening. Several for UDP: each client's
// questions arrive at one of them, so a client that floods harms only the clients at the same one.
struct dns_sockets {
	int udp[DNS_UDP_MAX];
	unsigned nb_udp;
	int tcp;
};

void dns_sockets_close(struct dns_sockets *sockets);

// Answers at these sockets, which are the server's from now on, also when it fails. -ENOMEM.
int dns_listen(struct dns *dns, const struct dns_sockets *sockets, const struct dns_view *view,
	struct dns_listener **ret_listener);
void dns_listener_set(struct dns_listener *listener, const struct dns_view *view);
// Both sockets are closed when it returns: a namespace may go then.
void dns_unlisten(struct dns_listener *listener);

// What a client of the view would be told: {rcode, flags: [..], errors: [..] (RFC 8914, if there
// are any), answer: [..], authority: [..], source: "names" | "cache" | "stale" | "server", or null
// when nobody knows, server: ADDRESS or null, us: N}, records as text (RFC 1035 section 5). For PTR
// an address will do as `name`. -EINVAL: the type is unknown, or the name is not one; -ECANCELED:
// from dns_free(). `fn` is called once, from the loop: never from inside, but for -ENOMEM. It takes
// `answer`.
typedef void dns_ask_fn(void *arg, int rc, json_t *answer, const struct err *err);
void dns_ask(struct dns *dns, const struct dns_view *view, const char *name, const char *type,
	dns_ask_fn *fn, void *arg);

// {queries: {TYPE: N}, rcodes: {RCODE: N}, answers: {names, cache, stale, server}, listeners: [..]}
// and what forward.h has: {forward: {..}, cache: {..}, servers: [..]}. A listener: {name, address,
// queries, answered (out of names), forwarded, refused, dropped (no reply), overflow (that the
// kernel dropped because the queue was full), tcp (of the queries), connections}.
json_t *dns_stats(struct dns *dns);
json_t *dns_problems(struct dns *dns); // as forward_problems() has them
unsigned dns_flush(struct dns *dns);   // the cache; returns how many went
// Search domains as containers are to have them: of the configuration, or the host's.
unsigned dns_search(struct dns *dns, char ret_search[DNS_SEARCH_MAX][256]);
