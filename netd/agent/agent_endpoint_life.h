// SPDX-License-Identifier: BSD-3-Clause
// The life of an endpoint of this host, as one table of states and events. Main thread only.
#pragma once

#include <stdbool.h>

#include "netd/replica/local_endpoint.h"

struct agent;

enum endpoint_event {
	EVENT_STORED,		// the store has its record, or is not waited for any longer
	EVENT_JOIN,		// its caller gives it a namespace
	EVENT_CONFIGURED,	// the container has its interface
	EVENT_PORT_FAILED,	// the switch refused its port
	EVENT_CONFIGURE_FAILED, // the port is there, the interface could not be configured
	EVENT_PORT_GONE,	// the switch has let go of its port
	EVENT_LOST_ASKED,	// another endpoint has won an address that was asked for
	EVENT_LOST_CHOSEN,	// another endpoint has won an address that this host chose
	EVENT_REGAINED,		// that endpoint has gone
	EVENT_READDRESSED,	// it has another address
	EVENT_LEAVE,		// it is to leave its namespace
	EVENT_STOP,		// it is to end
	NB_ENDPOINT_EVENTS
};

enum endpoint_action {
	ACTION_NONE,
	ACTION_ASK_PORT,    // the switch is asked for its port
	ACTION_REPORT_UP,   // event endpoint.up; what was wrong is forgotten
	ACTION_CLEAR,	    // what was wrong is forgotten
	ACTION_DELETE_PORT, // event endpoint.down, and the port is deleted
	ACTION_REPORT_DOWN, // event endpoint.down; the port is gone, or being deleted
	ACTION_WITHDRAW,    // event endpoint.conflict, and the port is deleted
	ACTION_REPORT_LOST, // event endpoint.conflict; there is no port
	ACTION_DETACH,	    // it forgets its namespace
	NB_ENDPOINT_ACTIONS
};

// What an event does in a state. `possible` false: it cannot happen there.
struct endpoint_row {
	bool possible;
	enum local_endpoint_state next;
	enum endpoint_action action;
};

const struct endpoint_row *endpoint_row(enum local_endpoint_state state, enum endpoint_event event);
// The event may happen to it now.
bool endpoint_takes(const struct local_endpoint *le, enum endpoint_event event);

// What its state says of it.
bool endpoint_is_untold(const struct local_endpoint *le); // nobody was told yet that it is there
bool endpoint_is_named(const struct local_endpoint *le);  // its names are known
bool endpoint_is_kept(const struct local_endpoint *le);	  // the store is to have its record
bool endpoint_is_inside(
	const struct local_endpoint *le); // it has a namespace, and is to stay there
bool endpoint_is_ending(const struct local_endpoint *le);
bool endpoint_is_wrong(const struct local_endpoint *le);	  // a problem, with its reason
const char *endpoint_state_name(const struct local_endpoint *le); // for people

// It begins its life in this state.
void endpoint_begin(struct agent *a, struct local_endpoint *le, enum local_endpoint_state state);
// The event must be possible (endpoint_takes()). May call back and send further events.
void endpoint_happens(struct agent *a, struct local_endpoint *le, enum endpoint_event event);
