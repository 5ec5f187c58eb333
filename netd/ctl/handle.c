// SPDX-License-Identifier: BSD-3-Clause
#include "netd/ctl/handle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/member.h"
#include "base/utc.h"
#include "ctrl/log_level.h"

ctrl_handler_fn *const netd_handlers[NB_NETD_METHODS] = {
#define X(symbol, fn, name, access, help, result) [NETD_METHOD_##symbol] = netd_handle_##fn,
	NETD_METHODS(X)
#undef X
};

struct ctrl_call *netd_waiting(const struct netd_handle *h)
{
	struct ctrl_call *call = ctrl_server_current(h->server);

	agent_set_wait(h->agent, ctrl_call_left_ms(call));
	return call;
}

void netd_answer(void *call, int rc, json_t *result, const struct err *err)
{
	ctrl_server_reply(call, rc, result, err);
}

struct keyed {
	const char *key;
	json_t *row;
};

// Returns the agent's object as the result of a handler that answers at once.
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
	char started[UTC_TEXT_BYTES];
	json_t *status =
		json_pack("{s:s, s:i, s:s, s:s}", "version", CAUSEWAY_VERSION, "pid", (int)getpid(),
			"started", utc_of_monotonic(h->started_us, started), "run_dir", h->run_dir);
	json_t *of_agent = agent_status(h->agent);

	if (!status || !of_agent || json_object_update(status, of_agent) < 0) {
		json_decref(status);
		status = NULL;
	}
	json_decref(of_agent);
	return give(status, ret_result, err);
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(((const struct keyed *)a)->key, ((const struct keyed *)b)->key);
}

// Sorts a list of objects by one of their texts, so that the same state is always shown alike.
static void sort_by(json_t *list, const char *member)
{
	size_t count = json_array_size(list), i;
	struct keyed *rows = calloc(count + 1, sizeof(*rows));
	json_t *row;

	if (!rows)
		return;
	json_array_foreach (list, i, row) {
		const char *key = member_text_or(row, member, NULL);

		rows[i] = (struct keyed){key ? key : "", json_incref(row)};
	}
	qsort(rows, count, sizeof(*rows), compare_keys);
	for (i = 0; i < count; i++)
		json_array_set_new(list, i, rows[i].row);
	free(rows);
}

int netd_handle_hosts(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	const struct netd_handle *h = arg;

	json_t *hosts = agent_hosts(h->agent);

	sort_by(json_object_get(hosts, "hosts"), "name");
	return give(hosts, ret_result, err);
}

int netd_handle_host_rm(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	const struct netd_handle *h = arg;

	agent_host_rm(h->agent, member_text_or(params, "name", NULL), member_flag(params, "force"),
		netd_answer, ctrl_server_current(h->server));
	return CTRL_LATER;
}

int netd_handle_events_list(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	return give(ctrl_events_json(netd_events), ret_result, err);
}

int netd_handle_log_show(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	return ctrl_log_show(ret_result, err);
}

int netd_handle_log_set(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	return ctrl_log_set(params, ret_result, err);
}

int netd_handle_audit(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	const struct netd_handle *h = arg;

	agent_audit(h->agent, member_flag(params, "repair"), netd_answer,
		ctrl_server_current(h->server));
	return CTRL_LATER;
}

int netd_handle_network_ls(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	const struct netd_handle *h = arg;

	json_t *networks = agent_networks(h->agent);

	sort_by(json_object_get(networks, "networks"), "name");
	return give(networks, ret_result, err);
}

int netd_handle_network_inspect(
	void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	const struct netd_handle *h = arg;
	const char *name = member_text_or(params, "name", NULL);

	json_t *network = agent_network(h->agent, name, err);

	if (!network)
		return err->code;
	sort_by(json_object_get(network, "endpoints"), "name");
	sort_by(json_object_get(network, "blocks"), "block");
	*ret_result = network;
	return 0;
}
