// SPDX-License-Identifier: BSD-3-Clause
#include "config/schema.h"

#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "config/check.h"
#include "config/conf.h"
#include "config/field.h"
#include "config/rows.h"

static const char *const polling_names[] = {
	[CONF_POLLING_ADAPTIVE] = "adaptive",
	[CONF_POLLING_BUSY] = "busy",
	NULL,
};

static const char *const hugepages_names[] = {
	[CONF_HUGEPAGES_AUTO] = "auto",
	[CONF_HUGEPAGES_ON] = "on",
	[CONF_HUGEPAGES_OFF] = "off",
	NULL,
};

static const char *const neigh_unknown_names[] = {
	[CONF_NEIGH_FLOOD] = "flood",
	[CONF_NEIGH_DROP] = "drop",
	NULL,
};

enum { ALWAYS = ~0u };

static const struct schema_field conf_fields[] = {
	{
		.key = "workers",
		.type = SCHEMA_CPUS,
		FIELD(struct conf, workers),
		GIVEN(struct conf, nb_workers),
		.max = 1023,
		.allowed = "a CPU number is 0 to 1023",
		.syntax = "CPU[,CPU...]",
		.fallback = "one worker, on the last CPU it may use",
		.help = "CPUs of the worker threads, one worker on each",
	},
	{
		.key = "polling",
		.type = SCHEMA_ENUM,
		FIELD(struct conf, polling),
		.names = polling_names,
		.initial = CONF_POLLING_ADAPTIVE,
		.syntax = "MODE",
		.help = "adaptive: a worker without work sleeps until a packet arrives; "
			"busy: workers never sleep",
	},
	{
		.key = "hugepages",
		.type = SCHEMA_ENUM,
		FIELD(struct conf, hugepages),
		.names = hugepages_names,
		.initial = CONF_HUGEPAGES_AUTO,
		.syntax = "WHEN",
		.help = "whether to put packet buffers in huge pages; auto: if the host has any",
	},
	{
		.key = "mbufs",
		.type = SCHEMA_UINT,
		FIELD(struct conf, mbufs),
		.min = 1024,
		.max = 4194304,
		.initial = 16384,
		.allowed = "the number of 2 KiB packet buffers is 1024 to 4194304",
		.syntax = "COUNT",
		.help = "number of packet buffers of 2 KiB",
	},
	{
		.key = "big-mbufs",
		.type = SCHEMA_UINT,
		FIELD(struct conf, big_mbufs),
		.min = 64,
		.max = 131072,
		.initial = 512,
		.allowed = "the number of 64 KiB packet buffers is 64 to 131072",
		.syntax = "COUNT",
		.help = "number of packet buffers of 64 KiB, for large segments and jumbo frames",
	},
	{
		.key = "vteps",
		.type = SCHEMA_MAP,
		.sub = &schema_vtep,
		.allowed = "vteps holds the VTEPs of this host by name",
		.fallback = "one named default, created when the first port of type vxlan needs it",
		.help = "the VTEPs of this host, by name",
		.live = LIVE,
	},
	{
		.key = "bridges",
		.type = SCHEMA_MAP,
		.sub = &schema_bridge,
		.allowed = "bridges holds the bridges by name",
		.help = "the bridges, by name",
		.live = LIVE,
	},
};

