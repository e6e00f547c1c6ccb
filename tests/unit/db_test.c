/*
 * shared/db against a real server. The statements of this test stand in a table of its own, in the places of queries
 * that it does not use: the archive's table is not linked when a program brings one.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <poll.h>
#include <cmocka.h>
#include "shared/base/clock.h"
#include "shared/db/db.h"
#include "tests/unit/support/services.h"

enum {
	TEST_ECHO = QUERY_MIGRATION_LOCK,
	TEST_ALL_OF_T = QUERY_MIGRATION_TABLE,
	TEST_INSERT = QUERY_MIGRATION_TABLE_EXISTS,
	TEST_SLEEP = QUERY_DATABASE_PING,
};

const struct query_text queries[QUERY_COUNT + 1] = {
	[QUERY_DATABASE_SESSION] = {"database_session", "SELECT set_config('statement_timeout', $1, false)"},
	[TEST_ECHO] = {"test_echo", "SELECT coalesce($1, 'nothing'::text)"},
	[TEST_ALL_OF_T] = {"test_all_of_t", "SELECT * FROM t ORDER BY 1"},
	[TEST_INSERT] = {"test_insert", "INSERT INTO t (n) VALUES ($1)"},
	[TEST_SLEEP] = {"test_sleep", "SELECT pg_sleep($1)"},
};

static struct db *db;

static struct db *open_db(void)
{
	struct db *opened = NULL;

	assert_int_equal(db_open(services_database_url(), "db_test", 5000, &opened), 0);
	return opened;
}

static int open_fresh(void **state)
{
	(void)state;
	db = open_db();
	assert_int_equal(db_execute(db, "DROP TABLE IF EXISTS t; CREATE TABLE t (n bigint UNIQUE CHECK (n < 1000))"),
			 0);
	return 0;
}

static int close_db(void **state)
{
	(void)state;
	db_close(db);
	db = NULL;
	return 0;
}

static int64_t count_t(struct db *in)
{
	struct db_result *result = NULL;
	int64_t count;

	assert_int_equal(db_run(in, (enum query_id)TEST_ALL_OF_T, NULL, &result), 0);
	count = db_rows(result);
	db_result_free(result);
	return count;
}

static int insert(struct db *in, int64_t n)
{
	autoparams struct db_params params;

	db_params_init(&params);
	db_param_int(&params, n);
	return db_run(in, (enum query_id)TEST_INSERT, &params, NULL);
}

static int sleep_for(struct db *in, double seconds)
{
	autoparams struct db_params params;

	db_params_init(&params);
	db_param_double(&params, seconds);
	return db_run(in, (enum query_id)TEST_SLEEP, &params, NULL);
}

/* --- errors --- */

static void errors_are_classed_by_sqlstate(void **state)
{
	static const struct {
		const char *sqlstate, *sql;
		int error;
	} cases[] = {
		{"40001", "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40001'; END $$", -EAGAIN},
		{"40P01", "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40P01'; END $$", -EAGAIN},
		{"53100", "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '53100'; END $$", -EAGAIN},
		{"55P03", "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '55P03'; END $$", -EAGAIN},
		{"57014", "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '57014'; END $$", -EAGAIN},
		{"08006", "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '08006'; END $$", -EAGAIN},
		{"25006", "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '25006'; END $$", -EAGAIN},
		{"22012", "SELECT 1/0", -EINVAL},
		{"42601", "SELEC", -EPROTO},
		{"55000", "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '55000'; END $$", -EPROTO},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(db_execute(db, cases[i].sql), cases[i].error);
		assert_string_equal(db_sqlstate(db), cases[i].sqlstate);
		assert_true(strlen(db_message(db)) > 0);
		assert_false(db_is_lost(db));
	}
	assert_int_equal(insert(db, 1), 0);
	assert_int_equal(insert(db, 1), -EEXIST);
	assert_string_equal(db_sqlstate(db), "23505");
	assert_int_equal(insert(db, 1000), -ERANGE);
	assert_string_equal(db_sqlstate(db), "23514");
	assert_int_equal(insert(db, 2), 0);
	assert_string_equal(db_sqlstate(db), "");
}

