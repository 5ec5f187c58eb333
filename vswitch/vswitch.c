// SPDX-License-Identifier: BSD-3-Clause
// Making the object model, publishing it, and the life of ports: up, down, tried again.
#include "vswitch/vswitch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "vswitch/model.h"
#include "vswitch/port_types.h"

#define SERVICE_US  100000 // at first; then dp_service() says
#define RETRY_US    1000000
// Ports are looked at a part at a time within RETRY_US: main shares its CPU with containers, which
// would wait for it.
#define RETRY_PARTS 20
#define SETTLE_US   1000

struct bridge_list *vswitch_bridges(struct vswitch *vs)
{
	return &vs->bridges;
}

struct dp *vswitch_dp(struct vswitch *vs)
{
	return vs->opts.dp;
}

struct bridge *vswitch_find_bridge(struct vswitch *vs, const char *name)
{
	struct bridge *bridge;

	TAILQ_FOREACH (bridge, &vs->bridges, entry) {
		if (!strcmp(bridge->opts.name, name))
			return bridge;
	}
	return NULL;
}

struct vport *vswitch_find_port(struct vswitch *vs, const char *name)
{
	for (unsigned i = 0; i < DP_PORTS_MAX; i++) {
		if (vs->by_id[i] && !strcmp(vs->by_id[i]->conf.name, name))
			return vs->by_id[i];
	}
	return NULL;
}

int vswitch_get_bridge(
	struct vswitch *vs, const char *name, struct bridge **ret_bridge, struct err *err)
{
	char path[CONF_NAME_BYTES + 16];

	*ret_bridge = vswitch_find_bridge(vs, name);
	if (*ret_bridge)
		return 0;
	snprintf(path, sizeof(path), "bridge %s", name);
	return err_set(err, -ENOENT, path, "there is no such bridge (`vsctl list-br` lists them)");
}

int vswitch_get_port(struct vswitch *vs, const char *name, struct vport **ret_port, struct err *err)
{
	char path[CONF_NAME_BYTES + 16];

	*ret_port = vswitch_find_port(vs, name);
	if (*ret_port)
		return 0;
	snprintf(path, sizeof(path), "port %s", name);
	return err_set(err, -ENOENT, path, "there is no such port (`vsctl list-ports` lists them)");
}

struct vport *vswitch_port_by_id(struct vswitch *vs, uint16_t dp_id)
{
	return dp_id < DP_PORTS_MAX ? vs->by_id[dp_id] : NULL;
}

void vswitch_event(struct vswitch *vs, const char *name, json_t *data)
{
	if (vs->opts.event && data)
		vs->opts.event(vs->opts.event_arg, name, data);
	json_decref(data);
}

// ---- publishing ----

static void view_port(const struct vport *vp, struct dp_view_port *v)
{
	*v = (struct dp_view_port){
		.port = port_dp(vp->port),
		.bridge_id = vp->bridge->dp_id,
		.conf = &vp->conf,
		.guard = vport_is_guarded(vp) ? &vp->guard : NULL,
		.peers = vp->conf.nb_filter_from ? &vp->peers : NULL,
	};
}

// Tunnels take nothing from the devices that an agent made for containers, such as gateways. (By
// those that an operator made, the host's own network may come.)
static void distrust_devices(struct vswitch *vs)
{
	int *ifindex = calloc(DP_PORTS_MAX, sizeof(*ifindex)), rc = -ENOMEM;
	struct bridge *bridge;
	unsigned count = 0;
	struct vport *vp;

	TAILQ_FOREACH (bridge, &vs->bridges, entry) {
		TAILQ_FOREACH (vp, &bridge->ports, entry) {
			if (ifindex && vp->port && vp->port->own_ifindex && vp->conf.managed_by[0])
				ifindex[count++] = vp->port->own_ifindex;
		}
	}
	if (ifindex)
		rc = vtep_objects_distrust(&vs->vteps, ifindex, count);
	if (rc < 0)
		log_warn("tunnels take packets that come in by devices of containers: %s",
			strerror(-rc));
	free(ifindex);
}

