// SPDX-License-Identifier: BSD-3-Clause
// VNIs and their VTEPs: who belongs to whom.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config/check.h"
#include "config/conf.h"

bool conf_port_carries(const struct conf_port *port, unsigned vlan)
{
	if (port->vlan_mode == CONF_VLAN_ACCESS)
		return vlan == port->tag;
	return !port->has_trunks || vlan_set_has(&port->trunks, vlan) ||
	       (port->tag && vlan == port->tag);
}

int conf_vtep_reaches(const struct conf_vtep *vtep, const struct ip_addr *ip, struct err *err)
{
	char text[IP_TEXT_BYTES];

	if (!vtep->address.family || vtep->address.family == ip->family ||
		(vtep->address.family == 6 && ip_is_any(&vtep->address)))
		return 0;
	return err_set(err, -EAFNOSUPPORT, "",
		"%s is out of reach: VTEP '%s' has only an IPv%d address", ip_format(ip, text),
		vtep->name, vtep->address.family);
}

static bool find(
	const struct conf_vtep *const *list, unsigned count, const char *name, unsigned *ret_index)
{
	for (unsigned i = 0; i < count; i++) {
		if (strcmp(list[i]->name, name) != 0)
			continue;
		*ret_index = i;
		return true;
	}
	return false;
}

static int choose(const struct conf_port *port, const struct conf_vtep *const *list, unsigned count,
	unsigned *ret_index, struct err *err)
{
	const char *name = port->vtep[0] ? port->vtep : CONF_VTEP_IMPLICIT;

	*ret_index = 0;
	if (!port->vtep[0] && count == 1)
		return 0;
	if (find(list, count, name, ret_index))
		return 0;
	*ret_index = count;
	if (count == 0 && !strcmp(name, CONF_VTEP_IMPLICIT))
		return 0;
	if (port->vtep[0])
		return err_set(err, -ENOENT, "vtep",
			"there is no VTEP '%s'; create it first (add-vtep)", name);
	return err_set(err, -EINVAL, "vtep",
		"the key is missing: there are %u VTEPs, and none is named default", count);
}

int conf_port_settle(struct conf_port *port, const struct conf_vtep *const *list, unsigned count,
	unsigned *ret_index, struct err *err)
{
	int rc = choose(port, list, count, ret_index, err);

	if (rc < 0)
		return rc;
	for (unsigned i = 0; i < port->nb_remotes && *ret_index < count; i++) {
		rc = conf_vtep_reaches(list[*ret_index], &port->remote[i], err);
		if (rc == 0)
			continue;
		if (err)
			snprintf(err->path, sizeof(err->path), "remote");
		return rc;
	}
	snprintf(port->vtep, sizeof(port->vtep), "%s",
		*ret_index < count ? list[*ret_index]->name : CONF_VTEP_IMPLICIT);
	return 0;
}

static const struct conf_port *find_port(struct conf_fdb_ports *ports, const char *name)
{
	if (ports->named && !strcmp(ports->named->name, name))
		return ports->named;
	for (unsigned i = 0; i < ports->count; i++) {
		if (strcmp(ports->port[i]->name, name) != 0)
			continue;
		ports->named = ports->port[i];
		return ports->named;
	}
	return NULL;
}

static int check_named(const struct conf_fdb *entry, struct conf_fdb_ports *ports, struct err *err)
{
	const struct conf_port *port = find_port(ports, entry->port);

	if (!port)
		return err_set(err, -ENOENT, "port", "bridge '%s' has no port '%s'", ports->bridge,
			entry->port);
	if (entry->tunnel.family && port->type != CONF_PORT_VXLAN)
		return err_set(err, -EINVAL, "tunnel",
			"port '%s' is of type %s; only ports of type vxlan take tunnel", port->name,
			conf_port_type_name(port->type));
	if (!entry->tunnel.family && port->type == CONF_PORT_VXLAN)
		return err_set(err, -EINVAL, "tunnel",
			"the key is missing: port '%s' is of type vxlan, so the entry has to name "
			"a remote VTEP",
			port->name);
	return 0;
}

static int choose_port(const struct conf_fdb *entry, struct conf_fdb_ports *ports, struct err *err)
{
	const struct conf_port *found = NULL;

	if (ports->chosen && ports->chosen_vlan == entry->vlan)
		return 0;
	for (unsigned i = 0; i < ports->count; i++) {
		const struct conf_port *port = ports->port[i];

		if (port->type != CONF_PORT_VXLAN || !conf_port_carries(port, entry->vlan))
			continue;
		if (found)
			return err_set(err, -EINVAL, "port",
				"the key is missing: several ports of type vxlan of bridge '%s' "
				"carry VLAN %u, such as '%s' and '%s'",
				ports->bridge, entry->vlan, found->name, port->name);
		found = port;
	}
	if (!found)
		return err_set(err, -ENOENT, "port",
			"bridge '%s' has no port of type vxlan that carries VLAN %u", ports->bridge,
			entry->vlan);
	ports->chosen = found;
	ports->chosen_vlan = entry->vlan;
	return 0;
}

int conf_fdb_settle(struct conf_fdb *entry, struct conf_fdb_ports *ports, struct err *err)
{
	const char *allowed = check_no_group(&entry->mac);
	int rc;

	if (allowed)
		return err_set(err, -EINVAL, "mac", "%s", allowed);
	allowed = entry->tunnel.family ? check_host(&entry->tunnel) : NULL;
	if (allowed)
		return err_set(err, -EINVAL, "tunnel", "%s", allowed);
	if (mac_is_zero(&entry->mac) && !entry->tunnel.family)
		return err_set(err, -EINVAL, "mac",
			"the zero address stands for flooded frames; it needs tunnel");
	if (entry->port[0])
		return check_named(entry, ports, err);
	if (!entry->tunnel.family)
		return err_set(err, -EINVAL, "port", "the key is missing; give port or tunnel");
	rc = choose_port(entry, ports, err);
	if (rc == 0)
		memcpy(entry->port, ports->chosen->name, sizeof(entry->port));
	return rc;
}
