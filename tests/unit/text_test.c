/* text.c and number.c */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "shared/base/json_check.h"
#include "shared/base/text.h"

static void utf8_is_told_from_what_is_not(void **state)
{
	static const char *const valid[] = {"",
					    "ascii only, and longer than eight",
					    "ä",
					    "€",
					    "𝄞",
					    "\xED\x9F\xBF",
					    "\xEE\x80\x80",
					    "\xF4\x8F\xBF\xBF",
					    "\x7F",
					    "\xC2\x80",
					    "\xE0\xA0\x80",
					    "\xF0\x90\x80\x80"};
	static const char *const invalid[] = {
		"\x80",		"\xC0\x80",	    "\xC1\xBF",		"\xE0\x9F\xBF",	    "\xED\xA0\x80",
		"\xED\xBF\xBF", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF",
		"\xE2\x82",	"a\xE2\x82z",	    "12345678\x80",	"1234567\xC3",	    "\xC3(",
		"\xF0\x9D\x84"};

	(void)state;
	for (size_t i = 0; i < sizeof(valid) / sizeof(valid[0]); i++)
		assert_true(utf8_is_valid(valid[i], strlen(valid[i])));
	for (size_t i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++)
		assert_false(utf8_is_valid(invalid[i], strlen(invalid[i])));
}

static void a_cut_never_splits_a_character(void **state)
{
	const char *text = "aä€𝄞z"; /* 1 + 2 + 3 + 4 + 1 bytes */
	static const size_t expected[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};

	(void)state;
	for (size_t max = 0; max < sizeof(expected) / sizeof(expected[0]); max++)
		assert_int_equal(utf8_cut(text, strlen(text), max), expected[max]);
	/* What is no UTF-8 at all is cut where it was asked. */
	assert_int_equal(utf8_cut("\x80\x80\x80\x80\x80\x80\x80\x80", 8, 6), 6);
}

static char *as_json(const char *bytes, size_t length)
{
	struct buf buf = BUF_INIT(1 << 20);

	assert_int_equal(json_put_string(&buf, bytes, length), 0);
	return buf_take(&buf, NULL);
}

static void assert_json(const char *bytes, size_t length, const char *expected)
{
	char *json = as_json(bytes, length);

	assert_string_equal(json, expected);
	free(json);
}

static void json_strings_escape_what_the_grammar_and_terminals_ask_for(void **state)
{
	(void)state;
	assert_json("plain €", 9, "\"plain €\"");
	assert_json("a\"b\\c\n\r\t\b\f\x01\x1F", 12, "\"a\\\"b\\\\c\\n\\r\\t\\b\\f\\u0001\\u001f\"");
	assert_json("\x7F\xC2\x9B\xC2\xA0", 5, "\"\\u007f\\u009b\xC2\xA0\"");
	assert_json("", 0, "\"\"");
}

static void invalid_bytes_are_visible_and_marked(void **state)
{
	(void)state;
	assert_json("a\xFFz", 3,
		    "\"\xEF\xBF\xBD"
		    "a\\\\xffz\"");
	assert_json("\\\xFF", 2, "\"\xEF\xBF\xBD\\\\\\\\\\\\xff\"");
	assert_json("a\0", 2,
		    "\"\xEF\xBF\xBD"
		    "a\\\\x00\"");
	assert_json("\xEF\xBF\xBD\\", 4, "\"\xEF\xBF\xBD\xEF\xBF\xBD\\\\\\\\\"");
}

/* The text a JSON parser would see: enough of one for what json_put_string writes. */
static size_t decode(const char *json, char *text)
{
	size_t length = 0;

	for (json++; *json != '"'; json++) {
		unsigned code;

		if (*json != '\\') {
			text[length++] = *json;
			continue;
		}
		json++;
		if (*json != 'u') {
			text[length++] =
				strchr("\bb\ff\nn\rr\tt\"\"\\\\", *json)[*json == '"' || *json == '\\' ? 0 : -1];
			continue;
		}
		assert_int_equal(sscanf(json + 1, "%4x", &code), 1);
		assert_true(code < 0x100);
		if (code >= 0x80) {
			text[length++] = (char)0xC2;
			text[length++] = (char)code;
		} else {
			text[length++] = (char)code;
		}
		json += 4;
	}
	return length;
}

static void every_string_of_bytes_comes_back_from_its_json(void **state)
{
	unsigned seed = 12345;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		static const char alphabet[] = "\0\\\"x0a\n\x7F\xC2\x9B\xEF\xBF\xBD\xFF\xF0\x9D\x84\x9E";
		char bytes[12], text[256], *json;
		struct buf back = BUF_INIT(256);
		size_t length, text_length;

		length = (size_t)rand_r(&seed) % sizeof(bytes);
		for (size_t i = 0; i < length; i++)
			bytes[i] = alphabet[(size_t)rand_r(&seed) % (sizeof(alphabet) - 1)];
		json = as_json(bytes, length);
		assert_int_equal(json_check(json, strlen(json), 1, NULL), 0);
		text_length = decode(json, text);
		assert_int_equal(json_restore_bytes(&back, text, text_length), 0);
		assert_int_equal(back.length, length);
		assert_memory_equal(back.data, bytes, length);
		buf_release(&back);
		free(json);
	}
}

