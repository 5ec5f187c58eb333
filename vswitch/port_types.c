// SPDX-License-Identifier: BSD-3-Clause
#include "vswitch/port_types.h"

#include <string.h>

#include "ports/port_types.h"
#include "vxlan/vtep_object.h"

void port_types_init(struct port_type_row rows[CONF_PORT_NB_TYPES], struct vtep_objects *vteps)
{
	const struct port_type_row all[CONF_PORT_NB_TYPES] = {
		[CONF_PORT_TAP] = {&port_tap},
		[CONF_PORT_VETH] = {&port_veth},
		[CONF_PORT_DPDK] = {&port_dpdk},
		[CONF_PORT_VXLAN] = {&port_vxlan, vteps},
	};

	memcpy(rows, all, sizeof(all));
}
