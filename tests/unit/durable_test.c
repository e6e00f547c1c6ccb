/*
 * fusefs/durable.h end to end with PostgreSQL and a store, without a tree: what was answered survives kill -9 at any
 * moment, PostgreSQL going away, and reaches the database exactly once.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "fusefs/durable.h"
#include "shared/base/cleanup.h"
#include "shared/base/clock.h"
#include "shared/base/fault.h"
#include "shared/base/log.h"
#include "shared/config/config.h"
#include "shared/meta/apply.h"
#include "shared/meta/lease.h"
#include "shared/meta/tenants.h"
#include "shared/store/journal.h"
#include "shared/store/store.h"
#include "tests/unit/support/database.h"
#include "tests/unit/support/samples.h"
#include "tests/unit/support/services.h"

enum { ROOT = 100, FREE_MS = 10000 };

static char base[300];
static int bases;
static struct config *config;
static struct store *store;
static struct durable *durable;
static struct tenant_row row;
static struct durable_tenant *tenant;
static struct durable_start started;

/* --- what durable tells --- */

static struct {
	pthread_mutex_t lock;
	uint64_t committed;
	int read_only, equal;
	char reason[200], channel[64], payload[64];
	int notified, reconnected;
} heard = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void on_committed(void *context, uint64_t position)
{
	pthread_mutex_lock(&heard.lock);
	if (context == &row) {
		assert_true(position > heard.committed);
		heard.committed = position;
	}
	pthread_mutex_unlock(&heard.lock);
}

static void on_read_only(void *context, const char *reason)
{
	(void)context;
	pthread_mutex_lock(&heard.lock);
	heard.read_only++;
	snprintf(heard.reason, sizeof(heard.reason), "%s", reason);
	pthread_mutex_unlock(&heard.lock);
}

static void on_equal(void *context, const struct apply_equal *equal)
{
	(void)context;
	pthread_mutex_lock(&heard.lock);
	heard.equal += equal->count;
	pthread_mutex_unlock(&heard.lock);
}

static void on_notified(void *context, const char *channel, const char *payload)
{
	(void)context;
	pthread_mutex_lock(&heard.lock);
	if (strcmp(channel, "reconnected") == 0) {
		heard.reconnected++;
	} else if (strcmp(channel, "tenantfs_commit") != 0) {
		heard.notified++;
		snprintf(heard.channel, sizeof(heard.channel), "%s", channel);
		snprintf(heard.payload, sizeof(heard.payload), "%s", payload);
	}
	pthread_mutex_unlock(&heard.lock);
}

static const struct durable_events events = {
	.committed = on_committed, .read_only = on_read_only, .equal = on_equal, .notified = on_notified};

/* Waits until it is true, ten seconds at most. */
#define assert_soon(condition)                                                                                         \
	do {                                                                                                           \
		bool is_true_ = false;                                                                                 \
		for (int tries_ = 0; tries_ < 2000 && !is_true_; tries_++) {                                           \
			pthread_mutex_lock(&heard.lock);                                                               \
			is_true_ = (condition);                                                                        \
			pthread_mutex_unlock(&heard.lock);                                                             \
			if (!is_true_)                                                                                 \
				usleep(5000);                                                                          \
		}                                                                                                      \
		assert_true(is_true_);                                                                                 \
	} while (0)

/* --- setting up --- */

static void set(const char *name, const char *value)
{
	char error[256];

	if (config_set(config, name, value, "test", error, sizeof(error)) < 0)
		fail_msg("%s", error);
}

static int start_services(void **state)
{
	(void)state;
	if (services_start("postgres") < 0)
		return -1;
	return database_migrate();
}

static int stop_services(void **state)
{
	(void)state;
	database_close();
	return services_stop();
}

static int open_durable(void)
{
	int r = store_local_open(base, false, &store);

	if (r == 0)
		r = durable_new(config, store, &events, NULL, &durable);
	return r;
}

static void close_durable(void)
{
	durable_free(durable, FREE_MS);
	store_close(store);
	durable = NULL;
	store = NULL;
}

static int acquire(void)
{
	heard.committed = 0;
	free(started.spools);
	started = (struct durable_start){0};
	return durable_acquire(durable, &row, &row, 5000, &tenant, &started);
}

static void new_tenant(struct tenant_row *ret_row)
{
	static int number;

	*ret_row = (struct tenant_row){0};
	snprintf(ret_row->code, sizeof(ret_row->code), "durable%d", ++number);
	ret_row->tenant_id = database_tenant(ret_row->code);
}

