// SPDX-License-Identifier: BSD-3-Clause
// Answers of our own names.
#include <ctype.h>
#include <stdlib.h>

#include "netd/dns/query_priv.h"

#define TEXT_BYTES 255

// A question, and the object that it asks about.
struct subject {
	const struct dns_query *query;
	char text[TEXT_BYTES]; // the name; a part of it that begins at n is at n of the wire form
			       // too
	enum { FORM_HOST, FORM_SERVICE, FORM_REVERSE } form;
	size_t base_at; // where the name is that `found` is about: behind _PORT._PROTO
	uint16_t port;
	struct names_answer found;
	uint32_t ttl_s;
	unsigned turn;
};

// ---- names ----

static bool is_plain(char c)
{
	return isascii(c) && (isalnum(c) || c == '-' || c == '_');
}

// False: a name with other characters, which is none of ours.
static bool text_of(const struct dns_query *query, char *ret_text)
{
	const uint8_t *label = query->name;
	char *to = ret_text;

	for (; *label; label += *label + 1) {
		if (to != ret_text)
			*to++ = '.';
		for (unsigned i = 1; i <= *label; i++) {
			if (!is_plain(label[i]))
				return false;
			*to++ = label[i];
		}
	}
	*to = '\0';
	return true;
}

// Where `zone` begins in the name that is it or ends in it; -1: it does not.
static ssize_t at_zone(const char *text, const char *zone)
{
	ssize_t at = strlen(text) - strlen(zone);

	if (at < 0 || strcasecmp(text + at, zone) != 0 || (at > 0 && text[at - 1] != '.'))
		return -1;
	return at;
}

// ---- addresses backwards (RFC 1035 section 3.5, RFC 3596 section 2.5) ----

static bool reverse4(const char *text, struct ip_addr *ip)
{
	for (unsigned i = 4; i-- > 0;) {
		size_t len = strspn(text, "0123456789");
		unsigned long byte = len && len <= 3 ? strtoul(text, NULL, 10) : 256;

		if (byte > 255 || (len > 1 && *text == '0') || text[len] != '.')
			return false;
		ip->byte[i] = byte;
		text += len + 1;
	}
	ip->family = 4;
	return strcasecmp(text, "in-addr.arpa") == 0;
}

static unsigned nibble(char c)
{
	return isdigit(c) ? c - '0' : tolower(c) - 'a' + 10;
}

static bool reverse6(const char *text, struct ip_addr *ip)
{
	for (unsigned i = 32; i-- > 0; text += 2) {
		if (!isxdigit(text[0]) || text[1] != '.')
			return false;
		ip->byte[i / 2] |= nibble(text[0]) << (i % 2 ? 0 : 4);
	}
	ip->family = 6;
	return strcasecmp(text, "ip6.arpa") == 0;
}

static bool is_reverse(const char *text, struct ip_addr *ret_ip)
{
	struct ip_addr ip4 = {0}, ip6 = {0};

	if (at_zone(text, "arpa") < 0)
		return false;
	if (reverse4(text, &ip4))
		*ret_ip = ip4;
	else if (reverse6(text, &ip6))
		*ret_ip = ip6;
	else
		return false;
	return true;
}

// ---- finding the object ----

static void find_localhost(struct names_answer *found)
{
	found->kind = NAMES_FOUND;
	strcpy(found->zone, "localhost");
	ip_parse("127.0.0.1", &found->ips[0]);
	ip_parse("::1", &found->ips[1]);
	found->nb_ips = 2;
}

// _PORT._PROTO.NAME (RFC 2782). Everything below one of our names is ours too.
static void find_service(struct subject *s, struct names *names, const struct names_scope *scope)
{
	const char *proto = strstr(s->text, "._"), *name = proto ? strchr(proto + 1, '.') : NULL;
	struct names_answer found;

	if (s->text[0] != '_' || !name || strchr(s->text, '.') != proto)
		return;
	names_find(names, scope, name + 1, &found);
	if (found.kind != NAMES_FOUND)
		return;
	s->form = FORM_SERVICE;
	s->base_at = name + 1 - s->text;
	s->port = query_service_port(s->text + 1, proto - s->text - 1, proto + 2, name - proto - 2);
	s->found = found;
	if (!s->port)
		s->found.kind = NAMES_NO_SUCH;
}

