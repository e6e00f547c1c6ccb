/* shared/store/store_local*: what only a tree on disk can do or suffer. Some need root, to mount; they say so and are
 * skipped. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <linux/magic.h>
#include <unistd.h>
#include <cmocka.h>
#include "shared/base/cleanup.h"
#include "shared/store/store_local.h"
#include "tests/unit/support/stores.h"

#define TENANT "acme"
#define FIRST  "2026-11/fs_0000000000000000000001.txt"
#define SECOND "2026-11/fs_0000000000000000000002.txt"

static struct store_fixture *fixture_of(void **state)
{
	return *state;
}

static struct store *store_of(void **state)
{
	return fixture_of(state)->store;
}

/* Two at a time, for comparisons. */
static const char *path_below(void **state, const char *path)
{
	static char buffers[2][PATH_MAX];
	static unsigned next;
	char *buffer = buffers[next++ % 2];

	snprintf(buffer, PATH_MAX, "%s/%s", fixture_of(state)->base, path);
	return buffer;
}

static void reopen(void **state, bool is_read_only)
{
	store_close(store_of(state));
	fixture_of(state)->store = NULL;
	assert_int_equal(store_local_open(fixture_of(state)->base, is_read_only, &fixture_of(state)->store), 0);
}

/* --- opening --------------------------------------------------------------------------------------------------------
 */

static void only_its_owner_reads_the_folder(void **state)
{
	struct stat stat_;

	assert_int_equal(stat(fixture_of(state)->base, &stat_), 0);
	assert_int_equal(stat_.st_mode & 07777, 0700);
	assert_int_equal(chmod(fixture_of(state)->base, 0755), 0);
	reopen(state, false);
	assert_int_equal(stat(fixture_of(state)->base, &stat_), 0);
	assert_int_equal(stat_.st_mode & 07777, 0700);
}

static void a_folder_with_other_things_in_it_is_refused_until_it_is_adopted(void **state)
{
	struct store *store;
	char base[] = "/tmp/tenantfs-old.XXXXXX", path[64];

	(void)state;
	assert_non_null(mkdtemp(base));
	assert_int_equal(store_local_open(base, true, &store), -ENOENT);
	snprintf(path, sizeof(path), "%s/lost+found", base);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/acme", base);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(store_local_open(base, false, &store), -ENOTEMPTY);
	snprintf(path, sizeof(path), "%s/.tenantfs", base);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(store_local_adopt(base, &store), 0);
	publish_text(store, TENANT, FIRST, "new beside old");
	store_close(store);
	assert_int_equal(store_local_open(base, false, &store), 0);
	store_close(store);
	remove_tree(base);
}

static void a_fresh_file_system_is_empty_enough(void **state)
{
	struct store *store;
	char base[] = "/tmp/tenantfs-fresh.XXXXXX", path[64];

	(void)state;
	assert_non_null(mkdtemp(base));
	snprintf(path, sizeof(path), "%s/lost+found", base);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(store_local_open(base, false, &store), 0);
	store_close(store);
	remove_tree(base);
	assert_int_equal(store_local_open(base, false, &store), -ENOENT);
}

static void there_is_one_writer_and_any_number_of_readers(void **state)
{
	struct store *reader, *writer;
	struct spool spool;
	int fd;

	publish_text(store_of(state), TENANT, FIRST, "read me");
	assert_int_equal(store_local_open(fixture_of(state)->base, false, &writer), -EBUSY);
	assert_int_equal(store_local_open(fixture_of(state)->base, true, &reader), 0);
	assert_text(reader, TENANT, FIRST, "read me");
	assert_int_equal(spool_create(reader, &spool), -EROFS);
	assert_int_equal(store_open(reader, TENANT, FIRST, O_RDWR, &fd), -EROFS);
	assert_int_equal(store_remove(reader, TENANT, FIRST), -EROFS);
	assert_int_equal(store_share(reader, TENANT, FIRST, SECOND), -EROFS);
	assert_int_equal(store_remove_tenant(reader, TENANT), -EROFS);
	assert_int_equal(store_sweep(reader, NULL, NULL), -EROFS);
	store_close(reader);
}

