/* shared/cache against a private Redis on a unix socket. */
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>
#include "shared/base/cleanup.h"
#include "shared/base/clock.h"
#include "shared/base/text.h"
#include "shared/cache/cache.h"
#include "tests/unit/support/services.h"

static struct cache *cache;

/* What redis-cli says to a command, its first line. */
static const char *ask(const char *command)
{
	static char answer[512];
	char line[1024];
	FILE *cli;

	snprintf(line, sizeof(line), "redis-cli -s %s/run/redis %s", services_folder(), command);
	cli = popen(line, "r");
	assert_non_null(cli);
	answer[0] = '\0';
	if (fgets(answer, sizeof(answer), cli))
		answer[strcspn(answer, "\n")] = '\0';
	pclose(cli);
	return answer;
}

static int64_t number(const char *text)
{
	int64_t value;

	assert_int_equal(int64_parse(text, &value), 0);
	return value;
}

static int open_fresh(void **state)
{
	(void)state;
	ask("FLUSHALL");
	return cache_new(services_redis_url(), &cache);
}

static int close_cache(void **state)
{
	(void)state;
	cache_free(cache);
	cache = NULL;
	return 0;
}

static void a_value_is_kept_byte_for_byte(void **state)
{
	autofree char *value = NULL;
	size_t length = 0;

	(void)state;
	assert_true(cache_is_up(cache));
	assert_int_equal(cache_get(cache, "k", &value, &length), -ENOENT);
	assert_int_equal(cache_set(cache, "k", "a\0b\r\n", 5, 100), 0);
	assert_int_equal(cache_get(cache, "k", &value, &length), 0);
	assert_int_equal(length, 5);
	assert_memory_equal(value, "a\0b\r\n", 6);
	assert_int_equal(cache_delete(cache, "k"), 0);
	free(take_ptr(&value));
	assert_int_equal(cache_get(cache, "k", &value, &length), -ENOENT);
	assert_int_equal(cache_delete(cache, "k"), 0);
}

static void a_value_lives_as_long_as_it_was_told(void **state)
{
	(void)state;
	assert_int_equal(cache_set(cache, "k", "v", 1, 100), 0);
	assert_in_range(number(ask("TTL k")), 99, 100);
	assert_int_equal(cache_set(cache, "k", "v", 1, 0), 0);
	assert_string_equal(ask("TTL k"), "-1");
}

static void a_hash_comes_back_in_pairs_and_lives_on_when_read(void **state)
{
	static const char *const pairs[] = {"name", "ä b", "empty", "", NULL};
	autofree char **back = NULL;

	(void)state;
	assert_int_equal(cache_hash_get(cache, "h", 0, &back), -ENOENT);
	assert_int_equal(cache_hash_set(cache, "h", 50, pairs), 0);
	assert_in_range(number(ask("TTL h")), 49, 50);
	assert_int_equal(cache_hash_get(cache, "h", 500, &back), 0);
	assert_in_range(number(ask("TTL h")), 499, 500);
	for (int i = 0; i < 4; i++)
		assert_string_equal(back[i], pairs[i]);
	assert_null(back[4]);
}

static void a_hash_without_a_time_to_live_stays(void **state)
{
	static const char *const pairs[] = {"a", "b", NULL};

	(void)state;
	assert_int_equal(cache_hash_set(cache, "h", 50, pairs), 0);
	assert_int_equal(cache_hash_set(cache, "h", 0, pairs), 0);
	assert_string_equal(ask("TTL h"), "-1");
}

static void too_many_pairs_are_refused(void **state)
{
	const char *pairs[101];

	(void)state;
	for (int i = 0; i < 100; i++)
		pairs[i] = "x";
	pairs[100] = NULL;
	assert_int_equal(cache_hash_set(cache, "h", 50, pairs), -E2BIG);
	assert_true(cache_is_up(cache));
}

static void hits_are_counted_in_their_window(void **state)
{
	int64_t count = 0;

	(void)state;
	for (int i = 1; i <= 5; i++) {
		assert_int_equal(cache_count(cache, "c", 60, &count), 0);
		assert_int_equal(count, i);
	}
	assert_in_range(number(ask("TTL c")), 59, 60);
	assert_string_equal(ask("DEL c"), "1");
	assert_int_equal(cache_count(cache, "c", 60, &count), 0);
	assert_int_equal(count, 1);
}

