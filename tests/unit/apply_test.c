/* shared/meta/apply*.c and lease.c against PostgreSQL: exactly once, fenced, coalesced. */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "shared/base/cleanup.h"
#include "shared/base/clock.h"
#include "shared/meta/apply.h"
#include "shared/meta/lease.h"
#include "tests/unit/support/database.h"
#include "tests/unit/support/samples.h"
#include "tests/unit/support/services.h"

enum { VERSION = 1, LEASE_MS = 15000 };

static struct db *db;
static int64_t tenant_id;
static struct lease_holder us = {
	.name = "here:1:aa", .boot_id = "boot-1", .place = "boot-1", .base_id = "base-1", .lock_fd = -1};
static struct lease lease;

static int start(void **state)
{
	(void)state;
	if (services_start("postgres") < 0 || database_migrate() < 0)
		return -1;
	if (db_open(services_database_url(), "apply_test", 5000, &db) < 0)
		return -1;
	return apply_session(db);
}

static int stop(void **state)
{
	(void)state;
	db_close(db);
	database_close();
	return services_stop();
}

static int fresh_tenant(void **state)
{
	static int number;
	char code[32];

	(void)state;
	snprintf(code, sizeof(code), "tenant%d", ++number);
	tenant_id = database_tenant(code);
	return lease_take(db, tenant_id, &us, LEASE_MS, &lease);
}

/* --- records with positions --- */

struct list {
	struct buf bytes[600];
	struct apply_record records[600];
	int count;
};

static struct buf *add(struct list *list)
{
	assert_true(list->count < 600);
	list->bytes[list->count] = BUF_INIT(RECORD_MAX_BYTES);
	return &list->bytes[list->count++];
}

static void number_from(struct list *list, uint64_t position)
{
	for (int i = 0; i < list->count; i++) {
		assert_int_equal(buf_error(&list->bytes[i]), 0);
		position += 100;
		list->records[i] = (struct apply_record){list->bytes[i].data, list->bytes[i].length, position};
	}
}

static void list_release(struct list *list)
{
	for (int i = 0; i < list->count; i++)
		buf_release(&list->bytes[i]);
	list->count = 0;
}

static struct apply_removed removed;
static struct apply_equal equal;

static int apply_part(const struct list *list, int first, int count)
{
	apply_removed_release(&removed);
	apply_equal_release(&equal);
	return apply_batch(db, tenant_id, lease.epoch, lease.epoch, list->records + first, count, VERSION, &removed,
			   &equal);
}

static int apply_all(const struct list *list)
{
	return apply_part(list, 0, list->count);
}

static int64_t rows(const char *table)
{
	return database_count("SELECT count(*) FROM %s WHERE tenant_id = %" PRId64, table, tenant_id);
}

/* --- tests --- */

static void a_file_becomes_rows_of_every_kind_and_a_job(void **state)
{
	struct list list = {.count = 0};

	(void)state;
	sample_file(add(&list), 1000, 100, "a.pdf", 7);
	number_from(&list, 0);
	assert_int_equal(apply_all(&list), 0);
	assert_int_equal(rows("node"), 2);
	assert_int_equal(rows("entry"), 1);
	assert_int_equal(rows("object"), 1);
	assert_int_equal(rows("outbox"), 1);
	assert_int_equal(rows("extraction_job"), 1);
	assert_int_equal(removed.count, 0);
	assert_int_equal(equal.count, 0);
	assert_string_equal(
		database_ask("SELECT used_bytes || ' ' || file_count || ' ' || next_sequence || ' ' || next_object_id "
			     "FROM tenant_usage WHERE tenant_id = %" PRId64,
			     tenant_id),
		"71680 7 8 1001");
	assert_string_equal(database_ask("SELECT payload->>'size' FROM outbox WHERE tenant_id = %" PRId64, tenant_id),
			    "10240");
	assert_string_equal(database_ask("SELECT uploaded_by || coalesce(tags, '-') || coalesce(metadata::text, '-') "
					 "|| visibility::text "
					 "FROM node WHERE kind = 'f' AND tenant_id = %" PRId64,
					 tenant_id),
			    "1000--r");
	assert_int_equal(
		database_count("SELECT journal_position FROM tenant_lease WHERE tenant_id = %" PRId64, tenant_id), 100);
	list_release(&list);
}

