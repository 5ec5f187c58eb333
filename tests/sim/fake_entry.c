// SPDX-License-Identifier: BSD-3-Clause
// Forwarding entries and neighbours of a switch in memory. Only entries of VLAN 0: there is no need
// for others.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "config/check.h"
#include "tests/sim/fake_model.h"

#define PAGE_DEFAULT 1000

static const char *text_of(const json_t *obj, const char *key)
{
	const char *text = json_string_value(json_object_get(obj, key));

	return text ? text : "";
}

static int get_bridge(struct fake_model *model, const json_t *params,
	struct fake_bridge **ret_bridge, struct err *err)
{
	const char *name = text_of(params, "bridge");

	*ret_bridge = fake_model_bridge(model, name);
	return *ret_bridge ? 0 : err_set(err, -ENOENT, name, "there is no such bridge");
}

// An entry of either table: a MAC and its VTEP, a flood member, an address and its MAC.
struct entry {
	struct mac mac;
	struct ip_addr ip;
	char port[64]; // of a forwarding entry without a tunnel
};

static struct entry entry_of(const struct fake_fdb *fdb)
{
	struct entry entry = {.mac = fdb->mac, .ip = fdb->tunnel};

	memcpy(entry.port, fdb->port, sizeof(entry.port));
	return entry;
}

static int compare_fdb(const void *va, const void *vb)
{
	const struct entry *a = va, *b = vb;
	int order = memcmp(&a->mac, &b->mac, sizeof(a->mac));

	return order || !mac_is_zero(&a->mac) ? order : memcmp(&a->ip, &b->ip, sizeof(a->ip));
}

static int compare_neigh(const void *va, const void *vb)
{
	const struct entry *a = va, *b = vb;

	return memcmp(&a->ip, &b->ip, sizeof(a->ip));
}

// The entries of a request, none of which may be there twice; the caller frees.
static int parse(const json_t *params, const char *ip_key,
	int (*compare)(const void *a, const void *b), struct entry **ret_list, size_t *ret_count,
	struct err *err)
{
	const json_t *entries = json_object_get(params, "entries"), *entry;
	struct entry *list = calloc(json_array_size(entries) + 1, sizeof(*list)), *sorted;
	size_t i, count = json_array_size(entries);
	bool twice = false;

	json_array_foreach (entries, i, entry) {
		mac_parse(text_of(entry, "mac"), &list[i].mac);
		ip_parse(text_of(entry, ip_key), &list[i].ip);
		if (!list[i].ip.family)
			snprintf(list[i].port, sizeof(list[i].port), "%s", text_of(entry, "port"));
	}
	sorted = calloc(count + 1, sizeof(*sorted));
	memcpy(sorted, list, count * sizeof(*list));
	qsort(sorted, count, sizeof(*sorted), compare);
	for (i = 1; i < count; i++)
		twice |= !compare(&sorted[i - 1], &sorted[i]);
	free(sorted);
	if (!count || twice) {
		free(list);
		return err_set(err, -EINVAL, "entries", "the request names one twice, or none");
	}
	*ret_list = list;
	*ret_count = count;
	return 0;
}

// ---- forwarding entries ----

static struct fake_fdb *find_fdb(const struct fake_bridge *bridge, const struct mac *mac)
{
	struct fake_fdb *fdb;

	HASH_FIND(hh, bridge->fdb, mac, sizeof(*mac), fdb);
	return fdb;
}

static struct fake_flood *find_flood(const struct fake_bridge *bridge, const struct ip_addr *ip)
{
	struct fake_flood *flood;

	HASH_FIND(hh, bridge->floods, ip, sizeof(*ip), flood);
	return flood;
}

const struct ip_addr *fake_bridge_fdb(const struct fake_bridge *bridge, const struct mac *mac)
{
	const struct fake_fdb *fdb = find_fdb(bridge, mac);

	return fdb ? &fdb->tunnel : NULL;
}

bool fake_bridge_floods(const struct fake_bridge *bridge, const struct ip_addr *tunnel)
{
	return find_flood(bridge, tunnel) != NULL;
}

static void set_fdb(struct fake_bridge *bridge, const struct entry *entry)
{
	struct fake_flood *flood;
	struct fake_fdb *fdb;

	if (mac_is_zero(&entry->mac)) {
		if (find_flood(bridge, &entry->ip))
			return;
		flood = calloc(1, sizeof(*flood));
		flood->tunnel = entry->ip;
		HASH_ADD(hh, bridge->floods, tunnel, sizeof(flood->tunnel), flood);
		return;
	}
	fdb = find_fdb(bridge, &entry->mac);
	if (!fdb) {
		fdb = calloc(1, sizeof(*fdb));
		fdb->mac = entry->mac;
		HASH_ADD(hh, bridge->fdb, mac, sizeof(fdb->mac), fdb);
	}
	fdb->tunnel = entry->ip;
	memcpy(fdb->port, entry->port, sizeof(fdb->port));
}