/* A folder, a tenant and settings; durable is opened by whoever needs it in this process. */
static int prepare(void **state)
{
	(void)state;
	snprintf(base, sizeof(base), "%s/durable%d", services_folder(), ++bases);
	if (mkdir(base, 0700) < 0)
		return -1;
	config = config_new();
	set("DATABASE_URL", services_database_url());
	set("STORAGE_BASE_PATH", base);
	set("SYNC_INTERVAL", "200ms");
	set("JOURNAL_SIZE", "4M"); /* the least it takes: limits are met */
	memset(&heard.committed, 0, sizeof(heard) - offsetof(__typeof__(heard), committed));
	new_tenant(&row);
	return 0;
}

static int finish(void **state)
{
	(void)state;
	if (durable)
		close_durable();
	config_free(config);
	free(started.spools);
	started = (struct durable_start){0};
	return 0;
}

static int prepare_and_open(void **state)
{
	if (prepare(state) < 0)
		return -1;
	return open_durable() < 0 || acquire() < 0 ? -1 : 0;
}

/* --- appending --- */

static int append_to(struct durable_tenant *to, const struct buf *record, uint64_t *ret_position)
{
	static pthread_mutex_t tree_lock = PTHREAD_MUTEX_INITIALIZER;
	int r;

	pthread_mutex_lock(&tree_lock);
	r = durable_append(to, record, false, ret_position);
	pthread_mutex_unlock(&tree_lock);
	return r;
}

static int append_file(struct durable_tenant *to, int64_t number, uint64_t *ret_position)
{
	struct buf record = BUF_INIT(RECORD_MAX_BYTES);
	char name[32];
	int r;

	snprintf(name, sizeof(name), "f%" PRId64, number);
	sample_file(&record, 1000 + number, ROOT, name, number);
	r = append_to(to, &record, ret_position);
	buf_release(&record);
	return r;
}

struct waited {
	atomic_int calls, error;
};

static void on_done(void *context, int error)
{
	struct waited *waited = context;

	atomic_store(&waited->error, error);
	atomic_fetch_add(&waited->calls, 1);
}

static int64_t in_ms(int64_t ms)
{
	return clock_monotonic_ns() + ms * NS_PER_MS;
}

static void wait_committed(uint64_t position)
{
	struct waited waited = {0};

	durable_when_committed(tenant, position, in_ms(FREE_MS), on_done, &waited);
	assert_soon(atomic_load(&waited.calls) == 1);
	assert_int_equal(atomic_load(&waited.error), 0);
}

static int64_t rows(const char *table)
{
	return database_count("SELECT count(*) FROM %s WHERE tenant_id = %" PRId64, table, row.tenant_id);
}

/* --- tests: a calm day --- */

static void what_is_appended_is_committed_at_once_and_told(void **state)
{
	uint64_t position = 0;

	(void)state;
	assert_int_equal(started.used_bytes, 0);
	assert_int_equal(started.next_sequence, 1);
	for (int64_t i = 1; i <= 500; i++) {
		assert_int_equal(append_file(tenant, i, &position), 0);
		assert_true(durable_is_held(tenant));
	}
	wait_committed(position);
	assert_int_equal(durable_committed_position(tenant), position);
	assert_soon(heard.committed == position);
	assert_int_equal(rows("entry"), 500);
	assert_int_equal(rows("outbox"), 500);
	assert_int_equal(durable_sync(tenant), 0);
	/* The next holder goes on from where this one was. */
	close_durable();
	assert_int_equal(open_durable(), 0);
	assert_int_equal(acquire(), 0);
	assert_int_equal(started.used_bytes, 500 * 10240);
	assert_int_equal(started.file_count, 500);
	assert_int_equal(started.next_sequence, 501);
	assert_int_equal(started.next_object_id, 1501);
}

static void a_single_change_is_in_the_database_within_milliseconds(void **state)
{
	int64_t sum_ns = 0;
	uint64_t position;

	(void)state;
	for (int64_t i = 1; i <= 20; i++) {
		int64_t begin_ns;

		usleep(20000);
		begin_ns = clock_monotonic_ns();
		assert_int_equal(append_file(tenant, i, &position), 0);
		while (durable_committed_position(tenant) < position)
			usleep(200);
		sum_ns += clock_monotonic_ns() - begin_ns;
	}
	assert_true(sum_ns / 20 < 50 * NS_PER_MS);
}

