// SPDX-License-Identifier: BSD-3-Clause
// Connecting in steps: endpoints, addresses and pools of a caller that names them by ids of its
// own.
#include <errno.h>
#include <stdio.h>

#include "base/member.h"
#include "config/check.h"
#include "netd/ctl/handle.h"

static const char *id_of(const json_t *params)
{
	return member_text(params, "id");
}

int netd_handle_endpoint_create(
	void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	const struct netd_handle *h = arg;
	const char *aliases[RECORD_ALIASES_MAX];
	struct connect_spec spec;
	int rc = netd_spec_of_params(params, aliases, &spec, err);

	if (rc < 0)
		return rc;
	agent_endpoint_create(h->agent, id_of(params), &spec, netd_answer, netd_waiting(h));
	return CTRL_LATER;
}

int netd_handle_endpoint_join(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	const struct netd_handle *h = arg;
	const struct join_spec spec = {.sandbox = member_text(params, "netns"),
		.ifname = member_text_or(params, "ifname", NULL)};
	const char *allowed = spec.ifname ? check_ifname(spec.ifname) : NULL;

	if (allowed)
		return err_set(err, -EINVAL, id_of(params), "ifname '%s' is not allowed; %s",
			spec.ifname, allowed);
	agent_endpoint_join(h->agent, id_of(params), &spec, netd_answer, netd_waiting(h));
	return CTRL_LATER;
}

int netd_handle_endpoint_leave(
	void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	const struct netd_handle *h = arg;

	agent_endpoint_leave_by_id(h->agent, id_of(params), member_flag(params, "if_exists"),
		netd_answer, netd_waiting(h));
	return CTRL_LATER;
}

int netd_handle_endpoint_delete(
	void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	const struct netd_handle *h = arg;

	agent_endpoint_delete(h->agent, id_of(params), member_flag(params, "if_exists"),
		netd_answer, netd_waiting(h));
	return CTRL_LATER;
}

int netd_handle_address_request(
	void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	const struct netd_handle *h = arg;
	const char *text = member_text_or(params, "ip", NULL);
	struct address_spec spec = {
		.network = member_text(params, "network"), .ipv6 = member_flag(params, "ipv6")};

	if (text)
		ip_parse(text, &spec.ip); // has been checked
	agent_address_request(h->agent, id_of(params), &spec, netd_answer, netd_waiting(h));
	return CTRL_LATER;
}

int netd_handle_address_release(
	void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	const struct netd_handle *h = arg;

	agent_address_release(h->agent, id_of(params), member_flag(params, "if_exists"),
		netd_answer, netd_waiting(h));
	return CTRL_LATER;
}

// ---- pools ----

static int take_cidr(const json_t *params, const char *name, struct cidr *ret_cidr, struct err *err)
{
	const char *text = member_text_or(params, name, NULL);

	if (!text || cidr_parse(text, ret_cidr) == 0)
		return 0;
	return err_set(err, -EINVAL, id_of(params),
		"%s '%s' is no subnet; ADDRESS/LENGTH is needed, such as 10.1.0.0/16", name, text);
}

int netd_handle_pool_request(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	const struct netd_handle *h = arg;
	struct pool_spec spec = {.ipv6 = member_flag(params, "ipv6")};
	int rc = take_cidr(params, "subnet", &spec.subnet, err);

	if (rc == 0)
		rc = take_cidr(params, "ip_range", &spec.range, err);
	return rc == 0 ? agent_pool_request(h->agent, id_of(params), &spec, ret_result, err) : rc;
}

int netd_handle_pool_release(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	const struct netd_handle *h = arg;

	return agent_pool_release(
		h->agent, id_of(params), member_flag(params, "if_exists"), ret_result, err);
}

int netd_handle_pool_ls(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	const struct netd_handle *h = arg;

	*ret_result = agent_pools(h->agent);
	return *ret_result ? 0 : err_set(err, -ENOMEM, NULL, "out of memory");
}
