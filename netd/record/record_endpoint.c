// SPDX-License-Identifier: BSD-3-Clause
// Records of endpoints. There may be a hundred thousand, each one printed without what is empty.
#include <errno.h>
#include <stdlib.h>

#include "netd/record/record_read.h"

static bool parse_ip(const char *text, struct cidr *ret)
{
	struct cidr cidr;

	if (!text || cidr_parse(text, &cidr) < 0 || cidr.prefix < 8 || ip_is_any(&cidr.ip) ||
		ip_is_multicast(&cidr.ip))
		return false;
	*ret = cidr;
	return true;
}

static int read_ips(struct record_reader *r, struct endpoint_record *rec)
{
	const json_t *list = NULL;

	if (record_read_list(r, "ips", true, RECORD_IPS_MAX, &list) < 0)
		return -EBADMSG;
	for (size_t i = 0; i < json_array_size(list); i++) {
		struct cidr *ip = &rec->ips[i];

		if (!parse_ip(json_string_value(json_array_get(list, i)), ip))
			return record_refuse(r, "member 'ips' must have ADDRESS/LENGTH");
		for (size_t j = 0; j < i; j++) {
			if (ip_equal(&rec->ips[j].ip, &ip->ip))
				return record_refuse(r, "member 'ips' has an address twice");
		}
		rec->nb_ips++;
	}
	return rec->nb_ips ? 0 : record_refuse(r, "member 'ips' must have an address");
}

static int read_mac(struct record_reader *r, struct mac *ret_mac)
{
	char text[MAC_TEXT_BYTES] = "";

	if (record_read_text(r, "mac", true, sizeof(text), text) < 0)
		return -EBADMSG;
	if (mac_parse(text, ret_mac) < 0 || mac_is_zero(ret_mac) || mac_is_multicast(ret_mac))
		return record_refuse(r, "member 'mac' must be a MAC address of one machine");
	return 0;
}

static int read_aliases(struct record_reader *r, struct endpoint_record *rec)
{
	const json_t *list = NULL;

	if (record_read_list(r, "aliases", false, RECORD_ALIASES_MAX, &list) < 0)
		return -EBADMSG;
	if (json_array_size(list) == 0)
		return 0;
	rec->aliases = calloc(json_array_size(list), sizeof(*rec->aliases));
	if (!rec->aliases)
		return -ENOMEM;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *alias = json_string_value(json_array_get(list, i));

		if (!alias || !record_name_is_valid(alias))
			return record_refuse(r, "member 'aliases' must have names");
		strcpy(rec->aliases[rec->nb_aliases++], alias);
	}
	return 0;
}

// Any text that the kernel takes as an interface's name, or none.
static bool ifname_is_valid(const char *name)
{
	return !strpbrk(name, "/: ") && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static int read_place(struct record_reader *r, struct endpoint_record *rec)
{
	if (record_read_text(r, "sandbox", false, sizeof(rec->sandbox), rec->sandbox) < 0 ||
		record_read_text(r, "ifname", false, sizeof(rec->ifname), rec->ifname) < 0 ||
		record_read_text(r, "created", false, sizeof(rec->created), rec->created) < 0)
		return -EBADMSG;
	return ifname_is_valid(rec->ifname)
		       ? 0
		       : record_refuse(r, "member 'ifname' must be an interface's name");
}

static int read_endpoint(struct record_reader *r, struct endpoint_record *rec)
{
	struct record_key key;
	int rc;

	if (record_read_id(r, "id", rec->id) < 0 ||
		record_read_name(r, "name", false, rec->name) < 0 ||
		record_read_name(r, "host", true, rec->host) < 0 || read_ips(r, rec) < 0 ||
		read_mac(r, &rec->mac) < 0 || record_read_bool(r, "static", &rec->is_static) < 0 ||
		record_read_uint(r, "epoch", true, INT64_MAX, &rec->epoch) < 0 ||
		record_read_uint(r, "seq", true, INT64_MAX, &rec->seq) < 0 ||
		read_place(r, rec) < 0 || record_read_texts(r, "options", &rec->options) < 0)
		return -EBADMSG;
	rc = read_aliases(r, rec);
	if (rc < 0)
		return rc;
	// An address that is held has none.
	if (!rec->name[0] && rec->sandbox[0])
		return record_refuse(r, "member 'name' is missing");
	record_key_parse(r->key, &key);
	if (key.kind != RECORD_ENDPOINT || !ip_equal(&key.cidr.ip, &rec->ips[0].ip))
		return record_refuse(r, "the record is of another address");
	return 0;
}

int endpoint_record_parse(const char *key, const char *value, size_t len_bytes,
	struct endpoint_record *ret, struct err *err)
{
	struct endpoint_record rec = {0};
	struct record_reader r;
	int rc = record_reader_init(&r, key, value, len_bytes, err);

	if (rc < 0)
		return rc;
	rc = read_endpoint(&r, &rec);
	record_reader_fini(&r);
	if (rc < 0)
		endpoint_record_fini(&rec);
	else
		*ret = rec;
	return rc;
}

static json_t *ips_json(const struct endpoint_record *rec)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < rec->nb_ips; i++)
		json_array_append_new(list, record_json_cidr(&rec->ips[i]));
	return list;
}

