/* What extractd makes of a worker's answer and of its end: extractd/attempt.c, verdict.c. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "extractd/verdict.h"
#include "extractd/worker/protocol.h"
#include "shared/base/clock.h"

enum { CRASHED = SIGSEGV, KILLED = SIGKILL };

static struct attempt *attempt;

static int set_up(void **state)
{
	const struct extraction_bounds bounds = {1000, 1000, 10};

	(void)state;
	attempt = calloc(1, sizeof(*attempt));
	attempt->socket = attempt->pidfd = -1;
	attempt->state = ATTEMPT_BUSY;
	attempt->job = calloc(1, sizeof(*attempt->job));
	attempt->limits = (struct limits){.memory_bytes = 1 << 30, .time_ms = 60000};
	extraction_init(&attempt->found, &bounds);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	attempt_free(attempt);
	return 0;
}

static size_t put_frame(uint8_t *at, enum frame_type type, const char *payload)
{
	size_t length = strlen(payload);

	memset(at, 0, FRAME_HEADER_SIZE);
	at[0] = (uint8_t)length;
	at[4] = (uint8_t)type;
	memcpy(at + FRAME_HEADER_SIZE, payload, length);
	return FRAME_HEADER_SIZE + length;
}

/* A whole answer: "pdf 3", two pages, done when wanted. */
static size_t answer(uint8_t bytes[512], bool is_done)
{
	size_t length = put_frame(bytes, FRAME_MEDIA_TYPE, "application/pdf");

	length += put_frame(bytes + length, FRAME_EXTRACTOR, "pdf 3");
	length += put_frame(bytes + length, FRAME_PAGE, "");
	length += put_frame(bytes + length, FRAME_TEXT, "one");
	length += put_frame(bytes + length, FRAME_PAGE, "");
	length += put_frame(bytes + length, FRAME_TEXT, "two");
	if (is_done)
		length += put_frame(bytes + length, FRAME_DONE, "");
	return length;
}

static void take_answer(bool is_done)
{
	uint8_t bytes[512];

	assert_int_equal(attempt_take(attempt, bytes, answer(bytes, is_done)), is_done);
}

static void end_with(int status)
{
	attempt->has_ended = true;
	attempt->status = status;
}

static void exit_with(enum worker_exit status)
{
	end_with((int)status << 8);
}

static struct job_outcome *judge(void)
{
	struct job_outcome *outcome = verdict_of(attempt, true, clock_monotonic_ns());

	assert_non_null(outcome);
	assert_null(attempt->job);
	return outcome;
}

/* --- the wire --- */

static void frames_may_be_cut_anywhere(void **state)
{
	uint8_t bytes[512];
	size_t length = answer(bytes, true);

	for (size_t cut = 1; cut < length; cut++) {
		assert_int_equal(attempt_take(attempt, bytes, cut), 0);
		assert_int_equal(attempt_take(attempt, bytes + cut, length - cut), 1);
		assert_string_equal(attempt->found.text.data, "onetwo");
		assert_int_equal(attempt->found.page_count, 2);
		tear_down(state);
		set_up(state);
	}
	for (size_t i = 0; i < length; i++)
		assert_int_equal(attempt_take(attempt, bytes + i, 1), i == length - 1);
}

static void what_follows_the_end_is_refused(void **state)
{
	uint8_t bytes[512];
	size_t length = answer(bytes, true);

	(void)state;
	bytes[length] = 0;
	assert_int_equal(attempt_take(attempt, bytes, length + 1), -EBADMSG);
}

static void a_claimed_length_takes_no_memory(void **state)
{
	static const uint8_t head[FRAME_HEADER_SIZE] = {0, 0, 0x10, 0, FRAME_TEXT};

	(void)state;
	assert_int_equal(attempt_take(attempt, head, sizeof(head)), 0);
	assert_in_range(attempt->unread_capacity, 0, 65536);
}

static void too_long_a_frame_is_refused_by_its_head(void **state)
{
	static const uint8_t head[FRAME_HEADER_SIZE] = {1, 0, 0x10, 0, FRAME_TEXT};

	(void)state;
	assert_int_equal(attempt_take(attempt, head, sizeof(head)), -EBADMSG);
}

/* --- ends --- */

static void a_complete_answer_is_done(void **state)
{
	struct job_outcome *outcome;

	(void)state;
	take_answer(true);
	outcome = judge();
	assert_int_equal(outcome->verdict, JOB_DONE);
	assert_true(outcome->has_result);
	assert_string_equal(outcome->result.extractor, "pdf");
	assert_string_equal(outcome->result.media_type, "application/pdf");
	assert_string_equal(outcome->result.text.data, "onetwo");
	assert_string_equal(outcome->result.pages.data, "{0,3}");
	assert_string_equal(outcome->result.metadata.data, "{}");
	assert_string_equal(outcome->result.warnings.data, "[]");
	assert_int_equal(outcome->result.confidence, 1000);
	job_outcome_free(outcome);
}

