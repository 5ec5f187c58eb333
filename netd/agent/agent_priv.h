// SPDX-License-Identifier: BSD-3-Clause
// What the files of the agent share. Main thread only.
//
//	agent.c		puts the parts together; what is due; status
//	agent_store.c		 the watch: store -> replica -> disk; a store that was lost
//	agent_host.c		 this host's lease and record
//	agent_gone.c		 hosts that are gone, and those that nobody can tell of
//	agent_block.c		 addresses: which blocks this host owns
//	agent_share.c		 and how many, so that all hosts have some
//	agent_network.c		 making and deleting networks
//	agent_network_choose.c	 what a new network gets
//	agent_network_kept.c	 networks on disk, of the configuration, lost by the store
//	agent_pool.c		 subnets that are held before a network has them
//	agent_endpoint.c	 the life of this host's endpoints: port, interface, end
//	agent_endpoint_store.c	 where they are kept: on disk and in the store
//	agent_older.c		 a state folder that was put back from a backup
//	agent_endpoint_address.c addresses that another host's endpoint has won
//	agent_endpoint_life.c	 the table of its states and events
//	agent_create.c		 making endpoints: connect, create; holding addresses
//	agent_choose.c		 their addresses
//	agent_steps.c		 join, leave, delete, release
//	agent_connect.c		 disconnect
//	agent_gateway.c		 the gateways of networks, in this host's own namespace
//	agent_names.c		 what names mean: the networks and hosts that this host knows
//	agent_dns.c		 where they are asked: in containers, and at gateways
//	agent_ask.c		 and by people
//	agent_show.c		 what is there, for people
//	agent_problem.c		 what is wrong, and since when
//	agent_audit.c		 the audit of store, agent, switch and interfaces
//	agent_inside.c		 what interfaces lose is put back
//
// All of it is level-triggered: each part compares what should be with what the replica says and
// writes the difference, guarded by the revisions it has seen. A write that fails, or of which
// nobody knows whether it was made, needs no handling of its own: the next look finds what is
// missing.
#pragma once

#include "base/util.h"
#include "netd/agent/agent.h"
#include "netd/agent/agent_endpoint_life.h"
#include "netd/dns/dns.h"
#include "netd/drivers/network.h"
#include "netd/drivers/network_check.h"
#include "netd/ipam/ipam.h"
#include "netd/reconcile/reconcile.h"
#include "netd/replica/local_endpoint.h"
#include "netd/replica/replica.h"

#define SECOND_US     UINT64_C(1000000)
#define RETRY_MIN_US  (100 * UINT64_C(1000))
#define RETRY_MAX_US  (5 * SECOND_US)
#define STORE_WAIT_US (2 * SECOND_US) // for the store to have a record, before it is done without
#define MACHINE_BYTES 40

// A write to the store that is repeated until the replica shows what is wanted.
struct retry {
	bool busy;	  // one is under way
	uint64_t next_us; // not before
	uint64_t wait_us;
};

static inline bool retry_due(const struct retry *retry, uint64_t now_us)
{
	return !retry->busy && now_us >= retry->next_us;
}

void retry_start(struct retry *retry);
void retry_done(struct retry *retry, int rc, uint64_t now_us); // backs off unless rc is 0

// The interface of a network's gateway.
struct agent_gateway {
	char ifname[16];
	bool port_up; // it is there
	bool ready;   // and has its addresses
	struct retry configure;
	char reason[512];      // why it is not ready; empty: none is known
	uint64_t lost_told_us; // when it was told last that it has lost something
};

// What this host may have of the addresses of a subnet: agent_share.c.
struct agent_share {
	bool may_claim;	     // one more block
	unsigned nb_give;    // blocks that it is to give back
	uint64_t look_us;    // when it was looked at last
	uint64_t scarce_us;  // since then some host has too few, and no block is free; 0: not so
	uint64_t surplus_us; // since then this host has far more than its share; 0: it has not
};

// The agent's part of a network.
struct agent_net {
	struct agent_gateway gateway;
	struct ipam *pool[RECORD_SUBNETS_MAX]; // one for each subnet
	struct retry block[RECORD_SUBNETS_MAX];
	struct agent_share share[RECORD_SUBNETS_MAX];
	uint64_t empty_since_us; // no endpoint of this host; 0: there are some
	struct retry cleanup;
};

