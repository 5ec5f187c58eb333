// SPDX-License-Identifier: BSD-3-Clause
// The reconciler: what it makes of the switch, one subject after the other.
#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "tests/unit/reconcile_bed.h"

static void test_adds(void **state)
{
	struct bed *bed = *state;

	bed_usual(bed);
	assert_non_null(fake_switch_bridge(bed->sw, "cw.net0"));
	fake_switch_calls(bed->sw, NULL);
	bed_add(bed, 0, 200, 1);
	bed_settled(bed);
	// A change of one endpoint is a forwarding entry and a neighbour.
	assert_int_equal(fake_switch_calls(bed->sw, "fdb.add"), 1);
	assert_int_equal(fake_switch_calls(bed->sw, "neigh.add"), 1);
	assert_int_equal(fake_switch_calls(bed->sw, NULL), 0);
	record_endpoint_gone(&bed->replica, 0, 200);
	bed_settled(bed);
	assert_int_equal(fake_switch_calls(bed->sw, NULL), 2);
	record_endpoint_gone(&bed->replica, 0, 101);
	bed_settled(bed);
	bed_add(bed, 0, 101, 2);
	bed_settled(bed);
}

static void test_connect(void **state)
{
	struct bed *bed = *state;
	struct own *own;

	bed_usual(bed);
	own = bed_connect(bed, 1, 0, 2);
	bed_settled(bed);
	reconcile_endpoint_del(bed->rec, &own->base);
	bed_settle(bed);
	assert_true(own->gone);
	bed_let_go(own);
	bed_settled(bed);
	own = &bed->own[0];
	reconcile_endpoint_del(bed->rec, &own->base);
	bed_settle(bed);
	assert_true(own->gone);
	bed_let_go(own);
	bed_settled(bed); // the bridge has gone with the last one
	assert_null(fake_switch_bridges(bed->sw));
	bed_connect(bed, 0, 0, 1);
	bed_settled(bed);
}

// One comes while the bridge goes with the last one.
static void test_last_and_first(void **state)
{
	struct bed *bed = *state;
	struct own *own;

	bed_usual(bed);
	own = &bed->own[0];
	reconcile_endpoint_del(bed->rec, &own->base);
	fake_switch_calls(bed->sw, NULL);
	while (!fake_switch_calls(bed->sw, "bridge.del"))
		bed_run(bed, 10);
	assert_true(own->gone);
	bed_let_go(own);
	own = bed_connect(bed, 1, 0, 2);
	bed_settled(bed);
	assert_false(own->failed);
}

// The record that the store has of an own endpoint changes nothing; one of an endpoint that is no
// more keeps others from their address until it has gone.
static void test_own_records(void **state)
{
	struct bed *bed = *state;
	struct endpoint_record rec;
	struct own *own;

	bed_usual(bed);
	own = &bed->own[0];
	fake_switch_calls(bed->sw, NULL);
	record_endpoint(&bed->replica, 0, &own->base.rec);
	bed_settled(bed);
	assert_int_equal(fake_switch_calls(bed->sw, NULL), 0);
	reconcile_endpoint_add(bed->rec, &own->base);
	bed_settled(bed);
	record_endpoint_gone(&bed->replica, 0, 1);
	bed_settled(bed);
	rec = record_endpoint_of(110, 1, 9, 110);
	record_endpoint(&bed->replica, 0, &rec);
	bed_settled(bed);
	rec = record_endpoint_of(50, 0, 9, 50); // later, so it wins
	record_endpoint(&bed->replica, 0, &rec);
	bed_settled(bed);
	assert_null(fake_bridge_neigh(
		fake_switch_bridge(bed->sw, "cw.net0"), &(struct ip_addr){4, {10, 0, 0, 110}}));
	record_endpoint_gone(&bed->replica, 0, 50);
	bed_settled(bed);
}

