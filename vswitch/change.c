// SPDX-License-Identifier: BSD-3-Clause
// Changes of the object model. Each function does all or nothing; vswitch_commit() brings the
// result to the workers.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "vswitch/model.h"

// ---- bridges ----

static int make_bridge(
	struct vswitch *vs, const struct conf_bridge_opts *opts, struct bridge **ret_bridge)
{
	struct bridge *bridge = calloc(1, sizeof(*bridge));
	int rc = -ENOMEM;

	if (!bridge)
		return rc;
	bridge->grave = model_grave_new(vs);
	if (bridge->grave)
		rc = dp_bridge_id_alloc(vs->opts.dp, &bridge->dp_id);
	if (rc < 0) {
		free(bridge->grave);
		free(bridge);
		return rc;
	}
	bridge->vs = vs;
	bridge->opts = *opts;
	TAILQ_INIT(&bridge->ports);
	*ret_bridge = bridge;
	return 0;
}

int vswitch_bridge_add(struct vswitch *vs, const struct conf_bridge_opts *opts, struct err *err)
{
	char path[CONF_NAME_BYTES + 16];
	struct bridge *bridge;
	int rc;

	snprintf(path, sizeof(path), "bridge %s", opts->name);
	if (vswitch_find_bridge(vs, opts->name))
		return err_set(err, -EEXIST, path, "a bridge of this name already exists");
	rc = make_bridge(vs, opts, &bridge);
	if (rc == -ENOSPC)
		return err_set(err, rc, path, "a switch has at most %d bridges", DP_BRIDGES_MAX);
	if (rc < 0)
		return err_set(err, rc, path, "out of memory");
	TAILQ_INSERT_TAIL(&vs->bridges, bridge, entry);
	vswitch_event(vs, "bridge.add", json_pack("{s:s}", "bridge", opts->name));
	return 0;
}

int vswitch_bridge_set(struct vswitch *vs, const struct conf_bridge_opts *opts, struct err *err)
{
	struct conf_bridge_opts old;
	struct bridge *bridge;
	int rc = vswitch_get_bridge(vs, opts->name, &bridge, err);

	if (rc == 0)
		rc = conf_bridge_check_change(&bridge->opts, opts, err);
	if (rc < 0)
		return rc;
	old = bridge->opts;
	bridge->opts = *opts;
	if (old.neigh_unknown != opts->neigh_unknown && neigh_apply(vs, bridge) < 0) {
		bridge->opts = old;
		return err_set(err, -ENOMEM, opts->name, "out of memory");
	}
	vswitch_event(vs, "bridge.set", json_pack("{s:s}", "bridge", opts->name));
	return 0;
}

// ---- ports ----

static int make_vport(struct vswitch *vs, struct bridge *bridge, const struct conf_port *conf,
	const struct port_type_row *row, struct vport **ret_vp)
{
	struct vport *vp = calloc(1, sizeof(*vp));
	int rc = -ENOMEM;

	if (!vp)
		return rc;
	vp->grave = model_grave_new(vs);
	if (vp->grave)
		rc = dp_port_id_alloc(vs->opts.dp, &vp->dp_id);
	if (rc < 0) {
		free(vp->grave);
		free(vp);
		return rc;
	}
	vp->bridge = bridge;
	vp->conf = *conf;
	vp->row = row;
	vp->state = VPORT_DOWN;
	vp->since_us = monotonic_us();
	*ret_vp = vp;
	return 0;
}

static int check_name(struct vswitch *vs, const char *name, const char *path, struct err *err)
{
	const struct vport *vp = vswitch_find_port(vs, name);

	if (vp)
		return err_set(err, -EEXIST, path,
			"a port of this name already exists, on bridge %s", vp->bridge->opts.name);
	if (vtep_object_find(&vs->vteps, name))
		return err_set(err, -EEXIST, path, "a VTEP already has this name");
	return 0;
}

// Of types whose ports are on another object: takes the place there, and gives it back.
static int settle(
	const struct port_type_row *row, struct conf_port *conf, bool must_open, struct err *err)
{
	return row->type->settle ? row->type->settle(row->arg, conf, must_open, err) : 0;
}

static void release(const struct port_type_row *row, const struct conf_port *conf)
{
	if (row->type->release)
		row->type->release(row->arg, conf);
}

