// SPDX-License-Identifier: BSD-3-Clause
// Answers of servers above, as a client gets them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <ldns/ldns.h>

#include "tests/unit/dns_text.h"

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

	dns_text_parse(q, &query);
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

	assert_string_equal(dns_text(out, forward(q, above, out)), text);
}

static void test_forwarded(void **state)
{
	struct above above = {.question = "www.example.com.",
		.type = LDNS_RR_TYPE_A,
		.flags = LDNS_AA | LDNS_AD,
		.records = {{"www.example.com. 60 IN CNAME a.example.com.",
				    "a.example.com. 60 IN A 192.0.2.7"},
			{"example.com. 60 IN NS ns.example.com."},
			{"ns.example.com. 60 IN A 192.0.2.8"}}};
	struct question q = {.name = "wWw.ExAmple.com.", .type = LDNS_RR_TYPE_A};

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
		.type = LDNS_RR_TYPE_A,
		.rcode = LDNS_RCODE_NXDOMAIN,
		.records = {{NULL}, {"example.com. 60 IN SOA a. b. 1 2 3 4 5"}}};
	struct question q = {.name = "x.example.com.", .type = LDNS_RR_TYPE_A};
	struct forward_answer nobody = {.rcode = LDNS_RCODE_REFUSED};
	struct dns_query query;
	uint8_t out[512];

	expect_forwarded(&q, &above, "NXDOMAIN rd ra ; example.com. 60 IN SOA a. b. 1 2 3 4 5");
	dns_text_parse(&q, &query);
	assert_string_equal(dns_text(out, query_forwarded(&query, &nobody, out)), "REFUSED rd ra");
	// An answer to something else.
	q.name = "y.example.com.";
	expect_forwarded(&q, &above, "SERVFAIL rd ra");
	q = (struct question){.name = "x.example.com.", .type = LDNS_RR_TYPE_AAAA};
	expect_forwarded(&q, &above, "SERVFAIL rd ra");
	q = (struct question){
		.name = "x.example.com.", .type = LDNS_RR_TYPE_A, .class = LDNS_RR_CLASS_CH};
	expect_forwarded(&q, &above, "SERVFAIL rd ra");
}

static void check_forwarded_size(const struct question *q, unsigned many, bool tc, unsigned count)
{
	struct above above = {.question = "many.example.com.",
		.type = LDNS_RR_TYPE_A,
		.many = many,
		.records = {{NULL}, {"example.com. 60 IN NS ns.example.com."},
			{"ns.example.com. 60 IN A 192.0.2.8"}}};
	static uint8_t out[QUERY_TCP_BYTES];
	size_t len = forward(q, &above, out);

	assert_int_equal(!!LDNS_TC_WIRE(out), tc);
	assert_int_equal(ldns_read_uint16(&out[LDNS_ANCOUNT_OFF]), count);
	dns_text(out, len);
}

static void test_forwarded_sizes(void **state)
{
	struct question q = {.name = "many.example.com.", .type = LDNS_RR_TYPE_A};

	// 34 bytes of header and question, 16 a record, 17 and 16 of the others.
	check_forwarded_size(&q, 29, true, 29);	 // the authority does not fit
	check_forwarded_size(&q, 28, false, 28); // the additional record does not
	check_forwarded_size(&q, 200, true, 29);
	q.udp_size = 520; // 11 of OPT
	check_forwarded_size(&q, 200, true, 29);
	q.udp_size = 4096;
	check_forwarded_size(&q, 200, true, 74);
	q.is_tcp = true;
	check_forwarded_size(&q, 200, false, 200);
}

static size_t forward_ede(
	const struct question *q, const struct above *above, const struct ede *ede, uint8_t *out)
{
	struct forward_answer answer = {.rcode = LDNS_RCODE_SERVFAIL, .ede = ede};
	struct dns_query query;
	uint8_t *wire = NULL;
	size_t len;

	dns_text_parse(q, &query);
	if (above)
		answer.wire_bytes = write_above(above, &wire);
	if (above)
		answer.rcode = above->rcode;
	answer.wire = wire;
	len = query_forwarded(&query, &answer, out);
	assert_in_range(len, 12, query.max_bytes);
	free(wire);
	return len;
}

static bool has_ede(const uint8_t *out, size_t len, const struct ede *ede)
{
	const ldns_rdf *options;
	ldns_pkt *pkt;
	bool has;

	assert_int_equal(ldns_wire2pkt(&pkt, out, len), LDNS_STATUS_OK);
	options = ldns_pkt_edns_data(pkt);
	has = options && ldns_rdf_size(options) == ede->len_bytes &&
	      !memcmp(ldns_rdf_data(options), ede->bytes, ede->len_bytes);
	ldns_pkt_free(pkt);
	return has;
}

