// SPDX-License-Identifier: BSD-3-Clause
// Methods, their parameters and their results as data, and the checks of requests and results
// against them. What a method list says is all there is: dispatch, refusals, the reference page and
// `vsctl help` come from it. Pure functions, any thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "base/counter.h"
#include "ctrl/message.h"

enum ctrl_type {
	CTRL_BOOL,
	CTRL_INT,    // min..max
	CTRL_STRING, // min..max bytes
	CTRL_NAME,   // of a bridge or port (conf_name_check())
	CTRL_MAC,
	CTRL_IP,     // an address of IPv4 or IPv6
	CTRL_OBJECT, // its members are `fields`; NULL: config/ binds it
	CTRL_LIST,   // min..max `item`s
	// Of results only.
	CTRL_REAL,
	CTRL_TIME, // text of base/utc.h
	CTRL_MAP,  // an object of `item`s by name
};

struct ctrl_param {
	const char *name; // NULL ends a table
	enum ctrl_type type;
	bool required;
	unsigned one_of; // not 0: exactly one of the parameters with this number is given
	int64_t min, max;
	const struct ctrl_param *item, *fields;
	const char *help;
};

struct ctrl_object;

// A member of a result. CTRL_INT and CTRL_STRING have no bounds here.
struct ctrl_member {
	const char *name; // NULL ends a table; not of items
	enum ctrl_type type;
	const char *help;
	const char *when;		  // it is there only then: "while down"; NULL: always
	bool nullable;			  // may be null, which `help` explains
	const struct ctrl_member *item;	  // of CTRL_LIST and CTRL_MAP
	const struct ctrl_object *object; // of CTRL_OBJECT; NULL: any members
};

// What objects of a kind have. Those with a name are described once on the reference page.
struct ctrl_object {
	const char *name; // "port"; NULL: described where it is used
	const char *help; // a phrase; NULL with name NULL
	const struct ctrl_member *members;
};

struct ctrl_method {
	const char *name;
	bool is_write; // changes something: runs alone and is answered when it took effect
	const char *help;
	const struct ctrl_object *result; // of a change it may have a text `warning`, too
	const struct ctrl_param *params;
};

// The method of that name, or NULL.
const struct ctrl_method *ctrl_method_find(
	const struct ctrl_method *methods, unsigned count, const char *name);

// Whether `params` is what the method takes. On failure returns a negative errno, and `fault`
// names the parameter and says what is allowed.
int ctrl_check_params(
	const struct ctrl_method *method, const json_t *params, struct ctrl_fault *fault);

// Whether `result` (NULL: an empty object) is what the method says that it answers. Returns -EIO
// and says in `err` which member is wrong.
int ctrl_check_result(const struct ctrl_method *method, const json_t *result, struct err *err);

// Writes what values the parameter takes ("an integer from 0 to 4094") into `buf`, returns it.
const char *ctrl_param_allowed(const struct ctrl_param *param, char *buf, size_t len_bytes);

struct ctrl_event {
	const char *name, *data, *help; // a NULL name ends a list
};

// The list as JSON: an object of `events`, a list of name, data and help. NULL: out of memory.
json_t *ctrl_events_json(const struct ctrl_event *events);
extern const struct ctrl_member ctrl_events_members[]; // what it has

// A reference page.
struct ctrl_reference {
	const char *title, *run_dir;
	const char *example_method, *example_object;
	const char *changes; // sentences on when changes run and are answered
	const struct ctrl_method *methods;
	unsigned count;
	const struct ctrl_object *const *objects; // those with a name, in order; ends with NULL
	const struct ctrl_event *events;
	const struct counter_group *counters; // NULL: the daemon has none
};

// Prints the page in Markdown.
void ctrl_reference_print(FILE *out, const struct ctrl_reference *ref);
