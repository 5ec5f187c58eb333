// SPDX-License-Identifier: BSD-3-Clause
// What the files of vxlan/ share: open VTEPs and VNIs. Workers use the data-plane ports and the
// members that say so; all else belongs to the main thread.
#pragma once

#include <stdatomic.h>

#include "vxlan/marking.h"
#include "vxlan/path.h"
#include "vxlan/table.h"
#include "vxlan/vxlan.h"

#define VTEP_NO_VNI UINT32_MAX

struct vtep_remote {
	struct ip_addr ip; // family 0: this number is free
	uint32_t refs;
	uint16_t path_mtu; // of the underlay as it is configured; 0: not known
	uint16_t next;	   // of those with the same hash; 0: none
	uint32_t vni;	   // the lowest VNI that it is in, as published; VTEP_NO_VNI

	struct heartbeat *heartbeat; // NULL: never asked
	struct path path;	     // what heartbeats tell of its size
	uint64_t answer_due_us;	     // see heartbeat_may_answer()
	int failed;		     // negative errno of the last request's sending
};

// See liveness.h.
struct liveness {
	struct rte_ring *heard;

	// Main thread.
	struct mac mac;	 // source of what is sent: others may learn it, so each has its own
	uint16_t remote; // asked last
	uint64_t due_us; // when the next one is asked
};

#define VTEP_REMOTE_HEADS 1024 // of the hash by address

struct vtep;
struct vni;

// An underlay: how packets of VTEPs get to other hosts. Its functions are for the main thread.
struct vtep_underlay {
	bool on_lower; // VTEPs have the wire of a port to themselves: vtep_open() is given it
	// Fills vtep->dp, vtep->mapped and what is the underlay's own in `vtep`; an address that
	// is not given becomes one of vtep->conf. `lower` as in vtep_open().
	int (*open)(struct vtep *vtep, struct dp_port *lower, struct err *err);
	void (*close)(struct vtep *vtep);
	// Fills what is the underlay's in vni->dp.
	void (*vni_init)(struct vni *vni);
	// Bytes of the largest IP packet that leaves, and that may leave on the way to `ip`, as
	// this host is configured, whatever others say; 0 when not known.
	uint16_t (*device_mtu)(const struct vtep *vtep);
	uint16_t (*path_mtu)(const struct vtep *vtep, const struct ip_addr *ip);
	// `table` is about to become the VTEP's; on an error it does not. May be NULL.
	int (*publish)(struct vtep *vtep, const struct vxlan_table *table);
	// As vtep_distrust(); NULL: nothing comes in by devices of this host.
	int (*distrust)(const struct vtep *vtep, const int *ifindex, unsigned count);
	// Sends and frees `m`, a whole frame of a VNI with room for outer headers. `flow` chooses
	// one of the paths that flows take. A negative errno, if a failure is known.
	int (*send)(struct vtep *vtep, uint16_t remote, uint32_t vni, struct rte_mbuf *m,
		uint32_t flow);
	// As vtep_service().
	uint32_t (*service)(struct vtep *vtep, uint64_t now_us);
	void (*describe)(const struct vtep *vtep, json_t *obj); // may be NULL
};

extern const struct vtep_underlay kernel_underlay, port_underlay;

const struct vtep_underlay *vtep_underlay_of(enum conf_underlay underlay);

struct vtep {
	struct dp_port dp; // first: rx() casts
	// Workers: never NULL, read once for a batch.
	_Atomic(struct vxlan_table *) table;
	struct kernel *kernel;	    // underlay `kernel`
	struct port_underlay *port; // underlay `port`
	atomic_uint_fast16_t mtu;   // see vtep_mtu()
	struct liveness liveness;

	// Main thread.
	const struct vtep_underlay *underlay;
	struct conf_vtep conf;
	struct vxlan_env env;
	uint16_t limit;			 // as `mtu`, but for what heartbeats tell of paths
	bool mapped;			 // its sockets are of IPv6 and take IPv4 addresses in it
	char path[CONF_NAME_BYTES + 16]; // "VTEP t0", for errors
	struct vtep_remote *remote;	 // index: number
	uint32_t remote_room, nb_remotes, nb_ip6; // room; those that exist; of IPv6 among them
	uint16_t next_probe;  // number of the remote whose route is looked at next
	uint16_t last_remote; // number given last
	uint16_t head[VTEP_REMOTE_HEADS];
	struct vni **vni; // by index; NULL: free
	uint32_t vni_room;
	bool dirty; // the table is not what was added and deleted
};

static inline bool vtep_is_remote(const struct vtep *vtep, uint16_t remote)
{
	return remote < vtep->remote_room && vtep->remote[remote].ip.family;
}

// How often a remote was added to a VNI.
struct vni_member {
	uint32_t takes, floods;
};

struct vni {
	struct dp_port dp; // first: tx() casts
	struct vtep *vtep;
	uint32_t number, index;
	atomic_uint marking; // see marking_pack(); workers read it once for a batch

	// Main thread.
	uint16_t conf_mtu;
	void (*on_mtu)(void *arg); // may be NULL
	void *on_mtu_arg;
	struct vni_member *member; // by number of the remote
	uint32_t member_room;
};

static inline struct vxlan_marking vni_marking(const struct vni *vni)
{
	return marking_unpack(atomic_load_explicit(&vni->marking, memory_order_relaxed));
}

// That of a VNI by its number; main thread.
struct vxlan_marking vtep_marking(const struct vtep *vtep, uint32_t number);
