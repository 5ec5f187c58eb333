// SPDX-License-Identifier: BSD-3-Clause
// What people ask about names: which there are, and what a container would be told.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netd/agent/agent_priv.h"

static int not_answered(struct err *err)
{
	return err_set(err, -EOPNOTSUPP, "names",
		"this host answers none; enable them in the configuration (dns: {enabled: true}) "
		"and restart vsnetd");
}

static int find_net(
	struct agent *a, const char *network, struct replica_net **ret_net, struct err *err)
{
	struct replica_net *net = replica_net(&a->replica, network);

	if (!net)
		return net_error(err, -ENOENT, network, "there is no such network");
	if (!net->named)
		return net_error(err, -ENOENT, network,
			"no container of this host is connected to it, so its names are not known "
			"here; ask a host that has one");
	*ret_net = net;
	return 0;
}

static const struct agent_container *find_container(const struct agent *a, const char *name)
{
	for (const struct local_endpoint *le = a->endpoints; le; le = le->hh.next) {
		if (le->agent->named &&
			(record_name_same(le->rec.name, name) || !strcmp(le->rec.sandbox, name)))
			return le->agent->container;
	}
	return NULL;
}

json_t *agent_names(struct agent *a, const char *network, struct err *err)
{
	struct replica_net *net = NULL;
	json_t *problems, *names;

	if (network && find_net(a, network, &net, err) < 0)
		return NULL;
	problems = json_array();
	agent_dns_problems(a, problems);
	names = names_json(a->opts.names, net ? net->rec.name : NULL);
	if (!names) {
		err_set(err, -ENOMEM, NULL, "out of memory");
		json_decref(problems);
		return NULL;
	}
	return json_pack("{s:o, s:o}", "names", names, "problems", problems);
}

// All networks that this host takes part in, in the order of their names.
static void view_all(const struct agent *a, struct dns_view *view)
{
	const struct replica_net *last = NULL;

	*view = (struct dns_view){.forwards = true, .name = "this host"};
	while (view->scope.nb_nets < NAMES_SCOPE_MAX) {
		const struct replica_net *found = NULL;

		for (const struct replica_net *net = a->replica.nets; net; net = net->hh.next) {
			if (net->named && (!last || strcmp(net->rec.name, last->rec.name) > 0) &&
				(!found || strcmp(net->rec.name, found->rec.name) < 0))
				found = net;
		}
		if (!found)
			return;
		memcpy(view->scope.nets[view->scope.nb_nets++], found->id, ID_BYTES);
		last = found;
	}
}

static int choose_view(struct agent *a, const char *container, const char *network,
	struct dns_view *ret_view, struct err *err)
{
	const struct agent_container *c;
	struct replica_net *net;
	char path[NAME_BYTES + 16];
	int rc;

	if (container) {
		snprintf(path, sizeof(path), "container %.63s", container);
		c = find_container(a, container);
		if (c && agent_dns_view(c, ret_view))
			return 0;
		return err_set(err, -ENOENT, path,
			"no container of this name is connected to a network on this host");
	}
	if (!network) {
		view_all(a, ret_view);
		return 0;
	}
	rc = find_net(a, network, &net, err);
	if (rc == 0)
		agent_dns_view_of_net(net, ret_view);
	return rc;
}

struct ask {
	agent_done_fn *done;
	void *done_arg;
};

static void on_answer(void *arg, int rc, json_t *answer, const struct err *err)
{
	struct ask *ask = arg;

	ask->done(ask->done_arg, rc, answer, err);
	json_decref(answer);
	free(ask);
}

void agent_ask(struct agent *a, const char *container, const char *network, const char *name,
	const char *type, agent_done_fn *fn, void *arg)
{
	struct ask *ask = malloc(sizeof(*ask));
	struct err err = {0};
	struct dns_view view;
	int rc = choose_view(a, container, network, &view, &err);

	if (rc == 0 && !a->opts.dns)
		rc = not_answered(&err);
	if (rc == 0 && !ask)
		rc = err_set(&err, -ENOMEM, NULL, "out of memory");
	if (rc < 0) {
		free(ask);
		fn(arg, rc, NULL, &err);
		return;
	}
	*ask = (struct ask){fn, arg};
	dns_ask(a->opts.dns, &view, name, type, on_answer, ask);
}

int agent_dns_stats(struct agent *a, json_t **ret_stats, struct err *err)
{
	if (!a->opts.dns)
		return not_answered(err);
	*ret_stats = dns_stats(a->opts.dns);
	return *ret_stats ? 0 : err_set(err, -ENOMEM, NULL, "out of memory");
}

int agent_dns_flush(struct agent *a, unsigned *ret_count, struct err *err)
{
	if (!a->opts.dns)
		return not_answered(err);
	*ret_count = dns_flush(a->opts.dns);
	return 0;
}