static void removed_objects_leave_the_store_after_the_commit(void **state)
{
	struct buf record = BUF_INIT(RECORD_MAX_BYTES);
	struct spool spool;
	struct stat stat;
	uint64_t position;

	(void)state;
	assert_int_equal(spool_create(store, &spool), 0);
	assert_int_equal(spool_publish(store, &spool, row.code, "2026-11/o1001.pdf"), 0);
	close(spool.fd);
	assert_int_equal(append_file(tenant, 1, &position), 0);
	wait_committed(position);
	assert_int_equal(store_stat(store, row.code, "2026-11/o1001.pdf", &stat), 0);
	sample_unlink(&record, 1001, ROOT, "f1");
	assert_int_equal(append_to(tenant, &record, &position), 0);
	buf_release(&record);
	wait_committed(position);
	assert_soon(store_stat(store, row.code, "2026-11/o1001.pdf", &stat) == -ENOENT);
}

static void inode_numbers_are_never_given_twice(void **state)
{
	int64_t last = 0, number;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		while (durable_inode(durable, &number) == -EAGAIN)
			usleep(1000);
		assert_true(number > last);
		last = number;
	}
	close_durable();
	assert_int_equal(open_durable(), 0);
	assert_int_equal(durable_inode(durable, &number), 0);
	assert_true(number > last);
}

static void notifications_arrive_and_a_lost_connection_is_told(void **state)
{
	(void)state;
	usleep(300000);
	database_do("SELECT pg_notify('tenantfs_touch', '4711')");
	assert_soon(heard.notified > 0 && strcmp(heard.channel, "tenantfs_touch") == 0 &&
		    strcmp(heard.payload, "4711") == 0);
	database_do(
		"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'fusefs listener'");
	assert_soon(heard.reconnected == 1);
	database_do("SELECT pg_notify('tenantfs_request', 'again')");
	assert_soon(strcmp(heard.payload, "again") == 0);
}

static void what_was_unlinked_while_open_is_swept_and_given_back(void **state)
{
	struct buf record = BUF_INIT(RECORD_MAX_BYTES);
	struct change change = {.kind = CHANGE_ATTRIBUTE_PUT};
	uint64_t position;

	(void)state;
	for (int64_t i = 1; i <= 3; i++)
		assert_int_equal(append_file(tenant, i, &position), 0);
	change.attribute = (struct attribute_row){.inode = 1002, .name = {"user.ab", 7}, .value = {"xyz", 3}};
	record_put(&record, &change);
	change = (struct change){.kind = CHANGE_USAGE};
	change.usage.used_bytes = 3 * 10240 + 10;
	change.usage.file_count = 3;
	record_put(&record, &change);
	change = (struct change){.kind = CHANGE_SPOOL};
	change.spool.inode = 1003;
	change.spool.size_bytes = 77;
	change.spool.spool_name = (struct bytes){"named", 5};
	record_put(&record, &change);
	assert_int_equal(append_to(tenant, &record, &position), 0);
	buf_release(&record);
	wait_committed(position);
	database_do("UPDATE node SET nlink = 0 WHERE tenant_id = %" PRId64 " AND inode = 1002", row.tenant_id);
	database_do("DELETE FROM entry WHERE tenant_id = %" PRId64 " AND inode = 1002", row.tenant_id);
	close_durable();
	assert_int_equal(open_durable(), 0);
	assert_int_equal(acquire(), 0);
	assert_int_equal(started.used_bytes, 2 * 10240);
	assert_int_equal(started.file_count, 2);
	assert_int_equal(started.spool_count, 1);
	assert_string_equal(started.spools[0].name, "named");
	assert_int_equal(started.spools[0].size_bytes, 77);
	assert_soon(rows("object") == 2 && rows("attribute") == 0);
	assert_int_equal(
		database_count("SELECT used_bytes FROM tenant_usage WHERE tenant_id = %" PRId64, row.tenant_id),
		2 * 10240);
}

