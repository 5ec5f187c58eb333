// SPDX-License-Identifier: BSD-3-Clause
// The guards of ports, made out of their options.
#include <errno.h>

#include "vswitch/model.h"

bool vport_is_guarded(const struct vport *vp)
{
	return vp->conf.guard || vp->conf.no_router || vp->conf.no_dhcp_server;
}

int guard_make(struct vport *vp, struct err *err)
{
	const struct conf_port *conf = &vp->conf;
	const struct port *port = vp->port;
	struct ip_addr ip;
	unsigned prefix;

	if (conf->filter == CONF_FILTER_GATEWAY && (!conf->guard || !conf->nb_guard_ips))
		return err_set(err, -EINVAL, port->path,
			"filter=gateway needs the gateway's addresses; give guard=on and "
			"guard-ips=");
	vp->peers = (struct dp_ips){};
	for (unsigned i = 0; i < conf->nb_filter_from; i++)
		if (ip_parse_range(conf->filter_from[i], &ip, &prefix) == 0)
			dp_ips_add(&vp->peers, &ip, prefix);
	if (!vport_is_guarded(vp))
		return 0;
	if (conf->guard && !conf->has_mac && !port->has_mac)
		return err_set(err, -EINVAL, port->path,
			"guard: the MAC address behind the port is not known; give mac=");
	// What was asked for goes first: a container can give its device another address, and a
	// restarted switch finds the device with that.
	dp_guard_init(&vp->guard, conf->has_mac ? &conf->mac : &port->mac);
	vp->guard.any_source = !conf->guard;
	vp->guard.router = !conf->no_router;
	vp->guard.dhcp_server = !conf->no_dhcp_server;
	for (unsigned i = 0; i < conf->nb_guard_ips; i++)
		if (ip_parse_range(conf->guard_ips[i], &ip, &prefix) == 0) // config/ has checked
			dp_guard_allow(&vp->guard, &ip, prefix);
	return 0;
}
