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
#include "netd/dns/query.h"

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
	for (unsigned i = 0; i < NAMES_IPS_MAX / 2; i++) {
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

struct question {
	const char *name;
	unsigned type;
	unsigned class;	   // 0: IN
	unsigned udp_size; // EDNS, when not 0
	bool dnssec_ok, is_tcp;
	unsigned flags; // besides RD
	bool no_forwarding;
	unsigned turn;
	const struct names_scope *scope; // NULL: both networks
};

static size_t write_question(const struct question *q, uint8_t **ret_wire)
{
	ldns_pkt *packet = ldns_pkt_query_new(ldns_dname_new_frm_str(q->name), q->type,
		q->class ? q->class : LDNS_RR_CLASS_IN, LDNS_RD | q->flags);
	size_t len;

	assert_non_null(packet);
	ldns_pkt_set_id(packet, 0x1234);
	if (q->udp_size)
		ldns_pkt_set_edns_udp_size(packet, q->udp_size);
	if (q->dnssec_ok)
		ldns_pkt_set_edns_do(packet, true);
	assert_int_equal(ldns_pkt2wire(ret_wire, packet, &len), LDNS_STATUS_OK);
	ldns_pkt_free(packet);
	return len;
}

static void parse(const struct question *q, struct dns_query *ret_query)
{
	uint8_t *wire;
	size_t len = write_question(q, &wire);

	assert_int_equal(query_parse(wire, len, q->is_tcp, ret_query), 0);
	free(wire);
}

static size_t ask(const struct question *q, uint8_t *out)
{
	struct dns_query query;

	parse(q, &query);
	return query_answer(&query, names, q->scope ? q->scope : &scope_ab, !q->no_forwarding,
		TTL_S, q->turn, out);
}

// ---- answers as text ----

static char *append(char *to, const char *text)
{
	strcpy(to, text);
	return to + strlen(text);
}

static char *print_list(char *to, const char *title, const ldns_rr_list *list)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
		char *text = ldns_rr2str(ldns_rr_list_rr(list, i));

		for (char *c = text; *c; c++)
			*c = *c == '\t' ? ' ' : *c == '\n' ? '\0' : *c;
		to = append(append(to, title), text);
		free(text);
	}
	return to;
}

// "RCODE FLAGS | answer.. ; authority.. + additional.. EDNS"
static const char *print(const uint8_t *wire, size_t len)
{
	static char text[65536];
	ldns_lookup_table *rcode;
	ldns_pkt *p;
	char *to = text;

	assert_true(len > 0);
	assert_int_equal(ldns_wire2pkt(&p, wire, len), LDNS_STATUS_OK);
	assert_int_equal(ldns_pkt_id(p), 0x1234);
	assert_true(ldns_pkt_qr(p));
	rcode = ldns_lookup_by_id(ldns_rcodes, ldns_pkt_get_rcode(p));
	to = append(to, rcode->name);
	to = append(to, ldns_pkt_aa(p) ? " aa" : "");
	to = append(to, ldns_pkt_tc(p) ? " tc" : "");
	to = append(to, ldns_pkt_rd(p) ? " rd" : "");
	to = append(to, ldns_pkt_ra(p) ? " ra" : "");
	to = append(to, ldns_pkt_ad(p) ? " ad" : "");
	to = append(to, ldns_pkt_cd(p) ? " cd" : "");
	to = print_list(to, " | ", ldns_pkt_answer(p));
	to = print_list(to, " ; ", ldns_pkt_authority(p));
	to = print_list(to, " + ", ldns_pkt_additional(p));
	if (ldns_pkt_edns(p))
		sprintf(to, " edns %u%s", ldns_pkt_edns_udp_size(p),
			ldns_pkt_edns_do(p) ? " do" : "");
	ldns_pkt_free(p);
	return text;
}

