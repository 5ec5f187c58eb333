// SPDX-License-Identifier: BSD-3-Clause
#include "vswitch/ctl/switch_ctl.h"

#include <errno.h>
#include <stdlib.h>

#include "vswitch/ctl/handle.h"

static ctrl_handler_fn *const handlers[NB_SWITCH_METHODS] = {
#define X(symbol, fn, name, access, help, result) [SWITCH_METHOD_##symbol] = switch_handle_##fn,
	SWITCH_METHODS(X)
#undef X
};

static void commit(void *arg, struct err *warning)
{
	struct switch_ctl *ctl = arg;

	vswitch_commit(ctl->vs, warning);
}

static bool settled(void *arg)
{
	struct switch_ctl *ctl = arg;

	return vswitch_settled(ctl->vs);
}

int switch_ctl_new(const struct switch_ctl_opts *opts, struct switch_ctl **ret_ctl, struct err *err)
{
	struct switch_ctl *ctl = calloc(1, sizeof(*ctl));
	struct ctrl_server_opts server_opts = {
		.loop = opts->loop,
		.run_dir = opts->run_dir,
		.program = "vswitchd",
		.methods = switch_methods,
		.handlers = handlers,
		.nb_methods = NB_SWITCH_METHODS,
		.arg = ctl,
		.commit = commit,
		.settled = settled,
		.tcp = opts->tcp,
	};
	int rc;

	if (!ctl)
		return handle_no_memory(err);
	ctl->opts = *opts;
	ctl->vs = opts->vswitch;
	ctl->started_us = monotonic_us();
	rc = ctrl_server_new(&server_opts, &ctl->server, err);
	if (rc < 0) {
		free(ctl);
		return rc;
	}
	*ret_ctl = ctl;
	return 0;
}

void switch_ctl_free(struct switch_ctl *ctl)
{
	if (!ctl)
		return;
	ctrl_server_free(ctl->server);
	free(ctl);
}

void switch_ctl_event(struct switch_ctl *ctl, const char *name, const json_t *data)
{
	if (ctl)
		ctrl_server_event(ctl->server, name, data);
}
