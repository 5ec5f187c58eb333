// SPDX-License-Identifier: BSD-3-Clause
// The MTU of ports with mtu=auto: what a bridge makes of its tunnels' offers, and how often it asks
// for them. The ports are of made-up types, without devices.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "vswitch/vswitch.h"

#define MANY 500

// ---- what a bridge answers ----

// As the header of bridge_mtu.h says it, port by port. 0: none.
static unsigned looked_up(const struct conf_port *tunnels, const uint16_t *offer, unsigned count,
	const struct conf_port *port)
{
	unsigned least = 0;

	for (unsigned i = 0; i < count; i++) {
		const struct conf_port *t = &tunnels[i];
		bool tagged = port->tag && t->vlan_mode != CONF_VLAN_ACCESS &&
			      !(t->vlan_mode == CONF_VLAN_NATIVE_UNTAGGED && t->tag == port->tag);
		unsigned takes = offer[i] - (tagged ? 4 : 0);

		least = least ? MIN_OF(least, takes) : takes;
	}
	return least;
}

static struct conf_port random_tunnel(void)
{
	static const enum conf_vlan_mode modes[] = {CONF_VLAN_TRUNK, CONF_VLAN_ACCESS,
		CONF_VLAN_NATIVE_TAGGED, CONF_VLAN_NATIVE_UNTAGGED};
	struct conf_port port = {.vlan_mode = modes[rand() % ARRAY_SIZE(modes)]};

	if (port.vlan_mode != CONF_VLAN_TRUNK)
		port.tag = 1 + rand() % 3;
	return port;
}

static void test_answers(void **state)
{
	srand(1);
	for (unsigned round = 0; round < 20000; round++) {
		unsigned count = rand() % 6;
		struct conf_port tunnels[6];
		struct bridge_mtu b = {0};
		uint16_t offer[6];

		for (unsigned i = 0; i < count; i++) {
			tunnels[i] = random_tunnel();
			offer[i] = 1400 + rand() % 8;
			bridge_mtu_add(&b, &tunnels[i], offer[i]);
		}
		for (uint16_t tag = 0; tag < 5; tag++) {
			struct conf_port port = {.tag = tag};

			assert_int_equal(
				bridge_mtu_for(&b, &port), looked_up(tunnels, offer, count, &port));
		}
	}
}

// ---- how often it asks ----

static struct {
	struct loop *loop;
	struct dp *dp;
	struct vswitch *vs;
	struct bridge *bridge;
	struct port *tunnel; // opened last
	unsigned asked, changed;
	uint16_t offer;
} s;

static uint16_t no_rx(struct dp_port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n,
	struct dp_site *at)
{
	return 0;
}

static int fake_open(struct port *port, struct err *err)
{
	port->dp.rx = no_rx;
	port->dp.nb_rxq = port->dp.nb_txq = 1;
	port->dp.mtu = port->conf.mtu;
	return 0;
}

static int tunnel_open(struct port *port, struct err *err)
{
	s.tunnel = port;
	return fake_open(port, err);
}

static void fake_close(struct port *port, bool remove)
{
}

static int fake_change(struct port *port, const struct conf_port *conf, struct err *err)
{
	s.changed++;
	port->dp.mtu = conf->mtu;
	return 0;
}

static void fake_describe(const struct port *port, json_t *obj)
{
}

static uint16_t tunnel_offer(const struct port *port)
{
	s.asked++;
	return s.offer;
}

static const struct port_type fake_tap = {
	.open = fake_open, .close = fake_close, .change = fake_change, .describe = fake_describe};
static const struct port_type fake_tunnel = {.open = tunnel_open,
	.close = fake_close,
	.change = fake_change,
	.describe = fake_describe,
	.offer_mtu = tunnel_offer};

static const struct port_type_row types[CONF_PORT_NB_TYPES] = {
	[CONF_PORT_TAP] = {&fake_tap},
	[CONF_PORT_VXLAN] = {&fake_tunnel},
};

static int setup(void **state)
{
	const struct dp_opts dp_opts = {0};
	struct vswitch_opts opts = {
		.port_env = {.nb_workers = 1, .switch_id = "t", .types = types}};
	struct conf_bridge_opts bridge = {.name = "br0"};
	struct err err = {0};

	s = (typeof(s)){.offer = 1450};
	s.loop = loop_new();
	assert_int_equal(dp_new(&dp_opts, &s.dp, &err), 0);
	opts.loop = s.loop;
	opts.dp = s.dp;
	assert_int_equal(vswitch_new(&opts, &s.vs, &err), 0);
	assert_int_equal(vswitch_bridge_add(s.vs, &bridge, &err), 0);
	s.bridge = vswitch_find_bridge(s.vs, "br0");
	return 0;
}

static int teardown(void **state)
{
	vswitch_free(s.vs, true);
	dp_free(s.dp);
	loop_free(s.loop);
	return 0;
}