// The store had somebody else under the key of an own endpoint, and has the endpoint again: its
// second address comes back with the first one.
static void test_own_key(void **state)
{
	struct bed *bed = *state;
	struct endpoint_record rec;
	struct own *own;

	bed_usual(bed);
	own = bed_connect(bed, 1, 0, 2);
	own->base.rec = record_endpoint_of(2, 0, 9, 2);
	reconcile_endpoint_add(bed->rec, &own->base);
	rec = record_endpoint_of(2, 1, 0, 900);
	record_endpoint(&bed->replica, 0, &rec);
	bed_run(bed, SECOND);
	record_endpoint(&bed->replica, 0, &own->base.rec);
	bed_settled(bed);
}

// Class and TTL of a network's packets between hosts are options of its port of type vxlan.
static void test_marks(void **state)
{
	struct bed *bed = *state;
	const json_t *options;

	bed_usual(bed);
	options = fake_switch_port(bed->sw, "cw.vx.5000")->options;
	assert_null(json_object_get(options, "dscp"));
	assert_null(json_object_get(options, "ttl"));
	record_net_with(&bed->replica, 0, "dscp", "46");
	bed_audit(bed, true);
	bed_settled(bed);
	options = fake_switch_port(bed->sw, "cw.vx.5000")->options;
	assert_int_equal(json_integer_value(json_object_get(options, "dscp")), 46);
	record_net_with(&bed->replica, 0, "ttl", "inherit");
	bed_audit(bed, true);
	bed_settled(bed);
	options = fake_switch_port(bed->sw, "cw.vx.5000")->options;
	assert_null(json_object_get(options, "dscp"));
	assert_string_equal(json_string_value(json_object_get(options, "ttl")), "inherit");
}

static void test_port_options(void **state)
{
	struct bed *bed = *state;
	struct fake_port *port;
	struct own *own;

	bed_usual(bed);
	own = bed_connect(bed, 1, 0, 2);
	own->base.rec.options = json_pack("{s:s}", "port", "veth");
	reconcile_endpoint_add(bed->rec, &own->base);
	bed_settled(bed);
	port = fake_switch_port(bed->sw, "cw.000000020000");
	assert_string_equal(port->type, "veth");
	assert_string_equal(json_string_value(json_object_get(port->options, "netns")), "c2");
	assert_true(json_is_true(json_object_get(port->options, "guard")));
	assert_int_equal(json_array_size(json_object_get(port->options, "guard_ips")), 1);
	json_object_set_new(own->base.rec.options, "spoof", json_string("allow"));
	reconcile_endpoint_add(bed->rec, &own->base);
	bed_settled(bed);
	port = fake_switch_port(bed->sw, "cw.000000020000");
	assert_null(json_object_get(port->options, "guard"));
	assert_null(json_object_get(port->options, "guard_ips"));
	record_net(&bed->replica, 0, "1400");
	own->base.rec.mac.byte[1] = 7;
	reconcile_endpoint_add(bed->rec, &own->base);
	fake_switch_calls(bed->sw, NULL);
	bed_settled(bed);
	assert_int_equal(fake_switch_calls(bed->sw, "port.set"), 3); // all have another MTU
	assert_int_equal(fake_switch_calls(bed->sw, "port.del"), 0);
	port = fake_switch_port(bed->sw, "cw.000000020000");
	assert_int_equal(json_integer_value(json_object_get(port->options, "mtu")), 1400);
	snprintf(own->base.rec.ifname, sizeof(own->base.rec.ifname), "eth7");
	reconcile_endpoint_add(bed->rec, &own->base);
	bed_settled(bed);
	port = fake_switch_port(bed->sw, "cw.000000020000");
	assert_string_equal(json_string_value(json_object_get(port->options, "ifname")), "eth7");
}

