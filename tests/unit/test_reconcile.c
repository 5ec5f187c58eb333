// SPDX-License-Identifier: BSD-3-Clause
// The reconciler between a replica and a switch in memory. What the switch has is compared with
// what a plain look at the replica says.
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/util.h"
#include "netd/reconcile.h"
#include "tests/sim/fake_switch.h"
#include "tests/sim/random.h"
#include "tests/sim/records.h"

#define SELF	"h0"
#define NETS	3
#define HOSTS	5
#define OWN_MAX 8
#define SECOND	UINT64_C(1000000)

struct own {
	struct own_endpoint base;
	bool used, told, gone;
	int rc;
	unsigned nb_down;
	char reason[200];
};

struct bed {
	struct replica replica;
	struct reconcile *rec;
	struct fake_switch *sw;
	struct sim_random random;
	uint64_t now_us;
	struct own own[OWN_MAX];
	bool up;
	json_t *audit;
	int audit_rc;
};

// ---- what the agent does ----

static void on_port(void *arg, struct own_endpoint *base, int rc, const struct err *err)
{
	struct own *own = (struct own *)base;

	assert_false(own->gone);
	own->told = true;
	own->rc = rc;
	snprintf(own->reason, sizeof(own->reason), "%.199s", err ? err->reason : "");
}

static void on_port_gone(void *arg, struct own_endpoint *base)
{
	((struct own *)base)->gone = true;
}

static void on_port_down(void *arg, struct own_endpoint *base, const char *reason)
{
	((struct own *)base)->nb_down++;
}

static void on_state(void *arg, bool up)
{
	((struct bed *)arg)->up = up;
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

static void start_rec(struct bed *bed)
{
	struct reconcile_opts opts = {.sw = fake_switch_conn(bed->sw),
		.replica = &bed->replica,
		.self = SELF,
		.on_port = on_port,
		.on_port_gone = on_port_gone,
		.on_port_down = on_port_down,
		.on_state = on_state,
		.arg = bed};

	assert_int_equal(reconcile_new(&opts, &bed->rec, NULL), 0);
	reconcile_set_tunnel(bed->rec,
		&(struct reconcile_tunnel){
			.address = record_ip("10.1.0.1"), .udp_port = 4789, .heartbeat_ms = 1000});
}

static int set_up(void **state)
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
	start_rec(bed);
	reconcile_ready(bed->rec);
	fake_switch_start(bed->sw, bed->now_us);
	*state = bed;
	return 0;
}

static int tear_down(void **state)
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

// ---- records ----

static void set_host(struct bed *bed, unsigned host, const struct ip_addr *vtep)
{
	record_host(&bed->replica, host, vtep);
}

static void set_endpoint(struct bed *bed, unsigned net, const struct endpoint_record *rec)
{
	record_endpoint(&bed->replica, net, rec);
}

static void del_endpoint(struct bed *bed, unsigned net, unsigned n)
{
	record_endpoint_gone(&bed->replica, net, n);
}

static void add(struct bed *bed, unsigned net, unsigned n, unsigned host)
{
	struct endpoint_record rec = record_endpoint_of(n, host, 0, n);

	set_endpoint(bed, net, &rec);
}

static struct own *connect_own(struct bed *bed, unsigned slot, unsigned net, unsigned n)
{
	struct own *own = &bed->own[slot];

	*own = (struct own){.used = true};
	own->base.rec = record_endpoint_of(n, 0, 0, n);
	own->base.net = record_net_find(&bed->replica, net);
	assert_non_null(own->base.net);
	LIST_INSERT_HEAD(&own->base.net->own, &own->base, of_net);
	own->base.net->nb_own++;
	reconcile_own_add(bed->rec, &own->base);
	return own;
}

static void own_let_go(struct own *own)
{
	LIST_REMOVE(&own->base, of_net);
	own->base.net->nb_own--;
	json_decref(own->base.rec.options);
	own->base.rec.options = NULL;
	own->used = false;
}

