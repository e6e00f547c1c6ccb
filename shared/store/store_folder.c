/*
 * Folders of months, opened once and remembered: publishing names an object in a folder's descriptor, so that no path
 * is walked where a symbolic link could be planted. A read-only store remembers none, since another process may remove
 * and make them again.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "shared/base/cleanup.h"
#include "shared/store/store_local.h"

enum { BENEATH_TRIES = 64, FOLDER_MODE = 0700 };

/* The kernel says -EAGAIN when a rename elsewhere kept it from being sure that it stayed beneath. */
int beneath_open(int folder_fd, const char *path, int flags, int *ret_fd)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};

	for (int i = 0; i < BENEATH_TRIES; i++) {
		long fd = syscall(SYS_openat2, folder_fd, path, &how, sizeof(how));

		if (fd >= 0) {
			*ret_fd = (int)fd;
			return 0;
		}
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
	}
	return -EAGAIN;
}

int folders_init(struct folders *folders)
{
	*folders = (struct folders){0};
	return -pthread_mutex_init(&folders->lock, NULL);
}

static void folder_free(struct folder *folder)
{
	if (!folder)
		return;
	if (folder->fd >= 0)
		close(folder->fd);
	free(folder);
}

void folders_release(struct folders *folders)
{
	for (int i = 0; i < FOLDER_SLOTS; i++)
		folder_free(folders->slots[i]);
	pthread_mutex_destroy(&folders->lock);
}

/* With the lock held. */
static struct folder *find_slot(struct folders *folders, const char *key)
{
	for (int i = 0; i < FOLDER_SLOTS; i++) {
		struct folder *folder = folders->slots[i];

		if (folder && strcmp(folder->key, key) == 0) {
			folder->references++;
			folder->used = ++folders->clock;
			return folder;
		}
	}
	return NULL;
}

/* With the lock held: takes the slot away; the folder itself when nobody else uses it, to be freed without the lock. */
static struct folder *empty_slot(struct folders *folders, int i)
{
	struct folder *folder = folders->slots[i];

	folders->slots[i] = NULL;
	return folder && --folder->references == 0 ? folder : NULL;
}

/* With the lock held: remembers folder in an empty slot or that of the one not asked for longest, which is returned as
 * above. */
static struct folder *take_slot(struct folders *folders, struct folder *folder)
{
	struct folder *unused;
	int oldest = 0;

	for (int i = 0; i < FOLDER_SLOTS && folders->slots[oldest]; i++) {
		if (!folders->slots[i] || folders->slots[i]->used < folders->slots[oldest]->used)
			oldest = i;
	}
	unused = empty_slot(folders, oldest);
	folders->slots[oldest] = folder;
	folder->references++;
	folder->used = ++folders->clock;
	return unused;
}

static int make_folders(struct store_local *local, const struct object_place *place, const char *month)
{
	autoclose int tenant_fd = -1;
	int r;

	if (mkdirat(local->base_fd, place->tenant_code, FOLDER_MODE) < 0 && errno != EEXIST)
		return -errno;
	r = beneath_open(local->base_fd, place->tenant_code, O_PATH | O_DIRECTORY, &tenant_fd);
	if (r < 0)
		return r;
	if (mkdirat(tenant_fd, month, FOLDER_MODE) < 0 && errno != EEXIST)
		return -errno;
	return 0;
}

static int open_folder(struct store_local *local, const struct object_place *place, const char *key, bool makes,
		       struct folder **ret_folder)
{
	struct folder *folder = calloc(1, sizeof(*folder));
	struct stat stat;
	int r;

	if (!folder)
		return -ENOMEM;
	folder->fd = -1;
	folder->references = 1;
	memcpy(folder->key, key, strlen(key) + 1);
	r = beneath_open(local->base_fd, key, O_RDONLY | O_DIRECTORY, &folder->fd);
	if (r == -ENOENT && makes) {
		r = make_folders(local, place, key + strlen(place->tenant_code) + 1);
		if (r == 0)
			r = beneath_open(local->base_fd, key, O_RDONLY | O_DIRECTORY, &folder->fd);
	}
	if (r == 0 && fstat(folder->fd, &stat) < 0)
		r = -errno;
	if (r < 0) {
		folder_free(folder);
		return r;
	}
	if (stat.st_dev != local->device)
		atomic_store(&local->has_foreign, true);
	*ret_folder = folder;
	return 0;
}

static void format_key(const struct object_place *place, char ret_key[FOLDER_KEY_SIZE])
{
	snprintf(ret_key, FOLDER_KEY_SIZE, "%.*s/%.*s", TENANT_CODE_SIZE - 1, place->tenant_code, STORE_MONTH_LENGTH,
		 place->path);
}

int folder_get(struct store_local *local, const struct object_place *place, bool makes, struct folder **ret_folder)
{
	struct folders *folders = &local->folders;
	struct folder *folder, *found, *unused;
	char key[FOLDER_KEY_SIZE];
	int r;

	format_key(place, key);
	pthread_mutex_lock(&folders->lock);
	found = find_slot(folders, key);
	pthread_mutex_unlock(&folders->lock);
	if (found) {
		*ret_folder = found;
		return 0;
	}
	r = open_folder(local, place, key, makes, &folder);
	if (r < 0)
		return r;
	if (local->is_read_only) {
		*ret_folder = folder;
		return 0;
	}
	pthread_mutex_lock(&folders->lock);
	found = find_slot(folders, key); /* another thread may have been as quick */
	unused = found ? folder : take_slot(folders, folder);
	pthread_mutex_unlock(&folders->lock);
	folder_free(unused);
	*ret_folder = found ? found : folder;
	return 0;
}

void folder_put(struct store_local *local, struct folder *folder)
{
	unsigned left;

	if (!folder)
		return;
	pthread_mutex_lock(&local->folders.lock);
	left = --folder->references;
	pthread_mutex_unlock(&local->folders.lock);
	if (left == 0)
		folder_free(folder);
}

void folder_forget(struct store_local *local, const char *tenant_code, const char *path)
{
	struct folders *folders = &local->folders;
	struct folder *unused[FOLDER_SLOTS] = {0};
	size_t length = strlen(tenant_code);

	pthread_mutex_lock(&folders->lock);
	for (int i = 0; i < FOLDER_SLOTS; i++) {
		const struct folder *folder = folders->slots[i];

		if (!folder || strncmp(folder->key, tenant_code, length) != 0 || folder->key[length] != '/')
			continue;
		if (!path || strncmp(folder->key + length + 1, path, STORE_MONTH_LENGTH) == 0)
			unused[i] = empty_slot(folders, i);
	}
	pthread_mutex_unlock(&folders->lock);
	for (int i = 0; i < FOLDER_SLOTS; i++)
		folder_free(unused[i]);
}

bool folder_is_gone(struct store_local *local, const struct object_place *place, const struct folder *folder)
{
	struct stat stat;

	if (local->is_read_only || fstat(folder->fd, &stat) < 0 || stat.st_nlink > 0)
		return false;
	folder_forget(local, place->tenant_code, place->path);
	return true;
}
