// SPDX-License-Identifier: BSD-3-Clause
#include "vxlan/vtep_object.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "vxlan/vtep.h"

#define PATH_BYTES (CONF_NAME_BYTES + 24)

// What a VTEP that is down or deleted leaves behind, until no snapshot has it.
struct vtep_grave {
	struct grave grave; // first
	struct dp *dp;
	struct vtep *vtep;
	struct port *lower;
	bool remove; // the lower port's device too
	bool free_id;
	uint16_t dp_id;
};

static const char *path_of(const char *name, char buf[PATH_BYTES])
{
	snprintf(buf, PATH_BYTES, "VTEP %s", name);
	return buf;
}

struct vtep_object *vtep_object_find(struct vtep_objects *all, const char *name)
{
	struct vtep_object *vo;

	TAILQ_FOREACH (vo, &all->list, entry) {
		if (!strcmp(vo->conf.name, name))
			return vo;
	}
	return NULL;
}

int vtep_object_get(
	struct vtep_objects *all, const char *name, struct vtep_object **ret_vo, struct err *err)
{
	struct vtep_object *vo = vtep_object_find(all, name);
	char path[PATH_BYTES];

	if (!vo)
		return err_set(err, -ENOENT, path_of(name, path),
			"there is no such VTEP (`vsctl list-vteps` lists them)");
	*ret_vo = vo;
	return 0;
}

void vtep_object_tell(struct vtep_object *vo, const char *event)
{
	const struct vxlan_env *env = &vo->all->env.vxlan;
	json_t *data = json_pack("{s:s, s:s*}", "vtep", vo->conf.name, "reason",
		vo->down.code ? vo->down.reason : NULL);

	if (env->event && data)
		env->event(env->event_arg, event, data);
	json_decref(data);
}

// ---- up and down ----

static void on_timer(void *arg)
{
	struct vtep_object *vo = arg;

	loop_timer_set(vo->timer, vtep_service(vo->vtep, monotonic_us()));
	if (vtep_mtu(vo->vtep) == vo->mtu)
		return;
	vo->mtu = vtep_mtu(vo->vtep);
	vo->all->env.publish(vo->all->env.arg);
}

static void on_heartbeat(void *arg)
{
	struct vtep_object *vo = arg;

	loop_timer_set(vo->heartbeat_timer, vtep_heartbeat(vo->vtep, monotonic_us()));
}

// The address on the wire: that of the device, or one that the name makes.
static struct mac choose_mac(const struct vtep_object *vo, const struct port *lower)
{
	const char *id = vo->all->env.port_env->switch_id;
	uint64_t hash = hash_add(HASH_INIT, id, strlen(id));
	struct mac mac;

	if (lower->type->wire_mac && lower->type->wire_mac(lower, &mac))
		return mac;
	hash = hash_add(hash, vo->conf.name, strlen(vo->conf.name));
	return (struct mac){{0x02, hash, hash >> 8, hash >> 16, hash >> 24, hash >> 32}};
}

static int open_lower(
	struct vtep_object *vo, struct conf_vtep *conf, struct port **ret_lower, struct err *err)
{
	struct conf_port port = conf->port;
	struct port *lower;
	int rc;

	snprintf(port.name, sizeof(port.name), "%s", conf->name);
	snprintf(port.netns, sizeof(port.netns), "%s", conf->netns);
	port.mtu = conf->mtu;
	port.has_mac = false; // of the device; a tap's is the other end's
	rc = port_open(&port, vo->all->env.port_env, &lower, err);
	if (rc < 0)
		return rc;
	if (!conf->port.has_mac)
		conf->port.mac = choose_mac(vo, lower);
	conf->port.has_mac = true;
	*ret_lower = lower;
	return 0;
}

