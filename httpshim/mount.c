#include "httpshim/mount.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "httpshim/tenant_cache.h"
#include "shared/base/cleanup.h"

enum { PATH_SIZE = 2048, PROC_PATH_SIZE = 40 };

struct mount {
	char *path;
};

int mount_new(const char *path, struct mount **ret_mount)
{
	struct mount *mount = calloc(1, sizeof(*mount));

	if (!mount)
		return -ENOMEM;
	mount->path = strdup(path);
	if (!mount->path) {
		free(mount);
		return -ENOMEM;
	}
	*ret_mount = mount;
	return 0;
}

void mount_free(struct mount *mount)
{
	if (!mount)
		return;
	free(mount->path);
	free(mount);
}

/*
 * The mount's root. Opened for each use, so that nothing keeps the file system busy; and only what is a mount point, or an
 * unmounted folder would be written into.
 */
static int open_root(const struct mount *mount, int *ret_fd)
{
	int fd autoclose = open(mount->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct statx stat;

	if (fd < 0)
		return errno == ENOENT ? -ENOTCONN : -errno;
	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_MODE, &stat) < 0)
		return -errno;
	if ((stat.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) && !(stat.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return -ENOTCONN;
	*ret_fd = take_fd(&fd);
	return 0;
}

bool mount_is_up(struct mount *mount)
{
	int fd autoclose = -1;
	struct stat stat;

	return open_root(mount, &fd) == 0 && fstat(fd, &stat) == 0;
}

void identity_enter(const struct tenant *tenant)
{
	if (geteuid() != 0)
		return;
	/* The group first: after the user is another, it could not be changed. */
	setfsgid(tenant->owner_gid);
	setfsuid(tenant->owner_uid);
}

void identity_leave(void)
{
	if (geteuid() != 0)
		return;
	setfsuid(0);
	setfsgid(0);
}

static int open_below(int root, const char *path, int flags, mode_t mode, int *ret_fd)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
		.mode = flags & O_CREAT ? mode : 0,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	long fd;

	do {
		fd = syscall(SYS_openat2, root, path, &how, sizeof(how));
	} while (fd < 0 && (errno == EINTR || errno == EAGAIN));
	if (fd < 0)
		return -errno;
	*ret_fd = (int)fd;
	return 0;
}

static int make_path(const struct tenant *tenant, const char *path, char ret_path[PATH_SIZE])
{
	int n = snprintf(ret_path, PATH_SIZE, *path ? "%s/%s" : "%s", tenant->code, path);

	return n > 0 && n < PATH_SIZE ? 0 : -ENAMETOOLONG;
}

int mount_open(struct mount *mount, const struct tenant *tenant, const char *path, int flags, mode_t mode, int *ret_fd)
{
	char full[PATH_SIZE];
	int root autoclose = -1, r;

	r = make_path(tenant, path, full);
	if (r == 0)
		r = open_root(mount, &root);
	if (r < 0)
		return r;
	identity_enter(tenant);
	r = open_below(root, full, flags, mode, ret_fd);
	identity_leave();
	return r;
}

static int id_path(const char *file_id, char ret_path[64])
{
	int n = snprintf(ret_path, 64, ".id/%s", file_id);

	return n > 0 && n < 64 ? 0 : -ENAMETOOLONG;
}

int mount_open_file(struct mount *mount, const struct tenant *tenant, const char *file_id, int flags, int *ret_fd)
{
	char path[64];
	int r = id_path(file_id, path);

	return r < 0 ? r : mount_open(mount, tenant, path, flags | O_NONBLOCK | O_NOCTTY, 0, ret_fd);
}

/* The folder that a path's last name is in, opened, and the name. */
static int open_parent(struct mount *mount, const struct tenant *tenant, const char *path, int *ret_fd,
		       const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_SIZE];

	if (!slash) {
		*ret_name = path;
		return mount_open(mount, tenant, "", O_PATH | O_DIRECTORY, 0, ret_fd);
	}
	if ((size_t)(slash - path) >= sizeof(folder))
		return -ENAMETOOLONG;
	memcpy(folder, path, (size_t)(slash - path));
	folder[slash - path] = '\0';
	*ret_name = slash + 1;
	return mount_open(mount, tenant, folder, O_PATH | O_DIRECTORY, 0, ret_fd);
}

int mount_make_folder(struct mount *mount, const struct tenant *tenant, const char *path)
{
	int parent autoclose = -1, r;
	const char *name;

	r = open_parent(mount, tenant, path, &parent, &name);
	if (r < 0)
		return r;
	identity_enter(tenant);
	r = mkdirat(parent, name, 0700) < 0 ? -errno : 0;
	identity_leave();
	return r;
}

static int remove_at(struct mount *mount, const struct tenant *tenant, const char *path, int flags)
{
	int parent autoclose = -1, r;
	const char *name;

	r = open_parent(mount, tenant, path, &parent, &name);
	if (r < 0)
		return r;
	identity_enter(tenant);
	r = unlinkat(parent, name, flags) < 0 ? -errno : 0;
	identity_leave();
	return r;
}

