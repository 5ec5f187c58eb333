// SPDX-License-Identifier: BSD-3-Clause
#include "tests/unit/reconcile_bed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

// ---- what the agent does ----

void bed_on_port(void *arg, struct local_endpoint *base, int rc, const struct err *err)
{
	struct own *own = (struct own *)base;

	assert_false(own->gone);
	own->told = true;
	own->failed |= rc < 0;
	own->rc = rc;
	snprintf(own->reason, sizeof(own->reason), "%.199s", err ? err->reason : "");
}

void bed_on_port_gone(void *arg, struct local_endpoint *base)
{
	((struct own *)base)->gone = true;
}

void bed_on_port_down(void *arg, struct local_endpoint *base, const char *reason)
{
	((struct own *)base)->nb_down++;
}

void bed_on_state(void *arg, bool up)
{
	((struct bed *)arg)->up = up;
}

char *bed_gateway(struct bed *bed, const char *id)
{
	for (unsigned i = 0; i < NETS; i++) {
		if (!strcmp(bed->gateway[i], id))
			return bed->gateway[i];
	}
	return NULL;
}

void bed_on_gateway(void *arg, struct replica_net *net, const char *ifname, bool up)
{
	struct bed *bed = arg;
	char *slot = bed_gateway(bed, net->id);

	assert_int_equal(strncmp(ifname, "cw-", 3), 0);
	assert_int_equal(strncmp(ifname + 3, net->id, 12), 0);
	if (!up)
		assert_non_null(slot);
	if (!slot)
		slot = bed_gateway(bed, "");
	snprintf(slot, ID_BYTES, "%s", up ? net->id : "");
	bed->nb_gateway_calls++;
}

static void on_host(void *arg, struct replica_host *host, const struct host_record *old)
{
	struct bed *bed = arg;

	if (strcmp(host->rec.name, SELF) != 0 && host->known)
		reconcile_host(bed->rec, host, old ? &old->vtep : &(struct ip_addr){0});
}

static void on_net(void *arg, struct replica_net *net, bool gone)
{
	struct bed *bed = arg;

	if (gone)
		reconcile_net_gone(bed->rec, net);
	else
		reconcile_net(bed->rec, net);
}

static void on_endpoint(
	void *arg, struct replica_endpoint *ep, const struct endpoint_record *old, bool gone)
{
	reconcile_remote(((struct bed *)arg)->rec, ep, old, gone);
}

void bed_start_rec(struct bed *bed)
{
	struct reconcile_opts opts = {.sw = fake_switch_conn(bed->sw),
		.replica = &bed->replica,
		.self = SELF,
		.on_port = bed_on_port,
		.on_port_gone = bed_on_port_gone,
		.on_port_down = bed_on_port_down,
		.on_state = bed_on_state,
		.on_gateway = bed_on_gateway,
		.arg = bed};

	memset(bed->gateway, 0, sizeof(bed->gateway));
	assert_int_equal(reconcile_new(&opts, &bed->rec, NULL), 0);
	reconcile_set_tunnel(bed->rec,
		&(struct reconcile_tunnel){
			.address = record_ip("10.1.0.1"), .udp_port = 4789, .heartbeat_ms = 1000});
}

int bed_set_up(void **state)
{
	static const struct fake_switch_opts opts = {
		.seed = 1, .delay_min_us = 50, .delay_max_us = 900};
	struct replica_observer observer = {
		.host = on_host, .net = on_net, .endpoint = on_endpoint};
	struct bed *bed = calloc(1, sizeof(*bed));

	observer.arg = bed;
	bed->now_us = SECOND;
	assert_int_equal(replica_init(&bed->replica, &observer), 0);
	bed->sw = fake_switch_new(&opts);
	bed_start_rec(bed);
	reconcile_ready(bed->rec);
	fake_switch_start(bed->sw, bed->now_us);
	*state = bed;
	return 0;
}

int bed_tear_down(void **state)
{
	struct bed *bed = *state;

	reconcile_free(bed->rec);
	fake_switch_free(bed->sw);
	bed->replica.observer = (struct replica_observer){0};
	replica_fini(&bed->replica);
	for (unsigned i = 0; i < OWN_MAX; i++)
		json_decref(bed->own[i].base.rec.options);
	json_decref(bed->audit);
	free(bed);
	return 0;
}

// ---- endpoints ----

void bed_add(struct bed *bed, unsigned net, unsigned n, unsigned host)
{
	struct endpoint_record rec = record_endpoint_of(n, host, 0, n);

	record_endpoint(&bed->replica, net, &rec);
}

