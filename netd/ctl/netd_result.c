// SPDX-License-Identifier: BSD-3-Clause
#include "netd/ctl/netd_result.h"

#include "ctrl/log_level.h"

#define OBJECT(symbol, name, help)                                                                 \
	const struct ctrl_object netd_object_##symbol = {name, help, symbol##_members}

static const struct ctrl_member text_item = {.type = CTRL_STRING};
static const struct ctrl_member name_item = {.type = CTRL_NAME};
static const struct ctrl_member ip_item = {.type = CTRL_IP};
static const struct ctrl_member count_item = {.type = CTRL_INT};

static const struct ctrl_member problem_members[] = {{"object", CTRL_STRING, "what it concerns"},
	{"reason", CTRL_STRING, "what is wrong"},
	{"remedy", CTRL_STRING, "what to do about it", .when = "when the reason does not say it"},
	{"since", CTRL_TIME, "since when it is so, or when it was seen first",
		.when = "in the answer of status"},
	{}};
static const struct ctrl_object problem = {NULL, NULL, problem_members};
static const struct ctrl_member problem_item = {.type = CTRL_OBJECT, .object = &problem};

// ---- status ----

static const struct ctrl_member store_members[] = {{"type", CTRL_STRING, "the kind of store"},
	{"up", CTRL_BOOL, "whether it answers"},
	{"since", CTRL_TIME, "when it began to answer, or not to"},
	{"synced", CTRL_BOOL, "whether this host has read all of it"},
	{"reason", CTRL_STRING, "why the store does not answer", .when = "while down"},
	{"refuses", CTRL_STRING, "why the store refused the last change",
		.when = "if it answers and refused one"},
	{"revision", CTRL_INT, "the newest revision that this host has read"}, {}};
static const struct ctrl_object store = {NULL, NULL, store_members};

static const struct ctrl_member status_members[] = {{"version", CTRL_STRING, "of vsnetd"},
	{"pid", CTRL_INT, "its process"}, {"started", CTRL_TIME, "when it was started"},
	{"run_dir", CTRL_STRING, "folder of its sockets"},
	{"host", CTRL_STRING, "name of this host in the cluster"},
	{"address", CTRL_IP, "address of its VTEP"},
	{"member", CTRL_BOOL, "whether the cluster knows this host"},
	{"store", CTRL_OBJECT, "the store", .object = &store},
	{"switch", CTRL_BOOL, "whether the switch answers"},
	{"switch_since", CTRL_TIME, "when the connection began or ended"},
	{"healthy", CTRL_BOOL,
		"store and switch answer, the cluster knows this host, and there are no problems"},
	{"settled", CTRL_BOOL,
		"nothing is under way: store, agent and switch agree, as far as this host knows"},
	{"hosts", CTRL_INT, "number of hosts"}, {"networks", CTRL_INT, "number of networks"},
	{"endpoints", CTRL_INT, "number of endpoints on all hosts"},
	{"endpoints_here", CTRL_INT, "number of endpoints on this host"},
	{"problems", CTRL_LIST, "what is wrong", .item = &problem_item}, {}};
OBJECT(status, NULL, NULL);

// ---- endpoints ----

