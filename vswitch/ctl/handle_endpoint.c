// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "vswitch/ctl/handle.h"
#include "vxlan/vxlan.h"

// Binds what the request says of a tunnel endpoint onto `conf`.
static int bind_endpoint(const json_t *obj, struct conf_endpoint *conf, struct err *err)
{
	char path[OBJECT_PATH_BYTES];
	json_t *options;
	int rc = split_name(obj, "tunnel endpoint", conf->name, &options, path, err);

	if (rc < 0)
		return rc;
	rc = conf_endpoint_bind(options, path, conf, err);
	json_decref(options);
	return rc;
}

int switch_handle_endpoint_add(
	void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	struct switch_ctl *ctl = arg;
	struct conf_endpoint conf;
	bool is_there;
	int rc;

	conf_endpoint_init(&conf);
	rc = bind_endpoint(json_object_get(params, "endpoint"), &conf, err);
	if (rc < 0)
		return rc;
	is_there = param_flag(params, "may_exist") && vswitch_find_endpoint(ctl->vs, conf.name);
	if (!is_there)
		rc = vswitch_endpoint_add(ctl->vs, &conf, err);
	if (rc == 0)
		*ret_result = json_pack("{s:s, s:b}", "name", conf.name, "added", !is_there);
	return rc;
}

int switch_handle_endpoint_del(
	void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	struct switch_ctl *ctl = arg;
	const char *name = param_text(params, "name");
	bool is_there = vswitch_find_endpoint(ctl->vs, name) != NULL;
	int rc = 0;

	if (is_there || !param_flag(params, "if_exists"))
		rc = vswitch_endpoint_del(ctl->vs, name, err);
	if (rc == 0)
		*ret_result = json_pack("{s:s, s:b}", "name", name, "deleted", is_there);
	return rc;
}

int switch_handle_endpoint_set(
	void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	struct switch_ctl *ctl = arg;
	struct conf_endpoint conf;
	struct endpoint *endpoint;
	int rc = vswitch_get_endpoint(ctl->vs, param_text(params, "name"), &endpoint, err);

	if (rc < 0)
		return rc;
	conf = endpoint->conf;
	rc = bind_endpoint(json_object_get(params, "endpoint"), &conf, err);
	if (rc == 0)
		rc = vswitch_endpoint_set(ctl->vs, &conf, err);
	if (rc == 0)
		*ret_result = endpoint_json(endpoint, false);
	return rc;
}

int switch_handle_endpoint_list(
	void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	struct switch_ctl *ctl = arg;
	json_t *list = json_array();
	struct endpoint *endpoint;

	TAILQ_FOREACH (endpoint, vswitch_endpoints(ctl->vs), entry)
		json_array_append_new(list, endpoint_json(endpoint, false));
	*ret_result = json_pack("{s:o}", "endpoints", list);
	return *ret_result ? 0 : no_memory(err);
}

int switch_handle_endpoint_show(
	void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	struct switch_ctl *ctl = arg;
	struct endpoint *endpoint;
	int rc = vswitch_get_endpoint(ctl->vs, param_text(params, "name"), &endpoint, err);

	if (rc < 0)
		return rc;
	*ret_result = endpoint_json(endpoint, true);
	if (!*ret_result)
		return no_memory(err);
	json_object_set_new(*ret_result, "options", conf_endpoint_to_json(&endpoint->conf, true));
	return 0;
}

static void add_remotes(const struct endpoint *endpoint, json_t *list)
{
	json_t *remotes = endpoint->vtep ? vtep_remotes_json(endpoint->vtep) : NULL, *remote;
	size_t i;

	json_array_foreach (remotes, i, remote)
		json_object_set_new(remote, "endpoint", json_string(endpoint->conf.name));
	json_array_extend(list, remotes);
	json_decref(remotes);
}

int switch_handle_tunnel_status(
	void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	struct switch_ctl *ctl = arg;
	const char *name = param_text(params, "endpoint");
	struct endpoint *endpoint;
	json_t *list;
	int rc = name ? vswitch_get_endpoint(ctl->vs, name, &endpoint, err) : 0;

	if (rc < 0)
		return rc;
	list = json_array();
	TAILQ_FOREACH (endpoint, vswitch_endpoints(ctl->vs), entry) {
		if (!name || !strcmp(name, endpoint->conf.name))
			add_remotes(endpoint, list);
	}
	*ret_result = json_pack("{s:o}", "remotes", list);
	return *ret_result ? 0 : no_memory(err);
}
