// SPDX-License-Identifier: BSD-3-Clause
// The port type `vxlan`: a VNI of a VTEP as a port of a bridge.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "vswitch/model.h"

#define MTU_OF_ALL 1500 // of a bridge without a tunnel
#define TAG_BYTES  4

struct network {
	struct vtep *vtep; // outlives the port (struct grave)
	struct vni *vni;
	uint16_t remote[CONF_REMOTES_MAX]; // of the options
	unsigned nb_remotes;
};

struct vni *vxlan_port_vni(const struct port *port)
{
	return ((const struct network *)port->priv)->vni;
}

struct vtep *vxlan_port_vtep(const struct port *port)
{
	return ((const struct network *)port->priv)->vtep;
}

bool vport_remote_ip(const struct vport *vp, uint16_t remote, struct ip_addr *ret_ip)
{
	return vp->conf.type == CONF_PORT_VXLAN && vp->port && remote &&
	       vtep_remote_ip(vxlan_port_vtep(vp->port), remote, ret_ip);
}

static void drop_remotes(struct network *net, const uint16_t *remote, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		vni_remote_del(net->vni, remote[i], true);
		vtep_remote_put(net->vtep, remote[i]);
	}
}

// Takes the remotes of `conf` into `ret_remote`, or none.
static int take_remotes(struct network *net, const struct port *port, const struct conf_port *conf,
	uint16_t *ret_remote, struct err *err)
{
	for (unsigned i = 0; i < conf->nb_remotes; i++) {
		int rc = vtep_remote_get(net->vtep, &conf->remote[i], &ret_remote[i], err);

		if (rc == 0) {
			rc = vni_remote_add(net->vni, ret_remote[i], true);
			if (rc == 0)
				continue;
			vtep_remote_put(net->vtep, ret_remote[i]);
			err_set_errno(err, rc, port->path, "cannot add a remote VTEP");
		}
		drop_remotes(net, ret_remote, i);
		return rc;
	}
	return 0;
}

static int open_network(
	struct port *port, const struct switch_vtep *sv, struct network **ret_net, struct err *err)
{
	struct network *net = calloc(1, sizeof(*net));
	int rc;

	if (!net)
		return err_set(err, -ENOMEM, port->path, "out of memory");
	net->vtep = sv->vtep;
	rc = vni_open(sv->vtep, port->conf.vni, port->conf.mtu, &net->vni, err);
	if (rc == 0) {
		rc = take_remotes(net, port, &port->conf, net->remote, err);
		if (rc < 0)
			vni_close(net->vni);
	}
	if (rc < 0) {
		free(net);
		return rc;
	}
	net->nb_remotes = port->conf.nb_remotes;
	*ret_net = net;
	return 0;
}

static int open(struct port *port, struct err *err)
{
	struct switch_vtep *sv;
	struct network *net = NULL;
	int rc = vswitch_get_vtep(port->env->type_arg, port->conf.vtep, &sv, err);

	if (rc < 0)
		return rc;
	if (!sv->vtep)
		return err_set(err, sv->down.code ? sv->down.code : -ENODEV, port->path,
			"VTEP %s is down: %s", sv->conf.name, sv->down.reason);
	rc = open_network(port, sv, &net, err);
	if (rc < 0)
		return rc;
	port->priv = net;
	port->elsewhere = vni_port(net->vni);
	return 0;
}

static void close(struct port *port, bool remove)
{
	struct network *net = port->priv;

	drop_remotes(net, net->remote, net->nb_remotes);
	vni_close(net->vni);
	vtep_publish(net->vtep); // out of memory: the next one does it
	free(net);
}

static int change(struct port *port, const struct conf_port *conf, struct err *err)
{
	struct network *net = port->priv;
	uint16_t remote[CONF_REMOTES_MAX];
	int rc;

	if (conf->mtu != port->conf.mtu)
		return err_set(err, -EOPNOTSUPP, port->path,
			"mtu cannot be changed on a port of type vxlan: delete the port and add it "
			"again");
	rc = take_remotes(net, port, conf, remote, err);
	if (rc < 0)
		return rc;
	drop_remotes(net, net->remote, net->nb_remotes);
	memcpy(net->remote, remote, sizeof(remote));
	net->nb_remotes = conf->nb_remotes;
	return 0;
}

static void describe(const struct port *port, json_t *obj)
{
	json_object_set_new(obj, "mtu", json_integer(port->elsewhere->mtu));
}

const struct port_type vxlan_port = {
	.id = CONF_PORT_VXLAN,
	.open = open,
	.close = close,
	.change = change,
	.describe = describe,
};

// ---- MTU ----

// Whether untagged packets of the port leave the network's port with a tag.
static bool is_tagged(const struct conf_port *port, const struct conf_port *network)
{
	return port->tag && network->vlan_mode != CONF_VLAN_ACCESS &&
	       !(network->vlan_mode == CONF_VLAN_NATIVE_UNTAGGED && network->tag == port->tag);
}

// While all VNIs of the bridge are down, what the port has is as good a guess as any.
static uint16_t auto_mtu(const struct vport *vp)
{
	unsigned mtu = 0, unknown = MTU_OF_ALL;
	const struct vport *other;

	TAILQ_FOREACH (other, &vp->bridge->ports, entry) {
		unsigned takes;

		if (other->conf.type != CONF_PORT_VXLAN)
			continue;
		if (vp->port)
			unknown = vp->port->conf.mtu;
		if (!other->port)
			continue;
		takes = other->port->elsewhere->mtu;
		takes -= is_tagged(&vp->conf, &other->conf) ? TAG_BYTES : 0;
		mtu = mtu ? MIN_OF(mtu, takes) : takes;
	}
	return mtu ? mtu : unknown;
}

struct conf_port vport_conf(const struct vport *vp)
{
	struct conf_port conf = vp->conf;

	if (conf.mtu == CONF_MTU_AUTO)
		conf.mtu = auto_mtu(vp);
	return conf;
}

static void follow(struct vport *vp)
{
	struct conf_port conf = vport_conf(vp);
	struct err err = {0};
	char text[700];

	if (conf.mtu == vp->port->conf.mtu)
		return;
	if (port_change(vp->port, &conf, &err) < 0)
		log_warn("port %s keeps mtu %u: %s", conf.name, vp->port->conf.mtu,
			err_text(&err, text, sizeof(text)));
	else
		log_info("port %s has mtu %u now", conf.name, conf.mtu);
}

void mtu_follow(struct vswitch *vs)
{
	for (unsigned i = 0; i < DP_PORTS_MAX; i++) {
		struct vport *vp = vs->by_id[i];

		if (vp && vp->port && vp->conf.mtu == CONF_MTU_AUTO)
			follow(vp);
	}
}
