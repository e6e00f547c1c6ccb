/* Opening the tree: the private folder, its format, the lock of the one writer. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include "shared/base/cleanup.h"
#include "shared/base/clock.h"
#include "shared/base/digest.h"
#include "shared/base/log.h"
#include "shared/store/store_local.h"

#define PRIVATE_FOLDER ".tenantfs"

enum { FORMAT_VERSION = 1, FORMAT_TEXT_SIZE = 64, PRIVATE_MODE = 0700, MACHINE_TEXT_SIZE = 512 };

static void local_close(struct store *store)
{
	struct store_local *local = LOCAL(store);
	int fds[] = {local->lock_fd,	local->trash_fd,   local->spool_fd,
		     local->journal_fd, local->private_fd, local->base_fd};

	folders_release(&local->folders);
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	free(local->base_path);
	free(local);
}

static const struct store_abilities *local_abilities(struct store *store)
{
	return &LOCAL(store)->abilities;
}

static int local_journal_dir(struct store *store)
{
	return LOCAL(store)->journal_fd;
}

static int local_free_space(struct store *store, uint64_t *ret_free_bytes, uint64_t *ret_total_bytes)
{
	struct store_local *local = LOCAL(store);
	struct statvfs space;

	if (fstatvfs(local->base_fd, &space) < 0)
		return store_report(local, "free space", NULL, -errno);
	*ret_free_bytes = (uint64_t)space.f_bavail * space.f_frsize;
	*ret_total_bytes = (uint64_t)space.f_blocks * space.f_frsize;
	return 0;
}

static const struct store_layer layer = {
	.close = local_close,
	.abilities = local_abilities,
	.journal_dir = local_journal_dir,
	.free_space = local_free_space,
	.spool_create = local_spool_create,
	.spool_discard = local_spool_discard,
	.spool_name = local_spool_name,
	.spool_sync = local_spool_sync,
	.spool_open_named = local_spool_open_named,
	.spool_clone = local_spool_clone,
	.spool_publish = local_spool_publish,
	.open = local_open,
	.stat = local_stat,
	.remove = local_remove,
	.share = local_share,
	.sync = local_sync,
	.sync_all = local_sync_all,
	.remove_tenant = local_remove_tenant,
	.list = local_list,
	.list_tenants = local_list_tenants,
	.sweep = local_sweep,
};

/* --- the folder, and whose it is ------------------------------------------------------------------------------------
 */

static int refuse_foreign(const char *name, const struct stat *stat, void *context)
{
	(void)stat;
	(void)context;
	return strcmp(name, "lost+found") == 0 || strcmp(name, PRIVATE_FOLDER) == 0 ? 0 : -ENOTEMPTY;
}

