// SPDX-License-Identifier: BSD-3-Clause
#include "tests/unit/dns_bed.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <cmocka.h>

#define BLUE	    "b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1"
#define MESSAGE_MAX 65535

struct bed bed;

// ---- sockets ----

static void set_deadline(int fd)
{
	struct timeval limit = {.tv_sec = DEADLINE_S};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

int bound(int type, const char *ip, unsigned port, struct sockaddr_in *ret_addr)
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
void listen_at(const char *ip, struct end *ret_end)
{
	struct dns_sockets sockets;
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
	sockets = (struct dns_sockets){.udp = {udp}, .nb_udp = 1, .tcp = tcp};
	assert_int_equal(dns_listen(bed.dns, &sockets, &bed.view, &ret_end->listener), 0);
}

int connected(int type, const struct end *end)
{
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	set_deadline(fd);
	assert_int_equal(connect(fd, (const void *)&end->addr, sizeof(end->addr)), 0);
	return fd;
}

// ---- messages ----

size_t make_question(uint8_t *buf, unsigned id, const char *name, ldns_rr_type type, bool edns)
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

void send_udp(int fd, unsigned id, const char *name, bool edns)
{
	uint8_t buf[512];
	size_t len = make_question(buf, id, name, LDNS_RR_TYPE_A, edns);

	assert_int_equal(send(fd, buf + 2, len - 2, 0), len - 2);
}

void send_tcp(int fd, unsigned id, const char *name)
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

ldns_pkt *recv_udp(int fd)
{
	uint8_t buf[4096];
	ssize_t n = recv(fd, buf, sizeof(buf), 0);

	assert_true(n > 0);
	return parsed(buf, n);
}

ldns_pkt *recv_tcp(int fd)
{
	static uint8_t buf[MESSAGE_MAX];
	uint8_t length[2];
	size_t len;

	assert_int_equal(recv(fd, length, 2, MSG_WAITALL), 2);
	len = length[0] << 8 | length[1];
	assert_int_equal(recv(fd, buf, len, MSG_WAITALL), len);
	return parsed(buf, len);
}

struct seen seen(ldns_pkt *pkt)
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

struct seen ask_udp(const struct end *end, const char *name, bool edns)
{
	int fd = connected(SOCK_DGRAM, end);
	struct seen s;

	send_udp(fd, 77, name, edns);
	s = seen(recv_udp(fd));
	assert_int_equal(s.id, 77);
	close(fd);
	return s;
}

struct seen ask_tcp(const struct end *end, const char *name)
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

ldns_pkt *upstream_asked(const char *name, struct sockaddr_in *ret_from)
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

void upstream_answers(ldns_pkt *asked, const struct sockaddr_in *to)
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

void upstream_answer(const char *name)
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

void start_server(void)
{
	struct dns_opts opts = {.loop = bed.loop, .names = bed.names, .conf = &bed.conf};
	struct err err = {0};

	if (dns_new(&opts, &bed.dns, &err) < 0)
		fail_msg("%s: %s", err.path, err.reason);
	listen_at("127.0.0.2", &bed.a);
	listen_at("127.0.0.3", &bed.b);
}

int setup(void **state)
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

int teardown(void **state)
{
	dns_free(bed.dns);
	names_free(bed.names);
	loop_free(bed.loop);
	close(bed.upstream);
	return 0;
}

// The row of the listener in what the server says of itself.
uint64_t counted(const char *name, const char *what)
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

void wait_counted(const char *name, const char *what, uint64_t count)
{
	uint64_t deadline_us = monotonic_us() + DEADLINE_S * 1000000ull;

	while (counted(name, what) < count)
		assert_true(monotonic_us() < deadline_us);
}