static void the_lock_dies_with_its_process(void **state)
{
	struct store *store;
	const char *base = fixture_of(state)->base;
	int status;
	pid_t child;

	store_close(store_of(state));
	fixture_of(state)->store = NULL;
	child = fork();
	if (child == 0) {
		if (store_local_open(base, false, &store) < 0)
			_exit(1);
		raise(SIGKILL);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(store_local_open(base, false, &fixture_of(state)->store), 0);
}

static void a_reader_becomes_the_writer_once_the_other_is_gone(void **state)
{
	struct store *standby;

	assert_int_equal(store_local_open(fixture_of(state)->base, true, &standby), 0);
	assert_int_equal(store_local_become_writer(standby), -EBUSY);
	publish_text(store_of(state), TENANT, FIRST, "before");
	store_close(store_of(state));
	assert_int_equal(store_local_become_writer(standby), 0);
	assert_int_equal(store_local_become_writer(standby), 0);
	fixture_of(state)->store = standby;
	publish_text(standby, TENANT, SECOND, "after");
	assert_text(standby, TENANT, FIRST, "before");
	assert_true(store_abilities(standby)->has_hard_links);
}

static void a_later_format_is_left_alone(void **state)
{
	struct store *store;
	FILE *file;

	store_close(store_of(state));
	fixture_of(state)->store = NULL;
	file = fopen(path_below(state, ".tenantfs/format"), "w");
	assert_non_null(file);
	fprintf(file, "tenantfs 2\n");
	fclose(file);
	assert_int_equal(store_local_open(fixture_of(state)->base, false, &store), -EPROTONOSUPPORT);
	assert_int_equal(store_local_open(fixture_of(state)->base, true, &store), -EPROTONOSUPPORT);
	file = fopen(path_below(state, ".tenantfs/format"), "w");
	assert_non_null(file);
	fclose(file);
	assert_int_equal(store_local_open(fixture_of(state)->base, false, &store), -EBADMSG);
	/* Never written, because a crash came first: it is written now. */
	assert_int_equal(unlink(path_below(state, ".tenantfs/format")), 0);
	assert_int_equal(store_local_open(fixture_of(state)->base, false, &fixture_of(state)->store), 0);
	assert_int_equal(access(path_below(state, ".tenantfs/format"), R_OK), 0);
}

/* --- symbolic links -------------------------------------------------------------------------------------------------
 */

static void expect_no_way_through(struct store *store, int error)
{
	struct spool spool;
	struct stat stat_;
	int fd = -1, count = 0;

	make_spool(store, &spool, "inside");
	assert_int_equal(spool_publish(store, &spool, TENANT, SECOND), error);
	assert_int_equal(spool_clone(store, &spool, TENANT, FIRST, 1), error);
	spool_discard(store, &spool);
	assert_int_equal(store_open(store, TENANT, FIRST, O_RDONLY, &fd), error);
	assert_int_equal(store_stat(store, TENANT, FIRST, &stat_), error);
	assert_int_equal(store_remove(store, TENANT, FIRST), error);
	assert_int_equal(store_sync(store, TENANT, FIRST), error);
	assert_int_equal(store_share(store, TENANT, FIRST, SECOND), error);
	store_list(store, TENANT, visit_count, &count);
}

static void a_symbolic_link_as_the_tenants_folder_is_not_followed(void **state)
{
	char outside[] = "/tmp/tenantfs-outside.XXXXXX", path[128];
	int count = 0;

	assert_non_null(mkdtemp(outside));
	snprintf(path, sizeof(path), "%s/2026-11", outside);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/%s", outside, FIRST);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(symlink(outside, path_below(state, TENANT)), 0);
	expect_no_way_through(store_of(state), -ELOOP);
	assert_int_equal(store_list(store_of(state), TENANT, visit_count, &count), -ELOOP);
	assert_int_equal(count, 0);
	assert_int_equal(access(path, F_OK), 0);
	/* Removing the tenant removes the link and nothing behind it. */
	assert_int_equal(store_remove_tenant(store_of(state), TENANT), 0);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(access(path_below(state, TENANT), F_OK), -1);
	remove_tree(outside);
}

static void a_symbolic_link_as_a_month_is_not_followed(void **state)
{
	char outside[] = "/tmp/tenantfs-outside.XXXXXX", path[128];

	assert_non_null(mkdtemp(outside));
	snprintf(path, sizeof(path), "%s/%s", outside, FIRST + 8);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(mkdir(path_below(state, TENANT), 0700), 0);
	assert_int_equal(symlink(outside, path_below(state, TENANT "/2026-11")), 0);
	expect_no_way_through(store_of(state), -ELOOP);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(store_remove_tenant(store_of(state), TENANT), 0);
	assert_int_equal(access(path, F_OK), 0);
	remove_tree(outside);
}

static void a_symbolic_link_as_an_object_is_not_followed(void **state)
{
	struct store *store = store_of(state);
	struct spool spool;
	struct stat stat_;
	int fd;

	publish_text(store, TENANT, SECOND, "x");
	assert_int_equal(symlink("/etc/passwd", path_below(state, TENANT "/" FIRST)), 0);
	assert_int_equal(store_open(store, TENANT, FIRST, O_RDONLY, &fd), -ELOOP);
	assert_int_equal(store_stat(store, TENANT, FIRST, &stat_), 0);
	assert_true(S_ISLNK(stat_.st_mode));
	assert_int_equal(store_share(store, TENANT, FIRST, SECOND), -ELOOP);
	make_spool(store, &spool, "y");
	assert_int_equal(spool_publish(store, &spool, TENANT, FIRST), -EEXIST);
	spool_discard(store, &spool);
	assert_int_equal(store_remove(store, TENANT, FIRST), 0);
	assert_int_equal(access("/etc/passwd", F_OK), 0);
}

/* --- folders that come and go ---------------------------------------------------------------------------------------
 */

static void a_month_removed_behind_our_back_is_made_again(void **state)
{
	struct store *store = store_of(state);
	struct stat stat_;

	publish_text(store, TENANT, FIRST, "x");
	assert_int_equal(store_remove(store, TENANT, FIRST), 0);
	assert_int_equal(rmdir(path_below(state, TENANT "/2026-11")), 0);
	assert_int_equal(store_stat(store, TENANT, FIRST, &stat_), -ENOENT);
	publish_text(store, TENANT, FIRST, "again");
	assert_text(store, TENANT, FIRST, "again");
	assert_int_equal(store_remove(store, TENANT, FIRST), 0);
	assert_int_equal(rmdir(path_below(state, TENANT "/2026-11")), 0);
	assert_int_equal(rmdir(path_below(state, TENANT)), 0);
	publish_text(store, TENANT, FIRST, "and again");
	assert_text(store, TENANT, FIRST, "and again");
}

static int open_descriptors(void)
{
	int count = 0, fd = open("/proc/self/fd", O_RDONLY | O_DIRECTORY);

	assert_int_equal(folder_each(fd, visit_count, &count), 0);
	close(fd);
	return count;
}

static void any_number_of_months_takes_a_bounded_number_of_descriptors(void **state)
{
	int before = open_descriptors();

	for (unsigned i = 0; i < 3 * FOLDER_SLOTS; i++) {
		char path[48];

		snprintf(path, sizeof(path), "%04u-%02u/fs_x", 1900 + i / 12, i % 12 + 1);
		publish_text(store_of(state), TENANT, path, "x");
		assert_text(store_of(state), TENANT, path, "x");
	}
	assert_true(open_descriptors() <= before + FOLDER_SLOTS);
	assert_int_equal(store_remove_tenant(store_of(state), TENANT), 0);
	assert_int_equal(open_descriptors(), before);
}

static void a_tenant_with_foreign_things_in_it_goes_as_a_whole(void **state)
{
	publish_text(store_of(state), TENANT, FIRST, "x");
	assert_int_equal(mkdir(path_below(state, TENANT "/2026-11/deep"), 0700), 0);
	assert_int_equal(mkdir(path_below(state, TENANT "/2026-11/deep/er"), 0700), 0);
	close(open(path_below(state, TENANT "/2026-11/deep/er/file"), O_CREAT | O_WRONLY, 0400));
	close(open(path_below(state, TENANT "/stray"), O_CREAT | O_WRONLY, 0400));
	assert_int_equal(mkfifo(path_below(state, TENANT "/2026-11/fifo"), 0600), 0);
	assert_int_equal(store_remove_tenant(store_of(state), TENANT), 0);
	assert_int_equal(access(path_below(state, TENANT), F_OK), -1);
	assert_int_equal(rmdir(path_below(state, ".tenantfs/trash")), 0); /* it is empty */
}

/* --- leftovers ------------------------------------------------------------------------------------------------------
 */

static bool wants_the_name_in_context(const char *spool_name, void *context)
{
	return strcmp(spool_name, context) == 0;
}

static void a_sweep_takes_what_an_earlier_process_left_unless_it_is_wanted(void **state)
{
	struct store *store = store_of(state);
	struct spool wanted, unwanted, now;

	make_spool(store, &wanted, "in the journal");
	make_spool(store, &unwanted, "not in the journal");
	assert_int_equal(spool_name(store, &wanted), 0);
	assert_int_equal(spool_name(store, &unwanted), 0);
	assert_int_equal(store_sweep(store, NULL, NULL), 0); /* they are this process' */
	close(wanted.fd);
	close(unwanted.fd);
	close(open(path_below(state, ".tenantfs/spool/00000000-0000000000000001"), O_CREAT | O_WRONLY, 0600));
	assert_int_equal(mkdir(path_below(state, ".tenantfs/trash/gone.0000000000000001"), 0700), 0);
	close(open(path_below(state, ".tenantfs/trash/gone.0000000000000001/x"), O_CREAT | O_WRONLY, 0600));

	reopen(state, false);
	store = store_of(state);
	make_spool(store, &now, "being written");
	assert_int_equal(spool_name(store, &now), 0);
	assert_true(now.number > unwanted.number);
	assert_int_equal(store_sweep(store, wants_the_name_in_context, wanted.name), 1);
	assert_int_equal(count_spools(store), 3); /* another machine's too */
	assert_int_equal(spool_open_named(store, wanted.name, &wanted), 0);
	assert_spool(&wanted, "in the journal");
	spool_discard(store, &wanted);
	assert_int_equal(spool_open_named(store, unwanted.name, &unwanted), -ENOENT);
	assert_int_equal(rmdir(path_below(state, ".tenantfs/trash")), 0);
	spool_discard(store, &now);
}

static void numbers_grow_even_when_the_clock_goes_back(void **state)
{
	struct store_local *local = LOCAL(store_of(state));
	char name[SPOOL_NAME_SIZE];
	struct spool spool;

	spool_format_name(local, UINT64_MAX / 2, name);
	close(openat(local->spool_fd, name, O_CREAT | O_WRONLY, 0600));
	reopen(state, false);
	assert_int_equal(spool_create(store_of(state), &spool), 0);
	assert_true(spool.number > UINT64_MAX / 2);
	spool_discard(store_of(state), &spool);
}

/* --- links ----------------------------------------------------------------------------------------------------------
 */

static void a_full_object_is_told_and_nothing_changes(void **state)
{
	enum { TRIES = 70000 };
	struct store *store = store_of(state);
	struct statfs statfs_;
	char name[16];
	int month, i;

	assert_int_equal(statfs(fixture_of(state)->base, &statfs_), 0);
	if (statfs_.f_type != EXT4_SUPER_MAGIC) {
		print_message("only ext4 is known to have so low a limit of links (65,000)\n");
		skip();
	}
	publish_text(store, TENANT, FIRST, "shared by many");
	publish_text(store, TENANT, SECOND, "shared by many");
	month = open(path_below(state, TENANT "/2026-11"), O_RDONLY | O_DIRECTORY);
	for (i = 0; i < TRIES; i++) {
		snprintf(name, sizeof(name), "l%d", i);
		if (linkat(month, FIRST + 8, month, name, 0) < 0)
			break;
	}
	assert_int_equal(errno, EMLINK);
	assert_int_equal(i, 65000 - 1);
	assert_int_equal(store_share(store, TENANT, FIRST, SECOND), -EMLINK);
	assert_int_equal(count_spools(store), 0);
	assert_text(store, TENANT, SECOND, "shared by many");
	/* One name fewer, and there is room. */
	assert_int_equal(unlinkat(month, "l0", 0), 0);
	assert_int_equal(store_share(store, TENANT, FIRST, SECOND), 1);
	close(month);
	assert_int_equal(store_remove_tenant(store, TENANT), 0);
}

static void without_hard_links_nothing_is_shared_and_publishing_works(void **state)
{
	struct store *store = store_of(state);
	struct spool spool;

	LOCAL(store)->abilities.has_hard_links = false;
	publish_text(store, TENANT, FIRST, "same");
	publish_text(store, TENANT, SECOND, "same");
	assert_int_equal(store_share(store, TENANT, FIRST, SECOND), 0);
	make_spool(store, &spool, "other");
	assert_int_equal(spool_publish(store, &spool, TENANT, FIRST), -EEXIST);
	spool_discard(store, &spool);
}

static void descriptors_are_linked_without_privilege_too(void **state)
{
	LOCAL(store_of(state))->has_empty_path_link = false;
	publish_text(store_of(state), TENANT, FIRST, "by way of /proc");
	assert_text(store_of(state), TENANT, FIRST, "by way of /proc");
}

/* --- other file systems, which take root to mount -------------------------------------------------------------------
 */

static bool mount_tmpfs(const char *path, const char *options)
{
	if (mount("none", path, "tmpfs", MS_NOSUID | MS_NODEV, options) == 0)
		return true;
	print_message("needs root to mount\n");
	return false;
}

static void a_tenant_on_another_file_system_gets_copies(void **state)
{
	struct store *store = store_of(state);
	char mount_point[PATH_MAX];
	struct spool spool;
	struct stat stat_;

	snprintf(mount_point, sizeof(mount_point), "%s", path_below(state, TENANT));
	assert_int_equal(mkdir(mount_point, 0700), 0);
	if (!mount_tmpfs(mount_point, "size=4m"))
		skip();
	make_spool(store, &spool, "copied");
	assert_int_equal(spool_publish(store, &spool, TENANT, FIRST), 0);
	assert_int_equal(pwrite(spool.fd, "C", 1, 0), 1); /* the descriptor is the object's */
	spool_discard(store, &spool);
	assert_text(store, TENANT, FIRST, "Copied");
	make_spool(store, &spool, "named");
	assert_int_equal(spool_name(store, &spool), 0);
	assert_int_equal(spool_publish(store, &spool, TENANT, FIRST), -EEXIST);
	assert_int_equal(spool_publish(store, &spool, TENANT, SECOND), 0);
	spool_discard(store, &spool);
	assert_int_equal(count_spools(store), 0);
	assert_int_equal(store_share(store, TENANT, FIRST, SECOND), 0);
	assert_int_equal(store_sync_all(store), 0);
	assert_int_equal(store_sync(store, TENANT, SECOND), 0);
	assert_int_equal(store_remove_tenant(store, TENANT), 0);
	assert_int_equal(store_stat(store, TENANT, FIRST, &stat_), -ENOENT);
	assert_int_equal(umount2(mount_point, MNT_DETACH), 0);
}

static void a_full_disk_leaves_no_half_copies(void **state)
{
	enum { SIZE = 1 << 20 };
	struct store *store;
	struct spool spool, clone;
	char base[] = "/tmp/tenantfs-full.XXXXXX", *bytes;
	struct stat stat_;

	(void)state;
	assert_non_null(mkdtemp(base));
	if (!mount_tmpfs(base, "size=1600k")) {
		rmdir(base);
		skip();
	}
	bytes = calloc(1, SIZE);
	assert_int_equal(store_local_open(base, false, &store), 0);
	assert_int_equal(spool_create(store, &spool), 0);
	memset(bytes, 'x', SIZE);
	assert_int_equal(pwrite(spool.fd, bytes, SIZE, 0), SIZE);
	assert_int_equal(spool_publish(store, &spool, TENANT, FIRST), 0);
	spool_discard(store, &spool);
	assert_int_equal(spool_create(store, &clone), 0);
	assert_int_equal(spool_clone(store, &clone, TENANT, FIRST, SIZE), -ENOSPC);
	assert_int_equal(fstat(clone.fd, &stat_), 0);
	assert_int_equal(stat_.st_size, 0);
	spool_discard(store, &clone);
	assert_int_equal(count_spools(store), 0);
	store_close(store);
	free(bytes);
	umount2(base, MNT_DETACH);
	rmdir(base);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, open_local, close_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_its_owner_reads_the_folder),
		TEST(a_folder_with_other_things_in_it_is_refused_until_it_is_adopted),
		TEST(a_fresh_file_system_is_empty_enough),
		TEST(there_is_one_writer_and_any_number_of_readers),
		TEST(the_lock_dies_with_its_process),
		TEST(a_reader_becomes_the_writer_once_the_other_is_gone),
		TEST(a_later_format_is_left_alone),
		TEST(a_symbolic_link_as_the_tenants_folder_is_not_followed),
		TEST(a_symbolic_link_as_a_month_is_not_followed),
		TEST(a_symbolic_link_as_an_object_is_not_followed),
		TEST(a_month_removed_behind_our_back_is_made_again),
		TEST(any_number_of_months_takes_a_bounded_number_of_descriptors),
		TEST(a_tenant_with_foreign_things_in_it_goes_as_a_whole),
		TEST(a_sweep_takes_what_an_earlier_process_left_unless_it_is_wanted),
		TEST(numbers_grow_even_when_the_clock_goes_back),
		TEST(a_full_object_is_told_and_nothing_changes),
		TEST(without_hard_links_nothing_is_shared_and_publishing_works),
		TEST(descriptors_are_linked_without_privilege_too),
		TEST(a_tenant_on_another_file_system_gets_copies),
		TEST(a_full_disk_leaves_no_half_copies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