static void del_fdb(struct fake_bridge *bridge, struct fake_fdb *fdb)
{
	HASH_DEL(bridge->fdb, fdb);
	free(fdb);
}

static void del_flood(struct fake_bridge *bridge, struct fake_flood *flood)
{
	HASH_DEL(bridge->floods, flood);
	free(flood);
}

void fake_bridge_drop_tunnels(struct fake_bridge *bridge)
{
	struct fake_flood *flood, *next_flood;
	struct fake_fdb *fdb, *next_fdb;

	HASH_ITER(hh, bridge->fdb, fdb, next_fdb)
	{
		if (fdb->tunnel.family)
			del_fdb(bridge, fdb);
	}
	HASH_ITER(hh, bridge->floods, flood, next_flood)
	del_flood(bridge, flood);
}

void fake_bridge_drop_fdb(struct fake_bridge *bridge, const char *port)
{
	struct fake_fdb *fdb, *next;

	HASH_ITER(hh, bridge->fdb, fdb, next)
	{
		if (!fdb->tunnel.family && !strcmp(fdb->port, port))
			del_fdb(bridge, fdb);
	}
}

static const struct fake_port *tunnel_port(const struct fake_bridge *bridge, const char *name)
{
	const struct fake_port *port;

	for (port = bridge->ports; port; port = port->hh.next) {
		if (!strcmp(port->type, "vxlan") && (!name[0] || !strcmp(port->name, name)))
			return port;
	}
	return NULL;
}

// What the VTEP of the bridge's network says of a remote one.
static int check_remote(const struct fake_model *model, const struct fake_port *port,
	const struct ip_addr *ip, struct err *err)
{
	struct fake_vtep *vtep;
	struct ip_addr own = {};

	HASH_FIND_STR(model->vteps, text_of(port->options, "vtep"), vtep);
	if (vtep)
		ip_parse(text_of(vtep->options, "address"), &own);
	if (!ip->family)
		return err_set(err, -EINVAL, port->name, "an entry without a VTEP");
	if (check_host(ip))
		return err_set(err, -EINVAL, port->name, "%s", check_host(ip));
	if (own.family && own.family != ip->family)
		return err_set(err, -EAFNOSUPPORT, port->name, "out of reach");
	return ip_equal(&own, ip)
		       ? err_set(err, -EINVAL, port->name, "the remote is its own address")
		       : 0;
}

static int check_fdb(const struct fake_model *model, const struct fake_bridge *bridge,
	const char *name, const struct entry *entry, struct err *err)
{
	const struct fake_port *port = NULL;

	if (entry->ip.family)
		port = tunnel_port(bridge, name);
	else
		HASH_FIND_STR(bridge->ports, name, port);
	if (!port)
		return err_set(err, -ENOENT, name, "no such port");
	if (mac_is_multicast(&entry->mac))
		return err_set(err, -EINVAL, name, "an address of a group");
	return !strcmp(port->type, "vxlan") ? check_remote(model, port, &entry->ip, err) : 0;
}

int fake_fdb_add(
	struct fake_model *model, const json_t *params, json_t **ret_result, struct err *err)
{
	const json_t *entries = json_object_get(params, "entries");
	struct fake_bridge *bridge;
	struct entry *list = NULL;
	size_t count = 0;
	int rc = get_bridge(model, params, &bridge, err);

	if (rc == 0)
		rc = parse(params, "tunnel", compare_fdb, &list, &count, err);
	for (size_t i = 0; i < count && rc == 0; i++) {
		const char *name = text_of(json_array_get(entries, i), "port");

		rc = check_fdb(model, bridge, name, &list[i], err);
	}
	for (size_t i = 0; i < count && rc == 0; i++)
		set_fdb(bridge, &list[i]);
	free(list);
	if (rc == 0)
		*ret_result = json_pack("{s:i}", "added", (int)count);
	return rc;
}

static bool has_fdb(const struct fake_bridge *bridge, const struct entry *entry)
{
	const struct fake_fdb *fdb;

	if (mac_is_zero(&entry->mac))
		return find_flood(bridge, &entry->ip);
	fdb = find_fdb(bridge, &entry->mac);
	return fdb && (!entry->ip.family || ip_equal(&fdb->tunnel, &entry->ip));
}

int fake_fdb_del(
	struct fake_model *model, const json_t *params, json_t **ret_result, struct err *err)
{
	bool if_exists = json_is_true(json_object_get(params, "if_exists"));
	struct fake_bridge *bridge;
	struct entry *list = NULL;
	size_t count = 0, deleted = 0;
	int rc = get_bridge(model, params, &bridge, err);

