#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "extractd/worker/formats/charset.h"

static struct limits limits;

static struct extract_input input_of(const char *bytes, size_t length)
{
	return (struct extract_input){
		.name = "", .size_bytes = length, .limits = &limits, .fd = -1, .memory = (const uint8_t *)bytes};
}

/* Detects, reads in pieces of size bytes, compares. */
static void expect(const char *bytes, size_t length, const char *name, const char *wanted)
{
	static const size_t sizes[] = {8, 11, 4096};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct extract_input in = input_of(bytes, length);
		struct charset_stream *stream = malloc(sizeof(*stream));
		autobuf struct buf text = BUF_INIT(1 << 20);
		struct charset charset;
		char piece[4096];
		ssize_t n;

		assert_int_equal(charset_detect(&in, &charset), 0);
		assert_string_equal(charset.name, name);
		assert_int_equal(charset_stream_init(stream, &in, &charset), 0);
		while ((n = charset_stream_read(stream, piece, sizes[i])) > 0)
			buf_append(&text, piece, (size_t)n);
		assert_int_equal(n, 0);
		assert_string_equal(text.length > 0 ? text.data : "", wanted);
		charset_stream_release(stream);
		free(stream);
	}
}

#define EXPECT(bytes, name, wanted) expect(bytes, sizeof(bytes) - 1, name, wanted)

static void valid_utf8_wins(void **state)
{
	(void)state;
	EXPECT("plain words", "US-ASCII", "plain words");
	EXPECT("caf\xC3\xA9", "UTF-8", "caf\xC3\xA9");
	EXPECT("\xEF\xBB\xBF"
	       "caf\xC3\xA9",
	       "UTF-8", "caf\xC3\xA9");
	EXPECT("", "US-ASCII", "");
}

static void a_byte_order_mark_decides(void **state)
{
	(void)state;
	EXPECT("\xFF\xFEh\0i\0\xE9\0", "UTF-16LE", "hi\xC3\xA9");
	EXPECT("\xFE\xFF\0h\0i\0\xE9", "UTF-16BE", "hi\xC3\xA9");
	EXPECT("\xFF\xFE\0\0h\0\0\0", "UTF-32LE", "h");
}

static void zeros_give_utf16_away(void **state)
{
	(void)state;
	EXPECT("h\0e\0l\0l\0o\0 \0w\0o\0r\0l\0d\0", "UTF-16LE", "hello world");
}

static void a_character_cut_at_the_end_is_replaced(void **state)
{
	(void)state;
	EXPECT("\xFF\xFEh\0i", "UTF-16LE", "h\xEF\xBF\xBD");
}

static void latin_text_is_guessed_and_converted(void **state)
{
	static const char text[] = "Die K\xFC"
				   "che ist sch\xF6n und gro\xDF. F\xFCr die \xC4rzte w\xE4re das \xFC"
				   "bertrieben, h\xF6rte ich.";
	struct extract_input in = input_of(text, sizeof(text) - 1);
	struct charset charset;

	(void)state;
	assert_int_equal(charset_detect(&in, &charset), 0);
	assert_false(charset.is_utf8);
	assert_true(charset.confidence < 1000);
	expect(text, sizeof(text) - 1, charset.name,
	       "Die K\xC3\xBC"
	       "che ist sch\xC3\xB6n und gro\xC3\x9F. F\xC3\xBCr die \xC3\x84rzte w\xC3\xA4re das "
	       "\xC3\xBC"
	       "bertrieben, h\xC3\xB6rte ich.");
}

static void a_bad_byte_among_many_good_ones_is_damage(void **state)
{
	char text[200];
	struct extract_input in = input_of(text, sizeof(text));
	struct charset charset;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i += 2)
		memcpy(text + i, "\xC3\xA9", 2);
	text[100] = '\xFF';
	text[101] = 'x';
	assert_int_equal(charset_detect(&in, &charset), 0);
	assert_string_equal(charset.name, "UTF-8");
	assert_true(charset.has_errors);
}

static void the_first_byte_above_127_may_come_late(void **state)
{
	size_t length = 300000;
	char *text = malloc(length);
	struct extract_input in = input_of(text, length);
	struct charset charset;

	(void)state;
	memset(text, 'a', length);
	memcpy(text + 250000, "\xC3\xA9", 2);
	assert_int_equal(charset_detect(&in, &charset), 0);
	assert_string_equal(charset.name, "UTF-8");
	free(text);
}

static void letters_are_counted_over_the_raw_bytes(void **state)
{
	static const char bytes[] = "\xFF\xFEh\0i\0";
	struct extract_input in = input_of(bytes, sizeof(bytes) - 1);
	struct charset_stream *stream = malloc(sizeof(*stream));
	struct charset charset;
	char piece[64];

	(void)state;
	charset_detect(&in, &charset);
	charset_stream_init(stream, &in, &charset);
	while (charset_stream_read(stream, piece, sizeof(piece)) > 0)
		;
	assert_int_equal(stream->letters['h' - 'a'], 1);
	assert_int_equal(stream->letters['i' - 'a'], 1);
	charset_stream_release(stream);
	free(stream);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_utf8_wins),
		cmocka_unit_test(a_byte_order_mark_decides),
		cmocka_unit_test(zeros_give_utf16_away),
		cmocka_unit_test(a_character_cut_at_the_end_is_replaced),
		cmocka_unit_test(latin_text_is_guessed_and_converted),
		cmocka_unit_test(a_bad_byte_among_many_good_ones_is_damage),
		cmocka_unit_test(the_first_byte_above_127_may_come_late),
		cmocka_unit_test(letters_are_counted_over_the_raw_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
