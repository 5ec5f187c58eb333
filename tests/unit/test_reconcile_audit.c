// SPDX-License-Identifier: BSD-3-Clause
// Audits of the switch: what others have put there, and answers while a change is stuck.
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "netd/reconcile/reconcile_priv.h"
#include "tests/unit/reconcile_bed.h"

#define PORT "cw.000000010000" // of the own endpoint

static const char *member(const json_t *obj, const char *key)
{
	const char *text = json_string_value(json_object_get(obj, key));

	return text ? text : "";
}

static const json_t *difference(struct bed *bed, const char *object, const char *what)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (bed->audit, i, entry) {
		if (!strcmp(member(entry, "object"), object) &&
			!strcmp(member(entry, "difference"), what))
			return entry;
	}
	fail_msg("no '%s' of %s in %s", what, object, json_dumps(bed->audit, 0));
	return NULL;
}

static void by_hand(struct bed *bed, const char *method, json_t *params)
{
	assert_int_equal(fake_switch_do(bed->sw, method, params, NULL, NULL), 0);
}

static void test_marks(void **state)
{
	static const char *const ports[] = {PORT, "cw.vx.5000"};
	struct bed *bed = *state;

	bed_usual(bed);
	for (unsigned i = 0; i < 2; i++)
		assert_string_equal(
			member(fake_switch_port(bed->sw, ports[i])->options, "managed_by"),
			RECONCILE_MANAGER);
	assert_string_equal(member(fake_switch_bridge(bed->sw, "cw.net0")->options, "managed_by"),
		RECONCILE_MANAGER);
	assert_string_equal(
		member(fake_switch_vteps(bed->sw)->options, "managed_by"), RECONCILE_MANAGER);
}

// An operator may want one for a while: only a repair takes it out.
static void test_foreign_port(void **state)
{
	struct bed *bed = *state;
	const json_t *d;

	bed_usual(bed);
	by_hand(bed, "port.add",
		json_pack("{s:s, s:{s:s, s:s}}", "bridge", "cw.net0", "port", "name", "foreign",
			"ifname", "foreign"));
	by_hand(bed, "bridge.add", json_pack("{s:{s:s}}", "bridge", "name", "br0"));
	by_hand(bed, "port.add",
		json_pack("{s:s, s:{s:s, s:s}}", "bridge", "br0", "port", "name", "own", "ifname",
			"own"));
	bed_audit(bed, false);
	assert_int_equal(json_array_size(bed->audit), 1);
	d = difference(bed, "port foreign", "unexpected");
	assert_string_equal(member(d, "actual"), "on bridge cw.net0");
	fake_switch_crash(bed->sw, bed->now_us);
	bed_run(bed, SECOND);
	fake_switch_start(bed->sw, bed->now_us);
	bed_settle(bed);
	assert_non_null(fake_switch_port(bed->sw, "foreign"));
	bed_audit(bed, true);
	assert_int_equal(json_array_size(bed->audit), 1);
	assert_true(json_is_true(
		json_object_get(difference(bed, "port foreign", "unexpected"), "repaired")));
	assert_null(fake_switch_port(bed->sw, "foreign"));
	assert_non_null(fake_switch_port(bed->sw, "own"));
	bed_settled(bed);
}

static void test_bridge(void **state)
{
	struct bed *bed = *state;

	bed_usual(bed);
	by_hand(bed, "bridge.set",
		json_pack("{s:s, s:{s:s}}", "name", "cw.net0", "bridge", "neigh_unknown", "drop"));
	bed_audit(bed, false);
	assert_int_equal(json_array_size(bed->audit), 1);
	difference(bed, "bridge cw.net0", "other options");
	bed_audit(bed, true);
	assert_string_equal(
		member(fake_switch_bridge(bed->sw, "cw.net0")->options, "neigh_unknown"), "flood");
	bed_settled(bed);
	bed_audit(bed, false);
	assert_int_equal(json_array_size(bed->audit), 0);
}

static void test_guard_off(void **state)
{
	struct bed *bed = *state;

	bed_usual(bed);
	by_hand(bed, "port.set", json_pack("{s:s, s:{s:b}}", "name", PORT, "port", "guard", 0));
	bed_audit(bed, false);
	assert_int_equal(json_array_size(bed->audit), 1);
	assert_string_equal(
		member(difference(bed, "port " PORT, "other options"), "wanted"), "guard true");
	bed_audit(bed, true);
	assert_true(
		json_is_true(json_object_get(fake_switch_port(bed->sw, PORT)->options, "guard")));
	bed_settled(bed);
}

static uint64_t audit_us(struct bed *bed, bool repair)
{
	uint64_t began_us = bed->now_us;

	bed_audit(bed, repair);
	return bed->now_us - began_us;
}

// The tunnels cannot be made: what waits for them is told, and waited for by nobody.
static void test_stuck(void **state)
{
	struct bed *bed = *state;

	bed_usual(bed);
	fake_switch_crash(bed->sw, bed->now_us);
	fake_switch_wipe(bed->sw);
	fake_switch_fail(bed->sw, "vtep.add", -EBUSY, UINT_MAX);
	fake_switch_start(bed->sw, bed->now_us);
	bed_run(bed, 5 * SECOND);
	assert_true(audit_us(bed, false) <= SECOND);
	assert_string_equal(member(difference(bed, "VTEP cw.cluster", "missing"), "actual"),
		"vtep.add: is made to fail");
	difference(bed, "port cw.vx.5000", "missing");
	difference(bed, "entries of bridge cw.net0", "not looked at");
	assert_true(audit_us(bed, true) <= 2 * RECONCILE_AUDIT_US + SECOND);
	for (size_t i = 0; i < json_array_size(bed->audit); i++)
		assert_false(
			json_is_true(json_object_get(json_array_get(bed->audit, i), "repaired")));
	fake_switch_fail(bed->sw, "vtep.add", 0, 0);
	bed_run(bed, 12 * SECOND);
	bed_settled(bed);
	bed_audit(bed, false);
	assert_int_equal(json_array_size(bed->audit), 0);
}

static void test_hang(void **state)
{
	struct bed *bed = *state;

	bed_usual(bed);
	fake_switch_hang(bed->sw, true);
	bed_connect(bed, 1, 0, 2); // a change that is not answered
	bed_run(bed, SECOND);
	assert_true(audit_us(bed, false) <= RECONCILE_AUDIT_US + SECOND);
	assert_string_equal(member(difference(bed, "switch", "not looked at"), "actual"),
		"a change of it is stuck");
	fake_switch_hang(bed->sw, false);
	bed_settled(bed);
	bed_audit(bed, false);
	assert_int_equal(json_array_size(bed->audit), 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, bed_set_up, bed_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_marks),
		TEST(test_foreign_port),
		TEST(test_bridge),
		TEST(test_guard_off),
		TEST(test_stuck),
		TEST(test_hang),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
