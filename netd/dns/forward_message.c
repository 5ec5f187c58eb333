// SPDX-License-Identifier: BSD-3-Clause
#include "netd/dns/forward_message.h"

#include <errno.h>
#include <ldns/ldns.h>

#include "base/util.h"
#include "netd/dns/cache.h"

size_t message_question(const struct forward_question *question, uint16_t id, uint8_t *out)
{
	// AD: we want to know whether the answer is validated (RFC 6840, section 5.7). Those who do
	// not are not told (query_forwarded.c).
	uint16_t flags = LDNS_RD | LDNS_AD | (question->checking_disabled ? LDNS_CD : 0);
	size_t len = 0;
	uint8_t *wire = NULL;
	ldns_pkt *pkt;
	ldns_rdf *name;

	name = ldns_dname_new_frm_data(question->name_bytes, question->name);
	if (!name)
		return 0;
	pkt = ldns_pkt_query_new(name, question->type, question->class, flags);
	if (!pkt) {
		ldns_rdf_deep_free(name);
		return 0;
	}
	ldns_pkt_set_id(pkt, id);
	ldns_pkt_set_edns_udp_size(pkt, DNS_UDP_BYTES);
	ldns_pkt_set_edns_do(pkt, question->dnssec_ok);
	if (ldns_pkt2wire(&wire, pkt, &len) != LDNS_STATUS_OK || len > MESSAGE_QUESTION_BYTES)
		len = 0;
	if (len > 0)
		memcpy(out, wire, len);
	free(wire);
	ldns_pkt_free(pkt);
	return len;
}

// Whether the message answers this question, and not another one.
static bool answers_it(const ldns_pkt *pkt, const ldns_rdf *name, const struct forward_question *q)
{
	ldns_rr_list *answer = ldns_pkt_answer(pkt);
	ldns_rr *asked;

	if (!ldns_pkt_qr(pkt) || ldns_pkt_get_opcode(pkt) != LDNS_PACKET_QUERY ||
		ldns_pkt_qdcount(pkt) != 1)
		return false;
	asked = ldns_rr_list_rr(ldns_pkt_question(pkt), 0);
	if (ldns_rr_get_type(asked) != q->type || ldns_rr_get_class(asked) != q->class ||
		ldns_dname_compare(ldns_rr_owner(asked), name) != 0)
		return false;
	for (size_t i = 0; i < ldns_rr_list_rr_count(answer); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(answer, i);

		if (ldns_dname_compare(ldns_rr_owner(rr), name) == 0 ||
			(ldns_rr_get_type(rr) == LDNS_RR_TYPE_DNAME &&
				ldns_dname_is_subdomain(name, ldns_rr_owner(rr))))
			return true;
	}
	return ldns_rr_list_rr_count(answer) == 0;
}

static void cap_ttls(ldns_rr_list *list, uint32_t *min_s)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
		ldns_rr *rr = ldns_rr_list_rr(list, i);
		uint32_t ttl_s = ldns_rr_ttl(rr);

		if (ttl_s > INT32_MAX) // RFC 2181, section 8
			ttl_s = 0;
		ttl_s = MIN_OF(ttl_s, CACHE_TTL_MAX_S);
		ldns_rr_set_ttl(rr, ttl_s);
		*min_s = MIN_OF(*min_s, ttl_s);
	}
}

static bool has_type(const ldns_pkt *pkt, uint16_t type)
{
	ldns_rr_list *answer = ldns_pkt_answer(pkt);

	for (size_t i = 0; i < ldns_rr_list_rr_count(answer); i++)
		if (type == LDNS_RR_TYPE_ANY ||
			ldns_rr_get_type(ldns_rr_list_rr(answer, i)) == type)
			return true;
	return false;
}

// How long a negative answer is valid. The SOA says it (RFC 2308, section 5), and this becomes its
// TTL. Without a SOA the time is not known.
static uint32_t negative_ttl(ldns_pkt *pkt)
{
	ldns_rr_list *authority = ldns_pkt_authority(pkt);

	for (size_t i = 0; i < ldns_rr_list_rr_count(authority); i++) {
		ldns_rr *rr = ldns_rr_list_rr(authority, i);
		uint32_t ttl_s;

		if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_SOA || ldns_rr_rd_count(rr) != 7)
			continue;
		ttl_s = MIN_OF(ldns_rr_ttl(rr), ldns_rdf2native_int32(ldns_rr_rdf(rr, 6)));
		ttl_s = MIN_OF(ttl_s, MESSAGE_NEGATIVE_TTL_MAX_S);
		ldns_rr_set_ttl(rr, ttl_s);
		return ttl_s;
	}
	return 0;
}

static uint32_t time_of(ldns_pkt *pkt, uint16_t type)
{
	uint32_t ttl_s = CACHE_TTL_MAX_S;

	cap_ttls(ldns_pkt_answer(pkt), &ttl_s);
	cap_ttls(ldns_pkt_authority(pkt), &ttl_s);
	cap_ttls(ldns_pkt_additional(pkt), &ttl_s);
	if (ldns_pkt_get_rcode(pkt) != LDNS_RCODE_NOERROR || !has_type(pkt, type))
		ttl_s = MIN_OF(ttl_s, negative_ttl(pkt));
	return ldns_pkt_tc(pkt) ? 0 : ttl_s;
}

static void take_ede(const ldns_pkt *pkt, struct ede *ret_ede)
{
	const ldns_rdf *options = ldns_pkt_edns_data(pkt);

	ret_ede->len_bytes = 0;
	if (options)
		ede_take(ldns_rdf_data(options), ldns_rdf_size(options), ret_ede);
}

// EDNS is between neighbours (RFC 6891, section 6.1.1).
static void remove_opt(ldns_pkt *pkt)
{
	ldns_rdf_deep_free(ldns_pkt_edns_data(pkt));
	ldns_pkt_set_edns_data(pkt, NULL);
	ldns_pkt_set_edns_udp_size(pkt, 0);
	ldns_pkt_set_edns_extended_rcode(pkt, 0);
	ldns_pkt_set_edns_version(pkt, 0);
	ldns_pkt_set_edns_z(pkt, 0);
	pkt->_edns_present = false;
}

static int take(ldns_pkt *pkt, const struct forward_question *q, struct message_reply *ret_reply)
{
	struct message_reply reply = {};

	reply.rcode = ldns_pkt_edns_extended_rcode(pkt) << 4 | ldns_pkt_get_rcode(pkt);
	reply.ttl_s = time_of(pkt, q->type);
	take_ede(pkt, &reply.ede);
	remove_opt(pkt);
	ldns_pkt_set_id(pkt, 0);
	if (ldns_pkt2wire(&reply.wire, pkt, &reply.wire_bytes) != LDNS_STATUS_OK)
		return -EBADMSG;
	if (reply.wire_bytes > CACHE_WIRE_BYTES) {
		free(reply.wire);
		return -EBADMSG;
	}
	*ret_reply = reply;
	return 0;
}

int message_reply(const uint8_t *wire, size_t wire_bytes, const struct forward_question *question,
	struct message_reply *ret_reply)
{
	ldns_rdf *name = ldns_dname_new_frm_data(question->name_bytes, question->name);
	ldns_pkt *pkt = NULL;
	int rc = -EBADMSG;

	if (!name)
		return -ENOMEM;
	if (ldns_wire2pkt(&pkt, wire, wire_bytes) == LDNS_STATUS_OK &&
		answers_it(pkt, name, question))
		rc = take(pkt, question, ret_reply);
	ldns_pkt_free(pkt);
	ldns_rdf_deep_free(name);
	return rc;
}
