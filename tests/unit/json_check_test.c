/*
 * The checker against its grammar, against JSONTestSuite (the folder json/ of TENANTFS_CORPUS, where that is set) and
 * against the jsonb of a real server, which has the last word.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "shared/base/buf.h"
#include "shared/base/json_check.h"
#include "shared/db/db.h"
#include "tests/unit/support/services.h"

enum { TEST_JSONB = QUERY_MIGRATION_ADD, DEPTH = 64, FILE_MAX = 1 << 20 };

const struct query_text queries[QUERY_COUNT + 1] = {
	[QUERY_DATABASE_SESSION] = {"database_session", "SELECT set_config('statement_timeout', $1, false)"},
	[TEST_JSONB] = {"test_jsonb", "SELECT jsonb_typeof($1)"},
};

static struct db *db;

static int check(const char *text)
{
	return json_check(text, strlen(text), DEPTH, NULL);
}

static void what_the_grammar_allows_is_accepted(void **state)
{
	static const char *const good[] = {"{}",
					   "[]",
					   "\"\"",
					   "0",
					   "-0",
					   "1.5e+10",
					   "1E-2",
					   "true",
					   "false",
					   "null",
					   " \t\r\n[ 1 , 2 ] ",
					   "{\"a\":{\"b\":[{},[],\"c\"]},\"d\":null}",
					   "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"",
					   "\"\\ud834\\udd1e\"",
					   "\"\xF0\x9D\x84\x9E\"",
					   "{\"a\":1,\"a\":2}"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (check(good[i]) != 0)
			fail_msg("%s", good[i]);
	}
}

static void what_it_does_not_is_refused(void **state)
{
	static const char *const bad[] = {"",
					  " ",
					  "{",
					  "[",
					  "]",
					  "[1,]",
					  "[,1]",
					  "[1 2]",
					  "{\"a\"}",
					  "{\"a\":}",
					  "{\"a\":1,}",
					  "{a:1}",
					  "{\"a\" 1}",
					  "'a'",
					  "\"",
					  "\"\n\"",
					  "\"\\x\"",
					  "\"\\u12\"",
					  "\"\\u123g\"",
					  "01",
					  "-",
					  "+1",
					  "1.",
					  ".5",
					  "1e",
					  "1e+",
					  "0x1",
					  "NaN",
					  "tru",
					  "True",
					  "nulll",
					  "[1]]",
					  "{}{}",
					  "1 2",
					  "\xEF\xBB\xBF[]",
					  "[1}",
					  "{\"a\":1]",
					  "\"\\ud834\"",
					  "\"\\udd1e\"",
					  "\"\\ud834\\u0041\"",
					  "\"\\u0000\"",
					  "\"\xFF\"",
					  "\"\xED\xA0\x80\"",
					  "// comment\n1",
					  "[1]\v"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (check(bad[i]) != -EINVAL)
			fail_msg("%s", bad[i]);
	}
	assert_int_equal(json_check("1\0", 2, DEPTH, NULL), -EINVAL);
	assert_int_equal(json_check("\"a\0b\"", 5, DEPTH, NULL), -EINVAL);
}

static void nothing_behind_the_length_is_read(void **state)
{
	(void)state;
	assert_int_equal(json_check("[1]]", 3, DEPTH, NULL), 0);
	assert_int_equal(json_check("true", 3, DEPTH, NULL), -EINVAL);
	assert_int_equal(json_check("12x", 2, DEPTH, NULL), 0);
	assert_int_equal(json_check("\"\\u00e9\"", 6, DEPTH, NULL), -EINVAL);
}

static void the_kind_is_that_of_the_outermost_value(void **state)
{
	enum json_kind kind;

	(void)state;
	assert_int_equal(json_check("{\"a\":[]}", 8, DEPTH, &kind), 0);
	assert_int_equal(kind, JSON_KIND_OBJECT);
	assert_int_equal(json_check("[{}]", 4, DEPTH, &kind), 0);
	assert_int_equal(kind, JSON_KIND_ARRAY);
	assert_int_equal(json_check("\"x\"", 3, DEPTH, &kind), 0);
	assert_int_equal(kind, JSON_KIND_STRING);
	assert_int_equal(json_check("-1", 2, DEPTH, &kind), 0);
	assert_int_equal(kind, JSON_KIND_NUMBER);
	assert_int_equal(json_check("true", 4, DEPTH, &kind), 0);
	assert_int_equal(kind, JSON_KIND_BOOL);
	assert_int_equal(json_check("null", 4, DEPTH, &kind), 0);
	assert_int_equal(kind, JSON_KIND_NULL);
}

static int check_nested(unsigned depth, unsigned max_depth)
{
	struct buf text = BUF_INIT(1 << 20);
	int r;

	for (unsigned i = 0; i < depth; i++)
		buf_puts(&text, i % 2 ? "{\"a\":" : "[");
	buf_putc(&text, '1');
	for (unsigned i = depth; i > 0; i--)
		buf_putc(&text, (i - 1) % 2 ? '}' : ']');
	r = json_check(text.data, text.length, max_depth, NULL);
	buf_release(&text);
	return r;
}

static void deeper_than_allowed_is_too_deep(void **state)
{
	(void)state;
	assert_int_equal(check_nested(0, 0), 0);
	assert_int_equal(check_nested(1, 0), -E2BIG);
	assert_int_equal(check_nested(64, 64), 0);
	assert_int_equal(check_nested(65, 64), -E2BIG);
	assert_int_equal(check_nested(JSON_DEPTH_LIMIT, 1000000), 0);
	assert_int_equal(check_nested(JSON_DEPTH_LIMIT + 1, 1000000), -E2BIG);
}

/* --- the server's opinion --- */

