// SPDX-License-Identifier: BSD-3-Clause
// Static forwarding entries of bridges: sorted lists, so that tens of thousands in one request are
// no work, and the same entries in the data plane's table.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vswitch/model.h"

#define GROW_TRIES   100 // a step of growth waits for the workers: some 10 us each
#define GROW_WAIT_US 100

// What one call of vswitch_fdb_add() or vswitch_fdb_del() works on.
struct job {
	struct vswitch *vs;
	struct bridge *bridge;
	struct conf_fdb *entry; // of the request, sorted
	unsigned count;
};

static int compare(const void *va, const void *vb)
{
	const struct conf_fdb *a = va, *b = vb;

	if (a->vlan != b->vlan)
		return a->vlan < b->vlan ? -1 : 1;
	return memcmp(&a->mac, &b->mac, sizeof(a->mac));
}

static const struct conf_fdb *find(const struct bridge *bridge, const struct conf_fdb *entry)
{
	if (!bridge->nb_fdb)
		return NULL;
	return bsearch(entry, bridge->fdb, bridge->nb_fdb, sizeof(*entry), compare);
}

bool vswitch_fdb_has(const struct bridge *bridge, const struct conf_fdb *entry)
{
	return find(bridge, entry);
}

static int begin(struct job *job, struct vswitch *vs, const char *bridge,
	const struct conf_fdb *entries, unsigned count, struct err *err)
{
	char text[MAC_TEXT_BYTES];
	int rc;

	*job = (struct job){.vs = vs, .count = count};
	rc = vswitch_get_bridge(vs, bridge, &job->bridge, err);
	if (rc < 0)
		return rc;
	job->entry = calloc(count + 1, sizeof(*job->entry));
	if (!job->entry)
		return err_set(err, -ENOMEM, bridge, "out of memory");
	memcpy(job->entry, entries, count * sizeof(*entries));
	qsort(job->entry, count, sizeof(*entries), compare);
	for (unsigned i = 1; i < count; i++) {
		if (!compare(&job->entry[i - 1], &job->entry[i]))
			return err_set(err, -EINVAL, mac_format(&job->entry[i].mac, text),
				"the request names it twice in VLAN %u", job->entry[i].vlan);
	}
	return 0;
}

static int check_add(const struct job *job, struct err *err)
{
	const struct vport *vp = NULL;
	char text[MAC_TEXT_BYTES];

	for (unsigned i = 0; i < job->count; i++) {
		const struct conf_fdb *e = &job->entry[i];

		mac_format(&e->mac, text);
		if (!vp || strcmp(vp->conf.name, e->port)) // many name the same port
			vp = vswitch_find_port(job->vs, e->port);
		if (!vp || vp->bridge != job->bridge)
			return err_set(err, -ENOENT, text, "bridge %s has no port %s",
				job->bridge->opts.name, e->port);
		if (mac_is_multicast(&e->mac) || mac_is_zero(&e->mac))
			return err_set(
				err, -EINVAL, text, "a forwarding entry takes a unicast address");
	}
	return 0;
}

static int put(const struct job *job, const struct conf_fdb *e)
{
	return dp_fdb_add_static(job->vs->opts.dp, job->bridge->dp_id, e->vlan, &e->mac,
		vswitch_find_port(job->vs, e->port)->dp_id, 0);
}

// The table grows when somebody looks after it, and thousands of entries may come at once: a put
// that finds no room is tried again while it does.
static int put_growing(const struct job *job, const struct conf_fdb *e)
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

static void take(const struct job *job, const struct conf_fdb *e)
{
	dp_fdb_del(job->vs->opts.dp, job->bridge->dp_id, e->vlan, &e->mac);
}

// Brings the new entries into the data plane, or leaves there what was there.
static int put_all(const struct job *job, struct err *err)
{
	unsigned done = 0;
	int rc = 0;

	while (done < job->count && (rc = put_growing(job, &job->entry[done])) == 0)
		done++;
	if (rc == 0)
		return 0;
	while (done-- > 0) {
		const struct conf_fdb *old = find(job->bridge, &job->entry[done]);

		if (old)
			put(job, old); // its slot is there: this cannot fail
		else
			take(job, &job->entry[done]);
	}
	return err_set_errno(err, rc, job->bridge->opts.name, "the forwarding table has no room");
}

// The bridge's entries without those that the job names; with those after it, when `add`.
static void merge(const struct job *job, bool add, struct conf_fdb *to, unsigned *ret_count)
{
	const struct conf_fdb *old = job->bridge->fdb, *old_end = old + job->bridge->nb_fdb;
	const struct conf_fdb *named = job->entry, *named_end = named + job->count;
	unsigned count = 0;

	while (old < old_end || named < named_end) {
		int order = old == old_end ? 1 : named == named_end ? -1 : compare(old, named);

		if (order < 0) {
			to[count++] = *old++;
			continue;
		}
		old += order == 0;
		if (add)
			to[count++] = *named;
		named++;
	}
	*ret_count = count;
}

int vswitch_fdb_add(struct vswitch *vs, const char *bridge, const struct conf_fdb *entries,
	unsigned count, struct err *err)
{
	struct conf_fdb *merged = NULL;
	struct job job;
	int rc;

	rc = begin(&job, vs, bridge, entries, count, err);
	if (rc == 0)
		rc = check_add(&job, err);
	if (rc < 0)
		goto out;
	merged = calloc(job.bridge->nb_fdb + count + 1, sizeof(*merged));
	rc = merged ? put_all(&job, err) : err_set(err, -ENOMEM, bridge, "out of memory");
	if (rc < 0)
		goto out;
	merge(&job, true, merged, &count);
	free(job.bridge->fdb);
	job.bridge->fdb = merged;
	job.bridge->nb_fdb = count;
	merged = NULL;
out:
	free(merged);
	free(job.entry);
	return rc;
}

int vswitch_fdb_del(struct vswitch *vs, const char *bridge, const struct conf_fdb *entries,
	unsigned count, struct err *err)
{
	char text[MAC_TEXT_BYTES];
	struct job job;
	int rc = begin(&job, vs, bridge, entries, count, err);

	for (unsigned i = 0; rc == 0 && i < count; i++) {
		if (!find(job.bridge, &job.entry[i]))
			rc = err_set(err, -ENOENT, mac_format(&job.entry[i].mac, text),
				"bridge %s has no static entry for it in VLAN %u", bridge,
				job.entry[i].vlan);
	}
	if (rc == 0) {
		for (unsigned i = 0; i < count; i++)
			take(&job, &job.entry[i]);
		// In place: what is written is never ahead of what is read.
		merge(&job, false, job.bridge->fdb, &job.bridge->nb_fdb);
	}
	free(job.entry);
	return rc;
}

void vswitch_fdb_drop_port(struct vswitch *vs, struct bridge *bridge, const char *port)
{
	struct job job = {.vs = vs, .bridge = bridge};
	unsigned kept = 0;

	for (unsigned i = 0; i < bridge->nb_fdb; i++) {
		if (strcmp(bridge->fdb[i].port, port))
			bridge->fdb[kept++] = bridge->fdb[i];
		else
			take(&job, &bridge->fdb[i]);
	}
	bridge->nb_fdb = kept;
}
