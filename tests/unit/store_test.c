/* shared/store: the promises of store.h, kept alike by the tree on disk and the store in memory. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
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
#include "shared/store/store.h"
#include "tests/unit/support/stores.h"

#define TENANT "acme"
#define FIRST  "2026-11/fs_0000000000000000000001.txt"
#define SECOND "2026-11/fs_0000000000000000000002.txt"
#define OTHER  "2025-02/fs_0000000000000000000003"

static struct store *store_of(void **state)
{
	return ((struct store_fixture *)*state)->store;
}

static void published_content_is_read_by_its_path(void **state)
{
	struct store *store = store_of(state);

	publish_text(store, TENANT, FIRST, "hello");
	assert_text(store, TENANT, FIRST, "hello");
	assert_int_equal(store_sync(store, TENANT, FIRST), 0);
	assert_int_equal(store_sync_all(store), 0);
}

static void publishing_never_overwrites(void **state)
{
	struct store *store = store_of(state);
	struct spool spool;

	publish_text(store, TENANT, FIRST, "the first");
	make_spool(store, &spool, "the second");
	assert_int_equal(spool_publish(store, &spool, TENANT, FIRST), -EEXIST);
	assert_text(store, TENANT, FIRST, "the first");
	/* The spool is as before: it can have another name. */
	assert_int_equal(spool_publish(store, &spool, TENANT, SECOND), 0);
	assert_text(store, TENANT, SECOND, "the second");
	spool_discard(store, &spool);
	assert_text(store, TENANT, SECOND, "the second");
}

static void the_descriptor_stays_open_after_publishing(void **state)
{
	struct store *store = store_of(state);
	struct spool spool;
	char text[8] = "";

	make_spool(store, &spool, "abc");
	assert_int_equal(spool_publish(store, &spool, TENANT, FIRST), 0);
	assert_int_equal(pread(spool.fd, text, sizeof(text), 0), 3);
	assert_string_equal(text, "abc");
	assert_int_equal(pwrite(spool.fd, "defg", 4, 3), 4);
	spool_discard(store, &spool);
	assert_int_equal(spool.fd, -1);
	assert_text(store, TENANT, FIRST, "abcdefg");
}

static void a_discarded_spool_leaves_nothing(void **state)
{
	struct store *store = store_of(state);
	struct spool spool;

	make_spool(store, &spool, "never published");
	spool_discard(store, &spool);
	make_spool(store, &spool, "never published, but named");
	assert_int_equal(spool_name(store, &spool), 0);
	assert_int_equal(count_spools(store), 1);
	spool_discard(store, &spool);
	assert_int_equal(count_spools(store), 0);
}

static void a_named_spool_can_be_opened_again_and_published(void **state)
{
	struct store *store = store_of(state);
	struct spool spool, again;

	make_spool(store, &spool, "synced");
	assert_int_equal(spool_sync(store, &spool), 0);
	assert_true(spool.is_named);
	assert_int_equal(spool_sync(store, &spool), 0);
	assert_int_equal(spool_open_named(store, spool.name, &again), 0);
	assert_int_equal(again.number, spool.number);
	close(spool.fd);
	assert_int_equal(spool_publish(store, &again, TENANT, FIRST), 0);
	assert_false(again.is_named);
	spool_discard(store, &again);
	assert_text(store, TENANT, FIRST, "synced");
	assert_int_equal(count_spools(store), 0);
	assert_int_equal(spool_open_named(store, spool.name, &again), -ENOENT);
}

static void a_named_spool_does_not_overwrite_either(void **state)
{
	struct store *store = store_of(state);
	struct spool spool;

	publish_text(store, TENANT, FIRST, "old");
	make_spool(store, &spool, "new");
	assert_int_equal(spool_name(store, &spool), 0);
	assert_int_equal(spool_publish(store, &spool, TENANT, FIRST), -EEXIST);
	assert_true(spool.is_named);
	assert_int_equal(count_spools(store), 1);
	spool_discard(store, &spool);
	assert_text(store, TENANT, FIRST, "old");
}

