// SPDX-License-Identifier: BSD-3-Clause
#include "netd/conf/netd_schema.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "config/check.h"
#include "config/rows.h"
#include "netd/drivers/endpoint_options.h"
#include "netd/drivers/network.h"

enum { ALWAYS = ~0u };

static const char *const bool_names[] = {"false", "true", NULL};
static const char *const not_off_names[] = {"true", "false", NULL};

// ---- checks of values ----

static const char *check_url(const void *value)
{
	const char *text = value, *colon = strchr(text, ':');

	return colon && colon > text && colon[1]
		       ? NULL
		       : "a store is etcd://HOST:PORT[,HOST:PORT...][/PREFIX], consul://..., "
			 "zookeeper://... or lmdb:PATH";
}

static const char *check_advertise(const void *value)
{
	const char *text = value;

	return text[0] && !strpbrk(text, "/ ")
		       ? NULL
		       : "cluster-advertise is an address of this host, or an interface";
}

static const char *check_path(const void *value)
{
	return ((const char *)value)[0] == '/' ? NULL : "an absolute path is needed";
}

static const char *check_some(const void *value)
{
	return ((const char *)value)[0] ? NULL : "some text is needed";
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
		last > 0xffffff || first > last)
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
		.check = check_name,
		.syntax = "NAME",
		.fallback = "the host name",
		.help = "the name of this host in the cluster; another one has another",
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
		.help = "where the other hosts send their tunnels' packets to; an interface stands "
			"for its first address, and is followed when it gets another",
	},
	{
		.key = "cluster-store-opts",
		.type = SCHEMA_MAP,
		.sub = &netd_schema_store,
		.allowed = "cluster-store-opts holds options by name",
		.syntax = "OPTIONS",
		.help = "how the store is reached, and when a silent host counts as gone; below",
	},
	{
		.key = "quarantine",
		.type = SCHEMA_UINT,
		FIELD(struct netd_file, conf.quarantine_s),
		.max = 86400,
		.initial = 30,
		.allowed = "quarantine is 0 to 86400 seconds",
		.syntax = "SECONDS",
		.help = "a released address is not given out again before",
	},
	{
		.key = "address-reserve",
		.type = SCHEMA_UINT,
		FIELD(struct netd_file, conf.address_reserve),
		.max = 65536,
		.initial = 128,
		.allowed = "address-reserve is 0 to 65536 addresses",
		.syntax = "COUNT",
		.help = "free addresses that this host wants to own in each network that it uses, "
			"so that containers can be connected while the store is away",
	},
	{
		.key = "default-address-pools",
		.type = SCHEMA_LIST,
		.sub = &netd_schema_pool,
		.allowed = "default-address-pools holds a list of base and size",
		.fallback = "10.64.0.0/11 in parts of /20, and fd63:6175:7365::/48 in parts of /64",
		.help = "where networks without subnets get theirs from; below",
	},
	{
		.key = "vni-range",
		.type = SCHEMA_TEXT,
		FIELD(struct netd_file, vni_range),
		.check = check_vni_range,
		.syntax = "FIRST-LAST",
		.fallback = "4096-1048575",
		.help = "VXLAN network identifiers that networks get which do not ask for one",
	},
	{
		.key = "udp-port",
		.type = SCHEMA_UINT,
		FIELD(struct netd_file, conf.udp_port),
		.min = 1,
		.max = 65535,
		.initial = 4789,
		.allowed = "a UDP port is 1 to 65535",
		.syntax = "PORT",
		.help = "of VXLAN, on this host",
	},
	{
		.key = "mtu",
		.type = SCHEMA_UINT,
		FIELD(struct netd_file, conf.mtu),
		.min = 576,
		.max = 65535,
		.initial = 0,
		.word = "auto",
		.word_value = 0,
		.allowed = "the MTU of the underlay is 576 to 65535, or auto",
		.syntax = "BYTES",
		.fallback = "auto: that of the interface",
		.help = "of the network between the hosts",
	},
	{
		.key = "dns",
		.type = SCHEMA_MAP,
		.sub = &netd_schema_dns,
		.allowed = "dns holds options by name",
		.syntax = "OPTIONS",
		.help = "the server that containers find each other's names at; below",
	},
	{
		.key = "networks",
		.type = SCHEMA_MAP,
		.sub = &netd_schema_network,
		.allowed = "networks holds networks by name",
		.help = "networks that are made at start when they are not there",
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
		.help = "a host that has not reached the store for so long counts as silent",
	},
	{
		.key = "heartbeat",
		.type = SCHEMA_UINT,
		FIELD(struct netd_file, conf.heartbeat_s),
		.max = 60,
		.initial = 1,
		.allowed = "heartbeat is 0 (none) to 60 seconds",
		.syntax = "SECONDS",
		.help = "heartbeats through tunnels; 0: none",
	},
	{
		.key = "grace",
		.type = SCHEMA_UINT,
		FIELD(struct netd_file, conf.grace_s),
		.max = 604800,
		.initial = 60,
		.allowed = "grace is 0 to 604800 seconds",
		.syntax = "SECONDS",
		.help = "the endpoints of a silent host are kept for so long, then deleted",
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
		.help = "of a request to the store",
	},
	{
		.key = "ca-file",
		.alias = {"kv.cacertfile"},
		.type = SCHEMA_TEXT,
		FIELD(struct netd_file, conf.ca_file),
		.check = check_path,
		.syntax = "PATH",
		.help = "certificates (PEM) that the store's is checked against; with any of these "
			"three files TLS is used",
	},
	{
		.key = "cert-file",
		.alias = {"kv.certfile"},
		.type = SCHEMA_TEXT,
		FIELD(struct netd_file, conf.cert_file),
		.check = check_path,
		.syntax = "PATH",
		.help = "this host's certificate (PEM)",
	},
	{
		.key = "key-file",
		.alias = {"kv.keyfile"},
		.type = SCHEMA_TEXT,
		FIELD(struct netd_file, conf.key_file),
		.check = check_path,
		.syntax = "PATH",
		.help = "and its key",
	},
	{
		.key = "user",
		.alias = {"kv.username"},
		.type = SCHEMA_TEXT,
		FIELD(struct netd_file, conf.user),
		.check = check_some,
		.syntax = "NAME",
		.help = "of etcd or ZooKeeper",
	},
	{
		.key = "password",
		.alias = {"kv.password"},
		.type = SCHEMA_TEXT,
		FIELD(struct netd_file, conf.password),
		.check = check_some,
		.syntax = "TEXT",
		.help = "and its password; the file should then be readable by root alone",
	},
	{
		.key = "token",
		.alias = {"kv.token"},
		.type = SCHEMA_TEXT,
		FIELD(struct netd_file, conf.token),
		.check = check_some,
		.syntax = "TEXT",
		.help = "of Consul",
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
		.help = "addresses of which subnets are parts",
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
		.help = "the prefix length of each of them",
	},
};

