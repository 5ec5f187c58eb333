// SPDX-License-Identifier: BSD-3-Clause
// The object model of the switch process: bridges and their ports, and how a change of them
// reaches the workers. All of it belongs to the main thread.
//
// A change is made in three steps: objects are changed, vswitch_commit() publishes one snapshot
// to the workers, and when the last worker has left the old snapshot (no worker is ever stopped
// for it) what was removed is closed. vswitch_settled() tells when; the control channel answers a
// change only then, so that "del-port" returning means the device is gone.
//
// Every function that changes something either does all of it or nothing.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <jansson.h>

#include "base/err.h"
#include "base/loop.h"
#include "config/conf.h"
#include "dp/dp.h"
#include "dp/guard.h"
#include "dp/port.h"
#include "vswitch/bridge_mtu.h"
#include "vswitch/state.h"

struct vswitch;
struct bridge;
struct model_grave;
struct vtep_objects;

enum vport_state { VPORT_UP, VPORT_DOWN };

// A port as the object model sees it: it outlives its device.
struct vport {
	TAILQ_ENTRY(vport) entry; // in its bridge
	struct bridge *bridge;
	struct conf_port conf;
	const struct port_type_row *row; // of its type
	struct port *port;		 // NULL while down
	enum vport_state state;
	struct err down;	   // why it is down
	uint16_t dp_id;		   // index of its counters; kept while it is down
	struct dp_guard guard;	   // of an open port that vport_is_guarded()
	struct dp_ips peers;	   // the same; of one with `filter_from`
	bool forget;		   // what it learned names a remote VTEP that is gone
	uint64_t since_us;	   // monotonic, of the last change of state
	struct model_grave *grave; // made beforehand, so that removing cannot fail
};

// A static forwarding entry.
struct static_entry {
	struct conf_fdb conf;
	uint16_t remote; // number of its tunnel, held while the port is up; 0: none
};

struct bridge {
	TAILQ_ENTRY(bridge) entry;
	struct vswitch *vs;
	struct conf_bridge_opts opts;
	uint16_t dp_id;
	TAILQ_HEAD(vport_list, vport) ports;
	struct static_entry **fdb; // by VLAN and MAC
	struct conf_neigh *neigh;  // by VLAN and address
	size_t fdb_room, neigh_room;
	unsigned nb_ports, nb_fdb, nb_neigh;
	struct bridge_mtu mtu;	   // see port_mtu.c
	bool mtu_stale;		   // tunnels or their offers are not those that `mtu` was made of
	bool mtu_untold;	   // ports with mtu=auto may have another MTU than they should
	struct model_grave *grave; // as of struct vport
};

TAILQ_HEAD(bridge_list, bridge);

struct vswitch_opts {
	struct loop *loop;
	struct dp *dp;
	struct port_env port_env;     // types NULL: all of port_types.h
	const char *state_path;	      // running configuration is kept here; NULL: nowhere
	struct conf process;	      // process options of the running configuration; no bridges
	struct state_digests digests; // of the files that it was loaded from
	// Called for every event that `vsctl monitor` shows: "port.up", "port.down", "port.add",
	// ...
	void (*event)(void *arg, const char *name, json_t *data /* borrowed */);
	void *event_arg;
};

int vswitch_new(const struct vswitch_opts *opts, struct vswitch **ret_vs, struct err *err);

// Closes all ports; `remove` deletes their devices too (a plain stop leaves them for the restart).
void vswitch_free(struct vswitch *vs, bool remove);

// Creates the bridges, ports and static entries of `conf`, at start. A port whose device cannot be
// opened is down, with the reason, and is tried again.
int vswitch_load(struct vswitch *vs, const struct conf *conf, struct err *err);

// What the loop's timer does every 100 ms; also called when a worker asked for the main thread:
// ports whose device is gone are taken down, the forwarding table is looked after.
void vswitch_service(struct vswitch *vs);

// ---- look-ups ----

struct bridge_list *vswitch_bridges(struct vswitch *vs);
struct vtep_objects *vswitch_vteps(struct vswitch *vs); // see vxlan/vtep_object.h
struct bridge *vswitch_find_bridge(struct vswitch *vs, const char *name);
struct vport *vswitch_find_port(struct vswitch *vs, const char *name);
// The same, or -ENOENT with the reason.
int vswitch_get_bridge(
	struct vswitch *vs, const char *name, struct bridge **ret_bridge, struct err *err);
