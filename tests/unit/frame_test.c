#include <endian.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "shared/base/frame.h"

/* One frame as bytes, written through a pipe. */
static size_t make(enum frame_type type, const void *payload, size_t length, uint8_t *ret, size_t size)
{
	int ends[2];
	ssize_t got;

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(frame_write(ends[1], type, payload, length), 0);
	close(ends[1]);
	got = read(ends[0], ret, size);
	close(ends[0]);
	assert_true(got > 0);
	return (size_t)got;
}

static long parse_made(enum frame_type type, const void *payload, size_t length)
{
	uint8_t bytes[4096];
	struct frame frame;

	return frame_parse(bytes, make(type, payload, length, bytes, sizeof(bytes)), &frame);
}

static void a_frame_is_read_as_it_was_written(void **state)
{
	uint8_t bytes[64];
	struct frame frame;
	size_t length = make(FRAME_TEXT, "größer", 8, bytes, sizeof(bytes));

	(void)state;
	assert_int_equal(length, FRAME_HEADER_SIZE + 8);
	assert_int_equal(frame_parse(bytes, length, &frame), length);
	assert_int_equal(frame.type, FRAME_TEXT);
	assert_int_equal(frame.length, 8);
	assert_memory_equal(frame.payload, "größer", 8);
}

static void an_incomplete_frame_asks_for_more_at_every_length(void **state)
{
	uint8_t bytes[64];
	struct frame frame = {.type = FRAME_DONE};
	size_t length = make(FRAME_DATA, "{\"a\":1}", 7, bytes, sizeof(bytes));

	(void)state;
	for (size_t i = 0; i < length; i++)
		assert_int_equal(frame_parse(bytes, i, &frame), 0);
	assert_int_equal(frame.type, FRAME_DONE);
}

static void what_follows_a_frame_is_left_for_the_next_call(void **state)
{
	uint8_t bytes[64];
	struct frame frame;
	size_t first = make(FRAME_PAGE, NULL, 0, bytes, sizeof(bytes));
	size_t second = make(FRAME_DONE, NULL, 0, bytes + first, sizeof(bytes) - first);

	(void)state;
	assert_int_equal(frame_parse(bytes, first + second, &frame), first);
	assert_int_equal(frame.type, FRAME_PAGE);
	assert_int_equal(frame_parse(bytes + first, second, &frame), second);
	assert_int_equal(frame.type, FRAME_DONE);
}

static void a_header_that_lies_is_refused(void **state)
{
	uint8_t bytes[FRAME_HEADER_SIZE];
	struct frame frame;

	(void)state;
	for (int type = 0; type < 256; type++) {
		uint8_t header[FRAME_HEADER_SIZE] = {1, 0, 0, 0, (uint8_t)type};
		bool is_known = type > 0 && type < FRAME_TYPE_COUNT;

		assert_int_equal(frame_parse(header, sizeof(header), &frame), is_known ? 0 : -EBADMSG);
	}
	make(FRAME_DONE, NULL, 0, bytes, sizeof(bytes));
	for (int at = 5; at < 8; at++) {
		bytes[at] = 1;
		assert_int_equal(frame_parse(bytes, sizeof(bytes), &frame), -EBADMSG);
		bytes[at] = 0;
	}
	bytes[2] = 0x10; /* 1 MiB: as much as is allowed */
	assert_int_equal(frame_parse(bytes, sizeof(bytes), &frame), 0);
	bytes[0] = 1;
	assert_int_equal(frame_parse(bytes, sizeof(bytes), &frame), -EBADMSG);
	bytes[3] = 0xFF;
	assert_int_equal(frame_parse(bytes, sizeof(bytes), &frame), -EBADMSG);
}

static void text_must_be_utf8_without_nul(void **state)
{
	static const enum frame_type types[] = {FRAME_MEDIA_TYPE, FRAME_EXTRACTOR, FRAME_TEXT,
						FRAME_SUMMARY,	  FRAME_WARNING,   FRAME_ERROR};

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		assert_true(parse_made(types[i], "text", 4) > 0);
		assert_true(parse_made(types[i], NULL, 0) > 0);
		assert_int_equal(parse_made(types[i], "\xC3", 1), -EBADMSG);
		assert_int_equal(parse_made(types[i], "a\0", 2), -EBADMSG);
	}
}

