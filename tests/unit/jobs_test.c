/* The extraction queue against a real server: shared/meta/jobs*.c, outbox.c and sql/queries/job_*.sql, outbox_*.sql. */
#include <errno.h>
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
#include "shared/base/extractor_version.h"
#include "shared/db/migrate.h"
#include "shared/meta/jobs.h"
#include "tests/unit/support/services.h"

enum { ONE = 1, TWO = 2, LEASE_MS = 90000 };

static struct db *db;
static int64_t instance;

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

/* The one number a query gives, through a row of its own: db_execute gives no rows, a failing check does. */
static void assert_sql(const char *condition)
{
	run_sql("DO $$ BEGIN IF NOT coalesce((%s), false) THEN RAISE EXCEPTION 'not so'; END IF; END $$", condition);
}

static int start(void **state)
{
	int applied = 0;

	(void)state;
	if (services_start("postgres") < 0 || db_open(services_database_url(), "jobs_test", 5000, &db) < 0)
		return -1;
	if (migrate_apply(db, &applied) < 0)
		return -1;
	run_sql("INSERT INTO tenant (code) VALUES ('one'), ('two'), ('three')");
	return job_prepare_session(db) < 0 ? -1 : job_instance(db, &instance);
}

static int stop(void **state)
{
	(void)state;
	db_close(db);
	return services_stop();
}

static int clear(void **state)
{
	(void)state;
	run_sql("TRUNCATE extraction_job, extraction_result, object, node, outbox");
	return 0;
}

/* A content with an object and a queued job, as fusefs writes them. */
static void queue_content(int tenant_id, int number)
{
	run_sql("INSERT INTO node (tenant_id, inode, kind, mode, nlink, uid, gid, atime_ns, mtime_ns, ctime_ns, "
		"btime_ns, file_id, "
		"                  object_id) VALUES (%d, %d, 'f', 420, 1, 0, 0, 0, 0, 0, 0, 'fs_%d', %d);"
		"INSERT INTO object VALUES (%d, %d, %d, '2026-11/fs_%d.txt', 10, sha256('%d'), 'text/plain', 0);"
		"INSERT INTO extraction_job (tenant_id, sha256, extractor_version, object_id, size_bytes) "
		"VALUES (%d, sha256('%d'), %d, %d, 10)",
		tenant_id, number, number, number, tenant_id, number, number, number, number, tenant_id, number,
		EXTRACTOR_VERSION, number);
}

static struct job_demand demand_of(int limit, int tenant_limit)
{
	return (struct job_demand){.lane = JOB_LANE_NORMAL,
				   .instance = instance,
				   .limit = limit,
				   .tenant_limit = tenant_limit,
				   .lease_ms = LEASE_MS};
}

static int claim(const struct job_demand *demand, struct job_row **ret_jobs)
{
	int count = -1;

	assert_int_equal(job_claim(db, demand, ret_jobs, &count), 0);
	return count;
}

static struct job_row claim_one(void)
{
	struct job_demand demand = demand_of(1, 10);
	autofree struct job_row *jobs = NULL;

	assert_int_equal(claim(&demand, &jobs), 1);
	return jobs[0];
}

static int count_of_tenant(const struct job_row *jobs, int count, int64_t tenant_id)
{
	int found = 0;

	for (int i = 0; i < count; i++)
		found += jobs[i].tenant_id == tenant_id;
	return found;
}

static bool finish_one(struct job_outcome *outcome)
{
	bool accepted = false;

	assert_int_equal(job_finish(db, outcome, 1, &accepted), 0);
	return accepted;
}

static bool finish(const struct job_row *job, enum job_verdict verdict, const char *error, int delay_ms)
{
	struct job_outcome outcome = {.job = *job, .verdict = verdict, .delay_ms = delay_ms};

	snprintf(outcome.error, sizeof(outcome.error), "%s", error);
	return finish_one(&outcome);
}

