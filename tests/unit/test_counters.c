// SPDX-License-Identifier: BSD-3-Clause
// The rows of the switch's counters: what they say, and that the reference and results have them.
// (tests/smoke/json_test.sh asks a running switch for each.)
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/counter.h"
#include "dp/dp_counters.h"
#include "vswitch/ctl/switch_method.h"

static bool is_snake_case(const char *name)
{
	return islower(*name) &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name);
}

static void test_rows_are_complete(void **state)
{
	for (const struct counter_group *g = dp_counter_groups; g->name; g++) {
		assert_non_null(g->counters->name);
		for (const struct counter *c = g->counters; c->name; c++) {
			assert_true(is_snake_case(c->name));
			assert_true(*c->unit && c->unit[strlen(c->unit) - 1] == 's');
			assert_true(*c->help && c->help[strlen(c->help) - 1] != '.');
			for (const struct counter *other = g->counters; other != c; other++) {
				assert_string_not_equal(other->name, c->name);
				assert_int_not_equal(other->offset, c->offset);
			}
		}
	}
}

static void test_the_reference_has_every_row(void **state)
{
	char *page, *section;
	size_t bytes;
	FILE *out = open_memstream(&page, &bytes);
	char text[512];

	ctrl_reference_print(out, &switch_reference);
	fclose(out);
	section = strstr(page, "\n## Counters\n");
	assert_non_null(section);
	for (const struct counter_group *g = dp_counter_groups; g->name; g++) {
		snprintf(text, sizeof(text), "\n### Counters of a %s (`%s`: `%s`)\n", g->name,
			g->method, g->path);
		section = strstr(section, text);
		assert_non_null(section);
		for (const struct counter *c = g->counters; c->name; c++) {
			snprintf(text, sizeof(text), "\n- `%s`: %s, %s.\n", c->name,
				counter_kind_name(c->kind), c->unit);
			assert_non_null(strstr(section, text));
			snprintf(text, sizeof(text), "- `%s`, an integer: %s.\n", c->name, c->help);
			assert_non_null(strstr(page, text));
		}
	}
	free(page);
}

static void test_results_have_every_row(void **state)
{
	const struct dp_port_stats stats = {.rx_packets = 1, .tx_packets = 2, .tx_dropped = 6};
	json_t *obj = json_object();

	counters_add(obj, dp_port_counters, &stats);
	for (const struct counter *c = dp_port_counters; c->name; c++)
		assert_int_equal(json_integer_value(json_object_get(obj, c->name)),
			counter_value(c, &stats));
	assert_int_equal(json_integer_value(json_object_get(obj, "tx_packets")), 2);
	assert_int_equal(json_integer_value(json_object_get(obj, "tx_dropped")), 6);
	assert_int_equal(json_object_size(obj), 6);
	json_decref(obj);
}

// Every stage and reason tells what it is, in a phrase.
static void test_lists_of_the_data_plane(void **state)
{
	for (unsigned i = 0; i < DP_NB_STAGES; i++) {
		assert_true(is_snake_case(dp_stage_info[i].name));
		assert_true(islower(*dp_stage_info[i].help));
		assert_string_equal(dp_point_name(i), dp_stage_info[i].name);
	}
	assert_string_equal(dp_stage_info[0].name, "gro");
	assert_string_equal(dp_stage_info[1].name, "demux");
	assert_string_equal(dp_point_name(DP_POINT_TX), "tx");
	for (unsigned i = 0; i < DP_NB_DROPS; i++) {
		assert_true(is_snake_case(dp_drop_info[i].name));
		assert_true(*dp_drop_info[i].help);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_are_complete),
		cmocka_unit_test(test_the_reference_has_every_row),
		cmocka_unit_test(test_results_have_every_row),
		cmocka_unit_test(test_lists_of_the_data_plane),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
