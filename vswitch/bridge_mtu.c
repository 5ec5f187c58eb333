// SPDX-License-Identifier: BSD-3-Clause
#include "vswitch/bridge_mtu.h"

#define TAG_BYTES 4

static uint16_t least(uint16_t a, uint16_t b)
{
	return !a || (b && b < a) ? b : a;
}

void bridge_mtu_add(struct bridge_mtu *b, const struct conf_port *port, uint16_t mtu)
{
	uint16_t native = port->vlan_mode == CONF_VLAN_NATIVE_UNTAGGED ? port->tag : 0;

	if (port->vlan_mode == CONF_VLAN_ACCESS) {
		b->access = least(b->access, mtu);
	} else if (b->trunk && native == b->trunk_native) {
		b->trunk = least(b->trunk, mtu);
	} else if (!b->trunk || mtu < b->trunk) {
		b->trunk_besides = b->trunk;
		b->trunk = mtu;
		b->trunk_native = native;
	} else {
		b->trunk_besides = least(b->trunk_besides, mtu);
	}
}

static uint16_t tagged(uint16_t mtu)
{
	return mtu > TAG_BYTES ? mtu - TAG_BYTES : 0;
}

uint16_t bridge_mtu_for(const struct bridge_mtu *b, const struct conf_port *port)
{
	uint16_t mtu = least(b->access, b->trunk);

	if (!port->tag)
		return mtu;
	if (port->tag == b->trunk_native)
		return least(mtu, tagged(b->trunk_besides));
	return least(b->access, tagged(b->trunk));
}
