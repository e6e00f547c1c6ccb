#include "fusefs/mountpoint.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(int error, char *ret_error, size_t size, const char *path, const char *what)
{
	snprintf(ret_error, size, "%s: %s", path, what);
	return error;
}

/* A folder that lies on another device than the one above it has something mounted on it. */
static int is_mounted(const char *path)
{
	char above[PATH_MAX + 4];
	struct stat own, parent;

	snprintf(above, sizeof(above), "%s/..", path);
	if (stat(path, &own) < 0 || stat(above, &parent) < 0)
		return -errno;
	return own.st_dev != parent.st_dev || own.st_ino == parent.st_ino;
}

static int is_empty(const char *path)
{
	DIR *folder = opendir(path);
	struct dirent *entry;
	int count = 0;

	if (!folder)
		return -errno;
	while (count == 0 && (entry = readdir(folder)))
		count = strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	closedir(folder);
	return count == 0;
}

/* The kernel remembers the attributes of a dead mount for a while, but cannot open it. */
static int say_mounted(const char *path, char *ret_error, size_t error_size)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool is_dead = fd < 0 && errno == ENOTCONN;

	if (fd >= 0)
		close(fd);
	return fail(-EBUSY, ret_error, error_size, path,
		    is_dead ? "a mount that died is still there; `fusermount3 -u -z` takes it away"
			    : "something is mounted there already");
}

int mountpoint_check(const char *path, char *ret_path, char *ret_error, size_t error_size)
{
	struct stat stat_of_path;
	int r;

	if (stat(path, &stat_of_path) < 0) {
		if (errno == ENOTCONN)
			return say_mounted(path, ret_error, error_size);
		return fail(-errno, ret_error, error_size, path,
			    errno == ENOENT ? "the mount point does not exist" : strerror(errno));
	}
	if (!S_ISDIR(stat_of_path.st_mode))
		return fail(-ENOTDIR, ret_error, error_size, path, "the mount point is no folder");
	if (!realpath(path, ret_path))
		return fail(-errno, ret_error, error_size, path, strerror(errno));
	r = is_mounted(ret_path);
	if (r < 0)
		return fail(r, ret_error, error_size, path, strerror(-r));
	if (r > 0)
		return say_mounted(path, ret_error, error_size);
	r = is_empty(ret_path);
	if (r <= 0)
		return fail(r < 0 ? r : -ENOTEMPTY, ret_error, error_size, path,
			    r < 0 ? strerror(-r) : "the mount point is not empty");
	return 0;
}

static int lies_in(const char *path, const char *folder)
{
	size_t length = strlen(folder);

	return strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

int mountpoint_check_base(const char *mountpoint, const char *base_path, char *ret_error, size_t error_size)
{
	char base[PATH_MAX];

	/* One that does not exist yet is made when the store is opened; its parent decides where it lies. */
	if (!realpath(base_path, base))
		snprintf(base, sizeof(base), "%s", base_path);
	if (lies_in(base, mountpoint))
		return fail(-EINVAL, ret_error, error_size, base_path, "STORAGE_BASE_PATH lies inside the mount");
	if (lies_in(mountpoint, base))
		return fail(-EINVAL, ret_error, error_size, mountpoint,
			    "the mount point lies inside STORAGE_BASE_PATH");
	return 0;
}
