// SPDX-License-Identifier: BSD-3-Clause
// VTEPs and the rest of the object model: names that they share with ports, what happens to the
// ports that are on one, and changes of its options.
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "vswitch/model.h"

#define PATH_BYTES   (CONF_NAME_BYTES + 24)
#define SETTLE_TRIES 10000 // of letting go of one that is recreated
#define SETTLE_US    100

static const char *path_of(const char *name, char buf[PATH_BYTES])
{
	snprintf(buf, PATH_BYTES, "VTEP %s", name);
	return buf;
}

struct vtep_objects *vswitch_vteps(struct vswitch *vs)
{
	return &vs->vteps;
}

// Ports of other types name no VTEP.
static bool is_on(const struct vport *vp, const struct vtep_object *vo)
{
	return vp && !strcmp(vp->conf.vtep, vo->conf.name);
}

// ---- what VTEPs get from the model ----

static bool name_taken(void *arg, const char *name)
{
	return vswitch_find_port(arg, name);
}

static int ports_down(void *arg, const struct vtep_object *vo, const struct err *why)
{
	struct vswitch *vs = arg;
	struct err port_why = {0};
	int rc = 0;

	err_set(&port_why, why->code, "", "VTEP %s is down: %s", vo->conf.name, why->reason);
	for (unsigned i = 0; i < DP_PORTS_MAX && rc == 0; i++) {
		struct vport *vp = vs->by_id[i];

		if (is_on(vp, vo) && vp->port)
			rc = vport_take_down(vs, vp, &port_why);
	}
	return rc;
}

static void bury(void *arg, struct grave *grave)
{
	vswitch_bury(arg, grave);
}

static void publish(void *arg)
{
	vswitch_publish(arg, NULL);
}

void vteps_init(struct vswitch *vs)
{
	const struct port_env *ports = &vs->opts.port_env;
	const struct vtep_objects_env env = {
		.vxlan =
			{
				.dp = vs->opts.dp,
				.pool = ports->pool,
				.big_pool = ports->big_pool,
				.nb_workers = ports->nb_workers,
				.event = vs->opts.event,
				.event_arg = vs->opts.event_arg,
			},
		.loop = vs->opts.loop,
		.port_env = ports,
		.arg = vs,
		.name_taken = name_taken,
		.ports_down = ports_down,
		.bury = bury,
		.publish = publish,
	};

	vtep_objects_init(&vs->vteps, &env);
}

// ---- adding, changing, deleting ----

int vswitch_vtep_add(struct vswitch *vs, const struct conf_vtep *conf, struct err *err)
{
	struct vtep_object *vo;
	int rc = vtep_object_add(&vs->vteps, conf, true, &vo, err);

	if (rc == 0)
		vtep_object_tell(vo, "vtep.add");
	return rc;
}

int vtep_load(struct vswitch *vs, const struct conf_vtep *conf, struct err *err)
{
	struct vtep_object *vo;

	return vtep_object_add(&vs->vteps, conf, false, &vo, err);
}

static int check_port(const struct vport *vp, const struct conf_vtep *conf, struct err *err)
{
	struct conf_port port = vp->conf;
	struct err why = {0};
	unsigned index;
	int rc = conf_port_settle(&port, &conf, 1, &index, &why);

	if (rc < 0)
		return err_set(err, rc, vp->conf.name, "%s", why.reason);
	for (unsigned i = 0; i < vp->bridge->nb_fdb && rc == 0; i++) {
		const struct conf_fdb *entry = &vp->bridge->fdb[i]->conf;

		if (!strcmp(entry->port, vp->conf.name))
			rc = conf_vtep_reaches(conf, &entry->tunnel, err);
	}
	return rc;
}

