// SPDX-License-Identifier: BSD-3-Clause
// What the methods that add and delete lists of entries of a bridge have in common, be they
// forwarding entries or neighbours.
#pragma once

#include "vswitch/ctl/handle.h"

struct entries_kind {
	size_t entry_bytes;
	// Fills `entry`, which is zero, from a member of the request's list.
	int (*bind)(const json_t *obj, void *entry, struct err *err);
	// As vswitch_fdb_add() and vswitch_fdb_del().
	int (*add)(struct vswitch *vs, struct bridge *bridge, const void *entries, unsigned count,
		struct err *err);
	int (*del)(struct vswitch *vs, struct bridge *bridge, const void *entries, unsigned count,
		bool if_exists, unsigned *ret_deleted, struct err *err);
};

// Handlers of methods with the parameters `bridge` and `entries`, and `if_exists` for deleting.
int handle_entries_add(struct switch_ctl *ctl, const struct entries_kind *kind,
	const json_t *params, json_t **ret_result, struct err *err);
int handle_entries_del(struct switch_ctl *ctl, const struct entries_kind *kind,
	const json_t *params, json_t **ret_result, struct err *err);
