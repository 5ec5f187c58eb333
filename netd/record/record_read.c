// SPDX-License-Identifier: BSD-3-Clause
#include "netd/record/record_read.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/text_clean.h"

int record_refuse(struct record_reader *r, const char *fmt, ...)
{
	char reason[384];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	return err_set(r->err, -EBADMSG, r->key, "%s%s", r->where, reason);
}

static int check_version(struct record_reader *r)
{
	const json_t *v = json_object_get(r->root, "v");

	if (!json_is_integer(v) || json_integer_value(v) < 1)
		return record_refuse(r, "not a record: it has no version (member 'v')");
	if (json_integer_value(v) > RECORD_VERSION)
		return err_set(r->err, -EPROTONOSUPPORT, r->key,
			"the record has version %" JSON_INTEGER_FORMAT
			", this host knows versions up to %d: upgrade vsnetd on this host",
			json_integer_value(v), RECORD_VERSION);
	return 0;
}

int record_reader_init(struct record_reader *r, const char *key, const char *value,
	size_t len_bytes, struct err *err)
{
	json_error_t mistake;
	int rc;

	*r = (struct record_reader){.key = key, .err = err};
	if (len_bytes > RECORD_VALUE_MAX_BYTES)
		return record_refuse(r, "not a record: %zu bytes, at most %u are taken", len_bytes,
			RECORD_VALUE_MAX_BYTES);
	r->root = json_loadb(value, len_bytes, JSON_REJECT_DUPLICATES, &mistake);
	if (!r->root)
		return record_refuse(r, "not a record: not JSON: %s", mistake.text);
	if (!json_is_object(r->root))
		rc = record_refuse(r, "not a record: not a JSON object");
	else
		rc = check_version(r);
	r->at = r->root;
	if (rc < 0)
		record_reader_fini(r);
	return rc;
}

void record_reader_fini(struct record_reader *r)
{
	json_decref(r->root);
	r->root = NULL;
}

static int find(struct record_reader *r, const char *member, bool needed, const json_t **ret_value)
{
	const json_t *value = json_object_get(r->at, member);

	if (!value && needed)
		return record_refuse(r, "member '%s' is missing", member);
	*ret_value = value;
	return 0;
}

int record_read_uint(
	struct record_reader *r, const char *member, bool needed, uint64_t max, uint64_t *ret_value)
{
	const json_t *value = NULL;
	int rc = find(r, member, needed, &value);

	if (rc < 0 || !value)
		return rc;
	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
		(uint64_t)json_integer_value(value) > max)
		return record_refuse(
			r, "member '%s' must be a number from 0 to %" PRIu64, member, max);
	*ret_value = json_integer_value(value);
	return 0;
}

int record_read_bool(struct record_reader *r, const char *member, bool *ret_value)
{
	const json_t *value = NULL;
	int rc = find(r, member, false, &value);

	if (rc < 0 || !value)
		return rc;
	if (!json_is_boolean(value))
		return record_refuse(r, "member '%s' must be true or false", member);
	*ret_value = json_is_true(value);
	return 0;
}

// What is shown on a terminal, or in a log, is plain.
int record_read_text(
	struct record_reader *r, const char *member, bool needed, size_t size, char *ret_text)
{
	const json_t *value = NULL;
	int rc = find(r, member, needed, &value);

	if (rc < 0 || !value)
		return rc;
	if (!json_is_string(value) || json_string_length(value) >= size ||
		!text_is_plain(json_string_value(value)))
		return record_refuse(
			r, "member '%s' must be a text of at most %zu bytes", member, size - 1);
	strcpy(ret_text, json_string_value(value));
	return 0;
}

int record_read_name(struct record_reader *r, const char *member, bool needed, char *ret_name)
{
	const json_t *value = NULL;
	int rc = find(r, member, needed, &value);

	if (rc < 0 || !value)
		return rc;
	if (!json_is_string(value) || !record_name_is_valid(json_string_value(value)))
		return record_refuse(r,
			"member '%s' must be a name: 1 to %d letters, digits, '.', '_', '-'",
			member, NAME_BYTES - 1);
	strcpy(ret_name, json_string_value(value));
	return 0;
}

