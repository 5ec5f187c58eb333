// SPDX-License-Identifier: BSD-3-Clause
// Static forwarding entries of bridges: sorted lists, so that tens of thousands in one request are
// no work, and the same entries in the data plane's table. Those behind a tunnel hold their remote
// switch while their port is up; those of the zero address are no entries of the table but members
// of their port's flood list.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/sorted.h"
#include "vswitch/model.h"

#define GROW_TRIES   100 // a step of growth waits for the workers: some 10 us each
#define GROW_WAIT_US 100

// What one call of vswitch_fdb_add() or vswitch_fdb_del() works on.
struct job {
	struct vswitch *vs;
	struct bridge *bridge;
	struct static_entry *entry; // of the request, sorted
	unsigned count;
	struct static_entry **own; // new ones for the bridge, or those of it to be deleted
	unsigned nb_own;
	struct vport *vp; // found last: many entries name the same
};

static int compare(const void *va, const void *vb)
{
	const struct conf_fdb *a = &((const struct static_entry *)va)->conf;
	const struct conf_fdb *b = &((const struct static_entry *)vb)->conf;
	int order;

	if (a->vlan != b->vlan)
		return a->vlan < b->vlan ? -1 : 1;
	order = memcmp(&a->mac, &b->mac, sizeof(a->mac));
	if (order || !mac_is_zero(&a->mac))
		return order;
	order = strcmp(a->port, b->port);
	return order ? order : memcmp(&a->tunnel, &b->tunnel, sizeof(a->tunnel));
}

// Of pointers to entries, as bridges have them.
static int compare_own(const void *va, const void *vb)
{
	return compare(
		*(const struct static_entry *const *)va, *(const struct static_entry *const *)vb);
}

static struct static_entry *find(const struct bridge *bridge, const struct static_entry *entry)
{
	unsigned i =
		sorted_find(bridge->fdb, bridge->nb_fdb, &entry, sizeof(*bridge->fdb), compare_own);

	return i < bridge->nb_fdb && !compare(bridge->fdb[i], entry) ? bridge->fdb[i] : NULL;
}

int static_fdb_ports(const struct bridge *bridge, struct conf_fdb_ports *ret_ports)
{
	const struct vport *vp;

	*ret_ports = (struct conf_fdb_ports){.bridge = bridge->opts.name};
	ret_ports->port = calloc(bridge->nb_ports + 1, sizeof(*ret_ports->port));
	if (!ret_ports->port)
		return -ENOMEM;
	TAILQ_FOREACH (vp, &bridge->ports, entry)
		ret_ports->port[ret_ports->count++] = &vp->conf;
	return 0;
}

// Chooses the ports of those that name none; with `all`, checks the others as well.
static int settle(struct job *job, bool all, struct err *err)
{
	struct conf_fdb_ports ports;
	char text[MAC_TEXT_BYTES];
	struct err why = {0};
	int rc = static_fdb_ports(job->bridge, &ports);

	if (rc < 0)
		return err_set(err, rc, job->bridge->opts.name, "out of memory");
	for (unsigned i = 0; i < job->count && rc == 0; i++) {
		struct conf_fdb *conf = &job->entry[i].conf;

		if (!all && !mac_is_zero(&conf->mac))
			continue;
		rc = conf_fdb_settle(conf, &ports, &why);
		if (rc < 0)
			err_set(err, rc, mac_format(&conf->mac, text), "%s: %s", why.path,
				why.reason);
	}
	free(ports.port);
	return rc;
}

