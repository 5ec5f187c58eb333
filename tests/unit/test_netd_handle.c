// SPDX-License-Identifier: BSD-3-Clause
// What requests to vsnetd make of their parameters, and the methods' list.
#include "tests/unit/netd_handle_bed.h"

static void test_create(void **state)
{
	expect_asked("network.create", "{\"name\": \"a\"}",
		"{\"name\": \"a\", \"driver\": \"bridge\", \"ipv6\": false, \"internal\": false, "
		"\"labels\": {}, \"options\": {}, \"subnets\": []}");
	expect_asked("network.create",
		"{\"name\": \"a\", \"dns\": [\"10.2.0.1\", \"10.2.0.2:54\"]}",
		"{\"dns\": [\"10.2.0.1\", \"10.2.0.2:54\"]}");
	// Ranges, gateways and reserved addresses find their subnets.
	expect_asked("network.create",
		"{\"name\": \"a\", \"driver\": \"overlay\", \"internal\": true, "
		"\"subnets\": [\"10.1.0.0/16\", \"fd00::/64\"], "
		"\"ip_ranges\": [\"fd00::1:0/112\", \"10.1.4.0/24\"], "
		"\"gateways\": [\"fd00::1\", \"10.1.0.1\"], "
		"\"aux_addresses\": {\"r\": \"10.1.0.2\", \"s\": \"fd00::2\", \"q\": \"10.1.0.3\"},"
		"\"labels\": {\"tier\": \"front\"}, \"options\": {\"mtu\": \"1400\", \"vni\": "
		"\"7\"}}",
		"{\"driver\": \"overlay\", \"ipv6\": true, \"internal\": true, \"vni\": 7, "
		"\"labels\": {\"tier\": \"front\"}}");
	assert_int_equal(json_array_size(json_object_get(t.asked, "subnets")), 2);
	{
		char *text = json_dumps(json_object_get(t.asked, "subnets"), JSON_COMPACT);
		static const char *const parts[] = {"10.1.4.0/24", "fd00::1:0/112", "\"10.1.0.1\"",
			"\"fd00::1\"", "10.1.0.2", "10.1.0.3", "fd00::2"};

		for (unsigned i = 0; i < ARRAY_SIZE(parts); i++) {
			if (!strstr(text, parts[i]))
				fail_msg("%s is not in %s", parts[i], text);
		}
		free(text);
	}
}

static void test_create_refused(void **state)
{
	static const struct {
		const char *params;
		int rc;
		const char *say;
	} cases[] = {
		{"{}", -EINVAL, "'name' is missing"},
		{"{\"name\": \"a\", \"subnets\": [\"10.1\"]}", -EINVAL,
			"network a: '10.1' is not a subnet; give ADDRESS/LENGTH"},
		{"{\"name\": \"a\", \"ip_ranges\": [\"10.1.0.0/24\"]}", -EINVAL,
			"network a: ip-range 10.1.0.0 needs a subnet that contains it"},
		{"{\"name\": \"a\", \"subnets\": [\"10.1.0.0/16\"], \"gateways\": [\"10.2.0.1\"]}",
			-EINVAL, "network a: gateway 10.2.0.1 is in none of its subnets"},
		{"{\"name\": \"a\", \"subnets\": [\"10.1.0.0/16\"], \"gateways\": [\"10.1.0.1\", "
		 "\"10.1.0.2\"]}",
			-EINVAL, "gateway 10.1.0.2 is the second one in its subnet"},
		{"{\"name\": \"a\", \"subnets\": [\"10.1.0.0/16\"], \"ip_ranges\": "
		 "[\"10.1.0.0/24\", \"10.1.1.0/24\"]}",
			-EINVAL, "ip-range 10.1.1.0/24 is the second one"},
		{"{\"name\": \"a\", \"subnets\": [\"10.1.0.0/16\"], \"aux_addresses\": {\"r\": "
		 "5}}",
			-EINVAL, "aux-address 'r' is not allowed"},
		{"{\"name\": \"a\", \"subnets\": [\"10.1.0.0/16\"], \"aux_addresses\": {\"r\": "
		 "\"10.2.0.1\"}}",
			-EINVAL, "aux-address r 10.2.0.1 is in none of its subnets"},
		{"{\"name\": \"a\", \"dns\": [\"10.2.0.1\", \"ns\"]}", -EINVAL,
			"network a: dns 'ns' is not allowed; a server is ADDRESS"},
		{"{\"name\": \"a\", \"options\": {\"mtu\": 1400}}", -EINVAL,
			"'mtu' in options is not allowed; the value must be a text"},
		{"{\"name\": \"a\", \"driver\": \"overlay-with-a-long-name\"}", -EINVAL,
			"there is no driver 'overlay-with-a"},
		{"{\"name\": \"a\", \"subnets\": [\"10.1.0.0/31\"]}", -EINVAL,
			"has no room for containers"},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++)
		expect_refused("network.create", cases[i].params, cases[i].rc, cases[i].say);
}

