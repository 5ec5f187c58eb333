// SPDX-License-Identifier: BSD-3-Clause
#include "config/schema.h"

#include <string.h>

#include "base/util.h"
#include "config/check.h"
#include "config/conf.h"

#define FIELD(s, f) .offset = offsetof(s, f), .size_bytes = sizeof(((s *)0)->f)
#define GIVEN(s, f) .given_offset = offsetof(s, f)

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

static const char *const vlan_mode_names[] = {
	[CONF_VLAN_TRUNK] = "trunk",
	[CONF_VLAN_ACCESS] = "access",
	[CONF_VLAN_NATIVE_TAGGED] = "native-tagged",
	[CONF_VLAN_NATIVE_UNTAGGED] = "native-untagged",
	NULL,
};

static const char *const port_type_names[] = {
	[CONF_PORT_TAP] = "tap",
	[CONF_PORT_VETH] = "veth",
	[CONF_PORT_DPDK] = "dpdk",
	[CONF_PORT_VXLAN] = "vxlan",
	NULL,
};

enum {
	TAP = 1u << CONF_PORT_TAP,
	VETH = 1u << CONF_PORT_VETH,
	DPDK = 1u << CONF_PORT_DPDK,
	ALWAYS = ~0u,
};

static uint64_t derive_vlan_mode(const void *obj)
{
	const struct conf_port *port = obj;

	if (port->tag == 0)
		return CONF_VLAN_TRUNK;
	return port->has_trunks ? CONF_VLAN_NATIVE_UNTAGGED : CONF_VLAN_ACCESS;
}

static unsigned port_kind(const void *obj)
{
	return ((const struct conf_port *)obj)->type;
}

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
		.help = "adaptive: a worker that finds nothing to do sleeps until a packet comes; "
			"busy: workers never sleep",
	},
	{
		.key = "hugepages",
		.type = SCHEMA_ENUM,
		FIELD(struct conf, hugepages),
		.names = hugepages_names,
		.initial = CONF_HUGEPAGES_AUTO,
		.syntax = "WHEN",
		.help = "whether packet buffers are in huge pages; auto: when there are any",
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
		.help = "packet buffers of 2 KiB",
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
		.help = "packet buffers of 64 KiB, for segments that pass whole and for jumbo "
			"frames",
	},
	{
		.key = "bridges",
		.type = SCHEMA_MAP,
		.sub = &schema_bridge,
		.allowed = "bridges holds the bridges by name",
		.help = "the bridges, by name",
		.live = true,
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
		.help = "learned addresses are forgotten after this many seconds without a packet; "
			"0: never",
		.live = true,
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
		.help = "addresses learned on the bridge, at most",
		.live = true,
	},
	{
		.key = "ports",
		.type = SCHEMA_MAP,
		.sub = &schema_port,
		.allowed = "ports holds the ports by name",
		.help = "the ports, by name; a name is unique in the switch",
		.live = true,
	},
	{
		.key = "fdb",
		.type = SCHEMA_LIST,
		.sub = &schema_fdb,
		.allowed = "fdb is a list of entries such as {mac: 02:00:00:00:00:09, port: c1}",
		.help = "static forwarding entries",
		.live = true,
	},
};

