/* Tenants against a real server: shared/meta/tenants.c, rejections.c, tenant_remove.c. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "shared/base/cleanup.h"
#include "shared/db/migrate.h"
#include "shared/meta/tenant_remove.h"
#include "shared/meta/tenants.h"
#include "shared/store/store.h"
#include "tests/unit/support/services.h"

static struct db *db;
static struct store *store;
static char base[256];

static void run_sql(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void run_sql(const char *format, ...)
{
	char sql[4096];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(sql, sizeof(sql), format, arguments);
	va_end(arguments);
	assert_int_equal(db_execute(db, sql), 0);
}

static void assert_sql(const char *condition)
{
	run_sql("DO $$ BEGIN IF NOT coalesce((%s), false) THEN RAISE EXCEPTION 'not so'; END IF; END $$", condition);
}

static int start(void **state)
{
	int applied = 0;

	(void)state;
	if (services_start("postgres") < 0 || db_open(services_database_url(), "tenants_test", 5000, &db) < 0 ||
	    migrate_apply(db, &applied) < 0)
		return -1;
	snprintf(base, sizeof(base), "%s/store", services_folder());
	if (mkdir(base, 0700) < 0 || store_local_open(base, false, &store) < 0)
		return -1;
	return store_fault_new(store, 0, 0, &store);
}

static int stop(void **state)
{
	(void)state;
	store_close(store);
	db_close(db);
	return services_stop();
}

static int64_t create(const char *code)
{
	cleanup(tenant_list_release) struct tenant_list list = {0};
	struct tenant_change values = {0};

	assert_int_equal(tenant_create(db, code, &values, &list), 0);
	assert_int_equal(list.count, 1);
	return list.rows[0].tenant_id;
}

static struct bytes json(const char *text)
{
	return (struct bytes){text, strlen(text)};
}

static void a_tenant_is_created_with_the_values_given_and_found_by_code_uuid_and_number(void **state)
{
	cleanup(tenant_list_release) struct tenant_list made = {0}, found = {0}, by_uuid = {0}, by_id = {0};
	struct tenant_change values = {.fields = TENANT_NAME | TENANT_QUOTA | TENANT_OWNER | TENANT_MODE |
						 TENANT_CONFIGURATION,
				       .name = "A name",
				       .storage_quota_bytes = 7,
				       .owner_uid = 1000,
				       .mode = 0750,
				       .configuration = json("{\"max_zip_depth\": 2, \"retention_days\": null}")};

	(void)state;
	assert_int_equal(tenant_create(db, "Acme-1", &values, &made), 0);
	assert_int_equal(tenant_find(db, "Acme-1", &found), 0);
	assert_int_equal(tenant_find(db, made.rows[0].uuid, &by_uuid), 0);
	assert_int_equal(tenant_find_by_id(db, made.rows[0].tenant_id, &by_id), 0);
	assert_int_equal(by_uuid.rows[0].tenant_id, by_id.rows[0].tenant_id);
	assert_string_equal(found.rows[0].code, "Acme-1");
	assert_string_equal(found.rows[0].name.data, "A name");
	assert_string_equal(found.rows[0].configuration.data, "{\"max_zip_depth\": 2}");
	assert_int_equal(found.rows[0].storage_quota_bytes, 7);
	assert_int_equal(found.rows[0].file_count_limit, -1);
	assert_int_equal(found.rows[0].owner_uid, 1000);
	assert_int_equal(found.rows[0].mode, 0750);
	assert_true(found.rows[0].is_active && !found.rows[0].is_deleting);
	assert_true(found.rows[0].root_inode > 0 && found.rows[0].created_at_ns > 0);
	assert_int_equal(found.usage[0].used_bytes, 0);
}

static void a_code_is_taken_once_and_must_be_one(void **state)
{
	cleanup(tenant_list_release) struct tenant_list list = {0};
	struct tenant_change values = {0};

	(void)state;
	create("taken");
	assert_int_equal(tenant_create(db, "taken", &values, &list), -EEXIST);
	assert_int_equal(tenant_create(db, "2026-11", &values, &list), -EINVAL);
	assert_int_equal(tenant_create(db, "a/b", &values, &list), -EINVAL);
	assert_int_equal(tenant_find(db, "nobody", &list), -ENOENT);
	assert_int_equal(tenant_find(db, "' OR true --", &list), -ENOENT);
	assert_null(list.rows);
}

static void a_change_touches_only_the_fields_named(void **state)
{
	cleanup(tenant_list_release) struct tenant_list first = {0}, second = {0};
	struct tenant_change change = {.fields = TENANT_QUOTA | TENANT_CONFIGURATION_PATCH,
				       .storage_quota_bytes = 5,
				       .configuration = json("{\"max_zip_depth\": 1}")};
	int64_t tenant_id = create("changed");

	(void)state;
	assert_int_equal(tenant_change(db, tenant_id, &change, &first), 0);
	assert_int_equal(first.rows[0].storage_quota_bytes, 5);
	change = (struct tenant_change){.fields = TENANT_ACTIVE | TENANT_CONFIGURATION_PATCH,
					.configuration = json("{\"retention_days\": 3}")};
	assert_int_equal(tenant_change(db, tenant_id, &change, &second), 0);
	assert_int_equal(second.rows[0].storage_quota_bytes, 5);
	assert_false(second.rows[0].is_active);
	assert_string_equal(second.rows[0].configuration.data, "{\"max_zip_depth\": 1, \"retention_days\": 3}");
	tenant_list_release(&second);
	change.fields = TENANT_QUOTA;
	change.storage_quota_bytes = -1;
	assert_int_equal(tenant_change(db, tenant_id, &change, &second), 0);
	assert_int_equal(second.rows[0].storage_quota_bytes, -1);
	tenant_list_release(&second);
	assert_int_equal(tenant_change(db, 999999, &change, &second), -ENOENT);
}

static void lists_go_on_behind_a_code(void **state)
{
	cleanup(tenant_list_release) struct tenant_list page = {0}, rest = {0};

	(void)state;
	create("list-a");
	create("list-b");
	create("list-c");
	assert_int_equal(tenant_list(db, "list-", 0, 2, &page), 0);
	assert_int_equal(page.count, 2);
	assert_string_equal(page.rows[1].code, "list-b");
	assert_int_equal(tenant_list(db, "list-b", 0, 1, &rest), 0);
	assert_string_equal(rest.rows[0].code, "list-c");
}

static void rejections_come_newest_first_and_by_the_id_of_the_file(void **state)
{
	cleanup(rejection_list_release) struct rejection_list all = {0}, one = {0}, none = {0};
	int64_t tenant_id = create("refusing"), other = create("other");

	(void)state;
	run_sql("INSERT INTO rejection (tenant_id, file_id, name, rule, reason, uid, rejected_at) "
		"SELECT %lld, 'fs_' || lpad(i::text, 22, '0'), '\\xff00', 'size', 'reason ' || i, 7, now() FROM "
		"generate_series(1, 5) i",
		(long long)tenant_id);
	assert_int_equal(rejection_list(db, tenant_id, 3, &all), 0);
	assert_int_equal(all.count, 3);
	assert_string_equal(all.rows[0].reason.data, "reason 5");
	assert_int_equal(all.rows[0].name.length, 2);
	assert_int_equal(rejection_of_file(db, tenant_id, "fs_0000000000000000000002", &one), 0);
	assert_int_equal(one.count, 1);
	assert_string_equal(one.rows[0].reason.data, "reason 2");
	assert_int_equal(rejection_of_file(db, other, "fs_0000000000000000000002", &none), 0);
	assert_int_equal(none.count, 0);
}

/* --- removing
 * ---------------------------------------------------------------------------------------------------------- */

