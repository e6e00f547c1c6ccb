#include "tests/unit/support/stores.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "shared/base/log.h"
#include "shared/store/store_local.h"

enum { TEXT_MAX = 256, TREE_DESCRIPTORS = 16 };

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *at)
{
	(void)stat;
	(void)type;
	(void)at;
	return remove(path);
}

void remove_tree(const char *path)
{
	nftw(path, remove_one, TREE_DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
}

int open_local(void **state)
{
	struct store_fixture *fixture = calloc(1, sizeof(*fixture));

	if (!fixture)
		return -1;
	log_init("test", LOG_ERROR_, 0);
	snprintf(fixture->base, sizeof(fixture->base), "/tmp/tenantfs-store.XXXXXX");
	if (!mkdtemp(fixture->base) || store_local_open(fixture->base, false, &fixture->store) < 0)
		return -1;
	*state = fixture;
	return 0;
}

int open_local_named(void **state)
{
	if (open_local(state) < 0)
		return -1;
	LOCAL(((struct store_fixture *)*state)->store)->abilities.has_tmpfile = false;
	return 0;
}

int open_mem(void **state)
{
	struct store_fixture *fixture = calloc(1, sizeof(*fixture));

	if (!fixture || store_mem_new(&fixture->store) < 0)
		return -1;
	*state = fixture;
	return 0;
}

int close_fixture(void **state)
{
	struct store_fixture *fixture = *state;

	store_close(fixture->store);
	if (fixture->base[0] != '\0')
		remove_tree(fixture->base);
	free(fixture);
	return 0;
}

void make_spool(struct store *store, struct spool *ret_spool, const char *text)
{
	size_t length = strlen(text);

	assert_int_equal(spool_create(store, ret_spool), 0);
	assert_int_equal(pwrite(ret_spool->fd, text, length, 0), length);
}

void publish_text(struct store *store, const char *tenant_code, const char *path, const char *text)
{
	struct spool spool;

	make_spool(store, &spool, text);
	assert_int_equal(spool_publish(store, &spool, tenant_code, path), 0);
	spool_discard(store, &spool);
}

static void assert_descriptor(int fd, const char *text)
{
	char found[TEXT_MAX] = "";

	assert_true(pread(fd, found, sizeof(found) - 1, 0) >= 0);
	assert_string_equal(found, text);
}

void assert_text(struct store *store, const char *tenant_code, const char *path, const char *text)
{
	int fd;

	assert_int_equal(store_open(store, tenant_code, path, O_RDONLY, &fd), 0);
	assert_descriptor(fd, text);
	close(fd);
}

void assert_spool(const struct spool *spool, const char *text)
{
	assert_descriptor(spool->fd, text);
}

int visit_count(const char *path, const struct stat *stat, void *context)
{
	(void)path;
	(void)stat;
	++*(int *)context;
	return 0;
}

int count_spools(struct store *store)
{
	int count = 0;

	assert_int_equal(store_list(store, NULL, visit_count, &count), 0);
	return count;
}
