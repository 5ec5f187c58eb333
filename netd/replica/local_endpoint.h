// SPDX-License-Identifier: BSD-3-Clause
// The endpoints of this host: what the agent wants in the switch, in containers and in the store.
#pragma once

#include <stdio.h>

#include "base/netns.h"
#include "netd/replica/replica.h"

// Only netd/agent/agent_endpoint_life.c changes the state of an endpoint; it has the table of
// states and events.
enum local_endpoint_state {
	ENDPOINT_STARTING,     // its port is being made again; its caller was told of it before
	ENDPOINT_CREATING,     // no namespace; it waits until the store has its record
	ENDPOINT_CREATED,      // no namespace
	ENDPOINT_TAKEN,	       // no namespace; another endpoint has won an address it was asked for
	ENDPOINT_UNADDRESSED,  // no namespace; it waits for another address
	ENDPOINT_CONNECTING,   // connected in one step: its port is being made for the first time
	ENDPOINT_CONFIRMING,   // its interface is up; it waits until the store has its record
	ENDPOINT_JOINING,      // it was created before; its port is being made
	ENDPOINT_UP,	       // the container has its interface
	ENDPOINT_NO_PORT,      // the switch refused its port; tried again
	ENDPOINT_UNCONFIGURED, // its interface cannot be configured; tried again
	ENDPOINT_LOSING,       // another endpoint has won its address; its port is being deleted
	ENDPOINT_CONFLICT,     // and it has no port until that one has gone
	ENDPOINT_MOVING,       // it is to get another address; its port is being deleted
	ENDPOINT_MOVED,	       // and it waits for that address
	ENDPOINT_LEAVING,      // its port is being deleted; then it has no namespace any more
	ENDPOINT_STOPPING,     // its port is being deleted; then it ends
	ENDPOINT_STOPPED,      // it ends when the store has let go of its record
	NB_ENDPOINT_STATES
};

struct agent_endpoint;

struct local_endpoint {
	struct endpoint_record rec;
	struct replica_net *net;
	enum local_endpoint_state state;
	char reason[256];      // why it is as it is, for people; empty: nothing is wrong
	struct netns_id netns; // of the container; zero: none
	bool stored;	       // the store has this record, as far as the replica knows
	LIST_ENTRY(local_endpoint) of_net, of_container;
	UT_hash_handle hh;	      // by rec.id
	struct agent_endpoint *agent; // the agent's private part
};

// The name of its port in the switch.
#define LOCAL_ENDPOINT_PORT_BYTES 16
static inline const char *local_endpoint_port(
	const struct local_endpoint *le, char buf[LOCAL_ENDPOINT_PORT_BYTES])
{
	snprintf(buf, LOCAL_ENDPOINT_PORT_BYTES, "cw.%.12s", le->rec.id);
	return buf;
}

// The switch is to have its port.
static inline bool local_endpoint_wants_port(const struct local_endpoint *le)
{
	switch (le->state) {
	case ENDPOINT_STARTING:
	case ENDPOINT_CONNECTING:
	case ENDPOINT_CONFIRMING:
	case ENDPOINT_JOINING:
	case ENDPOINT_UP:
	case ENDPOINT_NO_PORT:
	case ENDPOINT_UNCONFIGURED:
		return true;
	default:
		return false;
	}
}
