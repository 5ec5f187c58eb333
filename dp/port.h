// SPDX-License-Identifier: BSD-3-Clause
// A port: a struct dp_port for the data plane, and what the main thread needs to make it, change
// it and describe it. This is where the object model (vswitch/), which owns ports, meets the
// folders that implement types of them (ports/, vxlan/), which do not know each other.
//
// All functions here are for the main thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>
#include <rte_mempool.h>

#include "base/err.h"
#include "base/ip.h"
#include "config/conf.h"
#include "dp/dp_port.h"

struct port;
struct port_type;

// A port type, and what its functions need of the process beyond struct port_env.
struct port_type_row {
	const struct port_type *type;
	void *arg;
};

// What ports get from the process.
struct port_env {
	struct rte_mempool *pool;     // buffers of 2 KiB (RTE_MBUF_DEFAULT_BUF_SIZE)
	struct rte_mempool *big_pool; // buffers of 64 KiB, for segments and jumbo frames
	uint16_t nb_workers;
	const char *switch_id; // marks devices of ours, so that they are found after a restart
	const struct port_type_row *types; // by enum conf_port_type: CONF_PORT_NB_TYPES rows

	// Called when port_type.offer_mtu() of an open port returns something else than before.
	// May be NULL.
	void (*offer_changed)(void *arg, struct port *port);
	void *arg;
};

// The operations of a port type. Those that may be NULL say so; a type without them has no such
// thing, and its ports never pass there.
struct port_type {
	// Makes or re-attaches the device as `port->conf` says and fills `port->dp`. A device
	// that this switch left behind (killed, restarted) is taken over as it is: its traffic
	// must not notice. On failure nothing is left behind.
	int (*open)(struct port *port, struct err *err);

	// Lets go of the device after the last worker has. With `remove`, a device that open()
	// made is deleted; without, it stays for the next start (taps and veths persist).
	void (*close)(struct port *port, bool remove);

	// Applies a change of options to a running port; options that are not live are refused
	// before (conf_port_check_change()).
	int (*change)(struct port *port, const struct conf_port *conf, struct err *err);

	// Adds members to `obj` for `vsctl show`: ifindex, ifname, driver, mac, offloads, link.
	void (*describe)(const struct port *port, json_t *obj);

	// Notices what no file descriptor tells (see port_poll()); may be NULL.
	void (*poll)(struct port *port);

	// The Ethernet address that the device itself has on its wire. May be NULL: it has none
	// that whoever uses the port as its wire should use.
	bool (*wire_mac)(const struct port *port, struct mac *ret_mac);

	// Types whose ports are on another object: chooses it, writes it into `conf` and takes a
	// place there. An object that is made for the purpose may be down unless `must_open`.
	// release() gives the place back, and an object that no snapshot has had yet goes again.
	// Both are NULL in other types. `arg` is the row's.
	int (*settle)(void *arg, struct conf_port *conf, bool must_open, struct err *err);
	void (*release)(void *arg, const struct conf_port *conf);

	// The largest L3 size (no tag) that an open port carries, which ports of its bridge with
	// mtu=auto follow. May be NULL: it does not limit them.
	uint16_t (*offer_mtu)(const struct port *port);

	// Types whose ports have other switches behind them (dp_port.tunnel); all four are NULL in
	// others. remote_get() returns the number (dp_remote()) of the one at `ip`, which becomes
	// known if it is new; with `flood` it is sent what goes to all. Each is given back by
	// remote_put(). The workers know what was added after remote_publish() (-ENOMEM).
	int (*remote_get)(struct port *port, const struct ip_addr *ip, bool flood,
		uint16_t *ret_remote, struct err *err);
	void (*remote_put)(struct port *port, uint16_t remote, bool flood);
	int (*remote_publish)(struct port *port);
	bool (*remote_ip)(const struct port *port, uint16_t remote, struct ip_addr *ret_ip);
};

struct port {
	struct dp_port dp;	   // first: rx() and tx() cast
	struct dp_port *elsewhere; // what the data plane gets instead of `dp`; NULL: nothing
	const struct port_type *type;
	void *type_arg;		    // of the type's row
	const struct port_env *env; // of the process: outlives its ports
	struct conf_port conf;
	char path[CONF_NAME_BYTES + 8]; // "port c1", for errors
	// The MAC address behind the port, set by open() and change(); not known unless has_mac.
	bool has_mac;
	struct mac mac;
	// Index of its device in the switch's own namespace, set by open(); 0: none is there.
	int own_ifindex;
	void *priv; // of the type
};

// What the data plane gets.
static inline struct dp_port *port_dp(struct port *port)
{
	return port->elsewhere ? port->elsewhere : &port->dp;
}

// Whether other switches are behind ports of the type.
static inline bool port_type_has_remotes(const struct port_type *type)
{
	return type->remote_get;
}

// The row of the type. NULL when the process does not have it.
const struct port_type_row *port_type_find(const struct port_env *env, enum conf_port_type type);

// Makes a port of the type that `conf` names. `conf` was checked by config/. Errors name the port
// and say what to do: no such namespace, no permission, device busy, name taken by another device.
int port_open(const struct conf_port *conf, const struct port_env *env, struct port **ret_port,
	struct err *err);

// See struct port_type. Frees `port`.
void port_close(struct port *port, bool remove);

// Makes a running port be as `conf` says. -EOPNOTSUPP: it has an option that cannot change
// (conf_port_check_change()).
int port_change(struct port *port, const struct conf_port *conf, struct err *err);

void port_describe(const struct port *port, json_t *obj);

// To be called every second or so. Calls dp_port_fail() on ports whose namespace was deleted
// without their device: a tap that was taken over after a restart keeps its namespace alive.
void port_poll(struct port *port);
