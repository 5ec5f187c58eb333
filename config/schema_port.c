// SPDX-License-Identifier: BSD-3-Clause
// The rows of ports and VTEPs.
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

static const char *const underlay_names[] = {
	[CONF_UNDERLAY_KERNEL] = "kernel",
	[CONF_UNDERLAY_PORT] = "port",
	NULL,
};

static const char *const underlay_type_names[] = {
	[CONF_PORT_TAP] = "tap",
	[CONF_PORT_VETH] = "veth",
	[CONF_PORT_DPDK] = "dpdk",
	NULL,
};

// Of a bool that says `off`.
static const char *const on_off_names[] = {[false] = "on", [true] = "off", NULL};

static const char *const filter_names[] = {
	[CONF_FILTER_NONE] = "none", [CONF_FILTER_GATEWAY] = "gateway", NULL};
static const char *const off_on_names[] = {[false] = "off", [true] = "on", NULL};

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
		.key = "isolated",
		.type = SCHEMA_ENUM,
		FIELD(struct conf_port, isolated),
		.names = off_on_names,
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
			"they "
			"force it",
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
		.names = off_on_names,
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
		.names = on_off_names,
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
		.names = on_off_names,
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
		.names = on_off_names,
		.kinds = VXLAN,
		.syntax = "WHETHER",
		.help = "on: learn addresses from frames of remote VTEPs; off: use forwarding "
			"entries only",
		.live = LIVE,
	},
};

// ---- VTEPs ----

// Their kinds: over the kernel, and over each type of port.
enum { OVER_KERNEL, OVER_PORT };

static const char *const vtep_kind_names[] = {
	[OVER_KERNEL] = "kernel",
	[OVER_PORT + CONF_PORT_TAP] = "port of type tap",
	[OVER_PORT + CONF_PORT_VETH] = "port of type veth",
	[OVER_PORT + CONF_PORT_DPDK] = "port of type dpdk",
	NULL,
};

static unsigned vtep_kind(const void *obj)
{
	const struct conf_vtep *vtep = obj;

	return vtep->underlay == CONF_UNDERLAY_KERNEL ? OVER_KERNEL : OVER_PORT + vtep->port.type;
}

enum {
	KERNEL = 1u << OVER_KERNEL,
	P_TAP = 1u << (OVER_PORT + CONF_PORT_TAP),
	P_VETH = 1u << (OVER_PORT + CONF_PORT_VETH),
	P_DPDK = 1u << (OVER_PORT + CONF_PORT_DPDK),
	PORT = P_TAP | P_VETH | P_DPDK,
};

