#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "httpshim/header_value.h"
#include "httpshim/name_hints.h"
#include "httpshim/query.h"
#include "httpshim/range.h"
#include "httpshim/signed_url.h"
#include "shared/base/buf.h"
#include "shared/model/jwt.h"

/* --- paths and queries --- */

static void expect_segment(const char *raw, const char *wanted)
{
	char text[32];

	assert_int_equal(query_decode_segment(raw, strlen(raw), text, sizeof(text)), 0);
	assert_string_equal(text, wanted);
}

static void a_segment_is_decoded_once(void **state)
{
	(void)state;
	expect_segment("a%20b+c", "a b+c");
	expect_segment("%2525", "%25");
	expect_segment("%E2%82%AC", "\xE2\x82\xAC");
	expect_segment("..", "..");
}

static void a_segment_holds_no_slash_nul_or_broken_escape(void **state)
{
	static const char *const raws[] = {"%2f", "%2F", "a%00", "%", "%1", "%zz", "%ff", "%0a", "%7f", "%c0%af"};
	char text[32];

	(void)state;
	for (size_t i = 0; i < sizeof(raws) / sizeof(raws[0]); i++)
		assert_int_equal(query_decode_segment(raws[i], strlen(raws[i]), text, sizeof(text)), -EINVAL);
	assert_int_equal(query_decode_segment("0123456789012345678901234567890123", 34, text, sizeof(text)), -ENAMETOOLONG);
}

static void a_query_gives_its_values_by_name(void **state)
{
	static const char raw[] = "a=1&b=x+y%26&&c&d==&a=2";
	struct query query;

	(void)state;
	assert_int_equal(query_parse(raw, strlen(raw), &query), 0);
	assert_int_equal(query.count, 5);
	assert_string_equal(query_get(&query, "a"), "1");
	assert_string_equal(query_get(&query, "b"), "x y&");
	assert_string_equal(query_get(&query, "c"), "");
	assert_string_equal(query_get(&query, "d"), "=");
	assert_null(query_get(&query, "e"));
	query_release(&query);
}

static void a_query_has_bounds(void **state)
{
	autobuf struct buf raw = BUF_INIT(4096);
	struct query query;

	(void)state;
	for (int i = 0; i <= QUERY_PAIRS_MAX; i++)
		buf_puts(&raw, "&a");
	assert_int_equal(query_parse(raw.data, raw.length, &query), -E2BIG);
	assert_int_equal(query_parse(raw.data, raw.length - 2, &query), 0);
	query_release(&query);
	assert_int_equal(query_parse("a=%00", 5, &query), -EINVAL);
	assert_int_equal(query_parse("a=%ff", 5, &query), -EINVAL);
}

/* --- ranges and conditions --- */

static void expect_range(const char *header, uint64_t size, enum range_kind kind, uint64_t first, uint64_t length)
{
	struct range range;

	range_parse(header, size, &range);
	assert_int_equal(range.kind, kind);
	if (kind == RANGE_PART) {
		assert_int_equal(range.first, first);
		assert_int_equal(range.length, length);
	}
}

static void one_range_is_understood(void **state)
{
	(void)state;
	expect_range("bytes=0-0", 10, RANGE_PART, 0, 1);
	expect_range("bytes=2-", 10, RANGE_PART, 2, 8);
	expect_range("bytes=-3", 10, RANGE_PART, 7, 3);
	expect_range("bytes=-30", 10, RANGE_PART, 0, 10);
	expect_range("Bytes= 5-99999999999999999999999", 10, RANGE_PART, 5, 5);
}

static void a_range_behind_the_end_is_unsatisfiable(void **state)
{
	(void)state;
	expect_range("bytes=10-", 10, RANGE_UNSATISFIABLE, 0, 0);
	expect_range("bytes=-0", 10, RANGE_UNSATISFIABLE, 0, 0);
	expect_range("bytes=0-", 0, RANGE_UNSATISFIABLE, 0, 0);
	expect_range("bytes=99999999999999999999999-", 10, RANGE_UNSATISFIABLE, 0, 0);
}

