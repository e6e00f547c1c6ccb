/* Types of columns: what pandas' read_csv makes of them, and what they really are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "extractd/worker/formats/dataset.h"

/* One value through the path that CSV takes. */
static void observe_cell(struct column *column, const char *text, size_t length)
{
	uint32_t begin = 0, end = (uint32_t)length;
	struct csv_cells cells = {.base = text, .begins = &begin, .ends = &end};

	column_observe(column, &cells, 0, 1, 1);
}

/* Observes values separated by blanks; "_" is the empty one. */
static void profile(const char *values, struct column *column, struct column_facts *facts)
{
	column_init(column, 4096);
	for (const char *at = values; *at;) {
		size_t length = strcspn(at, " ");
		char text[64] = {0};

		memcpy(text, at, length);
		column_observe_text(column, strcmp(text, "_") == 0 ? "" : text, strcmp(text, "_") == 0 ? 0 : length);
		at += length + (at[length] == ' ');
	}
	column_finish(column, facts);
}

static void expect(const char *values, const char *dtype, const char *exact_type)
{
	struct column column;
	struct column_facts facts;

	profile(values, &column, &facts);
	if (strcmp(facts.dtype, dtype) != 0 || strcmp(facts.exact_type, exact_type) != 0)
		fail_msg("'%s' is %s (%s), not %s (%s)", values, facts.dtype, facts.exact_type, dtype, exact_type);
	column_release(&column);
}

static void whole_numbers_are_int64_and_with_a_blank_float64(void **state)
{
	(void)state;
	expect("1 2 -3 +4", "int64", "integer");
	expect("1 _ 3", "float64", "integer");
	expect("1 NA 3", "float64", "integer");
	expect("9223372036854775807 -9223372036854775808", "int64", "integer");
}

static void numbers_beyond_64_bits_are_what_pandas_makes_of_them(void **state)
{
	(void)state;
	expect("18446744073709551615 1", "uint64", "integer");
	expect("18446744073709551615 -1", "object", "integer");
	expect("18446744073709551615 _", "object", "integer");
	expect("18446744073709551616", "object", "integer");
	expect("1.5 18446744073709551616", "float64", "decimal");
	expect("18446744073709551616 1.5", "object", "decimal");
	expect("18446744073709551615 1.5", "float64", "decimal");
	expect("18446744073709551615 -1.5", "object", "decimal");
}

static void leading_zeros_and_long_numbers_survive_in_the_exact_type(void **state)
{
	struct column column;
	struct column_facts facts;
	autobuf struct buf json = BUF_INIT(4096);

	(void)state;
	expect("007 010 123", "int64", "digits");
	profile("1234567890123456789 _ 1234567890123456788", &column, &facts);
	assert_string_equal(facts.dtype, "float64");
	assert_string_equal(facts.exact_type, "integer");
	column_put_json(&column, &facts, "id", 2, &json);
	assert_non_null(strstr(json.data, "\"min\":1234567890123456788,\"max\":1234567890123456789"));
	column_release(&column);
}

static void points_and_exponents_are_float64(void **state)
{
	(void)state;
	expect("1.5 2 .5 5.", "float64", "decimal");
	expect("1e5 2", "float64", "float");
	expect("inf -inf 1.0", "float64", "float");
	expect("1.5 abc", "object", "text");
	expect("1e", "object", "text");
	expect("1_000", "object", "text");
	expect("0x1F", "object", "text");
}

static void booleans_are_bool_unless_one_is_missing(void **state)
{
	(void)state;
	expect("True False true FALSE", "bool", "boolean");
	expect("True _ False", "object", "boolean");
	expect("True 1", "object", "text");
	expect("yes no", "object", "text");
}