static const struct ctrl_member endpoint_members[] = {{"id", CTRL_STRING, "its id"},
	{"name", CTRL_NAME, "the container"}, {"host", CTRL_STRING, "its host"},
	{"ips", CTRL_LIST, "its addresses, each ADDRESS/LENGTH", .item = &text_item},
	{"mac", CTRL_MAC, "its MAC address"},
	{"aliases", CTRL_LIST, "its other names", .item = &name_item},
	{"static", CTRL_BOOL, "whether the address was asked for"},
	{"epoch", CTRL_INT, "decides, before `seq`, which of two records with one address wins"},
	{"seq", CTRL_INT, "number of the change, counted by its host"},
	{"sandbox", CTRL_STRING, "its network namespace, as it was given"},
	{"ifname", CTRL_STRING, "its interface in there"},
	{"options", CTRL_MAP, "its options", .item = &text_item},
	{"created", CTRL_TIME, "when it was created"},
	{"state", CTRL_STRING,
		"`creating`, `created`, `starting`, `up`, `failed`, `conflict`, `readdressing`, "
		"`leaving` or `stopping` on this host; `created`, `up`, `suspended` or `unknown` "
		"on "
		"others",
		.when = "when it was not removed for another host"},
	{"reason", CTRL_STRING, "why it is in that state", .when = "when there is a reason"},
	{"dns_problem", CTRL_STRING, "why the container cannot ask for names",
		.when = "when it cannot"},
	{"network", CTRL_NAME, "its network", .when = "when it was just made or joined"},
	{"caller_id", CTRL_STRING, "the id of endpoint.create",
		.when = "on this host, when it was created so"},
	{"address_id", CTRL_STRING, "the id of address.request",
		.when = "on this host, if its address is held separately"},
	{}};
OBJECT(endpoint, "endpoint", "An endpoint: a container in a network");
static const struct ctrl_member endpoint_item = {
	.type = CTRL_OBJECT, .object = &netd_object_endpoint};

static const struct ctrl_member left_members[] = {{"id", CTRL_STRING, "the caller's id"},
	{"left", CTRL_BOOL, "false: `if_exists` was given, and it was in no namespace"}, {}};
OBJECT(left, NULL, NULL);

static const struct ctrl_member deleted_members[] = {{"id", CTRL_STRING, "the caller's id"},
	{"deleted", CTRL_BOOL, "false: `if_exists` was given, and it did not exist"}, {}};
OBJECT(deleted, NULL, NULL);

static const struct ctrl_member released_members[] = {{"id", CTRL_STRING, "the caller's id"},
	{"released", CTRL_BOOL, "false: `if_exists` was given, and nothing was held"}, {}};
OBJECT(released, NULL, NULL);

static const struct ctrl_member held_members[] = {{"address", CTRL_STRING, "ADDRESS/LENGTH"},
	{"host", CTRL_STRING, "the host that holds it"},
	{"address_id", CTRL_STRING, "the id of address.request", .when = "on this host"},
	{"network", CTRL_NAME, "its network", .when = "in the answer of address.request"}, {}};
OBJECT(held, NULL, NULL);
static const struct ctrl_member held_item = {.type = CTRL_OBJECT, .object = &netd_object_held};

static const struct ctrl_member pool_members[] = {{"id", CTRL_STRING, "the caller's id"},
	{"subnet", CTRL_STRING, "ADDRESS/LENGTH"},
	{"ip_range", CTRL_STRING, "the part of it that addresses are given out from"},
	{"gateway", CTRL_IP, "the gateway that a network with this subnet gets"},
	{"network", CTRL_NAME, "the network that has this subnet; null: none yet",
		.nullable = true},
	{}};
OBJECT(pool, "pool", "A subnet that is held on this host");
static const struct ctrl_member pool_item = {.type = CTRL_OBJECT, .object = &netd_object_pool};
static const struct ctrl_member pools_members[] = {
	{"pools", CTRL_LIST, "the subnets", .item = &pool_item}, {}};
OBJECT(pools, NULL, NULL);

// ---- networks ----

static const struct ctrl_member created_members[] = {
	{"id", CTRL_STRING, "its id"}, {"name", CTRL_NAME, "the network"}, {}};
OBJECT(created, NULL, NULL);

static const struct ctrl_member removed_members[] = {{"name", CTRL_NAME, "the network"}, {}};
OBJECT(removed, NULL, NULL);

static const struct ctrl_member pruned_members[] = {
	{"deleted", CTRL_LIST, "the networks that were deleted", .item = &name_item}, {}};
OBJECT(pruned, NULL, NULL);

