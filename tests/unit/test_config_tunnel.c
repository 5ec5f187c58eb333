// SPDX-License-Identifier: BSD-3-Clause
// The options of VTEPs and of ports of type vxlan: values, mistakes, limits.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "config/conf.h"
#include "config/nearest.h"
#include "config/schema.h"
#include "tests/unit/config_bed.h"

static void test_wrong_networks(void **state)
{
	static const char *const cases[][2] = {
		{"{\"key\": 1}", "a port of type tap has no key"},
		{"{\"type\": \"vxlan\"}", "key: the key is missing; a VNI is 0 to 16777215"},
		{"{\"type\": \"vxlan\", \"key\": null}", "key: the key is missing"},
		{"{\"type\": \"vxlan\", \"key\": 16777216}", "0 to 16777215"},
		{"{\"type\": \"vxlan\", \"key\": 1, \"vni\": 1}", "unknown key 'vni'"},
		{"{\"type\": \"vxlan\", \"key\": 1, \"queues\": 2}", "has no queues"},
		{"{\"type\": \"vxlan\", \"key\": 1, \"remote\": \"flow\"}",
			"remote: 'flow' is not allowed; a remote VTEP is an IPv4 or"},
		{"{\"type\": \"vxlan\", \"key\": 1, \"remote\": \"239.1.1.1\"}", "not of a group"},
		{"{\"type\": \"vxlan\", \"key\": 1, \"remote\": \"255.255.255.255\"}",
			"of a group"},
		{"{\"type\": \"vxlan\", \"key\": 1, \"remote\": \"0.0.0.0\"}", "of one host"},
		{"{\"type\": \"vxlan\", \"key\": 1, \"remote\": \"::ffff:10.0.0.1\"}",
			"write an IPv4 address as 10.0.0.1"},
		{"{\"type\": \"vxlan\", \"key\": 1, \"remote\": \"10.0.0.1/24\"}",
			"is not allowed"},
		{"{\"type\": \"vxlan\", \"key\": 1, \"remote\": [\"::1\", \"0:0::1\"]}", "twice"},
		{"{\"type\": \"vxlan\", \"key\": 1, \"learning\": \"no\"}",
			"learning is true or false"},
		{"{\"type\": \"vxlan\", \"key\": 1, \"learning\": \"off\"}",
			"a string is not allowed; learning is true or false"},
		{"{\"type\": \"vxlan\", \"key\": 1, \"dscp\": 64}",
			"a DSCP is 0 to 63, or inherit"},
		{"{\"type\": \"vxlan\", \"key\": 1, \"dscp\": \"copy\"}", "0 to 63, or inherit"},
		{"{\"type\": \"vxlan\", \"key\": 1, \"tos\": 184}", "unknown key 'tos'"},
		{"{\"type\": \"vxlan\", \"key\": 1, \"ttl\": 0}", "a TTL is 1 to 255, or inherit"},
		{"{\"type\": \"vxlan\", \"key\": 1, \"ttl\": 256}", "1 to 255, or inherit"},
		{"{\"type\": \"tap\", \"ttl\": 9}", "has no ttl"},
	};
	struct conf_port port;

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		fresh(&port);
		bind_refused(&port, cases[i][0], cases[i][1]);
	}
}

// A network: 0 is a number as any other, and stays through a change that does not name it.
static void test_vxlan(void **state)
{
	struct conf_port port, before;
	struct ip_addr ip;

	fresh(&port);
	assert_int_equal(port.vni, CONF_VNI_NONE);
	bind_ok(&port, "{\"type\": \"vxlan\", \"key\": 0, \"remote\": \"10.0.0.2,fd00::2\", "
		       "\"vtep\": \"west\", \"learning\": false, \"tag\": 10, \"mtu\": 1400}");
	assert_int_equal(port.vni, 0);
	assert_int_equal(port.nb_remotes, 2);
	ip_parse("fd00::2", &ip);
	assert_true(ip_equal(&port.remote[1], &ip));
	assert_string_equal(port.vtep, "west");
	assert_true(port.no_learning);
	before = port;
	bind_ok(&port, "{}");
	assert_memory_equal(&port, &before, sizeof(port));
	bind_ok(&port, "{\"remote\": [\"10.0.0.3\"], \"learning\": true, \"isolated\": true}");
	assert_int_equal(port.nb_remotes, 1);
	assert_true(port.isolated);
	assert_false(port.no_learning);
	assert_int_equal(port.dscp, 0);
	assert_int_equal(port.ttl, 64);
	bind_ok(&port, "{\"dscp\": \"inherit\", \"ttl\": \"inherit\"}");
	assert_int_equal(port.dscp, CONF_DSCP_INHERIT);
	assert_int_equal(port.ttl, CONF_TTL_INHERIT);
	bind_ok(&port, "{\"dscp\": 46, \"ttl\": null}");
	assert_int_equal(port.dscp, 46);
	assert_int_equal(port.ttl, 64);
	bind_ok(&port, "{\"remote\": null}");
	assert_int_equal(port.nb_remotes, 0);
	bind_refused(&port, "{\"key\": null}", "key: the key is missing");
	bind_refused(&port, "{\"type\": \"tap\"}", "a port of type tap has no key");
	fresh(&port);
	bind_ok(&port, "{\"mtu\": \"auto\"}");
	assert_int_equal(port.mtu, CONF_MTU_AUTO);
}

