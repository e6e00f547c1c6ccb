/*
 * Values on their way to a real server and back. The statements of this test stand in a table of its own, in the places
 * of queries that it does not use: the archive's table is not linked when a program brings one.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "shared/db/db.h"
#include "tests/unit/support/services.h"

enum {
	TEST_TYPES = QUERY_MIGRATION_ADD,
	TEST_ARRAYS = QUERY_MIGRATION_LIST,
	TEST_ECHO = QUERY_MIGRATION_LOCK,
	TEST_INSERT = QUERY_MIGRATION_TABLE_EXISTS,
};

const struct query_text queries[QUERY_COUNT + 1] = {
	[QUERY_DATABASE_SESSION] = {"database_session", "SELECT set_config('statement_timeout', $1, false)"},
	[TEST_TYPES] =
		{"test_types",
		 "SELECT $1 AS int8, $2 AS bool, $3 AS float8, $4 AS char, $5 AS text, $6 AS bytea, $7 AS jsonb,"
		 "       $8 AS uuid, $9 AS timestamptz, $1::int AS int4, $1::smallint AS int2, $3::real AS float4"},
	[TEST_ARRAYS] =
		{"test_arrays",
		 "SELECT n, b, t, j, c, i, $1::bigint[] FROM unnest($1, $2, $3, $4, $5, $6) AS u(n, b, t, j, c, i)"},
	[TEST_ECHO] = {"test_echo", "SELECT coalesce($1, 'nothing'::text)"},
	[TEST_INSERT] = {"test_insert", "INSERT INTO t (n) VALUES ($1)"},
};

static struct db *db;

static int open_fresh(void **state)
{
	(void)state;
	assert_int_equal(db_open(services_database_url(), "db_values_test", 5000, &db), 0);
	assert_int_equal(db_execute(db, "DROP TABLE IF EXISTS t; CREATE TABLE t (n bigint UNIQUE CHECK (n < 1000))"),
			 0);
	return 0;
}

static int close_db(void **state)
{
	(void)state;
	db_close(db);
	db = NULL;
	return 0;
}

static void every_type_comes_back_as_it_went(void **state)
{
	autoparams struct db_params params;
	autoresult struct db_result *result = NULL;
	int64_t time_ns = 1793958151123456000LL;
	char uuid[37];
	size_t length;

	(void)state;
	db_params_init(&params);
	db_param_int(&params, -12345);
	db_param_bool(&params, true);
	db_param_double(&params, 0.25);
	db_param_char(&params, 'q');
	db_param_text(&params, "größer");
	db_param_bytes(&params, "a\0b\xFF", 4);
	db_param_json(&params, "{\"a\": [1, 2]}", 13);
	db_param_uuid(&params, "01234567-89ab-CDEF-0123-456789abcdef");
	db_param_time(&params, time_ns);
	assert_int_equal(db_run(db, (enum query_id)TEST_TYPES, &params, &result), 0);
	assert_int_equal(db_rows(result), 1);
	assert_int_equal(db_get_int(result, 0, 0), -12345);
	assert_true(db_get_bool(result, 0, 1));
	assert_true(db_get_double(result, 0, 2) == 0.25);
	assert_int_equal(db_get_char(result, 0, 3), 'q');
	assert_string_equal(db_get_text(result, 0, 4), "größer");
	assert_memory_equal(db_get_bytes(result, 0, 5, &length), "a\0b\xFF", 5);
	assert_int_equal(length, 4);
	assert_string_equal(db_get_bytes(result, 0, 6, &length), "{\"a\": [1, 2]}");
	assert_int_equal(length, 13);
	db_get_uuid(result, 0, 7, uuid);
	assert_string_equal(uuid, "01234567-89ab-cdef-0123-456789abcdef");
	assert_int_equal(db_get_time(result, 0, 8), time_ns);
	assert_int_equal(db_get_int(result, 0, 9), -12345);
	assert_int_equal(db_get_int(result, 0, 10), -12345);
	assert_true(db_get_double(result, 0, 11) == 0.25);
}

static void null_is_null_in_every_type(void **state)
{
	autoparams struct db_params params;
	autoresult struct db_result *result = NULL;
	char uuid[37] = "before";
	size_t length = 1;

	(void)state;
	db_params_init(&params);
	db_param_int_or_null(&params, 1, true);
	db_param_null(&params);
	db_param_double(&params, 0);
	db_param_null(&params);
	db_param_text(&params, NULL);
	db_param_bytes(&params, NULL, 0);
	db_param_json(&params, NULL, 0);
	db_param_uuid(&params, NULL);
	db_param_time(&params, 0);
	/* The types of 2 and 4 are known from a call before; without one the server could not tell. */
	every_type_comes_back_as_it_went(state);
	assert_int_equal(db_run(db, (enum query_id)TEST_TYPES, &params, &result), 0);
	for (int column = 0; column < 8; column++)
		assert_int_equal(db_is_null(result, 0, column), column != 2);
	assert_int_equal(db_get_int(result, 0, 0), 0);
	assert_int_equal(db_get_char(result, 0, 3), 0);
	assert_null(db_get_bytes(result, 0, 5, &length));
	assert_int_equal(length, 0);
	db_get_uuid(result, 0, 7, uuid);
	assert_string_equal(uuid, "");
	assert_int_equal(db_get_time(result, 0, 8), 0);
}