int vswitch_publish(struct vswitch *vs, struct err *err)
{
	struct dp_view_port *ports = calloc(DP_PORTS_MAX, sizeof(*ports));
	struct dp_view_bridge *bridges = calloc(DP_BRIDGES_MAX, sizeof(*bridges));
	struct dp_view view = {.ports = ports, .bridges = bridges};
	struct bridge *bridge;
	struct vport *vp;
	int rc = -ENOMEM;

	vs->unpublished = true;
	if (!ports || !bridges || vtep_objects_publish(&vs->vteps) < 0) {
		err_set(err, rc, "switch", "out of memory");
		goto out;
	}
	mtu_follow(vs);
	distrust_devices(vs);
	view.nb_ports = vtep_objects_view(&vs->vteps, ports);
	TAILQ_FOREACH (bridge, &vs->bridges, entry) {
		bridges[view.nb_bridges++] = (struct dp_view_bridge){
			.id = bridge->dp_id,
			.ageing_s = bridge->opts.ageing_s,
			.fdb_limit = bridge->opts.fdb_limit,
		};
		TAILQ_FOREACH (vp, &bridge->ports, entry) {
			if (vp->port)
				view_port(vp, &ports[view.nb_ports++]);
			if (vp->forget)
				dp_fdb_flush_port(vs->opts.dp, vp->dp_id);
			vp->forget = false;
		}
	}
	rc = dp_publish(vs->opts.dp, &view, err);
out:
	free(ports);
	free(bridges);
	if (rc == 0)
		vs->unpublished = false;
	// What leaves with this snapshot is closed once the workers have left its predecessor.
	loop_timer_set(vs->settle_timer, SETTLE_US);
	return rc;
}

void vswitch_commit(struct vswitch *vs, struct err *warning)
{
	const struct err *why = vswitch_unsaved(vs);

	vswitch_publish(vs, NULL);
	saving_request(vs);
	if (why->code < 0)
		err_set(warning, why->code, why->path,
			"%s. The change is in effect, but a restart would lose it; saving is tried "
			"again every second",
			why->reason);
}

static void end_grave(struct grave *grave)
{
	struct model_grave *g = (struct model_grave *)grave;

	port_close(g->port, g->remove);
	if (g->free_port_id)
		dp_port_id_free(g->dp, g->port_id);
	if (g->free_bridge_id)
		dp_bridge_id_free(g->dp, g->bridge_id);
	free(g);
}

struct model_grave *model_grave_new(struct vswitch *vs)
{
	struct model_grave *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->grave.end = end_grave;
	g->dp = vs->opts.dp;
	return g;
}

// In the order in which they came: ports end before the VTEP that they are on.
static void end_graves(struct vswitch *vs)
{
	struct grave *grave;

	while ((grave = STAILQ_FIRST(&vs->graves))) {
		STAILQ_REMOVE_HEAD(&vs->graves, entry);
		grave->end(grave);
	}
}

bool vswitch_settled(struct vswitch *vs)
{
	// Only after a publication that failed: else what changes objects publishes them.
	if (vs->unpublished && vswitch_publish(vs, NULL) < 0)
		return false;
	if (!dp_settled(vs->opts.dp))
		return false;
	end_graves(vs);
	loop_timer_set(vs->settle_timer, 0);
	return true;
}

static void on_settle_timer(void *arg)
{
	vswitch_settled(arg);
}

void vswitch_bury(struct vswitch *vs, struct grave *grave)
{
	STAILQ_INSERT_TAIL(&vs->graves, grave, entry);
	vs->unpublished = true;
}

// ---- ports going down and coming back ----

int vport_take_down(struct vswitch *vs, struct vport *vp, const struct err *why)
{
	struct model_grave *grave = model_grave_new(vs);
	char text[700];

	if (!grave)
		return -ENOMEM;
	static_fdb_down(vp);
	grave->port = vp->port;
	vswitch_bury(vs, &grave->grave);
	dp_fdb_flush_port(vs->opts.dp, vp->dp_id);
	vp->port = NULL;
	mtu_changed(vp);
	vp->state = VPORT_DOWN;
	vp->since_us = monotonic_us();
	vp->down = *why;
	log_warn("port %s is down: %s", vp->conf.name, err_text(&vp->down, text, sizeof(text)));
	vswitch_event(vs, "port.down",
		json_pack("{s:s, s:s, s:s}", "port", vp->conf.name, "bridge", vp->bridge->opts.name,
			"reason", vp->down.reason));
	return 0;
}

static void check_failed(struct vswitch *vs)
{
	for (unsigned i = 0; i < DP_PORTS_MAX; i++) {
		struct vport *vp = vs->by_id[i];
		int failed = vp && vp->port ? atomic_load(&port_dp(vp->port)->failed) : 0;
		struct err why = {0};

		if (!failed)
			continue;
		err_set_errno(&why, -failed, "",
			"the device or its network namespace is gone; it is tried again every %d s",
			RETRY_US / 1000000);
		vport_take_down(vs, vp, &why); // out of memory: the next service tries again
	}
	vtep_objects_check(&vs->vteps);
	if (vs->unpublished)
		vswitch_publish(vs, NULL);
}

