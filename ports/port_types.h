// SPDX-License-Identifier: BSD-3-Clause
// The port types of this folder, a file each; the registry is vswitch/port_types.c.
#pragma once

#include "dp/port.h"

extern const struct port_type port_tap, port_veth, port_dpdk;
