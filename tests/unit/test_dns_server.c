// SPDX-License-Identifier: BSD-3-Clause
// The DNS server as its clients see it: real sockets of 127.0.0.0/8, a real thread. What is
// forwarded goes to 127.0.0.77, where the test answers or does not. Connections are closed after
// a shorter time than else.
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <ldns/ldns.h>
#include <netinet/tcp.h>

#include "base/loop.h"
#include "base/util.h"
#include "netd/dns/dns.h"

#define DEADLINE_S  20
#define BLUE	    "b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1"
#define NB_MANY	    60 // addresses of the alias "many"
#define CLIENT_MAX  20 // questions of one client that wait
#define MESSAGE_MAX 65535

struct end {
	struct dns_listener *listener;
	struct sockaddr_in addr;
};

static struct bed {
	struct loop *loop;
	struct names *names;
	struct dns *dns;
	struct dns_conf conf;
	struct dns_view view;
	int upstream;
	struct end a, b;
} bed;

// ---- sockets ----

static void set_deadline(int fd)
{
	struct timeval limit = {.tv_sec = DEADLINE_S};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

static int bound(int type, const char *ip, unsigned port, struct sockaddr_in *ret_addr)
{
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(*ret_addr);

	*ret_addr = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
	inet_pton(AF_INET, ip, &ret_addr->sin_addr);
	assert_true(fd >= 0);
	set_deadline(fd);
	if (bind(fd, (struct sockaddr *)ret_addr, len) < 0) {
		close(fd);
		return -1;
	}
	getsockname(fd, (struct sockaddr *)ret_addr, &len);
	return fd;
}

// A port that is free for both.
static void listen_at(const char *ip, struct end *ret_end)
{
	int udp, tcp;

	do {
		udp = bound(SOCK_DGRAM | SOCK_NONBLOCK, ip, 0, &ret_end->addr);
		assert_true(udp >= 0);
		tcp = bound(SOCK_STREAM | SOCK_NONBLOCK, ip, ntohs(ret_end->addr.sin_port),
			&ret_end->addr);
		if (tcp < 0)
			close(udp);
	} while (tcp < 0);
	assert_int_equal(listen(tcp, 128), 0);
	snprintf(bed.view.name, sizeof(bed.view.name), "%s", ip);
	assert_int_equal(dns_listen(bed.dns, udp, tcp, &bed.view, &ret_end->listener), 0);
}

static int connected(int type, const struct end *end)
{
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	set_deadline(fd);
	assert_int_equal(connect(fd, (const void *)&end->addr, sizeof(end->addr)), 0);
	return fd;
}

// ---- messages ----

// The question's bytes, after room for the length of TCP. Returns how many with the length.
static size_t make_question(
	uint8_t *buf, unsigned id, const char *name, ldns_rr_type type, bool edns)
{
	ldns_pkt *pkt;
	uint8_t *wire;
	size_t len;

	assert_int_equal(ldns_pkt_query_new_frm_str(&pkt, name, type, LDNS_RR_CLASS_IN, LDNS_RD),
		LDNS_STATUS_OK);
	ldns_pkt_set_id(pkt, id);
	if (edns)
		ldns_pkt_set_edns_udp_size(pkt, 1232);
	assert_int_equal(ldns_pkt2wire(&wire, pkt, &len), LDNS_STATUS_OK);
	buf[0] = len >> 8;
	buf[1] = len;
	memcpy(buf + 2, wire, len);
	free(wire);
	ldns_pkt_free(pkt);
	return len + 2;
}

static void send_udp(int fd, unsigned id, const char *name, bool edns)
{
	uint8_t buf[512];
	size_t len = make_question(buf, id, name, LDNS_RR_TYPE_A, edns);

	assert_int_equal(send(fd, buf + 2, len - 2, 0), len - 2);
}

static void send_tcp(int fd, unsigned id, const char *name)
{
	uint8_t buf[512];
	size_t len = make_question(buf, id, name, LDNS_RR_TYPE_A, false);

	assert_int_equal(send(fd, buf, len, MSG_NOSIGNAL), len);
}

static ldns_pkt *parsed(const uint8_t *wire, size_t len)
{
	ldns_pkt *pkt;

	assert_int_equal(ldns_wire2pkt(&pkt, wire, len), LDNS_STATUS_OK);
	assert_true(ldns_pkt_qr(pkt));
	return pkt;
}

static ldns_pkt *recv_udp(int fd)
{
	uint8_t buf[4096];
	ssize_t n = recv(fd, buf, sizeof(buf), 0);

	assert_true(n > 0);
	return parsed(buf, n);
}

static ldns_pkt *recv_tcp(int fd)
{
	static uint8_t buf[MESSAGE_MAX];
	uint8_t length[2];
	size_t len;

	assert_int_equal(recv(fd, length, 2, MSG_WAITALL), 2);
	len = length[0] << 8 | length[1];
	assert_int_equal(recv(fd, buf, len, MSG_WAITALL), len);
	return parsed(buf, len);
}

struct seen {
	unsigned id, rcode, nb_answers;
	bool tc, aa, edns;
};

static struct seen seen(ldns_pkt *pkt)
{
	struct seen s = {
		.id = ldns_pkt_id(pkt),
		.rcode = ldns_pkt_get_rcode(pkt),
		.nb_answers = ldns_pkt_ancount(pkt),
		.tc = ldns_pkt_tc(pkt),
		.aa = ldns_pkt_aa(pkt),
		.edns = ldns_pkt_edns(pkt),
	};

	ldns_pkt_free(pkt);
	return s;
}

static struct seen ask_udp(const struct end *end, const char *name, bool edns)
{
	int fd = connected(SOCK_DGRAM, end);
	struct seen s;

	send_udp(fd, 77, name, edns);
	s = seen(recv_udp(fd));
	assert_int_equal(s.id, 77);
	close(fd);
	return s;
}

static struct seen ask_tcp(const struct end *end, const char *name)
{
	int fd = connected(SOCK_STREAM, end);
	struct seen s;

	send_tcp(fd, 78, name);
	s = seen(recv_tcp(fd));
	assert_int_equal(s.id, 78);
	close(fd);
	return s;
}

// ---- the server above ----

// Waits until it is asked for the name; returns the question, and who asked.
static ldns_pkt *upstream_asked(const char *name, struct sockaddr_in *ret_from)
{
	for (;;) {
		uint8_t buf[4096];
		socklen_t from_len = sizeof(*ret_from);
		ssize_t n =
			recvfrom(bed.upstream, buf, sizeof(buf), 0, (void *)ret_from, &from_len);
		ldns_pkt *pkt;
		char *text;
		bool same;

		assert_true(n > 0);
		assert_int_equal(ldns_wire2pkt(&pkt, buf, n), LDNS_STATUS_OK);
		text = ldns_rdf2str(ldns_rr_owner(ldns_rr_list_rr(ldns_pkt_question(pkt), 0)));
		same = !strcasecmp(text, name);
		free(text);
		if (same)
			return pkt;
		ldns_pkt_free(pkt);
	}
}

static void upstream_answers(ldns_pkt *asked, const struct sockaddr_in *to)
{
	ldns_rr *question = ldns_rr_list_rr(ldns_pkt_question(asked), 0), *answer;
	ldns_pkt *pkt = ldns_pkt_query_new(ldns_rdf_clone(ldns_rr_owner(question)),
		ldns_rr_get_type(question), LDNS_RR_CLASS_IN, LDNS_RD | LDNS_QR | LDNS_RA);
	char *owner = ldns_rdf2str(ldns_rr_owner(question)), text[512];
	uint8_t *wire;
	size_t len;

	snprintf(text, sizeof(text), "%s 60 IN A 192.0.2.1", owner);
	assert_int_equal(ldns_rr_new_frm_str(&answer, text, 0, NULL, NULL), LDNS_STATUS_OK);
	ldns_pkt_set_id(pkt, ldns_pkt_id(asked));
	ldns_pkt_push_rr(pkt, LDNS_SECTION_ANSWER, answer);
	assert_int_equal(ldns_pkt2wire(&wire, pkt, &len), LDNS_STATUS_OK);
	assert_int_equal(sendto(bed.upstream, wire, len, 0, (const void *)to, sizeof(*to)), len);
	free(wire);
	free(owner);
	ldns_pkt_free(pkt);
	ldns_pkt_free(asked);
}

static void upstream_answer(const char *name)
{
	struct sockaddr_in from;
	ldns_pkt *asked = upstream_asked(name, &from);

	upstream_answers(asked, &from);
}

// ---- the bed ----

static void add_endpoint(const void *owner, const char *name, const char *ip, char (*alias)[64])
{
	struct endpoint_record rec = {.nb_ips = 1, .host = "h1", .epoch = 1};

	snprintf(rec.name, sizeof(rec.name), "%s", name);
	snprintf(rec.id, sizeof(rec.id), "%032x", atoi(strrchr(ip, '.') + 1));
	assert_int_equal(ip_parse(ip, &rec.ips[0].ip), 0);
	rec.ips[0].prefix = 24;
	rec.aliases = alias;
	rec.nb_aliases = !!alias;
	assert_int_equal(names_endpoint_set(bed.names, owner, BLUE, &rec), 0);
}

static void fill_names(void)
{
	static char owners[NB_MANY], alias[1][NAME_BYTES] = {"many"};

	bed.names = names_new();
	assert_int_equal(names_net_set(bed.names, BLUE, "blue"), 0);
	add_endpoint(&bed, "web", "10.0.0.2", NULL);
	for (unsigned i = 0; i < NB_MANY; i++) {
		char name[16], ip[16];

		snprintf(name, sizeof(name), "m%u", i);
		snprintf(ip, sizeof(ip), "10.0.0.%u", 100 + i);
		add_endpoint(&owners[i], name, ip, alias);
	}
}

static void start_server(void)
{
	struct dns_opts opts = {.loop = bed.loop, .names = bed.names, .conf = &bed.conf};
	struct err err = {0};

	if (dns_new(&opts, &bed.dns, &err) < 0)
		fail_msg("%s: %s", err.path, err.reason);
	listen_at("127.0.0.2", &bed.a);
	listen_at("127.0.0.3", &bed.b);
}

static int setup(void **state)
{
	struct sockaddr_in addr;

	memset(&bed, 0, sizeof(bed));
	bed.upstream = bound(SOCK_DGRAM, "127.0.0.77", 0, &addr);
	bed.loop = loop_new();
	dns_conf_init(&bed.conf);
	bed.conf.client_max = CLIENT_MAX;
	bed.conf.servers[0].port = ntohs(addr.sin_port);
	assert_int_equal(ip_parse("127.0.0.77", &bed.conf.servers[0].ip), 0);
	bed.conf.nb_servers = 1;
	snprintf(bed.conf.search[0], sizeof(bed.conf.search[0]), "example.org");
	bed.conf.nb_search = 1;
	bed.view = (struct dns_view){.scope = {{BLUE}, 1},
		.forwards = true,
		.servers = {bed.conf.servers[0]},
		.nb_servers = 1};
	fill_names();
	start_server();
	return 0;
}

static int teardown(void **state)
{
	dns_free(bed.dns);
	names_free(bed.names);
	loop_free(bed.loop);
	close(bed.upstream);
	return 0;
}

// The row of the listener in what the server says of itself.
static uint64_t counted(const char *name, const char *what)
{
	json_t *stats = dns_stats(bed.dns), *row;
	uint64_t count = UINT64_MAX;
	size_t i;

	json_array_foreach (json_object_get(stats, "listeners"), i, row)
		if (!strcmp(json_string_value(json_object_get(row, "name")), name))
			count = json_integer_value(json_object_get(row, what));
	json_decref(stats);
	return count;
}

static void wait_counted(const char *name, const char *what, uint64_t count)
{
	uint64_t deadline_us = monotonic_us() + DEADLINE_S * 1000000ull;

	while (counted(name, what) < count)
		assert_true(monotonic_us() < deadline_us);
}

// ---- UDP ----

static void test_udp(void **state)
{
	struct seen s = ask_udp(&bed.a, "web.", false);

	assert_int_equal(s.rcode, LDNS_RCODE_NOERROR);
	assert_int_equal(s.nb_answers, 1);
	assert_true(s.aa && !s.tc && !s.edns);
	s = ask_udp(&bed.b, "WEB.blue.", true);
	assert_int_equal(s.nb_answers, 1);
	assert_true(s.edns);
}

static void test_truncated(void **state)
{
	struct seen s = ask_udp(&bed.a, "many.", false);

	assert_true(s.tc);
	s = ask_tcp(&bed.a, "many.");
	assert_false(s.tc);
	assert_int_equal(s.nb_answers, NB_MANY);
	s = ask_udp(&bed.a, "many.", true);
	assert_false(s.tc);
	assert_int_equal(s.nb_answers, NB_MANY);
}

static void test_udp_forwarded(void **state)
{
	int fd = connected(SOCK_DGRAM, &bed.a);
	struct seen s;

	send_udp(fd, 5, "one.example.", false);
	send_udp(fd, 6, "web.", false); // does not wait for it
	s = seen(recv_udp(fd));
	assert_int_equal(s.id, 6);
	upstream_answer("one.example.");
	s = seen(recv_udp(fd));
	assert_int_equal(s.id, 5);
	assert_int_equal(s.nb_answers, 1);
	assert_false(s.aa);
	close(fd);
}

// What is no question has no answer, and all else goes on.
static void test_garbage(void **state)
{
	uint8_t buf[512], junk[3000];
	int fd = connected(SOCK_DGRAM, &bed.a);
	size_t len = make_question(buf, 1, "web.", LDNS_RR_TYPE_A, false);

	assert_int_equal(send(fd, "", 0, 0), 0);
	assert_int_equal(send(fd, "short", 5, 0), 5);
	buf[2 + 2] |= 0x80; // a response
	assert_int_equal(send(fd, buf + 2, len - 2, 0), len - 2);
	wait_counted("127.0.0.2", "dropped", 3);
	memset(junk, 0, sizeof(junk));
	junk[5] = 1; // a question, and more than is taken
	assert_int_equal(send(fd, junk, sizeof(junk), 0), sizeof(junk));
	wait_counted("127.0.0.2", "queries", 4);
	close(fd);
	assert_int_equal(ask_udp(&bed.a, "web.", false).nb_answers, 1);
}

// One client may have so many questions that wait; the others are not in the way.
static void test_client_limit(void **state)
{
	int fd = connected(SOCK_DGRAM, &bed.a);
	unsigned refused = 0;

	for (unsigned i = 0; i < CLIENT_MAX + 5; i++) {
		char name[32];

		snprintf(name, sizeof(name), "n%u.example.", i);
		send_udp(fd, i, name, false);
	}
	for (; refused < 5; refused++)
		assert_int_equal(seen(recv_udp(fd)).rcode, LDNS_RCODE_REFUSED);
	assert_int_equal(counted("127.0.0.2", "refused"), 5);
	send_udp(fd, 99, "web.", false);
	assert_int_equal(seen(recv_udp(fd)).id, 99);
	close(fd);
	fd = connected(SOCK_DGRAM, &bed.b);
	send_udp(fd, 7, "other.example.", false);
	upstream_answer("other.example.");
	assert_int_equal(seen(recv_udp(fd)).nb_answers, 1);
	close(fd);
}

// ---- TCP ----

static void test_pipelined(void **state)
{
	enum { COUNT = 300 };
	static uint8_t buf[COUNT * 64];
	bool got[COUNT] = {0};
	int fd = connected(SOCK_STREAM, &bed.a);
	size_t len = 0;

	for (unsigned i = 0; i < COUNT; i++)
		len += make_question(buf + len, i, "web.", LDNS_RR_TYPE_A, i % 2);
	assert_int_equal(send(fd, buf, len, 0), len);
	for (unsigned i = 0; i < COUNT; i++) {
		struct seen s = seen(recv_tcp(fd));

		assert_true(s.id < COUNT && !got[s.id]);
		got[s.id] = true;
	}
	close(fd);
}

static void test_out_of_order(void **state)
{
	int fd = connected(SOCK_STREAM, &bed.a);
	struct sockaddr_in from;
	ldns_pkt *first;
	struct seen s;

	send_tcp(fd, 1, "first.example.");
	first = upstream_asked("first.example.", &from);
	send_tcp(fd, 2, "second.example.");
	send_tcp(fd, 3, "web.");
	assert_int_equal(seen(recv_tcp(fd)).id, 3);
	upstream_answer("second.example.");
	assert_int_equal(seen(recv_tcp(fd)).id, 2);
	shutdown(fd, SHUT_WR); // asks nothing more, and waits for the rest
	upstream_answers(first, &from);
	s = seen(recv_tcp(fd));
	assert_int_equal(s.id, 1);
	assert_int_equal(s.nb_answers, 1);
	assert_int_equal(recv(fd, &s, 1, 0), 0);
	close(fd);
}

// More than may wait on one connection: the rest is read when some of them are answered.
static void test_many_wait(void **state)
{
	enum { COUNT = 40 };
	int fd = connected(SOCK_STREAM, &bed.a);
	bool got[COUNT] = {0};

	for (unsigned i = 0; i < COUNT; i++) {
		char name[32];

		snprintf(name, sizeof(name), "w%u.example.", i);
		send_tcp(fd, i, name);
	}
	for (unsigned i = 0; i < COUNT; i++) {
		char name[32];
		struct seen s;

		snprintf(name, sizeof(name), "w%u.example.", i);
		upstream_answer(name);
		s = seen(recv_tcp(fd));
		assert_int_equal(s.rcode, LDNS_RCODE_NOERROR);
		assert_true(s.id < COUNT && !got[s.id]);
		got[s.id] = true;
	}
	close(fd);
}

static void test_slow_writer(void **state)
{
	int fd = connected(SOCK_STREAM, &bed.a), on = 1;
	uint8_t buf[512];
	size_t len = make_question(buf, 9, "web.", LDNS_RR_TYPE_A, false);

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	for (size_t i = 0; i < len; i++) {
		assert_int_equal(send(fd, buf + i, 1, 0), 1);
		assert_int_equal(ask_udp(&bed.a, "web.", false).nb_answers, 1);
	}
	assert_int_equal(seen(recv_tcp(fd)).id, 9);
	close(fd);
}

// A client that reads nothing is not read any more; what it has asked is answered once it reads.
static void test_slow_reader(void **state)
{
	enum { COUNT_MAX = 200000 };
	int fd = connected(SOCK_STREAM, &bed.a);
	uint8_t buf[512];
	size_t len = make_question(buf, 4, "many.", LDNS_RR_TYPE_A, false), part = 0;
	unsigned count = 0;
	ssize_t n;

	for (unsigned still = 0; still < 3 && count < COUNT_MAX;) {
		n = send(fd, buf + part, len - part, MSG_DONTWAIT);
		if (n < 0) { // the server has had its turn by then
			assert_int_equal(errno, EAGAIN);
			assert_int_equal(ask_tcp(&bed.a, "web.").nb_answers, 1);
			still++;
			continue;
		}
		still = 0;
		part += n;
		if (part == len) {
			part = 0;
			count++;
		}
	}
	assert_true(count < COUNT_MAX);
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(seen(recv_tcp(fd)).nb_answers, NB_MANY);
	close(fd);
}

// The one that was silent for longest goes for each new one; each is answered when it comes.
static void test_many_connections(void **state)
{
	enum { COUNT = 150 };
	int fds[COUNT];
	char byte;

	for (unsigned i = 0; i < COUNT; i++) {
		fds[i] = connected(SOCK_STREAM, &bed.a);
		send_tcp(fds[i], i, "web.");
		assert_int_equal(seen(recv_tcp(fds[i])).id, i);
	}
	assert_true(counted("127.0.0.2", "connections") <= 64);
	assert_int_equal(recv(fds[0], &byte, 1, 0), 0);
	send_tcp(fds[COUNT - 1], 3, "web.");
	assert_int_equal(seen(recv_tcp(fds[COUNT - 1])).id, 3);
	for (unsigned i = 0; i < COUNT; i++)
		close(fds[i]);
}

static void test_idle(void **state)
{
	int fd = connected(SOCK_STREAM, &bed.a), half = connected(SOCK_STREAM, &bed.a);
	char byte;

	send_tcp(fd, 1, "web.");
	seen(recv_tcp(fd));
	assert_int_equal(send(half, "\0", 1, 0), 1);
	assert_int_equal(recv(fd, &byte, 1, 0), 0);
	assert_true(recv(half, &byte, 1, 0) <= 0);
	close(fd);
	close(half);
}

static void test_too_long(void **state)
{
	int fd = connected(SOCK_STREAM, &bed.a);
	char byte;

	assert_int_equal(send(fd, "\xff\xff", 2, 0), 2);
	assert_true(recv(fd, &byte, 1, 0) <= 0);
	close(fd);
	fd = connected(SOCK_STREAM, &bed.a); // an end in the middle of a question
	assert_int_equal(send(fd, "\0\x20xx", 4, 0), 4);
	shutdown(fd, SHUT_WR);
	assert_int_equal(recv(fd, &byte, 1, 0), 0);
	close(fd);
}

// ---- changes ----

static void test_view(void **state)
{
	struct dns_view none = {.name = "127.0.0.2"};

	assert_int_equal(ask_udp(&bed.a, "web.", false).nb_answers, 1);
	dns_listener_set(bed.a.listener, &none);
	assert_int_equal(ask_udp(&bed.a, "web.", false).rcode, LDNS_RCODE_NXDOMAIN);
	assert_int_equal(ask_tcp(&bed.a, "x.example.").rcode, LDNS_RCODE_NXDOMAIN);
	assert_int_equal(ask_udp(&bed.b, "web.", false).nb_answers, 1);
	snprintf(bed.view.name, sizeof(bed.view.name), "other");
	dns_listener_set(bed.a.listener, &bed.view);
	assert_int_equal(ask_udp(&bed.a, "web.", false).nb_answers, 1);
	assert_true(counted("other", "queries") >= 3);
}

// Views change while questions wait for the servers of the one before.
static void test_view_waits(void **state)
{
	int fd = connected(SOCK_DGRAM, &bed.a);
	struct dns_view internal = bed.view;
	struct sockaddr_in from;
	ldns_pkt *asked;

	send_udp(fd, 1, "late.example.", false);
	asked = upstream_asked("late.example.", &from);
	internal.forwards = false;
	dns_listener_set(bed.a.listener, &internal);
	upstream_answers(asked, &from);
	assert_int_equal(seen(recv_udp(fd)).nb_answers, 1);
	close(fd);
}

static void test_unlisten(void **state)
{
	int udp = connected(SOCK_DGRAM, &bed.a), tcp = connected(SOCK_STREAM, &bed.a), again;
	struct sockaddr_in from, addr;
	char byte;
	ldns_pkt *asked;

	send_udp(udp, 1, "gone.example.", false);
	send_tcp(tcp, 2, "gone.example.");
	send_tcp(tcp, 3, "gone2.example.");
	asked = upstream_asked("gone.example.", &from);
	wait_counted("127.0.0.2", "forwarded", 3);
	dns_unlisten(bed.a.listener);
	again = bound(SOCK_DGRAM, "127.0.0.2", ntohs(bed.a.addr.sin_port), &addr);
	assert_true(again >= 0);
	assert_true(recv(tcp, &byte, 1, 0) <= 0);
	upstream_answers(asked, &from);
	assert_int_equal(ask_udp(&bed.b, "web.", false).nb_answers, 1);
	close(udp);
	close(tcp);
	close(again);
}

static void test_many_listeners(void **state)
{
	enum { COUNT = 200 };
	static struct end ends[COUNT];

	for (unsigned i = 0; i < COUNT; i++)
		listen_at("127.0.0.4", &ends[i]);
	for (unsigned i = 0; i < COUNT; i++)
		assert_int_equal(ask_udp(&ends[i], "web.", false).nb_answers, 1);
	for (unsigned i = 0; i < COUNT; i += 2)
		dns_unlisten(ends[i].listener);
	for (unsigned i = 1; i < COUNT; i += 2)
		assert_int_equal(ask_tcp(&ends[i], "web.").nb_answers, 1);
}

// ---- the main thread's questions ----

static struct asked {
	unsigned count;
	int rc;
	json_t *answer;
} asked;

static void on_answer(void *arg, int rc, json_t *answer, const struct err *err)
{
	json_decref(asked.answer);
	asked.count++;
	asked.rc = rc;
	asked.answer = answer;
	assert_int_equal(rc < 0, err->code < 0);
	loop_stop(bed.loop);
}

static void too_late(void *arg)
{
	fail_msg("no answer");
}

static void wait_answer(void)
{
	struct loop_handle *timer =
		loop_add_timer(bed.loop, DEADLINE_S * 1000000ull, too_late, NULL);

	assert_int_equal(loop_run(bed.loop), 0);
	loop_del(bed.loop, timer);
}

static const char *answer_text(const char *key)
{
	const char *text = json_string_value(json_object_get(asked.answer, key));

	return text ? text : "";
}

static void test_ask(void **state)
{
	memset(&asked, 0, sizeof(asked));
	dns_ask(bed.dns, &bed.view, "web", "A", on_answer, NULL);
	assert_int_equal(asked.count, 0); // never from inside
	wait_answer();
	assert_int_equal(asked.rc, 0);
	assert_string_equal(answer_text("rcode"), "NOERROR");
	assert_string_equal(answer_text("source"), "names");
	assert_true(json_is_null(json_object_get(asked.answer, "server")));
	assert_non_null(strstr(
		json_string_value(json_array_get(json_object_get(asked.answer, "answer"), 0)),
		"10.0.0.2"));
	dns_ask(bed.dns, &bed.view, "ask.example", "A", on_answer, NULL);
	upstream_answer("ask.example.");
	wait_answer();
	assert_string_equal(answer_text("source"), "server");
	assert_string_equal(answer_text("server"), "127.0.0.77");
	dns_ask(bed.dns, &bed.view, "web", "NONSENSE", on_answer, NULL);
	wait_answer();
	assert_int_equal(asked.rc, -EINVAL);
	dns_ask(bed.dns, &bed.view, "a..b", "A", on_answer, NULL);
	wait_answer();
	assert_int_equal(asked.rc, -EINVAL);
	assert_int_equal(asked.count, 4);
	json_decref(asked.answer);
}

static void test_stop_while_busy(void **state)
{
	int udp = connected(SOCK_DGRAM, &bed.a), tcp = connected(SOCK_STREAM, &bed.b);

	memset(&asked, 0, sizeof(asked));
	send_udp(udp, 1, "stop.example.", false);
	send_tcp(tcp, 2, "stop.example.");
	send_tcp(tcp, 3, "web.");
	dns_ask(bed.dns, &bed.view, "stop.example", "A", on_answer, NULL);
	wait_counted("127.0.0.2", "forwarded", 1);
	wait_counted("127.0.0.3", "forwarded", 1);
	dns_free(bed.dns);
	assert_int_equal(asked.count, 1);
	assert_int_equal(asked.rc, -ECANCELED);
	close(udp);
	close(tcp);
	start_server(); // for the teardown
}

static void test_stats(void **state)
{
	char search[DNS_SEARCH_MAX][256];
	json_t *stats;

	ask_udp(&bed.a, "web.", false);
	ask_udp(&bed.a, "nobody.blue.", false);
	ask_tcp(&bed.a, "web.");
	ask_udp(&bed.b, "web.", false);
	assert_int_equal(counted("127.0.0.2", "queries"), 3);
	assert_int_equal(counted("127.0.0.2", "answered"), 3);
	assert_int_equal(counted("127.0.0.2", "tcp"), 1);
	assert_int_equal(counted("127.0.0.3", "queries"), 1);
	stats = dns_stats(bed.dns);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(stats, "queries"), "A")), 4);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(stats, "rcodes"), "NOERROR")),
		3);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(stats, "rcodes"), "NXDOMAIN")),
		1);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(stats, "answers"), "names")), 4);
	json_decref(stats);
	dns_flush(bed.dns);
	assert_int_equal(dns_search(bed.dns, search), 1);
	assert_string_equal(search[0], "example.org");
}