// ---- time ----

static void run_for(struct bed *bed, uint64_t us)
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

static void settle(struct bed *bed)
{
	for (unsigned i = 0; i < 400; i++) {
		if (reconcile_is_settled(bed->rec))
			return;
		run_for(bed, 100000);
	}
	fail_msg("does not settle: %s",
		json_dumps(reconcile_problems(bed->rec), JSON_COMPACT | JSON_ENCODE_ANY));
}

// ---- what must be so ----

struct counts {
	unsigned fdb, neigh, floods;
};

static const struct own *own_of(struct bed *bed, const struct replica_net *net,
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

static bool wins(struct bed *bed, const struct replica_net *net, const struct replica_endpoint *ep)
{
	for (unsigned i = 0; i < ep->rec.nb_ips; i++) {
		const struct ip_addr *ip = &ep->rec.ips[i].ip;

		if (replica_by_ip(&bed->replica, net->id, ip) != ep)
			return false;
	}
	return true;
}

static bool is_placed(const struct replica_endpoint *ep)
{
	struct ip_addr own = record_ip("10.1.0.1");

	return strcmp(ep->rec.host, SELF) != 0 && ep->host->known && ep->host->rec.vtep.family &&
	       !ip_equal(&ep->host->rec.vtep, &own);
}

static void check_remote(struct bed *bed, const struct replica_net *net,
	const struct fake_bridge *bridge, const struct replica_endpoint *ep, struct counts *counts)
{
	const struct ip_addr *tunnel = fake_bridge_fdb(bridge, &ep->rec.mac);

	if (is_placed(ep))
		assert_true(fake_bridge_floods(bridge, &ep->host->rec.vtep));
	if (!is_placed(ep) || !wins(bed, net, ep) || own_of(bed, net, NULL, &ep->rec.mac))
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

static unsigned flood_count(const struct bed *bed, const struct replica_net *net)
{
	const struct replica_host *host;
	const struct replica_endpoint *ep;
	unsigned count = 0;

	for (host = bed->replica.hosts; host; host = host->hh.next) {
		LIST_FOREACH (ep, &host->endpoints, of_host) {
			if (ep->net == net && is_placed(ep)) {
				count++;
				break;
			}
		}
	}
	return count;
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
		return;
	}
	assert_non_null(bridge);
	assert_int_equal(HASH_COUNT(bridge->ports), nb_own + 1);
	LIST_FOREACH (ep, &net->endpoints, of_net)
		check_remote(bed, net, bridge, ep, &counts);
	assert_int_equal(HASH_COUNT(bridge->fdb), counts.fdb);
	assert_int_equal(HASH_COUNT(bridge->neigh), counts.neigh);
	assert_int_equal(HASH_COUNT(bridge->floods), flood_count(bed, net));
}

static void check(struct bed *bed)
{
	struct replica_net *net;

	for (net = bed->replica.nets; net; net = net->hh.next) {
		if (net->known)
			check_net(bed, net);
	}
}

static void settled(struct bed *bed)
{
	settle(bed);
	check(bed);
}

// Hosts 1 to 3 at 10.1.0.2 to .4, a network with an endpoint on each and one of this host.
static void usual(struct bed *bed)
{
	struct ip_addr vtep;

	for (unsigned i = 0; i <= 3; i++) {
		vtep = record_ip("10.1.0.%u", i + 1);
		set_host(bed, i, &vtep);
	}
	record_net(&bed->replica, 0, NULL);
	for (unsigned i = 1; i <= 3; i++)
		add(bed, 0, 100 + i, i);
	connect_own(bed, 0, 0, 1);
	settled(bed);
}

// ---- tests ----

static void test_adds(void **state)
{
	struct bed *bed = *state;

	usual(bed);
	assert_non_null(fake_switch_bridge(bed->sw, "cw.net0"));
	fake_switch_calls(bed->sw, NULL);
	add(bed, 0, 200, 1);
	settled(bed);
	// A change of one endpoint is a forwarding entry and a neighbour.
	assert_int_equal(fake_switch_calls(bed->sw, "fdb.add"), 1);
	assert_int_equal(fake_switch_calls(bed->sw, "neigh.add"), 1);
	assert_int_equal(fake_switch_calls(bed->sw, NULL), 0);
	del_endpoint(bed, 0, 200);
	settled(bed);
	assert_int_equal(fake_switch_calls(bed->sw, NULL), 2);
	del_endpoint(bed, 0, 101);
	settled(bed);
	add(bed, 0, 101, 2);
	settled(bed);
}

static void test_connect(void **state)
{
	struct bed *bed = *state;
	struct own *own;

	usual(bed);
	own = connect_own(bed, 1, 0, 2);
	settled(bed);
	reconcile_own_del(bed->rec, &own->base);
	settle(bed);
	assert_true(own->gone);
	own_let_go(own);
	settled(bed);
	own = &bed->own[0];
	reconcile_own_del(bed->rec, &own->base);
	settle(bed);
	assert_true(own->gone);
	own_let_go(own);
	settled(bed); // the bridge has gone with the last one
	assert_null(fake_switch_bridges(bed->sw));
	connect_own(bed, 0, 0, 1);
	settled(bed);
}

static void test_port_options(void **state)
{
	struct bed *bed = *state;
	struct fake_port *port;
	struct own *own;

	usual(bed);
	own = connect_own(bed, 1, 0, 2);
	own->base.rec.options = json_pack("{s:s}", "port", "veth");
	reconcile_own_add(bed->rec, &own->base);
	settled(bed);
	port = fake_switch_port(bed->sw, "cw.000000020000");
	assert_string_equal(port->type, "veth");
	assert_string_equal(json_string_value(json_object_get(port->options, "netns")), "c2");
	record_net(&bed->replica, 0, "1400");
	own->base.rec.mac.byte[1] = 7;
	reconcile_own_add(bed->rec, &own->base);
	fake_switch_calls(bed->sw, NULL);
	settled(bed);
	assert_int_equal(fake_switch_calls(bed->sw, "port.set"), 2); // both have another MTU
	assert_int_equal(fake_switch_calls(bed->sw, "port.del"), 0);
	port = fake_switch_port(bed->sw, "cw.000000020000");
	assert_int_equal(json_integer_value(json_object_get(port->options, "mtu")), 1400);
	snprintf(own->base.rec.ifname, sizeof(own->base.rec.ifname), "eth7");
	reconcile_own_add(bed->rec, &own->base);
	settled(bed);
	port = fake_switch_port(bed->sw, "cw.000000020000");
	assert_string_equal(json_string_value(json_object_get(port->options, "ifname")), "eth7");
}

// An address goes from one host to another; whatever comes first.
static void test_moves(void **state)
{
	struct bed *bed = *state;
	struct endpoint_record rec;

	usual(bed);
	rec = record_endpoint_of(101, 2, 0, 101); // the same record, elsewhere
	set_endpoint(bed, 0, &rec);
	settled(bed);
	rec = record_endpoint_of(101, 3, 0, 555); // and with another MAC
	set_endpoint(bed, 0, &rec);
	run_for(bed, 300);
	rec = record_endpoint_of(101, 1, 0, 556);
	set_endpoint(bed, 0, &rec);
	settled(bed);
	// A second address is claimed by two; the later one wins, then the other one again.
	rec = record_endpoint_of(110, 1, 9, 110);
	set_endpoint(bed, 0, &rec);
	settled(bed);
	rec = record_endpoint_of(111, 2, 9, 111);
	set_endpoint(bed, 0, &rec);
	settled(bed);
	del_endpoint(bed, 0, 111);
	settled(bed);
	// The same MAC on two hosts.
	rec = record_endpoint_of(112, 3, 0, 110);
	set_endpoint(bed, 0, &rec);
	settle(bed);
	del_endpoint(bed, 0, 112);
	settled(bed);
}

static void test_hosts(void **state)
{
	struct bed *bed = *state;
	struct ip_addr vtep = record_ip("10.1.0.77");

	usual(bed);
	set_host(bed, 2, &vtep);
	settled(bed);
	record_host_gone(&bed->replica, 2); // suspended: all stays
	settled(bed);
	assert_true(fake_bridge_floods(fake_switch_bridge(bed->sw, "cw.net0"), &vtep));
	add(bed, 0, 300, 4); // of a host that nobody has heard of
	settled(bed);
	vtep = record_ip("10.1.0.5");
	set_host(bed, 4, &vtep);
	settled(bed);
	vtep = record_ip("fd00::5"); // out of reach of a tunnel endpoint of IPv4
	set_host(bed, 4, &vtep);
	settle(bed);
	assert_false(fake_bridge_floods(fake_switch_bridge(bed->sw, "cw.net0"), &vtep));
}

static void test_restart(void **state)
{
	struct bed *bed = *state;

	usual(bed);
	fake_switch_crash(bed->sw, bed->now_us);
	run_for(bed, SECOND);
	assert_false(reconcile_is_settled(bed->rec));
	add(bed, 0, 400, 1);
	del_endpoint(bed, 0, 102);
	fake_switch_start(bed->sw, bed->now_us);
	fake_switch_calls(bed->sw, NULL);
	settled(bed);
	assert_int_equal(fake_switch_calls(bed->sw, "port.add"), 0); // what is right stays
	assert_int_equal(fake_switch_calls(bed->sw, "port.del"), 0);
	assert_int_equal(fake_switch_calls(bed->sw, "bridge.del"), 0);
	fake_switch_crash(bed->sw, bed->now_us);
	fake_switch_wipe(bed->sw);
	fake_switch_start(bed->sw, bed->now_us);
	settle(bed);
	run_for(bed, SECOND);
	settled(bed);
}

static void test_agent_restart(void **state)
{
	struct bed *bed = *state;

	usual(bed);
	fake_switch_do(
		bed->sw, "bridge.add", json_pack("{s:{s:s}}", "bridge", "name", "br0"), NULL, NULL);
	fake_switch_do(bed->sw, "bridge.add", json_pack("{s:{s:s}}", "bridge", "name", "cw.old"),
		NULL, NULL);
	fake_switch_do(bed->sw, "port.add",
		json_pack(
			"{s:s, s:{s:s, s:s}}", "bridge", "br0", "port", "name", "p1", "netns", "x"),
		NULL, NULL);
	add(bed, 0, 500, 1);
	reconcile_run(bed->rec, bed->now_us);
	reconcile_free(bed->rec); // with calls under way
	bed->own[0].base.net->reconcile = NULL;
	start_rec(bed);
	bed->own[0].told = false;
	fake_switch_conn(bed->sw)->on_state(fake_switch_conn(bed->sw)->arg, true);
	run_for(bed, SECOND);
	assert_non_null(fake_switch_bridge(bed->sw, "cw.net0")); // before it is ready
	assert_non_null(fake_switch_bridge(bed->sw, "cw.old"));
	fake_switch_calls(bed->sw, NULL);
	reconcile_own_add(bed->rec, &bed->own[0].base);
	reconcile_ready(bed->rec);
	settled(bed);
	assert_int_equal(fake_switch_calls(bed->sw, "port.add"), 0);
	assert_int_equal(fake_switch_calls(bed->sw, "bridge.add"), 0);
	assert_null(fake_switch_bridge(bed->sw, "cw.old"));
	assert_non_null(fake_switch_bridge(bed->sw, "br0")); // a user's
	assert_non_null(fake_switch_port(bed->sw, "p1"));
}

static void on_audit(void *arg, int rc, const json_t *differences, const struct err *err)
{
	struct bed *bed = arg;

	json_decref(bed->audit);
	bed->audit = differences ? json_deep_copy(differences) : json_null();
	bed->audit_rc = rc;
}

static void audit(struct bed *bed, bool repair)
{
	json_decref(bed->audit);
	bed->audit = NULL;
	reconcile_audit(bed->rec, repair, on_audit, bed);
	for (unsigned i = 0; i < 400 && !bed->audit; i++)
		run_for(bed, 100000);
	assert_non_null(bed->audit);
	assert_int_equal(bed->audit_rc, 0);
}

static const json_t *difference(struct bed *bed, const char *object)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (bed->audit, i, entry) {
		if (strstr(json_string_value(json_object_get(entry, "object")), object))
			return entry;
	}
	fail_msg("no difference of %s in %s", object, json_dumps(bed->audit, 0));
	return NULL;
}