	if (rc == 0)
		rc = parse(params, "tunnel", compare_fdb, &list, &count, err);
	for (size_t i = 0; i < count && rc == 0; i++) {
		if (mac_is_zero(&list[i].mac) && !list[i].ip.family)
			rc = err_set(err, -EINVAL, "entries", "the zero address needs a tunnel");
		else if (!if_exists && !has_fdb(bridge, &list[i]))
			rc = err_set(err, -ENOENT, "entries", "there is no such entry");
	}
	for (size_t i = 0; i < count && rc == 0; i++) {
		if (!has_fdb(bridge, &list[i]))
			continue;
		deleted++;
		if (mac_is_zero(&list[i].mac))
			del_flood(bridge, find_flood(bridge, &list[i].ip));
		else
			del_fdb(bridge, find_fdb(bridge, &list[i].mac));
	}
	free(list);
	if (rc == 0)
		*ret_result = json_pack("{s:i}", "deleted", (int)deleted);
	return rc;
}

// ---- neighbours ----

static struct fake_neigh *find_neigh(const struct fake_bridge *bridge, const struct ip_addr *ip)
{
	struct fake_neigh *neigh;

	HASH_FIND(hh, bridge->neigh, ip, sizeof(*ip), neigh);
	return neigh;
}

const struct mac *fake_bridge_neigh(const struct fake_bridge *bridge, const struct ip_addr *ip)
{
	const struct fake_neigh *neigh = find_neigh(bridge, ip);

	return neigh ? &neigh->mac : NULL;
}

static void del_neigh(struct fake_bridge *bridge, struct fake_neigh *neigh)
{
	HASH_DEL(bridge->neigh, neigh);
	free(neigh);
}

void fake_bridge_drop_neighs(struct fake_bridge *bridge)
{
	struct fake_neigh *neigh, *next;

	HASH_ITER(hh, bridge->neigh, neigh, next)
	del_neigh(bridge, neigh);
}

static void set_neigh(struct fake_bridge *bridge, const struct entry *entry)
{
	struct fake_neigh *neigh = find_neigh(bridge, &entry->ip);

	if (!neigh) {
		neigh = calloc(1, sizeof(*neigh));
		neigh->ip = entry->ip;
		HASH_ADD(hh, bridge->neigh, ip, sizeof(neigh->ip), neigh);
	}
	neigh->mac = entry->mac;
}

void fake_bridge_copy_entries(const struct fake_bridge *from, struct fake_bridge *to)
{
	const struct fake_neigh *neigh;
	const struct fake_flood *flood;
	const struct fake_fdb *fdb;

	for (fdb = from->fdb; fdb; fdb = fdb->hh.next)
		set_fdb(to, (struct entry[]){entry_of(fdb)});
	for (flood = from->floods; flood; flood = flood->hh.next)
		set_fdb(to, &(struct entry){.ip = flood->tunnel});
	for (neigh = from->neigh; neigh; neigh = neigh->hh.next)
		set_neigh(to, &(struct entry){.mac = neigh->mac, .ip = neigh->ip});
}

int fake_neigh_add(
	struct fake_model *model, const json_t *params, json_t **ret_result, struct err *err)
{
	struct fake_bridge *bridge;
	struct entry *list = NULL;
	size_t count = 0;
	int rc = get_bridge(model, params, &bridge, err);

	if (rc == 0)
		rc = parse(params, "ip", compare_neigh, &list, &count, err);
	for (size_t i = 0; i < count && rc == 0; i++) {
		const char *allowed = check_host(&list[i].ip);

		if (!allowed)
			allowed = check_unicast(&list[i].mac);
		if (allowed)
			rc = err_set(err, -EINVAL, "entries", "%s", allowed);
	}
	for (size_t i = 0; i < count && rc == 0; i++)
		set_neigh(bridge, &list[i]);
	free(list);
	if (rc == 0)
		*ret_result = json_pack("{s:i}", "added", (int)count);
	return rc;
}

int fake_neigh_del(
	struct fake_model *model, const json_t *params, json_t **ret_result, struct err *err)
{
	bool if_exists = json_is_true(json_object_get(params, "if_exists"));
	struct fake_bridge *bridge;
	struct entry *list = NULL;
	size_t count = 0, deleted = 0;
	int rc = get_bridge(model, params, &bridge, err);