static const struct schema_field bridge_fields[] = {
	{
		.key = "ageing",
		.type = SCHEMA_UINT,
		FIELD(struct conf_bridge_opts, ageing_s),
		.max = 32767,
		.initial = 300,
		.allowed = "ageing is 0 (never) to 32767 seconds",
		.syntax = "SECONDS",
		.help = "seconds without a packet after which a learned address is forgotten; "
			"0: never",
		.live = LIVE,
	},
	{
		.key = "fdb-limit",
		.type = SCHEMA_UINT,
		FIELD(struct conf_bridge_opts, fdb_limit),
		.min = 1,
		.max = 16777216,
		.initial = 65536,
		.allowed = "a bridge learns 1 to 16777216 addresses",
		.syntax = "COUNT",
		.help = "most addresses that the bridge learns",
		.live = LIVE,
	},
	{
		.key = "neigh-unknown",
		.type = SCHEMA_ENUM,
		FIELD(struct conf_bridge_opts, neigh_unknown),
		.names = neigh_unknown_names,
		.initial = CONF_NEIGH_FLOOD,
		.syntax = "POLICY",
		.help = "what happens to a request (ARP, neighbour solicitation) for an address "
			"without a neighbour entry: flood it like any broadcast, or drop it",
		.live = LIVE,
	},
	{
		.key = "managed-by",
		.alias = {"managed_by"},
		.type = SCHEMA_TEXT,
		FIELD(struct conf_bridge_opts, managed_by),
		.check = check_name,
		.syntax = "NAME",
		.fallback = "nobody",
		.help = "program that the bridge and its entries belong to: others are refused to "
			"change "
			"them or to add ports, unless they force it",
		.live = LIVE,
	},
	{
		.key = "ports",
		.type = SCHEMA_MAP,
		.sub = &schema_port,
		.allowed = "ports holds the ports by name",
		.help = "the ports, by name; a name is unique in the switch",
		.live = LIVE,
	},
	{
		.key = "fdb",
		.type = SCHEMA_LIST,
		.sub = &schema_fdb,
		.allowed = "fdb is a list of entries such as {mac: 02:00:00:00:00:09, port: c1}",
		.help = "static forwarding entries",
		.live = LIVE,
	},
	{
		.key = "neigh",
		.type = SCHEMA_LIST,
		.sub = &schema_neigh,
		.allowed = "neigh is a list of entries such as {ip: 10.0.0.9, mac: "
			   "02:00:00:00:00:09}",
		.help = "neighbours that the bridge answers for, so that it need not flood "
			"requests for them",
		.live = LIVE,
	},
};

static const struct schema_field fdb_fields[] = {
	{
		.key = "mac",
		.type = SCHEMA_MAC,
		FIELD(struct conf_fdb, mac),
		.check = check_no_group,
		.required = ALWAYS,
		.allowed = "an address is six bytes such as 02:00:00:00:00:01",
		.syntax = "MAC",
		.help = "Ethernet address; all zero, with `tunnel`: also send broadcasts and "
			"frames to unknown addresses there",
		.live = LIVE,
	},
	{
		.key = "port",
		.type = SCHEMA_TEXT,
		FIELD(struct conf_fdb, port),
		.check = check_name,
		.syntax = "PORT",
		.fallback = "with `tunnel`: the only port of type vxlan that carries the VLAN; "
			    "otherwise required",
		.help = "port of the same bridge that leads to the address",
		.live = LIVE,
	},
	{
		.key = "tunnel",
		.type = SCHEMA_IP,
		FIELD(struct conf_fdb, tunnel),
		.check = check_host,
		.allowed = "a remote VTEP is an IPv4 or IPv6 address",
		.syntax = "ADDRESS",
		.help = "with a port of type vxlan: the remote VTEP that leads to the address",
		.live = LIVE,
	},
	{
		.key = "vlan",
		.type = SCHEMA_UINT,
		FIELD(struct conf_fdb, vlan),
		.max = CONF_VLAN_MAX,
		.allowed = "a VLAN id is 1 to 4094, or 0 for untagged",
		.syntax = "ID",
		.help = "VLAN of the address; 0: untagged",
		.live = LIVE,
	},
};

static const struct schema_field neigh_fields[] = {
	{
		.key = "ip",
		.type = SCHEMA_IP,
		FIELD(struct conf_neigh, ip),
		.check = check_host,
		.required = ALWAYS,
		.allowed = "the address of a neighbour is an IPv4 or IPv6 address",
		.syntax = "ADDRESS",
		.help = "address that requests ask for",
		.live = LIVE,
	},
	{
		.key = "mac",
		.type = SCHEMA_MAC,
		FIELD(struct conf_neigh, mac),
		.check = check_unicast,
		.required = ALWAYS,
		.allowed = "an address is six bytes such as 02:00:00:00:00:01",
		.syntax = "MAC",
		.help = "Ethernet address to answer with",
		.live = LIVE,
	},
	{
		.key = "vlan",
		.type = SCHEMA_UINT,
		FIELD(struct conf_neigh, vlan),
		.max = CONF_VLAN_MAX,
		.allowed = "a VLAN id is 1 to 4094, or 0 for untagged",
		.syntax = "ID",
		.help = "VLAN of the address; 0: untagged",
		.live = LIVE,
	},
};

