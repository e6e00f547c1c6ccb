/*
 * Spools: files without a name (O_TMPFILE), so that a crash leaves nothing, and a tenth cheaper on ext4 than a name and
 * a rename; where the file system has no such files they get a name at once. Publishing links the descriptor, or
 * renames the name.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "shared/base/cleanup.h"
#include "shared/base/fault.h"
#include "shared/store/copy.h"
#include "shared/store/store_local.h"

enum { SPOOL_MODE = 0600, MACHINE_DIGITS = 8, NUMBER_DIGITS = 16, DESCRIPTOR_PATH_SIZE = 40 };

void spool_format_name(const struct store_local *local, uint64_t number, char ret_name[SPOOL_NAME_SIZE])
{
	snprintf(ret_name, SPOOL_NAME_SIZE, "%08" PRIx32 "-%016" PRIx64, local->machine, number);
}

bool spool_parse_name(const struct store_local *local, const char *name, uint64_t *ret_number)
{
	char again[SPOOL_NAME_SIZE];
	char *end;

	if (strlen(name) != MACHINE_DIGITS + 1 + NUMBER_DIGITS || name[MACHINE_DIGITS] != '-')
		return false;
	*ret_number = strtoull(name + MACHINE_DIGITS + 1, &end, 16);
	spool_format_name(local, *ret_number, again);
	return strcmp(name, again) == 0;
}

/*
 * Names an open file. By the descriptor alone that takes CAP_DAC_READ_SEARCH on kernels before 6.10, and -ENOENT is how
 * its absence is told; the way over /proc takes no privilege.
 */
