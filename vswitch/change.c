// SPDX-License-Identifier: BSD-3-Clause
// Changes of the object model. Each function does all or nothing; vswitch_commit() brings the
// result to the workers.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "vswitch/model.h"

static int no_bridge(const char *name, struct err *err)
{
	return err_set(err, -ENOENT, name, "no such bridge; `vsctl list-br` lists them");
}

static int no_port(const char *name, struct err *err)
{
	return err_set(err, -ENOENT, name, "no such port; `vsctl show` lists them");
}

// ---- bridges ----

int vswitch_bridge_add(struct vswitch *vs, const struct conf_bridge_opts *opts, struct err *err)
{
	struct bridge *bridge;
	int rc;

	if (vswitch_find_bridge(vs, opts->name))
		return err_set(err, -EEXIST, opts->name, "a bridge of this name is there already");
	bridge = calloc(1, sizeof(*bridge));
	if (!bridge)
		return err_set(err, -ENOMEM, opts->name, "out of memory");
	rc = dp_bridge_id_alloc(vs->opts.dp, &bridge->dp_id);
	if (rc < 0) {
		free(bridge);
		if (rc == -ENOSPC)
			return err_set(err, rc, opts->name, "a switch has at most %d bridges",
				DP_BRIDGES_MAX);
		return err_set(err, rc, opts->name, "out of memory");
	}
	bridge->vs = vs;
	bridge->opts = *opts;
	TAILQ_INIT(&bridge->ports);
	TAILQ_INSERT_TAIL(&vs->bridges, bridge, entry);
	vswitch_event(vs, "bridge.add", json_pack("{s:s}", "bridge", opts->name));
	return 0;
}

int vswitch_bridge_set(struct vswitch *vs, const struct conf_bridge_opts *opts, struct err *err)
{
	struct bridge *bridge = vswitch_find_bridge(vs, opts->name);

	if (!bridge)
		return no_bridge(opts->name, err);
	bridge->opts = *opts;
	vswitch_event(vs, "bridge.set", json_pack("{s:s}", "bridge", opts->name));
	return 0;
}

// ---- ports ----

static struct vport *vport_new(
	struct vswitch *vs, struct bridge *bridge, const struct conf_port *conf, struct err *err)
{
	struct vport *vp;

	if (vswitch_find_port(vs, conf->name)) {
		err_set(err, -EEXIST, conf->name, "a port of this name is there already");
		return NULL;
	}
	vp = calloc(1, sizeof(*vp));
	if (!vp) {
		err_set(err, -ENOMEM, conf->name, "out of memory");
		return NULL;
	}
	if (dp_port_id_alloc(vs->opts.dp, &vp->dp_id) < 0) {
		err_set(err, -ENOSPC, conf->name, "a switch has at most %d ports", DP_PORTS_MAX);
		free(vp);
		return NULL;
	}
	vp->bridge = bridge;
	vp->conf = *conf;
	vp->state = VPORT_DOWN;
	vp->since_us = monotonic_us();
	TAILQ_INSERT_TAIL(&bridge->ports, vp, entry);
	bridge->nb_ports++;
	vs->by_id[vp->dp_id] = vp;
	return vp;
}

// Static entries that name the port go with it. Those that are left are told to the data plane
// by the caller.
static void drop_static(struct vswitch *vs, struct bridge *bridge, const char *port)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < bridge->nb_fdb; i++) {
		const struct conf_fdb *e = &bridge->fdb[i];

		if (strcmp(e->port, port)) {
			bridge->fdb[kept++] = *e;
			continue;
		}
		dp_fdb_del(vs->opts.dp, bridge->dp_id, e->vlan, &e->mac);
	}
	bridge->nb_fdb = kept;
}

// Takes a port out of the model; its device is closed when no worker uses it any more.
static int vport_remove(struct vswitch *vs, struct vport *vp, struct err *err)
{
	struct bridge *bridge = vp->bridge;
	struct grave *grave = calloc(1, sizeof(*grave));

	if (!grave)
		return err_set(err, -ENOMEM, vp->conf.name, "out of memory");
	grave->port = vp->port;
	grave->remove = true;
	grave->free_port_id = true;
	grave->port_id = vp->dp_id;
	vswitch_bury(vs, grave);
	drop_static(vs, bridge, vp->conf.name);
	dp_fdb_flush_port(vs->opts.dp, vp->dp_id);
	TAILQ_REMOVE(&bridge->ports, vp, entry);
	bridge->nb_ports--;
	vs->by_id[vp->dp_id] = NULL;
	free(vp);
	return 0;
}