int record_read_id(struct record_reader *r, const char *member, char *ret_id)
{
	const json_t *value = NULL;
	int rc = find(r, member, true, &value);

	if (rc < 0)
		return rc;
	if (!json_is_string(value) || !record_id_is_valid(json_string_value(value)))
		return record_refuse(
			r, "member '%s' must be %d hexadecimal digits", member, ID_BYTES - 1);
	strcpy(ret_id, json_string_value(value));
	return 0;
}

bool record_ip_parse(const char *text, struct ip_addr *ret_ip)
{
	struct ip_addr ip;

	if (ip_parse(text, &ip) < 0 || ip_is_any(&ip) || ip_is_multicast(&ip))
		return false;
	*ret_ip = ip;
	return true;
}

int record_read_ip(struct record_reader *r, const char *member, bool needed, struct ip_addr *ret_ip)
{
	const json_t *value = NULL;
	int rc = find(r, member, needed, &value);

	if (rc < 0 || !value)
		return rc;
	if (!json_is_string(value) || !record_ip_parse(json_string_value(value), ret_ip))
		return record_refuse(r, "member '%s' must be an address of one machine", member);
	return 0;
}

// Longer than what any range of addresses in use is: the arithmetic of ipam/ipam.c counts on it.
bool record_net_is_valid(const struct cidr *cidr)
{
	struct cidr masked = *cidr;

	cidr_mask(&masked);
	return cidr->prefix >= 8 && cidr_equal(cidr, &masked) && !ip_is_multicast(&cidr->ip);
}

int record_read_net(struct record_reader *r, const char *member, bool needed, struct cidr *ret_cidr)
{
	const json_t *value = NULL;
	struct cidr cidr;
	int rc = find(r, member, needed, &value);

	if (rc < 0 || !value)
		return rc;
	if (!json_is_string(value) || cidr_parse(json_string_value(value), &cidr) < 0 ||
		!record_net_is_valid(&cidr))
		return record_refuse(r,
			"member '%s' must be a network, ADDRESS/LENGTH: at least /8, no host bits",
			member);
	*ret_cidr = cidr;
	return 0;
}

int record_read_list(struct record_reader *r, const char *member, bool needed, size_t max,
	const json_t **ret_list)
{
	const json_t *value = NULL;
	int rc = find(r, member, needed, &value);

	if (rc < 0 || !value)
		return rc;
	if (!json_is_array(value) || json_array_size(value) > max)
		return record_refuse(
			r, "member '%s' must be a list of at most %zu items", member, max);
	*ret_list = value;
	return 0;
}

int record_read_texts(struct record_reader *r, const char *member, json_t **ret_texts)
{
	const json_t *value = NULL;
	json_t *item;
	const char *name;
	int rc = find(r, member, false, &value);

	*ret_texts = NULL;
	if (rc < 0 || !value)
		return rc;
	if (!json_is_object(value) || json_object_size(value) > RECORD_TEXTS_MAX)
		return record_refuse(r, "member '%s' must be an object of at most %d texts", member,
			RECORD_TEXTS_MAX);
	json_object_foreach ((json_t *)value, name, item) {
		if (strlen(name) > RECORD_TEXT_MAX || !json_is_string(item) ||
			json_string_length(item) > RECORD_TEXT_MAX)
			return record_refuse(r,
				"member '%s' must have texts of at most %d bytes: '%.64s'", member,
				RECORD_TEXT_MAX, name);
	}
	*ret_texts = json_incref((json_t *)value);
	return 0;
}

json_t *record_object(void)
{
	return json_pack("{s:i}", "v", RECORD_VERSION);
}

char *record_dump(json_t *object)
{
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;

	json_decref(object);
	return text;
}

json_t *record_json_ip(const struct ip_addr *ip)
{
	char text[IP_TEXT_BYTES];

	return json_string(ip_format(ip, text));
}

json_t *record_json_cidr(const struct cidr *cidr)
{
	char text[CIDR_TEXT_BYTES];

	return json_string(cidr_format(cidr, text));
}
