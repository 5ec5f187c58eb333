// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>

#include "netd/ctl/handle.h"

static const char *text_of(const json_t *params, const char *name)
{
	return json_string_value(json_object_get(params, name));
}

int netd_handle_dns_ls(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	const struct netd_handle *h = arg;
	json_t *names = agent_names(h->agent, text_of(params, "network"), err);

	if (!names)
		return err->code;
	*ret_result = names;
	return 0;
}

int netd_handle_dns_query(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	const struct netd_handle *h = arg;
	const char *type = text_of(params, "type"), *container = text_of(params, "container");
	const char *network = text_of(params, "network"), *name = text_of(params, "name");

	if (container && network)
		return err_set(err, -EINVAL, name,
			"a container sees all of its networks; give a container or a network");
	agent_ask(h->agent, container, network, name, type ? type : "A", netd_answer,
		ctrl_server_current(h->server));
	return CTRL_LATER;
}

int netd_handle_dns_stats(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	const struct netd_handle *h = arg;

	return agent_dns_stats(h->agent, ret_result, err);
}

int netd_handle_dns_flush(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	const struct netd_handle *h = arg;
	unsigned count;
	int rc = agent_dns_flush(h->agent, &count, err);

	if (rc < 0)
		return rc;
	*ret_result = json_pack("{s:i}", "flushed", (int)count);
	return *ret_result ? 0 : err_set(err, -ENOMEM, NULL, "out of memory");
}
