// SPDX-License-Identifier: BSD-3-Clause
// The registry of port types: a row for each.
#pragma once

#include "dp/port.h"

struct vtep_objects;

void port_types_init(struct port_type_row rows[CONF_PORT_NB_TYPES], struct vtep_objects *vteps);
