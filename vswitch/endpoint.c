// SPDX-License-Identifier: BSD-3-Clause
// Tunnel endpoints of the switch: their life, up, down, tried again, and the ports that are on
// them.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "vswitch/model.h"

#define PATH_BYTES    (CONF_NAME_BYTES + 24)
#define RETRY_SECONDS 1
#define SETTLE_TRIES  10000 // of letting go of one that is made anew
#define SETTLE_US     100

static const char *path_of(const char *name, char buf[PATH_BYTES])
{
	snprintf(buf, PATH_BYTES, "tunnel endpoint %s", name);
	return buf;
}

struct endpoint_list *vswitch_endpoints(struct vswitch *vs)
{
	return &vs->endpoints;
}

struct endpoint *vswitch_find_endpoint(struct vswitch *vs, const char *name)
{
	struct endpoint *ep;

	TAILQ_FOREACH (ep, &vs->endpoints, entry) {
		if (!strcmp(ep->conf.name, name))
			return ep;
	}
	return NULL;
}

int vswitch_get_endpoint(
	struct vswitch *vs, const char *name, struct endpoint **ret_endpoint, struct err *err)
{
	char path[PATH_BYTES];

	*ret_endpoint = vswitch_find_endpoint(vs, name);
	if (*ret_endpoint)
		return 0;
	return err_set(err, -ENOENT, path_of(name, path),
		"there is no such tunnel endpoint (`vsctl list-tunnel-endpoints` lists them)");
}

static bool is_on(const struct vport *vp, const struct endpoint *ep)
{
	return vp && vp->conf.type == CONF_PORT_VXLAN && !strcmp(vp->conf.endpoint, ep->conf.name);
}

unsigned vswitch_endpoint_networks(const struct endpoint *ep)
{
	unsigned count = 0;

	for (unsigned i = 0; i < DP_PORTS_MAX; i++)
		count += is_on(ep->vs->by_id[i], ep);
	return count;
}

static void tell(struct endpoint *ep, const char *event)
{
	vswitch_event(ep->vs, event,
		json_pack("{s:s, s:s*}", "endpoint", ep->conf.name, "reason",
			ep->down.code ? ep->down.reason : NULL));
}

// ---- up and down ----

static void on_timer(void *arg)
{
	struct endpoint *ep = arg;

	loop_timer_set(ep->timer, vtep_service(ep->vtep, monotonic_us()));
	if (vtep_mtu(ep->vtep) == ep->mtu)
		return;
	ep->mtu = vtep_mtu(ep->vtep);
	vswitch_publish(ep->vs, NULL);
}

static void on_heartbeat(void *arg)
{
	struct endpoint *ep = arg;

	loop_timer_set(ep->heartbeat_timer, vtep_heartbeat(ep->vtep, monotonic_us()));
}

// The address on the wire: that of the device, or one that the name makes.
static void choose_mac(const struct endpoint *ep, const struct port *lower, struct conf_port *conf)
{
	const char *id = ep->vs->opts.port_env.switch_id, *text;
	uint64_t hash = hash_add(HASH_INIT, id, strlen(id));
	json_t *device = json_object();

	conf->has_mac = true;
	hash = hash_add(hash, ep->conf.name, strlen(ep->conf.name));
	conf->mac = (struct mac){{0x02, hash, hash >> 8, hash >> 16, hash >> 24, hash >> 32}};
	port_describe(lower, device);
	text = json_string_value(json_object_get(device, "mac"));
	if (conf->type == CONF_PORT_DPDK && text)
		mac_parse(text, &conf->mac);
	json_decref(device);
}

static int open_lower(
	struct endpoint *ep, struct conf_endpoint *conf, struct port **ret_lower, struct err *err)
{
	struct conf_port port = conf->port;
	int rc;

