// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "vswitch/ctl/handle.h"

// Binds what the request says of a VTEP onto `conf`.
static int bind_vtep(const json_t *obj, struct conf_vtep *conf, struct err *err)
{
	char path[OBJECT_PATH_BYTES];
	json_t *options;
	int rc = handle_split_name(obj, "VTEP", conf->name, &options, path, err);

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
	is_there = handle_param_flag(params, "may_exist") &&
		   vtep_object_find(vswitch_vteps(ctl->vs), conf.name);
	if (!is_there)
		rc = vswitch_vtep_add(ctl->vs, &conf, err);
	if (rc == 0)
		*ret_result = json_pack("{s:s, s:b}", "name", conf.name, "added", !is_there);
	return rc;
}

int switch_handle_vtep_del(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	struct switch_ctl *ctl = arg;
	const char *name = handle_param_text(params, "name");
	const struct vtep_object *vo = vtep_object_find(vswitch_vteps(ctl->vs), name);
	bool is_there = vo != NULL;
	int rc = vo ? handle_may_change_vtep(ctl, params, vo, err) : 0;

	if (rc == 0 && (is_there || !handle_param_flag(params, "if_exists")))
		rc = vswitch_vtep_del(ctl->vs, name, err);
	if (rc == 0)
		*ret_result = json_pack("{s:s, s:b}", "name", name, "deleted", is_there);
	return rc;
}

int switch_handle_vtep_set(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	struct switch_ctl *ctl = arg;
	struct conf_vtep conf;
	struct vtep_object *vo;
	int rc = vtep_object_get(
		vswitch_vteps(ctl->vs), handle_param_text(params, "name"), &vo, err);

	if (rc == 0)
		rc = handle_may_change_vtep(ctl, params, vo, err);
	if (rc < 0)
		return rc;
	conf = vo->conf;
	rc = bind_vtep(json_object_get(params, "vtep"), &conf, err);
	if (rc == 0)
		rc = vswitch_vtep_set(ctl->vs, &conf, err);
	if (rc == 0)
		*ret_result = handle_vtep_json(vo, false);
	return rc;
}

int switch_handle_vtep_list(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	struct switch_ctl *ctl = arg;
	json_t *list = json_array();
	struct vtep_object *vo;

	TAILQ_FOREACH (vo, &vswitch_vteps(ctl->vs)->list, entry)
		json_array_append_new(list, handle_vtep_json(vo, false));
	*ret_result = json_pack("{s:o}", "vteps", list);
	return *ret_result ? 0 : handle_no_memory(err);
}

int switch_handle_vtep_show(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	struct switch_ctl *ctl = arg;
	struct vtep_object *vo;
	int rc = vtep_object_get(
		vswitch_vteps(ctl->vs), handle_param_text(params, "name"), &vo, err);

	if (rc < 0)
		return rc;
	*ret_result = handle_vtep_json(vo, true);
	if (!*ret_result)
		return handle_no_memory(err);
	json_object_set_new(*ret_result, "options", conf_vtep_to_json(&vo->conf, true));
	return 0;
}

static void add_remotes(const struct vtep_object *vo, json_t *list)
{
	json_t *remotes = vo->vtep ? vtep_remotes_json(vo->vtep) : NULL, *remote;
	size_t i;

	json_array_foreach (remotes, i, remote)
		json_object_set_new(remote, "vtep", json_string(vo->conf.name));
	json_array_extend(list, remotes);
	json_decref(remotes);
}

int switch_handle_tunnel_status(
	void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	struct switch_ctl *ctl = arg;
	const char *name = handle_param_text(params, "vtep");
	struct vtep_object *vo;
	json_t *list;
	int rc = name ? vtep_object_get(vswitch_vteps(ctl->vs), name, &vo, err) : 0;

	if (rc < 0)
		return rc;
	list = json_array();
	TAILQ_FOREACH (vo, &vswitch_vteps(ctl->vs)->list, entry) {
		if (!name || !strcmp(name, vo->conf.name))
			add_remotes(vo, list);
	}
	*ret_result = json_pack("{s:o}", "remotes", list);
	return *ret_result ? 0 : handle_no_memory(err);
}