static json_t *aliases_json(const struct endpoint_record *rec)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < rec->nb_aliases; i++)
		json_array_append_new(list, json_string(rec->aliases[i]));
	return list;
}

// With `all`, also members that are empty.
static json_t *add_members(json_t *object, const struct endpoint_record *rec, bool all)
{
	char mac[MAC_TEXT_BYTES];

	json_object_set_new(object, "id", json_string(rec->id));
	if (all || rec->name[0])
		json_object_set_new(object, "name", json_string(rec->name));
	json_object_set_new(object, "host", json_string(rec->host));
	json_object_set_new(object, "ips", ips_json(rec));
	json_object_set_new(object, "mac", json_string(mac_format(&rec->mac, mac)));
	if (all || rec->nb_aliases)
		json_object_set_new(object, "aliases", aliases_json(rec));
	if (all || rec->is_static)
		json_object_set_new(object, "static", json_boolean(rec->is_static));
	json_object_set_new(object, "epoch", json_integer(rec->epoch));
	json_object_set_new(object, "seq", json_integer(rec->seq));
	if (all || rec->sandbox[0])
		json_object_set_new(object, "sandbox", json_string(rec->sandbox));
	if (all || rec->ifname[0])
		json_object_set_new(object, "ifname", json_string(rec->ifname));
	if (json_object_size(rec->options))
		json_object_set_new(object, "options", json_deep_copy(rec->options));
	else if (all)
		json_object_set_new(object, "options", json_object());
	if (all || rec->created[0])
		json_object_set_new(object, "created", json_string(rec->created));
	return object;
}

char *endpoint_record_print(const struct endpoint_record *rec)
{
	return record_dump(add_members(record_object(), rec, false));
}

json_t *endpoint_record_json(const struct endpoint_record *rec)
{
	return add_members(json_object(), rec, true);
}

void endpoint_record_fini(struct endpoint_record *rec)
{
	free(rec->aliases);
	json_decref(rec->options);
	rec->aliases = NULL;
	rec->nb_aliases = 0;
	rec->options = NULL;
}

int endpoint_record_copy(const struct endpoint_record *from, struct endpoint_record *ret)
{
	struct endpoint_record rec = *from;

	rec.aliases = NULL;
	rec.options = NULL;
	if (from->nb_aliases) {
		rec.aliases = malloc(from->nb_aliases * sizeof(*rec.aliases));
		if (!rec.aliases)
			return -ENOMEM;
		memcpy(rec.aliases, from->aliases, from->nb_aliases * sizeof(*rec.aliases));
	}
	// Not shared: whoever changes the copy's must not change the other's.
	if (from->options && !(rec.options = json_deep_copy(from->options))) {
		free(rec.aliases);
		return -ENOMEM;
	}
	*ret = rec;
	return 0;
}

bool endpoint_record_has_family(const struct endpoint_record *rec, unsigned family)
{
	for (unsigned i = 0; i < rec->nb_ips; i++) {
		if (rec->ips[i].ip.family == family)
			return true;
	}
	return false;
}

static int compare_numbers(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

int endpoint_rank_compare(const struct endpoint_rank *a, const struct endpoint_rank *b)
{
	int rc = compare_numbers(a->epoch, b->epoch);

	if (rc == 0)
		rc = compare_numbers(a->seq, b->seq);
	return rc ? rc : strcmp(b->id, a->id);
}

struct endpoint_rank endpoint_record_rank(const struct endpoint_record *rec)
{
	struct endpoint_rank rank = {.epoch = rec->epoch, .seq = rec->seq};

	memcpy(rank.id, rec->id, sizeof(rank.id));
	return rank;
}

int endpoint_record_compare(const struct endpoint_record *a, const struct endpoint_record *b)
{
	struct endpoint_rank rank_a = endpoint_record_rank(a), rank_b = endpoint_record_rank(b);

	return endpoint_rank_compare(&rank_a, &rank_b);
}
