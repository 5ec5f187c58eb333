// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/loop.h"
#include "base/member.h"
#include "base/utc.h"
#include "vswitch/ctl/fdb_page.h"
#include "vswitch/ctl/handle_entries.h"

#define PAGE_DEFAULT 1000

struct walk {
	struct fdb_page page;
	const struct vport *port; // NULL: all
	int vlan;		  // -1: all
};

static bool visit(void *arg, const struct dp_fdb_info *info)
{
	struct walk *walk = arg;

	if ((!walk->port || walk->port->dp_id == info->port_id) &&
		(walk->vlan < 0 || walk->vlan == info->vlan))
		fdb_page_add(&walk->page, info);
	return true;
}

static const char *bridge_name(struct vswitch *vs, uint16_t dp_id)
{
	struct bridge *bridge;

	TAILQ_FOREACH (bridge, vswitch_bridges(vs), entry) {
		if (bridge->dp_id == dp_id)
			return bridge->opts.name;
	}
	return "?";
}

static json_t *entry_json(struct vswitch *vs, const struct dp_fdb_info *e)
{
	const struct vport *port = vswitch_port_by_id(vs, e->port_id);
	char mac[MAC_TEXT_BYTES], text[IP_TEXT_BYTES], seen[UTC_TEXT_BYTES];
	bool is_static = e->kind == DP_FDB_STATIC;
	struct ip_addr ip;
	bool tunnel = port && vport_remote_ip(port, e->remote, &ip);

	return json_pack("{s:s, s:i, s:s, s:s, s:s*, s:s, s:s*}", "bridge",
		bridge_name(vs, e->bridge_id), "vlan", e->vlan, "mac", mac_format(&e->mac, mac),
		"port", port ? port->conf.name : "?", "tunnel",
		tunnel ? ip_format(&ip, text) : NULL, "kind", is_static ? "static" : "learned",
		"seen",
		is_static ? NULL : utc_of_monotonic(monotonic_us() - e->age_s * 1000000ull, seen));
}

static json_t *page_json(struct vswitch *vs, struct fdb_page *page)
{
	json_t *list = json_array();
	char cursor[FDB_CURSOR_BYTES];

	fdb_page_sort(page);
	for (size_t i = 0; i < page->count; i++)
		json_array_append_new(list, entry_json(vs, &page->entry[i]));
	return json_pack("{s:o, s:s*}", "entries", list, "next",
		page->more ? fdb_page_cursor(page, cursor) : NULL);
}

// Those of the zero address are not in the data plane's table.
static void visit_floods(struct vswitch *vs, const struct bridge *bridge, struct walk *walk)
{
	for (unsigned i = 0; i < bridge->nb_fdb; i++) {
		const struct static_entry *e = bridge->fdb[i];
		struct dp_fdb_info info = {.bridge_id = bridge->dp_id,
			.vlan = e->conf.vlan,
			.remote = e->remote,
			.kind = DP_FDB_STATIC};

		if (!mac_is_zero(&e->conf.mac))
			continue;
		info.port_id = vswitch_find_port(vs, e->conf.port)->dp_id;
		visit(walk, &info);
	}
}

int switch_handle_fdb_show(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	struct switch_ctl *ctl = arg;
	const json_t *vlan = json_object_get(params, "vlan");
	const json_t *limit = json_object_get(params, "limit");
	const char *after = handle_param_text(params, "after");
	struct walk walk = {.vlan = vlan ? json_integer_value(vlan) : -1};
	struct bridge *bridge, *each;
	struct vport *port;
	int rc;

	rc = handle_param_bridge(ctl->vs, params, "bridge", &bridge, err);
	if (rc == 0)
		rc = handle_param_port(ctl->vs, params, "port", &port, err);
	if (rc < 0)
		return rc;
	walk.port = port;
	if (fdb_page_init(&walk.page, limit ? json_integer_value(limit) : PAGE_DEFAULT) < 0)
		return handle_no_memory(err);
	if (after && fdb_page_after(&walk.page, after) < 0) {
		rc = err_set(err, -EINVAL, "fdb.show", "'%s' is not a cursor", after);
		goto out;
	}
	dp_fdb_walk(vswitch_dp(ctl->vs), bridge ? bridge->dp_id : UINT16_MAX, visit, &walk);
	TAILQ_FOREACH (each, vswitch_bridges(ctl->vs), entry) {
		if (!bridge || bridge == each)
			visit_floods(ctl->vs, each, &walk);
	}
	*ret_result = page_json(ctl->vs, &walk.page);
	rc = *ret_result ? 0 : handle_no_memory(err);
out:
	fdb_page_fini(&walk.page);
	return rc;
}

static int bind_entry(const json_t *obj, void *to, struct err *err)
{
	struct conf_fdb *entry = to;
	const char *port = handle_param_text(obj, "port"),
		   *tunnel = handle_param_text(obj, "tunnel");

	mac_parse(handle_param_text(obj, "mac"), &entry->mac);
	if (tunnel)
		ip_parse(tunnel, &entry->tunnel);
	entry->vlan = member_int(obj, "vlan");
	snprintf(entry->port, sizeof(entry->port), "%s", port ? port : "");
	return 0;
}

static int add(struct vswitch *vs, struct bridge *bridge, const void *entries, unsigned count,
	struct err *err)
{
	return vswitch_fdb_add(vs, bridge, entries, count, err);
}

static int del(struct vswitch *vs, struct bridge *bridge, const void *entries, unsigned count,
	bool if_exists, unsigned *ret_deleted, struct err *err)
{
	return vswitch_fdb_del(vs, bridge, entries, count, if_exists, ret_deleted, err);
}

static const struct entries_kind fdb_entries = {
	.entry_bytes = sizeof(struct conf_fdb),
	.bind = bind_entry,
	.add = add,
	.del = del,
};

int switch_handle_fdb_add(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	return handle_entries_add(arg, &fdb_entries, params, ret_result, err);
}

int switch_handle_fdb_del(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	return handle_entries_del(arg, &fdb_entries, params, ret_result, err);
}

int switch_handle_fdb_flush(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	struct switch_ctl *ctl = arg;
	struct bridge *bridge;
	struct vport *port;
	int rc;

	rc = handle_param_bridge(ctl->vs, params, "bridge", &bridge, err);
	if (rc == 0)
		rc = handle_param_port(ctl->vs, params, "port", &port, err);
	if (rc == 0 && bridge)
		rc = handle_may_change_bridge(ctl, params, bridge, err);
	if (rc == 0 && port)
		rc = handle_may_change_port(ctl, params, port, err);
	if (rc < 0)
		return rc;
	if (bridge)
		dp_fdb_flush_bridge(vswitch_dp(ctl->vs), bridge->dp_id);
	if (port)
		dp_fdb_flush_port(vswitch_dp(ctl->vs), port->dp_id);
	return 0;
}