int vport_open(struct vswitch *vs, struct vport *vp, struct err *err)
{
	struct conf_port conf = vport_conf(vp);
	struct port *port;
	int rc = port_open(&conf, &vs->opts.port_env, &port, err);

	if (rc < 0)
		return rc;
	port_dp(port)->id = vp->dp_id;
	vp->port = port;
	rc = guard_make(vp, err);
	if (rc == 0)
		rc = static_fdb_up(vs, vp, err);
	if (rc < 0) {
		vp->port = NULL;
		port_close(port, false);
		return rc;
	}
	mtu_changed(vp);
	vp->state = VPORT_UP;
	vp->since_us = monotonic_us();
	vp->down = (struct err){0};
	return 0;
}

bool vport_retry(struct vswitch *vs, struct vport *vp)
{
	struct err why = {0};

	if (vport_open(vs, vp, &why) < 0) {
		vp->down = why;
		return false;
	}
	log_info("port %s is up again", vp->conf.name);
	vswitch_event(vs, "port.up",
		json_pack("{s:s, s:s}", "port", vp->conf.name, "bridge", vp->bridge->opts.name));
	return true;
}

static void on_retry(void *arg)
{
	struct vswitch *vs = arg;
	bool changed;

	for (unsigned i = vs->retry_part; i < DP_PORTS_MAX; i += RETRY_PARTS) {
		if (vs->by_id[i] && vs->by_id[i]->port)
			port_poll(vs->by_id[i]->port);
	}
	check_failed(vs);
	vs->retry_part = (vs->retry_part + 1) % RETRY_PARTS;
	if (vs->retry_part)
		return;
	// A device that is still being let go of cannot be opened.
	if (!vswitch_settled(vs))
		return;
	changed = vtep_objects_retry(&vs->vteps);
	for (unsigned i = 0; i < DP_PORTS_MAX; i++) {
		struct vport *vp = vs->by_id[i];

		if (vp && !vp->port && vport_retry(vs, vp))
			changed = true;
	}
	if (changed)
		vswitch_publish(vs, NULL);
}

static void on_service(void *arg)
{
	struct vswitch *vs = arg;

	check_failed(vs);
	loop_timer_set(vs->service_timer, dp_service(vs->opts.dp, monotonic_us()));
	// Workers call again for what comes from here on.
	vtep_objects_hear(&vs->vteps);
}

void vswitch_service(struct vswitch *vs)
{
	on_service(vs);
}

// ---- life of the whole ----

int vswitch_new(const struct vswitch_opts *opts, struct vswitch **ret_vs, struct err *err)
{
	struct vswitch *vs = calloc(1, sizeof(*vs));

	if (!vs)
		return err_set(err, -ENOMEM, "switch", "out of memory");
	vs->opts = *opts;
	port_types_init(vs->types, &vs->vteps);
	if (!opts->port_env.types)
		vs->opts.port_env.types = vs->types;
	vs->opts.port_env.offer_changed = mtu_on_offer;
	vs->opts.port_env.arg = vs;
	vteps_init(vs);
	TAILQ_INIT(&vs->bridges);
	STAILQ_INIT(&vs->graves);
	vs->service_timer = loop_add_timer(opts->loop, SERVICE_US, on_service, vs);
	vs->retry_timer = loop_add_timer(opts->loop, RETRY_US / RETRY_PARTS, on_retry, vs);
	vs->settle_timer = loop_add_timer(opts->loop, 0, on_settle_timer, vs);
	saving_init(vs);
	if (!vs->saving.timer || !vs->service_timer || !vs->retry_timer || !vs->settle_timer) {
		vswitch_free(vs, false);
		return err_set(err, -ENOMEM, "switch", "out of memory");
	}
	dp_service(opts->dp, monotonic_us());
	*ret_vs = vs;
	return 0;
}

void vswitch_free(struct vswitch *vs, bool remove)
{
	static const struct dp_view nothing;
	struct bridge *bridge;
	struct vport *vp;

	if (!vs)
		return;
	// The workers let go first; then nothing holds a device.
	if (dp_publish(vs->opts.dp, &nothing, NULL) == 0) {
		while (!dp_settled(vs->opts.dp))
			;
	}
	end_graves(vs);
	saving_finish(vs);
	while ((bridge = TAILQ_FIRST(&vs->bridges))) {
		while ((vp = TAILQ_FIRST(&bridge->ports))) {
			static_fdb_drop(vs, vp);
			TAILQ_REMOVE(&bridge->ports, vp, entry);
			port_close(vp->port, remove);
			free(vp->grave);
			free(vp);
		}
		TAILQ_REMOVE(&vs->bridges, bridge, entry);
		free(bridge->fdb);
		free(bridge->neigh);
		free(bridge->grave);
		free(bridge);
	}
	vtep_objects_fini(&vs->vteps, remove);
	loop_del(vs->opts.loop, vs->service_timer);
	loop_del(vs->opts.loop, vs->retry_timer);
	loop_del(vs->opts.loop, vs->settle_timer);
	loop_del(vs->opts.loop, vs->saving.timer);
	free(vs);
}