	snprintf(port.name, sizeof(port.name), "%s", conf->name);
	snprintf(port.netns, sizeof(port.netns), "%s", conf->netns);
	port.mtu = conf->mtu;
	port.has_mac = false; // of the device; a tap's is the other end's
	rc = port_open(&port, &ep->vs->opts.port_env, ret_lower, err);
	if (rc == 0 && !conf->port.has_mac)
		choose_mac(ep, *ret_lower, &conf->port);
	return rc;
}

// Any address is that of both families, where the host has both.
static int open_vtep(const struct conf_endpoint *conf, const struct vxlan_env *env,
	struct port *lower, struct vtep **ret_vtep, struct err *err)
{
	struct conf_endpoint any = *conf;
	struct dp_port *dp = lower ? port_dp(lower) : NULL;

	if (conf->address.family)
		return vtep_open(conf, env, dp, ret_vtep, err);
	any.address.family = 6;
	if (access("/proc/net/if_inet6", F_OK) < 0)
		any.address.family = 4;
	return vtep_open(&any, env, dp, ret_vtep, err);
}

static int bring_up(struct endpoint *ep, struct err *err)
{
	struct conf_endpoint conf = ep->conf;
	struct port *lower = NULL;
	struct vtep *vtep;
	int rc = 0;

	if (conf.underlay == CONF_UNDERLAY_PORT)
		rc = open_lower(ep, &conf, &lower, err);
	if (rc == 0)
		rc = open_vtep(&conf, &ep->vs->vxlan_env, lower, &vtep, err);
	if (rc < 0) {
		port_close(lower, true);
		return rc;
	}
	vtep_port(vtep)->id = ep->dp_id;
	if (lower)
		port_dp(lower)->id = ep->dp_id;
	ep->vtep = vtep;
	ep->lower = lower;
	ep->mtu = vtep_mtu(vtep);
	ep->down = (struct err){0};
	ep->since_us = monotonic_us();
	loop_timer_set(ep->timer, 1);
	loop_timer_set(ep->heartbeat_timer, 1);
	return 0;
}

// Has what it stands on let go with `grave`.
static void let_go(struct endpoint *ep, struct grave *grave, bool remove)
{
	loop_timer_set(ep->timer, 0);
	loop_timer_set(ep->heartbeat_timer, 0);
	grave->vtep = ep->vtep;
	grave->port = ep->lower;
	grave->remove = remove;
	vswitch_bury(ep->vs, grave);
	ep->vtep = NULL;
	ep->lower = NULL;
	ep->since_us = monotonic_us();
}

// Its networks go down first: they close before it does.
static int take_down(struct endpoint *ep, const struct err *why, bool remove)
{
	struct grave *grave = calloc(1, sizeof(*grave));
	struct err port_why = {0};
	int rc = grave ? 0 : -ENOMEM;

	err_set(&port_why, why->code, "", "tunnel endpoint %s is down: %s", ep->conf.name,
		why->reason);
	for (unsigned i = 0; i < DP_PORTS_MAX && rc == 0; i++) {
		struct vport *vp = ep->vs->by_id[i];

		if (is_on(vp, ep) && vp->port)
			rc = vport_take_down(ep->vs, vp, &port_why);
	}
	if (rc < 0) {
		free(grave);
		return rc; // the rest is done by the next service
	}
	let_go(ep, grave, remove);
	ep->down = *why;
	return 0;
}

void endpoints_check(struct vswitch *vs)
{
	struct endpoint *ep;
	char text[700];

	TAILQ_FOREACH (ep, &vs->endpoints, entry) {
		struct err why = {0};
		int failed = ep->vtep ? atomic_load(&vtep_port(ep->vtep)->failed) : 0;

		if (!failed && ep->lower)
			failed = atomic_load(&port_dp(ep->lower)->failed);
		if (!failed)
			continue;
		err_set_errno(&why, -failed, "",
			"the device or its network namespace is gone; it is tried again every %d s",
			RETRY_SECONDS);
		if (take_down(ep, &why, false) < 0)
			continue;
		log_warn("tunnel endpoint %s is down: %s", ep->conf.name,
			err_text(&why, text, sizeof(text)));
		tell(ep, "endpoint.down");
	}
}

