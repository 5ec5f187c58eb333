// SPDX-License-Identifier: BSD-3-Clause
#include "tests/unit/netd_handle_bed.h"

#define DEADLINE_US 10000000

char handle_dir[] = "/tmp/test_handle.XXXXXX";

struct handle_bed t;

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

void agent_set_wait(struct agent *agent, unsigned wait_ms)
{
	t.wait_ms = wait_ms;
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

void agent_host_rm(struct agent *agent, const char *name, bool force, agent_done_fn *fn, void *arg)
{
	remember(json_pack("{s:s, s:b}", "name", name, "force", force), fn, arg);
}

static json_t *spec_json(const struct connect_spec *spec)
{
	char ip[IP_TEXT_BYTES], ip6[IP_TEXT_BYTES], mac[MAC_TEXT_BYTES];
	json_t *aliases = json_array();

	for (unsigned i = 0; i < spec->nb_aliases; i++)
		json_array_append_new(aliases, json_string(spec->aliases[i]));
	return json_pack("{s:s, s:s, s:s?, s:s, s:s, s:s, s:s?, s:o, s:O?}", "network",
		spec->network, "name", spec->name, "sandbox", spec->sandbox, "ip",
		ip_format(&spec->ips[0], ip), "ip6", ip_format(&spec->ips[1], ip6), "mac",
		spec->has_mac ? mac_format(&spec->mac, mac) : "", "ifname", spec->ifname, "aliases",
		aliases, "options", spec->options);
}

void agent_connect(
	struct agent *agent, const struct connect_spec *spec, agent_done_fn *fn, void *arg)
{
	remember(spec_json(spec), fn, arg);
}

void agent_endpoint_create(struct agent *agent, const char *id, const struct connect_spec *spec,
	agent_done_fn *fn, void *arg)
{
	json_t *asked = spec_json(spec);

	json_object_set_new(asked, "id", json_string(id));
	remember(asked, fn, arg);
}

void agent_endpoint_join(struct agent *agent, const char *id, const struct join_spec *spec,
	agent_done_fn *fn, void *arg)
{
	remember(json_pack("{s:s, s:s, s:s?}", "id", id, "sandbox", spec->sandbox, "ifname",
			 spec->ifname),
		fn, arg);
}

static void remember_end(
	const char *what, const char *id, bool if_exists, agent_done_fn *fn, void *arg)
{
	remember(json_pack("{s:s, s:s, s:b}", "what", what, "id", id, "if_exists", if_exists), fn,
		arg);
}

void agent_endpoint_leave_by_id(
	struct agent *agent, const char *id, bool if_exists, agent_done_fn *fn, void *arg)
{
	remember_end("leave", id, if_exists, fn, arg);
}

void agent_endpoint_delete(
	struct agent *agent, const char *id, bool if_exists, agent_done_fn *fn, void *arg)
{
	remember_end("delete", id, if_exists, fn, arg);
}

void agent_address_request(struct agent *agent, const char *id, const struct address_spec *spec,
	agent_done_fn *fn, void *arg)
{
	char ip[IP_TEXT_BYTES];

	remember(json_pack("{s:s, s:s, s:s, s:b}", "id", id, "network", spec->network, "ip",
			 ip_format(&spec->ip, ip), "ipv6", spec->ipv6),
		fn, arg);
}

void agent_address_release(
	struct agent *agent, const char *id, bool if_exists, agent_done_fn *fn, void *arg)
{
	remember_end("release", id, if_exists, fn, arg);
}

int agent_pool_request(struct agent *agent, const char *id, const struct pool_spec *spec,
	json_t **ret_result, struct err *err)
{
	char subnet[CIDR_TEXT_BYTES], range[CIDR_TEXT_BYTES];

	*ret_result = json_pack("{s:s, s:s, s:s, s:b}", "id", id, "subnet",
		spec->subnet.ip.family ? cidr_format(&spec->subnet, subnet) : "", "ip_range",
		spec->range.ip.family ? cidr_format(&spec->range, range) : "", "ipv6", spec->ipv6);
	return 0;
}

int agent_pool_release(
	struct agent *agent, const char *id, bool if_exists, json_t **ret_result, struct err *err)
{
	if (!if_exists)
		return err_set(err, -ENOENT, id, "it does not exist");
	*ret_result = json_pack("{s:s, s:b}", "id", id, "released", 0);
	return 0;
}

json_t *agent_pools(struct agent *agent)
{
	return json_pack("{s:[]}", "pools");
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

void wait_for(bool *flag)
{
	struct loop_handle *timer = loop_add_timer(t.loop, 1000, check, flag);
	struct loop_handle *end = loop_add_timer(t.loop, DEADLINE_US, expired, NULL);

	assert_int_equal(loop_run(t.loop), 0);
	loop_del(t.loop, timer);
	loop_del(t.loop, end);
	assert_true(*flag);
}

void on_reply(void *arg, int rc, const json_t *result, const struct err *err)
{
	t.done = true;
	t.rc = rc;
	json_decref(t.result);
	t.result = json_incref((json_t *)result);
	snprintf(t.reason, sizeof(t.reason), "%s", err->reason);
}

void call(const char *method, const char *params)
{
	json_t *obj = params[0] ? json_loads(params, 0, NULL) : NULL;

	assert_true(obj || !params[0]);
	t.done = false;
	json_decref(t.asked);
	t.asked = NULL;
	ctrl_async_call(t.async, method, obj, on_reply, NULL);
	wait_for(&t.done);
}

void expect_asked(const char *method, const char *params, const char *want)
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

void expect_refused(const char *method, const char *params, int rc, const char *say)
{
	call(method, params);
	assert_null(t.asked);
	if (t.rc != rc || !strstr(t.reason, say))
		fail_msg("%s %s: %d \"%s\" instead of %d \"%s\"", method, params, t.rc, t.reason,
			rc, say);
}

void expect_result(const char *method, const char *params, const char *want)
{
	json_t *part = json_loads(want, 0, NULL);

	assert_non_null(part);
	call(method, params);
	if (t.rc < 0 || !json_equal(part, t.result))
		fail_msg("%s %s: %s %s", method, params, t.reason, json_dumps(t.result, 0));
	json_decref(part);
}

int setup(void **state)
{
	struct ctrl_server_opts opts = {.run_dir = handle_dir,
		.program = "vsnetd",
		.methods = netd_methods,
		.handlers = netd_handlers,
		.nb_methods = NB_NETD_METHODS,
		.arg = &t.handle};
	struct ctrl_async_opts client = {.run_dir = handle_dir, .on_state = on_state};
	struct err err = {0};

	memset(&t, 0, sizeof(t));
	t.loop = opts.loop = client.loop = loop_new();
	t.handle.run_dir = handle_dir;
	if (ctrl_server_new(&opts, &t.handle.server, &err) < 0 ||
		ctrl_async_new(&client, &t.async, &err) < 0)
		fail_msg("%s: %s", err.path, err.reason);
	wait_for(&t.up);
	return 0;
}

int teardown(void **state)
{
	ctrl_async_free(t.async);
	ctrl_server_free(t.handle.server);
	loop_free(t.loop);
	json_decref(t.asked);
	json_decref(t.result);
	return 0;
}

int handle_run(const struct CMUnitTest *tests, size_t count)
{
	char command[64];
	int failed;

	if (!mkdtemp(handle_dir))
		return 1;
	failed = _cmocka_run_group_tests("handle", tests, count, NULL, NULL);
	snprintf(command, sizeof(command), "rm -rf %s", handle_dir);
	return system(command) != 0 || failed;
}
