// SPDX-License-Identifier: BSD-3-Clause
#include "netd/ctl/netd_method.h"

#include "ctrl/log_level.h"
#include "netd/agent/agent.h"
#include "netd/ctl/netd_result.h"
#include "netd/drivers/endpoint_options.h"
#include "netd/drivers/network.h"
#include "netd/record/record.h"

#define END                                                                                        \
	{                                                                                          \
	}

static const struct ctrl_param cidr_item = {.type = CTRL_STRING, .min = 1, .max = 64};
static const struct ctrl_param ip_item = {.type = CTRL_IP};
static const struct ctrl_param server_item = {.type = CTRL_STRING, .min = 1, .max = 64};
static const struct ctrl_param name_item = {.type = CTRL_NAME, .help = "the alias"};

static const struct ctrl_param status_params[] = {END};

static const struct ctrl_param network_create_params[] = {
	{.name = "name", .type = CTRL_NAME, .required = true, .help = "the network"},
	{.name = "driver",
		.type = CTRL_NAME,
		.help = "kind of network, one of the drivers; "
			"default: " NETWORK_DRIVER_DEFAULT},
	{.name = "subnets",
		.type = CTRL_LIST,
		.max = RECORD_SUBNETS_MAX,
		.item = &cidr_item,
		.help = "subnets, each ADDRESS/LENGTH; default: one of the default pools"},
	{.name = "ip_ranges",
		.type = CTRL_LIST,
		.max = RECORD_SUBNETS_MAX,
		.item = &cidr_item,
		.help = "ranges to give out addresses from, at most one for each subnet"},
	{.name = "gateways",
		.type = CTRL_LIST,
		.max = RECORD_SUBNETS_MAX,
		.item = &ip_item,
		.help = "gateway addresses, at most one for each subnet"},
	{.name = "aux_addresses",
		.type = CTRL_OBJECT,
		.help = "reserved addresses by name; no container gets them"},
	{.name = "ipv6",
		.type = CTRL_BOOL,
		.help = "give containers IPv6 addresses; chooses a subnet if none is given"},
	{.name = "internal", .type = CTRL_BOOL, .help = "no access to the outside"},
	{.name = "dns",
		.type = CTRL_LIST,
		.max = DNS_SERVERS_MAX,
		.item = &server_item,
		.help = "name servers to forward other names to, each ADDRESS or ADDRESS:PORT; "
			"default: those of the hosts"},
	{.name = "labels", .type = CTRL_OBJECT, .help = "labels, texts by name"},
	{.name = "options", .type = CTRL_OBJECT, .help = "options of the driver, texts by name"},
	END};

static const struct ctrl_param network_rm_params[] = {
	{.name = "name", .type = CTRL_NAME, .required = true, .help = "the network, or its id"},
	{.name = "force", .type = CTRL_BOOL, .help = "succeed if the network does not exist"}, END};

static const struct ctrl_param network_ls_params[] = {END};

static const struct ctrl_param network_inspect_params[] = {
	{.name = "name",
		.type = CTRL_NAME,
		.required = true,
		.help = "the network, its id, or a unique beginning of its id"},
	END};

#define NETWORK_PARAM                                                                              \
	{                                                                                          \
		.name = "network", .type = CTRL_NAME, .required = true,                            \
		.help = "the network, or its id"                                                   \
	}
// Members of an endpoint, except where it is.
#define ENDPOINT_PARAMS                                                                            \
	{.name = "name", .type = CTRL_NAME, .required = true, .help = "name of the container"},    \
		{.name = "ip",                                                                     \
			.type = CTRL_IP,                                                           \
			.help = "its IPv4 address; chosen when not given"},                        \
		{.name = "ip6",                                                                    \
			.type = CTRL_IP,                                                           \
			.help = "its IPv6 address; chosen when not given"},                        \
		{.name = "mac",                                                                    \
			.type = CTRL_MAC,                                                          \
			.help = "its MAC address; derived from its first address when not given"}, \
		{.name = "aliases",                                                                \
			.type = CTRL_LIST,                                                         \
			.max = RECORD_ALIASES_MAX,                                                 \
			.item = &name_item,                                                        \
			.help = "other names of the container in this network"},                   \
	{                                                                                          \
		.name = "options", .type = CTRL_OBJECT,                                            \
		.help = "options of the connection, texts by name:" ENDPOINT_OPTIONS_USAGE         \
	}
