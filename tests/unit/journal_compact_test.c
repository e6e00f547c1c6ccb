/* Compaction of .kept: what a rebuild reads from it stays the same, and what is gone costs nothing. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "shared/base/cleanup.h"
#include "shared/store/journal.h"
#include "tests/unit/support/samples.h"

enum { TENANT = 17 };
static const struct journal_options options = {.limit_bytes = 8 << 20, .reserve_bytes = 4096};
static char folder[] = "/tmp/tenantfs-journal.XXXXXX";
static int dir_fd = -1;

static int make_folder(void **state)
{
	(void)state;
	memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
	if (!mkdtemp(folder))
		return -1;
	dir_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir_fd < 0;
}

static int remove_folder(void **state)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	(void)state;
	close(dir_fd);
	while (dir && (entry = readdir(dir)) != NULL)
		unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
	return rmdir(folder);
}

static uint64_t kept_bytes(void)
{
	struct stat stat;

	return fstatat(dir_fd, "17.kept", &stat, 0) == 0 ? (uint64_t)stat.st_size : 0;
}

/* --- a model: the last value of each key, as text --- */

struct model {
	struct {
		char key[300];
		struct buf value; /* the change, written again */
	} rows[4000];
	int count;
	struct buf history; /* rejections, in order */
	uint64_t changes;
};

static void model_remove(struct model *model, const char *prefix)
{
	for (int i = 0; i < model->count; i++) {
		if (strncmp(model->rows[i].key, prefix, strlen(prefix)) != 0)
			continue;
		buf_release(&model->rows[i].value);
		model->rows[i--] = model->rows[--model->count];
	}
}

static void model_put(struct model *model, const char *key, const struct change *change)
{
	model_remove(model, key);
	assert_true(model->count < 4000);
	snprintf(model->rows[model->count].key, sizeof(model->rows[0].key), "%s", key);
	model->rows[model->count].value = BUF_INIT(RECORD_MAX_BYTES);
	record_put(&model->rows[model->count++].value, change);
}

static void model_apply(struct model *model, const struct change *change)
{
	char key[300];

	model->changes++;
	switch (change->kind) {
	case CHANGE_NODE_PUT:
	case CHANGE_NODE_DELETE:
		snprintf(key, sizeof(key), "n%" PRId64 ";", change->node.inode);
		if (change->kind == CHANGE_NODE_PUT) {
			model_put(model, key, change);
			break;
		}
		model_remove(model, key);
		key[0] = 'a';
		model_remove(model, key);
		key[0] = 's';
		model_remove(model, key);
		break;
	case CHANGE_ENTRY_PUT:
	case CHANGE_ENTRY_DELETE:
		snprintf(key, sizeof(key), "e%" PRId64 ";%.*s;", change->entry.parent_inode,
			 (int)change->entry.name.length, change->entry.name.data);
		model_remove(model, key);
		if (change->kind == CHANGE_ENTRY_PUT)
			model_put(model, key, change);
		break;
	case CHANGE_OBJECT_PUT:
	case CHANGE_OBJECT_DELETE:
		snprintf(key, sizeof(key), "o%" PRId64 ";", change->object.object_id);
		model_remove(model, key);
		if (change->kind == CHANGE_OBJECT_PUT)
			model_put(model, key, change);
		break;
	case CHANGE_ATTRIBUTE_PUT:
	case CHANGE_ATTRIBUTE_DELETE:
		snprintf(key, sizeof(key), "a%" PRId64 ";%.*s;", change->attribute.inode,
			 (int)change->attribute.name.length, change->attribute.name.data);
		model_remove(model, key);
		if (change->kind == CHANGE_ATTRIBUTE_PUT)
			model_put(model, key, change);
		break;
	case CHANGE_SPOOL:
		snprintf(key, sizeof(key), "s%" PRId64 ";", change->spool.inode);
		model_remove(model, key);
		if (change->spool.spool_name.length > 0)
			model_put(model, key, change);
		break;
	case CHANGE_USAGE:
		model_put(model, "u", change);
		break;
	case CHANGE_REJECTION:
		record_put(&model->history, change);
		break;
	default:
		break;
	}
}

static int model_record(const void *record, size_t length, void *context)
{
	struct change change;
	size_t cursor = 0;
	int r;

	while ((r = record_next(record, length, &cursor, &change)) == 1)
		model_apply(context, &change);
	assert_int_equal(r, 0);
	return 0;
}