static bool jsonb_takes(const char *text, size_t length)
{
	autoparams struct db_params params;
	int r;

	db_params_init(&params);
	db_param_json(&params, text, length);
	r = db_run(db, (enum query_id)TEST_JSONB, &params, NULL);
	assert_true(r == 0 || r == -EINVAL || r == -EPROTO);
	return r == 0;
}

/* What is taken must be taken by jsonb too; this way round it may be stricter. */
static void assert_not_laxer(const char *text, size_t length)
{
	if (json_check(text, length, JSON_DEPTH_LIMIT, NULL) == 0 && !jsonb_takes(text, length))
		fail_msg("json_check takes %.*s, jsonb does not", (int)(length < 200 ? length : 200), text);
}

static void assert_agreement(const char *text, size_t length)
{
	bool is_good = json_check(text, length, JSON_DEPTH_LIMIT, NULL) == 0;

	if (is_good != jsonb_takes(text, length))
		fail_msg("json_check says %s, jsonb does not: %.*s", is_good ? "yes" : "no",
			 (int)(length < 200 ? length : 200), text);
}

static void numbers_end_where_numeric_ends(void **state)
{
	static const char *const numbers[] = {"1e131071",
					      "1e131072",
					      "-9.99e131071",
					      "0.001e131074",
					      "0.001e131075",
					      "10e131070",
					      "10e131071",
					      "1e-16383",
					      "1e-16384",
					      "1.5e-16382",
					      "1.5e-16383",
					      "0e131072",
					      "0e-16384",
					      "0e999999",
					      "1e1073741822",
					      "0e1073741822",

					      "1e-1073741823",
					      "0.0e16384",
					      "1e99999999999999999999",
					      "0e99999999999999999999",
					      "1e-99999999999999999999",
					      "100e-16383",
					      "1.0e-16382",
					      "1.0e-16383"};
	struct buf text = BUF_INIT(1 << 20);

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		assert_agreement(numbers[i], strlen(numbers[i]));
	assert_not_laxer("0e1073741823", 12); /* PostgreSQL 15 refuses the exponent, 17 does not mind it of a zero */
	for (int digits = 131070; digits <= 131074; digits++) {
		buf_reset(&text);
		for (int i = 0; i < digits; i++)
			buf_putc(&text, '9');
		assert_agreement(text.data, text.length);
	}
	for (int digits = 16381; digits <= 16386; digits++) {
		buf_reset(&text);
		buf_puts(&text, "0.");
		for (int i = 0; i < digits; i++)
			buf_putc(&text, '1');
		assert_agreement(text.data, text.length);
	}
	buf_release(&text);
}

