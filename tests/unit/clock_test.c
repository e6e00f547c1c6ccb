#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "shared/base/clock.h"

static void months_and_times_are_utc(void **state)
{
	static const struct {
		int64_t seconds;
		const char *month, *text;
	} cases[] = {
		{0, "1970-01", "1970-01-01T00:00:00.000000Z"},
		{951782399, "2000-02", "2000-02-28T23:59:59.000000Z"},
		{951782400, "2000-02", "2000-02-29T00:00:00.000000Z"},
		{1793577599, "2026-11", "2026-11-01T23:59:59.000000Z"},
		{-1, "1969-12", "1969-12-31T23:59:59.000000Z"},
		{4107542400, "2100-03", "2100-03-01T00:00:00.000000Z"},
	};
	char month[CLOCK_MONTH_SIZE], text[CLOCK_RFC3339_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		clock_format_month(cases[i].seconds * NS_PER_S, month);
		clock_format_rfc3339(cases[i].seconds * NS_PER_S, text);
		assert_string_equal(month, cases[i].month);
		assert_string_equal(text, cases[i].text);
	}
}

static void fractions_are_cut_to_microseconds_downwards(void **state)
{
	char text[CLOCK_RFC3339_SIZE];

	(void)state;
	clock_format_rfc3339(1793958151123456789LL, text);
	assert_string_equal(text, "2026-11-06T09:42:31.123456Z");
	clock_format_rfc3339(-1, text);
	assert_string_equal(text, "1969-12-31T23:59:59.999999Z");
}

static void the_ends_of_64_bits_fit(void **state)
{
	char month[CLOCK_MONTH_SIZE], text[CLOCK_RFC3339_SIZE];

	(void)state;
	clock_format_month(INT64_MAX, month);
	assert_string_equal(month, "2262-04");
	clock_format_rfc3339(INT64_MIN, text);
	assert_string_equal(text, "1677-09-21T00:12:43.145224Z");
}

static void a_month_is_four_digits_a_dash_and_01_to_12(void **state)
{
	static const char *const months[] = {"2026-01", "2026-12", "0000-10", "9999-09"};
	static const char *const others[] = {"2026-00", "2026-13", "2026-1",  "2026-011", "2026_01",
					     "20x6-01", "",	   "2026-1a", "2026-20"};

	(void)state;
	for (size_t i = 0; i < sizeof(months) / sizeof(months[0]); i++)
		assert_true(clock_is_month(months[i], strlen(months[i])));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(clock_is_month(others[i], strlen(others[i])));
	assert_true(clock_is_month("2026-11.pdf", 7));
}

static void clocks_go_forward(void **state)
{
	int64_t monotonic = clock_monotonic_ns(), boottime = clock_boottime_ns();

	(void)state;
	assert_true(clock_monotonic_ns() >= monotonic);
	assert_true(clock_boottime_ns() >= boottime);
	assert_true(clock_realtime_ns() > 1700000000LL * NS_PER_S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(months_and_times_are_utc),
		cmocka_unit_test(fractions_are_cut_to_microseconds_downwards),
		cmocka_unit_test(the_ends_of_64_bits_fit),
		cmocka_unit_test(a_month_is_four_digits_a_dash_and_01_to_12),
		cmocka_unit_test(clocks_go_forward),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
