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

static struct dp_neigh to_dp(const struct conf_neigh *e)
{
	return (struct dp_neigh){.ip = e->ip, .mac = e->mac, .vlan = e->vlan};
}

int neigh_apply(struct vswitch *vs, const struct bridge *bridge)
{
	bool drop_unknown = bridge->opts.neigh_unknown == CONF_NEIGH_DROP;
	struct dp_neigh *list = calloc(bridge->nb_neigh + 1, sizeof(*list));
	int rc;

	if (!list)
		return -ENOMEM;
	for (unsigned i = 0; i < bridge->nb_neigh; i++)
		list[i] = to_dp(&bridge->neigh[i]);
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

static struct conf_neigh *reserve(struct bridge *bridge, unsigned count)
{
	struct conf_neigh *list = sorted_reserve(
		bridge->neigh, &bridge->neigh_room, bridge->nb_neigh + count, sizeof(*list));

	if (list)
		bridge->neigh = list;
	return list;
}

// While the data plane's table has room, only these entries cost work.
static int add_few(
	struct vswitch *vs, struct bridge *bridge, const struct conf_neigh *sorted, unsigned count)
{
	struct dp_neigh *list = calloc(count, sizeof(*list));
	int rc = list && reserve(bridge, count) ? 0 : -ENOMEM;

	for (unsigned i = 0; i < count && rc == 0; i++)
		list[i] = to_dp(&sorted[i]);
	if (rc == 0)
		rc = dp_neigh_put(vs->opts.dp, bridge->dp_id, list, count);
	if (rc == 0)
		bridge->nb_neigh = sorted_insert(
			bridge->neigh, bridge->nb_neigh, sorted, count, sizeof(*sorted), compare);
	free(list);
	return rc;
}

// Brings all of them to the data plane again, or leaves the old ones there.
static int add_many(
	struct vswitch *vs, struct bridge *bridge, const struct conf_neigh *sorted, unsigned count)
{
	struct conf_neigh *old = bridge->neigh;
	unsigned nb_old = bridge->nb_neigh;
	size_t room = nb_old + count;

	bridge->neigh = calloc(room, sizeof(*old));
	if (bridge->neigh) {
		if (nb_old)
			memcpy(bridge->neigh, old, nb_old * sizeof(*old));
		bridge->nb_neigh =
			sorted_insert(bridge->neigh, nb_old, sorted, count, sizeof(*old), compare);
		if (neigh_apply(vs, bridge) == 0) {
			bridge->neigh_room = room;
			free(old);
			return 0;
		}
	}
	free(bridge->neigh);
	bridge->neigh = old;
	bridge->nb_neigh = nb_old;
	return -ENOMEM;
}

int vswitch_neigh_add(struct vswitch *vs, struct bridge *bridge, const struct conf_neigh *entries,
	unsigned count, struct err *err)
{
	struct conf_neigh *sorted = NULL;
	int rc = sort(bridge, entries, count, &sorted, err);

	if (rc == 0) {
		rc = add_few(vs, bridge, sorted, count);
		if (rc == -ENOSPC)
			rc = add_many(vs, bridge, sorted, count);
		if (rc < 0)
			err_set(err, rc, bridge->opts.name, "out of memory");
		else
			vs->saving.entries_only = true;
	}
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

static void del(
	struct vswitch *vs, struct bridge *bridge, const struct conf_neigh *sorted, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct dp_neigh entry = to_dp(&sorted[i]);

		dp_neigh_del(vs->opts.dp, bridge->dp_id, &entry);
	}
	bridge->nb_neigh = sorted_remove(
		bridge->neigh, bridge->nb_neigh, sorted, count, sizeof(*sorted), compare);
	if (!bridge->nb_neigh) // workers need not look; out of memory, they look for nothing
		neigh_apply(vs, bridge);
	vs->saving.entries_only = true;
}

int vswitch_neigh_del(struct vswitch *vs, struct bridge *bridge, const struct conf_neigh *entries,
	unsigned count, bool if_exists, unsigned *ret_deleted, struct err *err)
{
	struct conf_neigh *sorted = NULL;
	int rc = sort(bridge, entries, count, &sorted, err);

	if (rc == 0)
		rc = check_there(bridge, sorted, count, ret_deleted, if_exists ? NULL : err);
	if (rc == -ENOENT && sorted && if_exists)
		rc = 0;
	if (rc == 0)
		del(vs, bridge, sorted, count);
	free(sorted);
	return rc;
}

unsigned vswitch_neigh_after(const struct bridge *bridge, const struct conf_neigh *key)
{
	unsigned i = sorted_find(bridge->neigh, bridge->nb_neigh, key, sizeof(*key), compare);

	return i < bridge->nb_neigh && !compare(&bridge->neigh[i], key) ? i + 1 : i;
}
