/*
 * Removing what is nobody's any more: a deleted tenant's tree, renamed away first so that nothing of it is seen half
 * deleted, and the named spools of an earlier process. Any error stops it; the next start goes on.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "shared/base/cleanup.h"
#include "shared/base/log.h"
#include "shared/store/store_local.h"

enum { TREE_DEPTH_MAX = 32, EMPTY_TRIES = 8, TRASH_NAME_SIZE = TENANT_CODE_SIZE + 17 };

struct removal {
	int folder_fd;
	int depth;
};

static int empty_folder(int folder_fd, int depth);

static int remove_name(const char *name, const struct stat *stat, void *context)
{
	const struct removal *removal = context;
	autoclose int fd = -1;
	int r;

	if (!S_ISDIR(stat->st_mode))
		return unlinkat(removal->folder_fd, name, 0) < 0 && errno != ENOENT ? -errno : 0;
	if (removal->depth >= TREE_DEPTH_MAX)
		return -ELOOP;
	r = beneath_open(removal->folder_fd, name, O_RDONLY | O_DIRECTORY, &fd);
	if (r == 0)
		r = empty_folder(fd, removal->depth + 1);
	if (r == 0 && unlinkat(removal->folder_fd, name, AT_REMOVEDIR) < 0)
		r = -errno;
	return r == -ENOENT ? 0 : r;
}

static int count_name(const char *name, const struct stat *stat, void *context)
{
	(void)name;
	(void)stat;
	++*(unsigned *)context;
	return 0;
}

/* A listing may pass over entries while others are removed, so it is looked at again until nothing is left. */
static int empty_folder(int folder_fd, int depth)
{
	struct removal removal = {folder_fd, depth};

	for (int i = 0; i < EMPTY_TRIES; i++) {
		unsigned left = 0;
		int r = folder_each(folder_fd, remove_name, &removal);

		if (r == 0)
			r = folder_each(folder_fd, count_name, &left);
		if (r < 0 || left == 0)
			return r;
	}
	return -ENOTEMPTY;
}

static int empty_trash(struct store_local *local)
{
	return empty_folder(local->trash_fd, 0);
}

/* A folder that is a mount cannot be renamed, nor removed while it is one. */
static int remove_in_place(struct store_local *local, const char *tenant_code)
{
	autoclose int fd = -1;
	int r = beneath_open(local->base_fd, tenant_code, O_RDONLY | O_DIRECTORY, &fd);

	if (r == 0)
		r = empty_folder(fd, 0);
	if (r == 0 && unlinkat(local->base_fd, tenant_code, AT_REMOVEDIR) < 0 && errno != EBUSY)
		r = -errno;
	return r;
}

int local_remove_tenant(struct store *store, const char *tenant_code)
{
	struct store_local *local = LOCAL(store);
	struct removal removal = {.folder_fd = local->trash_fd};
	char name[TRASH_NAME_SIZE];
	struct stat stat;
	int r;

	if (local->is_read_only)
		return -EROFS;
	snprintf(name, sizeof(name), "%s.%016" PRIx64, tenant_code, (uint64_t)atomic_fetch_add(&local->next_number, 1));
	r = renameat(local->base_fd, tenant_code, local->trash_fd, name) < 0 ? -errno : 0;
	folder_forget(local, tenant_code, NULL);
	if (r == -EBUSY || r == -EXDEV)
		r = remove_in_place(local, tenant_code);
	else if (r == 0 && fstatat(local->trash_fd, name, &stat, AT_SYMLINK_NOFOLLOW) == 0)
		r = remove_name(name, &stat, &removal);
	return r == -ENOENT ? 0 : store_report(local, "remove tenant", NULL, r);
}

struct sweep {
	struct store_local *local;
	bool (*is_wanted)(const char *spool_name, void *context);
	void *context;
	int removed;
};

static int sweep_spool(const char *name, const struct stat *stat, void *context)
{
	struct sweep *sweep = context;
	uint64_t number;

	(void)stat;
	if (!spool_parse_name(sweep->local, name, &number) || number >= sweep->local->first_number)
		return 0;
	if (sweep->is_wanted && sweep->is_wanted(name, sweep->context))
		return 0;
	if (unlinkat(sweep->local->spool_fd, name, 0) < 0)
		return errno == ENOENT ? 0 : -errno;
	sweep->removed++;
	return 0;
}

int local_sweep(struct store *store, bool (*is_wanted)(const char *spool_name, void *context), void *context)
{
	struct sweep sweep = {LOCAL(store), is_wanted, context, 0};
	int r;

	if (sweep.local->is_read_only)
		return -EROFS;
	r = folder_each(sweep.local->spool_fd, sweep_spool, &sweep);
	if (r == 0)
		r = empty_trash(sweep.local);
	if (r < 0)
		return store_report(sweep.local, "sweep", NULL, r);
	if (sweep.removed > 0)
		log_info("removed spools that a crash had left", "count", log_number(sweep.removed));
	return sweep.removed;
}
