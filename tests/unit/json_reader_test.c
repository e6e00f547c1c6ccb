/* The JSON reader, the schema and the rows that are made of its events. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "extractd/worker/formats/json_reader.h"
#include "extractd/worker/formats/json_rows.h"
#include "extractd/worker/formats/json_schema.h"

static int check(const char *text, size_t length)
{
	struct json_reader reader;
	enum json_event event;
	int r;

	json_reader_init(&reader, text, length);
	while ((r = json_reader_next(&reader, &event)) > 0)
		;
	json_reader_release(&reader);
	return r;
}

static void what_the_grammar_has_is_taken(void **state)
{
	static const char *const texts[] = {"{}",
					    "[]",
					    " [ ] ",
					    "null",
					    "true",
					    "false",
					    "0",
					    "-0",
					    "-0.0e+1",
					    "1E5",
					    "\"\"",
					    "{\"a\":{\"b\":[1,2,{}]},\"a\":1}",
					    "\"\\u0000\\uD800\\ud83d\\ude00\\/\"",
					    "\t\r\n1 "};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (check(texts[i], strlen(texts[i])) != 0)
			fail_msg("refused: %s", texts[i]);
}

static void what_it_does_not_have_is_refused(void **state)
{
	static const char *const texts[] = {
		"",	     " ",    "{",   "[",       "[1,]",	  "{\"a\":1,}",	 "{a:1}",  "{'a':1}",  "[1 2]",
		"{\"a\" 1}", "01",   "+1",  "1.",      ".5",	  "1e",		 "--1",	   "- 1",      "tru",
		"nul",	     "True", "NaN", "\"",      "\"\\x\"", "\"\\u12g4\"", "\"\t\"", "\"\xFF\"", "[]]",
		"{}}",	     "1 2",  "[1}", "{\"a\"]", "[,1]",	  "// x\n1"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (check(texts[i], strlen(texts[i])) != -EINVAL)
			fail_msg("taken: %s", texts[i]);
}

static void a_hundred_thousand_levels_are_no_recursion(void **state)
{
	enum { DEPTH = 100000 };
	char *text = malloc(2 * DEPTH);

	(void)state;
	memset(text, '[', DEPTH);
	memset(text + DEPTH, ']', DEPTH);
	assert_int_equal(check(text, 2 * DEPTH), 0);
	assert_int_equal(check(text, 2 * DEPTH - 1), -EINVAL);
	free(text);
	text = malloc(JSON_READER_DEPTH_MAX + 10);
	memset(text, '[', JSON_READER_DEPTH_MAX + 10);
	assert_int_equal(check(text, JSON_READER_DEPTH_MAX + 10), -E2BIG);
	free(text);
}

static void strings_are_unescaped(void **state)
{
	static const char text[] = "\"a\\n\\u00e9\\ud83d\\ude00\\ud800x\\\\\"";
	struct json_reader reader;
	enum json_event event;
	const char *got;
	size_t length;

	(void)state;
	json_reader_init(&reader, text, strlen(text));
	assert_int_equal(json_reader_next(&reader, &event), 1);
	assert_int_equal(event, JSON_STRING);
	got = json_reader_text(&reader, &length);
	assert_int_equal(length, strlen("a\n\xC3\xA9\xF0\x9F\x98\x80\xEF\xBF\xBDx\\"));
	assert_memory_equal(got, "a\n\xC3\xA9\xF0\x9F\x98\x80\xEF\xBF\xBDx\\", length);
	json_reader_release(&reader);
}

static void an_error_tells_its_place(void **state)
{
	static const char text[] = "{\n  \"a\": 1,\n  b\n}";
	struct json_reader reader;
	enum json_event event;
	uint64_t line, column;
	int r;

	(void)state;
	json_reader_init(&reader, text, strlen(text));
	while ((r = json_reader_next(&reader, &event)) > 0)
		;
	assert_int_equal(r, -EINVAL);
	json_reader_position(&reader, &line, &column);
	assert_int_equal(line, 3);
	assert_int_equal(column, 3);
	json_reader_release(&reader);
}

static void expect_schema(const char *text, const char *wanted)
{
	autobuf struct buf json = BUF_INIT(1 << 20);
	struct json_schema schema;
	struct json_reader reader;
	enum json_event event;

	assert_int_equal(json_schema_init(&schema), 0);
	json_reader_init(&reader, text, strlen(text));
	while (json_reader_next(&reader, &event) > 0)
		assert_int_equal(json_schema_put(&schema, &reader, event), 0);
	assert_int_equal(json_schema_tell(&schema, &json), 0);
	assert_string_equal(json.data, wanted);
	json_reader_release(&reader);
	json_schema_release(&schema);
}

static void the_schema_merges_what_stands_at_one_place(void **state)
{
	(void)state;
	expect_schema("[{\"a\":1,\"b\":\"x\"},{\"a\":null}]",
		      "{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"a\":{\"type\":[\"null\","
		      "\"integer\"]},"
		      "\"b\":{\"type\":\"string\"}},\"required\":[\"a\"]},\"maxItems\":2}");
	expect_schema("{\"t\":[\"2024-01-01\",\"2024-01-02\"]}",
		      "{\"type\":\"object\",\"properties\":{\"t\":{\"type\":\"array\",\"items\":{\"type\":\"string\","
		      "\"format\":"
		      "\"date-time\"},\"maxItems\":2}},\"required\":[\"t\"]}");
	expect_schema("1.5", "{\"type\":\"number\"}");
}

/* "name:dtype:nulls" of every column, and the rows. */
static void expect_rows(const char *text, bool is_lines, const char *wanted)
{
	autobuf struct buf told = BUF_INIT(1 << 16);
	struct json_rows rows;

	assert_int_equal(json_rows_init(&rows, is_lines), 0);
	for (const char *at = text; *at;) {
		size_t length = is_lines ? strcspn(at, "\n") : strlen(at);
		struct json_reader reader;
		enum json_event event;

		json_reader_init(&reader, at, length);
		while (json_reader_next(&reader, &event) > 0)
			assert_int_equal(json_rows_put(&rows, &reader, event), 0);
		json_reader_release(&reader);
		at += length + (at[length] == '\n');
	}
	if (json_rows_finish(&rows)) {
		buf_printf(&told, "%d", (int)rows.dataset.rows);
		for (size_t i = 0; i < rows.dataset.count; i++) {
			struct column_facts facts;

			column_finish(&rows.dataset.columns[i].column, &facts);
			buf_printf(&told, " %s:%s:%d", rows.dataset.columns[i].name, facts.dtype, (int)facts.nulls);
		}
	}
	assert_string_equal(told.length > 0 ? told.data : "", wanted);
	json_rows_release(&rows);
}

