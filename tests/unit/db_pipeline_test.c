/* shared/db/db_pipeline.c and db_pool.c against a real server; statements as in db_test.c. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "shared/base/clock.h"
#include "shared/db/db.h"
#include "tests/unit/support/services.h"

enum {
	TEST_INSERT = QUERY_MIGRATION_ADD,
	TEST_COUNT = QUERY_MIGRATION_LIST,
	TEST_BLOB = QUERY_MIGRATION_LOCK,
	TEST_DIE = QUERY_MIGRATION_TABLE,
	TEST_BROKEN = QUERY_MIGRATION_TABLE_EXISTS,
	TEST_SLEEP = QUERY_DATABASE_PING,
};

const struct query_text queries[QUERY_COUNT + 1] = {
	[QUERY_DATABASE_SESSION] = {"database_session", "SELECT set_config('statement_timeout', $1, false)"},
	[TEST_INSERT] = {"test_insert", "INSERT INTO t (n) VALUES ($1) RETURNING n"},
	[TEST_COUNT] = {"test_count", "SELECT count(*) FROM t"},
	[TEST_BLOB] = {"test_blob", "SELECT $1 || $1"},
	[TEST_DIE] = {"test_die", "SELECT pg_terminate_backend(pg_backend_pid())"},
	[TEST_BROKEN] = {"test_broken", "SELECT nothing FROM nowhere"},
	[TEST_SLEEP] = {"test_sleep", "SELECT pg_sleep($1)"},
};

static struct db *db;

static int open_fresh(void **state)
{
	(void)state;
	assert_int_equal(db_open(services_database_url(), "db_pipeline_test", 5000, &db), 0);
	assert_int_equal(db_execute(db, "DROP TABLE IF EXISTS t; CREATE TABLE t (n bigint UNIQUE)"), 0);
	return 0;
}

static int close_db(void **state)
{
	(void)state;
	db_close(db);
	db = NULL;
	return 0;
}

static int add_insert(int64_t n)
{
	autoparams struct db_params params;

	db_params_init(&params);
	db_param_int(&params, n);
	return db_pipeline_add(db, (enum query_id)TEST_INSERT, &params);
}

static int64_t count_t(void)
{
	autoresult struct db_result *result = NULL;

	assert_int_equal(db_run(db, (enum query_id)TEST_COUNT, NULL, &result), 0);
	return db_get_int(result, 0, 0);
}

static void results_come_in_the_order_of_the_queries(void **state)
{
	struct db_result *results[500];
	bool ambiguous = true;

	(void)state;
	assert_int_equal(db_pipeline_begin(db, true), 0);
	for (int i = 0; i < 500; i++)
		assert_int_equal(add_insert(i * 7), 0);
	assert_int_equal(db_pipeline_run(db, results, 500, &ambiguous), 0);
	assert_false(ambiguous);
	for (int i = 0; i < 500; i++) {
		assert_int_equal(db_get_int(results[i], 0, 0), i * 7);
		db_result_free(results[i]);
	}
	assert_int_equal(count_t(), 500);
}

static void a_pipeline_whose_results_nobody_wants_runs_all_the_same(void **state)
{
	(void)state;
	assert_int_equal(db_pipeline_begin(db, false), 0);
	for (int i = 0; i < 10; i++)
		assert_int_equal(add_insert(i), 0);
	assert_int_equal(db_pipeline_run(db, NULL, 0, NULL), 0);
	assert_int_equal(count_t(), 10);
}

static void an_empty_pipeline_is_no_error(void **state)
{
	(void)state;
	assert_int_equal(db_pipeline_begin(db, true), 0);
	assert_int_equal(db_pipeline_run(db, NULL, 0, NULL), 0);
	assert_int_equal(db_pipeline_begin(db, false), 0);
	assert_int_equal(db_pipeline_run(db, NULL, 0, NULL), 0);
	assert_int_equal(count_t(), 0);
}

static void one_error_undoes_all_of_it(void **state)
{
	struct db_result *results[3];
	bool ambiguous = true;

	(void)state;
	for (int as_transaction = 0; as_transaction < 2; as_transaction++) {
		assert_int_equal(db_pipeline_begin(db, as_transaction), 0);
		assert_int_equal(add_insert(1), 0);
		assert_int_equal(add_insert(1), 0);
		assert_int_equal(add_insert(2), 0);
		assert_int_equal(db_pipeline_run(db, results, 3, &ambiguous), -EEXIST);
		assert_string_equal(db_sqlstate(db), "23505");
		assert_false(ambiguous);
		for (int i = 0; i < 3; i++)
			assert_null(results[i]);
		assert_int_equal(count_t(), 0);
	}
}

static void a_statement_that_cannot_be_prepared_fails_the_pipeline_and_not_the_next(void **state)
{
	bool ambiguous = true;

	(void)state;
	assert_int_equal(db_pipeline_begin(db, true), 0);
	assert_int_equal(db_pipeline_add(db, (enum query_id)TEST_BROKEN, NULL), 0);
	assert_int_equal(add_insert(1), 0);
	assert_int_equal(db_pipeline_run(db, NULL, 0, &ambiguous), -EPROTO);
	assert_false(ambiguous);
	/* The insert was queued behind the broken one and never prepared: it must be now. */
	assert_int_equal(db_pipeline_begin(db, true), 0);
	assert_int_equal(add_insert(1), 0);
	assert_int_equal(db_pipeline_run(db, NULL, 0, NULL), 0);
	assert_int_equal(count_t(), 1);
}