static void what_is_no_single_range_means_all(void **state)
{
	static const char *const headers[] = {"bytes=0-1,3-4", "bytes=5-2", "bytes=", "bytes=-", "bytes=a-b", "lines=0-1",
					      "bytes 0-1", "bytes=0--1", "bytes=1-2x", ""};

	(void)state;
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		expect_range(headers[i], 10, RANGE_WHOLE, 0, 0);
	expect_range(NULL, 10, RANGE_WHOLE, 0, 0);
}

static void entity_tags_are_compared_weakly_or_strongly(void **state)
{
	(void)state;
	assert_true(etag_list_has("\"a\"", "\"a\"", false));
	assert_true(etag_list_has("\"b\", W/\"a\"", "\"a\"", true));
	assert_false(etag_list_has("\"b\", W/\"a\"", "\"a\"", false));
	assert_true(etag_list_has(" * ", "\"a\"", false));
	assert_false(etag_list_has("a", "\"a\"", true));
	assert_false(etag_list_has("\"a", "\"a\"", true));
	assert_true(etag_list_has("\"x\"\"a\"", "\"a\"", true));
}

static void conditions_are_asked_in_the_order_of_the_rfc(void **state)
{
	struct conditions none_match = {.if_none_match = "\"a\"", .if_modified_since = "Sun, 06 Nov 1994 08:49:37 GMT"};
	struct conditions match = {.if_match = "\"b\""};
	struct conditions since = {.if_modified_since = "Sun, 06 Nov 1994 08:49:37 GMT"};
	struct conditions unchanged = {.if_unmodified_since = "Sun, 06 Nov 1994 08:49:37 GMT"};

	(void)state;
	assert_int_equal(conditions_check(&none_match, "\"a\"", 0), CONDITION_NOT_MODIFIED);
	assert_int_equal(conditions_check(&none_match, "\"b\"", 0), CONDITION_GO_ON);
	assert_int_equal(conditions_check(&match, "\"a\"", 0), CONDITION_FAILED);
	assert_int_equal(conditions_check(&since, "\"a\"", 784111777), CONDITION_NOT_MODIFIED);
	assert_int_equal(conditions_check(&since, "\"a\"", 784111778), CONDITION_GO_ON);
	assert_int_equal(conditions_check(&unchanged, "\"a\"", 784111778), CONDITION_FAILED);
}

static void a_range_counts_only_for_what_if_range_names(void **state)
{
	struct conditions tag = {.if_range = "\"a\""}, weak = {.if_range = "W/\"a\""}, none = {0};
	struct conditions date = {.if_range = "Sun, 06 Nov 1994 08:49:37 GMT"};

	(void)state;
	assert_true(conditions_allow_range(&none, "\"a\"", 0));
	assert_true(conditions_allow_range(&tag, "\"a\"", 0));
	assert_false(conditions_allow_range(&tag, "\"b\"", 0));
	assert_false(conditions_allow_range(&weak, "\"a\"", 0));
	assert_true(conditions_allow_range(&date, "\"a\"", 784111777));
	assert_false(conditions_allow_range(&date, "\"a\"", 784111778));
}

static void http_dates_go_both_ways(void **state)
{
	char date[HTTP_DATE_SIZE];
	int64_t seconds;

	(void)state;
	http_date_format(784111777, date);
	assert_string_equal(date, "Sun, 06 Nov 1994 08:49:37 GMT");
	assert_int_equal(http_date_parse(date, &seconds), 0);
	assert_int_equal(seconds, 784111777);
	assert_int_equal(http_date_parse("Mon, 06 Nov 1994 08:49:37 GMT", &seconds), -EINVAL);
	assert_int_equal(http_date_parse("Thu, 31 Feb 1994 08:49:37 GMT", &seconds), -EINVAL);
	assert_int_equal(http_date_parse("yesterday", &seconds), -EINVAL);
}

/* --- header values --- */