#define IFNAME_PARAM                                                                               \
	{                                                                                          \
		.name = "ifname", .type = CTRL_STRING, .min = 1, .max = 15,                        \
		.help = "name of its interface there; default: the next of eth0, eth1, ..."        \
	}
#define CALLER_PARAM                                                                               \
	{                                                                                          \
		.name = "id", .type = CTRL_STRING, .required = true, .min = 1,                     \
		.max = CALLER_ID_MAX,                                                              \
		.help = "the caller's own name for it; a repeat with the same content gets the "   \
			"same answer"                                                              \
	}
#define IF_EXISTS_PARAM(help_text)                                                                 \
	{                                                                                          \
		.name = "if_exists", .type = CTRL_BOOL, .help = help_text                          \
	}

static const struct ctrl_param network_connect_params[] = {NETWORK_PARAM, ENDPOINT_PARAMS,
	{.name = "netns",
		.type = CTRL_STRING,
		.min = 1,
		.max = 127,
		.help = "its network namespace: a process id, a path, or a name under /run/netns; "
			"default: the container's name"},
	IFNAME_PARAM, END};

static const struct ctrl_param endpoint_create_params[] = {
	CALLER_PARAM, NETWORK_PARAM, ENDPOINT_PARAMS, END};

static const struct ctrl_param endpoint_join_params[] = {CALLER_PARAM,
	{.name = "netns",
		.type = CTRL_STRING,
		.required = true,
		.min = 1,
		.max = 127,
		.help = "the network namespace: a process id, a path, or a name under /run/netns"},
	IFNAME_PARAM, END};

static const struct ctrl_param endpoint_leave_params[] = {
	CALLER_PARAM, IF_EXISTS_PARAM("succeed if it is in no namespace"), END};

static const struct ctrl_param endpoint_delete_params[] = {
	CALLER_PARAM, IF_EXISTS_PARAM("succeed if it does not exist"), END};

static const struct ctrl_param address_request_params[] = {CALLER_PARAM, NETWORK_PARAM,
	{.name = "ip", .type = CTRL_IP, .help = "the address; chosen when not given"},
	{.name = "ipv6", .type = CTRL_BOOL, .help = "choose an IPv6 address, not an IPv4 one"},
	END};

static const struct ctrl_param address_release_params[] = {
	CALLER_PARAM, IF_EXISTS_PARAM("succeed if no address is held under this id"), END};

static const struct ctrl_param pool_request_params[] = {CALLER_PARAM,
	{.name = "subnet",
		.type = CTRL_STRING,
		.min = 1,
		.max = 64,
		.help = "the subnet, ADDRESS/LENGTH; one of the default pools when not given"},
	{.name = "ip_range",
		.type = CTRL_STRING,
		.min = 1,
		.max = 64,
		.help = "the part of it that addresses are given out from; all of it when not "
			"given"},
	{.name = "ipv6", .type = CTRL_BOOL, .help = "choose an IPv6 subnet, not an IPv4 one"}, END};

static const struct ctrl_param pool_release_params[] = {
	CALLER_PARAM, IF_EXISTS_PARAM("succeed if it does not exist"), END};

static const struct ctrl_param pool_ls_params[] = {END};

static const struct ctrl_param network_disconnect_params[] = {
	{.name = "network", .type = CTRL_NAME, .required = true, .help = "the network, or its id"},
	{.name = "name",
		.type = CTRL_NAME,
		.required = true,
		.help = "the container, or the endpoint's id"},
	{.name = "force",
		.type = CTRL_BOOL,
		.help = "also remove an endpoint that a vanished host left behind"},
	END};

