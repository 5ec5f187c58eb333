// SPDX-License-Identifier: BSD-3-Clause
// Options of the agent's ports that somebody changes by hand: each that can
// change while the port exists is set back so. No container loses its interface
// for it.
#include <string.h>

#include "config/conf.h"
#include "config/schema.h"
#include "tests/unit/port_samples.h"
#include "tests/unit/reconcile_bed.h"

static const struct {
	const char *name;
	enum conf_port_type type;
} ports[] = {
	{"cw.000000010000", CONF_PORT_TAP}, // a container's
	{"cw.gw.abcd00000000", CONF_PORT_TAP},
	{"cw.vx.5000", CONF_PORT_VXLAN},
};

// Sets the option to something that is not wanted.
static void change_by_hand(struct bed *bed, const char *name, const struct schema_field *field)
{
	json_t *options = port_sample(field), *now;
	char buf[SCHEMA_KEY_BYTES];
	const char *key = schema_json_key(field, buf);

	now = json_object_get(fake_switch_port(bed->sw, name)->options, key);
	if (now && json_equal(now, json_object_get(options, key)))
		json_object_set_new(options, key, json_null());
	if (!strcmp(field->key, "vlan-mode"))
		json_object_set_new(options, "tag", json_integer(7));
	assert_int_equal(
		fake_switch_do(bed->sw, "port.set",
			json_pack("{s:s, s:o}", "name", name, "port", options), NULL, NULL),
		0);
}

static void check_mended(struct bed *bed, const char *name)
{
	const json_t *difference;

	fake_switch_calls(bed->sw, NULL);
	bed_audit(bed, true);
	assert_int_equal(json_array_size(bed->audit), 1);
	difference = json_array_get(bed->audit, 0);
	assert_non_null(strstr(json_string_value(json_object_get(difference, "object")), name));
	assert_true(json_is_true(json_object_get(difference, "repaired")));
	assert_int_equal(fake_switch_calls(bed->sw, "port.set"), 1);
	assert_int_equal(fake_switch_calls(bed->sw, "port.del"), 0);
	assert_int_equal(fake_switch_calls(bed->sw, "port.add"), 0);
	bed_settled(bed);
	bed_audit(bed, false);
	assert_int_equal(json_array_size(bed->audit), 0);
}

static void test_changed_by_hand(void **state)
{
	struct bed *bed = *state;
	unsigned tried = 0;

	bed_usual(bed);
	for (unsigned i = 0; i < ARRAY_SIZE(ports); i++) {
		for (unsigned k = 0; k < schema_port.count; k++) {
			const struct schema_field *field = &schema_port.fields[k];

			if (!schema_applies(field, ports[i].type) ||
				!schema_is_live(field, ports[i].type))
				continue;
			change_by_hand(bed, ports[i].name, field);
			check_mended(bed, ports[i].name);
			tried++;
		}
	}
	assert_true(tried > 20);
	assert_false(bed->own[0].gone || bed->own[0].failed);
}

// Found when the switch comes back, not by an audit.
static void test_changed_while_away(void **state)
{
	struct bed *bed = *state;

	bed_usual(bed);
	change_by_hand(bed, ports[0].name, schema_find(&schema_port, "isolated"));
	fake_switch_crash(bed->sw, bed->now_us);
	bed_run(bed, SECOND);
	fake_switch_start(bed->sw, bed->now_us);
	fake_switch_calls(bed->sw, NULL);
	bed_settled(bed);
	assert_int_equal(fake_switch_calls(bed->sw, "port.set"), 1);
	assert_int_equal(fake_switch_calls(bed->sw, "port.del"), 0);
	assert_null(json_object_get(fake_switch_port(bed->sw, ports[0].name)->options, "isolated"));
}

// An option that cannot change takes the port with it.
static void test_recreated(void **state)
{
	const char *name = ports[0].name;
	struct bed *bed = *state;

	bed_usual(bed);
	fake_switch_do(bed->sw, "port.del", json_pack("{s:s}", "name", name), NULL, NULL);
	fake_switch_do(bed->sw, "port.add",
		json_pack("{s:s, s:{s:s, s:s, s:s, s:i}}", "bridge", "cw.net0", "port", "name",
			name, "netns", "c1", "ifname", "eth0", "queues", 4),
		NULL, NULL);
	fake_switch_calls(bed->sw, NULL);
	bed_audit(bed, true);
	bed_settled(bed);
	assert_null(json_object_get(fake_switch_port(bed->sw, name)->options, "queues"));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, bed_set_up, bed_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_changed_by_hand),
		TEST(test_changed_while_away),
		TEST(test_recreated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
