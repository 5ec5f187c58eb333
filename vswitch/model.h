// SPDX-License-Identifier: BSD-3-Clause
// The inside of the object model, shared by the files of vswitch/ only.
#pragma once

#include "dp/grave.h"
#include "vswitch/vswitch.h"
#include "vxlan/vtep_object.h"

// What was taken out of the model and must outlive the snapshots that name it.
struct model_grave {
	struct grave grave; // first
	struct dp *dp;
	struct port *port; // or NULL
	bool remove;	   // its device too
	bool free_port_id, free_bridge_id;
	uint16_t port_id, bridge_id;
};

// When the running configuration is written to its file (saving.c).
struct saving {
	struct loop_handle *timer;
	bool entries_only;	    // the request has changed forwarding entries or neighbours
	struct err failed;	    // why what is running is not in the file
	uint64_t ended_us, took_us; // of the last time
	struct vswitch_saving shown;
};

struct vswitch {
	struct vswitch_opts opts;
	struct port_type_row types[CONF_PORT_NB_TYPES];
	struct bridge_list bridges;
	struct vtep_objects vteps;
	struct vport *by_id[DP_PORTS_MAX];
	struct grave_list graves;
	bool unpublished; // objects changed since the last snapshot
	struct saving saving;
	struct loop_handle *service_timer, *retry_timer, *settle_timer;
	unsigned retry_part; // of the ports, to be looked at next
};

// Publishes the model to the workers without saving it. When memory is short it is tried again
// until it is done; vswitch_settled() is false meanwhile.
int vswitch_publish(struct vswitch *vs, struct err *err);

// NULL: out of memory.
struct model_grave *model_grave_new(struct vswitch *vs);

// Keeps `grave` until the next snapshot is the only one in use.
void vswitch_bury(struct vswitch *vs, struct grave *grave);

// Saving: at once or later, after a request; and what is pending, at the end.
void saving_init(struct vswitch *vs);
void saving_request(struct vswitch *vs);
void saving_finish(struct vswitch *vs);

// Sends an event; takes `data`.
void vswitch_event(struct vswitch *vs, const char *name, json_t *data);

// Opens the device of a port that has none. On failure `vp` is as it was.
int vport_open(struct vswitch *vs, struct vport *vp, struct err *err);

// Whether the options of the port restrict what it may send.
bool vport_is_guarded(const struct vport *vp);
// Makes the guard of an open port out of its options, if it needs one. -EINVAL: the MAC address
// behind it is not known, or `filter` has no addresses.
int guard_make(struct vport *vp, struct err *err);

// Opens the device of a port that went down, and tells when that worked.
bool vport_retry(struct vswitch *vs, struct vport *vp);

// Takes an open port down; its device is let go when no worker uses it any more. -ENOMEM.
int vport_take_down(struct vswitch *vs, struct vport *vp, const struct err *why);

// Static entries of a port: they are gone with it; and while it is up, they hold the remote
// switches that they name (static_fdb_up() after the port was opened, static_fdb_down() before it
// is let go).
void static_fdb_drop(struct vswitch *vs, struct vport *vp);
int static_fdb_up(struct vswitch *vs, struct vport *vp, struct err *err);
void static_fdb_down(struct vport *vp);

// The ports of a bridge, to settle entries; free() `port`. -ENOMEM.
int static_fdb_ports(const struct bridge *bridge, struct conf_fdb_ports *ret_ports);

// Brings the neighbours of a bridge to the data plane. -ENOMEM.
int neigh_apply(struct vswitch *vs, const struct bridge *bridge);

// ---- VTEPs ----

void vteps_init(struct vswitch *vs);

// Adds a VTEP at start: one that cannot be opened is down, with the reason.
int vtep_load(struct vswitch *vs, const struct conf_vtep *conf, struct err *err);

// ---- the MTU of ports with mtu=auto ----

// The options of the port with the MTU that `auto` stands for now.
struct conf_port vport_conf(const struct vport *vp);
void mtu_changed(
	struct vport *vp); // was added, opened, changed, or is about to go: it may offer another
void mtu_on_offer(void *arg, struct port *port); // port_env.offer_changed
void mtu_follow(struct vswitch *vs);		 // gives it to ports whose MTU is another

// Adds a port at start, without its device; and opens those of a bridge when it has them all: one
// whose device cannot be had is down, with the reason. Tunnels go first, so that the others know
// their MTU: a device of the last start is not to have another one for a moment.
int vport_load(
	struct vswitch *vs, struct bridge *bridge, const struct conf_port *conf, struct err *err);
void vports_open_loaded(struct vswitch *vs, struct bridge *bridge);
