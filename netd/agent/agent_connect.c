// SPDX-License-Identifier: BSD-3-Clause
// Disconnecting containers: of this host, and what a silent host has left behind.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "netd/agent/agent_priv.h"

struct remove {
	struct pending pending;
	agent_done_fn *done;
	void *done_arg;
	json_t *result;
};

static void on_removed(void *arg, int rc, uint64_t revision)
{
	struct remove *remove = arg;
	struct err err = {0};

	if (rc < 0 && rc != -ESTALE)
		err_set_errno(&err, rc, "store", "the endpoint was not removed");
	else if (rc < 0)
		err_set(&err, rc, "store",
			"the endpoint was not removed: its host is back, or has changed it; look "
			"again");
	remove->done(remove->done_arg, rc, rc < 0 ? NULL : remove->result, &err);
	json_decref(remove->result);
	pending_free(&remove->pending);
}

// Another host's endpoint: only that host disconnects it, unless it is not there.
static int disconnect_other(struct agent *a, struct replica_endpoint *ep, bool force,
	agent_done_fn *fn, void *arg, struct err *err)
{
	struct remove *remove;
	char path[NAME_BYTES + 16], host_key[RECORD_KEY_BYTES];

	snprintf(path, sizeof(path), "container %s", ep->rec.name);
	if (ep->host->present || !force)
		return err_set(err, -EPERM, path, "it is on host %s%s; disconnect it %s",
			ep->rec.host, ep->host->present ? "" : ", which is silent",
			ep->host->present ? "there" : "with --force");
	if (!agent_can_write(a))
		return err_set(err, -ECONNREFUSED, path, "the store cannot be reached: %s",
			agent_store_reason(a));
	remove = pending_new(a, sizeof(*remove));
	if (!remove)
		return err_set(err, -ENOMEM, NULL, "out of memory");
	remove->done = fn;
	remove->done_arg = arg;
	remove->result = endpoint_record_json(&ep->rec);
	record_key_host(host_key, ep->rec.host);
	kv_txn(a->opts.kv,
		(const struct kv_op[]){{.action = KV_DELETE,
					       .guard = KV_REVISION,
					       .key = ep->key,
					       .revision = ep->revision},
			{.action = KV_CHECK, .guard = KV_ABSENT, .key = host_key}},
		2, on_removed, remove);
	return 0;
}

static int disconnect(struct agent *a, const char *network, const char *endpoint, bool force,
	agent_done_fn *fn, void *arg, struct err *err)
{
	struct replica_net *net = replica_net(&a->replica, network);
	struct local_endpoint *le = net ? agent_endpoint_find(a, net, endpoint) : NULL;
	struct replica_endpoint *ep = net && !le ? replica_by_name(net, endpoint) : NULL;

	if (!net)
		return net_error(err, -ENOENT, network, "there is no such network");
	if (ep && strcmp(ep->rec.host, a->conf->host) != 0)
		return disconnect_other(a, ep, force, fn, arg, err);
	if (!le)
		return net_error(
			err, -ENOENT, network, "no container %.63s is connected to it", endpoint);
	if (endpoint_is_untold(le))
		return net_error(err, -EBUSY, network,
			"container %.63s is being connected just now; try again", endpoint);
	agent_disconnect_local(a, le, fn, arg);
	return 0;
}

void agent_disconnect(struct agent *a, const char *network, const char *endpoint, bool force,
	agent_done_fn *fn, void *arg)
{
	struct err err = {0};
	int rc = disconnect(a, network, endpoint, force, fn, arg, &err);

	if (rc < 0)
		fn(arg, rc, NULL, &err);
	a->dirty = true;
	agent_kick(a);
}
