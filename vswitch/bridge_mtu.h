// SPDX-License-Identifier: BSD-3-Clause
// What `mtu=auto` stands for on a bridge: as much as all of its tunnels carry. A bridge keeps the
// offers of its tunnels in a form that answers for any port without looking at them again.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "config/conf.h"

// A frame that leaves a tunnel's port with a tag has 4 bytes less. Which frames do depends on the
// VLAN of the port that they are from: all of a port with `tag` but those that an access port, or
// a native-untagged one of that VLAN, sends without. Of each kind the smallest offer counts; 0:
// there is none.
struct bridge_mtu {
	bool has_tunnels; // up or down
	uint16_t access;
	uint16_t trunk, trunk_native; // of the others; the VLAN that it takes untagged, or 0
	uint16_t trunk_besides;	      // of those that do not take `trunk_native` untagged
};

// `port`: options of a tunnel's port that is up; `mtu`: its offer.
void bridge_mtu_add(struct bridge_mtu *b, const struct conf_port *port, uint16_t mtu);

// For a port with these options. 0: no tunnel of the bridge is up.
uint16_t bridge_mtu_for(const struct bridge_mtu *b, const struct conf_port *port);