static void test_audit(void **state)
{
	struct bed *bed = *state;
	const json_t *d;

	usual(bed);
	audit(bed, false);
	assert_int_equal(json_array_size(bed->audit), 0);
	// Somebody corrupts: an entry, one too many, one that is gone, an option, a port.
	fake_switch_do(bed->sw, "fdb.add",
		json_pack("{s:s, s:[{s:s, s:s}, {s:s, s:s}]}", "bridge", "cw.net0", "entries",
			"mac", "02:00:00:00:00:65", "tunnel", "10.1.0.99", "mac",
			"02:00:00:00:00:99", "tunnel", "10.1.0.99"),
		NULL, NULL);
	fake_switch_do(bed->sw, "neigh.del",
		json_pack("{s:s, s:[{s:s}]}", "bridge", "cw.net0", "entries", "ip", "10.0.0.102"),
		NULL, NULL);
	fake_switch_do(bed->sw, "port.set",
		json_pack("{s:s, s:{s:i}}", "name", "cw.000000010000", "port", "tag", 10), NULL,
		NULL);
	audit(bed, false);
	assert_int_equal(json_array_size(bed->audit), 4);
	d = difference(bed, "fdb 02:00:00:00:00:65");
	assert_string_equal(json_string_value(json_object_get(d, "difference")), "wrong");
	assert_string_equal(json_string_value(json_object_get(d, "wanted")), "10.1.0.2");
	assert_string_equal(json_string_value(json_object_get(d, "actual")), "10.1.0.99");
	assert_false(json_is_true(json_object_get(d, "repaired")));
	difference(bed, "fdb 02:00:00:00:00:99");
	difference(bed, "neighbour 10.0.0.102");
	difference(bed, "port cw.000000010000");
	audit(bed, false); // it has mended nothing
	assert_int_equal(json_array_size(bed->audit), 4);
	audit(bed, true);
	assert_int_equal(json_array_size(bed->audit), 4);
	d = difference(bed, "fdb 02:00:00:00:00:65");
	assert_true(json_is_true(json_object_get(d, "repaired")));
	settled(bed);
	audit(bed, true);
	assert_int_equal(json_array_size(bed->audit), 0);
}