int mount_remove_folder(struct mount *mount, const struct tenant *tenant, const char *path)
{
	return remove_at(mount, tenant, path, AT_REMOVEDIR);
}

int mount_remove(struct mount *mount, const struct tenant *tenant, const char *path)
{
	return remove_at(mount, tenant, path, 0);
}

int mount_remove_file(struct mount *mount, const struct tenant *tenant, const char *file_id)
{
	char path[64];
	int r = id_path(file_id, path);

	return r < 0 ? r : remove_at(mount, tenant, path, 0);
}

int mount_list(struct mount *mount, const struct tenant *tenant, const char *path, int (*visit)(const char *name, void *context),
	       void *context)
{
	struct dirent *entry;
	DIR *folder;
	int fd, r;

	r = mount_open(mount, tenant, path, O_RDONLY | O_DIRECTORY, 0, &fd);
	if (r < 0)
		return r;
	folder = fdopendir(fd);
	if (!folder) {
		r = -errno;
		close(fd);
		return r;
	}
	for (errno = 0; r == 0 && (entry = readdir(folder)); errno = 0) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			r = visit(entry->d_name, context);
	}
	if (r == 0 && errno != 0)
		r = -errno;
	closedir(folder);
	return r;
}

static int move(struct mount *mount, const struct tenant *tenant, const char *from, const char *to, unsigned flags)
{
	int from_parent autoclose = -1, to_parent autoclose = -1, r;
	const char *from_name, *to_name;

	r = open_parent(mount, tenant, from, &from_parent, &from_name);
	if (r == 0)
		r = open_parent(mount, tenant, to, &to_parent, &to_name);
	if (r < 0)
		return r;
	identity_enter(tenant);
	r = renameat2(from_parent, from_name, to_parent, to_name, flags) < 0 ? -errno : 0;
	identity_leave();
	return r;
}

int mount_rename(struct mount *mount, const struct tenant *tenant, const char *from, const char *to)
{
	return move(mount, tenant, from, to, RENAME_NOREPLACE);
}

int mount_replace(struct mount *mount, const struct tenant *tenant, const char *from, const char *to)
{
	return move(mount, tenant, from, to, 0);
}

/* A descriptor of O_PATH has no attributes of its own; its name in /proc does. */
static void proc_path(int fd, char ret_path[PROC_PATH_SIZE])
{
	snprintf(ret_path, PROC_PATH_SIZE, "/proc/self/fd/%d", fd);
}

int mount_wait_committed(struct mount *mount, const struct tenant *tenant)
{
	char value[8], proc[PROC_PATH_SIZE];
	int fd autoclose = -1, r;

	r = mount_open(mount, tenant, "", O_PATH | O_DIRECTORY, 0, &fd);
	if (r < 0)
		return r;
	proc_path(fd, proc);
	return getxattr(proc, "user.tenantfs.committed", value, sizeof(value)) < 0 ? -errno : 0;
}

int mount_set_attribute(struct mount *mount, const struct tenant *tenant, const char *file_id, const char *name,
			const void *value, size_t length)
{
	char path[64], proc[PROC_PATH_SIZE];
	int fd autoclose = -1, r;

	r = id_path(file_id, path);
	if (r == 0)
		r = mount_open(mount, tenant, path, O_PATH, 0, &fd);
	if (r < 0)
		return r;
	proc_path(fd, proc);
	identity_enter(tenant);
	if (length > 0)
		r = setxattr(proc, name, value, length, 0) < 0 ? -errno : 0;
	else
		r = removexattr(proc, name) < 0 && errno != ENODATA ? -errno : 0;
	identity_leave();
	return r;
}

int mount_set_privileged(int fd, const char *name, const void *value, size_t length)
{
	return fsetxattr(fd, name, value, length, 0) < 0 ? -errno : 0;
}

int mount_set_privileged_at(struct mount *mount, const struct tenant *tenant, const char *path, const char *name,
			    const void *value, size_t length)
{
	int fd autoclose = -1, r;
	char proc[PROC_PATH_SIZE];

	r = mount_open(mount, tenant, path, O_PATH, 0, &fd);
	if (r < 0)
		return r;
	proc_path(fd, proc);
	return setxattr(proc, name, value, length, 0) < 0 ? -errno : 0;
}

int mount_get_attribute(int fd, const char *name, char *ret_text, size_t size)
{
	ssize_t length = fgetxattr(fd, name, ret_text, size - 1);

	if (length < 0)
		return -errno;
	ret_text[length] = '\0';
	return 0;
}

int mount_space(struct mount *mount, uint64_t *ret_total_bytes, uint64_t *ret_free_bytes)
{
	int fd autoclose = -1;
	struct statvfs space;
	int r;

	r = open_root(mount, &fd);
	if (r < 0)
		return r;
	if (fstatvfs(fd, &space) < 0)
		return -errno;
	*ret_total_bytes = space.f_blocks * space.f_frsize;
	*ret_free_bytes = space.f_bavail * space.f_frsize;
	return 0;
}
