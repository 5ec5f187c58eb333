// SPDX-License-Identifier: BSD-3-Clause
// What the files of the reconciler share. Main thread only.
//
//	reconcile.c		connects the parts; changes, what is due, problems
//	reconcile_object.c	calls to the switch; an object, retried until it is right
//	reconcile_options.c	which options can change while a port exists
//	reconcile_net.c		the VTEP, bridges, VXLAN ports
//	reconcile_port.c	ports of own endpoints
//	reconcile_gateway.c	the port of a network's gateway
//	reconcile_claim.c	who claims an address: the index of a network
//	reconcile_entry.c	forwarding entries, flood members and neighbours
//	reconcile_list.c	bridges and ports of the switch against what is wanted
//	reconcile_list_entry.c	the same for entries
//	reconcile_audit.c	the same for people
//	reconcile_peer.c	which other hosts answer heartbeats
//
// For bridges and ports, it is remembered whether they exist. For entries, only the keys are
// remembered whose entry may differ from what is wanted: what is wanted is read from the replica
// when the request is made, so the order of events does not matter.
#pragma once

#include "base/utc.h"
#include "config/conf.h"
#include "config/schema.h"
#include "netd/drivers/plan.h"
#include "netd/reconcile/reconcile.h"

#define RECONCILE_TUNNEL    RECONCILE_PREFIX "cluster"
#define RECONCILE_VX_PREFIX RECONCILE_PREFIX "vx."
#define RECONCILE_GW_PREFIX RECONCILE_PREFIX "gw."

#define BATCH_MAX	 5000 // entries in a request
#define PORTS_MAX	 64   // in a request
#define PAGE_ENTRIES	 20000
#define BACKOFF_FIRST_US UINT64_C(250000)
#define BACKOFF_LAST_US	 UINT64_C(10000000)

struct sw_call;
struct sw_listing;
struct audit;

// A thing that is to be in the switch.
struct sw_object {
	bool there;	// the switch has said so
	bool busy;	// a call about it is under way
	bool seen;	// in the present listing
	bool was_there; // before it, for all that was known
	// Digests of the options that it has, that were sent, and that are wanted: of those that
	// cannot change while it lives, and of the others. 0: other options.
	struct sw_digest {
		uint64_t fixed, live;
	} has, sent, want;
	uint64_t next_us, wait_us; // after a failure
	char *reason;		   // of the last failure; NULL: none
};

enum sw_key_kind { KEY_FDB, KEY_FLOOD, KEY_NEIGH };

// Names an entry: its MAC, tunnel endpoint or address. Unused bytes are zero.
struct sw_key {
	enum sw_key_kind kind;
	uint16_t vlan; // others than 0 are nobody's
	struct mac mac;
	struct ip_addr ip;
};

struct sw_keys {
	struct sw_key *key;
	size_t count, capacity;
};

// A record that claims a MAC or address: one of the replica, or an own endpoint's (`host` NULL).
// What the store has of this host counts too: it may be of an endpoint that is no more, but others
// have lost to it.
struct claim {
	const struct endpoint_record *rec; // NULL: the slot is free
	struct replica_host *host;
	uint32_t hash;
};

struct claims {
	struct claim *slot;
	size_t capacity, count;
};

// What an endpoint claims.
struct claim_keys {
	struct mac mac;
	struct ip_addr ips[RECORD_IPS_MAX];
	unsigned nb_ips;
};

struct sw_host { // another host in a network
	struct replica_host *host;
	unsigned nb_endpoints;
	UT_hash_handle hh;
};

struct sw_port { // of an own endpoint
	struct sw_object obj;
	char name[LOCAL_ENDPOINT_PORT_BYTES];
	struct local_endpoint *le;
	struct sw_net *net;
	struct claim_keys keys; // as they are in the network's index
	bool deleting;		// on_port_gone() is waited for
	bool alone;		// was refused together with others
	bool down;		// the switch has it but not its device
	bool changed;		// what is wanted is to be looked at
	uint32_t mtu;		// as of the last listing; 0: not known
	LIST_ENTRY(sw_port) of_net;
	UT_hash_handle hh; // by name
};

