#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "extractd/worker/formats/sheets.h"

static void expect_date(double day, bool is_1904, const char *wanted)
{
	char text[SHEET_NUMBER_SIZE] = {0};
	size_t length;

	sheet_date(day, is_1904, text, &length);
	assert_string_equal(text, wanted);
	assert_int_equal(length, strlen(wanted));
}

static void day_numbers_are_dates_of_either_system(void **state)
{
	(void)state;
	expect_date(45292, false, "2024-01-01");
	expect_date(45292.5, false, "2024-01-01 12:00:00");
	expect_date(1, false, "1900-01-01");
	expect_date(61, false, "1900-03-01");
	expect_date(0.25, false, "06:00:00");
	expect_date(43830, true, "2024-01-01");
	expect_date(45291.9999999, false, "2024-01-01");
	expect_date(-5, false, "-5");
	expect_date(1e12, false, "1000000000000");
}

static void numbers_are_as_short_as_they_can_be(void **state)
{
	char text[SHEET_NUMBER_SIZE];

	(void)state;
	sheet_number(1.0, text);
	assert_string_equal(text, "1");
	sheet_number(0.1, text);
	assert_string_equal(text, "0.1");
	sheet_number(0.1 + 0.2, text);
	assert_string_equal(text, "0.30000000000000004");
	sheet_number(-1e300, text);
	assert_string_equal(text, "-1e+300");
}

static void formats_of_dates_are_known(void **state)
{
	(void)state;
	assert_true(sheet_format_is_date("yyyy-mm-dd"));
	assert_true(sheet_format_is_date("[$-409]d/m/yy h:mm AM/PM;@"));
	assert_true(sheet_format_is_date("[h]:mm:ss"));
	assert_false(sheet_format_is_date("General"));
	assert_false(sheet_format_is_date("0.00"));
	assert_false(sheet_format_is_date("#,##0.00 \"days\""));
	assert_false(sheet_format_is_date("[Red]0.00"));
	assert_false(sheet_format_is_date("0\\d"));
	assert_false(sheet_format_is_date("0;\"yes\";d"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(day_numbers_are_dates_of_either_system),
		cmocka_unit_test(numbers_are_as_short_as_they_can_be),
		cmocka_unit_test(formats_of_dates_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
