// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "vswitch/ctl/handle.h"
#include "vxlan/vxlan.h"

// Binds what the request says of a VTEP onto `conf`.
static int bind_vtep(const json_t *obj, struct conf_vtep *conf, struct err *err)
{
	char path[OBJECT_PATH_BYTES];
	json_t *options;
	int rc = split_name(obj, "VTEP", conf->name, &options, path, err);

	if (rc < 0)
		return rc;
	rc = conf_vtep_bind(options, path, conf, err);
	json_decref(options);
	return rc;
}

int switch_handle_vtep_add(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	struct switch_ctl *ctl = arg;
	struct conf_vtep conf;
	bool is_there;
	int rc;

	conf_vtep_init(&conf);
	rc = bind_vtep(json_object_get(params, "vtep"), &conf, err);
	if (rc < 0)
		return rc;
	is_there = param_flag(params, "may_exist") && vswitch_find_vtep(ctl->vs, conf.name);
	if (!is_there)
		rc = vswitch_vtep_add(ctl->vs, &conf, err);
	if (rc == 0)
		*ret_result = json_pack("{s:s, s:b}", "name", conf.name, "added", !is_there);
	return rc;
}

int switch_handle_vtep_del(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	struct switch_ctl *ctl = arg;
	const char *name = param_text(params, "name");
	bool is_there = vswitch_find_vtep(ctl->vs, name) != NULL;
	int rc = 0;

	if (is_there || !param_flag(params, "if_exists"))
		rc = vswitch_vtep_del(ctl->vs, name, err);
	if (rc == 0)
		*ret_result = json_pack("{s:s, s:b}", "name", name, "deleted", is_there);
	return rc;
}

int switch_handle_vtep_set(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	struct switch_ctl *ctl = arg;
	struct conf_vtep conf;
	struct switch_vtep *sv;
	int rc = vswitch_get_vtep(ctl->vs, param_text(params, "name"), &sv, err);

	if (rc < 0)
		return rc;
	conf = sv->conf;
	rc = bind_vtep(json_object_get(params, "vtep"), &conf, err);
	if (rc == 0)
		rc = vswitch_vtep_set(ctl->vs, &conf, err);
	if (rc == 0)
		*ret_result = vtep_json(sv, false);
	return rc;
}

int switch_handle_vtep_list(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	struct switch_ctl *ctl = arg;
	json_t *list = json_array();
	struct switch_vtep *sv;

	TAILQ_FOREACH (sv, vswitch_vteps(ctl->vs), entry)
		json_array_append_new(list, vtep_json(sv, false));
	*ret_result = json_pack("{s:o}", "vteps", list);
	return *ret_result ? 0 : no_memory(err);
}

int switch_handle_vtep_show(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	struct switch_ctl *ctl = arg;
	struct switch_vtep *sv;
	int rc = vswitch_get_vtep(ctl->vs, param_text(params, "name"), &sv, err);

	if (rc < 0)
		return rc;
	*ret_result = vtep_json(sv, true);
	if (!*ret_result)
		return no_memory(err);
	json_object_set_new(*ret_result, "options", conf_vtep_to_json(&sv->conf, true));
	return 0;
}

static void add_remotes(const struct switch_vtep *sv, json_t *list)
{
	json_t *remotes = sv->vtep ? vtep_remotes_json(sv->vtep) : NULL, *remote;
	size_t i;

	json_array_foreach (remotes, i, remote)
		json_object_set_new(remote, "vtep", json_string(sv->conf.name));
	json_array_extend(list, remotes);
	json_decref(remotes);
}

int switch_handle_tunnel_status(
	void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	struct switch_ctl *ctl = arg;
	const char *name = param_text(params, "vtep");
	struct switch_vtep *sv;
	json_t *list;
	int rc = name ? vswitch_get_vtep(ctl->vs, name, &sv, err) : 0;

	if (rc < 0)
		return rc;
	list = json_array();
	TAILQ_FOREACH (sv, vswitch_vteps(ctl->vs), entry) {
		if (!name || !strcmp(name, sv->conf.name))
			add_remotes(sv, list);
	}
	*ret_result = json_pack("{s:o}", "remotes", list);
	return *ret_result ? 0 : no_memory(err);
}