static void text_that_is_no_utf8_is_the_values_fault(void **state)
{
	autoparams struct db_params params;

	(void)state;
	db_params_init(&params);
	db_param_text(&params, "\xFF");
	assert_int_equal(db_run(db, (enum query_id)TEST_ECHO, &params, NULL), -EINVAL);
	db_params_release(&params);
	db_params_init(&params);
	db_param_text_n(&params, "a\0b", 3);
	assert_int_equal(db_run(db, (enum query_id)TEST_ECHO, &params, NULL), -EINVAL);
}

static void a_statement_over_its_time_is_cancelled_and_the_connection_stays(void **state)
{
	int64_t begin_ns = clock_monotonic_ns();

	(void)state;
	db_set_timeout(db, 500);
	assert_int_equal(sleep_for(db, 20), -EAGAIN);
	assert_string_equal(db_sqlstate(db), "57014");
	assert_true(clock_monotonic_ns() - begin_ns < 2 * NS_PER_S);
	assert_false(db_is_lost(db));
	assert_int_equal(sleep_for(db, 0), 0);
}

static int backend_pid(struct db *of)
{
	autoresult struct db_result *result = NULL;
	FILE *psql;
	char command[512];
	int pid = 0;

	/* Its own connection asks: ours is not to be disturbed. */
	assert_int_equal(db_execute(of, "SET application_name = 'the one to stop'"), 0);
	snprintf(command, sizeof(command),
		 "psql -XAtq '%s' -c \"SELECT pid FROM pg_stat_activity WHERE application_name = 'the one to stop'\"",
		 services_database_url());
	psql = popen(command, "r");
	assert_non_null(psql);
	assert_int_equal(fscanf(psql, "%d", &pid), 1);
	pclose(psql);
	return pid;
}

static void a_server_that_falls_silent_is_given_up_at_the_deadline(void **state)
{
	int pid = backend_pid(db);
	int64_t begin_ns;

	(void)state;
	db_set_timeout(db, 400);
	assert_int_equal(sleep_for(db, 0), 0);
	assert_int_equal(kill(pid, SIGSTOP), 0);
	begin_ns = clock_monotonic_ns();
	assert_int_equal(sleep_for(db, 0), -EAGAIN);
	kill(pid, SIGCONT);
	assert_true(clock_monotonic_ns() - begin_ns < NS_PER_S);
	assert_true(db_is_lost(db));
	assert_int_equal(db_socket(db), -1);
	assert_int_equal(sleep_for(db, 0), -EAGAIN);
	assert_int_equal(db_reopen(db, 5000), 0);
	assert_int_equal(sleep_for(db, 0), 0);
}

static void a_listener_that_never_speaks_does_not_hold_db_open(void **state)
{
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof(address);
	int64_t begin_ns = clock_monotonic_ns();
	struct db *none = NULL;
	char url[128];

	(void)state;
	assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(listener, 8), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	snprintf(url, sizeof(url), "postgresql://somebody:hush-hush@127.0.0.1:%d/x", ntohs(address.sin_port));
	assert_int_equal(db_open(url, "db_test", 300, &none), -EAGAIN);
	assert_true(clock_monotonic_ns() - begin_ns < NS_PER_S);
	assert_null(none);
	assert_null(strstr(db_open_message(), "hush-hush"));
	assert_true(strlen(db_open_message()) > 0);
	close(listener);
}

static void why_a_connection_failed_is_told_apart(void **state)
{
	struct db *none = NULL;
	char url[400];
	static const char *const malformed[] = {
		"postgresql://a:hush-hush@127.0.0.1:none/x", "postgresql://a:hush-hush@more@127.0.0.1/x",
		"postgresql://a:hush-hush/more@127.0.0.1/x", "postgresql://a:hush-hush%2@127.0.0.1/x",
		"host=/nowhere password='hush-hush",	     "passwort=hush-hush",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
		assert_int_equal(db_open(malformed[i], "db_test", 1000, &none), -EINVAL);
		assert_null(strstr(db_open_message(), "hush-hush"));
	}
	assert_int_equal(db_open("postgresql://a:b@127.0.0.1:1/x", "db_test", 1000, &none), -EAGAIN);
	snprintf(url, sizeof(url), "host=%s/run/postgres dbname=absent user=tenantfs", services_folder());
	assert_int_equal(db_open(url, "db_test", 5000, &none), -EACCES);
	assert_non_null(strstr(db_open_message(), "absent"));
	snprintf(url, sizeof(url), "host=%s/run/postgres dbname=tenantfs user=nobody_known", services_folder());
	assert_int_equal(db_open(url, "db_test", 5000, &none), -EACCES);
	assert_null(none);
}

