/*
 * Equal content stored once. The order makes it safe: a second name of the first object is made, so that its link count
 * keeps appends away; the bytes are compared; then the two names are exchanged, which fails if the second was removed
 * meanwhile, so a removed object never comes back; the name left over, now of the second's old bytes, goes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include "shared/base/cleanup.h"
#include "shared/base/fault.h"
#include "shared/store/copy.h"
#include "shared/store/store_local.h"

/* 1: both are worth comparing. */
static int may_be_equal(int first_fd, int second_fd, uint64_t *ret_size_bytes)
{
	struct stat first, second;

	if (fstat(first_fd, &first) < 0 || fstat(second_fd, &second) < 0)
		return -errno;
	if (first.st_dev != second.st_dev || first.st_ino == second.st_ino)
		return 0;
	*ret_size_bytes = (uint64_t)first.st_size;
	return S_ISREG(first.st_mode) && S_ISREG(second.st_mode) && first.st_size == second.st_size &&
	       first.st_size > 0;
}

/* temporary, in the spool, is the first object's second name. */
static int take_place(struct store_local *local, const char *temporary, const struct object_place *second)
{
	struct folder *folder;
	int r = folder_get(local, second, false, &folder);

	if (r < 0)
		return r;
	FAULT_POINT("share_before");
	if (renameat2(local->spool_fd, temporary, folder->fd, second->name, RENAME_EXCHANGE) < 0)
		r = -errno;
	if (r == -EINVAL || r == -ENOSYS) /* NFS: the caller's promise that nobody removes it has to do */
		r = renameat(local->spool_fd, temporary, folder->fd, second->name) < 0 ? -errno : 0;
	FAULT_POINT("share_after");
	folder_put(local, folder);
	return r;
}

static int share_open(struct store_local *local, int first_fd, int second_fd, const struct object_place *second)
{
	char temporary[SPOOL_NAME_SIZE];
	uint64_t size_bytes = 0;
	int r = may_be_equal(first_fd, second_fd, &size_bytes);

	if (r <= 0)
		return r;
	spool_format_name(local, atomic_fetch_add_explicit(&local->next_number, 1, memory_order_relaxed), temporary);
	r = local_link(local, first_fd, local->spool_fd, temporary);
	if (r < 0)
		return r;
	r = copy_is_equal(first_fd, second_fd, size_bytes);
	if (r > 0) {
		int taken = take_place(local, temporary, second);

		r = taken < 0 ? taken : 1;
	}
	if (unlinkat(local->spool_fd, temporary, 0) < 0 && errno != ENOENT)
		store_report(local, "share", second, -errno);
	return r;
}

int local_share(struct store *store, const struct object_place *first, const struct object_place *second)
{
	struct store_local *local = LOCAL(store);
	autoclose int first_fd = -1, second_fd = -1;
	int r;

	if (local->is_read_only)
		return -EROFS;
	if (!local->abilities.has_hard_links)
		return 0;
	r = local_open(store, first, O_RDONLY, &first_fd);
	if (r == 0)
		r = local_open(store, second, O_RDONLY, &second_fd);
	if (r == 0)
		r = share_open(local, first_fd, second_fd, second);
	if (r == -EXDEV || r == -EPERM || r == -EOPNOTSUPP) /* another file system; one without links after all */
		return 0;
	return store_report(local, "share", second, r);
}
