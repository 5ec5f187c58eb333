// SPDX-License-Identifier: BSD-3-Clause
// The one list of what the network agent can be asked, as method.h is for the switch: a row here,
// its parameters in net_method.c, its handler netd_handle_<function>() in netd/.
#pragma once

#include "ctrl/method.h"

// X(symbol, function, name, READ or WRITE, help, what the result is)
#define NETD_METHODS(X)                                                                            \
	X(STATUS, status, "status", READ, "Tells how this host's agent is.",                       \
		"version, pid, uptime_s, run_dir, host, address (of its tunnels), member "         \
		"(whether "                                                                        \
		"the cluster knows this host), store (type, up, synced, reason, revision), "       \
		"switch (whether it answers), settled (nothing is under way: store, agent and "    \
		"switch agree, as far as this host knows), hosts, networks, endpoints, "           \
		"endpoints_here (their numbers), problems: a list of object and reason")           \
	X(NETWORK_CREATE, network_create, "network.create", WRITE,                                 \
		"Makes a network. What is not given is chosen.",                                   \
		"the network, as network.inspect has it, without endpoints and blocks")            \
	X(NETWORK_RM, network_rm, "network.rm", WRITE, "Deletes a network without endpoints.",     \
		"name")                                                                            \
	X(NETWORK_LS, network_ls, "network.ls", READ, "Lists the networks.",                       \
		"networks: a list of id, name, driver, scope (global: of the cluster; local: of "  \
		"this host), subnets, labels, vni, endpoints, endpoints_here (their numbers)")     \
	X(NETWORK_INSPECT, network_inspect, "network.inspect", READ,                               \
		"Tells everything of one network, on all hosts.",                                  \
		"name, id, driver, scope, vni, ipv6, internal, subnets, labels, options, "         \
		"created, endpoints (a list of id, name, host, ips, mac, aliases, static, "        \
		"sandbox, ifname, options, created, state, reason), blocks (a list of block and "  \
		"host: whose addresses are which)")                                                \
	X(NETWORK_CONNECT, network_connect, "network.connect", WRITE,                              \
		"Connects a container of this host to a network. Answered when the container has " \
		"its interface and the cluster knows; when the store cannot be reached, as soon "  \
		"as the container has it, with a warning.",                                        \
		"the endpoint, as in network.inspect")                                             \
	X(NETWORK_DISCONNECT, network_disconnect, "network.disconnect", WRITE,                     \
		"Disconnects a container of this host.", "the endpoint as it was")                 \
	X(NETWORK_PRUNE, network_prune, "network.prune", WRITE,                                    \
		"Deletes the networks that have no endpoints.", "deleted: a list of names")        \
	X(DNS_LS, dns_ls, "dns.ls", READ, "Lists the names that this host answers.",               \
		"names: a list of network (null: a host), name, alias_of (or null), addresses, "   \
		"host, suspended (that host is silent); problems: a list of object and reason: "   \
		"where names cannot be asked")                                                     \
	X(DNS_QUERY, dns_query, "dns.query", READ,                                                 \
		"Answers a question for a name, as a container would have it answered.",           \
		"rcode, flags, answer, authority (lists of records as text), source (names: what " \
		"this host knows; server, cache, stale), server (its address, or null), us (how "  \
		"long it took)")                                                                   \
	X(DNS_STATS, dns_stats, "dns.stats", READ, "Tells what the server of names has done.",     \
		"queries, rcodes, forward, cache (objects of numbers), servers, listeners (lists " \
		"of objects)")                                                                     \
	X(DNS_FLUSH, dns_flush, "dns.flush", WRITE, "Forgets the answers of servers above.",       \
		"flushed: their number")                                                           \
	X(HOSTS, hosts, "hosts", READ, "Lists the hosts of the cluster.",                          \
		"hosts: a list of name, state (present; suspended: silent, its endpoints are "     \
		"kept for a while; unknown), address (of its tunnels), endpoints (their number), " \
		"self, since_s (of suspended)")                                                    \
	X(EVENTS_LIST, events_list, "events.list", READ, "Lists the events.",                      \
		"events: a list of name, data, help")                                              \
	X(AUDIT, audit, "audit", WRITE, "Compares store, agent and switch.",                       \
		"differences: a list of where (store, agent or switch), object, difference, "      \
		"repaired")

enum netd_method {
#define X(symbol, fn, name, access, help, result) NETD_METHOD_##symbol,
	NETD_METHODS(X)
#undef X
		NB_NETD_METHODS
};

extern const struct ctrl_event netd_events[];
extern const struct ctrl_method netd_methods[NB_NETD_METHODS];

extern const struct ctrl_reference netd_reference; // the page of this channel