static void times_before_1970_and_without_end_keep_their_side(void **state)
{
	autoresult struct db_result *result = NULL;
	autoparams struct db_params params;

	(void)state;
	db_params_init(&params);
	db_param_int(&params, 1);
	db_param_bool(&params, true);
	db_param_double(&params, 0);
	db_param_char(&params, 'x');
	db_param_text(&params, NULL);
	db_param_bytes(&params, NULL, 0);
	db_param_json(&params, NULL, 0);
	db_param_uuid(&params, NULL);
	db_param_time(&params, -1500);
	assert_int_equal(db_run(db, (enum query_id)TEST_TYPES, &params, &result), 0);
	assert_int_equal(db_get_time(result, 0, 8), -2000); /* microseconds, rounded down */
}

static void arrays_of_every_kind_are_unnested_in_order(void **state)
{
	struct db_array numbers, bytes, texts, jsons, chars, small;
	autoparams struct db_params params;
	autoresult struct db_result *result = NULL;
	int64_t *back = NULL;
	int count = 0;
	size_t length;

	(void)state;
	db_array_init(&numbers, DB_TYPE_INT8);
	db_array_init(&bytes, DB_TYPE_BYTEA);
	db_array_init(&texts, DB_TYPE_TEXT);
	db_array_init(&jsons, DB_TYPE_JSONB);
	db_array_init(&chars, DB_TYPE_CHAR);
	db_array_init(&small, DB_TYPE_INT4);
	for (int i = 0; i < 1000; i++) {
		db_array_int(&numbers, i * 1000000007LL);
		db_array_bytes(&bytes, "\0\1\2", (size_t)(i % 4));
		db_array_bytes(&texts, "abc", (size_t)(i % 4));
		db_array_bytes(&jsons, "[1]", 3);
		db_array_char(&chars, (char)('a' + i % 26));
		if (i % 2)
			db_array_null(&small);
		else
			db_array_int(&small, -i);
	}
	db_params_init(&params);
	db_param_array(&params, &numbers);
	db_param_array(&params, &bytes);
	db_param_array(&params, &texts);
	db_param_array(&params, &jsons);
	db_param_array(&params, &chars);
	db_param_array(&params, &small);
	assert_int_equal(db_run(db, (enum query_id)TEST_ARRAYS, &params, &result), 0);
	assert_int_equal(db_rows(result), 1000);
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(db_get_int(result, i, 0), i * 1000000007LL);
		assert_memory_equal(db_get_bytes(result, i, 1, &length), "\0\1\2", (size_t)(i % 4));
		assert_int_equal(length, i % 4);
		db_get_bytes(result, i, 2, &length);
		assert_int_equal(length, i % 4);
		assert_string_equal(db_get_text(result, i, 3), "[1]");
		assert_int_equal(db_get_char(result, i, 4), 'a' + i % 26);
		assert_int_equal(db_is_null(result, i, 5), i % 2);
		assert_int_equal(db_get_int(result, i, 5), i % 2 ? 0 : -i);
	}
	assert_int_equal(db_get_int_array(result, 0, 6, &back, &count), 0);
	assert_int_equal(count, 1000);
	assert_int_equal(back[999], 999 * 1000000007LL);
	free(back);
	db_array_release(&numbers);
	db_array_release(&bytes);
	db_array_release(&texts);
	db_array_release(&jsons);
	db_array_release(&chars);
	db_array_release(&small);
}

