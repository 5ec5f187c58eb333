// SPDX-License-Identifier: BSD-3-Clause
// A port: a struct dp_port for the data plane, and what the main thread needs to make it, change
// it and tell about it. One file per port type; the registry in port.c lists them.
//
// All functions here are for the main thread. The object model (vswitch/) owns the ports.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>
#include <rte_mempool.h>

#include "base/err.h"
#include "config/conf.h"
#include "dp/dp_port.h"

// What ports get from the process.
struct port_env {
	struct rte_mempool *pool;     // buffers of 2 KiB (RTE_MBUF_DEFAULT_BUF_SIZE)
	struct rte_mempool *big_pool; // buffers of 64 KiB, for segments and jumbo frames
	uint16_t nb_workers;
	const char *switch_id; // marks devices of ours, so that they are found after a restart

	// Further types than those in ports/, NULL at the end, and an argument of theirs.
	const struct port_type *const *types; // may be NULL
	void *type_arg;
};

struct port;

// The operations of a port type.
struct port_type {
	enum conf_port_type id;

	// Makes or re-attaches the device as `port->conf` says and fills `port->dp`. A device
	// that this switch left behind (killed, restarted) is taken over as it is: its traffic
	// must not notice. On failure nothing is left behind.
	int (*open)(struct port *port, struct err *err);

	// Lets go of the device after the last worker has. With `remove`, a device that open()
	// made is deleted; without, it stays for the next start (taps and veths persist).
	void (*close)(struct port *port, bool remove);

	// Applies a change of mtu, mac, ip to a running port; options that cannot be changed live
	// are refused before (port_check_change()).
	int (*change)(struct port *port, const struct conf_port *conf, struct err *err);

	// Adds members to `obj` for `vsctl show`: ifindex, ifname, driver, mac, offloads, link.
	void (*describe)(const struct port *port, json_t *obj);

	// Notices what no file descriptor tells (see port_poll()); may be NULL.
	void (*poll)(struct port *port);
};

struct port {
	struct dp_port dp;	   // first: rx() and tx() cast
	struct dp_port *elsewhere; // what the data plane gets instead of `dp`; NULL: nothing
	const struct port_type *type;
	const struct port_env *env; // of the process: outlives its ports
	struct conf_port conf;
	char path[CONF_NAME_BYTES + 8]; // "port c1", for errors
	// The address of who is behind the port, by open() and change(); unless has_mac, not known.
	bool has_mac;
	struct mac mac;
	void *priv; // of the type
};

// What the data plane gets.
static inline struct dp_port *port_dp(struct port *port)
{
	return port->elsewhere ? port->elsewhere : &port->dp;
}

// Makes a port of the type that `conf` names. `conf` was checked by config/. Errors name the port
// and say what to do: no such namespace, no permission, device busy, name taken by another device.
int port_open(const struct conf_port *conf, const struct port_env *env, struct port **ret_port,
	struct err *err);

// See struct port_type. Frees `port`.
void port_close(struct port *port, bool remove);

// Whether a running port of `old` can become `conf` without being made anew. -EOPNOTSUPP names the
// option that cannot change.
int port_check_change(const struct conf_port *old, const struct conf_port *conf, struct err *err);
int port_change(struct port *port, const struct conf_port *conf, struct err *err);

void port_describe(const struct port *port, json_t *obj);

// To be called every second or so. Calls dp_port_fail() on ports whose namespace was deleted
// without their device: a tap that was taken over after a restart keeps its namespace alive.
void port_poll(struct port *port);