static void names_that_lead_elsewhere_are_refused(void **state)
{
	static const char *const paths[] = {
		"",
		"2026-11",
		"2026-11/",
		"2026-13/x",
		"/2026-11/x",
		"../2026-11/x",
		"2026-11/../x",
		"2026-11/..",
		"2026-11/.",
		"2026-11/a/b",
		"2026-11//x",
		"./2026-11/x",
		"abcdefg/x",
		"2026-11/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
	static const char *const tenants[] = {"", "..", ".", ".tenantfs", "a/b", "2026-11", "-x", "acme/../acme"};
	struct store *store = store_of(state);
	struct spool spool;
	struct stat stat;
	int fd;

	make_spool(store, &spool, "x");
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		assert_int_equal(spool_publish(store, &spool, TENANT, paths[i]), -EINVAL);
		assert_int_equal(spool_clone(store, &spool, TENANT, paths[i], 1), -EINVAL);
		assert_int_equal(store_open(store, TENANT, paths[i], O_RDONLY, &fd), -EINVAL);
		assert_int_equal(store_stat(store, TENANT, paths[i], &stat), -EINVAL);
		assert_int_equal(store_remove(store, TENANT, paths[i]), -EINVAL);
		assert_int_equal(store_share(store, TENANT, paths[i], FIRST), -EINVAL);
		assert_int_equal(store_share(store, TENANT, FIRST, paths[i]), -EINVAL);
		assert_int_equal(store_sync(store, TENANT, paths[i]), -EINVAL);
	}
	for (size_t i = 0; i < sizeof(tenants) / sizeof(tenants[0]); i++) {
		assert_int_equal(spool_publish(store, &spool, tenants[i], FIRST), -EINVAL);
		assert_int_equal(store_remove_tenant(store, tenants[i]), -EINVAL);
		assert_int_equal(store_list(store, tenants[i], visit_count, &(int){0}), -EINVAL);
	}
	assert_int_equal(spool_open_named(store, "../lock", &spool), -EINVAL);
	assert_int_equal(spool_open_named(store, "", &spool), -EINVAL);
	spool_discard(store, &spool);
}

static void opening_never_creates_or_truncates(void **state)
{
	struct store *store = store_of(state);
	int fd;

	publish_text(store, TENANT, FIRST, "kept");
	assert_int_equal(store_open(store, TENANT, SECOND, O_RDWR | O_CREAT, &fd), -ENOENT);
	assert_int_equal(store_open(store, TENANT, FIRST, O_RDWR | O_TRUNC, &fd), 0);
	close(fd);
	assert_text(store, TENANT, FIRST, "kept");
}

static void a_clone_has_the_first_bytes_and_keeps_holes(void **state)
{
	enum { SIZE = 8 << 20, DATA_AT = 5 << 20 };
	struct store *store = store_of(state);
	struct spool spool;
	struct stat stat;
	char bytes[4] = "";

	make_spool(store, &spool, "begin");
	assert_int_equal(pwrite(spool.fd, "data", 4, DATA_AT), 4);
	assert_int_equal(ftruncate(spool.fd, SIZE), 0);
	assert_int_equal(spool_publish(store, &spool, TENANT, FIRST), 0);
	spool_discard(store, &spool);

	assert_int_equal(spool_create(store, &spool), 0);
	assert_int_equal(spool_clone(store, &spool, TENANT, FIRST, SIZE - 1), 0);
	assert_int_equal(fstat(spool.fd, &stat), 0);
	assert_int_equal(stat.st_size, SIZE - 1);
	assert_true(stat.st_blocks * 512 < SIZE / 4);
	assert_int_equal(pread(spool.fd, bytes, 4, DATA_AT), 4);
	assert_memory_equal(bytes, "data", 4);
	assert_int_equal(pwrite(spool.fd, "BEGIN", 5, 0), 5);
	spool_discard(store, &spool);

	assert_text(store, TENANT, FIRST, "begin");
	assert_int_equal(spool_create(store, &spool), 0);
	assert_int_equal(spool_clone(store, &spool, TENANT, FIRST, 5), 0);
	assert_spool(&spool, "begin");
	spool_discard(store, &spool);
}

static void a_clone_of_an_object_that_lost_bytes_fails_and_leaves_the_spool_empty(void **state)
{
	struct store *store = store_of(state);
	struct spool spool;
	struct stat stat;

	publish_text(store, TENANT, FIRST, "four");
	assert_int_equal(spool_create(store, &spool), 0);
	assert_int_equal(spool_clone(store, &spool, TENANT, FIRST, 5), -EIO);
	assert_int_equal(fstat(spool.fd, &stat), 0);
	assert_int_equal(stat.st_size, 0);
	assert_int_equal(spool_clone(store, &spool, TENANT, SECOND, 5), -ENOENT);
	spool_discard(store, &spool);
}

static void removing_twice_is_fine(void **state)
{
	struct store *store = store_of(state);
	struct stat stat;

	publish_text(store, TENANT, FIRST, "x");
	assert_int_equal(store_remove(store, TENANT, FIRST), 0);
	assert_int_equal(store_stat(store, TENANT, FIRST, &stat), -ENOENT);
	assert_int_equal(store_remove(store, TENANT, FIRST), 0);
	assert_int_equal(store_remove(store, "nobody", FIRST), 0);
}

