// SPDX-License-Identifier: BSD-3-Clause
// What agents and switches should have when all is healed and quiet.
#include <stdio.h>
#include <string.h>

#include "tests/sim/truth.h"

// ---- replicas ----

void check_replica(struct truth *t, struct host *h)
{
	struct replica *r = &h->agent->replica;
	const struct store_data *d = sim_store_data(t->w->store);
	unsigned blocks = 0, nets = 0;

	for (const struct store_key *key = d->keys; key; key = key->hh.next) {
		struct record_key parts;
		struct replica_endpoint *ep;

		if (!key->value)
			continue;
		record_key_parse(key->key, &parts);
		blocks += parts.kind == RECORD_BLOCK;
		nets += parts.kind == RECORD_NETWORK;
		if ((parts.kind == RECORD_BLOCK || parts.kind == RECORD_ENDPOINT ||
			    parts.kind == RECORD_NETWORK) &&
			!replica_has_key(r, key->key))
			wrong(t, "%s: the agent does not know %s", h->conf.host, key->key);
		ep = parts.kind == RECORD_ENDPOINT ? replica_endpoint(r, key->key) : NULL;
		if (ep && ep->revision != key->revision)
			wrong(t, "%s: the agent knows %s as of %u, not %u", h->conf.host, key->key,
				(unsigned)ep->revision, (unsigned)key->revision);
	}
	if (HASH_COUNT(r->endpoints) != t->nb_eps || HASH_COUNT(r->blocks) != blocks ||
		HASH_CNT(hh_name, r->nets_by_name) != nets)
		wrong(t,
			"%s: the agent knows %u endpoints, %u blocks, %u networks; the store has "
			"%u, %u, %u",
			h->conf.host, HASH_COUNT(r->endpoints), HASH_COUNT(r->blocks),
			HASH_CNT(hh_name, r->nets_by_name), t->nb_eps, blocks, nets);
	for (struct replica_host *rh = r->hosts; rh; rh = rh->hh.next) {
		struct host *other = truth_host(t, rh->rec.name);

		if (rh->present != (other && !other->dead))
			wrong(t, "%s: to the agent, %s is %s", h->conf.host, rh->rec.name,
				rh->present ? "there" : "silent");
	}
}

// ---- switches ----

static bool is_local(const struct host *h, const struct truth_ep *ep)
{
	return !strcmp(ep->rec.host, h->conf.host);
}

// With a namespace: the others have no port.
static unsigned count_joined(struct truth *t, const struct host *h, const char *net_id)
{
	unsigned count = 0;

	for (unsigned i = 0; i < t->nb_eps; i++)
		count += !strcmp(t->eps[i].net_id, net_id) && is_local(h, &t->eps[i]) &&
			 t->eps[i].rec.sandbox[0];
	return count;
}

static bool has_any(struct truth *t, const struct host *h, const char *net_id)
{
	for (unsigned i = 0; i < t->nb_eps; i++) {
		if (!strcmp(t->eps[i].net_id, net_id) && is_local(h, &t->eps[i]))
			return true;
	}
	return false;
}

static unsigned count_gateways(const struct network_record *net)
{
	unsigned count = 0;

	for (unsigned i = 0; i < net->nb_subnets; i++)
		count += net->subnets[i].gateway.family != 0;
	return count;
}

static void check_gateway(struct truth *t, const struct host *h, const struct network_record *net,
	const struct fake_bridge *bridge)
{
	const struct mac *mac = NULL;
	struct fake_port *port;
	struct fake_fdb *fdb;
	char name[32];

	snprintf(name, sizeof(name), RECONCILE_PREFIX "gw.%.12s", net->id);
	HASH_FIND_STR(bridge->ports, name, port);
	if (!port || !port->up || !port->has_addresses) {
		wrong(t, "%s: the gateway %s of %s %s", h->conf.host, name, net->name,
			!port	    ? "is not there"
			: !port->up ? "is down"
				    : "has no addresses");
		return;
	}
	for (unsigned i = 0; i < net->nb_subnets; i++) {
		if (!net->subnets[i].gateway.family)
			continue;
		mac = fake_bridge_neigh(bridge, &net->subnets[i].gateway);
		if (!mac)
			wrong(t, "%s: %s has no neighbour of its gateway", h->conf.host,
				bridge->name);
	}
	if (!mac)
		return;
	HASH_FIND(hh, bridge->fdb, mac, sizeof(*mac), fdb);
	if (!fdb || strcmp(fdb->port, name) != 0)
		wrong(t, "%s: %s has no entry of its gateway", h->conf.host, bridge->name);
}