enum sw_entries {
	ENTRIES_UNKNOWN, // nobody knows what the bridge has
	ENTRIES_LISTING,
	ENTRIES_KNOWN, // as wanted, but for `dirty` and `refused`
};

struct sw_net {
	struct reconcile *rec;
	struct replica_net *net; // NULL: it is gone
	char bridge_name[CONF_NAME_BYTES];
	char vx_name[24]; // empty: no tunnels
	uint32_t vni;
	bool named; // the names are chosen
	struct sw_object bridge, vx;
	struct plan_gateway gateway; // as it is to be
	char gw_name[24];	     // empty: it never had one
	char gw_ifname[16];
	struct sw_object gw;
	bool gw_told;	 // the agent was told that it is up
	uint32_t gw_mtu; // as of the last listing; 0: not known
	LIST_HEAD(, sw_port) ports;
	unsigned nb_ports;

	struct claims claims;
	bool has_claims;
	struct sw_host *hosts; // by pointer

	enum sw_entries entries;
	struct sw_listing *listing;
	struct sw_keys dirty;
	struct sw_object batch; // busy: calls are under way
	unsigned nb_calls;
	size_t batch_max;
	struct sw_keys refused; // by the switch, each by itself
	struct sw_object refusal;
	bool to_audit;

	bool queued;
	TAILQ_ENTRY(sw_net) todo;
	LIST_ENTRY(sw_net) entry;
};

struct sw_stray { // ours by its name, wanted by nobody
	enum { STRAY_PORT, STRAY_BRIDGE, STRAY_TUNNEL } kind;
	char name[CONF_NAME_BYTES];
	struct sw_object obj;
	LIST_ENTRY(sw_stray) entry;
};

struct sw_peer { // a remote VTEP
	struct ip_addr ip;
	bool listed;		    // in the last answer
	bool waited;		    // enough heartbeats were sent for an answer
	bool asked;		    // heartbeats are sent
	bool up;		    // and the last ones were answered
	bool heard;		    // one was answered once
	char since[UTC_TEXT_BYTES]; // of its state, as the switch says
	uint64_t silent_us;	    // not answered since then, as far as was seen; 0: not so
	UT_hash_handle hh;
};

struct reconcile {
	struct reconcile_opts opts;
	uint64_t now_us;
	uint64_t retry_us;   // when some object is tried again
	uint64_t generation; // of the connection: answers of an older one mean nothing
	bool up, ready, running, again;
	LIST_HEAD(, sw_call) calls;
	unsigned nb_busy; // calls that change bridges, ports or the tunnel endpoint

	bool listed;	     // bridges and ports are known
	bool relist;	     // they are to be listed again
	bool relist_entries; // and with them all entries
	bool list_report;    // only to report: nothing is taken over
	bool list_failed;
	unsigned nb_listing;		       // calls of it under way
	json_t *tunnels, *bridges, *port_list; // the answers
	struct sw_object list;		       // back-off

	bool has_tunnel;
	struct reconcile_tunnel tunnel;
	struct sw_object tunnel_obj;

	LIST_HEAD(, sw_net) nets;
	TAILQ_HEAD(, sw_net) todo;
	unsigned nb_todo;
	struct sw_port *ports; // by name
	LIST_HEAD(, sw_stray) strays;

	struct audit *audit;

	struct sw_peer *peers;
	bool peers_busy;
	uint64_t peers_asked_us, peers_begun_us; // asked by the agent, last and without a pause
	uint64_t peers_sent_us, peers_us;	 // asked by us, answered
};

// ---- reconcile_object.c ----

struct sw_call {
	struct reconcile *rec; // NULL: freed meanwhile
	uint64_t generation;
	void (*fn)(struct reconcile *rec, struct sw_call *call, int rc, const json_t *result,
		const struct err *err);
	bool changes; // counts in nb_busy
	// What it is about, as far as `fn` needs it.
	struct sw_object *obj;
	struct sw_net *net;
	struct sw_port **ports;
	unsigned nb_ports;
	struct sw_keys keys;
	LIST_ENTRY(sw_call) entry;
};

typedef void sw_call_fn(struct reconcile *rec, struct sw_call *call, int rc, const json_t *result,
	const struct err *err);