static void a_complete_answer_counts_whatever_came_of_the_worker_later(void **state)
{
	struct job_outcome *outcome;

	(void)state;
	take_answer(true);
	end_with(CRASHED);
	outcome = judge();
	assert_int_equal(outcome->verdict, JOB_DONE);
	job_outcome_free(outcome);
}

static void a_crash_is_tried_again_with_the_version_in_its_reason(void **state)
{
	struct job_outcome *outcome;

	(void)state;
	take_answer(false);
	end_with(CRASHED);
	outcome = judge();
	assert_int_equal(outcome->verdict, JOB_RETRY);
	assert_string_equal(outcome->error, "the worker crashed (SIGSEGV) (pdf, version 3)");
	assert_in_range(outcome->delay_ms, 500, 1500);
	assert_false(outcome->has_result);
	job_outcome_free(outcome);
}

static void the_third_crash_is_a_failure_that_keeps_finished_pages(void **state)
{
	struct job_outcome *outcome;

	(void)state;
	take_answer(false);
	end_with(CRASHED);
	attempt->job->row.failures = 2;
	outcome = judge();
	assert_int_equal(outcome->verdict, JOB_FAILED);
	assert_true(outcome->has_result && outcome->result.is_failed);
	assert_string_equal(outcome->result.text.data, "onetwo");
	assert_int_equal(outcome->result.confidence, 0);
	job_outcome_free(outcome);
}

static void the_third_time_out_with_pages_is_a_partial_result(void **state)
{
	struct job_outcome *outcome;

	(void)state;
	take_answer(false);
	attempt_kill(attempt, KILL_TIME);
	attempt->job->row.failures = 2;
	outcome = judge();
	assert_int_equal(outcome->verdict, JOB_DONE);
	assert_false(outcome->result.is_failed);
	assert_non_null(strstr(outcome->result.warnings.data, "only a part was read: took longer than 60 s"));
	assert_int_equal(outcome->result.confidence, 500);
	job_outcome_free(outcome);
}

static void the_third_time_out_without_anything_is_a_failure(void **state)
{
	struct job_outcome *outcome;

	(void)state;
	attempt_kill(attempt, KILL_TIME);
	attempt->job->row.failures = 2;
	outcome = judge();
	assert_int_equal(outcome->verdict, JOB_FAILED);
	assert_string_equal(outcome->error, "took longer than 60 s");
	job_outcome_free(outcome);
}

static void what_was_not_the_files_fault_does_not_count(void **state)
{
	struct job_outcome *outcome;

	(void)state;
	attempt->job->row.failures = 2;
	exit_with(WORKER_EXIT_NO_SANDBOX);
	outcome = judge();
	assert_int_equal(outcome->verdict, JOB_BACK);
	assert_true(outcome->delay_ms > 0);
	job_outcome_free(outcome);
	set_up(state);
	attempt->was_lost = attempt->has_ended = true;
	outcome = judge();
	assert_int_equal(outcome->verdict, JOB_BACK);
	job_outcome_free(outcome);
	set_up(state);
	attempt_kill(attempt, KILL_DRAIN);
	outcome = judge();
	assert_int_equal(outcome->verdict, JOB_BACK);
	assert_int_equal(outcome->delay_ms, 0);
	job_outcome_free(outcome);
}

static void ends_are_told_in_words(void **state)
{
	static const struct {
		int status;
		const char *words;
	} ends[] = {
		{WORKER_EXIT_MEMORY << 8, "needs more than 1024 MiB of memory"},
		{WORKER_EXIT_SHORT_INPUT << 8, "the stored bytes are fewer than recorded"},
		{0, "the worker ended early (exit status 0)"},
		{SIGXCPU, "took more than 60 s of processor time"},
		{SIGSYS, "the worker tried a forbidden system call"},
		{SIGXFSZ, "the worker tried to write too large a file"},
		{KILLED, "the worker was killed, perhaps for want of memory (it had 5 MiB)"},
		{SIGABRT, "the worker crashed (SIGABRT)"},
	};

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		struct job_outcome *outcome;

		set_up(state);
		attempt->max_rss_kib = 5 << 10;
		end_with(ends[i].status);
		outcome = judge();
		assert_string_equal(outcome->error, ends[i].words);
		job_outcome_free(outcome);
		tear_down(state);
	}
	set_up(state);
}

