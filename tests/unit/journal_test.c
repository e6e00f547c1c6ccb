/* shared/store/journal*: what was appended is read again, what is damaged is told from what was being written. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "shared/base/cleanup.h"
#include "shared/base/digest.h"
#include "shared/store/journal.h"
#include "shared/store/journal_base.h"
#include "shared/store/journal_format.h"
#include "tests/unit/support/samples.h"

enum { TENANT = 17, EPOCH = 3 };
static const struct journal_options small = {.limit_bytes = 0, .reserve_bytes = 4096};

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
	struct dirent *entry;
	DIR *dir;

	(void)state;
	close(dir_fd);
	umount2(folder, MNT_DETACH); /* one test mounts something there */
	dir = opendir(folder);
	while (dir && (entry = readdir(dir)) != NULL)
		unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
	return rmdir(folder);
}

/* --- a record that says its number, and what a scan saw --- */

static void make_record(struct buf *record, uint64_t number, size_t length)
{
	buf_reset(record);
	buf_append(record, &number, sizeof(number));
	while (record->length < length)
		buf_putc(record, (char)(number + record->length));
}

static uint64_t append(struct journal *journal, uint64_t number, size_t length)
{
	struct buf record = BUF_INIT(RECORD_MAX_BYTES);
	uint64_t position = 0;

	make_record(&record, number, length);
	assert_int_equal(journal_append(journal, &record, 0, &position), 0);
	buf_release(&record);
	return position;
}

static int try_append(struct journal *journal, uint64_t number, size_t length, int frees_space)
{
	struct buf record = BUF_INIT(RECORD_MAX_BYTES);
	uint64_t position = 0;
	int r;

	make_record(&record, number, length);
	r = journal_append(journal, &record, frees_space, &position);
	buf_release(&record);
	return r;
}

struct seen {
	uint64_t count, first, next; /* numbers must follow one another */
	uint64_t position;
	bool is_out_of_order;
};

static int see_kept(const void *record, size_t length, void *context)
{
	struct buf expected = BUF_INIT(RECORD_MAX_BYTES);
	struct seen *seen = context;
	uint64_t number;

	assert_true(length >= sizeof(number));
	memcpy(&number, record, sizeof(number));
	make_record(&expected, number, length);
	assert_memory_equal(record, expected.data, length);
	buf_release(&expected);
	if (seen->count++ == 0)
		seen->first = number;
	else if (number != seen->next)
		seen->is_out_of_order = true;
	seen->next = number + 1;
	return 0;
}

static int see(const void *record, size_t length, uint64_t position, void *context)
{
	((struct seen *)context)->position = position;
	return see_kept(record, length, context);
}

static struct seen scan(uint64_t from, int expected_error, uint64_t expected_torn_at)
{
	struct seen seen = {0};
	uint64_t torn_at;

	assert_int_equal(journal_scan(dir_fd, TENANT, EPOCH, from, see, &seen, &torn_at), expected_error);
	assert_int_equal(torn_at, expected_torn_at);
	assert_false(seen.is_out_of_order);
	return seen;
}

static struct seen scan_kept(int expected_error)
{
	struct seen seen = {0};

	assert_int_equal(journal_kept_scan(dir_fd, TENANT, see_kept, &seen), expected_error);
	return seen;
}

static struct journal *open_journal(const struct journal_options *options)
{
	struct journal *journal;

	assert_int_equal(journal_open(dir_fd, TENANT, EPOCH, options, &journal), 0);
	return journal;
}

/* --- the file, seen from outside --- */