static void put(struct buf *buf, const char *text)
{
	*buf = BUF_INIT(1000);
	buf_puts(buf, text);
}

/* With a result, whose buffers stay with the caller (released by job_result_release). */
static struct job_outcome with_result(const struct job_row *job, enum job_verdict verdict, const char *text)
{
	struct job_outcome outcome = {.job = *job, .verdict = verdict, .has_result = true, .duration_ms = 12};

	snprintf(outcome.result.extractor, sizeof(outcome.result.extractor), "text");
	snprintf(outcome.result.media_type, sizeof(outcome.result.media_type), "text/plain");
	outcome.result.confidence = 750;
	put(&outcome.result.text, text);
	put(&outcome.result.pages, "{0,4}");
	put(&outcome.result.metadata, "{\"a\":1,\"a\":2}");
	put(&outcome.result.letters, "{\"A\": 1}");
	return outcome;
}

/* --- claims --- */

static void a_claim_tells_where_the_bytes_lie(void **state)
{
	struct job_row job;

	(void)state;
	queue_content(ONE, 7);
	job = claim_one();
	assert_int_equal(job.tenant_id, ONE);
	assert_string_equal(job.tenant_code, "one");
	assert_string_equal(job.path, "2026-11/fs_7.txt");
	assert_int_equal(job.size_bytes, 10);
	assert_int_equal(job.attempt, 1);
	assert_int_equal(job.failures, 0);
	assert_int_equal(strlen(job.token), 36);
	assert_sql("(SELECT state = 'r' AND lease_expires_at > now() + interval '85 s' FROM extraction_job)");
}

static void what_is_claimed_is_not_claimed_again(void **state)
{
	struct job_demand demand = demand_of(10, 10);
	autofree struct job_row *first = NULL, *second = NULL;

	(void)state;
	queue_content(ONE, 1);
	queue_content(ONE, 2);
	assert_int_equal(claim(&demand, &first), 2);
	assert_int_equal(claim(&demand, &second), 0);
}

static void a_row_that_somebody_else_is_claiming_is_passed_over(void **state)
{
	struct job_demand demand = demand_of(10, 10);
	autofree struct job_row *jobs = NULL, *others = NULL;
	struct db *other = NULL;
	int count = 0;

	(void)state;
	queue_content(ONE, 1);
	queue_content(ONE, 2);
	assert_int_equal(db_open(services_database_url(), "other", 5000, &other), 0);
	assert_int_equal(db_begin(other), 0);
	demand.limit = 1;
	assert_int_equal(job_claim(other, &demand, &others, &count), 0);
	assert_int_equal(count, 1);
	demand.limit = 10;
	assert_int_equal(claim(&demand, &jobs), 1);
	assert_memory_not_equal(jobs[0].sha256, others[0].sha256, DIGEST_SIZE);
	db_rollback(other);
	db_close(other);
}

static void every_tenant_has_its_share_of_a_claim(void **state)
{
	struct job_demand demand = demand_of(6, 100);
	autofree struct job_row *jobs = NULL;
	int count;

	(void)state;
	for (int i = 0; i < 50; i++)
		queue_content(ONE, i);
	queue_content(TWO, 100);
	queue_content(3, 200);
	queue_content(3, 201);
	count = claim(&demand, &jobs);
	assert_int_equal(count_of_tenant(jobs, count, TWO), 1);
	assert_int_equal(count_of_tenant(jobs, count, 3), 2);
	assert_int_equal(count_of_tenant(jobs, count, ONE), 2);
}

static void what_a_tenant_has_already_counts_against_it(void **state)
{
	const int64_t tenants[] = {ONE, TWO}, counts[] = {4, 1};
	struct job_demand demand = demand_of(10, 4);
	autofree struct job_row *jobs = NULL;
	int count;

	(void)state;
	for (int i = 0; i < 10; i++)
		queue_content(i < 5 ? ONE : TWO, i);
	demand.held_tenant_ids = tenants;
	demand.held_counts = counts;
	demand.held_count = 2;
	count = claim(&demand, &jobs);
	assert_int_equal(count_of_tenant(jobs, count, ONE), 0);
	assert_int_equal(count_of_tenant(jobs, count, TWO), 3);
}