static unsigned links_of(struct store *store, const char *path)
{
	struct stat stat;

	assert_int_equal(store_stat(store, TENANT, path, &stat), 0);
	return (unsigned)stat.st_nlink;
}

static void equal_objects_become_one(void **state)
{
	struct store *store = store_of(state);

	publish_text(store, TENANT, FIRST, "the same");
	publish_text(store, TENANT, OTHER, "the same");
	assert_int_equal(store_share(store, TENANT, FIRST, OTHER), 1);
	assert_int_equal(links_of(store, FIRST), 2);
	assert_int_equal(store_share(store, TENANT, FIRST, OTHER), 0);
	assert_int_equal(links_of(store, FIRST), 2);
	assert_int_equal(count_spools(store), 0);
	assert_int_equal(store_remove(store, TENANT, FIRST), 0);
	assert_text(store, TENANT, OTHER, "the same");
	assert_int_equal(links_of(store, OTHER), 1);
}

static void different_objects_stay_two(void **state)
{
	struct store *store = store_of(state);

	publish_text(store, TENANT, FIRST, "the same");
	publish_text(store, TENANT, SECOND, "the sane");
	publish_text(store, TENANT, OTHER, "longer than that");
	assert_int_equal(store_share(store, TENANT, FIRST, SECOND), 0);
	assert_int_equal(store_share(store, TENANT, FIRST, OTHER), 0);
	assert_int_equal(links_of(store, FIRST), 1);
	assert_text(store, TENANT, SECOND, "the sane");
	assert_int_equal(count_spools(store), 0);
}

static void empty_objects_are_not_shared(void **state)
{
	struct store *store = store_of(state);

	publish_text(store, TENANT, FIRST, "");
	publish_text(store, TENANT, SECOND, "");
	assert_int_equal(store_share(store, TENANT, FIRST, SECOND), 0);
}

static void sharing_needs_both(void **state)
{
	struct store *store = store_of(state);

	publish_text(store, TENANT, FIRST, "x");
	assert_int_equal(store_share(store, TENANT, FIRST, SECOND), -ENOENT);
	assert_int_equal(store_share(store, TENANT, SECOND, FIRST), -ENOENT);
	assert_int_equal(count_spools(store), 0);
}

static void a_reader_keeps_what_it_opened_when_objects_are_shared(void **state)
{
	struct store *store = store_of(state);
	char text[8] = "";
	int fd;

	publish_text(store, TENANT, FIRST, "same");
	publish_text(store, TENANT, SECOND, "same");
	assert_int_equal(store_open(store, TENANT, SECOND, O_RDONLY, &fd), 0);
	assert_int_equal(store_share(store, TENANT, FIRST, SECOND), 1);
	assert_int_equal(pread(fd, text, sizeof(text), 0), 4);
	assert_string_equal(text, "same");
	close(fd);
}

static int visit_path(const char *path, const struct stat *stat, void *context)
{
	unsigned *seen = context;

	assert_true(S_ISREG(stat->st_mode));
	*seen |= strcmp(path, FIRST) == 0 ? 1 : strcmp(path, OTHER) == 0 ? 2 : 4;
	return 0;
}

static int visit_fails(const char *path, const struct stat *stat, void *context)
{
	(void)path;
	(void)stat;
	++*(int *)context;
	return -ECANCELED;
}

static void listing_shows_all_objects_of_one_tenant(void **state)
{
	struct store *store = store_of(state);
	unsigned seen = 0;
	int calls = 0;

	publish_text(store, TENANT, FIRST, "1");
	publish_text(store, TENANT, OTHER, "2");
	publish_text(store, "other", SECOND, "3");
	assert_int_equal(store_list(store, TENANT, visit_path, &seen), 0);
	assert_int_equal(seen, 3);
	assert_int_equal(store_list(store, TENANT, visit_fails, &calls), -ECANCELED);
	assert_int_equal(calls, 1);
	assert_int_equal(store_list(store, "nobody", visit_path, &seen), -ENOENT);
	calls = 0;
	assert_int_equal(store_list_tenants(store, visit_count, &calls), 0);
	assert_int_equal(calls, 2);
}

static void removing_a_tenant_takes_everything_of_it_and_nothing_else(void **state)
{
	struct store *store = store_of(state);
	int count = 0;

	publish_text(store, TENANT, FIRST, "1");
	publish_text(store, TENANT, OTHER, "2");
	publish_text(store, "acme2", SECOND, "3");
	assert_int_equal(store_remove_tenant(store, TENANT), 0);
	assert_int_equal(store_list(store, TENANT, visit_count, &count), -ENOENT);
	assert_text(store, "acme2", SECOND, "3");
	assert_int_equal(store_remove_tenant(store, TENANT), 0);
	/* The same code may be used again at once. */
	publish_text(store, TENANT, FIRST, "new");
	assert_text(store, TENANT, FIRST, "new");
}