static void find(struct subject *s, struct names *names, const struct names_scope *scope)
{
	struct ip_addr ip;

	if (is_reverse(s->text, &ip)) {
		s->form = FORM_REVERSE;
		names_find_ip(names, scope, &ip, &s->found);
		s->found.zone[0] = '\0'; // not that of the address
	} else if (at_zone(s->text, "localhost") >= 0) {
		find_localhost(&s->found); // RFC 6761 section 6.3
	} else {
		names_find(names, scope, s->text, &s->found);
		if (s->found.kind != NAMES_FOUND)
			find_service(s, names, scope);
	}
	if (s->found.kind == NAMES_UNKNOWN && at_zone(s->text, "invalid") >= 0) {
		s->found.kind = NAMES_NO_SUCH; // RFC 6761 section 6.4
		strcpy(s->found.zone, "invalid");
	}
}

// ---- records ----

static bool is_asked(const struct subject *s, ldns_rr_type type)
{
	return s->query->type == type || s->query->type == LDNS_RR_TYPE_ANY;
}

static bool put_address(struct message *m, ldns_pkt_section section, size_t owner_at,
	uint32_t ttl_s, const struct ip_addr *ip)
{
	struct message_data data = {.nb_fields = 0};

	if (ip->family == 4) {
		message_data_add(&data, LDNS_RDF_TYPE_A, ip->byte, 4);
		return message_put(m, section, owner_at, LDNS_RR_TYPE_A, ttl_s, &data);
	}
	message_data_add(&data, LDNS_RDF_TYPE_AAAA, ip->byte, 16);
	return message_put(m, section, owner_at, LDNS_RR_TYPE_AAAA, ttl_s, &data);
}

// Those of one family, beginning with another one at each turn. False: not all fit. Those that do
// stay: there are clients that take what they get and never ask over TCP.
static bool put_addresses(struct message *m, const struct subject *s, ldns_pkt_section section,
	size_t owner_at, unsigned family)
{
	const struct ip_addr *ips[NAMES_IPS_MAX];
	unsigned count = 0;

	for (unsigned i = 0; i < s->found.nb_ips; i++) {
		if (s->found.ips[i].family == family)
			ips[count++] = &s->found.ips[i];
	}
	for (unsigned i = 0; i < count; i++) {
		if (!put_address(m, section, owner_at, s->ttl_s, ips[(s->turn + i) % count]))
			return false;
	}
	return true;
}

static void put_host(struct message *m, const struct subject *s)
{
	bool fits = true;

	if (is_asked(s, LDNS_RR_TYPE_A))
		fits = put_addresses(m, s, LDNS_SECTION_ANSWER, QUERY_NAME_AT, 4);
	if (fits && is_asked(s, LDNS_RR_TYPE_AAAA))
		fits = put_addresses(m, s, LDNS_SECTION_ANSWER, QUERY_NAME_AT, 6);
	m->cut = !fits;
}

// `fqdn` as a name; NULL: some names of containers are none, such as one with two dots in a row.
static ldns_rdf *fqdn_new(const struct subject *s)
{
	return ldns_dname_new_frm_str(s->found.fqdn);
}

static void put_pointer(struct message *m, const struct subject *s)
{
	struct message_data data = {.nb_fields = 0};
	ldns_rdf *fqdn = is_asked(s, LDNS_RR_TYPE_PTR) ? fqdn_new(s) : NULL;

	if (!fqdn)
		return;
	message_data_add(&data, LDNS_RDF_TYPE_DNAME, ldns_rdf_data(fqdn), ldns_rdf_size(fqdn));
	m->cut = !message_put(
		m, LDNS_SECTION_ANSWER, QUERY_NAME_AT, LDNS_RR_TYPE_PTR, s->ttl_s, &data);
	ldns_rdf_deep_free(fqdn);
}

static void put_service(struct message *m, const struct subject *s)
{
	static const uint8_t zero[sizeof(uint16_t)]; // priority, weight
	struct message_data data = {.nb_fields = 0};
	ldns_rdf *fqdn = is_asked(s, LDNS_RR_TYPE_SRV) ? fqdn_new(s) : NULL;
	uint8_t port[sizeof(uint16_t)];
	size_t target_at;

	if (!fqdn)
		return;
	ldns_write_uint16(port, s->port);
	message_data_add(&data, LDNS_RDF_TYPE_INT16, zero, sizeof(zero));
	message_data_add(&data, LDNS_RDF_TYPE_INT16, zero, sizeof(zero));
	message_data_add(&data, LDNS_RDF_TYPE_INT16, port, sizeof(port));
	message_data_add(&data, LDNS_RDF_TYPE_DNAME, ldns_rdf_data(fqdn), ldns_rdf_size(fqdn));
	m->cut = !message_put(
		m, LDNS_SECTION_ANSWER, QUERY_NAME_AT, LDNS_RR_TYPE_SRV, s->ttl_s, &data);
	target_at = ldns_buffer_position(&m->buffer) - ldns_rdf_size(fqdn);
	ldns_rdf_deep_free(fqdn);
	// Additional records may be missing without a mark (RFC 2181 section 9).
	if (!m->cut && put_addresses(m, s, LDNS_SECTION_ADDITIONAL, target_at, 4))
		put_addresses(m, s, LDNS_SECTION_ADDITIONAL, target_at, 6);
}

