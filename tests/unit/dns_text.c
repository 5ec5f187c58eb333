// SPDX-License-Identifier: BSD-3-Clause
#include "tests/unit/dns_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <ldns/ldns.h>

size_t dns_text_question(const struct question *q, uint8_t **ret_wire)
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

void dns_text_parse(const struct question *q, struct dns_query *ret_query)
{
	uint8_t *wire;
	size_t len = dns_text_question(q, &wire);

	assert_int_equal(query_parse(wire, len, q->is_tcp, ret_query), 0);
	free(wire);
}

static char *print_list(char *to, const char *title, const ldns_rr_list *list)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
		char *text = ldns_rr2str(ldns_rr_list_rr(list, i));

		for (char *c = text; *c; c++)
			*c = *c == '\t' ? ' ' : *c == '\n' ? '\0' : *c;
		to = stpcpy(stpcpy(to, title), text);
		free(text);
	}
	return to;
}

const char *dns_text(const uint8_t *wire, size_t len)
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
	to = stpcpy(to, rcode->name);
	to = stpcpy(to, ldns_pkt_aa(p) ? " aa" : "");
	to = stpcpy(to, ldns_pkt_tc(p) ? " tc" : "");
	to = stpcpy(to, ldns_pkt_rd(p) ? " rd" : "");
	to = stpcpy(to, ldns_pkt_ra(p) ? " ra" : "");
	to = stpcpy(to, ldns_pkt_ad(p) ? " ad" : "");
	to = stpcpy(to, ldns_pkt_cd(p) ? " cd" : "");
	to = print_list(to, " | ", ldns_pkt_answer(p));
	to = print_list(to, " ; ", ldns_pkt_authority(p));
	to = print_list(to, " + ", ldns_pkt_additional(p));
	if (ldns_pkt_edns(p))
		sprintf(to, " edns %u%s", ldns_pkt_edns_udp_size(p),
			ldns_pkt_edns_do(p) ? " do" : "");
	ldns_pkt_free(p);
	return text;
}
