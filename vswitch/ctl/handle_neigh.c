// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/member.h"
#include "base/util.h"
#include "config/check.h"
#include "vswitch/ctl/handle_entries.h"

#define PAGE_DEFAULT 1000
#define CURSOR_BYTES (IP_TEXT_BYTES + 8)

static int bind_entry(const json_t *obj, void *to, struct err *err)
{
	struct conf_neigh *entry = to;
	const char *ip = handle_param_text(obj, "ip"), *mac = handle_param_text(obj, "mac"),
		   *allowed;

	ip_parse(ip, &entry->ip);
	entry->vlan = member_int(obj, "vlan");
	allowed = check_host(&entry->ip);
	if (mac && !allowed) {
		mac_parse(mac, &entry->mac);
		allowed = check_unicast(&entry->mac);
	}
	return allowed ? err_set(err, -EINVAL, ip, "%s", allowed) : 0;
}

static int add(struct vswitch *vs, struct bridge *bridge, const void *entries, unsigned count,
	struct err *err)
{
	return vswitch_neigh_add(vs, bridge, entries, count, err);
}

static int del(struct vswitch *vs, struct bridge *bridge, const void *entries, unsigned count,
	bool if_exists, unsigned *ret_deleted, struct err *err)
{
	return vswitch_neigh_del(vs, bridge, entries, count, if_exists, ret_deleted, err);
}

static const struct entries_kind neigh_entries = {
	.entry_bytes = sizeof(struct conf_neigh),
	.bind = bind_entry,
	.add = add,
	.del = del,
};

int switch_handle_neigh_add(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	return handle_entries_add(arg, &neigh_entries, params, ret_result, err);
}

int switch_handle_neigh_del(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	return handle_entries_del(arg, &neigh_entries, params, ret_result, err);
}

// The cursor is the key of the last entry of a page: "VLAN ADDRESS".
static const char *cursor_of(const struct conf_neigh *entry, char buf[CURSOR_BYTES])
{
	char ip[IP_TEXT_BYTES];

	snprintf(buf, CURSOR_BYTES, "%u %s", entry->vlan, ip_format(&entry->ip, ip));
	return buf;
}

static int parse_cursor(const char *cursor, struct conf_neigh *ret_key)
{
	char again[CURSOR_BYTES];
	unsigned vlan;
	int used = 0;

	if (sscanf(cursor, "%4u %n", &vlan, &used) != 1 || !used ||
		ip_parse(cursor + used, &ret_key->ip) < 0)
		return -EINVAL;
	ret_key->vlan = vlan;
	return strcmp(cursor_of(ret_key, again), cursor) ? -EINVAL : 0;
}

static json_t *entry_json(const struct conf_neigh *entry)
{
	char ip[IP_TEXT_BYTES], mac[MAC_TEXT_BYTES];

	return json_pack("{s:i, s:s, s:s}", "vlan", entry->vlan, "ip", ip_format(&entry->ip, ip),
		"mac", mac_format(&entry->mac, mac));
}

int switch_handle_neigh_list(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	struct switch_ctl *ctl = arg;
	const json_t *limit = json_object_get(params, "limit");
	const char *after = handle_param_text(params, "after");
	unsigned first = 0, end;
	struct conf_neigh key = {0};
	char cursor[CURSOR_BYTES];
	struct bridge *bridge;
	json_t *list;
	int rc = handle_param_bridge(ctl->vs, params, "bridge", &bridge, err);

	if (rc < 0)
		return rc;
	if (after && parse_cursor(after, &key) < 0)
		return err_set(err, -EINVAL, "neigh.list", "'%s' is not a cursor", after);
	if (after)
		first = vswitch_neigh_after(bridge, &key);
	end = MIN_OF(bridge->nb_neigh, first + (limit ? json_integer_value(limit) : PAGE_DEFAULT));
	list = json_array();
	for (unsigned i = first; i < end; i++)
		json_array_append_new(list, entry_json(&bridge->neigh[i]));
	*ret_result = json_pack("{s:o, s:s*}", "entries", list, "next",
		end < bridge->nb_neigh ? cursor_of(&bridge->neigh[end - 1], cursor) : NULL);
	return *ret_result ? 0 : handle_no_memory(err);
}
