// SPDX-License-Identifier: BSD-3-Clause
// What requests to vsnetd make of their parameters, before an agent that only remembers what it was
// asked; and the methods' list.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/util.h"
#include "ctrl/async.h"
#include "netd/ctl/handle.h"
#include "netd/drivers/network_check.h"

#define DEADLINE_US 10000000

static char dir[] = "/tmp/test_handle.XXXXXX";

static struct {
	struct loop *loop;
	struct netd_handle handle;
	struct ctrl_async *async;
	bool up, done;
	int rc;
	json_t *result;
	char reason[512];
	json_t *asked;	   // what the agent was asked
	agent_done_fn *fn; // held
	void *arg;
	bool hold;
} t;

// ---- the agent ----

static void remember(json_t *asked, agent_done_fn *fn, void *arg)
{
	struct err err = {0};
	json_t *result = json_pack("{s:s}", "answer", "of the agent");

	assert_non_null(asked);
	json_decref(t.asked);
	t.asked = asked;
	if (t.hold) {
		t.fn = fn;
		t.arg = arg;
	} else {
		fn(arg, 0, result, &err);
	}
	json_decref(result);
}

void agent_network_create(
	struct agent *agent, const struct network_record *want, agent_done_fn *fn, void *arg)
{
	remember(network_record_json(want), fn, arg);
}

void agent_network_rm(
	struct agent *agent, const char *name, bool force, agent_done_fn *fn, void *arg)
{
	remember(json_pack("{s:s, s:b}", "name", name, "force", force), fn, arg);
}

void agent_network_prune(struct agent *agent, const json_t *labels, agent_done_fn *fn, void *arg)
{
	remember(json_pack("{s:O?}", "labels", labels), fn, arg);
}

void agent_connect(
	struct agent *agent, const struct connect_spec *spec, agent_done_fn *fn, void *arg)
{
	char ip[IP_TEXT_BYTES], ip6[IP_TEXT_BYTES], mac[MAC_TEXT_BYTES];
	json_t *aliases = json_array();

	for (unsigned i = 0; i < spec->nb_aliases; i++)
		json_array_append_new(aliases, json_string(spec->aliases[i]));
	remember(json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s?, s:o, s:O?}", "network",
			 spec->network, "name", spec->name, "sandbox", spec->sandbox, "ip",
			 ip_format(&spec->ips[0], ip), "ip6", ip_format(&spec->ips[1], ip6), "mac",
			 spec->has_mac ? mac_format(&spec->mac, mac) : "", "ifname", spec->ifname,
			 "aliases", aliases, "options", spec->options),
		fn, arg);
}

void agent_disconnect(struct agent *agent, const char *network, const char *endpoint, bool force,
	agent_done_fn *fn, void *arg)
{
	remember(json_pack("{s:s, s:s, s:b}", "network", network, "name", endpoint, "force", force),
		fn, arg);
}

void agent_audit(struct agent *agent, bool repair, agent_done_fn *fn, void *arg)
{
	remember(json_pack("{s:b}", "repair", repair), fn, arg);
}

json_t *agent_networks(struct agent *agent)
{
	return json_pack(
		"{s:[{s:s},{s:s},{s:s}]}", "networks", "name", "b", "name", "c", "name", "a");
}

json_t *agent_network(struct agent *agent, const char *name, struct err *err)
{
	if (!strcmp(name, "front"))
		return json_pack("{s:s}", "name", name);
	err_set(err, -ENOENT, name, "there is no such network");
	return NULL;
}

json_t *agent_hosts(struct agent *agent)
{
	return json_pack("{s:[]}", "hosts");
}

json_t *agent_names(struct agent *agent, const char *network, struct err *err)
{
	if (network && strcmp(network, "front")) {
		err_set(err, -ENOENT, network, "there is no such network");
		return NULL;
	}
	return json_pack("{s:[], s:s?}", "names", "network", network);
}

void agent_ask(struct agent *agent, const char *container, const char *network, const char *name,
	const char *type, agent_done_fn *fn, void *arg)
{
	remember(json_pack("{s:s?, s:s?, s:s, s:s}", "container", container, "network", network,
			 "name", name, "type", type),
		fn, arg);
}

