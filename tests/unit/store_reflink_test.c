/* shared/store on file systems that share blocks: XFS and btrfs in a loop device. Needs root; says so and is skipped
 * else. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <cmocka.h>
#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "shared/store/store.h"
#include "tests/unit/support/stores.h"

#define TENANT	    "acme"
#define FIRST	    "2026-11/fs_1.bin"
#define SECOND	    "2026-11/fs_2.bin"
#define IMAGE_BYTES (512LL << 20)

enum { OBJECT_BYTES = 64 << 20, SPARE_BYTES = 8 << 20, COMMAND_SIZE = 512 };

struct image {
	char folder[64];
	struct store *store;
};

static int run(const char *format, const char *folder)
{
	char command[COMMAND_SIZE];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(command, sizeof(command), format, folder, folder);
#pragma GCC diagnostic pop
	return system(command);
}

static int discard(struct image *image)
{
	char mount_point[96];

	snprintf(mount_point, sizeof(mount_point), "%s/mnt", image->folder);
	store_close(image->store);
	umount2(mount_point, MNT_DETACH);
	remove_tree(image->folder);
	free(image);
	return 0;
}

/* NULL in *state: it cannot be had here. */
static int make(void **state, const char *mkfs)
{
	struct image *image = calloc(1, sizeof(*image));
	char path[96];

	if (!image)
		return -1;
	log_init("test", LOG_ERROR_, 0);
	snprintf(image->folder, sizeof(image->folder), "/tmp/tenantfs-image.XXXXXX");
	if (!mkdtemp(image->folder))
		return -1;
	snprintf(path, sizeof(path), "%s/image", image->folder);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	if (truncate(path, IMAGE_BYTES) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/mnt", image->folder);
	if (mkdir(path, 0700) < 0)
		return -1;
	*state = NULL;
	if (run(mkfs, image->folder) != 0 || run("mount -o loop %s/image %s/mnt 2>/dev/null", image->folder) != 0)
		return discard(image);
	*state = image;
	return store_local_open(path, false, &image->store);
}

static int make_xfs(void **state)
{
	return make(state, "mkfs.xfs -q -m reflink=1 %s/image >/dev/null 2>&1");
}

static int make_btrfs(void **state)
{
	return make(state, "mkfs.btrfs -q %s/image >/dev/null 2>&1");
}

static int unmake(void **state)
{
	return *state ? discard(*state) : 0;
}

static struct store *store_of(void **state)
{
	if (!*state) {
		print_message("needs root, a loop device and mkfs\n");
		skip();
	}
	return ((struct image *)*state)->store;
}

static int64_t free_bytes(struct store *store)
{
	uint64_t bytes, total;

	assert_int_equal(store_sync_all(store), 0);
	assert_int_equal(store_free_space(store, &bytes, &total), 0);
	return (int64_t)bytes;
}

static void publish_bytes(struct store *store, const char *path, size_t length)
{
	char *bytes = malloc(length);
	struct spool spool;

	assert_non_null(bytes);
	for (size_t i = 0; i < length; i++)
		bytes[i] = (char)(i * 2654435761U >> 24);
	assert_int_equal(spool_create(store, &spool), 0);
	assert_int_equal(pwrite(spool.fd, bytes, length, 0), length);
	assert_int_equal(spool_publish(store, &spool, TENANT, path), 0);
	spool_discard(store, &spool);
	free(bytes);
}

static void a_clone_takes_no_room_and_is_independent(void **state)
{
	struct store *store = store_of(state);
	struct spool spool;
	struct stat stat;
	int64_t before, begin;
	char byte = 0;
	int fd;

	assert_true(store_abilities(store)->has_reflink);
	assert_true(store_abilities(store)->has_tmpfile);
	assert_true(store_abilities(store)->has_hard_links);
	publish_bytes(store, FIRST, OBJECT_BYTES);
	before = free_bytes(store);
	begin = clock_monotonic_ns();
	assert_int_equal(spool_create(store, &spool), 0);
	assert_int_equal(spool_clone(store, &spool, TENANT, FIRST, OBJECT_BYTES), 0);
	print_message("# 64 MiB cloned in %lld us\n", (long long)(clock_monotonic_ns() - begin) / 1000);
	assert_int_equal(pwrite(spool.fd, "!", 1, OBJECT_BYTES / 2), 1);
	assert_int_equal(spool_publish(store, &spool, TENANT, SECOND), 0);
	assert_int_equal(fstat(spool.fd, &stat), 0);
	assert_int_equal(stat.st_size, OBJECT_BYTES);
	spool_discard(store, &spool);
	assert_true(before - free_bytes(store) < SPARE_BYTES);
	assert_int_equal(store_open(store, TENANT, FIRST, O_RDONLY, &fd), 0);
	assert_int_equal(pread(fd, &byte, 1, OBJECT_BYTES / 2), 1);
	assert_int_not_equal(byte, '!');
	close(fd);
	assert_int_equal(store_share(store, TENANT, FIRST, SECOND), 0);
}

static void a_clone_of_a_part_ends_where_it_should(void **state)
{
	struct store *store = store_of(state);
	struct spool spool;
	struct stat stat;
	char bytes[2] = "";

	publish_bytes(store, FIRST, 1 << 20);
	assert_int_equal(spool_create(store, &spool), 0);
	assert_int_equal(spool_clone(store, &spool, TENANT, FIRST, 1001), 0);
	assert_int_equal(fstat(spool.fd, &stat), 0);
	assert_int_equal(stat.st_size, 1001);
	/* Grown again, what was cut off is zeros, not the old bytes. */
	assert_int_equal(ftruncate(spool.fd, 2000), 0);
	assert_int_equal(pread(spool.fd, bytes, 2, 1500), 2);
	assert_memory_equal(bytes, "\0\0", 2);
	spool_discard(store, &spool);
}

static void equal_objects_become_one_there_too(void **state)
{
	struct store *store = store_of(state);
	struct stat stat;

	publish_bytes(store, FIRST, 1 << 20);
	publish_bytes(store, SECOND, 1 << 20);
	assert_int_equal(store_share(store, TENANT, FIRST, SECOND), 1);
	assert_int_equal(store_stat(store, TENANT, SECOND, &stat), 0);
	assert_int_equal(stat.st_nlink, 2);
	assert_int_equal(store_remove_tenant(store, TENANT), 0);
	assert_int_equal(count_spools(store), 0);
}

#define ON_BOTH(test)                                                                                                  \
	{#test " (XFS)", test, make_xfs, unmake, NULL},                                                                \
	{                                                                                                              \
#test " (btrfs)", test, make_btrfs, unmake, NULL                                                       \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(a_clone_takes_no_room_and_is_independent),
		ON_BOTH(a_clone_of_a_part_ends_where_it_should),
		ON_BOTH(equal_objects_become_one_there_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
