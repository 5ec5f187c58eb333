// SPDX-License-Identifier: BSD-3-Clause
// The objects of a switch in memory (fake_switch.h), and the methods on them. Options are bound and
// printed by config/, so they are refused and listed as the real switch does it. One thread.
#pragma once

#include "tests/sim/fake_switch.h"

struct fake_model {
	struct fake_bridge *bridges;
	struct fake_vtep *vteps;
};

void fake_model_fini(struct fake_model *model);
void fake_model_copy(const struct fake_model *from, struct fake_model *ret_to);
struct fake_bridge *fake_model_bridge(const struct fake_model *model, const char *name);
struct fake_port *fake_model_port(
	const struct fake_model *model, const char *name, struct fake_bridge **ret_bridge);

struct fake_method {
	const char *name;
	bool changes;
	// `ret_result` is new. On failure nothing has changed.
	int (*run)(struct fake_model *model, const json_t *params, json_t **ret_result,
		struct err *err);
};

const struct fake_method *fake_method(const char *name); // NULL

// ---- fake_entry.c ----

int fake_fdb_add(
	struct fake_model *model, const json_t *params, json_t **ret_result, struct err *err);
int fake_fdb_del(
	struct fake_model *model, const json_t *params, json_t **ret_result, struct err *err);
int fake_fdb_show(
	struct fake_model *model, const json_t *params, json_t **ret_result, struct err *err);
int fake_neigh_add(
	struct fake_model *model, const json_t *params, json_t **ret_result, struct err *err);
int fake_neigh_del(
	struct fake_model *model, const json_t *params, json_t **ret_result, struct err *err);
int fake_neigh_list(
	struct fake_model *model, const json_t *params, json_t **ret_result, struct err *err);
void fake_bridge_drop_tunnels(struct fake_bridge *bridge);		 // with their port
void fake_bridge_drop_fdb(struct fake_bridge *bridge, const char *port); // behind it
void fake_bridge_drop_neighs(struct fake_bridge *bridge);
void fake_bridge_copy_entries(const struct fake_bridge *from, struct fake_bridge *to);
