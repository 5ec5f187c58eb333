// SPDX-License-Identifier: BSD-3-Clause
// What the files of vxlan/ share of tunnel endpoints and networks. Workers use the data-plane ports
// and what is named there; all else is the main thread's.
#pragma once

#include <stdatomic.h>

#include "vxlan/table.h"
#include "vxlan/vxlan.h"

struct vtep_remote {
	struct ip_addr ip; // family 0: this number is free
	uint32_t refs;
	uint16_t path_mtu; // of the underlay on the way there; 0: not known
	uint16_t next;	   // of those with the same hash; 0: none
};

#define VTEP_REMOTE_HEADS 1024 // of the hash by address

struct vtep {
	struct dp_port dp; // first: rx() casts
	// Workers: never NULL, read once for a batch.
	_Atomic(struct vxlan_table *) table;
	struct kernel *kernel;	  // underlay `kernel`
	atomic_uint_fast16_t mtu; // see vtep_mtu()

	// Main thread.
	struct conf_endpoint conf;
	struct vxlan_env env;
	char path[CONF_NAME_BYTES + 16]; // "tunnel endpoint t0", for errors
	struct vtep_remote *remote;	 // index: number
	uint32_t remote_room, nb_remotes;
	uint16_t last_remote; // number given last
	uint16_t head[VTEP_REMOTE_HEADS];
	struct vni **vni; // by index; NULL: free
	uint32_t vni_room;
	bool dirty; // the table is not what was added and deleted
};

// How often a remote was added to a network.
struct vni_member {
	uint32_t takes, floods;
};

struct vni {
	struct dp_port dp; // first: tx() casts
	struct vtep *vtep;
	uint32_t number, index;

	// Main thread.
	uint16_t conf_mtu;
	struct vni_member *member; // by number of the remote
	uint32_t member_room;
};
