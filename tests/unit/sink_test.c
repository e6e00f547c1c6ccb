/*
 * What stands between an extractor and the wire: extractd/worker/sink*.c, run.c, dispatch.c, embedded.c. The extractors
 * here are the test's own.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>
#include "extractd/worker/run.h"
#include "shared/base/cleanup.h"
#include "shared/base/extraction.h"

static struct extraction found;
static int extract_result;	/* what the next extraction returns */
static const char *embedded_in; /* what the container holds */
static unsigned embedded_levels;

/* --- the extractors of this test; a file is `text: …`, `container`, `broken`, or nobody's --- */

static int copy(struct extract_input *in, struct sink *sink)
{
	int r = sink_text(sink, (const char *)input_bytes(in), in->size_bytes);

	return r < 0 ? r : 0;
}

static int contain(struct extract_input *in, struct sink *sink)
{
	autobuf struct buf json = BUF_INIT(1 << 20);
	int r;

	if (in->depth + 1 < embedded_levels)
		r = extract_embedded(in, sink, "inner.box", "container", 9, &json);
	else
		r = extract_embedded(in, sink, "inner.txt", embedded_in, strlen(embedded_in), &json);
	assert_int_equal(buf_error(&json), 0);
	sink_data_member(sink, "inside", json.data, json.length);
	return r < 0 ? r : 0;
}

static int give_up(struct extract_input *in, struct sink *sink)
{
	(void)in;
	if (extract_result == 1)
		return sink_error(sink, "encrypted: %s", "a \xFF password\n is needed");
	return extract_result;
}

static const char *const text_types[] = {"text/plain", NULL};
static const char *const family_types[] = {"text/", "application/x-odd", NULL};
static const char *const container_types[] = {"application/x-box", NULL};
static const char *const broken_types[] = {"application/x-broken", NULL};
static const struct extractor family = {"family", 1, family_types, NULL, copy};
static const struct extractor text = {"text", 3, text_types, NULL, copy};
static const struct extractor box = {"box", 1, container_types, NULL, contain};
static const struct extractor broken = {"broken", 2, broken_types, NULL, give_up};
const bool extractors_are_all = true;
const struct extractor *const extractors[] = {&family, &text, &box, &broken, NULL};

int detect_preload(void)
{
	return 0;
}

int detect_media_type(struct extract_input *in, char ret_media_type[EXTRACT_MEDIA_TYPE_SIZE])
{
	const char *bytes = (const char *)input_bytes(in), *type = "application/x-unknown";

	if (in->size_bytes >= 6 && memcmp(bytes, "text: ", 6) == 0)
		type = "text/plain";
	else if (in->size_bytes == 9 && memcmp(bytes, "container", 9) == 0)
		type = "application/x-box";
	else if (in->size_bytes == 6 && memcmp(bytes, "broken", 6) == 0)
		type = "application/x-broken";
	snprintf(ret_media_type, EXTRACT_MEDIA_TYPE_SIZE, "%s", type);
	return 0;
}

int entities_find(const char *bytes, size_t length, unsigned max, struct buf *ret_json)
{
	(void)max;
	if (!memmem(bytes, length, "a@b.example", 11))
		return buf_puts(ret_json, "[]");
	return buf_puts(ret_json, "[{\"type\":\"email\"}]");
}

int language_preload(void)
{
	return 0;
}

int language_find(const char *bytes, size_t length, char ret_language[LANGUAGE_SIZE])
{
	if (!memmem(bytes, length, "und", 3))
		return -ENOENT;
	snprintf(ret_language, LANGUAGE_SIZE, "de");
	return 0;
}

/* --- how it is run --- */

static int collect(void *context, enum frame_type type, const void *payload, size_t length)
{
	autofree uint8_t *bytes = malloc(FRAME_HEADER_SIZE + length + 1);
	struct frame frame;

	(void)context;
	assert_non_null(bytes);
	memset(bytes, 0, FRAME_HEADER_SIZE);
	memcpy(bytes, &(uint32_t){(uint32_t)length}, 4);
	bytes[4] = (uint8_t)type;
	if (length > 0)
		memcpy(bytes + FRAME_HEADER_SIZE, payload, length);
	/* Whatever an extractor does, the daemon finds nothing to object to. */
	assert_int_equal(frame_parse(bytes, FRAME_HEADER_SIZE + length, &frame), FRAME_HEADER_SIZE + length);
	return extraction_put(&found, &frame);
}

static int set_up(void **state)
{
	const struct extraction_bounds bounds = {1 << 20, 1 << 20, 100};

	(void)state;
	extraction_init(&found, &bounds);
	extract_result = 0;
	embedded_levels = 1;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	extraction_release(&found);
	return 0;
}