struct own *bed_connect(struct bed *bed, unsigned slot, unsigned net, unsigned n)
{
	struct own *own = &bed->own[slot];

	*own = (struct own){.used = true};
	own->base.rec = record_endpoint_of(n, 0, 0, n);
	own->base.net = record_net_find(&bed->replica, net);
	assert_non_null(own->base.net);
	LIST_INSERT_HEAD(&own->base.net->local_endpoints, &own->base, of_net);
	own->base.net->nb_local++;
	reconcile_endpoint_add(bed->rec, &own->base);
	return own;
}

void bed_let_go(struct own *own)
{
	LIST_REMOVE(&own->base, of_net);
	own->base.net->nb_local--;
	json_decref(own->base.rec.options);
	own->base.rec.options = NULL;
	own->used = false;
}

// ---- time ----

void bed_run(struct bed *bed, uint64_t us)
{
	uint64_t end_us = bed->now_us + us;

	reconcile_run(bed->rec, bed->now_us);
	while (bed->now_us < end_us) {
		uint64_t next_us = fake_switch_next_us(bed->sw);

		bed->now_us = MIN_OF(MIN_OF(next_us, bed->now_us + 250000), end_us);
		fake_switch_pump(bed->sw, bed->now_us);
		reconcile_run(bed->rec, bed->now_us);
	}
}

void bed_settle(struct bed *bed)
{
	for (unsigned i = 0; i < 400; i++) {
		if (reconcile_is_settled(bed->rec))
			return;
		bed_run(bed, 100000);
	}
	fail_msg("does not settle: %s",
		json_dumps(reconcile_problems(bed->rec), JSON_COMPACT | JSON_ENCODE_ANY));
}

// ---- what must be so ----

struct counts {
	unsigned fdb, neigh, floods;
};

const struct own *bed_own_of(struct bed *bed, const struct replica_net *net,
	const struct ip_addr *ip, const struct mac *mac)
{
	for (unsigned i = 0; i < OWN_MAX; i++) {
		const struct own *own = &bed->own[i];

		if (!own->used || own->base.net != net)
			continue;
		for (unsigned k = 0; k < own->base.rec.nb_ips && ip; k++) {
			if (ip_equal(&own->base.rec.ips[k].ip, ip))
				return own;
		}
		if (mac && !memcmp(&own->base.rec.mac, mac, sizeof(*mac)))
			return own;
	}
	return NULL;
}

bool bed_wins(struct bed *bed, const struct replica_net *net, const struct replica_endpoint *ep)
{
	for (unsigned i = 0; i < ep->rec.nb_ips; i++) {
		const struct ip_addr *ip = &ep->rec.ips[i].ip;

		if (replica_by_ip(&bed->replica, net->id, ip) != ep)
			return false;
	}
	return true;
}

bool bed_is_placed(const struct replica_endpoint *ep)
{
	struct ip_addr own = record_ip("10.1.0.1");

	return strcmp(ep->rec.host, SELF) != 0 && ep->host->known && ep->host->rec.vtep.family &&
	       !ip_equal(&ep->host->rec.vtep, &own);
}

static void check_remote(struct bed *bed, const struct replica_net *net,
	const struct fake_bridge *bridge, const struct replica_endpoint *ep, struct counts *counts)
{
	const struct ip_addr *tunnel = fake_bridge_fdb(bridge, &ep->rec.mac);

	if (bed_is_placed(ep))
		assert_true(fake_bridge_floods(bridge, &ep->host->rec.vtep));
	if (!bed_is_placed(ep) || !bed_wins(bed, net, ep) ||
		bed_own_of(bed, net, NULL, &ep->rec.mac))
		return;
	assert_non_null(tunnel);
	assert_true(ip_equal(tunnel, &ep->host->rec.vtep));
	counts->fdb++;
	for (unsigned i = 0; i < ep->rec.nb_ips; i++) {
		const struct mac *mac = fake_bridge_neigh(bridge, &ep->rec.ips[i].ip);

		assert_non_null(mac);
		assert_memory_equal(mac, &ep->rec.mac, sizeof(*mac));
		counts->neigh++;
	}
}

bool bed_is_gateway(const struct replica_net *net, const struct ip_addr *ip)
{
	for (unsigned i = 0; i < net->rec.nb_subnets; i++) {
		if (ip_equal(&net->rec.subnets[i].gateway, ip))
			return true;
	}
	return false;
}