static void test_lost_objects(void **state)
{
	struct bed *bed = *state;

	usual(bed);
	fake_switch_do(bed->sw, "bridge.del", json_pack("{s:s}", "name", "cw.net0"), NULL, NULL);
	run_for(bed, SECOND); // it hears of it
	settled(bed);
	fake_switch_do(bed->sw, "port.del", json_pack("{s:s}", "name", "cw.vx.5000"), NULL, NULL);
	run_for(bed, SECOND);
	settled(bed);
	fake_switch_do(
		bed->sw, "port.del", json_pack("{s:s}", "name", "cw.000000010000"), NULL, NULL);
	run_for(bed, SECOND);
	settled(bed);
	// Wiped while nobody looked: an audit finds it.
	fake_switch_do(bed->sw, "neigh.del",
		json_pack("{s:s, s:[{s:s}]}", "bridge", "cw.net0", "entries", "ip", "10.0.0.102"),
		NULL, NULL);
	audit(bed, true);
	assert_int_equal(json_array_size(bed->audit), 1);
	settled(bed);
}

static void test_refused(void **state)
{
	struct bed *bed = *state;
	struct own *own;
	json_t *problems;

	usual(bed);
	fake_switch_fail(bed->sw, "fdb.add", -ENOSPC, 3);
	fake_switch_fail(bed->sw, "neigh.add", -EIO, 2);
	add(bed, 0, 600, 1);
	run_for(bed, 10000);
	assert_false(reconcile_is_settled(bed->rec));
	problems = reconcile_problems(bed->rec);
	assert_true(json_array_size(problems) > 0);
	json_decref(problems);
	run_for(bed, 10 * SECOND);
	settled(bed);
	problems = reconcile_problems(bed->rec);
	assert_int_equal(json_array_size(problems), 0);
	json_decref(problems);
	// One that the switch never takes: the others do not suffer.
	fake_switch_refuses(bed->sw, "02:00:00:00:02:59");
	add(bed, 0, 601, 2);
	for (unsigned i = 610; i < 640; i++)
		add(bed, 0, i, 1 + i % 3);
	run_for(bed, SECOND);
	assert_non_null(fake_bridge_fdb(
		fake_switch_bridge(bed->sw, "cw.net0"), &(struct mac){{0x02, 0, 0, 0, 2, 0x70}}));
	problems = reconcile_problems(bed->rec);
	assert_int_equal(json_array_size(problems), 1);
	json_decref(problems);
	fake_switch_calls(bed->sw, NULL);
	run_for(bed, 60 * SECOND);
	assert_in_range(fake_switch_calls(bed->sw, NULL), 1, 40); // not all the time
	fake_switch_refuses(bed->sw, NULL);
	run_for(bed, 11 * SECOND);
	settled(bed);
	// A port that fails, told each time; the others of its request do not fail.
	fake_switch_netns(bed->sw, "c7", false);
	own = connect_own(bed, 1, 0, 7);
	connect_own(bed, 2, 0, 8);
	run_for(bed, SECOND);
	assert_int_equal(own->rc, -ENOENT);
	assert_int_equal(bed->own[2].rc, 0);
	assert_true(bed->own[2].told);
	fake_switch_netns(bed->sw, "c7", true);
	run_for(bed, 15 * SECOND);
	settled(bed);
	fake_switch_netns(bed->sw, "c7", false);
	run_for(bed, SECOND);
	assert_int_equal(own->nb_down, 1);
	fake_switch_netns(bed->sw, "c7", true);
	own->told = false;
	run_for(bed, SECOND);
	assert_true(own->told);
}