// What is on it must go on: remotes that it could not reach any more.
static int check_change(struct vswitch *vs, const struct vtep_object *vo,
	const struct conf_vtep *conf, struct err *err)
{
	int rc = 0;

	for (unsigned i = 0; i < DP_PORTS_MAX && rc == 0; i++) {
		if (is_on(vs->by_id[i], vo))
			rc = check_port(vs->by_id[i], conf, err);
	}
	return rc;
}

// Brings up what is on the VTEP. A port that cannot be had is down, with the reason.
static void bring_up_ports(struct vswitch *vs, const struct vtep_object *vo)
{
	for (unsigned i = 0; i < DP_PORTS_MAX; i++) {
		struct vport *vp = vs->by_id[i];

		if (is_on(vp, vo) && !vp->port)
			vport_retry(vs, vp);
	}
}

// UDP ports and devices are let go of when no worker has them any more: some microseconds.
static int wait_settled(struct vswitch *vs, const char *name, struct err *err)
{
	char path[PATH_BYTES];

	for (unsigned i = 0; i < SETTLE_TRIES; i++) {
		if (vswitch_settled(vs))
			return 0;
		usleep(SETTLE_US);
	}
	return err_set(err, -ETIMEDOUT, path_of(name, path),
		"the workers still use it; it is down and tried again every %d s",
		VTEP_RETRY_SECONDS);
}

// Opens it with other options, or as it was.
static int reopen(struct vtep_object *vo, const struct conf_vtep *conf, struct err *err)
{
	struct conf_vtep old = vo->conf;
	struct err unused = {0};
	int rc;

	vo->conf = *conf;
	rc = vtep_object_up(vo, err);
	if (rc == 0)
		return 0;
	vo->conf = old;
	if (vtep_object_up(vo, &unused) < 0)
		vo->down = unused;
	return rc;
}

int vswitch_vtep_set(struct vswitch *vs, const struct conf_vtep *conf, struct err *err)
{
	struct err changing = {0};
	struct vtep_object *vo;
	int rc = vtep_object_get(&vs->vteps, conf->name, &vo, err);

	if (rc == 0)
		rc = conf_vtep_check_change(&vo->conf, conf, err);
	if (rc == 0)
		rc = check_change(vs, vo, conf, err);
	if (rc < 0)
		return rc;
	err_set(&changing, -EAGAIN, "", "it is recreated with other options");
	if (vo->vtep && vtep_object_down(vo, &changing, true) < 0)
		return err_set(err, -ENOMEM, conf->name, "out of memory");
	vswitch_publish(vs, NULL);
	rc = wait_settled(vs, conf->name, err);
	if (rc < 0)
		return rc;
	rc = reopen(vo, conf, err);
	bring_up_ports(vs, vo);
	if (rc < 0)
		vswitch_publish(vs, NULL);
	else
		vtep_object_tell(vo, "vtep.set");
	return rc;
}

// "vx0, vx1 and 7 more"
static void names_of_ports(
	struct vswitch *vs, const struct vtep_object *vo, char *buf, size_t len_bytes)
{
	struct text text = text_over(buf, len_bytes);
	unsigned count = 0, more = 0;

	for (unsigned i = 0; i < DP_PORTS_MAX; i++) {
		if (!is_on(vs->by_id[i], vo))
			continue;
		if (count++ < 4)
			text_add_item(&text, ", ", "%s", vs->by_id[i]->conf.name);
		else
			more++;
	}
	if (more)
		text_addf(&text, " and %u more", more);
}

int vswitch_vtep_del(struct vswitch *vs, const char *name, struct err *err)
{
	char path[PATH_BYTES], names[5 * CONF_NAME_BYTES];
	struct vtep_object *vo;
	int rc = vtep_object_get(&vs->vteps, name, &vo, err);

	if (rc < 0)
		return rc;
	if (vo->nb_ports) {
		names_of_ports(vs, vo, names, sizeof(names));
		return err_set(err, -EBUSY, path_of(name, path),
			"it still has VNIs: delete the ports %s first", names);
	}
	vtep_object_del(vo);
	return 0;
}