static void columns_wholly_of_iso_dates_are_datetime64(void **state)
{
	(void)state;
	expect("2024-01-31 2024-02-29", "datetime64[ns]", "date");
	expect("2024-01-31 _", "datetime64[ns]", "date");
	expect("2024-01-31T10:20:30 2024-01-31", "datetime64[ns]", "datetime");
	expect("2024-01-31T10:20:30.123Z", "datetime64[ns, UTC]", "datetime_zone");
	expect("2024-01-31T10:20:30+02:00", "object", "datetime_zone");
	expect("2024-02-30", "object", "text");
	expect("2023-02-29", "object", "text");
	expect("9999-12-31", "object", "text"); /* beyond what nanoseconds reach */
	expect("2024-01-31 soon", "object", "text");
}

static void every_na_token_of_pandas_is_a_null(void **state)
{
	static const char tokens[] =
		"#N/A #NA -1.#IND -1.#QNAN -NaN -nan 1.#IND 1.#QNAN <NA> N/A NA NULL NaN None n/a nan null _";
	struct column column;
	struct column_facts facts;

	(void)state;
	profile(tokens, &column, &facts);
	assert_int_equal(facts.nulls, 18);
	assert_int_equal(facts.distinct, 0);
	assert_string_equal(facts.dtype, "float64");
	column_release(&column);
	assert_true(value_is_null("#N/A N/A", 8));
	assert_false(value_is_null("na", 2));
	assert_false(value_is_null("Nan", 3));
}

static void a_column_without_rows_is_object(void **state)
{
	(void)state;
	expect("", "object", "empty");
}

static void statistics_are_exact_over_repeated_values(void **state)
{
	struct column column;
	struct column_facts facts;
	autobuf struct buf json = BUF_INIT(4096);

	(void)state;
	profile("3 1 3 2 _ 3", &column, &facts);
	assert_int_equal(facts.rows, 6);
	assert_int_equal(facts.nulls, 1);
	assert_int_equal(facts.distinct, 3);
	column_put_json(&column, &facts, "n", 1, &json);
	assert_non_null(strstr(json.data, "\"min\":1,\"max\":3,\"mean\":2.4"));
	column_release(&column);
}

/* The sets are full long before the end: sums, ranges and nulls must not notice. */
static void statistics_stay_exact_when_the_set_becomes_a_sample(void **state)
{
	enum { ROWS = 200000 };
	struct column column;
	struct column_facts facts;
	double sum = 0;

	(void)state;
	column_init(&column, 256);
	for (int i = 0; i < ROWS; i++) {
		char text[96] = {0};
		int length;

		if (i % 1000 == 7) {
			observe_cell(&column, text, 0);
			continue;
		}
		length = snprintf(text, 32, i % 2 ? "%d.25" : "-%d.5", i);
		observe_cell(&column, text, (size_t)length);
		sum += i % 2 ? i + 0.25 : -i - 0.5;
	}
	column_finish(&column, &facts);
	assert_string_equal(facts.dtype, "float64");
	assert_int_equal(facts.nulls, ROWS / 1000);
	assert_true(facts.distinct_is_estimate);
	assert_true(facts.distinct > ROWS * 0.7 && facts.distinct < ROWS * 1.3);
	assert_true(column.number_min == -(ROWS - 2) - 0.5);
	assert_true(column.number_max == (ROWS - 1) + 0.25);
	assert_true(column.number_sum - sum < 1e-3 && sum - column.number_sum < 1e-3);
	column_release(&column);
}

static void long_fractions_are_summed_and_their_ends_are_exact(void **state)
{
	static const char *const texts[] = {"0.8444218515250481", "-0.12345678901234567", "1234567.123456789012",
					    "-0.5", "3.0000000000000001"};
	struct column column;
	struct column_facts facts;

	(void)state;
	column_init(&column, 8);
	for (int i = 0; i < 5000; i++) {
		char text[96] = {0};

		snprintf(text, sizeof(text), "%s",
			 i < 100 ? (const char *)(char[16]){(char)('1' + i % 9), '.', (char)('0' + i / 9 % 10),
							    (char)('0' + i % 7)}
				 : texts[i % 5]);
		observe_cell(&column, text, strlen(text));
	}
	column_finish(&column, &facts);
	assert_string_equal(facts.dtype, "float64");
	assert_true(column.number_min == -0.5);
	assert_true(column.number_max == 1234567.123456789012);
	assert_true(column.number_sum > 980 * 1234567.9 && column.number_sum < 981 * 1234570.0);
	column_release(&column);
}

