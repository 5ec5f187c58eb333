// SPDX-License-Identifier: BSD-3-Clause
// The inside of the object model, shared by the files of vswitch/ only.
#pragma once

#include "vswitch/vswitch.h"

// What was taken out of the model and must outlive the snapshots that name it.
struct grave {
	STAILQ_ENTRY(grave) entry;
	struct port *port; // or NULL
	bool remove;	   // its device too
	bool free_port_id, free_bridge_id;
	uint16_t port_id, bridge_id;
};

struct vswitch {
	struct vswitch_opts opts;
	struct bridge_list bridges;
	struct vport *by_id[DP_PORTS_MAX];
	STAILQ_HEAD(, grave) graves;
	bool unpublished;   // objects changed since the last snapshot
	struct err unsaved; // why the running configuration is not on disk
	struct loop_handle *service_timer, *retry_timer, *settle_timer;
};

// Publishes the model to the workers without saving it. When memory is short it is tried again
// until it is done; vswitch_settled() is false meanwhile.
int vswitch_publish(struct vswitch *vs, struct err *err);

// Keeps `grave` until the next snapshot is the only one in use.
void vswitch_bury(struct vswitch *vs, struct grave *grave);

// Sends an event; takes `data`.
void vswitch_event(struct vswitch *vs, const char *name, json_t *data);

// Opens the device of a port that has none. On failure `vp` is as it was.
int vport_open(struct vswitch *vs, struct vport *vp, struct err *err);

// Static entries that name a port that goes.
void vswitch_fdb_drop_port(struct vswitch *vs, struct bridge *bridge, const char *port);

// Adds a port at start: one whose device cannot be had is down, with the reason.
int vport_load(
	struct vswitch *vs, const char *bridge, const struct conf_port *conf, struct err *err);
