// SPDX-License-Identifier: BSD-3-Clause
#include "netd/handle.h"

#include <errno.h>
#include <unistd.h>

ctrl_handler_fn *const netd_handlers[CTRL_NB_NET_METHODS] = {
#define X(symbol, fn, name, access, help, result) [CTRL_NET_METHOD_##symbol] = netd_handle_##fn,
	CTRL_NET_METHODS(X)
#undef X
};

void netd_answer(void *call, int rc, json_t *result, const struct err *err)
{
	ctrl_core_reply(call, rc, result, err);
}

// What the agent makes, as the result of a handler that answers at once.
static int give(json_t *made, json_t **ret_result, struct err *err)
{
	if (!made)
		return err_set(err, -ENOMEM, NULL, "out of memory");
	*ret_result = made;
	return 0;
}

int netd_handle_status(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	const struct netd_handle *h = arg;
	json_t *status =
		json_pack("{s:s, s:i, s:f, s:s}", "version", CAUSEWAY_VERSION, "pid", (int)getpid(),
			"uptime_s", (monotonic_us() - h->started_us) / 1e6, "run_dir", h->run_dir);
	json_t *of_agent = agent_status(h->agent);

	if (!status || !of_agent || json_object_update(status, of_agent) < 0) {
		json_decref(status);
		status = NULL;
	}
	json_decref(of_agent);
	return give(status, ret_result, err);
}

int netd_handle_hosts(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	const struct netd_handle *h = arg;

	return give(agent_hosts(h->agent), ret_result, err);
}

int netd_handle_audit(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	const struct netd_handle *h = arg;

	agent_audit(h->agent, json_is_true(json_object_get(params, "repair")), netd_answer,
		ctrl_core_current(h->core));
	return CTRL_LATER;
}

int netd_handle_network_ls(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	const struct netd_handle *h = arg;

	return give(agent_networks(h->agent), ret_result, err);
}

int netd_handle_network_inspect(
	void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	const struct netd_handle *h = arg;
	const char *name = json_string_value(json_object_get(params, "name"));

	*ret_result = agent_network(h->agent, name, err);
	return *ret_result ? 0 : err->code;
}