int vtep_object_up(struct vtep_object *vo, struct err *err)
{
	struct vxlan_env env = vo->all->env.vxlan;
	struct conf_vtep conf = vo->conf;
	struct port *lower = NULL;
	struct vtep *vtep;
	int rc = 0;

	if (vtep_underlay_of(conf.underlay)->on_lower)
		rc = open_lower(vo, &conf, &lower, err);
	if (!conf.netns[0]) { // where the devices are
		env.distrusted = vo->all->distrusted;
		env.nb_distrusted = vo->all->nb_distrusted;
	}
	if (rc == 0)
		rc = vtep_open(&conf, &env, lower ? port_dp(lower) : NULL, &vtep, err);
	if (rc < 0) {
		port_close(lower, true);
		return rc;
	}
	vtep_port(vtep)->id = vo->dp_id;
	if (lower)
		port_dp(lower)->id = vo->dp_id;
	vo->vtep = vtep;
	vo->lower = lower;
	vo->mtu = vtep_mtu(vtep);
	vo->down = (struct err){0};
	vo->since_us = monotonic_us();
	loop_timer_set(vo->timer, 1);
	loop_timer_set(vo->heartbeat_timer, 1);
	return 0;
}

static void end_grave(struct grave *grave)
{
	struct vtep_grave *g = (struct vtep_grave *)grave;

	if (g->vtep)
		vtep_close(g->vtep);
	port_close(g->lower, g->remove); // after what stands on it
	if (g->free_id)
		dp_port_id_free(g->dp, g->dp_id);
	free(g);
}

static struct vtep_grave *grave_new(struct dp *dp)
{
	struct vtep_grave *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->grave.end = end_grave;
	g->dp = dp;
	return g;
}

// Has what is open closed with `g`.
static void let_go(struct vtep_object *vo, struct vtep_grave *g, bool remove)
{
	loop_timer_set(vo->timer, 0);
	loop_timer_set(vo->heartbeat_timer, 0);
	g->vtep = vo->vtep;
	g->lower = vo->lower;
	g->remove = remove;
	vo->all->env.bury(vo->all->env.arg, &g->grave);
	vo->vtep = NULL;
	vo->lower = NULL;
	vo->since_us = monotonic_us();
}

int vtep_object_down(struct vtep_object *vo, const struct err *why, bool remove)
{
	struct vtep_grave *g = grave_new(vo->all->env.vxlan.dp);
	int rc = g ? vo->all->env.ports_down(vo->all->env.arg, vo, why) : -ENOMEM;

	if (rc < 0) {
		free(g);
		return rc; // the next check does the rest
	}
	let_go(vo, g, remove);
	vo->down = *why;
	return 0;
}

// ---- work ----

void vtep_objects_check(struct vtep_objects *all)
{
	struct vtep_object *vo;
	char text[700];

	TAILQ_FOREACH (vo, &all->list, entry) {
		struct err why = {0};
		int failed = vo->vtep ? atomic_load(&vtep_port(vo->vtep)->failed) : 0;

		if (!failed && vo->lower)
			failed = atomic_load(&port_dp(vo->lower)->failed);
		if (!failed)
			continue;
		err_set_errno(&why, -failed, "",
			"the device or its network namespace is gone; it is tried again every %d s",
			VTEP_RETRY_SECONDS);
		if (vtep_object_down(vo, &why, false) < 0)
			continue;
		log_warn("VTEP %s is down: %s", vo->conf.name, err_text(&why, text, sizeof(text)));
		vtep_object_tell(vo, "vtep.down");
	}
}

void vtep_objects_hear(struct vtep_objects *all)
{
	struct vtep_object *vo;

	TAILQ_FOREACH (vo, &all->list, entry) {
		if (vo->vtep)
			vtep_hear(vo->vtep, monotonic_us());
	}
}

bool vtep_objects_retry(struct vtep_objects *all)
{
	struct vtep_object *vo;
	bool changed = false;

	TAILQ_FOREACH (vo, &all->list, entry) {
		struct err why = {0};

		if (vo->lower)
			port_poll(vo->lower);
		if (vo->vtep)
			continue;
		if (vtep_object_up(vo, &why) < 0) {
			vo->down = why;
			continue;
		}
		changed = true;
		log_info("VTEP %s is up again", vo->conf.name);
		vtep_object_tell(vo, "vtep.up");
	}
	return changed;
}