static void more_than_the_sockets_hold_goes_both_ways_without_a_standstill(void **state)
{
	enum { COUNT = 64, SIZE = 300000 };
	struct db_result *results[COUNT];
	char *blob = malloc(SIZE);
	size_t length;

	(void)state;
	assert_non_null(blob);
	memset(blob, 'x', SIZE);
	assert_int_equal(db_pipeline_begin(db, false), 0);
	for (int i = 0; i < COUNT; i++) {
		autoparams struct db_params params;

		db_params_init(&params);
		db_param_bytes(&params, blob, SIZE);
		assert_int_equal(db_pipeline_add(db, (enum query_id)TEST_BLOB, &params), 0);
	}
	assert_int_equal(db_pipeline_run(db, results, COUNT, NULL), 0);
	for (int i = 0; i < COUNT; i++) {
		db_get_bytes(results[i], 0, 0, &length);
		assert_int_equal(length, 2 * SIZE);
		db_result_free(results[i]);
	}
	free(blob);
}

static void a_parameter_that_cannot_be_sent_leaves_nothing_done(void **state)
{
	autoparams struct db_params params;

	(void)state;
	assert_int_equal(db_pipeline_begin(db, true), 0);
	assert_int_equal(add_insert(1), 0);
	db_params_init(&params);
	db_param_uuid(&params, "none");
	assert_int_equal(db_pipeline_add(db, (enum query_id)TEST_INSERT, &params), -EINVAL);
	assert_int_equal(add_insert(2), -EINVAL);
	assert_int_equal(db_pipeline_run(db, NULL, 0, NULL), -EINVAL);
	if (db_is_lost(db))
		assert_int_equal(db_reopen(db, 5000), 0);
	assert_int_equal(count_t(), 0);
}

static void a_session_that_ends_before_the_commit_is_not_ambiguous(void **state)
{
	bool ambiguous = true;

	(void)state;
	assert_int_equal(db_pipeline_begin(db, true), 0);
	assert_int_equal(add_insert(1), 0);
	assert_int_equal(db_pipeline_add(db, (enum query_id)TEST_DIE, NULL), 0);
	assert_int_equal(db_pipeline_run(db, NULL, 0, &ambiguous), -EAGAIN);
	assert_false(ambiguous);
	assert_int_equal(db_reopen(db, 5000), 0);
	assert_int_equal(count_t(), 0);
}

