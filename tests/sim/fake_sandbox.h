// SPDX-License-Identifier: BSD-3-Clause
// The namespaces of a simulated host's containers. One thread.
#pragma once

#include "tests/sim/world.h"

void fake_sandbox_init(struct sim_sandbox *sb, struct host *h);