static int begin(struct job *job, struct vswitch *vs, struct bridge *bridge,
	const struct conf_fdb *entries, unsigned count, bool all, struct err *err)
{
	const struct static_entry *twice;
	char text[MAC_TEXT_BYTES];
	int rc;

	*job = (struct job){.vs = vs, .bridge = bridge, .count = count};
	job->entry = calloc(count + 1, sizeof(*job->entry));
	job->own = calloc(count + 1, sizeof(struct static_entry *));
	if (!job->entry || !job->own)
		return err_set(err, -ENOMEM, bridge->opts.name, "out of memory");
	for (unsigned i = 0; i < count; i++)
		job->entry[i].conf = entries[i];
	rc = settle(job, all, err);
	if (rc < 0)
		return rc;
	qsort(job->entry, count, sizeof(*job->entry), compare);
	twice = sorted_twice(job->entry, count, sizeof(*job->entry), compare);
	if (twice)
		return err_set(err, -EINVAL, mac_format(&twice->conf.mac, text),
			"the request names it twice in VLAN %u", twice->conf.vlan);
	return 0;
}

static struct vport *port_of(struct job *job, const struct static_entry *e)
{
	if (!job->vp || strcmp(job->vp->conf.name, e->conf.port) != 0)
		job->vp = vswitch_find_port(job->vs, e->conf.port);
	return job->vp;
}

// ---- remote switches ----

static bool has_open_remotes(const struct vport *vp)
{
	return vp->port && port_type_has_remotes(vp->row->type);
}

bool vport_remote_ip(const struct vport *vp, uint16_t remote, struct ip_addr *ret_ip)
{
	return remote && has_open_remotes(vp) &&
	       vp->port->type->remote_ip(vp->port, remote, ret_ip);
}

// Has the port take frames of the entry's remote; that is nothing for entries without one.
static int take_remote(const struct vport *vp, struct static_entry *e, struct err *err)
{
	if (!has_open_remotes(vp))
		return 0;
	return vp->port->type->remote_get(
		vp->port, &e->conf.tunnel, mac_is_zero(&e->conf.mac), &e->remote, err);
}

static void put_remote(struct vport *vp, struct static_entry *e)
{
	struct ip_addr ip;

	if (!e->remote)
		return;
	vp->port->type->remote_put(vp->port, e->remote, mac_is_zero(&e->conf.mac));
	if (!vport_remote_ip(vp, e->remote, &ip))
		vp->forget = true;
	e->remote = 0;
}

// Brings them to the workers; a port once, since entries of one port are side by side mostly.
static int publish_remotes(struct job *job, struct err *err)
{
	const struct vport *last = NULL;

	for (unsigned i = 0; i < job->count; i++) {
		const struct vport *vp = job->entry[i].remote ? port_of(job, &job->entry[i]) : last;

		if (vp != last && vp->port->type->remote_publish(vp->port) < 0)
			return err_set(err, -ENOMEM, job->bridge->opts.name, "out of memory");
		last = vp;
	}
	return 0;
}

// All of the request, and the workers know them before the first entry names one.
static int take_remotes(struct job *job, struct err *err)
{
	unsigned done = 0;
	int rc = 0;

	while (done < job->count &&
		(rc = take_remote(port_of(job, &job->entry[done]), &job->entry[done], err)) == 0)
		done++;
	if (rc == 0)
		rc = publish_remotes(job, err);
	if (rc < 0) {
		while (done-- > 0)
			put_remote(port_of(job, &job->entry[done]), &job->entry[done]);
	}
	return rc;
}

// ---- the data plane's table ----

static int put(struct job *job, const struct static_entry *e)
{
	if (mac_is_zero(&e->conf.mac))
		return 0;
	return dp_fdb_add_static(job->vs->opts.dp, job->bridge->dp_id, e->conf.vlan, &e->conf.mac,
		port_of(job, e)->dp_id, e->remote);
}

// The table grows when somebody looks after it, and thousands of entries may come at once: a put
// that finds no room is tried again while it does.
static int put_growing(struct job *job, const struct static_entry *e)
{
	int rc = put(job, e);

	for (unsigned i = 0; rc == -ENOSPC && i < GROW_TRIES; i++) {
		dp_service(job->vs->opts.dp, monotonic_us());
		rc = put(job, e);
		if (rc == -ENOSPC)
			usleep(GROW_WAIT_US);
	}
	return rc;
}