// Adds a port without its device. What it is on has to exist, or with `must_open` be up.
static int vport_new(struct vswitch *vs, struct bridge *bridge, const struct conf_port *port,
	bool must_open, struct vport **ret_vp, struct err *err)
{
	const struct port_type_row *row = port_type_find(&vs->opts.port_env, port->type);
	struct conf_port conf = *port;
	char path[CONF_NAME_BYTES + 16];
	struct vport *vp;
	int rc;

	snprintf(path, sizeof(path), "port %s", port->name);
	if (!row)
		return err_set(err, -EINVAL, path, "this switch has no ports of type %s",
			conf_port_type_name(port->type));
	rc = check_name(vs, port->name, path, err);
	if (rc == 0)
		rc = settle(row, &conf, must_open, err);
	if (rc < 0)
		return rc;
	rc = make_vport(vs, bridge, &conf, row, &vp);
	if (rc < 0) {
		release(row, &conf);
		if (rc == -ENOSPC)
			return err_set(
				err, rc, path, "a switch has at most %d ports", DP_PORTS_MAX);
		return err_set(err, rc, path, "out of memory");
	}
	TAILQ_INSERT_TAIL(&bridge->ports, vp, entry);
	bridge->nb_ports++;
	vs->by_id[vp->dp_id] = vp;
	mtu_changed(vp);
	*ret_vp = vp;
	return 0;
}

static void vport_unlink(struct vswitch *vs, struct vport *vp)
{
	mtu_changed(vp);
	TAILQ_REMOVE(&vp->bridge->ports, vp, entry);
	vp->bridge->nb_ports--;
	vs->by_id[vp->dp_id] = NULL;
}

// Undoes vport_new(), and vport_open(): the device is gone when this returns, since no worker has
// seen it.
static void vport_undo(struct vswitch *vs, struct vport *vp)
{
	static_fdb_down(vp);
	vport_unlink(vs, vp);
	port_close(vp->port, true);
	release(vp->row, &vp->conf);
	dp_port_id_free(vs->opts.dp, vp->dp_id);
	free(vp->grave);
	free(vp);
}

// Takes a port out of the model; its device is closed when no worker uses it any more.
static void vport_remove(struct vswitch *vs, struct vport *vp)
{
	struct model_grave *grave = vp->grave;

	grave->port = vp->port;
	grave->remove = true;
	grave->free_port_id = true;
	grave->port_id = vp->dp_id;
	vswitch_bury(vs, &grave->grave);
	static_fdb_drop(vs, vp);
	dp_fdb_flush_port(vs->opts.dp, vp->dp_id);
	vport_unlink(vs, vp);
	release(vp->row, &vp->conf);
	free(vp);
}

int vport_load(
	struct vswitch *vs, struct bridge *bridge, const struct conf_port *conf, struct err *err)
{
	struct vport *vp;

	return vport_new(vs, bridge, conf, false, &vp, err);
}

static void open_loaded(struct vswitch *vs, struct bridge *bridge, bool tunnels)
{
	char text[700];
	struct vport *vp;

	TAILQ_FOREACH (vp, &bridge->ports, entry) {
		bool is_tunnel = vp->row->type->offer_mtu;

		if (is_tunnel == tunnels && vport_open(vs, vp, &vp->down) < 0)
			log_warn("port %s is down: %s", vp->conf.name,
				err_text(&vp->down, text, sizeof(text)));
	}
}

void vports_open_loaded(struct vswitch *vs, struct bridge *bridge)
{
	open_loaded(vs, bridge, true);
	open_loaded(vs, bridge, false);
}

static int named_twice(const char *name, struct err *err)
{
	char path[CONF_NAME_BYTES + 16];

	snprintf(path, sizeof(path), "port %s", name);
	return err_set(err, -EINVAL, path, "the request names it twice");
}

static int check_twice(const struct conf_port *ports, unsigned count, struct err *err)
{
	for (unsigned i = 0; i < count; i++) {
		for (unsigned k = 0; k < i; k++) {
			if (!strcmp(ports[i].name, ports[k].name))
				return named_twice(ports[i].name, err);
		}
	}
	return 0;
}

static int port_add(
	struct vswitch *vs, struct bridge *bridge, const struct conf_port *conf, struct err *err)
{
	struct vport *vp;
	int rc = vport_new(vs, bridge, conf, true, &vp, err);

	if (rc < 0)
		return rc;
	rc = vport_open(vs, vp, err);
	if (rc < 0)
		vport_undo(vs, vp);
	return rc;
}

int vswitch_ports_add(struct vswitch *vs, struct bridge *bridge, const struct conf_port *ports,
	unsigned count, struct err *err)
{
	unsigned made = 0;
	int rc = check_twice(ports, count, err);

	while (rc == 0 && made < count) {
		rc = port_add(vs, bridge, &ports[made], err);
		made += rc == 0;
	}
	if (rc < 0) {
		while (made-- > 0)
			vport_undo(vs, vswitch_find_port(vs, ports[made].name));
		return rc;
	}
	for (unsigned i = 0; i < count; i++)
		vswitch_event(vs, "port.add",
			json_pack(
				"{s:s, s:s}", "port", ports[i].name, "bridge", bridge->opts.name));
	return 0;
}