static void expect(const struct question *q, const char *text)
{
	static uint8_t out[QUERY_TCP_BYTES];
	size_t len = ask(q, out);

	assert_string_equal(len ? print(out, len) : "forward", text);
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
	{"in-addr.arpa.", .kind = FORWARDED},
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
	char *to = append(text, k->kind == IS_THERE ? OK : NX), *begin = to;

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
		const char *text = print(out, ask(&q, out));
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
	parse(&q, &query);
	query.flags &= ~0x0100; // RD
	assert_string_equal(print(out, query_answer(&query, names, &scope_ab, true, TTL_S, 0, out)),
		"NOERROR aa ra cd | four. 2 IN A 10.0.0.4");
	assert_string_equal(
		print(out, query_error(&query, LDNS_RCODE_SERVFAIL, out)), "SERVFAIL ra cd");
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
	print(out, len);
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
		uint8_t out[QUERY_UDP_BYTES];

		assert_int_equal(
			parse_bytes(bads[i].bytes, bads[i].len, false, &query), bads[i].rc);
		if (bads[i].rc <= 0)
			continue;
		assert_string_equal(
			print(out, query_error(&query, bads[i].rc, out)), bads[i].reply);
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
	static uint8_t out[QUERY_UDP_BYTES];
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

// ---- answers from above ----

struct above {
	const char *question; // as it was asked there
	unsigned type, flags, rcode;
	const char *records[3][4]; // of the sections behind the question
	unsigned many;		   // more of 10.9.0.0 in the answer
};

static void push(ldns_rr_list *list, const char *text)
{
	ldns_rr *record;

	assert_int_equal(ldns_rr_new_frm_str(&record, text, 60, NULL, NULL), LDNS_STATUS_OK);
	ldns_rr_list_push_rr(list, record);
}

static size_t write_above(const struct above *above, uint8_t **ret_wire)
{
	ldns_pkt *p = ldns_pkt_query_new(ldns_dname_new_frm_str(above->question), above->type,
		LDNS_RR_CLASS_IN, LDNS_QR | above->flags);
	char text[256];
	size_t len;

	for (unsigned s = 0; s < 3; s++) {
		ldns_rr_list *list = ldns_rr_list_new();

		for (unsigned i = 0; i < 4 && above->records[s][i]; i++)
			push(list, above->records[s][i]);
		for (unsigned i = 0; s == 0 && i < above->many; i++) {
			sprintf(text, "%s 60 IN A 10.9.0.%u", above->question, i);
			push(list, text);
		}
		ldns_pkt_push_rr_list(p, s + 1, list);
		ldns_rr_list_free(list);
	}
	ldns_pkt_set_rcode(p, above->rcode);
	assert_int_equal(ldns_pkt2wire(ret_wire, p, &len), LDNS_STATUS_OK);
	ldns_pkt_free(p);
	return len;
}

static size_t forward(const struct question *q, const struct above *above, uint8_t *out)
{
	struct forward_answer answer = {.source = FORWARD_SERVER};
	struct dns_query query;
	uint8_t *wire;
	size_t len;

	parse(q, &query);
	answer.wire_bytes = write_above(above, &wire);
	answer.wire = wire;
	len = query_forwarded(&query, &answer, out);
	assert_in_range(len, 12, query.max_bytes);
	free(wire);
	return len;
}

static void expect_forwarded(const struct question *q, const struct above *above, const char *text)
{
	static uint8_t out[QUERY_TCP_BYTES];

	assert_string_equal(print(out, forward(q, above, out)), text);
}

static void test_forwarded(void **state)
{
	struct above above = {.question = "www.example.com.",
		.type = A,
		.flags = LDNS_AA | LDNS_AD,
		.records = {{"www.example.com. 60 IN CNAME a.example.com.",
				    "a.example.com. 60 IN A 192.0.2.7"},
			{"example.com. 60 IN NS ns.example.com."},
			{"ns.example.com. 60 IN A 192.0.2.8"}}};
	struct question q = {.name = "wWw.ExAmple.com.", .type = A};

#define ANSWER                                                                                     \
	" | wWw.ExAmple.com. 60 IN CNAME a.ExAmple.com. | a.ExAmple.com. 60 IN A 192.0.2.7"        \
	" ; ExAmple.com. 60 IN NS ns.ExAmple.com. + ns.ExAmple.com. 60 IN A 192.0.2.8"
	expect_forwarded(&q, &above, "NOERROR rd ra" ANSWER);
	q.udp_size = 1232;
	expect_forwarded(&q, &above, "NOERROR rd ra" ANSWER " edns 1232");
	q.dnssec_ok = true;
	expect_forwarded(&q, &above, "NOERROR rd ra ad" ANSWER " edns 1232 do");
	q.udp_size = q.dnssec_ok = 0;
	q.flags = LDNS_AD | LDNS_CD;
	expect_forwarded(&q, &above, "NOERROR rd ra ad cd" ANSWER);
	q.flags = 0;
	above.flags |= LDNS_TC;
	expect_forwarded(&q, &above, "NOERROR tc rd ra" ANSWER);
}

static void test_forwarded_nothing(void **state)
{
	struct above above = {.question = "x.example.com.",
		.type = A,
		.rcode = LDNS_RCODE_NXDOMAIN,
		.records = {{NULL}, {"example.com. 60 IN SOA a. b. 1 2 3 4 5"}}};
	struct question q = {.name = "x.example.com.", .type = A};
	struct forward_answer nobody = {.rcode = LDNS_RCODE_REFUSED};
	struct dns_query query;
	uint8_t out[512];

	expect_forwarded(&q, &above, "NXDOMAIN rd ra ; example.com. 60 IN SOA a. b. 1 2 3 4 5");
	parse(&q, &query);
	assert_string_equal(print(out, query_forwarded(&query, &nobody, out)), "REFUSED rd ra");
	// An answer to something else.
	q.name = "y.example.com.";
	expect_forwarded(&q, &above, "SERVFAIL rd ra");
	q = (struct question){.name = "x.example.com.", .type = AAAA};
	expect_forwarded(&q, &above, "SERVFAIL rd ra");
	q = (struct question){.name = "x.example.com.", .type = A, .class = LDNS_RR_CLASS_CH};
	expect_forwarded(&q, &above, "SERVFAIL rd ra");
}

static void check_forwarded_size(const struct question *q, unsigned many, bool tc, unsigned count)
{
	struct above above = {.question = "many.example.com.",
		.type = A,
		.many = many,
		.records = {{NULL}, {"example.com. 60 IN NS ns.example.com."},
			{"ns.example.com. 60 IN A 192.0.2.8"}}};
	static uint8_t out[QUERY_TCP_BYTES];
	size_t len = forward(q, &above, out);

	assert_int_equal(!!LDNS_TC_WIRE(out), tc);
	assert_int_equal(count_answers(out), count);
	print(out, len);
}

static void test_forwarded_sizes(void **state)
{
	struct question q = {.name = "many.example.com.", .type = A};

	// 34 bytes of header and question, 16 a record, 17 and 16 of the others.
	check_forwarded_size(&q, 29, true, 29);	 // the authority does not fit
	check_forwarded_size(&q, 28, false, 28); // the additional record does not
	check_forwarded_size(&q, 200, true, 29);
	q.udp_size = 4096;
	check_forwarded_size(&q, 200, true, 74);
	q.is_tcp = true;
	check_forwarded_size(&q, 200, false, 200);
}

// Any byte of an answer may be wrong: what comes out is a message, or it is said to be none.
static void test_forwarded_broken(void **state)
{
	struct above above = {.question = "www.example.com.",
		.type = A,
		.records = {{"www.example.com. 60 IN A 192.0.2.7"}}};
	struct question q = {.name = "www.example.com.", .type = A, .udp_size = 1232};
	struct forward_answer answer = {.source = FORWARD_SERVER};
	static uint8_t out[QUERY_TCP_BYTES];
	struct dns_query query;
	uint8_t *wire, *cut;
	size_t len = write_above(&above, &wire);

	parse(&q, &query);
	for (size_t bytes = 0; bytes < len; bytes++) {
		cut = malloc(bytes ? bytes : 1);
		memcpy(cut, wire, bytes);
		answer.wire = cut;
		answer.wire_bytes = bytes;
		assert_string_equal(print(out, query_forwarded(&query, &answer, out)),
			"SERVFAIL rd ra edns 1232");
		free(cut);
	}
	// What follows the records is left out.
	cut = calloc(1, len + 10);
	memcpy(cut, wire, len);
	answer.wire = cut;
	answer.wire_bytes = len + 10;
	assert_string_equal(print(out, query_forwarded(&query, &answer, out)),
		"NOERROR rd ra | www.example.com. 60 IN A 192.0.2.7 edns 1232");
	free(cut);
	free(wire);
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
	size_t len = write_question(&q, &wire), sum = 0;
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
		cmocka_unit_test(test_forwarded),
		cmocka_unit_test(test_forwarded_nothing),
		cmocka_unit_test(test_forwarded_sizes),
		cmocka_unit_test(test_forwarded_broken),
	};

	if (argc > 1 && strcmp(argv[1], "bench") == 0)
		return run_bench();
	return cmocka_run_group_tests(tests, setup, teardown);
}