int vtep_objects_publish(struct vtep_objects *all)
{
	struct vtep_object *vo;

	TAILQ_FOREACH (vo, &all->list, entry) {
		int rc = vo->vtep ? vtep_publish(vo->vtep) : 0;

		if (rc < 0)
			return rc;
		vo->implicit_new = false;
	}
	return 0;
}

int vtep_objects_distrust(struct vtep_objects *all, const int *ifindex, unsigned count)
{
	struct vtep_object *vo;
	int *list, rc = 0;

	if (!all->distrust_failed && count == all->nb_distrusted &&
		(!count || !memcmp(ifindex, all->distrusted, count * sizeof(*ifindex))))
		return 0;
	list = calloc(count + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	if (count)
		memcpy(list, ifindex, count * sizeof(*list));
	free(all->distrusted);
	all->distrusted = list;
	all->nb_distrusted = count;
	TAILQ_FOREACH (vo, &all->list, entry) {
		bool is_here = vo->vtep && !vo->conf.netns[0]; // where the devices are
		int each = is_here ? vtep_distrust(vo->vtep, ifindex, count) : 0;

		rc = each < 0 ? each : rc;
	}
	all->distrust_failed = rc < 0;
	return rc;
}

unsigned vtep_objects_view(const struct vtep_objects *all, struct dp_view_port *ports)
{
	static const struct conf_port no_vlans = {.has_trunks = true};
	const struct vtep_object *vo;
	unsigned count = 0;

	TAILQ_FOREACH (vo, &all->list, entry) {
		if (vo->vtep)
			ports[count++] = (struct dp_view_port){
				.port = vtep_port(vo->vtep),
				.bridge_id = UINT16_MAX,
				.conf = &no_vlans,
			};
	}
	return count;
}

// ---- adding and deleting ----

static void unlink_and_free(struct vtep_object *vo)
{
	TAILQ_REMOVE(&vo->all->list, vo, entry);
	loop_del(vo->all->env.loop, vo->timer);
	loop_del(vo->all->env.loop, vo->heartbeat_timer);
	free(vo->grave);
	free(vo);
}

static int object_new(
	struct vtep_objects *all, const struct conf_vtep *conf, struct vtep_object **ret_vo)
{
	struct vtep_object *vo = calloc(1, sizeof(*vo));
	int rc = -ENOMEM;

	if (!vo)
		return rc;
	vo->all = all;
	vo->conf = *conf;
	vo->since_us = monotonic_us();
	vo->grave = grave_new(all->env.vxlan.dp);
	vo->timer = loop_add_timer(all->env.loop, 0, on_timer, vo);
	vo->heartbeat_timer = loop_add_timer(all->env.loop, 0, on_heartbeat, vo);
	if (vo->grave && vo->timer && vo->heartbeat_timer)
		rc = dp_port_id_alloc(all->env.vxlan.dp, &vo->dp_id);
	TAILQ_INSERT_TAIL(&all->list, vo, entry);
	if (rc < 0)
		unlink_and_free(vo);
	else
		*ret_vo = vo;
	return rc;
}

// Undoes the adding of one that no worker has seen.
static void undo(struct vtep_object *vo)
{
	if (vo->vtep)
		vtep_close(vo->vtep);
	port_close(vo->lower, true);
	dp_port_id_free(vo->all->env.vxlan.dp, vo->dp_id);
	unlink_and_free(vo);
}

// Adds one that is down yet.
static int add(struct vtep_objects *all, const struct conf_vtep *conf, struct vtep_object **ret_vo,
	struct err *err)
{
	char path[PATH_BYTES];
	struct vtep_object *vo;
	unsigned count = 0;
	int rc;

	path_of(conf->name, path);
	TAILQ_FOREACH (vo, &all->list, entry)
		count++;
	if (vtep_object_find(all, conf->name))
		return err_set(err, -EEXIST, path, "a VTEP of this name already exists");
	if (all->env.name_taken(all->env.arg, conf->name))
		return err_set(err, -EEXIST, path, "a port already has this name");
	if (count >= CONF_VTEPS_MAX)
		return err_set(err, -ENOSPC, path, "a switch has at most %d VTEPs", CONF_VTEPS_MAX);
	rc = object_new(all, conf, ret_vo);
	if (rc == -ENOSPC)
		return err_set(err, rc, path, "a switch has at most %d ports", DP_PORTS_MAX);
	return rc < 0 ? err_set(err, rc, path, "out of memory") : 0;
}

int vtep_object_add(struct vtep_objects *all, const struct conf_vtep *conf, bool must_open,
	struct vtep_object **ret_vo, struct err *err)
{
	struct vtep_object *vo = NULL;
	char text[700];
	int rc = add(all, conf, &vo, err);

	if (rc < 0)
		return rc;
	rc = vtep_object_up(vo, must_open ? err : &vo->down);
	if (rc < 0 && must_open) {
		undo(vo);
		return rc;
	}
	if (rc < 0)
		log_warn(
			"VTEP %s is down: %s", conf->name, err_text(&vo->down, text, sizeof(text)));
	*ret_vo = vo;
	return 0;
}

void vtep_object_del(struct vtep_object *vo)
{
	struct vtep_grave *g = vo->grave;

	vo->grave = NULL;
	g->free_id = true;
	g->dp_id = vo->dp_id;
	let_go(vo, g, true);
	vo->down = (struct err){0};
	vtep_object_tell(vo, "vtep.del");
	unlink_and_free(vo);
}

void vtep_objects_init(struct vtep_objects *all, const struct vtep_objects_env *env)
{
	all->env = *env;
	TAILQ_INIT(&all->list);
}

void vtep_objects_fini(struct vtep_objects *all, bool remove)
{
	struct vtep_object *vo;

	while ((vo = TAILQ_FIRST(&all->list))) {
		if (vo->vtep)
			vtep_close(vo->vtep);
		port_close(vo->lower, remove);
		unlink_and_free(vo);
	}
	free(all->distrusted);
}

// ---- its ports ----

static int add_implicit(struct vtep_objects *all, bool must_open, struct err *err)
{
	struct vtep_object *vo;
	struct conf_vtep conf;
	int rc;

	conf_vtep_init(&conf);
	snprintf(conf.name, sizeof(conf.name), "%s", CONF_VTEP_IMPLICIT);
	rc = vtep_object_add(all, &conf, must_open, &vo, err);
	if (rc < 0)
		return rc;
	vo->implicit_new = true;
	if (must_open)
		vtep_object_tell(vo, "vtep.add");
	return 0;
}

int vtep_object_settle(
	struct vtep_objects *all, struct conf_port *conf, bool must_open, struct err *err)
{
	const struct conf_vtep *list[CONF_VTEPS_MAX] = {NULL};
	unsigned count = 0, index;
	struct vtep_object *vo;
	struct err why = {0};
	int rc;

	TAILQ_FOREACH (vo, &all->list, entry)
		list[count++] = &vo->conf;
	rc = conf_port_settle(conf, list, count, &index, &why);
	if (rc < 0)
		return err_set(err, rc, conf->name, "%s: %s", why.path, why.reason);
	if (index == count)
		rc = add_implicit(all, must_open, err);
	if (rc == 0)
		vtep_object_find(all, conf->vtep)->nb_ports++;
	return rc;
}

void vtep_object_release(struct vtep_objects *all, const struct conf_port *conf)
{
	struct vtep_object *vo = vtep_object_find(all, conf->vtep);

	if (--vo->nb_ports == 0 && vo->implicit_new)
		undo(vo);
}
