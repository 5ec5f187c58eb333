// SPDX-License-Identifier: BSD-3-Clause
// VTEPs, networks and remotes as the main thread sees them: MTU, errors, life and end.
#include "tests/unit/ends.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"

// A VTEP for both families offers what its remotes leave.
static void test_mtu_of_both_families(void **state)
{
	struct end a = end_at("a", "::");
	struct ip_addr ip4, ip6;
	uint16_t to_ip4, to_ip6;

	assert_int_equal(ip_parse("10.9.0.2", &ip4), 0);
	assert_int_equal(ip_parse("fd09::2", &ip6), 0);
	assert_int_equal(vtep_mtu(a.vtep), 1430);
	assert_int_equal(vtep_remote_get(a.vtep, &ip4, &to_ip4, NULL), 0);
	assert_int_equal(vtep_mtu(a.vtep), 1450);
	assert_int_equal(vtep_remote_get(a.vtep, &ip6, &to_ip6, NULL), 0);
	assert_int_equal(vtep_mtu(a.vtep), 1430);
	vtep_remote_put(a.vtep, to_ip6);
	vtep_service(a.vtep, 0);
	assert_int_equal(vtep_mtu(a.vtep), 1450);
	vtep_remote_put(a.vtep, to_ip4);
	close_end(&a);
}

static void test_mtu(void **state)
{
	struct end a = end_at("a", "10.9.0.1"), c = end_at("a", "fd09::1");
	struct conf_vtep conf = conf_of("b", "10.9.0.2");
	struct end b;
	struct vni *small, *large;

	conf.mtu = 9000;
	b = end_of(&conf, VNI);
	assert_int_equal(vni_open(a.vtep, 7, 1000, &small, NULL), 0);
	assert_int_equal(vni_open(a.vtep, 8, 9000, &large, NULL), 0);
	assert_int_equal(vtep_mtu(a.vtep), 1450);
	assert_int_equal(vtep_mtu(c.vtep), 1430);
	assert_int_equal(vtep_mtu(b.vtep), 8950);
	assert_int_equal(vni_port(a.vni)->mtu, 1450);
	assert_int_equal(vni_port(small)->mtu, 1000);
	assert_int_equal(vni_port(large)->mtu, 1450);
	run("ip -n a link set va mtu 1400");
	vtep_service(a.vtep, 0);
	assert_int_equal(vtep_mtu(a.vtep), 1350);
	assert_int_equal(vni_port(a.vni)->mtu, 1350);
	assert_int_equal(vni_port(small)->mtu, 1000);
	assert_string_equal(last_event, "vtep.mtu {\"mtu\":1350,\"vtep\":\"t0\"}");
	run("ip -n a link set va mtu 1500");
	// A remote behind a narrow route.
	run("ip -n a route add 10.7.0.0/24 via 10.9.0.2 mtu 1300");
	knows(&a, "10.7.0.1", true);
	assert_int_equal(vtep_mtu(a.vtep), 1250);
	run("ip -n a route del 10.7.0.0/24");
	vni_close(small);
	vni_close(large);
	close_end(&a);
	close_end(&b);
	close_end(&c);
}

// What comes in at the end within a moment are heartbeats.
static void take_heartbeats(struct end *end, uint64_t now_us)
{
	struct dp_port *port = vni_port(end->vni), *vtep = vtep_port(end->vtep);
	unsigned n;

	usleep(SETTLE_US);
	n = vtep->rx(vtep, 0, got, DP_BURST, &rx_cnt);
	for (unsigned i = 0; i < n; i++)
		assert_true(port->take_local(port, got[i], &rx_cnt));
	vtep_hear(end->vtep, now_us);
}

static void exchange(struct end *asked, struct end *asker, uint64_t now_us)
{
	take_heartbeats(asked, now_us);
	take_heartbeats(asker, now_us);
}

// Behind b, a router with a narrow link, is c. Its ICMP messages, which might be anybody's, are not
// believed; heartbeats find out what passes.
static void test_path_mtu(void **state)
{
	struct conf_vtep conf = conf_of("a", "10.9.0.1");
	struct end a, c;
	struct rte_mbuf *m;
	uint16_t to_c;

	run("ip netns add c && ip -n b link add vc type veth peer name vb netns c && "
	    "ip -n b addr add 10.10.0.1/24 dev vc && ip -n c addr add 10.10.0.2/24 dev vb && "
	    "ip -n b link set vc mtu 1400 up && ip -n c link set vb mtu 1400 up && "
	    "ip -n a route add 10.10.0.0/24 via 10.9.0.2 && "
	    "ip -n c route add default via 10.10.0.1 && "
	    "ip netns exec b sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'");
	conf.heartbeat_ms = 1000;
	a = end_of(&conf, VNI);
	c = end_at("c", "10.10.0.2");
	to_c = knows(&a, "10.10.0.2", true);
	knows(&c, "10.9.0.1", true);
	assert_int_equal(vtep_mtu(a.vtep), 1450);
	for (unsigned i = 0; i < 2; i++) {
		m = small_frame(1400, 0);
		send_to(&a, to_c, &m, 1);
		expect_tx(1, 0, 0); // b has dropped it, and told the kernel
		usleep(SETTLE_US);
		vtep_service(a.vtep, 0);
		assert_int_equal(vtep_mtu(a.vtep), 1450);
	}
	run("ip -n a route get 10.10.0.2 | grep -q 'mtu 1400'");
	m = small_frame(1310, 7);
	send_to(&a, to_c, &m, 1);
	receive(&c, 1);
	assert_small_frame(got[0], 1310, 7);
	free_got();
	for (unsigned i = 1; i < 60 && vtep_mtu(a.vtep) == 1450; i++) {
		vtep_heartbeat(a.vtep, i * 1000000ull);
		exchange(&c, &a, i * 1000000ull);
		vtep_service(a.vtep, i * 1000000ull);
	}
	assert_int_equal(vtep_mtu(a.vtep), 1350);
	assert_string_equal(last_event, "vtep.mtu {\"mtu\":1350,\"vtep\":\"t0\"}");
	close_end(&a);
	close_end(&c);
	run("ip netns del c && ip -n a route del 10.10.0.0/24");
}