static void spools_of_journals_that_nobody_replayed_are_wanted_too(void **state)
{
	char(*names)[DURABLE_SPOOL_NAME_SIZE];
	struct journal_options options = {0};
	struct buf record = BUF_INIT(RECORD_MAX_BYTES);
	struct change change = {.kind = CHANGE_SPOOL};
	struct journal *journal;
	uint64_t position;
	int count, found = 0;

	(void)state;
	change.spool.inode = 5;
	change.spool.spool_name = (struct bytes){"elsewhere", 9};
	record_put(&record, &change);
	assert_int_equal(journal_open(store_journal_dir(store), 999999, 1, &options, &journal), 0);
	assert_int_equal(journal_append(journal, &record, 0, &position), 0);
	journal_close(journal);
	buf_reset(&record);
	change.spool.spool_name = (struct bytes){"committed", 9};
	record_put(&record, &change);
	assert_int_equal(append_to(tenant, &record, &position), 0);
	wait_committed(position);
	assert_int_equal(durable_spools_wanted(durable, &names, &count), 0);
	for (int i = 0; i < count; i++)
		found += strcmp(names[i], "elsewhere") == 0 || strcmp(names[i], "committed") == 0;
	assert_true(found >= 2);
	free(names);
	buf_release(&record);
}

static void a_lease_given_back_is_free_and_leaves_no_journal(void **state)
{
	char name[64];
	struct stat stat;
	uint64_t position;

	(void)state;
	assert_int_equal(append_file(tenant, 1, &position), 0);
	snprintf(name, sizeof(name), "%" PRId64 ".%" PRId64, row.tenant_id, started.epoch);
	assert_int_equal(fstatat(store_journal_dir(store), name, &stat, 0), 0);
	assert_int_equal(durable_give_back(tenant, FREE_MS), 0);
	assert_int_equal(fstatat(store_journal_dir(store), name, &stat, 0), -1);
	assert_string_equal(database_ask("SELECT holder FROM tenant_lease WHERE tenant_id = %" PRId64, row.tenant_id),
			    "");
	assert_int_equal(append_file(tenant, 2, &position), -EROFS);
	assert_false(durable_is_held(tenant));
	assert_int_equal(rows("entry"), 1);
	assert_int_equal(acquire(), 0);
	assert_int_equal(append_file(tenant, 2, &position), 0);
	wait_committed(position);
}

static void a_second_mount_on_the_folder_is_refused(void **state)
{
	struct durable *second;

	(void)state;
	assert_int_equal(durable_new(config, store, &events, NULL, &second), -EBUSY);
}

static void a_removed_tenant_takes_its_journal_along(void **state)
{
	char name[64];
	struct stat stat;
	uint64_t position;

	(void)state;
	for (int64_t i = 1; i <= 10; i++)
		assert_int_equal(append_file(tenant, i, &position), 0);
	assert_int_equal(durable_remove(tenant), -EPERM);
	database_do("UPDATE tenant SET delete_requested_at = now() WHERE tenant_id = %" PRId64, row.tenant_id);
	assert_int_equal(durable_remove(tenant), 0);
	assert_int_equal(rows("tenant"), 0);
	assert_int_equal(rows("node"), 0);
	snprintf(name, sizeof(name), "%" PRId64 ".kept", row.tenant_id);
	assert_int_equal(fstatat(store_journal_dir(store), name, &stat, 0), -1);
	assert_int_equal(append_file(tenant, 11, &position), -EROFS);
}

static void the_mark_of_the_periodic_sync_moves(void **state)
{
	uint64_t position;

	(void)state;
	database_do("UPDATE tenant_lease SET synced_position = 0 WHERE tenant_id = %" PRId64, row.tenant_id);
	close_durable();
	set("LEASE_DURATION", "1s");
	assert_int_equal(open_durable(), 0);
	assert_int_equal(acquire(), 0);
	assert_int_equal(append_file(tenant, 1, &position), 0);
	assert_soon(database_count("SELECT synced_position FROM tenant_lease WHERE tenant_id = %" PRId64,
				   row.tenant_id) == (int64_t)position);
	assert_true(strlen(database_ask("SELECT synced_boot_id FROM tenant_lease WHERE tenant_id = %" PRId64,
					row.tenant_id)) > 0);
}

/* --- tests: others --- */

static void a_lease_that_was_broken_makes_the_tenant_read_only(void **state)
{
	char holder[LEASE_HOLDER_SIZE];
	struct waited waited = {0};
	uint64_t position;
	struct db *db;

	(void)state;
	assert_int_equal(append_file(tenant, 1, &position), 0);
	wait_committed(position);
	assert_int_equal(db_open(services_database_url(), "breaker", 5000, &db), 0);
	assert_int_equal(lease_break(db, row.tenant_id, holder), 0);
	db_close(db);
	assert_int_equal(append_file(tenant, 2, &position), 0);
	durable_when_committed(tenant, position, in_ms(FREE_MS), on_done, &waited);
	assert_soon(heard.read_only == 1);
	assert_string_equal(heard.reason, "the lease was lost");
	assert_soon(atomic_load(&waited.calls) == 1);
	assert_int_equal(atomic_load(&waited.error), -EIO);
	assert_false(durable_is_held(tenant));
	assert_int_equal(append_file(tenant, 3, &position), -EROFS);
	assert_int_equal(rows("entry"), 1);
	assert_int_equal(durable_give_back(tenant, 1000), -EIO);
}