static int run_bytes(const void *bytes, size_t length, const struct limits *limits)
{
	const struct sink_output output = {collect, NULL};
	struct run_request request = {.size_bytes = length, .name = "", .sha256 = "", .limits = *limits};
	autoclose int fd = memfd_create("input", 0);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, length), length);
	request.fd = fd;
	return run_extraction(&request, &output);
}

static int run(const char *content)
{
	return run_bytes(content, strlen(content), &LIMITS_DEFAULT);
}

static void text_goes_through_with_what_is_found_in_it(void **state)
{
	(void)state;
	assert_int_equal(run("text: Hund a@b.example"), 0);
	assert_true(found.is_done);
	assert_string_equal(found.media_type, "text/plain");
	assert_string_equal(found.text.data, "text: Hund a@b.example");
	assert_non_null(strstr(found.data.data, "\"entities\":[{\"type\":\"email\"}]"));
	assert_non_null(strstr(found.data.data, "\"language\":\"de\""));
	assert_non_null(strstr(found.metadata.data, "\"dc:language\":\"de\""));
	assert_int_equal(found.letters['T' - 'A'], 2);
	assert_int_equal(found.letters['H' - 'A'], 1);
	assert_int_equal(found.confidence, 1000);
}

static void an_exact_media_type_goes_before_a_family(void **state)
{
	(void)state;
	assert_string_equal(extractor_find("text/plain")->name, "text");
	assert_string_equal(extractor_find("text/x-c")->name, "family");
	assert_string_equal(extractor_find("application/x-odd")->name, "family");
	assert_null(extractor_find("textual"));
	assert_int_equal(run("text: x"), 0);
	assert_string_equal(found.extractor, "text");
	assert_int_equal(found.extractor_version, 3);
}

static void a_file_of_no_extractor_completes_with_type_and_size(void **state)
{
	(void)state;
	assert_int_equal(run("???"), 0);
	assert_true(found.is_done);
	assert_string_equal(found.extractor, "file");
	assert_non_null(strstr(found.data.data, "\"media_type\":\"application/x-unknown\",\"size_bytes\":3"));
	assert_int_equal(found.error.length, 0);
}

static void bytes_that_are_no_utf8_become_the_replacement_character(void **state)
{
	(void)state;
	assert_int_equal(run_bytes("text: a\xFF\xC3(\0b\xE2\x82", 14, &LIMITS_DEFAULT), 0);
	assert_string_equal(found.text.data, "text: a\uFFFD\uFFFD(b\uFFFD");
}

/* Every way of cutting some text in two gives the same text. */
static void a_character_may_be_cut_between_two_calls(void **state)
{
	static const char whole[] = "aä€\xF0\x9F\x90\xA7\xE2(\xC3\xC3\xA4\xF0\x9F z\xE2\x82";
	const struct sink_output output = {collect, NULL};
	autofree char *expected = NULL;

	(void)state;
	for (size_t first = 0; first < sizeof(whole); first++)
		for (size_t second = first; second < sizeof(whole); second++) {
			struct sink_budget budget;
			struct sink sink;

			sink_budget_init(&budget, &LIMITS_DEFAULT);
			sink_init(&sink, &budget, NULL, &output);
			sink_text(&sink, whole, first);
			sink_text(&sink, whole + first, second - first);
			sink_text(&sink, whole + second, sizeof(whole) - 1 - second);
			assert_int_equal(sink_flush(&sink), 0);
			if (!expected)
				expected = strdup(sink.text.data);
			assert_string_equal(sink.text.data, expected);
			sink_release(&sink);
		}
	assert_string_equal(expected, "aä€🐧\uFFFD(\uFFFDä\uFFFD z\uFFFD");
}

static void text_over_its_limit_is_cut_at_a_character_with_a_warning(void **state)
{
	struct limits limits = LIMITS_DEFAULT;

	(void)state;
	limits.text_bytes = 8;
	assert_int_equal(run_bytes("text: a€uro", 13, &limits), 0);
	assert_string_equal(found.text.data, "text: a");
	assert_non_null(strstr(found.warnings.data, "longer than the limit"));
	assert_int_equal(found.warning_count, 1);
	assert_true(found.is_done);
	assert_int_equal(found.error.length, 0);
}