// NULL: out of memory.
struct sw_call *sw_call_new(struct reconcile *rec, sw_call_fn *fn);
void sw_call_free(struct sw_call *call);
// Takes both over; `params` NULL is out of memory: `fn` is not called then, and false returned.
bool sw_call_send(struct sw_call *call, const char *method, json_t *params);
// A change of one object, which is busy until it is answered.
bool sw_object_call(struct reconcile *rec, struct sw_object *obj, struct sw_net *net,
	const char *method, json_t *params, sw_call_fn *fn);

// Whether it can be worked on now; otherwise sees to it that it is looked at in time.
bool sw_object_due(struct reconcile *rec, struct sw_object *obj);
void sw_retry(struct reconcile *rec); // soon: memory was short
void sw_object_ok(struct sw_object *obj);
void sw_object_failed(struct reconcile *rec, struct sw_object *obj, const struct err *err);
void sw_object_fini(struct sw_object *obj);
// Nothing is known of it: a new connection.
void sw_object_reset(struct sw_object *obj);

// What became of the call is not known.
bool sw_is_lost(int rc);
// Of options, not 0; both may be NULL and are given up.
struct sw_digest sw_digest(json_t *fixed, json_t *live);
bool sw_is_as_wanted(const struct sw_object *obj);

// ---- reconcile_options.c ----

// What is wanted of a port or VTEP: `options` (taken over; NULL: out of memory, and so are the
// results) in the switch's words, and null, which stands for the default, for each other key of its
// kind. Apart by whether the switch can change the option while the object exists.
void sw_options_split(
	const struct schema_table *table, json_t *options, json_t **ret_fixed, json_t **ret_live);
// Options as the switch lists them, without those that are at their default: a new object.
json_t *sw_options_plain(const struct schema_table *table, const json_t *options);
// The object to add. Takes both over. NULL: out of memory.
json_t *sw_options_named(const char *name, json_t *fixed, json_t *live);

// ---- reconcile.c ----

void sw_net_queue(struct sw_net *net); // has it looked at
void sw_nets_queue(struct reconcile *rec);
void sw_relist(struct reconcile *rec, bool entries);

// ---- reconcile_net.c ----

struct sw_net *sw_net_new(struct reconcile *rec, struct replica_net *net);
void sw_net_free(struct sw_net *net);
// Chooses its names in the switch; false: its record is not known.
bool sw_net_name(struct sw_net *net);
void sw_net_step(struct sw_net *net);
void sw_net_reset(struct sw_net *net); // a new connection
void sw_tunnel_step(struct reconcile *rec);
void sw_strays_step(struct reconcile *rec);
void sw_strays_drop(struct reconcile *rec);
// Whether bridges and ports may be changed now.
bool sw_may_change(struct reconcile *rec);
// Options in the switch's words, as sw_options_split() returns them.
void sw_tunnel_options(const struct reconcile *rec, json_t **ret_fixed, json_t **ret_live);
void sw_bridge_options(json_t **ret_fixed, json_t **ret_live);
void sw_vx_options(const struct sw_net *net, json_t **ret_fixed, json_t **ret_live);
// What a call about something of the network came to. False: it failed, and is tried again.
bool sw_net_answered(struct sw_net *net, struct sw_object *obj, int rc, const struct err *err);
json_t *sw_net_mtu(const struct sw_net *net); // of its ports

// ---- reconcile_port.c ----

struct sw_port *sw_port_new(struct sw_net *net, struct local_endpoint *le);
void sw_port_free(struct sw_port *port);
void sw_ports_step(struct sw_net *net);
bool sw_port_claims(const struct sw_port *port); // it has its addresses
bool sw_port_wanted(const struct sw_port *port);
void sw_port_options(const struct sw_port *port, json_t **ret_fixed, json_t **ret_live);
void sw_port_look(struct sw_port *port); // at what is wanted of it
void sw_port_up(struct sw_port *port);	 // the switch says so
void sw_port_down(struct sw_port *port, const char *reason);

// ---- reconcile_gateway.c ----