static void applying_a_batch_twice_gives_the_same_rows(void **state)
{
	struct sample_space space = {.random = {1}, .next_sequence = 1, .next_object = 1};
	struct list list = {.count = 0};
	autofree char *once = NULL, *twice = NULL;

	(void)state;
	for (int i = 0; i < 200; i++)
		sample_record(&space, add(&list));
	number_from(&list, 0);
	assert_int_equal(apply_part(&list, 0, 100), 0);
	assert_int_equal(apply_part(&list, 100, 100), 0);
	once = database_dump(tenant_id);
	assert_int_equal(apply_part(&list, 100, 100), 0);
	assert_int_equal(apply_part(&list, 0, 100), 0);
	assert_int_equal(apply_part(&list, 199, 1), 0);
	twice = database_dump(tenant_id);
	assert_string_equal(once, twice);
	list_release(&list);
}

static void count_done(void *context, const struct apply_record *last, int count, const struct apply_removed *gone,
		       const struct apply_equal *same)
{
	(void)last;
	(void)gone;
	(void)same;
	*(int *)context += count;
}

static struct apply_target target_of(int *done)
{
	return (struct apply_target){.tenant_id = tenant_id,
				     .epoch = lease.epoch,
				     .journal_epoch = lease.epoch,
				     .extractor_version = VERSION,
				     .done = count_done,
				     .context = done};
}

static void a_batch_that_was_applied_in_part_is_taken_up_where_it_ended(void **state)
{
	struct list list = {.count = 0};
	int done = 0;
	struct apply_target target = target_of(&done);

	(void)state;
	for (int i = 0; i < 100; i++) {
		char name[16];

		snprintf(name, sizeof(name), "f%d", i);
		sample_file(add(&list), 1000 + i, 100, name, i + 1);
	}
	number_from(&list, 0);
	assert_int_equal(apply_part(&list, 0, 37), 0);
	assert_int_equal(apply_part(&list, 10, 60), -EALREADY);
	assert_int_equal(rows("entry"), 37);
	assert_int_equal(apply_records(db, &target, list.records + 10, 90), 0);
	assert_int_equal(done, 90);
	assert_int_equal(rows("entry"), 100);
	assert_int_equal(rows("outbox"), 100);
	list_release(&list);
}

/* Batches of any size give what one record after the other gives: coalescing changes nothing. */
static void coalescing_gives_the_rows_that_single_records_give(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 6; seed++) {
		struct sample_space space = {.random = {seed}, .next_sequence = 1, .next_object = 1};
		struct sample_random sizes = {seed + 100};
		struct list list = {.count = 0};
		autofree char *single = NULL, *batched = NULL;

		for (int i = 0; i < 300; i++)
			sample_record(&space, add(&list));
		number_from(&list, 0);
		fresh_tenant(NULL);
		for (int i = 0; i < list.count; i++)
			assert_int_equal(apply_part(&list, i, 1), 0);
		single = database_dump(tenant_id);
		fresh_tenant(NULL);
		for (int first = 0; first < list.count;) {
			int count = 1 + (int)sample_below(&sizes, 60);

			count = count < list.count - first ? count : list.count - first;
			assert_int_equal(apply_part(&list, first, count), 0);
			first += count;
		}
		batched = database_dump(tenant_id);
		assert_string_equal(single, batched);
		assert_true(strlen(single) > 1000);
		list_release(&list);
	}
}

static void a_file_made_and_removed_in_one_batch_leaves_its_events_alone(void **state)
{
	struct list list = {.count = 0};

	(void)state;
	sample_file(add(&list), 1000, 100, "a.pdf", 1);
	sample_unlink(add(&list), 1000, 100, "a.pdf");
	number_from(&list, 0);
	assert_int_equal(apply_all(&list), 0);
	assert_int_equal(rows("node"), 1);
	assert_int_equal(rows("entry"), 0);
	assert_int_equal(rows("object"), 0);
	assert_int_equal(rows("outbox"), 2);
	assert_int_equal(removed.count, 1);
	assert_string_equal(removed.paths[0], "2026-11/o1000.pdf");
	/* What was given is not given again although nothing of it is left. */
	assert_int_equal(
		database_count("SELECT next_object_id FROM tenant_usage WHERE tenant_id = %" PRId64, tenant_id), 1001);
	list_release(&list);
}

