// SPDX-License-Identifier: BSD-3-Clause
// The neighbours that a bridge answers for: a sorted list, and the same in the data plane.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/sorted.h"
#include "vswitch/model.h"

static int compare(const void *va, const void *vb)
{
	const struct conf_neigh *a = va, *b = vb;

	if (a->vlan != b->vlan)
		return a->vlan < b->vlan ? -1 : 1;
	return memcmp(&a->ip, &b->ip, sizeof(a->ip));
}

int neigh_apply(struct vswitch *vs, const struct bridge *bridge)
{
	bool drop_unknown = bridge->opts.neigh_unknown == CONF_NEIGH_DROP;
	struct dp_neigh *list = calloc(bridge->nb_neigh + 1, sizeof(*list));
	int rc;

	if (!list)
		return -ENOMEM;
	for (unsigned i = 0; i < bridge->nb_neigh; i++) {
		const struct conf_neigh *e = &bridge->neigh[i];

		list[i] = (struct dp_neigh){.ip = e->ip, .mac = e->mac, .vlan = e->vlan};
	}
	rc = dp_neigh_set(vs->opts.dp, bridge->dp_id, list, bridge->nb_neigh, drop_unknown);
	free(list);
	return rc;
}

// The entries of a request in order.
static int sort(struct bridge *bridge, const struct conf_neigh *entries, unsigned count,
	struct conf_neigh **ret_sorted, struct err *err)
{
	struct conf_neigh *sorted = calloc(count + 1, sizeof(*sorted));
	const struct conf_neigh *twice;
	char text[IP_TEXT_BYTES];

	if (!sorted)
		return err_set(err, -ENOMEM, bridge->opts.name, "out of memory");
	memcpy(sorted, entries, count * sizeof(*entries));
	qsort(sorted, count, sizeof(*sorted), compare);
	twice = sorted_twice(sorted, count, sizeof(*sorted), compare);
	if (!twice) {
		*ret_sorted = sorted;
		return 0;
	}
	err_set(err, -EINVAL, ip_format(&twice->ip, text), "the request names it twice in VLAN %u",
		twice->vlan);
	free(sorted);
	return -EINVAL;
}

// Makes `list` that of the bridge, which takes it over when it worked.
static int replace(struct vswitch *vs, struct bridge *bridge, struct conf_neigh *list,
	unsigned count, struct err *err)
{
	struct conf_neigh *old = bridge->neigh;
	unsigned nb_old = bridge->nb_neigh;

	bridge->neigh = list;
	bridge->nb_neigh = count;
	if (neigh_apply(vs, bridge) == 0) {
		free(old);
		vs->saving.entries_only = true;
		return 0;
	}
	bridge->neigh = old;
	bridge->nb_neigh = nb_old;
	return err_set(err, -ENOMEM, bridge->opts.name, "out of memory");
}

static int merge(struct vswitch *vs, struct bridge *bridge, const struct conf_neigh *sorted,
	unsigned count, bool add, struct err *err)
{
	struct conf_neigh *list = calloc(bridge->nb_neigh + count + 1, sizeof(*list));
	int rc;

	if (!list)
		return err_set(err, -ENOMEM, bridge->opts.name, "out of memory");
	count = sorted_merge(
		list, bridge->neigh, bridge->nb_neigh, sorted, count, sizeof(*list), compare, add);
	rc = replace(vs, bridge, list, count, err);
	if (rc < 0)
		free(list);
	return rc;
}

int vswitch_neigh_add(struct vswitch *vs, const char *name, const struct conf_neigh *entries,
	unsigned count, struct err *err)
{
	struct conf_neigh *sorted = NULL;
	struct bridge *bridge;
	int rc = vswitch_get_bridge(vs, name, &bridge, err);

	if (rc == 0)
		rc = sort(bridge, entries, count, &sorted, err);
	if (rc == 0)
		rc = merge(vs, bridge, sorted, count, true, err);
	free(sorted);
	return rc;
}

static int check_there(const struct bridge *bridge, const struct conf_neigh *sorted, unsigned count,
	unsigned *ret_there, struct err *err)
{
	char text[IP_TEXT_BYTES];
	int rc = 0;

	*ret_there = 0;
	for (unsigned i = 0; i < count; i++) {
		if (bridge->nb_neigh && bsearch(&sorted[i], bridge->neigh, bridge->nb_neigh,
						sizeof(*sorted), compare))
			++*ret_there;
		else if (rc == 0)
			rc = err_set(err, -ENOENT, ip_format(&sorted[i].ip, text),
				"bridge %s has no neighbour of this address in VLAN %u",
				bridge->opts.name, sorted[i].vlan);
	}
	return rc;
}

int vswitch_neigh_del(struct vswitch *vs, const char *name, const struct conf_neigh *entries,
	unsigned count, bool if_exists, unsigned *ret_deleted, struct err *err)
{
	struct conf_neigh *sorted = NULL;
	struct bridge *bridge;
	int rc = vswitch_get_bridge(vs, name, &bridge, err);

	if (rc == 0)
		rc = sort(bridge, entries, count, &sorted, err);
	if (rc == 0)
		rc = check_there(bridge, sorted, count, ret_deleted, if_exists ? NULL : err);
	if (rc == -ENOENT && sorted && if_exists)
		rc = 0;
	if (rc == 0)
		rc = merge(vs, bridge, sorted, count, false, err);
	free(sorted);
	return rc;
}

unsigned vswitch_neigh_after(const struct bridge *bridge, const struct conf_neigh *key)
{
	unsigned first = 0, end = bridge->nb_neigh;

	while (first < end) {
		unsigned middle = first + (end - first) / 2;

		if (compare(&bridge->neigh[middle], key) <= 0)
			first = middle + 1;
		else
			end = middle;
	}
	return first;
}
