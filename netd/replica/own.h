// SPDX-License-Identifier: BSD-3-Clause
// The endpoints of this host: what the agent wants in the switch, in containers and in the store.
#pragma once

#include "base/netns.h"
#include "netd/replica/replica.h"

enum own_state {
	OWN_STARTING, // its port is being made
	OWN_UP,	      // the container has its interface
	OWN_FAILED,   // the switch or the container refused; tried again
	OWN_CONFLICT, // another endpoint has won its address; its port is off
	OWN_STOPPING, // its port is being deleted
};

struct agent_own;

struct own_endpoint {
	struct endpoint_record rec;
	struct replica_net *net;
	enum own_state state;
	char reason[256];      // of OWN_FAILED and OWN_CONFLICT
	struct netns_id netns; // of the container; zero: none
	bool spoof_ok;	       // -o spoof=allow
	bool stored;	       // the store has this record, as far as the replica knows
	LIST_ENTRY(own_endpoint) of_net, of_container;
	UT_hash_handle hh;	 // by rec.id
	struct agent_own *agent; // the agent's private part
};
