/* shared/base/extraction.c: what is put together out of frames, and where it stops. */
#include <endian.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "shared/base/extraction.h"

static const struct extraction_bounds bounds = {.text_bytes = 64, .data_bytes = 128, .pages = 3};
static struct extraction found;

static int set_up(void **state)
{
	(void)state;
	extraction_init(&found, &bounds);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	extraction_release(&found);
	return 0;
}

static int put(enum frame_type type, const char *payload)
{
	struct frame frame = {.type = type, .length = (uint32_t)strlen(payload), .payload = (const uint8_t *)payload};

	return extraction_put(&found, &frame);
}

static void text_is_joined_and_pages_remember_where_they_begin(void **state)
{
	(void)state;
	assert_int_equal(put(FRAME_PAGE, ""), 0);
	assert_int_equal(put(FRAME_TEXT, "one "), 0);
	assert_int_equal(put(FRAME_TEXT, "two"), 0);
	assert_int_equal(put(FRAME_PAGE, ""), 0);
	assert_int_equal(put(FRAME_TEXT, "three"), 0);
	assert_string_equal(found.text.data, "one twothree");
	assert_int_equal(found.page_count, 2);
	assert_int_equal(found.pages[0], 0);
	assert_int_equal(found.pages[1], 7);
}

static void objects_are_merged_member_by_member(void **state)
{
	(void)state;
	assert_int_equal(put(FRAME_METADATA, "{\"a\": 1}"), 0);
	assert_int_equal(put(FRAME_METADATA, " { } "), 0);
	assert_int_equal(put(FRAME_METADATA, "\n{\"b\":[2]} "), 0);
	assert_string_equal(found.metadata.data, "\"a\": 1,\"b\":[2]");
}

static void an_object_too_many_leaves_the_others_whole(void **state)
{
	static char big[200];

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	memcpy(big, "{\"k\":\"", 6);
	memcpy(big + sizeof(big) - 3, "\"}", 2);
	assert_int_equal(put(FRAME_DATA, "{\"a\":1}"), 0);
	assert_int_equal(put(FRAME_DATA, big), -EOVERFLOW);
	assert_int_equal(found.data.length, strlen("\"a\":1"));
}

static void text_and_pages_beyond_the_bounds_are_an_overflow(void **state)
{
	char text[66];

	(void)state;
	memset(text, 't', sizeof(text));
	text[65] = '\0';
	assert_int_equal(put(FRAME_TEXT, text), -EOVERFLOW);
	for (int i = 0; i < 3; i++)
		assert_int_equal(put(FRAME_PAGE, ""), 0);
	assert_int_equal(put(FRAME_PAGE, ""), -EOVERFLOW);
}

static void warnings_are_an_array_with_an_end(void **state)
{
	int r = 0, count = 0;

	(void)state;
	assert_int_equal(put(FRAME_WARNING, "a \"quoted\" one"), 0);
	assert_string_equal(found.warnings.data, "\"a \\\"quoted\\\" one\"");
	while (r == 0 && count < 1000) {
		r = put(FRAME_WARNING, "again");
		count += r == 0;
	}
	assert_int_equal(r, -EOVERFLOW);
	assert_int_equal(count, EXTRACTION_WARNINGS_MAX - 1);
	extraction_warn(&found, "one of the daemon's own is dropped in silence");
	assert_int_equal(found.warning_count, EXTRACTION_WARNINGS_MAX);
}

static void an_extractor_has_a_name_and_a_version(void **state)
{
	(void)state;
	assert_int_equal(put(FRAME_EXTRACTOR, "pdf 12"), 0);
	assert_string_equal(found.extractor, "pdf");
	assert_int_equal(found.extractor_version, 12);
	assert_int_equal(put(FRAME_EXTRACTOR, "pdf"), -EBADMSG);
	assert_int_equal(put(FRAME_EXTRACTOR, "pdf one"), -EBADMSG);
	assert_int_equal(put(FRAME_EXTRACTOR, "pdf -1"), -EBADMSG);
	assert_int_equal(put(FRAME_EXTRACTOR, " 1"), -EOVERFLOW);
	assert_int_equal(put(FRAME_EXTRACTOR, "p\tdf 1"), -EBADMSG);
	assert_int_equal(put(FRAME_EXTRACTOR, "a-name-that-is-longer-than-any-name-should-be 1"), -EOVERFLOW);
	assert_string_equal(found.extractor, "pdf");
}

static void numbers_arrive_as_they_were_sent(void **state)
{
	uint64_t letters[FRAME_LETTER_COUNT] = {htole64(7), htole64(UINT64_MAX)};
	uint32_t confidence = htole32(875);
	struct frame frame = {FRAME_LETTERS, sizeof(letters), (const uint8_t *)letters};
	autobuf struct buf json = BUF_INIT(2048);

	(void)state;
	assert_int_equal(extraction_put(&found, &frame), 0);
	frame = (struct frame){FRAME_CONFIDENCE, sizeof(confidence), (const uint8_t *)&confidence};
	assert_int_equal(extraction_put(&found, &frame), 0);
	assert_int_equal(found.confidence, 875);
	assert_true(found.has_letters);
	letters_put_json(&json, found.letters);
	assert_memory_equal(json.data, "{\"A\": 7, \"B\": 18446744073709551615, \"C\": 0", 40);
	assert_int_equal(json.data[json.length - 1], '}');
}

static void nothing_comes_behind_the_end_and_jobs_come_from_elsewhere(void **state)
{
	(void)state;
	assert_int_equal(put(FRAME_JOB, "{}"), -EBADMSG);
	assert_int_equal(put(FRAME_WANT_OCR, ""), 0);
	assert_int_equal(put(FRAME_ERROR, "encrypted"), 0);
	assert_int_equal(put(FRAME_ERROR, "corrupt"), 0);
	assert_int_equal(put(FRAME_DONE, ""), 0);
	assert_true(found.is_done && found.wants_ocr);
	assert_string_equal(found.error.data, "corrupt");
	assert_int_equal(put(FRAME_TEXT, "more"), -EBADMSG);
	assert_int_equal(put(FRAME_DONE, ""), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(text_is_joined_and_pages_remember_where_they_begin, set_up, tear_down),
		cmocka_unit_test_setup_teardown(objects_are_merged_member_by_member, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_object_too_many_leaves_the_others_whole, set_up, tear_down),
		cmocka_unit_test_setup_teardown(text_and_pages_beyond_the_bounds_are_an_overflow, set_up, tear_down),
		cmocka_unit_test_setup_teardown(warnings_are_an_array_with_an_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_extractor_has_a_name_and_a_version, set_up, tear_down),
		cmocka_unit_test_setup_teardown(numbers_arrive_as_they_were_sent, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nothing_comes_behind_the_end_and_jobs_come_from_elsewhere, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
