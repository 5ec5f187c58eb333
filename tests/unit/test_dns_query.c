// SPDX-License-Identifier: BSD-3-Clause
// Messages in, messages out: each one that is written is read by ldns and compared as text.
// `test_dns_query bench` prints what a question costs.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <ldns/ldns.h>

#include "base/util.h"
#include "tests/unit/dns_text.h"

#define NET_A "0000000000000000000000000000000a"
#define NET_B "0000000000000000000000000000000b"
#define TTL_S 2

static const struct names_scope scope_ab = {{NET_A, NET_B}, 2}, scope_b = {{NET_B}, 1};
static struct names *names;
static char owners[256];

// ---- names ----

static void add(
	const char *net, const char *name, const char *alias, const char *ip4, const char *ip6)
{
	static unsigned count;
	char aliases[1][NAME_BYTES];
	struct endpoint_record rec = {.seq = ++count, .aliases = aliases, .nb_aliases = !!alias};

	snprintf(rec.id, sizeof(rec.id), "%032d", (int)count);
	strcpy(rec.name, name);
	strcpy(aliases[0], alias ? alias : "");
	if (ip4)
		assert_int_equal(ip_parse(ip4, &rec.ips[rec.nb_ips++].ip), 0);
	if (ip6)
		assert_int_equal(ip_parse(ip6, &rec.ips[rec.nb_ips++].ip), 0);
	assert_int_equal(names_endpoint_set(names, &owners[count], net, &rec), 0);
}

static int setup(void **state)
{
	struct ip_addr host;
	char name[32], ip4[32], ip6[32];

	names = names_new();
	assert_int_equal(names_net_set(names, NET_A, "neta"), 0);
	assert_int_equal(names_net_set(names, NET_B, "net.b"), 0);
	add(NET_A, "Web", "www", "10.0.0.1", "fd00::1");
	add(NET_A, "four", "www", "10.0.0.4", NULL);
	add(NET_A, "six", "www", NULL, "fd00::6");
	add(NET_B, "Web", NULL, "10.1.0.1", NULL);
	add(NET_B, "only.b", NULL, "10.1.0.2", NULL);
	add(NET_B, "two..dots", NULL, "10.1.0.3", NULL);
	for (unsigned i = 0; i < 32; i++) {
		sprintf(name, "n%u", i);
		sprintf(ip4, "10.0.1.%u", i);
		sprintf(ip6, "fd00::1:%x", i);
		add(NET_A, name, "many", ip4, ip6);
		sprintf(ip6, "fd00::2:%x", i);
		sprintf(name, "s%u", i);
		add(NET_A, name, "many6", NULL, ip6);
		sprintf(ip6, "fd00::3:%x", i);
		sprintf(name, "t%u", i);
		add(NET_A, name, "many6", NULL, ip6);
	}
	assert_int_equal(ip_parse("192.0.2.1", &host), 0);
	assert_int_equal(names_host_set(names, "node1", &host, 1, true), 0);
	return 0;
}

static int teardown(void **state)
{
	names_free(names);
	return 0;
}

// ---- questions ----

static size_t ask(const struct question *q, uint8_t *out)
{
	struct dns_query query;

	dns_text_parse(q, &query);
	return query_answer(&query, names, q->scope ? q->scope : &scope_ab, !q->no_forwarding,
		TTL_S, q->turn, out);
}

static void expect(const struct question *q, const char *text)
{
	static uint8_t out[QUERY_TCP_BYTES];
	size_t len = ask(q, out);

	assert_string_equal(len ? dns_text(out, len) : "forward", text);
}

static void expect_type(const char *name, unsigned type, const char *text)
{
	expect(&(struct question){.name = name, .type = type}, text);
}

#define SOA  " 2 IN SOA localhost. nobody.invalid. 1 3600 1200 604800 2"
#define OK   "NOERROR aa rd ra"
#define NX   "NXDOMAIN aa rd ra"
#define A    LDNS_RR_TYPE_A
#define AAAA LDNS_RR_TYPE_AAAA
#define PTR  LDNS_RR_TYPE_PTR
#define SRV  LDNS_RR_TYPE_SRV
#define ANY  LDNS_RR_TYPE_ANY

// ---- types × names × transports ----

#define WEB4	 " | %s 2 IN A 10.0.0.1"
#define WEB6	 " | %s 2 IN AAAA fd00::1"
#define ZEROS8	 ".0.0.0.0.0.0.0.0"
#define REVERSE6 ZEROS8 ZEROS8 ZEROS8 ".d.f.ip6.arpa."

