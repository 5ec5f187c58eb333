// SPDX-License-Identifier: BSD-3-Clause
// Inside of the DNS server; for dns.c and server*.c only.
//
//	dns.c			the main thread's side: calls into the thread, waiting for it
//	server.c		the thread's loop, its listeners
//	server_udp.c		batches of datagrams
//	server_tcp.c		connections
//	server_question.c	answers or forwards one question
//	server_ask.c		dns_ask(): a question without a socket
//	server_stats.c		counters as JSON
//
// Everything here belongs to the server's thread, except struct dns and where a comment says
// otherwise.
#pragma once

#include <netinet/in.h>
#include <pthread.h>
#include <sys/queue.h>

#include "base/loop.h"
#include "netd/dns/query.h"

// ---- counters ----

// Where a reply comes from.
enum origin {
	ORIGIN_SERVER = FORWARD_SERVER,
	ORIGIN_CACHE = FORWARD_CACHE,
	ORIGIN_STALE = FORWARD_STALE,
	ORIGIN_NAMES,
	ORIGIN_NONE, // the question was in error, or no server answered it
	ORIGIN_COUNT,
};

struct counters {
	uint64_t queries, tcp; // `tcp` of `queries`
	uint64_t answered;     // out of names
	uint64_t forwarded;    // handed on, also when the cache had it
	uint64_t refused;      // REFUSED: too many wait
	uint64_t dropped;      // no reply: not a question, a probe, or the client takes none
};

#define TOTALS_TYPES  256 // of larger ones there are few: counted as type 0
#define TOTALS_RCODES 24

struct totals {
	uint64_t types[TOTALS_TYPES];
	uint64_t rcodes[TOTALS_RCODES];
	uint64_t origins[ORIGIN_COUNT];
};

// ---- the thread ----

union sock_addr {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

// An fd of the server's epoll. -1: closed, `ready` is not called any more.
struct source {
	void (*ready)(struct source *source, uint32_t events);
	int fd;
	uint32_t events; // that are waited for
};

TAILQ_HEAD(request_list, request);
TAILQ_HEAD(conn_list, conn);

struct server {
	struct loop *loop;
	struct dns_conf conf;
	struct names *names;
	struct forward *forward;
	int epoll_fd;
	TAILQ_HEAD(, dns_listener) listeners;
	TAILQ_HEAD(, ask) asks;
	unsigned turn; // of several addresses
	struct udp_batch *udp;

	struct conn_list waiting; // have something to do in this turn of the loop
	struct conn_list closed;  // may be among the events at hand still
	struct loop_handle *resume, *sweep;
	bool sweeps;
	unsigned nb_conns;

	struct totals totals;
	uint8_t reply[QUERY_TCP_BYTES]; // at once, over TCP
	uint8_t late[QUERY_TCP_BYTES];	// made by forward.h, maybe while `reply` is made
};

// The view by which questions are answered, with their counters.
struct viewer {
	struct server *server;
	struct dns_view view;
	struct upstreams *upstreams; // NULL: does not forward, or no memory
	struct counters counters;
};

struct dns_listener {
	TAILQ_ENTRY(dns_listener) entry;
	struct dns *dns;
	struct viewer viewer;
	struct udp_socket {
		struct source source;
		struct dns_listener *listener;
	} udp[DNS_UDP_MAX];
	unsigned nb_udp;
	struct source tcp;
	struct ip_addr ip; // that it is bound to
	bool one_client;   // a container's own: its source addresses are of its choice
	uint64_t client;   // hash of the listener, part of each client's
	struct request_list requests;
	struct conn_list conns; // the one that was silent for longest first
	unsigned nb_conns;
};

int server_open(struct server *server, const struct dns_opts *opts, struct err *err);
void server_close(struct server *server); // also after server_open() failed
int server_watch(struct server *server, struct source *source, uint32_t events);
void source_close(struct source *source);

// The listener has its fds and its view; -ENOMEM or another of epoll_ctl(2), and the fds are
// closed.
int listener_open(struct server *server, struct dns_listener *listener);
void listener_close(struct dns_listener *listener);

void viewer_set(struct viewer *viewer, struct server *server, const struct dns_view *view);
void viewer_clear(struct viewer *viewer);

// ---- one question ----

struct reply {
	const uint8_t *wire;
	size_t wire_bytes; // 0: none
	bool later;	   // it will be told
	enum origin origin;
	struct ip_addr server; // of a forwarded one
};

// The client that asks. It is copied when the question has to wait.
struct asker {
	struct viewer *viewer;
	struct request_list *requests; // where the question waits
	// Takes a late reply. It is called by forward.h, so it neither asks nor cancels questions.
	void (*reply)(struct asker *asker, const struct reply *reply);
	void *arg;
	union sock_addr from;
	uint64_t client;
	bool is_tcp;
};

// An immediate reply is in `out`, which is as large as the transport allows.
struct reply question(
	const struct asker *asker, const uint8_t *wire, size_t wire_bytes, uint8_t *out);
void requests_cancel(struct request_list *requests); // no replies any more

uint64_t client_of(const struct dns_listener *listener, const union sock_addr *from);

// ---- transports ----

int udp_open(struct server *server);
void udp_close(struct server *server);
void udp_ready(struct source *source, uint32_t events);
int tcp_open(struct server *server);
void tcp_close(struct server *server);
void tcp_ready(struct source *source, uint32_t events); // of a listening socket
void tcp_free_closed(struct server *server);		// no event is at hand
void tcp_close_conns(struct dns_listener *listener);

// ---- the main thread's side ----

typedef void job_fn(void *arg);

struct dns {
	struct server server;
	struct loop *loop; // of the main thread
	pthread_t thread;
	int job_fd, done_fd; // eventfds: wake the thread, the main thread
	struct loop_handle *done_handle;

	pthread_mutex_t lock; // of the fields below
	pthread_cond_t job_done;
	job_fn *job; // NULL: none
	void *job_arg;
	TAILQ_HEAD(ask_list, ask) done; // answered, for the main thread
};

// Main thread: runs `job` in the server's thread and waits for its end.
void dns_in_thread(struct dns *dns, job_fn *job, void *arg);

// Main thread: tells those that are done.
void asks_tell(struct dns *dns);
// The thread has ended: tells all that it was asked.
void asks_close(struct dns *dns);

json_t *server_stats(struct server *server); // NULL: out of memory
