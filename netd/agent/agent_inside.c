// SPDX-License-Identifier: BSD-3-Clause
// What interfaces have lost is put back: an address that was flushed, routes, all of IPv6 after the
// link or the MTU has changed. Interfaces are looked at in turn; nobody tells of them, since who
// listens in a namespace would hold it. What somebody has set on purpose (a link that is down,
// another MTU) stays until an audit repairs it.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "netd/agent/agent_priv.h"
#include "netd/drivers/network.h"

#define TELL_US (60 * SECOND_US) // an interface that is emptied again and again is told of so often

struct lost {
	char first[80]; // "address 10.0.0.2/24"; empty: nothing
};

static void note(void *arg, const struct sandbox_difference *d)
{
	struct lost *lost = arg;

	if (d->is_lost && !lost->first[0])
		snprintf(lost->first, sizeof(lost->first), "%s %s", d->what, d->wanted);
}

static void tell(struct agent *a, uint64_t *told_us, const char *where, const char *name,
	const struct lost *lost)
{
	uint64_t now_us = agent_now(a);

	if (*told_us && now_us < *told_us + TELL_US)
		return;
	*told_us = now_us;
	log_info("%s %s has lost %s: it is put back", where, name, lost->first);
}

void agent_inside_look(struct agent *a, struct local_endpoint *le)
{
	struct sandbox *sb = a->opts.sandbox;
	struct lost lost = {};

	if (le->state != ENDPOINT_UP || sb->ops->look(sb, le, 0, note, &lost, NULL) < 0 ||
		!lost.first[0])
		return;
	tell(a, &le->agent->lost_told_us, "endpoint", le->rec.name, &lost);
	agent_endpoint_configure(a, le);
}

static void look_at_gateway(struct agent *a, struct replica_net *net)
{
	struct agent_gateway *gw = &net->agent->gateway;
	struct sandbox *sb = a->opts.sandbox;
	struct lost lost = {};

	if (sb->ops->look_gateway(sb, gw->ifname, &net->rec, 0, note, &lost, NULL) < 0 ||
		!lost.first[0])
		return;
	tell(a, &gw->lost_told_us, "the gateway of network", net->rec.name, &lost);
	agent_gateway_configure(a, net);
}

void agent_inside_run(struct agent *a, uint64_t now_us)
{
	struct replica_net *net;

	if (now_us < a->gateways_at_us)
		return;
	a->gateways_at_us = now_us + SECOND_US / 2;
	for (net = a->replica.nets; net; net = net->hh.next) {
		if (net->agent && net->agent->gateway.ready)
			look_at_gateway(a, net);
	}
}

// ---- for audits ----

struct inside {
	struct agent_inside_audit *audit;
	const char *where, *object;
	unsigned count;
};

static void add(void *arg, const struct sandbox_difference *d)
{
	struct inside *in = arg;

	in->count++;
	if (in->audit->list)
		json_array_append_new(in->audit->list,
			json_pack("{s:s, s:s, s:s, s:s, s:s, s:b}", "where", in->where, "object",
				in->object, "difference", d->what, "wanted", d->wanted, "actual",
				d->actual, "repaired", 0));
}

// It cannot be looked at: that is all that is known.
static void add_reason(struct inside *in, const struct err *err)
{
	add(in, &(struct sandbox_difference){
			.what = "not there", .wanted = "there", .actual = err->reason});
}

// After a repair: those from `first` on are repaired if nothing differs any more.
static void mark_repaired(struct agent_inside_audit *audit, size_t first)
{
	for (size_t i = first; i < json_array_size(audit->list); i++)
		json_object_set_new(json_array_get(audit->list, i), "repaired", json_true());
}

void agent_inside_audit_endpoint(
	struct agent *a, struct local_endpoint *le, struct agent_inside_audit *audit)
{
	uint32_t mtu = reconcile_endpoint_mtu(a->rec, le);
	struct agent_inside_audit nothing = {};
	size_t first = json_array_size(audit->list);
	struct sandbox *sb = a->opts.sandbox;
	char object[64 + 256 + 16];
	struct inside in = {audit, "container", object}, again = {&nothing, "", ""};
	struct err err = {0};

	if (le->state != ENDPOINT_UP && le->state != ENDPOINT_UNCONFIGURED)
		return;
	snprintf(object, sizeof(object), "interface %s of %.255s", le->rec.ifname, le->rec.sandbox);
	if (sb->ops->look(sb, le, mtu, add, &in, &err) < 0)
		add_reason(&in, &err);
	if (!in.count || !audit->repair)
		return;
	sb->ops->set_link(sb, le, le->rec.ifname, &le->rec.mac, mtu, NULL);
	agent_endpoint_configure(a, le);
	if (sb->ops->look(sb, le, mtu, add, &again, NULL) == 0 && !again.count)
		mark_repaired(audit, first);
}

void agent_inside_audit_gateway(
	struct agent *a, struct replica_net *net, struct agent_inside_audit *audit)
{
	const struct agent_gateway *gw = net->agent ? &net->agent->gateway : NULL;
	uint32_t mtu = reconcile_gateway_mtu(net);
	struct agent_inside_audit nothing = {};
	size_t first = json_array_size(audit->list);
	struct sandbox *sb = a->opts.sandbox;
	char object[80];
	struct inside in = {audit, "host", object}, again = {&nothing, "", ""};
	struct err err = {0};
	struct mac mac;

	// One that is not ready is a problem, which is told as such.
	if (!gw || !gw->ready || !network_gateway_mac(&net->rec, &mac))
		return;
	snprintf(object, sizeof(object), "interface %s", gw->ifname);
	if (sb->ops->look_gateway(sb, gw->ifname, &net->rec, mtu, add, &in, &err) < 0)
		add_reason(&in, &err);
	if (!in.count || !audit->repair)
		return;
	sb->ops->set_link(sb, NULL, gw->ifname, &mac, mtu, NULL);
	agent_gateway_configure(a, net);
	if (sb->ops->look_gateway(sb, gw->ifname, &net->rec, mtu, add, &again, NULL) == 0 &&
		!again.count)
		mark_repaired(audit, first);
}
