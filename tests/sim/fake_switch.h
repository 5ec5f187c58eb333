// SPDX-License-Identifier: BSD-3-Clause
// A switch in memory behind struct switch_conn, for the simulation and for tests of the reconciler.
// It has the methods that the reconciler uses, with the errors of the real one (tests/smoke holds
// the two against each other). Time is what the caller says: calls are carried out and answered by
// fake_switch_pump(). One thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>
#include <uthash.h>

#include "base/err.h"
#include "base/ip.h"
#include "base/mac.h"
#include "netd/reconcile/switch.h"

struct fake_switch;

struct fake_switch_opts {
	uint64_t seed;			     // of the delays
	uint32_t delay_min_us, delay_max_us; // between a call and its answer
	// Changes of the last moment that a crash loses; 0: none.
	uint32_t unsaved_us;
};

// Starts as if the process were down: fake_switch_start(). NULL: out of memory.
struct fake_switch *fake_switch_new(const struct fake_switch_opts *opts);
void fake_switch_free(struct fake_switch *sw);
struct switch_conn *fake_switch_conn(struct fake_switch *sw);

// Carries out and answers what is due, tells of events and of the connection.
void fake_switch_pump(struct fake_switch *sw, uint64_t now_us);
// When there is something to pump next; UINT64_MAX: nothing until somebody calls.
uint64_t fake_switch_next_us(const struct fake_switch *sw);

// ---- what happens to it ----

// The process starts, with what it had saved.
void fake_switch_start(struct fake_switch *sw, uint64_t now_us);
// It dies: calls under way fail with -ECONNRESET, some of them after they were carried out.
void fake_switch_crash(struct fake_switch *sw, uint64_t now_us);
// The state folder is lost with it: it starts empty.
void fake_switch_wipe(struct fake_switch *sw);
bool fake_switch_is_up(const struct fake_switch *sw);

// The namespace that ports name is not there (any more): they go down, new ones are refused.
// Namespaces are there until this says otherwise.
void fake_switch_netns(struct fake_switch *sw, const char *netns, bool there);
// The next `count` calls of the method fail with `code`; UINT_MAX: all, 0: none any more. With
// -ETIMEDOUT they are carried out, and only the answer is lost.
void fake_switch_fail(struct fake_switch *sw, const char *method, int code, unsigned count);
// It takes calls and answers none, until it goes on.
void fake_switch_hang(struct fake_switch *sw, bool hangs);
// The option of ports that this switch does not know yet (refused by name); NULL: none.
void fake_switch_lacks(struct fake_switch *sw, const char *port_option);
// Entries with this MAC or address, as text, are refused; NULL: none.
void fake_switch_refuses(struct fake_switch *sw, const char *text);
// A call of somebody else's, at once: a user, or what corrupts a table. `params` is taken over;
// `ret_result` may be NULL.
int fake_switch_do(struct fake_switch *sw, const char *method, json_t *params, json_t **ret_result,
	struct err *err);
// Whether the remote VTEP answers heartbeats, as tunnel.status tells; it does until this says
// otherwise. One that does not is `unknown` to a process that has not had a tunnel to it before.
void fake_switch_remote(struct fake_switch *sw, const struct ip_addr *ip, bool up);

// ---- what it has ----

struct fake_fdb { // static
	struct mac mac;
	struct ip_addr tunnel; // family 0: it is behind a port of this host
	char port[64];	       // then
	UT_hash_handle hh;     // by mac
};

struct fake_neigh {
	struct ip_addr ip;
	struct mac mac;
	UT_hash_handle hh; // by ip
};

struct fake_flood {
	struct ip_addr tunnel;
	UT_hash_handle hh; // by tunnel
};

struct fake_port {
	char name[64];
	char type[16];
	json_t *options; // with `type` left out
	bool up;
	bool has_addresses; // its interface was given what it needs
	UT_hash_handle hh;  // by name
};

struct fake_bridge {
	char name[64];
	json_t *options;
	struct fake_port *ports;
	struct fake_fdb *fdb;
	struct fake_neigh *neigh;
	struct fake_flood *floods;
	UT_hash_handle hh; // by name
};

struct fake_vtep {
	char name[64];
	json_t *options;
	UT_hash_handle hh; // by name
};

// What the process has now, or will have when it starts. Read only.
struct fake_bridge *fake_switch_bridges(const struct fake_switch *sw);
struct fake_vtep *fake_switch_vteps(const struct fake_switch *sw);
struct fake_bridge *fake_switch_bridge(const struct fake_switch *sw, const char *name); // NULL
struct fake_bridge *fake_switch_bridge_of_vni(const struct fake_switch *sw, uint32_t vni);
struct fake_port *fake_switch_port(const struct fake_switch *sw, const char *name);
// NULL when there is none. Those that are behind a port of this host have no tunnel.
const struct ip_addr *fake_bridge_fdb(const struct fake_bridge *bridge, const struct mac *mac);
const struct mac *fake_bridge_neigh(const struct fake_bridge *bridge, const struct ip_addr *ip);
bool fake_bridge_floods(const struct fake_bridge *bridge, const struct ip_addr *tunnel);

// Calls since the last time this was asked, of a method or (NULL) of all.
unsigned fake_switch_calls(struct fake_switch *sw, const char *method);