static void jsonb_agrees_about_what_a_careless_writer_writes(void **state)
{
	static const char *const pieces[] = {"{",    "}",	 "[",	    "]",       ",",	  ":",	  "\"a\"", "\"",
					     "\\",   "\\u0000",	 "\\ud834", "\\udd1e", "\\u00e9", "1",	  "0",	   "-",
					     ".",    "5",	 "e",	    "+",       "true",	  "null", " ",	   "\n",
					     "\x01", "\xC3\xA9", "\xC3",    "\xFF",    "\x7F",	  "\\/",  "\\n"};
	unsigned seed = 4711;

	(void)state;
	for (int round = 0; round < 4000; round++) {
		struct buf text = BUF_INIT(1000);
		int count = 1 + rand_r(&seed) % 8;

		if (round % 2)
			buf_putc(&text, '"');
		for (int i = 0; i < count; i++)
			buf_puts(&text, pieces[(size_t)rand_r(&seed) % (sizeof(pieces) / sizeof(pieces[0]))]);
		if (round % 2)
			buf_putc(&text, '"');
		assert_agreement(text.data, text.length);
		buf_release(&text);
	}
}

/* --- JSONTestSuite --- */

static size_t read_file(const char *folder, const char *name, char *text)
{
	char path[PATH_MAX];
	FILE *file;
	size_t length;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "re");
	assert_non_null(file);
	length = fread(text, 1, FILE_MAX, file);
	fclose(file);
	return length;
}

/* y_ must be taken unless jsonb refuses it, n_ never, i_ as jsonb does; too deep counts as refused, on both sides. */
static void check_file(const char *name, const char *text, size_t length)
{
	bool is_good = json_check(text, length, JSON_DEPTH_LIMIT, NULL) == 0;

	if (*name == 'n' && is_good)
		fail_msg("%s was accepted", name);
	if (*name == 'y' && !is_good && jsonb_takes(text, length))
		fail_msg("%s was refused", name);
	if (is_good && !jsonb_takes(text, length))
		fail_msg("%s was accepted, but jsonb refuses it", name);
}

static void the_test_suite_is_judged_as_its_names_say(void **state)
{
	const char *corpus = getenv("TENANTFS_CORPUS");
	struct dirent *entry;
	char folder[400], *text;
	int count = 0;
	DIR *dir;

	(void)state;
	if (!corpus) { /* not skip(): as TAP cmocka calls that a failure */
		print_message("# TENANTFS_CORPUS is not set: JSONTestSuite is not looked at\n");
		return;
	}
	snprintf(folder, sizeof(folder), "%s/json", corpus);
	dir = opendir(folder);
	if (!dir)
		fail_msg("TENANTFS_CORPUS is set, but %s is not there", folder);
	text = malloc(FILE_MAX);
	while ((entry = readdir(dir)) != NULL) {
		if (!strchr("yni", entry->d_name[0]) || entry->d_name[1] != '_')
			continue;
		check_file(entry->d_name, text, read_file(folder, entry->d_name, text));
		count++;
	}
	closedir(dir);
	free(text);
	assert_true(count > 300);
}

static int setup(void **state)
{
	(void)state;
	if (services_start("postgres") < 0)
		return -1;
	return db_open(services_database_url(), "json_check_test", 5000, &db);
}

static int teardown(void **state)
{
	(void)state;
	db_close(db);
	return services_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_grammar_allows_is_accepted),
		cmocka_unit_test(what_it_does_not_is_refused),
		cmocka_unit_test(nothing_behind_the_length_is_read),
		cmocka_unit_test(the_kind_is_that_of_the_outermost_value),
		cmocka_unit_test(deeper_than_allowed_is_too_deep),
		cmocka_unit_test(numbers_end_where_numeric_ends),
		cmocka_unit_test(jsonb_agrees_about_what_a_careless_writer_writes),
		cmocka_unit_test(the_test_suite_is_judged_as_its_names_say),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
