// SPDX-License-Identifier: BSD-3-Clause
// VTEPs of the switch: their life, up, down, tried again, and the ports that are on
// them.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/member.h"
#include "base/text.h"
#include "vswitch/model.h"

#define PATH_BYTES    (CONF_NAME_BYTES + 24)
#define RETRY_SECONDS 1
#define SETTLE_TRIES  10000 // of letting go of one that is made anew
#define SETTLE_US     100

static const char *path_of(const char *name, char buf[PATH_BYTES])
{
	snprintf(buf, PATH_BYTES, "VTEP %s", name);
	return buf;
}

struct switch_vtep_list *vswitch_vteps(struct vswitch *vs)
{
	return &vs->vteps;
}

struct switch_vtep *vswitch_find_vtep(struct vswitch *vs, const char *name)
{
	struct switch_vtep *sv;

	TAILQ_FOREACH (sv, &vs->vteps, entry) {
		if (!strcmp(sv->conf.name, name))
			return sv;
	}
	return NULL;
}

int vswitch_get_vtep(
	struct vswitch *vs, const char *name, struct switch_vtep **ret_sv, struct err *err)
{
	char path[PATH_BYTES];

	*ret_sv = vswitch_find_vtep(vs, name);
	if (*ret_sv)
		return 0;
	return err_set(err, -ENOENT, path_of(name, path),
		"there is no such VTEP (`vsctl list-vteps` lists them)");
}

static bool is_on(const struct vport *vp, const struct switch_vtep *sv)
{
	return vp && vp->conf.type == CONF_PORT_VXLAN && !strcmp(vp->conf.vtep, sv->conf.name);
}

unsigned vswitch_vtep_vnis(const struct switch_vtep *sv)
{
	unsigned count = 0;

	for (unsigned i = 0; i < DP_PORTS_MAX; i++)
		count += is_on(sv->vs->by_id[i], sv);
	return count;
}

static void tell(struct switch_vtep *sv, const char *event)
{
	vswitch_event(sv->vs, event,
		json_pack("{s:s, s:s*}", "vtep", sv->conf.name, "reason",
			sv->down.code ? sv->down.reason : NULL));
}

// ---- up and down ----

static void on_timer(void *arg)
{
	struct switch_vtep *sv = arg;

	loop_timer_set(sv->timer, vtep_service(sv->vtep, monotonic_us()));
	if (vtep_mtu(sv->vtep) == sv->mtu)
		return;
	sv->mtu = vtep_mtu(sv->vtep);
	vswitch_publish(sv->vs, NULL);
}

static void on_heartbeat(void *arg)
{
	struct switch_vtep *sv = arg;

	loop_timer_set(sv->heartbeat_timer, vtep_heartbeat(sv->vtep, monotonic_us()));
}

// The address on the wire: that of the device, or one that the name makes.
static void choose_mac(
	const struct switch_vtep *sv, const struct port *lower, struct conf_port *conf)
{
	const char *id = sv->vs->opts.port_env.switch_id, *text;
	uint64_t hash = hash_add(HASH_INIT, id, strlen(id));
	json_t *device = json_object();

	conf->has_mac = true;
	hash = hash_add(hash, sv->conf.name, strlen(sv->conf.name));
	conf->mac = (struct mac){{0x02, hash, hash >> 8, hash >> 16, hash >> 24, hash >> 32}};
	port_describe(lower, device);
	text = member_text_or(device, "mac", NULL);
	if (conf->type == CONF_PORT_DPDK && text)
		mac_parse(text, &conf->mac);
	json_decref(device);
}

static int open_lower(
	struct switch_vtep *sv, struct conf_vtep *conf, struct port **ret_lower, struct err *err)
{
	struct conf_port port = conf->port;
	int rc;

	snprintf(port.name, sizeof(port.name), "%s", conf->name);
	snprintf(port.netns, sizeof(port.netns), "%s", conf->netns);
	port.mtu = conf->mtu;
	port.has_mac = false; // of the device; a tap's is the other end's
	rc = port_open(&port, &sv->vs->opts.port_env, ret_lower, err);
	if (rc == 0 && !conf->port.has_mac)
		choose_mac(sv, *ret_lower, &conf->port);
	return rc;
}

// Any address is that of both families, where the host has both.
static int open_vtep(const struct conf_vtep *conf, const struct vxlan_env *env, struct port *lower,
	struct vtep **ret_vtep, struct err *err)
{
	struct conf_vtep any = *conf;
	struct dp_port *dp = lower ? port_dp(lower) : NULL;

	if (conf->address.family)
		return vtep_open(conf, env, dp, ret_vtep, err);
	any.address.family = 6;
	if (access("/proc/net/if_inet6", F_OK) < 0)
		any.address.family = 4;
	return vtep_open(&any, env, dp, ret_vtep, err);
}