/* Files in the database, and one on disk. */
static int64_t create_full(const char *code, int files)
{
	int64_t tenant_id = create(code);
	char path[400];

	run_sql("INSERT INTO node (tenant_id, inode, kind, mode, nlink, uid, gid, size_bytes, atime_ns, mtime_ns, "
		"ctime_ns, btime_ns) "
		"SELECT %lld, i, 'f', 420, 1, 0, 0, 10, 1, 1, 1, 1 FROM generate_series(1, %d) i",
		(long long)tenant_id, files);
	run_sql("INSERT INTO entry SELECT %lld, 1, i::text::bytea, i, 'f', i FROM generate_series(1, %d) i",
		(long long)tenant_id, files);
	snprintf(path, sizeof(path), "%s/%s", base, code);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/%s/2026-11", base, code);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/%s/2026-11/fs_1.txt", base, code);
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	close(fd);
	return tenant_id;
}

static bool folder_exists(const char *code)
{
	char path[400];
	struct stat stat_folder;

	snprintf(path, sizeof(path), "%s/%s", base, code);
	return stat(path, &stat_folder) == 0;
}

static void count_call(const struct tenant_removed *so_far, void *context)
{
	(void)so_far;
	++*(int *)context;
}

static void removing_takes_rows_in_batches_then_bytes_then_the_tenant(void **state)
{
	cleanup(tenant_list_release) struct tenant_list list = {0};
	int64_t tenant_id = create_full("going", 5000), neighbour = create_full("staying", 3), epoch;
	struct tenant_removed removed;
	int batches = 0;

	(void)state;
	assert_int_equal(tenant_request_delete(db, tenant_id), 0);
	assert_int_equal(tenant_request_delete(db, tenant_id), 0);
	assert_int_equal(tenant_remove_acquire(db, tenant_id, "test", &epoch), 0);
	assert_int_equal(tenant_remove(db, store, tenant_id, "going", epoch, count_call, &batches, &removed), 0);
	assert_int_equal(removed.files, 5000);
	assert_int_equal(removed.bytes, 50000);
	assert_true(batches >= 3);
	assert_false(folder_exists("going"));
	assert_int_equal(tenant_find(db, "going", &list), -ENOENT);
	assert_sql("(SELECT count(*) FROM tenant_lease) = 0");
	assert_sql("(SELECT count(*) FROM node) = 3");
	assert_true(folder_exists("staying"));
	run_sql("DELETE FROM node WHERE tenant_id = %lld", (long long)neighbour);
	assert_int_equal(tenant_remove(db, store, tenant_id, "going", epoch, NULL, NULL, NULL), -ENOENT);
}