static void a_claim_goes_on_behind_the_last_tenant(void **state)
{
	struct job_demand demand = demand_of(1, 10);
	autofree struct job_row *first = NULL, *second = NULL;

	(void)state;
	for (int i = 0; i < 6; i++)
		queue_content(i < 3 ? ONE : TWO, i);
	assert_int_equal(claim(&demand, &first), 1);
	assert_int_equal(first[0].tenant_id, ONE);
	demand.after_tenant_id = ONE;
	assert_int_equal(claim(&demand, &second), 1);
	assert_int_equal(second[0].tenant_id, TWO);
}

static void jobs_wait_for_their_time_their_lane_and_their_version(void **state)
{
	struct job_demand demand = demand_of(10, 10);
	autofree struct job_row *jobs = NULL, *ocr = NULL;

	(void)state;
	for (int i = 1; i <= 4; i++)
		queue_content(ONE, i);
	run_sql("UPDATE extraction_job SET not_before = now() + interval '1 s' WHERE sha256 = sha256('1')");
	run_sql("UPDATE extraction_job SET lane = 'o' WHERE sha256 = sha256('2')");
	run_sql("UPDATE extraction_job SET extractor_version = %d WHERE sha256 = sha256('3')", EXTRACTOR_VERSION + 1);
	assert_int_equal(claim(&demand, &jobs), 1);
	assert_string_equal(jobs[0].path, "2026-11/fs_4.txt");
	demand.lane = JOB_LANE_OCR;
	assert_int_equal(claim(&demand, &ocr), 1);
	assert_string_equal(ocr[0].path, "2026-11/fs_2.txt");
	assert_int_equal(ocr[0].lane, JOB_LANE_OCR);
}

static void a_long_queue_of_one_does_not_slow_down_another(void **state)
{
	const int64_t tenants[] = {ONE}, counts[] = {8};
	struct job_demand demand = demand_of(4, 8);
	autofree struct job_row *jobs = NULL;
	int64_t begun_ns;

	(void)state;
	run_sql("INSERT INTO extraction_job (tenant_id, sha256, extractor_version, object_id) "
		"SELECT 1, sha256(i::text::bytea), %d, i FROM generate_series(1, 100000) i",
		EXTRACTOR_VERSION);
	queue_content(TWO, 200000);
	demand.held_tenant_ids = tenants;
	demand.held_counts = counts;
	demand.held_count = 1;
	assert_int_equal(claim(&demand, &jobs), 1); /* also warms the cache */
	begun_ns = clock_monotonic_ns();
	queue_content(TWO, 200001);
	free(take_ptr(&jobs));
	assert_int_equal(claim(&demand, &jobs), 1);
	assert_int_equal(jobs[0].tenant_id, TWO);
	assert_in_range(clock_monotonic_ns() - begun_ns, 0, 200 * NS_PER_MS);
}

/* --- ends --- */

static void a_result_goes_in_with_the_end_of_its_job(void **state)
{
	struct job_outcome outcome;
	struct job_row job;

	(void)state;
	queue_content(ONE, 1);
	job = claim_one();
	outcome = with_result(&job, JOB_DONE, "some text");
	assert_true(finish_one(&outcome));
	assert_sql("(SELECT state = 'd' AND lease_token IS NULL AND completed_at IS NOT NULL FROM extraction_job)");
	assert_sql(
		"(SELECT status = 'c' AND extracted_text = 'some text' AND text_bytes = 9 AND pages = '{0,4}' AND "
		"metadata = '{\"a\":2}' AND structured_data = '{}' AND summary IS NULL AND letters = '{\"A\":1}' AND "
		"confidence = 0.75 AND warnings = '[]' AND duration_ms = 12 FROM extraction_result)");
	job_result_release(&outcome.result);
}