static void a_terminal_error_is_a_failure_at_once(void **state)
{
	uint8_t bytes[512];
	size_t length = answer(bytes, false);
	struct job_outcome *outcome;

	(void)state;
	length += put_frame(bytes + length, FRAME_ERROR, "encrypted: a password is needed");
	length += put_frame(bytes + length, FRAME_DONE, "");
	assert_int_equal(attempt_take(attempt, bytes, length), 1);
	outcome = judge();
	assert_int_equal(outcome->verdict, JOB_FAILED);
	assert_string_equal(outcome->error, "encrypted: a password is needed");
	assert_true(outcome->result.is_failed);
	assert_string_equal(outcome->result.text.data, "onetwo");
	job_outcome_free(outcome);
}

static void want_ocr(enum job_lane lane)
{
	uint8_t bytes[512];
	size_t length = answer(bytes, false);

	attempt->job->row.lane = lane;
	length += put_frame(bytes + length, FRAME_WANT_OCR, "");
	length += put_frame(bytes + length, FRAME_DONE, "");
	assert_int_equal(attempt_take(attempt, bytes, length), 1);
}

static void pages_without_text_go_to_the_ocr_lane_where_there_is_one(void **state)
{
	struct job_outcome *outcome;

	want_ocr(JOB_LANE_NORMAL);
	outcome = judge();
	assert_int_equal(outcome->verdict, JOB_OCR);
	assert_true(outcome->has_result);
	job_outcome_free(outcome);
	tear_down(state);
	set_up(state);
	want_ocr(JOB_LANE_NORMAL);
	outcome = verdict_of(attempt, false, clock_monotonic_ns());
	assert_int_equal(outcome->verdict, JOB_DONE);
	assert_non_null(strstr(outcome->result.warnings.data, "OCR is switched off"));
	job_outcome_free(outcome);
	tear_down(state);
	set_up(state);
	want_ocr(JOB_LANE_OCR); /* never round and round */
	outcome = judge();
	assert_int_equal(outcome->verdict, JOB_DONE);
	job_outcome_free(outcome);
}

static void failing_ocr_keeps_what_there_is(void **state)
{
	struct job_outcome *outcome;

	(void)state;
	attempt->job->row.lane = JOB_LANE_OCR;
	attempt->job->row.failures = 2;
	end_with(CRASHED);
	outcome = judge();
	assert_int_equal(outcome->verdict, JOB_DONE);
	assert_false(outcome->has_result);
	assert_non_null(strstr(outcome->error, "could not be recognised"));
	job_outcome_free(outcome);
}

static void a_file_for_others_is_told_by_its_exit_alone(void **state)
{
	(void)state;
	assert_false(verdict_is_not_mine(attempt));
	exit_with(WORKER_EXIT_NOT_MINE);
	assert_true(verdict_is_not_mine(attempt));
	attempt->killed = KILL_TIME;
	assert_false(verdict_is_not_mine(attempt));
}

static void limits_are_halved_with_each_failure(void **state)
{
	const struct limits limits = {.text_bytes = 1000,
				      .memory_bytes = 1ULL << 30,
				      .pages = 10,
				      .entries = 1,
				      .depth = 10,
				      .time_ms = 60000};
	struct limits lowered = settings_lower_limits(&limits, 2);

	(void)state;
	assert_int_equal(lowered.text_bytes, 250);
	assert_int_equal(lowered.memory_bytes, 256 << 20);
	assert_int_equal(lowered.pages, 2);
	assert_int_equal(lowered.entries, 1);
	assert_int_equal(lowered.depth, 10);
	assert_int_equal(lowered.time_ms, 15000);
	lowered = settings_lower_limits(&limits, 100);
	assert_int_equal(lowered.time_ms, 1000);
	assert_int_equal(lowered.memory_bytes, 128 << 20);
	assert_int_equal(lowered.pages, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(frames_may_be_cut_anywhere),
		TEST(what_follows_the_end_is_refused),
		TEST(a_claimed_length_takes_no_memory),
		TEST(too_long_a_frame_is_refused_by_its_head),
		TEST(a_complete_answer_is_done),
		TEST(a_complete_answer_counts_whatever_came_of_the_worker_later),
		TEST(a_crash_is_tried_again_with_the_version_in_its_reason),
		TEST(the_third_crash_is_a_failure_that_keeps_finished_pages),
		TEST(the_third_time_out_with_pages_is_a_partial_result),
		TEST(the_third_time_out_without_anything_is_a_failure),
		TEST(what_was_not_the_files_fault_does_not_count),
		TEST(ends_are_told_in_words),
		TEST(a_terminal_error_is_a_failure_at_once),
		TEST(pages_without_text_go_to_the_ocr_lane_where_there_is_one),
		TEST(failing_ocr_keeps_what_there_is),
		TEST(a_file_for_others_is_told_by_its_exit_alone),
		TEST(limits_are_halved_with_each_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
