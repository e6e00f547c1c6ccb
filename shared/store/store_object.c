/* Objects by their paths: open, stat, remove, sync. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include "shared/base/cleanup.h"
#include "shared/store/store_local.h"

/* The folder's descriptor is remembered; that of one removed and made again is asked for anew. */
static int open_in_month(struct store_local *local, const struct object_place *place, int flags, int *ret_fd)
{
	struct folder *folder;
	bool again;
	int r;

	do {
		r = folder_get(local, place, false, &folder);
		if (r < 0)
			return r;
		r = beneath_open(folder->fd, place->name, flags, ret_fd);
		again = r == -ENOENT && folder_is_gone(local, place, folder);
		folder_put(local, folder);
	} while (again);
	return r;
}

int local_open(struct store *store, const struct object_place *place, int flags, int *ret_fd)
{
	struct store_local *local = LOCAL(store);

	if (local->is_read_only && (flags & O_ACCMODE) != O_RDONLY)
		return -EROFS;
	return store_report(local, "open", place, open_in_month(local, place, flags, ret_fd));
}

int local_stat(struct store *store, const struct object_place *place, struct stat *ret_stat)
{
	struct store_local *local = LOCAL(store);
	struct folder *folder;
	bool again;
	int r;

	do {
		r = folder_get(local, place, false, &folder);
		if (r < 0)
			break;
		r = fstatat(folder->fd, place->name, ret_stat, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
		again = r == -ENOENT && folder_is_gone(local, place, folder);
		folder_put(local, folder);
	} while (again);
	return store_report(local, "stat", place, r);
}

int local_remove(struct store *store, const struct object_place *place)
{
	struct store_local *local = LOCAL(store);
	struct folder *folder;
	bool again;
	int r;

	if (local->is_read_only)
		return -EROFS;
	do {
		r = folder_get(local, place, false, &folder);
		if (r < 0)
			break;
		r = unlinkat(folder->fd, place->name, 0) < 0 ? -errno : 0;
		again = r == -ENOENT && folder_is_gone(local, place, folder);
		folder_put(local, folder);
	} while (again);
	return store_report(local, "remove", place, r);
}

/* The folders above a month: their entries may be as new as the object. */
static int sync_above(struct store_local *local, const struct object_place *place)
{
	autoclose int tenant_fd = -1;
	int r = beneath_open(local->base_fd, place->tenant_code, O_RDONLY | O_DIRECTORY, &tenant_fd);

	if (r < 0)
		return r;
	return fsync(tenant_fd) < 0 || fsync(local->base_fd) < 0 ? -errno : 0;
}

int local_sync(struct store *store, const struct object_place *place)
{
	struct store_local *local = LOCAL(store);
	autoclose int fd = -1;
	struct folder *folder;
	int r = open_in_month(local, place, O_RDONLY, &fd);

	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r == 0)
		r = folder_get(local, place, false, &folder);
	if (r == 0) {
		r = fsync(folder->fd) < 0 ? -errno : 0;
		folder_put(local, folder);
	}
	if (r == 0)
		r = sync_above(local, place);
	return store_report(local, "sync", place, r);
}

/* A tenant's folder that is a mount of its own is another file system to sync. */
static int sync_foreign(const char *name, const struct stat *stat, void *context)
{
	struct store_local *local = context;
	autoclose int fd = -1;
	int r;

	if (!S_ISDIR(stat->st_mode) || stat->st_dev == local->device || !tenant_code_is_valid(name))
		return 0;
	r = beneath_open(local->base_fd, name, O_RDONLY | O_DIRECTORY, &fd);
	if (r < 0)
		return r;
	return syncfs(fd) < 0 ? -errno : 0;
}

int local_sync_all(struct store *store)
{
	struct store_local *local = LOCAL(store);
	int r = syncfs(local->base_fd) < 0 ? -errno : 0;

	if (r == 0 && atomic_load(&local->has_foreign))
		r = folder_each(local->base_fd, sync_foreign, local);
	return store_report(local, "sync all", NULL, r);
}
