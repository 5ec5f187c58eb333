// SPDX-License-Identifier: BSD-3-Clause
// The results of the agent's methods: an object of netd_result.c for each `result` in
// netd_method.h.
#pragma once

#include "ctrl/method.h"

extern const struct ctrl_object netd_object_audit, netd_object_created, netd_object_deleted,
	netd_object_dns_stats, netd_object_endpoint, netd_object_events, netd_object_flushed,
	netd_object_held, netd_object_host_removed, netd_object_hosts, netd_object_left,
	netd_object_log, netd_object_names, netd_object_network, netd_object_networks,
	netd_object_pool, netd_object_pools, netd_object_pruned, netd_object_released,
	netd_object_removed, netd_object_reply, netd_object_status;

extern const struct ctrl_object *const netd_objects[]; // those with a name; ends with NULL