static const struct ctrl_param network_prune_params[] = {
	{.name = "labels",
		.type = CTRL_OBJECT,
		.help = "delete only networks with these labels; an empty text matches any value"},
	END};

static const struct ctrl_param dns_ls_params[] = {
	{.name = "network", .type = CTRL_NAME, .help = "the network, or its id; default: all"},
	END};

static const struct ctrl_param dns_query_params[] = {
	{.name = "name",
		.type = CTRL_STRING,
		.required = true,
		.min = 1,
		.max = 255,
		.help = "the name; or an address, whose names are asked for (PTR)"},
	{.name = "type",
		.type = CTRL_STRING,
		.min = 1,
		.max = 16,
		.help = "type of the records; default: A, or PTR for an address"},
	{.name = "container",
		.type = CTRL_STRING,
		.min = 1,
		.max = 127,
		.help = "answer as for this container of this host; default: as for one in all "
			"networks of this host"},
	{.name = "network",
		.type = CTRL_NAME,
		.help = "answer as for a container in this network alone"},
	END};

static const struct ctrl_param dns_stats_params[] = {END};

static const struct ctrl_param dns_flush_params[] = {END};

static const struct ctrl_param hosts_params[] = {END};

static const struct ctrl_param host_rm_params[] = {
	{.name = "name", .type = CTRL_NAME, .required = true, .help = "the host"},
	{.name = "force",
		.type = CTRL_BOOL,
		.help = "also one that answers through its tunnel: its containers lose their "
			"addresses to others"},
	END};

static const struct ctrl_param events_list_params[] = {END};
static const struct ctrl_param log_show_params[] = {END};
#define log_set_params ctrl_log_set_params

static const struct ctrl_param audit_params[] = {
	{.name = "repair", .type = CTRL_BOOL, .help = "repair what can be repaired"}, END};

enum { READ, WRITE };

const struct ctrl_method netd_methods[NB_NETD_METHODS] = {
#define X(symbol, fn, name, access, help, result)                                                  \
	[NETD_METHOD_##symbol] = {name, access == WRITE, help, &netd_object_##result, fn##_params},
	NETD_METHODS(X)
#undef X
};

const struct ctrl_event netd_events[] = {
	{"network.known", "network, id", "a network was created or changed, on any host"},
	{"network.gone", "network, id", "a network was deleted"},
	{"endpoint.up", "network, endpoint, id", "a container of this host has its interface"},
	{"endpoint.down", "network, endpoint, id",
		"a container of this host was disconnected, or its namespace is gone"},
	{"endpoint.conflict", "network, endpoint, id, reason",
		"an endpoint of another host won its address"},
	{"host.present", "host", "another host is present"},
	{"host.suspended", "host", "another host has not reached the store for its ttl"},
	{"store.up", "nothing", "the store answers"},
	{"store.down", "reason", "the store stopped answering"},
	{"store.lost", "nothing",
		"the store came back empty or older than it was; the hosts repopulate it"},
	{"switch.up", "nothing", "the switch of this host answers"},
	{"switch.down", "nothing", "the switch of this host stopped answering"},
	{},
};

const struct ctrl_reference netd_reference = {
	.title = "The control channel of vsnetd",
	.run_dir = "RUN_DIR/net",
	.example_method = "network.connect",
	.example_object = "network front",
	.changes =
		"Methods that change something are answered\nwhen the change is made: in the "
		"store, and in the switch and the container where it concerns this\nhost. Many "
		"may be under way at once, and are answered in any order. The result of a change "
		"may\nhave a member `warning`: a text for people, such as that the other hosts "
		"will know later. A\nrequest may have a member `timeout_ms`: how long its client "
		"waits. What cannot be done at once is\ntried for nearly as long; without it, for "
		"10 s.",
	.methods = netd_methods,
	.count = NB_NETD_METHODS,
	.objects = netd_objects,
	.events = netd_events,
};
