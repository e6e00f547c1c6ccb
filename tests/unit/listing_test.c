/* What adminctl prints: adminctl/listing.c. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "adminctl/listing.h"
#include "shared/base/cleanup.h"

static const struct column columns[] = {
	{"name", "NAME", COLUMN_LEFT},
	{"size", "SIZE", COLUMN_RIGHT},
	{"hidden", "HIDDEN", COLUMN_JSON_ONLY},
	{"is_on", "ON", COLUMN_LEFT},
	{NULL, NULL, 0},
};

static void add_row(struct listing *listing, const char *name, size_t length, int64_t size_bytes)
{
	listing_bytes(listing, (struct bytes){name, length});
	listing_size(listing, size_bytes);
	listing_json(listing, (struct bytes){"{\"a\": 1}", 8});
	listing_bool(listing, true);
}

static void assert_prints(struct listing *listing, bool json, const char *expected)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	assert_int_equal(listing_print(listing, json, "Nothing.", out), 0);
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
}

static void columns_are_aligned_by_what_a_terminal_shows(void **state)
{
	autolisting struct listing *listing = listing_new(columns);

	(void)state;
	add_row(listing, "a", 1, 1);
	add_row(listing, "日本", 6, 1536);
	add_row(listing, "e\xcc\x81t\xc3\xa9", 6, -1);
	assert_prints(listing, false,
		      "NAME      SIZE  ON\n"
		      "a          1 B  yes\n"
		      "日本   1.5 KiB  yes\n"
		      "e\xcc\x81t\xc3\xa9   no limit  yes\n" +
			      0);
}

static void bytes_that_would_harm_a_terminal_are_escaped(void **state)
{
	autolisting struct listing *listing = listing_new(columns);

	(void)state;
	add_row(listing, "a\n\x1b[31m\xff\0b", 10, 0);
	assert_prints(listing, false,
		      "NAME                  SIZE  ON\n"
		      "a\\n\\x1b[31m\\xff\\x00b   0 B  yes\n");
}

static void json_has_every_column_and_escapes_what_is_no_text(void **state)
{
	autolisting struct listing *listing = listing_new(columns);

	(void)state;
	add_row(listing, "a\"\n", 3, 1536);
	add_row(listing, "\xff", 1, -1);
	assert_prints(
		listing, true,
		"[{\"name\": \"a\\\"\\n\", \"size\": 1536, \"hidden\": {\"a\": 1}, \"is_on\": true},\n"
		" {\"name\": \"\xef\xbf\xbd\\\\xff\", \"size\": null, \"hidden\": {\"a\": 1}, \"is_on\": true}]\n");
}

static void an_empty_listing_says_so(void **state)
{
	autolisting struct listing *listing = listing_new(columns);

	(void)state;
	assert_prints(listing, false, "Nothing.\n");
	assert_prints(listing, true, "[]\n");
}

static void sizes_are_for_people(void **state)
{
	char text[SIZE_TEXT_SIZE];

	(void)state;
	assert_string_equal(size_text(0, text), "0 B");
	assert_string_equal(size_text(1023, text), "1023 B");
	assert_string_equal(size_text(1024, text), "1.0 KiB");
	assert_string_equal(size_text(150LL << 20, text), "150 MiB");
	assert_string_equal(size_text(INT64_MAX, text), "8.0 EiB");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_aligned_by_what_a_terminal_shows),
		cmocka_unit_test(bytes_that_would_harm_a_terminal_are_escaped),
		cmocka_unit_test(json_has_every_column_and_escapes_what_is_no_text),
		cmocka_unit_test(an_empty_listing_says_so),
		cmocka_unit_test(sizes_are_for_people),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