// What there is of a name: %s is the name in the case of the question. NULL: nothing of that type.
struct known {
	const char *name;
	const char *a, *aaaa, *ptr, *srv; // of the answer
	const char *more;		  // additional, with SRV
	const char *soa;		  // owner of the SOA record when there is nothing
	enum { IS_THERE, IS_NOT, FORWARDED } kind;
};

static const struct known known[] = {
	{"web.", WEB4, WEB6, .soa = "web."},
	{"wEB.", WEB4, WEB6, .soa = "wEB."},
	{"web.neta.", WEB4, WEB6, .soa = "neta."},
	{"WeB.NeTa.", WEB4, WEB6, .soa = "NeTa."},
	{"four.", " | %s 2 IN A 10.0.0.4", .soa = "four."},
	{"six.neta.", .aaaa = " | %s 2 IN AAAA fd00::6", .soa = "neta."},
	{"web.net.b.", " | %s 2 IN A 10.1.0.1", .soa = "net.b."},
	{"only.b.", " | %s 2 IN A 10.1.0.2", .soa = "only.b."},
	{"only.b.net.b.", " | %s 2 IN A 10.1.0.2", .soa = "net.b."},
	{"node1.", " | %s 2 IN A 192.0.2.1", .soa = "node1."},
	{"localhost.", " | %s 2 IN A 127.0.0.1", " | %s 2 IN AAAA ::1", .soa = "localhost."},
	{"a.LocalHost.", " | %s 2 IN A 127.0.0.1", " | %s 2 IN AAAA ::1", .soa = "LocalHost."},
	{"_80._tcp.web.", .srv = " | %s 2 IN SRV 0 0 80 Web.neta.",
		.more = " + Web.neta. 2 IN A 10.0.0.1 + Web.neta. 2 IN AAAA fd00::1",
		.soa = "web."},
	{"_HTTP._Tcp.six.neta.", .srv = " | %s 2 IN SRV 0 0 80 six.neta.",
		.more = " + six.neta. 2 IN AAAA fd00::6", .soa = "neta."},
	{"_domain._udp.four.", .srv = " | %s 2 IN SRV 0 0 53 four.neta.",
		.more = " + four.neta. 2 IN A 10.0.0.4", .soa = "four."},
	{"_65535._sctp.node1.", .srv = " | %s 2 IN SRV 0 0 65535 node1.",
		.more = " + node1. 2 IN A 192.0.2.1", .soa = "node1."},
	{"1.0.0.10.in-addr.arpa.", .ptr = " | %s 2 IN PTR Web.neta.",
		.soa = "1.0.0.10.in-addr.arpa."},
	{"2.0.1.10.IN-ADDR.ARPA.", .ptr = " | %s 2 IN PTR only.b.net.b.",
		.soa = "2.0.1.10.IN-ADDR.ARPA."},
	{"1.2.0.192.in-addr.arpa.", .ptr = " | %s 2 IN PTR node1.",
		.soa = "1.2.0.192.in-addr.arpa."},
	{"6.0.0.0.0.0" REVERSE6, .ptr = " | %s 2 IN PTR six.neta.", .soa = "6.0.0.0.0.0" REVERSE6},
	// A name that cannot be one is no reason for silence.
	{"3.0.1.10.in-addr.arpa.", .soa = "3.0.1.10.in-addr.arpa."},

	{"x.neta.", .soa = "neta.", .kind = IS_NOT},
	{"x.web.NETA.", .soa = "NETA.", .kind = IS_NOT},
	{"_80._tcp.x.neta.", .soa = "neta.", .kind = IS_NOT},
	{"_0._tcp.web.", .soa = "web.", .kind = IS_NOT},
	{"_080._tcp.web.", .soa = "web.", .kind = IS_NOT},
	{"_65536._tcp.web.", .soa = "web.", .kind = IS_NOT},
	{"_80._icmp.web.neta.", .soa = "neta.", .kind = IS_NOT},
	{"_no-such-service._tcp.web.", .soa = "web.", .kind = IS_NOT},
	{"a.invalid.", .soa = "invalid.", .kind = IS_NOT},

	{"x.", .kind = FORWARDED},
	{".", .kind = FORWARDED},
	{"neta.", .kind = FORWARDED},
	{"example.com.", .kind = FORWARDED},
	{"web.example.com.", .kind = FORWARDED},
	{"_80._tcp.example.com.", .kind = FORWARDED},
	{"_tcp.web.", .kind = FORWARDED},
	{"80._tcp.web.", .kind = FORWARDED},
	{"we\\.b.", .kind = FORWARDED},
	{"only\\.b.", .kind = FORWARDED},
	{"web\\000.", .kind = FORWARDED},
	{"9.0.0.10.in-addr.arpa.", .kind = FORWARDED},
	{"0.0.10.in-addr.arpa.", .kind = FORWARDED},
	{"1.1.0.0.10.in-addr.arpa.", .kind = FORWARDED},
	{"01.0.0.10.in-addr.arpa.", .kind = FORWARDED},
	{"257.0.0.10.in-addr.arpa.", .kind = FORWARDED},
	{"1.0.0.10.in-addr.arpa.x.", .kind = FORWARDED},
	{"1x0.0.10.in-addr.arpa.", .kind = FORWARDED},
	{"in-addr.arpa.", .kind = FORWARDED},
	{"mylocalhost.", .kind = FORWARDED},
	{"not-invalid.", .kind = FORWARDED},
	{"7.0.0.0.0.0" REVERSE6, .kind = FORWARDED},
	{"0.0.0.0.0" REVERSE6, .kind = FORWARDED},
};