// The agent's part of an endpoint of this host.
struct agent_endpoint {
	struct retry write;
	bool acked; // the store took the record; the watch will show it
	uint64_t acked_us;
	uint64_t hash;	 // of the text of its record, as it is to be in the store
	bool takes_over; // its address was that of a host that was silent
	bool named;	 // its names are known
	bool is_loaded;	 // from the state folder, at start
	bool was_inside; // when it was loaded, its interface was in its namespace
	bool let_go;	 // its addresses are not used in the pools: it waits for others
	struct agent_container *container;
	struct retry configure;
	uint64_t lost_told_us; // as of struct agent_gateway
	uint64_t deadline_us;  // the store's answer is not waited for any longer
	struct err *why;       // what went wrong while its caller waited; NULL: nothing
	char *caller_id;       // of endpoint.create; NULL: network.connect, or only an address
	char *address_id;      // of address.request; NULL: the address goes with the endpoint
	json_t *asked;	       // of both, what a repeat must ask for: {endpoint: {}, address: {}}
};

// What a write to the store carries for its callback. Those that nobody will be called for any more
// go with the agent.
struct pending {
	LIST_ENTRY(pending) entry;
	struct agent *a;
};

// A network namespace of this host with endpoints: there its names are asked.
struct agent_container {
	struct netns_id netns;
	LIST_HEAD(, local_endpoint) endpoints;
	struct dns_view view; // of the listener
	struct dns_listener *listener;
	enum { RESOLV_UNKNOWN, RESOLV_WRITTEN, RESOLV_REMOVED } resolv;
	struct retry retry;
	char problem[320]; // why nobody answers there, or it has no resolv.conf; empty: none
	UT_hash_handle hh; // by netns
};

// A network's gateway on this host: there they are asked as well.
struct agent_dns_gateway {
	LIST_ENTRY(agent_dns_gateway) entry;
	struct replica_net *net;
	char ifname[16];
	struct agent_dns_gateway_listener {
		struct ip_addr ip; // family 0: none
		struct dns_listener *listener;
	} at[RECORD_SUBNETS_MAX];
	struct retry retry;
	char problem[320];
};

struct agent_conf_net { // a network of the configuration
	bool busy, done;
};

struct request; // a change that waits for the store: network.c, connect.c

struct agent {
	struct agent_opts opts;
	const struct netd_conf *conf;
	struct replica replica;
	struct reconcile *rec;
	struct local_endpoint *endpoints; // by id
	LIST_HEAD(, agent_pool) pools;
	uint64_t random;

	char host_id[ID_BYTES];
	bool fresh; // the state folder is new: this host has never read the store
	uint64_t epoch, seq;
	uint64_t seq_kept;	     // on disk: a restart goes on behind it
	uint64_t generation;	     // the number of what ended last here; on disk
	uint64_t kept_generation;    // the last number that the state folder knew of at start
	uint64_t store_generation;   // what the store has as `generation`
	char older[256];	     // the state folder was older than the store; empty: it was not
	char name[NAME_BYTES];	     // whose the state folder is
	char machine[MACHINE_BYTES]; // and of which machine
	uint64_t ready_at_us;	     // the switch is not changed before, unless the store was read
	struct ip_addr vtep;

	// ---- the store ----
	struct kv_watch *watch;
	struct kv_group networks; // of the cluster
	bool network_writing;	  // a request changes them: they do so one after the other
	struct kv_lease *lease;
	bool store_up, store_told; // told: that it is down
	uint64_t store_since_us;   // it is up, or down, since then
	uint64_t refused_told_us;  // it refuses changes since then, as was told; 0: it does not
	bool synced;		   // all of it was read once since start
	uint64_t healthy_since_us; // synced and not interrupted; 0: it is now
	uint64_t purge_at_us;	   // kept records that nobody put back go then; 0: none
	char cluster_before[ID_BYTES];
	uint64_t allocation_before;
	uint64_t cluster_revision; // of its record
	bool went_back;		   // something that was read is older than what was known
	bool rename_cluster;	   // so that all hosts see that the store is another one
	uint64_t lease_lost_us;	   // 0: it was held since the store was read last
	bool beginning;		   // between BEGIN and SYNCED
	bool in_batch;		   // writes to disk are collected
	bool copy_is_old;	   // the last of them failed
	unsigned nb_hosts;	   // that are known: each has a share of the addresses
	struct retry host_write, cluster_write, net_write, gc, drop;
	char host_problem[256]; // another machine has this host's name; empty: none