void endpoints_hear(struct vswitch *vs)
{
	struct endpoint *ep;

	TAILQ_FOREACH (ep, &vs->endpoints, entry) {
		if (ep->vtep)
			vtep_hear(ep->vtep, monotonic_us());
	}
}

bool endpoints_retry(struct vswitch *vs)
{
	struct endpoint *ep;
	bool changed = false;

	TAILQ_FOREACH (ep, &vs->endpoints, entry) {
		struct err why = {0};

		if (ep->lower)
			port_poll(ep->lower);
		if (ep->vtep)
			continue;
		if (bring_up(ep, &why) < 0) {
			ep->down = why;
			continue;
		}
		changed = true;
		log_info("tunnel endpoint %s is up again", ep->conf.name);
		tell(ep, "endpoint.up");
	}
	return changed;
}

int endpoints_publish(struct vswitch *vs)
{
	struct endpoint *ep;
	int rc = 0;

	TAILQ_FOREACH (ep, &vs->endpoints, entry) {
		if (rc == 0 && ep->vtep)
			rc = vtep_publish(ep->vtep);
	}
	return rc;
}

unsigned endpoints_view(struct vswitch *vs, struct dp_view_port *ports)
{
	static const struct vlan_set none;
	struct endpoint *ep;
	unsigned count = 0;

	TAILQ_FOREACH (ep, &vs->endpoints, entry) {
		if (ep->vtep)
			ports[count++] = (struct dp_view_port){
				.port = vtep_port(ep->vtep),
				.bridge_id = UINT16_MAX,
				.trunks = &none,
			};
	}
	return count;
}

// ---- adding, changing, deleting ----

static int endpoint_new(
	struct vswitch *vs, const struct conf_endpoint *conf, struct endpoint **ret_ep)
{
	struct endpoint *ep = calloc(1, sizeof(*ep));
	int rc = -ENOMEM;

	if (!ep)
		return rc;
	ep->vs = vs;
	ep->conf = *conf;
	ep->since_us = monotonic_us();
	ep->grave = calloc(1, sizeof(*ep->grave));
	ep->timer = loop_add_timer(vs->opts.loop, 0, on_timer, ep);
	ep->heartbeat_timer = loop_add_timer(vs->opts.loop, 0, on_heartbeat, ep);
	if (ep->grave && ep->timer && ep->heartbeat_timer)
		rc = dp_port_id_alloc(vs->opts.dp, &ep->dp_id);
	if (rc < 0) {
		loop_del(vs->opts.loop, ep->timer);
		loop_del(vs->opts.loop, ep->heartbeat_timer);
		free(ep->grave);
		free(ep);
		return rc;
	}
	TAILQ_INSERT_TAIL(&vs->endpoints, ep, entry);
	*ret_ep = ep;
	return 0;
}

// Adds an endpoint that is down yet.
static int add(struct vswitch *vs, const struct conf_endpoint *conf, struct endpoint **ret_ep,
	struct err *err)
{
	char path[PATH_BYTES];
	struct endpoint *ep;
	unsigned count = 0;
	int rc;

	path_of(conf->name, path);
	TAILQ_FOREACH (ep, &vs->endpoints, entry)
		count++;
	if (vswitch_find_endpoint(vs, conf->name))
		return err_set(
			err, -EEXIST, path, "a tunnel endpoint of this name is there already");
	if (vswitch_find_port(vs, conf->name))
		return err_set(err, -EEXIST, path, "a port has this name already");
	if (count >= CONF_ENDPOINTS_MAX)
		return err_set(err, -ENOSPC, path, "a switch has at most %d tunnel endpoints",
			CONF_ENDPOINTS_MAX);
	rc = endpoint_new(vs, conf, ret_ep);
	if (rc == -ENOSPC)
		return err_set(err, rc, path, "a switch has at most %d ports", DP_PORTS_MAX);
	return rc < 0 ? err_set(err, rc, path, "out of memory") : 0;
}

