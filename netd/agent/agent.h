// SPDX-License-Identifier: BSD-3-Clause
// The agent of a host: keeps this host's part of the store, allots addresses, makes networks, and
// hands what should be to the reconciler. It is a state machine over its surroundings (store,
// switch, containers, disk, clock), all of which are given: the same code runs in vsnetd and, a
// thousand times, in the simulation. Main thread only; nothing waits.
#pragma once

#include <jansson.h>

#include "kv/kv.h"
#include "netd/agent/local.h"
#include "netd/conf/netd_conf.h"
#include "netd/reconcile/switch.h"
#include "netd/sandbox/sandbox.h"

#define AGENT_WAIT_MS 10000u // as clients of the control channel wait

struct agent;
struct dns;

// Subnets that this host sends packets to, which the caller frees: no network is given one of these
// that does not ask for it.
typedef int agent_routes_fn(void *arg, struct cidr **ret_routes, unsigned *ret_count);

struct agent_opts {
	const struct netd_conf *conf; // stays
	struct ip_addr vtep;	      // what cluster_advertise stands for
	struct kv *kv;
	struct local *local;
	struct switch_conn *sw;
	struct sandbox *sandbox;
	const char *machine;	       // its id (/etc/machine-id); NULL: not known
	struct names *names;	       // written by the agent
	struct dns *dns;	       // answers these names to containers; NULL: nobody does
	uint64_t (*now_us)(void *arg); // monotonic
	void *now_arg;
	agent_routes_fn *routes; // NULL: it has none
	void *routes_arg;
	uint64_t seed; // of identifiers; 0: from the system
	// Something to tell whoever listens: "network.add", "endpoint.up", ...; `data` is borrowed.
	void (*event)(void *arg, const char *name, const json_t *data);
	void *event_arg;
};

int agent_new(const struct agent_opts *opts, struct agent **ret_agent, struct err *err);
// The host's record is left to expire: containers go on, and a restarted agent comes in time.
void agent_free(struct agent *agent);

// kv_opts.on_state() of the agent's store goes here.
void agent_store_state(struct agent *agent, bool up, const char *reason);

// Does what is due; at least every 250 ms.
void agent_run(struct agent *agent);

// Another address of this host (the interface has got another).
void agent_set_vtep(struct agent *agent, const struct ip_addr *vtep);

// Nothing is under way: store, replica and switch agree, as far as this host knows.
bool agent_is_settled(const struct agent *agent);

// ---- requests ----
// `fn` is called once, maybe from inside the call. `result` is borrowed, may be NULL; it may have a
// member `warning`.

// Of the requests that follow, how long their caller waits: they are given up a little before, with
// the reason. 0: AGENT_WAIT_MS.
void agent_set_wait(struct agent *agent, unsigned wait_ms);

typedef void agent_done_fn(void *arg, int rc, json_t *result, const struct err *err);

// Makes a network. `want` is borrowed; what is not given is chosen (id, VNI, subnets, gateways).
// -EEXIST: one of that name, or whose subnet overlaps (named).
void agent_network_create(
	struct agent *agent, const struct network_record *want, agent_done_fn *fn, void *arg);
// -EBUSY: it has endpoints (some of them named).
void agent_network_rm(
	struct agent *agent, const char *name, bool force, agent_done_fn *fn, void *arg);
// Deletes those without endpoints that `labels` (object, NULL: all) match; result: deleted.
void agent_network_prune(struct agent *agent, const json_t *labels, agent_done_fn *fn, void *arg);

struct connect_spec {
	const char *network, *name; // the container's
	const char *sandbox;	    // netns_open()
	struct ip_addr ips[2];	    // asked for; family 0: chosen
	bool has_mac;
	struct mac mac;
	const char *ifname; // NULL: ethN
	const char *const *aliases;
	unsigned nb_aliases;
	const json_t *options; // object of strings or NULL
	unsigned family;       // of addresses to be given out: 4, 6; 0: all that the network has
};

// Done when the container has its interface and the store its record; with the store away, when the
// container has it (`warning`). result: as endpoint_record_json().
void agent_connect(
	struct agent *agent, const struct connect_spec *spec, agent_done_fn *fn, void *arg);
// An endpoint of this host; with `force` also a record of a host that is not there.
void agent_disconnect(struct agent *agent, const char *network, const char *endpoint, bool force,
	agent_done_fn *fn, void *arg);