static int make_private(struct store_local *local, bool adopts)
{
	int r;

	if (faccessat(local->base_fd, PRIVATE_FOLDER, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	r = adopts ? 0 : folder_each(local->base_fd, refuse_foreign, NULL);
	if (r < 0)
		return r;
	return mkdirat(local->base_fd, PRIVATE_FOLDER, PRIVATE_MODE) < 0 && errno != EEXIST ? -errno : 0;
}

static int make_below(struct store_local *local, const char *name)
{
	return mkdirat(local->private_fd, name, PRIVATE_MODE) < 0 && errno != EEXIST ? -errno : 0;
}

/* Only our own programs read the tree: they have checked who may see what. */
static int close_to_others(const struct store_local *local)
{
	struct stat stat;

	if (fstat(local->base_fd, &stat) < 0)
		return -errno;
	if ((stat.st_mode & 07777) == PRIVATE_MODE)
		return 0;
	return fchmod(local->base_fd, PRIVATE_MODE) < 0 ? -errno : 0;
}

/* --- .tenantfs/format -----------------------------------------------------------------------------------------------
 */

/* -ENOENT: not written yet. */
static int check_format(const struct store_local *local)
{
	char text[FORMAT_TEXT_SIZE] = "";
	autoclose int fd = -1;
	unsigned version;
	int r = beneath_open(local->private_fd, "format", O_RDONLY, &fd);

	if (r < 0)
		return r;
	if (read(fd, text, sizeof(text) - 1) < 0)
		return -errno;
	if (sscanf(text, "tenantfs %u", &version) != 1 || version == 0)
		return -EBADMSG;
	return version > FORMAT_VERSION ? -EPROTONOSUPPORT : 0;
}

/* Written whole under another name first: a file that is there is a file that is right. */
static int write_format(const struct store_local *local)
{
	autoclose int fd = openat(local->private_fd, "format.new", O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	if (dprintf(fd, "tenantfs %d\n", FORMAT_VERSION) < 0 || fsync(fd) < 0)
		return -errno;
	if (renameat(local->private_fd, "format.new", local->private_fd, "format") < 0)
		return -errno;
	return fsync(local->private_fd) < 0 || fsync(local->base_fd) < 0 ? -errno : 0;
}

/* --- the lock -------------------------------------------------------------------------------------------------------
 */

/* The machine and its name: a tree may be shared by several machines, and containers of one often share its id. */
static uint32_t machine_number(void)
{
	char text[MACHINE_TEXT_SIZE] = "";
	size_t length = 0;
	autoclose int fd = open("/etc/machine-id", O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		ssize_t n = read(fd, text, sizeof(text) / 2);

		length = n > 0 ? (size_t)n : 0;
	}
	if (gethostname(text + length, sizeof(text) - length - 1) == 0)
		length += strlen(text + length);
	return (uint32_t)checksum_xxh3(text, length);
}

/*
 * One writer a machine (the leases in the database see to it between machines): each locks a byte of its own. An open
 * file description's lock survives the fork of a daemon and dies with its last process.
 */
static int take_lock(struct store_local *local)
{
	struct flock lock = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)(local->machine & INT32_MAX), .l_len = 1};
	autoclose int fd = openat(local->private_fd, "lock", O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return -errno;
	if (fcntl(fd, F_OFD_SETLK, &lock) < 0) {
		if (errno == EAGAIN || errno == EACCES)
			return -EBUSY;
		if (errno != ENOLCK && errno != EOPNOTSUPP && errno != EINVAL)
			return -errno;
		log_warn("the storage takes no locks; leases alone keep a second writer away", "path",
			 local->base_path);
	}
	local->lock_fd = take_fd(&fd);
	return 0;
}

/* --- opening --------------------------------------------------------------------------------------------------------
 */

static int newest_number(const char *name, const struct stat *stat, void *context)
{
	struct store_local *local = context;
	uint64_t number;

	(void)stat;
	if (spool_parse_name(local, name, &number) && number >= local->first_number && number < UINT64_MAX)
		local->first_number = number + 1;
	return 0;
}

/* Numbers grow over restarts, also when the clock went back. */
static int start_numbers(struct store_local *local)
{
	int r;

	local->first_number = (uint64_t)clock_realtime_ns();
	r = folder_each(local->spool_fd, newest_number, local);
	atomic_store(&local->next_number, local->first_number);
	return r;
}

static int open_below(struct store_local *local)
{
	int r = beneath_open(local->private_fd, "spool", O_RDONLY | O_DIRECTORY, &local->spool_fd);

	if (r == 0)
		r = beneath_open(local->private_fd, "journal", O_RDONLY | O_DIRECTORY, &local->journal_fd);
	return r;
}

static int begin_writing(struct store_local *local)
{
	int r = take_lock(local);

	if (r == 0)
		r = close_to_others(local);
	if (r == 0)
		r = make_below(local, "spool");
	if (r == 0)
		r = make_below(local, "journal");
	if (r == 0)
		r = make_below(local, "trash");
	if (r == 0 && local->trash_fd < 0)
		r = beneath_open(local->private_fd, "trash", O_RDONLY | O_DIRECTORY, &local->trash_fd);
	if (r == 0 && local->spool_fd < 0)
		r = open_below(local);
	if (r == 0)
		r = check_format(local);
	if (r == -ENOENT)
		r = write_format(local);
	if (r == 0)
		r = start_numbers(local);
	if (r < 0)
		return r;
	store_probe(local);
	local->is_read_only = false;
	return 0;
}

static int open_tree(struct store_local *local, bool is_read_only, bool adopts)
{
	struct stat stat;
	int r;

	local->base_fd = open(local->base_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (local->base_fd < 0 || fstat(local->base_fd, &stat) < 0)
		return -errno;
	local->device = stat.st_dev;
	r = is_read_only ? 0 : make_private(local, adopts);
	if (r == 0)
		r = beneath_open(local->base_fd, PRIVATE_FOLDER, O_RDONLY | O_DIRECTORY, &local->private_fd);
	if (r < 0)
		return r;
	if (!is_read_only)
		return begin_writing(local);
	r = open_below(local);
	return r < 0 ? r : check_format(local);
}

static int local_new(const char *base_path, struct store_local **ret_local)
{
	struct store_local *local = calloc(1, sizeof(*local));

	if (!local)
		return -ENOMEM;
	local->store.layer = &layer;
	local->base_fd = local->private_fd = local->spool_fd = local->journal_fd = local->trash_fd = local->lock_fd =
		-1;
	local->machine = machine_number();
	local->is_read_only = true;
	local->base_path = strdup(base_path);
	if (!local->base_path || folders_init(&local->folders) < 0) {
		free(local->base_path);
		free(local);
		return -ENOMEM;
	}
	*ret_local = local;
	return 0;
}

static int open_store(const char *base_path, bool is_read_only, bool adopts, struct store **ret_store)
{
	struct store_local *local;
	int r = local_new(base_path, &local);

	if (r < 0)
		return r;
	r = open_tree(local, is_read_only, adopts);
	if (r == 0)
		r = local_free_space(&local->store, &local->abilities.free_bytes, &local->abilities.total_bytes);
	if (r < 0) {
		local_close(&local->store);
		return r;
	}
	store_tell(local);
	*ret_store = &local->store;
	return 0;
}

int store_local_open(const char *base_path, bool read_only, struct store **ret_store)
{
	return open_store(base_path, read_only, false, ret_store);
}

int store_local_adopt(const char *base_path, struct store **ret_store)
{
	return open_store(base_path, false, true, ret_store);
}

int store_local_become_writer(struct store *store)
{
	struct store_local *local = LOCAL(store);
	int r = local->is_read_only ? begin_writing(local) : 0;

	if (r < 0) {
		if (local->lock_fd >= 0)
			close(local->lock_fd);
		local->lock_fd = -1;
		return r;
	}
	store_tell(local);
	return 0;
}