static void a_record_that_is_refused_stops_its_tenant_and_no_other(void **state)
{
	struct buf record = BUF_INIT(RECORD_MAX_BYTES);
	struct change change = {.kind = CHANGE_EVENT};
	struct tenant_row other_row;
	struct durable_tenant *other;
	struct durable_start other_start;
	uint64_t position, other_position;

	(void)state;
	new_tenant(&other_row);
	assert_int_equal(durable_acquire(durable, &other_row, &other_row, 0, &other, &other_start), 0);
	for (int64_t i = 1; i <= 20; i++)
		assert_int_equal(append_file(tenant, i, &position), 0);
	change.event.kind = (struct bytes){"x", 1};
	change.event.payload = (struct bytes){"no json", 7};
	record_put(&record, &change);
	assert_int_equal(append_to(tenant, &record, &position), 0);
	append_file(tenant, 21, &position);
	assert_soon(heard.read_only == 1);
	assert_string_equal(heard.reason, "PostgreSQL refuses a record");
	assert_int_equal(rows("entry"), 20);
	for (int64_t i = 1; i <= 20; i++)
		assert_int_equal(append_file(other, i, &other_position), 0);
	assert_soon(durable_committed_position(other) == other_position);
	assert_int_equal(append_file(tenant, 22, &position), -EROFS);
	free(other_start.spools);
	buf_release(&record);
	/* The journal is kept, and what lies behind the record is never applied. */
	close_durable();
	assert_int_equal(open_durable(), 0);
	assert_int_equal(acquire(), -EINVAL);
	assert_int_equal(rows("entry"), 20);
}

/* --- tests: PostgreSQL goes away --- */

struct writer {
	pthread_t thread;
	struct durable_tenant *tenant;
	atomic_bool is_done;
	atomic_int error;
	int64_t files;
	uint64_t position;
};

static void *write_files(void *context)
{
	struct writer *writer = context;

	while (!atomic_load(&writer->is_done)) {
		int r = append_file(writer->tenant, writer->files + 1, &writer->position);

		if (r == -EAGAIN) {
			struct waited waited = {0};

			durable_when_room(writer->tenant, in_ms(FREE_MS), on_done, &waited);
			while (atomic_load(&waited.calls) == 0)
				usleep(1000);
			r = atomic_load(&waited.error);
		} else if (r == 0) {
			writer->files++;
		}
		if (r < 0)
			atomic_store(&writer->error, r);
		usleep(200);
	}
	return NULL;
}

static void start_writer(struct writer *writer)
{
	*writer = (struct writer){.tenant = tenant};
	assert_int_equal(pthread_create(&writer->thread, NULL, write_files, writer), 0);
}

static void stop_writer(struct writer *writer)
{
	atomic_store(&writer->is_done, true);
	pthread_join(writer->thread, NULL);
	assert_int_equal(atomic_load(&writer->error), 0);
	wait_committed(writer->position);
	assert_int_equal(rows("entry"), writer->files);
	assert_int_equal(rows("outbox"), writer->files);
	assert_int_equal(rows("object"), writer->files);
}

static void postgresql_stopped_and_started_under_load_loses_nothing(void **state)
{
	static const char *const ways[] = {"stop_postgres", "crash_postgres"};
	struct durable_stats stats;
	struct writer writer;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		start_writer(&writer);
		usleep(300000);
		assert_int_equal(services_do(ways[i]), 0);
		usleep(1500000);
		durable_stats(durable, &stats);
		assert_false(stats.is_connected);
		assert_true(stats.pending_records > 100 && stats.pending_bytes > 10000 &&
			    stats.lag_ns > (uint64_t)NS_PER_S);
		assert_true(durable_is_held(tenant));
		assert_int_equal(services_do("start_postgres"), 0);
		usleep(500000);
		stop_writer(&writer);
		durable_stats(durable, &stats);
		assert_true(stats.is_connected && stats.pending_records == 0 && stats.pending_bytes == 0 &&
			    stats.lag_ns == 0);
		assert_int_equal(heard.read_only, 0);
		close_durable();
		assert_int_equal(open_durable(), 0);
		new_tenant(&row);
		assert_int_equal(acquire(), 0);
	}
}