static void a_table_that_changed_under_a_prepared_statement_costs_one_retry(void **state)
{
	autoresult struct db_result *result = NULL;

	(void)state;
	assert_int_equal(insert(db, 1), 0);
	assert_int_equal(count_t(db), 1);
	assert_int_equal(db_execute(db, "ALTER TABLE t ADD COLUMN more text DEFAULT 'm'"), 0);
	assert_int_equal(db_run(db, (enum query_id)TEST_ALL_OF_T, NULL, &result), -EAGAIN);
	assert_int_equal(db_run(db, (enum query_id)TEST_ALL_OF_T, NULL, &result), 0);
	assert_string_equal(db_get_text(result, 0, 1), "m");
}

static void statements_the_server_forgot_are_prepared_again(void **state)
{
	(void)state;
	assert_int_equal(insert(db, 1), 0);
	assert_int_equal(db_execute(db, "DEALLOCATE ALL"), 0);
	assert_int_equal(insert(db, 2), -EAGAIN);
	assert_int_equal(insert(db, 2), 0);
}

/* --- transactions --- */

static void a_transaction_is_seen_only_once_committed(void **state)
{
	struct db *other = open_db();
	bool ambiguous = true;

	(void)state;
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(insert(db, 1), 0);
	assert_int_equal(count_t(other), 0);
	assert_int_equal(db_commit(db, &ambiguous), 0);
	assert_false(ambiguous);
	assert_int_equal(count_t(other), 1);
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(insert(db, 2), 0);
	db_rollback(db);
	assert_int_equal(count_t(other), 1);
	db_close(other);
}

static void a_commit_after_an_error_answers_with_that_error(void **state)
{
	bool ambiguous = true;

	(void)state;
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(insert(db, 1), 0);
	assert_int_equal(insert(db, 1), -EEXIST);
	assert_int_equal(db_commit(db, &ambiguous), -EEXIST);
	assert_false(ambiguous);
	assert_int_equal(count_t(db), 0);
}

static void a_rollback_keeps_the_error_that_led_to_it(void **state)
{
	(void)state;
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(insert(db, 1000), -ERANGE);
	db_rollback(db);
	assert_string_equal(db_sqlstate(db), "23514");
	assert_int_equal(insert(db, 1), 0);
}

/* COMMIT runs a deferred trigger that ends its own session: from outside this looks like a server that died in the
 * COMMIT. */
static void end_session_at_commit(struct db *in)
{
	assert_int_equal(db_execute(in, "CREATE OR REPLACE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS "
					"$$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(1); "
					"RETURN NULL; END $$;"
					"CREATE CONSTRAINT TRIGGER die AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED "
					"FOR EACH ROW EXECUTE FUNCTION die()"),
			 0);
}

static void a_connection_lost_in_the_commit_is_ambiguous(void **state)
{
	bool ambiguous = false;

	(void)state;
	end_session_at_commit(db);
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(insert(db, 1), 0);
	assert_int_equal(db_commit(db, &ambiguous), -EAGAIN);
	assert_true(ambiguous);
	assert_true(db_is_lost(db));
	assert_int_equal(db_reopen(db, 5000), 0);
	assert_int_equal(count_t(db), 0);
}

static void a_connection_lost_before_the_commit_is_not(void **state)
{
	bool ambiguous = true;

	(void)state;
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(insert(db, 1), 0);
	assert_int_equal(db_execute(db, "SELECT pg_terminate_backend(pg_backend_pid())"), -EAGAIN);
	assert_int_equal(db_commit(db, &ambiguous), -EAGAIN);
	assert_false(ambiguous);
}