// A switch that cannot guard ports has none that is not guarded.
static void test_guard(void **state)
{
	struct bed *bed = *state;
	struct reconcile_opts opts = {.sw = fake_switch_conn(bed->sw),
		.replica = &bed->replica,
		.self = SELF,
		.on_port = on_port,
		.on_port_gone = on_port_gone,
		.on_port_down = on_port_down,
		.on_state = on_state,
		.arg = bed};

	reconcile_free(bed->rec);
	fake_switch_lacks(bed->sw, "guard");
	assert_int_equal(reconcile_new(&opts, &bed->rec, NULL), 0);
	record_net(&bed->replica, 0, NULL);
	connect_own(bed, 0, 0, 1);
	run_for(bed, SECOND);
	assert_true(bed->own[0].rc < 0);
	assert_non_null(strstr(bed->own[0].reason, "guard"));
	assert_null(fake_switch_port(bed->sw, "cw.000000010000"));
}

static void test_bulk(void **state)
{
	struct bed *bed = *state;
	struct ip_addr vtep;

	for (unsigned i = 1; i <= 4; i++) {
		vtep = record_ip("10.1.0.%u", i + 1);
		set_host(bed, i, &vtep);
	}
	record_net(&bed->replica, 0, NULL);
	for (unsigned i = 0; i < 10000; i++)
		add(bed, 0, 1000 + i, 1 + i % 4);
	connect_own(bed, 0, 0, 1);
	fake_switch_calls(bed->sw, NULL);
	settled(bed);
	assert_in_range(fake_switch_calls(bed->sw, "fdb.add"), 1, 5);
	assert_in_range(fake_switch_calls(bed->sw, "neigh.add"), 1, 5);
	fake_switch_calls(bed->sw, NULL);
	fake_switch_crash(bed->sw, bed->now_us);
	fake_switch_start(bed->sw, bed->now_us);
	run_for(bed, SECOND);
	settled(bed);
	assert_int_equal(fake_switch_calls(bed->sw, "fdb.add"), 0);
	assert_in_range(fake_switch_calls(bed->sw, NULL), 3, 10);
	vtep = record_ip("10.1.0.50"); // a quarter of all moves
	set_host(bed, 1, &vtep);
	settled(bed);
	assert_in_range(fake_switch_calls(bed->sw, NULL), 2, 8);
}