const struct schema_table netd_schema_pool = {
	.what = "pool",
	.fields = pool_fields,
	.count = ARRAY_SIZE(pool_fields),
	.size_bytes = sizeof(struct pool),
};

static const struct schema_field dns_fields[] = {
	{
		.key = "enabled",
		.type = SCHEMA_ENUM,
		FIELD(struct dns_conf, off),
		.names = not_off_names,
		.syntax = "WHETHER",
		.help = "whether names are answered at all",
	},
	{
		.key = "ttl",
		.type = SCHEMA_UINT,
		FIELD(struct dns_conf, ttl_s),
		.min = 1,
		.max = 5,
		.initial = 2,
		.allowed = "ttl is 1 to 5 seconds",
		.syntax = "SECONDS",
		.help = "clients may keep the address of a name of ours for so long",
	},
	{
		.key = "servers",
		.type = SCHEMA_LIST,
		.allowed = "servers holds a list of addresses",
		.syntax = "[ADDRESS[:PORT], ...]",
		.fallback = "those of resolv-conf",
		.help = "who is asked for other names, also `[IPV6-ADDRESS]:PORT`; up to 8. A "
			"network with servers of its own has these asked",
	},
	{
		.key = "resolv-conf",
		.type = SCHEMA_TEXT,
		FIELD(struct dns_conf, resolv_conf),
		.check = check_path,
		.syntax = "PATH",
		.fallback = "/etc/resolv.conf",
		.help = "where servers and search domains come from that are not given here; read "
			"again when it changes",
	},
	{
		.key = "search",
		.type = SCHEMA_LIST,
		.allowed = "search holds a list of domains",
		.syntax = "[DOMAIN, ...]",
		.fallback = "that of resolv-conf",
		.help = "search domains that containers' resolv.conf gets; up to 6",
	},
	{
		.key = "ndots",
		.type = SCHEMA_UINT,
		FIELD(struct dns_conf, ndots),
		.max = 15,
		.initial = 0,
		.allowed = "ndots is 0 to 15",
		.syntax = "COUNT",
		.help = "names with so many dots are tried before search domains; for containers' "
			"resolv.conf",
	},
	{
		.key = "timeout",
		.type = SCHEMA_UINT,
		FIELD(struct dns_conf, timeout_ms),
		.min = 100,
		.max = 60000,
		.initial = 4000,
		.allowed = "timeout is 100 to 60000 milliseconds",
		.syntax = "MILLISECONDS",
		.help = "of a question to the servers above, all in all",
	},
	{
		.key = "hedge",
		.type = SCHEMA_UINT,
		FIELD(struct dns_conf, hedge_ms),
		.min = 10,
		.max = 60000,
		.initial = 200,
		.allowed = "hedge is 10 to 60000 milliseconds",
		.syntax = "MILLISECONDS",
		.help = "a server that has not answered in this time has the next one asked beside "
			"it",
	},
	{
		.key = "cache-size",
		.type = SCHEMA_UINT,
		FIELD(struct dns_conf, cache_max),
		.max = 1000000,
		.initial = 10000,
		.allowed = "cache-size is 0 to 1000000 answers",
		.syntax = "COUNT",
		.help = "answers of servers above that are kept; 0: none",
	},
	{
		.key = "serve-stale",
		.type = SCHEMA_UINT,
		FIELD(struct dns_conf, stale_s),
		.max = 604800,
		.initial = 3600,
		.allowed = "serve-stale is 0 to 604800 seconds",
		.syntax = "SECONDS",
		.help = "an answer is used for so long after its time when no server answers",
	},
	{
		.key = "client-limit",
		.type = SCHEMA_UINT,
		FIELD(struct dns_conf, client_max),
		.min = 1,
		.max = 65535,
		.initial = 100,
		.allowed = "client-limit is 1 to 65535 questions",
		.syntax = "COUNT",
		.help = "questions of one client that wait for servers above; more are refused",
	},
	{
		.key = "forward-limit",
		.type = SCHEMA_UINT,
		FIELD(struct dns_conf, forward_max),
		.min = 1,
		.max = 1000000,
		.initial = 4096,
		.allowed = "forward-limit is 1 to 1000000 questions",
		.syntax = "COUNT",
		.help = "the same of all clients together",
	},
	{
		.key = "write-resolv-conf",
		.type = SCHEMA_ENUM,
		FIELD(struct dns_conf, write_resolv_conf),
		.names = bool_names,
		.syntax = "WHETHER",
		.help = "write `/etc/netns/NAME/resolv.conf` for each container whose namespace "
			"has "
			"a name; otherwise with `vsctl network connect --resolv-conf` only",
	},
};

