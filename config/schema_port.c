// SPDX-License-Identifier: BSD-3-Clause
// The rows of ports. Those of VTEPs are in schema_vtep.c.
#include "base/limits.h"
#include "base/util.h"
#include "config/check.h"
#include "config/conf.h"
#include "config/rows.h"
#include "config/schema.h"

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

static const char *const filter_names[] = {
	[CONF_FILTER_NONE] = "none", [CONF_FILTER_GATEWAY] = "gateway", NULL};

const char *const rows_off_on[] = {[false] = "off", [true] = "on", NULL};
const char *const rows_on_off[] = {[false] = "on", [true] = "off", NULL};

enum {
	TAP = 1u << CONF_PORT_TAP,
	VETH = 1u << CONF_PORT_VETH,
	DPDK = 1u << CONF_PORT_DPDK,
	VXLAN = 1u << CONF_PORT_VXLAN,
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

static const struct schema_field port_fields[] = {
	{
		.key = "type",
		.type = SCHEMA_ENUM,
		FIELD(struct conf_port, type),
		.names = port_type_names,
		.initial = CONF_PORT_TAP,
		.selects_kind = true,
		.syntax = "TYPE",
		.help = "what the port connects to: tap: a TAP device, created in a namespace; "
			"veth: "
			"a pair of which the switch has one end; dpdk: a DPDK device; vxlan: a "
			"VNI, and so the switches of other hosts",
	},
	{
		.key = "tag",
		.type = SCHEMA_UINT,
		FIELD(struct conf_port, tag),
		.min = 1,
		.max = CONF_VLAN_MAX,
		.allowed = "a VLAN id is 1 to 4094",
		.syntax = "ID",
		.help = "VLAN of untagged packets; without trunks, the port is an access port",
		.live = LIVE,
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
		.help = "VLANs that a trunk port carries; 0: untagged packets",
		.live = LIVE,
	},
	{
		.key = "vlan-mode",
		.alias = {"vlan_mode"},
		.type = SCHEMA_ENUM,
		FIELD(struct conf_port, vlan_mode),
		.names = vlan_mode_names,
		.derive = derive_vlan_mode,
		.syntax = "MODE",
		.fallback = "access with `tag` only, native-untagged with `tag` and `trunks`, "
			    "otherwise trunk",
		.help = "how the port treats VLAN tags; the modes are those of Open vSwitch",
		.live = LIVE,
	},
	{
		.key = "mtu",
		.type = SCHEMA_UINT,
		FIELD(struct conf_port, mtu),
		.min = MTU_MIN,
		.max = MTU_MAX,
		.word = "auto",
		.word_value = CONF_MTU_AUTO,
		.allowed = "an MTU is 68 to 65535 bytes, or auto",
		.syntax = "BYTES",
		.fallback = "1500, or that of the device; vxlan: what the underlay leaves",
		.help = "largest packet that the port sends, without the Ethernet header; auto "
			"(tap and veth only): the largest that every port of type vxlan of the "
			"bridge takes",
		.live = TAP | VETH | DPDK,
	},
	{
		.key = "queues",
		.type = SCHEMA_UINT,
		FIELD(struct conf_port, queues),
		.min = 1,
		.max = 16,
		.kinds = TAP | VETH | DPDK,
		.allowed = "a port has 1 to 16 receive queues",
		.syntax = "COUNT",
		.fallback = "1",
		.help = "number of receive queues; more than one spreads the port over several "
			"workers",
	},
	{
		.key = "fdb-limit",
		.type = SCHEMA_UINT,
		FIELD(struct conf_port, fdb_limit),
		.max = 16777216,
		.allowed = "a port learns 1 to 16777216 addresses, or 0 for the bridge's limit",
		.syntax = "COUNT",
		.fallback = "only the bridge's limit",
		.help = "most addresses that the port learns",
		.live = LIVE,
	},
	{
		.key = "flood-limit",
		.alias = {"flood_limit"},
		.type = SCHEMA_UINT,
		FIELD(struct conf_port, flood_limit),
		.max = FLOOD_LIMIT_MAX,
		.allowed = "a port may have 1 to 16777216 frames a second flooded, or 0 for any "
			   "number",
		.syntax = "COUNT",
		.fallback = "any number",
		.help = "most broadcast, multicast and unknown unicast frames that are flooded "
			"from the port in a second; one that tunnels send to more than 8 hosts "
			"counts as an eighth for each",
		.live = LIVE,
	},
	{
		.key = "isolated",
		.type = SCHEMA_ENUM,
		FIELD(struct conf_port, isolated),
		.names = rows_off_on,
		.syntax = "WHETHER",
		.help = "on: no frame passes between this port and other isolated ports of the "
			"bridge, as with bridge(8)",
		.live = LIVE,
	},
	{
		.key = "managed-by",
		.alias = {"managed_by"},
		.type = SCHEMA_TEXT,
		FIELD(struct conf_port, managed_by),
		.check = check_name,
		.syntax = "NAME",
		.fallback = "nobody",
		.help = "program that the port belongs to: others are refused to change it, unless "
			"they force it",
		.live = LIVE,
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
		.fallback = "derived from the port's name",
		.help = "name of the switch's end of the pair; an existing one is used",
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
		.live = LIVE,
	},
	{
		.key = "ip",
		.type = SCHEMA_IPS,
		FIELD(struct conf_port, ip),
		GIVEN(struct conf_port, nb_ips),
		.check = check_ip,
		.kinds = TAP | VETH,
		.syntax = "ADDRESS/PREFIX[,...]",
		.help = "addresses to put on the device, at most 4",
		.live = LIVE,
	},
	{
		.key = "guard",
		.type = SCHEMA_ENUM,
		FIELD(struct conf_port, guard),
		.names = rows_off_on,
		.kinds = TAP | VETH,
		.syntax = "WHETHER",
		.help = "on: drop frames (ARP and neighbour discovery included) unless their "
			"source is the device's MAC address and an address of guard-ips; IPv6 "
			"addresses derived from the MAC and DHCP clients always pass",
		.live = LIVE,
	},
	{
		.key = "router",
		.type = SCHEMA_ENUM,
		FIELD(struct conf_port, no_router),
		.names = rows_on_off,
		.kinds = TAP | VETH,
		.syntax = "WHETHER",
		.help = "off: drop router advertisements and redirects that come from the port",
		.live = LIVE,
	},
	{
		.key = "dhcp-server",
		.alias = {"dhcp_server"},
		.type = SCHEMA_ENUM,
		FIELD(struct conf_port, no_dhcp_server),
		.names = rows_on_off,
		.kinds = TAP | VETH,
		.syntax = "WHETHER",
		.help = "off: drop DHCP and DHCPv6 messages to clients that come from the port",
		.live = LIVE,
	},
	{
		.key = "filter",
		.type = SCHEMA_ENUM,
		FIELD(struct conf_port, filter),
		.names = filter_names,
		.kinds = TAP | VETH,
		.syntax = "WHICH",
		.help = "gateway: the port receives only ARP, neighbour discovery, ping and DNS "
			"for the addresses in guard-ips; none: it receives everything",
		.live = LIVE,
	},
	{
		.key = "guard-ips",
		.alias = {"guard_ips"},
		.type = SCHEMA_IPS,
		FIELD(struct conf_port, guard_ips),
		GIVEN(struct conf_port, nb_guard_ips),
		.check = check_source,
		.kinds = TAP | VETH,
		.syntax = "ADDRESS[/PREFIX][,...]",
		.fallback = "any: only MAC addresses are checked",
		.help = "source addresses and prefixes that guard lets pass, at most 16",
		.live = LIVE,
	},
	{
		.key = "filter-from",
		.alias = {"filter_from"},
		.type = SCHEMA_IPS,
		FIELD(struct conf_port, filter_from),
		GIVEN(struct conf_port, nb_filter_from),
		.check = check_source,
		.kinds = TAP | VETH,
		.syntax = "ADDRESS[/PREFIX][,...]",
		.fallback = "any",
		.help = "source addresses and prefixes that filter=gateway lets pass, at most 16; "
			"link-local addresses always pass",
		.live = LIVE,
	},
	{
		.key = "devargs",
		.type = SCHEMA_TEXT,
		FIELD(struct conf_port, devargs),
		.check = check_devargs,
		.kinds = DPDK,
		.required = DPDK,
		.syntax = "DEVARGS",
		.help = "PCI address or virtual device, in the syntax of DPDK's own applications",
	},
	{
		.key = "key",
		.alias = {"vni"},
		.type = SCHEMA_UINT,
		FIELD(struct conf_port, vni),
		.max = VNI_MAX,
		.initial = CONF_VNI_NONE,
		.kinds = VXLAN,
		.required = VXLAN,
		.allowed = "a VNI is 0 to 16777215",
		.syntax = "VNI",
		.help = "VXLAN network identifier (VNI)",
	},
	{
		.key = "remote",
		.alias = {"remotes", "remote_ip"},
		.type = SCHEMA_HOSTS,
		FIELD(struct conf_port, remote),
		GIVEN(struct conf_port, nb_remotes),
		.check = check_host,
		.kinds = VXLAN,
		.allowed = "a remote VTEP is an IPv4 or IPv6 address",
		.syntax = "ADDRESS[,...]",
		.help = "remote VTEPs, at most 16: accept frames from them, and flood to them; "
			"forwarding entries may name more",
		.live = LIVE,
	},
	{
		.key = "vtep",
		.type = SCHEMA_TEXT,
		FIELD(struct conf_port, vtep),
		.check = check_name,
		.kinds = VXLAN,
		.syntax = "NAME",
		.fallback = "the only one, or the one named default",
		.help = "VTEP of this host that carries the VNI",
	},
	{
		.key = "learning",
		.type = SCHEMA_ENUM,
		FIELD(struct conf_port, no_learning),
		.names = rows_on_off,
		.kinds = VXLAN,
		.syntax = "WHETHER",
		.help = "on: learn addresses from frames of remote VTEPs; off: use forwarding "
			"entries only",
		.live = LIVE,
	},
	{
		.key = "dscp",
		.type = SCHEMA_UINT,
		FIELD(struct conf_port, dscp),
		.max = 63,
		.word = "inherit",
		.word_value = CONF_DSCP_INHERIT,
		.kinds = VXLAN,
		.allowed = "a DSCP is 0 to 63, or inherit",
		.syntax = "DSCP",
		.help = "DSCP of outer IP headers; inherit: that of the inner one, 0 if there is "
			"none. ECN is always that of the inner one (RFC 6040)",
		.live = LIVE,
	},
	{
		.key = "ttl",
		.type = SCHEMA_UINT,
		FIELD(struct conf_port, ttl),
		.min = 1,
		.max = 255,
		.word = "inherit",
		.word_value = CONF_TTL_INHERIT,
		.initial = 64,
		.kinds = VXLAN,
		.allowed = "a TTL is 1 to 255, or inherit",
		.syntax = "HOPS",
		.help = "TTL (hop limit) of outer IP headers; inherit: that of the inner one, 64 "
			"if "
			"there is none",
		.live = LIVE,
	},
};

const struct schema_table schema_port = {
	.what = "port",
	.fields = port_fields,
	.count = ARRAY_SIZE(port_fields),
	.size_bytes = sizeof(struct conf_port),
	.kind = port_kind,
	.kind_names = port_type_names,
	.kind_word = "of type",
	.fixed = "recreate",
};

const char *conf_port_type_name(enum conf_port_type type)
{
	return port_type_names[type];
}