static void test_peers(void **state)
{
	struct bed *bed = *state;
	struct ip_addr a = record_ip("10.1.0.2"), b = record_ip("10.1.0.3"),
		       c = record_ip("10.9.0.9");

	usual(bed);
	fake_switch_remote(bed->sw, &b, false);
	assert_false(reconcile_peer_alive(bed->rec, &a)); // nothing is known yet
	run_for(bed, SECOND);
	assert_true(reconcile_peer_alive(bed->rec, &a));
	assert_false(reconcile_peer_alive(bed->rec, &b));
	assert_false(reconcile_peer_alive(bed->rec, &c));
	fake_switch_calls(bed->sw, NULL);
	for (unsigned i = 0; i < 10; i++) {
		reconcile_peer_alive(bed->rec, &a);
		run_for(bed, SECOND);
	}
	assert_in_range(fake_switch_calls(bed->sw, "tunnel.status"), 9, 11);
	run_for(bed, 30 * SECOND); // nobody asks
	assert_in_range(fake_switch_calls(bed->sw, "tunnel.status"), 0, 3);
	assert_false(reconcile_peer_alive(bed->rec, &a)); // that was long ago
}

// ---- anything, in any order ----

static void any_endpoint(struct bed *bed)
{
	unsigned net = sim_below(&bed->random, NETS), n = 100 + sim_below(&bed->random, 12);
	unsigned host = sim_below(&bed->random, HOSTS), second = sim_below(&bed->random, 3);
	unsigned mac = sim_chance(&bed->random, 80) ? n : n + 50;
	struct endpoint_record rec = record_endpoint_of(n, host, second, mac);

	rec.epoch = sim_below(&bed->random, 2);
	if (sim_chance(&bed->random, 30))
		del_endpoint(bed, net, n);
	else
		set_endpoint(bed, net, &rec);
}

