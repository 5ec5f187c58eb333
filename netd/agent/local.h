// SPDX-License-Identifier: BSD-3-Clause
// What the agent keeps on this host over restarts: its identity, its endpoints, local networks, and
// the last copy of the store. Small synchronous writes (LMDB: a crash of the process loses nothing;
// of the machine at most the last moment). Main thread only.
#pragma once

#include <stddef.h>

#include "base/err.h"

#define LOCAL_KEY_MAX_BYTES 511

struct local;

typedef void local_each_fn(void *arg, const char *key, const char *value, size_t len_bytes);

struct local_ops {
	int (*put)(struct local *local, const char *key, const char *value, size_t len_bytes);
	int (*del)(struct local *local, const char *key); // of what is not there: 0
	// All keys that begin with `prefix`, in order; `value` ends with a zero that is not
	// counted. `fn` changes nothing here.
	int (*each)(struct local *local, const char *prefix, local_each_fn *fn, void *arg);
	// Changes between these are made together; without, each by itself. They do not nest. When
	// one of them fails, so does commit(), and none is made.
	int (*begin)(struct local *local);
	int (*commit)(struct local *local);
};

struct local {
	const struct local_ops *ops;
};

int local_open(const char *dir, struct local **ret_local, struct err *err); // LMDB in that folder
void local_close(struct local *local);