const struct schema_table netd_schema_dns = {
	.what = "dns",
	.fields = dns_fields,
	.count = ARRAY_SIZE(dns_fields),
	.size_bytes = sizeof(struct dns_conf),
};

static const struct schema_field network_fields[] = {
	{
		.key = "driver",
		.type = SCHEMA_TEXT,
		FIELD(struct network_record, driver),
		.check = check_name,
		.syntax = "NAME",
		.fallback = NETWORK_DRIVER_DEFAULT,
		.help = "what kind of network it is; the drivers are listed below",
	},
	{
		.key = "subnets",
		.type = SCHEMA_LIST,
		.sub = &netd_schema_subnet,
		.allowed = "subnets holds a list of subnets",
		.fallback = "one from default-address-pools",
		.help = "where its containers have their addresses; below",
	},
	{
		.key = "ipv6",
		.type = SCHEMA_ENUM,
		FIELD(struct network_record, ipv6),
		.names = bool_names,
		.syntax = "WHETHER",
		.fallback = "true with an IPv6 subnet",
		.help = "containers have IPv6 addresses as well; a subnet is chosen when none is "
			"given",
	},
	{
		.key = "internal",
		.type = SCHEMA_ENUM,
		FIELD(struct network_record, internal),
		.names = bool_names,
		.syntax = "WHETHER",
		.help = "nothing leads out of the network",
	},
	{
		.key = "dns",
		.type = SCHEMA_LIST,
		.allowed = "dns holds a list of addresses",
		.syntax = "[ADDRESS[:PORT], ...]",
		.fallback = "those of the part dns",
		.help = "the servers that are asked for names that are not ours; up to 8",
	},
	{
		.key = "labels",
		.type = SCHEMA_MAP,
		.allowed = "labels holds texts by name",
		.syntax = "{NAME: TEXT, ...}",
		.help = "for people and programs, who find networks by them",
	},
	{
		.key = "options",
		.type = SCHEMA_MAP,
		.allowed = "options holds texts by name",
		.syntax = "{NAME: TEXT, ...}",
		.help = "of the driver; below",
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
		.help = "the part of it that addresses are given out from",
	},
	{
		.key = "gateway",
		.type = SCHEMA_IP,
		FIELD(struct subnet, gateway),
		.allowed = "a gateway is an address",
		.syntax = "ADDRESS",
		.fallback = "the first address that is not reserved",
		.help = "address of each host in the network; no container gets it",
	},
	{
		.key = "aux-addresses",
		.type = SCHEMA_MAP,
		.allowed = "aux-addresses holds addresses by name",
		.syntax = "{NAME: ADDRESS, ...}",
		.help = "addresses of others; no container gets them",
	},
};

const struct schema_table netd_schema_subnet = {
	.what = "subnet",
	.fields = subnet_fields,
	.count = ARRAY_SIZE(subnet_fields),
	.size_bytes = sizeof(struct subnet),
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
		"The file is one YAML document. Every key may be left out unless its default says "
		"otherwise. Changes take a restart of vsnetd, which disturbs no traffic. Anchors, "
		"aliases, tags and duplicate keys are refused.\n");
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
