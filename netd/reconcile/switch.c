// SPDX-License-Identifier: BSD-3-Clause
#include "netd/reconcile/switch.h"

#include <errno.h>
#include <stdlib.h>

#include "ctrl/async.h"

struct zmq_switch {
	struct switch_conn conn; // first
	struct ctrl_async *async;
};

static struct zmq_switch *of_conn(struct switch_conn *conn)
{
	return (struct zmq_switch *)conn;
}

static void call(struct switch_conn *conn, const char *method, json_t *params, switch_reply_fn *fn,
	void *arg)
{
	ctrl_async_call(of_conn(conn)->async, method, params, fn, arg);
}

static const struct switch_ops zmq_ops = {.call = call};

static void on_state(void *arg, bool up)
{
	struct switch_conn *conn = arg;

	if (conn->on_state)
		conn->on_state(conn->arg, up);
}

static void on_event(void *arg, const char *name, const json_t *data)
{
	struct switch_conn *conn = arg;

	if (conn->on_event)
		conn->on_event(conn->arg, name, data);
}

int switch_conn_new(
	struct loop *loop, const char *run_dir, struct switch_conn **ret_conn, struct err *err)
{
	struct zmq_switch *sw = calloc(1, sizeof(*sw));
	struct ctrl_async_opts opts = {.loop = loop,
		.run_dir = run_dir,
		.events = "",
		.on_state = on_state,
		.on_event = on_event};
	int rc;

	if (!sw)
		return err_set(err, -ENOMEM, NULL, "out of memory");
	sw->conn.ops = &zmq_ops;
	opts.arg = &sw->conn;
	rc = ctrl_async_new(&opts, &sw->async, err);
	if (rc < 0) {
		free(sw);
		return rc;
	}
	*ret_conn = &sw->conn;
	return 0;
}

void switch_conn_free(struct switch_conn *conn)
{
	if (!conn)
		return;
	ctrl_async_free(of_conn(conn)->async);
	free(of_conn(conn));
}
