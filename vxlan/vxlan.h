// SPDX-License-Identifier: BSD-3-Clause
// VXLAN (RFC 7348): open VTEPs, the VNIs behind them and the remote VTEPs that these reach. For the
// main thread. vtep_object.h has what outlives an open VTEP, and owns it.
//
// A VTEP is an address of this host. It has a data-plane port of its own, on no bridge, whose rx()
// takes the outer headers off and yields the frames of all its VNIs (`demux`). A VNI is a
// data-plane port on a bridge (`tunnel`), whose tx() puts the outer headers on. A remote VTEP has a
// number 1..65535 in the VTEP that reaches it; dp_remote() and forwarding entries name this number.
//
// Workers see immutable tables (table.h) that vtep_publish() replaces as a whole; the old ones go
// when dp_retire() says that no worker uses them any more.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>
#include <rte_mempool.h>

#include "base/err.h"
#include "base/ip.h"
#include "config/conf.h"
#include "dp/dp.h"
#include "vxlan/codec.h"

#define VXLAN_REMOTES_MAX  65535
#define VXLAN_OVERHEAD_IP4 50 // inner Ethernet 14, VXLAN 8, UDP 8, IPv4 20
#define VXLAN_OVERHEAD_IP6 70

// What VTEPs get from the process.
struct vxlan_env {
	struct dp *dp;
	struct rte_mempool *pool;     // buffers of 2 KiB
	struct rte_mempool *big_pool; // buffers of 64 KiB
	uint16_t nb_workers;
	// Called for the events "vtep.mtu", "remote.up", "remote.down" and "remote.mtu"; may be
	// NULL.
	void (*event)(void *arg, const char *name, json_t *data /* borrowed */);
	void *event_arg;
	// As vtep_distrust(), from the first packet on. Read while it is opened only.
	const int *distrusted;
	unsigned nb_distrusted;
};

struct vtep;
struct vni;

// Opens a VTEP. `lower` is the open port whose wire it has to itself (underlay `port`), NULL with
// the underlay `kernel`; it stays the caller's and must outlive the VTEP. Errors name the VTEP:
// address not on this host, UDP port taken, no such namespace.
int vtep_open(const struct conf_vtep *conf, const struct vxlan_env *env, struct dp_port *lower,
	struct vtep **ret_vtep, struct err *err);
// Call when no worker uses it any more and its VNIs are closed.
void vtep_close(struct vtep *vtep);

// Its data-plane port; the caller gives it an id and names it in snapshots. It has no tx(). With
// the underlay `kernel` it keeps 16 buffers of env.big_pool to receive into.
struct dp_port *vtep_port(struct vtep *vtep);

// Largest inner frame's L3 size (no tag) that fits the underlay, towards remotes of either family:
// conf.mtu, else the least of the device that has the address, the routes to the remotes, and what
// heartbeats have found out about the paths to them (path.h), the latter not below 1280. What ICMP
// says of paths is ignored: it may be anybody's.
// vtep_service() follows it, sets the VNIs' dp_port.mtu (which the next snapshot has) and sends the
// event "vtep.mtu" when it changed.
uint16_t vtep_mtu(const struct vtep *vtep);

// ---- remote VTEPs ----

// The number of the remote at `ip`, which becomes known if it is new. Each get takes a reference
// that vtep_remote_put() gives back. -EAFNOSUPPORT when the VTEP has no address of that
// family, -EINVAL for what is no host's or is its own address, -ENOSPC. A number that was given
// back is not given again at once, but forwarding entries that name it are to go with it.
int vtep_remote_get(
	struct vtep *vtep, const struct ip_addr *ip, uint16_t *ret_remote, struct err *err);
void vtep_remote_put(struct vtep *vtep, uint16_t remote);
// False when there is no such remote.
bool vtep_remote_ip(const struct vtep *vtep, uint16_t remote, struct ip_addr *ret_ip);

// ---- VNIs ----

// Opens the VNI `number` of a VTEP. `mtu` as conf_port.mtu; what fits the underlay is the
// most. -EEXIST when the VTEP has it already. The caller gives its data-plane port an id before
// the next vtep_publish(), and publishes before a snapshot names it.
int vni_open(
	struct vtep *vtep, uint32_t number, uint16_t mtu, struct vni **ret_vni, struct err *err);
void vni_close(struct vni *vni);
struct dp_port *vni_port(struct vni *vni);
// What its outer headers say from now on; at first DSCP 0 and TTL 64. As in struct conf_port.
void vni_mark(struct vni *vni, uint8_t dscp, uint8_t ttl);
// Calls `fn` whenever the MTU of its data-plane port changes.
void vni_watch_mtu(struct vni *vni, void (*fn)(void *arg), void *arg);

// Lets the VNI take frames from a remote, and with `flood` sends it those that go to all.
// Counted: as often as it was added it must be deleted, before its reference is given back. -ENOENT
// when there is no such remote.
int vni_remote_add(struct vni *vni, uint16_t remote, bool flood);
void vni_remote_del(struct vni *vni, uint16_t remote, bool flood);

// From now on takes no packets that come in by these devices of the VTEP's namespace:
// containers are behind them, and could speak as another host. Replaces the list of before.
// -ENOMEM, -E2BIG (thousands), with the old list in force.
int vtep_distrust(struct vtep *vtep, const int *ifindex, unsigned count);

// Brings what was added and deleted to the workers, all at once; does nothing when that was
// nothing. -ENOMEM: they keep what they had.
int vtep_publish(struct vtep *vtep);

// ---- time and telling ----

// Periodic work: MTU, whether the namespace is still there. Returns the microseconds until the
// next call.
uint32_t vtep_service(struct vtep *vtep, uint64_t now_us);

// Sends the heartbeats that are due, to each remote every conf.heartbeat_ms. Returns the
// microseconds until the next call; 0: there are none.
uint32_t vtep_heartbeat(struct vtep *vtep, uint64_t now_us);
// Takes and answers the heartbeats that have come: dp_port.calls_main is set then.
void vtep_hear(struct vtep *vtep, uint64_t now_us);

// Adds members to `obj`: mtu, vnis (their numbers), remotes.
void vtep_describe(const struct vtep *vtep, json_t *obj);

// A list of ip, path_mtu, and with heartbeats state ("unknown", "up", "down"), since, sent,
// received, and of the last 100 loss_percent and round_trip_us (min, avg, max).
json_t *vtep_remotes_json(const struct vtep *vtep);

struct vtep_count {
	uint32_t remotes, up, down; // by heartbeats; those that never answered are neither
};

void vtep_count(const struct vtep *vtep, struct vtep_count *ret_count);
