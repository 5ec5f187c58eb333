// SPDX-License-Identifier: BSD-3-Clause
// A VTEP as an object of the switch: it has a name and options, is up or down with a reason, and is
// tried again. It outlives `struct vtep` (vxlan.h), which is what is open while it is up. Ports of
// type vxlan are on it (vxlan_port.c).
//
// All of it belongs to the main thread. The object model (vswitch/) owns the VTEPs and is called
// back for what concerns its other objects.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <jansson.h>

#include "base/err.h"
#include "base/loop.h"
#include "config/conf.h"
#include "dp/grave.h"
#include "dp/port.h"
#include "vxlan/vxlan.h"

#define VTEP_RETRY_SECONDS 1

struct vtep_objects;
struct vtep_grave;

struct vtep_object {
	TAILQ_ENTRY(vtep_object) entry;
	struct vtep_objects *all;
	struct conf_vtep conf;
	struct vtep *vtep;  // NULL while down
	struct port *lower; // the port whose wire it has, of an underlay that takes one; while up
	struct err down;    // why it is down
	uint16_t dp_id;	    // index of its counters; it is on no bridge
	uint16_t mtu;	    // offered, as of the last look
	uint64_t since_us;  // monotonic, of the last change of state
	unsigned nb_ports;  // that are on it, up or down
	bool implicit_new;  // made for a port, and no snapshot has had it yet
	struct loop_handle *timer, *heartbeat_timer;
	struct vtep_grave *grave; // made beforehand, so that removing cannot fail
};

TAILQ_HEAD(vtep_object_list, vtep_object);

// What VTEPs get from the object model.
struct vtep_objects_env {
	struct vxlan_env vxlan; // has the function for events, too: vtep.add, vtep.down, ...
	struct loop *loop;
	const struct port_env *port_env; // of lower ports

	void *arg;					 // of the functions
	bool (*name_taken)(void *arg, const char *name); // by a port: VTEPs share names with them
	// Takes the ports that are on it down. -ENOMEM: some are still up.
	int (*ports_down)(void *arg, const struct vtep_object *vo, const struct err *why);
	// Ends `grave` when no snapshot has what is in it.
	void (*bury)(void *arg, struct grave *grave);
	void (*publish)(void *arg); // something that snapshots have has changed
};

// All VTEPs of a switch.
struct vtep_objects {
	struct vtep_objects_env env;
	int *distrusted; // devices, by index
	unsigned nb_distrusted;
	bool distrust_failed; // some VTEP has another list
	struct vtep_object_list list;
};

void vtep_objects_init(struct vtep_objects *all, const struct vtep_objects_env *env);
void vtep_objects_fini(struct vtep_objects *all, bool remove); // after the ports, without workers

struct vtep_object *vtep_object_find(struct vtep_objects *all, const char *name);
// The same, or -ENOENT with the reason.
int vtep_object_get(
	struct vtep_objects *all, const char *name, struct vtep_object **ret_vo, struct err *err);

// ---- adding, changing, deleting; names and values were checked by config/ ----

// With `must_open`, one that cannot be opened is an error; without, it is down, with the reason.
int vtep_object_add(struct vtep_objects *all, const struct conf_vtep *conf, bool must_open,
	struct vtep_object **ret_vo, struct err *err);
void vtep_object_del(struct vtep_object *vo); // no port is on it

// Opens it. On failure it is as it was.
int vtep_object_up(struct vtep_object *vo, struct err *err);
// Takes its ports and it down; with `remove`, a device of its lower port is deleted. -ENOMEM: the
// ports may be down, it is not.
int vtep_object_down(struct vtep_object *vo, const struct err *why, bool remove);

void vtep_object_tell(struct vtep_object *vo, const char *event);

// ---- work ----

void vtep_objects_check(struct vtep_objects *all);  // those whose device has gone are taken down
void vtep_objects_hear(struct vtep_objects *all);   // heartbeats that have come
bool vtep_objects_retry(struct vtep_objects *all);  // whether one has come up
int vtep_objects_publish(struct vtep_objects *all); // tables of remotes and VNIs. -ENOMEM
// As vtep_distrust(), for all that are in the switch's own namespace or come up there. Does nothing
// when they do so already.
int vtep_objects_distrust(struct vtep_objects *all, const int *ifindex, unsigned count);
// Writes the ports of those that are up; returns how many.
unsigned vtep_objects_view(const struct vtep_objects *all, struct dp_view_port *ports);

// ---- ports of type vxlan; the row's argument is a struct vtep_objects ----

extern const struct port_type port_vxlan;

// Chooses the VTEP of a port (conf_port_settle()), making the implicit one if it is to be that, and
// counts the port; or counts it no more. As port_type.settle and release.
int vtep_object_settle(
	struct vtep_objects *all, struct conf_port *conf, bool must_open, struct err *err);
void vtep_object_release(struct vtep_objects *all, const struct conf_port *conf);