enum { THREADS = 8, NAMES = 100 };

struct race {
	struct store *store;
	unsigned number;
	unsigned won;
};

static void *publish_all(void *context)
{
	struct race *race = context;

	for (unsigned i = 0; i < NAMES; i++) {
		char path[48], text[16];
		struct spool spool;
		int r;

		snprintf(path, sizeof(path), "2026-%02u/fs_%u", i % 12 + 1, i);
		snprintf(text, sizeof(text), "%u", race->number);
		make_spool(race->store, &spool, text);
		r = spool_publish(race->store, &spool, TENANT, path);
		assert_true(r == 0 || r == -EEXIST);
		race->won += r == 0;
		spool_discard(race->store, &spool);
	}
	return NULL;
}

static void of_those_who_publish_one_name_at_once_exactly_one_wins(void **state)
{
	struct race races[THREADS];
	pthread_t threads[THREADS];
	unsigned won = 0;
	int count = 0;

	for (unsigned i = 0; i < THREADS; i++) {
		races[i] = (struct race){store_of(state), i, 0};
		assert_int_equal(pthread_create(&threads[i], NULL, publish_all, &races[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		won += races[i].won;
	}
	assert_int_equal(won, NAMES);
	assert_int_equal(store_list(store_of(state), TENANT, visit_count, &count), 0);
	assert_int_equal(count, NAMES);
	assert_int_equal(count_spools(store_of(state)), 0);
}

static void *share_all(void *context)
{
	struct race *race = context;

	for (unsigned i = 0; i < NAMES; i++) {
		int r = store_share(race->store, TENANT, FIRST, race->number % 2 ? SECOND : OTHER);

		assert_true(r >= 0);
		race->won += r == 1;
	}
	return NULL;
}

static void sharing_the_same_objects_at_once_leaves_no_spare_names(void **state)
{
	struct store *store = store_of(state);
	struct race races[THREADS];
	pthread_t threads[THREADS];

	publish_text(store, TENANT, FIRST, "same");
	publish_text(store, TENANT, SECOND, "same");
	publish_text(store, TENANT, OTHER, "same");
	for (unsigned i = 0; i < THREADS; i++) {
		races[i] = (struct race){store, i, 0};
		assert_int_equal(pthread_create(&threads[i], NULL, share_all, &races[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(links_of(store, FIRST), 3);
	assert_int_equal(count_spools(store), 0);
	assert_text(store, TENANT, OTHER, "same");
}

static void free_space_is_told(void **state)
{
	uint64_t free_bytes = 0, total_bytes = 0;

	assert_int_equal(store_free_space(store_of(state), &free_bytes, &total_bytes), 0);
	assert_true(free_bytes > 0 && total_bytes >= free_bytes);
	assert_true(store_journal_dir(store_of(state)) >= 0);
}

#define BOTH(test)                                                                                                     \
	{#test " (on disk)", test, open_local, close_fixture, NULL},                                                   \
		{#test " (in memory)", test, open_mem, close_fixture, NULL},                                           \
	{                                                                                                              \
#test " (on disk, without O_TMPFILE)", test, open_local_named, close_fixture, NULL                     \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(published_content_is_read_by_its_path),
		BOTH(publishing_never_overwrites),
		BOTH(the_descriptor_stays_open_after_publishing),
		BOTH(a_discarded_spool_leaves_nothing),
		BOTH(a_named_spool_can_be_opened_again_and_published),
		BOTH(a_named_spool_does_not_overwrite_either),
		BOTH(names_that_lead_elsewhere_are_refused),
		BOTH(opening_never_creates_or_truncates),
		BOTH(a_clone_has_the_first_bytes_and_keeps_holes),
		BOTH(a_clone_of_an_object_that_lost_bytes_fails_and_leaves_the_spool_empty),
		BOTH(removing_twice_is_fine),
		BOTH(equal_objects_become_one),
		BOTH(different_objects_stay_two),
		BOTH(empty_objects_are_not_shared),
		BOTH(sharing_needs_both),
		BOTH(a_reader_keeps_what_it_opened_when_objects_are_shared),
		BOTH(listing_shows_all_objects_of_one_tenant),
		BOTH(removing_a_tenant_takes_everything_of_it_and_nothing_else),
		BOTH(of_those_who_publish_one_name_at_once_exactly_one_wins),
		BOTH(sharing_the_same_objects_at_once_leaves_no_spare_names),
		BOTH(free_space_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