static void pages_over_their_limit_are_left_out_with_a_warning(void **state)
{
	const struct sink_output output = {collect, NULL};
	struct limits limits = LIMITS_DEFAULT;
	struct sink_budget budget;
	struct sink sink;

	(void)state;
	limits.pages = 2;
	sink_budget_init(&budget, &limits);
	sink_init(&sink, &budget, NULL, &output);
	assert_int_equal(sink_page(&sink), 0);
	assert_int_equal(sink_page(&sink), 0);
	assert_int_equal(sink_page(&sink), 1);
	assert_non_null(strstr(found.warnings.data, "only the first 2 pages"));
	assert_int_equal(found.page_count, 2);
	sink_release(&sink);
}

static void time_that_is_nearly_up_is_told_once(void **state)
{
	const struct sink_output output = {collect, NULL};
	struct limits limits = LIMITS_DEFAULT;
	struct sink_budget budget;
	struct sink sink;

	(void)state;
	limits.time_ms = 0;
	sink_budget_init(&budget, &limits);
	sink_init(&sink, &budget, NULL, &output);
	assert_int_equal(sink_text(&sink, "late", 4), -ETIME);
	assert_int_equal(sink_page(&sink), -ETIME);
	assert_true(sink_should_stop(&sink));
	assert_int_equal(found.warning_count, 1);
	sink_release(&sink);
}

static void wrong_json_costs_that_part_alone(void **state)
{
	const struct sink_output output = {collect, NULL};
	struct sink_budget budget;
	struct sink sink;

	(void)state;
	sink_budget_init(&budget, &LIMITS_DEFAULT);
	sink_init(&sink, &budget, NULL, &output);
	assert_int_equal(sink_data(&sink, "{\"a\":", 5), 1);
	assert_int_equal(sink_metadata(&sink, "[1]", 3), 1);
	assert_int_equal(sink_data(&sink, "{\"a\":1}", 7), 0);
	assert_int_equal(sink_metadata_text(&sink, "dc:title", "\xFF\"x"), 0);
	assert_int_equal(sink_metadata_text(&sink, "dc:creator", ""), 0);
	assert_int_equal(sink_metadata_number(&sink, "xmpTPg:NPages", 3), 0);
	assert_string_equal(found.data.data, "\"a\":1");
	assert_non_null(strstr(found.metadata.data, "\"xmpTPg:NPages\":3"));
	assert_int_equal(found.warning_count, 2);
	sink_release(&sink);
}

static void data_over_its_limit_is_left_out_with_one_warning(void **state)
{
	const struct sink_output output = {collect, NULL};
	struct limits limits = LIMITS_DEFAULT;
	struct sink_budget budget;
	struct sink sink;

	(void)state;
	limits.data_bytes = 20;
	sink_budget_init(&budget, &limits);
	sink_init(&sink, &budget, NULL, &output);
	assert_int_equal(sink_data(&sink, "{\"a\":\"1234567\"}", 15), 0);
	assert_int_equal(sink_data(&sink, "{\"b\":\"1234567\"}", 15), 1);
	assert_int_equal(sink_data(&sink, "{\"c\":\"1234567\"}", 15), 1);
	assert_string_equal(found.data.data, "\"a\":\"1234567\"");
	assert_int_equal(found.warning_count, 1);
	sink_release(&sink);
}

static void warnings_come_to_an_end(void **state)
{
	const struct sink_output output = {collect, NULL};
	struct sink_budget budget;
	struct sink sink;

	(void)state;
	sink_budget_init(&budget, &LIMITS_DEFAULT);
	sink_init(&sink, &budget, NULL, &output);
	for (int i = 0; i < 1000; i++)
		sink_warning(&sink, "number %d about \xC3\x28 and %s", i,
			     "a very long name that goes on and on and on and on");
	assert_int_equal(found.warning_count, 101);
	assert_int_equal(sink.top->error, 0);
	sink_release(&sink);
}

static void what_is_inflated_is_counted(void **state)
{
	const struct sink_output output = {collect, NULL};
	struct limits limits = LIMITS_DEFAULT;
	struct sink_budget budget;
	struct sink sink;

	(void)state;
	limits.inflated_bytes = 100;
	sink_budget_init(&budget, &limits);
	sink_init(&sink, &budget, NULL, &output);
	assert_int_equal(sink_charge(&sink, 60), 0);
	assert_int_equal(sink_charge(&sink, 60), -EFBIG);
	assert_int_equal(sink_charge(&sink, 1), -EFBIG);
	assert_int_equal(found.warning_count, 1);
	sink_release(&sink);
}

static void answers_of_extractors_are_settled(void **state)
{
	(void)state;
	extract_result = 1;
	assert_int_equal(run("broken"), 0);
	assert_string_equal(found.error.data, "encrypted: a \uFFFD password\uFFFD is needed");
	assert_true(found.is_done);
}