static void endpoint_free(struct endpoint *ep)
{
	TAILQ_REMOVE(&ep->vs->endpoints, ep, entry);
	loop_del(ep->vs->opts.loop, ep->timer);
	loop_del(ep->vs->opts.loop, ep->heartbeat_timer);
	free(ep->grave);
	free(ep);
}

void endpoint_undo(struct vswitch *vs, struct endpoint *ep)
{
	if (ep->vtep)
		vtep_close(ep->vtep);
	port_close(ep->lower, true);
	dp_port_id_free(vs->opts.dp, ep->dp_id);
	endpoint_free(ep);
}

int vswitch_endpoint_add(struct vswitch *vs, const struct conf_endpoint *conf, struct err *err)
{
	struct endpoint *ep;
	int rc = add(vs, conf, &ep, err);

	if (rc < 0)
		return rc;
	rc = bring_up(ep, err);
	if (rc < 0)
		endpoint_undo(vs, ep);
	else
		tell(ep, "endpoint.add");
	return rc;
}

int endpoint_load(struct vswitch *vs, const struct conf_endpoint *conf, struct err *err)
{
	struct endpoint *ep;
	char text[700];
	int rc = add(vs, conf, &ep, err);

	if (rc < 0)
		return rc;
	if (bring_up(ep, &ep->down) < 0)
		log_warn("tunnel endpoint %s is down: %s", conf->name,
			err_text(&ep->down, text, sizeof(text)));
	return 0;
}

// What is on it must go on: remotes that it could not reach any more.
static int check_change(
	const struct endpoint *ep, const struct conf_endpoint *conf, struct err *err)
{
	const struct conf_endpoint *list[] = {conf};
	unsigned index;
	int rc = 0;

	for (unsigned i = 0; i < DP_PORTS_MAX && rc == 0; i++) {
		const struct vport *vp = ep->vs->by_id[i];
		struct err why = {0};
		struct conf_port port;

		if (!is_on(vp, ep))
			continue;
		port = vp->conf;
		rc = conf_port_settle(&port, list, 1, &index, &why);
		if (rc < 0)
			err_set(err, rc, vp->conf.name, "%s", why.reason);
		for (unsigned k = 0; k < vp->bridge->nb_fdb && rc == 0; k++) {
			const struct conf_fdb *entry = &vp->bridge->fdb[k]->conf;

			if (!strcmp(entry->port, vp->conf.name))
				rc = conf_endpoint_reaches(conf, &entry->tunnel, err);
		}
	}
	return rc;
}

// Brings up what is on the endpoint. A port that cannot be had is down, with the reason.
static void bring_up_ports(struct endpoint *ep)
{
	for (unsigned i = 0; i < DP_PORTS_MAX; i++) {
		struct vport *vp = ep->vs->by_id[i];

		if (is_on(vp, ep) && !vp->port)
			vport_retry(ep->vs, vp);
	}
}

// UDP ports and devices are let go of when no worker has them any more: some microseconds.
static int wait_settled(struct endpoint *ep, struct err *err)
{
	char path[PATH_BYTES];

	for (unsigned i = 0; i < SETTLE_TRIES; i++) {
		if (vswitch_settled(ep->vs))
			return 0;
		usleep(SETTLE_US);
	}
	return err_set(err, -ETIMEDOUT, path_of(ep->conf.name, path),
		"the workers do not let go of it; it is down and tried again every %d s",
		RETRY_SECONDS);
}