int vswitch_get_port(
	struct vswitch *vs, const char *name, struct vport **ret_port, struct err *err);
struct vport *vswitch_port_by_id(struct vswitch *vs, uint16_t dp_id); // NULL when gone
// The remote switch that a port has under this number (dp_remote()), if any.
bool vport_remote_ip(const struct vport *vp, uint16_t remote, struct ip_addr *ret_ip);
struct dp *vswitch_dp(struct vswitch *vs);

// ---- changes; names and values were checked by config/ ----

int vswitch_bridge_add(struct vswitch *vs, const struct conf_bridge_opts *opts, struct err *err);
int vswitch_bridge_set(struct vswitch *vs, const struct conf_bridge_opts *opts, struct err *err);
int vswitch_bridge_del(struct vswitch *vs, const char *name, struct err *err); // and its ports

int vswitch_vtep_add(struct vswitch *vs, const struct conf_vtep *conf, struct err *err);
// Recreates it: its VNIs are without traffic for a moment.
int vswitch_vtep_set(struct vswitch *vs, const struct conf_vtep *conf, struct err *err);
int vswitch_vtep_del(struct vswitch *vs, const char *name, struct err *err); // unused ones

// Adds all `count` ports to `bridge` or none. The first vxlan port makes the VTEP
// `default` when there is no VTEP.
int vswitch_ports_add(struct vswitch *vs, struct bridge *bridge, const struct conf_port *ports,
	unsigned count, struct err *err);
int vswitch_port_set(struct vswitch *vs, const struct conf_port *conf, struct err *err);
int vswitch_ports_del(
	struct vswitch *vs, const char *const *names, unsigned count, struct err *err);

// Static forwarding entries: all or none. Adding one that exists replaces it. Deleting one that
// does not exist is -ENOENT, or with `if_exists` does nothing. Naming one twice is -EINVAL. To
// delete an entry, its port need not be given, unless it is of the zero address; its tunnel need
// not be given either, but must match when it is.
int vswitch_fdb_add(struct vswitch *vs, struct bridge *bridge, const struct conf_fdb *entries,
	unsigned count, struct err *err);
int vswitch_fdb_del(struct vswitch *vs, struct bridge *bridge, const struct conf_fdb *entries,
	unsigned count, bool if_exists, unsigned *ret_deleted, struct err *err);

// The entries of the zero address of a vxlan port in its own VLAN (`tag`, else untagged), which are
// side by side. Returns their number.
unsigned vport_floods(const struct vport *vp, struct static_entry *const **ret_first);

// The addresses that a bridge answers for; in the same way.
int vswitch_neigh_add(struct vswitch *vs, struct bridge *bridge, const struct conf_neigh *entries,
	unsigned count, struct err *err);
int vswitch_neigh_del(struct vswitch *vs, struct bridge *bridge, const struct conf_neigh *entries,
	unsigned count, bool if_exists, unsigned *ret_deleted, struct err *err);

// Index of the first neighbour of the bridge beyond `key`'s VLAN and address.
unsigned vswitch_neigh_after(const struct bridge *bridge, const struct conf_neigh *key);

// Publishes what was changed and has the running configuration saved. Called once per request.
// Forwarding entries and neighbours come one by one and in great numbers: those are saved together,
// later; so is everything once the file is so large that writing it takes a while. A change
// is not taken back because it could not be saved: packets matter more than a file, and a container
// that has gone must be removable on a full disk. Then `warning` says so, an event is sent, and
// saving is tried again every second.
void vswitch_commit(struct vswitch *vs, struct err *warning);

// Why changes could not be saved; its code is 0 when the last attempt worked.
const struct err *vswitch_unsaved(const struct vswitch *vs);

struct vswitch_saving {
	bool pending;	// changes wait for the next time
	uint64_t count; // of times that it was written
};

const struct vswitch_saving *vswitch_saving(const struct vswitch *vs);

// True when no earlier commit is still on its way. While it is false, call again after a moment.
bool vswitch_settled(struct vswitch *vs);

// The running configuration, with or without forwarding entries and neighbours; conf_fini() it.
int vswitch_running_conf(struct vswitch *vs, bool entries, struct conf *ret_conf, struct err *err);
