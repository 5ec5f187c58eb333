// SPDX-License-Identifier: BSD-3-Clause
// What people asked agents for, what they were told, and what they may rely on. The checks compare
// it with what there is. One thread.
#pragma once

#include "tests/sim/world.h"

enum promise_state {
	PROMISE_ASKED,	 // no answer yet
	PROMISE_KEPT,	 // success was reported
	PROMISE_REFUSED, // failure was reported
	PROMISE_UNSURE,	 // the agent died before it said anything
};

enum stop_state {
	STOP_NONE,
	STOP_ASKED,
	STOP_DONE,   // success was reported
	STOP_UNSURE, // nothing is known
};

// A connection of a container to a network.
struct promise {
	struct world *w;
	struct host *host;
	struct container *container;
	char network[NAME_BYTES], net_id[ID_BYTES];
	enum promise_state state;
	enum stop_state stop;
	uint64_t asked_us, kept_us, ended_us; // kept: success was reported
	struct endpoint_record rec; // as its host has it; aliases and options are not kept
	uint32_t vni;
	bool was_stored;	 // the store had its record when success was reported
	uint64_t stored_us;	 // when it had it last
	uint64_t fenced_seen_us; // its host's `fenced_us` when it was looked at last
	bool lost_ok;		 // nobody but its host knew it, and the host forgot
	uint64_t port_us;	 // when its port was seen first
	// Hosts whose switch had its entry; of its own host, its port.
	bool seen[WORLD_HOSTS_MAX];
	// Hosts that may still have somebody else in its place: check.c.
	bool displaced[WORLD_HOSTS_MAX];
	LIST_ENTRY(promise) entry;
};

struct net_promise {
	struct world *w;
	struct host *host;
	char name[NAME_BYTES], id[ID_BYTES];
	uint32_t vni;
	enum promise_state state;
	enum stop_state stop;
	uint64_t asked_us, kept_us;    // kept: it was answered
	const struct promise *used_by; // when it was asked to go; NULL: nobody
	LIST_ENTRY(net_promise) entry;
};

void promise_connect(struct host *h, struct container *c, const char *network,
	const struct ip_addr *ip, const char *alias);
void promise_disconnect(struct promise *p);
void promise_create(struct host *h, const char *network, const char *subnet, bool ipv6);
void promise_remove(struct host *h, const char *network);
void promises_free(struct world *w);
// The host is about to lose its state folder.
void promises_forget(struct host *h);
// It has not read the store since, or has just done so.
void promises_blank(struct host *h);
// It has another address.
void promises_moved(struct host *h);
// The store is about to be lost or set back.
void promises_store_lost(struct world *w);

// The host's own idea of it, from its agent. NULL: no agent, or it does not know it.
struct local_endpoint *promise_endpoint(const struct promise *p);
void promise_update(struct promise *p, const struct local_endpoint *le);
bool promise_in_store(const struct promise *p);
// Success was reported, nobody asked for its end, its container and host are alive and its network
// was not asked to go.
bool promise_holds(const struct promise *p);
// It is not to be there: it was refused, ended, or its container or host is dead.
bool promise_is_over(const struct promise *p);
// Whether a container that was connected while its host was cut off may win that address.
bool promises_may_win(struct world *w, const char *net_id, const struct ip_addr *ip);
// It may have another address than it was told: see promise.c.
bool promise_may_move(const struct promise *p);
bool promise_is_taken_over(const struct promise *p);
// It may have been lost: see promise.c.
bool promise_may_be_lost(const struct promise *p);
// The store was lost, and has another network of that name or VNI now.
bool net_is_anothers(struct world *w, const char *id, const char *name, uint32_t vni);
bool net_asked_to_go(struct world *w, const char *id);