// ---- one that floods ----

static atomic_bool flood_stop;
static atomic_ulong flood_sent;

static void *flood(void *arg)
{
	uint8_t buf[512];
	size_t len = make_question(buf, 1, "web.", LDNS_RR_TYPE_A, false);
	int fd = connected(SOCK_DGRAM, arg);

	while (!atomic_load(&flood_stop)) {
		send(fd, buf + 2, len - 2, MSG_DONTWAIT);
		atomic_fetch_add(&flood_sent, 1);
	}
	close(fd);
	return NULL;
}

static void test_flood(void **state)
{
	pthread_t thread;

	atomic_store(&flood_stop, false);
	atomic_store(&flood_sent, 0);
	assert_int_equal(pthread_create(&thread, NULL, flood, &bed.a), 0);
	while (!atomic_load(&flood_sent))
		usleep(1000);
	for (unsigned i = 0; i < 200; i++) {
		assert_int_equal(ask_udp(&bed.b, "web.", false).nb_answers, 1);
		if (i % 20 == 0) {
			assert_int_equal(ask_tcp(&bed.b, "web.").nb_answers, 1);
			dns_listener_set(bed.b.listener, &bed.view);
		}
	}
	atomic_store(&flood_stop, true);
	pthread_join(thread, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_udp, setup, teardown),
		cmocka_unit_test_setup_teardown(test_truncated, setup, teardown),
		cmocka_unit_test_setup_teardown(test_udp_forwarded, setup, teardown),
		cmocka_unit_test_setup_teardown(test_garbage, setup, teardown),
		cmocka_unit_test_setup_teardown(test_client_limit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pipelined, setup, teardown),
		cmocka_unit_test_setup_teardown(test_out_of_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_wait, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slow_writer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slow_reader, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_connections, setup, teardown),
		cmocka_unit_test_setup_teardown(test_idle, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_long, setup, teardown),
		cmocka_unit_test_setup_teardown(test_view, setup, teardown),
		cmocka_unit_test_setup_teardown(test_view_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unlisten, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_listeners, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ask, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stop_while_busy, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stats, setup, teardown),
		cmocka_unit_test_setup_teardown(test_flood, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