static void an_end_makes_an_event_for_each_file(void **state)
{
	struct job_outcome outcome;
	struct job_row job;

	(void)state;
	queue_content(ONE, 1);
	run_sql("INSERT INTO node (tenant_id, inode, kind, mode, nlink, uid, gid, atime_ns, mtime_ns, ctime_ns, "
		"btime_ns, file_id, "
		"object_id) VALUES (1, 2, 'f', 420, 1, 0, 0, 0, 0, 0, 0, 'fs_same', 1)");
	job = claim_one();
	outcome = with_result(&job, JOB_DONE, "x");
	assert_true(finish_one(&outcome));
	assert_sql("(SELECT count(*) = 2 AND bool_and(kind = 'extraction.completed') FROM outbox)");
	assert_sql("(SELECT count(*) = 1 FROM outbox WHERE payload->>'file_id' = 'fs_same' AND payload->>'extractor' = "
		   "'text')");
	job_result_release(&outcome.result);
}

static void a_stranger_to_the_lease_changes_nothing(void **state)
{
	struct job_outcome outcome;
	struct job_row job;

	(void)state;
	queue_content(ONE, 1);
	job = claim_one();
	outcome = with_result(&job, JOB_DONE, "forged");
	memcpy(outcome.job.token, "00000000-0000-0000-0000-000000000000", JOB_UUID_SIZE);
	assert_false(finish_one(&outcome));
	assert_sql("(SELECT state = 'r' FROM extraction_job)");
	assert_sql("NOT EXISTS (SELECT 1 FROM extraction_result) AND NOT EXISTS (SELECT 1 FROM outbox)");
	job_result_release(&outcome.result);
}

static void writing_the_same_end_twice_is_harmless(void **state)
{
	struct job_outcome outcome;
	struct job_row job;

	(void)state;
	queue_content(ONE, 1);
	job = claim_one();
	outcome = with_result(&job, JOB_DONE, "x");
	assert_true(finish_one(&outcome));
	assert_false(finish_one(&outcome));
	assert_sql("(SELECT count(*) = 1 FROM outbox)");
	job_result_release(&outcome.result);
}

static void a_retry_waits_and_is_counted(void **state)
{
	struct job_demand demand = demand_of(1, 1);
	autofree struct job_row *jobs = NULL;
	struct job_row job;

	(void)state;
	queue_content(ONE, 1);
	job = claim_one();
	assert_true(finish(&job, JOB_RETRY, "it crashed", 60000));
	assert_sql("(SELECT state = 'q' AND failures = 1 AND attempt = 1 AND error = 'it crashed' AND "
		   "not_before > now() + interval '50 s' FROM extraction_job)");
	assert_int_equal(claim(&demand, &jobs), 0);
	assert_sql("NOT EXISTS (SELECT 1 FROM outbox)");
}

static void what_is_given_back_is_as_if_never_claimed(void **state)
{
	struct job_row job;

	(void)state;
	queue_content(ONE, 1);
	job = claim_one();
	assert_true(finish(&job, JOB_BACK, "", 0));
	job = claim_one();
	assert_int_equal(job.attempt, 1);
	assert_int_equal(job.failures, 0);
}