static void test_too_many_remotes(void **state)
{
	json_t *obj = json("{\"type\": \"vxlan\", \"key\": 1, \"remote\": []}");
	struct conf_port port;
	struct err err = {0};

	for (unsigned i = 1; i <= CONF_REMOTES_MAX; i++)
		json_array_append_new(json_object_get(obj, "remote"), json_sprintf("10.0.0.%u", i));
	fresh(&port);
	assert_int_equal(conf_port_bind(obj, "port c1", &port, &err), 0);
	assert_int_equal(port.nb_remotes, CONF_REMOTES_MAX);
	json_array_append_new(json_object_get(obj, "remote"), json_string("10.0.1.1"));
	assert_int_equal(conf_port_bind(obj, "port c1", &port, &err), -EINVAL);
	assert_string_equal(err.reason, "there are too many; remote has at most 16 addresses");
	json_decref(obj);
}

static void test_vtep(void **state)
{
	static const char *const good[] = {
		"{}",
		"{\"address\": \"10.0.0.1\", \"udp_port\": 8472, \"mtu\": 9000, \"checksum\": "
		"false, \"heartbeat\": 500, \"netns\": \"lan\"}",
		"{\"underlay\": \"port\", \"address\": \"10.0.0.1/24\", \"gateway\": "
		"\"10.0.0.254\", \"netns\": \"lan\", \"ifname\": \"eth0\", \"mac\": "
		"\"02:00:00:00:00:01\", \"queues\": 2}",
		"{\"underlay\": \"port\", \"type\": \"dpdk\", \"devargs\": \"net_null0\", "
		"\"address\": \"fd00::1/64\", \"gateway\": \"fd00::ff\"}",
	};
	struct conf_vtep vtep, back;
	struct err err;

	for (unsigned i = 0; i < ARRAY_SIZE(good); i++) {
		json_t *want = json(good[i]), *is;

		assert_int_equal(bind_vtep(&vtep, good[i], &err), 0);
		is = conf_vtep_to_json(&vtep, false);
		assert_true(json_equal(is, want));
		json_decref(is);
		is = conf_vtep_to_json(&vtep, true);
		conf_vtep_init(&back);
		strcpy(back.name, "west");
		assert_int_equal(conf_vtep_bind(is, "vtep", &back, &err), 0);
		assert_memory_equal(&back, &vtep, sizeof(back));
		json_decref(is);
		json_decref(want);
	}
	assert_int_equal(vtep.prefix, 64);
	assert_int_equal(vtep.udp_port, 4789);
	assert_int_equal(vtep.port.type, CONF_PORT_DPDK);
}

static void test_vtep_refused(void **state)
{
	static const char *const cases[][2] = {
		{"{\"address\": \"10.0.0.1/24\"}",
			"address: with underlay kernel, give the address without"},
		{"{\"address\": \"239.0.0.1\"}", "not of a group"},
		{"{\"address\": \"here\"}", "the address of a VTEP is written as"},
		{"{\"udp_port\": 0}", "a UDP port is 1 to 65535"},
		{"{\"devargs\": \"x\"}", "a VTEP with underlay kernel has no devargs"},
		{"{\"gateway\": \"10.0.0.1\"}", "with underlay kernel has no gateway"},
		{"{\"type\": \"tap\"}", "with underlay kernel has no type"},
		{"{\"underlay\": \"port\"}", "address: the key is missing"},
		{"{\"underlay\": \"prot\"}", "did you mean 'port'?"},
		{"{\"underlay\": \"port\", \"address\": \"10.0.0.1\"}", "with its prefix length"},
		{"{\"underlay\": \"port\", \"address\": \"10.0.0.1/0\"}", "is not allowed"},
		{"{\"underlay\": \"port\", \"address\": \"10.0.0.1/33\"}", "is not allowed"},
		{"{\"underlay\": \"port\", \"address\": \"0.0.0.0/8\"}",
			"underlay port needs one address"},
		{"{\"underlay\": \"port\", \"address\": \"10.0.0.1/24\", \"gateway\": "
		 "\"10.0.1.1\"}",
			"gateway: the gateway must be in the prefix"},
		{"{\"underlay\": \"port\", \"address\": \"10.0.0.1/24\", \"gateway_mac\": "
		 "\"02:00:00:00:00:01\"}",
			"gateway-mac: gateway is missing"},
		{"{\"underlay\": \"port\", \"address\": \"10.0.0.1/8\", \"gateway\": \"a00::1\"}",
			"gateway: the gateway must be in the prefix"},
		{"{\"underlay\": \"port\", \"address\": \"10.0.0.1/8\", \"type\": \"vxlan\"}",
			"type is tap, veth or dpdk"},
		{"{\"underlay\": \"port\", \"address\": \"10.0.0.1/8\", \"type\": \"dpdk\"}",
			"devargs: the key is missing"},
		{"{\"underlay\": \"port\", \"address\": \"10.0.0.1/8\", \"host_ifname\": \"x\"}",
			"with underlay port of type tap has no host-ifname"},
	};
	struct conf_vtep vtep;
	struct err err;
	char buf[768];

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(bind_vtep(&vtep, cases[i][0], &err), -EINVAL);
		if (!strstr(err_text(&err, buf, sizeof(buf)), cases[i][1]))
			fail_msg("%s: \"%s\" does not say \"%s\"", cases[i][0], buf, cases[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrong_networks),
		cmocka_unit_test(test_vxlan),
		cmocka_unit_test(test_too_many_remotes),
		cmocka_unit_test(test_vtep),
		cmocka_unit_test(test_vtep_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