static void an_empty_array_gives_no_rows(void **state)
{
	static const uint32_t types[] = {DB_TYPE_INT8,	DB_TYPE_BYTEA, DB_TYPE_TEXT,
					 DB_TYPE_JSONB, DB_TYPE_CHAR,  DB_TYPE_INT4};
	autoparams struct db_params params;
	autoresult struct db_result *result = NULL;

	(void)state;
	db_params_init(&params);
	for (int i = 0; i < 6; i++) {
		struct db_array empty;

		db_array_init(&empty, types[i]);
		db_param_array(&params, &empty);
		db_array_release(&empty);
	}
	assert_int_equal(db_run(db, (enum query_id)TEST_ARRAYS, &params, &result), 0);
	assert_int_equal(db_rows(result), 0);
}

static void a_number_too_large_for_its_array_is_refused_before_anything_is_sent(void **state)
{
	autoparams struct db_params params;
	struct db_array small;

	(void)state;
	db_array_init(&small, DB_TYPE_INT4);
	db_array_int(&small, INT64_C(1) << 31);
	db_params_init(&params);
	db_param_array(&params, &small);
	assert_int_equal(db_run(db, (enum query_id)TEST_ECHO, &params, NULL), -EINVAL);
	db_array_release(&small);
}

static void what_is_no_uuid_is_refused(void **state)
{
	static const char *const wrong[] = {"", "01234567-89ab-cdef-0123-456789abcde",
					    "01234567-89ab-cdef-0123-456789abcdeff", "0123456789abcdef0123456789abcdef",
					    "g1234567-89ab-cdef-0123-456789abcdef"};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		autoparams struct db_params params;

		db_params_init(&params);
		db_param_uuid(&params, wrong[i]);
		assert_int_equal(params.error, -EINVAL);
	}
}

static void more_parameters_than_fit_are_refused(void **state)
{
	autoparams struct db_params params;

	(void)state;
	db_params_init(&params);
	for (int i = 0; i < DB_PARAMS_MAX + 1; i++)
		db_param_int(&params, i);
	assert_int_equal(params.error, -E2BIG);
	assert_int_equal(db_run(db, (enum query_id)TEST_ECHO, &params, NULL), -E2BIG);
}

static void a_parameter_may_change_its_type_between_calls(void **state)
{
	autoparams struct db_params untyped, typed;
	autoresult struct db_result *result = NULL;

	(void)state;
	db_params_init(&untyped);
	db_param_null(&untyped);
	db_params_init(&typed);
	db_param_text(&typed, "something");
	assert_int_equal(db_run(db, (enum query_id)TEST_ECHO, &untyped, NULL), 0);
	assert_int_equal(db_run(db, (enum query_id)TEST_ECHO, &typed, &result), 0);
	assert_string_equal(db_get_text(result, 0, 0), "something");
	assert_int_equal(db_run(db, (enum query_id)TEST_ECHO, &untyped, NULL), 0);
}

static void affected_rows_are_counted(void **state)
{
	autoparams struct db_params params;
	autoresult struct db_result *result = NULL;

	(void)state;
	db_params_init(&params);
	db_param_int(&params, 1);
	assert_int_equal(db_run(db, (enum query_id)TEST_INSERT, &params, &result), 0);
	assert_int_equal(db_affected(result), 1);
	assert_int_equal(db_rows(result), 0);
}

static int setup(void **state)
{
	(void)state;
	return services_start("postgres");
}

static int teardown(void **state)
{
	(void)state;
	return services_stop();
}

#define DB_TEST(name) cmocka_unit_test_setup_teardown(name, open_fresh, close_db)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DB_TEST(every_type_comes_back_as_it_went),
		DB_TEST(null_is_null_in_every_type),
		DB_TEST(times_before_1970_and_without_end_keep_their_side),
		DB_TEST(arrays_of_every_kind_are_unnested_in_order),
		DB_TEST(an_empty_array_gives_no_rows),
		DB_TEST(a_number_too_large_for_its_array_is_refused_before_anything_is_sent),
		DB_TEST(what_is_no_uuid_is_refused),
		DB_TEST(more_parameters_than_fit_are_refused),
		DB_TEST(a_parameter_may_change_its_type_between_calls),
		DB_TEST(affected_rows_are_counted),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
