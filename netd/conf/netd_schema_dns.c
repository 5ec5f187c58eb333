// SPDX-License-Identifier: BSD-3-Clause
// Schema: names.
#include "base/util.h"
#include "config/rows.h"
#include "netd/conf/netd_schema_priv.h"

static const char *const not_off_names[] = {"true", "false", NULL};

static const struct schema_field dns_fields[] = {
	{
		.key = "enabled",
		.type = SCHEMA_ENUM,
		FIELD(struct dns_conf, off),
		.names = not_off_names,
		.syntax = "WHETHER",
		.help = "whether to answer names",
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
		.help = "seconds for which clients may cache the address of a container",
	},
	{
		.key = "servers",
		.type = SCHEMA_LIST,
		.allowed = "servers holds a list of addresses",
		.syntax = "[ADDRESS[:PORT], ...]",
		.fallback = "the servers in resolv-conf",
		.help = "servers for all other names, up to 8; IPv6 with a port is written "
			"`[ADDRESS]:PORT`, a link-local one with its interface (`fe80::1%eth0`). A "
			"network may have servers of its own",
	},
	{
		.key = "resolv-conf",
		.type = SCHEMA_TEXT,
		FIELD(struct dns_conf, resolv_conf),
		.check = netd_check_path,
		.syntax = "PATH",
		.fallback = "/etc/resolv.conf",
		.help = "file with the servers and search domains that are not given here; read "
			"again "
			"when it changes",
	},
	{
		.key = "search",
		.type = SCHEMA_LIST,
		.allowed = "search holds a list of domains",
		.syntax = "[DOMAIN, ...]",
		.fallback = "the search domains in resolv-conf",
		.help = "search domains for the containers' resolv.conf, up to 6",
	},
	{
		.key = "ndots",
		.type = SCHEMA_UINT,
		FIELD(struct dns_conf, ndots),
		.max = 15,
		.initial = 0,
		.allowed = "ndots is 0 to 15",
		.syntax = "COUNT",
		.help = "number of dots from which a name is tried before the search domains are "
			"added; "
			"for the containers' resolv.conf",
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
		.help = "milliseconds after which a question to the servers fails, all attempts "
			"together",
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
		.help = "milliseconds before the next server is queried in parallel",
	},
	{
		.key = "cache-size",
		.type = SCHEMA_UINT,
		FIELD(struct dns_conf, cache_max),
		.max = 1000000,
		.initial = 10000,
		.allowed = "cache-size is 0 to 1000000 answers",
		.syntax = "COUNT",
		.help = "number of cached answers; 0: no cache",
	},
	{
		.key = "serve-stale",
		.type = SCHEMA_UINT,
		FIELD(struct dns_conf, stale_s),
		.max = 604800,
		.initial = 3600,
		.allowed = "serve-stale is 0 to 604800 seconds",
		.syntax = "SECONDS",
		.help = "seconds for which an expired answer is served if no server responds",
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
		.help = "number of questions of one client that may wait for servers; more are "
			"refused",
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
		.help = "number of questions of all clients together that may wait for servers",
	},
	{
		.key = "write-resolv-conf",
		.type = SCHEMA_ENUM,
		FIELD(struct dns_conf, write_resolv_conf),
		.names = netd_bool_names,
		.initial = true,
		.syntax = "WHETHER",
		.help = "whether to write `/etc/netns/NAME/resolv.conf` for each container whose "
			"namespace has a name; a connection may override it (option resolv-conf)",
	},
};

const struct schema_table netd_schema_dns = {
	.what = "dns",
	.fields = dns_fields,
	.count = ARRAY_SIZE(dns_fields),
	.size_bytes = sizeof(struct dns_conf),
};