static int bring_up(struct switch_vtep *sv, struct err *err)
{
	struct conf_vtep conf = sv->conf;
	struct port *lower = NULL;
	struct vtep *vtep;
	int rc = 0;

	if (conf.underlay == CONF_UNDERLAY_PORT)
		rc = open_lower(sv, &conf, &lower, err);
	if (rc == 0)
		rc = open_vtep(&conf, &sv->vs->vxlan_env, lower, &vtep, err);
	if (rc < 0) {
		port_close(lower, true);
		return rc;
	}
	vtep_port(vtep)->id = sv->dp_id;
	if (lower)
		port_dp(lower)->id = sv->dp_id;
	sv->vtep = vtep;
	sv->lower = lower;
	sv->mtu = vtep_mtu(vtep);
	sv->down = (struct err){0};
	sv->since_us = monotonic_us();
	loop_timer_set(sv->timer, 1);
	loop_timer_set(sv->heartbeat_timer, 1);
	return 0;
}

// Has what it stands on let go with `grave`.
static void let_go(struct switch_vtep *sv, struct grave *grave, bool remove)
{
	loop_timer_set(sv->timer, 0);
	loop_timer_set(sv->heartbeat_timer, 0);
	grave->vtep = sv->vtep;
	grave->port = sv->lower;
	grave->remove = remove;
	vswitch_bury(sv->vs, grave);
	sv->vtep = NULL;
	sv->lower = NULL;
	sv->since_us = monotonic_us();
}

// Its VNIs go down first: they close before it does.
static int take_down(struct switch_vtep *sv, const struct err *why, bool remove)
{
	struct grave *grave = calloc(1, sizeof(*grave));
	struct err port_why = {0};
	int rc = grave ? 0 : -ENOMEM;

	err_set(&port_why, why->code, "", "VTEP %s is down: %s", sv->conf.name, why->reason);
	for (unsigned i = 0; i < DP_PORTS_MAX && rc == 0; i++) {
		struct vport *vp = sv->vs->by_id[i];

		if (is_on(vp, sv) && vp->port)
			rc = vport_take_down(sv->vs, vp, &port_why);
	}
	if (rc < 0) {
		free(grave);
		return rc; // the rest is done by the next service
	}
	let_go(sv, grave, remove);
	sv->down = *why;
	return 0;
}

void switch_vteps_check(struct vswitch *vs)
{
	struct switch_vtep *sv;
	char text[700];

	TAILQ_FOREACH (sv, &vs->vteps, entry) {
		struct err why = {0};
		int failed = sv->vtep ? atomic_load(&vtep_port(sv->vtep)->failed) : 0;

		if (!failed && sv->lower)
			failed = atomic_load(&port_dp(sv->lower)->failed);
		if (!failed)
			continue;
		err_set_errno(&why, -failed, "",
			"the device or its network namespace is gone; it is tried again every %d s",
			RETRY_SECONDS);
		if (take_down(sv, &why, false) < 0)
			continue;
		log_warn("VTEP %s is down: %s", sv->conf.name, err_text(&why, text, sizeof(text)));
		tell(sv, "vtep.down");
	}
}

void switch_vteps_hear(struct vswitch *vs)
{
	struct switch_vtep *sv;

	TAILQ_FOREACH (sv, &vs->vteps, entry) {
		if (sv->vtep)
			vtep_hear(sv->vtep, monotonic_us());
	}
}

bool switch_vteps_retry(struct vswitch *vs)
{
	struct switch_vtep *sv;
	bool changed = false;

	TAILQ_FOREACH (sv, &vs->vteps, entry) {
		struct err why = {0};

		if (sv->lower)
			port_poll(sv->lower);
		if (sv->vtep)
			continue;
		if (bring_up(sv, &why) < 0) {
			sv->down = why;
			continue;
		}
		changed = true;
		log_info("VTEP %s is up again", sv->conf.name);
		tell(sv, "vtep.up");
	}
	return changed;
}

int switch_vteps_publish(struct vswitch *vs)
{
	struct switch_vtep *sv;
	int rc = 0;

	TAILQ_FOREACH (sv, &vs->vteps, entry) {
		if (rc == 0 && sv->vtep)
			rc = vtep_publish(sv->vtep);
	}
	return rc;
}

unsigned switch_vteps_view(struct vswitch *vs, struct dp_view_port *ports)
{
	static const struct vlan_set none;
	struct switch_vtep *sv;
	unsigned count = 0;

	TAILQ_FOREACH (sv, &vs->vteps, entry) {
		if (sv->vtep)
			ports[count++] = (struct dp_view_port){
				.port = vtep_port(sv->vtep),
				.bridge_id = UINT16_MAX,
				.trunks = &none,
			};
	}
	return count;
}

// ---- adding, changing, deleting ----