int vport_load(
	struct vswitch *vs, const char *bridge, const struct conf_port *conf, struct err *err)
{
	struct vport *vp = vport_new(vs, vswitch_find_bridge(vs, bridge), conf, err);
	char text[700];

	if (!vp)
		return err->code;
	if (vport_open(vs, vp, &vp->down) < 0)
		log_warn(
			"port %s is down: %s", conf->name, err_text(&vp->down, text, sizeof(text)));
	return 0;
}

int vswitch_ports_add(struct vswitch *vs, const char *bridge_name, const struct conf_port *ports,
	unsigned count, struct err *err)
{
	struct bridge *bridge = vswitch_find_bridge(vs, bridge_name);
	unsigned made = 0;

	if (!bridge)
		return no_bridge(bridge_name, err);
	for (; made < count; made++) {
		struct vport *vp = vport_new(vs, bridge, &ports[made], err);

		if (!vp)
			goto undo;
		if (vport_open(vs, vp, err) < 0) {
			made++;
			goto undo;
		}
	}
	for (unsigned i = 0; i < count; i++)
		vswitch_event(vs, "port.add",
			json_pack("{s:s, s:s}", "port", ports[i].name, "bridge", bridge_name));
	return 0;

undo:
	while (made-- > 0)
		vport_remove(vs, vswitch_find_port(vs, ports[made].name), NULL);
	// The workers never saw them.
	vswitch_publish(vs, NULL);
	return err ? err->code : -EINVAL;
}

int vswitch_ports_del(struct vswitch *vs, const char *const *names, unsigned count, struct err *err)
{
	for (unsigned i = 0; i < count; i++) {
		if (!vswitch_find_port(vs, names[i]))
			return no_port(names[i], err);
		for (unsigned k = 0; k < i; k++) {
			if (!strcmp(names[i], names[k]))
				return err_set(err, -EINVAL, names[i], "the port is named twice");
		}
	}
	for (unsigned i = 0; i < count; i++) {
		struct vport *vp = vswitch_find_port(vs, names[i]);
		json_t *data =
			json_pack("{s:s, s:s}", "port", names[i], "bridge", vp->bridge->opts.name);
		int rc = vport_remove(vs, vp, err);

		if (rc < 0) {
			json_decref(data);
			return rc;
		}
		vswitch_event(vs, "port.del", data);
	}
	return 0;
}

int vswitch_bridge_del(struct vswitch *vs, const char *name, struct err *err)
{
	struct bridge *bridge = vswitch_find_bridge(vs, name);
	struct grave *grave;
	struct vport *vp;
	int rc;

	if (!bridge)
		return no_bridge(name, err);
	grave = calloc(1, sizeof(*grave));
	if (!grave)
		return err_set(err, -ENOMEM, name, "out of memory");
	while ((vp = TAILQ_FIRST(&bridge->ports))) {
		rc = vport_remove(vs, vp, err);
		if (rc < 0) {
			free(grave);
			return rc;
		}
	}
	for (unsigned i = 0; i < bridge->nb_fdb; i++)
		dp_fdb_del(vs->opts.dp, bridge->dp_id, bridge->fdb[i].vlan, &bridge->fdb[i].mac);
	grave->free_bridge_id = true;
	grave->bridge_id = bridge->dp_id;
	vswitch_bury(vs, grave);
	TAILQ_REMOVE(&vs->bridges, bridge, entry);
	vswitch_event(vs, "bridge.del", json_pack("{s:s}", "bridge", name));
	free(bridge->fdb);
	free(bridge);
	return 0;
}

int vswitch_port_set(struct vswitch *vs, const struct conf_port *conf, struct err *err)
{
	struct vport *vp = vswitch_find_port(vs, conf->name);
	int rc;

	if (!vp)
		return no_port(conf->name, err);
	rc = port_check_change(&vp->conf, conf, err);
	if (rc == 0 && vp->port)
		rc = port_change(vp->port, conf, err);
	if (rc < 0)
		return rc;
	// What it learned in VLANs that it may not carry any more would mislead.
	if (memcmp(&vp->conf.trunks, &conf->trunks, sizeof(conf->trunks)) ||
		vp->conf.tag != conf->tag || vp->conf.vlan_mode != conf->vlan_mode ||
		vp->conf.has_trunks != conf->has_trunks)
		dp_fdb_flush_port(vs->opts.dp, vp->dp_id);
	vp->conf = *conf;
	vswitch_event(vs, "port.set",
		json_pack("{s:s, s:s}", "port", conf->name, "bridge", vp->bridge->opts.name));
	return 0;
}