	if (rc == 0)
		rc = parse(params, "ip", compare_neigh, &list, &count, err);
	for (size_t i = 0; i < count && rc == 0 && !if_exists; i++) {
		if (!find_neigh(bridge, &list[i].ip))
			rc = err_set(err, -ENOENT, "entries", "there is no such neighbour");
	}
	for (size_t i = 0; i < count && rc == 0; i++) {
		struct fake_neigh *neigh = find_neigh(bridge, &list[i].ip);

		if (!neigh)
			continue;
		del_neigh(bridge, neigh);
		deleted++;
	}
	free(list);
	if (rc == 0)
		*ret_result = json_pack("{s:i}", "deleted", (int)deleted);
	return rc;
}

// ---- pages ----

// Leaves of a sorted list the page that is asked for; the cursor is "MAC ADDRESS" of its last one.
static json_t *page_of(const json_t *params, struct entry *list, size_t count,
	int (*compare)(const void *a, const void *b),
	json_t *(*entry_json)(const struct fake_bridge *bridge, const struct entry *entry),
	const struct fake_bridge *bridge)
{
	json_int_t limit = json_integer_value(json_object_get(params, "limit"));
	char mac[MAC_TEXT_BYTES], ip[IP_TEXT_BYTES], cursor[80] = "";
	const char *after = text_of(params, "after");
	json_t *page = json_array();
	struct entry start = {};
	size_t first = 0, end;

	qsort(list, count, sizeof(*list), compare);
	if (after[0] && sscanf(after, "%17s %45s", mac, ip) == 2) {
		mac_parse(mac, &start.mac);
		ip_parse(ip, &start.ip);
		while (first < count && compare(&list[first], &start) <= 0)
			first++;
	}
	end = MIN_OF(count, first + (limit ? limit : PAGE_DEFAULT));
	for (size_t i = first; i < end; i++)
		json_array_append_new(page, entry_json(bridge, &list[i]));
	if (end < count)
		snprintf(cursor, sizeof(cursor), "%s %s", mac_format(&list[end - 1].mac, mac),
			ip_format(&list[end - 1].ip, ip));
	free(list);
	return json_pack("{s:o, s:s*}", "entries", page, "next", end < count ? cursor : NULL);
}

static json_t *fdb_json(const struct fake_bridge *bridge, const struct entry *entry)
{
	char mac[MAC_TEXT_BYTES], ip[IP_TEXT_BYTES];
	const struct fake_port *port = tunnel_port(bridge, "");

	if (!entry->ip.family)
		return json_pack("{s:s, s:i, s:s, s:s, s:s}", "bridge", bridge->name, "vlan", 0,
			"mac", mac_format(&entry->mac, mac), "port", entry->port, "kind", "static");
	return json_pack("{s:s, s:i, s:s, s:s, s:s, s:s}", "bridge", bridge->name, "vlan", 0, "mac",
		mac_format(&entry->mac, mac), "port", port ? port->name : "?", "tunnel",
		ip_format(&entry->ip, ip), "kind", "static");
}

int fake_fdb_show(
	struct fake_model *model, const json_t *params, json_t **ret_result, struct err *err)
{
	const struct fake_flood *flood;
	struct fake_bridge *bridge;
	const struct fake_fdb *fdb;
	struct entry *list;
	size_t count = 0;
	int rc = get_bridge(model, params, &bridge, err);

	if (rc < 0)
		return rc;
	list = calloc(HASH_COUNT(bridge->fdb) + HASH_COUNT(bridge->floods) + 1, sizeof(*list));
	for (fdb = bridge->fdb; fdb; fdb = fdb->hh.next)
		list[count++] = entry_of(fdb);
	for (flood = bridge->floods; flood; flood = flood->hh.next)
		list[count++].ip = flood->tunnel;
	*ret_result = page_of(params, list, count, compare_fdb, fdb_json, bridge);
	return 0;
}

static json_t *neigh_json(const struct fake_bridge *bridge, const struct entry *entry)
{
	char mac[MAC_TEXT_BYTES], ip[IP_TEXT_BYTES];

	return json_pack("{s:i, s:s, s:s}", "vlan", 0, "ip", ip_format(&entry->ip, ip), "mac",
		mac_format(&entry->mac, mac));
}

int fake_neigh_list(
	struct fake_model *model, const json_t *params, json_t **ret_result, struct err *err)
{
	const struct fake_neigh *neigh;
	struct fake_bridge *bridge;
	struct entry *list;
	size_t count = 0;
	int rc = get_bridge(model, params, &bridge, err);

	if (rc < 0)
		return rc;
	list = calloc(HASH_COUNT(bridge->neigh) + 1, sizeof(*list));
	for (neigh = bridge->neigh; neigh; neigh = neigh->hh.next)
		list[count++] = (struct entry){.mac = neigh->mac, .ip = neigh->ip};
	*ret_result = page_of(params, list, count, compare_neigh, neigh_json, bridge);
	return 0;
}
