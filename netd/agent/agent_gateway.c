// SPDX-License-Identifier: BSD-3-Clause
// The gateways of the networks on this host: the reconciler creates their ports, this file
// configures their interfaces. If that fails, containers go on without a gateway.
#include <string.h>

#include "base/log.h"
#include "netd/agent/agent_priv.h"

static void tell(struct agent *a, const struct replica_net *net, const char *event)
{
	const struct agent_gateway *gw = &net->agent->gateway;

	agent_event(a, event,
		json_pack("{s:s, s:s, s:s}", "network", net->rec.name, "id", net->id, "ifname",
			gw->ifname));
}

void agent_gateway_configure(struct agent *a, struct replica_net *net)
{
	struct agent_gateway *gw = &net->agent->gateway;
	char text[sizeof(struct err)];
	struct err err = {0};
	bool was_ready = gw->ready;
	int rc = a->opts.sandbox->ops->gateway(a->opts.sandbox, gw->ifname, &net->rec, &err);

	retry_done(&gw->configure, rc, agent_now(a));
	gw->ready = rc == 0;
	if (rc == 0) {
		gw->reason[0] = '\0';
	} else {
		if (strcmp(gw->reason, err.reason) != 0)
			log_warn("%s", err_text(&err, text, sizeof(text)));
		snprintf(gw->reason, sizeof(gw->reason), "%s", err.reason);
	}
	if (gw->ready != was_ready)
		tell(a, net, gw->ready ? "gateway.up" : "gateway.down");
	if (gw->ready)
		agent_dns_gateway_up(a, net, gw->ifname);
}

void agent_gateway(void *arg, struct replica_net *net, const char *ifname, bool up)
{
	struct agent *a = arg;
	struct agent_gateway *gw;
	bool was_ready;

	if (!net->agent)
		return;
	gw = &net->agent->gateway;
	was_ready = gw->ready;
	snprintf(gw->ifname, sizeof(gw->ifname), "%s", ifname);
	gw->port_up = up;
	if (up) {
		agent_gateway_configure(a, net);
		return;
	}
	gw->ready = false;
	gw->reason[0] = '\0';
	agent_dns_gateway_down(a, net);
	if (was_ready)
		tell(a, net, "gateway.down");
}

void agent_gateway_run(struct agent *a, uint64_t now_us)
{
	struct replica_net *net;

	for (net = a->replica.nets; net; net = net->hh.next) {
		const struct agent_gateway *gw = net->agent ? &net->agent->gateway : NULL;

		if (gw && gw->port_up && !gw->ready && retry_due(&gw->configure, now_us))
			agent_gateway_configure(a, net);
	}
}