static void a_connection_outlives_a_restart_of_the_server_by_being_reopened(void **state)
{
	(void)state;
	assert_int_equal(insert(db, 1), 0);
	assert_int_equal(services_do("restart_postgres"), 0);
	assert_int_equal(insert(db, 2), -EAGAIN);
	assert_true(db_is_lost(db));
	assert_int_equal(db_reopen(db, 5000), 0);
	assert_int_equal(insert(db, 2), 0);
	assert_int_equal(count_t(db), 2);
}

static void a_server_that_is_starting_is_away_and_not_refusing(void **state)
{
	struct db *none = NULL;

	(void)state;
	assert_int_equal(services_do("crash_postgres"), 0);
	assert_int_equal(db_open(services_database_url(), "db_test", 1000, &none), -EAGAIN);
	assert_int_equal(services_do("start_postgres"), 0);
	assert_int_equal(db_reopen(db, 5000), 0);
}

/* --- notifications --- */

static void a_notification_arrives_with_its_payload(void **state)
{
	struct db *other = open_db();
	char channel[32], payload[32];
	struct pollfd news;
	int r;

	(void)state;
	assert_int_equal(db_execute(db, "LISTEN test_channel"), 0);
	assert_int_equal(db_next_notification(db, channel, sizeof(channel), payload, sizeof(payload)), 0);
	assert_int_equal(db_execute(other, "NOTIFY test_channel, 'one'; NOTIFY test_channel, 'two'"), 0);
	news = (struct pollfd){.fd = db_socket(db), .events = POLLIN};
	assert_int_equal(poll(&news, 1, 5000), 1);
	assert_int_equal(db_next_notification(db, channel, sizeof(channel), payload, sizeof(payload)), 1);
	assert_string_equal(channel, "test_channel");
	assert_string_equal(payload, "one");
	assert_int_equal(db_next_notification(db, channel, sizeof(channel), payload, sizeof(payload)), 1);
	assert_string_equal(payload, "two");
	assert_int_equal(db_execute(other, "NOTIFY test_channel, 'three'"), 0);
	/* Read along with the answer of a statement, it is not lost. */
	assert_int_equal(sleep_for(db, 0.05), 0);
	r = db_next_notification(db, channel, sizeof(channel), payload, sizeof(payload));
	assert_int_equal(r, 1);
	assert_string_equal(payload, "three");
	db_close(other);
}

static void a_listener_learns_that_its_connection_ended(void **state)
{
	char channel[32], payload[32];
	int r = 0;

	(void)state;
	assert_int_equal(db_execute(db, "LISTEN test_channel"), 0);
	assert_int_equal(services_do("restart_postgres"), 0);
	for (int i = 0; i < 3 && r == 0; i++)
		r = db_next_notification(db, channel, sizeof(channel), payload, sizeof(payload));
	assert_int_equal(r, -EAGAIN);
	assert_true(db_is_lost(db));
}

static int setup(void **state)
{
	(void)state;
	return services_start("postgres");
}

static int teardown(void **state)
{
	(void)state;
	return services_stop();
}

#define DB_TEST(name) cmocka_unit_test_setup_teardown(name, open_fresh, close_db)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DB_TEST(errors_are_classed_by_sqlstate),
		DB_TEST(text_that_is_no_utf8_is_the_values_fault),
		DB_TEST(a_statement_over_its_time_is_cancelled_and_the_connection_stays),
		DB_TEST(a_server_that_falls_silent_is_given_up_at_the_deadline),
		DB_TEST(a_listener_that_never_speaks_does_not_hold_db_open),
		DB_TEST(why_a_connection_failed_is_told_apart),
		DB_TEST(a_table_that_changed_under_a_prepared_statement_costs_one_retry),
		DB_TEST(statements_the_server_forgot_are_prepared_again),
		DB_TEST(a_transaction_is_seen_only_once_committed),
		DB_TEST(a_commit_after_an_error_answers_with_that_error),
		DB_TEST(a_rollback_keeps_the_error_that_led_to_it),
		DB_TEST(a_connection_lost_in_the_commit_is_ambiguous),
		DB_TEST(a_connection_lost_before_the_commit_is_not),
		DB_TEST(a_connection_outlives_a_restart_of_the_server_by_being_reopened),
		DB_TEST(a_server_that_is_starting_is_away_and_not_refusing),
		DB_TEST(a_notification_arrives_with_its_payload),
		DB_TEST(a_listener_learns_that_its_connection_ended),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