// Extended errors are passed on to clients that know EDNS, beside an answer and without one, and
// take the room of no record.
static void test_forwarded_ede(void **state)
{
	static const struct ede ede = {7, {0, 15, 0, 3, 0, 6, 'x'}};
	struct above above = {.question = "many.example.com.", .type = LDNS_RR_TYPE_A, .many = 1};
	struct question q = {.name = "many.example.com.", .type = LDNS_RR_TYPE_A, .udp_size = 1232};
	static uint8_t out[QUERY_TCP_BYTES];
	size_t len;

	assert_true(has_ede(out, forward_ede(&q, &above, &ede, out), &ede));
	len = forward_ede(&q, NULL, &ede, out);
	assert_true(has_ede(out, len, &ede));
	assert_string_equal(dns_text(out, len), "SERVFAIL rd ra edns 1232");
	above.many = 75; // 34 + 74 * 16 + 11 bytes of 1232: 3 are left
	len = forward_ede(&q, &above, &ede, out);
	assert_false(has_ede(out, len, &ede));
	assert_int_equal(ldns_read_uint16(&out[LDNS_ANCOUNT_OFF]), 74);
	q.udp_size = 0;
	above.many = 1;
	assert_false(has_ede(out, forward_ede(&q, &above, &ede, out), &ede));
	len = forward_ede(&q, NULL, &ede, out);
	assert_string_equal(dns_text(out, len), "SERVFAIL rd ra");
}

static void test_take_ede(void **state)
{
	static const uint8_t options[] = {0, 10, 0, 2, 1, 2, // a cookie
		0, 15, 0, 3, 0, 6, 'x',			     // an error
		0, 15, 0, 1, 0,				     // none: no code
		0, 15, 0, 2, 0, 22,			     // another one
		0, 15, 0, 9, 0};			     // cut
	static const uint8_t taken[] = {0, 15, 0, 3, 0, 6, 'x', 0, 15, 0, 2, 0, 22};
	uint8_t large[4 * EDE_BYTES_MAX] = {0, 15, 0, EDE_BYTES_MAX};
	char text[EDE_TEXT_BYTES];
	struct ede ede;

	ede_take(options, sizeof(options), &ede);
	assert_int_equal(ede.len_bytes, sizeof(taken));
	assert_memory_equal(ede.bytes, taken, sizeof(taken));
	assert_int_equal(ede_text(&ede, 0, text), 7);
	assert_string_equal(text, "6: x");
	assert_int_equal(ede_text(&ede, 7, text), 6);
	assert_string_equal(text, "22");
	for (size_t len = 0; len < sizeof(options); len++)
		ede_take(options, len, &ede);
	ede_take(large, sizeof(large), &ede);
	assert_int_equal(ede.len_bytes, 0);
	large[3] = EDE_BYTES_MAX - 4;
	ede_take(large, sizeof(large), &ede);
	assert_int_equal(ede.len_bytes, EDE_BYTES_MAX);
	assert_int_equal(ede_text(&ede, 0, text), EDE_BYTES_MAX);
	assert_int_equal(strlen(text), 3 + EDE_BYTES_MAX - 6);
}

// Any byte of an answer may be wrong: what comes out is a message, or it is said to be none.
static void test_forwarded_broken(void **state)
{
	struct above above = {.question = "www.example.com.",
		.type = LDNS_RR_TYPE_A,
		.records = {{"www.example.com. 60 IN A 192.0.2.7"}}};
	struct question q = {.name = "www.example.com.", .type = LDNS_RR_TYPE_A, .udp_size = 1232};
	struct forward_answer answer = {.source = FORWARD_SERVER};
	static uint8_t out[QUERY_TCP_BYTES];
	struct dns_query query;
	uint8_t *wire, *cut;
	size_t len = write_above(&above, &wire);

	dns_text_parse(&q, &query);
	for (size_t bytes = 0; bytes < len; bytes++) {
		cut = malloc(bytes ? bytes : 1);
		memcpy(cut, wire, bytes);
		answer.wire = cut;
		answer.wire_bytes = bytes;
		assert_string_equal(dns_text(out, query_forwarded(&query, &answer, out)),
			"SERVFAIL rd ra edns 1232");
		free(cut);
	}
	// What follows the records is left out.
	cut = calloc(1, len + 10);
	memcpy(cut, wire, len);
	answer.wire = cut;
	answer.wire_bytes = len + 10;
	assert_string_equal(dns_text(out, query_forwarded(&query, &answer, out)),
		"NOERROR rd ra | www.example.com. 60 IN A 192.0.2.7 edns 1232");
	free(cut);
	free(wire);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forwarded),
		cmocka_unit_test(test_forwarded_nothing),
		cmocka_unit_test(test_forwarded_sizes),
		cmocka_unit_test(test_forwarded_ede),
		cmocka_unit_test(test_take_ede),
		cmocka_unit_test(test_forwarded_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