static void several_hits_count_at_once_and_none_only_asks(void **state)
{
	int64_t count = 0;

	(void)state;
	assert_int_equal(cache_count_by(cache, "c", 5, 60, &count), 0);
	assert_int_equal(count, 5);
	assert_int_equal(cache_count_by(cache, "c", 0, 60, &count), 0);
	assert_int_equal(count, 5);
	assert_in_range(number(ask("TTL c")), 59, 60);
}

static void one_field_of_a_hash_can_be_asked_for(void **state)
{
	static const char *const pairs[] = {"a", "1", "b", "2", NULL};
	autofree char *value = NULL;
	size_t length = 0;

	(void)state;
	assert_int_equal(cache_hash_set(cache, "h", 50, pairs), 0);
	assert_int_equal(cache_hash_get_field(cache, "h", "b", &value, &length), 0);
	assert_string_equal(value, "2");
	assert_int_equal(length, 1);
	free(take_ptr(&value));
	assert_int_equal(cache_hash_get_field(cache, "h", "c", &value, &length), -ENOENT);
}

static void a_stream_grows(void **state)
{
	static const char *const pairs[] = {"kind", "file.uploaded", "payload", "{}", NULL};

	(void)state;
	assert_int_equal(cache_stream_add(cache, "s", 1000, pairs), 0);
	assert_int_equal(cache_stream_add(cache, "s", 1000, pairs), 0);
	assert_string_equal(ask("XLEN s"), "2");
}

static void a_key_of_another_kind_is_no_reason_to_hang_up(void **state)
{
	static const char *const pairs[] = {"a", "b", NULL};
	int64_t count;
	autofree char **back = NULL;

	(void)state;
	assert_int_equal(cache_set(cache, "k", "text", 4, 0), 0);
	assert_int_equal(cache_hash_get(cache, "k", 10, &back), -EAGAIN);
	assert_int_equal(cache_hash_set(cache, "k", 10, pairs), -EAGAIN);
	assert_int_equal(cache_count(cache, "k", 10, &count), -EAGAIN);
	assert_true(cache_is_up(cache));
}

static void without_a_url_it_is_always_away(void **state)
{
	struct cache *off;
	int64_t count;
	char *value;
	size_t length;

	(void)state;
	assert_int_equal(cache_new("", &off), 0);
	assert_false(cache_is_up(off));
	assert_int_equal(cache_get(off, "k", &value, &length), -EAGAIN);
	assert_int_equal(cache_set(off, "k", "v", 1, 1), -EAGAIN);
	assert_int_equal(cache_count(off, "k", 1, &count), -EAGAIN);
	cache_free(off);
}

static void urls_that_cannot_work_are_refused_at_once(void **state)
{
	struct cache *none = NULL;

	(void)state;
	assert_int_equal(cache_new("http://x", &none), -EINVAL);
	if (cache_new("rediss://localhost", &none) == 0)
		cache_free(none); /* built with TLS: opened when first used */
	else
		assert_null(none);
}

static int64_t time_of_100_misses(struct cache *of)
{
	int64_t begin_ns = clock_monotonic_ns();
	char *value;
	size_t length;

	for (int i = 0; i < 100; i++)
		assert_int_equal(cache_get(of, "k", &value, &length), -EAGAIN);
	return clock_monotonic_ns() - begin_ns;
}

static void a_redis_that_is_gone_costs_next_to_nothing_and_is_found_again(void **state)
{
	int64_t deadline_ns;

	(void)state;
	assert_int_equal(cache_set(cache, "k", "v", 1, 0), 0);
	assert_int_equal(services_do("stop_redis"), 0);
	assert_true(time_of_100_misses(cache) < NS_PER_S / 2);
	assert_int_equal(services_do("redis"), 0);
	deadline_ns = clock_monotonic_ns() + 8 * NS_PER_S;
	while (cache_set(cache, "k", "v", 1, 0) < 0 && clock_monotonic_ns() < deadline_ns)
		usleep(10000);
	assert_true(cache_is_up(cache));
}

