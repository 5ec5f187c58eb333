// SPDX-License-Identifier: BSD-3-Clause
// This host's copy of what is in the store, indexed. It is what names, inspection and forwarding
// come from, whether the store is there or not. It holds what was read, nothing that is only
// wanted; own.h has this host's endpoints. Main thread only.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <uthash.h>

#include "netd/record.h"

struct agent_net;
struct own_endpoint;
struct replica_net;

struct replica_host {
	struct host_record rec; // only `name` counts until `known`
	uint64_t revision;
	bool known;   // a record of it was read once
	bool present; // the record is there: its lease is held. Otherwise the host is suspended
	uint64_t absent_since_us; // when not present
	LIST_HEAD(, replica_endpoint) endpoints;
	unsigned nb_endpoints;
	UT_hash_handle hh; // by name
};

struct replica_block {
	struct block_record rec;
	uint64_t revision;
	bool seen; // in the present BEGIN..SYNCED
	LIST_ENTRY(replica_block) of_net;
	struct replica_net *net;
	UT_hash_handle hh; // by key
	char key[];	   // with RECORD_PREFIX
};

struct replica_endpoint {
	struct endpoint_record rec;
	uint64_t revision;
	bool seen;
	bool dropping;		 // the agent's: it is being deleted
	struct replica_net *net; // of its id; the network's record may not be known
	struct replica_host *host;
	LIST_ENTRY(replica_endpoint) of_net, of_host;
	UT_hash_handle hh; // by key
	char key[];
};

// A network; also one of which only blocks or endpoints were read so far (`known` is false then:
// a network that was deleted, or whose record comes later).
struct replica_net {
	char id[ID_BYTES];
	struct network_record rec;
	uint64_t revision;
	bool known, seen;
	bool local; // of this host only (driver bridge, none, host): never in the store
	LIST_HEAD(, replica_endpoint) endpoints;
	unsigned nb_endpoints;
	LIST_HEAD(, replica_block) blocks;

	LIST_HEAD(, own_endpoint) own; // this host's endpoints; the agent's
	unsigned nb_own;
	struct agent_net *agent; // the agent's
	void *reconcile;	 // the reconciler's
	UT_hash_handle hh;	 // by id
	UT_hash_handle hh_name;	 // by name, when known
};

struct replica_skipped { // a record that cannot be read
	char *reason;
	UT_hash_handle hh;
	char key[];
};

// What has changed, after it did; `old` is what it was (NULL: it is new), and for a removal the
// last argument before the structure goes. All may be NULL.
struct replica_observer {
	void (*host)(void *arg, struct replica_host *host, const struct host_record *old);
	void (*net)(void *arg, struct replica_net *net, bool gone);
	void (*block)(void *arg, struct replica_block *block, bool gone);
	void (*endpoint)(void *arg, struct replica_endpoint *ep, const struct endpoint_record *old,
		bool gone);
	void *arg;
};

struct replica {
	struct replica_host *hosts;
	struct replica_net *nets, *nets_by_name;
	struct replica_block *blocks;
	struct replica_endpoint *endpoints;
	struct replica_skipped *skipped;
	struct cluster_record cluster; // id empty: none read
	uint64_t allocation_revision;  // 0: none read
	uint64_t revision;	       // of the store, up to which all is here
	struct replica_observer observer;
	// private
	void *addresses; // index of (network, address)
};

void replica_init(struct replica *r, const struct replica_observer *observer);
void replica_fini(struct replica *r);

// A key was set or deleted (`value` NULL) in the store; the key has RECORD_PREFIX. A record that
// cannot be read goes to `skipped` (logged once), and one that was there under that key stays as
// it was. -ENOMEM, -EBADMSG (skipped).
int replica_apply(struct replica *r, const char *key, const char *value, size_t len_bytes,
	uint64_t revision, uint64_t now_us);

// Between these, what is set is marked as seen; at the end what was not seen is deleted, as by
// replica_apply(). With `keep` nothing is deleted (the store was lost; its hosts will put back what
// is theirs), but hosts that were not seen are no longer present.
void replica_begin(struct replica *r);
void replica_end(struct replica *r, bool keep, uint64_t now_us);

// What is there under the key (with RECORD_PREFIX), whatever it is.
bool replica_has_key(struct replica *r, const char *key);
struct replica_block *replica_block(struct replica *r, const char *key);       // NULL
struct replica_endpoint *replica_endpoint(struct replica *r, const char *key); // NULL

struct replica_host *replica_host(struct replica *r, const char *name);	    // NULL: never heard of
struct replica_net *replica_net(struct replica *r, const char *name_or_id); // known ones; also a
									    // unique start of an id
struct replica_net *replica_net_by_name(struct replica *r, const char *name);
struct replica_net *replica_net_by_id(struct replica *r, const char *id);
// Who has the address in the network: of several claims the winner (endpoint_record_compare()).
struct replica_endpoint *replica_by_ip(
	struct replica *r, const char *net_id, const struct ip_addr *ip);
// The endpoint of that name (the winner), or whose id begins so.
struct replica_endpoint *replica_by_name(struct replica_net *net, const char *name_or_id);

// The network, made when it is not there: for local networks and tests.
struct replica_net *replica_net_make(struct replica *r, const char *id);
// Gives a local network its record (moved); or changes it.
int replica_net_set(
	struct replica *r, const struct network_record *rec, bool local, uint64_t revision);
// Frees a network of which nothing is known any more, unless something still refers to it (blocks,
// endpoints, `own`, `agent`, `reconcile`).
void replica_net_release(struct replica *r, struct replica_net *net);
void replica_net_remove(struct replica *r, struct replica_net *net);