static void any_own(struct bed *bed)
{
	unsigned slot = sim_below(&bed->random, OWN_MAX);
	struct own *own = &bed->own[slot];

	if (!own->used)
		connect_own(bed, slot, sim_below(&bed->random, NETS), 1 + slot);
	else if (sim_chance(&bed->random, 30) && !own->gone)
		reconcile_own_add(bed->rec, &own->base);
	else if (own->base.state != OWN_STOPPING) {
		own->base.state = OWN_STOPPING;
		reconcile_own_del(bed->rec, &own->base);
	}
}

static void any_host(struct bed *bed)
{
	unsigned host = 1 + sim_below(&bed->random, HOSTS - 1);
	struct ip_addr vtep =
		record_ip("10.1.0.%u", host + 1 + 10 * (unsigned)sim_below(&bed->random, 3));

	if (sim_chance(&bed->random, 20))
		record_host_gone(&bed->replica, host);
	else
		set_host(bed, host, &vtep);
}

static void any_accident(struct bed *bed)
{
	static const char *const methods[] = {"fdb.add", "fdb.del", "neigh.add", "port.add",
		"port.del", "bridge.add", "bridge.del", "port.list", "fdb.show", "neigh.list",
		"endpoint.add"};
	static const int codes[] = {-EIO, -ENOSPC, -ETIMEDOUT, -EAGAIN};

	if (sim_chance(&bed->random, 40))
		fake_switch_fail(bed->sw, methods[sim_below(&bed->random, ARRAY_SIZE(methods))],
			codes[sim_below(&bed->random, ARRAY_SIZE(codes))],
			sim_below(&bed->random, 3));
	else if (!fake_switch_is_up(bed->sw))
		fake_switch_start(bed->sw, bed->now_us);
	else
		fake_switch_crash(bed->sw, bed->now_us);
}

