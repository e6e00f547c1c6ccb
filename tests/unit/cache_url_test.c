#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "shared/cache/cache_url.h"

static void assert_text(const char *is, const char *expected)
{
	if (expected)
		assert_string_equal(is ? is : "(none)", expected);
	else
		assert_null(is);
}

static void every_form_is_understood(void **state)
{
	static const struct {
		const char *url, *host, *path, *user, *password;
		int port, database;
		bool is_tls;
	} cases[] = {
		{"redis://localhost:6380/3", "localhost", NULL, NULL, NULL, 6380, 3, false},
		{"redis://localhost", "localhost", NULL, NULL, NULL, 6379, 0, false},
		{"redis://", "localhost", NULL, NULL, NULL, 6379, 0, false},
		{"redis://:se%40cret@h:1/", "h", NULL, NULL, "se@cret", 1, 0, false},
		{"redis://:p@ss@h", "h", NULL, NULL, "p@ss", 6379, 0, false},
		{"redis://me:pass@h?db=5", "h", NULL, "me", "pass", 6379, 5, false},
		{"redis://[::1]:7000/2", "::1", NULL, NULL, NULL, 7000, 2, false},
		{"redis://[::1]", "::1", NULL, NULL, NULL, 6379, 0, false},
		{"REDISS://h:1", "h", NULL, NULL, NULL, 1, 0, true},
		{"unix:///run/redis.sock?db=9", NULL, "/run/redis.sock", NULL, NULL, 6379, 9, false},
		{"unix://:word@/run/a%20b", NULL, "/run/a b", NULL, "word", 6379, 0, false},
		{"unix:///run/r?password=x%3Dy&other=1&db=2", NULL, "/run/r", NULL, "x=y", 6379, 2, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cache_address address;

		assert_int_equal(cache_url_parse(cases[i].url, &address), 0);
		assert_text(address.host, cases[i].host);
		assert_text(address.path, cases[i].path);
		assert_text(address.user, cases[i].user);
		assert_text(address.password, cases[i].password);
		assert_int_equal(address.port, cases[i].port);
		assert_int_equal(address.database, cases[i].database);
		assert_int_equal(address.is_tls, cases[i].is_tls);
		cache_address_release(&address);
	}
}

static void what_is_none_of_them_is_refused(void **state)
{
	static const char *const wrong[] = {
		"localhost:6379", "http://localhost", "redis:/x",	 "redis://h:0",	  "redis://h:65536",
		"redis://h:x",	  "redis://h:",	      "redis://h/x",	 "redis://h/-1",  "redis://h/1/2x",
		"redis://[::1",	  "redis://[::1]x",   "unix://relative", "unix://",	  "redis://:%zz@h",
		"redis://:%4@h",  "redis://:%00@h",   "redis://h?db=x",	 "redis://h?db=", "redis://h/99999999999"};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct cache_address address;
		int r = cache_url_parse(wrong[i], &address);

		if (r == 0)
			fail_msg("%s was accepted", wrong[i]);
		assert_int_equal(r, -EINVAL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_is_understood),
		cmocka_unit_test(what_is_none_of_them_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
