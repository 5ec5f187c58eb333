// SPDX-License-Identifier: BSD-3-Clause
// What a request of the control channel does: thin functions between the method list
// (netd/ctl/netd_method.h) and the agent. Main thread only.
#pragma once

#include "ctrl/server.h"
#include "netd/agent/agent.h"
#include "netd/ctl/netd_method.h"

struct netd_handle {
	struct agent *agent;
	struct ctrl_server *server;
	const char *run_dir;
	uint64_t started_us;
};

// One for each method; the argument is a struct netd_handle.
extern ctrl_handler_fn *const netd_handlers[NB_NETD_METHODS];

#define X(symbol, fn, name, access, help, result) ctrl_handler_fn netd_handle_##fn;
NETD_METHODS(X)
#undef X

// The answer of the call that is being handled, as an agent_done_fn: comes once, at any time.
void netd_answer(void *call, int rc, json_t *result, const struct err *err);

// The call that is being handled. The agent tries to do what it asks for as long as its client
// waits.
struct ctrl_call *netd_waiting(const struct netd_handle *h);

// What network.connect and endpoint.create ask for; `sandbox` is left out. It points into `params`
// and `aliases`.
int netd_spec_of_params(const json_t *params, const char *aliases[RECORD_ALIASES_MAX],
	struct connect_spec *ret_spec, struct err *err);

// Makes a network of the parameters of network.create. `ret` needs network_record_fini().
int netd_network_of_params(const json_t *params, struct network_record *ret, struct err *err);