static void the_attributes_of_a_node_go_with_it_and_not_those_of_its_successor(void **state)
{
	struct list list = {.count = 0};
	struct change attribute = {.kind = CHANGE_ATTRIBUTE_PUT}, gone = {.kind = CHANGE_NODE_DELETE};

	(void)state;
	attribute.attribute = (struct attribute_row){.inode = 5, .name = {"user.a", 6}, .value = {"1", 1}};
	gone.node.inode = 5;
	record_put(add(&list), &attribute);
	attribute.attribute.name.data = "user.b";
	record_put(add(&list), &attribute);
	record_put(add(&list), &gone);
	record_put(add(&list), &attribute);
	number_from(&list, 0);
	assert_int_equal(apply_part(&list, 0, 1), 0);
	assert_int_equal(apply_part(&list, 1, 3), 0);
	assert_int_equal(rows("attribute"), 1);
	assert_string_equal(database_ask("SELECT name FROM attribute WHERE tenant_id = %" PRId64, tenant_id),
			    "\\x757365722e62");
	list_release(&list);
}

static void equal_objects_are_found_the_newest_older_one_first(void **state)
{
	struct list list = {.count = 0};

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct change change = {.kind = CHANGE_OBJECT_PUT};

		change.object =
			(struct object_row){.object_id = 10 + i, .inode = 100 + i, .size_bytes = i == 3 ? 0 : 7};
		snprintf(change.object.path, sizeof(change.object.path), "2026-11/o%d.pdf", i);
		record_put(add(&list), &change);
	}
	number_from(&list, 0);
	assert_int_equal(apply_part(&list, 0, 1), 0);
	assert_int_equal(equal.count, 0);
	assert_int_equal(apply_part(&list, 1, 3), 0);
	assert_int_equal(equal.count, 2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(equal.pairs[i].second_object_id, equal.pairs[i].first_object_id + 1);
		assert_int_equal(equal.pairs[i].first_inode, equal.pairs[i].first_object_id + 90);
	}
	assert_string_equal(equal.pairs[0].first, "2026-11/o0.pdf");
	assert_string_equal(equal.pairs[1].second, "2026-11/o2.pdf");
	list_release(&list);
}

static void a_job_is_queued_once_and_not_when_a_result_is_there(void **state)
{
	struct list list = {.count = 0};

	(void)state;
	for (int i = 0; i < 3; i++)
		sample_file(add(&list), 1000, 100, "a.pdf", i + 1);
	number_from(&list, 0);
	assert_int_equal(apply_part(&list, 0, 2), 0);
	assert_int_equal(rows("extraction_job"), 1);
	assert_string_equal(database_ask("SELECT state::text || ' ' || object_id || ' ' || size_bytes FROM "
					 "extraction_job WHERE tenant_id = "
					 "%" PRId64,
					 tenant_id),
			    "q 1000 10240");
	database_do("UPDATE extraction_job SET state = 'd' WHERE tenant_id = %" PRId64, tenant_id);
	assert_int_equal(apply_part(&list, 2, 1), 0);
	assert_string_equal(database_ask("SELECT state FROM extraction_job WHERE tenant_id = %" PRId64, tenant_id),
			    "d");
	/* The job was cleared away, its result was not. */
	database_do("INSERT INTO extraction_result (tenant_id, sha256, extractor_version, extractor, status, "
		    "media_type) SELECT "
		    "tenant_id, sha256, 1, 'pdf', 'c', 'x' FROM extraction_job WHERE tenant_id = %" PRId64,
		    tenant_id);
	database_do("DELETE FROM extraction_job WHERE tenant_id = %" PRId64, tenant_id);
	list.records[2].position += 100;
	assert_int_equal(apply_part(&list, 2, 1), 0);
	assert_int_equal(rows("extraction_job"), 0);
	list_release(&list);
}

static int drain(struct db *listener, const char *channel, char *ret_payload, size_t size)
{
	char got[64];
	int count = 0;
	char payload[64];

	while (db_next_notification(listener, got, sizeof(got), payload, sizeof(payload)) == 1) {
		if (strcmp(got, channel) != 0)
			continue;
		count++;
		snprintf(ret_payload, size, "%s", payload);
	}
	return count;
}

