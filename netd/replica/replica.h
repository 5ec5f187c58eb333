// SPDX-License-Identifier: BSD-3-Clause
// This host's copy of the store, indexed. Names, inspection and forwarding come from it, whether
// the store answers or not. The replica reads and writes the records only. Members that are marked
// as slots belong to the part that is named there, which keeps with a network or an endpoint what
// it knows of it; the replica never looks at them. local_endpoint.h has this host's endpoints. Main
// thread only.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <uthash.h>

#include "netd/record/record.h"

struct agent_net;
struct local_endpoint;
struct replica;
struct replica_claim;
struct replica_net;

// A `revision` is that of the record in the store; 0: the store does not have it (it was kept when
// the store was lost).

// A host; also one that only endpoints or blocks speak of. It is here while it is present, or has
// any of these.
struct replica_host {
	struct host_record rec; // only `name` counts until `known`
	uint64_t revision;
	bool known;   // a record of it was read once
	bool present; // the record is there, readable or not: its lease is held. Otherwise the host
		      // is suspended
	bool seen;    // in the present BEGIN..SYNCED
	bool kept;    // slot of the agent: it was told that it stays although it is silent
	uint64_t absent_since_us; // when not present
	LIST_HEAD(, replica_endpoint) endpoints;
	unsigned nb_endpoints;
	LIST_HEAD(, replica_block) blocks;
	// Slot of the agent, while it looks at a network: what the host has of its addresses.
	struct {
		uint64_t nb_free;
		unsigned nb_idle;
		bool takes_part;
	} share;
	UT_hash_handle hh; // by name
};

struct replica_block {
	struct block_record rec;
	uint64_t revision;
	bool seen;
	LIST_ENTRY(replica_block) of_net, of_host;
	struct replica_net *net;
	struct replica_host *host; // its owner; NULL: given back
	UT_hash_handle hh;	   // by key
	char key[];		   // with RECORD_PREFIX
};

struct replica_endpoint {
	struct endpoint_record rec;
	uint64_t revision;
	bool seen;
	bool dropping;		 // slot of the agent: it is being deleted
	struct replica_net *net; // of its id; the network's record may not be known
	struct replica_host *host;
	uint64_t hash;		      // of the record's text
	struct replica_claim *claims; // index.c
	LIST_ENTRY(replica_endpoint) of_net, of_host;
	UT_hash_handle hh; // by key
	char key[];
};

// A network; also one of which only blocks or endpoints were read so far (`known` is false then:
// a network that was deleted, or whose record comes later).
struct replica_net {
	struct replica *replica;
	char id[ID_BYTES];
	struct network_record rec;
	uint64_t revision;
	bool known, seen;
	bool local; // of this host only: never in the store
	LIST_HEAD(, replica_endpoint) endpoints;
	unsigned nb_endpoints;
	LIST_HEAD(, replica_block) blocks;

	// Slots of the agent: endpoints of this host, how many of them have their names published,
	// whether the network has, and all else.
	LIST_HEAD(, local_endpoint) local_endpoints;
	unsigned nb_local, nb_named;
	bool named;
	struct agent_net *agent;
	void *reconcile; // slot of the reconciler

	UT_hash_handle hh;	// by id
	UT_hash_handle hh_name; // by name, when known
};

struct replica_skipped { // a record that cannot be read
	char *reason;
	bool seen;
	UT_hash_handle hh;
	char key[];
};

// What has changed, after it did; `old` is what it was (NULL: it is new), and for a removal the
// last argument before the structure goes. All may be NULL.
struct replica_observer {
	void (*host)(void *arg, struct replica_host *host, const struct host_record *old);
	void (*host_gone)(void *arg, struct replica_host *host); // nothing speaks of it any more
	void (*net)(void *arg, struct replica_net *net, bool gone);
	void (*block)(void *arg, struct replica_block *block, bool gone);
	void (*endpoint)(void *arg, struct replica_endpoint *ep, const struct endpoint_record *old,
		bool gone);
	void *arg;
};