// An address goes from one host to another; whatever comes first.
static void test_moves(void **state)
{
	struct bed *bed = *state;
	struct endpoint_record rec;

	bed_usual(bed);
	rec = record_endpoint_of(101, 2, 0, 101); // the same record, elsewhere
	record_endpoint(&bed->replica, 0, &rec);
	bed_settled(bed);
	rec = record_endpoint_of(101, 3, 0, 555); // and with another MAC
	record_endpoint(&bed->replica, 0, &rec);
	bed_run(bed, 300);
	rec = record_endpoint_of(101, 1, 0, 556);
	record_endpoint(&bed->replica, 0, &rec);
	bed_settled(bed);
	// A second address is claimed by two; the later one wins, then the other one again.
	rec = record_endpoint_of(110, 1, 9, 110);
	record_endpoint(&bed->replica, 0, &rec);
	bed_settled(bed);
	rec = record_endpoint_of(111, 2, 9, 111);
	record_endpoint(&bed->replica, 0, &rec);
	bed_settled(bed);
	record_endpoint_gone(&bed->replica, 0, 111);
	bed_settled(bed);
	// The same MAC on two hosts.
	rec = record_endpoint_of(112, 3, 0, 110);
	record_endpoint(&bed->replica, 0, &rec);
	bed_settle(bed);
	record_endpoint_gone(&bed->replica, 0, 112);
	bed_settled(bed);
}

static void test_hosts(void **state)
{
	struct bed *bed = *state;
	struct ip_addr vtep = record_ip("10.1.0.77");

	bed_usual(bed);
	record_host(&bed->replica, 2, &vtep);
	bed_settled(bed);
	record_host_gone(&bed->replica, 2); // suspended: all stays
	bed_settled(bed);
	assert_true(fake_bridge_floods(fake_switch_bridge(bed->sw, "cw.net0"), &vtep));
	bed_add(bed, 0, 300, 4); // of a host that nobody has heard of
	bed_settled(bed);
	vtep = record_ip("10.1.0.5");
	record_host(&bed->replica, 4, &vtep);
	bed_settled(bed);
	vtep = record_ip("fd00::5"); // out of reach of a VTEP of IPv4
	record_host(&bed->replica, 4, &vtep);
	bed_settle(bed);
	assert_false(fake_bridge_floods(fake_switch_bridge(bed->sw, "cw.net0"), &vtep));
}

// This host has another VTEP: one that another host had, and which has not said so yet.
static void test_tunnel(void **state)
{
	struct bed *bed = *state;
	struct ip_addr vtep = record_ip("10.1.0.3");
	struct reconcile_tunnel tunnel = {.address = vtep, .udp_port = 4790, .mtu = 9000};
	const struct fake_vtep *endpoint;

	bed_usual(bed);
	reconcile_set_tunnel(bed->rec, &tunnel);
	bed_settle(bed);
	endpoint = fake_switch_vteps(bed->sw);
	assert_string_equal(endpoint->name, "cw.cluster");
	assert_string_equal(
		json_string_value(json_object_get(endpoint->options, "address")), "10.1.0.3");
	assert_int_equal(json_integer_value(json_object_get(endpoint->options, "mtu")), 9000);
	assert_int_equal(json_integer_value(json_object_get(endpoint->options, "udp_port")), 4790);
	assert_false(fake_bridge_floods(fake_switch_bridge(bed->sw, "cw.net0"), &vtep));
	tunnel.address = record_ip("10.1.0.1");
	reconcile_set_tunnel(bed->rec, &tunnel);
	bed_settled(bed);
}

static void test_restart(void **state)
{
	struct bed *bed = *state;

	bed_usual(bed);
	fake_switch_crash(bed->sw, bed->now_us);
	bed_run(bed, SECOND);
	assert_false(reconcile_is_settled(bed->rec));
	bed_add(bed, 0, 400, 1);
	record_endpoint_gone(&bed->replica, 0, 102);
	fake_switch_start(bed->sw, bed->now_us);
	fake_switch_calls(bed->sw, NULL);
	bed_settled(bed);
	assert_int_equal(fake_switch_calls(bed->sw, "port.add"), 0); // what is right stays
	assert_int_equal(fake_switch_calls(bed->sw, "port.del"), 0);
	assert_int_equal(fake_switch_calls(bed->sw, "bridge.del"), 0);
	fake_switch_crash(bed->sw, bed->now_us);
	fake_switch_wipe(bed->sw);
	fake_switch_start(bed->sw, bed->now_us);
	bed_settle(bed);
	bed_run(bed, SECOND);
	bed_settled(bed);
}