static void pages_without_text_go_on_in_the_other_lane(void **state)
{
	struct job_demand demand = demand_of(1, 1);
	autofree struct job_row *jobs = NULL;
	struct job_outcome outcome;
	struct job_row job;

	(void)state;
	queue_content(ONE, 1);
	run_sql("UPDATE extraction_job SET failures = 2");
	job = claim_one();
	outcome = with_result(&job, JOB_OCR, "what there is");
	assert_true(finish_one(&outcome));
	job_result_release(&outcome.result);
	assert_sql("(SELECT state = 'q' AND lane = 'o' AND failures = 0 FROM extraction_job)");
	assert_sql("(SELECT extracted_text = 'what there is' FROM extraction_result) AND NOT EXISTS (SELECT 1 FROM "
		   "outbox)");
	demand.lane = JOB_LANE_OCR;
	assert_int_equal(claim(&demand, &jobs), 1);
	assert_true(finish(&jobs[0], JOB_DONE, "a page could not be recognised", 0));
	assert_sql("(SELECT state = 'd' AND error IS NULL FROM extraction_job)");
	assert_sql("(SELECT extracted_text = 'what there is' AND warnings = '[\"a page could not be recognised\"]' "
		   "FROM extraction_result)");
}

static void a_failure_is_kept_with_its_reason(void **state)
{
	struct job_outcome outcome;
	struct job_row job;

	(void)state;
	queue_content(ONE, 1);
	job = claim_one();
	outcome = with_result(&job, JOB_FAILED, "half of it");
	outcome.result.is_failed = true;
	snprintf(outcome.error, sizeof(outcome.error), "encrypted");
	assert_true(finish_one(&outcome));
	assert_sql("(SELECT state = 'f' AND error = 'encrypted' FROM extraction_job)");
	assert_sql("(SELECT status = 'f' AND error = 'encrypted' AND extracted_text = 'half of it' FROM "
		   "extraction_result)");
	assert_sql("(SELECT kind = 'extraction.failed' AND payload->>'error' = 'encrypted' FROM outbox)");
	job_result_release(&outcome.result);
}

static void a_batch_is_written_as_one(void **state)
{
	struct job_demand demand = demand_of(20, 20);
	autofree struct job_row *jobs = NULL;
	struct job_outcome outcomes[20] = {0};
	bool accepted[20];

	(void)state;
	for (int i = 0; i < 20; i++)
		queue_content(i % 2 ? ONE : TWO, i);
	assert_int_equal(claim(&demand, &jobs), 20);
	for (int i = 0; i < 20; i++) {
		outcomes[i] = with_result(&jobs[i], JOB_DONE, "x");
		outcomes[i].next = i < 19 ? &outcomes[i + 1] : NULL;
	}
	outcomes[3].job.token[0] = outcomes[3].job.token[0] == '0' ? '1' : '0';
	assert_int_equal(job_finish(db, outcomes, 20, accepted), 0);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(accepted[i], i != 3);
		job_result_release(&outcomes[i].result);
	}
	assert_sql("(SELECT count(*) = 19 FROM extraction_result)");
}

static void a_result_that_postgresql_refuses_changes_nothing(void **state)
{
	struct job_outcome outcome;
	struct job_row job;
	bool accepted;

	(void)state;
	queue_content(ONE, 1);
	job = claim_one();
	outcome = with_result(&job, JOB_DONE, "x");
	buf_reset(&outcome.result.metadata);
	buf_puts(&outcome.result.metadata, "{broken");
	assert_int_equal(job_finish(db, &outcome, 1, &accepted), -EINVAL);
	job_result_release(&outcome.result);
	assert_sql("(SELECT state = 'r' FROM extraction_job)");
}

/* --- contents that went away --- */

static void a_content_that_no_object_holds_is_forgotten(void **state)
{
	struct job_row job;

	(void)state;
	queue_content(ONE, 1);
	run_sql("DELETE FROM object");
	job = claim_one();
	assert_string_equal(job.path, "");
	assert_int_equal(job_drop(db, &job), 1);
	assert_sql("NOT EXISTS (SELECT 1 FROM extraction_job)");
}

static void a_content_that_came_back_is_not_forgotten(void **state)
{
	struct job_row job;

	(void)state;
	queue_content(ONE, 1);
	job = claim_one();
	assert_int_equal(job_drop(db, &job), 0);
	assert_sql("(SELECT state = 'r' FROM extraction_job)");
	run_sql("DELETE FROM object; UPDATE extraction_job SET object_id = 77");
	assert_int_equal(job_drop(db, &job), 0);
}

