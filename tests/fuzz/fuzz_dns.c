// SPDX-License-Identifier: BSD-3-Clause
// A question, and what a server above says to it. The first byte has bits (below), two more the
// size of the question's message; the rest is the answer from above. What goes to the client keeps
// to its size, and ldns reads it.
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <ldns/ldns.h>

#include "netd/dns/query.h"

enum bits {
	IS_TCP = 1,
	FORWARDS = 2,
	SAME_QUESTION = 4, // the answer's bytes are behind a header of 12 and the question asked
	TURN = 0xf0,
};

#define NET	     "0000000000000000000000000000000a"
#define HEADER_BYTES 12

static void require(bool holds)
{
	if (!holds)
		abort();
}

static struct names *make_names(void)
{
	static const char *const ips[] = {"10.0.0.1", "fd00::1", "10.0.0.2", "fd00::2"};
	static char aliases[2][NAME_BYTES] = {"www", "a.b"};
	struct endpoint_record rec = {.name = "web", .aliases = aliases, .nb_aliases = 2};
	struct names *names = names_new();

	require(names && names_net_set(names, NET, "net") == 0);
	for (unsigned i = 0; i < RECORD_IPS_MAX; i++)
		require(ip_parse(ips[i], &rec.ips[rec.nb_ips++].ip) == 0);
	require(names_endpoint_set(names, &rec, NET, &rec) == 0);
	require(names_host_set(names, "h", &rec.ips[0].ip, 1, false) == 0);
	return names;
}

// Of the very size, for the sanitizer.
static uint8_t *copy_of(const uint8_t *data, size_t len_bytes)
{
	uint8_t *copy = malloc(len_bytes + 1);

	require(copy);
	if (len_bytes)
		memcpy(copy, data, len_bytes);
	return realloc(copy, len_bytes ? len_bytes : 1);
}

// What every reply has; `is_ours`: nothing of it is somebody else's.
static void check_reply(
	const struct dns_query *query, const uint8_t *out, size_t len_bytes, bool is_ours)
{
	ldns_pkt *packet;

	require(len_bytes >= HEADER_BYTES && len_bytes <= query->max_bytes);
	require(LDNS_ID_WIRE(out) == query->id && LDNS_QR_WIRE(out) && LDNS_RA_WIRE(out));
	require(LDNS_OPCODE_WIRE(out) == (query->flags >> 11 & 0xf));
	require(LDNS_QDCOUNT(out) == !!query->name_bytes);
	require(memcmp(out + HEADER_BYTES, query->name, query->name_bytes) == 0);
	if (!is_ours)
		return;
	require(ldns_wire2pkt(&packet, out, len_bytes) == LDNS_STATUS_OK);
	require(ldns_pkt_edns(packet) == query->has_edns);
	ldns_pkt_free(packet);
}

static void check_answer(
	const struct dns_query *query, struct names *names, unsigned bits, uint8_t *out)
{
	static const struct names_scope scope = {{NET}, 1};
	size_t len = query_answer(query, names, &scope, bits & FORWARDS, 2, bits >> 4, out);

	require(len || (bits & FORWARDS));
	if (len)
		check_reply(query, out, len, true);
}

static uint8_t *answer_from_above(const struct dns_query *query, unsigned bits, const uint8_t *data,
	size_t len_bytes, size_t *ret_bytes)
{
	size_t question_bytes = query->name_bytes + 4;
	uint8_t *wire;

	if (!(bits & SAME_QUESTION) || len_bytes < HEADER_BYTES) {
		*ret_bytes = len_bytes;
		return copy_of(data, len_bytes);
	}
	*ret_bytes = len_bytes + question_bytes;
	wire = malloc(*ret_bytes);
	require(wire);
	memcpy(wire, data, HEADER_BYTES);
	memcpy(wire + HEADER_BYTES, query->name, query->name_bytes);
	ldns_write_uint16(wire + HEADER_BYTES + query->name_bytes, query->type);
	ldns_write_uint16(wire + HEADER_BYTES + query->name_bytes + 2, query->class);
	memcpy(wire + HEADER_BYTES + question_bytes, data + HEADER_BYTES, len_bytes - HEADER_BYTES);
	return wire;
}

static void check_forwarded(const struct dns_query *query, unsigned bits, const uint8_t *data,
	size_t len_bytes, uint8_t *out)
{
	struct forward_answer answer = {.source = FORWARD_SERVER};
	uint8_t *wire = answer_from_above(query, bits, data, len_bytes, &answer.wire_bytes);
	size_t len;

	answer.wire = wire;
	len = query_forwarded(query, &answer, out);
	check_reply(query, out, len, false);
	free(wire);
}

static void check(struct names *names, unsigned bits, const uint8_t *question,
	size_t question_bytes, const uint8_t *above, size_t above_bytes)
{
	struct dns_query query;
	int rc = query_parse(question, question_bytes, bits & IS_TCP, &query);
	uint8_t *out;

	if (rc < 0) {
		require(rc == -EBADMSG);
		return;
	}
	out = malloc(query.max_bytes);
	require(out);
	if (rc > 0) {
		check_reply(&query, out, query_error(&query, rc, out), true);
	} else {
		check_answer(&query, names, bits, out);
		check_forwarded(&query, bits, above, above_bytes, out);
	}
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len_bytes)
{
	static struct names *names;
	size_t question_bytes;
	uint8_t *question;

	if (!names)
		names = make_names();
	if (len_bytes < 3)
		return 0;
	question_bytes = ldns_read_uint16(data + 1);
	if (question_bytes > len_bytes - 3)
		question_bytes = len_bytes - 3;
	question = copy_of(data + 3, question_bytes);
	check(names, data[0], question, question_bytes, data + 3 + question_bytes,
		len_bytes - 3 - question_bytes);
	free(question);
	return 0;
}
