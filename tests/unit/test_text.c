// SPDX-License-Identifier: BSD-3-Clause
// Text that is put together from pieces, and members of JSON objects.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/member.h"
#include "base/text.h"
#include "base/text_clean.h"

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

static void test_plain(void **state)
{
	static const char *const plain[] = {"", "eth0", "M\u00fcnchen", "\u00a0",
		"\u20ac\U0001f600", "\u05d0\u0627", "\u200b", "\u2027\u202f\u2065\u206a"};
	static const struct {
		const char *text, *clean;
	} others[] = {
		{"\x1b[7m", "?[7m"},
		{"a\tb\n", "a?b?"},
		{"\x7f", "?"},
		{"\xc2\x80\xc2\x9b.\xc2\x9f", "????.??"}, // C1 in UTF-8
		{"\x9b"
		 "31m\x80",
			"?31m?"}, // and raw
		{"a\u202e"
		 "b",
			"a???b"},
		{"\u061c\u200e\u2066\u2069\u2028", "??????????????"},
		{"\xe2\x82", "??"}, // cut
		{"\xe2\x82z", "??z"},
		{"\xc0\x9b", "??"}, // with more bytes than needed
		{"\xed\xa0\x80", "???"},
		{"\xf4\x90\x80\x80\xff", "?????"},
	};

	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		char text[32];

		snprintf(text, sizeof(text), "%s", plain[i]);
		assert_true(text_is_plain(text));
		text_clean(text);
		assert_string_equal(text, plain[i]);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		char text[32];

		snprintf(text, sizeof(text), "%s", others[i].text);
		assert_false(text_is_plain(text));
		text_clean(text);
		assert_string_equal(text, others[i].clean);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grows),
		cmocka_unit_test(test_fixed_is_cut),
		cmocka_unit_test(test_fixed_is_filled),
		cmocka_unit_test(test_encodings),
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_plain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
