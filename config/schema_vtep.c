// SPDX-License-Identifier: BSD-3-Clause
// The rows of VTEPs.
#include "base/limits.h"
#include "base/util.h"
#include "config/check.h"
#include "config/conf.h"
#include "config/rows.h"
#include "config/schema.h"

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
		.names = rows_on_off,
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

const struct schema_table schema_vtep = {
	.what = "VTEP",
	.fields = vtep_fields,
	.count = ARRAY_SIZE(vtep_fields),
	.size_bytes = sizeof(struct conf_vtep),
	.kind = vtep_kind,
	.kind_names = vtep_kind_names,
	.kind_word = "with underlay",
};
