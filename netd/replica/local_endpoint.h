// SPDX-License-Identifier: BSD-3-Clause
// The endpoints of this host: what the agent wants in the switch, in containers and in the store.
#pragma once

#include "base/netns.h"
#include "netd/replica/replica.h"

enum local_endpoint_state {
	ENDPOINT_STARTING, // its port is being made
	ENDPOINT_UP,	   // the container has its interface
	ENDPOINT_FAILED,   // the switch or the container refused; tried again
	ENDPOINT_CONFLICT, // another endpoint has won its address; its port is off
	ENDPOINT_STOPPING, // its port is being deleted
};

struct agent_endpoint;

struct local_endpoint {
	struct endpoint_record rec;
	struct replica_net *net;
	enum local_endpoint_state state;
	char reason[256];      // of ENDPOINT_FAILED and ENDPOINT_CONFLICT
	struct netns_id netns; // of the container; zero: none
	bool stored;	       // the store has this record, as far as the replica knows
	LIST_ENTRY(local_endpoint) of_net, of_container;
	UT_hash_handle hh;	      // by rec.id
	struct agent_endpoint *agent; // the agent's private part
};