struct replica {
	struct replica_host *hosts;
	struct replica_net *nets;			  // all
	struct replica_net *nets_by_name, *local_by_name; // known ones
	struct replica_block *blocks;
	struct replica_endpoint *endpoints;
	struct replica_skipped *skipped;
	struct cluster_record cluster; // id empty: none read
	uint64_t allocation_revision;  // 0: none read; whether the store went back shows in it
	uint64_t revision;	       // of the store, up to which all is here
	struct replica_observer observer;
	// private
	struct replica_index *index;
	bool cluster_seen, allocation_seen;
};

// Observers may look up anything, but change nothing in the replica.
int replica_init(struct replica *r, const struct replica_observer *observer);
void replica_fini(struct replica *r);

// A key was set or deleted (`value` NULL) in the store; the key has RECORD_PREFIX. A record that
// cannot be read goes to `skipped` (logged once), and one that was there under that key stays as
// it was. -ENOMEM, -EBADMSG (skipped).
int replica_apply(struct replica *r, const char *key, const char *value, size_t len_bytes,
	uint64_t revision, uint64_t now_us);

// What becomes of records that are not in what was read.
enum replica_keep {
	REPLICA_KEEP_NONE,   // somebody has deleted them
	REPLICA_KEEP_ALL,    // the store was lost: its hosts will put back what is theirs
	REPLICA_KEEP_LOST,   // only those that were kept before, and that nobody has put back yet
	REPLICA_KEEP_LOADED, // the store was not asked at all: all stay as they are
};

// Between these, what is set is marked as seen; at the end what was not seen is deleted, as by
// replica_apply(). What is kept as lost has `revision` 0; hosts that were not seen are no longer
// present in any case, and `cluster` and `allocation_revision` are those of the store.
// replica_end() with REPLICA_KEEP_NONE may follow later: it deletes what nobody has put back since.
void replica_begin(struct replica *r);
void replica_end(struct replica *r, enum replica_keep keep, uint64_t now_us);

// What is there under the key (with RECORD_PREFIX), whatever it is.
bool replica_has_key(struct replica *r, const char *key);
// It is there only because it was kept when the store was lost.
bool replica_lost_key(struct replica *r, const char *key);
struct replica_block *replica_block(struct replica *r, const char *key);       // NULL
struct replica_endpoint *replica_endpoint(struct replica *r, const char *key); // NULL

struct replica_host *replica_host(struct replica *r, const char *name); // NULL: never heard of
// A known one of that name (record_name_same()): the one with its very letters, if there is one.
// This host's own networks come first.
struct replica_net *replica_net_by_name(struct replica *r, const char *name);
// Also by a unique start of its id.
struct replica_net *replica_net(struct replica *r, const char *name_or_id);
struct replica_net *replica_net_by_id(struct replica *r, const char *id);
// Who has the address in the network: of several claims the winner (endpoint_record_compare()).
struct replica_endpoint *replica_by_ip(
	struct replica *r, const char *net_id, const struct ip_addr *ip);
// The endpoint of that name (the winner), or the only one whose id begins so.
struct replica_endpoint *replica_by_name(struct replica_net *net, const char *name_or_id);

// The network, made when it is not there: for local networks and tests.
struct replica_net *replica_net_make(struct replica *r, const char *id);
// Gives a network its record, which is moved on success, or changes it. -EEXIST: another network
// has its id or, among those of its kind (local or not), its name; -ENOMEM.
int replica_net_set(
	struct replica *r, const struct network_record *rec, bool local, uint64_t revision);
void replica_net_remove(struct replica *r, struct replica_net *net);
// Frees a network that is not known and that nothing hangs on: no block, no endpoint, nothing of
// the agent's or the reconciler's. For who let go of the last of these.
void replica_net_tidy(struct replica *r, struct replica_net *net);