static int open_file(int64_t epoch)
{
	char name[JOURNAL_NAME_SIZE];
	int fd;

	journal_name(name, TENANT, epoch);
	fd = openat(dir_fd, name, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void flip(uint64_t offset)
{
	autoclose int fd = open_file(EPOCH);
	char byte;

	assert_int_equal(pread(fd, &byte, 1, (off_t)offset), 1);
	byte ^= 0x10;
	assert_int_equal(pwrite(fd, &byte, 1, (off_t)offset), 1);
}

static uint64_t file_size(const char *name)
{
	struct stat stat;

	assert_int_equal(fstatat(dir_fd, name, &stat, 0), 0);
	return (uint64_t)stat.st_size;
}

/* As if the machine had been started again since. */
static void restart_machine(void)
{
	autoclose int fd = open_file(EPOCH);
	struct area_header header;

	assert_int_equal(pread(fd, &header, sizeof(header), 0), sizeof(header));
	header.boot_id[0] ^= 1;
	header.checksum = checksum_xxh3(&header, offsetof(struct area_header, checksum));
	assert_int_equal(pwrite(fd, &header, sizeof(header), 0), sizeof(header));
}

/* --- tests --- */

static void what_was_appended_is_read_in_order_from_any_position(void **state)
{
	struct journal *journal = open_journal(&small);
	uint64_t positions[101] = {0};

	(void)state;
	for (uint64_t i = 1; i <= 100; i++) {
		positions[i] = append(journal, i, 8 + i * 3);
		assert_true(positions[i] > positions[i - 1]);
		assert_int_equal(journal_position(journal), positions[i]);
	}
	for (uint64_t i = 0; i <= 100; i++) {
		struct seen seen = scan(positions[i], 0, UINT64_MAX);

		assert_int_equal(seen.count, 100 - i);
		assert_int_equal(seen.first, i < 100 ? i + 1 : 0);
		assert_int_equal(seen.position, i < 100 ? positions[100] : 0);
	}
	journal_close(journal);
}

static void no_file_is_made_before_the_first_append(void **state)
{
	struct journal *journal = open_journal(&small);
	int64_t *epochs;
	int count;

	(void)state;
	assert_int_equal(journal_sync(journal), 0);
	assert_int_equal(journal_committed(journal, 0), 0);
	assert_int_equal(journal_epochs(dir_fd, TENANT, &epochs, &count), 0);
	assert_int_equal(count, 0);
	free(epochs);
	journal_close(journal);
	assert_int_equal(journal_retire(dir_fd, TENANT, EPOCH), 0);
}

static void a_journal_opened_again_goes_on_behind_its_last_record(void **state)
{
	struct journal *journal = open_journal(&small);
	uint64_t position = 0;

	(void)state;
	for (uint64_t i = 1; i <= 10; i++)
		position = append(journal, i, 100);
	journal_close(journal);
	journal = open_journal(&small);
	assert_int_equal(journal_position(journal), position);
	for (uint64_t i = 11; i <= 20; i++)
		append(journal, i, 50);
	assert_int_equal(scan(0, 0, UINT64_MAX).count, 20);
	journal_close(journal);
}

static void a_torn_tail_ends_the_journal_and_is_written_over(void **state)
{
	struct journal *journal = open_journal(&small);
	uint64_t before = 0;

	(void)state;
	for (uint64_t i = 1; i <= 9; i++)
		before = append(journal, i, 100);
	append(journal, 10, 100);
	journal_close(journal);
	for (uint64_t cut = 1; cut < sizeof(struct frame_header) + 100; cut += 7) {
		autoclose int fd = open_file(EPOCH);
		autofree char *zeros = calloc(1, 200);

		/* What a write that was broken off left, then nothing. */
		assert_true(pwrite(fd, zeros, (size_t)(frame_bytes(100) - cut),
				   (off_t)(JOURNAL_HEADER_BYTES + before + cut)) > 0);
		assert_int_equal(scan(0, 0, before).count, 9);
		journal = open_journal(&small);
		assert_int_equal(journal_position(journal), before);
		append(journal, 10, 100);
		journal_close(journal);
		assert_int_equal(scan(0, 0, UINT64_MAX).count, 10);
	}
}

static void a_flipped_record_is_named_and_nothing_behind_it_is_read(void **state)
{
	struct journal *journal = open_journal(&small);
	uint64_t positions[21] = {0};

	(void)state;
	for (uint64_t i = 1; i <= 20; i++)
		positions[i] = append(journal, i, 100);
	for (uint64_t at = 0; at < sizeof(struct frame_header) + 100; at += 3) {
		flip(JOURNAL_HEADER_BYTES + positions[7] + at);
		assert_int_equal(scan(0, -EBADMSG, positions[7]).count, 7);
		/* Nobody asks for what was committed before. */
		assert_int_equal(scan(positions[8], 0, UINT64_MAX).count, 12);
		flip(JOURNAL_HEADER_BYTES + positions[7] + at);
	}
	assert_int_equal(scan(0, 0, UINT64_MAX).count, 20);
	flip(JOURNAL_HEADER_BYTES + positions[7]);
	journal_close(journal);
	assert_int_equal(journal_open(dir_fd, TENANT, EPOCH, &small, &journal), -EBADMSG);
	assert_int_equal(journal_retire(dir_fd, TENANT, EPOCH), -EBADMSG);
}

static void a_damaged_header_is_never_taken_for_an_empty_journal(void **state)
{
	struct journal *journal = open_journal(&small);
	struct seen seen = {0};
	uint64_t torn_at;

	(void)state;
	append(journal, 1, 100);
	journal_close(journal);
	flip(20);
	assert_int_equal(journal_scan(dir_fd, TENANT, EPOCH, 0, see, &seen, &torn_at), -EBADMSG);
	assert_int_equal(seen.count, 0);
}

static void after_a_power_loss_a_hole_ends_the_journal_unless_it_was_synced(void **state)
{
	struct journal *journal = open_journal(&small);
	uint64_t positions[31] = {0};

	(void)state;
	for (uint64_t i = 1; i <= 10; i++)
		positions[i] = append(journal, i, 100);
	assert_int_equal(journal_sync(journal), 0);
	for (uint64_t i = 11; i <= 30; i++)
		positions[i] = append(journal, i, 100);
	journal_close(journal);
	flip(JOURNAL_HEADER_BYTES + positions[15]);
	assert_int_equal(scan(0, -EBADMSG, positions[15]).count, 15);
	restart_machine();
	assert_int_equal(scan(0, 0, positions[15]).count, 15);
	flip(JOURNAL_HEADER_BYTES + positions[5]);
	assert_int_equal(scan(0, -EBADMSG, positions[5]).count, 5);
	flip(JOURNAL_HEADER_BYTES + positions[5]);
	/* Going on, with records of the same size: what lay behind the hole must not come back. */
	journal = open_journal(&small);
	assert_int_equal(journal_position(journal), positions[15]);
	append(journal, 16, 100);
	journal_close(journal);
	assert_int_equal(scan(0, 0, UINT64_MAX).count, 16);
}

static void at_the_limit_appends_wait_for_the_committer_and_never_for_all_of_it(void **state)
{
	struct journal *journal =
		open_journal(&(struct journal_options){.limit_bytes = 8 << 20, .reserve_bytes = 4096});
	uint64_t number = 0, positions[400];
	int refused = 0;

	(void)state;
	while (try_append(journal, number + 1, 60000, 0) == 0)
		positions[number++] = journal_position(journal);
	assert_in_range(number, 120, 140);
	assert_false(journal_has_room(journal));
	assert_int_equal(scan(0, 0, UINT64_MAX).count, number);
	/* Half of it committed is enough to go on. */
	assert_int_equal(journal_committed(journal, positions[number / 2]), 0);
	assert_true(journal_has_room(journal));
	assert_int_equal(scan(positions[number / 2], 0, UINT64_MAX).count, number - number / 2 - 1);
	for (uint64_t committed = number / 2; number < 390;) {
		if (try_append(journal, number + 1, 60000, 0) == 0) {
			positions[number++] = journal_position(journal);
			continue;
		}
		refused++;
		committed += 3;
		assert_int_equal(journal_committed(journal, positions[committed]), 0);
		assert_int_equal(scan(positions[committed], 0, UINT64_MAX).count, number - committed - 1);
		assert_int_equal(journal_pending_bytes(journal), journal_position(journal) - positions[committed]);
	}
	assert_true(refused > 10);
	assert_true(file_size("17.3") <= 8 << 20);
	assert_int_equal(journal_committed(journal, journal_position(journal)), 0);
	assert_int_equal(scan_kept(0).count, number);
	assert_false(scan_kept(0).is_out_of_order);
	journal_close(journal);
}

static void while_the_committer_keeps_up_the_file_stays_small(void **state)
{
	struct journal *journal =
		open_journal(&(struct journal_options){.limit_bytes = 64 << 20, .reserve_bytes = 65536});
	uint64_t position = 0;

	(void)state;
	for (uint64_t i = 1; i <= 4000; i++) {
		position = append(journal, i, 700);
		if (i % 50 == 0)
			assert_int_equal(journal_committed(journal, position), 0);
		if (i % 333 == 0)
			assert_int_equal(scan(position - 3 * frame_bytes(700), 0, UINT64_MAX).position, position);
	}
	assert_true(position > 2 << 20);
	assert_int_equal(file_size("17.3"), JOURNAL_FIRST_BYTES + JOURNAL_HEADER_BYTES);
	assert_int_equal(journal_committed(journal, position), 0);
	assert_int_equal(scan_kept(0).count, 4000);
	journal_close(journal);
}

static void the_committer_reads_what_was_appended_by_pieces(void **state)
{
	struct journal *journal =
		open_journal(&(struct journal_options){.limit_bytes = 16 << 20, .reserve_bytes = 4096});
	struct journal_chunk chunk = {0};
	uint64_t at = 0, number = 0, appended = 0, position;
	const void *record;
	size_t length;

	(void)state;
	while (appended < 3000) {
		for (int i = 0; i < 100; i++, appended++)
			append(journal, appended + 1, 8 + (appended * 37) % 9000);
		while (at < journal_position(journal)) {
			assert_int_equal(journal_read(journal, at, 2 << 20, &chunk), 0);
			while (journal_next(&chunk, &record, &length, &position)) {
				uint64_t got;

				memcpy(&got, record, sizeof(got));
				assert_int_equal(got, ++number);
				at = position;
			}
			assert_int_equal(journal_committed(journal, at), 0);
		}
	}
	assert_int_equal(number, appended);
	assert_int_equal(journal_read(journal, at, 2 << 20, &chunk), 0);
	assert_false(journal_next(&chunk, &record, &length, &position));
	journal_chunk_release(&chunk);
	journal_close(journal);
}

static void what_is_read_for_a_commit_is_checked(void **state)
{
	struct journal *journal = open_journal(&small);
	struct journal_chunk chunk = {0};

	(void)state;
	append(journal, 1, 100);
	append(journal, 2, 100);
	flip(JOURNAL_HEADER_BYTES + frame_bytes(100) + sizeof(struct frame_header) + 3);
	assert_int_equal(journal_read(journal, 0, 1 << 20, &chunk), -EBADMSG);
	assert_int_equal(chunk.length, 0);
	journal_chunk_release(&chunk);
	journal_close(journal);
}

static void a_journal_at_rest_has_no_descriptors_and_wakes_up(void **state)
{
	struct journal *journal = open_journal(&small);
	uint64_t position = append(journal, 1, 100);
	int before, after;

	(void)state;
	before = dup(dir_fd);
	close(before);
	assert_int_equal(journal_committed(journal, position), 0);
	assert_int_equal(journal_rest(journal), 0);
	after = dup(dir_fd);
	close(after);
	assert_true(after < before);
	position = append(journal, 2, 100);
	assert_int_equal(journal_rest(journal), 0); /* something is pending: it stays open */
	assert_int_equal(scan(0, 0, UINT64_MAX).count, 2);
	assert_int_equal(journal_committed(journal, position), 0);
	assert_int_equal(scan_kept(0).count, 2);
	journal_close(journal);
}

static void records_are_kept_once_over_epochs_and_crashes(void **state)
{
	struct journal_options options = small;
	uint64_t number = 0, position = 0;

	(void)state;
	for (int64_t epoch = 1; epoch <= 6; epoch++) {
		struct journal *journal;

		assert_int_equal(journal_open(dir_fd, TENANT, epoch, &options, &journal), 0);
		for (int i = 0; i < 10; i++) {
			position = append(journal, ++number, 64);
			/* Some epochs end in a crash with half of it copied, or none. */
			if (i == 5 && epoch % 3 != 0)
				assert_int_equal(journal_committed(journal, position), 0);
		}
		journal_close(journal);
		assert_int_equal(journal_retire(dir_fd, TENANT, epoch), 0);
		assert_int_equal(journal_retire(dir_fd, TENANT, epoch), 0);
	}
	assert_int_equal(scan_kept(0).count, 60);
	assert_false(scan_kept(0).is_out_of_order);
}

static void copying_twice_after_a_crash_is_seen_once(void **state)
{
	struct journal *journal = open_journal(&small);
	uint64_t position = 0, end;

	(void)state;
	for (uint64_t i = 1; i <= 10; i++)
		position = append(journal, i, 64);
	assert_int_equal(journal_committed(journal, position), 0);
	journal_close(journal);
	end = file_size("17.kept");
	{
		/* The hint is lost and half of the last record with it. */
		autoclose int fd = openat(dir_fd, "17.kept", O_RDWR);

		assert_int_equal(ftruncate(fd, (off_t)end - 40), 0);
	}
	assert_int_equal(scan_kept(-EBADMSG).count, 9);
	assert_int_equal(journal_retire(dir_fd, TENANT, EPOCH), 0);
	assert_int_equal(scan_kept(0).count, 10);
	assert_int_equal(file_size("17.kept"), end);
}

static void a_record_that_holds_a_frame_is_not_taken_for_two(void **state)
{
	struct buf record = BUF_INIT(RECORD_MAX_BYTES);
	struct frame_header forged;
	struct journal *journal = open_journal(&small);
	uint64_t position;

	(void)state;
	append(journal, 1, 64);
	make_record(&record, 2, 64);
	/* At its very place, right but for the salt that nobody outside knows. */
	frame_make(&forged, 0, EPOCH, frame_bytes(64) + sizeof(forged) + 64, 0, "12345678", 8);
	buf_append(&record, &forged, sizeof(forged));
	buf_append(&record, "12345678", 8);
	assert_int_equal(journal_append(journal, &record, 0, &position), 0);
	buf_release(&record);
	journal_close(journal);
	flip(JOURNAL_HEADER_BYTES + frame_bytes(64) + sizeof(forged) + 10);
	assert_int_equal(scan(0, 0, frame_bytes(64)).count, 1);
}

static void foreign_names_in_the_folder_are_no_epochs(void **state)
{
	static const char *const names[] = {"17.5",  "17.12", "17.kept", "17.",	    "17.x",
					    "17.-3", "017",   "18.1",	 "reserve", "17.5.x"};
	int64_t *epochs;
	int count;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		close(openat(dir_fd, names[i], O_CREAT | O_WRONLY, 0600));
	assert_int_equal(journal_epochs(dir_fd, TENANT, &epochs, &count), 0);
	assert_int_equal(count, 2);
	assert_int_equal(epochs[0], 5);
	assert_int_equal(epochs[1], 12);
	free(epochs);
	assert_int_equal(journal_remove_all(dir_fd, TENANT), 0);
	assert_int_equal(journal_epochs(dir_fd, TENANT, &epochs, &count), 0);
	assert_int_equal(count, 0);
	free(epochs);
}

/* --- a full disk --- */

static void fill_disk(void)
{
	autoclose int fd = openat(dir_fd, "filler", O_CREAT | O_WRONLY, 0600);
	char page[4096] = {1};

	for (off_t at = 0; pwrite(fd, page, sizeof(page), at) == (ssize_t)sizeof(page); at += (off_t)sizeof(page))
		;
}

static void a_full_disk_takes_what_frees_space_and_nothing_else(void **state)
{
	struct journal *journal;
	uint64_t ordinary = 0, freeing = 0, number = 0;

	(void)state;
	if (mount("tenantfs-test", folder, "tmpfs", MS_NOSUID, "size=8m") != 0)
		skip();
	close(dir_fd);
	dir_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(journal_reserve_fill(dir_fd, 1 << 20), 0);
	journal = open_journal(&(struct journal_options){.limit_bytes = 64 << 20, .reserve_bytes = 65536});
	append(journal, ++number, 1000);
	fill_disk();
	while (try_append(journal, number + 1, 1000, 0) == 0) {
		number++;
		ordinary++;
	}
	assert_int_equal(try_append(journal, number + 1, 1000, 0), -ENOSPC);
	/* The rest of what was preallocated, then the reserve file. */
	while (try_append(journal, number + 1, 1000, 1) == 0) {
		number++;
		freeing++;
	}
	assert_int_equal(try_append(journal, number + 1, 1000, 1), -ENOSPC);
	assert_in_range(ordinary, 800, 1000);
	assert_true(freeing > 60 + 900);
	assert_int_equal(scan(0, 0, UINT64_MAX).count, number);
	/* Emptied, all goes on. .kept needs room as well: what could not be copied is copied then. */
	assert_int_equal(journal_committed(journal, journal_position(journal)), -ENOSPC);
	assert_int_equal(unlinkat(dir_fd, "filler", 0), 0);
	assert_int_equal(journal_committed(journal, journal_position(journal)), 0);
	append(journal, ++number, 1000);
	assert_int_equal(journal_committed(journal, journal_position(journal)), 0);
	assert_int_equal(scan_kept(0).count, number);
	assert_int_equal(journal_reserve_fill(dir_fd, 1 << 20), 0);
	journal_close(journal);
}

/* --- random work, broken off anywhere, against a list --- */

static void random_appends_commits_and_crashes_lose_nothing(void **state)
{
	struct sample_random random = {99};
	struct journal_options options = {.limit_bytes = 0, .reserve_bytes = 0};
	struct journal *journal = open_journal(&options);
	uint64_t appended = 0, committed = 0, positions[6000] = {0};

	(void)state;
	for (int step = 0; step < 6000 && appended < 5990; step++) {
		uint64_t what = sample_below(&random, 100);

		if (what < 60) {
			if (try_append(journal, appended + 1, 8 + sample_below(&random, what < 1 ? 400000 : 2000), 0) ==
			    0)
				positions[++appended] = journal_position(journal);
		} else if (what < 90) {
			committed += sample_below(&random, appended - committed + 1);
			assert_int_equal(journal_committed(journal, positions[committed]), 0);
		} else if (what < 93) {
			assert_int_equal(journal_rest(journal), 0);
		} else if (what < 96) {
			journal_close(journal);
			journal = open_journal(&options);
			assert_int_equal(journal_position(journal), positions[appended]);
			assert_int_equal(journal_committed(journal, positions[committed]), 0);
		} else {
			struct seen seen = scan(positions[committed], 0, UINT64_MAX);

			assert_int_equal(seen.count, appended - committed);
			assert_true(seen.count == 0 || seen.first == committed + 1);
			seen = scan_kept(committed > 0 ? 0 : seen.count == appended ? -ENOENT : 0);
			assert_int_equal(seen.count, committed);
		}
	}
	assert_true(appended > 1000);
	journal_close(journal);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
	const struct CMUnitTest tests[] = {
		TEST(what_was_appended_is_read_in_order_from_any_position),
		TEST(no_file_is_made_before_the_first_append),
		TEST(a_journal_opened_again_goes_on_behind_its_last_record),
		TEST(a_torn_tail_ends_the_journal_and_is_written_over),
		TEST(a_flipped_record_is_named_and_nothing_behind_it_is_read),
		TEST(a_damaged_header_is_never_taken_for_an_empty_journal),
		TEST(after_a_power_loss_a_hole_ends_the_journal_unless_it_was_synced),
		TEST(at_the_limit_appends_wait_for_the_committer_and_never_for_all_of_it),
		TEST(while_the_committer_keeps_up_the_file_stays_small),
		TEST(the_committer_reads_what_was_appended_by_pieces),
		TEST(what_is_read_for_a_commit_is_checked),
		TEST(a_journal_at_rest_has_no_descriptors_and_wakes_up),
		TEST(records_are_kept_once_over_epochs_and_crashes),
		TEST(copying_twice_after_a_crash_is_seen_once),
		TEST(a_record_that_holds_a_frame_is_not_taken_for_two),
		TEST(foreign_names_in_the_folder_are_no_epochs),
		TEST(a_full_disk_takes_what_frees_space_and_nothing_else),
		TEST(random_appends_commits_and_crashes_lose_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
