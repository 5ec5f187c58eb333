// SPDX-License-Identifier: BSD-3-Clause
// The inside of the object model, shared by the files of vswitch/ only.
#pragma once

#include "vswitch/vswitch.h"
#include "vxlan/vxlan.h"

// What was taken out of the model and must outlive the snapshots that name it.
struct grave {
	STAILQ_ENTRY(grave) entry;
	struct port *port; // or NULL
	struct vtep *vtep; // or NULL; goes before `port`, which it may stand on
	bool remove;	   // the port's device too
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
	struct vxlan_env vxlan_env;
	struct bridge_list bridges;
	struct switch_vtep_list vteps;
	struct vport *by_id[DP_PORTS_MAX];
	STAILQ_HEAD(, grave) graves;
	bool unpublished; // objects changed since the last snapshot
	struct saving saving;
	struct loop_handle *service_timer, *retry_timer, *settle_timer;
	unsigned retry_part; // of the ports, to be looked at next
};

// Publishes the model to the workers without saving it. When memory is short it is tried again
// until it is done; vswitch_settled() is false meanwhile.
int vswitch_publish(struct vswitch *vs, struct err *err);

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

// Makes the guard of an open port out of its options, if it is to have one. -EINVAL when the
// address of who is behind it is not known.
int guard_make(struct vport *vp, struct err *err);

// Opens the device of a port that went down, and tells when that worked.
bool vport_retry(struct vswitch *vs, struct vport *vp);

// Takes an open port down; its device is let go when no worker uses it any more. -ENOMEM.
int vport_take_down(struct vswitch *vs, struct vport *vp, const struct err *why);

// Static entries of a port: they are gone with it; and while it is up, they hold their remote
// VTEPs (fdb_port_up() after vport_open(), fdb_port_down() before the port is let go).
void fdb_port_drop(struct vswitch *vs, struct vport *vp);
int fdb_port_up(struct vswitch *vs, struct vport *vp, struct err *err);
void fdb_port_down(struct vswitch *vs, struct vport *vp);

// The ports of a bridge, to settle entries; free() `port`. -ENOMEM.
int fdb_ports(const struct bridge *bridge, struct conf_fdb_ports *ret_ports);

// Brings the neighbours of a bridge to the data plane. -ENOMEM.
int neigh_apply(struct vswitch *vs, const struct bridge *bridge);

// ---- VTEPs ----

// Adds a VTEP at start: one that cannot be opened is down, with the reason.
int switch_vtep_load(struct vswitch *vs, const struct conf_vtep *conf, struct err *err);

// Chooses the VTEP of a vxlan port (conf_port_settle()) and makes the implicit one if it is to
// be that; `must_open`, or it may be down. Other ports are left alone.
int switch_vtep_settle(struct vswitch *vs, struct conf_port *conf, bool must_open, struct err *err);

// Undoes the adding of a VTEP that no worker has seen.
void switch_vtep_undo(struct vswitch *vs, struct switch_vtep *ep);

void switch_vteps_check(struct vswitch *vs);  // those whose device has gone are taken down
void switch_vteps_hear(struct vswitch *vs);   // heartbeats that have come
bool switch_vteps_retry(struct vswitch *vs);  // whether one has come up
int switch_vteps_publish(struct vswitch *vs); // tables of remotes and networks
unsigned switch_vteps_view(struct vswitch *vs, struct dp_view_port *ports);
void switch_vteps_free(struct vswitch *vs, bool remove);

// ---- ports of type vxlan, and the MTU of ports that follow them ----

extern const struct port_type vxlan_port;

// The network of an open port of that type, and the VTEP that it is on.
struct vni *vxlan_port_vni(const struct port *port);
struct vtep *vxlan_port_vtep(const struct port *port);

// The options of the port with the MTU that `auto` stands for now.
struct conf_port vport_conf(const struct vport *vp);
void mtu_follow(struct vswitch *vs); // gives it to ports whose MTU is another

// Adds a port at start: one whose device cannot be had is down, with the reason.
int vport_load(
	struct vswitch *vs, const char *bridge, const struct conf_port *conf, struct err *err);