static void test_agent_restart(void **state)
{
	struct bed *bed = *state;

	bed_usual(bed);
	fake_switch_do(
		bed->sw, "bridge.add", json_pack("{s:{s:s}}", "bridge", "name", "br0"), NULL, NULL);
	fake_switch_do(bed->sw, "bridge.add", json_pack("{s:{s:s}}", "bridge", "name", "cw.old"),
		NULL, NULL);
	fake_switch_do(bed->sw, "port.add",
		json_pack(
			"{s:s, s:{s:s, s:s}}", "bridge", "br0", "port", "name", "p1", "netns", "x"),
		NULL, NULL);
	bed_add(bed, 0, 500, 1);
	reconcile_run(bed->rec, bed->now_us);
	reconcile_free(bed->rec); // with calls under way
	bed->own[0].base.net->reconcile = NULL;
	bed_start_rec(bed);
	bed->own[0].told = false;
	fake_switch_conn(bed->sw)->on_state(fake_switch_conn(bed->sw)->arg, true);
	bed_run(bed, SECOND);
	assert_non_null(fake_switch_bridge(bed->sw, "cw.net0")); // before it is ready
	assert_non_null(fake_switch_bridge(bed->sw, "cw.old"));
	fake_switch_calls(bed->sw, NULL);
	reconcile_endpoint_add(bed->rec, &bed->own[0].base);
	reconcile_ready(bed->rec);
	bed_settled(bed);
	assert_int_equal(fake_switch_calls(bed->sw, "port.add"), 0);
	assert_int_equal(fake_switch_calls(bed->sw, "bridge.add"), 0);
	assert_null(fake_switch_bridge(bed->sw, "cw.old"));
	assert_non_null(fake_switch_bridge(bed->sw, "br0")); // a user's
	assert_non_null(fake_switch_port(bed->sw, "p1"));
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

	bed_usual(bed);
	bed_audit(bed, false);
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
	bed_audit(bed, false);
	assert_int_equal(json_array_size(bed->audit), 4);
	d = difference(bed, "fdb 02:00:00:00:00:65");
	assert_string_equal(json_string_value(json_object_get(d, "difference")), "wrong");
	assert_string_equal(json_string_value(json_object_get(d, "wanted")), "10.1.0.2");
	assert_string_equal(json_string_value(json_object_get(d, "actual")), "10.1.0.99");
	assert_false(json_is_true(json_object_get(d, "repaired")));
	difference(bed, "fdb 02:00:00:00:00:99");
	difference(bed, "neighbour 10.0.0.102");
	difference(bed, "port cw.000000010000");
	bed_audit(bed, false); // it has mended nothing
	assert_int_equal(json_array_size(bed->audit), 4);
	bed_audit(bed, true);
	assert_int_equal(json_array_size(bed->audit), 4);
	d = difference(bed, "fdb 02:00:00:00:00:65");
	assert_true(json_is_true(json_object_get(d, "repaired")));
	bed_settled(bed);
	bed_audit(bed, true);
	assert_int_equal(json_array_size(bed->audit), 0);
}

