// SPDX-License-Identifier: BSD-3-Clause
// What of an existing object can change: each key of each kind, as the schema's rows say it. That
// the rows say what the switch does is shown by tests/smoke/set_port_live_test.sh.
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
#include "config/field.h"
#include "tests/sim/fake_model.h"

#include "tests/unit/port_samples.h"
// Of each type of port, and the keys that cannot change while a port exists.
static const struct {
	const char *base, *fixed;
} types[CONF_PORT_NB_TYPES] = {
	[CONF_PORT_TAP] = {"{\"type\": \"tap\", \"tag\": 9}", "type queues netns ifname"},
	[CONF_PORT_VETH] = {"{\"type\": \"veth\", \"tag\": 9}",
		"type queues netns ifname host-ifname"},
	[CONF_PORT_DPDK] = {"{\"type\": \"dpdk\", \"devargs\": \"net_null0\", \"tag\": 9}",
		"type queues devargs"},
	[CONF_PORT_VXLAN] = {"{\"type\": \"vxlan\", \"key\": 7, \"vtep\": \"v\", \"tag\": 9}",
		"type mtu key vtep"},
};

static json_t *json(const char *text)
{
	json_t *obj = json_loads(text, JSON_DECODE_ANY, NULL);

	if (!obj)
		fail_msg("no JSON: %s", text);
	return obj;
}

static void bind_ok(struct conf_port *port, json_t *obj)
{
	char text[700];
	struct err err = {0};

	if (conf_port_bind(obj, "port p1", port, &err) < 0)
		fail_msg("%s", err_text(&err, text, sizeof(text)));
}

static void base_of(unsigned type, struct conf_port *ret_port)
{
	json_t *obj = json(types[type].base);

	conf_port_init(ret_port);
	snprintf(ret_port->name, sizeof(ret_port->name), "p1");
	bind_ok(ret_port, obj);
	json_decref(obj);
}

// The same change of a port in the fake switch.
static int set_in_model(unsigned type, json_t *change, struct err *err)
{
	json_t *port = json(types[type].base), *result = NULL;
	struct fake_model model = {0};
	json_t *params[] = {
		json_pack("{s:{s:s}}", "bridge", "name", "br0"),
		json_pack("{s:{s:s}}", "vtep", "name", "v"),
		json_pack("{s:s, s:o}", "bridge", "br0", "port", port),
		json_pack("{s:s, s:O}", "name", "p1", "port", change),
	};
	static const char *const methods[] = {"bridge.add", "vtep.add", "port.add", "port.set"};
	int rc = 0;

	json_object_set_new(port, "name", json_string("p1"));
	for (unsigned i = 0; i < ARRAY_SIZE(methods); i++) {
		assert_int_equal(rc, 0);
		rc = fake_method(methods[i])->run(&model, params[i], &result, err);
		json_decref(params[i]);
		if (rc == 0)
			json_decref(result);
	}
	fake_model_fini(&model);
	return rc;
}

static bool is_fixed(unsigned type, const char *key)
{
	const char *found = strstr(types[type].fixed, key);
	size_t len = strlen(key);

	for (; found; found = strstr(found + 1, key)) {
		if ((found == types[type].fixed || found[-1] == ' ') &&
			(!found[len] || found[len] == ' '))
			return true;
	}
	return false;
}

static void check_words(const struct err *err, const char *key)
{
	assert_string_equal(err->path, "port p1");
	assert_int_equal(strncmp(err->reason, key, strlen(key)), 0);
	assert_non_null(strstr(err->reason, " cannot be changed on a"));
	assert_non_null(strstr(err->reason, ": delete the port and add it again"));
}

static void try_key(unsigned type, const struct schema_field *field)
{
	int expected = is_fixed(type, field->key) ? -EOPNOTSUPP : 0;
	json_t *change = port_sample(field);
	struct conf_port old, now;
	struct err err = {0};

	base_of(type, &old);
	now = old;
	bind_ok(&now, change);
	assert_false(field_equal(field, &old, &now));
	assert_int_equal(schema_is_live(field, type), expected == 0);
	assert_int_equal(conf_port_check_change(&old, &now, &err), expected);
	if (expected)
		check_words(&err, field->key);
	err = (struct err){0};
	assert_int_equal(set_in_model(type, change, &err), expected);
	if (expected)
		check_words(&err, field->key);
	json_decref(change);
}

static void test_ports(void **state)
{
	for (unsigned type = 0; type < CONF_PORT_NB_TYPES; type++) {
		for (unsigned i = 0; i < schema_port.count; i++) {
			const struct schema_field *field = &schema_port.fields[i];

			if (schema_applies(field, type) && !field->selects_kind)
				try_key(type, field);
		}
	}
}

static void test_type(void **state)
{
	for (unsigned type = 0; type < CONF_PORT_NB_TYPES; type++) {
		struct conf_port old, now;
		struct err err = {0};

		base_of(type, &old);
		assert_int_equal(conf_port_check_change(&old, &old, NULL), 0);
		base_of((type + 1) % CONF_PORT_NB_TYPES, &now);
		assert_int_equal(conf_port_check_change(&old, &now, &err), -EOPNOTSUPP);
		check_words(&err, "type");
	}
}

static void test_words(void **state)
{
	struct conf_port old, now;
	struct err err = {0};

	base_of(CONF_PORT_VXLAN, &old);
	now = old;
	now.mtu = 1400;
	conf_port_check_change(&old, &now, &err);
	assert_string_equal(err.reason, "mtu cannot be changed on a port of type vxlan: delete the "
					"port and add it again");
	base_of(CONF_PORT_TAP, &old);
	now = old;
	now.queues = 4;
	err = (struct err){0};
	conf_port_check_change(&old, &now, &err);
	assert_string_equal(err.reason, "queues cannot be changed on an existing port: delete the "
					"port and add it again");
}

// All of these can change: a VTEP is set up again for it.
static void test_bridges_and_vteps(void **state)
{
	struct conf_bridge_opts bridge, other_bridge;
	struct conf_vtep vtep, other_vtep;

	conf_bridge_opts_init(&bridge);
	memset(&other_bridge, 1, sizeof(other_bridge));
	assert_int_equal(conf_bridge_check_change(&bridge, &other_bridge, NULL), 0);
	conf_vtep_init(&vtep);
	conf_vtep_init(&other_vtep);
	other_vtep.underlay = CONF_UNDERLAY_PORT;
	other_vtep.udp_port = 1;
	other_vtep.port.type = CONF_PORT_DPDK;
	assert_int_equal(conf_vtep_check_change(&vtep, &other_vtep, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_type),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_bridges_and_vteps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