static void any_object_with_the_content_will_do(void **state)
{
	struct job_row job;

	(void)state;
	queue_content(ONE, 1);
	run_sql("UPDATE object SET object_id = 55, path = '2026-10/fs_other.txt'");
	job = claim_one();
	assert_string_equal(job.path, "2026-10/fs_other.txt");
}

static void the_files_of_a_content_are_found(void **state)
{
	struct job_outcome outcome = {0};
	struct job_file *files = NULL;
	int count = 0;

	(void)state;
	queue_content(ONE, 1);
	queue_content(ONE, 2);
	outcome.job = claim_one();
	assert_int_equal(job_files(db, &outcome, 1, 10, &files, &count), 0);
	assert_int_equal(count, 1);
	assert_string_equal(files[0].tenant_code, "one");
	assert_string_equal(files[0].file_id, "fs_1");
	free(files);
}

/* --- leases --- */

static int reclaim(void)
{
	int count = -1;

	assert_int_equal(job_reclaim(db, &count), 0);
	return count;
}

static void an_expired_lease_is_queued_again_and_the_old_holder_is_shut_out(void **state)
{
	struct job_row job, again;

	(void)state;
	queue_content(ONE, 1);
	job = claim_one();
	assert_int_equal(reclaim(), 0);
	run_sql("UPDATE extraction_job SET lease_expires_at = now() - interval '1 s'");
	assert_int_equal(reclaim(), 1);
	again = claim_one();
	assert_int_equal(again.attempt, 2);
	assert_int_equal(again.failures, 0);
	assert_false(finish(&job, JOB_DONE, "", 0));
	assert_true(finish(&again, JOB_DONE, "", 0));
}

static void jobs_of_a_daemon_that_died_do_not_wait_for_their_lease(void **state)
{
	struct job_demand demand = demand_of(1, 1);
	autofree struct job_row *jobs = NULL;
	struct db *other = NULL;
	int64_t other_instance = 0;

	(void)state;
	queue_content(ONE, 1);
	assert_int_equal(db_open(services_database_url(), "other", 5000, &other), 0);
	assert_int_equal(job_instance(other, &other_instance), 0);
	assert_int_not_equal(other_instance, instance);
	demand.instance = other_instance;
	assert_int_equal(claim(&demand, &jobs), 1);
	run_sql("UPDATE extraction_job SET updated_at = now() - interval '3 s'");
	assert_int_equal(reclaim(), 0);
	db_close(other);
	for (int i = 0; i < 100 && reclaim() == 0; i++)
		usleep(20000); /* its backend takes a moment to go */
	assert_sql("(SELECT state = 'q' FROM extraction_job)");
}

static void what_was_begun_too_often_without_an_end_fails(void **state)
{
	(void)state;
	queue_content(ONE, 1);
	run_sql("UPDATE extraction_job SET attempt = %d", JOB_ATTEMPT_MAX - 1);
	claim_one();
	run_sql("UPDATE extraction_job SET lease_expires_at = now() - interval '1 s'");
	assert_int_equal(reclaim(), 1);
	assert_sql("(SELECT state = 'f' AND error LIKE 'given up%%' FROM extraction_job)");
}

/* --- the outbox --- */

static int64_t delivered[10];
static int delivered_count, delivered_until;

static int note(const struct job_event *event, void *context)
{
	(void)context;
	assert_string_equal(event->tenant_code, event->tenant_id == ONE ? "one" : "two");
	if (delivered_count == delivered_until)
		return -EAGAIN;
	delivered[delivered_count++] = event->event_id;
	return 0;
}

static void put_events(void)
{
	delivered_count = 0;
	run_sql("INSERT INTO outbox (tenant_id, kind, payload) SELECT 1 + i %% 2, 'file.uploaded', '{}' FROM "
		"generate_series(1, 6) i");
}

