// SPDX-License-Identifier: BSD-3-Clause
// Brings the local switch into the state that the replica, this host's endpoints and the plans of
// their networks (netd/drivers/plan.h) ask for: level-triggered, idempotent, in bulk. It learns
// what the switch has only from the switch's answers; when the switch is another process, it lists
// everything and applies the difference. Traffic that is wanted is never disturbed.
//
// All names that it creates in the switch begin with RECONCILE_PREFIX, and the switch refuses
// others to change them. It ignores all other names, but for ports on its bridges, which audits
// tell of:
//	VTEP		cw.cluster
//	bridge		cw.NETWORK (name of the network)
//	tunnels		port cw.vx.VNI of type vxlan, if the network's plan has a VNI
//	container	port cw.ENDPOINT-ID (first 12 digits) of type tap or veth
//	gateway		port cw.gw.NETWORK-ID (first 12 digits) of type tap, if the plan has a
//			gateway: the host's interface cw-NETWORK-ID (first 12 digits)
// A network is in the switch while this host has an endpoint in it. Each endpoint of another host
// gets a static forwarding entry (its MAC, the host's VTEP) and neighbours (its addresses); each
// other host with an endpoint in the network is a member of the flood list. Own endpoints and the
// gateway are neighbours as well. The cost of changing one endpoint does not depend on the size of
// the network. Main thread only.
#pragma once

#include "netd/reconcile/switch.h"
#include "netd/replica/local_endpoint.h"

#define RECONCILE_PREFIX  "cw."
#define RECONCILE_MANAGER "vsnetd" // option managed-by of all that it creates

// A reason that the switch gave, without the name of our object at its beginning ("port cw.1f: "):
// nobody else knows these names. Returns a part of `reason`.
const char *reconcile_reason(const char *reason);

struct reconcile;

struct reconcile_opts {
	struct switch_conn *sw; // its callbacks belong to the reconciler from now on
	struct replica *replica;
	const char *self; // this host's name
	// The port of an own endpoint is up (0), or the reason why it is not; called after each
	// attempt.
	void (*on_port)(void *arg, struct local_endpoint *le, int rc, const struct err *err);
	// The port was removed from the switch, after reconcile_endpoint_del().
	void (*on_port_gone)(void *arg, struct local_endpoint *le);
	// The switch reports that the port's namespace or device is gone.
	void (*on_port_down)(void *arg, struct local_endpoint *le, const char *reason);
	// The gateway's interface exists, with the addresses of the record, which may have changed
	// (called after each attempt); or it is being removed. `net` has its record. May be NULL.
	void (*on_gateway)(void *arg, struct replica_net *net, const char *ifname, bool up);
	void (*on_state)(void *arg, bool up); // of the switch
	void *arg;
};

// This host's VTEP in the switch.
struct reconcile_tunnel {
	struct ip_addr address;
	uint16_t udp_port;
	uint32_t mtu;	       // 0: the switch finds out
	uint32_t heartbeat_ms; // 0: none
};

int reconcile_new(const struct reconcile_opts *opts, struct reconcile **ret_rec, struct err *err);
void reconcile_free(struct reconcile *rec);

void reconcile_set_tunnel(struct reconcile *rec, const struct reconcile_tunnel *tunnel);

// The own endpoints and the replica are loaded: from now on, whatever has a name of ours and is not
// wanted is deleted.
void reconcile_ready(struct reconcile *rec);

// Something has changed. Each call is cheap and idempotent, and takes effect after the current
// event.
void reconcile_endpoint_add(struct reconcile *rec, struct local_endpoint *le); // also: changed
void reconcile_endpoint_del(
	struct reconcile *rec, struct local_endpoint *le);	    // stays until on_port_gone()
void reconcile_net(struct reconcile *rec, struct replica_net *net); // its record
void reconcile_net_gone(struct reconcile *rec, struct replica_net *net); // before it is freed
// An endpoint that the replica has or (`gone`) had. Also for endpoints that have lost an address.
void reconcile_remote(struct reconcile *rec, struct replica_endpoint *ep,
	const struct endpoint_record *old, bool gone);
// The host has another VTEP address (its record changed; `old` has family 0 if it is unknown).
void reconcile_host(struct reconcile *rec, struct replica_host *host, const struct ip_addr *old);

// Sends what is due; to be called after each event and at least every 250 ms.
void reconcile_run(struct reconcile *rec, uint64_t now_us);
// Whether the switch is up and has everything that is wanted.
bool reconcile_is_settled(const struct reconcile *rec);
// What the switch has refused, and what will be tried again: a new list of {object, reason}.
json_t *reconcile_problems(const struct reconcile *rec);

// Lists what the switch has and compares it with what is wanted. `fn` gets a list of differences
// {object, difference, wanted, actual, repaired}, borrowed. `repair` repairs them. It comes within
// RECONCILE_AUDIT_US (with `repair` twice that): what could not be looked at until then, because a
// change is stuck, is a difference as well.
#define RECONCILE_AUDIT_US UINT64_C(3500000)
typedef void reconcile_audit_fn(
	void *arg, int rc, const json_t *differences, const struct err *err);
void reconcile_audit(struct reconcile *rec, bool repair, reconcile_audit_fn *fn, void *arg);

// The MTU that the port of an endpoint, or of the gateway of a network, is to have in its
// namespace, as of the last listing; 0: not known.
uint32_t reconcile_endpoint_mtu(const struct reconcile *rec, const struct local_endpoint *le);
uint32_t reconcile_gateway_mtu(const struct replica_net *net);

// What heartbeats through the tunnel say of another host. The switch is asked every 10 seconds, and
// every second from when this function is called on, for some minutes.
enum reconcile_answer {
	RECONCILE_PEER_UNKNOWN, // `why` says why nobody can tell
	RECONCILE_PEER_ANSWERS,
	RECONCILE_PEER_SILENT, // has answered once, and has not since `silent_us` although it was
			       // asked
};

struct reconcile_peer {
	enum reconcile_answer answer;
	uint64_t silent_us; // as in `now_us` of reconcile_run()
	uint64_t told_us;   // when the switch was asked that told so; the same clock
	const char *why;
	bool never; // unknown because it was asked and has never answered
};

void reconcile_peer(
	struct reconcile *rec, const struct ip_addr *vtep, struct reconcile_peer *ret_peer);
// The same without asking more often for it.
void reconcile_peer_look(
	const struct reconcile *rec, const struct ip_addr *vtep, struct reconcile_peer *ret_peer);

// The switch takes requests and has answered none since then (as in `now_us`); 0: it is well, or
// the connection is down.
uint64_t reconcile_switch_hangs(const struct reconcile *rec);