const struct schema_table schema_conf = {
	.what = "configuration",
	.fields = conf_fields,
	.count = ARRAY_SIZE(conf_fields),
	.size_bytes = sizeof(struct conf),
};

const struct schema_table schema_bridge = {
	.what = "bridge",
	.fields = bridge_fields,
	.count = ARRAY_SIZE(bridge_fields),
	.size_bytes = sizeof(struct conf_bridge_opts),
};

const struct schema_table schema_fdb = {
	.what = "forwarding entry",
	.fields = fdb_fields,
	.count = ARRAY_SIZE(fdb_fields),
	.size_bytes = sizeof(struct conf_fdb),
};

const struct schema_table schema_neigh = {
	.what = "neighbour",
	.fields = neigh_fields,
	.count = ARRAY_SIZE(neigh_fields),
	.size_bytes = sizeof(struct conf_neigh),
};

bool schema_is_key(const struct schema_field *field, const char *key)
{
	bool is_key = !strcmp(key, field->key);

	for (unsigned i = 0; i < ARRAY_SIZE(field->alias) && field->alias[i]; i++)
		is_key = is_key || !strcmp(key, field->alias[i]);
	return is_key;
}

const struct schema_field *schema_find(const struct schema_table *table, const char *key)
{
	for (unsigned i = 0; i < table->count; i++) {
		const struct schema_field *field = &table->fields[i];

		if (schema_is_key(field, key))
			return field;
	}
	return NULL;
}

const char *schema_json_key(const struct schema_field *field, char buf[SCHEMA_KEY_BYTES])
{
	size_t len = 0;

	for (; field->key[len] && len < SCHEMA_KEY_BYTES - 1; len++)
		buf[len] = field->key[len] == '-' ? '_' : field->key[len];
	buf[len] = '\0';
	return buf;
}

const struct schema_field *schema_find_json(const struct schema_table *table, const char *key)
{
	char buf[SCHEMA_KEY_BYTES];

	for (unsigned i = 0; i < table->count; i++) {
		if (!strcmp(schema_json_key(&table->fields[i], buf), key))
			return &table->fields[i];
	}
	return NULL;
}

static bool is_true(const char *name)
{
	return !strcmp(name, "on") || !strcmp(name, "true");
}

bool schema_is_bool(const struct schema_field *field)
{
	return field->type == SCHEMA_ENUM && field->names[0] && field->names[1] &&
	       !field->names[2] && is_true(field->names[0]) != is_true(field->names[1]);
}

bool schema_bool(const struct schema_field *field, uint64_t value)
{
	return is_true(field->names[value]);
}

uint64_t schema_bool_value(const struct schema_field *field, bool value)
{
	return is_true(field->names[1]) == value;
}

bool schema_applies(const struct schema_field *field, unsigned kind)
{
	return field->kinds == 0 || (field->kinds >> kind & 1);
}

bool schema_is_required(const struct schema_field *field, unsigned kind)
{
	return field->required >> kind & 1;
}

bool schema_is_live(const struct schema_field *field, unsigned kind)
{
	return field->live >> kind & 1;
}

int schema_check_change(const struct schema_table *table, const void *old, const void *now,
	const char *path, struct err *err)
{
	unsigned kind = table->kind ? table->kind(old) : 0;

	for (unsigned i = 0; i < table->count; i++) {
		const struct schema_field *field = &table->fields[i];

		if (schema_is_live(field, kind) || field_equal(field, old, now))
			continue;
		if (!field->live || !table->kind)
			return err_set(err, -EOPNOTSUPP, path,
				"%s cannot be changed on an existing %s: delete the %s and add it "
				"again",
				field->key, table->what, table->what);
		return err_set(err, -EOPNOTSUPP, path,
			"%s cannot be changed on a %s %s %s: delete the %s and add it again",
			field->key, table->what, table->kind_word, table->kind_names[kind],
			table->what);
	}
	return 0;
}
