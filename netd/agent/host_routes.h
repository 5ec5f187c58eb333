// SPDX-License-Identifier: BSD-3-Clause
// Where this host sends packets to: a new network is not given a subnet there. Main thread only.
#pragma once

#include "netd/record/record.h"

// What the host has routes to, in any table, and its own addresses; without the default routes. An
// agent_routes_fn.
int host_routes(void *arg, struct cidr **ret_routes, unsigned *ret_count);