static const struct schema_field vtep_fields[] = {
	{
		.key = "underlay",
		.type = SCHEMA_ENUM,
		FIELD(struct conf_vtep, underlay),
		.names = underlay_names,
		.initial = CONF_UNDERLAY_KERNEL,
		.selects_kind = true,
		.syntax = "WHICH",
		.help = "kernel: the host's UDP sockets, addresses and routes; port: a port of its "
			"own, with an address of its own",
		.live = LIVE,
	},
	{
		.key = "address",
		.type = SCHEMA_IP,
		FIELD(struct conf_vtep, address),
		GIVEN(struct conf_vtep, prefix),
		.check = check_host_or_any,
		.required = PORT,
		.allowed = "the address of a VTEP is written as 10.0.0.1, with underlay port as "
			   "10.0.0.1/24",
		.syntax = "ADDRESS[/PREFIX]",
		.fallback = "kernel: any address of the host",
		.help = "address that the VTEP sends from and receives at; underlay port needs its "
			"prefix length",
		.live = LIVE,
	},
	{
		.key = "gateway",
		.type = SCHEMA_IP,
		FIELD(struct conf_vtep, gateway),
		.check = check_host,
		.kinds = PORT,
		.allowed = "a gateway is an IPv4 or IPv6 address",
		.syntax = "ADDRESS",
		.help = "next hop for addresses outside the prefix",
		.live = LIVE,
	},
	{
		.key = "gateway-mac",
		.alias = {"gateway_mac"},
		.type = SCHEMA_MAC,
		FIELD(struct conf_vtep, gateway_mac),
		GIVEN(struct conf_vtep, has_gateway_mac),
		.check = check_unicast,
		.kinds = PORT,
		.allowed = "an address is six bytes such as 02:00:00:00:00:01",
		.syntax = "MAC",
		.fallback = "found by ARP or neighbour discovery",
		.help = "Ethernet address of the gateway, for gateways that do not answer ARP or "
			"ND",
		.live = LIVE,
	},
	{
		.key = "udp-port",
		.alias = {"udp_port", "dst_port"},
		.type = SCHEMA_UINT,
		FIELD(struct conf_vtep, udp_port),
		.min = 1,
		.max = UDP_PORT_MAX,
		.initial = VXLAN_UDP_PORT,
		.allowed = "a UDP port is 1 to 65535",
		.syntax = "PORT",
		.help = "UDP port; the same on all VTEPs that talk to each other",
		.live = LIVE,
	},
	{
		.key = "mtu",
		.type = SCHEMA_UINT,
		FIELD(struct conf_vtep, mtu),
		.min = MTU_MIN_UNDERLAY,
		.max = MTU_MAX,
		.allowed = "the MTU of an underlay is 576 to 65535 bytes",
		.syntax = "BYTES",
		.fallback = "that of the route or the port",
		.help = "largest outer packet; VNIs offer 50 bytes less over IPv4, 70 over IPv6",
		.live = LIVE,
	},
	{
		.key = "checksum",
		.type = SCHEMA_ENUM,
		FIELD(struct conf_vtep, no_checksum),
		.names = on_off_names,
		.syntax = "WHETHER",
		.help = "whether outer UDP headers over IPv4 have a checksum; over IPv6 they "
			"always do",
		.live = LIVE,
	},
	{
		.key = "heartbeat",
		.type = SCHEMA_UINT,
		FIELD(struct conf_vtep, heartbeat_ms),
		.max = 60000,
		.allowed = "a heartbeat is sent every 1 to 60000 ms, or 0 for none",
		.syntax = "MILLISECONDS",
		.help = "time between heartbeats to each remote VTEP; 0: none",
		.live = LIVE,
	},
	{
		.key = "managed-by",
		.alias = {"managed_by"},
		.type = SCHEMA_TEXT,
		FIELD(struct conf_vtep, managed_by),
		.check = check_name,
		.syntax = "NAME",
		.fallback = "nobody",
		.help = "program that the VTEP belongs to: others are refused to change it or to "
			"use it "
			"for a VNI, unless they force it",
		.live = LIVE,
	},
	{
		.key = "netns",
		.type = SCHEMA_TEXT,
		FIELD(struct conf_vtep, netns),
		.integer_ok = true,
		.check = check_netns,
		.kinds = KERNEL | P_TAP | P_VETH,
		.syntax = "NAME|PATH|PID",
		.fallback = "the namespace of the switch",
		.help = "network namespace of the sockets or of the device: a name under "
			"/run/netns, an absolute path or a pid",
		.live = LIVE,
	},
	{
		.key = "type",
		.type = SCHEMA_ENUM,
		FIELD(struct conf_vtep, port.type),
		.names = underlay_type_names,
		.initial = CONF_PORT_TAP,
		.selects_kind = true,
		.kinds = PORT,
		.syntax = "TYPE",
		.help = "type of the port, as with other ports",
		.live = LIVE,
	},
	{
		.key = "devargs",
		.type = SCHEMA_TEXT,
		FIELD(struct conf_vtep, port.devargs),
		.check = check_devargs,
		.kinds = P_DPDK,
		.required = P_DPDK,
		.syntax = "DEVARGS",
		.help = "PCI address or virtual device",
		.live = LIVE,
	},
	{
		.key = "ifname",
		.type = SCHEMA_TEXT,
		FIELD(struct conf_vtep, port.ifname),
		.check = check_ifname,
		.kinds = P_TAP | P_VETH,
		.syntax = "NAME",
		.fallback = "the VTEP's name",
		.help = "name of the device in its namespace",
		.live = LIVE,
	},
	{
		.key = "host-ifname",
		.type = SCHEMA_TEXT,
		FIELD(struct conf_vtep, port.host_ifname),
		.check = check_ifname,
		.kinds = P_VETH,
		.syntax = "NAME",
		.fallback = "derived from the VTEP's name",
		.help = "name of the end of the pair that the switch has; one that is there is "
			"taken",
		.live = LIVE,
	},
	{
		.key = "mac",
		.type = SCHEMA_MAC,
		FIELD(struct conf_vtep, port.mac),
		GIVEN(struct conf_vtep, port.has_mac),
		.check = check_unicast,
		.kinds = PORT,
		.allowed = "an address is six bytes such as 02:00:00:00:00:01",
		.syntax = "MAC",
		.fallback = "dpdk: that of the device; otherwise derived from the VTEP's name",
		.help = "Ethernet address of the VTEP",
		.live = LIVE,
	},
	{
		.key = "queues",
		.type = SCHEMA_UINT,
		FIELD(struct conf_vtep, port.queues),
		.min = 1,
		.max = 16,
		.kinds = PORT,
		.allowed = "a port has 1 to 16 receive queues",
		.syntax = "COUNT",
		.fallback = "1",
		.help = "number of receive queues of the port",
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

const struct schema_table schema_vtep = {
	.what = "VTEP",
	.fields = vtep_fields,
	.count = ARRAY_SIZE(vtep_fields),
	.size_bytes = sizeof(struct conf_vtep),
	.kind = vtep_kind,
	.kind_names = vtep_kind_names,
	.kind_word = "with underlay",
};

const char *conf_port_type_name(enum conf_port_type type)
{
	return port_type_names[type];
}
