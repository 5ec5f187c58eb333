// SPDX-License-Identifier: BSD-3-Clause
// What the cases of the conformance suite share: a store opened anew for each, and its asynchronous
// functions as calls that wait.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kv/kv.h"

// A group of cases is a file and a row in main(); NULL name ends.
struct suite_case {
	const char *name;
	void (*run)(void);
	bool needs_control;
	bool needs_second; // URL: for a store of several servers
};
extern const struct suite_case cases_data[], cases_watch[], cases_group[], cases_lease[],
	cases_away[], cases_cluster[];

extern struct loop *loop;
extern struct kv *kv; // of the running case
extern struct kv_opts kv_options;
extern const char *second_url;

#define demand(condition) demand_at(condition, #condition, __FILE__, __LINE__)
void demand_at(bool holds, const char *what, const char *file, int line);

// "NAME" in a folder of the running case's own; of the last eight calls.
const char *in(const char *name);

// True when `*done` is set before `ms` have passed; the callback that sets it calls loop_stop().
bool run_until(const bool *done, unsigned ms);
void run_for(unsigned ms);

struct result {
	bool done;
	int rc;
	unsigned calls;
	uint64_t revision;
	struct kv_pair *pairs; // copies
	size_t count;
};
void result_free(struct result *r);
void on_read(void *arg, int rc, const struct kv_pair *pairs, size_t count, uint64_t revision);
void on_write(void *arg, int rc, uint64_t revision);
struct result await(struct result *r); // 20 s

struct result get(const char *key);
struct result list(const char *prefix);
struct result put(const char *key, const char *value);
struct result create(const char *key, const char *value);
struct result swap(const char *key, uint64_t revision, const char *value);
struct result drop(const char *key);
struct result txn(const struct kv_op *ops, unsigned count);
// The key has this value; NULL: it is not there.
bool holds(const char *key, const char *value);
bool holds_soon(const char *key, const char *value, unsigned ms);
uint64_t put_ok(const char *key, const char *value); // returns the revision

// A watch that keeps what it was told, and a copy of what is there by that.
struct seen {
	struct kv_watch *watch;
	struct kv_event *events; // copies
	size_t count;
	unsigned begins, synced;
	uint64_t revision; // of the last SYNCED
	size_t wanted;	   // stops the loop at so many SYNCED
	bool done;
};
void watch_start(struct seen *s, const char *prefix, uint64_t from_revision);
void watch_stop(struct seen *s);
bool watch_synced(struct seen *s, unsigned times); // in all, within 20 s
// What it has told last of `key`: the value, or NULL when it is not there.
const char *watch_value(const struct seen *s, const char *key);
bool watch_holds_soon(struct seen *s, const char *key, const char *value);

// Runs `COMMAND verb` of the option --control: stop, start, pause, resume, wipe, compact.
void control(const char *verb);
bool store_is(const char *scheme);