int local_link(const struct store_local *local, int fd, int folder_fd, const char *name)
{
	char path[DESCRIPTOR_PATH_SIZE];

	if (local->has_empty_path_link) {
		if (linkat(fd, "", folder_fd, name, AT_EMPTY_PATH) == 0)
			return 0;
		if (errno != ENOENT)
			return -errno;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, path, folder_fd, name, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
}

/* Where the file system cannot rename without replacing: a second name, then the first goes; else a look before the
 * rename, which is enough, as names are made from ids that are never used twice. */
static int rename_by_hand(const struct store_local *local, int from_fd, const char *from, int to_fd, const char *to)
{
	if (local->abilities.has_hard_links) {
		if (linkat(from_fd, from, to_fd, to, 0) < 0)
			return -errno;
		unlinkat(from_fd, from, 0);
		return 0;
	}
	if (faccessat(to_fd, to, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return -EEXIST;
	return renameat(from_fd, from, to_fd, to) < 0 ? -errno : 0;
}

int local_rename_new(const struct store_local *local, int from_fd, const char *from, int to_fd, const char *to)
{
	if (renameat2(from_fd, from, to_fd, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	return rename_by_hand(local, from_fd, from, to_fd, to);
}

int local_spool_create(struct store *store, struct spool *ret_spool)
{
	struct store_local *local = LOCAL(store);
	struct spool spool = {.fd = -1};

	if (local->is_read_only)
		return -EROFS;
	spool.number = atomic_fetch_add_explicit(&local->next_number, 1, memory_order_relaxed);
	if (local->abilities.has_tmpfile) {
		spool.fd = openat(local->spool_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, SPOOL_MODE);
	} else {
		spool_format_name(local, spool.number, spool.name);
		spool.is_named = true;
		spool.fd = openat(local->spool_fd, spool.name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, SPOOL_MODE);
	}
	if (spool.fd < 0)
		return store_report(local, "spool create", NULL, -errno);
	*ret_spool = spool;
	return 0;
}

void local_spool_discard(struct store *store, struct spool *spool)
{
	struct store_local *local = LOCAL(store);

	if (spool->is_named && unlinkat(local->spool_fd, spool->name, 0) < 0 && errno != ENOENT)
		store_report(local, "spool discard", NULL, -errno);
	if (spool->fd >= 0)
		close(spool->fd);
	spool->fd = -1;
	spool->is_named = false;
}

int local_spool_name(struct store *store, struct spool *spool)
{
	struct store_local *local = LOCAL(store);
	int r;

	if (local->is_read_only)
		return -EROFS;
	spool_format_name(local, spool->number, spool->name);
	r = local_link(local, spool->fd, local->spool_fd, spool->name);
	if (r < 0)
		return store_report(local, "spool name", NULL, r);
	spool->is_named = true;
	return 0;
}

int local_spool_sync(struct store *store, struct spool *spool)
{
	struct store_local *local = LOCAL(store);
	int r = spool->is_named ? 0 : local_spool_name(store, spool);

	if (r < 0)
		return r;
	if (fsync(spool->fd) < 0 || fsync(local->spool_fd) < 0)
		return store_report(local, "spool sync", NULL, -errno);
	return 0;
}

int local_spool_open_named(struct store *store, const char *name, struct spool *ret_spool)
{
	struct store_local *local = LOCAL(store);
	struct spool spool = {.fd = -1, .is_named = true};
	int r = beneath_open(local->spool_fd, name, local->is_read_only ? O_RDONLY : O_RDWR, &spool.fd);

	if (r < 0)
		return store_report(local, "spool open", NULL, r);
	if (!spool_parse_name(local, name, &spool.number))
		spool.number = 0; /* another machine's, taken over with its journal: the name is what counts */
	memcpy(spool.name, name, strlen(name) + 1);
	*ret_spool = spool;
	return 0;
}

int local_spool_clone(struct store *store, struct spool *spool, const struct object_place *place, uint64_t size_bytes)
{
	struct store_local *local = LOCAL(store);
	autoclose int from_fd = -1;
	int r = local_open(store, place, O_RDONLY, &from_fd);

	if (r < 0)
		return r;
	r = copy_bytes(from_fd, spool->fd, size_bytes, local->abilities.has_reflink);
	return store_report(local, "spool clone", place, r);
}

/*
 * The tenant's folder lies on another file system: a copy made there, without a name until it is whole, takes the
 * spool's place and its descriptor's number.
 */
static int publish_copy(struct store_local *local, struct spool *spool, int folder_fd, const char *name)
{
	autoclose int copy_fd = openat(folder_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, SPOOL_MODE);
	struct stat stat;
	int r;

	if (copy_fd < 0 || fstat(spool->fd, &stat) < 0)
		return -errno;
	r = copy_bytes(spool->fd, copy_fd, (uint64_t)stat.st_size, false);
	if (r == 0)
		r = local_link(local, copy_fd, folder_fd, name);
	if (r < 0)
		return r;
	if (dup3(copy_fd, spool->fd, O_CLOEXEC) < 0) {
		r = -errno;
		unlinkat(folder_fd, name, 0);
		return r;
	}
	if (spool->is_named)
		unlinkat(local->spool_fd, spool->name, 0);
	return 0;
}

static int publish_in(struct store_local *local, struct spool *spool, int folder_fd, const char *name)
{
	int r;

	if (spool->is_named)
		r = local_rename_new(local, local->spool_fd, spool->name, folder_fd, name);
	else
		r = local_link(local, spool->fd, folder_fd, name);
	return r == -EXDEV ? publish_copy(local, spool, folder_fd, name) : r;
}

int local_spool_publish(struct store *store, struct spool *spool, const struct object_place *place)
{
	struct store_local *local = LOCAL(store);
	struct folder *folder;
	bool again;
	int r;

	if (local->is_read_only)
		return -EROFS;
	FAULT_POINT("spool_publish_before");
	do {
		r = folder_get(local, place, true, &folder);
		if (r < 0)
			break;
		r = publish_in(local, spool, folder->fd, place->name);
		again = r == -ENOENT && folder_is_gone(local, place, folder);
		folder_put(local, folder);
	} while (again);
	if (r < 0)
		return store_report(local, "publish", place, r);
	spool->is_named = false;
	FAULT_POINT("spool_publish_after");
	return 0;
}