// ---- in steps, each of which may be repeated ----
// An `id` is the caller's own, at most CALLER_ID_MAX bytes: a repeat with the same content gets the
// same result, -EEXIST names what differs. All of it is on disk before the answer.

#define CALLER_ID_MAX 128

// Makes an endpoint without a namespace; spec->sandbox and spec->ifname are not looked at. result:
// as of agent_connect(), with caller_id and network.
void agent_endpoint_create(struct agent *agent, const char *id, const struct connect_spec *spec,
	agent_done_fn *fn, void *arg);

struct join_spec {
	const char *sandbox; // netns_open()
	const char *ifname;  // NULL: ethN
};

// Done when the container has its interface. -ENOENT: it was not created.
void agent_endpoint_join(struct agent *agent, const char *id, const struct join_spec *spec,
	agent_done_fn *fn, void *arg);
// Done when its interface is gone; it keeps its addresses. result: id, left. -ENOENT: there is
// nothing to leave; with `if_exists` that is success, and `left` is false.
void agent_endpoint_leave_by_id(
	struct agent *agent, const char *id, bool if_exists, agent_done_fn *fn, void *arg);
// In whatever state it is. result: id, deleted.
void agent_endpoint_delete(
	struct agent *agent, const char *id, bool if_exists, agent_done_fn *fn, void *arg);

struct address_spec {
	const char *network;
	struct ip_addr ip; // asked for; family 0: chosen
	bool ipv6;	   // of those that are chosen
};

// Holds an address of a network, also while an endpoint uses it that asks for it, and afterwards.
// result: as of agent_endpoint_create(), with address_id, without a name.
void agent_address_request(struct agent *agent, const char *id, const struct address_spec *spec,
	agent_done_fn *fn, void *arg);
// An endpoint that uses it keeps it. result: id, released.
void agent_address_release(
	struct agent *agent, const char *id, bool if_exists, agent_done_fn *fn, void *arg);

struct pool_spec {
	struct cidr subnet; // asked for; family 0: one of the default pools
	struct cidr range;  // in it; family 0: all of it
	bool ipv6;	    // of those that are chosen
};

// Holds a subnet on this host until it is released: no network here is given it that does not ask
// for it. A network may have exactly that subnet already. result: id, subnet, ip_range, gateway,
// network (which has it; or null).
int agent_pool_request(struct agent *agent, const char *id, const struct pool_spec *spec,
	json_t **ret_result, struct err *err);
int agent_pool_release(
	struct agent *agent, const char *id, bool if_exists, json_t **ret_result, struct err *err);
json_t *agent_pools(struct agent *agent); // pools: a list of these

// ---- what is there ----

json_t *agent_networks(struct agent *agent); // networks: as `network ls` needs them
json_t *agent_network(struct agent *agent, const char *name, struct err *err); // inspect; NULL
json_t *agent_hosts(struct agent *agent); // hosts: name, address, state, since, endpoints
// Takes a suspended host out of the cluster, with all that is its own: somebody knows that it is
// gone. -EBUSY: it is there, or (without `force`) answers through its tunnel. result: name,
// removed.
void agent_host_rm(struct agent *agent, const char *name, bool force, agent_done_fn *fn, void *arg);
json_t *agent_status(struct agent *agent); // store, switch, host, counts, what is wrong

// What names mean here: names as names_json(), of one network or (NULL) of all that this host takes
// part in; problems: where they cannot be asked. NULL: there is no such network, or it is not here.
json_t *agent_names(struct agent *agent, const char *network, struct err *err);
// What a name is for a container of this host, in a network, or (both NULL) in all networks that
// this host takes part in: dns_ask().
void agent_ask(struct agent *agent, const char *container, const char *network, const char *name,
	const char *type, agent_done_fn *fn, void *arg);
int agent_dns_stats(struct agent *agent, json_t **ret_stats, struct err *err); // dns_stats()
int agent_dns_flush(struct agent *agent, unsigned *ret_count, struct err *err);

// Compares store, agent, switch and interfaces; result: differences [{where, object, difference,
// wanted, actual, repaired}]. Within 10 s, whatever does not answer.
void agent_audit(struct agent *agent, bool repair, agent_done_fn *fn, void *arg);