	struct agent_container *containers;
	LIST_HEAD(, agent_dns_gateway) dns_gateways;
	char search[DNS_SEARCH_MAX][256]; // the host's, as containers' resolv.conf have them
	uint64_t search_due_us;

	bool switch_up;
	uint64_t switch_since_us;
	struct agent_problem *problems; // as they were seen last, by object and reason
	uint64_t problems_at_us;
	char checked[ID_BYTES]; // the container that was looked at last
	uint64_t check_at_us, gateways_at_us;
	bool dirty; // something of this host has changed: look at once
	bool running;
	LIST_HEAD(, request) requests;
	uint64_t last_request;
	unsigned wait_ms; // of the requests that come: how long their caller waits; 0: unknown
	LIST_HEAD(, pending) pending;
	struct agent_conf_net *conf_nets; // one for each of conf->networks
};

// ---- agent.c ----

uint64_t agent_now(const struct agent *a);
uint64_t agent_random(struct agent *a);
void agent_make_id(struct agent *a, char id[ID_BYTES]);
void agent_event(struct agent *a, const char *name, json_t *data); // takes `data` over
// Does what is due now, unless that is under way already.
void agent_kick(struct agent *a);
// Its record is in the store under its name: only then it writes what is its own.
bool agent_is_member(struct agent *a);
bool agent_can_write(const struct agent *a); // the store was read and answers
// And it is not being read once more, when half of what is there seems not to be.
bool agent_is_current(const struct agent *a);
const char *agent_store_reason(const struct agent *a);
void agent_created(char text[32]); // the time, for people

// `size_bytes` of zeros that begin with a struct pending; NULL: out of memory.
void *pending_new(struct agent *a, size_t size_bytes);
void pending_free(struct pending *pending);

struct request {
	LIST_ENTRY(request) entry;
	uint64_t number; // of its own: answers of the store may come when it is gone
	// Goes on with it. True: it is answered (request_answer()) and freed.
	bool (*run)(struct agent *a, struct request *req, uint64_t now_us);
	void (*free)(struct request *req); // what it owns; NULL: nothing
	struct retry retry;
	// Its last write to the store: was made, may have been made (or is under way).
	bool written, maybe_written;
	uint64_t written_revision;
	uint64_t head_revision; // of the networks, when it wrote last
	uint64_t deadline_us;
	agent_done_fn *done;
	void *done_arg;
};

void request_add(struct agent *a, struct request *req, agent_done_fn *done, void *done_arg);
struct request *request_find(struct agent *a, uint64_t number); // NULL: it is answered
// Answers it and frees it. Returns true, for run().
bool request_answer(struct agent *a, struct request *req, int rc, json_t *result, struct err *err);
void agent_request_run(struct agent *a, uint64_t now_us);

// ---- agent_store.c ----

int agent_store_load(struct agent *a, struct err *err); // the last copy, from disk
// What is this host's own is on disk when these return, also while the store is being read.
int agent_state_put(struct agent *a, const char *key, const char *value, size_t len_bytes);
int agent_state_del(struct agent *a, const char *key);
int agent_store_start(struct agent *a, struct err *err);
void agent_store_again(struct agent *a); // reads all of it anew
void agent_store_run(struct agent *a, uint64_t now_us);

// ---- agent_host.c ----

int agent_host_load(struct agent *a, struct err *err);
// After all else is loaded: the state is this host's from now on. -EINVAL: it is another host's.
int agent_host_claim(struct agent *a, struct err *err);
void agent_generation_set(struct agent *a, uint64_t generation); // on disk, too
void agent_host_run(struct agent *a, uint64_t now_us);
uint64_t agent_next_seq(struct agent *a); // never again, over restarts too
void agent_lease_changed(void *agent, enum kv_lease_state state);

// ---- agent_gone.c ----

bool agent_is_first(const struct agent *a); // of the present hosts: it does what one is to do
void agent_gone_run(struct agent *a, uint64_t now_us);
// A host does not reach the store and is alive all the same: it cannot put back what is its own.
bool agent_gone_any_alive(struct agent *a);
void agent_gone_problems(struct agent *a, json_t *list);

