// SPDX-License-Identifier: BSD-3-Clause
// What the methods of the switch answer: an object of switch_result.c for each `result` in
// switch_method.h.
#pragma once

#include "ctrl/method.h"

extern const struct ctrl_object switch_object_added, switch_object_added_count,
	switch_object_added_ports, switch_object_bridge, switch_object_bridges,
	switch_object_config, switch_object_deleted, switch_object_deleted_count,
	switch_object_deleted_ports, switch_object_drops, switch_object_events,
	switch_object_fdb_page, switch_object_log, switch_object_neigh_page, switch_object_nothing,
	switch_object_port, switch_object_ports, switch_object_remotes, switch_object_show,
	switch_object_stats, switch_object_status, switch_object_vtep, switch_object_vteps,
	switch_object_workers;

extern const struct ctrl_object *const switch_objects[]; // those with a name; ends with NULL
