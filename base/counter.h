// SPDX-License-Identifier: BSD-3-Clause
// A counter is a row: name, kind, unit and help of a number that a program keeps in a struct. The
// results of requests and their reference come from the rows, and an exporter of metrics walks
// them. Pure functions, any thread.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

enum counter_kind {
	COUNTER_TOTAL, // only grows, until the program ends
	COUNTER_GAUGE, // goes up and down
};

struct counter {
	const char *name; // in snake_case; NULL ends a list
	enum counter_kind kind;
	const char *unit; // in the plural
	const char *help;
	size_t offset; // of the uint64_t in its struct
};

// Rows for structs whose members have the names of their counters:
//
//     #define THINGS(X) X(packets, TOTAL, "packets", "packets received") ...
//     struct thing { THINGS(COUNTER_MEMBER) };
//     #define X(...) COUNTER_ROW(struct thing, __VA_ARGS__)
//     const struct counter thing_counters[] = {THINGS(X) {NULL}};
#define COUNTER_MEMBER(name, kind, unit, help) uint64_t name;
#define COUNTER_ROW(type, name, kind, unit, help)                                                  \
	{#name, COUNTER_##kind, unit, help, offsetof(type, name)},

// A list of rows, and where their values are found.
struct counter_group {
	const char *name;	   // of what is counted: port, worker; NULL ends a list
	const char *method, *path; // the request, and the place in its result: workers[].stages[]
	const struct counter *counters;
};

const char *counter_kind_name(enum counter_kind kind); // as Prometheus has it

uint64_t counter_value(const struct counter *counter, const void *values);

// Adds the value of each row to `obj`.
void counters_add(json_t *obj, const struct counter *counters, const void *values);
