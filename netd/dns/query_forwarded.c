// SPDX-License-Identifier: BSD-3-Clause
// Passes on the answer of a server above as it is. Nothing moves, so its pointers stay right, and
// pointers to the question's name give names the case of the client. The data of records is not
// read.
#include <ctype.h>

#include "netd/dns/query_priv.h"

#define RECORD_BYTES 10 // behind the owner: type, class, TTL, length of the data

// The part of a message that is passed on.
struct extent {
	uint16_t counts[4];
	size_t end;
	bool full; // a record is not in it
	bool cut;  // one of the answer or the authority
};

static bool same_name(const uint8_t *a, const uint8_t *b, size_t len_bytes)
{
	for (size_t i = 0; i < len_bytes; i++) {
		// Lengths of labels are too small to be letters.
		if (tolower(a[i]) != tolower(b[i]))
			return false;
	}
	return true;
}

static size_t question_end(const struct dns_query *query)
{
	return QUERY_NAME_AT + query->name_bytes + 2 * sizeof(uint16_t);
}

static bool answers(const struct dns_query *query, const uint8_t *wire, size_t len_bytes)
{
	const uint8_t *name = wire + QUERY_NAME_AT, *type = name + query->name_bytes;

	return query->name_bytes && len_bytes >= question_end(query) && LDNS_QR_WIRE(wire) &&
	       LDNS_QDCOUNT(wire) == 1 && same_name(name, query->name, query->name_bytes) &&
	       ldns_read_uint16(type) == query->type && ldns_read_uint16(type + 2) == query->class;
}

// Returns the end of the record at `at`. 0: it is not a record, or an OPT record, which an answer
// must not have here.
static size_t record_end(const uint8_t *wire, size_t len_bytes, size_t at)
{
	size_t end = query_name_end(wire, len_bytes, at, true);

	if (!end || end + RECORD_BYTES > len_bytes ||
		ldns_read_uint16(&wire[end]) == LDNS_RR_TYPE_OPT)
		return 0;
	end += RECORD_BYTES + ldns_read_uint16(&wire[end + RECORD_BYTES - 2]);
	return end <= len_bytes ? end : 0;
}

// All records that end before `room_bytes`. False: not a message.
static bool measure(const uint8_t *wire, size_t len_bytes, size_t at, size_t room_bytes,
	struct extent *ret_extent)
{
	struct extent x = {.counts = {1}, .end = at};

	for (unsigned section = LDNS_SECTION_ANSWER; section <= LDNS_SECTION_ADDITIONAL;
		section++) {
		unsigned count = ldns_read_uint16(&wire[LDNS_QDCOUNT_OFF + 2 * section]);

		for (unsigned i = 0; i < count; i++) {
			at = record_end(wire, len_bytes, at);
			if (!at)
				return false;
			x.full |= at > room_bytes;
			if (!x.full) {
				x.end = at;
				x.counts[section]++;
			} else if (section != LDNS_SECTION_ADDITIONAL) {
				x.cut = true;
			}
		}
	}
	*ret_extent = x;
	return true;
}

// Without the records behind it, a pointer forward may point at nothing.
static bool is_readable(const uint8_t *wire, const struct extent *x)
{
	size_t at = LDNS_HEADER_SIZE;
	ldns_rr *rr;

	for (unsigned section = LDNS_SECTION_QUESTION; section <= LDNS_SECTION_ADDITIONAL;
		section++) {
		for (unsigned i = 0; i < x->counts[section]; i++) {
			if (ldns_wire2rr(&rr, wire, x->end, &at, section) != LDNS_STATUS_OK)
				return false;
			ldns_rr_free(rr);
		}
	}
	return true;
}

static void copy(const struct dns_query *query, const struct forward_answer *answer,
	struct extent *x, uint8_t *out)
{
	memcpy(out, answer->wire, x->end);
	memcpy(out + QUERY_NAME_AT, query->name, query->name_bytes);
	if (!x->full || is_readable(out, x))
		return;
	*x = (struct extent){.counts = {1}, .end = question_end(query), .full = true, .cut = true};
}

static unsigned kept_flags(const struct dns_query *query, const uint8_t *wire)
{
	unsigned kept = QUERY_TC;

	if (query->dnssec_ok || (query->flags & QUERY_AD)) // RFC 6840 section 5.8
		kept |= QUERY_AD;
	return ldns_read_uint16(&wire[2]) & kept;
}

static size_t failed(
	const struct dns_query *query, const struct forward_answer *answer, uint8_t *out)
{
	struct message m;

	message_begin(&m, query, out);
	return message_finish(out, ldns_buffer_position(&m.buffer), query, 0, answer->rcode,
		answer->ede, m.counts);
}

size_t query_forwarded(
	const struct dns_query *query, const struct forward_answer *answer, uint8_t *out)
{
	struct extent x;
	unsigned flags;
	int rcode;

	if (!answer->wire)
		return failed(query, answer, out);
	if (!answers(query, answer->wire, answer->wire_bytes) ||
		!measure(answer->wire, answer->wire_bytes, question_end(query),
			query->max_bytes - message_opt_bytes(query), &x))
		return query_error(query, LDNS_RCODE_SERVFAIL, out);
	rcode = (answer->rcode & ~0xf) | LDNS_RCODE_WIRE(answer->wire);
	if (rcode > 0xf && !query->has_edns) // it cannot be said
		return query_error(query, LDNS_RCODE_SERVFAIL, out);
	copy(query, answer, &x, out);
	flags = kept_flags(query, answer->wire) | (x.cut ? QUERY_TC : 0);
	return message_finish(out, x.end, query, flags, rcode, answer->ede, x.counts);
}
