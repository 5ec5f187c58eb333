// SPDX-License-Identifier: BSD-3-Clause
// Names follow this host's endpoints and the replica, at the event: there is nothing to be done
// later, and nothing to be asked of the store.
//
// Of this host's endpoints its own list is right, and the store's records are not looked at: these
// may speak of one that is no more, or not yet of one that is there.
#include <string.h>

#include "base/log.h"
#include "netd/agent/agent_priv.h"

static void check(int rc, const char *what)
{
	if (rc < 0)
		log_error("names: %s: %s", what, strerror(-rc));
}

// Another host's that is in a namespace: one that was only created has no name yet.
static bool is_other(const struct agent *a, const struct replica_endpoint *ep)
{
	return strcmp(ep->rec.host, a->conf->host) != 0 && ep->rec.sandbox[0];
}

static void add_all(struct agent *a, struct replica_net *net)
{
	struct replica_endpoint *ep;
	struct local_endpoint *le;

	LIST_FOREACH (ep, &net->endpoints, of_net) {
		if (is_other(a, ep))
			check(names_endpoint_set(a->opts.names, ep, net->id, &ep->rec),
				ep->rec.name);
	}
	LIST_FOREACH (le, &net->local_endpoints, of_net) {
		if (le->agent->named)
			check(names_endpoint_set(a->opts.names, le, net->id, &le->rec),
				le->rec.name);
	}
}

// A network is known while an endpoint of this host is in it: then all of it at once.
void agent_names_net(struct agent *a, struct replica_net *net)
{
	bool was_named = net->named;

	net->named = net->known && net->nb_named;
	if (net->named)
		check(names_net_set(a->opts.names, net->id, net->rec.name), net->rec.name);
	else if (was_named)
		names_net_del(a->opts.names, net->id);
	if (net->named && !was_named)
		add_all(a, net);
}

static void set_named(struct agent *a, struct local_endpoint *le, bool named)
{
	if (named == le->agent->named)
		return;
	le->agent->named = named;
	le->net->nb_named += named ? 1 : -1;
	if (!named)
		names_endpoint_del(a->opts.names, le);
	agent_names_net(a, le->net);
}

void agent_names_local(struct agent *a, struct local_endpoint *le)
{
	set_named(a, le, endpoint_is_named(le));
	if (le->agent->named && le->net->named)
		check(names_endpoint_set(a->opts.names, le, le->net->id, &le->rec), le->rec.name);
}

void agent_names_local_gone(struct agent *a, struct local_endpoint *le)
{
	set_named(a, le, false);
}

void agent_names_remote(struct agent *a, struct replica_endpoint *ep, bool gone)
{
	if (!ep->net->named)
		return;
	if (!gone && is_other(a, ep))
		check(names_endpoint_set(a->opts.names, ep, ep->net->id, &ep->rec), ep->rec.name);
	else
		names_endpoint_del(a->opts.names, ep);
}

void agent_names_host(struct agent *a, const struct replica_host *host)
{
	if (host->known && strcmp(host->rec.name, a->conf->host) != 0)
		check(names_host_set(
			      a->opts.names, host->rec.name, &host->rec.vtep, 1, !host->present),
			host->rec.name);
}

void agent_names_host_gone(struct agent *a, const struct replica_host *host)
{
	if (strcmp(host->rec.name, a->conf->host) != 0)
		names_host_del(a->opts.names, host->rec.name);
}

void agent_names_self(struct agent *a)
{
	check(names_host_set(a->opts.names, a->conf->host, &a->vtep, 1, false), a->conf->host);
}