// ---- agent_block.c ----

void agent_net_known(struct agent *a, struct replica_net *net); // its record came, or changed
void agent_net_free_all(struct agent *a);
void agent_net_drop(struct agent *a, struct replica_net *net);
void agent_block_changed(struct agent *a, struct replica_block *block, bool gone);
void agent_use_ips(struct replica_net *net, const struct endpoint_record *rec);
void agent_release_ips(struct agent *a, struct replica_net *net, const struct endpoint_record *rec);
void agent_block_run(struct agent *a, uint64_t now_us);
// This host gives out addresses of that block.
bool agent_block_is_own(const struct replica_net *net, const struct cidr *cidr);
// The subnet of the network that has the address; -1.
int agent_subnet_of(const struct replica_net *net, const struct ip_addr *ip);
// An address for a new endpoint out of the own blocks, of the first subnet of `family`. -EAGAIN: a
// block is being claimed, ask again; else with the reason.
int agent_take_ip(struct agent *a, struct replica_net *net, unsigned family, struct cidr *ret_ip,
	uint64_t *ret_epoch, struct err *err);

// ---- agent_share.c ----

void agent_share_count(struct agent *a); // hosts
void agent_share_look(struct agent *a, struct replica_net *net, unsigned subnet);
// The block is one of those that are to be given back; they are one less then.
bool agent_share_takes(struct agent *a, struct replica_net *net, const struct cidr *cidr);

// ---- agent_network.c ----

// What the replica has of the networks is what the store had when it told of their last change: of
// what it does not have (a name, a subnet, a VNI) may be concluded that nobody has it.
bool agent_networks_are_current(const struct agent *a);
// Puts the record into the store, or takes it out (`gone`, the replica has it), unless a network
// was changed that the replica does not know of. They are current. `retry` is busy from then on,
// unless memory was short.
void agent_network_write(struct agent *a, struct retry *retry, kv_write_fn *fn, void *arg,
	const struct network_record *rec, const struct replica_net *gone);