static int switch_vtep_new(
	struct vswitch *vs, const struct conf_vtep *conf, struct switch_vtep **ret_ep)
{
	struct switch_vtep *sv = calloc(1, sizeof(*sv));
	int rc = -ENOMEM;

	if (!sv)
		return rc;
	sv->vs = vs;
	sv->conf = *conf;
	sv->since_us = monotonic_us();
	sv->grave = calloc(1, sizeof(*sv->grave));
	sv->timer = loop_add_timer(vs->opts.loop, 0, on_timer, sv);
	sv->heartbeat_timer = loop_add_timer(vs->opts.loop, 0, on_heartbeat, sv);
	if (sv->grave && sv->timer && sv->heartbeat_timer)
		rc = dp_port_id_alloc(vs->opts.dp, &sv->dp_id);
	if (rc < 0) {
		loop_del(vs->opts.loop, sv->timer);
		loop_del(vs->opts.loop, sv->heartbeat_timer);
		free(sv->grave);
		free(sv);
		return rc;
	}
	TAILQ_INSERT_TAIL(&vs->vteps, sv, entry);
	*ret_ep = sv;
	return 0;
}

// Adds a VTEP that is down yet.
static int add(struct vswitch *vs, const struct conf_vtep *conf, struct switch_vtep **ret_ep,
	struct err *err)
{
	char path[PATH_BYTES];
	struct switch_vtep *sv;
	unsigned count = 0;
	int rc;

	path_of(conf->name, path);
	TAILQ_FOREACH (sv, &vs->vteps, entry)
		count++;
	if (vswitch_find_vtep(vs, conf->name))
		return err_set(err, -EEXIST, path, "a VTEP of this name is there already");
	if (vswitch_find_port(vs, conf->name))
		return err_set(err, -EEXIST, path, "a port has this name already");
	if (count >= CONF_VTEPS_MAX)
		return err_set(err, -ENOSPC, path, "a switch has at most %d VTEPs", CONF_VTEPS_MAX);
	rc = switch_vtep_new(vs, conf, ret_ep);
	if (rc == -ENOSPC)
		return err_set(err, rc, path, "a switch has at most %d ports", DP_PORTS_MAX);
	return rc < 0 ? err_set(err, rc, path, "out of memory") : 0;
}

static void switch_vtep_free(struct switch_vtep *sv)
{
	TAILQ_REMOVE(&sv->vs->vteps, sv, entry);
	loop_del(sv->vs->opts.loop, sv->timer);
	loop_del(sv->vs->opts.loop, sv->heartbeat_timer);
	free(sv->grave);
	free(sv);
}

void switch_vtep_undo(struct vswitch *vs, struct switch_vtep *sv)
{
	if (sv->vtep)
		vtep_close(sv->vtep);
	port_close(sv->lower, true);
	dp_port_id_free(vs->opts.dp, sv->dp_id);
	switch_vtep_free(sv);
}

int vswitch_vtep_add(struct vswitch *vs, const struct conf_vtep *conf, struct err *err)
{
	struct switch_vtep *sv;
	int rc = add(vs, conf, &sv, err);

	if (rc < 0)
		return rc;
	rc = bring_up(sv, err);
	if (rc < 0)
		switch_vtep_undo(vs, sv);
	else
		tell(sv, "vtep.add");
	return rc;
}

int switch_vtep_load(struct vswitch *vs, const struct conf_vtep *conf, struct err *err)
{
	struct switch_vtep *sv;
	char text[700];
	int rc = add(vs, conf, &sv, err);

	if (rc < 0)
		return rc;
	if (bring_up(sv, &sv->down) < 0)
		log_warn(
			"VTEP %s is down: %s", conf->name, err_text(&sv->down, text, sizeof(text)));
	return 0;
}

// What is on it must go on: remotes that it could not reach any more.
static int check_change(const struct switch_vtep *sv, const struct conf_vtep *conf, struct err *err)
{
	const struct conf_vtep *list[] = {conf};
	unsigned index;
	int rc = 0;

	for (unsigned i = 0; i < DP_PORTS_MAX && rc == 0; i++) {
		const struct vport *vp = sv->vs->by_id[i];
		struct err why = {0};
		struct conf_port port;

		if (!is_on(vp, sv))
			continue;
		port = vp->conf;
		rc = conf_port_settle(&port, list, 1, &index, &why);
		if (rc < 0)
			err_set(err, rc, vp->conf.name, "%s", why.reason);
		for (unsigned k = 0; k < vp->bridge->nb_fdb && rc == 0; k++) {
			const struct conf_fdb *entry = &vp->bridge->fdb[k]->conf;

			if (!strcmp(entry->port, vp->conf.name))
				rc = conf_vtep_reaches(conf, &entry->tunnel, err);
		}
	}
	return rc;
}