static void a_session_that_ends_in_the_commit_is_ambiguous(void **state)
{
	bool ambiguous = false;

	(void)state;
	assert_int_equal(db_execute(db, "CREATE OR REPLACE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS "
					"$$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(1); "
					"RETURN NULL; END $$;"
					"CREATE CONSTRAINT TRIGGER die AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED "
					"FOR EACH ROW EXECUTE FUNCTION die()"),
			 0);
	assert_int_equal(db_pipeline_begin(db, true), 0);
	assert_int_equal(add_insert(1), 0);
	assert_int_equal(db_pipeline_run(db, NULL, 0, &ambiguous), -EAGAIN);
	assert_true(ambiguous);
}

static void a_server_that_does_not_answer_in_time_is_ambiguous(void **state)
{
	autoparams struct db_params params;
	int64_t begin_ns = clock_monotonic_ns();
	bool ambiguous = false;

	(void)state;
	/* The server was told a longer time than the client waits now: as if it had fallen silent. */
	assert_int_equal(count_t(), 0);
	db_params_init(&params);
	db_param_double(&params, 2);
	assert_int_equal(db_pipeline_begin(db, true), 0);
	assert_int_equal(db_pipeline_add(db, (enum query_id)TEST_SLEEP, &params), 0);
	db_set_timeout(db, 300);
	assert_int_equal(db_pipeline_run(db, NULL, 0, &ambiguous), -EAGAIN);
	assert_true(ambiguous);
	assert_true(db_is_lost(db));
	assert_true(clock_monotonic_ns() - begin_ns < NS_PER_S);
}

static void a_pipeline_inside_a_transaction_waits_for_its_commit(void **state)
{
	bool ambiguous = true;

	(void)state;
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(db_pipeline_begin(db, false), 0);
	assert_int_equal(add_insert(1), 0);
	assert_int_equal(db_pipeline_run(db, NULL, 0, &ambiguous), 0);
	assert_false(ambiguous);
	db_rollback(db);
	assert_int_equal(count_t(), 0);
}

static void a_lost_connection_says_so_at_every_step(void **state)
{
	(void)state;
	assert_int_equal(db_run(db, (enum query_id)TEST_DIE, NULL, NULL), -EAGAIN);
	assert_true(db_is_lost(db));
	assert_int_equal(db_pipeline_begin(db, true), -EAGAIN);
	assert_int_equal(add_insert(1), -EAGAIN);
	assert_int_equal(db_pipeline_run(db, NULL, 0, NULL), -EAGAIN);
	assert_int_equal(db_reopen(db, 5000), 0);
	assert_int_equal(count_t(), 0);
}

/* --- the pool --- */

static struct db_pool *new_pool(int max_connections)
{
	struct db_pool *pool = NULL;

	assert_int_equal(db_pool_new(services_database_url(), "pool", max_connections, &pool), 0);
	return pool;
}

static void the_pool_gives_back_the_connection_it_was_given_last(void **state)
{
	struct db_pool *pool = new_pool(2);
	struct db *first, *second, *again;

	(void)state;
	assert_int_equal(db_pool_get(pool, 5000, &first), 0);
	assert_int_equal(db_pool_get(pool, 5000, &second), 0);
	assert_ptr_not_equal(first, second);
	db_pool_put(pool, first);
	assert_int_equal(db_pool_get(pool, 5000, &again), 0);
	assert_ptr_equal(first, again);
	db_pool_put(pool, again);
	db_pool_put(pool, second);
	db_pool_free(pool);
}

static void a_pool_whose_connections_are_all_busy_says_so_in_time(void **state)
{
	struct db_pool *pool = new_pool(1);
	struct db *only, *none = NULL;
	int64_t begin_ns;

	(void)state;
	assert_int_equal(db_pool_get(pool, 5000, &only), 0);
	begin_ns = clock_monotonic_ns();
	assert_int_equal(db_pool_get(pool, 100, &none), -ETIMEDOUT);
	assert_true(clock_monotonic_ns() - begin_ns < NS_PER_S);
	assert_null(none);
	db_pool_put(pool, only);
	db_pool_free(pool);
}