static void connections_cut_again_and_again_lose_nothing_and_repeat_nothing(void **state)
{
	struct writer writer;

	(void)state;
	start_writer(&writer);
	for (int i = 0; i < 25; i++) {
		usleep(40000);
		database_do("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE "
			    "'fusefs %%'");
	}
	stop_writer(&writer);
}

static void at_the_limit_callers_wait_for_the_committer_or_their_deadline(void **state)
{
	struct waited late = {0}, served = {0}, commit = {0};
	uint64_t position, last = 0;
	int64_t files = 0;
	int r;

	(void)state;
	assert_int_equal(services_do("stop_postgres"), 0);
	while ((r = append_file(tenant, files + 1, &position)) == 0) {
		files++;
		last = position;
	}
	assert_int_equal(r, -EAGAIN);
	assert_true(files > 2000);
	durable_when_room(tenant, in_ms(300), on_done, &late);
	durable_when_committed(tenant, last, in_ms(300), on_done, &commit);
	durable_when_room(tenant, in_ms(FREE_MS), on_done, &served);
	assert_int_equal(atomic_load(&late.calls), 0);
	assert_soon(atomic_load(&late.calls) == 1);
	assert_int_equal(atomic_load(&late.error), -EIO);
	assert_soon(atomic_load(&commit.calls) == 1);
	assert_int_equal(atomic_load(&commit.error), -EIO);
	assert_int_equal(atomic_load(&served.calls), 0);
	assert_int_equal(services_do("start_postgres"), 0);
	assert_soon(atomic_load(&served.calls) == 1);
	assert_int_equal(atomic_load(&served.error), 0);
	assert_int_equal(append_file(tenant, files + 1, &position), 0);
	wait_committed(position);
	assert_int_equal(rows("entry"), files + 1);
}

static void a_stop_while_postgresql_is_away_keeps_the_journal(void **state)
{
	uint64_t position;

	(void)state;
	assert_int_equal(append_file(tenant, 1, &position), 0);
	wait_committed(position);
	assert_int_equal(services_do("stop_postgres"), 0);
	for (int64_t i = 2; i <= 100; i++)
		assert_int_equal(append_file(tenant, i, &position), 0);
	durable_free(durable, 300);
	store_close(store);
	durable = NULL;
	assert_int_equal(services_do("start_postgres"), 0);
	assert_int_equal(rows("entry"), 1);
	assert_int_equal(open_durable(), 0);
	assert_int_equal(acquire(), 0);
	assert_int_equal(rows("entry"), 100);
	assert_int_equal(rows("outbox"), 100);
}

/* --- tests: kill -9 --- */

/* Shared with a child that is killed. */
struct progress {
	atomic_bool is_ready;
	_Atomic int64_t tried, answered;
};