static const unsigned types[] = {A, AAAA, PTR, SRV, ANY, LDNS_RR_TYPE_MX, LDNS_RR_TYPE_TXT,
	LDNS_RR_TYPE_NS, LDNS_RR_TYPE_SOA, LDNS_RR_TYPE_CNAME, LDNS_RR_TYPE_NAPTR,
	LDNS_RR_TYPE_DNSKEY, 65 /* HTTPS */, 65280};

static const struct transport {
	unsigned udp_size;
	bool is_tcp, dnssec_ok;
	const char *edns;
} transports[] = {
	{0, false, false, ""},
	{1232, false, false, " edns 1232"},
	{4096, false, true, " edns 1232 do"},
	{0, true, false, ""},
	{512, true, true, " edns 1232 do"},
};

static char *append_part(
	char *to, const struct known *k, unsigned type, const char *part, unsigned asked)
{
	if (part && (asked == type || asked == ANY))
		to += sprintf(to, part, k->name);
	return to;
}

static void write_expected(
	const struct known *k, unsigned type, const struct transport *t, char *text)
{
	char *to = stpcpy(text, k->kind == IS_THERE ? OK : NX), *begin = to;

	if (k->kind == FORWARDED) {
		strcpy(text, "forward");
		return;
	}
	to = append_part(to, k, A, k->a, type);
	to = append_part(to, k, AAAA, k->aaaa, type);
	to = append_part(to, k, PTR, k->ptr, type);
	to = append_part(to, k, SRV, k->srv, type);
	if (to == begin)
		to += sprintf(to, " ; %s%s", k->soa, SOA);
	else
		to = append_part(to, k, SRV, k->more, type);
	strcpy(to, t->edns);
}

static void test_matrix(void **state)
{
	char text[1024];

	for (unsigned n = 0; n < ARRAY_SIZE(known); n++) {
		for (unsigned y = 0; y < ARRAY_SIZE(types); y++) {
			for (unsigned t = 0; t < ARRAY_SIZE(transports); t++) {
				struct question q = {
					.name = known[n].name,
					.type = types[y],
					.udp_size = transports[t].udp_size,
					.is_tcp = transports[t].is_tcp,
					.dnssec_ok = transports[t].dnssec_ok,
				};

				write_expected(&known[n], types[y], &transports[t], text);
				expect(&q, text);
			}
		}
	}
}

static void test_internal(void **state)
{
	struct question q = {.name = "example.com.", .type = A, .no_forwarding = true};

	expect(&q, NX " ; ." SOA);
	q.name = "9.0.0.10.in-addr.arpa.";
	expect(&q, NX " ; ." SOA);
	q.name = "we\\.b.";
	expect(&q, NX " ; ." SOA);
	q.name = ".";
	expect(&q, OK " ; ." SOA);
	q.name = "web.";
	expect(&q, OK " | web. 2 IN A 10.0.0.1");
}

static void test_scope(void **state)
{
	struct question q = {.name = "web.", .type = A, .scope = &scope_b};

	expect(&q, OK " | web. 2 IN A 10.1.0.1");
	q.name = "www.";
	expect(&q, "forward");
	q.name = "web.neta.";
	expect(&q, "forward");
	q.name = "1.0.0.10.in-addr.arpa.";
	q.type = PTR;
	expect(&q, "forward");
}

