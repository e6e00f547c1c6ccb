/* The migrations of sql/migrations on a fresh database. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "shared/db/migrate.h"
#include "tests/unit/support/services.h"

static struct db *db;

static struct db *open_db(void)
{
	struct db *opened = NULL;

	assert_int_equal(db_open(services_database_url(), "migrate_test", 5000, &opened), 0);
	return opened;
}

static int open_fresh(void **state)
{
	(void)state;
	db = open_db();
	return db_execute(db, "DROP SCHEMA public CASCADE; CREATE SCHEMA public");
}

static int close_db(void **state)
{
	(void)state;
	db_close(db);
	db = NULL;
	return 0;
}

static int known(void)
{
	int count = 0;

	while (migrations[count].sql)
		count++;
	return count;
}

static void a_fresh_database_misses_all_of_them_and_then_none(void **state)
{
	int applied = -1;

	(void)state;
	assert_true(known() > 0);
	assert_int_equal(migrate_pending(db), known());
	assert_int_equal(migrate_apply(db, &applied), 0);
	assert_int_equal(applied, known());
	assert_int_equal(migrate_pending(db), 0);
	assert_int_equal(db_execute(db, "SELECT tenant_id FROM tenant"), 0);
}

static void applying_them_again_changes_nothing(void **state)
{
	int applied = -1;

	(void)state;
	assert_int_equal(migrate_apply(db, NULL), 0);
	assert_int_equal(migrate_apply(db, &applied), 0);
	assert_int_equal(applied, 0);
}

static void *apply(void *context)
{
	int *r = context;
	struct db *own = open_db();

	*r = migrate_apply(own, NULL);
	db_close(own);
	return NULL;
}

static void two_that_migrate_at_once_do_not_disturb_one_another(void **state)
{
	pthread_t threads[4];
	int results[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, apply, &results[i]), 0);
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(results[i], 0);
	}
	assert_int_equal(migrate_pending(db), 0);
}

static void a_migration_that_was_changed_afterwards_is_noticed(void **state)
{
	int applied = -1;

	(void)state;
	assert_int_equal(migrate_apply(db, NULL), 0);
	assert_int_equal(db_execute(db, "UPDATE schema_migration SET checksum = sha256('x') WHERE number = 1"), 0);
	assert_int_equal(migrate_apply(db, &applied), -ESTALE);
	assert_int_equal(applied, 0);
	assert_int_equal(migrate_pending(db), -ESTALE);
}

static void a_database_newer_than_the_program_is_left_alone(void **state)
{
	(void)state;
	assert_int_equal(migrate_apply(db, NULL), 0);
	assert_int_equal(db_execute(db, "INSERT INTO schema_migration SELECT max(number) + 1, 'future', sha256('x') "
					"FROM schema_migration"),
			 0);
	assert_int_equal(migrate_pending(db), -ENOTSUP);
	assert_int_equal(migrate_apply(db, NULL), -ENOTSUP);
}

static void one_that_fails_leaves_the_database_as_it_was(void **state)
{
	(void)state;
	/* Something of the same name is in the way. */
	assert_int_equal(db_execute(db, "CREATE TABLE upload_chunk ()"), 0);
	assert_int_equal(migrate_apply(db, NULL), -EPROTO);
	assert_int_equal(migrate_pending(db), known());
	assert_int_equal(db_execute(db, "SELECT tenant_id FROM tenant"), -EPROTO);
	assert_int_equal(db_execute(db, "DROP TABLE upload_chunk"), 0);
	assert_int_equal(migrate_apply(db, NULL), 0);
}

static void every_query_of_the_programs_can_be_prepared(void **state)
{
	(void)state;
	assert_int_equal(migrate_apply(db, NULL), 0);
	for (int i = 0; i < QUERY_COUNT; i++) {
		char statement[65536];
		int length = snprintf(statement, sizeof(statement), "PREPARE q%d AS %s", i, queries[i].sql);

		assert_true(length > 0 && (size_t)length < sizeof(statement));
		/* DDL is not for PREPARE. */
		if (strstr(queries[i].sql, "CREATE TABLE"))
			continue;
		/* Parameters have no types here; where the programs' own decide, the server may not know. */
		if (db_execute(db, statement) < 0 && strcmp(db_sqlstate(db), "42P18") != 0 &&
		    strcmp(db_sqlstate(db), "42725") != 0 && strcmp(db_sqlstate(db), "42P08") != 0)
			fail_msg("%s: %s %s", queries[i].name, db_sqlstate(db), db_message(db));
	}
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
		DB_TEST(a_fresh_database_misses_all_of_them_and_then_none),
		DB_TEST(applying_them_again_changes_nothing),
		DB_TEST(two_that_migrate_at_once_do_not_disturb_one_another),
		DB_TEST(a_migration_that_was_changed_afterwards_is_noticed),
		DB_TEST(a_database_newer_than_the_program_is_left_alone),
		DB_TEST(one_that_fails_leaves_the_database_as_it_was),
		DB_TEST(every_query_of_the_programs_can_be_prepared),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
