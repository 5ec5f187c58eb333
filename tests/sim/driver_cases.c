// SPDX-License-Identifier: BSD-3-Clause
// A new kind of network is a file and a row: a driver that the product does not have goes through
// all that is done with networks, in agents, stores and switches that know nothing of it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "tests/sim/made_up_driver.h"
#include "tests/sim/world.h"

#define SETTLE_US (10 * S_US)

// This list is linked instead of driver_rows.c.
const struct network_driver *const network_drivers[] = {
	&driver_overlay,
	&driver_bridge,
	&driver_none,
	&driver_host,
	&driver_made_up,
	NULL,
};

static struct world w;

// What was answered last.
static struct {
	bool done;
	int rc;
	char reason[sizeof(((struct err *)0)->reason)];
	json_t *result;
} answer;

static int set_up(void **state)
{
	world_init(&w, &(struct world_opts){.seed = 1});
	sim_store_calm(w.store);
	world_run(&w, SETTLE_US);
	return 0;
}

static int tear_down(void **state)
{
	if (world_failed(&w))
		print_error("%s\n", w.failure);
	assert_false(world_failed(&w));
	json_decref(answer.result);
	memset(&answer, 0, sizeof(answer));
	world_fini(&w);
	return 0;
}

// ---- requests ----

static void on_answer(void *arg, int rc, json_t *result, const struct err *err)
{
	answer.done = true;
	answer.rc = rc;
	snprintf(answer.reason, sizeof(answer.reason), "%s", rc < 0 ? err->reason : "");
	json_decref(answer.result);
	answer.result = json_incref(result);
}

static int answered(void)
{
	world_run(&w, SETTLE_US);
	assert_true(answer.done);
	answer.done = false;
	return answer.rc;
}

// A network of the driver, "parent" among its options unless it is NULL.
static int create(struct host *h, const char *name, const char *subnet, const char *parent)
{
	struct network_record rec = {.labels = json_object(), .options = json_object()};

	snprintf(rec.name, sizeof(rec.name), "%s", name);
	snprintf(rec.driver, sizeof(rec.driver), "made-up");
	if (subnet) {
		rec.subnets = calloc(1, sizeof(*rec.subnets));
		rec.nb_subnets = 1;
		assert_int_equal(cidr_parse(subnet, &rec.subnets[0].cidr), 0);
	}
	if (parent)
		json_object_set_new(rec.options, "parent", json_string(parent));
	json_object_set_new(rec.options, "tag", json_string("10"));
	agent_network_create(h->agent, &rec, on_answer, NULL);
	network_record_fini(&rec);
	return answered();
}

// `option` is NULL or the name of an option, whose value is 7.
static int connect_with(struct host *h, const char *network, const char *name, const char *option)
{
	struct container *c = container_new(h, name);
	json_t *options = option ? json_pack("{s:s}", option, "7") : NULL;
	struct connect_spec spec = {
		.network = network, .name = c->name, .sandbox = c->sandbox, .options = options};

	agent_connect(h->agent, &spec, on_answer, NULL);
	json_decref(options);
	return answered();
}

static int connect_as(struct host *h, const char *network, const char *name)
{
	return connect_with(h, network, name, NULL);
}

static int rm(struct host *h, const char *network)
{
	agent_network_rm(h->agent, network, false, on_answer, NULL);
	return answered();
}

// What `network inspect` (or a row of `network ls`) says under the key; "" when there is nothing.
static const char *inspected(struct host *h, const char *network, const char *key)
{
	static char text[64];
	json_t *obj = agent_network(h->agent, network, NULL), *rows, *row;
	const char *value = json_string_value(json_object_get(obj, key));
	size_t i;

	snprintf(text, sizeof(text), "%s", value ? value : "");
	json_decref(obj);
	rows = agent_networks(h->agent);
	json_array_foreach (json_object_get(rows, "networks"), i, row) {
		if (strcmp(json_string_value(json_object_get(row, "name")), network) != 0)
			continue;
		value = json_string_value(json_object_get(row, key));
		assert_string_equal(value ? value : "", text);
	}
	json_decref(rows);
	return text;
}

static const struct fake_port *port_of(struct host *h, const char *endpoint_id)
{
	char name[32];

	snprintf(name, sizeof(name), RECONCILE_PREFIX "%.12s", endpoint_id);
	return fake_switch_port(h->sw, name);
}

static const json_t *audit(struct host *h, bool repair)
{
	agent_audit(h->agent, repair, on_answer, NULL);
	assert_int_equal(answered(), 0);
	return json_object_get(answer.result, "differences");
}

// ---- the cases ----