static void commit(void)
{
	struct err warning = {0};

	vswitch_commit(s.vs, &warning);
	assert_true(vswitch_settled(s.vs));
}

static void add(enum conf_port_type type, const char *name, uint16_t mtu)
{
	struct conf_port conf;
	struct err err = {0};

	conf_port_init(&conf);
	snprintf(conf.name, sizeof(conf.name), "%s", name);
	conf.type = type;
	conf.mtu = mtu;
	if (vswitch_ports_add(s.vs, s.bridge, &conf, 1, &err) < 0)
		fail_msg("%s: %s", err.path, err.reason);
	commit();
}

static void add_taps(unsigned count)
{
	char name[32];

	for (unsigned i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "c%u", s.bridge->nb_ports);
		add(CONF_PORT_TAP, name, CONF_MTU_AUTO);
	}
}

static unsigned mtu_of(const char *name)
{
	return port_dp(vswitch_find_port(s.vs, name)->port)->mtu;
}

static void del(const char *name)
{
	struct err err = {0};

	assert_int_equal(vswitch_ports_del(s.vs, &name, 1, &err), 0);
	commit();
}

// Ports come one by one, each with a publication of its own, as from an agent.
static void test_ports_do_not_ask(void **state)
{
	unsigned after_first;

	add(CONF_PORT_VXLAN, "vx", 0);
	add_taps(1);
	after_first = s.asked;
	assert_in_range(after_first, 1, 2);
	add_taps(MANY);
	assert_int_equal(s.asked, after_first);
	assert_int_equal(s.changed, 0);
	assert_int_equal(mtu_of("c1"), 1450);
	assert_int_equal(mtu_of("c500"), 1450);
}

// One look for all ports, however many there are.
static void test_a_change_asks_once(void **state)
{
	unsigned before;

	add(CONF_PORT_VXLAN, "vx", 0);
	add_taps(MANY);
	before = s.asked;
	s.offer = 1400;
	s.tunnel->env->offer_changed(s.tunnel->env->arg, s.tunnel);
	commit();
	assert_int_equal(s.asked, before + 1);
	assert_int_equal(s.changed, MANY);
	assert_int_equal(mtu_of("c1"), 1400);
	assert_int_equal(mtu_of("c500"), 1400);
	commit();
	assert_int_equal(s.asked, before + 1);
}

static void test_tunnels_come_and_go(void **state)
{
	add_taps(2);
	assert_int_equal(mtu_of("c0"), 1500);
	add(CONF_PORT_VXLAN, "vx", 0);
	assert_int_equal(mtu_of("c0"), 1450);
	del("vx");
	assert_int_equal(mtu_of("c0"), 1500);
}

// While it is down, what the ports have is as good a guess as any; then they follow again.
static void test_tunnel_down(void **state)
{
	add(CONF_PORT_VXLAN, "vx", 0);
	add_taps(1);
	dp_port_fail(&s.tunnel->dp, ENODEV);
	vswitch_service(s.vs);
	assert_null(vswitch_find_port(s.vs, "vx")->port);
	assert_int_equal(mtu_of("c1"), 1450);
	add_taps(1);
	assert_int_equal(mtu_of("c2"), 0); // what its device has
	del("vx");
	assert_int_equal(mtu_of("c1"), 1500);
	assert_int_equal(mtu_of("c2"), 1500);
}

// A port with IPv6 keeps what IPv6 must have: Linux would take it away for good.
static void test_floor_of_ip6(void **state)
{
	struct conf_port conf;
	struct err err = {0};

	s.offer = 600;
	add(CONF_PORT_VXLAN, "vx", 0);
	add_taps(1);
	assert_int_equal(mtu_of("c1"), 600);
	conf_port_init(&conf);
	strcpy(conf.name, "six");
	conf.mtu = CONF_MTU_AUTO;
	strcpy(conf.ip[0], "10.0.0.1/24");
	strcpy(conf.ip[1], "fd00::1/64");
	conf.nb_ips = 2;
	assert_int_equal(vswitch_ports_add(s.vs, s.bridge, &conf, 1, &err), 0);
	commit();
	assert_int_equal(mtu_of("six"), 1280);
	s.offer = 1400;
	s.tunnel->env->offer_changed(s.tunnel->env->arg, s.tunnel);
	commit();
	assert_int_equal(mtu_of("six"), 1400);
}

// A port that does not say auto keeps what it has.
static void test_fixed_mtu(void **state)
{
	add(CONF_PORT_TAP, "fixed", 9000);
	add(CONF_PORT_VXLAN, "vx", 0);
	add_taps(1);
	assert_int_equal(mtu_of("fixed"), 9000);
	assert_int_equal(s.changed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test_setup_teardown(test_ports_do_not_ask, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_change_asks_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tunnels_come_and_go, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tunnel_down, setup, teardown),
		cmocka_unit_test_setup_teardown(test_floor_of_ip6, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fixed_mtu, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
