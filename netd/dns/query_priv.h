// SPDX-License-Identifier: BSD-3-Clause
// Shared by the files of messages.
//
//	query.c			a question is read
//	query_answer.c		answers of our own names
//	query_forwarded.c	answers of other servers
//	query_message.c		an answer is written
//	query_service.c		ports of services
//
// Records are made of ldns's structures in place, without ldns_rr_new(): no memory is allocated
// for an answer of addresses.
#pragma once

#include <ldns/ldns.h>

#include "netd/dns/query.h"

#define QUERY_BADVERS 16	       // RFC 6891 section 9; ldns has no name for it
#define QUERY_NAME_AT LDNS_HEADER_SIZE // where the question's name is, in all messages

enum query_flag {
	QUERY_QR = 0x8000,
	QUERY_OPCODE = 0x7800, // all of its bits
	QUERY_AA = 0x0400,
	QUERY_TC = 0x0200,
	QUERY_RD = 0x0100,
	QUERY_RA = 0x0080,
	QUERY_AD = 0x0020,
	QUERY_CD = 0x0010,
};

// An answer that is being written. The buffer is over the caller's memory: it must never grow, so
// room is looked for first, and some is kept for the OPT record.
struct message {
	const struct dns_query *query;
	ldns_buffer buffer;
	uint16_t counts[4]; // by ldns_pkt_section
	bool cut;	    // a record of the answer did not fit
};

// The fields of a record's data. The memory is the caller's.
#define MESSAGE_FIELDS_MAX 7
struct message_data {
	ldns_rdf fields[MESSAGE_FIELDS_MAX];
	unsigned nb_fields;
};

// Header and question.
void message_begin(struct message *m, const struct dns_query *query, uint8_t *out);
void message_data_add(
	struct message_data *data, ldns_rdf_type type, const void *bytes, size_t len_bytes);
// A record whose owner is the name at `owner_at` of the message. False: it does not fit.
bool message_put(struct message *m, ldns_pkt_section section, size_t owner_at, ldns_rr_type type,
	uint32_t ttl_s, struct message_data *data);
// `flags` besides those that every answer has. Returns the size.
size_t message_end(struct message *m, unsigned flags, int rcode);

size_t message_opt_bytes(const struct dns_query *query);
// What is left to do when the sections are written, up to `end`: their counts, the flags, the OPT
// record, with the extended errors if there is room (NULL: none). Returns the size.
size_t message_finish(uint8_t *out, size_t end, const struct dns_query *query, unsigned flags,
	int rcode, const struct ede *ede, const uint16_t counts[4]);

// Where the name at `at` ends, which is not followed into pointers; 0: it is none, or has a pointer
// and must not.
size_t query_name_end(const uint8_t *wire, size_t len_bytes, size_t at, bool pointers);

// The port of "_80" or "_http" and "_tcp"; 0: unknown.
uint16_t query_service_port(
	const char *service, size_t service_bytes, const char *proto, size_t proto_bytes);