static void check_ports(struct truth *t, const struct host *h, const struct network_record *net,
	const struct fake_bridge *bridge)
{
	unsigned count = count_joined(t, h, net->id) + 1 + (count_gateways(net) != 0);
	char name[64];

	if (count_gateways(net))
		check_gateway(t, h, net, bridge);
	if (HASH_COUNT(bridge->ports) != count)
		wrong(t, "%s: bridge %s has %u ports, should have %u", h->conf.host, bridge->name,
			HASH_COUNT(bridge->ports), count);
	for (unsigned i = 0; i < t->nb_eps; i++) {
		const struct truth_ep *ep = &t->eps[i];
		struct fake_port *port;

		if (strcmp(ep->net_id, net->id) || !is_local(h, ep) || !ep->rec.sandbox[0])
			continue;
		snprintf(name, sizeof(name), RECONCILE_PREFIX "%.12s", ep->rec.id);
		HASH_FIND_STR(bridge->ports, name, port);
		if (!port || !port->up || !port->has_addresses)
			wrong(t, "%s: the port %s of %s in %s %s", h->conf.host, name, ep->rec.name,
				net->name,
				!port	    ? "is not there"
				: !port->up ? "is down"
					    : "has no addresses");
	}
	snprintf(name, sizeof(name), RECONCILE_PREFIX "vx.%u", net->vni);
	if (!fake_switch_port(h->sw, name))
		wrong(t, "%s: there is no port %s", h->conf.host, name);
}

static void check_neigh(struct truth *t, const struct host *h, const struct truth_ep *ep,
	const struct fake_bridge *bridge)
{
	char text[IP_TEXT_BYTES];

	for (unsigned i = 0; i < ep->rec.nb_ips; i++) {
		const struct mac *mac = fake_bridge_neigh(bridge, &ep->rec.ips[i].ip);

		if (!mac || memcmp(mac, &ep->rec.mac, sizeof(*mac)) != 0)
			wrong(t, "%s: %s has %s neighbour %s (%s on %s)", h->conf.host,
				bridge->name, mac ? "a wrong" : "no",
				ip_format(&ep->rec.ips[i].ip, text), ep->rec.name, ep->rec.host);
	}
}

static void check_remote(struct truth *t, const struct host *h, const struct truth_ep *ep,
	const struct fake_bridge *bridge)
{
	struct host *other = truth_host(t, ep->rec.host);
	const struct ip_addr *vtep = fake_bridge_fdb(bridge, &ep->rec.mac);

	if (!other)
		return;
	if (!vtep || !ip_equal(vtep, &other->vtep))
		wrong(t, "%s: %s has %s entry for %s on %s", h->conf.host, bridge->name,
			vtep ? "a wrong" : "no", ep->rec.name, ep->rec.host);
	if (!fake_bridge_floods(bridge, &other->vtep))
		wrong(t, "%s: %s does not flood to %s", h->conf.host, bridge->name, ep->rec.host);
}

static void check_bridge(struct truth *t, const struct host *h, const struct network_record *net)
{
	char name[NAME_BYTES + 8];
	unsigned ips = count_gateways(net), remote = ips != 0, floods = 0;
	struct fake_bridge *bridge;

	snprintf(name, sizeof(name), RECONCILE_PREFIX "%s", net->name);
	bridge = fake_switch_bridge(h->sw, name);
	if (!bridge) {
		wrong(t, "%s: there is no bridge %s", h->conf.host, name);
		return;
	}
	check_ports(t, h, net, bridge);
	for (unsigned i = 0; i < t->nb_eps; i++) {
		const struct truth_ep *ep = &t->eps[i];

		if (strcmp(ep->net_id, net->id) || (is_local(h, ep) && !ep->rec.sandbox[0]))
			continue;
		ips += ep->rec.nb_ips;
		check_neigh(t, h, ep, bridge);
		if (is_local(h, ep))
			continue;
		remote++;
		check_remote(t, h, ep, bridge);
	}
	for (unsigned i = 0; i < t->w->nb_hosts; i++)
		floods += &t->w->hosts[i] != h && has_any(t, &t->w->hosts[i], net->id);
	if (HASH_COUNT(bridge->fdb) != remote || HASH_COUNT(bridge->neigh) != ips ||
		HASH_COUNT(bridge->floods) != floods)
		wrong(t, "%s: %s has %u entries, %u neighbours, floods to %u; should be %u, %u, %u",
			h->conf.host, name, HASH_COUNT(bridge->fdb), HASH_COUNT(bridge->neigh),
			HASH_COUNT(bridge->floods), remote, ips, floods);
}

// An endpoint that is off leaves its network in the switch, or takes it away: both are right.
static bool has_off(const struct host *h, const char *bridge)
{
	for (struct local_endpoint *le = h->agent->endpoints; le; le = le->hh.next) {
		if (le->state == ENDPOINT_CONFLICT &&
			!strcmp(le->net->rec.name, bridge + strlen(RECONCILE_PREFIX)))
			return true;
	}
	return false;
}

static bool has_containers(const struct fake_bridge *bridge)
{
	const struct fake_port *port;

	for (port = bridge->ports; port; port = port->hh.next) {
		if (json_object_get(port->options, "netns"))
			return true;
	}
	return false;
}

void check_switch(struct truth *t, const struct host *h)
{
	unsigned bridges = 0, found = 0;

	for (unsigned i = 0; i < t->nb_nets; i++) {
		if (!count_joined(t, h, t->nets[i].id))
			continue;
		bridges++;
		check_bridge(t, h, &t->nets[i]);
	}
	for (struct fake_bridge *b = fake_switch_bridges(h->sw); b; b = b->hh.next) {
		if (!has_off(h, b->name) || has_containers(b))
			found++;
	}
	if (found != bridges)
		wrong(t, "%s: the switch has %u bridges, should have %u", h->conf.host, found,
			bridges);
}
