// SPDX-License-Identifier: BSD-3-Clause
// Records of networks.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "netd/record/record_read.h"

static int read_aux(struct record_reader *r, const json_t *aux, struct subnet *subnet)
{
	const char *name;
	json_t *item;

	if (!json_is_object(aux) || json_object_size(aux) > RECORD_AUX_MAX)
		return record_refuse(r, "member 'aux' must be an object of at most %d addresses",
			RECORD_AUX_MAX);
	if (json_object_size(aux) == 0)
		return 0;
	subnet->aux = calloc(json_object_size(aux), sizeof(*subnet->aux));
	if (!subnet->aux)
		return -ENOMEM;
	json_object_foreach ((json_t *)aux, name, item) {
		struct named_ip *one = &subnet->aux[subnet->nb_aux];

		if (!record_name_is_valid(name) || !json_is_string(item) ||
			!record_ip_parse(json_string_value(item), &one->ip) ||
			!cidr_has(&subnet->cidr, &one->ip))
			return record_refuse(r, "member 'aux' must have names with addresses of "
						"the subnet");
		strcpy(one->name, name);
		subnet->nb_aux++;
	}
	return 0;
}

// A record from before there were any has none.
static int read_block_prefix(struct record_reader *r, struct subnet *subnet)
{
	unsigned bits = subnet->cidr.ip.family == 6 ? 128 : 32;
	uint64_t prefix = 0;

	if (!json_object_get(r->at, "block_prefix"))
		return 0;
	if (record_read_uint(r, "block_prefix", true, bits, &prefix) < 0)
		return -EBADMSG;
	if (prefix < subnet->range.prefix || bits - prefix > RECORD_BLOCK_BITS_MAX)
		return record_refuse(r, "member 'block_prefix' is not one of the range");
	subnet->block_prefix = prefix;
	return 0;
}

static int read_subnet(struct record_reader *r, struct subnet *subnet)
{
	const json_t *aux = json_object_get(r->at, "aux");

	if (record_read_net(r, "subnet", true, &subnet->cidr) < 0)
		return -EBADMSG;
	subnet->range = subnet->cidr;
	if (record_read_net(r, "range", false, &subnet->range) < 0 ||
		record_read_ip(r, "gateway", false, &subnet->gateway) < 0)
		return -EBADMSG;
	if (!cidr_overlap(&subnet->cidr, &subnet->range) ||
		subnet->range.prefix < subnet->cidr.prefix)
		return record_refuse(r, "member 'range' is not in the subnet");
	if (subnet->gateway.family && !cidr_has(&subnet->cidr, &subnet->gateway))
		return record_refuse(r, "member 'gateway' is not in the subnet");
	if (read_block_prefix(r, subnet) < 0)
		return -EBADMSG;
	return aux ? read_aux(r, aux, subnet) : 0;
}

static int read_subnets(struct record_reader *r, struct network_record *rec)
{
	const json_t *list = NULL;
	int rc = 0;

	if (record_read_list(r, "subnets", true, RECORD_SUBNETS_MAX, &list) < 0)
		return -EBADMSG;
	if (json_array_size(list) == 0)
		return 0;
	rec->subnets = calloc(json_array_size(list), sizeof(*rec->subnets));
	if (!rec->subnets)
		return -ENOMEM;
	for (size_t i = 0; i < json_array_size(list) && rc == 0; i++) {
		struct subnet *subnet = &rec->subnets[rec->nb_subnets++];

		r->at = json_array_get(list, i);
		snprintf(r->where, sizeof(r->where), "subnets[%zu]: ", i);
		rc = read_subnet(r, subnet);
		for (size_t j = 0; j < i && rc == 0; j++) {
			if (cidr_overlap(&rec->subnets[j].cidr, &subnet->cidr))
				rc = record_refuse(r, "overlaps subnets[%zu]", j);
		}
	}
	r->at = r->root;
	r->where[0] = '\0';
	return rc;
}

// A record from before there were any has none.
static int read_dns(struct record_reader *r, struct network_record *rec)
{
	const json_t *list = NULL, *item;
	size_t i;

	if (record_read_list(r, "dns", false, DNS_SERVERS_MAX, &list) < 0)
		return -EBADMSG;
	json_array_foreach (list, i, item) {
		if (!json_is_string(item) ||
			dns_server_parse(json_string_value(item), &rec->dns[i]) < 0)
			return record_refuse(r, "member 'dns' must have servers as texts, each %s",
				DNS_SERVER_SYNTAX);
		rec->nb_dns++;
	}
	return 0;
}

static int read_texts(struct record_reader *r, struct network_record *rec)
{
	if (record_read_texts(r, "labels", &rec->labels) < 0 ||
		record_read_texts(r, "options", &rec->options) < 0)
		return -EBADMSG;
	if (!rec->labels)
		rec->labels = json_object();
	if (!rec->options)
		rec->options = json_object();
	return rec->labels && rec->options ? 0 : -ENOMEM;
}

static int read_network(struct record_reader *r, struct network_record *rec)
{
	struct record_key key;
	uint64_t vni = 0;
	int rc;

	if (record_read_name(r, "name", true, rec->name) < 0 ||
		record_read_id(r, "id", rec->id) < 0 ||
		record_read_text(r, "driver", true, sizeof(rec->driver), rec->driver) < 0 ||
		record_read_uint(r, "vni", false, VNI_MAX, &vni) < 0 ||
		record_read_bool(r, "ipv6", &rec->ipv6) < 0 ||
		record_read_bool(r, "internal", &rec->internal) < 0 ||
		record_read_text(r, "created", false, sizeof(rec->created), rec->created) < 0)
		return -EBADMSG;
	rec->vni = vni;
	if (!record_name_is_valid(rec->driver))
		return record_refuse(r, "member 'driver' must be a driver's name");
	record_key_parse(r->key, &key);
	if (key.kind != RECORD_NETWORK || strcmp(key.name, rec->name) != 0)
		return record_refuse(r, "the record is of network %s", rec->name);
	rc = read_subnets(r, rec);
	if (rc == 0)
		rc = read_dns(r, rec);
	return rc < 0 ? rc : read_texts(r, rec);
}