static void json_must_be_an_object_and_not_too_deep(void **state)
{
	static const enum frame_type types[] = {FRAME_JOB, FRAME_METADATA, FRAME_DATA};
	char deep[2000];
	size_t length = 0;

	(void)state;
	for (int i = 0; i < FRAME_JSON_DEPTH; i++) {
		memcpy(deep + length, "{\"a\":", 5);
		length += 5;
	}
	memcpy(deep + length, "{}", 2);
	length += 2;
	for (int i = 0; i < FRAME_JSON_DEPTH; i++)
		deep[length++] = '}';
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		assert_true(parse_made(types[i], "{\"a\":[1]}", 9) > 0);
		assert_int_equal(parse_made(types[i], "[1]", 3), -EBADMSG);
		assert_int_equal(parse_made(types[i], "{", 1), -EBADMSG);
		assert_int_equal(parse_made(types[i], NULL, 0), -EBADMSG);
		assert_int_equal(parse_made(types[i], "{\"a\":\"\\u0000\"}", 14), -EBADMSG);
		assert_int_equal(parse_made(types[i], deep, length), -EBADMSG);
	}
}

static void numbers_must_have_their_size(void **state)
{
	uint64_t letters[FRAME_LETTER_COUNT] = {0};
	uint32_t most = htole32(FRAME_CONFIDENCE_MAX), more = htole32(FRAME_CONFIDENCE_MAX + 1);

	(void)state;
	assert_true(parse_made(FRAME_LETTERS, letters, sizeof(letters)) > 0);
	assert_int_equal(parse_made(FRAME_LETTERS, letters, sizeof(letters) - 1), -EBADMSG);
	assert_true(parse_made(FRAME_CONFIDENCE, &most, sizeof(most)) > 0);
	assert_int_equal(parse_made(FRAME_CONFIDENCE, &more, sizeof(more)), -EBADMSG);
	assert_int_equal(parse_made(FRAME_CONFIDENCE, &most, 3), -EBADMSG);
	assert_int_equal(parse_made(FRAME_PAGE, "x", 1), -EBADMSG);
	assert_int_equal(parse_made(FRAME_WANT_OCR, "x", 1), -EBADMSG);
	assert_int_equal(parse_made(FRAME_DONE, "x", 1), -EBADMSG);
}

static void *drain(void *context)
{
	const int *fd = context;
	char room[1000];
	size_t total = 0;
	ssize_t got;

	while ((got = read(*fd, room, sizeof(room))) > 0)
		total += (size_t)got;
	return (void *)(uintptr_t)total;
}

static void a_frame_larger_than_the_pipe_is_written_whole(void **state)
{
	char *payload = malloc(FRAME_PAYLOAD_MAX + 1);
	pthread_t reader;
	void *total;
	int ends[2];

	(void)state;
	memset(payload, 'x', FRAME_PAYLOAD_MAX + 1);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(pthread_create(&reader, NULL, drain, &ends[0]), 0);
	assert_int_equal(frame_write(ends[1], FRAME_TEXT, payload, FRAME_PAYLOAD_MAX), 0);
	assert_int_equal(frame_write(ends[1], FRAME_TEXT, payload, FRAME_PAYLOAD_MAX + 1), -EMSGSIZE);
	close(ends[1]);
	pthread_join(reader, &total);
	assert_int_equal((uintptr_t)total, FRAME_HEADER_SIZE + FRAME_PAYLOAD_MAX);
	close(ends[0]);
	free(payload);
}

static void a_reader_that_went_away_is_an_error(void **state)
{
	int ends[2];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(ends), 0);
	close(ends[0]);
	assert_int_equal(frame_write(ends[1], FRAME_DONE, NULL, 0), -EPIPE);
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame_is_read_as_it_was_written),
		cmocka_unit_test(an_incomplete_frame_asks_for_more_at_every_length),
		cmocka_unit_test(what_follows_a_frame_is_left_for_the_next_call),
		cmocka_unit_test(a_header_that_lies_is_refused),
		cmocka_unit_test(text_must_be_utf8_without_nul),
		cmocka_unit_test(json_must_be_an_object_and_not_too_deep),
		cmocka_unit_test(numbers_must_have_their_size),
		cmocka_unit_test(a_frame_larger_than_the_pipe_is_written_whole),
		cmocka_unit_test(a_reader_that_went_away_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
