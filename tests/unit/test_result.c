// SPDX-License-Identifier: BSD-3-Clause
// Results are held against their description; times as text.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/loop.h"
#include "base/utc.h"
#include "base/util.h"
#include "ctrl/method.h"
#include "netd/ctl/netd_method.h"

static const struct ctrl_member ip_item = {.type = CTRL_IP};
static const struct ctrl_member count_item = {.type = CTRL_INT};
static const struct ctrl_member inner_members[] = {
	{"mac", CTRL_MAC, "an address"}, {"share", CTRL_REAL, "a share"}, {}};
static const struct ctrl_object inner = {NULL, NULL, inner_members};
static const struct ctrl_member inner_item = {.type = CTRL_OBJECT, .object = &inner};
static const struct ctrl_member members[] = {{"name", CTRL_NAME, "a name", .nullable = true},
	{"up", CTRL_BOOL, "whether"}, {"since", CTRL_TIME, "when", .when = "while up"},
	{"ips", CTRL_LIST, "addresses", .item = &ip_item, .when = "when known"},
	{"drops", CTRL_MAP, "counters", .item = &count_item, .when = "when counted"},
	{"ports", CTRL_LIST, "objects", .item = &inner_item, .when = "with ports"},
	{"device", CTRL_OBJECT, "anything", .when = "while up"}, {}};
static const struct ctrl_object object = {NULL, NULL, members};
static const struct ctrl_param no_params[] = {{}};
static const struct ctrl_method reads = {"x.show", false, "Tells", &object, no_params};
static const struct ctrl_method writes = {"x.set", true, "Changes", &object, no_params};

static void expect(const struct ctrl_method *method, const char *text, const char *wrong)
{
	json_t *result = text ? json_loads(text, 0, NULL) : NULL;
	struct err err = {0};
	int rc = ctrl_check_result(method, result, &err);

	if (rc != (wrong ? -EIO : 0) || (wrong && !strstr(err.reason, wrong)))
		fail_msg("%s: %d, %s: %s", text, rc, err.path, err.reason);
	json_decref(result);
}

static void test_as_described(void **state)
{
	expect(&reads, "{\"name\": \"a\", \"up\": true}", NULL);
	expect(&reads,
		"{\"name\": null, \"up\": false, \"since\": \"2026-01-01T00:00:00.5Z\", "
		"\"ips\": [\"10.0.0.1\", \"fd00::1\"], \"drops\": {\"guard\": 3}, "
		"\"ports\": [{\"mac\": \"02:00:00:00:00:01\", \"share\": 1}], "
		"\"device\": {\"z\": [1]}}",
		NULL);
	expect(&writes, "{\"name\": \"a\", \"up\": true, \"warning\": \"not saved\"}", NULL);
}

static void test_otherwise(void **state)
{
	static const struct {
		const char *more, *wrong;
	} cases[] = {
		{"\"warning\": \"x\"", "'warning' is not described"},
		{"\"since\": 5", "'since' is not a time"},
		{"\"since\": \"yesterday\"", "'since' is not a time"},
		{"\"since\": null", "'since' is not a time"},
		{"\"ips\": [\"10.0.0.1\", \"x\"]", "'ips[]' is not an IP address"},
		{"\"drops\": {\"guard\": true}", "'drops.guard' is not an integer"},
		{"\"ports\": [{\"mac\": \"02:00:00:00:00:01\"}]", "'ports[].share' is missing"},
		{"\"ports\": {}", "'ports' is not a list"},
		{"\"ports\": [{\"mac\": \"x\", \"share\": 1}]", "'ports[].mac' is not a MAC"},
		{"\"device\": 1", "'device' is not an object"},
	};
	char text[256];

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		snprintf(text, sizeof(text), "{\"name\": \"a\", \"up\": true, %s}", cases[i].more);
		expect(&reads, text, cases[i].wrong);
	}
	expect(&reads, "{\"name\": \"a\"}", "'up' is missing");
	expect(&reads, "{\"name\": \"a\", \"up\": 1}", "'up' is not true or false");
	expect(&reads, NULL, "'name' is missing");
	expect(&reads, "[]", "is not an object");
}

// Each table ends, and says what each member is.
static void check_members(const struct ctrl_member *m)
{
	for (; m->name; m++) {
		const struct ctrl_member *inside = m->item ? m->item : m;

		assert_non_null(m->help);
		assert_true(m->type != CTRL_LIST || m->item);
		if (inside->object)
			check_members(inside->object->members);
	}
}

static void test_agent_describes_its_results(void **state)
{
	for (unsigned i = 0; i < NB_NETD_METHODS; i++)
		check_members(netd_methods[i].result->members);
}

static void test_times(void **state)
{
	char now[UTC_TEXT_BYTES], before[UTC_TEXT_BYTES], again[UTC_TEXT_BYTES];
	uint64_t at_us = monotonic_us() - 3600000000u;

	assert_true(utc_is_text(utc_now(now)));
	assert_true(utc_is_text(utc_of_monotonic(at_us, before)));
	assert_true(strcmp(before, now) < 0);
	assert_string_equal(utc_of_monotonic(at_us, again), before);
	assert_true(utc_is_text("2026-03-01T12:00:00Z"));
	assert_false(utc_is_text("2026-03-01T12:00:00"));
	assert_false(utc_is_text("2026-03-01 12:00:00Z"));
	assert_false(utc_is_text(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_described),
		cmocka_unit_test(test_otherwise),
		cmocka_unit_test(test_agent_describes_its_results),
		cmocka_unit_test(test_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