static const struct schema_field port_fields[] = {
	{
		.key = "type",
		.type = SCHEMA_ENUM,
		FIELD(struct conf_port, type),
		.names = port_type_names,
		.initial = CONF_PORT_TAP,
		.syntax = "TYPE",
		.help = "what the port plugs into: tap: a TAP device made in a namespace; veth: a "
			"pair of which the switch has one end; dpdk: a DPDK device",
	},
	{
		.key = "tag",
		.type = SCHEMA_UINT,
		FIELD(struct conf_port, tag),
		.min = 1,
		.max = CONF_VLAN_MAX,
		.allowed = "a VLAN id is 1 to 4094",
		.syntax = "ID",
		.help = "VLAN of untagged packets; alone, it makes the port an access port",
		.live = true,
	},
	{
		.key = "trunks",
		.type = SCHEMA_VLANS,
		FIELD(struct conf_port, trunks),
		GIVEN(struct conf_port, has_trunks),
		.max = CONF_VLAN_MAX,
		.allowed = "trunks is a list of VLAN ids 0 to 4094 and ranges such as 20-30",
		.syntax = "ID[-ID][,...]",
		.fallback = "all VLANs",
		.help = "VLANs that a trunk port carries; 0 stands for untagged packets",
		.live = true,
	},
	{
		.key = "vlan-mode",
		.alias = "vlan_mode",
		.type = SCHEMA_ENUM,
		FIELD(struct conf_port, vlan_mode),
		.names = vlan_mode_names,
		.derive = derive_vlan_mode,
		.syntax = "MODE",
		.fallback = "access with `tag` alone, native-untagged with `tag` and `trunks`, "
			    "else trunk",
		.help = "how the port treats VLAN tags, in the words of Open vSwitch",
		.live = true,
	},
	{
		.key = "mtu",
		.type = SCHEMA_UINT,
		FIELD(struct conf_port, mtu),
		.min = 68,
		.max = 65535,
		.allowed = "an MTU is 68 to 65535 bytes",
		.syntax = "BYTES",
		.fallback = "1500, or what the device has",
		.help = "largest packet that leaves by the port, without the Ethernet header",
		.live = true,
	},
	{
		.key = "queues",
		.type = SCHEMA_UINT,
		FIELD(struct conf_port, queues),
		.min = 1,
		.max = 16,
		.allowed = "a port has 1 to 16 receive queues",
		.syntax = "COUNT",
		.fallback = "1",
		.help = "receive queues; several spread the port over several workers",
	},
	{
		.key = "fdb-limit",
		.type = SCHEMA_UINT,
		FIELD(struct conf_port, fdb_limit),
		.max = 16777216,
		.allowed = "a port learns 1 to 16777216 addresses, or 0 for the bridge's limit",
		.syntax = "COUNT",
		.fallback = "no limit but the bridge's",
		.help = "addresses learned on the port, at most",
		.live = true,
	},
	{
		.key = "netns",
		.type = SCHEMA_TEXT,
		FIELD(struct conf_port, netns),
		.integer_ok = true,
		.check = check_netns,
		.kinds = TAP | VETH,
		.syntax = "NAME|PATH|PID",
		.fallback = "the namespace of the switch",
		.help = "network namespace of the device: a name under /run/netns, an absolute "
			"path or a pid",
	},
	{
		.key = "ifname",
		.type = SCHEMA_TEXT,
		FIELD(struct conf_port, ifname),
		.check = check_ifname,
		.kinds = TAP | VETH,
		.syntax = "NAME",
		.fallback = "the port's name",
		.help = "name of the device in its namespace",
	},
	{
		.key = "host-ifname",
		.type = SCHEMA_TEXT,
		FIELD(struct conf_port, host_ifname),
		.check = check_ifname,
		.kinds = VETH,
		.syntax = "NAME",
		.fallback = "made from the port's name",
		.help = "name of the end of the pair that the switch has; one that is there is "
			"taken",
	},
	{
		.key = "mac",
		.type = SCHEMA_MAC,
		FIELD(struct conf_port, mac),
		GIVEN(struct conf_port, has_mac),
		.check = check_unicast,
		.kinds = TAP | VETH,
		.allowed = "an address is six bytes such as 02:00:00:00:00:01",
		.syntax = "MAC",
		.fallback = "the device's own",
		.help = "Ethernet address of the device",
		.live = true,
	},
	{
		.key = "ip",
		.type = SCHEMA_IPS,
		FIELD(struct conf_port, ip),
		GIVEN(struct conf_port, nb_ips),
		.check = check_ip,
		.kinds = TAP | VETH,
		.syntax = "ADDRESS/PREFIX[,...]",
		.help = "addresses put on the device, at most 4",
		.live = true,
	},
	{
		.key = "devargs",
		.type = SCHEMA_TEXT,
		FIELD(struct conf_port, devargs),
		.check = check_devargs,
		.kinds = DPDK,
		.required = DPDK,
		.syntax = "DEVARGS",
		.help = "PCI address or virtual device, as DPDK's own applications take it",
	},
};

static const struct schema_field fdb_fields[] = {
	{
		.key = "mac",
		.type = SCHEMA_MAC,
		FIELD(struct conf_fdb, mac),
		.check = check_unicast,
		.required = ALWAYS,
		.allowed = "an address is six bytes such as 02:00:00:00:00:01",
		.syntax = "MAC",
		.help = "Ethernet address",
		.live = true,
	},
	{
		.key = "port",
		.type = SCHEMA_TEXT,
		FIELD(struct conf_fdb, port),
		.check = check_name,
		.required = ALWAYS,
		.syntax = "PORT",
		.help = "port of the same bridge behind which the address is",
		.live = true,
	},
	{
		.key = "vlan",
		.type = SCHEMA_UINT,
		FIELD(struct conf_fdb, vlan),
		.max = CONF_VLAN_MAX,
		.allowed = "a VLAN id is 1 to 4094, or 0 for untagged",
		.syntax = "ID",
		.help = "VLAN of the address; 0: untagged",
		.live = true,
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

const struct schema_table schema_port = {
	.what = "port",
	.fields = port_fields,
	.count = ARRAY_SIZE(port_fields),
	.size_bytes = sizeof(struct conf_port),
	.kind = port_kind,
	.kind_names = port_type_names,
};

const struct schema_table schema_fdb = {
	.what = "forwarding entry",
	.fields = fdb_fields,
	.count = ARRAY_SIZE(fdb_fields),
	.size_bytes = sizeof(struct conf_fdb),
};

const char *conf_port_type_name(enum conf_port_type type)
{
	return port_type_names[type];
}

const struct schema_field *schema_find(const struct schema_table *table, const char *key)
{
	for (unsigned i = 0; i < table->count; i++) {
		const struct schema_field *field = &table->fields[i];

		if (!strcmp(key, field->key) || (field->alias && !strcmp(key, field->alias)))
			return field;
	}
	return NULL;
}

bool schema_applies(const struct schema_field *field, unsigned kind)
{
	return field->kinds == 0 || (field->kinds >> kind & 1);
}

bool schema_is_required(const struct schema_field *field, unsigned kind)
{
	return field->required >> kind & 1;
}
