// SPDX-License-Identifier: BSD-3-Clause
#include <stdio.h>

#include "base/ip.h"
#include "base/mac.h"
#include "config/conf.h"
#include "config/field.h"

static json_t *ips_to_json(const char (*ips)[64], unsigned count)
{
	json_t *list = json_array();

	for (unsigned i = 0; list && i < count; i++) {
		if (json_array_append_new(list, json_string(ips[i])) < 0)
			goto err;
	}
	return list;

err:
	json_decref(list);
	return NULL;
}

static json_t *range_to_json(unsigned first, unsigned last)
{
	return first == last ? json_integer(first) : json_sprintf("%u-%u", first, last);
}

static json_t *vlans_to_json(const struct vlan_set *set)
{
	json_t *list = json_array();
	unsigned first, vid = 0;

	while (list && vid <= CONF_VLAN_MAX) {
		if (!vlan_set_has(set, vid++))
			continue;
		first = vid - 1;
		while (vid <= CONF_VLAN_MAX && vlan_set_has(set, vid))
			vid++;
		if (json_array_append_new(list, range_to_json(first, vid - 1)) < 0)
			goto err;
	}
	return list;

err:
	json_decref(list);
	return NULL;
}

static json_t *cpus_to_json(const unsigned *cpus, unsigned count)
{
	json_t *list = json_array();

	for (unsigned i = 0; list && i < count; i++) {
		if (json_array_append_new(list, json_integer(cpus[i])) < 0)
			goto err;
	}
	return list;

err:
	json_decref(list);
	return NULL;
}

// A number whose default stands for something else (mtu 0: the device's) is null while it has it.
static json_t *uint_to_json(const struct schema_field *field, uint64_t number)
{
	if (field->word && number == field->word_value)
		return json_string(field->word);
	return number < field->min || number > field->max ? json_null() : json_integer(number);
}

static json_t *ip_to_json(const struct ip_addr *ip, const unsigned *prefix)
{
	char text[IP_TEXT_BYTES];

	if (!ip->family)
		return json_null();
	ip_format(ip, text);
	return prefix && *prefix ? json_sprintf("%s/%u", text, *prefix) : json_string(text);
}

static json_t *hosts_to_json(const struct ip_addr *hosts, unsigned count)
{
	json_t *list = json_array();

	for (unsigned i = 0; list && i < count; i++) {
		if (json_array_append_new(list, ip_to_json(&hosts[i], NULL)) < 0)
			goto err;
	}
	return list;

err:
	json_decref(list);
	return NULL;
}

json_t *field_to_json(const struct schema_field *field, const void *obj)
{
	const void *value = (const char *)obj + field->offset;
	const unsigned *count = (const unsigned *)((const char *)obj + field->given_offset);
	char mac[MAC_TEXT_BYTES];

	switch (field->type) {
	case SCHEMA_ENUM:
		if (schema_is_bool(field))
			return json_boolean(schema_bool(field, field_uint(field, obj)));
		return json_string(field->names[field_uint(field, obj)]);
	case SCHEMA_UINT:
		return uint_to_json(field, field_uint(field, obj));
	case SCHEMA_TEXT:
		return field_is_default(field, obj) ? json_null() : json_string(value);
	case SCHEMA_MAC:
		if (field->given_offset && field_is_default(field, obj))
			return json_null();
		return json_string(mac_format(value, mac));
	case SCHEMA_IP:
		return ip_to_json(value, field->given_offset ? count : NULL);
	case SCHEMA_HOSTS:
		return hosts_to_json(value, *count);
	case SCHEMA_IPS:
		return ips_to_json(value, *count);
	case SCHEMA_VLANS:
		return vlans_to_json(value);
	case SCHEMA_CPUS:
		return cpus_to_json(value, *count);
	default:
		return json_null();
	}
}