static void listeners_hear_of_each_commit_and_of_jobs_only_when_there_are_some(void **state)
{
	struct list list = {.count = 0};
	struct db *listener;
	char payload[64] = "", expected[64];

	(void)state;
	assert_int_equal(db_open(services_database_url(), "listener", 5000, &listener), 0);
	assert_int_equal(db_execute(listener, "LISTEN tenantfs_job"), 0);
	for (int i = 0; i < 2; i++)
		sample_file(add(&list), 1000, 100, "a.pdf", i + 1);
	sample_unlink(add(&list), 1000, 100, "a.pdf");
	number_from(&list, 0);
	assert_int_equal(apply_part(&list, 0, 2), 0);
	usleep(50000);
	assert_int_equal(drain(listener, "tenantfs_job", payload, sizeof(payload)), 1);
	snprintf(expected, sizeof(expected), "%" PRId64, tenant_id);
	assert_string_equal(payload, expected);
	assert_int_equal(db_execute(listener, "LISTEN tenantfs_commit"), 0);
	assert_int_equal(apply_part(&list, 2, 1), 0);
	usleep(50000);
	assert_int_equal(drain(listener, "tenantfs_commit", payload, sizeof(payload)), 1);
	snprintf(expected, sizeof(expected), "%" PRId64 " 300", tenant_id);
	assert_string_equal(payload, expected);
	db_close(listener);
	list_release(&list);
}

static void a_stale_epoch_changes_nothing(void **state)
{
	struct lease_holder other = {
		.name = "there:2:bb", .boot_id = "boot-1", .place = "boot-1", .base_id = "base-1", .lock_fd = -1};
	struct list list = {.count = 0};
	struct lease theirs;

	(void)state;
	sample_file(add(&list), 1000, 100, "a.pdf", 1);
	sample_file(add(&list), 1001, 100, "b.pdf", 2);
	number_from(&list, 0);
	assert_int_equal(apply_part(&list, 0, 1), 0);
	assert_int_equal(lease_take(db, tenant_id, &other, LEASE_MS, &theirs), 0);
	assert_int_equal(theirs.epoch, lease.epoch + 1);
	assert_int_equal(theirs.journal_epoch, lease.epoch);
	assert_int_equal(theirs.journal_position, 100);
	assert_int_equal(apply_part(&list, 1, 1), -ESTALE);
	assert_int_equal(apply_part(&list, 0, 1), -ESTALE);
	assert_int_equal(rows("entry"), 1);
	assert_int_equal(rows("outbox"), 1);
	assert_int_equal(lease_give_back(db, tenant_id, lease.epoch), -ESTALE);
	database_do("DELETE FROM tenant WHERE tenant_id = %" PRId64, tenant_id);
	assert_int_equal(apply_part(&list, 1, 1), -ESTALE);
	list_release(&list);
}

/* A successor that raises the epoch while a batch is under way comes before all of it or after all of it. */

static void *take_in_between(void *context)
{
	struct lease_holder other = {
		.name = "there:2:bb", .boot_id = "boot-1", .place = "boot-1", .base_id = "base-1", .lock_fd = -1};
	struct db *second;

	assert_int_equal(db_open(services_database_url(), "successor", 5000, &second), 0);
	usleep(1000);
	assert_int_equal(lease_take(second, tenant_id, &other, LEASE_MS, context), 0);
	db_close(second);
	return NULL;
}

static void a_successor_sees_all_of_a_batch_or_none(void **state)
{
	int before = 0;

	(void)state;
	for (int round = 0; round < 15; round++) {
		struct list list = {.count = 0};
		struct lease theirs = {0};
		pthread_t thread;
		int r, batches = 0;

		fresh_tenant(NULL);
		for (int i = 0; i < 400; i++) {
			char name[16];

			snprintf(name, sizeof(name), "f%d", i);
			sample_file(add(&list), 1000 + i, 100, name, i + 1);
		}
		number_from(&list, 0);
		assert_int_equal(pthread_create(&thread, NULL, take_in_between, &theirs), 0);
		while ((r = apply_part(&list, batches * 40, 40)) == 0 && ++batches < 10)
			;
		pthread_join(thread, NULL);
		assert_true(r == 0 || r == -ESTALE);
		before += r == 0;
		assert_int_equal(rows("entry"), batches * 40);
		assert_int_equal(theirs.journal_position, batches * 40 * 100 == 0 ? 0 : batches * 4000);
		list_release(&list);
	}
	assert_true(before < 15);
}