// ---- static forwarding entries ----

static struct conf_fdb *find_static(struct bridge *bridge, const struct conf_fdb *entry)
{
	for (unsigned i = 0; i < bridge->nb_fdb; i++) {
		struct conf_fdb *e = &bridge->fdb[i];

		if (e->vlan == entry->vlan && !memcmp(&e->mac, &entry->mac, sizeof(e->mac)))
			return e;
	}
	return NULL;
}

static int check_static(struct vswitch *vs, struct bridge *bridge, const struct conf_fdb *entries,
	unsigned count, struct err *err)
{
	char text[MAC_TEXT_BYTES];

	for (unsigned i = 0; i < count; i++) {
		struct vport *vp = vswitch_find_port(vs, entries[i].port);

		mac_format(&entries[i].mac, text);
		if (!vp || vp->bridge != bridge)
			return err_set(err, -ENOENT, text, "bridge %s has no port %s",
				bridge->opts.name, entries[i].port);
		if (mac_is_multicast(&entries[i].mac) || mac_is_zero(&entries[i].mac))
			return err_set(
				err, -EINVAL, text, "a forwarding entry takes a unicast address");
	}
	return 0;
}

int vswitch_fdb_add(struct vswitch *vs, const char *bridge_name, const struct conf_fdb *entries,
	unsigned count, struct err *err)
{
	struct bridge *bridge = vswitch_find_bridge(vs, bridge_name);
	struct conf_fdb *grown;
	unsigned done = 0, old_count;
	int rc;

	if (!bridge)
		return no_bridge(bridge_name, err);
	rc = check_static(vs, bridge, entries, count, err);
	if (rc < 0)
		return rc;
	grown = reallocarray(bridge->fdb, bridge->nb_fdb + count + 1, sizeof(*grown));
	if (!grown)
		return err_set(err, -ENOMEM, bridge_name, "out of memory");
	bridge->fdb = grown;
	old_count = bridge->nb_fdb;
	for (; done < count; done++) {
		const struct conf_fdb *e = &entries[done];
		struct conf_fdb *old = find_static(bridge, e);

		rc = dp_fdb_add_static(vs->opts.dp, bridge->dp_id, e->vlan, &e->mac,
			vswitch_find_port(vs, e->port)->dp_id);
		if (rc < 0)
			goto undo;
		if (old)
			*old = *e;
		else
			bridge->fdb[bridge->nb_fdb++] = *e;
	}
	return 0;

undo:
	while (bridge->nb_fdb > old_count) {
		bridge->nb_fdb--;
		dp_fdb_del(vs->opts.dp, bridge->dp_id, bridge->fdb[bridge->nb_fdb].vlan,
			&bridge->fdb[bridge->nb_fdb].mac);
	}
	return err_set_errno(err, rc, bridge_name, "the forwarding table has no room");
}

int vswitch_fdb_del(struct vswitch *vs, const char *bridge_name, const struct conf_fdb *entries,
	unsigned count, struct err *err)
{
	struct bridge *bridge = vswitch_find_bridge(vs, bridge_name);
	char text[MAC_TEXT_BYTES];

	if (!bridge)
		return no_bridge(bridge_name, err);
	for (unsigned i = 0; i < count; i++) {
		if (!find_static(bridge, &entries[i]))
			return err_set(err, -ENOENT, mac_format(&entries[i].mac, text),
				"bridge %s has no static entry for it in VLAN %u", bridge_name,
				entries[i].vlan);
	}
	for (unsigned i = 0; i < count; i++) {
		struct conf_fdb *e = find_static(bridge, &entries[i]);

		if (!e)
			continue; // named twice
		dp_fdb_del(vs->opts.dp, bridge->dp_id, e->vlan, &e->mac);
		*e = bridge->fdb[--bridge->nb_fdb];
	}
	return 0;
}