static void a_bare_refusal_is_called_corrupt(void **state)
{
	(void)state;
	extract_result = -EBADMSG;
	assert_int_equal(run("broken"), 0);
	assert_string_equal(found.error.data, "corrupt: this is no readable broken file");
}

static void want_of_memory_is_for_the_daemon_to_judge(void **state)
{
	(void)state;
	extract_result = -ENOMEM;
	assert_int_equal(run("broken"), -ENOMEM);
	assert_false(found.is_done);
}

static void time_that_ran_out_is_no_failure(void **state)
{
	(void)state;
	extract_result = -ETIME;
	assert_int_equal(run("broken"), 0);
	assert_true(found.is_done);
	assert_int_equal(found.error.length, 0);
}

static void a_file_that_was_not_its_own_completes_with_type_and_size(void **state)
{
	(void)state;
	extract_result = -ENOTSUP;
	assert_int_equal(run("broken"), 0);
	assert_string_equal(found.extractor, "file");
	assert_int_equal(found.error.length, 0);
}

static void a_file_within_a_file_gives_its_text_and_one_object(void **state)
{
	(void)state;
	embedded_in = "text: inside, und";
	assert_int_equal(run("container"), 0);
	assert_string_equal(found.text.data, "text: inside, und");
	assert_non_null(strstr(found.data.data,
			       "\"inside\":{\"path\":\"inner.txt\",\"size\":17,\"media_type\":\"text/plain\","
			       "\"extractor\":\"text\",\"text_offset\":0,\"text_bytes\":17}"));
}

static void an_error_within_is_none_of_the_container(void **state)
{
	(void)state;
	embedded_in = "broken";
	extract_result = 1;
	assert_int_equal(run("container"), 0);
	assert_int_equal(found.error.length, 0);
	assert_non_null(strstr(found.data.data, "\"error\":\"encrypted"));
}

static void files_are_followed_as_deep_as_allowed(void **state)
{
	struct limits limits = LIMITS_DEFAULT;

	(void)state;
	embedded_in = "text: deep";
	embedded_levels = 3;
	limits.depth = 3;
	assert_int_equal(run_bytes("container", 9, &limits), 0);
	assert_string_equal(found.text.data, "text: deep");
	tear_down(state);
	set_up(state);
	embedded_levels = 3;
	limits.depth = 2;
	assert_int_equal(run_bytes("container", 9, &limits), 0);
	assert_string_equal(found.text.data, "");
	assert_non_null(strstr(found.data.data, "nested deeper than 2 levels"));
}

static void entries_are_read_as_many_as_allowed(void **state)
{
	struct limits limits = LIMITS_DEFAULT;

	(void)state;
	embedded_in = "text: one";
	limits.entries = 0;
	assert_int_equal(run_bytes("container", 9, &limits), 0);
	assert_string_equal(found.text.data, "");
	assert_non_null(strstr(found.warnings.data, "of the files inside were read"));
}

static void a_file_that_is_shorter_than_recorded_is_not_read(void **state)
{
	const struct sink_output output = {collect, NULL};
	struct run_request request = {.size_bytes = 100, .name = "", .sha256 = "", .limits = LIMITS_DEFAULT};
	autoclose int fd = memfd_create("input", 0);

	(void)state;
	request.fd = fd;
	assert_int_equal(run_extraction(&request, &output), -ENODATA);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(text_goes_through_with_what_is_found_in_it),
		TEST(an_exact_media_type_goes_before_a_family),
		TEST(a_file_of_no_extractor_completes_with_type_and_size),
		TEST(bytes_that_are_no_utf8_become_the_replacement_character),
		TEST(a_character_may_be_cut_between_two_calls),
		TEST(text_over_its_limit_is_cut_at_a_character_with_a_warning),
		TEST(pages_over_their_limit_are_left_out_with_a_warning),
		TEST(time_that_is_nearly_up_is_told_once),
		TEST(wrong_json_costs_that_part_alone),
		TEST(data_over_its_limit_is_left_out_with_one_warning),
		TEST(warnings_come_to_an_end),
		TEST(what_is_inflated_is_counted),
		TEST(answers_of_extractors_are_settled),
		TEST(a_bare_refusal_is_called_corrupt),
		TEST(want_of_memory_is_for_the_daemon_to_judge),
		TEST(time_that_ran_out_is_no_failure),
		TEST(a_file_that_was_not_its_own_completes_with_type_and_size),
		TEST(a_file_within_a_file_gives_its_text_and_one_object),
		TEST(an_error_within_is_none_of_the_container),
		TEST(files_are_followed_as_deep_as_allowed),
		TEST(entries_are_read_as_many_as_allowed),
		TEST(a_file_that_is_shorter_than_recorded_is_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