static void a_refused_record_is_found_and_what_lies_before_it_is_committed(void **state)
{
	struct list list = {.count = 0};
	int done = 0;
	struct apply_target target = target_of(&done);
	char text[128];

	(void)state;
	for (int i = 0; i < 100; i++) {
		char name[16];

		snprintf(name, sizeof(name), "f%d", i);
		sample_file(add(&list), 1000 + i, 100, name, i + 1);
		if (i == 63) {
			struct change change = {.kind = CHANGE_EVENT};

			change.event.kind = (struct bytes){"x", 1};
			change.event.payload = (struct bytes){"{\"no\": json", 11};
			record_put(&list.bytes[63], &change);
		}
	}
	number_from(&list, 0);
	assert_int_equal(apply_records(db, &target, list.records, list.count), -EINVAL);
	assert_int_equal(done, 63);
	assert_int_equal(rows("entry"), 63);
	apply_describe(&list.records[63], text);
	assert_string_equal(text, "node+entry+object+extract+node+usage+event+event");
	list_release(&list);
}

static void bytes_that_are_no_record_are_refused_before_anything_is_sent(void **state)
{
	struct apply_record record = {"\x7f\x01", 2, 100};

	(void)state;
	apply_removed_release(&removed);
	apply_equal_release(&equal);
	assert_int_equal(apply_batch(db, tenant_id, lease.epoch, lease.epoch, &record, 1, VERSION, &removed, &equal),
			 -EBADMSG);
	assert_int_equal(
		database_count("SELECT journal_position FROM tenant_lease WHERE tenant_id = %" PRId64, tenant_id), 0);
}

static void a_connection_lost_in_between_is_tried_again_without_doing_it_twice(void **state)
{
	struct list list = {.count = 0};
	int64_t epoch;
	uint64_t position;
	int r = 0;

	(void)state;
	for (int i = 0; i < 40; i++) {
		char name[16];

		snprintf(name, sizeof(name), "f%d", i);
		sample_file(add(&list), 1000 + i, 100, name, i + 1);
	}
	number_from(&list, 0);
	for (int i = 0; i < 40; i++) {
		if (i % 8 == 3)
			database_do("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = "
				    "'apply_test'");
		while ((r = apply_part(&list, i, 1)) == -EAGAIN || r == -EINPROGRESS) {
			assert_true(db_is_lost(db));
			assert_int_equal(db_reopen(db, 5000), 0);
		}
		assert_int_equal(r, 0);
	}
	assert_int_equal(rows("entry"), 40);
	assert_int_equal(rows("outbox"), 40);
	assert_int_equal(apply_position(db, tenant_id, &epoch, &position), 0);
	assert_int_equal(epoch, lease.epoch);
	assert_int_equal(position, 4000);
	assert_int_equal(apply_position(db, INT64_MAX, &epoch, &position), -ENOENT);
	list_release(&list);
}

/* --- leases --- */

static int take_as(const char *name, const char *boot_id, const char *base_id, int64_t of, struct lease *ret_lease)
{
	struct lease_holder holder = {.lock_fd = -1};

	snprintf(holder.name, sizeof(holder.name), "%s", name);
	snprintf(holder.boot_id, sizeof(holder.boot_id), "%s", boot_id);
	snprintf(holder.place, sizeof(holder.place), "%s", boot_id);
	snprintf(holder.base_id, sizeof(holder.base_id), "%s", base_id);
	return lease_take(db, of, &holder, 1000, ret_lease);
}

static void a_lease_is_taken_when_free_expired_or_of_a_process_known_to_be_dead(void **state)
{
	int64_t id = database_tenant("leases");
	struct lease taken;

	(void)state;
	assert_int_equal(take_as("a:1:1", "boot-a", "base", id, &taken), 0);
	assert_int_equal(taken.epoch, 1);
	assert_string_equal(taken.holder_before, "");
	/* Another machine waits, and learns how long. */
	assert_int_equal(take_as("b:1:1", "boot-b", "base", id, &taken), -EBUSY);
	assert_string_equal(taken.holder_before, "a:1:1");
	assert_in_range(taken.wait_ms, 1, 1000);
	/* Another process with the lock on the same folder in the same start of the machine does not. */
	assert_int_equal(take_as("a:2:2", "boot-a", "base", id, &taken), 0);
	assert_int_equal(taken.epoch, 2);
	assert_string_equal(taken.holder_before, "a:1:1");
	/* Another folder lacks the journal, expired or not. */
	usleep(1100 * 1000);
	assert_int_equal(take_as("b:1:1", "boot-b", "other", id, &taken), -EXDEV);
	assert_int_equal(take_as("b:1:1", "boot-b", "base", id, &taken), 0);
	assert_int_equal(taken.epoch, 3);
	assert_int_equal(lease_give_back(db, id, 2), -ESTALE);
	assert_int_equal(lease_give_back(db, id, 3), 0);
	assert_int_equal(take_as("c:1:1", "boot-c", "other", id, &taken), 0);
	assert_int_equal(taken.epoch, 4);
	assert_int_equal(take_as("d:1:1", "", "other", INT64_MAX, &taken), -ENOENT);
}