static void nothing_is_removed_that_nobody_asked_for_or_that_somebody_else_holds(void **state)
{
	int64_t tenant_id = create_full("held", 3), epoch;

	(void)state;
	assert_int_equal(tenant_remove_acquire(db, tenant_id, "test", &epoch), -EPERM);
	run_sql("INSERT INTO tenant_lease (tenant_id, holder, epoch, expires_at) VALUES (%lld, 'a mount', 7, now() + "
		"interval '1 hour')",
		(long long)tenant_id);
	assert_int_equal(tenant_remove(db, store, tenant_id, "held", 7, NULL, NULL, NULL), -EPERM);
	assert_int_equal(tenant_request_delete(db, tenant_id), 0);
	assert_int_equal(tenant_remove_acquire(db, tenant_id, "test", &epoch), -EBUSY);
	assert_int_equal(tenant_remove(db, store, tenant_id, "held", 6, NULL, NULL, NULL), -ESTALE);
	assert_sql("(SELECT count(*) FROM node) = 3");
	assert_true(folder_exists("held"));
	run_sql("UPDATE tenant_lease SET expires_at = now() - interval '1 second'");
	assert_int_equal(tenant_remove_acquire(db, tenant_id, "test", &epoch), 0);
	assert_int_equal(epoch, 8);
	assert_int_equal(tenant_remove(db, store, tenant_id, "held", epoch, NULL, NULL, NULL), 0);
	assert_int_equal(tenant_remove_acquire(db, tenant_id, "test", &epoch), -ENOENT);
}

static void a_removal_that_was_broken_off_goes_on(void **state)
{
	cleanup(tenant_list_release) struct tenant_list list = {0};
	int64_t tenant_id = create_full("broken", 3), epoch;
	struct tenant_removed removed;

	(void)state;
	assert_int_equal(tenant_request_delete(db, tenant_id), 0);
	assert_int_equal(tenant_remove_acquire(db, tenant_id, "test", &epoch), 0);
	/* The rows are gone then, the bytes and the tenant's own row are not. */
	store_fault_plan(store, STORE_CALL_REMOVE_TENANT, 1, 1, -EIO);
	assert_int_equal(tenant_remove(db, store, tenant_id, "broken", epoch, NULL, NULL, &removed), -EIO);
	assert_int_equal(tenant_find(db, "broken", &list), 0);
	assert_true(list.rows[0].is_deleting);
	assert_true(folder_exists("broken"));
	assert_int_equal(tenant_remove(db, store, tenant_id, "broken", epoch, NULL, NULL, &removed), 0);
	assert_int_equal(removed.files, 0);
	assert_false(folder_exists("broken"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tenant_is_created_with_the_values_given_and_found_by_code_uuid_and_number),
		cmocka_unit_test(a_code_is_taken_once_and_must_be_one),
		cmocka_unit_test(a_change_touches_only_the_fields_named),
		cmocka_unit_test(lists_go_on_behind_a_code),
		cmocka_unit_test(rejections_come_newest_first_and_by_the_id_of_the_file),
		cmocka_unit_test(removing_takes_rows_in_batches_then_bytes_then_the_tenant),
		cmocka_unit_test(nothing_is_removed_that_nobody_asked_for_or_that_somebody_else_holds),
		cmocka_unit_test(a_removal_that_was_broken_off_goes_on),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
