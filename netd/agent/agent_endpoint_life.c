// SPDX-License-Identifier: BSD-3-Clause
// The table stands in docs/design.md for people; tests/unit/test_endpoint_life.c walks it. No other
// file assigns the state of an endpoint.
#include "netd/agent/agent_endpoint_life.h"

#include <assert.h>
#include <stdio.h>

#include "base/log.h"
#include "netd/agent/agent_priv.h"

// ---- what a state says ----

enum {
	IS_UNTOLD = 1,
	IS_NAMED = 2,
	IS_KEPT = 4,
	IS_INSIDE = 8,
	IS_WRONG = 16,
	IS_ENDING = 32,
};

static const struct {
	const char *name;
	unsigned is;
} states[NB_ENDPOINT_STATES] = {
	[ENDPOINT_STARTING] = {"starting", IS_NAMED | IS_KEPT | IS_INSIDE},
	[ENDPOINT_CREATING] = {"creating", IS_UNTOLD | IS_KEPT},
	[ENDPOINT_CREATED] = {"created", IS_KEPT},
	[ENDPOINT_TAKEN] = {"conflict", IS_KEPT | IS_WRONG},
	[ENDPOINT_UNADDRESSED] = {"readdressing", IS_WRONG},
	[ENDPOINT_CONNECTING] = {"starting", IS_UNTOLD | IS_KEPT | IS_INSIDE},
	[ENDPOINT_CONFIRMING] = {"up", IS_UNTOLD | IS_NAMED | IS_KEPT | IS_INSIDE},
	[ENDPOINT_JOINING] = {"starting", IS_KEPT | IS_INSIDE},
	[ENDPOINT_UP] = {"up", IS_NAMED | IS_KEPT | IS_INSIDE},
	[ENDPOINT_NO_PORT] = {"failed", IS_NAMED | IS_KEPT | IS_INSIDE | IS_WRONG},
	[ENDPOINT_UNCONFIGURED] = {"failed", IS_NAMED | IS_KEPT | IS_INSIDE | IS_WRONG},
	[ENDPOINT_LOSING] = {"conflict", IS_KEPT | IS_INSIDE | IS_WRONG},
	[ENDPOINT_CONFLICT] = {"conflict", IS_KEPT | IS_INSIDE | IS_WRONG},
	[ENDPOINT_MOVING] = {"readdressing", IS_INSIDE},
	[ENDPOINT_MOVED] = {"readdressing", IS_INSIDE},
	[ENDPOINT_LEAVING] = {"leaving", IS_KEPT},
	[ENDPOINT_STOPPING] = {"stopping", IS_ENDING},
	[ENDPOINT_STOPPED] = {"stopping", IS_ENDING},
};

bool endpoint_is_untold(const struct local_endpoint *le)
{
	return states[le->state].is & IS_UNTOLD;
}

bool endpoint_is_named(const struct local_endpoint *le)
{
	return states[le->state].is & IS_NAMED;
}

bool endpoint_is_kept(const struct local_endpoint *le)
{
	return states[le->state].is & IS_KEPT;
}

bool endpoint_is_inside(const struct local_endpoint *le)
{
	return states[le->state].is & IS_INSIDE;
}

bool endpoint_is_ending(const struct local_endpoint *le)
{
	return states[le->state].is & IS_ENDING;
}

bool endpoint_is_wrong(const struct local_endpoint *le)
{
	return states[le->state].is & IS_WRONG;
}

const char *endpoint_state_name(const struct local_endpoint *le)
{
	return states[le->state].name;
}

// ---- the table ----