static void refuse(const struct conf_vtep *conf, int code, const char *words)
{
	struct vxlan_env e = the_env();
	struct err err = {0};
	struct vtep *vtep;

	assert_int_equal(vtep_open(conf, &e, NULL, &vtep, &err), code);
	assert_string_equal(err.path, "VTEP t0");
	if (!strstr(err.reason, words))
		fail_msg("'%s' does not say '%s'", err.reason, words);
}

static void test_refused(void **state)
{
	struct conf_vtep conf = conf_of("a", "10.9.0.77");
	struct end a = end_at("a", "10.9.0.1");

	refuse(&conf, -EADDRNOTAVAIL, "this host has no address 10.9.0.77 in network namespace a");
	conf = conf_of("a", "10.9.0.1");
	refuse(&conf, -EADDRINUSE, "UDP port 4789 of 10.9.0.1 in network namespace a is taken");
	conf = conf_of("a", "::");
	refuse(&conf, -EADDRINUSE, "is taken");
	conf = conf_of("nowhere", "10.9.0.1");
	refuse(&conf, -ENOENT, "no network namespace nowhere");
	close_end(&a);
}

static void test_remotes(void **state)
{
	struct end a = end_at("a", "10.9.0.1");
	struct ip_addr ip = ip_of("10.9.0.2"), got_ip;
	struct ip_addr wrong[] = {
		ip_of("fd09::2"), ip_of("10.9.0.1"), ip_of("239.1.1.1"), ip_of("0.0.0.0")};
	uint16_t first, again, other;
	struct vni *vni;

	for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(vtep_remote_get(a.vtep, &wrong[i], &first, NULL),
			i ? -EINVAL : -EAFNOSUPPORT);
	assert_int_equal(vtep_remote_get(a.vtep, &ip, &first, NULL), 0);
	assert_int_equal(vtep_remote_get(a.vtep, &ip, &again, NULL), 0);
	assert_int_equal(again, first);
	vtep_remote_put(a.vtep, first);
	assert_true(vtep_remote_ip(a.vtep, first, &got_ip));
	assert_true(ip_equal(&got_ip, &ip));
	vtep_remote_put(a.vtep, first);
	assert_false(vtep_remote_ip(a.vtep, first, &got_ip));
	assert_int_equal(vni_remote_add(a.vni, first, true), -ENOENT);
	// Its number rests.
	assert_int_equal(vtep_remote_get(a.vtep, &ip, &other, NULL), 0);
	assert_int_not_equal(other, first);
	assert_int_equal(vni_open(a.vtep, VNI, 0, &vni, NULL), -EEXIST);
	close_end(&a);
}

static void test_many_remotes(void **state)
{
	struct end a = end_at("a", "10.9.0.1");
	uint16_t number[3000];

	for (unsigned i = 0; i < ARRAY_SIZE(number); i++) {
		struct ip_addr ip = {.family = 4, .byte = {10, 9, 1 + i / 250, 1 + i % 250}};

		assert_int_equal(vtep_remote_get(a.vtep, &ip, &number[i], NULL), 0);
		assert_int_equal(vni_remote_add(a.vni, number[i], true), 0);
	}
	assert_int_equal(vtep_publish(a.vtep), 0);
	assert_int_equal(vni_port(a.vni)->nb_remotes, ARRAY_SIZE(number));
	vtep_service(a.vtep, 0);
	for (unsigned i = 0; i < ARRAY_SIZE(number); i++) {
		vni_remote_del(a.vni, number[i], true);
		vtep_remote_put(a.vtep, number[i]);
	}
	assert_int_equal(vtep_publish(a.vtep), 0);
	assert_int_equal(vni_port(a.vni)->nb_remotes, 0);
	close_end(&a);
}

static void test_namespace_deleted(void **state)
{
	struct end end;

	run("ip netns add gone && ip -n gone link set lo up");
	end = end_at("gone", "127.0.0.1");
	vtep_service(end.vtep, 0);
	assert_int_equal(vtep_port(end.vtep)->failed, 0);
	run("ip netns del gone");
	vtep_service(end.vtep, 0);
	assert_int_equal(vtep_port(end.vtep)->failed, ENODEV);
	close_end(&end);
}

static void test_describe(void **state)
{
	struct end a = end_at("a", "10.9.0.1");
	json_t *obj = json_object();
	char *text;

	knows(&a, "10.9.0.2", true);
	vtep_describe(a.vtep, obj);
	text = json_dumps(obj, JSON_COMPACT | JSON_SORT_KEYS);
	assert_string_equal(text,
		"{\"mtu\":1450,"
		"\"remotes\":[{\"ip\":\"10.9.0.2\",\"path_mtu\":1500}],\"vnis\":[42]}");
	free(text);
	json_decref(obj);
	close_end(&a);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		ENDTEST(test_mtu),
		ENDTEST(test_mtu_of_both_families),
		ENDTEST(test_path_mtu),
		ENDTEST(test_refused),
		ENDTEST(test_remotes),
		ENDTEST(test_many_remotes),
		ENDTEST(test_namespace_deleted),
		ENDTEST(test_describe),
	};

	return ends_run(tests, ARRAY_SIZE(tests), argc, argv);
}
