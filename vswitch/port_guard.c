// SPDX-License-Identifier: BSD-3-Clause
// The guards of ports, made out of their options.
#include <errno.h>

#include "vswitch/model.h"

int guard_make(struct vport *vp, struct err *err)
{
	const struct conf_port *conf = &vp->conf;
	const struct port *port = vp->port;

	if (!conf->guard)
		return 0;
	if (!conf->has_mac && !port->has_mac)
		return err_set(err, -EINVAL, port->path,
			"guard: the MAC address behind the port is not known; give mac=");
	// What was asked for goes first: a container can give its device another address, and a
	// restarted switch finds the device with that.
	dp_guard_init(&vp->guard, conf->has_mac ? &conf->mac : &port->mac);
	for (unsigned i = 0; i < conf->nb_guard_ips; i++) {
		struct ip_addr ip;
		unsigned prefix;

		if (ip_parse_range(conf->guard_ips[i], &ip, &prefix) == 0) // config/ has checked
			dp_guard_allow(&vp->guard, &ip, prefix);
	}
	return 0;
}
