// SPDX-License-Identifier: BSD-3-Clause
#include "ctrl/server/server.h"

#include <errno.h>
#include <stdlib.h>

#include "ctrl/server/handle.h"

static ctrl_handler_fn *const handlers[CTRL_NB_SWITCH_METHODS] = {
#define X(symbol, fn, name, access, help, result) [CTRL_METHOD_##symbol] = ctrl_handle_##fn,
	CTRL_SWITCH_METHODS(X)
#undef X
};

static void commit(void *arg, struct err *warning)
{
	struct ctrl_server *server = arg;

	vswitch_commit(server->vs, warning);
}

static bool settled(void *arg)
{
	struct ctrl_server *server = arg;

	return vswitch_settled(server->vs);
}

int ctrl_server_new(
	const struct ctrl_server_opts *opts, struct ctrl_server **ret_server, struct err *err)
{
	struct ctrl_server *server = calloc(1, sizeof(*server));
	struct ctrl_core_opts core_opts = {
		.loop = opts->loop,
		.run_dir = opts->run_dir,
		.program = "vswitchd",
		.methods = ctrl_switch_methods,
		.handlers = handlers,
		.nb_methods = CTRL_NB_SWITCH_METHODS,
		.arg = server,
		.commit = commit,
		.settled = settled,
		.tcp = opts->tcp,
	};
	int rc;

	if (!server)
		return no_memory(err);
	server->opts = *opts;
	server->vs = opts->vswitch;
	server->started_us = monotonic_us();
	rc = ctrl_core_new(&core_opts, &server->core, err);
	if (rc < 0) {
		free(server);
		return rc;
	}
	*ret_server = server;
	return 0;
}

void ctrl_server_free(struct ctrl_server *server)
{
	if (!server)
		return;
	ctrl_core_free(server->core);
	free(server);
}

void ctrl_server_event(struct ctrl_server *server, const char *name, const json_t *data)
{
	if (server)
		ctrl_core_event(server->core, name, data);
}
