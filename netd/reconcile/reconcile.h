// SPDX-License-Identifier: BSD-3-Clause
// Makes the local switch be as the replica and this host's endpoints want it: level-triggered,
// idempotent, in bulk. It knows what the switch has from the answers of the switch alone; when the
// switch is another process it lists everything and applies the difference. Nothing that flows and
// is wanted is touched.
//
// What is made in the switch has names that begin with RECONCILE_PREFIX; nothing else is looked at:
//	tunnel endpoint	cw.cluster
//	bridge		cw.NETWORK (name of the network), port cw.vx.VNI of type vxlan
//	port		cw.ENDPOINT-ID (first 12 digits), type tap
//	gateway		port cw.gw.NETWORK-ID (first 12 digits), type tap: the interface
//			cw-NETWORK-ID (first 12 digits) of the host, when the network has a gateway
// A network is in the switch while this host has an endpoint in it. For each endpoint of another
// host there are a static forwarding entry (its MAC, the host's tunnel endpoint) and neighbours
// (its addresses); for each other host with an endpoint in the network a member of the flood list.
// Own endpoints and the gateway are neighbours as well. A change of one endpoint costs the same
// whatever the size of the network. Main thread only.
#pragma once

#include "netd/reconcile/switch.h"
#include "netd/replica/local_endpoint.h"

#define RECONCILE_PREFIX "cw."

struct reconcile;

struct reconcile_opts {
	struct switch_conn *sw; // its callbacks are the reconciler's from now on
	struct replica *replica;
	const char *self; // this host's name
	// The port of an own endpoint is up (0), or why it is not; told again after each attempt.
	void (*on_port)(void *arg, struct local_endpoint *own, int rc, const struct err *err);
	// It is gone from the switch, after reconcile_endpoint_del().
	void (*on_port_gone)(void *arg, struct local_endpoint *own);
	// The switch says that the port's namespace or device has gone.
	void (*on_port_down)(void *arg, struct local_endpoint *own, const char *reason);
	// The gateway's interface is there, with the addresses of the record or others than before
	// (told again after each attempt); or it goes. `net` has its record. May be NULL.
	void (*on_gateway)(void *arg, struct replica_net *net, const char *ifname, bool up);
	void (*on_state)(void *arg, bool up); // of the switch
	void *arg;
};

// This host's tunnel endpoint in the switch.
struct reconcile_tunnel {
	struct ip_addr address;
	uint16_t udp_port;
	uint32_t mtu;	       // 0: as the switch finds it
	uint32_t heartbeat_ms; // 0: none
};

int reconcile_new(const struct reconcile_opts *opts, struct reconcile **ret_rec, struct err *err);
void reconcile_free(struct reconcile *rec);

void reconcile_set_tunnel(struct reconcile *rec, const struct reconcile_tunnel *tunnel);

// The own endpoints and the replica are loaded: from now on what has a name of ours and is not
// wanted is deleted.
void reconcile_ready(struct reconcile *rec);

// Things have changed. Each of these is cheap, idempotent, and acts after the event at hand.
void reconcile_endpoint_add(struct reconcile *rec, struct local_endpoint *own); // also: changed
void reconcile_endpoint_del(
	struct reconcile *rec, struct local_endpoint *own);	    // stays until on_port_gone()
void reconcile_net(struct reconcile *rec, struct replica_net *net); // its record
void reconcile_net_gone(struct reconcile *rec, struct replica_net *net); // before it is freed
// An endpoint that the replica has, or had: then `gone`. Also for the losers of an address.
void reconcile_remote(struct reconcile *rec, struct replica_endpoint *ep,
	const struct endpoint_record *old, bool gone);
// The host has another tunnel endpoint (its record changed; `old` may be unknown: family 0).
void reconcile_host(struct reconcile *rec, struct replica_host *host, const struct ip_addr *old);

// Sends what is due; called after each event and at least every 250 ms.
void reconcile_run(struct reconcile *rec, uint64_t now_us);
// Whether the switch is up, and has all that is wanted.
bool reconcile_is_settled(const struct reconcile *rec);
// What the switch has refused and is tried again: a new list of {object, reason}.
json_t *reconcile_problems(const struct reconcile *rec);

// Compares what the switch has (listed anew) with what is wanted. `fn` gets a list of differences
// {object, difference, wanted, actual, repaired}, borrowed. With `repair` they are mended.
typedef void reconcile_audit_fn(
	void *arg, int rc, const json_t *differences, const struct err *err);
void reconcile_audit(struct reconcile *rec, bool repair, reconcile_audit_fn *fn, void *arg);

// Whether the tunnel to that host answered heartbeats lately, from tunnel.status, asked again every
// second while a host is suspended. False when nothing is known.
bool reconcile_peer_alive(struct reconcile *rec, const struct ip_addr *vtep);