static void arrays_of_objects_are_datasets(void **state)
{
	(void)state;
	expect_rows("[{\"a\":1,\"b\":\"x\"},{\"b\":\"y\",\"a\":2,\"c\":true}]", false,
		    "2 a:int64:0 b:object:0 c:object:1");
	expect_rows("[{\"a\":1},{}]", false, "2 a:float64:1");
	expect_rows("{\"meta\":[1,2],\"data\":[{\"d\":\"2024-01-01\"},{\"d\":\"2024-01-02\"}],\"more\":[{\"z\":1}]}",
		    false, "2 d:datetime64[ns]:0");
	expect_rows("[{\"a\":{\"b\":1},\"c\":[1]},{\"a\":null,\"c\":[]}]", false, "2 a:object:1 c:object:0");
	expect_rows("[{\"a\":1,\"a\":2}]", false, "1 a:int64:0");
	expect_rows("[1,2]", false, "");
	expect_rows("{\"a\":1}", false, "");
	expect_rows("[{\"\":1,\"x\\u0000y\":2}]", false, "1 (empty):int64:0 x:int64:0");
}

static void lines_are_datasets(void **state)
{
	(void)state;
	expect_rows("{\"a\":1}\n{\"a\":2.5}\n", true, "2 a:float64:0");
	expect_rows("{\"a\":\"1\"}\n{\"a\":\"2\"}\n", true, "2 a:object:0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_grammar_has_is_taken),
		cmocka_unit_test(what_it_does_not_have_is_refused),
		cmocka_unit_test(a_hundred_thousand_levels_are_no_recursion),
		cmocka_unit_test(strings_are_unescaped),
		cmocka_unit_test(an_error_tells_its_place),
		cmocka_unit_test(the_schema_merges_what_stands_at_one_place),
		cmocka_unit_test(arrays_of_objects_are_datasets),
		cmocka_unit_test(lines_are_datasets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