static struct progress *share_progress(void)
{
	void *memory = mmap(NULL, sizeof(struct progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(memory != MAP_FAILED);
	return memory;
}

/* The child: a mount that appends until it is killed; file or random record `first`, first + 1 … */
static _Noreturn void append_until_killed(struct progress *progress, int64_t first, uint64_t seed)
{
	struct sample_space space = {.random = {seed}, .next_sequence = 1, .next_object = 1};
	struct buf record = BUF_INIT(RECORD_MAX_BYTES);
	uint64_t position;
	int r;

	if (open_durable() < 0 || acquire() < 0)
		_exit(1);
	atomic_store(&progress->is_ready, true);
	for (int64_t i = first;; i++) {
		char name[32];

		buf_reset(&record);
		if (seed) {
			sample_record(&space, &record);
		} else {
			snprintf(name, sizeof(name), "f%" PRId64, i);
			sample_file(&record, 1000 + i, ROOT, name, i);
		}
		atomic_store(&progress->tried, i);
		while ((r = append_to(tenant, &record, &position)) == -EAGAIN)
			usleep(1000);
		if (r == 0 && durable_is_held(tenant))
			atomic_store(&progress->answered, i);
		if (i % 64 == 0)
			usleep(1000);
		if (i % 500 == 499 && durable_sync(tenant) < 0)
			_exit(2);
	}
}

static pid_t start_child(struct progress *progress, int64_t first, uint64_t seed)
{
	pid_t child;

	fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		append_until_killed(progress, first, seed);
	}
	return child;
}

static void wait_ready(struct progress *progress)
{
	for (int i = 0; i < 4000 && !atomic_load(&progress->is_ready); i++)
		usleep(5000);
	assert_true(atomic_load(&progress->is_ready));
}

static void bury(pid_t child)
{
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* Everything answered is there, each once, and at most the one that was being answered besides. */
static int64_t check_files(const struct progress *progress)
{
	int64_t entries = rows("entry");

	assert_true(entries >= atomic_load(&progress->answered));
	assert_true(entries <= atomic_load(&progress->tried));
	assert_int_equal(rows("outbox"), entries);
	assert_int_equal(rows("object"), entries);
	assert_int_equal(database_count("SELECT max(substr(convert_from(name, 'UTF8'), 2)::bigint) FROM entry WHERE "
					"tenant_id = %" PRId64,
					row.tenant_id),
			 entries);
	assert_int_equal(started.file_count, entries);
	return entries;
}

static void after_kill_9_all_that_was_answered_is_there_once(void **state)
{
	struct progress *progress = share_progress();
	int64_t files = 0;

	(void)state;
	for (int round = 0; round < 8; round++) {
		pid_t child;
		int64_t begin_ns;

		atomic_store(&progress->is_ready, false);
		child = start_child(progress, files + 1, 0);
		wait_ready(progress);
		usleep((useconds_t)(20000 + round * 97000));
		kill(child, SIGKILL);
		bury(child);
		begin_ns = clock_monotonic_ns();
		assert_int_equal(open_durable(), 0);
		assert_int_equal(acquire(), 0);
		/* No waiting for the lease: the lock on the folder says that its holder is dead. */
		assert_true(clock_monotonic_ns() - begin_ns < 5 * NS_PER_S);
		assert_true(atomic_load(&progress->answered) > files);
		files = check_files(progress);
		close_durable();
	}
	munmap(progress, sizeof(*progress));
}

/* Applies the first count records of the seed's sequence, one by one. */
static void apply_directly(struct db *db, int64_t tenant_id, struct sample_space *space, const struct lease *lease,
			   int64_t from, int64_t count)
{
	struct buf record = BUF_INIT(RECORD_MAX_BYTES);

	for (int64_t i = from; i < count; i++) {
		struct apply_removed removed = {0};
		struct apply_equal equal = {0};
		struct apply_record one;

		buf_reset(&record);
		sample_record(space, &record);
		one = (struct apply_record){record.data, record.length, (uint64_t)(i + 1) * 8};
		assert_int_equal(apply_batch(db, tenant_id, lease->epoch, lease->epoch, &one, 1, 1, &removed, &equal),
				 0);
		apply_removed_release(&removed);
		apply_equal_release(&equal);
	}
	buf_release(&record);
}

static void random_records_through_journal_kill_and_replay_give_what_applying_them_gives(void **state)
{
	struct lease_holder holder = {.name = "direct", .boot_id = "x", .base_id = "x", .lock_fd = -1};
	struct progress *progress = share_progress();
	struct db *db;

	(void)state;
	assert_int_equal(db_open(services_database_url(), "direct", 5000, &db), 0);
	for (uint64_t seed = 1; seed <= 4; seed++) {
		struct sample_space space = {.random = {seed}, .next_sequence = 1, .next_object = 1};
		autofree char *replayed = NULL;
		char *direct;
		struct tenant_row other;
		struct lease lease;
		pid_t child;

		new_tenant(&row);
		memset(progress, 0, sizeof(*progress));
		child = start_child(progress, 1, seed);
		wait_ready(progress);
		usleep((useconds_t)(30000 * seed));
		kill(child, SIGKILL);
		bury(child);
		assert_int_equal(open_durable(), 0);
		assert_int_equal(acquire(), 0);
		close_durable();
		replayed = database_dump(row.tenant_id);
		new_tenant(&other);
		assert_int_equal(lease_take(db, other.tenant_id, &holder, 600000, &lease), 0);
		apply_directly(db, other.tenant_id, &space, &lease, 0, atomic_load(&progress->answered));
		direct = database_dump(other.tenant_id);
		/* The one whose answer the kill may have cut off. */
		if (strcmp(direct, replayed) != 0 && atomic_load(&progress->tried) > atomic_load(&progress->answered)) {
			free(direct);
			apply_directly(db, other.tenant_id, &space, &lease, atomic_load(&progress->answered),
				       atomic_load(&progress->tried));
			direct = database_dump(other.tenant_id);
		}
		assert_string_equal(direct, replayed);
		assert_true(atomic_load(&progress->answered) > 100);
		free(direct);
	}
	db_close(db);
	munmap(progress, sizeof(*progress));
}

#if defined(TENANTFS_DEBUG) || defined(TENANTFS_FAULTS)
static bool is_dead_within(pid_t child, int seconds)
{
	for (int i = 0; i < seconds * 100; i++) {
		siginfo_t info = {0};

		if (waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == child) {
			bury(child);
			return true;
		}
		usleep(10000);
	}
	return false;
}

static void a_kill_at_any_named_point_loses_nothing(void **state)
{
	static const char *const points[] = {
		"journal_file_created:1",
		"journal_area_begun:1",
		"journal_append_before:300",
		"journal_append_after:300",
		"durable_append_before:200",
		"durable_append_after:200",
		"journal_sync_before:1",
		"journal_sync_after:1",
		"commit_before:3",
		"apply_before_commit:3",
		"apply_after_commit:3",
		"commit_done:3",
		"journal_keep_before:2",
		"journal_keep_copied:2",
		"journal_keep_after:2",
		"commit_kept:3",
		"lease_take_before:1",
		"lease_take_after:1",
		"acquire_taken:1",
		"acquire_replayed:1",
		"replay_batch_done:1",
		"replay_before_retire:1",
		"keeper_synced:1",
		"journal_area_begun:2",
		"lease_renew_before:2",
		"lease_renew_after:2",
		"journal_compact_before_rename:1",
		"journal_compact_after_rename:1",
	};
	struct progress *progress = share_progress();
	int64_t files = 0;

	(void)state;
	set("LEASE_DURATION", "1s");
	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		pid_t child;

		/* Before a point in the replay there must be something to replay. */
		if (strncmp(points[i], "replay", 6) == 0) {
			atomic_store(&progress->is_ready, false);
			child = start_child(progress, files + 1, 0);
			wait_ready(progress);
			usleep(30000);
			kill(child, SIGKILL);
			bury(child);
			files = atomic_load(&progress->tried);
		}
		atomic_store(&progress->is_ready, false);
		fault_set(points[i]);
		child = start_child(progress, files + 1, 0);
		fault_set(NULL);
		if (!is_dead_within(child, 60)) {
			kill(child, SIGKILL);
			fail_msg("%s was never passed", points[i]);
		}
		print_message("killed at %s: %" PRId64 " answered\n", points[i], atomic_load(&progress->answered));
		assert_int_equal(open_durable(), 0);
		assert_int_equal(acquire(), 0);
		files = check_files(progress);
		close_durable();
	}
	munmap(progress, sizeof(*progress));
}
#endif

int main(void)
{
#define OPEN(name)   cmocka_unit_test_setup_teardown(name, prepare_and_open, finish)
#define CLOSED(name) cmocka_unit_test_setup_teardown(name, prepare, finish)
	const struct CMUnitTest tests[] = {
		CLOSED(after_kill_9_all_that_was_answered_is_there_once),
		CLOSED(random_records_through_journal_kill_and_replay_give_what_applying_them_gives),
#if defined(TENANTFS_DEBUG) || defined(TENANTFS_FAULTS)
		CLOSED(a_kill_at_any_named_point_loses_nothing),
#endif
		OPEN(what_is_appended_is_committed_at_once_and_told),
		OPEN(a_single_change_is_in_the_database_within_milliseconds),
		OPEN(removed_objects_leave_the_store_after_the_commit),
		OPEN(inode_numbers_are_never_given_twice),
		OPEN(notifications_arrive_and_a_lost_connection_is_told),
		OPEN(what_was_unlinked_while_open_is_swept_and_given_back),
		OPEN(spools_of_journals_that_nobody_replayed_are_wanted_too),
		OPEN(a_lease_given_back_is_free_and_leaves_no_journal),
		OPEN(a_second_mount_on_the_folder_is_refused),
		OPEN(a_removed_tenant_takes_its_journal_along),
		OPEN(the_mark_of_the_periodic_sync_moves),
		OPEN(a_lease_that_was_broken_makes_the_tenant_read_only),
		OPEN(a_record_that_is_refused_stops_its_tenant_and_no_other),
		OPEN(postgresql_stopped_and_started_under_load_loses_nothing),
		OPEN(connections_cut_again_and_again_lose_nothing_and_repeat_nothing),
		OPEN(at_the_limit_callers_wait_for_the_committer_or_their_deadline),
		OPEN(a_stop_while_postgresql_is_away_keeps_the_journal),
	};

	log_init("durable_test", LOG_WARN_, 0);
	return cmocka_run_group_tests(tests, start_services, stop_services);
}