static void test_lost_objects(void **state)
{
	void (*on_event)(void *arg, const char *name, const json_t *data);
	struct bed *bed = *state;

	bed_usual(bed);
	fake_switch_do(bed->sw, "bridge.del", json_pack("{s:s}", "name", "cw.net0"), NULL, NULL);
	bed_run(bed, SECOND); // it hears of it
	bed_settled(bed);
	fake_switch_do(bed->sw, "port.del", json_pack("{s:s}", "name", "cw.vx.5000"), NULL, NULL);
	bed_run(bed, SECOND);
	bed_settled(bed);
	fake_switch_do(
		bed->sw, "port.del", json_pack("{s:s}", "name", "cw.000000010000"), NULL, NULL);
	bed_run(bed, SECOND);
	bed_settled(bed);
	// Deleted and made again: it is there, but empty.
	fake_switch_do(bed->sw, "port.del", json_pack("{s:s}", "name", "cw.vx.5000"), NULL, NULL);
	fake_switch_do(bed->sw, "port.add",
		json_pack("{s:s, s:{s:s, s:s, s:i, s:s, s:b}}", "bridge", "cw.net0", "port", "name",
			"cw.vx.5000", "type", "vxlan", "key", 5000, "vtep", "cw.cluster",
			"learning", 0),
		NULL, NULL);
	bed_run(bed, SECOND);
	bed_settled(bed);
	// Nobody tells of it, since events may be lost: it is noticed with the next change.
	on_event = fake_switch_conn(bed->sw)->on_event;
	fake_switch_conn(bed->sw)->on_event = NULL;
	fake_switch_do(bed->sw, "port.del", json_pack("{s:s}", "name", "cw.vx.5000"), NULL, NULL);
	bed_run(bed, SECOND);
	fake_switch_conn(bed->sw)->on_event = on_event;
	bed_add(bed, 0, 700, 1);
	bed_run(bed, SECOND);
	bed_settled(bed);
	// Wiped while nobody looked: an audit finds it.
	fake_switch_do(bed->sw, "neigh.del",
		json_pack("{s:s, s:[{s:s}]}", "bridge", "cw.net0", "entries", "ip", "10.0.0.102"),
		NULL, NULL);
	bed_audit(bed, true);
	assert_int_equal(json_array_size(bed->audit), 1);
	bed_settled(bed);
}

static void test_refused(void **state)
{
	struct bed *bed = *state;
	struct own *own;
	json_t *problems;

	bed_usual(bed);
	fake_switch_fail(bed->sw, "fdb.add", -ENOSPC, 3);
	fake_switch_fail(bed->sw, "neigh.add", -EIO, 2);
	bed_add(bed, 0, 600, 1);
	bed_run(bed, 10000);
	assert_false(reconcile_is_settled(bed->rec));
	problems = reconcile_problems(bed->rec);
	assert_true(json_array_size(problems) > 0);
	json_decref(problems);
	bed_run(bed, 10 * SECOND);
	bed_settled(bed);
	problems = reconcile_problems(bed->rec);
	assert_int_equal(json_array_size(problems), 0);
	json_decref(problems);
	// One that the switch never takes: the others do not suffer.
	fake_switch_refuses(bed->sw, "02:00:00:00:02:59");
	bed_add(bed, 0, 601, 2);
	for (unsigned i = 610; i < 640; i++)
		bed_add(bed, 0, i, 1 + i % 3);
	bed_run(bed, SECOND);
	assert_non_null(fake_bridge_fdb(
		fake_switch_bridge(bed->sw, "cw.net0"), &(struct mac){{0x02, 0, 0, 0, 2, 0x70}}));
	problems = reconcile_problems(bed->rec);
	assert_int_equal(json_array_size(problems), 1);
	json_decref(problems);
	fake_switch_calls(bed->sw, NULL);
	bed_run(bed, 60 * SECOND);
	assert_in_range(fake_switch_calls(bed->sw, NULL), 1, 40); // not all the time
	fake_switch_refuses(bed->sw, NULL);
	bed_run(bed, 11 * SECOND);
	bed_settled(bed);
	// A port that fails, told each time; the others of its request do not fail.
	fake_switch_netns(bed->sw, "c7", false);
	own = bed_connect(bed, 1, 0, 7);
	bed_connect(bed, 2, 0, 8);
	bed_run(bed, SECOND);
	assert_int_equal(own->rc, -ENOENT);
	assert_int_equal(bed->own[2].rc, 0);
	assert_true(bed->own[2].told);
	fake_switch_netns(bed->sw, "c7", true);
	bed_run(bed, 15 * SECOND);
	bed_settled(bed);
	fake_switch_netns(bed->sw, "c7", false);
	bed_run(bed, SECOND);
	assert_int_equal(own->nb_down, 1);
	fake_switch_netns(bed->sw, "c7", true);
	own->told = false;
	bed_run(bed, SECOND);
	assert_true(own->told);
}