static void take(struct job *job, const struct static_entry *e)
{
	if (!mac_is_zero(&e->conf.mac))
		dp_fdb_del(job->vs->opts.dp, job->bridge->dp_id, e->conf.vlan, &e->conf.mac);
}

// Brings the new entries into the data plane, or leaves it as it was.
static int put_all(struct job *job, struct err *err)
{
	unsigned done = 0;
	int rc = 0;

	while (done < job->count && (rc = put_growing(job, &job->entry[done])) == 0)
		done++;
	if (rc == 0)
		return 0;
	while (done-- > 0) {
		const struct static_entry *old = find(job->bridge, &job->entry[done]);

		if (old)
			put(job, old); // it has a slot: this cannot fail
		else
			take(job, &job->entry[done]);
	}
	return err_set_errno(err, rc, job->bridge->opts.name, "the forwarding table has no room");
}

// Gives back the remotes of the entries that were replaced, or of the request if it failed.
static void put_remotes(struct job *job, bool replaced)
{
	for (unsigned i = 0; i < job->count; i++) {
		struct static_entry *e = &job->entry[i];

		if (replaced)
			e = find(job->bridge, e);
		if (e)
			put_remote(port_of(job, e), e);
	}
}

// ---- changes ----

static void end(struct job *job)
{
	for (unsigned i = 0; i < job->nb_own; i++)
		free(job->own[i]);
	free(job->own);
	free(job->entry);
}

// Makes room for all new entries of the request, so that keeping them cannot fail.
static int make_room(struct job *job, struct err *err)
{
	struct bridge *bridge = job->bridge;
	struct static_entry **fdb;

	for (unsigned i = 0; i < job->count; i++) {
		if (find(bridge, &job->entry[i]))
			continue;
		job->own[job->nb_own] = malloc(sizeof(struct static_entry));
		if (!job->own[job->nb_own])
			goto err;
		*job->own[job->nb_own++] = job->entry[i];
	}
	if (!job->nb_own)
		return 0;
	fdb = sorted_reserve(
		bridge->fdb, &bridge->fdb_room, bridge->nb_fdb + job->nb_own, sizeof(*fdb));
	if (!fdb)
		goto err;
	bridge->fdb = fdb;
	return 0;

err:
	return err_set(err, -ENOMEM, bridge->opts.name, "out of memory");
}

// The entries of the request become those of the bridge.
static void keep(struct job *job)
{
	struct bridge *bridge = job->bridge;
	unsigned next = 0;

	for (unsigned i = 0; i < job->count; i++) {
		struct static_entry *there = find(bridge, &job->entry[i]);

		*(there ? there : job->own[next++]) = job->entry[i];
	}
	bridge->nb_fdb = sorted_insert(bridge->fdb, bridge->nb_fdb, job->own, job->nb_own,
		sizeof(*bridge->fdb), compare_own);
	job->nb_own = 0;
}

int vswitch_fdb_add(struct vswitch *vs, struct bridge *bridge, const struct conf_fdb *entries,
	unsigned count, struct err *err)
{
	struct job job;
	int rc;

	rc = begin(&job, vs, bridge, entries, count, true, err);
	if (rc == 0)
		rc = make_room(&job, err);
	if (rc == 0)
		rc = take_remotes(&job, err);
	if (rc < 0)
		goto out;
	rc = put_all(&job, err);
	put_remotes(&job, rc == 0);
	if (rc < 0)
		goto out;
	keep(&job);
	vs->saving.entries_only = true;
out:
	end(&job);
	return rc;
}