static void test_turns(void **state)
{
	// Which comes first is not said, only that each does, once in as many turns.
	unsigned firsts = 0;

	for (unsigned turn = 0; turn < 2; turn++) {
		struct question q = {.name = "www.", .type = A, .turn = turn};
		static uint8_t out[QUERY_TCP_BYTES];
		const char *text = dns_text(out, ask(&q, out));
		const char *one = strstr(text, "10.0.0.1"), *four = strstr(text, "10.0.0.4");

		assert_non_null(one);
		assert_non_null(four);
		firsts |= one < four ? 1 : 2;
	}
	assert_int_equal(firsts, 3);
}

static void test_classes(void **state)
{
	struct question q = {.name = "web.", .type = A, .class = LDNS_RR_CLASS_CH};

	expect(&q, "REFUSED rd ra");
	q.class = LDNS_RR_CLASS_ANY;
	expect(&q, "REFUSED rd ra");
	expect_type("web.", LDNS_RR_TYPE_AXFR, "REFUSED rd ra");
	expect_type("example.com.", LDNS_RR_TYPE_IXFR, "REFUSED rd ra");
}

static void test_flags(void **state)
{
	struct question q = {.name = "four.", .type = A, .flags = LDNS_CD | LDNS_AD};
	struct dns_query query;
	uint8_t out[512];

	expect(&q, OK " cd | four. 2 IN A 10.0.0.4");
	dns_text_parse(&q, &query);
	query.flags &= ~0x0100; // RD
	assert_string_equal(
		dns_text(out, query_answer(&query, names, &scope_ab, true, TTL_S, 0, out)),
		"NOERROR aa ra cd | four. 2 IN A 10.0.0.4");
	assert_string_equal(
		dns_text(out, query_error(&query, LDNS_RCODE_SERVFAIL, out)), "SERVFAIL ra cd");
}

// ---- sizes ----

static unsigned count_answers(const uint8_t *wire)
{
	return ldns_read_uint16(wire + 6);
}

static void check_size(const char *name, unsigned type, unsigned udp_size, bool is_tcp,
	size_t max_bytes, bool cut, unsigned count)
{
	struct question q = {.name = name, .type = type, .udp_size = udp_size, .is_tcp = is_tcp};
	static uint8_t out[QUERY_TCP_BYTES + 8];
	size_t len;

	memset(out, 0xee, sizeof(out));
	len = ask(&q, out);
	assert_in_range(len, 1, max_bytes);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(out[max_bytes + i], 0xee);
	assert_int_equal(!!LDNS_TC_WIRE(out), cut);
	assert_int_equal(count_answers(out), count);
	dns_text(out, len);
}

static void test_sizes(void **state)
{
	// "many": 22 bytes of header and question, 16 or 28 a record, 11 of OPT.
	check_size("many.", A, 0, false, 512, true, 30);
	check_size("many.", A, 1232, false, 1232, false, 32);
	check_size("many.", A, 600, false, 600, false, 32);
	check_size("many.", A, 100, false, 512, true, 29);
	check_size("many.", AAAA, 0, false, 512, true, 17);
	check_size("many.", AAAA, 1232, false, 1232, false, 32);
	check_size("many6.", AAAA, 65535, false, 1232, true, 42);
	check_size("many6.", AAAA, 0, true, 65535, false, 64);
	check_size("many6.", AAAA, 512, true, 65535, false, 64);
	check_size("many.", ANY, 1232, false, 1232, true, 56);
	// Additional records go without saying.
	check_size("_80._tcp.many.", SRV, 0, false, 512, false, 1);
}

// ---- questions that are none ----

static int parse_bytes(const void *bytes, size_t len, bool is_tcp, struct dns_query *query)
{
	// Of the very size, for the sanitizer.
	uint8_t *wire = malloc(len ? len : 1);
	int rc;

	memcpy(wire, bytes, len);
	rc = query_parse(wire, len, is_tcp, query);
	free(wire);
	return rc;
}

#define HEAD(flags, qd, an, ns, ar) "\x12\x34" flags "\0" qd "\0" an "\0" ns "\0" ar
#define Q_WEB			    "\3web\0\0\1\0\1"
#define OPT(version)		    "\0\0\51\2\0\0" version "\0\0\0\0"