static void a_connection_comes_back_without_its_open_transaction(void **state)
{
	struct db_pool *pool = new_pool(1);
	struct db *borrowed;

	(void)state;
	assert_int_equal(db_pool_get(pool, 5000, &borrowed), 0);
	assert_int_equal(db_begin(borrowed), 0);
	assert_int_equal(db_execute(borrowed, "INSERT INTO t VALUES (1)"), 0);
	db_pool_put(pool, borrowed);
	assert_int_equal(db_pool_get(pool, 5000, &borrowed), 0);
	assert_int_equal(db_begin(borrowed), 0);
	assert_int_equal(db_commit(borrowed, NULL), 0);
	db_pool_put(pool, borrowed);
	assert_int_equal(count_t(), 0);
	db_pool_free(pool);
}

static void dead_connections_are_replaced_when_they_are_asked_for(void **state)
{
	struct db_pool *pool = new_pool(2);
	struct db *first, *second;

	(void)state;
	assert_int_equal(db_pool_get(pool, 5000, &first), 0);
	assert_int_equal(db_pool_get(pool, 5000, &second), 0);
	db_pool_put(pool, first);
	db_pool_put(pool, second);
	assert_int_equal(services_do("restart_postgres"), 0);
	assert_int_equal(db_pool_get(pool, 5000, &first), 0);
	assert_int_equal(db_execute(first, "SELECT 1"), 0);
	db_pool_put(pool, first);
	assert_int_equal(services_do("stop_postgres"), 0);
	assert_int_equal(db_pool_get(pool, 1000, &first), -EAGAIN);
	assert_int_equal(services_do("start_postgres"), 0);
	assert_int_equal(db_pool_get(pool, 5000, &first), 0);
	db_pool_put(pool, first);
	db_pool_free(pool);
}

struct worker {
	struct db_pool *pool;
	int done;
};

static void *work(void *context)
{
	struct worker *worker = context;

	for (int i = 0; i < 50; i++) {
		struct db *borrowed;

		if (db_pool_get(worker->pool, 5000, &borrowed) < 0)
			break;
		worker->done += db_execute(borrowed, "SELECT 1") == 0;
		db_pool_put(worker->pool, borrowed);
	}
	return NULL;
}

static void many_threads_share_few_connections(void **state)
{
	struct worker workers[8];
	pthread_t threads[8];
	struct db_pool *pool = new_pool(3);

	(void)state;
	for (int i = 0; i < 8; i++) {
		workers[i] = (struct worker){.pool = pool};
		assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
	}
	for (int i = 0; i < 8; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(workers[i].done, 50);
	}
	db_pool_free(pool);
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
		DB_TEST(results_come_in_the_order_of_the_queries),
		DB_TEST(a_pipeline_whose_results_nobody_wants_runs_all_the_same),
		DB_TEST(an_empty_pipeline_is_no_error),
		DB_TEST(one_error_undoes_all_of_it),
		DB_TEST(a_statement_that_cannot_be_prepared_fails_the_pipeline_and_not_the_next),
		DB_TEST(more_than_the_sockets_hold_goes_both_ways_without_a_standstill),
		DB_TEST(a_parameter_that_cannot_be_sent_leaves_nothing_done),
		DB_TEST(a_session_that_ends_before_the_commit_is_not_ambiguous),
		DB_TEST(a_session_that_ends_in_the_commit_is_ambiguous),
		DB_TEST(a_server_that_does_not_answer_in_time_is_ambiguous),
		DB_TEST(a_pipeline_inside_a_transaction_waits_for_its_commit),
		DB_TEST(a_lost_connection_says_so_at_every_step),
		DB_TEST(the_pool_gives_back_the_connection_it_was_given_last),
		DB_TEST(a_pool_whose_connections_are_all_busy_says_so_in_time),
		DB_TEST(a_connection_comes_back_without_its_open_transaction),
		DB_TEST(dead_connections_are_replaced_when_they_are_asked_for),
		DB_TEST(many_threads_share_few_connections),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
