// SPDX-License-Identifier: BSD-3-Clause
// The port types there are: one file each. port.c lists them.
#pragma once

#include "ports/port.h"

extern const struct port_type port_tap, port_veth, port_dpdk;
