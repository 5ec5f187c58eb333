// SPDX-License-Identifier: BSD-3-Clause
#include "netd/conf/netd_schema.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/util.h"
#include "config/check.h"
#include "config/rows.h"
#include "netd/conf/netd_schema_priv.h"
#include "netd/drivers/endpoint_options.h"
#include "netd/drivers/network.h"

const char *const netd_bool_names[] = {"false", "true", NULL};

// ---- checks of values ----

static const char *check_url(const void *value)
{
	const char *text = value, *colon = strchr(text, ':');

	return colon && colon > text && colon[1]
		       ? NULL
		       : "a store is etcd://HOST:PORT[,HOST:PORT...][/PREFIX], consul://..., "
			 "zookeeper://... or lmdb:PATH";
}

static const char *check_host_name(const void *value)
{
	return record_name_is_valid(value) ? NULL : "a host's name is " RECORD_NAME_ALLOWED;
}

static const char *check_advertise(const void *value)
{
	const char *text = value;

	return text[0] && !strpbrk(text, "/ ")
		       ? NULL
		       : "cluster-advertise is an address of this host, or an interface";
}

const char *netd_check_path(const void *value)
{
	return ((const char *)value)[0] == '/' ? NULL : "an absolute path is needed";
}

static const char *check_some(const void *value)
{
	return ((const char *)value)[0] ? NULL : "it must not be empty";
}

static int parse_number(const char *text, size_t len, uint32_t *ret_number)
{
	if (len < 1 || len > 8 || strspn(text, "0123456789") < len)
		return -EINVAL;
	*ret_number = strtoul(text, NULL, 10);
	return 0;
}

int netd_vni_range_parse(const char *text, uint32_t *ret_first, uint32_t *ret_last)
{
	const char *dash = strchr(text, '-');
	uint32_t first, last;

	if (!dash || parse_number(text, dash - text, &first) < 0 ||
		parse_number(dash + 1, strlen(dash + 1), &last) < 0 || first < 1 ||
		last > VNI_MAX || first > last)
		return -EINVAL;
	*ret_first = first;
	*ret_last = last;
	return 0;
}

static const char *check_vni_range(const void *value)
{
	uint32_t first, last;

	return netd_vni_range_parse(value, &first, &last) == 0
		       ? NULL
		       : "vni-range is FIRST-LAST, within 1 to 16777215";
}

// ---- tables ----

