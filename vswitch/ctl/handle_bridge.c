// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "vswitch/ctl/handle.h"

// Binds what the request says of a bridge onto `opts`.
static int bind_bridge(const json_t *obj, struct conf_bridge_opts *opts, struct err *err)
{
	char path[OBJECT_PATH_BYTES];
	json_t *options;
	int rc = handle_split_name(obj, "bridge", opts->name, &options, path, err);

	if (rc < 0)
		return rc;
	rc = conf_bridge_bind(options, path, opts, err);
	json_decref(options);
	return rc;
}

int switch_handle_bridge_add(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	struct switch_ctl *ctl = arg;
	struct conf_bridge_opts opts;
	bool is_there;
	int rc;

	conf_bridge_opts_init(&opts);
	rc = bind_bridge(json_object_get(params, "bridge"), &opts, err);
	if (rc < 0)
		return rc;
	is_there =
		handle_param_flag(params, "may_exist") && vswitch_find_bridge(ctl->vs, opts.name);
	if (!is_there)
		rc = vswitch_bridge_add(ctl->vs, &opts, err);
	if (rc == 0)
		*ret_result = json_pack("{s:s, s:b}", "name", opts.name, "added", !is_there);
	return rc;
}

int switch_handle_bridge_del(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	struct switch_ctl *ctl = arg;
	const char *name = handle_param_text(params, "name");
	const struct bridge *bridge = vswitch_find_bridge(ctl->vs, name);
	bool is_there = bridge != NULL;
	int rc = bridge ? handle_may_delete_bridge(ctl, params, bridge, err) : 0;

	if (rc == 0 && (is_there || !handle_param_flag(params, "if_exists")))
		rc = vswitch_bridge_del(ctl->vs, name, err);
	if (rc == 0)
		*ret_result = json_pack("{s:s, s:b}", "name", name, "deleted", is_there);
	return rc;
}

int switch_handle_bridge_set(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	struct switch_ctl *ctl = arg;
	struct conf_bridge_opts opts;
	struct bridge *bridge;
	int rc = handle_param_bridge(ctl->vs, params, "name", &bridge, err);

	if (rc == 0)
		rc = handle_may_change_bridge(ctl, params, bridge, err);
	if (rc < 0)
		return rc;
	opts = bridge->opts;
	rc = bind_bridge(json_object_get(params, "bridge"), &opts, err);
	if (rc == 0)
		rc = vswitch_bridge_set(ctl->vs, &opts, err);
	if (rc == 0)
		*ret_result = handle_bridge_json(bridge);
	return rc;
}

int switch_handle_bridge_list(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	struct switch_ctl *ctl = arg;
	json_t *list = json_array();
	struct bridge *bridge;

	TAILQ_FOREACH (bridge, vswitch_bridges(ctl->vs), entry)
		json_array_append_new(list, handle_bridge_json(bridge));
	*ret_result = json_pack("{s:o}", "bridges", list);
	return *ret_result ? 0 : handle_no_memory(err);
}