static void a_late_text_makes_a_long_column_of_numbers_an_object(void **state)
{
	struct column column;
	struct column_facts facts;

	(void)state;
	column_init(&column, 16);
	for (int i = 0; i < 5000; i++) {
		char text[80] = {0};

		observe_cell(&column, text, (size_t)snprintf(text, 32, i == 4321 ? "n%d" : "%d", i));
	}
	column_finish(&column, &facts);
	assert_string_equal(facts.dtype, "object");
	column_release(&column);
}

static void names_are_made_unique_as_pandas_does(void **state)
{
	static const char *const given[] = {"a", "", "a", "a.1", "a", "b"};
	static const char *const wanted[] = {"a", "Unnamed: 1", "a.1", "a.1.1", "a.2", "b"};
	struct csv_field fields[6];
	struct dataset dataset;

	(void)state;
	for (size_t i = 0; i < 6; i++)
		fields[i] = (struct csv_field){.text = given[i], .length = (uint32_t)strlen(given[i])};
	dataset_init(&dataset);
	assert_int_equal(dataset_set_header(&dataset, fields, 6), 0);
	for (size_t i = 0; i < 6; i++)
		assert_string_equal(dataset.columns[i].name, wanted[i]);
	dataset_release(&dataset);
}

static void the_summary_is_that_of_seed_002(void **state)
{
	static char texts[128] = "date\0\0\0\0\0\0\0\0\0\0\0\0sales\0\0\0\0\0\0\0\0\0\0\0"
				 "2024-01-02\0\0\0\0\0\0"
				 "1.5\0";
	static const uint32_t begins[] = {0, 16, 32, 48}, ends[] = {4, 21, 42, 51}, starts[] = {0, 2, 4};
	struct csv_batch batch = {{.base = texts, .begins = begins, .ends = ends}, starts, 2};
	autobuf struct buf json = BUF_INIT(4096), summary = BUF_INIT(4096);
	struct dataset dataset;

	(void)state;
	dataset_init(&dataset);
	assert_int_equal(dataset_set_header_row(&dataset, &batch), 0);
	assert_int_equal(dataset_observe(&dataset, &batch, 1), 0);
	assert_int_equal(dataset_tell(&dataset, &json, &summary), 0);
	assert_string_equal(summary.data, "The dataset has **1 rows** and **2 columns**.\n\nIt contains the following "
					  "features:\n\n- **date**: `datetime64[ns]`\n- **sales**: `float64`");
	dataset_release(&dataset);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_numbers_are_int64_and_with_a_blank_float64),
		cmocka_unit_test(numbers_beyond_64_bits_are_what_pandas_makes_of_them),
		cmocka_unit_test(leading_zeros_and_long_numbers_survive_in_the_exact_type),
		cmocka_unit_test(points_and_exponents_are_float64),
		cmocka_unit_test(booleans_are_bool_unless_one_is_missing),
		cmocka_unit_test(columns_wholly_of_iso_dates_are_datetime64),
		cmocka_unit_test(every_na_token_of_pandas_is_a_null),
		cmocka_unit_test(a_column_without_rows_is_object),
		cmocka_unit_test(statistics_are_exact_over_repeated_values),
		cmocka_unit_test(statistics_stay_exact_when_the_set_becomes_a_sample),
		cmocka_unit_test(long_fractions_are_summed_and_their_ends_are_exact),
		cmocka_unit_test(a_late_text_makes_a_long_column_of_numbers_an_object),
		cmocka_unit_test(names_are_made_unique_as_pandas_does),
		cmocka_unit_test(the_summary_is_that_of_seed_002),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