// The store has no record of it. While it has records of networks that cannot be read (a newer
// version), one of them may be this network's.
bool agent_net_is_gone(const struct agent *a, const struct replica_net *net);
// Somebody has asked this host to delete it, and the store may have done so.
bool agent_network_is_going(const struct agent *a, const struct replica_net *net);
// err_set() about the network of that name.
int net_error(struct err *err, int code, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

// ---- agent_network_choose.c ----

// Gives the network what it needs and nobody asked for: id, date, what its driver wants. May be
// called again with the same record. -EEXIST: a subnet overlaps one of another network.
int agent_network_choose(struct agent *a, struct network_record *rec, struct err *err);
// A subnet of the default pools that neither a network nor a pool of this host has. -ENOSPC;
// -ENOMEM.
int agent_next_subnet(struct agent *a, unsigned family, struct cidr *ret_cidr);

// ---- agent_network_kept.c ----

int agent_network_load(struct agent *a, struct err *err); // those of this host, from disk
int agent_network_save(struct agent *a, const struct network_record *rec);   // to disk
int agent_network_forget(struct agent *a, const struct network_record *rec); // from disk
void agent_network_run(struct agent *a, uint64_t now_us);

// ---- agent_pool.c ----

int agent_pool_load(struct agent *a, struct err *err); // from disk
void agent_pool_free_all(struct agent *a);
// Their number; as many as there is room for are filled in.
unsigned agent_pool_list(const struct agent *a, struct cidr *ret_cidrs, unsigned max);

// ---- agent_inside.c ----

void agent_inside_run(struct agent *a, uint64_t now_us); // of gateways
void agent_inside_look(struct agent *a, struct local_endpoint *le);

struct agent_inside_audit {
	json_t *list; // gets differences; NULL: they are only counted
	bool repair;
};

void agent_inside_audit_endpoint(
	struct agent *a, struct local_endpoint *le, struct agent_inside_audit *audit);
void agent_inside_audit_gateway(
	struct agent *a, struct replica_net *net, struct agent_inside_audit *audit);

// ---- agent_gateway.c ----

void agent_gateway_configure(struct agent *a, struct replica_net *net);

void agent_gateway_run(struct agent *a, uint64_t now_us);
void agent_gateway(void *agent, struct replica_net *net, const char *ifname, bool up);

// ---- agent_endpoint_store.c: on disk and in the store ----

int agent_endpoint_load(struct agent *a, struct err *err); // from disk
void agent_endpoint_adopt(struct agent *a); // after a lost state folder: from the store
// To be called whenever its record, its namespace or its callers are others.
int agent_endpoint_save(struct agent *a, struct local_endpoint *le);
void agent_endpoint_forget(struct agent *a, const struct local_endpoint *le);
struct replica_endpoint *agent_endpoint_record(struct agent *a, const struct local_endpoint *le);
bool agent_endpoint_is_stored(const struct local_endpoint *le); // or needs no store
void agent_endpoint_publish(struct agent *a, struct local_endpoint *le);
void agent_endpoint_drop_unknown(struct agent *a, uint64_t now_us);

// ---- agent_older.c ----

char *agent_generation_print(const struct agent *a);			 // NULL: out of memory
void agent_generation_read(struct agent *a, const struct kv_pair *pair); // if it is that
void agent_older_look(struct agent *a); // when the store was read first

// ---- agent_endpoint_address.c: addresses that another endpoint has won ----

// The record that has one of the endpoint's addresses (`ret_ip`), with more right to it. NULL:
// none.
struct replica_endpoint *agent_endpoint_winner(
	struct agent *a, const struct local_endpoint *le, struct ip_addr *ret_ip);
void agent_endpoint_lost_address(struct agent *a, struct local_endpoint *le,
	enum endpoint_event lost, const struct ip_addr *ip, const struct replica_endpoint *ep);
// The old address is gone from the switch: the endpoint comes back with another.
void agent_endpoint_readdress(struct agent *a, struct local_endpoint *le);
void agent_endpoint_hold_ips(
	struct agent *a, struct local_endpoint *le); // in the pools, unless it waits for others
void agent_endpoint_remote_changed(struct agent *a, struct replica_endpoint *ep, bool gone);

// ---- agent_endpoint.c: the switch and the container; what is due ----

// Takes the record over on success.
int agent_endpoint_add(struct agent *a, struct replica_net *net, struct endpoint_record *rec,
	const struct netns_id *netns, enum local_endpoint_state state,
	struct local_endpoint **ret_le);
// It gets a namespace, or has none any more; the record changes, the state does not.
int agent_endpoint_attach(struct agent *a, struct local_endpoint *le, const struct netns_id *netns,
	const char *sandbox, const char *ifname); // -ENOMEM
void agent_endpoint_detach(struct agent *a, struct local_endpoint *le);
void agent_endpoint_stop(struct agent *a, struct local_endpoint *le);
void agent_endpoint_leave(struct agent *a, struct local_endpoint *le);
// The endpoint goes, its first address stays: it is held for itself.
void agent_endpoint_to_address(struct agent *a, struct local_endpoint *le);
// The event happens because of `err`: whoever waits is told, else it is logged.
void agent_endpoint_fails(struct agent *a, struct local_endpoint *le, enum endpoint_event event,
	const struct err *err);
void agent_endpoint_container_gone(struct agent *a, struct local_endpoint *le);
void agent_endpoint_free_all(struct agent *a);
void agent_endpoint_net_known(struct agent *a, struct replica_net *net);
void agent_endpoint_run(struct agent *a, uint64_t now_us);
struct local_endpoint *agent_endpoint_by_id(const struct agent *a, const char *id);
struct local_endpoint *agent_endpoint_find(
	struct agent *a, struct replica_net *net, const char *name);
void agent_port(void *agent, struct local_endpoint *le, int rc, const struct err *err);
void agent_port_gone(void *agent, struct local_endpoint *le);
void agent_port_down(void *agent, struct local_endpoint *le, const char *reason);
void agent_endpoint_changed(struct agent *a, struct local_endpoint *le);   // names follow at once
void agent_endpoint_configure(struct agent *a, struct local_endpoint *le); // its interface
bool agent_endpoint_is_alive(struct agent *a, const struct local_endpoint *le);
json_t *agent_endpoint_json(const struct local_endpoint *le);
json_t *agent_address_json(const struct local_endpoint *le);		   // of one without a name
json_t *agent_endpoint_answer(struct agent *a, struct local_endpoint *le); // for its caller

// ---- agent_choose.c ----

struct endpoint_choice {
	struct ip_addr ips[2];	     // asked for; family 0: to be chosen
	unsigned family;	     // only this one; 0: all that the network has
	bool may_use_held;	     // also one that is held on this host
	bool takes_over;	     // filled in: one is that of a host that is silent
	struct local_endpoint *held; // filled in: what holds the first address on this host
};

// IPv4 first: the first address is the record's key. 0; -EAGAIN: a block is on its way; or a
// refusal.
int agent_choose_ips(struct agent *a, struct replica_net *net, struct endpoint_choice *choice,
	struct endpoint_record *rec, struct err *err);
// What errors are about.
const char *agent_endpoint_path(const struct endpoint_record *rec, char path[NAME_BYTES + 16]);

// ---- agent_steps.c ----

struct local_endpoint *agent_endpoint_by_caller(const struct agent *a, const char *id);
struct local_endpoint *agent_address_by_caller(const struct agent *a, const char *id);
// -EEXIST: an earlier request of that id (`kind`: endpoint, address) asked for something else.
int agent_check_repeat(const struct local_endpoint *le, const struct replica_net *net,
	const char *kind, const json_t *wanted, const char *id, struct err *err);
int agent_check_switch(const struct agent *a, struct err *err);
int agent_check_resolv(
	const struct agent *a, const json_t *options, const char *sandbox, struct err *err);
// Fills in rec->ifname, unless it was asked for.
int agent_choose_ifname(struct agent *a, const struct netns_id *netns, struct endpoint_record *rec,
	struct err *err);
void agent_disconnect_local(
	struct agent *a, struct local_endpoint *le, agent_done_fn *fn, void *arg);

// ---- agent_problem.c ----

// There can be no tunnel to that host: its address is of another family, or this host's own.
bool agent_tunnel_is_odd(const struct agent *a, const struct replica_host *host);
// `remedy` NULL: the reason says it, or there is none. `since_us` 0: since it was seen first.
void agent_add_problem(json_t *list, const char *object, const char *reason, const char *remedy,
	uint64_t since_us);
// The store answers and has refused a change a moment ago; NULL: not so.
const struct kv_refusal *agent_store_refusal(const struct agent *a);
json_t *agent_problems(struct agent *a); // a new list of all that is wrong now
void agent_problem_run(struct agent *a, uint64_t now_us);
void agent_problem_free_all(struct agent *a);

// ---- agent_names.c: what changed here or in the replica ----

void agent_names_local(struct agent *a, struct local_endpoint *le);
void agent_names_local_gone(struct agent *a, struct local_endpoint *le); // before it is freed
void agent_names_net(struct agent *a, struct replica_net *net);
void agent_names_remote(struct agent *a, struct replica_endpoint *ep, bool gone);
void agent_names_host(struct agent *a, const struct replica_host *host);
void agent_names_host_gone(struct agent *a, const struct replica_host *host);
void agent_names_self(struct agent *a); // its address

// ---- agent_dns.c ----

int agent_dns_local_add(struct agent *a, struct local_endpoint *le); // -ENOMEM
// To another namespace. -ENOMEM: it stays.
int agent_dns_local_move(struct agent *a, struct local_endpoint *le, const struct netns_id *netns);
void agent_dns_local(struct agent *a, struct local_endpoint *le);      // its state
void agent_dns_local_gone(struct agent *a, struct local_endpoint *le); // before it is freed
void agent_dns_net(struct agent *a, struct replica_net *net);	       // its record
// Its interface in this host's own namespace: there, or (also before `net` is freed) not.
void agent_dns_gateway_up(struct agent *a, struct replica_net *net, const char *ifname);
void agent_dns_gateway_down(struct agent *a, struct replica_net *net);
void agent_dns_run(struct agent *a, uint64_t now_us);
void agent_dns_free_all(struct agent *a);
// What the container sees; false: nothing, none of its endpoints has a name.
bool agent_dns_view(const struct agent_container *c, struct dns_view *ret_view);
void agent_dns_view_of_net(const struct replica_net *net, struct dns_view *ret_view);
void agent_dns_problems(const struct agent *a, json_t *list); // adds {object, reason}
// -EINVAL: it cannot have a resolv.conf.
int agent_dns_check_resolv(const struct agent *a, const char *sandbox, struct err *err);