// X(state, event, next state, action)
#define ROWS(X)                                                                                    \
	/* created, without a namespace */                                                         \
	X(CREATING, STORED, CREATED, NONE)                                                         \
	X(CREATING, LOST_ASKED, STOPPED, NONE)                                                     \
	X(CREATING, LOST_CHOSEN, STOPPED, NONE)                                                    \
	X(CREATING, STOP, STOPPED, NONE)                                                           \
	X(CREATED, JOIN, JOINING, ASK_PORT)                                                        \
	X(CREATED, LOST_ASKED, TAKEN, REPORT_LOST)                                                 \
	X(CREATED, LOST_CHOSEN, UNADDRESSED, REPORT_LOST)                                          \
	X(CREATED, STOP, STOPPED, NONE)                                                            \
	X(TAKEN, REGAINED, CREATED, CLEAR)                                                         \
	X(TAKEN, STOP, STOPPED, NONE)                                                              \
	X(UNADDRESSED, READDRESSED, CREATED, CLEAR)                                                \
	X(UNADDRESSED, STOP, STOPPED, NONE)                                                        \
	/* its port is being made: whoever waits is told what goes wrong */                        \
	X(CONNECTING, CONFIGURED, CONFIRMING, REPORT_UP)                                           \
	X(CONNECTING, PORT_FAILED, STOPPING, DELETE_PORT)                                          \
	X(CONNECTING, CONFIGURE_FAILED, STOPPING, DELETE_PORT)                                     \
	X(CONNECTING, LOST_ASKED, STOPPING, DELETE_PORT)                                           \
	X(CONNECTING, LOST_CHOSEN, STOPPING, DELETE_PORT)                                          \
	X(CONNECTING, STOP, STOPPING, DELETE_PORT)                                                 \
	X(CONFIRMING, STORED, UP, NONE)                                                            \
	X(CONFIRMING, CONFIGURED, CONFIRMING, CLEAR)                                               \
	X(CONFIRMING, PORT_FAILED, STOPPING, DELETE_PORT)                                          \
	X(CONFIRMING, CONFIGURE_FAILED, STOPPING, DELETE_PORT)                                     \
	X(CONFIRMING, LOST_ASKED, STOPPING, DELETE_PORT)                                           \
	X(CONFIRMING, LOST_CHOSEN, STOPPING, DELETE_PORT)                                          \
	X(CONFIRMING, STOP, STOPPING, DELETE_PORT)                                                 \
	X(JOINING, CONFIGURED, UP, REPORT_UP)                                                      \
	X(JOINING, PORT_FAILED, LEAVING, DELETE_PORT)                                              \
	X(JOINING, CONFIGURE_FAILED, LEAVING, DELETE_PORT)                                         \
	X(JOINING, LOST_ASKED, LEAVING, DELETE_PORT)                                               \
	X(JOINING, LOST_CHOSEN, LEAVING, DELETE_PORT)                                              \
	X(JOINING, LEAVE, LEAVING, DELETE_PORT)                                                    \
	X(JOINING, STOP, STOPPING, DELETE_PORT)                                                    \
	/* it was told of: what goes wrong is tried again */                                       \
	X(STARTING, CONFIGURED, UP, REPORT_UP)                                                     \
	X(STARTING, PORT_FAILED, NO_PORT, NONE)                                                    \
	X(STARTING, CONFIGURE_FAILED, UNCONFIGURED, NONE)                                          \
	X(STARTING, LOST_ASKED, LOSING, WITHDRAW)                                                  \
	X(STARTING, LOST_CHOSEN, MOVING, WITHDRAW)                                                 \
	X(STARTING, LEAVE, LEAVING, DELETE_PORT)                                                   \
	X(STARTING, STOP, STOPPING, DELETE_PORT)                                                   \
	X(UP, CONFIGURED, UP, CLEAR)                                                               \
	X(UP, PORT_FAILED, NO_PORT, NONE)                                                          \
	X(UP, CONFIGURE_FAILED, UNCONFIGURED, NONE)                                                \
	X(UP, LOST_ASKED, LOSING, WITHDRAW)                                                        \
	X(UP, LOST_CHOSEN, MOVING, WITHDRAW)                                                       \
	X(UP, LEAVE, LEAVING, DELETE_PORT)                                                         \
	X(UP, STOP, STOPPING, DELETE_PORT)                                                         \
	X(NO_PORT, CONFIGURED, UP, REPORT_UP)                                                      \
	X(NO_PORT, PORT_FAILED, NO_PORT, NONE)                                                     \
	X(NO_PORT, CONFIGURE_FAILED, UNCONFIGURED, NONE)                                           \
	X(NO_PORT, LOST_ASKED, LOSING, WITHDRAW)                                                   \
	X(NO_PORT, LOST_CHOSEN, MOVING, WITHDRAW)                                                  \
	X(NO_PORT, LEAVE, LEAVING, DELETE_PORT)                                                    \
	X(NO_PORT, STOP, STOPPING, DELETE_PORT)                                                    \
	X(UNCONFIGURED, CONFIGURED, UP, REPORT_UP)                                                 \
	X(UNCONFIGURED, PORT_FAILED, NO_PORT, NONE)                                                \
	X(UNCONFIGURED, CONFIGURE_FAILED, UNCONFIGURED, NONE)                                      \
	X(UNCONFIGURED, LOST_ASKED, LOSING, WITHDRAW)                                              \
	X(UNCONFIGURED, LOST_CHOSEN, MOVING, WITHDRAW)                                             \
	X(UNCONFIGURED, LEAVE, LEAVING, DELETE_PORT)                                               \
	X(UNCONFIGURED, STOP, STOPPING, DELETE_PORT)                                               \
	/* another endpoint has its address */                                                     \
	X(LOSING, PORT_GONE, CONFLICT, NONE)                                                       \
	X(LOSING, LEAVE, LEAVING, REPORT_DOWN)                                                     \
	X(LOSING, STOP, STOPPING, REPORT_DOWN)                                                     \
	X(CONFLICT, REGAINED, STARTING, ASK_PORT)                                                  \
	X(CONFLICT, LEAVE, CREATED, DETACH)                                                        \
	X(CONFLICT, STOP, STOPPED, REPORT_DOWN)                                                    \
	X(MOVING, PORT_GONE, MOVED, NONE)                                                          \
	X(MOVING, LEAVE, LEAVING, REPORT_DOWN)                                                     \
	X(MOVING, STOP, STOPPING, REPORT_DOWN)                                                     \
	X(MOVED, READDRESSED, STARTING, ASK_PORT)                                                  \
	X(MOVED, LEAVE, CREATED, DETACH)                                                           \
	X(MOVED, STOP, STOPPED, REPORT_DOWN)                                                       \
	/* it goes */                                                                              \
	X(LEAVING, PORT_GONE, CREATED, DETACH)                                                     \
	X(LEAVING, STOP, STOPPING, NONE)                                                           \
	X(STOPPING, PORT_GONE, STOPPED, NONE)                                                      \
	X(STOPPING, STOP, STOPPING, NONE)                                                          \
	X(STOPPED, STOP, STOPPED, NONE)

