// SPDX-License-Identifier: BSD-3-Clause
// The one list of the agent's methods, as switch_method.h is for the switch: a row here,
// its parameters in netd_method.c, its result in netd_result.c, its handler
// netd_handle_<function>().
#pragma once

#include "ctrl/method.h"

// X(symbol, function, name, READ or WRITE, help, result: netd_object_*)
#define NETD_METHODS(X)                                                                            \
	X(STATUS, status, "status", READ, "Shows the state of this host's agent.", status)         \
	X(NETWORK_CREATE, network_create, "network.create", WRITE,                                 \
		"Creates a network. Parameters that are left out are chosen.", created)            \
	X(NETWORK_RM, network_rm, "network.rm", WRITE, "Deletes a network without endpoints.",     \
		removed)                                                                           \
	X(NETWORK_LS, network_ls, "network.ls", READ, "Lists the networks.", networks)             \
	X(NETWORK_INSPECT, network_inspect, "network.inspect", READ,                               \
		"Shows one network with all details, of all hosts.", network)                      \
	X(NETWORK_CONNECT, network_connect, "network.connect", WRITE,                              \
		"Connects a container of this host to a network. Answers once the container has "  \
		"its interface and the cluster knows; while the store cannot be reached, as soon " \
		"as the "                                                                          \
		"container has its interface, with a warning.",                                    \
		endpoint)                                                                          \
	X(NETWORK_DISCONNECT, network_disconnect, "network.disconnect", WRITE,                     \
		"Disconnects a container of this host; answers with its endpoint.", endpoint)      \
	X(ENDPOINT_CREATE, endpoint_create, "endpoint.create", WRITE,                              \
		"Creates an endpoint without a namespace. It keeps its addresses until it is "     \
		"deleted, over restarts too.",                                                     \
		endpoint)                                                                          \
	X(ENDPOINT_JOIN, endpoint_join, "endpoint.join", WRITE,                                    \
		"Joins an endpoint to a namespace. Answers once its interface is up there.",       \
		endpoint)                                                                          \
	X(ENDPOINT_LEAVE, endpoint_leave, "endpoint.leave", WRITE,                                 \
		"Takes an endpoint out of its namespace. It keeps its addresses.", left)           \
	X(ENDPOINT_DELETE, endpoint_delete, "endpoint.delete", WRITE,                              \
		"Deletes an endpoint, joined or not. An address that is held separately stays "    \
		"held.",                                                                           \
		deleted)                                                                           \
	X(ADDRESS_REQUEST, address_request, "address.request", WRITE,                              \
		"Holds an address of a network before there is an endpoint. endpoint.create may "  \
		"ask for it.",                                                                     \
		held)                                                                              \
	X(ADDRESS_RELEASE, address_release, "address.release", WRITE,                              \
		"Releases an address. An endpoint that uses it keeps it.", released)               \
	X(POOL_REQUEST, pool_request, "pool.request", WRITE,                                       \
		"Reserves a subnet on this host for a later network.", pool)                       \
	X(POOL_RELEASE, pool_release, "pool.release", WRITE, "Releases a subnet.", released)       \
	X(POOL_LS, pool_ls, "pool.ls", READ, "Lists the subnets that are held on this host.",      \
		pools)                                                                             \
	X(NETWORK_PRUNE, network_prune, "network.prune", WRITE,                                    \
		"Deletes the networks that have no endpoints.", pruned)                            \
	X(DNS_LS, dns_ls, "dns.ls", READ, "Lists the names that this host answers.", names)        \
	X(DNS_QUERY, dns_query, "dns.query", READ,                                                 \
		"Answers a question for a name as a container would have it answered.", reply)     \
	X(DNS_STATS, dns_stats, "dns.stats", READ, "Shows the counters of the name server.",       \
		dns_stats)                                                                         \
	X(DNS_FLUSH, dns_flush, "dns.flush", WRITE,                                                \
		"Forgets cached answers of other name servers.", flushed)                          \
	X(HOSTS, hosts, "hosts", READ, "Lists the hosts of the cluster.", hosts)                   \
	X(HOST_RM, host_rm, "host.rm", WRITE,                                                      \
		"Removes a suspended host from the cluster, with all that it has there.",          \
		host_removed)                                                                      \
	X(EVENTS_LIST, events_list, "events.list", READ, "Lists the events.", events)              \
	X(AUDIT, audit, "audit", WRITE, "Compares store, agent, switch and interfaces.", audit)    \
	X(LOG_SHOW, log_show, "log.show", READ, "Shows the level of the log.", log)                \
	X(LOG_SET, log_set, "log.set", WRITE, "Sets the level of the log, until the next start.",  \
		log)

enum netd_method {
#define X(symbol, fn, name, access, help, result) NETD_METHOD_##symbol,
	NETD_METHODS(X)
#undef X
		NB_NETD_METHODS
};

extern const struct ctrl_event netd_events[];
extern const struct ctrl_method netd_methods[NB_NETD_METHODS];

extern const struct ctrl_reference netd_reference; // the page of this channel