static void drop_gone(struct bed *bed)
{
	for (unsigned i = 0; i < OWN_MAX; i++) {
		if (bed->own[i].used && bed->own[i].gone)
			own_let_go(&bed->own[i]);
	}
}

static void any_life(struct bed *bed, uint64_t seed)
{
	bed->random.state = seed;
	for (unsigned i = 0; i < NETS; i++)
		record_net(&bed->replica, i, NULL);
	for (unsigned i = 0; i < 300; i++) {
		unsigned what = sim_below(&bed->random, 100);

		if (what < 55)
			any_endpoint(bed);
		else if (what < 80)
			any_own(bed);
		else if (what < 92)
			any_host(bed);
		else
			any_accident(bed);
		if (sim_chance(&bed->random, 50))
			run_for(bed, sim_below(&bed->random, 3000));
		drop_gone(bed);
	}
	if (!fake_switch_is_up(bed->sw))
		fake_switch_start(bed->sw, bed->now_us);
	run_for(bed, 30 * SECOND);
	drop_gone(bed);
	settle(bed);
	drop_gone(bed);
}

// Of several with one MAC it does not matter here which one has it.
static void check_any(struct bed *bed)
{
	struct replica_net *net;

	for (net = bed->replica.nets; net; net = net->hh.next) {
		struct fake_bridge *bridge = fake_switch_bridge_of_vni(bed->sw, net->rec.vni);
		const struct fake_neigh *neigh;

		assert_int_equal(bridge != NULL, net->nb_own > 0);
		if (!bridge)
			continue;
		assert_int_equal(HASH_COUNT(bridge->ports), net->nb_own + 1);
		assert_int_equal(HASH_COUNT(bridge->floods), flood_count(bed, net));
		for (neigh = bridge->neigh; neigh; neigh = neigh->hh.next) {
			struct replica_endpoint *ep =
				replica_by_ip(&bed->replica, net->id, &neigh->ip);
			const struct own *own = own_of(bed, net, &neigh->ip, NULL);

			assert_true(own || (ep && is_placed(ep) && wins(bed, net, ep)));
			assert_memory_equal(&neigh->mac, own ? &own->base.rec.mac : &ep->rec.mac,
				sizeof(neigh->mac));
		}
	}
	audit(bed, false);
	if (json_array_size(bed->audit))
		fail_msg("%s", json_dumps(bed->audit, JSON_INDENT(1)));
}

static void test_any(void **state)
{
	for (uint64_t seed = 1; seed <= 60; seed++) {
		void *own_state = NULL;
		struct bed *bed;

		set_up(&own_state);
		bed = own_state;
		any_life(bed, seed);
		check_any(bed);
		tear_down(&own_state);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_adds),
		TEST(test_connect),
		TEST(test_port_options),
		TEST(test_moves),
		TEST(test_hosts),
		TEST(test_restart),
		TEST(test_agent_restart),
		TEST(test_audit),
		TEST(test_lost_objects),
		TEST(test_refused),
		TEST(test_guard),
		TEST(test_bulk),
		TEST(test_peers),
		TEST(test_any),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