static void test_life(void **state)
{
	struct host *h0 = &w.hosts[0], *h1 = &w.hosts[1];
	const struct fake_bridge *bridge;
	const struct fake_port *port;
	const char *id;

	assert_int_equal(create(h0, "outside", "192.0.2.0/24", "eth1"), 0);
	assert_string_equal(inspected(h1, "outside", "driver"), "made-up");
	assert_string_equal(inspected(h1, "outside", "scope"), "global");
	assert_string_equal(inspected(h1, "outside", "parent"), "eth1");

	assert_int_equal(connect_with(h0, "outside", "c0", "limit"), 0);
	id = json_string_value(json_object_get(answer.result, "id"));
	port = port_of(h0, id);
	assert_non_null(port);
	assert_int_equal(json_integer_value(json_object_get(port->options, "tag")), 10);
	assert_int_equal(json_integer_value(json_object_get(port->options, "fdb_limit")), 7);
	assert_int_equal(json_integer_value(json_object_get(port->options, "mtu")), 1492);
	assert_true(json_is_true(json_object_get(port->options, "guard")));
	assert_int_equal(connect_as(h1, "outside", "c1"), 0);

	// No tunnel, no gateway: its containers' ports are all that its bridge has.
	bridge = fake_switch_bridge(h0->sw, RECONCILE_PREFIX "outside");
	assert_non_null(bridge);
	assert_int_equal(HASH_COUNT(bridge->ports), 1);
	assert_null(bridge->fdb);
	assert_null(bridge->floods);
	assert_true(agent_is_settled(h0->agent));
	assert_int_equal(json_array_size(audit(h0, false)), 0);

	assert_int_equal(rm(h1, "outside"), -EBUSY);
	for (unsigned i = 0; i < 2; i++) {
		agent_disconnect(
			w.hosts[i].agent, "outside", i ? "c1" : "c0", false, on_answer, NULL);
		assert_int_equal(answered(), 0);
	}
	assert_null(fake_switch_bridge(h0->sw, RECONCILE_PREFIX "outside"));
	assert_int_equal(rm(h1, "outside"), 0);
	assert_string_equal(inspected(h0, "outside", "driver"), "");
}

static void test_refusals(void **state)
{
	struct host *h = &w.hosts[0];

	assert_int_equal(create(h, "outside", NULL, "eth1"), -EINVAL);
	assert_non_null(strstr(answer.reason, "subnet of the physical network"));
	assert_int_equal(create(h, "outside", "192.0.2.0/24", NULL), -EINVAL);
	assert_non_null(strstr(answer.reason, "option parent is missing"));
	assert_int_equal(create(h, "outside", "192.0.2.0/24", "eth1"), 0);
	assert_int_equal(connect_as(h, "outside", "stranger"), -EOPNOTSUPP);
	assert_non_null(strstr(answer.reason, "takes no strangers"));
	assert_int_equal(connect_with(h, "outside", "c0", "limits"), -EINVAL);
	assert_non_null(strstr(answer.reason, "did you mean 'limit'?"));
	assert_int_equal(connect_with(h, "outside", "c0", "xyz"), -EINVAL);
	assert_non_null(strstr(answer.reason, "resolv-conf=true|false limit"));
	assert_non_null(strstr(network_driver_names(), ", made-up"));
}

static void test_audit(void **state)
{
	struct host *h = &w.hosts[0];
	const json_t *list;

	assert_int_equal(create(h, "outside", "192.0.2.0/24", "lost0"), 0);
	list = audit(h, true);
	assert_int_equal(json_array_size(list), 1);
	list = json_array_get(list, 0);
	assert_string_equal(json_string_value(json_object_get(list, "object")), "network outside");
	assert_string_equal(json_string_value(json_object_get(list, "difference")),
		"its parent lost0 does not exist");
	assert_true(json_is_false(json_object_get(list, "repaired")));
}

// The agent and the switch start anew: both find the network as it was.
static void test_restart(void **state)
{
	struct host *h = &w.hosts[0];
	char id[ID_BYTES];

	assert_int_equal(create(h, "outside", "192.0.2.0/24", "eth1"), 0);
	assert_int_equal(connect_as(h, "outside", "c0"), 0);
	snprintf(id, sizeof(id), "%s", json_string_value(json_object_get(answer.result, "id")));
	host_crash_agent(h);
	host_crash_switch(h);
	fake_switch_wipe(h->sw);
	host_start_switch(h);
	host_start_agent(h);
	world_run(&w, SETTLE_US);
	assert_non_null(port_of(h, id));
	assert_string_equal(inspected(h, "outside", "parent"), "eth1");
	assert_true(agent_is_settled(h->agent));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_life, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_refusals, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_audit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_restart, set_up, tear_down),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
