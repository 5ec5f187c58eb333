// SPDX-License-Identifier: BSD-3-Clause
// The reconciler: the gateways of networks.
#include <string.h>

#include "tests/unit/reconcile_bed.h"

// Of a network with another gateway, with none, with one again; while the switch is away, and when
// its port was deleted or its device has gone.
static void test_gateway(void **state)
{
	struct bed *bed = *state;
	struct replica_net *net;
	struct fake_port *port;
	struct fake_bridge *bridge;
	const char *name;

	bed_usual(bed);
	net = record_net_find(&bed->replica, 0);
	bridge = fake_switch_bridge(bed->sw, "cw.net0");
	port = fake_switch_port(bed->sw, "cw.gw.abcd00000000");
	assert_non_null(port);
	name = json_string_value(json_object_get(port->options, "ifname"));
	assert_string_equal(name, "cw-abcd00000000");
	assert_null(json_object_get(port->options, "netns"));
	assert_true(json_is_true(json_object_get(port->options, "isolated")));
	assert_true(json_is_true(json_object_get(port->options, "guard")));
	assert_int_equal(json_array_size(json_object_get(port->options, "guard_ips")), 2);
	assert_int_equal(json_array_size(json_object_get(port->options, "filter_from")), 3);
	assert_string_equal(json_string_value(json_object_get(port->options, "filter")), "gateway");
	port = fake_switch_port(bed->sw, "cw.vx.5000");
	assert_true(json_is_true(json_object_get(port->options, "isolated")));

	bed->nb_gateway_calls = 0;
	net->rec.subnets[0].gateway = record_ip("10.255.255.1");
	reconcile_net(bed->rec, net);
	bed_settled(bed);
	assert_true(bed->nb_gateway_calls > 0);
	assert_int_equal(HASH_COUNT(bridge->neigh), 3 + 1 + 2);
	net->rec.subnets[0].gateway = net->rec.subnets[1].gateway = (struct ip_addr){};
	reconcile_net(bed->rec, net);
	bed_settle(bed);
	assert_null(fake_switch_port(bed->sw, "cw.gw.abcd00000000"));
	assert_int_equal(HASH_COUNT(bridge->fdb), 3);
	assert_int_equal(HASH_COUNT(bridge->neigh), 3 + 1);
	assert_null(bed_gateway(bed, net->id));
	record_net(&bed->replica, 0, NULL);
	bed_settled(bed);

	fake_switch_crash(bed->sw, bed->now_us);
	fake_switch_wipe(bed->sw);
	bed_run(bed, SECOND);
	fake_switch_start(bed->sw, bed->now_us);
	bed_settled(bed);
	fake_switch_do(
		bed->sw, "port.del", json_pack("{s:s}", "name", "cw.gw.abcd00000000"), NULL, NULL);
	bed_run(bed, SECOND);
	bed_settled(bed);
	fake_switch_netns(bed->sw, "", false);
	bed_run(bed, SECOND);
	assert_null(bed_gateway(bed, net->id));
	fake_switch_netns(bed->sw, "", true);
	bed_run(bed, SECOND);
	bed_settled(bed);
}

// Whoever else claims the address or the MAC of the gateway.
static void test_gateway_is_claimed(void **state)
{
	struct bed *bed = *state;
	struct endpoint_record rec;
	struct fake_bridge *bridge;
	struct fake_fdb *fdb;

	bed_usual(bed);
	rec = record_endpoint_of(50, 1, 0, 50);
	rec.ips[0].ip = record_ip("10.255.255.254");
	rec.mac = (struct mac){{0x02, 0x42, 10, 255, 255, 254}};
	record_endpoint(&bed->replica, 0, &rec);
	bed_settle(bed);
	bridge = fake_switch_bridge(bed->sw, "cw.net0");
	assert_memory_equal(fake_bridge_neigh(bridge, &rec.ips[0].ip), &rec.mac, sizeof(rec.mac));
	HASH_FIND(hh, bridge->fdb, &rec.mac, sizeof(rec.mac), fdb);
	assert_int_equal(fdb->tunnel.family, 0);
	rec.mac.byte[5] = 7;
	record_endpoint(&bed->replica, 0, &rec);
	bed_settle(bed);
	rec.mac.byte[5] = 254;
	assert_memory_equal(fake_bridge_neigh(bridge, &rec.ips[0].ip), &rec.mac, sizeof(rec.mac));
}

// Found wrong by an audit, and mended.
static void test_gateway_audit(void **state)
{
	const char *mac = "02:42:0a:ff:ff:fe", *name = "cw.gw.abcd00000000";
	struct bed *bed = *state;

	bed_usual(bed);
	bed_audit(bed, false);
	assert_int_equal(json_array_size(bed->audit), 0);
	fake_switch_do(bed->sw, "fdb.del",
		json_pack("{s:s, s:[{s:s}]}", "bridge", "cw.net0", "entries", "mac", mac), NULL,
		NULL);
	fake_switch_do(bed->sw, "port.set",
		json_pack("{s:s, s:{s:n}}", "name", name, "port", "isolated"), NULL, NULL);
	bed_audit(bed, false);
	assert_int_equal(json_array_size(bed->audit), 2);
	bed_audit(bed, true);
	assert_int_equal(json_array_size(bed->audit), 2);
	bed_settled(bed);
	bed_audit(bed, false);
	assert_int_equal(json_array_size(bed->audit), 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, bed_set_up, bed_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_gateway),
		TEST(test_gateway_is_claimed),
		TEST(test_gateway_audit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
