// SPDX-License-Identifier: BSD-3-Clause
// The object model out of a configuration, and back.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vswitch/model.h"

static int load_bridge(struct vswitch *vs, const struct conf_bridge *conf, struct err *err)
{
	struct bridge *bridge = NULL;
	int rc = vswitch_bridge_add(vs, &conf->opts, err);

	if (rc == 0)
		bridge = vswitch_find_bridge(vs, conf->opts.name);
	for (unsigned i = 0; i < conf->nb_ports && rc == 0; i++)
		rc = vport_load(vs, bridge, &conf->ports[i], err);
	if (rc == 0)
		vports_open_loaded(vs, bridge);
	if (rc == 0 && conf->nb_fdb)
		rc = vswitch_fdb_add(vs, bridge, conf->fdb, conf->nb_fdb, err);
	if (rc == 0 && conf->nb_neigh)
		rc = vswitch_neigh_add(vs, bridge, conf->neigh, conf->nb_neigh, err);
	return rc;
}

int vswitch_load(struct vswitch *vs, const struct conf *conf, struct err *err)
{
	int rc = 0;

	for (unsigned i = 0; i < conf->nb_vteps && rc == 0; i++)
		rc = vtep_load(vs, &conf->vteps[i], err);
	for (unsigned b = 0; b < conf->nb_bridges && rc == 0; b++)
		rc = load_bridge(vs, &conf->bridges[b], err);
	vs->saving.entries_only = false; // that was no request
	return rc < 0 ? rc : vswitch_publish(vs, err);
}

static int copy_bridge(const struct bridge *bridge, bool entries, struct conf_bridge *to)
{
	unsigned nb_fdb = entries ? bridge->nb_fdb : 0, nb_neigh = entries ? bridge->nb_neigh : 0;
	const struct vport *vp;

	to->opts = bridge->opts;
	to->ports = calloc(bridge->nb_ports + 1, sizeof(*to->ports));
	to->fdb = calloc(nb_fdb + 1, sizeof(*to->fdb));
	to->neigh = calloc(nb_neigh + 1, sizeof(*to->neigh));
	if (!to->ports || !to->fdb || !to->neigh)
		return -ENOMEM;
	TAILQ_FOREACH (vp, &bridge->ports, entry)
		to->ports[to->nb_ports++] = vp->conf;
	for (unsigned i = 0; i < nb_fdb; i++)
		to->fdb[to->nb_fdb++] = bridge->fdb[i]->conf;
	if (nb_neigh)
		memcpy(to->neigh, bridge->neigh, nb_neigh * sizeof(*to->neigh));
	to->nb_neigh = nb_neigh;
	return 0;
}

static int copy_vteps(struct vswitch *vs, struct conf *conf)
{
	const struct vtep_object *vo;

	conf->vteps = calloc(CONF_VTEPS_MAX, sizeof(*conf->vteps));
	if (!conf->vteps)
		return -ENOMEM;
	TAILQ_FOREACH (vo, &vs->vteps.list, entry)
		conf->vteps[conf->nb_vteps++] = vo->conf;
	return 0;
}

static int copy_bridges(struct vswitch *vs, bool entries, struct conf *conf)
{
	const struct bridge *bridge;
	unsigned count = 0;

	TAILQ_FOREACH (bridge, &vs->bridges, entry)
		count++;
	conf->bridges = calloc(count + 1, sizeof(*conf->bridges));
	if (!conf->bridges)
		return -ENOMEM;
	TAILQ_FOREACH (bridge, &vs->bridges, entry) {
		if (copy_bridge(bridge, entries, &conf->bridges[conf->nb_bridges++]) < 0)
			return -ENOMEM;
	}
	return 0;
}

int vswitch_running_conf(struct vswitch *vs, bool entries, struct conf *ret_conf, struct err *err)
{
	struct conf conf = vs->opts.process;

	conf.vteps = NULL;
	conf.bridges = NULL;
	conf.nb_vteps = conf.nb_bridges = 0;
	if (copy_vteps(vs, &conf) < 0 || copy_bridges(vs, entries, &conf) < 0) {
		conf_fini(&conf);
		return err_set(err, -ENOMEM, "switch", "out of memory");
	}
	*ret_conf = conf;
	return 0;
}
