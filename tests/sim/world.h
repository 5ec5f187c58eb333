// SPDX-License-Identifier: BSD-3-Clause
// A cluster in one process and in virtual time: hosts with the real agent, over a simulated store,
// switches in memory, state folders in memory, and containers that are names. A seed decides
// everything that happens. One thread.
//
//	world.c		hosts, containers, time
//	action.c	what people and accidents do
//	promise.c	what people were told, and what they may rely on
//	steps.c		engines that connect in steps: what they do and were told
//	check.c		what must be so while things happen
//	check_end.c	what must be so when all is healed and quiet: the store
//	check_tables.c	and agents and switches
//	check_names.c	and names
//	check_audit.c	what audits say then
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include "netd/agent/agent.h"
#include "netd/agent/agent_priv.h"
#include "tests/sim/fake_switch.h"
#include "tests/sim/local_memory.h"
#include "tests/sim/random.h"
#include "tests/sim/store.h"
#include "tests/sim/timeline.h"

#define WORLD_HOSTS_MAX	   6
#define WORLD_NETWORKS	   4  // names
#define WORLD_CONTAINERS   10 // names
#define WORLD_TTL_S	   4
#define WORLD_GRACE_S	   8
#define WORLD_QUARANTINE_S 4

struct world;

struct sim_sandbox {
	struct sandbox base;
	struct host *host;
};

struct host {
	struct world *w;
	unsigned index;
	struct netd_conf conf;
	struct ip_addr vtep;
	struct agent *agent; // NULL: not running
	struct names *names; // the agent's
	struct kv *kv;
	struct fake_switch *sw;
	struct local *local;
	struct sim_sandbox sandbox;
	struct timeline_event tick, start_agent, start_switch, heal;
	bool dead;		  // for good
	bool cut;		  // from the store
	bool slow;		  // its agent runs late
	uint64_t absent_since_us; // its record is not in the store since then; 0: it is
	uint64_t absent_us;	  // when it was not there last
	// Its tunnels do not answer under the address that others know, since then; 0: they do.
	uint64_t silent_since_us;
	uint64_t heard_us; // they answer again since then, after a long time; 0: never
	bool moved;	   // it has another address than its record says
	// Others took it for dead, or may have: they delete its records and take its blocks.
	uint64_t fenced_us;
	uint64_t forgot_us;	 // its state folder was lost
	bool blank;		 // and it has not read the store since
	uint64_t read_us;	 // when it did so
	uint64_t known_revision; // of what it had read when the store was lost or set back
	uint64_t reread_us;	 // all was read, and it reaches the store
	uint64_t passed_us;	 // a lost store was beyond known_revision, and it had not reread it
};

// One life of a container: a name comes back as another one.
struct container {
	char name[NAME_BYTES], sandbox[64];
	struct host *host;
	uint64_t cookie;
	bool alive;
	LIST_ENTRY(container) entry;
};

struct promise;
struct net_promise;
struct step_ep;

struct world_opts {
	uint64_t seed;
	unsigned steps;
	bool verbose; // everything that happens goes to standard output
};

struct world {
	struct world_opts opts;
	struct timeline tl;
	struct sim_random random;
	struct sim_store *store;
	struct host hosts[WORLD_HOSTS_MAX];
	unsigned nb_hosts;
	LIST_HEAD(, container) containers;
	LIST_HEAD(, promise) promises;
	LIST_HEAD(, net_promise) nets;
	LIST_HEAD(, step_ep) steps;
	uint64_t last_cookie;
	unsigned last_address, last_mac, last_step;
	struct timeline_event store_up;
	bool chaos;		 // accidents may happen; false: it is being healed
	uint64_t lost_us;	 // the store was lost or set back last
	uint64_t lost_twice_us;	 // and again before it was filled
	uint64_t shaky_until_us; // hosts that are silent before this count as fenced
	uint64_t next_check_us;
	uint32_t actions; // those that this seed may have: bits of action.c's
	char failure[1024];
	uint64_t nb_events;
};

void world_init(struct world *w, const struct world_opts *opts);
void world_fini(struct world *w);

// Lets time pass; stops at a failure.
void world_run(struct world *w, uint64_t delay_us);
static inline bool world_failed(const struct world *w)
{
	return w->failure[0] != '\0';
}
// The first failure is kept.
void world_fail(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void world_trace(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

// ---- hosts ----

void host_start_agent(struct host *h);
void host_crash_agent(struct host *h);
void host_start_switch(struct host *h);
void host_crash_switch(struct host *h);
void host_forget(struct host *h); // while the agent does not run
void host_cut(struct host *h, bool cut);
void host_die(struct host *h);				    // for good
void host_move(struct host *h, const struct ip_addr *vtep); // the agent is not told
// What its switch had in its tables does not count any more.
void host_forget_seen(struct host *h);
// Notes what has become of it; to be called often.
void host_look(struct host *h);
// Its record in the store; false: there is none that can be read.
bool host_recorded(const struct host *h, struct host_record *ret_rec);
// Others may take it for dead now: it is away from the store and silent in its tunnels for the
// grace period. One that only the store does not hear stays whole.
bool host_is_fenced(const struct host *h);

// ---- containers ----

struct container *container_new(struct host *h, const char *name);
void container_kill(struct world *w, struct container *c);
struct container *container_by_sandbox(struct world *w, const char *sandbox); // NULL
// The last one of that name on any host that is alive. NULL.
struct container *container_by_name(struct world *w, const char *name);

// ---- action.c ----

void world_choose_actions(struct world *w);
void world_act(struct world *w);
void world_heal(struct world *w);
// Dead hosts of which nobody can tell are kept and told of; somebody removes them.
void world_bury(struct world *w);

// ---- check.c ----

void check_running(struct world *w);
void check_store(struct world *w); // when it has changed
// True when all is as it should be; else false and the failure is in `text`.
bool check_end(struct world *w, char *text, size_t len_bytes);
void check_audits(struct world *w);
