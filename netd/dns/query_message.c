// SPDX-License-Identifier: BSD-3-Clause
#include "netd/dns/query_priv.h"

#define OPT_BYTES    11
#define OWNER_BYTES  2	// a pointer (RFC 1035 section 4.1.4)
#define RECORD_BYTES 10 // type, class, TTL, length

size_t message_opt_bytes(const struct dns_query *query)
{
	return query->has_edns ? OPT_BYTES : 0;
}

static void buffer_over(ldns_buffer *buffer, uint8_t *memory, size_t size_bytes)
{
	*buffer = (ldns_buffer){
		._data = memory,
		._capacity = size_bytes,
		._limit = size_bytes,
	};
}

void message_begin(struct message *m, const struct dns_query *query, uint8_t *out)
{
	ldns_rdf name = {
		._size = query->name_bytes,
		._type = LDNS_RDF_TYPE_DNAME,
		._data = (void *)query->name,
	};
	ldns_rr question = {
		._owner = &name,
		._rr_type = query->type,
		._rr_class = query->class,
		._rr_question = true,
	};

	*m = (struct message){.query = query};
	buffer_over(&m->buffer, out, query->max_bytes);
	ldns_buffer_set_position(&m->buffer, LDNS_HEADER_SIZE);
	if (query->name_bytes == 0)
		return;
	ldns_rr2buffer_wire(&m->buffer, &question, LDNS_SECTION_QUESTION);
	m->counts[LDNS_SECTION_QUESTION] = 1;
}

void message_data_add(
	struct message_data *data, ldns_rdf_type type, const void *bytes, size_t len_bytes)
{
	data->fields[data->nb_fields++] = (ldns_rdf){
		._size = len_bytes,
		._type = type,
		._data = (void *)bytes,
	};
}

bool message_put(struct message *m, ldns_pkt_section section, size_t owner_at, ldns_rr_type type,
	uint32_t ttl_s, struct message_data *data)
{
	size_t bytes = OWNER_BYTES + RECORD_BYTES;
	ldns_rdf *fields[MESSAGE_FIELDS_MAX];
	ldns_rr record = {
		._rr_type = type,
		._rr_class = LDNS_RR_CLASS_IN,
		._ttl = ttl_s,
		._rd_count = data->nb_fields,
		._rdata_fields = fields,
	};

	for (unsigned i = 0; i < data->nb_fields; i++) {
		fields[i] = &data->fields[i];
		bytes += data->fields[i]._size;
	}
	if (!ldns_buffer_available(&m->buffer, bytes + message_opt_bytes(m->query)))
		return false;
	// Without an owner ldns writes the rest. So the owner has the case that the client uses.
	ldns_buffer_write_u16(&m->buffer, 0xc000 | owner_at);
	ldns_rr2buffer_wire(&m->buffer, &record, section);
	m->counts[section]++;
	return true;
}

// Adds the options of the OPT record at the end, if there is room: records matter more.
static size_t put_ede(
	uint8_t *out, size_t end, const struct dns_query *query, const struct ede *ede)
{
	if (!ede || end + ede->len_bytes > query->max_bytes)
		return end;
	ldns_write_uint16(&out[end - sizeof(uint16_t)], ede->len_bytes);
	memcpy(out + end, ede->bytes, ede->len_bytes);
	return end + ede->len_bytes;
}

static size_t put_opt(
	uint8_t *out, size_t at, const struct dns_query *query, int rcode, const struct ede *ede)
{
	ldns_rdf root = {._size = 1, ._type = LDNS_RDF_TYPE_DNAME, ._data = (void *)""};
	ldns_rr opt = {
		._owner = &root,
		._rr_type = LDNS_RR_TYPE_OPT,
		._rr_class = DNS_UDP_BYTES,
		._ttl = (uint32_t)rcode >> 4 << 24 | (query->dnssec_ok ? 0x8000 : 0),
	};
	ldns_buffer buffer;

	buffer_over(&buffer, out, query->max_bytes);
	ldns_buffer_set_position(&buffer, at);
	ldns_rr2buffer_wire(&buffer, &opt, LDNS_SECTION_ADDITIONAL);
	return put_ede(out, ldns_buffer_position(&buffer), query, ede);
}

size_t message_finish(uint8_t *out, size_t end, const struct dns_query *query, unsigned flags,
	int rcode, const struct ede *ede, const uint16_t counts[4])
{
	unsigned copied = query->flags & (QUERY_OPCODE | QUERY_RD | QUERY_CD);

	ldns_write_uint16(out, query->id);
	ldns_write_uint16(out + 2, QUERY_QR | QUERY_RA | copied | flags | (rcode & 0xf));
	for (unsigned i = 0; i < 4; i++)
		ldns_write_uint16(&out[LDNS_QDCOUNT_OFF + 2 * i], counts[i]);
	if (!query->has_edns)
		return end;
	ldns_write_uint16(&out[LDNS_ARCOUNT_OFF], counts[LDNS_SECTION_ADDITIONAL] + 1);
	return put_opt(out, end, query, rcode, ede);
}

size_t message_end(struct message *m, unsigned flags, int rcode)
{
	flags |= m->cut ? QUERY_TC : 0;
	return message_finish(ldns_buffer_begin(&m->buffer), ldns_buffer_position(&m->buffer),
		m->query, flags, rcode, NULL, m->counts);
}

size_t query_error(const struct dns_query *query, int rcode, uint8_t *out)
{
	struct message m;

	message_begin(&m, query, out);
	return message_end(&m, 0, rcode);
}