// The SOA of a negative answer says how long it is valid (RFC 2308). Its names do not exist.
static void put_soa(struct message *m, size_t owner_at, uint32_t ttl_s)
{
	static const uint8_t server[] = "\x09localhost", contact[] = "\x06nobody\x07invalid";
	static const uint32_t serial_refresh_retry_expire[] = {1, 3600, 1200, 604800};
	struct message_data data = {.nb_fields = 0};
	uint8_t numbers[5][sizeof(uint32_t)];

	message_data_add(&data, LDNS_RDF_TYPE_DNAME, server, sizeof(server));
	message_data_add(&data, LDNS_RDF_TYPE_DNAME, contact, sizeof(contact));
	for (unsigned i = 0; i < 5; i++) {
		ldns_write_uint32(numbers[i], i < 4 ? serial_refresh_retry_expire[i] : ttl_s);
		message_data_add(&data, LDNS_RDF_TYPE_INT32, numbers[i], sizeof(numbers[i]));
	}
	message_put(m, LDNS_SECTION_AUTHORITY, QUERY_NAME_AT + owner_at, LDNS_RR_TYPE_SOA, ttl_s,
		&data);
}

static void put_records(struct message *m, const struct subject *s)
{
	switch (s->form) {
	case FORM_HOST:
		put_host(m, s);
		break;
	case FORM_SERVICE:
		put_service(m, s);
		break;
	case FORM_REVERSE:
		put_pointer(m, s);
		break;
	}
}

// ---- answers ----

// The zone of a name that is not below its network is the name.
static size_t zone_at(const struct subject *s)
{
	ssize_t at = s->found.zone[0] ? at_zone(s->text, s->found.zone) : -1;

	return at >= 0 ? (size_t)at : s->base_at;
}

static size_t answer_found(const struct subject *s, uint8_t *out)
{
	struct message m;

	message_begin(&m, s->query, out);
	if (s->found.kind == NAMES_FOUND)
		put_records(&m, s);
	if (m.counts[LDNS_SECTION_ANSWER] == 0 && !m.cut)
		put_soa(&m, zone_at(s), s->ttl_s);
	return message_end(&m, QUERY_AA,
		s->found.kind == NAMES_FOUND ? LDNS_RCODE_NOERROR : LDNS_RCODE_NXDOMAIN);
}

// The answer of the root, as if no other name existed.
static size_t answer_unknown(const struct dns_query *query, uint32_t ttl_s, uint8_t *out)
{
	bool is_root = query->name_bytes == 1;
	struct message m;

	message_begin(&m, query, out);
	put_soa(&m, query->name_bytes - 1, ttl_s);
	return message_end(&m, QUERY_AA, is_root ? LDNS_RCODE_NOERROR : LDNS_RCODE_NXDOMAIN);
}

static bool is_refused(const struct dns_query *query)
{
	return query->class != LDNS_RR_CLASS_IN || query->type == LDNS_RR_TYPE_AXFR ||
	       query->type == LDNS_RR_TYPE_IXFR;
}

size_t query_answer(const struct dns_query *query, struct names *names,
	const struct names_scope *scope, bool forwards, uint32_t ttl_s, unsigned turn, uint8_t *out)
{
	struct subject s;

	if (is_refused(query))
		return query_error(query, LDNS_RCODE_REFUSED, out);
	s.query = query;
	s.form = FORM_HOST;
	s.base_at = 0;
	s.ttl_s = ttl_s;
	s.turn = turn;
	s.found.kind = NAMES_UNKNOWN;
	if (text_of(query, s.text))
		find(&s, names, scope);
	if (s.found.kind != NAMES_UNKNOWN)
		return answer_found(&s, out);
	return forwards ? 0 : answer_unknown(query, ttl_s, out);
}