static const struct ctrl_member row_members[] = {{"id", CTRL_STRING, "its id"},
	{"name", CTRL_NAME, "the network"}, {"driver", CTRL_STRING, "its driver"},
	{"scope", CTRL_STRING, "`global`: of the cluster, or `local`: of this host"},
	{"builtin", CTRL_BOOL, "whether every host has it from its first start"},
	{"ipv6", CTRL_BOOL, "whether containers have IPv6 addresses"},
	{"internal", CTRL_BOOL, "whether it has no access to the outside"},
	{"created", CTRL_TIME, "when it was created"},
	{"subnets", CTRL_LIST, "its subnets, each ADDRESS/LENGTH", .item = &text_item},
	{"labels", CTRL_MAP, "its labels", .item = &text_item, .when = "when it has a record"},
	{"vni", CTRL_INT, "its VNI", .when = "when it has one"},
	{"endpoints", CTRL_INT, "number of its endpoints on all hosts"},
	{"endpoints_here", CTRL_INT, "number of its endpoints on this host"}, {}};
static const struct ctrl_object row = {NULL, NULL, row_members};
static const struct ctrl_member row_item = {.type = CTRL_OBJECT, .object = &row};
static const struct ctrl_member networks_members[] = {
	{"networks", CTRL_LIST, "the networks", .item = &row_item}, {}};
OBJECT(networks, NULL, NULL);

static const struct ctrl_member subnet_members[] = {{"subnet", CTRL_STRING, "ADDRESS/LENGTH"},
	{"range", CTRL_STRING, "the part that addresses are given out from",
		.when = "when not all of it"},
	{"gateway", CTRL_IP, "address of each host", .when = "when it has one"},
	{"block_prefix", CTRL_INT, "length of the blocks that hosts own",
		.when = "in networks made since 0.2"},
	{"aux", CTRL_MAP, "addresses that no container gets, by name", .item = &ip_item,
		.when = "when it has any"},
	{}};
static const struct ctrl_object subnet = {NULL, NULL, subnet_members};
static const struct ctrl_member subnet_item = {.type = CTRL_OBJECT, .object = &subnet};

static const struct ctrl_member block_members[] = {{"block", CTRL_STRING, "ADDRESS/LENGTH"},
	{"host", CTRL_STRING, "the host that gives out its addresses"}, {}};
static const struct ctrl_object block = {NULL, NULL, block_members};
static const struct ctrl_member block_item = {.type = CTRL_OBJECT, .object = &block};

static const struct ctrl_member network_members[] = {{"name", CTRL_NAME, "the network"},
	{"id", CTRL_STRING, "its id"}, {"driver", CTRL_STRING, "its driver"},
	{"scope", CTRL_STRING, "`global`: of the cluster, or `local`: of this host"},
	{"builtin", CTRL_BOOL, "whether every host has it from its first start"},
	{"vni", CTRL_INT, "its VNI; 0: none"},
	{"ipv6", CTRL_BOOL, "whether containers have IPv6 addresses"},
	{"internal", CTRL_BOOL, "whether it has no access to the outside"},
	{"subnets", CTRL_LIST, "its subnets", .item = &subnet_item},
	{"dns", CTRL_LIST, "servers that are asked for other names", .item = &text_item,
		.when = "when it has its own"},
	{"labels", CTRL_MAP, "its labels", .item = &text_item},
	{"options", CTRL_MAP, "options of its driver", .item = &text_item},
	{"created", CTRL_TIME, "when it was created"},
	{"endpoints", CTRL_LIST, "its endpoints", .item = &endpoint_item},
	{"addresses", CTRL_LIST, "addresses that are held without an endpoint", .item = &held_item},
	{"blocks", CTRL_LIST, "blocks of its addresses", .item = &block_item}, {}};
OBJECT(network, NULL, NULL);

// ---- names ----