static struct model *model_new(void)
{
	struct model *model = calloc(1, sizeof(*model));

	model->history = BUF_INIT(64 << 20);
	return model;
}

static struct model *model_of_kept(void)
{
	struct model *model = model_new();

	assert_int_equal(journal_kept_scan(dir_fd, TENANT, model_record, model), 0);
	return model;
}

static void model_free(struct model *model)
{
	for (int i = 0; i < model->count; i++)
		buf_release(&model->rows[i].value);
	buf_release(&model->history);
	free(model);
}

static int compare_rows(const void *a, const void *b)
{
	return strcmp(a, b); /* the key comes first */
}

static void assert_models_equal(struct model *a, struct model *b)
{
	qsort(a->rows, (size_t)a->count, sizeof(a->rows[0]), compare_rows);
	qsort(b->rows, (size_t)b->count, sizeof(b->rows[0]), compare_rows);
	assert_int_equal(a->count, b->count);
	for (int i = 0; i < a->count; i++) {
		assert_string_equal(a->rows[i].key, b->rows[i].key);
		assert_int_equal(a->rows[i].value.length, b->rows[i].value.length);
		assert_memory_equal(a->rows[i].value.data, b->rows[i].value.data, a->rows[i].value.length);
	}
	assert_int_equal(a->history.length, b->history.length);
	if (a->history.length > 0)
		assert_memory_equal(a->history.data, b->history.data, a->history.length);
}

/* --- tests --- */

static uint64_t append_committed(struct journal *journal, const struct buf *record)
{
	uint64_t position;

	assert_int_equal(journal_append(journal, record, 0, &position), 0);
	if (position % 5 == 0)
		assert_int_equal(journal_committed(journal, position), 0);
	return position;
}

static void a_compacted_file_rebuilds_the_same_rows(void **state)
{
	struct sample_space space = {.random = {5}, .next_sequence = 1, .next_object = 1};
	struct buf record = BUF_INIT(RECORD_MAX_BYTES);
	struct model *model = model_new();
	int compactions = 0;

	(void)state;
	for (int64_t epoch = 1; epoch <= 4; epoch++) {
		struct journal *journal;

		assert_int_equal(journal_open(dir_fd, TENANT, epoch, &options, &journal), 0);
		for (int i = 0; i < 3000; i++) {
			buf_reset(&record);
			sample_record(&space, &record);
			model_record(record.data, record.length, model);
			append_committed(journal, &record);
			if (i % 500 == 499)
				compactions += journal_compact(journal, true);
		}
		assert_int_equal(journal_committed(journal, journal_position(journal)), 0);
		journal_close(journal);
		assert_int_equal(journal_retire(dir_fd, TENANT, epoch), 0);
		{
			struct model *kept = model_of_kept();

			assert_models_equal(model, kept);
			model_free(kept);
		}
	}
	assert_true(compactions >= 3);
	model_free(model);
	buf_release(&record);
}

static void what_is_gone_costs_nothing(void **state)
{
	struct buf record = BUF_INIT(RECORD_MAX_BYTES);
	struct journal *journal;
	uint64_t before;

	(void)state;
	assert_int_equal(journal_open(dir_fd, TENANT, 1, &options, &journal), 0);
	for (int64_t i = 1; i <= 2000; i++) {
		buf_reset(&record);
		sample_file(&record, 1000 + i, 100, "name", i);
		append_committed(journal, &record);
		buf_reset(&record);
		sample_unlink(&record, 1000 + i, 100, "name");
		append_committed(journal, &record);
	}
	assert_int_equal(journal_committed(journal, journal_position(journal)), 0);
	before = kept_bytes();
	assert_int_equal(journal_compact(journal, true), 1);
	assert_true(before > 500000);
	assert_true(kept_bytes() < 6000); /* a header, the folder, the counters */
	assert_int_equal(journal_compact(journal, true), 0);
	journal_close(journal);
	buf_release(&record);
}

/* Larger than what is compacted at once, so that it is dealt out to parts; while another thread goes on appending. */

struct writer {
	struct journal *journal;
	atomic_bool is_done;
	int64_t files;
	pthread_t thread;
};

static void *write_files(void *context)
{
	struct writer *writer = context;
	struct buf record = BUF_INIT(RECORD_MAX_BYTES);

	while (!atomic_load(&writer->is_done)) {
		char name[32];

		writer->files++;
		snprintf(name, sizeof(name), "f%" PRId64, writer->files);
		buf_reset(&record);
		sample_file(&record, 1000 + writer->files, 100, name, writer->files);
		append_committed(writer->journal, &record);
	}
	assert_int_equal(journal_committed(writer->journal, journal_position(writer->journal)), 0);
	buf_release(&record);
	return NULL;
}

