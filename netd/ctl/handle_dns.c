// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>

#include "base/ip.h"
#include "base/member.h"
#include "netd/ctl/handle.h"

int netd_handle_dns_ls(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	const struct netd_handle *h = arg;
	json_t *names = agent_names(h->agent, member_text_or(params, "network", NULL), err);

	if (!names)
		return err->code;
	*ret_result = names;
	return 0;
}

int netd_handle_dns_query(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	const struct netd_handle *h = arg;
	const char *type = member_text_or(params, "type", NULL),
		   *container = member_text_or(params, "container", NULL);
	const char *network = member_text_or(params, "network", NULL),
		   *name = member_text_or(params, "name", NULL);
	struct ip_addr ip;

	if (container && network)
		return err_set(err, -EINVAL, name,
			"a container sees all of its networks; give a container or a network");
	if (!type)
		type = ip_parse(name, &ip) == 0 ? "PTR" : "A";
	agent_ask(h->agent, container, network, name, type, netd_answer,
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
