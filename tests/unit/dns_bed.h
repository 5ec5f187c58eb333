// SPDX-License-Identifier: BSD-3-Clause
// A DNS server with two listeners, its clients, and a server above at 127.0.0.77, where the test
// answers or does not. Whatever does not come within a long time is a failure of the test.
#pragma once

#include <netinet/in.h>

#include <ldns/ldns.h>

#include "base/loop.h"
#include "netd/dns/dns.h"

#define DEADLINE_S 20
#define NB_MANY	   60 // addresses of the alias "many"
#define CLIENT_MAX 20 // questions of one client that wait

struct end {
	struct dns_listener *listener;
	struct sockaddr_in addr;
};

// It knows "web" and "many" of the network "blue".
extern struct bed {
	struct loop *loop;
	struct names *names;
	struct dns *dns;
	struct dns_conf conf;
	struct dns_view view;
	int upstream;
	struct end a, b; // at 127.0.0.2 and 127.0.0.3, which are their names
} bed;

int setup(void **state);
int teardown(void **state);
void start_server(void);

// ---- sockets ----

int bound(int type, const char *ip, unsigned port, struct sockaddr_in *ret_addr); // -1: it is taken
void listen_at(const char *ip, struct end *ret_end);
int connected(int type, const struct end *end);

// ---- messages ----

// The question's bytes behind the length that TCP has. Returns how many with it.
size_t make_question(uint8_t *buf, unsigned id, const char *name, ldns_rr_type type, bool edns);
void send_udp(int fd, unsigned id, const char *name, bool edns);
void send_tcp(int fd, unsigned id, const char *name);
ldns_pkt *recv_udp(int fd);
ldns_pkt *recv_tcp(int fd);

struct seen {
	unsigned id, rcode, nb_answers;
	bool tc, aa, edns;
};

struct seen seen(ldns_pkt *pkt); // takes it
struct seen ask_udp(const struct end *end, const char *name, bool edns);
struct seen ask_tcp(const struct end *end, const char *name);

// ---- the server above ----

// Waits until it is asked for the name; returns the question, and who asked.
ldns_pkt *upstream_asked(const char *name, struct sockaddr_in *ret_from);
void upstream_answers(ldns_pkt *asked, const struct sockaddr_in *to); // takes it
void upstream_answer(const char *name);				      // both

// ---- what is counted ----

uint64_t counted(const char *listener, const char *what);
void wait_counted(const char *listener, const char *what, uint64_t count);