// Leaves in the job those that exist. The others are a mistake unless `if_exists`.
static int pick_there(struct job *job, bool if_exists, struct err *err)
{
	char text[MAC_TEXT_BYTES];
	unsigned kept = 0;

	for (unsigned i = 0; i < job->count; i++) {
		const struct static_entry *e = &job->entry[i];
		struct static_entry *there = find(job->bridge, e);

		if (there &&
			(!e->conf.tunnel.family || ip_equal(&e->conf.tunnel, &there->conf.tunnel)))
			job->own[kept++] = there;
		else if (!if_exists)
			return err_set(err, -ENOENT, mac_format(&e->conf.mac, text),
				"bridge %s has no static entry for it in VLAN %u",
				job->bridge->opts.name, e->conf.vlan);
	}
	job->count = kept;
	return 0;
}

int vswitch_fdb_del(struct vswitch *vs, struct bridge *bridge, const struct conf_fdb *entries,
	unsigned count, bool if_exists, unsigned *ret_deleted, struct err *err)
{
	struct job job;
	int rc = begin(&job, vs, bridge, entries, count, false, err);

	if (rc == 0)
		rc = pick_there(&job, if_exists, err);
	if (rc == 0) {
		for (unsigned i = 0; i < job.count; i++) {
			take(&job, job.own[i]);
			put_remote(port_of(&job, job.own[i]), job.own[i]);
		}
		bridge->nb_fdb = sorted_remove(bridge->fdb, bridge->nb_fdb, job.own, job.count,
			sizeof(*bridge->fdb), compare_own);
		job.nb_own = job.count; // to be freed
		*ret_deleted = job.count;
		vs->saving.entries_only = true;
	}
	end(&job);
	return rc;
}

// ---- with their port ----

static bool is_of(const struct static_entry *e, const struct vport *vp)
{
	return !strcmp(e->conf.port, vp->conf.name);
}

void static_fdb_drop(struct vswitch *vs, struct vport *vp)
{
	struct job job = {.vs = vs, .bridge = vp->bridge};
	unsigned kept = 0;

	for (unsigned i = 0; i < vp->bridge->nb_fdb; i++) {
		struct static_entry *e = vp->bridge->fdb[i];

		if (!is_of(e, vp)) {
			vp->bridge->fdb[kept++] = e;
			continue;
		}
		take(&job, e);
		put_remote(vp, e);
		free(e);
	}
	vp->bridge->nb_fdb = kept;
}

int static_fdb_up(struct vswitch *vs, struct vport *vp, struct err *err)
{
	struct job job = {.vs = vs, .bridge = vp->bridge};
	int rc = 0;

	if (!port_type_has_remotes(vp->row->type))
		return 0;
	for (unsigned i = 0; i < vp->bridge->nb_fdb && rc == 0; i++) {
		struct static_entry *e = vp->bridge->fdb[i];

		if (!is_of(e, vp))
			continue;
		rc = take_remote(vp, e, err);
		if (rc == 0)
			put(&job, e); // it has a slot: this cannot fail
	}
	if (rc < 0)
		static_fdb_down(vp);
	return rc;
}

void static_fdb_down(struct vport *vp)
{
	for (unsigned i = 0; i < vp->bridge->nb_fdb; i++) {
		struct static_entry *e = vp->bridge->fdb[i];

		if (is_of(e, vp))
			put_remote(vp, e);
	}
}

unsigned vport_floods(const struct vport *vp, struct static_entry *const **ret_first)
{
	struct static_entry *const *list = vp->bridge->fdb;
	struct static_entry key = {.conf.vlan = vp->conf.tag}, *at = &key;
	unsigned first, end, count = vp->bridge->nb_fdb;

	memcpy(key.conf.port, vp->conf.name, sizeof(key.conf.port));
	// No address sorts before all of them.
	first = sorted_find(list, count, &at, sizeof(*list), compare_own);
	for (end = first; end < count; end++) {
		if (!is_of(list[end], vp) || !mac_is_zero(&list[end]->conf.mac))
			break;
	}
	*ret_first = list + first;
	return end - first;
}