static const struct ctrl_member entry_members[] = {
	{"network", CTRL_NAME, "the network; null: the name of a host", .nullable = true},
	{"name", CTRL_STRING, "the name"},
	{"alias_of", CTRL_STRING, "the container; null: the name is its own", .nullable = true},
	{"addresses", CTRL_LIST, "addresses of the name", .item = &ip_item},
	{"host", CTRL_STRING, "its host"}, {"suspended", CTRL_BOOL, "whether that host is silent"},
	{}};
static const struct ctrl_object entry = {NULL, NULL, entry_members};
static const struct ctrl_member entry_item = {.type = CTRL_OBJECT, .object = &entry};
static const struct ctrl_member names_members[] = {
	{"names", CTRL_LIST, "the names", .item = &entry_item},
	{"problems", CTRL_LIST, "where names cannot be asked for", .item = &problem_item}, {}};
OBJECT(names, NULL, NULL);

static const struct ctrl_member reply_members[] = {{"rcode", CTRL_STRING, "response code"},
	{"flags", CTRL_LIST, "flags of the response that are set", .item = &text_item},
	{"errors", CTRL_LIST, "extended errors (RFC 8914), each CODE: TEXT",
		.when = "if the server gave any", .item = &text_item},
	{"answer", CTRL_LIST, "records of the answer", .item = &text_item},
	{"authority", CTRL_LIST, "records of the authority section", .item = &text_item},
	{"source", CTRL_STRING,
		"`names`: known to this host; `server`, `cache`, or `stale`: cached and expired",
		.nullable = true},
	{"server", CTRL_IP, "the server that answered; null: none was asked", .nullable = true},
	{"us", CTRL_INT, "microseconds that it took"}, {}};
OBJECT(reply, NULL, NULL);

static const struct ctrl_member forward_members[] = {{"asked", CTRL_INT, "exchanges begun"},
	{"answered", CTRL_INT, "exchanges answered"},
	{"hedged", CTRL_INT, "exchanges that asked a second server"},
	{"failed", CTRL_INT, "exchanges that failed"},
	{"refused", CTRL_INT, "questions refused by a limit"},
	{"stale", CTRL_INT, "questions answered with expired records"},
	{"coalesced", CTRL_INT, "questions that joined an exchange under way"},
	{"no_server", CTRL_INT, "questions without a server to ask"},
	{"waiting", CTRL_INT, "questions that wait"}, {}};
static const struct ctrl_object forward = {NULL, NULL, forward_members};

static const struct ctrl_member cache_members[] = {{"entries", CTRL_INT, "cached answers"},
	{"bytes", CTRL_INT, "their size"}, {"hits", CTRL_INT, "questions answered from it"},
	{"misses", CTRL_INT, "questions not found in it"},
	{"evicted", CTRL_INT, "answers that were removed to make room"},
	{"stale", CTRL_INT, "answers that were expired"}, {}};
static const struct ctrl_object cache = {NULL, NULL, cache_members};

static const struct ctrl_member server_members[] = {{"address", CTRL_STRING, "its address"},
	{"state", CTRL_STRING, "how it answers"}, {"rtt_us", CTRL_INT, "smoothed round-trip time"},
	{"asked", CTRL_INT, "questions sent"}, {"answered", CTRL_INT, "questions answered"},
	{"failed", CTRL_INT, "questions that failed"}, {}};
static const struct ctrl_object server = {NULL, NULL, server_members};
static const struct ctrl_member server_item = {.type = CTRL_OBJECT, .object = &server};

static const struct ctrl_member listener_members[] = {
	{"name", CTRL_STRING, "the container or network that it serves"},
	{"address", CTRL_IP, "its address"}, {"queries", CTRL_INT, "questions received"},
	{"answered", CTRL_INT, "questions answered from known names"},
	{"forwarded", CTRL_INT, "questions forwarded"}, {"refused", CTRL_INT, "questions refused"},
	{"dropped", CTRL_INT, "messages that are no question"},
	{"overflow", CTRL_INT, "datagrams lost because the queue was full"},
	{"tcp", CTRL_INT, "questions over TCP"}, {"connections", CTRL_INT, "open TCP connections"},
	{}};