int vswitch_ports_del(struct vswitch *vs, const char *const *names, unsigned count, struct err *err)
{
	struct vport *vp;

	for (unsigned i = 0; i < count; i++) {
		int rc = vswitch_get_port(vs, names[i], &vp, err);

		if (rc < 0)
			return rc;
		for (unsigned k = 0; k < i; k++) {
			if (!strcmp(names[i], names[k]))
				return named_twice(names[i], err);
		}
	}
	for (unsigned i = 0; i < count; i++) {
		vp = vswitch_find_port(vs, names[i]);
		vswitch_event(vs, "port.del",
			json_pack("{s:s, s:s}", "port", names[i], "bridge", vp->bridge->opts.name));
		vport_remove(vs, vp);
	}
	return 0;
}

int vswitch_bridge_del(struct vswitch *vs, const char *name, struct err *err)
{
	struct model_grave *grave;
	struct bridge *bridge;
	struct vport *vp;
	int rc = vswitch_get_bridge(vs, name, &bridge, err);

	if (rc < 0)
		return rc;
	while ((vp = TAILQ_FIRST(&bridge->ports))) // and with them the static entries
		vport_remove(vs, vp);
	grave = bridge->grave;
	grave->free_bridge_id = true;
	grave->bridge_id = bridge->dp_id;
	vswitch_bury(vs, &grave->grave);
	TAILQ_REMOVE(&vs->bridges, bridge, entry);
	vswitch_event(vs, "bridge.del", json_pack("{s:s}", "bridge", name));
	free(bridge->fdb);
	free(bridge->neigh);
	free(bridge);
	return 0;
}

// Whether the port can have these options where it is.
static int check_settled(const struct vport *vp, const struct conf_port *conf, struct err *err)
{
	struct conf_port settled = *conf;
	int rc = settle(vp->row, &settled, false, err);

	if (rc == 0)
		release(vp->row, &settled);
	return rc;
}

// Frames of VLANs that it may not carry any more.
static bool vlans_differ(const struct conf_port *a, const struct conf_port *b)
{
	return memcmp(&a->trunks, &b->trunks, sizeof(a->trunks)) || a->tag != b->tag ||
	       a->vlan_mode != b->vlan_mode || a->has_trunks != b->has_trunks;
}

static bool guards_differ(const struct conf_port *a, const struct conf_port *b)
{
	return a->guard != b->guard || a->no_router != b->no_router ||
	       a->no_dhcp_server != b->no_dhcp_server || a->filter != b->filter ||
	       memcmp(&a->mac, &b->mac, sizeof(a->mac)) ||
	       memcmp(a->guard_ips, b->guard_ips, sizeof(a->guard_ips)) ||
	       memcmp(a->filter_from, b->filter_from, sizeof(a->filter_from));
}

// Brings the options of an open port to its device, and makes its guard.
static int apply(struct vport *vp, struct err *err)
{
	struct conf_port given = vport_conf(vp), before = vp->port->conf;
	int rc = port_change(vp->port, &given, err);

	if (rc < 0)
		return rc;
	rc = guard_make(vp, err);
	if (rc < 0)
		port_change(vp->port, &before, NULL);
	return rc;
}

int vswitch_port_set(struct vswitch *vs, const struct conf_port *conf, struct err *err)
{
	struct conf_port old;
	struct vport *vp;
	int rc = vswitch_get_port(vs, conf->name, &vp, err);

	if (rc == 0)
		rc = conf_port_check_change(&vp->conf, conf, err);
	if (rc == 0)
		rc = check_settled(vp, conf, err);
	if (rc < 0)
		return rc;
	old = vp->conf;
	vp->conf = *conf;
	if (vp->port)
		rc = apply(vp, err);
	if (rc < 0) {
		vp->conf = old;
		return rc;
	}
	mtu_changed(vp);
	// What it learned there would mislead.
	if (vlans_differ(&old, conf) || guards_differ(&old, conf) ||
		memcmp(old.remote, conf->remote, sizeof(old.remote)))
		dp_fdb_flush_port(vs->opts.dp, vp->dp_id);
	vswitch_event(vs, "port.set",
		json_pack("{s:s, s:s}", "port", conf->name, "bridge", vp->bridge->opts.name));
	return 0;
}