static void a_broken_lease_is_free_and_its_holder_writes_no_more(void **state)
{
	char before[LEASE_HOLDER_SIZE];
	struct list list = {.count = 0};
	struct lease taken;

	(void)state;
	sample_file(add(&list), 1000, 100, "a.pdf", 1);
	number_from(&list, 0);
	assert_int_equal(lease_break(db, tenant_id, before), 0);
	assert_string_equal(before, us.name);
	assert_int_equal(apply_all(&list), -ESTALE);
	assert_int_equal(take_as("b:1:1", "boot-b", "other", tenant_id, &taken), 0);
	assert_int_equal(taken.epoch, lease.epoch + 2);
	list_release(&list);
}

static void renewing_tells_which_leases_are_lost_and_moves_the_mark(void **state)
{
	int64_t ids[3], epochs[3], synced[3] = {-1, 500, -1};
	struct lease taken;
	bool is_lost[3];

	(void)state;
	for (int i = 0; i < 3; i++) {
		fresh_tenant(NULL);
		ids[2 - i] = tenant_id;
		epochs[2 - i] = lease.epoch;
	}
	assert_int_equal(take_as("a:2:2", us.boot_id, us.base_id, ids[0], &taken), 0);
	assert_int_equal(lease_renew(db, &us, ids, epochs, synced, 3, 60000, is_lost), 0);
	assert_true(is_lost[0]);
	assert_false(is_lost[1] || is_lost[2]);
	assert_true(database_count("SELECT extract(epoch FROM expires_at - now())::bigint FROM tenant_lease WHERE "
				   "tenant_id = %" PRId64,
				   ids[2]) > 50);
	assert_int_equal(take_as("a:2:2", us.boot_id, us.base_id, ids[1], &taken), 0);
	assert_int_equal(taken.synced_position, 500);
	assert_string_equal(taken.synced_boot_id, us.boot_id);
	assert_true(taken.synced_at_ns > clock_realtime_ns() - 60 * NS_PER_S);
	assert_int_equal(take_as("a:2:2", us.boot_id, us.base_id, ids[2], &taken), 0);
	assert_int_equal(taken.synced_at_ns, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, fresh_tenant)
	const struct CMUnitTest tests[] = {
		TEST(a_file_becomes_rows_of_every_kind_and_a_job),
		TEST(applying_a_batch_twice_gives_the_same_rows),
		TEST(a_batch_that_was_applied_in_part_is_taken_up_where_it_ended),
		TEST(coalescing_gives_the_rows_that_single_records_give),
		TEST(a_file_made_and_removed_in_one_batch_leaves_its_events_alone),
		TEST(the_attributes_of_a_node_go_with_it_and_not_those_of_its_successor),
		TEST(equal_objects_are_found_the_newest_older_one_first),
		TEST(a_job_is_queued_once_and_not_when_a_result_is_there),
		TEST(listeners_hear_of_each_commit_and_of_jobs_only_when_there_are_some),
		TEST(a_stale_epoch_changes_nothing),
		TEST(a_successor_sees_all_of_a_batch_or_none),
		TEST(a_refused_record_is_found_and_what_lies_before_it_is_committed),
		TEST(bytes_that_are_no_record_are_refused_before_anything_is_sent),
		TEST(a_connection_lost_in_between_is_tried_again_without_doing_it_twice),
		TEST(a_lease_is_taken_when_free_expired_or_of_a_process_known_to_be_dead),
		TEST(a_broken_lease_is_free_and_its_holder_writes_no_more),
		TEST(renewing_tells_which_leases_are_lost_and_moves_the_mark),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
