// SPDX-License-Identifier: BSD-3-Clause
// The port type `vxlan`: a VNI of a VTEP as a port of a bridge.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vxlan/vtep_object.h"

struct vxlan_port {
	struct vtep *vtep; // outlives the port (struct grave)
	struct vni *vni;
	uint16_t remote[CONF_REMOTES_MAX]; // of the options
	unsigned nb_remotes;
};

// ---- remote VTEPs ----

static int take_remote(const struct vxlan_port *vx, const char *path, const struct ip_addr *ip,
	bool flood, uint16_t *ret_remote, struct err *err)
{
	uint16_t remote;
	int rc = vtep_remote_get(vx->vtep, ip, &remote, err);

	if (rc < 0)
		return rc;
	rc = vni_remote_add(vx->vni, remote, flood);
	if (rc < 0) {
		vtep_remote_put(vx->vtep, remote);
		return err_set_errno(err, rc, path, "cannot add a remote VTEP");
	}
	*ret_remote = remote;
	return 0;
}

static void put_remote(const struct vxlan_port *vx, uint16_t remote, bool flood)
{
	vni_remote_del(vx->vni, remote, flood);
	vtep_remote_put(vx->vtep, remote);
}

static void put_remotes(const struct vxlan_port *vx, const uint16_t *remote, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		put_remote(vx, remote[i], true);
}

// Takes the remotes of `conf` into `ret_remote`, or none.
static int take_remotes(const struct vxlan_port *vx, const char *path, const struct conf_port *conf,
	uint16_t *ret_remote, struct err *err)
{
	for (unsigned i = 0; i < conf->nb_remotes; i++) {
		int rc = take_remote(vx, path, &conf->remote[i], true, &ret_remote[i], err);

		if (rc == 0)
			continue;
		put_remotes(vx, ret_remote, i);
		return rc;
	}
	return 0;
}

static int vxlan_remote_get(struct port *port, const struct ip_addr *ip, bool flood,
	uint16_t *ret_remote, struct err *err)
{
	return take_remote(port->priv, port->path, ip, flood, ret_remote, err);
}

static void vxlan_remote_put(struct port *port, uint16_t remote, bool flood)
{
	put_remote(port->priv, remote, flood);
}

static int vxlan_remote_publish(struct port *port)
{
	const struct vxlan_port *vx = port->priv;

	return vtep_publish(vx->vtep);
}

static bool vxlan_remote_ip(const struct port *port, uint16_t remote, struct ip_addr *ret_ip)
{
	const struct vxlan_port *vx = port->priv;

	return vtep_remote_ip(vx->vtep, remote, ret_ip);
}

// ---- life ----

static void on_mtu(void *arg)
{
	struct port *port = arg;

	if (port->env->offer_changed)
		port->env->offer_changed(port->env->arg, port);
}

static int open_vni(struct port *port, struct vtep *vtep, struct err *err)
{
	struct vxlan_port *vx = calloc(1, sizeof(*vx));
	int rc;

	if (!vx)
		return err_set(err, -ENOMEM, port->path, "out of memory");
	vx->vtep = vtep;
	rc = vni_open(vtep, port->conf.vni, port->conf.mtu, &vx->vni, err);
	if (rc == 0) {
		rc = take_remotes(vx, port->path, &port->conf, vx->remote, err);
		if (rc < 0)
			vni_close(vx->vni);
	}
	if (rc < 0) {
		free(vx);
		return rc;
	}
	vx->nb_remotes = port->conf.nb_remotes;
	vni_mark(vx->vni, port->conf.dscp, port->conf.ttl);
	vni_watch_mtu(vx->vni, on_mtu, port);
	port->priv = vx;
	port->elsewhere = vni_port(vx->vni);
	return 0;
}

static int vxlan_open(struct port *port, struct err *err)
{
	struct vtep_object *vo;
	int rc = vtep_object_get(port->type_arg, port->conf.vtep, &vo, err);

	if (rc < 0)
		return rc;
	if (!vo->vtep)
		return err_set(err, vo->down.code ? vo->down.code : -ENODEV, port->path,
			"VTEP %s is down: %s", vo->conf.name, vo->down.reason);
	return open_vni(port, vo->vtep, err);
}

static void vxlan_close(struct port *port, bool remove)
{
	struct vxlan_port *vx = port->priv;

	put_remotes(vx, vx->remote, vx->nb_remotes);
	vni_close(vx->vni);
	vtep_publish(vx->vtep); // out of memory: the next one does it
	free(vx);
}

static int vxlan_change(struct port *port, const struct conf_port *conf, struct err *err)
{
	struct vxlan_port *vx = port->priv;
	uint16_t remote[CONF_REMOTES_MAX];
	int rc = take_remotes(vx, port->path, conf, remote, err);

	if (rc < 0)
		return rc;
	put_remotes(vx, vx->remote, vx->nb_remotes);
	memcpy(vx->remote, remote, sizeof(remote));
	vx->nb_remotes = conf->nb_remotes;
	vni_mark(vx->vni, conf->dscp, conf->ttl);
	return 0;
}

static int vxlan_settle(void *arg, struct conf_port *conf, bool must_open, struct err *err)
{
	return vtep_object_settle(arg, conf, must_open, err);
}

static void vxlan_release(void *arg, const struct conf_port *conf)
{
	vtep_object_release(arg, conf);
}

static uint16_t vxlan_offer_mtu(const struct port *port)
{
	return port->elsewhere->mtu;
}

static void vxlan_describe(const struct port *port, json_t *obj)
{
	json_object_set_new(obj, "mtu", json_integer(vxlan_offer_mtu(port)));
}

const struct port_type port_vxlan = {
	.open = vxlan_open,
	.close = vxlan_close,
	.change = vxlan_change,
	.describe = vxlan_describe,
	.settle = vxlan_settle,
	.release = vxlan_release,
	.offer_mtu = vxlan_offer_mtu,
	.remote_get = vxlan_remote_get,
	.remote_put = vxlan_remote_put,
	.remote_publish = vxlan_remote_publish,
	.remote_ip = vxlan_remote_ip,
};
