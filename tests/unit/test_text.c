// SPDX-License-Identifier: BSD-3-Clause
// Text that is put together from pieces, and members of JSON objects.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/member.h"
#include "base/text.h"

static void test_grows(void **state)
{
	struct text t = {0};

	for (int i = 0; i < 1000; i++)
		text_add_item(&t, ", ", "%d", i % 10);
	assert_false(t.failed || t.cut);
	assert_int_equal(t.len_bytes, 1000 + 999 * 2);
	assert_memory_equal(t.data, "0, 1, 2, ", 9);
	assert_int_equal(t.data[t.len_bytes], '\0');
	text_drop(&t, t.len_bytes - 4);
	assert_string_equal(t.data, "8, 9");
	text_free(&t);
	assert_null(t.data);
	text_addf(&t, "%s", "");
	assert_string_equal(t.data, "");
	text_free(&t);
}

static void test_fixed_is_cut(void **state)
{
	char buf[10] = "xxxxxxxxx";
	struct text t = text_over(buf, 8);

	assert_string_equal(buf, "");
	text_add_item(&t, ", ", "abc");
	assert_false(t.cut);
	text_add_item(&t, ", ", "defg");
	assert_true(t.cut);
	assert_string_equal(buf, "abc, de");
	text_add(&t, "h", 1);
	text_addf(&t, "%d", 1);
	assert_string_equal(buf, "abc, de");
	assert_int_equal(t.len_bytes, 7);
	assert_int_equal(buf[8], 'x');
}

static void test_fixed_is_filled(void **state)
{
	char buf[8];
	struct text t = text_over(buf, sizeof(buf));

	text_addf(&t, "1234567");
	assert_false(t.cut);
	t = text_continue(buf, sizeof(buf));
	assert_int_equal(t.len_bytes, 7);
	text_addf(&t, "%s", "");
	assert_false(t.cut);
	text_add(&t, "8", 1);
	assert_true(t.cut);
	assert_string_equal(buf, "1234567");
}

static void test_encodings(void **state)
{
	char back[16];
	struct text t = {0};

	text_add_base64(&t, "ab\0c", 4);
	assert_string_equal(t.data, "YWIAYw==");
	assert_int_equal(text_from_base64(t.data, t.len_bytes, back), 4);
	assert_memory_equal(back, "ab\0c", 5);
	assert_int_equal(text_from_base64("YWI", 3, back), -EINVAL);
	text_drop(&t, t.len_bytes);
	text_add_json(&t, "a\"b\n");
	text_add_url(&t, "a/b c");
	assert_string_equal(t.data, "\"a\\u0022b\\u000a\"a/b%20c");
	text_free(&t);
}

static void test_members(void **state)
{
	json_t *obj =
		json_pack("{s:s, s:i, s:f, s:b, s:n}", "t", "x", "i", 7, "r", 1.5, "b", 1, "none");

	assert_string_equal(member_text(obj, "t"), "x");
	assert_string_equal(member_text(obj, "none"), "");
	assert_null(member_text_or(obj, "i", NULL));
	assert_int_equal(member_int(obj, "i"), 7);
	assert_int_equal(member_int(obj, "t"), 0);
	assert_true(member_real(obj, "i") == 7 && member_real(obj, "r") == 1.5);
	assert_true(member_flag(obj, "b"));
	assert_false(member_flag(obj, "i") || member_flag(NULL, "b"));
	json_decref(obj);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grows),
		cmocka_unit_test(test_fixed_is_cut),
		cmocka_unit_test(test_fixed_is_filled),
		cmocka_unit_test(test_encodings),
		cmocka_unit_test(test_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