static void marked_text_that_nothing_of_ours_wrote_is_refused(void **state)
{
	static const char *const wrong[] = {"\xEF\xBF\xBD\\", "\xEF\xBF\xBD\\x", "\xEF\xBF\xBD\\x0",
					    "\xEF\xBF\xBD\\xZZ", "\xEF\xBF\xBD\\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		autobuf struct buf back = BUF_INIT(64);

		assert_int_equal(json_restore_bytes(&back, wrong[i], strlen(wrong[i])), -EINVAL);
	}
}

static void keys_are_separated_by_commas(void **state)
{
	autobuf struct buf buf = BUF_INIT(200);

	(void)state;
	buf_putc(&buf, '{');
	json_put_key(&buf, "a");
	buf_puts(&buf, "{}");
	json_put_key(&buf, "b\"");
	buf_puts(&buf, "{");
	json_put_key(&buf, "c");
	buf_puts(&buf, "1}}");
	assert_string_equal(buf.data, "{\"a\":{},\"b\\\"\":{\"c\":1}}");
}

/* --- numbers --- */

static void check(int (*parse)(const char *, int64_t *), const char *text, int r, int64_t expected)
{
	int64_t value = -77;

	assert_int_equal(parse(text, &value), r);
	assert_int_equal(value, r == 0 ? expected : -77);
}

static void sizes_count_in_powers_of_1024(void **state)
{
	(void)state;
	check(size_parse, "0", 0, 0);
	check(size_parse, "100", 0, 100);
	check(size_parse, "10k", 0, 10240);
	check(size_parse, "1.5MiB", 0, 1572864);
	check(size_parse, "10 GB", 0, 10737418240);
	check(size_parse, "7E", 0, 8070450532247928832);
	check(size_parse, "9223372036854775807", 0, INT64_MAX);
	check(size_parse, "8E", -ERANGE, 0);
	check(size_parse, "9223372036854775808", -ERANGE, 0);
	check(size_parse, "99999999999999999999999999999999999999999999", -ERANGE, 0);
	check(size_parse, "", -EINVAL, 0);
	check(size_parse, "-1", -EINVAL, 0);
	check(size_parse, "1.5", -EINVAL, 0);
	check(size_parse, "10X", -EINVAL, 0);
	check(size_parse, "k", -EINVAL, 0);
	check(size_parse, "1.k", -EINVAL, 0);
	check(size_parse, "0x10", -EINVAL, 0);
	check(size_parse, " 1", -EINVAL, 0);
	check(size_parse, "1.0000000000001k", -EINVAL, 0);
}

static void counts_in_powers_of_1000(void **state)
{
	(void)state;
	check(count_parse, "100k", 0, 100000);
	check(count_parse, "1.5M", 0, 1500000);
	check(count_parse, "10KiB", -EINVAL, 0);
}

static void durations_need_a_unit(void **state)
{
	(void)state;
	check(duration_parse, "10s", 0, 10000);
	check(duration_parse, "500ms", 0, 500);
	check(duration_parse, "8h", 0, 28800000);
	check(duration_parse, "30d", 0, 2592000000);
	check(duration_parse, "0.5s", 0, 500);
	check(duration_parse, "0", 0, 0);
	check(duration_parse, "10", -EINVAL, 0);
	check(duration_parse, "-1s", -EINVAL, 0);
}

static void whole_numbers_are_whole(void **state)
{
	(void)state;
	check(int64_parse, "-9223372036854775808", 0, INT64_MIN);
	check(int64_parse, "9223372036854775807", 0, INT64_MAX);
	check(int64_parse, "9223372036854775808", -ERANGE, 0);
	check(int64_parse, "-9223372036854775809", -ERANGE, 0);
	check(int64_parse, "007", 0, 7);
	check(int64_parse, "+1", -EINVAL, 0);
	check(int64_parse, "1 ", -EINVAL, 0);
	check(int64_parse, "", -EINVAL, 0);
	check(int64_parse, "-", -EINVAL, 0);
	check(int64_parse, "1e3", -EINVAL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(utf8_is_told_from_what_is_not),
		cmocka_unit_test(a_cut_never_splits_a_character),
		cmocka_unit_test(json_strings_escape_what_the_grammar_and_terminals_ask_for),
		cmocka_unit_test(invalid_bytes_are_visible_and_marked),
		cmocka_unit_test(every_string_of_bytes_comes_back_from_its_json),
		cmocka_unit_test(marked_text_that_nothing_of_ours_wrote_is_refused),
		cmocka_unit_test(keys_are_separated_by_commas),
		cmocka_unit_test(sizes_count_in_powers_of_1024),
		cmocka_unit_test(counts_in_powers_of_1000),
		cmocka_unit_test(durations_need_a_unit),
		cmocka_unit_test(whole_numbers_are_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