static void test_connect(void **state)
{
	expect_asked("network.connect", "{\"network\": \"a\", \"name\": \"c1\"}",
		"{\"network\": \"a\", \"name\": \"c1\", \"sandbox\": \"c1\", \"ip\": \"\", "
		"\"ip6\": \"\", \"mac\": \"\", \"ifname\": null, \"aliases\": []}");
	expect_asked("network.connect",
		"{\"network\": \"a\", \"name\": \"c1\", \"netns\": \"/proc/1/ns/net\", \"ip\": "
		"\"10.1.0.5\", \"ip6\": \"fd00::5\", \"mac\": \"02:00:00:00:00:05\", \"ifname\": "
		"\"net0\", \"aliases\": [\"web\", \"www\"], \"options\": {\"spoof\": \"allow\"}}",
		"{\"sandbox\": \"/proc/1/ns/net\", \"ip\": \"10.1.0.5\", \"ip6\": \"fd00::5\", "
		"\"mac\": \"02:00:00:00:00:05\", \"ifname\": \"net0\", \"aliases\": [\"web\", "
		"\"www\"], \"options\": {\"spoof\": \"allow\"}}");
	expect_refused("network.connect",
		"{\"network\": \"a\", \"name\": \"c1\", \"ip\": \"fd00::5\"}", -EINVAL,
		"container c1: ip fd00::5 is no IPv4 address");
	expect_refused("network.connect",
		"{\"network\": \"a\", \"name\": \"c1\", \"mac\": \"01:00:00:00:00:05\"}", -EINVAL,
		"mac 01:00:00:00:00:05 is not allowed; it must be a unicast address");
	expect_refused("network.connect",
		"{\"network\": \"a\", \"name\": \"c1\", \"ifname\": \"a/b\"}", -EINVAL,
		"ifname 'a/b' is not allowed");
	expect_refused("network.connect", "{\"name\": \"c1\"}", -EINVAL, "'network' is missing");
}

static void test_others(void **state)
{
	expect_asked("network.rm", "{\"name\": \"a\", \"force\": true}",
		"{\"name\": \"a\", \"force\": true}");
	expect_asked("network.disconnect", "{\"network\": \"a\", \"name\": \"c1\"}",
		"{\"network\": \"a\", \"name\": \"c1\", \"force\": false}");
	expect_asked("network.prune", "{\"labels\": {\"a\": \"\"}}", "{\"labels\": {\"a\": \"\"}}");
	expect_asked("network.prune", "", "{\"labels\": null}");
	expect_asked("audit", "{\"repair\": true}", "{\"repair\": true}");
	call("network.ls", "");
	for (unsigned i = 0; i < 3; i++) {
		const json_t *row = json_array_get(json_object_get(t.result, "networks"), i);
		const char name[] = {'a' + i, '\0'};

		assert_string_equal(json_string_value(json_object_get(row, "name")), name);
	}
	call("hosts", "");
	assert_true(json_is_array(json_object_get(t.result, "hosts")));
	call("network.inspect", "{\"name\": \"front\"}");
	assert_string_equal(json_string_value(json_object_get(t.result, "name")), "front");
	expect_refused(
		"network.inspect", "{\"name\": \"back\"}", -ENOENT, "there is no such network");
	call("status", "");
	assert_true(json_is_true(json_object_get(t.result, "settled")));
	assert_int_equal(json_integer_value(json_object_get(t.result, "pid")), getpid());
}

static void test_dns(void **state)
{
	call("dns.ls", "");
	assert_true(json_is_null(json_object_get(t.result, "network")));
	call("dns.ls", "{\"network\": \"front\"}");
	assert_true(json_is_array(json_object_get(t.result, "names")));
	expect_refused("dns.ls", "{\"network\": \"back\"}", -ENOENT, "there is no such network");
	expect_asked("dns.query", "{\"name\": \"c1\"}",
		"{\"name\": \"c1\", \"type\": \"A\", \"container\": null, \"network\": null}");
	expect_asked("dns.query", "{\"name\": \"c1\", \"type\": \"SRV\", \"container\": \"c2\"}",
		"{\"type\": \"SRV\", \"container\": \"c2\"}");
	expect_refused("dns.query", "{\"name\": \"c1\", \"network\": \"a\", \"container\": \"c2\"}",
		-EINVAL, "give a container or a network");
	expect_refused("dns.query", "{}", -EINVAL, "'name' is missing");
	expect_refused("dns.stats", "", -EOPNOTSUPP, "this host answers none");
	call("dns.flush", "");
	assert_int_equal(json_integer_value(json_object_get(t.result, "flushed")), 7);
}

// While one waits, others are answered.
static void test_parallel(void **state)
{
	struct err err = {0};
	agent_done_fn *fn;
	void *arg;

	t.hold = true;
	ctrl_async_call(t.async, "network.rm", json_pack("{s:s}", "name", "a"), on_reply, NULL);
	while (!t.fn)
		call("status", "");
	t.hold = false;
	fn = t.fn;
	arg = t.arg;
	expect_asked("network.rm", "{\"name\": \"b\"}", "{\"name\": \"b\"}");
	t.done = false;
	err_set(&err, -EBUSY, "network a", "is in use");
	fn(arg, -EBUSY, NULL, &err);
	wait_for(&t.done);
	assert_int_equal(t.rc, -EBUSY);
}

static void test_method_list(void **state)
{
	for (unsigned i = 0; i < NB_NETD_METHODS; i++) {
		const struct ctrl_method *m = &netd_methods[i];

		assert_ptr_equal(ctrl_method_find(netd_methods, NB_NETD_METHODS, m->name), m);
		assert_non_null(m->help);
		assert_non_null(netd_handlers[i]);
		for (const struct ctrl_param *p = m->params; p->name; p++) {
			assert_non_null(p->help);
			assert_true(p->min <= p->max);
			assert_true(p->type != CTRL_LIST || p->item);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_create, setup, teardown),
		cmocka_unit_test_setup_teardown(test_create_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_connect, setup, teardown),
		cmocka_unit_test_setup_teardown(test_others, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dns, setup, teardown),
		cmocka_unit_test_setup_teardown(test_parallel, setup, teardown),
		cmocka_unit_test(test_method_list),
	};
	return handle_run(tests, ARRAY_SIZE(tests));
}