unsigned bed_flood_count(const struct bed *bed, const struct replica_net *net)
{
	const struct replica_host *host;
	const struct replica_endpoint *ep;
	unsigned count = 0;

	for (host = bed->replica.hosts; host; host = host->hh.next) {
		LIST_FOREACH (ep, &host->endpoints, of_host) {
			if (ep->net == net && bed_is_placed(ep)) {
				count++;
				break;
			}
		}
	}
	return count;
}

static void check_gateway(struct bed *bed, const struct replica_net *net,
	const struct fake_bridge *bridge, struct counts *counts)
{
	const struct ip_addr *ip = &net->rec.subnets[0].gateway;
	struct mac mac = {{0x02, 0x42, ip->byte[0], ip->byte[1], ip->byte[2], ip->byte[3]}};
	struct fake_port *port;
	struct fake_fdb *fdb;
	char name[32];

	snprintf(name, sizeof(name), "cw.gw.%.12s", net->id);
	HASH_FIND_STR(bridge->ports, name, port);
	assert_non_null(port);
	HASH_FIND(hh, bridge->fdb, &mac, sizeof(mac), fdb);
	assert_non_null(fdb);
	assert_string_equal(fdb->port, name);
	counts->fdb++;
	for (unsigned i = 0; i < net->rec.nb_subnets; i++) {
		ip = &net->rec.subnets[i].gateway;
		if (!ip->family)
			continue;
		assert_memory_equal(fake_bridge_neigh(bridge, ip), &mac, sizeof(mac));
		counts->neigh++;
	}
	assert_non_null(bed_gateway(bed, net->id));
}

static void check_net(struct bed *bed, struct replica_net *net)
{
	struct fake_bridge *bridge = fake_switch_bridge_of_vni(bed->sw, net->rec.vni);
	struct counts counts = {};
	const struct replica_endpoint *ep;
	unsigned nb_own = 0;

	for (unsigned i = 0; i < OWN_MAX; i++) {
		struct own *own = &bed->own[i];
		char name[64];

		if (!own->used || own->base.net != net)
			continue;
		nb_own++;
		snprintf(name, sizeof(name), "cw.%.12s", own->base.rec.id);
		assert_non_null(fake_switch_port(bed->sw, name));
		assert_true(own->told);
		assert_int_equal(own->rc, 0);
		counts.neigh += own->base.rec.nb_ips;
		assert_non_null(fake_bridge_neigh(bridge, &own->base.rec.ips[0].ip));
	}
	if (!nb_own) {
		assert_null(bridge);
		assert_null(bed_gateway(bed, net->id));
		return;
	}
	assert_non_null(bridge);
	assert_int_equal(HASH_COUNT(bridge->ports), nb_own + 2);
	check_gateway(bed, net, bridge, &counts);
	LIST_FOREACH (ep, &net->endpoints, of_net)
		check_remote(bed, net, bridge, ep, &counts);
	assert_int_equal(HASH_COUNT(bridge->fdb), counts.fdb);
	assert_int_equal(HASH_COUNT(bridge->neigh), counts.neigh);
	assert_int_equal(HASH_COUNT(bridge->floods), bed_flood_count(bed, net));
}

void bed_check(struct bed *bed)
{
	struct replica_net *net;

	for (net = bed->replica.nets; net; net = net->hh.next) {
		if (net->known)
			check_net(bed, net);
	}
}

void bed_settled(struct bed *bed)
{
	bed_settle(bed);
	bed_check(bed);
}

void bed_usual(struct bed *bed)
{
	struct ip_addr vtep;

	for (unsigned i = 0; i <= 3; i++) {
		vtep = record_ip("10.1.0.%u", i + 1);
		record_host(&bed->replica, i, &vtep);
	}
	record_net(&bed->replica, 0, NULL);
	for (unsigned i = 1; i <= 3; i++)
		bed_add(bed, 0, 100 + i, i);
	bed_connect(bed, 0, 0, 1);
	bed_settled(bed);
}

static void on_audit(void *arg, int rc, const json_t *differences, const struct err *err)
{
	struct bed *bed = arg;

	json_decref(bed->audit);
	bed->audit = differences ? json_deep_copy(differences) : json_null();
	bed->audit_rc = rc;
}

void bed_audit(struct bed *bed, bool repair)
{
	json_decref(bed->audit);
	bed->audit = NULL;
	reconcile_audit(bed->rec, repair, on_audit, bed);
	for (unsigned i = 0; i < 400 && !bed->audit; i++)
		bed_run(bed, 100000);
	assert_non_null(bed->audit);
	assert_int_equal(bed->audit_rc, 0);
}