static const struct ctrl_object listener = {NULL, NULL, listener_members};
static const struct ctrl_member listener_item = {.type = CTRL_OBJECT, .object = &listener};

static const struct ctrl_member dns_stats_members[] = {
	{"forward", CTRL_OBJECT, "counters of forwarded questions", .object = &forward,
		.when = "when names are forwarded"},
	{"cache", CTRL_OBJECT, "cached answers", .object = &cache,
		.when = "when names are forwarded"},
	{"servers", CTRL_LIST, "servers that are asked", .item = &server_item,
		.when = "when names are forwarded"},
	{"queries", CTRL_MAP, "questions by type", .item = &count_item},
	{"rcodes", CTRL_MAP, "answers by response code", .item = &count_item},
	{"answers", CTRL_MAP, "answers by source", .item = &count_item},
	{"listeners", CTRL_LIST, "sockets that are asked", .item = &listener_item}, {}};
OBJECT(dns_stats, NULL, NULL);

static const struct ctrl_member flushed_members[] = {{"flushed", CTRL_INT, "their number"}, {}};
OBJECT(flushed, NULL, NULL);

// ---- hosts ----

static const struct ctrl_member host_members[] = {{"name", CTRL_STRING, "the host"},
	{"state", CTRL_STRING,
		"`present`; `suspended`: silent, its endpoints are kept for a while; `unknown`"},
	{"address", CTRL_STRING, "address of its VTEP; empty while unknown"},
	{"endpoints", CTRL_INT, "number of its endpoints"},
	{"self", CTRL_BOOL, "whether it is this host"},
	{"since", CTRL_TIME, "when it was suspended", .when = "while suspended"},
	{"tunnel", CTRL_STRING,
		"`up`: it answers heartbeats; `down`: not any more; `unknown`: never, or no "
		"network has containers on both hosts",
		.when = "of other hosts"},
	{}};
static const struct ctrl_object host = {NULL, NULL, host_members};
static const struct ctrl_member host_item = {.type = CTRL_OBJECT, .object = &host};
static const struct ctrl_member hosts_members[] = {
	{"hosts", CTRL_LIST, "the hosts", .item = &host_item}, {}};
OBJECT(hosts, NULL, NULL);

static const struct ctrl_member host_removed_members[] = {{"name", CTRL_STRING, "the host"},
	{"removed", CTRL_INT, "number of its records that were removed"}, {}};
OBJECT(host_removed, NULL, NULL);

// ---- audit ----

static const struct ctrl_member difference_members[] = {
	{"where", CTRL_STRING,
		"`store`, `agent`, `switch`, or where an interface is: `container` or `host`"},
	{"object", CTRL_STRING, "what differs"}, {"difference", CTRL_STRING, "how it differs"},
	{"wanted", CTRL_STRING, "what the agent wants", .when = "of the switch and of interfaces"},
	{"actual", CTRL_STRING, "what is there; of what was not looked at: why",
		.when = "of the switch and of interfaces"},
	{"repaired", CTRL_BOOL, "whether it was repaired"}, {}};
static const struct ctrl_object difference = {NULL, NULL, difference_members};
static const struct ctrl_member difference_item = {.type = CTRL_OBJECT, .object = &difference};
static const struct ctrl_member audit_members[] = {
	{"differences", CTRL_LIST, "the differences", .item = &difference_item}, {}};
OBJECT(audit, NULL, NULL);

const struct ctrl_object netd_object_log = {NULL, NULL, ctrl_log_members};
const struct ctrl_object netd_object_events = {NULL, NULL, ctrl_events_members};

const struct ctrl_object *const netd_objects[] = {&netd_object_endpoint, &netd_object_pool, NULL};
