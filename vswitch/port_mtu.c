// SPDX-License-Identifier: BSD-3-Clause
// The MTU of ports with mtu=auto. What the tunnels of a bridge offer is looked at once when one of
// them, or its offer, changes; then the bridge answers for each port, and its ports are gone
// through once, at the next publication.
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/util.h"
#include "vswitch/model.h"

#define MTU_OF_ALL 1500 // of a bridge without a tunnel

void mtu_changed(struct vport *vp)
{
	if (vp->row->type->offer_mtu)
		vp->bridge->mtu_stale = vp->bridge->mtu_untold = true;
}

void mtu_on_offer(void *arg, struct port *port)
{
	struct vswitch *vs = arg;
	struct vport *vp = vs->by_id[port_dp(port)->id];

	if (vp && vp->port == port) // it may have been taken out, and wait to be closed
		mtu_changed(vp);
}

static void look_at_offers(struct bridge *bridge)
{
	const struct vport *vp;

	bridge->mtu = (struct bridge_mtu){0};
	bridge->mtu_stale = false;
	TAILQ_FOREACH (vp, &bridge->ports, entry) {
		if (!vp->row->type->offer_mtu)
			continue;
		bridge->mtu.has_tunnels = true;
		if (vp->port)
			bridge_mtu_add(&bridge->mtu, &vp->conf, vp->row->type->offer_mtu(vp->port));
	}
}

static bool has_ip6(const struct conf_port *port)
{
	bool found = false;

	for (unsigned i = 0; i < port->nb_ips; i++)
		found |= strchr(port->ip[i], ':') != NULL;
	for (unsigned i = 0; i < port->nb_guard_ips; i++)
		found |= strchr(port->guard_ips[i], ':') != NULL;
	return found;
}

// While all tunnels of the bridge are down, what the port has is as good a guess as any, and (0)
// what its device has.
static uint16_t offered(const struct vport *vp)
{
	struct bridge *bridge = vp->bridge;
	uint16_t mtu;

	if (bridge->mtu_stale)
		look_at_offers(bridge);
	mtu = bridge_mtu_for(&bridge->mtu, &vp->conf);
	if (mtu)
		return mtu;
	if (!bridge->mtu.has_tunnels)
		return MTU_OF_ALL;
	return vp->port ? vp->port->conf.mtu : 0;
}

// Linux takes IPv6 and its addresses away from an interface with less than IPv6 must have, and does
// not give them back.
static uint16_t auto_mtu(const struct vport *vp)
{
	uint16_t mtu = offered(vp);

	return mtu && has_ip6(&vp->conf) ? MAX_OF(mtu, MTU_MIN_IPV6) : mtu;
}

struct conf_port vport_conf(const struct vport *vp)
{
	struct conf_port conf = vp->conf;

	if (conf.mtu == CONF_MTU_AUTO)
		conf.mtu = auto_mtu(vp);
	return conf;
}

// False when it keeps another MTU than it should have.
static bool follow(struct vport *vp)
{
	struct conf_port conf = vport_conf(vp);
	struct err err = {0};
	char text[700];

	if (conf.mtu == vp->port->conf.mtu)
		return true;
	if (port_change(vp->port, &conf, &err) < 0) {
		log_warn("port %s keeps mtu %u: %s", conf.name, vp->port->conf.mtu,
			err_text(&err, text, sizeof(text)));
		return false;
	}
	log_info("port %s now has mtu %u", conf.name, conf.mtu);
	return true;
}

void mtu_follow(struct vswitch *vs)
{
	struct bridge *bridge;
	struct vport *vp;

	TAILQ_FOREACH (bridge, &vs->bridges, entry) {
		bool told = true;

		if (!bridge->mtu_untold)
			continue;
		TAILQ_FOREACH (vp, &bridge->ports, entry) {
			if (vp->port && vp->conf.mtu == CONF_MTU_AUTO)
				told &= follow(vp);
		}
		bridge->mtu_untold = !told; // or it is tried again
	}
}