struct sw_net *sw_gateway_find(struct reconcile *rec, const char *port); // NULL
void sw_gateway_look(struct sw_net *net);				 // at what is wanted of it
bool sw_gateway_wanted(const struct sw_net *net);
void sw_gateway_options(const struct sw_net *net, json_t **ret_fixed, json_t **ret_live);
void sw_gateway_step(struct sw_net *net);
void sw_gateway_tell(struct sw_net *net, bool up); // the agent
// Whether there is to be a forwarding entry of the MAC to its port, a neighbour of the address.
bool sw_gateway_has_mac(const struct sw_net *net, const struct mac *mac);
bool sw_gateway_has_ip(const struct sw_net *net, const struct ip_addr *ip);

// ---- reconcile_claim.c ----

struct claim_keys claim_keys(const struct endpoint_record *rec);
int claims_add(struct claims *claims, const struct endpoint_record *rec,
	const struct claim_keys *keys, struct replica_host *host);
// Whether it was there; `ret_host` is what it was added with.
bool claims_del(struct claims *claims, const struct endpoint_record *rec,
	const struct claim_keys *keys, struct replica_host **ret_host);
void claims_fini(struct claims *claims);
// The claims of a MAC or address one after the other: `pos` starts at 0; NULL ends.
const struct claim *claims_mac(const struct claims *claims, const struct mac *mac, size_t *pos);
const struct claim *claims_ip(const struct claims *claims, const struct ip_addr *ip, size_t *pos);
// Who has it: has won all of its addresses. NULL: nobody.
const struct claim *claims_mac_owner(const struct claims *claims, const struct mac *mac);
const struct claim *claims_ip_owner(const struct claims *claims, const struct ip_addr *ip);

// ---- reconcile_entry.c ----

void sw_keys_add(struct sw_net *net, const struct sw_key *key);
void sw_entries_step(struct sw_net *net);
void sw_entries_mark(struct sw_net *net, const struct endpoint_record *rec);
void sw_entries_mark_all(struct sw_net *net, bool fdb, bool neigh);
void sw_entries_reset(struct sw_net *net);
void sw_claim_add(struct sw_net *net, const struct endpoint_record *rec,
	const struct claim_keys *keys, struct replica_host *host);
// `rec` is that of sw_claim_add(), whatever it says by now; what it said then is `was`.
void sw_claim_del(struct sw_net *net, const struct endpoint_record *rec,
	const struct endpoint_record *was, const struct claim_keys *keys);
int sw_claims_build(struct sw_net *net);
void sw_claims_drop(struct sw_net *net);
bool sw_want_fdb(const struct sw_net *net, const struct mac *mac, struct ip_addr *ret_tunnel);
bool sw_want_flood(const struct sw_net *net, const struct ip_addr *tunnel);
bool sw_want_neigh(const struct sw_net *net, const struct ip_addr *ip, struct mac *ret_mac);
// Calls `fn` with each key of which there is to be an entry; some more than once.
typedef void sw_key_fn(void *arg, const struct sw_key *key);
void sw_want_each(const struct sw_net *net, sw_key_fn *fn, void *arg);
void sw_gateway_each(const struct sw_net *net, sw_key_fn *fn, void *arg); // those of the gateway
bool keys_push(struct sw_keys *keys, const struct sw_key *key);
void keys_sort(struct sw_keys *keys); // and each one once
int key_compare(const void *a, const void *b);
void keys_fini(struct sw_keys *keys);

// ---- reconcile_list.c ----

void sw_list_step(struct reconcile *rec);
void sw_list_drop(struct reconcile *rec);

// ---- reconcile_list_entry.c ----

void sw_net_list_start(struct sw_net *net);
void sw_net_list_drop(struct sw_net *net);

// ---- reconcile_audit.c ----

void sw_audit_step(struct reconcile *rec);
void sw_audit_fail(struct reconcile *rec, int rc, const char *reason);
// A listing has found it.
void sw_audit_difference(struct reconcile *rec, const char *object, const char *difference,
	const char *wanted, const char *actual);
bool sw_audit_mends(const struct reconcile *rec); // what it finds; or there is none
bool sw_audit_repairs(const struct reconcile *rec);
void sw_audit_fini(struct reconcile *rec);

// ---- reconcile_peer.c ----

void sw_peers_fini(struct reconcile *rec);
void sw_peers_step(struct reconcile *rec);
void sw_peers_gone(struct reconcile *rec); // with the connection to the switch
