// SPDX-License-Identifier: BSD-3-Clause
// What servers say, written as text, and what the forwarder makes of it.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <ldns/ldns.h>

#include "base/util.h"
#include "netd/dns/cache.h"
#include "netd/dns/forward_message.h"

static const uint8_t name[] = "\3www\7example";
static const struct forward_question question = {
	.name = name, .name_bytes = sizeof(name), .type = LDNS_RR_TYPE_A, .class = 1};

struct answer_case {
	const char *asked; // NULL: what was asked
	uint16_t flags;
	int rcode;
	const char *answer[4], *authority[2], *additional[2];
	int rc;
	uint32_t ttl_s;
};

static void push(ldns_pkt *pkt, ldns_pkt_section section, const char *text)
{
	ldns_rr *rr;

	if (!text)
		return;
	assert_int_equal(ldns_rr_new_frm_str(&rr, text, 0, NULL, NULL), LDNS_STATUS_OK);
	assert_true(ldns_pkt_push_rr(pkt, section, rr));
}

static int reply_of(const struct answer_case *c, struct message_reply *ret_reply)
{
	ldns_pkt *pkt =
		ldns_pkt_query_new(ldns_dname_new_frm_str(c->asked ? c->asked : "WWW.example."),
			LDNS_RR_TYPE_A, LDNS_RR_CLASS_IN, LDNS_RD | c->flags);
	uint8_t *wire;
	size_t len;
	int rc;

	ldns_pkt_set_qr(pkt, !(c->flags & LDNS_QR));
	ldns_pkt_set_rcode(pkt, c->rcode);
	ldns_pkt_set_id(pkt, 77);
	ldns_pkt_set_edns_udp_size(pkt, 1400);
	ldns_pkt_set_edns_do(pkt, true);
	for (unsigned i = 0; i < ARRAY_SIZE(c->answer); i++)
		push(pkt, LDNS_SECTION_ANSWER, c->answer[i]);
	for (unsigned i = 0; i < ARRAY_SIZE(c->authority); i++) {
		push(pkt, LDNS_SECTION_AUTHORITY, c->authority[i]);
		push(pkt, LDNS_SECTION_ADDITIONAL, c->additional[i]);
	}
	assert_int_equal(ldns_pkt2wire(&wire, pkt, &len), LDNS_STATUS_OK);
	rc = message_reply(wire, len, &question, ret_reply);
	free(wire);
	ldns_pkt_free(pkt);
	return rc;
}

#define SOA(ttl, minimum) "example. " #ttl " IN SOA a. b. 1 2 3 4 " #minimum

static const struct answer_case cases[] = {
	{.answer = {"www.example. 60 IN A 192.0.2.1", "www.example. 30 IN A 192.0.2.2"},
		.ttl_s = 30},
	{.answer = {"www.example. 999999 IN A 192.0.2.1"}, .ttl_s = CACHE_TTL_MAX_S},
	{.answer = {"www.example. 2147483648 IN A 192.0.2.1"}, .ttl_s = 0}, // RFC 2181
	{.answer = {"www.example. 0 IN A 192.0.2.1"}, .ttl_s = 0},
	{.answer = {"www.example. 60 IN CNAME x.example.", "x.example. 20 IN A 192.0.2.1"},
		.additional = {"y.example. 10 IN A 192.0.2.1"},
		.ttl_s = 10},
	{.answer = {"example. 60 IN DNAME y.", "www.y. 20 IN A 192.0.2.1"}, .ttl_s = 20},
	// Nothing: what the SOA says, if it says something.
	{.rcode = 3, .authority = {SOA(600, 60)}, .ttl_s = 60},
	{.rcode = 3, .authority = {SOA(20, 60)}, .ttl_s = 20},
	{.rcode = 3, .authority = {SOA(9000, 9000)}, .ttl_s = MESSAGE_NEGATIVE_TTL_MAX_S},
	{.rcode = 3, .ttl_s = 0},
	{.authority = {SOA(600, 60)}, .ttl_s = 60},
	{.authority = {"example. 600 IN NS ns.example."}, .ttl_s = 0},
	{.answer = {"www.example. 40 IN CNAME x.example."},
		.authority = {SOA(600, 60)},
		.ttl_s = 40},
	{.answer = {"www.example. 40 IN CNAME x.example."}, .ttl_s = 0},
	// Not the whole truth, not the answer, not an answer.
	{.flags = LDNS_TC, .answer = {"www.example. 60 IN A 192.0.2.1"}, .ttl_s = 0},
	{.answer = {"other.example. 60 IN A 192.0.2.1"}, .rc = -EBADMSG},
	{.answer = {"ample. 60 IN DNAME y."}, .rc = -EBADMSG},
	{.asked = "other.example.", .answer = {"www.example. 60 IN A 192.0.2.1"}, .rc = -EBADMSG},
	{.flags = LDNS_QR, .rc = -EBADMSG},
};

static void test_cases(void **state)
{
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		struct message_reply reply = {};
		ldns_pkt *pkt;

		if (reply_of(&cases[i], &reply) != cases[i].rc)
			fail_msg("case %u", i);
		if (cases[i].rc < 0)
			continue;
		if (reply.ttl_s != cases[i].ttl_s)
			fail_msg("case %u: %u", i, reply.ttl_s);
		assert_int_equal(reply.rcode, cases[i].rcode);
		assert_int_equal(ldns_wire2pkt(&pkt, reply.wire, reply.wire_bytes), 0);
		assert_int_equal(ldns_pkt_id(pkt), 0);
		assert_false(ldns_pkt_edns(pkt));
		ldns_pkt_free(pkt);
		free(reply.wire);
	}
}

static void test_question(void **state)
{
	struct forward_question long_one = question;
	uint8_t wire[MESSAGE_QUESTION_BYTES], longest[255];
	ldns_pkt *pkt;
	size_t len;

	len = message_question(&question, 4660, wire);
	assert_int_equal(ldns_wire2pkt(&pkt, wire, len), 0);
	assert_int_equal(ldns_pkt_id(pkt), 4660);
	assert_true(ldns_pkt_rd(pkt) && !ldns_pkt_cd(pkt) && !ldns_pkt_edns_do(pkt));
	assert_int_equal(ldns_pkt_edns_udp_size(pkt), DNS_UDP_BYTES);
	ldns_pkt_free(pkt);
	for (unsigned i = 0; i < 127; i++)
		memcpy(longest + 2 * i, "\1x", 2);
	longest[254] = 0;
	long_one.name = longest;
	long_one.name_bytes = sizeof(longest);
	long_one.dnssec_ok = long_one.checking_disabled = true;
	len = message_question(&long_one, 0, wire);
	assert_int_equal(len, 12 + 255 + 4 + 11);
	assert_int_equal(ldns_wire2pkt(&pkt, wire, len), 0);
	assert_true(ldns_pkt_cd(pkt) && ldns_pkt_edns_do(pkt));
	ldns_pkt_free(pkt);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_question),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