int network_record_parse(const char *key, const char *value, size_t len_bytes,
	struct network_record *ret, struct err *err)
{
	struct network_record rec = {0};
	struct record_reader r;
	int rc = record_reader_init(&r, key, value, len_bytes, err);

	if (rc < 0)
		return rc;
	rc = read_network(&r, &rec);
	record_reader_fini(&r);
	if (rc < 0)
		network_record_fini(&rec);
	else
		*ret = rec;
	return rc;
}

static json_t *subnet_json(const struct subnet *subnet)
{
	json_t *object = json_object(), *aux = json_object();

	json_object_set_new(object, "subnet", record_json_cidr(&subnet->cidr));
	if (subnet->range.ip.family && !cidr_equal(&subnet->range, &subnet->cidr))
		json_object_set_new(object, "range", record_json_cidr(&subnet->range));
	if (subnet->gateway.family)
		json_object_set_new(object, "gateway", record_json_ip(&subnet->gateway));
	if (subnet->block_prefix)
		json_object_set_new(object, "block_prefix", json_integer(subnet->block_prefix));
	for (unsigned i = 0; i < subnet->nb_aux; i++)
		json_object_set_new(aux, subnet->aux[i].name, record_json_ip(&subnet->aux[i].ip));
	if (subnet->nb_aux)
		json_object_set(object, "aux", aux);
	json_decref(aux);
	return object;
}

static json_t *subnets_json(const struct network_record *rec)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < rec->nb_subnets; i++)
		json_array_append_new(list, subnet_json(&rec->subnets[i]));
	return list;
}

static json_t *dns_json(const struct network_record *rec)
{
	json_t *list = json_array();
	char text[DNS_SERVER_TEXT_BYTES];

	for (unsigned i = 0; i < rec->nb_dns; i++)
		json_array_append_new(list, json_string(dns_server_format(&rec->dns[i], text)));
	return list;
}

// The caller may have left them out: what is printed and shown has them.
static json_t *texts_json(json_t *texts)
{
	return texts ? json_deep_copy(texts) : json_object();
}

static json_t *add_members(json_t *object, const struct network_record *rec)
{
	json_object_set_new(object, "name", json_string(rec->name));
	json_object_set_new(object, "id", json_string(rec->id));
	json_object_set_new(object, "driver", json_string(rec->driver));
	json_object_set_new(object, "vni", json_integer(rec->vni));
	json_object_set_new(object, "ipv6", json_boolean(rec->ipv6));
	json_object_set_new(object, "internal", json_boolean(rec->internal));
	json_object_set_new(object, "subnets", subnets_json(rec));
	if (rec->nb_dns)
		json_object_set_new(object, "dns", dns_json(rec));
	json_object_set_new(object, "labels", texts_json(rec->labels));
	json_object_set_new(object, "options", texts_json(rec->options));
	json_object_set_new(object, "created", json_string(rec->created));
	return object;
}

char *network_record_print(const struct network_record *rec)
{
	return record_dump(add_members(record_object(), rec));
}

json_t *network_record_json(const struct network_record *rec)
{
	return add_members(json_object(), rec);
}

void network_record_fini(struct network_record *rec)
{
	for (unsigned i = 0; i < rec->nb_subnets; i++)
		free(rec->subnets[i].aux);
	free(rec->subnets);
	json_decref(rec->labels);
	json_decref(rec->options);
	rec->subnets = NULL;
	rec->nb_subnets = 0;
	rec->labels = rec->options = NULL;
}

static int copy_subnets(const struct network_record *from, struct network_record *ret)
{
	if (from->nb_subnets == 0)
		return 0;
	ret->subnets = calloc(from->nb_subnets, sizeof(*ret->subnets));
	if (!ret->subnets)
		return -ENOMEM;
	for (unsigned i = 0; i < from->nb_subnets; i++) {
		const struct subnet *old = &from->subnets[i];
		struct subnet *subnet = &ret->subnets[i];

		*subnet = *old;
		subnet->aux = NULL;
		ret->nb_subnets++;
		if (old->nb_aux == 0)
			continue;
		subnet->aux = malloc(old->nb_aux * sizeof(*subnet->aux));
		if (!subnet->aux)
			return -ENOMEM;
		memcpy(subnet->aux, old->aux, old->nb_aux * sizeof(*subnet->aux));
	}
	return 0;
}

int network_record_copy(const struct network_record *from, struct network_record *ret)
{
	struct network_record rec = *from;
	int rc;

	rec.subnets = NULL;
	rec.nb_subnets = 0;
	rec.labels = texts_json(from->labels);
	rec.options = texts_json(from->options);
	rc = rec.labels && rec.options ? copy_subnets(from, &rec) : -ENOMEM;
	if (rc < 0)
		network_record_fini(&rec);
	else
		*ret = rec;
	return rc;
}

bool network_record_has_family(const struct network_record *rec, unsigned family)
{
	for (unsigned i = 0; i < rec->nb_subnets; i++) {
		if (rec->subnets[i].cidr.ip.family == family)
			return true;
	}
	return false;
}