static void events_are_carried_in_order_and_removed(void **state)
{
	int count = 0;

	(void)state;
	put_events();
	delivered_until = 10;
	assert_int_equal(outbox_carry(db, 100, note, NULL, &count), 0);
	assert_int_equal(count, 6);
	for (int i = 1; i < 6; i++)
		assert_true(delivered[i] > delivered[i - 1] || i == 3); /* in order within each tenant */
	assert_sql("NOT EXISTS (SELECT 1 FROM outbox)");
}

static void what_could_not_be_delivered_stays(void **state)
{
	int count = 0;

	(void)state;
	put_events();
	delivered_until = 2;
	assert_int_equal(outbox_carry(db, 100, note, NULL, &count), -EAGAIN);
	assert_int_equal(count, 2);
	assert_sql("(SELECT count(*) = 4 FROM outbox)");
}

static void one_carrier_at_a_time(void **state)
{
	struct db *other = NULL;
	int count = -1;

	(void)state;
	put_events();
	delivered_until = 10;
	assert_int_equal(db_open(services_database_url(), "other", 5000, &other), 0);
	assert_int_equal(db_begin(other), 0);
	assert_int_equal(db_execute(other, "SELECT pg_advisory_xact_lock(1954047333, 0)"), 0);
	assert_int_equal(outbox_carry(db, 100, note, NULL, &count), 0);
	assert_int_equal(count, 0);
	db_rollback(other);
	db_close(other);
	assert_int_equal(outbox_carry(db, 100, note, NULL, &count), 0);
	assert_int_equal(count, 6);
}

static void a_cache_key_names_tenant_and_content(void **state)
{
	const uint8_t sha256[DIGEST_SIZE] = {0xAB, 0xCD};
	char key[JOB_CACHE_KEY_SIZE];

	(void)state;
	job_cache_key(12, sha256, key);
	assert_memory_equal(key, "file:12:abcd0000", 16);
	assert_string_equal(key + strlen("file:12:") + 64, ":results");
}

#define TEST(name) cmocka_unit_test_setup(name, clear)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_claim_tells_where_the_bytes_lie),
		TEST(what_is_claimed_is_not_claimed_again),
		TEST(a_row_that_somebody_else_is_claiming_is_passed_over),
		TEST(every_tenant_has_its_share_of_a_claim),
		TEST(what_a_tenant_has_already_counts_against_it),
		TEST(a_claim_goes_on_behind_the_last_tenant),
		TEST(jobs_wait_for_their_time_their_lane_and_their_version),
		TEST(a_long_queue_of_one_does_not_slow_down_another),
		TEST(a_result_goes_in_with_the_end_of_its_job),
		TEST(an_end_makes_an_event_for_each_file),
		TEST(a_stranger_to_the_lease_changes_nothing),
		TEST(writing_the_same_end_twice_is_harmless),
		TEST(a_retry_waits_and_is_counted),
		TEST(what_is_given_back_is_as_if_never_claimed),
		TEST(pages_without_text_go_on_in_the_other_lane),
		TEST(a_failure_is_kept_with_its_reason),
		TEST(a_batch_is_written_as_one),
		TEST(a_result_that_postgresql_refuses_changes_nothing),
		TEST(a_content_that_no_object_holds_is_forgotten),
		TEST(a_content_that_came_back_is_not_forgotten),
		TEST(any_object_with_the_content_will_do),
		TEST(the_files_of_a_content_are_found),
		TEST(an_expired_lease_is_queued_again_and_the_old_holder_is_shut_out),
		TEST(jobs_of_a_daemon_that_died_do_not_wait_for_their_lease),
		TEST(what_was_begun_too_often_without_an_end_fails),
		TEST(events_are_carried_in_order_and_removed),
		TEST(what_could_not_be_delivered_stays),
		TEST(one_carrier_at_a_time),
		TEST(a_cache_key_names_tenant_and_content),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