static void a_restart_between_two_calls_is_not_noticed(void **state)
{
	(void)state;
	assert_int_equal(cache_set(cache, "k", "v", 1, 0), 0);
	assert_int_equal(services_do("stop_redis"), 0);
	assert_int_equal(services_do("redis"), 0);
	assert_int_equal(cache_set(cache, "k", "v", 1, 0), 0);
}

static void a_redis_that_does_not_answer_holds_a_call_for_half_a_second_at_most(void **state)
{
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof(address);
	struct cache *silent;
	char url[64];

	(void)state;
	assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(listener, 8), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	snprintf(url, sizeof(url), "redis://127.0.0.1:%d", ntohs(address.sin_port));
	assert_int_equal(cache_new(url, &silent), 0);
	assert_true(time_of_100_misses(silent) < NS_PER_S);
	cache_free(silent);
	close(listener);
}

static void passwords_and_database_numbers_are_used(void **state)
{
	struct cache *with, *without, *wrong;
	char url[300];

	(void)state;
	snprintf(url, sizeof(url), "unix://:hush%%20hush@%s/run/redis?db=7", services_folder());
	assert_string_equal(ask("CONFIG SET requirepass 'hush hush'"), "OK");
	assert_int_equal(cache_new(url, &with), 0);
	assert_int_equal(cache_new(services_redis_url(), &without), 0);
	snprintf(url, sizeof(url), "unix://:wrong@%s/run/redis", services_folder());
	assert_int_equal(cache_new(url, &wrong), 0);
	assert_int_equal(cache_set(with, "in_seven", "v", 1, 0), 0);
	assert_false(cache_is_up(without));
	assert_false(cache_is_up(wrong));
	assert_string_equal(ask("--no-auth-warning -a 'hush hush' -n 7 EXISTS in_seven"), "1");
	assert_string_equal(ask("--no-auth-warning -a 'hush hush' CONFIG SET requirepass ''"), "OK");
	cache_free(with);
	cache_free(without);
	cache_free(wrong);
}

static void *work(void *context)
{
	int *failures = context;

	for (int i = 0; i < 200; i++) {
		char key[32];

		snprintf(key, sizeof(key), "k%d", i);
		*failures += cache_set(cache, key, "v", 1, 10) < 0;
	}
	return NULL;
}

static void threads_share_it(void **state)
{
	pthread_t threads[8];
	int failures[8] = {0};

	(void)state;
	for (int i = 0; i < 8; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, work, &failures[i]), 0);
	for (int i = 0; i < 8; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(failures[i], 0);
	}
}

static int setup(void **state)
{
	(void)state;
	return services_start("redis");
}

static int teardown(void **state)
{
	(void)state;
	return services_stop();
}

#define CACHE_TEST(name) cmocka_unit_test_setup_teardown(name, open_fresh, close_cache)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CACHE_TEST(a_value_is_kept_byte_for_byte),
		CACHE_TEST(a_value_lives_as_long_as_it_was_told),
		CACHE_TEST(a_hash_comes_back_in_pairs_and_lives_on_when_read),
		CACHE_TEST(a_hash_without_a_time_to_live_stays),
		CACHE_TEST(too_many_pairs_are_refused),
		CACHE_TEST(hits_are_counted_in_their_window),
		CACHE_TEST(several_hits_count_at_once_and_none_only_asks),
		CACHE_TEST(one_field_of_a_hash_can_be_asked_for),
		CACHE_TEST(a_stream_grows),
		CACHE_TEST(a_key_of_another_kind_is_no_reason_to_hang_up),
		CACHE_TEST(without_a_url_it_is_always_away),
		CACHE_TEST(urls_that_cannot_work_are_refused_at_once),
		CACHE_TEST(a_redis_that_is_gone_costs_next_to_nothing_and_is_found_again),
		CACHE_TEST(a_restart_between_two_calls_is_not_noticed),
		CACHE_TEST(a_redis_that_does_not_answer_holds_a_call_for_half_a_second_at_most),
		CACHE_TEST(passwords_and_database_numbers_are_used),
		CACHE_TEST(threads_share_it),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