static const struct bad {
	const char *bytes;
	size_t len;
	int rc;
	const char *reply;
} bads[] = {
#define BAD(bytes, rc, reply)                                                                      \
	{                                                                                          \
		bytes, sizeof(bytes) - 1, rc, reply                                                \
	}
	BAD("", -EBADMSG, NULL),
	BAD("\x12\x34\1\0\0\1\0\0\0\0\0", -EBADMSG, NULL),
	BAD(HEAD("\x81\0", "\1", "\0", "\0", "\0") Q_WEB, -EBADMSG, NULL),
	BAD(HEAD("\1\0", "\0", "\0", "\0", "\0"), LDNS_RCODE_FORMERR, "FORMERR rd ra"),
	BAD(HEAD("\1\0", "\2", "\0", "\0", "\0") Q_WEB Q_WEB, LDNS_RCODE_FORMERR, "FORMERR rd ra"),
	BAD(HEAD("\1\0", "\1", "\0", "\0", "\0") "\3web", LDNS_RCODE_FORMERR, "FORMERR rd ra"),
	BAD(HEAD("\1\0", "\1", "\0", "\0", "\0") "\3web\0\0\1\0", LDNS_RCODE_FORMERR,
		"FORMERR rd ra"),
	BAD(HEAD("\1\0", "\1", "\0", "\0", "\0") Q_WEB "x", LDNS_RCODE_FORMERR, "FORMERR rd ra"),
	BAD(HEAD("\1\0", "\1", "\1", "\0", "\0") Q_WEB, LDNS_RCODE_FORMERR, "FORMERR rd ra"),
	BAD(HEAD("\1\0", "\1", "\0", "\1", "\0") Q_WEB, LDNS_RCODE_FORMERR, "FORMERR rd ra"),
	BAD(HEAD("\1\0", "\1", "\0", "\0", "\2") Q_WEB OPT("\0") OPT("\0"), LDNS_RCODE_FORMERR,
		"FORMERR rd ra"),
	BAD(HEAD("\1\0", "\1", "\0", "\0", "\1") Q_WEB, LDNS_RCODE_FORMERR, "FORMERR rd ra"),
	BAD(HEAD("\1\0", "\1", "\0", "\0", "\1") Q_WEB "\0\0\51\2\0\0\0\0\0\0\4xxx",
		LDNS_RCODE_FORMERR, "FORMERR rd ra"),
	BAD(HEAD("\1\0", "\1", "\0", "\0", "\1") Q_WEB "\0\0\1\0\1\0\0\0\0\0\4xxxx",
		LDNS_RCODE_FORMERR, "FORMERR rd ra"),
	// Pointers: to itself, to the header, behind a label.
	BAD(HEAD("\1\0", "\1", "\0", "\0", "\0") "\xc0\x0c\0\1\0\1", LDNS_RCODE_FORMERR,
		"FORMERR rd ra"),
	BAD(HEAD("\1\0", "\1", "\0", "\0", "\0") "\xc0\x04\0\1\0\1", LDNS_RCODE_FORMERR,
		"FORMERR rd ra"),
	BAD(HEAD("\1\0", "\1", "\0", "\0", "\0") "\1a\xc0\x0c\0\1\0\1", LDNS_RCODE_FORMERR,
		"FORMERR rd ra"),
	BAD(HEAD("\1\0", "\1", "\0", "\0", "\0") "\x40xxx\0\0\1\0\1", LDNS_RCODE_FORMERR,
		"FORMERR rd ra"),
	BAD(HEAD("\x29\0", "\1", "\0", "\0", "\0") Q_WEB, LDNS_RCODE_NOTIMPL, "NOTIMPL rd ra"),
	BAD(HEAD("\x10\0", "\0", "\0", "\0", "\0"), LDNS_RCODE_NOTIMPL, "NOTIMPL ra"),
	BAD(HEAD("\1\0", "\1", "\0", "\0", "\1") Q_WEB OPT("\1"), 16, "NOERROR rd ra edns 1232"),
	// And those that are.
	BAD(HEAD("\1\0", "\1", "\0", "\0", "\0") Q_WEB, 0, NULL),
	BAD(HEAD("\1\0", "\1", "\0", "\0", "\1") Q_WEB OPT("\0"), 0, NULL),
	BAD(HEAD("\1\0", "\1", "\0", "\0", "\1") Q_WEB "\0\0\51\2\0\0\0\0\0\0\6\xff\xf0\0\2xx", 0,
		NULL),
};

