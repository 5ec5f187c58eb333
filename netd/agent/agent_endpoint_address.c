// SPDX-License-Identifier: BSD-3-Clause
// Addresses of this host's endpoints that another host's endpoint has won.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "netd/agent/agent_priv.h"

// The store has it so, or may have.
static bool has_taken_over(const struct local_endpoint *le)
{
	return le->agent->takes_over && (le->stored || le->agent->acked || le->agent->write.busy);
}

struct replica_endpoint *agent_endpoint_winner(
	struct agent *a, const struct local_endpoint *le, struct ip_addr *ret_ip)
{
	for (unsigned i = 0; i < le->rec.nb_ips; i++) {
		struct replica_endpoint *ep =
			replica_by_ip(&a->replica, le->net->id, &le->rec.ips[i].ip);
		// Nobody was told yet that it has the address: who has it keeps it, unless it was
		// silent and was taken over.
		bool is_first =
			endpoint_is_untold(le) && ep && ep->host->present && !has_taken_over(le);

		if (ep && ep->seen && strcmp(ep->rec.id, le->rec.id) != 0 &&
			strcmp(ep->rec.host, a->conf->host) != 0 &&
			(is_first || endpoint_record_compare(&ep->rec, &le->rec) > 0)) {
			*ret_ip = le->rec.ips[i].ip;
			return ep;
		}
	}
	return NULL;
}

void agent_endpoint_lost_address(struct agent *a, struct local_endpoint *le,
	enum endpoint_event lost, const struct ip_addr *ip, const struct replica_endpoint *ep)
{
	bool is_waited_for = endpoint_is_untold(le) || le->state == ENDPOINT_JOINING;
	struct err err = {0};
	char text[IP_TEXT_BYTES];

	err_set(&err, -EADDRINUSE, le->rec.name, "%s is %s%s on host %s", ip_format(ip, text),
		ep->rec.name[0] ? ep->rec.name : "held", ep->rec.name[0] ? "'s" : "", ep->rec.host);
	if (is_waited_for) {
		agent_endpoint_fails(a, le, lost, &err);
		return;
	}
	snprintf(le->reason, sizeof(le->reason), "%.255s", err.reason);
	endpoint_happens(a, le, lost);
}

// A write of the old record that is under way finds nobody when it ends.
static void rename_record(struct agent *a, struct local_endpoint *le)
{
	agent_endpoint_forget(a, le);
	HASH_DEL(a->endpoints, le);
	agent_make_id(a, le->rec.id);
	HASH_ADD_STR(a->endpoints, rec.id, le);
	le->agent->acked = false;
	le->agent->write = (struct retry){0};
}

// What it has lost may become free before anything else does.
void agent_endpoint_hold_ips(struct agent *a, struct local_endpoint *le)
{
	bool waits = le->state == ENDPOINT_MOVED || le->state == ENDPOINT_UNADDRESSED;

	if (waits == le->agent->let_go)
		return;
	if (waits)
		agent_release_ips(a, le->net, &le->rec);
	else
		agent_use_ips(le->net, &le->rec);
	le->agent->let_go = waits;
}

void agent_endpoint_readdress(struct agent *a, struct local_endpoint *le)
{
	struct cidr ips[RECORD_IPS_MAX];
	uint64_t epoch = 0;
	struct err err = {0};

	for (unsigned i = 0; i < le->rec.nb_ips; i++) {
		uint64_t e;

		if (agent_take_ip(a, le->net, le->rec.ips[i].ip.family, &ips[i], &e, &err) < 0)
			return; // again at the next look
		epoch = MAX_OF(epoch, e);
	}
	rename_record(a, le);
	memcpy(le->rec.ips, ips, le->rec.nb_ips * sizeof(*ips));
	le->rec.mac = ipam_mac(&ips[0].ip);
	le->rec.epoch = epoch;
	le->rec.seq = agent_next_seq(a);
	agent_endpoint_save(a, le);
	endpoint_happens(a, le, EVENT_READDRESSED);
	agent_endpoint_hold_ips(a, le);
}

// An endpoint in the replica changed: one of ours, or one that has an address of ours.
void agent_endpoint_remote_changed(struct agent *a, struct replica_endpoint *ep, bool gone)
{
	struct local_endpoint *le;

	ep->dropping = false;
	if (!strcmp(ep->rec.host, a->conf->host))
		a->dirty = true;
	LIST_FOREACH (le, &ep->net->local_endpoints, of_net) {
		for (unsigned i = 0; i < le->rec.nb_ips * ep->rec.nb_ips; i++) {
			if (!ip_equal(&le->rec.ips[i / ep->rec.nb_ips].ip,
				    &ep->rec.ips[i % ep->rec.nb_ips].ip))
				continue;
			le->agent->acked = false;
			a->dirty = true;
		}
	}
}