int agent_dns_stats(struct agent *agent, json_t **ret_stats, struct err *err)
{
	return err_set(err, -EOPNOTSUPP, "names", "this host answers none");
}

int agent_dns_flush(struct agent *agent, unsigned *ret_count, struct err *err)
{
	*ret_count = 7;
	return 0;
}

json_t *agent_status(struct agent *agent)
{
	return json_pack("{s:b}", "settled", 1);
}

// ---- a client ----

static void on_state(void *arg, bool up)
{
	t.up = up;
}

static void check(void *arg)
{
	bool *flag = arg;

	if (*flag)
		loop_stop(t.loop);
}

static void expired(void *arg)
{
	loop_stop(t.loop);
}

static void wait_for(bool *flag)
{
	struct loop_handle *timer = loop_add_timer(t.loop, 1000, check, flag);
	struct loop_handle *end = loop_add_timer(t.loop, DEADLINE_US, expired, NULL);

	assert_int_equal(loop_run(t.loop), 0);
	loop_del(t.loop, timer);
	loop_del(t.loop, end);
	assert_true(*flag);
}

static void on_reply(void *arg, int rc, const json_t *result, const struct err *err)
{
	t.done = true;
	t.rc = rc;
	json_decref(t.result);
	t.result = json_incref((json_t *)result);
	snprintf(t.reason, sizeof(t.reason), "%s", err->reason);
}

static void call(const char *method, const char *params)
{
	json_t *obj = params[0] ? json_loads(params, 0, NULL) : NULL;

	assert_true(obj || !params[0]);
	t.done = false;
	json_decref(t.asked);
	t.asked = NULL;
	ctrl_async_call(t.async, method, obj, on_reply, NULL);
	wait_for(&t.done);
}

// The agent was asked for `want` (a part of it), and its answer came back.
static void expect_asked(const char *method, const char *params, const char *want)
{
	json_t *part = json_loads(want, 0, NULL), *value;
	const char *key;

	assert_non_null(part);
	call(method, params);
	if (t.rc < 0)
		fail_msg("%s %s: %s", method, params, t.reason);
	assert_string_equal(json_string_value(json_object_get(t.result, "answer")), "of the agent");
	json_object_foreach (part, key, value) {
		if (!json_equal(value, json_object_get(t.asked, key)))
			fail_msg("%s %s: %s is %s", method, params, key,
				json_dumps(json_object_get(t.asked, key), JSON_ENCODE_ANY));
	}
	json_decref(part);
}

static void expect_refused(const char *method, const char *params, int rc, const char *say)
{
	call(method, params);
	assert_null(t.asked);
	if (t.rc != rc || !strstr(t.reason, say))
		fail_msg("%s %s: %d \"%s\" instead of %d \"%s\"", method, params, t.rc, t.reason,
			rc, say);
}

static int setup(void **state)
{
	struct ctrl_server_opts opts = {.run_dir = dir,
		.program = "vsnetd",
		.methods = netd_methods,
		.handlers = netd_handlers,
		.nb_methods = NB_NETD_METHODS,
		.arg = &t.handle};
	struct ctrl_async_opts client = {.run_dir = dir, .on_state = on_state};
	struct err err = {0};

	memset(&t, 0, sizeof(t));
	t.loop = opts.loop = client.loop = loop_new();
	t.handle.run_dir = dir;
	if (ctrl_server_new(&opts, &t.handle.server, &err) < 0 ||
		ctrl_async_new(&client, &t.async, &err) < 0)
		fail_msg("%s: %s", err.path, err.reason);
	wait_for(&t.up);
	return 0;
}

static int teardown(void **state)
{
	ctrl_async_free(t.async);
	ctrl_server_free(t.handle.server);
	loop_free(t.loop);
	json_decref(t.asked);
	json_decref(t.result);
	return 0;
}

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
		"mac 01:00:00:00:00:05 is not allowed; a unicast address");
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
	char command[64];
	int failed;

	if (!mkdtemp(dir))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command) != 0 || failed;
}
