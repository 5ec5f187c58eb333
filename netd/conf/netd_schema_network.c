// SPDX-License-Identifier: BSD-3-Clause
// Schema: a network and its subnets.
#include "base/util.h"
#include "config/check.h"
#include "config/rows.h"
#include "netd/conf/netd_schema_priv.h"
#include "netd/drivers/network.h"

static const struct schema_field network_fields[] = {
	{
		.key = "driver",
		.type = SCHEMA_TEXT,
		FIELD(struct network_record, driver),
		.check = check_name,
		.syntax = "NAME",
		.fallback = NETWORK_DRIVER_DEFAULT,
		.help = "the kind of network; see the list of drivers below",
	},
	{
		.key = "subnets",
		.type = SCHEMA_LIST,
		.sub = &netd_schema_subnet,
		.allowed = "subnets holds a list of subnets",
		.fallback = "an IPv4 subnet from default-address-pools",
		.help = "the subnets of its containers; see below",
	},
	{
		.key = "ipv6",
		.type = SCHEMA_ENUM,
		FIELD(struct network_record, ipv6),
		.names = netd_bool_names,
		.syntax = "WHETHER",
		.fallback = "true with an IPv6 subnet",
		.help = "whether containers get IPv6 addresses too; without an IPv6 subnet, one is "
			"chosen",
	},
	{
		.key = "internal",
		.type = SCHEMA_ENUM,
		FIELD(struct network_record, internal),
		.names = netd_bool_names,
		.syntax = "WHETHER",
		.help = "whether to deny access to the outside",
	},
	{
		.key = "dns",
		.type = SCHEMA_LIST,
		.allowed = "dns holds a list of addresses",
		.syntax = "[ADDRESS[:PORT], ...]",
		.fallback = "the servers of `dns`",
		.help = "servers for names that are not of a container, up to 8",
	},
	{
		.key = "labels",
		.type = SCHEMA_MAP,
		.allowed = "labels holds texts by name",
		.syntax = "{NAME: TEXT, ...}",
		.help = "labels, by which people and programs find the network",
	},
	{
		.key = "options",
		.type = SCHEMA_MAP,
		.allowed = "options holds texts by name",
		.syntax = "{NAME: TEXT, ...}",
		.help = "options of the driver; see below",
	},
};

const struct schema_table netd_schema_network = {
	.what = "network",
	.fields = network_fields,
	.count = ARRAY_SIZE(network_fields),
	.size_bytes = sizeof(struct network_record),
};

static const struct schema_field subnet_fields[] = {
	{
		.key = "subnet",
		.type = SCHEMA_IP,
		FIELD(struct subnet, cidr.ip),
		GIVEN(struct subnet, cidr.prefix),
		.required = ALWAYS,
		.allowed = "a subnet is ADDRESS/LENGTH",
		.syntax = "CIDR",
		.help = "the subnet",
	},
	{
		.key = "ip-range",
		.type = SCHEMA_IP,
		FIELD(struct subnet, range.ip),
		GIVEN(struct subnet, range.prefix),
		.allowed = "a range is ADDRESS/LENGTH",
		.syntax = "CIDR",
		.fallback = "the whole subnet",
		.help = "the part of the subnet from which containers get addresses",
	},
	{
		.key = "gateway",
		.type = SCHEMA_IP,
		FIELD(struct subnet, gateway),
		.allowed = "a gateway is an address",
		.syntax = "ADDRESS",
		.fallback = "the first address that is not reserved",
		.help = "address of each host in the network, reserved",
	},
	{
		.key = "aux-addresses",
		.type = SCHEMA_MAP,
		.allowed = "aux-addresses holds addresses by name",
		.syntax = "{NAME: ADDRESS, ...}",
		.help = "addresses that no container gets, by name",
	},
};

const struct schema_table netd_schema_subnet = {
	.what = "subnet",
	.fields = subnet_fields,
	.count = ARRAY_SIZE(subnet_fields),
	.size_bytes = sizeof(struct subnet),
};