static const struct endpoint_row table[NB_ENDPOINT_STATES][NB_ENDPOINT_EVENTS] = {
#define X(state, event, next, action)                                                              \
	[ENDPOINT_##state][EVENT_##event] = {true, ENDPOINT_##next, ACTION_##action},
	ROWS(X)
#undef X
};

const struct endpoint_row *endpoint_row(enum local_endpoint_state state, enum endpoint_event event)
{
	return &table[state][event];
}

bool endpoint_takes(const struct local_endpoint *le, enum endpoint_event event)
{
	return table[le->state][event].possible;
}

// ---- actions ----

static void tell(struct agent *a, const struct local_endpoint *le, const char *name)
{
	bool is_lost = !strcmp(name, "endpoint.conflict");

	agent_event(a, name,
		json_pack("{s:s, s:s, s:s, s:s*}", "network", le->net->rec.name, "endpoint",
			le->rec.name, "id", le->rec.id, "reason", is_lost ? le->reason : NULL));
}

static void ask_port(struct agent *a, struct local_endpoint *le)
{
	if (le->net->known)
		reconcile_endpoint_add(a->rec, le);
}

static void clear(struct agent *a, struct local_endpoint *le)
{
	le->reason[0] = '\0';
}

static void report_up(struct agent *a, struct local_endpoint *le)
{
	clear(a, le);
	tell(a, le, "endpoint.up");
}

static void report_down(struct agent *a, struct local_endpoint *le)
{
	tell(a, le, "endpoint.down");
}

static void delete_port(struct agent *a, struct local_endpoint *le)
{
	report_down(a, le);
	reconcile_endpoint_del(a->rec, le);
}

static void report_lost(struct agent *a, struct local_endpoint *le)
{
	log_warn("endpoint %s of network %s: %s; %s", le->rec.name, le->net->rec.name, le->reason,
		le->rec.is_static ? "it is off until that has gone" : "it gets another address");
	tell(a, le, "endpoint.conflict");
}

static void withdraw(struct agent *a, struct local_endpoint *le)
{
	report_lost(a, le);
	reconcile_endpoint_del(a->rec, le);
}

static void (*const actions[NB_ENDPOINT_ACTIONS])(struct agent *a, struct local_endpoint *le) = {
	[ACTION_ASK_PORT] = ask_port,
	[ACTION_REPORT_UP] = report_up,
	[ACTION_CLEAR] = clear,
	[ACTION_DELETE_PORT] = delete_port,
	[ACTION_REPORT_DOWN] = report_down,
	[ACTION_WITHDRAW] = withdraw,
	[ACTION_REPORT_LOST] = report_lost,
	[ACTION_DETACH] = agent_endpoint_detach,
};

// ---- events ----

void endpoint_begin(struct agent *a, struct local_endpoint *le, enum local_endpoint_state state)
{
	le->state = state;
	if (local_endpoint_wants_port(le))
		ask_port(a, le);
}

void endpoint_happens(struct agent *a, struct local_endpoint *le, enum endpoint_event event)
{
	const struct endpoint_row *row = &table[le->state][event];
	bool is_new = row->next != le->state;

	assert(row->possible);
	a->dirty = true;
	// First: what an action calls may send the next event.
	le->state = row->next;
	if (is_new)
		agent_endpoint_changed(a, le);
	if (actions[row->action])
		actions[row->action](a, le);
}
