/*
 * How fast answers become durable: records of new files (node, entry, object, job, event, counters) through
 *   journal  journal_append alone
 *   apply    apply_batch alone, in batches of --batch
 *
 * commit_bench MODE DATABASE_URL FOLDER [--files N] [--batch N]
 * Prints one line a figure; tests/bench/commit runs it against a PostgreSQL of its own.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "shared/db/migrate.h"
#include "shared/meta/apply.h"
#include "shared/meta/lease.h"
#include "shared/store/journal.h"
#include "tests/unit/support/samples.h"

struct bench {
	const char *database_url, *folder;
	int64_t files;
	int batch;
};

static void fail(const char *what, int error)
{
	char text[128];

	fprintf(stderr, "commit_bench: %s: %s\n", what, log_format_errno(text, error));
	exit(1);
}

static void need(const char *what, int r)
{
	if (r < 0)
		fail(what, r);
}

static double thread_cpu_s(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void make_file(struct buf *record, int64_t number)
{
	char name[32];

	snprintf(name, sizeof(name), "file-%08" PRId64 ".pdf", number);
	buf_reset(record);
	sample_file(record, 100000 + number, 100 + number / 1000, name, number + 1);
	need("record", buf_error(record));
}

static void report(const char *what, int64_t files, int64_t begin_ns, double cpu_s)
{
	double seconds = (double)(clock_monotonic_ns() - begin_ns) / 1e9;

	printf("%-28s %10.0f files/s %8.2f us each, %.2f us of them CPU of this thread\n", what, (double)files / seconds,
	       seconds * 1e6 / (double)files, cpu_s * 1e6 / (double)files);
}

static void bench_journal(const struct bench *bench)
{
	struct journal_options options = {.limit_bytes = UINT64_C(1) << 30, .reserve_bytes = 65536};
	struct buf record = BUF_INIT(RECORD_MAX_BYTES);
	int dir_fd = open(bench->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct journal *journal;
	uint64_t position;
	int64_t begin;
	double cpu;

	need("journal", journal_open(dir_fd, 1, 1, &options, &journal));
	make_file(&record, 0);
	begin = clock_monotonic_ns();
	cpu = thread_cpu_s();
	for (int64_t i = 0; i < bench->files; i++)
		need("append", journal_append(journal, &record, 0, &position));
	report("journal_append", bench->files, begin, thread_cpu_s() - cpu);
	begin = clock_monotonic_ns();
	cpu = thread_cpu_s();
	need("committed", journal_committed(journal, position));
	report("copy to .kept", bench->files, begin, thread_cpu_s() - cpu);
	begin = clock_monotonic_ns();
	cpu = thread_cpu_s();
	need("compact", journal_compact(journal, true));
	report("compaction (of one file)", bench->files, begin, thread_cpu_s() - cpu);
	begin = clock_monotonic_ns();
	for (int64_t i = 0; i < 100; i++) {
		need("append", journal_append(journal, &record, 0, &position));
		need("sync", journal_sync(journal));
	}
	report("journal_append + sync", 100, begin, 0);
	printf("%-28s %zu bytes\n", "a record", record.length);
	journal_close(journal);
	journal_remove_all(dir_fd, 1);
	close(dir_fd);
	buf_release(&record);
}

static int64_t make_tenant(struct db *db)
{
	int applied;

	need("migrate", migrate_apply(db, &applied));
	need("tenant", db_execute(db, "INSERT INTO tenant (code) VALUES ('bench') ON CONFLICT DO NOTHING"));
	return 1;
}

static void bench_apply(const struct bench *bench)
{
	struct lease_holder holder = {.name = "bench", .boot_id = "b", .base_id = "b", .lock_fd = -1};
	struct apply_record *records = calloc((size_t)bench->batch, sizeof(*records));
	struct buf *bytes = calloc((size_t)bench->batch, sizeof(*bytes));
	struct lease lease;
	struct db *db;
	int64_t tenant_id, begin, applying = 0;
	double cpu = 0;

	need("database", db_open(bench->database_url, "commit_bench", 5000, &db));
	tenant_id = make_tenant(db);
	need("session", apply_session(db));
	need("lease", lease_take(db, tenant_id, &holder, 600000, &lease));
	for (int i = 0; i < bench->batch; i++)
		bytes[i] = BUF_INIT(RECORD_MAX_BYTES);
	for (int64_t done = 0; done < bench->files; done += bench->batch) {
		struct apply_removed removed = {0};
		struct apply_equal equal = {0};
		double before;

		for (int i = 0; i < bench->batch; i++) {
			make_file(&bytes[i], done + i);
			records[i] = (struct apply_record){bytes[i].data, bytes[i].length, (uint64_t)(done + i + 1) * 8};
		}
		begin = clock_monotonic_ns();
		before = thread_cpu_s();
		need("apply", apply_batch(db, tenant_id, lease.epoch, lease.epoch, records, bench->batch, 1, &removed, &equal));
		cpu += thread_cpu_s() - before;
		applying += clock_monotonic_ns() - begin;
		apply_removed_release(&removed);
		apply_equal_release(&equal);
	}
	report("apply_batch", bench->files, clock_monotonic_ns() - applying, cpu);
	db_close(db);
}

int main(int argc, char **argv)
{
	struct bench bench = {.files = 100000, .batch = 1000};

	log_init("commit_bench", LOG_WARN_, 0);
	if (argc < 4) {
		fprintf(stderr, "usage: commit_bench journal|apply DATABASE_URL FOLDER [--files N] [--batch N]\n");
		return 2;
	}
	bench.database_url = argv[2];
	bench.folder = argv[3];
	for (int i = 4; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--files") == 0)
			bench.files = strtoll(argv[i + 1], NULL, 10);
		else if (strcmp(argv[i], "--batch") == 0)
			bench.batch = (int)strtol(argv[i + 1], NULL, 10);
	}
	if (strcmp(argv[1], "journal") == 0)
		bench_journal(&bench);
	else
		bench_apply(&bench);
	return 0;
}