struct census {
	uint64_t nodes, entries, objects;
	int64_t used_bytes;
	uint8_t seen[1000000];
};

static int count_record(const void *record, size_t length, void *context)
{
	struct census *census = context;
	struct change change;
	size_t cursor = 0;

	while (record_next(record, length, &cursor, &change) == 1) {
		census->nodes += change.kind == CHANGE_NODE_PUT && change.node.kind == 'f';
		census->objects += change.kind == CHANGE_OBJECT_PUT;
		if (change.kind == CHANGE_ENTRY_PUT) {
			census->entries++;
			assert_int_equal(census->seen[change.entry.sequence]++, 0);
		}
		if (change.kind == CHANGE_USAGE)
			census->used_bytes = change.usage.used_bytes;
	}
	return 0;
}

static void a_large_file_is_compacted_in_parts_while_it_grows(void **state)
{
	struct census *census = calloc(1, sizeof(*census));
	struct writer writer = {.files = 0};
	struct buf record = BUF_INIT(RECORD_MAX_BYTES);
	struct stat stat;

	(void)state;
	assert_int_equal(journal_open(dir_fd, TENANT, 1, &options, &writer.journal), 0);
	while (kept_bytes() < (72 << 20)) {
		char name[32];

		writer.files++;
		snprintf(name, sizeof(name), "f%" PRId64, writer.files);
		buf_reset(&record);
		sample_file(&record, 1000 + writer.files, 100, name, writer.files);
		append_committed(writer.journal, &record);
	}
	assert_int_equal(pthread_create(&writer.thread, NULL, write_files, &writer), 0);
	assert_int_equal(journal_compact(writer.journal, false), 1);
	atomic_store(&writer.is_done, true);
	pthread_join(writer.thread, NULL);
	assert_int_equal(journal_kept_scan(dir_fd, TENANT, count_record, census), 0);
	assert_int_equal(census->entries, writer.files);
	assert_int_equal(census->objects, writer.files);
	assert_int_equal(census->nodes, writer.files);
	assert_int_equal(census->used_bytes, writer.files * 10240);
	assert_int_equal(fstatat(dir_fd, "17.kept.new", &stat, 0), -1);
	assert_int_equal(fstatat(dir_fd, "17.kept.part", &stat, 0), -1);
	journal_close(writer.journal);
	buf_release(&record);
	free(census);
}

static void a_damaged_place_is_passed_over_and_the_file_set_aside(void **state)
{
	struct buf record = BUF_INIT(RECORD_MAX_BYTES);
	struct census *census = calloc(1, sizeof(*census));
	struct journal *journal;
	struct stat stat;

	(void)state;
	assert_int_equal(journal_open(dir_fd, TENANT, 1, &options, &journal), 0);
	for (int64_t i = 1; i <= 1000; i++) {
		char name[32];

		snprintf(name, sizeof(name), "f%" PRId64, i);
		buf_reset(&record);
		sample_file(&record, 1000 + i, 100, name, i);
		append_committed(journal, &record);
	}
	assert_int_equal(journal_committed(journal, journal_position(journal)), 0);
	{
		autoclose int fd = openat(dir_fd, "17.kept", O_WRONLY);

		assert_int_equal(pwrite(fd, "damage", 6, 100000), 6);
	}
	assert_int_equal(journal_kept_scan(dir_fd, TENANT, count_record, census), -EBADMSG);
	assert_int_equal(census->entries, 999);
	assert_int_equal(journal_compact(journal, true), 1);
	assert_int_equal(fstatat(dir_fd, "17.kept.damaged", &stat, 0), 0);
	memset(census, 0, sizeof(*census));
	assert_int_equal(journal_kept_scan(dir_fd, TENANT, count_record, census), 0);
	assert_int_equal(census->entries, 999);
	journal_close(journal);
	buf_release(&record);
	free(census);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
	const struct CMUnitTest tests[] = {
		TEST(a_compacted_file_rebuilds_the_same_rows),
		TEST(what_is_gone_costs_nothing),
		TEST(a_large_file_is_compacted_in_parts_while_it_grows),
		TEST(a_damaged_place_is_passed_over_and_the_file_set_aside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
