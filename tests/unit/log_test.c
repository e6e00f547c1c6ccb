#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "shared/base/json_check.h"
#include "shared/base/log.h"

/* Standard error, turned into a pipe for the length of a test. */
static int saved_stderr, ends[2];
static char line[65536];

static int catch_stderr(void **state)
{
	(void)state;
	unsetenv("JOURNAL_STREAM");
	saved_stderr = dup(STDERR_FILENO);
	if (pipe2(ends, O_NONBLOCK) < 0)
		return -1;
	return dup2(ends[1], STDERR_FILENO) < 0 ? -1 : 0;
}

static int give_stderr_back(void **state)
{
	(void)state;
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	close(ends[0]);
	close(ends[1]);
	return 0;
}

static const char *caught(void)
{
	ssize_t got = read(ends[0], line, sizeof(line) - 1);

	line[got > 0 ? got : 0] = '\0';
	return line;
}

static void text_lines_read_time_level_program_message_fields(void **state)
{
	int year, month;

	(void)state;
	log_init("testd", LOG_DEBUG_, 0);
	log_warn("something is odd", "tenant", "acme", "count", log_number(-3), "error", log_errno(-ENOSPC));
	caught();
	assert_int_equal(sscanf(line, "%d-%d-", &year, &month), 2);
	assert_non_null(strstr(line, "Z warning testd: something is odd tenant=acme count=-3 error=ENOSPC\n"));
}

static void values_with_blanks_are_quoted_and_control_characters_escaped(void **state)
{
	(void)state;
	log_init("testd", LOG_DEBUG_, 0);
	log_info("m", "a", "two words", "b", "new\nline", "c", "", "d", "quo\"te", "e", "\x1B[31m", "f", "x=y", "g",
		 "\xC2\x9B");
	caught();
	assert_non_null(
		strstr(line, " a=\"two words\" b=\"new\\nline\" c=\"\" d=\"quo\\\"te\" e=\"\\u001b[31m\" f=\"x=y\""));
	assert_null(strchr(line, '\x1B'));
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
}

static void json_lines_are_json_whatever_the_values_hold(void **state)
{
	enum json_kind kind;

	(void)state;
	log_init("testd", LOG_DEBUG_, 1);
	log_error("mes\"sage", "bytes", "a\xFF\n", "name", "ä");
	caught();
	assert_int_equal(json_check(line, strlen(line), 4, &kind), 0);
	assert_int_equal(kind, JSON_KIND_OBJECT);
	assert_non_null(strstr(
		line, "\"level\":\"error\",\"program\":\"testd\",\"message\":\"mes\\\"sage\",\"bytes\":\"\xEF\xBF\xBD"
		      "a\\\\xff\\n\",\"name\":\"ä\"}"));
}

static void what_is_below_the_level_is_not_written(void **state)
{
	(void)state;
	log_init("testd", LOG_WARN_, 0);
	log_debug("no");
	log_info("no");
	assert_string_equal(caught(), "");
	assert_false(log_is_enabled(LOG_INFO_));
	assert_true(log_is_enabled(LOG_WARN_));
	log_warn("yes");
	assert_non_null(strstr(caught(), "yes"));
}

static void long_values_are_cut_and_a_line_stays_one_piece(void **state)
{
	char value[5000], worst[5000];

	(void)state;
	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	memset(worst, '\x01', sizeof(worst) - 1);
	worst[sizeof(worst) - 1] = '\0';
	for (int is_json = 0; is_json < 2; is_json++) {
		log_init("testd", LOG_DEBUG_, is_json);
		log_info("m", "a", value, "b", worst, "c", worst, "d", "last");
		caught();
		assert_true(strlen(line) < 4096);
		assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
		assert_non_null(strstr(line, "vvvv"));
		assert_non_null(strstr(line, "cut"));
		assert_non_null(strstr(line, "last"));
		if (is_json)
			assert_int_equal(json_check(line, strlen(line), 4, NULL), 0);
	}
}

static void a_value_that_is_missing_is_left_out(void **state)
{
	(void)state;
	log_init("testd", LOG_DEBUG_, 0);
	log_info("m", "a", (const char *)NULL, "b", "there");
	assert_non_null(strstr(caught(), ": m b=there\n"));
}

static void errno_is_as_it_was(void **state)
{
	(void)state;
	log_init("testd", LOG_DEBUG_, 0);
	errno = ENOTTY;
	log_info("m");
	assert_int_equal(errno, ENOTTY);
	caught();
}

static void under_systemd_lines_are_json_with_a_priority(void **state)
{
	struct stat stat;
	char stream[64];

	(void)state;
	assert_int_equal(fstat(STDERR_FILENO, &stat), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)stat.st_dev, (unsigned long long)stat.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_init("testd", LOG_DEBUG_, 0);
	log_error("m", "a", "b");
	caught();
	assert_memory_equal(line, "<3>{\"time\":", 11);
	unsetenv("JOURNAL_STREAM");
}

static void level_names_are_read_in_any_case(void **state)
{
	enum log_level level;

	(void)state;
	assert_int_equal(log_level_parse("DEBUG", &level), 0);
	assert_int_equal(level, LOG_DEBUG_);
	assert_int_equal(log_level_parse("Info", &level), 0);
	assert_int_equal(level, LOG_INFO_);
	assert_int_equal(log_level_parse("warn", &level), 0);
	assert_int_equal(level, LOG_WARN_);
	assert_int_equal(log_level_parse("warning", &level), 0);
	assert_int_equal(level, LOG_WARN_);
	assert_int_equal(log_level_parse("critical", &level), 0);
	assert_int_equal(level, LOG_ERROR_);
	assert_int_equal(log_level_parse("loud", &level), -EINVAL);
}

static void *chatter(void *context)
{
	for (int i = 0; i < 20; i++)
		log_info("from a thread", "who", (const char *)context, "and", "something that makes the line longer");
	return NULL;
}

static void lines_of_several_threads_do_not_mix(void **state)
{
	static char names[4][2] = {"a", "b", "c", "d"};
	pthread_t threads[4];
	int count = 0;
	char *at;

	(void)state;
	log_init("testd", LOG_DEBUG_, 1);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, chatter, names[i]), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	caught();
	for (at = line; *at; count++) {
		size_t length = strcspn(at, "\n");

		assert_int_equal(json_check(at, length, 4, NULL), 0);
		at += length + 1;
	}
	assert_int_equal(count, 80);
}

#define LOG_TEST(name) cmocka_unit_test_setup_teardown(name, catch_stderr, give_stderr_back)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOG_TEST(text_lines_read_time_level_program_message_fields),
		LOG_TEST(values_with_blanks_are_quoted_and_control_characters_escaped),
		LOG_TEST(json_lines_are_json_whatever_the_values_hold),
		LOG_TEST(what_is_below_the_level_is_not_written),
		LOG_TEST(long_values_are_cut_and_a_line_stays_one_piece),
		LOG_TEST(a_value_that_is_missing_is_left_out),
		LOG_TEST(errno_is_as_it_was),
		LOG_TEST(under_systemd_lines_are_json_with_a_priority),
		LOG_TEST(level_names_are_read_in_any_case),
		LOG_TEST(lines_of_several_threads_do_not_mix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