static const struct schema_field root_fields[] = {
	{
		.key = "host",
		.type = SCHEMA_TEXT,
		FIELD(struct netd_file, conf.host),
		.check = check_host_name,
		.syntax = "NAME",
		.fallback = "the host name",
		.help = "the name of this host; must be unique in the cluster",
	},
	{
		.key = "cluster-store",
		.type = SCHEMA_TEXT,
		FIELD(struct netd_file, conf.cluster_store),
		.check = check_url,
		.syntax = "URL",
		.fallback = "a store of this host alone, in the state directory",
		.help = "where the cluster keeps its networks and endpoints: "
			"`etcd://h1:2379,h2:2379/prefix`, `consul://...`, `zookeeper://...`, or "
			"`lmdb:PATH` for one host",
	},
	{
		.key = "cluster-advertise",
		.type = SCHEMA_TEXT,
		FIELD(struct netd_file, conf.cluster_advertise),
		.check = check_advertise,
		.syntax = "ADDRESS|INTERFACE",
		.fallback = "the address of the interface of the default route",
		.help = "the address to which other hosts send tunnel packets; an interface stands "
			"for "
			"its first address, which may change",
	},
	{
		.key = "cluster-store-opts",
		.type = SCHEMA_MAP,
		.sub = &netd_schema_store,
		.allowed = "cluster-store-opts holds options by name",
		.syntax = "OPTIONS",
		.help = "how to reach the store, and when a silent host counts as gone; see below",
	},
	{
		.key = "quarantine",
		.type = SCHEMA_UINT,
		FIELD(struct netd_file, conf.quarantine_s),
		.max = 86400,
		.initial = 30,
		.allowed = "quarantine is 0 to 86400 seconds",
		.syntax = "SECONDS",
		.help = "seconds before a released address is reused",
	},
	{
		.key = "address-reserve",
		.type = SCHEMA_UINT,
		FIELD(struct netd_file, conf.address_reserve),
		.max = 65536,
		.initial = 128,
		.allowed = "address-reserve is 0 to 65536 addresses",
		.syntax = "COUNT",
		.help = "number of free addresses to own in each network in use, so that "
			"containers "
			"can be connected while the store is unreachable; fewer where a host's "
			"fair share is less",
	},
	{
		.key = "default-address-pools",
		.type = SCHEMA_LIST,
		.sub = &netd_schema_pool,
		.allowed = "default-address-pools holds a list of base and size",
		.fallback = "10.64.0.0/11 in parts of /20, and fd63:6175:7365::/48 in parts of /64",
		.help = "the subnets of networks that are created without one; see below",
	},
	{
		.key = "vni-range",
		.type = SCHEMA_TEXT,
		FIELD(struct netd_file, vni_range),
		.check = check_vni_range,
		.syntax = "FIRST-LAST",
		.fallback = "4096-1048575",
		.help = "VXLAN network identifiers for networks that are created without one",
	},
	{
		.key = "udp-port",
		.type = SCHEMA_UINT,
		FIELD(struct netd_file, conf.udp_port),
		.min = 1,
		.max = UDP_PORT_MAX,
		.initial = VXLAN_UDP_PORT,
		.allowed = "a UDP port is 1 to 65535",
		.syntax = "PORT",
		.help = "UDP port on which this host receives VXLAN",
	},
	{
		.key = "mtu",
		.type = SCHEMA_UINT,
		FIELD(struct netd_file, conf.mtu),
		.min = MTU_MIN_UNDERLAY,
		.max = MTU_MAX,
		.initial = 0,
		.word = "auto",
		.word_value = 0,
		.allowed = "the MTU of the underlay is 576 to 65535, or auto",
		.syntax = "BYTES",
		.fallback = "auto: the MTU of the interface",
		.help = "MTU of the network between the hosts, in bytes",
	},
	{
		.key = "dns",
		.type = SCHEMA_MAP,
		.sub = &netd_schema_dns,
		.allowed = "dns holds options by name",
		.syntax = "OPTIONS",
		.help = "the name server for containers; see below",
	},
	{
		.key = "networks",
		.type = SCHEMA_MAP,
		.sub = &netd_schema_network,
		.allowed = "networks holds networks by name",
		.help = "networks to create at start unless they exist",
	},
};

const struct schema_table netd_schema = {
	.what = "vsnetd configuration",
	.fields = root_fields,
	.count = ARRAY_SIZE(root_fields),
	.size_bytes = sizeof(struct netd_file),
};

static const struct schema_field store_fields[] = {
	{
		.key = "ttl",
		.alias = {"discovery.ttl"},
		.type = SCHEMA_UINT,
		FIELD(struct netd_file, conf.ttl_s),
		.min = 2,
		.max = 3600,
		.initial = 15,
		.allowed = "ttl is 2 to 3600 seconds",
		.syntax = "SECONDS",
		.help = "seconds without contact to the store after which a host counts as silent",
	},
	{
		.key = "heartbeat",
		.type = SCHEMA_UINT,
		FIELD(struct netd_file, conf.heartbeat_s),
		.max = 60,
		.initial = 1,
		.allowed = "heartbeat is 0 (none) to 60 seconds",
		.syntax = "SECONDS",
		.help = "seconds between heartbeats through tunnels; 0: no heartbeats",
	},
	{
		.key = "grace",
		.type = SCHEMA_UINT,
		FIELD(struct netd_file, conf.grace_s),
		.max = 604800,
		.initial = 60,
		.allowed = "grace is 0 to 604800 seconds",
		.syntax = "SECONDS",
		.help = "seconds for which the endpoints of a silent host are kept",
	},
	{
		.key = "timeout",
		.type = SCHEMA_UINT,
		FIELD(struct netd_file, conf.timeout_ms),
		.min = 100,
		.max = 60000,
		.initial = 3000,
		.allowed = "timeout is 100 to 60000 milliseconds",
		.syntax = "MILLISECONDS",
		.help = "milliseconds after which a request to the store fails",
	},
	{
		.key = "ca-file",
		.alias = {"kv.cacertfile"},
		.type = SCHEMA_TEXT,
		FIELD(struct netd_file, conf.ca_file),
		.check = netd_check_path,
		.syntax = "PATH",
		.help = "certificate authorities (PEM) that the store's certificate is checked "
			"against; "
			"any of these three files turns TLS on",
	},
	{
		.key = "cert-file",
		.alias = {"kv.certfile"},
		.type = SCHEMA_TEXT,
		FIELD(struct netd_file, conf.cert_file),
		.check = netd_check_path,
		.syntax = "PATH",
		.help = "certificate (PEM) of this host",
	},
	{
		.key = "key-file",
		.alias = {"kv.keyfile"},
		.type = SCHEMA_TEXT,
		FIELD(struct netd_file, conf.key_file),
		.check = netd_check_path,
		.syntax = "PATH",
		.help = "private key (PEM) of this host",
	},
	{
		.key = "user",
		.alias = {"kv.username"},
		.type = SCHEMA_TEXT,
		FIELD(struct netd_file, conf.user),
		.check = check_some,
		.syntax = "NAME",
		.help = "user name for etcd or ZooKeeper",
	},
	{
		.key = "password",
		.alias = {"kv.password"},
		.type = SCHEMA_TEXT,
		FIELD(struct netd_file, conf.password),
		.check = check_some,
		.syntax = "TEXT",
		.help = "password for etcd or ZooKeeper; better in a file of its own, see "
			"password-file",
	},
	{
		.key = "password-file",
		.type = SCHEMA_TEXT,
		FIELD(struct netd_file, conf.password_file),
		.check = check_some,
		.syntax = "PATH",
		.help = "file with the password: an absolute path, or the name of a systemd "
			"credential",
	},
	{
		.key = "token",
		.alias = {"kv.token"},
		.type = SCHEMA_TEXT,
		FIELD(struct netd_file, conf.token),
		.check = check_some,
		.syntax = "TEXT",
		.help = "access token for Consul; better in a file of its own, see token-file",
	},
	{
		.key = "token-file",
		.type = SCHEMA_TEXT,
		FIELD(struct netd_file, conf.token_file),
		.check = check_some,
		.syntax = "PATH",
		.help = "file with the token: an absolute path, or the name of a systemd "
			"credential",
	},
};

