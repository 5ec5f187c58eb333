// SPDX-License-Identifier: BSD-3-Clause
#include "netd/dns/query.h"

#include <errno.h>

#include "base/util.h"
#include "netd/dns/query_priv.h"

#define UDP_BYTES_MIN 512 // every client takes so many (RFC 1035 section 4.2.1)
#define LABEL_MAX     63

size_t query_name_end(const uint8_t *wire, size_t len_bytes, size_t at, bool pointers)
{
	while (at < len_bytes && wire[at] != 0) {
		if (wire[at] >= 0xc0)
			return pointers && at + 2 <= len_bytes ? at + 2 : 0;
		if (wire[at] > LABEL_MAX)
			return 0;
		at += 1 + wire[at];
	}
	return at < len_bytes ? at + 1 : 0;
}

// ldns would follow pointers, for long when they are hostile; a question's name has none.
static int read_question(const uint8_t *wire, size_t len_bytes, size_t *at, struct dns_query *query)
{
	const ldns_rdf *name;
	ldns_rr *rr;

	if (LDNS_QDCOUNT(wire) != 1 || !query_name_end(wire, len_bytes, *at, false) ||
		ldns_wire2rr(&rr, wire, len_bytes, at, LDNS_SECTION_QUESTION) != LDNS_STATUS_OK)
		return LDNS_RCODE_FORMERR;
	name = ldns_rr_owner(rr);
	query->name_bytes = ldns_rdf_size(name);
	memcpy(query->name, ldns_rdf_data(name), query->name_bytes);
	query->type = ldns_rr_get_type(rr);
	query->class = ldns_rr_get_class(rr);
	ldns_rr_free(rr);
	return 0;
}

// Its name is the root, so it has no pointer either.
static bool is_opt(const uint8_t *wire, size_t len_bytes, size_t at)
{
	return at + 3 <= len_bytes && wire[at] == 0 &&
	       ldns_read_uint16(&wire[at + 1]) == LDNS_RR_TYPE_OPT;
}

static int read_opt(
	const uint8_t *wire, size_t len_bytes, size_t *at, bool is_tcp, struct dns_query *query)
{
	unsigned size_bytes;
	uint32_t bits;
	ldns_rr *rr;

	if (!is_opt(wire, len_bytes, *at) ||
		ldns_wire2rr(&rr, wire, len_bytes, at, LDNS_SECTION_ADDITIONAL) != LDNS_STATUS_OK)
		return LDNS_RCODE_FORMERR;
	size_bytes = ldns_rr_get_class(rr);
	bits = ldns_rr_ttl(rr);
	ldns_rr_free(rr);
	query->has_edns = true;
	query->dnssec_ok = bits & 0x8000;
	if (!is_tcp)
		query->max_bytes = MAX_OF(UDP_BYTES_MIN, MIN_OF(size_bytes, DNS_UDP_BYTES));
	return bits >> 16 & 0xff ? QUERY_BADVERS : 0;
}

// One question, and at most an OPT record.
static int read_sections(
	const uint8_t *wire, size_t len_bytes, bool is_tcp, struct dns_query *query)
{
	size_t at = QUERY_NAME_AT;
	int rc = read_question(wire, len_bytes, &at, query);

	if (rc)
		return rc;
	if (LDNS_ANCOUNT(wire) || LDNS_NSCOUNT(wire) || LDNS_ARCOUNT(wire) > 1)
		return LDNS_RCODE_FORMERR;
	if (LDNS_ARCOUNT(wire))
		rc = read_opt(wire, len_bytes, &at, is_tcp, query);
	if (rc == 0 && at != len_bytes)
		rc = LDNS_RCODE_FORMERR;
	return rc;
}

int query_parse(const uint8_t *wire, size_t len_bytes, bool is_tcp, struct dns_query *ret_query)
{
	if (len_bytes < LDNS_HEADER_SIZE || LDNS_QR_WIRE(wire))
		return -EBADMSG;
	ret_query->id = LDNS_ID_WIRE(wire);
	ret_query->flags = ldns_read_uint16(&wire[2]);
	ret_query->type = ret_query->class = 0;
	ret_query->name_bytes = 0;
	ret_query->has_edns = ret_query->dnssec_ok = false;
	ret_query->max_bytes = is_tcp ? QUERY_TCP_BYTES : UDP_BYTES_MIN;
	if (ret_query->flags & QUERY_OPCODE)
		return LDNS_RCODE_NOTIMPL;
	return read_sections(wire, len_bytes, is_tcp, ret_query);
}