int vswitch_endpoint_set(struct vswitch *vs, const struct conf_endpoint *conf, struct err *err)
{
	struct err changing = {0}, unused = {0};
	struct conf_endpoint old;
	struct endpoint *ep;
	int rc = vswitch_get_endpoint(vs, conf->name, &ep, err);

	if (rc == 0)
		rc = check_change(ep, conf, err);
	if (rc < 0)
		return rc;
	err_set(&changing, -EAGAIN, "", "it is made anew");
	if (ep->vtep && take_down(ep, &changing, true) < 0)
		return err_set(err, -ENOMEM, conf->name, "out of memory");
	vswitch_publish(vs, NULL);
	rc = wait_settled(ep, err);
	if (rc < 0)
		return rc;
	old = ep->conf;
	ep->conf = *conf;
	rc = bring_up(ep, err);
	if (rc < 0) {
		ep->conf = old;
		if (bring_up(ep, &unused) < 0)
			ep->down = unused;
	}
	bring_up_ports(ep);
	if (rc < 0)
		vswitch_publish(vs, NULL);
	else
		tell(ep, "endpoint.set");
	return rc;
}

// "vx0, vx1 and 7 more"
static void names_of_ports(const struct endpoint *ep, char *buf, size_t len_bytes)
{
	unsigned count = 0, more = 0;
	size_t len = 0;

	for (unsigned i = 0; i < DP_PORTS_MAX; i++) {
		if (!is_on(ep->vs->by_id[i], ep))
			continue;
		if (count++ < 4)
			len += snprintf(buf + len, len_bytes - len, "%s%s", len ? ", " : "",
				ep->vs->by_id[i]->conf.name);
		else
			more++;
	}
	if (more)
		snprintf(buf + len, len_bytes - len, " and %u more", more);
}

int vswitch_endpoint_del(struct vswitch *vs, const char *name, struct err *err)
{
	char path[PATH_BYTES], names[5 * CONF_NAME_BYTES];
	struct grave *grave;
	struct endpoint *ep;
	int rc = vswitch_get_endpoint(vs, name, &ep, err);

	if (rc < 0)
		return rc;
	if (vswitch_endpoint_networks(ep)) {
		names_of_ports(ep, names, sizeof(names));
		return err_set(err, -EBUSY, path_of(name, path),
			"it has networks: delete the ports %s first", names);
	}
	grave = ep->grave;
	ep->grave = NULL;
	grave->free_port_id = true;
	grave->port_id = ep->dp_id;
	let_go(ep, grave, true);
	ep->down = (struct err){0};
	tell(ep, "endpoint.del");
	endpoint_free(ep);
	return 0;
}

int endpoint_settle(struct vswitch *vs, struct conf_port *conf, bool must_open, struct err *err)
{
	const struct conf_endpoint *list[CONF_ENDPOINTS_MAX] = {NULL};
	unsigned count = 0, index;
	struct conf_endpoint implicit;
	struct err why = {0};
	struct endpoint *ep;
	int rc;

	if (conf->type != CONF_PORT_VXLAN)
		return 0;
	TAILQ_FOREACH (ep, &vs->endpoints, entry)
		list[count++] = &ep->conf;
	rc = conf_port_settle(conf, list, count, &index, &why);
	if (rc < 0)
		return err_set(err, rc, conf->name, "%s: %s", why.path, why.reason);
	if (index < count)
		return 0;
	conf_endpoint_init(&implicit);
	snprintf(implicit.name, sizeof(implicit.name), "%s", CONF_ENDPOINT_IMPLICIT);
	return must_open ? vswitch_endpoint_add(vs, &implicit, err)
			 : endpoint_load(vs, &implicit, err);
}

void endpoints_free(struct vswitch *vs, bool remove)
{
	struct endpoint *ep;

	while ((ep = TAILQ_FIRST(&vs->endpoints))) {
		if (ep->vtep)
			vtep_close(ep->vtep);
		port_close(ep->lower, remove);
		endpoint_free(ep);
	}
}