static void a_disposition_holds_any_name_safely(void **state)
{
	static const char name[] = "a\"b\r\nX: y;%\xE2\x82\xAC.txt";
	autobuf struct buf buf = BUF_INIT(1024);

	(void)state;
	assert_int_equal(header_put_disposition(&buf, false, name, strlen(name)), 0);
	assert_string_equal(buf.data, "attachment; filename=\"a_b__X: y;____.txt\"; "
				      "filename*=UTF-8''a%22b%0D%0AX%3A%20y%3B%25%E2%82%AC.txt");
}

static void what_an_accept_header_weighs_zero_is_not_wanted(void **state)
{
	(void)state;
	assert_true(header_accepts("application/problem+json", "application/problem+json"));
	assert_true(header_accepts("text/html, application/problem+json;q=0.5", "application/problem+json"));
	assert_false(header_accepts("application/problem+json;q=0", "application/problem+json"));
	assert_false(header_accepts("application/problem+json; q=0.0", "application/problem+json"));
	assert_false(header_accepts("*/*", "application/problem+json"));
	assert_false(header_accepts(NULL, "application/problem+json"));
}

/* --- names and links --- */

static void a_taken_name_gets_a_number_before_its_extension(void **state)
{
	char name[NAME_HINT_NAME_SIZE], longest[256];

	(void)state;
	name_hints_format("a.txt", 5, 1, name);
	assert_string_equal(name, "a.txt");
	name_hints_format("a.txt", 5, 2, name);
	assert_string_equal(name, "a (2).txt");
	name_hints_format("no extension", 12, 3, name);
	assert_string_equal(name, "no extension (3)");
	memset(longest, 'x', 255);
	memcpy(longest + 251, ".txt", 5);
	assert_int_equal(name_hints_format(longest, 255, 12, name), 255);
	assert_string_equal(name + 245, "x (12).txt");
}

static void a_link_opens_the_file_it_was_made_for_and_no_other(void **state)
{
	static const char secret[] = "0123456789abcdef0123456789abcdef";
	char signature[SIGNATURE_SIZE];
	struct jwt_key *key;

	(void)state;
	assert_int_equal(jwt_key_new(secret, strlen(secret), &key), 0);
	assert_int_equal(signed_url_make(key, "acme", "fs_1", 1000, signature), 0);
	assert_int_equal(strlen(signature), SIGNATURE_SIZE - 1);
	assert_int_equal(signed_url_check(key, "acme", "fs_1", 1000, signature, 999), 0);
	assert_int_equal(signed_url_check(key, "acme", "fs_1", 1000, signature, 1000), -EKEYEXPIRED);
	assert_int_equal(signed_url_check(key, "acme", "fs_1", 1001, signature, 999), -EKEYREJECTED);
	assert_int_equal(signed_url_check(key, "acme", "fs_2", 1000, signature, 999), -EKEYREJECTED);
	assert_int_equal(signed_url_check(key, "beta", "fs_1", 1000, signature, 999), -EKEYREJECTED);
	assert_int_equal(signed_url_check(key, "acme", "fs_1", 1000, "", 999), -EKEYREJECTED);
	jwt_key_free(key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_segment_is_decoded_once),
		cmocka_unit_test(a_segment_holds_no_slash_nul_or_broken_escape),
		cmocka_unit_test(a_query_gives_its_values_by_name),
		cmocka_unit_test(a_query_has_bounds),
		cmocka_unit_test(one_range_is_understood),
		cmocka_unit_test(a_range_behind_the_end_is_unsatisfiable),
		cmocka_unit_test(what_is_no_single_range_means_all),
		cmocka_unit_test(entity_tags_are_compared_weakly_or_strongly),
		cmocka_unit_test(conditions_are_asked_in_the_order_of_the_rfc),
		cmocka_unit_test(a_range_counts_only_for_what_if_range_names),
		cmocka_unit_test(http_dates_go_both_ways),
		cmocka_unit_test(a_disposition_holds_any_name_safely),
		cmocka_unit_test(what_an_accept_header_weighs_zero_is_not_wanted),
		cmocka_unit_test(a_taken_name_gets_a_number_before_its_extension),
		cmocka_unit_test(a_link_opens_the_file_it_was_made_for_and_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
