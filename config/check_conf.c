// SPDX-License-Identifier: BSD-3-Clause
#include "config/check_conf.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>

#include "config/check.h"

// The node of `key`, or that of the port when the key was not given.
static const void *node_of(const json_t *obj, const char *key, const void *at)
{
	void *iter = json_object_iter_at((json_t *)obj, key);

	return iter ? json_object_iter_key(iter) : at;
}

static void check_vlan(struct report *report, const struct conf_port *port, const json_t *obj,
	const char *path, const void *at)
{
	const void *mode = node_of(obj, "vlan-mode", node_of(obj, "vlan_mode", at));
	char key[REPORT_PATH_BYTES];

	switch (port->vlan_mode) {
	case CONF_VLAN_TRUNK:
		if (port->tag)
			report_add(report, mode, report_path(key, path, "vlan-mode"),
				"trunk does not work with a tag; use native-tagged or "
				"native-untagged");
		break;
	case CONF_VLAN_ACCESS:
		if (port->has_trunks)
			report_add(report, mode, report_path(key, path, "vlan-mode"),
				"access does not work with trunks; use native-tagged or "
				"native-untagged");
		// fall through
	case CONF_VLAN_NATIVE_TAGGED:
	case CONF_VLAN_NATIVE_UNTAGGED:
		if (!port->tag)
			report_add(report, mode, report_path(key, path, "vlan-mode"),
				"this mode needs a tag, the VLAN of untagged packets");
		break;
	}
}

// A device that is named after its port takes only some of the names that a port may have.
static void check_device_name(
	struct report *report, const struct conf_port *port, const char *path, const void *at)
{
	char key[REPORT_PATH_BYTES];
	bool named =
		port->type == CONF_PORT_TAP || (port->type == CONF_PORT_VETH && port->netns[0]);

	if (!named || port->ifname[0] || !port->name[0] || !check_ifname(port->name))
		return;
	report_add(report, at, report_path(key, path, "ifname"),
		"the key is missing, and the port's name '%s' cannot name a network interface, "
		"which has 1 to 15 bytes",
		port->name);
}

static void check_auto(struct report *report, const struct conf_port *port, const json_t *obj,
	const char *path, const void *at)
{
	char key[REPORT_PATH_BYTES];

	if (port->mtu != CONF_MTU_AUTO || port->type == CONF_PORT_TAP ||
		port->type == CONF_PORT_VETH)
		return;
	report_add(report, node_of(obj, "mtu", at), report_path(key, path, "mtu"),
		"only ports of type tap and veth take auto, not %s",
		conf_port_type_name(port->type));
}

void check_port(struct report *report, const struct conf_port *port, const json_t *obj,
	const char *path, const void *at)
{
	check_vlan(report, port, obj, path, at);
	check_auto(report, port, obj, path, at);
	check_device_name(report, port, path, at);
}

static bool in_prefix(const struct ip_addr *ip, const struct ip_addr *net, unsigned prefix)
{
	for (unsigned bit = 0; bit < prefix; bit++) {
		if ((ip->byte[bit / 8] ^ net->byte[bit / 8]) & 0x80 >> bit % 8)
			return false;
	}
	return ip->family == net->family;
}

static void check_gateway(struct report *report, const struct conf_vtep *vtep, const json_t *obj,
	const char *path, const void *at)
{
	char key[REPORT_PATH_BYTES];

	if (vtep->has_gateway_mac && !vtep->gateway.family)
		report_add(report, node_of(obj, "gateway-mac", at),
			report_path(key, path, "gateway-mac"),
			"gateway is missing; give its address");
	if (!vtep->gateway.family || in_prefix(&vtep->gateway, &vtep->address, vtep->prefix))
		return;
	report_add(report, node_of(obj, "gateway", at), report_path(key, path, "gateway"),
		"the gateway must be in the prefix of the address");
}

void check_vtep(struct report *report, const struct conf_vtep *vtep, const json_t *obj,
	const char *path, const void *at)
{
	struct conf_port port = vtep->port;
	const void *address = node_of(obj, "address", at);
	char key[REPORT_PATH_BYTES];

	report_path(key, path, "address");
	if (vtep->underlay == CONF_UNDERLAY_KERNEL) {
		if (vtep->prefix)
			report_add(report, address, key,
				"with underlay kernel, give the address without a prefix length");
		return;
	}
	snprintf(port.name, sizeof(port.name), "%s", vtep->name);
	snprintf(port.netns, sizeof(port.netns), "%s", vtep->netns);
	check_device_name(report, &port, path, at);
	if (!vtep->address.family) // reported
		return;
	if (!vtep->prefix || ip_is_any(&vtep->address))
		report_add(report, address, key,
			"underlay port needs one address with its prefix length, such as "
			"10.0.0.1/24");
	else
		check_gateway(report, vtep, obj, path, at);
}

int conf_workers_check(const struct conf *conf, struct err *err)
{
	cpu_set_t cpus;
	char path[32];

	sched_getaffinity(0, sizeof(cpus), &cpus);
	for (unsigned i = 0; i < conf->nb_workers; i++) {
		if (conf->workers[i] < CPU_SETSIZE && CPU_ISSET(conf->workers[i], &cpus))
			continue;
		snprintf(path, sizeof(path), "workers[%u]", i);
		return err_set(err, -EINVAL, path,
			"CPU %u is not there or not allowed for this process", conf->workers[i]);
	}
	return 0;
}