static void test_bad(void **state)
{
	for (unsigned i = 0; i < ARRAY_SIZE(bads); i++) {
		struct dns_query query;
		uint8_t out[DNS_UDP_BYTES];

		assert_int_equal(
			parse_bytes(bads[i].bytes, bads[i].len, false, &query), bads[i].rc);
		if (bads[i].rc <= 0)
			continue;
		assert_string_equal(
			dns_text(out, query_error(&query, bads[i].rc, out)), bads[i].reply);
	}
}

static void test_badvers(void **state)
{
	static const char wire[] = HEAD("\1\0", "\1", "\0", "\0", "\1") Q_WEB OPT("\1");
	struct dns_query query;
	uint8_t out[512];
	ldns_pkt *packet;
	size_t len;

	assert_int_equal(parse_bytes(wire, sizeof(wire) - 1, false, &query), 16);
	len = query_error(&query, 16, out);
	assert_int_equal(ldns_wire2pkt(&packet, out, len), LDNS_STATUS_OK);
	assert_int_equal(ldns_pkt_edns_extended_rcode(packet), 1);
	assert_int_equal(ldns_pkt_edns_version(packet), 0);
	ldns_pkt_free(packet);
}

static size_t write_long(unsigned label, unsigned count, uint8_t *wire)
{
	static const char head[] = HEAD("\1\0", "\1", "\0", "\0", "\0");
	uint8_t *to = wire + sizeof(head) - 1;

	memcpy(wire, head, sizeof(head) - 1);
	for (unsigned i = 0; i < count; i++) {
		*to++ = label;
		memset(to, 'x', label);
		to += label;
	}
	memcpy(to, "\0\0\1\0\1", 5);
	return to + 5 - wire;
}

static void test_long(void **state)
{
	struct dns_query query;
	static uint8_t out[DNS_UDP_BYTES];
	uint8_t wire[1024];

	// 255 bytes are a name, 256 are not.
	assert_int_equal(parse_bytes(wire, write_long(1, 127, wire), false, &query), 0);
	assert_int_equal(query.name_bytes, 255);
	assert_int_equal(query_answer(&query, names, &scope_ab, true, TTL_S, 0, out), 0);
	assert_true(query_answer(&query, names, &scope_ab, false, TTL_S, 0, out) <= 512);
	assert_int_equal(
		parse_bytes(wire, write_long(1, 128, wire), false, &query), LDNS_RCODE_FORMERR);
	assert_int_equal(parse_bytes(wire, write_long(63, 3, wire), false, &query), 0);
	assert_int_equal(
		parse_bytes(wire, write_long(63, 4, wire), false, &query), LDNS_RCODE_FORMERR);
	assert_int_equal(
		parse_bytes(wire, write_long(64, 1, wire), false, &query), LDNS_RCODE_FORMERR);
}

// ---- cost ----

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void bench(const char *name, unsigned type)
{
	struct question q = {.name = name, .type = type, .udp_size = 1232};
	static uint8_t out[QUERY_TCP_BYTES];
	const unsigned rounds = 500000;
	struct dns_query query;
	uint8_t *wire;
	size_t len = dns_text_question(&q, &wire), sum = 0;
	double start = now_s(), parsed;

	for (unsigned i = 0; i < rounds; i++)
		sum += query_parse(wire, len, false, &query);
	parsed = now_s();
	for (unsigned i = 0; i < rounds; i++)
		sum += query_answer(&query, names, &scope_ab, true, TTL_S, i, out);
	printf("%-24s parse %.2f us, answer %.2f us (%zu bytes)\n", name,
		(parsed - start) * 1e6 / rounds, (now_s() - parsed) * 1e6 / rounds, sum / rounds);
	free(wire);
}

static int run_bench(void)
{
	setup(NULL);
	bench("web.", A);
	bench("web.neta.", A);
	bench("web.", AAAA);
	bench("www.", A);
	bench("many.", A);
	bench("four.", AAAA);
	bench("x.neta.", A);
	bench("_http._tcp.web.", SRV);
	bench("1.0.0.10.in-addr.arpa.", PTR);
	bench("www.example.com.", A);
	teardown(NULL);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matrix),
		cmocka_unit_test(test_internal),
		cmocka_unit_test(test_scope),
		cmocka_unit_test(test_turns),
		cmocka_unit_test(test_classes),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_badvers),
		cmocka_unit_test(test_long),
	};

	if (argc > 1 && strcmp(argv[1], "bench") == 0)
		return run_bench();
	return cmocka_run_group_tests(tests, setup, teardown);
}