// Brings up what is on the VTEP. A port that cannot be had is down, with the reason.
static void bring_up_ports(struct switch_vtep *sv)
{
	for (unsigned i = 0; i < DP_PORTS_MAX; i++) {
		struct vport *vp = sv->vs->by_id[i];

		if (is_on(vp, sv) && !vp->port)
			vport_retry(sv->vs, vp);
	}
}

// UDP ports and devices are let go of when no worker has them any more: some microseconds.
static int wait_settled(struct switch_vtep *sv, struct err *err)
{
	char path[PATH_BYTES];

	for (unsigned i = 0; i < SETTLE_TRIES; i++) {
		if (vswitch_settled(sv->vs))
			return 0;
		usleep(SETTLE_US);
	}
	return err_set(err, -ETIMEDOUT, path_of(sv->conf.name, path),
		"the workers do not let go of it; it is down and tried again every %d s",
		RETRY_SECONDS);
}

int vswitch_vtep_set(struct vswitch *vs, const struct conf_vtep *conf, struct err *err)
{
	struct err changing = {0}, unused = {0};
	struct conf_vtep old;
	struct switch_vtep *sv;
	int rc = vswitch_get_vtep(vs, conf->name, &sv, err);

	if (rc == 0)
		rc = check_change(sv, conf, err);
	if (rc < 0)
		return rc;
	err_set(&changing, -EAGAIN, "", "it is made anew");
	if (sv->vtep && take_down(sv, &changing, true) < 0)
		return err_set(err, -ENOMEM, conf->name, "out of memory");
	vswitch_publish(vs, NULL);
	rc = wait_settled(sv, err);
	if (rc < 0)
		return rc;
	old = sv->conf;
	sv->conf = *conf;
	rc = bring_up(sv, err);
	if (rc < 0) {
		sv->conf = old;
		if (bring_up(sv, &unused) < 0)
			sv->down = unused;
	}
	bring_up_ports(sv);
	if (rc < 0)
		vswitch_publish(vs, NULL);
	else
		tell(sv, "vtep.set");
	return rc;
}

// "vx0, vx1 and 7 more"
static void names_of_ports(const struct switch_vtep *sv, char *buf, size_t len_bytes)
{
	unsigned count = 0, more = 0;
	struct text text = text_over(buf, len_bytes);

	for (unsigned i = 0; i < DP_PORTS_MAX; i++) {
		if (!is_on(sv->vs->by_id[i], sv))
			continue;
		if (count++ < 4)
			text_add_item(&text, ", ", "%s", sv->vs->by_id[i]->conf.name);
		else
			more++;
	}
	if (more)
		text_addf(&text, " and %u more", more);
}

int vswitch_vtep_del(struct vswitch *vs, const char *name, struct err *err)
{
	char path[PATH_BYTES], names[5 * CONF_NAME_BYTES];
	struct grave *grave;
	struct switch_vtep *sv;
	int rc = vswitch_get_vtep(vs, name, &sv, err);

	if (rc < 0)
		return rc;
	if (vswitch_vtep_vnis(sv)) {
		names_of_ports(sv, names, sizeof(names));
		return err_set(err, -EBUSY, path_of(name, path),
			"it has VNIs: delete the ports %s first", names);
	}
	grave = sv->grave;
	sv->grave = NULL;
	grave->free_port_id = true;
	grave->port_id = sv->dp_id;
	let_go(sv, grave, true);
	sv->down = (struct err){0};
	tell(sv, "vtep.del");
	switch_vtep_free(sv);
	return 0;
}

int switch_vtep_settle(struct vswitch *vs, struct conf_port *conf, bool must_open, struct err *err)
{
	const struct conf_vtep *list[CONF_VTEPS_MAX] = {NULL};
	unsigned count = 0, index;
	struct conf_vtep implicit;
	struct err why = {0};
	struct switch_vtep *sv;
	int rc;

	if (conf->type != CONF_PORT_VXLAN)
		return 0;
	TAILQ_FOREACH (sv, &vs->vteps, entry)
		list[count++] = &sv->conf;
	rc = conf_port_settle(conf, list, count, &index, &why);
	if (rc < 0)
		return err_set(err, rc, conf->name, "%s: %s", why.path, why.reason);
	if (index < count)
		return 0;
	conf_vtep_init(&implicit);
	snprintf(implicit.name, sizeof(implicit.name), "%s", CONF_VTEP_IMPLICIT);
	return must_open ? vswitch_vtep_add(vs, &implicit, err)
			 : switch_vtep_load(vs, &implicit, err);
}

void switch_vteps_free(struct vswitch *vs, bool remove)
{
	struct switch_vtep *sv;

	while ((sv = TAILQ_FIRST(&vs->vteps))) {
		if (sv->vtep)
			vtep_close(sv->vtep);
		port_close(sv->lower, remove);
		switch_vtep_free(sv);
	}
}