const struct schema_table netd_schema_store = {
	.what = "store",
	.fields = store_fields,
	.count = ARRAY_SIZE(store_fields),
	.size_bytes = sizeof(struct netd_file),
};

static const struct schema_field pool_fields[] = {
	{
		.key = "base",
		.type = SCHEMA_IP,
		FIELD(struct pool, cidr.ip),
		GIVEN(struct pool, cidr.prefix),
		.required = ALWAYS,
		.allowed = "a pool is ADDRESS/LENGTH",
		.syntax = "CIDR",
		.help = "the addresses from which subnets are taken",
	},
	{
		.key = "size",
		.type = SCHEMA_UINT,
		FIELD(struct pool, size),
		.min = 1,
		.max = 126,
		.initial = 0,
		.required = ALWAYS,
		.allowed = "size is the prefix length of the subnets, up to 30 (IPv4) or 126 "
			   "(IPv6)",
		.syntax = "LENGTH",
		.help = "prefix length of each subnet",
	},
};

const struct schema_table netd_schema_pool = {
	.what = "pool",
	.fields = pool_fields,
	.count = ARRAY_SIZE(pool_fields),
	.size_bytes = sizeof(struct pool),
};

static void print_endpoint_options(FILE *file)
{
	fprintf(file, "\n## Options of a connection (`vsctl network connect -o NAME=VALUE`)\n\n"
		      "| option | value | meaning |\n"
		      "|---|---|---|\n");
	for (const struct driver_option *o = endpoint_options; o->name; o++)
		fprintf(file, "| `%s` | %s | %s |\n", o->name, o->allowed, o->help);
}

void netd_schema_print_reference(FILE *file)
{
	fprintf(file,
		"# Configuration reference of vsnetd\n\n"
		"The file is one YAML document. A key is optional unless its default says "
		"otherwise. Changes take effect when vsnetd is restarted, which does not disturb "
		"traffic. Anchors, aliases, tags and duplicate keys are refused.\n");
	schema_print_table(file, "The agent", &netd_schema);
	schema_print_table(file, "The store (`cluster-store-opts`)", &netd_schema_store);
	schema_print_table(
		file, "A pool of addresses (`default-address-pools`)", &netd_schema_pool);
	schema_print_table(file, "Names (`dns`)", &netd_schema_dns);
	schema_print_table(file, "A network (`networks.NAME`)", &netd_schema_network);
	schema_print_table(file, "A subnet (`networks.NAME.subnets`)", &netd_schema_subnet);
	network_drivers_print_reference(file);
	print_endpoint_options(file);
}