// A change is made, but nobody hears of it.
static void test_lost_answers(void **state)
{
	static const char *const methods[] = {"vtep.add", "bridge.add", "port.add"};
	struct bed *bed = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(methods); i++)
		fake_switch_fail(bed->sw, methods[i], -ETIMEDOUT, 1);
	bed_usual(bed);
	fake_switch_fail(bed->sw, "fdb.add", -ETIMEDOUT, 1);
	fake_switch_fail(bed->sw, "neigh.add", -ETIMEDOUT, 1);
	bed_add(bed, 0, 650, 1);
	bed_settled(bed);
	fake_switch_fail(bed->sw, "port.del", -ETIMEDOUT, 1);
	fake_switch_fail(bed->sw, "bridge.del", -ETIMEDOUT, 1);
	reconcile_endpoint_del(bed->rec, &bed->own[0].base);
	bed_run(bed, SECOND);
	assert_true(bed->own[0].gone);
	bed_let_go(&bed->own[0]);
	bed_settled(bed);
	fake_switch_fail(bed->sw, "port.add", -ETIMEDOUT, 1); // of the VXLAN port alone
	bed_connect(bed, 0, 0, 1);
	bed_settled(bed);
}

// A switch that cannot guard ports has none that is not guarded.
static void test_guard(void **state)
{
	struct bed *bed = *state;
	struct reconcile_opts opts = {.sw = fake_switch_conn(bed->sw),
		.replica = &bed->replica,
		.self = SELF,
		.on_port = bed_on_port,
		.on_port_gone = bed_on_port_gone,
		.on_port_down = bed_on_port_down,
		.on_state = bed_on_state,
		.arg = bed};

	reconcile_free(bed->rec);
	fake_switch_lacks(bed->sw, "guard");
	assert_int_equal(reconcile_new(&opts, &bed->rec, NULL), 0);
	record_net(&bed->replica, 0, NULL);
	bed_connect(bed, 0, 0, 1);
	bed_run(bed, SECOND);
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
		record_host(&bed->replica, i, &vtep);
	}
	record_net(&bed->replica, 0, NULL);
	for (unsigned i = 0; i < 10000; i++)
		bed_add(bed, 0, 1000 + i, 1 + i % 4);
	bed_connect(bed, 0, 0, 1);
	fake_switch_calls(bed->sw, NULL);
	bed_settled(bed);
	assert_in_range(fake_switch_calls(bed->sw, "fdb.add"), 1, 5);
	assert_in_range(fake_switch_calls(bed->sw, "neigh.add"), 1, 5);
	fake_switch_calls(bed->sw, NULL);
	fake_switch_crash(bed->sw, bed->now_us);
	fake_switch_start(bed->sw, bed->now_us);
	bed_run(bed, SECOND);
	bed_settled(bed);
	assert_int_equal(fake_switch_calls(bed->sw, "fdb.add"), 0);
	assert_in_range(fake_switch_calls(bed->sw, NULL), 3, 10);
	vtep = record_ip("10.1.0.50"); // a quarter of all moves
	record_host(&bed->replica, 1, &vtep);
	bed_settled(bed);
	assert_in_range(fake_switch_calls(bed->sw, NULL), 2, 8);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, bed_set_up, bed_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_adds),
		TEST(test_connect),
		TEST(test_last_and_first),
		TEST(test_own_records),
		TEST(test_own_key),
		TEST(test_marks),
		TEST(test_port_options),
		TEST(test_moves),
		TEST(test_hosts),
		TEST(test_tunnel),
		TEST(test_restart),
		TEST(test_agent_restart),
		TEST(test_audit),
		TEST(test_lost_objects),
		TEST(test_refused),
		TEST(test_lost_answers),
		TEST(test_guard),
		TEST(test_bulk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
